/*
 * test_gradients.c: a gradient is right when three agree: the library's, central differences of the
 * library's own loss, and the independent double-precision net's. Over every activation and a
 * custom one, every loss, with and without biases, 1 to 4 layers, 1 to 7 rows, and every kernel
 * table of the machine. support/gradient_cases.h tells what stands where.
 *
 * Tolerances are bounds, not guesses: the reference net carries along how far float arithmetic may
 * take each number (support/reference_net.h). SLACK covers what a first-order analysis leaves out,
 * products of two errors of 1e-6 or less.
 */
#include "support/gradient_cases.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double SLACK = 1.01;

/* ---- Comparing ------------------------------------------------------------------------------- */

typedef struct place {
    const gradient_case *of;
    const char *kernels;
} place;

static void assert_agree(
    place at, const char *what, size_t i, double actual, double expected, double tolerance) {
    if (fabs(actual - expected) <= tolerance)
        return;
    fail_msg(
        "%s, %s, %s: %s[%zu] is %.9g, %.9g expected, off by %.3g where %.3g is allowed",
        at.of->activation.name, describe_case(at.of), at.kernels, what, i, actual, expected,
        fabs(actual - expected), tolerance);
}

static void assert_all_agree(
    place at, const char *what, const float *actual, const ref_number *expected, size_t count) {
    for (size_t i = 0; i < count; i++)
        assert_agree(at, what, i, actual[i], expected[i].value, SLACK * expected[i].bound);
}

/* ---- What the reference says of a case ------------------------------------------------------- */

/* Of the loss between p - step and p + step: central differences and what may be between them. */
typedef struct expected_difference {
    float below, above;
    double value;
    double noise;      /* the two losses' rounding, divided by the distance */
    double truncation; /* how far the exact difference is from the exact derivative */
} expected_difference;

typedef struct expectation {
    ref_number y[CASE_ROWS * CASE_OUTPUTS];
    ref_number loss;
    ref_number gradient[CASE_PARAMETERS];
    expected_difference differences[CASE_PARAMETERS];
    /* From output_gradient, without a loss. */
    float output_gradient[CASE_ROWS * CASE_OUTPUTS];
    ref_number gradient_from[CASE_PARAMETERS];
    ref_number input_gradient[CASE_ROWS * CASE_INPUTS];
} expectation;

/*
 * Rounding makes a loss wrong by some 1e-6 and so a difference by 1e-6 / step; the difference
 * departs from the derivative with step^2. 2^-7 is near the least sum of the two, some 1e-4.
 */
static const float STEP = 0x1p-7f;

static expected_difference expect_difference(gradient_case *c, size_t i, double derivative) {
    expected_difference d = {.below = c->parameters[i] - STEP, .above = c->parameters[i] + STEP};
    double distance = (double)d.above - d.below;
    c->wide_parameters[i] = d.above;
    ref_number above = ref_backward(&c->reference, c->loss.reference, &c->batch, NULL, NULL);
    c->wide_parameters[i] = d.below;
    ref_number below = ref_backward(&c->reference, c->loss.reference, &c->batch, NULL, NULL);
    c->wide_parameters[i] = c->parameters[i];
    d.value = (above.value - below.value) / distance;
    d.noise = (above.bound + below.bound) / distance;
    d.truncation = fabs(d.value - derivative);
    return d;
}

static void expect_from_output_gradient(gradient_case *c, expectation *e) {
    uint64_t random = c->rows;
    double wide[CASE_ROWS * CASE_OUTPUTS];
    fill_random(e->output_gradient, c->rows * CASE_OUTPUTS, &random, -1, 1);
    widen(wide, e->output_gradient, c->rows * CASE_OUTPUTS);
    ref_backward_from(&c->reference, c->rows, c->wide_x, wide, e->gradient_from, e->input_gradient);
}

static void expect(gradient_case *c, expectation *e) {
    ref_forward(&c->reference, c->rows, c->wide_x, e->y);
    e->loss = ref_backward(&c->reference, c->loss.reference, &c->batch, e->gradient, NULL);
    for (size_t i = 0; i < c->parameter_count; i++)
        e->differences[i] = expect_difference(c, i, e->gradient[i].value);
    expect_from_output_gradient(c, e);
}

