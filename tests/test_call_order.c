/*
 * test_call_order.c: which call may follow which, what each of them leaves behind, and whom a
 * workspace or an optimizer serves. Every rule of the header, one test each.
 */
#include "support/test_nets.h"

#include <math.h>
#include <string.h>

/* ---- The fixture ----------------------------------------------------------------------------- */

enum { INPUTS = 3, OUTPUTS = 2, ROWS = 4, MAX_PARAMETERS = 64, SEED = 5 };

static const float LEARNING_RATE = 0.375f;

/* A net 3-5-2 with tanh, and two batches for it. */
typedef struct fixture {
    tnn_net *net;
    tnn_optimizer *optimizer;
    tnn_workspace *workspace;
    tnn_loss loss;
    size_t count; /* of parameters */
    float x[2][ROWS * INPUTS];
    float target[2][ROWS * OUTPUTS];
    float y[ROWS * OUTPUTS];
    tnn_dataset batch;
} fixture;

static tnn_net *new_fixture_net(tnn_activation activation, float dropout) {
    tnn_layer layers[] = {
        {.units = 5, .activation = activation, .dropout = dropout}, {.units = OUTPUTS}};
    tnn_net_options options = {.seed = SEED};
    return new_net(INPUTS, layers, 2, &options);
}

static int set_up(void **state) {
    static fixture f;
    uint64_t random = 2;
    f.net = new_fixture_net(tnn_tanh(), 0);
    f.optimizer = new_optimizer(f.net, LEARNING_RATE);
    f.workspace = new_workspace(f.net, ROWS);
    f.loss = tnn_half_squared_error();
    f.count = tnn_net_parameter_count(f.net);
    fill_random(f.x[0], 2 * ROWS * INPUTS, &random, -1, 1);
    fill_random(f.target[0], 2 * ROWS * OUTPUTS, &random, -1, 1);
    f.batch = (tnn_dataset){.rows = ROWS, .x = f.x[0], .target = f.target[0]};
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    tnn_workspace_destroy(f->workspace);
    tnn_optimizer_destroy(f->optimizer);
    tnn_net_destroy(f->net);
    return 0;
}

static void forward(fixture *f) {
    assert_ok(tnn_forward(f->net, ROWS, f->x[0], NULL));
}

static void backward(fixture *f) {
    assert_ok(tnn_backward(f->net, f->loss, f->target[0], NULL));
}

static void assert_nothing_pending(fixture *f) {
    snapshot before = take_snapshot(f->net);
    assert_status(tnn_backward(f->net, f->loss, f->target[0], NULL), TNN_BAD_STATE);
    assert_unchanged(f->net, &before);
    free_snapshot(&before);
}

static void assert_pending(fixture *f) {
    backward(f);
}

/* ---- Backward consumes a forward ------------------------------------------------------------- */

static void test_call_order_backward_is_bad_state_without_a_forward(void **state) {
    fixture *f = *state;
    float input_gradient[ROWS * INPUTS];
    assert_status(tnn_backward(f->net, f->loss, f->target[0], NULL), TNN_BAD_STATE);
    assert_status(tnn_backward_from(f->net, f->target[0], input_gradient), TNN_BAD_STATE);
    assert_all_zero(tnn_net_gradients(f->net), f->count);
}

static void test_call_order_second_backward_is_bad_state(void **state) {
    fixture *f = *state;
    forward(f);
    backward(f);
    assert_nothing_pending(f);
}

static void test_call_order_second_backward_from_is_bad_state(void **state) {
    fixture *f = *state;
    snapshot before;
    forward(f);
    assert_ok(tnn_backward_from(f->net, f->target[0], NULL));
    before = take_snapshot(f->net);
    assert_status(tnn_backward_from(f->net, f->target[0], NULL), TNN_BAD_STATE);
    assert_unchanged(f->net, &before);
    free_snapshot(&before);
}

static void test_call_order_backward_and_backward_from_consume_the_same_forward(void **state) {
    fixture *f = *state;
    forward(f);
    backward(f);
    assert_status(tnn_backward_from(f->net, f->target[0], NULL), TNN_BAD_STATE);
    forward(f);
    assert_ok(tnn_backward_from(f->net, f->target[0], NULL));
    assert_nothing_pending(f);
}

