/*
 * test_fit.c: what tnn_fit adds to tnn_train: which rows when, validation, patience, the best
 * weights, schedules, callbacks, and what it leaves when something goes wrong.
 */
#include "support/test_allocators.h"
#include "support/test_nets.h"

#include <math.h>
#include <string.h>

enum { ROWS = 50, INPUTS = 3, OUTPUTS = 2, PARAMETERS = 4 * 8 + 9 * 2 };

static float all_x[ROWS * INPUTS];
static float all_targets[ROWS * OUTPUTS];
static float all_weights[ROWS];
static const tnn_dataset all = {.rows = ROWS, .x = all_x, .target = all_targets};

static int fill_data(void **state) {
    (void)state;
    uint64_t random = 11;
    fill_random(all_x, ROWS * INPUTS, &random, -1, 1);
    fill_random(all_weights, ROWS, &random, 0, 2);
    for (size_t r = 0; r < ROWS; r++) {
        all_targets[r * OUTPUTS] = all_x[r * INPUTS] * all_x[r * INPUTS + 1];
        all_targets[r * OUTPUTS + 1] = all_x[r * INPUTS + 2];
    }
    return 0;
}

static tnn_net *new_regression(const tnn_net_options *options) {
    const tnn_layer layers[] = {
        {.units = 8, .activation = tnn_tanh(), .dropout = 0.1f}, {.units = OUTPUTS}};
    return new_net(INPUTS, layers, 2, options);
}

/* A net, its optimizer and its report. */
typedef struct trainee {
    tnn_net *net;
    tnn_optimizer *optimizer;
    tnn_fit_report report;
} trainee;

static trainee new_trainee(void) {
    trainee made = {.net = new_regression(NULL)};
    made.optimizer = new_optimizer_of(made.net, tnn_adam(0.01f));
    return made;
}

static tnn_status fit(trainee *t, const tnn_dataset *data, tnn_fit_options options) {
    return tnn_fit(t->net, t->optimizer, tnn_mean_squared_error(), data, &options, &t->report);
}

static void destroy(trainee *t) {
    tnn_optimizer_destroy(t->optimizer);
    tnn_net_destroy(t->net);
}

static void assert_same_weights(const tnn_net *actual, const tnn_net *expected) {
    assert_same_bits(
        tnn_net_read_parameters(actual), tnn_net_read_parameters(expected), PARAMETERS);
}

/* ---- Which rows when ------------------------------------------------------------------------- */

static void test_fit_in_order_is_train_by_hand(void **state) {
    (void)state;
    trainee fitted = new_trainee(), by_hand = new_trainee();
    tnn_dataset data = all;
    data.row_weights = all_weights;
    assert_ok(
        fit(&fitted, &data, (tnn_fit_options){.epochs = 3, .batch_rows = 16, .keep_order = true}));
    double sum = 0;
    for (size_t epoch = 0; epoch < 3; epoch++) {
        sum = 0;
        for (size_t first = 0; first < ROWS; first += 16) {
            double value;
            tnn_dataset batch = {
                .rows = ROWS - first < 16 ? ROWS - first : 16,
                .x = all_x + first * INPUTS,
                .target = all_targets + first * OUTPUTS,
                .row_weights = all_weights + first,
            };
            assert_ok(tnn_train(
                by_hand.net, by_hand.optimizer, tnn_mean_squared_error(), &batch, &value));
            sum += value * (double)batch.rows;
        }
    }
    assert_same_net(fitted.net, by_hand.net);
    assert_same_moments(fitted.optimizer, by_hand.optimizer);
    assert_within(fitted.report.progress.training_loss, sum / ROWS, 0);
    assert_int_equal(fitted.report.end, TNN_FIT_FINISHED);
    assert_int_equal(fitted.report.progress.epoch, 2);
    assert_int_equal(fitted.report.progress.step, 12);
    assert_int_equal(fitted.report.progress.steps, 12);
    destroy(&fitted);
    destroy(&by_hand);
}

/* The rows that a loss was asked for, in order: targets of these nets are the rows' numbers. */
typedef struct diary {
    size_t count;
    size_t rows[1000];
} diary;

