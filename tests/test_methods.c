/*
 * test_methods.c: the step of every method, in every kernel table: against the formulas of the
 * papers in double, and against single steps of PyTorch's optimizers from tests/reference.
 */
#include "support/kernel_tables.h"

#include "optimizer.h"

#include "reference/methods.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- Numbers with a bound -------------------------------------------------------------------- */

/*
 * Each operation below takes numbers that float arithmetic may have off by their bounds, and gives
 * the exact result with the bound of what float arithmetic makes of it: the bounds of the operands
 * carried through and one rounding. A multiply-add has two, as where it is not fused.
 *
 * So an implementation of a formula that takes its operations one by one, in any order that keeps
 * the number of roundings of each term, is within the bound, whether it fuses or not; and two of
 * them are within twice the bound of each other.
 */
static const double UNIT = 0x1p-24;

static ref_number exactly(double value) {
    return (ref_number){value, 0};
}

/* 2^-150 is half the smallest denormal: numbers below the normal ones are rounded to its like. */
static ref_number rounded(double value, double bound) {
    return (ref_number){value, bound + UNIT * (fabs(value) + bound) + 0x1p-150};
}

/* A number of the method, in double, as the one float that a step takes it for. */
static ref_number constant(double value) {
    return rounded(value, 0);
}

static ref_number sum(ref_number a, ref_number b) {
    return rounded(a.value + b.value, a.bound + b.bound);
}

static ref_number product(ref_number a, ref_number b) {
    double bound = fabs(a.value) * b.bound + a.bound * fabs(b.value) + a.bound * b.bound;
    return rounded(a.value * b.value, bound);
}

static ref_number multiply_add(ref_number a, ref_number b, ref_number c) {
    return sum(product(a, b), c);
}

static ref_number root(ref_number a) {
    double below = sqrt(a.value) - sqrt(fmax(0, a.value - a.bound));
    double above = sqrt(a.value + a.bound) - sqrt(a.value);
    return rounded(sqrt(a.value), fmax(below, above));
}

/* Of a number by one that is positive within its bound. */
static ref_number quotient(ref_number a, ref_number b) {
    double value = a.value / b.value;
    double most = (fabs(a.value) + a.bound) / (b.value - b.bound);
    return rounded(value, most - fabs(value));
}

/* ---- The formulas ---------------------------------------------------------------------------- */

/* One parameter with its moments. */
typedef struct point {
    ref_number p, m[2];
} point;

/* The tests' own names of the rules. */
typedef enum rule { SGD, ADAGRAD, RMSPROP, ADAM, ADAMW } rule;

static rule rule_of(const tnn_method *method) {
    const tnn_method like[] = {
        tnn_sgd(1), tnn_adagrad(1), tnn_rmsprop(1), tnn_adam(1), tnn_adamw(1, 1)};
    size_t r = 0;
    while (r < COUNT_OF(like) && like[r].vtable != method->vtable)
        r++;
    assert_in_range(r, 0, COUNT_OF(like) - 1);
    return (rule)r;
}

static ref_number decayed(const tnn_method *method, ref_number g, ref_number p) {
    if (method->weight_decay == 0 || rule_of(method) == ADAMW)
        return g;
    return multiply_add(exactly(method->weight_decay), p, g);
}

static ref_number moved(ref_number p, double rate, ref_number direction) {
    return multiply_add(constant(-rate), direction, p);
}

/* beta average + (1 - beta) value */
static ref_number averaged(double beta, ref_number average, ref_number value) {
    return multiply_add(constant(1 - beta), value, product(constant(beta), average));
}

/* Sutskever et al. 2013 in the form that PyTorch gives it. */
static void sgd_step(const tnn_method *method, ref_number g, point *at) {
    const ref_number momentum = exactly(method->momentum);
    ref_number direction = g;
    if (method->momentum > 0) {
        at->m[0] = multiply_add(momentum, at->m[0], g);
        direction = method->nesterov ? multiply_add(momentum, at->m[0], g) : at->m[0];
    }
    at->p = moved(at->p, method->learning_rate, direction);
}

