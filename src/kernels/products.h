/*
 * The three products of a dense layer: x W, delta W^T and x^T delta.
 *
 * All are sums over a common index k of products of an element of a, broadcast, and a vector of b.
 * One register tile computes them; what differs is the way a is walked and where b lies. An element
 * of the result is a chain of multiply-adds over ascending k that starts at +0 (or at what is
 * there), so that tiling and blocking change no bit of it.
 */

/* What becomes of the sums. */
typedef enum product_end {
    END_STORE,      /* c = sum, + bias if there is one */
    END_ACCUMULATE, /* the chain starts from c */
    END_DESCEND,    /* c = c - rate sum, fused */
    END_STEP,       /* c takes a step with sum as its gradient */
} product_end;

/* a[row, k] is at a + row * a_row + k * a_step, b[k] at b + k * b_step, c[row] at c + row * c_row.
 */
typedef struct product {
    size_t depth;  /* how many k */
    size_t chains; /* of each sum: 1 or 2 */
    const float *a;
    size_t a_row, a_step;
    const float *b;
    size_t b_step;
    product_end end;
    const float *bias;     /* or NULL */
    const tnni_step *step; /* for END_DESCEND and END_STEP */
    float *moments;        /* of c, for END_STEP */
    size_t stride;         /* from one of them to the next */
    float *c;
    size_t c_row;
} product;

/*
 * Sizes of tiles: rows times vectors accumulators, as many as leave registers for b and the
 * broadcast. A narrow tile is high, to have enough chains to hide the latency of a multiply-add
 * and to need few loads for each.
 */
#if defined(VEC_AVX512) || defined(VEC_NEON)
enum { TILE_VECS = 4, MOST_SUMS = 24, MOST_ROWS = 16 };
#elif defined(VEC_AVX2)
enum { TILE_VECS = 2, MOST_SUMS = 12, MOST_ROWS = 8 };
#else
enum { TILE_VECS = 2, MOST_SUMS = 8, MOST_ROWS = 4 };
#endif

enum { TILE_COLUMNS = TILE_VECS * VEC_LANES };

/*
 * The part of c that is rows high and vecs vectors wide; with a tail, vecs is 1 and the vector has
 * tail lanes only. Each sum is one chain, or two, over even and odd k, added at the end (no
 * accumulating then). rows, vecs and chains are constants wherever this is inlined.
 */
ALWAYS_INLINE void tile(
    const product *p, const int rows, const int vecs, const int chains, const bool partial,
    size_t tail) {
    vec sum[2][MOST_ROWS][TILE_VECS];
    const size_t a_row = p->a_row;
    size_t at_a = 0; /* not pointers: after the last k these would lie beyond the arrays */
    size_t at_b = 0;
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int v = 0; v < vecs; v++) {
            sum[0][r][v] = p->end == END_ACCUMULATE
                ? load_columns(p->c + r * p->c_row + v * VEC_LANES, partial, tail)
                : vec_set(0.0f);
            sum[1][r][v] = vec_set(0.0f);
        }
    }
    for (size_t k = p->depth; k > 0;) {
        UNROLL
        for (int chain = 0; chain < chains; chain++) {
            const float *a = p->a + at_a;
            const float *b = p->b + at_b;
            vec column[TILE_VECS];
            UNROLL
            for (int v = 0; v < vecs; v++)
                column[v] = load_columns(b + v * VEC_LANES, partial, tail);
            UNROLL
            for (int r = 0; r < rows; r++) {
                vec row = vec_set(a[r * a_row]);
                UNROLL
                for (int v = 0; v < vecs; v++)
                    sum[chain][r][v] = vec_fma(row, column[v], sum[chain][r][v]);
            }
            at_a += p->a_step;
            at_b += p->b_step;
            k--;
            if (chains == 2 && k == 0)
                break;
        }
    }
    if (chains == 2) {
        UNROLL
        for (int r = 0; r < rows; r++) {
            UNROLL
            for (int v = 0; v < vecs; v++)
                sum[0][r][v] = vec_add(sum[0][r][v], sum[1][r][v]);
        }
    }
    if (p->end == END_DESCEND) {
        vec rate = vec_set(-p->step->rate);
        UNROLL
        for (int r = 0; r < rows; r++) {
            UNROLL
            for (int v = 0; v < vecs; v++) {
                const float *c = p->c + r * p->c_row + v * VEC_LANES;
                sum[0][r][v] = vec_fma(rate, sum[0][r][v], load_columns(c, partial, tail));
            }
        }
    } else if (p->bias) {
        UNROLL
        for (int v = 0; v < vecs; v++) {
            vec bias = load_columns(p->bias + v * VEC_LANES, partial, tail);
            UNROLL
            for (int r = 0; r < rows; r++)
                sum[0][r][v] = vec_add(sum[0][r][v], bias);
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int v = 0; v < vecs; v++)
            store_columns(p->c + r * p->c_row + v * VEC_LANES, partial, tail, sum[0][r][v]);
    }
}

