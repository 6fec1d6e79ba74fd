#include "machine.h"

#include "bench.h"
#include "system.h"

#include <stdatomic.h>
#include <string.h>

/* More sums at a time than a core has multiply-adds in flight, and as many as it has registers for:
 * latency 4 times 2 units. */
enum { SUMS = 12 };

#define UNROLL _Pragma("GCC unroll 16")

typedef size_t fma_loop(size_t rounds);
typedef size_t read_loop(const char *array, size_t bytes);

/*
 * Both loops for one vector width. A product and a sum become one instruction because this file is
 * compiled with contraction on. Reading ends in or, of which a core does more than it can load.
 */
#define LOOPS(name, bytes_a_vector, attribute)                                                     \
    typedef float name##_floats __attribute__((vector_size(bytes_a_vector)));                      \
    typedef long long name##_bits __attribute__((vector_size(bytes_a_vector), aligned(16)));       \
                                                                                                   \
    attribute static size_t name##_fma(size_t rounds) {                                            \
        name##_floats sum[SUMS];                                                                   \
        name##_floats factor = {0};                                                                \
        factor += 0.999f;                                                                          \
        __asm__ volatile("" : "+m"(factor));                                                       \
        UNROLL                                                                                     \
        for (int i = 0; i < SUMS; i++)                                                             \
            sum[i] = factor + (float)i;                                                            \
        for (size_t round = 0; round < rounds; round++) {                                          \
            UNROLL                                                                                 \
            for (int i = 0; i < SUMS; i++)                                                         \
                sum[i] = sum[i] * factor + factor;                                                 \
        }                                                                                          \
        UNROLL                                                                                     \
        for (int i = 1; i < SUMS; i++)                                                             \
            sum[0] += sum[i];                                                                      \
        __asm__ volatile("" : : "m"(sum[0]));                                                      \
        return rounds * SUMS * (bytes_a_vector) / sizeof(float) * 2;                               \
    }                                                                                              \
                                                                                                   \
    attribute static size_t name##_read(const char *array, size_t bytes) {                         \
        enum { STEP = 8 };                                                                         \
        name##_bits any[STEP] = {{0}};                                                             \
        size_t done = 0;                                                                           \
        for (; done + STEP * (bytes_a_vector) <= bytes; done += STEP * (bytes_a_vector)) {         \
            const name##_bits *next = (const name##_bits *)(const void *)(array + done);           \
            UNROLL                                                                                 \
            for (int i = 0; i < STEP; i++)                                                         \
                any[i] |= next[i];                                                                 \
        }                                                                                          \
        UNROLL                                                                                     \
        for (int i = 1; i < STEP; i++)                                                             \
            any[0] |= any[i];                                                                      \
        __asm__ volatile("" : : "m"(any[0]));                                                      \
        return done;                                                                               \
    }

LOOPS(plain, 16, )
#if defined(__x86_64__)
LOOPS(avx2, 32, __attribute__((target("avx2,fma"))))
LOOPS(avx512, 64, __attribute__((target("avx512f"))))
#endif

typedef struct loops {
    const char *kernels;
    fma_loop *fma;
    read_loop *read;
} loops;

static loops find_loops(const char *kernels) {
    loops plain = {"", plain_fma, plain_read};
#if defined(__x86_64__)
    bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f");
    if (has_avx512 && (!kernels || strcmp(kernels, "avx512") == 0))
        return (loops){"avx512", avx512_fma, avx512_read};
    if (has_avx2 && (!kernels || strcmp(kernels, "avx2") == 0))
        return (loops){"avx2", avx2_fma, avx2_read};
    if (kernels && strncmp(kernels, "avx", 3) == 0)
        plain.fma = NULL;
#else
    (void)kernels;
#endif
    return plain;
}

enum { TRIES = 20 };

double machine_fma_peak(const char *kernels) {
    enum { ROUNDS = 20000 };
    fma_loop *loop = find_loops(kernels).fma;
    double best = 0;
    for (int i = 0; loop && i < TRIES; i++) {
        double start = bench_now_ns();
        size_t flop = loop(ROUNDS);
        double rate = (double)flop / (bench_now_ns() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

/* At least 16 MB a try, so that the clock's own time does not matter; the loop's own time matters
 * for less than 8 KiB, which would all be in the first-level cache anyway. */
double machine_read_bandwidth(size_t bytes) {
    enum { ENOUGH = 1 << 24, LEAST = 1 << 13 };
    bytes = bytes < LEAST ? LEAST : bytes;
    read_loop *loop = find_loops(NULL).read;
    const char *array = (const char *)bench_random(bytes / sizeof(float) + 1, 0, 1, 1);
    double best = 0;
    for (int i = 0; i < TRIES; i++) {
        size_t done = 0;
        double start = bench_now_ns();
        while (done < ENOUGH)
            done += loop(array, bytes);
        double rate = (double)done / (bench_now_ns() - start);
        best = rate > best ? rate : best;
    }
    bench_free((float *)array);
    return best;
}

/* ---- Ping-pong ------------------------------------------------------------------------------- */

enum { TRIPS = 200, TRIP_TRIES = 20 };

typedef struct court {
    _Alignas(64) atomic_int ball;
    double best;
} court;

static void answer(void *argument) {
    court *self = argument;
    for (int i = 0; i < TRIPS * TRIP_TRIES; i++) {
        while (atomic_load_explicit(&self->ball, memory_order_acquire) != 2 * i + 1)
            ;
        atomic_store_explicit(&self->ball, 2 * i + 2, memory_order_release);
    }
}

static void serve(void *argument) {
    court *self = argument;
    for (int i = 0; i < TRIPS * TRIP_TRIES; i += TRIPS) {
        double start = bench_now_ns();
        for (int trip = i; trip < i + TRIPS; trip++) {
            atomic_store_explicit(&self->ball, 2 * trip + 1, memory_order_release);
            while (atomic_load_explicit(&self->ball, memory_order_acquire) != 2 * trip + 2)
                ;
        }
        double took = (bench_now_ns() - start) / TRIPS;
        self->best = i == 0 || took < self->best ? took : self->best;
    }
}

double machine_round_trip(int cpu, int other) {
    court self = {0};
    if (cpu < 0 || other < 0)
        return 0;
    system_run_pair(cpu, other, answer, serve, &self);
    return self.best;
}
