/*
 * test_scaling.c: scaling that belongs to a net. A net with it does what a plain net with the same
 * weights does with arrays that were scaled before, to the bit: in every verb, on every kernel
 * table, with threads. And a scaling is what its columns make of it.
 */
#include "support/guard_pages.h"
#include "support/kernel_tables.h"
#include "support/test_allocators.h"
#include "support/test_nets.h"

#include "net.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- A net with threads and its plain twin, which has one ------------------------------------ */

enum { INPUTS = 37, OUTPUTS = 35, MAX_ROWS = 70, MOST_THREADS = 4 };

/* Raw arrays, and the same scaled here. A gradient of outputs is divided by their scale. */
static float x[MAX_ROWS * INPUTS], scaled_x[MAX_ROWS * INPUTS];
static float target[MAX_ROWS * OUTPUTS], scaled_target[MAX_ROWS * OUTPUTS];
static float gradient[MAX_ROWS * OUTPUTS], scaled_gradient[MAX_ROWS * OUTPUTS];
static float row_weights[MAX_ROWS];
static float input_shift[INPUTS], input_scale[INPUTS];
static float output_shift[OUTPUTS], output_scale[OUTPUTS];

static int set_up(void **state) {
    uint64_t random = 8;
    (void)state;
    fill_random(input_shift, INPUTS, &random, -20, 20);
    fill_random(input_scale, INPUTS, &random, 0.01f, 0.1f);
    fill_random(output_shift, OUTPUTS, &random, -3, 3);
    fill_random(output_scale, OUTPUTS, &random, 0.1f, 5);
    fill_random(gradient, MAX_ROWS * OUTPUTS, &random, -0.1f, 0.1f);
    fill_random(row_weights, MAX_ROWS, &random, 0.5f, 1.5f);
    for (size_t i = 0; i < MAX_ROWS * INPUTS; i++) {
        size_t c = i % INPUTS;
        x[i] = input_shift[c] + random_between(&random, -1, 1) / input_scale[c];
        scaled_x[i] = x[i] - input_shift[c];
        scaled_x[i] *= input_scale[c];
    }
    /* Scaled ones are between 0 and 1, as a binary cross-entropy wants them. */
    for (size_t i = 0; i < MAX_ROWS * OUTPUTS; i++) {
        size_t c = i % OUTPUTS;
        target[i] = output_shift[c] + random_between(&random, 0.1f, 0.9f) / output_scale[c];
        scaled_target[i] = target[i] - output_shift[c];
        scaled_target[i] *= output_scale[c];
        scaled_gradient[i] = gradient[i] / output_scale[c];
    }
    return 0;
}

typedef struct recipe {
    const char *kernels;
    unsigned threads;
    bool inputs, outputs; /* which are scaled */
    size_t kind;          /* of layers and loss */
} recipe;

enum { KINDS = 5 };

typedef struct twins {
    recipe made_by;
    tnn_net *scaled;
    tnn_net *plain;
    tnn_loss loss;
    const float *x, *target, *gradient; /* what plain gets */
} twins;

static void scale_net(tnn_net *net, bool inputs, bool outputs) {
    if (inputs)
        assert_ok(tnn_net_set_input_scaling(net, input_shift, input_scale));
    if (outputs)
        assert_ok(tnn_net_set_output_scaling(net, output_shift, output_scale));
}

/* Dropout, layers whose units are shared out, an activation that needs z, a pair of logits, a
 * single layer. */
static twins new_twins(recipe r) {
    tnn_layer layers[KINDS][3] = {
        {{.units = 70, .activation = tnn_tanh()},
         {.units = 20, .activation = tnn_elu(1), .dropout = 0.25f},
         {.units = OUTPUTS}},
        {{.units = 130, .activation = tnn_relu()}, {.units = 66}, {.units = OUTPUTS}},
        {{.units = 3, .activation = tnn_gelu()}, {.units = OUTPUTS, .activation = tnn_sigmoid()}},
        {{.units = OUTPUTS, .activation = tnn_silu()}},
        {{.units = 17, .activation = tnn_softmax()},
         {.units = OUTPUTS, .activation = tnn_softplus()}},
    };
    const size_t counts[KINDS] = {3, 3, 2, 1, 2};
    const tnn_loss losses[KINDS] = {
        tnn_mean_squared_error(), tnn_half_squared_error(), tnn_binary_cross_entropy(),
        tnn_huber(0.25f), tnn_mean_absolute_error()};
    const tnn_net_options alone = {.seed = 5, .kernels = r.kernels};
    const tnn_net_options options = {.seed = 5, .kernels = r.kernels, .threads = r.threads};
    twins made = {
        .made_by = r,
        .plain = new_net(INPUTS, layers[r.kind], counts[r.kind], &alone),
        .scaled = new_net(INPUTS, layers[r.kind], counts[r.kind], &options),
        .loss = losses[r.kind],
        .x = r.inputs ? scaled_x : x,
        .target = r.outputs ? scaled_target : target,
        .gradient = r.outputs ? scaled_gradient : gradient,
    };
    if (r.threads > 1)
        share_out_everything(made.scaled);
    scale_net(made.scaled, r.inputs, r.outputs);
    return made;
}

static void destroy_twins(twins *t) {
    tnn_net_destroy(t->scaled);
    tnn_net_destroy(t->plain);
}

/* Every kind, table, number of threads and choice of what is scaled. */
static void for_each_twins(void (*check)(twins *t, size_t rows)) {
    for (size_t k = 0; k < KERNEL_TABLES; k++) {
        if (!kernels_are_available(kernel_names[k]))
            continue;
        for (size_t i = 0; i < KINDS * MOST_THREADS * 3; i++) {
            const recipe r = {
                .kernels = kernel_names[k],
                .threads = (unsigned)(i / KINDS % MOST_THREADS) + 1,
                .inputs = i / KINDS / MOST_THREADS != 1,
                .outputs = i / KINDS / MOST_THREADS != 0,
                .kind = i % KINDS,
            };
            twins t = new_twins(r);
            check(&t, 1);
            check(&t, 7);
            check(&t, MAX_ROWS);
            destroy_twins(&t);
        }
    }
}

