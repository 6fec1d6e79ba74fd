#include "checkpoint.h"
#include "support/file.h"
#include "support/status.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define NUMBER(name, is_double, field)                                                             \
    { "tinynn.optimizer." name, is_double, offsetof(tnn_optimizer, field) }

const tnni_optimizer_number tnni_optimizer_numbers[TNNI_OPTIMIZER_NUMBERS] = {
    NUMBER("learning_rate", false, method.learning_rate),
    NUMBER("momentum", false, method.momentum),
    NUMBER("weight_decay", false, method.weight_decay),
    NUMBER("beta1", true, method.beta1),
    NUMBER("beta2", true, method.beta2),
    NUMBER("epsilon", false, method.epsilon),
    NUMBER("l1", false, method.l1),
    NUMBER("clip_value", false, method.clip_value),
    NUMBER("clip_norm", false, method.clip_norm),
    NUMBER("shrink", false, method.shrink),
    NUMBER("grow", false, method.grow),
    NUMBER("min_move", false, method.min_move),
    NUMBER("max_move", false, method.max_move),
    NUMBER("beta1_power", true, beta1_power),
    NUMBER("beta2_power", true, beta2_power),
};

tnni_model_name tnni_checkpoint_moment_name(size_t moment) {
    tnni_model_name name;
    snprintf(name.text, sizeof name.text, TNNI_CHECKPOINT_TENSORS "moments.%zu", moment);
    return name;
}

/* What is saved. */
typedef struct checkpoint {
    const tnn_net *net;
    const tnn_optimizer *optimizer;
    const tnn_fit_state *state; /* or NULL */
} checkpoint;

/* ---- Keys ------------------------------------------------------------------------------------ */

static void put_optimizer(tnni_gguf_writer *writer, const tnn_optimizer *optimizer) {
    const tnn_method *method = &optimizer->method;
    tnni_gguf_put_string(writer, TNNI_OPTIMIZER_METHOD_KEY, tnni_method_name(method->vtable));
    tnni_gguf_put_bool(writer, TNNI_OPTIMIZER_NESTEROV_KEY, method->nesterov);
    tnni_gguf_put_bool(writer, TNNI_OPTIMIZER_MOVES_KEY, optimizer->has_moves);
    for (size_t i = 0; i < TNNI_OPTIMIZER_NUMBERS; i++) {
        const tnni_optimizer_number *number = &tnni_optimizer_numbers[i];
        const char *field = (const char *)optimizer + number->offset;
        if (number->is_double)
            tnni_gguf_put_f64(writer, number->key, (const double *)(const void *)field);
        else
            tnni_gguf_put_f32(writer, number->key, (const float *)(const void *)field);
    }
}

static void put_doubles(
    tnni_gguf_writer *writer, const char *key, size_t count, const double *values) {
    tnni_gguf_put_array(writer, key, TNNI_GGUF_F64, count);
    for (size_t i = 0; i < count; i++)
        tnni_gguf_add_f64(writer, &values[i]);
}

static void put_training(tnni_gguf_writer *writer, const tnn_fit_state *state) {
    tnni_gguf_put_u64(writer, TNNI_FIT_DATA_ROWS_KEY, state->data_rows);
    tnni_gguf_put_u64(writer, TNNI_FIT_ROWS_KEY, state->rows);
    tnni_gguf_put_u64(writer, TNNI_FIT_VALIDATION_ROWS_KEY, state->validation_rows);
    tnni_gguf_put_u64(writer, TNNI_FIT_BATCH_ROWS_KEY, state->batch_rows);
    tnni_gguf_put_u64(writer, TNNI_FIT_SEED_KEY, state->seed);
    tnni_gguf_put_bool(writer, TNNI_FIT_KEEP_ORDER_KEY, state->keep_order);
    tnni_gguf_put_bool(writer, TNNI_FIT_KEEP_LAST_KEY, state->keep_last);
    tnni_gguf_put_string(writer, TNNI_FIT_LOSS_KEY, state->loss);
    tnni_gguf_put_f32(writer, TNNI_FIT_LOSS_PARAMETER_KEY, &state->loss_parameter);
    tnni_gguf_put_string(writer, TNNI_FIT_SCHEDULE_KEY, state->schedule);
    put_doubles(writer, TNNI_FIT_SCHEDULE_PARAMETERS_KEY, 3, state->schedule_parameters);
}