/* Duchi et al. 2011, and Hinton 2012: of a sum of squares or a running mean of them. */
static void root_step(const tnn_method *method, ref_number g, point *at) {
    at->m[0] = rule_of(method) == ADAGRAD ? multiply_add(g, g, at->m[0])
                                          : averaged(method->beta2, at->m[0], product(g, g));
    ref_number divisor = sum(root(at->m[0]), exactly(method->epsilon));
    at->p = moved(at->p, method->learning_rate, quotient(g, divisor));
}

/* Kingma and Ba 2015, algorithm 1; Loshchilov and Hutter 2019, algorithm 2. */
static void adam_step(const tnn_method *method, int number, ref_number g, point *at) {
    const double rate = method->learning_rate;
    const double correction1 = 1 - pow(method->beta1, number);
    const double correction2 = 1 - pow(method->beta2, number);
    if (rule_of(method) == ADAMW)
        at->p = product(constant(1 - rate * method->weight_decay), at->p);
    at->m[0] = averaged(method->beta1, at->m[0], g);
    at->m[1] = averaged(method->beta2, at->m[1], product(g, g));
    ref_number divisor =
        multiply_add(root(at->m[1]), constant(1 / sqrt(correction2)), exactly(method->epsilon));
    at->p = moved(at->p, rate / correction1, quotient(at->m[0], divisor));
}

/* The step of that number, from 1. */
static void exact_step(const tnn_method *method, int number, float gradient, point *at) {
    ref_number g = decayed(method, exactly(gradient), at->p);
    switch (rule_of(method)) {
    case SGD:
        sgd_step(method, g, at);
        break;
    case ADAGRAD:
    case RMSPROP:
        root_step(method, g, at);
        break;
    default:
        adam_step(method, number, g, at);
    }
}

/* ---- A vector of parameters ------------------------------------------------------------------ */

/* Vectors of every table and a part of one. */
enum { COUNT = METHOD_PARAMETERS };

/* A net that is a vector, and the optimizer under test. */
typedef struct bench {
    tnn_net *net;
    tnn_optimizer *optimizer;
} bench;

static bench new_bench(const tnn_method *method, const char *kernels) {
    const tnn_layer layer = {.units = COUNT, .no_bias = true};
    tnn_net *net = new_net(1, &layer, 1, &(tnn_net_options){.kernels = kernels});
    assert_int_equal(tnn_net_parameter_count(net), COUNT);
    return (bench){net, new_optimizer_of(net, *method)};
}

static void free_bench(bench *b) {
    tnn_optimizer_destroy(b->optimizer);
    tnn_net_destroy(b->net);
}

static void step_with(bench *b, const float gradients[COUNT]) {
    memcpy(tnn_net_gradients(b->net), gradients, COUNT * sizeof(float));
    assert_ok(tnn_step(b->net, b->optimizer));
}

static float moment_of(const bench *b, size_t j, size_t i) {
    return j < b->optimizer->moment_count ? b->optimizer->moments[j * b->optimizer->stride + i] : 0;
}

static void read_points(const bench *b, point points[COUNT]) {
    for (size_t i = 0; i < COUNT; i++)
        points[i] = (point){
            exactly(tnn_net_read_parameters(b->net)[i]),
            {exactly(moment_of(b, 0, i)), exactly(moment_of(b, 1, i))}};
}

static void assert_near(float actual, ref_number expected) {
    assert_within(actual, expected.value, expected.bound);
}

static void assert_at(const bench *b, const point points[COUNT]) {
    for (size_t i = 0; i < COUNT; i++) {
        assert_near(tnn_net_read_parameters(b->net)[i], points[i].p);
        for (size_t j = 0; j < b->optimizer->moment_count; j++)
            assert_near(moment_of(b, j, i), points[i].m[j]);
    }
}

