/*
 * Vectors of floats: a thin layer over one instruction set, chosen by the file that includes this
 * one with VEC_AVX512, VEC_AVX2, VEC_NEON or VEC_PORTABLE. The portable section is the definition:
 * a vector of one float. Every operation rounds once and correctly, so that the lanes of any width
 * hold the same bits.
 *
 * No include guard: each variant file includes it once.
 */
#if defined(__FAST_MATH__)
#    error "libtinynn promises exact arithmetic: compile it without -ffast-math"
#endif

#include <string.h>

#if defined(_MSC_VER) && !defined(__clang__)
#    define ALWAYS_INLINE static __forceinline
#    define UNROLL
#    define UNROLL_4
#elif defined(__clang__)
#    define ALWAYS_INLINE static inline __attribute__((always_inline))
#    define UNROLL _Pragma("clang loop unroll(full)")
#    define UNROLL_4 _Pragma("clang loop unroll_count(4)")
#else
#    define ALWAYS_INLINE static inline __attribute__((always_inline))
#    define UNROLL _Pragma("GCC unroll 32")
#    define UNROLL_4 _Pragma("GCC unroll 4")
#endif

/*
 * OPAQUE hides from the compiler how a pointer was computed, LOADED that a vector is in memory too:
 * left to itself it computes the one and loads the other more than once.
 */
#if defined(__GNUC__)
#    define OPAQUE(pointer) __asm__("" : "+r"(pointer))
#    if defined(VEC_AVX512)
#        define LOADED(vector) __asm__("" : "+v"(vector))
#    elif defined(VEC_AVX2)
#        define LOADED(vector) __asm__("" : "+x"(vector))
#    elif defined(VEC_NEON)
#        define LOADED(vector) __asm__("" : "+w"(vector))
#    endif
#else
#    define OPAQUE(pointer) ((void)0)
#endif
#if !defined(LOADED)
#    define LOADED(vector) ((void)0)
#endif

/* Into the second-level cache to be read, and into the first to be written. */
#if defined(__GNUC__)
#    define PREFETCH(pointer) __builtin_prefetch(pointer, 0, 2)
#    define PREFETCH_TO_WRITE(pointer) __builtin_prefetch(pointer, 1)
#else
#    define PREFETCH(pointer) ((void)(pointer))
#    define PREFETCH_TO_WRITE(pointer) ((void)(pointer))
#endif

/* One operation a line: an expression of its arguments. */
#define VEC_OP1(type, name, a_type, expression)                                                    \
    ALWAYS_INLINE type name(a_type a) {                                                            \
        return expression;                                                                         \
    }
#define VEC_OP2(type, name, a_type, b_type, expression)                                            \
    ALWAYS_INLINE type name(a_type a, b_type b) {                                                  \
        return expression;                                                                         \
    }
/* The two stores of a vector b, or c. */
#define VEC_STORE(statement)                                                                       \
    ALWAYS_INLINE void vec_store(float *a, vec b) {                                                \
        statement;                                                                                 \
    }
#define VEC_STORE_PARTIAL(statement)                                                               \
    ALWAYS_INLINE void vec_store_partial(float *a, size_t b, vec c) {                              \
        statement;                                                                                 \
    }
/* Of a vector b of doubles. */
#define DVEC_STORE(statement)                                                                      \
    ALWAYS_INLINE void dvec_store(double *a, dvec b) {                                             \
        statement;                                                                                 \
    }
#define VEC_OP3(type, name, a_type, b_type, c_type, expression)                                    \
    ALWAYS_INLINE type name(a_type a, b_type b, c_type c) {                                        \
        return expression;                                                                         \
    }

#if defined(VEC_AVX512)

#    define VEC_LANES 16
#    define VEC_FUSED true
typedef __m512 vec;
typedef __m512i ivec;
typedef __mmask16 mask;
typedef __m512d dvec;