static void test_call_order_backward_uses_the_rows_of_the_last_forward(void **state) {
    fixture *f = *state;
    tnn_net *plain = new_clone(f->net);
    assert_ok(tnn_forward(f->net, ROWS, f->x[0], NULL));
    assert_ok(tnn_forward(f->net, 2, f->x[1], NULL));
    assert_ok(tnn_backward(f->net, f->loss, f->target[1], NULL));
    assert_ok(tnn_forward(plain, 2, f->x[1], NULL));
    assert_ok(tnn_backward(plain, f->loss, f->target[1], NULL));
    assert_same_net(f->net, plain);
    tnn_net_destroy(plain);
}

/* ---- What discards a pending forward --------------------------------------------------------- */

static void test_call_order_train_discards_a_pending_forward(void **state) {
    fixture *f = *state;
    forward(f);
    assert_ok(tnn_train(f->net, f->optimizer, f->loss, &f->batch, NULL));
    assert_nothing_pending(f);
}

static void test_call_order_step_discards_a_pending_forward(void **state) {
    fixture *f = *state;
    forward(f);
    assert_ok(tnn_step(f->net, f->optimizer));
    assert_nothing_pending(f);
}

static void test_call_order_reserve_discards_a_pending_forward(void **state) {
    fixture *f = *state;
    forward(f);
    assert_ok(tnn_net_reserve(f->net, 1));
    assert_nothing_pending(f);
    forward(f);
    assert_ok(tnn_net_reserve(f->net, 100 * ROWS));
    assert_nothing_pending(f);
}

static void test_call_order_failed_forward_discards_a_pending_one(void **state) {
    fixture *f = *state;
    forward(f);
    assert_status(tnn_forward(f->net, 0, f->x[0], NULL), TNN_INVALID_ARGUMENT);
    assert_nothing_pending(f);
    forward(f);
    assert_status(tnn_forward(f->net, ROWS, f->x[0], f->x[0]), TNN_INVALID_ARGUMENT);
    assert_nothing_pending(f);
}

static void test_call_order_failed_backward_discards_a_pending_forward(void **state) {
    fixture *f = *state;
    forward(f);
    assert_status(tnn_backward(f->net, f->loss, NULL, NULL), TNN_INVALID_ARGUMENT);
    assert_nothing_pending(f);
    forward(f);
    assert_status(tnn_backward(f->net, (tnn_loss){0}, f->target[0], NULL), TNN_INVALID_ARGUMENT);
    assert_nothing_pending(f);
}

static void test_call_order_failed_backward_from_discards_a_pending_forward(void **state) {
    fixture *f = *state;
    forward(f);
    assert_status(tnn_backward_from(f->net, NULL, NULL), TNN_INVALID_ARGUMENT);
    assert_nothing_pending(f);
}

static void test_call_order_failed_step_discards_a_pending_forward(void **state) {
    fixture *f = *state;
    forward(f);
    assert_status(tnn_step(f->net, NULL), TNN_INVALID_ARGUMENT);
    assert_nothing_pending(f);
}

static void test_call_order_failed_train_discards_a_pending_forward(void **state) {
    fixture *f = *state;
    forward(f);
    assert_status(tnn_train(f->net, f->optimizer, f->loss, NULL, NULL), TNN_INVALID_ARGUMENT);
    assert_nothing_pending(f);
}

static void test_call_order_loss_that_is_not_finite_discards_a_pending_forward(void **state) {
    fixture *f = *state;
    const float target[ROWS * OUTPUTS] = {NAN};
    forward(f);
    assert_status(tnn_backward(f->net, f->loss, target, NULL), TNN_NOT_FINITE);
    assert_nothing_pending(f);
}

/* ---- What does not --------------------------------------------------------------------------- */

static void test_call_order_predict_leaves_a_pending_forward_alone(void **state) {
    fixture *f = *state;
    tnn_net *plain = new_clone(f->net);
    forward(f);
    assert_ok(tnn_predict(f->net, f->workspace, ROWS, f->x[1], f->y));
    backward(f);
    assert_ok(tnn_forward(plain, ROWS, f->x[0], NULL));
    assert_ok(tnn_backward(plain, f->loss, f->target[0], NULL));
    assert_same_net(f->net, plain);
    tnn_net_destroy(plain);
}

static void test_call_order_failed_predict_leaves_a_pending_forward_alone(void **state) {
    fixture *f = *state;
    forward(f);
    assert_status(tnn_predict(f->net, f->workspace, 0, f->x[1], f->y), TNN_INVALID_ARGUMENT);
    assert_pending(f);
}

static void test_call_order_clone_and_create_leave_a_pending_forward_alone(void **state) {
    fixture *f = *state;
    forward(f);
    tnn_net_destroy(new_clone(f->net));
    tnn_optimizer_destroy(new_optimizer(f->net, 1));
    tnn_workspace_destroy(new_workspace(f->net, 1));
    assert_pending(f);
}

