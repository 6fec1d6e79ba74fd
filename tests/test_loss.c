/*
 * test_loss.c: every loss in every kernel table against its formula, values and gradients; where
 * logarithms are clamped; the two losses that are computed from logits; weights of rows.
 *
 * Row losses are double: a term costs its few roundings of u = 2^-53 and a sum of n terms n more,
 * all relative to the sum of their magnitudes. Gradients are float, v = 2^-24 a rounding.
 */
#include "support/kernel_tables.h"

#include "loss.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define U 0x1p-53
#define V 0x1p-24
#define DELTA 0.5f

/* ---- Formulas -------------------------------------------------------------------------------- */

/* One unit's share of the loss and of the gradient, before the mean, and their errors. */
typedef struct term {
    double value, value_error; /* the error is what float steps in between cost */
    double slope;
} term;

typedef term formula(double y, double t);

static term half_squared_error(double y, double t) {
    return (term){.value = (y - t) * (y - t) / 2, .slope = y - t};
}

static term squared_error(double y, double t) {
    return (term){.value = (y - t) * (y - t), .slope = 2 * (y - t)};
}

static term absolute_error(double y, double t) {
    return (term){.value = fabs(y - t), .slope = (y > t) - (y < t)};
}

static term huber(double y, double t) {
    double d = y - t;
    if (fabs(d) <= (double)DELTA)
        return half_squared_error(y, t);
    return (term){
        .value = (double)DELTA * (fabs(d) - (double)DELTA / 2), .slope = copysign(DELTA, d)};
}

static double clamped_log(double y) {
    return fmax(log(y), -100);
}

/* 1 - y is a float, exactly if y >= 1/2: its logarithm is off by as much as that, relatively. */
static term binary_cross_entropy(double y, double t) {
    return (term){
        .value = -(t * clamped_log(y) + (1 - t) * clamped_log(1 - y)),
        .value_error = fabs(1 - t) * (y < 0.5 ? V : 0),
        .slope = (y - t) / (y * (1 - y))};
}

static term cross_entropy(double y, double t) {
    return (term){.value = -t * clamped_log(y), .slope = -t / y};
}

typedef struct entry {
    const char *name;
    tnni_loss_kind kind;
    float parameter;
    formula *formula;
    bool mean;              /* over the units of a row, or their sum */
    double slope_roundings; /* relative ones: differences, products, the share 1 / units */
    float low, high;        /* of y */
} entry;

static const entry entries[] = {
    {"half_squared_error", TNNI_HALF_SQUARED_ERROR, 0, half_squared_error, false, 1, -2, 2},
    {"mean_squared_error", TNNI_MEAN_SQUARED_ERROR, 0, squared_error, true, 3, -2, 2},
    {"mean_absolute_error", TNNI_MEAN_ABSOLUTE_ERROR, 0, absolute_error, true, 1, -2, 2},
    {"huber", TNNI_HUBER, DELTA, huber, true, 3, -2, 2},
    {"binary_cross_entropy", TNNI_BINARY_CROSS_ENTROPY, 0, binary_cross_entropy, true, 6, 0.001f,
     0.999f},
    {"cross_entropy", TNNI_CROSS_ENTROPY, 0, cross_entropy, false, 1, 0.001f, 2},
};

enum { ENTRIES = COUNT_OF(entries) };

/* ---- Values and gradients -------------------------------------------------------------------- */

enum { ROWS = 5, MOST_UNITS = 300, MOST_NUMBERS = ROWS * MOST_UNITS };

static const size_t unit_counts[] = {1, 2, 3, 7, 8, 15, 16, 17, 33, 64, 100, MOST_UNITS};

typedef struct batch {
    size_t units;
    float y[MOST_NUMBERS], target[MOST_NUMBERS], gradient[MOST_NUMBERS], fused[MOST_NUMBERS];
    double row_loss[ROWS], fused_row_loss[ROWS];
} batch;

static batch *new_batch(size_t units, float low, float high) {
    static batch b;
    uint64_t random = units;
    b.units = units;
    fill_random(b.y, ROWS * units, &random, low, high);
    fill_random(b.target, ROWS * units, &random, 0, 1);
    return &b;
}

