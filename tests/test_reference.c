/*
 * test_reference.c: the library against PyTorch and NumPy, in every kernel table. The numbers come
 * from the scripts in tests/reference, whose README.md tells how to make them again.
 *
 * A trajectory may leave the exact one by ten times the farthest that any of 32 runs got whose
 * numbers were all off by up to half a unit in the last place of a float.
 */
#include "support/test_nets.h"

#include "reference/losses.h"
#include "reference/trajectories.h"
#include "reference/xor_published.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double TIMES_THE_SPREAD = 10;

/* The numbers of the references have 13 digits. */
static const double DIGITS = 1e-12;

static tnn_activation activation_named(const char *name) {
    for (size_t i = 0; i < ACTIVATIONS; i++) {
        if (strcmp(activation_at(i).name, name) == 0)
            return activation_at(i).library;
    }
    fail();
    return tnn_identity();
}

static tnn_loss loss_named(const char *name) {
    for (size_t i = 0; i < LOSSES; i++) {
        if (strcmp(loss_at(i).name, name) == 0)
            return loss_at(i).library;
    }
    fail();
    return tnn_half_squared_error();
}

typedef void check_kernels(const void *reference, const char *kernels);

static void for_each_table(check_kernels *check, const void *reference) {
    for (size_t i = 0; i < KERNEL_TABLES; i++) {
        if (kernels_are_available(kernel_names[i]))
            check(reference, kernel_names[i]);
    }
}

/* ---- Losses ---------------------------------------------------------------------------------- */

/* A net whose z are its inputs; the gradient of its biases is that by y, or by z of a pair. */
static tnn_net *new_loss_net(const char *activation, const char *kernels) {
    const tnn_layer layer = {
        .units = LOSS_UNITS,
        .activation = activation_named(activation),
        .initializer = tnn_constant(0)};
    tnn_net *net = new_net(LOSS_UNITS, &layer, 1, &(tnn_net_options){.kernels = kernels});
    for (size_t i = 0; i < LOSS_UNITS; i++)
        tnn_net_weights(net, 0)[i * LOSS_UNITS + i] = 1;
    return net;
}

typedef struct loss_bounds {
    double relative, absolute; /* of the loss */
    double slope, slope_absolute;
} loss_bounds;

/*
 * A loss of y is computed in double, but for 1 - y of binary_cross_entropy, which is a float: that
 * is half an epsilon of its logarithm. The gradient takes at most 7 roundings in float.
 *
 * A loss of z has exp(-x), x = max - z, as a float, off by x / 2 + k epsilon, k being 4 ulp at
 * worst. exp(-x) x / 2 < 1/4, so the sum over n units is off by less than k + n / 4, and a
 * probability by twice k and some roundings. Targets sum to 3 at most.
 */
static loss_bounds bounds_of(const loss_reference *r) {
    const double epsilon = 0x1p-23;
    if (strcmp(r->activation, "identity") != 0)
        return (loss_bounds){
            .relative = DIGITS,
            .absolute = 3 * (4 + LOSS_UNITS / 4.0) * epsilon,
            .slope = DIGITS,
            .slope_absolute = 3 * (8 + LOSS_UNITS / 4.0 + 2) * epsilon};
    return (loss_bounds){
        .relative = DIGITS,
        .absolute = strcmp(r->loss, "binary_cross_entropy") == 0 ? epsilon / 2 : 0,
        .slope = 7 * epsilon / 2 + DIGITS};
}

