#include "test_nets.h"

#include "net.h"
#include "optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Kernel tables --------------------------------------------------------------------------- */

const char *const kernel_names[KERNEL_TABLES] = {"avx512", "avx2", "neon", "portable"};

bool kernels_are_available(const char *name) {
    tnn_layer layer = {.units = 1};
    tnn_net_options options = {.kernels = name};
    tnn_net *net = NULL;
    tnn_status status = tnn_net_create(&net, 1, &layer, 1, &options);
    if (status != TNN_UNSUPPORTED)
        assert_status(status, TNN_OK);
    tnn_net_destroy(net);
    return status == TNN_OK;
}

bool kernels_are_fused(const char *name) {
#ifdef FP_FAST_FMAF
    (void)name;
    return true;
#else
    return strcmp(name, "portable") != 0;
#endif
}

/* ---- The custom activation ------------------------------------------------------------------- */

static void bend_forward(
    const tnn_activation *self, size_t rows, size_t units, const float *z, float *a) {
    const bend_context *bends = self->context;
    for (size_t i = 0; i < rows * units; i++)
        a[i] = self->parameter + z[i] * (bends->linear + bends->quadratic * z[i]);
}

static void bend_backward(
    const tnn_activation *self, size_t rows, size_t units, const float *z, const float *a,
    float *gradient) {
    const bend_context *bends = self->context;
    (void)a;
    for (size_t i = 0; i < rows * units; i++)
        gradient[i] *= bends->linear + 2 * bends->quadratic * z[i];
}

static const tnn_activation_vtable bend_vtable = {
    .name = "bend", .forward = bend_forward, .backward = bend_backward, .needs_input = true};

tnn_activation bend(float parameter, bend_context *context) {
    return (tnn_activation){&bend_vtable, parameter, context};
}

static double bend_value(const void *context, double parameter, double z) {
    const bend_context *bends = context;
    return parameter + bends->linear * z + bends->quadratic * z * z;
}

static double bend_slope(const void *context, double parameter, double z) {
    const bend_context *bends = context;
    (void)parameter;
    return bends->linear + 2.0 * bends->quadratic * z;
}

/* ---- Catalogues ------------------------------------------------------------------------------ */

/* Parameters that float and double both hold exactly. */
static const float SLOPE = 0.125f, ALPHA = 0.75f, BEND = 0.0625f, DELTA = 0.5f;

activation_entry activation_at(size_t index) {
    static bend_context bends = {.linear = 0.75f, .quadratic = 0.125f};
    const activation_entry entries[ACTIVATIONS] = {
        {"identity", tnn_identity(), {.kind = REF_IDENTITY}},
        {"relu", tnn_relu(), {.kind = REF_RELU}},
        {"leaky_relu", tnn_leaky_relu(SLOPE), {.kind = REF_LEAKY_RELU, .parameter = SLOPE}},
        {"sigmoid", tnn_sigmoid(), {.kind = REF_SIGMOID}},
        {"tanh", tnn_tanh(), {.kind = REF_TANH}},
        {"softmax", tnn_softmax(), {.kind = REF_SOFTMAX}},
        {"elu", tnn_elu(ALPHA), {.kind = REF_ELU, .parameter = ALPHA}},
        {"selu", tnn_selu(), {.kind = REF_SELU}},
        {"softplus", tnn_softplus(), {.kind = REF_SOFTPLUS}},
        {"softsign", tnn_softsign(), {.kind = REF_SOFTSIGN}},
        {"silu", tnn_silu(), {.kind = REF_SILU}},
        {"gelu", tnn_gelu(), {.kind = REF_GELU}},
        {"hard_sigmoid", tnn_hard_sigmoid(), {.kind = REF_HARD_SIGMOID}},
        {"hard_tanh", tnn_hard_tanh(), {.kind = REF_HARD_TANH}},
        {"custom", bend(BEND, &bends), {REF_CUSTOM, BEND, bend_value, bend_slope, &bends}},
    };
    return entries[index];
}

loss_entry loss_at(size_t index) {
    const loss_entry entries[LOSSES] = {
        {"half_squared_error", tnn_half_squared_error(), {.kind = REF_HALF_SQUARED_ERROR}},
        {"mean_squared_error", tnn_mean_squared_error(), {.kind = REF_MEAN_SQUARED_ERROR}},
        {"mean_absolute_error", tnn_mean_absolute_error(), {.kind = REF_MEAN_ABSOLUTE_ERROR}},
        {"huber", tnn_huber(DELTA), {.kind = REF_HUBER, .parameter = DELTA}},
        {"binary_cross_entropy", tnn_binary_cross_entropy(), {.kind = REF_BINARY_CROSS_ENTROPY}},
        {"cross_entropy", tnn_cross_entropy(), {.kind = REF_CROSS_ENTROPY}},
    };
    return entries[index];
}

static const float RATE = 0.0625f, DECAY = 0.125f;

method_entry method_at(size_t index) {
    const method_entry entries[] = {
        {"sgd", tnn_sgd(RATE)},
        {"momentum", tnn_momentum(RATE, 0.9f)},
        {"nesterov", tnn_nesterov(RATE, 0.9f)},
        {"adagrad", tnn_adagrad(RATE)},
        {"rmsprop", tnn_rmsprop(RATE)},
        {"adam", tnn_adam(RATE)},
        {"adamw", tnn_adamw(RATE, 0.01f)},
        {"rprop", tnn_rprop()},
    };
    method_entry entry = entries[index % COUNT_OF(entries)];
    const size_t turn = index / COUNT_OF(entries);
    if (turn % 2 == 1)
        entry.library.weight_decay = DECAY;
    if (turn >= 2) {
        entry.library.l1 = 0.03125f;
        entry.library.clip_value = 0.5f;
    }
    if (turn == 2)
        entry.library.clip_norm = 0.25f;
    return entry;
}

