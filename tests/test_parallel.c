/*
 * test_parallel.c: every round once, shares that are whole and disjoint, and rounding as the
 * caller's wherever a round runs.
 */
#include "support/testing.h"

#include "support/parallel.h"

#include <fenv.h>
#include <limits.h>
#include <pthread.h>
#if defined(__x86_64__)
#    include <xmmintrin.h>
#endif

/* ---- Executors ------------------------------------------------------------------------------- */

typedef void round_task(void *argument, size_t index);

/* One thread, the last round first; counts the calls. */
typedef struct backward_executor {
    size_t runs, count;
} backward_executor;

static void run_backward(void *context, size_t count, round_task *task, void *argument) {
    backward_executor *executor = context;
    executor->runs++;
    executor->count = count;
    while (count-- > 0)
        task(argument, count);
}

/* A thread for each round, with a floating-point environment of its own. */
enum { MOST_THREADS = 16 };

typedef struct thread_start {
    const struct thread_executor *executor;
    round_task *task;
    void *argument;
    size_t index;
    float third_before, third_after, denormal_before, denormal_after;
} thread_start;

typedef struct thread_executor {
    int rounding;       /* that a worker has when the round begins */
    bool flush_to_zero; /* likewise */
    thread_start starts[MOST_THREADS];
} thread_executor;

/* 1 / 3 and the least normal float halved, as this thread's control word has them. */
static float third(void) {
    volatile float one = 1, three = 3;
    return one / three;
}

static float denormal(void) {
    volatile float least = 0x1p-126f, half = 0.5f;
    return least * half;
}

static void set_flush_to_zero(bool flush) {
#if defined(__x86_64__)
    _MM_SET_FLUSH_ZERO_MODE(flush ? _MM_FLUSH_ZERO_ON : _MM_FLUSH_ZERO_OFF);
#else
    (void)flush; /* not to be had from C */
#endif
}

static void *start_round(void *argument) {
    thread_start *start = argument;
    fesetround(start->executor->rounding);
    set_flush_to_zero(start->executor->flush_to_zero);
    start->third_before = third();
    start->denormal_before = denormal();
    start->task(start->argument, start->index);
    start->third_after = third();
    start->denormal_after = denormal();
    return NULL;
}

static void run_threads(void *context, size_t count, round_task *task, void *argument) {
    thread_executor *executor = context;
    pthread_t threads[MOST_THREADS];
    assert_in_range(count, 1, MOST_THREADS);
    for (size_t i = 0; i < count; i++) {
        executor->starts[i] = (thread_start){executor, task, argument, i, 0, 0, 0, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, start_round, &executor->starts[i]), 0);
    }
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* ---- Rounds ---------------------------------------------------------------------------------- */

enum { MOST_ROUNDS = 1000 };

/* Each round has a place of its own, so that threads need no lock. */
typedef struct visits {
    size_t times[MOST_ROUNDS];
    size_t order[MOST_ROUNDS]; /* for one thread only */
    size_t count;
    bool ordered;
} visits;

static void visit(void *argument, size_t index) {
    visits *seen = argument;
    seen->times[index]++;
    if (seen->ordered)
        seen->order[seen->count++] = index;
}

static void assert_each_round_once(const visits *seen, size_t count) {
    for (size_t i = 0; i < MOST_ROUNDS; i++)
        assert_int_equal(seen->times[i], i < count);
}

static void test_parallel_for_runs_every_round_once_without_an_executor(void **state) {
    (void)state;
    for (size_t count = 0; count <= MOST_THREADS; count++) {
        visits seen = {0};
        tnni_parallel_for(NULL, count, visit, &seen);
        assert_each_round_once(&seen, count);
    }
}

static void test_parallel_for_runs_every_round_once_on_an_executor(void **state) {
    (void)state;
    backward_executor backward = {0};
    const tnn_executor executor = {&backward, run_backward};
    visits seen = {.ordered = true};
    tnni_parallel_for(&executor, 7, visit, &seen);
    assert_int_equal(backward.runs, 1);
    assert_int_equal(backward.count, 7);
    assert_each_round_once(&seen, 7);
    assert_int_equal(seen.order[0], 6);
}

