/*
 * test_net.c: sizes, the flat vectors and their views, options, clones, and nets that are deep or
 * wide.
 */
#include "support/test_nets.h"

#include <math.h>
#include <string.h>

/* 3 - 4 - 2 - 5, no biases on the second layer. */
enum { INPUTS = 3, OUTPUTS = 5, PARAMETERS = 3 * 4 + 4 + 4 * 2 + 2 * 5 + 5 };

static tnn_net *new_small_net(const tnn_net_options *options) {
    const tnn_layer layers[] = {
        {.units = 4, .activation = tnn_tanh()},
        {.units = 2, .activation = tnn_relu(), .no_bias = true},
        {.units = 5, .activation = tnn_softmax()}};
    return new_net(INPUTS, layers, 3, options);
}

/* ---- Shape ----------------------------------------------------------------------------------- */

static void test_net_tells_its_sizes(void **state) {
    (void)state;
    tnn_net *net = new_small_net(NULL);
    assert_int_equal(tnn_net_inputs(net), INPUTS);
    assert_int_equal(tnn_net_outputs(net), OUTPUTS);
    assert_int_equal(tnn_net_layer_count(net), 3);
    assert_int_equal(tnn_net_units(net, 0), 4);
    assert_int_equal(tnn_net_units(net, 1), 2);
    assert_int_equal(tnn_net_units(net, 2), 5);
    assert_int_equal(tnn_net_parameter_count(net), PARAMETERS);
    tnn_net_destroy(net);
}

static void test_net_layer_is_what_create_was_given(void **state) {
    (void)state;
    bend_context context = {.linear = 1};
    const tnn_layer layers[] = {
        {.units = 3, .activation = tnn_leaky_relu(0.25f), .no_bias = true, .dropout = 0.5f},
        {.units = 2, .activation = bend(0.5f, &context), .initializer = tnn_constant(1)},
        {.units = 1},
    };
    tnn_net *net = new_net(4, layers, 3, NULL);
    for (size_t l = 0; l < 3; l++) {
        const tnn_layer told = tnn_net_layer(net, l);
        assert_int_equal(told.units, layers[l].units);
        assert_int_equal(told.no_bias, layers[l].no_bias);
        assert_true(told.dropout == layers[l].dropout);
        assert_true(told.activation.parameter == layers[l].activation.parameter);
        assert_ptr_equal(told.activation.context, layers[l].activation.context);
        assert_null(told.initializer.vtable);
    }
    assert_ptr_equal(tnn_net_layer(net, 0).activation.vtable, layers[0].activation.vtable);
    assert_ptr_equal(tnn_net_layer(net, 1).activation.vtable, layers[1].activation.vtable);
    assert_ptr_equal(tnn_net_layer(net, 2).activation.vtable, tnn_identity().vtable);
    assert_int_equal(tnn_net_layer(net, 3).units, 0);
    assert_non_null(strstr(tnn_error_message(), "tnn_net_layer"));
    assert_int_equal(tnn_net_layer(NULL, 0).units, 0);
    tnn_net_destroy(net);
}

static void test_net_of_one_weight_is_the_smallest(void **state) {
    (void)state;
    const tnn_layer layer = {.units = 1, .initializer = tnn_constant(3), .no_bias = true};
    const float x[] = {2};
    float y;
    tnn_net *net = new_net(1, &layer, 1, NULL);
    assert_int_equal(tnn_net_parameter_count(net), 1);
    assert_ok(tnn_forward(net, 1, x, &y));
    assert_true(y == 6);
    tnn_net_destroy(net);
}

