/*
 * Elementary functions on vectors, from our own polynomials.
 *
 * No include guard: body.h includes it once for each instruction set, after vec.h. Every step is a
 * correctly rounded operation or works on bits, in an order that does not depend on the width, so
 * that all instruction sets with a fused vec_fma give the same bits. A NaN gives a NaN.
 *
 * The coefficients are what tests/reference/polynomials.sollya prints. "Worst" is the largest error
 * over all floats in units in the last place (ulp) of the true value: with a fused vec_fma, then
 * with one that rounds twice. tests/campaigns/math measures it against long double.
 */

/* ---- exp and its kin ------------------------------------------------------------------------- */

/* The high part of ln 2 has 15 bits: its product with an exponent is exact, fused or not. */
#define LOG2_E 0x1.715476p0f
#define LN2_HIGH 0x1.62e4p-1f
#define LN2_LOW 0x1.7f7d1cp-20f

/*
 * These are made for groups of n vectors, n being a constant, whose operations take turns: left to
 * run one after the other, the chain of each vector fills the processor's window with operations
 * that wait, and the units idle. vec_exp and its like are groups of one.
 */
enum { MOST_GROUP = 8, EXP_GROUP = 4, SIGMOID_GROUP = 4, TANH_GROUP = VEC_LANES == 16 ? 8 : 4 };

#define EACH                                                                                       \
    UNROLL                                                                                         \
    for (int j = 0; j < n; j++)

/*
 * s x = m ln 2 + s r with an integer m and |s r| <= ln 2 / 2, for |s x| < 120; s is a power of two,
 * which no rounding sees. The low 22 bits of biased are m + bias. Added to 3 * 2^22, whose last bit
 * is worth 1, s x log2 e loses its fraction, and the bits of the sum only need a shift to become an
 * exponent.
 */
ALWAYS_INLINE void reduce_by_ln2(
    const int n, const float s, const vec x[], int bias, ivec biased[], vec r[]) {
    vec shift = vec_set(0x3p22f + (float)bias);
    vec m[MOST_GROUP];
    EACH biased[j] = vec_bits(vec_fma(x[j], vec_set(s * LOG2_E), shift));
    EACH m[j] = vec_sub(vec_from_bits(biased[j]), shift);
    EACH r[j] = vec_fma(m[j], vec_set(-LN2_HIGH / s), x[j]);
    EACH r[j] = vec_fma(m[j], vec_set(-LN2_LOW / s), r[j]);
}

/* The low nine bits as a float's sign and exponent: 2^(m - 127), and -2^(m - 127) for m + 256. */
ALWAYS_INLINE vec power_of_two(ivec biased) {
    return vec_from_bits(ivec_shift_left(biased, 23));
}

/*
 * s p = exp(s r) - 1 = s r + (s r)^2 q(s r) for |s r| <= ln 2 / 2, q of degree 4, which errs by
 * 0.23 * 2^-24 of exp(s r) - 1 and by 0.09 * 2^-24 of exp(s r). In pairs instead of by Horner's
 * rule: no more operations, for r^2 is wanted anyway, in a chain half as long.
 */
ALWAYS_INLINE void expm1_of_reduced(const int n, const float s, const vec r[], vec p[]) {
    vec r2[MOST_GROUP], low[MOST_GROUP];
    EACH r2[j] = vec_mul(r[j], r[j]);
    EACH p[j] =
        vec_fma(vec_set(s * s * s * s * 0x1.1227aap-7f), r[j], vec_set(s * s * s * 0x1.555716p-5f));
    EACH low[j] = vec_fma(vec_set(s * s * 0x1.5554bp-3f), r[j], vec_set(s * 0x1.fffffep-2f));
    EACH p[j] = vec_fma(vec_set(s * s * s * s * s * 0x1.6b73ap-10f), r2[j], p[j]);
    EACH p[j] = vec_fma(p[j], r2[j], low[j]);
    EACH p[j] = vec_fma(p[j], r2[j], r[j]);
}

/*
 * p 2^m, rounded once; m from -150, where the result is denormal or rounds to 0, to 128, where it
 * may still be finite: too far for the exponent of one float. Hence two halves of m, of which only
 * the second product can round. biased is m + 254.
 */
ALWAYS_INLINE vec times_power_of_two(vec p, ivec biased) {
#if defined(VEC_SCALE)
    return vec_scale(p, vec_sub(vec_from_bits(biased), vec_set(0x3p22f + 254.0f)));
#else
    ivec half = ivec_and(ivec_shift_left(biased, 22), ivec_set(~0x7fffff));
    ivec other_half = ivec_sub(ivec_shift_left(biased, 23), half);
    return vec_mul(vec_mul(p, vec_from_bits(half)), vec_from_bits(other_half));
#endif
}

