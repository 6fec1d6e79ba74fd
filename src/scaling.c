/*
 * The scaling that belongs to a net: set, read, and fitted to data. What it does to rows is in the
 * files of the verbs.
 */
#include "net.h"

#include "support/memory.h"
#include "support/status.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- Set and read ---------------------------------------------------------------------------- */

tnn_status tnni_check_scaling(
    const char *caller, size_t columns, const float *shift, const float *scale) {
    if (!shift != !scale)
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: %s is NULL and %s is not, expected both or neither", caller,
            shift ? "scale" : "shift", shift ? "shift" : "scale");
    for (size_t i = 0; shift && i < columns; i++) {
        if (!isfinite(shift[i]))
            return tnni_fail(
                TNN_INVALID_ARGUMENT, "%s: shift[%zu] is %g, expected a finite number", caller, i,
                (double)shift[i]);
        if (!(scale[i] > 0.0f && isfinite(scale[i])))
            return tnni_fail(
                TNN_INVALID_ARGUMENT, "%s: scale[%zu] is %g, expected a positive finite number",
                caller, i, (double)scale[i]);
    }
    return TNN_OK;
}

/* Room for the shifts and scales of so many columns. */
static tnn_status allocate_scaling(
    const char *caller, const tnn_net *net, size_t columns, float **scaling) {
    *scaling = tnni_allocate(net->allocator, tnni_scaling_bytes(columns));
    if (*scaling)
        return TNN_OK;
    return tnni_fail(TNN_OUT_OF_MEMORY, "%s: no memory to scale %zu columns", caller, columns);
}

/* A scaling made of these arrays; NULL, and TNN_OK, for none. */
static tnn_status make_scaling(
    const char *caller, const tnn_net *net, size_t columns, const float *shift, const float *scale,
    float **scaling) {
    *scaling = NULL;
    tnn_status status = tnni_check_scaling(caller, columns, shift, scale);
    if (status == TNN_OK && shift)
        status = allocate_scaling(caller, net, columns, scaling);
    if (!*scaling)
        return status;
    memcpy(*scaling, shift, columns * sizeof *shift);
    memcpy(*scaling + columns, scale, columns * sizeof *scale);
    return TNN_OK;
}

static tnn_status set_scaling(
    const char *caller, tnn_net *net, bool of_inputs, const float *shift, const float *scale) {
    if (!net)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: net is NULL", caller);
    net->rows = 0;
    float *made;
    size_t columns = of_inputs ? tnni_inputs(net) : tnni_outputs(net);
    tnn_status status = make_scaling(caller, net, columns, shift, scale, &made);
    if (status == TNN_OK)
        status = tnni_net_set_scalings(
            caller, net, of_inputs ? made : net->input_scaling,
            of_inputs ? net->output_scaling : made);
    if (status != TNN_OK)
        tnni_release(net->allocator, made, tnni_scaling_bytes(columns));
    return status;
}

tnn_status tnn_net_set_input_scaling(tnn_net *net, const float *shift, const float *scale) {
    return set_scaling("tnn_net_set_input_scaling", net, true, shift, scale);
}

tnn_status tnn_net_set_output_scaling(tnn_net *net, const float *shift, const float *scale) {
    return set_scaling("tnn_net_set_output_scaling", net, false, shift, scale);
}

static bool has_net(const char *caller, const tnn_net *net) {
    if (!net)
        tnni_fail(TNN_INVALID_ARGUMENT, "%s: net is NULL", caller);
    return net;
}

const float *tnn_net_input_shift(const tnn_net *net) {
    return has_net("tnn_net_input_shift", net) ? net->input_scaling : NULL;
}

const float *tnn_net_input_scale(const tnn_net *net) {
    if (!has_net("tnn_net_input_scale", net) || !net->input_scaling)
        return NULL;
    return net->input_scaling + tnni_inputs(net);
}

const float *tnn_net_output_shift(const tnn_net *net) {
    return has_net("tnn_net_output_shift", net) ? net->output_scaling : NULL;
}

const float *tnn_net_output_scale(const tnn_net *net) {
    if (!has_net("tnn_net_output_scale", net) || !net->output_scaling)
        return NULL;
    return net->output_scaling + tnni_outputs(net);
}

/* ---- Fit ------------------------------------------------------------------------------------- */

/* Columns that are summed at the same time, so that each row is read a few cache lines at a time
 * and nothing needs to be allocated. */
enum { COLUMN_BLOCK = 64 };

/* A matrix to fit a scaling to. */
typedef struct column_data {
    const char *name;
    size_t rows;
    size_t columns;
    const float *values; /* [rows, columns] */
} column_data;

static tnn_status check_finite(const char *caller, const column_data *data) {
    for (size_t r = 0; r < data->rows; r++) {
        for (size_t c = 0; c < data->columns; c++) {
            double value = data->values[r * data->columns + c];
            if (!isfinite(value))
                return tnni_fail(
                    TNN_INVALID_ARGUMENT,
                    "%s: data->%s is %g in row %zu, column %zu, expected a finite number", caller,
                    data->name, value, r, c);
        }
    }
    return TNN_OK;
}

/* 1 / width, or 1 where the column is constant, or so nearly that float has no such number. */
static float scale_of(double width) {
    return width * (double)FLT_MAX >= 1.0 ? (float)(1.0 / width) : 1.0f;
}

/* What is summed up of a block of columns. */
typedef struct column_sums {
    float low[COLUMN_BLOCK];
    float high[COLUMN_BLOCK];
    double mean[COLUMN_BLOCK];
    double squares[COLUMN_BLOCK]; /* of the distances from the mean */
} column_sums;