static void check_row(const entry *e, const batch *b, size_t row) {
    double sum = 0, size = 0, error = 0, share = e->mean ? 1.0 / (double)b->units : 1;
    for (size_t i = row * b->units; i < (row + 1) * b->units; i++) {
        term unit = e->formula(b->y[i], b->target[i]);
        sum += unit.value;
        size += fabs(unit.value);
        error += unit.value_error;
        double slope = unit.slope * share;
        assert_within(b->gradient[i], slope, e->slope_roundings * V * fabs(slope));
    }
    double roundings = (double)b->units + 8;
    assert_within(b->row_loss[row], sum * share, (roundings * U * size + error) * share);
}

/* Tables with fused multiply-add have the same bits. */
static void check_repeated(const kernel_tables *tables, const tnni_kernels *table, batch *b) {
    if (table == tables->fused) {
        memcpy(b->fused, b->gradient, sizeof b->fused);
        memcpy(b->fused_row_loss, b->row_loss, sizeof b->row_loss);
    }
    if (!repeats_fused(tables, table))
        return;
    assert_same_bits(b->gradient, b->fused, ROWS * b->units);
    assert_memory_equal(b->row_loss, b->fused_row_loss, sizeof b->row_loss);
}

static void test_loss_is_within_its_bound(void **state) {
    const entry *e = &entries[(uintptr_t)*state];
    kernel_tables tables = find_kernel_tables();
    for (size_t c = 0; c < COUNT_OF(unit_counts); c++) {
        batch *b = new_batch(unit_counts[c], e->low, e->high);
        for (size_t t = 0; t < tables.count; t++) {
            tables.at[t]->losses[e->kind](
                e->parameter, ROWS, b->units, b->y, b->target, b->row_loss, b->gradient);
            for (size_t row = 0; row < ROWS; row++)
                check_row(e, b, row);
            check_repeated(&tables, tables.at[t], b);
        }
    }
}

static void test_loss_is_the_same_without_a_gradient(void **state) {
    const entry *e = &entries[(uintptr_t)*state];
    kernel_tables tables = find_kernel_tables();
    batch *b = new_batch(17, e->low, e->high);
    for (size_t t = 0; t < tables.count; t++) {
        double alone[ROWS];
        tnni_loss_kernel *kernel = tables.at[t]->losses[e->kind];
        kernel(e->parameter, ROWS, b->units, b->y, b->target, b->row_loss, b->gradient);
        kernel(e->parameter, ROWS, b->units, b->y, b->target, alone, NULL);
        assert_memory_equal(alone, b->row_loss, sizeof alone);
    }
}

static void test_loss_of_nan_is_nan(void **state) {
    const entry *e = &entries[(uintptr_t)*state];
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        const float y[] = {0.5f, NAN, 0.5f, 0.5f, 0.5f, 0.5f};
        const float target[] = {0.5f, 0.5f, 0.5f, NAN, 0.5f, 0.5f};
        double row_loss[3];
        tables.at[t]->losses[e->kind](e->parameter, 3, 2, y, target, row_loss, NULL);
        assert_true(isnan(row_loss[0]));
        assert_true(isnan(row_loss[1]));
        assert_true(isfinite(row_loss[2]));
    }
}

/* ---- Kinks and clamps ------------------------------------------------------------------------ */

typedef struct loss_figure {
    double value;
    float slope;
} loss_figure;

static loss_figure figure_of(const tnni_kernels *table, tnni_loss_kind kind, float y, float t) {
    loss_figure f;
    table->losses[kind](DELTA, 1, 1, &y, &t, &f.value, &f.slope);
    return f;
}

static void test_loss_absolute_error_has_slope_0_where_y_is_the_target(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        loss_figure f = figure_of(tables.at[t], TNNI_MEAN_ABSOLUTE_ERROR, 0.3f, 0.3f);
        assert_true(f.value == 0 && f.slope == 0);
    }
}

static void test_loss_huber_is_whole_where_its_parts_meet(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        loss_figure f = figure_of(tables.at[t], TNNI_HUBER, 1.5f, 1);
        assert_true(f.value == 0.125 && f.slope == 0.5f);
        f = figure_of(tables.at[t], TNNI_HUBER, 1, 1.75f);
        assert_true(f.value == 0.25 && f.slope == -0.5f);
    }
}

