/*
 * fuzz_model.c: model files, as they are and with a checksum that fits, without which hardly one
 * would get past it. What loads has to be saved to a file that loads to the same file.
 */
#include "fuzz.h"

#include "support/bytes.h"
#include "support/checksum.h"

enum { CHECKSUM_AT = 97, MOST_BYTES = 1 << 22 };

static size_t allocated;

/* As malloc, but never more than some megabytes in all. */
static void *allocate(void *context, size_t bytes, size_t alignment) {
    (void)context;
    if (bytes > MOST_BYTES)
        abort();
    allocated += bytes;
    return aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

static void release(void *context, void *pointer, size_t bytes) {
    (void)context;
    allocated -= bytes;
    free(pointer);
}

static const tnn_allocator allocator = {.allocate = allocate, .release = release};
static const tnn_net_options net_options = {.allocator = &allocator};
static const tnn_load_options options = {.net = &net_options, .limits = {.total_bytes = 1 << 20}};

static uint8_t *save(const tnn_net *net, size_t *count) {
    if (tnn_net_save_to_memory(net, NULL, 0, count) != TNN_OK)
        abort();
    uint8_t *bytes = malloc(*count);
    if (!bytes || tnn_net_save_to_memory(net, bytes, *count, count) != TNN_OK)
        abort();
    return bytes;
}

static void check_again(const tnn_net *net) {
    size_t count;
    size_t again_count;
    tnn_net *second = NULL;
    uint8_t *bytes = save(net, &count);
    if (tnn_net_load_from_memory(&second, bytes, count, &options) != TNN_OK)
        abort();
    uint8_t *again = save(second, &again_count);
    if (again_count != count || memcmp(again, bytes, count) != 0)
        abort();
    tnn_net_destroy(second);
    free(bytes);
    free(again);
}

static void load(const uint8_t *bytes, size_t count) {
    fuzz_bytes left = {bytes, count};
    const tnn_source source = {.context = &left, .read = fuzz_read};
    tnn_net *net = NULL;
    tnn_net *same = NULL;
    tnn_status status = tnn_net_load_from_memory(&net, bytes, count, &options);
    if (status == TNN_INVALID_ARGUMENT || !net != (status != TNN_OK) ||
        (status != TNN_OK && tnn_error_message()[0] == '\0') ||
        tnn_net_load_from(&same, &source, &options) != status)
        abort();
    if (net)
        check_again(net);
    tnn_net_destroy(same);
    tnn_net_destroy(net);
    if (allocated != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    load(bytes, count);
    if (count < CHECKSUM_AT + 8)
        return 0;
    uint8_t *sealed = malloc(count);
    if (!sealed)
        abort();
    memcpy(sealed, bytes, count);
    uint64_t sum = tnni_checksum(0, sealed, CHECKSUM_AT);
    sum = tnni_checksum(sum, sealed + CHECKSUM_AT + 8, count - CHECKSUM_AT - 8);
    tnni_store_u64(sealed + CHECKSUM_AT, sum);
    load(sealed, count);
    free(sealed);
    return 0;
}
