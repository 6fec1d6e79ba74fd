/*
 * test_check_gradients.c: tnn_check_gradients passes what is right, finds what is wrong, and leaves
 * the net as it was. "Well below 0.01" where backward agrees with forward; a slope that is wrong by
 * 5 % in one layer is an error of at least 0.05 / 1.05, less what the differences are off: 0.04.
 */
#include "support/test_nets.h"

#include <math.h>
#include <string.h>

static const double RIGHT = 0.01, WRONG = 0.04;

enum { INPUTS = 3, OUTPUTS = 2, ROWS = 4 };

static const float x[ROWS * INPUTS] = {0.5f, -1,    0.25f, 1,      1, -0.5f,
                                       -2,   0.75f, 1.5f,  0.125f, 3, -1};
static const float target[ROWS * OUTPUTS] = {0.25f, 0.75f, 1, 0, 0.125f, 0.875f, 0.5f, 0.5f};

/* 3 - 4 - 2 with the activations given. */
static tnn_net *new_two_layer_net(tnn_activation first, tnn_activation last, float dropout) {
    const tnn_layer layers[] = {
        {.units = 4, .activation = first, .dropout = dropout},
        {.units = OUTPUTS, .activation = last}};
    return new_net(INPUTS, layers, 2, &(tnn_net_options){.seed = 12});
}

static double error_of(tnn_net *net, tnn_loss loss) {
    double error = -1;
    assert_ok(tnn_check_gradients(net, loss, ROWS, x, target, &error));
    return error;
}

/* ---- Right ----------------------------------------------------------------------------------- */

static void assert_right(tnn_activation first, tnn_activation last, tnn_loss loss) {
    tnn_net *net = new_two_layer_net(first, last, 0);
    double error = error_of(net, loss);
    if (!(error >= 0 && error < RIGHT)) {
        print_error(
            "%s, %s, %s: error %g\n", first.vtable->name, last.vtable->name, loss.vtable->name,
            error);
        fail();
    }
    tnn_net_destroy(net);
}

static void test_check_gradients_passes_every_activation(void **state) {
    (void)state;
    for (size_t i = 0; i < ACTIVATIONS; i++) {
        tnn_activation activation = activation_at(i).library;
        assert_right(activation, tnn_identity(), tnn_half_squared_error());
        assert_right(activation, tnn_sigmoid(), tnn_mean_squared_error());
        assert_right(tnn_tanh(), activation, tnn_mean_squared_error());
    }
}

static void test_check_gradients_passes_every_loss(void **state) {
    (void)state;
    for (size_t i = 0; i < LOSSES; i++) {
        assert_right(tnn_tanh(), tnn_sigmoid(), loss_at(i).library);
        assert_right(tnn_tanh(), tnn_softmax(), loss_at(i).library);
    }
}

static void test_check_gradients_passes_in_every_kernel_table(void **state) {
    (void)state;
    const tnn_layer layers[] = {{.units = 4, .activation = tnn_gelu()}, {.units = OUTPUTS}};
    for (size_t i = 0; i < KERNEL_TABLES; i++) {
        const tnn_net_options options = {.kernels = kernel_names[i]};
        if (!kernels_are_available(kernel_names[i]))
            continue;
        tnn_net *net = new_net(INPUTS, layers, 2, &options);
        assert_within(error_of(net, tnn_mean_squared_error()), 0, RIGHT);
        tnn_net_destroy(net);
    }
}

static void test_check_gradients_is_0_where_all_gradients_are(void **state) {
    (void)state;
    const tnn_layer layer = {.units = OUTPUTS, .initializer = tnn_constant(0), .no_bias = true};
    const float zeros[ROWS * INPUTS] = {0};
    double error = -1;
    tnn_net *net = new_net(INPUTS, &layer, 1, NULL);
    assert_ok(tnn_check_gradients(net, tnn_half_squared_error(), ROWS, zeros, target, &error));
    assert_true(error == 0);
    tnn_net_destroy(net);
}

/* ---- Wrong ----------------------------------------------------------------------------------- */

/* The sigmoid with its slope times parameter: right if that is 1. */
static void factor_forward(
    const tnn_activation *self, size_t rows, size_t units, const float *z, float *a) {
    (void)self;
    for (size_t i = 0; i < rows * units; i++)
        a[i] = 1 / (1 + expf(-z[i]));
}

