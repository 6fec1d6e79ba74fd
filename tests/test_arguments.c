/*
 * test_arguments.c: every public function refuses every invalid argument: the status, an output
 * that is NULL, a message that names the function and the argument, and a net that is as it was.
 */
#include "support/test_allocators.h"
#include "support/test_nets.h"

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const float BAD_NUMBERS[] = {NAN, INFINITY, -INFINITY, -0.5f};

/* ---- The message ----------------------------------------------------------------------------- */

static bool is_letter(char c) {
    return isalnum((unsigned char)c) || c == '_';
}

/* Does text hold the word of this length, and not as a part of a longer one? */
static bool holds(const char *text, const char *word, size_t length) {
    for (const char *at = text; *at != '\0'; at++)
        if (strncmp(at, word, length) == 0 && !is_letter(at[length]) &&
            (at == text || !is_letter(at[-1])))
            return true;
    return false;
}

/* Does text hold one of the words, separated by '|'? Yes if there are none. */
static bool holds_a_word(const char *text, const char *words) {
    if (*words == '\0')
        return true;
    while (*words != '\0') {
        size_t length = strcspn(words, "|");
        if (holds(text, words, length))
            return true;
        words += length + (words[length] == '|');
    }
    return false;
}

static void check_message(const char *function, const char *arguments, const char *file, int line) {
    const char *message = tnn_error_message();
    if (holds_a_word(message, function) && holds_a_word(message, arguments))
        return;
    print_error("\"%s\" does not name %s and %s\n", message, function, arguments);
    _fail(file, line);
}

/* So that a message left by an earlier fault cannot pass for the one expected. */
static void spoil_message(void) {
    (void)tnn_net_inputs(NULL);
}

/* ---- The fixture ----------------------------------------------------------------------------- */

/* A net 3-4-2 with gradients in it, and all that its functions want. */
typedef struct fixture {
    tnn_net *net;
    tnn_optimizer *optimizer;
    tnn_workspace *workspace;
    snapshot before;
    float x[4 * 3], y[4 * 2], target[4 * 2], input_gradient[4 * 3];
    uint32_t classes[4];
    tnn_dataset batch;
    double value;
} fixture;

enum { ROWS = 4, INPUTS = 3, OUTPUTS = 2, MAX_ROWS = 4 };

static const tnn_layer LAYERS[] = {{.units = 4}, {.units = OUTPUTS}};

static int set_up(void **state) {
    static fixture f;
    uint64_t random = 1;
    f.net = new_net(INPUTS, LAYERS, 2, NULL);
    f.optimizer = new_optimizer(f.net, 0.5f);
    f.workspace = new_workspace(f.net, MAX_ROWS);
    fill_random(f.x, ROWS * INPUTS, &random, -1, 1);
    fill_random(f.target, ROWS * OUTPUTS, &random, 0, 1);
    memset(f.classes, 0, sizeof f.classes);
    f.batch = (tnn_dataset){.rows = ROWS, .x = f.x, .target = f.target};
    assert_ok(tnn_forward(f.net, ROWS, f.x, f.y));
    assert_ok(tnn_backward(f.net, tnn_half_squared_error(), f.target, NULL));
    f.before = take_snapshot(f.net);
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    assert_unchanged(f->net, &f->before);
    free_snapshot(&f->before);
    tnn_workspace_destroy(f->workspace);
    tnn_optimizer_destroy(f->optimizer);
    tnn_net_destroy(f->net);
    return 0;
}

/* A forward for the backward under test to consume: a failed call discards it. */
static tnn_net *pending(fixture *f) {
    assert_ok(tnn_forward(f->net, ROWS, f->x, NULL));
    return f->net;
}

/*
 * The call is refused with the status and a message that names the function and one of the
 * arguments, and leaves the fixture's net as it was.
 */
#define assert_refused(f, call, status, function, arguments)                                       \
    do {                                                                                           \
        spoil_message();                                                                           \
        assert_status(call, status);                                                               \
        check_message(function, arguments, __FILE__, __LINE__);                                    \
        assert_unchanged((f)->net, &(f)->before);                                                  \
    } while (0)

#define assert_invalid(f, call, function, arguments)                                               \
    assert_refused(f, call, TNN_INVALID_ARGUMENT, function, arguments)

/* The getter gives nothing (0 or NULL) and says why. */
#define assert_no_answer(expression, function, arguments)                                          \
    do {                                                                                           \
        (void)tnn_net_outputs(NULL);                                                               \
        assert_true((expression) == 0);                                                            \
        check_message(function, arguments, __FILE__, __LINE__);                                    \
    } while (0)

/* ---- Status ---------------------------------------------------------------------------------- */

static void test_arguments_status_string_names_every_status(void **state) {
    (void)state;
    assert_string_equal(tnn_status_string(TNN_OK), "TNN_OK");
    assert_string_equal(tnn_status_string(TNN_INVALID_ARGUMENT), "TNN_INVALID_ARGUMENT");
    assert_string_equal(tnn_status_string(TNN_OUT_OF_MEMORY), "TNN_OUT_OF_MEMORY");
    assert_string_equal(tnn_status_string(TNN_BAD_STATE), "TNN_BAD_STATE");
    assert_string_equal(tnn_status_string(TNN_IO_ERROR), "TNN_IO_ERROR");
    assert_string_equal(tnn_status_string(TNN_BAD_FORMAT), "TNN_BAD_FORMAT");
    assert_string_equal(tnn_status_string(TNN_UNSUPPORTED), "TNN_UNSUPPORTED");
    assert_string_equal(tnn_status_string(TNN_NOT_FINITE), "TNN_NOT_FINITE");
}

static void test_arguments_status_string_knows_no_other(void **state) {
    (void)state;
    assert_string_equal(tnn_status_string((tnn_status)(TNN_NOT_FINITE + 1)), "unknown status");
    assert_string_equal(tnn_status_string((tnn_status)-1), "unknown status");
}

static void test_arguments_version_is_the_header_s(void **state) {
    (void)state;
    assert_string_equal(tnn_version(), TNN_VERSION_STRING);
}

static void *message_of_a_fresh_thread(void *argument) {
    static char text[16];
    (void)argument;
    strncpy(text, tnn_error_message(), sizeof text - 1);
    return text;
}

static void test_arguments_message_is_the_thread_s_own_and_empty_at_first(void **state) {
    pthread_t thread;
    void *text;
    (void)state;
    assert_status(tnn_net_reserve(NULL, 1), TNN_INVALID_ARGUMENT);
    assert_string_not_equal(tnn_error_message(), "");
    assert_int_equal(pthread_create(&thread, NULL, message_of_a_fresh_thread, NULL), 0);
    assert_int_equal(pthread_join(thread, &text), 0);
    assert_string_equal(text, "");
}

static void test_arguments_message_stays_through_a_success(void **state) {
    fixture *f = *state;
    char before[512] = "";
    assert_status(tnn_net_reserve(NULL, 1), TNN_INVALID_ARGUMENT);
    strncpy(before, tnn_error_message(), sizeof before - 1);
    assert_ok(tnn_predict(f->net, f->workspace, ROWS, f->x, f->y));
    assert_string_equal(tnn_error_message(), before);
}

