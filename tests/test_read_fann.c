/*
 * test_read_fann.c: FANN's text format, and headers that claim what is not there.
 */
#include "support/test_sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char sample[] = "2 2 1\n-1 0.5\n1\n\n3e1\t0x1p2\r\n-1 \n";

static tnn_status read_text(tnn_data **data, const char *text, const tnn_read_options *options) {
    memory_source source;
    *data = (tnn_data *)(uintptr_t)1;
    return tnn_read_fann_from(data, init_memory_source(&source, text, strlen(text)), options);
}

static void assert_refused(
    const char *text, const tnn_read_options *options, tnn_status status, const char *message) {
    tnn_data *data;
    assert_status(read_text(&data, text, options), status);
    assert_null(data);
    assert_string_equal(tnn_error_message(), message);
}

static void assert_sample(const tnn_data *data) {
    tnn_dataset view = tnn_data_view(data);
    assert_int_equal(view.rows, 2);
    assert_int_equal(tnn_data_inputs(data), 2);
    assert_int_equal(tnn_data_outputs(data), 1);
    assert_same_bits(view.x, ((float[]){-1, 0.5f, 30, 4}), 4);
    assert_same_bits(view.target, ((float[]){1, -1}), 2);
    assert_null(view.classes);
    assert_null(view.row_weights);
    assert_null(tnn_data_input_name(data, 0));
}

static void test_read_fann_rows_follow_the_header(void **state) {
    (void)state;
    tnn_data *data;
    assert_ok(read_text(&data, sample, NULL));
    assert_sample(data);
    tnn_data_destroy(data);
}

static void test_read_fann_gzip_is_recognized(void **state) {
    (void)state;
    assert_refused(
        "\x1f\x8b\x08", NULL, TNN_BAD_FORMAT,
        "tnn_read_fann_from: memory: byte 0: compressed by gzip, expected FANN's text; decompress "
        "it, or give a source that does");
}

static void test_read_fann_path_gives_what_the_source_gives(void **state) {
    (void)state;
    static const char path[] = "test_read_fann.data";
    tnn_data *data;
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(sample, file);
    fclose(file);
    assert_ok(tnn_read_fann(&data, path, NULL));
    assert_sample(data);
    tnn_data_destroy(data);
    remove(path);
    assert_status(tnn_read_fann(&data, path, NULL), TNN_IO_ERROR);
    assert_null(data);
    assert_non_null(strstr(tnn_error_message(), path));
}

#define AT "tnn_read_fann_from: memory:"