/* A tile of up to as many rows as the registers hold. */
#define TILE_CASE(n)                                                                               \
    case n:                                                                                        \
        if (n * vecs * chains <= MOST_SUMS && n <= MOST_ROWS)                                      \
            tile(p, n, vecs, chains, partial, tail);                                               \
        break;

ALWAYS_INLINE void tile_of(
    const product *p, size_t rows, const int vecs, const int chains, const bool partial,
    size_t tail) {
    switch (rows) {
        TILE_CASE(1)
        TILE_CASE(2)
        TILE_CASE(3)
        TILE_CASE(4)
        TILE_CASE(5)
        TILE_CASE(6)
        TILE_CASE(8)
        TILE_CASE(12)
        TILE_CASE(16)
    }
}

/* One function for each width, so that the compiler sees one small switch at a time. */
#define TILES(vecs, chains)                                                                        \
    static void tiles_##vecs##_##chains(const product *p, size_t rows) {                           \
        tile_of(p, rows, vecs, chains, false, 0);                                                  \
    }
#define TAIL_TILES(chains)                                                                         \
    static void tail_tiles_##chains(const product *p, size_t rows, size_t tail) {                  \
        tile_of(p, rows, 1, chains, true, tail);                                                   \
    }

TILES(1, 1)
TILES(2, 1)
TILES(1, 2)
TILES(2, 2)
TAIL_TILES(1)
TAIL_TILES(2)
#if defined(VEC_AVX512) || defined(VEC_NEON)
TILES(3, 1)
TILES(4, 1)
TILES(3, 2)
TILES(4, 2)
#endif

#define TILES_CASE(vecs)                                                                           \
    case vecs:                                                                                     \
        if (chains == 2)                                                                           \
            tiles_##vecs##_2(p, rows);                                                             \
        else                                                                                       \
            tiles_##vecs##_1(p, rows);                                                             \
        break;

static void tile_vectors(const product *p, size_t rows, size_t vecs, size_t chains) {
    switch (vecs) {
        TILES_CASE(1)
        TILES_CASE(2)
#if defined(VEC_AVX512) || defined(VEC_NEON)
        TILES_CASE(3)
        TILES_CASE(4)
#endif
    }
}

static void tile_tail(const product *p, size_t rows, size_t tail, size_t chains) {
    if (chains == 2)
        tail_tiles_2(p, rows, tail);
    else
        tail_tiles_1(p, rows, tail);
}

/*
 * The height of the next tile when rows are left and a tile has at most so many: one that exists
 * (see TILE_CASE) and leaves no sliver for the last.
 */
static size_t tile_height(size_t rows, size_t most) {
    static const unsigned char last[17] = {0, 1, 2, 3, 4, 5, 6, 4, 8, 5, 5, 6, 12, 8, 8, 8, 16};
    static const unsigned char half[17] = {0,  1,  2,  3,  4,  5,  6,  8, 8,
                                           12, 12, 12, 12, 16, 16, 16, 16};
    if (rows <= most)
        return last[rows];
    return rows < 2 * most ? half[(rows + 1) / 2] : most;
}

