/*
 * The three products of a dense layer: x W, delta W^T and x^T delta.
 *
 * All are sums over a common index k of products of an element of a, broadcast, and a vector of b.
 * One register tile computes them; what differs is the way a is walked and where b lies. An element
 * of the result is a chain of multiply-adds over ascending k that starts at +0 (or at what is
 * there), so that tiling and blocking change no bit of it.
 */

/* Rows and vectors of the tile: as many accumulators as leave registers for b and the broadcast. */
#if defined(VEC_AVX512) || defined(VEC_NEON)
enum { TILE_ROWS = 6, TILE_VECS = 4 };
#elif defined(VEC_AVX2)
enum { TILE_ROWS = 6, TILE_VECS = 2 };
#else
enum { TILE_ROWS = 4, TILE_VECS = 2 };
#endif

enum { TILE_COLUMNS = TILE_VECS * VEC_LANES };

/* a[row, k] is at a + row * a_row + k * a_step, b[k] at b + k * b_step, c[row] at c + row * c_row.
 */
typedef struct product {
    size_t depth; /* how many k */
    const float *a;
    size_t a_row, a_step;
    const float *b;
    size_t b_step;
    const float *bias; /* added last, or NULL */
    bool accumulate;   /* start from what c holds */
    float *c;
    size_t c_row;
} product;

/*
 * The part of c that is rows high and vecs vectors wide; with a tail, vecs is 1 and the vector has
 * tail lanes only. rows and vecs are constants wherever this is inlined.
 */
ALWAYS_INLINE void tile(const product *p, const int rows, const int vecs, const size_t tail) {
    vec sum[TILE_ROWS][TILE_VECS];
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int v = 0; v < vecs; v++) {
            const float *c = p->c + r * p->c_row + v * VEC_LANES;
            if (!p->accumulate)
                sum[r][v] = vec_set(0.0f);
            else
                sum[r][v] = tail ? vec_load_partial(c, tail) : vec_load(c);
        }
    }
    const float *a = p->a;
    const float *b = p->b;
    for (size_t k = 0; k < p->depth; k++) {
        vec column[TILE_VECS];
        UNROLL
        for (int v = 0; v < vecs; v++)
            column[v] = tail ? vec_load_partial(b, tail) : vec_load(b + v * VEC_LANES);
        UNROLL
        for (int r = 0; r < rows; r++) {
            vec row = vec_set(a[r * p->a_row]);
            UNROLL
            for (int v = 0; v < vecs; v++)
                sum[r][v] = vec_fma(row, column[v], sum[r][v]);
        }
        a += p->a_step;
        b += p->b_step;
    }
    UNROLL
    for (int v = 0; v < vecs; v++) {
        const float *bias = p->bias ? p->bias + v * VEC_LANES : NULL;
        UNROLL
        for (int r = 0; r < rows; r++) {
            float *c = p->c + r * p->c_row + v * VEC_LANES;
            vec result = sum[r][v];
            if (bias)
                result = vec_add(result, tail ? vec_load_partial(bias, tail) : vec_load(bias));
            if (tail)
                vec_store_partial(c, tail, result);
            else
                vec_store(c, result);
        }
    }
}

/* rows of c, at most TILE_ROWS, which have to be a constant in tile. */
ALWAYS_INLINE void tile_rows(const product *p, size_t rows, const int vecs, const size_t tail) {
    switch (rows) {
    case 1:
        tile(p, 1, vecs, tail);
        break;
    case 2:
        tile(p, 2, vecs, tail);
        break;
    case 3:
        tile(p, 3, vecs, tail);
        break;
    case 4:
        tile(p, 4, vecs, tail);
        break;
#if defined(VEC_AVX512) || defined(VEC_NEON) || defined(VEC_AVX2)
    case 5:
        tile(p, 5, vecs, tail);
        break;
    case 6:
        tile(p, 6, vecs, tail);
        break;
#endif
    }
}

static void tiles_of_columns(const product *p, size_t rows) {
    tile_rows(p, rows, TILE_VECS, 0);
}

static void tiles_of_vectors(const product *p, size_t rows) {
    tile_rows(p, rows, 1, 0);
}

static void tiles_of_tails(const product *p, size_t rows, size_t tail) {
    tile_rows(p, rows, 1, tail);
}

/* All rows of a band of at most TILE_COLUMNS columns of c. */
static void product_band(product p, size_t rows, size_t columns) {
    while (rows > 0) {
        size_t height = rows < TILE_ROWS ? rows : TILE_ROWS;
        product part = p;
        size_t left = columns;
        if (left == TILE_COLUMNS) {
            tiles_of_columns(&part, height);
            left = 0;
        }
        while (left > 0) {
            if (left >= VEC_LANES)
                tiles_of_vectors(&part, height);
            else
                tiles_of_tails(&part, height, left);
            size_t width = left < VEC_LANES ? left : VEC_LANES;
            part.b += width;
            part.c += width;
            part.bias = part.bias ? part.bias + width : NULL;
            left -= width;
        }
        p.a += height * p.a_row;
        p.c += height * p.c_row;
        rows -= height;
    }
}

/* c[rows, columns], band by band, so that a band of b stays in the cache for all rows. */
static void product_in_place(product p, size_t rows, size_t columns) {
    while (columns > 0) {
        size_t width = columns < TILE_COLUMNS ? columns : TILE_COLUMNS;
        product_band(p, rows, width);
        p.b += width;
        p.c += width;
        p.bias = p.bias ? p.bias + width : NULL;
        columns -= width;
    }
}

