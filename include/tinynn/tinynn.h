/*
 * tinynn.h: feed-forward neural networks for C programs.
 *
 * The whole public interface of libtinynn. A first program:
 *
 *     tnn_layer layers[] = {{.units = 3, .activation = tnn_tanh()}, {.units = 1}};
 *     tnn_net *net = NULL;
 *     tnn_optimizer *optimizer = NULL;
 *     if (tnn_net_create(&net, 2, layers, 2, NULL) != TNN_OK ||
 *         tnn_optimizer_create(&optimizer, net, tnn_sgd(0.1f)) != TNN_OK)
 *         puts(tnn_error_message());
 *     tnn_dataset batch = {.rows = 4, .x = x, .target = target};
 *     for (int epoch = 0; epoch < 2000; epoch++)
 *         tnn_train(net, optimizer, tnn_half_squared_error(), &batch, NULL);
 *     tnn_optimizer_destroy(optimizer);
 *     tnn_net_destroy(net);
 *
 * What holds everywhere:
 *
 * Shapes    Matrices are row-major and without gaps: x[rows, inputs] is rows * inputs floats.
 *           Counts are in elements; a size in bytes has a name that ends in _bytes.
 * Errors    A failing call returns its status, describes the fault for tnn_error_message(), sets
 *           the object it would have created to NULL and leaves every other object as it was.
 *           Nothing prints, exits, aborts or calls rand().
 * Threads   One net, optimizer or workspace is used by one thread at a time, except that a function
 *           that takes its net as const may run in any number of threads at once, as long as none
 *           of them changes that net.
 * Memory    Whatever is passed to a create function is copied; vtables, their contexts, the
 *           allocator and the executor are referenced instead and must outlive their users.
 * Numbers   A result is defined by shapes and data alone: not by the instruction set, the number of
 *           threads or how rows are batched for prediction. docs/numerics.md has the exact terms.
 */
#ifndef TINYNN_TINYNN_H
#define TINYNN_TINYNN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Version of this header; tnn_version() tells the version of the library linked. */
#define TNN_VERSION_MAJOR 0
#define TNN_VERSION_MINOR 1
#define TNN_VERSION_PATCH 0
#define TNN_VERSION_STRING "0.1.0"

/* Define TNN_STATIC to link the static library on Windows; the CMake targets do it themselves. */
#if defined(_WIN32) && !defined(TNN_STATIC)
#    ifdef TNN_BUILDING_SHARED
#        define TNN_API __declspec(dllexport)
#    else
#        define TNN_API __declspec(dllimport)
#    endif
#elif defined(__GNUC__) && !defined(_WIN32)
#    define TNN_API __attribute__((visibility("default")))
#else
#    define TNN_API
#endif

/* Compilers that can compare a format with its arguments do. */
#ifdef __GNUC__
#    define TNN_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#    define TNN_PRINTF(text, first)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Status ---------------------------------------------------------------------------------- */

typedef enum tnn_status {
    TNN_OK = 0,
    TNN_INVALID_ARGUMENT, /* an argument is outside what its description allows */
    TNN_OUT_OF_MEMORY,    /* the allocator returned NULL, or a size overflows size_t */
    TNN_BAD_STATE,        /* the call is fine, but not now: backward without a forward, say */
    TNN_IO_ERROR,         /* the operating system refused to read or write */
    TNN_BAD_FORMAT,       /* the bytes are not what their format promises */
    TNN_UNSUPPORTED,      /* valid, but not available in this build or on this machine */
    TNN_NOT_FINITE        /* a loss or a parameter is infinite or not a number */
} tnn_status;

/* The name of a status: "TNN_OK", ...; "unknown status" for any other value. Never NULL. */
TNN_API const char *tnn_status_string(tnn_status status);

/*
 * What the last failing call in this thread found wrong: the function, the argument, what it was
 * and what was expected. Empty before the first failure; never NULL. A call that succeeds leaves it
 * alone. Valid until the next failing call in the same thread.
 */
TNN_API const char *tnn_error_message(void);

/* For components and callbacks: sets this thread's message, as printf would, cut after 511 bytes,
 * and returns status. */
TNN_API tnn_status tnn_error_set(tnn_status status, const char *format, ...) TNN_PRINTF(2, 3);

/* "major.minor.patch" of the library. */
TNN_API const char *tnn_version(void);

/* ---- Activations ----------------------------------------------------------------------------- */

/*
 * An activation is a vtable, one parameter and the user's context, passed by value. {0} is the
 * identity. Write one of your own by filling a tnn_activation_vtable; docs/activations.md shows how
 * and tnn_check_gradients() tells whether its two functions agree.
 */
typedef struct tnn_activation {
    const struct tnn_activation_vtable *vtable;
    float parameter; /* slope, alpha, ...; whatever the vtable takes it for */
    void *context;   /* the library hands it on and never looks at it */
} tnn_activation;

/*
 * Both functions are called from several threads when the net uses several, each time on any number
 * of whole rows; a row's result must depend on that row alone.
 */
typedef struct tnn_activation_vtable {
    /* What a model file calls it: not empty, and no name of a built-in activation. */
    const char *name;
    /* a[rows, units] = f(z[rows, units]). z and a may be the same array unless needs_input. */
    void (*forward)(
        const tnn_activation *self, size_t rows, size_t units, const float *z, float *a);
    /*
     * gradient[rows, units] holds dL/da on entry and dL/dz on return. a is what forward made;
     * z is what it was made from if needs_input is set, NULL otherwise.
     */
    void (*backward)(
        const tnn_activation *self, size_t rows, size_t units, const float *z, const float *a,
        float *gradient);
    bool needs_input; /* backward reads z, so the net keeps it */
} tnn_activation_vtable;

TNN_API tnn_activation tnn_identity(void); /* z */
TNN_API tnn_activation tnn_relu(void);     /* z > 0 ? z : 0; slope 0 at 0 */
/* z > 0 ? z : slope z, slope > 0. */
TNN_API tnn_activation tnn_leaky_relu(float slope);
TNN_API tnn_activation tnn_sigmoid(void); /* 1 / (1 + exp(-z)) */
TNN_API tnn_activation tnn_tanh(void);
TNN_API tnn_activation tnn_softmax(void); /* exp(z_i) / sum_j exp(z_j) over the units of a row */
/* z > 0 ? z : alpha (exp(z) - 1), alpha > 0. Clevert et al. 2016. */
TNN_API tnn_activation tnn_elu(float alpha);
TNN_API tnn_activation tnn_selu(void);     /* Klambauer et al. 2017 */
TNN_API tnn_activation tnn_softplus(void); /* log(1 + exp(z)) */
TNN_API tnn_activation tnn_softsign(void); /* z / (1 + |z|) */
TNN_API tnn_activation tnn_silu(void);     /* z sigmoid(z), also called swish */
TNN_API tnn_activation tnn_gelu(void); /* z (1 + erf(z / sqrt 2)) / 2: the exact form, not tanh's */
TNN_API tnn_activation tnn_hard_sigmoid(void); /* z / 6 + 1/2, clamped to [0, 1] */
TNN_API tnn_activation tnn_hard_tanh(void);    /* z clamped to [-1, 1] */

