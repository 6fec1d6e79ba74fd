/*
 * test_special.c: log, cosine, powers and the normal quantiles in double, against long double.
 *
 * Where long double is no wider than double the reference itself is a rounding or two off;
 * REFERENCE_ULPS allows for that and is next to nothing elsewhere.
 */
#include "support/test_nets.h"

#include "support/special.h"

#include <float.h>
#include <math.h>

#define REFERENCE_ULPS (2 * (double)(LDBL_EPSILON / DBL_EPSILON))

enum { SAMPLES = 200000 };

/* Distance in units of the last place that a double has at exact; 0 for the same infinity. */
static double ulps(double actual, long double exact) {
    if (isinf(actual) || isinf(exact))
        return (long double)actual == exact ? 0 : (double)INFINITY;
    int exponent = exact == 0 ? -1022 : ilogbl(exact);
    exponent = exponent < -1022 ? -1022 : exponent;
    return (double)(fabsl(actual - exact) / scalbnl(1, exponent - 52));
}

static double uniform(uint64_t *random, double low, double high) {
    return low + (high - low) * ((double)(next_random(random) >> 11) * 0x1p-53);
}

/* ---- log ------------------------------------------------------------------------------------- */

static void check_log(double x) {
    assert_within(ulps(tnni_log(x), logl(x)), 0, 1 + REFERENCE_ULPS);
}

static void test_special_log_is_within_its_bound_everywhere(void **state) {
    (void)state;
    uint64_t random = 2;
    for (size_t i = 0; i < SAMPLES; i++) {
        double mantissa = uniform(&random, 1, 2);
        check_log(scalbn(mantissa, (int)(i % 2046) - 1022));
        check_log(scalbn(mantissa, -1022 - (int)(i % 52))); /* denormal */
        check_log(uniform(&random, 0.5, 2));
        check_log(1 + uniform(&random, -1, 1) * 0x1p-20);
    }
    check_log(DBL_MAX);
    check_log(DBL_MIN);
    check_log(0x1p-1074);
    check_log(1 - DBL_EPSILON / 2);
    check_log(1 + DBL_EPSILON);
}

static void test_special_log_has_its_exact_values(void **state) {
    (void)state;
    assert_true(tnni_log(1.0) == 0);
    assert_false(signbit(tnni_log(1.0)));
    assert_true(tnni_log(0.0) == -(double)INFINITY);
    assert_true(tnni_log(-0.0) == -(double)INFINITY);
    assert_true(tnni_log((double)INFINITY) == (double)INFINITY);
    assert_true(isnan(tnni_log(-0x1p-1074)));
    assert_true(isnan(tnni_log(-1.0)));
    assert_true(isnan(tnni_log(-(double)INFINITY)));
    assert_true(isnan(tnni_log((double)NAN)));
}

/* ---- log1p ----------------------------------------------------------------------------------- */

/* An ulp each for the rounding of 1 + x, for log, for the quotient and for the product. */
static void test_special_log1p_keeps_its_digits_everywhere(void **state) {
    (void)state;
    uint64_t random = 5;
    for (size_t i = 0; i < SAMPLES; i++) {
        double x = uniform(&random, 0, 1) * ldexp(1, -(int)(i % 900));
        assert_within(ulps(tnni_log1p(x), log1pl(x)), 0, 4 + REFERENCE_ULPS);
        x = uniform(&random, 0, 1e6);
        assert_within(ulps(tnni_log1p(x), log1pl(x)), 0, 4 + REFERENCE_ULPS);
    }
    assert_true(tnni_log1p(0.0) == 0);
    assert_true(tnni_log1p(1e-300) == 1e-300);
    assert_true(isnan(tnni_log1p((double)NAN)));
}

/* ---- Quantiles ------------------------------------------------------------------------------- */

/*
 * How far x is from the true quantile of p, by one step of Newton's method: the normal
 * distribution function at x less p, over the density at x. In the middle p - 1/2 is compared and
 * in the upper half 1 - p, both exact, so that no digit is lost; the next step would be smaller by
 * a factor of the error itself.
 */
static double quantile_error(double x, double p) {
    long double root_half = sqrtl(0.5L);
    long double density = expl(-0.5L * x * x) * sqrtl(0.5L / acosl(-1));
    long double difference;
    if (fabs(p - 0.5) < 0.25)
        difference = erfl(x * root_half) / 2 - (p - 0.5);
    else if (p < 0.5)
        difference = erfcl(-x * root_half) / 2 - p;
    else
        difference = (1 - p) - erfcl(x * root_half) / 2;
    return (double)fabsl(difference / density);
}

