/*
 * test_threads.c: nets with threads of the library's own, wherever they are called from. The bits
 * are those of one thread.
 *
 * It runs a second time with the OpenMP runtime limited to fewer threads than it is asked for.
 */
#include "support/train_wide.h"

#include <pthread.h>

enum { CALLERS = 4 };

static float alone[WIDE_PARAMETERS];

static int train_alone(void **state) {
    (void)state;
    return train_wide(1, alone) == TNN_OK ? 0 : -1;
}

typedef struct training {
    unsigned threads;
    tnn_status status;
    float parameters[WIDE_PARAMETERS];
} training;

static void run(training *self) {
    self->status = train_wide(self->threads, self->parameters);
}

static void assert_as_alone(const training *done) {
    assert_int_equal(done->status, TNN_OK);
    assert_same_bits(done->parameters, alone, WIDE_PARAMETERS);
}

static void test_threads_do_not_change_a_bit_of_a_training(void **state) {
    static const unsigned threads[] = {1, 2, 3, 4, 8, 256};
    static training one;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        one.threads = threads[i];
        run(&one);
        assert_as_alone(&one);
    }
}

static void *call(void *argument) {
    run(argument);
    return NULL;
}

static void test_threads_serve_several_callers_at_once(void **state) {
    static training all[CALLERS];
    pthread_t callers[CALLERS];
    (void)state;
    for (size_t i = 0; i < CALLERS; i++) {
        all[i].threads = 2;
        assert_int_equal(pthread_create(&callers[i], NULL, call, &all[i]), 0);
    }
    for (size_t i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_join(callers[i], NULL), 0);
    for (size_t i = 0; i < CALLERS; i++)
        assert_as_alone(&all[i]);
}

/* Without OpenMP here, a plain loop. */
static void test_threads_serve_callers_in_a_parallel_region_of_their_own(void **state) {
    static training all[CALLERS];
    (void)state;
#ifdef _OPENMP
#    pragma omp parallel for num_threads(CALLERS)
#endif
    for (int i = 0; i < CALLERS; i++) {
        all[i].threads = 3;
        run(&all[i]);
    }
    for (size_t i = 0; i < CALLERS; i++)
        assert_as_alone(&all[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_do_not_change_a_bit_of_a_training),
        cmocka_unit_test(test_threads_serve_several_callers_at_once),
        cmocka_unit_test(test_threads_serve_callers_in_a_parallel_region_of_their_own),
    };
    return cmocka_run_group_tests_name("threads", tests, train_alone, NULL);
}
