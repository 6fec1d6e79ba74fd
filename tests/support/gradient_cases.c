#include "gradient_cases.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Odd and even widths, wider and narrower than the layer before. The last layer has CASE_OUTPUTS.
 */
static const size_t HIDDEN_UNITS[CASE_LAYERS - 1] = {5, 4, 6};

enum { MAX_DRAWS = 100000 };

void widen(double *wide, const float *narrow, size_t count) {
    for (size_t i = 0; i < count; i++)
        wide[i] = narrow[i];
}

/* ---- Which activation stands where ----------------------------------------------------------- */

static bool has_domain(ref_loss_kind loss) {
    return loss == REF_CROSS_ENTROPY || loss == REF_BINARY_CROSS_ENTROPY;
}

static bool fits(ref_activation_kind activation, ref_loss_kind loss) {
    switch (activation) {
    case REF_SIGMOID:
    case REF_SOFTMAX:
    case REF_HARD_SIGMOID:
        return true;
    case REF_SOFTPLUS:
        return loss != REF_BINARY_CROSS_ENTROPY;
    default:
        return !has_domain(loss);
    }
}

static bool must_be_positive(const gradient_case *c) {
    return c->layer_count == 1 && !fits(c->activation.reference.kind, c->loss.reference.kind);
}

static activation_entry last_activation(const gradient_case *c) {
    if (c->layer_count == 1 || fits(c->activation.reference.kind, c->loss.reference.kind))
        return c->activation;
    if (c->loss.reference.kind == REF_CROSS_ENTROPY)
        return (activation_entry){"softmax", tnn_softmax(), {.kind = REF_SOFTMAX}};
    return (activation_entry){"sigmoid", tnn_sigmoid(), {.kind = REF_SIGMOID}};
}

static void make_layers(gradient_case *c) {
    for (size_t l = 0; l < c->layer_count; l++) {
        bool last = l + 1 == c->layer_count;
        size_t units = last ? CASE_OUTPUTS : HIDDEN_UNITS[l];
        activation_entry activation = last ? last_activation(c) : c->activation;
        c->layers[l] =
            (tnn_layer){.units = units, .activation = activation.library, .no_bias = c->no_bias};
        c->reference_layers[l] =
            (ref_layer){.units = units, .activation = activation.reference, .no_bias = c->no_bias};
    }
    c->reference = (ref_net){
        .inputs = CASE_INPUTS,
        .layer_count = c->layer_count,
        .layers = c->reference_layers,
        .parameters = c->wide_parameters};
    c->parameter_count = ref_parameter_count(&c->reference);
}

/* ---- Numbers --------------------------------------------------------------------------------- */

/* Weights of hidden layers reach this far, so that z gets to both sides of the outer kinks, too. */
static float reach(const gradient_case *c) {
    switch (c->activation.reference.kind) {
    case REF_HARD_SIGMOID:
        return 3;
    case REF_HARD_TANH:
        return 1.5f;
    default:
        return 0.9f;
    }
}

static void draw_parameters(gradient_case *c, uint64_t *random) {
    size_t last = 0;
    for (size_t l = 0, inputs = CASE_INPUTS; l + 1 < c->layer_count; inputs = c->layers[l++].units)
        last += (inputs + !c->no_bias) * c->layers[l].units;
    float wide = has_domain(c->loss.reference.kind) ? 0.9f : reach(c);
    fill_random(c->parameters, last, random, -reach(c), reach(c));
    if (must_be_positive(c))
        fill_random(c->parameters, c->parameter_count, random, 0.02f, 0.2f);
    else
        fill_random(c->parameters + last, c->parameter_count - last, random, -wide, wide);
}

static void draw(gradient_case *c, uint64_t *random) {
    bool positive = must_be_positive(c);
    draw_parameters(c, random);
    fill_random(c->x, c->rows * CASE_INPUTS, random, positive ? 0.1f : -1.5f, 1.5f);
    fill_random(
        c->target, c->rows * CASE_OUTPUTS, random, has_domain(c->loss.reference.kind) ? 0 : -1, 1);
    fill_random(c->row_weights, c->rows, random, 0.25f, 2);
    widen(c->wide_parameters, c->parameters, c->parameter_count);
    widen(c->wide_x, c->x, c->rows * CASE_INPUTS);
    widen(c->wide_target, c->target, c->rows * CASE_OUTPUTS);
    widen(c->wide_row_weights, c->row_weights, c->rows);
}

static double largest_gradient(const gradient_case *c) {
    ref_number gradient[CASE_PARAMETERS];
    double largest = 0;
    ref_backward(&c->reference, c->loss.reference, &c->batch, gradient, NULL);
    for (size_t i = 0; i < c->parameter_count; i++)
        largest = fmax(largest, fabs(gradient[i].value));
    return largest;
}

void make_gradient_case(
    gradient_case *c, size_t activation, size_t loss, bool no_bias, size_t layer_count,
    size_t rows) {
    uint64_t random = activation << 32 | loss << 24 | layer_count << 16 | rows << 8 | no_bias;
    c->activation = activation_at(activation);
    c->loss = loss_at(loss);
    c->no_bias = no_bias;
    c->layer_count = layer_count;
    c->rows = rows;
    c->batch = (ref_batch){.rows = rows, .x = c->wide_x, .target = c->wide_target};
    make_layers(c);
    for (int draws = 0; draws < MAX_DRAWS; draws++) {
        draw(c, &random);
        if (ref_margin(&c->reference, c->loss.reference, &c->batch) >= CASE_MARGIN &&
            largest_gradient(c) >= CASE_GRADIENT)
            return;
    }
    fail_msg("no numbers with the margin for %s, %s", c->activation.name, describe_case(c));
}

void for_each_gradient_case(
    size_t activation, void (*visit)(gradient_case *c, void *argument), void *argument) {
    static gradient_case c;
    for (size_t loss = 0; loss < LOSSES; loss++)
        for (int no_bias = 0; no_bias < 2; no_bias++)
            for (size_t layer_count = 1; layer_count <= CASE_LAYERS; layer_count++)
                for (size_t rows = 1; rows <= CASE_ROWS; rows++) {
                    make_gradient_case(&c, activation, loss, no_bias, layer_count, rows);
                    visit(&c, argument);
                }
}

/* ---- The library's net ----------------------------------------------------------------------- */

const char *describe_case(const gradient_case *c) {
    static char text[128];
    snprintf(
        text, sizeof text, "%s, %s, %zu layers, %zu rows", c->loss.name,
        c->no_bias ? "no biases" : "biases", c->layer_count, c->rows);
    return text;
}

tnn_net *new_case_net(const gradient_case *c, const char *kernels) {
    tnn_net_options options = {.kernels = kernels};
    tnn_net *net = new_net(CASE_INPUTS, c->layers, c->layer_count, &options);
    assert_int_equal(tnn_net_parameter_count(net), c->parameter_count);
    memcpy(tnn_net_parameters(net), c->parameters, c->parameter_count * sizeof *c->parameters);
    return net;
}
