/*
 * test_checkpoint.c: a training that was broken off, saved, loaded and resumed is the training
 * without a break, bit for bit: by every method and schedule, wherever it was broken off. And what
 * is said to those who resume something else, or whose checkpoint cannot be written.
 */
#include "support/test_sources.h"
#include "support/trainings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef _WIN32
#    include <sys/stat.h>
#    include <unistd.h>
#endif

#define PATH "test_checkpoint.gguf"

/* ---- 10 = 5 + 5 ------------------------------------------------------------------------------ */

static trainee trained_without_a_break(const training *t) {
    trainee who = new_trainee(t, NULL);
    tnn_fit_options options = training_options(t);
    assert_ok(fit_trainee(&who, &options));
    return who;
}

static trainee resumed(const training *t, const model_file *file) {
    trainee who;
    tnn_fit_options options = training_options(t);
    assert_ok(load_checkpoint(&who, file, NULL));
    assert_non_null(who.state);
    options.resume = who.state;
    assert_ok(fit_trainee(&who, &options));
    return who;
}

/* In the midst of the fifth epoch, with its last batch, and after it. */
static void assert_resumes(const training *t) {
    const size_t batches = TRAINING_BATCHES - (t->validation == 1);
    const size_t breaks[] = {0, 2, batches};
    trainee whole = trained_without_a_break(t);
    for (size_t b = 0; b < COUNT_OF(breaks); b++) {
        model_file file = broken_training(t, breaks[b]);
        trainee who = resumed(t, &file);
        assert_same_trainee(&who, &whole);
        assert_same_report(&who.report, &whole.report);
        destroy_trainee(&who);
        free_file(&file);
    }
    destroy_trainee(&whole);
}

static void test_checkpoint_resumed_training_is_the_unbroken_one(void **state) {
    (void)state;
    size_t impatient = 0;
    training t;
    for (t.method = 0; t.method < METHODS; t.method++)
        for (t.schedule = 0; t.schedule < SCHEDULES; t.schedule++)
            for (t.net = 0; t.net < NETS; t.net++)
                for (t.validation = 0; t.validation < VALIDATIONS; t.validation++)
                    assert_resumes(&t);
    /* Some run out of patience, and in some the best weights are from before the break: or the test
     * would show less than it says. */
    size_t early = 0;
    t = (training){.net = 1, .validation = 1};
    for (t.method = 0; t.method < METHODS; t.method++) {
        trainee whole = trained_without_a_break(&t);
        impatient += whole.report.end == TNN_FIT_OUT_OF_PATIENCE;
        early += whole.report.progress.best_epoch < BREAK - 1;
        destroy_trainee(&whole);
    }
    assert_true(impatient > 0 && impatient < METHODS);
    assert_true(early > 0);
}

/* Saves and goes on, epoch after epoch and batch after batch. */
static bool save_and_go_on(void *context, const tnn_progress *progress) {
    const trainee *who = context;
    model_file file = saved_checkpoint(who->net, who->optimizer, progress->state);
    free_file(&file);
    return true;
}

static void test_checkpoint_saving_changes_nothing(void **state) {
    (void)state;
    for (size_t m = 0; m < METHODS; m++) {
        const training t = {.method = m, .schedule = m % SCHEDULES, .net = 1, .validation = m % 3};
        trainee whole = trained_without_a_break(&t);
        trainee who = new_trainee(&t, NULL);
        tnn_fit_options options = training_options(&t);
        options.after_batch = options.after_epoch = save_and_go_on;
        options.context = &who;
        assert_ok(fit_trainee(&who, &options));
        assert_same_trainee(&who, &whole);
        assert_same_report(&who.report, &whole.report);
        destroy_trainee(&who);
        destroy_trainee(&whole);
    }
}

/* Every batch is a break. */
static bool break_off_at_once(void *context, const tnn_progress *progress) {
    const trainee *who = context;
    assert_ok(tnn_checkpoint_save(who->net, who->optimizer, progress->state, PATH));
    return false;
}

static void test_checkpoint_may_be_resumed_at_every_batch(void **state) {
    (void)state;
    const training t = {.method = 5, .schedule = 5, .net = 1, .validation = 1};
    trainee whole = trained_without_a_break(&t);
    trainee who = new_trainee(&t, NULL);
    tnn_fit_options options = training_options(&t);
    options.after_batch = break_off_at_once;
    options.context = &who;
    size_t parts = 0;
    do {
        parts++;
        assert_ok(fit_trainee(&who, &options));
        if (who.report.end != TNN_FIT_STOPPED)
            break;
        tnn_fit_end end = who.report.end;
        destroy_trainee(&who);
        assert_ok(
            tnn_checkpoint_load(&who.net, &who.optimizer, &who.state, PATH, options_with_bend()));
        who.report.end = end;
        options.resume = who.state;
    } while (true);
    assert_int_equal(parts, whole.report.progress.step + 1);
    assert_same_trainee(&who, &whole);
    assert_same_report(&who.report, &whole.report);
    destroy_trainee(&who);
    destroy_trainee(&whole);
    remove(PATH);
}

/* Is the state as it was when it was saved with this trainee's net and optimizer? */
static void assert_same_state(
    const trainee *with, const tnn_fit_state *state, const model_file *before) {
    model_file after = saved_checkpoint(with->net, with->optimizer, state);
    assert_int_equal(after.count, before->count);
    assert_memory_equal(after.bytes, before->bytes, before->count);
    free_file(&after);
}

/* A state is the caller's: it may be resumed again, with what is loaded again. */
static void test_checkpoint_resuming_does_not_touch_the_state(void **state) {
    (void)state;
    const training t = {.method = 1, .validation = 1};
    model_file file = broken_training(&t, 2);
    trainee who, again;
    assert_ok(load_checkpoint(&who, &file, NULL));
    assert_ok(load_checkpoint(&again, &file, NULL));
    tnn_fit_options options = training_options(&t);
    options.resume = who.state;
    model_file before = saved_checkpoint(again.net, again.optimizer, who.state);
    assert_ok(fit_trainee(&who, &options));
    assert_true(who.report.progress.best_epoch >= BREAK - 1); /* new best weights */
    assert_same_state(&again, who.state, &before);
    assert_ok(fit_trainee(&again, &options));
    assert_same_trainee(&again, &who);
    free_file(&before);
    free_file(&file);
    destroy_trainee(&who);
    destroy_trainee(&again);
}