/* The check steps out of the logarithm's domain and back; that is no failure. */
static void test_arguments_message_stays_through_a_gradient_check(void **state) {
    const float x = 1, target = 1;
    double worst;
    tnn_layer layer = {.units = 1, .no_bias = true};
    (void)state;
    tnn_net *net = new_net(1, &layer, 1, NULL);
    tnn_net_parameters(net)[0] = 0.0625f;
    assert_status(tnn_net_reserve(NULL, 1), TNN_INVALID_ARGUMENT);
    assert_ok(tnn_check_gradients(net, tnn_cross_entropy(), 1, &x, &target, &worst));
    assert_true(worst < 0.01);
    assert_non_null(strstr(tnn_error_message(), "tnn_net_reserve"));
    tnn_net_destroy(net);
}

/* ---- Create ---------------------------------------------------------------------------------- */

static void assert_not_created(
    tnn_status status, size_t inputs, const tnn_layer *layers, size_t layer_count,
    const tnn_net_options *options, const char *arguments) {
    tnn_net *net = (tnn_net *)&net;
    spoil_message();
    assert_status(tnn_net_create(&net, inputs, layers, layer_count, options), status);
    assert_null(net);
    check_message("tnn_net_create", arguments, __FILE__, __LINE__);
}

/* The second of two layers is the faulty one. */
static void assert_layer_refused(tnn_layer layer, const char *arguments) {
    tnn_layer layers[] = {{.units = 3}, layer};
    assert_not_created(TNN_INVALID_ARGUMENT, 2, layers, 2, NULL, arguments);
}

static void test_arguments_create_refuses_no_net(void **state) {
    fixture *f = *state;
    assert_invalid(f, tnn_net_create(NULL, 2, LAYERS, 2, NULL), "tnn_net_create", "net");
}

static void test_arguments_create_refuses_counts_of_zero(void **state) {
    (void)state;
    assert_not_created(TNN_INVALID_ARGUMENT, 0, LAYERS, 2, NULL, "inputs");
    assert_not_created(TNN_INVALID_ARGUMENT, 2, LAYERS, 0, NULL, "layer_count");
    assert_layer_refused((tnn_layer){.units = 0}, "units");
}

static void test_arguments_create_refuses_no_layers(void **state) {
    (void)state;
    assert_not_created(TNN_INVALID_ARGUMENT, 2, NULL, 2, NULL, "layers");
}

static void test_arguments_create_refuses_a_slope_or_alpha_outside_its_domain(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(BAD_NUMBERS); i++) {
        tnn_activation leaky = tnn_leaky_relu(BAD_NUMBERS[i]), elu = tnn_elu(BAD_NUMBERS[i]);
        assert_layer_refused((tnn_layer){.units = 1, .activation = leaky}, "slope|parameter");
        assert_layer_refused((tnn_layer){.units = 1, .activation = elu}, "alpha|parameter");
    }
    assert_layer_refused(
        (tnn_layer){.units = 1, .activation = tnn_leaky_relu(0)}, "slope|parameter");
    assert_layer_refused((tnn_layer){.units = 1, .activation = tnn_elu(0)}, "alpha|parameter");
}

static void test_arguments_create_refuses_a_dropout_outside_its_domain(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(BAD_NUMBERS); i++)
        assert_layer_refused((tnn_layer){.units = 1, .dropout = BAD_NUMBERS[i]}, "dropout");
    assert_layer_refused((tnn_layer){.units = 1, .dropout = 1}, "dropout");
    assert_layer_refused((tnn_layer){.units = 1, .dropout = 1.5f}, "dropout");
    assert_layer_refused((tnn_layer){.units = 1, .dropout = -FLT_MIN}, "dropout");
}

static void test_arguments_create_refuses_an_initializer_outside_its_domain(void **state) {
    (void)state;
    const tnn_initializer bad[] = {tnn_uniform(1, 1),    tnn_uniform(1, -1),   tnn_uniform(NAN, 1),
                                   tnn_uniform(-1, NAN), tnn_normal(0, -0.5f), tnn_normal(0, NAN)};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_layer_refused((tnn_layer){.units = 1, .initializer = bad[i]}, "initializer");
}

static void nothing_forward(
    const tnn_activation *self, size_t rows, size_t units, const float *z, float *a) {
    (void)self;
    memmove(a, z, rows * units * sizeof *a);
}

static void nothing_backward(
    const tnn_activation *self, size_t rows, size_t units, const float *z, const float *a,
    float *gradient) {
    (void)self, (void)rows, (void)units, (void)z, (void)a, (void)gradient;
}

static float zero_weight(const tnn_initializer *self, size_t inputs, size_t units, double uniform) {
    (void)self, (void)inputs, (void)units, (void)uniform;
    return 0;
}

static void assert_activation_refused(tnn_activation_vtable vtable) {
    tnn_layer layer = {.units = 1, .activation = {.vtable = &vtable}};
    assert_layer_refused(layer, "activation");
}

static void test_arguments_create_refuses_an_activation_that_lacks_something(void **state) {
    (void)state;
    assert_activation_refused(
        (tnn_activation_vtable){.forward = nothing_forward, .backward = nothing_backward});
    assert_activation_refused(
        (tnn_activation_vtable){"", nothing_forward, nothing_backward, false});
    assert_activation_refused(
        (tnn_activation_vtable){.name = "custom", .backward = nothing_backward});
    assert_activation_refused(
        (tnn_activation_vtable){.name = "custom", .forward = nothing_forward});
}

static void test_arguments_create_refuses_a_foreign_activation_with_a_built_in_s_name(
    void **state) {
    (void)state;
    for (size_t i = 0; i < ACTIVATIONS - 1; i++) {
        activation_entry entry = activation_at(i);
        const char *name = entry.library.vtable == NULL ? entry.name : entry.library.vtable->name;
        assert_activation_refused(
            (tnn_activation_vtable){name, nothing_forward, nothing_backward, false});
    }
}

static void test_arguments_create_refuses_a_copy_of_a_built_in_s_vtable(void **state) {
    (void)state;
    assert_activation_refused(*tnn_tanh().vtable);
}

static void assert_initializer_refused(tnn_initializer_vtable vtable) {
    tnn_layer layer = {.units = 1, .initializer = {.vtable = &vtable}};
    assert_layer_refused(layer, "initializer");
}

static void test_arguments_create_refuses_an_initializer_that_lacks_something(void **state) {
    (void)state;
    assert_initializer_refused((tnn_initializer_vtable){.weight = zero_weight});
    assert_initializer_refused((tnn_initializer_vtable){.name = "custom"});
}

static void test_arguments_create_refuses_a_foreign_initializer_with_a_built_in_s_name(
    void **state) {
    (void)state;
    const tnn_initializer built_in[] = {tnn_uniform(0, 1),    tnn_normal(0, 1),    tnn_constant(0),
                                        tnn_glorot_uniform(), tnn_glorot_normal(), tnn_he_uniform(),
                                        tnn_he_normal(),      tnn_lecun_normal()};
    for (size_t i = 0; i < COUNT_OF(built_in); i++)
        assert_initializer_refused((tnn_initializer_vtable){built_in[i].vtable->name, zero_weight});
}

static void test_arguments_create_refuses_unknown_kernels(void **state) {
    (void)state;
    static const char *const unknown[] = {"", "sse9", "AVX2", "avx", "portable "};
    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        tnn_net_options options = {.kernels = unknown[i]};
        assert_not_created(TNN_INVALID_ARGUMENT, 2, LAYERS, 2, &options, "kernels");
    }
}

