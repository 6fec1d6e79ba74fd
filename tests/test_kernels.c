/*
 * test_kernels.c: the products of a dense layer, and what is done to whole rows, in every kernel
 * table, against sums in double, and in fused tables against the form that docs/numerics.md states,
 * bit for bit.
 *
 * A sum of n float products, each a + b c rounded once or twice, in whatever order: no term goes
 * through more than n + 1 roundings, a bias one more. So it is off by at most gamma times the sum
 * of the magnitudes of its terms, gamma = m u / (1 - m u) with m = n + 2 and u = 2^-24 (Higham,
 * Accuracy and Stability of Numerical Algorithms, section 3.1).
 */
#include "support/kernel_tables.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the products borrow. */
static float panel[TNNI_PANEL_FLOATS];

enum { MOST_ROWS = 65, MOST_WIDTH = 301, MOST_ARRAY = MOST_WIDTH * MOST_WIDTH, SPARE = 32 };

/* One layer's arrays, full of numbers between -1 and 1. */
typedef struct layer_data {
    size_t rows, inputs, units;
    float x[MOST_ROWS * MOST_WIDTH], delta[MOST_ROWS * MOST_WIDTH];
    float weights[MOST_ARRAY], biases[MOST_WIDTH], start[MOST_ARRAY];
    float fused[MOST_ARRAY]; /* what the first fused table made */
    float result[MOST_ARRAY + SPARE];
} layer_data;

static layer_data *new_layer_data(void **state) {
    layer_data *data = malloc(sizeof *data);
    uint64_t random = 1;
    assert_non_null(data);
    data->rows = data->inputs = data->units = 0;
    fill_random(data->x, COUNT_OF(data->x), &random, -1, 1);
    fill_random(data->delta, COUNT_OF(data->delta), &random, -1, 1);
    fill_random(data->weights, COUNT_OF(data->weights), &random, -1, 1);
    fill_random(data->biases, COUNT_OF(data->biases), &random, -1, 1);
    fill_random(data->start, COUNT_OF(data->start), &random, -1, 1);
    *state = data;
    return data;
}

static int free_layer_data(void **state) {
    free(*state);
    return 0;
}

/* ---- The bound ------------------------------------------------------------------------------- */

/* A sum over terms of a[k * a_step] * b[k * b_step], and one number more. */
typedef struct term_list {
    size_t terms;
    const float *a;
    size_t a_step;
    const float *b;
    size_t b_step;
    float more;
} term_list;

static void assert_sum(float actual, term_list list) {
    double sum = list.more, size = fabs((double)list.more);
    for (size_t k = 0; k < list.terms; k++) {
        double product = (double)list.a[k * list.a_step] * list.b[k * list.b_step];
        sum += product;
        size += fabs(product);
    }
    double m = ((double)list.terms + 2) * 0x1p-24;
    assert_within(actual, sum, m / (1 - m) * size);
}

/* ---- The form -------------------------------------------------------------------------------- */

/* s = a b + s, rounded once, for terms first, first + step, ... */
static float chain(term_list list, size_t first, size_t step, float s) {
    for (size_t k = first; k < list.terms; k += step)
        s = fmaf(list.a[k * list.a_step], list.b[k * list.b_step], s);
    return s;
}

/* So many chains, added by a tree: j and j + half of them, and so on. */
static float tree_of_chains(term_list list, size_t chains) {
    float sums[16];
    for (size_t j = 0; j < chains; j++)
        sums[j] = chain(list, j, chains, 0);
    for (size_t half = chains / 2; half > 0; half /= 2) {
        for (size_t j = 0; j < half; j++)
            sums[j] += sums[j + half];
    }
    return sums[0];
}

/* The chains of a layer's sums over its inputs. */
static size_t chains_of_layer(size_t inputs, size_t units) {
    if (units == 1)
        return 16;
    if (units < 8 || (units <= 16 && inputs >= 32))
        return 4;
    return units > 16 && units <= 64 ? 2 : 1;
}

/* What docs/numerics.md says a fused table computes, bit for bit. */
static void assert_form(const tnni_kernels *table, float actual, float expected) {
    if (table->fused)
        assert_same_bits(&actual, &expected, 1);
}

/* ---- Running a kernel ------------------------------------------------------------------------ */

static const float CANARY = 12345;

/* As much as any kernel writes, and some: an array of two of the three sizes. */
static void spoil(layer_data *data) {
    size_t least = data->rows < data->inputs ? data->rows : data->inputs;
    least = data->units < least ? data->units : least;
    size_t count = least == 0 ? 0 : data->rows * data->inputs * data->units / least;
    for (size_t i = 0; i < count + SPARE; i++)
        data->result[i] = CANARY;
}

/* Nothing was written past count; a repeated table has the bits of the first one. */
static void check_result(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table, size_t count) {
    for (size_t i = count; i < count + SPARE; i++)
        assert_true(data->result[i] == CANARY);
    if (table == tables->fused)
        memcpy(data->fused, data->result, count * sizeof(float));
    if (repeats_fused(tables, table))
        assert_same_bits(data->result, data->fused, count);
}

typedef void check_kernel(layer_data *data, const kernel_tables *tables, const tnni_kernels *table);