/* ---- Through a path -------------------------------------------------------------------------- */

static bool stop_after_break(void *context, const tnn_progress *progress) {
    (void)context;
    return progress->epoch + 1 < BREAK;
}

static bool stop_in_midst(void *context, const tnn_progress *progress) {
    (void)context;
    return progress->step != (BREAK - 1) * TRAINING_BATCHES + 1;
}

static trainee loaded_from_path(void) {
    trainee who = {0};
    assert_ok(tnn_checkpoint_load(&who.net, &who.optimizer, &who.state, PATH, options_with_bend()));
    return who;
}

/* Broken off by a callback after an epoch or a batch, or by a number of epochs that is too small.
 */
typedef enum break_kind { AFTER_EPOCH, AFTER_BATCH, TOO_FEW_EPOCHS } break_kind;

static void assert_resumes_through_path(const training *t, break_kind kind) {
    trainee whole = trained_without_a_break(t);
    trainee who = new_trainee(t, NULL);
    tnn_fit_options options = training_options(t);
    options.checkpoint = PATH;
    options.checkpoint_epochs = 3;
    options.after_epoch = kind == AFTER_EPOCH ? stop_after_break : NULL;
    options.after_batch = kind == AFTER_BATCH ? stop_in_midst : NULL;
    options.epochs = kind == TOO_FEW_EPOCHS ? BREAK : EPOCHS;
    assert_ok(fit_trainee(&who, &options));
    destroy_trainee(&who);

    who = loaded_from_path();
    options.resume = who.state;
    options.after_epoch = options.after_batch = NULL;
    options.epochs = EPOCHS;
    assert_ok(fit_trainee(&who, &options));
    assert_same_trainee(&who, &whole);
    assert_same_report(&who.report, &whole.report);
    destroy_trainee(&who);

    /* It was saved when it ended, too: there is nothing left to do, and that with the same end. */
    who = loaded_from_path();
    options.resume = who.state;
    assert_ok(fit_trainee(&who, &options));
    assert_same_trainee(&who, &whole);
    assert_same_report(&who.report, &whole.report);
    destroy_trainee(&who);
    destroy_trainee(&whole);
    remove(PATH);
}

static void test_checkpoint_path_is_saved_to_and_resumed_from(void **state) {
    (void)state;
    for (size_t m = 0; m < METHODS; m++) {
        const training t = {m, m / 4, m % 2, m % 3};
        assert_resumes_through_path(&t, AFTER_EPOCH);
        assert_resumes_through_path(&t, AFTER_BATCH);
        if (!schedule_counts_steps(t.schedule))
            assert_resumes_through_path(&t, TOO_FEW_EPOCHS);
    }
}

/* Which epochs the file was written after. */
typedef struct file_diary {
    char epochs[EPOCHS + 1];
} file_diary;

static bool look_at_file(void *context, const tnn_progress *progress) {
    file_diary *diary = context;
    FILE *file = fopen(PATH, "rb");
    diary->epochs[progress->epoch] = file ? 'x' : '-';
    if (file)
        fclose(file);
    remove(PATH);
    return true;
}

static void assert_saved_after(size_t every, const char *expected) {
    const training t = {0};
    trainee who = new_trainee(&t, NULL);
    file_diary diary = {{0}};
    tnn_fit_options options = training_options(&t);
    options.checkpoint = PATH;
    options.checkpoint_epochs = every;
    options.after_epoch = look_at_file;
    options.context = &diary;
    remove(PATH);
    assert_ok(fit_trainee(&who, &options));
    assert_string_equal(diary.epochs, expected);
    assert_int_equal(remove(PATH), 0); /* at the end, always */
    destroy_trainee(&who);
}

/* A callback finds what was saved after the epoch before its own. */
static void test_checkpoint_is_saved_after_every_so_many_epochs(void **state) {
    (void)state;
    assert_saved_after(0, "-xxxxxxxxx");
    assert_saved_after(1, "-xxxxxxxxx");
    assert_saved_after(4, "----x---x-");
    assert_saved_after(1000, "----------");
}

/* ---- Loops of one's own ---------------------------------------------------------------------- */

static tnn_dataset batch_of(size_t number) {
    tnn_dataset batch = *training_data();
    size_t first = number * 5 % 15;
    batch.rows = 7;
    batch.x += 3 * first;
    batch.target += 2 * first;
    batch.row_weights += first;
    return batch;
}

static void train_by_hand(trainee *who, size_t first, size_t end) {
    for (size_t i = first; i < end; i++) {
        tnn_dataset batch = batch_of(i);
        assert_ok(tnn_train(who->net, who->optimizer, tnn_mean_squared_error(), &batch, NULL));
    }
}

/* A step after every second batch. */
static void accumulate_by_hand(trainee *who, size_t first, size_t end) {
    for (size_t i = first; i < end; i++) {
        tnn_dataset batch = batch_of(i);
        assert_ok(tnn_forward(who->net, batch.rows, batch.x, NULL));
        assert_ok(tnn_backward(who->net, tnn_mean_squared_error(), batch.target, NULL));
        if (i % 2 == 1)
            assert_ok(tnn_step(who->net, who->optimizer));
    }
}

static void assert_loop_resumes(
    const training *t, void (*loop)(trainee *who, size_t first, size_t end), size_t at) {
    trainee whole = new_trainee(t, NULL);
    trainee who = new_trainee(t, NULL);
    loop(&whole, 0, 20);
    loop(&who, 0, at);
    model_file file = saved_checkpoint(who.net, who.optimizer, NULL);
    destroy_trainee(&who);
    assert_ok(load_checkpoint(&who, &file, NULL));
    assert_null(who.state);
    loop(&who, at, 20);
    assert_same_trainee(&who, &whole);
    free_file(&file);
    destroy_trainee(&who);
    destroy_trainee(&whole);
}

