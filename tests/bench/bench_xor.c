/*
 * Requirement 1: one online step of a 2-2-1 net, through the shared library.
 *
 * relu in the middle, a linear output, biases, half the squared error, and the loss stored at every
 * step, for everybody; the weights start at a solution of XOR moved a little, and the four points
 * take turns. All but FANN compute the same numbers, which is checked. FANN has its piecewise
 * linear activation on both layers and weights of its own.
 */
#include "bench.h"
#include "peers.h"

#include <string.h>

enum { PARAMETERS = 9 };

static const float rate = 0.05f;
static const float x[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
static const float target[4] = {0, 1, 1, 0};

/* Both middle units see x0 + x1, one of them less 1; the output is h0 - 2 h1. */
static const float start[PARAMETERS] = {1.1f, 0.9f, 0.95f, 1.05f, 0.02f, -0.9f, 0.9f, -1.8f, 0.05f};

typedef struct xor_net {
    tnn_net *net;
    tnn_optimizer *optimizer;
    double loss;
} xor_net;

static xor_net create(const bench *options) {
    xor_net self = {0};
    tnn_layer layers[] = {{.units = 2, .activation = tnn_relu()}, {.units = 1}};
    tnn_net_options net_options = {.kernels = options->kernels};
    bench_require_ok(tnn_net_create(&self.net, 2, layers, 2, &net_options));
    bench_require_ok(tnn_optimizer_create(&self.optimizer, self.net, tnn_sgd(rate)));
    bench_require_ok(tnn_net_reserve(self.net, 1));
    memcpy(tnn_net_parameters(self.net), start, sizeof start);
    return self;
}

static void destroy(xor_net *self) {
    tnn_optimizer_destroy(self->optimizer);
    tnn_net_destroy(self->net);
}

static void run_verbs(void *context, size_t repetitions) {
    xor_net *self = context;
    tnn_loss loss = tnn_half_squared_error();
    tnn_status status = TNN_OK;
    for (size_t i = 0; i < repetitions; i++) {
        status |= tnn_forward(self->net, 1, x[i % 4], NULL);
        status |= tnn_backward(self->net, loss, &target[i % 4], &self->loss);
        status |= tnn_step(self->net, self->optimizer);
    }
    bench_require_ok(status);
}

static void run_train(void *context, size_t repetitions) {
    xor_net *self = context;
    tnn_loss loss = tnn_half_squared_error();
    tnn_status status = TNN_OK;
    for (size_t i = 0; i < repetitions; i++) {
        tnn_dataset row = {.rows = 1, .x = x[i % 4], .target = &target[i % 4]};
        status |= tnn_train(self->net, self->optimizer, loss, &row, &self->loss);
    }
    bench_require_ok(status);
}

typedef struct hand_xor {
    float parameters[PARAMETERS];
    double loss;
} hand_xor;

static void run_hand(void *context, size_t repetitions) {
    hand_xor *self = context;
    for (size_t i = 0; i < repetitions; i++)
        self->loss = hand_xor_step(self->parameters, rate, x[i % 4], &target[i % 4]);
}

#if BENCH_FANN
static void run_fann(void *context, size_t repetitions) {
    for (size_t i = 0; i < repetitions; i++)
        peer_fann_train(context, x[i % 4], &target[i % 4]);
}
#endif

/* The same net after some steps, whoever took them. */
static void check(const bench *options) {
    enum { STEPS = 41 };
    xor_net verbs = create(options);
    xor_net train = create(options);
    hand_xor hand = {.loss = 0};
    memcpy(hand.parameters, start, sizeof start);
    run_verbs(&verbs, STEPS);
    run_train(&train, STEPS);
    run_hand(&hand, STEPS);
    bench_require_close("xor: loss by verbs and by train", verbs.loss, train.loss, 0);
    bench_require_close("xor: loss by train and by hand", train.loss, hand.loss, 1e-3);
    for (size_t i = 0; i < PARAMETERS; i++)
        bench_require_close(
            "xor: parameters by train and by hand", tnn_net_parameters(train.net)[i],
            hand.parameters[i], 1e-4);
    destroy(&verbs);
    destroy(&train);
}

static void compare(
    const bench *options, const char *variant, void (*run)(void *context, size_t repetitions)) {
    if (!bench_wants(options, variant, 1))
        return;
    xor_net net = create(options);
    hand_xor hand = {.loss = 0};
    memcpy(hand.parameters, start, sizeof start);
    bench_contestant contestants[3] = {{"tinynn", run, &net}, {"hand", run_hand, &hand}};
    size_t count = 2;
#if BENCH_FANN
    void *fann = peer_fann_create(2, 2, 1, rate);
    contestants[count++] = (bench_contestant){"fann", run_fann, fann};
#endif
    bench_compare(
        options, &(bench_case){.workload = "xor", .variant = variant, .units = 1}, contestants,
        count);
#if BENCH_FANN
    peer_fann_destroy(fann);
#endif
    destroy(&net);
}

int main(int argc, char **argv) {
    bench options = bench_start(argc, argv, "One online step of a 2-2-1 net, in ns a step.");
#if !BENCH_FANN
    bench_skip("FANN", "libfann-dev");
#endif
    check(&options);
    compare(&options, "three verbs", run_verbs);
    compare(&options, "tnn_train", run_train);
    bench_finish(&options);
    return 0;
}
