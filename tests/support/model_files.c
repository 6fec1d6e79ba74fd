#include "model_files.h"

#include "support/bytes.h"
#include "support/checksum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Nets ------------------------------------------------------------------------------------ */

enum { INPUTS = 2, MOST_UNITS = 4, ROWS = 7 };

static bend_context bends = {.linear = 0.75f, .quadratic = 0.125f};

static void pass_forward(tnn_net *net, size_t times) {
    static const float x[ROWS * INPUTS] = {0.5f, -1, 2, 0.25f};
    for (size_t i = 0; i < times; i++)
        assert_ok(tnn_forward(net, ROWS, x, NULL));
}

static tnn_net *new_plain(void) {
    const tnn_layer layers[] = {
        {.units = 3, .activation = tnn_tanh()}, {.units = 1, .activation = tnn_sigmoid()}};
    return new_net(INPUTS, layers, COUNT_OF(layers), &(tnn_net_options){.seed = 42});
}

/* Nothing in it depends on how a number is rounded. */
static tnn_net *new_rich(void) {
    static const float shift[] = {0.5f, -3};
    static const float scale[] = {2, 0.125f};
    const tnn_layer layers[] = {
        {.units = 4, .activation = tnn_leaky_relu(0.125f), .dropout = 0.25f},
        {.units = 3, .activation = bend(0.0625f, &bends), .no_bias = true},
        {.units = 2, .activation = tnn_elu(0.75f), .dropout = 0.5f}};
    const tnn_net_options options = {.seed = UINT64_C(0xfedcba9876543210)};
    tnn_net *net = new_net(INPUTS, layers, COUNT_OF(layers), &options);
    float *parameters = tnn_net_parameters(net);
    for (size_t i = 0; i < tnn_net_parameter_count(net); i++)
        parameters[i] = (float)(i % 2 ? -1 : 1) * (float)(1 << i % 5) / 8;
    assert_ok(tnn_net_set_input_scaling(net, shift, scale));
    assert_ok(tnn_net_set_output_scaling(net, scale, scale));
    return net;
}

static tnn_net *new_odd(void) {
    static const uint32_t bits[] = {0x7f800000, 0x80000000, 0xffa12345};
    const tnn_layer layer = {.units = 1};
    tnn_net *net = new_net(INPUTS, &layer, 1, NULL);
    memcpy(tnn_net_parameters(net), bits, sizeof bits);
    return net;
}

tnn_net *new_sample_net(size_t index) {
    tnn_net *net = index == 0 ? new_plain() : index == 1 ? new_rich() : new_odd();
    pass_forward(net, index + 2);
    return net;
}

const tnn_load_options *options_with_bend(void) {
    static tnn_activation activations[1];
    static tnn_load_options options = {.activations = activations, .activation_count = 1};
    activations[0] = bend(0, &bends);
    return &options;
}

/* ---- Files ----------------------------------------------------------------------------------- */

model_file saved_net(const tnn_net *net) {
    model_file file;
    size_t count = 0;
    assert_ok(tnn_net_save_to_memory(net, NULL, 0, &file.count));
    file.bytes = malloc(file.count);
    assert_non_null(file.bytes);
    assert_ok(tnn_net_save_to_memory(net, file.bytes, file.count, &count));
    assert_int_equal(count, file.count);
    return file;
}

model_file saved_sample(size_t index) {
    tnn_net *net = new_sample_net(index);
    model_file file = saved_net(net);
    tnn_net_destroy(net);
    return file;
}

model_file read_file(const char *path) {
    model_file file = {0};
    unsigned char piece[512];
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    for (size_t count; (count = fread(piece, 1, sizeof piece, stream)) > 0;)
        insert_bytes(&file, file.count, piece, count);
    fclose(stream);
    return file;
}

model_file exact_copy(const model_file *file) {
    model_file copy = {malloc(file->count ? file->count : 1), file->count};
    assert_non_null(copy.bytes);
    if (file->count > 0)
        memcpy(copy.bytes, file->bytes, file->count);
    return copy;
}

void free_file(model_file *file) {
    free(file->bytes);
    *file = (model_file){0};
}

size_t find_text(const model_file *file, const char *text) {
    size_t length = strlen(text);
    for (size_t at = 0; at + length <= file->count; at++)
        if (memcmp(file->bytes + at, text, length) == 0)
            return at;
    fail_msg("%s is not in the file", text);
    return 0;
}

void put_number(model_file *file, size_t at, size_t bytes, uint64_t value) {
    assert_true(at + bytes <= file->count);
    for (size_t i = 0; i < bytes; i++)
        file->bytes[at + i] = (unsigned char)(value >> 8 * i);
}

