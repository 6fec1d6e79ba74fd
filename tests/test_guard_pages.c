/*
 * test_guard_pages.c: nothing reads or writes past an array. The caller's arrays and every block of
 * the library's lie against pages that nobody may touch, for all inputs and units from 1 to 40,
 * with rows from 1 to 40 among them, on every kernel table.
 */
#include "support/guard_pages.h"
#include "support/test_nets.h"

#include <string.h>
#include <unistd.h>

enum { MAX_SIZE = 40, MAX_ELEMENTS = MAX_SIZE * MAX_SIZE };

/* ---- The caller's arrays --------------------------------------------------------------------- */

typedef struct rooms {
    guarded x, y, target, output_gradient, input_gradient, row_weights, classes;
} rooms;

static int set_up(void **state) {
    static rooms all;
    const size_t bytes = MAX_ELEMENTS * sizeof(float);
    all = (rooms){new_guarded(bytes), new_guarded(bytes), new_guarded(bytes), new_guarded(bytes),
                  new_guarded(bytes), new_guarded(bytes), new_guarded(bytes)};
    *state = &all;
    return 0;
}

static int tear_down(void **state) {
    rooms *all = *state;
    free_guarded(&all->x);
    free_guarded(&all->y);
    free_guarded(&all->target);
    free_guarded(&all->output_gradient);
    free_guarded(&all->input_gradient);
    free_guarded(&all->row_weights);
    free_guarded(&all->classes);
    return 0;
}

/* Where in its room an array lies: at_end or at_start. */
typedef float *(*place)(const guarded *room, size_t count);

typedef struct arrays {
    size_t rows, inputs, outputs;
    float *x, *y, *target, *output_gradient, *input_gradient, *row_weights;
    uint32_t *classes;
} arrays;

static arrays place_arrays(
    const rooms *all, place put, size_t rows, size_t inputs, size_t outputs) {
    uint64_t random = rows;
    arrays a = {
        .rows = rows,
        .inputs = inputs,
        .outputs = outputs,
        .x = put(&all->x, rows * inputs),
        .y = put(&all->y, rows * outputs),
        .target = put(&all->target, rows * outputs),
        .output_gradient = put(&all->output_gradient, rows * outputs),
        .input_gradient = put(&all->input_gradient, rows * inputs),
        .row_weights = put(&all->row_weights, rows),
        .classes = (uint32_t *)(void *)put(&all->classes, rows)};
    fill_random(a.x, rows * inputs, &random, -1, 1);
    fill_random(a.target, rows * outputs, &random, 0.25f, 0.75f);
    fill_random(a.output_gradient, rows * outputs, &random, -1, 1);
    fill_random(a.row_weights, rows, &random, 0.5f, 1);
    for (size_t row = 0; row < rows; row++)
        a.classes[row] = (uint32_t)(row % outputs);
    return a;
}

/* ---- One net --------------------------------------------------------------------------------- */

typedef struct shape {
    size_t inputs, units, outputs, rows;
    tnn_activation hidden, last;
    tnn_loss loss;
    tnn_method method;
} shape;

static tnn_net *make(const shape *s, const char *kernels, unsigned threads) {
    tnn_layer layers[] = {
        {.units = s->units, .activation = s->hidden, .dropout = s->units % 3 == 0 ? 0.25f : 0},
        {.units = s->outputs, .activation = s->last, .no_bias = s->units % 2 == 0}};
    tnn_net_options options = {
        .allocator = guard_allocator(), .kernels = kernels, .threads = threads};
    return new_net(s->inputs, layers, 2, &options);
}

static void predict(tnn_net *net, const arrays *a) {
    tnn_workspace *workspace = new_workspace(net, a->rows);
    assert_ok(tnn_predict(net, workspace, a->rows, a->x, a->y));
    assert_ok(tnn_predict(net, workspace, 1, a->x, a->y));
    tnn_workspace_destroy(workspace);
}

static void three_verbs(tnn_net *net, tnn_optimizer *optimizer, tnn_loss loss, const arrays *a) {
    assert_ok(tnn_forward(net, a->rows, a->x, a->y));
    assert_ok(tnn_backward(net, loss, a->target, NULL));
    assert_ok(tnn_forward(net, a->rows, a->x, NULL));
    assert_ok(tnn_backward_from(net, a->output_gradient, a->input_gradient));
    assert_ok(tnn_step(net, optimizer));
}

static void train(tnn_net *net, tnn_optimizer *optimizer, tnn_loss loss, const arrays *a) {
    tnn_dataset targets = {a->rows, a->x, a->target, NULL, NULL};
    tnn_dataset weighted = {a->rows, a->x, a->target, NULL, a->row_weights};
    assert_ok(tnn_train(net, optimizer, loss, &targets, NULL));
    assert_ok(tnn_train(net, optimizer, loss, &weighted, NULL));
}

/* Classes go with cross_entropy, which wants outputs above 0. */
static void train_classes(tnn_net *net, tnn_optimizer *optimizer, const shape *s, const arrays *a) {
    tnn_dataset classes = {a->rows, a->x, NULL, a->classes, a->row_weights};
    if (s->loss.vtable == tnn_cross_entropy().vtable)
        assert_ok(tnn_train(net, optimizer, s->loss, &classes, NULL));
}

static void exercise(const shape *s, const char *kernels, unsigned threads, const arrays *a) {
    tnn_net *net = make(s, kernels, threads);
    if (threads > 1)
        share_out_everything(net);
    tnn_optimizer *optimizer = new_optimizer_of(net, s->method);
    predict(net, a);
    three_verbs(net, optimizer, s->loss, a);
    train(net, optimizer, s->loss, a);
    train_classes(net, optimizer, s, a);
    predict(net, a);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
}

