/*
 * test_memory.c: sizes that cannot overflow, arrays that overlap or not, the user's allocator, and
 * many arrays in one block.
 */
#include "support/testing.h"

#include "support/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- Sizes ----------------------------------------------------------------------------------- */

static const size_t HALF = SIZE_MAX / 2 + 1; /* 2^63 where size_t has 64 bits */

typedef bool size_operation(size_t a, size_t b, size_t *result);

static void assert_size(size_operation *operation, size_t a, size_t b, size_t expected) {
    size_t result = 7;
    assert_true(operation(a, b, &result));
    assert_true(result == expected);
}

static void assert_overflow(size_operation *operation, size_t a, size_t b) {
    size_t result = 7;
    assert_false(operation(a, b, &result));
    assert_true(result == 7);
}

static void test_memory_multiply_is_exact_when_the_product_fits(void **state) {
    (void)state;
    assert_size(tnni_multiply, 0, 0, 0);
    assert_size(tnni_multiply, 0, SIZE_MAX, 0);
    assert_size(tnni_multiply, SIZE_MAX, 0, 0);
    assert_size(tnni_multiply, 1, SIZE_MAX, SIZE_MAX);
    assert_size(tnni_multiply, SIZE_MAX, 1, SIZE_MAX);
    assert_size(tnni_multiply, 1234, 5678, 1234 * 5678);
    assert_size(tnni_multiply, HALF / 2, 2, HALF);
    assert_size(tnni_multiply, SIZE_MAX / 3, 3, SIZE_MAX / 3 * 3);
}

static void test_memory_multiply_refuses_when_the_product_overflows(void **state) {
    (void)state;
    assert_overflow(tnni_multiply, HALF, 2);
    assert_overflow(tnni_multiply, 2, HALF);
    assert_overflow(tnni_multiply, SIZE_MAX, SIZE_MAX);
    assert_overflow(tnni_multiply, SIZE_MAX / 3 + 1, 3);
    assert_overflow(tnni_multiply, HALF + 1, HALF + 1); /* wraps to 1 */
}

static void test_memory_add_is_exact_when_the_sum_fits(void **state) {
    (void)state;
    assert_size(tnni_add, 0, 0, 0);
    assert_size(tnni_add, SIZE_MAX, 0, SIZE_MAX);
    assert_size(tnni_add, 0, SIZE_MAX, SIZE_MAX);
    assert_size(tnni_add, HALF, HALF - 1, SIZE_MAX);
}

static void test_memory_add_refuses_when_the_sum_overflows(void **state) {
    (void)state;
    assert_overflow(tnni_add, SIZE_MAX, 1);
    assert_overflow(tnni_add, 1, SIZE_MAX);
    assert_overflow(tnni_add, HALF, HALF);
    assert_overflow(tnni_add, SIZE_MAX, SIZE_MAX);
}

/* ---- Overlap --------------------------------------------------------------------------------- */

static void assert_overlap(const char *a, size_t a_bytes, const char *b, size_t b_bytes, bool yes) {
    assert_int_equal(tnni_overlap(a, a_bytes, b, b_bytes), yes);
    assert_int_equal(tnni_overlap(b, b_bytes, a, a_bytes), yes);
}

static void test_memory_overlap_is_told_when_a_byte_is_shared(void **state) {
    (void)state;
    const char array[64] = {0};
    assert_overlap(array, 64, array, 64, true);
    assert_overlap(array, 1, array, 1, true);
    assert_overlap(array, 64, array + 63, 1, true);
    assert_overlap(array, 33, array + 32, 32, true);
    assert_overlap(array, 64, array + 10, 4, true);
}

static void test_memory_overlap_is_denied_when_arrays_touch_or_lie_apart(void **state) {
    (void)state;
    const char array[64] = {0};
    assert_overlap(array, 32, array + 32, 32, false);
    assert_overlap(array, 1, array + 1, 1, false);
    assert_overlap(array, 8, array + 40, 8, false);
}

/* ---- Allocator ------------------------------------------------------------------------------- */

static void test_memory_default_allocator_aligns_whatever_the_size(void **state) {
    (void)state;
    const tnn_allocator *allocator = tnni_allocator(NULL);
    static const size_t sizes[] = {1, 2, 63, 64, 65, 100, 4096, 100001};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char *pointer = tnni_allocate(allocator, sizes[i]);
        assert_non_null(pointer);
        assert_int_equal((uintptr_t)pointer % TNNI_ALIGNMENT, 0);
        memset(pointer, 1, sizes[i]);
        tnni_release(allocator, pointer, sizes[i]);
    }
}

static void test_memory_default_allocator_has_none_when_the_size_is_absurd(void **state) {
    (void)state;
    assert_null(tnni_allocate(tnni_allocator(NULL), SIZE_MAX));
    assert_null(tnni_allocate(tnni_allocator(NULL), SIZE_MAX - TNNI_ALIGNMENT + 2));
}

typedef struct calls {
    size_t bytes, alignment, released_bytes;
    void *released;
    int releases;
} calls;

