#include "trainings.h"

#include "test_sources.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS = 3, OUTPUTS = 2, VALIDATION_ROWS = 6 };

static bend_context bends = {.linear = 0.75f, .quadratic = 0.125f};

/* ---- Schedules ------------------------------------------------------------------------------- */

/* Twice the rate while the loss falls, half of it otherwise; remembers loss and rate. */
static double lively_rate(
    const tnn_schedule *self, const tnn_progress *progress, double base_rate, double memory[4]) {
    const double *factor = self->context;
    bool falls = progress->training_loss < memory[1];
    memory[0] = progress->step == 0 ? base_rate : memory[0] * (falls ? *factor : 1 / *factor);
    memory[1] = progress->step == 0 ? INFINITY : progress->training_loss;
    memory[3] = fmin(memory[0], self->first);
    return memory[3];
}

static const tnn_schedule_vtable lively_vtable = {"lively", true, lively_rate};

tnn_schedule schedule_at(size_t index) {
    static double factor = 1.25;
    const tnn_schedule schedules[SCHEDULES] = {
        {0},
        tnn_constant_rate(),
        tnn_step_decay(3, 0.5),
        tnn_exponential_decay(0.9),
        tnn_cosine_decay(0.2, 0.1),
        tnn_reduce_on_plateau(0.5, 1),
        tnn_one_cycle(),
        {&lively_vtable, 0.25, 1, NAN, &factor},
    };
    return schedules[index];
}

bool schedule_counts_steps(size_t index) {
    return index == 4 || index == 6;
}

/* ---- Trainings ------------------------------------------------------------------------------- */

static float all_x[(TRAINING_ROWS + VALIDATION_ROWS) * INPUTS];
static float all_targets[(TRAINING_ROWS + VALIDATION_ROWS) * OUTPUTS];
static float all_weights[TRAINING_ROWS];

/* Mostly noise, so that losses do not fall for ever. */
const tnn_dataset *training_data(void) {
    static const tnn_dataset data = {TRAINING_ROWS, all_x, all_targets, NULL, all_weights};
    uint64_t random = 5;
    fill_random(all_x, COUNT_OF(all_x), &random, -1, 1);
    fill_random(all_targets, COUNT_OF(all_targets), &random, -1, 1);
    fill_random(all_weights, TRAINING_ROWS, &random, 0.5f, 2);
    return &data;
}

static const tnn_dataset validation_rows = {
    VALIDATION_ROWS, all_x + TRAINING_ROWS *INPUTS, all_targets + TRAINING_ROWS *OUTPUTS, NULL,
    NULL};

trainee new_trainee(const training *t, const tnn_allocator *allocator) {
    static const float shift[] = {0.25f, -1, 0.5f};
    static const float scale[] = {2, 0.5f, 1.5f};
    const tnn_layer plain[] = {{.units = 8, .activation = tnn_tanh()}, {.units = OUTPUTS}};
    const tnn_layer rich[] = {
        {.units = 7, .activation = bend(0.0625f, &bends), .dropout = 0.25f},
        {.units = 5, .activation = tnn_gelu(), .no_bias = true},
        {.units = OUTPUTS, .activation = tnn_leaky_relu(0.5f), .dropout = 0.125f}};
    const tnn_net_options options = {.seed = 77, .allocator = allocator};
    trainee made = {0};
    if (t->net == 0) {
        made.net = new_net(INPUTS, plain, COUNT_OF(plain), &options);
    } else {
        made.net = new_net(INPUTS, rich, COUNT_OF(rich), &options);
        assert_ok(tnn_net_set_input_scaling(made.net, shift, scale));
        assert_ok(tnn_net_set_output_scaling(made.net, shift, scale));
    }
    made.optimizer = new_optimizer_of(made.net, method_at(t->method).library);
    return made;
}

void destroy_trainee(trainee *t) {
    tnn_fit_state_destroy(t->state);
    tnn_optimizer_destroy(t->optimizer);
    tnn_net_destroy(t->net);
    *t = (trainee){0};
}

tnn_fit_options training_options(const training *t) {
    return (tnn_fit_options){
        .epochs = EPOCHS,
        .batch_rows = 6,
        .seed = 9,
        .schedule = schedule_at(t->schedule),
        .validation = t->validation == 2 ? &validation_rows : NULL,
        .validation_share = t->validation == 1 ? 0.2f : 0,
        .patience = t->validation == 1 ? 4 : 0,
        .keep_last = t->validation == 2,
    };
}

tnn_status fit_trainee(trainee *who, const tnn_fit_options *options) {
    const tnn_dataset *data = training_data();
    return tnn_fit(who->net, who->optimizer, tnn_huber(0.75f), data, options, &who->report);
}

