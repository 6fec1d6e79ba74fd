/*
 * test_activation.c: every built-in activation in every kernel table against its formula in long
 * double, forward and backward; what becomes of NaN and infinity; a user's vtable made from ours.
 *
 * Bounds are counted in epsilon = 2^-23. A rounding costs half of one, relatively; an elementary
 * function costs k, its bound in ulp: 2 in fused tables, 4 in others. Backward is judged by what it
 * reads, a or z, so that forward's error is not counted twice.
 */
#include "support/softmax.h"

#include "activation.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The parameters of leaky_relu and elu in these tests. */
#define SLOPE 0.125f
#define ALPHA 0.75f

/* ---- Formulas -------------------------------------------------------------------------------- */

typedef long double formula(long double source);

/* Klambauer et al. 2017, to more digits than long double has. */
static const long double SELU_LAMBDA = 1.05070098735548049341933498529L;
static const long double SELU_ALPHA = 1.67326324235437728481704299167L;

static long double identity(long double z) {
    return z;
}

static long double relu(long double z) {
    return z > 0 ? z : 0;
}

static long double leaky_relu(long double z) {
    return z > 0 ? z : (long double)SLOPE * z;
}

static long double sigmoid(long double z) {
    return 1 / (1 + expl(-z));
}

static long double elu(long double z) {
    return z > 0 ? z : (long double)ALPHA * expm1l(z);
}

static long double selu(long double z) {
    return SELU_LAMBDA * (z > 0 ? z : SELU_ALPHA * expm1l(z));
}

static long double softplus(long double z) {
    return fmaxl(z, 0) + log1pl(expl(-fabsl(z)));
}

static long double softsign(long double z) {
    return z / (1 + fabsl(z));
}

static long double silu(long double z) {
    return z * sigmoid(z);
}

static long double normal_share(long double z) {
    return erfcl(-z * sqrtl(0.5L)) / 2;
}

static long double normal_density(long double z) {
    return expl(-z * z / 2) * sqrtl(0.5L / acosl(-1));
}

static long double gelu(long double z) {
    return z * normal_share(z);
}

static long double hard_sigmoid(long double z) {
    return fminl(fmaxl(z / 6 + 0.5L, 0), 1);
}

static long double hard_tanh(long double z) {
    return fminl(fmaxl(z, -1), 1);
}

static long double one(long double source) {
    (void)source;
    return 1;
}

static long double step_at_0(long double a) {
    return a > 0 ? 1 : 0;
}

static long double leaky_slope(long double a) {
    return a > 0 ? 1 : (long double)SLOPE;
}

static long double sigmoid_slope(long double a) {
    return a * (1 - a);
}

static long double tanh_slope(long double a) {
    return 1 - a * a;
}

static long double elu_slope(long double a) {
    return a > 0 ? 1 : a + (long double)ALPHA;
}

static long double selu_slope(long double a) {
    return a > 0 ? SELU_LAMBDA : a + SELU_LAMBDA * SELU_ALPHA;
}

static long double softsign_slope(long double z) {
    return 1 / ((1 + fabsl(z)) * (1 + fabsl(z)));
}

static long double silu_slope(long double z) {
    return sigmoid(z) * (1 + z * sigmoid(-z));
}

static long double gelu_slope(long double z) {
    return normal_share(z) + z * normal_density(z);
}

static long double hard_sigmoid_slope(long double a) {
    return a > 0 && a < 1 ? 1 / 6.0L : 0;
}

static long double hard_tanh_slope(long double a) {
    return fabsl(a) < 1 ? 1 : 0;
}

/* ---- Bounds ---------------------------------------------------------------------------------- */

/* In epsilon, from what was read, the exact result, and k. */
typedef double error_bound(double source, double result, double k);

static double exactly(double source, double result, double k) {
    (void)source, (void)result, (void)k;
    return 0;
}

static double one_rounding(double source, double result, double k) {
    (void)source, (void)k;
    return 0.5 * fabs(result);
}

static double two_roundings(double source, double result, double k) {
    (void)source, (void)k;
    return fabs(result);
}

static double three_roundings(double source, double result, double k) {
    (void)source, (void)k;
    return 1.5 * fabs(result);
}

static double one_function(double source, double result, double k) {
    (void)source;
    return k * fabs(result);
}

static double function_and_rounding(double source, double result, double k) {
    (void)source;
    return (k + 0.5) * fabs(result);
}

