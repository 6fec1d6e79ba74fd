/*
 * Whole passes of one row through a net that is small in every layer: at most 4 inputs and 4 units.
 * With so little arithmetic the calls and loops of the general kernels would cost more than the
 * work, and so would each value that goes through memory from one operation to the next. So the
 * sizes of a layer are constants here (one case for each pair), and what flows between layers stays
 * in a register of four floats. The operations on every element are those of the general kernels,
 * and so are the bits.
 */

/* ---- Four floats ----------------------------------------------------------------------------- */

#if defined(VEC_AVX512) || defined(VEC_AVX2)
typedef __m128 quad;

ALWAYS_INLINE quad quad_set(float a) {
    return _mm_set1_ps(a);
}

/* The first n floats at p, a constant; the others are 0. Loads and stores have the same widths, so
 * that a load finds what a store left in the pipeline. */
ALWAYS_INLINE quad quad_load(const float *p, const size_t n) {
    if (n == 1)
        return _mm_load_ss(p);
    if (n == 4)
        return _mm_loadu_ps(p);
    double pair; /* two floats, wherever they lie */
    memcpy(&pair, p, sizeof pair);
    quad low = _mm_castpd_ps(_mm_set_sd(pair));
    return n == 2 ? low : _mm_movelh_ps(low, _mm_load_ss(p + 2));
}

ALWAYS_INLINE void quad_store(float *p, const size_t n, quad v) {
    if (n == 1) {
        _mm_store_ss(p, v);
    } else if (n == 4) {
        _mm_storeu_ps(p, v);
    } else {
        double pair = _mm_cvtsd_f64(_mm_castps_pd(v));
        memcpy(p, &pair, sizeof pair);
        if (n == 3)
            _mm_store_ss(p + 2, _mm_movehl_ps(v, v));
    }
}

#    define quad_lane(v, n) _mm_permute_ps(v, (n)*0x55)
#    define quad_halves(v) _mm_movehl_ps(v, v)
#    define quad_odds(v) _mm_movehdup_ps(v)
VEC_OP2(quad, quad_add, quad, quad, _mm_add_ps(a, b))
VEC_OP2(quad, quad_sub, quad, quad, _mm_sub_ps(a, b))
VEC_OP2(quad, quad_mul, quad, quad, _mm_mul_ps(a, b))
VEC_OP3(quad, quad_fma, quad, quad, quad, _mm_fmadd_ps(a, b, c))
VEC_OP2(quad, quad_max, quad, quad, _mm_max_ps(a, b))
/* a > 0 ? b : c */
VEC_OP3(
    quad, quad_if_positive, quad, quad, quad,
    _mm_blendv_ps(c, b, _mm_cmp_ps(a, _mm_setzero_ps(), _CMP_GT_OQ)))

/* The first count of these rows as the first count columns. */
#    define quad_transpose(rows) _MM_TRANSPOSE4_PS((rows)[0], (rows)[1], (rows)[2], (rows)[3])
#else
typedef struct quad {
    float lane[4];
} quad;

ALWAYS_INLINE quad quad_set(float a) {
    return (quad){{a, a, a, a}};
}

ALWAYS_INLINE quad quad_load(const float *p, const size_t n) {
    quad v = {{0}};
    for (size_t i = 0; i < n; i++)
        v.lane[i] = p[i];
    return v;
}

ALWAYS_INLINE void quad_store(float *p, const size_t n, quad v) {
    for (size_t i = 0; i < n; i++)
        p[i] = v.lane[i];
}

/* result[i] = expression of a, b, c at i, lane by lane. */
#    define QUAD_OP(name, expression)                                                              \
        ALWAYS_INLINE quad name##_of(quad va, quad vb, quad vc) {                                  \
            quad result;                                                                           \
            for (int i = 0; i < 4; i++) {                                                          \
                float a = va.lane[i], b = vb.lane[i], c = vc.lane[i];                              \
                (void)c;                                                                           \
                result.lane[i] = expression;                                                       \
            }                                                                                      \
            return result;                                                                         \
        }

QUAD_OP(quad_add, a + b)
QUAD_OP(quad_sub, a - b)
QUAD_OP(quad_mul, a *b)
QUAD_OP(quad_fma, scalar_fma(a, b, c))
QUAD_OP(quad_max, a > b ? a : b)
QUAD_OP(quad_if_positive, a > 0.0f ? b : c)

