/*
 * From bytes to a net. The file is in memory as a whole before anything in it is believed, so that
 * whatever is allocated later is at most in proportion to bytes that are there; then
 *
 *     gguf_read.c             finds keys and tensors, checks bounds and the checksum
 *     read_layers             the layer list, within the limits
 *     check_tensors           every tensor is there, in the shape that the layer list says
 *     tnni_net_new            the checks of tnn_net_create, and the memory
 *     fill_in                 bytes to floats
 */
#include "model_file.h"

#include "activation.h"
#include "support/array.h"
#include "support/bytes.h"
#include "support/limits.h"
#include "support/memory.h"
#include "support/source.h"
#include "support/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- Options --------------------------------------------------------------------------------- */

static const tnn_net_options *net_options_of(const tnn_load_options *options) {
    static const tnn_net_options defaults = {0};
    return options->net ? options->net : &defaults;
}

/* The custom activation of this name; NULL if there is none. */
static const tnn_activation *find_custom(
    const tnn_load_options *options, size_t count, const char *name, size_t length) {
    for (size_t i = 0; i < count; i++) {
        const char *other = options->activations[i].vtable->name;
        if (strlen(other) == length && memcmp(other, name, length) == 0)
            return &options->activations[i];
    }
    return NULL;
}

static tnn_status check_custom(const char *caller, const tnn_load_options *options, size_t index) {
    const tnn_activation_vtable *vtable = options->activations[index].vtable;
    char owner[64];
    snprintf(owner, sizeof owner, "options->activations[%zu]", index);
    if (!vtable)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: %s.vtable is NULL", caller, owner);
    tnn_status status = tnni_activation_check_vtable(caller, owner, vtable);
    if (status == TNN_OK && find_custom(options, index, vtable->name, strlen(vtable->name)))
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: %s.vtable bears the name \"%s\" of one before it", caller,
            owner, vtable->name);
    return status;
}

static tnn_status check_options(const char *caller, const tnn_load_options *options) {
    const tnn_net_options *net_options = net_options_of(options);
    const tnni_kernels *kernels;
    tnn_status status = tnni_net_check_options(caller, net_options);
    if (status == TNN_OK)
        status = tnni_kernels_find(caller, net_options->kernels, &kernels);
    if (status == TNN_OK && options->activation_count > 0 && !options->activations)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: options->activations is NULL", caller);
    for (size_t i = 0; i < options->activation_count && status == TNN_OK; i++)
        status = check_custom(caller, options, i);
    return status;
}

/* ---- The layer list -------------------------------------------------------------------------- */

/* What a file says of a net. */
typedef struct description {
    const tnni_gguf *gguf;
    const tnn_load_options *options;
    tnn_load_limits limits;
    uint64_t forwards;
    uint64_t seed;
    size_t inputs;
    size_t layer_count;
    tnn_layer *layers;
    bool scales_inputs;
    bool scales_outputs;
    size_t tensor_count;
} description;

static tnn_status beyond(
    const description *from, const char *what, uint64_t count, const char *name, size_t most) {
    return tnni_fail(
        TNN_UNSUPPORTED, "%s: %" PRIu64 " %s, more than limits.%s, %zu", from->gguf->where, count,
        what, name, most);
}

static tnn_status check_version(const description *from) {
    uint32_t version = 0;
    tnn_status status = tnni_gguf_find_u32(from->gguf, TNNI_MODEL_VERSION_KEY, &version);
    if (status == TNN_OK && version != TNNI_MODEL_VERSION)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: version %" PRIu32 " of the model format, expected %d",
            from->gguf->where, version, TNNI_MODEL_VERSION);
    return status;
}

/* A number of inputs or units, from 1 to the limit. */
static tnn_status check_size(const description *from, const char *what, uint64_t size) {
    if (size == 0)
        return tnni_fail(TNN_BAD_FORMAT, "%s: 0 %s, expected at least 1", from->gguf->where, what);
    if (size > from->limits.units)
        return beyond(from, what, size, "units", from->limits.units);
    return TNN_OK;
}

