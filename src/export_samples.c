/*
 * Rows that generated code checks itself with: x, the library's y, and how far another y may be
 * from it that is computed in the same way, but with the C library's elementary functions, or on a
 * machine where a multiply-add rounds twice: a multiple of what reruns with such errors differ by,
 * since a bound grows with each layer until it lets any y pass.
 */
#include "export_c.h"

#include "support/memory.h"
#include "support/random.h"
#include "support/status.h"

#include <float.h>
#include <math.h>

enum { DEFAULT_ROWS = 4, SEED = 1, MOST_CHAINS = 16 };

/* ---- Bound ---------------------------------------------------------------------------------- */

/*
 * Bounds of |difference| are carried through the layers, to first order; the factor at the end is
 * for the rest. ROUNDING is the relative error of one operation. Two elementary functions differ by
 * at most 12 units in the last place, ulp, each of at most 2 ROUNDING: the library's own err by at
 * most 2 ulp, or 4 where a multiply-add rounds twice, those of a C library are taken to err by at
 * most 4, and the operations around them (1 + e, a quotient) by 2 in each.
 */
#define ROUNDING (0.5 * FLT_EPSILON)
#define FUNCTION (12 * 2 * ROUNDING)
#define HIGHER_ORDERS 1.01
/* Of results that are denormal. */
#define UNDERFLOW 0x1p-140

/* The least upper bound of |slope|, rounded up. */
static double steepest(const tnni_layer *layer) {
    double parameter = layer->activation.parameter;
    switch (layer->kind) {
    case TNNI_LEAKY_RELU:
    case TNNI_ELU:
        return parameter > 1 ? parameter : 1;
    case TNNI_SIGMOID:
        return 0.25;
    case TNNI_HARD_SIGMOID:
        return 0.17;
    case TNNI_SELU:
        return 1.76;
    case TNNI_SILU:
        return 1.1;
    case TNNI_GELU:
        return 1.13;
    default:
        return 1;
    }
}

/* What the activation's own operations may differ by. Those of gelu lose digits to a difference,
 * and so the bound is relative to z. */
static double function_difference(const tnni_layer *layer, double z, double a) {
    switch (layer->kind) {
    case TNNI_IDENTITY:
    case TNNI_RELU:
    case TNNI_HARD_TANH:
        return 0;
    case TNNI_LEAKY_RELU:
    case TNNI_SOFTSIGN:
    case TNNI_HARD_SIGMOID:
        return 6 * ROUNDING * fabs(a);
    case TNNI_GELU:
        return FUNCTION * fabs(z);
    case TNNI_SOFTPLUS: /* log1p(exp(z)) */
        return 2 * FUNCTION * fabs(a);
    default:
        return FUNCTION * fabs(a);
    }
}

/* exp(d) - 1 <= d + d^2 as long as d <= 1; no element of a softmax differs by more than 1. The
 * exponents err by the rounding of z - largest, the sum by what docs/numerics.md says. */
static void softmax_differences(
    const tnni_layer *layer, const float *z, const float *a, double *difference) {
    double largest = z[0];
    double most = 0;
    for (size_t u = 0; u < layer->units; u++) {
        largest = z[u] > largest ? z[u] : largest;
        most = difference[u] > most ? difference[u] : most;
    }
    for (size_t u = 0; u < layer->units; u++) {
        double own = largest - z[u] + 8 + (double)layer->units / 16;
        double exponent = 2 * most + 2 * own * FLT_EPSILON + FUNCTION;
        double relative = exponent + exponent * exponent;
        difference[u] = exponent <= 1 ? a[u] * relative + UNDERFLOW : 1;
    }
}

/* Sums of products of the same form, whose inputs differ: each of the two is within operations *
 * ROUNDING of the sum of the sizes of its terms. */