static void test_net_parameters_lie_layer_by_layer_weights_before_biases(void **state) {
    (void)state;
    tnn_net *net = new_small_net(NULL);
    float *flat = tnn_net_parameters(net);
    assert_ptr_equal(tnn_net_read_parameters(net), flat);
    assert_ptr_equal(tnn_net_weights(net, 0), flat);
    assert_ptr_equal(tnn_net_biases(net, 0), flat + 12);
    assert_ptr_equal(tnn_net_weights(net, 1), flat + 16);
    assert_null(tnn_net_biases(net, 1));
    assert_ptr_equal(tnn_net_weights(net, 2), flat + 24);
    assert_ptr_equal(tnn_net_biases(net, 2), flat + 34);
    tnn_net_destroy(net);
}

/* z_u = sum_i x_i weights[i, u] + biases[u]: rows of weights are inputs. */
static void test_net_weights_have_a_row_for_each_input(void **state) {
    (void)state;
    const tnn_layer layer = {.units = 2};
    const float x[] = {100, 10, 1};
    const float parameters[] = {1, 2, 3, 4, 5, 6, 0.5f, 0.25f};
    float y[2];
    tnn_net *net = new_net(3, &layer, 1, NULL);
    memcpy(tnn_net_parameters(net), parameters, sizeof parameters);
    assert_ok(tnn_forward(net, 1, x, y));
    assert_true(y[0] == 135.5f && y[1] == 246.25f);
    tnn_net_destroy(net);
}

static void test_net_gradients_have_the_layout_of_the_parameters(void **state) {
    (void)state;
    const tnn_layer layers[] = {{.units = 2}, {.units = 1}};
    const float parameters[] = {1, 2, 3, 4, 0.5f, 0.25f, 7, -1, 0.125f};
    const float x[] = {10, 1}, output_gradient[] = {2};
    tnn_net *net = new_net(2, layers, 2, NULL);
    memcpy(tnn_net_parameters(net), parameters, sizeof parameters);
    assert_ok(tnn_forward(net, 1, x, NULL));
    assert_ok(tnn_backward_from(net, output_gradient, NULL));
    /* The first layer puts out 13.5 and 24.25; its deltas are 2 * 7 and 2 * -1. */
    const float expected[] = {140, -20, 14, -2, 14, -2, 27, 48.5f, 2};
    assert_same_bits(tnn_net_gradients(net), expected, 9);
    tnn_net_destroy(net);
}

static void test_net_biases_and_gradients_start_at_0(void **state) {
    (void)state;
    tnn_net *net = new_small_net(NULL);
    assert_all_zero(tnn_net_biases(net, 0), 4);
    assert_all_zero(tnn_net_biases(net, 2), 5);
    assert_all_zero(tnn_net_gradients(net), PARAMETERS);
    tnn_net_destroy(net);
}

/* ---- Life ------------------------------------------------------------------------------------ */

static void train_some(tnn_net *net, int steps) {
    const float x[] = {0.5f, -1, 0.25f, 1, 1, -0.5f};
    const uint32_t classes[] = {3, 0};
    const tnn_dataset batch = {.rows = 2, .x = x, .classes = classes};
    tnn_optimizer *optimizer = new_optimizer(net, 0.25f);
    for (int i = 0; i < steps; i++)
        assert_ok(tnn_train(net, optimizer, tnn_cross_entropy(), &batch, NULL));
    tnn_optimizer_destroy(optimizer);
}

static void test_net_parameters_never_move(void **state) {
    (void)state;
    tnn_net *net = new_small_net(NULL);
    float *parameters = tnn_net_parameters(net);
    train_some(net, 1);
    assert_ok(tnn_net_reserve(net, 1000));
    train_some(net, 1);
    assert_ptr_equal(tnn_net_parameters(net), parameters);
    tnn_net_destroy(net);
}

