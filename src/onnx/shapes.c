/* What gives a value another shape, or changes nothing at all. */
#include "onnx/node.h"

#include "support/status.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- Shapes ---------------------------------------------------------------------------------- */

/* Dimensions of what the node reshapes. */
typedef struct shape {
    size_t rank;
    int64_t dims[2 * TNNI_ONNX_MOST_RANK];
} shape;

static shape shape_of_input(const tnni_onnx_reader *r) {
    shape from = {.rank = r->chain->rank};
    const int64_t *dims = r->chain->dims;
    if (tnni_onnx_constant(r, 0)) {
        from.rank = tnni_onnx_constant(r, 0)->rank;
        dims = tnni_onnx_constant(r, 0)->dims;
    }
    memcpy(from.dims, dims, from.rank * sizeof *dims);
    return from;
}

/* Reshapes the constant, or the chain's value, that is the first input. */
static tnn_status reshape_input(tnni_onnx_reader *r, const shape *to) {
    tnni_onnx_tensor result;
    if (to->rank > TNNI_ONNX_MOST_RANK)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: %zu dimensions, expected at most %d", r->where, to->rank,
            TNNI_ONNX_MOST_RANK);
    const tnni_onnx_tensor *from = tnni_onnx_constant(r, 0);
    for (size_t d = 0; d < to->rank && !from; d++)
        if (to->dims[d] == 0)
            return tnni_fail(TNN_UNSUPPORTED, "%s: a shape without elements", r->where);
    if (!from)
        return tnni_onnx_set_value(r, tnni_onnx_chain_reshape(r->chain, to->rank, to->dims));
    if (tnni_onnx_product(to->dims, 0, to->rank) != (int64_t)from->count)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: %s in a shape that does not have as many elements", r->where,
            tnni_onnx_describe(from).text);
    tnn_status status =
        tnni_onnx_reshape(r->where, r->graph->memory, from, to->rank, to->dims, &result);
    return status == TNN_OK ? tnni_onnx_set_constant(r, &result) : status;
}

static tnn_status check_reshaped(const tnni_onnx_reader *r) {
    return tnni_onnx_constant(r, 0) ? TNN_OK : tnni_onnx_check_value(r);
}

/* Whole numbers: an input, or an attribute of older operators. */
static tnn_status read_ints(const tnni_onnx_reader *r, const char *attribute, shape *numbers) {
    const TnniOnnx__AttributeProto *list = tnni_onnx_attribute(r, attribute);
    const tnni_onnx_tensor *tensor = tnni_onnx_constant(r, 1);
    numbers->rank = tensor ? tensor->count : list ? list->n_ints : 0;
    if (!tensor && tnni_onnx_input(r, 1))
        return tnni_onnx_not_constant(r, 1);
    if (tensor && tensor->type != TNNI_ONNX_INT64)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: its input 1 is %s, expected int64", r->where,
            tnni_onnx_describe(tensor).text);
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

