/* Rows of a data set, gathered so that they lie side by side. */
#ifndef TINYNN_BATCH_H
#define TINYNN_BATCH_H

#include "support/memory.h"

typedef struct tnni_batch {
    const tnn_dataset *data;
    size_t inputs;
    size_t outputs;
    size_t capacity; /* rows */
    float *x;        /* [capacity, ...] as in the data set; NULL for what that lacks */
    float *target;
    uint32_t *classes;
    float *row_weights;
} tnni_batch;

/* Takes the arrays from an arena. */
void tnni_batch_lay_out(tnni_batch *batch, tnni_arena *arena);

/*
 * count (at most capacity) rows as a data set: the rows of these numbers, or, if numbers is NULL,
 * those from first on. A single row and a row of rows stay where they are. Valid until the next
 * call.
 */
tnn_dataset tnni_batch_take(
    const tnni_batch *batch, const size_t *numbers, size_t first, size_t count);

#endif
