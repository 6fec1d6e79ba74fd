/*
 * The operators that are read, and each node on its way to one of them: what it does to constants
 * (fold), and to the value of the chain (read).
 */
#include "onnx/node.h"

#include "support/source.h"
#include "support/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct operator_entry {
    const char *name;
    size_t most_inputs;
    int64_t oldest;         /* version of ONNX's operators that has it in this form */
    const char *attributes; /* those that are known, each with its kind before it: float (f), int
                             * (i), string (s), tensor (t), floats (F), ints (I); and with the
                             * version that has it no longer */
    tnn_status (*fold)(tnni_onnx_reader *r);
    tnn_status (*read)(tnni_onnx_reader *r);
} operator_entry;

static const operator_entry operators[] = {
    {"Abs", 1, 6, "", NULL, tnni_onnx_read_abs},
    {"Add", 2, 6, "i:broadcast<7", tnni_onnx_fold_arithmetic, tnni_onnx_read_arithmetic},
    {"Cast", 1, 6, "i:to i:saturate", tnni_onnx_fold_cast, tnni_onnx_read_cast},
    {"Clip", 3, 6, "f:min<11 f:max<11", NULL, tnni_onnx_read_clip},
    {"Constant", 0, 1, "t:value f:value_float i:value_int F:value_floats I:value_ints",
     tnni_onnx_fold_constant, NULL},
    {"Div", 2, 6, "i:broadcast<7", tnni_onnx_fold_arithmetic, tnni_onnx_read_arithmetic},
    {"Dropout", 3, 6, "f:ratio<12 i:is_test<7 i:seed", NULL, tnni_onnx_read_dropout},
    {"Elu", 1, 6, "f:alpha", NULL, tnni_onnx_read_elu},
    {"Erf", 1, 9, "", NULL, tnni_onnx_read_erf},
    {"Flatten", 1, 1, "i:axis", tnni_onnx_do_flatten, tnni_onnx_do_flatten},
    {"Gelu", 1, 20, "s:approximate", NULL, tnni_onnx_read_gelu},
    {"Gemm", 3, 6, "f:alpha f:beta i:transA i:transB i:broadcast<7", NULL, tnni_onnx_read_gemm},
    {"HardSigmoid", 1, 6, "f:alpha f:beta", NULL, tnni_onnx_read_hard_sigmoid},
    {"Identity", 1, 1, "", tnni_onnx_do_identity, tnni_onnx_do_identity},
    {"LeakyRelu", 1, 6, "f:alpha", NULL, tnni_onnx_read_leaky_relu},
    {"MatMul", 2, 1, "", NULL, tnni_onnx_read_matmul},
    {"Mul", 2, 6, "i:broadcast<7", tnni_onnx_fold_arithmetic, tnni_onnx_read_arithmetic},
    {"Neg", 1, 6, "", tnni_onnx_fold_negation, tnni_onnx_read_negation},
    {"Relu", 1, 6, "", NULL, tnni_onnx_read_relu},
    {"Reshape", 2, 5, "i:allowzero", tnni_onnx_do_reshape, tnni_onnx_do_reshape},
    {"Selu", 1, 6, "f:alpha f:gamma", NULL, tnni_onnx_read_selu},
    {"Sigmoid", 1, 6, "", NULL, tnni_onnx_read_sigmoid},
    {"Softmax", 1, 1, "i:axis", NULL, tnni_onnx_read_softmax},
    {"Softplus", 1, 1, "", NULL, tnni_onnx_read_softplus},
    {"Softsign", 1, 1, "", NULL, tnni_onnx_read_softsign},
    {"Sqrt", 1, 6, "", tnni_onnx_fold_square_root, NULL},
    {"Squeeze", 2, 1, "I:axes<13", tnni_onnx_do_squeeze, tnni_onnx_do_squeeze},
    {"Sub", 2, 6, "i:broadcast<7", tnni_onnx_fold_arithmetic, tnni_onnx_read_arithmetic},
    {"Tanh", 1, 6, "", NULL, tnni_onnx_read_tanh},
    {"Transpose", 1, 1, "I:perm", tnni_onnx_do_transpose, tnni_onnx_do_transpose},
    {"Unsqueeze", 2, 1, "I:axes<13", tnni_onnx_do_unsqueeze, tnni_onnx_do_unsqueeze},
};

/* ---- Is it known? ---------------------------------------------------------------------------- */