/* The constant, the function or z, and their product. */
static double selu_bound(double source, double result, double k) {
    (void)source;
    return (k + 1) * fabs(result);
}

/* exp's k times the slope of log1p, which is at most log1p / exp; log1p's own k; the sum. */
static double softplus_bound(double source, double result, double k) {
    (void)source;
    return (2 * k + 0.5) * fabs(result);
}

/*
 * Phi = 1/2 + erf(x) / 2. Two roundings of x = z / sqrt 2 move erf by x erf'(x) <= 0.49 epsilon,
 * its own error is k, the sum costs 1/2.
 */
static double normal_share_error(double k) {
    return 0.25 + k / 2 + 0.5;
}

static double gelu_bound(double z, double result, double k) {
    return fabs(z) * normal_share_error(k) + 0.5 * fabs(result);
}

/* |z| / 6 <= 1/2 with its constant and product, the sum <= 1. */
static double hard_sigmoid_bound(double source, double result, double k) {
    (void)source, (void)result, (void)k;
    return 0.25 + 0.25 + 0.5;
}

/* 1 - a^2, of which a^2 is rounded in unfused tables only; times the gradient. */
static double tanh_slope_bound(double a, double slope, double k) {
    return fabs(slope) + (k > 2 ? 0.5 * a * a : 0);
}

/* The constant 1.76, the sum, the product. */
static double selu_slope_bound(double source, double slope, double k) {
    (void)source, (void)k;
    return 0.9 + fabs(slope);
}

/* Sum and quotient, both twice in the square, the square and the product. */
static double softsign_slope_bound(double source, double slope, double k) {
    (void)source, (void)k;
    return 3 * fabs(slope);
}

/* s (1 + z s'), s and s' each good to k: errors of z s', of the sum, of s, two products. */
static double silu_slope_bound(double z, double slope, double k) {
    double s = (double)sigmoid(z), rest = fabs(z) * (double)sigmoid(-z);
    (void)slope;
    return s * (rest * (k + 0.5) + fabs(1 + z * (double)sigmoid(-z)) * (k + 1.5));
}

/*
 * Phi + z phi. In phi the rounding of z^2 moves the exponent by z^2 / 4 epsilon; exp, the constant
 * and two products; the sum and the product with the gradient.
 */
static double gelu_slope_bound(double z, double slope, double k) {
    double density = fabs(z) * (double)normal_density(z);
    return normal_share_error(k) + density * (z * z / 4 + k + 1.5) + fabs(slope);
}

/* ---- The catalogue --------------------------------------------------------------------------- */

typedef struct entry {
    const char *name;
    tnni_activation_kind kind;
    float parameter;
    formula *value;
    error_bound *value_bound;
    bool needs_input; /* slope reads z, otherwise a */
    formula *slope;
    error_bound *slope_bound;
} entry;

static const entry entries[] = {
    {"identity", TNNI_IDENTITY, 0, identity, exactly, false, one, exactly},
    {"relu", TNNI_RELU, 0, relu, exactly, false, step_at_0, exactly},
    {"leaky_relu", TNNI_LEAKY_RELU, SLOPE, leaky_relu, one_rounding, false, leaky_slope,
     one_rounding},
    {"sigmoid", TNNI_SIGMOID, 0, sigmoid, one_function, false, sigmoid_slope, three_roundings},
    {"tanh", TNNI_TANH, 0, tanhl, one_function, false, tanh_slope, tanh_slope_bound},
    {"elu", TNNI_ELU, ALPHA, elu, function_and_rounding, false, elu_slope, two_roundings},
    {"selu", TNNI_SELU, 0, selu, selu_bound, false, selu_slope, selu_slope_bound},
    {"softplus", TNNI_SOFTPLUS, 0, softplus, softplus_bound, true, sigmoid, function_and_rounding},
    {"softsign", TNNI_SOFTSIGN, 0, softsign, two_roundings, true, softsign_slope,
     softsign_slope_bound},
    {"silu", TNNI_SILU, 0, silu, function_and_rounding, true, silu_slope, silu_slope_bound},
    {"gelu", TNNI_GELU, 0, gelu, gelu_bound, true, gelu_slope, gelu_slope_bound},
    {"hard_sigmoid", TNNI_HARD_SIGMOID, 0, hard_sigmoid, hard_sigmoid_bound, false,
     hard_sigmoid_slope, two_roundings},
    {"hard_tanh", TNNI_HARD_TANH, 0, hard_tanh, exactly, false, hard_tanh_slope, exactly},
};

