/*
 * From a net to bytes. Nothing is allocated: nodes and tensors are packed one by one, from messages
 * on the stack, and weights go from the net to the sink. A message begins with its length, and the
 * graph is one; so it is written once into nothing, to count.
 */
#include "support/bytes.h"
#include "support/file.h"
#include "support/memory.h"
#include "support/status.h"

#include <tinynn/onnx.h>

#include <onnx.pb-c.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Versions of the format and of its operators that everything of the last years reads, and numbers
 * of the format. */
enum { IR_VERSION = 7, OPSET = 13, TYPE_FLOAT = 1, ATTRIBUTE_FLOAT = 1, ATTRIBUTE_INT = 2 };

/* Fields that are written here and not by protobuf-c, and the 2 of "with a length". */
enum {
    MODEL_GRAPH = 7 << 3 | 2,
    GRAPH_NODE = 1 << 3 | 2,
    GRAPH_INITIALIZER = 5 << 3 | 2,
    GRAPH_INPUT = 11 << 3 | 2,
    GRAPH_OUTPUT = 12 << 3 | 2,
    GRAPH_NAME = 2 << 3 | 2,
    TENSOR_RAW_DATA = 9 << 3 | 2
};

/* What protobuf can hold. */
#define MOST_BYTES INT32_MAX

enum { MOST_NAME = 48, MOST_INPUTS = 3, MOST_ATTRIBUTES = 2 };

typedef struct name {
    char text[MOST_NAME];
} name;

typedef struct writer {
    ProtobufCBuffer base; /* protobuf-c appends to it */
    const tnn_net *net;
    const tnn_sink *sink; /* NULL: only counts */
    tnn_status status;    /* the first failure, of the sink; nothing is written after it */
    uint64_t offset;      /* bytes so far */
    size_t filled;
    unsigned char buffer[4096];
    size_t nodes;      /* so far */
    size_t node_count; /* all of them: the last one's output is the net's */
    name value;        /* what the last node made */
} writer;

/* ---- Bytes ----------------------------------------------------------------------------------- */

static void flush(writer *to) {
    if (to->filled > 0 && to->sink && to->status == TNN_OK)
        to->status = to->sink->write(to->sink->context, to->buffer, to->filled);
    to->filled = 0;
}

static void put(writer *to, const void *data, size_t bytes) {
    const unsigned char *from = data;
    to->offset += bytes;
    while (to->sink && bytes > 0) {
        size_t room = sizeof to->buffer - to->filled;
        size_t piece = bytes < room ? bytes : room;
        memcpy(to->buffer + to->filled, from, piece);
        to->filled += piece;
        from += piece;
        bytes -= piece;
        if (to->filled == sizeof to->buffer)
            flush(to);
    }
}

static void append(ProtobufCBuffer *base, size_t bytes, const uint8_t *data) {
    put((writer *)base, data, bytes);
}

/* protobuf's numbers: seven bits a byte, the lowest first. */
static void put_number(writer *to, uint64_t number) {
    for (; number > 127; number >>= 7)
        put(to, &(unsigned char){(unsigned char)(number | 128)}, 1);
    put(to, &(unsigned char){(unsigned char)number}, 1);
}

static size_t number_bytes(uint64_t number) {
    size_t bytes = 1;
    for (; number > 127; number >>= 7)
        bytes++;
    return bytes;
}

static void put_message(writer *to, uint64_t field, const ProtobufCMessage *message) {
    put_number(to, field);
    put_number(to, protobuf_c_message_get_packed_size(message));
    protobuf_c_message_pack_to_buffer(message, &to->base);
}

static void put_text(writer *to, uint64_t field, const char *text) {
    put_number(to, field);
    put_number(to, strlen(text));
    put(to, text, strlen(text));
}

/* ---- Tensors --------------------------------------------------------------------------------- */

static void put_floats(writer *to, const float *values, size_t count) {
    unsigned char bytes[4];
    if (!to->sink) {
        to->offset += 4 * (uint64_t)count;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        tnni_store_f32(bytes, &values[i]);
        put(to, bytes, sizeof bytes);
    }
}

