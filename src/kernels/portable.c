/* Plain C, for any compiler and machine. */
#include "kernels/kernels.h"

#include <math.h>

#define VARIANT_TABLE tnni_portable
#define VARIANT_NAME "portable"
#define VEC_PORTABLE
#include "kernels/vec.h"

#include "kernels/body.h"
