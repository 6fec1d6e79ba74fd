/*
 * test_math.c: the elementary functions of every kernel table against long double, over a stride of
 * all floats and densely where the function is interesting; the bounds are those of
 * docs/numerics.md and kernels/math.h. The same bits from all fused tables.
 */
#include "support/kernel_tables.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double FUSED_BOUND = 2, UNFUSED_BOUND = 4;

/* ---- The functions --------------------------------------------------------------------------- */

static long double exact_sigmoid(long double x) {
    return 1 / (1 + expl(-x));
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

typedef struct function {
    const char *name;
    tnni_map_kernel *(*map)(const tnni_kernels *table);
    long double (*exact)(long double x);
    float low, high;           /* where it is neither constant nor a straight line */
    uint32_t first, last;      /* the bits of the floats of its domain */
    float odd_one, odd_answer; /* a point with an exact answer */
} function;

#define ALL_FLOATS 0, UINT32_MAX
#define UNIT_FLOATS 0, 0x3f800000

static const function functions[] = {
    {"exp", map_exp, expl, -104, 89, ALL_FLOATS, 0, 1},
    {"expm1", map_expm1, expm1l, -18, 89, ALL_FLOATS, -0.0f, -0.0f},
    {"log", map_log, logl, 0.25f, 4, ALL_FLOATS, 1, 0},
    {"log1p_of_unit", map_log1p_of_unit, log1pl, 0, 1, UNIT_FLOATS, 0, 0},
    {"tanh", map_tanh, tanhl, -10, 10, ALL_FLOATS, -0.0f, -0.0f},
    {"sigmoid", map_sigmoid, exact_sigmoid, -104, 18, ALL_FLOATS, 0, 0.5f},
    {"erf", map_erf, erfl, -4, 4, ALL_FLOATS, -0.0f, -0.0f},
};

enum { FUNCTIONS = COUNT_OF(functions), BLOCK = 4096 };

/* ---- Accuracy -------------------------------------------------------------------------------- */

typedef struct sampled {
    float x[BLOCK], y[BLOCK], fused[BLOCK];
    long double exact[BLOCK];
} sampled;

static void check_error(
    const function *f, const tnni_kernels *table, float x, float y, long double exact) {
    double error = float_ulps(y, exact);
    if (error <= (table->fused ? FUSED_BOUND : UNFUSED_BOUND))
        return;
    print_error(
        "%s: %s(%a) is %a, %.10Lg expected, off by %g ulp\n", table->name, f->name, x, y, exact,
        error);
    fail();
}

/* A NaN's payload and sign are not promised. */
static void check_bits(
    const function *f, const tnni_kernels *table, float x, float y, float fused) {
    if (memcmp(&y, &fused, sizeof y) == 0 || (isnan(y) && isnan(fused)))
        return;
    print_error("%s: %s(%a) is %a, not %a\n", table->name, f->name, x, y, fused);
    fail();
}

static void check_block(const function *f, const kernel_tables *tables, sampled *s, size_t count) {
    for (size_t i = 0; i < count; i++)
        s->exact[i] = f->exact(s->x[i]);
    if (tables->fused != NULL)
        f->map(tables->fused)(count, s->x, s->fused);
    for (size_t t = 0; t < tables->count; t++) {
        const tnni_kernels *table = tables->at[t];
        f->map(table)(count, s->x, s->y);
        for (size_t i = 0; i < count; i++) {
            if (repeats_fused(tables, table))
                check_bits(f, table, s->x[i], s->y[i], s->fused[i]);
            else
                check_error(f, table, s->x[i], s->y[i], s->exact[i]);
        }
    }
}

/* A prime, so that the low bits of the samples take all values: a million samples. */
static const uint32_t STRIDE = 4099;

static void test_math_function_is_within_its_bound_over_a_stride_of_all_floats(void **state) {
    const function *f = &functions[(uintptr_t)*state];
    static sampled s;
    kernel_tables tables = find_kernel_tables();
    size_t count = 0;
    for (uint64_t bits = f->first; bits <= f->last; bits += STRIDE) {
        uint32_t narrow = (uint32_t)bits;
        memcpy(&s.x[count++], &narrow, sizeof narrow);
        if (count == BLOCK || bits + STRIDE > f->last) {
            check_block(f, &tables, &s, count);
            count = 0;
        }
    }
}

static void test_math_function_is_within_its_bound_where_it_is_interesting(void **state) {
    const function *f = &functions[(uintptr_t)*state];
    static sampled s;
    kernel_tables tables = find_kernel_tables();
    uint64_t random = (uintptr_t)*state;
    for (size_t block = 0; block < 128; block++) {
        fill_random(s.x, BLOCK, &random, f->low, f->high);
        check_block(f, &tables, &s, BLOCK);
    }
}

/* ---- Special values -------------------------------------------------------------------------- */

static float value_of(tnni_map_kernel *map, float x) {
    float y;
    map(1, &x, &y);
    return y;
}

static void assert_float(float actual, float expected) {
    assert_same_bits(&actual, &expected, 1);
}

static void test_math_function_of_nan_is_nan(void **state) {
    const function *f = &functions[(uintptr_t)*state];
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        assert_true(isnan(value_of(f->map(tables.at[t]), NAN)));
        assert_true(isnan(value_of(f->map(tables.at[t]), -NAN)));
    }
}

