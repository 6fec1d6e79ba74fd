/*
 * Fitting: epochs of mini-batches through tnn_train, and after each the question how good it is.
 *
 * The numbers of all rows lie in one array, those to learn from before those to validate with. Each
 * epoch draws its order anew from the seed and the epoch's number, so that no epoch depends on how
 * the ones before it went.
 */
#include "net.h"

#include "batch.h"
#include "checkpoint.h"
#include "evaluate.h"
#include "fit_state.h"
#include "health.h"
#include "optimizer.h"
#include "schedule.h"
#include "support/clock.h"
#include "support/random.h"
#include "support/status.h"

#include <math.h>
#include <string.h>

/* Rows that are learned between two copies of the parameters, to go back to if they overflow: few
 * enough to lose little, enough to cost nothing. */
enum { SAFE_ROWS = 4096, DEFAULT_BATCH = 32 };

/* Rows that health looks at. */
enum { PROBE_ROWS = 128 };

typedef struct fit {
    tnn_net *net;
    tnn_optimizer *optimizer;
    const tnn_loss *loss;
    const tnn_dataset *data;
    const tnn_fit_options *options;
    tnn_fit_report *report; /* the caller's or one that nobody reads */

    tnn_fit_state state;

    size_t *numbers; /* [data->rows]: those to learn from, then the ones to validate with; NULL: as
                        they lie */
    size_t *order;   /* [rows]: of this epoch; NULL: as they lie */
    tnni_batch batch;
    void *block; /* the arrays above, and those of the state */
    size_t bytes;

    tnni_evaluator evaluator; /* validates and looks after health; of zeros if not needed */
    tnni_batch probe;         /* what health looks at */
    size_t *probe_numbers;    /* [probe.capacity] */
    double *input_sizes;      /* [inputs]: room for health */
    const size_t *validation_numbers;
    bool scores_accuracy;
    tnni_health health;

    double begin; /* seconds */
    bool is_over;
} fit;

static const char *caller = "tnn_fit";

/* ---- Arguments ------------------------------------------------------------------------------- */

static tnn_status check_rows_of(
    const tnn_net *net, const char *name, const tnn_loss *loss, const tnn_dataset *data) {
    tnn_status status = tnni_check_dataset(caller, name, net, loss, data);
    for (size_t r = 0; status == TNN_OK && data->classes && r < data->rows; r++)
        status = tnni_check_class(caller, name, net, data, r);
    return status;
}

static tnn_status check_options(const tnn_fit_options *options, size_t rows) {
    if (!options)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: options is NULL", caller);
    if (options->epochs == 0)
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: options->epochs is 0, expected at least 1", caller);
    if (!(options->validation_share >= 0.0f && options->validation_share < 1.0f))
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: options->validation_share is %g, expected at least 0 and less than 1", caller,
            (double)options->validation_share);
    if (options->validation_share > 0.0f && rows == 1)
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: options->validation_share leaves nothing of a single row to learn from", caller);
    if (options->validation && options->validation_share > 0.0f)
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: options->validation and options->validation_share are both given, expected one "
            "of them",
            caller);
    return tnni_schedule_check(caller, &options->schedule);
}

static tnn_status check_arguments(
    const tnn_net *net, const tnn_optimizer *optimizer, const tnn_loss *loss,
    const tnn_dataset *train, const tnn_fit_options *options) {
    if (!net)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: net is NULL", caller);
    tnn_status status = tnni_check_optimizer(caller, net, optimizer);
    if (status == TNN_OK)
        status = tnni_loss_check(caller, loss);
    if (status == TNN_OK)
        status = check_rows_of(net, "train", loss, train);
    if (status == TNN_OK)
        status = check_options(options, train->rows);
    if (status == TNN_OK && options->validation)
        status = check_rows_of(net, "options->validation", loss, options->validation);
    return status;
}

/* ---- Begin and end --------------------------------------------------------------------------- */

