/*
 * test_invariance.c: one result. A value is defined by shapes and data alone: not by the
 * instruction set, not by the number of threads, not by how rows are batched in predict; forward
 * without dropout gives predict's bits, and train those of the three verbs. The dropout mask is a
 * function of seed, forward count, layer, row and unit, and of nothing else.
 */
#include "support/executors.h"
#include "support/gradient_cases.h"

#include "optimizer.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- Nets of many shapes --------------------------------------------------------------------- */

enum { MAX_LAYERS = 4, MAX_WIDTH = 300, MAX_ROWS = 128, MANY_ROWS = 1030, SEED = 77 };

typedef struct shape {
    size_t inputs, layer_count, units[MAX_LAYERS];
} shape;

/*
 * The published 2-2-1, single units, few units after many inputs, widths around the vector lengths
 * 4, 8 and 16, and widths of several register tiles.
 */
static const shape SHAPES[] = {
    {2, 2, {2, 1}},       {1, 1, {1}},          {3, 2, {5, 2}},   {4, 3, {16, 8, 4}},
    {17, 3, {15, 17, 3}}, {64, 3, {64, 64, 1}}, {100, 2, {1, 7}}, {33, 4, {32, 31, 9, 10}},
    {257, 2, {3, 40}},    {90, 2, {130, 10}},
};

/* Large enough for several threads to share, with edges that no tile divides. */
static const shape LARGE_SHAPES[] = {{64, 3, {300, 200, 10}}, {61, 3, {253, 131, 7}}};

/* More inputs than rows, and layers that are shared out by units one after another, with ends that
 * are no whole vector; the last but one has more rows than units behind it. */
static const shape UNIT_SHAPE = {64, 4, {83, 72, 130, 7}};

/*
 * For all methods: a net of the small kernels, one with tails only, one with and without tails, and
 * one whose first layer is so wide, and has so many inputs, that products copy it to panels. The
 * first layer has biases, the second has none.
 */
static const shape METHOD_SHAPES[] = {
    {2, 2, {2, 1}}, {3, 2, {5, 2}}, {20, 2, {40, 10}}, {17, 2, {261, 3}}};

typedef struct recipe {
    const shape *of;
    tnn_activation hidden, last;
    float dropout;     /* of the hidden layers */
    tnn_method method; /* {0}: SGD */
    tnn_net_options options;
} recipe;

static tnn_net *make(const recipe *r) {
    tnn_layer layers[MAX_LAYERS] = {{0}};
    tnn_net_options options = r->options;
    for (size_t l = 0; l < r->of->layer_count; l++) {
        bool last = l + 1 == r->of->layer_count;
        layers[l] = (tnn_layer){
            .units = r->of->units[l],
            .activation = last ? r->last : r->hidden,
            .dropout = last ? 0 : r->dropout,
            .no_bias = l == 1};
    }
    options.seed = SEED;
    tnn_net *net = new_net(r->of->inputs, layers, r->of->layer_count, &options);
    if (options.threads > 1)
        share_out_everything(net);
    uint64_t random = SEED;
    for (size_t l = 0; l < r->of->layer_count; l += 2)
        fill_random(tnn_net_biases(net, l), r->of->units[l], &random, -0.5f, 0.5f);
    return net;
}

/* Rows for any shape; values and zeros, as real data have them. */
typedef struct data {
    float x[MANY_ROWS * MAX_WIDTH];
    float target[MANY_ROWS * MAX_WIDTH];
    float row_weights[MANY_ROWS];
    uint32_t classes[MANY_ROWS];
} data;

static const data *make_rows(size_t rows, size_t inputs, size_t outputs) {
    static data d;
    uint64_t random = inputs;
    fill_random(d.x, rows * inputs, &random, -1, 1);
    for (size_t i = 0; i < rows * inputs; i += 5)
        d.x[i] = 0;
    fill_random(d.target, rows * outputs, &random, 0, 1);
    fill_random(d.row_weights, rows, &random, 0.25f, 2);
    for (size_t i = 0; i < rows; i++)
        d.classes[i] = (uint32_t)(next_random(&random) % outputs);
    return &d;
}

static const data *make_data(size_t inputs, size_t outputs) {
    return make_rows(MAX_ROWS, inputs, outputs);
}

static size_t outputs_of(const shape *s) {
    return s->units[s->layer_count - 1];
}

/* Runs visit over every shape, every activation on the hidden layers, and every kernel table. */
static void for_each_recipe(void (*visit)(const recipe *r)) {
    for (size_t table = 0; table < KERNEL_TABLES; table++) {
        if (!kernels_are_available(kernel_names[table]))
            continue;
        for (size_t s = 0; s < COUNT_OF(SHAPES); s++)
            for (size_t a = 0; a < ACTIVATIONS; a++)
                visit(&(recipe){
                    .of = &SHAPES[s],
                    .hidden = activation_at(a).library,
                    .last = activation_at((a + s) % ACTIVATIONS).library,
                    .options = {.kernels = kernel_names[table]}});
    }
}

/* ---- Batching -------------------------------------------------------------------------------- */

static void predict_in_batches(
    const tnn_net *net, tnn_workspace *workspace, size_t rows, size_t batch, const float *x,
    float *y) {
    for (size_t row = 0; row < rows; row += batch) {
        size_t some = batch < rows - row ? batch : rows - row;
        assert_ok(tnn_predict(
            net, workspace, some, x + row * tnn_net_inputs(net), y + row * tnn_net_outputs(net)));
    }
}

