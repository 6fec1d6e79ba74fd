/* A graph's values by name, the order of its nodes, and which of them the output needs. */
#ifndef TINYNN_ONNX_GRAPH_H
#define TINYNN_ONNX_GRAPH_H

#include "onnx/chain.h"

/*
 * A value that is on its way to an activation that exporters write as several nodes:
 * factor [v] f(v), of the chain's value v.
 */
typedef enum tnni_onnx_inner {
    TNNI_ONNX_NOTHING, /* f = 1 */
    TNNI_ONNX_ERF,     /* erf(v / sqrt 2) */
    TNNI_ONNX_ERF_1,   /* the same + 1 */
    TNNI_ONNX_SIGMOID,
    TNNI_ONNX_ABS,
    TNNI_ONNX_ABS_1 /* |v| + 1 */
} tnni_onnx_inner;

typedef struct tnni_onnx_part {
    double factor;
    double tolerance; /* relative, of the factor: its constants are rounded */
    bool has_value;
    tnni_onnx_inner inner;
} tnni_onnx_part;

typedef enum tnni_onnx_kind {
    TNNI_ONNX_UNKNOWN,     /* its node has not been read */
    TNNI_ONNX_INITIALIZER, /* its tensor has not been looked at */
    TNNI_ONNX_SPARSE,
    TNNI_ONNX_CONSTANT,
    TNNI_ONNX_INPUT, /* that is not the net's */
    TNNI_ONNX_VALUE, /* of the chain, of some version */
    TNNI_ONNX_PART   /* made of that */
} tnni_onnx_kind;

typedef struct tnni_onnx_value {
    const char *name;
    tnni_onnx_kind kind;
    size_t definer; /* the node; SIZE_MAX: none */
    size_t uses;    /* by nodes that the output needs, and as the output */
    size_t version; /* of the chain */
    int type;       /* of the chain's values and parts of them: tnni_onnx_type */
    tnni_onnx_part part;
    const TnniOnnx__TensorProto *initializer;
    tnni_onnx_tensor *constant;
} tnni_onnx_value;

typedef struct tnni_onnx_graph {
    const char *where; /* "function: file", for messages */
    tnni_onnx_memory *memory;
    const TnniOnnx__GraphProto *proto;
    int64_t opset; /* version of ONNX's own operators */
    size_t value_count;
    tnni_onnx_value *values; /* in the order of their names */
    tnni_onnx_value *input;  /* the first that is no constant; NULL: none */
    tnni_onnx_value *output;
    const TnniOnnx__ValueInfoProto *input_info;
} tnni_onnx_graph;

/* Fills in all but where, memory, proto and opset. TNN_BAD_FORMAT, TNN_UNSUPPORTED,
 * TNN_OUT_OF_MEMORY. */
tnn_status tnni_onnx_graph_open(tnni_onnx_graph *graph);

/* The value of this name; NULL if there is none. */
tnni_onnx_value *tnni_onnx_find_value(const tnni_onnx_graph *graph, const char *name);

/* Does the output need it? */
bool tnni_onnx_is_needed(const tnni_onnx_graph *graph, const TnniOnnx__NodeProto *node);

/* ---- operators.c ----------------------------------------------------------------------------- */

/* Reads all nodes that the output needs into the chain, whose where it sets meanwhile. */
tnn_status tnni_onnx_read_nodes(tnni_onnx_graph *graph, tnni_onnx_chain *chain);

#endif
