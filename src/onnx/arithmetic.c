/* Sums and products, and the activations that exporters write as some of them. */
#include "onnx/node.h"

#include "support/status.h"

#include <math.h>
#include <string.h>

/* ---- Activations in parts: GELU, SiLU and softsign ------------------------------------------- */

/* A value from which several nodes go on; they have to meet again. */
static bool branches(const tnni_onnx_reader *r, size_t index) {
    const tnni_onnx_value *value = tnni_onnx_input(r, index);
    return value->kind == TNNI_ONNX_PART || value->uses > 1;
}

static tnni_onnx_part part_of(const tnni_onnx_value *value) {
    if (value->kind == TNNI_ONNX_PART)
        return value->part;
    return (tnni_onnx_part){.factor = 1.0, .has_value = true};
}

/* What constants of a type may be off by, several of them multiplied. */
static double tolerance_of(const tnni_onnx_tensor *tensor) {
    return tensor->type == TNNI_ONNX_FLOAT16 ? 0x1p-10 : 0x1p-22;
}

static tnn_status set_part(tnni_onnx_reader *r, tnni_onnx_part part) {
    if (part.has_value && part.inner == TNNI_ONNX_ERF_1 &&
        tnni_onnx_is_near(part.factor, 0.5, part.tolerance))
        return tnni_onnx_set_value(r, tnni_onnx_chain_activate(r->chain, tnn_gelu()));
    if (part.has_value && part.inner == TNNI_ONNX_SIGMOID && part.factor == 1.0)
        return tnni_onnx_set_value(r, tnni_onnx_chain_activate(r->chain, tnn_silu()));
    r->result->kind = TNNI_ONNX_PART;
    r->result->version = r->chain->version;
    r->result->type = tnni_onnx_value_type(r);
    r->result->part = part;
    return TNN_OK;
}

static tnn_status refuse_two(const tnni_onnx_reader *r) {
    return tnni_fail(
        TNN_UNSUPPORTED,
        "%s: two values that both depend on the model's input meet, and not as in GELU, SiLU or "
        "softsign; a net is a chain",
        r->where);
}

static tnn_status read_two_values(tnni_onnx_reader *r, char operation) {
    tnni_onnx_part a = part_of(tnni_onnx_input(r, 0));
    tnni_onnx_part b = part_of(tnni_onnx_input(r, 1));
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
        return tnni_onnx_set_value(r, tnni_onnx_chain_activate(r->chain, tnn_softsign()));
    return refuse_two(r);
}

/* A part and one number. */
static tnn_status read_part_and_number(
    tnni_onnx_reader *r, char operation, tnni_onnx_part part, double number, double tolerance) {
    if (operation == '*' || operation == '/') {
        part.factor = operation == '*' ? part.factor * number : part.factor / number;
        part.tolerance += tolerance;
        return set_part(r, part);
    }
    bool fits = operation == '+' && !part.has_value &&
        tnni_onnx_is_near(part.factor, number, part.tolerance + tolerance);
    if (fits && part.inner == TNNI_ONNX_ERF)
        part.inner = TNNI_ONNX_ERF_1;
    else if (fits && part.inner == TNNI_ONNX_ABS)
        part.inner = TNNI_ONNX_ABS_1;
    else
        return refuse_two(r);
    return set_part(r, part);
}

tnn_status tnni_onnx_read_erf(tnni_onnx_reader *r) {
    tnni_onnx_part part = part_of(tnni_onnx_input(r, 0));
    if (!branches(r, 0) || !part.has_value || part.inner ||
        !tnni_onnx_is_near(part.factor, 0.70710678118654752440, part.tolerance))
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: erf is read as a part of GELU alone, x (1 + erf(x / sqrt 2)) / 2",
            r->where);
    return set_part(r, (tnni_onnx_part){.factor = 1.0, .inner = TNNI_ONNX_ERF});
}