/* Runs check for every method on every table. */
static void for_each_method(void (*check)(const tnn_method *method, const char *kernels)) {
    for (size_t table = 0; table < KERNEL_TABLES; table++) {
        if (!kernels_are_available(kernel_names[table]))
            continue;
        for (size_t i = 0; i < METHODS; i++) {
            const tnn_method method = method_at(i).library;
            check(&method, kernel_names[table]);
        }
    }
}

/* Magnitudes from 2^-20 to 2^7 of either sign, a fifth of them 0. */
static void fill_gradients(float gradients[COUNT], uint64_t *random) {
    for (size_t i = 0; i < COUNT; i++) {
        float size = exp2f(random_between(random, -20, 7));
        float sign = next_random(random) % 2 == 0 ? -1 : 1;
        gradients[i] = next_random(random) % 5 == 0 ? 0 : sign * size;
    }
}

/* ---- Against the formulas -------------------------------------------------------------------- */

/* From where the library is, so that bounds are those of one step; but t is counted here. */
static void check_steps(bench *b, const tnn_method *method, int first, int last) {
    uint64_t random = 5;
    for (int number = first; number <= last; number++) {
        float gradients[COUNT];
        point points[COUNT];
        fill_gradients(gradients, &random);
        read_points(b, points);
        for (size_t i = 0; i < COUNT; i++)
            exact_step(method, number, gradients[i], &points[i]);
        step_with(b, gradients);
        assert_at(b, points);
    }
}

static void check_formula(const tnn_method *method, const char *kernels) {
    bench b = new_bench(method, kernels);
    check_steps(&b, method, 1, 30);
    free_bench(&b);
}

static void test_methods_step_is_that_of_the_formula(void **state) {
    (void)state;
    for_each_method(check_formula);
}

static void check_formula_with_other_numbers(const tnn_method *method, const char *kernels) {
    tnn_method other = *method;
    other.learning_rate = 0.3f;
    other.momentum = method->momentum > 0 ? 0.5f : 0;
    other.beta1 = 0.8;
    other.beta2 = 0.95;
    other.epsilon = 1e-3f;
    check_formula(&other, kernels);
}

static void test_methods_step_is_that_of_the_formula_with_other_numbers(void **state) {
    (void)state;
    for_each_method(check_formula_with_other_numbers);
}

/* The averages keep nothing, or nearly all. */
static void check_formula_with_extreme_betas(const tnn_method *method, const char *kernels) {
    tnn_method other = *method;
    other.beta1 = other.beta2 = 0;
    check_formula(&other, kernels);
    other.beta1 = 1 - 0x1p-20;
    other.beta2 = 1 - 1e-9; /* 1 as a float */
    check_formula(&other, kernels);
}

static void test_methods_step_is_that_of_the_formula_with_extreme_betas(void **state) {
    (void)state;
    for_each_method(check_formula_with_extreme_betas);
}

/* The count of steps, and with it Adam's corrections, goes on. */
static void check_learning_rate(const tnn_method *method, const char *kernels) {
    tnn_method other = *method;
    bench b = new_bench(method, kernels);
    check_steps(&b, &other, 1, 3);
    other.learning_rate = 0.5f;
    assert_ok(tnn_optimizer_set_learning_rate(b.optimizer, 0.5f));
    check_steps(&b, &other, 4, 6);
    free_bench(&b);
}

static void test_methods_learning_rate_counts_from_the_next_step_on(void **state) {
    (void)state;
    for_each_method(check_learning_rate);
}

/* ---- Against PyTorch ------------------------------------------------------------------------- */

/*
 * PyTorch's operations are those of the formulas, but for the order of some products, multiply-adds
 * apart where the library fuses them, and a division by sqrt(1 - beta2^t) in place of a product
 * with the inverse: as many roundings, so its step is within the bound as well.
 */
static void assert_agree(float library, float pytorch, ref_number exact) {
    assert_near(pytorch, exact);
    assert_near(library, exact);
}

