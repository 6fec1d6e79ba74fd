/*
 * test_methods.c: the step of every method, in every kernel table: against the formulas of the
 * papers in double, and against single steps of PyTorch's optimizers from tests/reference.
 */
#include "support/executors.h"
#include "support/kernel_tables.h"

#include "net.h"
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
typedef enum rule { SGD, ADAGRAD, RMSPROP, ADAM, ADAMW, RPROP } rule;

static rule rule_of(const tnn_method *method) {
    const tnn_method like[] = {tnn_sgd(1),  tnn_adagrad(1),  tnn_rmsprop(1),
                               tnn_adam(1), tnn_adamw(1, 1), tnn_rprop()};
    size_t r = 0;
    while (r < COUNT_OF(like) && like[r].vtable != method->vtable)
        r++;
    assert_in_range(r, 0, COUNT_OF(like) - 1);
    return (rule)r;
}

static double sign_of(double value) {
    return value > 0 ? 1 : value < 0 ? -1 : 0;
}

/* Of a gradient whose sign its bound leaves no doubt of. */
static double sure_sign_of(ref_number g) {
    assert_true(g.value == 0 || fabs(g.value) > g.bound);
    return sign_of(g.value);
}

static double clipped(const tnn_method *method, double g) {
    double limit = method->clip_value;
    return limit > 0 ? fmax(-limit, fmin(limit, g)) : g;
}

/* What clipping by norm multiplies all gradients by, as a float off by relative_bound before it
 * was rounded. */
static ref_number coefficient_of(
    const tnn_method *method, const float gradients[METHOD_PARAMETERS], double relative_bound) {
    double squares = 0;
    if (method->clip_norm == 0)
        return exactly(1);
    for (size_t i = 0; i < METHOD_PARAMETERS; i++)
        squares += pow(clipped(method, gradients[i]), 2);
    double coefficient = fmin(1, method->clip_norm / (sqrt(squares) + 1e-6));
    return rounded(coefficient, coefficient * relative_bound);
}

