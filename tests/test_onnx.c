/*
 * test_onnx.c: nets from ONNX models and to them. Models that PyTorch exported give its outputs;
 * what is saved comes back; a model is the same net however it is written; what is no net is
 * refused in words.
 */
#include "support/model_files.h"
#include "support/onnx_models.h"
#include "support/test_allocators.h"

#include "onnx/tensor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AT "tnn_onnx_load_from_memory: memory: "

static onnx_file saved_model(const tnn_net *net) {
    onnx_file file = {0};
    assert_ok(tnn_onnx_save_to_memory(net, NULL, 0, &file.count));
    file.bytes = malloc(file.count);
    assert_non_null(file.bytes);
    assert_ok(tnn_onnx_save_to_memory(net, file.bytes, file.count, &file.count));
    return file;
}

static tnn_net *loaded_model(const onnx_file *file) {
    tnn_net *net = NULL;
    assert_ok(tnn_onnx_load_from_memory(&net, file->bytes, file->count, NULL));
    assert_non_null(net);
    return net;
}

static void assert_refused_with(onnx_file *model, tnn_status expected, const char *message) {
    tnn_net *net = (tnn_net *)(uintptr_t)1;
    tnn_status status = tnn_onnx_load_from_memory(&net, model->bytes, model->count, NULL);
    assert_null(net);
    assert_string_equal(tnn_error_message(), message);
    assert_status(status, expected);
    free_onnx_file(model);
}

/* ---- PyTorch --------------------------------------------------------------------------------- */

/* Numbers of a text file, one after the other. */
static float *read_numbers(const char *path, size_t counts[3]) {
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%zu %zu %zu", &counts[0], &counts[1], &counts[2]), 3);
    size_t total = counts[0] * (counts[1] + counts[2]);
    float *values = malloc(total * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < total; i++)
        assert_int_equal(fscanf(file, "%f", &values[i]), 1);
    fclose(file);
    return values;
}

static void check_pytorch_model(const char *name, size_t layers) {
    char path[1024];
    size_t counts[3];
    tnn_net *net = NULL;
    snprintf(path, sizeof path, "%s/%s.onnx", TINYNN_ONNX_MODELS, name);
    assert_ok(tnn_onnx_load(&net, path, NULL));
    snprintf(path, sizeof path, "%s/%s.txt", TINYNN_ONNX_MODELS, name);
    float *values = read_numbers(path, counts);
    assert_int_equal(tnn_net_inputs(net), counts[1]);
    assert_int_equal(tnn_net_outputs(net), counts[2]);
    assert_int_equal(tnn_net_layer_count(net), layers);
    for (size_t r = 0; r < counts[0]; r++) {
        const float *x = values + r * (counts[1] + counts[2]);
        assert_onnx_outputs(name, net, 1, x, x + counts[1]);
    }
    free(values);
    tnn_net_destroy(net);
}

static void test_onnx_pytorch_models_give_its_outputs(void **state) {
    (void)state;
    static const struct {
        const char *name;
        size_t layers; /* activations are in their layers, GELU and SiLU in parts as well */
    } models[] = {{"single", 1}, {"xor", 2},    {"classes", 2},     {"gelu", 3}, {"units", 5},
                  {"hard", 3},   {"scaled", 2}, {"written_out", 2}, {"tail", 3}, {"deep", 13}};
    for (size_t i = 0; i < COUNT_OF(models); i++)
        check_pytorch_model(models[i].name, models[i].layers);
}

static void test_onnx_pytorch_scaling_becomes_that_of_the_net(void **state) {
    (void)state;
    static const float mean[] = {0.5f, -1.0f, 2.0f};
    tnn_net *net = NULL;
    assert_ok(tnn_onnx_load(&net, TINYNN_ONNX_MODELS "/scaled.onnx", NULL));
    assert_same_bits(tnn_net_input_shift(net), mean, 3);
    for (size_t i = 0; i < 3; i++) {
        static const float deviation[] = {0.5f, 3.0f, 0.7f};
        float inverse = 1.0f / deviation[i];
        assert_same_bits(&tnn_net_input_scale(net)[i], &inverse, 1);
    }
    for (size_t i = 0; i < 2; i++) {
        static const float one = 1.0f;
        static const float inverse = 1.0f / 2.5f;
        assert_same_bits(&tnn_net_output_shift(net)[i], &one, 1);
        assert_same_bits(&tnn_net_output_scale(net)[i], &inverse, 1);
    }
    tnn_net_destroy(net);
}

/* ---- Round trips ----------------------------------------------------------------------------- */

static void assert_same_scaling(const float *actual, const float *expected, size_t count) {
    assert_true(!actual == !expected);
    if (expected)
        assert_same_bits(actual, expected, count);
}

static void assert_same_layers(tnn_net *actual, tnn_net *expected) {
    assert_int_equal(tnn_net_inputs(actual), tnn_net_inputs(expected));
    assert_int_equal(tnn_net_layer_count(actual), tnn_net_layer_count(expected));
    for (size_t l = 0; l < tnn_net_layer_count(expected); l++) {
        const tnn_layer a = tnn_net_layer(actual, l);
        const tnn_layer b = tnn_net_layer(expected, l);
        assert_int_equal(a.units, b.units);
        assert_int_equal(a.no_bias, b.no_bias);
        assert_ptr_equal(a.activation.vtable, b.activation.vtable);
        assert_same_bits(&a.activation.parameter, &b.activation.parameter, 1);
    }
    assert_same_bits(
        tnn_net_read_parameters(actual), tnn_net_read_parameters(expected),
        tnn_net_parameter_count(expected));
    size_t inputs = tnn_net_inputs(expected);
    size_t outputs = tnn_net_outputs(expected);
    assert_same_scaling(tnn_net_input_shift(actual), tnn_net_input_shift(expected), inputs);
    assert_same_scaling(tnn_net_input_scale(actual), tnn_net_input_scale(expected), inputs);
    assert_same_scaling(tnn_net_output_shift(actual), tnn_net_output_shift(expected), outputs);
    assert_same_scaling(tnn_net_output_scale(actual), tnn_net_output_scale(expected), outputs);
}

static void assert_comes_back(tnn_net *net) {
    onnx_file file = saved_model(net);
    tnn_net *loaded = loaded_model(&file);
    onnx_file again = saved_model(loaded);
    assert_same_layers(loaded, net);
    assert_int_equal(again.count, file.count);
    assert_memory_equal(again.bytes, file.bytes, file.count);
    free_onnx_file(&again);
    free_onnx_file(&file);
    tnn_net_destroy(loaded);
}

/* Scales and shifts of many sizes, few of which have an inverse in float. */
static void scale_net(tnn_net *net, uint64_t seed) {
    float shift[8];
    float scale[8];
    for (size_t i = 0; i < COUNT_OF(shift); i++) {
        shift[i] = ldexpf(random_between(&seed, -1, 1), (int)random_between(&seed, -40, 40));
        scale[i] = ldexpf(random_between(&seed, 0.5f, 1), (int)random_between(&seed, -40, 40));
    }
    assert_ok(tnn_net_set_input_scaling(net, shift, scale));
    assert_ok(tnn_net_set_output_scaling(net, shift + 1, scale + 1));
}

/* bend, the last one, is a custom activation. */
static void test_onnx_every_activation_comes_back(void **state) {
    (void)state;
    for (size_t i = 0; i < ACTIVATIONS - 1; i++) {
        const tnn_layer layers[] = {
            {.units = 5, .activation = activation_at(i).library, .no_bias = i % 2},
            {.units = 3, .activation = activation_at((i + 1) % (ACTIVATIONS - 1)).library},
        };
        const tnn_net_options options = {.seed = i};
        tnn_net *net = new_net(7, layers, COUNT_OF(layers), &options);
        fill_random(tnn_net_biases(net, 1), 3, &(uint64_t){i}, -1, 1);
        assert_comes_back(net);
        for (size_t n = 0; n < 20; n++) {
            scale_net(net, 20 * i + n);
            assert_comes_back(net);
        }
        tnn_net_destroy(net);
    }
}

static void test_onnx_wide_and_deep_nets_come_back(void **state) {
    (void)state;
    enum { LAYERS = 300 };
    static tnn_layer layers[LAYERS];
    for (size_t l = 0; l < LAYERS; l++)
        layers[l] = (tnn_layer){.units = 1 + l % 3, .activation = tnn_silu(), .dropout = 0.25f};
    tnn_net *deep = new_net(2, layers, LAYERS, NULL);
    assert_comes_back(deep);
    tnn_net_destroy(deep);
    const tnn_layer wide[] = {{.units = 701, .activation = tnn_relu()}, {.units = 7}};
    tnn_net *net = new_net(97, wide, COUNT_OF(wide), NULL);
    assert_comes_back(net);
    tnn_net_destroy(net);
}

static void test_onnx_parameters_that_are_not_finite_come_back(void **state) {
    (void)state;
    static const float odd[] = {INFINITY, -INFINITY, -0.0f, 1e-45f, 3.4e38f, NAN};
    const tnn_layer layer = {.units = 3};
    tnn_net *net = new_net(2, &layer, 1, NULL);
    memcpy(tnn_net_weights(net, 0), odd, sizeof odd);
    memcpy(tnn_net_biases(net, 0), odd, 3 * sizeof *odd); /* -0 among them */
    assert_comes_back(net);
    tnn_net_destroy(net);
}

static void test_onnx_file_has_the_bytes_of_memory(void **state) {
    (void)state;
    const char *path = "test_onnx_file.onnx";
    const tnn_layer layer = {.units = 50, .activation = tnn_gelu()};
    tnn_net *net = new_net(60, &layer, 1, NULL);
    tnn_net *loaded = NULL;
    onnx_file expected = saved_model(net);
    assert_ok(tnn_onnx_save(net, path));
    onnx_file file = read_onnx_file(path);
    assert_int_equal(file.count, expected.count);
    assert_memory_equal(file.bytes, expected.bytes, file.count);
    assert_ok(tnn_onnx_load(&loaded, path, NULL));
    assert_same_layers(loaded, net);
    assert_int_equal(remove(path), 0);
    free_onnx_file(&file);
    free_onnx_file(&expected);
    tnn_net_destroy(loaded);
    tnn_net_destroy(net);
}

