/*
 * Losses: for each row its loss, summed over the units in double and in order, and its gradient.
 * docs/numerics.md has the formulas.
 */

/* Below this, y and 1 - y are taken for it where they divide: a slope stays finite where the
 * logarithm is clamped. PyTorch's bound. */
#define SMALLEST_DIVISOR 1e-12f

/* log(y) not below -100; NaN for a negative y. */
static double clamped_log(double y) {
    if (!(y > 0.0))
        return y == 0.0 ? -100.0 : (double)NAN;
    double log_y = tnni_log(y);
    return log_y > -100.0 ? log_y : -100.0;
}

ALWAYS_INLINE double half_squared_error(float unused, float y, float t, float *slope) {
    (void)unused;
    double d = (double)y - t;
    *slope = y - t;
    return 0.5 * d * d;
}

ALWAYS_INLINE double squared_error(float unused, float y, float t, float *slope) {
    (void)unused;
    double d = (double)y - t;
    *slope = 2.0f * (y - t);
    return d * d;
}

ALWAYS_INLINE double absolute_error(float unused, float y, float t, float *slope) {
    (void)unused;
    double d = (double)y - t;
    *slope = y > t ? 1.0f : y < t ? -1.0f : 0.0f * (y - t); /* the last: NaN stays */
    return d < 0.0 ? -d : d;
}

/* Huber 1964 */
ALWAYS_INLINE double huber(float delta, float y, float t, float *slope) {
    double d = (double)y - t;
    double size = d < 0.0 ? -d : d;
    float difference = y - t;
    if (size > delta) {
        *slope = d < 0.0 ? -delta : delta;
        return delta * (size - 0.5 * delta);
    }
    *slope = difference;
    return 0.5 * d * d;
}

ALWAYS_INLINE double binary_cross_entropy(float unused, float y, float t, float *slope) {
    (void)unused;
    float divisor = y * (1.0f - y);
    *slope = (y - t) / (SMALLEST_DIVISOR > divisor ? SMALLEST_DIVISOR : divisor);
    return -(t * clamped_log(y) + (1.0 - t) * clamped_log(1.0 - (double)y));
}

ALWAYS_INLINE double cross_entropy(float unused, float y, float t, float *slope) {
    (void)unused;
    *slope = -t / (SMALLEST_DIVISOR > y ? SMALLEST_DIVISOR : y);
    return -t * clamped_log(y);
}

/* A kernel from a function of one unit; a row's loss and gradient are the sum of its units' times
 * share: 1, or 1 / units for a mean. */
#define LOSS(f, name, share)                                                                       \
    static void name(                                                                              \
        float parameter, size_t rows, size_t units, const float *y, const float *target,           \
        double *row_loss, float *gradient) {                                                       \
        for (size_t r = 0; r < rows; r++) {                                                        \
            double sum = 0.0;                                                                      \
            for (size_t u = r * units; u < (r + 1) * units; u++) {                                 \
                float slope;                                                                       \
                sum += f(parameter, y[u], target[u], &slope);                                      \
                if (gradient)                                                                      \
                    gradient[u] = slope * (float)(share);                                          \
            }                                                                                      \
            row_loss[r] = sum * (share);                                                           \
        }                                                                                          \
    }

LOSS(half_squared_error, half_squared_error_loss, 1.0)
LOSS(squared_error, mean_squared_error_loss, 1.0 / (double)units)
LOSS(absolute_error, mean_absolute_error_loss, 1.0 / (double)units)
LOSS(huber, huber_loss, 1.0 / (double)units)
LOSS(binary_cross_entropy, binary_cross_entropy_loss, 1.0 / (double)units)
LOSS(cross_entropy, cross_entropy_loss, 1.0)

/*
 * Cross-entropy of softmax(z): sum_j t_j (log S - (z_j - max z)), S = sum_j exp(z_j - max z), and
 * dL/dz = softmax(z) sum_j t_j - t. The largest term of S is 1; the others are summed in double and
 * log S is log(1 + their sum), so that a loss near 0 keeps its digits. The gradient's place, if
 * there is one, holds the exponentials meanwhile; otherwise they are taken in blocks.
 */
static double sum_of_others(size_t units, float largest, const float *z, float *e) {
    enum { BLOCK = 64 };
    float block[BLOCK];
    double sum = 0.0;
    bool found = false;
    for (size_t i = 0; i < units; i += BLOCK) {
        size_t count = units - i < BLOCK ? units - i : BLOCK;
        float *part = e ? e + i : block;
        row_exponentials(count, largest, z + i, part);
        for (size_t j = 0; j < count; j++) {
            bool is_largest = !found && z[i + j] == largest;
            sum += is_largest ? 0.0 : (double)part[j];
            found = found || is_largest;
        }
    }
    return sum;
}

static void softmax_cross_entropy(
    float unused, size_t rows, size_t units, const float *z, const float *target, double *row_loss,
    float *gradient) {
    (void)unused;
    for (size_t r = 0; r < rows; r++, z += units, target += units) {
        float largest = row_maximum(units, z);
        double others = sum_of_others(units, largest, z, gradient);
        double log_sum = tnni_log1p(others);
        double loss = 0.0;
        double targets = 0.0;
        for (size_t u = 0; u < units; u++) {
            /* A target of 0 takes no part, even where z is -infinity. */
            if (target[u] != 0.0f)
                loss += target[u] * (log_sum - ((double)z[u] - largest));
            targets += target[u];
        }
        row_loss[r] = loss;
        if (!gradient)
            continue;
        float scale = (float)(targets / (1.0 + others));
        for (size_t u = 0; u < units; u++)
            gradient[u] = gradient[u] * scale - target[u];
        gradient += units;
    }
}

/*
 * Binary cross-entropy of sigmoid(z): mean of max(z, 0) - z t + log(1 + exp(-|z|)), and dL/dz =
 * (sigmoid(z) - t) / units.
 */
static void sigmoid_binary_cross_entropy(
    float unused, size_t rows, size_t units, const float *z, const float *target, double *row_loss,
    float *gradient) {
    (void)unused;
    double share = 1.0 / (double)units;
    for (size_t r = 0; r < rows; r++) {
        double sum = 0.0;
        for (size_t u = r * units; u < (r + 1) * units; u += VEC_LANES) {
            size_t lanes = lanes_at(u, (r + 1) * units);
            vec logits = load_lanes(z + u, lanes);
            float rest[VEC_LANES];
            vec_store(rest, vec_log1p_of_unit(vec_exp(vec_negate(vec_abs(logits)))));
            for (size_t l = 0; l < lanes; l++)
                sum += (z[u + l] > 0.0f ? (double)z[u + l] : 0.0) -
                    (double)z[u + l] * target[u + l] + rest[l];
            if (!gradient)
                continue;
            vec slope = vec_sub(vec_sigmoid(logits), load_lanes(target + u, lanes));
            store_lanes(gradient + u, lanes, vec_mul(slope, vec_set((float)share)));
        }
        row_loss[r] = sum * share;
    }
}