/* Of rows (0: none of them, a list; SIZE_MAX: one number) and columns. */
static void put_tensor(
    writer *to, const char *called, size_t rows, size_t columns, const float *values) {
    TnniOnnx__TensorProto tensor = TNNI_ONNX__TENSOR_PROTO__INIT;
    int64_t dims[] = {(int64_t)rows, (int64_t)columns};
    bool is_number = rows == SIZE_MAX;
    size_t count = is_number ? 1 : columns * (rows > 0 ? rows : 1);
    tensor.name = (char *)(uintptr_t)called;
    tensor.has_data_type = true;
    tensor.data_type = TYPE_FLOAT;
    tensor.dims = rows > 0 ? dims : dims + 1;
    tensor.n_dims = is_number ? 0 : rows > 0 ? 2 : 1;
    uint64_t bytes = 4 * (uint64_t)count;
    put_number(to, GRAPH_INITIALIZER);
    put_number(
        to,
        tnni_onnx__tensor_proto__get_packed_size(&tensor) + number_bytes(TENSOR_RAW_DATA) +
            number_bytes(bytes) + bytes);
    tnni_onnx__tensor_proto__pack_to_buffer(&tensor, &to->base);
    put_number(to, TENSOR_RAW_DATA);
    put_number(to, bytes);
    put_floats(to, values, count);
}

static name tensor_name(size_t layer, const char *what) {
    name made;
    snprintf(made.text, sizeof made.text, "layers.%zu.%s", layer, what);
    return made;
}

static bool has_activation(const tnn_net *net, const char *called) {
    for (size_t l = 0; l < tnn_net_layer_count(net); l++)
        if (strcmp(tnn_net_layer(net, l).activation.vtable->name, called) == 0)
            return true;
    return false;
}

static void put_constants(writer *to) {
    static const float minus_one = -1.0f;
    static const float half = 0.5f;
    static const float one = 1.0f;
    static const float root = 1.41421356237309504880f;
    bool has_gelu = has_activation(to->net, "gelu");
    bool has_clip = has_activation(to->net, "hard_tanh");
    if (has_clip)
        put_tensor(to, "minus_one", SIZE_MAX, 1, &minus_one);
    if (has_clip || has_gelu)
        put_tensor(to, "one", SIZE_MAX, 1, &one);
    if (has_gelu) {
        put_tensor(to, "half", SIZE_MAX, 1, &half);
        put_tensor(to, "sqrt_2", SIZE_MAX, 1, &root);
    }
}