/* The optimizer as if it had made the steps before. */
static void take_up(bench *b, const tnn_method *method, const method_step *step) {
    tnn_optimizer *o = b->optimizer;
    memcpy(tnn_net_parameters(b->net), step->before, sizeof step->before);
    for (size_t j = 0; j < o->moment_count; j++)
        memcpy(o->moments + j * o->stride, step->before_moments + j * COUNT, COUNT * sizeof(float));
    o->beta1_power = pow(method->beta1, step->number - 1);
    o->beta2_power = pow(method->beta2, step->number - 1);
}

static void check_reference_step(bench *b, const tnn_method *method, const method_step *step) {
    point points[COUNT];
    take_up(b, method, step);
    read_points(b, points);
    step_with(b, step->gradient);
    for (size_t i = 0; i < COUNT; i++) {
        exact_step(method, step->number, step->gradient[i], &points[i]);
        assert_agree(tnn_net_read_parameters(b->net)[i], step->after[i], points[i].p);
        for (size_t j = 0; j < b->optimizer->moment_count; j++)
            assert_agree(moment_of(b, j, i), step->after_moments[j * COUNT + i], points[i].m[j]);
    }
}

static void test_methods_step_is_that_of_pytorch(void **state) {
    const method_reference *r = *state;
    const tnn_method method =
        method_named(r->method, r->learning_rate, r->momentum, r->weight_decay);
    for (size_t table = 0; table < KERNEL_TABLES; table++) {
        if (!kernels_are_available(kernel_names[table]))
            continue;
        bench b = new_bench(&method, kernel_names[table]);
        for (size_t i = 0; i < METHOD_STEPS; i++)
            check_reference_step(&b, &method, &r->steps[i]);
        free_bench(&b);
    }
}

/* ---- Bits ------------------------------------------------------------------------------------ */

/* On every fused table after the first: the first one's bits. */
static void check_tables(const tnn_method *method) {
    const kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        if (!repeats_fused(&tables, tables.at[t]))
            continue;
        bench first = new_bench(method, tables.fused->name);
        bench other = new_bench(method, tables.at[t]->name);
        uint64_t random = 6;
        for (int step = 0; step < 20; step++) {
            float gradients[COUNT];
            fill_gradients(gradients, &random);
            step_with(&first, gradients);
            step_with(&other, gradients);
            assert_same_net(other.net, first.net);
            assert_same_moments(other.optimizer, first.optimizer);
        }
        free_bench(&other);
        free_bench(&first);
    }
}

static void test_methods_fused_tables_have_the_same_bits(void **state) {
    (void)state;
    for (size_t i = 0; i < METHODS; i++) {
        const tnn_method method = method_at(i).library;
        check_tables(&method);
    }
}

static void assert_same_steps(const tnn_method *actual, const tnn_method *expected) {
    bench a = new_bench(actual, NULL), b = new_bench(expected, NULL);
    uint64_t random = 8;
    for (int step = 0; step < 3; step++) {
        float gradients[COUNT];
        fill_gradients(gradients, &random);
        step_with(&a, gradients);
        step_with(&b, gradients);
        assert_same_net(a.net, b.net);
        assert_same_moments(a.optimizer, b.optimizer);
    }
    free_bench(&b);
    free_bench(&a);
}

static void test_methods_fields_that_a_rule_does_not_name_have_no_effect(void **state) {
    (void)state;
    for (size_t i = 0; i < METHODS; i++) {
        const tnn_method method = method_at(i).library;
        tnn_method other = method;
        const rule r = rule_of(&method);
        if (r != SGD) {
            other.momentum = 0.5f;
            other.nesterov = true;
        }
        if (r == SGD || r == ADAGRAD)
            other.beta2 = 0.5;
        if (r != ADAM && r != ADAMW)
            other.beta1 = 0.5;
        if (r == SGD)
            other.epsilon = 0.5f;
        assert_same_steps(&other, &method);
    }
}

/* Without a momentum there is nothing that could look ahead. */
static void test_methods_nesterov_without_a_momentum_is_sgd(void **state) {
    const tnn_method nesterov = tnn_nesterov(0.25f, 0), sgd = tnn_sgd(0.25f);
    (void)state;
    assert_same_steps(&nesterov, &sgd);
}

