/*
 * The three products of a dense layer: x W, delta W^T and x^T delta.
 *
 * All are sums over a common index k of products of an element of a, broadcast, and a vector of b.
 * One register tile computes them; what differs is the way a is walked and where b lies. An element
 * of the result is a chain of multiply-adds over ascending k that starts at +0 (or at what is
 * there), so that tiling and blocking change no bit of it.
 */

/*
 * How many chains a sum over the inputs has. With few units there are too few of them to hide the
 * latency of a multiply-add when there is one row, so a sum has more: two, over even and odd k,
 * added as 0 + 1; four, k in chain k mod 4, added as (0 + 2) + (1 + 3); and for a single unit,
 * whose weights lie side by side, sixteen, added by lanes16_fold. A function of the layer's sizes
 * alone: the same for one row and for many.
 */
enum { CHAINS = 4 };

ALWAYS_INLINE size_t chains_of(size_t inputs, size_t units) {
    if (units == 1)
        return 16;
    if (units < 8 || (units <= 16 && inputs >= 32))
        return CHAINS;
    return units > 16 && units <= 64 ? 2 : 1;
}

/* What becomes of the sums. */
typedef enum product_end {
    END_STORE,      /* c = sum, + bias if there is one */
    END_ACCUMULATE, /* the chain starts from c */
    END_ADD,        /* c = c + sum, + bias if there is one */
    END_DESCEND,    /* c = c - rate sum, fused */
} product_end;

/* a[row, k] is at a + row * a_row + k * a_step, b[k] at b + k * b_step, c[row] at c + row * c_row.
 */
typedef struct product {
    size_t depth;  /* how many k */
    size_t chains; /* of each sum: 1, 2 or 4; more than 1 do not go with END_ACCUMULATE */
    const float *a;
    size_t a_row, a_step;
    const float *b;
    size_t b_step;
    product_end end;
    const float *bias; /* or NULL */
    bool rectify;      /* relu comes last, after END_STORE and END_ADD */
    float rate;
    float *c;
    size_t c_row;
    const float *next; /* where b will be copied from after this, to be fetched meanwhile */
    size_t next_step;
    size_t next_depth; /* 0: there is none */
} product;

/*
 * Sizes of tiles: rows times vectors accumulators, as many as leave registers for b and the
 * broadcast. A narrow tile is high, to have enough chains to hide the latency of a multiply-add
 * and to need few loads for each.
 */
#if defined(VEC_AVX512)
enum { TILE_VECS = 4, MOST_SUMS = 24, MOST_ROWS = 16 };
#elif defined(VEC_NEON) /* with 24 sums gcc spills, since it loads all broadcasts first */
enum { TILE_VECS = 4, MOST_SUMS = 20, MOST_ROWS = 16 };
#elif defined(VEC_AVX2)
enum { TILE_VECS = 2, MOST_SUMS = 12, MOST_ROWS = 8 };
#else
enum { TILE_VECS = 2, MOST_SUMS = 8, MOST_ROWS = 4 };
#endif

enum { TILE_COLUMNS = TILE_VECS * VEC_LANES };

/*
 * The rows of a matrix by as few registers as an address allows: three rows share a base, and the
 * index is 0, 1 or 2 times the length of a row. Left to itself the compiler takes a register for
 * every row, and runs out of them.
 */
enum { BASE_ROWS = 3, MOST_BASES = (MOST_ROWS + BASE_ROWS - 1) / BASE_ROWS };

#define BASES(base, matrix, row_length)                                                            \
    UNROLL                                                                                         \
    for (int r = 0; r < rows; r += BASE_ROWS) {                                                    \
        base[r / BASE_ROWS] = (matrix) + (size_t)r * (row_length);                                 \
        OPAQUE(base[r / BASE_ROWS]);                                                               \
    }
#define ROW(base, r, row_length)                                                                   \
    ((base)[(r) / BASE_ROWS] + (size_t)((r) % BASE_ROWS) * (row_length))