static void for_each_table(layer_data *data, check_kernel *check) {
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        spoil(data);
        check(data, &tables, tables.at[t]);
    }
}

/* Around the widths of vectors, tiles, panels and of the layers with few units. */
static void for_each_size(layer_data *data, check_kernel *check) {
    static const size_t row_counts[] = {1, 2, 3, 4, 5, 6, 7, 13};
    static const size_t input_counts[] = {1, 2, 3, 5, 7, 15, 16, 17, 31, 32, 33, 47, 63, 65, 131};
    static const size_t unit_counts[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                         15, 16, 17, 31, 33, 47, 48, 63, 64, 65, 131};
    for (size_t r = 0; r < COUNT_OF(row_counts); r++) {
        for (size_t i = 0; i < COUNT_OF(input_counts); i++) {
            for (size_t u = 0; u < COUNT_OF(unit_counts); u++) {
                data->rows = row_counts[r];
                data->inputs = input_counts[i];
                data->units = unit_counts[u];
                for_each_table(data, check);
            }
        }
    }
}

/* All of so many, and a part of them. */
static tnni_range all(size_t count) {
    return (tnni_range){0, count};
}

static tnni_range part_of(size_t first, size_t most, size_t count) {
    return (tnni_range){first, count - first < most ? count : first + most};
}

/* ---- x weights + biases ---------------------------------------------------------------------- */

static void check_product_with(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table, const float *biases) {
    size_t rows = data->rows, inputs = data->inputs, units = data->units;
    table->product(
        rows, inputs, units, all(units), data->x, data->weights, biases, false, data->result,
        panel);
    check_result(data, tables, table, rows * units);
    for (size_t r = 0; r < rows; r++) {
        for (size_t u = 0; u < units; u++) {
            const term_list list = {
                .terms = inputs,
                .a = data->x + r * inputs,
                .a_step = 1,
                .b = data->weights + u,
                .b_step = units,
                .more = biases == NULL ? 0 : biases[u]};
            float sum = tree_of_chains(list, chains_of_layer(inputs, units));
            assert_sum(data->result[r * units + u], list);
            assert_form(table, data->result[r * units + u], biases ? sum + biases[u] : sum);
        }
    }
}

static void check_product(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    check_product_with(data, tables, table, data->biases);
}

static void check_product_without_biases(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    check_product_with(data, tables, table, NULL);
}

static void test_kernels_product_has_its_form_and_bound_for_all_sizes(void **state) {
    for_each_size(new_layer_data(state), check_product);
}

static void test_kernels_product_has_its_form_and_bound_without_biases(void **state) {
    for_each_size(new_layer_data(state), check_product_without_biases);
}

static void check_product_of_single_rows(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    size_t inputs = data->inputs, units = data->units;
    (void)tables;
    table->product(
        data->rows, inputs, units, all(units), data->x, data->weights, data->biases, false,
        data->result, panel);
    for (size_t r = 0; r < data->rows; r++) {
        float row[MOST_WIDTH];
        table->product(
            1, inputs, units, all(units), data->x + r * inputs, data->weights, data->biases, false,
            row, panel);
        assert_same_bits(row, data->result + r * units, units);
    }
}

static void test_kernels_product_has_the_same_bits_however_rows_are_batched(void **state) {
    for_each_size(new_layer_data(state), check_product_of_single_rows);
}

/* The tiles go over more rows than any tile is high. */
static void test_kernels_product_has_its_form_and_bound_for_many_rows(void **state) {
    layer_data *data = new_layer_data(state);
    data->inputs = 37;
    data->units = 51;
    for (data->rows = 8; data->rows <= MOST_ROWS; data->rows++) {
        for_each_table(data, check_product);
        for_each_table(data, check_product_of_single_rows);
    }
}

/* Wide enough for panels, and too deep for one. */
static void test_kernels_product_has_its_form_and_bound_through_panels(void **state) {
    layer_data *data = new_layer_data(state);
    static const size_t sizes[][3] = {{16, 16, 256}, {17, 300, 259}, {19, 263, 301}};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        data->rows = sizes[i][0];
        data->inputs = sizes[i][1];
        data->units = sizes[i][2];
        for_each_table(data, check_product);
        for_each_table(data, check_product_of_single_rows);
    }
}

/* As threads split it: by units. */
static void check_parts_of_product(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    size_t rows = data->rows, inputs = data->inputs, units = data->units;
    static float whole[MOST_ARRAY];
    (void)tables;
    table->product(
        rows, inputs, units, all(units), data->x, data->weights, data->biases, false, data->result,
        panel);
    for (size_t size = 16; size <= 48; size += 16) {
        for (size_t u = 0; u < units; u += size)
            table->product(
                rows, inputs, units, part_of(u, size, units), data->x, data->weights, data->biases,
                false, whole, panel);
        assert_same_bits(whole, data->result, rows * units);
    }
}

static void test_kernels_product_has_the_same_bits_in_parts(void **state) {
    for_each_size(new_layer_data(state), check_parts_of_product);
}

/*
 * So many rows and inputs that x is taken in blocks of both, against a few rows at a time, for
 * which it is not. The weights have enough units for panels; of these, the part has whole vectors
 * and a tail.
 */
