/* A 2-2-1 step as one would write it down, compiled with -O2 for any machine, and scalar. */
#include "peers.h"

/* Parameters: w[inputs][units], b[units] of the middle, w[inputs], b of the output. */
float hand_xor_step(float parameters[9], float rate, const float *x, const float *target) {
    float *w1 = parameters;
    float *b1 = parameters + 4;
    float *w2 = parameters + 6;
    float *b2 = parameters + 8;
    float x0 = x[0];
    float x1 = x[1];
    float z0 = x0 * w1[0] + x1 * w1[2] + b1[0];
    float z1 = x0 * w1[1] + x1 * w1[3] + b1[1];
    float h0 = z0 > 0 ? z0 : 0;
    float h1 = z1 > 0 ? z1 : 0;
    float delta = h0 * w2[0] + h1 * w2[1] + b2[0] - target[0];
    float step = -rate * delta;
    float step0 = z0 > 0 ? step * w2[0] : 0;
    float step1 = z1 > 0 ? step * w2[1] : 0;
    w2[0] += step * h0;
    w2[1] += step * h1;
    b2[0] += step;
    w1[0] += x0 * step0;
    w1[1] += x0 * step1;
    w1[2] += x1 * step0;
    w1[3] += x1 * step1;
    b1[0] += step0;
    b1[1] += step1;
    return 0.5f * delta * delta;
}
