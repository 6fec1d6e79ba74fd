/*
 * The handle: shapes, parameters, life and death.
 *
 * A net is up to six blocks of memory, all from its allocator:
 *
 *     tnn_net, layers[]                          made by create, copied by clone
 *     parameters                                 W0 b0 W1 b1 ...
 *     gradients                                  the same layout, once someone needs them
 *     input and output scaling                   shifts, then scales; if it has them
 *     scratch                                    per layer [z] a [output] delta, then row_loss,
 *                                                [scaled_x], targets, panels, small; grows with
 *                                                the rows of a pass
 */
#include "net.h"

#include "activation.h"
#include "initializer.h"
#include "optimizer.h"
#include "support/memory.h"
#include "support/random.h"
#include "support/status.h"

#include <string.h>

/* What a thread is woken for, some microseconds of work, and a part of a row as long as a page,
 * next to which no prefetching takes what another thread writes. */
enum { LEAST_TASK = 1 << 19, LEAST_UNITS = 1024 };

/* ---- Create ---------------------------------------------------------------------------------- */

static tnn_status check_layer(const char *caller, size_t index, const tnn_layer *layer) {
    if (layer->units == 0)
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: layers[%zu].units is 0, expected at least 1", caller, index);
    if (!(layer->dropout >= 0.0f && layer->dropout < 1.0f))
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: layers[%zu].dropout is %g, expected at least 0 and less than 1", caller, index,
            (double)layer->dropout);
    tnn_status status = tnni_activation_check(caller, index, &layer->activation);
    return status == TNN_OK ? tnni_initializer_check(caller, index, &layer->initializer) : status;
}

tnn_status tnni_net_check_options(const char *caller, const tnn_net_options *options) {
    const tnn_allocator *allocator = options->allocator;
    if (allocator && (!allocator->allocate || !allocator->release))
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: options->allocator has no %s function", caller,
            allocator->allocate ? "release" : "allocate");
    if (options->executor && !options->executor->run)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: options->executor has no run function", caller);
    return TNN_OK;
}

static tnn_status check_create(
    const char *caller, size_t inputs, const tnn_layer *layers, size_t layer_count,
    const tnn_net_options *options) {
    if (inputs == 0)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: inputs is 0, expected at least 1", caller);
    if (!layers)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: layers is NULL", caller);
    if (layer_count == 0)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: layer_count is 0, expected at least 1", caller);
    for (size_t l = 0; l < layer_count; l++) {
        tnn_status status = check_layer(caller, l, &layers[l]);
        if (status != TNN_OK)
            return status;
    }
    return tnni_net_check_options(caller, options);
}

/* Bytes of a net and of its parameters; TNN_OUT_OF_MEMORY if size_t cannot hold them. */
static tnn_status measure(
    const char *caller, size_t inputs, const tnn_layer *layers, size_t layer_count,
    size_t *net_bytes, size_t *parameter_count) {
    size_t count = 0;
    size_t weights;
    size_t parameter_bytes;
    if (!tnni_multiply(layer_count, sizeof(tnni_layer), net_bytes) ||
        !tnni_add(*net_bytes, sizeof(tnn_net), net_bytes))
        goto fail;
    for (size_t l = 0; l < layer_count; l++) {
        size_t biases = layers[l].no_bias ? 0 : layers[l].units;
        if (!tnni_multiply(inputs, layers[l].units, &weights) ||
            !tnni_add(count, weights, &count) || !tnni_add(count, biases, &count))
            goto fail;
        inputs = layers[l].units;
    }
    if (!tnni_multiply(count, sizeof(float), &parameter_bytes))
        goto fail;
    *parameter_count = count;
    return TNN_OK;

fail:
    return tnni_fail(TNN_OUT_OF_MEMORY, "%s: the size of the net overflows size_t", caller);
}

static size_t parameter_bytes(const tnn_net *net) {
    return net->parameter_count * sizeof(float);
}