static void test_arguments_create_tells_absent_kernels_from_unknown_ones(void **state) {
    size_t absent = 0;
    (void)state;
    for (size_t i = 0; i < KERNEL_TABLES; i++) {
        tnn_net_options options = {.kernels = kernel_names[i]};
        if (kernels_are_available(kernel_names[i]))
            continue;
        assert_not_created(TNN_UNSUPPORTED, 2, LAYERS, 2, &options, "kernels");
        absent++;
    }
    assert_true(absent >= 1); /* no machine has both avx2 and neon */
}

static void test_arguments_create_refuses_half_an_allocator(void **state) {
    (void)state;
    test_allocator memory;
    tnn_allocator no_allocate = *init_test_allocator(&memory), no_release = no_allocate;
    no_allocate.allocate = NULL;
    no_release.release = NULL;
    tnn_net_options options = {.allocator = &no_allocate};
    assert_not_created(TNN_INVALID_ARGUMENT, 2, LAYERS, 2, &options, "allocator");
    options.allocator = &no_release;
    assert_not_created(TNN_INVALID_ARGUMENT, 2, LAYERS, 2, &options, "allocator");
    assert_int_equal(memory.calls, 0);
}

static void test_arguments_create_refuses_an_executor_that_runs_nothing(void **state) {
    (void)state;
    tnn_executor nothing = {0};
    tnn_net_options options = {.threads = 2, .executor = &nothing};
    assert_not_created(TNN_INVALID_ARGUMENT, 2, LAYERS, 2, &options, "executor");
}

/* Shapes whose weights, whose parameters in all, or whose bytes no size_t counts. */
static void test_arguments_create_is_out_of_memory_where_a_size_overflows(void **state) {
    (void)state;
    test_allocator memory;
    tnn_net_options options = {.allocator = init_test_allocator(&memory)};
    const size_t half = SIZE_MAX / 2 + 1, root = (size_t)1 << (sizeof(size_t) * 4);
    const size_t shapes[][3] = {
        {SIZE_MAX, 1, 1},
        {1, SIZE_MAX, 1},
        {1, 1, SIZE_MAX},
        {root, root, 1},
        {1, root, root},
        {half, 2, 1},
        {SIZE_MAX, SIZE_MAX, SIZE_MAX},
        {SIZE_MAX / 4, 1, 1},
        {SIZE_MAX / 4 - 1, 1, 1},
        {half / 4, 4, 1},
        {root, root / 4, 1},
        {root, root / 8, root / 8}};
    memory.most_bytes = (size_t)1 << 24;
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        tnn_layer layers[] = {{.units = shapes[i][1]}, {.units = shapes[i][2]}};
        assert_not_created(TNN_OUT_OF_MEMORY, shapes[i][0], layers, 2, &options, "");
        assert_int_equal(memory.live, 0);
    }
}

static void test_arguments_create_reads_what_it_is_given_only(void **state) {
    (void)state;
    tnn_layer layers[] = {{.units = 1}, {.units = 0}};
    tnn_net *net = new_net(1, layers, 1, NULL);
    assert_int_equal(tnn_net_layer_count(net), 1);
    tnn_net_destroy(net);
}

/* ---- Other creations ------------------------------------------------------------------------- */

static void test_arguments_clone_refuses_null(void **state) {
    fixture *f = *state;
    tnn_net *copy = f->net;
    assert_invalid(f, tnn_net_clone(NULL, f->net), "tnn_net_clone", "copy");
    assert_invalid(f, tnn_net_clone(&copy, NULL), "tnn_net_clone", "net");
    assert_null(copy);
}

static void test_arguments_destroy_takes_null(void **state) {
    (void)state;
    tnn_net_destroy(NULL);
    tnn_optimizer_destroy(NULL);
    tnn_workspace_destroy(NULL);
}

static void test_arguments_reserve_refuses_null_and_no_rows(void **state) {
    fixture *f = *state;
    assert_invalid(f, tnn_net_reserve(NULL, 1), "tnn_net_reserve", "net");
    assert_invalid(f, tnn_net_reserve(f->net, 0), "tnn_net_reserve", "rows");
}

static void test_arguments_reserve_is_out_of_memory_where_a_size_overflows(void **state) {
    fixture *f = *state;
    const size_t rows[] = {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 4, SIZE_MAX / 8 + 1};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_refused(
            f, tnn_net_reserve(f->net, rows[i]), TNN_OUT_OF_MEMORY, "tnn_net_reserve", "");
}

static void test_arguments_optimizer_create_refuses_null(void **state) {
    fixture *f = *state;
    tnn_optimizer *optimizer = f->optimizer;
    assert_invalid(
        f, tnn_optimizer_create(NULL, f->net, tnn_sgd(1)), "tnn_optimizer_create", "optimizer");
    assert_invalid(
        f, tnn_optimizer_create(&optimizer, NULL, tnn_sgd(1)), "tnn_optimizer_create", "net");
    assert_null(optimizer);
}

static void assert_method_refused(fixture *f, tnn_method method, const char *arguments) {
    tnn_optimizer *optimizer = f->optimizer;
    assert_invalid(
        f, tnn_optimizer_create(&optimizer, f->net, method), "tnn_optimizer_create", arguments);
    assert_null(optimizer);
}

static void test_arguments_optimizer_create_refuses_no_method(void **state) {
    assert_method_refused(*state, (tnn_method){.learning_rate = 0.1f}, "method");
}

/* Whatever the method: even a field that its rule does not name must make sense. */
static void assert_each_method_refused(
    fixture *f, void (*spoil)(tnn_method *method, float bad), const float *bad, size_t count,
    const char *field) {
    for (size_t i = 0; i < METHODS; i++)
        for (size_t b = 0; b < count; b++) {
            tnn_method method = method_at(i).library;
            spoil(&method, bad[b]);
            assert_method_refused(f, method, field);
        }
}

static void spoil_learning_rate(tnn_method *method, float bad) {
    method->learning_rate = bad;
}

static void spoil_weight_decay(tnn_method *method, float bad) {
    method->weight_decay = bad;
}

static void spoil_epsilon(tnn_method *method, float bad) {
    method->epsilon = bad;
}

static void spoil_momentum(tnn_method *method, float bad) {
    method->momentum = bad;
}

static void spoil_beta1(tnn_method *method, float bad) {
    method->beta1 = (double)bad;
}

static void spoil_beta2(tnn_method *method, float bad) {
    method->beta2 = (double)bad;
}

static void spoil_l1(tnn_method *method, float bad) {
    method->l1 = bad;
}

static void spoil_clip_value(tnn_method *method, float bad) {
    method->clip_value = bad;
}

static void spoil_clip_norm(tnn_method *method, float bad) {
    method->clip_norm = bad;
}

static void test_arguments_optimizer_create_refuses_a_bad_rate_decay_or_epsilon(void **state) {
    const size_t count = COUNT_OF(BAD_NUMBERS);
    assert_each_method_refused(*state, spoil_learning_rate, BAD_NUMBERS, count, "learning_rate");
    assert_each_method_refused(*state, spoil_weight_decay, BAD_NUMBERS, count, "weight_decay");
    assert_each_method_refused(*state, spoil_epsilon, BAD_NUMBERS, count, "epsilon");
}

