#include "onnx/chain.h"

#include "support/memory.h"
#include "support/status.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A layer without a product takes the square of its units, and no bytes of the file stand behind
 * them. This many weights are 64 MB. */
enum { MOST_DIAGONAL_WEIGHTS = 1 << 24 };

static tnn_status no_memory(const tnni_onnx_chain *chain) {
    return tnni_onnx_no_memory(chain->memory, chain->where);
}

tnn_status tnni_onnx_chain_begin(
    tnni_onnx_chain *chain, tnni_onnx_memory *memory, size_t most_layers) {
    chain->memory = memory;
    chain->most_split = TNNI_ONNX_MOST_RANK;
    chain->layer_capacity = most_layers < chain->limits.layers ? most_layers : chain->limits.layers;
    chain->layers = tnni_onnx_take(memory, chain->layer_capacity, sizeof *chain->layers);
    return chain->layers ? TNN_OK : no_memory(chain);
}

int64_t tnni_onnx_product(const int64_t *dims, size_t first, size_t end) {
    int64_t product = 1;
    for (size_t d = first; d < end; d++) {
        if (dims[d] < 0 || (dims[d] > 0 && product > INT64_MAX / dims[d]))
            return -1;
        product *= dims[d];
    }
    return product;
}

/* ---- Rows and columns ------------------------------------------------------------------------ */

/* Columns of the value; -1 if their number is not known. */
static int64_t columns_of(const tnni_onnx_chain *chain) {
    if (chain->is_transposed)
        return chain->dims[0];
    return tnni_onnx_product(chain->dims, chain->split, chain->rank);
}

/* The first dimension is that of the rows, if there is more than one and no node says otherwise. */
static size_t usual_split(const tnni_onnx_chain *chain) {
    return chain->rank > 1 ? 1 : 0;
}

static void settle_split(tnni_onnx_chain *chain) {
    if (!chain->is_split)
        chain->split = usual_split(chain);
    chain->is_split = true;
}

tnn_status tnni_onnx_chain_split(tnni_onnx_chain *chain, size_t split) {
    if (chain->is_transposed)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: of a value that is transposed, so that its rows are columns",
            chain->where);
    if (!chain->is_split && split > chain->most_split)
        settle_split(chain);
    if (!chain->is_split || split == chain->split) {
        chain->is_split = true;
        chain->split = split;
        return TNN_OK;
    }
    size_t first = split < chain->split ? split : chain->split;
    size_t end = split < chain->split ? chain->split : split;
    if (tnni_onnx_product(chain->dims, first, end) != 1)
        return tnni_fail(
            TNN_UNSUPPORTED,
            "%s: it works on dimension %zu and those behind it, a node before it on dimension %zu "
            "and those behind it; a net has one kind of row",
            chain->where, split, chain->split);
    chain->split = split;
    return TNN_OK;
}

/* Where the columns begin in a shape; false if there is no such place. */
static bool find_split(size_t rank, const int64_t *dims, int64_t columns, size_t *split) {
    for (size_t s = 0; columns >= 0 && s <= rank; s++) {
        if (tnni_onnx_product(dims, s, rank) == columns) {
            *split = s;
            return true;
        }
    }
    return false;
}

/* Which split of the value leaves its rows together in the new shape? */
static bool choose_split(tnni_onnx_chain *chain, size_t rank, const int64_t *dims, size_t *split) {
    if (chain->is_split)
        return find_split(rank, dims, columns_of(chain), split);
    for (size_t i = 1; i <= chain->rank; i++) {
        chain->split = i % chain->rank;
        if (chain->split <= chain->most_split && find_split(rank, dims, columns_of(chain), split))
            return true;
    }
    /* A list of numbers may be one column. */
    chain->split = chain->rank;
    if (chain->rank <= 1)
        return find_split(rank, dims, 1, split);
    return false;
}