#    define quad_add(a, b) quad_add_of(a, b, a)
#    define quad_sub(a, b) quad_sub_of(a, b, a)
#    define quad_mul(a, b) quad_mul_of(a, b, a)
#    define quad_max(a, b) quad_max_of(a, b, a)
#    define quad_fma quad_fma_of
#    define quad_if_positive quad_if_positive_of
#    define quad_lane(v, n) quad_set((v).lane[n])
#    define quad_halves(v) ((quad){{(v).lane[2], (v).lane[3], (v).lane[2], (v).lane[3]}})
#    define quad_odds(v) ((quad){{(v).lane[1], (v).lane[1], (v).lane[3], (v).lane[3]}})

ALWAYS_INLINE void quad_transpose(quad rows[4]) {
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < i; j++) {
            float swapped = rows[i].lane[j];
            rows[i].lane[j] = rows[j].lane[i];
            rows[j].lane[i] = swapped;
        }
    }
}
#endif

/* The sums over the inputs for all units, in the form of dense_product: for one unit the weights
 * lie side by side, for more they are rows; either way the tree is (0 + 2) + (1 + 3). */
ALWAYS_INLINE quad small_sums(quad x, const float *w, const size_t inputs, const size_t units) {
    quad zero = quad_set(0.0f);
    if (units == 1) {
        quad terms = quad_fma(x, quad_load(w, inputs), zero);
        if (inputs > 2)
            terms = quad_add(terms, quad_halves(terms));
        return inputs > 1 ? quad_add(terms, quad_odds(terms)) : terms;
    }
    quad sum = quad_fma(quad_lane(x, 0), quad_load(w, units), zero);
    if (inputs > 2)
        sum = quad_add(sum, quad_fma(quad_lane(x, 2), quad_load(w + 2 * units, units), zero));
    if (inputs == 1)
        return sum;
    quad odd = quad_fma(quad_lane(x, 1), quad_load(w + units, units), zero);
    if (inputs > 3)
        odd = quad_add(odd, quad_fma(quad_lane(x, 3), quad_load(w + 3 * units, units), zero));
    return quad_add(sum, odd);
}

ALWAYS_INLINE quad small_activate(const tnni_dense *layer, quad z) {
    if (layer->kind == TNNI_IDENTITY)
        return z;
    if (layer->kind == TNNI_RELU)
        return quad_add(quad_max(quad_set(0.0f), z), quad_set(0.0f));
    return quad_if_positive(z, z, quad_mul(quad_set(layer->parameter), z));
}

ALWAYS_INLINE quad small_derive(const tnni_dense *layer, quad a, quad gradient) {
    if (layer->kind == TNNI_IDENTITY)
        return gradient;
    if (layer->kind == TNNI_RELU)
        return quad_if_positive(a, gradient, quad_set(0.0f));
    return quad_if_positive(a, gradient, quad_mul(quad_set(layer->parameter), gradient));
}

/* Activations that have no quad here go through memory and the general kernel. */
ALWAYS_INLINE bool small_is_simple(const tnni_dense *layer) {
    return layer->kind <= TNNI_LEAKY_RELU;
}

ALWAYS_INLINE quad
small_layer(const tnni_dense *layer, const size_t inputs, const size_t units, quad x) {
    quad z = small_sums(x, layer->weights, inputs, units);
    if (layer->biases)
        z = quad_add(z, quad_load(layer->biases, units));
    /*
     * Where the general form has chains without inputs, it adds their +0 and never makes -0 of
     * products that underflow. What is kept says the same. What flows on need not, and has no time
     * for it: the sign of a 0 does not survive the multiply-adds onto +0 that come next.
     */
    const bool has_empty_chains = units == 1 || inputs < CHAINS;
    quad zero = quad_set(0.0f);
    if (small_is_simple(layer)) {
        z = small_activate(layer, z);
        quad_store(layer->a, units, has_empty_chains ? quad_add(z, zero) : z);
        return z;
    }
    quad_store(layer->z, units, has_empty_chains ? quad_add(z, zero) : z);
    VARIANT_TABLE.activations[layer->kind].forward(layer->parameter, 1, units, layer->z, layer->a);
    return quad_load(layer->a, units);
}

/* dL/dx of a layer: chains over the units. */
ALWAYS_INLINE quad
small_input_gradient(const float *w, const size_t inputs, const size_t units, quad delta) {
    quad sum = quad_set(0.0f);
    if (units == 1)
        return quad_fma(quad_lane(delta, 0), quad_load(w, inputs), sum);
    quad column[4] = {sum, sum, sum, sum};
    for (size_t i = 0; i < inputs; i++)
        column[i] = quad_load(w + i * units, units);
    quad_transpose(column);
    sum = quad_fma(quad_lane(delta, 0), column[0], sum);
    sum = quad_fma(quad_lane(delta, 1), column[1], sum);
    if (units > 2)
        sum = quad_fma(quad_lane(delta, 2), column[2], sum);
    if (units > 3)
        sum = quad_fma(quad_lane(delta, 3), column[3], sum);
    return sum;
}

