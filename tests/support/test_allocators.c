#include "test_allocators.h"

#include <stdlib.h>
#include <string.h>

/* All bits set is a NaN for float and double, and no count or pointer that could pass for one. */
enum { JUNK = 0xff, CANARY = 0xc5, CANARY_BYTES = 64 };

static test_block *find_block(test_allocator *memory, const void *pointer) {
    for (size_t i = 0; i < TEST_ALLOCATOR_BLOCKS; i++)
        if (memory->blocks[i].pointer == pointer)
            return &memory->blocks[i];
    return NULL;
}

/* A multiple of alignment that is none of twice the alignment. */
static unsigned char *barely_aligned(void *storage, size_t alignment) {
    uintptr_t address = (uintptr_t)storage;
    uintptr_t start = (address + 2 * alignment - 1) / (2 * alignment) * (2 * alignment);
    return (unsigned char *)storage + (start + alignment - address);
}

static void *allocate(void *context, size_t bytes, size_t alignment) {
    test_allocator *memory = context;
    assert_true(pthread_equal(pthread_self(), memory->owner));
    assert_true(bytes > 0);
    assert_true(alignment > 0 && (alignment & (alignment - 1)) == 0);
    memory->calls++;
    if (memory->calls == memory->fail_at)
        return NULL;
    if (memory->most_bytes != 0 && bytes > memory->most_bytes)
        return NULL;
    test_block *block = find_block(memory, NULL);
    assert_non_null(block);
    block->storage = malloc(bytes + 4 * alignment + CANARY_BYTES);
    assert_non_null(block->storage);
    block->pointer = barely_aligned(block->storage, alignment);
    block->bytes = bytes;
    memset(block->pointer, JUNK, bytes);
    memset(block->pointer + bytes, CANARY, CANARY_BYTES);
    memory->live++;
    memory->live_bytes += bytes;
    return block->pointer;
}

static void release(void *context, void *pointer, size_t bytes) {
    test_allocator *memory = context;
    assert_true(pthread_equal(pthread_self(), memory->owner));
    assert_non_null(pointer);
    test_block *block = find_block(memory, pointer);
    assert_non_null(block);
    assert_int_equal(bytes, block->bytes);
    for (size_t i = 0; i < CANARY_BYTES; i++)
        assert_int_equal(block->pointer[bytes + i], CANARY);
    memory->live--;
    memory->live_bytes -= bytes;
    free(block->storage);
    *block = (test_block){0};
}

const tnn_allocator *init_test_allocator(test_allocator *memory) {
    *memory = (test_allocator){
        .base = {.context = memory, .allocate = allocate, .release = release},
        .owner = pthread_self()};
    return &memory->base;
}
