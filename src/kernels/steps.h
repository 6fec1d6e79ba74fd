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

/*
 * iRPROP- (Igel and Huesken 2000): m[0] is the gradient of the step before or 0, m[1] the move.
 * Signs are compared, since a product of small gradients is 0.
 */
ALWAYS_INLINE vec move_by_sign(const tnni_step *step, vec g, vec p, vec m[2]) {
    const vec zero = vec_set(0.0f);
    vec opposed = vec_select(vec_greater(zero, m[0]), vec_negate(g), zero);
    vec agreement = vec_select(vec_greater(m[0], zero), g, opposed);
    mask has_turned = vec_greater(zero, agreement);
    vec factor = vec_select(has_turned, vec_set(step->move_shrink), vec_set(1.0f));
    factor = vec_select(vec_greater(agreement, zero), vec_set(step->move_grow), factor);
    vec least = vec_max(vec_set(step->least_move), vec_mul(m[1], factor));
    m[1] = drop_tiny(vec_min(vec_set(step->most_move), least));
    g = vec_select(has_turned, zero, g);
    m[0] = drop_tiny(g);
    vec back = vec_select(vec_greater(zero, g), vec_negate(m[1]), vec_abs(g)); /* +0 or a NaN */
    return vec_sub(p, vec_select(vec_greater(g, zero), m[1], back));
}

/* A NaN stays. */
ALWAYS_INLINE vec clipped(vec g, float limit) {
    return vec_max(vec_set(-limit), vec_min(vec_set(limit), g));
}

/* The gradient that the rule gets to see, but for weight decay. */
ALWAYS_INLINE vec shaped(const tnni_step *step, vec g, vec p) {
    g = vec_mul(vec_set(step->coefficient), clipped(g, step->clip_value));
    if (step->l1 > 0.0f) {
        vec pulled = vec_add(g, vec_copy_sign(vec_set(step->l1), p));
        g = vec_select(vec_greater(vec_abs(p), vec_set(0.0f)), pulled, g);
    }
    return g;
}

/* The parameter after a step; m[] are its moments before and after. kind and is_shaped are
 * constants. */
ALWAYS_INLINE vec stepped(
    const tnni_step *step, const tnni_method_kind kind, const bool is_shaped, vec g, vec p,
    vec m[2]) {
    if (is_shaped)
        g = shaped(step, g, p);
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
    case TNNI_RPROP:
        return move_by_sign(step, g, p, m);
    default:
        return move(step, g, p);
    }
}

/* The steps of a vector, or if partial, a constant, is set, of tail lanes. */
ALWAYS_INLINE void step_lanes(
    const tnni_step *step, const tnni_method_kind kind, const bool is_shaped,
    const int moment_count, const float *gradients, float *parameters, float *moments,
    size_t stride, const bool partial, size_t tail) {
    vec m[2];
    for (int j = 0; j < moment_count; j++)
        m[j] = load_columns(moments + (size_t)j * stride, partial, tail);
    vec g = load_columns(gradients, partial, tail);
    vec p = load_columns(parameters, partial, tail);
    store_columns(parameters, partial, tail, stepped(step, kind, is_shaped, g, p, m));
    for (int j = 0; j < moment_count; j++)
        store_columns(moments + (size_t)j * stride, partial, tail, m[j]);
}

#define STEP(name, kind, is_shaped, moment_count)                                                  \
    static void name(                                                                              \
        const tnni_step *step, size_t rows, size_t columns, const float *gradients,                \
        float *parameters, size_t row, float *moments, size_t stride) {                            \
        const tnni_step own = *step; /* which no store of a float can change */                    \
        for (size_t r = 0; r < rows; r++, gradients += columns, parameters += row) {               \
            float *m = moment_count ? moments + r * row : NULL;                                    \
            size_t i = 0;                                                                          \
            for (; i + VEC_LANES <= columns; i += VEC_LANES)                                       \
                step_lanes(                                                                        \
                    &own, kind, is_shaped, moment_count, gradients + i, parameters + i,            \
                    moment_count ? m + i : NULL, stride, false, 0);                                \
            if (i < columns)                                                                       \
                step_lanes(                                                                        \
                    &own, kind, is_shaped, moment_count, gradients + i, parameters + i,            \
                    moment_count ? m + i : NULL, stride, true, columns - i);                       \
        }                                                                                          \
    }