/* Before the first step and with gradients pending, too. */
static void test_checkpoint_loops_of_ones_own_resume(void **state) {
    (void)state;
    training t = {0};
    for (t.method = 0; t.method < METHODS; t.method++) {
        for (t.net = 0; t.net < NETS; t.net++) {
            for (size_t at = 0; at < 20; at += 5) {
                assert_loop_resumes(&t, train_by_hand, at);
                assert_loop_resumes(&t, accumulate_by_hand, at);
            }
        }
    }
}

static void test_checkpoint_learning_rate_that_was_set_is_kept(void **state) {
    (void)state;
    const training t = {.method = 7}; /* rprop, whose rate may be out of its moves' range then */
    trainee who = new_trainee(&t, NULL), loaded;
    train_by_hand(&who, 0, 2);
    assert_ok(tnn_optimizer_set_learning_rate(who.optimizer, 100));
    model_file file = saved_checkpoint(who.net, who.optimizer, NULL);
    assert_ok(load_checkpoint(&loaded, &file, NULL));
    assert_same_trainee(&loaded, &who);
    free_file(&file);
    destroy_trainee(&who);
    destroy_trainee(&loaded);
}

/* ---- The file -------------------------------------------------------------------------------- */

static void test_checkpoint_saved_again_gives_the_same_bytes(void **state) {
    (void)state;
    for (size_t m = 0; m < METHODS; m++) {
        const training t = {m, m % SCHEDULES, m % 2, m % 3};
        trainee who;
        model_file file = broken_training(&t, m % 4);
        assert_ok(load_checkpoint(&who, &file, NULL));
        model_file again = saved_checkpoint(who.net, who.optimizer, who.state);
        assert_int_equal(again.count, file.count);
        assert_memory_equal(again.bytes, file.bytes, file.count);
        free_file(&again);
        free_file(&file);
        destroy_trainee(&who);
    }
}

static void test_checkpoint_is_a_model_file(void **state) {
    (void)state;
    const training t = {.method = 6, .net = 1, .validation = 1};
    model_file file = broken_training(&t, 2);
    trainee who;
    assert_ok(load_checkpoint(&who, &file, NULL));
    tnn_net *net = loaded_file(&file);
    assert_same_model(net, who.net);
    tnn_net_destroy(net);
    destroy_trainee(&who);
    free_file(&file);
}

static void test_checkpoint_model_file_is_none(void **state) {
    (void)state;
    model_file file = saved_sample(0);
    trainee who;
    assert_status(load_checkpoint(&who, &file, NULL), TNN_BAD_FORMAT);
    assert_string_equal(
        tnn_error_message(),
        "tnn_checkpoint_load_from: memory: a model file, which tnn_net_load reads, and no "
        "checkpoint: the key tinynn.checkpoint.version is missing");
    free_file(&file);
}

static void test_checkpoint_state_may_be_left_where_it_is(void **state) {
    (void)state;
    const training t = {.validation = 1};
    model_file file = broken_training(&t, 0);
    memory_source source;
    test_allocator memory;
    const tnn_net_options net_options = {.allocator = init_test_allocator(&memory)};
    const tnn_load_options options = {.net = &net_options};
    tnn_net *net;
    tnn_optimizer *optimizer;
    assert_ok(tnn_checkpoint_load_from(
        &net, &optimizer, NULL, init_memory_source(&source, file.bytes, file.count), &options));
    tnn_net_destroy(net);
    tnn_optimizer_destroy(optimizer);
    assert_int_equal(memory.live, 0);
    free_file(&file);
}

/* ---- Not finite ------------------------------------------------------------------------------ */

/* Saves in the third batch of epoch 4; spoils the weights after epoch 6. */
typedef struct spoiler {
    trainee *who;
    model_file file;
} spoiler;

static bool spoil(void *context, const tnn_progress *progress) {
    spoiler *self = context;
    if (progress->step == 4 * TRAINING_BATCHES + 3)
        self->file = saved_checkpoint(self->who->net, self->who->optimizer, progress->state);
    if (progress->step == 7 * TRAINING_BATCHES)
        tnn_net_biases(self->who->net, 1)[0] = INFINITY;
    return true;
}

static tnn_fit_options spoiled_options(const training *t, spoiler *by) {
    tnn_fit_options options = training_options(t);
    options.after_batch = options.after_epoch = spoil;
    options.context = by;
    return options;
}

/* To the weights that it goes back to: here those of before the first epoch. */
static void test_checkpoint_resumed_training_fails_like_the_unbroken_one(void **state) {
    (void)state;
    const training t = {.method = 1};
    char words[400];
    trainee fresh = new_trainee(&t, NULL), whole = new_trainee(&t, NULL), who;
    spoiler by = {.who = &whole}, again = {.who = &who};
    tnn_fit_options options = spoiled_options(&t, &by);
    assert_status(fit_trainee(&whole, &options), TNN_NOT_FINITE);
    snprintf(words, sizeof words, "%s", tnn_error_message());
    assert_non_null(strstr(words, "epoch 7"));
    assert_same_bits(
        tnn_net_read_parameters(whole.net), tnn_net_read_parameters(fresh.net),
        tnn_net_parameter_count(fresh.net));

    assert_ok(load_checkpoint(&who, &by.file, NULL));
    options = spoiled_options(&t, &again);
    options.resume = who.state;
    assert_status(fit_trainee(&who, &options), TNN_NOT_FINITE);
    assert_string_equal(tnn_error_message(), words);
    assert_same_trainee(&who, &whole);
    assert_same_report(&who.report, &whole.report);
    free_file(&by.file);
    destroy_trainee(&fresh);
    destroy_trainee(&who);
    destroy_trainee(&whole);
}