static void write_diary(
    const tnn_loss *self, size_t rows, size_t units, const float *y, const float *target,
    double *row_loss, float *gradient) {
    diary *read = self->context;
    (void)y;
    for (size_t r = 0; r < rows; r++) {
        row_loss[r] = 0;
        if (gradient) /* learned from, not validated with */
            read->rows[read->count++] = (size_t)target[r * units];
    }
    if (gradient)
        memset(gradient, 0, rows * units * sizeof *gradient);
}

static const tnn_loss_vtable diary_vtable = {"diary", write_diary};

static diary orders_of(tnn_fit_options options) {
    diary read = {0};
    float x[ROWS] = {0}, numbers[ROWS];
    for (size_t r = 0; r < ROWS; r++)
        numbers[r] = (float)r;
    const tnn_dataset data = {.rows = ROWS, .x = x, .target = numbers};
    tnn_net *net = new_net(1, &(tnn_layer){.units = 1}, 1, NULL);
    tnn_optimizer *optimizer = new_optimizer(net, 0);
    const tnn_loss loss = {.vtable = &diary_vtable, .context = &read};
    assert_ok(tnn_fit(net, optimizer, loss, &data, &options, NULL));
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
    return read;
}

/* How often each row comes among some. */
static void count_rows(const size_t *rows, size_t count, size_t counts[ROWS]) {
    memset(counts, 0, ROWS * sizeof *counts);
    for (size_t i = 0; i < count; i++)
        counts[rows[i]]++;
}

static void test_fit_each_epoch_has_every_row_once_in_an_order_of_its_own(void **state) {
    (void)state;
    static const size_t batches[] = {1, 7, 32, ROWS, 1000};
    diary first = orders_of((tnn_fit_options){.epochs = 4, .seed = 5});
    for (size_t b = 0; b < COUNT_OF(batches); b++) {
        diary read = orders_of((tnn_fit_options){.epochs = 4, .seed = 5, .batch_rows = batches[b]});
        assert_int_equal(read.count, 4 * ROWS);
        assert_memory_equal(read.rows, first.rows, 4 * ROWS * sizeof *read.rows);
        for (size_t epoch = 0; epoch < 4; epoch++) {
            size_t counts[ROWS];
            count_rows(read.rows + epoch * ROWS, ROWS, counts);
            for (size_t r = 0; r < ROWS; r++)
                assert_int_equal(counts[r], 1);
        }
    }
    assert_memory_not_equal(first.rows, first.rows + ROWS, ROWS * sizeof *first.rows);
}

static void test_fit_order_is_a_function_of_the_seed(void **state) {
    (void)state;
    diary read = orders_of((tnn_fit_options){.epochs = 1, .seed = 5});
    diary same = orders_of((tnn_fit_options){.epochs = 1, .seed = 5});
    diary other = orders_of((tnn_fit_options){.epochs = 1, .seed = 6});
    assert_memory_equal(read.rows, same.rows, ROWS * sizeof *read.rows);
    assert_memory_not_equal(read.rows, other.rows, ROWS * sizeof *read.rows);
    /* By an independent program: xoshiro256++, Lemire's bounds, Fisher and Yates. */
    static const size_t expected[] = {27, 24, 40, 18, 48, 3, 13, 43, 9, 16, 17, 14};
    assert_memory_equal(read.rows, expected, sizeof expected);
}

static void test_fit_validation_share_is_never_learned_from(void **state) {
    (void)state;
    diary read = orders_of((tnn_fit_options){.epochs = 3, .validation_share = 0.3f});
    size_t counts[ROWS], learned = 0;
    assert_int_equal(read.count, 3 * (ROWS - 15));
    count_rows(read.rows, read.count, counts);
    for (size_t r = 0; r < ROWS; r++) {
        assert_true(counts[r] == 0 || counts[r] == 3);
        learned += counts[r] == 3;
    }
    assert_int_equal(learned, ROWS - 15);
}

static void test_fit_validation_share_is_at_least_a_row(void **state) {
    (void)state;
    diary read = orders_of((tnn_fit_options){.epochs = 1, .validation_share = 1e-6f});
    assert_int_equal(read.count, ROWS - 1);
    read = orders_of((tnn_fit_options){.epochs = 1, .validation_share = 0.9999f});
    assert_int_equal(read.count, 1);
}

