/*
 * test_allocation.c: every allocation is made to fail once. The call is then TNN_OUT_OF_MEMORY,
 * nothing is lost or changed, and the same call succeeds as soon as there is memory. After reserve
 * the verbs allocate nothing, and predict never does. support/test_allocators.h checks sizes,
 * alignment and the thread of every call on the way.
 */
#include "support/executors.h"
#include "support/test_allocators.h"
#include "support/test_nets.h"

#include "net.h"

#include <float.h>
#include <string.h>

/* ---- Nets on a test allocator ---------------------------------------------------------------- */

enum { INPUTS = 5, OUTPUTS = 3, ROWS = 6, MORE_ROWS = 50 };

static bend_context bends = {.linear = 1, .quadratic = 0.125f};

/* All that can want memory: dropout, an activation that needs z, a pair computed from z. */
static tnn_net *try_net(const tnn_allocator *memory, tnn_status *status) {
    tnn_layer layers[] = {
        {.units = 9, .activation = tnn_gelu(), .dropout = 0.25f},
        {.units = 40, .activation = bend(0.5f, &bends)},
        {.units = OUTPUTS, .activation = tnn_softmax()}};
    tnn_net_options options = {.seed = 3, .allocator = memory};
    tnn_net *net = (tnn_net *)(uintptr_t)1;
    *status = tnn_net_create(&net, INPUTS, layers, 3, &options);
    return net;
}

static tnn_net *new_memory_net(const tnn_allocator *memory) {
    tnn_status status;
    tnn_net *net = try_net(memory, &status);
    assert_ok(status);
    return net;
}

static float x[MORE_ROWS * INPUTS], target[MORE_ROWS * OUTPUTS], y[MORE_ROWS * OUTPUTS];

static int set_up(void **state) {
    uint64_t random = 4;
    (void)state;
    fill_random(x, MORE_ROWS * INPUTS, &random, -1, 1);
    fill_random(target, MORE_ROWS * OUTPUTS, &random, 0, 1);
    return 0;
}

static tnn_dataset rows_of_data(size_t rows) {
    return (tnn_dataset){.rows = rows, .x = x, .target = target};
}

/* ---- Making something fail ------------------------------------------------------------------- */

/* What a call under test works on. */
typedef struct scene {
    test_allocator memory;
    tnn_net *net;
    tnn_optimizer *optimizer;
} scene;

static void open_scene(scene *s) {
    init_test_allocator(&s->memory);
    s->net = new_memory_net(&s->memory.base);
    s->optimizer = new_optimizer(s->net, 0.25f);
}

static void close_scene(scene *s) {
    tnn_optimizer_destroy(s->optimizer);
    tnn_net_destroy(s->net);
    assert_int_equal(s->memory.live, 0);
    assert_int_equal(s->memory.live_bytes, 0);
}

/* The message is about memory. */
static void assert_out_of_memory(tnn_status status) {
    assert_status(status, TNN_OUT_OF_MEMORY);
    assert_string_not_equal(tnn_error_message(), "");
}

/* A net that trains as its twin does has come to no harm. */
static void assert_still_works(scene *s, tnn_net *twin) {
    tnn_dataset batch = rows_of_data(MORE_ROWS);
    tnn_optimizer *optimizer = new_optimizer(twin, 0.25f);
    assert_ok(tnn_train(s->net, s->optimizer, tnn_cross_entropy(), &batch, NULL));
    assert_ok(tnn_train(twin, optimizer, tnn_cross_entropy(), &batch, NULL));
    assert_same_net(s->net, twin);
    tnn_optimizer_destroy(optimizer);
}

/*
 * Runs call with its first, second, ... allocation failing until it has no more of them, each time
 * in a new scene. Returns how many there were.
 */
static size_t fail_each(void (*prepare)(scene *s), tnn_status (*call)(scene *s)) {
    static scene s;
    for (size_t failing = 1;; failing++) {
        open_scene(&s);
        prepare(&s);
        tnn_net *twin = new_clone(s.net);
        s.memory.fail_at = s.memory.calls + failing;
        tnn_status status = call(&s);
        bool failed = s.memory.calls >= s.memory.fail_at;
        s.memory.fail_at = 0;
        if (failed) {
            assert_out_of_memory(status);
            assert_still_works(&s, twin);
        } else
            assert_ok(status);
        tnn_net_destroy(twin);
        close_scene(&s);
        if (!failed)
            return failing - 1;
    }
}

