/*
 * Training by hand: three products a layer and as few passes between them as there can be.
 * Compiled for this machine with -ffast-math, so that exp comes from libmvec.
 */
#include "peers.h"

#include "bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LAYERS = 4 };

/* Passes over fewer elements than this are not worth a second thread. */
enum { PARALLEL_ELEMENTS = 65536 };

typedef struct layer {
    size_t inputs, units;
    float *weights, *biases;
    float *weight_gradients, *bias_gradients; /* for Adam; the update is folded otherwise */
    float *a;                                 /* [max rows, units] */
    float *delta;                             /* for SGD multiplied by the negative rate already */
} layer;

struct hand_net {
    const peer_products *products;
    size_t layers;
    layer layer[MAX_LAYERS];
    size_t count; /* of all parameters */
    float *parameters, *gradients, *first, *second;
    size_t steps;
    bool adam;
    bool parallel;
};

static void lay_out(hand_net *net, const size_t *sizes, size_t max_rows) {
    size_t at = 0;
    for (size_t l = 0; l < net->layers; l++) {
        layer *self = &net->layer[l];
        self->inputs = sizes[l];
        self->units = sizes[l + 1];
        self->weights = net->parameters + at;
        self->biases = self->weights + self->inputs * self->units;
        if (net->adam) {
            self->weight_gradients = net->gradients + at;
            self->bias_gradients = self->weight_gradients + self->inputs * self->units;
        }
        self->a = bench_zeros(max_rows * self->units);
        self->delta = bench_zeros(max_rows * self->units);
        at += (self->inputs + 1) * self->units;
    }
}

hand_net *hand_net_create(
    const peer_products *products, size_t layers, const size_t *sizes, size_t max_rows,
    const float *parameters, bool adam) {
    hand_net *net = calloc(1, sizeof *net);
    bench_require(net && layers <= MAX_LAYERS, "no hand-written net of %zu layers", layers);
    net->products = products;
    net->layers = layers;
    net->adam = adam;
    for (size_t l = 0; l < layers; l++)
        net->count += (sizes[l] + 1) * sizes[l + 1];
    net->parameters = bench_zeros(net->count);
    memcpy(net->parameters, parameters, net->count * sizeof *parameters);
    if (adam) {
        net->gradients = bench_zeros(net->count);
        net->first = bench_zeros(net->count);
        net->second = bench_zeros(net->count);
    }
    lay_out(net, sizes, max_rows);
    return net;
}

void hand_net_destroy(hand_net *net) {
    for (size_t l = 0; l < net->layers; l++) {
        bench_free(net->layer[l].a);
        bench_free(net->layer[l].delta);
    }
    bench_free(net->parameters);
    bench_free(net->gradients);
    bench_free(net->first);
    bench_free(net->second);
    free(net);
}

void hand_net_set_threads(hand_net *net, int threads) {
    net->parallel = threads > 1 && net->products->uses_openmp;
    if (net->products->set_threads)
        net->products->set_threads(threads);
}

/* ---- Passes over a layer's outputs ----------------------------------------------------------- */

/* a = relu(a + b) */
static void bias_and_relu_rows(size_t rows, size_t units, const float *b, float *a) {
    for (size_t r = 0; r < rows; r++) {
        float *row = a + r * units;
        for (size_t u = 0; u < units; u++) {
            float z = row[u] + b[u];
            row[u] = z > 0 ? z : 0;
        }
    }
}

static void relu_backward_elements(size_t count, const float *a, float *delta) {
    for (size_t i = 0; i < count; i++)
        delta[i] = a[i] > 0 ? delta[i] : 0;
}

/* A parallel loop of one thread would cost more than a few rows do. */
static void bias_and_relu(bool parallel, size_t rows, size_t units, const float *b, float *a) {
    if (!parallel || rows * units < PARALLEL_ELEMENTS) {
        bias_and_relu_rows(rows, units, b, a);
        return;
    }
#pragma omp parallel for
    for (size_t r = 0; r < rows; r++)
        bias_and_relu_rows(1, units, b, a + r * units);
}

static void relu_backward(bool parallel, size_t rows, size_t units, const float *a, float *delta) {
    if (!parallel || rows * units < PARALLEL_ELEMENTS) {
        relu_backward_elements(rows * units, a, delta);
        return;
    }
#pragma omp parallel for
    for (size_t r = 0; r < rows; r++)
        relu_backward_elements(units, a + r * units, delta + r * units);
}