static void test_kernels_product_has_the_same_bits_in_blocks_of_a_large_x(void **state) {
    enum { ROWS = 1501, INPUTS = 1411, UNITS = 256, FEW = 19 };
    const tnni_range part = {5, 5 + 35};
    kernel_tables tables = find_kernel_tables();
    float *x = malloc(sizeof(float[ROWS * INPUTS]));
    float *weights = malloc(sizeof(float[INPUTS * UNITS]));
    float *blocks = calloc(ROWS * UNITS, sizeof(float));
    float *parts = calloc(ROWS * UNITS, sizeof(float));
    uint64_t random = 1;
    (void)state;
    assert_true(x && weights && blocks && parts);
    fill_random(x, ROWS * INPUTS, &random, -1, 1);
    fill_random(weights, INPUTS * UNITS, &random, -1, 1);
    for (size_t t = 0; t < tables.count; t++) {
        const tnni_kernels *table = tables.at[t];
        table->product(ROWS, INPUTS, UNITS, part, x, weights, weights, true, blocks, panel);
        for (size_t row = 0; row < ROWS; row += FEW)
            table->product(
                ROWS - row < FEW ? ROWS - row : FEW, INPUTS, UNITS, part, x + row * INPUTS, weights,
                weights, true, parts + row * UNITS, panel);
        assert_same_bits(blocks, parts, ROWS * UNITS);
    }
    free(x), free(weights);
    free(blocks), free(parts);
}

/* relu where the product ends, and as a pass of its own. */
static void check_rectified_product(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    size_t rows = data->rows, inputs = data->inputs, units = data->units;
    (void)tables;
    table->product(
        rows, inputs, units, all(units), data->x, data->weights, data->biases, false, data->start,
        panel);
    table->activations[TNNI_RELU].forward(0, rows, units, data->start, data->start);
    table->product(
        rows, inputs, units, all(units), data->x, data->weights, data->biases, true, data->result,
        panel);
    assert_same_bits(data->result, data->start, rows * units);
}

static void test_kernels_product_has_the_bits_of_relu_if_asked(void **state) {
    layer_data *data = new_layer_data(state);
    for_each_size(data, check_rectified_product);
    data->rows = 19; /* through panels, too deep for one */
    data->inputs = 300;
    data->units = 261;
    for_each_table(data, check_rectified_product);
}

/* One row through the kernel for its sizes. */
static void run_row(
    const layer_data *data, const tnni_kernels *table, const float *x, const float *biases,
    tnni_activation_kind kind, float *z, float *a) {
    const tnni_row layer = {
        .run = table->find_row(data->inputs, data->units),
        .inputs = data->inputs,
        .units = data->units,
        .weights = data->weights,
        .biases = biases,
        .kind = kind,
        .parameter = 0.5f,
    };
    layer.run(&layer, x, z, a);
}

/* One row at a time, with its activation: what product and the activation's kernel make of it. */
static void check_row(layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    size_t rows = data->rows, inputs = data->inputs, units = data->units;
    float *z = data->start;
    (void)tables;
    table->product(
        rows, inputs, units, all(units), data->x, data->weights, data->biases, false, data->result,
        panel);
    for (int kind = 0; kind < TNNI_ACTIVATION_KINDS; kind++) {
        for (size_t r = 0; r < rows; r++) {
            float *expected = data->result + r * units;
            float a[MOST_WIDTH];
            float b[MOST_WIDTH];
            table->activations[kind].forward(0.5f, 1, units, expected, a);
            const float *x = data->x + r * inputs;
            run_row(data, table, x, data->biases, (tnni_activation_kind)kind, z, b);
            assert_same_bits(b, a, units);
            run_row(data, table, x, data->biases, (tnni_activation_kind)kind, b, b);
            assert_same_bits(b, a, units);
        }
    }
}

static void test_kernels_row_has_the_bits_of_the_product_and_the_activation(void **state) {
    layer_data *data = new_layer_data(state);
    static const size_t unit_counts[] = {1, 3, 7, 8, 16, 17, 31, 33, 64, 65, 127, 128, 131, 300};
    for (size_t u = 0; u < COUNT_OF(unit_counts); u++) {
        for (size_t inputs = 1; inputs < 40; inputs += 1 + inputs / 4) {
            data->rows = 2;
            data->inputs = inputs;
            data->units = unit_counts[u];
            for_each_table(data, check_row);
        }
    }
}

/* Three inputs in four are 0 or -0, as the bits decide. */
static void thin_out(float *x, size_t count) {
    uint64_t random = 5;
    float coin[1];
    for (size_t i = 0; i < count; i++) {
        fill_random(coin, 1, &random, 0, 1);
        if (coin[0] < 0.75f)
            x[i] = coin[0] < 0.1f ? -0.0f : 0.0f;
    }
}

/* Sparse rows, in which zeros are skipped, against the product, in which they are not. */
static void check_sparse_row(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    size_t inputs = data->inputs, units = data->units;
    (void)tables;
    for (int with_biases = 0; with_biases <= 1; with_biases++) {
        const float *biases = with_biases ? data->biases : NULL;
        table->product(
            1, inputs, units, all(units), data->x, data->weights, biases, false, data->result,
            panel);
        run_row(data, table, data->x, biases, TNNI_IDENTITY, data->start, data->start);
        assert_same_bits(data->start, data->result, units);
        table->activations[TNNI_RELU].forward(0, 1, units, data->result, data->result);
        run_row(data, table, data->x, biases, TNNI_RELU, data->start, data->start);
        assert_same_bits(data->start, data->result, units);
    }
}

