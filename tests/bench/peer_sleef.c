/* SLEEF: exp to 1 ulp, and tanh to 1 and to 3.5. */
#include "peer_math.h"

#include <sleef.h>

static vec exp_u10(vec x) {
    return WIDEST(Sleef_expf16_u10avx512f(x), Sleef_expf8_u10avx2(x));
}

static vec tanh_u10(vec x) {
    return WIDEST(Sleef_tanhf16_u10avx512f(x), Sleef_tanhf8_u10avx2(x));
}

static vec tanh_u35(vec x) {
    return WIDEST(Sleef_tanhf16_u35avx512f(x), Sleef_tanhf8_u35avx2(x));
}

PEER_LOOPS(sleef_u10, exp_u10, tanh_u10)

static void sleef_u35_tanh(size_t count, const float *x, float *y) {
    map(count, x, y, tanh_u35);
}

const peer_math peer_sleef_u35 = {.name = "sleef_u35", .tanh = sleef_u35_tanh};
