/*
 * Requirement 2: one row through a net by tnn_predict, calls back to back. The variants called
 * dependent feed an output into the next call's input, so that calls cannot overlap.
 *
 * Peers are OpenBLAS's matrix times vector with the weights in either order, C with constant sizes,
 * compiled for vectors as long as the compiler likes or of 512 bits, and the C that the library
 * generates. All of them compute the same numbers, which is checked.
 */
#include "bench.h"
#include "machine.h"
#include "peers.h"
#include "predict_nets.h"

#include <string.h>

/* A contestant: everything that it may need, and its input and output. */
typedef struct predictor {
    bool dependent;
    float *x;
    float y[PREDICT_OUTPUTS];
    tnn_net *net;
    tnn_workspace *workspace;
    hand_predictor *hand;
    generated_predictor *generated;
    float *packed;
    blas_net blas;
} predictor;

/* What comes out goes in; bounded, since a net may amplify what it is fed. */
static void feed(const predictor *self) {
    float y = self->y[0];
    self->x[0] = y > 1 ? 1 : y < -1 ? -1 : y;
}

static void run_tinynn(void *context, size_t repetitions) {
    predictor *self = context;
    tnn_status status = TNN_OK;
    for (size_t i = 0; i < repetitions; i++) {
        status |= tnn_predict(self->net, self->workspace, 1, self->x, self->y);
        if (self->dependent)
            feed(self);
    }
    bench_require_ok(status);
}

static void run_hand(void *context, size_t repetitions) {
    predictor *self = context;
    for (size_t i = 0; i < repetitions; i++) {
        self->hand(self->packed, self->x, self->y);
        if (self->dependent)
            feed(self);
    }
}

static void run_generated(void *context, size_t repetitions) {
    predictor *self = context;
    for (size_t i = 0; i < repetitions; i++) {
        self->generated(self->x, self->y);
        if (self->dependent)
            feed(self);
    }
}

#if BENCH_OPENBLAS
static void run_blas(void *context, size_t repetitions) {
    predictor *self = context;
    for (size_t i = 0; i < repetitions; i++) {
        blas_net_predict(&self->blas, self->x, self->y);
        if (self->dependent)
            feed(self);
    }
}
#endif

/* ---- The same net for everybody -------------------------------------------------------------- */

static float *transpose_weights(const predict_workload *w, const float *parameters) {
    size_t count = 0;
    for (size_t l = 0; l < w->layers; l++)
        count += (w->sizes[l] + 1) * w->sizes[l + 1];
    float *transposed = bench_zeros(count);
    memcpy(transposed, parameters, count * sizeof *parameters);
    size_t at = 0;
    for (size_t l = 0; l < w->layers; l++) {
        size_t inputs = w->sizes[l];
        size_t units = w->sizes[l + 1];
        for (size_t i = 0; i < inputs; i++) {
            for (size_t u = 0; u < units; u++)
                transposed[at + u * inputs + i] = parameters[at + i * units + u];
        }
        at += (inputs + 1) * units;
    }
    return transposed;
}

enum { TINYNN, GENERATED, HAND, HAND_512, BLAS, BLAS_BY_UNITS, PREDICTORS };

typedef struct match {
    predictor predictors[PREDICTORS];
    bench_contestant contestants[PREDICTORS];
    size_t count;
    float *scratch[2];
    float *transposed;
    float *packed;
} match;

static void add(match *self, int which, const char *name, void (*run)(void *, size_t)) {
    self->contestants[self->count++] = (bench_contestant){name, run, &self->predictors[which]};
}