static void prepare_nothing(scene *s) {
    (void)s;
}

/* ---- Every call that allocates --------------------------------------------------------------- */

static void test_allocation_create_fails_clean_without_memory(void **state) {
    test_allocator memory;
    size_t failing = 1;
    (void)state;
    for (bool failed = true; failed; failing++) {
        tnn_status status;
        init_test_allocator(&memory);
        memory.fail_at = failing;
        tnn_net *net = try_net(&memory.base, &status);
        failed = memory.calls >= failing;
        if (failed) {
            assert_out_of_memory(status);
            assert_null(net);
        } else
            assert_ok(status);
        tnn_net_destroy(net);
        assert_int_equal(memory.live, 0);
    }
    assert_true(failing > 2); /* one allocation at least */
}

static tnn_status call_clone(scene *s) {
    tnn_net *copy = s->net;
    tnn_status status = tnn_net_clone(&copy, s->net);
    if (status != TNN_OK)
        assert_null(copy);
    tnn_net_destroy(copy);
    return status;
}

static void test_allocation_clone_fails_clean_without_memory(void **state) {
    (void)state;
    assert_true(fail_each(prepare_nothing, call_clone) > 0);
}

static tnn_method made_method;

static tnn_status call_optimizer_create(scene *s) {
    tnn_optimizer *optimizer = s->optimizer;
    tnn_status status = tnn_optimizer_create(&optimizer, s->net, made_method);
    if (status != TNN_OK)
        assert_null(optimizer);
    tnn_optimizer_destroy(optimizer);
    return status;
}

static void test_allocation_optimizer_create_fails_clean_without_memory(void **state) {
    (void)state;
    for (size_t i = 0; i < METHODS; i++) {
        made_method = method_at(i).library;
        size_t failed = fail_each(prepare_nothing, call_optimizer_create);
        /* All methods but plain SGD have moments, in a block of their own. */
        assert_true(failed > (strcmp(method_at(i).name, "sgd") == 0 ? 0 : 1));
    }
}

static tnn_status call_workspace_create(scene *s) {
    tnn_workspace *workspace = (tnn_workspace *)(uintptr_t)1;
    tnn_status status = tnn_workspace_create(&workspace, s->net, ROWS);
    if (status != TNN_OK)
        assert_null(workspace);
    tnn_workspace_destroy(workspace);
    return status;
}

static void test_allocation_workspace_create_fails_clean_without_memory(void **state) {
    (void)state;
    assert_true(fail_each(prepare_nothing, call_workspace_create) > 0);
}

static tnn_status call_reserve(scene *s) {
    return tnn_net_reserve(s->net, MORE_ROWS);
}

static void test_allocation_reserve_fails_clean_without_memory(void **state) {
    (void)state;
    assert_true(fail_each(prepare_nothing, call_reserve) > 0);
}

static void prepare_a_few_rows(scene *s) {
    assert_ok(tnn_net_reserve(s->net, ROWS));
}

static void test_allocation_reserve_of_more_rows_fails_clean_without_memory(void **state) {
    (void)state;
    assert_true(fail_each(prepare_a_few_rows, call_reserve) > 0);
}

static tnn_status call_forward(scene *s) {
    return tnn_forward(s->net, MORE_ROWS, x, y);
}

static void test_allocation_forward_fails_clean_without_memory(void **state) {
    (void)state;
    assert_true(fail_each(prepare_nothing, call_forward) > 0);
    assert_true(fail_each(prepare_a_few_rows, call_forward) > 0);
}

/* The forward that backward wants is part of the call; it may allocate as well. */
static tnn_status call_forward_and_backward(scene *s) {
    tnn_status status = call_forward(s);
    return status == TNN_OK ? tnn_backward(s->net, tnn_cross_entropy(), target, NULL) : status;
}

static tnn_status call_forward_and_backward_from(scene *s) {
    static float input_gradient[MORE_ROWS * INPUTS];
    tnn_status status = call_forward(s);
    return status == TNN_OK ? tnn_backward_from(s->net, target, input_gradient) : status;
}

