/* The catalogue of methods, and the optimizer that applies one. */
#ifndef TINYNN_OPTIMIZER_H
#define TINYNN_OPTIMIZER_H

#include "kernels/kernels.h"

struct tnn_optimizer {
    const tnn_allocator *allocator;
    tnn_method method;
    tnni_step step;         /* the one that is being made, or was the last */
    uint64_t layout;        /* of the nets that it serves */
    size_t parameter_count; /* of those nets */
    size_t moment_count;    /* arrays like the parameters that the method keeps */
    size_t stride;          /* from one of them to the next, so that all are aligned */
    float *moments;         /* [moment_count, stride]; NULL if there are none */
    double beta1_power;     /* beta1 to the number of steps */
    double beta2_power;
    bool has_moves; /* with its first step */
};

/* What files call a method's rule, and the rule of this name; NULL if there is none. */
const char *tnni_method_name(const struct tnn_method_vtable *method);
const struct tnn_method_vtable *tnni_method_find(const char *name, size_t length);
/* The moments that it keeps of each parameter. */
enum { TNNI_MOST_MOMENTS = 2 };
size_t tnni_method_moments(const tnn_method *method);

/*
 * Makes an optimizer for parameter_count parameters, its moments 0. One that is not new may have a
 * learning rate that was set since. TNN_INVALID_ARGUMENT, TNN_OUT_OF_MEMORY, naming caller.
 */
tnn_status tnni_optimizer_create(
    const char *caller, tnn_optimizer **optimizer, const tnn_allocator *allocator, uint64_t layout,
    size_t parameter_count, tnn_method method, bool is_new);

/* The step that begins now, until the next one does. Called once a step. */
const tnni_step *tnni_optimizer_begin(tnn_optimizer *optimizer);

/* Does the step need the norm of all gradients? Then tnni_optimizer_clip is told it after begin,
 * before any part: the root of their square_sum with the step's clip_value for limit. */
static inline bool tnni_optimizer_clips_norm(const tnn_optimizer *optimizer) {
    return optimizer->method.clip_norm > 0.0f;
}
void tnni_optimizer_clip(tnn_optimizer *optimizer, double norm);

/*
 * Its part for count parameters, of which the first is the one numbered offset; parameters and
 * gradients point to that one. Parts are disjoint and may be done at the same time.
 */
void tnni_optimizer_apply(
    tnn_optimizer *optimizer, const tnni_kernels *kernels, size_t offset, size_t count,
    const float *gradients, float *parameters);

/* The moments of the parameter numbered offset, stride apart; NULL if there are none. */
static inline float *tnni_optimizer_moments(const tnn_optimizer *optimizer, size_t offset) {
    return optimizer->moments ? optimizer->moments + offset : NULL;
}

#endif