static double sum_difference(
    const tnni_layer *layer, const float *weights, const float *biases, size_t unit, const float *x,
    const double *x_difference) {
    size_t chains = tnni_export_chains(layer);
    double operations = 2.0 * (double)(layer->inputs / chains + 1) + 5;
    double difference = 0;
    double size = biases ? fabs((double)biases[unit]) : 0;
    for (size_t i = 0; i < layer->inputs; i++) {
        double weight = fabs((double)weights[i * layer->units + unit]);
        difference += weight * x_difference[i];
        size += weight * (fabs((double)x[i]) + x_difference[i]);
    }
    return difference + 2 * operations * (ROUNDING * size + UNDERFLOW);
}

/* ---- Reruns ---------------------------------------------------------------------------------- */

/*
 * Errors of reruns have random signs, as those of arithmetic have. An output's error is about
 * normal then, of the same deviation in all of them and in the code to be checked, or less in that.
 * That is taken to be wrong if it errs by more than MARGIN times the largest of RERUNS. Of normal a
 * and b, P(16 |b| < |a|) is near 0.05 |a|, and the mean of its 8th power 0.05^8 * 105, or 4e-9.
 * FLOOR is relative to the row's largest output, for errors that happen to be 0.
 */
enum { RERUNS = 8, MARGIN = 16 };
#define FLOOR (8 * FLT_EPSILON)
/* The share of function_difference() that a rerun's functions are off by: 4 ulp of 12. */
#define NUDGE (1.0 / 3)

/* From -size to size. */
static double nudge(tnni_random *random, double size) {
    return size * (2 * tnni_random_uniform(random) - 1);
}

/* A unit's sum where products are rounded, each a little wrongly; chains as in generated code. */
static float sum_again(
    const tnni_layer *layer, const float *weights, const float *biases, size_t unit, const float *x,
    tnni_random *random) {
    size_t chains = tnni_export_chains(layer);
    float s[MOST_CHAINS] = {0};
    for (size_t i = 0; i < layer->inputs; i++) {
        double product = (double)x[i] * (double)weights[i * layer->units + unit];
        float rounded = (float)(product + nudge(random, ROUNDING * product));
        s[i % chains] += rounded;
    }
    for (size_t half = chains / 2; half > 0; half /= 2)
        for (size_t j = 0; j < half; j++)
            s[j] += s[j + half];
    return biases ? s[0] + biases[unit] : s[0];
}

static void pass_layer_again(
    const tnn_net *net, const tnni_layer *layer, const float *x, float *z, float *a,
    tnni_random *random) {
    const float *weights = net->parameters + layer->weights;
    const float *biases = layer->has_biases ? net->parameters + layer->biases : NULL;
    for (size_t u = 0; u < layer->units; u++)
        z[u] = sum_again(layer, weights, biases, u, x, random);
    net->kernels->activations[layer->kind].forward(
        layer->activation.parameter, 1, layer->units, z, a);
    for (size_t u = 0; u < layer->units; u++)
        a[u] += (float)nudge(random, NUDGE * function_difference(layer, z[u], a[u]));
}

/* ---- One row --------------------------------------------------------------------------------- */

/* What flows between layers, [widest] each. */
typedef struct row {
    float *x, *z, *a;
    double *x_difference, *a_difference;
    double *rerun_difference; /* [outputs] */
} row;

static void lay_out_row(tnni_arena *arena, size_t width, row *r) {
    r->x = tnni_arena_take(arena, width, sizeof *r->x);
    r->z = tnni_arena_take(arena, width, sizeof *r->z);
    r->a = tnni_arena_take(arena, width, sizeof *r->a);
    r->x_difference = tnni_arena_take(arena, width, sizeof *r->x_difference);
    r->a_difference = tnni_arena_take(arena, width, sizeof *r->a_difference);
    r->rerun_difference = tnni_arena_take(arena, width, sizeof *r->rerun_difference);
}