/* ---- Moments --------------------------------------------------------------------------------- */

static size_t steps_until_all_moments_are_0(bench *b, size_t most) {
    static const float none[COUNT];
    for (size_t step = 1; step <= most; step++) {
        float largest = 0;
        step_with(b, none);
        for (size_t i = 0; i < b->optimizer->moment_count * b->optimizer->stride; i++) {
            float size = fabsf(b->optimizer->moments[i]);
            assert_true(size == 0 || size >= 0x1p-100f);
            largest = fmaxf(largest, size);
        }
        if (largest == 0)
            return step;
    }
    return most;
}

/*
 * From at most 2^14 to 2^-100 in halves, which is what quick betas make of moments. There must be
 * no weight decay: it is a gradient, too.
 */
static void check_decay_to_zero(const tnn_method *method, const char *kernels) {
    uint64_t random = 9;
    float gradients[COUNT];
    tnn_method quick = *method;
    quick.momentum = method->momentum > 0 ? 0.5f : 0;
    quick.beta1 = quick.beta2 = 0.5;
    quick.weight_decay = rule_of(method) == ADAMW ? method->weight_decay : 0;
    bench b = new_bench(&quick, kernels);
    fill_gradients(gradients, &random);
    step_with(&b, gradients);
    if (rule_of(method) != ADAGRAD) /* which forgets nothing */
        assert_in_range(steps_until_all_moments_are_0(&b, 200), 1, 120);
    free_bench(&b);
}

static void test_methods_moments_without_gradients_end_at_0_and_not_in_denormals(void **state) {
    (void)state;
    for_each_method(check_decay_to_zero);
}

/* A gradient of 0 leaves of each moment the half that quick numbers keep, or all of a sum. */
static float kept_of(const tnn_method *method) {
    return rule_of(method) == ADAGRAD ? 1 : 0.5f;
}

static void check_threshold(const tnn_method *method, const char *kernels) {
    static const float none[COUNT];
    const float least = 0x1p-100f / kept_of(method);
    const float before[] = {
        least, nextafterf(least, 0), -least, nextafterf(-least, 0), FLT_MIN, 0x1p-149f, 1};
    tnn_method quick = *method;
    quick.momentum = method->momentum > 0 ? 0.5f : 0;
    quick.beta1 = quick.beta2 = 0.5;
    quick.weight_decay = 0;
    bench b = new_bench(&quick, kernels);
    const size_t count = b.optimizer->moment_count * b.optimizer->stride;
    for (size_t i = 0; i < count; i++)
        b.optimizer->moments[i] = before[i % COUNT_OF(before)];
    step_with(&b, none);
    for (size_t i = 0; i < count; i++) {
        if (i % b.optimizer->stride >= COUNT)
            continue;
        float kept = kept_of(method) * before[i % COUNT_OF(before)];
        float expected = fabsf(kept) < 0x1p-100f ? 0 : kept;
        assert_same_bits(&b.optimizer->moments[i], &expected, 1);
    }
    free_bench(&b);
}

static void test_methods_moments_below_2_to_the_minus_100_become_0(void **state) {
    (void)state;
    for_each_method(check_threshold);
}

static void assert_only_nan(const float *values, size_t which) {
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(isnan(values[i]) != 0, i == which);
}

static void check_nan(const tnn_method *method, const char *kernels) {
    for (size_t which = 0; which < COUNT; which++) {
        float gradients[COUNT] = {0};
        bench b = new_bench(method, kernels);
        gradients[which] = NAN;
        for (int step = 0; step < 2; step++) { /* it stays in the second, whose gradient is 0 */
            step_with(&b, gradients);
            assert_only_nan(tnn_net_read_parameters(b.net), which);
            for (size_t j = 0; j < b.optimizer->moment_count; j++)
                assert_only_nan(b.optimizer->moments + j * b.optimizer->stride, which);
            gradients[which] = 0;
        }
        free_bench(&b);
    }
}