VEC_OP1(vec, vec_set, float, _mm512_set1_ps(a))
VEC_OP1(vec, vec_load, const float *, _mm512_loadu_ps(a))
VEC_STORE(_mm512_storeu_ps(a, b))
VEC_OP1(mask, first_lanes, size_t, (mask)((1u << a) - 1))
VEC_OP2(vec, vec_load_partial, const float *, size_t, _mm512_maskz_loadu_ps(first_lanes(b), a))
VEC_STORE_PARTIAL(_mm512_mask_storeu_ps(a, first_lanes(b), c))
VEC_OP3(vec, vec_first_lanes, size_t, vec, vec, _mm512_mask_blend_ps(first_lanes(a), c, b))
VEC_OP2(vec, vec_add, vec, vec, _mm512_add_ps(a, b))
VEC_OP2(vec, vec_sub, vec, vec, _mm512_sub_ps(a, b))
VEC_OP2(vec, vec_mul, vec, vec, _mm512_mul_ps(a, b))
VEC_OP2(vec, vec_div, vec, vec, _mm512_div_ps(a, b))
VEC_OP1(vec, vec_sqrt, vec, _mm512_sqrt_ps(a))
/* a 2^b for whole numbers b, rounded once. */
#    define VEC_SCALE
VEC_OP2(vec, vec_scale, vec, vec, _mm512_scalef_ps(a, b))
VEC_OP3(vec, vec_fma, vec, vec, vec, _mm512_fmadd_ps(a, b, c))
VEC_OP2(vec, vec_max, vec, vec, _mm512_max_ps(a, b))
VEC_OP2(vec, vec_min, vec, vec, _mm512_min_ps(a, b))
VEC_OP2(mask, vec_greater, vec, vec, _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ))
VEC_OP3(vec, vec_select, mask, vec, vec, _mm512_mask_blend_ps(a, c, b))
VEC_OP1(dvec, dvec_set, double, _mm512_set1_pd(a))
DVEC_STORE(_mm512_storeu_pd(a, b))
VEC_OP3(dvec, dvec_fma, dvec, dvec, dvec, _mm512_fmadd_pd(a, b, c))
VEC_OP1(dvec, dvec_low, vec, _mm512_cvtps_pd(_mm512_castps512_ps256(a)))
VEC_OP1(dvec, dvec_high, vec, _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1)))
VEC_OP1(ivec, vec_bits, vec, _mm512_castps_si512(a))
VEC_OP1(vec, vec_from_bits, ivec, _mm512_castsi512_ps(a))
VEC_OP1(vec, vec_from_int, ivec, _mm512_cvtepi32_ps(a))
VEC_OP1(ivec, ivec_set, int32_t, _mm512_set1_epi32(a))
VEC_OP1(ivec, ivec_load, const int32_t *, _mm512_loadu_si512(a))
VEC_OP2(ivec, ivec_add, ivec, ivec, _mm512_add_epi32(a, b))
VEC_OP2(ivec, ivec_sub, ivec, ivec, _mm512_sub_epi32(a, b))
VEC_OP2(ivec, ivec_mul, ivec, ivec, _mm512_mullo_epi32(a, b))
VEC_OP2(ivec, ivec_and, ivec, ivec, _mm512_and_si512(a, b))
VEC_OP2(ivec, ivec_or, ivec, ivec, _mm512_or_si512(a, b))
VEC_OP2(ivec, ivec_xor, ivec, ivec, _mm512_xor_si512(a, b))
/* The four blocks of 128 bits of two vectors, chosen by a constant as _mm512_shuffle_f32x4 does. */
#    define BLOCKS(a, b, choice) _mm512_shuffle_f32x4(a, b, choice)
#    define PAIRS_LOW(a, b)                                                                        \
        _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)))
#    define PAIRS_HIGH(a, b)                                                                       \
        _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)))