/* The weights that it goes back to do not depend on a file that is saved after every epoch, nor on
 * a break. */
static void test_checkpoint_to_a_path_fails_like_the_training_without(void **state) {
    (void)state;
    const training t = {.method = 1};
    trainee whole = new_trainee(&t, NULL), saving = new_trainee(&t, NULL), who;
    spoiler by = {.who = &whole}, saver = {.who = &saving}, again = {.who = &who};
    tnn_fit_options options = spoiled_options(&t, &by);
    assert_status(fit_trainee(&whole, &options), TNN_NOT_FINITE);
    options = spoiled_options(&t, &saver);
    options.checkpoint = PATH;
    assert_status(fit_trainee(&saving, &options), TNN_NOT_FINITE);
    assert_same_trainee(&saving, &whole);
    assert_same_report(&saving.report, &whole.report);

    who = loaded_from_path();
    options = spoiled_options(&t, &again);
    options.checkpoint = PATH;
    options.resume = who.state;
    assert_status(fit_trainee(&who, &options), TNN_NOT_FINITE);
    assert_same_trainee(&who, &whole);
    assert_same_report(&who.report, &whole.report);
    free_file(&by.file);
    free_file(&saver.file);
    destroy_trainee(&who);
    destroy_trainee(&saving);
    destroy_trainee(&whole);
    remove(PATH);
}

/* Without any that were finite there is nothing to go back to. */
static void test_checkpoint_net_that_never_was_finite_stays_as_it_is(void **state) {
    (void)state;
    const training t = {.method = 1};
    trainee who = new_trainee(&t, NULL);
    tnn_fit_options options = training_options(&t);
    tnn_net_biases(who.net, 1)[0] = INFINITY;
    snapshot before = take_snapshot(who.net);
    assert_status(fit_trainee(&who, &options), TNN_NOT_FINITE);
    assert_same_bits(
        tnn_net_read_parameters(who.net), before.parameters, tnn_net_parameter_count(who.net));
    free_snapshot(&before);
    destroy_trainee(&who);
}

/* Steps of one batch that has all rows: after so many of them weights are kept. */
enum { SAFE_ROWS = 4096, SAFE_STEP = (SAFE_ROWS - 1) / TRAINING_ROWS + 1 };

typedef struct late_spoiler {
    trainee *who;
    float safe[64]; /* parameters after SAFE_STEP */
    model_file file;
} late_spoiler;

static bool spoil_late(void *context, const tnn_progress *progress) {
    late_spoiler *self = context;
    const tnn_net *net = self->who->net;
    size_t count = tnn_net_parameter_count(net);
    assert_true(count <= COUNT_OF(self->safe));
    if (progress->step == SAFE_STEP)
        memcpy(self->safe, tnn_net_read_parameters(net), count * sizeof self->safe[0]);
    if (progress->step == SAFE_STEP - 2)
        self->file = saved_checkpoint(net, self->who->optimizer, progress->state);
    if (progress->step == SAFE_STEP + 5)
        tnn_net_biases(self->who->net, 1)[0] = NAN;
    return true;
}

static tnn_fit_options late_options(const training *t, late_spoiler *by) {
    tnn_fit_options options = training_options(t);
    options.batch_rows = TRAINING_ROWS;
    options.epochs = SAFE_STEP + 10;
    options.after_batch = spoil_late;
    options.context = by;
    return options;
}

/* To those that were kept, and not to later ones, whether it was broken off before or not. */
static void test_checkpoint_overflow_goes_back_to_the_weights_of_4096_rows(void **state) {
    (void)state;
    const training t = {.method = 1};
    trainee whole = new_trainee(&t, NULL), who;
    late_spoiler by = {.who = &whole}, again = {.who = &who};
    tnn_fit_options options = late_options(&t, &by);
    assert_status(fit_trainee(&whole, &options), TNN_NOT_FINITE);
    size_t count = tnn_net_parameter_count(whole.net);
    assert_same_bits(tnn_net_read_parameters(whole.net), by.safe, count);

    assert_ok(load_checkpoint(&who, &by.file, NULL));
    model_file before = saved_checkpoint(whole.net, whole.optimizer, who.state);
    options = late_options(&t, &again);
    options.resume = who.state;
    assert_status(fit_trainee(&who, &options), TNN_NOT_FINITE);
    assert_same_trainee(&who, &whole);
    assert_same_report(&who.report, &whole.report);
    assert_same_state(&whole, who.state, &before);
    free_file(&before);
    free_file(&by.file);
    destroy_trainee(&who);
    destroy_trainee(&whole);
}

/* What is saved can be gone on from: the file stays that of epoch 5, and is resumed. */
static void test_checkpoint_weights_that_are_not_finite_are_not_saved(void **state) {
    (void)state;
    const training t = {.method = 1};
    trainee whole = trained_without_a_break(&t), who = new_trainee(&t, NULL);
    spoiler by = {.who = &who};
    tnn_fit_options options = spoiled_options(&t, &by);
    options.checkpoint = PATH;
    assert_status(fit_trainee(&who, &options), TNN_NOT_FINITE);
    destroy_trainee(&who);
    who = loaded_from_path();
    options = training_options(&t);
    options.resume = who.state;
    assert_ok(fit_trainee(&who, &options));
    assert_same_trainee(&who, &whole);
    destroy_trainee(&who);
    destroy_trainee(&whole);
    free_file(&by.file);
    remove(PATH);
}

/* ---- Resuming something else ----------------------------------------------------------------- */

static double any_rate(
    const tnn_schedule *self, const tnn_progress *progress, double base_rate, double memory[4]) {
    (void)self, (void)progress, (void)memory;
    return base_rate;
}

static const tnn_schedule_vtable other_vtable = {"other", true, any_rate};