static void check_clamp(const tnni_kernels *table, tnni_loss_kind kind, float y, float target) {
    loss_figure f = figure_of(table, kind, y, target);
    assert_true(f.value == 100);
    assert_true(isfinite(f.slope));
    assert_true(y < target ? f.slope < 0 : f.slope > 0);
}

static void test_loss_logarithm_is_clamped_at_minus_100(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        check_clamp(tables.at[t], TNNI_BINARY_CROSS_ENTROPY, 0, 1);
        check_clamp(tables.at[t], TNNI_BINARY_CROSS_ENTROPY, -0.0f, 1);
        check_clamp(tables.at[t], TNNI_BINARY_CROSS_ENTROPY, 1, 0);
        check_clamp(tables.at[t], TNNI_BINARY_CROSS_ENTROPY, 0x1p-149f, 1);
        check_clamp(tables.at[t], TNNI_CROSS_ENTROPY, 0, 1);
        check_clamp(tables.at[t], TNNI_CROSS_ENTROPY, 0x1p-149f, 1);
    }
}

static void test_loss_logarithm_is_not_clamped_above_minus_100(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        loss_figure f = figure_of(tables.at[t], TNNI_CROSS_ENTROPY, 4e-44f, 1);
        double expected = -log((double)4e-44f);
        assert_true(expected < 100 && expected > 99);
        assert_within(f.value, expected, 4 * U * expected);
    }
}

static void test_loss_is_0_where_a_certain_output_is_right(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        for (int right = 0; right <= 1; right++) {
            float y = (float)right;
            loss_figure f = figure_of(tables.at[t], TNNI_BINARY_CROSS_ENTROPY, y, y);
            assert_true(f.value == 0 && f.slope == 0);
            f = figure_of(tables.at[t], TNNI_CROSS_ENTROPY, y, y);
            assert_true(f.value == 0 && f.slope == -y);
        }
    }
}

static void test_loss_is_nan_where_an_output_is_no_probability(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        const tnni_kernels *table = tables.at[t];
        assert_true(isnan(figure_of(table, TNNI_CROSS_ENTROPY, -0.25f, 0.5f).value));
        assert_true(isnan(figure_of(table, TNNI_BINARY_CROSS_ENTROPY, -0.25f, 0.5f).value));
        assert_true(isnan(figure_of(table, TNNI_BINARY_CROSS_ENTROPY, 1.25f, 0.5f).value));
    }
}

/* ---- Softmax and cross-entropy --------------------------------------------------------------- */

/* What the two share: logits, as exact as long double is. */
typedef struct softmax_row {
    size_t largest;
    long double rest; /* the sum of exp(z - max) but for the largest's 1 */
    double error;     /* of rest in float: the exponents' roundings and exp's k ulp */
} softmax_row;

/* The bound of exp, in ulp. */
static double exp_bound(const tnni_kernels *table) {
    return table->fused ? 2 : 4;
}

static softmax_row measure_row(const tnni_kernels *table, size_t units, const float *z) {
    softmax_row row = {0};
    for (size_t i = 1; i < units; i++)
        row.largest = z[i] > z[row.largest] ? i : row.largest;
    for (size_t i = 0; i < units; i++) {
        long double x = z[i] - (long double)z[row.largest];
        if (i == row.largest)
            continue;
        row.rest += expl(x);
        row.error += (double)expl(x) * ((double)-x + 2 * exp_bound(table)) * V + 0x1p-147;
    }
    return row;
}

/*
 * sum_j t_j (max - z_j + log(1 + rest)): the logarithm is off by less than rest is; the remainder
 * is double.
 */
static void check_softmax_loss(
    const tnni_kernels *table, size_t units, const float *z, const float *target, double loss) {
    softmax_row row = measure_row(table, units, z);
    double sum = 0, error = 0;
    for (size_t j = 0; j < units; j++) {
        long double unit = (long double)z[row.largest] - z[j] + log1pl(row.rest);
        sum += (double)(target[j] * unit);
        error += target[j] * (row.error + ((double)units + 8) * U * (double)unit);
    }
    assert_within(loss, sum, error);
}

/*
 * p_j sum t - t_j in float: p_j is off by its exponent's error and that of the sum, two roundings
 * of the factor and the product, the difference by one.
 */