static void tile_with_end(const product *p, size_t rows, size_t vecs, size_t tail) {
    if (tail)
        tile_tail(p, rows, tail, p->chains);
    else
        tile_vectors(p, rows, vecs, p->chains);
}

/* Sums of a tile and the steps with them, which find these in the first-level cache. */
static void tile_with_steps(const product *p, size_t rows, size_t vecs, size_t tail) {
    float sums[MOST_SUMS * VEC_LANES];
    size_t width = tail ? tail : vecs * VEC_LANES;
    product part = *p;
    part.end = END_STORE;
    part.c = sums;
    part.c_row = width;
    tile_with_end(&part, rows, vecs, tail);
    size_t lines = width == p->c_row ? 1 : rows;
    size_t length = rows * width / lines;
    for (size_t r = 0; r < lines; r++)
        step_kernels[p->step->kind](
            p->step, length, sums + r * length, p->c + r * p->c_row,
            p->moments ? p->moments + r * p->c_row : NULL, p->stride);
}

/* All rows of a band of c: vecs vectors, or one of tail lanes. Moves p on. */
static void product_band(product *p, size_t rows, size_t vecs, size_t tail) {
    /* by sums in a row: vecs times chains */
    static const unsigned char most_rows[9] = {
        0,
        MOST_ROWS,
        MOST_SUMS / 2 < MOST_ROWS ? MOST_SUMS / 2 : MOST_ROWS,
        MOST_SUMS / 3 < MOST_ROWS ? MOST_SUMS / 3 : MOST_ROWS,
        MOST_SUMS / 4,
        0,
        MOST_SUMS / 6,
        0,
        MOST_SUMS / 8,
    };
    for (;;) {
        size_t height = tile_height(rows, most_rows[vecs * p->chains]);
        if (p->end == END_STEP)
            tile_with_steps(p, height, vecs, tail);
        else
            tile_with_end(p, height, vecs, tail);
        rows -= height;
        if (rows == 0)
            return;
        p->a += height * p->a_row;
        p->c += height * p->c_row;
        p->moments = p->moments ? p->moments + height * p->c_row : NULL;
    }
}

/*
 * Deep or widely strided bands of b are copied into a panel first: rows of b a power of two apart
 * share a few sets of the cache. Worth it when enough rows of c use the copy.
 */
enum { PANEL_DEPTH = TNNI_PANEL_FLOATS / TILE_COLUMNS };

static bool wants_panel(const product *p, size_t rows) {
    return p->b_step >= TNNI_WIDE && rows >= 16 && p->depth >= 16;
}

static void copy_panel(size_t depth, size_t vecs, const float *b, size_t b_step, float *panel) {
    for (size_t k = 0; k < depth; k++, panel += vecs * VEC_LANES) {
        for (size_t v = 0; v < vecs; v++)
            vec_store(panel + v * VEC_LANES, vec_load(b + k * b_step + v * VEC_LANES));
    }
}

static void product_band_by_panels(const product *whole, size_t rows, size_t vecs, float *panel) {
    size_t depth = whole->depth;
    size_t blocks = (depth + PANEL_DEPTH - 1) / PANEL_DEPTH;
    size_t size = (depth + blocks - 1) / blocks;
    for (size_t k = 0; k < depth; k += size) {
        product p = *whole;
        p.depth = depth - k < size ? depth - k : size;
        copy_panel(p.depth, vecs, p.b + k * p.b_step, p.b_step, panel);
        p.a += k * p.a_step;
        p.b = panel;
        p.b_step = vecs * VEC_LANES;
        p.bias = k + size >= depth ? p.bias : NULL;
        p.end = k > 0 ? END_ACCUMULATE : p.end;
        product_band(&p, rows, vecs, 0);
    }
}