static void factor_backward(
    const tnn_activation *self, size_t rows, size_t units, const float *z, const float *a,
    float *gradient) {
    (void)z;
    for (size_t i = 0; i < rows * units; i++)
        gradient[i] *= self->parameter * a[i] * (1 - a[i]);
}

static const tnn_activation_vtable factor_vtable = {
    .name = "factor", .forward = factor_forward, .backward = factor_backward};

static tnn_activation factor(float parameter) {
    return (tnn_activation){&factor_vtable, parameter, NULL};
}

static void test_check_gradients_passes_the_factor_1(void **state) {
    (void)state;
    assert_right(factor(1), tnn_identity(), tnn_half_squared_error());
    assert_right(tnn_tanh(), factor(1), tnn_half_squared_error());
}

static void test_check_gradients_finds_a_slope_that_is_off_by_a_factor(void **state) {
    (void)state;
    static const float factors[] = {0, 0.5f, 0.9f, 0.95f, 1.05f, 1.1f, 1.25f, 1.5f, 2, -1};
    for (size_t i = 0; i < COUNT_OF(factors); i++) {
        tnn_net *first = new_two_layer_net(factor(factors[i]), tnn_identity(), 0);
        tnn_net *last = new_two_layer_net(tnn_tanh(), factor(factors[i]), 0);
        assert_true(error_of(first, tnn_half_squared_error()) > WRONG);
        assert_true(error_of(last, tnn_half_squared_error()) > WRONG);
        tnn_net_destroy(first);
        tnn_net_destroy(last);
    }
}

/* A built-in's forward with a backward of its own: what a slip of the pen makes. */
static tnn_activation forged(
    tnn_activation original, tnn_activation_vtable *vtable,
    void (*backward)(
        const tnn_activation *, size_t, size_t, const float *, const float *, float *)) {
    *vtable = *original.vtable;
    vtable->name = "forged";
    vtable->backward = backward;
    vtable->needs_input = true;
    original.vtable = vtable;
    return original;
}

static float logistic(float z) {
    return 1 / (1 + expf(-z));
}

/* silu's slope without the term z s (1 - s). */
static void silu_backward_without_a_term(
    const tnn_activation *self, size_t rows, size_t units, const float *z, const float *a,
    float *gradient) {
    (void)self, (void)a;
    for (size_t i = 0; i < rows * units; i++)
        gradient[i] *= logistic(z[i]);
}

/* tanh's slope, 1 - a^2, from z instead of a. */
static void tanh_backward_from_z(
    const tnn_activation *self, size_t rows, size_t units, const float *z, const float *a,
    float *gradient) {
    (void)self, (void)a;
    for (size_t i = 0; i < rows * units; i++)
        gradient[i] *= 1 - z[i] * z[i];
}

/* The published XOR experiment: the slope of softplus under a relu. */
static void surrogate_backward(
    const tnn_activation *self, size_t rows, size_t units, const float *z, const float *a,
    float *gradient) {
    (void)self, (void)a;
    for (size_t i = 0; i < rows * units; i++)
        gradient[i] *= logistic(z[i]);
}

/* softmax's slope as if units did not depend on each other. */
static void softmax_backward_without_others(
    const tnn_activation *self, size_t rows, size_t units, const float *z, const float *a,
    float *gradient) {
    (void)self, (void)z;
    for (size_t i = 0; i < rows * units; i++)
        gradient[i] *= a[i] * (1 - a[i]);
}

static void test_check_gradients_finds_a_term_that_is_missing(void **state) {
    (void)state;
    tnn_activation_vtable vtables[4];
    const tnn_activation wrong[] = {
        forged(tnn_silu(), &vtables[0], silu_backward_without_a_term),
        forged(tnn_tanh(), &vtables[1], tanh_backward_from_z),
        forged(tnn_relu(), &vtables[2], surrogate_backward),
        forged(tnn_softmax(), &vtables[3], softmax_backward_without_others)};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        tnn_net *net = new_two_layer_net(wrong[i], tnn_identity(), 0);
        assert_true(error_of(net, tnn_half_squared_error()) > WRONG);
        tnn_net_destroy(net);
    }
}

static void zero_backward(
    const tnn_activation *self, size_t rows, size_t units, const float *z, const float *a,
    float *gradient) {
    (void)self, (void)z, (void)a;
    for (size_t i = 0; i < rows * units; i++)
        gradient[i] = 0;
}

