/*
 * test_optimizer.c: what a step does to parameters and gradients, bit for bit.
 */
#include "support/kernel_tables.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- The arithmetic of a step ---------------------------------------------------------------- */

/* p - rate g: rounded once where multiply-adds are fused, twice elsewhere. */
static float stepped(bool fused, float rate, float g, float p) {
    if (fused)
        return fmaf(-rate, g, p);
    volatile float product = -rate * g; /* no compiler may fuse these two */
    return product + p;
}

enum { MOST = 100 };

static void check_step(const tnni_kernels *table, float rate, size_t count) {
    float parameters[MOST + 1], gradients[MOST], expected[MOST];
    const tnni_step step = {.kind = TNNI_DESCENT, .rate = rate};
    uint64_t random = count;
    fill_random(parameters, MOST, &random, -1, 1);
    fill_random(gradients, MOST, &random, -1, 1);
    parameters[count] = 12345;
    for (size_t i = 0; i < count; i++)
        expected[i] = stepped(table->fused, rate, gradients[i], parameters[i]);
    table->steps[false][TNNI_DESCENT](&step, 1, count, gradients, parameters, count, NULL, 0);
    assert_same_bits(parameters, expected, count);
    assert_true(parameters[count] == 12345);
}

static void test_optimizer_sgd_rounds_once_where_multiply_adds_are_fused(void **state) {
    (void)state;
    static const float rates[] = {0, 0.01f, 0.1f, 1, 3, 1e-30f};
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        for (size_t r = 0; r < COUNT_OF(rates); r++) {
            for (size_t count = 0; count <= MOST; count++)
                check_step(tables.at[t], rates[r], count);
        }
    }
}

/* ---- Steps of a net -------------------------------------------------------------------------- */

enum { PARAMETERS = 3 * 5 + 5 + 5 * 2 + 2 };

static tnn_net *new_small_net(const char *kernels) {
    const tnn_layer layers[] = {{.units = 5, .activation = tnn_tanh()}, {.units = 2}};
    return new_net(3, layers, 2, &(tnn_net_options){.kernels = kernels});
}

static void write_gradients(tnn_net *net, uint64_t seed) {
    fill_random(tnn_net_gradients(net), PARAMETERS, &seed, -1, 1);
}

/* Steps once with known gradients and checks every bit. */
static void check_net_step(tnn_net *net, tnn_optimizer *optimizer, float rate) {
    snapshot before;
    float expected[PARAMETERS];
    write_gradients(net, 1);
    before = take_snapshot(net);
    for (size_t i = 0; i < PARAMETERS; i++)
        expected[i] = stepped(
            kernels_are_fused(tnn_net_kernel_name(net)), rate, before.gradients[i],
            before.parameters[i]);
    assert_ok(tnn_step(net, optimizer));
    assert_same_bits(tnn_net_read_parameters(net), expected, PARAMETERS);
    assert_all_zero(tnn_net_gradients(net), PARAMETERS);
    free_snapshot(&before);
}

static void test_optimizer_step_updates_all_parameters_and_zeroes_the_gradients(void **state) {
    (void)state;
    for (size_t i = 0; i < KERNEL_TABLES; i++) {
        if (!kernels_are_available(kernel_names[i]))
            continue;
        tnn_net *net = new_small_net(kernel_names[i]);
        tnn_optimizer *optimizer = new_optimizer(net, 0.3f);
        check_net_step(net, optimizer, 0.3f);
        check_net_step(net, optimizer, 0.3f);
        tnn_optimizer_destroy(optimizer);
        tnn_net_destroy(net);
    }
}

/* What there is for small nets is not for shaped gradients. */
static void check_shaped_step(const tnn_method *method, float limit, const char *kernels) {
    static const float x[] = {0.5f, -2}, target[] = {4};
    const tnn_layer layers[] = {
        {.units = 3, .activation = tnn_tanh(), .no_bias = true}, {.units = 1, .no_bias = true}};
    const tnn_dataset batch = {.rows = 1, .x = x, .target = target};
    const bool fused = kernels_are_fused(kernels);
    float expected[9];
    tnn_net *net = new_net(2, layers, 2, &(tnn_net_options){.kernels = kernels});
    tnn_net *by_verbs = new_clone(net);
    tnn_optimizer *optimizer = new_optimizer_of(net, *method);
    assert_ok(tnn_forward(by_verbs, 1, x, NULL));
    assert_ok(tnn_backward(by_verbs, tnn_mean_squared_error(), target, NULL));
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        float g = fmaxf(-limit, fminf(limit, tnn_net_gradients(by_verbs)[i]));
        expected[i] = stepped(fused, 0.25f, g, tnn_net_read_parameters(net)[i]);
    }
    assert_ok(tnn_step(by_verbs, optimizer));
    assert_ok(tnn_train(net, optimizer, tnn_mean_squared_error(), &batch, NULL));
    assert_same_bits(tnn_net_read_parameters(net), expected, COUNT_OF(expected));
    assert_same_net(by_verbs, net);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(by_verbs);
    tnn_net_destroy(net);
}

