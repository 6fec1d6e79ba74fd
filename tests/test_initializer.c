/*
 * test_initializer.c: what the weights of a new net are: moments, bounds, one random number each in
 * the order of the flat vector, and which distribution a layer gets that names none.
 */
#include "support/test_nets.h"

#include "support/random.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { INPUTS = 300, UNITS = 400, WEIGHTS = INPUTS * UNITS };

/* One layer without biases. */
static tnn_net *new_layer_net(tnn_initializer initializer, uint64_t seed) {
    const tnn_layer layer = {.units = UNITS, .initializer = initializer, .no_bias = true};
    const tnn_net_options options = {.seed = seed};
    return new_net(INPUTS, &layer, 1, &options);
}

/* ---- Moments --------------------------------------------------------------------------------- */

typedef struct distribution {
    const char *name;
    tnn_initializer initializer;
    double mean, variance;
    double kurtosis; /* fourth moment over the variance squared: 3 if normal, 9/5 if uniform */
    double limit;    /* of |w - mean|, if uniform */
} distribution;

#define NORMAL 3.0
#define UNIFORM 1.8

static distribution distribution_at(size_t index) {
    const double both = 2.0 / (INPUTS + UNITS), fan_in = 1.0 / INPUTS;
    const distribution distributions[] = {
        {"uniform", tnn_uniform(-0.25f, 0.5f), 0.125, 0.75 * 0.75 / 12, UNIFORM, 0.375},
        {"normal", tnn_normal(-0.5f, 0.25f), -0.5, 0.0625, NORMAL, INFINITY},
        {"glorot_uniform", tnn_glorot_uniform(), 0, both, UNIFORM, sqrt(3 * both)},
        {"glorot_normal", tnn_glorot_normal(), 0, both, NORMAL, INFINITY},
        {"he_uniform", tnn_he_uniform(), 0, 2 * fan_in, UNIFORM, sqrt(6 * fan_in)},
        {"he_normal", tnn_he_normal(), 0, 2 * fan_in, NORMAL, INFINITY},
        {"lecun_normal", tnn_lecun_normal(), 0, fan_in, NORMAL, INFINITY},
    };
    return distributions[index];
}

enum { DISTRIBUTIONS = 7 };

/*
 * The mean of n numbers has the standard error s / sqrt n, their mean square deviation s^2 that of
 * s^2 sqrt((kurtosis - 1) / n). Five of either are exceeded once in 1.7 million times.
 */
static void test_initializer_has_the_moments_of_its_distribution(void **state) {
    distribution d = distribution_at((uintptr_t)*state);
    for (uint64_t seed = 0; seed < 3; seed++) {
        tnn_net *net = new_layer_net(d.initializer, seed);
        const float *weights = tnn_net_read_parameters(net);
        double sum = 0, squares = 0;
        for (size_t i = 0; i < WEIGHTS; i++) {
            double deviation = weights[i] - d.mean;
            sum += deviation;
            squares += deviation * deviation;
            assert_true(fabs(deviation) <= d.limit * (1 + FLT_EPSILON));
        }
        assert_within(sum / WEIGHTS, 0, 5 * sqrt(d.variance / WEIGHTS));
        assert_within(
            squares / WEIGHTS, d.variance, 5 * d.variance * sqrt((d.kurtosis - 1) / WEIGHTS));
        tnn_net_destroy(net);
    }
}

/* Standard deviations from the mean, and the share of weights that are as near. */
static const double quantiles[][2] = {
    {0.5, 0.38292492254802624},
    {1, 0.68268949213708585},
    {2, 0.95449973610364158},
    {3, 0.99730020393673979}};
static const double uniform_quantiles[] = {0.28867513459481287, 0.57735026918962573, 1, 1};

/* A count of n with probability p has the standard deviation sqrt(n p (1 - p)). */
static void test_initializer_has_the_shape_of_its_distribution(void **state) {
    distribution d = distribution_at((uintptr_t)*state);
    tnn_net *net = new_layer_net(d.initializer, 1);
    const float *weights = tnn_net_read_parameters(net);
    for (size_t q = 0; q < COUNT_OF(quantiles); q++) {
        double p = d.kurtosis == NORMAL ? quantiles[q][1] : uniform_quantiles[q], near = 0;
        for (size_t i = 0; i < WEIGHTS; i++)
            near += fabs(weights[i] - d.mean) <= quantiles[q][0] * sqrt(d.variance);
        assert_within(near, WEIGHTS * p, 5 * sqrt(WEIGHTS * p * (1 - p)));
    }
    tnn_net_destroy(net);
}