static layer_data *new_sparse_data(void **state, size_t units) {
    layer_data *data = new_layer_data(state);
    data->rows = 1;
    data->inputs = MOST_ARRAY / units < 300 ? MOST_ARRAY / units : 300;
    data->units = units;
    thin_out(data->x, data->inputs);
    return data;
}

static const size_t sparse_units[] = {65, 67, 128, 131, 144, 200, 259};

static void test_kernels_row_of_zeros_has_the_bits_of_the_product(void **state) {
    for (size_t u = 0; u < COUNT_OF(sparse_units); u++) {
        layer_data *data = new_sparse_data(state, sparse_units[u]);
        for_each_table(data, check_sparse_row);
        memset(data->x, 0, data->inputs * sizeof(float)); /* every sum is 0 */
        for_each_table(data, check_sparse_row);
        free(data);
    }
    new_layer_data(state);
}

/* Products that underflow make sums of -0, which a skipped +0 would have made +0. */
static void test_kernels_row_of_zeros_has_the_signs_of_the_product(void **state) {
    layer_data *data = new_sparse_data(state, 131);
    data->x[data->inputs - 1] = 0; /* the one that makes the sums +0 */
    for (size_t i = 0; i < data->inputs; i++) {
        bool zero = data->x[i] == 0;
        data->x[i] = zero ? 0 : 1e-30f;
        for (size_t u = 0; u < data->units; u++)
            data->weights[i * data->units + u] = zero ? 1 : -1e-30f;
    }
    for_each_table(data, check_sparse_row);
}

/* ---- delta weights^T ------------------------------------------------------------------------- */

static void check_transposed(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    size_t rows = data->rows, inputs = data->inputs, units = data->units;
    table->product_transposed(
        rows, inputs, units, all(inputs), data->delta, data->weights, data->result, panel);
    check_result(data, tables, table, rows * inputs);
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < inputs; i++) {
            const term_list list = {
                .terms = units,
                .a = data->delta + r * units,
                .a_step = 1,
                .b = data->weights + i * units,
                .b_step = 1};
            assert_sum(data->result[r * inputs + i], list);
            assert_form(table, data->result[r * inputs + i], chain(list, 0, 1, 0));
        }
    }
}

static void test_kernels_transposed_product_has_its_form_and_bound_for_all_sizes(void **state) {
    for_each_size(new_layer_data(state), check_transposed);
}

static void check_transposed_of_single_rows(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    size_t inputs = data->inputs, units = data->units;
    (void)tables;
    table->product_transposed(
        data->rows, inputs, units, all(inputs), data->delta, data->weights, data->result, panel);
    for (size_t r = 0; r < data->rows; r++) {
        float row[MOST_WIDTH];
        table->product_transposed(
            1, inputs, units, all(inputs), data->delta + r * units, data->weights, row, panel);
        assert_same_bits(row, data->result + r * inputs, inputs);
    }
}

static void check_parts_of_transposed(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    size_t rows = data->rows, inputs = data->inputs, units = data->units;
    static float whole[MOST_ARRAY];
    (void)tables;
    table->product_transposed(
        rows, inputs, units, all(inputs), data->delta, data->weights, data->result, panel);
    for (size_t size = 16; size <= 48; size += 16) {
        for (size_t i = 0; i < inputs; i += size)
            table->product_transposed(
                rows, inputs, units, part_of(i, size, inputs), data->delta, data->weights, whole,
                panel);
        assert_same_bits(whole, data->result, rows * inputs);
    }
}

static void test_kernels_transposed_product_has_the_same_bits_in_parts(void **state) {
    for_each_size(new_layer_data(state), check_parts_of_transposed);
}

static void test_kernels_transposed_product_has_the_same_bits_however_rows_are_batched(
    void **state) {
    for_each_size(new_layer_data(state), check_transposed_of_single_rows);
}

/* ---- x^T delta ------------------------------------------------------------------------------- */

static void check_weight_gradient_sums(
    const layer_data *data, const tnni_kernels *table, const float *start) {
    size_t rows = data->rows, inputs = data->inputs, units = data->units;
    for (size_t i = 0; i < inputs; i++) {
        for (size_t u = 0; u < units; u++) {
            const term_list list = {
                .terms = rows,
                .a = data->x + i,
                .a_step = inputs,
                .b = data->delta + u,
                .b_step = units,
                .more = start == NULL ? 0 : start[i * units + u]};
            assert_sum(data->result[i * units + u], list);
            assert_form(table, data->result[i * units + u], chain(list, 0, 1, list.more));
        }
    }
}

static void check_weight_gradient(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    size_t rows = data->rows, inputs = data->inputs, units = data->units;
    table->weight_gradient(
        rows, inputs, units, all(inputs), all(units), data->x, data->delta, false, data->result,
        panel);
    check_result(data, tables, table, inputs * units);
    check_weight_gradient_sums(data, table, NULL);
}

