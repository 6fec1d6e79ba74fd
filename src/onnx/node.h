/*
 * One node on its way into a constant or along the chain: its attributes, inputs and result, and
 * what each operator does with them.
 */
#ifndef TINYNN_ONNX_NODE_H
#define TINYNN_ONNX_NODE_H

#include "onnx/graph.h"

#include <math.h>

typedef struct tnni_onnx_reader {
    tnni_onnx_graph *graph;
    tnni_onnx_chain *chain;
    const TnniOnnx__NodeProto *node;
    tnni_onnx_value *result;
    const char *where; /* "function: file: node" */
} tnni_onnx_reader;

/* ---- node.c ---------------------------------------------------------------------------------- */

/* Attributes are of the kind that the operator has, which is checked before it is read. NULL: it
 * is left out. */
const TnniOnnx__AttributeProto *tnni_onnx_attribute(const tnni_onnx_reader *r, const char *name);
int64_t tnni_onnx_int(const tnni_onnx_reader *r, const char *name, int64_t otherwise);
float tnni_onnx_float(const tnni_onnx_reader *r, const char *name, float otherwise);

/* NULL: it is left out. */
tnni_onnx_value *tnni_onnx_input(const tnni_onnx_reader *r, size_t index);
/* NULL: it is none. */
const tnni_onnx_tensor *tnni_onnx_constant(const tnni_onnx_reader *r, size_t index);
/* Does it depend on the model's input? */
bool tnni_onnx_is_of_chain(const tnni_onnx_reader *r, size_t index);
/* One number; false for anything else. */
bool tnni_onnx_number(const tnni_onnx_tensor *tensor, double *number);

tnn_status tnni_onnx_missing_input(const tnni_onnx_reader *r, size_t index);
tnn_status tnni_onnx_not_constant(const tnni_onnx_reader *r, size_t index);
/* Is the first input the chain's value, whole? */
tnn_status tnni_onnx_check_value(const tnni_onnx_reader *r);
/* Type of the input that depends on the model's; 0: there is none. */
int tnni_onnx_value_type(const tnni_onnx_reader *r);
/* Are constants among the inputs of the same type? */
tnn_status tnni_onnx_check_types(const tnni_onnx_reader *r);
/* *at is the axis, from 0 to most; a negative one counts from the end. */
tnn_status tnni_onnx_check_axis(
    const tnni_onnx_reader *r, int64_t axis, size_t most, size_t rank, size_t *at);

/* The node's result: a constant, what the chain has come to by then (which is where status came
 * from), or the same as an input. */
tnn_status tnni_onnx_set_constant(tnni_onnx_reader *r, const tnni_onnx_tensor *tensor);
tnn_status tnni_onnx_set_value(tnni_onnx_reader *r, tnn_status status);
tnn_status tnni_onnx_set_same(tnni_onnx_reader *r, size_t index);

static inline bool tnni_onnx_is_near(double value, double expected, double tolerance) {
    return fabs(value - expected) <= tolerance * fabs(expected);
}

/* ---- Operators: of constants (fold), of the chain's value (read), or of either (do) -----------
 */

/* arithmetic.c: Add, Sub, Mul, Div by their names */
tnn_status tnni_onnx_fold_arithmetic(tnni_onnx_reader *r);
tnn_status tnni_onnx_read_arithmetic(tnni_onnx_reader *r);
tnn_status tnni_onnx_fold_negation(tnni_onnx_reader *r);
tnn_status tnni_onnx_read_negation(tnni_onnx_reader *r);
tnn_status tnni_onnx_fold_square_root(tnni_onnx_reader *r);
tnn_status tnni_onnx_read_abs(tnni_onnx_reader *r);
tnn_status tnni_onnx_read_erf(tnni_onnx_reader *r);
tnn_status tnni_onnx_read_gemm(tnni_onnx_reader *r);
tnn_status tnni_onnx_read_matmul(tnni_onnx_reader *r);
tnn_status tnni_onnx_read_sigmoid(tnni_onnx_reader *r);

/* shapes.c */
tnn_status tnni_onnx_do_flatten(tnni_onnx_reader *r);
tnn_status tnni_onnx_do_identity(tnni_onnx_reader *r);
tnn_status tnni_onnx_do_reshape(tnni_onnx_reader *r);
tnn_status tnni_onnx_do_squeeze(tnni_onnx_reader *r);
tnn_status tnni_onnx_do_transpose(tnni_onnx_reader *r);
tnn_status tnni_onnx_do_unsqueeze(tnni_onnx_reader *r);
tnn_status tnni_onnx_fold_cast(tnni_onnx_reader *r);
tnn_status tnni_onnx_fold_constant(tnni_onnx_reader *r);
tnn_status tnni_onnx_read_cast(tnni_onnx_reader *r);
tnn_status tnni_onnx_read_dropout(tnni_onnx_reader *r);

/* activations.c */
tnn_status tnni_onnx_read_clip(tnni_onnx_reader *r);
tnn_status tnni_onnx_read_elu(tnni_onnx_reader *r);
tnn_status tnni_onnx_read_gelu(tnni_onnx_reader *r);
tnn_status tnni_onnx_read_hard_sigmoid(tnni_onnx_reader *r);
tnn_status tnni_onnx_read_leaky_relu(tnni_onnx_reader *r);
tnn_status tnni_onnx_read_relu(tnni_onnx_reader *r);
tnn_status tnni_onnx_read_selu(tnni_onnx_reader *r);
tnn_status tnni_onnx_read_softmax(tnni_onnx_reader *r);
tnn_status tnni_onnx_read_softplus(tnni_onnx_reader *r);
tnn_status tnni_onnx_read_softsign(tnni_onnx_reader *r);
tnn_status tnni_onnx_read_tanh(tnni_onnx_reader *r);

#endif