/* y of the plain net as the scaled one gives it. */
static void assert_raw_outputs(const twins *t, size_t rows, const float *y, float *plain_y) {
    for (size_t i = 0; t->made_by.outputs && i < rows * OUTPUTS; i++) {
        plain_y[i] /= output_scale[i % OUTPUTS];
        plain_y[i] += output_shift[i % OUTPUTS];
    }
    assert_same_bits(y, plain_y, rows * OUTPUTS);
}

/* ---- The verbs ------------------------------------------------------------------------------- */

static void check_forward(twins *t, size_t rows) {
    static float y[MAX_ROWS * OUTPUTS], plain_y[MAX_ROWS * OUTPUTS];
    assert_ok(tnn_forward(t->scaled, rows, x, y));
    assert_ok(tnn_forward(t->plain, rows, t->x, plain_y));
    assert_raw_outputs(t, rows, y, plain_y);
}

static void check_backward(twins *t, size_t rows) {
    double value, plain_value;
    check_forward(t, rows);
    assert_ok(tnn_backward(t->scaled, t->loss, target, &value));
    assert_ok(tnn_backward(t->plain, t->loss, t->target, &plain_value));
    assert_memory_equal(&value, &plain_value, sizeof value);
    assert_same_net(t->scaled, t->plain);
}

static void check_backward_from(twins *t, size_t rows) {
    static float dx[MAX_ROWS * INPUTS], plain_dx[MAX_ROWS * INPUTS];
    check_forward(t, rows);
    assert_ok(tnn_backward_from(t->scaled, gradient, dx));
    assert_ok(tnn_backward_from(t->plain, t->gradient, plain_dx));
    for (size_t i = 0; t->made_by.inputs && i < rows * INPUTS; i++)
        plain_dx[i] *= input_scale[i % INPUTS];
    assert_same_bits(dx, plain_dx, rows * INPUTS);
    assert_same_net(t->scaled, t->plain);
}

static void check_train(twins *t, size_t rows) {
    tnn_optimizer *first = new_optimizer_of(t->plain, tnn_adam(0.01f));
    tnn_optimizer *second = new_optimizer_of(t->scaled, tnn_adam(0.01f));
    for (int step = 0; step < 3; step++) {
        const float *weights = step == 1 ? row_weights : NULL;
        const tnn_dataset raw = {rows, x, target, NULL, weights};
        const tnn_dataset scaled = {rows, t->x, t->target, NULL, weights};
        double value, plain_value;
        assert_ok(tnn_train(t->scaled, second, t->loss, &raw, &value));
        assert_ok(tnn_train(t->plain, first, t->loss, &scaled, &plain_value));
        assert_memory_equal(&value, &plain_value, sizeof value);
        assert_same_net(t->scaled, t->plain);
    }
    tnn_optimizer_destroy(first);
    tnn_optimizer_destroy(second);
}

static void check_train_by_verbs(twins *t, size_t rows) {
    tnn_net *by_verbs = new_clone(t->scaled);
    tnn_optimizer *optimizer = new_optimizer(t->scaled, 1e-6f);
    const tnn_dataset batch = {.rows = rows, .x = x, .target = target};
    for (int step = 0; step < 3; step++) {
        assert_ok(tnn_train(t->scaled, optimizer, t->loss, &batch, NULL));
        assert_ok(tnn_forward(by_verbs, rows, x, NULL));
        assert_ok(tnn_backward(by_verbs, t->loss, target, NULL));
        assert_ok(tnn_step(by_verbs, optimizer));
        assert_same_net(t->scaled, by_verbs);
    }
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(by_verbs);
}

static void test_scaling_forward_has_the_bits_of_scaled_arrays(void **state) {
    (void)state;
    for_each_twins(check_forward);
}

static void test_scaling_backward_has_the_bits_of_scaled_arrays(void **state) {
    (void)state;
    for_each_twins(check_backward);
}

static void test_scaling_backward_from_has_the_bits_of_scaled_arrays(void **state) {
    (void)state;
    for_each_twins(check_backward_from);
}

static void test_scaling_train_has_the_bits_of_scaled_arrays(void **state) {
    (void)state;
    for_each_twins(check_train);
}

static void test_scaling_train_has_the_bits_of_the_verbs(void **state) {
    (void)state;
    for_each_twins(check_train_by_verbs);
}

/* y = 2 ((x - 3) 4) / 8 + 5 and dy/dx = 1: all numbers are exact. */
static void test_scaling_gradient_is_of_raw_inputs_and_outputs(void **state) {
    const float three = 3, four = 4, five = 5, eight = 8, raw = 7, one = 1;
    const tnn_layer layer = {.units = 1};
    tnn_net *net = new_net(1, &layer, 1, NULL);
    float y, dx;
    (void)state;
    *tnn_net_weights(net, 0) = 2;
    assert_ok(tnn_net_set_input_scaling(net, &three, &four));
    assert_ok(tnn_net_set_output_scaling(net, &five, &eight));
    assert_ok(tnn_forward(net, 1, &raw, &y));
    assert_true(y == 9);
    assert_ok(tnn_backward_from(net, &one, &dx));
    assert_true(dx == 1);
    assert_true(tnn_net_gradients(net)[0] == 2);      /* dy/dW = (x - 3) 4 / 8 */
    assert_true(tnn_net_gradients(net)[1] == 0.125f); /* dy/db = 1 / 8 */
    tnn_net_destroy(net);
}

static void test_scaling_check_gradients_agrees(void **state) {
    (void)state;
    for (size_t kind = 2; kind < KINDS; kind++) { /* the others have too many weights */
        const recipe r = {.inputs = true, .outputs = true, .kind = kind};
        twins t = new_twins(r);
        double worst, plain_worst;
        assert_ok(tnn_check_gradients(t.scaled, t.loss, 2, x, target, &worst));
        assert_ok(tnn_check_gradients(t.plain, t.loss, 2, t.x, t.target, &plain_worst));
        assert_memory_equal(&worst, &plain_worst, sizeof worst);
        assert_true(worst < 0.01); /* as the header promises */
        destroy_twins(&t);
    }
}