static void test_call_order_getters_leave_a_pending_forward_alone(void **state) {
    fixture *f = *state;
    forward(f);
    assert_non_null(tnn_net_parameters(f->net));
    assert_non_null(tnn_net_gradients(f->net));
    assert_non_null(tnn_net_weights(f->net, 0));
    assert_null(tnn_net_biases(f->net, 2));
    assert_pending(f);
}

static void test_call_order_check_gradients_leaves_the_net_as_it_was(void **state) {
    fixture *f = *state;
    double worst;
    forward(f);
    backward(f);
    forward(f);
    snapshot before = take_snapshot(f->net);
    assert_ok(tnn_check_gradients(f->net, f->loss, ROWS, f->x[1], f->target[1], &worst));
    assert_unchanged(f->net, &before);
    assert_pending(f);
    free_snapshot(&before);
}

/* ---- Gradients ------------------------------------------------------------------------------- */

static void test_call_order_gradients_are_zero_after_create(void **state) {
    fixture *f = *state;
    assert_all_zero(tnn_net_gradients(f->net), f->count);
}

static void test_call_order_gradients_are_zero_after_step(void **state) {
    fixture *f = *state;
    forward(f);
    backward(f);
    assert_ok(tnn_step(f->net, f->optimizer));
    assert_all_zero(tnn_net_gradients(f->net), f->count);
}

static void test_call_order_gradients_are_zero_after_train(void **state) {
    fixture *f = *state;
    assert_ok(tnn_train(f->net, f->optimizer, f->loss, &f->batch, NULL));
    assert_all_zero(tnn_net_gradients(f->net), f->count);
    forward(f);
    backward(f);
    assert_ok(tnn_train(f->net, f->optimizer, f->loss, &f->batch, NULL));
    assert_all_zero(tnn_net_gradients(f->net), f->count);
}

static void test_call_order_forward_leaves_gradients_alone(void **state) {
    fixture *f = *state;
    forward(f);
    backward(f);
    snapshot before = take_snapshot(f->net);
    forward(f);
    assert_unchanged(f->net, &before);
    free_snapshot(&before);
}

/* Old and new gradients are added once: rounded once, or rows + 1 times if the chain goes on. */
static void assert_sum_of(
    const float *sum, const float *first, const float *second, size_t count, size_t roundings) {
    float largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmaxf(largest, fabsf(first[i]) + fabsf(second[i]));
    for (size_t i = 0; i < count; i++)
        assert_within(sum[i], (double)first[i] + second[i], (double)roundings * 0x1p-23 * largest);
}

static void test_call_order_two_backwards_add_two_means(void **state) {
    fixture *f = *state;
    snapshot alone[2];
    for (size_t i = 0; i < 2; i++) {
        tnn_net *net = new_clone(f->net);
        assert_ok(tnn_forward(net, ROWS, f->x[i], NULL));
        assert_ok(tnn_backward(net, f->loss, f->target[i], NULL));
        alone[i] = take_snapshot(net);
        tnn_net_destroy(net);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_ok(tnn_forward(f->net, ROWS, f->x[i], NULL));
        assert_ok(tnn_backward(f->net, f->loss, f->target[i], NULL));
    }
    assert_sum_of(
        tnn_net_gradients(f->net), alone[0].gradients, alone[1].gradients, f->count, ROWS + 1);
    free_snapshot(&alone[0]);
    free_snapshot(&alone[1]);
}

static void test_call_order_backward_adds_to_what_the_caller_wrote(void **state) {
    fixture *f = *state;
    float written[MAX_PARAMETERS];
    uint64_t random = 7;
    forward(f);
    backward(f);
    snapshot alone = take_snapshot(f->net);
    fill_random(written, f->count, &random, -1, 1);
    memcpy(tnn_net_gradients(f->net), written, f->count * sizeof *written);
    forward(f);
    backward(f);
    assert_sum_of(tnn_net_gradients(f->net), written, alone.gradients, f->count, ROWS + 1);
    free_snapshot(&alone);
}

static void test_call_order_backward_from_adds(void **state) {
    fixture *f = *state;
    forward(f);
    assert_ok(tnn_backward_from(f->net, f->target[0], NULL));
    snapshot once = take_snapshot(f->net);
    forward(f);
    assert_ok(tnn_backward_from(f->net, f->target[0], NULL));
    assert_sum_of(tnn_net_gradients(f->net), once.gradients, once.gradients, f->count, ROWS + 1);
    free_snapshot(&once);
}