static void nan_backward(
    const tnn_activation *self, size_t rows, size_t units, const float *z, const float *a,
    float *gradient) {
    (void)self, (void)z, (void)a;
    for (size_t i = 0; i < rows * units; i++)
        gradient[i] = NAN;
}

/* No gradient at all to be relative to, and a gradient that compares with nothing. */
static void test_check_gradients_finds_a_slope_that_is_0_or_nan(void **state) {
    (void)state;
    tnn_activation_vtable vtables[2];
    const tnn_activation zero = forged(tnn_tanh(), &vtables[0], zero_backward);
    const tnn_activation nan = forged(tnn_tanh(), &vtables[1], nan_backward);
    tnn_net *zero_net = new_two_layer_net(tnn_tanh(), zero, 0);
    tnn_net *nan_net = new_two_layer_net(nan, tnn_identity(), 0);
    assert_true(error_of(zero_net, tnn_half_squared_error()) > WRONG);
    assert_true(error_of(nan_net, tnn_half_squared_error()) > WRONG);
    tnn_net_destroy(zero_net);
    tnn_net_destroy(nan_net);
}

/* A user's loss, sum of y^2 / 2, with its gradient times parameter. */
static void evaluate_squares(
    const tnn_loss *self, size_t rows, size_t units, const float *y, const float *t,
    double *row_loss, float *gradient) {
    (void)t;
    for (size_t r = 0; r < rows; r++) {
        row_loss[r] = 0;
        for (size_t i = r * units; i < (r + 1) * units; i++) {
            row_loss[r] += 0.5 * y[i] * y[i];
            if (gradient != NULL)
                gradient[i] = self->parameter * y[i];
        }
    }
}

static void test_check_gradients_judges_the_loss_of_a_user(void **state) {
    (void)state;
    static const tnn_loss_vtable vtable = {"squares", evaluate_squares};
    tnn_net *net = new_two_layer_net(tnn_tanh(), tnn_identity(), 0);
    assert_within(error_of(net, (tnn_loss){&vtable, 1, NULL}), 0, RIGHT);
    assert_true(error_of(net, (tnn_loss){&vtable, 1.05f, NULL}) > WRONG);
    assert_true(error_of(net, (tnn_loss){&vtable, 2, NULL}) > WRONG);
    tnn_net_destroy(net);
}

/* ---- The net --------------------------------------------------------------------------------- */

static void test_check_gradients_leaves_parameters_and_gradients_as_they_were(void **state) {
    (void)state;
    tnn_net *net = new_two_layer_net(tnn_relu(), tnn_sigmoid(), 0);
    uint64_t random = 1;
    fill_random(tnn_net_gradients(net), tnn_net_parameter_count(net), &random, -1, 1);
    snapshot before = take_snapshot(net);
    error_of(net, tnn_binary_cross_entropy());
    assert_unchanged(net, &before);
    free_snapshot(&before);
    tnn_net_destroy(net);
}

static void test_check_gradients_leaves_a_pending_forward_pending(void **state) {
    (void)state;
    tnn_net *net = new_two_layer_net(tnn_relu(), tnn_sigmoid(), 0), *same = new_clone(net);
    assert_ok(tnn_forward(net, 2, x, NULL));
    error_of(net, tnn_mean_squared_error());
    assert_ok(tnn_backward(net, tnn_mean_squared_error(), target, NULL));
    assert_ok(tnn_forward(same, 2, x, NULL));
    assert_ok(tnn_backward(same, tnn_mean_squared_error(), target, NULL));
    assert_same_net(net, same);
    tnn_net_destroy(net);
    tnn_net_destroy(same);
}

/* It runs without dropout, and the passes that it makes are not the net's. */
static void test_check_gradients_runs_without_dropout_and_counts_no_pass(void **state) {
    (void)state;
    tnn_net *net = new_two_layer_net(tnn_tanh(), tnn_identity(), 0.5f), *same = new_clone(net);
    tnn_net *without = new_two_layer_net(tnn_tanh(), tnn_identity(), 0);
    float y[ROWS * OUTPUTS], expected[ROWS * OUTPUTS];
    double error = error_of(net, tnn_mean_squared_error());
    assert_within(error, 0, RIGHT);
    assert_true(error == error_of(without, tnn_mean_squared_error()));
    tnn_net_destroy(without);
    assert_ok(tnn_forward(net, ROWS, x, y));
    assert_ok(tnn_forward(same, ROWS, x, expected));
    assert_same_bits(y, expected, ROWS * OUTPUTS);
    tnn_net_destroy(net);
    tnn_net_destroy(same);
}

