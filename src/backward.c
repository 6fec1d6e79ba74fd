/* Backward: from the loss through the layers to the gradient of every parameter. */
#include "net.h"

#include "support/memory.h"
#include "support/status.h"

#include <math.h>
#include <string.h>

/* ---- Loss ------------------------------------------------------------------------------------ */

static tnni_loss_kernel *loss_kernel(const tnn_net *net, const tnni_objective *objective) {
    if (!objective->of_logits)
        return net->kernels->losses[objective->kind];
    return objective->kind == TNNI_CROSS_ENTROPY ? net->kernels->softmax_cross_entropy
                                                 : net->kernels->sigmoid_binary_cross_entropy;
}

/* tnni_loss_rows with target[rows, outputs] as the loss wants it. */
static void loss_against(
    tnn_net *net, const tnni_objective *objective, tnni_range rows, const float *target,
    float *gradient) {
    const tnni_layer *last = tnni_last_layer(net);
    const tnn_loss *loss = objective->loss;
    size_t count = tnni_length(rows);
    const float *source =
        (objective->of_logits ? last->z : last->output) + rows.begin * last->units;
    double *row_loss = net->row_loss + rows.begin;
    if (objective->kind < TNNI_LOSS_KINDS)
        loss_kernel(net, objective)(
            loss->parameter, count, last->units, source, target, row_loss, gradient);
    else
        loss->vtable->evaluate(loss, count, last->units, source, target, row_loss, gradient);
}

void tnni_loss_rows(
    tnn_net *net, const tnni_objective *objective, tnni_range rows, float *gradient) {
    size_t outputs = tnni_outputs(net);
    size_t offset = rows.begin * outputs;
    const float *target = objective->target + offset;
    if (net->output_scaling) {
        float *scaled = net->targets + offset;
        tnni_scale(net, net->output_scaling, tnni_length(rows), outputs, target, scaled);
        target = scaled;
    }
    loss_against(net, objective, rows, target, gradient);
}

double tnni_batch_loss(const tnn_net *net, const tnni_objective *objective, size_t rows) {
    double sum = 0.0;
    for (size_t r = 0; r < rows; r++)
        sum += objective->row_weights ? objective->row_weights[r] * net->row_loss[r]
                                      : net->row_loss[r];
    return sum / (double)rows;
}

tnn_status tnni_check_loss(const char *caller, double value) {
    if (isfinite(value))
        return TNN_OK;
    return tnni_fail(
        TNN_NOT_FINITE,
        "%s: the loss is %g; inputs, targets or parameters are not finite or too large, or the "
        "learning rate is too high",
        caller, value);
}

/* ---- Delta ----------------------------------------------------------------------------------- */

/* dL/d output of a layer, in its delta, becomes dL/dz; part of the units as in forward. */
static void through_activation(const tnn_net *net, const tnni_layer *layer, tnni_part part) {
    const tnn_activation *activation = &layer->activation;
    size_t rows = tnni_length(part.rows);
    size_t offset = part.rows.begin * layer->units;
    const float *z = activation->vtable->needs_input ? layer->z + offset : NULL;
    const float *a = layer->a + offset;
    float *delta = layer->delta + offset;
    if (layer->dropout > 0.0f)
        tnni_apply_dropout(net, layer, part.rows, delta, delta);
    if (layer->kind == TNNI_ACTIVATION_KINDS) {
        activation->vtable->backward(activation, rows, layer->units, z, a, delta);
        return;
    }
    size_t stretch = tnni_length(part.units) == layer->units ? rows : 1;
    for (size_t r = 0; r < rows; r += stretch) {
        size_t at = r * layer->units + part.units.begin;
        net->kernels->activations[layer->kind].backward(
            activation->parameter, stretch, tnni_length(part.units), z ? z + at : NULL, a + at,
            delta + at);
    }
}

/* dL/d input of a layer, or part of the inputs, from its delta. */
static void through_weights(
    const tnn_net *net, const tnni_layer *layer, tnni_range rows, tnni_range inputs,
    float *input_gradient, float *panel) {
    net->kernels->product_transposed(
        tnni_length(rows), layer->inputs, layer->units, inputs,
        layer->delta + rows.begin * layer->units, net->parameters + layer->weights,
        input_gradient + rows.begin * layer->inputs, panel);
}

