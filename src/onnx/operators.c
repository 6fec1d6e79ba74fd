/*
 * What each operator does: to constants (fold), and to the value of the chain (read).
 */
#include "onnx/graph.h"

#include "support/source.h"
#include "support/status.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The node that is being read. */
typedef struct reader {
    tnni_onnx_graph *graph;
    tnni_onnx_chain *chain;
    const TnniOnnx__NodeProto *node;
    tnni_onnx_value *result;
    const char *where; /* "function: file: node" */
} reader;

typedef struct operator_entry {
    const char *name;
    size_t most_inputs;
    int64_t oldest;         /* version of ONNX's operators that has it in this form */
    const char *attributes; /* those that are known; another one might change what it does */
    tnn_status (*fold)(reader *r);
    tnn_status (*read)(reader *r);
} operator_entry;

/* ---- Attributes ------------------------------------------------------------------------------ */

static const TnniOnnx__AttributeProto *find_attribute(const reader *r, const char *name) {
    for (size_t i = 0; i < r->node->n_attribute; i++)
        if (r->node->attribute[i]->name && strcmp(r->node->attribute[i]->name, name) == 0)
            return r->node->attribute[i];
    return NULL;
}

static int64_t int_attribute(const reader *r, const char *name, int64_t otherwise) {
    const TnniOnnx__AttributeProto *found = find_attribute(r, name);
    return found && found->has_i ? found->i : otherwise;
}

static float float_attribute(const reader *r, const char *name, float otherwise) {
    const TnniOnnx__AttributeProto *found = find_attribute(r, name);
    return found && found->has_f ? found->f : otherwise;
}

