/*
 * test_status.c: names of statuses, the version, and the error message, which belongs to a thread.
 */
#include "support/testing.h"

#include "support/status.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* Fails the way a user's call does. */
static void fail_by_a_call(void) {
    assert_int_equal(tnn_net_inputs(NULL), 0);
}

static void test_status_string_is_the_name_for_every_status(void **state) {
    (void)state;
    assert_string_equal(tnn_status_string(TNN_OK), "TNN_OK");
    assert_string_equal(tnn_status_string(TNN_INVALID_ARGUMENT), "TNN_INVALID_ARGUMENT");
    assert_string_equal(tnn_status_string(TNN_OUT_OF_MEMORY), "TNN_OUT_OF_MEMORY");
    assert_string_equal(tnn_status_string(TNN_BAD_STATE), "TNN_BAD_STATE");
    assert_string_equal(tnn_status_string(TNN_IO_ERROR), "TNN_IO_ERROR");
    assert_string_equal(tnn_status_string(TNN_BAD_FORMAT), "TNN_BAD_FORMAT");
    assert_string_equal(tnn_status_string(TNN_UNSUPPORTED), "TNN_UNSUPPORTED");
    assert_string_equal(tnn_status_string(TNN_NOT_FINITE), "TNN_NOT_FINITE");
}

static void test_status_string_is_unknown_status_for_any_other_value(void **state) {
    (void)state;
    assert_string_equal(tnn_status_string((tnn_status)(TNN_NOT_FINITE + 1)), "unknown status");
    assert_string_equal(tnn_status_string((tnn_status)127), "unknown status");
}

static void test_status_ok_is_zero(void **state) {
    (void)state;
    assert_int_equal(TNN_OK, 0);
}

static void test_status_version_is_that_of_the_header(void **state) {
    (void)state;
    char expected[64];
    snprintf(
        expected, sizeof expected, "%d.%d.%d", TNN_VERSION_MAJOR, TNN_VERSION_MINOR,
        TNN_VERSION_PATCH);
    assert_string_equal(tnn_version(), expected);
    assert_string_equal(TNN_VERSION_STRING, expected);
}

static void test_status_fail_returns_the_status_and_formats_the_message(void **state) {
    (void)state;
    tnn_status status =
        tnni_fail(TNN_BAD_FORMAT, "%s: rows is %d, expected %zu", "f", -3, SIZE_MAX);
    char expected[64];
    snprintf(expected, sizeof expected, "f: rows is -3, expected %zu", SIZE_MAX);
    assert_int_equal(status, TNN_BAD_FORMAT);
    assert_string_equal(tnn_error_message(), expected);
}

/* An argument may be the message itself. */
static void test_status_error_set_is_for_everyone(void **state) {
    (void)state;
    assert_int_equal(tnn_error_set(TNN_IO_ERROR, "tape %d: %s", 3, "torn"), TNN_IO_ERROR);
    assert_string_equal(tnn_error_message(), "tape 3: torn");
    tnn_error_set(TNN_IO_ERROR, "reader: %s", tnn_error_message());
    assert_string_equal(tnn_error_message(), "reader: tape 3: torn");
    assert_int_equal(tnn_error_set(TNN_OK, "%s", ""), TNN_OK);
    assert_string_equal(tnn_error_message(), "");
    assert_int_equal(tnn_error_set(TNN_BAD_STATE, NULL), TNN_BAD_STATE);
    assert_string_equal(tnn_error_message(), "");
}

static void test_status_message_stays_when_a_call_succeeds(void **state) {
    (void)state;
    tnni_fail(TNN_BAD_STATE, "the last fault");
    tnn_layer layer = {.units = 1};
    tnn_net *net = NULL;
    assert_ok(tnn_net_create(&net, 1, &layer, 1, NULL));
    assert_int_equal(tnn_net_inputs(net), 1);
    tnn_net_destroy(net);
    assert_string_equal(tnn_error_message(), "the last fault");
}

static void test_status_message_is_replaced_when_the_next_call_fails(void **state) {
    (void)state;
    tnni_fail(TNN_BAD_STATE, "a long sentence about the fault before the last one");
    fail_by_a_call();
    assert_non_null(strstr(tnn_error_message(), "tnn_net_inputs"));
    assert_null(strstr(tnn_error_message(), "sentence"));
}

/* A user's vtable may have a name of any length, and messages quote it. */
static void test_status_message_is_cut_when_it_is_long(void **state) {
    (void)state;
    static char text[100000];
    memset(text, 'x', sizeof text - 1);
    tnni_fail(TNN_BAD_FORMAT, "beginning %s", text);
    assert_memory_equal(tnn_error_message(), "beginning xxx", 13);
    assert_in_range(strlen(tnn_error_message()), 100, sizeof text - 1);
}

/* What a thread sees of its message; it may not assert by itself. */
typedef struct thread_view {
    bool empty_at_first;
    char after_failure[64];
} thread_view;

static void *fail_in_a_thread(void *argument) {
    thread_view *view = argument;
    view->empty_at_first = tnn_error_message()[0] == '\0';
    tnni_fail(TNN_IO_ERROR, "the thread's own");
    strncpy(view->after_failure, tnn_error_message(), sizeof view->after_failure - 1);
    return NULL;
}

static void test_status_message_belongs_to_its_thread(void **state) {
    (void)state;
    thread_view view = {0};
    pthread_t thread;
    tnni_fail(TNN_BAD_STATE, "the caller's own");
    assert_int_equal(pthread_create(&thread, NULL, fail_in_a_thread, &view), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(view.empty_at_first);
    assert_string_equal(view.after_failure, "the thread's own");
    assert_string_equal(tnn_error_message(), "the caller's own");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_string_is_the_name_for_every_status),
        cmocka_unit_test(test_status_string_is_unknown_status_for_any_other_value),
        cmocka_unit_test(test_status_ok_is_zero),
        cmocka_unit_test(test_status_version_is_that_of_the_header),
        cmocka_unit_test(test_status_fail_returns_the_status_and_formats_the_message),
        cmocka_unit_test(test_status_error_set_is_for_everyone),
        cmocka_unit_test(test_status_message_stays_when_a_call_succeeds),
        cmocka_unit_test(test_status_message_is_replaced_when_the_next_call_fails),
        cmocka_unit_test(test_status_message_is_cut_when_it_is_long),
        cmocka_unit_test(test_status_message_belongs_to_its_thread),
    };
    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
