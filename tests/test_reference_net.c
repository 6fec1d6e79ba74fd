/*
 * test_reference_net.c: the independent net of tests/support is right by itself. Its activations
 * and losses give the values of the literature, its gradients are those of its own central
 * differences, and the two pairs computed from z are what they are computed for.
 */
#include "support/gradient_cases.h"

#include <math.h>
#include <stdio.h>

/* ---- Values ---------------------------------------------------------------------------------- */

/* To 1e-15, from the definitions in 50 digits (mpmath). */
typedef struct known_value {
    ref_activation activation;
    double z, value;
} known_value;

static const known_value known_values[] = {
    {{.kind = REF_IDENTITY}, -4, -4.0},
    {{.kind = REF_IDENTITY}, -0.75, -0.75},
    {{.kind = REF_IDENTITY}, 1.5, 1.5},
    {{.kind = REF_RELU}, -4, 0.0},
    {{.kind = REF_RELU}, -0.75, 0.0},
    {{.kind = REF_RELU}, 1.5, 1.5},
    {{.kind = REF_LEAKY_RELU, .parameter = 0.125}, -4, -0.5},
    {{.kind = REF_LEAKY_RELU, .parameter = 0.125}, -0.75, -0.09375},
    {{.kind = REF_LEAKY_RELU, .parameter = 0.125}, 1.5, 1.5},
    {{.kind = REF_SIGMOID}, -4, 0.017986209962091558},
    {{.kind = REF_SIGMOID}, -0.75, 0.32082130082460703},
    {{.kind = REF_SIGMOID}, 1.5, 0.81757447619364366},
    {{.kind = REF_TANH}, -4, -0.99932929973906704},
    {{.kind = REF_TANH}, -0.75, -0.63514895238728732},
    {{.kind = REF_TANH}, 1.5, 0.90514825364486644},
    {{.kind = REF_ELU, .parameter = 0.75}, -4, -0.73626327083344936},
    {{.kind = REF_ELU, .parameter = 0.75}, -0.75, -0.39572508544423897},
    {{.kind = REF_ELU, .parameter = 0.75}, 1.5, 1.5},
    {{.kind = REF_SELU}, -4, -1.7258986281898947},
    {{.kind = REF_SELU}, -0.75, -0.92763201583505123},
    {{.kind = REF_SELU}, 1.5, 1.5760514810332207},
    {{.kind = REF_SOFTPLUS}, -4, 0.01814992791780974},
    {{.kind = REF_SOFTPLUS}, -0.75, 0.38687100611489994},
    {{.kind = REF_SOFTPLUS}, 1.5, 1.7014132779827524},
    {{.kind = REF_SOFTSIGN}, -4, -0.8},
    {{.kind = REF_SOFTSIGN}, -0.75, -0.42857142857142857},
    {{.kind = REF_SOFTSIGN}, 1.5, 0.6},
    {{.kind = REF_SILU}, -4, -0.071944839848366232},
    {{.kind = REF_SILU}, -0.75, -0.24061597561845527},
    {{.kind = REF_SILU}, 1.5, 1.2263617142904655},
    {{.kind = REF_GELU}, -4, -0.00012668496733247969},
    {{.kind = REF_GELU}, -0.75, -0.16997051428265115},
    {{.kind = REF_GELU}, 1.5, 1.3997891980967129},
    {{.kind = REF_HARD_SIGMOID}, -4, 0.0},
    {{.kind = REF_HARD_SIGMOID}, -0.75, 0.375},
    {{.kind = REF_HARD_SIGMOID}, 1.5, 0.75},
    {{.kind = REF_HARD_TANH}, -4, -1.0},
    {{.kind = REF_HARD_TANH}, -0.75, -0.75},
    {{.kind = REF_HARD_TANH}, 1.5, 1.0},
};

static void test_reference_net_activation_has_the_known_values(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(known_values); i++) {
        double a;
        ref_activate(known_values[i].activation, 1, &known_values[i].z, &a);
        assert_within(a, known_values[i].value, 4e-15);
    }
}

static void test_reference_net_softmax_has_the_known_values(void **state) {
    (void)state;
    const double z[] = {1, 2, 4};
    const double expected[] = {0.042010066134066051, 0.11419519938459448, 0.84379473448133947};
    double a[3];
    ref_activate((ref_activation){.kind = REF_SOFTMAX}, 3, z, a);
    for (size_t i = 0; i < 3; i++)
        assert_within(a[i], expected[i], 4e-15);
}