static ref_number shaped(
    const tnn_method *method, float gradient, ref_number coefficient, ref_number p) {
    ref_number g = exactly(clipped(method, gradient));
    if (method->clip_norm > 0)
        g = product(coefficient, g);
    return method->l1 > 0 ? sum(g, exactly(method->l1 * sign_of(p.value))) : g;
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

/* Igel and Huesken 2000, iRPROP-: m is the gradient of the step before, and the move. */
static void rprop_step(const tnn_method *method, int number, ref_number g, point *at) {
    double agreement = sign_of(at->m[0].value) * sure_sign_of(g);
    ref_number move = number == 1 ? exactly(method->learning_rate) : at->m[1];
    if (agreement != 0)
        move = product(move, exactly(agreement > 0 ? method->grow : method->shrink));
    if (agreement < 0)
        g = exactly(0);
    move.value = fmin(fmax(move.value, method->min_move), method->max_move);
    at->m[0] = g;
    at->m[1] = move;
    if (g.value != 0)
        at->p = sum(at->p, (ref_number){-sign_of(g.value) * move.value, move.bound});
}

/* The step of that number, from 1. */
static void exact_step(
    const tnn_method *method, int number, float gradient, ref_number coefficient, point *at) {
    ref_number g = decayed(method, shaped(method, gradient, coefficient, at->p), at->p);
    switch (rule_of(method)) {
    case SGD:
        sgd_step(method, g, at);
        break;
    case ADAGRAD:
    case RMSPROP:
        root_step(method, g, at);
        break;
    case RPROP:
        rprop_step(method, number, g, at);
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

/* More than the roundings of a sum of COUNT squares, a root, a sum and a division in double. */
static const double IN_DOUBLE = 0x1p-40;

/* From where the library is, so that bounds are those of one step; but t is counted here. */
static void check_steps(bench *b, const tnn_method *method, int first, int last) {
    uint64_t random = 5;
    for (int number = first; number <= last; number++) {
        float gradients[COUNT];
        point points[COUNT];
        fill_gradients(gradients, &random);
        read_points(b, points);
        ref_number coefficient = coefficient_of(method, gradients, IN_DOUBLE);
        for (size_t i = 0; i < COUNT; i++)
            exact_step(method, number, gradients[i], coefficient, &points[i]);
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
    other.l1 = method->l1 / 4;
    other.clip_value = 16 * method->clip_value;
    other.clip_norm = 1e3f * method->clip_norm; /* nothing to do */
    if (rule_of(method) == RPROP) {
        other.shrink = 0.25f;
        other.grow = 1.5f;
        other.min_move = 0.125f;
        other.max_move = 0.5f;
    }
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
 * with the inverse: as many roundings, so its step is within the bound as well. Only its norm is a
 * sum of floats: COUNT squares and sums, of which the root halves the error, then two roots (one of
 * the norms of all arrays), a sum and a division.
 */
static const double PYTORCH_NORM = (COUNT + 6) * 0x1p-24;

/* The optimizer as if it had made the steps before. */
static void take_up(bench *b, const tnn_method *method, const method_step *step) {
    tnn_optimizer *o = b->optimizer;
    memcpy(tnn_net_parameters(b->net), step->before, sizeof step->before);
    for (size_t j = 0; j < o->moment_count; j++)
        memcpy(o->moments + j * o->stride, step->before_moments + j * COUNT, COUNT * sizeof(float));
    o->beta1_power = pow(method->beta1, step->number - 1);
    o->beta2_power = pow(method->beta2, step->number - 1);
    o->has_moves = step->number > 1;
}

static void check_reference_step(bench *b, const tnn_method *method, const method_step *step) {
    point points[COUNT], pytorch[COUNT];
    const float *g = step->gradient;
    const ref_number coefficient = coefficient_of(method, g, IN_DOUBLE);
    const ref_number pytorch_coefficient = coefficient_of(method, g, PYTORCH_NORM);
    take_up(b, method, step);
    read_points(b, points);
    read_points(b, pytorch);
    step_with(b, g);
    for (size_t i = 0; i < COUNT; i++) {
        exact_step(method, step->number, g[i], coefficient, &points[i]);
        exact_step(method, step->number, g[i], pytorch_coefficient, &pytorch[i]);
        assert_near(step->after[i], pytorch[i].p);
        for (size_t j = 0; j < b->optimizer->moment_count; j++)
            assert_near(step->after_moments[j * COUNT + i], pytorch[i].m[j]);
    }
    assert_at(b, points);
}

static void test_methods_step_is_that_of_pytorch(void **state) {
    const method_reference *r = *state;
    tnn_method method = method_named(r->method, r->learning_rate, r->momentum, r->weight_decay);
    method.l1 = r->l1;
    method.clip_value = r->clip_value;
    method.clip_norm = r->clip_norm;
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
        if (r == SGD || r == ADAGRAD || r == RPROP)
            other.beta2 = 0.5;
        if (r != ADAM && r != ADAMW)
            other.beta1 = 0.5;
        if (r == SGD || r == RPROP)
            other.epsilon = 0.5f;
        if (r != RPROP)
            other.shrink = other.grow = other.min_move = other.max_move = 0.25f;
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
 * no l1 and no weight decay: they are gradients, too.
 */
static void check_decay_to_zero(const tnn_method *method, const char *kernels) {
    uint64_t random = 9;
    float gradients[COUNT];
    tnn_method quick = *method;
    quick.momentum = method->momentum > 0 ? 0.5f : 0;
    quick.beta1 = quick.beta2 = 0.5;
    quick.weight_decay = rule_of(method) == ADAMW ? method->weight_decay : 0;
    quick.l1 = 0;
    bench b = new_bench(&quick, kernels);
    fill_gradients(gradients, &random);
    step_with(&b, gradients);
    if (rule_of(method) != ADAGRAD && rule_of(method) != RPROP) /* which forget nothing */
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
    quick.weight_decay = quick.l1 = 0;
    if (rule_of(method) == RPROP) /* test_methods_rprop_... are about its moments */
        return;
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
    for (size_t which = 0; which < COUNT && method->clip_norm == 0; which++) {
        float gradients[COUNT] = {0};
        bench b = new_bench(method, kernels);
        gradients[which] = NAN;
        for (int step = 0; step < 2; step++) { /* it stays in the second, whose gradient is 0 */
            step_with(&b, gradients);
            assert_only_nan(tnn_net_read_parameters(b.net), which);
            for (size_t j = 0; j < b.optimizer->moment_count && rule_of(method) != RPROP; j++)
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

/* ---- Shaped gradients ------------------------------------------------------------------------ */

/* The parameters after a step of plain descent at rate 1 with that shaping. */
static void descend(
    const tnn_method *method, const char *kernels, const float gradients[COUNT],
    const float before[COUNT], float after[COUNT]) {
    bench b = new_bench(method, kernels);
    memcpy(tnn_net_parameters(b.net), before, COUNT * sizeof(float));
    step_with(&b, gradients);
    memcpy(after, tnn_net_read_parameters(b.net), COUNT * sizeof(float));
    free_bench(&b);
}

/* Runs check for plain descent at rate 1 on every table. */
static void for_each_descent(void (*check)(const tnn_method *method, const char *kernels)) {
    const tnn_method method = tnn_sgd(1);
    for (size_t table = 0; table < KERNEL_TABLES; table++) {
        if (kernels_are_available(kernel_names[table]))
            check(&method, kernel_names[table]);
    }
}

static void check_l1_of_0(const tnn_method *method, const char *kernels) {
    static const float none[COUNT], before[COUNT] = {0, -0.0f, 2, -2};
    float after[COUNT], expected[COUNT] = {0, 0, 1.75f, -1.75f};
    tnn_method l1 = *method;
    l1.l1 = 0.25f;
    descend(&l1, kernels, none, before, after);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(after[i] == expected[i]);
}

static void test_methods_l1_pulls_no_parameter_that_is_0(void **state) {
    (void)state;
    for_each_descent(check_l1_of_0);
}

static void check_clip_value(const tnn_method *method, const char *kernels) {
    static const float before[COUNT],
        gradients[COUNT] = {0.5f, -0.5f, 0.75f, -0.75f, INFINITY, -INFINITY, 0.25f, NAN},
        expected[COUNT] = {-0.5f, 0.5f, -0.5f, 0.5f, -0.5f, 0.5f, -0.25f, NAN};
    float after[COUNT];
    tnn_method clipping = *method;
    clipping.clip_value = 0.5f;
    descend(&clipping, kernels, gradients, before, after);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(isnan(expected[i]) ? isnan(after[i]) : after[i] == expected[i]);
}

static void test_methods_clip_value_clips_infinity_and_leaves_a_nan(void **state) {
    (void)state;
    for_each_descent(check_clip_value);
}

/* Its norm makes a NaN of each gradient, as PyTorch's does. */
static void check_norm_of_nan(const tnn_method *method, const char *kernels) {
    static const float before[COUNT], gradients[COUNT] = {1, NAN, 2};
    float after[COUNT];
    tnn_method clipping = *method;
    clipping.clip_norm = 1;
    descend(&clipping, kernels, gradients, before, after);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(isnan(after[i]));
}

static void test_methods_clip_norm_of_a_nan_makes_all_parameters_nan(void **state) {
    (void)state;
    for_each_descent(check_norm_of_nan);
}

/* ... and that of an infinite one 0 of the others. */
static void check_norm_of_infinity(const tnn_method *method, const char *kernels) {
    static const float before[COUNT] = {3, 4, 5}, gradients[COUNT] = {1, INFINITY, 2};
    float after[COUNT];
    tnn_method clipping = *method;
    clipping.clip_norm = 1;
    descend(&clipping, kernels, gradients, before, after);
    assert_only_nan(after, 1);
    assert_true(after[0] == 3 && after[2] == 5);
}

static void test_methods_clip_norm_of_infinity_stops_all_but_one(void **state) {
    (void)state;
    for_each_descent(check_norm_of_infinity);
}

/* No float holds their squares. */
static void check_norm_of_extremes(const tnn_method *method, const char *kernels) {
    static const float before[COUNT], large[COUNT] = {0x1.8p100f, 0x1p101f},
                                      small[COUNT] = {0x1.8p-100f, 0x1p-99f};
    float after[COUNT];
    tnn_method clipping = *method;
    clipping.clip_norm = 2.5f;
    descend(&clipping, kernels, large, before, after);
    assert_true(after[0] == -1.5f && after[1] == -2);
    descend(&clipping, kernels, small, before, after);
    assert_same_bits(&after[0], &(float){-0x1.8p-100f}, 1);
}

static void test_methods_clip_norm_takes_the_norm_of_any_floats(void **state) {
    (void)state;
    for_each_descent(check_norm_of_extremes);
}

/* Of blocks in their order, each in 16 chains. */
static double norm_by_blocks(size_t count, const float *g, float limit) {
    size_t block = count / 64 + 1 < 4096 ? 4096 : count / 64 + 1;
    double total = 0;
    for (size_t begin = 0; begin < count; begin += block) {
        double chain[16] = {0};
        for (size_t i = begin; i < count && i < begin + block; i++)
            chain[(i - begin) % 16] += pow(fmin(fabs((double)g[i]), limit), 2);
        for (size_t half = 8; half >= 1; half /= 2)
            for (size_t j = 0; j < half; j++)
                chain[j] += chain[j + half];
        total += chain[0];
    }
    return sqrt(total);
}

static void check_norm_form(size_t inputs, size_t units, const tnn_net_options *options) {
    const tnn_layer layer = {.units = units, .no_bias = true};
    const size_t count = inputs * units;
    tnn_net *net = new_net(inputs, &layer, 1, options);
    tnn_method method = tnn_sgd(1);
    method.clip_value = 0.75f;
    method.clip_norm = 0x1p-10f; /* less than the norm of them all */
    tnn_optimizer *optimizer = new_optimizer_of(net, method);
    float *g = tnn_net_gradients(net);
    uint64_t random = count;
    fill_random(g, count, &random, -1, 1);
    const double norm = norm_by_blocks(count, g, method.clip_value);
    const float coefficient = (float)(method.clip_norm / (norm + 1e-6));
    assert_true(tnni_gradient_norm(net, method.clip_value) == norm);
    assert_ok(tnn_step(net, optimizer));
    assert_same_bits(&optimizer->step.coefficient, &coefficient, 1);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
}

static void test_methods_clip_norm_is_summed_in_the_documented_form(void **state) {
    static const size_t sizes[][2] = {{1, 1},     {1, 15},    {5, 3},     {1, 4095},
                                      {64, 64},   {17, 241},  {333, 37},  {1024, 257},
                                      {512, 512}, {333, 800}, {640, 1000}};
    (void)state;
    for (size_t table = 0; table < KERNEL_TABLES; table++) {
        if (!kernels_are_available(kernel_names[table]))
            continue;
        for (size_t i = 0; i < COUNT_OF(sizes); i++)
            for (unsigned threads = 1; threads <= 3; threads++) {
                test_executor executor;
                check_norm_form(
                    sizes[i][0], sizes[i][1],
                    &(tnn_net_options){
                        .kernels = kernel_names[table],
                        .threads = threads,
                        .executor = init_threaded_executor(&executor)});
            }
    }
}

/* ---- Rprop ----------------------------------------------------------------------------------- */

/* Steps with that gradient of all parameters, and checks the change of p and its two moments. */
static void check_move(bench *b, float gradient, float change, float previous, float move) {
    float gradients[COUNT], before[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        gradients[i] = gradient;
    memcpy(before, tnn_net_read_parameters(b->net), sizeof before);
    step_with(b, gradients);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(tnn_net_read_parameters(b->net)[i] == before[i] + change);
        assert_true(moment_of(b, 0, i) == previous);
        assert_true(moment_of(b, 1, i) == move);
    }
}

static bench new_rprop_bench(const tnn_method *method, const char *kernels) {
    bench b = new_bench(method, kernels);
    memset(tnn_net_parameters(b.net), 0, COUNT * sizeof(float));
    return b;
}

/* In numbers without roundings. */
static void check_rprop(const tnn_method *unused, const char *kernels) {
    tnn_method method = tnn_rprop();
    (void)unused;
    method.learning_rate = 1;
    method.grow = 1.5f;
    method.min_move = 0.5f;
    method.max_move = 2;
    bench b = new_rprop_bench(&method, kernels);
    check_move(&b, 3, -1, 3, 1);
    check_move(&b, 0, 0, 0, 1);
    check_move(&b, -4, 1, -4, 1);
    check_move(&b, -1e-6f, 1.5f, -1e-6f, 1.5f);
    check_move(&b, -5, 2, -5, 2);   /* not 2.25 */
    check_move(&b, 5, 0, 0, 1);     /* skipped */
    check_move(&b, 6, -1, 6, 1);    /* compared with 0 */
    check_move(&b, -6, 0, 0, 0.5f); /* skipped */
    check_move(&b, -7, 0.5f, -7, 0.5f);
    check_move(&b, 7, 0, 0, 0.5f); /* not 0.25 */
    free_bench(&b);
}

static void test_methods_rprop_moves_as_the_paper_says(void **state) {
    (void)state;
    for_each_descent(check_rprop);
}

/* Whose product is 0 as a float; one below 2^-100 is remembered as 0, though it moves. */
static void check_small_rprop(const tnn_method *unused, const char *kernels) {
    tnn_method method = tnn_rprop();
    (void)unused;
    method.learning_rate = 1;
    method.grow = 1.5f;
    bench b = new_rprop_bench(&method, kernels);
    check_move(&b, 0x1p-100f, -1, 0x1p-100f, 1);
    check_move(&b, 0x1p-90f, -1.5f, 0x1p-90f, 1.5f);
    check_move(&b, -0x1p-101f, 0, 0, 0.75f);
    check_move(&b, -0x1p-101f, 0.75f, 0, 0.75f);
    check_move(&b, 0x1p-149f, -0.75f, 0, 0.75f);
    free_bench(&b);
}

static void test_methods_rprop_compares_the_signs_of_small_gradients(void **state) {
    (void)state;
    for_each_descent(check_small_rprop);
}

static void check_tiny_moves(const tnn_method *unused, const char *kernels) {
    tnn_method method = tnn_rprop();
    (void)unused;
    method.learning_rate = 0x1p-99f;
    bench b = new_rprop_bench(&method, kernels);
    check_move(&b, 1, -0x1p-99f, 1, 0x1p-99f);
    check_move(&b, -1, 0, 0, 0x1p-100f);
    check_move(&b, -1, 0x1p-100f, -1, 0x1p-100f);
    check_move(&b, 1, 0, 0, 0);
    check_move(&b, 1, 0, 1, 0);
    check_move(&b, 1, 0, 1, 0); /* and nothing takes it for unset */
    free_bench(&b);
}

static void test_methods_rprop_moves_below_2_to_the_minus_100_become_0(void **state) {
    (void)state;
    for_each_descent(check_tiny_moves);
}

static void test_methods_rprop_learning_rate_counts_until_the_first_step(void **state) {
    const tnn_method method = tnn_rprop();
    (void)state;
    bench b = new_rprop_bench(&method, NULL);
    assert_ok(tnn_optimizer_set_learning_rate(b.optimizer, 0.25f));
    check_move(&b, 1, -0.25f, 1, 0.25f);
    assert_ok(tnn_optimizer_set_learning_rate(b.optimizer, 8));
    check_move(&b, -1, 0, 0, 0.125f);
    check_move(&b, -1, 0.125f, -1, 0.125f);
    free_bench(&b);
}

/* As PyTorch does. */
static void test_methods_rprop_first_move_is_within_its_ends(void **state) {
    tnn_method method = tnn_rprop();
    (void)state;
    method.max_move = 2;
    bench b = new_rprop_bench(&method, NULL);
    assert_ok(tnn_optimizer_set_learning_rate(b.optimizer, 3));
    check_move(&b, 1, -2, 1, 2);
    free_bench(&b);
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
    static char names[REFERENCES][160];
    char *name = names[r - method_references];
    snprintf(
        name, sizeof names[0],
        "test_methods_step_is_that_of_pytorch_%s_with_decay_%g_l1_%g_clip_value_%g_clip_norm_%g",
        r->method, (double)r->weight_decay, (double)r->l1, (double)r->clip_value,
        (double)r->clip_norm);
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
        cmocka_unit_test(test_methods_l1_pulls_no_parameter_that_is_0),
        cmocka_unit_test(test_methods_clip_value_clips_infinity_and_leaves_a_nan),
        cmocka_unit_test(test_methods_clip_norm_of_a_nan_makes_all_parameters_nan),
        cmocka_unit_test(test_methods_clip_norm_of_infinity_stops_all_but_one),
        cmocka_unit_test(test_methods_clip_norm_takes_the_norm_of_any_floats),
        cmocka_unit_test(test_methods_clip_norm_is_summed_in_the_documented_form),
        cmocka_unit_test(test_methods_rprop_moves_as_the_paper_says),
        cmocka_unit_test(test_methods_rprop_compares_the_signs_of_small_gradients),
        cmocka_unit_test(test_methods_rprop_moves_below_2_to_the_minus_100_become_0),
        cmocka_unit_test(test_methods_rprop_learning_rate_counts_until_the_first_step),
        cmocka_unit_test(test_methods_rprop_first_move_is_within_its_ends),
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
