#include "functions.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- The functions --------------------------------------------------------------------------- */

static long double exact_sigmoid(long double x) {
    return 1 / (1 + expl(-x));
}

static double nearly_sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

static tnni_map_kernel *map_exp(const tnni_kernels *table) {
    return table->exp;
}

static tnni_map_kernel *map_expm1(const tnni_kernels *table) {
    return table->expm1;
}

static tnni_map_kernel *map_log(const tnni_kernels *table) {
    return table->log;
}

static tnni_map_kernel *map_log1p_of_unit(const tnni_kernels *table) {
    return table->log1p_of_unit;
}

static tnni_map_kernel *map_tanh(const tnni_kernels *table) {
    return table->tanh;
}

static tnni_map_kernel *map_sigmoid(const tnni_kernels *table) {
    return table->sigmoid;
}

static tnni_map_kernel *map_erf(const tnni_kernels *table) {
    return table->erf;
}

#define ALL_FLOATS 0, UINT32_MAX
#define UNIT_FLOATS 0, 0x3f800000

const function functions[FUNCTIONS] = {
    {"exp", map_exp, expl, exp, -104, 89, ALL_FLOATS, 0, 1},
    {"expm1", map_expm1, expm1l, expm1, -18, 89, ALL_FLOATS, -0.0f, -0.0f},
    {"log", map_log, logl, log, 0.25f, 4, ALL_FLOATS, 1, 0},
    {"log1p_of_unit", map_log1p_of_unit, log1pl, log1p, 0, 1, UNIT_FLOATS, 0, 0},
    {"tanh", map_tanh, tanhl, tanh, -10, 10, ALL_FLOATS, -0.0f, -0.0f},
    {"sigmoid", map_sigmoid, exact_sigmoid, nearly_sigmoid, -104, 18, ALL_FLOATS, 0, 0.5f},
    {"erf", map_erf, erfl, erf, -4, 4, ALL_FLOATS, -0.0f, -0.0f},
};

/* ---- The reference --------------------------------------------------------------------------- */

/*
 * Long double takes up to ten times as long as double. So double finds the results that may be the
 * worst so far, and long double measures them. glibc's functions in double err by less than 4 ulp,
 * 2^-51 of the result; 2^-48 leaves room for other libraries. Every block is asked whether that is
 * enough, at its first number. An absolute error of 2^-1000, where doubles are denormal, is nothing
 * beside the least float.
 */
#define NEARLY_EPSILON 0x1p-48

static bool is_near(double nearly, long double exact) {
    double rounded = (double)exact;
    if (isnan(nearly) || isinf(nearly))
        return isnan(nearly) ? isnan(rounded) : rounded == nearly;
    return fabs(nearly - rounded) <= NEARLY_EPSILON * fabs(rounded) + 0x1p-1000;
}

/*
 * Is the error certainly not above worst? A unit in the last place is at least 2^-24 of the exact
 * result, so nearly may be off by 2^-24 units.
 */
static bool is_no_worse(double worst, float y, double nearly) {
    if (isnan(nearly) || isinf(nearly))
        return isnan(nearly) ? isnan(y) : y == nearly;
    double units = worst - NEARLY_EPSILON * 0x1p24;
    return fabs(y - nearly) <= units * 0x1p-24 * fabs(nearly);
}

/* ---- Survey ---------------------------------------------------------------------------------- */

survey begin_survey(const function *f) {
    survey s = {.function = f, .tables = find_kernel_tables()};
    for (size_t t = 0; t < s.tables.count; t++)
        s.results[t] = (table_survey){
            .worst = 0.5, .worst_at = NAN, .different_at = NAN, .hash = 0xcbf29ce484222325u};
    return s;
}

/* A NaN's payload and sign are not promised. */
static void map_block(
    const function *f, const tnni_kernels *table, size_t count, const float *x, float *y) {
    f->map(table)(count, x, y);
    for (size_t i = 0; i < count; i++)
        y[i] = isnan(y[i]) ? NAN : y[i];
}