/* ---- Prediction ------------------------------------------------------------------------------ */

/* In two calls, of which the first has several blocks. */
static void assert_predicts(
    const tnn_net *net, tnn_workspace *workspace, const float *expected, size_t first) {
    static float y[MAX_ROWS * OUTPUTS], kept_x[MAX_ROWS * INPUTS];
    memcpy(kept_x, x, sizeof x);
    memset(y, 0, sizeof y);
    assert_ok(tnn_predict(net, workspace, first, x, y));
    if (first < MAX_ROWS)
        assert_ok(
            tnn_predict(net, workspace, MAX_ROWS - first, x + first * INPUTS, y + first * OUTPUTS));
    assert_same_bits(y, expected, MAX_ROWS * OUTPUTS);
    assert_same_bits(x, kept_x, MAX_ROWS * INPUTS);
}

/* By workspaces that were made before the net was scaled, after it, and for another net. */
static void check_predict(const recipe *r) {
    static float expected[MAX_ROWS * OUTPUTS];
    twins t = new_twins(*r);
    tnn_net *net = new_clone(t.plain);
    for (size_t l = 0; l < net->layer_count; l++)
        net->layers[l].dropout = 0;
    tnn_workspace *before = new_workspace(net, MAX_ROWS);
    scale_net(net, r->inputs, r->outputs);
    tnn_workspace *after = new_workspace(net, MAX_ROWS);
    tnn_workspace *other = new_workspace(t.plain, MAX_ROWS);
    assert_ok(tnn_forward(net, MAX_ROWS, x, expected));
    for (size_t first = 1; first <= MAX_ROWS; first += 69) {
        assert_predicts(net, before, expected, first);
        assert_predicts(net, after, expected, first);
        assert_predicts(net, other, expected, first);
    }
    tnn_workspace_destroy(before);
    tnn_workspace_destroy(after);
    tnn_workspace_destroy(other);
    tnn_net_destroy(net);
    destroy_twins(&t);
}

static void test_scaling_predict_has_the_bits_of_forward(void **state) {
    (void)state;
    for (size_t k = 0; k < KERNEL_TABLES; k++) {
        for (size_t i = 0; kernels_are_available(kernel_names[k]) && i < KINDS * 3; i++) {
            const recipe r = {
                .kernels = kernel_names[k],
                .inputs = i / KINDS != 1,
                .outputs = i / KINDS != 0,
                .kind = i % KINDS,
            };
            check_predict(&r);
        }
    }
}

/* ---- Small nets ------------------------------------------------------------------------------ */

enum { SMALL_PARAMETERS = 3 * 3 + 4 * 1 };

static tnn_net *new_tiny_net(const tnn_allocator *memory) {
    const tnn_layer layers[] = {{.units = 3, .activation = tnn_tanh()}, {.units = 1}};
    const tnn_net_options options = {.seed = 2, .allocator = memory};
    return new_net(2, layers, 2, &options);
}

static void learn_a_row(tnn_net *net, const float *row, const float *row_target) {
    tnn_optimizer *optimizer = new_optimizer(net, 0.125f);
    const tnn_dataset batch = {.rows = 1, .x = row, .target = row_target};
    assert_ok(tnn_train(net, optimizer, tnn_half_squared_error(), &batch, NULL));
    assert_ok(tnn_forward(net, 1, row, NULL));
    assert_ok(tnn_backward(net, tnn_half_squared_error(), row_target, NULL));
    assert_ok(tnn_step(net, optimizer));
    tnn_optimizer_destroy(optimizer);
}

static void test_scaling_turns_small_kernels_off_and_on_again(void **state) {
    const float two_scales[2][2] = {{2, -1}, {0.5f, 3}};
    const float row[2] = {0.25f, 1.5f}, scaled_row[2] = {-0.875f, 7.5f};
    const float t = 4, scaled_t = 0.75f, shift = 1, scale = 0.25f;
    tnn_net *net = new_tiny_net(NULL), *plain = new_clone(net);
    (void)state;
    learn_a_row(net, row, &t);
    learn_a_row(plain, row, &t);
    assert_non_null(net->small);
    assert_ok(tnn_net_set_input_scaling(net, two_scales[0], two_scales[1]));
    assert_null(net->small);
    learn_a_row(net, row, &t);
    learn_a_row(plain, scaled_row, &t);
    assert_same_net(net, plain);
    assert_ok(tnn_net_set_output_scaling(net, &shift, &scale));
    assert_ok(tnn_net_set_input_scaling(net, NULL, NULL));
    assert_null(net->small);
    learn_a_row(net, row, &t);
    learn_a_row(plain, row, &scaled_t);
    assert_same_net(net, plain);
    assert_ok(tnn_net_set_output_scaling(net, NULL, NULL));
    assert_non_null(net->small);
    learn_a_row(net, row, &t);
    learn_a_row(plain, row, &t);
    assert_same_net(net, plain);
    tnn_net_destroy(net);
    tnn_net_destroy(plain);
}

/* ---- Set, get, clone, remove ----------------------------------------------------------------- */

static void test_scaling_is_read_as_it_was_set(void **state) {
    const tnn_layer layer = {.units = OUTPUTS};
    tnn_net *net = new_net(INPUTS, &layer, 1, NULL);
    (void)state;
    assert_null(tnn_net_input_shift(net));
    assert_null(tnn_net_input_scale(net));
    assert_null(tnn_net_output_shift(net));
    assert_null(tnn_net_output_scale(net));
    scale_net(net, true, true);
    assert_same_bits(tnn_net_input_shift(net), input_shift, INPUTS);
    assert_same_bits(tnn_net_input_scale(net), input_scale, INPUTS);
    assert_same_bits(tnn_net_output_shift(net), output_shift, OUTPUTS);
    assert_same_bits(tnn_net_output_scale(net), output_scale, OUTPUTS);
    /* From its own arrays. */
    assert_ok(tnn_net_set_input_scaling(net, tnn_net_input_scale(net), tnn_net_input_scale(net)));
    assert_same_bits(tnn_net_input_shift(net), input_scale, INPUTS);
    assert_ok(tnn_net_set_input_scaling(net, NULL, NULL));
    assert_null(tnn_net_input_shift(net));
    assert_null(tnn_net_input_scale(net));
    assert_non_null(tnn_net_output_scale(net));
    tnn_net_destroy(net);
}

