/*
 * From bytes to a net. The file is in memory as a whole before anything in it is believed; then
 *
 *     protobuf-c              bytes to messages, in memory that is bounded by the bytes
 *     graph.c                 names to values, and which nodes the output needs
 *     operators.c, ...        node by node, constants to constants and the value along the chain
 *     chain.c                 layers, their sizes within the limits; and at the end the net
 */
#include "onnx/graph.h"

#include "support/array.h"
#include "support/limits.h"
#include "support/memory.h"
#include "support/source.h"
#include "support/status.h"

#include <tinynn/onnx.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- Options --------------------------------------------------------------------------------- */

static const tnn_allocator *allocator_of(const tnn_load_options *options) {
    return tnni_allocator(options->net ? options->net->allocator : NULL);
}

/* Are the net options sound? What tnn_net_create says of them is known before a byte is read. */
static tnn_status check_options(const tnn_load_options *options) {
    const tnn_layer layer = {.units = 1};
    tnn_net *net = NULL;
    if (!options->net)
        return TNN_OK;
    tnn_status status = tnn_net_create(&net, 1, &layer, 1, options->net);
    tnn_net_destroy(net);
    return status;
}

/* Stores NULL in *net, and gives options that are not NULL. */
static tnn_status begin_load(const char *caller, tnn_net **net, const tnn_load_options **options) {
    static const tnn_load_options defaults = {0};
    if (!net)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: net is NULL", caller);
    *net = NULL;
    if (!*options)
        *options = &defaults;
    return check_options(*options);
}

/* ---- The model ------------------------------------------------------------------------------- */

/* Version of ONNX's own operators; files from before there were versions have the first. */
static tnn_status find_opset(
    const char *where, const TnniOnnx__ModelProto *model, int64_t *version) {
    *version = 1;
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const TnniOnnx__OperatorSetIdProto *set = model->opset_import[i];
        if (!set->domain || !*set->domain || strcmp(set->domain, "ai.onnx") == 0)
            *version = set->version;
    }
    if (*version < 1)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: version %" PRId64 " of ONNX's operators", where, *version);
    return TNN_OK;
}

/* Dimensions of the input; where none are told, it is taken for rows and columns. */
static tnn_status begin_chain(const tnni_onnx_graph *graph, tnni_onnx_chain *chain) {
    const TnniOnnx__TypeProto *type = graph->input_info ? graph->input_info->type : NULL;
    const TnniOnnx__TypeProto__Tensor *tensor = type ? type->tensor_type : NULL;
    if (!tensor)
        return tnni_fail(TNN_UNSUPPORTED, "%s: the model has no tensor as its input", graph->where);
    if (tensor->elem_type != TNNI_ONNX_FLOAT && tensor->elem_type != TNNI_ONNX_DOUBLE &&
        tensor->elem_type != TNNI_ONNX_FLOAT16)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: the input is of %s, expected float, double or float16",
            graph->where, tnni_onnx_type_name(tensor->elem_type).text);
    graph->input->type = tensor->elem_type;
    const TnniOnnx__TensorShapeProto *shape = tensor->shape;
    chain->rank = shape ? shape->n_dim : 2;
    if (chain->rank > TNNI_ONNX_MOST_RANK)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: the input has %zu dimensions, expected at most %d", graph->where,
            chain->rank, TNNI_ONNX_MOST_RANK);
    for (size_t d = 0; d < chain->rank; d++)
        chain->dims[d] = shape && shape->dim[d]->has_dim_value ? shape->dim[d]->dim_value : -1;
    for (size_t d = 0; d < chain->rank; d++)
        if (chain->dims[d] < 1)
            chain->dims[d] = -1;
    return tnni_onnx_chain_begin(chain, graph->memory, 2 * graph->proto->n_node + 2);
}

