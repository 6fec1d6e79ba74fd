/*
 * The kernel table: all arithmetic on arrays, once per instruction set. Tables with fused
 * multiply-add give the same bits. Kernels know arrays only; none of them allocates, and none reads
 * or writes past the sizes it is given.
 *
 * rows, inputs and units are the sizes of one dense layer: x[rows, inputs], weights[inputs, units],
 * biases[units], z and delta[rows, units].
 */
#ifndef TINYNN_KERNELS_KERNELS_H
#define TINYNN_KERNELS_KERNELS_H

#include "support/parallel.h"

typedef enum tnni_activation_kind {
    TNNI_IDENTITY,
    TNNI_RELU,
    TNNI_LEAKY_RELU,
    TNNI_SIGMOID,
    TNNI_TANH,
    TNNI_SOFTMAX,
    TNNI_ELU,
    TNNI_SELU,
    TNNI_SOFTPLUS,
    TNNI_SOFTSIGN,
    TNNI_SILU,
    TNNI_GELU,
    TNNI_HARD_SIGMOID,
    TNNI_HARD_TANH,
    TNNI_ACTIVATION_KINDS
} tnni_activation_kind;

typedef enum tnni_loss_kind {
    TNNI_HALF_SQUARED_ERROR,
    TNNI_MEAN_SQUARED_ERROR,
    TNNI_MEAN_ABSOLUTE_ERROR,
    TNNI_HUBER,
    TNNI_BINARY_CROSS_ENTROPY,
    TNNI_CROSS_ENTROPY,
    TNNI_LOSS_KINDS
} tnni_loss_kind;

typedef enum tnni_method_kind {
    TNNI_DESCENT, /* SGD without anything: p - rate g */
    TNNI_SGD,
    TNNI_MOMENTUM,
    TNNI_NESTEROV,
    TNNI_ADAGRAD,
    TNNI_RMSPROP,
    TNNI_ADAM,
    TNNI_ADAMW,
    TNNI_RPROP,
    TNNI_METHOD_KINDS
} tnni_method_kind;

/* As in tnn_activation_vtable, without the vtable. */
typedef struct tnni_activation_kernel {
    void (*forward)(float parameter, size_t rows, size_t units, const float *z, float *a);
    void (*backward)(
        float parameter, size_t rows, size_t units, const float *z, const float *a,
        float *gradient);
} tnni_activation_kernel;

/* As in tnn_loss_vtable; source is y for a loss of the output, z for a loss of the logits. */
typedef void tnni_loss_kernel(
    float parameter, size_t rows, size_t units, const float *source, const float *target,
    double *row_loss, float *gradient);

/* One step of a method: what is the same for all parameters. */
typedef struct tnni_step {
    tnni_method_kind kind;
    float rate;         /* of the move against the direction */
    float weight_decay; /* this times the parameter is added to its gradient */
    float shrink;       /* ... or the parameter is multiplied by this */
    float momentum;
    float beta1, rest1; /* 1 - beta1 */
    float beta2, rest2;
    float correction; /* of the root of the mean square, which starts at 0 */
    float epsilon;
    float move_shrink, move_grow; /* of rprop's moves */
    float least_move, most_move;
    bool is_shaped;    /* gradients go through the following first; the kind is not TNNI_DESCENT */
    float clip_value;  /* the largest gradient in size; infinity if that is free */
    float coefficient; /* of all gradients, to clip their norm */
    float l1;          /* this times the parameter's sign is added to its gradient */
} tnni_step;

/*
 * Updates parameters[rows, columns], whose rows are row floats apart, from gradients[rows,
 * columns]. The method's moments of these parameters lie likewise at moments, moments + stride, ...
 */
typedef void tnni_step_kernel(
    const tnni_step *step, size_t rows, size_t columns, const float *gradients, float *parameters,
    size_t row, float *moments, size_t stride);

/* y[i] = f(x[i]) */
typedef void tnni_map_kernel(size_t count, const float *x, float *y);

/* The most inputs or units of a layer that small_forward and its like take. */
enum { TNNI_SMALL = 4 };

/*
 * Products copy parts of a matrix into a panel that the caller lends them: its size in floats, the
 * units from which x W and x^T delta want it, and the columns that delta W^T wants for each unit.
 */
#define TNNI_PANEL_FLOATS 16384
enum { TNNI_WIDE = 256, TNNI_PANEL_COLUMNS = 64 };

/* A dense layer as the kernels of small nets see it: arrays of one row. */
typedef struct tnni_dense {
    size_t inputs;
    size_t units;
    tnni_activation_kind kind;
    float parameter;
    float *weights;
    float *biases; /* or NULL */
    float *z;
    float *a;
    float *delta;
} tnni_dense;

/* A dense layer as single rows see it. */
typedef struct tnni_row tnni_row;

/* One row through it and its activation: z and a, which may be the same as in a vtable. */
typedef void tnni_row_kernel(const tnni_row *layer, const float *x, float *z, float *a);