/*
 * The twin of fail_each is made before the call, and forward counts for dropout even if backward
 * fails after it; so these two compare with a net that has seen the forward.
 */
static void check_backward(tnn_status (*call)(scene *s)) {
    static scene s;
    bool failed = true;
    for (size_t failing = 1; failed; failing++) {
        open_scene(&s);
        snapshot before = take_snapshot(s.net);
        s.memory.fail_at = s.memory.calls + failing;
        tnn_status status = call(&s);
        failed = s.memory.calls >= s.memory.fail_at;
        s.memory.fail_at = 0;
        if (failed) {
            assert_out_of_memory(status);
            assert_unchanged(s.net, &before);
            assert_status(tnn_backward(s.net, tnn_cross_entropy(), target, NULL), TNN_BAD_STATE);
            tnn_net *twin = new_clone(s.net);
            assert_still_works(&s, twin);
            tnn_net_destroy(twin);
        } else
            assert_ok(status);
        free_snapshot(&before);
        close_scene(&s);
    }
}

static void test_allocation_backward_fails_clean_without_memory(void **state) {
    (void)state;
    check_backward(call_forward_and_backward);
}

static void test_allocation_backward_from_fails_clean_without_memory(void **state) {
    (void)state;
    check_backward(call_forward_and_backward_from);
}

static tnn_status call_train(scene *s) {
    tnn_dataset batch = rows_of_data(MORE_ROWS);
    return tnn_train(s->net, s->optimizer, tnn_cross_entropy(), &batch, NULL);
}

static void test_allocation_train_fails_clean_without_memory(void **state) {
    (void)state;
    assert_true(fail_each(prepare_nothing, call_train) > 0);
    assert_true(fail_each(prepare_a_few_rows, call_train) > 0);
}

static void use_method(scene *s, tnn_method method) {
    tnn_optimizer_destroy(s->optimizer);
    s->optimizer = new_optimizer_of(s->net, method);
}

/* The bits of plain descent, by way of the array of gradients. */
static void prepare_to_clip(scene *s) {
    tnn_method method = tnn_sgd(0.25f);
    method.clip_norm = FLT_MAX;
    use_method(s, method);
}

static void test_allocation_train_that_clips_norms_fails_clean_without_memory(void **state) {
    (void)state;
    assert_int_equal(
        fail_each(prepare_to_clip, call_train), fail_each(prepare_nothing, call_train) + 1);
}

static void test_allocation_train_makes_no_gradients_but_to_clip_norms(void **state) {
    static scene s;
    (void)state;
    for (size_t i = 0; i < METHODS; i++) {
        const tnn_method method = method_at(i).library;
        open_scene(&s);
        use_method(&s, method);
        assert_ok(call_train(&s));
        assert_int_equal(s.net->gradients != NULL, method.clip_norm > 0);
        close_scene(&s);
    }
}

static tnn_status call_train_on_classes(scene *s) {
    static const uint32_t classes[MORE_ROWS];
    tnn_dataset batch = {.rows = MORE_ROWS, .x = x, .classes = classes};
    return tnn_train(s->net, s->optimizer, tnn_cross_entropy(), &batch, NULL);
}

static void test_allocation_train_on_classes_fails_clean_without_memory(void **state) {
    (void)state;
    assert_true(fail_each(prepare_nothing, call_train_on_classes) > 0);
}

static tnn_status call_step(scene *s) {
    return tnn_step(s->net, s->optimizer);
}

static void test_allocation_step_fails_clean_without_memory(void **state) {
    (void)state;
    fail_each(prepare_nothing, call_step); /* may want none */
}

static tnn_status call_check_gradients(scene *s) {
    double worst;
    return tnn_check_gradients(s->net, tnn_cross_entropy(), 2, x, target, &worst);
}

static void test_allocation_check_gradients_fails_clean_without_memory(void **state) {
    (void)state;
    assert_true(fail_each(prepare_nothing, call_check_gradients) > 0);
}

