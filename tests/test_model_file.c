/*
 * test_model_file.c: a net that was saved and loaded is the net that was saved, by every way in and
 * out; what options and arguments do; the golden file.
 */
#include "support/model_files.h"
#include "support/test_sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Round trips ----------------------------------------------------------------------------- */

static void assert_survives_a_file(tnn_net *net) {
    model_file file = saved_net(net);
    tnn_net *loaded = loaded_file(&file);
    assert_same_model(loaded, net);
    tnn_net_destroy(loaded);
    free_file(&file);
}

static void test_model_file_samples_come_back(void **state) {
    (void)state;
    for (size_t i = 0; i < SAMPLE_NETS; i++) {
        tnn_net *net = new_sample_net(i);
        assert_survives_a_file(net);
        tnn_net_destroy(net);
    }
}

static void test_model_file_every_activation_comes_back(void **state) {
    (void)state;
    for (size_t i = 0; i < ACTIVATIONS; i++) {
        const tnn_layer layers[] = {
            {.units = 5, .activation = activation_at(i).library, .no_bias = i % 2},
            {.units = 3, .activation = activation_at((i + 1) % ACTIVATIONS).library},
        };
        const tnn_net_options options = {.seed = i};
        tnn_net *net = new_net(3, layers, COUNT_OF(layers), &options);
        assert_survives_a_file(net);
        tnn_net_destroy(net);
    }
}

/* Larger than the writer's buffer, with tensors that are no multiple of it. */
static void test_model_file_wide_layers_come_back(void **state) {
    (void)state;
    const tnn_layer layers[] = {
        {.units = 301, .activation = tnn_relu()}, {.units = 7, .dropout = 0.5f}};
    tnn_net *net = new_net(97, layers, COUNT_OF(layers), NULL);
    assert_survives_a_file(net);
    tnn_net_destroy(net);
}

static void test_model_file_many_layers_come_back(void **state) {
    (void)state;
    enum { LAYERS = 300 };
    static tnn_layer layers[LAYERS];
    for (size_t l = 0; l < LAYERS; l++)
        layers[l] = (tnn_layer){.units = 1 + l % 3, .activation = tnn_softsign()};
    tnn_net *net = new_net(2, layers, LAYERS, NULL);
    assert_survives_a_file(net);
    tnn_net_destroy(net);
}

static void test_model_file_loaded_net_learns_like_the_saved_one(void **state) {
    (void)state;
    static const float x[] = {0.5f, -1, 0.25f, 2};
    static const float target[] = {1, 0, 0, 1};
    const tnn_dataset batch = {.rows = 2, .x = x, .target = target};
    tnn_net *net = new_sample_net(1);
    model_file file = saved_net(net);
    tnn_net *loaded = loaded_file(&file);
    tnn_optimizer *optimizer = new_optimizer_of(net, tnn_momentum(0.01f, 0.5f));
    tnn_optimizer *other = new_optimizer_of(loaded, tnn_momentum(0.01f, 0.5f));
    for (int step = 0; step < 5; step++) {
        assert_ok(tnn_train(net, optimizer, tnn_mean_squared_error(), &batch, NULL));
        assert_ok(tnn_train(loaded, other, tnn_mean_squared_error(), &batch, NULL));
    }
    assert_same_model(loaded, net);
    tnn_optimizer_destroy(optimizer);
    tnn_optimizer_destroy(other);
    tnn_net_destroy(net);
    tnn_net_destroy(loaded);
    free_file(&file);
}

/* ---- Ways in and out ------------------------------------------------------------------------- */

/* Keeps what is written; call number fail_at, from 1, fails. */
typedef struct memory_sink {
    model_file file;
    size_t calls;
    size_t fail_at;
} memory_sink;

static tnn_status write_memory(void *context, const void *data, size_t bytes) {
    memory_sink *sink = context;
    assert_in_range(bytes, 1, 4096);
    if (++sink->calls == sink->fail_at)
        return TNN_IO_ERROR;
    assert_true(!sink->fail_at || sink->calls < sink->fail_at);
    insert_bytes(&sink->file, sink->file.count, data, bytes);
    return TNN_OK;
}

