#include "onnx/memory.h"

#include "support/memory.h"
#include "support/status.h"

/* Of a piece: as much as any type wants. */
enum { ALIGNMENT = 16, LEAST_BLOCK = 4096 };

typedef struct tnni_onnx_block {
    struct tnni_onnx_block *before;
    size_t bytes;
} tnni_onnx_block;

/* The pieces of a block begin behind this much of it. */
enum { HEADER = (sizeof(tnni_onnx_block) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT };

/*
 * protobuf-c makes a message of some 200 bytes from two bytes of a file, and remembers 40 bytes for
 * each field while it reads; a value, a layer or a vector of units takes no more. The constant part
 * is for files so small that a block is all they need.
 */
enum { BYTES_A_BYTE = 512, BYTES_ANYWAY = 1 << 20 };

static void *allocate(void *context, size_t bytes) {
    return tnni_onnx_take(context, bytes, 1);
}

static void release_nothing(void *context, void *pointer) {
    (void)context;
    (void)pointer;
}

void tnni_onnx_memory_init(
    tnni_onnx_memory *memory, const tnn_allocator *allocator, size_t file_bytes) {
    size_t most = SIZE_MAX;
    if (tnni_multiply(file_bytes, BYTES_A_BYTE, &most))
        tnni_add(most, BYTES_ANYWAY, &most);
    *memory = (tnni_onnx_memory){
        .allocator = allocator,
        .most = most,
        .protobuf = {.alloc = allocate, .free = release_nothing, .allocator_data = memory}};
}

/* A block with room for bytes and, since blocks grow with what there is, maybe for more. */
static bool add_block(tnni_onnx_memory *memory, size_t bytes) {
    size_t wanted = bytes + HEADER;
    size_t more = memory->total / 2 > LEAST_BLOCK ? memory->total / 2 : LEAST_BLOCK;
    if (wanted < more)
        wanted = more / ALIGNMENT * ALIGNMENT;
    if (wanted > memory->most - memory->total) {
        memory->is_beyond = true;
        return false;
    }
    tnni_onnx_block *block = tnni_allocate(memory->allocator, wanted);
    if (!block)
        return false;
    *block = (tnni_onnx_block){.before = memory->last, .bytes = wanted};
    memory->last = block;
    memory->left = wanted - HEADER;
    memory->total += wanted;
    return true;
}

void *tnni_onnx_take(tnni_onnx_memory *memory, size_t count, size_t element_bytes) {
    size_t bytes;
    if (!tnni_multiply(count, element_bytes, &bytes) || bytes > SIZE_MAX / 2) {
        memory->is_short = memory->is_beyond = true;
        return NULL;
    }
    bytes = (bytes + !bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (bytes > memory->left && !add_block(memory, bytes)) {
        memory->is_short = true;
        return NULL;
    }
    char *piece = (char *)memory->last + memory->last->bytes - memory->left;
    memory->left -= bytes;
    return piece;
}

tnn_status tnni_onnx_no_memory(const tnni_onnx_memory *memory, const char *where) {
    if (memory->is_beyond)
        return tnni_fail(
            TNN_UNSUPPORTED,
            "%s: reading it takes more than %zu bytes, more than its size is worth", where,
            memory->most);
    return tnni_fail(
        TNN_OUT_OF_MEMORY, "%s: no memory, after %zu bytes, for what it describes", where,
        memory->total);
}

void tnni_onnx_memory_release(tnni_onnx_memory *memory) {
    while (memory->last) {
        tnni_onnx_block *block = memory->last;
        memory->last = block->before;
        tnni_release(memory->allocator, block, block->bytes);
    }
}
