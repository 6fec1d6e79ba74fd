/*
 * The net that a graph describes, as far as its nodes have been read: layers one after the other,
 * and the value that came out of the last of them.
 */
#ifndef TINYNN_ONNX_CHAIN_H
#define TINYNN_ONNX_CHAIN_H

#include "onnx/tensor.h"

/* v -> factor v + offset, column by column. count is the number of columns, or they repeat, which
 * one for all of them does: a constant that holds for each of several possible rows.
 * Then times then_factor, plus then_offset: so one number changes all columns in one step. */
typedef struct tnni_onnx_affine {
    bool is_there;
    size_t count;
    double *factor;
    double *offset;
    double then_factor;
    double then_offset;
    size_t node; /* the last that had to do with it */
} tnni_onnx_affine;

typedef struct tnni_onnx_layer {
    size_t node;   /* from which it comes */
    size_t inputs; /* 0: as many as the net's, which are not known yet */
    size_t units;
    bool is_product;          /* or a layer of one weight a unit, on the diagonal */
    tnni_onnx_tensor weights; /* [inputs, units]; of a product */
    double alpha;             /* a factor of them */
    tnni_onnx_affine after;   /* of each unit; offsets are biases */
    bool has_biases;
    bool is_closed; /* an activation has been applied */
    tnn_activation activation;
} tnni_onnx_layer;

/*
 * Elements of the value lie in rows: the dimensions before split number them, those from split on
 * are the columns. What fixes it is the first node for which it makes a difference.
 */
typedef struct tnni_onnx_chain {
    const char *where; /* "function: file: node", for messages */
    const TnniOnnx__GraphProto *graph;
    size_t node; /* that is being read; or the last one that was; SIZE_MAX: none */
    tnni_onnx_memory *memory;
    tnn_load_limits limits;

    size_t rank;
    int64_t dims[TNNI_ONNX_MOST_RANK]; /* -1: not known */
    bool is_split;
    size_t split;
    size_t most_split;  /* while it is not fixed: constants before it have columns from there on */
    bool is_transposed; /* rank 2, and rows are columns */
    size_t version;     /* counts the values */

    tnni_onnx_affine pending; /* of the value, not yet in a layer */
    tnni_onnx_affine input;   /* before the first layer */
    tnni_onnx_affine output;  /* behind the last one */

    size_t layer_count;
    size_t layer_capacity;
    tnni_onnx_layer *layers;
    size_t diagonal_weights; /* of the layers that are no products, and of the zeros around them */
} tnni_onnx_chain;

/* A chain of no layers, in which the value is the input. No more than that many layers will come.
 * TNN_OUT_OF_MEMORY. */
tnn_status tnni_onnx_chain_begin(
    tnni_onnx_chain *chain, tnni_onnx_memory *memory, size_t most_layers);

/* All of these fail with TNN_UNSUPPORTED, TNN_BAD_FORMAT or TNN_OUT_OF_MEMORY, in words that begin
 * with chain->where. */

/* value = alpha value weights + biases; weights are [K, M], or [K] for one unit. biases, unless it
 * is NULL, is multiplied by beta. */
tnn_status tnni_onnx_chain_multiply(
    tnni_onnx_chain *chain, const tnni_onnx_tensor *weights, double alpha, bool transposes,
    const tnni_onnx_tensor *biases, double beta);
/* value = factor value + offset; one of the two is NULL, and 1 or 0. */
tnn_status tnni_onnx_chain_scale(
    tnni_onnx_chain *chain, const tnni_onnx_tensor *factor, bool divides,
    const tnni_onnx_tensor *offset, bool subtracts);
tnn_status tnni_onnx_chain_activate(tnni_onnx_chain *chain, tnn_activation activation);

/* Columns begin at this dimension. */
tnn_status tnni_onnx_chain_split(tnni_onnx_chain *chain, size_t split);
/* Gives the value another shape, with the same elements in the same order. */
tnn_status tnni_onnx_chain_reshape(tnni_onnx_chain *chain, size_t rank, const int64_t *dims);
/* Into one dimension of rows and one of columns, which begin at axis. */
tnn_status tnni_onnx_chain_flatten(tnni_onnx_chain *chain, size_t axis);
tnn_status tnni_onnx_chain_transpose(tnni_onnx_chain *chain, const size_t *order);

/* Product of dimensions; -1 if it is not known, or no int64_t. */
int64_t tnni_onnx_product(const int64_t *dims, size_t first, size_t end);

/* The value is the output: what is pending becomes a scaling, sizes are settled. */
tnn_status tnni_onnx_chain_end(tnni_onnx_chain *chain);

/* The net of a chain that has ended. */
tnn_status tnni_onnx_chain_to_net(
    const tnni_onnx_chain *chain, tnn_net **net, const tnn_net_options *options);

#endif