enum { ENTRIES = COUNT_OF(entries) };

static const entry *entry_of(void **state) {
    return &entries[(uintptr_t)*state];
}

/* ---- Values and slopes ----------------------------------------------------------------------- */

enum { NUMBERS = 60000 };

typedef struct numbers {
    float z[NUMBERS], a[NUMBERS], gradient[NUMBERS], delta[NUMBERS];
    float fused_a[NUMBERS], fused_delta[NUMBERS];
} numbers;

/* Where functions bend, where they saturate and under- or overflow, and the kinks. */
static numbers *new_numbers(void) {
    static const float points[] = {0,       -0.0f,     1,          -1,    3,      -3,    1e-30f,
                                   -1e-30f, 0x1p-149f, -0x1p-149f, 1e10f, -1e10f, 1e38f, -1e38f};
    static numbers n;
    uint64_t random = 1;
    size_t third = NUMBERS / 3;
    fill_random(n.z, third, &random, -6, 6);
    fill_random(n.z + third, third, &random, -110, 100);
    fill_random(n.z + 2 * third, third, &random, -0.01f, 0.01f);
    memcpy(n.z, points, sizeof points);
    fill_random(n.gradient, NUMBERS, &random, -2, 2);
    return &n;
}

/* Denormal results have no relative accuracy: some of their last places instead. */
static void check_figure(
    const char *what, const tnni_kernels *table, float source, float actual, long double exact,
    double bound) {
    double floor = 0x1p-149 * (function_bound(table) + 1) * (2 + fmin(fabs((double)source), 200));
    double error = (double)fabsl(actual - exact);
    if (error <= bound * 0x1p-23 + floor)
        return;
    print_error(
        "%s: %s at %a is %a, %.10Lg expected, off by %.3g where %.3g is allowed\n", table->name,
        what, source, actual, exact, error, bound * 0x1p-23 + floor);
    fail();
}

static void run_activation(const entry *e, const tnni_kernels *table, numbers *n) {
    const tnni_activation_kernel *kernel = &table->activations[e->kind];
    memcpy(n->delta, n->gradient, sizeof n->delta);
    kernel->forward(e->parameter, 1, NUMBERS, n->z, n->a);
    kernel->backward(e->parameter, 1, NUMBERS, e->needs_input ? n->z : NULL, n->a, n->delta);
}

static void test_activation_value_is_within_its_bound(void **state) {
    const entry *e = entry_of(state);
    numbers *n = new_numbers();
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        run_activation(e, tables.at[t], n);
        for (size_t i = 0; i < NUMBERS; i++) {
            long double exact = e->value(n->z[i]);
            double bound = e->value_bound(n->z[i], (double)exact, function_bound(tables.at[t]));
            check_figure(e->name, tables.at[t], n->z[i], n->a[i], exact, bound);
        }
    }
}

static void test_activation_gradient_is_within_its_bound(void **state) {
    const entry *e = entry_of(state);
    numbers *n = new_numbers();
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        run_activation(e, tables.at[t], n);
        for (size_t i = 0; i < NUMBERS; i++) {
            float source = e->needs_input ? n->z[i] : n->a[i];
            long double slope = e->slope(source), g = n->gradient[i];
            double bound = e->slope_bound(source, (double)slope, function_bound(tables.at[t]));
            check_figure(
                e->name, tables.at[t], source, n->delta[i], g * slope, fabs((double)g) * bound);
        }
    }
}

static void test_activation_has_the_same_bits_in_fused_tables(void **state) {
    const entry *e = entry_of(state);
    numbers *n = new_numbers();
    kernel_tables tables = find_kernel_tables();
    if (tables.fused == NULL)
        skip();
    run_activation(e, tables.fused, n);
    memcpy(n->fused_a, n->a, sizeof n->a);
    memcpy(n->fused_delta, n->delta, sizeof n->delta);
    for (size_t t = 0; t < tables.count; t++) {
        if (!repeats_fused(&tables, tables.at[t]))
            continue;
        run_activation(e, tables.at[t], n);
        assert_same_bits(n->a, n->fused_a, NUMBERS);
        assert_same_bits(n->delta, n->fused_delta, NUMBERS);
    }
}