tnn_status tnni_onnx_chain_reshape(tnni_onnx_chain *chain, size_t rank, const int64_t *dims) {
    size_t split = 0;
    if (chain->is_transposed || !choose_split(chain, rank, dims, &split))
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: it cannot be shown to leave the elements of a row together",
            chain->where);
    chain->is_split = true;
    chain->split = split;
    chain->rank = rank;
    memcpy(chain->dims, dims, rank * sizeof *dims);
    chain->version++;
    return TNN_OK;
}

tnn_status tnni_onnx_chain_flatten(tnni_onnx_chain *chain, size_t axis) {
    tnn_status status = tnni_onnx_chain_split(chain, axis);
    if (status != TNN_OK)
        return status;
    int64_t rows = tnni_onnx_product(chain->dims, 0, axis);
    int64_t columns = tnni_onnx_product(chain->dims, axis, chain->rank);
    chain->dims[0] = rows;
    chain->dims[1] = columns;
    chain->rank = 2;
    chain->split = 1;
    chain->version++;
    return TNN_OK;
}

/* Does the order only move dimensions of 1? Then no element moves. */
static bool moves_nothing(const tnni_onnx_chain *chain, const size_t *order) {
    size_t last = 0;
    for (size_t d = 0; d < chain->rank; d++) {
        if (chain->dims[order[d]] == 1)
            continue;
        if (order[d] < last)
            return false;
        last = order[d];
    }
    return true;
}

tnn_status tnni_onnx_chain_transpose(tnni_onnx_chain *chain, const size_t *order) {
    int64_t dims[TNNI_ONNX_MOST_RANK];
    bool changes = !moves_nothing(chain, order);
    for (size_t d = 0; d < chain->rank; d++)
        dims[d] = chain->dims[order[d]];
    if (!changes && !chain->is_transposed)
        return tnni_onnx_chain_reshape(chain, chain->rank, dims);
    if (chain->rank != 2 || (chain->is_split && chain->split != 1))
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: it moves elements of the input to other places", chain->where);
    memcpy(chain->dims, dims, 2 * sizeof *dims);
    if (order[0] == 1)
        chain->is_transposed = !chain->is_transposed;
    chain->version++;
    return TNN_OK;
}

/* ---- Scaling --------------------------------------------------------------------------------- */

static tnn_status take_affine(tnni_onnx_chain *chain, size_t count, tnni_onnx_affine *affine) {
    double *values = tnni_onnx_take(chain->memory, count, 2 * sizeof *values);
    if (!values)
        return no_memory(chain);
    *affine = (tnni_onnx_affine){
        .is_there = true,
        .count = count,
        .node = chain->node,
        .factor = values,
        .offset = values + count,
        .then_factor = 1.0,
        .then_offset = -0.0}; /* which changes nothing, not even -0 */
    for (size_t i = 0; i < count; i++) {
        affine->factor[i] = 1.0;
        affine->offset[i] = 0.0;
    }
    return TNN_OK;
}

static double factor_of(const tnni_onnx_affine *affine, size_t column) {
    if (!affine->is_there)
        return 1.0;
    return affine->factor[column % affine->count] * affine->then_factor;
}

static double offset_of(const tnni_onnx_affine *affine, size_t column) {
    if (!affine->is_there)
        return 0.0;
    return affine->offset[column % affine->count] * affine->then_factor + affine->then_offset;
}

static bool has_offset(const tnni_onnx_affine *affine) {
    for (size_t i = 0; affine->is_there && i < affine->count; i++)
        if (offset_of(affine, i) != 0.0)
            return true;
    return false;
}

/* Room for so many columns, whatever it is so far: of the two numbers, one divides the other. */
static tnn_status widen(tnni_onnx_chain *chain, tnni_onnx_affine *affine, size_t count) {
    tnni_onnx_affine before = *affine;
    if (before.is_there && before.count >= count)
        return TNN_OK;
    tnn_status status = take_affine(chain, count, affine);
    for (size_t i = 0; status == TNN_OK && i < count; i++) {
        affine->factor[i] = factor_of(&before, i);
        affine->offset[i] = offset_of(&before, i);
    }
    return status;
}

