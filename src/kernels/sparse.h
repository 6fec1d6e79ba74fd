/*
 * One row whose inputs are mostly 0, such as pixels or outputs of relu: the weights of such an
 * input need not be read, nor written by a step. That changes no bit:
 *
 * - A product with 0 adds +0 or -0 to a sum. Only a sum that is 0 itself can tell, by its sign, and
 *   only until the next product that is not 0. So the sums of forward are right unless one of them
 *   ends as 0; then they are all made again with every input.
 * - The gradient of such a weight is +0, since its sum starts there, unless delta is not finite;
 * and minus a rate, which is not -0, times +0 is -0, which moves no weight.
 */

enum {
    SPARSE_LEAST = 8192, /* weights */
    SPARSE_SAMPLES = 32,
    SPARSE_ZEROS = 12,  /* of these */
    SPARSE_BLOCK = 256, /* inputs in a list */
    SPARSE_VECS = 8,    /* sums in registers */
};

/* Are there enough weights, and enough zeros among some inputs, to make a list worth while? */
static bool is_sparse(size_t inputs, size_t units, const float *x) {
    if (inputs < SPARSE_SAMPLES || inputs * units < SPARSE_LEAST)
        return false;
    int zeros = 0;
    for (size_t i = 0; i < SPARSE_SAMPLES; i++)
        zeros += x[i * inputs / SPARSE_SAMPLES] == 0.0f;
    return zeros >= SPARSE_ZEROS;
}

/* Lists which of count inputs, at most SPARSE_BLOCK, are not 0; returns how many. */
static size_t list_inputs(const float *x, size_t count, uint16_t *list) {
    size_t length = 0;
    for (size_t k = 0; k < count; k++) {
        list[length] =
            (uint16_t)k; /* stays there if x[k] is not 0: without a branch to mispredict */
        length += x[k] != 0.0f;
    }
    return length;
}

/* z = the sums of some vectors of units, or of tail lanes of one, over the inputs that are not 0.
 */
ALWAYS_INLINE void sparse_sums(
    size_t inputs, size_t units, const float *x, const float *weights, const int vecs,
    const bool partial, size_t tail, float *z) {
    uint16_t list[SPARSE_BLOCK];
    vec sum[SPARSE_VECS];
    UNROLL
    for (int v = 0; v < vecs; v++)
        sum[v] = vec_set(0.0f);
    for (size_t k = 0; k < inputs; k += SPARSE_BLOCK) {
        size_t count = inputs - k < SPARSE_BLOCK ? inputs - k : SPARSE_BLOCK;
        size_t length = list_inputs(x + k, count, list);
        for (size_t i = 0; i < length; i++) {
            const float *row = weights + (k + list[i]) * units;
            vec input = vec_set(x[k + list[i]]);
            UNROLL
            for (int v = 0; v < vecs; v++)
                sum[v] = vec_fma(input, load_columns(row + v * VEC_LANES, partial, tail), sum[v]);
        }
    }
    UNROLL
    for (int v = 0; v < vecs; v++)
        store_columns(z + v * VEC_LANES, partial, tail, sum[v]);
}

/* Is every lane of a vector 0? */
ALWAYS_INLINE bool is_zero(vec v) {
    float lanes[VEC_LANES];
    bool zero = true;
    vec_store(lanes, v);
    for (int lane = 0; lane < VEC_LANES; lane++)
        zero = zero && lanes[lane] == 0.0f;
    return zero;
}

/* None of these is 0 or a NaN. */
static bool are_nonzero(size_t count, const float *values) {
    vec found = vec_set(0.0f);
    size_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES) {
        mask nonzero = vec_greater(vec_abs(vec_load(values + i)), vec_set(0.0f));
        found = vec_select(nonzero, found, vec_set(1.0f));
    }
    bool nonzero = is_zero(found);
    for (; i < count; i++)
        nonzero = nonzero && (values[i] > 0.0f || values[i] < 0.0f);
    return nonzero;
}

/* None of these is infinite or a NaN: times 0 those are a NaN. */
static bool are_finite(size_t count, const float *values) {
    vec sum = vec_set(0.0f);
    for (size_t i = 0; i < count; i += VEC_LANES)
        sum = vec_fma(load_lanes(values + i, lanes_at(i, count)), vec_set(0.0f), sum);
    return is_zero(sum);
}

/* z = x W + b of one row, its sums being single chains; false, and anything in z, if one is 0. */
static bool sparse_row(
    size_t inputs, size_t units, const float *x, const float *weights, const float *biases,
    bool rectify, float *z) {
    size_t u = 0;
    for (; u + SPARSE_VECS * VEC_LANES <= units; u += SPARSE_VECS * VEC_LANES)
        sparse_sums(inputs, units, x, weights + u, SPARSE_VECS, false, 0, z + u);
    for (; u + VEC_LANES <= units; u += VEC_LANES)
        sparse_sums(inputs, units, x, weights + u, 1, false, 0, z + u);
    if (u < units)
        sparse_sums(inputs, units, x, weights + u, 1, true, units - u, z + u);
    if (!are_nonzero(units, z))
        return false;
    for (u = 0; u < units; u += VEC_LANES) {
        size_t lanes = lanes_at(u, units);
        vec sum = load_lanes(z + u, lanes);
        if (biases)
            sum = vec_add(sum, load_lanes(biases + u, lanes));
        store_lanes(z + u, lanes, rectify ? vec_relu(sum) : sum);
    }
    return true;
}

/* The part of weights[inputs, units] one step down the gradients of one row, x^T delta. */
static void sparse_descent(
    size_t units, tnni_range input_part, tnni_range unit_part, const float *x, const float *delta,
    float rate, float *weights) {
    uint16_t list[SPARSE_BLOCK];
    for (size_t k = input_part.begin; k < input_part.end; k += SPARSE_BLOCK) {
        size_t left = input_part.end - k;
        size_t length = list_inputs(x + k, left < SPARSE_BLOCK ? left : SPARSE_BLOCK, list);
        for (size_t i = 0; i < length; i++) {
            vec input = vec_set(x[k + list[i]]);
            float *row = weights + (k + list[i]) * units;
            for (size_t u = unit_part.begin; u < unit_part.end; u += VEC_LANES) {
                size_t lanes = lanes_at(u, unit_part.end);
                vec gradient = vec_fma(input, load_lanes(delta + u, lanes), vec_set(0.0f));
                vec w = load_lanes(row + u, lanes);
                store_lanes(row + u, lanes, vec_fma(vec_set(-rate), gradient, w));
            }
        }
    }
}