static void test_optimizer_step_of_a_small_net_clips_as_well(void **state) {
    (void)state;
    for (size_t i = 0; i < KERNEL_TABLES; i++) {
        tnn_method method = tnn_sgd(0.25f);
        if (!kernels_are_available(kernel_names[i]))
            continue;
        method.clip_value = 0.125f;
        check_shaped_step(&method, 0.125f, kernel_names[i]);
        method.clip_value = 0;
        method.clip_norm = 0x1p-120f; /* all gradients become less than half an ulp */
        check_shaped_step(&method, 0, kernel_names[i]);
        method.clip_norm = 100;
        check_shaped_step(&method, INFINITY, kernel_names[i]);
    }
}

static void test_optimizer_step_without_gradients_changes_nothing(void **state) {
    (void)state;
    tnn_net *net = new_small_net(NULL), *same = new_small_net(NULL);
    tnn_optimizer *optimizer = new_optimizer(net, 0.3f);
    assert_ok(tnn_step(net, optimizer));
    assert_ok(tnn_step(net, optimizer));
    assert_same_net(net, same);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
    tnn_net_destroy(same);
}

static void test_optimizer_learning_rate_0_changes_nothing(void **state) {
    (void)state;
    tnn_net *net = new_small_net(NULL), *same = new_small_net(NULL);
    tnn_optimizer *optimizer = new_optimizer(net, 0);
    write_gradients(net, 1);
    assert_ok(tnn_step(net, optimizer));
    assert_same_net(net, same);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
    tnn_net_destroy(same);
}

/* Minus -0 times a gradient of 0 is +0, which makes +0 of a weight of -0. */
static void test_optimizer_learning_rate_minus_0_changes_nothing_either(void **state) {
    (void)state;
    tnn_net *net = new_small_net(NULL);
    tnn_optimizer *optimizer = new_optimizer(net, -0.0f);
    for (int step = 0; step < 2; step++) {
        tnn_net_parameters(net)[0] = -0.0f;
        assert_ok(tnn_step(net, optimizer));
        assert_true(signbit(tnn_net_parameters(net)[0]));
        assert_ok(tnn_optimizer_set_learning_rate(optimizer, -0.0f));
    }
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
}

static void test_optimizer_learning_rate_counts_from_the_next_step_on(void **state) {
    (void)state;
    tnn_net *net = new_small_net(NULL);
    tnn_optimizer *optimizer = new_optimizer(net, 0.5f);
    check_net_step(net, optimizer, 0.5f);
    assert_ok(tnn_optimizer_set_learning_rate(optimizer, 0.0625f));
    check_net_step(net, optimizer, 0.0625f);
    assert_ok(tnn_optimizer_set_learning_rate(optimizer, 0));
    check_net_step(net, optimizer, 0);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
}

static void test_optimizer_learning_rate_stays_when_a_bad_one_is_refused(void **state) {
    (void)state;
    static const float bad[] = {-0.1f, -FLT_MIN, INFINITY, -INFINITY, NAN};
    tnn_net *net = new_small_net(NULL);
    tnn_optimizer *optimizer = new_optimizer(net, 0.5f);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_status(tnn_optimizer_set_learning_rate(optimizer, bad[i]), TNN_INVALID_ARGUMENT);
    check_net_step(net, optimizer, 0.5f);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
}

static void test_optimizer_method_holds_the_learning_rate(void **state) {
    (void)state;
    assert_true(tnn_sgd(0.25f).learning_rate == 0.25f);
    tnn_method method = tnn_sgd(1);
    method.learning_rate = 0.125f; /* plain fields */
    tnn_net *net = new_small_net(NULL);
    tnn_optimizer *optimizer = NULL;
    assert_ok(tnn_optimizer_create(&optimizer, net, method));
    check_net_step(net, optimizer, 0.125f);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
}

/* Every field, as torch.optim of PyTorch 1.13 sets it; no field is left to chance. */
static void assert_fields(
    tnn_method method, float momentum, float weight_decay, double beta1, double beta2,
    float epsilon) {
    assert_non_null(method.vtable);
    assert_true(method.learning_rate == 0.375f);
    assert_true(method.momentum == momentum);
    assert_true(method.weight_decay == weight_decay);
    assert_true(method.beta1 == beta1);
    assert_true(method.beta2 == beta2);
    assert_true(method.epsilon == epsilon);
    assert_true(method.l1 == 0);
    assert_true(method.clip_value == 0);
    assert_true(method.clip_norm == 0);
}

static void test_optimizer_methods_have_the_defaults_of_pytorch(void **state) {
    (void)state;
    assert_fields(tnn_sgd(0.375f), 0, 0, 0, 0, 0);
    assert_fields(tnn_momentum(0.375f, 0.9f), 0.9f, 0, 0, 0, 0);
    assert_fields(tnn_nesterov(0.375f, 0.9f), 0.9f, 0, 0, 0, 0);
    assert_fields(tnn_adagrad(0.375f), 0, 0, 0, 0, 1e-10f);
    assert_fields(tnn_rmsprop(0.375f), 0, 0, 0, 0.99, 1e-8f);
    assert_fields(tnn_adam(0.375f), 0, 0, 0.9, 0.999, 1e-8f);
    assert_fields(tnn_adamw(0.375f, 0.01f), 0, 0.01f, 0.9, 0.999, 1e-8f);
}