static void test_parallel_for_runs_every_round_once_on_threads(void **state) {
    (void)state;
    thread_executor threads = {.rounding = FE_TONEAREST};
    const tnn_executor executor = {&threads, run_threads};
    visits seen = {0};
    tnni_parallel_for(&executor, MOST_THREADS, visit, &seen);
    assert_each_round_once(&seen, MOST_THREADS);
}

static void test_parallel_for_runs_a_single_round_without_the_executor(void **state) {
    (void)state;
    backward_executor backward = {0};
    const tnn_executor executor = {&backward, run_backward};
    visits seen = {0};
    tnni_parallel_for(&executor, 1, visit, &seen);
    assert_int_equal(backward.runs, 0);
    assert_each_round_once(&seen, 1);
}

/* ---- OpenMP ---------------------------------------------------------------------------------- */

#ifdef TINYNN_OPENMP
static const bool has_openmp = true;
#else
static const bool has_openmp = false;
#endif

static void note_thread(void *argument, size_t index) {
    pthread_t *threads = argument;
    threads[index] = pthread_self();
}

static void test_parallel_for_without_an_executor_runs_on_threads_of_openmp(void **state) {
    (void)state;
    pthread_t threads[4];
    tnni_parallel_for(NULL, 4, note_thread, threads);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < i; j++)
            assert_int_equal(!pthread_equal(threads[i], threads[j]), has_openmp);
}

static void test_parallel_threads_are_one_where_nothing_runs_more(void **state) {
    (void)state;
    const tnn_executor executor = {NULL, run_backward};
    assert_int_equal(tnni_parallel_threads(&executor, 0), 1);
    assert_int_equal(tnni_parallel_threads(&executor, 1), 1);
    assert_int_equal(tnni_parallel_threads(&executor, 5), 5);
    assert_int_equal(tnni_parallel_threads(&executor, UINT_MAX), 256);
    assert_int_equal(tnni_parallel_threads(NULL, 0), 1);
    assert_int_equal(tnni_parallel_threads(NULL, 1), 1);
    assert_int_equal(tnni_parallel_threads(NULL, 5), has_openmp ? 5 : 1);
    assert_int_equal(tnni_parallel_threads(NULL, UINT_MAX), has_openmp ? 256 : 1);
}

/* ---- Rounding -------------------------------------------------------------------------------- */

typedef struct arithmetic {
    float thirds[MOST_THREADS], denormals[MOST_THREADS];
} arithmetic;

static void compute(void *argument, size_t index) {
    arithmetic *results = argument;
    results->thirds[index] = third();
    results->denormals[index] = denormal();
}

/* Runs rounds in the caller's rounding mode on workers that have another one. */
static void check_rounding(int caller, int worker, float callers_third, float workers_third) {
    thread_executor threads = {.rounding = worker};
    const tnn_executor executor = {&threads, run_threads};
    arithmetic results = {0};
    int before = fegetround();
    fesetround(caller);
    tnni_parallel_for(&executor, 3, compute, &results);
    int after = fegetround();
    fesetround(before);
    assert_int_equal(after, caller);
    for (size_t i = 0; i < 3; i++) {
        assert_true(results.thirds[i] == callers_third);
        assert_true(threads.starts[i].third_before == workers_third);
        assert_true(threads.starts[i].third_after == workers_third);
    }
}

/* 1 / 3 lies between these two floats, nearer to the upper one. */
#define THIRD_DOWN 0x1.555554p-2f
#define THIRD_UP 0x1.555556p-2f

