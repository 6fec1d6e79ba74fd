/*
 * test_schedule.c: the learning rates that schedules give, against PyTorch's (lr_scheduler, 0.1 as
 * the base rate, in double), and what they refuse.
 */
#include "support/test_nets.h"

#include <math.h>

/* Some products and one cosine, each rounded: a few units in the last place of the base rate. */
#define TOLERANCE 1e-16

static double rate_at(tnn_schedule schedule, const tnn_progress *progress, double state[4]) {
    return schedule.vtable->rate(&schedule, progress, 0.1, state);
}

static void check_steps(tnn_schedule schedule, const double *expected, size_t steps) {
    double state[4] = {0};
    assert_true(schedule.vtable->each_step);
    for (size_t i = 0; i < steps; i++) {
        const tnn_progress progress = {.step = i, .steps = steps};
        assert_within(rate_at(schedule, &progress, state), expected[i], TOLERANCE);
    }
}

static void check_epochs(tnn_schedule schedule, const double *expected, size_t epochs) {
    double state[4] = {0};
    assert_false(schedule.vtable->each_step);
    for (size_t i = 0; i < epochs; i++) {
        const tnn_progress progress = {.epoch = i, .epochs = epochs};
        assert_within(rate_at(schedule, &progress, state), expected[i], TOLERANCE);
    }
}

static void test_schedule_one_cycle_is_pytorchs(void **state) {
    (void)state;
    static const double expected[] = {
        0.0040000000000000036, 0.013167184270002533,  0.037167184270002526,
        0.066832815729997469,  0.090832815729997476,  0.10000000000000001,
        0.098746400623508743,  0.095048463201347383,  0.089091617757105002,
        0.081174565394976306,  0.071694300179130088,  0.06112620219362893,
        0.050000200000000002,  0.038874197806371073,  0.028306099820869922,
        0.018825834605023701,  0.010908782242895003,  0.0049519367986526289,
        0.0012539993764912555, 3.9999999999999998e-07};
    check_steps(tnn_one_cycle(), expected, COUNT_OF(expected));
}

static void test_schedule_one_cycle_is_finite_for_any_number_of_steps(void **state) {
    (void)state;
    for (uint64_t steps = 1; steps < 12; steps++) {
        for (uint64_t step = 0; step < steps; step++) {
            double memory[4] = {0};
            double rate =
                rate_at(tnn_one_cycle(), &(tnn_progress){.step = step, .steps = steps}, memory);
            assert_true(rate >= 0.0 && rate <= 0.1);
        }
    }
}

static void test_schedule_cosine_decay_without_warmup_is_pytorchs(void **state) {
    (void)state;
    static const double expected[] = {
        0.10000000000000001,  0.097797543233281922, 0.091405764746872634, 0.08145033635316129,
        0.068905764746872641, 0.055000000000000007, 0.041094235253127373, 0.028549663646838717,
        0.01859423525312737,  0.012202456766718092};
    check_steps(tnn_cosine_decay(0.0, 0.1), expected, COUNT_OF(expected));
}

static void test_schedule_cosine_decay_rises_in_a_straight_line_first(void **state) {
    (void)state;
    static const double expected[] = {0.025, 0.05, 0.075, 0.1, 0.1};
    double memory[4] = {0};
    for (uint64_t i = 0; i < COUNT_OF(expected); i++) {
        const tnn_progress progress = {.step = i, .steps = 16};
        assert_within(
            rate_at(tnn_cosine_decay(0.25, 0.0), &progress, memory), expected[i], TOLERANCE);
    }
}

static void test_schedule_step_decay_is_pytorchs(void **state) {
    (void)state;
    static const double expected[] = {0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025};
    check_epochs(tnn_step_decay(3, 0.5), expected, COUNT_OF(expected));
}

static void test_schedule_exponential_decay_is_pytorchs(void **state) {
    (void)state;
    static const double expected[] = {
        0.10000000000000001, 0.090000000000000011, 0.081000000000000016,
        0.07290000000000002, 0.065610000000000016, 0.059049000000000018,
        0.05314410000000002, 0.047829690000000022, 0.043046721000000024};
    check_epochs(tnn_exponential_decay(0.9), expected, COUNT_OF(expected));
}

/* The rates that a series of losses leads to, told as validation or as training losses. */
static void check_plateau(bool validates) {
    static const double losses[] = {1, 0.9, 0.9, 0.9, 0.9, 0.8, 0.8, 0.8, 0.8, 0.79999, 0.8, 0.7};
    static const double expected[] = {0.1,  0.1,  0.1,  0.1,   0.1,   0.05,
                                      0.05, 0.05, 0.05, 0.025, 0.025, 0.025};
    double state[4] = {0};
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        double last = i > 0 ? losses[i - 1] : (double)NAN;
        const tnn_progress progress = {
            .epoch = i,
            .training_loss = validates ? 0.0 : last,
            .validation_loss = validates ? last : (double)NAN,
        };
        assert_within(
            rate_at(tnn_reduce_on_plateau(0.5, 2), &progress, state), expected[i], TOLERANCE);
    }
}