static void test_scaling_getters_say_what_is_wrong_without_a_net(void **state) {
    (void)state;
    assert_null(tnn_net_input_shift(NULL));
    assert_non_null(strstr(tnn_error_message(), "tnn_net_input_shift"));
    assert_null(tnn_net_input_scale(NULL));
    assert_non_null(strstr(tnn_error_message(), "tnn_net_input_scale"));
    assert_null(tnn_net_output_shift(NULL));
    assert_non_null(strstr(tnn_error_message(), "tnn_net_output_shift"));
    assert_null(tnn_net_output_scale(NULL));
    assert_non_null(strstr(tnn_error_message(), "tnn_net_output_scale"));
}

static void test_scaling_is_cloned_and_then_independent(void **state) {
    static float y[7 * OUTPUTS], clone_y[7 * OUTPUTS];
    const recipe r = {.inputs = true, .outputs = true, .kind = 1};
    twins t = new_twins(r);
    (void)state;
    tnn_net *copy = new_clone(t.scaled);
    assert_ok(tnn_forward(t.scaled, 7, x, y));
    assert_ok(tnn_net_set_input_scaling(t.scaled, NULL, NULL));
    tnn_net_destroy(t.scaled);
    t.scaled = NULL;
    assert_ok(tnn_forward(copy, 7, x, clone_y));
    assert_same_bits(clone_y, y, 7 * OUTPUTS);
    tnn_net_destroy(copy);
    destroy_twins(&t);
}

static void test_scaling_leaves_nothing_behind_when_removed(void **state) {
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++) {
        const recipe r = {.threads = 3, .kind = kind};
        twins t = new_twins(r);
        const float *weights = tnn_net_read_parameters(t.scaled);
        scale_net(t.scaled, true, true);
        check_forward(
            &(twins){
                {.inputs = true, .outputs = true},
                t.scaled,
                t.plain,
                t.loss,
                scaled_x,
                scaled_target,
                gradient},
            7);
        assert_same_bits(weights, tnn_net_read_parameters(t.plain), t.plain->parameter_count);
        assert_ok(tnn_net_set_input_scaling(t.scaled, NULL, NULL));
        assert_ok(tnn_net_set_output_scaling(t.scaled, NULL, NULL));
        check_train(&t, MAX_ROWS);
        check_backward_from(&t, 7);
        destroy_twins(&t);
    }
}

typedef tnn_status set_scaling(tnn_net *net, const float *shift, const float *scale);

static void test_scaling_set_discards_a_pending_forward(void **state) {
    static set_scaling *const sets[] = {tnn_net_set_input_scaling, tnn_net_set_output_scaling};
    const float row[2] = {1, 2}, good[2] = {1, 1}, bad[2] = {0, 0};
    tnn_net *net = new_tiny_net(NULL);
    (void)state;
    for (int i = 0; i < 6; i++) {
        assert_ok(tnn_forward(net, 1, row, NULL));
        const float *scale = i < 2 ? bad : i < 4 ? good : NULL;
        assert_status(
            sets[i % 2](net, i < 4 ? good : NULL, scale), i < 2 ? TNN_INVALID_ARGUMENT : TNN_OK);
        assert_status(tnn_backward(net, tnn_half_squared_error(), row, NULL), TNN_BAD_STATE);
    }
    const tnn_dataset data = {.rows = 1, .x = row};
    assert_ok(tnn_forward(net, 1, row, NULL));
    assert_ok(tnn_net_fit_scaling(net, &data, TNN_NO_SCALING, TNN_NO_SCALING));
    assert_status(tnn_backward(net, tnn_half_squared_error(), row, NULL), TNN_BAD_STATE);
    tnn_net_destroy(net);
}

static void assert_refused(tnn_status status, const char *what) {
    assert_status(status, TNN_INVALID_ARGUMENT);
    assert_non_null(strstr(tnn_error_message(), what));
}

static void test_scaling_set_refuses_what_cannot_scale(void **state) {
    static const float bad_shifts[] = {INFINITY, -INFINITY, NAN};
    static const float bad_scales[] = {INFINITY, NAN, 0.0f, -0.0f, -1.0f};
    float shift[2] = {1, 2}, scale[2] = {3, 4};
    tnn_net *net = new_tiny_net(NULL);
    (void)state;
    assert_ok(tnn_net_set_input_scaling(net, shift, scale));
    assert_refused(tnn_net_set_input_scaling(NULL, shift, scale), "net is NULL");
    assert_refused(tnn_net_set_output_scaling(NULL, shift, scale), "net is NULL");
    assert_refused(tnn_net_set_input_scaling(net, NULL, scale), "shift is NULL");
    assert_refused(tnn_net_set_input_scaling(net, shift, NULL), "scale is NULL");
    for (size_t i = 0; i < COUNT_OF(bad_shifts); i++) {
        const float shifts[2] = {0, bad_shifts[i]};
        assert_refused(tnn_net_set_input_scaling(net, shifts, scale), "shift[1] is ");
        assert_refused(tnn_net_set_output_scaling(net, shifts + 1, scale), "shift[0] is ");
    }
    for (size_t i = 0; i < COUNT_OF(bad_scales); i++) {
        const float scales[2] = {1, bad_scales[i]};
        assert_refused(tnn_net_set_input_scaling(net, shift, scales), "scale[1] is ");
        assert_refused(tnn_net_set_output_scaling(net, shift, scales + 1), "scale[0] is ");
    }
    assert_same_bits(tnn_net_input_shift(net), shift, 2);
    assert_same_bits(tnn_net_input_scale(net), scale, 2);
    assert_null(tnn_net_output_shift(net));
    tnn_net_destroy(net);
}