static tnn_status read_header(description *from) {
    const tnni_gguf *gguf = from->gguf;
    uint64_t inputs = 0;
    tnn_status status = check_version(from);
    if (status == TNN_OK)
        status = tnni_gguf_find_u64(gguf, TNNI_MODEL_SEED_KEY, &from->seed);
    if (status == TNN_OK)
        status = tnni_gguf_find_u64(gguf, TNNI_MODEL_FORWARDS_KEY, &from->forwards);
    if (status == TNN_OK)
        status = tnni_gguf_find_u64(gguf, TNNI_MODEL_INPUTS_KEY, &inputs);
    if (status == TNN_OK)
        status = check_size(from, "inputs", inputs);
    from->inputs = (size_t)inputs;
    return status;
}

/* The arrays of the layer list, one element a layer. */
typedef struct layer_arrays {
    tnni_gguf_value units;
    tnni_gguf_value activations;
    tnni_gguf_value parameters;
    tnni_gguf_value biases;
    tnni_gguf_value dropouts;
} layer_arrays;

static tnn_status find_arrays(const description *from, layer_arrays *arrays) {
    const tnni_gguf *gguf = from->gguf;
    tnn_status status =
        tnni_gguf_find_array(gguf, TNNI_MODEL_UNITS_KEY, TNNI_GGUF_U64, SIZE_MAX, &arrays->units);
    if (status != TNN_OK)
        return status;
    size_t count = arrays->units.count;
    status = tnni_gguf_find_array(
        gguf, TNNI_MODEL_ACTIVATION_KEY, TNNI_GGUF_STRING, count, &arrays->activations);
    if (status == TNN_OK)
        status = tnni_gguf_find_array(
            gguf, TNNI_MODEL_PARAMETER_KEY, TNNI_GGUF_F32, count, &arrays->parameters);
    if (status == TNN_OK)
        status =
            tnni_gguf_find_array(gguf, TNNI_MODEL_BIAS_KEY, TNNI_GGUF_BOOL, count, &arrays->biases);
    if (status == TNN_OK)
        status = tnni_gguf_find_array(
            gguf, TNNI_MODEL_DROPOUT_KEY, TNNI_GGUF_F32, count, &arrays->dropouts);
    return status;
}

static tnn_status find_activation(
    const description *from, size_t index, tnni_gguf_value *names, tnn_activation *activation) {
    size_t length;
    const char *name = tnni_gguf_next_string(names, &length);
    tnni_activation_kind kind = tnni_activation_find_name(name, length);
    const tnn_activation *custom =
        find_custom(from->options, from->options->activation_count, name, length);
    if (kind == TNNI_ACTIVATION_KINDS && !custom)
        return tnni_fail(
            TNN_UNSUPPORTED,
            "%s: layer %zu has the activation \"%s\", which is neither built in nor in "
            "options->activations",
            from->gguf->where, index, tnni_excerpt_of(name, length).text);
    *activation = custom ? *custom : tnni_activation_of_kind(kind);
    return TNN_OK;
}

static tnn_status read_layer(const description *from, size_t index, layer_arrays *arrays) {
    tnn_layer *layer = &from->layers[index];
    uint64_t units = tnni_load_u64(arrays->units.bytes + 8 * index);
    unsigned has_bias = arrays->biases.bytes[index];
    char what[48];
    *layer = (tnn_layer){.no_bias = has_bias == 0};
    tnn_status status = find_activation(from, index, &arrays->activations, &layer->activation);
    if (status != TNN_OK)
        return status;
    if (has_bias > 1)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: layer %zu has %u for has_bias, expected 0 or 1", from->gguf->where,
            index, has_bias);
    snprintf(what, sizeof what, "units in layer %zu", index);
    status = check_size(from, what, units);
    layer->units = (size_t)units;
    tnni_load_f32(&layer->activation.parameter, arrays->parameters.bytes + 4 * index);
    tnni_load_f32(&layer->dropout, arrays->dropouts.bytes + 4 * index);
    return status;
}