/* ---- The same net, written in many ways ------------------------------------------------------ */

enum { MOST_LINES = 10 };

static const float weights[] = {0.5f, -1.25f, 2.0f, 0.75f, 1.5f, -3.0f};
static const float turned[] = {0.5f, 0.75f, -1.25f, 1.5f, 2.0f, -3.0f};
static const float biases[] = {0.25f, -0.5f, 1.0f};
static const float numbers[] = {0.5f,        1.0f,   2.0f,  -1.0f,    0.0f,    1.41421356f,
                                0.70710678f, 1e-30f, 3e38f, 10000.0f, 3001.0f, 7.0f};

/* Constants that the lines may use: w [2, 3], wt [3, 2], b [3], b13 [1, 3], half, one, two, minus,
 * zero, root, inverse, tiny, huge, ten_thousand, 3001, seven. */
static void add_constants(onnx_file *graph) {
    static const char *const names[] = {"half",    "one",  "two",  "minus",        "zero", "root",
                                        "inverse", "tiny", "huge", "ten_thousand", "3001", "seven"};
    static const float scales[] = {0.5f, 4.0f};
    static const int64_t shapes[] = {0, -1, 2, 1, 3, 2};
    add_tensor(graph, "w", 2, (const int64_t[]){2, 3}, weights);
    add_tensor(graph, "wt", 2, (const int64_t[]){3, 2}, turned);
    add_tensor(graph, "w2", 2, (const int64_t[]){3, 2}, weights);
    add_tensor(graph, "w6", 2, (const int64_t[]){6, 1}, weights);
    add_tensor(graph, "w3", 3, (const int64_t[]){1, 2, 3}, weights);
    add_tensor(graph, "v", 1, (const int64_t[]){2}, weights);
    add_tensor(graph, "b", 1, (const int64_t[]){3}, biases);
    add_tensor(graph, "b13", 2, (const int64_t[]){1, 3}, biases);
    add_tensor(graph, "b31", 2, (const int64_t[]){3, 1}, biases);
    add_tensor(graph, "s2", 1, (const int64_t[]){2}, scales);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        add_tensor(graph, names[i], 0, NULL, &numbers[i]);
    add_ints(graph, "rows_rest", 2, shapes);
    add_ints(graph, "rest_two", 2, shapes + 1);
    add_ints(graph, "rest_one", 2, (const int64_t[]){-1, 1});
    add_ints(graph, "axis_1", 1, shapes + 3);
    add_ints(graph, "two_three", 2, (const int64_t[]){2, 3});
    add_ints(graph, "three", 1, shapes + 4);
}

/* x -> y by these lines, up to one that is NULL. */
static onnx_file written(
    size_t rank, const int64_t *dims, const char *const *lines, int64_t opset) {
    onnx_file graph = {0};
    add_input(&graph, "x", TNNI_ONNX_FLOAT, rank, dims);
    add_output(&graph, "y");
    add_constants(&graph);
    for (size_t i = 0; i < MOST_LINES && lines[i]; i++)
        add_node(&graph, lines[i]);
    return finish_model(&graph, opset);
}

static const int64_t rows_of_two[] = {0, 2};

static tnn_net *net_of(const char *const *lines) {
    onnx_file model = written(2, rows_of_two, lines, 13);
    tnn_net *net = loaded_model(&model);
    free_onnx_file(&model);
    return net;
}

#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void assert_inputs(
    size_t rank, const int64_t *dims, const char *const *lines, int64_t opset, size_t inputs) {
    onnx_file model = written(rank, dims, lines, opset);
    tnn_net *net = loaded_model(&model);
    assert_int_equal(tnn_net_inputs(net), inputs);
    tnn_net_destroy(net);
    free_onnx_file(&model);
}

typedef struct spelling {
    const char *lines[MOST_LINES];
} spelling;

/* All of them are the net that the first one is. */
static void assert_all_the_same(const spelling *spellings, size_t count) {
    tnn_net *expected = net_of(spellings[0].lines);
    for (size_t i = 1; i < count; i++) {
        tnn_net *net = net_of(spellings[i].lines);
        assert_same_layers(net, expected);
        tnn_net_destroy(net);
    }
    tnn_net_destroy(expected);
}

static void test_onnx_product_is_the_same_in_every_form(void **state) {
    (void)state;
    static const spelling spellings[] = {
        {{"y = Gemm(x, w, b)"}},
        {{"y = Gemm(x, w, b13)"}},
        {{"y = Gemm(x, wt, b) transB=1"}},
        {{"y = Gemm(x, w, b) alpha=1.0 beta=1.0 transA=0 transB=0"}},
        {{"z = MatMul(x, w)", "y = Add(z, b)"}},
        {{"z = MatMul(x, w)", "y = Add(b, z)"}},
        {{"z = MatMul(x, w)", "y = Add(b13, z)"}},
        {{"z = Gemm(x, w)", "y = Add(z, b)"}},
        {{"z = Gemm(x, w, -)", "y = Add(z, b)"}},
        {{"c = Transpose(wt)", "y = Gemm(x, c, b)"}},
        {{"c = Identity(w)", "d = Cast(c) to=1", "y = Gemm(x, d, b)"}},
        {{"c = Reshape(wt, two_three)", "d = Transpose(wt)", "y = Gemm(x, d, b)"}},
        {{"c = Squeeze(w3)", "y = Gemm(x, c, b)"}},
        {{"c = Unsqueeze(b, axis_1)", "d = Transpose(c)", "y = Gemm(x, w, d)"}},
        {{"c = Reshape(b31, three)", "y = Gemm(x, w, c)"}},
        {{"c = Flatten(b31) axis=0", "y = Gemm(x, w, c)"}},
        {{"c = Mul(w, two)", "d = Div(c, two)", "y = Gemm(x, d, b)"}},
        {{"c = Sub(b, one)", "d = Add(one, c)", "y = Gemm(x, w, d)"}},
        {{"c = Neg(b)", "d = Mul(c, minus)", "y = Gemm(x, w, d)"}},
        {{"c = Mul(w, half)", "y = Gemm(x, c, b) alpha=2.0"}},
        {{"c = Mul(b, half)", "y = Gemm(x, w, c) beta=2.0"}},
        {{"f = Flatten(x)", "i = Identity(f)", "d = Dropout(i)", "e = Cast(d) to=11",
          "c = Cast(e) to=1", "y = Gemm(c, w, b)"}},
        {{"f = Reshape(x, rows_rest)", "y = Gemm(f, w, b)"}},
        {{"f = Reshape(x, rest_two)", "y = Gemm(f, w, b)"}},
        {{"t = Transpose(x)", "y = Gemm(t, w, b) transA=1"}},
        {{"t = Transpose(x)", "u = Transpose(t)", "y = Gemm(u, w, b)"}},
        {{"u = Unsqueeze(x, axis_1)", "v0 = Squeeze(u, axis_1)", "y = Gemm(v0, w, b)"}},
        {{"dead = Conv(x, w)", "y = Gemm(x, w, b)"}},
        {{"z = Gemm(x, w, b)", "y = Clip(z)"}},
    };
    assert_all_the_same(spellings, COUNT_OF(spellings));
}

static void test_onnx_scaling_is_the_same_in_every_form(void **state) {
    (void)state;
    static const spelling inputs[] = {
        {{"c = Sub(x, s2)", "d = Mul(c, half)", "y = Gemm(d, w, b)"}},
        {{"c = Sub(x, s2)", "d = Mul(half, c)", "y = Gemm(d, w, b)"}},
        {{"c = Sub(x, s2)", "d = Div(c, two)", "y = Gemm(d, w, b)"}},
        {{"n = Neg(s2)", "c = Add(x, n)", "d = Div(c, two)", "y = Gemm(d, w, b)"}},
        {{"h = Mul(x, half)", "t = Mul(s2, half)", "d = Sub(h, t)", "y = Gemm(d, w, b)"}},
    };
    static const spelling signs[] = {
        {{"d = Mul(x, half)", "n = Neg(w)", "y = Gemm(d, n, b)"}},
        {{"m = Mul(minus, half)", "d = Mul(x, m)", "y = Gemm(d, w, b)"}},
        {{"d = Mul(x, half)", "e = Neg(d)", "y = Gemm(e, w, b)"}},
        {{"d = Mul(x, half)", "e = Sub(zero, d)", "y = Gemm(e, w, b)"}},
    };
    static const spelling outputs[] = {
        {{"z = Gemm(x, w, b)", "c = Div(z, half)", "y = Add(c, b)"}},
        {{"z = Gemm(x, w, b)", "c = Mul(two, z)", "y = Add(b, c)"}},
        {{"z = Gemm(x, w, b)", "h = Mul(b, half)", "c = Add(z, h)", "y = Mul(c, two)"}},
    };
    static const spelling folded[] = {
        {{"c = Mul(w, two)", "d = Mul(b, two)", "z = Gemm(x, c, d)", "y = Relu(z)"}},
        {{"z = Gemm(x, w, b)", "c = Mul(z, two)", "y = Relu(c)"}},
        {{"z = Gemm(x, w, b)", "c = Add(z, b)", "d = Mul(c, two)", "e = Sub(d, b)", "f = Sub(e, b)",
          "y = Relu(f)"}},
    };
    static const spelling without_biases[] = {
        {{"c = Mul(w, two)", "z = MatMul(x, c)", "y = Relu(z)"}},
        {{"z = MatMul(x, w)", "c = Mul(z, two)", "y = Relu(c)"}},
    };
    static const spelling late_biases[] = {
        {{"c = Mul(w, two)", "z = Gemm(x, c, b)", "y = Relu(z)"}},
        {{"z = MatMul(x, w)", "c = Mul(z, two)", "d = Add(c, b)", "y = Relu(d)"}},
    };
    assert_all_the_same(without_biases, COUNT_OF(without_biases));
    assert_all_the_same(late_biases, COUNT_OF(late_biases));
    assert_all_the_same(inputs, COUNT_OF(inputs));
    assert_all_the_same(signs, COUNT_OF(signs));
    assert_all_the_same(outputs, COUNT_OF(outputs));
    assert_all_the_same(folded, COUNT_OF(folded));
}

