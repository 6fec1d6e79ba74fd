#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "guard_pages.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* NaN to whoever reads it as a float. */
enum { JUNK = 0xff, CANARY = 0xc5 };

static size_t page_bytes(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

guarded new_guarded(size_t bytes) {
    size_t page = page_bytes(), inner = (bytes + page - 1) / page * page;
    unsigned char *all =
        mmap(NULL, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(all, MAP_FAILED);
    assert_int_equal(mprotect(all + page, inner, PROT_READ | PROT_WRITE), 0);
    return (guarded){.start = all + page, .bytes = inner};
}

void free_guarded(guarded *room) {
    size_t page = page_bytes();
    assert_int_equal(munmap(room->start - page, room->bytes + 2 * page), 0);
    *room = (guarded){0};
}

float *at_end(const guarded *room, size_t count) {
    assert_in_range(count * sizeof(float), 0, room->bytes);
    return (float *)(void *)(room->start + room->bytes) - count;
}

float *at_start(const guarded *room, size_t count) {
    assert_in_range(count * sizeof(float), 0, room->bytes);
    return (float *)(void *)room->start;
}

/* ---- The allocator --------------------------------------------------------------------------- */

/* Rooms that were released: a new mapping for every block would cost more than all the tests do. */
enum { SPARE_ROOMS = 64 };

static guarded spare[SPARE_ROOMS];

static guarded take_room(size_t bytes) {
    size_t page = page_bytes(), inner = (bytes + page - 1) / page * page;
    for (size_t i = 0; i < SPARE_ROOMS; i++) {
        guarded room = spare[i];
        if (room.bytes != inner)
            continue;
        spare[i] = (guarded){0};
        return room;
    }
    return new_guarded(bytes);
}

static void give_room_back(guarded room) {
    for (size_t i = 0; i < SPARE_ROOMS; i++)
        if (spare[i].bytes == 0) {
            spare[i] = room;
            return;
        }
    free_guarded(&room);
}

static void *allocate(void *context, size_t bytes, size_t alignment) {
    (void)context;
    assert_true(bytes > 0);
    assert_true(alignment <= page_bytes());
    guarded room = take_room(bytes);
    unsigned char *end = room.start + room.bytes;
    unsigned char *block = end - bytes - ((uintptr_t)end - bytes) % alignment;
    memset(room.start, CANARY, room.bytes);
    memset(block, JUNK, bytes);
    return block;
}

static void assert_canaries(const unsigned char *from, const unsigned char *to) {
    for (; from < to; from++)
        assert_int_equal(*from, CANARY);
}

static void release(void *context, void *pointer, size_t bytes) {
    size_t page = page_bytes(), inner = (bytes + page - 1) / page * page;
    unsigned char *block = pointer, *block_end = block + bytes;
    unsigned char *end = block_end + (page - (uintptr_t)block_end % page) % page;
    (void)context;
    assert_canaries(end - inner, block);
    assert_canaries(block_end, end);
    give_room_back((guarded){.start = end - inner, .bytes = inner});
}

const tnn_allocator *guard_allocator(void) {
    static const tnn_allocator allocator = {.allocate = allocate, .release = release};
    return &allocator;
}
