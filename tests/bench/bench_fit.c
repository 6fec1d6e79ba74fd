/*
 * What tnn_fit costs more than tnn_train in a loop over the same rows in the same order of batches:
 * rows come in a new order each epoch, which the loop does without.
 */
#include "bench.h"

#include <stdlib.h>

typedef struct fit_case {
    const char *variant;
    size_t inputs;
    size_t rows;
    size_t batch_rows;
    const tnn_layer *layers;
    size_t layer_count;
    float learning_rate;
} fit_case;

static const tnn_layer *tiny_layers(void) {
    static tnn_layer layers[2];
    layers[0] = (tnn_layer){.units = 2, .activation = tnn_relu()};
    layers[1] = (tnn_layer){.units = 1};
    return layers;
}

static const tnn_layer *image_layers(void) {
    static tnn_layer layers[2];
    layers[0] = (tnn_layer){.units = 128, .activation = tnn_relu()};
    layers[1] = (tnn_layer){.units = 10, .activation = tnn_softmax()};
    return layers;
}

typedef struct training {
    const fit_case *of;
    tnn_net *net;
    tnn_optimizer *optimizer;
    tnn_dataset data;
    size_t outputs;
} training;

static void run_fit(void *context, size_t epochs) {
    const training *self = context;
    const tnn_fit_options options = {.epochs = epochs, .batch_rows = self->of->batch_rows};
    bench_require_ok(
        tnn_fit(self->net, self->optimizer, tnn_half_squared_error(), &self->data, &options, NULL));
}

static void run_by_hand(void *context, size_t epochs) {
    const training *self = context;
    const tnn_dataset *data = &self->data;
    size_t count = self->of->batch_rows;
    double loss;
    tnn_status status = TNN_OK;
    for (size_t epoch = 0; epoch < epochs; epoch++) {
        for (size_t first = 0; first < data->rows; first += count) {
            tnn_dataset batch = {
                .rows = count,
                .x = data->x + first * self->of->inputs,
                .target = data->target + first * self->outputs,
            };
            status |=
                tnn_train(self->net, self->optimizer, tnn_half_squared_error(), &batch, &loss);
        }
    }
    bench_require_ok(status);
}

static training begin(const bench *options, const fit_case *of, float *x, float *target) {
    training self = {.of = of, .data = {.rows = of->rows, .x = x, .target = target}};
    const tnn_net_options net_options = {.kernels = options->kernels};
    bench_require_ok(
        tnn_net_create(&self.net, of->inputs, of->layers, of->layer_count, &net_options));
    bench_require_ok(tnn_optimizer_create(&self.optimizer, self.net, tnn_sgd(of->learning_rate)));
    self.outputs = tnn_net_outputs(self.net);
    return self;
}

static void end(training *self) {
    tnn_optimizer_destroy(self->optimizer);
    tnn_net_destroy(self->net);
}

static void compare(const bench *options, const fit_case *of) {
    if (!bench_wants(options, of->variant, 1))
        return;
    float *x = bench_random(of->rows * of->inputs, 0, 1, 1);
    float *target = bench_random(of->rows * of->layers[of->layer_count - 1].units, 0, 1, 2);
    training fitted = begin(options, of, x, target);
    training by_hand = begin(options, of, x, target);
    const bench_contestant contestants[] = {
        {"tinynn", run_fit, &fitted}, {"train_by_hand", run_by_hand, &by_hand}};
    bench_compare(
        options,
        &(bench_case){.workload = "fit", .variant = of->variant, .units = (double)of->rows},
        contestants, 2);
    end(&fitted);
    end(&by_hand);
    bench_free(x);
    bench_free(target);
}

int main(int argc, char **argv) {
    bench options = bench_start(argc, argv, "A fit against a loop of tnn_train, in ns a row.");
    const fit_case cases[] = {
        {"2-2-1 batch 1", 2, 1000, 1, tiny_layers(), 2, 0.01f},
        {"784-128-10 batch 1", 784, 4096, 1, image_layers(), 2, 0.001f},
        {"784-128-10 batch 32", 784, 4096, 32, image_layers(), 2, 0.001f},
        {"784-128-10 batch 128", 784, 4096, 128, image_layers(), 2, 0.001f},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        compare(&options, &cases[i]);
    bench_finish(&options);
    return 0;
}
