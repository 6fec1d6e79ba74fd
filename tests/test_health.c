/*
 * test_health.c: every finding where something is wrong, and none where nothing is.
 */
#include "support/test_nets.h"

#include <math.h>
#include <string.h>

enum { ROWS = 200, INPUTS = 4, DEEP = 8 };

static float x[ROWS * INPUTS];
static float target[ROWS];
static const tnn_dataset data = {.rows = ROWS, .x = x, .target = target};

static int fill_data(void **state) {
    (void)state;
    uint64_t random = 5;
    fill_random(x, ROWS * INPUTS, &random, -1.5f, 1.5f);
    for (size_t r = 0; r < ROWS; r++)
        target[r] = x[r * INPUTS] + 0.5f * x[r * INPUTS + 1];
    return 0;
}

static tnn_net *new_deep(tnn_activation activation, tnn_initializer initializer) {
    tnn_layer layers[DEEP];
    for (size_t l = 0; l < DEEP; l++)
        layers[l] = (tnn_layer){.units = 8, .activation = activation, .initializer = initializer};
    layers[DEEP - 1] = (tnn_layer){.units = 1};
    return new_net(INPUTS, layers, DEEP, NULL);
}

static tnn_net *new_shallow(tnn_activation activation) {
    return new_net(
        INPUTS, (tnn_layer[]){{.units = 8, .activation = activation}, {.units = 1}}, 2, NULL);
}

/* Fits and destroys the net; the status goes with the report. */
static tnn_status fit(
    tnn_net *net, tnn_method method, size_t epochs, const tnn_dataset *rows,
    tnn_fit_report *report) {
    tnn_optimizer *optimizer = new_optimizer_of(net, method);
    const tnn_fit_options options = {.epochs = epochs};
    tnn_status status = tnn_fit(net, optimizer, tnn_mean_squared_error(), rows, &options, report);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
    return status;
}

static const tnn_finding *find(const tnn_fit_report *report, tnn_finding_kind kind) {
    for (size_t i = 0; i < report->finding_count; i++)
        if (report->findings[i].kind == kind)
            return &report->findings[i];
    return NULL;
}

static void assert_says(const tnn_fit_report *report, tnn_finding_kind kind, const char *words) {
    const tnn_finding *finding = find(report, kind);
    assert_non_null(finding);
    if (!strstr(finding->message, words))
        fail_msg("\"%s\" does not say \"%s\"", finding->message, words);
}

static void test_health_of_a_good_training_is_good(void **state) {
    (void)state;
    const tnn_activation activations[] = {tnn_relu(), tnn_tanh(), tnn_sigmoid(), tnn_gelu()};
    for (size_t i = 0; i < COUNT_OF(activations); i++) {
        tnn_fit_report report;
        assert_ok(fit(new_shallow(activations[i]), tnn_adam(0.01f), 20, &data, &report));
        if (report.finding_count > 0)
            fail_msg("%s", report.findings[0].message);
        assert_true(report.progress.training_loss < 0.5);
    }
}

static void test_health_dead_relu_units_are_counted(void **state) {
    (void)state;
    tnn_fit_report report;
    tnn_net *net = new_shallow(tnn_relu());
    for (size_t u = 0; u < 3; u++)
        tnn_net_biases(net, 0)[u] = -100;
    assert_ok(fit(net, tnn_sgd(0.01f), 1, &data, &report));
    assert_says(&report, TNN_DEAD_UNITS, "3 of the 8 units of layer 0 are 0 for all rows");
    assert_within(find(&report, TNN_DEAD_UNITS)->value, 3.0 / 8, 0);
}

static void test_health_saturated_units_are_counted(void **state) {
    (void)state;
    const tnn_activation activations[] = {
        tnn_tanh(), tnn_sigmoid(), tnn_hard_tanh(), tnn_hard_sigmoid()};
    for (size_t i = 0; i < COUNT_OF(activations); i++) {
        tnn_fit_report report;
        tnn_net *net = new_shallow(activations[i]);
        for (size_t u = 0; u < 4; u++)
            tnn_net_biases(net, 0)[u] = u % 2 == 0 ? 100 : -100;
        assert_ok(fit(net, tnn_sgd(0.01f), 1, &data, &report));
        assert_says(&report, TNN_SATURATED_UNITS, "4 of the 8 units of layer 0");
    }
}

static void test_health_vanishing_gradients_are_seen(void **state) {
    (void)state;
    tnn_fit_report report;
    assert_ok(
        fit(new_deep(tnn_sigmoid(), (tnn_initializer){0}), tnn_sgd(0.01f), 1, &data, &report));
    assert_says(&report, TNN_VANISHING_GRADIENTS, "layer 7");
    assert_null(find(&report, TNN_EXPLODING_GRADIENTS));
}