static void test_methods_a_nan_stays_in_its_moments_and_in_no_others(void **state) {
    (void)state;
    for_each_method(check_nan);
}

static void test_methods_moments_start_at_0(void **state) {
    (void)state;
    for (size_t i = 0; i < METHODS; i++) {
        const tnn_method method = method_at(i).library;
        bench b = new_bench(&method, NULL);
        for (size_t k = 0; k < b.optimizer->moment_count * b.optimizer->stride; k++)
            assert_true(b.optimizer->moments[k] == 0);
        free_bench(&b);
    }
}

/* ---- Two nets -------------------------------------------------------------------------------- */

/* Moments and the count of steps are the optimizer's: one net that stands in for both shows it. */
static void check_shared(const tnn_method *method, const char *kernels) {
    bench both = new_bench(method, kernels), alone = new_bench(method, kernels);
    tnn_net *other = new_clone(both.net), *nets[] = {both.net, other};
    uint64_t random = 10;
    fill_random(tnn_net_parameters(other), COUNT, &random, -1, 1);
    for (int step = 0; step < 6; step++) {
        float gradients[COUNT];
        tnn_net *net = nets[step % 2];
        fill_gradients(gradients, &random);
        memcpy(tnn_net_parameters(alone.net), tnn_net_read_parameters(net), COUNT * sizeof(float));
        step_with(&alone, gradients);
        memcpy(tnn_net_gradients(net), gradients, sizeof gradients);
        assert_ok(tnn_step(net, both.optimizer));
        assert_same_net(net, alone.net);
        assert_same_moments(both.optimizer, alone.optimizer);
    }
    tnn_net_destroy(other);
    free_bench(&alone);
    free_bench(&both);
}

static void test_methods_one_optimizer_serves_two_nets_with_one_state(void **state) {
    (void)state;
    for_each_method(check_shared);
}

/* ---- All of it ------------------------------------------------------------------------------- */

enum { REFERENCES = COUNT_OF(method_references) };

static const char *name_of(const method_reference *r) {
    static char names[REFERENCES][96];
    char *name = names[r - method_references];
    snprintf(
        name, sizeof names[0], "test_methods_step_is_that_of_pytorch_%s_with_decay_%g", r->method,
        (double)r->weight_decay);
    return name;
}

int main(void) {
    const struct CMUnitTest own[] = {
        cmocka_unit_test(test_methods_step_is_that_of_the_formula),
        cmocka_unit_test(test_methods_step_is_that_of_the_formula_with_other_numbers),
        cmocka_unit_test(test_methods_step_is_that_of_the_formula_with_extreme_betas),
        cmocka_unit_test(test_methods_learning_rate_counts_from_the_next_step_on),
        cmocka_unit_test(test_methods_fused_tables_have_the_same_bits),
        cmocka_unit_test(test_methods_fields_that_a_rule_does_not_name_have_no_effect),
        cmocka_unit_test(test_methods_nesterov_without_a_momentum_is_sgd),
        cmocka_unit_test(test_methods_moments_without_gradients_end_at_0_and_not_in_denormals),
        cmocka_unit_test(test_methods_moments_below_2_to_the_minus_100_become_0),
        cmocka_unit_test(test_methods_a_nan_stays_in_its_moments_and_in_no_others),
        cmocka_unit_test(test_methods_moments_start_at_0),
        cmocka_unit_test(test_methods_one_optimizer_serves_two_nets_with_one_state),
    };
    struct CMUnitTest tests[COUNT_OF(own) + REFERENCES];
    memcpy(tests, own, sizeof own);
    for (size_t i = 0; i < REFERENCES; i++)
        tests[COUNT_OF(own) + i] = (struct CMUnitTest){
            .name = name_of(&method_references[i]),
            .test_func = test_methods_step_is_that_of_pytorch,
            .initial_state = (void *)(uintptr_t)&method_references[i]};
    return cmocka_run_group_tests_name("methods", tests, NULL, NULL);
}
