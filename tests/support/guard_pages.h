/*
 * guard_pages.h: memory between two pages that nobody may touch (POSIX). A read or write past
 * either end is a segmentation fault, which cmocka reports as the test's failure.
 */
#ifndef TINYNN_TESTS_GUARD_PAGES_H
#define TINYNN_TESTS_GUARD_PAGES_H

#include "testing.h"

typedef struct guarded {
    unsigned char *start; /* of the accessible pages */
    size_t bytes;         /* whole pages */
} guarded;

/* Room for bytes, or the test fails. */
guarded new_guarded(size_t bytes);
void free_guarded(guarded *room);

/* An array of count floats whose last byte, or first one, is next to a forbidden page. */
float *at_end(const guarded *room, size_t count);
float *at_start(const guarded *room, size_t count);

/*
 * An allocator that puts every block flush against the page behind it, as far as the alignment
 * lets it. What is left there, and the room before the block, is checked for writes when the block
 * comes back.
 */
const tnn_allocator *guard_allocator(void);

#endif /* TINYNN_TESTS_GUARD_PAGES_H */
