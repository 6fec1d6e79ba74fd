/*
 * One row through one layer. The weights are read once and all sums that fit into registers run at
 * the same time, each in the form that chains_of gives it, so the bits are those of dense_product;
 * the activation follows in the registers where it is short.
 */

/* Sums in registers: vectors of units times chains. */
enum { ROW_SUMS = 8 };

/* vecs vectors of units, or tail lanes of one. vecs and chains are constants. */
ALWAYS_INLINE void row_block(
    const product *p, const int vecs, const int chains, const bool partial, size_t tail,
    const bool rectify) {
    vec sum[4][ROW_SUMS];
    const float *x = p->a;
    const float *w = p->b;
    size_t at = 0;
    size_t k = p->depth;
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
                    vec_fma(input, load_columns(w + at + v * VEC_LANES, partial, tail), sum[j][v]);
            at += p->b_step;
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
            sum[j][v] =
                vec_fma(input, load_columns(w + at + v * VEC_LANES, partial, tail), sum[j][v]);
        at += p->b_step;
    }
    UNROLL
    for (int v = 0; v < vecs; v++) {
        vec z = sum[0][v];
        if (chains == 2)
            z = vec_add(z, sum[1][v]);
        if (chains == 4)
            z = vec_add(vec_add(z, sum[2][v]), vec_add(sum[1][v], sum[3][v]));
        if (p->bias)
            z = vec_add(z, load_columns(p->bias + v * VEC_LANES, partial, tail));
        if (rectify)
            z = vec_relu(z);
        store_columns(p->c + v * VEC_LANES, partial, tail, z);
    }
}

/* One function for each shape of block. */
#define ROW_BLOCK(vecs, chains)                                                                    \
    static void row_block_##vecs##_##chains(const product *p, bool rectify) {                      \
        row_block(p, vecs, chains, false, 0, rectify);                                             \
    }
#define ROW_TAIL(chains)                                                                           \
    static void row_tail_##chains(const product *p, size_t tail, bool rectify) {                   \
        row_block(p, 1, chains, true, tail, rectify);                                              \
    }

ROW_BLOCK(8, 1)
ROW_BLOCK(4, 1)
ROW_BLOCK(1, 1)
ROW_BLOCK(4, 2)
ROW_BLOCK(2, 2)
ROW_BLOCK(1, 2)
ROW_BLOCK(1, 4)
ROW_TAIL(1)
ROW_TAIL(2)
ROW_TAIL(4)

/* The first block of the units that are left; how many vectors it has, 0 for the last lanes. */
static size_t row_first_block(const product *p, size_t units, bool rectify) {
    size_t vecs = units / VEC_LANES;
    if (p->chains == 1 && vecs >= 8) {
        row_block_8_1(p, rectify);
        return 8;
    }
    if (p->chains <= 2 && vecs >= 4) {
        (p->chains == 1 ? row_block_4_1 : row_block_4_2)(p, rectify);
        return 4;
    }
    if (p->chains == 2 && vecs >= 2) {
        row_block_2_2(p, rectify);
        return 2;
    }
    if (vecs >= 1) {
        (p->chains == 1       ? row_block_1_1
             : p->chains == 2 ? row_block_1_2
                              : row_block_1_4)(p, rectify);
        return 1;
    }
    (p->chains == 1 ? row_tail_1 : p->chains == 2 ? row_tail_2 : row_tail_4)(p, units, rectify);
    return 0;
}

static void dense_row(
    size_t inputs, size_t units, const float *x, const float *weights, const float *biases,
    tnni_activation_kind kind, float parameter, float *z, float *a) {
    bool rectify = kind == TNNI_RELU && z == a;
    product p = {
        .depth = inputs,
        .chains = chains_of(inputs, units),
        .a = x,
        .b = weights,
        .b_step = units,
        .bias = biases,
        .c = z,
    };
    if (units == 1)
        product_one_unit(1, inputs, x, weights, biases, rectify, z);
    bool done = units == 1 ||
        (p.chains == 1 && is_sparse(inputs, units, x) &&
         sparse_row(inputs, units, x, weights, biases, rectify, z));
    for (size_t left = units; !done && left > 0;) {
        size_t vecs = row_first_block(&p, left, rectify);
        if (vecs == 0)
            break;
        size_t width = vecs * VEC_LANES;
        p.b += width;
        p.c += width;
        p.bias = p.bias ? p.bias + width : NULL;
        left -= width;
    }
    if (!rectify)
        VARIANT_TABLE.activations[kind].forward(parameter, 1, units, z, a);
}