static void test_check_gradients_tells_when_the_loss_is_not_finite(void **state) {
    (void)state;
    tnn_net *net = new_two_layer_net(tnn_tanh(), tnn_identity(), 0);
    tnn_net_parameters(net)[0] = NAN;
    double error;
    assert_status(
        tnn_check_gradients(net, tnn_mean_squared_error(), ROWS, x, target, &error),
        TNN_NOT_FINITE);
    tnn_net_destroy(net);
}

/* ---- Kinks ----------------------------------------------------------------------------------- */

enum { MANY_INPUTS = 8, MANY_UNITS = 32, MANY_ROWS = 32, SEEDS = 25 };

/* Of 32 rows and 32 units with a kink each, some are always within the smallest step of one. */
static double error_near_kinks(tnn_activation activation, uint64_t seed) {
    const tnn_layer layers[] = {{.units = MANY_UNITS, .activation = activation}, {.units = 1}};
    tnn_net *net = new_net(MANY_INPUTS, layers, 2, &(tnn_net_options){.seed = seed});
    float rows[MANY_ROWS * MANY_INPUTS], targets[MANY_ROWS];
    double error = -1;
    fill_random(rows, MANY_ROWS * MANY_INPUTS, &seed, -1, 1);
    fill_random(targets, MANY_ROWS, &seed, -1, 1);
    assert_ok(tnn_check_gradients(net, tnn_half_squared_error(), MANY_ROWS, rows, targets, &error));
    tnn_net_destroy(net);
    return error;
}

static void test_check_gradients_passes_kinks_wherever_they_lie(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        assert_true(error_near_kinks(tnn_relu(), seed) < RIGHT);
        assert_true(error_near_kinks(tnn_leaky_relu(0.01f), seed) < RIGHT);
        assert_true(error_near_kinks(tnn_selu(), seed) < RIGHT);
        assert_true(error_near_kinks(tnn_hard_tanh(), seed) < RIGHT);
    }
}

static void steep_relu_backward(
    const tnn_activation *self, size_t rows, size_t units, const float *z, const float *a,
    float *gradient) {
    (void)self, (void)z;
    for (size_t i = 0; i < rows * units; i++)
        gradient[i] = a[i] > 0 ? 1.05f * gradient[i] : 0;
}

static void test_check_gradients_finds_a_wrong_slope_among_kinks(void **state) {
    (void)state;
    tnn_activation_vtable steep = *tnn_relu().vtable;
    steep.name = "steep_relu";
    steep.backward = steep_relu_backward;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        assert_true(error_near_kinks((tnn_activation){&steep, 0, NULL}, seed) > WRONG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_gradients_passes_every_activation),
        cmocka_unit_test(test_check_gradients_passes_kinks_wherever_they_lie),
        cmocka_unit_test(test_check_gradients_finds_a_wrong_slope_among_kinks),
        cmocka_unit_test(test_check_gradients_passes_every_loss),
        cmocka_unit_test(test_check_gradients_passes_in_every_kernel_table),
        cmocka_unit_test(test_check_gradients_is_0_where_all_gradients_are),
        cmocka_unit_test(test_check_gradients_passes_the_factor_1),
        cmocka_unit_test(test_check_gradients_finds_a_slope_that_is_off_by_a_factor),
        cmocka_unit_test(test_check_gradients_finds_a_term_that_is_missing),
        cmocka_unit_test(test_check_gradients_finds_a_slope_that_is_0_or_nan),
        cmocka_unit_test(test_check_gradients_judges_the_loss_of_a_user),
        cmocka_unit_test(test_check_gradients_leaves_parameters_and_gradients_as_they_were),
        cmocka_unit_test(test_check_gradients_leaves_a_pending_forward_pending),
        cmocka_unit_test(test_check_gradients_runs_without_dropout_and_counts_no_pass),
        cmocka_unit_test(test_check_gradients_tells_when_the_loss_is_not_finite),
    };
    return cmocka_run_group_tests_name("check_gradients", tests, NULL, NULL);
}