/* first and then second. One number takes one step, however many columns there are: no bytes of the
 * file would stand behind more of them. */
static tnn_status append(
    tnni_onnx_chain *chain, tnni_onnx_affine *first, const tnni_onnx_affine *second) {
    tnn_status status = widen(chain, first, second->count);
    if (status != TNN_OK)
        return status;
    first->node = second->node;
    if (second->count == 1) {
        first->then_factor *= factor_of(second, 0);
        first->then_offset = first->then_offset * factor_of(second, 0) + offset_of(second, 0);
        return TNN_OK;
    }
    for (size_t i = 0; i < first->count; i++) {
        double offset = offset_of(first, i);
        first->factor[i] = factor_of(first, i) * factor_of(second, i);
        first->offset[i] = offset * factor_of(second, i) + offset_of(second, i);
    }
    first->then_factor = 1.0;
    first->then_offset = -0.0;
    return TNN_OK;
}

/* Column number index of a constant that is stretched to the value's shape from dimension first on.
 */
static double stretched(
    const tnni_onnx_chain *chain, const tnni_onnx_tensor *constant, size_t first, size_t index) {
    size_t number = 0;
    for (size_t back = 1; back <= chain->rank - first; back++) {
        size_t size = (size_t)chain->dims[chain->rank - back];
        if (back <= constant->rank && constant->dims[constant->rank - back] > 1)
            number += index % size * constant->strides[constant->rank - back];
        index /= size;
    }
    return tnni_onnx_stored(constant, number);
}

static tnn_status check_size(const tnni_onnx_chain *chain, const char *what, int64_t count) {
    if (count > 0 && (uint64_t)count <= chain->limits.units)
        return TNN_OK;
    if (count == 0)
        return tnni_fail(TNN_BAD_FORMAT, "%s: 0 %s, expected at least 1", chain->where, what);
    if (count < 0)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: the model does not tell the number of %s", chain->where, what);
    return tnni_fail(
        TNN_UNSUPPORTED, "%s: %" PRId64 " %s, more than limits.units, %zu", chain->where, count,
        what, chain->limits.units);
}

/* First of the value's dimensions in which the constant is more than one number. */
static size_t first_dimension(const tnni_onnx_chain *chain, const tnni_onnx_tensor *constant) {
    size_t first = 0;
    while (first + 1 < constant->rank && constant->dims[first] == 1)
        first++;
    return chain->rank - constant->rank + first;
}

/*
 * Does the constant stretch to the value's shape, the same for each row? Columns that are not
 * known get their number from it. Its columns begin at *first: at the split or, while more than one
 * split leaves it the same for each row, at its own first dimension.
 */
static tnn_status check_constant(
    tnni_onnx_chain *chain, const tnni_onnx_tensor *constant, size_t *first) {
    const char *where = chain->where;
    if (chain->is_transposed)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: a constant, %s, that is more than one number a column", where,
            tnni_onnx_describe(constant).text);
    *first = first_dimension(chain, constant);
    if (*first <= usual_split(chain))
        settle_split(chain);
    if (chain->is_split)
        *first = chain->split;
    else if (*first < chain->most_split)
        chain->most_split = *first;
    for (size_t back = 1; back <= constant->rank; back++) {
        int64_t size = constant->dims[constant->rank - back];
        int64_t *dim = &chain->dims[chain->rank - back];
        bool is_column = chain->rank - back >= *first;
        if (is_column && *dim < 0 && size > 1)
            *dim = size;
        if (size != 1 && (!is_column || size != *dim))
            return tnni_fail(
                TNN_UNSUPPORTED,
                "%s: a constant, %s, that does not hold one number, or one for each column", where,
                tnni_onnx_describe(constant).text);
    }
    return check_size(chain, "columns", tnni_onnx_product(chain->dims, *first, chain->rank));
}