static void test_initializer_vtable_bears_the_name_of_its_function(void **state) {
    distribution d = distribution_at((uintptr_t)*state);
    assert_string_equal(d.initializer.vtable->name, d.name);
}

static void test_initializer_constant_is_that_number(void **state) {
    (void)state;
    tnn_net *net = new_layer_net(tnn_constant(0.375f), 1);
    for (size_t i = 0; i < WEIGHTS; i++)
        assert_true(tnn_net_read_parameters(net)[i] == 0.375f);
    tnn_net_destroy(net);
    assert_string_equal(tnn_constant(1).vtable->name, "constant");
}

static void test_initializer_normal_without_deviation_is_its_mean(void **state) {
    (void)state;
    tnn_net *net = new_layer_net(tnn_normal(0.375f, 0), 1);
    for (size_t i = 0; i < WEIGHTS; i++)
        assert_true(tnn_net_read_parameters(net)[i] == 0.375f);
    tnn_net_destroy(net);
}

/* ---- Bounds ---------------------------------------------------------------------------------- */

static float weight_of(tnn_initializer initializer, double uniform) {
    return initializer.vtable->weight(&initializer, 5, 7, uniform);
}

/* Both ends of what the generator can give, where rounding would make low + u (high - low) high. */
static void check_bounds(float low, float high) {
    static const double ends[] = {0x1p-53, 0.25, 0.5, 1 - 0x1p-24, 1 - 0x1p-26, 1 - 0x1p-53};
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        float weight = weight_of(tnn_uniform(low, high), ends[i]);
        assert_true(weight >= low && weight < high);
    }
}

static void test_initializer_uniform_never_reaches_its_high_end(void **state) {
    (void)state;
    check_bounds(0, 1);
    check_bounds(-1, 0);
    check_bounds(-0.1f, 0.1f);
    check_bounds(-3, -2);
    check_bounds(1, nextafterf(1, 2));
    check_bounds(nextafterf(-1, -2), -1);
    check_bounds(0, 0x1p-149f);
    check_bounds(-0x1p-149f, 0);
    check_bounds(-FLT_MAX, FLT_MAX);
    check_bounds(1000, 1001);
}

static void test_initializer_glorot_and_he_uniform_never_reach_their_limit(void **state) {
    (void)state;
    float glorot = (float)sqrt(6.0 / 12), he = (float)sqrt(6.0 / 5);
    assert_true(weight_of(tnn_glorot_uniform(), 1 - 0x1p-53) < glorot);
    assert_true(weight_of(tnn_glorot_uniform(), 0x1p-53) >= -glorot);
    assert_true(weight_of(tnn_he_uniform(), 1 - 0x1p-53) < he);
    assert_true(weight_of(tnn_he_uniform(), 0x1p-53) >= -he);
}

/* An inverse distribution function: it rises, and goes to 8.2 deviations at the ends. */
static void test_initializer_is_an_inverse_distribution_function(void **state) {
    distribution d = distribution_at((uintptr_t)*state);
    float last = -INFINITY;
    for (int i = 1; i < 1000; i++) {
        float weight = weight_of(d.initializer, i / 1000.0);
        assert_true(weight > last);
        last = weight;
    }
    float low = weight_of(d.initializer, 0x1p-53), high = weight_of(d.initializer, 1 - 0x1p-53);
    assert_true(isfinite(low) && isfinite(high) && low < high);
}

static void test_initializer_normal_reaches_8_deviations(void **state) {
    (void)state;
    assert_within(weight_of(tnn_normal(0, 1), 0x1p-53), -8.2095, 1e-3);
    assert_within(weight_of(tnn_normal(1, 2), 1 - 0x1p-53), 1 + 2 * 8.2095, 1e-3);
    assert_true(weight_of(tnn_normal(0.25f, 2), 0.5) == 0.25f);
}

/* ---- Order ----------------------------------------------------------------------------------- */

/* A net 3-4-2-1 with the given initializer on its first layer; no biases on the second. */
static tnn_net *new_deep_net(tnn_initializer first, uint64_t seed) {
    const tnn_layer layers[] = {
        {.units = 4, .initializer = first},
        {.units = 2, .activation = tnn_relu(), .no_bias = true},
        {.units = 1, .activation = tnn_sigmoid(), .initializer = tnn_uniform(0, 1)}};
    const tnn_net_options options = {.seed = seed};
    return new_net(3, layers, 3, &options);
}

