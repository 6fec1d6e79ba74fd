/*
 * fuzz_file.h: what the fuzz targets of GGUF files share: an allocator that aborts where a file
 * makes the library ask for much, and files with a checksum that fits, without which hardly one
 * would get past it.
 */
#ifndef TINYNN_TESTS_FUZZ_FILE_H
#define TINYNN_TESTS_FUZZ_FILE_H

#include "fuzz.h"

#include "support/bytes.h"
#include "support/checksum.h"

enum { CHECKSUM_AT = 97, MOST_BYTES = 1 << 22 };

static size_t allocated;

/* As malloc, but never more than some megabytes at once. */
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

/* The bytes with their own checksum, to be freed; NULL if there is no room for one. */
static inline uint8_t *seal(const uint8_t *bytes, size_t count) {
    if (count < CHECKSUM_AT + 8)
        return NULL;
    uint8_t *sealed = malloc(count);
    if (!sealed)
        abort();
    memcpy(sealed, bytes, count);
    uint64_t sum = tnni_checksum(0, sealed, CHECKSUM_AT);
    sum = tnni_checksum(sum, sealed + CHECKSUM_AT + 8, count - CHECKSUM_AT - 8);
    tnni_store_u64(sealed + CHECKSUM_AT, sum);
    return sealed;
}

#endif /* TINYNN_TESTS_FUZZ_FILE_H */
