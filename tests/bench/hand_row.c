/* The three products for one row, in loops. */
#include "peers.h"

#include <string.h>

/* Four inputs a pass over z, whose loads and stores would cost as much as the weights otherwise. */
static void product(
    size_t rows, size_t inputs, size_t units, const float *restrict x,
    const float *restrict weights, float *restrict z) {
    (void)rows;
    memset(z, 0, units * sizeof *z);
    size_t i = 0;
    for (; i + 4 <= inputs; i += 4) {
        const float *w = weights + i * units;
        for (size_t u = 0; u < units; u++)
            z[u] += x[i] * w[u] + x[i + 1] * w[units + u] + x[i + 2] * w[2 * units + u] +
                x[i + 3] * w[3 * units + u];
    }
    for (; i < inputs; i++) {
        for (size_t u = 0; u < units; u++)
            z[u] += x[i] * weights[i * units + u];
    }
}

static void product_transposed(
    size_t rows, size_t inputs, size_t units, const float *restrict delta,
    const float *restrict weights, float *restrict input_gradient) {
    (void)rows;
    for (size_t i = 0; i < inputs; i++) {
        float sum = 0;
        for (size_t u = 0; u < units; u++)
            sum += delta[u] * weights[i * units + u];
        input_gradient[i] = sum;
    }
}

static void weight_gradient(
    size_t rows, size_t inputs, size_t units, const float *restrict x, const float *restrict delta,
    bool accumulate, float *restrict gradient) {
    (void)rows;
    if (!accumulate)
        memset(gradient, 0, inputs * units * sizeof *gradient);
    for (size_t i = 0; i < inputs; i++) {
        float *row = gradient + i * units;
        for (size_t u = 0; u < units; u++)
            row[u] += x[i] * delta[u];
    }
}

const peer_products peer_hand_row = {
    .name = "hand",
    .product = product,
    .product_transposed = product_transposed,
    .weight_gradient = weight_gradient,
};