/* How many of the training rows are kept for validation: at least one, but not all. */
static size_t share_of_rows(const tnn_fit_options *options, size_t rows) {
    size_t share = (size_t)((double)options->validation_share * (double)rows + 0.5);
    if (options->validation_share > 0.0f && share == 0)
        share = 1;
    return share < rows ? share : rows - 1;
}

static void lay_out(fit *f, tnni_arena *arena) {
    const tnn_fit_options *options = f->options;
    size_t parameters = f->net->parameter_count;
    if (!options->keep_order || f->state.rows < f->data->rows)
        f->numbers = tnni_arena_take(arena, f->data->rows, sizeof *f->numbers);
    if (!options->keep_order) {
        f->order = tnni_arena_take(arena, f->state.rows, sizeof *f->order);
        tnni_batch_lay_out(&f->batch, arena);
    }
    if (f->state.validation_rows > 0 && !options->keep_last)
        f->state.best = tnni_arena_take(arena, parameters, sizeof *f->state.best);
    f->state.safe = tnni_arena_take(arena, parameters, sizeof *f->state.safe);
    if (!f->health.report)
        return;
    f->probe_numbers = tnni_arena_take(arena, f->probe.capacity, sizeof *f->probe_numbers);
    f->input_sizes = tnni_arena_take(arena, f->probe.inputs, sizeof *f->input_sizes);
    tnni_batch_lay_out(&f->probe, arena);
}

static tnn_status allocate(fit *f) {
    tnni_arena arena = {0};
    lay_out(f, &arena);
    f->bytes = arena.used;
    f->block = arena.overflow ? NULL : tnni_allocate(f->net->allocator, arena.used);
    if (!f->block)
        return tnni_fail(
            TNN_OUT_OF_MEMORY, "%s: no memory for the order of %zu rows", caller, f->data->rows);
    arena = (tnni_arena){.base = f->block};
    lay_out(f, &arena);
    return TNN_OK;
}

/* Validation and health see the net through a copy. */
static tnn_status create_evaluator(fit *f) {
    const tnn_fit_options *options = f->options;
    bool has_report = f->health.report;
    if (f->state.validation_rows == 0 && !has_report)
        return TNN_OK;
    tnn_status status = tnni_evaluator_create(
        caller, &f->evaluator, f->net, options->validation ? options->validation : f->data);
    f->health.net = f->evaluator.net;
    return status == TNN_OK && has_report
        ? tnni_net_grow(caller, f->evaluator.net, f->probe.capacity)
        : status;
}

/* Rows to learn from, evenly spread; they stay where they are gathered. */
static void gather_probe(fit *f) {
    size_t count = f->probe.capacity;
    if (!f->health.report)
        return;
    for (size_t i = 0; i < count; i++) {
        size_t at = f->state.rows / count * i + f->state.rows % count * i / count;
        f->probe_numbers[i] = f->numbers ? f->numbers[at] : at;
    }
    f->health.rows = tnni_batch_take(&f->probe, f->probe_numbers, 0, count);
}

static void draw_numbers(fit *f) {
    if (!f->numbers)
        return;
    for (size_t r = 0; r < f->data->rows; r++)
        f->numbers[r] = r;
    if (f->state.rows == f->data->rows || f->options->keep_order)
        return;
    tnni_random random = tnni_random_seed(tnni_mix(f->options->seed));
    tnni_random_shuffle(&random, f->data->rows, f->numbers);
}

/* Which training it is. */
static void identify(fit *f) {
    const tnn_fit_options *options = f->options;
    const tnn_schedule *schedule = &options->schedule;
    tnn_fit_state *state = &f->state;
    size_t rows = f->data->rows;
    size_t kept = share_of_rows(options, rows);
    size_t batch_rows = options->batch_rows > 0 ? options->batch_rows : DEFAULT_BATCH;
    state->layout = f->net->layout;
    state->parameter_count = f->net->parameter_count;
    state->data_rows = rows;
    state->rows = rows - kept;
    state->validation_rows = options->validation ? options->validation->rows : kept;
    state->batch_rows = batch_rows < state->rows ? batch_rows : state->rows;
    state->method = f->optimizer->method.vtable;
    state->seed = options->seed;
    state->keep_order = options->keep_order;
    state->keep_last = options->keep_last;
    state->loss = f->loss->vtable->name ? f->loss->vtable->name : "";
    state->loss_parameter = f->loss->parameter;
    state->schedule = schedule->vtable ? schedule->vtable->name : "";
    state->schedule_parameters[0] = schedule->first;
    state->schedule_parameters[1] = schedule->second;
    state->schedule_parameters[2] = schedule->third;
}