void tnni_last_delta(const tnni_pass *pass, tnni_range rows) {
    const tnni_layer *last = tnni_last_layer(pass->net);
    const tnni_objective *objective = pass->objective;
    if (objective) {
        float *gradient = last->delta + rows.begin * last->units;
        const float *weights = objective->row_weights;
        tnni_loss_rows(pass->net, objective, rows, gradient);
        pass->net->kernels->scale_rows(
            tnni_length(rows), last->units, weights ? weights + rows.begin : NULL, pass->rows,
            gradient);
    }
    if (!objective || !objective->of_logits)
        through_activation(pass->net, last, (tnni_part){rows, {0, last->units}});
}

void tnni_delta_part(tnn_net *net, size_t index, tnni_part part, float *panel) {
    const tnni_layer *layer = &net->layers[index];
    through_weights(net, layer + 1, part.rows, part.units, layer->delta, panel);
    through_activation(net, layer, part);
}

void tnni_input_gradient(const tnni_pass *pass, tnni_range rows, float *panel) {
    const tnni_layer *first = &pass->net->layers[0];
    size_t inputs = first->inputs;
    const float *scaling = pass->net->input_scaling;
    float *gradient = pass->input_gradient + rows.begin * inputs;
    through_weights(pass->net, first, rows, (tnni_range){0, inputs}, pass->input_gradient, panel);
    if (scaling)
        pass->net->kernels->scale_columns(
            tnni_length(rows), inputs, NULL, scaling + inputs, gradient, gradient);
}

/* ---- Gradients ------------------------------------------------------------------------------- */

typedef struct gradient_work {
    tnn_net *net;
    size_t rows;
    size_t tasks;
    bool accumulate;
} gradient_work;

/* A task has a part of every layer's weights: it splits outputs, never a sum. */
static void gradient_task(void *argument, size_t index) {
    const gradient_work *work = argument;
    const tnn_net *net = work->net;
    for (size_t l = 0; l < net->layer_count; l++) {
        const tnni_layer *layer = &net->layers[l];
        tnni_range inputs, units;
        tnni_share_weights(net, layer, work->rows, index, work->tasks, &inputs, &units);
        net->kernels->weight_gradient(
            work->rows, layer->inputs, layer->units, inputs, units, tnni_layer_input(net, l),
            layer->delta, work->accumulate, net->gradients + layer->weights,
            tnni_panel(net, index));
        if (!layer->has_biases)
            continue;
        units = tnni_share(layer->units, index, work->tasks);
        net->kernels->bias_gradient(
            work->rows, layer->units, units.begin, tnni_length(units), layer->delta,
            work->accumulate, net->gradients + layer->biases + units.begin);
    }
}

void tnni_add_gradients(tnn_net *net, size_t rows) {
    gradient_work work = {net, rows, tnni_net_tasks(net, rows), !net->gradients_zero};
    net->gradients_zero = false;
    tnni_parallel_for(net->executor, work.tasks, gradient_task, &work);
}

/* ---- The verb -------------------------------------------------------------------------------- */

/* Takes the pending forward, whatever becomes of it; TNN_BAD_STATE if there is none. */
static tnn_status take_pending(const char *caller, tnn_net *net, size_t *rows) {
    *rows = net->rows;
    net->rows = 0;
    if (*rows > 0)
        return TNN_OK;
    return tnni_fail(
        TNN_BAD_STATE, "%s: no forward is pending; call tnn_forward before each backward", caller);
}

/* One row through a small net; its weight is 1 and so is the number of rows. */
static tnn_status backward_small(tnn_net *net, const tnni_objective *objective, double *value) {
    float *gradient = tnni_last_layer(net)->delta;
    loss_against(net, objective, (tnni_range){0, 1}, objective->target, gradient); /* unscaled */
    double loss_value = net->row_loss[0];
    if (value)
        *value = loss_value;
    if (!isfinite(loss_value))
        return tnni_check_loss("tnn_backward", loss_value);
    net->kernels->small_gradients(
        net->small, net->layer_count, net->x, objective->of_logits, !net->gradients_zero,
        net->gradients);
    net->gradients_zero = false;
    return TNN_OK;
}

