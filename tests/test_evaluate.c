/*
 * test_evaluate.c: losses and metrics against their definitions, on a net that hands on its inputs
 * and on random ones.
 */
#include "support/test_allocators.h"
#include "support/test_nets.h"

#include <math.h>

/* Outputs are the inputs. */
static tnn_net *new_wire(size_t units) {
    tnn_net *net = new_net(units, &(tnn_layer){.units = units}, 1, NULL);
    float *weights = tnn_net_weights(net, 0);
    for (size_t i = 0; i < units * units; i++)
        weights[i] = i % (units + 1) == 0;
    return net;
}

static tnn_evaluation evaluate(
    const tnn_net *net, tnn_loss loss, const tnn_dataset *data, uint64_t *confusion) {
    tnn_evaluation evaluation;
    assert_ok(tnn_evaluate(net, loss, data, &evaluation, confusion));
    return evaluation;
}

static void test_evaluate_regression_has_loss_r_squared_and_absolute_error(void **state) {
    (void)state;
    static const float y[] = {1, 10, 2, 20, 3, 30};
    static const float target[] = {1, 11, 2, 22, 5, 24};
    const tnn_dataset data = {.rows = 3, .x = y, .target = target};
    tnn_net *net = new_wire(2);
    tnn_evaluation evaluation = evaluate(net, tnn_mean_squared_error(), &data, NULL);
    /* Squared errors 0 0 4 and 1 4 36; spreads 26/3 and 98. */
    assert_within(evaluation.loss, (0.5 + 2 + 20) / 3, 1e-15);
    assert_within(evaluation.r_squared, (1 - 4 / (26.0 / 3) + 1 - 41.0 / 98) / 2, 4e-16);
    assert_within(evaluation.mean_absolute_error, (0 + 1 + 0 + 2 + 2 + 6) / 6.0, 1e-15);
    tnn_net_destroy(net);
}

static void test_evaluate_classes_have_accuracy_and_confusion(void **state) {
    (void)state;
    static const float y[] = {.8f, .1f, .1f, .2f, .5f, .3f, .1f, .6f, .3f, .2f, .2f, .6f};
    static const uint32_t classes[] = {0, 1, 2, 2};
    static const float target[] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1};
    static const uint64_t expected[] = {1, 0, 0, 0, 1, 0, 0, 1, 1};
    tnn_net *net = new_wire(3);
    for (int one_hot = 0; one_hot < 2; one_hot++) {
        const tnn_dataset data = {
            .rows = 4,
            .x = y,
            .target = one_hot ? target : NULL,
            .classes = one_hot ? NULL : classes,
        };
        uint64_t confusion[9];
        tnn_evaluation evaluation = evaluate(net, tnn_cross_entropy(), &data, confusion);
        assert_within(evaluation.accuracy, 0.75, 0);
        assert_memory_equal(confusion, expected, sizeof confusion);
        double loss = -(log(0.8f) + log(0.5f) + log(0.3f) + log(0.6f)) / 4;
        assert_within(evaluation.loss, loss, 1e-7); /* 2 ulp of a float logarithm, halved */
        /* Rows err by 0.4, 1, 1.4 and 0.8; each number is a float. */
        assert_within(evaluation.mean_absolute_error, 3.6 / 12, 0x1p-24);
    }
    tnn_net_destroy(net);
}

static void test_evaluate_one_output_is_two_classes(void **state) {
    (void)state;
    static const float y[] = {0.4f, 0.6f, 0.5f, 0.9f};
    static const float target[] = {0, 1, 1, 0};
    static const uint64_t expected[] = {1, 1, 1, 1};
    const tnn_dataset data = {.rows = 4, .x = y, .target = target};
    uint64_t confusion[4];
    tnn_net *net = new_wire(1);
    tnn_evaluation evaluation = evaluate(net, tnn_binary_cross_entropy(), &data, confusion);
    assert_within(evaluation.accuracy, 0.5, 0);
    assert_memory_equal(confusion, expected, sizeof confusion);
    tnn_net_destroy(net);
}

static void test_evaluate_row_weights_count_like_repeated_rows(void **state) {
    (void)state;
    static const float once[] = {1, 2, 4}, target_once[] = {1, 3, 2}, weights[] = {1, 3, 0};
    static const float often[] = {1, 2, 2, 2}, target_often[] = {1, 3, 3, 3};
    const tnn_dataset weighted = {
        .rows = 3, .x = once, .target = target_once, .row_weights = weights};
    const tnn_dataset repeated = {.rows = 4, .x = often, .target = target_often};
    tnn_net *net = new_wire(1);
    tnn_evaluation a = evaluate(net, tnn_mean_squared_error(), &weighted, NULL);
    tnn_evaluation b = evaluate(net, tnn_mean_squared_error(), &repeated, NULL);
    assert_within(a.loss * 3, b.loss * 4, 0); /* a loss is divided by rows, not by weights */
    assert_within(a.r_squared, b.r_squared, 1e-15);
    assert_within(a.accuracy, b.accuracy, 0);
    assert_within(a.mean_absolute_error, b.mean_absolute_error, 0);
    tnn_net_destroy(net);
}