static void test_model_file_sink_gets_what_memory_gets(void **state) {
    (void)state;
    for (size_t i = 0; i < SAMPLE_NETS; i++) {
        tnn_net *net = new_sample_net(i);
        model_file file = saved_net(net);
        memory_sink written = {0};
        const tnn_sink sink = {.context = &written, .write = write_memory};
        assert_ok(tnn_net_save_to(net, &sink));
        assert_int_equal(written.file.count, file.count);
        assert_memory_equal(written.file.bytes, file.bytes, file.count);
        free_file(&written.file);
        free_file(&file);
        tnn_net_destroy(net);
    }
}

static void test_model_file_failing_write_ends_it_whichever_it_is(void **state) {
    (void)state;
    const tnn_layer layer = {.units = 300};
    tnn_net *net = new_net(40, &layer, 1, NULL);
    tnn_status status = TNN_IO_ERROR;
    for (size_t failing = 1; status != TNN_OK; failing++) {
        memory_sink written = {.fail_at = failing};
        const tnn_sink sink = {.context = &written, .write = write_memory, .name = "tape"};
        status = tnn_net_save_to(net, &sink);
        assert_true(written.calls >= failing || status == TNN_OK);
        if (status != TNN_OK)
            assert_string_equal(
                tnn_error_message(), "tnn_net_save_to: tape: sink->write returned TNN_IO_ERROR");
        assert_true(status == TNN_OK || status == TNN_IO_ERROR);
        assert_true(failing < 100);
        free_file(&written.file);
    }
    tnn_net_destroy(net);
}

static void test_model_file_path_gives_what_memory_gives(void **state) {
    (void)state;
    const char *path = "test_model_file.gguf";
    tnn_net *net = new_sample_net(1);
    tnn_net *loaded = NULL;
    assert_ok(tnn_net_save(net, path));
    assert_ok(tnn_net_load(&loaded, path, options_with_bend()));
    assert_same_model(loaded, net);
    tnn_net_destroy(loaded);
    remove(path);
    assert_status(tnn_net_load(&loaded, path, NULL), TNN_IO_ERROR);
    assert_null(loaded);
    assert_non_null(strstr(tnn_error_message(), "tnn_net_load: cannot open test_model_file.gguf"));
    tnn_net_destroy(net);
}

static void test_model_file_source_may_come_in_pieces(void **state) {
    (void)state;
    tnn_net *net = new_sample_net(1);
    model_file file = saved_net(net);
    for (size_t piece = 1; piece < 200; piece += 13) {
        memory_source source;
        tnn_net *loaded = NULL;
        init_memory_source(&source, file.bytes, file.count);
        source.piece = piece;
        assert_ok(tnn_net_load_from(&loaded, &source.base, options_with_bend()));
        assert_same_bits(
            tnn_net_read_parameters(loaded), tnn_net_read_parameters(net),
            tnn_net_parameter_count(net));
        tnn_net_destroy(loaded);
    }
    free_file(&file);
    tnn_net_destroy(net);
}

static void test_model_file_status_of_a_source_is_handed_on(void **state) {
    (void)state;
    model_file file = saved_sample(0);
    for (size_t at = 0; at <= file.count; at += 111) {
        memory_source source;
        tnn_net *net = (tnn_net *)(uintptr_t)1;
        init_memory_source(&source, file.bytes, file.count);
        source.fail_at = at;
        source.failure = TNN_BAD_STATE;
        assert_status(tnn_net_load_from(&net, &source.base, NULL), TNN_BAD_STATE);
        assert_null(net);
    }
    free_file(&file);
}

static void test_model_file_small_buffer_is_told_what_it_takes(void **state) {
    (void)state;
    char message[200];
    tnn_net *net = new_sample_net(0);
    model_file file = saved_net(net);
    for (size_t capacity = 0; capacity < file.count; capacity += file.count / 5) {
        size_t bytes = 0;
        unsigned char *buffer = malloc(capacity + 1);
        assert_non_null(buffer);
        memset(buffer, 0x5a, capacity + 1);
        assert_status(tnn_net_save_to_memory(net, buffer, capacity, &bytes), TNN_INVALID_ARGUMENT);
        assert_int_equal(bytes, file.count);
        snprintf(
            message, sizeof message,
            "tnn_net_save_to_memory: capacity_bytes is %zu, expected at least %zu", capacity,
            file.count);
        assert_string_equal(tnn_error_message(), message);
        for (size_t i = 0; i <= capacity; i++)
            assert_int_equal(buffer[i], 0x5a);
        free(buffer);
    }
    free_file(&file);
    tnn_net_destroy(net);
}