/* ---- Shape ----------------------------------------------------------------------------------- */

enum { MOST_COUNT = 40 };

/* Any number of rows and units, a in the place of z unless backward reads it, no write past. */
static void check_count(const entry *e, const tnni_kernels *table, numbers *n, size_t count) {
    const tnni_activation_kernel *kernel = &table->activations[e->kind];
    const float canary = 12345;
    float a[MOST_COUNT + 1], delta[MOST_COUNT + 1];
    const float *z = e->needs_input ? n->z : NULL;
    memcpy(a, n->z, sizeof a);
    memcpy(delta, n->gradient, sizeof delta);
    a[count] = delta[count] = canary;
    kernel->forward(e->parameter, count, 1, e->needs_input ? n->z : a, a);
    kernel->backward(e->parameter, 1, count, z, a, delta);
    assert_same_bits(a, n->a, count);
    assert_same_bits(delta, n->delta, count);
    assert_true(a[count] == canary && delta[count] == canary);
}

static void test_activation_is_the_same_in_every_lane_and_in_place(void **state) {
    const entry *e = entry_of(state);
    numbers *n = new_numbers();
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        run_activation(e, tables.at[t], n);
        for (size_t count = 0; count <= MOST_COUNT; count++)
            check_count(e, tables.at[t], n, count);
    }
}

/* ---- Special values -------------------------------------------------------------------------- */

static float value_at(const tnni_kernels *table, tnni_activation_kind kind, float z) {
    float a;
    table->activations[kind].forward(kind == TNNI_ELU ? ALPHA : SLOPE, 1, 1, &z, &a);
    return a;
}

static void test_activation_of_nan_is_nan(void **state) {
    const entry *e = entry_of(state);
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        float a[20], z[20];
        for (size_t i = 0; i < COUNT_OF(z); i++)
            z[i] = i % 2 ? NAN : -NAN;
        tables.at[t]->activations[e->kind].forward(e->parameter, 4, 5, z, a);
        for (size_t i = 0; i < COUNT_OF(z); i++)
            assert_true(isnan(a[i]));
    }
}

static void assert_float(float actual, float expected) {
    assert_same_bits(&actual, &expected, 1);
}

static void test_activation_relu_of_a_negative_zero_is_a_positive_one(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        assert_float(value_at(tables.at[t], TNNI_RELU, -0.0f), 0.0f);
        assert_float(value_at(tables.at[t], TNNI_RELU, 0.0f), 0.0f);
        assert_float(value_at(tables.at[t], TNNI_RELU, -1.0f), 0.0f);
        assert_float(value_at(tables.at[t], TNNI_RELU, -INFINITY), 0.0f);
    }
}

/* Not in the list: where the formula is infinity times 0 or over infinity, there is no value. */
static void test_activation_of_infinity_is_the_limit(void **state) {
    (void)state;
    static const struct {
        tnni_activation_kind kind;
        float low, high;
    } limits[] = {
        {TNNI_IDENTITY, -INFINITY, INFINITY},
        {TNNI_RELU, 0, INFINITY},
        {TNNI_LEAKY_RELU, -INFINITY, INFINITY},
        {TNNI_SIGMOID, 0, 1},
        {TNNI_TANH, -1, 1},
        {TNNI_ELU, -ALPHA, INFINITY},
        {TNNI_SELU, -1.75809934f, INFINITY},
        {TNNI_SOFTPLUS, 0, INFINITY},
        {TNNI_HARD_SIGMOID, 0, 1},
        {TNNI_HARD_TANH, -1, 1},
    };
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        for (size_t i = 0; i < COUNT_OF(limits); i++) {
            assert_float(value_at(tables.at[t], limits[i].kind, -INFINITY), limits[i].low);
            assert_float(value_at(tables.at[t], limits[i].kind, INFINITY), limits[i].high);
        }
        assert_float(value_at(tables.at[t], TNNI_SILU, INFINITY), INFINITY);
        assert_float(value_at(tables.at[t], TNNI_GELU, INFINITY), INFINITY);
    }
}

static void test_activation_slope_is_0_where_relu_is_0(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        const float a[] = {0.0f, 0x1p-149f};
        float gradient[] = {3, 3};
        tables.at[t]->activations[TNNI_RELU].backward(0, 1, 2, NULL, a, gradient);
        assert_float(gradient[0], 0);
        assert_float(gradient[1], 3);
    }
}

