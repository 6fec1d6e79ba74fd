#include "executors.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 4 };

static void count_call(test_executor *executor, size_t count) {
    executor->calls++;
    executor->tasks += count;
}

static void run_reversed(
    void *context, size_t count, void (*task)(void *argument, size_t index), void *argument) {
    count_call(context, count);
    while (count-- > 0)
        task(argument, count);
}

const tnn_executor *init_reversed_executor(test_executor *executor) {
    *executor = (test_executor){.base = {.context = executor, .run = run_reversed}};
    return &executor->base;
}

typedef struct job {
    atomic_size_t next;
    size_t count;
    void (*task)(void *argument, size_t index);
    void *argument;
} job;

static void *work(void *argument) {
    job *j = argument;
    for (size_t i = j->next++; i < j->count; i = j->next++)
        j->task(j->argument, i);
    return NULL;
}

static void run_threaded(
    void *context, size_t count, void (*task)(void *argument, size_t index), void *argument) {
    pthread_t threads[THREADS];
    job j = {.count = count, .task = task, .argument = argument};
    count_call(context, count);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &j), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

const tnn_executor *init_threaded_executor(test_executor *executor) {
    *executor = (test_executor){.base = {.context = executor, .run = run_threaded}};
    return &executor->base;
}