/* The generator's numbers in the order of the flat vector; biases take none. */
static void test_initializer_draws_one_number_a_weight_in_the_order_of_the_flat_vector(
    void **state) {
    (void)state;
    const tnn_initializer used[] = {tnn_normal(0, 1), tnn_he_normal(), tnn_uniform(0, 1)};
    tnn_net *net = new_deep_net(used[0], 77);
    tnni_random random = tnni_random_seed(77);
    size_t inputs = 3;
    for (size_t l = 0; l < 3; l++) {
        size_t units = tnn_net_units(net, l);
        for (size_t i = 0; i < inputs * units; i++) {
            double number = tnni_random_uniform(&random);
            float expected = used[l].vtable->weight(&used[l], inputs, units, number);
            assert_same_bits(tnn_net_weights(net, l) + i, &expected, 1);
        }
        inputs = units;
    }
    tnn_net_destroy(net);
}

static void test_initializer_of_one_layer_does_not_change_the_weights_of_others(void **state) {
    (void)state;
    const tnn_initializer firsts[] = {
        {0}, tnn_constant(1), tnn_normal(0, 1), tnn_uniform(2, 3), tnn_he_uniform()};
    tnn_net *expected = new_deep_net(tnn_glorot_normal(), 5);
    for (size_t i = 0; i < COUNT_OF(firsts); i++) {
        tnn_net *net = new_deep_net(firsts[i], 5);
        assert_same_bits(tnn_net_weights(net, 1), tnn_net_weights(expected, 1), 4 * 2);
        assert_same_bits(tnn_net_weights(net, 2), tnn_net_weights(expected, 2), 2 * 1);
        tnn_net_destroy(net);
    }
    tnn_net_destroy(expected);
}

static void test_initializer_gives_the_same_weights_for_the_same_seed(void **state) {
    distribution d = distribution_at((uintptr_t)*state);
    tnn_net *one = new_layer_net(d.initializer, 9), *same = new_layer_net(d.initializer, 9);
    tnn_net *other = new_layer_net(d.initializer, 10);
    assert_same_net(one, same);
    size_t different = 0;
    for (size_t i = 0; i < WEIGHTS; i++)
        different += tnn_net_parameters(one)[i] != tnn_net_parameters(other)[i];
    assert_in_range(different, WEIGHTS - 100, WEIGHTS);
    tnn_net_destroy(one);
    tnn_net_destroy(same);
    tnn_net_destroy(other);
}

static void test_initializer_gives_the_same_weights_in_every_kernel_table(void **state) {
    (void)state;
    const tnn_layer layer = {.units = 100, .activation = tnn_relu()};
    tnn_net *portable = new_net(50, &layer, 1, &(tnn_net_options){.kernels = "portable"});
    for (size_t i = 0; i < KERNEL_TABLES; i++) {
        const tnn_net_options options = {.kernels = kernel_names[i]};
        if (!kernels_are_available(kernel_names[i]))
            continue;
        tnn_net *net = new_net(50, &layer, 1, &options);
        assert_same_net(net, portable);
        tnn_net_destroy(net);
    }
    tnn_net_destroy(portable);
}

/* ---- The default ----------------------------------------------------------------------------- */

static tnn_net *new_default_net(tnn_activation activation, tnn_initializer initializer) {
    const tnn_layer layer = {.units = 13, .activation = activation, .initializer = initializer};
    return new_net(7, &layer, 1, NULL);
}

static void check_default(tnn_activation activation, tnn_initializer expected) {
    tnn_net *by_default = new_default_net(activation, (tnn_initializer){0});
    tnn_net *by_name = new_default_net(activation, expected);
    assert_same_net(by_default, by_name);
    tnn_net_destroy(by_default);
    tnn_net_destroy(by_name);
}

static void test_initializer_default_is_the_one_for_the_activation(void **state) {
    (void)state;
    bend_context context = {1, 0};
    check_default(tnn_relu(), tnn_he_normal());
    check_default(tnn_leaky_relu(0.01f), tnn_he_normal());
    check_default(tnn_elu(1), tnn_he_normal());
    check_default(tnn_silu(), tnn_he_normal());
    check_default(tnn_gelu(), tnn_he_normal());
    check_default(tnn_selu(), tnn_lecun_normal());
    check_default((tnn_activation){0}, tnn_glorot_uniform());
    check_default(tnn_identity(), tnn_glorot_uniform());
    check_default(tnn_sigmoid(), tnn_glorot_uniform());
    check_default(tnn_tanh(), tnn_glorot_uniform());
    check_default(tnn_softmax(), tnn_glorot_uniform());
    check_default(tnn_softplus(), tnn_glorot_uniform());
    check_default(tnn_softsign(), tnn_glorot_uniform());
    check_default(tnn_hard_sigmoid(), tnn_glorot_uniform());
    check_default(tnn_hard_tanh(), tnn_glorot_uniform());
    check_default(bend(0, &context), tnn_glorot_uniform());
}

