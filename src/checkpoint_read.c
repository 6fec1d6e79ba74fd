/*
 * From bytes to a training. The net is read as any model file's; then every tensor is found before
 * memory is taken for it, and every number is checked, so that a fit may believe what it resumes.
 */
#include "checkpoint.h"
#include "schedule.h"
#include "support/bytes.h"
#include "support/memory.h"
#include "support/source.h"
#include "support/status.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* What is made of a file. */
typedef struct checkpoint {
    tnn_net *net;
    tnn_optimizer *optimizer;
    tnn_fit_state *state;
} checkpoint;

/* A file that is being read. */
typedef struct reader {
    const tnni_gguf *gguf;
    tnn_net *net;
    size_t tensor_count; /* of those that have a meaning */
} reader;

static tnn_status bad(const reader *from, const char *key, const char *expected) {
    return tnni_fail(TNN_BAD_FORMAT, "%s: the key %s is not %s", from->gguf->where, key, expected);
}

/* ---- Tensors --------------------------------------------------------------------------------- */

/* A flat vector of the net's. */
static tnn_status find_vector(reader *from, const char *name, tnni_gguf_tensor *tensor) {
    from->tensor_count++;
    return tnni_gguf_find_tensor(
        from->gguf, name, "the layer list", 1, &from->net->parameter_count, tensor);
}

/* Is it there? Then it has to be one. */
static tnn_status look_for_vector(
    reader *from, const char *name, bool *is_there, tnni_gguf_tensor *tensor) {
    *is_there = tnni_gguf_has_tensor(from->gguf, name);
    return *is_there ? find_vector(from, name, tensor) : TNN_OK;
}

static void copy_vector(const reader *from, const tnni_gguf_tensor *tensor, float *values) {
    for (size_t i = 0; i < from->net->parameter_count; i++)
        tnni_load_f32(&values[i], tensor->bytes + 4 * i);
}

static tnn_status read_gradients(reader *from) {
    tnn_net *net = from->net;
    tnni_gguf_tensor tensor;
    bool is_there;
    tnn_status status = look_for_vector(from, TNNI_CHECKPOINT_GRADIENTS, &is_there, &tensor);
    if (status != TNN_OK || !is_there)
        return status;
    status = tnni_net_allocate_gradients(from->gguf->where, net);
    if (status != TNN_OK)
        return status;
    copy_vector(from, &tensor, net->gradients);
    net->gradients_zero = false;
    return TNN_OK;
}

/* ---- The optimizer --------------------------------------------------------------------------- */

static tnn_status read_numbers(const reader *from, tnn_optimizer *fields) {
    tnn_status status = TNN_OK;
    for (size_t i = 0; i < TNNI_OPTIMIZER_NUMBERS && status == TNN_OK; i++) {
        const tnni_optimizer_number *number = &tnni_optimizer_numbers[i];
        void *field = (char *)fields + number->offset;
        status = number->is_double ? tnni_gguf_find_f64(from->gguf, number->key, field)
                                   : tnni_gguf_find_f32(from->gguf, number->key, field);
    }
    return status;
}

static tnn_status check_powers(const reader *from, const tnn_optimizer *fields) {
    if (!(fields->beta1_power >= 0.0 && fields->beta1_power <= 1.0))
        return bad(from, "tinynn.optimizer.beta1_power", "from 0 to 1");
    if (!(fields->beta2_power >= 0.0 && fields->beta2_power <= 1.0))
        return bad(from, "tinynn.optimizer.beta2_power", "from 0 to 1");
    return TNN_OK;
}