static void check_softmax_slope(
    const tnni_kernels *table, size_t units, const float *z, const float *target,
    const float *slope) {
    softmax_row row = measure_row(table, units, z);
    double targets = 0;
    for (size_t j = 0; j < units; j++)
        targets += target[j];
    for (size_t j = 0; j < units; j++) {
        double x = (double)z[j] - z[row.largest], sum = 1 + (double)row.rest;
        double p = exp(x) / sum * targets, expected = p - target[j];
        double share = (-x + 2 * exp_bound(table) + 3) * V + row.error / sum;
        assert_within(slope[j], expected, p * share + V * fabs(expected) + 0x1p-147);
    }
}

static void check_softmax_pair(const kernel_tables *tables, batch *b) {
    for (size_t t = 0; t < tables->count; t++) {
        const tnni_kernels *table = tables->at[t];
        double alone[ROWS];
        table->softmax_cross_entropy(0, ROWS, b->units, b->y, b->target, b->row_loss, b->gradient);
        for (size_t r = 0; r < ROWS; r++) {
            const float *z = b->y + r * b->units, *target = b->target + r * b->units;
            check_softmax_loss(table, b->units, z, target, b->row_loss[r]);
            check_softmax_slope(table, b->units, z, target, b->gradient + r * b->units);
        }
        check_repeated(tables, table, b);
        table->softmax_cross_entropy(0, ROWS, b->units, b->y, b->target, alone, NULL);
        assert_memory_equal(alone, b->row_loss, sizeof alone);
    }
}

static void test_loss_softmax_pair_is_within_its_bound(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t c = 0; c < COUNT_OF(unit_counts); c++)
        check_softmax_pair(&tables, new_batch(unit_counts[c], -5, 5));
}

/* One-hot targets, on the largest logit and on others. */
static void test_loss_softmax_pair_is_within_its_bound_when_logits_are_large(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t c = 1; c < COUNT_OF(unit_counts); c++) {
        batch *b = new_batch(unit_counts[c], -2000, 2000);
        memset(b->target, 0, sizeof b->target);
        for (size_t r = 0; r < ROWS; r++)
            b->target[r * b->units + r % b->units] = 1;
        check_softmax_pair(&tables, b);
    }
}

/* A net that is sure of the right class still has a loss, and its digits. */
static void test_loss_softmax_pair_keeps_its_digits_when_the_loss_is_small(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        for (float margin = 1; margin <= 80; margin += 0.75f) {
            const float z[] = {-3, margin - 3, -3.5f, -4}, target[] = {0, 1, 0, 0};
            double loss;
            float slope[4];
            tables.at[t]->softmax_cross_entropy(0, 1, 4, z, target, &loss, slope);
            check_softmax_loss(tables.at[t], 4, z, target, loss);
            check_softmax_slope(tables.at[t], 4, z, target, slope);
        }
    }
}

static void test_loss_softmax_pair_ignores_minus_infinity_where_the_target_is_0(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        const float z[] = {1, -INFINITY, 1}, target[] = {1, 0, 0};
        double loss;
        float slope[3];
        tables.at[t]->softmax_cross_entropy(0, 1, 3, z, target, &loss, slope);
        assert_within(loss, log(2), 4 * U);
        assert_true(slope[0] == -0.5f && slope[1] == 0 && slope[2] == 0.5f);
    }
}

static void test_loss_softmax_pair_of_nan_is_nan(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        const float z[] = {1, 2, 3, NAN, 1, 2, NAN, 1, 2}, target[] = {1, 0, 0, 1, 0, 0, 0, 1, 0};
        double loss[3];
        tables.at[t]->softmax_cross_entropy(0, 3, 3, z, target, loss, NULL);
        assert_true(isfinite(loss[0]));
        assert_true(isnan(loss[1]));
        assert_true(isnan(loss[2]));
    }
}

/* ---- Sigmoid and binary cross-entropy -------------------------------------------------------- */

static long double sigmoid(long double z) {
    return 1 / (1 + expl(-z));
}

/*
 * max(z, 0) - z t, of which the product is exact in double and the difference one rounding, and
 * log(1 + exp(-|z|)) in float, good to twice k ulp as softplus is.
 */
