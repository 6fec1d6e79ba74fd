/* A loop whose rounds may run at the same time. */
#ifndef TINYNN_SUPPORT_PARALLEL_H
#define TINYNN_SUPPORT_PARALLEL_H

#include <tinynn/tinynn.h>

/* Calls task(argument, index) for every index below count, which is at most what
 * tnni_parallel_threads gave; returns when all are done. Without an executor they run on as many
 * threads of OpenMP. One round, or all of them where there is no OpenMP, and in a process made by
 * fork, run here in order. Wherever a task runs, it rounds as the caller does. */
void tnni_parallel_for(
    const tnn_executor *executor, size_t count, void (*task)(void *argument, size_t index),
    void *argument);

/* Into how many tasks to divide what a host wants to run on so many threads: at least 1, and 1 if
 * there is nothing to run them on. */
unsigned tnni_parallel_threads(const tnn_executor *executor, unsigned wanted);

/* The part of length elements that round index of count takes: whole, disjoint, nearly equal. */
typedef struct tnni_range {
    size_t begin;
    size_t end;
} tnni_range;
tnni_range tnni_share(size_t length, size_t index, size_t count);

static inline size_t tnni_length(tnni_range range) {
    return range.end - range.begin;
}

#endif
