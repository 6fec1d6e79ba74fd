#include "support/random.h"

/* 2^64 divided by the golden ratio, made odd: splitmix64's increment. */
static const uint64_t golden_gamma = 0x9e3779b97f4a7c15u;

static uint64_t rotate_left(uint64_t x, int bits) {
    return (x << bits) | (x >> (64 - bits));
}

uint64_t tnni_mix(uint64_t x) {
    x += golden_gamma;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

tnni_random tnni_random_seed(uint64_t seed) {
    tnni_random random;
    for (int i = 0; i < 4; i++) {
        random.state[i] = tnni_mix(seed);
        seed += golden_gamma;
    }
    return random;
}

uint64_t tnni_random_next(tnni_random *random) {
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[0] + s[3], 23) + s[0];
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

double tnni_random_uniform(tnni_random *random) {
    return ((double)(tnni_random_next(random) >> 12) + 0.5) * 0x1p-52;
}

/* The 128 bits of a product, in halves. */
static uint64_t multiply(uint64_t a, uint64_t b, uint64_t *low) {
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    *low = (uint64_t)product;
    return (uint64_t)(product >> 64);
#else
    uint64_t a0 = (uint32_t)a, a1 = a >> 32;
    uint64_t b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
    uint64_t other = a0 * b1 + (uint32_t)middle;
    *low = a * b;
    return a1 * b1 + (middle >> 32) + (other >> 32);
#endif
}

uint64_t tnni_random_below(tnni_random *random, uint64_t bound) {
    uint64_t low;
    uint64_t high = multiply(tnni_random_next(random), bound, &low);
    if (low >= bound)
        return high;
    for (uint64_t surplus = (0 - bound) % bound; low < surplus;)
        high = multiply(tnni_random_next(random), bound, &low);
    return high;
}

void tnni_random_shuffle(tnni_random *random, size_t count, size_t *numbers) {
    for (size_t i = count; i > 1; i--) {
        size_t other = (size_t)tnni_random_below(random, i);
        size_t number = numbers[i - 1];
        numbers[i - 1] = numbers[other];
        numbers[other] = number;
    }
}
