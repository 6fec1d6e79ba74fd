/*
 * The net from inside: its layers, the flat vectors, and the scratch memory of one training pass.
 *
 * A training pass over rows is
 *
 *     tnni_pass_begin         room for the rows, and which units dropout drops     forward.c
 *     tnni_pass_run           the stages: x -> z, a and output of each layer,      pass.c
 *                             loss and delta = dL/dz of each layer
 *     tnni_add_gradients      dL/dp of each parameter                              backward.c
 */
#ifndef TINYNN_NET_H
#define TINYNN_NET_H

#include "kernels/kernels.h"

#include "loss.h"

#include "support/parallel.h"

typedef struct tnni_layer {
    size_t inputs;
    size_t units;
    size_t weights; /* where they start in the flat vectors */
    size_t biases;
    bool has_biases;
    float dropout;
    tnn_activation activation;
    tnni_activation_kind kind;
    bool keeps_z; /* backward or a loss reads z, so the activation is not made in its place */
    tnni_row row; /* without a kernel if the activation is not the library's own */

    /* In the net's scratch, [capacity, units] each. */
    float *z;      /* a itself unless keeps_z */
    float *a;      /* activation(z) */
    float *output; /* a after dropout; a itself without */
    float *delta;  /* dL/dz */
} tnni_layer;

struct tnn_net {
    const tnn_allocator *allocator;
    const tnn_executor *executor; /* NULL: what parallel.h has of its own */
    const tnni_kernels *kernels;
    unsigned threads;   /* at least 1 */
    size_t least_task;  /* multiply-adds of one product that are worth a task of their own */
    size_t least_units; /* of a layer that a task has if it shares them out */
    uint64_t seed;
    uint64_t shape;   /* a hash of the sizes: who has the same fits the same workspace */
    uint64_t layout;  /* a hash of the sizes and biases: ... the same optimizer */
    size_t widest;    /* most units of a layer */
    size_t most_rows; /* whose arrays still have a size */
    bool has_dropout;
    bool is_built_in; /* all activations are the library's own */

    size_t parameter_count;
    float *parameters;
    float *gradients;    /* NULL until they are needed */
    bool gradients_zero; /* they are all 0, whatever the array holds */

    /* Shifts, then scales, one of each for each input or output; NULL: no scaling. */
    float *input_scaling;
    float *output_scaling;

    /* The pass. */
    uint64_t passes; /* forward passes so far */
    uint64_t mask;   /* the key that dropout draws from in this one */
    size_t rows;     /* of the forward that waits for backward; 0: none does */
    const float *x;  /* its inputs, the caller's */
    size_t capacity; /* rows that the scratch has room for */
    void *scratch;   /* all arrays below and those of the layers, in one block */
    size_t scratch_bytes;
    double *row_loss; /* [capacity] */
    float *scaled_x;  /* [capacity, inputs]; NULL without an input scaling */
    float *targets;   /* [capacity, outputs]: made of classes, or scaled */
    float *panels;    /* [threads, panel_count]: what products copy */
    size_t panel_count;
    bool is_small;     /* by its layers: the kernels of small nets can do passes of one row */
    tnni_dense *small; /* [layer_count]: the layers as those see them; NULL if they have no use */

    size_t layer_count;
    tnni_layer layers[];
};

/* What the loss is taken of: every row's target and weight (NULL: 1). */
typedef struct tnni_objective {
    const tnn_loss *loss;
    tnni_loss_kind kind; /* of that loss */
    bool of_logits;      /* it is computed from z of the last layer */
    const float *target;
    const float *row_weights;
} tnni_objective;

typedef struct tnni_pass {
    tnn_net *net;
    size_t rows;
    const tnni_objective *objective; /* NULL: the last delta holds dL/d output already */
    float *input_gradient;           /* [rows, inputs] */
} tnni_pass;

/* What a task has of a layer's outputs. */
typedef struct tnni_part {
    tnni_range rows;
    tnni_range units;
} tnni_part;

/* net.c */

/* tnn_net_create, but for the parameters, which are still to be written, and options, which are not
 * NULL. */
tnn_status tnni_net_new(
    const char *caller, tnn_net **net, size_t inputs, const tnn_layer *layers, size_t layer_count,
    const tnn_net_options *options);
