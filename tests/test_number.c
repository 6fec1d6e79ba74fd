/*
 * test_number.c: text to float is what strtof makes of it in the C locale, bit by bit: over
 * examples, random strings of many kinds, the midpoints between floats and what lies next to them.
 * And what is written is read again as the same float.
 */
#include "support/testing.h"

#include "support/number.h"
#include "support/random.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Against strtof -------------------------------------------------------------------------- */

static void assert_as_strtof(const char *text) {
    float value = 7.0f;
    float expected = strtof(text, NULL);
    tnni_number kind = tnni_read_float(text, strlen(text), &value);
    tnni_number expected_kind = isfinite(expected) ? TNNI_NUMBER : TNNI_OUT_OF_RANGE;
    if (kind != expected_kind) {
        print_error("%s is of kind %d, not %d\n", text, (int)kind, (int)expected_kind);
        fail();
    }
    if (kind != TNNI_NUMBER)
        assert_true(value == 7.0f);
    else if (memcmp(&value, &expected, sizeof value) != 0) {
        print_error("%s is %a, not %a\n", text, value, expected);
        fail();
    }
}

static void test_number_float_is_strtofs_for_examples(void **state) {
    (void)state;
    static const char *const texts[] = {
        "0",
        "-0",
        "+0",
        "1",
        "-1.5",
        ".5",
        "5.",
        "00012.50",
        "1e5",
        "1E+5",
        "1e-05",
        "0e999999999999999999999999",
        "0.1",
        "3.4028234663852886e38",
        "3.4028235677973366e38",
        "3.4028235677973367e38",
        "3.5e38",
        "-1e39",
        "1e40",
        "1e99999999999999999999999999",
        "1e-99999999999999999999999999",
        "1.401298464324817e-45",
        "7.006492321624085e-46",
        "7.006492321624086e-46",
        "1e-46",
        "9e-46",
        "1.1754943508222875e-38",
        "1.17549429e-38",
        "16777217",
        "16777217.0000000000000000000000000000000000000000000000000000001",
        "33554435",
        "9007199254740993",
        "99999999999999999999999999999999999999",
        "5.099999999999999644728632119949907064437866210937500e+00",
        "0x0",
        "-0x0p0",
        "0x1p-149",
        "0x1p-150",
        "0x1.0000001p-150",
        "0x1.8p-149",
        "0x1.fffffep127",
        "0x1.fffffefp127",
        "0x1.ffffffp127",
        "0x1p128",
        "0x1.000001p0",
        "0x1.0000010000000000000000001p0",
        "0x1.000003p0",
        "0X.8P1",
        "0x8.",
        "0x123456789abcdef0123456789abcdefp-100",
        "0x0.00000000000000000000000000000001",
        "0x1p99999999999999999999999",
        "0x1p-99999999999999999999999",
        "0xABCdef",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_as_strtof(texts[i]);
}

/* below a bound */
static unsigned draw(tnni_random *random, unsigned bound) {
    return (unsigned)(tnni_random_next(random) >> 33) % bound;
}

static char *put_digits(char *at, tnni_random *random, const char *digits, unsigned count) {
    unsigned base = (unsigned)strlen(digits);
    for (unsigned i = 0; i < count; i++)
        *at++ = digits[draw(random, base)];
    return at;
}

/* [sign] digits [. digits] [e exponent]: short or long, near 1 or anywhere. */
static void random_decimal(char *text, tnni_random *random) {
    const unsigned most = draw(random, 8) == 0 ? 160 : 12;
    *text = '-';
    text += draw(random, 2);
    text = put_digits(text, random, "0123456789", 1 + draw(random, most));
    if (draw(random, 2)) {
        *text++ = '.';
        text = put_digits(text, random, "0123456789", draw(random, most));
    }
    if (draw(random, 2))
        text += sprintf(text, "e%+d", (int)draw(random, 110) - 60);
    *text = '\0';
}

static void test_number_float_is_strtofs_for_random_decimals(void **state) {
    (void)state;
    tnni_random random = tnni_random_seed(1);
    char text[400];
    for (int i = 0; i < 2000000; i++) {
        random_decimal(text, &random);
        assert_as_strtof(text);
    }
}

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* What programs write: enough digits to read the same float again, or a double's. */
static void test_number_float_comes_back_as_it_was_written(void **state) {
    (void)state;
    static const char *const formats[] = {"%.9g", "%.8e", "%.17g", "%.18e", "%a", "%.149f"};
    tnni_random random = tnni_random_seed(2);
    char text[400];
    for (int i = 0; i < 500000; i++) {
        float written = float_of((uint32_t)(tnni_random_next(&random) >> 32));
        float value;
        if (!isfinite(written))
            continue;
        int length = snprintf(text, sizeof text, formats[i % COUNT_OF(formats)], written);
        assert_int_equal(tnni_read_float(text, (size_t)length, &value), TNNI_NUMBER);
        assert_same_bits(&value, &written, 1);
    }
}

/* The midpoint of two floats in all its digits, then a little less, then a little more. */
static void test_number_float_is_strtofs_at_and_beside_midpoints(void **state) {
    (void)state;
    tnni_random random = tnni_random_seed(3);
    char text[400];
    for (int i = 0; i < 300000; i++) {
        uint32_t bits = (uint32_t)(tnni_random_next(&random) >> 33);
        if (i % 4 == 0)
            bits &= 0xffffff; /* subnormal, or nearly */
        if (bits >= 0x7f800000)
            continue;
        /* The largest float's midpoint is towards 2^128. */
        double next = bits == 0x7f7fffff ? 0x1p128 : (double)float_of(bits + 1);
        int length = sprintf(text, "%.*e", 120, ((double)float_of(bits) + next) / 2);
        assert_as_strtof(text);
        char *last = text + strcspn(text, "e") - 1;
        while (*last == '0')
            last--;
        if (*last != '.') {
            *last -= 1;
            assert_as_strtof(text);
            *last += 1;
        }
        char exponent[8];
        char *e = text + strcspn(text, "e");
        memcpy(exponent, e, (size_t)(text + length - e) + 1);
        unsigned zeros = draw(&random, 100);
        memset(e, '0', zeros);
        sprintf(e + zeros, "%u%s", draw(&random, 2), exponent);
        assert_as_strtof(text);
    }
}

/*
 * glibc's strtof rounds some hexadecimal subnormals wrongly (2.36 has 0x1180011p-154 as
 * 0x1.18p-130, though it is above the midpoint), so the reference is a double: it holds 12 digits
 * and one more that stands for all others, and only the conversion to float rounds.
 */
static void test_number_float_is_the_nearest_for_random_hexadecimals(void **state) {
    (void)state;
    tnni_random random = tnni_random_seed(4);
    for (int i = 0; i < 1000000; i++) {
        char digits[40];
        char text[100];
        char short_text[100];
        float value;
        /* Mostly zeros and ones, so that ties are frequent. */
        const char *kinds = draw(&random, 2) ? "00000018" : "0123456789abcdefABCDEF";
        unsigned more = draw(&random, 20);
        *put_digits(digits, &random, kinds, 12 + more) = '\0';
        digits[0] = '1';
        const char *sign = draw(&random, 2) ? "-" : "";
        int exponent = (int)draw(&random, 330) - 180;
        bool rest = strspn(digits + 12, "0") < more;
        sprintf(text, "%s0x%.6s.%sp%d", sign, digits, digits + 6, exponent);
        sprintf(short_text, "%s0x%.6s.%.6s%dp%d", sign, digits, digits + 6, rest, exponent);
        float expected = (float)strtod(short_text, NULL);
        tnni_number kind = tnni_read_float(text, strlen(text), &value);
        assert_int_equal(kind, isfinite(expected) ? TNNI_NUMBER : TNNI_OUT_OF_RANGE);
        if (kind == TNNI_NUMBER && memcmp(&value, &expected, sizeof value) != 0) {
            print_error("%s is %a, not %a\n", text, value, expected);
            fail();
        }
    }
}

/* Bytes drawn from those that numbers are made of: accepted if and only if strtof takes them all.
 */
static void test_number_float_is_refused_where_strtof_leaves_a_rest(void **state) {
    (void)state;
    tnni_random random = tnni_random_seed(5);
    char text[16];
    int numbers = 0;
    for (int i = 0; i < 1000000; i++) {
        *put_digits(text, &random, "00123.e+-xXpPaE", draw(&random, 12)) = '\0';
        char *end;
        float value;
        (void)strtof(text, &end);
        bool is_number = tnni_read_float(text, strlen(text), &value) != TNNI_NOT_A_NUMBER;
        if (is_number != (end != text && *end == '\0')) {
            print_error("\"%s\" is taken for %s\n", text, is_number ? "a number" : "none");
            fail();
        }
        numbers += is_number;
    }
    assert_true(numbers > 10000);
}

/* ---- What strtof does otherwise -------------------------------------------------------------- */

static void test_number_float_is_refused_when_it_is_blank_named_or_cut(void **state) {
    (void)state;
    static const char *const texts[] = {"",    " 1",  "1 ",       "inf", "nan",  "infinity",
                                        "1,5", "1d5", "nan(123)", "e5",  "0x",   ".",
                                        "1e",  "--1", "1_000",    "0x.", "0x1p", "1.5f"};
    float value;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_int_equal(tnni_read_float(texts[i], strlen(texts[i]), &value), TNNI_NOT_A_NUMBER);
    assert_int_equal(tnni_read_float("1\0", 2, &value), TNNI_NOT_A_NUMBER);
    assert_int_equal(tnni_read_float("12345", 2, &value), TNNI_NUMBER);
    assert_true(value == 12.0f);
}

static void test_number_float_is_linear_in_a_text_of_megabytes(void **state) {
    (void)state;
    enum { LENGTH = 4000000 };
    char *text = malloc(LENGTH + 16);
    float value;
    assert_non_null(text);
    memset(text, '0', LENGTH);
    memcpy(text, "16777217.", 9); /* a tie, until the last digit */
    assert_int_equal(tnni_read_float(text, LENGTH, &value), TNNI_NUMBER);
    assert_true(value == 16777216.0f);
    text[LENGTH - 1] = '1';
    assert_int_equal(tnni_read_float(text, LENGTH, &value), TNNI_NUMBER);
    assert_true(value == 16777218.0f);
    memset(text, '0', LENGTH);
    text[1] = '.';
    int length = LENGTH + sprintf(text + LENGTH, "25e%d", LENGTH);
    assert_int_equal(tnni_read_float(text, (size_t)length, &value), TNNI_NUMBER);
    assert_true(value == 25.0f);
    free(text);
}

static void test_number_float_is_the_same_in_a_locale_with_commas(void **state) {
    (void)state;
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "German"};
    bool found = false;
    for (size_t i = 0; i < COUNT_OF(locales) && !found; i++)
        found = setlocale(LC_ALL, locales[i]) && strcmp(localeconv()->decimal_point, ",") == 0;
    if (!found)
        skip();
    float value = 0;
    tnni_number point = tnni_read_float("1.5", 3, &value);
    tnni_number comma = tnni_read_float("1,5", 3, &value);
    char text[TNNI_MOST_FLOAT];
    tnni_write_float(1.5f, text);
    setlocale(LC_ALL, "C");
    assert_string_equal(text, "1.5");
    assert_int_equal(point, TNNI_NUMBER);
    assert_true(value == 1.5f);
    assert_int_equal(comma, TNNI_NOT_A_NUMBER);
}

