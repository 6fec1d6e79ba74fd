/*
 * campaign_math [--stride=N] [NAME...]: the largest errors of elementary functions over all floats
 * of their domain, or every Nth, and of softmax over ten million random rows, or an Nth of them, in
 * every kernel table of this machine. Fails if one is above its bound or if two fused tables have
 * different bits. The script beside this file runs it on all cores.
 */
#include "functions.h"
#include "softmax.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 10 };

static void print_progress(const char *name, uint64_t part) {
    fprintf(stderr, "%s: %" PRIu64 " %%\n", name, part * 100 / PARTS);
}

static bool run_function(const function *f, uint64_t stride) {
    survey s = begin_survey(f);
    uint64_t samples = survey_samples_of(f, stride);
    for (uint64_t part = 0; part < PARTS; part++) {
        survey_samples(&s, stride, samples * part / PARTS, samples * (part + 1) / PARTS);
        print_progress(f->name, part + 1);
    }
    print_survey(&s, stdout);
    return survey_is_passed(&s);
}

/* ---- Softmax --------------------------------------------------------------------------------- */

static const uint64_t SOFTMAX_ROWS = 10000000;

/* Everyday logits, some whose exp is denormal or 0, and big ones. */
static const struct {
    float low, high;
} ranges[] = {{-1, 1},          {-20, 20},       {-120, 0},
              {1e4f, 1.001e4f}, {-1e30f, 1e30f}, {-FLT_MAX, FLT_MAX}};

typedef struct softmax_survey {
    double worst; /* the largest error, as a share of the element's bound */
    size_t worst_units, worst_element;
    float worst_z, worst_max;
    uint64_t different; /* rows with other bits than the first fused table */
} softmax_survey;

static void measure_row(
    softmax_survey *result, const tnni_kernels *table, const softmax_row *row, const float *z,
    const float *a) {
    for (size_t i = 0; i < row->units; i++) {
        double share = fabs((double)(a[i] - row->exact[i])) / softmax_bound(table, row, i);
        if (share <= result->worst)
            continue;
        result->worst = isnan(share) ? (double)INFINITY : share;
        result->worst_units = row->units;
        result->worst_element = i;
        result->worst_z = z[i];
        result->worst_max = (float)(z[i] + row->below[i]);
    }
}

/* From 1 unit to SOFTMAX_UNITS, and as many rows between 2 and 4 units as between 1024 and 2048. */
static size_t random_units(uint64_t *random) {
    uint64_t limit = (uint64_t)SOFTMAX_UNITS >> (next_random(random) % 13);
    return (size_t)(1 + next_random(random) % limit);
}

static void survey_row(
    const kernel_tables *tables, softmax_survey *results, size_t units, const float *z) {
    static float a[SOFTMAX_UNITS], fused[SOFTMAX_UNITS];
    static softmax_row row;
    compute_softmax_row(&row, units, z);
    for (size_t t = 0; t < tables->count; t++) {
        const tnni_kernels *table = tables->at[t];
        softmax(table, 1, units, z, a);
        if (table == tables->fused)
            memcpy(fused, a, units * sizeof *a);
        if (repeats_fused(tables, table) && memcmp(a, fused, units * sizeof *a) != 0)
            results[t].different++;
        measure_row(&results[t], table, &row, z, a);
    }
}

static void survey_rows(
    const kernel_tables *tables, softmax_survey *results, uint64_t rows, uint64_t *random) {
    static float z[SOFTMAX_UNITS];
    for (uint64_t r = 0; r < rows; r++) {
        size_t units = random_units(random), range = next_random(random) % COUNT_OF(ranges);
        fill_random(z, units, random, ranges[range].low, ranges[range].high);
        survey_row(tables, results, units, z);
    }
}

static bool print_softmax(const tnni_kernels *table, const softmax_survey *result) {
    bool passed = result->worst <= 1 && result->different == 0;
    printf(
        "%-13s  %-8s  %.6f of the bound (|z - largest| + %g + units/16) epsilon at z[%zu] = %a of "
        "%zu, largest %a  %s\n",
        "softmax", table->name, result->worst, 2 * function_bound(table), result->worst_element,
        result->worst_z, result->worst_units, result->worst_max, passed ? "passed" : "FAILED");
    if (result->different > 0)
        printf(
            "%-13s  %-8s  other bits than the first fused table in %" PRIu64 " rows\n", "softmax",
            table->name, result->different);
    return passed;
}

static bool run_softmax(uint64_t stride) {
    kernel_tables tables = find_kernel_tables();
    softmax_survey results[KERNEL_TABLES] = {0};
    uint64_t random = 1;
    for (uint64_t part = 0; part < PARTS; part++) {
        survey_rows(&tables, results, SOFTMAX_ROWS / stride / PARTS + 1, &random);
        print_progress("softmax", part + 1);
    }
    bool passed = true;
    for (size_t t = 0; t < tables.count; t++)
        passed = print_softmax(tables.at[t], &results[t]) && passed;
    return passed;
}

/* ---- All of it ------------------------------------------------------------------------------- */

typedef enum outcome { PASSED, BROKEN, UNKNOWN } outcome;

static outcome run(const char *name, uint64_t stride) {
    if (strcmp(name, "softmax") == 0)
        return run_softmax(stride) ? PASSED : BROKEN;
    for (size_t f = 0; f < FUNCTIONS; f++) {
        if (strcmp(name, functions[f].name) == 0)
            return run_function(&functions[f], stride) ? PASSED : BROKEN;
    }
    fprintf(stderr, "There is no function \"%s\".\n", name);
    return UNKNOWN;
}

/* --stride=N with N >= 1 and nothing behind it; else 0. */
static uint64_t parse_stride(const char *argument) {
    static const char option[] = "--stride=";
    if (strncmp(argument, option, strlen(option)) != 0 || argument[strlen(option)] == '-')
        return 0;
    char *end;
    uint64_t stride = strtoull(argument + strlen(option), &end, 10);
    return *end == '\0' ? stride : 0;
}

static bool run_all(uint64_t stride) {
    bool passed = true;
    for (size_t f = 0; f < FUNCTIONS; f++)
        passed = run_function(&functions[f], stride) && passed;
    return run_softmax(stride) && passed;
}

int main(int count, char **arguments) {
    int next = 1;
    uint64_t stride = 1;
    if (next < count && strncmp(arguments[next], "--", 2) == 0) {
        stride = parse_stride(arguments[next++]);
        if (stride == 0) {
            fprintf(stderr, "usage: %s [--stride=N] [NAME...]\n", arguments[0]);
            return 2;
        }
    }
    if (next == count)
        return run_all(stride) ? PASSED : BROKEN;
    outcome worst = PASSED;
    for (; next < count; next++) {
        outcome result = run(arguments[next], stride);
        worst = result > worst ? result : worst;
    }
    return (int)worst;
}
