/* Memory through the user's allocator, with sizes that cannot overflow. */
#ifndef TINYNN_SUPPORT_MEMORY_H
#define TINYNN_SUPPORT_MEMORY_H

#include <tinynn/tinynn.h>

/* A cache line, and the widest vector register. */
#define TNNI_ALIGNMENT 64

/* The allocator to use for the user's choice: malloc's for NULL. */
const tnn_allocator *tnni_allocator(const tnn_allocator *chosen);

/* bytes (at least 1) of storage aligned to TNNI_ALIGNMENT, not cleared; NULL if there is none. */
void *tnni_allocate(const tnn_allocator *allocator, size_t bytes);

/* Gives back what tnni_allocate returned for the same number of bytes; NULL is fine. */
void tnni_release(const tnn_allocator *allocator, void *pointer, size_t bytes);

/* *result = a * b or a + b; false, and *result untouched, if that overflows. */
bool tnni_multiply(size_t a, size_t b, size_t *result);
bool tnni_add(size_t a, size_t b, size_t *result);

/* Do the two arrays share a byte? */
static inline bool tnni_overlap(const void *a, size_t a_bytes, const void *b, size_t b_bytes) {
    uintptr_t a_begin = (uintptr_t)a;
    uintptr_t b_begin = (uintptr_t)b;
    return a_begin < b_begin ? b_begin - a_begin < a_bytes : a_begin - b_begin < b_bytes;
}

/* Asks for bytes that will be read soon. */
static inline void tnni_prefetch(const void *pointer, size_t bytes) {
#ifdef __GNUC__
    for (size_t i = 0; i < bytes; i += TNNI_ALIGNMENT)
        __builtin_prefetch((const char *)pointer + i);
#else
    (void)pointer, (void)bytes;
#endif
}

/*
 * Many arrays in one allocation. The same code lays them out twice: the first time base is NULL and
 * it only measures, the second time it hands out addresses in a block of used bytes.
 */
typedef struct tnni_arena {
    char *base;
    size_t used; /* bytes so far, always a multiple of TNNI_ALIGNMENT */
    bool overflow;
} tnni_arena;

/* The next count elements of element_bytes each, aligned to TNNI_ALIGNMENT; NULL while measuring.
 */
void *tnni_arena_take(tnni_arena *arena, size_t count, size_t element_bytes);

#endif