static void test_onnx_activation_is_the_same_in_every_form(void **state) {
    (void)state;
    static const spelling gelu[] = {
        {{"z = MatMul(x, w)", "d = Div(z, root)", "e = Erf(d)", "a = Add(e, one)", "m = Mul(z, a)",
          "y = Mul(m, half)"}},
        {{"z = MatMul(x, w)", "d = Mul(z, inverse)", "e = Erf(d)", "a = Add(one, e)",
          "h = Mul(half, z)", "y = Mul(h, a)"}},
        {{"z = MatMul(x, w)", "r = Sqrt(two)", "d = Div(z, r)", "e = Erf(d)", "h = Mul(e, half)",
          "a = Add(h, half)", "y = Mul(z, a)"}},
        {{"z = MatMul(x, w)", "d = Div(z, root)", "e = Erf(d)", "a = Add(e, one)",
          "h = Mul(a, half)", "y = Mul(h, z)"}},
        {{"z = MatMul(x, w)", "d = Div(z, root)", "e = Erf(d)", "a = Add(e, one)", "m = Mul(z, a)",
          "y = Div(m, two)"}},
    };
    static const spelling silu[] = {
        {{"z = MatMul(x, w)", "s = Sigmoid(z)", "y = Mul(z, s)"}},
        {{"z = MatMul(x, w)", "s = Sigmoid(z)", "y = Mul(s, z)"}},
        {{"z = MatMul(x, w)", "i = Identity(z)", "s = Sigmoid(z)", "y = Mul(s, i)"}},
        {{"z = MatMul(x, w)", "i = Identity(z)", "s = Sigmoid(i)", "y = Mul(s, z)"}},
        {{"z = MatMul(x, w)", "i = Cast(z) to=1", "j = Dropout(i)", "s = Sigmoid(j)",
          "y = Mul(s, i)"}},
    };
    static const spelling softsign[] = {
        {{"z = MatMul(x, w)", "y = Softsign(z)"}},
        {{"z = MatMul(x, w)", "a = Abs(z)", "b0 = Add(a, one)", "y = Div(z, b0)"}},
        {{"z = MatMul(x, w)", "a = Abs(z)", "b0 = Add(one, a)", "y = Div(z, b0)"}},
    };
    static const spelling hard_tanh[] = {
        {{"z = MatMul(x, w)", "y = Clip(z, minus, one)"}},
        {{"z = MatMul(x, w)", "c = Neg(one)", "y = Clip(z, c, one)"}},
    };
    static const spelling relu[] = {
        {{"z = MatMul(x, w)", "y = Relu(z)"}},
        {{"z = MatMul(x, w)", "y = Clip(z, zero)"}},
    };
    assert_all_the_same(gelu, COUNT_OF(gelu));
    assert_all_the_same(silu, COUNT_OF(silu));
    assert_all_the_same(softsign, COUNT_OF(softsign));
    assert_all_the_same(hard_tanh, COUNT_OF(hard_tanh));
    assert_all_the_same(relu, COUNT_OF(relu));
    tnn_net *net = net_of(gelu[0].lines);
    assert_ptr_equal(tnn_net_layer(net, 0).activation.vtable, tnn_gelu().vtable);
    assert_int_equal(tnn_net_layer_count(net), 1);
    tnn_net_destroy(net);
    net = net_of(silu[0].lines);
    assert_ptr_equal(tnn_net_layer(net, 0).activation.vtable, tnn_silu().vtable);
    tnn_net_destroy(net);
}

static void assert_same_in_version(const spelling *spellings, size_t count, int64_t opset) {
    onnx_file model = written(2, rows_of_two, spellings[0].lines, opset);
    tnn_net *expected = loaded_model(&model);
    free_onnx_file(&model);
    for (size_t i = 1; i < count; i++) {
        model = written(2, rows_of_two, spellings[i].lines, opset);
        tnn_net *net = loaded_model(&model);
        assert_same_layers(net, expected);
        free_onnx_file(&model);
        tnn_net_destroy(net);
    }
    tnn_net_destroy(expected);
}

/* Serializers of proto3 leave out what is 0. What the operator takes where there is no attribute is
 * something else. */
static void test_onnx_attribute_without_its_value_is_zero(void **state) {
    (void)state;
    static const spelling beta[] = {
        {{"z = Mul(b, zero)", "y = Gemm(x, w, z)"}},
        {{"y = Gemm(x, w, b) beta=0.0"}},
        {{"y = Gemm(x, w, b) beta=float"}},
    };
    static const spelling alpha[] = {
        {{"z = Mul(w, zero)", "y = Gemm(x, z, b)"}},
        {{"y = Gemm(x, w, b) alpha=float"}},
    };
    static const spelling constants[] = {
        {{"y = Relu(x)"}},
        {{"c = Constant() value_float=float", "y = Clip(x, c)"}},
    };
    static const spelling bound[] = {{{"y = Relu(x)"}}, {{"y = Clip(x) min=float"}}};
    static const int64_t six[] = {2, 3};
    assert_same_in_version(beta, COUNT_OF(beta), 13);
    assert_same_in_version(alpha, COUNT_OF(alpha), 13);
    assert_same_in_version(constants, COUNT_OF(constants), 13);
    assert_same_in_version(bound, COUNT_OF(bound), 7);
    assert_inputs(2, six, LINES("y = Softmax(x) axis=int"), 12, 6);
    assert_inputs(2, six, LINES("f = Flatten(x) axis=int", "y = Softmax(f)"), 13, 6);
    onnx_file model = written(2, six, LINES("y = Softmax(x) axis=int"), 13);
    assert_refused_with(
        &model, TNN_UNSUPPORTED, AT "node 0 (Softmax): over axis 0 of 2, expected the last one");
    model = written(2, six, LINES("y = LeakyRelu(x) alpha=float"), 13);
    assert_refused_with(
        &model, TNN_UNSUPPORTED,
        AT "node 0 (LeakyRelu): alpha is 0, expected a positive finite number");
    model = written(2, six, LINES("y = HardSigmoid(x) alpha=0.16666667 beta=float"), 13);
    assert_refused_with(
        &model, TNN_UNSUPPORTED, AT "node 0 (HardSigmoid): beta is 0, expected 0.5");
}

/* Products are right in themselves, with more than one row. */
static void test_onnx_product_has_the_weights_of_the_model(void **state) {
    (void)state;
    static const float factors[] = {-1.5f, 0.25f};
    tnn_net *net =
        net_of((const char *const[]){"y = Gemm(x, wt, b) alpha=-1.5 beta=0.25 transB=1", NULL});
    for (size_t i = 0; i < 6; i++) {
        float expected = factors[0] * weights[i];
        assert_same_bits(&tnn_net_weights(net, 0)[i], &expected, 1);
    }
    for (size_t i = 0; i < 3; i++) {
        float expected = factors[1] * biases[i];
        assert_same_bits(&tnn_net_biases(net, 0)[i], &expected, 1);
    }
    assert_true(tnn_net_layer(net, 0).activation.vtable == tnn_identity().vtable);
    tnn_net_destroy(net);
}

/* ---- Layers of unit weights ------------------------------------------------------------------ */

static void assert_unit_layer(tnn_net *net, size_t layer, size_t units) {
    const float *w = tnn_net_weights(net, layer);
    assert_int_equal(tnn_net_units(net, layer), units);
    assert_true(tnn_net_layer(net, layer).no_bias);
    for (size_t i = 0; i < units * units; i++)
        assert_true(w[i] == (i % (units + 1) == 0 ? 1.0f : 0.0f));
}

/* The activations alone, bit for bit, on rows of every size of float. */
static void test_onnx_activations_in_a_row_change_no_bit(void **state) {
    (void)state;
    enum { ROWS = 500 };
    static float x[2 * ROWS], y[2 * ROWS], expected[2 * ROWS];
    uint64_t seed = 5;
    const tnn_activation activations[] = {tnn_tanh(), tnn_silu(), tnn_softmax()};
    const spelling lines = {{"a = Tanh(x)", "s = Sigmoid(a)", "b0 = Mul(a, s)", "y = Softmax(b0)"}};
    tnn_net *net = net_of(lines.lines);
    tnn_workspace *workspace = new_workspace(net, ROWS);
    assert_int_equal(tnn_net_layer_count(net), 3);
    for (size_t l = 0; l < 3; l++)
        assert_unit_layer(net, l, 2);
    for (size_t i = 0; i < 2 * ROWS; i++)
        x[i] = ldexpf(random_between(&seed, -1, 1), (int)random_between(&seed, -126, 20));
    memcpy(expected, x, sizeof x);
    for (size_t l = 0; l < 3; l++)
        activations[l].vtable->forward(&activations[l], ROWS, 2, expected, expected);
    assert_ok(tnn_predict(net, workspace, ROWS, x, y));
    assert_same_bits(y, expected, 2 * ROWS);
    tnn_workspace_destroy(workspace);
    tnn_net_destroy(net);
}

static void test_onnx_nothing_at_all_is_a_layer_of_unit_weights(void **state) {
    (void)state;
    tnn_net *net = net_of((const char *const[]){"y = Identity(x)", NULL});
    assert_int_equal(tnn_net_layer_count(net), 1);
    assert_unit_layer(net, 0, 2);
    tnn_net_destroy(net);
}