/* dL/da of a layer becomes dL/dz. */
ALWAYS_INLINE quad small_delta(const tnni_dense *layer, const size_t units, quad gradient) {
    if (small_is_simple(layer))
        return small_derive(layer, quad_load(layer->a, units), gradient);
    quad_store(layer->delta, units, gradient);
    VARIANT_TABLE.activations[layer->kind].backward(
        layer->parameter, 1, units, layer->z, layer->a, layer->delta);
    return quad_load(layer->delta, units);
}

/* What becomes of gradients: they are stored, added to those at p, or taken a step with. */
typedef enum small_end { SMALL_STORE, SMALL_ADD, SMALL_DESCEND } small_end;

/* gradients = x delta, for n parameters at p side by side. */
ALWAYS_INLINE void small_finish(
    const small_end end, float rate, const size_t n, quad x, quad delta, float *p) {
    quad old = end == SMALL_STORE ? quad_set(0.0f) : quad_load(p, n);
    if (end == SMALL_DESCEND) {
        quad gradient = quad_fma(x, delta, quad_set(0.0f));
        quad_store(p, n, quad_fma(quad_set(-rate), gradient, old));
    } else {
        quad_store(p, n, quad_fma(x, delta, old));
    }
}

/*
 * The gradients of a layer's parameters, which lie at p like the parameters (or are these), from
 * its input x and its delta, and the gradient of that input unless it is the net's.
 */
ALWAYS_INLINE quad small_back(
    const tnni_dense *layer, const size_t inputs, const size_t units, bool is_first, const float *x,
    quad delta, const small_end end, float rate, float *p) {
    quad input_gradient = delta;
    if (!is_first)
        input_gradient = small_input_gradient(layer->weights, inputs, units, delta);
    if (units == 1) {
        small_finish(end, rate, inputs, quad_load(x, inputs), quad_lane(delta, 0), p);
    } else {
        for (size_t i = 0; i < inputs; i++)
            small_finish(end, rate, units, quad_set(x[i]), delta, p + i * units);
    }
    if (layer->biases)
        small_finish(end, rate, units, quad_set(1.0f), delta, p + inputs * units);
    return input_gradient;
}

/* ---- The net --------------------------------------------------------------------------------- */

/* One case for each pair of sizes: form is 4 inputs + units. */
#define SMALL_CASE(call, i, u)                                                                     \
    case 4 * i + u:                                                                                \
        call(i, u);                                                                                \
        break;
#define SMALL_CASES(call, i)                                                                       \
    SMALL_CASE(call, i, 1)                                                                         \
    SMALL_CASE(call, i, 2)                                                                         \
    SMALL_CASE(call, i, 3)                                                                         \
    SMALL_CASE(call, i, 4)
#define SMALL_SWITCH(form, call)                                                                   \
    switch (form) {                                                                                \
        SMALL_CASES(call, 1)                                                                       \
        SMALL_CASES(call, 2)                                                                       \
        SMALL_CASES(call, 3)                                                                       \
        SMALL_CASES(call, 4)                                                                       \
    }

/* n floats at p, n from 1 to 4 but no constant. */
ALWAYS_INLINE quad quad_load_some(const float *p, size_t n) {
    switch (n) {
    case 1:
        return quad_load(p, 1);
    case 2:
        return quad_load(p, 2);
    case 3:
        return quad_load(p, 3);
    default:
        return quad_load(p, 4);
    }
}

ALWAYS_INLINE void quad_store_some(float *p, size_t n, quad v) {
    switch (n) {
    case 1:
        quad_store(p, 1, v);
        break;
    case 2:
        quad_store(p, 2, v);
        break;
    case 3:
        quad_store(p, 3, v);
        break;
    default:
        quad_store(p, 4, v);
    }
}

/* The output y of the net, which the last layer's a holds as well. */
ALWAYS_INLINE quad small_outputs(const tnni_dense *layers, size_t count, const float *x) {
    quad a = quad_load_some(x, layers[0].inputs);
    for (const tnni_dense *layer = layers; layer < layers + count; layer++) {
#define CALL(inputs, units) a = small_layer(layer, inputs, units, a)
        SMALL_SWITCH(4 * layer->inputs + layer->units, CALL)
#undef CALL
    }
    return a;
}