/* What an optimizer has but moments. */
static tnn_status read_fields(const reader *from, tnn_optimizer *fields) {
    const tnni_gguf *gguf = from->gguf;
    const char *name;
    size_t length;
    tnn_status status = tnni_gguf_find_string(gguf, TNNI_OPTIMIZER_METHOD_KEY, &name, &length);
    if (status != TNN_OK)
        return status;
    fields->method.vtable = tnni_method_find(name, length);
    if (!fields->method.vtable)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: the method \"%s\" is not known", gguf->where,
            tnni_excerpt_of(name, length).text);
    status = tnni_gguf_find_bool(gguf, TNNI_OPTIMIZER_NESTEROV_KEY, &fields->method.nesterov);
    if (status == TNN_OK)
        status = tnni_gguf_find_bool(gguf, TNNI_OPTIMIZER_MOVES_KEY, &fields->has_moves);
    if (status == TNN_OK)
        status = read_numbers(from, fields);
    return status == TNN_OK ? check_powers(from, fields) : status;
}

static tnn_status find_moments(reader *from, size_t count, tnni_gguf_tensor *moments) {
    tnn_status status = TNN_OK;
    for (size_t m = 0; m < count && status == TNN_OK; m++)
        status = find_vector(from, tnni_checkpoint_moment_name(m).text, &moments[m]);
    return status;
}

static tnn_status read_optimizer(reader *from, tnn_optimizer **optimizer) {
    const tnn_net *net = from->net;
    tnn_optimizer fields = {0};
    tnni_gguf_tensor moments[TNNI_MOST_MOMENTS];
    tnn_status status = read_fields(from, &fields);
    if (status == TNN_OK)
        status = find_moments(from, tnni_method_moments(&fields.method), moments);
    if (status != TNN_OK)
        return status;
    status = tnni_optimizer_create(
        from->gguf->where, optimizer, net->allocator, net->layout, net->parameter_count,
        fields.method, false);
    if (status != TNN_OK)
        return status == TNN_INVALID_ARGUMENT ? TNN_BAD_FORMAT : status;
    tnn_optimizer *made = *optimizer;
    made->beta1_power = fields.beta1_power;
    made->beta2_power = fields.beta2_power;
    made->has_moves = fields.has_moves;
    for (size_t m = 0; m < made->moment_count; m++)
        copy_vector(from, &moments[m], made->moments + m * made->stride);
    return TNN_OK;
}

/* ---- The state of a fit ---------------------------------------------------------------------- */

/* What a state is made of, before there is memory for it. */
typedef struct parts {
    tnn_fit_state fields;
    size_t loss_length;
    size_t schedule_length;
    bool has_best;
    bool has_safe;
    tnni_gguf_tensor best;
    tnni_gguf_tensor safe;
} parts;

static tnn_status find_size(const reader *from, const char *key, size_t *value) {
    uint64_t number = 0;
    tnn_status status = tnni_gguf_find_u64(from->gguf, key, &number);
    if (status == TNN_OK && number >= SIZE_MAX)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: the key %s is %" PRIu64 ", more than size_t counts",
            from->gguf->where, key, number);
    *value = (size_t)number;
    return status;
}

/* With no 0 among its bytes, since it becomes a string of C's. */
static tnn_status find_name(
    const reader *from, const char *key, const char **name, size_t *length) {
    tnn_status status = tnni_gguf_find_string(from->gguf, key, name, length);
    if (status == TNN_OK && memchr(*name, 0, *length))
        return bad(from, key, "a name");
    return status;
}

static tnn_status find_doubles(const reader *from, const char *key, size_t count, double *values) {
    tnni_gguf_value value;
    tnn_status status = tnni_gguf_find_array(from->gguf, key, TNNI_GGUF_F64, count, &value);
    for (size_t i = 0; i < count && status == TNN_OK; i++)
        tnni_load_f64(&values[i], value.bytes + 8 * i);
    return status;
}

