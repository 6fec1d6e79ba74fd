/*
 * test_sources.h: a tnn_source over bytes in memory, which hands them out in pieces and fails on
 * demand; and what every reader has to stand: files cut anywhere, bits flipped anywhere, memory
 * that is not there.
 */
#ifndef TINYNN_TESTS_TEST_SOURCES_H
#define TINYNN_TESTS_TEST_SOURCES_H

#include "test_allocators.h"

typedef struct memory_source {
    tnn_source base;
    const char *bytes;
    size_t count;
    size_t at;
    size_t piece;       /* the most that one call gives; 0: all */
    size_t fail_at;     /* from this offset on it fails; SIZE_MAX: never */
    tnn_status failure; /* with this */
    size_t calls;
} memory_source;

/* Returns what readers want; its name is "memory". */
const tnn_source *init_memory_source(memory_source *source, const void *bytes, size_t count);

/* A reader with the options under test, from a source and on an allocator. */
typedef tnn_status read_function(
    tnn_data **data, const tnn_source *source, const tnn_allocator *allocator);

/* Pieces of every size give the same data set as all at once. */
void assert_pieces_do_not_matter(read_function *read, const void *bytes, size_t count);
/* Cut at any length, with any bit flipped: a data set or an error with words, and nothing leaks. */
void assert_stands_any_damage(read_function *read, const void *bytes, size_t count);
/* Each allocation fails once: TNN_OUT_OF_MEMORY, and nothing leaks. Returns how many there were. */
size_t assert_stands_lack_of_memory(read_function *read, const void *bytes, size_t count);

/* The same rows, bit by bit, and the same names. */
void assert_same_data(const tnn_data *a, const tnn_data *b);

#endif /* TINYNN_TESTS_TEST_SOURCES_H */