/* ---- Options and arguments ------------------------------------------------------------------- */

static void test_model_file_net_options_count_but_for_the_seed(void **state) {
    (void)state;
    test_allocator memory;
    tnn_net *net = new_sample_net(1);
    model_file file = saved_net(net);
    const tnn_net_options net_options = {
        .seed = 99, .allocator = init_test_allocator(&memory), .kernels = "portable"};
    tnn_load_options options = *options_with_bend();
    tnn_net *loaded = NULL;
    options.net = &net_options;
    assert_ok(tnn_net_load_from_memory(&loaded, file.bytes, file.count, &options));
    assert_string_equal(tnn_net_kernel_name(loaded), "portable");
    model_file again = saved_net(loaded);
    assert_int_equal(again.count, file.count);
    assert_memory_equal(again.bytes, file.bytes, file.count);
    assert_int_equal(memory.live, 4); /* the net, its parameters, and two scalings */
    tnn_net_destroy(loaded);
    assert_int_equal(memory.live, 0);
    free_file(&again);
    free_file(&file);
    tnn_net_destroy(net);
}

static void test_model_file_unknown_activation_is_named(void **state) {
    (void)state;
    model_file file = saved_sample(1);
    tnn_net *net = (tnn_net *)(uintptr_t)1;
    assert_status(tnn_net_load_from_memory(&net, file.bytes, file.count, NULL), TNN_UNSUPPORTED);
    assert_null(net);
    assert_string_equal(
        tnn_error_message(),
        "tnn_net_load_from_memory: memory: layer 1 has the activation \"bend\", which is neither "
        "built in nor in options->activations");
    free_file(&file);
}

static void assert_options_refused(const tnn_load_options *options, const char *message) {
    model_file file = saved_sample(0);
    tnn_net *net = (tnn_net *)(uintptr_t)1;
    assert_status(
        tnn_net_load_from_memory(&net, file.bytes, file.count, options), TNN_INVALID_ARGUMENT);
    assert_null(net);
    assert_string_equal(tnn_error_message(), message);
    free_file(&file);
}

#define CALL "tnn_net_load_from_memory: "

static void test_model_file_options_are_checked(void **state) {
    (void)state;
    tnn_activation_vtable vtable = *options_with_bend()->activations[0].vtable;
    tnn_activation activations[2] = {options_with_bend()->activations[0]};
    const tnn_net_options no_kernels = {.kernels = "fast"};
    const tnn_allocator no_release = {0};
    const tnn_net_options no_memory = {.allocator = &no_release};
    tnn_load_options options = {.activations = NULL, .activation_count = 1};
    assert_options_refused(&options, CALL "options->activations is NULL");
    options = (tnn_load_options){.activations = activations, .activation_count = 2};
    assert_options_refused(&options, CALL "options->activations[1].vtable is NULL");
    activations[1] = activations[0];
    assert_options_refused(
        &options, CALL "options->activations[1].vtable bears the name \"bend\" of one before it");
    activations[1].vtable = &vtable;
    vtable.name = "tanh";
    assert_options_refused(
        &options,
        CALL "options->activations[1].vtable bears the name \"tanh\" of a built-in activation, "
             "expected a name of its own");
    vtable.name = "";
    assert_options_refused(&options, CALL "options->activations[1].vtable has no name");
    vtable.name = "other";
    vtable.backward = NULL;
    assert_options_refused(
        &options, CALL "options->activations[1].vtable (\"other\") has no backward function");
    options = (tnn_load_options){.net = &no_kernels};
    assert_options_refused(
        &options,
        CALL "options->kernels is \"fast\", expected avx512, avx2, neon, portable or NULL");
    options = (tnn_load_options){.net = &no_memory};
    assert_options_refused(&options, CALL "options->allocator has no allocate function");
}