static float maximum(size_t count, const float *values) {
    float largest = values[0];
    for (size_t i = 1; i < count; i++)
        largest = values[i] > largest ? values[i] : largest;
    return largest;
}

/* shifted = z + b - the largest of its row, which keeps exp in range. */
static void bias_and_shift(
    size_t rows, size_t units, const float *b, const float *z, float *shifted) {
    for (size_t r = 0; r < rows; r++) {
        const float *from = z + r * units;
        float *to = shifted + r * units;
        for (size_t u = 0; u < units; u++)
            to[u] = from[u] + b[u];
        float largest = maximum(units, to);
        for (size_t u = 0; u < units; u++)
            to[u] -= largest;
    }
}

/*
 * delta = scale (softmax(z + b) - target), and the sum of the rows' cross-entropies. The
 * exponentials are one loop over all rows, which fills the vectors of however few units.
 */
static double softmax_loss(
    size_t rows, size_t units, const float *b, float *z, const uint32_t *classes, float scale,
    float *delta) {
    double loss = 0;
    bias_and_shift(rows, units, b, z, z);
    for (size_t i = 0; i < rows * units; i++)
        delta[i] = expf(z[i]);
    for (size_t r = 0; r < rows; r++) {
        float *row = delta + r * units;
        float sum = 0;
        for (size_t u = 0; u < units; u++)
            sum += row[u];
        float factor = scale / sum;
        for (size_t u = 0; u < units; u++)
            row[u] *= factor;
        row[classes[r]] -= scale;
        loss += logf(sum) - z[r * units + classes[r]];
    }
    return loss;
}

static void add_column_sums(size_t rows, size_t units, const float *delta, float *restrict sums) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t u = 0; u < units; u++)
            sums[u] += delta[r * units + u];
    }
}

/* ---- A step ---------------------------------------------------------------------------------- */

static void forward(hand_net *net, size_t rows, const float *x) {
    for (size_t l = 0; l < net->layers; l++) {
        layer *self = &net->layer[l];
        net->products->product(rows, self->inputs, self->units, x, self->weights, self->a);
        if (l + 1 < net->layers)
            bias_and_relu(net->parallel, rows, self->units, self->biases, self->a);
        x = self->a;
    }
}

static void backward(hand_net *net, size_t rows) {
    for (size_t l = net->layers - 1; l > 0; l--) {
        layer *self = &net->layer[l];
        layer *before = &net->layer[l - 1];
        net->products->product_transposed(
            rows, self->inputs, self->units, self->delta, self->weights, before->delta);
        relu_backward(net->parallel, rows, before->units, before->a, before->delta);
    }
}

static void update_sgd(hand_net *net, size_t rows, const float *x) {
    for (size_t l = 0; l < net->layers; l++) {
        layer *self = &net->layer[l];
        net->products->weight_gradient(
            rows, self->inputs, self->units, x, self->delta, true, self->weights);
        add_column_sums(rows, self->units, self->delta, self->biases);
        x = self->a;
    }
}

static void update_adam(hand_net *net, size_t rows, const float *x, float rate) {
    for (size_t l = 0; l < net->layers; l++) {
        layer *self = &net->layer[l];
        net->products->weight_gradient(
            rows, self->inputs, self->units, x, self->delta, false, self->weight_gradients);
        memset(self->bias_gradients, 0, self->units * sizeof(float));
        add_column_sums(rows, self->units, self->delta, self->bias_gradients);
        x = self->a;
    }
    hand_adam(
        net->count, net->gradients, net->parameters, net->first, net->second, rate, ++net->steps,
        net->parallel);
}

double hand_net_train(
    hand_net *net, size_t rows, const float *x, const uint32_t *classes, float rate) {
    layer *last = &net->layer[net->layers - 1];
    float scale = (net->adam ? 1.0f : -rate) / (float)rows;
    forward(net, rows, x);
    double loss =
        softmax_loss(rows, last->units, last->biases, last->a, classes, scale, last->delta);
    backward(net, rows);
    if (net->adam)
        update_adam(net, rows, x, rate);
    else
        update_sgd(net, rows, x);
    return loss / (double)rows;
}