static void test_net_parameters_take_effect_when_written_between_calls(void **state) {
    (void)state;
    const float x[] = {1, 2, 3};
    float y[OUTPUTS], predicted[OUTPUTS];
    tnn_net *net = new_small_net(NULL);
    tnn_workspace *workspace = new_workspace(net, 1);
    for (int round = 1; round <= 3; round++) {
        memset(tnn_net_parameters(net), 0, PARAMETERS * sizeof(float));
        for (size_t i = 0; i < OUTPUTS; i++)
            tnn_net_biases(net, 2)[i] = i == (size_t)round ? 1000 : 0;
        assert_ok(tnn_forward(net, 1, x, y));
        assert_ok(tnn_predict(net, workspace, 1, x, predicted));
        for (size_t i = 0; i < OUTPUTS; i++)
            assert_true(y[i] == (i == (size_t)round) && predicted[i] == y[i]);
    }
    tnn_workspace_destroy(workspace);
    tnn_net_destroy(net);
}

/* Everything but vtables, contexts, allocator and executor is copied. */
static void test_net_keeps_nothing_of_what_create_was_given(void **state) {
    (void)state;
    tnn_layer layers[] = {{.units = 4, .activation = tnn_leaky_relu(0.125f)}, {.units = 2}};
    char kernels[] = "portable";
    tnn_net_options options = {.seed = 3, .kernels = kernels};
    tnn_net *net = new_net(INPUTS, layers, 2, &options), *expected = new_clone(net);
    memset(layers, 0xff, sizeof layers);
    memset(&options, 0xff, sizeof options);
    memset(kernels, 'x', sizeof kernels - 1);
    const float x[] = {-1, 2, -3, 0.5f, 0.25f, 1};
    float y[4], expected_y[4];
    assert_ok(tnn_forward(net, 2, x, y));
    assert_ok(tnn_forward(expected, 2, x, expected_y));
    assert_same_bits(y, expected_y, 4);
    assert_string_equal(tnn_net_kernel_name(net), "portable");
    tnn_net_destroy(net);
    tnn_net_destroy(expected);
}

/* ---- Options --------------------------------------------------------------------------------- */

static void test_net_options_null_are_those_of_zero(void **state) {
    (void)state;
    const tnn_net_options zero = {0};
    tnn_net *by_null = new_small_net(NULL), *by_zero = new_small_net(&zero);
    assert_same_net(by_null, by_zero);
    assert_string_equal(tnn_net_kernel_name(by_null), tnn_net_kernel_name(by_zero));
    tnn_net_destroy(by_null);
    tnn_net_destroy(by_zero);
}

static void test_net_seed_decides_the_weights(void **state) {
    (void)state;
    tnn_net *one = new_small_net(&(tnn_net_options){.seed = 1});
    tnn_net *same = new_small_net(&(tnn_net_options){.seed = 1});
    tnn_net *other = new_small_net(&(tnn_net_options){.seed = 2});
    assert_same_net(one, same);
    assert_true(tnn_net_parameters(one)[0] != tnn_net_parameters(other)[0]);
    tnn_net_destroy(one);
    tnn_net_destroy(same);
    tnn_net_destroy(other);
}

static void test_net_kernels_are_those_of_the_option(void **state) {
    (void)state;
    for (size_t i = 0; i < KERNEL_TABLES; i++) {
        const tnn_net_options options = {.kernels = kernel_names[i]};
        if (!kernels_are_available(kernel_names[i]))
            continue;
        tnn_net *net = new_small_net(&options);
        assert_string_equal(tnn_net_kernel_name(net), kernel_names[i]);
        train_some(net, 2);
        tnn_net_destroy(net);
    }
}

static void test_net_kernels_are_the_best_without_an_option(void **state) {
    (void)state;
    size_t best = 0;
    while (!kernels_are_available(kernel_names[best]))
        best++;
    tnn_net *net = new_small_net(NULL);
    assert_string_equal(tnn_net_kernel_name(net), kernel_names[best]);
    tnn_net_destroy(net);
}