static void test_arguments_optimizer_create_refuses_a_bad_l1_or_clipping(void **state) {
    const size_t count = COUNT_OF(BAD_NUMBERS);
    assert_each_method_refused(*state, spoil_l1, BAD_NUMBERS, count, "l1");
    assert_each_method_refused(*state, spoil_clip_value, BAD_NUMBERS, count, "clip_value");
    assert_each_method_refused(*state, spoil_clip_norm, BAD_NUMBERS, count, "clip_norm");
}

static void test_arguments_optimizer_create_refuses_bad_moves_of_rprop(void **state) {
    static const float bad_shrinks[] = {NAN, INFINITY, -INFINITY, 0, -0.5f, 1, 2};
    static const float bad_grows[] = {NAN, INFINITY, -INFINITY, 0, -2, 0.5f, 1};
    static const float bad_minima[] = {NAN, INFINITY, -INFINITY, -FLT_MIN, 0.25f + FLT_EPSILON};
    static const float bad_maxima[] = {NAN, INFINITY, -INFINITY, -1, 0, 0.25f - FLT_EPSILON};
    tnn_method good = tnn_rprop(), method;
    good.learning_rate = 0.25f;
    for (size_t i = 0; i < COUNT_OF(bad_shrinks); i++) {
        method = good;
        method.shrink = bad_shrinks[i];
        assert_method_refused(*state, method, "shrink");
        method = good;
        method.grow = bad_grows[i];
        assert_method_refused(*state, method, "grow");
    }
    for (size_t i = 0; i < COUNT_OF(bad_minima); i++) {
        method = good;
        method.min_move = bad_minima[i];
        assert_method_refused(*state, method, "min_move");
    }
    for (size_t i = 0; i < COUNT_OF(bad_maxima); i++) {
        method = good;
        method.max_move = bad_maxima[i];
        assert_method_refused(*state, method, "max_move");
    }
}

static void test_arguments_optimizer_create_takes_the_ends_of_the_moves_of_rprop(void **state) {
    fixture *f = *state;
    tnn_method method = tnn_rprop();
    method.shrink = FLT_MIN;
    method.grow = 1 + FLT_EPSILON;
    method.learning_rate = method.min_move = method.max_move = 0;
    tnn_optimizer_destroy(new_optimizer_of(f->net, method));
    method.shrink = 1 - FLT_EPSILON / 2;
    method.grow = FLT_MAX;
    method.learning_rate = method.min_move = method.max_move = FLT_MAX;
    tnn_optimizer_destroy(new_optimizer_of(f->net, method));
}

static void test_arguments_optimizer_create_refuses_a_momentum_or_beta_that_is_no_share(
    void **state) {
    static const float bad[] = {NAN, INFINITY, -INFINITY, -0.5f, -FLT_MIN, 1, 2};
    assert_each_method_refused(*state, spoil_momentum, bad, COUNT_OF(bad), "momentum");
    assert_each_method_refused(*state, spoil_beta1, bad, COUNT_OF(bad), "beta1");
    assert_each_method_refused(*state, spoil_beta2, bad, COUNT_OF(bad), "beta2");
}

static void test_arguments_optimizer_create_takes_the_ends_of_every_domain(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < METHODS; i++) {
        const tnn_method library = method_at(i).library;
        tnn_method least = {
            .vtable = library.vtable, .shrink = library.shrink, .grow = library.grow};
        tnn_method most = least;
        most.learning_rate = most.weight_decay = most.epsilon = most.max_move = FLT_MAX;
        most.l1 = most.clip_value = most.clip_norm = FLT_MAX;
        most.momentum = nextafterf(1, 0);
        most.beta1 = most.beta2 = nextafter(1, 0);
        tnn_optimizer_destroy(new_optimizer_of(f->net, least));
        tnn_optimizer_destroy(new_optimizer_of(f->net, most));
    }
}

static void test_arguments_optimizer_create_takes_a_learning_rate_of_zero(void **state) {
    fixture *f = *state;
    tnn_optimizer_destroy(new_optimizer(f->net, 0));
}

static void test_arguments_set_learning_rate_refuses_null(void **state) {
    assert_invalid(
        (fixture *)*state, tnn_optimizer_set_learning_rate(NULL, 1),
        "tnn_optimizer_set_learning_rate", "optimizer");
}

/* The old rate stays: a step on a clone goes the way it would have gone. */
static void test_arguments_set_learning_rate_keeps_the_old_rate_when_it_refuses(void **state) {
    fixture *f = *state;
    tnn_net *refused = new_clone(f->net), *plain = new_clone(f->net);
    tnn_optimizer *untouched = new_optimizer(f->net, 0.5f);
    for (size_t i = 0; i < COUNT_OF(BAD_NUMBERS); i++)
        assert_invalid(
            f, tnn_optimizer_set_learning_rate(f->optimizer, BAD_NUMBERS[i]),
            "tnn_optimizer_set_learning_rate", "learning_rate");
    memcpy(tnn_net_gradients(refused), f->before.gradients, f->before.count * sizeof(float));
    memcpy(tnn_net_gradients(plain), f->before.gradients, f->before.count * sizeof(float));
    assert_ok(tnn_step(refused, f->optimizer));
    assert_ok(tnn_step(plain, untouched));
    assert_same_net(refused, plain);
    tnn_optimizer_destroy(untouched);
    tnn_net_destroy(plain);
    tnn_net_destroy(refused);
}

static void test_arguments_workspace_create_refuses_null_and_no_rows(void **state) {
    fixture *f = *state;
    tnn_workspace *workspace = f->workspace;
    assert_invalid(f, tnn_workspace_create(NULL, f->net, 1), "tnn_workspace_create", "workspace");
    assert_invalid(f, tnn_workspace_create(&workspace, NULL, 1), "tnn_workspace_create", "net");
    assert_null(workspace);
    workspace = f->workspace;
    assert_invalid(
        f, tnn_workspace_create(&workspace, f->net, 0), "tnn_workspace_create", "max_rows");
    assert_null(workspace);
}

/* A workspace need not grow with its rows; if it does, this many are too many. */
static void test_arguments_workspace_create_takes_any_rows_or_is_out_of_memory(void **state) {
    fixture *f = *state;
    const size_t rows[] = {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 4, SIZE_MAX / 8 + 1};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        tnn_workspace *workspace = f->workspace;
        tnn_status status = tnn_workspace_create(&workspace, f->net, rows[i]);
        if (status == TNN_OK) {
            assert_ok(tnn_predict(f->net, workspace, ROWS, f->x, f->y));
            tnn_workspace_destroy(workspace);
            continue;
        }
        assert_status(status, TNN_OUT_OF_MEMORY);
        check_message("tnn_workspace_create", "", __FILE__, __LINE__);
        assert_null(workspace);
    }
}

/* ---- Getters --------------------------------------------------------------------------------- */

