/* A loop whose rounds may run at the same time. */
#ifndef TINYNN_SUPPORT_PARALLEL_H
#define TINYNN_SUPPORT_PARALLEL_H

#include <tinynn/tinynn.h>

/* Calls task(argument, index) for every index below count; returns when all are done. With one
 * round, or without an executor, they run here in order. Wherever a task runs, it rounds as the
 * caller does. */
void tnni_parallel_for(
    const tnn_executor *executor, size_t count, void (*task)(void *argument, size_t index),
    void *argument);

/* The part of length elements that round index of count takes: whole, disjoint, nearly equal. */
typedef struct tnni_range {
    size_t begin;
    size_t end;
} tnni_range;
tnni_range tnni_share(size_t length, size_t index, size_t count);

#endif
