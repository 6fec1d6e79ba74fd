/*
 * Update rules: one pass over gradients g, parameters p and moments. They are PyTorch's, fused
 * multiply-adds apart, with square roots and divisions correctly rounded.
 */

/* Moments of dead units decay towards denormals, which cost time and say nothing. A NaN stays. */
ALWAYS_INLINE vec drop_tiny(vec moment) {
    mask is_tiny = vec_greater(vec_set(0x1p-100f), vec_abs(moment));
    return vec_select(is_tiny, vec_set(0.0f), moment);
}

/* beta m + rest g */
ALWAYS_INLINE vec running_mean(vec m, float beta, vec g, float rest) {
    return drop_tiny(vec_fma(vec_set(rest), g, vec_mul(vec_set(beta), m)));
}

/* beta v + rest g^2 */
ALWAYS_INLINE vec running_square(vec v, float beta, vec g, float rest) {
    return drop_tiny(vec_fma(vec_mul(vec_set(rest), g), g, vec_mul(vec_set(beta), v)));
}

ALWAYS_INLINE vec move(const tnni_step *step, vec direction, vec p) {
    return vec_fma(vec_set(-step->rate), direction, p);
}

/* The parameter after a step; m[] are its moments before and after. kind is a constant. */
ALWAYS_INLINE vec
stepped(const tnni_step *step, const tnni_method_kind kind, vec g, vec p, vec m[2]) {
    if (kind == TNNI_ADAMW)
        p = vec_mul(vec_set(step->shrink), p);
    else if (kind != TNNI_DESCENT && step->weight_decay > 0.0f)
        g = vec_fma(vec_set(step->weight_decay), p, g);
    switch (kind) {
    case TNNI_MOMENTUM:
        m[0] = drop_tiny(vec_fma(vec_set(step->momentum), m[0], g));
        return move(step, m[0], p);
    case TNNI_NESTEROV:
        m[0] = drop_tiny(vec_fma(vec_set(step->momentum), m[0], g));
        return move(step, vec_fma(vec_set(step->momentum), m[0], g), p);
    case TNNI_ADAGRAD:
        m[0] = drop_tiny(vec_fma(g, g, m[0]));
        return move(step, vec_div(g, vec_add(vec_sqrt(m[0]), vec_set(step->epsilon))), p);
    case TNNI_RMSPROP:
        m[0] = running_square(m[0], step->beta2, g, step->rest2);
        return move(step, vec_div(g, vec_add(vec_sqrt(m[0]), vec_set(step->epsilon))), p);
    case TNNI_ADAM:
    case TNNI_ADAMW: {
        m[0] = running_mean(m[0], step->beta1, g, step->rest1);
        m[1] = running_square(m[1], step->beta2, g, step->rest2);
        vec root = vec_fma(vec_sqrt(m[1]), vec_set(step->correction), vec_set(step->epsilon));
        return move(step, vec_div(m[0], root), p);
    }
    default:
        return move(step, g, p);
    }
}

/* The steps of a vector, or if partial, a constant, is set, of tail lanes. */
ALWAYS_INLINE void step_lanes(
    const tnni_step *step, const tnni_method_kind kind, const int moment_count,
    const float *gradients, float *parameters, float *moments, size_t stride, const bool partial,
    size_t tail) {
    vec m[2];
    for (int j = 0; j < moment_count; j++)
        m[j] = load_columns(moments + (size_t)j * stride, partial, tail);
    vec g = load_columns(gradients, partial, tail);
    vec p = load_columns(parameters, partial, tail);
    store_columns(parameters, partial, tail, stepped(step, kind, g, p, m));
    for (int j = 0; j < moment_count; j++)
        store_columns(moments + (size_t)j * stride, partial, tail, m[j]);
}

#define STEP(name, kind, moment_count)                                                             \
    static void name(                                                                              \
        const tnni_step *step, size_t rows, size_t columns, const float *gradients,                \
        float *parameters, size_t row, float *moments, size_t stride) {                            \
        const tnni_step own = *step; /* which no store of a float can change */                    \
        for (size_t r = 0; r < rows; r++, gradients += columns, parameters += row) {               \
            float *m = moment_count ? moments + r * row : NULL;                                    \
            size_t i = 0;                                                                          \
            for (; i + VEC_LANES <= columns; i += VEC_LANES)                                       \
                step_lanes(                                                                        \
                    &own, kind, moment_count, gradients + i, parameters + i,                       \
                    moment_count ? m + i : NULL, stride, false, 0);                                \
            if (i < columns)                                                                       \
                step_lanes(                                                                        \
                    &own, kind, moment_count, gradients + i, parameters + i,                       \
                    moment_count ? m + i : NULL, stride, true, columns - i);                       \
        }                                                                                          \
    }

STEP(descent_step, TNNI_DESCENT, 0)
STEP(sgd_step, TNNI_SGD, 0)
STEP(momentum_step, TNNI_MOMENTUM, 1)
STEP(nesterov_step, TNNI_NESTEROV, 1)
STEP(adagrad_step, TNNI_ADAGRAD, 1)
STEP(rmsprop_step, TNNI_RMSPROP, 1)
STEP(adam_step, TNNI_ADAM, 2)
STEP(adamw_step, TNNI_ADAMW, 2)

static tnni_step_kernel *const step_kernels[TNNI_METHOD_KINDS] = {
    [TNNI_DESCENT] = descent_step,   [TNNI_SGD] = sgd_step,         [TNNI_MOMENTUM] = momentum_step,
    [TNNI_NESTEROV] = nesterov_step, [TNNI_ADAGRAD] = adagrad_step, [TNNI_RMSPROP] = rmsprop_step,
    [TNNI_ADAM] = adam_step,         [TNNI_ADAMW] = adamw_step,
};