static size_t net_bytes(const tnn_net *net) {
    return sizeof *net + net->layer_count * sizeof net->layers[0];
}

/* Fills in one layer, which starts at offset in the flat vectors, and returns where it ends. */
static size_t plan_layer(tnni_layer *layer, size_t inputs, const tnn_layer *from, size_t offset) {
    *layer = (tnni_layer){
        .inputs = inputs,
        .units = from->units,
        .weights = offset,
        .biases = offset + inputs * from->units,
        .has_biases = !from->no_bias,
        .dropout = from->dropout,
        .activation = from->activation,
        .kind = tnni_activation_find(&from->activation),
    };
    if (!layer->activation.vtable)
        layer->activation = tnn_identity();
    layer->keeps_z = layer->activation.vtable->needs_input;
    return layer->biases + (layer->has_biases ? layer->units : 0);
}

/* Room for delta W^T, and for the others where they want it. */
static size_t plan_panel(const tnn_net *net) {
    if (net->widest >= TNNI_WIDE)
        return TNNI_PANEL_FLOATS;
    return net->widest * TNNI_PANEL_COLUMNS;
}

/* How single rows go through the layers, at the parameters that are the net's own. */
static void plan_rows(tnn_net *net) {
    for (size_t l = 0; l < net->layer_count; l++) {
        tnni_layer *layer = &net->layers[l];
        bool is_built_in = layer->kind < TNNI_ACTIVATION_KINDS;
        layer->row = (tnni_row){
            .run = is_built_in ? net->kernels->find_row(layer->inputs, layer->units) : NULL,
            .inputs = layer->inputs,
            .units = layer->units,
            .weights = net->parameters + layer->weights,
            .biases = layer->has_biases ? net->parameters + layer->biases : NULL,
            .kind = layer->kind,
            .parameter = layer->activation.parameter,
        };
    }
}

/* Small enough for its own kernels, which know built-in activations without dropout. */
static bool plan_small(const tnn_net *net) {
    for (size_t l = 0; l < net->layer_count; l++) {
        const tnni_layer *layer = &net->layers[l];
        if (layer->inputs > TNNI_SMALL || layer->units > TNNI_SMALL ||
            layer->kind == TNNI_ACTIVATION_KINDS || layer->dropout > 0.0f)
            return false;
    }
    return true;
}

/* What follows from the layers together. */
static void plan_net(tnn_net *net) {
    net->shape = tnni_mix(tnni_inputs(net));
    net->layout = net->shape;
    net->widest = 0;
    net->has_dropout = false;
    net->is_built_in = true;
    for (size_t l = 0; l < net->layer_count; l++) {
        const tnni_layer *layer = &net->layers[l];
        net->shape = tnni_mix(net->shape ^ layer->units);
        net->layout = tnni_mix(net->layout ^ layer->units) + layer->has_biases;
        net->widest = layer->units > net->widest ? layer->units : net->widest;
        net->has_dropout = net->has_dropout || layer->dropout > 0.0f;
        net->is_built_in = net->is_built_in && layer->kind < TNNI_ACTIVATION_KINDS;
    }
    size_t columns = tnni_inputs(net) > net->widest ? tnni_inputs(net) : net->widest;
    net->most_rows = SIZE_MAX / sizeof(float) / columns;
    /* Cross-entropies are computed from z. */
    tnni_layer *last = &net->layers[net->layer_count - 1];
    if (last->kind == TNNI_SOFTMAX || last->kind == TNNI_SIGMOID)
        last->keeps_z = true;
    plan_rows(net);
    net->panel_count = plan_panel(net);
    net->is_small = plan_small(net);
}

static void initialize_parameters(tnn_net *net, const tnn_layer *layers) {
    tnni_random random = tnni_random_seed(net->seed);
    memset(net->parameters, 0, parameter_bytes(net));
    for (size_t l = 0; l < net->layer_count; l++) {
        const tnni_layer *layer = &net->layers[l];
        tnn_initializer initializer = layers[l].initializer;
        if (!initializer.vtable)
            initializer = tnni_activation_initializer(layer->kind);
        tnni_initializer_fill(
            &initializer, &random, layer->inputs, layer->units, net->parameters + layer->weights);
    }
}