/* ---- Losses ---------------------------------------------------------------------------------- */

/*
 * A loss is a vtable, one parameter and the user's context, passed by value. The loss of a batch is
 *
 *     L = sum over rows of row_weight * row_loss / rows
 *
 * in which the library weighs, averages and sums; a vtable knows single rows only. {0} is no loss.
 */
typedef struct tnn_loss {
    const struct tnn_loss_vtable *vtable;
    float parameter;
    void *context;
} tnn_loss;

/* Called from several threads when the net uses several; a row's result depends on that row alone.
 */
typedef struct tnn_loss_vtable {
    const char *name;
    /*
     * From the net's output y[rows, units] and target[rows, units]: row_loss[rows], each row's own
     * loss, and, unless gradient is NULL, gradient[rows, units], each row's own dL/dy.
     */
    void (*evaluate)(
        const tnn_loss *self, size_t rows, size_t units, const float *y, const float *target,
        double *row_loss, float *gradient);
} tnn_loss_vtable;

/*
 * t is a target, y an output. The first and the last sum over the units of a row; the others
 * average over them, as PyTorch's losses of these names do. Logarithms are clamped at -100, and
 * slopes divide by at least 1e-12.
 *
 * Softmax outputs with cross_entropy, and sigmoid outputs with binary_cross_entropy, are computed
 * from z, the input of that activation, where nothing needs clamping and a small loss keeps its
 * digits (unless that layer has dropout, which comes between z and the loss).
 */
TNN_API tnn_loss tnn_half_squared_error(void);  /* sum (t - y)^2 / 2: the XOR experiment's cost */
TNN_API tnn_loss tnn_mean_squared_error(void);  /* mean (t - y)^2 */
TNN_API tnn_loss tnn_mean_absolute_error(void); /* mean |t - y|; slope 0 where they are equal */
/* mean of d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), with d = y - t; delta > 0. */
TNN_API tnn_loss tnn_huber(float delta);
/* mean -(t log y + (1 - t) log(1 - y)), 0 <= y <= 1. */
TNN_API tnn_loss tnn_binary_cross_entropy(void);
/* sum -t log y, y >= 0: for a softmax output, with t a distribution or one-hot. */
TNN_API tnn_loss tnn_cross_entropy(void);

/* ---- Initializers ---------------------------------------------------------------------------- */

/*
 * How a layer's weights are drawn. {0} takes the one made for the layer's activation: He for relu,
 * leaky_relu, elu, silu and gelu, LeCun for selu, Glorot for the others and for custom ones; each
 * in the form its paper gives, He and LeCun normal, Glorot uniform.
 */
typedef struct tnn_initializer {
    const struct tnn_initializer_vtable *vtable;
    float first;  /* low, mean or value */
    float second; /* high or deviation */
    void *context;
} tnn_initializer;

typedef struct tnn_initializer_vtable {
    const char *name; /* not empty, and no name of a built-in initializer */
    /*
     * The weight that a uniform random number in (0, 1) stands for: an inverse distribution
     * function. Called once a weight, in the order of the flat vector, with one number each; so
     * what one layer's initializer does never changes the numbers that another layer gets.
     */
    float (*weight)(const tnn_initializer *self, size_t inputs, size_t units, double uniform);
} tnn_initializer_vtable;

TNN_API tnn_initializer tnn_uniform(float low, float high);      /* [low, high), low < high */
TNN_API tnn_initializer tnn_normal(float mean, float deviation); /* deviation >= 0 */
TNN_API tnn_initializer tnn_constant(float value);
/* Glorot and Bengio 2010, equation 16: variance 2 / (inputs + units). */
TNN_API tnn_initializer tnn_glorot_uniform(void);
TNN_API tnn_initializer tnn_glorot_normal(void);
/* He et al. 2015, equation 10: variance 2 / inputs. */
TNN_API tnn_initializer tnn_he_uniform(void);
TNN_API tnn_initializer tnn_he_normal(void);
/* LeCun et al. 1998, section 4.6: variance 1 / inputs. */
TNN_API tnn_initializer tnn_lecun_normal(void);

/* ---- Nets ------------------------------------------------------------------------------------ */

/* One dense layer: a = activation(x W + b), x being the outputs of the layer before. */
typedef struct tnn_layer {
    size_t units; /* at least 1 */
    tnn_activation activation;
    tnn_initializer initializer; /* of the weights; biases start at 0 */
    bool no_bias;
    /*
     * Share of this layer's outputs dropped while training, 0 <= dropout < 1: each is 0 with this
     * probability and multiplied by 1 / (1 - dropout) otherwise. At work in tnn_forward and
     * tnn_train, absent from tnn_predict. Which ones is a function of the net's seed, the number of
     * forward passes so far, layer, row and unit, and of nothing else.
     */
    float dropout;
} tnn_layer;

typedef struct tnn_net tnn_net;

/*
 * Where the library gets its memory. allocate returns bytes of storage aligned to alignment (a
 * power of two), or NULL; release gets back what allocate returned, with the same size. Referenced,
 * not copied. The two are called in the thread that called the library, never at the same time for
 * one object.
 */
typedef struct tnn_allocator {
    void *context;
    void *(*allocate)(void *context, size_t bytes, size_t alignment);
    void (*release)(void *context, void *pointer, size_t bytes);
} tnn_allocator;

/*
 * A host's job system. run calls task(argument, index) once for every index from 0 to count - 1, in
 * any order, on any threads, and returns when all of them are done. Referenced, not copied.
 */
typedef struct tnn_executor {
    void *context;
    void (*run)(
        void *context, size_t count, void (*task)(void *argument, size_t index), void *argument);
} tnn_executor;

/* {0} is the default of everything. */
typedef struct tnn_net_options {
    uint64_t seed;                  /* of initial weights and dropout */
    const tnn_allocator *allocator; /* NULL: malloc */
    unsigned threads;               /* 0 or 1: the caller's alone; N: verbs and train use up to N */
    const tnn_executor *executor;   /* NULL: OpenMP; built without it, the caller's thread */
    /* "avx512", "avx2", "neon" or "portable"; NULL: the best that this machine has. */
    const char *kernels;
} tnn_net_options;