static void test_scaling_of_outputs_refuses_classes(void **state) {
    const uint32_t classes[] = {1, 0};
    const float rows[4] = {1, 2, 3, 4}, ones[2] = {1, 1};
    const tnn_dataset batch = {.rows = 2, .x = rows, .classes = classes};
    const tnn_layer layer = {.units = 2, .activation = tnn_softmax()};
    tnn_net *net = new_net(2, &layer, 1, NULL);
    tnn_optimizer *optimizer = new_optimizer(net, 0.1f);
    (void)state;
    assert_ok(tnn_net_set_output_scaling(net, ones, ones));
    snapshot before = take_snapshot(net);
    assert_refused(tnn_train(net, optimizer, tnn_cross_entropy(), &batch, NULL), "scales");
    assert_unchanged(net, &before);
    free_snapshot(&before);
    assert_ok(tnn_net_set_output_scaling(net, NULL, NULL));
    assert_ok(tnn_net_set_input_scaling(net, ones, ones));
    assert_ok(tnn_train(net, optimizer, tnn_cross_entropy(), &batch, NULL));
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

enum { FEW_ROWS = 3, MORE_ROWS = 40 };

static float rows_of_two[MORE_ROWS * 2], rows_of_one[MORE_ROWS];

/* What both calls of a scaling, and a fit, want, one after the other. */
static tnn_status call_set_input(tnn_net *net) {
    return tnn_net_set_input_scaling(net, input_shift, input_scale);
}

static tnn_status call_set_output(tnn_net *net) {
    return tnn_net_set_output_scaling(net, output_shift, output_scale);
}

static tnn_status call_fit(tnn_net *net) {
    const tnn_dataset data = {.rows = MORE_ROWS, .x = rows_of_two, .target = rows_of_one};
    return tnn_net_fit_scaling(net, &data, TNN_STANDARDIZE, TNN_MIN_MAX);
}

static tnn_status call_clone(tnn_net *net) {
    tnn_net *copy = net;
    tnn_status status = tnn_net_clone(&copy, net);
    if (status != TNN_OK)
        assert_null(copy);
    tnn_net_destroy(copy);
    return status;
}

static tnn_status call_reserve(tnn_net *net) {
    return tnn_net_reserve(net, MORE_ROWS);
}

/* Trains as its twin does. */
static void assert_unharmed(tnn_net *net, tnn_net *twin) {
    const tnn_dataset batch = {.rows = FEW_ROWS, .x = rows_of_two, .target = rows_of_one};
    tnn_optimizer *optimizer = new_optimizer(twin, 0.25f);
    assert_int_equal(net->small == NULL, tnni_is_scaled(twin));
    assert_ok(tnn_train(net, optimizer, tnn_mean_squared_error(), &batch, NULL));
    assert_ok(tnn_train(twin, optimizer, tnn_mean_squared_error(), &batch, NULL));
    assert_same_net(net, twin);
    tnn_optimizer_destroy(optimizer);
}

/* How many allocations a call has, each of which was made to fail. */
static size_t fail_each(tnn_status (*call)(tnn_net *net), bool is_scaled) {
    for (size_t failing = 1;; failing++) {
        static test_allocator memory;
        init_test_allocator(&memory);
        tnn_net *net = new_tiny_net(&memory.base);
        assert_ok(tnn_net_reserve(net, FEW_ROWS));
        scale_net(net, is_scaled, is_scaled);
        tnn_net *twin = new_clone(net);
        memory.fail_at = memory.calls + failing;
        tnn_status status = call(net);
        bool failed = memory.calls >= memory.fail_at;
        memory.fail_at = 0;
        assert_int_equal(status, failed ? TNN_OUT_OF_MEMORY : TNN_OK);
        if (failed)
            assert_unharmed(net, twin);
        tnn_net_destroy(twin);
        tnn_net_destroy(net);
        assert_int_equal(memory.live, 0);
        if (!failed)
            return failing - 1;
    }
}

static void fill_memory_rows(void) {
    uint64_t random = 3;
    fill_random(rows_of_two, COUNT_OF(rows_of_two), &random, -1, 1);
    fill_random(rows_of_one, COUNT_OF(rows_of_one), &random, -1, 1);
}

/* The arrays, and for inputs the scratch with room for scaled ones. */
static void test_scaling_fails_clean_without_memory(void **state) {
    (void)state;
    fill_memory_rows();
    assert_int_equal(fail_each(call_set_input, false), 2);
    assert_int_equal(fail_each(call_set_output, false), 1);
    assert_int_equal(fail_each(call_fit, false), 3);
    assert_int_equal(fail_each(call_set_input, true), 1);
    assert_int_equal(fail_each(call_fit, true), 2);
    assert_int_equal(fail_each(call_clone, true), 4);
    assert_int_equal(fail_each(call_reserve, true), 1);
}

static void test_scaling_keeps_what_was_reserved(void **state) {
    static test_allocator memory;
    float dx[MORE_ROWS * 2], y[MORE_ROWS];
    const tnn_dataset batch = {.rows = MORE_ROWS, .x = rows_of_two, .target = rows_of_one};
    init_test_allocator(&memory);
    tnn_net *net = new_tiny_net(&memory.base);
    tnn_optimizer *optimizer = new_optimizer(net, 0.1f);
    tnn_workspace *workspace = new_workspace(net, MORE_ROWS);
    (void)state;
    fill_memory_rows();
    assert_ok(tnn_net_reserve(net, MORE_ROWS));
    scale_net(net, true, true);
    for (int i = 0; i < 3; i++) {
        size_t calls = memory.calls;
        assert_ok(tnn_forward(net, MORE_ROWS, rows_of_two, y));
        assert_ok(tnn_backward(net, tnn_mean_squared_error(), rows_of_one, NULL));
        assert_ok(tnn_forward(net, MORE_ROWS, rows_of_two, y));
        assert_ok(tnn_backward_from(net, rows_of_one, dx));
        assert_ok(tnn_step(net, optimizer));
        assert_ok(tnn_train(net, optimizer, tnn_mean_squared_error(), &batch, NULL));
        assert_ok(tnn_predict(net, workspace, MORE_ROWS, rows_of_two, y));
        /* A scaling is taken away without memory, too. */
        assert_ok(tnn_net_set_output_scaling(net, NULL, NULL));
        if (i > 0)
            assert_ok(tnn_net_set_input_scaling(net, NULL, NULL));
        assert_int_equal(memory.calls, calls);
    }
    tnn_workspace_destroy(workspace);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
    assert_int_equal(memory.live, 0);
}

/* All that a net does, with arrays against pages that nobody may touch. */
static void touch_everything(const recipe *r, size_t inputs, size_t outputs, bool at_the_end) {
    enum { ROWS = 5, MOST = 40 };
    float *(*put)(const guarded *room, size_t count) = at_the_end ? at_end : at_start;
    guarded rooms[6];
    float *arrays[6];
    for (size_t i = 0; i < COUNT_OF(rooms); i++) {
        rooms[i] = new_guarded(ROWS * MOST * sizeof(float));
        arrays[i] =
            put(&rooms[i],
                i < 2        ? ROWS * inputs
                    : i < 4  ? ROWS * outputs
                    : i == 4 ? inputs
                             : outputs);
    }
    memcpy(arrays[0], x, ROWS * inputs * sizeof *x);
    memcpy(arrays[2], scaled_target, ROWS * outputs * sizeof *x);
    const tnn_dataset batch = {.rows = ROWS, .x = arrays[0], .target = arrays[2]};
    const tnn_layer layers[] = {
        {.units = 18, .activation = tnn_silu()}, {.units = outputs, .activation = tnn_silu()}};
    const tnn_net_options options = {
        .kernels = r->kernels, .threads = r->threads, .allocator = guard_allocator()};
    tnn_net *net = new_net(inputs, layers, 2, &options);
    share_out_everything(net);
    tnn_workspace *workspace = new_workspace(net, ROWS);
    tnn_optimizer *optimizer = new_optimizer(net, 0.01f);
    memcpy(arrays[4], input_scale, inputs * sizeof *x);
    memcpy(arrays[5], output_scale, outputs * sizeof *x);
    assert_ok(tnn_net_set_input_scaling(net, arrays[4], arrays[4]));
    assert_ok(tnn_net_set_output_scaling(net, arrays[5], arrays[5]));
    for (int i = 0; i < 2; i++) {
        assert_ok(tnn_forward(net, ROWS, arrays[0], arrays[3]));
        assert_ok(tnn_backward_from(net, arrays[3], arrays[1]));
        assert_ok(tnn_train(net, optimizer, tnn_mean_squared_error(), &batch, NULL));
        assert_ok(tnn_predict(net, workspace, ROWS, arrays[0], arrays[3]));
        assert_ok(tnn_predict(net, workspace, 1, arrays[0], arrays[3]));
        assert_ok(tnn_net_fit_scaling(net, &batch, TNN_STANDARDIZE, TNN_MIN_MAX));
    }
    tnn_optimizer_destroy(optimizer);
    tnn_workspace_destroy(workspace);
    tnn_net_destroy(net);
    for (size_t i = 0; i < COUNT_OF(rooms); i++)
        free_guarded(&rooms[i]);
}

static void test_scaling_touches_nothing_beside_its_arrays(void **state) {
    (void)state;
    for (size_t k = 0; k < KERNEL_TABLES; k++) {
        for (size_t i = 1; kernels_are_available(kernel_names[k]) && i <= 35; i++) {
            const recipe r = {.kernels = kernel_names[k], .threads = i % 2 ? 1 : 2};
            touch_everything(&r, i, 36 - i, i % 4 < 2);
        }
    }
}

/* ---- The kernels ----------------------------------------------------------------------------- */

/* Also in place and without shifts; columns from 1 to 70. */
static void test_scaling_kernels_round_twice(void **state) {
    enum { MOST = 70, ROWS = 3 };
    float v[ROWS * MOST], shift[MOST], scale[MOST], y[ROWS * MOST], expected[ROWS * MOST];
    uint64_t random = 6;
    const kernel_tables tables = find_kernel_tables();
    (void)state;
    fill_random(v, ROWS * MOST, &random, -1000, 1000);
    fill_random(shift, MOST, &random, -1000, 1000);
    fill_random(scale, MOST, &random, 0.001f, 3);
    v[0] = -0.0f;
    v[1] = INFINITY;
    v[2] = FLT_MAX;
    for (size_t i = 0; i < tables.count * MOST * 4; i++) {
        const tnni_kernels *table = tables.at[i / 4 / MOST];
        size_t columns = i / 4 % MOST + 1;
        bool shifts = i & 1, back = i & 2;
        for (size_t e = 0; e < ROWS * columns; e++) {
            size_t c = e % columns;
            float first = back ? v[e] / scale[c] : shifts ? v[e] - shift[c] : v[e];
            expected[e] = !back ? first * scale[c] : shifts ? first + shift[c] : first;
        }
        const float *s = shifts ? shift : NULL;
        memcpy(y, v, sizeof v);
        (back ? table->unscale_columns : table->scale_columns)(ROWS, columns, s, scale, y, y);
        assert_same_bits(y, expected, ROWS * columns);
        assert_same_bits(y + ROWS * columns, v + ROWS * columns, ROWS * (MOST - columns));
    }
}

/* ---- Fit ------------------------------------------------------------------------------------- */

/* More columns than are summed at a time. */
enum { FIT_COLUMNS = 131, FIT_TARGETS = 70, FIT_ROWS = 97 };

static tnn_net *new_fit_net(void) {
    const tnn_layer layer = {.units = FIT_TARGETS};
    return new_net(FIT_COLUMNS, &layer, 1, NULL);
}

static void fill_fit_data(float *values, size_t columns) {
    uint64_t random = columns;
    for (size_t i = 0; i < FIT_ROWS * columns; i++) {
        float offset = (float)(i % columns) * 10 - 300;
        values[i] = offset + random_between(&random, -1, 1) * (float)(1 + i % columns % 7);
    }
}

/*
 * Mean and deviation in double err by less than rows * 2^-52 of the largest distance, here far
 * below half an ulp of float, and are rounded to float once; so does the long double reference: one
 * ulp.
 */
static void assert_standardizes(
    const float *values, size_t columns, const float *shift, const float *scale) {
    for (size_t c = 0; c < columns; c++) {
        long double mean = 0, squares = 0;
        for (size_t r = 0; r < FIT_ROWS; r++)
            mean += values[r * columns + c];
        mean /= FIT_ROWS;
        for (size_t r = 0; r < FIT_ROWS; r++)
            squares += (values[r * columns + c] - mean) * (values[r * columns + c] - mean);
        long double exact = 1 / sqrtl(squares / FIT_ROWS);
        assert_true(float_ulps(shift[c], mean) <= 1);
        assert_true(float_ulps(scale[c], exact) <= 1);
    }
}

static void assert_min_max(
    const float *values, size_t columns, const float *shift, const float *scale) {
    for (size_t c = 0; c < columns; c++) {
        float low = values[c], high = values[c];
        for (size_t r = 1; r < FIT_ROWS; r++) {
            low = fminf(low, values[r * columns + c]);
            high = fmaxf(high, values[r * columns + c]);
        }
        assert_true(shift[c] == low);
        assert_true(scale[c] == (float)(1 / ((double)high - low)));
    }
}

static void test_scaling_fit_standardizes_or_stretches_columns(void **state) {
    static float values[FIT_ROWS * FIT_COLUMNS], targets[FIT_ROWS * FIT_TARGETS];
    const tnn_dataset data = {.rows = FIT_ROWS, .x = values, .target = targets};
    tnn_net *net = new_fit_net();
    (void)state;
    fill_fit_data(values, FIT_COLUMNS);
    fill_fit_data(targets, FIT_TARGETS);
    assert_ok(tnn_net_fit_scaling(net, &data, TNN_STANDARDIZE, TNN_MIN_MAX));
    assert_standardizes(values, FIT_COLUMNS, tnn_net_input_shift(net), tnn_net_input_scale(net));
    assert_min_max(targets, FIT_TARGETS, tnn_net_output_shift(net), tnn_net_output_scale(net));
    assert_ok(tnn_net_fit_scaling(net, &data, TNN_MIN_MAX, TNN_STANDARDIZE));
    assert_min_max(values, FIT_COLUMNS, tnn_net_input_shift(net), tnn_net_input_scale(net));
    assert_standardizes(targets, FIT_TARGETS, tnn_net_output_shift(net), tnn_net_output_scale(net));
    assert_ok(tnn_net_fit_scaling(net, &data, TNN_NO_SCALING, TNN_STANDARDIZE));
    assert_null(tnn_net_input_shift(net));
    assert_non_null(tnn_net_output_shift(net));
    assert_ok(tnn_net_fit_scaling(net, &data, TNN_MIN_MAX, TNN_NO_SCALING));
    assert_non_null(tnn_net_input_shift(net));
    assert_null(tnn_net_output_shift(net));
    tnn_net_destroy(net);
}

/* Constant; apart by the least float; as far apart as can be scaled; a mean that is no float. */
static void test_scaling_fit_gives_constant_columns_scale_1(void **state) {
    static const float values[3][4] = {
        {0.1f, 0, 0x1p125f, 0},
        {0.1f, FLT_TRUE_MIN, -0x1p125f, 0},
        {0.1f, 0, 0x1p125f, 1},
    };
    const float far = FLT_MIN; /* 1 / 0x1p126 */
    const tnn_dataset data = {.rows = 3, .x = values[0]};
    const tnn_layer layer = {.units = 1};
    tnn_net *net = new_net(4, &layer, 1, NULL);
    (void)state;
    for (int kind = TNN_STANDARDIZE; kind <= TNN_MIN_MAX; kind++) {
        assert_ok(tnn_net_fit_scaling(net, &data, (tnn_scaling)kind, TNN_NO_SCALING));
        const float *shift = tnn_net_input_shift(net), *scale = tnn_net_input_scale(net);
        assert_true(shift[0] == 0.1f && scale[0] == 1);
        assert_true(scale[1] == 1);
        assert_true(kind == TNN_MIN_MAX ? scale[2] == far : scale[2] > far);
        assert_true(shift[3] == (kind == TNN_MIN_MAX ? 0.0f : (float)(1.0 / 3)));
        /* What was fitted may be set. */
        assert_ok(tnn_net_set_input_scaling(net, shift, scale));
    }
    tnn_net_destroy(net);
}

/* Minus to plus 3e38 in float is infinitely far, and one over more than 0x1p126 is denormal. */
static void test_scaling_fit_names_the_column_that_is_too_wide(void **state) {
    static const float ends[] = {3e38f, FLT_MAX, 0x1.000002p125f};
    static float values[FIT_ROWS * FIT_COLUMNS], targets[FIT_ROWS * FIT_TARGETS];
    const tnn_dataset data = {.rows = FIT_ROWS, .x = values, .target = targets};
    tnn_net *net = new_fit_net();
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        fill_fit_data(values, FIT_COLUMNS);
        fill_fit_data(targets, FIT_TARGETS);
        values[3 * FIT_COLUMNS + 70] = -ends[i];
        values[9 * FIT_COLUMNS + 70] = ends[i];
        assert_refused(tnn_net_fit_scaling(net, &data, TNN_MIN_MAX, TNN_NO_SCALING), "column 70");
        targets[5 * FIT_TARGETS + 2] = -ends[i];
        targets[6 * FIT_TARGETS + 2] = ends[i];
        assert_refused(
            tnn_net_fit_scaling(net, &data, TNN_NO_SCALING, TNN_MIN_MAX),
            i == 0 ? "data->target goes from -3e+38 to 3e+38 in column 2" : "in column 2");
    }
    /* A deviation that has a scale, of rows that float cannot shift. */
    targets[5 * FIT_TARGETS + 2] = -FLT_MAX;
    targets[6 * FIT_TARGETS + 2] = FLT_MAX;
    assert_refused(tnn_net_fit_scaling(net, &data, TNN_NO_SCALING, TNN_STANDARDIZE), "in column 2");
    assert_null(tnn_net_input_shift(net));
    assert_null(tnn_net_output_shift(net));
    tnn_net_destroy(net);
}

