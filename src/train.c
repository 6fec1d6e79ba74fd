/*
 * Forward, backward and step in one call: the stages of the pass, then, if the loss is finite, a
 * loop over the weights, in which every gradient goes into the step as soon as it is known, so that
 * no array of them is written. With gradients pending, or their norm to clip, it is the verbs' way.
 */
#include "net.h"

#include "optimizer.h"
#include "support/memory.h"
#include "support/status.h"

#include <math.h>
#include <string.h>

typedef struct update_work {
    tnn_net *net;
    tnn_optimizer *optimizer;
    const tnni_step *step;
    size_t rows;
    size_t tasks;
} update_work;

/* Gradients of biases on their way into the step. */
enum { BIAS_BLOCK = 256 };

static void update_biases(const update_work *work, const tnni_layer *layer, tnni_range part) {
    const tnn_net *net = work->net;
    float gradients[BIAS_BLOCK];
    for (size_t u = part.begin; u < part.end; u += BIAS_BLOCK) {
        size_t count = part.end - u < BIAS_BLOCK ? part.end - u : BIAS_BLOCK;
        net->kernels->bias_gradient(
            work->rows, layer->units, u, count, layer->delta, false, gradients);
        tnni_optimizer_apply(
            work->optimizer, net->kernels, layer->biases + u, count, gradients,
            net->parameters + layer->biases + u);
    }
}

static void update_task(void *argument, size_t index) {
    const update_work *work = argument;
    const tnn_net *net = work->net;
    for (size_t l = 0; l < net->layer_count; l++) {
        const tnni_layer *layer = &net->layers[l];
        tnni_range inputs, units;
        tnni_share_weights(net, layer, work->rows, index, work->tasks, &inputs, &units);
        net->kernels->weight_update(
            work->rows, layer->inputs, layer->units, inputs, units, tnni_layer_input(net, l),
            layer->delta, work->step, net->parameters + layer->weights,
            tnni_optimizer_moments(work->optimizer, layer->weights), work->optimizer->stride,
            tnni_panel(net, index));
        if (layer->has_biases)
            update_biases(work, layer, tnni_share(layer->units, index, work->tasks));
    }
}

tnn_status tnni_check_dataset(
    const char *caller, const char *name, const tnn_net *net, const tnn_loss *loss,
    const tnn_dataset *data) {
    if (!data)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: %s is NULL", caller, name);
    if (!data->target && !data->classes)
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: %s->target and %s->classes are both NULL", caller, name,
            name);
    if (data->target && data->classes)
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: %s->target and %s->classes are both given, expected one of them", caller, name,
            name);
    if (data->classes && tnni_loss_find(loss) != TNNI_CROSS_ENTROPY)
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: %s->classes goes with tnn_cross_entropy() only; give %s->target", caller, name,
            name);
    if (data->classes && net->output_scaling)
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: %s->classes is given, but the net scales its outputs",
            caller, name);
    tnn_status status = tnni_check_rows(caller, net, data->rows, data->x, NULL);
    if (status != TNN_OK)
        return status;
    /* The step reads x while it writes parameters. */
    if (tnni_overlap(
            data->x, data->rows * tnni_inputs(net) * sizeof(float), net->parameters,
            net->parameter_count * sizeof(float)))
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: %s->x overlaps the net's parameters", caller, name);
    return TNN_OK;
}

tnn_status tnni_check_class(
    const char *caller, const char *name, const tnn_net *net, const tnn_dataset *data, size_t row) {
    if (data->classes[row] < tnni_outputs(net))
        return TNN_OK;
    return tnni_fail(
        TNN_INVALID_ARGUMENT,
        "%s: %s->classes[%zu] is %lu, expected less than the net's %zu outputs", caller, name, row,
        (unsigned long)data->classes[row], tnni_outputs(net));
}

/* The batch's classes as one-hot targets; TNN_INVALID_ARGUMENT if one is out of range. */
static tnn_status spread_classes(const char *caller, tnn_net *net, const tnn_dataset *batch) {
    size_t outputs = tnni_outputs(net);
    for (size_t r = 0; r < batch->rows; r++) {
        tnn_status status = tnni_check_class(caller, "batch", net, batch, r);
        if (status != TNN_OK)
            return status;
        float *row = net->targets + r * outputs;
        memset(row, 0, outputs * sizeof *row);
        row[batch->classes[r]] = 1.0f;
    }
    return TNN_OK;
}

