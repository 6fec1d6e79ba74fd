#include "health.h"

#include "support/status.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Inputs further from 0 than this, as a root of a mean square, are called unscaled. */
#define LARGE_INPUT 10.0
/* A share of a layer's units above which dead or saturated ones are worth a word, and the share of
 * the rows for which a unit has to be so. */
#define LARGE_SHARE 0.25
#define MOST_ROWS 0.95
/* dL/dz of a layer against that of the last one, as roots of mean squares. */
#define VANISHING 1e-4
#define EXPLODING 1e4
/* A loss that rose by this share rose; one that fell by less than this in all hardly fell. */
#define RISE 0.1
#define SMALL_FALL 0.1
/* Epochs below which nothing is said about the learning rate. */
enum { LEAST_EPOCHS = 5 };

/* ---- Findings -------------------------------------------------------------------------------- */

/* A finding of a kind is replaced by a later one, but keeps when it was first seen. */
static tnn_finding *finding_of(tnni_health *health, tnn_finding_kind kind) {
    tnn_fit_report *report = health->report;
    for (size_t i = 0; i < report->finding_count; i++)
        if (report->findings[i].kind == kind)
            return &report->findings[i];
    tnn_finding *finding = &report->findings[report->finding_count++];
    *finding = (tnn_finding){.kind = kind, .epoch = health->epoch, .batch = health->batch};
    return finding;
}

static void find(
    tnni_health *health, tnn_finding_kind kind, size_t layer, double value, const char *format, ...)
    TNN_PRINTF(5, 6);

static void find(
    tnni_health *health, tnn_finding_kind kind, size_t layer, double value, const char *format,
    ...) {
    tnn_finding *finding = finding_of(health, kind);
    va_list arguments;
    finding->layer = layer;
    finding->value = value;
    va_start(arguments, format);
    vsnprintf(finding->message, sizeof finding->message, format, arguments);
    va_end(arguments);
}

/* ---- Inputs ---------------------------------------------------------------------------------- */

/* The roots of the mean squares of the inputs, as the first layer gets them. */
static void measure_inputs(const tnni_health *health, double *sizes) {
    size_t inputs = tnni_inputs(health->net);
    size_t rows = health->rows.rows;
    const float *shift = tnn_net_input_shift(health->net);
    const float *scale = tnn_net_input_scale(health->net);
    memset(sizes, 0, inputs * sizeof *sizes);
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < inputs; i++) {
            double x = health->rows.x[r * inputs + i];
            if (shift)
                x = (x - shift[i]) * scale[i];
            sizes[i] += x * x;
        }
    }
    for (size_t i = 0; i < inputs; i++)
        sizes[i] = sqrt(sizes[i] / (double)rows);
}

