/* The catalogue of methods, and the optimizer that applies one. */
#ifndef TINYNN_OPTIMIZER_H
#define TINYNN_OPTIMIZER_H

#include "kernels/kernels.h"

struct tnn_method_vtable {
    const char *name;
    tnni_method_kind kind;
    size_t moments; /* arrays like the parameters that the method keeps */
};

struct tnn_optimizer {
    const tnn_allocator *allocator;
    tnn_method method;
    uint64_t layout;        /* of the nets that it serves */
    size_t parameter_count; /* of those nets */
    float *moments;         /* [method.vtable->moments, parameter_count]; NULL if there are none */
};

/*
 * Makes an optimizer for parameter_count parameters, its moments 0. TNN_INVALID_ARGUMENT,
 * TNN_OUT_OF_MEMORY.
 */
tnn_status tnni_optimizer_create(
    tnn_optimizer **optimizer, const tnn_allocator *allocator, uint64_t layout,
    size_t parameter_count, tnn_method method);

/* What the step that begins now has the same for all parameters. Called once a step. */
tnni_step_scalars tnni_optimizer_begin(tnn_optimizer *optimizer);

/*
 * The step's part for count parameters, of which the first is the one numbered offset; parameters
 * and gradients point to that one. Parts are disjoint and may be done at the same time.
 */
void tnni_optimizer_apply(
    tnn_optimizer *optimizer, const tnni_kernels *kernels, const tnni_step_scalars *scalars,
    size_t offset, size_t count, const float *gradients, float *parameters);

#endif