/* ---- Back ------------------------------------------------------------------------------------ */

static void assert_written(float value, const char *expected) {
    char text[TNNI_MOST_FLOAT];
    assert_int_equal(tnni_write_float(value, text), strlen(expected));
    assert_string_equal(text, expected);
}

static void test_number_float_is_written_with_few_digits(void **state) {
    (void)state;
    assert_written(0.0f, "0.0");
    assert_written(-0.0f, "-0.0");
    assert_written(1.0f, "1.0");
    assert_written(-1.5f, "-1.5");
    assert_written(0.1f, "0.1");
    assert_written(10.0f, "10.0");
    assert_written(-1203.25f, "-1203.25");
    assert_written(1.0f / 3.0f, "0.33333334");
    assert_written(1.00000012f, "1.0000001");
    assert_written(16777216.0f, "16777216.0");
    assert_written(123456784.0f, "123456780.0");
    assert_written(987654336.0f, "987654340.0");
    assert_written(1e9f, "1.0e9");
    assert_written(1e-5f, "0.00001");
    assert_written(1.5e-6f, "1.5e-6");
    assert_written(0x1p-149f, "1.401298e-45");
    assert_written(-0x1.fffffep127f, "-3.4028235e38");
    assert_written(0x1p-126f, "1.1754944e-38");
}

