/*
 * kernel_tables.h: the kernel tables that this machine can run, for tests of single kernels.
 */
#ifndef TINYNN_TESTS_KERNEL_TABLES_H
#define TINYNN_TESTS_KERNEL_TABLES_H

#include "kernels/kernels.h"
#include "test_nets.h"

typedef struct kernel_tables {
    size_t count;
    const tnni_kernels *at[KERNEL_TABLES]; /* in the order of kernel_names */
    const tnni_kernels *fused;             /* the first with fused multiply-add, or NULL */
} kernel_tables;

/* At least the portable one; any answer but TNN_OK and TNN_UNSUPPORTED fails the test. */
kernel_tables find_kernel_tables(void);

/* Is the table fused, but not the first that is? Then it has the first one's bits. */
bool repeats_fused(const kernel_tables *tables, const tnni_kernels *table);

/* How many ulp an elementary function of the table may err: docs/numerics.md. */
double function_bound(const tnni_kernels *table);

/*
 * |actual - exact| in units of the last place that a float has at exact. 0 for the same infinity,
 * an infinity that exact rounds to, and a NaN for a NaN.
 */
double float_ulps(float actual, long double exact);

#endif /* TINYNN_TESTS_KERNEL_TABLES_H */