/* exp(x) = 2^m exp(r). Worst: 1.04 at -38.414, 1.03 at 5.1992. */
ALWAYS_INLINE void exp_group(const int n, const vec x[], vec y[]) {
    ivec m[MOST_GROUP];
    vec r[MOST_GROUP];
    EACH y[j] = vec_max(vec_set(-104.0f), vec_min(vec_set(89.0f), x[j]));
    reduce_by_ln2(n, 1.0f, y, 254, m, r);
    expm1_of_reduced(n, 1.0f, r, y);
    EACH y[j] = vec_add(y[j], vec_set(1.0f));
    EACH y[j] = times_power_of_two(y[j], m[j]);
}

ALWAYS_INLINE vec vec_exp(vec x) {
    vec y;
    exp_group(1, &x, &y);
    return y;
}

/*
 * exp(x) - 1 = 2^m (exp(r) - 1) + (2^m - 1), computed at half its size because 2^128 is no float.
 * Next to 0, where halving would cost a denormal number its last bit, the result is x.
 * Worst: 1.59 at 0.38778, 1.72 at 0.38972.
 */
ALWAYS_INLINE vec vec_expm1(vec x) {
    vec clamped = vec_max(vec_set(-18.0f), vec_min(vec_set(89.0f), x));
    ivec m;
    vec r, p;
    reduce_by_ln2(1, 1.0f, &clamped, 127 - 1, &m, &r);
    expm1_of_reduced(1, 1.0f, &r, &p);
    vec scale = power_of_two(m);
    vec half = vec_fma(scale, p, vec_sub(scale, vec_set(0.5f)));
    return vec_select(vec_greater(vec_abs(x), vec_set(0x1p-40f)), vec_add(half, half), x);
}

/*
 * tanh |x| = u / (2 - u) with u = 1 - exp(-2 |x|), as in vec_expm1 with the signs turned; beyond 10
 * it is 1 to the last bit. The quotient alone would err by 2.4 ulp, so it is corrected by
 * (u + u_low - q (2 - u - u_low)) / (2 - u) = (u - 2q + q u + (1 + q) u_low) / (2 - u),
 * u_low being what u lost by rounding. u - 2q is exact, 1 + q is about 1.5 where u_low counts, and
 * a correction needs no more of a reciprocal than a straight line.
 * Worst: 1.50 at 0.17271, 1.54 at 0.17252.
 */
ALWAYS_INLINE void tanh_group(const int n, const vec x[], vec y[]) {
    ivec sign = ivec_set(INT32_MIN);
    ivec m[MOST_GROUP];
    vec p[MOST_GROUP], q[MOST_GROUP], u[MOST_GROUP], u_low[MOST_GROUP];
    EACH p[j] = vec_from_bits(ivec_or(vec_bits(x[j]), sign));
    EACH p[j] = vec_max(vec_set(-10.0f), p[j]);
    reduce_by_ln2(n, 2.0f, p, 127 + 256 + 1, m, q);
    expm1_of_reduced(n, 2.0f, q, p);
    EACH q[j] = vec_fma(power_of_two(m[j]), vec_set(0.5f), vec_set(1.0f));
    EACH u[j] = vec_fma(power_of_two(m[j]), p[j], q[j]);
    EACH u_low[j] = vec_fma(power_of_two(m[j]), p[j], vec_sub(q[j], u[j]));
    EACH q[j] = vec_div(u[j], vec_sub(vec_set(2.0f), u[j]));
    EACH p[j] = vec_fma(q[j], vec_set(-2.0f), u[j]);
    EACH p[j] = vec_fma(q[j], u[j], p[j]);
    EACH p[j] = vec_fma(u_low[j], vec_set(1.5f), p[j]);
    EACH u[j] = vec_fma(u[j], vec_set(0.5f), vec_set(0.457f));
    EACH y[j] = vec_fma(p[j], u[j], q[j]);
    EACH y[j] = vec_from_bits(ivec_or(vec_bits(y[j]), ivec_and(vec_bits(x[j]), sign)));
}

ALWAYS_INLINE vec vec_tanh(vec x) {
    vec y;
    tanh_group(1, &x, &y);
    return y;
}

/*
 * With e = exp(-|x|), 1 / (1 + e) for x > 0 and e / (1 + e) otherwise: neither overflows nor
 * cancels. The quotient is corrected as in tanh, for the rounding of 1 + e; in minus_e, and in the
 * sign of a quotient that is dropped at the end, so that no operation is spent on negating.
 * Worst: 1.53 at -5.8399, 1.50 at -5.5430.
 */
