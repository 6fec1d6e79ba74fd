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

/* The lowest 2^64 mod bound numbers are drawn again: what is left is a multiple of bound. */
uint64_t tnni_random_below(tnni_random *random, uint64_t bound) {
    uint64_t surplus = (0 - bound) % bound;
    uint64_t number = tnni_random_next(random);
    while (number < surplus)
        number = tnni_random_next(random);
    return number % bound;
}