static void assert_not_resumed(
    trainee *who, tnn_loss loss, const tnn_dataset *data, const tnn_fit_options *options,
    const char *message) {
    snapshot before = take_snapshot(who->net);
    char words[300];
    snprintf(words, sizeof words, "tnn_fit: %s", message);
    assert_status(
        tnn_fit(who->net, who->optimizer, loss, data, options, &who->report), TNN_INVALID_ARGUMENT);
    assert_string_equal(tnn_error_message(), words);
    assert_int_equal(who->report.end, TNN_FIT_FAILED);
    assert_unchanged(who->net, &before);
    free_snapshot(&before);
}

static void test_checkpoint_resuming_something_else_is_refused(void **state) {
    (void)state;
    const training t = {.method = 5, .schedule = 7, .validation = 1};
    trainee who;
    model_file file = broken_training(&t, 0);
    assert_ok(load_checkpoint(&who, &file, NULL));
    tnn_loss huber = tnn_huber(0.75f);
    tnn_fit_options options = training_options(&t);
    options.resume = who.state;
    const tnn_fit_options right = options;
    tnn_dataset fewer = *training_data();
    fewer.rows = 20;
#define REFUSED(change, message)                                                                   \
    options = right;                                                                               \
    change;                                                                                        \
    assert_not_resumed(&who, huber, training_data(), &options, message)
    REFUSED(options.batch_rows = 5, "options->batch_rows is 5, options->resume has 6");
    REFUSED(options.seed = 1, "options->seed is 1, options->resume has 9");
    REFUSED(options.keep_order = true, "options->keep_order is 1, options->resume has 0");
    REFUSED(options.keep_last = true, "options->keep_last is 1, options->resume has 0");
    REFUSED(
        options.validation_share = 0.4f,
        "the number of rows to learn from is 13, options->resume has 18");
    REFUSED(options.epochs = 4, "options->epochs is 4, options->resume has begun 5");
    REFUSED(
        options.schedule = tnn_one_cycle(),
        "options->schedule is \"one_cycle\", options->resume has \"lively\"");
    REFUSED(
        options.schedule.vtable = &other_vtable,
        "options->schedule is \"other\", options->resume has \"lively\"");
    REFUSED(
        options.schedule = (tnn_schedule){0},
        "options->schedule is \"\", options->resume has \"lively\"");
    REFUSED(options.schedule.second = 7, "options->schedule.second is 7, options->resume has 1");
#undef REFUSED
    options = right;
    assert_not_resumed(&who, huber, &fewer, &options, "train->rows is 20, options->resume has 22");
    assert_not_resumed(
        &who, tnn_huber(1), training_data(), &options,
        "loss.parameter is 1, options->resume has 0.75");
    assert_not_resumed(
        &who, tnn_mean_squared_error(), training_data(), &options,
        "loss is \"mean_squared_error\", options->resume has \"huber\"");
    /* The number of rows to learn from is the same. */
    tnn_dataset apart = *training_data();
    options.validation_share = 0;
    options.validation = &fewer;
    assert_not_resumed(
        &who, huber, &apart, &options,
        "the number of rows to learn from is 22, options->resume has 18");
    assert_ok(fit_trainee(&who, &right)); /* and after all that it goes on */
    destroy_trainee(&who);
    free_file(&file);
}

static void test_checkpoint_resuming_with_another_net_is_refused(void **state) {
    (void)state;
    const training t = {.method = 5};
    const training other_layout = {.method = 5, .net = 1};
    const training other_method = {.method = 0};
    trainee who, other = new_trainee(&other_layout, NULL), fresh = new_trainee(&t, NULL);
    trainee sgd = new_trainee(&other_method, NULL);
    model_file file = broken_training(&t, 0);
    assert_ok(load_checkpoint(&who, &file, NULL));
    tnn_loss huber = tnn_huber(0.75f);
    tnn_fit_options options = training_options(&t);
    options.resume = who.state;
    assert_not_resumed(
        &other, huber, training_data(), &options,
        "options->resume is of another layout (50 parameters, the net has 75)");
    assert_not_resumed(
        &fresh, huber, training_data(), &options,
        "the net's number of forward passes is 0, options->resume has 20");
    trainee mixed = {.net = who.net, .optimizer = sgd.optimizer};
    assert_not_resumed(
        &mixed, huber, training_data(), &options,
        "the optimizer's method is \"sgd\", options->resume has \"adam\"");
    const tnn_sink sink = sink_to(&file);
    assert_status(
        tnn_checkpoint_save_to(other.net, other.optimizer, who.state, &sink), TNN_INVALID_ARGUMENT);
    assert_string_equal(
        tnn_error_message(),
        "tnn_checkpoint_save_to: state is of another layout (50 parameters, the net has 75)");
    destroy_trainee(&who);
    destroy_trainee(&other);
    destroy_trainee(&fresh);
    destroy_trainee(&sgd);
    free_file(&file);
}

/* As many passes, and something else learned in them. */
static void test_checkpoint_resuming_other_weights_or_moments_is_refused(void **state) {
    (void)state;
    static const char message[] = "net or optimizer is not as it was loaded with options->resume: "
                                  "other parameters or moments";
    const training t = {.method = 5};
    trainee who, again, fresh = new_trainee(&t, NULL);
    model_file file = broken_training(&t, 0);
    assert_ok(load_checkpoint(&who, &file, NULL));
    assert_ok(load_checkpoint(&again, &file, NULL));
    tnn_loss huber = tnn_huber(0.75f);
    tnn_fit_options options = training_options(&t);
    options.resume = who.state;

    float *bias = &tnn_net_biases(who.net, 1)[1]; /* the last parameter */
    float right = *bias;
    *bias = nextafterf(right, INFINITY);
    assert_not_resumed(&who, huber, training_data(), &options, message);
    *bias = right;
    trainee mixed = {.net = who.net, .optimizer = fresh.optimizer};
    assert_not_resumed(&mixed, huber, training_data(), &options, message);

    /* The same file again is as good, and so is the first one, for all that was refused. */
    mixed.optimizer = again.optimizer;
    assert_ok(fit_trainee(&mixed, &options));
    options.resume = again.state;
    mixed = (trainee){.net = again.net, .optimizer = who.optimizer};
    assert_ok(fit_trainee(&mixed, &options));
    destroy_trainee(&who);
    destroy_trainee(&again);
    destroy_trainee(&fresh);
    free_file(&file);
}