static void test_arguments_getters_have_no_answer_for_null(void **state) {
    (void)state;
    assert_no_answer(tnn_net_inputs(NULL), "tnn_net_inputs", "net");
    assert_no_answer(tnn_net_layer_count(NULL), "tnn_net_layer_count", "net");
    assert_no_answer(tnn_net_units(NULL, 0), "tnn_net_units", "net");
    assert_no_answer(tnn_net_parameter_count(NULL), "tnn_net_parameter_count", "net");
    assert_no_answer(tnn_net_parameters(NULL), "tnn_net_parameters", "net");
    assert_no_answer(tnn_net_read_parameters(NULL), "tnn_net_read_parameters", "net");
    assert_no_answer(tnn_net_gradients(NULL), "tnn_net_gradients", "net");
    assert_no_answer(tnn_net_weights(NULL, 0), "tnn_net_weights", "net");
    assert_no_answer(tnn_net_biases(NULL, 0), "tnn_net_biases", "net");
    assert_no_answer(tnn_net_kernel_name(NULL), "tnn_net_kernel_name", "net");
    assert_true(tnn_net_outputs(NULL) == 0);
    check_message("tnn_net_outputs", "net", __FILE__, __LINE__);
}

static void test_arguments_getters_have_no_answer_for_a_layer_that_is_not_there(void **state) {
    fixture *f = *state;
    const size_t absent[] = {2, 3, SIZE_MAX};
    for (size_t i = 0; i < COUNT_OF(absent); i++) {
        assert_no_answer(tnn_net_units(f->net, absent[i]), "tnn_net_units", "layer");
        assert_no_answer(tnn_net_weights(f->net, absent[i]), "tnn_net_weights", "layer");
        assert_no_answer(tnn_net_biases(f->net, absent[i]), "tnn_net_biases", "layer");
    }
}

static void test_arguments_biases_have_no_answer_for_a_layer_without(void **state) {
    (void)state;
    tnn_layer layers[] = {{.units = 2, .no_bias = true}, {.units = 1}};
    tnn_net *net = new_net(1, layers, 2, NULL);
    assert_no_answer(tnn_net_biases(net, 0), "tnn_net_biases", "layer");
    assert_non_null(tnn_net_biases(net, 1));
    tnn_net_destroy(net);
}

static void test_arguments_getters_answer_with_the_shape(void **state) {
    fixture *f = *state;
    assert_int_equal(tnn_net_inputs(f->net), INPUTS);
    assert_int_equal(tnn_net_outputs(f->net), OUTPUTS);
    assert_int_equal(tnn_net_layer_count(f->net), 2);
    assert_int_equal(tnn_net_units(f->net, 0), 4);
    assert_int_equal(tnn_net_units(f->net, 1), OUTPUTS);
    assert_int_equal(tnn_net_parameter_count(f->net), 3 * 4 + 4 + 4 * 2 + 2);
}

static void test_arguments_views_lie_in_the_flat_vector(void **state) {
    fixture *f = *state;
    float *parameters = tnn_net_parameters(f->net);
    assert_ptr_equal(tnn_net_read_parameters(f->net), parameters);
    assert_ptr_equal(tnn_net_weights(f->net, 0), parameters);
    assert_ptr_equal(tnn_net_biases(f->net, 0), parameters + 12);
    assert_ptr_equal(tnn_net_weights(f->net, 1), parameters + 16);
    assert_ptr_equal(tnn_net_biases(f->net, 1), parameters + 24);
}

/* ---- Forward --------------------------------------------------------------------------------- */

static void test_arguments_forward_refuses_null_and_no_rows(void **state) {
    fixture *f = *state;
    assert_invalid(f, tnn_forward(NULL, ROWS, f->x, f->y), "tnn_forward", "net");
    assert_invalid(f, tnn_forward(f->net, 0, f->x, f->y), "tnn_forward", "rows");
    assert_invalid(f, tnn_forward(f->net, ROWS, NULL, f->y), "tnn_forward", "x");
}

/* y takes 2 floats a row and x 3, so the last place that touches x is its last float. */
static void test_arguments_forward_refuses_y_over_x(void **state) {
    fixture *f = *state;
    float room[2 * 2 + 2 * 3 + 2 * 2] = {0}, *x = room + 4;
    for (float *y = room + 1; y < x + 6; y++)
        assert_invalid(f, tnn_forward(f->net, 2, x, y), "tnn_forward", "y");
    assert_ok(tnn_forward(f->net, 2, x, room));
    assert_ok(tnn_forward(f->net, 2, x, x + 6));
}

static void test_arguments_forward_refuses_y_over_the_parameters(void **state) {
    fixture *f = *state;
    float *parameters = tnn_net_parameters(f->net);
    assert_invalid(f, tnn_forward(f->net, 1, f->x, parameters), "tnn_forward", "y");
    assert_invalid(
        f, tnn_forward(f->net, 1, f->x, parameters + f->before.count - 1), "tnn_forward", "y");
}

static void test_arguments_forward_is_out_of_memory_where_a_size_overflows(void **state) {
    fixture *f = *state;
    const size_t rows[] = {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 4, SIZE_MAX / 8 + 1};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        tnn_status status = tnn_forward(f->net, rows[i], f->x, NULL);
        /* More rows than an address space holds may as well be called an invalid count. */
        if (status != TNN_INVALID_ARGUMENT)
            assert_status(status, TNN_OUT_OF_MEMORY);
        check_message("tnn_forward", "", __FILE__, __LINE__);
        assert_unchanged(f->net, &f->before);
    }
}

/* ---- Backward -------------------------------------------------------------------------------- */

static void test_arguments_backward_refuses_null(void **state) {
    fixture *f = *state;
    tnn_loss loss = tnn_mean_squared_error();
    assert_invalid(f, tnn_backward(NULL, loss, f->target, &f->value), "tnn_backward", "net");
    assert_invalid(f, tnn_backward(pending(f), loss, NULL, &f->value), "tnn_backward", "target");
}

static void test_arguments_backward_refuses_a_loss_that_lacks_something(void **state) {
    fixture *f = *state;
    tnn_loss_vtable empty = {.name = "empty"};
    tnn_loss no_loss = {0}, no_evaluate = {.vtable = &empty};
    assert_invalid(
        f, tnn_backward(pending(f), no_loss, f->target, &f->value), "tnn_backward", "loss");
    assert_invalid(
        f, tnn_backward(pending(f), no_evaluate, f->target, &f->value), "tnn_backward", "loss");
}

static void test_arguments_backward_refuses_a_delta_outside_its_domain(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(BAD_NUMBERS); i++)
        assert_invalid(
            f, tnn_backward(pending(f), tnn_huber(BAD_NUMBERS[i]), f->target, &f->value),
            "tnn_backward", "delta|parameter");
    assert_invalid(
        f, tnn_backward(pending(f), tnn_huber(0), f->target, &f->value), "tnn_backward",
        "delta|parameter");
}

static void test_arguments_backward_from_refuses_null(void **state) {
    fixture *f = *state;
    assert_invalid(
        f, tnn_backward_from(NULL, f->target, f->input_gradient), "tnn_backward_from", "net");
    assert_invalid(
        f, tnn_backward_from(pending(f), NULL, f->input_gradient), "tnn_backward_from",
        "output_gradient");
}

/* 4 rows: 8 floats of output gradient, 12 of input gradient. */
static void test_arguments_backward_from_refuses_overlapping_gradients(void **state) {
    fixture *f = *state;
    float room[12 + 8 + 12] = {0}, *output_gradient = room + 12;
    for (float *input_gradient = room + 1; input_gradient < output_gradient + 8; input_gradient++)
        assert_invalid(
            f, tnn_backward_from(pending(f), output_gradient, input_gradient), "tnn_backward_from",
            "input_gradient");
}