static void *record_allocate(void *context, size_t bytes, size_t alignment) {
    calls *seen = context;
    seen->bytes = bytes;
    seen->alignment = alignment;
    return seen;
}

static void record_release(void *context, void *pointer, size_t bytes) {
    calls *seen = context;
    seen->released = pointer;
    seen->released_bytes = bytes;
    seen->releases++;
}

static void test_memory_chosen_allocator_gets_context_size_and_alignment(void **state) {
    (void)state;
    calls seen = {0};
    const tnn_allocator chosen = {&seen, record_allocate, record_release};
    assert_ptr_equal(tnni_allocator(&chosen), &chosen);
    assert_ptr_equal(tnni_allocate(&chosen, 1000), &seen);
    assert_int_equal(seen.bytes, 1000);
    assert_int_equal(seen.alignment, TNNI_ALIGNMENT);
    tnni_release(&chosen, &seen, 1000);
    assert_ptr_equal(seen.released, &seen);
    assert_int_equal(seen.released_bytes, 1000);
}

static void test_memory_release_does_nothing_when_the_pointer_is_null(void **state) {
    (void)state;
    calls seen = {0};
    const tnn_allocator chosen = {&seen, record_allocate, record_release};
    tnni_release(&chosen, NULL, 1000);
    assert_int_equal(seen.releases, 0);
}

/* ---- Arena ----------------------------------------------------------------------------------- */

enum { ARRAYS = 5 };
static const size_t array_counts[ARRAYS] = {3, 0, 16, 1, 1000};
static const size_t array_sizes[ARRAYS] = {4, 8, 4, 1, 8};

static void take_arrays(tnni_arena *arena, char *arrays[ARRAYS]) {
    for (size_t i = 0; i < ARRAYS; i++)
        arrays[i] = tnni_arena_take(arena, array_counts[i], array_sizes[i]);
}

static void test_memory_arena_measures_what_it_then_hands_out(void **state) {
    (void)state;
    char *arrays[ARRAYS];
    tnni_arena measured = {0};
    take_arrays(&measured, arrays);
    assert_false(measured.overflow);
    assert_int_equal(measured.used, 64 + 0 + 64 + 64 + 8000);
    for (size_t i = 0; i < ARRAYS; i++)
        assert_null(arrays[i]);

    char *base = tnni_allocate(tnni_allocator(NULL), measured.used);
    assert_non_null(base);
    tnni_arena arena = {.base = base};
    take_arrays(&arena, arrays);
    assert_int_equal(arena.used, measured.used);
    const char *end = base;
    for (size_t i = 0; i < ARRAYS; i++) {
        assert_int_equal((uintptr_t)arrays[i] % TNNI_ALIGNMENT, 0);
        assert_true(arrays[i] >= end);
        end = arrays[i] + array_counts[i] * array_sizes[i];
    }
    assert_true(end <= base + measured.used);
    tnni_release(tnni_allocator(NULL), base, measured.used);
}

static void assert_arena_overflow(size_t used, size_t count, size_t element_bytes) {
    tnni_arena arena = {.used = used};
    assert_null(tnni_arena_take(&arena, count, element_bytes));
    assert_true(arena.overflow);
}

static void test_memory_arena_overflow_is_told_wherever_it_happens(void **state) {
    (void)state;
    assert_arena_overflow(0, SIZE_MAX / 4 + 1, 4);                   /* the product */
    assert_arena_overflow(0, SIZE_MAX, 1);                           /* the rounding up */
    assert_arena_overflow(SIZE_MAX - TNNI_ALIGNMENT + 1, 1, 1);      /* the sum */
    assert_arena_overflow(HALF, (HALF - TNNI_ALIGNMENT) / 4 + 1, 4); /* the two together */
}

static void test_memory_arena_overflow_stays_when_the_next_array_fits(void **state) {
    (void)state;
    tnni_arena arena = {0};
    tnni_arena_take(&arena, SIZE_MAX, 8);
    tnni_arena_take(&arena, 1, 1);
    assert_true(arena.overflow);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_multiply_is_exact_when_the_product_fits),
        cmocka_unit_test(test_memory_multiply_refuses_when_the_product_overflows),
        cmocka_unit_test(test_memory_add_is_exact_when_the_sum_fits),
        cmocka_unit_test(test_memory_add_refuses_when_the_sum_overflows),
        cmocka_unit_test(test_memory_overlap_is_told_when_a_byte_is_shared),
        cmocka_unit_test(test_memory_overlap_is_denied_when_arrays_touch_or_lie_apart),
        cmocka_unit_test(test_memory_default_allocator_aligns_whatever_the_size),
        cmocka_unit_test(test_memory_default_allocator_has_none_when_the_size_is_absurd),
        cmocka_unit_test(test_memory_chosen_allocator_gets_context_size_and_alignment),
        cmocka_unit_test(test_memory_release_does_nothing_when_the_pointer_is_null),
        cmocka_unit_test(test_memory_arena_measures_what_it_then_hands_out),
        cmocka_unit_test(test_memory_arena_overflow_is_told_wherever_it_happens),
        cmocka_unit_test(test_memory_arena_overflow_stays_when_the_next_array_fits),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