/* ---- Step ------------------------------------------------------------------------------------ */

/* p - learning_rate g: one rounding where the kernels are fused, two where they are not. */
static void assert_stepped(
    const tnn_net *net, const snapshot *before, const float *gradients, float rate) {
    const float *after = tnn_net_read_parameters(net);
    bool fused = kernels_are_fused(tnn_net_kernel_name(net));
    for (size_t i = 0; i < before->count; i++) {
        float product = rate * gradients[i];
        float unfused = before->parameters[i] - product;
        float expected = fused ? fmaf(-rate, gradients[i], before->parameters[i]) : unfused;
        assert_same_bits(after + i, &expected, 1);
    }
}

static void test_call_order_step_applies_what_backward_left(void **state) {
    fixture *f = *state;
    forward(f);
    backward(f);
    snapshot before = take_snapshot(f->net);
    assert_ok(tnn_step(f->net, f->optimizer));
    assert_stepped(f->net, &before, before.gradients, LEARNING_RATE);
    free_snapshot(&before);
}

static void test_call_order_step_applies_what_the_caller_wrote(void **state) {
    fixture *f = *state;
    float written[MAX_PARAMETERS];
    uint64_t random = 9;
    snapshot before = take_snapshot(f->net);
    fill_random(written, f->count, &random, -1, 1);
    memcpy(tnn_net_gradients(f->net), written, f->count * sizeof *written);
    assert_ok(tnn_step(f->net, f->optimizer));
    assert_stepped(f->net, &before, written, LEARNING_RATE);
    free_snapshot(&before);
}

static void test_call_order_step_without_gradients_changes_nothing(void **state) {
    fixture *f = *state;
    snapshot before = take_snapshot(f->net);
    assert_ok(tnn_step(f->net, f->optimizer));
    assert_unchanged(f->net, &before);
    forward(f);
    backward(f);
    assert_ok(tnn_step(f->net, f->optimizer));
    snapshot stepped = take_snapshot(f->net);
    assert_ok(tnn_step(f->net, f->optimizer));
    assert_unchanged(f->net, &stepped);
    free_snapshot(&stepped);
    free_snapshot(&before);
}

static void test_call_order_learning_rate_counts_from_the_next_step_on(void **state) {
    fixture *f = *state;
    forward(f);
    backward(f);
    snapshot before = take_snapshot(f->net);
    assert_ok(tnn_optimizer_set_learning_rate(f->optimizer, 0.0625f));
    assert_ok(tnn_step(f->net, f->optimizer));
    assert_stepped(f->net, &before, before.gradients, 0.0625f);
    free_snapshot(&before);
}

/* ---- Train ----------------------------------------------------------------------------------- */

static void three_verbs(fixture *f, tnn_net *net, double *value) {
    assert_ok(tnn_forward(net, ROWS, f->x[0], NULL));
    assert_ok(tnn_backward(net, f->loss, f->target[0], value));
    assert_ok(tnn_step(net, f->optimizer));
}

static void assert_train_is_the_three_verbs(fixture *f, tnn_net *plain) {
    double value, plain_value;
    assert_ok(tnn_train(f->net, f->optimizer, f->loss, &f->batch, &value));
    three_verbs(f, plain, &plain_value);
    assert_memory_equal(&value, &plain_value, sizeof value);
    assert_same_net(f->net, plain);
}

static void test_call_order_train_is_the_three_verbs(void **state) {
    fixture *f = *state;
    tnn_net *plain = new_clone(f->net);
    assert_train_is_the_three_verbs(f, plain);
    assert_train_is_the_three_verbs(f, plain);
    tnn_net_destroy(plain);
}

static void test_call_order_train_with_pending_gradients_is_the_three_verbs(void **state) {
    fixture *f = *state;
    tnn_net *plain = new_clone(f->net), *nets[] = {f->net, plain};
    for (size_t i = 0; i < 2; i++) {
        assert_ok(tnn_forward(nets[i], ROWS, f->x[1], NULL));
        assert_ok(tnn_backward(nets[i], f->loss, f->target[1], NULL));
    }
    assert_train_is_the_three_verbs(f, plain);
    tnn_net_destroy(plain);
}

static void test_call_order_train_with_written_gradients_is_the_three_verbs(void **state) {
    fixture *f = *state;
    tnn_net *plain = new_clone(f->net), *nets[] = {f->net, plain};
    for (size_t i = 0; i < 2; i++) {
        uint64_t random = 13;
        fill_random(tnn_net_gradients(nets[i]), f->count, &random, -1, 1);
    }
    assert_train_is_the_three_verbs(f, plain);
    tnn_net_destroy(plain);
}