/* v[i] lane j becomes v[j] lane i: 4 x 4 within the blocks, then the blocks. */
ALWAYS_INLINE void vec_transpose(vec v[16]) {
    vec t[16];
    UNROLL
    for (int i = 0; i < 16; i += 4) {
        vec low01 = _mm512_unpacklo_ps(v[i], v[i + 1]);
        vec high01 = _mm512_unpackhi_ps(v[i], v[i + 1]);
        vec low23 = _mm512_unpacklo_ps(v[i + 2], v[i + 3]);
        vec high23 = _mm512_unpackhi_ps(v[i + 2], v[i + 3]);
        t[i] = PAIRS_LOW(low01, low23);
        t[i + 1] = PAIRS_HIGH(low01, low23);
        t[i + 2] = PAIRS_LOW(high01, high23);
        t[i + 3] = PAIRS_HIGH(high01, high23);
    }
    UNROLL
    for (int i = 0; i < 4; i++) {
        vec even01 = BLOCKS(t[i], t[i + 4], 0x88);
        vec odd01 = BLOCKS(t[i], t[i + 4], 0xdd);
        vec even23 = BLOCKS(t[i + 8], t[i + 12], 0x88);
        vec odd23 = BLOCKS(t[i + 8], t[i + 12], 0xdd);
        v[i] = BLOCKS(even01, even23, 0x88);
        v[i + 8] = BLOCKS(even01, even23, 0xdd);
        v[i + 4] = BLOCKS(odd01, odd23, 0x88);
        v[i + 12] = BLOCKS(odd01, odd23, 0xdd);
    }
}

#    define ivec_shift_left(a, n) _mm512_slli_epi32(a, n)
#    define ivec_shift_right(a, n) _mm512_srli_epi32(a, n)
#    define ivec_shift_right_signed(a, n) _mm512_srai_epi32(a, n)

#elif defined(VEC_AVX2)

#    define VEC_LANES 8
#    define VEC_FUSED true
typedef __m256 vec;
typedef __m256i ivec;
typedef __m256 mask;
typedef __m256d dvec;

/* All ones in the first n lanes: a window on this array. */
static const int32_t lane_window[16] = {-1, -1, -1, -1, -1, -1, -1, -1};

VEC_OP1(vec, vec_set, float, _mm256_set1_ps(a))
VEC_OP1(vec, vec_load, const float *, _mm256_loadu_ps(a))
VEC_STORE(_mm256_storeu_ps(a, b))
VEC_OP1(ivec, first_lanes, size_t, _mm256_loadu_si256((const __m256i *)(lane_window + 8 - a)))
VEC_OP2(vec, vec_load_partial, const float *, size_t, _mm256_maskload_ps(a, first_lanes(b)))
VEC_STORE_PARTIAL(_mm256_maskstore_ps(a, first_lanes(b), c))
/* The first a lanes of b, the others of c. */
VEC_OP3(
    vec, vec_first_lanes, size_t, vec, vec,
    _mm256_blendv_ps(c, b, _mm256_castsi256_ps(first_lanes(a))))
VEC_OP2(vec, vec_add, vec, vec, _mm256_add_ps(a, b))
VEC_OP2(vec, vec_sub, vec, vec, _mm256_sub_ps(a, b))
VEC_OP2(vec, vec_mul, vec, vec, _mm256_mul_ps(a, b))
VEC_OP2(vec, vec_div, vec, vec, _mm256_div_ps(a, b))
VEC_OP1(vec, vec_sqrt, vec, _mm256_sqrt_ps(a))
VEC_OP3(vec, vec_fma, vec, vec, vec, _mm256_fmadd_ps(a, b, c))
VEC_OP2(vec, vec_max, vec, vec, _mm256_max_ps(a, b))
VEC_OP2(vec, vec_min, vec, vec, _mm256_min_ps(a, b))
VEC_OP2(mask, vec_greater, vec, vec, _mm256_cmp_ps(a, b, _CMP_GT_OQ))
VEC_OP3(vec, vec_select, mask, vec, vec, _mm256_blendv_ps(c, b, a))
VEC_OP1(dvec, dvec_set, double, _mm256_set1_pd(a))
DVEC_STORE(_mm256_storeu_pd(a, b))
VEC_OP3(dvec, dvec_fma, dvec, dvec, dvec, _mm256_fmadd_pd(a, b, c))
VEC_OP1(dvec, dvec_low, vec, _mm256_cvtps_pd(_mm256_castps256_ps128(a)))
VEC_OP1(dvec, dvec_high, vec, _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1)))
VEC_OP1(ivec, vec_bits, vec, _mm256_castps_si256(a))
VEC_OP1(vec, vec_from_bits, ivec, _mm256_castsi256_ps(a))
VEC_OP1(vec, vec_from_int, ivec, _mm256_cvtepi32_ps(a))
VEC_OP1(ivec, ivec_set, int32_t, _mm256_set1_epi32(a))
VEC_OP1(ivec, ivec_load, const int32_t *, _mm256_loadu_si256((const __m256i *)a))
VEC_OP2(ivec, ivec_add, ivec, ivec, _mm256_add_epi32(a, b))
VEC_OP2(ivec, ivec_sub, ivec, ivec, _mm256_sub_epi32(a, b))
VEC_OP2(ivec, ivec_mul, ivec, ivec, _mm256_mullo_epi32(a, b))
VEC_OP2(ivec, ivec_and, ivec, ivec, _mm256_and_si256(a, b))
VEC_OP2(ivec, ivec_or, ivec, ivec, _mm256_or_si256(a, b))
VEC_OP2(ivec, ivec_xor, ivec, ivec, _mm256_xor_si256(a, b))
/* v[i] lane j becomes v[j] lane i: 4 x 4 within the halves, then the halves. */
ALWAYS_INLINE void vec_transpose(vec v[8]) {
    vec t[8];
    UNROLL
    for (int i = 0; i < 8; i += 4) {
        vec low01 = _mm256_unpacklo_ps(v[i], v[i + 1]);
        vec high01 = _mm256_unpackhi_ps(v[i], v[i + 1]);
        vec low23 = _mm256_unpacklo_ps(v[i + 2], v[i + 3]);
        vec high23 = _mm256_unpackhi_ps(v[i + 2], v[i + 3]);
        t[i] = _mm256_shuffle_ps(low01, low23, 0x44);
        t[i + 1] = _mm256_shuffle_ps(low01, low23, 0xee);
        t[i + 2] = _mm256_shuffle_ps(high01, high23, 0x44);
        t[i + 3] = _mm256_shuffle_ps(high01, high23, 0xee);
    }
    UNROLL
    for (int i = 0; i < 4; i++) {
        v[i] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x20);
        v[i + 4] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x31);
    }
}

