#include "testing.h"

#include <math.h>
#include <string.h>

void testing_assert_status(
    tnn_status actual, tnn_status expected, const char *call, const char *file, int line) {
    if (actual == expected)
        return;
    print_error(
        "%s is %s, not %s: \"%s\"\n", call, tnn_status_string(actual), tnn_status_string(expected),
        tnn_error_message());
    _fail(file, line);
}

void testing_assert_same_bits(
    const float *actual, const float *expected, size_t count, const char *what, const char *file,
    int line) {
    for (size_t i = 0; i < count; i++) {
        if (memcmp(actual + i, expected + i, sizeof *actual) == 0)
            continue;
        print_error("%s[%zu] of %zu is %a, not %a\n", what, i, count, actual[i], expected[i]);
        _fail(file, line);
    }
}

void testing_assert_all_zero(
    const float *values, size_t count, const char *what, const char *file, int line) {
    for (size_t i = 0; i < count; i++) {
        if (values[i] == 0)
            continue;
        print_error("%s[%zu] of %zu is %a, not 0\n", what, i, count, values[i]);
        _fail(file, line);
    }
}

void testing_assert_within(
    double actual, double expected, double tolerance, const char *what, const char *file,
    int line) {
    if (fabs(actual - expected) <= tolerance)
        return;
    print_error(
        "%s is %.9g, %.9g expected, off by %.3g where %.3g is allowed\n", what, actual, expected,
        fabs(actual - expected), tolerance);
    _fail(file, line);
}
