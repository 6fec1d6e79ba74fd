#include "batch.h"

#include <string.h>

void tnni_batch_lay_out(tnni_batch *batch, tnni_arena *arena) {
    const tnn_dataset *data = batch->data;
    size_t rows = batch->capacity;
    batch->x = tnni_arena_take(arena, rows, batch->inputs * sizeof(float));
    if (data->target)
        batch->target = tnni_arena_take(arena, rows, batch->outputs * sizeof(float));
    if (data->classes)
        batch->classes = tnni_arena_take(arena, rows, sizeof *batch->classes);
    if (data->row_weights)
        batch->row_weights = tnni_arena_take(arena, rows, sizeof(float));
}

/* count rows as they lie, from one on. */
static inline tnn_dataset rows_from(const tnni_batch *batch, size_t first, size_t count) {
    tnn_dataset rows = *batch->data;
    rows.rows = count;
    rows.x += first * batch->inputs;
    if (rows.target)
        rows.target += first * batch->outputs;
    if (rows.classes)
        rows.classes += first;
    if (rows.row_weights)
        rows.row_weights += first;
    return rows;
}

static tnn_dataset gather(const tnni_batch *batch, const size_t *numbers, size_t count) {
    const size_t x_bytes = batch->inputs * sizeof(float);
    const size_t target_bytes = batch->outputs * sizeof(float);
    for (size_t r = 0; r < count; r++) {
        tnn_dataset row = rows_from(batch, numbers[r], 1);
        /* Rows are far apart, so the next one is fetched while this one is copied. */
        if (r + 1 < count)
            tnni_prefetch(batch->data->x + numbers[r + 1] * batch->inputs, x_bytes);
        memcpy(batch->x + r * batch->inputs, row.x, x_bytes);
        if (row.target)
            memcpy(batch->target + r * batch->outputs, row.target, target_bytes);
        if (row.classes)
            batch->classes[r] = *row.classes;
        if (row.row_weights)
            batch->row_weights[r] = *row.row_weights;
    }
    return (tnn_dataset){count, batch->x, batch->target, batch->classes, batch->row_weights};
}

tnn_dataset tnni_batch_take(
    const tnni_batch *batch, const size_t *numbers, size_t first, size_t count) {
    if (numbers && count > 1)
        return gather(batch, numbers, count);
    return rows_from(batch, numbers ? numbers[0] : first, count);
}