/* Is the word among those in a list with blanks between? */
static bool is_listed(const char *list, const char *word) {
    size_t length = strlen(word);
    if (strchr(word, ' '))
        return false;
    for (const char *at = list; length > 0 && (at = strstr(at, word)); at += length)
        if ((at == list || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

static tnn_status check_attributes(const reader *r, const operator_entry *entry) {
    for (size_t i = 0; i < r->node->n_attribute; i++) {
        const char *name = r->node->attribute[i]->name ? r->node->attribute[i]->name : "";
        if (!is_listed(entry->attributes, name))
            return tnni_fail(
                TNN_UNSUPPORTED, "%s: the attribute \"%s\" is not known", r->where,
                tnni_excerpt_of(name, strlen(name)).text);
    }
    return TNN_OK;
}

/* ---- Inputs and results ---------------------------------------------------------------------- */

/* NULL: it is left out. */
static tnni_onnx_value *input(const reader *r, size_t index) {
    if (index >= r->node->n_input || !*r->node->input[index])
        return NULL;
    return tnni_onnx_find_value(r->graph, r->node->input[index]);
}

static const tnni_onnx_tensor *constant(const reader *r, size_t index) {
    const tnni_onnx_value *value = input(r, index);
    return value && value->kind == TNNI_ONNX_CONSTANT ? value->constant : NULL;
}

static bool is_of_chain(const reader *r, size_t index) {
    const tnni_onnx_value *value = input(r, index);
    return value && (value->kind == TNNI_ONNX_VALUE || value->kind == TNNI_ONNX_PART);
}

static tnn_status missing_input(const reader *r, size_t index) {
    return tnni_fail(TNN_BAD_FORMAT, "%s: its input %zu is missing", r->where, index);
}

static tnn_status not_constant(const reader *r, size_t index) {
    if (!input(r, index))
        return missing_input(r, index);
    return tnni_fail(
        TNN_UNSUPPORTED, "%s: its input %zu depends on the model's input, expected a constant",
        r->where, index);
}

/* The operator wants the chain's value, whole, as its first input. */
static tnn_status check_value(const reader *r) {
    const tnni_onnx_value *value = input(r, 0);
    if (!value)
        return missing_input(r, 0);
    if (value->kind == TNNI_ONNX_VALUE)
        return TNN_OK;
    if (value->kind == TNNI_ONNX_CONSTANT)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: a constant is its first input, expected the value", r->where);
    return tnni_fail(
        TNN_UNSUPPORTED,
        "%s: it takes a part of what several nodes compute of one value, which would have to be "
        "GELU, SiLU or softsign; a net is a chain",
        r->where);
}

static tnn_status set_constant(reader *r, const tnni_onnx_tensor *tensor) {
    tnni_onnx_tensor *kept = tnni_onnx_take(r->graph->memory, 1, sizeof *kept);
    if (!kept)
        return tnni_onnx_no_memory(r->graph->memory, r->where);
    *kept = *tensor;
    r->result->kind = TNNI_ONNX_CONSTANT;
    r->result->constant = kept;
    return TNN_OK;
}

/* What the chain has come to. */
static tnn_status set_value(reader *r, tnn_status status) {
    r->result->kind = TNNI_ONNX_VALUE;
    r->result->version = r->chain->version;
    return status;
}

/* The same as an input, and what uses either uses both. */
static tnn_status set_same(reader *r, size_t index) {
    tnni_onnx_value *from = input(r, index);
    from->uses += r->result->uses - 1;
    r->result->uses = from->uses;
    r->result->kind = from->kind;
    r->result->version = from->version;
    r->result->part = from->part;
    r->result->constant = from->constant;
    return TNN_OK;
}

/* One number; false for anything else. */
static bool get_number(const tnni_onnx_tensor *tensor, double *number) {
    if (!tensor || tensor->count != 1)
        return false;
    *number = tnni_onnx_element(tensor, 0);
    return true;
}

static tnn_status read_initializer(const reader *r, tnni_onnx_value *value) {
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
static tnn_status prepare_input(const reader *r, size_t index) {
    tnni_onnx_value *value = input(r, index);
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

/* ---- Activations in parts: GELU, SiLU and softsign ------------------------------------------- */

/* A value from which several nodes go on; they have to meet again. */
static bool branches(const reader *r, size_t index) {
    const tnni_onnx_value *value = input(r, index);
    return value->kind == TNNI_ONNX_PART || value->uses > 1;
}

static tnni_onnx_part part_of(const tnni_onnx_value *value) {
    if (value->kind == TNNI_ONNX_PART)
        return value->part;
    return (tnni_onnx_part){.factor = 1.0, .has_value = true};
}

static bool is_near(double value, double expected, double tolerance) {
    return fabs(value - expected) <= tolerance * fabs(expected);
}

/* What constants of a type may be off by, several of them multiplied. */
static double tolerance_of(const tnni_onnx_tensor *tensor) {
    return tensor->type == TNNI_ONNX_FLOAT16 ? 0x1p-10 : 0x1p-22;
}

static tnn_status set_part(reader *r, tnni_onnx_part part) {
    if (part.has_value && part.inner == TNNI_ONNX_ERF_1 &&
        is_near(part.factor, 0.5, part.tolerance))
        return set_value(r, tnni_onnx_chain_activate(r->chain, tnn_gelu()));
    if (part.has_value && part.inner == TNNI_ONNX_SIGMOID && part.factor == 1.0)
        return set_value(r, tnni_onnx_chain_activate(r->chain, tnn_silu()));
    r->result->kind = TNNI_ONNX_PART;
    r->result->version = r->chain->version;
    r->result->part = part;
    return TNN_OK;
}

static tnn_status refuse_two(const reader *r) {
    return tnni_fail(
        TNN_UNSUPPORTED,
        "%s: two values that both depend on the model's input meet, and not as in GELU, SiLU or "
        "softsign; a net is a chain",
        r->where);
}

static tnn_status read_two_values(reader *r, char operation) {
    tnni_onnx_part a = part_of(input(r, 0));
    tnni_onnx_part b = part_of(input(r, 1));
    if (operation == '*' && !(a.has_value && b.has_value) && (!a.inner || !b.inner))
        return set_part(
            r,
            (tnni_onnx_part){
                .factor = a.factor * b.factor,
                .tolerance = a.tolerance + b.tolerance,
                .has_value = a.has_value || b.has_value,
                .inner = a.inner ? a.inner : b.inner});
    if (operation == '/' && a.has_value && !a.inner && a.factor == 1.0 && !b.has_value &&
        b.inner == TNNI_ONNX_ABS_1 && b.factor == 1.0)
        return set_value(r, tnni_onnx_chain_activate(r->chain, tnn_softsign()));
    return refuse_two(r);
}

/* A part and one number. */
static tnn_status read_part_and_number(
    reader *r, char operation, tnni_onnx_part part, double number, double tolerance) {
    if (operation == '*' || operation == '/') {
        part.factor = operation == '*' ? part.factor * number : part.factor / number;
        part.tolerance += tolerance;
        return set_part(r, part);
    }
    bool fits = operation == '+' && !part.has_value &&
        is_near(part.factor, number, part.tolerance + tolerance);
    if (fits && part.inner == TNNI_ONNX_ERF)
        part.inner = TNNI_ONNX_ERF_1;
    else if (fits && part.inner == TNNI_ONNX_ABS)
        part.inner = TNNI_ONNX_ABS_1;
    else
        return refuse_two(r);
    return set_part(r, part);
}

static tnn_status read_erf(reader *r) {
    tnni_onnx_part part = part_of(input(r, 0));
    if (!branches(r, 0) || !part.has_value || part.inner ||
        !is_near(part.factor, 0.70710678118654752440, part.tolerance))
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: erf is read as a part of GELU alone, x (1 + erf(x / sqrt 2)) / 2",
            r->where);
    return set_part(r, (tnni_onnx_part){.factor = 1.0, .inner = TNNI_ONNX_ERF});
}

static tnn_status read_abs(reader *r) {
    if (!branches(r, 0) || input(r, 0)->kind != TNNI_ONNX_VALUE)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: it is read as a part of softsign alone, x / (1 + |x|)", r->where);
    return set_part(r, (tnni_onnx_part){.factor = 1.0, .inner = TNNI_ONNX_ABS});
}

/* ---- Arithmetic ------------------------------------------------------------------------------ */

static char operator_of(const reader *r) {
    static const char *const names[] = {"Add", "Sub", "Mul", "Div"};
    for (int i = 0; i < 4; i++)
        if (strcmp(r->node->op_type, names[i]) == 0)
            return "+-*/"[i];
    return '*';
}

static tnni_onnx_tensor minus_one(int type) {
    static const double value = -1.0;
    tnni_onnx_tensor tensor = tnni_onnx_tensor_of_doubles(type, 1, &value);
    tensor.rank = 0;
    return tensor;
}

static tnn_status fold_arithmetic(reader *r) {
    tnni_onnx_tensor result;
    if (!constant(r, 0) || !constant(r, 1))
        return missing_input(r, constant(r, 0) ? 1 : 0);
    tnn_status status = tnni_onnx_combine(
        r->where, r->graph->memory, operator_of(r), constant(r, 0), constant(r, 1), &result);
    return status == TNN_OK ? set_constant(r, &result) : status;
}

static tnn_status fold_negation(reader *r) {
    tnni_onnx_tensor result;
    if (!constant(r, 0))
        return missing_input(r, 0);
    const tnni_onnx_tensor factor = minus_one(constant(r, 0)->type);
    tnn_status status =
        tnni_onnx_combine(r->where, r->graph->memory, '*', constant(r, 0), &factor, &result);
    return status == TNN_OK ? set_constant(r, &result) : status;
}

static tnn_status fold_square_root(reader *r) {
    tnni_onnx_tensor result;
    if (!constant(r, 0))
        return missing_input(r, 0);
    tnn_status status = tnni_onnx_square_root(r->where, r->graph->memory, constant(r, 0), &result);
    return status == TNN_OK ? set_constant(r, &result) : status;
}

static tnn_status read_negation(reader *r) {
    const tnni_onnx_tensor factor = minus_one(TNNI_ONNX_DOUBLE);
    tnn_status status = check_value(r);
    if (status == TNN_OK)
        status = tnni_onnx_chain_scale(r->chain, &factor, false, NULL, false);
    return set_value(r, status);
}

/* constant - value: the value's sign, and then the constant. */
static tnn_status read_subtraction_from(reader *r, const tnni_onnx_tensor *other) {
    const tnni_onnx_tensor factor = minus_one(TNNI_ONNX_DOUBLE);
    tnn_status status = tnni_onnx_chain_scale(r->chain, &factor, false, NULL, false);
    if (status == TNN_OK)
        status = tnni_onnx_chain_scale(r->chain, NULL, false, other, false);
    return set_value(r, status);
}

static tnn_status read_arithmetic(reader *r) {
    char operation = operator_of(r);
    double number = 0.0;
    if (!input(r, 0) || !input(r, 1))
        return missing_input(r, input(r, 0) ? 1 : 0);
    if (is_of_chain(r, 0) && is_of_chain(r, 1))
        return read_two_values(r, operation);
    size_t at = is_of_chain(r, 0) ? 0 : 1;
    const tnni_onnx_value *value = input(r, at);
    const tnni_onnx_tensor *other = constant(r, 1 - at);
    if (operation == '/' && at == 1)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: the value is the divisor, expected the dividend", r->where);
    bool is_number = get_number(other, &number) && number != 0.0;
    bool is_factor = operation == '*' || operation == '/';
    if (value->kind == TNNI_ONNX_PART || (branches(r, at) && is_factor && is_number)) {
        if (!is_number || operation == '-')
            return refuse_two(r);
        return read_part_and_number(r, operation, part_of(value), number, tolerance_of(other));
    }
    if (operation == '-' && at == 1)
        return read_subtraction_from(r, other);
    return set_value(
        r,
        tnni_onnx_chain_scale(
            r->chain, is_factor ? other : NULL, operation == '/', is_factor ? NULL : other,
            operation == '-'));
}

/* ---- Products -------------------------------------------------------------------------------- */

static tnn_status refuse_left_constant(const reader *r) {
    return tnni_fail(
        TNN_UNSUPPORTED,
        "%s: the value is the right operand of the product, its columns are rows; expected x W",
        r->where);
}

static tnn_status read_matmul(reader *r) {
    const tnni_onnx_tensor *weights = constant(r, 1);
    if (constant(r, 0))
        return refuse_left_constant(r);
    tnn_status status = check_value(r);
    if (status != TNN_OK)
        return status;
    if (!weights)
        return not_constant(r, 1);
    if (weights->rank != 1 && weights->rank != 2)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: weights %s, expected one or two dimensions", r->where,
            tnni_onnx_describe(weights).text);
    return set_value(r, tnni_onnx_chain_multiply(r->chain, weights, 1.0, false, NULL, 0.0));
}

static tnn_status read_gemm(reader *r) {
    static const size_t exchange[] = {1, 0};
    const tnni_onnx_tensor *weights = constant(r, 1);
    if (constant(r, 0))
        return refuse_left_constant(r);
    tnn_status status = check_value(r);
    if (status != TNN_OK)
        return status;
    if (!weights || (input(r, 2) && !constant(r, 2)))
        return not_constant(r, weights ? 2 : 1);
    if (weights->rank != 2)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: weights %s, expected two dimensions", r->where,
            tnni_onnx_describe(weights).text);
    if (r->chain->rank != 2)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: a value of %zu dimensions, expected 2", r->where, r->chain->rank);
    tnni_onnx_tensor turned = *weights;
    if (int_attribute(r, "transB", 0))
        turned = tnni_onnx_transpose(weights, exchange);
    return set_value(
        r,
        tnni_onnx_chain_multiply(
            r->chain, &turned, float_attribute(r, "alpha", 1.0f),
            int_attribute(r, "transA", 0) != 0, constant(r, 2), float_attribute(r, "beta", 1.0f)));
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

/* From 0 to most, counted from the end if it is negative. */
static tnn_status check_axis(const reader *r, int64_t axis, size_t most, size_t rank, size_t *at) {
    int64_t from_begin = axis < 0 ? axis + (int64_t)rank : axis;
    if (from_begin < 0 || from_begin > (int64_t)most)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: axis %" PRId64 " of %zu dimensions", r->where, axis, rank);
    *at = (size_t)from_begin;
    return TNN_OK;
}

/* Dimensions of what the node reshapes. */
typedef struct shape {
    size_t rank;
    int64_t dims[2 * TNNI_ONNX_MOST_RANK];
} shape;

static shape shape_of_input(const reader *r) {
    shape from = {.rank = r->chain->rank};
    const int64_t *dims = r->chain->dims;
    if (constant(r, 0)) {
        from.rank = constant(r, 0)->rank;
        dims = constant(r, 0)->dims;
    }
    memcpy(from.dims, dims, from.rank * sizeof *dims);
    return from;
}

/* Reshapes the constant, or the chain's value, that is the first input. */
static tnn_status reshape_input(reader *r, const shape *to) {
    tnni_onnx_tensor result;
    if (to->rank > TNNI_ONNX_MOST_RANK)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: %zu dimensions, expected at most %d", r->where, to->rank,
            TNNI_ONNX_MOST_RANK);
    const tnni_onnx_tensor *from = constant(r, 0);
    for (size_t d = 0; d < to->rank && !from; d++)
        if (to->dims[d] == 0)
            return tnni_fail(TNN_UNSUPPORTED, "%s: a shape without elements", r->where);
    if (!from)
        return set_value(r, tnni_onnx_chain_reshape(r->chain, to->rank, to->dims));
    if (tnni_onnx_product(to->dims, 0, to->rank) != (int64_t)from->count)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: %s in a shape that does not have as many elements", r->where,
            tnni_onnx_describe(from).text);
    tnn_status status =
        tnni_onnx_reshape(r->where, r->graph->memory, from, to->rank, to->dims, &result);
    return status == TNN_OK ? set_constant(r, &result) : status;
}

static tnn_status check_reshaped(const reader *r) {
    return constant(r, 0) ? TNN_OK : check_value(r);
}

/* Whole numbers: an input, or an attribute of older operators. */
static tnn_status read_ints(const reader *r, const char *attribute, shape *numbers) {
    const TnniOnnx__AttributeProto *list = find_attribute(r, attribute);
    const tnni_onnx_tensor *tensor = constant(r, 1);
    numbers->rank = tensor ? tensor->count : list ? list->n_ints : 0;
    if (!tensor && input(r, 1))
        return not_constant(r, 1);
    if (numbers->rank > TNNI_ONNX_MOST_RANK)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: %zu dimensions, expected at most %d", r->where, numbers->rank,
            TNNI_ONNX_MOST_RANK);
    for (size_t i = 0; i < numbers->rank; i++) {
        double number = tensor ? tnni_onnx_element(tensor, i) : (double)list->ints[i];
        if (!(fabs(number) <= 0x1p53))
            return tnni_fail(TNN_BAD_FORMAT, "%s: %g as a dimension", r->where, number);
        numbers->dims[i] = (int64_t)number;
    }
    return TNN_OK;
}