#    define ivec_shift_left(a, n) _mm256_slli_epi32(a, n)
#    define ivec_shift_right(a, n) _mm256_srli_epi32(a, n)
#    define ivec_shift_right_signed(a, n) _mm256_srai_epi32(a, n)

#elif defined(VEC_NEON)

#    define VEC_LANES 4
#    define VEC_FUSED true
typedef float32x4_t vec;
typedef int32x4_t ivec;
typedef uint32x4_t mask;
typedef float64x2_t dvec;

ALWAYS_INLINE vec vec_load_partial(const float *p, size_t n) {
    float lanes[4] = {0};
    for (size_t i = 0; i < n; i++)
        lanes[i] = p[i];
    return vld1q_f32(lanes);
}

ALWAYS_INLINE void vec_store_partial(float *p, size_t n, vec v) {
    float lanes[4];
    vst1q_f32(lanes, v);
    for (size_t i = 0; i < n; i++)
        p[i] = lanes[i];
}

ALWAYS_INLINE vec vec_first_lanes(size_t n, vec a, vec b) {
    float lanes[4];
    float others[4];
    vst1q_f32(lanes, a);
    vst1q_f32(others, b);
    for (size_t i = n; i < 4; i++)
        lanes[i] = others[i];
    return vld1q_f32(lanes);
}