static void check_accumulated_weight_gradient(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    size_t rows = data->rows, inputs = data->inputs, units = data->units;
    memcpy(data->result, data->start, inputs * units * sizeof(float));
    table->weight_gradient(
        rows, inputs, units, all(inputs), all(units), data->x, data->delta, true, data->result,
        panel);
    check_result(data, tables, table, inputs * units);
    check_weight_gradient_sums(data, table, data->start);
}

static void test_kernels_weight_gradient_has_its_form_and_bound_for_all_sizes(void **state) {
    for_each_size(new_layer_data(state), check_weight_gradient);
}

static void test_kernels_weight_gradient_adds_to_what_is_there_if_asked(void **state) {
    for_each_size(new_layer_data(state), check_accumulated_weight_gradient);
}

static void test_kernels_weight_gradient_has_its_form_and_bound_through_panels(void **state) {
    layer_data *data = new_layer_data(state);
    data->rows = 40;
    data->inputs = 67;
    data->units = 301;
    for_each_table(data, check_weight_gradient);
    for_each_table(data, check_accumulated_weight_gradient);
}

/* ---- Steps where the gradient is summed ------------------------------------------------------ */

static const tnni_step any_step = {
    .rate = 0.37f,
    .weight_decay = 0.125f,
    .shrink = 0.95f,
    .momentum = 0.7f,
    .beta1 = 0.9f,
    .rest1 = 0.1f,
    .beta2 = 0.75f,
    .rest2 = 0.25f,
    .correction = 1.5f,
    .epsilon = 1e-8f,
    .move_shrink = 0.5f,
    .move_grow = 1.25f,
    .least_move = 0.01f,
    .most_move = 0.9f,
    .clip_value = 0.25f,
    .coefficient = 0.75f,
    .l1 = 0.125f,
};

/* Weights and two moments, as a step finds them. */
typedef struct step_data {
    float *weights, *moments;
} step_data;

static step_data new_step_data(const layer_data *data) {
    size_t count = data->inputs * data->units;
    uint64_t random = 77;
    step_data steps = {malloc(count * sizeof(float)), malloc(2 * count * sizeof(float))};
    assert_true(steps.weights && steps.moments);
    memcpy(steps.weights, data->weights, count * sizeof(float));
    fill_random(steps.moments, 2 * count, &random, 0, 1);
    return steps;
}

static void check_weight_update_by(
    layer_data *data, const tnni_kernels *table, const tnni_step *step) {
    size_t inputs = data->inputs, units = data->units, count = inputs * units;
    step_data apart = new_step_data(data), together = new_step_data(data);
    table->weight_gradient(
        data->rows, inputs, units, all(inputs), all(units), data->x, data->delta, false,
        data->start, panel);
    table->steps[step->is_shaped][step->kind](
        step, 1, count, data->start, apart.weights, count, apart.moments, count);
    table->weight_update(
        data->rows, inputs, units, all(inputs), all(units), data->x, data->delta, step,
        together.weights, together.moments, count, panel);
    assert_same_bits(together.weights, apart.weights, count);
    assert_same_bits(together.moments, apart.moments, 2 * count);
    free(apart.weights), free(apart.moments);
    free(together.weights), free(together.moments);
}

static void check_weight_update(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    (void)tables;
    for (int kind = 0; kind < TNNI_METHOD_KINDS; kind++) {
        tnni_step step = any_step;
        step.kind = (tnni_method_kind)kind;
        check_weight_update_by(data, table, &step);
        step.is_shaped = true;
        if (kind != TNNI_DESCENT)
            check_weight_update_by(data, table, &step);
    }
}

static void test_kernels_weight_update_of_a_row_of_zeros_has_the_bits_of_gradient_and_step(
    void **state) {
    for (size_t u = 0; u < COUNT_OF(sparse_units); u++) {
        layer_data *data = new_sparse_data(state, sparse_units[u]);
        for_each_table(data, check_weight_update);
        data->delta[3] = INFINITY; /* which times 0 is a NaN for every input */
        for_each_table(data, check_weight_update);
        free(data);
    }
    new_layer_data(state);
}

static void test_kernels_weight_update_has_the_bits_of_gradient_and_step(void **state) {
    layer_data *data = new_layer_data(state);
    for_each_size(data, check_weight_update);
    data->rows = 40;
    data->inputs = 67;
    data->units = 301;
    for_each_table(data, check_weight_update);
}

/* As threads split it: by rows of the weights and by columns. */
static void check_parts_of_weight_gradient(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    size_t inputs = data->inputs, units = data->units;
    static float whole[MOST_ARRAY];
    (void)tables;
    table->weight_gradient(
        data->rows, inputs, units, all(inputs), all(units), data->x, data->delta, false,
        data->result, panel);
    for (size_t size = 1; size <= 49; size += 16) {
        memset(whole, 0, inputs * units * sizeof(float));
        for (size_t i = 0; i < inputs; i += size + 2) {
            for (size_t u = 0; u < units; u += size)
                table->weight_gradient(
                    data->rows, inputs, units, part_of(i, size + 2, inputs),
                    part_of(u, size, units), data->x, data->delta, false, whole, panel);
        }
        assert_same_bits(whole, data->result, inputs * units);
    }
}

static void test_kernels_weight_gradient_has_the_same_bits_in_parts(void **state) {
    for_each_size(new_layer_data(state), check_parts_of_weight_gradient);
}