/* The parts of one prediction of rows rows, against the whole of it. */
static void check_batches(const recipe *r, size_t rows, const size_t *batches, size_t count) {
    static float whole[MAX_ROWS * MAX_WIDTH], parts[MAX_ROWS * MAX_WIDTH];
    const data *d = make_data(r->of->inputs, outputs_of(r->of));
    tnn_net *net = make(r);
    tnn_workspace *workspace = new_workspace(net, rows);
    predict_in_batches(net, workspace, rows, rows, d->x, whole);
    for (size_t i = 0; i < count; i++) {
        memset(parts, 0, sizeof parts);
        predict_in_batches(net, workspace, rows, batches[i], d->x, parts);
        assert_same_bits(parts, whole, rows * outputs_of(r->of));
    }
    tnn_workspace_destroy(workspace);
    tnn_net_destroy(net);
}

static void check_batching(const recipe *r) {
    static const size_t batches[] = {1, 2, 3, 7, 16};
    check_batches(r, 29, batches, COUNT_OF(batches));
}

static void test_invariance_predict_has_the_same_bits_in_any_batching(void **state) {
    (void)state;
    for_each_recipe(check_batching);
}

/* More rows than a library may want to take through the layers at once. */
static void check_long_batching(const recipe *r) {
    static const size_t batches[] = {1, 63, 64, 100};
    check_batches(r, MAX_ROWS - 1, batches, COUNT_OF(batches));
}

static void test_invariance_predict_has_the_same_bits_in_any_batching_of_many_rows(void **state) {
    (void)state;
    for_each_recipe(check_long_batching);
}

static void check_workspace_size(const recipe *r) {
    float small[MAX_WIDTH], large[MAX_WIDTH];
    const data *d = make_data(r->of->inputs, outputs_of(r->of));
    tnn_net *net = make(r);
    tnn_workspace *one = new_workspace(net, 1), *many = new_workspace(net, MAX_ROWS);
    assert_ok(tnn_predict(net, one, 1, d->x, small));
    assert_ok(tnn_predict(net, many, 1, d->x, large));
    assert_same_bits(small, large, outputs_of(r->of));
    tnn_workspace_destroy(many);
    tnn_workspace_destroy(one);
    tnn_net_destroy(net);
}

static void test_invariance_predict_has_the_same_bits_in_any_workspace(void **state) {
    (void)state;
    for_each_recipe(check_workspace_size);
}

/* ---- Forward and predict --------------------------------------------------------------------- */

static void check_forward(const recipe *r) {
    static float forward[MAX_ROWS * MAX_WIDTH], predicted[MAX_ROWS * MAX_WIDTH];
    static const size_t rows[] = {1, 2, 5, 32, 29, MAX_ROWS};
    const data *d = make_data(r->of->inputs, outputs_of(r->of));
    tnn_net *net = make(r);
    tnn_workspace *workspace = new_workspace(net, MAX_ROWS);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_ok(tnn_forward(net, rows[i], d->x, forward));
        assert_ok(tnn_predict(net, workspace, rows[i], d->x, predicted));
        assert_same_bits(forward, predicted, rows[i] * outputs_of(r->of));
    }
    tnn_workspace_destroy(workspace);
    tnn_net_destroy(net);
}

static void test_invariance_forward_without_dropout_has_the_bits_of_predict(void **state) {
    (void)state;
    for_each_recipe(check_forward);
}

/* ---- Train and the three verbs --------------------------------------------------------------- */

typedef struct trained {
    tnn_net *net;
    tnn_optimizer *optimizer;
    double value;
} trained;

static trained start(const recipe *r) {
    tnn_net *net = make(r);
    tnn_method method = r->method.vtable == NULL ? tnn_sgd(0.0625f) : r->method;
    return (trained){net, new_optimizer_of(net, method), 0};
}

static void stop(trained *t) {
    tnn_optimizer_destroy(t->optimizer);
    tnn_net_destroy(t->net);
}

static void train(trained *t, tnn_loss loss, const tnn_dataset *batch) {
    assert_ok(tnn_train(t->net, t->optimizer, loss, batch, &t->value));
}

static void three_verbs(
    trained *t, tnn_loss loss, size_t rows, const float *x, const float *target) {
    assert_ok(tnn_forward(t->net, rows, x, NULL));
    assert_ok(tnn_backward(t->net, loss, target, &t->value));
    assert_ok(tnn_step(t->net, t->optimizer));
}

static void assert_same_training(trained *actual, trained *expected) {
    assert_memory_equal(&actual->value, &expected->value, sizeof actual->value);
    assert_same_net(actual->net, expected->net);
    assert_same_moments(actual->optimizer, expected->optimizer);
}

/* Outputs that every loss takes. */
static tnn_activation output_for(size_t loss) {
    return loss_at(loss).reference.kind == REF_BINARY_CROSS_ENTROPY ? tnn_sigmoid() : tnn_softmax();
}

static void check_train_with(const recipe *r, tnn_loss loss, size_t rows) {
    const data *d = make_rows(rows > MAX_ROWS ? rows : MAX_ROWS, r->of->inputs, outputs_of(r->of));
    trained once = start(r), verbs = start(r);
    tnn_dataset batch = {.rows = rows, .x = d->x, .target = d->target};
    for (int step = 0; step < 3; step++) {
        train(&once, loss, &batch);
        three_verbs(&verbs, loss, rows, d->x, d->target);
        assert_same_training(&once, &verbs);
    }
    stop(&verbs);
    stop(&once);
}

