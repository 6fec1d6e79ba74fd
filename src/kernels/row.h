/*
 * One row through one layer. The weights are read once and all sums that fit into registers run at
 * the same time, each in the form that chains_of gives it, so the bits are those of dense_product;
 * the activation follows in the registers where there are few units or it is short.
 */

/* Sums in registers: vectors of units times chains. */
enum { ROW_SUMS = 8 };

/* The sums of vecs vectors of units from unit u on, or of tail lanes of one, over all inputs. vecs
 * and chains are constants. */
ALWAYS_INLINE void row_sums(
    const tnni_row *layer, const float *x, size_t u, const int vecs, const int chains,
    const bool partial, size_t tail, vec total[ROW_SUMS]) {
    vec sum[4][ROW_SUMS];
    const float *w = layer->weights + u;
    const size_t step = layer->units;
    size_t k = layer->inputs;
    UNROLL
    for (int j = 0; j < chains; j++) {
        UNROLL
        for (int v = 0; v < vecs; v++)
            sum[j][v] = vec_set(0.0f);
    }
    for (; k >= (size_t)chains; k -= (size_t)chains) {
        UNROLL
        for (int j = 0; j < chains; j++) {
            vec input = vec_set(x[j]);
            UNROLL
            for (int v = 0; v < vecs; v++)
                sum[j][v] =
                    vec_fma(input, load_columns(w + v * VEC_LANES, partial, tail), sum[j][v]);
            w += step;
        }
        x += chains;
    }
    UNROLL
    for (int j = 0; j < chains - 1; j++) {
        if (k <= (size_t)j)
            break;
        vec input = vec_set(x[j]);
        UNROLL
        for (int v = 0; v < vecs; v++)
            sum[j][v] = vec_fma(input, load_columns(w + v * VEC_LANES, partial, tail), sum[j][v]);
        w += step;
    }
    UNROLL
    for (int v = 0; v < vecs; v++) {
        total[v] = sum[0][v];
        if (chains == 2)
            total[v] = vec_add(total[v], sum[1][v]);
        if (chains == 4)
            total[v] = vec_add(vec_add(total[v], sum[2][v]), vec_add(sum[1][v], sum[3][v]));
        if (layer->biases)
            total[v] =
                vec_add(total[v], load_columns(layer->biases + u + v * VEC_LANES, partial, tail));
    }
}

/* ---- Wide: several vectors of units ---------------------------------------------------------- */

ALWAYS_INLINE void row_block(
    const tnni_row *layer, const float *x, size_t u, const int vecs, const int chains,
    const bool partial, bool rectify, float *z) {
    size_t tail = layer->units - u;
    vec total[ROW_SUMS];
    row_sums(layer, x, u, vecs, chains, partial, tail, total);
    UNROLL
    for (int v = 0; v < vecs; v++)
        store_columns(
            z + u + v * VEC_LANES, partial, tail, rectify ? vec_relu(total[v]) : total[v]);
}

ALWAYS_INLINE void row_blocks(
    const tnni_row *layer, const float *x, const int chains, bool rectify, float *z) {
    const size_t units = layer->units;
    size_t u = 0;
    if (chains == 1) {
        for (; units - u >= 8 * VEC_LANES; u += 8 * VEC_LANES)
            row_block(layer, x, u, 8, chains, false, rectify, z);
    }
    if (chains <= 2) {
        for (; units - u >= 4 * VEC_LANES; u += 4 * VEC_LANES)
            row_block(layer, x, u, 4, chains, false, rectify, z);
    }
    if (chains == 2 && units - u >= 2 * VEC_LANES) {
        row_block(layer, x, u, 2, chains, false, rectify, z);
        u += 2 * VEC_LANES;
    }
    for (; units - u >= VEC_LANES; u += VEC_LANES)
        row_block(layer, x, u, 1, chains, false, rectify, z);
    if (u < units)
        row_block(layer, x, u, 1, chains, true, rectify, z);
}