/* A net of these sizes with everything else still to be filled in. */
static tnn_status allocate_net(
    const char *caller, const tnn_allocator *allocator, size_t layer_count, size_t bytes,
    size_t parameter_count, tnn_net **net) {
    tnn_net *made = tnni_allocate(allocator, bytes);
    if (!made)
        goto fail;
    memset(made, 0, bytes);
    made->allocator = allocator;
    made->layer_count = layer_count;
    made->parameter_count = parameter_count;
    made->gradients_zero = true;
    made->parameters = tnni_allocate(allocator, parameter_bytes(made));
    if (!made->parameters)
        goto fail;
    *net = made;
    return TNN_OK;

fail:
    tnni_release(allocator, made, bytes);
    return tnni_fail(
        TNN_OUT_OF_MEMORY, "%s: no memory for a net of %zu parameters", caller, parameter_count);
}

tnn_status tnni_net_new(
    const char *caller, tnn_net **net, size_t inputs, const tnn_layer *layers, size_t layer_count,
    const tnn_net_options *options) {
    const tnni_kernels *kernels = NULL;
    size_t bytes = 0;
    size_t parameter_count = 0;
    tnn_net *made = NULL;
    tnn_status status = check_create(caller, inputs, layers, layer_count, options);
    if (status == TNN_OK)
        status = tnni_kernels_find(caller, options->kernels, &kernels);
    if (status == TNN_OK)
        status = measure(caller, inputs, layers, layer_count, &bytes, &parameter_count);
    if (status == TNN_OK)
        status = allocate_net(
            caller, tnni_allocator(options->allocator), layer_count, bytes, parameter_count, &made);
    if (status != TNN_OK)
        return status;

    made->executor = options->executor;
    made->kernels = kernels;
    made->threads = tnni_parallel_threads(options->executor, options->threads);
    made->least_task = LEAST_TASK;
    made->least_units = LEAST_UNITS;
    made->seed = options->seed;
    size_t offset = 0;
    for (size_t l = 0; l < layer_count; l++) {
        offset = plan_layer(&made->layers[l], inputs, &layers[l], offset);
        inputs = layers[l].units;
    }
    plan_net(made);
    *net = made;
    return TNN_OK;
}

tnn_status tnn_net_create(
    tnn_net **net, size_t inputs, const tnn_layer *layers, size_t layer_count,
    const tnn_net_options *options) {
    static const tnn_net_options defaults = {0};
    const char *caller = "tnn_net_create";
    if (!net)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: net is NULL", caller);
    *net = NULL;
    tnn_status status =
        tnni_net_new(caller, net, inputs, layers, layer_count, options ? options : &defaults);
    if (status == TNN_OK)
        initialize_parameters(*net, layers);
    return status;
}

/* ---- Clone and destroy ----------------------------------------------------------------------- */

/* Copies a scaling, if there is one; false without memory. */
static bool clone_scaling(
    const tnn_allocator *allocator, const float *scaling, size_t columns, float **copy) {
    if (!scaling)
        return true;
    *copy = tnni_allocate(allocator, tnni_scaling_bytes(columns));
    if (*copy)
        memcpy(*copy, scaling, tnni_scaling_bytes(columns));
    return *copy;
}

