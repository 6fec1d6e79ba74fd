#include "onnx/node.h"

#include "support/source.h"
#include "support/status.h"

#include <float.h>
#include <math.h>
#include <string.h>

static tnn_status activate(tnni_onnx_reader *r, tnn_activation activation) {
    tnn_status status = tnni_onnx_check_value(r);
    if (status == TNN_OK)
        status = tnni_onnx_chain_activate(r->chain, activation);
    return tnni_onnx_set_value(r, status);
}

static tnn_status refuse_parameter(
    const tnni_onnx_reader *r, const char *name, double value, const char *expected) {
    return tnni_fail(
        TNN_UNSUPPORTED, "%s: %s is %.9g, expected %s", r->where, name, value, expected);
}

tnn_status tnni_onnx_read_relu(tnni_onnx_reader *r) {
    return activate(r, tnn_relu());
}

tnn_status tnni_onnx_read_leaky_relu(tnni_onnx_reader *r) {
    float slope = tnni_onnx_float(r, "alpha", 0.01f);
    if (!(slope > 0.0f && isfinite(slope)))
        return refuse_parameter(r, "alpha", slope, "a positive finite number");
    return activate(r, tnn_leaky_relu(slope));
}

tnn_status tnni_onnx_read_elu(tnni_onnx_reader *r) {
    float alpha = tnni_onnx_float(r, "alpha", 1.0f);
    if (!(alpha > 0.0f && isfinite(alpha)))
        return refuse_parameter(r, "alpha", alpha, "a positive finite number");
    return activate(r, tnn_elu(alpha));
}

tnn_status tnni_onnx_read_selu(tnni_onnx_reader *r) {
    float alpha = tnni_onnx_float(r, "alpha", 1.67326324f);
    float gamma = tnni_onnx_float(r, "gamma", 1.05070099f);
    if (!tnni_onnx_is_near(alpha, 1.67326324235437728, 0x1p-22))
        return refuse_parameter(r, "alpha", alpha, "1.67326324");
    if (!tnni_onnx_is_near(gamma, 1.05070098735548049, 0x1p-22))
        return refuse_parameter(r, "gamma", gamma, "1.05070099");
    return activate(r, tnn_selu());
}

tnn_status tnni_onnx_read_tanh(tnni_onnx_reader *r) {
    return activate(r, tnn_tanh());
}

tnn_status tnni_onnx_read_softplus(tnni_onnx_reader *r) {
    return activate(r, tnn_softplus());
}

tnn_status tnni_onnx_read_softsign(tnni_onnx_reader *r) {
    return activate(r, tnn_softsign());
}

tnn_status tnni_onnx_read_gelu(tnni_onnx_reader *r) {
    const TnniOnnx__AttributeProto *how = tnni_onnx_attribute(r, "approximate");
    if (how && (how->s.len != 4 || memcmp(how->s.data, "none", 4) != 0))
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: approximate is \"%s\", expected \"none\"", r->where,
            tnni_excerpt_of((const char *)how->s.data, how->s.len).text);
    return activate(r, tnn_gelu());
}

tnn_status tnni_onnx_read_hard_sigmoid(tnni_onnx_reader *r) {
    float alpha = tnni_onnx_float(r, "alpha", 0.2f);
    float beta = tnni_onnx_float(r, "beta", 0.5f);
    if (!tnni_onnx_is_near(alpha, 1.0 / 6.0, 0x1p-22))
        return refuse_parameter(r, "alpha", alpha, "1/6");
    if (beta != 0.5f)
        return refuse_parameter(r, "beta", beta, "0.5");
    return activate(r, tnn_hard_sigmoid());
}

/* Bounds: attributes before version 11, inputs from then on. */
static tnn_status find_bound(
    const tnni_onnx_reader *r, size_t index, const char *name, double *bound) {
    const TnniOnnx__AttributeProto *attribute = tnni_onnx_attribute(r, name);
    if (attribute)
        *bound = attribute->f;
    if (tnni_onnx_input(r, index) && !tnni_onnx_number(tnni_onnx_constant(r, index), bound))
        return tnni_onnx_not_constant(r, index);
    return TNN_OK;
}

tnn_status tnni_onnx_read_clip(tnni_onnx_reader *r) {
    double low = -INFINITY;
    double high = INFINITY;
    tnn_status status = tnni_onnx_check_types(r);
    if (status == TNN_OK)
        status = find_bound(r, 1, "min", &low);
    if (status == TNN_OK)
        status = find_bound(r, 2, "max", &high);
    if (status != TNN_OK)
        return status;
    if (low == -1.0 && high == 1.0)
        return activate(r, tnn_hard_tanh());
    if (low == 0.0 && high >= (double)FLT_MAX)
        return activate(r, tnn_relu());
    if (low <= -(double)FLT_MAX && high >= (double)FLT_MAX)
        return tnni_onnx_do_identity(r);
    return tnni_fail(
        TNN_UNSUPPORTED, "%s: bounds %.9g and %.9g, expected -1 and 1, or 0 and none", r->where,
        low, high);
}

/* From version 13 on over one axis, before over it and all behind it. */
tnn_status tnni_onnx_read_softmax(tnni_onnx_reader *r) {
    size_t axis = 0;
    size_t rank = r->chain->rank;
    bool is_old = r->graph->opset < 13;
    tnn_status status = tnni_onnx_check_value(r);
    if (status == TNN_OK && rank == 0)
        return tnni_fail(TNN_BAD_FORMAT, "%s: a value of no dimension", r->where);
    if (status == TNN_OK)
        status = tnni_onnx_check_axis(
            r, tnni_onnx_int(r, "axis", is_old ? 1 : -1), rank - 1, rank, &axis);
    if (status != TNN_OK)
        return status;
    if (!is_old && tnni_onnx_product(r->chain->dims, axis + 1, rank) != 1)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: over axis %zu of %zu, expected the last one", r->where, axis,
            rank);
    status = tnni_onnx_chain_split(r->chain, axis);
    return status == TNN_OK ? activate(r, tnn_softmax()) : status;
}