/* ---- Three ways ------------------------------------------------------------------------------ */

static double loss_with(tnn_net *net, const gradient_case *c, size_t i, float parameter) {
    double value;
    tnn_net_parameters(net)[i] = parameter;
    assert_ok(tnn_forward(net, c->rows, c->x, NULL));
    assert_ok(tnn_backward(net, c->loss.library, c->target, &value));
    tnn_net_parameters(net)[i] = c->parameters[i];
    return value;
}

static void check_outputs_and_loss(place at, tnn_net *net, const expectation *e) {
    const gradient_case *c = at.of;
    float y[CASE_ROWS * CASE_OUTPUTS];
    double value;
    assert_ok(tnn_forward(net, c->rows, c->x, y));
    assert_ok(tnn_backward(net, c->loss.library, c->target, &value));
    assert_all_agree(at, "y", y, e->y, c->rows * CASE_OUTPUTS);
    assert_agree(at, "loss", 0, value, e->loss.value, SLACK * e->loss.bound);
}

/* Library and reference; the gradients are those of the backward before. */
static void check_reference(place at, tnn_net *net, const expectation *e) {
    assert_all_agree(at, "gradient", tnn_net_gradients(net), e->gradient, at.of->parameter_count);
}

/* Library and its own central differences. */
static void check_differences(place at, tnn_net *net, const float *gradient, const expectation *e) {
    for (size_t i = 0; i < at.of->parameter_count; i++) {
        const expected_difference *d = &e->differences[i];
        double above = loss_with(net, at.of, i, d->above);
        double below = loss_with(net, at.of, i, d->below);
        double tolerance = SLACK * (d->noise + e->gradient[i].bound) + d->truncation;
        double distance = (double)d->above - d->below;
        assert_agree(
            at, "central difference", i, (above - below) / distance, gradient[i], tolerance);
    }
}

static void check_from_output_gradient(place at, tnn_net *net, const expectation *e) {
    const gradient_case *c = at.of;
    float input_gradient[CASE_ROWS * CASE_INPUTS];
    memset(tnn_net_gradients(net), 0, c->parameter_count * sizeof(float));
    assert_ok(tnn_forward(net, c->rows, c->x, NULL));
    assert_ok(tnn_backward_from(net, e->output_gradient, input_gradient));
    assert_all_agree(
        at, "gradient from dL/dy", tnn_net_gradients(net), e->gradient_from, c->parameter_count);
    assert_all_agree(
        at, "input gradient", input_gradient, e->input_gradient, c->rows * CASE_INPUTS);
}

/* tnn_check_gradients costs as much as all of the above, so a seventh of the cases has to do. */
static void check_with_the_library(place at, tnn_net *net) {
    const gradient_case *c = at.of;
    double worst = NAN;
    if (c->rows != 3)
        return;
    assert_ok(tnn_check_gradients(net, c->loss.library, c->rows, c->x, c->target, &worst));
    assert_agree(at, "tnn_check_gradients", 0, worst, 0, 0.01);
}

static void check_on(place at, const expectation *e) {
    float gradient[CASE_PARAMETERS];
    tnn_net *net = new_case_net(at.of, at.kernels);
    check_outputs_and_loss(at, net, e);
    check_reference(at, net, e);
    memcpy(gradient, tnn_net_gradients(net), at.of->parameter_count * sizeof *gradient);
    check_differences(at, net, gradient, e);
    check_from_output_gradient(at, net, e);
    check_with_the_library(at, net);
    tnn_net_destroy(net);
}

static void check_case(gradient_case *c, void *argument) {
    static expectation e;
    const bool *available = argument;
    expect(c, &e);
    for (size_t table = 0; table < KERNEL_TABLES; table++)
        if (available[table])
            check_on((place){c, kernel_names[table]}, &e);
}

