#include "kernel_tables.h"

#include <float.h>
#include <math.h>

kernel_tables find_kernel_tables(void) {
    kernel_tables tables = {0};
    for (size_t i = 0; i < KERNEL_TABLES; i++) {
        const tnni_kernels *table = NULL;
        if (!kernels_are_available(kernel_names[i]))
            continue;
        assert_ok(tnni_kernels_find("find_kernel_tables", kernel_names[i], &table));
        tables.at[tables.count++] = table;
        if (table->fused && tables.fused == NULL)
            tables.fused = table;
    }
    assert_true(tables.count > 0);
    return tables;
}

bool repeats_fused(const kernel_tables *tables, const tnni_kernels *table) {
    return table->fused && table != tables->fused;
}

double function_bound(const tnni_kernels *table) {
    return table->fused ? 2 : 4;
}

double float_ulps(float actual, long double exact) {
    if (isnan(exact) || isnan(actual))
        return isnan(exact) && isnan(actual) ? 0 : (double)INFINITY;
    if (isinf(exact))
        return actual == exact ? 0 : (double)INFINITY;
    /* FLT_MAX and half a unit, from where on numbers round to infinity. */
    if (isinf(actual) && signbit(actual) == (signbit(exact) != 0) &&
        fabsl(exact) >= 0x1.ffffffp127L)
        return 0;
    int exponent = exact == 0 ? -126 : ilogbl(exact);
    exponent = exponent < -126 ? -126 : exponent;
    long double wide = isinf(actual) ? copysignl(0x1p128L, actual) : actual;
    return (double)(fabsl(wide - exact) / scalbnl(1, exponent - 23));
}