static void test_checkpoint_arguments_are_checked(void **state) {
    (void)state;
    const training t = {0}, other = {.net = 1};
    trainee who = new_trainee(&t, NULL), wrong = new_trainee(&other, NULL);
    tnn_net *net;
    tnn_optimizer *optimizer = (tnn_optimizer *)(uintptr_t)1;
    const struct {
        tnn_status status;
        const char *message;
    } calls[] = {
        {tnn_checkpoint_save(NULL, who.optimizer, NULL, PATH), "net is NULL"},
        {tnn_checkpoint_save(who.net, NULL, NULL, PATH), "optimizer is NULL"},
        {tnn_checkpoint_save(who.net, wrong.optimizer, NULL, PATH), "another layout"},
        {tnn_checkpoint_save(who.net, who.optimizer, NULL, NULL), "path is NULL"},
        {tnn_checkpoint_save_to(who.net, who.optimizer, NULL, NULL), "sink is NULL"},
        {tnn_checkpoint_load(NULL, &optimizer, NULL, PATH, NULL), "net is NULL"},
        {tnn_checkpoint_load(&net, NULL, NULL, PATH, NULL), "optimizer is NULL"},
        {tnn_checkpoint_load(&net, &optimizer, NULL, NULL, NULL), "path is NULL"},
        {tnn_checkpoint_load_from(&net, &optimizer, NULL, NULL, NULL), "source is NULL"},
    };
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        assert_status(calls[i].status, TNN_INVALID_ARGUMENT);
    assert_null(net);
    assert_null(optimizer);
    assert_string_equal(tnn_error_message(), "tnn_checkpoint_load_from: source is NULL");
    tnn_fit_state_destroy(NULL);
    destroy_trainee(&who);
    destroy_trainee(&wrong);
}

/* ---- What cannot be had ---------------------------------------------------------------------- */

static void test_checkpoint_loading_without_memory_leaves_nothing(void **state) {
    (void)state;
    const training t = {.method = 5, .schedule = 5, .net = 1, .validation = 1};
    static test_allocator memory;
    model_file file = broken_training(&t, 2);
    tnn_status status = TNN_OUT_OF_MEMORY;
    size_t failures = 0;
    do {
        trainee who;
        init_test_allocator(&memory);
        memory.fail_at = ++failures;
        status = load_checkpoint(&who, &file, &memory.base);
        assert_true(status == TNN_OK || status == TNN_OUT_OF_MEMORY);
        destroy_trainee(&who);
        assert_int_equal(memory.live, 0);
    } while (status != TNN_OK);
    assert_true(failures > 6);
    free_file(&file);
}

static void test_checkpoint_resuming_without_memory_learns_nothing(void **state) {
    (void)state;
    const training t = {.method = 5, .net = 1, .validation = 1};
    static test_allocator memory;
    model_file file = broken_training(&t, 2);
    trainee whole = trained_without_a_break(&t);
    tnn_status status = TNN_OUT_OF_MEMORY;
    size_t failures = 0;
    remove(PATH);
    do {
        trainee who;
        tnn_fit_options options = training_options(&t);
        init_test_allocator(&memory);
        assert_ok(load_checkpoint(&who, &file, &memory.base));
        options.resume = who.state;
        options.checkpoint = PATH;
        options.checkpoint_epochs = 1000;
        memory.fail_at = memory.calls + ++failures;
        status = fit_trainee(&who, &options);
        bool has_failed = memory.calls >= memory.fail_at;
        memory.fail_at = 0;
        assert_status(status, has_failed ? TNN_OUT_OF_MEMORY : TNN_OK);
        if (has_failed && who.report.progress.step < whole.report.progress.step) {
            options.checkpoint = NULL; /* nothing was learned: it can be resumed still */
            assert_ok(fit_trainee(&who, &options));
        }
        assert_same_trainee(&who, &whole); /* without a file, too, if that is what was lacking */
        destroy_trainee(&who);
        assert_int_equal(memory.live, 0);
    } while (status != TNN_OK);
    assert_true(failures > 4);
    destroy_trainee(&whole);
    free_file(&file);
    remove(PATH);
}

/* Takes some calls, then no more. */
typedef struct full_disk {
    size_t calls;
    size_t most;
} full_disk;

static tnn_status take_some(void *context, const void *data, size_t bytes) {
    full_disk *disk = context;
    assert_non_null(data);
    assert_true(bytes > 0);
    return disk->calls++ < disk->most ? TNN_OK : TNN_IO_ERROR;
}

static void test_checkpoint_failing_write_ends_it_whichever_it_is(void **state) {
    (void)state;
    const training t = {.method = 5, .net = 1};
    trainee who = new_trainee(&t, NULL);
    full_disk disk = {.most = SIZE_MAX};
    const tnn_sink sink = {.context = &disk, .write = take_some, .name = "disk"};
    assert_ok(tnn_checkpoint_save_to(who.net, who.optimizer, NULL, &sink));
    size_t calls = disk.calls;
    assert_true(calls > 1);
    for (size_t most = 0; most < calls; most++) {
        disk = (full_disk){.most = most};
        assert_status(tnn_checkpoint_save_to(who.net, who.optimizer, NULL, &sink), TNN_IO_ERROR);
        assert_int_equal(disk.calls, most + 1);
        assert_string_equal(
            tnn_error_message(), "tnn_checkpoint_save_to: disk: sink->write returned TNN_IO_ERROR");
    }
    destroy_trainee(&who);
}

