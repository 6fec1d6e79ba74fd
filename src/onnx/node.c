#include "onnx/node.h"

#include "support/status.h"

#include <inttypes.h>
#include <string.h>

/* ---- Attributes ------------------------------------------------------------------------------ */

const TnniOnnx__AttributeProto *tnni_onnx_attribute(const tnni_onnx_reader *r, const char *name) {
    for (size_t i = 0; i < r->node->n_attribute; i++)
        if (r->node->attribute[i]->name && strcmp(r->node->attribute[i]->name, name) == 0)
            return r->node->attribute[i];
    return NULL;
}

int64_t tnni_onnx_int(const tnni_onnx_reader *r, const char *name, int64_t otherwise) {
    const TnniOnnx__AttributeProto *found = tnni_onnx_attribute(r, name);
    return found ? found->i : otherwise;
}

float tnni_onnx_float(const tnni_onnx_reader *r, const char *name, float otherwise) {
    const TnniOnnx__AttributeProto *found = tnni_onnx_attribute(r, name);
    return found ? found->f : otherwise;
}

/* ---- Inputs and results ---------------------------------------------------------------------- */

tnni_onnx_value *tnni_onnx_input(const tnni_onnx_reader *r, size_t index) {
    if (index >= r->node->n_input || !*r->node->input[index])
        return NULL;
    return tnni_onnx_find_value(r->graph, r->node->input[index]);
}

const tnni_onnx_tensor *tnni_onnx_constant(const tnni_onnx_reader *r, size_t index) {
    const tnni_onnx_value *value = tnni_onnx_input(r, index);
    return value && value->kind == TNNI_ONNX_CONSTANT ? value->constant : NULL;
}

bool tnni_onnx_is_of_chain(const tnni_onnx_reader *r, size_t index) {
    const tnni_onnx_value *value = tnni_onnx_input(r, index);
    return value && (value->kind == TNNI_ONNX_VALUE || value->kind == TNNI_ONNX_PART);
}

tnn_status tnni_onnx_missing_input(const tnni_onnx_reader *r, size_t index) {
    return tnni_fail(TNN_BAD_FORMAT, "%s: its input %zu is missing", r->where, index);
}

tnn_status tnni_onnx_not_constant(const tnni_onnx_reader *r, size_t index) {
    if (!tnni_onnx_input(r, index))
        return tnni_onnx_missing_input(r, index);
    return tnni_fail(
        TNN_UNSUPPORTED, "%s: its input %zu depends on the model's input, expected a constant",
        r->where, index);
}

tnn_status tnni_onnx_check_value(const tnni_onnx_reader *r) {
    const tnni_onnx_value *value = tnni_onnx_input(r, 0);
    if (!value)
        return tnni_onnx_missing_input(r, 0);
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

int tnni_onnx_value_type(const tnni_onnx_reader *r) {
    for (size_t i = 0; i < r->node->n_input; i++)
        if (tnni_onnx_is_of_chain(r, i))
            return tnni_onnx_input(r, i)->type;
    return 0;
}

tnn_status tnni_onnx_check_types(const tnni_onnx_reader *r) {
    int type = tnni_onnx_value_type(r);
    for (size_t i = 0; i < r->node->n_input; i++) {
        const tnni_onnx_tensor *constant = tnni_onnx_constant(r, i);
        if (constant && constant->type != type)
            return tnni_fail(
                TNN_BAD_FORMAT, "%s: its input %zu is %s, and the value is of %s", r->where, i,
                tnni_onnx_describe(constant).text, tnni_onnx_type_name(type).text);
    }
    return TNN_OK;
}

tnn_status tnni_onnx_set_constant(tnni_onnx_reader *r, const tnni_onnx_tensor *tensor) {
    tnni_onnx_tensor *kept = tnni_onnx_take(r->graph->memory, 1, sizeof *kept);
    if (!kept)
        return tnni_onnx_no_memory(r->graph->memory, r->where);
    *kept = *tensor;
    r->result->kind = TNNI_ONNX_CONSTANT;
    r->result->constant = kept;
    return TNN_OK;
}

tnn_status tnni_onnx_set_value(tnni_onnx_reader *r, tnn_status status) {
    r->result->kind = TNNI_ONNX_VALUE;
    r->result->version = r->chain->version;
    r->result->type = tnni_onnx_value_type(r);
    return status;
}

/* What uses either uses both. */
tnn_status tnni_onnx_set_same(tnni_onnx_reader *r, size_t index) {
    tnni_onnx_value *from = tnni_onnx_input(r, index);
    from->uses += r->result->uses - 1;
    r->result->uses = from->uses;
    r->result->kind = from->kind;
    r->result->version = from->version;
    r->result->type = from->type;
    r->result->part = from->part;
    r->result->constant = from->constant;
    return TNN_OK;
}

bool tnni_onnx_number(const tnni_onnx_tensor *tensor, double *number) {
    if (!tensor || tensor->count != 1)
        return false;
    *number = tnni_onnx_element(tensor, 0);
    return true;
}

tnn_status tnni_onnx_check_axis(
    const tnni_onnx_reader *r, int64_t axis, size_t most, size_t rank, size_t *at) {
    int64_t from_begin = axis < 0 ? axis + (int64_t)rank : axis;
    if (from_begin < 0 || from_begin > (int64_t)most)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: axis %" PRId64 " of %zu dimensions", r->where, axis, rank);
    *at = (size_t)from_begin;
    return TNN_OK;
}