static tnn_status clone_net(const char *caller, tnn_net **copy, const tnn_net *net) {
    tnn_net *made = NULL;
    tnn_status status = allocate_net(
        caller, net->allocator, net->layer_count, net_bytes(net), net->parameter_count, &made);
    if (status != TNN_OK)
        return status;
    float *parameters = made->parameters;
    memcpy(made, net, net_bytes(net));
    made->parameters = parameters;
    memcpy(parameters, net->parameters, parameter_bytes(net));
    made->gradients = NULL;
    made->gradients_zero = true;
    made->rows = 0;
    made->x = NULL;
    made->capacity = 0;
    made->scratch = NULL;
    made->scratch_bytes = 0;
    made->scaled_x = NULL;
    made->small = NULL;
    made->input_scaling = NULL;
    made->output_scaling = NULL;
    plan_rows(made);
    if (!clone_scaling(
            net->allocator, net->input_scaling, tnni_inputs(net), &made->input_scaling) ||
        !clone_scaling(
            net->allocator, net->output_scaling, tnni_outputs(net), &made->output_scaling))
        goto fail;
    *copy = made;
    return TNN_OK;

fail:
    tnn_net_destroy(made);
    return tnni_fail(TNN_OUT_OF_MEMORY, "%s: no memory for the net's scaling", caller);
}

tnn_status tnn_net_clone(tnn_net **copy, const tnn_net *net) {
    if (!copy)
        return tnni_fail(TNN_INVALID_ARGUMENT, "tnn_net_clone: copy is NULL");
    *copy = NULL;
    if (!net)
        return tnni_fail(TNN_INVALID_ARGUMENT, "tnn_net_clone: net is NULL");
    return clone_net("tnn_net_clone", copy, net);
}

tnn_status tnni_net_clone_without_dropout(const char *caller, tnn_net **copy, const tnn_net *net) {
    tnn_status status = clone_net(caller, copy, net);
    if (status != TNN_OK)
        return status;
    for (size_t l = 0; l < net->layer_count; l++)
        (*copy)->layers[l].dropout = 0.0f;
    plan_net(*copy);
    return TNN_OK;
}

void tnn_net_destroy(tnn_net *net) {
    if (!net)
        return;
    tnni_release(net->allocator, net->scratch, net->scratch_bytes);
    tnni_release(net->allocator, net->input_scaling, tnni_scaling_bytes(tnni_inputs(net)));
    tnni_release(net->allocator, net->output_scaling, tnni_scaling_bytes(tnni_outputs(net)));
    tnni_release(net->allocator, net->gradients, parameter_bytes(net));
    tnni_release(net->allocator, net->parameters, parameter_bytes(net));
    tnni_release(net->allocator, net, net_bytes(net));
}

/* ---- Scratch --------------------------------------------------------------------------------- */

static void fill_in_small(tnn_net *net) {
    for (size_t l = 0; l < net->layer_count; l++) {
        const tnni_layer *layer = &net->layers[l];
        net->small[l] = (tnni_dense){
            .inputs = layer->inputs,
            .units = layer->units,
            .kind = layer->kind,
            .parameter = layer->activation.parameter,
            .weights = net->parameters + layer->weights,
            .biases = layer->has_biases ? net->parameters + layer->biases : NULL,
            .z = layer->z,
            .a = layer->a,
            .delta = layer->delta,
        };
    }
}

static void lay_out_scratch(tnn_net *net, size_t rows, tnni_arena *arena) {
    for (size_t l = 0; l < net->layer_count; l++) {
        tnni_layer *layer = &net->layers[l];
        size_t row_bytes = layer->units * sizeof(float);
        layer->a = tnni_arena_take(arena, rows, row_bytes);
        layer->z = layer->keeps_z ? tnni_arena_take(arena, rows, row_bytes) : layer->a;
        layer->output = layer->dropout > 0.0f ? tnni_arena_take(arena, rows, row_bytes) : layer->a;
        layer->delta = tnni_arena_take(arena, rows, row_bytes);
    }
    net->row_loss = tnni_arena_take(arena, rows, sizeof(double));
    net->scaled_x =
        net->input_scaling ? tnni_arena_take(arena, rows, tnni_inputs(net) * sizeof(float)) : NULL;
    net->targets = tnni_arena_take(arena, rows, tnni_outputs(net) * sizeof(float));
    net->panels = tnni_arena_take(arena, net->threads, net->panel_count * sizeof(float));
    net->small =
        net->is_small ? tnni_arena_take(arena, net->layer_count, sizeof *net->small) : NULL;
}