tnn_status tnn_backward(tnn_net *net, tnn_loss loss, const float *target, double *value) {
    const char *caller = "tnn_backward";
    size_t rows;
    if (!net)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: net is NULL", caller);
    tnn_status status = take_pending(caller, net, &rows);
    if (status == TNN_OK)
        status = tnni_loss_check(caller, &loss);
    if (status == TNN_OK && !target)
        status = tnni_fail(TNN_INVALID_ARGUMENT, "%s: target is NULL", caller);
    if (status == TNN_OK)
        status = tnni_net_allocate_gradients(caller, net);
    if (status != TNN_OK)
        return status;
    tnni_objective objective = tnni_objective_of(net, &loss);
    objective.target = target;
    if (net->small && rows == 1)
        return backward_small(net, &objective, value);
    tnni_pass pass = {.net = net, .rows = rows, .objective = &objective};
    tnni_pass_run(&pass, net->layer_count, 2 * net->layer_count);
    double loss_value = tnni_batch_loss(net, &objective, rows);
    status = tnni_check_loss(caller, loss_value);
    if (value)
        *value = loss_value;
    if (status == TNN_OK)
        tnni_add_gradients(net, rows);
    return status;
}

/* ---- The verb from a gradient of the caller's ------------------------------------------------ */

static tnn_status check_backward_from(
    const char *caller, const tnn_net *net, size_t rows, const float *output_gradient,
    const float *input_gradient) {
    size_t input_bytes = rows * tnni_inputs(net) * sizeof(float);
    size_t output_bytes = rows * tnni_outputs(net) * sizeof(float);
    size_t parameter_bytes = net->parameter_count * sizeof(float);
    if (!output_gradient)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: output_gradient is NULL", caller);
    if (!input_gradient)
        return TNN_OK;
    if (tnni_overlap(input_gradient, input_bytes, output_gradient, output_bytes))
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: input_gradient overlaps output_gradient", caller);
    if (tnni_overlap(input_gradient, input_bytes, net->x, input_bytes))
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: input_gradient overlaps the x of the last forward", caller);
    if (tnni_overlap(input_gradient, input_bytes, net->parameters, parameter_bytes))
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: input_gradient overlaps the net's parameters", caller);
    if (net->gradients &&
        tnni_overlap(input_gradient, input_bytes, net->gradients, parameter_bytes))
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: input_gradient overlaps the net's gradients", caller);
    return TNN_OK;
}

/* The last delta: dL/dy becomes dL/d output of the last layer. */
static void take_gradient(const tnn_net *net, size_t rows, const float *output_gradient) {
    float *delta = tnni_last_layer(net)->delta;
    const float *scaling = net->output_scaling;
    size_t outputs = tnni_outputs(net);
    if (scaling)
        net->kernels->unscale_columns(
            rows, outputs, NULL, scaling + outputs, output_gradient, delta);
    else
        memcpy(delta, output_gradient, rows * outputs * sizeof *delta);
}

tnn_status tnn_backward_from(tnn_net *net, const float *output_gradient, float *input_gradient) {
    const char *caller = "tnn_backward_from";
    size_t rows;
    if (!net)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: net is NULL", caller);
    tnn_status status = take_pending(caller, net, &rows);
    if (status == TNN_OK)
        status = check_backward_from(caller, net, rows, output_gradient, input_gradient);
    if (status == TNN_OK)
        status = tnni_net_allocate_gradients(caller, net);
    if (status != TNN_OK)
        return status;
    take_gradient(net, rows, output_gradient);
    tnni_pass pass = {.net = net, .rows = rows, .input_gradient = input_gradient};
    tnni_pass_run(&pass, net->layer_count, 2 * net->layer_count + (input_gradient ? 1 : 0));
    tnni_add_gradients(net, rows);
    return TNN_OK;
}
