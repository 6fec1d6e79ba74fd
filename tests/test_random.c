/*
 * test_random.c: the generators give the numbers that their authors' programs give, and what is
 * made of them is uniform in (0, 1).
 */
#include "support/testing.h"

#include "support/random.h"

#include <math.h>

/* Vigna's splitmix64.c from the state 1234567; a Python version in arbitrary precision agrees. */
static const uint64_t splitmix64_outputs[] = {
    6457827717110365317u, 3203168211198807973u, 9817491932198370423u, 4593380528125082431u,
    16408922859458223821u};

/* Blackman and Vigna's xoshiro256plusplus.c from the state {1, 2, 3, 4}, likewise. */
static const uint64_t xoshiro_outputs[] = {
    41943041u,
    58720359u,
    3588806011781223u,
    3591011842654386u,
    9228616714210784205u,
    9973669472204895162u,
    14011001112246962877u,
    12406186145184390807u,
    15849039046786891736u,
    10450023813501588000u};

/* splitmix64 adds this to its state and mixes the sum. */
static const uint64_t INCREMENT = 0x9e3779b97f4a7c15u;

static void test_random_mix_is_the_output_of_splitmix64(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(splitmix64_outputs); i++)
        assert_true(tnni_mix(1234567 + i * INCREMENT) == splitmix64_outputs[i]);
}

static void test_random_next_is_the_output_of_xoshiro(void **state) {
    (void)state;
    tnni_random random = {{1, 2, 3, 4}};
    for (size_t i = 0; i < COUNT_OF(xoshiro_outputs); i++)
        assert_true(tnni_random_next(&random) == xoshiro_outputs[i]);
}

static void test_random_seed_fills_the_state_from_splitmix64(void **state) {
    (void)state;
    tnni_random random = tnni_random_seed(1234567);
    for (size_t i = 0; i < 4; i++)
        assert_true(random.state[i] == splitmix64_outputs[i]);
}

/* The all-zero state would give zeros for ever. Both generators' Python versions give these. */
static void test_random_seed_zero_is_a_seed_like_any_other(void **state) {
    (void)state;
    static const uint64_t expected[] = {
        0x53175d61490b23dfu, 0x61da6f3dc380d507u, 0x5c0fdf91ec9a7bfcu, 0x02eebf8c3bbe5e1au};
    tnni_random random = tnni_random_seed(0);
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        assert_true(tnni_random_next(&random) == expected[i]);
}

static void test_random_numbers_repeat_when_the_seed_does(void **state) {
    (void)state;
    tnni_random one = tnni_random_seed(42), same = tnni_random_seed(42);
    tnni_random other = tnni_random_seed(43);
    size_t different = 0;
    for (size_t i = 0; i < 1000; i++) {
        double number = tnni_random_uniform(&one);
        assert_true(number == tnni_random_uniform(&same));
        different += number != tnni_random_uniform(&other);
    }
    assert_int_equal(different, 1000);
}

/* xoshiro256++ of {0, 0, 0, s} is s rotated by 23: 0 and 2^64 - 1 can be had. */
static double uniform_of(uint64_t next) {
    tnni_random random = {{0, 0, 0, next >> 23 | next << 41}};
    return tnni_random_uniform(&random);
}

static void test_random_uniform_reaches_neither_end(void **state) {
    (void)state;
    assert_true(uniform_of(0) == 0x1p-53);
    assert_true(uniform_of(UINT64_MAX) == 1 - 0x1p-53);
}

/* The 52 high bits are the number; the other 12 play no part. */
static void test_random_uniform_is_an_odd_multiple_of_2_to_the_minus_53(void **state) {
    (void)state;
    assert_true(uniform_of(UINT64_C(1) << 12) == 3 * 0x1p-53);
    assert_true(uniform_of((UINT64_C(1) << 12) - 1) == 0x1p-53);
    assert_true(uniform_of(UINT64_C(1) << 63) == 0.5 + 0x1p-53);
    tnni_random random = tnni_random_seed(7);
    for (size_t i = 0; i < 10000; i++) {
        double scaled = tnni_random_uniform(&random) * 0x1p53;
        assert_true(scaled == floor(scaled));
        assert_true(fmod(scaled, 2) == 1);
    }
}

enum { DRAWS = 200000, BINS = 32 };

