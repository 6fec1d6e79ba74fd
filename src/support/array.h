/* An array that grows as what it holds arrives. */
#ifndef TINYNN_SUPPORT_ARRAY_H
#define TINYNN_SUPPORT_ARRAY_H

#include <tinynn/tinynn.h>

/* {0} is empty. */
typedef struct tnni_array {
    void *data;
    size_t bytes; /* of room */
} tnni_array;

/*
 * Makes room for needed bytes and keeps the first used ones. Grows to at least twice the room it
 * had, so that appending takes linear time, but to no more than most, which is at least needed.
 * False, and nothing changed, without memory.
 */
bool tnni_array_reserve(
    tnni_array *array, const tnn_allocator *allocator, size_t used, size_t needed, size_t most);
void tnni_array_release(tnni_array *array, const tnn_allocator *allocator);

#endif