static void test_read_fann_fault_is_told_with_its_place(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", AT "1:1: the end, expected the number of rows"},
        {"2\n2 ", AT "2:3: the end, expected the number of outputs"},
        {"0 2 1", AT "1:1: \"0\", expected the number of rows, a whole number of at least 1"},
        {"2 -2 1", AT "1:3: \"-2\", expected the number of inputs, a whole number of at least 1"},
        {"2 2 1.0",
         AT "1:5: \"1.0\", expected the number of outputs, a whole number of at least 1"},
        {"1 2 1\n1 2\n", AT "3:1: the end, expected a target"},
        {"2 2 1\n1 2\n3\n4", AT "4:2: the end, expected an input"},
        {"1 2 1\n1 x\n", AT "2:3: \"x\", expected an input, a number"},
        {"1 2 1\n1 2\nnan", AT "3:1: \"nan\", expected a target, a number"},
        {"1 2 1\n1 1e99\n3",
         AT "2:3: \"1e99\" is beyond the largest float, expected an input, finite"},
        {"1 1 1\n1 2 \n 3", AT "3:2: more text, expected the end after 1 rows"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_refused(cases[i].text, NULL, TNN_BAD_FORMAT, cases[i].message);
    memory_source source;
    tnn_data *data;
    assert_status(
        tnn_read_fann_from(&data, init_memory_source(&source, "1 1 1\n1 \0", 9), NULL),
        TNN_BAD_FORMAT);
    assert_string_equal(tnn_error_message(), AT "2:3: \"?\", expected a target, a number");
}

static void test_read_fann_endless_number_is_refused(void **state) {
    (void)state;
    enum { BYTES = 200000 };
    char *text = malloc(BYTES + 1);
    assert_non_null(text);
    memset(text, '1', BYTES);
    text[BYTES] = '\0';
    assert_refused(
        text, NULL, TNN_BAD_FORMAT,
        AT "1:1: more than 65536 bytes without a blank begin here, expected a number");
    free(text);
}

static void test_read_fann_limit_is_kept_and_named(void **state) {
    (void)state;
    tnn_data *data;
    tnn_read_options exact = {.limits = {.rows = 2, .columns = 3, .total_bytes = 24}};
    tnn_read_options rows = {.limits = {.rows = 1}};
    tnn_read_options columns = {.limits = {.columns = 2}};
    tnn_read_options bytes = {.limits = {.total_bytes = 23}};
    assert_ok(read_text(&data, sample, &exact));
    tnn_data_destroy(data);
    assert_refused(
        sample, &rows, TNN_UNSUPPORTED,
        AT "1:1: the number of rows is 2, more than limits.rows, 1");
    assert_refused(
        "1 3 1", &columns, TNN_UNSUPPORTED,
        AT "1:3: the number of inputs is 3, more than limits.columns, 2");
    assert_refused(
        sample, &columns, TNN_UNSUPPORTED,
        AT "1:5: 2 inputs and 1 outputs, more columns than limits.columns, 2");
    assert_refused(
        sample, &bytes, TNN_UNSUPPORTED,
        AT "1:5: 2 rows of 3 floats, more bytes than limits.total_bytes, 23");
}

static void test_read_fann_memory_is_for_bytes_and_not_for_claims(void **state) {
    (void)state;
    static const char *const texts[] = {"1000000000 3 1\n1 2 3", "3 1000000000 1\n1 2 3"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        test_allocator memory;
        tnn_data *data;
        const size_t enough = (size_t)1 << 40;
        tnn_read_options options = {
            .limits = {.rows = enough, .columns = enough, .total_bytes = enough},
            .allocator = init_test_allocator(&memory)};
        memory.most_bytes = 1 << 16; /* the buffer */
        assert_status(read_text(&data, texts[i], &options), TNN_BAD_FORMAT);
        assert_int_equal(memory.live, 0);
    }
}

static void test_read_fann_arguments_are_checked(void **state) {
    (void)state;
    tnn_data *data;
    assert_status(tnn_read_fann_from(NULL, NULL, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_read_fann_from(&data, NULL, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_read_fann(NULL, "a", NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_read_fann(&data, NULL, NULL), TNN_INVALID_ARGUMENT);
    assert_null(data);
}

/* ---- Damage ---------------------------------------------------------------------------------- */

static tnn_status read_sample(
    tnn_data **data, const tnn_source *source, const tnn_allocator *allocator) {
    tnn_read_options options = {.allocator = allocator};
    return tnn_read_fann_from(data, source, &options);
}

static void test_read_fann_status_of_the_source_is_handed_on(void **state) {
    (void)state;
    for (size_t at = 0; at < sizeof sample; at++) {
        memory_source source;
        tnn_data *data;
        init_memory_source(&source, sample, sizeof sample - 1);
        source.fail_at = at;
        source.failure = TNN_IO_ERROR;
        assert_status(tnn_read_fann_from(&data, &source.base, NULL), TNN_IO_ERROR);
        assert_null(data);
    }
}

static void test_read_fann_pieces_do_not_matter(void **state) {
    (void)state;
    assert_pieces_do_not_matter(read_sample, sample, sizeof sample - 1);
}

static void test_read_fann_any_damage_is_an_error_or_a_sound_data_set(void **state) {
    (void)state;
    assert_stands_any_damage(read_sample, sample, sizeof sample - 1);
}

static void test_read_fann_fails_clean_without_memory(void **state) {
    (void)state;
    /* The buffer, the data set, the text of a number, x and targets. */
    assert_int_equal(assert_stands_lack_of_memory(read_sample, sample, sizeof sample - 1), 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_fann_rows_follow_the_header),
        cmocka_unit_test(test_read_fann_gzip_is_recognized),
        cmocka_unit_test(test_read_fann_path_gives_what_the_source_gives),
        cmocka_unit_test(test_read_fann_fault_is_told_with_its_place),
        cmocka_unit_test(test_read_fann_endless_number_is_refused),
        cmocka_unit_test(test_read_fann_limit_is_kept_and_named),
        cmocka_unit_test(test_read_fann_memory_is_for_bytes_and_not_for_claims),
        cmocka_unit_test(test_read_fann_arguments_are_checked),
        cmocka_unit_test(test_read_fann_status_of_the_source_is_handed_on),
        cmocka_unit_test(test_read_fann_pieces_do_not_matter),
        cmocka_unit_test(test_read_fann_any_damage_is_an_error_or_a_sound_data_set),
        cmocka_unit_test(test_read_fann_fails_clean_without_memory),
    };
    return cmocka_run_group_tests_name("read_fann", tests, NULL, NULL);
}