static void test_parallel_for_rounds_as_the_caller_does_when_the_worker_would_not(void **state) {
    (void)state;
    check_rounding(FE_TONEAREST, FE_DOWNWARD, THIRD_UP, THIRD_DOWN);
    check_rounding(FE_DOWNWARD, FE_TONEAREST, THIRD_DOWN, THIRD_UP);
    check_rounding(FE_TOWARDZERO, FE_UPWARD, THIRD_DOWN, THIRD_UP);
}

/* The workers of OpenMP have the rounding mode of their first region's caller, or the default. */
static void test_parallel_for_rounds_as_the_caller_does_on_threads_of_openmp(void **state) {
    (void)state;
    static const int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TONEAREST};
    static const float thirds[] = {THIRD_UP, THIRD_DOWN, THIRD_UP, THIRD_UP};
    int before = fegetround();
    for (size_t m = 0; m < COUNT_OF(modes); m++) {
        arithmetic results = {0};
        fesetround(modes[m]);
        tnni_parallel_for(NULL, 4, compute, &results);
        int after = fegetround();
        fesetround(before);
        assert_int_equal(after, modes[m]);
        for (size_t i = 0; i < 4; i++)
            assert_true(results.thirds[i] == thirds[m]);
    }
}

static void test_parallel_for_keeps_denormals_when_the_worker_would_flush_them(void **state) {
    (void)state;
    thread_executor threads = {.rounding = FE_TONEAREST, .flush_to_zero = true};
    const tnn_executor executor = {&threads, run_threads};
    arithmetic results = {0};
    tnni_parallel_for(&executor, 3, compute, &results);
    for (size_t i = 0; i < 3; i++) {
        assert_true(results.denormals[i] == 0x1p-127f);
        assert_true(threads.starts[i].denormal_before == threads.starts[i].denormal_after);
    }
}

/* ---- Shares ---------------------------------------------------------------------------------- */

static void check_shares(size_t length, size_t count) {
    size_t end = 0, shortest = SIZE_MAX, longest = 0;
    for (size_t index = 0; index < count; index++) {
        tnni_range share = tnni_share(length, index, count);
        assert_int_equal(share.begin, end);
        assert_true(share.end >= share.begin);
        size_t size = share.end - share.begin;
        shortest = size < shortest ? size : shortest;
        longest = size > longest ? size : longest;
        end = share.end;
    }
    assert_int_equal(end, length);
    assert_in_range(longest - shortest, 0, 1);
}

static void test_parallel_shares_are_whole_disjoint_and_nearly_equal(void **state) {
    (void)state;
    for (size_t length = 0; length <= 70; length++) {
        for (size_t count = 1; count <= 70; count++)
            check_shares(length, count);
    }
    check_shares(1000003, 256);
}

static void test_parallel_shares_do_not_overflow_when_the_length_is_huge(void **state) {
    (void)state;
    check_shares(SIZE_MAX, 1);
    check_shares(SIZE_MAX, 7);
    check_shares(SIZE_MAX - 1, 256);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parallel_for_runs_every_round_once_without_an_executor),
        cmocka_unit_test(test_parallel_for_runs_every_round_once_on_an_executor),
        cmocka_unit_test(test_parallel_for_runs_every_round_once_on_threads),
        cmocka_unit_test(test_parallel_for_runs_a_single_round_without_the_executor),
        cmocka_unit_test(test_parallel_for_without_an_executor_runs_on_threads_of_openmp),
        cmocka_unit_test(test_parallel_threads_are_one_where_nothing_runs_more),
        cmocka_unit_test(test_parallel_for_rounds_as_the_caller_does_when_the_worker_would_not),
        cmocka_unit_test(test_parallel_for_rounds_as_the_caller_does_on_threads_of_openmp),
        cmocka_unit_test(test_parallel_for_keeps_denormals_when_the_worker_would_flush_them),
        cmocka_unit_test(test_parallel_shares_are_whole_disjoint_and_nearly_equal),
        cmocka_unit_test(test_parallel_shares_do_not_overflow_when_the_length_is_huge),
    };
    return cmocka_run_group_tests_name("parallel", tests, NULL, NULL);
}