/* The addresses in the block that is there. */
static void place_scratch(tnn_net *net) {
    tnni_arena arena = {.base = net->scratch};
    lay_out_scratch(net, net->capacity, &arena);
    if (tnni_is_scaled(net)) /* which those kernels do not know */
        net->small = NULL;
    if (net->small)
        fill_in_small(net);
}

/* A scratch for so many rows, in the block that is there if that is large enough. */
static tnn_status renew_scratch(const char *caller, tnn_net *net, size_t rows) {
    tnni_arena arena = {0};
    lay_out_scratch(net, rows, &arena);
    bool fits = !arena.overflow && arena.used <= net->scratch_bytes;
    if (!fits) {
        void *scratch = arena.overflow ? NULL : tnni_allocate(net->allocator, arena.used);
        if (!scratch)
            goto fail;
        tnni_release(net->allocator, net->scratch, net->scratch_bytes);
        net->scratch = scratch;
        net->scratch_bytes = arena.used;
    }
    net->capacity = rows;
    place_scratch(net);
    return TNN_OK;

fail:
    place_scratch(net);
    return tnni_fail(TNN_OUT_OF_MEMORY, "%s: no memory for a pass over %zu rows", caller, rows);
}

tnn_status tnni_net_grow(const char *caller, tnn_net *net, size_t rows) {
    return rows <= net->capacity ? TNN_OK : renew_scratch(caller, net, rows);
}

tnn_status tnni_net_set_scalings(const char *caller, tnn_net *net, float *input, float *output) {
    float *old_input = net->input_scaling;
    float *old_output = net->output_scaling;
    net->input_scaling = input;
    net->output_scaling = output;
    if (net->capacity > 0 && renew_scratch(caller, net, net->capacity) != TNN_OK)
        goto fail;
    if (old_input != input)
        tnni_release(net->allocator, old_input, tnni_scaling_bytes(tnni_inputs(net)));
    if (old_output != output)
        tnni_release(net->allocator, old_output, tnni_scaling_bytes(tnni_outputs(net)));
    return TNN_OK;

fail:
    net->input_scaling = old_input;
    net->output_scaling = old_output;
    place_scratch(net);
    return TNN_OUT_OF_MEMORY;
}

tnn_status tnni_net_allocate_gradients(const char *caller, tnn_net *net) {
    if (!net->gradients)
        net->gradients = tnni_allocate(net->allocator, parameter_bytes(net));
    if (net->gradients)
        return TNN_OK;
    return tnni_fail(
        TNN_OUT_OF_MEMORY, "%s: no memory for %zu gradients", caller, net->parameter_count);
}

tnn_status tnni_net_write_gradients(const char *caller, tnn_net *net) {
    tnn_status status = tnni_net_allocate_gradients(caller, net);
    if (status == TNN_OK && net->gradients_zero) {
        memset(net->gradients, 0, parameter_bytes(net));
        net->gradients_zero = false;
    }
    return status;
}

tnn_status tnn_net_reserve(tnn_net *net, size_t rows) {
    if (!net)
        return tnni_fail(TNN_INVALID_ARGUMENT, "tnn_net_reserve: net is NULL");
    net->rows = 0;
    if (rows == 0)
        return tnni_fail(TNN_INVALID_ARGUMENT, "tnn_net_reserve: rows is 0, expected at least 1");
    tnn_status status = tnni_net_allocate_gradients("tnn_net_reserve", net);
    return status == TNN_OK ? tnni_net_grow("tnn_net_reserve", net, rows) : status;
}

size_t tnni_forward_panel(const tnn_net *net) {
    return net->widest >= TNNI_WIDE ? TNNI_PANEL_FLOATS : 0;
}