static void pass_layer(const tnn_net *net, const tnni_layer *layer, const row *r) {
    const float *weights = net->parameters + layer->weights;
    const float *biases = layer->has_biases ? net->parameters + layer->biases : NULL;
    layer->row.run(&layer->row, r->x, r->z, r->a);
    for (size_t u = 0; u < layer->units; u++)
        r->a_difference[u] = sum_difference(layer, weights, biases, u, r->x, r->x_difference);
    if (layer->kind == TNNI_SOFTMAX)
        softmax_differences(layer, r->z, r->a, r->a_difference);
    for (size_t u = 0; layer->kind != TNNI_SOFTMAX && u < layer->units; u++)
        r->a_difference[u] = steepest(layer) * r->a_difference[u] +
            function_difference(layer, r->z[u], r->a[u]) + UNDERFLOW;
}

/* y, and as tolerance its bound, from the last layer's output. */
static void finish_row(const tnn_net *net, const row *r, float *y, float *tolerance) {
    size_t outputs = tnni_outputs(net);
    const float *shift = net->output_scaling;
    if (shift)
        tnni_unscale(net, shift, 1, outputs, r->x, y);
    for (size_t u = 0; u < outputs; u++) {
        double difference = r->x_difference[u];
        if (shift) {
            double quotient = fabs((double)r->x[u]) / shift[outputs + u];
            difference = difference / shift[outputs + u] +
                4 * ROUNDING * (quotient + fabs((double)shift[u]));
        } else {
            y[u] = r->x[u];
        }
        difference *= HIGHER_ORDERS;
        tolerance[u] = difference < FLT_MAX ? (float)difference : FLT_MAX;
    }
}

static void begin_row(const tnn_net *net, const row *r, const float *x) {
    size_t inputs = tnni_inputs(net);
    for (size_t i = 0; i < inputs; i++) {
        r->x[i] = x[i];
        r->x_difference[i] = 0;
    }
    if (net->input_scaling)
        tnni_scale(net, net->input_scaling, 1, inputs, x, r->x);
}

static void pass_row(const tnn_net *net, row r, const float *x, float *y, float *tolerance) {
    begin_row(net, &r, x);
    for (size_t l = 0; l < net->layer_count; l++) {
        row next = r;
        pass_layer(net, &net->layers[l], &r);
        next.x = r.a;
        next.a = r.x;
        next.x_difference = r.a_difference;
        next.a_difference = r.x_difference;
        r = next;
    }
    finish_row(net, &r, y, tolerance);
}

/* Raises rerun_difference to what the outputs differ by from y. */
static void rerun_row(
    const tnn_net *net, row r, const float *x, const float *y, tnni_random *random) {
    size_t outputs = tnni_outputs(net);
    begin_row(net, &r, x);
    for (size_t l = 0; l < net->layer_count; l++) {
        float *last = r.x;
        pass_layer_again(net, &net->layers[l], r.x, r.z, r.a, random);
        r.x = r.a;
        r.a = last;
    }
    if (net->output_scaling)
        tnni_unscale(net, net->output_scaling, 1, outputs, r.x, r.x);
    for (size_t u = 0; u < outputs; u++) {
        double difference = fabs((double)r.x[u] - (double)y[u]);
        if (!(difference <= r.rerun_difference[u]))
            r.rerun_difference[u] = difference;
    }
}

/* From the bound to what reruns tell, where that is less. */
static void tighten(
    const tnn_net *net, row r, const float *x, const float *y, float *tolerance,
    tnni_random *random) {
    size_t outputs = tnni_outputs(net);
    double largest = 0;
    for (size_t u = 0; u < outputs; u++) {
        double size = fabs((double)y[u]);
        largest = size > largest ? size : largest;
        r.rerun_difference[u] = 0;
    }
    for (int i = 0; i < RERUNS; i++)
        rerun_row(net, r, x, y, random);
    for (size_t u = 0; u < outputs; u++) {
        double found = MARGIN * r.rerun_difference[u] + FLOOR * largest + UNDERFLOW;
        if (found < (double)tolerance[u])
            tolerance[u] = (float)found;
    }
}