#define STEPS(name, kind, moment_count)                                                            \
    STEP(name, kind, false, moment_count)                                                          \
    STEP(shaped_##name, kind, true, moment_count)

STEP(descent_step, TNNI_DESCENT, false, 0)
STEPS(sgd_step, TNNI_SGD, 0)
STEPS(momentum_step, TNNI_MOMENTUM, 1)
STEPS(nesterov_step, TNNI_NESTEROV, 1)
STEPS(adagrad_step, TNNI_ADAGRAD, 1)
STEPS(rmsprop_step, TNNI_RMSPROP, 1)
STEPS(adam_step, TNNI_ADAM, 2)
STEPS(adamw_step, TNNI_ADAMW, 2)
STEPS(rprop_step, TNNI_RPROP, 2)

static tnni_step_kernel *const step_kernels[2][TNNI_METHOD_KINDS] = {
    {
        [TNNI_DESCENT] = descent_step,
        [TNNI_SGD] = sgd_step,
        [TNNI_MOMENTUM] = momentum_step,
        [TNNI_NESTEROV] = nesterov_step,
        [TNNI_ADAGRAD] = adagrad_step,
        [TNNI_RMSPROP] = rmsprop_step,
        [TNNI_ADAM] = adam_step,
        [TNNI_ADAMW] = adamw_step,
        [TNNI_RPROP] = rprop_step,
    },
    {
        [TNNI_SGD] = shaped_sgd_step,
        [TNNI_MOMENTUM] = shaped_momentum_step,
        [TNNI_NESTEROV] = shaped_nesterov_step,
        [TNNI_ADAGRAD] = shaped_adagrad_step,
        [TNNI_RMSPROP] = shaped_rmsprop_step,
        [TNNI_ADAM] = shaped_adam_step,
        [TNNI_ADAMW] = shaped_adamw_step,
        [TNNI_RPROP] = shaped_rprop_step,
    },
};

/* sums[i] for sixteen gradients, each clipped. */
ALWAYS_INLINE void add_squares(const float *gradients, float limit, dvec sums[16 / DVEC_LANES]) {
    UNROLL
    for (int i = 0; i < SIXTEEN; i++) {
        dvec g[VEC_DOUBLES];
        dvec_widen(clipped(vec_load(gradients + i * VEC_LANES), limit), g);
        UNROLL
        for (int j = 0; j < VEC_DOUBLES; j++)
            sums[i * VEC_DOUBLES + j] = dvec_fma(g[j], g[j], sums[i * VEC_DOUBLES + j]);
    }
}

static double square_sum(size_t count, const float *gradients, float limit) {
    dvec sums[16 / DVEC_LANES];
    double chain[16];
    float rest[16] = {0};
    size_t whole = count / 16 * 16;
    for (int i = 0; i < 16 / DVEC_LANES; i++)
        sums[i] = dvec_set(0.0);
    for (size_t i = 0; i < whole; i += 16)
        add_squares(gradients + i, limit, sums);
    memcpy(rest, gradients + whole, (count - whole) * sizeof *rest);
    add_squares(rest, limit, sums);
    for (int i = 0; i < 16 / DVEC_LANES; i++)
        dvec_store(chain + i * DVEC_LANES, sums[i]);
    for (int half = 8; half >= 1; half /= 2)
        for (int j = 0; j < half; j++)
            chain[j] += chain[j + half];
    return chain[0];
}