static void assert_comes_back(uint32_t bits) {
    char text[TNNI_MOST_FLOAT + 1];
    float value, again;
    memcpy(&value, &bits, sizeof value);
    if (!isfinite(value))
        return;
    text[TNNI_MOST_FLOAT] = '#';
    size_t length = tnni_write_float(value, text);
    assert_int_equal(strlen(text), length);
    assert_true(text[TNNI_MOST_FLOAT] == '#' && length < TNNI_MOST_FLOAT);
    assert_non_null(strchr(text, '.'));
    assert_int_equal(tnni_read_float(text, length, &again), TNNI_NUMBER);
    assert_memory_equal(&again, &value, sizeof value);
    again = strtof(text, NULL); /* another reader */
    assert_memory_equal(&again, &value, sizeof value);
}

static void test_number_float_that_was_written_is_read_as_itself(void **state) {
    (void)state;
    tnni_random random = tnni_random_seed(5);
    for (int i = 0; i < 200000; i++)
        assert_comes_back((uint32_t)tnni_random_next(&random));
    for (uint32_t exponent = 0; exponent < 255; exponent++)
        for (uint32_t i = 0; i < 4; i++) /* the last below a power of 2 and the first from it on */
            assert_comes_back((exponent << 23) + i - (exponent > 0 ? 2 : 0));
}

