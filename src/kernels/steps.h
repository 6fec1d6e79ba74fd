/* Update rules: one loop over parameters, gradients and moments each. */

static void sgd_step(
    const tnni_step_scalars *scalars, size_t count, const float *gradients, float *parameters,
    float *moments, size_t stride) {
    (void)moments, (void)stride;
    vec rate = vec_set(-scalars->learning_rate);
    for (size_t i = 0; i < count; i += VEC_LANES) {
        size_t lanes = lanes_at(i, count);
        vec p = load_lanes(parameters + i, lanes);
        store_lanes(parameters + i, lanes, vec_fma(rate, load_lanes(gradients + i, lanes), p));
    }
}