static tnn_status read_affine(
    tnni_onnx_chain *chain, const tnni_onnx_tensor *constant, bool is_factor, bool inverts,
    tnni_onnx_affine *affine) {
    size_t count = 1;
    size_t first = 0;
    if (constant->rank > chain->rank)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: a constant, %s, of more dimensions than the value", chain->where,
            tnni_onnx_describe(constant).text);
    if (constant->count != 1) {
        tnn_status status = check_constant(chain, constant, &first);
        if (status != TNN_OK)
            return status;
        count = (size_t)tnni_onnx_product(chain->dims, first, chain->rank);
    }
    tnn_status status = take_affine(chain, count, affine);
    for (size_t i = 0; status == TNN_OK && i < count; i++) {
        double value =
            count > 1 ? stretched(chain, constant, first, i) : tnni_onnx_element(constant, 0);
        if (!isfinite(value) || (is_factor && inverts && value == 0.0))
            return tnni_fail(
                TNN_UNSUPPORTED, "%s: a constant is %g, expected a finite number%s", chain->where,
                value, inverts && is_factor ? " that is not 0" : "");
        if (is_factor)
            affine->factor[i] = inverts ? 1.0 / value : value;
        else
            affine->offset[i] = inverts ? -value : value;
    }
    return status;
}

/* ---- Layers ---------------------------------------------------------------------------------- */

static tnni_onnx_layer *last_layer(tnni_onnx_chain *chain) {
    return chain->layer_count > 0 ? &chain->layers[chain->layer_count - 1] : NULL;
}

static bool is_open(tnni_onnx_chain *chain) {
    return chain->layer_count > 0 && !last_layer(chain)->is_closed;
}

static tnn_status push(tnni_onnx_chain *chain, const tnni_onnx_layer *layer) {
    if (chain->layer_count == chain->layer_capacity)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: more layers than limits.layers, %zu", chain->where,
            chain->limits.layers);
    chain->layers[chain->layer_count++] = *layer;
    return TNN_OK;
}

/* A layer that is no product: each unit is its column, scaled. */
static tnn_status push_diagonal(tnni_onnx_chain *chain, const tnni_onnx_affine *after) {
    int64_t columns = chain->layer_count > 0 && last_layer(chain)->units > 0
        ? (int64_t)last_layer(chain)->units
        : 0;
    const tnni_onnx_layer layer = {
        .node = after->is_there ? after->node : chain->node,
        .inputs = (size_t)columns,
        .units = (size_t)columns,
        .after = *after,
        .has_biases = has_offset(after)};
    return push(chain, &layer);
}

/* Is a float as near to the number as floats are that are not denormal? */
static bool is_close_to_float(double number) {
    float nearest = (float)number;
    return isfinite(nearest) && fabs(nearest - number) <= 0x1p-24 * fabs(number);
}

static bool is_scale(double number) {
    return number > 0.0 && is_close_to_float(number);
}

/* What the net subtracts from an input. */
static float input_shift(const tnni_onnx_affine *affine, size_t input) {
    return (float)(-offset_of(affine, input) / factor_of(affine, input) + 0.0); /* no -0 */
}

/* Can the net scale its inputs like this, but for signs? */
static bool can_scale_inputs(const tnni_onnx_affine *affine) {
    for (size_t i = 0; i < affine->count; i++)
        if (!is_scale(fabs(factor_of(affine, i))) || !isfinite(input_shift(affine, i)))
            return false;
    return true;
}

/*
 * What is left of an offset where the shift is no float: factor v + offset = factor (v - shift) +
 * this. It is small, but not beside what is left of v - shift. Below 2^-48 of the offset it is what
 * double itself rounds.
 */
static double left_over(const tnni_onnx_affine *affine, size_t input) {
    double offset = offset_of(affine, input);
    double left = fma(factor_of(affine, input), input_shift(affine, input), offset);
    return fabs(left) > 0x1p-48 * fabs(offset) ? left : 0.0;
}

