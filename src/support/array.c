#include "support/array.h"

#include "support/memory.h"

#include <string.h>

enum { FIRST_BYTES = 1024 };

bool tnni_array_reserve(
    tnni_array *array, const tnn_allocator *allocator, size_t used, size_t needed, size_t most) {
    if (needed <= array->bytes)
        return true;
    size_t bytes = array->bytes < most / 2 ? 2 * array->bytes : most;
    if (bytes < FIRST_BYTES)
        bytes = FIRST_BYTES < most ? FIRST_BYTES : most;
    if (bytes < needed)
        bytes = needed;
    void *data = tnni_allocate(allocator, bytes);
    if (!data)
        return false;
    if (used > 0)
        memcpy(data, array->data, used);
    tnni_array_release(array, allocator);
    *array = (tnni_array){data, bytes};
    return true;
}

void tnni_array_release(tnni_array *array, const tnn_allocator *allocator) {
    tnni_release(allocator, array->data, array->bytes);
    *array = (tnni_array){NULL, 0};
}
