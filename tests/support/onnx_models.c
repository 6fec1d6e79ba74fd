#include "onnx_models.h"

#include "onnx/tensor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

onnx_file read_onnx_file(const char *path) {
    onnx_file file = {0};
    unsigned char buffer[1 << 14];
    FILE *from = fopen(path, "rb");
    if (!from)
        return file;
    file.bytes = malloc(1);
    for (size_t count; (count = fread(buffer, 1, sizeof buffer, from)) > 0;)
        append_bytes(&file, buffer, count);
    fclose(from);
    return file;
}

void free_onnx_file(onnx_file *file) {
    free(file->bytes);
    *file = (onnx_file){0};
}

void append_bytes(onnx_file *file, const void *bytes, size_t count) {
    file->bytes = realloc(file->bytes, file->count + count + 1);
    assert_non_null(file->bytes);
    if (count > 0)
        memcpy(file->bytes + file->count, bytes, count);
    file->count += count;
}

static void append_number(onnx_file *file, size_t number) {
    do {
        unsigned char byte = (unsigned char)((number & 127) | (number > 127 ? 128 : 0));
        append_bytes(file, &byte, 1);
        number >>= 7;
    } while (number > 0);
}

void append_field(onnx_file *file, unsigned number, const void *bytes, size_t count) {
    append_number(file, number << 3 | 2);
    append_number(file, count);
    append_bytes(file, bytes, count);
}

void append_to_graph(onnx_file *model, const onnx_file *more) {
    append_field(model, 7, more->bytes, more->count);
}

/* ---- Models made by tests -------------------------------------------------------------------- */

static void add_message(onnx_file *file, unsigned number, const ProtobufCMessage *message) {
    size_t count = protobuf_c_message_get_packed_size(message);
    unsigned char *bytes = malloc(count + 1);
    assert_non_null(bytes);
    protobuf_c_message_pack(message, bytes);
    append_field(file, number, bytes, count);
    free(bytes);
}

static void add_value_info(
    onnx_file *graph, unsigned number, const char *name, int type, size_t rank,
    const int64_t *dims) {
    enum { MOST = 12 };
    TnniOnnx__TensorShapeProto__Dimension sizes[MOST];
    TnniOnnx__TensorShapeProto__Dimension *pointers[MOST];
    TnniOnnx__TensorShapeProto shape = TNNI_ONNX__TENSOR_SHAPE_PROTO__INIT;
    TnniOnnx__TypeProto__Tensor tensor = TNNI_ONNX__TYPE_PROTO__TENSOR__INIT;
    TnniOnnx__TypeProto of = TNNI_ONNX__TYPE_PROTO__INIT;
    TnniOnnx__ValueInfoProto info = TNNI_ONNX__VALUE_INFO_PROTO__INIT;
    assert_in_range(rank, 0, MOST);
    for (size_t d = 0; d < rank; d++) {
        sizes[d] =
            (TnniOnnx__TensorShapeProto__Dimension)TNNI_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT;
        sizes[d].has_dim_value = dims[d] > 0;
        sizes[d].dim_value = dims[d];
        pointers[d] = &sizes[d];
    }
    shape.n_dim = rank;
    shape.dim = pointers;
    tensor.has_elem_type = true;
    tensor.elem_type = type;
    tensor.shape = dims ? &shape : NULL;
    of.tensor_type = &tensor;
    info.name = (char *)(uintptr_t)name;
    info.type = &of;
    add_message(graph, number, &info.base);
}

void add_input(onnx_file *graph, const char *name, int type, size_t rank, const int64_t *dims) {
    add_value_info(graph, 11, name, type, rank, dims);
}

void add_output(onnx_file *graph, const char *name) {
    add_value_info(graph, 12, name, TNNI_ONNX_FLOAT, 0, NULL);
}

static size_t count_of(size_t rank, const int64_t *dims) {
    size_t count = 1;
    for (size_t d = 0; d < rank; d++)
        count *= (size_t)dims[d];
    return count;
}

static TnniOnnx__TensorProto tensor_proto(
    const char *name, int type, size_t rank, const int64_t *dims) {
    TnniOnnx__TensorProto tensor = TNNI_ONNX__TENSOR_PROTO__INIT;
    tensor.name = (char *)(uintptr_t)name;
    tensor.has_data_type = true;
    tensor.data_type = type;
    tensor.n_dims = rank;
    tensor.dims = (int64_t *)(uintptr_t)dims;
    return tensor;
}

void add_tensor(
    onnx_file *graph, const char *name, size_t rank, const int64_t *dims, const float *values) {
    TnniOnnx__TensorProto tensor = tensor_proto(name, TNNI_ONNX_FLOAT, rank, dims);
    tensor.n_float_data = count_of(rank, dims);
    tensor.float_data = (float *)(uintptr_t)values;
    add_message(graph, 5, &tensor.base);
}

void add_ints(onnx_file *graph, const char *name, size_t count, const int64_t *values) {
    const int64_t dims[] = {(int64_t)count};
    TnniOnnx__TensorProto tensor = tensor_proto(name, TNNI_ONNX_INT64, 1, dims);
    tensor.n_int64_data = count;
    tensor.int64_data = (int64_t *)(uintptr_t)values;
    add_message(graph, 5, &tensor.base);
}

/* Words between any of the separators, in place; returns their number. */
static size_t split_words(char *text, const char *separators, char **words, size_t most) {
    size_t count = 0;
    for (char *word = strtok(text, separators); word; word = strtok(NULL, separators)) {
        assert_true(count < most);
        words[count++] = word;
    }
    return count;
}

enum { MOST_LISTED = 8 };

/* An attribute, and where its lists are. */
typedef struct attribute {
    TnniOnnx__AttributeProto proto;
    float floats[MOST_LISTED];
    int64_t ints[MOST_LISTED];
} attribute;