static void test_fit_validation_share_in_order_is_the_last_rows(void **state) {
    (void)state;
    diary read =
        orders_of((tnn_fit_options){.epochs = 1, .validation_share = 0.3f, .keep_order = true});
    assert_int_equal(read.count, ROWS - 15);
    for (size_t i = 0; i < read.count; i++)
        assert_int_equal(read.rows[i], i);
}

/* ---- One result ------------------------------------------------------------------------------ */

static void test_fit_threads_do_not_change_a_bit(void **state) {
    (void)state;
    static const unsigned threads[] = {1, 2, 4};
    float expected[PARAMETERS];
    for (size_t t = 0; t < COUNT_OF(threads); t++) {
        for (int again = 0; again < 2; again++) {
            tnn_net *net = new_regression(&(tnn_net_options){.threads = threads[t]});
            share_out_everything(net);
            tnn_optimizer *optimizer = new_optimizer_of(net, tnn_adam(0.01f));
            const tnn_fit_options options = {
                .epochs = 5,
                .batch_rows = 8,
                .seed = 3,
                .validation_share = 0.2f,
                .schedule = tnn_one_cycle(),
            };
            assert_ok(tnn_fit(net, optimizer, tnn_mean_squared_error(), &all, &options, NULL));
            if (t == 0 && again == 0)
                memcpy(expected, tnn_net_parameters(net), sizeof expected);
            assert_same_bits(tnn_net_parameters(net), expected, PARAMETERS);
            tnn_optimizer_destroy(optimizer);
            tnn_net_destroy(net);
        }
    }
}

static void test_fit_report_and_callbacks_do_not_change_a_bit(void **state) {
    (void)state;
    trainee told = new_trainee(), untold = new_trainee();
    const tnn_fit_options options = {.epochs = 5, .validation_share = 0.2f};
    assert_ok(fit(&told, &all, options));
    assert_ok(
        tnn_fit(untold.net, untold.optimizer, tnn_mean_squared_error(), &all, &options, NULL));
    assert_same_net(told.net, untold.net);
    assert_same_moments(told.optimizer, untold.optimizer);
    destroy(&told);
    destroy(&untold);
}

/* ---- Validation, patience, the best weights -------------------------------------------------- */

/* What an observer keeps of the epochs. */
typedef struct observer {
    const tnn_net *net;
    size_t epochs, batches;
    double validation_loss[100], training_loss[100];
    float rates[1000];
    float weights[100][PARAMETERS];
    size_t stop_after_epochs, stop_after_batches; /* 0: never */
} observer;

static bool observe_epoch(void *context, const tnn_progress *progress) {
    observer *self = context;
    assert_int_equal(progress->epoch, self->epochs);
    self->validation_loss[self->epochs] = progress->validation_loss;
    self->training_loss[self->epochs] = progress->training_loss;
    if (self->net)
        memcpy(
            self->weights[self->epochs], tnn_net_read_parameters(self->net),
            sizeof self->weights[0]);
    self->epochs++;
    return self->epochs != self->stop_after_epochs;
}

static bool observe_batch(void *context, const tnn_progress *progress) {
    observer *self = context;
    self->rates[self->batches++] = progress->learning_rate;
    assert_int_equal(progress->step, self->batches);
    return self->batches != self->stop_after_batches;
}

/* Doubles the learning rate each epoch, until nothing is learned any more. */
static double doubled_rate(
    const tnn_schedule *self, const tnn_progress *progress, double base_rate, double memory[4]) {
    (void)self, (void)progress;
    memory[0] = memory[0] == 0 ? base_rate : 2 * memory[0];
    return memory[0];
}

static const tnn_schedule_vtable doubling_vtable = {"doubling", false, doubled_rate};

