/*
 * bench.h: what every benchmark does: options, rounds in which the library and its peers take
 * turns, and one line of results for each peer.
 *
 * A round takes one sample of each contestant: some untimed repetitions, then as many timed ones as
 * fill a sample. Best is compared with best and median with median. With two threads a sample
 * counts only if the two cores were near each other before and after it.
 */
#ifndef TINYNN_BENCH_BENCH_H
#define TINYNN_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <tinynn/tinynn.h>

#define BENCH_COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

typedef struct bench {
    size_t rounds;       /* samples of each contestant */
    double sample_ns;    /* what a sample takes, or one repetition if that is more */
    double budget_ns;    /* no further round once a case has taken this long */
    int cpu;             /* where one thread runs; -1: anywhere */
    int other_cpu;       /* where the second one does */
    int threads;         /* 1 or 2: those cases alone; 0: both */
    const char *kernels; /* the library's table, NULL for its best */
    const char *only;    /* a part of the names of the variants to run, or NULL */
    FILE *csv;           /* or NULL */
    double peak;         /* multiply-add peak of one core with these kernels, FLOP a nanosecond */
} bench;

typedef struct bench_contestant {
    const char *name;
    void (*run)(void *context, size_t repetitions);
    void *context;
} bench_contestant;

typedef struct bench_case {
    const char *workload;
    const char *variant;
    double units;    /* what a repetition counts for: rows, steps, elements */
    double limit_ns; /* what a unit takes at the machine's peak, 0 if that says nothing */
    int threads;     /* 1 or 2; 0 is 1 */
} bench_case;

/* Reads the options, ends the program if they are wrong, and pins it to its CPU. */
bench bench_start(int argc, char **argv, const char *about);
void bench_finish(bench *bench);

/* Does --only (and --threads) let this variant run? */
bool bench_wants(const bench *bench, const char *variant, int threads);

/* One thread on one CPU, or two anywhere on the two. */
void bench_place(const bench *bench, int threads);

/* Runs a case and prints its results; the first contestant is the library. */
void bench_compare(
    const bench *bench, const bench_case *c, const bench_contestant *contestants, size_t count);

/* A peer that is not there, and the package it would come with. */
void bench_skip(const char *peer, const char *package);

/* Ends the program with a sentence if the condition does not hold. */
void bench_require(bool condition, const char *format, ...);
void bench_require_ok(tnn_status status);

/* Contestants that do equal work agree: relative to the larger of the two and 1e-3. */
void bench_require_close(const char *what, double a, double b, double tolerance);

/* count floats aligned to a page, all 0 or, from seed on, uniform in (low, high]. */
float *bench_zeros(size_t count);
float *bench_random(size_t count, float low, float high, uint64_t seed);
void bench_free(float *array);

double bench_now_ns(void);

#endif