static void check_loss(const void *reference, const char *kernels) {
    const loss_reference *r = reference;
    const loss_bounds bounds = bounds_of(r);
    const tnn_loss loss = loss_named(r->loss);
    tnn_net *net = new_loss_net(r->activation, kernels);
    double value;
    for (size_t row = 0; row < LOSS_ROWS; row++) {
        const float *y = r->y + row * LOSS_UNITS, *target = r->target + row * LOSS_UNITS;
        memset(tnn_net_gradients(net), 0, tnn_net_parameter_count(net) * sizeof(float));
        assert_ok(tnn_forward(net, 1, y, NULL));
        assert_ok(tnn_backward(net, loss, target, &value));
        assert_within(
            value, r->row_loss[row], bounds.relative * fabs(r->row_loss[row]) + bounds.absolute);
        const float *gradients = tnn_net_gradients(net) + LOSS_UNITS * LOSS_UNITS;
        for (size_t u = 0; u < LOSS_UNITS; u++) {
            double expected = r->gradient[row * LOSS_UNITS + u];
            assert_within(
                gradients[u], expected, bounds.slope * fabs(expected) + bounds.slope_absolute);
        }
    }
    assert_ok(tnn_forward(net, LOSS_ROWS, r->y, NULL));
    assert_ok(tnn_backward(net, loss, r->target, &value));
    assert_within(value, r->batch_loss, bounds.relative * fabs(r->batch_loss) + bounds.absolute);
    tnn_net_destroy(net);
}

static void test_reference_loss_and_gradient_are_those_of_pytorch(void **state) {
    for_each_table(check_loss, *state);
}

/* ---- Trajectories ---------------------------------------------------------------------------- */

static tnn_net *new_trajectory_net(const trajectory *t, const char *kernels) {
    tnn_layer layers[MOST_LAYERS] = {{0}};
    for (size_t l = 0; l < t->layer_count; l++)
        layers[l] =
            (tnn_layer){.units = t->units[l], .activation = activation_named(t->activations[l])};
    tnn_net *net =
        new_net(t->inputs, layers, t->layer_count, &(tnn_net_options){.kernels = kernels});
    memcpy(tnn_net_parameters(net), t->initial, tnn_net_parameter_count(net) * sizeof(float));
    return net;
}

static void check_trajectory(const void *reference, const char *kernels) {
    const trajectory *t = reference;
    const tnn_dataset batch = {.rows = ROWS, .x = t->x, .target = t->target};
    const tnn_loss loss = loss_named(t->loss);
    tnn_net *net = new_trajectory_net(t, kernels);
    tnn_method method = method_named(t->method, t->learning_rate, t->momentum, t->weight_decay);
    method.l1 = t->l1;
    method.clip_value = t->clip_value;
    method.clip_norm = t->clip_norm;
    tnn_optimizer *optimizer = new_optimizer_of(net, method);
    for (size_t step = 0; step <= STEPS; step++) {
        double value;
        if (step == STEPS) { /* the loss after the last step */
            assert_ok(tnn_forward(net, ROWS, t->x, NULL));
            assert_ok(tnn_backward(net, loss, t->target, &value));
        } else {
            assert_ok(tnn_train(net, optimizer, loss, &batch, &value));
        }
        if (step % EVERY == 0)
            assert_within(
                value, t->losses[step / EVERY], TIMES_THE_SPREAD * t->loss_spreads[step / EVERY]);
    }
    const float *parameters = tnn_net_read_parameters(net);
    for (size_t i = 0; i < tnn_net_parameter_count(net); i++)
        assert_within(parameters[i], t->final[i], TIMES_THE_SPREAD * t->final_spread);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
}

static void test_reference_trajectory_is_that_of_pytorch(void **state) {
    for_each_table(check_trajectory, *state);
}

/* ---- The published XOR experiment ------------------------------------------------------------ */

/* relu forward, the slope of softplus backward. */
static void published_forward(
    const tnn_activation *self, size_t rows, size_t units, const float *z, float *a) {
    (void)self;
    for (size_t i = 0; i < rows * units; i++)
        a[i] = z[i] > 0 ? z[i] : 0;
}

static void published_backward(
    const tnn_activation *self, size_t rows, size_t units, const float *z, const float *a,
    float *gradient) {
    (void)self, (void)a;
    for (size_t i = 0; i < rows * units; i++)
        gradient[i] *= 1 / (1 + expf(-z[i]));
}

static const tnn_activation_vtable published_vtable = {
    .name = "published",
    .forward = published_forward,
    .backward = published_backward,
    .needs_input = true};

