#include "evaluate.h"

#include "support/status.h"

#include <math.h>
#include <string.h>

/* Rows that go through the net together. */
enum { BATCH_ROWS = 128 };

static void lay_out(tnni_evaluator *evaluator, tnni_arena *arena) {
    size_t outputs = evaluator->batch.outputs;
    tnni_batch_lay_out(&evaluator->batch, arena);
    evaluator->y = tnni_arena_take(arena, evaluator->batch.capacity, outputs * sizeof(float));
    evaluator->target_mean = tnni_arena_take(arena, outputs, sizeof(double));
    evaluator->target_spread = tnni_arena_take(arena, outputs, sizeof(double));
    evaluator->squared_error = tnni_arena_take(arena, outputs, sizeof(double));
}

tnn_status tnni_evaluator_create(
    const char *caller, tnni_evaluator *evaluator, const tnn_net *net, const tnn_dataset *data) {
    *evaluator = (tnni_evaluator){
        .batch = {
            .data = data,
            .inputs = tnni_inputs(net),
            .outputs = tnni_outputs(net),
            .capacity = data->rows < BATCH_ROWS ? data->rows : BATCH_ROWS,
        }};
    tnn_status status = tnni_net_clone_without_dropout(caller, &evaluator->net, net);
    if (status != TNN_OK)
        return status;
    status = tnni_net_grow(caller, evaluator->net, evaluator->batch.capacity);
    if (status != TNN_OK) {
        tnni_evaluator_destroy(evaluator);
        return status;
    }
    tnni_arena arena = {0};
    lay_out(evaluator, &arena);
    evaluator->bytes = arena.used;
    evaluator->block = arena.overflow ? NULL : tnni_allocate(net->allocator, arena.used);
    if (!evaluator->block) {
        tnni_evaluator_destroy(evaluator);
        return tnni_fail(TNN_OUT_OF_MEMORY, "%s: no memory for the rows of a batch", caller);
    }
    arena = (tnni_arena){.base = evaluator->block};
    lay_out(evaluator, &arena);
    return TNN_OK;
}

void tnni_evaluator_destroy(tnni_evaluator *evaluator) {
    if (evaluator->net)
        tnni_release(evaluator->net->allocator, evaluator->block, evaluator->bytes);
    tnn_net_destroy(evaluator->net);
    *evaluator = (tnni_evaluator){0};
}