static void test_arguments_backward_from_refuses_an_input_gradient_over_x(void **state) {
    fixture *f = *state;
    float room[12 + 12 + 12] = {0}, *x = room + 12;
    for (float *input_gradient = room + 1; input_gradient < x + 12; input_gradient++) {
        assert_ok(tnn_forward(f->net, ROWS, x, NULL));
        assert_invalid(
            f, tnn_backward_from(f->net, f->target, input_gradient), "tnn_backward_from",
            "input_gradient");
    }
}

static void test_arguments_backward_from_refuses_an_input_gradient_over_the_parameters(
    void **state) {
    fixture *f = *state;
    float *parameters = tnn_net_parameters(f->net);
    assert_invalid(
        f, tnn_backward_from(pending(f), f->target, parameters + 1), "tnn_backward_from",
        "input_gradient");
    assert_invalid(
        f, tnn_backward_from(pending(f), f->target, parameters + f->before.count - 1),
        "tnn_backward_from", "input_gradient");
}

/* A gradient of 0 adds 0, so that the fixture stays as it was. */
static void test_arguments_backward_from_takes_gradients_side_by_side(void **state) {
    fixture *f = *state;
    float room[12 + 8 + 12] = {0};
    assert_ok(tnn_backward_from(pending(f), room + 12, room));
    assert_ok(tnn_backward_from(pending(f), room + 12, room + 20));
    assert_ok(tnn_backward_from(pending(f), room + 12, NULL));
}

/* ---- Step ------------------------------------------------------------------------------------ */

static void test_arguments_step_refuses_null(void **state) {
    fixture *f = *state;
    assert_invalid(f, tnn_step(NULL, f->optimizer), "tnn_step", "net");
    assert_invalid(f, tnn_step(f->net, NULL), "tnn_step", "optimizer");
}

/* Layouts that differ from 3-4-2 with biases; the last two have its 26 parameters, too. */
static const struct layout {
    size_t inputs, layer_count;
    tnn_layer layers[3];
} OTHER_LAYOUTS[] = {
    {3, 2, {{.units = 4}, {.units = 3}}},
    {3, 2, {{.units = 5}, {.units = 2}}},
    {2, 2, {{.units = 4}, {.units = 2}}},
    {3, 1, {{.units = 2}}},
    {3, 3, {{.units = 4}, {.units = 2}, {.units = 2}}},
    {3, 2, {{.units = 4, .no_bias = true}, {.units = 2}}},
    {3, 2, {{.units = 4}, {.units = 2, .no_bias = true}}},
    {12, 1, {{.units = 2}}},
    {13, 1, {{.units = 2, .no_bias = true}}},
};

static tnn_net *new_other_net(size_t i) {
    return new_net(
        OTHER_LAYOUTS[i].inputs, OTHER_LAYOUTS[i].layers, OTHER_LAYOUTS[i].layer_count, NULL);
}

static void test_arguments_step_and_train_refuse_an_optimizer_of_another_layout(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(OTHER_LAYOUTS); i++) {
        tnn_net *other = new_other_net(i);
        tnn_optimizer *optimizer = new_optimizer(other, 1);
        assert_invalid(f, tnn_step(f->net, optimizer), "tnn_step", "optimizer");
        assert_invalid(
            f, tnn_train(f->net, optimizer, tnn_half_squared_error(), &f->batch, &f->value),
            "tnn_train", "optimizer");
        tnn_optimizer_destroy(optimizer);
        tnn_net_destroy(other);
    }
}

/* 2-3-3 with biases on one layer: as many parameters, whichever layer it is. */
static tnn_net *new_net_with_biases_on(size_t layer) {
    tnn_layer layers[] = {{.units = 3, .no_bias = true}, {.units = 3, .no_bias = true}};
    layers[layer].no_bias = false;
    return new_net(2, layers, 2, NULL);
}

static void test_arguments_step_refuses_an_optimizer_with_biases_on_other_layers(void **state) {
    fixture *f = *state;
    tnn_net *first = new_net_with_biases_on(0), *second = new_net_with_biases_on(1);
    tnn_optimizer *optimizer = new_optimizer(first, 1);
    assert_int_equal(tnn_net_parameter_count(first), tnn_net_parameter_count(second));
    assert_ok(tnn_step(first, optimizer));
    assert_invalid(f, tnn_step(second, optimizer), "tnn_step", "optimizer");
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(second);
    tnn_net_destroy(first);
}

/* ---- Train ----------------------------------------------------------------------------------- */

static void assert_training_refused(fixture *f, tnn_loss loss, const char *arguments) {
    assert_invalid(
        f, tnn_train(f->net, f->optimizer, loss, &f->batch, &f->value), "tnn_train", arguments);
}

static void test_arguments_train_refuses_null(void **state) {
    fixture *f = *state;
    tnn_loss loss = tnn_half_squared_error();
    assert_invalid(
        f, tnn_train(NULL, f->optimizer, loss, &f->batch, &f->value), "tnn_train", "net");
    assert_invalid(
        f, tnn_train(f->net, NULL, loss, &f->batch, &f->value), "tnn_train", "optimizer");
    assert_invalid(f, tnn_train(f->net, f->optimizer, loss, NULL, &f->value), "tnn_train", "batch");
}

static void test_arguments_train_refuses_a_batch_without_rows_or_x(void **state) {
    fixture *f = *state;
    f->batch.rows = 0;
    assert_training_refused(f, tnn_half_squared_error(), "rows");
    f->batch.rows = ROWS;
    f->batch.x = NULL;
    assert_training_refused(f, tnn_half_squared_error(), "x");
}

/* The step writes parameters while it reads x for the gradient. */
static void test_arguments_train_refuses_x_over_the_parameters(void **state) {
    fixture *f = *state;
    f->batch.x = tnn_net_parameters(f->net) + 3;
    assert_training_refused(f, tnn_half_squared_error(), "x");
    f->batch.x = tnn_net_parameters(f->net) + f->before.count - 1;
    assert_training_refused(f, tnn_half_squared_error(), "x");
}

static void test_arguments_nothing_goes_over_the_gradients(void **state) {
    fixture *f = *state;
    float *gradients = tnn_net_gradients(f->net);
    float plain[ROWS * 8] = {0};
    assert_int_equal(tnn_forward(f->net, 1, gradients, NULL), TNN_INVALID_ARGUMENT);
    check_message("tnn_forward", "x", __FILE__, __LINE__);
    assert_int_equal(tnn_forward(f->net, 1, plain, gradients), TNN_INVALID_ARGUMENT);
    check_message("tnn_forward", "y", __FILE__, __LINE__);
    assert_int_equal(tnn_forward(f->net, 1, plain, NULL), TNN_OK);
    assert_int_equal(tnn_backward_from(f->net, plain, gradients), TNN_INVALID_ARGUMENT);
    check_message("tnn_backward_from", "input_gradient", __FILE__, __LINE__);
}

static void test_arguments_train_wants_one_of_target_and_classes(void **state) {
    fixture *f = *state;
    f->batch.classes = f->classes;
    assert_training_refused(f, tnn_cross_entropy(), "classes|target");
    f->batch.classes = NULL;
    f->batch.target = NULL;
    assert_training_refused(f, tnn_cross_entropy(), "target|classes");
}