static tnn_status check_parameters(const description *from) {
    size_t inputs = from->inputs;
    size_t count = 0;
    for (size_t l = 0; l < from->layer_count; l++) {
        size_t weights;
        size_t rows = inputs + (from->layers[l].no_bias ? 0 : 1);
        if (rows < inputs || !tnni_multiply(rows, from->layers[l].units, &weights) ||
            !tnni_add(count, weights, &count))
            count = SIZE_MAX;
        if (count > from->limits.parameters)
            return tnni_fail(
                TNN_UNSUPPORTED,
                "%s: more parameters in layers 0 to %zu than limits.parameters, %zu",
                from->gguf->where, l, from->limits.parameters);
        inputs = from->layers[l].units;
    }
    return TNN_OK;
}

static tnn_status read_layers(description *from) {
    const tnni_gguf *gguf = from->gguf;
    layer_arrays arrays;
    tnn_status status = read_header(from);
    if (status == TNN_OK)
        status = find_arrays(from, &arrays);
    if (status != TNN_OK)
        return status;
    size_t count = arrays.units.count;
    if (count == 0)
        return tnni_fail(TNN_BAD_FORMAT, "%s: 0 layers, expected at least 1", gguf->where);
    if (count > from->limits.layers)
        return beyond(from, "layers", count, "layers", from->limits.layers);
    from->layers = tnni_allocate(gguf->allocator, count * sizeof *from->layers);
    if (!from->layers)
        return tnni_fail(TNN_OUT_OF_MEMORY, "%s: no memory for %zu layers", gguf->where, count);
    from->layer_count = count;
    for (size_t l = 0; l < count && status == TNN_OK; l++)
        status = read_layer(from, l, &arrays);
    return status == TNN_OK ? check_parameters(from) : status;
}

/* ---- Tensors --------------------------------------------------------------------------------- */

/* Copies the floats of a tensor of one or two dimensions to values, unless that is NULL. */
static tnn_status read_tensor(
    description *from, const char *name, const char *according_to, size_t rows, size_t columns,
    float *values) {
    const size_t sizes[] = {rows, columns};
    size_t dimensions = rows > 0 ? 2 : 1;
    tnni_gguf_tensor tensor;
    tnn_status status = tnni_gguf_find_tensor(
        from->gguf, name, according_to, dimensions, sizes + 2 - dimensions, &tensor);
    from->tensor_count++;
    size_t count = columns * (rows > 0 ? rows : 1);
    for (size_t i = 0; values && status == TNN_OK && i < count; i++)
        tnni_load_f32(&values[i], tensor.bytes + 4 * i);
    return status;
}

/* Copies the parameters to values, or only checks them for NULL. */
static tnn_status read_parameters(description *from, float *values) {
    static const char *list = "the layer list";
    tnn_status status = TNN_OK;
    size_t inputs = from->inputs;
    for (size_t l = 0; l < from->layer_count && status == TNN_OK; l++) {
        size_t units = from->layers[l].units;
        status = read_tensor(
            from, tnni_model_tensor_name(l, "weight").text, list, inputs, units, values);
        if (values)
            values += inputs * units;
        if (status == TNN_OK && !from->layers[l].no_bias) {
            status =
                read_tensor(from, tnni_model_tensor_name(l, "bias").text, list, 0, units, values);
            if (values)
                values += units;
        }
        inputs = units;
    }
    return status;
}

/* A pair of tensors, into shift and scale or only checked; nothing if neither is there. */
static tnn_status read_scaling(description *from, bool of_inputs, bool *is_there, float *values) {
    const char *shift = of_inputs ? "input.shift" : "output.shift";
    const char *scale = of_inputs ? "input.scale" : "output.scale";
    const char *source = of_inputs ? "the number of inputs" : "the layer list";
    size_t columns = of_inputs ? from->inputs : from->layers[from->layer_count - 1].units;
    *is_there = tnni_gguf_has_tensor(from->gguf, shift) || tnni_gguf_has_tensor(from->gguf, scale);
    if (!*is_there)
        return TNN_OK;
    tnn_status status = read_tensor(from, shift, source, 0, columns, values);
    if (status == TNN_OK)
        status = read_tensor(from, scale, source, 0, columns, values ? values + columns : NULL);
    return status;
}