/* Halfway back, where the weights are tiny. */
static void test_health_vanishing_gradients_begin_at_a_layer(void **state) {
    (void)state;
    tnn_fit_report report;
    tnn_net *net = new_deep(tnn_tanh(), (tnn_initializer){0});
    for (size_t i = 0; i < 8 * 8; i++)
        tnn_net_weights(net, 4)[i] *= 1e-6f;
    assert_ok(fit(net, tnn_sgd(0), 1, &data, &report));
    assert_says(&report, TNN_VANISHING_GRADIENTS, "those of layer 3 are");
    assert_int_equal(find(&report, TNN_VANISHING_GRADIENTS)->layer, 3);
}

static void test_health_many_layers_are_one_finding(void **state) {
    (void)state;
    tnn_fit_report report;
    tnn_net *net = new_deep(tnn_tanh(), tnn_normal(0, 100));
    assert_ok(fit(net, tnn_sgd(0), 1, &data, &report));
    assert_says(&report, TNN_SATURATED_UNITS, "and many of 6 layers more");
}

/* Sorted rows: the first half has nothing for the units that the other half needs. */
static void test_health_units_that_some_rows_need_are_not_dead(void **state) {
    (void)state;
    static float sorted[ROWS * INPUTS];
    for (size_t r = 0; r < ROWS; r++)
        sorted[r * INPUTS] = r < ROWS * 3 / 4 ? -1 : 1;
    const tnn_dataset rows = {.rows = ROWS, .x = sorted, .target = target};
    tnn_fit_report report;
    tnn_net *net = new_shallow(tnn_relu());
    for (size_t u = 0; u < 8; u++)
        tnn_net_weights(net, 0)[u] = 1;
    assert_ok(fit(net, tnn_sgd(0), 1, &rows, &report));
    assert_null(find(&report, TNN_DEAD_UNITS));
}

static void test_health_looks_at_what_is_learned_from(void **state) {
    (void)state;
    static float large[ROWS * INPUTS];
    for (size_t i = 0; i < ROWS * INPUTS; i++)
        large[i] = 100 * x[i];
    const tnn_dataset rows = {.rows = ROWS, .x = large, .target = target};
    tnn_net *net = new_shallow(tnn_tanh());
    tnn_optimizer *optimizer = new_optimizer(net, 0);
    const tnn_fit_options options = {.epochs = 1, .validation = &data};
    tnn_fit_report report;
    assert_ok(tnn_fit(net, optimizer, tnn_mean_squared_error(), &rows, &options, &report));
    assert_non_null(find(&report, TNN_UNSCALED_INPUTS));
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
}

static void test_health_exploding_gradients_are_seen(void **state) {
    (void)state;
    tnn_fit_report report;
    tnn_net *net = new_deep(tnn_identity(), tnn_normal(0, 3));
    float *last = tnn_net_weights(net, DEEP - 1);
    for (size_t u = 0; u < 8; u++)
        last[u] = 1e7f; /* what comes to the last layer is small beside what it sends back */
    for (size_t i = 0; i < INPUTS * 8; i++)
        tnn_net_weights(net, 0)[i] *= 1e-9f;
    assert_ok(fit(net, tnn_sgd(0), 1, &data, &report));
    assert_says(&report, TNN_EXPLODING_GRADIENTS, "explode");
}

static void test_health_unscaled_inputs_are_named(void **state) {
    (void)state;
    static float large[ROWS * INPUTS];
    memcpy(large, x, sizeof large);
    for (size_t r = 0; r < ROWS; r++)
        large[r * INPUTS + 2] = 1000;
    const tnn_dataset rows = {.rows = ROWS, .x = large, .target = target};
    tnn_fit_report report;
    assert_ok(fit(new_shallow(tnn_tanh()), tnn_adam(0.01f), 1, &rows, &report));
    assert_says(&report, TNN_UNSCALED_INPUTS, "column 2");
    assert_within(find(&report, TNN_UNSCALED_INPUTS)->value, 1000, 1e-9);
}

static void test_health_scaled_inputs_are_fine(void **state) {
    (void)state;
    static float large[ROWS * INPUTS];
    for (size_t i = 0; i < ROWS * INPUTS; i++)
        large[i] = 500 + 100 * x[i];
    const tnn_dataset rows = {.rows = ROWS, .x = large, .target = target};
    static const float shift[INPUTS] = {500, 500, 500, 500};
    static const float scale[INPUTS] = {0.01f, 0.01f, 0.01f, 0.01f};
    tnn_fit_report report;
    tnn_net *net = new_shallow(tnn_tanh());
    assert_ok(tnn_net_set_input_scaling(net, shift, scale));
    assert_ok(fit(net, tnn_adam(0.01f), 1, &rows, &report));
    assert_null(find(&report, TNN_UNSCALED_INPUTS));
}