static void find_tables(bool available[KERNEL_TABLES]) {
    for (size_t table = 0; table < KERNEL_TABLES; table++)
        available[table] = kernels_are_available(kernel_names[table]);
}

static void test_gradients_agree_three_ways(void **state) {
    bool available[KERNEL_TABLES];
    find_tables(available);
    for_each_gradient_case((size_t)(uintptr_t)*state, check_case, available);
}

/* Says in the log which tables the cases above ran over. */
static void test_gradients_run_over_table(void **state) {
    if (!kernels_are_available(*state))
        skip();
}

static void test_gradients_run_over_one_table_at_least(void **state) {
    bool available[KERNEL_TABLES];
    (void)state;
    find_tables(available);
    assert_true(available[0] || available[1] || available[2] || available[3]);
}

/*
 * The tolerances have to be narrow, or agreement means nothing. In shares of the largest gradient
 * of its net, the reference's bound is 2e-5 in the middle of all cases, and 2e-3 in the worst, deep
 * nets of steep activations. The difference's tolerance is 2e-3 in the middle and above 2e-2 in one
 * of twenty at most, where gradients are small or a step crosses a kink.
 */
typedef struct tally {
    size_t all, wide;
} tally;

static void check_narrow(gradient_case *c, void *argument) {
    static expectation e;
    tally *differences = argument;
    double largest = 0;
    expect(c, &e);
    for (size_t i = 0; i < c->parameter_count; i++)
        largest = fmax(largest, fabs(e.gradient[i].value));
    for (size_t i = 0; i < c->parameter_count; i++) {
        const expected_difference *d = &e.differences[i];
        assert_agree((place){c, "no kernels"}, "bound", i, e.gradient[i].bound, 0, 0.002 * largest);
        differences->all++;
        differences->wide += !(d->noise + d->truncation <= 0.02 * largest);
    }
}

static void test_gradients_tolerances_are_narrow(void **state) {
    tally differences = {0};
    (void)state;
    for (size_t activation = 0; activation < ACTIVATIONS; activation++)
        for_each_gradient_case(activation, check_narrow, &differences);
    assert_in_range(differences.wide, 0, differences.all / 20);
}

/* ---- Row weights ----------------------------------------------------------------------------- */

/*
 * Row weights come with a batch, so their gradient is seen in the step: with a learning rate of 1
 * it is what tnn_train takes off the parameters, but for one rounding of the difference.
 */
static void check_row_weights(gradient_case *c, void *argument) {
    ref_number gradient[CASE_PARAMETERS];
    tnn_dataset batch = {
        .rows = c->rows, .x = c->x, .target = c->target, .row_weights = c->row_weights};
    double value;
    tnn_net *net = new_case_net(c, argument);
    tnn_optimizer *optimizer = new_optimizer(net, 1);
    place at = {c, tnn_net_kernel_name(net)};
    c->batch.row_weights = c->wide_row_weights;
    ref_number loss = ref_backward(&c->reference, c->loss.reference, &c->batch, gradient, NULL);
    assert_ok(tnn_train(net, optimizer, c->loss.library, &batch, &value));
    assert_agree(at, "weighted loss", 0, value, loss.value, SLACK * loss.bound);
    for (size_t i = 0; i < c->parameter_count; i++) {
        double after = tnn_net_read_parameters(net)[i], before = c->parameters[i];
        double tolerance = SLACK * gradient[i].bound + 0x1p-24 * (fabs(after) + fabs(before));
        assert_agree(at, "trained", i, after, before - gradient[i].value, tolerance);
    }
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
}

static void test_gradients_of_weighted_rows_agree_with_the_reference(void **state) {
    (void)state;
    for (size_t table = 0; table < KERNEL_TABLES; table++)
        for (size_t i = 0; i < ACTIVATIONS && kernels_are_available(kernel_names[table]); i++)
            for_each_gradient_case(i, check_row_weights, (void *)kernel_names[table]);
}

/* ---- Wider than any register, with and without dropout --------------------------------------- */

