#include "test_sources.h"

#include <stdlib.h>
#include <string.h>

static tnn_status read_memory(void *context, void *buffer, size_t capacity, size_t *count) {
    memory_source *source = context;
    source->calls++;
    assert_true(capacity > 0);
    size_t given = source->count - source->at;
    given = given < capacity ? given : capacity;
    if (source->piece && given > source->piece)
        given = source->piece;
    if (source->at + given > source->fail_at)
        given = source->fail_at - source->at;
    if (source->at == source->fail_at)
        return source->failure;
    if (given > 0)
        memcpy(buffer, source->bytes + source->at, given);
    source->at += given;
    *count = given;
    return TNN_OK;
}

const tnn_source *init_memory_source(memory_source *source, const void *bytes, size_t count) {
    *source = (memory_source){
        .base = {.context = source, .read = read_memory, .name = "memory"},
        .bytes = bytes,
        .count = count,
        .fail_at = SIZE_MAX};
    return &source->base;
}

static void assert_same_name(const char *a, const char *b) {
    assert_true(!a == !b);
    if (a)
        assert_string_equal(a, b);
}

void assert_same_data(const tnn_data *a, const tnn_data *b) {
    tnn_dataset view_a = tnn_data_view(a);
    tnn_dataset view_b = tnn_data_view(b);
    size_t inputs = tnn_data_inputs(a);
    size_t outputs = tnn_data_outputs(a);
    assert_int_equal(view_a.rows, view_b.rows);
    assert_int_equal(inputs, tnn_data_inputs(b));
    assert_int_equal(outputs, tnn_data_outputs(b));
    assert_same_bits(view_a.x, view_b.x, view_a.rows * inputs);
    assert_true(!view_a.target == !view_b.target);
    if (view_a.target)
        assert_same_bits(view_a.target, view_b.target, view_a.rows * outputs);
    assert_true(!view_a.classes == !view_b.classes);
    if (view_a.classes)
        assert_memory_equal(view_a.classes, view_b.classes, view_a.rows * sizeof(uint32_t));
    assert_true(!view_a.row_weights == !view_b.row_weights);
    if (view_a.row_weights)
        assert_same_bits(view_a.row_weights, view_b.row_weights, view_a.rows);
    for (size_t i = 0; i < inputs; i++)
        assert_same_name(tnn_data_input_name(a, i), tnn_data_input_name(b, i));
    for (size_t i = 0; i < outputs; i++)
        assert_same_name(tnn_data_output_name(a, i), tnn_data_output_name(b, i));
}

void assert_pieces_do_not_matter(read_function *read, const void *bytes, size_t count) {
    memory_source source;
    tnn_data *whole = NULL;
    assert_ok(read(&whole, init_memory_source(&source, bytes, count), NULL));
    for (size_t piece = 1; piece <= count && piece < 100; piece++) {
        tnn_data *data = NULL;
        init_memory_source(&source, bytes, count);
        source.piece = piece;
        assert_ok(read(&data, &source.base, NULL));
        assert_same_data(data, whole);
        tnn_data_destroy(data);
    }
    tnn_data_destroy(whole);
}

static bool is_finite(float x) {
    return x - x == 0.0f;
}

/* What came through is a data set that keeps its promises. */
static void assert_sound(const tnn_data *data) {
    tnn_dataset view = tnn_data_view(data);
    size_t outputs = tnn_data_outputs(data);
    assert_true(view.rows > 0 && tnn_data_inputs(data) > 0);
    assert_true((outputs > 0) == (view.target || view.classes));
    for (size_t i = 0; i < view.rows * tnn_data_inputs(data); i++)
        assert_true(is_finite(view.x[i]));
    for (size_t i = 0; view.target && i < view.rows * outputs; i++)
        assert_true(is_finite(view.target[i]));
    for (size_t r = 0; view.row_weights && r < view.rows; r++)
        assert_true(is_finite(view.row_weights[r]));
    for (size_t r = 0; view.classes && r < view.rows; r++)
        assert_true(view.classes[r] < outputs);
    for (size_t i = 0; i < outputs; i++)
        (void)tnn_data_output_name(data, i);
}

static void assert_survives(read_function *read, const char *bytes, size_t count) {
    test_allocator memory;
    memory_source source;
    tnn_data *data = (tnn_data *)(uintptr_t)1;
    init_test_allocator(&memory);
    tnn_status status = read(&data, init_memory_source(&source, bytes, count), &memory.base);
    if (status == TNN_OK)
        assert_sound(data);
    else {
        assert_true(status == TNN_BAD_FORMAT || status == TNN_UNSUPPORTED);
        assert_null(data);
        assert_non_null(strstr(tnn_error_message(), "memory"));
    }
    tnn_data_destroy(data);
    assert_int_equal(memory.live, 0);
}

void assert_stands_any_damage(read_function *read, const void *bytes, size_t count) {
    for (size_t length = 0; length <= count; length++) {
        char *cut = malloc(length + 1); /* exactly as long, so that sanitizers see what is beyond */
        assert_non_null(cut);
        memcpy(cut, bytes, length);
        assert_survives(read, cut, length);
        free(cut);
    }
    char *damaged = malloc(count);
    assert_non_null(damaged);
    memcpy(damaged, bytes, count);
    for (size_t bit = 0; bit < 8 * count; bit++) {
        damaged[bit / 8] = (char)(damaged[bit / 8] ^ (1 << bit % 8));
        assert_survives(read, damaged, count);
        damaged[bit / 8] = (char)(damaged[bit / 8] ^ (1 << bit % 8));
    }
    free(damaged);
}

size_t assert_stands_lack_of_memory(read_function *read, const void *bytes, size_t count) {
    test_allocator memory;
    memory_source source;
    for (size_t failing = 1;; failing++) {
        tnn_data *data = (tnn_data *)(uintptr_t)1;
        init_test_allocator(&memory);
        memory.fail_at = failing;
        tnn_status status = read(&data, init_memory_source(&source, bytes, count), &memory.base);
        bool failed = memory.calls >= failing;
        assert_status(status, failed ? TNN_OUT_OF_MEMORY : TNN_OK);
        assert_true(!data == failed);
        tnn_data_destroy(data);
        assert_int_equal(memory.live, 0);
        if (!failed)
            return failing - 1;
    }
}
