/*
 * executors.h: job systems that a host might have, to run a net on. Both count their calls and
 * check what they are given; neither keeps threads.
 */
#ifndef TINYNN_TESTS_EXECUTORS_H
#define TINYNN_TESTS_EXECUTORS_H

#include "testing.h"

typedef struct test_executor {
    tnn_executor base;
    size_t calls;
    size_t tasks;
} test_executor;

/* In the caller's thread, from the last index to the first. Returns what tnn_net_options wants. */
const tnn_executor *init_reversed_executor(test_executor *executor);

/* In four new threads, each taking the next index that is left. */
const tnn_executor *init_threaded_executor(test_executor *executor);

#endif /* TINYNN_TESTS_EXECUTORS_H */