static void test_health_rate_that_is_too_high_is_seen(void **state) {
    (void)state;
    tnn_fit_report report;
    tnn_net *net = new_net(INPUTS, &(tnn_layer){.units = 1}, 1, NULL);
    assert_ok(fit(net, tnn_sgd(1.5f), 8, &data, &report));
    assert_says(&report, TNN_RATE_TOO_HIGH, "rose from");
}

static void test_health_rate_that_is_too_low_is_seen(void **state) {
    (void)state;
    tnn_fit_report report;
    assert_ok(fit(new_shallow(tnn_tanh()), tnn_sgd(1e-6f), 10, &data, &report));
    assert_says(&report, TNN_RATE_TOO_LOW, "in each of 10 epochs");
}

/* ---- A loss that is not finite --------------------------------------------------------------- */

static void test_health_inputs_not_finite_are_located(void **state) {
    (void)state;
    static float bad[ROWS * INPUTS];
    memcpy(bad, x, sizeof bad);
    bad[70 * INPUTS + 3] = NAN;
    const tnn_dataset rows = {.rows = ROWS, .x = bad, .target = target};
    tnn_net *net = new_shallow(tnn_tanh());
    tnn_optimizer *optimizer = new_optimizer(net, 0.01f);
    const tnn_fit_options options = {.epochs = 1, .keep_order = true};
    tnn_fit_report report;
    assert_status(
        tnn_fit(net, optimizer, tnn_mean_squared_error(), &rows, &options, &report),
        TNN_NOT_FINITE);
    assert_says(&report, TNN_LOSS_NOT_FINITE, "epoch 0, batch 2: x of row 70, column 3, is nan");
    assert_int_equal(find(&report, TNN_LOSS_NOT_FINITE)->batch, 2);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
}

static void test_health_target_not_finite_is_located(void **state) {
    (void)state;
    static float bad[ROWS];
    memcpy(bad, target, sizeof bad);
    bad[0] = INFINITY;
    const tnn_dataset rows = {.rows = ROWS, .x = x, .target = bad};
    tnn_fit_report report;
    assert_status(fit(new_shallow(tnn_tanh()), tnn_sgd(0.01f), 1, &rows, &report), TNN_NOT_FINITE);
    assert_says(&report, TNN_LOSS_NOT_FINITE, "target of row 0, column 0, is inf");
}

static void test_health_layer_whose_parameters_are_not_finite_is_named(void **state) {
    (void)state;
    tnn_fit_report report;
    tnn_net *net = new_deep(tnn_tanh(), (tnn_initializer){0});
    tnn_net_biases(net, 3)[1] = NAN;
    assert_status(fit(net, tnn_sgd(0.01f), 1, &data, &report), TNN_NOT_FINITE);
    assert_says(&report, TNN_LOSS_NOT_FINITE, "parameters of layer 3");
    assert_int_equal(find(&report, TNN_LOSS_NOT_FINITE)->layer, 3);
}

static void test_health_layer_whose_outputs_are_not_finite_is_named(void **state) {
    (void)state;
    tnn_fit_report report;
    tnn_net *net = new_deep(tnn_identity(), tnn_constant(1e6f));
    assert_status(fit(net, tnn_sgd(0.01f), 1, &data, &report), TNN_NOT_FINITE);
    assert_says(&report, TNN_LOSS_NOT_FINITE, "layer 5 computes values");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_health_of_a_good_training_is_good),
        cmocka_unit_test(test_health_dead_relu_units_are_counted),
        cmocka_unit_test(test_health_saturated_units_are_counted),
        cmocka_unit_test(test_health_vanishing_gradients_are_seen),
        cmocka_unit_test(test_health_vanishing_gradients_begin_at_a_layer),
        cmocka_unit_test(test_health_many_layers_are_one_finding),
        cmocka_unit_test(test_health_units_that_some_rows_need_are_not_dead),
        cmocka_unit_test(test_health_looks_at_what_is_learned_from),
        cmocka_unit_test(test_health_exploding_gradients_are_seen),
        cmocka_unit_test(test_health_unscaled_inputs_are_named),
        cmocka_unit_test(test_health_scaled_inputs_are_fine),
        cmocka_unit_test(test_health_rate_that_is_too_high_is_seen),
        cmocka_unit_test(test_health_rate_that_is_too_low_is_seen),
        cmocka_unit_test(test_health_inputs_not_finite_are_located),
        cmocka_unit_test(test_health_target_not_finite_is_located),
        cmocka_unit_test(test_health_layer_whose_parameters_are_not_finite_is_named),
        cmocka_unit_test(test_health_layer_whose_outputs_are_not_finite_is_named),
    };
    return cmocka_run_group_tests_name("health", tests, fill_data, NULL);
}