tnn_method method_named(const char *name, float learning_rate, float momentum, float weight_decay) {
    for (size_t i = 0; i < METHODS; i++) {
        tnn_method method = method_at(i).library;
        if (strcmp(method_at(i).name, name) != 0)
            continue;
        method.learning_rate = learning_rate;
        method.momentum = momentum;
        method.weight_decay = weight_decay;
        return method;
    }
    fail();
    return tnn_sgd(learning_rate);
}

/* ---- Random numbers -------------------------------------------------------------------------- */

uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

float random_between(uint64_t *state, float low, float high) {
    double share = (double)(next_random(state) >> 11) * 0x1p-53;
    return (float)(low + share * ((double)high - low));
}

void fill_random(float *values, size_t count, uint64_t *state, float low, float high) {
    for (size_t i = 0; i < count; i++)
        values[i] = random_between(state, low, high);
}

/* ---- Nets ------------------------------------------------------------------------------------ */

tnn_net *new_net(
    size_t inputs, const tnn_layer *layers, size_t layer_count, const tnn_net_options *options) {
    tnn_net *net = NULL;
    assert_ok(tnn_net_create(&net, inputs, layers, layer_count, options));
    assert_non_null(net);
    return net;
}

tnn_optimizer *new_optimizer(const tnn_net *net, float learning_rate) {
    return new_optimizer_of(net, tnn_sgd(learning_rate));
}

void share_out_everything(tnn_net *net) {
    net->least_task = 1;
    net->least_units = 1;
}

tnn_optimizer *new_optimizer_of(const tnn_net *net, tnn_method method) {
    tnn_optimizer *optimizer = NULL;
    assert_ok(tnn_optimizer_create(&optimizer, net, method));
    assert_non_null(optimizer);
    return optimizer;
}

tnn_workspace *new_workspace(const tnn_net *net, size_t max_rows) {
    tnn_workspace *workspace = NULL;
    assert_ok(tnn_workspace_create(&workspace, net, max_rows));
    assert_non_null(workspace);
    return workspace;
}

tnn_net *new_clone(const tnn_net *net) {
    tnn_net *copy = NULL;
    assert_ok(tnn_net_clone(&copy, net));
    assert_non_null(copy);
    return copy;
}

void assert_same_net(tnn_net *actual, tnn_net *expected) {
    size_t count = tnn_net_parameter_count(expected);
    assert_int_equal(tnn_net_parameter_count(actual), count);
    assert_same_bits(tnn_net_read_parameters(actual), tnn_net_read_parameters(expected), count);
    assert_same_bits(tnn_net_gradients(actual), tnn_net_gradients(expected), count);
}

void assert_same_moments(const tnn_optimizer *actual, const tnn_optimizer *expected) {
    assert_int_equal(actual->moment_count, expected->moment_count);
    assert_int_equal(actual->parameter_count, expected->parameter_count);
    assert_same_bits(actual->moments, expected->moments, expected->moment_count * expected->stride);
}

enum { PROBE_LAYERS = 4, PROBE_OUTPUTS = 65536 };

static tnn_net *new_probe(uint64_t seed, size_t layer, size_t units, float dropout) {
    tnn_layer layers[PROBE_LAYERS] = {{.units = 1}, {.units = 1}, {.units = 1}};
    tnn_net_options options = {.seed = seed};
    assert_in_range(layer, 0, PROBE_LAYERS - 1);
    layers[layer] = (tnn_layer){.units = units, .initializer = tnn_constant(0), .dropout = dropout};
    tnn_net *probe = new_net(1, layers, layer + 1, &options);
    for (size_t unit = 0; unit < units; unit++)
        tnn_net_biases(probe, layer)[unit] = 1;
    return probe;
}

void read_dropout_mask(
    bool *kept, uint64_t seed, size_t forwards, size_t layer, size_t rows, size_t units,
    float dropout) {
    static float x[PROBE_OUTPUTS], y[PROBE_OUTPUTS];
    tnn_net *probe = new_probe(seed, layer, units, dropout);
    assert_in_range(rows * units, 1, PROBE_OUTPUTS);
    for (size_t i = 0; i <= forwards; i++)
        assert_ok(tnn_forward(probe, rows, x, y));
    for (size_t i = 0; i < rows * units; i++)
        kept[i] = y[i] != 0;
    tnn_net_destroy(probe);
}

static float *copy_of(const float *values, size_t count) {
    float *copy = malloc(count * sizeof *copy);
    assert_non_null(values);
    assert_non_null(copy);
    return memcpy(copy, values, count * sizeof *copy);
}

snapshot take_snapshot(tnn_net *net) {
    size_t count = tnn_net_parameter_count(net);
    return (snapshot){
        count, copy_of(tnn_net_read_parameters(net), count),
        copy_of(tnn_net_gradients(net), count)};
}

void assert_unchanged(tnn_net *net, const snapshot *before) {
    assert_int_equal(tnn_net_parameter_count(net), before->count);
    assert_same_bits(tnn_net_read_parameters(net), before->parameters, before->count);
    assert_same_bits(tnn_net_gradients(net), before->gradients, before->count);
}

void free_snapshot(snapshot *s) {
    free(s->parameters);
    free(s->gradients);
    *s = (snapshot){0};
}