/* FNV-1a (Fowler, Noll, Vo) with words in place of bytes. */
static uint64_t hash_block(uint64_t hash, size_t count, const float *y) {
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, y + i, sizeof bits);
        hash = (hash ^ bits) * 0x100000001b3u;
    }
    return hash;
}

static void measure_block(
    const function *f, table_survey *result, size_t count, const float *x, const float *y,
    const double *nearly) {
    for (size_t i = 0; i < count; i++) {
        if (is_no_worse(result->worst, y[i], nearly[i]))
            continue;
        double error = float_ulps(y[i], f->exact(x[i]));
        if (error > result->worst) {
            result->worst = error;
            result->worst_at = x[i];
        }
    }
}

static void compare_block(
    table_survey *result, size_t count, const float *x, const float *y, const float *fused) {
    if (memcmp(y, fused, count * sizeof *y) == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        if (memcmp(y + i, fused + i, sizeof *y) != 0 && result->different++ == 0)
            result->different_at = x[i];
    }
}

void survey_floats(survey *s, size_t count, const float *x) {
    const function *f = s->function;
    static double nearly[SURVEY_BLOCK];
    static float y[SURVEY_BLOCK], fused[SURVEY_BLOCK];
    for (size_t i = 0; i < count; i++)
        nearly[i] = f->nearly(x[i]);
    s->reference_failed |= count > 0 && !is_near(nearly[0], f->exact(x[0]));
    for (size_t t = 0; t < s->tables.count; t++) {
        const tnni_kernels *table = s->tables.at[t];
        table_survey *result = &s->results[t];
        map_block(f, table, count, x, y);
        if (table == s->tables.fused)
            memcpy(fused, y, count * sizeof *y);
        if (repeats_fused(&s->tables, table))
            compare_block(result, count, x, y, fused);
        measure_block(f, result, count, x, y, nearly);
        result->hash = hash_block(result->hash, count, y);
    }
}

uint64_t survey_samples_of(const function *f, uint64_t stride) {
    return ((uint64_t)f->last - f->first) / stride + 1;
}

void survey_samples(survey *s, uint64_t stride, uint64_t begin, uint64_t end) {
    static float x[SURVEY_BLOCK];
    size_t count = 0;
    for (uint64_t i = begin; i < end; i++) {
        uint32_t bits = (uint32_t)(s->function->first + i * stride);
        memcpy(&x[count++], &bits, sizeof bits);
        if (count == SURVEY_BLOCK || i + 1 == end) {
            survey_floats(s, count, x);
            count = 0;
        }
    }
}

/* ---- Result ---------------------------------------------------------------------------------- */

/* A comparison that a NaN fails. */
static bool table_is_passed(const survey *s, size_t t) {
    const table_survey *result = &s->results[t];
    return result->worst <= function_bound(s->tables.at[t]) && result->different == 0;
}

bool survey_is_passed(const survey *s) {
    bool passed = !s->reference_failed;
    for (size_t t = 0; t < s->tables.count; t++)
        passed = passed && table_is_passed(s, t);
    return passed;
}

static void print_table(const survey *s, size_t t, FILE *file) {
    const tnni_kernels *table = s->tables.at[t];
    const table_survey *result = &s->results[t];
    fprintf(
        file, "%-13s  %-8s  %.6f ulp at %-16a  bound %g  bits %016" PRIx64 "  %s\n",
        s->function->name, table->name, result->worst, result->worst_at, function_bound(table),
        result->hash, table_is_passed(s, t) ? "passed" : "FAILED");
    if (result->different > 0)
        fprintf(
            file, "%-13s  %-8s  other bits than %s for %" PRIu64 " floats, first %a\n",
            s->function->name, table->name, s->tables.fused->name, result->different,
            result->different_at);
}

void print_survey(const survey *s, FILE *file) {
    for (size_t t = 0; t < s->tables.count; t++)
        print_table(s, t, file);
    if (s->reference_failed)
        fprintf(
            file, "%s: this C library's function in double is too far from that in long double\n",
            s->function->name);
}
