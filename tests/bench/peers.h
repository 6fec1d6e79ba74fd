/*
 * peers.h: the libraries and hand-written programs that the library is compared with. Which of the
 * libraries there are, BENCH_... macros of CMakeLists.txt tell; bench_skip names the others.
 *
 * Sizes are those of a dense layer, as in the library: x[rows, inputs], weights[inputs, units],
 * delta[rows, units], all row-major.
 */
#ifndef TINYNN_BENCH_PEERS_H
#define TINYNN_BENCH_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Products -------------------------------------------------------------------------------- */

typedef struct peer_products {
    const char *name;
    /* z = x weights */
    void (*product)(
        size_t rows, size_t inputs, size_t units, const float *x, const float *weights, float *z);
    /* input_gradient[rows, inputs] = delta weights^T */
    void (*product_transposed)(
        size_t rows, size_t inputs, size_t units, const float *delta, const float *weights,
        float *input_gradient);
    /* gradient[inputs, units] = x^T delta, added to what is there if accumulate is set */
    void (*weight_gradient)(
        size_t rows, size_t inputs, size_t units, const float *x, const float *delta,
        bool accumulate, float *gradient);
    void (*set_threads)(int threads); /* NULL: it has one thread only */
    bool uses_openmp;
} peer_products;

/* The BLAS that were found, OpenBLAS and oneDNN; the function says which were not. */
typedef struct peer_blas {
    const peer_products *at[2];
    size_t count;
} peer_blas;
peer_blas peer_find_blas(void);

/* Loops for one row, compiled for this machine. */
extern const peer_products peer_hand_row;

extern const peer_products peer_openblas;
extern const peer_products peer_onednn;

/* Code that libxsmm generates for one shape, or NULL if it does not: c = a b, a^T b or a b^T. */
typedef enum peer_form { PEER_XW, PEER_DWT, PEER_XTD, PEER_FORMS } peer_form;
typedef void peer_xsmm_kernel(const float *a, const float *b, float *c, ...);
peer_xsmm_kernel *peer_xsmm_find(peer_form form, size_t rows, size_t inputs, size_t units);

/* ---- Nets ------------------------------------------------------------------------------------ */

/*
 * Training of a net with relu, softmax and cross-entropy, by hand on somebody's products. The flat
 * vector of parameters is laid out as the library's. relu and bias are one pass, the update is part
 * of the gradient's product (SGD) or one vectorized pass after it (Adam), the loss is computed.
 */
typedef struct hand_net hand_net;
hand_net *hand_net_create(
    const peer_products *products, size_t layers, const size_t *sizes, size_t max_rows,
    const float *parameters, bool adam);
void hand_net_destroy(hand_net *net);
void hand_net_set_threads(hand_net *net, int threads);

/* One step of rows; the loss before it. */
double hand_net_train(
    hand_net *net, size_t rows, const float *x, const uint32_t *classes, float rate);

/* Adam with PyTorch's defaults over flat arrays, IEEE square root and division; step counts from 1.
 */
void hand_adam(
    size_t count, const float *gradients, float *parameters, float *first, float *second,
    float rate, size_t step, bool parallel);

/* One step of a 2-2-1 net with relu in the middle, and half its squared error before the step. */
float hand_xor_step(float parameters[9], float rate, const float *x, const float *target);

/*
 * One row through one of the four nets, sizes and activations being constants. Compiled twice,
 * since the compiler's own choice of vector length is not always the better one.
 */
enum { HAND_PREDICTORS = 4 };
typedef void hand_predictor(const float *weights, const float *x, float *y);
extern hand_predictor *const hand_predictors[HAND_PREDICTORS];
extern hand_predictor *const hand_predictors_512[HAND_PREDICTORS];

/* The same nets as the library writes them in C, weights included. */
typedef void generated_predictor(const float *x, float *y);
extern generated_predictor *const generated_predictors[];

/* The weights in the order that the predictors want, from the library's; both flat. */
void hand_pack(size_t layers, const size_t *sizes, const float *parameters, float *packed);

/* The same nets on OpenBLAS's matrix times vector, the weights in either order. */
typedef enum blas_activation { BLAS_IDENTITY, BLAS_RELU, BLAS_TANH, BLAS_SOFTMAX } blas_activation;
typedef struct blas_net {
    size_t layers;
    const size_t *sizes; /* [layers + 1] */
    const blas_activation *activations;
    const float *parameters; /* weights [inputs, units] or, if by_units, [units, inputs] */
    bool by_units;
    float *scratch[2]; /* [widest layer] each */
} blas_net;
void blas_net_predict(const blas_net *net, const float *x, float *y);

/* ---- FANN ------------------------------------------------------------------------------------ */

/* A net of three layers with FANN_LINEAR_PIECE that learns by fann_train. */
void *peer_fann_create(size_t inputs, size_t hidden, size_t outputs, float rate);
void peer_fann_train(void *net, const float *x, const float *target);
void peer_fann_destroy(void *net);

/* ---- Elementary functions -------------------------------------------------------------------- */

typedef void peer_map(size_t count, const float *x, float *y);

typedef struct peer_math {
    const char *name;
    peer_map *exp, *tanh, *sigmoid, *softmax; /* NULL where it has none */
} peer_math;

/* Those of libmvec and SLEEF that were found; the function says which were not. */
enum { PEER_MATHS = 3 };
typedef struct peer_maths {
    const peer_math *at[PEER_MATHS];
    size_t count;
} peer_maths;
peer_maths peer_find_maths(void);

extern const peer_math peer_mvec;
extern const peer_math peer_sleef_u10;
extern const peer_math peer_sleef_u35;

#endif
