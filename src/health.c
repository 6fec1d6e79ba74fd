#include "health.h"

#include "support/status.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Rows that the units and the inputs are looked at with. */
enum { PROBE_ROWS = 256 };

/* Inputs further from 0 than this, as a root of a mean square, are called unscaled. */
#define LARGE_INPUT 10.0
/* A share of a layer's units above which dead or saturated ones are worth a word, and the share of
 * the rows for which a unit has to be so. */
#define LARGE_SHARE 0.25
#define MOST_ROWS 0.95
/* Between the gradients of the first and the last layer, as roots of mean squares. */
#define VANISHING 1e-4
#define EXPLODING 1e4
/* A loss that rose by this share rose; one that fell by less than this in all hardly fell. */
#define RISE 0.1
#define SMALL_FALL 0.1
/* Epochs below which nothing is said about the learning rate. */
enum { LEAST_EPOCHS = 5 };

/* ---- Findings -------------------------------------------------------------------------------- */

/* A finding of the same kind and layer is replaced, but keeps when it was first seen. */
static tnn_finding *finding_of(tnni_health *health, tnn_finding_kind kind, size_t layer) {
    tnn_fit_report *report = health->report;
    for (size_t i = 0; i < report->finding_count; i++)
        if (report->findings[i].kind == kind && report->findings[i].layer == layer)
            return &report->findings[i];
    if (report->finding_count == TNN_MOST_FINDINGS)
        return NULL;
    tnn_finding *finding = &report->findings[report->finding_count++];
    *finding =
        (tnn_finding){.kind = kind, .epoch = health->epoch, .batch = health->batch, .layer = layer};
    return finding;
}

static void find(
    tnni_health *health, tnn_finding_kind kind, size_t layer, double value, const char *format, ...)
    TNNI_PRINTF(5, 6);

static void find(
    tnni_health *health, tnn_finding_kind kind, size_t layer, double value, const char *format,
    ...) {
    tnn_finding *finding = finding_of(health, kind, layer);
    va_list arguments;
    if (!finding)
        return;
    finding->value = value;
    va_start(arguments, format);
    vsnprintf(finding->message, sizeof finding->message, format, arguments);
    va_end(arguments);
}

/* ---- Inputs ---------------------------------------------------------------------------------- */

/* The root of the mean square of an input, as the first layer gets it. */
static double input_size(
    const tnni_evaluator *evaluator, const size_t *numbers, size_t count, size_t input) {
    const tnn_net *net = evaluator->net;
    const float *shift = tnn_net_input_shift(net);
    const float *scale = tnn_net_input_scale(net);
    size_t probed = count < PROBE_ROWS ? count : PROBE_ROWS;
    double sum = 0.0;
    for (size_t i = 0; i < probed; i++) {
        size_t at = i * (count / probed);
        size_t row = numbers ? numbers[at] : at;
        double x = evaluator->batch.data->x[row * tnni_inputs(net) + input];
        if (shift)
            x = (x - shift[input]) * scale[input];
        sum += x * x;
    }
    return sqrt(sum / (double)probed);
}

void tnni_health_inputs(
    tnni_health *health, const tnni_evaluator *evaluator, const size_t *numbers, size_t count) {
    size_t inputs = evaluator->batch.inputs;
    size_t worst = 0;
    double largest = 0.0;
    if (!health->report)
        return;
    for (size_t i = 0; i < inputs; i++) {
        double size = input_size(evaluator, numbers, count, i);
        if (size > largest) {
            largest = size;
            worst = i;
        }
    }
    if (largest > LARGE_INPUT)
        find(
            health, TNN_UNSCALED_INPUTS, 0, largest,
            "the inputs look unscaled: column %zu has values of the size %.3g, and nets learn best "
            "from values near 1; give the net a scaling with tnn_net_fit_scaling",
            worst, largest);
}

/* ---- Units ----------------------------------------------------------------------------------- */

/* Is a unit of this activation where its slope is 0, or nearly? */
static bool is_stuck(tnni_activation_kind kind, float a) {
    switch (kind) {
    case TNNI_RELU:
        return a == 0.0f;
    case TNNI_SIGMOID:
    case TNNI_HARD_SIGMOID:
        return a < 0.01f || a > 0.99f;
    case TNNI_TANH:
    case TNNI_HARD_TANH:
        return fabsf(a) > 0.99f;
    default:
        return false;
    }
}