tnn_status tnni_objective_aim(
    const char *caller, tnn_net *net, const tnn_dataset *batch, tnni_objective *objective) {
    objective->row_weights = batch->row_weights;
    objective->target = batch->classes ? net->targets : batch->target;
    return batch->classes ? spread_classes(caller, net, batch) : TNN_OK;
}

/* Everything that can fail before the pass; the objective is complete then. */
static tnn_status prepare(
    const char *caller, tnn_net *net, const tnn_optimizer *optimizer, const tnn_dataset *batch,
    tnni_objective *objective) {
    tnn_status status = tnni_check_optimizer(caller, net, optimizer);
    if (status == TNN_OK)
        status = tnni_loss_check(caller, objective->loss);
    if (status == TNN_OK)
        status = tnni_check_dataset(caller, "batch", net, objective->loss, batch);
    if (status == TNN_OK)
        status = tnni_pass_begin(caller, net, batch->rows, batch->x);
    if (status == TNN_OK && tnni_optimizer_clips_norm(optimizer))
        status = tnni_net_allocate_gradients(caller, net);
    if (status != TNN_OK)
        return status;
    return tnni_objective_aim(caller, net, batch, objective);
}

static bool is_apart(const float *x, size_t count, const float *y, size_t y_count) {
    return !y || !tnni_overlap(x, count * sizeof *x, y, y_count * sizeof *y);
}

/*
 * Can the kernel of small nets do all of it, and would prepare find nothing wrong? One answer to
 * both, because the checks one by one take about as long as the step. A net that has been through
 * prepare has room for it.
 */
static bool is_small_step(
    const tnn_net *net, const tnn_optimizer *optimizer, tnni_loss_kind loss,
    const tnn_dataset *batch) {
    if (!net->small || !optimizer || !batch || batch->rows != 1)
        return false;
    bool is_plain = batch->x && batch->target && !batch->classes && !batch->row_weights &&
        net->gradients_zero && optimizer->step.kind == TNNI_DESCENT &&
        optimizer->layout == net->layout && optimizer->parameter_count == net->parameter_count;
    return is_plain && loss < TNNI_LOSS_KINDS &&
        loss != TNNI_HUBER /* whose delta may be wrong */ &&
        !tnni_is_of_logits(tnni_last_layer(net), loss) &&
        is_apart(batch->x, tnni_inputs(net), net->parameters, net->parameter_count) &&
        is_apart(batch->x, tnni_inputs(net), net->gradients, net->parameter_count);
}

/* The pass, and, if the loss is finite, the step. */
static double train_batch(
    tnn_net *net, tnn_optimizer *optimizer, const tnni_objective *objective, size_t rows) {
    tnni_pass pass = {.net = net, .rows = rows, .objective = objective};
    tnni_pass_run(&pass, 0, 2 * net->layer_count);
    double value = tnni_batch_loss(net, objective, rows);
    if (!isfinite(value))
        return value;
    if (net->gradients_zero && !tnni_optimizer_clips_norm(optimizer)) {
        update_work work = {
            .net = net,
            .optimizer = optimizer,
            .step = tnni_optimizer_begin(optimizer),
            .rows = rows,
            .tasks = tnni_net_tasks(net, rows),
        };
        tnni_parallel_for(net->executor, work.tasks, update_task, &work);
    } else {
        tnni_add_gradients(net, rows);
        tnni_step_with_gradients(net, optimizer);
    }
    return value;
}

tnn_status tnn_train(
    tnn_net *net, tnn_optimizer *optimizer, tnn_loss loss, const tnn_dataset *batch,
    double *value) {
    const char *caller = "tnn_train";
    if (!net)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: net is NULL", caller);
    net->rows = 0;
    double loss_value;
    tnni_loss_kind kind = tnni_loss_find(&loss);
    if (is_small_step(net, optimizer, kind, batch)) {
        loss_value = net->kernels->small_train(
            net->small, net->layer_count, batch->x, batch->target, kind, loss.parameter,
            tnni_optimizer_begin(optimizer)->rate);
    } else {
        tnni_objective objective = tnni_objective_of(net, &loss);
        tnn_status status = prepare(caller, net, optimizer, batch, &objective);
        if (status != TNN_OK)
            return status;
        loss_value = train_batch(net, optimizer, &objective, batch->rows);
    }
    if (value)
        *value = loss_value;
    if (!isfinite(loss_value))
        return tnni_check_loss(caller, loss_value);
    net->passes++;
    return TNN_OK;
}
