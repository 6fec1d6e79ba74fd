/*
 * test_read_csv.c: what CSV files give, and what they are told when they are wrong: name, line,
 * column, what was found and what was expected.
 */
#include "support/test_sources.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static tnn_status read_text(tnn_data **data, const char *text, const tnn_csv_options *options) {
    memory_source source;
    *data = (tnn_data *)(uintptr_t)1;
    return tnn_read_csv_from(data, init_memory_source(&source, text, strlen(text)), options);
}

static tnn_data *new_from(const char *text, const tnn_csv_options *options) {
    tnn_data *data;
    assert_ok(read_text(&data, text, options));
    return data;
}

static void assert_refused(
    const char *text, const tnn_csv_options *options, tnn_status status, const char *message) {
    tnn_data *data;
    assert_status(read_text(&data, text, options), status);
    assert_null(data);
    assert_string_equal(tnn_error_message(), message);
}

/* Two inputs and a target a row, as 3 rows floats. */
static void assert_rows(
    const char *text, const tnn_csv_options *options, const float *rows, size_t count) {
    tnn_data *data = new_from(text, options);
    tnn_dataset view = tnn_data_view(data);
    assert_int_equal(view.rows, count);
    assert_int_equal(tnn_data_inputs(data), 2);
    assert_int_equal(tnn_data_outputs(data), 1);
    assert_null(view.classes);
    assert_null(view.row_weights);
    for (size_t r = 0; r < count; r++) {
        assert_same_bits(view.x + 2 * r, rows + 3 * r, 2);
        assert_same_bits(view.target + r, rows + 3 * r + 2, 1);
    }
    tnn_data_destroy(data);
}

/* ---- What it takes --------------------------------------------------------------------------- */

static const float two_rows[] = {1, 2, 3, -4, 0.5f, 600};

static void test_read_csv_rows_are_numbers_with_the_last_as_target(void **state) {
    (void)state;
    assert_rows("1,2,3\n-4,.5,6e2\n", NULL, two_rows, 2);
    assert_rows("1,2,3\n-4,.5,6e2", NULL, two_rows, 2);
    assert_rows("0x1p0,2,3\n-4,0x.8,600\n", NULL, two_rows, 2);
}

static void test_read_csv_blanks_quotes_and_empty_lines_do_not_matter(void **state) {
    (void)state;
    assert_rows("\r\n \t\n 1 ,\t2, 3\r\n\n\n-4 ,.5,600\r\n  \r\n", NULL, two_rows, 2);
    assert_rows("\"1\",\"2\", \"3\" \n\"-4\" ,\".5\",600\n", NULL, two_rows, 2);
}

static void test_read_csv_byte_order_mark_is_skipped(void **state) {
    (void)state;
    assert_rows(
        "\xef\xbb\xbf"
        "1,2,3\n-4,.5,600\n",
        NULL, two_rows, 2);
    assert_refused(
        "\xef\xbb\xbf"
        "x,2,3\n",
        NULL, TNN_BAD_FORMAT,
        "tnn_read_csv_from: memory:1:1: \"x\", expected a number; if this line names the columns, "
        "set has_header");
}

static void test_read_csv_separator_is_the_callers(void **state) {
    (void)state;
    tnn_csv_options options = {.separator = ';'};
    assert_rows("1;2;3\n-4;.5;600\n", &options, two_rows, 2);
    options.separator = '\t';
    assert_rows("1\t2\t3\n-4\t .5\t600\r\n", &options, two_rows, 2);
    options.separator = ' ';
    assert_rows("  1 2\t\t3  \r\n\n-4   .5 600", &options, two_rows, 2);
    assert_rows("\"1\" \"2\" 3\n-4 .5 \"600\" \n", &options, two_rows, 2);
    options.separator = (char)0xA7; /* Latin-1's paragraph sign, negative where char is signed */
    assert_rows("1\xa7 2\xa7\"3\"\n-4\xa7.5\xa7\x36\x30\x30\n", &options, two_rows, 2);
}