static void check_train(const recipe *r) {
    static const size_t rows[] = {1, 5, 32};
    recipe own = *r;
    own.dropout = 0.25f;
    for (size_t loss = 0; loss < LOSSES; loss++) {
        own.last = output_for(loss);
        for (size_t i = 0; i < COUNT_OF(rows); i++)
            check_train_with(&own, loss_at(loss).library, rows[i]);
    }
}

static void test_invariance_train_has_the_bits_of_the_three_verbs(void **state) {
    (void)state;
    for_each_recipe(check_train);
}

/* The pairs computed from z and losses after any other activation, without dropout. */
static void check_train_on_any_output(const recipe *r) {
    check_train_with(r, tnn_half_squared_error(), 7);
    check_train_with(r, tnn_huber(0.5f), 1);
}

static void test_invariance_train_has_the_bits_of_the_three_verbs_on_any_output(void **state) {
    (void)state;
    for_each_recipe(check_train_on_any_output);
}

/* Runs visit for every method on every shape that is for them, kernel table by kernel table. */
static void for_each_method(void (*visit)(const recipe *r)) {
    for (size_t table = 0; table < KERNEL_TABLES; table++) {
        if (!kernels_are_available(kernel_names[table]))
            continue;
        for (size_t s = 0; s < COUNT_OF(METHOD_SHAPES); s++)
            for (size_t i = 0; i < METHODS; i++)
                visit(&(recipe){
                    .of = &METHOD_SHAPES[s],
                    .hidden = tnn_tanh(),
                    .last = tnn_sigmoid(),
                    .method = method_at(i).library,
                    .options = {.kernels = kernel_names[table]}});
    }
}

/* So many rows fit into no panel: the wide net's steps take another way then. */
static void check_method(const recipe *r) {
    static const size_t rows[] = {1, 5, 33, MANY_ROWS};
    const size_t count = r->of->units[0] < 256 ? 3 : 4;
    for (size_t i = 0; i < count; i++)
        check_train_with(r, tnn_mean_squared_error(), rows[i]);
}

static void test_invariance_every_method_trains_with_the_bits_of_the_three_verbs(void **state) {
    (void)state;
    for_each_method(check_method);
}

static void check_classes(const recipe *r) {
    static float one_hot[MAX_ROWS * MAX_WIDTH];
    const size_t rows = 9, outputs = outputs_of(r->of);
    const data *d = make_data(r->of->inputs, outputs);
    recipe own = *r;
    own.last = tnn_softmax();
    trained by_class = start(&own), by_target = start(&own), verbs = start(&own);
    tnn_dataset classes = {.rows = rows, .x = d->x, .classes = d->classes};
    tnn_dataset targets = {.rows = rows, .x = d->x, .target = one_hot};
    memset(one_hot, 0, sizeof one_hot);
    for (size_t row = 0; row < rows; row++)
        one_hot[row * outputs + d->classes[row]] = 1;
    for (int step = 0; step < 3; step++) {
        train(&by_class, tnn_cross_entropy(), &classes);
        train(&by_target, tnn_cross_entropy(), &targets);
        three_verbs(&verbs, tnn_cross_entropy(), rows, d->x, one_hot);
        assert_same_training(&by_class, &verbs);
        assert_same_training(&by_target, &verbs);
    }
    stop(&verbs);
    stop(&by_target);
    stop(&by_class);
}

static void test_invariance_classes_have_the_bits_of_a_one_hot_target(void **state) {
    (void)state;
    for_each_recipe(check_classes);
}

/* Sigmoid outputs do not make a pair with cross_entropy: the way through evaluate. */
static void test_invariance_classes_have_the_bits_of_a_one_hot_target_without_a_pair(void **state) {
    static const shape small = {6, 2, {9, 4}};
    static const float one_hot[] = {0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1};
    static const uint32_t classes[] = {2, 0, 3};
    const data *d = make_data(6, 4);
    recipe r = {.of = &small, .hidden = tnn_tanh(), .last = tnn_sigmoid()};
    trained by_class = start(&r), by_target = start(&r);
    (void)state;
    train(&by_class, tnn_cross_entropy(), &(tnn_dataset){3, d->x, NULL, classes, NULL});
    train(&by_target, tnn_cross_entropy(), &(tnn_dataset){3, d->x, one_hot, NULL, NULL});
    assert_same_training(&by_class, &by_target);
    stop(&by_target);
    stop(&by_class);
}

static void check_unit_weights(const recipe *r) {
    float ones[MAX_ROWS];
    const size_t rows = 11;
    const data *d = make_data(r->of->inputs, outputs_of(r->of));
    trained weighted = start(r), plain = start(r);
    for (size_t i = 0; i < rows; i++)
        ones[i] = 1;
    train(&weighted, tnn_huber(0.5f), &(tnn_dataset){rows, d->x, d->target, NULL, ones});
    train(&plain, tnn_huber(0.5f), &(tnn_dataset){rows, d->x, d->target, NULL, NULL});
    assert_same_training(&weighted, &plain);
    stop(&plain);
    stop(&weighted);
}

static void test_invariance_row_weights_of_one_have_the_bits_of_none(void **state) {
    (void)state;
    for_each_recipe(check_unit_weights);
}