static tnn_status read_counts(const reader *from, tnn_fit_state *state) {
    const struct {
        const char *key;
        size_t *value;
    } sizes[] = {
        {TNNI_FIT_DATA_ROWS_KEY, &state->data_rows},
        {TNNI_FIT_ROWS_KEY, &state->rows},
        {TNNI_FIT_VALIDATION_ROWS_KEY, &state->validation_rows},
        {TNNI_FIT_BATCH_ROWS_KEY, &state->batch_rows},
        {TNNI_FIT_EPOCH_KEY, &state->progress.epoch},
        {TNNI_FIT_BATCH_KEY, &state->batch},
        {TNNI_FIT_BEST_EPOCH_KEY, &state->progress.best_epoch},
        {TNNI_FIT_RISES_KEY, &state->losses.rises},
        {TNNI_FIT_FALLS_KEY, &state->losses.falls},
        {TNNI_FIT_UNSAFE_ROWS_KEY, &state->unsafe_rows},
    };
    const struct {
        const char *key;
        bool *value;
    } flags[] = {
        {TNNI_FIT_KEEP_ORDER_KEY, &state->keep_order},
        {TNNI_FIT_KEEP_LAST_KEY, &state->keep_last},
        {TNNI_FIT_EPOCH_ENDED_KEY, &state->epoch_ended},
        {TNNI_FIT_HAS_SAFE_KEY, &state->has_safe},
    };
    tnn_status status = tnni_gguf_find_u64(from->gguf, TNNI_FIT_SEED_KEY, &state->seed);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0] && status == TNN_OK; i++)
        status = find_size(from, sizes[i].key, sizes[i].value);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0] && status == TNN_OK; i++)
        status = tnni_gguf_find_bool(from->gguf, flags[i].key, flags[i].value);
    return status;
}

static tnn_status read_values(const reader *from, tnn_fit_state *state) {
    const tnni_gguf *gguf = from->gguf;
    tnn_progress *progress = &state->progress;
    const struct {
        const char *key;
        double *value;
    } doubles[] = {
        {TNNI_FIT_LOSS_SUM_KEY, &state->loss_sum},
        {TNNI_FIT_VALIDATION_LOSS_KEY, &progress->validation_loss},
        {TNNI_FIT_VALIDATION_SCORE_KEY, &progress->validation_score},
        {TNNI_FIT_BEST_LOSS_KEY, &progress->best_loss},
        {TNNI_FIT_SECONDS_KEY, &progress->seconds},
        {TNNI_FIT_FIRST_LOSS_KEY, &state->losses.first},
        {TNNI_FIT_LAST_LOSS_KEY, &state->losses.last},
        {TNNI_FIT_LOWEST_LOSS_KEY, &state->losses.lowest},
    };
    tnn_status status =
        tnni_gguf_find_f32(gguf, TNNI_FIT_LOSS_PARAMETER_KEY, &state->loss_parameter);
    if (status == TNN_OK)
        status = tnni_gguf_find_f32(gguf, TNNI_FIT_BASE_RATE_KEY, &state->base_rate);
    state->base_rate += 0.0f; /* +0 of -0 */
    for (size_t i = 0; i < sizeof doubles / sizeof doubles[0] && status == TNN_OK; i++)
        status = tnni_gguf_find_f64(gguf, doubles[i].key, doubles[i].value);
    if (status == TNN_OK)
        status =
            find_doubles(from, TNNI_FIT_SCHEDULE_PARAMETERS_KEY, 3, state->schedule_parameters);
    if (status == TNN_OK)
        status = find_doubles(from, TNNI_FIT_SCHEDULE_STATE_KEY, 4, state->schedule_state);
    return status;
}

static tnn_status read_names(const reader *from, parts *read) {
    tnn_status status = find_name(from, TNNI_FIT_LOSS_KEY, &read->fields.loss, &read->loss_length);
    if (status == TNN_OK)
        status =
            find_name(from, TNNI_FIT_SCHEDULE_KEY, &read->fields.schedule, &read->schedule_length);
    return status;
}