static void test_call_order_train_tells_the_loss_before_the_step(void **state) {
    fixture *f = *state;
    double value, before;
    assert_ok(tnn_forward(f->net, ROWS, f->x[0], NULL));
    assert_ok(tnn_backward(f->net, f->loss, f->target[0], &before));
    memset(tnn_net_gradients(f->net), 0, f->count * sizeof(float));
    assert_ok(tnn_train(f->net, f->optimizer, f->loss, &f->batch, &value));
    assert_within(value, before, 0);
}

/* ---- Clone ----------------------------------------------------------------------------------- */

static void test_call_order_clone_has_the_parameters_but_no_gradients(void **state) {
    fixture *f = *state;
    forward(f);
    backward(f);
    tnn_net *copy = new_clone(f->net);
    assert_same_bits(tnn_net_parameters(copy), tnn_net_parameters(f->net), f->count);
    assert_all_zero(tnn_net_gradients(copy), f->count);
    tnn_net_destroy(copy);
}

static void test_call_order_clone_has_no_pending_forward(void **state) {
    fixture *f = *state;
    forward(f);
    tnn_net *copy = new_clone(f->net);
    assert_status(tnn_backward(copy, f->loss, f->target[0], NULL), TNN_BAD_STATE);
    tnn_net_destroy(copy);
}

static void test_call_order_clone_is_a_net_of_its_own(void **state) {
    fixture *f = *state;
    tnn_net *copy = new_clone(f->net);
    snapshot before = take_snapshot(copy);
    assert_ok(tnn_train(f->net, f->optimizer, f->loss, &f->batch, NULL));
    assert_unchanged(copy, &before);
    free_snapshot(&before);
    tnn_net_destroy(copy);
}

static void test_call_order_clone_outlives_its_net(void **state) {
    fixture *f = *state;
    float y[ROWS * OUTPUTS];
    tnn_net *net = new_clone(f->net), *copy = new_clone(net);
    tnn_net_destroy(net);
    assert_ok(tnn_predict(f->net, f->workspace, ROWS, f->x[0], f->y));
    assert_ok(tnn_predict(copy, f->workspace, ROWS, f->x[0], y));
    assert_same_bits(y, f->y, ROWS * OUTPUTS);
    tnn_net_destroy(copy);
}

/* Seed and count of forwards are seen in the dropout of the forwards that follow. */
static void test_call_order_clone_has_the_seed_and_the_count_of_forwards(void **state) {
    fixture *f = *state;
    float first[ROWS * OUTPUTS], y[ROWS * OUTPUTS];
    tnn_net *net = new_fixture_net(tnn_tanh(), 0.5f);
    assert_ok(tnn_forward(net, ROWS, f->x[0], first));
    assert_ok(tnn_forward(net, ROWS, f->x[0], NULL));
    tnn_net *copy = new_clone(net);
    for (int i = 0; i < 3; i++) {
        assert_ok(tnn_forward(net, ROWS, f->x[0], f->y));
        assert_ok(tnn_forward(copy, ROWS, f->x[0], y));
        assert_same_bits(y, f->y, ROWS * OUTPUTS);
        assert_memory_not_equal(y, first, sizeof y);
    }
    tnn_net_destroy(copy);
    tnn_net_destroy(net);
}

static void test_call_order_predict_does_not_count_as_a_forward(void **state) {
    fixture *f = *state;
    float y[ROWS * OUTPUTS];
    tnn_net *net = new_fixture_net(tnn_tanh(), 0.5f), *copy = new_clone(net);
    assert_ok(tnn_predict(net, f->workspace, ROWS, f->x[0], y));
    assert_ok(tnn_forward(net, ROWS, f->x[0], f->y));
    assert_ok(tnn_forward(copy, ROWS, f->x[0], y));
    assert_same_bits(y, f->y, ROWS * OUTPUTS);
    tnn_net_destroy(copy);
    tnn_net_destroy(net);
}

static void test_call_order_check_gradients_does_not_count_as_a_forward(void **state) {
    fixture *f = *state;
    float y[ROWS * OUTPUTS];
    double worst;
    tnn_net *net = new_fixture_net(tnn_tanh(), 0.5f), *copy = new_clone(net);
    assert_ok(tnn_check_gradients(net, f->loss, ROWS, f->x[0], f->target[0], &worst));
    assert_true(worst < 0.01); /* dropout off */
    assert_ok(tnn_forward(net, ROWS, f->x[0], f->y));
    assert_ok(tnn_forward(copy, ROWS, f->x[0], y));
    assert_same_bits(y, f->y, ROWS * OUTPUTS);
    tnn_net_destroy(copy);
    tnn_net_destroy(net);
}