tnn_status tnni_onnx_read_abs(tnni_onnx_reader *r) {
    if (!branches(r, 0) || tnni_onnx_input(r, 0)->kind != TNNI_ONNX_VALUE)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: it is read as a part of softsign alone, x / (1 + |x|)", r->where);
    return set_part(r, (tnni_onnx_part){.factor = 1.0, .inner = TNNI_ONNX_ABS});
}

/* The value branches where x sigmoid(x) is to become of it. */
tnn_status tnni_onnx_read_sigmoid(tnni_onnx_reader *r) {
    if (tnni_onnx_input(r, 0) && tnni_onnx_input(r, 0)->kind == TNNI_ONNX_VALUE && branches(r, 0))
        return set_part(r, (tnni_onnx_part){.factor = 1.0, .inner = TNNI_ONNX_SIGMOID});
    tnn_status status = tnni_onnx_check_value(r);
    if (status == TNN_OK)
        status = tnni_onnx_chain_activate(r->chain, tnn_sigmoid());
    return tnni_onnx_set_value(r, status);
}

/* ---- Arithmetic ------------------------------------------------------------------------------ */

static char operator_of(const tnni_onnx_reader *r) {
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

tnn_status tnni_onnx_fold_arithmetic(tnni_onnx_reader *r) {
    tnni_onnx_tensor result;
    if (!tnni_onnx_constant(r, 0) || !tnni_onnx_constant(r, 1))
        return tnni_onnx_missing_input(r, tnni_onnx_constant(r, 0) ? 1 : 0);
    tnn_status status = tnni_onnx_combine(
        r->where, r->graph->memory, operator_of(r), tnni_onnx_constant(r, 0),
        tnni_onnx_constant(r, 1), &result);
    return status == TNN_OK ? tnni_onnx_set_constant(r, &result) : status;
}

tnn_status tnni_onnx_fold_negation(tnni_onnx_reader *r) {
    tnni_onnx_tensor result;
    if (!tnni_onnx_constant(r, 0))
        return tnni_onnx_missing_input(r, 0);
    const tnni_onnx_tensor factor = minus_one(tnni_onnx_constant(r, 0)->type);
    tnn_status status = tnni_onnx_combine(
        r->where, r->graph->memory, '*', tnni_onnx_constant(r, 0), &factor, &result);
    return status == TNN_OK ? tnni_onnx_set_constant(r, &result) : status;
}

tnn_status tnni_onnx_fold_square_root(tnni_onnx_reader *r) {
    tnni_onnx_tensor result;
    if (!tnni_onnx_constant(r, 0))
        return tnni_onnx_missing_input(r, 0);
    tnn_status status =
        tnni_onnx_square_root(r->where, r->graph->memory, tnni_onnx_constant(r, 0), &result);
    return status == TNN_OK ? tnni_onnx_set_constant(r, &result) : status;
}

tnn_status tnni_onnx_read_negation(tnni_onnx_reader *r) {
    const tnni_onnx_tensor factor = minus_one(TNNI_ONNX_DOUBLE);
    tnn_status status = tnni_onnx_check_value(r);
    if (status == TNN_OK)
        status = tnni_onnx_chain_scale(r->chain, &factor, false, NULL, false);
    return tnni_onnx_set_value(r, status);
}

/* constant - value: the value's sign, and then the constant. */
static tnn_status read_subtraction_from(tnni_onnx_reader *r, const tnni_onnx_tensor *other) {
    const tnni_onnx_tensor factor = minus_one(TNNI_ONNX_DOUBLE);
    tnn_status status = tnni_onnx_chain_scale(r->chain, &factor, false, NULL, false);
    if (status == TNN_OK)
        status = tnni_onnx_chain_scale(r->chain, NULL, false, other, false);
    return tnni_onnx_set_value(r, status);
}

tnn_status tnni_onnx_read_arithmetic(tnni_onnx_reader *r) {
    char operation = operator_of(r);
    double number = 0.0;
    if (!tnni_onnx_input(r, 0) || !tnni_onnx_input(r, 1))
        return tnni_onnx_missing_input(r, tnni_onnx_input(r, 0) ? 1 : 0);
    if (tnni_onnx_is_of_chain(r, 0) && tnni_onnx_is_of_chain(r, 1))
        return read_two_values(r, operation);
    tnn_status status = tnni_onnx_check_types(r);
    if (status != TNN_OK)
        return status;
    size_t at = tnni_onnx_is_of_chain(r, 0) ? 0 : 1;
    const tnni_onnx_value *value = tnni_onnx_input(r, at);
    const tnni_onnx_tensor *other = tnni_onnx_constant(r, 1 - at);
    if (operation == '/' && at == 1)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: the value is the divisor, expected the dividend", r->where);
    bool is_number = tnni_onnx_number(other, &number) && number != 0.0;
    bool is_factor = operation == '*' || operation == '/';
    if (value->kind == TNNI_ONNX_PART || (branches(r, at) && is_factor && is_number)) {
        if (!is_number || operation == '-')
            return refuse_two(r);
        return read_part_and_number(r, operation, part_of(value), number, tolerance_of(other));
    }
    if (operation == '-' && at == 1)
        return read_subtraction_from(r, other);
    return tnni_onnx_set_value(
        r,
        tnni_onnx_chain_scale(
            r->chain, is_factor ? other : NULL, operation == '/', is_factor ? NULL : other,
            operation == '-'));
}

/* ---- Products -------------------------------------------------------------------------------- */

static tnn_status refuse_left_constant(const tnni_onnx_reader *r) {
    return tnni_fail(
        TNN_UNSUPPORTED,
        "%s: the value is the right operand of the product, its columns are rows; expected x W",
        r->where);
}

tnn_status tnni_onnx_read_matmul(tnni_onnx_reader *r) {
    const tnni_onnx_tensor *weights = tnni_onnx_constant(r, 1);
    if (tnni_onnx_constant(r, 0))
        return refuse_left_constant(r);
    tnn_status status = tnni_onnx_check_value(r);
    if (status == TNN_OK)
        status = tnni_onnx_check_types(r);
    if (status != TNN_OK)
        return status;
    if (!weights)
        return tnni_onnx_not_constant(r, 1);
    if (weights->rank != 1 && weights->rank != 2)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: weights %s, expected one or two dimensions", r->where,
            tnni_onnx_describe(weights).text);
    return tnni_onnx_set_value(
        r, tnni_onnx_chain_multiply(r->chain, weights, 1.0, false, NULL, 0.0));
}