/* Rows, batches and epochs, and what follows from them. */
static tnn_status check_counts(const reader *from, tnn_fit_state *state) {
    tnn_progress *progress = &state->progress;
    size_t kept = state->data_rows - state->rows;
    if (state->data_rows == 0)
        return bad(from, TNNI_FIT_DATA_ROWS_KEY, "at least 1");
    if (state->rows == 0 || state->rows > state->data_rows)
        return bad(from, TNNI_FIT_ROWS_KEY, "from 1 to data_rows");
    if (kept > 0 && state->validation_rows != kept)
        return bad(from, TNNI_FIT_VALIDATION_ROWS_KEY, "data_rows - rows");
    if (state->batch_rows == 0 || state->batch_rows > state->rows)
        return bad(from, TNNI_FIT_BATCH_ROWS_KEY, "from 1 to rows");
    uint64_t batches = tnni_fit_batches(state);
    if (state->batch == 0 || state->batch > batches ||
        (state->epoch_ended && state->batch < batches))
        return bad(from, TNNI_FIT_BATCH_KEY, "a number of batches that have ended");
    if (progress->epoch >= UINT64_MAX / batches - 1)
        return bad(from, TNNI_FIT_EPOCH_KEY, "an epoch whose batches can be counted");
    size_t ended = progress->epoch + (state->epoch_ended ? 1 : 0);
    if (progress->best_epoch > progress->epoch || (ended == 0 && progress->best_epoch > 0))
        return bad(from, TNNI_FIT_BEST_EPOCH_KEY, "an epoch that has ended");
    if (state->losses.rises > ended)
        return bad(from, TNNI_FIT_RISES_KEY, "at most the number of epochs that have ended");
    if (state->losses.falls > ended)
        return bad(from, TNNI_FIT_FALLS_KEY, "at most the number of epochs that have ended");
    state->losses.epochs = ended;
    state->epoch_rows = state->batch == batches ? state->rows : state->batch * state->batch_rows;
    progress->step = progress->epoch * batches + state->batch;
    progress->training_loss = state->loss_sum / (double)state->epoch_rows;
    return TNN_OK;
}

static tnn_status check_values(const reader *from, const tnn_fit_state *state) {
    const tnn_progress *progress = &state->progress;
    bool has_judged = state->losses.epochs > 0;
    bool has_validated = has_judged && state->validation_rows > 0;
    if (has_validated ? !isfinite(progress->validation_loss) : !isnan(progress->validation_loss))
        return bad(
            from, TNNI_FIT_VALIDATION_LOSS_KEY,
            has_validated ? "finite" : "NaN, and nothing was validated");
    if (has_validated ? progress->validation_score > 1.0 : !isnan(progress->validation_score))
        return bad(
            from, TNNI_FIT_VALIDATION_SCORE_KEY,
            has_validated ? "at most 1" : "NaN, and nothing was validated");
    if (has_validated && !isfinite(progress->best_loss))
        return bad(from, TNNI_FIT_BEST_LOSS_KEY, "finite");
    if (has_judged ? isnan(progress->best_loss) : progress->best_loss != (double)INFINITY)
        return bad(
            from, TNNI_FIT_BEST_LOSS_KEY, has_judged ? "a number" : "infinite before there is one");
    if (!(progress->seconds >= 0.0 && isfinite(progress->seconds)))
        return bad(from, TNNI_FIT_SECONDS_KEY, "a finite number of at least 0");
    if (!(state->base_rate >= 0.0f && isfinite(state->base_rate)))
        return bad(from, TNNI_FIT_BASE_RATE_KEY, "a finite number of at least 0");
    return TNN_OK;
}

static tnn_status find_weights(reader *from, parts *read) {
    const tnn_fit_state *state = &read->fields;
    bool keeps_best = state->validation_rows > 0 && !state->keep_last;
    tnn_status status = look_for_vector(from, TNNI_CHECKPOINT_BEST, &read->has_best, &read->best);
    if (status == TNN_OK)
        status = look_for_vector(from, TNNI_CHECKPOINT_SAFE, &read->has_safe, &read->safe);
    if (status == TNN_OK && read->has_best && !(keeps_best && isfinite(state->progress.best_loss)))
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: tensor %s in a training that has no best weights",
            from->gguf->where, TNNI_CHECKPOINT_BEST);
    return status;
}