enum {
    WIDE_INPUTS = 37,
    WIDE_LAYERS = 3,
    WIDE_OUTPUTS = 10,
    WIDEST = 70,
    WIDE_PARAMETERS = 4344,
    WIDE_ROWS = 19,
    WIDE_SEED = 11
};

static const size_t WIDE_UNITS[WIDE_LAYERS] = {33, WIDEST, WIDE_OUTPUTS};
static const float WIDE_DROPOUT[WIDE_LAYERS] = {0.25f, 0.5f, 0};

typedef struct wide_case {
    tnn_layer layers[WIDE_LAYERS];
    ref_layer reference_layers[WIDE_LAYERS];
    ref_net reference;
    ref_batch batch;
    size_t parameter_count;
    bool kept[WIDE_LAYERS][WIDE_ROWS * WIDEST];
    float parameters[WIDE_PARAMETERS], x[WIDE_ROWS * WIDE_INPUTS];
    float target[WIDE_ROWS * WIDE_OUTPUTS];
    double wide_parameters[WIDE_PARAMETERS], wide_x[WIDE_ROWS * WIDE_INPUTS];
    double wide_target[WIDE_ROWS * WIDE_OUTPUTS];
} wide_case;

static void make_wide_layers(wide_case *c, activation_entry activation) {
    for (size_t l = 0; l < WIDE_LAYERS; l++) {
        c->layers[l] = (tnn_layer){.units = WIDE_UNITS[l], .activation = activation.library};
        c->reference_layers[l] =
            (ref_layer){.units = WIDE_UNITS[l], .activation = activation.reference};
    }
    c->reference = (ref_net){WIDE_INPUTS, WIDE_LAYERS, c->reference_layers, c->wide_parameters};
    c->parameter_count = ref_parameter_count(&c->reference);
    assert_int_equal(c->parameter_count, WIDE_PARAMETERS);
}

/* The masks are those of the first forward of a net with WIDE_SEED. */
static void add_dropout(wide_case *c, size_t rows) {
    for (size_t l = 0; l < WIDE_LAYERS; l++) {
        c->layers[l].dropout = WIDE_DROPOUT[l];
        if (WIDE_DROPOUT[l] == 0)
            continue;
        read_dropout_mask(c->kept[l], WIDE_SEED, 0, l, rows, WIDE_UNITS[l], WIDE_DROPOUT[l]);
        c->reference_layers[l].dropout = WIDE_DROPOUT[l];
        c->reference_layers[l].kept = c->kept[l];
    }
}

static void draw_wide(wide_case *c, size_t rows, uint64_t *random) {
    fill_random(c->parameters, c->parameter_count, random, -0.25f, 0.25f);
    fill_random(c->x, rows * WIDE_INPUTS, random, -1, 1);
    fill_random(c->target, rows * WIDE_OUTPUTS, random, -1, 1);
    widen(c->wide_parameters, c->parameters, c->parameter_count);
    widen(c->wide_x, c->x, rows * WIDE_INPUTS);
    widen(c->wide_target, c->target, rows * WIDE_OUTPUTS);
}

/* The margin keeps z clear of kinks: its bound is some 1e-5 here. */
static void make_wide_case(wide_case *c, activation_entry activation, size_t rows, bool dropout) {
    uint64_t random = rows;
    make_wide_layers(c, activation);
    if (dropout)
        add_dropout(c, rows);
    c->batch = (ref_batch){.rows = rows, .x = c->wide_x, .target = c->wide_target};
    do
        draw_wide(c, rows, &random);
    while (!(ref_margin(&c->reference, (ref_loss){0}, &c->batch) >= 1e-4));
}

static void check_wide(const wide_case *c, const char *kernels) {
    static ref_number gradient[WIDE_PARAMETERS];
    tnn_net_options options = {.seed = WIDE_SEED, .kernels = kernels};
    tnn_net *net = new_net(WIDE_INPUTS, c->layers, WIDE_LAYERS, &options);
    float *parameters = tnn_net_parameters(net);
    memcpy(parameters, c->parameters, c->parameter_count * sizeof *parameters);
    ref_backward(&c->reference, (ref_loss){0}, &c->batch, gradient, NULL);
    assert_ok(tnn_forward(net, c->batch.rows, c->x, NULL));
    assert_ok(tnn_backward(net, tnn_half_squared_error(), c->target, NULL));
    for (size_t i = 0; i < c->parameter_count; i++)
        assert_within(tnn_net_gradients(net)[i], gradient[i].value, SLACK * gradient[i].bound);
    tnn_net_destroy(net);
}