/* Units of a layer that are stuck for most rows of the pass, all rows for relu. */
static size_t stuck_units(const tnni_layer *layer, size_t rows) {
    size_t stuck = 0;
    double most = layer->kind == TNNI_RELU ? 1.0 : MOST_ROWS;
    for (size_t u = 0; u < layer->units; u++) {
        size_t count = 0;
        for (size_t r = 0; r < rows; r++)
            count += is_stuck(layer->kind, layer->a[r * layer->units + u]);
        stuck += (double)count >= most * (double)rows;
    }
    return stuck;
}

static void look_at_units(tnni_health *health, const tnn_net *net, size_t rows) {
    for (size_t l = 0; l + 1 < net->layer_count; l++) {
        const tnni_layer *layer = &net->layers[l];
        size_t stuck = stuck_units(layer, rows);
        double share = (double)stuck / (double)layer->units;
        if (share <= LARGE_SHARE)
            continue;
        if (layer->kind == TNNI_RELU)
            find(
                health, TNN_DEAD_UNITS, l, share,
                "%zu of the %zu relu units of layer %zu are 0 for every row, and learn no more; "
                "try "
                "a lower learning rate, tnn_leaky_relu, or smaller initial weights",
                stuck, layer->units, l);
        else
            find(
                health, TNN_SATURATED_UNITS, l, share,
                "%zu of the %zu units of layer %zu are saturated: their slope is near 0 and they "
                "learn little; try scaled inputs, smaller initial weights or a lower learning rate",
                stuck, layer->units, l);
    }
}

/* ---- Gradients ------------------------------------------------------------------------------- */

static double root_mean_square(const float *values, size_t count) {
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += (double)values[i] * values[i];
    return sqrt(sum / (double)count);
}

static void look_at_gradients(tnni_health *health, const tnn_net *net) {
    size_t last = net->layer_count - 1;
    double sizes[2];
    for (size_t i = 0; i < 2; i++) {
        const tnni_layer *layer = &net->layers[i * last];
        sizes[i] = root_mean_square(net->gradients + layer->weights, layer->inputs * layer->units);
    }
    double ratio = sizes[0] / sizes[1];
    if (last == 0 || !isfinite(ratio))
        return;
    if (ratio < VANISHING)
        find(
            health, TNN_VANISHING_GRADIENTS, 0, ratio,
            "the gradients vanish on their way back: those of layer 0 are %.1e of those of layer "
            "%zu; try relu in place of sigmoid or tanh, or fewer layers",
            ratio, last);
    if (ratio > EXPLODING)
        find(
            health, TNN_EXPLODING_GRADIENTS, 0, ratio,
            "the gradients explode on their way back: those of layer 0 are %.1e times those of "
            "layer %zu; try smaller initial weights, method.clip_norm or a lower learning rate",
            ratio, last);
}

void tnni_health_probe(
    tnni_health *health, const tnni_evaluator *evaluator, const size_t *numbers, size_t count) {
    tnn_net *net = evaluator->net;
    size_t capacity = evaluator->batch.capacity;
    size_t rows = count < capacity ? count : capacity;
    tnn_dataset batch = tnni_batch_take(&evaluator->batch, numbers, 0, rows);
    tnni_objective objective = tnni_objective_of(net, health->loss);
    if (!health->report || tnn_forward(net, rows, batch.x, NULL) != TNN_OK ||
        tnni_objective_aim("tnn_fit", net, &batch, &objective) != TNN_OK ||
        tnni_net_allocate_gradients("tnn_fit", net) != TNN_OK)
        return;
    tnni_pass pass = {.net = net, .rows = rows, .objective = &objective};
    tnni_pass_run(&pass, 0, 2 * net->layer_count);
    net->gradients_zero = true;
    tnni_add_gradients(net, rows);
    look_at_units(health, net, rows);
    look_at_gradients(health, net);
}

/* ---- Learning rate --------------------------------------------------------------------------- */

void tnni_health_epoch(tnni_health *health, double loss) {
    if (health->epochs == 0) {
        health->first_loss = health->lowest_loss = loss;
    } else {
        health->rises += loss > (1.0 + RISE) * health->last_loss;
        health->falls += loss < health->last_loss;
        health->lowest_loss = loss < health->lowest_loss ? loss : health->lowest_loss;
    }
    health->last_loss = loss;
    health->epochs++;
}