#define NEXT_ROUND(base, step)                                                                     \
    UNROLL                                                                                         \
    for (int r = 0; r < rows; r += BASE_ROWS)                                                      \
        (base)[r / BASE_ROWS] += (step);

/* For each accumulator of a tile. */
#define FOR_SUMS(r, v)                                                                             \
    UNROLL                                                                                         \
    for (int r = 0; r < rows; r++)                                                                 \
        UNROLL                                                                                     \
    for (int v = 0; v < vecs; v++)

/* One k: its part of a times its part of b, added to the sums. */
ALWAYS_INLINE void tile_round(
    const int rows, const int vecs, const bool partial, size_t tail, const float *const *a,
    size_t a_row, const float *b, vec (*sum)[TILE_VECS]) {
    vec column[TILE_VECS];
    UNROLL
    for (int v = 0; v < vecs; v++) {
        column[v] = load_columns(b + v * VEC_LANES, partial, tail);
        LOADED(column[v]);
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        vec row = vec_set(*ROW(a, r, a_row));
        UNROLL
        for (int v = 0; v < vecs; v++)
            sum[r][v] = vec_fma(row, column[v], sum[r][v]);
    }
}

/*
 * The part of c that is rows high and vecs vectors wide; with a tail, vecs is 1 and the vector has
 * tail lanes only. Each sum is one chain, or two, over even and odd k, added at the end (no
 * accumulating then). rows, vecs and chains are constants wherever this is inlined.
 */
