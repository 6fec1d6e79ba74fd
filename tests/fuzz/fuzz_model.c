/*
 * fuzz_model.c: model files, as they are and with a checksum that fits. What loads has to be saved
 * to a file that loads to the same file.
 */
#include "fuzz_file.h"

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
    uint8_t *sealed = seal(bytes, count);
    if (sealed)
        load(sealed, count);
    free(sealed);
    return 0;
}