static void check_all_wide(size_t activation, bool dropout) {
    static wide_case c;
    static const size_t rows[] = {1, 2, 7, WIDE_ROWS};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        make_wide_case(&c, activation_at(activation), rows[i], dropout);
        for (size_t table = 0; table < KERNEL_TABLES; table++)
            if (kernels_are_available(kernel_names[table]))
                check_wide(&c, kernel_names[table]);
    }
}

static void test_gradients_of_wide_layers_agree_with_the_reference(void **state) {
    check_all_wide((size_t)(uintptr_t)*state, false);
}

static void test_gradients_under_dropout_agree_with_the_reference(void **state) {
    check_all_wide((size_t)(uintptr_t)*state, true);
}

/* ---- A backward that is wrong ---------------------------------------------------------------- */

static const float FEW_X[] = {0.5f, -1, 1, 0.25f, -0.75f, 0.5f};
static const float FEW_TARGETS[] = {1, 0, 1};

static void relu_forward(
    const tnn_activation *self, size_t rows, size_t units, const float *z, float *a) {
    (void)self;
    for (size_t i = 0; i < rows * units; i++)
        a[i] = z[i] > 0 ? z[i] : 0;
}

/* The slope of softplus: what the XOR experiment multiplies by where relu's belongs. */
static void softplus_backward(
    const tnn_activation *self, size_t rows, size_t units, const float *z, const float *a,
    float *gradient) {
    (void)self;
    (void)a;
    for (size_t i = 0; i < rows * units; i++)
        gradient[i] /= 1 + expf(-z[i]);
}

static void test_check_gradients_tells_a_surrogate_slope_apart(void **state) {
    (void)state;
    static const tnn_activation_vtable surrogate = {
        "surrogate_relu", relu_forward, softplus_backward, true};
    tnn_layer layers[] = {{.units = 8, .activation = {.vtable = &surrogate}}, {.units = 1}};
    double worst = 0;
    tnn_net *net = new_net(2, layers, 2, NULL);
    assert_ok(tnn_check_gradients(net, tnn_half_squared_error(), 3, FEW_X, FEW_TARGETS, &worst));
    assert_true(worst > 0.1);
    tnn_net_destroy(net);
}

/* ---- Custom behaviours ----------------------------------------------------------------------- */

/* What the library handed to a custom activation that does without z. */
typedef struct witness {
    float scale;
    bool saw_z;
} witness;

static void arctangent_forward(
    const tnn_activation *self, size_t rows, size_t units, const float *z, float *a) {
    const witness *w = self->context;
    for (size_t i = 0; i < rows * units; i++)
        a[i] = w->scale * atanf(z[i]);
}

/* f' = scale / (1 + z^2) with z = tan(a / scale), so = scale cos^2(a / scale). */
static void arctangent_backward(
    const tnn_activation *self, size_t rows, size_t units, const float *z, const float *a,
    float *gradient) {
    witness *w = self->context;
    w->saw_z |= z != NULL;
    for (size_t i = 0; i < rows * units; i++)
        gradient[i] *= w->scale * cosf(a[i] / w->scale) * cosf(a[i] / w->scale);
}

static void test_gradients_of_a_custom_activation_without_z_agree_with_differences(void **state) {
    (void)state;
    static const tnn_activation_vtable arctangent = {
        "arctangent", arctangent_forward, arctangent_backward, false};
    witness w = {.scale = 0.75f};
    tnn_activation activation = {.vtable = &arctangent, .context = &w};
    tnn_layer layers[] = {
        {.units = 7, .activation = activation}, {.units = 1, .activation = activation}};
    double worst = 1;
    tnn_net *net = new_net(2, layers, 2, NULL);
    assert_ok(tnn_check_gradients(net, tnn_half_squared_error(), 3, FEW_X, FEW_TARGETS, &worst));
    assert_true(worst < 0.01);
    assert_false(w.saw_z);
    tnn_net_destroy(net);
}