static void test_allocation_gradients_are_null_with_a_message_without_memory(void **state) {
    static scene s;
    (void)state;
    open_scene(&s);
    assert_status(tnn_net_reserve(NULL, 1), TNN_INVALID_ARGUMENT);
    s.memory.fail_at = s.memory.calls + 1;
    float *gradients = tnn_net_gradients(s.net);
    if (s.memory.calls >= s.memory.fail_at) {
        assert_null(gradients);
        assert_non_null(strstr(tnn_error_message(), "tnn_net_gradients"));
    }
    s.memory.fail_at = 0;
    assert_all_zero(tnn_net_gradients(s.net), tnn_net_parameter_count(s.net));
    close_scene(&s);
}

/* ---- Where nothing is allocated -------------------------------------------------------------- */

static void use_all(scene *s, size_t rows) {
    tnn_dataset batch = rows_of_data(rows);
    assert_ok(tnn_forward(s->net, rows, x, y));
    assert_ok(tnn_backward(s->net, tnn_cross_entropy(), target, NULL));
    assert_ok(tnn_forward(s->net, rows, x, y));
    assert_ok(tnn_backward(s->net, tnn_huber(1), target, NULL));
    assert_ok(tnn_forward(s->net, rows, x, NULL));
    assert_ok(tnn_backward_from(s->net, target, NULL));
    assert_ok(tnn_train(s->net, s->optimizer, tnn_cross_entropy(), &batch, NULL));
    assert_ok(tnn_train(s->net, s->optimizer, tnn_huber(1), &batch, NULL));
    assert_ok(call_step(s));
    assert_non_null(tnn_net_gradients(s->net));
}

static void use_classes_and_input_gradient(scene *s, size_t rows) {
    static const uint32_t classes[MORE_ROWS];
    static float input_gradient[MORE_ROWS * INPUTS], row_weights[MORE_ROWS];
    tnn_dataset batch = {rows, x, NULL, classes, row_weights};
    assert_ok(tnn_train(s->net, s->optimizer, tnn_cross_entropy(), &batch, NULL));
    assert_ok(tnn_forward(s->net, rows, x, NULL));
    assert_ok(tnn_backward_from(s->net, target, input_gradient));
}

static void test_allocation_after_reserve_nothing_allocates(void **state) {
    static scene s;
    (void)state;
    open_scene(&s);
    assert_ok(tnn_net_reserve(s.net, MORE_ROWS));
    size_t calls = s.memory.calls;
    for (size_t rows = 1; rows <= MORE_ROWS; rows++) {
        use_all(&s, rows);
        use_classes_and_input_gradient(&s, rows);
    }
    assert_int_equal(s.memory.calls, calls);
    close_scene(&s);
}

static void test_allocation_after_the_same_rows_once_nothing_allocates(void **state) {
    static scene s;
    (void)state;
    open_scene(&s);
    use_all(&s, MORE_ROWS);
    use_classes_and_input_gradient(&s, MORE_ROWS);
    size_t calls = s.memory.calls;
    use_all(&s, MORE_ROWS);
    use_all(&s, 1);
    use_classes_and_input_gradient(&s, MORE_ROWS);
    assert_int_equal(s.memory.calls, calls);
    close_scene(&s);
}

static void test_allocation_reserve_never_shrinks(void **state) {
    static scene s;
    (void)state;
    open_scene(&s);
    assert_ok(tnn_net_reserve(s.net, MORE_ROWS));
    size_t calls = s.memory.calls, bytes = s.memory.live_bytes;
    assert_ok(tnn_net_reserve(s.net, 1));
    use_all(&s, MORE_ROWS);
    assert_int_equal(s.memory.calls, calls);
    assert_int_equal(s.memory.live_bytes, bytes);
    close_scene(&s);
}

static void test_allocation_predict_never_allocates(void **state) {
    static scene s;
    (void)state;
    open_scene(&s);
    tnn_workspace *workspace = new_workspace(s.net, MORE_ROWS);
    size_t calls = s.memory.calls;
    for (size_t rows = 1; rows <= MORE_ROWS; rows++)
        assert_ok(tnn_predict(s.net, workspace, rows, x, y));
    assert_int_equal(s.memory.calls, calls);
    tnn_workspace_destroy(workspace);
    close_scene(&s);
}