static void find_means(const column_data *data, size_t first, size_t count, column_sums *sums) {
    for (size_t c = 0; c < count; c++) {
        sums->low[c] = sums->high[c] = data->values[first + c];
        sums->mean[c] = 0.0;
    }
    for (size_t r = 0; r < data->rows; r++) {
        const float *row = data->values + r * data->columns + first;
        for (size_t c = 0; c < count; c++) {
            sums->low[c] = row[c] < sums->low[c] ? row[c] : sums->low[c];
            sums->high[c] = row[c] > sums->high[c] ? row[c] : sums->high[c];
            sums->mean[c] += row[c];
        }
    }
    for (size_t c = 0; c < count; c++)
        sums->mean[c] /= (double)data->rows;
}

static void find_squares(const column_data *data, size_t first, size_t count, column_sums *sums) {
    for (size_t c = 0; c < count; c++)
        sums->squares[c] = 0.0;
    for (size_t r = 0; r < data->rows; r++) {
        const float *row = data->values + r * data->columns + first;
        for (size_t c = 0; c < count; c++) {
            double distance = row[c] - sums->mean[c];
            sums->squares[c] += distance * distance;
        }
    }
}

/* Of what is refused: a scale that is not a normal float, and a column that overflows when it is
 * shifted. A range of at most FLT_MAX cannot, wherever in it the shift lies. */
static bool can_scale(const column_sums *sums, size_t column, float scale) {
    return scale >= FLT_MIN && (double)sums->high[column] - sums->low[column] <= (double)FLT_MAX;
}

/* The range is what tells of a constant column: a mean of many rows may be rounded. */
static tnn_status fit_block(
    const char *caller, const column_data *data, tnn_scaling kind, size_t first, size_t count,
    float *shift, float *scale) {
    column_sums sums;
    find_means(data, first, count, &sums);
    if (kind == TNN_STANDARDIZE)
        find_squares(data, first, count, &sums);
    for (size_t c = 0; c < count; c++) {
        bool is_constant = sums.low[c] == sums.high[c];
        double width = (double)sums.high[c] - sums.low[c];
        if (kind == TNN_STANDARDIZE && !is_constant)
            width = sqrt(sums.squares[c] / (double)data->rows);
        shift[c] = kind == TNN_MIN_MAX || is_constant ? sums.low[c] : (float)sums.mean[c];
        scale[c] = scale_of(width);
        if (!can_scale(&sums, c, scale[c]))
            return tnni_fail(
                TNN_INVALID_ARGUMENT,
                "%s: data->%s goes from %g to %g in column %zu, expected a range that float can "
                "scale",
                caller, data->name, (double)sums.low[c], (double)sums.high[c], first + c);
    }
    return TNN_OK;
}

/* The scaling of these columns; NULL, and TNN_OK, for none. */
static tnn_status fit_columns(
    const char *caller, const tnn_net *net, const column_data *data, tnn_scaling kind,
    float **scaling) {
    *scaling = NULL;
    if (kind == TNN_NO_SCALING)
        return TNN_OK;
    tnn_status status = check_finite(caller, data);
    if (status == TNN_OK)
        status = allocate_scaling(caller, net, data->columns, scaling);
    if (status != TNN_OK)
        return status;
    for (size_t c = 0; c < data->columns && status == TNN_OK; c += COLUMN_BLOCK) {
        size_t left = data->columns - c;
        status = fit_block(
            caller, data, kind, c, left < COLUMN_BLOCK ? left : COLUMN_BLOCK, *scaling + c,
            *scaling + data->columns + c);
    }
    return status;
}

static tnn_status check_kind(const char *caller, const char *name, tnn_scaling kind) {
    if (kind == TNN_NO_SCALING || kind == TNN_STANDARDIZE || kind == TNN_MIN_MAX)
        return TNN_OK;
    return tnni_fail(
        TNN_INVALID_ARGUMENT, "%s: %s is %d, expected a tnn_scaling", caller, name, (int)kind);
}

static tnn_status check_fit(
    const char *caller, const tnn_net *net, const tnn_dataset *data, tnn_scaling inputs,
    tnn_scaling outputs) {
    if (!data)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: data is NULL", caller);
    tnn_status status = check_kind(caller, "inputs", inputs);
    if (status == TNN_OK)
        status = check_kind(caller, "outputs", outputs);
    if (status == TNN_OK)
        status = tnni_check_rows(caller, net, data->rows, data->x, NULL);
    if (status != TNN_OK || outputs == TNN_NO_SCALING)
        return status;
    if (data->classes)
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: data->classes is given, but classes have no scaling; outputs has to be "
            "TNN_NO_SCALING",
            caller);
    if (!data->target)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: data->target is NULL", caller);
    return TNN_OK;
}

tnn_status tnn_net_fit_scaling(
    tnn_net *net, const tnn_dataset *data, tnn_scaling inputs, tnn_scaling outputs) {
    const char *caller = "tnn_net_fit_scaling";
    float *input = NULL;
    float *output = NULL;
    if (!net)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: net is NULL", caller);
    net->rows = 0;
    tnn_status status = check_fit(caller, net, data, inputs, outputs);
    if (status != TNN_OK)
        return status;
    const column_data x = {"x", data->rows, tnni_inputs(net), data->x};
    const column_data target = {"target", data->rows, tnni_outputs(net), data->target};
    status = fit_columns(caller, net, &x, inputs, &input);
    if (status == TNN_OK)
        status = fit_columns(caller, net, &target, outputs, &output);
    if (status == TNN_OK)
        status = tnni_net_set_scalings(caller, net, input, output);
    if (status == TNN_OK)
        return TNN_OK;
    tnni_release(net->allocator, input, tnni_scaling_bytes(x.columns));
    tnni_release(net->allocator, output, tnni_scaling_bytes(target.columns));
    return status;
}