/* ---- Softmax --------------------------------------------------------------------------------- */

enum { MOST_UNITS = 1000, SOFTMAX_ROWS = 3 };

static const size_t unit_counts[] = {1, 2, 3, 7, 15, 16, 17, 31, 32, 33, 100, 255, MOST_UNITS};

static void check_softmax_row(
    const tnni_kernels *table, size_t units, const float *z, const float *a) {
    static softmax_row row;
    double sum = 0, allowed = 0;
    compute_softmax_row(&row, units, z);
    for (size_t i = 0; i < units; i++) {
        double bound = softmax_bound(table, &row, i);
        assert_within(a[i], (double)row.exact[i], bound);
        sum += a[i];
        allowed += bound;
    }
    assert_within(sum, 1, allowed);
}

static void check_softmax(const kernel_tables *tables, float low, float high) {
    static float z[SOFTMAX_ROWS * MOST_UNITS], a[COUNT_OF(z)], fused[COUNT_OF(z)];
    uint64_t random = 1;
    for (size_t c = 0; c < COUNT_OF(unit_counts); c++) {
        size_t units = unit_counts[c];
        fill_random(z, SOFTMAX_ROWS * units, &random, low, high);
        if (tables->fused != NULL)
            softmax(tables->fused, SOFTMAX_ROWS, units, z, fused);
        for (size_t t = 0; t < tables->count; t++) {
            softmax(tables->at[t], SOFTMAX_ROWS, units, z, a);
            for (size_t r = 0; r < SOFTMAX_ROWS; r++)
                check_softmax_row(tables->at[t], units, z + r * units, a + r * units);
            if (repeats_fused(tables, tables->at[t]))
                assert_same_bits(a, fused, SOFTMAX_ROWS * units);
        }
    }
}

static void test_activation_softmax_is_within_its_bound_and_sums_to_1(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    check_softmax(&tables, -1, 1);
    check_softmax(&tables, -20, 20);
    check_softmax(&tables, -120, 0);
}

static void test_activation_softmax_is_within_its_bound_when_logits_are_big(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    check_softmax(&tables, 1e4f, 1.001e4f);
    check_softmax(&tables, -1e30f, 1e30f);
    check_softmax(&tables, -FLT_MAX, FLT_MAX);
}

/* Subtracting the maximum takes a common summand out to the last bit. */
static void test_activation_softmax_does_not_change_when_all_logits_shift(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        float z[19], shifted[19], a[19], b[19];
        for (size_t i = 0; i < COUNT_OF(z); i++) {
            z[i] = (float)(i * 7 % 19) / 8;
            shifted[i] = z[i] - 4096;
        }
        softmax(tables.at[t], 1, COUNT_OF(z), z, a);
        softmax(tables.at[t], 1, COUNT_OF(z), shifted, b);
        assert_same_bits(a, b, COUNT_OF(z));
    }
}

static void test_activation_softmax_of_minus_infinity_is_0(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        const float z[] = {1, -INFINITY, 1, 1, -INFINITY, 1};
        const float expected[] = {0.25f, 0, 0.25f, 0.25f, 0, 0.25f};
        float a[6];
        softmax(tables.at[t], 1, 6, z, a);
        assert_same_bits(a, expected, 6);
    }
}

/* Wherever the NaN stands: in a whole vector or in the tail, first or last. */
static void test_activation_softmax_is_nan_in_a_row_with_a_nan_and_in_no_other(void **state) {
    (void)state;
    enum { UNITS = 37 };
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        for (size_t at = 0; at < UNITS; at++) {
            float z[2 * UNITS] = {0}, a[2 * UNITS];
            z[at] = NAN;
            softmax(tables.at[t], 2, UNITS, z, a);
            for (size_t i = 0; i < UNITS; i++) {
                assert_true(isnan(a[i]));
                assert_within(a[UNITS + i], 1.0 / UNITS, 8 * 0x1p-23 / UNITS);
            }
        }
    }
}

