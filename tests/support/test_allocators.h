/*
 * test_allocators.h: an allocator that counts, fails on demand and catches every misuse: a size or
 * alignment that makes no sense, a release of something else than was allocated, a write past a
 * block, a call from another thread than the test's.
 */
#ifndef TINYNN_TESTS_TEST_ALLOCATORS_H
#define TINYNN_TESTS_TEST_ALLOCATORS_H

#include <pthread.h>

#include "testing.h"

enum { TEST_ALLOCATOR_BLOCKS = 256 };

typedef struct test_block {
    unsigned char *pointer;
    size_t bytes;
    void *storage;
} test_block;

/*
 * Blocks are aligned to what was asked for and to no more, and full of NaN: nothing the library may
 * rely on.
 */
typedef struct test_allocator {
    tnn_allocator base;
    size_t calls;      /* of allocate, the failed ones included */
    size_t fail_at;    /* the call, from 1, that gets NULL; 0: none */
    size_t most_bytes; /* more in one call gets NULL; 0: no limit */
    size_t live;       /* blocks not released */
    size_t live_bytes;
    pthread_t owner;
    test_block blocks[TEST_ALLOCATOR_BLOCKS];
} test_allocator;

/* Returns what tnn_net_options wants. */
const tnn_allocator *init_test_allocator(test_allocator *memory);

#endif /* TINYNN_TESTS_TEST_ALLOCATORS_H */