tnn_status tnni_onnx_do_reshape(tnni_onnx_reader *r) {
    shape to;
    bool is_copied[TNNI_ONNX_MOST_RANK] = {false};
    size_t inferred = SIZE_MAX;
    const shape from = shape_of_input(r);
    bool zero_is_zero = tnni_onnx_int(r, "allowzero", 0) != 0;
    tnn_status status = check_reshaped(r);
    if (status == TNN_OK && !tnni_onnx_constant(r, 1))
        return tnni_onnx_not_constant(r, 1);
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

tnn_status tnni_onnx_do_flatten(tnni_onnx_reader *r) {
    size_t axis = 0;
    const shape from = shape_of_input(r);
    tnn_status status = check_reshaped(r);
    if (status == TNN_OK)
        status = tnni_onnx_check_axis(r, tnni_onnx_int(r, "axis", 1), from.rank, from.rank, &axis);
    if (status != TNN_OK)
        return status;
    if (!tnni_onnx_constant(r, 0))
        return tnni_onnx_set_value(r, tnni_onnx_chain_flatten(r->chain, axis));
    const shape to = {
        2, {tnni_onnx_product(from.dims, 0, axis), tnni_onnx_product(from.dims, axis, from.rank)}};
    return reshape_input(r, &to);
}

/* Marks the axes that are listed, of so many dimensions. */
static tnn_status mark_axes(
    const tnni_onnx_reader *r, const shape *axes, size_t rank, bool *marks) {
    for (size_t i = 0; i < axes->rank; i++) {
        size_t axis = 0;
        if (rank == 0)
            return tnni_fail(TNN_BAD_FORMAT, "%s: an axis of no dimensions", r->where);
        tnn_status status = tnni_onnx_check_axis(r, axes->dims[i], rank - 1, rank, &axis);
        if (status != TNN_OK)
            return status;
        if (marks[axis])
            return tnni_fail(TNN_BAD_FORMAT, "%s: axis %zu comes twice", r->where, axis);
        marks[axis] = true;
    }
    return TNN_OK;
}

/* Removes dimensions of 1: those listed, or all of them. */
tnn_status tnni_onnx_do_squeeze(tnni_onnx_reader *r) {
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
tnn_status tnni_onnx_do_unsqueeze(tnni_onnx_reader *r) {
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

tnn_status tnni_onnx_do_transpose(tnni_onnx_reader *r) {
    const TnniOnnx__AttributeProto *list = tnni_onnx_attribute(r, "perm");
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
    if (!tnni_onnx_constant(r, 0))
        return tnni_onnx_set_value(r, tnni_onnx_chain_transpose(r->chain, order));
    tnni_onnx_tensor result = tnni_onnx_transpose(tnni_onnx_constant(r, 0), order);
    return tnni_onnx_set_constant(r, &result);
}

/* ---- What changes nothing, and constants ----------------------------------------------------- */

tnn_status tnni_onnx_do_identity(tnni_onnx_reader *r) {
    return tnni_onnx_input(r, 0) ? tnni_onnx_set_same(r, 0) : tnni_onnx_missing_input(r, 0);
}

tnn_status tnni_onnx_fold_cast(tnni_onnx_reader *r) {
    tnni_onnx_tensor result;
    if (!tnni_onnx_constant(r, 0))
        return tnni_onnx_missing_input(r, 0);
    tnn_status status = tnni_onnx_cast(
        r->where, r->graph->memory, tnni_onnx_constant(r, 0), (int)tnni_onnx_int(r, "to", 0),
        &result);
    return status == TNN_OK ? tnni_onnx_set_constant(r, &result) : status;
}

/* The net computes in float, whatever the model does. */
tnn_status tnni_onnx_read_cast(tnni_onnx_reader *r) {
    int64_t type = tnni_onnx_int(r, "to", 0);
    if (type != TNNI_ONNX_FLOAT && type != TNNI_ONNX_DOUBLE)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: a cast to %s, expected float or double", r->where,
            tnni_onnx_type_name(type >= 0 && type < 100 ? (int)type : -1).text);
    tnn_status status = tnni_onnx_do_identity(r);
    r->result->type = (int)type;
    return status;
}

/* Dropout in inference. Before version 7 only is_test tells so, from 12 on an input. */
tnn_status tnni_onnx_read_dropout(tnni_onnx_reader *r) {
    double trains = 0.0;
    if (!tnni_onnx_input(r, 0))
        return tnni_onnx_missing_input(r, 0);
    if (r->graph->opset < 7 && tnni_onnx_int(r, "is_test", 0) == 0)
        trains = 1.0;
    if (tnni_onnx_input(r, 2) && !tnni_onnx_number(tnni_onnx_constant(r, 2), &trains))
        return tnni_onnx_not_constant(r, 2);
    if (trains != 0.0)
        return tnni_fail(TNN_UNSUPPORTED, "%s: in training mode, which draws at random", r->where);
    return tnni_onnx_set_same(r, 0);
}

tnn_status tnni_onnx_fold_constant(tnni_onnx_reader *r) {
    const TnniOnnx__AttributeProto *attribute =
        r->node->n_attribute == 1 ? r->node->attribute[0] : NULL;
    const char *name = attribute && attribute->name ? attribute->name : "";
    tnni_onnx_tensor tensor = {0};
    tnn_status status = TNN_OK;
    if (strcmp(name, "value") == 0)
        status = tnni_onnx_tensor_of(r->where, attribute->t, &tensor);
    else if (strcmp(name, "value_float") == 0)
        tensor = tnni_onnx_tensor_of_floats(1, &attribute->f);
    else if (strcmp(name, "value_int") == 0)
        tensor = tnni_onnx_tensor_of_ints(1, &attribute->i);
    else if (strcmp(name, "value_floats") == 0)
        tensor = tnni_onnx_tensor_of_floats(attribute->n_floats, attribute->floats);
    else if (strcmp(name, "value_ints") == 0)
        tensor = tnni_onnx_tensor_of_ints(attribute->n_ints, attribute->ints);
    else
        return tnni_fail(TNN_UNSUPPORTED, "%s: a constant that is no tensor of numbers", r->where);
    if (strcmp(name, "value_float") == 0 || strcmp(name, "value_int") == 0)
        tensor.rank = 0;
    return status == TNN_OK ? tnni_onnx_set_constant(r, &tensor) : status;
}
