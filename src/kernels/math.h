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
 * x = n ln 2 + r with an integer n and |r| <= ln 2 / 2, for |x| < 120. Returns r; the low 22 bits
 * of *biased are n + bias. Added to 3 * 2^22, whose last bit is worth 1, x log2 e loses its
 * fraction, and the bits of the sum only need a shift to become an exponent.
 */
ALWAYS_INLINE vec reduce_by_ln2(vec x, int bias, ivec *biased) {
    vec shift = vec_set(0x3p22f + (float)bias);
    vec shifted = vec_fma(x, vec_set(LOG2_E), shift);
    vec n = vec_sub(shifted, shift);
    *biased = vec_bits(shifted);
    vec r = vec_fma(n, vec_set(-LN2_HIGH), x);
    return vec_fma(n, vec_set(-LN2_LOW), r);
}

/* The low nine bits as a float's sign and exponent: 2^(n - 127), and -2^(n - 127) for n + 256. */
ALWAYS_INLINE vec power_of_two(ivec biased) {
    return vec_from_bits(ivec_shift_left(biased, 23));
}

/*
 * exp(r) - 1 = r + r^2 q(r) for |r| <= ln 2 / 2, q of degree 4, which errs by 0.23 * 2^-24 of
 * exp(r) - 1 and by 0.09 * 2^-24 of exp(r). In pairs instead of by Horner's rule: no more
 * operations, for r^2 is wanted anyway, in a chain half as long.
 */
ALWAYS_INLINE vec expm1_of_reduced(vec r) {
    vec r2 = vec_mul(r, r);
    vec low = vec_fma(vec_set(0x1.5554bp-3f), r, vec_set(0x1.fffffep-2f));
    vec middle = vec_fma(vec_set(0x1.1227aap-7f), r, vec_set(0x1.555716p-5f));
    vec high = vec_fma(vec_set(0x1.6b73ap-10f), r2, middle);
    return vec_fma(vec_fma(high, r2, low), r2, r);
}

/*
 * p 2^n, rounded once; n from -150, where the result is denormal or rounds to 0, to 128, where it
 * may still be finite: too far for the exponent of one float. Hence two halves of n, of which only
 * the second product can round. biased is n + 254.
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

/* exp(x) = 2^n exp(r). Worst: 1.04 at -38.414, 1.03 at 5.1992. */
ALWAYS_INLINE vec vec_exp(vec x) {
    vec clamped = vec_max(vec_set(-104.0f), vec_min(vec_set(89.0f), x));
    ivec n;
    vec p = vec_add(expm1_of_reduced(reduce_by_ln2(clamped, 254, &n)), vec_set(1.0f));
    return times_power_of_two(p, n);
}

/*
 * exp(x) - 1 = 2^n (exp(r) - 1) + (2^n - 1), computed at half its size because 2^128 is no float.
 * Next to 0, where halving would cost a denormal number its last bit, the result is x.
 * Worst: 1.59 at 0.38778, 1.72 at 0.38972.
 */
ALWAYS_INLINE vec vec_expm1(vec x) {
    vec clamped = vec_max(vec_set(-18.0f), vec_min(vec_set(89.0f), x));
    ivec n;
    vec p = expm1_of_reduced(reduce_by_ln2(clamped, 127 - 1, &n));
    vec scale = power_of_two(n);
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
ALWAYS_INLINE vec vec_tanh(vec x) {
    ivec sign = ivec_set(INT32_MIN);
    vec minus_x = vec_from_bits(ivec_or(vec_bits(x), sign));
    vec clamped = vec_max(vec_set(-20.0f), vec_add(minus_x, minus_x));
    ivec n;
    vec p = expm1_of_reduced(reduce_by_ln2(clamped, 127 + 256, &n));
    vec minus_scale = power_of_two(n);
    vec rest = vec_add(vec_set(1.0f), minus_scale);
    vec u = vec_fma(minus_scale, p, rest);
    vec u_low = vec_fma(minus_scale, p, vec_sub(rest, u));

    vec q = vec_div(u, vec_sub(vec_set(2.0f), u));
    vec remainder = vec_fma(q, u, vec_fma(q, vec_set(-2.0f), u));
    remainder = vec_fma(u_low, vec_set(1.5f), remainder);
    vec reciprocal = vec_fma(u, vec_set(0.5f), vec_set(0.457f));
    vec magnitude = vec_fma(remainder, reciprocal, q);
    return vec_from_bits(ivec_or(vec_bits(magnitude), ivec_and(vec_bits(x), sign)));
}

/*
 * With e = exp(-|x|), 1 / (1 + e) for x > 0 and e / (1 + e) otherwise: neither overflows nor
 * cancels. The quotient is corrected as in vec_tanh, for the rounding of 1 + e; in minus_e, and in
 * the sign of a quotient that is dropped at the end, so that no operation is spent on negating.
 * Worst: 1.53 at -5.8399, 1.50 at -5.5430.
 */
ALWAYS_INLINE vec vec_sigmoid(vec x) {
    vec one = vec_set(1.0f);
    vec minus_x = vec_from_bits(ivec_or(vec_bits(x), ivec_set(INT32_MIN)));
    vec clamped = vec_max(vec_set(-104.0f), minus_x);
    ivec n;
    vec minus_p = vec_sub(vec_set(-1.0f), expm1_of_reduced(reduce_by_ln2(clamped, 254, &n)));
    vec minus_e = times_power_of_two(minus_p, n);

    vec numerator = vec_select(vec_greater(x, vec_set(0.0f)), one, minus_e);
    vec q = vec_div(numerator, vec_sub(one, minus_e));
    vec remainder = vec_fma(q, minus_e, vec_sub(numerator, q));
    vec reciprocal = vec_fma(minus_e, vec_set(0.5f), vec_set(0.957f));
    return vec_abs(vec_fma(remainder, reciprocal, q));
}

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