/* Pending gradients send train the way of the three verbs, so that both ways are seen here. */
static void check_pending_weights(const recipe *r) {
    const size_t rows = 11;
    const data *d = make_data(r->of->inputs, outputs_of(r->of));
    tnn_dataset batch = {rows, d->x, d->target, NULL, d->row_weights};
    trained direct = start(r), pending = start(r);
    train(&direct, tnn_huber(0.5f), &batch);
    assert_non_null(tnn_net_gradients(pending.net));
    memset(tnn_net_gradients(pending.net), 0, tnn_net_parameter_count(pending.net) * sizeof(float));
    train(&pending, tnn_huber(0.5f), &batch);
    assert_same_training(&direct, &pending);
    stop(&pending);
    stop(&direct);
}

static void test_invariance_weighted_rows_have_the_same_bits_with_gradients_in_use(void **state) {
    (void)state;
    for_each_recipe(check_pending_weights);
}

/* ---- Threads --------------------------------------------------------------------------------- */

/* All that one net computes from a batch. */
typedef struct results {
    size_t outputs, inputs, parameters, moments;
    float y[MAX_ROWS * MAX_WIDTH];
    float input_gradient[MAX_ROWS * MAX_WIDTH];
    float *gradients, *trained, *trained_moments;
    double loss, trained_loss;
} results;

static float *copy_of(const float *values, size_t count) {
    float *copy = malloc(count * sizeof *copy);
    assert_non_null(copy);
    return memcpy(copy, values, count * sizeof *copy);
}

static void compute_gradients(tnn_net *net, size_t rows, const data *d, results *all) {
    assert_ok(tnn_forward(net, rows, d->x, all->y));
    assert_ok(tnn_backward(net, tnn_cross_entropy(), d->target, &all->loss));
    assert_ok(tnn_forward(net, rows, d->x, NULL));
    assert_ok(tnn_backward_from(net, d->target, all->input_gradient));
    all->gradients = copy_of(tnn_net_gradients(net), all->parameters);
    memset(tnn_net_gradients(net), 0, all->parameters * sizeof(float));
}

static void compute(const recipe *r, size_t rows, results *all) {
    const data *d = make_data(r->of->inputs, outputs_of(r->of));
    trained t = start(r);
    tnn_dataset batch = {rows, d->x, NULL, d->classes, d->row_weights};
    all->outputs = outputs_of(r->of);
    all->inputs = r->of->inputs;
    all->parameters = tnn_net_parameter_count(t.net);
    compute_gradients(t.net, rows, d, all);
    for (int step = 0; step < 3; step++)
        train(&t, tnn_cross_entropy(), &batch);
    all->trained_loss = t.value;
    all->trained = copy_of(tnn_net_read_parameters(t.net), all->parameters);
    all->moments = t.optimizer->moment_count * t.optimizer->stride;
    all->trained_moments = all->moments > 0 ? copy_of(t.optimizer->moments, all->moments) : NULL;
    stop(&t);
}

static void free_results(results *all) {
    free(all->gradients);
    free(all->trained);
    free(all->trained_moments);
}

static void assert_same_results(const results *actual, const results *expected, size_t rows) {
    assert_same_bits(actual->y, expected->y, rows * expected->outputs);
    assert_memory_equal(&actual->loss, &expected->loss, sizeof(double));
    assert_same_bits(actual->input_gradient, expected->input_gradient, rows * expected->inputs);
    assert_same_bits(actual->gradients, expected->gradients, expected->parameters);
    assert_memory_equal(&actual->trained_loss, &expected->trained_loss, sizeof(double));
    assert_same_bits(actual->trained, expected->trained, expected->parameters);
    assert_int_equal(actual->moments, expected->moments);
    assert_same_bits(actual->trained_moments, expected->trained_moments, expected->moments);
}

typedef const tnn_executor *(*init_executor)(test_executor *executor);

/* init NULL: OpenMP, if the library is built with it. */
static void check_threads(recipe r, size_t rows, init_executor init, const results *expected) {
    static results all;
    test_executor executor = {0};
    r.options.executor = init == NULL ? NULL : init(&executor);
    static const unsigned threads[] = {1, 2, 3, 4, 8};
    for (size_t t = 0; t < COUNT_OF(threads); t++) {
        r.options.threads = threads[t];
        compute(&r, rows, &all);
        assert_same_results(&all, expected, rows);
        free_results(&all);
        assert_true(threads[t] > 1 || executor.calls == 0);
    }
    assert_true(init == NULL || executor.calls > 0); /* or this is no test */
}

static void check_all_threads(recipe r, size_t rows) {
    static results alone;
    compute(&r, rows, &alone);
    check_threads(r, rows, NULL, &alone);
    check_threads(r, rows, init_reversed_executor, &alone);
    check_threads(r, rows, init_threaded_executor, &alone);
    free_results(&alone);
}

static void test_invariance_threads_do_not_change_a_bit(void **state) {
    (void)state;
    for (size_t table = 0; table < KERNEL_TABLES; table++)
        for (size_t s = 0; s < COUNT_OF(LARGE_SHAPES); s++) {
            recipe r = {
                .of = &LARGE_SHAPES[s],
                .hidden = tnn_gelu(),
                .last = tnn_softmax(),
                .dropout = 0.25f,
                .options = {.kernels = kernel_names[table]}};
            if (!kernels_are_available(kernel_names[table]))
                continue;
            check_all_threads(r, MAX_ROWS);
            check_all_threads(r, 77);
        }
}