static void check_sigmoid_row(const tnni_kernels *table, const batch *b, size_t row) {
    double k = exp_bound(table), sum = 0, error = 0, units = (double)b->units;
    for (size_t i = row * b->units; i < (row + 1) * b->units; i++) {
        double z = b->y[i], t = b->target[i], line = fmax(z, 0) - z * t;
        double curve = (double)log1pl(expl(-fabsl(z))), s = (double)sigmoid(z);
        sum += line + curve;
        error += 4 * k * V * curve + 4 * 0x1p-149 + (units + 8) * U * (line + curve);
        double slope = (double)(sigmoid(z) - b->target[i]);
        assert_within(
            b->gradient[i], slope / units,
            (2 * k * V * s + 3 * V * fabs(slope)) / units + 4 * 0x1p-149);
    }
    assert_within(b->row_loss[row], sum / units, error / units);
}

static void check_sigmoid_pair(const kernel_tables *tables, batch *b) {
    for (size_t t = 0; t < tables->count; t++) {
        double alone[ROWS];
        tnni_loss_kernel *kernel = tables->at[t]->sigmoid_binary_cross_entropy;
        kernel(0, ROWS, b->units, b->y, b->target, b->row_loss, b->gradient);
        for (size_t r = 0; r < ROWS; r++)
            check_sigmoid_row(tables->at[t], b, r);
        check_repeated(tables, tables->at[t], b);
        kernel(0, ROWS, b->units, b->y, b->target, alone, NULL);
        assert_memory_equal(alone, b->row_loss, sizeof alone);
    }
}

static void test_loss_sigmoid_pair_is_within_its_bound(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t c = 0; c < COUNT_OF(unit_counts); c++)
        check_sigmoid_pair(&tables, new_batch(unit_counts[c], -6, 6));
}

/* Logits up to limit and targets that are 0 or 1: sure, and right in half of the cases. */
static batch *new_sure_batch(size_t units, float limit) {
    batch *b = new_batch(units, -limit, limit);
    for (size_t i = 0; i < ROWS * units; i++)
        b->target[i] = b->target[i] > 0.5f;
    return b;
}

static void test_loss_sigmoid_pair_keeps_its_digits_when_logits_are_large(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t c = 0; c < COUNT_OF(unit_counts); c++) {
        check_sigmoid_pair(&tables, new_sure_batch(unit_counts[c], 110));
        check_sigmoid_pair(&tables, new_sure_batch(unit_counts[c], 1e30f));
    }
}

/* One unit, so that no larger loss hides a small one. */
static void test_loss_sigmoid_pair_keeps_its_digits_when_the_loss_is_small(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (float size = 1; size <= 80; size += 0.75f) {
        batch *b = new_sure_batch(1, 1);
        for (size_t r = 0; r < ROWS; r++) {
            b->target[r] = (float)(r % 2);
            b->y[r] = b->target[r] > 0 ? size : -size;
        }
        check_sigmoid_pair(&tables, b);
    }
}

static void test_loss_sigmoid_pair_of_nan_is_nan(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        const float z[] = {1, 2, NAN, 1}, target[] = {1, 0, 0, 1};
        double loss[2];
        tables.at[t]->sigmoid_binary_cross_entropy(0, 2, 2, z, target, loss, NULL);
        assert_true(isfinite(loss[0]));
        assert_true(isnan(loss[1]));
    }
}

/* ---- In a net -------------------------------------------------------------------------------- */

/* A net whose z are its two inputs. */
static tnn_net *new_net_of_logits(tnn_activation activation) {
    tnn_layer layer = {.units = 2, .activation = activation, .initializer = tnn_constant(0)};
    tnn_net *net = new_net(2, &layer, 1, NULL);
    tnn_net_weights(net, 0)[0] = tnn_net_weights(net, 0)[3] = 1;
    return net;
}

static double loss_of_logits(tnn_activation activation, tnn_loss loss, const float *z) {
    const float target[] = {0, 1};
    double value;
    tnn_net *net = new_net_of_logits(activation);
    assert_ok(tnn_forward(net, 1, z, NULL));
    assert_ok(tnn_backward(net, loss, target, &value));
    for (size_t i = 0; i < tnn_net_parameter_count(net); i++)
        assert_true(isfinite(tnn_net_gradients(net)[i]));
    tnn_net_destroy(net);
    return value;
}

static void test_loss_of_a_pair_is_computed_from_z_in_a_net(void **state) {
    (void)state;
    const float z[] = {1000, -1000};
    assert_true(loss_of_logits(tnn_softmax(), tnn_cross_entropy(), z) == 2000);
    assert_true(loss_of_logits(tnn_sigmoid(), tnn_binary_cross_entropy(), z) == 1000);
}