/* ---- Checkpoints in memory ------------------------------------------------------------------- */

static tnn_status append(void *context, const void *data, size_t bytes) {
    model_file *file = context;
    insert_bytes(file, file->count, data, bytes);
    return TNN_OK;
}

tnn_sink sink_to(model_file *file) {
    return (tnn_sink){.context = file, .write = append, .name = "memory"};
}

model_file saved_checkpoint(
    const tnn_net *net, const tnn_optimizer *optimizer, const tnn_fit_state *state) {
    model_file file = {0};
    const tnn_sink sink = sink_to(&file);
    assert_ok(tnn_checkpoint_save_to(net, optimizer, state, &sink));
    return file;
}

tnn_status load_checkpoint(trainee *t, const model_file *file, const tnn_allocator *allocator) {
    memory_source source;
    const tnn_net_options net_options = {.allocator = allocator};
    tnn_load_options options = *options_with_bend();
    options.net = &net_options;
    *t = (trainee){
        (tnn_net *)(uintptr_t)1, (tnn_optimizer *)(uintptr_t)1, (tnn_fit_state *)(uintptr_t)1, {0}};
    tnn_status status = tnn_checkpoint_load_from(
        &t->net, &t->optimizer, &t->state, init_memory_source(&source, file->bytes, file->count),
        &options);
    assert_true(!t->net == (status != TNN_OK));
    assert_true(!t->optimizer == (status != TNN_OK));
    assert_true(status == TNN_OK || !t->state);
    return status;
}

/* Saves once and breaks off. */
typedef struct breaker {
    trainee *who;
    model_file file;
    size_t steps;
    size_t seen;
} breaker;

static bool break_off(void *context, const tnn_progress *progress) {
    breaker *self = context;
    if (progress->epoch + 1 < BREAK || self->seen++ < self->steps)
        return true;
    self->file = saved_checkpoint(self->who->net, self->who->optimizer, progress->state);
    return false;
}

model_file broken_training(const training *t, size_t steps) {
    trainee who = new_trainee(t, NULL);
    breaker with = {.who = &who, .steps = steps > 0 ? steps - 1 : 0};
    tnn_fit_options options = training_options(t);
    options.context = &with;
    options.after_batch = steps > 0 ? break_off : NULL;
    options.after_epoch = steps > 0 ? NULL : break_off;
    assert_ok(fit_trainee(&who, &options));
    assert_non_null(with.file.bytes);
    destroy_trainee(&who);
    return with.file;
}

/* ---- The same? ------------------------------------------------------------------------------- */

void assert_same_trainee(const trainee *actual, const trainee *expected) {
    model_file a = saved_checkpoint(actual->net, actual->optimizer, NULL);
    model_file e = saved_checkpoint(expected->net, expected->optimizer, NULL);
    assert_same_bits(
        tnn_net_read_parameters(actual->net), tnn_net_read_parameters(expected->net),
        tnn_net_parameter_count(expected->net));
    assert_same_moments(actual->optimizer, expected->optimizer);
    assert_int_equal(a.count, e.count);
    assert_memory_equal(a.bytes, e.bytes, e.count);
    free_file(&a);
    free_file(&e);
}

static void assert_same_double(double actual, double expected) {
    if (actual != expected && !(isnan(actual) && isnan(expected)))
        assert_within(actual, expected, 0);
}

void assert_same_report(const tnn_fit_report *actual, const tnn_fit_report *expected) {
    const tnn_progress *a = &actual->progress;
    const tnn_progress *e = &expected->progress;
    assert_int_equal(actual->end, expected->end);
    assert_int_equal(a->epoch, e->epoch);
    assert_int_equal(a->epochs, e->epochs);
    assert_int_equal(a->step, e->step);
    assert_int_equal(a->steps, e->steps);
    assert_within(a->learning_rate, e->learning_rate, 0);
    assert_same_double(a->training_loss, e->training_loss);
    assert_same_double(a->validation_loss, e->validation_loss);
    assert_same_double(a->validation_score, e->validation_score);
    assert_same_double(a->best_loss, e->best_loss);
    assert_int_equal(a->best_epoch, e->best_epoch);
    assert_null(a->state);
    assert_int_equal(actual->finding_count, expected->finding_count);
    for (size_t i = 0; i < expected->finding_count; i++) {
        const tnn_finding *found = &actual->findings[i];
        const tnn_finding *wanted = &expected->findings[i];
        assert_int_equal(found->kind, wanted->kind);
        assert_int_equal(found->epoch, wanted->epoch);
        assert_int_equal(found->batch, wanted->batch);
        assert_int_equal(found->layer, wanted->layer);
        assert_same_double(found->value, wanted->value);
        assert_string_equal(found->message, wanted->message);
    }
}