/*
 * With few units there are too few chains to hide the latency of a multiply-add, so the sum over
 * the inputs has sixteen of them, input k in chain k mod 16, and the tree of lanes16_fold adds
 * them. A function of the layer's sizes alone: the same for one row and for many.
 */
static bool has_few_units(size_t inputs, size_t units) {
    return units < 16 && inputs >= 32;
}

/* The sum of chains g, g + 4, g + 8 and g + 12 for one vector of units. */
ALWAYS_INLINE vec chains_of_group(
    size_t inputs, size_t units, size_t lanes, size_t g, const float *x, const float *w) {
    vec chain[4];
    for (int j = 0; j < 4; j++)
        chain[j] = vec_set(0.0f);
    for (size_t k = g; k < inputs; k += 16) {
        UNROLL
        for (size_t j = 0; j < 4; j++) {
            size_t at = k + 4 * j;
            if (at >= inputs)
                break;
            const float *row = w + at * units;
            vec column = lanes == VEC_LANES ? vec_load(row) : vec_load_partial(row, lanes);
            chain[j] = vec_fma(vec_set(x[at]), column, chain[j]);
        }
    }
    return vec_add(vec_add(chain[0], chain[2]), vec_add(chain[1], chain[3]));
}

static void product_few_units(
    size_t inputs, size_t units, const float *x, const float *w, const float *biases, float *z) {
    for (size_t u = 0; u < units; u += VEC_LANES) {
        size_t lanes = units - u < VEC_LANES ? units - u : VEC_LANES;
        vec group[4];
        for (size_t g = 0; g < 4; g++)
            group[g] = chains_of_group(inputs, units, lanes, g, x, w + u);
        vec sum = vec_add(vec_add(group[0], group[2]), vec_add(group[1], group[3]));
        if (biases)
            sum = vec_add(
                sum,
                lanes == VEC_LANES ? vec_load(biases + u) : vec_load_partial(biases + u, lanes));
        if (lanes == VEC_LANES)
            vec_store(z + u, sum);
        else
            vec_store_partial(z + u, lanes, sum);
    }
}

static void dense_product(
    size_t rows, size_t inputs, size_t units, const float *x, const float *weights,
    const float *biases, float *z) {
    if (has_few_units(inputs, units)) {
        for (size_t r = 0; r < rows; r++)
            product_few_units(inputs, units, x + r * inputs, weights, biases, z + r * units);
        return;
    }
    product p = {
        .depth = inputs,
        .a = x,
        .a_row = inputs,
        .a_step = 1,
        .b = weights,
        .b_step = units,
        .bias = biases,
        .c = z,
        .c_row = units,
    };
    product_in_place(p, rows, units);
}

/* Units of one transposed panel: 16 KiB of stack on the widest table. */
enum { PANEL_DEPTH = 64 };

/* panel[k, i] = weights[i, k] for width rows and depth columns of the weights. */
static void transpose_panel(
    size_t depth, size_t width, const float *weights, size_t weights_row, float *panel) {
    for (size_t i = 0; i < width; i++) {
        for (size_t k = 0; k < depth; k++)
            panel[k * TILE_COLUMNS + i] = weights[i * weights_row + k];
    }
}

/* Bands of inputs; in each the sum over the units goes on from panel to panel. */
static void dense_product_transposed(
    size_t rows, size_t inputs, size_t units, const float *delta, const float *weights,
    float *input_gradient) {
    float panel[PANEL_DEPTH * TILE_COLUMNS];
    for (size_t i = 0; i < inputs; i += TILE_COLUMNS) {
        size_t width = inputs - i < TILE_COLUMNS ? inputs - i : TILE_COLUMNS;
        for (size_t k = 0; k < units; k += PANEL_DEPTH) {
            size_t depth = units - k < PANEL_DEPTH ? units - k : PANEL_DEPTH;
            transpose_panel(depth, width, weights + i * units + k, units, panel);
            product p = {
                .depth = depth,
                .a = delta + k,
                .a_row = units,
                .a_step = 1,
                .b = panel,
                .b_step = TILE_COLUMNS,
                .accumulate = k > 0,
                .c = input_gradient + i,
                .c_row = inputs,
            };
            product_band(p, rows, width);
        }
    }
}

static void dense_weight_gradient(
    size_t rows, size_t inputs, size_t units, size_t first, size_t count, const float *x,
    const float *delta, bool accumulate, float *gradient) {
    product p = {
        .depth = rows,
        .a = x + first,
        .a_row = 1,
        .a_step = inputs,
        .b = delta,
        .b_step = units,
        .accumulate = accumulate,
        .c = gradient,
        .c_row = units,
    };
    product_in_place(p, count, units);
}

static void dense_bias_gradient(
    size_t rows, size_t units, size_t first, size_t count, const float *delta, bool accumulate,
    float *gradient) {
    size_t u = 0;
    for (; u + VEC_LANES <= count; u += VEC_LANES) {
        vec sum = accumulate ? vec_load(gradient + u) : vec_set(0.0f);
        for (size_t r = 0; r < rows; r++)
            sum = vec_add(sum, vec_load(delta + r * units + first + u));
        vec_store(gradient + u, sum);
    }
    if (u == count)
        return;
    vec sum = accumulate ? vec_load_partial(gradient + u, count - u) : vec_set(0.0f);
    for (size_t r = 0; r < rows; r++)
        sum = vec_add(sum, vec_load_partial(delta + r * units + first + u, count - u));
    vec_store_partial(gradient + u, count - u, sum);
}
