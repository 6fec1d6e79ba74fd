/* What is done to whole rows between a layer and its neighbours: weighing, scaling, dropout. */

static void scale_rows(
    size_t rows, size_t units, const float *row_weights, size_t batch_rows, float *gradient) {
    for (size_t r = 0; r < rows; r++, gradient += units) {
        double weight = row_weights ? row_weights[r] : 1.0;
        scale_row(units, (float)(weight / (double)batch_rows), gradient);
    }
}

/* Subtraction and product, quotient and sum: two roundings each. */
ALWAYS_INLINE vec scaled(vec x, const float *shift, vec scale, size_t lanes) {
    return vec_mul(shift ? vec_sub(x, load_lanes(shift, lanes)) : x, scale);
}

ALWAYS_INLINE vec unscaled(vec x, const float *shift, vec scale, size_t lanes) {
    vec quotient = vec_div(x, scale);
    return shift ? vec_add(quotient, load_lanes(shift, lanes)) : quotient;
}

/* Lanes without a column have the scale 1, by which anything can be divided. */
#define COLUMNS(name, of_lanes)                                                                    \
    static void name(                                                                              \
        size_t rows, size_t columns, const float *shift, const float *scale, const float *x,       \
        float *y) {                                                                                \
        for (size_t r = 0; r < rows; r++, x += columns, y += columns) {                            \
            for (size_t i = 0; i < columns; i += VEC_LANES) {                                      \
                size_t lanes = lanes_at(i, columns);                                               \
                vec s = vec_first_lanes(lanes, load_lanes(scale + i, lanes), vec_set(1.0f));       \
                vec v = load_lanes(x + i, lanes);                                                  \
                store_lanes(y + i, lanes, of_lanes(v, shift ? shift + i : NULL, s, lanes));        \
            }                                                                                      \
        }                                                                                          \
    }

COLUMNS(scale_columns, scaled)
COLUMNS(unscale_columns, unscaled)

static const int32_t lane_numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* 24 random bits a lane, as a float: Wellons' lowbias32 of the unit's number, spread by a multiple,
 * and the row's key. */
ALWAYS_INLINE vec random_24_bits(ivec unit, ivec row_key) {
    ivec h = ivec_xor(ivec_mul(unit, ivec_set((int32_t)0x9e3779b1u)), row_key);
    h = ivec_mul(ivec_xor(h, ivec_shift_right(h, 16)), ivec_set(0x7feb352d));
    h = ivec_mul(ivec_xor(h, ivec_shift_right(h, 15)), ivec_set((int32_t)0x846ca68bu));
    h = ivec_xor(h, ivec_shift_right(h, 16));
    return vec_from_int(ivec_shift_right(h, 8));
}

static void dropout_rows(
    uint64_t key, float share, size_t first_row, size_t rows, size_t units, const float *a,
    float *output) {
    vec bound = vec_set(share * 0x1p24f);
    vec scale = vec_set(1.0f / (1.0f - share));
    for (size_t r = 0; r < rows; r++, a += units, output += units) {
        ivec row_key = ivec_set((int32_t)(uint32_t)tnni_mix(key + first_row + r));
        for (size_t u = 0; u < units; u += VEC_LANES) {
            size_t lanes = lanes_at(u, units);
            ivec unit = ivec_add(ivec_load(lane_numbers), ivec_set((int32_t)(uint32_t)u));
            mask dropped = vec_greater(bound, random_24_bits(unit, row_key));
            vec kept = vec_mul(load_lanes(a + u, lanes), scale);
            store_lanes(output + u, lanes, vec_select(dropped, vec_set(0.0f), kept));
        }
    }
}