static void check_best_weights(bool keep_last) {
    static observer seen;
    trainee t = new_trainee();
    seen = (observer){.net = t.net};
    assert_ok(
        fit(&t, &all,
            (tnn_fit_options){
                .epochs = 12,
                .batch_rows = 5,
                .validation_share = 0.4f,
                .keep_last = keep_last,
                .schedule = {.vtable = &doubling_vtable},
                .after_epoch = observe_epoch,
                .context = &seen,
            }));
    size_t best = 0;
    for (size_t e = 1; e < seen.epochs; e++)
        if (seen.validation_loss[e] < seen.validation_loss[best])
            best = e;
    assert_true(best > 0 && best < 11); /* or the test shows nothing */
    assert_int_equal(t.report.progress.best_epoch, best);
    assert_within(t.report.progress.best_loss, seen.validation_loss[best], 0);
    assert_same_bits(tnn_net_parameters(t.net), seen.weights[keep_last ? 11 : best], PARAMETERS);
    destroy(&t);
}

static void test_fit_leaves_the_best_weights(void **state) {
    (void)state;
    check_best_weights(false);
}

static void test_fit_keep_last_leaves_the_last_weights(void **state) {
    (void)state;
    check_best_weights(true);
}

static void test_fit_validation_loss_is_evaluates(void **state) {
    (void)state;
    const tnn_dataset train = {.rows = 30, .x = all_x, .target = all_targets};
    const tnn_dataset rest = {
        .rows = 20, .x = all_x + 30 * INPUTS, .target = all_targets + 30 * OUTPUTS};
    trainee t = new_trainee();
    tnn_evaluation evaluation;
    assert_ok(
        fit(&t, &train, (tnn_fit_options){.epochs = 3, .validation = &rest, .keep_last = true}));
    assert_ok(tnn_evaluate(t.net, tnn_mean_squared_error(), &rest, &evaluation, NULL));
    assert_within(t.report.progress.validation_loss, evaluation.loss, 0);
    assert_within(t.report.progress.validation_score, evaluation.r_squared, 0);
    destroy(&t);
}

static void test_fit_gives_up_when_its_patience_ends(void **state) {
    (void)state;
    trainee t = new_trainee();
    assert_ok(tnn_optimizer_set_learning_rate(t.optimizer, 0)); /* no epoch beats the first */
    assert_ok(
        fit(&t, &all, (tnn_fit_options){.epochs = 100, .patience = 3, .validation_share = 0.2f}));
    assert_int_equal(t.report.end, TNN_FIT_OUT_OF_PATIENCE);
    assert_int_equal(t.report.progress.epoch, 3);
    assert_int_equal(t.report.progress.best_epoch, 0);
    destroy(&t);
}

/* ---- Callbacks and schedules ----------------------------------------------------------------- */

static void test_fit_callback_ends_it_after_an_epoch(void **state) {
    (void)state;
    static observer seen;
    trainee t = new_trainee();
    seen = (observer){.stop_after_epochs = 2};
    assert_ok(fit(
        &t, &all, (tnn_fit_options){.epochs = 9, .after_epoch = observe_epoch, .context = &seen}));
    assert_int_equal(t.report.end, TNN_FIT_STOPPED);
    assert_int_equal(seen.epochs, 2);
    assert_int_equal(t.report.progress.epoch, 1);
    destroy(&t);
}

static void test_fit_callback_ends_it_after_a_batch(void **state) {
    (void)state;
    static observer seen;
    trainee t = new_trainee();
    seen = (observer){.stop_after_batches = 7};
    assert_ok(
        fit(&t, &all,
            (tnn_fit_options){
                .epochs = 9,
                .batch_rows = 10,
                .after_epoch = observe_epoch,
                .after_batch = observe_batch,
                .context = &seen}));
    assert_int_equal(t.report.end, TNN_FIT_STOPPED);
    assert_int_equal(seen.epochs, 1);
    assert_int_equal(seen.batches, 7);
    assert_int_equal(t.report.progress.step, 7);
    destroy(&t);
}

/* On the last batch of an epoch, too: nothing is asked or told after it. */
static void test_fit_callback_that_ends_it_has_the_last_word(void **state) {
    (void)state;
    static observer seen;
    trainee t = new_trainee();
    seen = (observer){.stop_after_batches = 10};
    assert_ok(tnn_optimizer_set_learning_rate(t.optimizer, 0));
    assert_ok(
        fit(&t, &all,
            (tnn_fit_options){
                .epochs = 9,
                .batch_rows = 10,
                .patience = 1,
                .after_epoch = observe_epoch,
                .after_batch = observe_batch,
                .context = &seen}));
    assert_int_equal(t.report.end, TNN_FIT_STOPPED);
    assert_int_equal(seen.epochs, 1);
    destroy(&t);
}