static void test_evaluate_constant_target_is_explained_wholly_or_not_at_all(void **state) {
    (void)state;
    static const float target[] = {2, 2}, wrong[] = {2, 1};
    tnn_net *net = new_wire(1);
    tnn_dataset data = {.rows = 2, .x = target, .target = target};
    assert_within(evaluate(net, tnn_mean_squared_error(), &data, NULL).r_squared, 1, 0);
    data.x = wrong;
    assert_within(evaluate(net, tnn_mean_squared_error(), &data, NULL).r_squared, 0, 0);
    tnn_net_destroy(net);
}

static void test_evaluate_outputs_that_are_no_numbers_are_never_right(void **state) {
    (void)state;
    static const float y[] = {NAN, 0, 1, 0}, target[] = {1, 0, 1, 0};
    static const uint64_t expected[] = {1, 0, 0, 0};
    const tnn_dataset data = {.rows = 2, .x = y, .target = target};
    uint64_t confusion[4];
    tnn_net *net = new_wire(2);
    tnn_evaluation evaluation = evaluate(net, tnn_mean_squared_error(), &data, confusion);
    assert_within(evaluation.accuracy, 0.5, 0);
    assert_memory_equal(confusion, expected, sizeof confusion);
    tnn_net_destroy(net);
}

static void test_evaluate_weights_of_0_leave_nothing_to_tell(void **state) {
    (void)state;
    static const float y[] = {1, 2}, weights[] = {0, 0};
    const tnn_dataset data = {.rows = 2, .x = y, .target = y, .row_weights = weights};
    tnn_net *net = new_wire(1);
    tnn_evaluation evaluation = evaluate(net, tnn_mean_squared_error(), &data, NULL);
    assert_within(evaluation.loss, 0, 0);
    assert_true(isnan(evaluation.accuracy) && isnan(evaluation.r_squared));
    assert_true(isnan(evaluation.mean_absolute_error));
    tnn_net_destroy(net);
}

/* ---- Nets as users have them ----------------------------------------------------------------- */

enum { ROWS = 700, INPUTS = 5, OUTPUTS = 3 };

static tnn_net *new_classifier(const tnn_net_options *options) {
    const tnn_layer layers[] = {
        {.units = 9, .activation = tnn_tanh(), .dropout = 0.5f},
        {.units = OUTPUTS, .activation = tnn_softmax()},
    };
    return new_net(INPUTS, layers, 2, options);
}

static void test_evaluate_loss_is_that_of_forward_without_dropout(void **state) {
    (void)state;
    static float x[ROWS * INPUTS], y[ROWS * OUTPUTS];
    static uint32_t classes[ROWS];
    uint64_t random = 3;
    fill_random(x, ROWS * INPUTS, &random, -2, 2);
    for (size_t r = 0; r < ROWS; r++)
        classes[r] = (uint32_t)(next_random(&random) % OUTPUTS);
    const tnn_dataset data = {.rows = ROWS, .x = x, .classes = classes};
    tnn_net *net = new_classifier(NULL);
    tnn_workspace *workspace = new_workspace(net, ROWS);
    assert_ok(tnn_predict(net, workspace, ROWS, x, y));
    double loss = 0;
    size_t correct = 0;
    for (size_t r = 0; r < ROWS; r++) {
        const float *row = y + r * OUTPUTS;
        loss -= log(row[classes[r]]);
        size_t best = row[1] > row[0] ? 1 : 0;
        best = row[2] > row[best] ? 2 : best;
        correct += best == classes[r];
    }
    tnn_evaluation evaluation = evaluate(net, tnn_cross_entropy(), &data, NULL);
    /* Each row's outputs err by a few units in the last place of a float, and as often up as down.
     */
    assert_within(evaluation.loss, loss / ROWS, 8 * 0x1p-24);
    assert_within(evaluation.accuracy, (double)correct / ROWS, 0);
    tnn_workspace_destroy(workspace);
    tnn_net_destroy(net);
}