/* "[0,1]" */
static void list_attribute(attribute *made, char *value, bool is_float) {
    for (char *at = value; *at != ']';) {
        size_t count = made->proto.n_floats + made->proto.n_ints;
        assert_in_range(count, 0, MOST_LISTED - 1);
        if (is_float)
            made->floats[made->proto.n_floats++] = strtof(at + 1, &at);
        else
            made->ints[made->proto.n_ints++] = strtoll(at + 1, &at, 10);
        assert_true(*at == ',' || *at == ']');
    }
    made->proto.floats = made->floats;
    made->proto.ints = made->ints;
}

static void make_attribute(attribute *made, char *word) {
    enum { FLOAT = 1, INT = 2, STRING = 3, TENSOR = 4, FLOATS = 6, INTS = 7 };
    TnniOnnx__AttributeProto *proto = &made->proto;
    *proto = (TnniOnnx__AttributeProto)TNNI_ONNX__ATTRIBUTE_PROTO__INIT;
    char *value = word + strcspn(word, "=~");
    proto->has_type = *value == '=';
    assert_true(*value != '\0');
    *value++ = '\0';
    proto->name = word;
    bool is_float = strchr(value, '.') || strcmp(value, "float") == 0;
    proto->type = is_float ? FLOAT : INT;
    if (*value == '[') {
        list_attribute(made, value, is_float);
        proto->type = is_float ? FLOATS : INTS;
    } else if (*value == '\'') {
        proto->has_s = true;
        proto->s = (ProtobufCBinaryData){strcspn(value + 1, "'"), (uint8_t *)value + 1};
        proto->type = STRING;
    } else if (strcmp(value, "tensor") == 0) {
        proto->type = TENSOR;
    } else if (strcmp(value, "float") != 0 && strcmp(value, "int") != 0) {
        proto->has_f = is_float;
        proto->f = strtof(value, NULL);
        proto->has_i = !is_float;
        proto->i = strtoll(value, NULL, 10);
    }
}

/* An input "-" is left out. */
void add_node(onnx_file *graph, const char *line) {
    enum { MOST = 8 };
    char text[256];
    char *inputs[MOST];
    char *words[MOST];
    attribute attributes[MOST];
    TnniOnnx__AttributeProto *pointers[MOST];
    TnniOnnx__NodeProto node = TNNI_ONNX__NODE_PROTO__INIT;
    static char nothing[] = "";
    snprintf(text, sizeof text, "%s", line);
    char *output = text;
    char *colon = strchr(text, ':');
    if (colon) {
        *colon = '\0';
        node.domain = text;
        output = colon + 1;
    }
    char *equals = strstr(output, " = ");
    assert_non_null(equals);
    *equals = '\0';
    char *type = equals + 3;
    char *open = strchr(type, '(');
    char *close = strchr(type, ')');
    assert_true(open && close);
    *open = *close = '\0';
    node.n_input = split_words(open + 1, ", ", inputs, MOST);
    for (size_t i = 0; i < node.n_input; i++)
        if (strcmp(inputs[i], "-") == 0)
            inputs[i] = nothing;
    node.n_attribute = split_words(close + 1, " ", words, MOST);
    for (size_t i = 0; i < node.n_attribute; i++) {
        make_attribute(&attributes[i], words[i]);
        pointers[i] = &attributes[i].proto;
    }
    node.op_type = type;
    node.input = inputs;
    node.n_output = 1;
    node.output = &output;
    node.attribute = pointers;
    add_message(graph, 1, &node.base);
}

onnx_file finish_model(onnx_file *graph, int64_t opset) {
    TnniOnnx__OperatorSetIdProto set = TNNI_ONNX__OPERATOR_SET_ID_PROTO__INIT;
    onnx_file model = {0};
    set.has_version = true;
    set.version = opset;
    add_message(&model, 8, &set.base);
    append_to_graph(&model, graph);
    free_onnx_file(graph);
    return model;
}

/* ---- Outputs --------------------------------------------------------------------------------- */

float *read_onnx_tensor(const onnx_file *file, size_t *count, size_t dims[2]) {
    tnni_onnx_tensor tensor;
    TnniOnnx__TensorProto *proto = tnni_onnx__tensor_proto__unpack(NULL, file->count, file->bytes);
    assert_non_null(proto);
    assert_ok(tnni_onnx_tensor_of("read_onnx_tensor", proto, &tensor));
    float *values = malloc((tensor.count + 1) * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < tensor.count; i++)
        values[i] = (float)tnni_onnx_element(&tensor, i);
    for (size_t d = 0; d < 2; d++)
        dims[d] = d < tensor.rank ? (size_t)tensor.dims[d] : 1;
    *count = tensor.count;
    tnni_onnx__tensor_proto__free_unpacked(proto, NULL);
    return values;
}

void assert_onnx_outputs(
    const char *name, tnn_net *net, size_t rows, const float *x, const float *expected) {
    tnn_workspace *workspace = NULL;
    size_t outputs = tnn_net_outputs(net);
    float *y = malloc(rows * outputs * sizeof *y);
    assert_non_null(y);
    assert_ok(tnn_workspace_create(&workspace, net, rows));
    assert_ok(tnn_predict(net, workspace, rows, x, y));
    for (size_t i = 0; i < rows * outputs; i++) {
        double limit = 1e-5 * (1.0 + fabs((double)expected[i]));
        if (!(fabs((double)y[i] - expected[i]) <= limit))
            fail_msg(
                "%s: output %zu is %g, expected %g", name, i, (double)y[i], (double)expected[i]);
    }
    tnn_workspace_destroy(workspace);
    free(y);
}