static tnn_status check_tensors(description *from) {
    tnn_status status = read_parameters(from, NULL);
    if (status == TNN_OK)
        status = read_scaling(from, true, &from->scales_inputs, NULL);
    if (status == TNN_OK)
        status = read_scaling(from, false, &from->scales_outputs, NULL);
    return status;
}

/* ---- The net --------------------------------------------------------------------------------- */

/* A scaling that the net is to own, which tnn_net_destroy knows of. */
static tnn_status fill_in_scaling(description *from, tnn_net *net, bool of_inputs) {
    float **scaling = of_inputs ? &net->input_scaling : &net->output_scaling;
    size_t columns = of_inputs ? tnni_inputs(net) : tnni_outputs(net);
    bool is_there;
    char where[300];
    *scaling = tnni_allocate(net->allocator, tnni_scaling_bytes(columns));
    if (!*scaling)
        return tnni_fail(
            TNN_OUT_OF_MEMORY, "%s: no memory to scale %zu columns", from->gguf->where, columns);
    tnn_status status = read_scaling(from, of_inputs, &is_there, *scaling);
    if (status != TNN_OK)
        return status;
    snprintf(where, sizeof where, "%s: %s", from->gguf->where, of_inputs ? "input" : "output");
    status = tnni_check_scaling(where, columns, *scaling, *scaling + columns);
    return status == TNN_OK ? TNN_OK : TNN_BAD_FORMAT;
}

static tnn_status fill_in(description *from, tnn_net *net) {
    net->passes = from->forwards;
    tnn_status status = read_parameters(from, net->parameters);
    if (status == TNN_OK && from->scales_inputs)
        status = fill_in_scaling(from, net, true);
    if (status == TNN_OK && from->scales_outputs)
        status = fill_in_scaling(from, net, false);
    return status;
}

static tnn_status make_net(description *from, tnn_net **net) {
    tnn_net_options options = *net_options_of(from->options);
    tnn_net *made = NULL;
    options.seed = from->seed;
    tnn_status status = tnni_net_new(
        from->gguf->where, &made, from->inputs, from->layers, from->layer_count, &options);
    /* The options were checked before: what is wrong came from the file. */
    if (status == TNN_INVALID_ARGUMENT)
        status = TNN_BAD_FORMAT;
    if (status == TNN_OK)
        status = fill_in(from, made);
    if (status == TNN_OK)
        *net = made;
    else
        tnn_net_destroy(made);
    return status;
}

tnn_status tnni_model_read(
    tnn_net **net, const tnni_gguf *gguf, const tnn_load_options *options, size_t *tensor_count) {
    description from = {.gguf = gguf, .options = options, .limits = tnni_load_limits(options)};
    tnn_status status = read_layers(&from);
    if (status == TNN_OK)
        status = check_tensors(&from);
    *tensor_count = from.tensor_count;
    if (status == TNN_OK)
        status = make_net(&from, net);
    tnni_release(gguf->allocator, from.layers, from.layer_count * sizeof *from.layers);
    return status;
}

/* ---- The file -------------------------------------------------------------------------------- */

/* "function: file", for messages. */
typedef struct place {
    char text[256];
} place;

static place place_of(const char *caller, const char *name) {
    place where;
    snprintf(where.text, sizeof where.text, "%s: %.200s", caller, name);
    return where;
}

/* A result is the net's pointer, for which NULL stands if it fails. */
static tnn_status take_net(void *result, const tnni_gguf *gguf, const tnn_load_options *options) {
    tnn_net **net = result;
    size_t tensor_count = 0;
    tnn_status status = tnni_model_read(net, gguf, options, &tensor_count);
    size_t others = tnni_gguf_count_tensors(gguf, TNNI_CHECKPOINT_TENSORS);
    if (status != TNN_OK || tensor_count + others == gguf->tensor_count)
        return status;
    tnn_net_destroy(*net);
    *net = NULL;
    return tnni_fail(
        TNN_BAD_FORMAT, "%s: %zu tensors, the layer list and the scaling have %zu", gguf->where,
        gguf->tensor_count - others, tensor_count);
}