/* ---- A user's own ---------------------------------------------------------------------------- */

typedef struct call_log {
    size_t calls, inputs[64], units[64];
    double uniform[64];
} call_log;

/* Numbers its calls. */
static float log_weight(const tnn_initializer *self, size_t inputs, size_t units, double uniform) {
    call_log *log = self->context;
    assert_in_range(log->calls, 0, 63);
    log->inputs[log->calls] = inputs;
    log->units[log->calls] = units;
    log->uniform[log->calls] = uniform;
    log->calls++;
    return self->first + self->second * (float)log->calls;
}

static void test_initializer_of_a_user_is_called_once_a_weight(void **state) {
    (void)state;
    static const tnn_initializer_vtable vtable = {"numbers", log_weight};
    call_log log = {0};
    tnn_net *net = new_deep_net((tnn_initializer){&vtable, 100, 0.5f, &log}, 3);
    tnni_random random = tnni_random_seed(3);
    assert_int_equal(log.calls, 3 * 4);
    for (size_t i = 0; i < log.calls; i++) {
        assert_int_equal(log.inputs[i], 3);
        assert_int_equal(log.units[i], 4);
        assert_true(log.uniform[i] == tnni_random_uniform(&random));
        assert_true(tnn_net_weights(net, 0)[i] == 100 + 0.5f * (float)(i + 1));
    }
    assert_all_zero(tnn_net_biases(net, 0), 4);
    tnn_net_destroy(net);
}

/* ---- All of it ------------------------------------------------------------------------------- */

typedef struct family {
    const char *behaviour;
    CMUnitTestFunction test;
} family;

static const family families[] = {
    {"has_the_moments_of_its_distribution", test_initializer_has_the_moments_of_its_distribution},
    {"has_the_shape_of_its_distribution", test_initializer_has_the_shape_of_its_distribution},
    {"vtable_bears_the_name_of_its_function",
     test_initializer_vtable_bears_the_name_of_its_function},
    {"is_an_inverse_distribution_function", test_initializer_is_an_inverse_distribution_function},
    {"gives_the_same_weights_for_the_same_seed",
     test_initializer_gives_the_same_weights_for_the_same_seed},
};

static const struct CMUnitTest other_tests[] = {
    cmocka_unit_test(test_initializer_constant_is_that_number),
    cmocka_unit_test(test_initializer_normal_without_deviation_is_its_mean),
    cmocka_unit_test(test_initializer_uniform_never_reaches_its_high_end),
    cmocka_unit_test(test_initializer_glorot_and_he_uniform_never_reach_their_limit),
    cmocka_unit_test(test_initializer_normal_reaches_8_deviations),
    cmocka_unit_test(test_initializer_draws_one_number_a_weight_in_the_order_of_the_flat_vector),
    cmocka_unit_test(test_initializer_of_one_layer_does_not_change_the_weights_of_others),
    cmocka_unit_test(test_initializer_gives_the_same_weights_in_every_kernel_table),
    cmocka_unit_test(test_initializer_default_is_the_one_for_the_activation),
    cmocka_unit_test(test_initializer_of_a_user_is_called_once_a_weight),
};

enum { FAMILIES = COUNT_OF(families), OTHERS = COUNT_OF(other_tests) };

int main(void) {
    static char names[FAMILIES][DISTRIBUTIONS][96];
    struct CMUnitTest tests[OTHERS + FAMILIES * DISTRIBUTIONS];
    memcpy(tests, other_tests, sizeof other_tests);
    struct CMUnitTest *test = tests + OTHERS;
    for (size_t i = 0; i < FAMILIES; i++) {
        for (size_t d = 0; d < DISTRIBUTIONS; d++) {
            snprintf(
                names[i][d], sizeof names[i][d], "test_initializer_%s_%s", distribution_at(d).name,
                families[i].behaviour);
            *test++ = (struct CMUnitTest){
                .name = names[i][d],
                .test_func = families[i].test,
                .initial_state = (void *)(uintptr_t)d};
        }
    }
    return cmocka_run_group_tests_name("initializer", tests, NULL, NULL);
}
