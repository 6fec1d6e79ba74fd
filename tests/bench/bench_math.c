/*
 * Requirement 9: exp, tanh, sigmoid and softmax through the library's kernel table, against loops
 * on libmvec and SLEEF, in ns an element; and a pass of Adam against one by hand, in ns a
 * parameter.
 */
#include "bench.h"
#include "machine.h"
#include "peers.h"

#include "kernels/kernels.h"
#include "optimizer.h"
#include "support/memory.h"

#include <math.h>

/* A function of an array, the library's or a peer's. */
typedef struct map_job {
    tnni_map_kernel *run;
    void (*softmax)(float parameter, size_t rows, size_t units, const float *z, float *a);
    size_t count;
    const float *x;
    float *y;
} map_job;

static void run_map(void *context, size_t repetitions) {
    const map_job *self = context;
    for (size_t i = 0; i < repetitions; i++)
        self->run(self->count, self->x, self->y);
}

static void run_softmax(void *context, size_t repetitions) {
    const map_job *self = context;
    for (size_t i = 0; i < repetitions; i++)
        self->softmax(0, 1, self->count, self->x, self->y);
}

typedef enum function { EXP, TANH, SIGMOID, SOFTMAX, FUNCTIONS } function;

static const char *const function_names[FUNCTIONS] = {"exp", "tanh", "sigmoid", "softmax"};

static peer_map *peer_function(const peer_math *peer, function f) {
    peer_map *const functions[FUNCTIONS] = {peer->exp, peer->tanh, peer->sigmoid, peer->softmax};
    return functions[f];
}

static tnni_map_kernel *library_function(const tnni_kernels *kernels, function f) {
    tnni_map_kernel *const functions[FUNCTIONS] = {kernels->exp, kernels->tanh, kernels->sigmoid};
    return functions[f];
}

static void check_map(const char *variant, const map_job *library, const map_job *peer) {
    for (size_t i = 0; i < library->count; i++) {
        double a = library->y[i];
        double b = peer->y[i];
        bench_require(
            fabs(a - b) <= 1e-5 * fabs(b), "%s: %.9g and %.9g for %.9g", variant, a, b,
            library->x[i]);
    }
}

/* One function and size against everybody who has it. */
static void compare_maps(
    const bench *options, const char *variant, const tnni_kernels *kernels, const peer_maths *peers,
    function f, size_t count) {
    map_job jobs[1 + PEER_MATHS] = {{
        .run = library_function(kernels, f),
        .softmax = kernels->activations[TNNI_SOFTMAX].forward,
    }};
    bench_contestant contestants[1 + PEER_MATHS] = {
        {"tinynn", f == SOFTMAX ? run_softmax : run_map, &jobs[0]}};
    size_t jobs_count = 1;
    for (size_t i = 0; i < peers->count; i++) {
        const peer_math *peer = peers->at[i];
        if (!peer_function(peer, f))
            continue;
        jobs[jobs_count].run = peer_function(peer, f);
        contestants[jobs_count] = (bench_contestant){peer->name, run_map, &jobs[jobs_count]};
        jobs_count++;
    }
    float *x = bench_random(count, -8, 8, 1);
    for (size_t i = 0; i < jobs_count; i++) {
        jobs[i].count = count;
        jobs[i].x = x;
        jobs[i].y = bench_zeros(count);
        contestants[i].run(&jobs[i], 1);
        check_map(variant, &jobs[0], &jobs[i]);
    }
    bench_case c = {
        .workload = "math",
        .variant = variant,
        .units = (double)count,
        .limit_ns = 8 / machine_read_bandwidth(8 * count),
    };
    bench_compare(options, &c, contestants, jobs_count);
    for (size_t i = 0; i < jobs_count; i++)
        bench_free(jobs[i].y);
    bench_free(x);
}