static void give_nets(match *self, const bench *options, const predict_workload *w, size_t index) {
    tnn_net *net;
    bench_require_ok(predict_net_create(&net, w, options->kernels));
    const float *parameters = tnn_net_read_parameters(net);
    self->predictors[TINYNN].net = net;
    bench_require_ok(tnn_workspace_create(&self->predictors[TINYNN].workspace, net, 1));
    self->packed = bench_zeros(tnn_net_parameter_count(net));
    self->transposed = transpose_weights(w, parameters);
    hand_pack(w->layers, w->sizes, parameters, self->packed);
    self->predictors[GENERATED].generated = generated_predictors[index];
    self->predictors[HAND].packed = self->predictors[HAND_512].packed = self->packed;
    self->predictors[HAND].hand = hand_predictors[index];
    self->predictors[HAND_512].hand = hand_predictors_512[index];
    for (int i = 0; i < 2; i++)
        self->scratch[i] = bench_zeros(1024);
    blas_net blas = {
        .layers = w->layers,
        .sizes = w->sizes,
        .activations = w->activations,
        .parameters = parameters,
        .scratch = {self->scratch[0], self->scratch[1]},
    };
    self->predictors[BLAS].blas = blas;
    blas.by_units = true;
    blas.parameters = self->transposed;
    self->predictors[BLAS_BY_UNITS].blas = blas;
}

static void begin(match *self, const bench *options, const predict_workload *w, size_t index) {
    memset(self, 0, sizeof *self);
    give_nets(self, options, w, index);
    for (int i = 0; i < PREDICTORS; i++)
        self->predictors[i].x = bench_random(w->sizes[0], 0, 1, 2);
    add(self, TINYNN, "tinynn", run_tinynn);
    add(self, GENERATED, "generated_c", run_generated);
    add(self, HAND, "hand", run_hand);
    add(self, HAND_512, "hand_512", run_hand);
#if BENCH_OPENBLAS
    add(self, BLAS, "openblas", run_blas);
    add(self, BLAS_BY_UNITS, "openblas_by_units", run_blas);
#endif
}

static void end(match *self) {
    for (int i = 0; i < PREDICTORS; i++)
        bench_free(self->predictors[i].x);
    bench_free(self->packed);
    bench_free(self->transposed);
    bench_free(self->scratch[0]);
    bench_free(self->scratch[1]);
    tnn_workspace_destroy(self->predictors[TINYNN].workspace);
    tnn_net_destroy(self->predictors[TINYNN].net);
}

static void check(match *self, const predict_workload *w) {
    for (size_t i = 0; i < self->count; i++) {
        predictor *other = self->contestants[i].context;
        self->contestants[i].run(other, 1);
        for (size_t u = 0; u < w->sizes[w->layers]; u++)
            bench_require_close(w->name, self->predictors[TINYNN].y[u], other->y[u], 1e-3);
    }
}

/* Every weight is read once a row. */
static double limit_ns(const match *self) {
    size_t bytes = tnn_net_parameter_count(self->predictors[TINYNN].net) * sizeof(float);
    return (double)bytes / machine_read_bandwidth(bytes);
}

static void compare(const bench *options, size_t index, bool dependent) {
    const predict_workload *w = &predict_workloads[index];
    char variant[64];
    snprintf(variant, sizeof variant, "%s%s", w->name, dependent ? " dependent" : "");
    if (!bench_wants(options, variant, 1))
        return;
    static match self;
    begin(&self, options, w, index);
    check(&self, w);
    for (int i = 0; i < PREDICTORS; i++)
        self.predictors[i].dependent = dependent;
    bench_case c = {
        .workload = "predict",
        .variant = variant,
        .units = 1,
        .limit_ns = limit_ns(&self),
    };
    bench_compare(options, &c, self.contestants, self.count);
    end(&self);
}

int main(int argc, char **argv) {
    bench options = bench_start(argc, argv, "One row through a net, in ns a row.");
#if BENCH_OPENBLAS
    peer_openblas.set_threads(1);
#else
    bench_skip("OpenBLAS", "libopenblas-dev");
#endif
    for (int dependent = 0; dependent < 2; dependent++) {
        for (size_t i = 0; i < HAND_PREDICTORS; i++)
            compare(&options, i, dependent);
    }
    bench_finish(&options);
    return 0;
}