/* ---- A loss that is not finite --------------------------------------------------------------- */

/* Gradients that backward left before have to be there after, too. */
static void assert_not_finite(fixture *f, const float *target, bool (*is)(double value)) {
    double value = 0;
    tnn_dataset batch = {.rows = ROWS, .x = f->x[0], .target = target};
    snapshot before = take_snapshot(f->net);
    forward(f);
    assert_status(tnn_backward(f->net, f->loss, target, &value), TNN_NOT_FINITE);
    assert_true(is(value));
    assert_unchanged(f->net, &before);
    value = 0;
    assert_status(tnn_train(f->net, f->optimizer, f->loss, &batch, &value), TNN_NOT_FINITE);
    assert_true(is(value));
    assert_unchanged(f->net, &before);
    free_snapshot(&before);
}

static bool is_nan(double value) {
    return isnan(value);
}

static bool is_infinite(double value) {
    return isinf(value);
}

static void test_call_order_nothing_is_written_where_a_target_is_nan(void **state) {
    fixture *f = *state;
    forward(f);
    backward(f);
    f->target[1][ROWS * OUTPUTS - 1] = NAN;
    assert_not_finite(f, f->target[1], is_nan);
}

static void test_call_order_nothing_is_written_where_a_target_is_infinite(void **state) {
    fixture *f = *state;
    forward(f);
    backward(f);
    f->target[1][0] = INFINITY;
    assert_not_finite(f, f->target[1], is_infinite);
}

static void test_call_order_nothing_is_written_where_a_weight_is_infinite(void **state) {
    fixture *f = *state;
    forward(f);
    backward(f);
    tnn_net_biases(f->net, 1)[1] = INFINITY;
    assert_not_finite(f, f->target[0], is_infinite);
}

static void test_call_order_nothing_is_written_where_x_is_nan(void **state) {
    fixture *f = *state;
    forward(f);
    backward(f);
    f->x[0][4] = NAN;
    assert_not_finite(f, f->target[0], is_nan);
}

static void test_call_order_nothing_is_written_where_a_row_weight_is_nan(void **state) {
    fixture *f = *state;
    const float row_weights[ROWS] = {1, 1, NAN, 1};
    double value = 0;
    forward(f);
    backward(f);
    snapshot before = take_snapshot(f->net);
    f->batch.row_weights = row_weights;
    assert_status(tnn_train(f->net, f->optimizer, f->loss, &f->batch, &value), TNN_NOT_FINITE);
    assert_true(isnan(value));
    assert_unchanged(f->net, &before);
    free_snapshot(&before);
}

static void test_call_order_gradients_are_still_zero_where_the_first_loss_is_not_finite(
    void **state) {
    fixture *f = *state;
    f->target[1][0] = NAN;
    assert_not_finite(f, f->target[1], is_nan);
    assert_all_zero(tnn_net_gradients(f->net), f->count);
}

/* ---- Parameters written between calls -------------------------------------------------------- */

static void test_call_order_parameters_keep_their_address(void **state) {
    fixture *f = *state;
    float *parameters = tnn_net_parameters(f->net);
    assert_ok(tnn_net_reserve(f->net, 10 * ROWS));
    assert_ok(tnn_train(f->net, f->optimizer, f->loss, &f->batch, NULL));
    forward(f);
    backward(f);
    assert_ok(tnn_step(f->net, f->optimizer));
    assert_ptr_equal(tnn_net_parameters(f->net), parameters);
}

/* With all weights at 0 the output is the last bias. */
static void write_constant(tnn_net *net, float output) {
    memset(tnn_net_parameters(net), 0, tnn_net_parameter_count(net) * sizeof(float));
    for (size_t i = 0; i < OUTPUTS; i++)
        tnn_net_biases(net, 1)[i] = output;
}

static void assert_all_are(const float *y, float expected) {
    for (size_t i = 0; i < ROWS * OUTPUTS; i++)
        assert_within(y[i], expected, 0);
}

