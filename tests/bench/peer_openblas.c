/* OpenBLAS. One row goes to the forms made for vectors, which are faster than sgemm's. */
#include "peers.h"

#include <cblas.h>

#include <string.h>

static void product(
    size_t rows, size_t inputs, size_t units, const float *x, const float *weights, float *z) {
    int m = (int)rows, k = (int)inputs, n = (int)units;
    if (rows == 1)
        cblas_sgemv(CblasRowMajor, CblasTrans, k, n, 1, weights, n, x, 1, 0, z, 1);
    else
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, x, k, weights, n, 0, z, n);
}

static void product_transposed(
    size_t rows, size_t inputs, size_t units, const float *delta, const float *weights,
    float *input_gradient) {
    int m = (int)rows, k = (int)units, n = (int)inputs;
    if (rows == 1)
        cblas_sgemv(
            CblasRowMajor, CblasNoTrans, n, k, 1, weights, k, delta, 1, 0, input_gradient, 1);
    else
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1, delta, k, weights, k, 0,
            input_gradient, n);
}

static void weight_gradient(
    size_t rows, size_t inputs, size_t units, const float *x, const float *delta, bool accumulate,
    float *gradient) {
    int m = (int)inputs, k = (int)rows, n = (int)units;
    if (rows == 1 && accumulate)
        cblas_sger(CblasRowMajor, m, n, 1, x, 1, delta, 1, gradient, n);
    else
        cblas_sgemm(
            CblasRowMajor, CblasTrans, CblasNoTrans, m, n, k, 1, x, m, delta, n, accumulate,
            gradient, n);
}

static void set_threads(int threads) {
    openblas_set_num_threads(threads);
}

const peer_products peer_openblas = {
    .name = "openblas",
    .product = product,
    .product_transposed = product_transposed,
    .weight_gradient = weight_gradient,
    .set_threads = set_threads,
};
