/*
 * test_math.c: the elementary functions of every kernel table against long double, over a stride of
 * all floats and densely where the function is interesting; the bounds are those of
 * docs/numerics.md. The same bits from all fused tables. tests/campaigns/math takes all floats.
 */
#include "support/functions.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- Accuracy -------------------------------------------------------------------------------- */

static void assert_passed(const survey *s) {
    if (survey_is_passed(s))
        return;
    print_survey(s, stderr);
    fail();
}

/* A prime, so that the low bits of the samples take all values: a million samples. */
static const uint64_t STRIDE = 4099;

static void test_math_function_is_within_its_bound_over_a_stride_of_all_floats(void **state) {
    const function *f = &functions[(uintptr_t)*state];
    survey s = begin_survey(f);
    survey_samples(&s, STRIDE, 0, survey_samples_of(f, STRIDE));
    assert_passed(&s);
}

static void test_math_function_is_within_its_bound_where_it_is_interesting(void **state) {
    const function *f = &functions[(uintptr_t)*state];
    static float x[SURVEY_BLOCK];
    survey s = begin_survey(f);
    uint64_t random = (uintptr_t)*state;
    for (size_t block = 0; block < 128; block++) {
        fill_random(x, SURVEY_BLOCK, &random, f->low, f->high);
        survey_floats(&s, SURVEY_BLOCK, x);
    }
    assert_passed(&s);
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