static void test_loss_is_clamped_in_a_net_when_it_is_no_pair(void **state) {
    (void)state;
    const float z[] = {1000, -1000};
    tnn_loss_vtable vtable = *tnn_cross_entropy().vtable;
    tnn_loss copied = {.vtable = &vtable};
    assert_true(loss_of_logits(tnn_softmax(), copied, z) == 100);
    assert_true(loss_of_logits(tnn_sigmoid(), tnn_cross_entropy(), z) == 100);
    assert_true(loss_of_logits(tnn_softmax(), tnn_binary_cross_entropy(), z) == 100);
}

static void test_loss_vtable_bears_the_name_of_its_function(void **state) {
    (void)state;
    for (size_t i = 0; i < LOSSES; i++) {
        loss_entry known = loss_at(i);
        assert_string_equal(known.library.vtable->name, known.name);
        assert_int_equal(tnni_loss_find(&known.library), i);
    }
    assert_true(tnn_huber(0.25f).parameter == 0.25f);
}

/* ---- Training with weights, classes, a user's loss ------------------------------------------- */

enum { INPUTS = 3, OUTPUTS = 2, BATCH = 4 };

static const float batch_x[BATCH * INPUTS] = {0.5f, -1,    0.25f, 1, 1, -0.5f,
                                              -2,   0.75f, 1.5f,  0, 3, -1};
static const float batch_target[BATCH * OUTPUTS] = {0.25f, 0.75f, 1, 0, 0, 1, 0.125f, 0.5f};

static tnn_net *new_small_net(tnn_activation last) {
    const tnn_layer layers[] = {
        {.units = 5, .activation = tnn_tanh()}, {.units = OUTPUTS, .activation = last}};
    return new_net(INPUTS, layers, 2, NULL);
}

/* One step; returns the loss before it. */
static double train_once(
    tnn_net *net, tnn_loss loss, const tnn_dataset *dataset, float learning_rate) {
    double value;
    tnn_optimizer *optimizer = new_optimizer(net, learning_rate);
    assert_ok(tnn_train(net, optimizer, loss, dataset, &value));
    tnn_optimizer_destroy(optimizer);
    return value;
}

/* The loss from what the net puts out, in double: as many roundings as terms and some. */
static void test_loss_of_a_batch_is_the_weighted_mean_of_its_rows(void **state) {
    (void)state;
    const float weights[] = {0.5f, 2, 0, 1.25f};
    tnn_net *net = new_small_net(tnn_identity());
    float y[BATCH * OUTPUTS];
    assert_ok(tnn_forward(net, BATCH, batch_x, y));
    double expected = 0;
    for (size_t i = 0; i < BATCH * OUTPUTS; i++)
        expected += weights[i / OUTPUTS] * half_squared_error(y[i], batch_target[i]).value / BATCH;
    const tnn_dataset dataset = {BATCH, batch_x, batch_target, NULL, weights};
    double value = train_once(net, tnn_half_squared_error(), &dataset, 0);
    assert_within(value, expected, (BATCH * OUTPUTS + 8) * U * expected);
    tnn_net_destroy(net);
}

/* Trains two nets, one on each dataset, and compares the bits. */
static void assert_trains_alike(
    tnn_activation last, tnn_loss loss, const tnn_dataset *one, float one_rate,
    const tnn_dataset *other, float other_rate) {
    tnn_net *first = new_small_net(last), *second = new_small_net(last);
    for (int i = 0; i < 3; i++) {
        train_once(first, loss, one, one_rate);
        train_once(second, loss, other, other_rate);
    }
    assert_same_net(first, second);
    tnn_net_destroy(first);
    tnn_net_destroy(second);
}

static void test_loss_weights_of_1_change_no_bit(void **state) {
    (void)state;
    const float weights[] = {1, 1, 1, 1};
    const tnn_dataset plain = {BATCH, batch_x, batch_target, NULL, NULL};
    const tnn_dataset weighted = {BATCH, batch_x, batch_target, NULL, weights};
    for (size_t i = 0; i < 4; i++)
        assert_trains_alike(tnn_identity(), loss_at(i).library, &plain, 0.125f, &weighted, 0.125f);
}