static void test_read_csv_targets_are_the_columns_named_by_number(void **state) {
    (void)state;
    const size_t columns[] = {2, 0};
    tnn_csv_options options = {.target_columns = columns, .target_count = 2};
    tnn_data *data = new_from("1,2,3\n4,5,6\n", &options);
    tnn_dataset view = tnn_data_view(data);
    assert_int_equal(tnn_data_inputs(data), 1);
    assert_int_equal(tnn_data_outputs(data), 2);
    assert_same_bits(view.x, ((float[]){2, 5}), 2);
    assert_same_bits(view.target, ((float[]){3, 1, 6, 4}), 4);
    assert_null(tnn_data_input_name(data, 0));
    assert_null(tnn_data_output_name(data, 1));
    tnn_data_destroy(data);
}

static void test_read_csv_header_names_inputs_and_targets(void **state) {
    (void)state;
    const char *const names[] = {"with, comma", "a"};
    tnn_csv_options options = {.has_header = true, .target_names = names, .target_count = 2};
    tnn_data *data =
        new_from(" a ,b \"c\",\"with, comma\",\"say \"\"hi\"\"\",\n1,2,3,4,5\n", &options);
    tnn_dataset view = tnn_data_view(data);
    assert_int_equal(view.rows, 1);
    assert_same_bits(view.x, ((float[]){2, 4, 5}), 3);
    assert_same_bits(view.target, ((float[]){3, 1}), 2);
    assert_string_equal(tnn_data_input_name(data, 0), "b \"c\"");
    assert_string_equal(tnn_data_input_name(data, 1), "say \"hi\"");
    assert_null(tnn_data_input_name(data, 2));
    assert_string_equal(tnn_data_output_name(data, 0), "with, comma");
    assert_string_equal(tnn_data_output_name(data, 1), "a");
    tnn_data_destroy(data);
}

static void test_read_csv_ignored_columns_may_hold_anything(void **state) {
    (void)state;
    const size_t columns[] = {4, 1};
    const char *const names[] = {"note", "id"};
    tnn_csv_options by_number = {.ignored_columns = columns, .ignored_count = 2};
    tnn_csv_options by_name = {.has_header = true, .ignored_names = names, .ignored_count = 2};
    assert_rows("1,Anna,2,3,\n-4,,.5,600,1e999\n", &by_number, two_rows, 2);
    assert_rows("a,id,b,c,note\n1,Anna,2,3,\n-4,,.5,600,n/a\n", &by_name, two_rows, 2);
    tnn_data *data = new_from("id,a,note,b\n,1,,2\n", &by_name);
    assert_string_equal(tnn_data_input_name(data, 0), "a");
    assert_string_equal(tnn_data_output_name(data, 0), "b");
    tnn_data_destroy(data);
    by_name.is_class = true;
    data = new_from("id,a,kind,note\n,1,red,2\n", &by_name);
    assert_string_equal(tnn_data_output_name(data, 0), "red");
    tnn_data_destroy(data);
}

static void test_read_csv_without_a_target_all_columns_are_inputs(void **state) {
    (void)state;
    const size_t columns[] = {0};
    tnn_csv_options options = {
        .no_target = true, .ignored_columns = columns, .ignored_count = 1, .has_header = true};
    tnn_data *data = new_from("id,a,b\nx,1,2\ny,3,4\n", &options);
    tnn_dataset view = tnn_data_view(data);
    assert_int_equal(tnn_data_inputs(data), 2);
    assert_int_equal(tnn_data_outputs(data), 0);
    assert_null(view.target);
    assert_null(view.classes);
    assert_same_bits(view.x, ((float[]){1, 2, 3, 4}), 4);
    assert_string_equal(tnn_data_input_name(data, 1), "b");
    tnn_data_destroy(data);
    data = new_from("1\n2\n", &(tnn_csv_options){.no_target = true});
    assert_int_equal(tnn_data_inputs(data), 1);
    tnn_data_destroy(data);
}

static void assert_weighted(const char *text, const tnn_csv_options *options) {
    tnn_data *data = new_from(text, options);
    tnn_dataset view = tnn_data_view(data);
    assert_int_equal(tnn_data_inputs(data), 1);
    assert_same_bits(view.x, ((float[]){1, 4}), 2);
    assert_same_bits(view.target, ((float[]){2, 5}), 2);
    assert_same_bits(view.row_weights, ((float[]){0.5f, 3}), 2);
    tnn_data_destroy(data);
}

