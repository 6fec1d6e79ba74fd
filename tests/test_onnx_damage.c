/*
 * test_onnx_damage.c: models that are cut or changed. Whatever is in them, loading gives an error
 * with words or a sound net, takes no more memory than the file has bytes for, and leaks none.
 */
#include "support/onnx_models.h"
#include "support/test_allocators.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 4, BYTES_A_BYTE = 512, BYTES_ANYWAY = 1 << 20 };

static onnx_file sample(size_t index) {
    static const char *const names[SAMPLES] = {"xor", "scaled", "written_out", "tail"};
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.onnx", TINYNN_ONNX_MODELS, names[index]);
    onnx_file file = read_onnx_file(path);
    assert_non_null(file.bytes);
    return file;
}

/* A net that can be saved, and loaded again as the same. */
static void assert_sound(const tnn_net *net) {
    tnn_net *second = NULL;
    onnx_file first = {0};
    onnx_file again = {0};
    assert_ok(tnn_onnx_save_to_memory(net, NULL, 0, &first.count));
    first.bytes = malloc(first.count);
    again.bytes = malloc(first.count);
    assert_true(first.bytes && again.bytes);
    assert_ok(tnn_onnx_save_to_memory(net, first.bytes, first.count, &first.count));
    assert_ok(tnn_onnx_load_from_memory(&second, first.bytes, first.count, NULL));
    assert_ok(tnn_onnx_save_to_memory(second, again.bytes, first.count, &again.count));
    assert_int_equal(again.count, first.count);
    assert_memory_equal(again.bytes, first.bytes, first.count);
    tnn_net_destroy(second);
    free_onnx_file(&first);
    free_onnx_file(&again);
}

/* Exactly as long, so that sanitizers see what is beyond. */
static tnn_status load(const onnx_file *file, size_t count) {
    test_allocator memory;
    tnn_net *net = (tnn_net *)(uintptr_t)1;
    const tnn_net_options net_options = {.allocator = init_test_allocator(&memory)};
    const tnn_load_options options = {.net = &net_options, .limits = {.parameters = 1 << 16}};
    unsigned char *exact = malloc(count + !count);
    assert_non_null(exact);
    memcpy(exact, file->bytes, count);
    tnn_status status = tnn_onnx_load_from_memory(&net, exact, count, &options);
    assert_true(!net == (status != TNN_OK));
    if (net)
        assert_sound(net);
    else
        assert_true(strncmp(tnn_error_message(), "tnn_onnx_load_from_memory: ", 27) == 0);
    tnn_net_destroy(net);
    assert_int_equal(memory.live, 0);
    free(exact);
    return status;
}

static void assert_error_or_net(tnn_status status) {
    assert_true(status == TNN_OK || status == TNN_BAD_FORMAT || status == TNN_UNSUPPORTED);
}

/* PyTorch writes the version of the operators behind the graph. A file that is cut before it says
 * nothing of a version, so it has the first, in which some activations are the same. */
static void test_onnx_damage_cut_model_is_an_error_or_a_sound_net(void **state) {
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t loaded = 0;
        onnx_file file = sample(i);
        assert_ok(load(&file, file.count));
        for (size_t count = 0; count < file.count; count++) {
            tnn_status status = load(&file, count);
            assert_error_or_net(status);
            loaded += status == TNN_OK;
        }
        assert_int_equal(loaded, 0);
        free_onnx_file(&file);
    }
}

static void test_onnx_damage_flipped_bit_is_an_error_or_a_sound_net(void **state) {
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t loaded = 0;
        onnx_file file = sample(i);
        for (size_t bit = 0; bit < 8 * file.count; bit++) {
            file.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
            tnn_status status = load(&file, file.count);
            file.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
            assert_error_or_net(status);
            loaded += status == TNN_OK;
        }
        /* Of weights and names of nodes, for which there is no checksum, and not of the rest. */
        assert_true(loaded > 0 && loaded < 8 * file.count);
        free_onnx_file(&file);
    }
}

/* Allocation number failing, from 1, fails; false if there are not so many. */
static bool fail_one(const onnx_file *file, size_t failing) {
    test_allocator memory;
    tnn_net *net = (tnn_net *)(uintptr_t)1;
    init_test_allocator(&memory);
    memory.fail_at = failing;
    const tnn_net_options net_options = {.allocator = &memory.base};
    const tnn_load_options options = {.net = &net_options};
    tnn_status status = tnn_onnx_load_from_memory(&net, file->bytes, file->count, &options);
    bool failed = memory.calls >= failing;
    assert_status(status, failed ? TNN_OUT_OF_MEMORY : TNN_OK);
    assert_true(!net == failed);
    tnn_net_destroy(net);
    assert_int_equal(memory.live, 0);
    return failed;
}

