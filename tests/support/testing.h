/*
 * testing.h: cmocka with the headers it wants before it, and what every test of the library says.
 */
#ifndef TINYNN_TESTS_TESTING_H
#define TINYNN_TESTS_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <tinynn/tinynn.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* The call returns the status; if not, the library's own words go into the failure. */
#define assert_status(call, expected)                                                              \
    testing_assert_status((call), (expected), #call, __FILE__, __LINE__)
#define assert_ok(call) assert_status(call, TNN_OK)

/* Every float has the same bits. */
#define assert_same_bits(actual, expected, count)                                                  \
    testing_assert_same_bits((actual), (expected), (count), #actual, __FILE__, __LINE__)

/* Every float compares equal to 0. */
#define assert_all_zero(values, count)                                                             \
    testing_assert_all_zero((values), (count), #values, __FILE__, __LINE__)

/* |actual - expected| <= tolerance; a NaN anywhere fails. */
#define assert_within(actual, expected, tolerance)                                                 \
    testing_assert_within((actual), (expected), (tolerance), #actual, __FILE__, __LINE__)

void testing_assert_status(
    tnn_status actual, tnn_status expected, const char *call, const char *file, int line);
void testing_assert_same_bits(
    const float *actual, const float *expected, size_t count, const char *what, const char *file,
    int line);
void testing_assert_all_zero(
    const float *values, size_t count, const char *what, const char *file, int line);
void testing_assert_within(
    double actual, double expected, double tolerance, const char *what, const char *file, int line);

#endif /* TINYNN_TESTS_TESTING_H */