/*
 * Of n draws a bin of probability p gets np with the standard deviation sqrt(n p (1 - p)). Five of
 * them are exceeded once in 1.7 million times; the seed is fixed, so it is now or never.
 */
static void test_random_uniform_fills_all_bins_alike(void **state) {
    (void)state;
    double counts[BINS] = {0};
    tnni_random random = tnni_random_seed(1);
    for (size_t i = 0; i < DRAWS; i++)
        counts[(size_t)(tnni_random_uniform(&random) * BINS)]++;
    double p = 1.0 / BINS;
    for (size_t i = 0; i < BINS; i++)
        assert_within(counts[i], DRAWS * p, 5 * sqrt(DRAWS * p * (1 - p)));
}

/* Neighbours are independent: with variances 1/12 their product varies by 1/12 around 0. */
static void test_random_uniform_has_no_memory_of_the_number_before(void **state) {
    (void)state;
    tnni_random random = tnni_random_seed(2);
    double last = tnni_random_uniform(&random) - 0.5, sum = 0;
    for (size_t i = 0; i < DRAWS; i++) {
        double next = tnni_random_uniform(&random) - 0.5;
        sum += last * next;
        last = next;
    }
    assert_within(sum / DRAWS, 0, 5 / 12.0 / sqrt(DRAWS));
}

/* ---- Below a bound --------------------------------------------------------------------------- */

static void test_random_below_fills_all_numbers_alike(void **state) {
    (void)state;
    static const uint64_t bounds[] = {1, 2, 7, 100};
    tnni_random random = tnni_random_seed(3);
    for (size_t b = 0; b < COUNT_OF(bounds); b++) {
        double counts[100] = {0};
        double p = 1.0 / (double)bounds[b];
        for (size_t i = 0; i < DRAWS; i++) {
            uint64_t number = tnni_random_below(&random, bounds[b]);
            assert_true(number < bounds[b]);
            counts[number]++;
        }
        for (uint64_t n = 0; n < bounds[b]; n++)
            assert_within(counts[n], DRAWS * p, 5 * sqrt(DRAWS * p * (1 - p)));
    }
}

/* Of 3 * 2^62 numbers, a product that is cut off without a second draw gives every third one twice:
 * those divisible by 3 would come half of the time. */
static void test_random_below_has_no_bias_for_large_bounds(void **state) {
    (void)state;
    tnni_random random = tnni_random_seed(4);
    double count = 0;
    for (size_t i = 0; i < DRAWS; i++)
        count += tnni_random_below(&random, (uint64_t)3 << 62) % 3 == 0;
    assert_within(count, DRAWS / 3.0, 5 * sqrt(DRAWS * (1 / 3.0) * (2 / 3.0)));
}

static void test_random_shuffle_makes_all_orders_alike(void **state) {
    (void)state;
    tnni_random random = tnni_random_seed(5);
    double counts[3][3][3] = {{{0}}};
    for (size_t i = 0; i < DRAWS; i++) {
        size_t numbers[] = {0, 1, 2};
        tnni_random_shuffle(&random, 3, numbers);
        counts[numbers[0]][numbers[1]][numbers[2]]++;
    }
    for (size_t a = 0; a < 3; a++)
        for (size_t b = 0; b < 3; b++)
            if (a != b)
                assert_within(
                    counts[a][b][3 - a - b], DRAWS / 6.0, 5 * sqrt(DRAWS * (1 / 6.0) * (5 / 6.0)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_mix_is_the_output_of_splitmix64),
        cmocka_unit_test(test_random_next_is_the_output_of_xoshiro),
        cmocka_unit_test(test_random_seed_fills_the_state_from_splitmix64),
        cmocka_unit_test(test_random_seed_zero_is_a_seed_like_any_other),
        cmocka_unit_test(test_random_numbers_repeat_when_the_seed_does),
        cmocka_unit_test(test_random_uniform_reaches_neither_end),
        cmocka_unit_test(test_random_uniform_is_an_odd_multiple_of_2_to_the_minus_53),
        cmocka_unit_test(test_random_uniform_fills_all_bins_alike),
        cmocka_unit_test(test_random_uniform_has_no_memory_of_the_number_before),
        cmocka_unit_test(test_random_below_fills_all_numbers_alike),
        cmocka_unit_test(test_random_below_has_no_bias_for_large_bounds),
        cmocka_unit_test(test_random_shuffle_makes_all_orders_alike),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