static void test_read_csv_weight_column_becomes_row_weights(void **state) {
    (void)state;
    const size_t last = 2, first = 0;
    tnn_csv_options by_number = {.weight_column = &last};
    tnn_csv_options by_name = {.has_header = true, .weight_name = "w"};
    assert_weighted("1,2,.5\n4,5,3\n", &by_number);
    by_number.weight_column = &first;
    assert_weighted(".5,1,2\n3,4,5\n", &by_number);
    assert_weighted("a,w,b\n1,.5,2\n4,3,5\n", &by_name);
    assert_refused(
        "a,w,b\n1,heavy,2\n", &by_name, TNN_BAD_FORMAT,
        "tnn_read_csv_from: memory:2:3: \"heavy\", expected a number");
}

/* ---- Classes --------------------------------------------------------------------------------- */

static void assert_classes(
    const char *text, const tnn_csv_options *options, size_t outputs, const uint32_t *classes,
    size_t rows) {
    tnn_data *data = new_from(text, options);
    tnn_dataset view = tnn_data_view(data);
    assert_int_equal(view.rows, rows);
    assert_int_equal(tnn_data_outputs(data), outputs);
    assert_null(view.target);
    assert_memory_equal(view.classes, classes, rows * sizeof *classes);
    tnn_data_destroy(data);
}

static void test_read_csv_text_classes_are_numbered_as_they_appear(void **state) {
    (void)state;
    const char *const names[] = {"kind"};
    tnn_csv_options options = {
        .has_header = true, .target_names = names, .target_count = 1, .is_class = true};
    tnn_data *data = new_from("kind,x\nsetosa,1\n virginica ,2\n\"setosa\",3\nset,4\n", &options);
    tnn_dataset view = tnn_data_view(data);
    assert_int_equal(tnn_data_outputs(data), 3);
    assert_memory_equal(view.classes, ((uint32_t[]){0, 1, 0, 2}), 4 * sizeof(uint32_t));
    assert_same_bits(view.x, ((float[]){1, 2, 3, 4}), 4);
    assert_string_equal(tnn_data_input_name(data, 0), "x");
    assert_string_equal(tnn_data_output_name(data, 0), "setosa");
    assert_string_equal(tnn_data_output_name(data, 1), "virginica");
    assert_string_equal(tnn_data_output_name(data, 2), "set");
    tnn_data_destroy(data);
}

static void test_read_csv_whole_numbers_are_classes_by_value(void **state) {
    (void)state;
    tnn_csv_options options = {.is_class = true};
    assert_classes("1,3\n2,0\n3,3\n4,1\n", &options, 4, (uint32_t[]){3, 0, 3, 1}, 4);
    assert_classes("1,2.0\n2,2\n3,1e0\n", &options, 3, (uint32_t[]){2, 2, 1}, 3);
    tnn_data *data = new_from("1,1\n", &options);
    assert_null(tnn_data_output_name(data, 0));
    assert_null(tnn_data_output_name(data, 1));
    tnn_data_destroy(data);
}

static void test_read_csv_other_numbers_are_classes_by_appearance(void **state) {
    (void)state;
    tnn_csv_options options = {.is_class = true};
    assert_classes("1,1\n2,-1\n3,1\n", &options, 2, (uint32_t[]){0, 1, 0}, 3);
    assert_classes("1,2\n2,1.5\n3,2\n", &options, 2, (uint32_t[]){0, 1, 0}, 3);
    assert_classes("1,7\n2,none\n", &options, 2, (uint32_t[]){0, 1}, 2);
}

