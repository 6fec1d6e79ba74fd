#include "reference_net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Half the distance from 1 to the next float: what one rounding costs, relatively. */
static const double UNIT = 0x1p-24;

/*
 * Roundings of a scalar activation, its slope or a loss term: 4 for a function that is good to 2
 * ulp, the others for the handful of operations around it (1 + erf, times z, halved, ...).
 */
static const double SCALAR_ROUNDINGS = 8;

static const double SELU_SCALE = 1.0507009873554804934193349852946;
static const double SELU_ALPHA = 1.6732632423543772848170429916717;

/* ---- Memory ---------------------------------------------------------------------------------- */

/* What forward leaves behind. outputs[0] is x, outputs[l + 1] what layer l hands on. */
typedef struct pass {
    const ref_net *net;
    size_t rows;
    ref_number *outputs[REF_MAX_LAYERS + 1];
    ref_number *z[REF_MAX_LAYERS];
    ref_number *activated[REF_MAX_LAYERS]; /* outputs before dropout */
} pass;

static ref_number *new_numbers(size_t count) {
    ref_number *numbers = calloc(count, sizeof *numbers);
    if (numbers == NULL)
        abort();
    return numbers;
}

static void pass_free(pass *p) {
    for (size_t l = 0; l < p->net->layer_count; l++) {
        free(p->z[l]);
        free(p->activated[l]);
        free(p->outputs[l + 1]);
    }
    free(p->outputs[0]);
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

static size_t inputs_of(const ref_net *net, size_t layer) {
    return layer == 0 ? net->inputs : net->layers[layer - 1].units;
}

static size_t layer_parameters(const ref_net *net, size_t layer) {
    size_t units = net->layers[layer].units;
    return inputs_of(net, layer) * units + (net->layers[layer].no_bias ? 0 : units);
}

static size_t layer_offset(const ref_net *net, size_t layer) {
    size_t offset = 0;
    for (size_t l = 0; l < layer; l++)
        offset += layer_parameters(net, l);
    return offset;
}

size_t ref_outputs(const ref_net *net) {
    return net->layers[net->layer_count - 1].units;
}

size_t ref_parameter_count(const ref_net *net) {
    return layer_offset(net, net->layer_count);
}

/* ---- Activations of one unit ----------------------------------------------------------------- */

static double sigmoid(double z) {
    return 1 / (1 + exp(-z));
}

static double softplus(double z) {
    return fmax(z, 0) + log1p(exp(-fabs(z)));
}

static double normal_density(double z) {
    return exp(-z * z / 2) / sqrt(2 * acos(-1));
}

static double normal_share(double z) {
    return erfc(-z / sqrt(2)) / 2;
}

static double scalar_value(const ref_activation *f, double z) {
    switch (f->kind) {
    case REF_RELU:
        return z > 0 ? z : 0;
    case REF_LEAKY_RELU:
        return z > 0 ? z : f->parameter * z;
    case REF_SIGMOID:
        return sigmoid(z);
    case REF_TANH:
        return tanh(z);
    case REF_ELU:
        return z > 0 ? z : f->parameter * expm1(z);
    case REF_SELU:
        return SELU_SCALE * (z > 0 ? z : SELU_ALPHA * expm1(z));
    case REF_SOFTPLUS:
        return softplus(z);
    case REF_SOFTSIGN:
        return z / (1 + fabs(z));
    case REF_SILU:
        return z * sigmoid(z);
    case REF_GELU:
        return z * normal_share(z);
    case REF_HARD_SIGMOID:
        return fmin(fmax(z / 6 + 0.5, 0), 1);
    case REF_HARD_TANH:
        return fmin(fmax(z, -1), 1);
    case REF_CUSTOM:
        return f->value(f->context, f->parameter, z);
    default:
        return z;
    }
}

static double scalar_slope(const ref_activation *f, double z) {
    switch (f->kind) {
    case REF_RELU:
        return z > 0 ? 1 : 0;
    case REF_LEAKY_RELU:
        return z > 0 ? 1 : f->parameter;
    case REF_SIGMOID:
        return sigmoid(z) * sigmoid(-z);
    case REF_TANH:
        return 1 - tanh(z) * tanh(z);
    case REF_ELU:
        return z > 0 ? 1 : f->parameter * exp(z);
    case REF_SELU:
        return SELU_SCALE * (z > 0 ? 1 : SELU_ALPHA * exp(z));
    case REF_SOFTPLUS:
        return sigmoid(z);
    case REF_SOFTSIGN:
        return 1 / ((1 + fabs(z)) * (1 + fabs(z)));
    case REF_SILU:
        return sigmoid(z) * (1 + z * sigmoid(-z));
    case REF_GELU:
        return normal_share(z) + z * normal_density(z);
    case REF_HARD_SIGMOID:
        return fabs(z) < 3 ? 1.0 / 6 : 0;
    case REF_HARD_TANH:
        return fabs(z) < 1 ? 1 : 0;
    case REF_CUSTOM:
        return f->slope(f->context, f->parameter, z);
    default:
        return 1;
    }
}

/* From z to the nearest point where the slope jumps. */
static double kink_distance(ref_activation_kind kind, double z) {
    switch (kind) {
    case REF_RELU:
    case REF_LEAKY_RELU:
    case REF_ELU:
    case REF_SELU:
        return fabs(z);
    case REF_HARD_SIGMOID:
        return fabs(fabs(z) - 3);
    case REF_HARD_TANH:
        return fabs(fabs(z) - 1);
    default:
        return INFINITY;
    }
}

/* Size of the constants that an activation multiplies with; 2 covers selu's 1.05 * 1.67. */
static double constant_size(const ref_activation *f) {
    if (f->kind == REF_SELU)
        return 2;
    return fmax(1, fabs(f->parameter));
}

/* No |f''| is above this, away from kinks and but for the constants. */
static double curvature(const ref_activation *f) {
    switch (f->kind) {
    case REF_IDENTITY:
    case REF_RELU:
    case REF_LEAKY_RELU:
    case REF_HARD_SIGMOID:
    case REF_HARD_TANH:
        return 0;
    case REF_SIGMOID:
    case REF_SOFTPLUS:
        return 0.25;
    case REF_SOFTSIGN: /* 2 at 0 */
    case REF_CUSTOM:
        return 2;
    default: /* gelu 0.8 at 0, tanh 0.77, silu 0.5; elu and selu their constants */
        return constant_size(f);
    }
}

/*
 * The steepest slope within z.bound of z. Across a kink it is the steeper side's: at most 1, but
 * for the constants.
 */
static double steepest(const ref_activation *f, ref_number z) {
    if (kink_distance(f->kind, z.value) <= z.bound)
        return constant_size(f);
    return fabs(scalar_slope(f, z.value)) + curvature(f) * z.bound;
}

/*
 * A rounding's absolute error is a share of an intermediate, and z and the constants are the
 * largest ones in every activation here.
 */
static double evaluation_error(const ref_activation *f, double z) {
    switch (f->kind) {
    case REF_IDENTITY:
    case REF_RELU:
    case REF_HARD_TANH:
        return 0;
    default:
        return SCALAR_ROUNDINGS * UNIT * constant_size(f) * (1 + fabs(z));
    }
}

static ref_number scalar_number(const ref_activation *f, ref_number z) {
    ref_number a = {.value = scalar_value(f, z.value)};
    a.bound = steepest(f, z) * z.bound + evaluation_error(f, z.value);
    return a;
}

/* An error of z moves the slope by |f''| of it, away from kinks. */
static ref_number slope_number(const ref_activation *f, ref_number z) {
    ref_number slope = {.value = scalar_slope(f, z.value)};
    slope.bound = curvature(f) * z.bound + evaluation_error(f, z.value);
    return slope;
}

/* ---- Softmax --------------------------------------------------------------------------------- */

static double largest(size_t units, const ref_number *z) {
    double max = z[0].value;
    for (size_t i = 1; i < units; i++)
        max = fmax(max, z[i].value);
    return max;
}

static double log_sum_exp(size_t units, const ref_number *z) {
    double max = largest(units, z), sum = 0;
    for (size_t i = 0; i < units; i++)
        sum += exp(z[i].value - max);
    return max + log(sum);
}

/* dp_i = p_i (dz_i - sum_j p_j dz_j), and the promised error of the function itself. */
static void softmax_forward(size_t units, const ref_number *z, ref_number *p) {
    double max = largest(units, z), log_sum = log_sum_exp(units, z), mean_bound = 0;
    for (size_t i = 0; i < units; i++) {
        p[i].value = exp(z[i].value - log_sum);
        mean_bound += p[i].value * z[i].bound;
    }
    for (size_t i = 0; i < units; i++) {
        double promised = 2 * UNIT * (max - z[i].value + 4 + (double)units / 16);
        p[i].bound = p[i].value * (z[i].bound + mean_bound + promised);
    }
}

/* dL/dz_i = p_i (g_i - sum_j g_j p_j); gradient holds g on entry. */
static void softmax_backward(size_t units, const ref_number *p, ref_number *gradient) {
    double mean = 0, size = 0, carried = 0;
    for (size_t j = 0; j < units; j++) {
        mean += gradient[j].value * p[j].value;
        size += fabs(gradient[j].value * p[j].value);
        carried += fabs(gradient[j].value) * p[j].bound + gradient[j].bound * p[j].value;
    }
    for (size_t i = 0; i < units; i++) {
        double g = gradient[i].value, difference = g - mean;
        double rounding = ((double)units + 3) * UNIT * (fabs(g) + size);
        gradient[i].value = p[i].value * difference;
        gradient[i].bound =
            p[i].bound * fabs(difference) + p[i].value * (gradient[i].bound + carried + rounding);
    }
}

void ref_activate(ref_activation activation, size_t units, const double *z, double *a) {
    ref_number *numbers = new_numbers(2 * units);
    for (size_t i = 0; i < units; i++)
        numbers[i].value = z[i];
    softmax_forward(units, numbers, numbers + units);
    for (size_t i = 0; i < units; i++)
        a[i] = activation.kind == REF_SOFTMAX ? numbers[units + i].value
                                              : scalar_value(&activation, z[i]);
    free(numbers);
}

/* ---- Forward --------------------------------------------------------------------------------- */

/* A chain of n multiply-adds and a bias: at most n + 1 roundings touch a term, 2 to spare. */
static ref_number dense_unit(const pass *p, size_t layer, size_t row, size_t unit) {
    size_t inputs = inputs_of(p->net, layer), units = p->net->layers[layer].units;
    const double *weights = p->net->parameters + layer_offset(p->net, layer);
    const ref_number *a = p->outputs[layer] + row * inputs;
    double bias = p->net->layers[layer].no_bias ? 0 : weights[inputs * units + unit];
    double sum = bias, size = fabs(bias), carried = 0;
    for (size_t k = 0; k < inputs; k++) {
        double weight = weights[k * units + unit];
        sum += a[k].value * weight;
        size += fabs(a[k].value * weight);
        carried += a[k].bound * fabs(weight);
    }
    return (ref_number){.value = sum, .bound = carried + ((double)inputs + 3) * UNIT * size};
}

static void activate_row(const ref_layer *layer, const ref_number *z, ref_number *a) {
    if (layer->activation.kind == REF_SOFTMAX) {
        softmax_forward(layer->units, z, a);
        return;
    }
    for (size_t i = 0; i < layer->units; i++)
        a[i] = scalar_number(&layer->activation, z[i]);
}

/* Inverted dropout; 1 / (1 - p) and the product are rounded in float. */
static ref_number drop(const ref_layer *layer, size_t index, ref_number a) {
    if (layer->kept == NULL)
        return a;
    if (!layer->kept[index])
        return (ref_number){0};
    double scale = 1 / (1 - layer->dropout);
    return (ref_number){
        .value = a.value * scale, .bound = scale * (a.bound + 4 * UNIT * fabs(a.value))};
}

static void layer_forward(pass *p, size_t layer) {
    const ref_layer *shape = &p->net->layers[layer];
    size_t count = p->rows * shape->units;
    p->z[layer] = new_numbers(count);
    p->activated[layer] = new_numbers(count);
    p->outputs[layer + 1] = new_numbers(count);
    for (size_t row = 0; row < p->rows; row++) {
        ref_number *z = p->z[layer] + row * shape->units;
        for (size_t unit = 0; unit < shape->units; unit++)
            z[unit] = dense_unit(p, layer, row, unit);
        activate_row(shape, z, p->activated[layer] + row * shape->units);
    }
    for (size_t i = 0; i < count; i++)
        p->outputs[layer + 1][i] = drop(shape, i, p->activated[layer][i]);
}

static pass forward(const ref_net *net, size_t rows, const double *x) {
    pass p = {.net = net, .rows = rows};
    p.outputs[0] = new_numbers(rows * net->inputs);
    for (size_t i = 0; i < rows * net->inputs; i++)
        p.outputs[0][i].value = x[i];
    for (size_t layer = 0; layer < net->layer_count; layer++)
        layer_forward(&p, layer);
    return p;
}

void ref_forward(const ref_net *net, size_t rows, const double *x, ref_number *y) {
    pass p = forward(net, rows, x);
    memcpy(y, p.outputs[net->layer_count], rows * ref_outputs(net) * sizeof *y);
    pass_free(&p);
}

/* ---- Losses of one row ----------------------------------------------------------------------- */

/* What one unit adds to its row's loss, with the first two derivatives by y. */
typedef struct loss_term {
    double value;
    double slope;
    double curvature;  /* at most this */
    double size;       /* sum of the magnitudes that value is made of */
    double slope_size; /* the same of slope */
} loss_term;

static double clamped_log(double y) {
    return fmax(log(y), -100);
}

static double share(double t, double y) {
    return t == 0 ? 0 : t / y;
}

static loss_term squared_error_term(double scale, double d) {
    return (loss_term){
        .value = scale * d * d,
        .slope = 2 * scale * d,
        .curvature = 2 * scale,
        .size = scale * d * d,
        .slope_size = 2 * scale * fabs(d)};
}

static loss_term huber_term(double delta, double d) {
    loss_term term = squared_error_term(0.5, d);
    if (fabs(d) > delta) {
        term.value = delta * (fabs(d) - delta / 2);
        term.size = delta * (fabs(d) + delta / 2);
        term.slope = copysign(delta, d);
        term.slope_size = delta;
    }
    return term;
}

static loss_term absolute_error_term(double d) {
    double slope = d == 0 ? 0 : copysign(1, d);
    return (loss_term){
        .value = fabs(d), .slope = slope, .size = fabs(d), .slope_size = fabs(slope)};
}

static loss_term cross_entropy_term(double y, double t) {
    double value = t == 0 ? 0 : -t * clamped_log(y);
    return (loss_term){
        .value = value,
        .slope = -share(t, y),
        .curvature = share(share(t, y), y),
        .size = fabs(value),
        .slope_size = fabs(share(t, y))};
}

/* The rounding of 1 - y moves its logarithm by as much: the + (1 - t) in size. */
static loss_term binary_cross_entropy_term(double y, double t) {
    loss_term one = cross_entropy_term(y, t), other = cross_entropy_term(1 - y, 1 - t);
    return (loss_term){
        .value = one.value + other.value,
        .slope = one.slope - other.slope,
        .curvature = one.curvature + other.curvature,
        .size = one.size + other.size + fabs(1 - t),
        .slope_size = one.slope_size + other.slope_size};
}

static loss_term term_of(ref_loss loss, double y, double t) {
    switch (loss.kind) {
    case REF_HALF_SQUARED_ERROR:
        return squared_error_term(0.5, y - t);
    case REF_MEAN_SQUARED_ERROR:
        return squared_error_term(1, y - t);
    case REF_MEAN_ABSOLUTE_ERROR:
        return absolute_error_term(y - t);
    case REF_HUBER:
        return huber_term(loss.parameter, y - t);
    case REF_BINARY_CROSS_ENTROPY:
        return binary_cross_entropy_term(y, t);
    default:
        return cross_entropy_term(y, t);
    }
}

static double share_of_unit(ref_loss loss, size_t units) {
    bool sums = loss.kind == REF_HALF_SQUARED_ERROR || loss.kind == REF_CROSS_ENTROPY;
    return sums ? 1 : 1 / (double)units;
}

/* gradient[units] becomes dL/dy of this row. */
static ref_number row_loss(
    ref_loss loss, size_t units, const ref_number *y, const double *t, ref_number *gradient) {
    double factor = share_of_unit(loss, units);
    ref_number sum = {0};
    for (size_t i = 0; i < units; i++) {
        loss_term term = term_of(loss, y[i].value, t[i]);
        double rounding = (SCALAR_ROUNDINGS + (double)units) * UNIT;
        sum.value += factor * term.value;
        sum.bound += factor *
            (y[i].bound * (fabs(term.slope) + term.curvature * y[i].bound) + rounding * term.size);
        gradient[i].value = factor * term.slope;
        gradient[i].bound =
            factor * (y[i].bound * term.curvature + SCALAR_ROUNDINGS * UNIT * term.slope_size);
    }
    return sum;
}

/* Softmax and cross-entropy from z: L = sum t (log sum exp z - z), dL/dz = p sum t - t. */
static ref_number softmax_pair(
    size_t units, const ref_number *z, const double *t, ref_number *gradient) {
    double log_sum = log_sum_exp(units, z), total = 0, total_size = 0;
    double roundings = (SCALAR_ROUNDINGS + (double)units) * UNIT;
    ref_number sum = {0};
    softmax_forward(units, z, gradient);
    for (size_t i = 0; i < units; i++) {
        total += t[i];
        total_size += fabs(t[i]);
    }
    for (size_t i = 0; i < units; i++) {
        double p = gradient[i].value;
        sum.value += t[i] * (log_sum - z[i].value);
        sum.bound += fabs(t[i]) * roundings * (1 + fabs(log_sum) + 2 * fabs(z[i].value));
        sum.bound += z[i].bound * (fabs(p * total - t[i]) + z[i].bound * total_size);
        gradient[i].value = p * total - t[i];
        gradient[i].bound =
            gradient[i].bound * total_size + roundings * (p * total_size + fabs(t[i]));
    }
    return sum;
}

/* Sigmoid and binary cross-entropy from z: L = mean softplus(z) - t z, dL/dz = (p - t) / units. */
static ref_number sigmoid_pair(
    size_t units, const ref_number *z, const double *t, ref_number *gradient) {
    double factor = 1 / (double)units, roundings = (SCALAR_ROUNDINGS + (double)units) * UNIT;
    ref_activation f = {.kind = REF_SIGMOID};
    ref_number sum = {0};
    for (size_t i = 0; i < units; i++) {
        ref_number p = scalar_number(&f, z[i]);
        double value = softplus(z[i].value) - t[i] * z[i].value;
        double size = 1 + softplus(z[i].value) + fabs(t[i] * z[i].value);
        sum.value += factor * value;
        sum.bound += factor * (z[i].bound * (fabs(p.value - t[i]) + z[i].bound) + roundings * size);
        gradient[i].value = factor * (p.value - t[i]);
        gradient[i].bound = factor * (p.bound + roundings * (p.value + fabs(t[i])));
    }
    return sum;
}

static bool is_pair(const ref_net *net, ref_loss loss) {
    const ref_layer *last = &net->layers[net->layer_count - 1];
    ref_activation_kind kind = last->activation.kind;
    return last->kept == NULL &&
        ((kind == REF_SOFTMAX && loss.kind == REF_CROSS_ENTROPY) ||
         (kind == REF_SIGMOID && loss.kind == REF_BINARY_CROSS_ENTROPY));
}

/* ---- Backward -------------------------------------------------------------------------------- */

/* gradient[rows, units] turns from dL/d(layer's outputs) into dL/dz. */
static void activation_backward(const pass *p, size_t layer, ref_number *gradient) {
    const ref_layer *shape = &p->net->layers[layer];
    for (size_t i = 0; i < p->rows * shape->units; i++)
        gradient[i] = drop(shape, i, gradient[i]);
    if (shape->activation.kind == REF_SOFTMAX) {
        for (size_t i = 0; i < p->rows * shape->units; i += shape->units)
            softmax_backward(shape->units, p->activated[layer] + i, gradient + i);
        return;
    }
    for (size_t i = 0; i < p->rows * shape->units; i++) {
        ref_number slope = slope_number(&shape->activation, p->z[layer][i]), g = gradient[i];
        gradient[i].value = g.value * slope.value;
        gradient[i].bound = g.bound * fabs(slope.value) + fabs(g.value) * slope.bound +
            UNIT * fabs(gradient[i].value);
    }
}

/* sum_i a[i * a_step] b[i * b_step], as a chain of count multiply-adds. */
static ref_number product(
    size_t count, const ref_number *a, size_t a_step, const ref_number *b, size_t b_step) {
    double sum = 0, size = 0, carried = 0;
    for (size_t i = 0; i < count; i++, a += a_step, b += b_step) {
        sum += a->value * b->value;
        size += fabs(a->value * b->value);
        carried += fabs(a->value) * b->bound + a->bound * fabs(b->value);
    }
    return (ref_number){.value = sum, .bound = carried + ((double)count + 2) * UNIT * size};
}

/* gradient, of this layer's parameters, from dz[rows, units]. */
static void dense_gradient(
    const pass *p, size_t layer, const ref_number *dz, ref_number *gradient) {
    const ref_number one = {.value = 1};
    size_t inputs = inputs_of(p->net, layer), units = p->net->layers[layer].units;
    for (size_t k = 0; k < inputs; k++)
        for (size_t unit = 0; unit < units; unit++)
            gradient[k * units + unit] =
                product(p->rows, p->outputs[layer] + k, inputs, dz + unit, units);
    if (p->net->layers[layer].no_bias)
        return;
    for (size_t unit = 0; unit < units; unit++)
        gradient[inputs * units + unit] = product(p->rows, &one, 0, dz + unit, units);
}

/* dL/d(inputs of the layer)[rows, inputs] from dz[rows, units]. The caller frees it. */
static ref_number *dense_backward(const pass *p, size_t layer, const ref_number *dz) {
    size_t inputs = inputs_of(p->net, layer), units = p->net->layers[layer].units;
    const double *weights = p->net->parameters + layer_offset(p->net, layer);
    ref_number *result = new_numbers(p->rows * inputs), *row = new_numbers(units);
    for (size_t k = 0; k < inputs; k++) {
        for (size_t unit = 0; unit < units; unit++)
            row[unit].value = weights[k * units + unit];
        for (size_t r = 0; r < p->rows; r++)
            result[r * inputs + k] = product(units, dz + r * units, 1, row, 1);
    }
    free(row);
    return result;
}

/* From output_delta, dL/d(outputs), or dL/dz if it is that already. */
static void backward(
    const pass *p, const ref_number *output_delta, bool is_dz, ref_number *gradient,
    ref_number *input) {
    size_t count = p->rows * ref_outputs(p->net);
    ref_number *delta = new_numbers(count);
    memcpy(delta, output_delta, count * sizeof *delta);
    for (size_t layer = p->net->layer_count; layer-- > 0; is_dz = false) {
        if (!is_dz)
            activation_backward(p, layer, delta);
        if (gradient != NULL)
            dense_gradient(p, layer, delta, gradient + layer_offset(p->net, layer));
        ref_number *next = dense_backward(p, layer, delta);
        free(delta);
        delta = next;
    }
    if (input != NULL)
        memcpy(input, delta, p->rows * p->net->inputs * sizeof *input);
    free(delta);
}

void ref_backward_from(
    const ref_net *net, size_t rows, const double *x, const double *output_gradient,
    ref_number *gradient, ref_number *input_gradient) {
    pass p = forward(net, rows, x);
    ref_number *delta = new_numbers(rows * ref_outputs(net));
    for (size_t i = 0; i < rows * ref_outputs(net); i++)
        delta[i].value = output_gradient[i];
    backward(&p, delta, false, gradient, input_gradient);
    free(delta);
    pass_free(&p);
}

/* The row's loss; delta[outputs] becomes dL/dz for a pair, dL/dy otherwise. */
static ref_number row_loss_of(
    const pass *p, ref_loss loss, size_t row, const double *target, ref_number *delta) {
    size_t last = p->net->layer_count - 1, units = ref_outputs(p->net);
    if (!is_pair(p->net, loss))
        return row_loss(loss, units, p->outputs[last + 1] + row * units, target, delta);
    if (loss.kind == REF_CROSS_ENTROPY)
        return softmax_pair(units, p->z[last] + row * units, target, delta);
    return sigmoid_pair(units, p->z[last] + row * units, target, delta);
}

/* number * factor, a factor that float has to round, as it does the product. */
static ref_number scaled(ref_number number, double factor) {
    return (ref_number){
        .value = number.value * factor,
        .bound = fabs(factor) * (number.bound + 3 * UNIT * fabs(number.value))};
}

ref_number ref_backward(
    const ref_net *net, ref_loss loss, const ref_batch *batch, ref_number *gradient,
    ref_number *input_gradient) {
    size_t units = ref_outputs(net);
    pass p = forward(net, batch->rows, batch->x);
    ref_number *delta = new_numbers(batch->rows * units), sum = {0};
    for (size_t row = 0; row < batch->rows; row++) {
        double weight = batch->row_weights == NULL ? 1 : batch->row_weights[row];
        ref_number own =
            row_loss_of(&p, loss, row, batch->target + row * units, delta + row * units);
        own = scaled(own, weight / (double)batch->rows);
        sum.value += own.value;
        sum.bound += own.bound;
        for (size_t i = row * units; i < (row + 1) * units; i++)
            delta[i] = scaled(delta[i], weight / (double)batch->rows);
    }
    if (gradient != NULL || input_gradient != NULL)
        backward(&p, delta, is_pair(net, loss), gradient, input_gradient);
    free(delta);
    pass_free(&p);
    return sum;
}

/* ---- Kinks ----------------------------------------------------------------------------------- */

static double loss_margin(ref_loss loss, double y, double t) {
    switch (loss.kind) {
    case REF_MEAN_ABSOLUTE_ERROR:
        return fabs(y - t);
    case REF_HUBER:
        return fabs(fabs(y - t) - loss.parameter);
    case REF_BINARY_CROSS_ENTROPY:
        return fmin(y, 1 - y);
    case REF_CROSS_ENTROPY:
        return y;
    default:
        return INFINITY;
    }
}

double ref_margin(const ref_net *net, ref_loss loss, const ref_batch *batch) {
    pass p = forward(net, batch->rows, batch->x);
    double margin = INFINITY;
    for (size_t layer = 0; layer < net->layer_count; layer++)
        for (size_t i = 0; i < batch->rows * net->layers[layer].units; i++)
            margin = fmin(
                margin, kink_distance(net->layers[layer].activation.kind, p.z[layer][i].value));
    for (size_t i = 0; !is_pair(net, loss) && i < batch->rows * ref_outputs(net); i++)
        margin =
            fmin(margin, loss_margin(loss, p.outputs[net->layer_count][i].value, batch->target[i]));
    pass_free(&p);
    return margin;
}
