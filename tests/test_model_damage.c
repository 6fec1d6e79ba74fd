/*
 * test_model_damage.c: files that are cut, changed or made up. Whatever is in them, loading gives
 * an error with words or a sound net, takes no more memory than the file has bytes for, and leaks
 * none.
 */
#include "support/model_files.h"
#include "support/test_sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT "tnn_net_load_from_memory: memory: "

static tnn_status load(tnn_net **net, const model_file *file, const tnn_allocator *allocator) {
    const tnn_net_options net_options = {.allocator = allocator};
    tnn_load_options options = *options_with_bend();
    options.net = &net_options;
    *net = (tnn_net *)(uintptr_t)1;
    return tnn_net_load_from_memory(net, file->bytes, file->count, &options);
}

/* An error, and nothing is left of it. */
static void assert_refused(const model_file *file, tnn_status expected) {
    test_allocator memory;
    tnn_net *net;
    model_file exact = exact_copy(file);
    assert_status(load(&net, &exact, init_test_allocator(&memory)), expected);
    assert_null(net);
    assert_int_equal(memory.live, 0);
    free_file(&exact);
}

static void assert_refused_with(model_file *file, tnn_status expected, const char *message) {
    renew_checksum(file);
    assert_refused(file, expected);
    assert_string_equal(tnn_error_message(), message);
    free_file(file);
}

/* ---- Damage ---------------------------------------------------------------------------------- */

static void test_model_damage_cut_file_is_refused_at_every_length(void **state) {
    (void)state;
    for (size_t i = 0; i < SAMPLE_NETS; i++) {
        model_file file = saved_sample(i);
        while (file.count > 0) {
            file.count--;
            assert_refused(&file, TNN_BAD_FORMAT);
        }
        free_file(&file);
    }
}

/* With a checksum that fits, too: what was cut is known to be missing without it. */
static void test_model_damage_cut_file_is_refused_whatever_its_checksum(void **state) {
    (void)state;
    model_file file = saved_sample(1);
    while (file.count > 0) {
        file.count--;
        renew_checksum(&file);
        assert_refused(&file, TNN_BAD_FORMAT);
    }
    free_file(&file);
}