/* Powers of two, so that the product with the weight is exact. */
static void test_loss_weights_of_2_are_twice_the_learning_rate(void **state) {
    (void)state;
    const float weights[] = {2, 2, 2, 2};
    const tnn_dataset plain = {BATCH, batch_x, batch_target, NULL, NULL};
    const tnn_dataset weighted = {BATCH, batch_x, batch_target, NULL, weights};
    assert_trains_alike(
        tnn_sigmoid(), tnn_binary_cross_entropy(), &plain, 0.25f, &weighted, 0.125f);
    assert_trains_alike(tnn_softmax(), tnn_cross_entropy(), &plain, 0.25f, &weighted, 0.125f);
    assert_trains_alike(tnn_tanh(), tnn_mean_squared_error(), &plain, 0.25f, &weighted, 0.125f);
}

/* They count as rows: the mean of the other two is over four, half as much. */
static void test_loss_rows_of_weight_0_change_nothing_but_the_mean(void **state) {
    (void)state;
    const float weights[] = {1, 1, 0, 0};
    const tnn_dataset two = {2, batch_x, batch_target, NULL, NULL};
    const tnn_dataset four = {BATCH, batch_x, batch_target, NULL, weights};
    for (size_t i = 0; i < 4; i++)
        assert_trains_alike(tnn_identity(), loss_at(i).library, &two, 0.125f, &four, 0.25f);
    assert_trains_alike(tnn_softmax(), tnn_cross_entropy(), &two, 0.125f, &four, 0.25f);
    assert_trains_alike(tnn_sigmoid(), tnn_binary_cross_entropy(), &two, 0.125f, &four, 0.25f);
}

static void test_loss_of_classes_is_that_of_one_hot_targets(void **state) {
    (void)state;
    const uint32_t classes[BATCH] = {1, 0, 0, 1};
    const float one_hot[] = {0, 1, 1, 0, 1, 0, 0, 1}, weights[] = {1, 0.5f, 3, 0};
    const tnn_dataset with_classes = {BATCH, batch_x, NULL, classes, weights};
    const tnn_dataset with_target = {BATCH, batch_x, one_hot, NULL, weights};
    assert_trains_alike(
        tnn_softmax(), tnn_cross_entropy(), &with_classes, 0.5f, &with_target, 0.5f);
    assert_trains_alike(
        tnn_softplus(), tnn_cross_entropy(), &with_classes, 0.5f, &with_target, 0.5f);
}

static void test_loss_copied_vtable_works_under_another_name(void **state) {
    (void)state;
    const tnn_dataset dataset = {BATCH, batch_x, batch_target, NULL, NULL};
    for (size_t i = 0; i < LOSSES; i++) {
        tnn_loss original = loss_at(i).library, copy = original;
        tnn_loss_vtable vtable = *original.vtable;
        vtable.name = "copied";
        copy.vtable = &vtable;
        /* hard_sigmoid: between 0 and 1, and no part of a pair */
        tnn_net *expected = new_small_net(tnn_hard_sigmoid());
        tnn_net *actual = new_small_net(tnn_hard_sigmoid());
        double expected_value = train_once(expected, original, &dataset, 0.5f);
        assert_true(train_once(actual, copy, &dataset, 0.5f) == expected_value);
        assert_same_net(actual, expected);
        tnn_net_destroy(expected);
        tnn_net_destroy(actual);
    }
}

/* sum of *context * y: the library weighs the rows and takes their mean. */
static void evaluate_slope(
    const tnn_loss *self, size_t rows, size_t units, const float *y, const float *target,
    double *row_loss, float *gradient) {
    const float *slope = self->context;
    (void)target;
    for (size_t r = 0; r < rows; r++) {
        row_loss[r] = self->parameter;
        for (size_t i = r * units; i < (r + 1) * units; i++) {
            row_loss[r] += (double)*slope * y[i];
            if (gradient != NULL)
                gradient[i] = *slope;
        }
    }
}