static bool has_left_over(const tnni_onnx_affine *affine) {
    for (size_t i = 0; affine->is_there && i < affine->count; i++)
        if (left_over(affine, i) != 0.0)
            return true;
    return false;
}

/* What is pending becomes the net's own scaling of its inputs, if it can be that. Subtracting comes
 * first there: a product and then a sum would cancel what large inputs have in common. */
static void settle_input(tnni_onnx_chain *chain) {
    if (chain->layer_count > 0 || !chain->pending.is_there || !can_scale_inputs(&chain->pending))
        return;
    chain->input = chain->pending;
    chain->pending = (tnni_onnx_affine){0};
}

/* Puts what is pending into a layer: the last one, if nothing is between, or one of its own. */
static tnn_status settle_pending(tnni_onnx_chain *chain) {
    tnni_onnx_affine pending = chain->pending;
    chain->pending = (tnni_onnx_affine){0};
    if (!pending.is_there)
        return TNN_OK;
    if (!is_open(chain))
        return push_diagonal(chain, &pending);
    if (has_offset(&pending))
        last_layer(chain)->has_biases = true;
    return append(chain, &last_layer(chain)->after, &pending);
}

/* The columns of the value are those that a product takes; transposed if either is. */
static tnn_status meet_product(tnni_onnx_chain *chain, size_t inputs, bool transposes) {
    bool is_transposed = chain->is_transposed != transposes;
    if (transposes && chain->rank != 2)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: a value of %zu dimensions, expected 2", chain->where, chain->rank);
    if (chain->rank == 0)
        return tnni_fail(TNN_BAD_FORMAT, "%s: a value of no dimension", chain->where);
    if (is_transposed && chain->is_split)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: it takes the value transposed, so that rows are mixed",
            chain->where);
    if (transposes) {
        int64_t first = chain->dims[0];
        chain->dims[0] = chain->dims[1];
        chain->dims[1] = first;
    }
    chain->is_transposed = false;
    int64_t *last = &chain->dims[chain->rank - 1];
    if (*last >= 0 && *last != (int64_t)inputs)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: %" PRId64 " columns times weights of %zu inputs", chain->where,
            *last, inputs);
    *last = (int64_t)inputs;
    return tnni_onnx_chain_split(chain, chain->rank - 1);
}

/* Leading layers that waited for the number of inputs to be known. */
static void resolve_inputs(tnni_onnx_chain *chain, size_t inputs) {
    for (size_t l = 0; l < chain->layer_count && chain->layers[l].units == 0; l++)
        chain->layers[l].inputs = chain->layers[l].units = inputs;
}

/* Biases [units], or fewer that stretch; rows of their own they must not have. */
static tnn_status read_biases(
    tnni_onnx_chain *chain, const tnni_onnx_tensor *biases, double beta, size_t units,
    tnni_onnx_affine *after) {
    for (size_t d = 0; d < biases->rank; d++) {
        bool is_last = d + 1 == biases->rank;
        if (biases->dims[d] != 1 && !(is_last && biases->dims[d] == (int64_t)units))
            return tnni_fail(
                TNN_UNSUPPORTED, "%s: biases %s, expected one for each of %zu units", chain->where,
                tnni_onnx_describe(biases).text, units);
    }
    tnn_status status = take_affine(chain, units, after);
    for (size_t i = 0; status == TNN_OK && i < units; i++)
        after->offset[i] = beta * tnni_onnx_element(biases, biases->count > 1 ? i : 0);
    return status;
}