/* The sum goes on where the last call left it, in the order of the rows. */
static void check_rows_of_weight_gradient(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    size_t rows = data->rows, inputs = data->inputs, units = data->units;
    static float sum[MOST_ARRAY];
    (void)tables;
    table->weight_gradient(
        rows, inputs, units, all(inputs), all(units), data->x, data->delta, false, data->result,
        panel);
    for (size_t row = 0; row < rows; row++)
        table->weight_gradient(
            1, inputs, units, all(inputs), all(units), data->x + row * inputs,
            data->delta + row * units, row > 0, sum, panel);
    assert_same_bits(sum, data->result, inputs * units);
}

static void test_kernels_weight_gradient_has_the_same_bits_row_by_row(void **state) {
    for_each_size(new_layer_data(state), check_rows_of_weight_gradient);
}

static void test_kernels_weight_gradient_has_its_form_and_bound_for_many_rows(void **state) {
    layer_data *data = new_layer_data(state);
    data->inputs = 37;
    data->units = 51;
    for (data->rows = 8; data->rows <= MOST_ROWS; data->rows++) {
        for_each_table(data, check_weight_gradient);
        for_each_table(data, check_rows_of_weight_gradient);
    }
}

/* ---- Sums of columns ------------------------------------------------------------------------- */

static const float ONE = 1;

static void check_bias_gradient_with(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table, bool accumulate) {
    size_t rows = data->rows, units = data->units;
    memcpy(data->result, data->start, units * sizeof(float));
    table->bias_gradient(rows, units, 0, units, data->delta, accumulate, data->result);
    check_result(data, tables, table, units);
    for (size_t u = 0; u < units; u++) {
        const term_list list = {
            .terms = rows,
            .a = data->delta + u,
            .a_step = units,
            .b = &ONE,
            .more = accumulate ? data->start[u] : 0};
        assert_sum(data->result[u], list);
        assert_form(table, data->result[u], chain(list, 0, 1, list.more));
    }
}

static void check_bias_gradient(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    check_bias_gradient_with(data, tables, table, false);
}

static void check_accumulated_bias_gradient(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    check_bias_gradient_with(data, tables, table, true);
}

/* Nothing is multiplied, so the unfused table has the same bits, too. */
static void check_bias_gradient_bits(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    table->bias_gradient(data->rows, data->units, 0, data->units, data->delta, false, data->result);
    if (table == tables->at[0])
        memcpy(data->fused, data->result, data->units * sizeof(float));
    assert_same_bits(data->result, data->fused, data->units);
}

static void check_parts_of_bias_gradient(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    size_t rows = data->rows, units = data->units;
    (void)tables;
    table->bias_gradient(rows, units, 0, units, data->delta, false, data->result);
    for (size_t size = 1; size <= 19; size += 3) {
        for (size_t first = 0; first < units; first += size) {
            float part[19];
            size_t count = units - first < size ? units - first : size;
            table->bias_gradient(rows, units, first, count, data->delta, false, part);
            assert_same_bits(part, data->result + first, count);
        }
    }
}

static void check_rows_of_bias_gradient(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    size_t rows = data->rows, units = data->units;
    float sum[MOST_WIDTH];
    (void)tables;
    table->bias_gradient(rows, units, 0, units, data->delta, false, data->result);
    for (size_t row = 0; row < rows; row++)
        table->bias_gradient(1, units, 0, units, data->delta + row * units, row > 0, sum);
    assert_same_bits(sum, data->result, units);
}

static void test_kernels_bias_gradient_has_its_form_and_bound_for_all_sizes(void **state) {
    for_each_size(new_layer_data(state), check_bias_gradient);
}

static void test_kernels_bias_gradient_adds_to_what_is_there_if_asked(void **state) {
    for_each_size(new_layer_data(state), check_accumulated_bias_gradient);
}

static void test_kernels_bias_gradient_has_the_same_bits_in_all_tables(void **state) {
    for_each_size(new_layer_data(state), check_bias_gradient_bits);
}

static void test_kernels_bias_gradient_has_the_same_bits_in_parts(void **state) {
    for_each_size(new_layer_data(state), check_parts_of_bias_gradient);
}

static void test_kernels_bias_gradient_has_the_same_bits_row_by_row(void **state) {
    for_each_size(new_layer_data(state), check_rows_of_bias_gradient);
}

/* ---- Weights of rows ------------------------------------------------------------------------- */

/* The factor is rounded once, and the product once. */
static void check_scaled_rows(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    size_t rows = data->rows, units = data->units;
    (void)tables;
    memcpy(data->result, data->delta, rows * units * sizeof(float));
    table->scale_rows(rows, units, data->x, 7, data->result);
    for (size_t i = 0; i < rows * units; i++) {
        float factor = (float)((double)data->x[i / units] / 7);
        float expected = data->delta[i] * factor;
        assert_same_bits(&data->result[i], &expected, 1);
    }
    assert_true(data->result[rows * units] == CANARY);
    memcpy(data->result, data->delta, rows * units * sizeof(float));
    table->scale_rows(rows, units, NULL, 7, data->result);
    for (size_t i = 0; i < rows * units; i++) {
        float expected = data->delta[i] * (1.0f / 7);
        assert_same_bits(&data->result[i], &expected, 1);
    }
}