/* The net is too small to be divided, whatever was asked for. */
static void test_net_threads_may_be_any_number(void **state) {
    (void)state;
    static const unsigned threads[] = {0, 1, 2, 7, 1000, UINT32_MAX};
    tnn_net *expected = new_small_net(NULL);
    train_some(expected, 3);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        tnn_net *net = new_small_net(&(tnn_net_options){.threads = threads[i]});
        train_some(net, 3);
        assert_same_net(net, expected);
        tnn_net_destroy(net);
    }
    tnn_net_destroy(expected);
}

/* ---- Clone ----------------------------------------------------------------------------------- */

static void test_net_clone_has_the_same_layers_parameters_and_kernels(void **state) {
    (void)state;
    const tnn_net_options options = {.kernels = "portable"};
    tnn_net *net = new_small_net(&options);
    train_some(net, 3);
    tnn_net *copy = new_clone(net);
    assert_int_equal(tnn_net_inputs(copy), INPUTS);
    assert_int_equal(tnn_net_layer_count(copy), 3);
    for (size_t l = 0; l < 3; l++)
        assert_int_equal(tnn_net_units(copy, l), tnn_net_units(net, l));
    assert_null(tnn_net_biases(copy, 1));
    assert_string_equal(tnn_net_kernel_name(copy), "portable");
    assert_same_net(copy, net);
    train_some(net, 3);
    train_some(copy, 3);
    assert_same_net(copy, net);
    tnn_net_destroy(copy);
    tnn_net_destroy(net);
}

static void test_net_clone_is_independent_and_outlives_the_original(void **state) {
    (void)state;
    tnn_net *net = new_small_net(NULL), *same = new_small_net(NULL);
    tnn_net *copy = new_clone(net);
    assert_ptr_not_equal(tnn_net_parameters(copy), tnn_net_parameters(net));
    train_some(net, 3);
    assert_same_net(copy, same);
    tnn_net_destroy(net);
    train_some(copy, 2);
    train_some(same, 2);
    assert_same_net(copy, same);
    tnn_net_destroy(copy);
    tnn_net_destroy(same);
}

static void test_net_clone_has_no_gradients_and_no_pending_forward(void **state) {
    (void)state;
    const float x[] = {1, 2, 3}, target[] = {0, 1, 0, 0, 0};
    tnn_net *net = new_small_net(NULL);
    assert_ok(tnn_forward(net, 1, x, NULL));
    assert_ok(tnn_backward(net, tnn_cross_entropy(), target, NULL));
    assert_ok(tnn_forward(net, 1, x, NULL));
    tnn_net *copy = new_clone(net);
    assert_all_zero(tnn_net_gradients(copy), PARAMETERS);
    assert_status(tnn_backward(copy, tnn_cross_entropy(), target, NULL), TNN_BAD_STATE);
    assert_ok(tnn_backward(net, tnn_cross_entropy(), target, NULL));
    tnn_net_destroy(copy);
    tnn_net_destroy(net);
}

/* Dropout is a function of the seed and the count of passes: a clone goes on where the net is. */
static void test_net_clone_goes_on_with_the_same_dropout(void **state) {
    (void)state;
    enum { UNITS = 50 };
    const tnn_layer layer = {.units = UNITS, .dropout = 0.5f};
    const float x[] = {1};
    float y[UNITS], copied_y[UNITS], first_y[UNITS];
    tnn_net *net = new_net(1, &layer, 1, &(tnn_net_options){.seed = 5});
    assert_ok(tnn_forward(net, 1, x, first_y));
    assert_ok(tnn_forward(net, 1, x, y));
    tnn_net *copy = new_clone(net);
    for (int pass = 0; pass < 3; pass++) {
        assert_ok(tnn_forward(net, 1, x, y));
        assert_ok(tnn_forward(copy, 1, x, copied_y));
        assert_same_bits(copied_y, y, UNITS);
        assert_memory_not_equal(y, first_y, sizeof y);
    }
    tnn_net_destroy(copy);
    tnn_net_destroy(net);
}

/* ---- Deep and wide --------------------------------------------------------------------------- */