static void test_fit_schedule_sets_the_rate_of_each_batch(void **state) {
    (void)state;
    static observer seen;
    trainee t = new_trainee();
    seen = (observer){0};
    const tnn_schedule cosine = tnn_cosine_decay(0.25, 0.1);
    assert_ok(
        fit(&t, &all,
            (tnn_fit_options){
                .epochs = 4,
                .batch_rows = 10,
                .schedule = cosine,
                .after_batch = observe_batch,
                .context = &seen}));
    assert_int_equal(seen.batches, 20);
    for (uint64_t i = 0; i < 20; i++) {
        double memory[4] = {0};
        const tnn_progress progress = {.step = i, .steps = 20};
        float rate = (float)cosine.vtable->rate(&cosine, &progress, 0.01f, memory);
        assert_same_bits(&seen.rates[i], &rate, 1);
    }
    destroy(&t);
}

static void test_fit_leaves_the_learning_rate_as_it_was(void **state) {
    (void)state;
    trainee fitted = new_trainee();
    float before[PARAMETERS];
    assert_ok(fit(
        &fitted, &all, (tnn_fit_options){.epochs = 2, .schedule = tnn_exponential_decay(0.001)}));
    memcpy(before, tnn_net_parameters(fitted.net), sizeof before);
    assert_ok(tnn_train(fitted.net, fitted.optimizer, tnn_mean_squared_error(), &all, NULL));
    float move = 0;
    for (size_t i = 0; i < PARAMETERS; i++)
        move = fmaxf(move, fabsf(tnn_net_parameters(fitted.net)[i] - before[i]));
    assert_true(move > 0.001f); /* Adam moves by about its rate of 0.01, not by 0.00001 */
    destroy(&fitted);
}

static double bad_rate(
    const tnn_schedule *self, const tnn_progress *progress, double base_rate, double memory[4]) {
    (void)self, (void)memory;
    return progress->epoch < 2 ? base_rate : (double)NAN;
}

static void test_fit_schedule_that_gives_no_rate_ends_it(void **state) {
    (void)state;
    static const tnn_schedule_vtable bad_vtable = {"bad", false, bad_rate};
    trainee t = new_trainee();
    assert_status(
        fit(&t, &all, (tnn_fit_options){.epochs = 5, .schedule = {.vtable = &bad_vtable}}),
        TNN_INVALID_ARGUMENT);
    assert_non_null(strstr(tnn_error_message(), "epoch 2"));
    assert_int_equal(t.report.end, TNN_FIT_FAILED);
    destroy(&t);
}

/* ---- What goes wrong ------------------------------------------------------------------------- */

static void test_fit_loss_not_finite_leaves_finite_weights(void **state) {
    (void)state;
    static const float rates[] = {1e10f, 1e20f, 1e37f};
    for (size_t i = 0; i < COUNT_OF(rates); i++) {
        tnn_net *net = new_net(INPUTS, (tnn_layer[]){{.units = 8}, {.units = OUTPUTS}}, 2, NULL);
        tnn_optimizer *optimizer = new_optimizer(net, rates[i]);
        const tnn_fit_options options = {.epochs = 50};
        tnn_fit_report report;
        assert_status(
            tnn_fit(net, optimizer, tnn_mean_squared_error(), &all, &options, &report),
            TNN_NOT_FINITE);
        assert_int_equal(report.end, TNN_FIT_FAILED);
        for (size_t p = 0; p < PARAMETERS; p++)
            assert_true(isfinite(tnn_net_parameters(net)[p]));
        bool found = false;
        for (size_t f = 0; f < report.finding_count; f++)
            found = found || report.findings[f].kind == TNN_LOSS_NOT_FINITE;
        assert_true(found);
        tnn_optimizer_destroy(optimizer);
        tnn_net_destroy(net);
    }
}