/* ---- All rows -------------------------------------------------------------------------------- */

/* Uniform from -1 to 1 for the first layer, so that x is what the scaling makes that of. */
static void draw_rows(tnni_export *e) {
    tnni_random random = tnni_random_seed(SEED);
    size_t inputs = tnni_inputs(e->net);
    const float *shift = e->net->input_scaling;
    for (size_t i = 0; i < e->sample_rows * inputs; i++) {
        double x = 2 * tnni_random_uniform(&random) - 1;
        if (shift)
            x = x / shift[inputs + i % inputs] + shift[i % inputs];
        e->sample_x[i] = x > FLT_MAX ? FLT_MAX : x < -FLT_MAX ? -FLT_MAX : (float)x;
    }
}

static tnn_status copy_rows(tnni_export *e, const float *x) {
    size_t inputs = tnni_inputs(e->net);
    for (size_t i = 0; i < e->sample_rows * inputs; i++) {
        if (!isfinite(x[i]))
            return tnni_fail(
                TNN_INVALID_ARGUMENT, "%s: options->x is %g in row %zu, column %zu", e->caller,
                (double)x[i], i / inputs, i % inputs);
        e->sample_x[i] = x[i];
    }
    return TNN_OK;
}

static tnn_status check_outputs(const tnni_export *e) {
    size_t outputs = tnni_outputs(e->net);
    for (size_t i = 0; i < e->sample_rows * outputs; i++)
        if (!isfinite(e->sample_y[i]))
            return tnni_fail(
                TNN_NOT_FINITE, "%s: output %zu of sample row %zu is %g", e->caller, i % outputs,
                i / outputs, (double)e->sample_y[i]);
    return TNN_OK;
}

static void lay_out_samples(tnni_arena *arena, tnni_export *e, row *r) {
    size_t inputs = tnni_inputs(e->net);
    size_t outputs = tnni_outputs(e->net);
    size_t widest = inputs > e->net->widest ? inputs : e->net->widest;
    e->sample_x = tnni_arena_take(arena, e->sample_rows, inputs * sizeof *e->sample_x);
    e->sample_y = tnni_arena_take(arena, e->sample_rows, outputs * sizeof *e->sample_y);
    e->sample_tolerance =
        tnni_arena_take(arena, e->sample_rows, outputs * sizeof *e->sample_tolerance);
    lay_out_row(arena, widest, r);
}

tnn_status tnni_export_make_samples(tnni_export *e, size_t rows, const float *x) {
    const tnn_net *net = e->net;
    row r;
    tnni_arena arena = {0};
    e->sample_rows = rows > 0 ? rows : DEFAULT_ROWS;
    lay_out_samples(&arena, e, &r);
    e->bytes = arena.used;
    e->block = arena.overflow ? NULL : tnni_allocate(net->allocator, e->bytes);
    if (!e->block)
        return tnni_fail(
            TNN_OUT_OF_MEMORY, "%s: no memory for %zu sample rows", e->caller, e->sample_rows);
    arena = (tnni_arena){.base = e->block};
    lay_out_samples(&arena, e, &r);
    tnn_status status = TNN_OK;
    if (x)
        status = copy_rows(e, x);
    else
        draw_rows(e);
    tnni_random random = tnni_random_seed(SEED);
    for (size_t i = 0; status == TNN_OK && i < e->sample_rows; i++) {
        const float *row_x = e->sample_x + i * tnni_inputs(net);
        float *y = e->sample_y + i * tnni_outputs(net);
        float *tolerance = e->sample_tolerance + i * tnni_outputs(net);
        pass_row(net, r, row_x, y, tolerance);
        tighten(net, r, row_x, y, tolerance, &random);
    }
    return status == TNN_OK ? check_outputs(e) : status;
}

void tnni_export_release_samples(tnni_export *e) {
    tnni_release(e->net->allocator, e->block, e->bytes);
}