ALWAYS_INLINE void sigmoid_group(const int n, const vec x[], vec y[]) {
    vec one = vec_set(1.0f);
    ivec m[MOST_GROUP];
    vec p[MOST_GROUP], q[MOST_GROUP], minus_e[MOST_GROUP], numerator[MOST_GROUP];
    EACH p[j] = vec_from_bits(ivec_or(vec_bits(x[j]), ivec_set(INT32_MIN)));
    EACH p[j] = vec_max(vec_set(-104.0f), p[j]);
    reduce_by_ln2(n, 1.0f, p, 254, m, q);
    expm1_of_reduced(n, 1.0f, q, p);
    EACH p[j] = vec_sub(vec_set(-1.0f), p[j]);
    EACH minus_e[j] = times_power_of_two(p[j], m[j]);
    EACH numerator[j] = vec_select(vec_greater(x[j], vec_set(0.0f)), one, minus_e[j]);
    EACH q[j] = vec_div(numerator[j], vec_sub(one, minus_e[j]));
    EACH p[j] = vec_fma(q[j], minus_e[j], vec_sub(numerator[j], q[j]));
    EACH minus_e[j] = vec_fma(minus_e[j], vec_set(0.5f), vec_set(0.957f));
    EACH y[j] = vec_abs(vec_fma(p[j], minus_e[j], q[j]));
}

ALWAYS_INLINE vec vec_sigmoid(vec x) {
    vec y;
    sigmoid_group(1, &x, &y);
    return y;
}