static void lay_out(tnni_arena *arena, const parts *read, tnn_fit_state **state) {
    size_t count = read->fields.parameter_count;
    tnn_fit_state *made = tnni_arena_take(arena, 1, sizeof *made);
    float *best = NULL;
    if (read->fields.validation_rows > 0 && !read->fields.keep_last)
        best = tnni_arena_take(arena, count, sizeof *best);
    float *safe = tnni_arena_take(arena, count, sizeof *safe);
    char *loss = tnni_arena_take(arena, read->loss_length + 1, 1);
    char *schedule = tnni_arena_take(arena, read->schedule_length + 1, 1);
    *state = made;
    if (!made)
        return;
    *made = read->fields;
    made->best = best;
    made->safe = safe;
    made->loss = memcpy(loss, read->fields.loss, read->loss_length);
    made->schedule = memcpy(schedule, read->fields.schedule, read->schedule_length);
    loss[read->loss_length] = '\0';
    schedule[read->schedule_length] = '\0';
}

/* Where a tensor was left out the weights are those of the net. */
static void fill_weights(const reader *from, const parts *read, tnn_fit_state *state) {
    size_t bytes = state->parameter_count * sizeof(float);
    if (read->has_safe)
        copy_vector(from, &read->safe, state->safe);
    else
        memcpy(state->safe, from->net->parameters, bytes);
    if (read->has_best)
        copy_vector(from, &read->best, state->best);
    else if (state->best)
        memcpy(state->best, from->net->parameters, bytes);
}

static tnn_status make_state(
    const reader *from, const tnn_optimizer *optimizer, const parts *read, tnn_fit_state **state) {
    const tnn_allocator *allocator = from->net->allocator;
    tnni_arena arena = {0};
    lay_out(&arena, read, state);
    size_t bytes = arena.used;
    void *block = arena.overflow ? NULL : tnni_allocate(allocator, bytes);
    if (!block)
        return tnni_fail(
            TNN_OUT_OF_MEMORY, "%s: no memory for the state of a training", from->gguf->where);
    arena = (tnni_arena){.base = block};
    lay_out(&arena, read, state);
    (*state)->allocator = allocator;
    (*state)->bytes = bytes;
    (*state)->loaded_as = tnni_fit_checksum(from->net, optimizer);
    fill_weights(from, read, *state);
    return TNN_OK;
}

/* What a fit takes for granted of the state that it resumes. */
static tnn_status check_state(const reader *from, const parts *read, const tnn_fit_state *state) {
    bool safe = state->has_safe || !read->has_safe;
    for (size_t i = 0; state->has_safe && i < state->parameter_count; i++)
        safe = safe && isfinite(state->safe[i]);
    if (!safe)
        return bad(from, TNNI_FIT_HAS_SAFE_KEY, "whether there are finite weights");
    if (!tnni_schedule_has_state(state->schedule, state->schedule_state))
        return bad(from, TNNI_FIT_SCHEDULE_STATE_KEY, "a state of the schedule");
    return TNN_OK;
}

static tnn_status read_state(reader *from, const tnn_optimizer *optimizer, tnn_fit_state **state) {
    parts read = {
        .fields = {
            .layout = from->net->layout,
            .parameter_count = from->net->parameter_count,
            .method = optimizer->method.vtable,
            .passes = from->net->passes,
        }};
    tnn_status status = read_counts(from, &read.fields);
    if (status == TNN_OK)
        status = read_values(from, &read.fields);
    if (status == TNN_OK)
        status = read_names(from, &read);
    if (status == TNN_OK)
        status = check_counts(from, &read.fields);
    if (status == TNN_OK)
        status = check_values(from, &read.fields);
    if (status == TNN_OK)
        status = find_weights(from, &read);
    if (status == TNN_OK)
        status = make_state(from, optimizer, &read, state);
    return status == TNN_OK ? check_state(from, &read, *state) : status;
}

/* ---- The file -------------------------------------------------------------------------------- */