/*
 * Makes a net of layer_count (at least 1) dense layers for rows of inputs (at least 1) floats, with
 * weights drawn from options->seed; options NULL is {0}. The caller destroys *net.
 *
 * TNN_INVALID_ARGUMENT: a count of 0, an activation parameter, initializer or dropout outside its
 * domain, a vtable that lacks a function or bears a built-in's name, an unknown kernel name.
 * TNN_UNSUPPORTED: kernels that this build or machine does not have. TNN_OUT_OF_MEMORY.
 */
TNN_API tnn_status tnn_net_create(
    tnn_net **net, size_t inputs, const tnn_layer *layers, size_t layer_count,
    const tnn_net_options *options);

/*
 * Makes a second net with the same layers, options, parameters, seed and count of forward passes;
 * gradients start at 0 and no forward is pending. TNN_INVALID_ARGUMENT, TNN_OUT_OF_MEMORY.
 */
TNN_API tnn_status tnn_net_clone(tnn_net **copy, const tnn_net *net);

/* Frees a net and all that points into it; NULL is fine. */
TNN_API void tnn_net_destroy(tnn_net *net);

/*
 * Allocates now what the verbs, tnn_train and the gradients need for up to rows rows (at least 1),
 * so that none of them allocates later. Never shrinks. Discards a pending forward.
 * TNN_INVALID_ARGUMENT, TNN_OUT_OF_MEMORY.
 */
TNN_API tnn_status tnn_net_reserve(tnn_net *net, size_t rows);

/* Shape. 0 and an error message for a net that is NULL or a layer that is not there. */
TNN_API size_t tnn_net_inputs(const tnn_net *net);
TNN_API size_t tnn_net_outputs(const tnn_net *net);
TNN_API size_t tnn_net_layer_count(const tnn_net *net);
TNN_API size_t tnn_net_units(const tnn_net *net, size_t layer);
TNN_API size_t tnn_net_parameter_count(const tnn_net *net);

/* A layer as tnn_net_create would take it, but for its initializer, which is {0}: a net remembers
 * its weights and not how they were drawn. {0} and an error message as above. */
TNN_API tnn_layer tnn_net_layer(const tnn_net *net, size_t layer);

/*
 * The flat vectors, parameter_count floats each: layer by layer the weights [inputs, units], then
 * the biases [units]. The net owns them. Parameters may be written between any two calls and take
 * effect at the next; their address never changes. Gradients may be written before tnn_step; ask
 * for their address anew after each verb. NULL and an error message if the net is NULL, for the
 * gradients also if their memory could not be had.
 */
TNN_API float *tnn_net_parameters(tnn_net *net);
TNN_API const float *tnn_net_read_parameters(const tnn_net *net);
TNN_API float *tnn_net_gradients(tnn_net *net);

/* Views into the parameters: weights [inputs of the layer, units], biases [units]. NULL and an
 * error message for a layer that is not there; biases also for a layer without them. */
TNN_API float *tnn_net_weights(tnn_net *net, size_t layer);
TNN_API float *tnn_net_biases(tnn_net *net, size_t layer);

/* The kernels that this net runs on: "avx512", "avx2", "neon" or "portable"; NULL and an error
 * message for NULL. */
TNN_API const char *tnn_net_kernel_name(const tnn_net *net);

/*
 * Scaling: what belongs between raw data and a net that likes numbers near 1, kept in the net so
 * that none of its users can forget it. With an input scaling the first layer sees
 * (x - shift) * scale, column by column, in every verb and in tnn_predict, while gradients with
 * respect to x are those of the raw x. With an output scaling the net's y is
 * (output of the last layer) / scale + shift; targets are raw too, and the loss is computed of
 * (target - shift) * scale and the last layer's own output. Weights are never touched.
 *
 * The arrays are copied: shift and scale, one float for each input or output, every shift finite
 * and every scale finite and greater than 0. NULL for both removes the scaling, which takes no
 * memory. What is reserved stays reserved. Discards a pending forward; a failed call does that and
 * nothing else. TNN_INVALID_ARGUMENT, TNN_OUT_OF_MEMORY.
 */
TNN_API tnn_status tnn_net_set_input_scaling(tnn_net *net, const float *shift, const float *scale);
TNN_API tnn_status tnn_net_set_output_scaling(tnn_net *net, const float *shift, const float *scale);

/* The arrays, which the net owns, valid until its scaling is set or fitted anew; NULL without a
 * scaling, and with an error message for NULL. */
TNN_API const float *tnn_net_input_shift(const tnn_net *net);
TNN_API const float *tnn_net_input_scale(const tnn_net *net);
TNN_API const float *tnn_net_output_shift(const tnn_net *net);
TNN_API const float *tnn_net_output_scale(const tnn_net *net);

/* ---- Optimizers ------------------------------------------------------------------------------ */

/*
 * What a step does with the gradients: an update rule and its plain fields, passed by value. The
 * rules and defaults are those of PyTorch. A field that its rule does not name has no effect, but
 * has to be in its range.
 *
 * Before the rule sees it, a gradient g goes through what is switched on here, in this order:
 * clip_value clamps each g to [-clip_value, clip_value]; clip_norm multiplies all of them by
 * min(1, clip_norm / (their Euclidean norm + 1e-6)); l1 adds l1 sign(p), with sign(0) = 0;
 * weight_decay adds weight_decay p. Clipping by norm needs all gradients before the first step, so
 * tnn_train writes their array then.
 */
typedef struct tnn_method {
    const struct tnn_method_vtable *vtable; /* the library's own */
    float learning_rate;                    /* finite, not negative */
    float momentum;                         /* 0 <= momentum < 1 */
    bool nesterov;                          /* the momentum looks one step ahead */
    /* Finite, not negative: this times p is added to g; for AdamW see there. */
    float weight_decay;
    /* What is kept of a running mean of g, and of g^2: 0 <= beta < 1. Doubles, because 1 - beta is
     * what counts. */
    double beta1;
    double beta2;
    float epsilon;    /* finite, not negative */
    float l1;         /* finite, not negative */
    float clip_value; /* finite, not negative; 0: off */
    float clip_norm;  /* finite, not negative; 0: off */
    /* Of rprop, whose alone is checked: 0 < shrink < 1 < grow,
     * 0 <= min_move <= learning_rate <= max_move, all finite. */
    float shrink;
    float grow;
    float min_move;
    float max_move;
} tnn_method;

