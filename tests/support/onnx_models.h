/*
 * onnx_models.h: ONNX files for tests: read, put together from other ones, and compared with what
 * is stored next to them.
 */
#ifndef TINYNN_TESTS_ONNX_MODELS_H
#define TINYNN_TESTS_ONNX_MODELS_H

#include "testing.h"

#include <onnx.pb-c.h>
#include <tinynn/onnx.h>

/* Bytes to be freed. */
typedef struct onnx_file {
    unsigned char *bytes;
    size_t count;
} onnx_file;

/* bytes is NULL if there is no such file. */
onnx_file read_onnx_file(const char *path);
void free_onnx_file(onnx_file *file);
void append_bytes(onnx_file *file, const void *bytes, size_t count);

/* Appends a field that holds bytes. A message that comes twice is merged, so this extends what is
 * there: ONNX's TensorProto, say, with a name. */
void append_field(onnx_file *file, unsigned number, const void *bytes, size_t count);

/* A model that has these more bytes of a GraphProto in its graph. */
void append_to_graph(onnx_file *model, const onnx_file *more);

/* ---- Models made by tests -------------------------------------------------------------------- */

/* A graph in the making: bytes of a GraphProto. */
void add_input(onnx_file *graph, const char *name, int type, size_t rank, const int64_t *dims);
void add_output(onnx_file *graph, const char *name);
/* A float tensor. */
void add_tensor(
    onnx_file *graph, const char *name, size_t rank, const int64_t *dims, const float *values);
/* Of whole numbers. */
void add_ints(onnx_file *graph, const char *name, size_t count, const int64_t *values);
/* "name = Type(a, b) attribute=0.5 other=2": attributes with a point are floats, those in quotes
 * strings ('none'), those in brackets lists ([0,1] or [0.5,1.0]). "=float", "=int" and "=tensor"
 * have a type and no value, as proto3 leaves out 0; "~" in place of "=" is an attribute without a
 * type. A node whose line begins with "domain:" is of that domain. */
void add_node(onnx_file *graph, const char *line);
/* The model of a graph, which is freed, with this version of operators. */
onnx_file finish_model(onnx_file *graph, int64_t opset);

/* ---- Outputs --------------------------------------------------------------------------------- */

/* The elements of a TensorProto as floats, to be freed; fails the test if they are no numbers. */
float *read_onnx_tensor(const onnx_file *file, size_t *count, size_t dims[2]);

/* |y - expected| <= 1e-5 (1 + |expected|) for all of them. */
void assert_onnx_outputs(
    const char *name, tnn_net *net, size_t rows, const float *x, const float *expected);

#endif /* TINYNN_TESTS_ONNX_MODELS_H */
