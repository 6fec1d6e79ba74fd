/*
 * test_read_idx.c: MNIST's format, and headers that claim what is not there.
 */
#include "support/test_sources.h"

#include <stdio.h>
#include <string.h>

#define IMAGES_HEADER "\0\0\x08\x03\0\0\0\x03\0\0\0\x02\0\0\0\x01"
static const char images[] = IMAGES_HEADER "\x00\xff\x01\x80\x33\x66";
static const char labels[] = "\0\0\x08\x01\0\0\0\x03\x02\x00\x05";
enum { IMAGES = sizeof images - 1, LABELS = sizeof labels - 1 };

static tnn_status read_both(
    tnn_data **data, const void *image_bytes, size_t image_count, const void *label_bytes,
    size_t label_count, const tnn_read_options *options) {
    memory_source of_images;
    memory_source of_labels;
    *data = (tnn_data *)(uintptr_t)1;
    init_memory_source(&of_labels, label_bytes, label_count);
    of_labels.base.name = "labels";
    return tnn_read_idx_from(
        data, init_memory_source(&of_images, image_bytes, image_count), &of_labels.base, options);
}

static void assert_images_refused(
    const void *bytes, size_t count, const tnn_read_options *options, tnn_status status,
    const char *message) {
    tnn_data *data;
    assert_status(read_both(&data, bytes, count, labels, LABELS, options), status);
    assert_null(data);
    assert_string_equal(tnn_error_message(), message);
}

static void assert_labels_refused(
    const void *bytes, size_t count, tnn_status status, const char *message) {
    tnn_data *data;
    assert_status(read_both(&data, images, IMAGES, bytes, count, NULL), status);
    assert_null(data);
    assert_string_equal(tnn_error_message(), message);
}

static void assert_sample(const tnn_data *data) {
    static const float x[] = {0, 1, 1 / 255.0f, 128 / 255.0f, 51 / 255.0f, 102 / 255.0f};
    static const uint32_t classes[] = {2, 0, 5};
    tnn_dataset view = tnn_data_view(data);
    assert_int_equal(view.rows, 3);
    assert_int_equal(tnn_data_inputs(data), 2);
    assert_int_equal(tnn_data_outputs(data), 6);
    assert_same_bits(view.x, x, 6);
    assert_memory_equal(view.classes, classes, sizeof classes);
    assert_null(view.target);
    assert_null(view.row_weights);
    assert_null(tnn_data_input_name(data, 0));
    assert_null(tnn_data_output_name(data, 5));
}

/* ---- What it takes --------------------------------------------------------------------------- */

static void test_read_idx_bytes_become_shares_and_classes(void **state) {
    (void)state;
    tnn_data *data;
    assert_ok(read_both(&data, images, IMAGES, labels, LABELS, NULL));
    assert_sample(data);
    tnn_data_destroy(data);
}

static void test_read_idx_one_dimension_is_a_column(void **state) {
    (void)state;
    tnn_data *data;
    assert_ok(read_both(&data, labels, LABELS, labels, LABELS, NULL));
    assert_int_equal(tnn_data_inputs(data), 1);
    assert_int_equal(tnn_data_view(data).rows, 3);
    tnn_data_destroy(data);
}

static void write_file(const char *path, const char *bytes, size_t count) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    fclose(file);
}

static void test_read_idx_paths_give_what_sources_give(void **state) {
    (void)state;
    tnn_data *data;
    write_file("test_read_idx.images", images, IMAGES);
    write_file("test_read_idx.labels", labels, LABELS);
    assert_ok(tnn_read_idx(&data, "test_read_idx.images", "test_read_idx.labels", NULL));
    assert_sample(data);
    tnn_data_destroy(data);
    assert_status(
        tnn_read_idx(&data, "test_read_idx.images", "test_read_idx.none", NULL), TNN_IO_ERROR);
    assert_null(data);
    assert_non_null(strstr(tnn_error_message(), "cannot open test_read_idx.none: "));
    assert_status(
        tnn_read_idx(&data, "test_read_idx.none", "test_read_idx.labels", NULL), TNN_IO_ERROR);
    assert_null(data);
    remove("test_read_idx.images");
    remove("test_read_idx.labels");
}

/* ---- What it refuses ------------------------------------------------------------------------- */

#define AT "tnn_read_idx_from: memory: byte "

