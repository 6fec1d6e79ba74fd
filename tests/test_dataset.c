/*
 * test_dataset.c: data sets that own their rows: copied, mixed, cut and put together, always whole
 * rows with their weights, in an order that a seed fixes.
 */
#include "support/test_sources.h"

#include "support/random.h"

#include <string.h>

enum { ROWS = 10 };

/* Row r is {r, r + 1/2} -> {-r}, class r % 3, weight r / 4. */
static float x[2 * ROWS], target[ROWS], weights[ROWS];
static uint32_t classes[ROWS];

static int set_up(void **state) {
    (void)state;
    for (int r = 0; r < ROWS; r++) {
        x[2 * r] = (float)r;
        x[2 * r + 1] = (float)r + 0.5f;
        target[r] = (float)-r;
        weights[r] = (float)r / 4;
        classes[r] = (uint32_t)r % 3;
    }
    return 0;
}

static tnn_dataset view_of_targets(void) {
    return (tnn_dataset){.rows = ROWS, .x = x, .target = target, .row_weights = weights};
}

static tnn_dataset view_of_classes(void) {
    return (tnn_dataset){.rows = ROWS, .x = x, .classes = classes};
}

static tnn_data *new_data(tnn_dataset view, size_t outputs) {
    tnn_data *data;
    assert_ok(tnn_data_create(&data, 2, outputs, &view, NULL));
    return data;
}

/* Which row of the above each row is; the rest of it has come along. */
static void assert_rows_are(const tnn_data *data, const size_t *rows, size_t count) {
    tnn_dataset view = tnn_data_view(data);
    assert_int_equal(view.rows, count);
    for (size_t i = 0; i < count; i++) {
        assert_same_bits(view.x + 2 * i, x + 2 * rows[i], 2);
        if (view.target)
            assert_same_bits(view.target + i, target + rows[i], 1);
        if (view.classes)
            assert_int_equal(view.classes[i], classes[rows[i]]);
        if (view.row_weights)
            assert_same_bits(view.row_weights + i, weights + rows[i], 1);
    }
}

/* ---- Create and ask -------------------------------------------------------------------------- */