/* The entry "k:name" or "k:name<version" of a name in a list with blanks between; NULL: none. */
static const char *find_listed(const char *list, const char *name) {
    size_t length = strlen(name);
    for (const char *at = list; *at; at += *at == ' ') {
        if (strcspn(at, " <") == length + 2 && memcmp(at + 2, name, length) == 0)
            return at;
        at += strcspn(at, " ");
    }
    return NULL;
}

/* The version of ONNX's operators that an attribute is no longer in. */
static int64_t end_of(const char *listed) {
    const char *end = listed + strcspn(listed, " <");
    return *end == '<' ? strtoll(end + 1, NULL, 10) : INT64_MAX;
}

typedef struct attribute_kind {
    char letter;
    int type; /* as ONNX numbers them */
    const char *name;
} attribute_kind;

static const attribute_kind kinds[] = {
    {'f', 1, "a float"},  {'i', 2, "an int"},           {'s', 3, "a string"},
    {'t', 4, "a tensor"}, {'F', 6, "a list of floats"}, {'I', 7, "a list of ints"},
};

/*
 * Does the attribute hold what is expected, and nothing else? Files of today say so in its type;
 * then a number that is not there is 0, which serializers of proto3 leave out, and a list may be
 * empty. Before there was the type, the field itself was what told.
 */
static bool holds(const TnniOnnx__AttributeProto *attribute, const attribute_kind *expected) {
    const struct {
        char letter;
        bool is_there;
    } fields[] = {
        {'f', attribute->has_f},     {'i', attribute->has_i},        {'s', attribute->has_s},
        {'t', attribute->t != NULL}, {'F', attribute->n_floats > 0}, {'I', attribute->n_ints > 0},
    };
    bool is_typed = attribute->type != 0;
    bool is_there = false;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (fields[i].is_there && fields[i].letter != expected->letter)
            return false;
        is_there = is_there || fields[i].is_there;
    }
    if (is_typed)
        return attribute->type == expected->type && (is_there || expected->letter != 't');
    return is_there;
}

static tnn_status check_attribute(
    const tnni_onnx_reader *r, const operator_entry *entry, size_t index) {
    const TnniOnnx__AttributeProto *attribute = r->node->attribute[index];
    const char *name = attribute->name ? attribute->name : "";
    const attribute_kind *expected = kinds;
    const char *listed = find_listed(entry->attributes, name);
    if (!listed)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: the attribute \"%s\" is not known", r->where,
            tnni_excerpt_of(name, strlen(name)).text);
    if (tnni_onnx_attribute(r, name) != attribute)
        return tnni_fail(TNN_BAD_FORMAT, "%s: the attribute \"%s\" comes twice", r->where, name);
    if (r->graph->opset >= end_of(listed))
        return tnni_fail(
            TNN_BAD_FORMAT,
            "%s: the attribute \"%s\" is of versions of ONNX's operators before %" PRId64
            ", and the model of %" PRId64,
            r->where, name, end_of(listed), r->graph->opset);
    while (expected->letter != *listed)
        expected++;
    if (!holds(attribute, expected))
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: the attribute \"%s\" is not %s", r->where, name, expected->name);
    return TNN_OK;
}

/* One that is not known might change what the operator does. */
static tnn_status check_attributes(const tnni_onnx_reader *r, const operator_entry *entry) {
    tnn_status status = TNN_OK;
    for (size_t i = 0; i < r->node->n_attribute && status == TNN_OK; i++)
        status = check_attribute(r, entry, i);
    return status;
}

static const operator_entry *find_operator(const char *name) {
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (strcmp(operators[i].name, name) == 0)
            return &operators[i];
    return NULL;
}

static bool is_own_domain(const char *domain) {
    return !domain || !*domain || strcmp(domain, "ai.onnx") == 0;
}

static tnn_status find_entry(const tnni_onnx_reader *r, const operator_entry **found) {
    const char *domain = r->node->domain;
    const char *name = r->node->op_type ? r->node->op_type : "";
    if (!is_own_domain(domain))
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: an operator of \"%s\", not of ONNX itself", r->where,
            tnni_excerpt_of(domain, strlen(domain)).text);
    *found = find_operator(name);
    if (!*found)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: this operator has no place in a net of dense layers", r->where);
    if (r->graph->opset < (*found)->oldest)
        return tnni_fail(
            TNN_UNSUPPORTED,
            "%s: of version %" PRId64 " of ONNX's operators, expected %" PRId64 " or later",
            r->where, r->graph->opset, (*found)->oldest);
    if (r->node->n_input > (*found)->most_inputs)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: %zu inputs, expected at most %zu", r->where, r->node->n_input,
            (*found)->most_inputs);
    return check_attributes(r, *found);
}