/* Long texts with long common beginnings, 10,000 of them, each twice. */
static void test_read_csv_classes_are_told_apart_when_there_are_thousands(void **state) {
    (void)state;
    enum { CLASSES = 10000, LINE = 60 };
    char *text = malloc((size_t)2 * CLASSES * LINE);
    char *at = text;
    assert_non_null(text);
    for (int i = 0; i < 2 * CLASSES; i++)
        at += sprintf(
            at, "%d,%s%d%s\n", i, i % 3 ? "the same beginning " : "", i * 7919 % CLASSES,
            i % 2 ? " and end" : "");
    tnn_csv_options options = {.is_class = true};
    tnn_data *data = new_from(text, &options);
    tnn_dataset view = tnn_data_view(data);
    for (size_t r = 0; r < view.rows; r++) {
        char expected[LINE];
        int i = (int)r;
        sprintf(
            expected, "%s%d%s", i % 3 ? "the same beginning " : "", i * 7919 % CLASSES,
            i % 2 ? " and end" : "");
        assert_string_equal(tnn_data_output_name(data, view.classes[r]), expected);
    }
    assert_true(tnn_data_outputs(data) >= CLASSES);
    tnn_data_destroy(data);
    free(text);
}

/* ---- What it refuses ------------------------------------------------------------------------- */

#define AT "tnn_read_csv_from: memory:"