/* ---- Whole numbers --------------------------------------------------------------------------- */

static void test_number_whole_is_exact_up_to_its_limit(void **state) {
    (void)state;
    uint64_t value = 7;
    assert_int_equal(tnni_read_whole("0", 1, 0, &value), TNNI_NUMBER);
    assert_true(value == 0);
    assert_int_equal(tnni_read_whole("0042", 4, 42, &value), TNNI_NUMBER);
    assert_true(value == 42);
    assert_int_equal(tnni_read_whole("43", 2, 42, &value), TNNI_OUT_OF_RANGE);
    assert_int_equal(tnni_read_whole("50", 2, 42, &value), TNNI_OUT_OF_RANGE);
    assert_int_equal(tnni_read_whole("9", 1, 5, &value), TNNI_OUT_OF_RANGE);
    assert_int_equal(tnni_read_whole("18446744073709551615", 20, UINT64_MAX, &value), TNNI_NUMBER);
    assert_true(value == UINT64_MAX);
    assert_int_equal(
        tnni_read_whole("18446744073709551616", 20, UINT64_MAX, &value), TNNI_OUT_OF_RANGE);
    assert_int_equal(
        tnni_read_whole("99999999999999999999999", 23, UINT64_MAX, &value), TNNI_OUT_OF_RANGE);
    assert_true(value == UINT64_MAX);
}

static void test_number_whole_is_refused_when_there_is_anything_but_digits(void **state) {
    (void)state;
    static const char *const texts[] = {"", "-1", "+1", "1.0", " 1", "1e3", "0x10", "99999a"};
    uint64_t value;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_int_equal(
            tnni_read_whole(texts[i], strlen(texts[i]), 100, &value), TNNI_NOT_A_NUMBER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number_float_is_strtofs_for_examples),
        cmocka_unit_test(test_number_float_is_strtofs_for_random_decimals),
        cmocka_unit_test(test_number_float_comes_back_as_it_was_written),
        cmocka_unit_test(test_number_float_is_strtofs_at_and_beside_midpoints),
        cmocka_unit_test(test_number_float_is_the_nearest_for_random_hexadecimals),
        cmocka_unit_test(test_number_float_is_refused_where_strtof_leaves_a_rest),
        cmocka_unit_test(test_number_float_is_refused_when_it_is_blank_named_or_cut),
        cmocka_unit_test(test_number_float_is_linear_in_a_text_of_megabytes),
        cmocka_unit_test(test_number_float_is_the_same_in_a_locale_with_commas),
        cmocka_unit_test(test_number_float_is_written_with_few_digits),
        cmocka_unit_test(test_number_float_that_was_written_is_read_as_itself),
        cmocka_unit_test(test_number_whole_is_exact_up_to_its_limit),
        cmocka_unit_test(test_number_whole_is_refused_when_there_is_anything_but_digits),
    };
    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