static void test_checkpoint_path_that_cannot_be_is_told_at_once(void **state) {
    (void)state;
    const training t = {0};
    trainee who = new_trainee(&t, NULL);
    snapshot before = take_snapshot(who.net);
    tnn_fit_options options = training_options(&t);
    char too_long[300] = "";
    memset(too_long, 'x', sizeof too_long - 1);
    const struct {
        const char *path, *message;
    } cases[] = {
        {"no/such/folder/training.gguf", "tnn_fit: cannot open"},
        {"", "tnn_fit: \"\" is not the name of a file"},
        {"./", "tnn_fit: \"./\" is not the name of a file"},
        {too_long, "tnn_fit: cannot "},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        options.checkpoint = cases[i].path;
        assert_status(fit_trainee(&who, &options), TNN_IO_ERROR);
        assert_memory_equal(tnn_error_message(), cases[i].message, strlen(cases[i].message));
        assert_int_equal(who.report.end, TNN_FIT_FAILED);
        assert_int_equal(who.report.progress.step, 0);
        assert_unchanged(who.net, &before);
    }
    free_snapshot(&before);
    destroy_trainee(&who);
}

#ifndef _WIN32
#    define FOLDER "test_checkpoint.folder"
#    define LOST "test_checkpoint.lost"
enum { MOST_PARAMETERS = 100 };

/* Takes the folder away at some epoch. */
typedef struct thief {
    size_t epoch;
    const tnn_net *net;
    float *seen; /* the net's parameters at that time */
} thief;

static bool steal_folder(void *context, const tnn_progress *progress) {
    thief *self = context;
    if (progress->epoch != self->epoch)
        return true;
    assert_int_equal(rename(FOLDER, LOST), 0);
    memcpy(
        self->seen, tnn_net_read_parameters(self->net),
        tnn_net_parameter_count(self->net) * sizeof(float));
    return true;
}

/* Returns the trainee as the failure leaves it. */
static trainee trained_into_a_folder_that_goes(
    const training *t, size_t epoch, float seen[MOST_PARAMETERS]) {
    trainee who = new_trainee(t, NULL);
    thief with = {epoch, who.net, seen};
    tnn_fit_options options = training_options(t);
    assert_true(tnn_net_parameter_count(who.net) <= MOST_PARAMETERS);
    options.checkpoint = FOLDER "/training.gguf";
    options.after_epoch = steal_folder;
    options.context = &with;
    assert_int_equal(mkdir(FOLDER, 0700), 0);
    assert_status(fit_trainee(&who, &options), TNN_IO_ERROR);
    assert_memory_equal(tnn_error_message(), "tnn_fit: cannot ", strlen("tnn_fit: cannot "));
    assert_int_equal(who.report.end, TNN_FIT_FAILED);
    assert_int_equal(who.report.progress.epoch, epoch);
    return who;
}

static void remove_lost_folder(void) {
    assert_int_equal(remove(LOST "/training.gguf"), 0);
    assert_int_equal(rmdir(LOST), 0);
}

static void test_checkpoint_that_cannot_be_written_ends_the_training(void **state) {
    (void)state;
    const training t = {.method = 1, .schedule = 7, .validation = 1};
    float seen[MOST_PARAMETERS];
    trainee who = trained_into_a_folder_that_goes(&t, 2, seen);
    assert_same_bits(tnn_net_read_parameters(who.net), seen, tnn_net_parameter_count(who.net));
    destroy_trainee(&who);
    /* The one before is still there, and to be resumed. */
    trainee whole = trained_without_a_break(&t);
    tnn_fit_options options = training_options(&t);
    assert_ok(
        tnn_checkpoint_load(&who.net, &who.optimizer, &who.state, LOST "/training.gguf", NULL));
    options.resume = who.state;
    assert_ok(fit_trainee(&who, &options));
    assert_same_trainee(&who, &whole);
    destroy_trainee(&who);
    destroy_trainee(&whole);
    remove_lost_folder();
}

/* Then nothing but the file is missing. */
static void test_checkpoint_that_cannot_be_written_at_the_end_costs_no_weights(void **state) {
    (void)state;
    training t = {.validation = 1, .net = 1};
    trainee whole = trained_without_a_break(&t);
    while (whole.report.progress.best_epoch == whole.report.progress.epoch) {
        destroy_trainee(&whole);
        t.method++;
        whole = trained_without_a_break(&t);
    }
    float seen[MOST_PARAMETERS];
    trainee who = trained_into_a_folder_that_goes(&t, whole.report.progress.epoch, seen);
    assert_memory_not_equal(
        seen, tnn_net_read_parameters(whole.net),
        tnn_net_parameter_count(whole.net) * sizeof(float));
    assert_same_trainee(&who, &whole);
    destroy_trainee(&who);
    destroy_trainee(&whole);
    remove_lost_folder();
}
#endif

/* ---- The golden file ------------------------------------------------------------------------- */

/*
 * The moves of rprop go by the signs of gradients, and here they are multiples of powers of 2 that
 * a float holds exactly. So machines with and without fused multiply-add, whose gradients differ in
 * their last bits, agree in all weights.
 */
#define GOLDEN_PATH TINYNN_GOLDEN "/checkpoint-1.gguf"

static const float golden_x[] = {1, -2, 0.5f, 4, -1, 3, 2, 0.25f, -3, 1, 0.5f, -1};
static const float golden_targets[] = {3, -1, 2, 0.5f, -2, 1};
static const tnn_dataset golden_data = {6, golden_x, golden_targets, NULL, NULL};

static trainee new_golden_trainee(const char *kernels) {
    const tnn_layer layers[] = {
        {.units = 3, .activation = tnn_leaky_relu(0.125f), .dropout = 0.5f}, {.units = 1}};
    tnn_method method = tnn_rprop();
    trainee made = {
        .net =
            new_net(2, layers, 2, &(tnn_net_options){.seed = 1234567890123, .kernels = kernels})};
    float *parameters = tnn_net_parameters(made.net);
    for (size_t i = 0; i < tnn_net_parameter_count(made.net); i++)
        parameters[i] = (float)(i % 2 ? -1 : 1) * (float)(1 << i % 4) / 8;
    method.learning_rate = 0.0625f;
    method.grow = 1.25f;
    method.min_move = 0.015625f;
    method.max_move = 0.5f;
    made.optimizer = new_optimizer_of(made.net, method);
    return made;
}

