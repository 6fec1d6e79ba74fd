#include "support/special.h"

#include <math.h>
#include <string.h>

/*
 * log uses sums and products only, each rounded on its own: no fma, which is slow on
 * machines without the instruction. Coefficients come from tests/reference/polynomials.sollya. The
 * high part of ln 2 has 32 bits, so that its product with an exponent is exact.
 */
static const double ln2_high = 0x1.62e42ffp-1;
static const double ln2_low = -0x1.718432a1b0e26p-35;

static uint64_t bits_of(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double from_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* p[0] + p[1] x + ... + p[degree] x^degree by Horner's rule. */
static double polynomial(const double *p, int degree, double x) {
    double sum = p[degree];
    for (int i = degree - 1; i >= 0; i--)
        sum = sum * x + p[i];
    return sum;
}

/*
 * x = 2^k m with sqrt(1/2) <= m < sqrt(2). With f = m - 1, s = f / (2 + f) and z = s^2,
 *
 *     log m = 2 s + s z q(z) = f - s (f - z q(z))
 *
 * of which the last form loses least: it starts from f, which is exact.
 */
double tnni_log(double x) {
    static const double q[] = {0x1.5555555555558p-1, 0x1.99999999952c1p-2, 0x1.2492492dfa853p-2,
                               0x1.c71c62d7ca7dcp-3, 0x1.7462b8b3b0d8cp-3, 0x1.39fddafaa0baep-3,
                               0x1.2b5e9b5aff01bp-3};
    const uint64_t sqrt_half = 0x3fe6a09e667f3bcdu;
    if (!(x > 0.0))
        return x == 0.0 ? -(double)INFINITY : (double)NAN;
    if (x > 0x1.fffffffffffffp1023)
        return x;
    int k = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        k = -54;
    }
    uint64_t distance = bits_of(x) - sqrt_half + ((uint64_t)1023 << 52);
    k += (int)(distance >> 52) - 1023;
    double f = from_bits((distance & 0xfffffffffffffu) + sqrt_half) - 1.0;
    double s = f / (2.0 + f);
    double z = s * s;
    double rest = s * (f - z * polynomial(q, 6, z)) - k * ln2_low;
    return k * ln2_high + (f - rest);
}

/* log of the rounded 1 + x, times what the rounding made of x: Kahan's, in the HP-15C handbook. */
double tnni_log1p(double x) {
    double u = 1.0 + x;
    return u == 1.0 ? x : tnni_log(u) * (x / (u - 1.0));
}

/*
 * sin(pi (1/2 - x)), whose argument is at most pi / 2: the Taylor series t - t^3 / 3! + ... up to
 * t^21, of which the next term is below 2e-18.
 */
double tnni_cos_pi(double x) {
    static const double inverse_factorials[] = {
        1.0,
        -0x1.5555555555555p-3,
        0x1.1111111111111p-7,
        -0x1.a01a01a01a01ap-13,
        0x1.71de3a556c734p-19,
        -0x1.ae64567f544e4p-26,
        0x1.6124613a86d09p-33,
        -0x1.ae7f3e733b81fp-41,
        0x1.952c77030ad4ap-49,
        -0x1.2f49b46814157p-57,
        0x1.71b8ef6dcf572p-66,
    };
    double t = 0x1.921fb54442d18p+1 * (0.5 - x);
    return t * polynomial(inverse_factorials, 10, t * t);
}

double tnni_power(double base, uint64_t exponent) {
    double power = 1.0;
    for (; exponent > 0; exponent >>= 1, base *= base)
        if (exponent & 1)
            power *= base;
    return power;
}

/* Each pair is a rational approximation: its numerator's coefficients, its denominator's. */
static const double centre[2][8] = {
    {3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3,
     1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
     3.3430575583588128105e+4, 2.5090809287301226727e+3},
    {1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
     2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4,
     5.2264952788528545610e+3}};
static const double tail[2][8] = {
    {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
     3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
     2.27238449892691845833e-2, 7.74545014278341407640e-4},
    {1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
     1.05075007164441684324e-9}};
static const double far_tail[2][8] = {
    {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
     2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
     2.71155556874348757815e-5, 2.01033439929228813265e-7},
    {1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
     2.04426310338993978564e-15}};

static double ratio(const double pair[2][8], double x) {
    return polynomial(pair[0], 7, x) / polynomial(pair[1], 7, x);
}

double tnni_inverse_normal(double p) {
    double q = p - 0.5;
    if (fabs(q) <= 0.425)
        return q * ratio(centre, 0.180625 - q * q);
    double r = sqrt(-tnni_log(q < 0.0 ? p : 1.0 - p));
    double x = r <= 5.0 ? ratio(tail, r - 1.6) : ratio(far_tail, r - 5.0);
    return q < 0.0 ? -x : x;
}