static void test_evaluate_leaves_the_net_as_it_was(void **state) {
    (void)state;
    static const float x[2 * INPUTS] = {1, 2, 3};
    static const uint32_t classes[] = {0, 2};
    const tnn_dataset data = {.rows = 2, .x = x, .classes = classes};
    tnn_net *net = new_classifier(NULL), *twin = new_clone(net);
    evaluate(net, tnn_cross_entropy(), &data, NULL);
    float y[2 * OUTPUTS], expected[2 * OUTPUTS];
    assert_ok(tnn_forward(net, 2, x, y)); /* the same dropout, too */
    assert_ok(tnn_forward(twin, 2, x, expected));
    assert_same_bits(y, expected, 2 * OUTPUTS);
    assert_same_net(net, twin);
    tnn_net_destroy(net);
    tnn_net_destroy(twin);
}

static void test_evaluate_stores_a_loss_that_is_not_finite(void **state) {
    (void)state;
    const float x = NAN, target = 1;
    const tnn_dataset data = {.rows = 1, .x = &x, .target = &target};
    tnn_net *net = new_wire(1);
    assert_true(isnan(evaluate(net, tnn_mean_squared_error(), &data, NULL).loss));
    tnn_net_destroy(net);
}

static void test_evaluate_bad_arguments_are_refused(void **state) {
    (void)state;
    static const float x[INPUTS] = {0}, target[OUTPUTS] = {0};
    static const uint32_t wrong[] = {OUTPUTS};
    tnn_net *net = new_classifier(NULL);
    tnn_evaluation e;
    const tnn_dataset good = {.rows = 1, .x = x, .target = target};
    const tnn_dataset bad[] = {
        {.rows = 0, .x = x, .target = target},
        {.rows = 1, .target = target},
        {.rows = 1, .x = x},
        {.rows = 1, .x = x, .target = target, .classes = wrong},
        {.rows = 1, .x = x, .classes = wrong},
        {.rows = SIZE_MAX, .x = x, .target = target},
    };
    assert_status(tnn_evaluate(NULL, tnn_cross_entropy(), &good, &e, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_evaluate(net, tnn_cross_entropy(), NULL, &e, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_evaluate(net, tnn_cross_entropy(), &good, NULL, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_evaluate(net, (tnn_loss){0}, &good, &e, NULL), TNN_INVALID_ARGUMENT);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_status(
            tnn_evaluate(net, tnn_cross_entropy(), &bad[i], &e, NULL),
            bad[i].rows == SIZE_MAX ? TNN_OUT_OF_MEMORY : TNN_INVALID_ARGUMENT);
    tnn_net_destroy(net);
}

static void test_evaluate_without_memory_changes_nothing(void **state) {
    (void)state;
    static const float x[2 * INPUTS];
    static const uint32_t classes[] = {0, 2};
    const tnn_dataset data = {.rows = 2, .x = x, .classes = classes};
    static test_allocator memory;
    tnn_net *net = new_classifier(&(tnn_net_options){.allocator = init_test_allocator(&memory)});
    size_t live = memory.live;
    tnn_status status = TNN_OUT_OF_MEMORY;
    size_t failures = 0;
    for (; status == TNN_OUT_OF_MEMORY; failures++) {
        uint64_t confusion[9] = {77};
        tnn_evaluation evaluation = {.loss = 77};
        memory.calls = 0;
        memory.fail_at = failures + 1;
        status = tnn_evaluate(net, tnn_cross_entropy(), &data, &evaluation, confusion);
        assert_int_equal(memory.live, live);
        if (status != TNN_OK)
            assert_true(confusion[0] == 77 && evaluation.loss == 77);
    }
    assert_status(status, TNN_OK);
    assert_true(failures > 3);
    tnn_net_destroy(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_evaluate_regression_has_loss_r_squared_and_absolute_error),
        cmocka_unit_test(test_evaluate_classes_have_accuracy_and_confusion),
        cmocka_unit_test(test_evaluate_one_output_is_two_classes),
        cmocka_unit_test(test_evaluate_row_weights_count_like_repeated_rows),
        cmocka_unit_test(test_evaluate_constant_target_is_explained_wholly_or_not_at_all),
        cmocka_unit_test(test_evaluate_outputs_that_are_no_numbers_are_never_right),
        cmocka_unit_test(test_evaluate_weights_of_0_leave_nothing_to_tell),
        cmocka_unit_test(test_evaluate_loss_is_that_of_forward_without_dropout),
        cmocka_unit_test(test_evaluate_leaves_the_net_as_it_was),
        cmocka_unit_test(test_evaluate_stores_a_loss_that_is_not_finite),
        cmocka_unit_test(test_evaluate_bad_arguments_are_refused),
        cmocka_unit_test(test_evaluate_without_memory_changes_nothing),
    };
    return cmocka_run_group_tests_name("evaluate", tests, NULL, NULL);
}