static void test_onnx_damage_fails_clean_without_memory(void **state) {
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        onnx_file file = sample(i);
        size_t failing = 1;
        while (fail_one(&file, failing))
            failing++;
        assert_true(failing > 5); /* options, at least a block, net, parameters */
        free_onnx_file(&file);
    }
}

/* From a path, where the bytes take memory of their own. */
static void test_onnx_damage_file_fails_clean_without_memory(void **state) {
    (void)state;
    bool failed = true;
    for (size_t failing = 1; failed; failing++) {
        test_allocator memory;
        tnn_net *net = (tnn_net *)(uintptr_t)1;
        init_test_allocator(&memory);
        memory.fail_at = failing;
        const tnn_net_options net_options = {.allocator = &memory.base};
        const tnn_load_options options = {.net = &net_options};
        tnn_status status = tnn_onnx_load(&net, TINYNN_ONNX_MODELS "/scaled.onnx", &options);
        failed = memory.calls >= failing;
        assert_status(status, failed ? TNN_OUT_OF_MEMORY : TNN_OK);
        assert_true(!net == failed);
        tnn_net_destroy(net);
        assert_int_equal(memory.live, 0);
    }
}

/* Counts what is in use, and the most of it. */
typedef struct meter {
    size_t live;
    size_t most;
} meter;

static void *allocate_measured(void *context, size_t bytes, size_t alignment) {
    meter *m = context;
    m->live += bytes;
    m->most = m->live > m->most ? m->live : m->most;
    return aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

static void release_measured(void *context, void *pointer, size_t bytes) {
    ((meter *)context)->live -= bytes;
    free(pointer);
}

/* What fits in few bytes and takes the most: empty messages of every kind, and empty names. */
static void test_onnx_damage_memory_is_bounded_by_the_bytes(void **state) {
    (void)state;
    static const struct {
        unsigned char bytes[3];
        size_t count;
        unsigned in; /* a message of this number around them, in the graph; 0: none */
    } pieces[] = {
        {{5 << 3 | 2, 0}, 2, 0},  /* initializers */
        {{1 << 3 | 2, 0}, 2, 0},  /* nodes */
        {{11 << 3 | 2, 0}, 2, 0}, /* inputs */
        {{15 << 3 | 2, 0}, 2, 0}, /* sparse initializers */
        {{5 << 3 | 2, 0}, 2, 1},  /* attributes */
        {{1 << 3 | 2, 0}, 2, 1},  /* names of inputs */
        {{2 << 3 | 2, 0}, 2, 1},  /* names of outputs */
        {{7 << 3 | 2, 0}, 2, 1},  /* domains, each in place of the one before */
        {{9 << 3 | 0, 1}, 2, 1},  /* what is not known */
        {{1 << 3 | 0, 1}, 2, 5},  /* dimensions */
        {{4 << 3 | 2, 0}, 2, 5},  /* no floats */
    };
    enum { PIECES = 20000 };
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        meter m = {0, 0};
        const tnn_allocator allocator = {&m, allocate_measured, release_measured};
        const tnn_net_options net_options = {.allocator = &allocator};
        const tnn_load_options options = {.net = &net_options};
        onnx_file many = {0};
        onnx_file graph = {0};
        onnx_file model = {0};
        tnn_net *net = NULL;
        many.bytes = malloc(1);
        for (size_t n = 0; n < PIECES; n++)
            append_bytes(&many, pieces[i].bytes, pieces[i].count);
        if (pieces[i].in)
            append_field(&graph, pieces[i].in, many.bytes, many.count);
        else
            append_bytes(&graph, many.bytes, many.count);
        append_to_graph(&model, &graph);
        tnn_status status = tnn_onnx_load_from_memory(&net, model.bytes, model.count, &options);
        /* It is never memory that stops it: what a file can ask for is less. */
        assert_int_equal(status, TNN_BAD_FORMAT);
        assert_true(m.most <= BYTES_A_BYTE * model.count + BYTES_ANYWAY);
        assert_int_equal(m.live, 0);
        free_onnx_file(&many);
        free_onnx_file(&graph);
        free_onnx_file(&model);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_onnx_damage_cut_model_is_an_error_or_a_sound_net),
        cmocka_unit_test(test_onnx_damage_flipped_bit_is_an_error_or_a_sound_net),
        cmocka_unit_test(test_onnx_damage_fails_clean_without_memory),
        cmocka_unit_test(test_onnx_damage_file_fails_clean_without_memory),
        cmocka_unit_test(test_onnx_damage_memory_is_bounded_by_the_bytes),
    };
    return cmocka_run_group_tests_name("onnx_damage", tests, NULL, NULL);
}