static void compare_functions(const bench *options, const tnni_kernels *kernels) {
    static const size_t counts[] = {1024, 4096, 16384, 65536};
    peer_maths peers = peer_find_maths();
    for (int f = 0; f < FUNCTIONS; f++) {
        for (size_t i = 0; i < BENCH_COUNT_OF(counts); i++) {
            char variant[32];
            snprintf(variant, sizeof variant, "%s %zu", function_names[f], counts[i]);
            if (bench_wants(options, variant, 1))
                compare_maps(options, variant, kernels, &peers, (function)f, counts[i]);
        }
    }
}

/* ---- Adam ------------------------------------------------------------------------------------ */

/*
 * The gradients are of one size and their signs alternate from pass to pass, so that moments and
 * parameters stay where they are.
 */
typedef struct adam_job {
    const tnni_kernels *kernels;
    tnn_optimizer *optimizer;
    size_t count;
    size_t passes;
    float *gradients[2];
    float *parameters, *first, *second;
} adam_job;

static const float adam_rate = 1e-4f;

static void run_tinynn_adam(void *context, size_t repetitions) {
    adam_job *self = context;
    for (size_t i = 0; i < repetitions; i++) {
        tnni_optimizer_begin(self->optimizer);
        tnni_optimizer_apply(
            self->optimizer, self->kernels, 0, self->count, self->gradients[self->passes++ % 2],
            self->parameters);
    }
}

static void run_hand_adam(void *context, size_t repetitions) {
    adam_job *self = context;
    for (size_t i = 0; i < repetitions; i++) {
        const float *gradients = self->gradients[self->passes++ % 2];
        hand_adam(
            self->count, gradients, self->parameters, self->first, self->second, adam_rate,
            self->passes, false);
    }
}

static adam_job create_adam(size_t count, bool by_hand) {
    adam_job self = {
        .count = count,
        .gradients = {bench_random(count, -1, 1, 1), bench_random(count, 1, -1, 1)},
        .parameters = bench_random(count, -1, 1, 2),
    };
    if (by_hand) {
        self.first = bench_zeros(count);
        self.second = bench_zeros(count);
    } else {
        bench_require_ok(tnni_optimizer_create(
            "bench", &self.optimizer, tnni_allocator(NULL), 0, count, tnn_adam(adam_rate), true));
    }
    return self;
}

static void destroy_adam(adam_job *self) {
    tnn_optimizer_destroy(self->optimizer);
    bench_free(self->gradients[0]);
    bench_free(self->gradients[1]);
    bench_free(self->parameters);
    bench_free(self->first);
    bench_free(self->second);
}

static void check_adam(adam_job *library, adam_job *hand) {
    run_tinynn_adam(library, 5);
    run_hand_adam(hand, 5);
    for (size_t i = 0; i < library->count; i++)
        bench_require_close("adam", library->parameters[i], hand->parameters[i], 1e-4);
}

/* Parameter, gradient and two moments are read, all but the gradient written. */
static void compare_adam(const bench *options, const tnni_kernels *kernels, size_t count) {
    char variant[32];
    snprintf(variant, sizeof variant, "adam %zu", count);
    if (!bench_wants(options, variant, 1))
        return;
    adam_job library = create_adam(count, false);
    adam_job hand = create_adam(count, true);
    library.kernels = kernels;
    check_adam(&library, &hand);
    bench_contestant contestants[] = {
        {"tinynn", run_tinynn_adam, &library},
        {"hand", run_hand_adam, &hand},
    };
    bench_case c = {
        .workload = "math",
        .variant = variant,
        .units = (double)count,
        .limit_ns = 28 / machine_read_bandwidth(16 * count),
    };
    bench_compare(options, &c, contestants, BENCH_COUNT_OF(contestants));
    destroy_adam(&library);
    destroy_adam(&hand);
}

int main(int argc, char **argv) {
    bench options =
        bench_start(argc, argv, "Elementary functions and Adam, in ns an element or parameter.");
    const tnni_kernels *kernels;
    bench_require_ok(tnni_kernels_find(argv[0], options.kernels, &kernels));
    compare_functions(&options, kernels);
    static const size_t counts[] = {4000, 100000, 1000000, 16000000};
    for (size_t i = 0; i < BENCH_COUNT_OF(counts); i++)
        compare_adam(&options, kernels, counts[i]);
    bench_finish(&options);
    return 0;
}