/* What -1 stands for: the elements over the other dimensions; -1 if that is not known. Dimensions
 * that are copied count on neither side. */
static int64_t infer(const shape *from, const shape *to, const bool *is_copied) {
    int64_t elements = 1;
    int64_t others = 1;
    for (size_t d = 0; d < from->rank; d++) {
        if (d < to->rank && is_copied[d])
            continue;
        if (from->dims[d] < 0 || (from->dims[d] && elements > INT64_MAX / from->dims[d]))
            return -1;
        elements *= from->dims[d];
    }
    for (size_t d = 0; d < to->rank; d++) {
        if (is_copied[d] || to->dims[d] == -1)
            continue;
        if (to->dims[d] && others > INT64_MAX / to->dims[d])
            return -1;
        others *= to->dims[d];
    }
    return others > 0 && elements % others == 0 ? elements / others : -1;
}

static tnn_status reshape(reader *r) {
    shape to;
    bool is_copied[TNNI_ONNX_MOST_RANK] = {false};
    size_t inferred = SIZE_MAX;
    const shape from = shape_of_input(r);
    bool zero_is_zero = int_attribute(r, "allowzero", 0) != 0;
    tnn_status status = check_reshaped(r);
    if (status == TNN_OK && !constant(r, 1))
        return not_constant(r, 1);
    if (status == TNN_OK)
        status = read_ints(r, "", &to);
    if (status != TNN_OK)
        return status;
    for (size_t d = 0; d < to.rank; d++) {
        is_copied[d] = to.dims[d] == 0 && !zero_is_zero;
        if (to.dims[d] < -1 || (is_copied[d] && d >= from.rank) ||
            (to.dims[d] == -1 && inferred != SIZE_MAX))
            return tnni_fail(
                TNN_BAD_FORMAT, "%s: a shape with %" PRId64 " as dimension %zu", r->where,
                to.dims[d], d);
        if (to.dims[d] == -1)
            inferred = d;
        if (is_copied[d])
            to.dims[d] = from.dims[d];
    }
    if (inferred != SIZE_MAX)
        to.dims[inferred] = infer(&from, &to, is_copied);
    return reshape_input(r, &to);
}