static void test_scaling_fit_names_the_value_that_is_not_finite(void **state) {
    static float values[FIT_ROWS * FIT_COLUMNS], targets[FIT_ROWS * FIT_TARGETS];
    const tnn_dataset data = {.rows = FIT_ROWS, .x = values, .target = targets};
    tnn_net *net = new_fit_net();
    (void)state;
    fill_fit_data(values, FIT_COLUMNS);
    fill_fit_data(targets, FIT_TARGETS);
    targets[96 * FIT_TARGETS + 69] = -INFINITY;
    assert_ok(tnn_net_fit_scaling(net, &data, TNN_MIN_MAX, TNN_NO_SCALING));
    const float *before = tnn_net_input_shift(net);
    assert_refused(
        tnn_net_fit_scaling(net, &data, TNN_STANDARDIZE, TNN_MIN_MAX),
        "data->target is -inf in row 96, column 69");
    values[5 * FIT_COLUMNS + 130] = NAN;
    values[6 * FIT_COLUMNS + 1] = NAN;
    assert_refused(
        tnn_net_fit_scaling(net, &data, TNN_STANDARDIZE, TNN_MIN_MAX), "in row 5, column 130");
    assert_ptr_equal(tnn_net_input_shift(net), before);
    assert_min_max(targets, 0, before, before);
    assert_null(tnn_net_output_shift(net));
    tnn_net_destroy(net);
}

