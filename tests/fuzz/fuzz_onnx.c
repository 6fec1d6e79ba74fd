/*
 * fuzz_onnx.c: ONNX models. What loads has to be saved to a model that loads to the same net, and
 * memory stays within what onnx.h says.
 */
#include "fuzz.h"

#include <tinynn/onnx.h>

enum { BYTES_A_BYTE = 512, BYTES_ANYWAY = 1 << 20, NET_BYTES = 1 << 23 };

static size_t allocated;
static size_t most;

static void *allocate(void *context, size_t bytes, size_t alignment) {
    (void)context;
    allocated += bytes;
    if (allocated > most)
        abort();
    return aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

static void release(void *context, void *pointer, size_t bytes) {
    (void)context;
    allocated -= bytes;
    free(pointer);
}

static const tnn_allocator allocator = {.allocate = allocate, .release = release};
static const tnn_net_options net_options = {.allocator = &allocator};
static const tnn_load_options options = {
    .net = &net_options, .limits = {.total_bytes = 1 << 20, .parameters = 1 << 14, .units = 256}};

static uint8_t *save(const tnn_net *net, size_t *count) {
    if (tnn_onnx_save_to_memory(net, NULL, 0, count) != TNN_OK)
        abort();
    uint8_t *bytes = malloc(*count);
    if (!bytes || tnn_onnx_save_to_memory(net, bytes, *count, count) != TNN_OK)
        abort();
    return bytes;
}

static void check_again(const tnn_net *net) {
    size_t count;
    size_t again_count;
    tnn_net *second = NULL;
    uint8_t *bytes = save(net, &count);
    most += BYTES_A_BYTE * count;
    if (tnn_onnx_load_from_memory(&second, bytes, count, &options) != TNN_OK)
        abort();
    uint8_t *again = save(second, &again_count);
    if (again_count != count || memcmp(again, bytes, count) != 0)
        abort();
    tnn_net_destroy(second);
    free(bytes);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    tnn_net *net = NULL;
    most = BYTES_A_BYTE * count + 2 * BYTES_ANYWAY + NET_BYTES;
    tnn_status status = tnn_onnx_load_from_memory(&net, bytes, count, &options);
    if (!net != (status != TNN_OK) || (status != TNN_OK && tnn_error_message()[0] == '\0') ||
        (status != TNN_OK && status != TNN_BAD_FORMAT && status != TNN_UNSUPPORTED))
        abort();
    if (net)
        check_again(net);
    tnn_net_destroy(net);
    if (allocated != 0)
        abort();
    return 0;
}