static tnn_status flatten(reader *r) {
    size_t axis = 0;
    const shape from = shape_of_input(r);
    tnn_status status = check_reshaped(r);
    if (status == TNN_OK)
        status = check_axis(r, int_attribute(r, "axis", 1), from.rank, from.rank, &axis);
    if (status != TNN_OK)
        return status;
    if (!constant(r, 0))
        return set_value(r, tnni_onnx_chain_flatten(r->chain, axis));
    const shape to = {
        2, {tnni_onnx_product(from.dims, 0, axis), tnni_onnx_product(from.dims, axis, from.rank)}};
    return reshape_input(r, &to);
}

/* Marks the axes that are listed, of so many dimensions. */
static tnn_status mark_axes(const reader *r, const shape *axes, size_t rank, bool *marks) {
    for (size_t i = 0; i < axes->rank; i++) {
        size_t axis = 0;
        if (rank == 0)
            return tnni_fail(TNN_BAD_FORMAT, "%s: an axis of no dimensions", r->where);
        tnn_status status = check_axis(r, axes->dims[i], rank - 1, rank, &axis);
        if (status != TNN_OK)
            return status;
        if (marks[axis])
            return tnni_fail(TNN_BAD_FORMAT, "%s: axis %zu comes twice", r->where, axis);
        marks[axis] = true;
    }
    return TNN_OK;
}