static tnn_status begin_fit(fit *f) {
    tnn_net *net = f->net;
    const tnn_fit_state *state = &f->state;
    f->batch =
        (tnni_batch){f->data, tnni_inputs(net), tnni_outputs(net), state->batch_rows, 0, 0, 0, 0};
    f->probe = f->batch;
    f->probe.capacity = state->rows < PROBE_ROWS ? state->rows : PROBE_ROWS;
    f->scores_accuracy = f->data->classes || tnni_last_layer(net)->kind == TNNI_SOFTMAX ||
        tnni_loss_find(f->loss) == TNNI_BINARY_CROSS_ENTROPY;
    tnn_status status = allocate(f);
    if (status == TNN_OK)
        status = create_evaluator(f);
    if (status == TNN_OK)
        status = tnni_net_grow(caller, net, state->batch_rows);
    if (status != TNN_OK)
        return status;
    draw_numbers(f);
    if (state->rows < state->data_rows)
        f->validation_numbers = f->numbers + state->rows;
    gather_probe(f);
    return TNN_OK;
}

static void release(fit *f) {
    tnni_evaluator_destroy(&f->evaluator);
    tnni_release(f->net->allocator, f->block, f->bytes);
}

/* ---- Parameters to go back to ---------------------------------------------------------------- */

static size_t parameter_bytes(const fit *f) {
    return f->net->parameter_count * sizeof(float);
}

static bool are_finite(const tnn_net *net) {
    bool finite = true;
    for (size_t i = 0; i < net->parameter_count; i++)
        finite &= isfinite(net->parameters[i]);
    return finite;
}

static void keep_safe(fit *f) {
    f->state.unsafe_rows = 0;
    if (!are_finite(f->net))
        return;
    memcpy(f->state.safe, f->net->parameters, parameter_bytes(f));
    f->state.has_safe = true;
}

static void go_back(fit *f) {
    if (f->state.has_safe && !are_finite(f->net))
        memcpy(f->net->parameters, f->state.safe, parameter_bytes(f));
}

/* ---- Progress -------------------------------------------------------------------------------- */

static tnn_progress *progress_of(fit *f) {
    return &f->state.progress;
}

/* What only reports and callbacks ask for. */
static void update_progress(fit *f) {
    tnn_progress *progress = progress_of(f);
    double now = tnni_seconds();
    double done = (double)progress->step;
    double rows = (double)progress->epoch * (double)f->state.rows + (double)f->state.epoch_rows;
    double left = (double)(progress->steps - progress->step);
    f->state.passes = f->net->passes;
    progress->learning_rate = f->optimizer->method.learning_rate;
    if (f->state.epoch_rows > 0)
        progress->training_loss = f->state.loss_sum / (double)f->state.epoch_rows;
    progress->seconds = now - f->begin;
    progress->seconds_left = done > 0.0 ? progress->seconds * left / done : 0.0;
    progress->rows_per_second = progress->seconds > 0.0 ? rows / progress->seconds : 0.0;
}

static void tell(fit *f, tnn_fit_callback *callback) {
    if (!callback)
        return;
    tnn_progress *progress = progress_of(f);
    update_progress(f);
    progress->state = &f->state;
    bool goes_on = callback(f->options->context, progress);
    progress->state = NULL;
    if (goes_on)
        return;
    f->report->end = TNN_FIT_STOPPED;
    f->is_over = true;
}