/* c[rows, columns], band by band, so that a band of b stays in the cache for all rows. */
static void product_bands(product *p, size_t rows, size_t columns, float *panel) {
    bool takes_step = p->end == END_DESCEND || p->end == END_STEP;
    bool by_panels = wants_panel(p, rows) && (!takes_step || p->depth <= PANEL_DEPTH);
    for (;;) {
        const float *a = p->a;
        float *c = p->c;
        float *moments = p->moments;
        size_t vecs = columns / VEC_LANES < TILE_VECS ? columns / VEC_LANES : TILE_VECS;
        size_t width = vecs > 0 ? vecs * VEC_LANES : columns;
        if (vecs > 0 && by_panels)
            product_band_by_panels(p, rows, vecs, panel);
        else
            product_band(p, rows, vecs > 0 ? vecs : 1, vecs > 0 ? 0 : columns);
        columns -= width;
        if (columns == 0)
            return;
        p->a = a;
        p->b += width;
        p->c = c + width;
        p->moments = moments ? moments + width : NULL;
        p->bias = p->bias ? p->bias + width : NULL;
    }
}

/*
 * How many chains a sum over the inputs has. With few units there are too few of them to hide the
 * latency of a multiply-add when there is one row, so a sum has more: two, over even and odd k,
 * added as 0 + 1; four, k in chain k mod 4, added as (0 + 2) + (1 + 3); and for a single unit,
 * whose weights lie side by side, sixteen, added by lanes16_fold. A function of the layer's sizes
 * alone: the same for one row and for many.
 */
ALWAYS_INLINE size_t chains_of(size_t inputs, size_t units) {
    if (units == 1)
        return 16;
    if (units < 8 || (units <= 16 && inputs >= 32))
        return 4;
    return units > 16 && units <= 64 ? 2 : 1;
}

enum { CHAINS = 4, FEW_UNITS_ROWS = MOST_SUMS / 2 };

/*
 * Chains first, first + step, ... and their part of the tree, for rows at p->a. With step 1 that is
 * all of it; with step 2 there are two passes, 0 + 2 and 1 + 3, of which the second one adds to
 * what the first one stored. So twice as many rows share the loads of a weight.
 */
ALWAYS_INLINE void few_units_tile(
    const product *p, const int rows, const bool partial, size_t tail, const int first,
    const int step) {
    vec chain[FEW_UNITS_ROWS][CHAINS];
    const float *x[FEW_UNITS_ROWS];
    const float *w = p->b;
    const size_t units = p->b_step;
    size_t at = 0; /* no pointer: after the last weights it would lie beyond them */
    UNROLL
    for (int r = 0; r < rows; r++) {
        x[r] = p->a + r * p->a_row;
        UNROLL
        for (int j = first; j < CHAINS; j += step)
            chain[r][j] = vec_set(0.0f);
    }
    size_t k = p->depth;
    for (; k >= CHAINS; k -= CHAINS) {
        UNROLL
        for (int j = first; j < CHAINS; j += step) {
            vec column = load_columns(w + at + j * units, partial, tail);
            UNROLL
            for (int r = 0; r < rows; r++)
                chain[r][j] = vec_fma(vec_set(x[r][j]), column, chain[r][j]);
        }
        at += CHAINS * units;
        UNROLL
        for (int r = 0; r < rows; r++)
            x[r] += CHAINS;
    }
    UNROLL
    for (int j = first; j < CHAINS - 1; j += step) {
        if (k <= (size_t)j)
            break;
        vec column = load_columns(w + at + j * units, partial, tail);
        UNROLL
        for (int r = 0; r < rows; r++)
            chain[r][j] = vec_fma(vec_set(x[r][j]), column, chain[r][j]);
    }
    vec bias = p->bias ? load_columns(p->bias, partial, tail) : vec_set(0.0f);
    UNROLL
    for (int r = 0; r < rows; r++) {
        float *z = p->c + r * p->c_row;
        vec sum = vec_add(chain[r][first], chain[r][first + 2]);
        if (step == 1)
            sum = vec_add(sum, vec_add(chain[r][1], chain[r][3]));
        else if (first == 1)
            sum = vec_add(load_columns(z, partial, tail), sum);
        if (p->bias && (step == 1 || first == 1))
            sum = vec_add(sum, bias);
        store_columns(z, partial, tail, sum);
    }
}

