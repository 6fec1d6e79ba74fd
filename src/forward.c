/* Forward: x through the layers, keeping what backward needs. */
#include "net.h"

#include "support/memory.h"
#include "support/random.h"
#include "support/status.h"

#include <string.h>

void tnni_layer_forward(
    const tnn_net *net, const tnni_layer *layer, size_t rows, tnni_range units, const float *x,
    float *z, float *a, float *panel) {
    bool is_whole = tnni_length(units) == layer->units;
    bool is_built_in = layer->kind < TNNI_ACTIVATION_KINDS;
    if (rows == 1 && is_whole && is_built_in) {
        layer->row.run(&layer->row, x, z, a);
        return;
    }
    bool rectify = layer->kind == TNNI_RELU && z == a;
    net->kernels->product(
        rows, layer->inputs, layer->units, units, x, layer->row.weights, layer->row.biases, rectify,
        z, panel);
    if (!is_built_in)
        layer->activation.vtable->forward(&layer->activation, rows, layer->units, z, a);
    if (!is_built_in || rectify)
        return;
    size_t stretch = is_whole ? rows : 1; /* rows that lie side by side */
    for (size_t r = 0; r < rows; r += stretch) {
        size_t at = r * layer->units + units.begin;
        net->kernels->activations[layer->kind].forward(
            layer->row.parameter, stretch, tnni_length(units), z + at, a + at);
    }
}

void tnni_apply_dropout(
    const tnn_net *net, const tnni_layer *layer, tnni_range rows, const float *array,
    float *output) {
    uint64_t key = tnni_mix(net->mask ^ (uint64_t)(layer - net->layers));
    net->kernels->dropout(
        key, layer->dropout, rows.begin, tnni_length(rows), layer->units, array, output);
}

const float *tnni_layer_input(const tnn_net *net, size_t layer) {
    if (layer > 0)
        return net->layers[layer - 1].output;
    return net->scaled_x ? net->scaled_x : net->x;
}

void tnni_scale_inputs(const tnn_net *net, tnni_range rows) {
    size_t inputs = tnni_inputs(net);
    size_t at = rows.begin * inputs;
    tnni_scale(net, net->input_scaling, tnni_length(rows), inputs, net->x + at, net->scaled_x + at);
}

tnn_status tnni_pass_begin(const char *caller, tnn_net *net, size_t rows, const float *x) {
    tnn_status status = tnni_net_grow(caller, net, rows);
    if (status != TNN_OK)
        return status;
    net->x = x;
    if (net->has_dropout)
        net->mask = tnni_mix(tnni_mix(net->seed) + net->passes);
    return TNN_OK;
}

void tnni_forward_part(tnn_net *net, size_t index, tnni_part part, float *panel) {
    const tnni_layer *layer = &net->layers[index];
    const float *x = tnni_layer_input(net, index) + part.rows.begin * layer->inputs;
    size_t at = part.rows.begin * layer->units;
    tnni_layer_forward(
        net, layer, tnni_length(part.rows), part.units, x, layer->z + at, layer->a + at, panel);
    if (layer->dropout > 0.0f)
        tnni_apply_dropout(net, layer, part.rows, layer->a + at, layer->output + at);
}

tnn_status tnni_check_rows(
    const char *caller, const tnn_net *net, size_t rows, const float *x, const float *y) {
    size_t inputs = tnni_inputs(net);
    size_t outputs = tnni_outputs(net);
    if (rows == 0)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: rows is 0, expected at least 1", caller);
    if (rows > net->most_rows)
        return tnni_fail(TNN_OUT_OF_MEMORY, "%s: %zu rows overflow size_t", caller, rows);
    if (!x)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: x is NULL", caller);
    size_t parameter_bytes = net->parameter_count * sizeof(float);
    size_t x_bytes = rows * inputs * sizeof *x;
    if (net->gradients && tnni_overlap(x, x_bytes, net->gradients, parameter_bytes))
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: x overlaps the net's gradients", caller);
    if (!y)
        return TNN_OK;
    size_t y_bytes = rows * outputs * sizeof *y;
    if (tnni_overlap(y, y_bytes, x, x_bytes))
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: y overlaps x", caller);
    if (tnni_overlap(y, y_bytes, net->parameters, parameter_bytes))
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: y overlaps the net's parameters", caller);
    if (net->gradients && tnni_overlap(y, y_bytes, net->gradients, parameter_bytes))
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: y overlaps the net's gradients", caller);
    return TNN_OK;
}

/* What the last layer put out, in raw units. */
static void write_outputs(const tnn_net *net, size_t rows, float *y) {
    const float *output = tnni_last_layer(net)->output;
    size_t outputs = tnni_outputs(net);
    if (net->output_scaling)
        tnni_unscale(net, net->output_scaling, rows, outputs, output, y);
    else
        memcpy(y, output, rows * outputs * sizeof *y);
}

tnn_status tnn_forward(tnn_net *net, size_t rows, const float *x, float *y) {
    if (!net)
        return tnni_fail(TNN_INVALID_ARGUMENT, "tnn_forward: net is NULL");
    net->rows = 0;
    tnn_status status = tnni_check_rows("tnn_forward", net, rows, x, y);
    if (status == TNN_OK)
        status = tnni_pass_begin("tnn_forward", net, rows, x);
    if (status != TNN_OK)
        return status;
    if (net->small && rows == 1) {
        net->kernels->small_forward(net->small, net->layer_count, x);
    } else {
        tnni_pass pass = {.net = net, .rows = rows};
        tnni_pass_run(&pass, 0, net->layer_count);
    }
    net->passes++;
    net->rows = rows;
    if (y)
        write_outputs(net, rows, y);
    return TNN_OK;
}
