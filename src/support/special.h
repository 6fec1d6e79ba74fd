/*
 * log, cosine and the normal distribution's quantiles in double: the same bits on every machine,
 * which libm does not promise. Pure functions; a NaN gives a NaN.
 */
#ifndef TINYNN_SUPPORT_SPECIAL_H
#define TINYNN_SUPPORT_SPECIAL_H

#include <stdint.h>

/* Within 1 ulp for every x > 0; -infinity at 0, a NaN below. */
double tnni_log(double x);

/* log(1 + x) within 4 ulp for finite x >= 0: one each of log, its argument, quotient and product.
 */
double tnni_log1p(double x);

/* cos(pi x) within 4e-16 for 0 <= x <= 1. */
double tnni_cos_pi(double x);

/* base^exponent by repeated squaring: a rounding for each product. */
double tnni_power(double base, uint64_t exponent);

/*
 * The x that a standard normal variable stays below with probability p, 0 < p < 1, to a relative
 * 1e-15 of x. Algorithm AS 241, PPND16: Wichura, "The percentage points of the normal
 * distribution", Applied Statistics 37 (1988), 477-484.
 */
double tnni_inverse_normal(double p);

#endif