/* Removes dimensions of 1: those listed, or all of them. */
static tnn_status squeeze(reader *r) {
    shape axes;
    shape to = {0};
    bool marks[TNNI_ONNX_MOST_RANK] = {false};
    const shape from = shape_of_input(r);
    tnn_status status = check_reshaped(r);
    if (status == TNN_OK)
        status = read_ints(r, "axes", &axes);
    if (status == TNN_OK)
        status = mark_axes(r, &axes, from.rank, marks);
    if (status != TNN_OK)
        return status;
    for (size_t d = 0; d < from.rank; d++) {
        bool is_removed = axes.rank > 0 ? marks[d] : from.dims[d] == 1;
        if (from.dims[d] != 1 && (marks[d] || (axes.rank == 0 && from.dims[d] < 0)))
            return tnni_fail(
                TNN_UNSUPPORTED, "%s: dimension %zu is not known to be 1", r->where, d);
        if (!is_removed)
            to.dims[to.rank++] = from.dims[d];
    }
    return reshape_input(r, &to);
}

/* Inserts dimensions of 1. */
static tnn_status unsqueeze(reader *r) {
    shape axes;
    bool marks[2 * TNNI_ONNX_MOST_RANK] = {false};
    const shape from = shape_of_input(r);
    size_t taken = 0;
    tnn_status status = check_reshaped(r);
    if (status == TNN_OK)
        status = read_ints(r, "axes", &axes);
    if (status != TNN_OK)
        return status;
    shape to = {.rank = from.rank + axes.rank};
    status = mark_axes(r, &axes, to.rank, marks);
    if (status != TNN_OK)
        return status;
    for (size_t d = 0; d < to.rank; d++)
        to.dims[d] = marks[d] ? 1 : from.dims[taken++];
    return reshape_input(r, &to);
}