/* Tensors of a net of so many layers, and more than scaling and a checkpoint have besides. */
static size_t most_tensors(const tnn_load_limits *limits) {
    enum { OTHERS = 64 };
    return limits->layers <= (SIZE_MAX - OTHERS) / 2 ? 2 * limits->layers + OTHERS : SIZE_MAX;
}

static tnn_status take_bytes(
    const char *where, tnni_take_file *take, void *result, const unsigned char *bytes, size_t count,
    const tnn_load_options *options) {
    const tnn_allocator *allocator = tnni_allocator(net_options_of(options)->allocator);
    const tnn_load_limits limits = tnni_load_limits(options);
    tnni_gguf gguf;
    tnn_status status =
        tnni_gguf_open(&gguf, where, allocator, most_tensors(&limits), bytes, count);
    if (status != TNN_OK)
        return status;
    status = take(result, &gguf, options);
    tnni_gguf_close(&gguf);
    return status;
}

/* Closes the source. */
static tnn_status take_source(
    tnni_source *source, tnni_take_file *take, void *result, const tnn_load_options *options) {
    const tnn_allocator *allocator = source->allocator;
    const place where = place_of(source->caller, source->from.name);
    tnni_array file = {0};
    size_t count = 0;
    tnn_status status = tnni_source_read_all(
        source, tnni_load_limits(options).total_bytes, where.text, tnni_gguf_check_begin, &file,
        &count);
    tnni_source_close(source);
    if (status == TNN_OK)
        status = take_bytes(where.text, take, result, file.data, count, options);
    tnni_array_release(&file, allocator);
    return status;
}

/* Gives options that are not NULL, and sound. */
static tnn_status begin_load(const char *caller, const tnn_load_options **options) {
    static const tnn_load_options defaults = {0};
    if (!*options)
        *options = &defaults;
    return check_options(caller, *options);
}

tnn_status tnni_load(
    const char *caller, tnni_take_file *take, void *result, const char *path,
    const tnn_load_options *options) {
    tnni_source source;
    tnn_status status = begin_load(caller, &options);
    if (status == TNN_OK)
        status = tnni_source_open_path(
            &source, caller, path, tnni_allocator(net_options_of(options)->allocator));
    return status == TNN_OK ? take_source(&source, take, result, options) : status;
}

tnn_status tnni_load_from(
    const char *caller, tnni_take_file *take, void *result, const tnn_source *source,
    const tnn_load_options *options) {
    tnni_source opened;
    tnn_status status = begin_load(caller, &options);
    if (status == TNN_OK)
        status = tnni_source_open(
            &opened, caller, source, tnni_allocator(net_options_of(options)->allocator));
    return status == TNN_OK ? take_source(&opened, take, result, options) : status;
}

/* Stores NULL in *net. */
static tnn_status begin_net(const char *caller, tnn_net **net) {
    if (!net)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: net is NULL", caller);
    *net = NULL;
    return TNN_OK;
}

tnn_status tnn_net_load(tnn_net **net, const char *path, const tnn_load_options *options) {
    const char *caller = "tnn_net_load";
    tnn_status status = begin_net(caller, net);
    return status == TNN_OK ? tnni_load(caller, take_net, net, path, options) : status;
}

tnn_status tnn_net_load_from(
    tnn_net **net, const tnn_source *source, const tnn_load_options *options) {
    const char *caller = "tnn_net_load_from";
    tnn_status status = begin_net(caller, net);
    return status == TNN_OK ? tnni_load_from(caller, take_net, net, source, options) : status;
}

tnn_status tnn_net_load_from_memory(
    tnn_net **net, const void *data, size_t bytes, const tnn_load_options *options) {
    const char *caller = "tnn_net_load_from_memory";
    tnn_status status = begin_net(caller, net);
    if (status == TNN_OK)
        status = begin_load(caller, &options);
    if (status != TNN_OK)
        return status;
    if (!data)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: data is NULL", caller);
    if (bytes > tnni_load_limits(options).total_bytes)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: %zu bytes, more than limits.total_bytes, %zu", caller, bytes,
            tnni_load_limits(options).total_bytes);
    return take_bytes(place_of(caller, "memory").text, take_net, net, data, bytes, options);
}
