/* x86-64 AVX-512 (F and DQ): 32 registers of 16 floats. */
#include "kernels/variants.h"

#ifdef TNNI_HAVE_X86_VARIANTS
#    include <immintrin.h>

#    ifdef __clang__
#        pragma clang attribute push(                                                              \
            __attribute__((target("avx512f,avx512dq,avx2,fma"))), apply_to = function)
#    else
#        pragma GCC push_options
#        pragma GCC target("avx512f,avx512dq,avx2,fma")
#    endif

#    define VARIANT_TABLE tnni_avx512
#    define VARIANT_NAME "avx512"
#    define VEC_AVX512
#    include "kernels/vec.h"

#    include "kernels/body.h"

#    ifdef __clang__
#        pragma clang attribute pop
#    else
#        pragma GCC pop_options
#    endif
#endif