static void test_kernels_rows_are_scaled_by_their_weight_over_the_batch(void **state) {
    for_each_size(new_layer_data(state), check_scaled_rows);
}

/* ---- Dropout --------------------------------------------------------------------------------- */

enum { DROPOUT_ROWS = 64, DROPOUT_UNITS = 150 };

static const uint64_t KEY = 0x0123456789abcdefu, OTHER_KEY = 0xf0e1d2c3b4a59687u;

static void drop(
    const tnni_kernels *table, float share, size_t first_row, size_t rows, const float *a,
    float *output) {
    table->dropout(KEY, share, first_row, rows, DROPOUT_UNITS, a, output);
}

/* What is kept is multiplied by 1 / (1 - share), a float, and the rest is 0. */
static void check_dropout(const layer_data *data, float share) {
    size_t dropped = 0, count = DROPOUT_ROWS * DROPOUT_UNITS;
    float scale = 1 / (1 - share);
    for (size_t i = 0; i < count; i++) {
        float kept = data->delta[i] * scale;
        if (data->result[i] == 0)
            dropped++;
        else
            assert_same_bits(&data->result[i], &kept, 1);
    }
    /* Binomial: within five standard deviations. */
    double mean = (double)count * share;
    assert_within((double)dropped, mean, 5 * sqrt(mean * (1 - share)));
}

static void check_dropout_everywhere(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    static const float shares[] = {0.0f, 0.01f, 0.2f, 0.5f, 0.9f};
    size_t count = DROPOUT_ROWS * DROPOUT_UNITS;
    for (size_t s = 0; s < COUNT_OF(shares); s++) {
        drop(table, shares[s], 0, DROPOUT_ROWS, data->delta, data->result);
        check_dropout(data, shares[s]);
        drop(tables->at[0], shares[s], 0, DROPOUT_ROWS, data->delta, data->fused);
        assert_same_bits(data->result, data->fused, count);
    }
}

static void test_kernels_dropout_drops_its_share_and_scales_the_rest(void **state) {
    for_each_table(new_layer_data(state), check_dropout_everywhere);
}

static void check_dropout_of_single_rows(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    (void)tables;
    drop(table, 0.5f, 0, DROPOUT_ROWS, data->delta, data->result);
    for (size_t r = 0; r < DROPOUT_ROWS; r++) {
        float row[DROPOUT_UNITS];
        drop(table, 0.5f, r, 1, data->delta + r * DROPOUT_UNITS, row);
        assert_same_bits(row, data->result + r * DROPOUT_UNITS, DROPOUT_UNITS);
    }
    memcpy(data->fused, data->delta, sizeof data->delta);
    drop(table, 0.5f, 0, DROPOUT_ROWS, data->fused, data->fused);
    assert_same_bits(data->fused, data->result, DROPOUT_ROWS * DROPOUT_UNITS);
}

static void test_kernels_dropout_is_the_same_row_by_row_and_in_place(void **state) {
    for_each_table(new_layer_data(state), check_dropout_of_single_rows);
}

/* Two masks of share 1/2 agree in half of the places: within five standard deviations. */
static void check_masks_are_unrelated(const float *one, const float *other) {
    double count = DROPOUT_ROWS * DROPOUT_UNITS, same = 0;
    for (size_t i = 0; i < DROPOUT_ROWS * DROPOUT_UNITS; i++)
        same += (one[i] == 0) == (other[i] == 0);
    assert_within(same, count / 2, 5 * sqrt(count / 4));
}

static void check_other_masks(
    layer_data *data, const kernel_tables *tables, const tnni_kernels *table) {
    (void)tables;
    drop(table, 0.5f, 0, DROPOUT_ROWS, data->delta, data->result);
    table->dropout(OTHER_KEY, 0.5f, 0, DROPOUT_ROWS, DROPOUT_UNITS, data->delta, data->fused);
    check_masks_are_unrelated(data->result, data->fused);
    drop(table, 0.5f, DROPOUT_ROWS, DROPOUT_ROWS, data->delta, data->fused);
    check_masks_are_unrelated(data->result, data->fused);
}

static void test_kernels_dropout_is_another_for_another_key_or_row(void **state) {
    for_each_table(new_layer_data(state), check_other_masks);
}

/* ---- Finding a table ------------------------------------------------------------------------- */

static void test_kernels_find_gives_the_table_of_that_name(void **state) {
    (void)state;
    for (size_t i = 0; i < KERNEL_TABLES; i++) {
        const tnni_kernels *table = NULL;
        tnn_status status = tnni_kernels_find("caller", kernel_names[i], &table);
        if (status == TNN_UNSUPPORTED) {
            assert_null(table);
            assert_non_null(strstr(tnn_error_message(), kernel_names[i]));
            assert_non_null(strstr(tnn_error_message(), "caller"));
            continue;
        }
        assert_ok(status);
        assert_string_equal(table->name, kernel_names[i]);
    }
}

static void test_kernels_find_always_has_the_portable_table(void **state) {
    (void)state;
    const tnni_kernels *table = NULL;
    assert_ok(tnni_kernels_find("caller", "portable", &table));
    assert_non_null(table);
}

