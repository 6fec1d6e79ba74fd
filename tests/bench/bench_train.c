/*
 * Requirements 3 to 7: training by tnn_train against C by hand on oneDNN's and OpenBLAS's products
 * (hand_net.c), in ns a sample.
 *
 * relu, then softmax with cross-entropy; inputs random in (0, 1], none of them 0; classes random.
 * Everybody starts from the same weights, computes the loss at every step and handles denormals in
 * full; that the losses agree is checked. The learning rates are so small that nets stay near their
 * start, where no moment becomes denormal. FANN has its own activation functions instead.
 *
 * With two threads the peers use their own; the library with one thread is among them.
 */
#include "bench.h"
#include "machine.h"
#include "peers.h"

#include <string.h>

enum { MAX_LAYERS = 3, DATA_ROWS = 512, CHECKED_STEPS = 3 };

typedef struct workload {
    const char *name;
    size_t layers;
    size_t sizes[MAX_LAYERS + 1];
    size_t rows; /* a batch */
    bool adam;
} workload;

#define SMALL                                                                                      \
    "784-128-10", 2, {                                                                             \
        784, 128, 10                                                                               \
    }
#define LARGE                                                                                      \
    "1024-2048-2048-1000", 3, {                                                                    \
        1024, 2048, 2048, 1000                                                                     \
    }

static const workload workloads[] = {
    {SMALL, 32, false}, {SMALL, 128, false}, {SMALL, 1, false},   {SMALL, 32, true},
    {SMALL, 128, true}, {SMALL, 1, true},    {LARGE, 256, false},
};

static float rate_of(const workload *w) {
    return w->adam ? 1e-5f : 1e-3f;
}

typedef struct data {
    float *x; /* [DATA_ROWS, inputs] */
    uint32_t classes[DATA_ROWS];
    float *target; /* the same as one-hot rows */
} data;

static data make_data(const workload *w) {
    size_t outputs = w->sizes[w->layers];
    data self = {
        .x = bench_random(DATA_ROWS * w->sizes[0], 0, 1, 1),
        .target = bench_zeros(DATA_ROWS * outputs),
    };
    float *random = bench_random(DATA_ROWS, 0, 1, 2);
    for (size_t r = 0; r < DATA_ROWS; r++) {
        self.classes[r] = (uint32_t)((double)random[r] * (double)outputs * 0.999999);
        self.target[r * outputs + self.classes[r]] = 1;
    }
    bench_free(random);
    return self;
}

/* ---- Contestants ----------------------------------------------------------------------------- */

typedef struct trainer {
    const workload *w;
    const data *data;
    size_t steps;
    double loss;
    tnn_net *net;
    tnn_optimizer *optimizer;
    hand_net *hand;
    void *fann;
} trainer;

/* The first row of the next batch. */
static size_t next_batch(trainer *self) {
    return self->steps++ * self->w->rows % DATA_ROWS;
}

static void run_tinynn(void *context, size_t repetitions) {
    trainer *self = context;
    tnn_status status = TNN_OK;
    for (size_t i = 0; i < repetitions; i++) {
        size_t row = next_batch(self);
        tnn_dataset batch = {
            .rows = self->w->rows,
            .x = self->data->x + row * self->w->sizes[0],
            .classes = self->data->classes + row,
        };
        status |= tnn_train(self->net, self->optimizer, tnn_cross_entropy(), &batch, &self->loss);
    }
    bench_require_ok(status);
}

static void run_hand(void *context, size_t repetitions) {
    trainer *self = context;
    for (size_t i = 0; i < repetitions; i++) {
        size_t row = next_batch(self);
        self->loss = hand_net_train(
            self->hand, self->w->rows, self->data->x + row * self->w->sizes[0],
            self->data->classes + row, rate_of(self->w));
    }
}

#if BENCH_FANN
static void run_fann(void *context, size_t repetitions) {
    trainer *self = context;
    for (size_t i = 0; i < repetitions; i++) {
        size_t row = next_batch(self);
        peer_fann_train(
            self->fann, self->data->x + row * self->w->sizes[0],
            self->data->target + row * self->w->sizes[self->w->layers]);
    }
}
#endif

static tnn_method method_of(const workload *w) {
    return w->adam ? tnn_adam(rate_of(w)) : tnn_sgd(rate_of(w));
}

static void create_tinynn(trainer *self, const bench *options, unsigned threads) {
    const workload *w = self->w;
    tnn_layer layers[MAX_LAYERS] = {{0}};
    for (size_t l = 0; l < w->layers; l++)
        layers[l] = (tnn_layer){
            .units = w->sizes[l + 1],
            .activation = l + 1 < w->layers ? tnn_relu() : tnn_softmax(),
        };
    tnn_net_options net_options = {.seed = 1, .threads = threads, .kernels = options->kernels};
    bench_require_ok(tnn_net_create(&self->net, w->sizes[0], layers, w->layers, &net_options));
    bench_require_ok(tnn_optimizer_create(&self->optimizer, self->net, method_of(w)));
    bench_require_ok(tnn_net_reserve(self->net, w->rows));
}

enum { MAX_TRAINERS = 6 };