/*
 * p = p - learning_rate g, fused: rounded once. With a momentum the move is m = momentum m + g in
 * place of g, and with nesterov it is g + momentum m.
 */
TNN_API tnn_method tnn_sgd(float learning_rate);
TNN_API tnn_method tnn_momentum(float learning_rate, float momentum);
TNN_API tnn_method tnn_nesterov(float learning_rate, float momentum);

/* v = v + g^2, p = p - learning_rate g / (sqrt(v) + epsilon), epsilon 1e-10. Duchi et al. 2011. */
TNN_API tnn_method tnn_adagrad(float learning_rate);

/* The same with v = beta2 v + (1 - beta2) g^2, beta2 0.99, epsilon 1e-8. Hinton 2012. */
TNN_API tnn_method tnn_rmsprop(float learning_rate);

/*
 * At step t: m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, and
 * p = p - learning_rate / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + epsilon); beta1 0.9, beta2
 * 0.999, epsilon 1e-8. Kingma and Ba 2015.
 */
TNN_API tnn_method tnn_adam(float learning_rate);

/* Adam, but each step begins with p = (1 - learning_rate weight_decay) p, and nothing is added to
 * g. Loshchilov and Hutter 2019. */
TNN_API tnn_method tnn_adamw(float learning_rate, float weight_decay);

/*
 * Each parameter has a move of its own, learning_rate at first (0.0125): times grow (1.2), at most
 * max_move (50), where g has the sign of the step before; times shrink (0.5), at least min_move
 * (0), where it has the other, and that step is skipped: the next one compares with 0. Then
 * p = p - move sign(g). For batches of the whole data set. A learning rate that is set after the
 * first step has no effect. Igel and Huesken 2000, iRPROP-, their defaults.
 */
TNN_API tnn_method tnn_rprop(void);

/* A method with its state: the moments of every parameter and the count of steps. */
typedef struct tnn_optimizer tnn_optimizer;

/*
 * Makes an optimizer for nets of this net's layout (the same sizes, layer for layer, with the same
 * biases); it uses the net's allocator, serves any net of that layout and may outlive this one. The
 * caller destroys *optimizer. TNN_INVALID_ARGUMENT, TNN_OUT_OF_MEMORY.
 */
TNN_API tnn_status
tnn_optimizer_create(tnn_optimizer **optimizer, const tnn_net *net, tnn_method method);
TNN_API void tnn_optimizer_destroy(tnn_optimizer *optimizer); /* NULL is fine */

/* From the next step on. TNN_INVALID_ARGUMENT unless it is finite and not negative. */
TNN_API tnn_status tnn_optimizer_set_learning_rate(tnn_optimizer *optimizer, float learning_rate);

/* ---- Training: forward, backward, step ------------------------------------------------------- */

/*
 * y[rows, outputs] = net(x[rows, inputs]), dropout at work; y may be NULL and must not overlap x or
 * the parameters, nor x or y the gradients. Keeps a pointer to x, which must stay as it is until
 * backward, and what else backward needs. Allocates if rows is more than ever before and not
 * reserved.
 *
 * A failed call, here and in the other verbs, discards a pending forward and changes nothing else.
 * TNN_INVALID_ARGUMENT (rows is 0, x is NULL, y overlaps), TNN_OUT_OF_MEMORY.
 */
TNN_API tnn_status tnn_forward(tnn_net *net, size_t rows, const float *x, float *y);

/*
 * Adds dL/dp to the gradient of every parameter p, L being the loss of the last forward's rows
 * against target[rows, outputs], and stores L in *value unless value is NULL. Consumes the forward.
 *
 * TNN_BAD_STATE: no forward is pending. TNN_NOT_FINITE: L is not, and nothing was added; *value
 * tells what it is. TNN_INVALID_ARGUMENT, TNN_OUT_OF_MEMORY.
 */
TNN_API tnn_status tnn_backward(tnn_net *net, tnn_loss loss, const float *target, double *value);

/*
 * The same from a gradient that the caller computed: output_gradient[rows, outputs] is dL/dy after
 * the last activation (and its dropout), already divided by the number of rows if L is a mean.
 * input_gradient[rows, inputs] becomes dL/dx unless it is NULL; it must overlap neither
 * output_gradient nor x nor the net's parameters and gradients. TNN_BAD_STATE,
 * TNN_INVALID_ARGUMENT, TNN_OUT_OF_MEMORY.
 */
TNN_API tnn_status
tnn_backward_from(tnn_net *net, const float *output_gradient, float *input_gradient);

/*
 * Applies the optimizer's method to every parameter with whatever the gradients hold, then they are
 * 0. Discards a pending forward. TNN_INVALID_ARGUMENT: the optimizer was made for another layout.
 * TNN_OUT_OF_MEMORY.
 */
TNN_API tnn_status tnn_step(tnn_net *net, tnn_optimizer *optimizer);

/* Rows to learn from: a view, nothing is copied or owned. Exactly one of target and classes; a view
 * with neither is of rows to predict from. */
typedef struct tnn_dataset {
    size_t rows;
    const float *x;          /* [rows, inputs] */
    const float *target;     /* [rows, outputs], or NULL with classes */
    const uint32_t *classes; /* [rows], each below outputs: a one-hot target, for cross_entropy */
    /* [rows], or NULL: all 1. A weight of 0 does not hide a row whose loss is not finite. */
    const float *row_weights;
} tnn_dataset;

/*
 * Forward, backward and step in one call, with the same bits as the three, and no gradient array
 * written where the method allows it. Stores the loss, taken before the step, in *value unless
 * value is NULL. Gradients that were pending take part in the step, as they would in tnn_step.
 * Discards a pending forward.
 *
 * TNN_INVALID_ARGUMENT (a class that is not below outputs, too, and classes in a net that scales
 * its outputs), TNN_NOT_FINITE, TNN_OUT_OF_MEMORY: parameters, moments and gradients are as they
 * were.
 */
TNN_API tnn_status tnn_train(
    tnn_net *net, tnn_optimizer *optimizer, tnn_loss loss, const tnn_dataset *batch, double *value);

/* ---- Inference ------------------------------------------------------------------------------- */

/* Scratch memory for one thread's predictions. */
typedef struct tnn_workspace tnn_workspace;

/*
 * Makes a workspace for up to max_rows (at least 1) rows a call. It holds no weights: it serves any
 * net with this net's sizes and may outlive it. It uses the net's allocator. The caller destroys
 * *workspace. TNN_INVALID_ARGUMENT, TNN_OUT_OF_MEMORY.
 */