/* Loss of an identity net, so y = x, against t. */
static double loss_of(ref_loss loss, const double y[2], const double t[2]) {
    const double unit_matrix[] = {1, 0, 0, 1};
    const ref_layer layer = {.units = 2, .no_bias = true};
    const ref_net net = {
        .inputs = 2, .layer_count = 1, .layers = &layer, .parameters = unit_matrix};
    const ref_batch batch = {.rows = 1, .x = y, .target = t};
    return ref_backward(&net, loss, &batch, NULL, NULL).value;
}

static void test_reference_net_loss_has_the_known_values(void **state) {
    (void)state;
    const double y[] = {0.25, 0.5}, t[] = {1, 0.75}, far[] = {3, 0.75};
    assert_within(loss_of((ref_loss){REF_HALF_SQUARED_ERROR, 0}, y, t), 0.3125, 4e-16);
    assert_within(loss_of((ref_loss){REF_MEAN_SQUARED_ERROR, 0}, y, t), 0.3125, 4e-16);
    assert_within(loss_of((ref_loss){REF_MEAN_ABSOLUTE_ERROR, 0}, y, t), 0.5, 4e-16);
    assert_within(loss_of((ref_loss){REF_HUBER, 0.5}, y, t), 0.140625, 4e-16);
    assert_within(loss_of((ref_loss){REF_HUBER, 0.5}, y, far), 0.640625, 4e-16);
    assert_within(loss_of((ref_loss){REF_BINARY_CROSS_ENTROPY, 0}, y, t), 1.5 * log(2), 4e-15);
    assert_within(loss_of((ref_loss){REF_CROSS_ENTROPY, 0}, y, t), 2.75 * log(2), 4e-15);
}

static void test_reference_net_logarithm_is_clamped_at_minus_100(void **state) {
    (void)state;
    const double y[] = {0, 1}, t[] = {1, 0};
    assert_within(loss_of((ref_loss){REF_CROSS_ENTROPY, 0}, y, t), 100, 0);
    assert_within(loss_of((ref_loss){REF_BINARY_CROSS_ENTROPY, 0}, y, t), 100, 0);
}

static void test_reference_net_rows_are_weighted_and_averaged(void **state) {
    (void)state;
    const double weight = 2, x[] = {1, 3}, t[] = {1, 1}, row_weights[] = {5, 0.5};
    const ref_layer layer = {.units = 1, .no_bias = true};
    const ref_net net = {.inputs = 1, .layer_count = 1, .layers = &layer, .parameters = &weight};
    const ref_batch batch = {.rows = 2, .x = x, .target = t, .row_weights = row_weights};
    ref_number gradient;
    ref_number loss =
        ref_backward(&net, (ref_loss){REF_HALF_SQUARED_ERROR, 0}, &batch, &gradient, NULL);
    assert_within(loss.value, (5 * 0.5 + 0.5 * 12.5) / 2, 0);
    assert_within(gradient.value, (5 * 1.0 + 0.5 * 15.0) / 2, 0);
}

static void test_reference_net_dropout_follows_the_mask(void **state) {
    (void)state;
    const double weights[] = {2, 3}, x = 1;
    const bool kept[] = {false, true};
    const ref_layer layer = {.units = 2, .no_bias = true, .dropout = 0.75, .kept = kept};
    const ref_net net = {.inputs = 1, .layer_count = 1, .layers = &layer, .parameters = weights};
    const double output_gradient[] = {1, 1};
    ref_number y[2], gradient[2];
    ref_forward(&net, 1, &x, y);
    ref_backward_from(&net, 1, &x, output_gradient, gradient, NULL);
    assert_within(y[0].value, 0, 0);
    assert_within(y[1].value, 12, 0);
    assert_within(gradient[0].value, 0, 0);
    assert_within(gradient[1].value, 4, 0);
}

/* ---- Gradients against central differences --------------------------------------------------- */

/*
 * The five-point central difference (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h is off by h^4 / 30
 * of the fifth derivative and by some ten roundings of 1e-16 / h. The worst derivative is that of a
 * logarithm at 0.02, 24 / 0.02^5 = 8e9, which makes 4e-11 of the first with h = 2e-5; the second
 * stays below 1e-10. So 1e-8 is what a right gradient keeps, and a wrong one does not.
 */
static const double STEP = 2e-5, AGREEMENT = 1e-8;

static double loss_at_step(const gradient_case *c, double *at, double step) {
    double old = *at;
    *at = old + step;
    double value = ref_backward(&c->reference, c->loss.reference, &c->batch, NULL, NULL).value;
    *at = old;
    return value;
}