static void test_schedule_reduce_on_plateau_is_pytorchs(void **state) {
    (void)state;
    check_plateau(true);
    check_plateau(false);
}

/* As PyTorch's, which begins with an infinite best loss. */
static void test_schedule_reduce_on_plateau_recovers_from_a_loss_that_is_not_finite(void **state) {
    (void)state;
    static const double losses[] = {INFINITY, NAN, 3, 2, 1, 0.5, 0.2, 0.1};
    double memory[4] = {0};
    for (size_t i = 0; i <= COUNT_OF(losses); i++) {
        const tnn_progress progress = {
            .epoch = i, .validation_loss = NAN, .training_loss = i > 0 ? losses[i - 1] : 0};
        assert_within(rate_at(tnn_reduce_on_plateau(0.5, 2), &progress, memory), 0.1, TOLERANCE);
    }
}

static void test_schedule_step_decay_takes_any_number_of_epochs(void **state) {
    (void)state;
    double memory[4] = {0};
    const tnn_progress late = {.epoch = SIZE_MAX / 2};
    assert_within(rate_at(tnn_step_decay(SIZE_MAX, 0.5), &late, memory), 0.1, TOLERANCE);
    assert_within(rate_at(tnn_step_decay(1, 0.5), &late, memory), 0, 0);
}

static void test_schedule_constant_rate_is_constant(void **state) {
    (void)state;
    static const double expected[] = {0.1, 0.1, 0.1};
    check_epochs(tnn_constant_rate(), expected, COUNT_OF(expected));
}

/* ---- Arguments ------------------------------------------------------------------------------- */

static double no_rate(
    const tnn_schedule *self, const tnn_progress *progress, double base_rate, double state[4]) {
    (void)self, (void)progress, (void)state;
    return base_rate;
}

static void test_schedule_arguments_outside_their_domain_are_refused(void **state) {
    (void)state;
    static const tnn_schedule_vtable nameless = {"", false, no_rate};
    static const tnn_schedule_vtable impostor = {"one_cycle", false, no_rate};
    static const tnn_schedule_vtable idle = {"idle", false, NULL};
    const tnn_schedule bad[] = {
        tnn_step_decay(0, 0.5),        tnn_step_decay(1, 0.0),
        tnn_step_decay(1, 1.1),        tnn_step_decay(1, NAN),
        tnn_exponential_decay(0.0),    tnn_exponential_decay(NAN),
        tnn_cosine_decay(1.0, 0.0),    tnn_cosine_decay(-0.1, 0.0),
        tnn_cosine_decay(0.0, 1.1),    tnn_cosine_decay(NAN, 0.0),
        tnn_cosine_decay(0.0, NAN),    tnn_reduce_on_plateau(1.0, 1),
        tnn_reduce_on_plateau(0.0, 1), {.vtable = &nameless},
        {.vtable = &impostor},         {.vtable = &idle},
    };
    tnn_net *net = new_net(1, &(tnn_layer){.units = 1}, 1, NULL);
    tnn_optimizer *optimizer = new_optimizer(net, 0.1f);
    const float x = 1, target = 2;
    const tnn_dataset data = {.rows = 1, .x = &x, .target = &target};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const tnn_fit_options options = {.epochs = 1, .schedule = bad[i]};
        assert_status(
            tnn_fit(net, optimizer, tnn_mean_squared_error(), &data, &options, NULL),
            TNN_INVALID_ARGUMENT);
    }
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schedule_one_cycle_is_pytorchs),
        cmocka_unit_test(test_schedule_one_cycle_is_finite_for_any_number_of_steps),
        cmocka_unit_test(test_schedule_cosine_decay_without_warmup_is_pytorchs),
        cmocka_unit_test(test_schedule_cosine_decay_rises_in_a_straight_line_first),
        cmocka_unit_test(test_schedule_step_decay_is_pytorchs),
        cmocka_unit_test(test_schedule_exponential_decay_is_pytorchs),
        cmocka_unit_test(test_schedule_reduce_on_plateau_is_pytorchs),
        cmocka_unit_test(test_schedule_reduce_on_plateau_recovers_from_a_loss_that_is_not_finite),
        cmocka_unit_test(test_schedule_step_decay_takes_any_number_of_epochs),
        cmocka_unit_test(test_schedule_constant_rate_is_constant),
        cmocka_unit_test(test_schedule_arguments_outside_their_domain_are_refused),
    };
    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
