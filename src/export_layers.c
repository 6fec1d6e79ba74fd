/*
 * Dense layers as C source. Each sum has the chains of docs/numerics.md; what is chosen here is the
 * form of the loops, and the order of the weights, which is that of their use.
 */
#include "export_c.h"

#include <stdio.h>

enum {
    LANES = 16, /* chains of a single unit */
    MOST_WIDTH = 64,
    /*
     * Compilers unroll an inner loop that comes to less than some 200 operations before they
     * vectorise it, and then cannot any more: gcc does that to loops of up to 16 turns. So narrow
     * loops take several inputs a turn, at some 5 operations for each.
     */
    LEAST_OPERATIONS = 220,
    OPERATIONS = 5,
    LEAST_INPUTS = 2, /* machines without vectors load and store a sum once for all of them */
    MOST_INPUTS = 16,
    TURN_OF_LANES = 4, /* sixteens of inputs */
    /* Fewer units than these are filled up to whole vectors of four, with units of zeros, unless
     * that takes more weights. */
    MOST_FILLED = 8,
    FILLED_BY = 4,
    MOST_FILLING = 64
};

/* How the units of a layer are shared out. */
typedef struct tiling {
    size_t chains;
    size_t width;  /* units of a block */
    size_t blocks; /* of that width */
    size_t rest;   /* units of a last one */
} tiling;

size_t tnni_export_chains(const tnni_layer *layer) {
    if (layer->units == 1)
        return LANES;
    if (layer->units < 8 || (layer->units <= 16 && layer->inputs >= 32))
        return 4;
    return layer->units > 16 && layer->units <= 64 ? 2 : 1;
}

size_t tnni_export_units(const tnni_layer *layer) {
    size_t filled = (layer->units + FILLED_BY - 1) / FILLED_BY * FILLED_BY;
    if (layer->units == 1 || layer->units >= MOST_FILLED)
        return layer->units;
    return layer->inputs <= MOST_FILLING / (filled - layer->units + 1) ? filled : layer->units;
}

static bool is_filled(const tnni_layer *layer) {
    return tnni_export_units(layer) > layer->units;
}

static tiling tile(const tnni_layer *layer) {
    size_t units = tnni_export_units(layer);
    size_t least_blocks = (units - 1) / MOST_WIDTH + 1;
    size_t width = (units - 1) / least_blocks + 1;
    if (least_blocks > 1)
        width = (width + 15) / 16 * 16;
    return (tiling){
        .chains = tnni_export_chains(layer),
        .width = width,
        .blocks = units / width,
        .rest = units % width,
    };
}

static size_t inputs_of_a_turn(size_t inputs, size_t chains, size_t width) {
    size_t turn = chains > LEAST_INPUTS ? chains : LEAST_INPUTS;
    while (turn * width * OPERATIONS < LEAST_OPERATIONS && 2 * turn <= inputs && turn < MOST_INPUTS)
        turn *= 2;
    return turn;
}

size_t tnni_export_array_bytes(const tnn_net *net) {
    size_t most = 0;
    for (size_t l = 0; l < net->layer_count; l++) {
        const tnni_layer *layer = &net->layers[l];
        size_t floats = layer->units == 1 ? LANES : tile(layer).chains * tile(layer).width;
        if (layer->kind == TNNI_SOFTMAX)
            floats += LANES;
        if (is_filled(layer))
            floats += tile(layer).width;
        most = floats > most ? floats : most;
    }
    return most * sizeof(float);
}

/* ---- Constants ------------------------------------------------------------------------------- */

/* Those of a layer's units, and zeros for those that it is filled up with. */
static void put_filled(tnni_text *text, const tnni_layer *layer, const float *values) {
    static const float zeros[FILLED_BY] = {0};
    tnni_text_floats(text, values, layer->units);
    tnni_text_floats(text, zeros, tnni_export_units(layer) - layer->units);
}

/* Block by block, in each of them a row of its units for each input. */
static void put_weights(tnni_text *text, const tnni_layer *layer, const float *weights) {
    size_t width = tile(layer).width;
    for (size_t i = 0; is_filled(layer) && i < layer->inputs; i++)
        put_filled(text, layer, weights + i * layer->units);
    if (is_filled(layer))
        return;
    for (size_t first = 0; first < layer->units; first += width) {
        size_t left = layer->units - first;
        for (size_t i = 0; i < layer->inputs; i++)
            tnni_text_floats(text, weights + i * layer->units + first, left < width ? left : width);
    }
}

static void begin_array(tnni_text *text, const char *what, size_t layer, size_t count) {
    tnni_text_format(text, "static const float @_%s%zu[%zu] = {\n", what, layer, count);
}