void tnni_health_rate(tnni_health *health) {
    size_t epochs = health->epochs;
    if (!health->report || epochs < LEAST_EPOCHS || !(health->first_loss > 0.0))
        return;
    double fall = 1.0 - health->last_loss / health->first_loss;
    if (health->last_loss > 2.0 * health->lowest_loss && health->last_loss > health->first_loss)
        find(
            health, TNN_RATE_TOO_HIGH, 0, -fall,
            "the learning rate is likely too high: the training loss rose from %.3g to %.3g; try a "
            "tenth of it",
            health->first_loss, health->last_loss);
    else if (4 * health->rises > epochs)
        find(
            health, TNN_RATE_TOO_HIGH, 0, (double)health->rises / (double)epochs,
            "the learning rate is likely too high: the training loss rose by more than a tenth in "
            "%zu of %zu epochs; try a third of it, larger batches, or a schedule that lowers it",
            health->rises, epochs);
    else if (health->falls + 1 == epochs && fall < SMALL_FALL)
        find(
            health, TNN_RATE_TOO_LOW, 0, fall,
            "the learning rate is likely too low: the training loss fell in each of %zu epochs, "
            "but only from %.4g to %.4g; try ten times as much",
            epochs, health->first_loss, health->last_loss);
}

/* ---- A loss that is not finite --------------------------------------------------------------- */

/* The first of count values that is not finite; count if all are. */
static size_t first_not_finite(const float *values, size_t count) {
    size_t i = 0;
    while (i < count && isfinite(values[i]))
        i++;
    return i;
}

/* Says so if an array of the batch has one. */
static bool blame_data(
    tnni_health *health, const char *name, const float *values, size_t rows, size_t columns,
    double loss) {
    size_t at = values ? first_not_finite(values, rows * columns) : rows * columns;
    if (at == rows * columns)
        return false;
    find(
        health, TNN_LOSS_NOT_FINITE, 0, loss,
        "the loss is %g in epoch %zu, batch %zu: %s of the batch's row %zu, column %zu, is %g",
        loss, health->epoch, health->batch, name, at / columns, at % columns, (double)values[at]);
    return true;
}

static bool blame_parameters(tnni_health *health, const tnn_net *net, double loss) {
    for (size_t l = 0; l < net->layer_count; l++) {
        const tnni_layer *layer = &net->layers[l];
        size_t count = layer->inputs * layer->units + (layer->has_biases ? layer->units : 0);
        if (first_not_finite(net->parameters + layer->weights, count) == count)
            continue;
        find(
            health, TNN_LOSS_NOT_FINITE, l, loss,
            "the loss is %g in epoch %zu, batch %zu: the step before made parameters of layer %zu "
            "that are not finite; try a lower learning rate or method.clip_norm",
            loss, health->epoch, health->batch, l);
        return true;
    }
    return false;
}

static bool blame_outputs(
    tnni_health *health, tnn_net *net, const tnn_dataset *batch, double loss) {
    if (tnn_forward(net, batch->rows, batch->x, NULL) != TNN_OK)
        return false;
    for (size_t l = 0; l < net->layer_count; l++) {
        const tnni_layer *layer = &net->layers[l];
        size_t count = batch->rows * layer->units;
        if (first_not_finite(layer->z, count) == count &&
            first_not_finite(layer->a, count) == count)
            continue;
        find(
            health, TNN_LOSS_NOT_FINITE, l, loss,
            "the loss is %g in epoch %zu, batch %zu: layer %zu computes values that are not "
            "finite; "
            "its parameters or inputs are too large: try scaled inputs or a lower learning rate",
            loss, health->epoch, health->batch, l);
        return true;
    }
    return false;
}

void tnni_health_not_finite(
    tnni_health *health, const tnni_evaluator *evaluator, const tnn_dataset *batch, double loss) {
    tnn_net *net = evaluator->net;
    if (!health->report || blame_data(health, "x", batch->x, batch->rows, tnni_inputs(net), loss) ||
        blame_data(health, "target", batch->target, batch->rows, tnni_outputs(net), loss) ||
        blame_data(health, "row_weights", batch->row_weights, batch->rows, 1, loss) ||
        blame_parameters(health, net, loss) || blame_outputs(health, net, batch, loss))
        return;
    find(
        health, TNN_LOSS_NOT_FINITE, net->layer_count - 1, loss,
        "the loss is %g in epoch %zu, batch %zu, though all outputs are finite: targets or outputs "
        "are too far apart for it",
        loss, health->epoch, health->batch);
}
