/* aarch64 NEON: 32 registers of 4 floats. */
#include "kernels/variants.h"

#ifdef TNNI_HAVE_NEON_VARIANT
#    include <arm_neon.h>

#    define VARIANT_TABLE tnni_neon
#    define VARIANT_NAME "neon"
#    define VEC_NEON
#    include "kernels/vec.h"

#    include "kernels/body.h"
#endif