static void test_scaling_fit_refuses_what_it_cannot_use(void **state) {
    const float rows[4] = {1, 2, 3, 5};
    const uint32_t classes[2] = {0, 0};
    const tnn_scaling no = TNN_NO_SCALING, yes = TNN_STANDARDIZE, wrong = (tnn_scaling)3;
    const tnn_dataset good = {.rows = 2, .x = rows, .target = rows};
    const tnn_dataset of_classes = {.rows = 2, .x = rows, .classes = classes};
    const tnn_dataset bare = {.rows = 2, .x = rows}, empty = {.x = rows, .target = rows};
    const tnn_dataset without_x = {.rows = 2, .target = rows};
    tnn_net *net = new_tiny_net(NULL);
    (void)state;
    assert_refused(tnn_net_fit_scaling(NULL, &good, yes, yes), "net is NULL");
    assert_refused(tnn_net_fit_scaling(net, NULL, yes, yes), "data is NULL");
    assert_refused(tnn_net_fit_scaling(net, &good, wrong, yes), "inputs is 3");
    assert_refused(tnn_net_fit_scaling(net, &good, yes, wrong), "outputs is 3");
    assert_refused(tnn_net_fit_scaling(net, &empty, yes, yes), "rows is 0");
    assert_refused(tnn_net_fit_scaling(net, &without_x, yes, yes), "x is NULL");
    assert_refused(tnn_net_fit_scaling(net, &of_classes, yes, yes), "classes");
    assert_refused(tnn_net_fit_scaling(net, &bare, yes, yes), "data->target is NULL");
    assert_null(tnn_net_input_shift(net));
    assert_null(tnn_net_output_shift(net));
    assert_ok(tnn_net_fit_scaling(net, &of_classes, yes, no));
    assert_ok(tnn_net_fit_scaling(net, &bare, yes, no));
    tnn_net_destroy(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scaling_forward_has_the_bits_of_scaled_arrays),
        cmocka_unit_test(test_scaling_backward_has_the_bits_of_scaled_arrays),
        cmocka_unit_test(test_scaling_backward_from_has_the_bits_of_scaled_arrays),
        cmocka_unit_test(test_scaling_train_has_the_bits_of_scaled_arrays),
        cmocka_unit_test(test_scaling_train_has_the_bits_of_the_verbs),
        cmocka_unit_test(test_scaling_gradient_is_of_raw_inputs_and_outputs),
        cmocka_unit_test(test_scaling_check_gradients_agrees),
        cmocka_unit_test(test_scaling_predict_has_the_bits_of_forward),
        cmocka_unit_test(test_scaling_turns_small_kernels_off_and_on_again),
        cmocka_unit_test(test_scaling_is_read_as_it_was_set),
        cmocka_unit_test(test_scaling_getters_say_what_is_wrong_without_a_net),
        cmocka_unit_test(test_scaling_is_cloned_and_then_independent),
        cmocka_unit_test(test_scaling_leaves_nothing_behind_when_removed),
        cmocka_unit_test(test_scaling_set_discards_a_pending_forward),
        cmocka_unit_test(test_scaling_set_refuses_what_cannot_scale),
        cmocka_unit_test(test_scaling_of_outputs_refuses_classes),
        cmocka_unit_test(test_scaling_fails_clean_without_memory),
        cmocka_unit_test(test_scaling_keeps_what_was_reserved),
        cmocka_unit_test(test_scaling_touches_nothing_beside_its_arrays),
        cmocka_unit_test(test_scaling_kernels_round_twice),
        cmocka_unit_test(test_scaling_fit_standardizes_or_stretches_columns),
        cmocka_unit_test(test_scaling_fit_gives_constant_columns_scale_1),
        cmocka_unit_test(test_scaling_fit_names_the_column_that_is_too_wide),
        cmocka_unit_test(test_scaling_fit_names_the_value_that_is_not_finite),
        cmocka_unit_test(test_scaling_fit_refuses_what_it_cannot_use),
    };
    return cmocka_run_group_tests_name("scaling", tests, set_up, NULL);
}