/* At the other end the same floats give the same bits, whatever their address. */
static void check(const rooms *all, const shape *s, const char *kernels, unsigned threads) {
    float y[MAX_ELEMENTS], input_gradient[MAX_ELEMENTS];
    arrays a = place_arrays(all, at_end, s->rows, s->inputs, s->outputs);
    exercise(s, kernels, threads, &a);
    memcpy(y, a.y, s->rows * s->outputs * sizeof *y);
    memcpy(input_gradient, a.input_gradient, s->rows * s->inputs * sizeof *y);
    a = place_arrays(all, at_start, s->rows, s->inputs, s->outputs);
    exercise(s, kernels, threads, &a);
    assert_same_bits(a.y, y, s->rows * s->outputs);
    assert_same_bits(a.input_gradient, input_gradient, s->rows * s->inputs);
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

/* Every activation, loss and method come past, on outputs that suit the loss. */
static shape shape_of(size_t inputs, size_t units) {
    size_t turn = inputs * MAX_SIZE + units;
    loss_entry loss = loss_at(turn % LOSSES);
    return (shape){
        .inputs = inputs,
        .units = units,
        .outputs = (7 * inputs + 3 * units) % MAX_SIZE + 1,
        .rows = (11 * inputs + 13 * units) % MAX_SIZE + 1,
        .hidden = activation_at(turn % ACTIVATIONS).library,
        .last = turn % 2 == 0 ? tnn_softmax() : tnn_sigmoid(),
        .loss = loss.library,
        .method = method_at(turn % METHODS).library};
}

static void test_guard_pages_nothing_passes_an_end_for_any_inputs_and_units(void **state) {
    for (size_t table = 0; table < KERNEL_TABLES; table++) {
        if (!kernels_are_available(kernel_names[table]))
            continue;
        for (size_t inputs = 1; inputs <= MAX_SIZE; inputs++)
            for (size_t units = 1; units <= MAX_SIZE; units++) {
                shape s = shape_of(inputs, units);
                check(*state, &s, kernel_names[table], 1);
            }
    }
}

static void test_guard_pages_nothing_passes_an_end_for_any_rows_and_outputs(void **state) {
    for (size_t table = 0; table < KERNEL_TABLES; table++) {
        if (!kernels_are_available(kernel_names[table]))
            continue;
        for (size_t rows = 1; rows <= MAX_SIZE; rows++)
            for (size_t outputs = 1; outputs <= MAX_SIZE; outputs++) {
                shape s = shape_of(rows, outputs);
                s.rows = rows;
                s.outputs = outputs;
                check(*state, &s, kernel_names[table], 1);
            }
    }
}

static void test_guard_pages_nothing_passes_an_end_with_threads(void **state) {
    for (size_t table = 0; table < KERNEL_TABLES; table++) {
        if (!kernels_are_available(kernel_names[table]))
            continue;
        for (size_t size = 1; size <= MAX_SIZE; size++) {
            shape s = shape_of(size, MAX_SIZE + 1 - size);
            check(*state, &s, kernel_names[table], 3);
        }
    }
}

/* ---- Single layers --------------------------------------------------------------------------- */

static void check_single(
    const rooms *all, const char *kernels, size_t inputs, size_t units, size_t rows) {
    arrays a = place_arrays(all, at_end, rows, inputs, units);
    tnn_layer layer = {.units = units, .activation = tnn_softmax()};
    tnn_net_options options = {.allocator = guard_allocator(), .kernels = kernels};
    tnn_net *net = new_net(inputs, &layer, 1, &options);
    tnn_optimizer *optimizer = new_optimizer_of(net, method_at((inputs + units) % METHODS).library);
    predict(net, &a);
    three_verbs(net, optimizer, tnn_cross_entropy(), &a);
    train(net, optimizer, tnn_cross_entropy(), &a);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
}

static void test_guard_pages_nothing_passes_an_end_in_a_single_layer(void **state) {
    for (size_t table = 0; table < KERNEL_TABLES; table++) {
        if (!kernels_are_available(kernel_names[table]))
            continue;
        for (size_t inputs = 1; inputs <= MAX_SIZE; inputs++)
            for (size_t units = 1; units <= MAX_SIZE; units++)
                check_single(*state, kernel_names[table], inputs, units, (inputs + units) % 17 + 1);
    }
}

/* ---- The pages themselves -------------------------------------------------------------------- */

/* The allocator's promise that the tests above rest on: at most alignment - 1 bytes are left. */
static void test_guard_pages_allocator_leaves_less_than_the_alignment(void **state) {
    const tnn_allocator *memory = guard_allocator();
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    (void)state;
    for (size_t alignment = 1; alignment <= 64; alignment *= 2)
        for (size_t bytes = 1; bytes <= 200; bytes++) {
            unsigned char *block = memory->allocate(memory->context, bytes, alignment);
            assert_int_equal((uintptr_t)block % alignment, 0);
            size_t left = (page - (uintptr_t)(block + bytes) % page) % page;
            assert_true(left < alignment);
            memory->release(memory->context, block, bytes);
        }
}

#define WITH_ROOMS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_ROOMS(test_guard_pages_nothing_passes_an_end_for_any_inputs_and_units),
        WITH_ROOMS(test_guard_pages_nothing_passes_an_end_for_any_rows_and_outputs),
        WITH_ROOMS(test_guard_pages_nothing_passes_an_end_with_threads),
        WITH_ROOMS(test_guard_pages_nothing_passes_an_end_in_a_single_layer),
        cmocka_unit_test(test_guard_pages_allocator_leaves_less_than_the_alignment),
    };
    return cmocka_run_group_tests_name("guard_pages", tests, NULL, NULL);
}