#define FEW_UNITS_CASE(n)                                                                          \
    case n:                                                                                        \
        if (n * CHAINS <= MOST_SUMS) {                                                             \
            few_units_tile(p, n, partial, tail, 0, 1);                                             \
        } else if (n <= FEW_UNITS_ROWS) {                                                          \
            few_units_tile(p, n, partial, tail, 0, 2);                                             \
            few_units_tile(p, n, partial, tail, 1, 2);                                             \
        }                                                                                          \
        break;

ALWAYS_INLINE void few_units_of(const product *p, size_t rows, const bool partial, size_t tail) {
    switch (rows) {
        FEW_UNITS_CASE(1)
        FEW_UNITS_CASE(2)
        FEW_UNITS_CASE(3)
        FEW_UNITS_CASE(4)
        FEW_UNITS_CASE(5)
        FEW_UNITS_CASE(6)
        FEW_UNITS_CASE(8)
        FEW_UNITS_CASE(12)
    }
}

static void few_units_vector(const product *p, size_t rows) {
    few_units_of(p, rows, false, 0);
}

static void few_units_tail(const product *p, size_t rows, size_t tail) {
    few_units_of(p, rows, true, tail);
}

static void product_few_units(product *p, size_t rows, size_t units) {
    while (rows > 0) {
        size_t height = tile_height(rows, FEW_UNITS_ROWS);
        product part = *p;
        for (size_t left = units; left > 0;) {
            size_t width = left < VEC_LANES ? left : VEC_LANES;
            if (left < VEC_LANES)
                few_units_tail(&part, height, left);
            else
                few_units_vector(&part, height);
            part.b += width;
            part.c += width;
            part.bias = part.bias ? part.bias + width : NULL;
            left -= width;
        }
        p->a += height * p->a_row;
        p->c += height * p->c_row;
        rows -= height;
    }
}

/* One unit: its weights lie side by side, as the inputs do. */
static void product_one_unit(
    size_t rows, size_t inputs, const float *x, const float *w, const float *biases, float *z) {
    for (size_t r = 0; r < rows; r++, x += inputs) {
        lanes16 sum = lanes16_zero();
        for (size_t i = 0; i < inputs; i += 16) {
            UNROLL
            for (size_t j = 0; j < SIXTEEN; j++) {
                size_t at = i + j * VEC_LANES;
                if (at >= inputs)
                    break;
                size_t left = inputs - at;
                size_t tail = left < VEC_LANES ? left : 0;
                bool partial = tail > 0;
                sum.part[j] = vec_fma(
                    load_columns(x + at, partial, tail), load_columns(w + at, partial, tail),
                    sum.part[j]);
            }
        }
        float total = lanes16_fold(sum);
        z[r] = biases ? total + biases[0] : total;
    }
}

static void dense_product(
    size_t rows, size_t inputs, size_t units, const float *x, const float *weights,
    const float *biases, float *z, float *panel) {
    if (units == 1) {
        product_one_unit(rows, inputs, x, weights, biases, z);
        return;
    }
    product p = {
        .depth = inputs,
        .chains = chains_of(inputs, units),
        .a = x,
        .a_row = inputs,
        .a_step = 1,
        .b = weights,
        .b_step = units,
        .bias = biases,
        .c = z,
        .c_row = units,
    };
    if (p.chains == 4)
        product_few_units(&p, rows, units);
    else
        product_bands(&p, rows, units, panel);
}