static void test_optimizer_rprop_has_the_defaults_of_the_paper(void **state) {
    tnn_method method = tnn_rprop();
    (void)state;
    assert_true(method.learning_rate == 0.0125f);
    assert_true(method.shrink == 0.5f);
    assert_true(method.grow == 1.2f);
    assert_true(method.min_move == 0);
    assert_true(method.max_move == 50);
    method.learning_rate = 0.375f;
    assert_fields(method, 0, 0, 0, 0, 0);
}

static void test_optimizer_only_nesterov_looks_ahead(void **state) {
    (void)state;
    const tnn_method others[] = {tnn_sgd(1),  tnn_momentum(1, 0.9f), tnn_adagrad(1), tnn_rmsprop(1),
                                 tnn_adam(1), tnn_adamw(1, 0.01f),   tnn_rprop()};
    assert_true(tnn_nesterov(1, 0.9f).nesterov);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_false(others[i].nesterov);
}

/* ---- Whom it serves -------------------------------------------------------------------------- */

static void test_optimizer_serves_any_net_of_the_layout_and_outlives_its_own(void **state) {
    (void)state;
    tnn_net *net = new_small_net(NULL), *other = new_small_net("portable");
    tnn_optimizer *optimizer = new_optimizer(net, 0.25f);
    tnn_net_destroy(net);
    check_net_step(other, optimizer, 0.25f);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(other);
}

/* The activations and the seed are no part of the layout. */
static void test_optimizer_serves_a_net_of_other_activations(void **state) {
    (void)state;
    const tnn_layer layers[] = {
        {.units = 5, .activation = tnn_relu(), .dropout = 0.5f}, {.units = 2}};
    tnn_net *net = new_small_net(NULL);
    tnn_net *other = new_net(3, layers, 2, &(tnn_net_options){.seed = 9});
    tnn_optimizer *optimizer = new_optimizer(net, 0.25f);
    check_net_step(other, optimizer, 0.25f);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
    tnn_net_destroy(other);
}

/* As many parameters in all of them: 3 * 5 + 5 + 5 * 2 + 2 = 32. */
static void test_optimizer_refuses_a_net_of_another_layout(void **state) {
    (void)state;
    const tnn_layer wide[] = {{.units = 32, .no_bias = true}};
    const tnn_layer biased[] = {{.units = 16}};
    const tnn_layer deep[] = {{.units = 1}, {.units = 14, .no_bias = true}, {.units = 1}};
    tnn_net *net = new_small_net(NULL);
    tnn_net *others[] = {
        new_net(1, wide, 1, NULL), new_net(1, biased, 1, NULL), new_net(2, deep, 3, NULL)};
    tnn_optimizer *optimizer = new_optimizer(net, 0.25f);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        snapshot before;
        assert_int_equal(tnn_net_parameter_count(others[i]), PARAMETERS);
        write_gradients(others[i], 2);
        before = take_snapshot(others[i]);
        assert_status(tnn_step(others[i], optimizer), TNN_INVALID_ARGUMENT);
        assert_unchanged(others[i], &before);
        free_snapshot(&before);
        tnn_net_destroy(others[i]);
    }
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_optimizer_sgd_rounds_once_where_multiply_adds_are_fused),
        cmocka_unit_test(test_optimizer_step_updates_all_parameters_and_zeroes_the_gradients),
        cmocka_unit_test(test_optimizer_step_of_a_small_net_clips_as_well),
        cmocka_unit_test(test_optimizer_step_without_gradients_changes_nothing),
        cmocka_unit_test(test_optimizer_learning_rate_0_changes_nothing),
        cmocka_unit_test(test_optimizer_learning_rate_minus_0_changes_nothing_either),
        cmocka_unit_test(test_optimizer_learning_rate_counts_from_the_next_step_on),
        cmocka_unit_test(test_optimizer_learning_rate_stays_when_a_bad_one_is_refused),
        cmocka_unit_test(test_optimizer_method_holds_the_learning_rate),
        cmocka_unit_test(test_optimizer_methods_have_the_defaults_of_pytorch),
        cmocka_unit_test(test_optimizer_rprop_has_the_defaults_of_the_paper),
        cmocka_unit_test(test_optimizer_only_nesterov_looks_ahead),
        cmocka_unit_test(test_optimizer_serves_any_net_of_the_layout_and_outlives_its_own),
        cmocka_unit_test(test_optimizer_serves_a_net_of_other_activations),
        cmocka_unit_test(test_optimizer_refuses_a_net_of_another_layout),
    };
    return cmocka_run_group_tests_name("optimizer", tests, NULL, NULL);
}