static void test_kernels_find_gives_the_best_for_null(void **state) {
    (void)state;
    const tnni_kernels *table = NULL;
    assert_ok(tnni_kernels_find("caller", NULL, &table));
    assert_ptr_equal(table, tnni_kernels_best());
    assert_ptr_equal(table, find_kernel_tables().at[0]);
}

static void test_kernels_find_refuses_a_name_that_is_none(void **state) {
    (void)state;
    static const char *const names[] = {"", "AVX2", "avx", "avx2 ", "portable2", "%s%n"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const tnni_kernels *table = NULL;
        assert_status(tnni_kernels_find("caller", names[i], &table), TNN_INVALID_ARGUMENT);
        assert_null(table);
        assert_non_null(strstr(tnn_error_message(), "caller"));
        assert_non_null(strstr(tnn_error_message(), names[i]));
    }
}

static void test_kernels_every_table_is_complete(void **state) {
    (void)state;
    kernel_tables tables = find_kernel_tables();
    for (size_t t = 0; t < tables.count; t++) {
        const tnni_kernels *table = tables.at[t];
        for (size_t i = 0; i < TNNI_ACTIVATION_KINDS; i++) {
            assert_non_null(table->activations[i].forward);
            assert_non_null(table->activations[i].backward);
        }
        for (size_t i = 0; i < TNNI_LOSS_KINDS; i++)
            assert_non_null(table->losses[i]);
        for (size_t i = 0; i < TNNI_METHOD_KINDS; i++)
            for (size_t is_shaped = 0; is_shaped < 2; is_shaped++)
                assert_int_equal(
                    table->steps[is_shaped][i] == NULL, is_shaped && i == TNNI_DESCENT);
        assert_int_equal(table->fused, kernels_are_fused(table->name));
    }
}

#define WITH_DATA(test) cmocka_unit_test_teardown(test, free_layer_data)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_DATA(test_kernels_product_has_its_form_and_bound_for_all_sizes),
        WITH_DATA(test_kernels_product_has_its_form_and_bound_without_biases),
        WITH_DATA(test_kernels_product_has_the_same_bits_in_parts),
        cmocka_unit_test(test_kernels_product_has_the_same_bits_in_blocks_of_a_large_x),
        WITH_DATA(test_kernels_product_has_the_bits_of_relu_if_asked),
        WITH_DATA(test_kernels_transposed_product_has_the_same_bits_in_parts),
        WITH_DATA(test_kernels_product_has_its_form_and_bound_for_many_rows),
        WITH_DATA(test_kernels_product_has_the_same_bits_however_rows_are_batched),
        WITH_DATA(test_kernels_product_has_its_form_and_bound_through_panels),
        WITH_DATA(test_kernels_row_has_the_bits_of_the_product_and_the_activation),
        WITH_DATA(test_kernels_transposed_product_has_its_form_and_bound_for_all_sizes),
        WITH_DATA(test_kernels_transposed_product_has_the_same_bits_however_rows_are_batched),
        WITH_DATA(test_kernels_weight_gradient_has_its_form_and_bound_for_all_sizes),
        WITH_DATA(test_kernels_weight_gradient_has_its_form_and_bound_through_panels),
        WITH_DATA(test_kernels_weight_update_has_the_bits_of_gradient_and_step),
        WITH_DATA(test_kernels_weight_update_of_a_row_of_zeros_has_the_bits_of_gradient_and_step),
        WITH_DATA(test_kernels_row_of_zeros_has_the_bits_of_the_product),
        WITH_DATA(test_kernels_row_of_zeros_has_the_signs_of_the_product),
        WITH_DATA(test_kernels_weight_gradient_has_its_form_and_bound_for_many_rows),
        WITH_DATA(test_kernels_weight_gradient_adds_to_what_is_there_if_asked),
        WITH_DATA(test_kernels_weight_gradient_has_the_same_bits_in_parts),
        WITH_DATA(test_kernels_weight_gradient_has_the_same_bits_row_by_row),
        WITH_DATA(test_kernels_bias_gradient_has_its_form_and_bound_for_all_sizes),
        WITH_DATA(test_kernels_bias_gradient_adds_to_what_is_there_if_asked),
        WITH_DATA(test_kernels_bias_gradient_has_the_same_bits_in_all_tables),
        WITH_DATA(test_kernels_bias_gradient_has_the_same_bits_in_parts),
        WITH_DATA(test_kernels_bias_gradient_has_the_same_bits_row_by_row),
        WITH_DATA(test_kernels_rows_are_scaled_by_their_weight_over_the_batch),
        WITH_DATA(test_kernels_dropout_drops_its_share_and_scales_the_rest),
        WITH_DATA(test_kernels_dropout_is_the_same_row_by_row_and_in_place),
        WITH_DATA(test_kernels_dropout_is_another_for_another_key_or_row),
        cmocka_unit_test(test_kernels_find_gives_the_table_of_that_name),
        cmocka_unit_test(test_kernels_find_always_has_the_portable_table),
        cmocka_unit_test(test_kernels_find_gives_the_best_for_null),
        cmocka_unit_test(test_kernels_find_refuses_a_name_that_is_none),
        cmocka_unit_test(test_kernels_every_table_is_complete),
    };
    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