static tnn_status transpose(reader *r) {
    const TnniOnnx__AttributeProto *list = find_attribute(r, "perm");
    size_t order[TNNI_ONNX_MOST_RANK];
    bool marks[TNNI_ONNX_MOST_RANK] = {false};
    size_t rank = shape_of_input(r).rank;
    tnn_status status = check_reshaped(r);
    if (status != TNN_OK)
        return status;
    for (size_t d = 0; d < rank; d++) {
        int64_t axis = (int64_t)(rank - 1 - d);
        if (list)
            axis = list->n_ints == rank ? list->ints[d] : -1;
        if (axis < 0 || axis >= (int64_t)rank || marks[axis])
            return tnni_fail(
                TNN_BAD_FORMAT, "%s: perm is no order of %zu dimensions", r->where, rank);
        marks[axis] = true;
        order[d] = (size_t)axis;
    }
    if (!constant(r, 0))
        return set_value(r, tnni_onnx_chain_transpose(r->chain, order));
    tnni_onnx_tensor result = tnni_onnx_transpose(constant(r, 0), order);
    return set_constant(r, &result);
}

/* ---- What changes nothing, and constants ----------------------------------------------------- */

static tnn_status identity(reader *r) {
    return input(r, 0) ? set_same(r, 0) : missing_input(r, 0);
}

static tnn_status fold_cast(reader *r) {
    tnni_onnx_tensor result;
    if (!constant(r, 0))
        return missing_input(r, 0);
    tnn_status status = tnni_onnx_cast(
        r->where, r->graph->memory, constant(r, 0), (int)int_attribute(r, "to", 0), &result);
    return status == TNN_OK ? set_constant(r, &result) : status;
}

/* The net computes in float, whatever the model does. */
static tnn_status read_cast(reader *r) {
    int64_t type = int_attribute(r, "to", 0);
    if (type == TNNI_ONNX_FLOAT || type == TNNI_ONNX_DOUBLE)
        return identity(r);
    return tnni_fail(
        TNN_UNSUPPORTED, "%s: a cast to %s, expected float or double", r->where,
        tnni_onnx_type_name(type >= 0 && type < 100 ? (int)type : -1).text);
}

/* Dropout in inference. Before version 7 only is_test tells so, from 12 on an input. */
static tnn_status read_dropout(reader *r) {
    double trains = 0.0;
    if (!input(r, 0))
        return missing_input(r, 0);
    if (r->graph->opset < 7 && int_attribute(r, "is_test", 0) == 0)
        trains = 1.0;
    if (input(r, 2) && !get_number(constant(r, 2), &trains))
        return not_constant(r, 2);
    if (trains != 0.0)
        return tnni_fail(TNN_UNSUPPORTED, "%s: in training mode, which draws at random", r->where);
    return set_same(r, 0);
}

static tnn_status fold_constant(reader *r) {
    const TnniOnnx__AttributeProto *attribute =
        r->node->n_attribute == 1 ? r->node->attribute[0] : NULL;
    const char *name = attribute && attribute->name ? attribute->name : "";
    tnni_onnx_tensor tensor = {0};
    tnn_status status = TNN_OK;
    if (strcmp(name, "value") == 0 && attribute->t)
        status = tnni_onnx_tensor_of(r->where, attribute->t, &tensor);
    else if (strcmp(name, "value_float") == 0 && attribute->has_f)
        tensor = tnni_onnx_tensor_of_floats(1, &attribute->f);
    else if (strcmp(name, "value_int") == 0 && attribute->has_i)
        tensor = tnni_onnx_tensor_of_ints(1, &attribute->i);
    else if (strcmp(name, "value_floats") == 0)
        tensor = tnni_onnx_tensor_of_floats(attribute->n_floats, attribute->floats);
    else if (strcmp(name, "value_ints") == 0)
        tensor = tnni_onnx_tensor_of_ints(attribute->n_ints, attribute->ints);
    else
        return tnni_fail(TNN_UNSUPPORTED, "%s: a constant that is no tensor of numbers", r->where);
    if (strcmp(name, "value_float") == 0 || strcmp(name, "value_int") == 0)
        tensor.rank = 0;
    return status == TNN_OK ? set_constant(r, &tensor) : status;
}