/* panel[k, i] = weights[i, k] for VEC_LANES columns i of the panel, of which count exist. */
static void transpose_columns(
    size_t depth, size_t count, const float *weights, size_t weights_row, float *panel,
    size_t panel_row) {
    for (size_t k = 0; k < depth; k += VEC_LANES) {
        size_t lanes = depth - k < VEC_LANES ? depth - k : VEC_LANES;
        vec block[VEC_LANES];
        if (lanes == VEC_LANES && count == VEC_LANES) {
            UNROLL
            for (size_t i = 0; i < VEC_LANES; i++)
                block[i] = vec_load(weights + i * weights_row + k);
        } else {
            UNROLL
            for (size_t i = 0; i < VEC_LANES; i++)
                block[i] = i < count
                    ? load_columns(weights + i * weights_row + k, lanes < VEC_LANES, lanes)
                    : vec_set(0.0f);
        }
        vec_transpose(block);
        UNROLL
        for (size_t i = 0; i < VEC_LANES; i++) {
            if (i < lanes)
                vec_store(panel + (k + i) * panel_row, block[i]);
        }
    }
}

/* Bands of inputs; in each the sum over the units goes on from panel to panel. */
static void dense_product_transposed(
    size_t rows, size_t inputs, size_t units, const float *delta, const float *weights,
    float *input_gradient, float *panel) {
    for (size_t i = 0; i < inputs;) {
        size_t full = (inputs - i) / VEC_LANES;
        size_t vecs = full < TILE_VECS ? full : TILE_VECS;
        size_t width = vecs > 0 ? vecs * VEC_LANES : inputs - i;
        size_t panel_row = vecs > 0 ? width : VEC_LANES;
        for (size_t k = 0; k < units; k += PANEL_DEPTH) {
            size_t depth = units - k < PANEL_DEPTH ? units - k : PANEL_DEPTH;
            for (size_t j = 0; j < width; j += VEC_LANES)
                transpose_columns(
                    depth, width - j < VEC_LANES ? width - j : VEC_LANES,
                    weights + (i + j) * units + k, units, panel + j, panel_row);
            product p = {
                .depth = depth,
                .chains = 1,
                .a = delta + k,
                .a_row = units,
                .a_step = 1,
                .b = panel,
                .b_step = panel_row,
                .end = k > 0 ? END_ACCUMULATE : END_STORE,
                .c = input_gradient + i,
                .c_row = inputs,
            };
            product_band(&p, rows, vecs > 0 ? vecs : 1, vecs > 0 ? 0 : width);
        }
        i += width;
    }
}

/* Rows first ... of x^T delta. */
ALWAYS_INLINE product gradient_product(
    size_t rows, size_t inputs, size_t units, size_t first, const float *x, const float *delta,
    product_end end, float *c) {
    return (product){
        .depth = rows,
        .chains = 1,
        .a = x + first,
        .a_row = 1,
        .a_step = inputs,
        .b = delta,
        .b_step = units,
        .end = end,
        .c = c,
        .c_row = units,
    };
}

static void dense_weight_gradient(
    size_t rows, size_t inputs, size_t units, size_t first, size_t count, const float *x,
    const float *delta, bool accumulate, float *gradient, float *panel) {
    product_end end = accumulate ? END_ACCUMULATE : END_STORE;
    product p = gradient_product(rows, inputs, units, first, x, delta, end, gradient);
    if (count > 0)
        product_bands(&p, count, units, panel);
}

static void dense_weight_update(
    size_t rows, size_t inputs, size_t units, size_t first, size_t count, const float *x,
    const float *delta, const tnni_step *step, float *weights, float *moments, size_t stride,
    float *panel) {
    product_end end = step->kind == TNNI_DESCENT ? END_DESCEND : END_STEP;
    product p = gradient_product(rows, inputs, units, first, x, delta, end, weights);
    p.step = step;
    p.moments = moments;
    p.stride = stride;
    if (count > 0)
        product_bands(&p, count, units, panel);
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
