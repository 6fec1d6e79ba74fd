/*
 * Adam in one pass. Compiled for this machine and with contraction, but without -ffast-math, which
 * would replace square root and division by estimates.
 */
#include "peers.h"

#include <math.h>

/* Parameters that a thread takes at a time. */
enum { BLOCK = 4096 };

typedef struct scalars {
    float step;       /* rate / (1 - beta1^t) */
    float correction; /* 1 / sqrt(1 - beta2^t) */
} scalars;

static void block(
    const scalars *s, size_t count, const float *restrict g, float *restrict p, float *restrict m,
    float *restrict v) {
    const float beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f;
    float step = s->step;
    float correction = s->correction;
    for (size_t i = 0; i < count; i++) {
        float first = m[i] * beta1 + (1 - beta1) * g[i];
        float second = v[i] * beta2 + (1 - beta2) * g[i] * g[i];
        m[i] = first;
        v[i] = second;
        p[i] -= step * first / (sqrtf(second) * correction + epsilon);
    }
}

void hand_adam(
    size_t count, const float *gradients, float *parameters, float *first, float *second,
    float rate, size_t step, bool parallel) {
    scalars s = {
        .step = (float)(rate / (1 - pow(0.9, (double)step))),
        .correction = (float)(1 / sqrt(1 - pow(0.999, (double)step))),
    };
    if (!parallel) {
        block(&s, count, gradients, parameters, first, second);
        return;
    }
#pragma omp parallel for
    for (size_t i = 0; i < count; i += BLOCK) {
        size_t length = count - i < BLOCK ? count - i : BLOCK;
        block(&s, length, gradients + i, parameters + i, first + i, second + i);
    }
}