/* The version of GGUF and the name of an activation may be fine, but not for us. */
static void test_model_damage_every_flipped_bit_is_noticed(void **state) {
    (void)state;
    for (size_t i = 0; i < SAMPLE_NETS; i++) {
        model_file file = saved_sample(i);
        for (size_t bit = 0; bit < 8 * file.count; bit++) {
            bool is_version = bit / 8 >= 4 && bit / 8 < 8;
            file.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
            assert_refused(&file, is_version ? TNN_UNSUPPORTED : TNN_BAD_FORMAT);
            file.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        free_file(&file);
    }
}

static void test_model_damage_with_a_checksum_that_fits_is_an_error_or_a_sound_net(void **state) {
    (void)state;
    for (size_t i = 0; i < SAMPLE_NETS; i++) {
        model_file file = saved_sample(i);
        for (size_t bit = 0; bit < 8 * file.count; bit++) {
            test_allocator memory;
            tnn_net *net;
            file.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
            renew_checksum(&file);
            tnn_status status = load(&net, &file, init_test_allocator(&memory));
            assert_true(!net == (status != TNN_OK));
            assert_true(status == TNN_OK || status == TNN_BAD_FORMAT || status == TNN_UNSUPPORTED);
            if (net) {
                model_file again = saved_net(net);
                tnn_net *second = loaded_file(&again);
                assert_int_equal(tnn_net_parameter_count(second), tnn_net_parameter_count(net));
                tnn_net_destroy(second);
                free_file(&again);
            }
            tnn_net_destroy(net);
            assert_int_equal(memory.live, 0);
            file.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        free_file(&file);
    }
}

/* ---- What is wrong where --------------------------------------------------------------------- */

/* Sample 0 with a number in place of that behind some text. */
static model_file changed(const char *text, size_t behind, size_t bytes, uint64_t value) {
    model_file file = saved_sample(0);
    put_number(&file, find_text(&file, text) + strlen(text) + behind, bytes, value);
    return file;
}

typedef struct change {
    const char *text;
    size_t behind;
    size_t bytes;
    uint64_t value;
    tnn_status status;
    const char *message;
} change;

static void assert_changes_refused(const change *changes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const change *c = &changes[i];
        model_file file = changed(c->text, c->behind, c->bytes, c->value);
        assert_refused_with(&file, c->status, c->message);
    }
}

#define BAD TNN_BAD_FORMAT
#define NO TNN_UNSUPPORTED

static void test_model_damage_header_is_told(void **state) {
    (void)state;
    static const change changes[] = {
        {"", 0, 4, 0x04034b50, BAD, AT "byte 0: 50 4b 03 04, expected the 47 47 55 46 of GGUF"},
        {"GGUF", 0, 4, 2, NO, AT "byte 4: version 2 of GGUF, expected 3"},
        {"GGUF", 4, 8, 1 << 20, BAD,
         AT "byte 8: 1048576 tensors, but there are only 1072 bytes more"},
        {"GGUF", 12, 8, UINT64_MAX, BAD,
         AT "byte 16: 18446744073709551615 keys, but there are only 1064 bytes more"},
    };
    assert_changes_refused(changes, COUNT_OF(changes));
}

/* A source without an end, which is no model. */
static tnn_status read_ones(void *context, void *buffer, size_t capacity, size_t *count) {
    ++*(size_t *)context;
    memset(buffer, 1, capacity);
    *count = capacity;
    return TNN_OK;
}

static void test_model_damage_other_bytes_are_refused_at_once(void **state) {
    (void)state;
    size_t calls = 0;
    const tnn_source source = {.context = &calls, .read = read_ones};
    tnn_net *net = (tnn_net *)(uintptr_t)1;
    assert_status(tnn_net_load_from(&net, &source, NULL), TNN_BAD_FORMAT);
    assert_null(net);
    assert_int_equal(calls, 1);
    assert_string_equal(
        tnn_error_message(),
        "tnn_net_load_from: data: byte 0: 01 01 01 01, expected the 47 47 55 46 of GGUF");
}

static void test_model_damage_key_is_told(void **state) {
    (void)state;
    static const change changes[] = {
        {"general.arch", 20, 1, 'T', BAD,
         AT "a model of the architecture \"Tinynn\", expected \"tinynn\""},
        {"general.arch", 0, 1, 'x', BAD, AT "the key general.architecture is missing"},
        {"tinynn.check", 0, 1, 'x', BAD, AT "the key tinynn.checksum is missing"},
        {"tinynn.se", 0, 1, 'x', BAD, AT "the key tinynn.seed is missing"},
        {"tinynn.seed", 0, 4, 12, BAD,
         AT "byte 175: the key tinynn.seed has float64, expected uint64"},
        {"tinynn.seed", 0, 4, 77, BAD, AT "byte 194: a value of type 77, expected at most 12"},
        {"general.alignment", 4, 4, 48, BAD,
         AT "the key general.alignment is 48, expected a power of 2 from 8 to 65536"},
        {"tinynn.format_version", 4, 4, 2, NO, AT "version 2 of the model format, expected 1"},
        {"tinynn.layers.units", 4, 4, 11, BAD,
         AT "byte 284: the key tinynn.layers.units has an array of int64, expected an array of "
            "uint64"},
        {"tinynn.layers.units", 8, 8, UINT64_C(1) << 61, BAD,
         AT "byte 327: 2305843009213693952 values of type uint64, but there are only 761 bytes "
            "more"},
        {"tinynn.layers.activatio", 17, 8, UINT64_MAX, BAD,
         AT "byte 399: the end after 689 bytes, expected 18446744073709551615 of a string"},
    };
    assert_changes_refused(changes, COUNT_OF(changes));
}

static void test_model_damage_layer_is_told(void **state) {
    (void)state;
    static const change changes[] = {
        {"tinynn.input_count", 4, 8, 0, BAD, AT "0 inputs, expected at least 1"},
        {"tinynn.input_count", 4, 8, (1 << 24) + 1, NO,
         AT "16777217 inputs, more than limits.units, 16777216"},
        {"tinynn.layers.units", 24, 8, 0, BAD, AT "0 units in layer 1, expected at least 1"},
        {"tinynn.layers.units", 16, 8, UINT64_MAX, NO,
         AT "18446744073709551615 units in layer 0, more than limits.units, 16777216"},
        {"tinynn.layers.has_bias", 17, 1, 2, BAD, AT "layer 1 has 2 for has_bias, expected 0 or 1"},
        {"tinynn.layers.dropout", 20, 4, 0x3f800000, BAD,
         AT "layers[1].dropout is 1, expected at least 0 and less than 1"},
    };
    assert_changes_refused(changes, COUNT_OF(changes));
}

static void test_model_damage_tensor_is_told(void **state) {
    (void)state;
    static const change changes[] = {
        {"layers.0.weight", 4, 8, 2, BAD,
         AT "tensor layers.0.weight is 2x2, the layer list says 2x3"},
        {"tinynn.layers.units", 16, 8, 2, BAD,
         AT "tensor layers.0.weight is 2x3, the layer list says 2x2"},
        {"layers.1.bias", 0, 4, 5, BAD, AT "byte 761: a tensor of 5 dimensions, expected 1 to 4"},
        {"layers.1.bias", 4, 8, 0, BAD,
         AT "tensor layers.1.bias is 0, but there are 64 bytes from its offset on"},
        {"layers.1.bias", 4, 8, UINT64_C(1) << 62, BAD,
         AT "tensor layers.1.bias is 4611686018427387904, but there are 64 bytes from its offset "
            "on"},
        {"layers.1.bias", 12, 4, 1, BAD,
         AT "tensor layers.1.bias is of type 1, expected 0, float32"},
        {"layers.1.bias", 16, 8, 64, BAD,
         AT "tensor layers.1.bias begins at offset 64, expected 192, behind the one before"},
        {"layers.1.bia", 0, 1, 'z', BAD, AT "tensor layers.1.bias is missing"},
        {"layers.0.weight", (size_t)-8, 1, '1', BAD,
         AT "byte 685: the tensor layers.1.weight comes twice"},
        {"tinynn.layers.has_bias", 17, 1, 0, BAD,
         AT "4 tensors, the layer list and the scaling have 3"},
    };
    assert_changes_refused(changes, COUNT_OF(changes));
}

static void test_model_damage_damage_and_end_are_told(void **state) {
    (void)state;
    model_file file = saved_sample(0);
    size_t count = file.count;
    set_length(&file, count + 64);
    assert_refused_with(&file, BAD, AT "byte 1088: 64 bytes more, expected the end");
    file = saved_sample(0);
    file.bytes[count - 64] ^= 1;
    assert_refused(&file, BAD);
    assert_memory_equal(
        tnn_error_message(), AT "damaged: the checksum", strlen(AT "damaged: the checksum"));
    free_file(&file);
}

static void test_model_damage_parameter_of_an_activation_is_told(void **state) {
    (void)state;
    model_file file = saved_sample(1);
    size_t at = find_text(&file, "activation_parameter") + 20 + 16;
    put_number(&file, at, 4, 0xbf800000);
    assert_refused_with(
        &file, BAD, AT "layers[0].activation has the slope -1, expected a positive finite number");
}

static void test_model_damage_scaling_is_told(void **state) {
    (void)state;
    model_file file = saved_sample(1);
    put_number(&file, file.count - 128, 4, 0x7fc00000);
    assert_refused_with(&file, BAD, AT "output: shift[0] is nan, expected a finite number");
    file = saved_sample(1);
    put_number(&file, file.count - 188, 4, 0);
    assert_refused_with(&file, BAD, AT "input: scale[1] is 0, expected a positive finite number");
    file = saved_sample(1);
    put_number(&file, find_text(&file, "output.shift"), 1, 'x');
    assert_refused_with(&file, BAD, AT "tensor output.shift is missing");
}

/* ---- Unknown keys ---------------------------------------------------------------------------- */

static void test_model_damage_unknown_keys_of_every_type_are_skipped(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    static const unsigned char text[] = "\5\0\0\0\0\0\0\0words";
    static const unsigned char junk[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    tnn_net *net = new_sample_net(1);
    model_file file = saved_net(net);
    char name[32];
    for (uint32_t type = 0; type < COUNT_OF(sizes); type++) {
        /* two elements; of strings, one word and an empty one */
        unsigned char array[40] = {(unsigned char)type, 0, 0, 0, 2};
        size_t bytes = type == 8 ? 13 : sizes[type];
        memcpy(array + 12, type == 8 ? text : junk, bytes);
        snprintf(name, sizeof name, "unknown.%u.", (unsigned)type);
        if (type != 9)
            insert_key(&file, name, type, type == 8 ? text : junk, bytes);
        snprintf(name, sizeof name, "unknown.array.%u.", (unsigned)type);
        if (type == 9) /* of an array of no arrays, and one of one uint8 */
            memcpy(
                array + 12,
                "\x9\0\0\0\0\0\0\0\0\0\0\0"
                "\0\0\0\0\1\0\0\0\0\0\0\0\7",
                25);
        bytes = type == 9 ? 25 : type == 8 ? 21 : 2 * bytes;
        insert_key(&file, name, 9, array, 12 + bytes);
    }
    renew_checksum(&file);
    tnn_net *loaded = loaded_file(&file);
    assert_same_model(loaded, net);
    tnn_net_destroy(loaded);
    tnn_net_destroy(net);
    free_file(&file);
}

/* Depth 8 is fine. */
static void test_model_damage_nesting_has_an_end(void **state) {
    (void)state;
    for (size_t depth = 7; depth <= 9; depth++) {
        unsigned char value[12 * 10] = {0};
        for (size_t i = 0; i + 1 < depth; i++)
            memcpy(value + 12 * i, "\x9\0\0\0\1", 5);
        model_file file = saved_sample(0);
        insert_key(&file, "nested", 9, value, 12 * depth);
        if (depth > 8)
            assert_refused_with(&file, BAD, AT "byte 221: arrays within arrays, deeper than 8");
        else {
            renew_checksum(&file);
            tnn_net_destroy(loaded_file(&file));
            free_file(&file);
        }
    }
}

static void test_model_damage_key_that_comes_twice_is_told(void **state) {
    (void)state;
    model_file file = saved_sample(0);
    for (int i = 0; i < 2; i++)
        insert_key(&file, "some.key", 10, "12345678", 8);
    assert_refused_with(
        &file, BAD, AT "byte 169: the key some.keyxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... comes twice");
}

/* ---- Limits, claims and memory --------------------------------------------------------------- */

static void assert_limit(tnn_load_limits limits, const char *message) {
    tnn_net *net = NULL;
    model_file file = saved_sample(0);
    tnn_load_options options = {.limits = limits};
    tnn_status status = tnn_net_load_from_memory(&net, file.bytes, file.count, &options);
    assert_status(status, message ? TNN_UNSUPPORTED : TNN_OK);
    if (message)
        assert_string_equal(tnn_error_message(), message);
    tnn_net_destroy(net);
    free_file(&file);
}

static void test_model_damage_limit_is_kept_and_named(void **state) {
    (void)state;
    model_file file = saved_sample(0);
    assert_int_equal(file.count, 1088);
    assert_limit((tnn_load_limits){1088, 13, 2, 3}, NULL);
    assert_limit(
        (tnn_load_limits){.total_bytes = 1087},
        "tnn_net_load_from_memory: 1088 bytes, more than limits.total_bytes, 1087");
    assert_limit(
        (tnn_load_limits){.parameters = 12},
        AT "more parameters in layers 0 to 1 than limits.parameters, 12");
    assert_limit((tnn_load_limits){.layers = 1}, AT "2 layers, more than limits.layers, 1");
    assert_limit((tnn_load_limits){.units = 2}, AT "3 units in layer 0, more than limits.units, 2");
    memory_source source;
    tnn_net *net = (tnn_net *)(uintptr_t)1;
    tnn_load_options options = {.limits = {.total_bytes = 1087}};
    assert_status(
        tnn_net_load_from(&net, init_memory_source(&source, file.bytes, file.count), &options),
        TNN_UNSUPPORTED);
    assert_null(net);
    assert_string_equal(
        tnn_error_message(),
        "tnn_net_load_from: memory: byte 1087: more bytes than limits.total_bytes, 1087");
    options.limits.total_bytes = 1088;
    assert_ok(
        tnn_net_load_from(&net, init_memory_source(&source, file.bytes, file.count), &options));
    tnn_net_destroy(net);
    free_file(&file);
}

/* A file of nothing but entries of so many bytes each, none of which is another one. */
static model_file file_of_entries(size_t keys, size_t tensors) {
    static const unsigned char header[24] = {'G', 'G', 'U', 'F', 3};
    enum { NAME = 8, KEY = 8 + NAME + 4 + 1, TENSOR = 8 + NAME + 4 + 8 + 4 + 8 };
    model_file file = {0};
    insert_bytes(&file, 0, header, sizeof header);
    put_number(&file, 8, 8, tensors);
    put_number(&file, 16, 8, keys);
    set_length(&file, sizeof header + keys * KEY + tensors * TENSOR);
    for (size_t i = 0; i < keys + tensors; i++) {
        bool is_key = i < keys;
        size_t at = sizeof header + (is_key ? i * KEY : keys * KEY + (i - keys) * TENSOR);
        put_number(&file, at, 8, NAME);
        put_number(&file, at + 8, NAME, UINT64_C(0x4141414141414141) + i);
        if (!is_key)
            put_number(&file, at + 8 + NAME, 4, 1);
    }
    return file;
}

/* They are counted before there is memory for them, and sorted when architecture and checksum were
 * found right. */
static void test_model_damage_keys_and_tensors_have_an_end(void **state) {
    (void)state;
    const struct {
        size_t keys, tensors;
        size_t layers; /* the limit */
        tnn_status status;
        size_t calls; /* of the allocator */
        const char *message;
    } cases[] = {
        {65537, 0, 0, NO, 0, AT "byte 16: 65537 keys, expected at most 65536"},
        {65536, 0, 0, BAD, 1, AT "the key general.architecture is missing"},
        {0, 8257, 0, NO, 0, AT "byte 8: 8257 tensors, expected at most 8256"},
        {0, 8256, 0, BAD, 1, AT "the key general.architecture is missing"},
        {0, 71, 3, NO, 0, AT "byte 8: 71 tensors, expected at most 70"},
        {0, 70, 3, BAD, 1, AT "the key general.architecture is missing"},
        {0, 8257, SIZE_MAX, BAD, 1, AT "the key general.architecture is missing"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        model_file file = file_of_entries(cases[i].keys, cases[i].tensors);
        test_allocator memory;
        tnn_net *net = (tnn_net *)(uintptr_t)1;
        const tnn_net_options on = {.allocator = init_test_allocator(&memory)};
        const tnn_load_options options = {.net = &on, .limits.layers = cases[i].layers};
        assert_status(
            tnn_net_load_from_memory(&net, file.bytes, file.count, &options), cases[i].status);
        assert_string_equal(tnn_error_message(), cases[i].message);
        assert_null(net);
        assert_int_equal(memory.calls, cases[i].calls);
        assert_int_equal(memory.live, 0);
        free_file(&file);
    }
}

/* Names that come twice are noticed by sorting: a damaged file is not sorted. */
static void test_model_damage_damaged_file_is_not_sorted(void **state) {
    (void)state;
    model_file file = saved_sample(0);
    for (int i = 0; i < 2; i++)
        insert_key(&file, "some.key", 10, "12345678", 8);
    put_number(&file, CHECKSUM_AT, 8, 0);
    tnn_net *net = NULL;
    assert_status(load(&net, &file, NULL), BAD);
    assert_null(net);
    assert_non_null(strstr(tnn_error_message(), "damaged: the checksum"));
    free_file(&file);
}

/* Whatever a number says, no allocation is larger than the file has bytes for: a list of layers
 * takes a few times what it takes in the file. */
static void test_model_damage_memory_is_for_bytes_and_not_for_claims(void **state) {
    (void)state;
    static const uint64_t claims[] = {1 << 16,           1 << 24,           UINT64_C(1) << 31,
                                      UINT64_C(1) << 32, UINT64_C(1) << 62, UINT64_MAX};
    model_file file = saved_sample(0);
    for (size_t at = 0; at + 8 <= file.count; at++) {
        for (size_t i = 0; i < COUNT_OF(claims); i++) {
            test_allocator memory;
            tnn_net *net;
            unsigned char saved[8];
            memcpy(saved, file.bytes + at, 8);
            put_number(&file, at, 8, claims[i]);
            renew_checksum(&file);
            init_test_allocator(&memory);
            memory.most_bytes = 2 * file.count;
            tnn_status status = load(&net, &file, &memory.base);
            assert_true(status != TNN_OUT_OF_MEMORY && status != TNN_INVALID_ARGUMENT);
            tnn_net_destroy(net);
            assert_int_equal(memory.live, 0);
            memcpy(file.bytes + at, saved, 8);
        }
    }
    free_file(&file);
}

static void test_model_damage_fails_clean_without_memory(void **state) {
    (void)state;
    model_file file = saved_sample(1);
    size_t failing = 1;
    for (bool failed = true; failed; failing++) {
        test_allocator memory;
        memory_source source;
        tnn_net *net = (tnn_net *)(uintptr_t)1;
        init_test_allocator(&memory);
        memory.fail_at = failing;
        const tnn_net_options net_options = {.allocator = &memory.base};
        tnn_load_options options = *options_with_bend();
        options.net = &net_options;
        tnn_status status =
            tnn_net_load_from(&net, init_memory_source(&source, file.bytes, file.count), &options);
        failed = memory.calls >= failing;
        assert_status(status, failed ? TNN_OUT_OF_MEMORY : TNN_OK);
        assert_true(!net == failed);
        tnn_net_destroy(net);
        assert_int_equal(memory.live, 0);
    }
    /* Buffer, file, index, layers, net, parameters, two scalings; and one that does not fail. */
    assert_int_equal(failing - 1, 9);
    free_file(&file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model_damage_cut_file_is_refused_at_every_length),
        cmocka_unit_test(test_model_damage_cut_file_is_refused_whatever_its_checksum),
        cmocka_unit_test(test_model_damage_every_flipped_bit_is_noticed),
        cmocka_unit_test(test_model_damage_with_a_checksum_that_fits_is_an_error_or_a_sound_net),
        cmocka_unit_test(test_model_damage_header_is_told),
        cmocka_unit_test(test_model_damage_other_bytes_are_refused_at_once),
        cmocka_unit_test(test_model_damage_key_is_told),
        cmocka_unit_test(test_model_damage_layer_is_told),
        cmocka_unit_test(test_model_damage_tensor_is_told),
        cmocka_unit_test(test_model_damage_damage_and_end_are_told),
        cmocka_unit_test(test_model_damage_parameter_of_an_activation_is_told),
        cmocka_unit_test(test_model_damage_scaling_is_told),
        cmocka_unit_test(test_model_damage_unknown_keys_of_every_type_are_skipped),
        cmocka_unit_test(test_model_damage_nesting_has_an_end),
        cmocka_unit_test(test_model_damage_key_that_comes_twice_is_told),
        cmocka_unit_test(test_model_damage_limit_is_kept_and_named),
        cmocka_unit_test(test_model_damage_keys_and_tensors_have_an_end),
        cmocka_unit_test(test_model_damage_damaged_file_is_not_sorted),
        cmocka_unit_test(test_model_damage_memory_is_for_bytes_and_not_for_claims),
        cmocka_unit_test(test_model_damage_fails_clean_without_memory),
    };
    return cmocka_run_group_tests_name("model_damage", tests, NULL, NULL);
}