static void test_arguments_train_refuses_a_class_that_is_not_there(void **state) {
    fixture *f = *state;
    const uint32_t absent[] = {OUTPUTS, OUTPUTS + 1, UINT32_MAX};
    f->batch.target = NULL;
    f->batch.classes = f->classes;
    for (size_t row = 0; row < ROWS; row++)
        for (size_t i = 0; i < COUNT_OF(absent); i++) {
            f->classes[row] = absent[i];
            assert_training_refused(f, tnn_cross_entropy(), "classes");
            f->classes[row] = 0;
        }
}

static void foreign_evaluate(
    const tnn_loss *self, size_t rows, size_t units, const float *y, const float *target,
    double *row_loss, float *gradient) {
    tnn_cross_entropy().vtable->evaluate(self, rows, units, y, target, row_loss, gradient);
}

static void test_arguments_train_takes_classes_with_cross_entropy_only(void **state) {
    fixture *f = *state;
    const tnn_loss_vtable foreign = {"foreign", foreign_evaluate};
    f->batch.target = NULL;
    f->batch.classes = f->classes;
    for (size_t i = 0; i < LOSSES; i++)
        if (loss_at(i).reference.kind != REF_CROSS_ENTROPY)
            assert_training_refused(f, loss_at(i).library, "classes");
    assert_training_refused(f, (tnn_loss){.vtable = &foreign}, "classes");
}

static void test_arguments_train_refuses_a_loss_that_lacks_something(void **state) {
    fixture *f = *state;
    tnn_loss_vtable empty = {.name = "empty"};
    assert_training_refused(f, (tnn_loss){0}, "loss");
    assert_training_refused(f, (tnn_loss){.vtable = &empty}, "loss");
}

static void test_arguments_train_refuses_a_delta_outside_its_domain(void **state) {
    for (size_t i = 0; i < COUNT_OF(BAD_NUMBERS); i++)
        assert_training_refused(*state, tnn_huber(BAD_NUMBERS[i]), "delta|parameter");
    assert_training_refused(*state, tnn_huber(0), "delta|parameter");
}

static void test_arguments_train_refuses_rows_that_no_memory_holds(void **state) {
    fixture *f = *state;
    const size_t rows[] = {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 4, SIZE_MAX / 8 + 1};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        f->batch.rows = rows[i];
        tnn_status status =
            tnn_train(f->net, f->optimizer, tnn_half_squared_error(), &f->batch, &f->value);
        if (status != TNN_INVALID_ARGUMENT)
            assert_status(status, TNN_OUT_OF_MEMORY);
        check_message("tnn_train", "", __FILE__, __LINE__);
        assert_unchanged(f->net, &f->before);
    }
}

/* ---- Predict --------------------------------------------------------------------------------- */

static void test_arguments_predict_refuses_null(void **state) {
    fixture *f = *state;
    assert_invalid(f, tnn_predict(NULL, f->workspace, ROWS, f->x, f->y), "tnn_predict", "net");
    assert_invalid(f, tnn_predict(f->net, NULL, ROWS, f->x, f->y), "tnn_predict", "workspace");
    assert_invalid(f, tnn_predict(f->net, f->workspace, ROWS, NULL, f->y), "tnn_predict", "x");
    assert_invalid(f, tnn_predict(f->net, f->workspace, ROWS, f->x, NULL), "tnn_predict", "y");
}

static void test_arguments_predict_refuses_rows_beyond_the_workspace(void **state) {
    fixture *f = *state;
    const size_t rows[] = {0, MAX_ROWS + 1, SIZE_MAX / 8, SIZE_MAX};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_invalid(
            f, tnn_predict(f->net, f->workspace, rows[i], f->x, f->y), "tnn_predict", "rows");
    assert_ok(tnn_predict(f->net, f->workspace, MAX_ROWS, f->x, f->y));
}

static void test_arguments_predict_refuses_y_over_x(void **state) {
    fixture *f = *state;
    float room[2 * 2 + 2 * 3 + 2 * 2] = {0}, *x = room + 4;
    for (float *y = room + 1; y < x + 6; y++)
        assert_invalid(f, tnn_predict(f->net, f->workspace, 2, x, y), "tnn_predict", "y");
    assert_ok(tnn_predict(f->net, f->workspace, 2, x, room));
    assert_ok(tnn_predict(f->net, f->workspace, 2, x, x + 6));
}

static void test_arguments_predict_refuses_y_over_the_parameters(void **state) {
    fixture *f = *state;
    float *parameters = tnn_net_parameters(f->net);
    assert_invalid(f, tnn_predict(f->net, f->workspace, 1, f->x, parameters), "tnn_predict", "y");
    assert_invalid(
        f, tnn_predict(f->net, f->workspace, 1, f->x, parameters + f->before.count - 1),
        "tnn_predict", "y");
}

/* Biases make no size, so the layouts that differ in nothing else are served. */
static bool has_other_sizes(const struct layout *layout) {
    return layout->layer_count != 2 || layout->inputs != INPUTS || layout->layers[0].units != 4 ||
        layout->layers[1].units != OUTPUTS;
}

static void test_arguments_predict_refuses_a_workspace_of_other_sizes(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(OTHER_LAYOUTS); i++) {
        tnn_net *other = new_other_net(i);
        tnn_workspace *workspace = new_workspace(other, MAX_ROWS);
        if (has_other_sizes(&OTHER_LAYOUTS[i]))
            assert_invalid(
                f, tnn_predict(f->net, workspace, 1, f->x, f->y), "tnn_predict", "workspace");
        else
            assert_ok(tnn_predict(f->net, workspace, 1, f->x, f->y));
        tnn_workspace_destroy(workspace);
        tnn_net_destroy(other);
    }
}

/* ---- Checking -------------------------------------------------------------------------------- */

static void test_arguments_check_gradients_refuses_null_and_no_rows(void **state) {
    fixture *f = *state;
    tnn_loss loss = tnn_half_squared_error();
    const char *name = "tnn_check_gradients";
    assert_invalid(
        f, tnn_check_gradients(NULL, loss, ROWS, f->x, f->target, &f->value), name, "net");
    assert_invalid(
        f, tnn_check_gradients(f->net, loss, 0, f->x, f->target, &f->value), name, "rows");
    assert_invalid(
        f, tnn_check_gradients(f->net, loss, ROWS, NULL, f->target, &f->value), name, "x");
    assert_invalid(
        f, tnn_check_gradients(f->net, loss, ROWS, f->x, NULL, &f->value), name, "target");
    assert_invalid(
        f, tnn_check_gradients(f->net, loss, ROWS, f->x, f->target, NULL), name,
        "worst_relative_error");
}

static void test_arguments_check_gradients_refuses_a_bad_loss(void **state) {
    fixture *f = *state;
    tnn_loss_vtable empty = {.name = "empty"};
    const tnn_loss bad[] = {{0}, {.vtable = &empty}, tnn_huber(0), tnn_huber(NAN)};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_invalid(
            f, tnn_check_gradients(f->net, bad[i], ROWS, f->x, f->target, &f->value),
            "tnn_check_gradients", "loss|delta");
}