void set_length(model_file *file, size_t count) {
    file->bytes = realloc(file->bytes, count ? count : 1);
    assert_non_null(file->bytes);
    if (count > file->count)
        memset(file->bytes + file->count, 0, count - file->count);
    file->count = count;
}

void insert_bytes(model_file *file, size_t at, const void *bytes, size_t count) {
    size_t behind = file->count - at;
    set_length(file, file->count + count);
    memmove(file->bytes + at + count, file->bytes + at, behind);
    memcpy(file->bytes + at, bytes, count);
}

void insert_key(
    model_file *file, const char *name, uint32_t type, const void *value, size_t bytes) {
    unsigned char entry[1024];
    size_t length = strlen(name);
    size_t total = (8 + length + 4 + bytes + 63) / 64 * 64;
    assert_true(total <= sizeof entry);
    memset(entry, 'x', sizeof entry);
    tnni_store_u64(entry, total - 12 - bytes);
    memcpy(entry + 8, name, length);
    tnni_store_u32(entry + total - bytes - 4, type);
    memcpy(entry + total - bytes, value, bytes);
    insert_bytes(file, CHECKSUM_AT + 8, entry, total);
    put_number(file, 16, 8, tnni_load_u64(file->bytes + 16) + 1);
}

void renew_checksum(model_file *file) {
    if (file->count < CHECKSUM_AT + 8)
        return;
    uint64_t sum = tnni_checksum(0, file->bytes, CHECKSUM_AT);
    sum = tnni_checksum(sum, file->bytes + CHECKSUM_AT + 8, file->count - CHECKSUM_AT - 8);
    put_number(file, CHECKSUM_AT, 8, sum);
}

tnn_net *loaded_file(const model_file *file) {
    tnn_net *net = NULL;
    assert_ok(tnn_net_load_from_memory(&net, file->bytes, file->count, options_with_bend()));
    assert_non_null(net);
    return net;
}

/* ---- The same? ------------------------------------------------------------------------------- */

static void assert_same_array(const float *actual, const float *expected, size_t count) {
    assert_true(!actual == !expected);
    if (expected)
        assert_same_bits(actual, expected, count);
}

static void assert_same_file(const tnn_net *a, const tnn_net *b) {
    model_file of_a = saved_net(a);
    model_file of_b = saved_net(b);
    assert_int_equal(of_a.count, of_b.count);
    assert_memory_equal(of_a.bytes, of_b.bytes, of_a.count);
    free_file(&of_a);
    free_file(&of_b);
}

/* What NaN an operation makes is promised nowhere, but it is one operation after the other here. */
static void assert_same_results(tnn_net *actual, tnn_net *expected) {
    size_t inputs = tnn_net_inputs(expected);
    size_t outputs = tnn_net_outputs(expected);
    float *x = calloc(ROWS * inputs, sizeof *x);
    float *y = calloc(ROWS * outputs, sizeof *y);
    float *z = calloc(ROWS * outputs, sizeof *z);
    uint64_t state = 11;
    assert_true(x && y && z);
    fill_random(x, ROWS * inputs, &state, -2, 2);
    tnn_workspace *workspace = new_workspace(expected, ROWS);
    assert_ok(tnn_predict(actual, workspace, ROWS, x, y));
    assert_ok(tnn_predict(expected, workspace, ROWS, x, z));
    assert_same_bits(y, z, ROWS * outputs);
    assert_ok(tnn_forward(actual, ROWS, x, y));
    assert_ok(tnn_forward(expected, ROWS, x, z));
    assert_same_bits(y, z, ROWS * outputs);
    tnn_workspace_destroy(workspace);
    free(x);
    free(y);
    free(z);
}

void assert_same_model(tnn_net *actual, tnn_net *expected) {
    size_t inputs = tnn_net_inputs(expected);
    size_t outputs = tnn_net_outputs(expected);
    assert_int_equal(tnn_net_inputs(actual), inputs);
    assert_int_equal(tnn_net_layer_count(actual), tnn_net_layer_count(expected));
    for (size_t l = 0; l < tnn_net_layer_count(expected); l++)
        assert_int_equal(tnn_net_units(actual, l), tnn_net_units(expected, l));
    assert_int_equal(tnn_net_parameter_count(actual), tnn_net_parameter_count(expected));
    assert_same_bits(
        tnn_net_read_parameters(actual), tnn_net_read_parameters(expected),
        tnn_net_parameter_count(expected));
    assert_same_array(tnn_net_input_shift(actual), tnn_net_input_shift(expected), inputs);
    assert_same_array(tnn_net_input_scale(actual), tnn_net_input_scale(expected), inputs);
    assert_same_array(tnn_net_output_shift(actual), tnn_net_output_shift(expected), outputs);
    assert_same_array(tnn_net_output_scale(actual), tnn_net_output_scale(expected), outputs);
    assert_same_file(actual, expected);
    assert_same_results(actual, expected);
}