VEC_OP1(vec, vec_set, float, vdupq_n_f32(a))
VEC_OP1(vec, vec_load, const float *, vld1q_f32(a))
VEC_STORE(vst1q_f32(a, b))
VEC_OP2(vec, vec_add, vec, vec, vaddq_f32(a, b))
VEC_OP2(vec, vec_sub, vec, vec, vsubq_f32(a, b))
VEC_OP2(vec, vec_mul, vec, vec, vmulq_f32(a, b))
VEC_OP2(vec, vec_div, vec, vec, vdivq_f32(a, b))
VEC_OP1(vec, vec_sqrt, vec, vsqrtq_f32(a))
VEC_OP3(vec, vec_fma, vec, vec, vec, vfmaq_f32(c, a, b))
/* Not vmaxq and vminq: those return NaN if either argument is, and +0 for max(-0, +0). */
VEC_OP2(vec, vec_max, vec, vec, vbslq_f32(vcgtq_f32(a, b), a, b))
VEC_OP2(vec, vec_min, vec, vec, vbslq_f32(vcltq_f32(a, b), a, b))
VEC_OP2(mask, vec_greater, vec, vec, vcgtq_f32(a, b))
VEC_OP3(vec, vec_select, mask, vec, vec, vbslq_f32(a, b, c))
VEC_OP1(dvec, dvec_set, double, vdupq_n_f64(a))
DVEC_STORE(vst1q_f64(a, b))
VEC_OP3(dvec, dvec_fma, dvec, dvec, dvec, vfmaq_f64(c, a, b))
VEC_OP1(dvec, dvec_low, vec, vcvt_f64_f32(vget_low_f32(a)))
VEC_OP1(dvec, dvec_high, vec, vcvt_high_f64_f32(a))
VEC_OP1(ivec, vec_bits, vec, vreinterpretq_s32_f32(a))
VEC_OP1(vec, vec_from_bits, ivec, vreinterpretq_f32_s32(a))
VEC_OP1(vec, vec_from_int, ivec, vcvtq_f32_s32(a))
VEC_OP1(ivec, ivec_set, int32_t, vdupq_n_s32(a))
VEC_OP1(ivec, ivec_load, const int32_t *, vld1q_s32(a))
VEC_OP2(ivec, ivec_add, ivec, ivec, vaddq_s32(a, b))
VEC_OP2(ivec, ivec_sub, ivec, ivec, vsubq_s32(a, b))
VEC_OP2(ivec, ivec_mul, ivec, ivec, vmulq_s32(a, b))
VEC_OP2(ivec, ivec_and, ivec, ivec, vandq_s32(a, b))
VEC_OP2(ivec, ivec_or, ivec, ivec, vorrq_s32(a, b))
VEC_OP2(ivec, ivec_xor, ivec, ivec, veorq_s32(a, b))
/* v[i] lane j becomes v[j] lane i. */
ALWAYS_INLINE void vec_transpose(vec v[4]) {
    float32x4x2_t even = vuzpq_f32(v[0], v[1]);
    float32x4x2_t odd = vuzpq_f32(v[2], v[3]);
    float32x4x2_t columns02 = vuzpq_f32(even.val[0], odd.val[0]);
    float32x4x2_t columns13 = vuzpq_f32(even.val[1], odd.val[1]);
    v[0] = columns02.val[0];
    v[1] = columns13.val[0];
    v[2] = columns02.val[1];
    v[3] = columns13.val[1];
}

#    define ivec_shift_left(a, n) vshlq_n_s32(a, n)
#    define ivec_shift_right(a, n) vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(a), n))
#    define ivec_shift_right_signed(a, n) vshrq_n_s32(a, n)

#elif defined(VEC_PORTABLE)

#    define VEC_LANES 1
typedef float vec;
typedef int32_t ivec;
typedef bool mask;
typedef double dvec;

/* fmaf is only fast where the machine has it; elsewhere the library would crawl, so it rounds
 * twice there: the one exception to one result, told in docs/numerics.md. */
#    if defined(FP_FAST_FMAF) || defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#        define VEC_FUSED true
VEC_OP3(vec, vec_fma, vec, vec, vec, fmaf(a, b, c))
#    else
#        define VEC_FUSED false
VEC_OP3(vec, vec_fma, vec, vec, vec, a *b + c)
#    endif

VEC_OP1(vec, vec_set, float, a)
VEC_OP1(vec, vec_load, const float *, *a)
VEC_STORE(*a = b)
/* A part of a vector of one lane is empty. */
VEC_OP2(vec, vec_load_partial, const float *, size_t, ((void)a, (void)b, 0))
VEC_STORE_PARTIAL((void)a; (void)b; (void)c)
VEC_OP3(vec, vec_first_lanes, size_t, vec, vec, a > 0 ? b : c)
VEC_OP2(vec, vec_add, vec, vec, a + b)
VEC_OP2(vec, vec_sub, vec, vec, a - b)
VEC_OP2(vec, vec_mul, vec, vec, a *b)
VEC_OP2(vec, vec_div, vec, vec, a / b)
VEC_OP1(vec, vec_sqrt, vec, sqrtf(a))
VEC_OP2(vec, vec_max, vec, vec, a > b ? a : b)
VEC_OP2(vec, vec_min, vec, vec, a < b ? a : b)
VEC_OP2(mask, vec_greater, vec, vec, a > b)
VEC_OP3(vec, vec_select, mask, vec, vec, a ? b : c)
/* Of squares of floats only, which are exact: rounded once even so. */
VEC_OP1(dvec, dvec_set, double, a)
DVEC_STORE(*a = b)
VEC_OP3(dvec, dvec_fma, dvec, dvec, dvec, a *b + c)
VEC_OP1(dvec, dvec_low, vec, (double)a)