static double difference(const gradient_case *c, double *at) {
    double near = loss_at_step(c, at, STEP) - loss_at_step(c, at, -STEP);
    double far = loss_at_step(c, at, 2 * STEP) - loss_at_step(c, at, -2 * STEP);
    return (8 * near - far) / (12 * STEP);
}

static void check_all(
    const gradient_case *c, const char *what, const ref_number *gradient, double *at,
    size_t count) {
    for (size_t i = 0; i < count; i++) {
        double expected = difference(c, at + i);
        if (fabs(gradient[i].value - expected) <= AGREEMENT * fmax(1, fabs(expected)))
            continue;
        fail_msg(
            "%s, %s: %s[%zu] is %.12g, its central difference %.12g", c->activation.name,
            describe_case(c), what, i, gradient[i].value, expected);
    }
}

static void check_case(gradient_case *c, void *argument) {
    ref_number gradient[CASE_PARAMETERS], input_gradient[CASE_ROWS * CASE_INPUTS];
    (void)argument;
    c->batch.row_weights = c->wide_row_weights;
    ref_backward(&c->reference, c->loss.reference, &c->batch, gradient, input_gradient);
    check_all(c, "gradient", gradient, c->wide_parameters, c->parameter_count);
    check_all(c, "input gradient", input_gradient, c->wide_x, c->rows * CASE_INPUTS);
}

static void test_reference_net_gradient_agrees_with_central_differences(void **state) {
    for_each_gradient_case((size_t)(uintptr_t)*state, check_case, NULL);
}

/* ---- Pairs ----------------------------------------------------------------------------------- */

/*
 * A mask that keeps everything, at a dropout of 0, changes nothing but that the pair goes through
 * dL/dy and the activation's own backward.
 */
static void check_pair(ref_activation_kind activation, ref_loss_kind loss) {
    const double parameters[] = {0.5, -1, 0.25, 1, 0.75, -0.5, 0.125, 0, -0.25};
    const double x[] = {1, -0.5, 0.25, 2}, target[] = {0.25, 0.5, 0.75, 1, 0, 0.5};
    const bool kept[] = {true, true, true, true, true, true};
    ref_layer layer = {.units = 3, .activation = {.kind = activation}};
    const ref_net net = {.inputs = 2, .layer_count = 1, .layers = &layer, .parameters = parameters};
    const ref_batch batch = {.rows = 2, .x = x, .target = target};
    ref_number pair[9], chain[9];
    ref_number pair_loss = ref_backward(&net, (ref_loss){loss, 0}, &batch, pair, NULL);
    layer.kept = kept;
    ref_number chain_loss = ref_backward(&net, (ref_loss){loss, 0}, &batch, chain, NULL);
    assert_within(pair_loss.value, chain_loss.value, 1e-14);
    for (size_t i = 0; i < 9; i++)
        assert_within(pair[i].value, chain[i].value, 1e-14);
}

static void test_reference_net_softmax_pair_agrees_with_its_two_parts(void **state) {
    (void)state;
    check_pair(REF_SOFTMAX, REF_CROSS_ENTROPY);
}

static void test_reference_net_sigmoid_pair_agrees_with_its_two_parts(void **state) {
    (void)state;
    check_pair(REF_SIGMOID, REF_BINARY_CROSS_ENTROPY);
}

int main(void) {
    static char names[ACTIVATIONS][96];
    struct CMUnitTest tests[8 + ACTIVATIONS] = {
        cmocka_unit_test(test_reference_net_activation_has_the_known_values),
        cmocka_unit_test(test_reference_net_softmax_has_the_known_values),
        cmocka_unit_test(test_reference_net_loss_has_the_known_values),
        cmocka_unit_test(test_reference_net_logarithm_is_clamped_at_minus_100),
        cmocka_unit_test(test_reference_net_rows_are_weighted_and_averaged),
        cmocka_unit_test(test_reference_net_dropout_follows_the_mask),
        cmocka_unit_test(test_reference_net_softmax_pair_agrees_with_its_two_parts),
        cmocka_unit_test(test_reference_net_sigmoid_pair_agrees_with_its_two_parts),
    };
    for (size_t i = 0; i < ACTIVATIONS; i++) {
        snprintf(
            names[i], sizeof names[i],
            "test_reference_net_gradient_agrees_with_central_differences_%s",
            activation_at(i).name);
        tests[8 + i] = (struct CMUnitTest){
            .name = names[i],
            .test_func = test_reference_net_gradient_agrees_with_central_differences,
            .initial_state = (void *)(uintptr_t)i};
    }
    return cmocka_run_group_tests_name("reference_net", tests, NULL, NULL);
}
