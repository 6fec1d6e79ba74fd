#include "support/memory.h"

#include <stdlib.h>
#ifdef _WIN32
#    include <malloc.h>
#endif

static void *allocate_default(void *context, size_t bytes, size_t alignment) {
    (void)context;
#ifdef _WIN32
    return _aligned_malloc(bytes, alignment);
#else
    /* aligned_alloc asks for a multiple of the alignment. */
    size_t padded;
    if (!tnni_add(bytes, alignment - 1, &padded))
        return NULL;
    return aligned_alloc(alignment, padded & ~(alignment - 1));
#endif
}

static void release_default(void *context, void *pointer, size_t bytes) {
    (void)context;
    (void)bytes;
#ifdef _WIN32
    _aligned_free(pointer);
#else
    free(pointer);
#endif
}

const tnn_allocator *tnni_allocator(const tnn_allocator *chosen) {
    static const tnn_allocator malloc_allocator = {NULL, allocate_default, release_default};
    return chosen ? chosen : &malloc_allocator;
}

void *tnni_allocate(const tnn_allocator *allocator, size_t bytes) {
    return allocator->allocate(allocator->context, bytes, TNNI_ALIGNMENT);
}

void tnni_release(const tnn_allocator *allocator, void *pointer, size_t bytes) {
    if (pointer)
        allocator->release(allocator->context, pointer, bytes);
}

bool tnni_multiply(size_t a, size_t b, size_t *result) {
    if (b != 0 && a > SIZE_MAX / b)
        return false;
    *result = a * b;
    return true;
}

bool tnni_add(size_t a, size_t b, size_t *result) {
    if (a > SIZE_MAX - b)
        return false;
    *result = a + b;
    return true;
}

void *tnni_arena_take(tnni_arena *arena, size_t count, size_t element_bytes) {
    size_t bytes;
    size_t end;
    if (!tnni_multiply(count, element_bytes, &bytes) ||
        !tnni_add(bytes, TNNI_ALIGNMENT - 1, &bytes) ||
        !tnni_add(arena->used, bytes & ~(size_t)(TNNI_ALIGNMENT - 1), &end)) {
        arena->overflow = true;
        return NULL;
    }
    void *array = arena->base ? arena->base + arena->used : NULL;
    arena->used = end;
    return array;
}
