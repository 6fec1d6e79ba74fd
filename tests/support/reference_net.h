/*
 * reference_net.h: an independent feed-forward net in double precision.
 *
 * Written from the definitions in tinynn.h and shares no code with src/; slow, plain and meant to
 * be believed. test_reference_net.c holds it against its own central differences.
 *
 * Every number comes with a bound on how far float arithmetic that keeps the library's promises may
 * end up from it: a first-order running error analysis (Higham, Accuracy and Stability of Numerical
 * Algorithms, 2nd edition, sections 3.3 and 3.1), carried along with the value. The promises are: a
 * sum of n products costs n roundings and its bias one more; an elementary function is within 2
 * ulp; softmax is within (|z - max| + 4 + n / 16) epsilon. reference_net.c derives each step's
 * share.
 */
#ifndef TINYNN_TESTS_REFERENCE_NET_H
#define TINYNN_TESTS_REFERENCE_NET_H

#include <stdbool.h>
#include <stddef.h>

#define REF_MAX_LAYERS 8

/* The exact value and the largest distance from it that float arithmetic explains. */
typedef struct ref_number {
    double value;
    double bound;
} ref_number;

typedef enum ref_activation_kind {
    REF_IDENTITY,
    REF_RELU,
    REF_LEAKY_RELU,
    REF_SIGMOID,
    REF_TANH,
    REF_SOFTMAX,
    REF_ELU,
    REF_SELU,
    REF_SOFTPLUS,
    REF_SOFTSIGN,
    REF_SILU,
    REF_GELU,
    REF_HARD_SIGMOID,
    REF_HARD_TANH,
    REF_CUSTOM
} ref_activation_kind;

typedef struct ref_activation {
    ref_activation_kind kind;
    double parameter;
    /* For REF_CUSTOM: f(z) and f'(z); f must have no kink and |f''| <= 2. */
    double (*value)(const void *context, double parameter, double z);
    double (*slope)(const void *context, double parameter, double z);
    const void *context;
} ref_activation;

typedef struct ref_layer {
    size_t units;
    ref_activation activation;
    bool no_bias;
    double dropout;   /* counts only if kept is given */
    const bool *kept; /* [rows, units], or NULL: no dropout */
} ref_layer;

typedef struct ref_net {
    size_t inputs;
    size_t layer_count; /* at most REF_MAX_LAYERS */
    const ref_layer *layers;
    const double *parameters; /* the library's flat layout */
} ref_net;

typedef enum ref_loss_kind {
    REF_HALF_SQUARED_ERROR,
    REF_MEAN_SQUARED_ERROR,
    REF_MEAN_ABSOLUTE_ERROR,
    REF_HUBER,
    REF_BINARY_CROSS_ENTROPY,
    REF_CROSS_ENTROPY
} ref_loss_kind;

typedef struct ref_loss {
    ref_loss_kind kind;
    double parameter;
} ref_loss;

typedef struct ref_batch {
    size_t rows;
    const double *x;           /* [rows, inputs] */
    const double *target;      /* [rows, outputs] */
    const double *row_weights; /* [rows], or NULL: all 1 */
} ref_batch;

size_t ref_outputs(const ref_net *net);
size_t ref_parameter_count(const ref_net *net);

/* One activation on one row, without bounds: a[units] = f(z[units]). */
void ref_activate(ref_activation activation, size_t units, const double *z, double *a);

/* y[rows, outputs] = net(x[rows, inputs]). */
void ref_forward(const ref_net *net, size_t rows, const double *x, ref_number *y);

/*
 * The loss of the batch; gradient[parameter_count] and input_gradient[rows, inputs] become its
 * derivatives unless they are NULL.
 */
ref_number ref_backward(
    const ref_net *net, ref_loss loss, const ref_batch *batch, ref_number *gradient,
    ref_number *input_gradient);

/* The same from output_gradient[rows, outputs], which is dL/dy. */
void ref_backward_from(
    const ref_net *net, size_t rows, const double *x, const double *output_gradient,
    ref_number *gradient, ref_number *input_gradient);

/*
 * How far the batch is from the nearest point where a derivative jumps or a logarithm leaves its
 * domain: over every z of an activation with a kink, and over every output by the loss's account.
 * Outputs of the two pairs that are computed from z have no such point.
 */
double ref_margin(const ref_net *net, ref_loss loss, const ref_batch *batch);

#endif /* TINYNN_TESTS_REFERENCE_NET_H */