static tnn_status set_rate(fit *f) {
    const tnn_schedule *schedule = &f->options->schedule;
    tnn_progress *progress = progress_of(f);
    if (f->state.epoch_rows > 0)
        progress->training_loss = f->state.loss_sum / (double)f->state.epoch_rows;
    progress->learning_rate = f->optimizer->method.learning_rate;
    double rate =
        schedule->vtable->rate(schedule, progress, f->state.base_rate, f->state.schedule_state);
    if (rate >= 0.0 && isfinite((float)rate))
        return tnn_optimizer_set_learning_rate(f->optimizer, (float)rate);
    return tnni_fail(
        TNN_INVALID_ARGUMENT,
        "%s: options->schedule gave the learning rate %g in epoch %zu, expected a finite number of "
        "at least 0",
        caller, rate, progress->epoch);
}

/* The learning rate of the step or, otherwise, the epoch that begins. */
static inline tnn_status follow_schedule(fit *f, bool is_step) {
    const tnn_schedule_vtable *schedule = f->options->schedule.vtable;
    return schedule && schedule->each_step == is_step ? set_rate(f) : TNN_OK;
}

/* ---- Epochs ---------------------------------------------------------------------------------- */

static void draw_order(fit *f) {
    if (!f->order)
        return;
    uint64_t key = tnni_mix(f->options->seed) + 1 + progress_of(f)->epoch;
    tnni_random random = tnni_random_seed(tnni_mix(key));
    memcpy(f->order, f->numbers, f->state.rows * sizeof *f->order);
    tnni_random_shuffle(&random, f->state.rows, f->order);
}

/* TNN_NOT_FINITE, in words. */
static tnn_status fail_not_finite(
    fit *f, const tnn_dataset *batch, const size_t *numbers, size_t first, double loss) {
    char words[sizeof(((tnn_finding *)NULL)->message)];
    if (f->health.net)
        tnni_evaluator_update(&f->evaluator, f->net);
    tnni_health_not_finite(&f->health, f->net, batch, numbers, first, loss, words);
    return tnni_fail(TNN_NOT_FINITE, "%s: %s", caller, words);
}

static tnn_status learn_batch(
    fit *f, const tnn_dataset *batch, const size_t *numbers, size_t first) {
    double value;
    tnn_status status = tnn_train(f->net, f->optimizer, *f->loss, batch, &value);
    if (status == TNN_OK) {
        f->state.loss_sum += value * (double)batch->rows;
        f->state.epoch_rows += batch->rows;
        f->state.unsafe_rows += batch->rows;
        progress_of(f)->step++;
        return TNN_OK;
    }
    return status == TNN_NOT_FINITE ? fail_not_finite(f, batch, numbers, first, value) : status;
}

static tnn_status begin_epoch(fit *f) {
    tnn_status status = follow_schedule(f, false);
    f->state.loss_sum = 0.0;
    f->state.epoch_rows = 0;
    return status;
}

/* What is left of the epoch. */
static tnn_status run_epoch(fit *f) {
    tnn_status status = f->state.batch == 0 ? begin_epoch(f) : TNN_OK;
    f->health.batch = f->state.batch;
    draw_order(f);
    while (status == TNN_OK && f->state.epoch_rows < f->state.rows && !f->is_over) {
        size_t first = f->state.epoch_rows;
        size_t left = f->state.rows - first;
        size_t count = left < f->state.batch_rows ? left : f->state.batch_rows;
        const size_t *numbers = f->order ? f->order + first : NULL;
        tnn_dataset batch = tnni_batch_take(&f->batch, numbers, first, count);
        if (f->state.unsafe_rows >= SAFE_ROWS)
            keep_safe(f);
        status = follow_schedule(f, true);
        if (status == TNN_OK)
            status = learn_batch(f, &batch, numbers, first);
        if (status != TNN_OK)
            return status;
        f->health.batch = ++f->state.batch;
        tell(f, f->options->after_batch);
    }
    return status;
}