static void small_forward(const tnni_dense *layers, size_t count, const float *x) {
    small_outputs(layers, count, x);
}

/* From dL/d output, or dL/dz of the last layer if last_is_done. */
ALWAYS_INLINE void small_backward(
    const tnni_dense *layers, size_t count, const float *x, quad delta, bool last_is_done,
    const small_end end, float rate, float *gradients) {
    for (size_t l = count; l-- > 0;) {
        const tnni_dense *layer = &layers[l];
        const float *input = l > 0 ? layer[-1].a : x;
        float *p =
            end == SMALL_DESCEND ? layer->weights : gradients + (layer->weights - layers->weights);
#define CALL(inputs, units)                                                                        \
    if (!(last_is_done && l + 1 == count))                                                         \
        delta = small_delta(layer, units, delta);                                                  \
    delta = small_back(layer, inputs, units, l == 0, input, delta, end, rate, p)
        SMALL_SWITCH(4 * layer->inputs + layer->units, CALL)
#undef CALL
    }
}

static void small_gradients(
    const tnni_dense *layers, size_t count, const float *x, bool last_is_done, bool accumulate,
    float *gradients) {
    const tnni_dense *last = &layers[count - 1];
    quad delta = quad_load_some(last->delta, last->units);
    if (accumulate)
        small_backward(layers, count, x, delta, last_is_done, SMALL_ADD, 0.0f, gradients);
    else
        small_backward(layers, count, x, delta, last_is_done, SMALL_STORE, 0.0f, gradients);
}

/* The parameters of a layer one step down their gradients at g, in the same portions. */
ALWAYS_INLINE void small_step_layer(
    const tnni_dense *layer, const size_t inputs, const size_t units, float rate, const float *g) {
    size_t rows = units == 1 ? 1 : inputs;
    const size_t n = units == 1 ? inputs : units;
    float *p = layer->weights;
    for (size_t i = 0; i < rows; i++, p += n, g += n)
        quad_store(p, n, quad_fma(quad_set(-rate), quad_load(g, n), quad_load(p, n)));
    if (layer->biases)
        quad_store(p, units, quad_fma(quad_set(-rate), quad_load(g, units), quad_load(p, units)));
}

static void small_step(const tnni_dense *layers, size_t count, float rate, const float *gradients) {
    for (const tnni_dense *layer = layers; layer < layers + count; layer++) {
        const float *g = gradients + (layer->weights - layers->weights);
#define CALL(inputs, units) small_step_layer(layer, inputs, units, rate, g)
        SMALL_SWITCH(4 * layer->inputs + layer->units, CALL)
#undef CALL
    }
}

/*
 * Half the squared error or the mean squared error of y, in the order of losses.h, and its slope.
 */
ALWAYS_INLINE double small_squared_error(
    tnni_loss_kind kind, size_t units, const float *y, quad a, const float *target, quad *slope) {
    quad difference = quad_sub(a, quad_load_some(target, units));
    double sum = 0.0;
    for (size_t u = 0; u < units; u++) {
        double d = (double)y[u] - target[u];
        sum += kind == TNNI_HALF_SQUARED_ERROR ? 0.5 * d * d : d * d;
    }
    if (kind == TNNI_HALF_SQUARED_ERROR) {
        *slope = difference;
        return sum;
    }
    double share = 1.0 / (double)units;
    *slope = quad_mul(quad_mul(quad_set(2.0f), difference), quad_set((float)share));
    return sum * share;
}

/*
 * Forward, loss, backward and a step of gradient descent. Returns the loss; if it is not finite the
 * parameters are as they were.
 */
static double small_train(
    const tnni_dense *layers, size_t count, const float *x, const float *target,
    tnni_loss_kind loss, float loss_parameter, float rate) {
    const tnni_dense *last = &layers[count - 1];
    quad delta;
    double value;
    quad a = small_outputs(layers, count, x);
    if (loss <= TNNI_MEAN_SQUARED_ERROR) {
        value = small_squared_error(loss, last->units, last->a, a, target, &delta);
    } else {
        VARIANT_TABLE.losses[loss](
            loss_parameter, 1, last->units, last->a, target, &value, last->delta);
        delta = quad_load_some(last->delta, last->units);
    }
    if (isfinite(value))
        small_backward(layers, count, x, delta, false, SMALL_DESCEND, rate, NULL);
    return value;
}