/* ---- Activations ----------------------------------------------------------------------------- */

static tnn_status activate(reader *r, tnn_activation activation) {
    tnn_status status = check_value(r);
    if (status == TNN_OK)
        status = tnni_onnx_chain_activate(r->chain, activation);
    return set_value(r, status);
}

static tnn_status refuse_parameter(
    const reader *r, const char *name, double value, const char *expected) {
    return tnni_fail(
        TNN_UNSUPPORTED, "%s: %s is %.9g, expected %s", r->where, name, value, expected);
}

static tnn_status read_relu(reader *r) {
    return activate(r, tnn_relu());
}

static tnn_status read_leaky_relu(reader *r) {
    float slope = float_attribute(r, "alpha", 0.01f);
    if (!(slope > 0.0f && isfinite(slope)))
        return refuse_parameter(r, "alpha", slope, "a positive finite number");
    return activate(r, tnn_leaky_relu(slope));
}

static tnn_status read_elu(reader *r) {
    float alpha = float_attribute(r, "alpha", 1.0f);
    if (!(alpha > 0.0f && isfinite(alpha)))
        return refuse_parameter(r, "alpha", alpha, "a positive finite number");
    return activate(r, tnn_elu(alpha));
}

static tnn_status read_selu(reader *r) {
    float alpha = float_attribute(r, "alpha", 1.67326324f);
    float gamma = float_attribute(r, "gamma", 1.05070099f);
    if (!is_near(alpha, 1.67326324235437728, 0x1p-22))
        return refuse_parameter(r, "alpha", alpha, "1.67326324");
    if (!is_near(gamma, 1.05070098735548049, 0x1p-22))
        return refuse_parameter(r, "gamma", gamma, "1.05070099");
    return activate(r, tnn_selu());
}

/* The value branches where x sigmoid(x) is to become of it. */
static tnn_status read_sigmoid(reader *r) {
    if (input(r, 0) && input(r, 0)->kind == TNNI_ONNX_VALUE && branches(r, 0))
        return set_part(r, (tnni_onnx_part){.factor = 1.0, .inner = TNNI_ONNX_SIGMOID});
    return activate(r, tnn_sigmoid());
}

static tnn_status read_tanh(reader *r) {
    return activate(r, tnn_tanh());
}

static tnn_status read_softplus(reader *r) {
    return activate(r, tnn_softplus());
}

static tnn_status read_softsign(reader *r) {
    return activate(r, tnn_softsign());
}

static tnn_status read_gelu(reader *r) {
    const TnniOnnx__AttributeProto *how = find_attribute(r, "approximate");
    if (how && (how->s.len != 4 || memcmp(how->s.data, "none", 4) != 0))
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: approximate is \"%s\", expected \"none\"", r->where,
            tnni_excerpt_of((const char *)how->s.data, how->s.len).text);
    return activate(r, tnn_gelu());
}

static tnn_status read_hard_sigmoid(reader *r) {
    float alpha = float_attribute(r, "alpha", 0.2f);
    float beta = float_attribute(r, "beta", 0.5f);
    if (!is_near(alpha, 1.0 / 6.0, 0x1p-22))
        return refuse_parameter(r, "alpha", alpha, "1/6");
    if (beta != 0.5f)
        return refuse_parameter(r, "beta", beta, "0.5");
    return activate(r, tnn_hard_sigmoid());
}

/* Bounds: attributes before version 11, inputs from then on. */
static tnn_status find_bound(const reader *r, size_t index, const char *name, double *bound) {
    const TnniOnnx__AttributeProto *attribute = find_attribute(r, name);
    if (attribute && attribute->has_f)
        *bound = attribute->f;
    if (input(r, index) && !get_number(constant(r, index), bound))
        return not_constant(r, index);
    return TNN_OK;
}

static tnn_status read_clip(reader *r) {
    double low = -INFINITY;
    double high = INFINITY;
    tnn_status status = find_bound(r, 1, "min", &low);
    if (status == TNN_OK)
        status = find_bound(r, 2, "max", &high);
    if (status != TNN_OK)
        return status;
    if (low == -1.0 && high == 1.0)
        return activate(r, tnn_hard_tanh());
    if (low == 0.0 && high >= (double)FLT_MAX)
        return activate(r, tnn_relu());
    if (low <= -(double)FLT_MAX && high >= (double)FLT_MAX)
        return identity(r);
    return tnni_fail(
        TNN_UNSUPPORTED, "%s: bounds %.9g and %.9g, expected -1 and 1, or 0 and none", r->where,
        low, high);
}