static void test_invariance_threads_do_not_change_a_bit_with_a_custom_activation(void **state) {
    (void)state;
    check_all_threads(
        (recipe){
            .of = &LARGE_SHAPES[1],
            .hidden = activation_at(ACTIVATIONS - 1).library,
            .last = tnn_softmax(),
            .dropout = 0.5f},
        77);
}

static void test_invariance_threads_that_share_units_do_not_change_a_bit(void **state) {
    (void)state;
    for (size_t table = 0; table < KERNEL_TABLES; table++) {
        if (!kernels_are_available(kernel_names[table]))
            continue;
        for (size_t a = 0; a < ACTIVATIONS; a++)
            check_all_threads(
                (recipe){
                    .of = &UNIT_SHAPE,
                    .hidden = activation_at(a).library,
                    .last = tnn_softmax(),
                    .method = tnn_adam(0.01f),
                    .options = {.kernels = kernel_names[table]}},
                9);
    }
}

static void test_invariance_threads_do_not_change_a_bit_of_any_method(void **state) {
    (void)state;
    for (size_t table = 0; table < KERNEL_TABLES; table++) {
        if (!kernels_are_available(kernel_names[table]))
            continue;
        for (size_t i = 0; i < METHODS; i++)
            check_all_threads(
                (recipe){
                    .of = &LARGE_SHAPES[1],
                    .hidden = tnn_tanh(),
                    .last = tnn_softmax(),
                    .method = method_at(i).library,
                    .options = {.kernels = kernel_names[table]}},
                33);
    }
}

static void test_invariance_more_threads_than_rows_do_not_change_a_bit(void **state) {
    static results alone, many;
    test_executor executor;
    recipe r = {.of = &LARGE_SHAPES[0], .hidden = tnn_relu(), .last = tnn_softmax()};
    (void)state;
    for (size_t rows = 1; rows <= 4; rows++) {
        r.options = (tnn_net_options){0};
        compute(&r, rows, &alone);
        r.options = (tnn_net_options){.threads = 16, .executor = init_threaded_executor(&executor)};
        compute(&r, rows, &many);
        assert_true(executor.calls > 0);
        assert_same_results(&many, &alone, rows);
        free_results(&many);
        free_results(&alone);
    }
}

static void test_invariance_predict_stays_in_the_caller_s_thread(void **state) {
    static float y[MAX_ROWS * MAX_WIDTH];
    test_executor executor;
    const data *d = make_data(64, 10);
    recipe r = {.of = &LARGE_SHAPES[0], .hidden = tnn_relu(), .last = tnn_softmax()};
    (void)state;
    r.options.threads = 4;
    r.options.executor = init_threaded_executor(&executor);
    tnn_net *net = make(&r);
    tnn_workspace *workspace = new_workspace(net, MAX_ROWS);
    assert_ok(tnn_predict(net, workspace, MAX_ROWS, d->x, y));
    assert_int_equal(executor.calls, 0);
    tnn_workspace_destroy(workspace);
    tnn_net_destroy(net);
}

typedef struct predictor {
    const tnn_net *net;
    tnn_workspace *workspace;
    const float *x;
    float y[16 * 10];
    tnn_status status;
} predictor;

static void *predict_often(void *argument) {
    predictor *p = argument;
    for (int i = 0; i < 50 && p->status == TNN_OK; i++)
        p->status = tnn_predict(p->net, p->workspace, 16, p->x, p->y);
    return NULL;
}