/* One step that no loss comes after. */
static void test_fit_last_step_that_overflows_is_not_ok(void **state) {
    (void)state;
    static observer seen;
    const tnn_fit_options options[] = {
        {.epochs = 1, .batch_rows = ROWS},
        {.epochs = 9, .batch_rows = ROWS, .after_batch = observe_batch, .context = &seen},
        {.epochs = 1, .batch_rows = ROWS, .validation_share = 0.2f},
    };
    for (size_t i = 0; i < COUNT_OF(options); i++) {
        seen = (observer){.stop_after_batches = 1};
        tnn_net *net = new_regression(NULL);
        tnn_net *before = new_clone(net);
        tnn_optimizer *optimizer = new_optimizer(net, 3e38f);
        for (size_t p = 0; p < PARAMETERS; p++)
            tnn_net_parameters(net)[p] *= 100;
        memcpy(tnn_net_parameters(before), tnn_net_parameters(net), PARAMETERS * sizeof(float));
        tnn_fit_report report;
        assert_status(
            tnn_fit(net, optimizer, tnn_mean_squared_error(), &all, &options[i], &report),
            TNN_NOT_FINITE);
        assert_int_equal(report.end, TNN_FIT_FAILED);
        assert_int_equal(report.findings[0].kind, TNN_LOSS_NOT_FINITE);
        assert_same_weights(net, before);
        tnn_optimizer_destroy(optimizer);
        tnn_net_destroy(net);
        tnn_net_destroy(before);
    }
}

static void test_fit_validation_loss_not_finite_ends_it(void **state) {
    (void)state;
    const float x[INPUTS] = {1, NAN, 1}, target[OUTPUTS] = {0};
    const tnn_dataset bad = {.rows = 1, .x = x, .target = target};
    trainee t = new_trainee();
    assert_status(
        fit(&t, &all, (tnn_fit_options){.epochs = 9, .validation = &bad}), TNN_NOT_FINITE);
    assert_int_equal(t.report.progress.epoch, 0);
    assert_non_null(strstr(tnn_error_message(), "validation loss is nan after epoch 0"));
    destroy(&t);
}

static void test_fit_names_the_row_whatever_the_order(void **state) {
    (void)state;
    float x[ROWS * INPUTS];
    memcpy(x, all_x, sizeof x);
    x[31 * INPUTS + 1] = -(float)NAN;
    const tnn_dataset data = {.rows = ROWS, .x = x, .target = all_targets};
    for (uint64_t seed = 0; seed < 5; seed++) {
        trainee t = new_trainee();
        const tnn_fit_options options = {.epochs = 1, .batch_rows = 7, .seed = seed};
        assert_status(
            tnn_fit(t.net, t.optimizer, tnn_mean_squared_error(), &data, &options, NULL),
            TNN_NOT_FINITE);
        assert_non_null(strstr(tnn_error_message(), "x of row 31, column 1, is nan"));
        destroy(&t);
    }
}

static void check_refused(
    const tnn_net *like, tnn_loss loss, const tnn_dataset *data, const tnn_fit_options *options) {
    tnn_net *net = new_clone(like);
    tnn_optimizer *optimizer = new_optimizer(net, 0.1f);
    tnn_fit_report report;
    assert_status(tnn_fit(net, optimizer, loss, data, options, &report), TNN_INVALID_ARGUMENT);
    assert_int_equal(report.end, TNN_FIT_FAILED);
    assert_int_equal(strncmp(tnn_error_message(), "tnn_fit: ", 9), 0);
    assert_same_weights(net, like);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
}