void tnni_evaluator_update(const tnni_evaluator *evaluator, const tnn_net *net) {
    memcpy(evaluator->net->parameters, net->parameters, net->parameter_count * sizeof(float));
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* What the rows so far add up to. */
typedef struct sums {
    double weight;
    double loss;
    double correct;
    double absolute_error;
} sums;

/* The class that outputs stand for, the highest; a single one is the second of two beyond 1/2. With
 * one that is not a number they stand for none: NO_CLASS. */
#define NO_CLASS SIZE_MAX

static size_t class_of(const float *values, size_t count) {
    size_t best = 0;
    bool are_numbers = true;
    for (size_t i = 0; i < count; i++) {
        are_numbers = are_numbers && !isnan(values[i]);
        if (values[i] > values[best])
            best = i;
    }
    if (!are_numbers)
        return NO_CLASS;
    return count == 1 ? values[0] > 0.5f : best;
}

/* One row's outputs and targets; the mean and the spread of the targets are Welford's, weighted:
 * West 1979. */
static void add_row(
    const tnni_evaluator *evaluator, const float *y, const float *target, uint32_t class_number,
    double weight, sums *sum) {
    size_t outputs = evaluator->batch.outputs;
    sum->weight += weight;
    double share = sum->weight > 0.0 ? weight / sum->weight : 0.0;
    for (size_t u = 0; u < outputs; u++) {
        double t = target ? target[u] : u == class_number;
        double error = t - y[u];
        double distance = t - evaluator->target_mean[u];
        evaluator->target_mean[u] += share * distance;
        evaluator->target_spread[u] += weight * distance * (t - evaluator->target_mean[u]);
        evaluator->squared_error[u] += weight * error * error;
        sum->absolute_error += weight * fabs(error);
    }
}

static void add_batch(
    const tnni_evaluator *evaluator, const tnn_dataset *batch, sums *sum, uint64_t *confusion) {
    size_t outputs = evaluator->batch.outputs;
    size_t classes = outputs == 1 ? 2 : outputs;
    const double *row_loss = evaluator->net->row_loss;
    for (size_t r = 0; r < batch->rows; r++) {
        const float *y = evaluator->y + r * outputs;
        const float *target = batch->target ? batch->target + r * outputs : NULL;
        double weight = batch->row_weights ? batch->row_weights[r] : 1.0;
        size_t truth = target ? class_of(target, outputs) : batch->classes[r];
        size_t guess = class_of(y, outputs);
        add_row(evaluator, y, target, target ? 0 : batch->classes[r], weight, sum);
        sum->loss += batch->row_weights ? weight * row_loss[r] : row_loss[r];
        sum->correct += guess == truth && guess != NO_CLASS ? weight : 0.0;
        if (confusion && truth != NO_CLASS && guess != NO_CLASS)
            confusion[truth * classes + guess]++;
    }
}

/* ---- Results --------------------------------------------------------------------------------- */

/* Of one output: a target that never changes is explained wholly or not at all. */
static double r_squared(double squared_error, double spread) {
    if (spread > 0.0)
        return 1.0 - squared_error / spread;
    return squared_error == 0.0 ? 1.0 : 0.0;
}

static tnn_evaluation results(const tnni_evaluator *evaluator, const sums *sum, size_t rows) {
    size_t outputs = evaluator->batch.outputs;
    double weight = sum->weight > 0.0 ? sum->weight : (double)NAN;
    double explained = sum->weight > 0.0 ? 0.0 : (double)NAN;
    for (size_t u = 0; u < outputs; u++)
        explained += r_squared(evaluator->squared_error[u], evaluator->target_spread[u]);
    return (tnn_evaluation){
        .loss = sum->loss / (double)rows,
        .accuracy = sum->correct / weight,
        .r_squared = explained / (double)outputs,
        .mean_absolute_error = sum->absolute_error / weight / (double)outputs,
    };
}

static tnn_status run_batch(
    const char *caller, const tnni_evaluator *evaluator, const tnn_loss *loss,
    const tnn_dataset *batch) {
    tnn_net *net = evaluator->net;
    tnni_objective objective = tnni_objective_of(net, loss);
    tnn_status status = tnn_forward(net, batch->rows, batch->x, evaluator->y);
    if (status == TNN_OK)
        status = tnni_objective_aim(caller, net, batch, &objective);
    if (status == TNN_OK)
        tnni_loss_rows(net, &objective, (tnni_range){0, batch->rows}, NULL);
    return status;
}

tnn_status tnni_evaluate(
    const char *caller, tnni_evaluator *evaluator, const tnn_loss *loss, const size_t *numbers,
    size_t count, tnn_evaluation *evaluation, uint64_t *confusion) {
    const tnni_batch *batch = &evaluator->batch;
    size_t outputs = batch->outputs;
    size_t classes = outputs == 1 ? 2 : outputs;
    sums sum = {0};
    memset(evaluator->target_mean, 0, outputs * sizeof(double));
    memset(evaluator->target_spread, 0, outputs * sizeof(double));
    memset(evaluator->squared_error, 0, outputs * sizeof(double));
    if (confusion)
        memset(confusion, 0, classes * classes * sizeof *confusion);
    for (size_t first = 0; first < count; first += batch->capacity) {
        size_t rows = count - first < batch->capacity ? count - first : batch->capacity;
        tnn_dataset taken = tnni_batch_take(batch, numbers ? numbers + first : NULL, first, rows);
        tnn_status status = run_batch(caller, evaluator, loss, &taken);
        if (status != TNN_OK)
            return status;
        add_batch(evaluator, &taken, &sum, confusion);
    }
    *evaluation = results(evaluator, &sum, count);
    return TNN_OK;
}

/* All classes, so that a wrong one changes nothing. */
static tnn_status check_classes(const char *caller, const tnn_net *net, const tnn_dataset *data) {
    tnn_status status = TNN_OK;
    for (size_t r = 0; data->classes && r < data->rows && status == TNN_OK; r++)
        status = tnni_check_class(caller, "data", net, data, r);
    return status;
}

tnn_status tnn_evaluate(
    const tnn_net *net, tnn_loss loss, const tnn_dataset *data, tnn_evaluation *evaluation,
    uint64_t *confusion) {
    const char *caller = "tnn_evaluate";
    if (!net)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: net is NULL", caller);
    if (!evaluation)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: evaluation is NULL", caller);
    tnn_status status = tnni_loss_check(caller, &loss);
    if (status == TNN_OK)
        status = tnni_check_dataset(caller, "data", net, &loss, data);
    if (status == TNN_OK)
        status = check_classes(caller, net, data);
    tnni_evaluator evaluator = {0};
    if (status == TNN_OK)
        status = tnni_evaluator_create(caller, &evaluator, net, data);
    if (status == TNN_OK)
        status = tnni_evaluate(caller, &evaluator, &loss, NULL, data->rows, evaluation, confusion);
    tnni_evaluator_destroy(&evaluator);
    return status;
}
