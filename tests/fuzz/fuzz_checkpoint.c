/*
 * fuzz_checkpoint.c: checkpoints, as they are and with a checksum that fits. What loads has to be
 * saved to a file that loads to the same file, and a training is resumed from it or refused.
 */
#include "fuzz_file.h"

typedef struct loaded {
    tnn_net *net;
    tnn_optimizer *optimizer;
    tnn_fit_state *state;
} loaded;

static void destroy(loaded *t) {
    tnn_fit_state_destroy(t->state);
    tnn_optimizer_destroy(t->optimizer);
    tnn_net_destroy(t->net);
}

static tnn_status load(loaded *t, const uint8_t *bytes, size_t count) {
    fuzz_bytes left = {bytes, count};
    const tnn_source source = {.context = &left, .read = fuzz_read};
    tnn_status status =
        tnn_checkpoint_load_from(&t->net, &t->optimizer, &t->state, &source, &options);
    bool failed = status != TNN_OK;
    if (status == TNN_INVALID_ARGUMENT || !t->net != failed || !t->optimizer != failed ||
        (failed && (t->state || tnn_error_message()[0] == '\0')))
        abort();
    return status;
}

/* A file in memory. */
typedef struct saved {
    uint8_t *bytes;
    size_t count;
} saved;

static tnn_status append(void *context, const void *bytes, size_t count) {
    saved *file = context;
    file->bytes = realloc(file->bytes, file->count + count);
    if (!file->bytes)
        abort();
    memcpy(file->bytes + file->count, bytes, count);
    file->count += count;
    return TNN_OK;
}

static saved save(const loaded *t) {
    saved file = {0};
    const tnn_sink sink = {.context = &file, .write = append};
    if (tnn_checkpoint_save_to(t->net, t->optimizer, t->state, &sink) != TNN_OK)
        abort();
    return file;
}

static void check_again(const loaded *t) {
    loaded second;
    saved file = save(t);
    if (load(&second, file.bytes, file.count) != TNN_OK)
        abort();
    saved again = save(&second);
    if (again.count != file.count || memcmp(again.bytes, file.bytes, file.count) != 0)
        abort();
    destroy(&second);
    free(file.bytes);
    free(again.bytes);
}

/* The data and options of the corpus. */
static void resume(loaded *t) {
    static const float x[] = {1, -2, 0.5f, 4, -1, 3, 2, 0.25f, -3, 1, 0.5f, -1};
    static const float target[] = {3, -1, 2, 0.5f, -2, 1};
    static const tnn_dataset data = {6, x, target, NULL, NULL};
    tnn_fit_options fit = {
        .epochs = 10,
        .batch_rows = 2,
        .seed = 99,
        .validation_share = 0.3f,
        .patience = 8,
        .schedule = tnn_reduce_on_plateau(0.5, 2),
        .resume = t->state,
    };
    if (tnn_net_inputs(t->net) != 2 || tnn_net_outputs(t->net) != 1)
        return;
    tnn_status status = tnn_fit(t->net, t->optimizer, tnn_half_squared_error(), &data, &fit, NULL);
    if (status != TNN_OK && status != TNN_INVALID_ARGUMENT && status != TNN_NOT_FINITE)
        abort();
}

static void try(const uint8_t *bytes, size_t count) {
    loaded t;
    if (load(&t, bytes, count) == TNN_OK) {
        check_again(&t);
        resume(&t);
    }
    destroy(&t);
    if (allocated != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    try(bytes, count);
    uint8_t *sealed = seal(bytes, count);
    if (sealed)
        try(sealed, count);
    free(sealed);
    return 0;
}