struct tnni_row {
    tnni_row_kernel *run; /* what find_row gives for its sizes */
    size_t inputs;
    size_t units;
    const float *weights;
    const float *biases; /* or NULL */
    tnni_activation_kind kind;
    float parameter;
};

typedef struct tnni_kernels {
    const char *name;
    bool fused; /* multiply-adds round once */

    /* z = x weights + biases, for part of the units; biases may be NULL. With rectify, relu(z). */
    void (*product)(
        size_t rows, size_t inputs, size_t units, tnni_range part, const float *x,
        const float *weights, const float *biases, bool rectify, float *z, float *panel);

    /* The kernel for one row of that and its activation, of layers with these sizes. */
    tnni_row_kernel *(*find_row)(size_t inputs, size_t units);

    /* input_gradient[rows, inputs] = delta weights^T, for part of the inputs. */
    void (*product_transposed)(
        size_t rows, size_t inputs, size_t units, tnni_range part, const float *delta,
        const float *weights, float *input_gradient, float *panel);

    /*
     * gradient[inputs, units] = x^T delta, added to what is there if accumulate is set; of that the
     * part of the inputs and the part of the units. Sums run over the rows of x in ascending order.
     */
    void (*weight_gradient)(
        size_t rows, size_t inputs, size_t units, tnni_range input_part, tnni_range unit_part,
        const float *x, const float *delta, bool accumulate, float *gradient, float *panel);

    /*
     * That part of the weights takes the step with that gradient; moments and stride are as in
     * tnni_step_kernel, whose bits it has.
     */
    void (*weight_update)(
        size_t rows, size_t inputs, size_t units, tnni_range input_part, tnni_range unit_part,
        const float *x, const float *delta, const tnni_step *step, float *weights, float *moments,
        size_t stride, float *panel);

    /* gradient[count] = sums over the rows of columns first ... of delta, likewise. */
    void (*bias_gradient)(
        size_t rows, size_t units, size_t first, size_t count, const float *delta, bool accumulate,
        float *gradient);

    tnni_activation_kernel activations[TNNI_ACTIVATION_KINDS];

    /* Losses of the output y, and of the logits z of a softmax or sigmoid, where gradient is dL/dz.
     */
    tnni_loss_kernel *losses[TNNI_LOSS_KINDS];
    tnni_loss_kernel *softmax_cross_entropy;
    tnni_loss_kernel *sigmoid_binary_cross_entropy;

    /* gradient[rows, units]: row r times row_weights[r] (1 if NULL) divided by batch_rows. */
    void (*scale_rows)(
        size_t rows, size_t units, const float *row_weights, size_t batch_rows, float *gradient);

    /* y[rows, columns] = (x - shift) * scale, column by column; shift NULL: x * scale. In place if
     * y is x. */
    void (*scale_columns)(
        size_t rows, size_t columns, const float *shift, const float *scale, const float *x,
        float *y);

    /* Its inverse, likewise: x / scale + shift, or x / scale. */
    void (*unscale_columns)(
        size_t rows, size_t columns, const float *shift, const float *scale, const float *x,
        float *y);

    /*
     * output = a, each element either dropped (0) or divided by 1 - share. What is dropped is a
     * function of key, row (first_row being the number of the first one) and unit alone. In place
     * if output is a.
     */
    void (*dropout)(
        uint64_t key, float share, size_t first_row, size_t rows, size_t units, const float *a,
        float *output);

    /* [2][TNNI_METHOD_KINDS]: of plain and of shaped gradients */
    tnni_step_kernel *const (*steps)[TNNI_METHOD_KINDS];

    /*
     * The sum of the squares of gradients[count], none of them taken for larger than limit. In 16
     * chains, as sums within a row, but in double, which holds the square of any float: the same
     * bits in every table.
     */
    double (*square_sum)(size_t count, const float *gradients, float limit);

    /* One row through all layers, of at most TNNI_SMALL inputs and units each. */
    void (*small_forward)(const tnni_dense *layers, size_t count, const float *x);
    void (*small_gradients)(
        const tnni_dense *layers, size_t count, const float *x, bool last_is_done, bool accumulate,
        float *gradients);
    void (*small_step)(const tnni_dense *layers, size_t count, float rate, const float *gradients);
    double (*small_train)(
        const tnni_dense *layers, size_t count, const float *x, const float *target,
        tnni_loss_kind loss, float loss_parameter, float rate);

    /* The elementary functions of math.h over arrays. */
    tnni_map_kernel *exp, *expm1, *log, *log1p_of_unit, *tanh, *sigmoid, *erf;
} tnni_kernels;

/* The fastest table that this machine can run. */
const tnni_kernels *tnni_kernels_best(void);

/*
 * Finds a table by name; NULL is the best. TNN_INVALID_ARGUMENT, naming caller: there is no such
 * name. TNN_UNSUPPORTED: this build or machine does not have it.
 */
tnn_status tnni_kernels_find(const char *caller, const char *name, const tnni_kernels **kernels);

#endif