static void test_allocation_threads_allocate_nothing_after_reserve(void **state) {
    static float wide_x[128 * 64];
    static const uint32_t classes[128];
    test_allocator memory;
    test_executor executor;
    tnn_layer layers[] = {{.units = 300}, {.units = 10, .activation = tnn_softmax()}};
    tnn_net_options options = {
        .allocator = init_test_allocator(&memory),
        .threads = 3,
        .executor = init_threaded_executor(&executor)};
    tnn_dataset batch = {.rows = 128, .x = wide_x, .classes = classes};
    (void)state;
    tnn_net *net = new_net(64, layers, 2, &options);
    tnn_optimizer *optimizer = new_optimizer(net, 0.1f);
    assert_ok(tnn_net_reserve(net, 128));
    size_t calls = memory.calls;
    for (int step = 0; step < 3; step++)
        assert_ok(tnn_train(net, optimizer, tnn_cross_entropy(), &batch, NULL));
    assert_int_equal(memory.calls, calls);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
    assert_int_equal(memory.live, 0);
}

/* ---- Whose allocator it is ------------------------------------------------------------------- */

static void test_allocation_everything_made_for_a_net_uses_its_allocator(void **state) {
    static scene s;
    (void)state;
    open_scene(&s);
    size_t calls = s.memory.calls;
    tnn_workspace *workspace = new_workspace(s.net, 1);
    assert_true(s.memory.calls > calls);
    calls = s.memory.calls;
    tnn_optimizer *optimizer = new_optimizer(s.net, 1);
    assert_true(s.memory.calls > calls);
    calls = s.memory.calls;
    tnn_net *copy = new_clone(s.net);
    assert_true(s.memory.calls > calls);
    tnn_net_destroy(copy);
    tnn_optimizer_destroy(optimizer);
    tnn_workspace_destroy(workspace);
    close_scene(&s);
}

/* Workspace and optimizer outlive the net, and give back to its allocator all the same. */
static void test_allocation_outliving_objects_release_to_the_same_allocator(void **state) {
    static scene s;
    (void)state;
    open_scene(&s);
    tnn_workspace *workspace = new_workspace(s.net, ROWS);
    tnn_net_destroy(s.net);
    s.net = NULL;
    tnn_workspace_destroy(workspace);
    close_scene(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocation_create_fails_clean_without_memory),
        cmocka_unit_test(test_allocation_clone_fails_clean_without_memory),
        cmocka_unit_test(test_allocation_optimizer_create_fails_clean_without_memory),
        cmocka_unit_test(test_allocation_workspace_create_fails_clean_without_memory),
        cmocka_unit_test(test_allocation_reserve_fails_clean_without_memory),
        cmocka_unit_test(test_allocation_reserve_of_more_rows_fails_clean_without_memory),
        cmocka_unit_test(test_allocation_forward_fails_clean_without_memory),
        cmocka_unit_test(test_allocation_backward_fails_clean_without_memory),
        cmocka_unit_test(test_allocation_backward_from_fails_clean_without_memory),
        cmocka_unit_test(test_allocation_train_fails_clean_without_memory),
        cmocka_unit_test(test_allocation_train_that_clips_norms_fails_clean_without_memory),
        cmocka_unit_test(test_allocation_train_makes_no_gradients_but_to_clip_norms),
        cmocka_unit_test(test_allocation_train_on_classes_fails_clean_without_memory),
        cmocka_unit_test(test_allocation_step_fails_clean_without_memory),
        cmocka_unit_test(test_allocation_check_gradients_fails_clean_without_memory),
        cmocka_unit_test(test_allocation_gradients_are_null_with_a_message_without_memory),
        cmocka_unit_test(test_allocation_after_reserve_nothing_allocates),
        cmocka_unit_test(test_allocation_after_the_same_rows_once_nothing_allocates),
        cmocka_unit_test(test_allocation_reserve_never_shrinks),
        cmocka_unit_test(test_allocation_predict_never_allocates),
        cmocka_unit_test(test_allocation_threads_allocate_nothing_after_reserve),
        cmocka_unit_test(test_allocation_everything_made_for_a_net_uses_its_allocator),
        cmocka_unit_test(test_allocation_outliving_objects_release_to_the_same_allocator),
    };
    return cmocka_run_group_tests_name("allocation", tests, set_up, NULL);
}