TNN_API tnn_status
tnn_workspace_create(tnn_workspace **workspace, const tnn_net *net, size_t max_rows);
TNN_API void tnn_workspace_destroy(tnn_workspace *workspace); /* NULL is fine */

/*
 * y[rows, outputs] = net(x[rows, inputs]) without dropout; x and y must not overlap, nor y and the
 * parameters, nor one of them and the gradients. Allocates nothing, takes no lock, runs on the
 * caller's thread alone. One net may predict in any number of threads at once, each with its own
 * workspace.
 *
 * TNN_INVALID_ARGUMENT: rows is 0 or more than the workspace's max_rows, an array is NULL or
 * overlaps, the workspace was made for other sizes.
 */
TNN_API tnn_status
tnn_predict(const tnn_net *net, tnn_workspace *workspace, size_t rows, const float *x, float *y);

/* ---- Fitting --------------------------------------------------------------------------------- */

/* All that a training by tnn_fit goes on from, but for net and optimizer: see tnn_checkpoint_save.
 */
typedef struct tnn_fit_state tnn_fit_state;

/* Where a training is; what schedules and callbacks get to know. */
typedef struct tnn_progress {
    size_t epoch; /* from 0; in a callback after an epoch, the one that has just ended */
    size_t epochs;
    uint64_t step; /* batches that have ended, over all epochs */
    uint64_t steps;
    float learning_rate; /* of the batch that begins or has just ended */
    /* Mean over the rows of the epoch so far, or, where none has begun, of the one before; each row
     * before its step. NaN before the first. */
    double training_loss;
    double validation_loss; /* after the last epoch that ended; NaN without validation rows */
    /* Accuracy with classes, softmax outputs or binary cross-entropy, R^2 otherwise; or NaN. */
    double validation_score;
    double best_loss; /* lowest so far: validation loss, or training loss without one */
    size_t best_epoch;
    double seconds; /* since tnn_fit began, and those before a checkpoint that was resumed */
    double seconds_left;
    double rows_per_second; /* that were learned */
    const tnn_fit_state
        *state; /* for tnn_checkpoint_save; NULL but in callbacks, and theirs only */
} tnn_progress;

/*
 * A learning rate that changes: a vtable, parameters and the user's context, passed by value. {0}
 * keeps the rate as it is. rate is called before every batch if each_step is set, else before every
 * epoch, with the optimizer's learning rate at the begin of tnn_fit; it returns the one to use,
 * which has to be finite and not negative. state is memory that starts as zeros and that the
 * function may use from call to call; what it returns is a function of state and arguments alone.
 */
typedef struct tnn_schedule {
    const struct tnn_schedule_vtable *vtable;
    double first, second, third;
    void *context;
} tnn_schedule;

typedef struct tnn_schedule_vtable {
    const char *name; /* not empty, and no name of a built-in schedule */
    bool each_step;
    double (*rate)(
        const tnn_schedule *self, const tnn_progress *progress, double base_rate, double state[4]);
} tnn_schedule_vtable;

TNN_API tnn_schedule tnn_constant_rate(void);
/* Times factor after every so many epochs; after each epoch. 0 < factor <= 1, epochs at least 1. */
TNN_API tnn_schedule tnn_step_decay(size_t epochs, double factor);
TNN_API tnn_schedule tnn_exponential_decay(double factor);
/*
 * Rises in a straight line over the first warmup (0 <= warmup < 1) of all steps, then falls to
 * end * base_rate (0 <= end <= 1) as half a cosine. Loshchilov and Hutter 2017, equation 5, without
 * restarts.
 */
TNN_API tnn_schedule tnn_cosine_decay(double warmup, double end);
/* Times factor (0 < factor < 1) whenever the loss that best_loss tells of has not fallen by a
 * 10,000th of itself for more than patience epochs. */
TNN_API tnn_schedule tnn_reduce_on_plateau(double factor, size_t patience);
/* From a 25th of the base rate up to it in the first 30 % of the steps, then down to a 250,000th of
 * it, each as half a cosine. Smith and Topin 2018, with PyTorch's numbers. */
TNN_API tnn_schedule tnn_one_cycle(void);

/* Return false to end the training. It may read the net, write its parameters and set the learning
 * rate, but not its scaling. */
typedef bool tnn_fit_callback(void *context, const tnn_progress *progress);

/* {0} is the default of everything but epochs. */
typedef struct tnn_fit_options {
    size_t epochs;     /* at least 1 */
    size_t batch_rows; /* 0: 32; more than the rows: all of them */
    uint64_t seed;     /* of the order of the rows, drawn anew for each epoch */
    bool keep_order;   /* do not shuffle */
    /* Rows to judge by, never learned from: a set, or a share 0 <= validation_share < 1 of the
     * training rows, drawn from seed (with keep_order, the last ones); not both. */
    const tnn_dataset *validation;
    float validation_share;
    size_t patience; /* epochs without a better loss before it gives up; 0: no end to it */
    bool keep_last; /* leave the weights of the last epoch, not those of the best validation loss */
    tnn_schedule schedule;
    tnn_fit_callback *after_epoch; /* or NULL */
    tnn_fit_callback *after_batch; /* or NULL */
    void *context;                 /* for both */
    /* From tnn_checkpoint_load: go on from there, with the net and the optimizer that it loaded, as
     * they were loaded, and the same data and options. epochs may be another number, but not less
     * than those begun. */
    const tnn_fit_state *resume;
    /* A file that the training is saved to, by tnn_checkpoint_save after every checkpoint_epochs
     * epochs (0: 1) and when it ends; parameters that are not finite are not saved. NULL: none. */
    const char *checkpoint;
    size_t checkpoint_epochs;
} tnn_fit_options;

typedef enum tnn_fit_end {
    TNN_FIT_FINISHED = 0, /* all epochs */
    TNN_FIT_STOPPED,      /* by a callback */
    TNN_FIT_OUT_OF_PATIENCE,
    TNN_FIT_FAILED /* with the status that tnn_fit returned */
} tnn_fit_end;

typedef enum tnn_finding_kind {
    TNN_LOSS_NOT_FINITE = 0,
    TNN_EXPLODING_GRADIENTS,
    TNN_VANISHING_GRADIENTS,
    TNN_DEAD_UNITS,      /* relu units that are 0 for all rows looked at */
    TNN_SATURATED_UNITS, /* sigmoid, tanh, ... units where their slope is almost 0 */
    TNN_UNSCALED_INPUTS,
    TNN_RATE_TOO_HIGH,
    TNN_RATE_TOO_LOW
} tnn_finding_kind;