static void put_place(tnni_gguf_writer *writer, const tnn_fit_state *state) {
    const tnn_progress *progress = &state->progress;
    const tnni_loss_history *losses = &state->losses;
    put_doubles(writer, TNNI_FIT_SCHEDULE_STATE_KEY, 4, state->schedule_state);
    tnni_gguf_put_f32(writer, TNNI_FIT_BASE_RATE_KEY, &state->base_rate);
    tnni_gguf_put_u64(writer, TNNI_FIT_EPOCH_KEY, progress->epoch);
    tnni_gguf_put_u64(writer, TNNI_FIT_BATCH_KEY, state->batch);
    tnni_gguf_put_bool(writer, TNNI_FIT_EPOCH_ENDED_KEY, state->epoch_ended);
    tnni_gguf_put_f64(writer, TNNI_FIT_LOSS_SUM_KEY, &state->loss_sum);
    tnni_gguf_put_f64(writer, TNNI_FIT_VALIDATION_LOSS_KEY, &progress->validation_loss);
    tnni_gguf_put_f64(writer, TNNI_FIT_VALIDATION_SCORE_KEY, &progress->validation_score);
    tnni_gguf_put_f64(writer, TNNI_FIT_BEST_LOSS_KEY, &progress->best_loss);
    tnni_gguf_put_u64(writer, TNNI_FIT_BEST_EPOCH_KEY, progress->best_epoch);
    tnni_gguf_put_f64(writer, TNNI_FIT_SECONDS_KEY, &progress->seconds);
    tnni_gguf_put_f64(writer, TNNI_FIT_FIRST_LOSS_KEY, &losses->first);
    tnni_gguf_put_f64(writer, TNNI_FIT_LAST_LOSS_KEY, &losses->last);
    tnni_gguf_put_f64(writer, TNNI_FIT_LOWEST_LOSS_KEY, &losses->lowest);
    tnni_gguf_put_u64(writer, TNNI_FIT_RISES_KEY, losses->rises);
    tnni_gguf_put_u64(writer, TNNI_FIT_FALLS_KEY, losses->falls);
    tnni_gguf_put_u64(writer, TNNI_FIT_UNSAFE_ROWS_KEY, state->unsafe_rows);
    tnni_gguf_put_bool(writer, TNNI_FIT_HAS_SAFE_KEY, state->has_safe);
}

/* ---- Tensors --------------------------------------------------------------------------------- */

/* A flat vector, whose tensor is left out if there is none, and weights also if they are those that
 * the net has. */
typedef struct vector {
    const char *name;
    const float *values;
} vector;

enum { VECTORS = 3 };

static const float *unless_same(const tnn_net *net, const float *weights) {
    size_t bytes = net->parameter_count * sizeof *weights;
    return weights && memcmp(weights, net->parameters, bytes) != 0 ? weights : NULL;
}

static void list_vectors(const checkpoint *from, vector vectors[VECTORS]) {
    const tnn_net *net = from->net;
    const tnn_fit_state *state = from->state;
    const float *best = state && tnni_fit_has_best(state) ? state->best : NULL;
    const float *safe = state && state->has_safe ? state->safe : NULL;
    vectors[0] = (vector){TNNI_CHECKPOINT_GRADIENTS, net->gradients_zero ? NULL : net->gradients};
    vectors[1] = (vector){TNNI_CHECKPOINT_BEST, unless_same(net, best)};
    vectors[2] = (vector){TNNI_CHECKPOINT_SAFE, unless_same(net, safe)};
}

static void put_infos(
    tnni_gguf_writer *writer, const tnn_optimizer *optimizer, const vector vectors[VECTORS]) {
    const size_t count = optimizer->parameter_count;
    for (size_t m = 0; m < optimizer->moment_count; m++)
        tnni_gguf_put_info(writer, tnni_checkpoint_moment_name(m).text, 1, &count);
    for (size_t v = 0; v < VECTORS; v++)
        if (vectors[v].values)
            tnni_gguf_put_info(writer, vectors[v].name, 1, &count);
}