static void test_call_order_written_parameters_count_at_the_next_predict_and_forward(void **state) {
    fixture *f = *state;
    for (int i = 1; i <= 3; i++) {
        write_constant(f->net, (float)i);
        assert_ok(tnn_predict(f->net, f->workspace, ROWS, f->x[0], f->y));
        assert_all_are(f->y, (float)i);
        write_constant(f->net, (float)-i);
        assert_ok(tnn_forward(f->net, ROWS, f->x[0], f->y));
        assert_all_are(f->y, (float)-i);
    }
}

static void test_call_order_written_parameters_count_at_the_next_backward(void **state) {
    fixture *f = *state;
    float input_gradient[ROWS * INPUTS];
    forward(f);
    write_constant(f->net, 0);
    assert_ok(tnn_backward_from(f->net, f->target[0], input_gradient));
    assert_all_zero(input_gradient, ROWS * INPUTS);
}

static void test_call_order_written_parameters_count_at_the_next_step_and_train(void **state) {
    fixture *f = *state;
    double value;
    forward(f);
    backward(f);
    write_constant(f->net, 1);
    snapshot written = take_snapshot(f->net);
    assert_ok(tnn_step(f->net, f->optimizer));
    assert_stepped(f->net, &written, written.gradients, LEARNING_RATE);
    write_constant(f->net, 2);
    memset(f->target[0], 0, sizeof f->target[0]);
    assert_ok(tnn_train(f->net, f->optimizer, f->loss, &f->batch, &value));
    assert_within(value, 0.5 * OUTPUTS * 2 * 2, 0);
    free_snapshot(&written);
}

/* ---- Workspaces and optimizers --------------------------------------------------------------- */

static void test_call_order_workspace_outlives_its_net_and_serves_another(void **state) {
    fixture *f = *state;
    float y[ROWS * OUTPUTS];
    tnn_net *net = new_fixture_net(tnn_relu(), 0), *other = new_fixture_net(tnn_gelu(), 0);
    tnn_workspace *workspace = new_workspace(net, ROWS), *own = new_workspace(other, ROWS);
    tnn_net_destroy(net);
    assert_ok(tnn_predict(other, workspace, ROWS, f->x[0], y));
    assert_ok(tnn_predict(other, own, ROWS, f->x[0], f->y));
    assert_same_bits(y, f->y, ROWS * OUTPUTS);
    tnn_net_destroy(other);
    assert_ok(tnn_predict(f->net, workspace, ROWS, f->x[0], y));
    assert_ok(tnn_predict(f->net, f->workspace, ROWS, f->x[0], f->y));
    assert_same_bits(y, f->y, ROWS * OUTPUTS);
    tnn_workspace_destroy(own);
    tnn_workspace_destroy(workspace);
}

static void test_call_order_optimizer_outlives_its_net_and_serves_another(void **state) {
    fixture *f = *state;
    tnn_net *net = new_fixture_net(tnn_relu(), 0.5f);
    tnn_optimizer *optimizer = new_optimizer(net, LEARNING_RATE);
    tnn_net_destroy(net);
    tnn_net *plain = new_clone(f->net);
    assert_ok(tnn_train(f->net, optimizer, f->loss, &f->batch, NULL));
    assert_ok(tnn_train(plain, f->optimizer, f->loss, &f->batch, NULL));
    assert_same_net(f->net, plain);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(plain);
}