/* Something about a training that a user would want to know. */
typedef struct tnn_finding {
    tnn_finding_kind kind;
    size_t epoch; /* in which it was seen */
    size_t batch; /* of that epoch */
    size_t layer; /* the first one concerned */
    double value; /* the share of the units, the norm of the gradient, ...: what message tells */
    char message[240];
} tnn_finding;

enum { TNN_MOST_FINDINGS = 8 }; /* one of each kind */

typedef struct tnn_fit_report {
    tnn_fit_end end;
    tnn_progress progress; /* at the end */
    size_t finding_count;
    tnn_finding findings[TNN_MOST_FINDINGS];
} tnn_fit_report;

/*
 * Trains on mini-batches, epoch after epoch, with tnn_train; the last batch of an epoch may be
 * smaller. report may be NULL; it is filled whatever is returned. The result is a function of net,
 * optimizer, data and options, not of threads or time. Discards a pending forward; gradients that
 * are pending take part in the first step. Until it returns it holds up to three times the
 * parameters, two numbers a row, a batch, and room for passes over 128 rows, from the net's
 * allocator.
 *
 * TNN_OK: finished, stopped or out of patience; report->end tells which, and the net has the
 * weights of the lowest validation loss, or of the last epoch without validation or with keep_last.
 * TNN_NOT_FINITE: a loss was not, or the weights after the last step; a finding and the error
 * message tell where it began, and the net has the last weights that were seen to be finite, those
 * of at most 4,096 rows or one batch before. The optimizer's moments may not be finite then.
 * TNN_INVALID_ARGUMENT, also for a class out of range in any row, before anything is learned, and
 * for a schedule that gives no rate, in the midst of it, and if options->resume is of another net,
 * optimizer or training, or of other parameters or moments: the message says what differs.
 * TNN_OUT_OF_MEMORY. The optimizer has its learning rate of before, whatever the schedule and the
 * status; resumed, that of before the first part. TNN_IO_ERROR: a checkpoint could not be written,
 * and the one before is still there. Found at the begin, nothing is learned; in the midst of it, it
 * ends the training, and the net has the weights of that moment; at the end, the net has the
 * weights as with TNN_OK.
 */
TNN_API tnn_status tnn_fit(
    tnn_net *net, tnn_optimizer *optimizer, tnn_loss loss, const tnn_dataset *train,
    const tnn_fit_options *options, tnn_fit_report *report);

/* How well a net does on rows, dropout off. */
typedef struct tnn_evaluation {
    double loss;
    double accuracy;  /* share of rows with the highest output where the target is highest;
                         with one output: on the target's side of 1/2 */
    double r_squared; /* 1 - squared error / variance of the targets, mean over outputs */
    double mean_absolute_error; /* over all outputs */
} tnn_evaluation;

/*
 * Row weights count in all of these, which are NaN where they add up to 0. confusion, unless it is
 * NULL, becomes the numbers of rows, without weights, [true class, predicted class], outputs (2
 * with one output) squared; a row with an output that is not a number is in none of them, and never
 * accurate. Needs a copy of the net. TNN_INVALID_ARGUMENT, TNN_OUT_OF_MEMORY; a loss that is not
 * finite is stored as it is.
 */
TNN_API tnn_status tnn_evaluate(
    const tnn_net *net, tnn_loss loss, const tnn_dataset *data, tnn_evaluation *evaluation,
    uint64_t *confusion);

/* ---- Data ------------------------------------------------------------------------------------ */

/* A data set that owns its rows: what readers make, and what cutting and mixing rows makes. */
typedef struct tnn_data tnn_data;

/*
 * Copies the rows of a view with so many inputs and outputs; with classes, outputs is their number,
 * and 0 if the view has neither target nor classes: rows to predict from. The caller destroys
 * *data. allocator NULL is malloc. TNN_INVALID_ARGUMENT, TNN_OUT_OF_MEMORY.
 */
TNN_API tnn_status tnn_data_create(
    tnn_data **data, size_t inputs, size_t outputs, const tnn_dataset *view,
    const tnn_allocator *allocator);
TNN_API void tnn_data_destroy(tnn_data *data); /* NULL is fine */

/* The rows, valid until data is changed or destroyed. {0} and an error message for NULL. */
TNN_API tnn_dataset tnn_data_view(const tnn_data *data);
TNN_API size_t tnn_data_inputs(const tnn_data *data);
TNN_API size_t tnn_data_outputs(const tnn_data *data);
/* Names as a file gave them; NULL if there is none. An output of classes has its class's name, if
 * classes are texts. */
TNN_API const char *tnn_data_input_name(const tnn_data *data, size_t input);
TNN_API const char *tnn_data_output_name(const tnn_data *data, size_t output);

/* Mixes the rows, in an order drawn from seed. */
TNN_API tnn_status tnn_data_shuffle(tnn_data *data, uint64_t seed);
/* The rows of these numbers, in this order; a number may come more than once. */
TNN_API tnn_status
tnn_data_subset(tnn_data **subset, const tnn_data *data, size_t count, const size_t *rows);
/* A share (0 < share < 1) of the rows, rounded to the nearest number, and the rest, at least one
 * row each, drawn from seed: tnn_data_shuffle with it and a cut. */
TNN_API tnn_status tnn_data_split(
    tnn_data **first, tnn_data **rest, const tnn_data *data, double share, uint64_t seed);
/* The rows of both, which have the same inputs and outputs; the names are the first one's. Classes
 * with names go with classes of the same names; of classes without, outputs becomes the larger
 * number. If one has row weights, the rows of the other get 1. TNN_INVALID_ARGUMENT,
 * TNN_OUT_OF_MEMORY. */
TNN_API tnn_status tnn_data_join(tnn_data **joined, const tnn_data *first, const tnn_data *second);

typedef enum tnn_scaling {
    TNN_NO_SCALING = 0,
    TNN_STANDARDIZE, /* mean 0, deviation 1 */
    TNN_MIN_MAX      /* from 0 to 1 */
} tnn_scaling;

/*
 * Gives a net the scaling that does this to the columns of a data set: its inputs, its targets
 * (not of classes). TNN_NO_SCALING removes the scaling that the net has. A column that is constant
 * gets scale 1; the deviation is that of the rows themselves, divided by their number. Row weights
 * do not count. Discards a pending forward. TNN_INVALID_ARGUMENT (a value is not finite, or a
 * column goes over so wide a range, from about 8.5e37 on, that float cannot scale it: which one),
 * TNN_OUT_OF_MEMORY.
 */