/* Have allocator and executor their functions? Otherwise TNN_INVALID_ARGUMENT, naming caller. */
tnn_status tnni_net_check_options(const char *caller, const tnn_net_options *options);

/* Room for a pass over rows. TNN_OUT_OF_MEMORY, naming caller, and the net is as it was. */
tnn_status tnni_net_grow(const char *caller, tnn_net *net, size_t rows);

/* The net owns these scalings from now on, and no more those that it had. TNN_OUT_OF_MEMORY, naming
 * caller, and the net is as it was. */
tnn_status tnni_net_set_scalings(const char *caller, tnn_net *net, float *input, float *output);

/* The array of gradients: room for it, and with its zeros written. TNN_OUT_OF_MEMORY, naming
 * caller. */
tnn_status tnni_net_allocate_gradients(const char *caller, tnn_net *net);
tnn_status tnni_net_write_gradients(const char *caller, tnn_net *net);

/* How many tasks the arithmetic of rows through all weights is worth, at most net->threads. */
size_t tnni_net_tasks(const tnn_net *net, size_t rows);

/* A copy of the net without dropout; TNN_OUT_OF_MEMORY, naming caller. */
tnn_status tnni_net_clone_without_dropout(const char *caller, tnn_net **copy, const tnn_net *net);

static inline const tnni_layer *tnni_last_layer(const tnn_net *net) {
    return &net->layers[net->layer_count - 1];
}

/* Softmax with cross-entropy and sigmoid with binary cross-entropy are computed from z, with
 * nothing in between. */
static inline bool tnni_is_of_logits(const tnni_layer *last, tnni_loss_kind loss) {
    return last->dropout == 0.0f &&
        ((last->kind == TNNI_SOFTMAX && loss == TNNI_CROSS_ENTROPY) ||
         (last->kind == TNNI_SIGMOID && loss == TNNI_BINARY_CROSS_ENTROPY));
}

/* What a loss of a net is taken of; targets and weights are NULL yet. */
static inline tnni_objective tnni_objective_of(const tnn_net *net, const tnn_loss *loss) {
    tnni_loss_kind kind = tnni_loss_find(loss);
    return (tnni_objective){
        .loss = loss,
        .kind = kind,
        .of_logits = tnni_is_of_logits(&net->layers[net->layer_count - 1], kind),
    };
}

/* The panel of one task. */
static inline float *tnni_panel(const tnn_net *net, size_t task) {
    return net->panels + task * net->panel_count;
}

static inline size_t tnni_inputs(const tnn_net *net) {
    return net->layers[0].inputs;
}

static inline size_t tnni_outputs(const tnn_net *net) {
    return tnni_last_layer(net)->units;
}

static inline size_t tnni_scaling_bytes(size_t columns) {
    return 2 * columns * sizeof(float);
}

static inline bool tnni_is_scaled(const tnn_net *net) {
    return net->input_scaling || net->output_scaling;
}

/* y = (x - shift) * scale, and x / scale + shift, with a scaling of so many columns. */
static inline void tnni_scale(
    const tnn_net *net, const float *scaling, size_t rows, size_t columns, const float *x,
    float *y) {
    net->kernels->scale_columns(rows, columns, scaling, scaling + columns, x, y);
}

static inline void tnni_unscale(
    const tnn_net *net, const float *scaling, size_t rows, size_t columns, const float *x,
    float *y) {
    net->kernels->unscale_columns(rows, columns, scaling, scaling + columns, x, y);
}

/* scaling.c */

/* Are these arrays a scaling of so many columns, or NULL both? Otherwise TNN_INVALID_ARGUMENT,
 * naming caller. */
tnn_status tnni_check_scaling(
    const char *caller, size_t columns, const float *shift, const float *scale);

/* pass.c */

/* Stages first ... end - 1 of a pass, as pass.c numbers them. */
void tnni_pass_run(const tnni_pass *pass, size_t first, size_t end);

/* What task index of some has of a layer's weights: the part of their inputs and of their units. */
void tnni_share_weights(
    const tnn_net *net, const tnni_layer *layer, size_t rows, size_t index, size_t tasks,
    tnni_range *inputs, tnni_range *units);

