/*
 * One row through nets whose sizes are constants. Compiled twice for this machine with -ffast-math,
 * so that tanh and exp come from libmvec; HAND_PREDICTORS_NAME tells the two apart.
 */
#include "peers.h"

#include <math.h>
#include <string.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Gives a loop a trip count that the compiler then makes straight code of. */
#define UNROLL _Pragma("GCC unroll 8")

enum { WIDEST = 128 };

/* A layer of few units is a dot product for each, its weights [units, inputs]. */
#define HAS_DOTS(inputs, units) ((units) < 16 && (inputs) >= 16)

ALWAYS_INLINE void dots(
    const int inputs, const int units, const float *restrict w, const float *restrict b,
    const float *restrict x, float *restrict z) {
    for (int u = 0; u < units; u++) {
        float sum = 0;
        for (int i = 0; i < inputs; i++)
            sum += x[i] * w[u * inputs + i];
        z[u] = sum + b[u];
    }
}

/* Narrow layers sum every fourth input apart: one sum would wait for its own multiply-adds. */
#define WAYS(inputs, units) ((units) <= 32 && (inputs) % 4 == 0 ? 4 : 1)

ALWAYS_INLINE void columns(
    const int inputs, const int units, const int ways, const float *restrict w,
    const float *restrict b, const float *restrict x, float *restrict z) {
    float sum[4][WIDEST];
    UNROLL
    for (int way = 0; way < ways; way++) {
        for (int u = 0; u < units; u++)
            sum[way][u] = way == 0 ? b[u] : 0;
    }
    for (int i = 0; i < inputs; i += ways) {
        UNROLL
        for (int way = 0; way < ways; way++) {
            for (int u = 0; u < units; u++)
                sum[way][u] += x[i + way] * w[(i + way) * units + u];
        }
    }
    for (int u = 0; u < units; u++)
        z[u] = ways == 4 ? sum[0][u] + sum[1][u] + (sum[2][u] + sum[3][u]) : sum[0][u];
}

/* Weights, then biases, as in the library's flat vector; returns where the next layer starts. */
ALWAYS_INLINE const float *dense(
    const int inputs, const int units, const float *w, const float *x, float *z) {
    const float *b = w + inputs * units;
    if (HAS_DOTS(inputs, units))
        dots(inputs, units, w, b, x, z);
    else
        columns(inputs, units, WAYS(inputs, units), w, b, x, z);
    return b + units;
}

ALWAYS_INLINE void relu(const int units, float *z) {
    for (int u = 0; u < units; u++)
        z[u] = z[u] > 0 ? z[u] : 0;
}

ALWAYS_INLINE void hyperbolic_tangent(const int units, float *z) {
    for (int u = 0; u < units; u++)
        z[u] = tanhf(z[u]);
}

ALWAYS_INLINE void softmax(const int units, float *z) {
    float largest = z[0];
    float sum = 0;
    for (int u = 1; u < units; u++)
        largest = z[u] > largest ? z[u] : largest;
    for (int u = 0; u < units; u++)
        z[u] = expf(z[u] - largest);
    for (int u = 0; u < units; u++)
        sum += z[u];
    float factor = 1 / sum;
    for (int u = 0; u < units; u++)
        z[u] *= factor;
}

static void predict_4_8_3(const float *w, const float *x, float *y) {
    float h[8];
    w = dense(4, 8, w, x, h);
    hyperbolic_tangent(8, h);
    dense(8, 3, w, h, y);
    hyperbolic_tangent(3, y);
}

static void predict_16_32_16_4(const float *w, const float *x, float *y) {
    float h[32];
    float g[16];
    w = dense(16, 32, w, x, h);
    relu(32, h);
    w = dense(32, 16, w, h, g);
    relu(16, g);
    dense(16, 4, w, g, y);
}

static void predict_64_64_64_1(const float *w, const float *x, float *y) {
    float h[64];
    float g[64];
    w = dense(64, 64, w, x, h);
    relu(64, h);
    w = dense(64, 64, w, h, g);
    relu(64, g);
    dense(64, 1, w, g, y);
}

static void predict_784_128_10(const float *w, const float *x, float *y) {
    float h[128];
    w = dense(784, 128, w, x, h);
    relu(128, h);
    dense(128, 10, w, h, y);
    softmax(10, y);
}

hand_predictor *const HAND_PREDICTORS_NAME[HAND_PREDICTORS] = {
    predict_4_8_3,
    predict_16_32_16_4,
    predict_64_64_64_1,
    predict_784_128_10,
};

#ifdef HAND_PREDICTORS_PACK
void hand_pack(size_t layers, const size_t *sizes, const float *parameters, float *packed) {
    for (size_t l = 0; l < layers; l++) {
        size_t inputs = sizes[l];
        size_t units = sizes[l + 1];
        size_t count = (inputs + 1) * units;
        memcpy(packed, parameters, count * sizeof *packed);
        for (size_t i = 0; HAS_DOTS(inputs, units) && i < inputs; i++) {
            for (size_t u = 0; u < units; u++)
                packed[u * inputs + i] = parameters[i * units + u];
        }
        parameters += count;
        packed += count;
    }
}
#endif