/* Each layer turns a row of three by one place and adds 1 to it all. */
static void test_net_may_have_hundreds_of_layers(void **state) {
    (void)state;
    enum { LAYERS = 700, WIDTH = 3 };
    static tnn_layer layers[LAYERS];
    for (size_t l = 0; l < LAYERS; l++)
        layers[l] = (tnn_layer){.units = WIDTH, .initializer = tnn_constant(0)};
    tnn_net *net = new_net(WIDTH, layers, LAYERS, NULL);
    assert_int_equal(tnn_net_layer_count(net), LAYERS);
    assert_int_equal(tnn_net_parameter_count(net), LAYERS * (WIDTH * WIDTH + WIDTH));
    for (size_t l = 0; l < LAYERS; l++) {
        for (size_t u = 0; u < WIDTH; u++) {
            tnn_net_weights(net, l)[u * WIDTH + (u + 1) % WIDTH] = 1;
            tnn_net_biases(net, l)[u] = 1;
        }
    }
    const float x[] = {10, 20, 30}, output_gradient[] = {1, 2, 3};
    float y[WIDTH], predicted[WIDTH], input_gradient[WIDTH];
    tnn_workspace *workspace = new_workspace(net, 1);
    assert_ok(tnn_predict(net, workspace, 1, x, predicted));
    assert_ok(tnn_forward(net, 1, x, y));
    assert_ok(tnn_backward_from(net, output_gradient, input_gradient));
    for (size_t u = 0; u < WIDTH; u++) {
        size_t to = (u + LAYERS) % WIDTH;
        assert_true(y[to] == x[u] + LAYERS && predicted[to] == y[to]);
        assert_true(input_gradient[u] == output_gradient[to]);
    }
    /* The first layer's biases get the output's gradient, turned back by the other layers. */
    const float *gradients = tnn_net_gradients(net);
    for (size_t u = 0; u < WIDTH; u++)
        assert_true(gradients[WIDTH * WIDTH + u] == output_gradient[(u + LAYERS - 1) % WIDTH]);
    tnn_workspace_destroy(workspace);
    tnn_net_destroy(net);
}

/* Integers, so that sums of thousands are exact. */
static void test_net_layers_may_be_thousands_wide(void **state) {
    (void)state;
    enum { WIDTH = 5000, ROWS = 3 };
    const tnn_layer layers[] = {
        {.units = WIDTH, .activation = tnn_relu(), .initializer = tnn_constant(0)},
        {.units = 2, .initializer = tnn_constant(1)}};
    tnn_net *net = new_net(1, layers, 2, NULL);
    for (size_t u = 0; u < WIDTH; u++)
        tnn_net_weights(net, 0)[u] = (float)((int)(u % 5) - 2);
    const float x[ROWS] = {1, -2, 3}, output_gradient[ROWS * 2] = {1, 0, 0, 1, 1, 1};
    float y[ROWS * 2];
    assert_ok(tnn_forward(net, ROWS, x, y));
    for (size_t r = 0; r < ROWS; r++) {
        /* Two in five are positive, together 3 times |x|. */
        float expected = 3 * fabsf(x[r]) * WIDTH / 5;
        assert_true(y[2 * r] == expected && y[2 * r + 1] == expected);
    }
    assert_ok(tnn_backward_from(net, output_gradient, NULL));
    const float *gradients = tnn_net_gradients(net);
    for (size_t u = 0; u < WIDTH; u++) {
        float weight = tnn_net_weights(net, 0)[u];
        /* Rows 0 and 2 are alive where the weight is positive, row 1 where it is negative. */
        float expected = weight > 0 ? 1.0f * 1 + 3.0f * 2 : weight < 0 ? -2.0f : 0.0f;
        assert_true(gradients[u] == expected);
    }
    tnn_net_destroy(net);
}