tnn_status tnni_onnx_chain_multiply(
    tnni_onnx_chain *chain, const tnni_onnx_tensor *weights, double alpha, bool transposes,
    const tnni_onnx_tensor *biases, double beta) {
    bool is_vector = weights->rank == 1;
    tnni_onnx_layer layer = {
        .node = chain->node, .is_product = true, .weights = *weights, .alpha = alpha};
    int64_t units = is_vector ? 1 : weights->dims[1];
    tnn_status status = check_size(chain, "inputs", weights->dims[0]);
    if (status == TNN_OK)
        status = check_size(chain, "units", units);
    if (status == TNN_OK)
        status = meet_product(chain, (size_t)weights->dims[0], transposes);
    if (status != TNN_OK)
        return status;
    settle_input(chain);
    status = settle_pending(chain);
    if (status != TNN_OK)
        return status;
    layer.inputs = (size_t)weights->dims[0];
    layer.units = (size_t)units;
    layer.has_biases = biases;
    resolve_inputs(chain, layer.inputs);
    if (is_vector)
        chain->rank--;
    else
        chain->dims[chain->rank - 1] = units;
    chain->version++;
    if (biases)
        status = read_biases(chain, biases, beta, layer.units, &layer.after);
    return status == TNN_OK ? push(chain, &layer) : status;
}

tnn_status tnni_onnx_chain_scale(
    tnni_onnx_chain *chain, const tnni_onnx_tensor *factor, bool divides,
    const tnni_onnx_tensor *offset, bool subtracts) {
    tnni_onnx_affine affine = {0};
    tnn_status status = factor ? read_affine(chain, factor, true, divides, &affine)
                               : read_affine(chain, offset, false, subtracts, &affine);
    if (status != TNN_OK)
        return status;
    chain->version++;
    /* What is added to a product comes first of all: its biases. */
    if (!factor && !chain->pending.is_there && is_open(chain) && !last_layer(chain)->has_biases) {
        last_layer(chain)->has_biases = true;
        return append(chain, &last_layer(chain)->after, &affine);
    }
    return append(chain, &chain->pending, &affine);
}

tnn_status tnni_onnx_chain_activate(tnni_onnx_chain *chain, tnn_activation activation) {
    const tnni_onnx_affine nothing = {0};
    settle_input(chain);
    tnn_status status = settle_pending(chain);
    if (status == TNN_OK && !is_open(chain))
        status = push_diagonal(chain, &nothing);
    if (status != TNN_OK)
        return status;
    last_layer(chain)->activation = activation;
    last_layer(chain)->is_closed = true;
    chain->version++;
    return TNN_OK;
}

/* ---- The end --------------------------------------------------------------------------------- */

/* Can the net scale its outputs like this? */
static bool can_scale_outputs(const tnni_onnx_affine *affine) {
    for (size_t i = 0; i < affine->count; i++)
        if (!is_scale(1.0 / factor_of(affine, i)) || !isfinite((float)offset_of(affine, i)))
            return false;
    return true;
}

static tnn_status settle_output(tnni_onnx_chain *chain) {
    const tnni_onnx_affine nothing = {0};
    if (chain->layer_count > 0 && chain->pending.is_there && can_scale_outputs(&chain->pending)) {
        chain->output = chain->pending;
        chain->pending = (tnni_onnx_affine){0};
        return TNN_OK;
    }
    settle_input(chain);
    tnn_status status = settle_pending(chain);
    if (status == TNN_OK && chain->layer_count == 0)
        status = push_diagonal(chain, &nothing);
    return status;
}

static tnni_onnx_text name_of(const tnni_onnx_chain *chain, size_t layer) {
    return tnni_onnx_name_node(chain->graph, chain->layers[layer].node);
}

static tnn_status check_layers(const tnni_onnx_chain *chain) {
    size_t total = 0;
    size_t diagonal = 0;
    for (size_t l = 0; l < chain->layer_count; l++) {
        const tnni_onnx_layer *layer = &chain->layers[l];
        size_t weights = 0;
        size_t rows = layer->inputs + (layer->has_biases ? 1 : 0);
        if (!tnni_multiply(rows, layer->units, &weights) || !tnni_add(total, weights, &total))
            total = SIZE_MAX;
        if (total > chain->limits.parameters)
            return tnni_fail(
                TNN_UNSUPPORTED,
                "%s: %s: more parameters in layers 0 to %zu than limits.parameters, %zu",
                chain->where, name_of(chain, l).text, l, chain->limits.parameters);
        diagonal += layer->is_product ? 0 : weights;
        if (diagonal > MOST_DIAGONAL_WEIGHTS)
            return tnni_fail(
                TNN_UNSUPPORTED,
                "%s: %s: layer %zu, an activation or scaling of %zu columns without a product "
                "before it, would take %zu weights, and there are to be at most %d of that kind",
                chain->where, name_of(chain, l).text, l, layer->units, weights,
                MOST_DIAGONAL_WEIGHTS);
    }
    return TNN_OK;
}