static const float xor_x[] = {0, 0, 0, 1, 1, 0, 1, 1};
static const float xor_y[] = {0, 1, 1, 0};

/* The four rows one at a time; returns their costs, each before its step. */
static double train_epoch(tnn_net *net, tnn_optimizer *optimizer) {
    double cost = 0;
    for (size_t row = 0; row < 4; row++) {
        const tnn_dataset batch = {.rows = 1, .x = xor_x + 2 * row, .target = xor_y + row};
        double value;
        assert_ok(tnn_train(net, optimizer, tnn_half_squared_error(), &batch, &value));
        cost += value;
    }
    return cost;
}

static void check_xor(const void *reference, const char *kernels) {
    const tnn_activation published = {.vtable = &published_vtable};
    const tnn_layer layers[] = {
        {.units = 2, .activation = published, .no_bias = true},
        {.units = 1, .activation = published, .no_bias = true}};
    (void)reference;
    tnn_net *net = new_net(2, layers, 2, &(tnn_net_options){.kernels = kernels});
    tnn_optimizer *optimizer = new_optimizer(net, 0.01f);
    memcpy(tnn_net_parameters(net), xor_initial, sizeof xor_initial);
    size_t stored = 0;
    for (int epoch = 1; epoch < 6000; epoch++) {
        double cost = train_epoch(net, optimizer);
        if (epoch != xor_epochs[stored])
            continue;
        assert_within(cost, xor_costs[stored], TIMES_THE_SPREAD * xor_cost_spreads[stored]);
        stored++;
    }
    assert_int_equal(stored, XOR_STORED);
    for (size_t i = 0; i < XOR_WEIGHTS; i++)
        assert_within(
            tnn_net_read_parameters(net)[i], xor_weights[i],
            TIMES_THE_SPREAD * xor_weight_spreads[i]);
    float y[4];
    assert_ok(tnn_forward(net, 4, xor_x, y));
    for (size_t i = 0; i < 4; i++)
        assert_within(y[i], xor_outputs[i], TIMES_THE_SPREAD * xor_output_spreads[i]);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
}

static void test_reference_published_xor_experiment_is_that_of_numpy(void **state) {
    (void)state;
    for_each_table(check_xor, NULL);
}

/* ---- All of it ------------------------------------------------------------------------------- */

enum { LOSS_CASES = COUNT_OF(loss_references), TRAJECTORIES = COUNT_OF(trajectories) };

/* A name of its own in a ring that is longer than there are tests. */
static const char *name_of(
    const char *what, const char *method, const char *which, const char *more) {
    static char names[LOSS_CASES + TRAJECTORIES][96];
    static size_t count;
    char *name = names[count++ % COUNT_OF(names)];
    snprintf(
        name, sizeof names[0], "test_reference_%s%s_is_that_of_pytorch_%s_%s", what, method, which,
        more);
    return name;
}

int main(void) {
    struct CMUnitTest tests[1 + LOSS_CASES + TRAJECTORIES] = {
        cmocka_unit_test(test_reference_published_xor_experiment_is_that_of_numpy)};
    struct CMUnitTest *test = tests + 1;
    for (size_t i = 0; i < LOSS_CASES; i++)
        *test++ = (struct CMUnitTest){
            .name = name_of("loss", "", loss_references[i].activation, loss_references[i].loss),
            .test_func = test_reference_loss_and_gradient_are_those_of_pytorch,
            .initial_state = (void *)(uintptr_t)&loss_references[i]};
    for (size_t i = 0; i < TRAJECTORIES; i++)
        *test++ = (struct CMUnitTest){
            .name = name_of(
                "trajectory_of_", trajectories[i].method, trajectories[i].activations[0],
                trajectories[i].loss),
            .test_func = test_reference_trajectory_is_that_of_pytorch,
            .initial_state = (void *)(uintptr_t)&trajectories[i]};
    return cmocka_run_group_tests_name("reference", tests, NULL, NULL);
}
