/*
 * Loops over arrays on somebody's exp and tanh of vectors. Included once for each peer, by files
 * that are compiled for this machine; all of them have the widest vectors that it has.
 *
 * Counts are multiples of 64 in bench_math; there is no code for what is left over.
 */
#ifndef TINYNN_BENCH_PEER_MATH_H
#define TINYNN_BENCH_PEER_MATH_H

#include "peers.h"

#include <immintrin.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define UNROLL_4 _Pragma("GCC unroll 4")

#ifdef __AVX512F__
enum { LANES = 16 };
typedef __m512 vec;
#    define WIDEST(avx512, avx2) avx512
#else
enum { LANES = 8 };
typedef __m256 vec;
#    define WIDEST(avx512, avx2) avx2
#endif

typedef vec vec_function(vec x);

ALWAYS_INLINE vec load(const float *x) {
    return WIDEST(_mm512_loadu_ps(x), _mm256_loadu_ps(x));
}

ALWAYS_INLINE void store(float *y, vec x) {
    WIDEST(_mm512_storeu_ps(y, x), _mm256_storeu_ps(y, x));
}

ALWAYS_INLINE vec set(float x) {
    return WIDEST(_mm512_set1_ps(x), _mm256_set1_ps(x));
}

ALWAYS_INLINE vec maximum(vec a, vec b) {
    return WIDEST(_mm512_max_ps(a, b), _mm256_max_ps(a, b));
}

ALWAYS_INLINE void map(size_t count, const float *x, float *y, vec_function *function) {
    for (size_t i = 0; i < count; i += LANES)
        store(y + i, function(load(x + i)));
}

ALWAYS_INLINE void map_sigmoid(size_t count, const float *x, float *y, vec_function *exp) {
    vec one = set(1);
    for (size_t i = 0; i < count; i += LANES)
        store(y + i, one / (one + exp(-load(x + i))));
}

/* Four sums and maxima at a time, since each would wait for its own. */
enum { WAYS = 4 };

ALWAYS_INLINE float largest(size_t count, const float *x) {
    vec most[WAYS];
    float lanes[LANES];
    UNROLL_4
    for (int way = 0; way < WAYS; way++)
        most[way] = load(x + way * LANES);
    for (size_t i = 0; i < count; i += WAYS * LANES) {
        UNROLL_4
        for (int way = 0; way < WAYS; way++)
            most[way] = maximum(most[way], load(x + i + (size_t)way * LANES));
    }
    store(lanes, maximum(maximum(most[0], most[1]), maximum(most[2], most[3])));
    float result = lanes[0];
    for (int lane = 1; lane < LANES; lane++)
        result = lanes[lane] > result ? lanes[lane] : result;
    return result;
}

ALWAYS_INLINE void map_softmax(size_t count, const float *x, float *y, vec_function *exp) {
    vec shift = set(largest(count, x));
    vec sum = set(0);
    float lanes[LANES];
    float total = 0;
    for (size_t i = 0; i < count; i += LANES) {
        vec e = exp(load(x + i) - shift);
        store(y + i, e);
        sum += e;
    }
    store(lanes, sum);
    for (int lane = 0; lane < LANES; lane++)
        total += lanes[lane];
    vec factor = set(1 / total);
    for (size_t i = 0; i < count; i += LANES)
        store(y + i, load(y + i) * factor);
}

/* A peer: its loops and their table. */
#define PEER_LOOPS(prefix, exp_function, tanh_function)                                            \
    static void prefix##_exp(size_t count, const float *x, float *y) {                             \
        map(count, x, y, exp_function);                                                            \
    }                                                                                              \
    static void prefix##_tanh(size_t count, const float *x, float *y) {                            \
        map(count, x, y, tanh_function);                                                           \
    }                                                                                              \
    static void prefix##_sigmoid(size_t count, const float *x, float *y) {                         \
        map_sigmoid(count, x, y, exp_function);                                                    \
    }                                                                                              \
    static void prefix##_softmax(size_t count, const float *x, float *y) {                         \
        map_softmax(count, x, y, exp_function);                                                    \
    }                                                                                              \
    const peer_math peer_##prefix = {                                                              \
        #prefix, prefix##_exp, prefix##_tanh, prefix##_sigmoid, prefix##_softmax};

#endif
