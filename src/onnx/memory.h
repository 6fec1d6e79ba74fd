/*
 * The memory that a load takes: blocks from the user's allocator, out of which pieces are cut one
 * after the other. Nothing is given back before all of it is, and all of it is bounded by the bytes
 * of the file.
 */
#ifndef TINYNN_ONNX_MEMORY_H
#define TINYNN_ONNX_MEMORY_H

#include <tinynn/tinynn.h>

#include <protobuf-c/protobuf-c.h>

struct tnni_onnx_block;

typedef struct tnni_onnx_memory {
    const tnn_allocator *allocator;
    struct tnni_onnx_block *last;
    size_t left;                 /* bytes at the end of the last block that are free */
    size_t total;                /* of all blocks */
    size_t most;                 /* that the file is worth */
    bool is_short;               /* something was not to be had */
    bool is_beyond;              /* because of most */
    ProtobufCAllocator protobuf; /* for protobuf-c's own calls */
} tnni_onnx_memory;

/* The memory refers to itself: it stays where it is. */
void tnni_onnx_memory_init(
    tnni_onnx_memory *memory, const tnn_allocator *allocator, size_t file_bytes);

/* count (at least 1) elements, not cleared, aligned for any of them; NULL if there is no memory. */
void *tnni_onnx_take(tnni_onnx_memory *memory, size_t count, size_t element_bytes);

/* What to say when there was none: TNN_OUT_OF_MEMORY or, for a file that wants more than it is
 * worth, TNN_UNSUPPORTED. */
tnn_status tnni_onnx_no_memory(const tnni_onnx_memory *memory, const char *where);

void tnni_onnx_memory_release(tnni_onnx_memory *memory);

#endif