static tnn_status validate(fit *f) {
    tnn_progress *progress = progress_of(f);
    tnn_evaluation evaluation;
    if (f->state.validation_rows == 0)
        return TNN_OK;
    tnni_evaluator_update(&f->evaluator, f->net);
    tnn_status status = tnni_evaluate(
        caller, &f->evaluator, f->loss, f->validation_numbers, f->state.validation_rows,
        &evaluation, NULL);
    if (status != TNN_OK)
        return status;
    progress->validation_loss = evaluation.loss;
    progress->validation_score = f->scores_accuracy ? evaluation.accuracy : evaluation.r_squared;
    if (isfinite(evaluation.loss))
        return TNN_OK;
    char words[sizeof(((tnn_finding *)NULL)->message)];
    return tnni_fail(
        TNN_NOT_FINITE, "%s: %s", caller,
        tnni_health_validation(&f->health, evaluation.loss, words));
}

static void lose_patience(fit *f) {
    const tnn_progress *progress = progress_of(f);
    size_t patience = f->options->patience;
    if (patience == 0 || progress->epoch - progress->best_epoch < patience)
        return;
    f->report->end = TNN_FIT_OUT_OF_PATIENCE;
    f->is_over = true;
}

/* Is this the best epoch so far? And if not, for how long? */
static void judge(fit *f) {
    tnn_progress *progress = progress_of(f);
    double loss =
        f->state.validation_rows > 0 ? progress->validation_loss : progress->training_loss;
    if (loss < progress->best_loss) {
        progress->best_loss = loss;
        progress->best_epoch = progress->epoch;
        if (f->state.best)
            memcpy(f->state.best, f->net->parameters, parameter_bytes(f));
    } else {
        lose_patience(f);
    }
}

/* Parameters that are not finite will end the training, and are no place to go on from. Saving
 * changes nothing of where a training is: it ends as one without a file, even if it overflows. */
static tnn_status save(fit *f) {
    if (!are_finite(f->net))
        return TNN_OK;
    update_progress(f);
    return tnni_checkpoint_save(caller, f->net, f->optimizer, &f->state, f->options->checkpoint);
}

/* After this epoch? The last one is saved at the end. */
static bool is_due(fit *f) {
    const tnn_fit_options *options = f->options;
    size_t every = options->checkpoint_epochs > 0 ? options->checkpoint_epochs : 1;
    size_t ended = progress_of(f)->epoch + 1;
    return options->checkpoint && !f->is_over && ended < options->epochs && ended % every == 0;
}

static tnn_status end_epoch(fit *f) {
    tnn_progress *progress = progress_of(f);
    progress->training_loss = f->state.loss_sum / (double)f->state.epoch_rows;
    tnn_status status = validate(f);
    if (status != TNN_OK)
        return status;
    tnni_health_epoch(&f->state.losses, progress->training_loss);
    f->state.epoch_ended = true;
    judge(f);
    tell(f, f->options->after_epoch);
    return is_due(f) ? save(f) : TNN_OK;
}

/* To the next epoch, if this one has ended; false after the last one. */
static bool find_epoch(fit *f) {
    tnn_progress *progress = progress_of(f);
    if (f->is_over || (f->state.epoch_ended && progress->epoch + 1 >= f->options->epochs))
        return false;
    if (f->state.epoch_ended) {
        progress->epoch++;
        f->state.batch = 0;
        f->state.epoch_ended = false;
    }
    f->health.epoch = progress->epoch;
    return true;
}

static tnn_status run_epochs(fit *f) {
    while (find_epoch(f)) {
        tnn_status status = run_epoch(f);
        if (status == TNN_OK && !f->is_over)
            status = end_epoch(f);
        if (status != TNN_OK)
            return status;
    }
    return TNN_OK;
}

/* ---- The whole ------------------------------------------------------------------------------- */

static void look_at_health(fit *f) {
    if (!f->health.report)
        return;
    tnni_evaluator_update(&f->evaluator, f->net);
    tnni_health_probe(&f->health);
    tnni_health_rate(&f->health, &f->state.losses);
}