static void test_dataset_create_copies_the_view(void **state) {
    (void)state;
    tnn_dataset given = view_of_targets();
    tnn_data *data = new_data(given, 1);
    tnn_dataset view = tnn_data_view(data);
    assert_int_equal(tnn_data_inputs(data), 2);
    assert_int_equal(tnn_data_outputs(data), 1);
    assert_true(view.x != x && view.target != target && view.row_weights != weights);
    assert_null(view.classes);
    assert_rows_are(data, (size_t[]){0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, ROWS);
    assert_null(tnn_data_input_name(data, 1));
    assert_null(tnn_data_output_name(data, 0));
    tnn_data_destroy(data);

    data = new_data(view_of_classes(), 3);
    view = tnn_data_view(data);
    assert_null(view.target);
    assert_null(view.row_weights);
    assert_int_equal(tnn_data_outputs(data), 3);
    assert_rows_are(data, (size_t[]){0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, ROWS);
    tnn_data_destroy(data);
    tnn_data_destroy(NULL);
}

static void assert_create_refused(size_t inputs, size_t outputs, const tnn_dataset *view) {
    tnn_data *data = (tnn_data *)(uintptr_t)1;
    assert_status(tnn_data_create(&data, inputs, outputs, view, NULL), TNN_INVALID_ARGUMENT);
    assert_null(data);
}

static void test_dataset_create_arguments_are_checked(void **state) {
    (void)state;
    tnn_dataset good = view_of_targets();
    tnn_dataset wrong = good;
    assert_status(tnn_data_create(NULL, 2, 1, &good, NULL), TNN_INVALID_ARGUMENT);
    assert_create_refused(0, 1, &good);
    assert_create_refused(2, 0, &good);
    assert_create_refused(2, 1, NULL);
    wrong.rows = 0;
    assert_create_refused(2, 1, &wrong);
    wrong = good;
    wrong.x = NULL;
    assert_create_refused(2, 1, &wrong);
    wrong = good;
    wrong.target = NULL;
    assert_create_refused(2, 1, &wrong);
    wrong.target = target;
    wrong.classes = classes;
    assert_create_refused(2, 1, &wrong);
    wrong.target = wrong.row_weights = NULL;
    assert_create_refused(2, 0, &wrong);
    wrong = view_of_classes();
    assert_create_refused(2, 2, &wrong);
    assert_string_equal(
        tnn_error_message(),
        "tnn_data_create: view->classes[2] is 2, expected less than outputs 2");
    wrong = good;
    wrong.rows = SIZE_MAX / 2;
    tnn_data *data;
    assert_status(tnn_data_create(&data, 4, 1, &wrong, NULL), TNN_OUT_OF_MEMORY);
    assert_null(data);
}

static void test_dataset_getters_without_an_answer_say_why(void **state) {
    (void)state;
    tnn_data *data = new_data(view_of_targets(), 1);
    assert_int_equal(tnn_data_view(NULL).rows, 0);
    assert_int_equal(tnn_data_inputs(NULL), 0);
    assert_int_equal(tnn_data_outputs(NULL), 0);
    assert_null(tnn_data_input_name(NULL, 0));
    assert_string_equal(tnn_error_message(), "tnn_data_input_name: data is NULL");
    assert_null(tnn_data_input_name(data, 2));
    assert_string_equal(
        tnn_error_message(), "tnn_data_input_name: input is 2, expected less than 2");
    assert_null(tnn_data_output_name(data, 1));
    assert_string_equal(
        tnn_error_message(), "tnn_data_output_name: output is 1, expected less than 1");
    tnn_data_destroy(data);
}

/* ---- Order ----------------------------------------------------------------------------------- */

/* A Python version of the generator and of Fisher and Yates's method gives the same. */
static const size_t order_of_seed_1[ROWS] = {4, 7, 9, 3, 2, 1, 5, 0, 6, 8};

static void test_dataset_shuffle_is_the_seeds_order(void **state) {
    (void)state;
    tnn_data *data = new_data(view_of_targets(), 1);
    assert_ok(tnn_data_shuffle(data, 1));
    assert_rows_are(data, order_of_seed_1, ROWS);
    tnn_data_destroy(data);
    data = new_data(view_of_classes(), 3);
    assert_ok(tnn_data_shuffle(data, 1));
    assert_rows_are(data, order_of_seed_1, ROWS);
    tnn_data_destroy(data);
    assert_status(tnn_data_shuffle(NULL, 1), TNN_INVALID_ARGUMENT);
}

/*
 * Each of the 24 orders of 4 rows comes 1,000 times in 24,000 seeds; the deviation of that count is
 * below sqrt(1000) = 32, and 6 of those are exceeded in fewer than one of 10^7 programs.
 */
static void test_dataset_shuffle_gives_every_order_as_often(void **state) {
    (void)state;
    int counts[256] = {0};
    int orders = 0;
    tnn_dataset view = {.rows = 4, .x = x, .target = target};
    for (uint64_t seed = 0; seed < 24000; seed++) {
        tnn_data *data = new_data(view, 1);
        assert_ok(tnn_data_shuffle(data, seed));
        const float *mixed = tnn_data_view(data).x;
        counts[(int)(mixed[0] + 4 * mixed[2] + 16 * mixed[4] + 64 * mixed[6])]++;
        tnn_data_destroy(data);
    }
    for (int i = 0; i < 256; i++) {
        orders += counts[i] > 0;
        if (counts[i] > 0)
            assert_within(counts[i], 1000, 6 * 32);
    }
    assert_int_equal(orders, 24);
}

static void test_dataset_random_numbers_below_a_bound_are_below_it(void **state) {
    (void)state;
    static const uint64_t bounds[] = {
        1, 2, 3, 1000, (uint64_t)1 << 63, ((uint64_t)1 << 63) + 1, UINT64_MAX};
    tnni_random random = tnni_random_seed(9);
    for (size_t i = 0; i < COUNT_OF(bounds); i++)
        for (int n = 0; n < 1000; n++)
            assert_true(tnni_random_below(&random, bounds[i]) < bounds[i]);
}

/* A row longer than the piece that is swapped at a time. */
static void test_dataset_shuffle_moves_whole_rows_when_they_are_long(void **state) {
    (void)state;
    enum { LONG = 1001 };
    static float long_x[5 * LONG];
    for (int i = 0; i < 5 * LONG; i++)
        long_x[i] = (float)(i / LONG * 10000 + i % LONG);
    tnn_dataset view = {.rows = 5, .x = long_x, .target = target};
    tnn_data *data;
    assert_ok(tnn_data_create(&data, LONG, 1, &view, NULL));
    assert_ok(tnn_data_shuffle(data, 3));
    const float *mixed = tnn_data_view(data).x;
    for (int r = 0; r < 5; r++)
        for (int i = 0; i < LONG; i++)
            assert_true(mixed[r * LONG + i] == mixed[r * LONG] + (float)i);
    tnn_data_destroy(data);
}

/* ---- Parts and sums -------------------------------------------------------------------------- */

static void test_dataset_subset_has_the_rows_asked_for(void **state) {
    (void)state;
    const size_t rows[] = {9, 0, 0, 4};
    tnn_data *data = new_data(view_of_targets(), 1);
    tnn_data *subset;
    assert_ok(tnn_data_subset(&subset, data, 4, rows));
    assert_rows_are(subset, rows, 4);
    tnn_data_destroy(subset);
    assert_status(tnn_data_subset(NULL, data, 4, rows), TNN_INVALID_ARGUMENT);
    assert_status(tnn_data_subset(&subset, NULL, 4, rows), TNN_INVALID_ARGUMENT);
    assert_status(tnn_data_subset(&subset, data, 4, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_data_subset(&subset, data, 0, rows), TNN_INVALID_ARGUMENT);
    subset = data;
    assert_status(tnn_data_subset(&subset, data, 1, (size_t[]){10}), TNN_INVALID_ARGUMENT);
    assert_null(subset);
    assert_string_equal(
        tnn_error_message(), "tnn_data_subset: rows[0] is 10, expected less than 10");
    tnn_data_destroy(data);
}

static void assert_split(double share, size_t expected) {
    tnn_data *data = new_data(view_of_targets(), 1);
    tnn_data *first;
    tnn_data *rest;
    assert_ok(tnn_data_split(&first, &rest, data, share, 1));
    assert_rows_are(first, order_of_seed_1, expected);
    assert_rows_are(rest, order_of_seed_1 + expected, ROWS - expected);
    tnn_data_destroy(first);
    tnn_data_destroy(rest);
    tnn_data_destroy(data);
}

static void test_dataset_split_cuts_the_shuffled_rows(void **state) {
    (void)state;
    assert_split(0.8, 8);
    assert_split(0.24, 2);
    assert_split(0.25, 3);
    assert_split(1e-300, 1);
    assert_split(0.9999, 9);
}

static void test_dataset_split_arguments_are_checked(void **state) {
    (void)state;
    static const double shares[] = {0, 1, -0.5, 1.5};
    tnn_data *data = new_data(view_of_targets(), 1);
    tnn_data *first = data;
    tnn_data *rest = data;
    for (size_t i = 0; i < COUNT_OF(shares); i++)
        assert_status(tnn_data_split(&first, &rest, data, shares[i], 1), TNN_INVALID_ARGUMENT);
    const float zero = 0;
    assert_status(tnn_data_split(&first, &rest, data, zero / zero, 1), TNN_INVALID_ARGUMENT);
    assert_status(tnn_data_split(&first, &rest, NULL, 0.5, 1), TNN_INVALID_ARGUMENT);
    assert_status(tnn_data_split(NULL, &rest, data, 0.5, 1), TNN_INVALID_ARGUMENT);
    assert_status(tnn_data_split(&first, NULL, data, 0.5, 1), TNN_INVALID_ARGUMENT);
    assert_status(tnn_data_split(&first, &first, data, 0.5, 1), TNN_INVALID_ARGUMENT);
    assert_null(first);
    assert_null(rest);
    tnn_data_destroy(data);
    tnn_dataset single = view_of_targets();
    single.rows = 1;
    data = new_data(single, 1);
    assert_status(tnn_data_split(&first, &rest, data, 0.5, 1), TNN_INVALID_ARGUMENT);
    tnn_data_destroy(data);
}

static void test_dataset_join_has_the_rows_of_both(void **state) {
    (void)state;
    tnn_data *data = new_data(view_of_targets(), 1);
    tnn_data *part;
    tnn_data *joined;
    assert_ok(tnn_data_subset(&part, data, 2, (size_t[]){7, 3}));
    assert_ok(tnn_data_join(&joined, part, data));
    assert_rows_are(joined, (size_t[]){7, 3, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 12);
    tnn_data_destroy(joined);
    tnn_data_destroy(part);
    tnn_data_destroy(data);
}

static void test_dataset_join_gives_weight_1_to_rows_without_weights(void **state) {
    (void)state;
    tnn_dataset plain = {.rows = 2, .x = x, .target = target};
    tnn_dataset weighted = {.rows = 1, .x = x, .target = target, .row_weights = weights + 2};
    tnn_data *a = new_data(plain, 1);
    tnn_data *b = new_data(weighted, 1);
    tnn_data *joined;
    assert_ok(tnn_data_join(&joined, a, b));
    assert_same_bits(tnn_data_view(joined).row_weights, ((float[]){1, 1, 0.5f}), 3);
    tnn_data_destroy(joined);
    assert_ok(tnn_data_join(&joined, b, a));
    assert_same_bits(tnn_data_view(joined).row_weights, ((float[]){0.5f, 1, 1}), 3);
    tnn_data_destroy(joined);
    assert_ok(tnn_data_join(&joined, a, a));
    assert_null(tnn_data_view(joined).row_weights);
    tnn_data_destroy(joined);
    tnn_data_destroy(a);
    tnn_data_destroy(b);
}

static tnn_data *new_from_csv(const char *text) {
    memory_source source;
    tnn_data *data;
    tnn_csv_options options = {.has_header = true, .is_class = true};
    assert_ok(tnn_read_csv_from(&data, init_memory_source(&source, text, strlen(text)), &options));
    return data;
}

static void test_dataset_join_is_refused_when_the_two_do_not_fit(void **state) {
    (void)state;
    tnn_data *targets = new_data(view_of_targets(), 1);
    tnn_data *of_classes = new_data(view_of_classes(), 3);
    tnn_data *joined = targets;
    assert_status(tnn_data_join(&joined, targets, of_classes), TNN_INVALID_ARGUMENT);
    assert_null(joined);
    assert_status(tnn_data_join(NULL, targets, targets), TNN_INVALID_ARGUMENT);
    assert_status(tnn_data_join(&joined, NULL, targets), TNN_INVALID_ARGUMENT);
    assert_status(tnn_data_join(&joined, targets, NULL), TNN_INVALID_ARGUMENT);
    tnn_dataset three = {.rows = 3, .x = x, .target = target};
    tnn_data *other = new_data(three, 3);
    assert_status(tnn_data_join(&joined, of_classes, other), TNN_INVALID_ARGUMENT);
    tnn_data *a = new_from_csv("x,kind\n1,red\n2,green\n");
    tnn_data *b = new_from_csv("x,kind\n1,green\n2,red\n");
    assert_status(tnn_data_join(&joined, a, b), TNN_INVALID_ARGUMENT);
    assert_string_equal(
        tnn_error_message(), "tnn_data_join: class 0 is \"red\" in first and \"green\" in second");
    tnn_data_destroy(a);
    tnn_data_destroy(b);
    tnn_data_destroy(other);
    tnn_data_destroy(of_classes);
    tnn_data_destroy(targets);
}

static void assert_names(const tnn_data *data) {
    assert_string_equal(tnn_data_input_name(data, 0), "x");
    assert_string_equal(tnn_data_output_name(data, 0), "red");
    assert_string_equal(tnn_data_output_name(data, 1), "green");
}

static void test_dataset_join_refuses_named_classes_with_unnamed_ones(void **state) {
    (void)state;
    tnn_data *named = new_from_csv("x,kind\n1,red\n2,green\n3,blue\n");
    tnn_data *unnamed = new_from_csv("x,kind\n1,2\n2,0\n");
    tnn_data *fewer = new_from_csv("x,kind\n1,red\n");
    tnn_data *joined = named;
    assert_status(tnn_data_join(&joined, named, unnamed), TNN_INVALID_ARGUMENT);
    assert_null(joined);
    assert_string_equal(
        tnn_error_message(),
        "tnn_data_join: only the classes of first have names, expected both or none");
    assert_status(tnn_data_join(&joined, unnamed, named), TNN_INVALID_ARGUMENT);
    assert_string_equal(
        tnn_error_message(),
        "tnn_data_join: only the classes of second have names, expected both or none");
    assert_status(tnn_data_join(&joined, named, fewer), TNN_INVALID_ARGUMENT);
    tnn_data_destroy(named);
    tnn_data_destroy(unnamed);
    tnn_data_destroy(fewer);
}

static void assert_joins_to_five_classes(const tnn_data *first, const tnn_data *second) {
    tnn_data *joined;
    assert_ok(tnn_data_join(&joined, first, second));
    assert_int_equal(tnn_data_outputs(joined), 5);
    assert_int_equal(tnn_data_view(joined).rows, 3);
    assert_string_equal(tnn_data_input_name(joined, 0), "x");
    for (size_t i = 0; i < 5; i++)
        assert_null(tnn_data_output_name(joined, i));
    tnn_data_destroy(joined);
}

static void test_dataset_join_takes_the_larger_number_of_unnamed_classes(void **state) {
    (void)state;
    tnn_data *two = new_from_csv("x,kind\n1,1\n2,0\n");
    tnn_data *five = new_from_csv("x,kind\n3,4\n");
    assert_joins_to_five_classes(two, five);
    assert_joins_to_five_classes(five, two);
    tnn_data_destroy(two);
    tnn_data_destroy(five);
}

static void test_dataset_without_targets_is_mixed_and_cut_like_any(void **state) {
    (void)state;
    tnn_dataset bare = {.rows = ROWS, .x = x};
    tnn_data *data = new_data(bare, 0);
    tnn_data *targets = new_data(view_of_targets(), 1);
    tnn_data *first;
    tnn_data *rest;
    tnn_data *joined;
    assert_ok(tnn_data_split(&first, &rest, data, 0.5, 1));
    assert_ok(tnn_data_join(&joined, first, rest));
    assert_ok(tnn_data_shuffle(data, 1));
    assert_rows_are(data, order_of_seed_1, ROWS);
    assert_rows_are(joined, order_of_seed_1, ROWS);
    assert_int_equal(tnn_data_outputs(joined), 0);
    assert_null(tnn_data_view(joined).target);
    assert_null(tnn_data_view(joined).classes);
    tnn_data_destroy(joined);
    assert_null(tnn_data_output_name(data, 0));
    assert_status(tnn_data_join(&joined, data, targets), TNN_INVALID_ARGUMENT);
    tnn_data_destroy(first);
    tnn_data_destroy(rest);
    tnn_data_destroy(targets);
    tnn_data_destroy(data);
}

static void test_dataset_without_targets_is_refused_by_what_needs_them(void **state) {
    (void)state;
    tnn_dataset bare = {.rows = ROWS, .x = x};
    const tnn_layer layer = {.units = 1};
    const tnn_fit_options options = {.epochs = 1};
    tnn_evaluation evaluation;
    tnn_net *net;
    tnn_optimizer *optimizer;
    assert_ok(tnn_net_create(&net, 2, &layer, 1, NULL));
    assert_ok(tnn_optimizer_create(&optimizer, net, tnn_sgd(0.1f)));
    tnn_loss loss = tnn_mean_squared_error();
    assert_status(tnn_train(net, optimizer, loss, &bare, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_fit(net, optimizer, loss, &bare, &options, NULL), TNN_INVALID_ARGUMENT);
    assert_status(tnn_evaluate(net, loss, &bare, &evaluation, NULL), TNN_INVALID_ARGUMENT);
    assert_ok(tnn_net_fit_scaling(net, &bare, TNN_STANDARDIZE, TNN_NO_SCALING));
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
}

static void test_dataset_names_go_with_parts_and_sums(void **state) {
    (void)state;
    tnn_data *data = new_from_csv("x,kind\n1,red\n2,green\n");
    tnn_data *first;
    tnn_data *rest;
    tnn_data *joined;
    assert_ok(tnn_data_split(&first, &rest, data, 0.5, 0));
    tnn_data_destroy(data);
    assert_ok(tnn_data_join(&joined, first, rest));
    assert_names(first);
    assert_names(rest);
    assert_names(joined);
    tnn_data_destroy(first);
    tnn_data_destroy(rest);
    tnn_data_destroy(joined);
}

/* ---- Without memory -------------------------------------------------------------------------- */

typedef tnn_status making(tnn_data **made, const tnn_data *data, const tnn_allocator *allocator);

static tnn_status call_create(
    tnn_data **made, const tnn_data *data, const tnn_allocator *allocator) {
    tnn_dataset view = view_of_targets();
    (void)data;
    return tnn_data_create(made, 2, 1, &view, allocator);
}

static tnn_status call_subset(
    tnn_data **made, const tnn_data *data, const tnn_allocator *allocator) {
    (void)allocator;
    return tnn_data_subset(made, data, 2, (size_t[]){0, 1});
}

static tnn_status call_split(
    tnn_data **made, const tnn_data *data, const tnn_allocator *allocator) {
    tnn_data *rest = (tnn_data *)(uintptr_t)1;
    (void)allocator;
    tnn_status status = tnn_data_split(made, &rest, data, 0.5, 1);
    assert_true(!rest == (status != TNN_OK));
    tnn_data_destroy(rest);
    return status;
}

static tnn_status call_join(tnn_data **made, const tnn_data *data, const tnn_allocator *allocator) {
    (void)allocator;
    return tnn_data_join(made, data, data);
}

/* Returns how many allocations there were. */
static size_t fail_each(making *make) {
    static const char text[] = "x,kind\n1,red\n2,green\n";
    test_allocator memory;
    for (size_t failing = 1;; failing++) {
        memory_source source;
        tnn_data *data;
        tnn_data *made = (tnn_data *)(uintptr_t)1;
        tnn_csv_options options = {
            .has_header = true, .is_class = true, .allocator = init_test_allocator(&memory)};
        assert_ok(
            tnn_read_csv_from(&data, init_memory_source(&source, text, sizeof text - 1), &options));
        memory.fail_at = memory.calls + failing;
        tnn_status status = make(&made, data, &memory.base);
        bool failed = memory.calls >= memory.fail_at;
        assert_status(status, failed ? TNN_OUT_OF_MEMORY : TNN_OK);
        assert_true(!made == failed);
        tnn_data_destroy(made);
        assert_names(data);
        tnn_data_destroy(data);
        assert_int_equal(memory.live, 0);
        if (!failed)
            return failing - 1;
    }
}

static void test_dataset_calls_fail_clean_without_memory(void **state) {
    (void)state;
    /* The data set, x, targets or classes, and weights or names; a split twice, and an order. */
    assert_int_equal(fail_each(call_create), 4);
    assert_int_equal(fail_each(call_subset), 4);
    assert_int_equal(fail_each(call_split), 9);
    assert_int_equal(fail_each(call_join), 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dataset_create_copies_the_view),
        cmocka_unit_test(test_dataset_create_arguments_are_checked),
        cmocka_unit_test(test_dataset_getters_without_an_answer_say_why),
        cmocka_unit_test(test_dataset_shuffle_is_the_seeds_order),
        cmocka_unit_test(test_dataset_shuffle_gives_every_order_as_often),
        cmocka_unit_test(test_dataset_random_numbers_below_a_bound_are_below_it),
        cmocka_unit_test(test_dataset_shuffle_moves_whole_rows_when_they_are_long),
        cmocka_unit_test(test_dataset_subset_has_the_rows_asked_for),
        cmocka_unit_test(test_dataset_split_cuts_the_shuffled_rows),
        cmocka_unit_test(test_dataset_split_arguments_are_checked),
        cmocka_unit_test(test_dataset_join_has_the_rows_of_both),
        cmocka_unit_test(test_dataset_join_gives_weight_1_to_rows_without_weights),
        cmocka_unit_test(test_dataset_join_is_refused_when_the_two_do_not_fit),
        cmocka_unit_test(test_dataset_join_refuses_named_classes_with_unnamed_ones),
        cmocka_unit_test(test_dataset_join_takes_the_larger_number_of_unnamed_classes),
        cmocka_unit_test(test_dataset_without_targets_is_mixed_and_cut_like_any),
        cmocka_unit_test(test_dataset_without_targets_is_refused_by_what_needs_them),
        cmocka_unit_test(test_dataset_names_go_with_parts_and_sums),
        cmocka_unit_test(test_dataset_calls_fail_clean_without_memory),
    };
    return cmocka_run_group_tests_name("dataset", tests, set_up, NULL);
}