ALWAYS_INLINE void tile(
    const product *p, const int rows, const int vecs, const int chains, const bool partial,
    size_t tail) {
    vec sum[2][MOST_ROWS][TILE_VECS];
    const float *a[MOST_BASES];
    float *c[MOST_BASES];
    const float *b = p->b;
    const size_t a_row = p->a_row, a_step = p->a_step, b_step = p->b_step, c_row = p->c_row;
    FOR_SUMS (r, v)
        sum[0][r][v] = sum[1][r][v] = vec_set(0.0f);
    if (p->end == END_ACCUMULATE) {
        BASES(c, p->c, c_row)
        FOR_SUMS (r, v)
            sum[0][r][v] = load_columns(ROW(c, r, c_row) + v * VEC_LANES, partial, tail);
    }
    if (p->end == END_DESCEND) { /* large weights come from far away */
        BASES(c, p->c, c_row)
        FOR_SUMS (r, v)
            PREFETCH_TO_WRITE(ROW(c, r, c_row) + v * VEC_LANES);
    }
    BASES(a, p->a, a_row)
    for (size_t k = p->depth; k > 0;) {
        tile_round(rows, vecs, partial, tail, a, a_row, b, sum[0]);
        if (--k == 0) /* or a and b would go beyond the arrays */
            break;
        NEXT_ROUND(a, a_step)
        b += b_step;
        if (chains == 2) {
            tile_round(rows, vecs, partial, tail, a, a_row, b, sum[1]);
            if (--k == 0)
                break;
            NEXT_ROUND(a, a_step)
            b += b_step;
        }
    }
    if (chains == 2) {
        FOR_SUMS (r, v)
            sum[0][r][v] = vec_add(sum[0][r][v], sum[1][r][v]);
    }
    BASES(c, p->c, c_row)
    if (p->end == END_ADD) {
        FOR_SUMS (r, v) {
            vec old = load_columns(ROW(c, r, c_row) + v * VEC_LANES, partial, tail);
            sum[0][r][v] = vec_add(old, sum[0][r][v]);
        }
    }
    if (p->end == END_DESCEND) {
        vec rate = vec_set(-p->rate);
        FOR_SUMS (r, v) {
            vec old = load_columns(ROW(c, r, c_row) + v * VEC_LANES, partial, tail);
            sum[0][r][v] = vec_fma(rate, sum[0][r][v], old);
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
    if (p->rectify) {
        FOR_SUMS (r, v)
            sum[0][r][v] = vec_relu(sum[0][r][v]);
    }
    FOR_SUMS (r, v)
        store_columns(ROW(c, r, c_row) + v * VEC_LANES, partial, tail, sum[0][r][v]);
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

/*
 * One function for each width, so that the compiler sees one small switch at a time. Tails are a
 * width of 0 vectors.
 */
typedef void tile_function(const product *p, size_t rows, size_t tail);

#define TILES(vecs, chains)                                                                        \
    static void tiles_##vecs##_##chains(const product *p, size_t rows, size_t tail) {              \
        tile_of(p, rows, vecs > 0 ? vecs : 1, chains, vecs == 0, tail);                            \
    }

TILES(0, 1)
TILES(1, 1)
TILES(2, 1)
TILES(0, 2)
TILES(1, 2)
TILES(2, 2)
#if defined(VEC_AVX512) || defined(VEC_NEON)
TILES(3, 1)
TILES(4, 1)
TILES(3, 2)
TILES(4, 2)
#endif

/* The functions by chains and vectors, and how many rows they take. */
typedef struct tile_shape {
    tile_function *function;
    size_t most_rows;
} tile_shape;

/* The largest of the heights of TILE_CASE. */
#define FLOOR_HEIGHT(rows) ((rows) >= 12 ? 12 : (rows) >= 8 ? 8 : (rows) >= 6 ? 6 : (rows))
#define HEIGHT(sums)                                                                               \
    (MOST_SUMS / (sums) >= MOST_ROWS ? MOST_ROWS : FLOOR_HEIGHT(MOST_SUMS / (sums)))

static const tile_shape tile_shapes[2][TILE_VECS + 1] = {
    {
        {tiles_0_1, HEIGHT(1)},
        {tiles_1_1, HEIGHT(1)},
        {tiles_2_1, HEIGHT(2)},
#if defined(VEC_AVX512) || defined(VEC_NEON)
        {tiles_3_1, HEIGHT(3)},
        {tiles_4_1, HEIGHT(4)},
#endif
    },
    {
        {tiles_0_2, HEIGHT(2)},
        {tiles_1_2, HEIGHT(2)},
        {tiles_2_2, HEIGHT(4)},
#if defined(VEC_AVX512) || defined(VEC_NEON)
        {tiles_3_2, HEIGHT(6)},
        {tiles_4_2, HEIGHT(8)},
#endif
    },
};

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

/* Four chains are two passes of two: over even k, then over odd k. */
static void tile_by_passes(product *p, tile_function *function, size_t rows, size_t tail) {
    const product whole = *p;
    p->a_step = 2 * whole.a_step;
    p->b_step = 2 * whole.b_step;
    p->depth = (whole.depth + 1) / 2;
    p->bias = NULL;
    p->rectify = false;
    function(p, rows, tail);
    p->depth = whole.depth / 2;
    if (p->depth > 0) {
        p->a = whole.a + whole.a_step;
        p->b = whole.b + whole.b_step;
    }
    p->bias = whole.bias;
    p->rectify = whole.rectify;
    p->end = END_ADD;
    function(p, rows, tail);
    *p = whole;
}

/* Fetches some rows of what comes next, and moves on. */
static void fetch_next(product *p, size_t rows, size_t columns) {
    for (; rows > 0 && p->next_depth > 0; rows--) {
        for (size_t j = 0; j < columns; j += 16)
            PREFETCH(p->next + j);
        if (--p->next_depth > 0)
            p->next += p->next_step;
    }
}

/* All rows of a band of c: some vectors wide, or fewer columns than one has. Moves p on. */
ALWAYS_INLINE void product_band(product *p, size_t rows, size_t columns) {
    const tile_shape *shape = &tile_shapes[p->chains > 1][columns / VEC_LANES];
    size_t fetches = p->next_depth > 0 ? p->next_depth * shape->most_rows / rows + 1 : 0;
    for (;;) {
        size_t height = tile_height(rows, shape->most_rows);
        if (fetches > 0)
            fetch_next(p, fetches, columns);
        if (p->chains == CHAINS)
            tile_by_passes(p, shape->function, height, columns);
        else
            shape->function(p, height, columns);
        rows -= height;
        if (rows == 0)
            return;
        p->a += height * p->a_row;
        p->c += height * p->c_row;
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

static void copy_panel(size_t depth, size_t columns, const float *b, size_t b_step, float *panel) {
    for (size_t k = 0; k < depth; k++, panel += columns) {
        for (size_t j = 0; j < columns; j += VEC_LANES)
            vec_store(panel + j, vec_load(b + k * b_step + j));
    }
}

/* How wide the next band is when columns are left. */
ALWAYS_INLINE size_t band_width(size_t columns) {
    if (columns >= TILE_COLUMNS)
        return TILE_COLUMNS;
    return columns < VEC_LANES ? columns : columns / VEC_LANES * VEC_LANES;
}

/* The part of p with k from first on, and depth of them. */
ALWAYS_INLINE product depth_part(const product *p, size_t first, size_t depth) {
    product part = *p;
    bool is_last = first + depth == p->depth;
    part.depth = depth;
    part.a += first * p->a_step;
    part.b += first * p->b_step;
    part.bias = is_last ? p->bias : NULL;
    part.rectify = is_last && p->rectify;
    part.end = first > 0 ? END_ACCUMULATE : p->end;
    return part;
}

/* How deep panels are when none is a sliver. */
static size_t panel_depth(size_t depth) {
    size_t blocks = (depth + PANEL_DEPTH - 1) / PANEL_DEPTH;
    return (depth + blocks - 1) / blocks;
}

/* Whole vectors of columns, band by band and panel by panel. */
static void product_panels(const product *p, size_t rows, size_t columns, float *panel) {
    size_t most = panel_depth(p->depth);
    for (size_t j = 0; j < columns;) {
        size_t width = band_width(columns - j);
        for (size_t k = 0; k < p->depth; k += most) {
            size_t left = p->depth - k;
            product part = depth_part(p, k, left < most ? left : most);
            const float *b = part.b + j;
            copy_panel(part.depth, width, b, p->b_step, panel);
            part.b = panel;
            part.b_step = width;
            part.bias = part.bias ? part.bias + j : NULL;
            part.c += j;
            if (left > most) {
                part.next = b + most * p->b_step;
                part.next_depth = left - most < most ? left - most : most;
            } else if (j + width < columns) {
                part.next = p->b + j + width;
                part.next_depth = most;
            }
            part.next_step = p->b_step;
            product_band(&part, rows, width);
        }
        j += width;
    }
}

/*
 * Where a is large both ways, a block of it stays in the second-level cache for all bands. Tiles of
 * most heights divide its rows.
 */
enum { BLOCK_ROWS = 480, LARGE = 1 << 21 };

static void product_by_panels(const product *p, size_t rows, size_t columns, float *panel) {
    if (rows * p->depth < LARGE) {
        product_panels(p, rows, columns, panel);
        return;
    }
    size_t most = panel_depth(p->depth);
    for (size_t r = 0; r < rows; r += BLOCK_ROWS) {
        for (size_t k = 0; k < p->depth; k += most) {
            product part = depth_part(p, k, p->depth - k < most ? p->depth - k : most);
            part.a += r * p->a_row;
            part.c += r * p->c_row;
            product_panels(&part, rows - r < BLOCK_ROWS ? rows - r : BLOCK_ROWS, columns, panel);
        }
    }
}

/* c[rows, columns], band by band, so that a band of b stays in the cache for all rows. */
ALWAYS_INLINE void product_bands(product *p, size_t rows, size_t columns, float *panel) {
    const float *a = p->a;
    float *c = p->c;
    if (wants_panel(p, rows) && (p->end != END_DESCEND || p->depth <= PANEL_DEPTH)) {
        size_t vectors = columns / VEC_LANES * VEC_LANES;
        product_by_panels(p, rows, vectors, panel);
        columns -= vectors;
        p->b += vectors;
        c += vectors;
        p->bias = p->bias ? p->bias + vectors : NULL;
    }
    while (columns > 0) {
        size_t width = band_width(columns);
        p->a = a;
        p->c = c;
        product_band(p, rows, width);
        columns -= width;
        p->b += width;
        c += width;
        p->bias = p->bias ? p->bias + width : NULL;
    }
}

/* What is left of a row behind its whole sixteens, in sixteen chains. */
ALWAYS_INLINE void one_unit_tail(
    size_t inputs, size_t at, const float *x, const float *w, lanes16 *sum) {
    for (size_t j = 0; j < SIXTEEN && at < inputs; j++, at += VEC_LANES) {
        size_t lanes = lanes_at(at, inputs);
        sum->part[j] = vec_fma(load_lanes(x + at, lanes), load_lanes(w + at, lanes), sum->part[j]);
    }
}

/* One unit: its weights lie side by side, as the inputs do. */
static void product_one_unit(
    size_t rows, size_t inputs, const float *x, const float *w, const float *biases, bool rectify,
    float *z) {
    for (size_t r = 0; r < rows; r++, x += inputs) {
        lanes16 sum = lanes16_zero();
        size_t i = 0;
        for (; inputs - i >= 16; i += 16) {
            UNROLL
            for (size_t j = 0; j < SIXTEEN; j++) {
                size_t at = i + j * VEC_LANES;
                sum.part[j] = vec_fma(vec_load(x + at), vec_load(w + at), sum.part[j]);
            }
        }
        if (i < inputs)
            one_unit_tail(inputs, i, x, w, &sum);
        float total = lanes16_fold(sum);
        if (biases)
            total += biases[0];
        z[r] = rectify ? scalar_relu(total) : total;
    }
}

static void dense_product(
    size_t rows, size_t inputs, size_t units, tnni_range part, const float *x, const float *weights,
    const float *biases, bool rectify, float *z, float *panel) {
    if (tnni_length(part) == 0)
        return;
    if (units == 1) {
        product_one_unit(rows, inputs, x, weights, biases, rectify, z);
        return;
    }
    product p = {
        .depth = inputs,
        .chains = chains_of(inputs, units),
        .a = x,
        .a_row = inputs,
        .a_step = 1,
        .b = weights + part.begin,
        .b_step = units,
        .bias = biases ? biases + part.begin : NULL,
        .rectify = rectify,
        .c = z + part.begin,
        .c_row = units,
    };
    product_bands(&p, rows, tnni_length(part), panel);
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
    size_t rows, size_t inputs, size_t units, tnni_range part, const float *delta,
    const float *weights, float *input_gradient, float *panel) {
    for (size_t i = part.begin; i < part.end;) {
        size_t width = band_width(part.end - i);
        size_t panel_row = width < VEC_LANES ? VEC_LANES : width;
        for (size_t k = 0; k < units; k += PANEL_DEPTH) {
            size_t depth = units - k < PANEL_DEPTH ? units - k : PANEL_DEPTH;
            for (size_t j = 0; j < width; j += VEC_LANES)
                transpose_columns(
                    depth, lanes_at(j, width), weights + (i + j) * units + k, units, panel + j,
                    panel_row);
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
            product_band(&p, rows, width);
        }
        i += width;
    }
}

/* ---- x^T delta of few units ------------------------------------------------------------------ */

/*
 * A vector of units would be half empty where there are few, so here inputs are its lanes: blocks
 * of some vectors of inputs, with the sums of all units, which are turned round at the end. The
 * rows of c, as long as there are units, lie side by side.
 */
enum { FEW_UNITS = VEC_LANES * 11 / 16 };

/* c[vecs * VEC_LANES, units]: the sums turned round, stored or as the step of a descent. */
ALWAYS_INLINE void few_end(
    const product *p, const int units, const int vecs, vec (*sum)[FEW_UNITS + 1]) {
    float turned[(FEW_UNITS + 1) * VEC_LANES + VEC_LANES];
    const size_t count = (size_t)units * VEC_LANES;
    float *c = p->c;
    for (int v = 0; v < vecs; v++, c += count) {
        vec block[VEC_LANES];
        UNROLL
        for (int u = 0; u < VEC_LANES; u++)
            block[u] = u < units ? sum[v][u] : vec_set(0.0f);
        vec_transpose(block);
        UNROLL
        for (int i = 0; i < VEC_LANES; i++) /* over the zeros of the one before */
            vec_store(turned + i * units, block[i]);
        for (size_t i = 0; i < count; i += VEC_LANES) {
            vec gradient = vec_load(turned + i);
            vec_store(
                c + i,
                p->end == END_DESCEND ? vec_fma(vec_set(-p->rate), gradient, vec_load(c + i))
                                      : gradient);
        }
    }
}

ALWAYS_INLINE void few_units(const product *p, const int units, const int vecs) {
    vec sum[4][FEW_UNITS + 1];
    const float *x = p->a;
    const float *delta = p->b;
    UNROLL
    for (int v = 0; v < vecs; v++) {
        UNROLL
        for (int u = 0; u < units; u++)
            sum[v][u] = vec_set(0.0f);
    }
    for (size_t k = p->depth; k > 0; k--, x += p->a_step, delta += p->b_step) {
        vec inputs[4];
        UNROLL
        for (int v = 0; v < vecs; v++)
            inputs[v] = vec_load(x + v * VEC_LANES);
        UNROLL
        for (int u = 0; u < units; u++) {
            vec d = vec_set(delta[u]);
            UNROLL
            for (int v = 0; v < vecs; v++)
                sum[v][u] = vec_fma(inputs[v], d, sum[v][u]);
        }
    }
    few_end(p, units, vecs, sum);
}

/* Enough sums at a time to hide the latency of a multiply-add. */
#define FEW_VECS(units) ((units) < 6 ? 4 : 2)

#define FEW_CASE(n)                                                                                \
    case n:                                                                                        \
        if (n <= FEW_UNITS)                                                                        \
            few_units(p, n <= FEW_UNITS ? n : 1, FEW_VECS(n));                                     \
        break;

static void few_units_of(const product *p, size_t units) {
    switch (units) {
        FEW_CASE(2)
        FEW_CASE(3)
        FEW_CASE(4)
        FEW_CASE(5)
        FEW_CASE(6)
        FEW_CASE(7)
        FEW_CASE(8)
        FEW_CASE(9)
        FEW_CASE(10)
        FEW_CASE(11)
    }
}

/* product_bands for x^T delta. */
ALWAYS_INLINE void gradient_bands(product *p, size_t inputs, size_t units, float *panel) {
    if (units > 1 && units <= FEW_UNITS && p->c_row == units && p->end != END_ACCUMULATE) {
        size_t block = FEW_VECS(units) * VEC_LANES;
        for (; inputs >= block; inputs -= block) {
            few_units_of(p, units);
            p->a += block;
            p->c += block * units;
        }
    }
    product_bands(p, inputs, units, panel);
}

/* A part of x^T delta, whose first element goes to c. */
ALWAYS_INLINE product gradient_product(
    size_t rows, size_t inputs, size_t units, tnni_range input_part, tnni_range unit_part,
    const float *x, const float *delta, product_end end, float *c) {
    return (product){
        .depth = rows,
        .chains = 1,
        .a = x + input_part.begin,
        .a_row = 1,
        .a_step = inputs,
        .b = delta + unit_part.begin,
        .b_step = units,
        .end = end,
        .c = c,
        .c_row = units,
    };
}

static void dense_weight_gradient(
    size_t rows, size_t inputs, size_t units, tnni_range input_part, tnni_range unit_part,
    const float *x, const float *delta, bool accumulate, float *gradient, float *panel) {
    if (tnni_length(input_part) == 0 || tnni_length(unit_part) == 0)
        return;
    product p = gradient_product(
        rows, inputs, units, input_part, unit_part, x, delta,
        accumulate ? END_ACCUMULATE : END_STORE,
        gradient + input_part.begin * units + unit_part.begin);
    gradient_bands(&p, tnni_length(input_part), tnni_length(unit_part), panel);
}

static void dense_weight_descent(
    size_t rows, size_t inputs, size_t units, tnni_range input_part, tnni_range unit_part,
    const float *x, const float *delta, float rate, float *weights, float *panel) {
    if (rows == 1 && is_sparse(inputs, units, x) && are_finite(units, delta)) {
        sparse_descent(units, input_part, unit_part, x, delta, rate, weights);
        return;
    }
    product p = gradient_product(
        rows, inputs, units, input_part, unit_part, x, delta, END_DESCEND,
        weights + input_part.begin * units + unit_part.begin);
    p.rate = rate;
    gradient_bands(&p, tnni_length(input_part), tnni_length(unit_part), panel);
}

/*
 * Gradients on their way into a step: some rows, whole ones unless they are wide, because
 * parameters and moments come from the caches behind the first, which like long stretches. Tiles of
 * most heights divide the rows.
 */
enum { STEP_FLOATS = 1536, LEAST_STEP_ROWS = 6, MOST_STEP_ROWS = 48 };

static size_t step_rows(size_t columns) {
    size_t rows = STEP_FLOATS / columns / LEAST_STEP_ROWS * LEAST_STEP_ROWS;
    return rows < MOST_STEP_ROWS ? rows : MOST_STEP_ROWS;
}

/* The steps of some columns of weights[count, units], with the gradients that p stands for. */
static void step_band(
    const product *p, size_t count, size_t columns, const tnni_step *step, float *weights,
    size_t units, float *moments, size_t stride, float *panel) {
    float gradients[STEP_FLOATS];
    tnni_step_kernel *kernel = step_kernels[step->is_shaped][step->kind];
    size_t most = step_rows(columns);
    for (size_t i = 0; i < count; i += most) {
        size_t height = count - i < most ? count - i : most;
        float *m = moments ? moments + i * units : NULL;
        product part = *p;
        part.a += i;
        part.c = gradients;
        gradient_bands(&part, height, columns, panel);
        if (columns == units)
            kernel(step, 1, height * units, gradients, weights + i * units, 0, m, stride);
        else
            kernel(step, height, columns, gradients, weights + i * units, units, m, stride);
    }
}

static void dense_weight_update(
    size_t rows, size_t inputs, size_t units, tnni_range input_part, tnni_range unit_part,
    const float *x, const float *delta, const tnni_step *step, float *weights, float *moments,
    size_t stride, float *panel) {
    if (tnni_length(input_part) == 0 || tnni_length(unit_part) == 0)
        return;
    if (step->kind == TNNI_DESCENT) {
        dense_weight_descent(
            rows, inputs, units, input_part, unit_part, x, delta, step->rate, weights, panel);
        return;
    }
    size_t count = tnni_length(input_part);
    size_t most = units < TNNI_WIDE ? units : TILE_COLUMNS;
    for (size_t j = unit_part.begin; j < unit_part.end; j += most) {
        size_t columns = unit_part.end - j < most ? unit_part.end - j : most;
        size_t at = input_part.begin * units + j;
        product p = gradient_product(
            rows, inputs, units, input_part, (tnni_range){j, j + columns}, x, delta, END_STORE,
            NULL);
        p.c_row = columns;
        if (columns == TILE_COLUMNS && rows <= PANEL_DEPTH && wants_panel(&p, count)) {
            copy_panel(rows, columns, p.b, units, panel);
            p.b = panel;
            p.b_step = columns;
        }
        step_band(
            &p, count, columns, step, weights + at, units, moments ? moments + at : NULL, stride,
            panel);
    }
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