static tnn_status check_version(const tnni_gguf *gguf, bool *has_fit) {
    uint32_t version = 0;
    if (!tnni_gguf_has_key(gguf, TNNI_CHECKPOINT_VERSION_KEY))
        return tnni_fail(
            TNN_BAD_FORMAT,
            "%s: a model file, which tnn_net_load reads, and no checkpoint: the key %s is missing",
            gguf->where, TNNI_CHECKPOINT_VERSION_KEY);
    tnn_status status = tnni_gguf_find_u32(gguf, TNNI_CHECKPOINT_VERSION_KEY, &version);
    if (status == TNN_OK && version != TNNI_CHECKPOINT_VERSION)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: version %" PRIu32 " of the checkpoint format, expected %d",
            gguf->where, version, TNNI_CHECKPOINT_VERSION);
    return status == TNN_OK ? tnni_gguf_find_bool(gguf, TNNI_CHECKPOINT_FIT_KEY, has_fit) : status;
}

static void destroy(checkpoint *made) {
    tnn_fit_state_destroy(made->state);
    tnn_optimizer_destroy(made->optimizer);
    tnn_net_destroy(made->net);
    *made = (checkpoint){0};
}

static tnn_status take_checkpoint(
    void *result, const tnni_gguf *gguf, const tnn_load_options *options) {
    checkpoint *made = result;
    reader from = {.gguf = gguf};
    bool has_fit = false;
    tnn_status status = check_version(gguf, &has_fit);
    if (status == TNN_OK)
        status = tnni_model_read(&made->net, gguf, options, &from.tensor_count);
    from.net = made->net;
    if (status == TNN_OK)
        status = read_gradients(&from);
    if (status == TNN_OK)
        status = read_optimizer(&from, &made->optimizer);
    if (status == TNN_OK && has_fit)
        status = read_state(&from, made->optimizer, &made->state);
    if (status == TNN_OK && from.tensor_count != gguf->tensor_count)
        status = tnni_fail(
            TNN_BAD_FORMAT, "%s: %zu tensors, net and training have %zu", gguf->where,
            gguf->tensor_count, from.tensor_count);
    if (status != TNN_OK)
        destroy(made);
    return status;
}

static tnn_status begin_load(
    const char *caller, tnn_net **net, tnn_optimizer **optimizer, tnn_fit_state **state) {
    if (net)
        *net = NULL;
    if (optimizer)
        *optimizer = NULL;
    if (state)
        *state = NULL;
    if (net && optimizer)
        return TNN_OK;
    return tnni_fail(TNN_INVALID_ARGUMENT, "%s: %s is NULL", caller, net ? "optimizer" : "net");
}

static void hand_over(
    checkpoint *made, tnn_net **net, tnn_optimizer **optimizer, tnn_fit_state **state) {
    *net = made->net;
    *optimizer = made->optimizer;
    if (state)
        *state = made->state;
    else
        tnn_fit_state_destroy(made->state);
}

tnn_status tnn_checkpoint_load(
    tnn_net **net, tnn_optimizer **optimizer, tnn_fit_state **state, const char *path,
    const tnn_load_options *options) {
    const char *caller = "tnn_checkpoint_load";
    checkpoint made = {0};
    tnn_status status = begin_load(caller, net, optimizer, state);
    if (status == TNN_OK)
        status = tnni_load(caller, take_checkpoint, &made, path, options);
    if (status == TNN_OK)
        hand_over(&made, net, optimizer, state);
    return status;
}

tnn_status tnn_checkpoint_load_from(
    tnn_net **net, tnn_optimizer **optimizer, tnn_fit_state **state, const tnn_source *source,
    const tnn_load_options *options) {
    const char *caller = "tnn_checkpoint_load_from";
    checkpoint made = {0};
    tnn_status status = begin_load(caller, net, optimizer, state);
    if (status == TNN_OK)
        status = tnni_load_from(caller, take_checkpoint, &made, source, options);
    if (status == TNN_OK)
        hand_over(&made, net, optimizer, state);
    return status;
}
