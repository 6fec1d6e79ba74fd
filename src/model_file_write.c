#include "model_file.h"
#include "support/file.h"
#include "support/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- Net to keys and tensors ----------------------------------------------------------------- */

tnni_model_name tnni_model_tensor_name(size_t layer, const char *what) {
    tnni_model_name name;
    snprintf(name.text, sizeof name.text, "layers.%zu.%s", layer, what);
    return name;
}

size_t tnni_model_tensor_count(const tnn_net *net) {
    size_t count = (net->input_scaling ? 2 : 0) + (net->output_scaling ? 2 : 0);
    for (size_t l = 0; l < net->layer_count; l++)
        count += net->layers[l].has_biases ? 2 : 1;
    return count;
}

void tnni_model_put_keys(tnni_gguf_writer *writer, const tnn_net *net) {
    const tnni_layer *layers = net->layers;
    size_t count = net->layer_count;
    tnni_gguf_put_u32(writer, TNNI_GGUF_ALIGNMENT_KEY, TNNI_GGUF_ALIGNMENT);
    tnni_gguf_put_u32(writer, TNNI_MODEL_VERSION_KEY, TNNI_MODEL_VERSION);
    tnni_gguf_put_u64(writer, TNNI_MODEL_SEED_KEY, net->seed);
    tnni_gguf_put_u64(writer, TNNI_MODEL_FORWARDS_KEY, net->passes);
    tnni_gguf_put_u64(writer, TNNI_MODEL_INPUTS_KEY, tnni_inputs(net));
    tnni_gguf_put_array(writer, TNNI_MODEL_UNITS_KEY, TNNI_GGUF_U64, count);
    for (size_t l = 0; l < count; l++)
        tnni_gguf_add_u64(writer, layers[l].units);
    tnni_gguf_put_array(writer, TNNI_MODEL_ACTIVATION_KEY, TNNI_GGUF_STRING, count);
    for (size_t l = 0; l < count; l++)
        tnni_gguf_add_string(writer, layers[l].activation.vtable->name);
    tnni_gguf_put_array(writer, TNNI_MODEL_PARAMETER_KEY, TNNI_GGUF_F32, count);
    for (size_t l = 0; l < count; l++)
        tnni_gguf_add_f32(writer, &layers[l].activation.parameter);
    tnni_gguf_put_array(writer, TNNI_MODEL_BIAS_KEY, TNNI_GGUF_BOOL, count);
    for (size_t l = 0; l < count; l++)
        tnni_gguf_add_bool(writer, layers[l].has_biases);
    tnni_gguf_put_array(writer, TNNI_MODEL_DROPOUT_KEY, TNNI_GGUF_F32, count);
    for (size_t l = 0; l < count; l++)
        tnni_gguf_add_f32(writer, &layers[l].dropout);
}

static void put_scaling_infos(
    tnni_gguf_writer *writer, const float *scaling, const char *shift, const char *scale,
    size_t columns) {
    if (!scaling)
        return;
    tnni_gguf_put_info(writer, shift, 1, &columns);
    tnni_gguf_put_info(writer, scale, 1, &columns);
}

void tnni_model_put_infos(tnni_gguf_writer *writer, const tnn_net *net) {
    for (size_t l = 0; l < net->layer_count; l++) {
        const tnni_layer *layer = &net->layers[l];
        const size_t sizes[] = {layer->inputs, layer->units};
        tnni_gguf_put_info(writer, tnni_model_tensor_name(l, "weight").text, 2, sizes);
        if (layer->has_biases)
            tnni_gguf_put_info(writer, tnni_model_tensor_name(l, "bias").text, 1, &layer->units);
    }
    put_scaling_infos(writer, net->input_scaling, "input.shift", "input.scale", tnni_inputs(net));
    put_scaling_infos(
        writer, net->output_scaling, "output.shift", "output.scale", tnni_outputs(net));
}

static void put_scaling(tnni_gguf_writer *writer, const float *scaling, size_t columns) {
    if (!scaling)
        return;
    tnni_gguf_put_tensor(writer, scaling, columns);
    tnni_gguf_put_tensor(writer, scaling + columns, columns);
}

void tnni_model_put_tensors(tnni_gguf_writer *writer, const tnn_net *net) {
    for (size_t l = 0; l < net->layer_count; l++) {
        const tnni_layer *layer = &net->layers[l];
        tnni_gguf_put_tensor(
            writer, net->parameters + layer->weights, layer->inputs * layer->units);
        if (layer->has_biases)
            tnni_gguf_put_tensor(writer, net->parameters + layer->biases, layer->units);
    }
    put_scaling(writer, net->input_scaling, tnni_inputs(net));
    put_scaling(writer, net->output_scaling, tnni_outputs(net));
}