/* From version 13 on over one axis, before over it and all behind it. */
static tnn_status read_softmax(reader *r) {
    size_t axis = 0;
    size_t rank = r->chain->rank;
    bool is_old = r->graph->opset < 13;
    tnn_status status = check_value(r);
    if (status == TNN_OK && rank == 0)
        return tnni_fail(TNN_BAD_FORMAT, "%s: a value of no dimension", r->where);
    if (status == TNN_OK)
        status = check_axis(r, int_attribute(r, "axis", is_old ? 1 : -1), rank - 1, rank, &axis);
    if (status != TNN_OK)
        return status;
    if (!is_old && tnni_onnx_product(r->chain->dims, axis + 1, rank) != 1)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: over axis %zu of %zu, expected the last one", r->where, axis,
            rank);
    status = tnni_onnx_chain_split(r->chain, axis);
    return status == TNN_OK ? activate(r, tnn_softmax()) : status;
}

/* ---- All of them ----------------------------------------------------------------------------- */

static const operator_entry operators[] = {
    {"Abs", 1, 6, "", NULL, read_abs},
    {"Add", 2, 6, "broadcast", fold_arithmetic, read_arithmetic},
    {"Cast", 1, 6, "to saturate", fold_cast, read_cast},
    {"Clip", 3, 6, "min max", NULL, read_clip},
    {"Constant", 0, 1, "value value_float value_int value_floats value_ints", fold_constant, NULL},
    {"Div", 2, 6, "broadcast", fold_arithmetic, read_arithmetic},
    {"Dropout", 3, 6, "ratio is_test seed", NULL, read_dropout},
    {"Elu", 1, 6, "alpha", NULL, read_elu},
    {"Erf", 1, 9, "", NULL, read_erf},
    {"Flatten", 1, 1, "axis", flatten, flatten},
    {"Gelu", 1, 20, "approximate", NULL, read_gelu},
    {"Gemm", 3, 6, "alpha beta transA transB broadcast", NULL, read_gemm},
    {"HardSigmoid", 1, 6, "alpha beta", NULL, read_hard_sigmoid},
    {"Identity", 1, 1, "", identity, identity},
    {"LeakyRelu", 1, 6, "alpha", NULL, read_leaky_relu},
    {"MatMul", 2, 1, "", NULL, read_matmul},
    {"Mul", 2, 6, "broadcast", fold_arithmetic, read_arithmetic},
    {"Neg", 1, 6, "", fold_negation, read_negation},
    {"Relu", 1, 6, "", NULL, read_relu},
    {"Reshape", 2, 5, "allowzero", reshape, reshape},
    {"Selu", 1, 6, "alpha gamma", NULL, read_selu},
    {"Sigmoid", 1, 6, "", NULL, read_sigmoid},
    {"Softmax", 1, 1, "axis", NULL, read_softmax},
    {"Softplus", 1, 1, "", NULL, read_softplus},
    {"Softsign", 1, 1, "", NULL, read_softsign},
    {"Sqrt", 1, 6, "", fold_square_root, NULL},
    {"Squeeze", 2, 1, "axes", squeeze, squeeze},
    {"Sub", 2, 6, "broadcast", fold_arithmetic, read_arithmetic},
    {"Tanh", 1, 6, "", NULL, read_tanh},
    {"Transpose", 1, 1, "perm", transpose, transpose},
    {"Unsqueeze", 2, 1, "axes", unsqueeze, unsqueeze},
};

static const operator_entry *find_operator(const char *name) {
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (strcmp(operators[i].name, name) == 0)
            return &operators[i];
    return NULL;
}

static bool is_own_domain(const char *domain) {
    return !domain || !*domain || strcmp(domain, "ai.onnx") == 0;
}

static tnn_status find_entry(const reader *r, const operator_entry **found) {
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

static tnn_status run(reader *r, const operator_entry *entry) {
    bool is_constant = true;
    for (size_t i = 0; i < r->node->n_input; i++) {
        tnn_status status = *r->node->input[i] ? prepare_input(r, i) : TNN_OK;
        if (status != TNN_OK)
            return status;
        is_constant = is_constant && !is_of_chain(r, i);
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
    snprintf(where, sizeof where, "%s: %s", graph->where, tnni_onnx_name_node(graph, index).text);
    reader r = {graph, chain, node, tnni_onnx_find_value(graph, node->output[0]), where};
    chain->where = where;
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