/* A single unit of many inputs: the sum runs in sixteen chains. */
static void test_net_layers_may_have_thousands_of_inputs(void **state) {
    (void)state;
    enum { WIDTH = 5003 };
    static float x[WIDTH];
    const tnn_layer layer = {.units = 1, .initializer = tnn_constant(1)};
    tnn_net *net = new_net(WIDTH, &layer, 1, NULL);
    for (size_t i = 0; i < WIDTH; i++)
        x[i] = (float)(i % 7);
    double expected = 0;
    for (size_t i = 0; i < WIDTH; i++)
        expected += x[i];
    float y;
    assert_ok(tnn_forward(net, 1, x, &y));
    assert_true(y == expected);
    tnn_net_destroy(net);
}

/* ---- Reserve --------------------------------------------------------------------------------- */

static void test_net_reserve_changes_no_result(void **state) {
    (void)state;
    tnn_net *net = new_small_net(NULL), *reserved = new_small_net(NULL);
    assert_ok(tnn_net_reserve(reserved, 100));
    assert_ok(tnn_net_reserve(reserved, 1));
    assert_all_zero(tnn_net_gradients(reserved), PARAMETERS);
    train_some(net, 3);
    train_some(reserved, 3);
    assert_same_net(reserved, net);
    tnn_net_destroy(net);
    tnn_net_destroy(reserved);
}

static void test_net_reserve_keeps_pending_gradients(void **state) {
    (void)state;
    tnn_net *net = new_small_net(NULL);
    float *gradients = tnn_net_gradients(net);
    for (size_t i = 0; i < PARAMETERS; i++)
        gradients[i] = (float)i;
    assert_ok(tnn_net_reserve(net, 50));
    gradients = tnn_net_gradients(net);
    for (size_t i = 0; i < PARAMETERS; i++)
        assert_true(gradients[i] == (float)i);
    tnn_net_destroy(net);
}

static void test_net_destroy_of_null_is_fine(void **state) {
    (void)state;
    tnn_net_destroy(NULL);
    tnn_optimizer_destroy(NULL);
    tnn_workspace_destroy(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net_tells_its_sizes),
        cmocka_unit_test(test_net_layer_is_what_create_was_given),
        cmocka_unit_test(test_net_of_one_weight_is_the_smallest),
        cmocka_unit_test(test_net_parameters_lie_layer_by_layer_weights_before_biases),
        cmocka_unit_test(test_net_weights_have_a_row_for_each_input),
        cmocka_unit_test(test_net_gradients_have_the_layout_of_the_parameters),
        cmocka_unit_test(test_net_biases_and_gradients_start_at_0),
        cmocka_unit_test(test_net_parameters_never_move),
        cmocka_unit_test(test_net_parameters_take_effect_when_written_between_calls),
        cmocka_unit_test(test_net_keeps_nothing_of_what_create_was_given),
        cmocka_unit_test(test_net_options_null_are_those_of_zero),
        cmocka_unit_test(test_net_seed_decides_the_weights),
        cmocka_unit_test(test_net_kernels_are_those_of_the_option),
        cmocka_unit_test(test_net_kernels_are_the_best_without_an_option),
        cmocka_unit_test(test_net_threads_may_be_any_number),
        cmocka_unit_test(test_net_clone_has_the_same_layers_parameters_and_kernels),
        cmocka_unit_test(test_net_clone_is_independent_and_outlives_the_original),
        cmocka_unit_test(test_net_clone_has_no_gradients_and_no_pending_forward),
        cmocka_unit_test(test_net_clone_goes_on_with_the_same_dropout),
        cmocka_unit_test(test_net_may_have_hundreds_of_layers),
        cmocka_unit_test(test_net_layers_may_be_thousands_wide),
        cmocka_unit_test(test_net_layers_may_have_thousands_of_inputs),
        cmocka_unit_test(test_net_reserve_changes_no_result),
        cmocka_unit_test(test_net_reserve_keeps_pending_gradients),
        cmocka_unit_test(test_net_destroy_of_null_is_fine),
    };
    return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