/* ---- The file -------------------------------------------------------------------------------- */

static tnn_status put_net(
    tnni_gguf_writer *writer, const tnn_sink *sink, uint64_t checksum, const void *what) {
    const tnn_net *net = what;
    tnni_gguf_begin(writer, sink, tnni_model_tensor_count(net), TNNI_MODEL_KEYS, checksum);
    tnni_model_put_keys(writer, net);
    tnni_model_put_infos(writer, net);
    tnni_model_put_tensors(writer, net);
    return tnni_gguf_end(writer);
}

/* Once for the checksum, once for the bytes. */
static tnn_status put_twice(tnni_put_file *put, const void *what, const tnn_sink *sink) {
    tnni_gguf_writer writer;
    put(&writer, NULL, 0, what);
    return put(&writer, sink, writer.checksum, what);
}

static tnn_status null_argument(const char *caller, const char *argument) {
    return tnni_fail(TNN_INVALID_ARGUMENT, "%s: %s is NULL", caller, argument);
}

/* The caller's sink, and who to name when it fails. */
typedef struct callers_sink {
    const char *caller;
    tnn_sink sink;
} callers_sink;

static tnn_status write_to(void *context, const void *data, size_t bytes) {
    const callers_sink *to = context;
    tnn_status status = to->sink.write(to->sink.context, data, bytes);
    if (status == TNN_OK)
        return TNN_OK;
    return tnni_fail(
        status, "%s: %.200s: sink->write returned %s", to->caller,
        to->sink.name ? to->sink.name : "data", tnn_status_string(status));
}

tnn_status tnni_save_to(
    const char *caller, tnni_put_file *put, const void *what, const tnn_sink *sink) {
    if (!sink || !sink->write)
        return null_argument(caller, sink ? "sink->write" : "sink");
    callers_sink to = {caller, *sink};
    return put_twice(put, what, &(tnn_sink){.context = &to, .write = write_to});
}

static tnn_status append_to_file(void *context, const void *data, size_t bytes) {
    return tnni_file_write(context, data, bytes);
}

tnn_status tnni_save(
    const char *caller, tnni_put_file *put, const void *what, const char *path,
    const tnn_allocator *allocator) {
    tnni_file file;
    if (!path)
        return null_argument(caller, "path");
    tnn_status status = tnni_file_create(&file, caller, path, allocator);
    if (status != TNN_OK)
        return status;
    status = put_twice(put, what, &(tnn_sink){.context = &file, .write = append_to_file});
    return tnni_file_close(&file, status);
}

tnn_status tnn_net_save_to(const tnn_net *net, const tnn_sink *sink) {
    const char *caller = "tnn_net_save_to";
    return net ? tnni_save_to(caller, put_net, net, sink) : null_argument(caller, "net");
}

tnn_status tnn_net_save(const tnn_net *net, const char *path) {
    const char *caller = "tnn_net_save";
    if (!net)
        return null_argument(caller, "net");
    return tnni_save(caller, put_net, net, path, net->allocator);
}

/* Bytes that fit, which was checked. */
static tnn_status append(void *context, const void *data, size_t bytes) {
    unsigned char **end = context;
    memcpy(*end, data, bytes);
    *end += bytes;
    return TNN_OK;
}

tnn_status tnn_net_save_to_memory(
    const tnn_net *net, void *buffer, size_t capacity_bytes, size_t *bytes) {
    const char *caller = "tnn_net_save_to_memory";
    unsigned char *end = buffer;
    const tnn_sink sink = {.context = &end, .write = append};
    tnni_gguf_writer writer;
    if (!net)
        return null_argument(caller, "net");
    if (!bytes)
        return null_argument(caller, "bytes");
    put_net(&writer, NULL, 0, net);
    if (writer.offset > SIZE_MAX)
        return tnni_fail(
            TNN_OUT_OF_MEMORY, "%s: the file has %" PRIu64 " bytes, more than size_t holds", caller,
            writer.offset);
    *bytes = (size_t)writer.offset;
    if (!buffer)
        return TNN_OK;
    if (capacity_bytes < *bytes)
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: capacity_bytes is %zu, expected at least %zu", caller,
            capacity_bytes, *bytes);
    return put_net(&writer, &sink, writer.checksum, net);
}