static void test_invariance_one_net_predicts_in_many_threads_at_once(void **state) {
    enum { THREADS = 4 };
    predictor predictors[THREADS] = {{0}};
    pthread_t threads[THREADS];
    float alone[16 * 10];
    const data *d = make_data(64, 10);
    recipe r = {.of = &LARGE_SHAPES[0], .hidden = tnn_tanh(), .last = tnn_softmax()};
    tnn_net *net = make(&r);
    (void)state;
    for (size_t i = 0; i < THREADS; i++) {
        predictors[i] =
            (predictor){.net = net, .workspace = new_workspace(net, 16), .x = d->x + 64 * i};
        assert_int_equal(pthread_create(&threads[i], NULL, predict_often, &predictors[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_ok(predictors[i].status);
        assert_ok(tnn_predict(net, predictors[0].workspace, 16, predictors[i].x, alone));
        assert_same_bits(predictors[i].y, alone, 16 * 10);
    }
    for (size_t i = 0; i < THREADS; i++)
        tnn_workspace_destroy(predictors[i].workspace);
    tnn_net_destroy(net);
}

/* ---- Instruction sets ------------------------------------------------------------------------ */

static void compute_on(recipe r, const char *kernels, size_t rows, results *all) {
    r.options.kernels = kernels;
    compute(&r, rows, all);
}

/* On every fused table after the first: the first one's bits. */
static void check_tables(const recipe *r, size_t rows) {
    static results first, other;
    bool have_first = false;
    for (size_t table = 0; table < KERNEL_TABLES; table++) {
        const char *name = kernel_names[table];
        if (!kernels_are_fused(name) || !kernels_are_available(name))
            continue;
        compute_on(*r, name, rows, have_first ? &other : &first);
        if (have_first) {
            assert_same_results(&other, &first, rows);
            free_results(&other);
        }
        have_first = true;
    }
    if (have_first)
        free_results(&first);
}

static void test_invariance_fused_tables_have_the_same_bits(void **state) {
    static const size_t rows[] = {1, 3, 8, 33};
    (void)state;
    for (size_t s = 0; s < COUNT_OF(SHAPES); s++)
        for (size_t a = 0; a < ACTIVATIONS; a++)
            for (size_t i = 0; i < COUNT_OF(rows); i++)
                check_tables(
                    &(recipe){
                        .of = &SHAPES[s],
                        .hidden = activation_at(a).library,
                        .last = i % 2 ? tnn_softmax() : tnn_sigmoid(),
                        .dropout = 0.25f},
                    rows[i]);
}

static void test_invariance_fused_tables_have_the_same_bits_in_large_nets(void **state) {
    (void)state;
    for (size_t s = 0; s < COUNT_OF(LARGE_SHAPES); s++)
        check_tables(
            &(recipe){
                .of = &LARGE_SHAPES[s],
                .hidden = tnn_silu(),
                .last = tnn_softmax(),
                .dropout = 0.25f},
            MAX_ROWS);
}

static void test_invariance_fused_tables_have_the_same_bits_of_any_method(void **state) {
    static const size_t rows[] = {1, 33};
    (void)state;
    for (size_t s = 0; s < COUNT_OF(METHOD_SHAPES); s++)
        for (size_t i = 0; i < METHODS; i++)
            for (size_t k = 0; k < COUNT_OF(rows); k++)
                check_tables(
                    &(recipe){
                        .of = &METHOD_SHAPES[s],
                        .hidden = tnn_tanh(),
                        .last = tnn_softmax(),
                        .method = method_at(i).library},
                    rows[k]);
}

/* Weights are drawn without the kernels, so they are the same even where nothing is fused. */
static void test_invariance_every_table_starts_from_the_same_weights(void **state) {
    recipe r = {.of = &SHAPES[7], .hidden = tnn_selu(), .last = tnn_softmax()};
    tnn_net *best = make(&r);
    (void)state;
    for (size_t table = 0; table < KERNEL_TABLES; table++) {
        r.options.kernels = kernel_names[table];
        if (!kernels_are_available(kernel_names[table]))
            continue;
        tnn_net *net = make(&r);
        assert_string_equal(tnn_net_kernel_name(net), kernel_names[table]);
        assert_same_net(net, best);
        tnn_net_destroy(net);
    }
    tnn_net_destroy(best);
}

/*
 * The portable table may round products apart from sums. Each result is within the reference net's
 * bound of the exact one, so two of them are within twice the bound of each other.
 */
static void check_portable(const gradient_case *c) {
    float y[2][CASE_ROWS * CASE_OUTPUTS];
    ref_number exact[CASE_ROWS * CASE_OUTPUTS], gradient[CASE_PARAMETERS];
    tnn_net *nets[] = {new_case_net(c, "portable"), new_case_net(c, NULL)};
    ref_forward(&c->reference, c->rows, c->wide_x, exact);
    ref_backward(&c->reference, c->loss.reference, &c->batch, gradient, NULL);
    for (size_t i = 0; i < 2; i++) {
        assert_ok(tnn_forward(nets[i], c->rows, c->x, y[i]));
        assert_ok(tnn_backward(nets[i], c->loss.library, c->target, NULL));
    }
    for (size_t i = 0; i < c->rows * CASE_OUTPUTS; i++)
        assert_within(y[0][i], y[1][i], 2.02 * exact[i].bound);
    for (size_t i = 0; i < c->parameter_count; i++)
        assert_within(
            tnn_net_gradients(nets[0])[i], tnn_net_gradients(nets[1])[i], 2.02 * gradient[i].bound);
    tnn_net_destroy(nets[1]);
    tnn_net_destroy(nets[0]);
}

static void test_invariance_portable_table_is_within_rounding_of_the_best(void **state) {
    static gradient_case c;
    (void)state;
    for (size_t activation = 0; activation < ACTIVATIONS; activation++)
        for (size_t loss = 0; loss < LOSSES; loss++) {
            make_gradient_case(&c, activation, loss, false, 3, CASE_ROWS);
            check_portable(&c);
        }
}

/* ---- Dropout --------------------------------------------------------------------------------- */

enum { MASK_UNITS = 48, MASK_ROWS = 1024, MASK = MASK_UNITS * MASK_ROWS };

typedef struct mask {
    bool kept[MASK];
} mask;

static void read_mask(mask *m, uint64_t seed, size_t forwards, size_t layer, float dropout) {
    read_dropout_mask(m->kept, seed, forwards, layer, MASK_ROWS, MASK_UNITS, dropout);
}

/* The share of equal places. */
static double agreement(const mask *a, const mask *b) {
    size_t equal = 0;
    for (size_t i = 0; i < MASK; i++)
        equal += a->kept[i] == b->kept[i];
    return (double)equal / MASK;
}

/* count draws of a chance: six standard deviations, which two in 10^9 fair ones pass. */
static double six_sigma(double chance, double count) {
    return 6 * sqrt(chance * (1 - chance) / count);
}

static void test_invariance_dropout_keeps_the_share_it_promises(void **state) {
    static mask m;
    static const float dropouts[] = {0.001f, 0.1f, 0.25f, 0.5f, 0.9f, 0.999f};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(dropouts); i++) {
        size_t kept = 0;
        read_mask(&m, SEED, 0, 0, dropouts[i]);
        for (size_t j = 0; j < MASK; j++)
            kept += m.kept[j];
        assert_within((double)kept / MASK, 1 - dropouts[i], six_sigma(dropouts[i], MASK));
    }
}

static void test_invariance_dropout_keeps_that_share_of_every_unit_and_row(void **state) {
    static mask m;
    size_t of_unit[MASK_UNITS] = {0}, of_row[MASK_ROWS] = {0};
    (void)state;
    read_mask(&m, SEED, 0, 0, 0.5f);
    for (size_t i = 0; i < MASK; i++) {
        of_unit[i % MASK_UNITS] += m.kept[i];
        of_row[i / MASK_UNITS] += m.kept[i];
    }
    for (size_t i = 0; i < MASK_UNITS; i++)
        assert_within((double)of_unit[i] / MASK_ROWS, 0.5, six_sigma(0.5, MASK_ROWS));
    for (size_t i = 0; i < MASK_ROWS; i++)
        assert_within((double)of_row[i] / MASK_UNITS, 0.5, six_sigma(0.5, MASK_UNITS));
}

/* Independent masks of 1/2 agree in half of their places. */
static void test_invariance_dropout_differs_with_seed_forward_and_layer(void **state) {
    static mask m, other;
    static const struct {
        uint64_t seed;
        size_t forwards, layer;
    } others[] = {{SEED + 1, 0, 0}, {SEED ^ (uint64_t)1 << 63, 0, 0},
                  {SEED, 1, 0},     {SEED, 2, 0},
                  {SEED, 0, 1},     {SEED, 0, 2},
                  {SEED, 1, 1}};
    (void)state;
    read_mask(&m, SEED, 0, 0, 0.5f);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        read_mask(&other, others[i].seed, others[i].forwards, others[i].layer, 0.5f);
        assert_within(agreement(&m, &other), 0.5, six_sigma(0.5, MASK));
    }
}

static void test_invariance_dropout_of_neighbours_is_independent(void **state) {
    static mask m;
    size_t units = 0, rows = 0;
    (void)state;
    read_mask(&m, SEED, 3, 1, 0.5f);
    for (size_t i = 0; i + MASK_UNITS < MASK; i++) {
        units += m.kept[i] == m.kept[i + 1];
        rows += m.kept[i] == m.kept[i + MASK_UNITS];
    }
    assert_within((double)units / (MASK - MASK_UNITS), 0.5, six_sigma(0.5, MASK - MASK_UNITS));
    assert_within((double)rows / (MASK - MASK_UNITS), 0.5, six_sigma(0.5, MASK - MASK_UNITS));
}

static void test_invariance_dropout_of_a_row_does_not_depend_on_how_many_there_are(void **state) {
    static mask all, some;
    static const size_t rows[] = {1, 2, 3, 7, 64};
    (void)state;
    read_mask(&all, SEED, 1, 1, 0.25f);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        read_dropout_mask(some.kept, SEED, 1, 1, rows[i], MASK_UNITS, 0.25f);
        assert_memory_equal(some.kept, all.kept, rows[i] * MASK_UNITS * sizeof(bool));
    }
}