ALWAYS_INLINE ivec vec_bits(vec v) {
    ivec bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

ALWAYS_INLINE vec vec_from_bits(ivec bits) {
    vec v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

ALWAYS_INLINE void vec_transpose(vec v[1]) {
    (void)v;
}

VEC_OP1(vec, vec_from_int, ivec, (float)a)
VEC_OP1(ivec, ivec_set, int32_t, a)
VEC_OP1(ivec, ivec_load, const int32_t *, *a)
/* In unsigned arithmetic, which wraps around as the vector instructions do. */
VEC_OP2(ivec, ivec_add, ivec, ivec, (ivec)((uint32_t)a + (uint32_t)b))
VEC_OP2(ivec, ivec_sub, ivec, ivec, (ivec)((uint32_t)a - (uint32_t)b))
VEC_OP2(ivec, ivec_mul, ivec, ivec, (ivec)((uint32_t)a *(uint32_t)b))
VEC_OP2(ivec, ivec_and, ivec, ivec, a &b)
VEC_OP2(ivec, ivec_or, ivec, ivec, a | b)
VEC_OP2(ivec, ivec_xor, ivec, ivec, a ^ b)
#    define ivec_shift_left(a, n) ((ivec)((uint32_t)(a) << (n)))
#    define ivec_shift_right(a, n) ((ivec)((uint32_t)(a) >> (n)))
#    define ivec_shift_right_signed(a, n) ((ivec)((a) >> (n)))

#endif

/* What follows from the operations above. */

ALWAYS_INLINE vec vec_abs(vec a) {
    return vec_from_bits(ivec_and(vec_bits(a), ivec_set(INT32_MAX)));
}

ALWAYS_INLINE vec vec_negate(vec a) {
    return vec_from_bits(ivec_xor(vec_bits(a), ivec_set(INT32_MIN)));
}

ALWAYS_INLINE vec vec_copy_sign(vec magnitude, vec sign) {
    ivec sign_bit = ivec_and(vec_bits(sign), ivec_set(INT32_MIN));
    return vec_from_bits(ivec_or(vec_bits(vec_abs(magnitude)), sign_bit));
}

/* max(0, a), where adding +0 makes +0 of -0; of vectors and of single floats. */
ALWAYS_INLINE vec vec_relu(vec a) {
    return vec_add(vec_max(vec_set(0.0f), a), vec_set(0.0f));
}

ALWAYS_INLINE float scalar_relu(float a) {
    return (0.0f > a ? 0.0f : a) + 0.0f;
}

/* a * b + c of single floats, rounded as vec_fma does. */
ALWAYS_INLINE float scalar_fma(float a, float b, float c) {
#if defined(VEC_PORTABLE)
    return vec_fma(a, b, c);
#else
    return __builtin_fmaf(a, b, c);
#endif
}

/* The lanes of a vector at element i of count: all of them, or those that are left. */
ALWAYS_INLINE size_t lanes_at(size_t i, size_t count) {
    return count - i < VEC_LANES ? count - i : VEC_LANES;
}

ALWAYS_INLINE vec load_lanes(const float *p, size_t lanes) {
    return lanes == VEC_LANES ? vec_load(p) : vec_load_partial(p, lanes);
}

ALWAYS_INLINE void store_lanes(float *p, size_t lanes, vec v) {
    if (lanes == VEC_LANES)
        vec_store(p, v);
    else
        vec_store_partial(p, lanes, v);
}

/* A vector, or if partial, a constant, is set, tail lanes of one. */
ALWAYS_INLINE vec load_columns(const float *p, const bool partial, size_t tail) {
    return partial ? vec_load_partial(p, tail) : vec_load(p);
}

ALWAYS_INLINE void store_columns(float *p, const bool partial, size_t tail, vec v) {
    if (partial)
        vec_store_partial(p, tail, v);
    else
        vec_store(p, v);
}

/*
 * The first n lanes, less than a vector, by stores of just these bytes: what lies behind them is
 * often read next, and would wait for a store under a mask, which covers it.
 */
#if defined(VEC_AVX512) || defined(VEC_AVX2)
ALWAYS_INLINE void vec_store_first(float *p, size_t n, vec v) {
#    if defined(VEC_AVX512)
    __m256 eight = _mm512_castps512_ps256(v);
    if (n & 8) {
        _mm256_storeu_ps(p, eight);
        eight = _mm512_extractf32x8_ps(v, 1);
        p += 8;
    }
#    else
    __m256 eight = v;
#    endif
    __m128 four = _mm256_castps256_ps128(eight);
    if (n & 4) {
        _mm_storeu_ps(p, four);
        four = _mm256_extractf128_ps(eight, 1);
        p += 4;
    }
    if (n & 2) {
        double pair = _mm_cvtsd_f64(_mm_castps_pd(four));
        memcpy(p, &pair, sizeof pair);
        four = _mm_movehl_ps(four, four);
        p += 2;
    }
    if (n & 1)
        _mm_store_ss(p, four);
}
#else
#    define vec_store_first vec_store_partial
#endif

/* The doubles of a vector of floats are two vectors; of the one of a single float, one. */
enum { VEC_DOUBLES = VEC_LANES == 1 ? 1 : 2, DVEC_LANES = VEC_LANES / VEC_DOUBLES };

ALWAYS_INLINE void dvec_widen(vec a, dvec doubles[VEC_DOUBLES]) {
    doubles[0] = dvec_low(a);
#if !defined(VEC_PORTABLE)
    doubles[1] = dvec_high(a);
#endif
}

/* Sixteen lanes whatever the width of a vector: the form of every sum within a row. */
enum { SIXTEEN = 16 / VEC_LANES };

typedef struct lanes16 {
    vec part[SIXTEEN];
} lanes16;

ALWAYS_INLINE lanes16 lanes16_zero(void) {
    lanes16 lanes;
    for (int i = 0; i < SIXTEEN; i++)
        lanes.part[i] = vec_set(0.0f);
    return lanes;
}

/*
 * Combines the sixteen in a fixed tree: lane l with l + 8, then l + 4, l + 2, l + 1.
 */
#if defined(VEC_AVX512) || defined(VEC_AVX2)
#    if defined(VEC_AVX512)
#        define LANES16_HALVES(lanes, op)                                                          \
            _mm256_##op##_ps(                                                                      \
                _mm512_castps512_ps256((lanes).part[0]),                                           \
                _mm512_extractf32x8_ps((lanes).part[0], 1))
#    else
#        define LANES16_HALVES(lanes, op) _mm256_##op##_ps((lanes).part[0], (lanes).part[1])
#    endif
#    define LANES16_TREE(name, op)                                                                 \
        ALWAYS_INLINE float name(lanes16 lanes) {                                                  \
            __m256 eight = LANES16_HALVES(lanes, op);                                              \
            __m128 four =                                                                          \
                _mm_##op##_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));     \
            __m128 two = _mm_##op##_ps(four, _mm_movehl_ps(four, four));                           \
            return _mm_cvtss_f32(_mm_##op##_ss(two, _mm_movehdup_ps(two)));                        \
        }

LANES16_TREE(lanes16_fold, add)
LANES16_TREE(lanes16_largest, max)
#else
#    define LANES16_TREE(name, expression)                                                         \
        ALWAYS_INLINE float name(lanes16 lanes) {                                                  \
            float lane[16];                                                                        \
            for (int i = 0; i < SIXTEEN; i++)                                                      \
                vec_store(lane + i * VEC_LANES, lanes.part[i]);                                    \
            for (int half = 8; half >= 1; half /= 2) {                                             \
                for (int l = 0; l < half; l++) {                                                   \
                    float a = lane[l], b = lane[l + half];                                         \
                    lane[l] = expression;                                                          \
                }                                                                                  \
            }                                                                                      \
            return lane[0];                                                                        \
        }

LANES16_TREE(lanes16_fold, a + b)
LANES16_TREE(lanes16_largest, a > b ? a : b)
#endif
