/* Random numbers: the same from the same seed on every machine. */
#ifndef TINYNN_SUPPORT_RANDOM_H
#define TINYNN_SUPPORT_RANDOM_H

#include <stdint.h>

/* xoshiro256++, Blackman and Vigna 2021. */
typedef struct tnni_random {
    uint64_t state[4];
} tnni_random;

/* The output function of splitmix64 (Steele et al. 2014): a bijection that mixes all bits. */
uint64_t tnni_mix(uint64_t x);

/* Fills the state from splitmix64, as the authors of xoshiro advise. */
tnni_random tnni_random_seed(uint64_t seed);
uint64_t tnni_random_next(tnni_random *random);

/* Uniform in the open interval (0, 1): odd multiples of 2^-53, so neither end is reached. */
double tnni_random_uniform(tnni_random *random);

/* Uniform in 0 ... bound - 1, bound at least 1. */
uint64_t tnni_random_below(tnni_random *random, uint64_t bound);

#endif