static void test_read_idx_fault_is_told_with_its_byte(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t count;
        tnn_status status;
        const char *message;
    } cases[] = {
        {"", 0, TNN_BAD_FORMAT, AT "0: the end in the header, expected a byte"},
        {"\0\0\x08", 3, TNN_BAD_FORMAT, AT "3: the end in the header, expected a byte"},
        {"\x1f\x8b\x08\x03", 4, TNN_BAD_FORMAT,
         AT "0: compressed by gzip, expected IDX; decompress it, or give a source that does"},
        {"P5\n1", 4, TNN_BAD_FORMAT, AT "0: the bytes 50 35, expected the 00 00 of IDX"},
        {"\0\0\x0d\x01", 4, TNN_UNSUPPORTED,
         AT "2: elements of type 0d, expected 08, unsigned bytes"},
        {"\0\0\x07\x01", 4, TNN_BAD_FORMAT, AT "2: type 07, expected 08, unsigned bytes"},
        {"\0\0\x08\0", 4, TNN_BAD_FORMAT, AT "3: 0 dimensions, expected at least 1"},
        {"\0\0\x08\x02\0\0\0\x01\0\0", 10, TNN_BAD_FORMAT,
         AT "10: the end in the dimensions, expected a byte"},
        {"\0\0\x08\x02\0\0\0\x01\0\0\0\0", 12, TNN_BAD_FORMAT,
         AT "8: dimension 1 is 0, expected at least 1"},
        {images, IMAGES - 1, TNN_BAD_FORMAT,
         AT "21: the end after 5 elements, expected 6 by the header"},
        {images, IMAGES + 1, TNN_BAD_FORMAT,
         AT "22: more bytes, expected the end after the elements"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_images_refused(
            cases[i].bytes, cases[i].count, NULL, cases[i].status, cases[i].message);
}

#undef AT
#define AT "tnn_read_idx_from: labels: byte "

static void test_read_idx_labels_have_to_fit_the_images(void **state) {
    (void)state;
    assert_labels_refused(
        images, IMAGES, TNN_BAD_FORMAT, AT "3: 3 dimensions, expected the 1 of labels");
    assert_labels_refused(
        "\0\0\x08\x01\0\0\0\x02\x01\x01", 10, TNN_BAD_FORMAT,
        AT "4: 2 labels, expected one for each of 3 rows");
    assert_labels_refused(
        labels, LABELS - 1, TNN_BAD_FORMAT,
        AT "10: the end after 2 elements, expected 3 by the header");
}

#undef AT
#define AT "tnn_read_idx_from: memory: byte "

static void test_read_idx_limit_is_kept_and_named(void **state) {
    (void)state;
    tnn_data *data;
    tnn_read_options exact = {.limits = {.rows = 3, .columns = 2, .total_bytes = 36}};
    tnn_read_options rows = {.limits = {.rows = 2}};
    tnn_read_options columns = {.limits = {.columns = 1}};
    tnn_read_options bytes = {.limits = {.total_bytes = 35}};
    assert_ok(read_both(&data, images, IMAGES, labels, LABELS, &exact));
    tnn_data_destroy(data);
    assert_images_refused(
        images, IMAGES, &rows, TNN_UNSUPPORTED, AT "4: 3 rows, more than limits.rows, 2");
    assert_images_refused(
        images, IMAGES, &columns, TNN_UNSUPPORTED,
        AT "8: rows of 2 bytes, more than limits.columns, 1");
    assert_images_refused(
        images, IMAGES, &bytes, TNN_UNSUPPORTED,
        AT "4: 3 rows of 2 floats and a class, more bytes than limits.total_bytes, 35");
    assert_images_refused(
        "\0\0\x08\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 20, NULL,
        TNN_UNSUPPORTED,
        AT "8: rows of 18446744073709551615 bytes, more than limits.columns, 65536");
}

/* 2^31 rows of 1, or one row of 2^31, in a file of 100 bytes. */
static void test_read_idx_memory_is_for_bytes_and_not_for_claims(void **state) {
    (void)state;
    static const char many_rows[100] = "\0\0\x08\x02\x80\0\0\0\0\0\0\x01";
    static const char long_row[100] = "\0\0\x08\x02\0\0\0\x01\x80\0\0\0";
    const char *const claims[] = {many_rows, long_row};
    for (size_t i = 0; i < COUNT_OF(claims); i++) {
        test_allocator memory;
        memory_source source;
        memory_source other;
        tnn_data *data;
        const size_t enough = (size_t)1 << 40;
        tnn_read_options options = {
            .limits = {.rows = enough, .columns = enough, .total_bytes = enough},
            .allocator = init_test_allocator(&memory)};
        memory.most_bytes = 1 << 16; /* the buffer */
        assert_status(
            tnn_read_idx_from(
                &data, init_memory_source(&source, claims[i], 100),
                init_memory_source(&other, labels, LABELS), &options),
            TNN_BAD_FORMAT);
        assert_string_equal(
            tnn_error_message(),
            AT "100: the end after 88 elements, expected 2147483648 by the "
               "header");
        assert_int_equal(memory.live, 0);
    }
}

static void test_read_idx_arguments_are_checked(void **state) {
    (void)state;
    memory_source source;
    tnn_data *data;
    init_memory_source(&source, images, IMAGES);
    assert_status(tnn_read_idx_from(NULL, NULL, NULL, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_read_idx_from(&data, NULL, &source.base, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_read_idx_from(&data, &source.base, NULL, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_read_idx(NULL, "a", "b", NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_read_idx(&data, NULL, "b", NULL), TNN_INVALID_ARGUMENT);
    assert_null(data);
}

static void test_read_idx_status_of_a_source_is_handed_on(void **state) {
    (void)state;
    for (size_t at = 0; at <= IMAGES; at++) {
        memory_source source;
        memory_source other;
        tnn_data *data;
        init_memory_source(&source, images, IMAGES);
        source.fail_at = at;
        source.failure = TNN_IO_ERROR;
        assert_status(
            tnn_read_idx_from(
                &data, &source.base, init_memory_source(&other, labels, LABELS), NULL),
            TNN_IO_ERROR);
        assert_null(data);
    }
}

/* ---- Damage ---------------------------------------------------------------------------------- */

static tnn_status read_images(
    tnn_data **data, const tnn_source *source, const tnn_allocator *allocator) {
    memory_source other;
    tnn_read_options options = {.allocator = allocator};
    init_memory_source(&other, labels, LABELS);
    return tnn_read_idx_from(data, source, &other.base, &options);
}

static tnn_status read_labels(
    tnn_data **data, const tnn_source *source, const tnn_allocator *allocator) {
    memory_source other;
    tnn_read_options options = {.allocator = allocator};
    init_memory_source(&other, images, IMAGES);
    return tnn_read_idx_from(data, &other.base, source, &options);
}

static void test_read_idx_pieces_do_not_matter(void **state) {
    (void)state;
    assert_pieces_do_not_matter(read_images, images, IMAGES);
    assert_pieces_do_not_matter(read_labels, labels, LABELS);
}

static void test_read_idx_any_damage_is_an_error_or_a_sound_data_set(void **state) {
    (void)state;
    assert_stands_any_damage(read_images, images, IMAGES);
    assert_stands_any_damage(read_labels, labels, LABELS);
}

static void test_read_idx_fails_clean_without_memory(void **state) {
    (void)state;
    /* Two buffers, the data set, x and classes. */
    assert_int_equal(assert_stands_lack_of_memory(read_images, images, IMAGES), 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_idx_bytes_become_shares_and_classes),
        cmocka_unit_test(test_read_idx_one_dimension_is_a_column),
        cmocka_unit_test(test_read_idx_paths_give_what_sources_give),
        cmocka_unit_test(test_read_idx_fault_is_told_with_its_byte),
        cmocka_unit_test(test_read_idx_labels_have_to_fit_the_images),
        cmocka_unit_test(test_read_idx_limit_is_kept_and_named),
        cmocka_unit_test(test_read_idx_memory_is_for_bytes_and_not_for_claims),
        cmocka_unit_test(test_read_idx_arguments_are_checked),
        cmocka_unit_test(test_read_idx_status_of_a_source_is_handed_on),
        cmocka_unit_test(test_read_idx_pieces_do_not_matter),
        cmocka_unit_test(test_read_idx_any_damage_is_an_error_or_a_sound_data_set),
        cmocka_unit_test(test_read_idx_fails_clean_without_memory),
    };
    return cmocka_run_group_tests_name("read_idx", tests, NULL, NULL);
}