size_t tnni_net_tasks(const tnn_net *net, size_t rows) {
    if (net->threads == 1)
        return 1;
    double multiply_adds = (double)rows * (double)net->parameter_count;
    double worthwhile = multiply_adds / (double)net->least_task;
    if (worthwhile < 2.0)
        return 1;
    return worthwhile < net->threads ? (size_t)worthwhile : net->threads;
}

/* ---- Shape and parameters -------------------------------------------------------------------- */

static bool has_net(const char *caller, const tnn_net *net) {
    if (!net)
        tnni_fail(TNN_INVALID_ARGUMENT, "%s: net is NULL", caller);
    return net;
}

static const tnni_layer *find_layer(const char *caller, const tnn_net *net, size_t layer) {
    if (!has_net(caller, net))
        return NULL;
    if (layer < net->layer_count)
        return &net->layers[layer];
    tnni_fail(
        TNN_INVALID_ARGUMENT, "%s: layer is %zu, but the net has only %zu", caller, layer,
        net->layer_count);
    return NULL;
}

size_t tnn_net_inputs(const tnn_net *net) {
    return has_net("tnn_net_inputs", net) ? tnni_inputs(net) : 0;
}

size_t tnn_net_outputs(const tnn_net *net) {
    return has_net("tnn_net_outputs", net) ? tnni_outputs(net) : 0;
}

size_t tnn_net_layer_count(const tnn_net *net) {
    return has_net("tnn_net_layer_count", net) ? net->layer_count : 0;
}

size_t tnn_net_units(const tnn_net *net, size_t layer) {
    const tnni_layer *found = find_layer("tnn_net_units", net, layer);
    return found ? found->units : 0;
}

tnn_layer tnn_net_layer(const tnn_net *net, size_t layer) {
    const tnni_layer *found = find_layer("tnn_net_layer", net, layer);
    if (!found)
        return (tnn_layer){0};
    return (tnn_layer){
        .units = found->units,
        .activation = found->activation,
        .no_bias = !found->has_biases,
        .dropout = found->dropout};
}

size_t tnn_net_parameter_count(const tnn_net *net) {
    return has_net("tnn_net_parameter_count", net) ? net->parameter_count : 0;
}

float *tnn_net_parameters(tnn_net *net) {
    return has_net("tnn_net_parameters", net) ? net->parameters : NULL;
}

const float *tnn_net_read_parameters(const tnn_net *net) {
    return has_net("tnn_net_read_parameters", net) ? net->parameters : NULL;
}

float *tnn_net_gradients(tnn_net *net) {
    if (!has_net("tnn_net_gradients", net) ||
        tnni_net_write_gradients("tnn_net_gradients", net) != TNN_OK)
        return NULL;
    return net->gradients;
}

float *tnn_net_weights(tnn_net *net, size_t layer) {
    const tnni_layer *found = find_layer("tnn_net_weights", net, layer);
    return found ? net->parameters + found->weights : NULL;
}

float *tnn_net_biases(tnn_net *net, size_t layer) {
    const tnni_layer *found = find_layer("tnn_net_biases", net, layer);
    if (!found)
        return NULL;
    if (found->has_biases)
        return net->parameters + found->biases;
    tnni_fail(TNN_INVALID_ARGUMENT, "tnn_net_biases: layer %zu has no biases", layer);
    return NULL;
}

const char *tnn_net_kernel_name(const tnn_net *net) {
    return has_net("tnn_net_kernel_name", net) ? net->kernels->name : NULL;
}

/* ---- Optimizer ------------------------------------------------------------------------------- */

tnn_status tnn_optimizer_create(tnn_optimizer **optimizer, const tnn_net *net, tnn_method method) {
    if (!optimizer)
        return tnni_fail(TNN_INVALID_ARGUMENT, "tnn_optimizer_create: optimizer is NULL");
    *optimizer = NULL;
    if (!net)
        return tnni_fail(TNN_INVALID_ARGUMENT, "tnn_optimizer_create: net is NULL");
    return tnni_optimizer_create(
        "tnn_optimizer_create", optimizer, net->allocator, net->layout, net->parameter_count,
        method, true);
}