/* Between activations a scaling is a layer; a unit of it is what the model computes. */
static void test_onnx_scaling_between_activations_is_a_layer(void **state) {
    (void)state;
    static const float expected[] = {0.5f, 0.0f, 0.0f, 4.0f};
    tnn_net *net = net_of((const char *const[]){
        "a = Tanh(x)", "m = Mul(a, s2)", "n = Add(m, one)", "y = Relu(n)", NULL});
    assert_int_equal(tnn_net_layer_count(net), 2);
    assert_unit_layer(net, 0, 2);
    assert_same_bits(tnn_net_weights(net, 1), expected, 4);
    assert_true(tnn_net_biases(net, 1)[0] == 1.0f && tnn_net_biases(net, 1)[1] == 1.0f);
    tnn_net_destroy(net);
}

/* ---- Scaling of large inputs ----------------------------------------------------------------- */

/* 10000 +- 21, of which a product and then a sum would leave 2^-24 10000 / 7, 8.5e-5: more than
 * assert_onnx_outputs forgives. */
static void test_onnx_scaling_subtracts_first_without_a_product(void **state) {
    (void)state;
    enum { ROWS = 100 };
    static const char *const lines[][MOST_LINES] = {
        {"c = Sub(x, ten_thousand)", "y = Div(c, seven)"},
        {"c = Sub(x, ten_thousand)", "d = Div(c, seven)", "e = Neg(d)", "y = Tanh(e)"},
        {"c = Sub(x, ten_thousand)", "d = Div(c, seven)", "y = Relu(d)"},
    };
    float x[2 * ROWS];
    float expected[2 * ROWS];
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        tnn_net *net = net_of(lines[i]);
        for (size_t r = 0; r < COUNT_OF(x); r++) {
            x[r] = 10000.0f + 21.0f * ((float)r / ROWS - 1.0f);
            double y = (x[r] - 10000.0) / 7.0;
            expected[r] = (float)(i == 0 ? y : i == 1 ? -tanh(y) : y > 0.0 ? y : 0.0);
        }
        assert_onnx_outputs(lines[i][1], net, ROWS, x, expected);
        assert_int_equal(tnn_net_layer_count(net), 1);
        assert_true(tnn_net_layer(net, 0).no_bias);
        assert_true(tnn_net_input_shift(net)[1] == 10000.0f);
        tnn_net_destroy(net);
    }
}

/* 3 x + 3001 at -1000 is 1 + 0, and the nearest float to 3001 / 3 is 2e-5 off. */
static void test_onnx_scaling_by_product_and_sum_loses_nothing(void **state) {
    (void)state;
    static const float x[] = {-1000.0f, -1000.5f, -999.0f, -1000.0f};
    static const float scaled[] = {1.0f, -0.5f, 4.0f, 1.0f};
    const float rows[] = {
        scaled[0] * 0.5f + scaled[1] * 0.75f,  scaled[0] * -1.25f + scaled[1] * 1.5f,
        scaled[0] * 2.0f + scaled[1] * -3.0f,  scaled[2] * 0.5f + scaled[3] * 0.75f,
        scaled[2] * -1.25f + scaled[3] * 1.5f, scaled[2] * 2.0f + scaled[3] * -3.0f};
    const float relu[] = {1.0f, 0.0f, 4.0f, 1.0f};
    float halved[6];
    tnn_net *net =
        net_of(LINES("t = Add(one, two)", "m = Mul(x, t)", "a = Add(m, 3001)", "y = MatMul(a, w)"));
    assert_onnx_outputs("MatMul", net, 2, x, rows);
    assert_int_equal(tnn_net_layer_count(net), 1);
    tnn_net_destroy(net);
    net = net_of(LINES(
        "t = Add(one, two)", "m = Mul(x, t)", "a = Add(m, 3001)", "z = Gemm(a, w)",
        "h = Mul(z, half)", "s = Softplus(h)", "y = Sub(s, zero)"));
    for (size_t i = 0; i < 6; i++)
        halved[i] = (float)log1p(exp(0.5 * (double)rows[i]));
    assert_onnx_outputs("Mul", net, 2, x, halved);
    tnn_net_destroy(net);
    net = net_of(LINES("t = Add(one, two)", "m = Mul(x, t)", "a = Add(m, 3001)", "y = Relu(a)"));
    assert_onnx_outputs("Relu", net, 2, x, relu);
    tnn_net_destroy(net);
    net = net_of(LINES(
        "t = Add(one, two)", "m = Mul(x, t)", "a = Add(m, 3001)", "n = Neg(a)",
        "d = Gemm(n, wt) alpha=-1.0 transB=1", "y = Sub(d, zero)"));
    assert_onnx_outputs("Gemm", net, 2, x, rows);
    tnn_net_destroy(net);
}