static void test_fit_bad_arguments_are_refused(void **state) {
    (void)state;
    const tnn_loss loss = tnn_mean_squared_error();
    const tnn_dataset empty = {.x = all_x, .target = all_targets};
    const tnn_dataset no_target = {.rows = ROWS, .x = all_x};
    static uint32_t classes[ROWS] = {[ROWS - 1] = OUTPUTS};
    const tnn_dataset bad_class = {.rows = ROWS, .x = all_x, .classes = classes};
    const tnn_fit_options good = {.epochs = 1};
    const tnn_fit_options bad[] = {
        {.epochs = 0},
        {.epochs = 1, .validation_share = -0.1f},
        {.epochs = 1, .validation_share = 1},
        {.epochs = 1, .validation_share = NAN},
        {.epochs = 1, .validation = &empty},
        {.epochs = 1, .validation = &all, .validation_share = 0.1f},
    };
    tnn_net *net = new_regression(NULL);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        check_refused(net, loss, &all, &bad[i]);
    check_refused(net, loss, &all, NULL);
    check_refused(net, loss, NULL, &good);
    check_refused(net, loss, &empty, &good);
    check_refused(net, loss, &no_target, &good);
    const tnn_dataset one = {.rows = 1, .x = all_x, .target = all_targets};
    check_refused(net, loss, &one, &(tnn_fit_options){.epochs = 1, .validation_share = 0.5f});
    check_refused(net, (tnn_loss){0}, &all, &good);
    check_refused(net, tnn_cross_entropy(), &bad_class, &good);
    assert_status(tnn_fit(net, NULL, loss, &all, &good, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_fit(NULL, NULL, loss, &all, &good, NULL), TNN_INVALID_ARGUMENT);
    tnn_net_destroy(net);
}

static void test_fit_without_memory_learns_nothing(void **state) {
    (void)state;
    static test_allocator memory;
    tnn_net *net = new_regression(&(tnn_net_options){.allocator = init_test_allocator(&memory)});
    tnn_optimizer *optimizer = new_optimizer(net, 0.1f);
    tnn_net *before = new_clone(net);
    const tnn_fit_options options = {.epochs = 2, .validation_share = 0.5f};
    tnn_status status = TNN_OUT_OF_MEMORY;
    size_t failures = 0;
    for (; status == TNN_OUT_OF_MEMORY; failures++) {
        tnn_fit_report report;
        memory.calls = 0;
        memory.fail_at = failures + 1;
        status = tnn_fit(net, optimizer, tnn_mean_squared_error(), &all, &options, &report);
        if (status != TNN_OK)
            assert_same_weights(net, before);
    }
    assert_status(status, TNN_OK);
    assert_true(failures > 4);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(before);
    tnn_net_destroy(net);
    assert_int_equal(memory.live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fit_in_order_is_train_by_hand),
        cmocka_unit_test(test_fit_each_epoch_has_every_row_once_in_an_order_of_its_own),
        cmocka_unit_test(test_fit_order_is_a_function_of_the_seed),
        cmocka_unit_test(test_fit_validation_share_is_never_learned_from),
        cmocka_unit_test(test_fit_validation_share_in_order_is_the_last_rows),
        cmocka_unit_test(test_fit_threads_do_not_change_a_bit),
        cmocka_unit_test(test_fit_report_and_callbacks_do_not_change_a_bit),
        cmocka_unit_test(test_fit_leaves_the_best_weights),
        cmocka_unit_test(test_fit_keep_last_leaves_the_last_weights),
        cmocka_unit_test(test_fit_validation_loss_is_evaluates),
        cmocka_unit_test(test_fit_gives_up_when_its_patience_ends),
        cmocka_unit_test(test_fit_callback_ends_it_after_an_epoch),
        cmocka_unit_test(test_fit_callback_ends_it_after_a_batch),
        cmocka_unit_test(test_fit_schedule_sets_the_rate_of_each_batch),
        cmocka_unit_test(test_fit_leaves_the_learning_rate_as_it_was),
        cmocka_unit_test(test_fit_schedule_that_gives_no_rate_ends_it),
        cmocka_unit_test(test_fit_loss_not_finite_leaves_finite_weights),
        cmocka_unit_test(test_fit_last_step_that_overflows_is_not_ok),
        cmocka_unit_test(test_fit_validation_loss_not_finite_ends_it),
        cmocka_unit_test(test_fit_names_the_row_whatever_the_order),
        cmocka_unit_test(test_fit_callback_that_ends_it_has_the_last_word),
        cmocka_unit_test(test_fit_validation_share_is_at_least_a_row),
        cmocka_unit_test(test_fit_bad_arguments_are_refused),
        cmocka_unit_test(test_fit_without_memory_learns_nothing),
    };
    return cmocka_run_group_tests_name("fit", tests, fill_data, NULL);
}
