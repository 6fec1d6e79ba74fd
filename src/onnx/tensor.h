/* Constants: the tensors of a file, seen where they lie, and what is computed of them. */
#ifndef TINYNN_ONNX_TENSOR_H
#define TINYNN_ONNX_TENSOR_H

#include "onnx/memory.h"

#include <onnx.pb-c.h>

/* Element types as ONNX numbers them: those that are read. */
typedef enum tnni_onnx_type {
    TNNI_ONNX_FLOAT = 1,
    TNNI_ONNX_INT32 = 6,
    TNNI_ONNX_INT64 = 7,
    TNNI_ONNX_BOOL = 9,
    TNNI_ONNX_FLOAT16 = 10,
    TNNI_ONNX_DOUBLE = 11
} tnni_onnx_type;

enum { TNNI_ONNX_MOST_RANK = 8 };

/*
 * Element [i, j, ...] is number i strides[0] + j strides[1] + ... of what is stored, so that a
 * transposition moves nothing. Integers beyond 2^53 lose digits; none of them has a use here.
 */
typedef struct tnni_onnx_tensor {
    int type; /* tnni_onnx_type */
    size_t rank;
    int64_t dims[TNNI_ONNX_MOST_RANK];
    size_t strides[TNNI_ONNX_MOST_RANK];
    size_t count;
    double (*load)(const void *data, size_t number);
    const void *data;
} tnni_onnx_tensor;

static inline double tnni_onnx_stored(const tnni_onnx_tensor *tensor, size_t number) {
    return tensor->load(tensor->data, number);
}

/* Of the elements in their order, number 0 to count - 1. */
double tnni_onnx_element(const tnni_onnx_tensor *tensor, size_t index);

typedef struct tnni_onnx_text {
    char text[160];
} tnni_onnx_text;
/* "float16[3, 2]" */
tnni_onnx_text tnni_onnx_describe(const tnni_onnx_tensor *tensor);
/* "node 3, "name" (Gemm)"; "the graph" if there is no such node */
tnni_onnx_text tnni_onnx_name_node(const TnniOnnx__GraphProto *graph, size_t index);
/* "int8", or "type 77" */
tnni_onnx_text tnni_onnx_type_name(int type);

/*
 * What follows fails with TNN_BAD_FORMAT, TNN_UNSUPPORTED or TNN_OUT_OF_MEMORY, in words that begin
 * with where. A result may share the elements of an argument.
 */

/* Checks that the elements are there, and looks at them from now on. */
tnn_status tnni_onnx_tensor_of(
    const char *where, const TnniOnnx__TensorProto *proto, tnni_onnx_tensor *tensor);
/* Of count numbers that stay where they are. */
tnni_onnx_tensor tnni_onnx_tensor_of_doubles(int type, size_t count, const double *values);
tnni_onnx_tensor tnni_onnx_tensor_of_ints(size_t count, const int64_t *values);
tnni_onnx_tensor tnni_onnx_tensor_of_floats(size_t count, const float *values);

/* The same elements in another shape of as many. */
tnn_status tnni_onnx_reshape(
    const char *where, tnni_onnx_memory *memory, const tnni_onnx_tensor *tensor, size_t rank,
    const int64_t *dims, tnni_onnx_tensor *result);
/* Dimension i of the result is number order[i], a permutation, of the tensor. */
tnni_onnx_tensor tnni_onnx_transpose(const tnni_onnx_tensor *tensor, const size_t *order);
tnn_status tnni_onnx_cast(
    const char *where, tnni_onnx_memory *memory, const tnni_onnx_tensor *tensor, int type,
    tnni_onnx_tensor *result);
/* Rounded to their type. operation is '+', '-', '*' or '/'. No larger than the larger of the two.
 */
tnn_status tnni_onnx_combine(
    const char *where, tnni_onnx_memory *memory, char operation, const tnni_onnx_tensor *a,
    const tnni_onnx_tensor *b, tnni_onnx_tensor *result);
tnn_status tnni_onnx_square_root(
    const char *where, tnni_onnx_memory *memory, const tnni_onnx_tensor *tensor,
    tnni_onnx_tensor *result);

#endif