static tnn_status write_nothing(void *context, const void *data, size_t bytes) {
    (void)context;
    (void)data;
    (void)bytes;
    return TNN_OK;
}

static void test_model_file_arguments_are_checked(void **state) {
    (void)state;
    const tnn_sink sink = {.write = write_nothing};
    const tnn_sink no_write = {0};
    const tnn_source no_read = {0};
    tnn_net *net = new_sample_net(0);
    tnn_net *loaded = (tnn_net *)(uintptr_t)1;
    size_t bytes = 0;
    assert_status(tnn_net_save(NULL, "x"), TNN_INVALID_ARGUMENT);
    assert_status(tnn_net_save(net, NULL), TNN_INVALID_ARGUMENT);
    assert_string_equal(tnn_error_message(), "tnn_net_save: path is NULL");
    assert_status(tnn_net_save_to(NULL, &sink), TNN_INVALID_ARGUMENT);
    assert_status(tnn_net_save_to(net, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_net_save_to(net, &no_write), TNN_INVALID_ARGUMENT);
    assert_string_equal(tnn_error_message(), "tnn_net_save_to: sink->write is NULL");
    assert_status(tnn_net_save_to_memory(NULL, NULL, 0, &bytes), TNN_INVALID_ARGUMENT);
    assert_status(tnn_net_save_to_memory(net, NULL, 0, NULL), TNN_INVALID_ARGUMENT);
    assert_string_equal(tnn_error_message(), "tnn_net_save_to_memory: bytes is NULL");
    assert_status(tnn_net_load(NULL, "x", NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_net_load(&loaded, NULL, NULL), TNN_INVALID_ARGUMENT);
    assert_null(loaded);
    assert_status(tnn_net_load_from(NULL, &no_read, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_net_load_from(&loaded, NULL, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_net_load_from(&loaded, &no_read, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_net_load_from_memory(NULL, "x", 1, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_net_load_from_memory(&loaded, NULL, 1, NULL), TNN_INVALID_ARGUMENT);
    assert_string_equal(tnn_error_message(), "tnn_net_load_from_memory: data is NULL");
    tnn_net_destroy(net);
}

/* ---- The golden file ------------------------------------------------------------------------- */

/* Version 1 was written on x86-64; whatever machine this is writes the same bytes, and reads them.
 */
static void test_model_file_golden_file_is_read_and_written(void **state) {
    (void)state;
    tnn_net *net = new_sample_net(1);
    model_file golden = read_file(TINYNN_GOLDEN "/model-1.gguf");
    model_file file = saved_net(net);
    tnn_net *loaded = loaded_file(&golden);
    assert_int_equal(file.count, golden.count);
    assert_memory_equal(file.bytes, golden.bytes, golden.count);
    assert_same_model(loaded, net);
    tnn_net_destroy(loaded);
    tnn_net_destroy(net);
    free_file(&file);
    free_file(&golden);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model_file_samples_come_back),
        cmocka_unit_test(test_model_file_every_activation_comes_back),
        cmocka_unit_test(test_model_file_wide_layers_come_back),
        cmocka_unit_test(test_model_file_many_layers_come_back),
        cmocka_unit_test(test_model_file_loaded_net_learns_like_the_saved_one),
        cmocka_unit_test(test_model_file_sink_gets_what_memory_gets),
        cmocka_unit_test(test_model_file_failing_write_ends_it_whichever_it_is),
        cmocka_unit_test(test_model_file_path_gives_what_memory_gives),
        cmocka_unit_test(test_model_file_source_may_come_in_pieces),
        cmocka_unit_test(test_model_file_status_of_a_source_is_handed_on),
        cmocka_unit_test(test_model_file_small_buffer_is_told_what_it_takes),
        cmocka_unit_test(test_model_file_net_options_count_but_for_the_seed),
        cmocka_unit_test(test_model_file_unknown_activation_is_named),
        cmocka_unit_test(test_model_file_options_are_checked),
        cmocka_unit_test(test_model_file_arguments_are_checked),
        cmocka_unit_test(test_model_file_golden_file_is_read_and_written),
    };
    return cmocka_run_group_tests_name("model_file", tests, NULL, NULL);
}