tnn_status tnni_onnx_read_gemm(tnni_onnx_reader *r) {
    static const size_t exchange[] = {1, 0};
    const tnni_onnx_tensor *weights = tnni_onnx_constant(r, 1);
    if (tnni_onnx_constant(r, 0))
        return refuse_left_constant(r);
    tnn_status status = tnni_onnx_check_value(r);
    if (status == TNN_OK)
        status = tnni_onnx_check_types(r);
    if (status != TNN_OK)
        return status;
    if (!weights || (tnni_onnx_input(r, 2) && !tnni_onnx_constant(r, 2)))
        return tnni_onnx_not_constant(r, weights ? 2 : 1);
    if (weights->rank != 2)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: weights %s, expected two dimensions", r->where,
            tnni_onnx_describe(weights).text);
    if (r->chain->rank != 2)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: a value of %zu dimensions, expected 2", r->where, r->chain->rank);
    tnni_onnx_tensor turned = *weights;
    if (tnni_onnx_int(r, "transB", 0))
        turned = tnni_onnx_transpose(weights, exchange);
    return tnni_onnx_set_value(
        r,
        tnni_onnx_chain_multiply(
            r->chain, &turned, tnni_onnx_float(r, "alpha", 1.0f),
            tnni_onnx_int(r, "transA", 0) != 0, tnni_onnx_constant(r, 2),
            tnni_onnx_float(r, "beta", 1.0f)));
}