static void test_math_function_has_its_exact_value(void **state) {
    const function *f = &functions[(uintptr_t)*state];
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++)
        assert_float(value_of(f->map(tables.at[t]), f->odd_one), f->odd_answer);
}

static void test_math_functions_have_their_limits(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        const tnni_kernels *table = tables.at[t];
        assert_float(value_of(table->exp, INFINITY), INFINITY);
        assert_float(value_of(table->exp, -INFINITY), 0);
        assert_float(value_of(table->exp, FLT_MAX), INFINITY);
        assert_true(isfinite(value_of(table->exp, 88.72283f)));
        assert_float(value_of(table->exp, 88.72284f), INFINITY);
        assert_float(value_of(table->exp, -103.28f), 0x1p-149f);
        assert_float(value_of(table->expm1, INFINITY), INFINITY);
        assert_float(value_of(table->expm1, -INFINITY), -1);
        assert_float(value_of(table->log, INFINITY), INFINITY);
        assert_float(value_of(table->log, 0), -INFINITY);
        assert_float(value_of(table->log, -0.0f), -INFINITY);
        assert_true(isnan(value_of(table->log, -0x1p-149f)));
        assert_true(isnan(value_of(table->log, -1)));
        assert_true(isnan(value_of(table->log, -INFINITY)));
        assert_float(value_of(table->tanh, INFINITY), 1);
        assert_float(value_of(table->tanh, -INFINITY), -1);
        assert_float(value_of(table->sigmoid, INFINITY), 1);
        assert_float(value_of(table->sigmoid, -INFINITY), 0);
        assert_float(value_of(table->erf, INFINITY), 1);
        assert_float(value_of(table->erf, -INFINITY), -1);
    }
}

/* ---- Shape ----------------------------------------------------------------------------------- */

enum { NUMBERS = 20000 };

static void map_numbers(tnni_map_kernel *map, float low, float high, float *x, float *y) {
    for (size_t i = 0; i < NUMBERS; i++)
        x[i] = low + (high - low) * (float)i / NUMBERS;
    map(NUMBERS, x, y);
}

static void check_odd(tnni_map_kernel *map, float high) {
    static float x[NUMBERS], y[NUMBERS], mirrored[NUMBERS];
    map_numbers(map, 0, high, x, y);
    for (size_t i = 0; i < NUMBERS; i++)
        x[i] = -x[i];
    map(NUMBERS, x, mirrored);
    for (size_t i = 0; i < NUMBERS; i++)
        assert_float(mirrored[i], -y[i]);
}