/* forward.c */

/* z = x W + b and a = activation(z) of one layer; z and a may be the same unless keeps_z. The panel
 * is tnni_forward_panel(net) floats. Part of the units only of an elementwise activation of the
 * library's own. */
void tnni_layer_forward(
    const tnn_net *net, const tnni_layer *layer, size_t rows, tnni_range units, const float *x,
    float *z, float *a, float *panel);
size_t tnni_forward_panel(const tnn_net *net);

/* Are rows, x[rows, inputs] and y[rows, outputs] (or NULL) fit for a forward or a prediction?
 * Otherwise TNN_INVALID_ARGUMENT or TNN_OUT_OF_MEMORY, naming caller. */
tnn_status tnni_check_rows(
    const char *caller, const tnn_net *net, size_t rows, const float *x, const float *y);

/* Begins a pass over x[rows, inputs]: TNN_OUT_OF_MEMORY, naming caller, and nothing begun. */
tnn_status tnni_pass_begin(const char *caller, tnn_net *net, size_t rows, const float *x);

/* scaled_x from x, in a net with an input scaling. */
void tnni_scale_inputs(const tnn_net *net, tnni_range rows);

/* z, a and output of a layer, from the output of the one before; part of the units only without
 * dropout. */
void tnni_forward_part(tnn_net *net, size_t layer, tnni_part part, float *panel);

/* output = array[rows, units of the layer] with what this pass drops set to 0 and the rest scaled.
 */
void tnni_apply_dropout(
    const tnn_net *net, const tnni_layer *layer, tnni_range rows, const float *array,
    float *output);

/* The input of a layer in this pass. */
const float *tnni_layer_input(const tnn_net *net, size_t layer);

/* backward.c */

/* Losses of these rows and delta of the last layer; without an objective that delta alone. */
void tnni_last_delta(const tnni_pass *pass, tnni_range rows);

/* Delta of a layer from that of the one behind it. */
void tnni_delta_part(tnn_net *net, size_t layer, tnni_part part, float *panel);

/* dL/dx, x being the raw one, from the first layer's delta. */
void tnni_input_gradient(const tnni_pass *pass, tnni_range rows, float *panel);

/* Row losses, and their gradients in gradient[rows, outputs] unless that is NULL: with respect to
 * z of the last layer if the loss is of logits, to its output otherwise. */
void tnni_loss_rows(
    tnn_net *net, const tnni_objective *objective, tnni_range rows, float *gradient);

/* The batch's loss from those of its rows. */
double tnni_batch_loss(const tnn_net *net, const tnni_objective *objective, size_t rows);

/* TNN_NOT_FINITE, naming caller, if it is not. */
tnn_status tnni_check_loss(const char *caller, double value);

/* Adds the gradients of a pass over rows whose deltas are known to the net's. */
void tnni_add_gradients(tnn_net *net, size_t rows);

/* train.c */

/* Are the rows of a data set, called name, fit for this net and loss? In O(1); a class is checked
 * by itself. Otherwise TNN_INVALID_ARGUMENT or TNN_OUT_OF_MEMORY, naming caller. */
tnn_status tnni_check_dataset(
    const char *caller, const char *name, const tnn_net *net, const tnn_loss *loss,
    const tnn_dataset *data);
tnn_status tnni_check_class(
    const char *caller, const char *name, const tnn_net *net, const tnn_dataset *data, size_t row);

/* Gives an objective the targets and weights of a batch, for which the net has begun a pass. */
tnn_status tnni_objective_aim(
    const char *caller, tnn_net *net, const tnn_dataset *batch, tnni_objective *objective);

/* step.c */

/* Is the optimizer there, and made for this layout? Otherwise TNN_INVALID_ARGUMENT. */
tnn_status tnni_check_optimizer(
    const char *caller, const tnn_net *net, const tnn_optimizer *optimizer);

/* The Euclidean norm of the gradients that the net holds, none of which is taken for larger than
 * limit. They have to be written. */
double tnni_gradient_norm(const tnn_net *net, float limit);

/* The step with the gradients that the net holds, which are 0 then. */
void tnni_step_with_gradients(tnn_net *net, tnn_optimizer *optimizer);

#endif