static void test_invariance_dropout_of_a_unit_does_not_depend_on_how_many_there_are(void **state) {
    static mask all, some;
    static const size_t widths[] = {1, 2, 3, 7, 17, 33};
    (void)state;
    read_mask(&all, SEED, 1, 1, 0.25f);
    for (size_t i = 0; i < COUNT_OF(widths); i++) {
        read_dropout_mask(some.kept, SEED, 1, 1, MASK_ROWS, widths[i], 0.25f);
        for (size_t row = 0; row < MASK_ROWS; row++)
            assert_memory_equal(
                some.kept + row * widths[i], all.kept + row * MASK_UNITS, widths[i] * sizeof(bool));
    }
}

static tnn_net *new_dropout_net(const tnn_net_options *options, float dropout) {
    tnn_layer layer = {
        .units = MASK_UNITS, .initializer = tnn_uniform(0.5f, 2), .dropout = dropout};
    return new_net(1, &layer, 1, options);
}

static void test_invariance_dropout_scales_what_it_keeps(void **state) {
    static const float dropouts[] = {0.1f, 0.25f, 0.5f, 0.9f};
    const float x = 1;
    float y[MASK_UNITS];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(dropouts); i++) {
        tnn_net *net = new_dropout_net(NULL, dropouts[i]);
        assert_ok(tnn_forward(net, 1, &x, y));
        for (size_t unit = 0; unit < MASK_UNITS; unit++) {
            double whole = tnn_net_weights(net, 0)[unit] / (1 - (double)dropouts[i]);
            /* 1 - p, its inverse and the product are rounded: 3 units of 2^-24, and some of p. */
            if (y[unit] != 0)
                assert_within(y[unit], whole, 4 * 0x1p-24 * whole);
        }
        tnn_net_destroy(net);
    }
}

static void test_invariance_dropout_is_absent_from_predict(void **state) {
    const float x = 1;
    float y[MASK_UNITS];
    tnn_net *net = new_dropout_net(NULL, 0.9f);
    tnn_workspace *workspace = new_workspace(net, 1);
    (void)state;
    assert_ok(tnn_predict(net, workspace, 1, &x, y));
    assert_same_bits(y, tnn_net_weights(net, 0), MASK_UNITS);
    tnn_workspace_destroy(workspace);
    tnn_net_destroy(net);
}

static void test_invariance_dropout_of_zero_has_the_bits_of_predict(void **state) {
    const float x = 1;
    float y[MASK_UNITS];
    tnn_net *net = new_dropout_net(NULL, 0);
    (void)state;
    assert_ok(tnn_forward(net, 1, &x, y));
    assert_same_bits(y, tnn_net_weights(net, 0), MASK_UNITS);
    tnn_net_destroy(net);
}