static void put_layer_constants(tnni_text *text, const tnn_net *net, size_t l) {
    const tnni_layer *layer = &net->layers[l];
    begin_array(text, "weights", l, layer->inputs * tnni_export_units(layer));
    put_weights(text, layer, net->parameters + layer->weights);
    tnni_text_put(text, "\n};\n\n");
    if (!layer->has_biases)
        return;
    begin_array(text, "biases", l, tnni_export_units(layer));
    put_filled(text, layer, net->parameters + layer->biases);
    tnni_text_put(text, "\n};\n\n");
}

static void put_scaling(tnni_text *text, const char *side, const float *scaling, size_t columns) {
    for (size_t i = 0; scaling && i < 2; i++) {
        const char *what = i == 0 ? "shift" : "scale";
        tnni_text_format(text, "static const float @_%s_%s[%zu] = {\n", side, what, columns);
        tnni_text_floats(text, scaling + i * columns, columns);
        tnni_text_put(text, "\n};\n\n");
    }
}

void tnni_export_constants(tnni_text *text, const tnni_export *e) {
    const tnn_net *net = e->net;
    put_scaling(text, "input", net->input_scaling, tnni_inputs(net));
    for (size_t l = 0; l < net->layer_count; l++)
        put_layer_constants(text, net, l);
    put_scaling(text, "output", net->output_scaling, tnni_outputs(net));
}

/* ---- Code ------------------------------------------------------------------------------------ */

/* "variables + offset", without what says nothing. */
typedef struct index_text {
    char text[64];
} index_text;

static index_text index_of(const char *variables, size_t offset) {
    index_text index;
    const char *plus = variables[0] != '\0' && offset > 0 ? " + " : "";
    if (offset > 0 || variables[0] == '\0')
        snprintf(index.text, sizeof index.text, "%s%s%zu", variables, plus, offset);
    else
        snprintf(index.text, sizeof index.text, "%s", variables);
    return index;
}

/* count inputs of a block, from x[k] or, k being "", from x[first] on, each in its own chain. */
static void put_turn(
    tnni_text *text, size_t chains, size_t width, size_t count, const char *k, size_t first,
    const char *indent) {
    tnni_text_format(text, "%sfor (int u = 0; u < %zu; u++) {\n", indent, width);
    for (size_t i = 0; i < count; i++)
        tnni_text_format(
            text, "%s    s%zu[u] = fmaf(x[%s], w[%s], s%zu[u]);\n", indent, i % chains,
            index_of(k, first + i).text, index_of("u", i * width).text, i % chains);
    tnni_text_format(text, "%s}\n", indent);
}

/* float s0[8], s1[8]; all of them 0 */
static void put_zeros(tnni_text *text, size_t chains, size_t width, const char *indent) {
    for (size_t j = 0; j < chains; j++)
        tnni_text_format(text, "%sfloat s%zu[%zu];\n", indent, j, width);
    tnni_text_format(text, "%sfor (int u = 0; u < %zu; u++)\n%s    ", indent, width, indent);
    for (size_t j = 0; j < chains; j++)
        tnni_text_format(text, "s%zu[u] = ", j);
    tnni_text_put(text, "0.0f;\n");
}

/* The chains' sum, and the bias last. */
static void put_sums(
    tnni_text *text, const tnni_layer *layer, size_t chains, size_t width, const char *result,
    const char *indent) {
    tnni_text_format(
        text, "%sfor (int u = 0; u < %zu; u++)\n%s    %s[u] = %s%s;\n", indent, width, indent,
        result,
        chains == 4       ? "((s0[u] + s2[u]) + (s1[u] + s3[u]))"
            : chains == 2 ? "(s0[u] + s1[u])"
                          : "s0[u]",
        layer->has_biases ? " + b[u]" : "");
}

/* Leads the pointers on to the next units. */
static void put_advance(
    tnni_text *text, const tnni_layer *layer, size_t width, size_t weights, const char *indent) {
    if (weights > 0)
        tnni_text_format(text, "%sw += %zu;\n", indent, weights);
    if (layer->has_biases)
        tnni_text_format(text, "%sb += %zu;\n", indent, width);
    tnni_text_format(text, "%sz += %zu;\n", indent, width);
}

static void put_block(
    tnni_text *text, const tnni_layer *layer, size_t width, bool is_last, const char *result,
    const char *indent) {
    size_t chains = tnni_export_chains(layer);
    size_t turn = inputs_of_a_turn(layer->inputs, chains, width);
    size_t turns = layer->inputs / turn;
    size_t rest = layer->inputs % turn;
    char deeper[16];
    snprintf(deeper, sizeof deeper, "%s    ", indent);
    put_zeros(text, chains, width, indent);
    if (turns > 0) {
        tnni_text_format(
            text, "%sfor (int k = 0; k < %zu; k += %zu) {\n", indent, turns * turn, turn);
        put_turn(text, chains, width, turn, "k", 0, deeper);
        tnni_text_format(text, "%s    w += %zu;\n%s}\n", indent, turn * width, indent);
    }
    if (rest > 0)
        put_turn(text, chains, width, rest, "", turns * turn, indent);
    put_sums(text, layer, chains, width, result, indent);
    if (!is_last)
        put_advance(text, layer, width, rest * width, indent);
}

