/* Which tables this build has, and how a variant file switches its instruction set on. */
#ifndef TINYNN_KERNELS_VARIANTS_H
#define TINYNN_KERNELS_VARIANTS_H

#include "kernels/kernels.h"

/* gcc, clang and mingw. Where clang takes the place of Microsoft's compiler, what tells the
 * instruction sets (see kernels.c) is not linked by itself, so those two have the portable table.
 */
#if defined(__x86_64__) && defined(__GNUC__)
#    define TNNI_HAVE_X86_VARIANTS
extern const tnni_kernels tnni_avx512;
extern const tnni_kernels tnni_avx2;
#endif

#if defined(__aarch64__) && defined(__GNUC__) && !defined(__AARCH64EB__)
#    define TNNI_HAVE_NEON_VARIANT
extern const tnni_kernels tnni_neon;
#endif

extern const tnni_kernels tnni_portable;

#endif