/* The output is the value of the last node, which is what messages are about. */
static tnn_status end_value(tnni_onnx_chain *chain) {
    if (chain->is_transposed)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: the output is transposed, its rows are columns", chain->where);
    settle_split(chain);
    tnn_status status = settle_output(chain);
    return status == TNN_OK ? check_size(chain, "columns", columns_of(chain)) : status;
}

tnn_status tnni_onnx_chain_end(tnni_onnx_chain *chain) {
    char last[480];
    const char *where = chain->where;
    snprintf(
        last, sizeof last, "%s: %s", where, tnni_onnx_name_node(chain->graph, chain->node).text);
    chain->where = last;
    tnn_status status = end_value(chain);
    chain->where = where;
    if (status != TNN_OK)
        return status;
    resolve_inputs(chain, (size_t)columns_of(chain));
    if (has_left_over(&chain->input))
        chain->layers[0].has_biases = true;
    return check_layers(chain);
}

/* ---- The net --------------------------------------------------------------------------------- */

/* The nearest float; false if that would not be finite though the number is. */
static bool to_float(double value, float *result) {
    *result = (float)value;
    return isfinite(*result) || !isfinite(value);
}

static tnn_status too_large(const tnni_onnx_chain *chain, size_t layer, const char *what) {
    return tnni_fail(
        TNN_UNSUPPORTED, "%s: %s: layer %zu has %s beyond the range of float", chain->where,
        name_of(chain, layer).text, layer, what);
}

/* What the inputs' scaling leaves to the first layer: their signs. */
static double sign_of(const tnni_onnx_chain *chain, size_t layer, size_t input) {
    return layer == 0 && factor_of(&chain->input, input) < 0.0 ? -1.0 : 1.0;
}

static tnn_status fill_weights(const tnni_onnx_chain *chain, size_t index, float *weights) {
    const tnni_onnx_layer *layer = &chain->layers[index];
    const tnni_onnx_tensor *from = &layer->weights;
    size_t stride = from->rank > 1 ? from->strides[1] : 0;
    if (!layer->is_product) {
        memset(weights, 0, layer->inputs * layer->units * sizeof *weights);
        for (size_t i = 0; i < layer->units; i++) {
            double factor = sign_of(chain, index, i) * factor_of(&layer->after, i);
            if (!is_close_to_float(factor))
                return too_large(chain, index, "a factor");
            weights[i * layer->units + i] = (float)factor;
        }
        return TNN_OK;
    }
    for (size_t i = 0; i < layer->inputs; i++) {
        double factor = layer->alpha * sign_of(chain, index, i);
        for (size_t j = 0; j < layer->units; j++) {
            double weight = tnni_onnx_stored(from, i * from->strides[0] + j * stride);
            if (!to_float(factor * factor_of(&layer->after, j) * weight, weights++))
                return too_large(chain, index, "a weight");
        }
    }
    return TNN_OK;
}

/* The offsets that the inputs' shifts leave over go through the first layer into its biases. */
static void add_left_over(const tnni_onnx_chain *chain, double *biases) {
    const tnni_onnx_layer *layer = &chain->layers[0];
    const tnni_onnx_tensor *from = &layer->weights;
    size_t stride = from->rank > 1 ? from->strides[1] : 0;
    for (size_t i = 0; i < layer->inputs; i++) {
        double left = left_over(&chain->input, i);
        if (left == 0.0)
            continue;
        if (!layer->is_product)
            biases[i] += factor_of(&layer->after, i) * left;
        for (size_t j = 0; layer->is_product && j < layer->units; j++)
            biases[j] += layer->alpha * left * factor_of(&layer->after, j) *
                tnni_onnx_stored(from, i * from->strides[0] + j * stride);
    }
}