/* Every table, the unfused one too: bits of y = w / (1 - p) or 0 have no sum in them. */
static void test_invariance_dropout_does_not_depend_on_the_kernels(void **state) {
    float x[8], y[8 * MASK_UNITS], best[8 * MASK_UNITS];
    tnn_net *net = new_dropout_net(NULL, 0.25f);
    (void)state;
    for (size_t row = 0; row < 8; row++)
        x[row] = 1;
    assert_ok(tnn_forward(net, 8, x, best));
    tnn_net_destroy(net);
    for (size_t table = 0; table < KERNEL_TABLES; table++) {
        if (!kernels_are_available(kernel_names[table]))
            continue;
        net = new_dropout_net(&(tnn_net_options){.kernels = kernel_names[table]}, 0.25f);
        assert_ok(tnn_forward(net, 8, x, y));
        assert_same_bits(y, best, 8 * MASK_UNITS);
        tnn_net_destroy(net);
    }
}

static void test_invariance_train_draws_the_mask_of_a_forward(void **state) {
    float x[8], target[8 * MASK_UNITS] = {0}, y[2][8 * MASK_UNITS];
    tnn_net *trained_net = new_dropout_net(NULL, 0.25f), *plain = new_clone(trained_net);
    tnn_optimizer *optimizer = new_optimizer(plain, 0);
    tnn_dataset batch = {.rows = 8, .x = x, .target = target};
    (void)state;
    for (size_t row = 0; row < 8; row++)
        x[row] = 1;
    assert_ok(tnn_train(trained_net, optimizer, tnn_half_squared_error(), &batch, NULL));
    assert_ok(tnn_forward(plain, 8, x, NULL));
    assert_ok(tnn_forward(trained_net, 8, x, y[0]));
    assert_ok(tnn_forward(plain, 8, x, y[1]));
    assert_same_bits(y[0], y[1], 8 * MASK_UNITS);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(plain);
    tnn_net_destroy(trained_net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invariance_predict_has_the_same_bits_in_any_batching),
        cmocka_unit_test(test_invariance_predict_has_the_same_bits_in_any_batching_of_many_rows),
        cmocka_unit_test(test_invariance_predict_has_the_same_bits_in_any_workspace),
        cmocka_unit_test(test_invariance_forward_without_dropout_has_the_bits_of_predict),
        cmocka_unit_test(test_invariance_train_has_the_bits_of_the_three_verbs),
        cmocka_unit_test(test_invariance_train_has_the_bits_of_the_three_verbs_on_any_output),
        cmocka_unit_test(test_invariance_every_method_trains_with_the_bits_of_the_three_verbs),
        cmocka_unit_test(test_invariance_classes_have_the_bits_of_a_one_hot_target),
        cmocka_unit_test(test_invariance_classes_have_the_bits_of_a_one_hot_target_without_a_pair),
        cmocka_unit_test(test_invariance_row_weights_of_one_have_the_bits_of_none),
        cmocka_unit_test(test_invariance_weighted_rows_have_the_same_bits_with_gradients_in_use),
        cmocka_unit_test(test_invariance_threads_do_not_change_a_bit),
        cmocka_unit_test(test_invariance_threads_do_not_change_a_bit_with_a_custom_activation),
        cmocka_unit_test(test_invariance_threads_that_share_units_do_not_change_a_bit),
        cmocka_unit_test(test_invariance_threads_do_not_change_a_bit_of_any_method),
        cmocka_unit_test(test_invariance_more_threads_than_rows_do_not_change_a_bit),
        cmocka_unit_test(test_invariance_predict_stays_in_the_caller_s_thread),
        cmocka_unit_test(test_invariance_one_net_predicts_in_many_threads_at_once),
        cmocka_unit_test(test_invariance_fused_tables_have_the_same_bits),
        cmocka_unit_test(test_invariance_fused_tables_have_the_same_bits_in_large_nets),
        cmocka_unit_test(test_invariance_fused_tables_have_the_same_bits_of_any_method),
        cmocka_unit_test(test_invariance_every_table_starts_from_the_same_weights),
        cmocka_unit_test(test_invariance_portable_table_is_within_rounding_of_the_best),
        cmocka_unit_test(test_invariance_dropout_keeps_the_share_it_promises),
        cmocka_unit_test(test_invariance_dropout_keeps_that_share_of_every_unit_and_row),
        cmocka_unit_test(test_invariance_dropout_differs_with_seed_forward_and_layer),
        cmocka_unit_test(test_invariance_dropout_of_neighbours_is_independent),
        cmocka_unit_test(test_invariance_dropout_of_a_row_does_not_depend_on_how_many_there_are),
        cmocka_unit_test(test_invariance_dropout_of_a_unit_does_not_depend_on_how_many_there_are),
        cmocka_unit_test(test_invariance_dropout_scales_what_it_keeps),
        cmocka_unit_test(test_invariance_dropout_is_absent_from_predict),
        cmocka_unit_test(test_invariance_dropout_of_zero_has_the_bits_of_predict),
        cmocka_unit_test(test_invariance_dropout_does_not_depend_on_the_kernels),
        cmocka_unit_test(test_invariance_train_draws_the_mask_of_a_forward),
    };
    return cmocka_run_group_tests_name("invariance", tests, NULL, NULL);
}
