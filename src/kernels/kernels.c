#include "kernels/kernels.h"

#include "kernels/variants.h"
#include "support/status.h"

#include <string.h>

/* The tables by name, best first; table is NULL if this build or machine lacks it. */
typedef struct variant {
    const char *name;
    const tnni_kernels *table;
} variant;

enum { VARIANTS = 4 };

/*
 * __builtin_cpu_supports reads what the compiler's run-time library found out at start, the
 * operating system's support for the registers (OSXSAVE, XCR0) included.
 */
static void list_variants(variant variants[VARIANTS]) {
    variants[0] = (variant){"avx512", NULL};
    variants[1] = (variant){"avx2", NULL};
    variants[2] = (variant){"neon", NULL};
    variants[3] = (variant){"portable", &tnni_portable};
#ifdef TNNI_HAVE_X86_VARIANTS
    bool fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (fma && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"))
        variants[0].table = &tnni_avx512;
    if (fma)
        variants[1].table = &tnni_avx2;
#endif
#ifdef TNNI_HAVE_NEON_VARIANT
    variants[2].table = &tnni_neon;
#endif
}

const tnni_kernels *tnni_kernels_best(void) {
    variant variants[VARIANTS];
    list_variants(variants);
    int best = 0;
    while (!variants[best].table)
        best++;
    return variants[best].table;
}

tnn_status tnni_kernels_find(const char *caller, const char *name, const tnni_kernels **kernels) {
    if (!name) {
        *kernels = tnni_kernels_best();
        return TNN_OK;
    }
    variant variants[VARIANTS];
    list_variants(variants);
    for (int i = 0; i < VARIANTS; i++) {
        if (strcmp(name, variants[i].name) != 0)
            continue;
        if (!variants[i].table)
            return tnni_fail(
                TNN_UNSUPPORTED,
                "%s: options->kernels is \"%s\", which this build or machine does not have", caller,
                name);
        *kernels = variants[i].table;
        return TNN_OK;
    }
    return tnni_fail(
        TNN_INVALID_ARGUMENT,
        "%s: options->kernels is \"%s\", expected avx512, avx2, neon, portable or NULL", caller,
        name);
}
