/* x86-64 AVX2 with FMA: 16 registers of 8 floats. */
#include "kernels/variants.h"

#ifdef TNNI_HAVE_X86_VARIANTS
#    include <immintrin.h>

#    ifdef __clang__
#        pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#    else
#        pragma GCC push_options
#        pragma GCC target("avx2,fma")
#    endif

#    define VARIANT_TABLE tnni_avx2
#    define VARIANT_NAME "avx2"
#    define VEC_AVX2
#    include "kernels/vec.h"

#    include "kernels/body.h"

#    ifdef __clang__
#        pragma clang attribute pop
#    else
#        pragma GCC pop_options
#    endif
#endif