/* Is the output the chain's value, as it is in the end? */
static tnn_status check_output(const tnni_onnx_graph *graph, const tnni_onnx_chain *chain) {
    const tnni_onnx_value *output = graph->output;
    const char *reason = "is not the end of a chain from the input";
    if (output->kind == TNNI_ONNX_VALUE && output->version == chain->version)
        return TNN_OK;
    if (output->kind == TNNI_ONNX_PART)
        reason = "is a part of GELU, SiLU or softsign, and not the whole";
    else if (output->kind != TNNI_ONNX_VALUE && output->kind != TNNI_ONNX_INPUT)
        reason = "is a constant";
    return tnni_fail(
        TNN_UNSUPPORTED, "%s: %s: the output \"%s\" %s", graph->where,
        tnni_onnx_name_node(graph->proto, output->definer).text,
        tnni_excerpt_of(output->name, strlen(output->name)).text, reason);
}

static tnn_status read_graph(tnni_onnx_graph *graph, tnni_onnx_chain *chain) {
    tnn_status status = tnni_onnx_graph_open(graph);
    if (status == TNN_OK)
        status = begin_chain(graph, chain);
    if (status == TNN_OK)
        status = tnni_onnx_read_nodes(graph, chain);
    if (status == TNN_OK)
        status = check_output(graph, chain);
    return status == TNN_OK ? tnni_onnx_chain_end(chain) : status;
}

static tnn_status read_model(
    tnn_net **net, const char *where, tnni_onnx_memory *memory, const unsigned char *bytes,
    size_t count, const tnn_load_options *options) {
    const TnniOnnx__ModelProto *model =
        tnni_onnx__model_proto__unpack(&memory->protobuf, count, bytes);
    if (!model && memory->is_short)
        return tnni_onnx_no_memory(memory, where);
    if (!model)
        return tnni_fail(TNN_BAD_FORMAT, "%s: no ONNX model, or a damaged one", where);
    if (!model->graph)
        return tnni_fail(TNN_BAD_FORMAT, "%s: a model without a graph", where);
    tnni_onnx_graph graph = {.where = where, .memory = memory, .proto = model->graph};
    tnni_onnx_chain chain = {
        .where = where,
        .graph = model->graph,
        .node = SIZE_MAX,
        .limits = tnni_load_limits(options)};
    tnn_status status = find_opset(where, model, &graph.opset);
    if (status == TNN_OK)
        status = read_graph(&graph, &chain);
    return status == TNN_OK ? tnni_onnx_chain_to_net(&chain, net, options->net) : status;
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

static tnn_status read_bytes(
    tnn_net **net, const char *where, const unsigned char *bytes, size_t count,
    const tnn_load_options *options) {
    tnni_onnx_memory memory;
    tnni_onnx_memory_init(&memory, allocator_of(options), count);
    tnn_status status = read_model(net, where, &memory, bytes, count, options);
    tnni_onnx_memory_release(&memory);
    return status;
}

tnn_status tnn_onnx_load(tnn_net **net, const char *path, const tnn_load_options *options) {
    const char *caller = "tnn_onnx_load";
    tnni_source source;
    tnni_array file = {0};
    size_t count = 0;
    tnn_status status = begin_load(caller, net, &options);
    if (status == TNN_OK)
        status = tnni_source_open_path(&source, caller, path, allocator_of(options));
    if (status != TNN_OK)
        return status;
    status = tnni_source_read_all(
        &source, tnni_load_limits(options).total_bytes, NULL, NULL, &file, &count);
    tnni_source_close(&source);
    if (status == TNN_OK)
        status = read_bytes(net, place_of(caller, path).text, file.data, count, options);
    tnni_array_release(&file, allocator_of(options));
    return status;
}

tnn_status tnn_onnx_load_from_memory(
    tnn_net **net, const void *data, size_t bytes, const tnn_load_options *options) {
    const char *caller = "tnn_onnx_load_from_memory";
    tnn_status status = begin_load(caller, net, &options);
    if (status != TNN_OK)
        return status;
    if (!data)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: data is NULL", caller);
    if (bytes > tnni_load_limits(options).total_bytes)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: %zu bytes, more than limits.total_bytes, %zu", caller, bytes,
            tnni_load_limits(options).total_bytes);
    return read_bytes(net, place_of(caller, "memory").text, data, bytes, options);
}