/* A function over an array: y[i] = f(x[i]), by groups of n vectors. */
#define GROUP_MAP(name, f, n)                                                                      \
    static void name(size_t count, const float *x, float *y) {                                     \
        size_t i = 0;                                                                              \
        for (; count - i >= (n)*VEC_LANES; i += (n)*VEC_LANES) {                                   \
            vec from[n], to[n];                                                                    \
            UNROLL                                                                                 \
            for (int j = 0; j < (n); j++)                                                          \
                from[j] = vec_load(x + i + j * VEC_LANES);                                         \
            f##_group(n, from, to);                                                                \
            UNROLL                                                                                 \
            for (int j = 0; j < (n); j++)                                                          \
                vec_store(y + i + j * VEC_LANES, to[j]);                                           \
        }                                                                                          \
        for (; i < count; i += VEC_LANES) {                                                        \
            size_t lanes = lanes_at(i, count);                                                     \
            store_lanes(y + i, lanes, vec_##f(load_lanes(x + i, lanes)));                          \
        }                                                                                          \
    }

GROUP_MAP(map_exp, exp, EXP_GROUP)
GROUP_MAP(map_tanh, tanh, TANH_GROUP)
GROUP_MAP(map_sigmoid, sigmoid, SIGMOID_GROUP)

/* ---- log ------------------------------------------------------------------------------------- */

/* log(1 + f) - f = f^2 q(f) for sqrt(1/2) <= 1 + f <= sqrt(2), q of degree 8; returns q. */
ALWAYS_INLINE vec log_tail(vec f, vec f2) {
    vec even = vec_set(-0x1.41168p-4f);
    even = vec_fma(even, f2, vec_set(-0x1.0ceb7ap-3f));
    even = vec_fma(even, f2, vec_set(-0x1.54781ap-3f));
    even = vec_fma(even, f2, vec_set(-0x1.000222p-2f));
    even = vec_fma(even, f2, vec_set(-0.5f));
    vec odd = vec_set(0x1.07c394p-3f);
    odd = vec_fma(odd, f2, vec_set(0x1.22668cp-3f));
    odd = vec_fma(odd, f2, vec_set(0x1.99a6eep-3f));
    odd = vec_fma(odd, f2, vec_set(0x1.555544p-2f));
    return vec_fma(odd, f, even);
}

/*
 * x = 2^k m with sqrt(1/2) <= m < sqrt(2), and log x = k ln 2 + log(1 + f) with f = m - 1. Infinity
 * gives itself, 0 gives -infinity, less gives a NaN.
 * Worst: 1.03 at 1.3977, 1.08 at 1.3988.
 */
ALWAYS_INLINE vec vec_log(vec x) {
    vec infinity = vec_set(INFINITY);
    ivec sqrt_half = ivec_set(0x3f3504f3);
    mask denormal = vec_greater(vec_set(0x1p-126f), x);
    vec scaled = vec_select(denormal, vec_mul(x, vec_set(0x1p23f)), x);
    vec scaled_by = vec_select(denormal, vec_set(23.0f), vec_set(0.0f));

    ivec distance = ivec_sub(vec_bits(scaled), sqrt_half);
    vec k = vec_sub(vec_from_int(ivec_shift_right_signed(distance, 23)), scaled_by);
    ivec m = ivec_add(ivec_and(distance, ivec_set(0x7fffff)), sqrt_half);
    vec f = vec_sub(vec_from_bits(m), vec_set(1.0f));
    vec f2 = vec_mul(f, f);
    vec low = vec_fma(log_tail(f, f2), f2, vec_mul(k, vec_set(LN2_LOW)));
    vec y = vec_fma(k, vec_set(LN2_HIGH), vec_add(f, low));

    vec at_zero = vec_select(vec_greater(x, vec_set(-0x1p-149f)), vec_set(-INFINITY), vec_set(NAN));
    vec finite = vec_select(vec_greater(x, vec_set(0.0f)), y, at_zero);
    return vec_select(vec_greater(infinity, x), finite, x);
}

/*
 * log(1 + t) = t + t^2 q(t) for 0 <= t <= 1, q of degree 8; elsewhere the result means nothing.
 * Softplus and the logarithmic losses need no more, for their t is exp(-|z|).
 * Worst: 1.17 at 0.98280, 1.56 at 0.96535.
 */
ALWAYS_INLINE vec vec_log1p_of_unit(vec t) {
    vec q = vec_set(-0x1.b22adep-9f);
    q = vec_fma(q, t, vec_set(0x1.4a9226p-6f));
    q = vec_fma(q, t, vec_set(-0x1.d7efa8p-5f));
    q = vec_fma(q, t, vec_set(0x1.b53c48p-4f));
    q = vec_fma(q, t, vec_set(-0x1.3a6736p-3f));
    q = vec_fma(q, t, vec_set(0x1.935568p-3f));
    q = vec_fma(q, t, vec_set(-0x1.ff2556p-3f));
    q = vec_fma(q, t, vec_set(0x1.554ddap-2f));
    q = vec_fma(q, t, vec_set(-0x1.ffffd2p-2f));
    return vec_fma(vec_mul(t, t), q, t);
}

/* ---- erf ------------------------------------------------------------------------------------- */

/* erf(x) = x + x q(x^2) for |x| <= 1.1875, q of degree 6. */
ALWAYS_INLINE vec erf_near_zero(vec x) {
    vec x2 = vec_mul(x, x);
    vec q = vec_set(0x1.16d448p-14f);
    q = vec_fma(q, x2, vec_set(-0x1.8f03e2p-11f));
    q = vec_fma(q, x2, vec_set(0x1.50c1eap-8f));
    q = vec_fma(q, x2, vec_set(-0x1.b7808ap-6f));
    q = vec_fma(q, x2, vec_set(0x1.ce250ep-4f));
    q = vec_fma(q, x2, vec_set(-0x1.81270cp-2f));
    q = vec_fma(q, x2, vec_set(0x1.06eba6p-3f));
    return vec_fma(q, x, x);
}

/*
 * erf(x) for x >= 1.1875: a polynomial of degree 12 in x - c, with c in the middle so that its sum
 * is well-conditioned; fewer operations than 1 - exp(a polynomial). c is a float at which erf is
 * nearly one too, for the rounding of the constant term could cost half an ulp.
 */
ALWAYS_INLINE vec erf_far(vec x) {
    vec v = vec_sub(vec_min(vec_set(3.92f), x), vec_set(0x1.506666p1f));
    vec p = vec_set(-0x1.1bd008p-17f);
    p = vec_fma(p, v, vec_set(0x1.f0ddfep-18f));
    p = vec_fma(p, v, vec_set(0x1.4833ep-14f));
    p = vec_fma(p, v, vec_set(-0x1.8709fap-13f));
    p = vec_fma(p, v, vec_set(0x1.85b49p-16f));
    p = vec_fma(p, v, vec_set(0x1.78e308p-11f));
    p = vec_fma(p, v, vec_set(-0x1.23c9a8p-9f));
    p = vec_fma(p, v, vec_set(0x1.106af6p-8f));
    p = vec_fma(p, v, vec_set(-0x1.5eac24p-8f));
    p = vec_fma(p, v, vec_set(0x1.3c5f1p-8f));
    p = vec_fma(p, v, vec_set(-0x1.84f086p-9f));
    p = vec_fma(p, v, vec_set(0x1.27efd2p-10f));
    return vec_fma(p, v, vec_set(0x1.ffe58cp-1f));
}

/* Worst: 1.48 at 1.1709, 1.88 at 1.1572. */
ALWAYS_INLINE vec vec_erf(vec x) {
    vec magnitude = vec_abs(x);
    vec far = vec_copy_sign(erf_far(magnitude), x);
    return vec_select(vec_greater(magnitude, vec_set(1.1875f)), far, erf_near_zero(x));
}