static void test_loss_of_a_user_gets_its_parameter_and_context(void **state) {
    (void)state;
    static const tnn_loss_vtable vtable = {"slope", evaluate_slope};
    float slope = 0.5f;
    const tnn_loss loss = {&vtable, 16, &slope};
    const float x[] = {1, 2, 3, 4}, target[4] = {0};
    double value;
    tnn_net *net = new_net_of_logits(tnn_identity());
    assert_ok(tnn_forward(net, 2, x, NULL));
    assert_ok(tnn_backward(net, loss, target, &value));
    assert_true(value == 16 + 0.5 * (1 + 2 + 3 + 4) / 2);
    const float expected[] = {1, 1, 1.5f, 1.5f, 0.5f, 0.5f}; /* sums of x, then of 1, times 1/4 */
    assert_same_bits(tnn_net_gradients(net), expected, 6);
    tnn_net_destroy(net);
}

/* ---- All of it ------------------------------------------------------------------------------- */

typedef struct family {
    const char *behaviour;
    CMUnitTestFunction test;
} family;

static const family families[] = {
    {"is_within_its_bound", test_loss_is_within_its_bound},
    {"is_the_same_without_a_gradient", test_loss_is_the_same_without_a_gradient},
    {"of_nan_is_nan", test_loss_of_nan_is_nan},
};

static const struct CMUnitTest other_tests[] = {
    cmocka_unit_test(test_loss_absolute_error_has_slope_0_where_y_is_the_target),
    cmocka_unit_test(test_loss_huber_is_whole_where_its_parts_meet),
    cmocka_unit_test(test_loss_logarithm_is_clamped_at_minus_100),
    cmocka_unit_test(test_loss_logarithm_is_not_clamped_above_minus_100),
    cmocka_unit_test(test_loss_is_0_where_a_certain_output_is_right),
    cmocka_unit_test(test_loss_is_nan_where_an_output_is_no_probability),
    cmocka_unit_test(test_loss_softmax_pair_is_within_its_bound),
    cmocka_unit_test(test_loss_softmax_pair_is_within_its_bound_when_logits_are_large),
    cmocka_unit_test(test_loss_softmax_pair_keeps_its_digits_when_the_loss_is_small),
    cmocka_unit_test(test_loss_softmax_pair_ignores_minus_infinity_where_the_target_is_0),
    cmocka_unit_test(test_loss_softmax_pair_of_nan_is_nan),
    cmocka_unit_test(test_loss_sigmoid_pair_is_within_its_bound),
    cmocka_unit_test(test_loss_sigmoid_pair_keeps_its_digits_when_logits_are_large),
    cmocka_unit_test(test_loss_sigmoid_pair_keeps_its_digits_when_the_loss_is_small),
    cmocka_unit_test(test_loss_sigmoid_pair_of_nan_is_nan),
    cmocka_unit_test(test_loss_of_a_pair_is_computed_from_z_in_a_net),
    cmocka_unit_test(test_loss_is_clamped_in_a_net_when_it_is_no_pair),
    cmocka_unit_test(test_loss_vtable_bears_the_name_of_its_function),
    cmocka_unit_test(test_loss_of_a_batch_is_the_weighted_mean_of_its_rows),
    cmocka_unit_test(test_loss_weights_of_1_change_no_bit),
    cmocka_unit_test(test_loss_weights_of_2_are_twice_the_learning_rate),
    cmocka_unit_test(test_loss_rows_of_weight_0_change_nothing_but_the_mean),
    cmocka_unit_test(test_loss_of_classes_is_that_of_one_hot_targets),
    cmocka_unit_test(test_loss_copied_vtable_works_under_another_name),
    cmocka_unit_test(test_loss_of_a_user_gets_its_parameter_and_context),
};

enum { FAMILIES = COUNT_OF(families), OTHERS = COUNT_OF(other_tests) };

int main(void) {
    static char names[FAMILIES][ENTRIES][96];
    struct CMUnitTest tests[OTHERS + FAMILIES * ENTRIES];
    memcpy(tests, other_tests, sizeof other_tests);
    struct CMUnitTest *test = tests + OTHERS;
    for (size_t i = 0; i < FAMILIES; i++) {
        for (size_t e = 0; e < ENTRIES; e++) {
            snprintf(
                names[i][e], sizeof names[i][e], "test_loss_%s_%s", entries[e].name,
                families[i].behaviour);
            *test++ = (struct CMUnitTest){
                .name = names[i][e],
                .test_func = families[i].test,
                .initial_state = (void *)(uintptr_t)e};
        }
    }
    return cmocka_run_group_tests_name("loss", tests, NULL, NULL);
}