static void put_tensors(writer *to) {
    const tnn_net *net = to->net;
    const float *parameters = tnn_net_read_parameters(net);
    size_t inputs = tnn_net_inputs(net);
    if (tnn_net_input_shift(net)) {
        put_tensor(to, "input.shift", 0, inputs, tnn_net_input_shift(net));
        put_tensor(to, "input.scale", 0, inputs, tnn_net_input_scale(net));
    }
    for (size_t l = 0; l < tnn_net_layer_count(net); l++) {
        const tnn_layer layer = tnn_net_layer(net, l);
        put_tensor(to, tensor_name(l, "weight").text, inputs, layer.units, parameters);
        parameters += inputs * layer.units;
        if (!layer.no_bias) {
            put_tensor(to, tensor_name(l, "bias").text, 0, layer.units, parameters);
            parameters += layer.units;
        }
        inputs = layer.units;
    }
    if (tnn_net_output_shift(net)) {
        put_tensor(to, "output.scale", 0, inputs, tnn_net_output_scale(net));
        put_tensor(to, "output.shift", 0, inputs, tnn_net_output_shift(net));
    }
    put_constants(to);
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

typedef struct attribute {
    const char *name;
    bool is_int;
    float f;
    int64_t i;
} attribute;

/* A node of these inputs (NULL: no more), whose output becomes the value. */
static void put_node(
    writer *to, const char *type, const char *const *inputs, size_t attribute_count,
    const attribute *attributes) {
    TnniOnnx__NodeProto node = TNNI_ONNX__NODE_PROTO__INIT;
    TnniOnnx__AttributeProto protos[MOST_ATTRIBUTES];
    TnniOnnx__AttributeProto *pointers[MOST_ATTRIBUTES];
    char *input_names[MOST_INPUTS];
    name output = {"y"};
    if (++to->nodes != to->node_count)
        snprintf(output.text, sizeof output.text, "value.%zu", to->nodes);
    for (size_t i = 0; i < attribute_count; i++) {
        protos[i] = (TnniOnnx__AttributeProto)TNNI_ONNX__ATTRIBUTE_PROTO__INIT;
        protos[i].name = (char *)(uintptr_t)attributes[i].name;
        protos[i].has_type = true;
        protos[i].type = attributes[i].is_int ? ATTRIBUTE_INT : ATTRIBUTE_FLOAT;
        protos[i].has_f = !attributes[i].is_int;
        protos[i].f = attributes[i].f;
        protos[i].has_i = attributes[i].is_int;
        protos[i].i = attributes[i].i;
        pointers[i] = &protos[i];
    }
    while (node.n_input < MOST_INPUTS && inputs[node.n_input]) {
        input_names[node.n_input] = (char *)(uintptr_t)inputs[node.n_input];
        node.n_input++;
    }
    node.op_type = (char *)(uintptr_t)type;
    node.input = input_names;
    node.n_output = 1;
    node.output = &(char *){output.text};
    node.n_attribute = attribute_count;
    node.attribute = pointers;
    put_message(to, GRAPH_NODE, &node.base);
    to->value = output;
}

/* Of two inputs (or one: b is NULL). */
static void put_simple_node(writer *to, const char *type, const char *a, const char *b) {
    const name from = to->value;
    const char *const inputs[] = {a ? a : from.text, b, NULL};
    put_node(to, type, inputs, 0, NULL);
}

/* x (1 + erf(x / sqrt 2)) / 2, in the order in which PyTorch writes it. */
static void put_gelu(writer *to) {
    const name x = to->value;
    put_simple_node(to, "Div", NULL, "sqrt_2");
    put_simple_node(to, "Erf", NULL, NULL);
    put_simple_node(to, "Add", NULL, "one");
    put_simple_node(to, "Mul", x.text, to->value.text);
    put_simple_node(to, "Mul", NULL, "half");
}

static void put_silu(writer *to) {
    const name x = to->value;
    put_simple_node(to, "Sigmoid", NULL, NULL);
    put_simple_node(to, "Mul", x.text, to->value.text);
}

static void put_hard_tanh(writer *to) {
    const name from = to->value;
    const char *const inputs[] = {from.text, "minus_one", "one"};
    put_node(to, "Clip", inputs, 0, NULL);
}

typedef enum form { NOTHING, ALPHA, AXIS, ALPHA_BETA, GELU, SILU, HARD_TANH, OF_ITSELF } form;

typedef struct entry {
    const char *name; /* of the activation */
    form form;
    const char *type; /* of the node */
} entry;

static const entry entries[] = {
    {"identity", NOTHING, NULL},
    {"relu", OF_ITSELF, "Relu"},
    {"leaky_relu", ALPHA, "LeakyRelu"},
    {"sigmoid", OF_ITSELF, "Sigmoid"},
    {"tanh", OF_ITSELF, "Tanh"},
    {"softmax", AXIS, "Softmax"},
    {"elu", ALPHA, "Elu"},
    {"selu", OF_ITSELF, "Selu"},
    {"softplus", OF_ITSELF, "Softplus"},
    {"softsign", OF_ITSELF, "Softsign"},
    {"silu", SILU, NULL},
    {"gelu", GELU, NULL},
    {"hard_sigmoid", ALPHA_BETA, "HardSigmoid"},
    {"hard_tanh", HARD_TANH, NULL},
};

static const entry *find_entry(const tnn_activation *activation) {
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        if (strcmp(entries[i].name, activation->vtable->name) == 0)
            return &entries[i];
    return NULL;
}

static void put_activation(writer *to, const tnn_activation *activation) {
    const entry *found = find_entry(activation);
    const name from = to->value;
    const char *const inputs[] = {from.text, NULL};
    const attribute alpha = {.name = "alpha", .f = activation->parameter};
    const attribute axis = {.name = "axis", .is_int = true, .i = -1};
    const attribute line[] = {{.name = "alpha", .f = 1.0f / 6.0f}, {.name = "beta", .f = 0.5f}};
    switch (found->form) {
    case NOTHING:
        return;
    case ALPHA:
        put_node(to, found->type, inputs, 1, &alpha);
        return;
    case AXIS:
        put_node(to, found->type, inputs, 1, &axis);
        return;
    case ALPHA_BETA:
        put_node(to, found->type, inputs, 2, line);
        return;
    case GELU:
        put_gelu(to);
        return;
    case SILU:
        put_silu(to);
        return;
    case HARD_TANH:
        put_hard_tanh(to);
        return;
    case OF_ITSELF:
        put_node(to, found->type, inputs, 0, NULL);
        return;
    }
}

static void put_layer(writer *to, size_t index) {
    const tnn_layer layer = tnn_net_layer(to->net, index);
    const name from = to->value;
    const name weights = tensor_name(index, "weight");
    const name biases = tensor_name(index, "bias");
    const char *const inputs[] = {from.text, weights.text, layer.no_bias ? NULL : biases.text};
    put_node(to, layer.no_bias ? "MatMul" : "Gemm", inputs, 0, NULL);
    put_activation(to, &layer.activation);
}

static void put_nodes(writer *to) {
    to->nodes = 0;
    to->value = (name){"x"};
    if (tnn_net_input_shift(to->net)) {
        put_simple_node(to, "Sub", NULL, "input.shift");
        put_simple_node(to, "Mul", NULL, "input.scale");
    }
    for (size_t l = 0; l < tnn_net_layer_count(to->net); l++)
        put_layer(to, l);
    if (tnn_net_output_shift(to->net)) {
        put_simple_node(to, "Div", NULL, "output.scale");
        put_simple_node(to, "Add", NULL, "output.shift");
    }
}

/* ---- The model ------------------------------------------------------------------------------- */

/* float [batch, columns] */
static void put_end(writer *to, uint64_t field, const char *called, size_t columns) {
    TnniOnnx__TensorShapeProto__Dimension rows = TNNI_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT;
    TnniOnnx__TensorShapeProto__Dimension width = TNNI_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT;
    TnniOnnx__TensorShapeProto__Dimension *dims[] = {&rows, &width};
    TnniOnnx__TensorShapeProto shape = TNNI_ONNX__TENSOR_SHAPE_PROTO__INIT;
    TnniOnnx__TypeProto__Tensor tensor = TNNI_ONNX__TYPE_PROTO__TENSOR__INIT;
    TnniOnnx__TypeProto type = TNNI_ONNX__TYPE_PROTO__INIT;
    TnniOnnx__ValueInfoProto end = TNNI_ONNX__VALUE_INFO_PROTO__INIT;
    char batch[] = "batch";
    rows.dim_param = batch;
    width.has_dim_value = true;
    width.dim_value = (int64_t)columns;
    shape.n_dim = 2;
    shape.dim = dims;
    tensor.has_elem_type = true;
    tensor.elem_type = TYPE_FLOAT;
    tensor.shape = &shape;
    type.tensor_type = &tensor;
    end.name = (char *)(uintptr_t)called;
    end.type = &type;
    put_message(to, field, &end.base);
}

static void put_graph(writer *to) {
    put_nodes(to);
    put_text(to, GRAPH_NAME, "tinynn");
    put_tensors(to);
    put_end(to, GRAPH_INPUT, "x", tnn_net_inputs(to->net));
    put_end(to, GRAPH_OUTPUT, "y", tnn_net_outputs(to->net));
}

static void put_model(writer *to, uint64_t graph_bytes) {
    TnniOnnx__OperatorSetIdProto set = TNNI_ONNX__OPERATOR_SET_ID_PROTO__INIT;
    TnniOnnx__ModelProto model = TNNI_ONNX__MODEL_PROTO__INIT;
    char domain[] = "";
    char producer[] = "libtinynn";
    name version;
    snprintf(version.text, sizeof version.text, "%s", tnn_version());
    set.domain = domain;
    set.has_version = true;
    set.version = OPSET;
    model.has_ir_version = true;
    model.ir_version = IR_VERSION;
    model.producer_name = producer;
    model.producer_version = version.text;
    model.n_opset_import = 1;
    model.opset_import = &(TnniOnnx__OperatorSetIdProto *){&set};
    tnni_onnx__model_proto__pack_to_buffer(&model, &to->base);
    put_number(to, MODEL_GRAPH);
    put_number(to, graph_bytes);
}

static void begin_write(writer *to, const tnn_net *net, const tnn_sink *sink, size_t node_count) {
    to->base = (ProtobufCBuffer){append};
    to->net = net;
    to->sink = sink;
    to->status = TNN_OK;
    to->offset = 0;
    to->filled = 0;
    to->node_count = node_count;
}

/* Writes all to the sink, or counts it for NULL. */
static tnn_status write_net(const tnn_net *net, const tnn_sink *sink, uint64_t *bytes) {
    writer to;
    begin_write(&to, net, NULL, 0);
    put_nodes(&to);
    begin_write(&to, net, NULL, to.nodes);
    put_graph(&to);
    uint64_t graph_bytes = to.offset;
    begin_write(&to, net, sink, to.nodes);
    put_model(&to, graph_bytes);
    put_graph(&to);
    flush(&to);
    *bytes = to.offset;
    return to.status;
}

static tnn_status null_argument(const char *caller, const char *argument) {
    return tnni_fail(TNN_INVALID_ARGUMENT, "%s: %s is NULL", caller, argument);
}

/* Can it be written, and how long is it? */
static tnn_status check_net(const char *caller, const tnn_net *net, uint64_t *bytes) {
    for (size_t l = 0; l < tnn_net_layer_count(net); l++) {
        const tnn_layer layer = tnn_net_layer(net, l);
        if (!find_entry(&layer.activation))
            return tnni_fail(
                TNN_UNSUPPORTED,
                "%s: layer %zu has the activation \"%.100s\", which ONNX has no operator for",
                caller, l, layer.activation.vtable->name);
    }
    write_net(net, NULL, bytes);
    if (*bytes > MOST_BYTES)
        return tnni_fail(
            TNN_UNSUPPORTED,
            "%s: a model of %" PRIu64 " bytes, more than the format can hold, %" PRId32, caller,
            *bytes, MOST_BYTES);
    return TNN_OK;
}

static tnn_status append_to_file(void *context, const void *data, size_t bytes) {
    return tnni_file_write(context, data, bytes);
}

tnn_status tnn_onnx_save(const tnn_net *net, const char *path) {
    const char *caller = "tnn_onnx_save";
    tnni_file file;
    const tnn_sink sink = {.context = &file, .write = append_to_file};
    uint64_t bytes;
    if (!net)
        return null_argument(caller, "net");
    if (!path)
        return null_argument(caller, "path");
    tnn_status status = check_net(caller, net, &bytes);
    if (status == TNN_OK)
        status = tnni_file_create(&file, caller, path, tnni_allocator(NULL));
    if (status != TNN_OK)
        return status;
    return tnni_file_close(&file, write_net(net, &sink, &bytes));
}

/* Bytes that fit, which was checked. */
static tnn_status append_to_memory(void *context, const void *data, size_t bytes) {
    unsigned char **end = context;
    memcpy(*end, data, bytes);
    *end += bytes;
    return TNN_OK;
}

tnn_status tnn_onnx_save_to_memory(
    const tnn_net *net, void *buffer, size_t capacity_bytes, size_t *bytes) {
    const char *caller = "tnn_onnx_save_to_memory";
    unsigned char *end = buffer;
    const tnn_sink sink = {.context = &end, .write = append_to_memory};
    uint64_t needed;
    if (!net)
        return null_argument(caller, "net");
    if (!bytes)
        return null_argument(caller, "bytes");
    tnn_status status = check_net(caller, net, &needed);
    if (status != TNN_OK)
        return status;
    *bytes = (size_t)needed;
    if (!buffer)
        return TNN_OK;
    if (capacity_bytes < needed)
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: capacity_bytes is %zu, expected at least %zu", caller,
            capacity_bytes, *bytes);
    return write_net(net, &sink, &needed);
}