/* Another's evaluate behind a name of one's own: the same numbers on the way of custom losses. */
static void borrowed_evaluate(
    const tnn_loss *self, size_t rows, size_t units, const float *y, const float *target,
    double *row_loss, float *gradient) {
    const tnn_loss *lender = self->context;
    lender->vtable->evaluate(lender, rows, units, y, target, row_loss, gradient);
}

static void check_borrowed(tnn_loss lender) {
    static const tnn_loss_vtable borrowed = {"borrowed", borrowed_evaluate};
    tnn_loss loss = {.vtable = &borrowed, .context = &lender};
    tnn_layer layers[] = {
        {.units = 5, .activation = tnn_tanh()}, {.units = 1, .activation = tnn_hard_sigmoid()}};
    double value, lent_value, worst = 1;
    tnn_net *net = new_net(2, layers, 2, NULL), *lent = new_clone(net);
    assert_ok(tnn_forward(net, 3, FEW_X, NULL));
    assert_ok(tnn_backward(net, loss, FEW_TARGETS, &value));
    assert_ok(tnn_forward(lent, 3, FEW_X, NULL));
    assert_ok(tnn_backward(lent, lender, FEW_TARGETS, &lent_value));
    assert_within(value, lent_value, 0);
    assert_same_net(net, lent);
    assert_ok(tnn_check_gradients(net, loss, 3, FEW_X, FEW_TARGETS, &worst));
    assert_true(worst < 0.01);
    tnn_net_destroy(lent);
    tnn_net_destroy(net);
}

static void test_gradients_of_a_custom_loss_are_those_its_evaluate_gives(void **state) {
    (void)state;
    for (size_t loss = 0; loss < LOSSES; loss++)
        check_borrowed(loss_at(loss).library);
}

/* ---- The list -------------------------------------------------------------------------------- */

static struct CMUnitTest named_test(
    CMUnitTestFunction function, const char *name, const char *of, void *initial_state) {
    static char names[4 * ACTIVATIONS][96];
    static size_t count;
    char *text = names[count++];
    snprintf(text, sizeof names[0], "%s_%s", name, of);
    return (struct CMUnitTest){.name = text, .test_func = function, .initial_state = initial_state};
}

#define NAMED_TEST(function, of, state) named_test(function, #function, of, (void *)(state))

int main(void) {
    enum { SINGLE = 6 };
    struct CMUnitTest tests[SINGLE + KERNEL_TABLES + 3 * ACTIVATIONS] = {
        cmocka_unit_test(test_gradients_run_over_one_table_at_least),
        cmocka_unit_test(test_gradients_tolerances_are_narrow),
        cmocka_unit_test(test_gradients_of_weighted_rows_agree_with_the_reference),
        cmocka_unit_test(test_check_gradients_tells_a_surrogate_slope_apart),
        cmocka_unit_test(test_gradients_of_a_custom_activation_without_z_agree_with_differences),
        cmocka_unit_test(test_gradients_of_a_custom_loss_are_those_its_evaluate_gives),
    };
    struct CMUnitTest *next = tests + SINGLE;
    for (size_t i = 0; i < KERNEL_TABLES; i++)
        *next++ = NAMED_TEST(test_gradients_run_over_table, kernel_names[i], kernel_names[i]);
    for (uintptr_t i = 0; i < ACTIVATIONS; i++) {
        const char *of = activation_at(i).name;
        *next++ = NAMED_TEST(test_gradients_agree_three_ways, of, i);
        *next++ = NAMED_TEST(test_gradients_of_wide_layers_agree_with_the_reference, of, i);
        *next++ = NAMED_TEST(test_gradients_under_dropout_agree_with_the_reference, of, i);
    }
    return cmocka_run_group_tests_name("gradients", tests, NULL, NULL);
}
