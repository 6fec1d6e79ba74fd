/*
 * test_checksum.c: CRC-64 against its definition, bit by bit.
 */
#include "support/checksum.h"
#include "support/test_nets.h"

enum { BYTES = 300 };

static uint64_t by_definition(const unsigned char *bytes, size_t count) {
    uint64_t rest = UINT64_MAX;
    for (size_t bit = 0; bit < 8 * count; bit++) {
        rest ^= bytes[bit / 8] >> bit % 8 & 1;
        rest = rest >> 1 ^ (rest & 1 ? UINT64_C(0xc96c5795d7870f42) : 0);
    }
    return ~rest;
}

static void fill(unsigned char *bytes, size_t count) {
    uint64_t state = 5;
    for (size_t i = 0; i < count; i++)
        bytes[i] = (unsigned char)next_random(&state);
}

static void test_checksum_of_nine_digits_is_the_published_one(void **state) {
    (void)state;
    assert_true(
        tnni_checksum(0, (const unsigned char *)"123456789", 9) == UINT64_C(0x995dc9bbdf1939fa));
}

static void test_checksum_is_its_definition_at_every_length(void **state) {
    unsigned char bytes[BYTES];
    (void)state;
    fill(bytes, BYTES);
    for (size_t count = 0; count <= BYTES; count++)
        assert_true(tnni_checksum(0, bytes, count) == by_definition(bytes, count));
}

static void test_checksum_pieces_do_not_matter(void **state) {
    unsigned char bytes[BYTES];
    (void)state;
    fill(bytes, BYTES);
    uint64_t whole = tnni_checksum(0, bytes, BYTES);
    for (size_t cut = 0; cut <= BYTES; cut++)
        assert_true(tnni_checksum(tnni_checksum(0, bytes, cut), bytes + cut, BYTES - cut) == whole);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checksum_of_nine_digits_is_the_published_one),
        cmocka_unit_test(test_checksum_is_its_definition_at_every_length),
        cmocka_unit_test(test_checksum_pieces_do_not_matter),
    };
    return cmocka_run_group_tests_name("checksum", tests, NULL, NULL);
}