/* Sums of n products as in test_kernels.c, then a difference and a product of one rounding each. */
static void check_softmax_gradient_row(
    size_t units, const float *a, const float *gradient, const float *delta) {
    double mean = 0, size = 0, m = ((double)units + 2) * 0x1p-24;
    for (size_t j = 0; j < units; j++) {
        mean += (double)a[j] * gradient[j];
        size += fabs((double)a[j] * gradient[j]);
    }
    for (size_t i = 0; i < units; i++) {
        double difference = gradient[i] - mean;
        double bound = m / (1 - m) * size + 2 * 0x1p-24 * fabs(difference);
        assert_within(delta[i], a[i] * difference, a[i] * bound + 2 * 0x1p-149);
    }
}

static void test_activation_softmax_gradient_is_within_its_bound(void **state) {
    (void)state;
    static float z[2 * MOST_UNITS], a[COUNT_OF(z)], gradient[COUNT_OF(z)], delta[COUNT_OF(z)];
    static float fused[COUNT_OF(z)];
    kernel_tables tables = find_kernel_tables();
    uint64_t random = 1;
    for (size_t c = 0; c < COUNT_OF(unit_counts); c++) {
        size_t units = unit_counts[c];
        fill_random(z, 2 * units, &random, -4, 4);
        fill_random(gradient, 2 * units, &random, -2, 2);
        softmax(tables.at[0], 2, units, z, a);
        for (size_t t = 0; t < tables.count; t++) {
            memcpy(delta, gradient, sizeof delta);
            tables.at[t]->activations[TNNI_SOFTMAX].backward(0, 2, units, NULL, a, delta);
            check_softmax_gradient_row(units, a, gradient, delta);
            check_softmax_gradient_row(units, a + units, gradient + units, delta + units);
            if (tables.at[t] == tables.fused)
                memcpy(fused, delta, sizeof delta);
            if (repeats_fused(&tables, tables.at[t]))
                assert_same_bits(delta, fused, 2 * units);
        }
    }
}

/* ---- The public face ------------------------------------------------------------------------- */

static const struct {
    const char *name;
    tnn_activation (*make)(void);
    tnni_activation_kind kind;
} makers[] = {
    {"identity", tnn_identity, TNNI_IDENTITY},
    {"relu", tnn_relu, TNNI_RELU},
    {"sigmoid", tnn_sigmoid, TNNI_SIGMOID},
    {"tanh", tnn_tanh, TNNI_TANH},
    {"softmax", tnn_softmax, TNNI_SOFTMAX},
    {"selu", tnn_selu, TNNI_SELU},
    {"softplus", tnn_softplus, TNNI_SOFTPLUS},
    {"softsign", tnn_softsign, TNNI_SOFTSIGN},
    {"silu", tnn_silu, TNNI_SILU},
    {"gelu", tnn_gelu, TNNI_GELU},
    {"hard_sigmoid", tnn_hard_sigmoid, TNNI_HARD_SIGMOID},
    {"hard_tanh", tnn_hard_tanh, TNNI_HARD_TANH},
};

static void test_activation_vtable_bears_the_name_of_its_function(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(makers); i++) {
        tnn_activation activation = makers[i].make();
        assert_string_equal(activation.vtable->name, makers[i].name);
        assert_int_equal(tnni_activation_find(&activation), makers[i].kind);
    }
    tnn_activation leaky = tnn_leaky_relu(SLOPE), exponential = tnn_elu(ALPHA);
    assert_string_equal(leaky.vtable->name, "leaky_relu");
    assert_int_equal(tnni_activation_find(&leaky), TNNI_LEAKY_RELU);
    assert_true(leaky.parameter == SLOPE);
    assert_string_equal(exponential.vtable->name, "elu");
    assert_int_equal(tnni_activation_find(&exponential), TNNI_ELU);
    assert_true(exponential.parameter == ALPHA);
}

static void test_activation_zero_is_the_identity(void **state) {
    (void)state;
    const tnn_activation nothing = {0};
    assert_int_equal(tnni_activation_find(&nothing), TNNI_IDENTITY);
    tnn_layer layer = {.units = 1, .initializer = tnn_constant(1)};
    tnn_net *net = new_net(1, &layer, 1, NULL);
    const float x[] = {-2.5f};
    float y;
    assert_ok(tnn_forward(net, 1, x, &y));
    assert_true(y == -2.5f);
    tnn_net_destroy(net);
}

