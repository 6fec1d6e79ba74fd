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