/* Weights, learning rate and report as they should be found. */
static tnn_status end_fit(fit *f, tnn_status status) {
    tnn_progress *progress = progress_of(f);
    update_progress(f);
    if (status == TNN_OK && !are_finite(f->net))
        status = fail_not_finite(f, NULL, NULL, 0, progress->training_loss);
    if (status == TNN_NOT_FINITE)
        go_back(f);
    if (status == TNN_OK || status == TNN_NOT_FINITE)
        look_at_health(f);
    if (status == TNN_OK && tnni_fit_has_best(&f->state))
        memcpy(f->net->parameters, f->state.best, parameter_bytes(f));
    f->optimizer->method.learning_rate = f->state.base_rate;
    return status;
}

/* Batches of all epochs; UINT64_MAX if there are more than that. */
static uint64_t count_steps(const fit *f) {
    uint64_t batches = (f->state.rows - 1) / f->state.batch_rows + 1;
    uint64_t epochs = f->options->epochs;
    return batches <= UINT64_MAX / epochs ? batches * epochs : UINT64_MAX;
}

/* Where the training begins, or goes on. */
static void take_up(fit *f) {
    const tnn_fit_state *resume = f->options->resume;
    tnn_fit_state *state = &f->state;
    tnn_progress *progress = progress_of(f);
    if (!resume) {
        state->base_rate = f->optimizer->method.learning_rate;
        keep_safe(f);
    } else {
        tnn_fit_state own = *state;
        *state = *resume;
        state->loss = own.loss;
        state->schedule = own.schedule;
        state->best = own.best;
        state->safe = own.safe;
        if (resume->has_safe)
            memcpy(state->safe, resume->safe, parameter_bytes(f));
        if (tnni_fit_has_best(resume))
            memcpy(state->best, resume->best, parameter_bytes(f));
    }
    progress->state = NULL;
    progress->epochs = f->options->epochs;
    progress->steps = count_steps(f);
    f->begin = tnni_seconds() - progress->seconds;
    tnni_health_inputs(&f->health, f->input_sizes);
    if (state->epoch_ended)
        lose_patience(f);
    f->health.epoch = progress->epoch;
    f->health.batch = state->batch;
}

static tnn_status run_fit(fit *f) {
    const tnn_fit_options *options = f->options;
    tnn_status status = TNN_OK;
    tnn_status saved = TNN_OK;
    identify(f);
    if (options->resume)
        status = tnni_fit_check_resume(
            caller, f->net, f->optimizer, &f->state, options->resume, options->epochs);
    if (status == TNN_OK && options->checkpoint)
        status = tnni_checkpoint_try(caller, options->checkpoint, f->net->allocator);
    if (status == TNN_OK)
        status = begin_fit(f);
    if (status == TNN_OK) {
        take_up(f);
        status = run_epochs(f);
        if (status == TNN_OK && options->checkpoint)
            saved = save(f);
        status = end_fit(f, status);
    }
    release(f);
    return status == TNN_OK ? saved : status;
}

tnn_status tnn_fit(
    tnn_net *net, tnn_optimizer *optimizer, tnn_loss loss, const tnn_dataset *train,
    const tnn_fit_options *options, tnn_fit_report *report) {
    tnn_fit_report unread;
    fit f = {
        .net = net,
        .optimizer = optimizer,
        .loss = &loss,
        .data = train,
        .options = options,
        .report = report ? report : &unread,
        .health = {.report = report, .loss = &loss},
    };
    f.state.progress = (tnn_progress){
        .training_loss = NAN,
        .validation_loss = NAN,
        .validation_score = NAN,
        .best_loss = INFINITY,
    };
    *f.report = (tnn_fit_report){.end = TNN_FIT_FAILED, .progress = f.state.progress};
    tnn_status status = check_arguments(net, optimizer, &loss, train, options);
    if (status != TNN_OK)
        return status;
    f.report->end = TNN_FIT_FINISHED;
    status = run_fit(&f);
    f.report->progress = f.state.progress;
    if (status != TNN_OK)
        f.report->end = TNN_FIT_FAILED;
    return status;
}