static void test_arguments_check_gradients_is_not_finite_where_the_loss_is_not(void **state) {
    fixture *f = *state;
    f->target[3] = NAN;
    assert_refused(
        f, tnn_check_gradients(f->net, tnn_half_squared_error(), ROWS, f->x, f->target, &f->value),
        TNN_NOT_FINITE, "tnn_check_gradients", "loss|target");
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments_status_string_names_every_status),
        cmocka_unit_test(test_arguments_status_string_knows_no_other),
        cmocka_unit_test(test_arguments_version_is_the_header_s),
        cmocka_unit_test(test_arguments_message_is_the_thread_s_own_and_empty_at_first),
        WITH_FIXTURE(test_arguments_message_stays_through_a_success),
        cmocka_unit_test(test_arguments_message_stays_through_a_gradient_check),
        WITH_FIXTURE(test_arguments_create_refuses_no_net),
        cmocka_unit_test(test_arguments_create_refuses_counts_of_zero),
        cmocka_unit_test(test_arguments_create_refuses_no_layers),
        cmocka_unit_test(test_arguments_create_refuses_a_slope_or_alpha_outside_its_domain),
        cmocka_unit_test(test_arguments_create_refuses_a_dropout_outside_its_domain),
        cmocka_unit_test(test_arguments_create_refuses_an_initializer_outside_its_domain),
        cmocka_unit_test(test_arguments_create_refuses_an_activation_that_lacks_something),
        cmocka_unit_test(test_arguments_create_refuses_a_foreign_activation_with_a_built_in_s_name),
        cmocka_unit_test(test_arguments_create_refuses_a_copy_of_a_built_in_s_vtable),
        cmocka_unit_test(test_arguments_create_refuses_an_initializer_that_lacks_something),
        cmocka_unit_test(
            test_arguments_create_refuses_a_foreign_initializer_with_a_built_in_s_name),
        cmocka_unit_test(test_arguments_create_refuses_unknown_kernels),
        cmocka_unit_test(test_arguments_create_tells_absent_kernels_from_unknown_ones),
        cmocka_unit_test(test_arguments_create_refuses_half_an_allocator),
        cmocka_unit_test(test_arguments_create_refuses_an_executor_that_runs_nothing),
        cmocka_unit_test(test_arguments_create_is_out_of_memory_where_a_size_overflows),
        cmocka_unit_test(test_arguments_create_reads_what_it_is_given_only),
        WITH_FIXTURE(test_arguments_clone_refuses_null),
        cmocka_unit_test(test_arguments_destroy_takes_null),
        WITH_FIXTURE(test_arguments_reserve_refuses_null_and_no_rows),
        WITH_FIXTURE(test_arguments_reserve_is_out_of_memory_where_a_size_overflows),
        WITH_FIXTURE(test_arguments_optimizer_create_refuses_null),
        WITH_FIXTURE(test_arguments_optimizer_create_refuses_no_method),
        WITH_FIXTURE(test_arguments_optimizer_create_refuses_a_bad_rate_decay_or_epsilon),
        WITH_FIXTURE(test_arguments_optimizer_create_refuses_a_bad_l1_or_clipping),
        WITH_FIXTURE(test_arguments_optimizer_create_refuses_bad_moves_of_rprop),
        WITH_FIXTURE(test_arguments_optimizer_create_takes_the_ends_of_the_moves_of_rprop),
        WITH_FIXTURE(test_arguments_optimizer_create_refuses_a_momentum_or_beta_that_is_no_share),
        WITH_FIXTURE(test_arguments_optimizer_create_takes_the_ends_of_every_domain),
        WITH_FIXTURE(test_arguments_optimizer_create_takes_a_learning_rate_of_zero),
        WITH_FIXTURE(test_arguments_set_learning_rate_refuses_null),
        WITH_FIXTURE(test_arguments_set_learning_rate_keeps_the_old_rate_when_it_refuses),
        WITH_FIXTURE(test_arguments_workspace_create_refuses_null_and_no_rows),
        WITH_FIXTURE(test_arguments_workspace_create_takes_any_rows_or_is_out_of_memory),
        cmocka_unit_test(test_arguments_getters_have_no_answer_for_null),
        WITH_FIXTURE(test_arguments_getters_have_no_answer_for_a_layer_that_is_not_there),
        cmocka_unit_test(test_arguments_biases_have_no_answer_for_a_layer_without),
        WITH_FIXTURE(test_arguments_getters_answer_with_the_shape),
        WITH_FIXTURE(test_arguments_views_lie_in_the_flat_vector),
        WITH_FIXTURE(test_arguments_forward_refuses_null_and_no_rows),
        WITH_FIXTURE(test_arguments_forward_refuses_y_over_x),
        WITH_FIXTURE(test_arguments_forward_refuses_y_over_the_parameters),
        WITH_FIXTURE(test_arguments_forward_is_out_of_memory_where_a_size_overflows),
        WITH_FIXTURE(test_arguments_backward_refuses_null),
        WITH_FIXTURE(test_arguments_backward_refuses_a_loss_that_lacks_something),
        WITH_FIXTURE(test_arguments_backward_refuses_a_delta_outside_its_domain),
        WITH_FIXTURE(test_arguments_backward_from_refuses_null),
        WITH_FIXTURE(test_arguments_backward_from_refuses_overlapping_gradients),
        WITH_FIXTURE(test_arguments_backward_from_refuses_an_input_gradient_over_x),
        WITH_FIXTURE(test_arguments_backward_from_refuses_an_input_gradient_over_the_parameters),
        WITH_FIXTURE(test_arguments_backward_from_takes_gradients_side_by_side),
        WITH_FIXTURE(test_arguments_step_refuses_null),
        WITH_FIXTURE(test_arguments_step_and_train_refuse_an_optimizer_of_another_layout),
        WITH_FIXTURE(test_arguments_step_refuses_an_optimizer_with_biases_on_other_layers),
        WITH_FIXTURE(test_arguments_train_refuses_null),
        WITH_FIXTURE(test_arguments_train_refuses_a_batch_without_rows_or_x),
        WITH_FIXTURE(test_arguments_train_refuses_x_over_the_parameters),
        WITH_FIXTURE(test_arguments_nothing_goes_over_the_gradients),
        WITH_FIXTURE(test_arguments_train_wants_one_of_target_and_classes),
        WITH_FIXTURE(test_arguments_train_refuses_a_class_that_is_not_there),
        WITH_FIXTURE(test_arguments_train_takes_classes_with_cross_entropy_only),
        WITH_FIXTURE(test_arguments_train_refuses_a_loss_that_lacks_something),
        WITH_FIXTURE(test_arguments_train_refuses_a_delta_outside_its_domain),
        WITH_FIXTURE(test_arguments_train_refuses_rows_that_no_memory_holds),
        WITH_FIXTURE(test_arguments_predict_refuses_null),
        WITH_FIXTURE(test_arguments_predict_refuses_rows_beyond_the_workspace),
        WITH_FIXTURE(test_arguments_predict_refuses_y_over_x),
        WITH_FIXTURE(test_arguments_predict_refuses_y_over_the_parameters),
        WITH_FIXTURE(test_arguments_predict_refuses_a_workspace_of_other_sizes),
        WITH_FIXTURE(test_arguments_check_gradients_refuses_null_and_no_rows),
        WITH_FIXTURE(test_arguments_check_gradients_refuses_a_bad_loss),
        WITH_FIXTURE(test_arguments_check_gradients_is_not_finite_where_the_loss_is_not),
    };
    return cmocka_run_group_tests_name("arguments", tests, NULL, NULL);
}