static tnn_fit_options golden_options(void) {
    return (tnn_fit_options){
        .epochs = EPOCHS,
        .batch_rows = 2,
        .seed = 99,
        .validation_share = 0.3f,
        .patience = 8,
        .schedule = tnn_reduce_on_plateau(0.5, 2),
    };
}

static tnn_status fit_golden(trainee *who, const tnn_fit_options *options) {
    return tnn_fit(
        who->net, who->optimizer, tnn_half_squared_error(), &golden_data, options, &who->report);
}

/* How the file was made: "test_checkpoint --golden FILE". */
static tnn_status write_golden(const char *path) {
    trainee who = new_golden_trainee(NULL);
    tnn_fit_options options = golden_options();
    options.checkpoint = path;
    options.after_epoch = stop_after_break;
    tnn_status status = fit_golden(&who, &options);
    destroy_trainee(&who);
    return status;
}

/* Goes on from the file to the weights of a training that this kernel table does itself; where it
 * is fused, as that of the file was, to all bits. */
static void assert_golden_resumes(const char *kernels) {
    const tnn_net_options net_options = {.kernels = kernels};
    const tnn_load_options load_options = {.net = &net_options};
    trainee whole = new_golden_trainee(kernels), who = {0};
    tnn_fit_options options = golden_options();
    assert_ok(
        tnn_checkpoint_load(&who.net, &who.optimizer, &who.state, GOLDEN_PATH, &load_options));
    assert_ok(fit_golden(&whole, &options));
    options.resume = who.state;
    assert_ok(fit_golden(&who, &options));
    assert_same_bits(
        tnn_net_read_parameters(who.net), tnn_net_read_parameters(whole.net),
        tnn_net_parameter_count(whole.net));
    assert_int_equal(who.report.end, whole.report.end);
    assert_int_equal(who.report.progress.step, whole.report.progress.step);
    if (kernels_are_fused(kernels)) {
        assert_same_trainee(&who, &whole);
        assert_same_report(&who.report, &whole.report);
    }
    destroy_trainee(&who);
    destroy_trainee(&whole);
}

static void test_checkpoint_golden_file_is_resumed(void **state) {
    (void)state;
    for (size_t k = 0; k < KERNEL_TABLES; k++)
        if (kernels_are_available(kernel_names[k]))
            assert_golden_resumes(kernel_names[k]);
}

/* Version 1 was written on x86-64; whatever machine this is reads it and writes the same bytes. */
static void test_checkpoint_golden_file_is_read_and_written(void **state) {
    (void)state;
    trainee who;
    model_file golden = read_file(GOLDEN_PATH);
    assert_ok(load_checkpoint(&who, &golden, NULL));
    model_file again = saved_checkpoint(who.net, who.optimizer, who.state);
    assert_int_equal(again.count, golden.count);
    assert_memory_equal(again.bytes, golden.bytes, golden.count);
    free_file(&again);
    free_file(&golden);
    destroy_trainee(&who);
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--golden") == 0)
        return write_golden(argv[2]) == TNN_OK ? EXIT_SUCCESS : EXIT_FAILURE;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkpoint_resumed_training_is_the_unbroken_one),
        cmocka_unit_test(test_checkpoint_saving_changes_nothing),
        cmocka_unit_test(test_checkpoint_may_be_resumed_at_every_batch),
        cmocka_unit_test(test_checkpoint_path_is_saved_to_and_resumed_from),
        cmocka_unit_test(test_checkpoint_is_saved_after_every_so_many_epochs),
        cmocka_unit_test(test_checkpoint_loops_of_ones_own_resume),
        cmocka_unit_test(test_checkpoint_learning_rate_that_was_set_is_kept),
        cmocka_unit_test(test_checkpoint_saved_again_gives_the_same_bytes),
        cmocka_unit_test(test_checkpoint_is_a_model_file),
        cmocka_unit_test(test_checkpoint_model_file_is_none),
        cmocka_unit_test(test_checkpoint_state_may_be_left_where_it_is),
        cmocka_unit_test(test_checkpoint_resumed_training_fails_like_the_unbroken_one),
        cmocka_unit_test(test_checkpoint_to_a_path_fails_like_the_training_without),
        cmocka_unit_test(test_checkpoint_resuming_does_not_touch_the_state),
        cmocka_unit_test(test_checkpoint_net_that_never_was_finite_stays_as_it_is),
        cmocka_unit_test(test_checkpoint_overflow_goes_back_to_the_weights_of_4096_rows),
        cmocka_unit_test(test_checkpoint_weights_that_are_not_finite_are_not_saved),
        cmocka_unit_test(test_checkpoint_resuming_something_else_is_refused),
        cmocka_unit_test(test_checkpoint_resuming_with_another_net_is_refused),
        cmocka_unit_test(test_checkpoint_resuming_other_weights_or_moments_is_refused),
        cmocka_unit_test(test_checkpoint_arguments_are_checked),
        cmocka_unit_test(test_checkpoint_loading_without_memory_leaves_nothing),
        cmocka_unit_test(test_checkpoint_resuming_without_memory_learns_nothing),
        cmocka_unit_test(test_checkpoint_failing_write_ends_it_whichever_it_is),
        cmocka_unit_test(test_checkpoint_path_that_cannot_be_is_told_at_once),
#ifndef _WIN32
        cmocka_unit_test(test_checkpoint_that_cannot_be_written_ends_the_training),
        cmocka_unit_test(test_checkpoint_that_cannot_be_written_at_the_end_costs_no_weights),
#endif
        cmocka_unit_test(test_checkpoint_golden_file_is_read_and_written),
        cmocka_unit_test(test_checkpoint_golden_file_is_resumed),
    };
    return cmocka_run_group_tests_name("checkpoint", tests, NULL, NULL);
}