/* ---- Reading ----------------------------------------------------------------------------------
 */

static tnn_status read_initializer(const tnni_onnx_reader *r, tnni_onnx_value *value) {
    tnni_onnx_tensor tensor;
    tnn_status status = tnni_onnx_tensor_of(r->where, value->initializer, &tensor);
    if (status != TNN_OK)
        return status;
    value->constant = tnni_onnx_take(r->graph->memory, 1, sizeof *value->constant);
    if (!value->constant)
        return tnni_onnx_no_memory(r->graph->memory, r->where);
    *value->constant = tensor;
    value->kind = TNNI_ONNX_CONSTANT;
    return TNN_OK;
}

/* Is it a constant, or of the chain as it is now? */
static tnn_status prepare_input(const tnni_onnx_reader *r, size_t index) {
    tnni_onnx_value *value = tnni_onnx_input(r, index);
    const char *name = r->node->input[index];
    switch (value->kind) {
    case TNNI_ONNX_INITIALIZER:
        return read_initializer(r, value);
    case TNNI_ONNX_SPARSE:
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: tensor \"%s\" is sparse", r->where,
            tnni_excerpt_of(name, strlen(name)).text);
    case TNNI_ONNX_INPUT:
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: \"%s\" is another input of the model, a net has one", r->where,
            tnni_excerpt_of(name, strlen(name)).text);
    case TNNI_ONNX_UNKNOWN:
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: \"%s\" is an output of its node that has no place in a net",
            r->where, tnni_excerpt_of(name, strlen(name)).text);
    case TNNI_ONNX_VALUE:
    case TNNI_ONNX_PART:
        if (value->version != r->chain->version)
            return tnni_fail(
                TNN_UNSUPPORTED,
                "%s: it takes \"%s\", from which a node before it has gone on; a net is a chain "
                "without branches",
                r->where, tnni_excerpt_of(name, strlen(name)).text);
        return TNN_OK;
    case TNNI_ONNX_CONSTANT:
        return TNN_OK;
    }
    return TNN_OK;
}

static tnn_status run(tnni_onnx_reader *r, const operator_entry *entry) {
    bool is_constant = true;
    for (size_t i = 0; i < r->node->n_input; i++) {
        tnn_status status = *r->node->input[i] ? prepare_input(r, i) : TNN_OK;
        if (status != TNN_OK)
            return status;
        is_constant = is_constant && !tnni_onnx_is_of_chain(r, i);
    }
    if (is_constant && !entry->fold)
        return tnni_fail(TNN_UNSUPPORTED, "%s: of constants alone", r->where);
    if (!is_constant && !entry->read)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: of what depends on the model's input, expected constants",
            r->where);
    return is_constant ? entry->fold(r) : entry->read(r);
}

static tnn_status read_node(tnni_onnx_graph *graph, tnni_onnx_chain *chain, size_t index) {
    const TnniOnnx__NodeProto *node = graph->proto->node[index];
    const operator_entry *entry = NULL;
    char where[480];
    snprintf(
        where, sizeof where, "%s: %s", graph->where, tnni_onnx_name_node(graph->proto, index).text);
    tnni_onnx_reader r = {graph, chain, node, tnni_onnx_find_value(graph, node->output[0]), where};
    chain->where = where;
    chain->node = index;
    tnn_status status = find_entry(&r, &entry);
    if (status == TNN_OK && (!r.result || r.result->uses == 0))
        status =
            tnni_fail(TNN_UNSUPPORTED, "%s: not its first output is used, but another one", where);
    if (status == TNN_OK)
        status = run(&r, entry);
    chain->where = graph->where;
    return status;
}

tnn_status tnni_onnx_read_nodes(tnni_onnx_graph *graph, tnni_onnx_chain *chain) {
    tnn_status status = TNN_OK;
    for (size_t i = 0; i < graph->proto->n_node && status == TNN_OK; i++)
        if (tnni_onnx_is_needed(graph, graph->proto->node[i]))
            status = read_node(graph, chain, i);
    return status;
}