ALWAYS_INLINE void row_wide(
    const tnni_row *layer, const float *x, const int chains, float *z, float *a) {
    bool rectify = layer->kind == TNNI_RELU && z == a;
    bool done = chains == 1 && is_sparse(layer->inputs, layer->units, x) &&
        sparse_row(layer->inputs, layer->units, x, layer->weights, layer->biases, rectify, z);
    if (!done)
        row_blocks(layer, x, chains, rectify, z);
    if (!rectify)
        VARIANT_TABLE.activations[layer->kind].forward(layer->parameter, 1, layer->units, z, a);
}

#define ROW_WIDE(name, chains)                                                                     \
    static void name(const tnni_row *layer, const float *x, float *z, float *a) {                  \
        row_wide(layer, x, chains, z, a);                                                          \
    }

ROW_WIDE(row_wide_1, 1)
ROW_WIDE(row_wide_2, 2)
ROW_WIDE(row_wide_4, 4)

/* ---- Narrow: at most one vector of units ----------------------------------------------------- */

/* Of every kind but softmax, which is no function of single elements. */
static vec row_activation(tnni_activation_kind kind, vec z, float parameter) {
    vec p = vec_set(parameter);
    switch (kind) {
    case TNNI_RELU:
        return relu(z, p);
    case TNNI_LEAKY_RELU:
        return leaky_relu(z, p);
    case TNNI_SIGMOID:
        return sigmoid(z, p);
    case TNNI_TANH:
        return hyperbolic_tangent(z, p);
    case TNNI_ELU:
        return elu(z, p);
    case TNNI_SELU:
        return selu(z, p);
    case TNNI_SOFTPLUS:
        return softplus(z, p);
    case TNNI_SOFTSIGN:
        return softsign(z, p);
    case TNNI_SILU:
        return silu(z, p);
    case TNNI_GELU:
        return gelu(z, p);
    case TNNI_HARD_SIGMOID:
        return hard_sigmoid(z, p);
    case TNNI_HARD_TANH:
        return hard_tanh(z, p);
    default:
        return z;
    }
}

ALWAYS_INLINE void row_store(const bool partial, size_t units, vec v, float *p) {
    if (partial)
        vec_store_first(p, units, v);
    else
        vec_store(p, v);
}

ALWAYS_INLINE void row_narrow(
    const tnni_row *layer, const float *x, const int chains, const bool partial, float *z,
    float *a) {
    const size_t units = layer->units;
    vec total[ROW_SUMS];
    row_sums(layer, x, 0, 1, chains, partial, units, total);
    if (layer->kind == TNNI_SOFTMAX) {
        row_store(partial, units, total[0], z);
        softmax_forward(0.0f, 1, units, z, a);
        return;
    }
    if (z != a)
        row_store(partial, units, total[0], z);
    row_store(partial, units, row_activation(layer->kind, total[0], layer->parameter), a);
}

#define ROW_NARROW(name, chains, partial)                                                          \
    static void name(const tnni_row *layer, const float *x, float *z, float *a) {                  \
        row_narrow(layer, x, chains, partial, z, a);                                               \
    }

ROW_NARROW(row_part_1, 1, true)
ROW_NARROW(row_part_4, 4, true)
ROW_NARROW(row_vector_1, 1, false)
ROW_NARROW(row_vector_4, 4, false)

/* ---- One unit -------------------------------------------------------------------------------- */

static void row_one_unit(const tnni_row *layer, const float *x, float *z, float *a) {
    bool rectify = layer->kind == TNNI_RELU && z == a;
    product_one_unit(1, layer->inputs, x, layer->weights, layer->biases, rectify, z);
    if (!rectify)
        VARIANT_TABLE.activations[layer->kind].forward(layer->parameter, 1, 1, z, a);
}

static tnni_row_kernel *row_find(size_t inputs, size_t units) {
    size_t chains = chains_of(inputs, units);
    if (units == 1)
        return row_one_unit;
    if (units < VEC_LANES && chains != 2)
        return chains == 1 ? row_part_1 : row_part_4;
    if (units == VEC_LANES && chains != 2)
        return chains == 1 ? row_vector_1 : row_vector_4;
    return chains == 1 ? row_wide_1 : chains == 2 ? row_wide_2 : row_wide_4;
}