/* A net 3-5-2 with the activation on both layers, after some steps. */
static tnn_net *new_trained_net(tnn_activation activation) {
    const tnn_initializer initializer = tnn_glorot_normal();
    const tnn_layer layers[] = {
        {.units = 5, .activation = activation, .initializer = initializer},
        {.units = 2, .activation = activation, .initializer = initializer}};
    const float x[] = {0.5f, -1, 0.25f, 1, 1, -0.5f, -2, 0.75f, 1.5f, 0, 3, -1};
    const float target[] = {0.25f, 0.75f, 0.5f, 0.5f, 0, 1, 0.125f, -0.5f};
    const tnn_dataset batch = {.rows = 4, .x = x, .target = target};
    tnn_net *net = new_net(3, layers, 2, NULL);
    tnn_optimizer *optimizer = new_optimizer(net, 0.125f);
    for (int i = 0; i < 5; i++)
        assert_ok(tnn_train(net, optimizer, tnn_mean_squared_error(), &batch, NULL));
    assert_ok(tnn_forward(net, 4, x, NULL));
    assert_ok(tnn_backward(net, tnn_mean_squared_error(), target, NULL));
    tnn_optimizer_destroy(optimizer);
    return net;
}

/* Our vtable, copied under another name, is a user's: it goes through its functions. */
static void test_activation_copied_vtable_works_under_another_name(void **state) {
    (void)state;
    for (size_t i = 0; i + 1 < ACTIVATIONS; i++) {
        tnn_activation original = activation_at(i).library, copy = original;
        tnn_activation_vtable vtable = *original.vtable;
        vtable.name = "copied";
        copy.vtable = &vtable;
        assert_int_equal(tnni_activation_find(&copy), TNNI_ACTIVATION_KINDS);
        tnn_net *expected = new_trained_net(original), *actual = new_trained_net(copy);
        assert_same_net(actual, expected);
        tnn_net_destroy(expected);
        tnn_net_destroy(actual);
    }
}

/* ---- All of it ------------------------------------------------------------------------------- */

typedef struct family {
    const char *behaviour;
    CMUnitTestFunction test;
} family;

static const family families[] = {
    {"value_is_within_its_bound", test_activation_value_is_within_its_bound},
    {"gradient_is_within_its_bound", test_activation_gradient_is_within_its_bound},
    {"has_the_same_bits_in_fused_tables", test_activation_has_the_same_bits_in_fused_tables},
    {"is_the_same_in_every_lane_and_in_place",
     test_activation_is_the_same_in_every_lane_and_in_place},
    {"of_nan_is_nan", test_activation_of_nan_is_nan},
};

static const struct CMUnitTest other_tests[] = {
    cmocka_unit_test(test_activation_relu_of_a_negative_zero_is_a_positive_one),
    cmocka_unit_test(test_activation_of_infinity_is_the_limit),
    cmocka_unit_test(test_activation_slope_is_0_where_relu_is_0),
    cmocka_unit_test(test_activation_softmax_is_within_its_bound_and_sums_to_1),
    cmocka_unit_test(test_activation_softmax_is_within_its_bound_when_logits_are_big),
    cmocka_unit_test(test_activation_softmax_does_not_change_when_all_logits_shift),
    cmocka_unit_test(test_activation_softmax_of_minus_infinity_is_0),
    cmocka_unit_test(test_activation_softmax_is_nan_in_a_row_with_a_nan_and_in_no_other),
    cmocka_unit_test(test_activation_softmax_gradient_is_within_its_bound),
    cmocka_unit_test(test_activation_vtable_bears_the_name_of_its_function),
    cmocka_unit_test(test_activation_zero_is_the_identity),
    cmocka_unit_test(test_activation_copied_vtable_works_under_another_name),
};

enum { FAMILIES = COUNT_OF(families), OTHERS = COUNT_OF(other_tests) };

int main(void) {
    static char names[FAMILIES][ENTRIES][96];
    struct CMUnitTest tests[OTHERS + FAMILIES * ENTRIES];
    memcpy(tests, other_tests, sizeof other_tests);
    struct CMUnitTest *test = tests + OTHERS;
    for (size_t i = 0; i < FAMILIES; i++) {
        for (size_t e = 0; e < ENTRIES; e++) {
            snprintf(
                names[i][e], sizeof names[i][e], "test_activation_%s_%s", entries[e].name,
                families[i].behaviour);
            *test++ = (struct CMUnitTest){
                .name = names[i][e],
                .test_func = families[i].test,
                .initial_state = (void *)(uintptr_t)e};
        }
    }
    return cmocka_run_group_tests_name("activation", tests, NULL, NULL);
}