/* The exponent x^2 / 2 loses as many of the reference's ulps as it is large: 40^2 / 2 at most. */
static void check_quantile(double p) {
    double x = tnni_inverse_normal(p);
    double reference = 1000 * REFERENCE_ULPS * DBL_EPSILON;
    assert_within(quantile_error(x, p), 0, (1e-15 + reference) * fabs(x));
}

static void test_special_inverse_normal_is_within_its_bound_everywhere(void **state) {
    (void)state;
    uint64_t random = 3;
    for (size_t i = 0; i < SAMPLES / 2; i++) {
        double share = uniform(&random, 0x1p-30, 1 - 0x1p-30);
        check_quantile(share);
        check_quantile(0.5 + (share - 0.5) * 0x1p-20);
        check_quantile(scalbn(share, -(int)(i % 900)));
        check_quantile(1 - scalbn(1 + share, -(int)(i % 50) - 2));
    }
}

/* What a uniform number can be: from 2^-53 to 1 - 2^-53, 8.2 deviations either way. */
static void test_special_inverse_normal_is_finite_at_both_ends(void **state) {
    (void)state;
    check_quantile(0x1p-53);
    check_quantile(1 - 0x1p-53);
    assert_within(tnni_inverse_normal(0x1p-53), -8.2095, 1e-4);
    assert_true(isfinite(tnni_inverse_normal(DBL_MIN)));
}

static void test_special_inverse_normal_is_odd_around_one_half(void **state) {
    (void)state;
    assert_true(tnni_inverse_normal(0.5) == 0);
    for (int i = 1; i < 1024; i++) {
        double p = i / 2048.0;
        assert_true(tnni_inverse_normal(p) < 0);
        assert_true(tnni_inverse_normal(1 - p) == -tnni_inverse_normal(p));
    }
}

/* Where one approximation ends and the next begins: |p - 1/2| = 0.425, and p = exp(-25). */
static void test_special_inverse_normal_rises_across_its_seams(void **state) {
    (void)state;
    static const double seams[] = {0.075, 0.925, 1.3887943864964021e-11};
    for (size_t i = 0; i < COUNT_OF(seams); i++) {
        double p = seams[i] * (1 - 1e-12);
        for (int step = 0; step < 200; step++, p *= 1 + 1e-14) {
            check_quantile(p);
            assert_true(tnni_inverse_normal(p) <= tnni_inverse_normal(p * (1 + 1e-13)));
        }
    }
}

static void test_special_inverse_normal_of_nan_is_nan(void **state) {
    (void)state;
    assert_true(isnan(tnni_inverse_normal((double)NAN)));
}

/* ---- Cosine and powers ----------------------------------------------------------------------- */

static void test_special_cos_pi_is_within_its_bound_everywhere(void **state) {
    (void)state;
    const long double pi = 3.14159265358979323846264338327950288L;
    uint64_t random = 6;
    for (size_t i = 0; i < SAMPLES; i++) {
        double x = uniform(&random, 0, 1);
        /* sin near 0 in place of cos near pi / 2, which would lose the digits. */
        long double exact = sinl(pi * (0.5L - x));
        assert_within(tnni_cos_pi(x), (double)exact, 4e-16);
    }
    assert_within(tnni_cos_pi(0), 1, 4e-16);
    assert_within(tnni_cos_pi(1), -1, 4e-16);
    assert_true(tnni_cos_pi(0.5) == 0);
}

/* Each product rounds once, and an error made early is squared again and again: n / 2 ulp in all.
 */
static void test_special_power_is_a_product(void **state) {
    (void)state;
    static const double bases[] = {0, 0.5, 0.9, 0.999, 1};
    for (size_t b = 0; b < COUNT_OF(bases); b++) {
        long double exact = 1;
        for (uint64_t n = 0; n < 600; n++, exact *= bases[b])
            assert_within(
                tnni_power(bases[b], n), (double)exact,
                ((double)n + 1) * DBL_EPSILON * (double)exact);
    }
    assert_true(tnni_power(0.5, 1000) == 0x1p-1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_special_log1p_keeps_its_digits_everywhere),
        cmocka_unit_test(test_special_log_is_within_its_bound_everywhere),
        cmocka_unit_test(test_special_log_has_its_exact_values),
        cmocka_unit_test(test_special_inverse_normal_is_within_its_bound_everywhere),
        cmocka_unit_test(test_special_inverse_normal_is_finite_at_both_ends),
        cmocka_unit_test(test_special_inverse_normal_is_odd_around_one_half),
        cmocka_unit_test(test_special_inverse_normal_rises_across_its_seams),
        cmocka_unit_test(test_special_inverse_normal_of_nan_is_nan),
        cmocka_unit_test(test_special_cos_pi_is_within_its_bound_everywhere),
        cmocka_unit_test(test_special_power_is_a_product),
    };
    return cmocka_run_group_tests_name("special", tests, NULL, NULL);
}
