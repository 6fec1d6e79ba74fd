/* One row on OpenBLAS's matrix times vector, everything else by hand for sizes known at run time.
 */
#include "peers.h"

#include <cblas.h>

#include <math.h>
#include <string.h>

/* a holds the biases; the product is added to them. */
static void multiply(
    int inputs, int units, bool by_units, const float *weights, const float *x, float *a) {
    if (by_units)
        cblas_sgemv(CblasRowMajor, CblasNoTrans, units, inputs, 1, weights, inputs, x, 1, 1, a, 1);
    else
        cblas_sgemv(CblasRowMajor, CblasTrans, inputs, units, 1, weights, units, x, 1, 1, a, 1);
}

static void softmax(size_t units, float *a) {
    float largest = a[0];
    float sum = 0;
    for (size_t u = 1; u < units; u++)
        largest = a[u] > largest ? a[u] : largest;
    for (size_t u = 0; u < units; u++)
        a[u] = expf(a[u] - largest);
    for (size_t u = 0; u < units; u++)
        sum += a[u];
    float factor = 1 / sum;
    for (size_t u = 0; u < units; u++)
        a[u] *= factor;
}

static void activate(blas_activation activation, size_t units, float *a) {
    switch (activation) {
    case BLAS_RELU:
        for (size_t u = 0; u < units; u++)
            a[u] = a[u] > 0 ? a[u] : 0;
        break;
    case BLAS_TANH:
        for (size_t u = 0; u < units; u++)
            a[u] = tanhf(a[u]);
        break;
    case BLAS_SOFTMAX:
        softmax(units, a);
        break;
    case BLAS_IDENTITY:
        break;
    }
}

void blas_net_predict(const blas_net *net, const float *x, float *y) {
    const float *weights = net->parameters;
    for (size_t l = 0; l < net->layers; l++) {
        size_t inputs = net->sizes[l];
        size_t units = net->sizes[l + 1];
        const float *biases = weights + inputs * units;
        float *a = l + 1 < net->layers ? net->scratch[l % 2] : y;
        memcpy(a, biases, units * sizeof *a);
        multiply((int)inputs, (int)units, net->by_units, weights, x, a);
        activate(net->activations[l], units, a);
        weights = biases + units;
        x = a;
    }
}