static void test_math_tanh_and_erf_are_odd(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        check_odd(tables.at[t]->tanh, 12);
        check_odd(tables.at[t]->erf, 5);
    }
}

static void check_range(tnni_map_kernel *map, float end, float low, float high) {
    static float x[NUMBERS], y[NUMBERS];
    map_numbers(map, -end, end, x, y);
    for (size_t i = 0; i < NUMBERS; i++)
        assert_true(y[i] >= low && y[i] <= high);
}

/* 1 - a^2 and a (1 - a) must not become negative. */
static void test_math_tanh_sigmoid_and_erf_stay_in_their_range(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        check_range(tables.at[t]->tanh, 20, -1, 1);
        check_range(tables.at[t]->sigmoid, 120, 0, 1);
        check_range(tables.at[t]->erf, 6, -1, 1);
    }
}

/* An element depends on its x alone, whatever lane it falls into, and nothing else is written. */
static void check_every_count(const function *f, const tnni_kernels *table) {
    enum { MOST = 40 };
    static const float canary = 12345;
    float x[MOST], whole[MOST], y[MOST + 1];
    uint64_t random = 5;
    fill_random(x, MOST, &random, f->low, f->high);
    for (size_t i = 0; i < MOST; i++)
        whole[i] = value_of(f->map(table), x[i]);
    for (size_t count = 0; count <= MOST; count++) {
        for (size_t i = 0; i <= MOST; i++)
            y[i] = canary;
        f->map(table)(count, x, y);
        assert_same_bits(y, whole, count);
        for (size_t i = count; i <= MOST; i++)
            assert_float(y[i], canary);
    }
}

static void test_math_function_is_the_same_in_every_lane_and_count(void **state) {
    const function *f = &functions[(uintptr_t)*state];
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++)
        check_every_count(f, tables.at[t]);
}

/* ---- All of it ------------------------------------------------------------------------------- */

typedef struct family {
    const char *behaviour;
    CMUnitTestFunction test;
} family;

static const family families[] = {
    {"is_within_its_bound_over_a_stride_of_all_floats",
     test_math_function_is_within_its_bound_over_a_stride_of_all_floats},
    {"is_within_its_bound_where_it_is_interesting",
     test_math_function_is_within_its_bound_where_it_is_interesting},
    {"of_nan_is_nan", test_math_function_of_nan_is_nan},
    {"has_its_exact_value", test_math_function_has_its_exact_value},
    {"is_the_same_in_every_lane_and_count", test_math_function_is_the_same_in_every_lane_and_count},
};

static const struct CMUnitTest other_tests[] = {
    cmocka_unit_test(test_math_functions_have_their_limits),
    cmocka_unit_test(test_math_tanh_and_erf_are_odd),
    cmocka_unit_test(test_math_tanh_sigmoid_and_erf_stay_in_their_range),
};

enum { FAMILIES = COUNT_OF(families), OTHERS = COUNT_OF(other_tests) };

int main(void) {
    static char names[FAMILIES][FUNCTIONS][96];
    struct CMUnitTest tests[OTHERS + FAMILIES * FUNCTIONS];
    memcpy(tests, other_tests, sizeof other_tests);
    struct CMUnitTest *test = tests + OTHERS;
    for (size_t i = 0; i < FAMILIES; i++) {
        for (size_t f = 0; f < FUNCTIONS; f++) {
            snprintf(
                names[i][f], sizeof names[i][f], "test_math_%s_%s", functions[f].name,
                families[i].behaviour);
            *test++ = (struct CMUnitTest){
                .name = names[i][f],
                .test_func = families[i].test,
                .initial_state = (void *)(uintptr_t)f};
        }
    }
    return cmocka_run_group_tests_name("math", tests, NULL, NULL);
}
