/*
 * driver.c: runs a fuzz target without libFuzzer: over each file named, and over each with a few
 * thousand seeded random changes.
 */
#include "fuzz.h"

#include <stdio.h>

enum { MOST_BYTES = 1 << 16, CHANGED = 2000 };

static uint64_t draw(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* Overwrites, inserts or removes a byte. */
static size_t change(uint8_t *bytes, size_t count, uint64_t *state) {
    static const char likely[] = "0123456789.,;-+eExp\"\n\r\t \xff";
    size_t at = count > 0 ? draw(state) % count : 0;
    uint8_t byte =
        draw(state) & 1 ? (uint8_t)likely[draw(state) % sizeof likely] : (uint8_t)draw(state);
    unsigned kind = draw(state) % 3;
    if (count == 0 || (kind == 0 && count < MOST_BYTES)) {
        memmove(bytes + at + 1, bytes + at, count - at);
        bytes[at] = byte;
        return count + 1;
    }
    if (kind == 1) {
        memmove(bytes + at, bytes + at + 1, count - at - 1);
        return count - 1;
    }
    bytes[at] = byte;
    return count;
}

/* A copy of exactly its length, so that sanitizers see what is beyond. */
static void run(const uint8_t *bytes, size_t count) {
    uint8_t *exact = malloc(count ? count : 1);
    if (!exact)
        abort();
    memcpy(exact, bytes, count);
    LLVMFuzzerTestOneInput(exact, count);
    free(exact);
}

int main(int argc, char **argv) {
    static uint8_t original[MOST_BYTES + 1];
    static uint8_t bytes[MOST_BYTES + 1];
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file) {
            perror(argv[i]);
            return 1;
        }
        size_t length = fread(original, 1, MOST_BYTES, file);
        fclose(file);
        run(original, length);
        uint64_t state = (uint64_t)i;
        for (int n = 0; n < CHANGED; n++) {
            size_t count = length;
            memcpy(bytes, original, length);
            for (uint64_t changes = 1 + draw(&state) % 8; changes > 0; changes--)
                count = change(bytes, count, &state);
            run(bytes, count);
        }
    }
    return argc > 1 ? 0 : 1;
}