TNN_API tnn_status
tnn_net_fit_scaling(tnn_net *net, const tnn_dataset *data, tnn_scaling inputs, tnn_scaling outputs);

/*
 * Where bytes come from. read stores up to capacity bytes in buffer and their number in *count, 0
 * at the end; a status other than TNN_OK ends the reading and is handed on.
 */
typedef struct tnn_source {
    void *context;
    tnn_status (*read)(void *context, void *buffer, size_t capacity, size_t *count);
    const char *name; /* for messages; NULL: "data" */
} tnn_source;

/* How much a reader takes before it says TNN_UNSUPPORTED. 0: the default. */
typedef struct tnn_data_limits {
    size_t rows;        /* default 2^32 */
    size_t columns;     /* default 65536 */
    size_t total_bytes; /* of the data set in memory; default 2^32 */
} tnn_data_limits;

/* {0}: commas, no header, the last column is the target. A column has one use: given twice, it is
 * TNN_INVALID_ARGUMENT. */
typedef struct tnn_csv_options {
    char separator;  /* 0: comma; ' ' stands for any number of spaces and tabs */
    bool has_header; /* the first line names the columns */
    /* The targets, by number from 0 or by the header's name; the other columns are inputs. */
    const size_t *target_columns;
    const char *const *target_names;
    size_t target_count; /* 0: the last column that has no other use */
    bool no_target;      /* only inputs: the view has neither target nor classes, outputs is 0 */
    /* The one target is a class: a whole number from 0 on, which counts as it is, if all of them
     * are; otherwise any text, numbered in the order of first appearance. */
    bool is_class;
    /* Columns of any text that nobody wants, by number or by name. */
    const size_t *ignored_columns;
    const char *const *ignored_names;
    size_t ignored_count;
    /* The column of row weights, by number or by name; both NULL: none. */
    const size_t *weight_column;
    const char *weight_name;
    tnn_data_limits limits;
    const tnn_allocator *allocator; /* NULL: malloc */
} tnn_csv_options;

/*
 * Numbers separated by commas: decimal or hexadecimal, inf and nan not accepted, with a point in
 * every locale; quotes around a field, blanks around it, empty lines, CR LF and a byte order mark
 * are fine. TNN_BAD_FORMAT names file, line and column. TNN_IO_ERROR, TNN_UNSUPPORTED (a limit),
 * TNN_INVALID_ARGUMENT, TNN_OUT_OF_MEMORY.
 */
TNN_API tnn_status tnn_read_csv(tnn_data **data, const char *path, const tnn_csv_options *options);
TNN_API tnn_status
tnn_read_csv_from(tnn_data **data, const tnn_source *source, const tnn_csv_options *options);

/* {0} is the default of everything. */
typedef struct tnn_read_options {
    tnn_data_limits limits;
    const tnn_allocator *allocator; /* NULL: malloc */
} tnn_read_options;

/*
 * MNIST's format: a file of images, or of any arrays of unsigned bytes, one a row, and a file of
 * labels, one byte a row, which become classes; outputs is the largest label + 1. x is the bytes /
 * 255. As above.
 */
TNN_API tnn_status tnn_read_idx(
    tnn_data **data, const char *images_path, const char *labels_path,
    const tnn_read_options *options);
TNN_API tnn_status tnn_read_idx_from(
    tnn_data **data, const tnn_source *images, const tnn_source *labels,
    const tnn_read_options *options);

/* FANN's format: the numbers of rows, inputs and outputs, then the inputs and the targets of row
 * after row, with blanks between. As above. */
TNN_API tnn_status
tnn_read_fann(tnn_data **data, const char *path, const tnn_read_options *options);
TNN_API tnn_status
tnn_read_fann_from(tnn_data **data, const tnn_source *source, const tnn_read_options *options);

/* ---- Model files ----------------------------------------------------------------------------- */

/*
 * A model file holds what tnn_net_clone copies: layers, parameters, scaling, seed and the count of
 * forward passes, in GGUF, version 3, the same bytes on every machine. docs/model-file.md has it
 * byte by byte. A custom activation is stored as the name of its vtable and its parameter.
 */

/*
 * Where bytes go to. write takes all of the bytes (at least 1); a status other than TNN_OK ends the
 * writing and is handed on.
 */
typedef struct tnn_sink {
    void *context;
    tnn_status (*write)(void *context, const void *data, size_t bytes);
    const char *name; /* for messages; NULL: "data" */
} tnn_sink;

/*
 * Writes the net to a file, whole or not at all: to a new file in the same folder, which is synced
 * to the disk and then renamed. Whatever happens, path is the old file or the new one. A new file
 * has the permissions and, where that is allowed, the group of the one that it replaces, which has
 * to be a regular file; owner and access control lists are not kept. A symbolic link is replaced,
 * not followed. A process that is killed meanwhile may leave a file ".tinynn-*.tmp" in the folder.
 *
 * TNN_IO_ERROR says what failed and why; path is then the old file, except that a folder that could
 * not be synced has the new one. TNN_INVALID_ARGUMENT, TNN_OUT_OF_MEMORY.
 */
TNN_API tnn_status tnn_net_save(const tnn_net *net, const char *path);

/*
 * The same bytes into buffer[capacity_bytes]; *bytes becomes their number, in any case but that net
 * or bytes is NULL. buffer NULL only asks for it. Allocates nothing. TNN_INVALID_ARGUMENT: the
 * buffer is too small, and left as it is.
 */
TNN_API tnn_status
tnn_net_save_to_memory(const tnn_net *net, void *buffer, size_t capacity_bytes, size_t *bytes);

/* The same bytes, from the first to the last, in pieces of at most 4096. Allocates nothing.
 * TNN_INVALID_ARGUMENT, or what write returned. */
TNN_API tnn_status tnn_net_save_to(const tnn_net *net, const tnn_sink *sink);

/* How much a file may have before loading says TNN_UNSUPPORTED, as it does of more than 65,536
 * keys. 0: the default. */
typedef struct tnn_load_limits {
    size_t total_bytes; /* of the file; default 2^32 */
    size_t parameters;  /* of the net; default 2^30 */
    size_t layers;      /* default 4096; also of tensors: two each, and 64 */
    size_t units;       /* of a layer, and the net's inputs; default 2^24 */
} tnn_load_limits;

/* {0} is the default of everything. */
typedef struct tnn_load_options {
    const tnn_net_options *net; /* NULL: the default; its seed does not count, the file has one */
    tnn_load_limits limits;
    /* Custom activations that files may name: vtable and context count, the parameter is the
     * file's. */
    const tnn_activation *activations;
    size_t activation_count;
} tnn_load_options;