static void put_tensors(
    tnni_gguf_writer *writer, const tnn_optimizer *optimizer, const vector vectors[VECTORS]) {
    const size_t count = optimizer->parameter_count;
    for (size_t m = 0; m < optimizer->moment_count; m++)
        tnni_gguf_put_tensor(writer, optimizer->moments + m * optimizer->stride, count);
    for (size_t v = 0; v < VECTORS; v++)
        if (vectors[v].values)
            tnni_gguf_put_tensor(writer, vectors[v].values, count);
}

/* ---- The file -------------------------------------------------------------------------------- */

static tnn_status put_checkpoint(
    tnni_gguf_writer *writer, const tnn_sink *sink, uint64_t checksum, const void *what) {
    const checkpoint *from = what;
    vector vectors[VECTORS];
    list_vectors(from, vectors);
    size_t tensors = tnni_model_tensor_count(from->net) + from->optimizer->moment_count;
    for (size_t v = 0; v < VECTORS; v++)
        tensors += vectors[v].values != NULL;
    size_t keys = TNNI_MODEL_KEYS + TNNI_CHECKPOINT_KEYS + TNNI_OPTIMIZER_KEYS +
        (from->state ? TNNI_FIT_KEYS : 0);
    tnni_gguf_begin(writer, sink, tensors, keys, checksum);
    tnni_model_put_keys(writer, from->net);
    tnni_gguf_put_u32(writer, TNNI_CHECKPOINT_VERSION_KEY, TNNI_CHECKPOINT_VERSION);
    tnni_gguf_put_bool(writer, TNNI_CHECKPOINT_FIT_KEY, from->state);
    put_optimizer(writer, from->optimizer);
    if (from->state) {
        put_training(writer, from->state);
        put_place(writer, from->state);
    }
    tnni_model_put_infos(writer, from->net);
    put_infos(writer, from->optimizer, vectors);
    tnni_model_put_tensors(writer, from->net);
    put_tensors(writer, from->optimizer, vectors);
    return tnni_gguf_end(writer);
}

static tnn_status check_arguments(
    const char *caller, const tnn_net *net, const tnn_optimizer *optimizer,
    const tnn_fit_state *state) {
    if (!net)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: net is NULL", caller);
    tnn_status status = tnni_check_optimizer(caller, net, optimizer);
    if (status == TNN_OK && state &&
        (state->layout != net->layout || state->parameter_count != net->parameter_count))
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: state is of another layout (%zu parameters, the net has %zu)", caller,
            state->parameter_count, net->parameter_count);
    return status;
}

tnn_status tnn_checkpoint_save_to(
    const tnn_net *net, const tnn_optimizer *optimizer, const tnn_fit_state *state,
    const tnn_sink *sink) {
    const char *caller = "tnn_checkpoint_save_to";
    tnn_status status = check_arguments(caller, net, optimizer, state);
    if (status != TNN_OK)
        return status;
    return tnni_save_to(caller, put_checkpoint, &(checkpoint){net, optimizer, state}, sink);
}

tnn_status tnn_checkpoint_save(
    const tnn_net *net, const tnn_optimizer *optimizer, const tnn_fit_state *state,
    const char *path) {
    const char *caller = "tnn_checkpoint_save";
    tnn_status status = check_arguments(caller, net, optimizer, state);
    return status == TNN_OK ? tnni_checkpoint_save(caller, net, optimizer, state, path) : status;
}

tnn_status tnni_checkpoint_save(
    const char *caller, const tnn_net *net, const tnn_optimizer *optimizer,
    const tnn_fit_state *state, const char *path) {
    const checkpoint from = {net, optimizer, state};
    return tnni_save(caller, put_checkpoint, &from, path, net->allocator);
}

/* A new file next to it, which is removed at once. */
tnn_status tnni_checkpoint_try(
    const char *caller, const char *path, const tnn_allocator *allocator) {
    tnni_file file;
    tnn_status status = tnni_file_create(&file, caller, path, allocator);
    if (status == TNN_OK)
        tnni_file_close(&file, TNN_BAD_STATE);
    return status;
}