/* 1 / 3e38 has 22 bits as a float, 1e-42 has 10: the weights take the factor instead. */
static void test_onnx_scale_that_floats_come_not_near_is_none(void **state) {
    (void)state;
    static const float x[] = {1.0f, 0.0f};
    static const float expected[] = {1.5e8f, -3.75e8f, 6e8f};
    tnn_net *net = net_of(LINES("c = Mul(w, tiny)", "z = MatMul(x, c)", "y = Mul(z, huge)"));
    assert_null(tnn_net_output_scale(net));
    assert_onnx_outputs("huge", net, 1, x, expected);
    tnn_net_destroy(net);
    onnx_file model = written(
        2, rows_of_two,
        LINES(
            "c = Mul(x, tiny)", "d = Div(c, ten_thousand)", "e = Div(d, ten_thousand)",
            "z = Div(e, ten_thousand)", "y = MatMul(z, w)"),
        13);
    assert_refused_with(
        &model, TNN_UNSUPPORTED, AT "node 3 (Div): layer 0 has a factor beyond the range of float");
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static void test_onnx_rows_are_what_the_nodes_take_for_them(void **state) {
    (void)state;
    static const int64_t image[] = {0, 1, 2, 3};
    static const int64_t steps[] = {4, 5, 2};
    static const int64_t list[] = {2};
    static const int64_t unknown[] = {0, 0};
    assert_inputs(4, image, LINES("f = Flatten(x)", "y = Gemm(f, w6)"), 13, 6);
    assert_inputs(4, image, LINES("r = Relu(x)", "f = Flatten(r)", "y = Gemm(f, w6)"), 13, 6);
    assert_inputs(4, image, LINES("y = Relu(x)"), 13, 6);
    assert_inputs(4, image, LINES("y = Softmax(x)"), 13, 3);
    assert_inputs(4, image, LINES("y = Softmax(x)"), 12, 6);
    assert_inputs(4, image, LINES("y = Softmax(x) axis=2"), 12, 6);
    assert_inputs(4, image, LINES("y = Softmax(x) axis=3"), 12, 3);
    assert_inputs(3, steps, LINES("z = MatMul(x, w)", "y = Add(z, b)"), 13, 2);
    assert_inputs(3, steps, LINES("r = Relu(x)", "y = MatMul(r, v)"), 13, 2);
    assert_inputs(1, list, LINES("y = MatMul(x, w)"), 13, 2);
    assert_inputs(2, unknown, LINES("t = Tanh(x)", "y = MatMul(t, w)"), 13, 2);
    assert_inputs(0, NULL, LINES("y = MatMul(x, w)"), 13, 2);
    assert_inputs(2, (const int64_t[]){2, 5}, LINES("y = Gemm(x, w) transA=1"), 13, 2);
    assert_inputs(
        2, rows_of_two,
        LINES("z = MatMul(x, v)", "r = Reshape(z, rest_one)", "y = Reshape(r, rest_one)"), 13, 2);
}

/* A constant of the last dimension is the same for each row, whether that is all of a row or not:
 * the nodes behind it say. */
static void test_onnx_constants_leave_open_what_a_row_is(void **state) {
    (void)state;
    static const char *const lines[][MOST_LINES] = {
        {"c = Sub(x, s2)", "d = Div(c, s2)", "y = MatMul(d, w)"},
        {"c = Sub(x, s2)", "d = Div(c, s2)", "r = Relu(d)", "n = Mul(r, s2)", "y = MatMul(n, w)"},
    };
    static const int64_t shapes[][4] = {{0, 2, 2}, {0, 0, 2}, {0, 0, 0}, {3, 5, 2}, {2, 2, 2, 2}};
    for (size_t l = 0; l < COUNT_OF(lines); l++) {
        tnn_net *expected = net_of(lines[l]);
        for (size_t i = 0; i < COUNT_OF(shapes); i++) {
            onnx_file model = written(i == 4 ? 4 : 3, shapes[i], lines[l], 13);
            tnn_net *net = loaded_model(&model);
            assert_same_layers(net, expected);
            tnn_net_destroy(net);
            free_onnx_file(&model);
        }
        tnn_net_destroy(expected);
    }
}

static void test_onnx_constants_repeat_in_a_longer_row(void **state) {
    (void)state;
    static const int64_t three_twos[] = {0, 3, 2};
    static const int64_t twelve[] = {2, 1, 3, 2};
    onnx_file model = written(
        3, three_twos,
        LINES(
            "c = Sub(x, s2)", "d = Mul(c, s2)", "e = Mul(d, half)", "f = Flatten(e)",
            "y = Gemm(f, w6)"),
        13);
    tnn_net *net = loaded_model(&model);
    assert_int_equal(tnn_net_inputs(net), 6);
    for (size_t i = 0; i < 6; i++) {
        assert_true(tnn_net_input_shift(net)[i] == (i % 2 ? 4.0f : 0.5f));
        assert_true(tnn_net_input_scale(net)[i] == (i % 2 ? 2.0f : 0.25f));
    }
    tnn_net_destroy(net);
    free_onnx_file(&model);
    model = written(
        4, twelve, LINES("c = Add(x, s2)", "d = Sub(c, b31)", "e = Sub(d, s2)", "y = Tanh(e)"), 13);
    net = loaded_model(&model);
    assert_int_equal(tnn_net_inputs(net), 6);
    for (size_t i = 0; i < 6; i++)
        assert_true(tnn_net_input_shift(net)[i] == biases[i / 2]);
    tnn_net_destroy(net);
    free_onnx_file(&model);
    assert_inputs(
        4, twelve, LINES("d = Sub(x, b31)", "r = Reshape(d, rest_two)", "y = Relu(r)"), 13, 12);
    model = written(4, twelve, LINES("d = Sub(x, b31)", "e = Sub(d, s2)", "y = MatMul(e, w)"), 13);
    assert_refused_with(
        &model, TNN_UNSUPPORTED,
        AT "node 2 (MatMul): it works on dimension 3 and those behind it, a node before it on "
           "dimension 1 and those behind it; a net has one kind of row");
    model = written(4, twelve, LINES("d = Sub(x, b31)", "y = MatMul(d, w)"), 13);
    assert_refused_with(
        &model, TNN_UNSUPPORTED,
        AT "node 1 (MatMul): it works on dimension 3 and those behind it, a node before it on "
           "dimension 1 and those behind it; a net has one kind of row");
    model = written(3, three_twos, LINES("d = Sub(x, b31)", "y = MatMul(d, w)"), 13);
    assert_refused_with(
        &model, TNN_UNSUPPORTED,
        AT "node 1 (MatMul): it works on dimension 2 and those behind it, a node before it on "
           "dimension 1 and those behind it; a net has one kind of row");
    model = written(3, twelve, LINES("d = Sub(x, w3)", "y = Relu(d)"), 13);
    assert_refused_with(
        &model, TNN_UNSUPPORTED,
        AT "node 0 (Sub): a constant, float[1, 2, 3], that does not hold one number, or one for "
           "each column");
}

static void test_onnx_rows_of_two_kinds_are_refused(void **state) {
    (void)state;
    static const int64_t image[] = {0, 1, 2, 3};
    onnx_file model =
        written(4, image, LINES("s = Softmax(x)", "f = Flatten(s)", "y = Gemm(f, w6)"), 13);
    assert_refused_with(
        &model, TNN_UNSUPPORTED,
        AT "node 1 (Flatten): it works on dimension 1 and those behind it, a node before it on "
           "dimension 3 and those behind it; a net has one kind of row");
}

/* Of one number, and of a list that a product with a vector has made one. */
static void test_onnx_value_without_dimensions_is_no_row(void **state) {
    (void)state;
    static const int64_t list[] = {2};
    onnx_file model = written(0, list, LINES("y = MatMul(x, w)"), 13);
    assert_refused_with(&model, TNN_BAD_FORMAT, AT "node 0 (MatMul): a value of no dimension");
    model = written(1, list, LINES("z = MatMul(x, v)", "y = MatMul(z, w)"), 13);
    assert_refused_with(&model, TNN_BAD_FORMAT, AT "node 1 (MatMul): a value of no dimension");
    model = written(1, list, LINES("z = MatMul(x, v)", "y = Softmax(z)"), 13);
    assert_refused_with(&model, TNN_BAD_FORMAT, AT "node 1 (Softmax): a value of no dimension");
    assert_inputs(0, list, LINES("y = Tanh(x)"), 13, 1);
    assert_inputs(1, list, LINES("z = MatMul(x, v)", "y = Tanh(z)"), 13, 2);
}

/* ---- Types ----------------------------------------------------------------------------------- */

/* A model whose weights [2, 1] are a tensor of this type and these bytes, raw or in their field. */
static tnn_net *net_of_tensor(int type, const void *raw, size_t bytes, const int32_t *halves) {
    TnniOnnx__TensorProto tensor = TNNI_ONNX__TENSOR_PROTO__INIT;
    int64_t dims[] = {2, 1};
    char name[] = "t";
    unsigned char packed[200];
    onnx_file graph = {0};
    tensor.name = name;
    tensor.n_dims = 2;
    tensor.dims = dims;
    tensor.has_data_type = true;
    tensor.data_type = type;
    tensor.has_raw_data = raw != NULL;
    tensor.raw_data = (ProtobufCBinaryData){bytes, (uint8_t *)(uintptr_t)raw};
    tensor.n_int32_data = halves ? 2 : 0;
    tensor.int32_data = (int32_t *)(uintptr_t)halves;
    size_t count = tnni_onnx__tensor_proto__pack(&tensor, packed);
    add_input(&graph, "x", type, 2, rows_of_two);
    add_output(&graph, "y");
    append_field(&graph, 5, packed, count);
    add_node(&graph, "y = MatMul(x, t)");
    onnx_file model = finish_model(&graph, 13);
    tnn_net *net = loaded_model(&model);
    free_onnx_file(&model);
    return net;
}

static void assert_weights(tnn_net *net, float first, float second) {
    const float expected[] = {first, second};
    assert_same_bits(tnn_net_weights(net, 0), expected, 2);
    tnn_net_destroy(net);
}

static void test_onnx_weights_of_every_type_are_read(void **state) {
    (void)state;
    static const unsigned char floats[] = {0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0};
    static const unsigned char doubles[] = {0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0x3f,
                                            0,    0,    0,    0,    0,    0,    0,    0xc0};
    static const unsigned char half_bytes[] = {0x00, 0x3c, 0x01, 0x80};
    static const int32_t halves[] = {0x7bff, 0x0400};
    static const int32_t infinite[] = {0x7c00, 0xfc00};
    assert_weights(net_of_tensor(TNNI_ONNX_FLOAT, floats, sizeof floats, NULL), 1.0f, -2.0f);
    /* The nearest float to the double 0.1. */
    assert_weights(net_of_tensor(TNNI_ONNX_DOUBLE, doubles, sizeof doubles, NULL), 0.1f, -2.0f);
    assert_weights(
        net_of_tensor(TNNI_ONNX_FLOAT16, half_bytes, sizeof half_bytes, NULL), 1.0f, -0x1p-24f);
    assert_weights(net_of_tensor(TNNI_ONNX_FLOAT16, NULL, 0, halves), 65504.0f, 0x1p-14f);
    /* Raw bytes that are there, but none. */
    assert_weights(net_of_tensor(TNNI_ONNX_FLOAT16, "", 0, halves), 65504.0f, 0x1p-14f);
    assert_weights(net_of_tensor(TNNI_ONNX_FLOAT16, NULL, 0, infinite), INFINITY, -INFINITY);
}

/* ---- What is refused ------------------------------------------------------------------------- */

typedef struct refusal {
    const char *lines[MOST_LINES];
    const char *message;
    tnn_status status; /* TNN_OK: TNN_UNSUPPORTED */
} refusal;

static void assert_refusals(const refusal *refusals, size_t count) {
    for (size_t i = 0; i < count; i++) {
        onnx_file model = written(2, rows_of_two, refusals[i].lines, 13);
        assert_refused_with(
            &model, refusals[i].status ? refusals[i].status : TNN_UNSUPPORTED, refusals[i].message);
    }
}

#define BRANCH                                                                                     \
    "it takes a part of what several nodes compute of one value, which would have to be GELU, "    \
    "SiLU or softsign; a net is a chain"
#define MEET                                                                                       \
    "two values that both depend on the model's input meet, and not as in GELU, SiLU or "          \
    "softsign; a net is a chain"

static void test_onnx_other_operators_are_refused_by_name(void **state) {
    (void)state;
    static const refusal refusals[] = {
        {{"z = Gemm(x, w, b)", "y = LogSoftmax(z)"},
         AT "node 1 (LogSoftmax): this operator has no place in a net of dense layers",
         0},
        {{"com.example:y = Relu(x)"},
         AT "node 0 (Relu): an operator of \"com.example\", not of ONNX itself",
         0},
        {{"y = Gelu(x)"},
         AT "node 0 (Gelu): of version 13 of ONNX's operators, expected 20 or later",
         0},
        {{"y = Relu(x) slope=0.5"}, AT "node 0 (Relu): the attribute \"slope\" is not known", 0},
        {{"y = Tanh(x, w)"}, AT "node 0 (Tanh): 2 inputs, expected at most 1", 0},
        {{"y = Tanh(half)"}, AT "node 0 (Tanh): of constants alone", 0},
        {{"y = Sqrt(x)"},
         AT "node 0 (Sqrt): of what depends on the model's input, expected constants",
         0},
        {{"y = Cast(x) to=10"}, AT "node 0 (Cast): a cast to float16, expected float or double", 0},
        {{"y = Dropout(x, half, one)"},
         AT "node 0 (Dropout): in training mode, which draws at random",
         0},
    };
    assert_refusals(refusals, COUNT_OF(refusals));
}

static void test_onnx_branches_are_refused(void **state) {
    (void)state;
    static const refusal refusals[] = {
        {{"z = Gemm(x, w, b)", "a = Relu(z)", "y = Add(a, z)"},
         AT "node 2 (Add): it takes \"z\", from which a node before it has gone on; a net is a "
            "chain without branches",
         0},
        {{"y = Mul(x, x)"}, AT "node 0 (Mul): " MEET, 0},
        {{"s = Sigmoid(x)", "t = Mul(s, two)", "y = Add(t, x)"}, AT "node 2 (Add): " MEET, 0},
        {{"s = Sigmoid(x)", "t = Tanh(s)", "y = Mul(t, x)"}, AT "node 1 (Tanh): " BRANCH, 0},
        {{"m = Mul(x, two)", "s = Sigmoid(m)", "y = Mul(s, x)"}, AT "node 1 (Sigmoid): " BRANCH, 0},
        {{"d = Div(x, two)", "e = Erf(d)", "y = Mul(x, e)"},
         AT "node 1 (Erf): erf is read as a part of GELU alone, x (1 + erf(x / sqrt 2)) / 2",
         0},
        {{"a = Abs(x)", "b0 = Add(a, two)", "y = Div(x, b0)"}, AT "node 1 (Add): " MEET, 0},
        {{"y = Abs(x)"},
         AT "node 0 (Abs): it is read as a part of softsign alone, x / (1 + |x|)",
         0},
        {{"s = Sigmoid(x)", "t = Mul(x, s)", "y = Mul(x, t)"},
         AT "node 2 (Mul): it takes \"x\", from which a node before it has gone on; a net is a "
            "chain without branches",
         0},
        {{"d = Div(x, root)", "e = Erf(d)", "a = Add(e, one)", "y = Mul(x, a)"},
         AT "node 3 (Mul): the output \"y\" is a part of GELU, SiLU or softsign, and not the whole",
         0},
        {{"s = Sigmoid(x)", "t = Mul(s, two)", "y = Mul(t, x)"},
         AT "node 2 (Mul): the output \"y\" is a part of GELU, SiLU or softsign, and not the whole",
         0},
        {{"y = Identity(b)"}, AT "node 0 (Identity): the output \"y\" is a constant", 0},
    };
    assert_refusals(refusals, COUNT_OF(refusals));
}

static void test_onnx_products_of_other_kinds_are_refused(void **state) {
    (void)state;
    static const refusal refusals[] = {
        {{"y = MatMul(w, x)"},
         AT "node 0 (MatMul): the value is the right operand of the product, its columns are rows; "
            "expected x W",
         0},
        {{"y = Gemm(x, x)"},
         AT "node 0 (Gemm): its input 1 depends on the model's input, expected a constant",
         0},
        {{"y = Gemm(x, w, x)"},
         AT "node 0 (Gemm): its input 2 depends on the model's input, expected a constant",
         0},
        {{"y = Gemm(x)"}, AT "node 0 (Gemm): its input 1 is missing", TNN_BAD_FORMAT},
        {{"y = Gemm(x, wt)"},
         AT "node 0 (Gemm): 2 columns times weights of 3 inputs",
         TNN_BAD_FORMAT},
        {{"y = Gemm(x, b)"},
         AT "node 0 (Gemm): weights float[3], expected two dimensions",
         TNN_BAD_FORMAT},
        {{"y = MatMul(x, w3)"},
         AT "node 0 (MatMul): weights float[1, 2, 3], expected one or two dimensions",
         0},
        {{"y = Gemm(x, w, b31)"},
         AT "node 0 (Gemm): biases float[3, 1], expected one for each of 3 units",
         0},
        {{"z = MatMul(x, w)", "y = Gemm(z, w2) transA=1"},
         AT "node 1 (Gemm): it takes the value transposed, so that rows are mixed",
         0},
        {{"z = MatMul(x, w)", "y = Transpose(z)"},
         AT "node 1 (Transpose): the output is transposed, its rows are columns",
         0},
        {{"z = MatMul(x, w)", "y = Add(z, b31)"},
         AT "node 1 (Add): a constant, float[3, 1], that does not hold one number, or one for each "
            "column",
         0},
        {{"y = Div(two, x)"},
         AT "node 0 (Div): the value is the divisor, expected the dividend",
         0},
        {{"y = Div(x, zero)"},
         AT "node 0 (Div): a constant is 0, expected a finite number that is not 0",
         0},
        {{"c = Mul(b, b31)", "y = Mul(x, c)"},
         AT "node 0 (Mul): float[3] and float[3, 1] make a larger constant than either",
         0},
        {{"c = Add(w, b31)", "y = Mul(x, c)"},
         AT "node 0 (Add): float[2, 3] and float[3, 1] do not fit together",
         TNN_BAD_FORMAT},
        {{"c = Add(three, three)", "y = Mul(x, c)"},
         AT "node 0 (Add): arithmetic of constants of int64",
         0},
    };
    assert_refusals(refusals, COUNT_OF(refusals));
}

static void test_onnx_activations_of_other_kinds_are_refused(void **state) {
    (void)state;
    static const refusal refusals[] = {
        {{"y = HardSigmoid(x)"}, AT "node 0 (HardSigmoid): alpha is 0.200000003, expected 1/6", 0},
        {{"y = HardSigmoid(x) alpha=0.16666667 beta=0.25"},
         AT "node 0 (HardSigmoid): beta is 0.25, expected 0.5",
         0},
        {{"y = Selu(x) alpha=2.0"}, AT "node 0 (Selu): alpha is 2, expected 1.67326324", 0},
        {{"y = Selu(x) gamma=1.0"}, AT "node 0 (Selu): gamma is 1, expected 1.05070099", 0},
        {{"y = Elu(x) alpha=-1.0"},
         AT "node 0 (Elu): alpha is -1, expected a positive finite number",
         0},
        {{"y = LeakyRelu(x) alpha=0.0"},
         AT "node 0 (LeakyRelu): alpha is 0, expected a positive finite number",
         0},
        {{"y = Clip(x, minus, two)"},
         AT "node 0 (Clip): bounds -1 and 2, expected -1 and 1, or 0 and none",
         0},
        {{"y = Softmax(x) axis=0"},
         AT "node 0 (Softmax): over axis 0 of 2, expected the last one",
         0},
        {{"y = Softmax(x) axis=2"}, AT "node 0 (Softmax): axis 2 of 2 dimensions", TNN_BAD_FORMAT},
    };
    assert_refusals(refusals, COUNT_OF(refusals));
}

#define IS_NOT(node, name, kind) AT "node 0 (" node "): the attribute \"" name "\" is not " kind

static void test_onnx_attributes_of_another_type_are_refused(void **state) {
    (void)state;
    static const refusal refusals[] = {
        {{"y = Gemm(x, w) alpha=2"}, IS_NOT("Gemm", "alpha", "a float"), TNN_BAD_FORMAT},
        {{"y = Gemm(x, w) alpha~2"}, IS_NOT("Gemm", "alpha", "a float"), TNN_BAD_FORMAT},
        {{"y = Gemm(x, w) alpha=int"}, IS_NOT("Gemm", "alpha", "a float"), TNN_BAD_FORMAT},
        {{"y = Gemm(x, w) alpha~float"}, IS_NOT("Gemm", "alpha", "a float"), TNN_BAD_FORMAT},
        {{"y = Gemm(x, w) alpha='2'"}, IS_NOT("Gemm", "alpha", "a float"), TNN_BAD_FORMAT},
        {{"y = Gemm(x, w) alpha=[2.0]"}, IS_NOT("Gemm", "alpha", "a float"), TNN_BAD_FORMAT},
        {{"y = Gemm(x, w) transB=1.0"}, IS_NOT("Gemm", "transB", "an int"), TNN_BAD_FORMAT},
        {{"y = Gemm(x, w) transB~1.0"}, IS_NOT("Gemm", "transB", "an int"), TNN_BAD_FORMAT},
        {{"y = LeakyRelu(x) alpha=1"}, IS_NOT("LeakyRelu", "alpha", "a float"), TNN_BAD_FORMAT},
        {{"y = Elu(x) alpha=2"}, IS_NOT("Elu", "alpha", "a float"), TNN_BAD_FORMAT},
        {{"y = Transpose(x) perm=0"},
         IS_NOT("Transpose", "perm", "a list of ints"),
         TNN_BAD_FORMAT},
        {{"y = Transpose(x) perm=[0.0,1.0]"},
         IS_NOT("Transpose", "perm", "a list of ints"),
         TNN_BAD_FORMAT},
        {{"c = Constant() value=1", "y = Add(x, c)"},
         IS_NOT("Constant", "value", "a tensor"),
         TNN_BAD_FORMAT},
        {{"c = Constant() value=tensor", "y = Add(x, c)"},
         IS_NOT("Constant", "value", "a tensor"),
         TNN_BAD_FORMAT},
        {{"c = Constant() value_floats=[1]", "y = Add(x, c)"},
         IS_NOT("Constant", "value_floats", "a list of floats"),
         TNN_BAD_FORMAT},
        {{"y = Elu(x) alpha=0.5 alpha=0.25"},
         AT "node 0 (Elu): the attribute \"alpha\" comes twice",
         TNN_BAD_FORMAT},
        {{"y = Selu(x) alph=0.5"}, AT "node 0 (Selu): the attribute \"alph\" is not known", 0},
    };
    assert_refusals(refusals, COUNT_OF(refusals));
    onnx_file model = written(2, rows_of_two, LINES("y = Gelu(x) approximate=1"), 20);
    assert_refused_with(&model, TNN_BAD_FORMAT, IS_NOT("Gelu", "approximate", "a string"));
    assert_inputs(2, rows_of_two, LINES("y = Gelu(x) approximate='none'"), 20, 2);
    assert_inputs(2, rows_of_two, LINES("y = Elu(x) alpha~0.5"), 13, 2);
    assert_inputs(2, rows_of_two, LINES("y = Gemm(x, wt) transB~1"), 13, 2);
    assert_inputs(2, rows_of_two, LINES("y = Transpose(x) perm=[0,1]"), 13, 2);
}

static void test_onnx_constants_of_another_type_are_refused(void **state) {
    (void)state;
    static const refusal refusals[] = {
        {{"y = MatMul(x, rows_rest)"},
         AT "node 0 (MatMul): its input 1 is int64[2], and the value is of float",
         TNN_BAD_FORMAT},
        {{"c = Cast(wt) to=11", "y = Gemm(x, c) transB=1"},
         AT "node 1 (Gemm): its input 1 is double[3, 2], and the value is of float",
         TNN_BAD_FORMAT},
        {{"y = Gemm(x, w, three)"},
         AT "node 0 (Gemm): its input 2 is int64[1], and the value is of float",
         TNN_BAD_FORMAT},
        {{"y = Add(three, x)"},
         AT "node 0 (Add): its input 0 is int64[1], and the value is of float",
         TNN_BAD_FORMAT},
        {{"d = Cast(x) to=11", "y = Mul(d, half)"},
         AT "node 1 (Mul): its input 1 is float[], and the value is of double",
         TNN_BAD_FORMAT},
        {{"d = Cast(x) to=11", "i = Identity(d)", "y = Mul(i, half)"},
         AT "node 2 (Mul): its input 1 is float[], and the value is of double",
         TNN_BAD_FORMAT},
        {{"d = Cast(x) to=11", "r = Relu(d)", "y = Clip(r, zero)"},
         AT "node 2 (Clip): its input 1 is float[], and the value is of double",
         TNN_BAD_FORMAT},
        {{"y = Reshape(x, s2)"},
         AT "node 0 (Reshape): its input 1 is float[2], expected int64",
         TNN_BAD_FORMAT},
        {{"y = Clip(x) min=0.0"},
         AT
         "node 0 (Clip): the attribute \"min\" is of versions of ONNX's operators before 11, and "
         "the model of 13",
         TNN_BAD_FORMAT},
        {{"y = Squeeze(x) axes=[0]"},
         AT
         "node 0 (Squeeze): the attribute \"axes\" is of versions of ONNX's operators before 13, "
         "and the model of 13",
         TNN_BAD_FORMAT},
    };
    assert_refusals(refusals, COUNT_OF(refusals));
    tnn_net_destroy(net_of(LINES(
        "z = MatMul(x, w)", "d = Cast(z) to=11", "s = Sigmoid(d)", "f = Cast(s) to=1",
        "y = Mul(f, z)")));
}

static void test_onnx_graphs_that_make_no_sense_are_refused(void **state) {
    (void)state;
    static const refusal refusals[] = {
        {{"y = Relu(nobody)"},
         AT "node 0 (Relu): its input \"nobody\" comes from nowhere",
         TNN_BAD_FORMAT},
        {{"y = Relu(z)", "z = Tanh(x)"},
         AT "node 0 (Relu): its input \"z\" is computed behind it",
         TNN_BAD_FORMAT},
        {{"y = Relu(y)"},
         AT "node 0 (Relu): its input \"y\" is computed behind it",
         TNN_BAD_FORMAT},
        {{"z = Relu(x)", "z = Tanh(x)", "y = Relu(z)"},
         AT "two values of the name \"z\"",
         TNN_BAD_FORMAT},
        {{"z = Relu(x)"}, AT "nothing computes the output \"y\"", TNN_BAD_FORMAT},
        {{"w = Relu(x)", "y = Relu(x)"}, AT "two values of the name \"w\"", TNN_BAD_FORMAT},
        {{"y = Relu()"}, AT "node 0 (Relu): of constants alone", 0},
        {{"y = Reshape(x, two_three)"},
         AT "node 0 (Reshape): it cannot be shown to leave the elements of a row together",
         0},
        {{"c = Reshape(b, two_three)", "y = Gemm(x, c)"},
         AT "node 0 (Reshape): float[3] in a shape that does not have as many elements",
         TNN_BAD_FORMAT},
    };
    assert_refusals(refusals, COUNT_OF(refusals));
}

static void test_onnx_another_input_or_output_is_refused(void **state) {
    (void)state;
    onnx_file graph = {0};
    add_input(&graph, "x", TNNI_ONNX_FLOAT, 2, rows_of_two);
    add_input(&graph, "other", TNNI_ONNX_FLOAT, 2, rows_of_two);
    add_output(&graph, "y");
    add_node(&graph, "y = Add(x, other)");
    onnx_file model = finish_model(&graph, 13);
    assert_refused_with(
        &model, TNN_UNSUPPORTED,
        AT "node 0 (Add): \"other\" is another input of the model, a net has one");
    add_input(&graph, "x", TNNI_ONNX_FLOAT, 2, rows_of_two);
    add_output(&graph, "y");
    add_output(&graph, "z");
    add_node(&graph, "y = Relu(x)");
    add_node(&graph, "z = Tanh(y)");
    model = finish_model(&graph, 13);
    assert_refused_with(
        &model, TNN_UNSUPPORTED, AT "node 1 (Tanh): a second output, \"z\", of 2, a net has one");
    add_input(&graph, "x", TNNI_ONNX_FLOAT, 2, rows_of_two);
    add_output(&graph, "c");
    add_tensor(&graph, "c", 0, NULL, numbers);
    model = finish_model(&graph, 13);
    assert_refused_with(&model, TNN_UNSUPPORTED, AT "the graph: the output \"c\" is a constant");
    model = written(2, (const int64_t[]){0, 0}, LINES("z = Neg(x)", "y = Relu(z)"), 13);
    assert_refused_with(
        &model, TNN_UNSUPPORTED, AT "node 1 (Relu): the model does not tell the number of columns");
    model =
        written(2, rows_of_two, LINES("z = MatMul(x, w)", "c = Mul(z, huge)", "y = Relu(c)"), 13);
    assert_refused_with(
        &model, TNN_UNSUPPORTED,
        AT "node 0 (MatMul): layer 0 has a weight beyond the range of float");
    add_input(&graph, "x", TNNI_ONNX_INT64, 2, rows_of_two);
    add_output(&graph, "y");
    add_node(&graph, "y = Relu(x)");
    model = finish_model(&graph, 13);
    assert_refused_with(
        &model, TNN_UNSUPPORTED, AT "the input is of int64, expected float, double or float16");
}

/* A tensor named t in some odd state, used by a product. */
static void assert_tensor_refused(
    TnniOnnx__TensorProto *tensor, tnn_status status, const char *message) {
    unsigned char packed[400];
    char name[] = "t";
    onnx_file graph = {0};
    tensor->name = name;
    add_input(&graph, "x", TNNI_ONNX_FLOAT, 2, rows_of_two);
    add_output(&graph, "y");
    append_field(&graph, 5, packed, tnni_onnx__tensor_proto__pack(tensor, packed));
    add_node(&graph, "y = MatMul(x, t)");
    onnx_file model = finish_model(&graph, 13);
    assert_refused_with(&model, status, message);
}

#define TENSOR AT "node 0 (MatMul): tensor \"t\" "

static void test_onnx_tensors_that_are_not_there_are_refused(void **state) {
    (void)state;
    uint8_t bytes[8] = {0};
    int64_t dims[] = {2, 1, 1, 1, 1, 1, 1, 1, 1};
    int64_t huge[] = {INT64_C(1) << 40, INT64_C(1) << 40};
    TnniOnnx__TensorProto tensor = TNNI_ONNX__TENSOR_PROTO__INIT;
    tensor.n_dims = 2;
    tensor.dims = dims;
    tensor.has_data_type = true;
    tensor.data_type = TNNI_ONNX_FLOAT;
    tensor.has_raw_data = true;
    tensor.raw_data = (ProtobufCBinaryData){7, bytes};
    assert_tensor_refused(&tensor, TNN_BAD_FORMAT, TENSOR "is float[2, 1], but has 7 bytes");
    tensor.raw_data.len = 0;
    assert_tensor_refused(&tensor, TNN_BAD_FORMAT, TENSOR "is float[2, 1], but has 0 bytes");
    tensor.has_raw_data = false;
    assert_tensor_refused(&tensor, TNN_BAD_FORMAT, TENSOR "is float[2, 1], but has 0 elements");
    tensor.data_type = 16;
    assert_tensor_refused(
        &tensor, TNN_UNSUPPORTED,
        TENSOR "is of bfloat16, expected float, double, float16, int32, int64 or bool");
    tensor.data_type = TNNI_ONNX_FLOAT;
    tensor.n_dims = 9;
    assert_tensor_refused(&tensor, TNN_UNSUPPORTED, TENSOR "has 9 dimensions, expected at most 8");
    tensor.n_dims = 2;
    tensor.dims = huge;
    assert_tensor_refused(
        &tensor, TNN_BAD_FORMAT,
        TENSOR "is float[1099511627776, 1099511627776], more than fits in memory");
    tensor.dims = dims;
    dims[0] = -2;
    assert_tensor_refused(
        &tensor, TNN_BAD_FORMAT, TENSOR "has the dimension -2, expected at least 0");
    dims[0] = 2;
    tensor.has_data_location = true;
    tensor.data_location = 1;
    assert_tensor_refused(
        &tensor, TNN_UNSUPPORTED,
        TENSOR "is stored in a file of its own, which is not read: save the model with its weights "
               "inside");
}

static void test_onnx_older_operators_are_refused_unless_they_are_the_same(void **state) {
    (void)state;
    onnx_file model = written(2, rows_of_two, LINES("y = Relu(x)"), 5);
    assert_refused_with(
        &model, TNN_UNSUPPORTED,
        AT "node 0 (Relu): of version 5 of ONNX's operators, expected 6 or later");
    model = written(2, rows_of_two, LINES("y = Dropout(x)"), 6);
    assert_refused_with(
        &model, TNN_UNSUPPORTED, AT "node 0 (Dropout): in training mode, which draws at random");
    assert_inputs(2, rows_of_two, LINES("y = Dropout(x) is_test=1"), 6, 2);
    assert_inputs(2, rows_of_two, LINES("y = Softplus(x)"), 1, 2);
    assert_inputs(2, rows_of_two, LINES("y = Clip(x) min=-1.0 max=1.0"), 7, 2);
    assert_inputs(2, rows_of_two, LINES("y = Gelu(x)"), 20, 2);
}

/* ---- Arguments and limits -------------------------------------------------------------------- */

static void test_onnx_load_checks_its_arguments(void **state) {
    (void)state;
    const tnn_allocator half_an_allocator = {0};
    const tnn_net_options net_options = {.allocator = &half_an_allocator};
    const tnn_load_options options = {.net = &net_options};
    tnn_net *net = (tnn_net *)(uintptr_t)1;
    assert_status(tnn_onnx_load(NULL, "x", NULL), TNN_INVALID_ARGUMENT);
    assert_string_equal(tnn_error_message(), "tnn_onnx_load: net is NULL");
    assert_status(tnn_onnx_load(&net, NULL, NULL), TNN_INVALID_ARGUMENT);
    assert_string_equal(tnn_error_message(), "tnn_onnx_load: path is NULL");
    assert_null(net);
    assert_status(tnn_onnx_load(&net, "no such file", NULL), TNN_IO_ERROR);
    assert_status(tnn_onnx_load_from_memory(NULL, "", 0, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_onnx_load_from_memory(&net, NULL, 0, NULL), TNN_INVALID_ARGUMENT);
    assert_string_equal(tnn_error_message(), "tnn_onnx_load_from_memory: data is NULL");
    net = (tnn_net *)(uintptr_t)1;
    assert_status(tnn_onnx_load_from_memory(&net, "", 0, &options), TNN_INVALID_ARGUMENT);
    assert_null(net);
    assert_status(tnn_onnx_load_from_memory(&net, "", 0, NULL), TNN_BAD_FORMAT);
    assert_string_equal(tnn_error_message(), AT "a model without a graph");
    assert_status(tnn_onnx_load_from_memory(&net, "GGUF", 4, NULL), TNN_BAD_FORMAT);
    assert_string_equal(tnn_error_message(), AT "no ONNX model, or a damaged one");
}

static void test_onnx_save_checks_its_arguments(void **state) {
    (void)state;
    unsigned char small[10];
    size_t bytes = 7;
    const tnn_layer layer = {.units = 2};
    tnn_net *net = new_net(3, &layer, 1, NULL);
    assert_status(tnn_onnx_save(NULL, "x"), TNN_INVALID_ARGUMENT);
    assert_string_equal(tnn_error_message(), "tnn_onnx_save: net is NULL");
    assert_status(tnn_onnx_save(net, NULL), TNN_INVALID_ARGUMENT);
    assert_string_equal(tnn_error_message(), "tnn_onnx_save: path is NULL");
    assert_status(tnn_onnx_save(net, "no/such/folder/x"), TNN_IO_ERROR);
    assert_status(tnn_onnx_save_to_memory(NULL, NULL, 0, &bytes), TNN_INVALID_ARGUMENT);
    assert_status(tnn_onnx_save_to_memory(net, NULL, 0, NULL), TNN_INVALID_ARGUMENT);
    memset(small, 5, sizeof small);
    assert_status(tnn_onnx_save_to_memory(net, small, sizeof small, &bytes), TNN_INVALID_ARGUMENT);
    assert_true(bytes > sizeof small);
    for (size_t i = 0; i < sizeof small; i++)
        assert_int_equal(small[i], 5);
    tnn_net_destroy(net);
}

static void test_onnx_custom_activation_is_refused_by_name(void **state) {
    (void)state;
    size_t bytes = 7;
    tnn_net *net = new_sample_net(1);
    assert_status(tnn_onnx_save_to_memory(net, NULL, 0, &bytes), TNN_UNSUPPORTED);
    assert_string_equal(
        tnn_error_message(),
        "tnn_onnx_save_to_memory: layer 1 has the activation \"bend\", which ONNX has no operator "
        "for");
    assert_int_equal(bytes, 7);
    tnn_net_destroy(net);
}

static void assert_limit(tnn_load_limits limits, const char *message) {
    const tnn_load_options options = {.limits = limits};
    onnx_file model =
        written(2, rows_of_two, LINES("z = Gemm(x, w, b)", "a = Tanh(z)", "y = Relu(a)"), 13);
    tnn_net *net = NULL;
    if (limits.total_bytes == 1)
        limits.total_bytes = model.count;
    tnn_status status = tnn_onnx_load_from_memory(&net, model.bytes, model.count, &options);
    assert_status(status, message ? TNN_UNSUPPORTED : TNN_OK);
    if (message)
        assert_string_equal(tnn_error_message(), message);
    assert_true(!net == (message != NULL));
    tnn_net_destroy(net);
    free_onnx_file(&model);
}

static void test_onnx_limit_is_kept_and_named(void **state) {
    (void)state;
    assert_limit((tnn_load_limits){.parameters = 18, .layers = 2, .units = 3}, NULL);
    assert_limit(
        (tnn_load_limits){.parameters = 17},
        AT "node 2 (Relu): more parameters in layers 0 to 1 than limits.parameters, 17");
    assert_limit(
        (tnn_load_limits){.layers = 1}, AT "node 2 (Relu): more layers than limits.layers, 1");
    assert_limit(
        (tnn_load_limits){.units = 2}, AT "node 0 (Gemm): 3 units, more than limits.units, 2");
    tnn_net *net = NULL;
    const tnn_load_options options = {.limits = {.total_bytes = 9}};
    assert_status(tnn_onnx_load_from_memory(&net, "0123456789", 10, &options), TNN_UNSUPPORTED);
    assert_string_equal(
        tnn_error_message(),
        "tnn_onnx_load_from_memory: 10 bytes, more than limits.total_bytes, 9");
}

/* Seconds of the processor that it takes to load a scaling of so many columns by a vector, and so
 * many nodes that change all of them by one number. */
static double seconds_of_scaling(size_t columns, size_t nodes) {
    const int64_t dims[] = {0, (int64_t)columns};
    char line[80];
    onnx_file graph = {0};
    float *values = malloc(columns * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < columns; i++)
        values[i] = 1.0f;
    add_input(&graph, "x", TNNI_ONNX_FLOAT, 2, dims);
    add_output(&graph, "y");
    add_tensor(&graph, "k", 1, dims + 1, values);
    add_node(&graph, "v0 = Add(x, k)");
    for (size_t i = 0; i < nodes; i++) {
        snprintf(line, sizeof line, "v%zu = Neg(v%zu)", i + 1, i);
        add_node(&graph, line);
    }
    snprintf(line, sizeof line, "y = MatMul(v%zu, k)", nodes);
    add_node(&graph, line);
    onnx_file model = finish_model(&graph, 13);
    clock_t begin = clock();
    tnn_net_destroy(loaded_model(&model));
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    free(values);
    free_onnx_file(&model);
    return seconds;
}

/* Columns and nodes take time, their product does not: 4000 nodes of 50,000 columns are about what
 * both are on their own, and would be some 50 times as much. */
static void test_onnx_load_takes_time_by_the_bytes(void **state) {
    (void)state;
    double columns = seconds_of_scaling(50000, 1);
    double nodes = seconds_of_scaling(2, 4000);
    double both = seconds_of_scaling(50000, 4000);
    if (both > 5 * (columns + nodes) + 0.01)
        fail_msg("columns %g s, nodes %g s, but both %g s", columns, nodes, both);
}

/* Nothing stands behind the weights of such a layer. */
static void test_onnx_unit_weights_have_a_limit_of_their_own(void **state) {
    (void)state;
    const int64_t wide[] = {0, 5000};
    onnx_file model = written(2, wide, LINES("y = Relu(x)"), 13);
    assert_refused_with(
        &model, TNN_UNSUPPORTED,
        AT "node 0 (Relu): layer 0, an activation or scaling of 5000 columns without a product "
           "before it, would "
           "take 25000000 weights, and there are to be at most 16777216 of that kind");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_onnx_pytorch_models_give_its_outputs),
        cmocka_unit_test(test_onnx_pytorch_scaling_becomes_that_of_the_net),
        cmocka_unit_test(test_onnx_every_activation_comes_back),
        cmocka_unit_test(test_onnx_wide_and_deep_nets_come_back),
        cmocka_unit_test(test_onnx_parameters_that_are_not_finite_come_back),
        cmocka_unit_test(test_onnx_file_has_the_bytes_of_memory),
        cmocka_unit_test(test_onnx_product_is_the_same_in_every_form),
        cmocka_unit_test(test_onnx_scaling_is_the_same_in_every_form),
        cmocka_unit_test(test_onnx_activation_is_the_same_in_every_form),
        cmocka_unit_test(test_onnx_attribute_without_its_value_is_zero),
        cmocka_unit_test(test_onnx_product_has_the_weights_of_the_model),
        cmocka_unit_test(test_onnx_activations_in_a_row_change_no_bit),
        cmocka_unit_test(test_onnx_nothing_at_all_is_a_layer_of_unit_weights),
        cmocka_unit_test(test_onnx_scaling_between_activations_is_a_layer),
        cmocka_unit_test(test_onnx_scaling_subtracts_first_without_a_product),
        cmocka_unit_test(test_onnx_scaling_by_product_and_sum_loses_nothing),
        cmocka_unit_test(test_onnx_scale_that_floats_come_not_near_is_none),
        cmocka_unit_test(test_onnx_rows_are_what_the_nodes_take_for_them),
        cmocka_unit_test(test_onnx_constants_leave_open_what_a_row_is),
        cmocka_unit_test(test_onnx_constants_repeat_in_a_longer_row),
        cmocka_unit_test(test_onnx_rows_of_two_kinds_are_refused),
        cmocka_unit_test(test_onnx_value_without_dimensions_is_no_row),
        cmocka_unit_test(test_onnx_weights_of_every_type_are_read),
        cmocka_unit_test(test_onnx_other_operators_are_refused_by_name),
        cmocka_unit_test(test_onnx_branches_are_refused),
        cmocka_unit_test(test_onnx_products_of_other_kinds_are_refused),
        cmocka_unit_test(test_onnx_activations_of_other_kinds_are_refused),
        cmocka_unit_test(test_onnx_attributes_of_another_type_are_refused),
        cmocka_unit_test(test_onnx_constants_of_another_type_are_refused),
        cmocka_unit_test(test_onnx_graphs_that_make_no_sense_are_refused),
        cmocka_unit_test(test_onnx_another_input_or_output_is_refused),
        cmocka_unit_test(test_onnx_tensors_that_are_not_there_are_refused),
        cmocka_unit_test(test_onnx_older_operators_are_refused_unless_they_are_the_same),
        cmocka_unit_test(test_onnx_load_checks_its_arguments),
        cmocka_unit_test(test_onnx_save_checks_its_arguments),
        cmocka_unit_test(test_onnx_custom_activation_is_refused_by_name),
        cmocka_unit_test(test_onnx_limit_is_kept_and_named),
        cmocka_unit_test(test_onnx_load_takes_time_by_the_bytes),
        cmocka_unit_test(test_onnx_unit_weights_have_a_limit_of_their_own),
    };
    return cmocka_run_group_tests_name("onnx", tests, NULL, NULL);
}
