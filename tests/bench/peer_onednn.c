/* oneDNN's sgemm, whose threads are OpenMP's. */
#include "peers.h"

#include "bench.h"

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>

/* c[m, n] = op(a) op(b) + beta c */
static void multiply(
    char op_a, char op_b, size_t m, size_t n, size_t k, const float *a, const float *b, float beta,
    float *c) {
    dnnl_dim_t a_row = (dnnl_dim_t)(op_a == 'N' ? k : m);
    dnnl_dim_t b_row = (dnnl_dim_t)(op_b == 'N' ? n : k);
    dnnl_sgemm(
        op_a, op_b, (dnnl_dim_t)m, (dnnl_dim_t)n, (dnnl_dim_t)k, 1, a, a_row, b, b_row, beta, c,
        (dnnl_dim_t)n);
}

static void product(
    size_t rows, size_t inputs, size_t units, const float *x, const float *weights, float *z) {
    multiply('N', 'N', rows, units, inputs, x, weights, 0, z);
}

static void product_transposed(
    size_t rows, size_t inputs, size_t units, const float *delta, const float *weights,
    float *input_gradient) {
    multiply('N', 'T', rows, inputs, units, delta, weights, 0, input_gradient);
}

static void weight_gradient(
    size_t rows, size_t inputs, size_t units, const float *x, const float *delta, bool accumulate,
    float *gradient) {
    multiply('T', 'N', inputs, units, rows, x, delta, accumulate, gradient);
}

static void set_threads(int threads) {
    omp_set_num_threads(threads);
}

const peer_products peer_onednn = {
    .name = "onednn",
    .product = product,
    .product_transposed = product_transposed,
    .weight_gradient = weight_gradient,
    .set_threads = set_threads,
    .uses_openmp = true,
};