/* Sixteen chains of one unit, side by side: count sixteens of inputs a turn. */
static void put_lanes(
    tnni_text *text, const char *variables, size_t first, size_t count, size_t lanes,
    const char *indent) {
    tnni_text_format(text, "%sfor (int j = 0; j < %zu; j++) {\n", indent, lanes);
    for (size_t i = 0; i < count; i++) {
        index_text at = index_of(variables, first + i * LANES);
        tnni_text_format(
            text, "%s    s[j] = fmaf(x[%s], w[%s], s[j]);\n", indent, at.text, at.text);
    }
    tnni_text_format(text, "%s}\n", indent);
}

static void put_single_unit(tnni_text *text, const tnni_layer *layer) {
    size_t sixteens = layer->inputs / LANES;
    size_t turn = sixteens < TURN_OF_LANES ? 1 : TURN_OF_LANES;
    size_t turns = sixteens / turn;
    tnni_text_put(
        text,
        "    float s[16];\n"
        "    for (int j = 0; j < 16; j++)\n"
        "        s[j] = 0.0f;\n");
    if (turns > 0) {
        tnni_text_format(
            text, "    for (int k = 0; k < %zu; k += %zu) {\n", turns * turn * LANES, turn * LANES);
        put_lanes(text, "k + j", 0, turn, LANES, "        ");
        tnni_text_put(text, "    }\n");
    }
    if (sixteens % turn > 0)
        put_lanes(text, "j", turns * turn * LANES, sixteens % turn, LANES, "    ");
    if (layer->inputs % LANES > 0)
        put_lanes(text, "j", sixteens * LANES, 1, layer->inputs % LANES, "    ");
    tnni_export_tree(text, "s");
    tnni_text_put(text, layer->has_biases ? "    y[0] = s[0] + b[0];\n" : "    y[0] = s[0];\n");
}

static void put_units(tnni_text *text, const tnni_layer *layer) {
    tiling t = tile(layer);
    if (t.blocks == 1 && t.rest == 0) {
        put_block(text, layer, t.width, true, is_filled(layer) ? "z" : "y", "    ");
        return;
    }
    tnni_text_format(
        text,
        "    float *z = y;\n"
        "    for (int i = 0; i < %zu; i++) {\n",
        t.blocks);
    put_block(text, layer, t.width, false, "z", "        ");
    tnni_text_put(text, "    }\n");
    if (t.rest == 0)
        return;
    tnni_text_put(text, "    {\n");
    put_block(text, layer, t.rest, true, "z", "        ");
    tnni_text_put(text, "    }\n");
}

/* What is left of a layer when the sums are there. */
static void put_end(tnni_text *text, const tnni_export *e, const tnni_layer *layer) {
    bool of_sums = is_filled(layer) && layer->kind != TNNI_SOFTMAX;
    if (of_sums)
        tnni_export_activation(text, e, layer, "z", tnni_export_units(layer));
    if (is_filled(layer))
        tnni_text_format(
            text, "    for (int u = 0; u < %zu; u++)\n        y[u] = z[u];\n", layer->units);
    if (!of_sums)
        tnni_export_activation(text, e, layer, "y", layer->units);
}

static void put_layer(tnni_text *text, const tnni_export *e, size_t l) {
    const tnni_layer *layer = &e->net->layers[l];
    tnni_text_format(
        text,
        "/* Layer %zu: %zu -> %zu, %s. */\n"
        "static void @_layer%zu(const float *$_RESTRICT x, float *$_RESTRICT y) {\n"
        "    const float *w = @_weights%zu;\n",
        l, layer->inputs, layer->units, layer->activation.vtable->name, l, l);
    if (layer->has_biases)
        tnni_text_format(text, "    const float *b = @_biases%zu;\n", l);
    if (is_filled(layer))
        tnni_text_format(text, "    float z[%zu];\n", tnni_export_units(layer));
    if (layer->units == 1)
        put_single_unit(text, layer);
    else
        put_units(text, layer);
    put_end(text, e, layer);
    tnni_text_put(text, "}\n\n");
}

void tnni_export_layers(tnni_text *text, const tnni_export *e) {
    for (size_t l = 0; l < e->net->layer_count; l++)
        put_layer(text, e, l);
}