/*
 * Makes the net that a model file describes: bit for bit the parameters, and from then on the
 * results, of the net that was saved. options NULL is {0}. The caller destroys *net. Trusts
 * nothing: memory (the bytes of the file, which a path or source needs while it loads, then those
 * of the net) and time are in proportion to the bytes that are there, whatever they claim.
 *
 * TNN_BAD_FORMAT: bytes that are missing, damaged or contradict each other. TNN_UNSUPPORTED: a
 * limit, a newer format, an activation that is neither the library's nor in options. TNN_IO_ERROR,
 * TNN_OUT_OF_MEMORY. TNN_INVALID_ARGUMENT: what tnn_net_create says of net options; an activation
 * in options that lacks a function or bears the name of a built-in one or of another one.
 */
TNN_API tnn_status tnn_net_load(tnn_net **net, const char *path, const tnn_load_options *options);
TNN_API tnn_status tnn_net_load_from_memory(
    tnn_net **net, const void *data, size_t bytes, const tnn_load_options *options);
TNN_API tnn_status
tnn_net_load_from(tnn_net **net, const tnn_source *source, const tnn_load_options *options);

/* ---- Checkpoints ----------------------------------------------------------------------------- */

/*
 * A checkpoint is a model file with more in it: the optimizer, gradients that are pending, and,
 * with a state, where a training by tnn_fit is, its best weights too. Trained on from it, in
 * another process or on another machine (among those with fused multiply-add), a net has the bits
 * that it would have had without a break.
 * tnn_net_load reads the net of a checkpoint. docs/model-file.md has it byte by byte.
 *
 * state is a callback's progress->state, or from tnn_checkpoint_load and untouched since; NULL in
 * loops of one's own. A pending forward is not saved. The rest is as in tnn_net_save and
 * tnn_net_save_to. TNN_INVALID_ARGUMENT also for an optimizer or state of another layout.
 */
TNN_API tnn_status tnn_checkpoint_save(
    const tnn_net *net, const tnn_optimizer *optimizer, const tnn_fit_state *state,
    const char *path);
TNN_API tnn_status tnn_checkpoint_save_to(
    const tnn_net *net, const tnn_optimizer *optimizer, const tnn_fit_state *state,
    const tnn_sink *sink);

/*
 * Makes a net, an optimizer and, where the file has one, a state, else NULL; state itself may be
 * NULL. The caller destroys them; a state may be destroyed when tnn_fit has returned. All that is
 * said of tnn_net_load holds here. TNN_BAD_FORMAT also for a model file that is no checkpoint.
 */
TNN_API tnn_status tnn_checkpoint_load(
    tnn_net **net, tnn_optimizer **optimizer, tnn_fit_state **state, const char *path,
    const tnn_load_options *options);
TNN_API tnn_status tnn_checkpoint_load_from(
    tnn_net **net, tnn_optimizer **optimizer, tnn_fit_state **state, const tnn_source *source,
    const tnn_load_options *options);

TNN_API void tnn_fit_state_destroy(tnn_fit_state *state); /* of a loaded one; NULL is fine */

/* ---- Generated C ----------------------------------------------------------------------------- */

/* {0} is the default of everything. */
typedef struct tnn_export_options {
    /*
     * What every name of the generated code begins with and, in capitals, every macro: a letter,
     * then letters, digits and single underscores, none at the end, at most 63 in all, but not
     * fp_fast. Nets of one program have names that differ in more than case. NULL: made of the
     * file's name.
     */
    const char *name;
    /* The library's own exp, tanh, ..., written out, in place of those of <math.h>: with them a
     * compiler whose machine has a fused multiply-add makes the library's bits. */
    bool own_math;
    /* Rows that the generated main checks: x[rows, inputs], finite. x NULL: so many rows, 4 if rows
     * is 0, are drawn. */
    size_t rows;
    const float *x;
} tnn_export_options;

/*
 * Writes the net as C99, which C++ compiles as well: a file that needs <math.h> and nothing else,
 * and its header, whose path has .h where path has .c. With the name "net" it declares
 *
 *     void net_predict(const float x[NET_INPUTS], float y[NET_OUTPUTS]);
 *
 * which is tnn_predict of one row: scaling included, weights constant, no memory but the stack.
 * NET_CONSTANT_BYTES and NET_STACK_BYTES tell its sizes. Compiled with NET_MAIN defined it has a
 * main that compares its outputs of sample rows with the library's and returns 0 if they agree: to
 * the bit or within a tolerance; docs/generated-c.md tells more, and which. options NULL is {0}.
 * The net's allocator is asked for room for the sample rows. Each file is written as tnn_net_save
 * writes, the header first.
 *
 * TNN_UNSUPPORTED: an activation that is not the library's own. TNN_NOT_FINITE: a parameter, or an
 * output of a sample row, is not. Both say which. TNN_INVALID_ARGUMENT: a path that does not end in
 * .c or that an #include cannot hold ("??", for one), a name that is not as above, a sample that is
 * not finite. TNN_IO_ERROR, TNN_OUT_OF_MEMORY.
 */
TNN_API tnn_status
tnn_net_export_c(const tnn_net *net, const char *path, const tnn_export_options *options);

/* The same text, in pieces of at most 4096 bytes, first all of the source and then all of the
 * header, which the source includes as "NAME.h"; the default of the name is "net". Or what write
 * returned. */
TNN_API tnn_status tnn_net_export_c_to(
    const tnn_net *net, const tnn_sink *source, const tnn_sink *header,
    const tnn_export_options *options);

/* ---- Checking -------------------------------------------------------------------------------- */

/*
 * Does a behaviour's backward agree with its forward? Compares the gradient of every parameter with
 * differences of the loss, row by row, dropout off, and stores the worst relative error: well below
 * 0.01 where they agree, of the order of 1 where they do not. docs/activations.md tells how it is
 * computed and what float arithmetic leaves of it. Costs a backward pass a row, 16 forward passes a
 * parameter, a copy of the net, and rows * parameters floats; the net itself is left as it was.
 *
 * TNN_INVALID_ARGUMENT, TNN_NOT_FINITE, TNN_OUT_OF_MEMORY.
 */
TNN_API tnn_status tnn_check_gradients(
    tnn_net *net, tnn_loss loss, size_t rows, const float *x, const float *target,
    double *worst_relative_error);

#ifdef __cplusplus
}
#endif

#endif /* TINYNN_TINYNN_H */