typedef struct match {
    const workload *w;
    data data;
    trainer trainers[MAX_TRAINERS];
    bench_contestant contestants[MAX_TRAINERS];
    size_t count;
} match;

static trainer *add(match *self, const char *name, void (*run)(void *, size_t)) {
    trainer *added = &self->trainers[self->count];
    *added = (trainer){.w = self->w, .data = &self->data};
    self->contestants[self->count++] = (bench_contestant){name, run, added};
    return added;
}

static void add_hand(match *self, const peer_products *products, int threads) {
    const float *start = tnn_net_read_parameters(self->trainers[0].net);
    hand_net *net = hand_net_create(
        products, self->w->layers, self->w->sizes, self->w->rows, start, self->w->adam);
    hand_net_set_threads(net, threads);
    add(self, products->name, run_hand)->hand = net;
}

/* Before anybody has run: the hand-written nets start with the library's weights. */
static void begin(
    match *self, const bench *options, const peer_blas *blas, const workload *w, int threads) {
    *self = (match){.w = w, .data = make_data(w)};
    create_tinynn(add(self, "tinynn", run_tinynn), options, (unsigned)threads);
    if (threads > 1)
        create_tinynn(add(self, "tinynn_1_thread", run_tinynn), options, 1);
    for (size_t i = 0; i < blas->count; i++)
        add_hand(self, blas->at[i], threads);
    if (w->rows == 1 && threads == 1)
        add_hand(self, &peer_hand_row, threads);
#if BENCH_FANN
    if (w->rows == 1 && threads == 1 && !w->adam)
        add(self, "fann", run_fann)->fann =
            peer_fann_create(w->sizes[0], w->sizes[1], w->sizes[2], rate_of(w));
#endif
}

static void end(match *self) {
    for (size_t i = 0; i < self->count; i++) {
        trainer *other = &self->trainers[i];
        tnn_optimizer_destroy(other->optimizer);
        tnn_net_destroy(other->net);
        if (other->hand)
            hand_net_destroy(other->hand);
#if BENCH_FANN
        if (other->fann)
            peer_fann_destroy(other->fann);
#endif
    }
    bench_free(self->data.x);
    bench_free(self->data.target);
}

static void check(match *self) {
    for (size_t i = 0; i < self->count; i++) {
        self->contestants[i].run(&self->trainers[i], CHECKED_STEPS);
        if (!self->trainers[i].fann)
            bench_require_close(
                self->contestants[i].name, self->trainers[0].loss, self->trainers[i].loss, 1e-4);
    }
}

/* ---- Limits ---------------------------------------------------------------------------------- */

/* A multiply-add for each weight and row forward, for the gradient, and back but in layer 0. */
static double flop_a_row(const workload *w) {
    double flop = 0;
    for (size_t l = 0; l < w->layers; l++)
        flop += (l > 0 ? 6.0 : 4.0) * (double)(w->sizes[l] * w->sizes[l + 1]);
    return flop;
}

/*
 * With many rows the multiply-adds take longer, with few the memory: weights are read, then read
 * and written again. Adam's pass adds 16 bytes read and 12 written a weight, which nothing hides.
 */
static double limit_ns(const bench *options, const workload *w, int threads) {
    double count = 0;
    for (size_t l = 0; l < w->layers; l++)
        count += (double)((w->sizes[l] + 1) * w->sizes[l + 1]);
    double rows = (double)w->rows;
    double bandwidth = machine_read_bandwidth((size_t)(4 * count * (w->adam ? 4 : 1)));
    double multiply = flop_a_row(w) / options->peak;
    double forward = 4 * count / rows / bandwidth;
    double products = multiply > forward ? multiply : forward;
    double folded = multiply > 3 * forward ? multiply : 3 * forward;
    return (w->adam ? products + 28 * count / rows / bandwidth : folded) / threads;
}

/* ---- The program ----------------------------------------------------------------------------- */

static void compare(const bench *options, const peer_blas *blas, const workload *w, int threads) {
    char variant[96];
    snprintf(
        variant, sizeof variant, "%s %s batch %zu%s", w->name, w->adam ? "adam" : "sgd", w->rows,
        threads > 1 ? " 2 threads" : "");
    if (!bench_wants(options, variant, threads))
        return;
    bench_place(options, 1);
    bench_case c = {
        .workload = "train",
        .variant = variant,
        .units = (double)w->rows,
        .limit_ns = limit_ns(options, w, threads),
        .threads = threads,
    };
    bench_place(options, threads);
    static match self;
    begin(&self, options, blas, w, threads);
    check(&self);
    bench_compare(options, &c, self.contestants, self.count);
    end(&self);
}

int main(int argc, char **argv) {
    bench options = bench_start(argc, argv, "Training, in ns a sample.");
    peer_blas blas = peer_find_blas();
    int threads = options.cpu >= 0 && options.other_cpu < 0 ? 1 : 2;
#if !BENCH_FANN
    bench_skip("FANN", "libfann-dev");
#endif
    for (int t = 1; t <= threads; t++) {
        for (size_t i = 0; i < BENCH_COUNT_OF(workloads); i++)
            compare(&options, &blas, &workloads[i], t);
    }
    bench_finish(&options);
    return 0;
}