static tnn_status fill_biases(const tnni_onnx_chain *chain, size_t index, float *biases) {
    const tnni_onnx_layer *layer = &chain->layers[index];
    double *exact = tnni_onnx_take(chain->memory, layer->units, sizeof *exact);
    if (!exact)
        return no_memory(chain);
    for (size_t j = 0; j < layer->units; j++)
        exact[j] = offset_of(&layer->after, j);
    if (index == 0 && chain->input.is_there)
        add_left_over(chain, exact);
    for (size_t j = 0; j < layer->units; j++)
        if (!to_float(exact[j], &biases[j]))
            return too_large(chain, index, "a bias");
    return TNN_OK;
}

static tnn_status fill_layer(const tnni_onnx_chain *chain, size_t index, tnn_net *net) {
    tnn_status status = fill_weights(chain, index, tnn_net_weights(net, index));
    if (status == TNN_OK && chain->layers[index].has_biases)
        status = fill_biases(chain, index, tnn_net_biases(net, index));
    return status;
}

/* (x - shift) * scale and y / scale + shift. Room for both arrays is the chain's memory. */
static tnn_status fill_scalings(const tnni_onnx_chain *chain, tnn_net *net) {
    const tnni_onnx_affine *input = &chain->input;
    const tnni_onnx_affine *output = &chain->output;
    size_t inputs = tnn_net_inputs(net);
    size_t outputs = tnn_net_outputs(net);
    size_t most = inputs > outputs ? inputs : outputs;
    tnn_status status = TNN_OK;
    if (!input->is_there && !output->is_there)
        return TNN_OK;
    float *shift = tnni_onnx_take(chain->memory, most, 2 * sizeof *shift);
    float *scale = shift + most;
    if (!shift)
        return no_memory(chain);
    for (size_t i = 0; input->is_there && i < inputs; i++) {
        shift[i] = input_shift(input, i);
        scale[i] = (float)fabs(factor_of(input, i));
    }
    if (input->is_there)
        status = tnn_net_set_input_scaling(net, shift, scale);
    for (size_t i = 0; output->is_there && i < outputs; i++) {
        shift[i] = (float)offset_of(output, i);
        scale[i] = (float)(1.0 / factor_of(output, i));
    }
    if (status == TNN_OK && output->is_there)
        status = tnn_net_set_output_scaling(net, shift, scale);
    return status;
}

static tnn_status fill_in(const tnni_onnx_chain *chain, tnn_net *net) {
    tnn_status status = TNN_OK;
    for (size_t l = 0; l < chain->layer_count && status == TNN_OK; l++)
        status = fill_layer(chain, l, net);
    return status == TNN_OK ? fill_scalings(chain, net) : status;
}

tnn_status tnni_onnx_chain_to_net(
    const tnni_onnx_chain *chain, tnn_net **net, const tnn_net_options *options) {
    tnn_net *made = NULL;
    tnn_layer *layers = tnni_onnx_take(chain->memory, chain->layer_count, sizeof *layers);
    if (!layers)
        return no_memory(chain);
    for (size_t l = 0; l < chain->layer_count; l++)
        layers[l] = (tnn_layer){
            .units = chain->layers[l].units,
            .activation = chain->layers[l].activation,
            .initializer = tnn_constant(0.0f), /* all of them are about to be written */
            .no_bias = !chain->layers[l].has_biases};
    tnn_status status =
        tnn_net_create(&made, chain->layers[0].inputs, layers, chain->layer_count, options);
    if (status == TNN_OK)
        status = fill_in(chain, made);
    if (status == TNN_OK)
        *net = made;
    else
        tnn_net_destroy(made);
    return status;
}