static void test_read_csv_fault_is_told_with_its_place(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", AT "1:1: the end, expected a row of numbers"},
        {"\n \n", AT "3:1: the end, expected a row of numbers"},
        {"1,2\n3, four\n", AT "2:4: \"four\", expected a number"},
        {"1,2\n3,\n", AT "2:3: \"\", expected a number"},
        {"1,2\n,3\n", AT "2:1: \"\", expected a number"},
        {"1,2\n3,inf\n", AT "2:3: \"inf\", expected a number"},
        {"1,2\n3,NaN\n", AT "2:3: \"NaN\", expected a number"},
        {"1,2\n3,1e39\n", AT "2:3: \"1e39\" is beyond the largest float, expected a finite number"},
        {"1,2\n1.5.2,3\n", AT "2:1: \"1.5.2\", expected a number"},
        {"1,2\n\x80\x01,3\n", AT "2:1: \"??\", expected a number"},
        {"1,2\n3\n", AT "2:2: the line ends after 1 fields, expected 2 as in line 1"},
        {"\n1,2\n3,4,5\n", AT "3:5: one more field, expected 2 as in line 2"},
        {"1\n2\n",
         AT "1:2: the line ends after 1 fields, expected at least 2, one of them an input"},
        {"1,2\n3,\"4\n5,6\n", AT "2:3: a quote begins here, expected another one that ends it"},
        {"1,2\n\"3\"4,5\n", AT "2:4: text follows a quote that ended, expected a separator"},
        {"1,2\n\"3\" 4,5\n", AT "2:5: text follows a quote that ended, expected a separator"},
        {"1,2\n\"3\n\",4\n5,x\n", AT "2:1: \"3?\", expected a number"},
        {"1,2\n1234567890123456789012345678901234567890x,3\n",
         AT "2:1: \"1234567890123456789012345678901234567890...\", expected a number"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_refused(cases[i].text, NULL, TNN_BAD_FORMAT, cases[i].message);
}

static void test_read_csv_other_separator_is_suggested(void **state) {
    (void)state;
    static const struct {
        const char *text;
        tnn_csv_options options;
        const char *message;
    } cases[] = {
        {"1;2\n", {0}, AT "1:4: the line has no ',' but has ';': is that the separator?"},
        {"a|b\n",
         {.has_header = true},
         AT "1:4: the line has no ',' but has '|': is that the separator?"},
        {"1\t2\n", {0}, AT "1:4: the line has no ',' but has '\\t': is that the separator?"},
        {"1,2",
         {.separator = ';'},
         AT "1:4: the line has no ';' but has ',': is that the separator?"},
        {"1,2",
         {.separator = ' '},
         AT "1:4: the line has no ' ' but has ',': is that the separator?"},
        {"1;2",
         {.separator = '\t'},
         AT "1:4: the line has no '\\t' but has ';': is that the separator?"},
        {"1 2\n",
         {.no_target = true},
         AT "1:4: the line has no ',' but has ' ': is that the separator?"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_refused(cases[i].text, &cases[i].options, TNN_BAD_FORMAT, cases[i].message);
}

static void test_read_csv_gzip_is_recognized(void **state) {
    (void)state;
    assert_refused(
        "\x1f\x8b\x08", NULL, TNN_BAD_FORMAT,
        AT " byte 0: compressed by gzip, expected CSV; decompress it, or give a source that does");
    assert_refused(
        "\x1f", NULL, TNN_BAD_FORMAT,
        AT "1:2: the line ends after 1 fields, expected at "
           "least 2, one of them an input");
}

static void test_read_csv_column_of_two_uses_is_refused(void **state) {
    (void)state;
    const size_t zero = 0, one = 1, zeros[] = {0, 0};
    const char *const names[] = {"b"};
    const tnn_csv_options wrong[] = {
        {.ignored_columns = &one, .ignored_count = 1, .target_columns = &one, .target_count = 1},
        {.ignored_columns = &one, .ignored_count = 1, .weight_column = &one},
        {.weight_column = &one, .target_columns = &one, .target_count = 1},
        {.weight_name = "b", .ignored_names = names, .ignored_count = 1, .has_header = true},
        {.weight_name = "b", .target_columns = &one, .target_count = 1, .has_header = true},
        {.ignored_columns = zeros, .ignored_count = 2},
    };
    tnn_data *data;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_status(read_text(&data, "a,b,c,d\n1,2,3,4\n", &wrong[i]), TNN_INVALID_ARGUMENT);
        assert_null(data);
    }
    tnn_csv_options options = {
        .ignored_columns = &zero, .ignored_count = 1, .weight_column = &zero};
    assert_refused(
        "1,2,3,4\n", &options, TNN_INVALID_ARGUMENT,
        "tnn_read_csv_from: column 0 is given twice, as it is ignored and the weight");
}

static void test_read_csv_inputs_have_to_be_left(void **state) {
    (void)state;
    const size_t columns[] = {0, 3};
    tnn_csv_options options = {
        .ignored_columns = columns, .ignored_count = 2, .weight_column = &(size_t){1}};
    assert_refused(
        "1,2,3,4\n", &options, TNN_BAD_FORMAT,
        AT "1:8: the line ends after 4 fields, expected at least 5, one of them an input");
    options.no_target = true;
    tnn_data_destroy(new_from("1,2,3,4\n", &options));
    assert_refused(
        "1,2,3\n", &options, TNN_BAD_FORMAT,
        AT "1:6: the line ends after 3 fields, expected at least 4, one of them an input");
    options.weight_column = &(size_t){4};
    assert_refused(
        "1,2,3,4\n", &options, TNN_BAD_FORMAT,
        AT "1:8: the line has 4 fields, expected one of number 4, counted from 0, as it is the "
           "weight");
}

static void test_read_csv_zero_byte_is_refused(void **state) {
    (void)state;
    memory_source source;
    tnn_data *data;
    assert_status(
        tnn_read_csv_from(&data, init_memory_source(&source, "1,2\n3,\0\n", 8), NULL),
        TNN_BAD_FORMAT);
    assert_string_equal(tnn_error_message(), AT "2:3: a byte of 0, expected text");
}

static void test_read_csv_endless_field_is_refused(void **state) {
    (void)state;
    enum { BYTES = 1000000 };
    char *text = malloc(BYTES + 1);
    assert_non_null(text);
    memset(text, '1', BYTES);
    text[BYTES] = '\0';
    const char *message =
        AT "1:1: a field of more than 65536 bytes begins here, expected a shorter one";
    assert_refused(text, NULL, TNN_BAD_FORMAT, message);
    text[0] = '"';
    assert_refused(text, NULL, TNN_BAD_FORMAT, message);
    free(text);
}

static void test_read_csv_target_that_is_not_there_is_told(void **state) {
    (void)state;
    const char *const names[] = {"c"};
    const size_t columns[] = {2};
    tnn_csv_options by_name = {.has_header = true, .target_names = names, .target_count = 1};
    tnn_csv_options by_number = {.target_columns = columns, .target_count = 1};
    assert_refused(
        "a,b\n1,2\n", &by_name, TNN_BAD_FORMAT, AT "1:1: no column is named \"c\", expected one");
    assert_refused(
        "c,c\n1,2\n", &by_name, TNN_BAD_FORMAT,
        AT "1:1: several columns are named \"c\", expected one");
    assert_refused(
        "1,2\n", &by_number, TNN_BAD_FORMAT,
        AT
        "1:4: the line has 2 fields, expected one of number 2, counted from 0, as it is a target");
    assert_refused("a,c\n", &by_name, TNN_BAD_FORMAT, AT "2:1: the end, expected a row of numbers");
    tnn_csv_options classes = {.is_class = true};
    assert_refused("1,a\n2,\n", &classes, TNN_BAD_FORMAT, AT "2:3: nothing, expected a class");
}

static void test_read_csv_limit_is_kept_and_named(void **state) {
    (void)state;
    tnn_csv_options rows = {.limits = {.rows = 2}};
    tnn_csv_options columns = {.limits = {.columns = 2}};
    tnn_csv_options bytes = {.limits = {.total_bytes = 16}};
    tnn_csv_options line = {.limits = {.total_bytes = 4}};
    tnn_csv_options classes = {.is_class = true, .limits = {.columns = 2}};
    tnn_data_destroy(new_from("1,2\n3,4\n", &rows));
    tnn_data_destroy(new_from("1,2\n3,4\n", &columns));
    tnn_data_destroy(new_from("1,2\n3,4\n", &bytes));
    tnn_data_destroy(new_from("1,a\n3,b\n", &classes));
    assert_refused(
        "1,2\n3,4\n5,6\n", &rows, TNN_UNSUPPORTED, AT "3:1: more rows than limits.rows, 2");
    assert_refused(
        "1,2,3\n", &columns, TNN_UNSUPPORTED, AT "1:5: more columns than limits.columns, 2");
    assert_refused(
        "1,2\n3,4\n5,6\n", &bytes, TNN_UNSUPPORTED,
        AT "3:1: the rows take more bytes than limits.total_bytes, 16");
    assert_refused(
        "11111,2\n", &line, TNN_UNSUPPORTED,
        AT "1:7: the line has more bytes than limits.total_bytes, 4");
    assert_refused(
        "1,a\n3,b\n5,c\n", &classes, TNN_UNSUPPORTED,
        AT "3:3: more classes than limits.columns, 2");
    assert_refused(
        "1,0\n3,2\n", &classes, TNN_UNSUPPORTED,
        AT "3:1: class 2 makes more classes than limits.columns, 2");
}

static void test_read_csv_arguments_are_checked(void **state) {
    (void)state;
    const char *const names[] = {"a", NULL};
    const size_t columns[] = {0, 0};
    const tnn_csv_options wrong[] = {
        {.separator = '"'},
        {.separator = '\n'},
        {.separator = '.'},
        {.separator = 'e'},
        {.separator = 'X'},
        {.target_count = 1},
        {.target_columns = columns},
        {.target_columns = columns, .target_names = names, .target_count = 1},
        {.target_names = names, .target_count = 1},
        {.target_names = names, .target_count = 2, .has_header = true},
        {.target_columns = columns, .target_count = 2},
        {.target_columns = columns, .target_count = 2, .is_class = true},
        {.no_target = true, .target_columns = columns, .target_count = 1},
        {.no_target = true, .is_class = true},
        {.ignored_count = 1},
        {.ignored_columns = columns},
        {.ignored_columns = columns, .ignored_names = names, .ignored_count = 1},
        {.ignored_names = names, .ignored_count = 1},
        {.ignored_names = names, .ignored_count = 2, .has_header = true},
        {.weight_column = columns, .weight_name = "a", .has_header = true},
        {.weight_name = "a"},
    };
    tnn_data *data;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_status(read_text(&data, "1,2,3\n", &wrong[i]), TNN_INVALID_ARGUMENT);
        assert_null(data);
    }
    assert_status(tnn_read_csv_from(NULL, NULL, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_read_csv_from(&data, NULL, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_read_csv_from(&data, &(tnn_source){0}, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_read_csv(NULL, "x", NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_read_csv(&data, NULL, NULL), TNN_INVALID_ARGUMENT);
}

/* ---- Sources and files ----------------------------------------------------------------------- */

static void test_read_csv_status_of_the_source_is_handed_on(void **state) {
    (void)state;
    static const char text[] = "1,2\n3,4\n";
    for (size_t at = 0; at <= 8; at++) {
        memory_source source;
        tnn_data *data = (tnn_data *)(uintptr_t)1;
        init_memory_source(&source, text, 8);
        source.fail_at = at;
        source.piece = 1;
        source.failure = TNN_BAD_STATE;
        assert_status(tnn_read_csv_from(&data, &source.base, NULL), TNN_BAD_STATE);
        assert_null(data);
        assert_string_equal(
            tnn_error_message(), "tnn_read_csv_from: memory: source->read returned TNN_BAD_STATE");
    }
}

static tnn_status read_too_much(void *context, void *buffer, size_t capacity, size_t *count) {
    (void)context;
    (void)buffer;
    *count = capacity + 1;
    return TNN_OK;
}

static void test_read_csv_source_that_claims_too_much_is_refused(void **state) {
    (void)state;
    tnn_data *data;
    tnn_source source = {.read = read_too_much};
    assert_status(tnn_read_csv_from(&data, &source, NULL), TNN_INVALID_ARGUMENT);
    assert_non_null(strstr(tnn_error_message(), "data: source->read stored"));
}

static void test_read_csv_path_gives_what_the_source_gives(void **state) {
    (void)state;
    static const char path[] = "test_read_csv.csv";
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (int i = 0; i < 50000; i++) /* more than one buffer */
        fprintf(file, "%d,%d.5,0.25\n", i, -i);
    fclose(file);
    tnn_data *data;
    assert_ok(tnn_read_csv(&data, path, NULL));
    tnn_dataset view = tnn_data_view(data);
    assert_int_equal(view.rows, 50000);
    for (size_t r = 0; r < view.rows; r++) {
        assert_true(view.x[2 * r] == (float)r);
        assert_true(view.x[2 * r + 1] == -((float)r + 0.5f) || r == 0);
    }
    tnn_data_destroy(data);
    remove(path);
}

static void test_read_csv_file_that_cannot_be_read_is_told_with_the_systems_words(void **state) {
    (void)state;
    char message[200];
    tnn_data *data = (tnn_data *)(uintptr_t)1;
    assert_status(tnn_read_csv(&data, "no/such/file.csv", NULL), TNN_IO_ERROR);
    assert_null(data);
    snprintf(
        message, sizeof message, "tnn_read_csv: cannot open no/such/file.csv: %s",
        strerror(ENOENT));
    assert_string_equal(tnn_error_message(), message);
    assert_status(tnn_read_csv(&data, ".", NULL), TNN_IO_ERROR);
    assert_non_null(strstr(tnn_error_message(), " .: "));
}

/* ---- Damage ---------------------------------------------------------------------------------- */

static const char sample[] =
    "a,\"b \"\"c\"\"\",kind\r\n1.5e0,-0x1p2,red\n\n 2 ,\"3\",green\n4,5,red";

static tnn_status read_sample(
    tnn_data **data, const tnn_source *source, const tnn_allocator *allocator) {
    static const char *const names[] = {"kind"};
    tnn_csv_options options = {
        .has_header = true,
        .target_names = names,
        .target_count = 1,
        .is_class = true,
        .allocator = allocator};
    return tnn_read_csv_from(data, source, &options);
}

static tnn_status read_plain(
    tnn_data **data, const tnn_source *source, const tnn_allocator *allocator) {
    tnn_csv_options options = {.separator = ' ', .allocator = allocator};
    return tnn_read_csv_from(data, source, &options);
}

static tnn_status read_values(
    tnn_data **data, const tnn_source *source, const tnn_allocator *allocator) {
    tnn_csv_options options = {.is_class = true, .allocator = allocator};
    return tnn_read_csv_from(data, source, &options);
}

static const char weighted[] = "a,id,w,b\n1,x,.5,2\n3,,1e1,4\n";

static tnn_status read_weighted(
    tnn_data **data, const tnn_source *source, const tnn_allocator *allocator) {
    static const char *const names[] = {"id"};
    tnn_csv_options options = {
        .has_header = true,
        .no_target = true,
        .ignored_names = names,
        .ignored_count = 1,
        .weight_name = "w",
        .allocator = allocator};
    return tnn_read_csv_from(data, source, &options);
}

static void test_read_csv_pieces_do_not_matter(void **state) {
    (void)state;
    assert_pieces_do_not_matter(read_sample, sample, sizeof sample - 1);
    assert_pieces_do_not_matter(read_weighted, weighted, sizeof weighted - 1);
}

static void test_read_csv_any_damage_is_an_error_or_a_sound_data_set(void **state) {
    (void)state;
    static const char plain[] = " 1 2\t3e4\r\n-.5 \"6\" 7\n";
    assert_stands_any_damage(read_sample, sample, sizeof sample - 1);
    assert_stands_any_damage(read_weighted, weighted, sizeof weighted - 1);
    assert_stands_any_damage(read_plain, plain, sizeof plain - 1);
    assert_stands_any_damage(read_values, "1,2\n3,0\n", 8);
}

static void test_read_csv_fails_clean_without_memory(void **state) {
    (void)state;
    enum { ROWS = 3000 };
    char *text = malloc(ROWS * 20);
    assert_non_null(text);
    char *at = text + sprintf(text, "x,y,kind\n");
    for (int i = 0; i < ROWS; i++)
        at += sprintf(at, "%d,2,c%d\n", i, i % 500);
    /* The data set and its buffer; x and classes, texts of lines, fields, roles and labels, and
     * names, of which most grow more than once. */
    assert_true(assert_stands_lack_of_memory(read_sample, text, (size_t)(at - text)) > 15);
    assert_true(assert_stands_lack_of_memory(read_values, "1,2\n3,0\n", 8) > 5);
    assert_true(assert_stands_lack_of_memory(read_weighted, weighted, sizeof weighted - 1) > 8);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_csv_rows_are_numbers_with_the_last_as_target),
        cmocka_unit_test(test_read_csv_blanks_quotes_and_empty_lines_do_not_matter),
        cmocka_unit_test(test_read_csv_byte_order_mark_is_skipped),
        cmocka_unit_test(test_read_csv_separator_is_the_callers),
        cmocka_unit_test(test_read_csv_targets_are_the_columns_named_by_number),
        cmocka_unit_test(test_read_csv_header_names_inputs_and_targets),
        cmocka_unit_test(test_read_csv_ignored_columns_may_hold_anything),
        cmocka_unit_test(test_read_csv_without_a_target_all_columns_are_inputs),
        cmocka_unit_test(test_read_csv_weight_column_becomes_row_weights),
        cmocka_unit_test(test_read_csv_text_classes_are_numbered_as_they_appear),
        cmocka_unit_test(test_read_csv_whole_numbers_are_classes_by_value),
        cmocka_unit_test(test_read_csv_other_numbers_are_classes_by_appearance),
        cmocka_unit_test(test_read_csv_classes_are_told_apart_when_there_are_thousands),
        cmocka_unit_test(test_read_csv_fault_is_told_with_its_place),
        cmocka_unit_test(test_read_csv_other_separator_is_suggested),
        cmocka_unit_test(test_read_csv_gzip_is_recognized),
        cmocka_unit_test(test_read_csv_column_of_two_uses_is_refused),
        cmocka_unit_test(test_read_csv_inputs_have_to_be_left),
        cmocka_unit_test(test_read_csv_zero_byte_is_refused),
        cmocka_unit_test(test_read_csv_endless_field_is_refused),
        cmocka_unit_test(test_read_csv_target_that_is_not_there_is_told),
        cmocka_unit_test(test_read_csv_limit_is_kept_and_named),
        cmocka_unit_test(test_read_csv_arguments_are_checked),
        cmocka_unit_test(test_read_csv_status_of_the_source_is_handed_on),
        cmocka_unit_test(test_read_csv_source_that_claims_too_much_is_refused),
        cmocka_unit_test(test_read_csv_path_gives_what_the_source_gives),
        cmocka_unit_test(test_read_csv_file_that_cannot_be_read_is_told_with_the_systems_words),
        cmocka_unit_test(test_read_csv_pieces_do_not_matter),
        cmocka_unit_test(test_read_csv_any_damage_is_an_error_or_a_sound_data_set),
        cmocka_unit_test(test_read_csv_fails_clean_without_memory),
    };
    return cmocka_run_group_tests_name("read_csv", tests, NULL, NULL);
}
