/*
 * fuzz.h: what the fuzz targets share: bytes as a source, and limits that keep a run small. A
 * target has libFuzzer's entry point; driver.c runs it over files where there is no libFuzzer.
 */
#ifndef TINYNN_TESTS_FUZZ_H
#define TINYNN_TESTS_FUZZ_H

#include <stdlib.h>
#include <string.h>

#include <tinynn/tinynn.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

typedef struct fuzz_bytes {
    const uint8_t *bytes;
    size_t count;
} fuzz_bytes;

static inline tnn_status fuzz_read(void *context, void *buffer, size_t capacity, size_t *count) {
    fuzz_bytes *left = context;
    *count = left->count < capacity ? left->count : capacity;
    if (*count > 0)
        memcpy(buffer, left->bytes, *count);
    left->bytes += *count;
    left->count -= *count;
    return TNN_OK;
}

static const tnn_data_limits fuzz_limits = {
    .rows = 100000, .columns = 1000, .total_bytes = 1 << 22};

/* Every float is finite, every class in range, every name a string; or there is no data set. */
static inline void fuzz_check(tnn_status status, tnn_data *data) {
    if (status != TNN_OK) {
        if (data || status == TNN_INVALID_ARGUMENT || tnn_error_message()[0] == '\0')
            abort();
        return;
    }
    tnn_dataset view = tnn_data_view(data);
    size_t inputs = tnn_data_inputs(data);
    size_t outputs = tnn_data_outputs(data);
    for (size_t i = 0; i < view.rows * inputs; i++)
        if (!(view.x[i] - view.x[i] == 0.0f))
            abort();
    for (size_t i = 0; view.target && i < view.rows * outputs; i++)
        if (!(view.target[i] - view.target[i] == 0.0f))
            abort();
    for (size_t r = 0; view.row_weights && r < view.rows; r++)
        if (!(view.row_weights[r] - view.row_weights[r] == 0.0f))
            abort();
    for (size_t r = 0; view.classes && r < view.rows; r++)
        if (view.classes[r] >= outputs)
            abort();
    if ((outputs > 0) != (view.target || view.classes))
        abort();
    size_t letters = 0;
    for (size_t i = 0; i < outputs; i++)
        letters += tnn_data_output_name(data, i) ? strlen(tnn_data_output_name(data, i)) : 0;
    for (size_t i = 0; i < inputs; i++)
        letters += tnn_data_input_name(data, i) ? strlen(tnn_data_input_name(data, i)) : 0;
    if (letters > view.rows * (outputs + 1) * 65536 + inputs * 65536)
        abort();
    tnn_data_destroy(data);
}

#endif /* TINYNN_TESTS_FUZZ_H */