/* What is passed to create is copied: layers and options may be gone before the first call. */
static void test_call_order_create_copies_what_it_is_given(void **state) {
    fixture *f = *state;
    float y[ROWS * OUTPUTS];
    tnn_layer layers[] = {{.units = 5, .activation = tnn_tanh()}, {.units = OUTPUTS}};
    char kernels[] = "portable";
    tnn_net_options options = {.seed = SEED, .kernels = kernels};
    tnn_net *net = new_net(INPUTS, layers, 2, &options);
    memset(layers, 0xff, sizeof layers);
    memset(&options, 0xff, sizeof options);
    memset(kernels, '?', sizeof kernels - 1);
    assert_string_equal(tnn_net_kernel_name(net), "portable");
    assert_ok(tnn_predict(net, f->workspace, ROWS, f->x[0], y));
    assert_ok(tnn_forward(net, ROWS, f->x[0], f->y));
    assert_same_bits(y, f->y, ROWS * OUTPUTS);
    tnn_net_destroy(net);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_call_order_backward_is_bad_state_without_a_forward),
        WITH_FIXTURE(test_call_order_second_backward_is_bad_state),
        WITH_FIXTURE(test_call_order_second_backward_from_is_bad_state),
        WITH_FIXTURE(test_call_order_backward_and_backward_from_consume_the_same_forward),
        WITH_FIXTURE(test_call_order_backward_uses_the_rows_of_the_last_forward),
        WITH_FIXTURE(test_call_order_train_discards_a_pending_forward),
        WITH_FIXTURE(test_call_order_step_discards_a_pending_forward),
        WITH_FIXTURE(test_call_order_reserve_discards_a_pending_forward),
        WITH_FIXTURE(test_call_order_failed_forward_discards_a_pending_one),
        WITH_FIXTURE(test_call_order_failed_backward_discards_a_pending_forward),
        WITH_FIXTURE(test_call_order_failed_backward_from_discards_a_pending_forward),
        WITH_FIXTURE(test_call_order_failed_step_discards_a_pending_forward),
        WITH_FIXTURE(test_call_order_failed_train_discards_a_pending_forward),
        WITH_FIXTURE(test_call_order_loss_that_is_not_finite_discards_a_pending_forward),
        WITH_FIXTURE(test_call_order_predict_leaves_a_pending_forward_alone),
        WITH_FIXTURE(test_call_order_failed_predict_leaves_a_pending_forward_alone),
        WITH_FIXTURE(test_call_order_clone_and_create_leave_a_pending_forward_alone),
        WITH_FIXTURE(test_call_order_getters_leave_a_pending_forward_alone),
        WITH_FIXTURE(test_call_order_check_gradients_leaves_the_net_as_it_was),
        WITH_FIXTURE(test_call_order_gradients_are_zero_after_create),
        WITH_FIXTURE(test_call_order_gradients_are_zero_after_step),
        WITH_FIXTURE(test_call_order_gradients_are_zero_after_train),
        WITH_FIXTURE(test_call_order_forward_leaves_gradients_alone),
        WITH_FIXTURE(test_call_order_two_backwards_add_two_means),
        WITH_FIXTURE(test_call_order_backward_adds_to_what_the_caller_wrote),
        WITH_FIXTURE(test_call_order_backward_from_adds),
        WITH_FIXTURE(test_call_order_step_applies_what_backward_left),
        WITH_FIXTURE(test_call_order_step_applies_what_the_caller_wrote),
        WITH_FIXTURE(test_call_order_step_without_gradients_changes_nothing),
        WITH_FIXTURE(test_call_order_learning_rate_counts_from_the_next_step_on),
        WITH_FIXTURE(test_call_order_train_is_the_three_verbs),
        WITH_FIXTURE(test_call_order_train_with_pending_gradients_is_the_three_verbs),
        WITH_FIXTURE(test_call_order_train_with_written_gradients_is_the_three_verbs),
        WITH_FIXTURE(test_call_order_train_tells_the_loss_before_the_step),
        WITH_FIXTURE(test_call_order_clone_has_the_parameters_but_no_gradients),
        WITH_FIXTURE(test_call_order_clone_has_no_pending_forward),
        WITH_FIXTURE(test_call_order_clone_is_a_net_of_its_own),
        WITH_FIXTURE(test_call_order_clone_outlives_its_net),
        WITH_FIXTURE(test_call_order_clone_has_the_seed_and_the_count_of_forwards),
        WITH_FIXTURE(test_call_order_predict_does_not_count_as_a_forward),
        WITH_FIXTURE(test_call_order_check_gradients_does_not_count_as_a_forward),
        WITH_FIXTURE(test_call_order_nothing_is_written_where_a_target_is_nan),
        WITH_FIXTURE(test_call_order_nothing_is_written_where_a_target_is_infinite),
        WITH_FIXTURE(test_call_order_nothing_is_written_where_a_weight_is_infinite),
        WITH_FIXTURE(test_call_order_nothing_is_written_where_x_is_nan),
        WITH_FIXTURE(test_call_order_nothing_is_written_where_a_row_weight_is_nan),
        WITH_FIXTURE(test_call_order_gradients_are_still_zero_where_the_first_loss_is_not_finite),
        WITH_FIXTURE(test_call_order_parameters_keep_their_address),
        WITH_FIXTURE(test_call_order_written_parameters_count_at_the_next_predict_and_forward),
        WITH_FIXTURE(test_call_order_written_parameters_count_at_the_next_backward),
        WITH_FIXTURE(test_call_order_written_parameters_count_at_the_next_step_and_train),
        WITH_FIXTURE(test_call_order_workspace_outlives_its_net_and_serves_another),
        WITH_FIXTURE(test_call_order_optimizer_outlives_its_net_and_serves_another),
        WITH_FIXTURE(test_call_order_create_copies_what_it_is_given),
    };
    return cmocka_run_group_tests_name("call_order", tests, NULL, NULL);
}