void tnni_health_inputs(tnni_health *health, double *sizes) {
    size_t worst = 0;
    if (!health->report)
        return;
    measure_inputs(health, sizes);
    for (size_t i = 1; i < tnni_inputs(health->net); i++)
        worst = sizes[i] > sizes[worst] ? i : worst;
    if (sizes[worst] > LARGE_INPUT)
        find(
            health, TNN_UNSCALED_INPUTS, 0, sizes[worst],
            "the inputs look unscaled: column %zu has values of the size %.3g, and nets learn best "
            "from values near 1; give the net a scaling with tnn_net_fit_scaling",
            worst, sizes[worst]);
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

/* Layers of one kind of trouble: the first of them, and how many. */
typedef struct trouble {
    size_t layers;
    size_t first;
    size_t stuck; /* units of the first */
} trouble;

static void add_layer(trouble *found, size_t layer, size_t stuck) {
    if (found->layers++ > 0)
        return;
    found->first = layer;
    found->stuck = stuck;
}

static void tell_units(
    tnni_health *health, tnn_finding_kind kind, const trouble *found, const char *words) {
    const tnni_layer *layer = &health->net->layers[found->first];
    char others[48] = "";
    if (found->layers == 0)
        return;
    if (found->layers > 1)
        snprintf(others, sizeof others, ", and many of %zu layers more", found->layers - 1);
    find(
        health, kind, found->first, (double)found->stuck / (double)layer->units,
        "%zu of the %zu units of layer %zu%s %s", found->stuck, layer->units, found->first, others,
        words);
}

static void look_at_units(tnni_health *health, size_t rows) {
    trouble dead = {0}, saturated = {0};
    for (size_t l = 0; l + 1 < health->net->layer_count; l++) {
        const tnni_layer *layer = &health->net->layers[l];
        size_t stuck = stuck_units(layer, rows);
        if ((double)stuck > LARGE_SHARE * (double)layer->units)
            add_layer(layer->kind == TNNI_RELU ? &dead : &saturated, l, stuck);
    }
    tell_units(
        health, TNN_DEAD_UNITS, &dead,
        "are 0 for all rows looked at, and learn no more; try a lower learning rate, "
        "tnn_leaky_relu or smaller initial weights");
    tell_units(
        health, TNN_SATURATED_UNITS, &saturated,
        "are saturated: their slope is near 0 and they learn little; try scaled inputs, smaller "
        "initial weights or a lower learning rate");
}

/* ---- Gradients ------------------------------------------------------------------------------- */

static double root_mean_square(const float *values, size_t count) {
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += (double)values[i] * values[i];
    return sqrt(sum / (double)count);
}

/* The layer nearest to the last one whose delta is so far from that of the last one. */
static void look_at_gradients(tnni_health *health, size_t rows) {
    const tnn_net *net = health->net;
    size_t last = net->layer_count - 1;
    double reference = root_mean_square(net->layers[last].delta, rows * net->layers[last].units);
    for (size_t l = last; l-- > 0;) {
        const tnni_layer *layer = &net->layers[l];
        double ratio = root_mean_square(layer->delta, rows * layer->units) / reference;
        if (ratio < VANISHING) {
            find(
                health, TNN_VANISHING_GRADIENTS, l, ratio,
                "the gradients vanish on their way back: those of layer %zu are %.1e of those of "
                "layer %zu; try relu in place of sigmoid or tanh, or fewer layers",
                l, ratio, last);
            return;
        }
        if (ratio > EXPLODING) {
            find(
                health, TNN_EXPLODING_GRADIENTS, l, ratio,
                "the gradients explode on their way back: those of layer %zu are %.1e times those "
                "of layer %zu; try smaller initial weights, method.clip_norm or a lower learning "
                "rate",
                l, ratio, last);
            return;
        }
    }
}

void tnni_health_probe(tnni_health *health) {
    tnn_net *net = health->net;
    const tnn_dataset *rows = &health->rows;
    tnni_objective objective = tnni_objective_of(net, health->loss);
    if (tnni_pass_begin("tnn_fit", net, rows->rows, rows->x) != TNN_OK ||
        tnni_objective_aim("tnn_fit", net, rows, &objective) != TNN_OK)
        return;
    tnni_pass pass = {.net = net, .rows = rows->rows, .objective = &objective};
    tnni_pass_run(&pass, 0, 2 * net->layer_count);
    look_at_units(health, rows->rows);
    look_at_gradients(health, rows->rows);
}

/* ---- Learning rate --------------------------------------------------------------------------- */

void tnni_health_epoch(tnni_loss_history *losses, double loss) {
    if (losses->epochs == 0) {
        losses->first = losses->lowest = loss;
    } else {
        losses->rises += loss > (1.0 + RISE) * losses->last;
        losses->falls += loss < losses->last;
        losses->lowest = loss < losses->lowest ? loss : losses->lowest;
    }
    losses->last = loss;
    losses->epochs++;
}

void tnni_health_rate(tnni_health *health, const tnni_loss_history *losses) {
    size_t epochs = losses->epochs;
    if (!health->report || epochs < LEAST_EPOCHS || !(losses->first > 0.0))
        return;
    double fall = 1.0 - losses->last / losses->first;
    if (losses->last > 2.0 * losses->lowest && losses->last > losses->first)
        find(
            health, TNN_RATE_TOO_HIGH, 0, -fall,
            "the learning rate is likely too high: the training loss rose from %.3g to %.3g; try a "
            "tenth of it",
            losses->first, losses->last);
    else if (4 * losses->rises > epochs)
        find(
            health, TNN_RATE_TOO_HIGH, 0, (double)losses->rises / (double)epochs,
            "the learning rate is likely too high: the training loss rose by more than a tenth in "
            "%zu of %zu epochs; try a third of it, larger batches, or a schedule that lowers it",
            losses->rises, epochs);
    else if (losses->falls + 1 == epochs && fall < SMALL_FALL)
        find(
            health, TNN_RATE_TOO_LOW, 0, fall,
            "the learning rate is likely too low: the training loss fell in each of %zu epochs, "
            "but only from %.4g to %.4g; try ten times as much",
            epochs, losses->first, losses->last);
}

/* ---- A loss that is not finite --------------------------------------------------------------- */

/* A NaN has a sign, which would say nothing. */
static const char *name_of(double value) {
    if (isnan(value))
        return "nan";
    return value > 0.0 ? "inf" : "-inf";
}

/* The first of count values that is not finite; count if all are. */
static size_t first_not_finite(const float *values, size_t count) {
    size_t i = 0;
    while (i < count && isfinite(values[i]))
        i++;
    return i;
}

/* Says so if an array of the batch has one. */
static bool blame_array(
    const char *name, const float *values, size_t rows, size_t columns, const size_t *numbers,
    size_t first, char *cause, size_t bytes) {
    size_t at = values ? first_not_finite(values, rows * columns) : rows * columns;
    if (at == rows * columns)
        return false;
    size_t row = numbers ? numbers[at / columns] : first + at / columns;
    snprintf(
        cause, bytes, "%s of row %zu, column %zu, is %s", name, row, at % columns,
        name_of(values[at]));
    return true;
}

static bool blame_data(
    const tnn_net *net, const tnn_dataset *batch, const size_t *numbers, size_t first, char *cause,
    size_t bytes) {
    size_t rows = batch->rows;
    return blame_array("x", batch->x, rows, tnni_inputs(net), numbers, first, cause, bytes) ||
        blame_array(
               "target", batch->target, rows, tnni_outputs(net), numbers, first, cause, bytes) ||
        blame_array("the weight", batch->row_weights, rows, 1, numbers, first, cause, bytes);
}

/* The first layer whose parameters are not finite; layer_count if all are. */
static size_t layer_of_bad_parameters(const tnn_net *net) {
    size_t l = 0;
    for (; l < net->layer_count; l++) {
        const tnni_layer *layer = &net->layers[l];
        size_t count = layer->inputs * layer->units + (layer->has_biases ? layer->units : 0);
        if (first_not_finite(net->parameters + layer->weights, count) < count)
            break;
    }
    return l;
}

/* The same of what the layers of the copy compute. */
static size_t layer_of_bad_outputs(tnn_net *copy, const tnn_dataset *batch) {
    size_t l = 0;
    if (tnn_forward(copy, batch->rows, batch->x, NULL) != TNN_OK)
        return copy->layer_count;
    for (; l < copy->layer_count; l++) {
        const tnni_layer *layer = &copy->layers[l];
        size_t count = batch->rows * layer->units;
        if (first_not_finite(layer->z, count) < count || first_not_finite(layer->a, count) < count)
            break;
    }
    return l;
}

/* Where it begins, into cause; returns the layer. */
static size_t find_cause(
    const tnni_health *health, const tnn_net *net, const tnn_dataset *batch, const size_t *numbers,
    size_t first, char *cause, size_t bytes) {
    bool is_first = health->epoch == 0 && health->batch == 0;
    if (batch && blame_data(net, batch, numbers, first, cause, bytes))
        return 0;
    size_t layer = layer_of_bad_parameters(net);
    if (layer < net->layer_count) {
        snprintf(
            cause, bytes, "%s parameters of layer %zu that are not finite; %s",
            is_first ? "there are" : "the step before made", layer,
            is_first ? "tnn_net_parameters gives access to them"
                     : "try a lower learning rate or method.clip_norm");
        return layer;
    }
    layer = batch && health->net ? layer_of_bad_outputs(health->net, batch) : net->layer_count;
    if (layer < net->layer_count) {
        snprintf(
            cause, bytes,
            "layer %zu computes values that are not finite; its parameters or inputs are too "
            "large: try scaled inputs or a lower learning rate",
            layer);
        return layer;
    }
    snprintf(
        cause, bytes,
        "parameters, outputs or targets are too large; try scaled inputs and targets "
        "or a lower learning rate");
    return net->layer_count - 1;
}

void tnni_health_not_finite(
    tnni_health *health, const tnn_net *net, const tnn_dataset *batch, const size_t *numbers,
    size_t first, double loss, char words[240]) {
    char cause[160];
    size_t layer = find_cause(health, net, batch, numbers, first, cause, sizeof cause);
    if (batch)
        snprintf(
            words, 240, "the loss is %s in epoch %zu, batch %zu: %s", name_of(loss), health->epoch,
            health->batch, cause);
    else
        snprintf(words, 240, "after the last step: %s", cause);
    if (health->report)
        find(health, TNN_LOSS_NOT_FINITE, layer, loss, "%s", words);
}

const char *tnni_health_validation(tnni_health *health, double loss, char words[240]) {
    snprintf(
        words, 240,
        "the validation loss is %s after epoch %zu, though the training loss is finite: look for "
        "values in the validation rows that are not",
        name_of(loss), health->epoch);
    if (health->report)
        find(health, TNN_LOSS_NOT_FINITE, 0, loss, "%s", words);
    return words;
}
