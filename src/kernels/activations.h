/*
 * Activations and their derivatives. Elementwise ones are a function of a vector, mapped over all
 * rows as one array; softmax works row by row. A backward function turns dL/da into dL/dz.
 *
 * A maximum or minimum takes the constant first, so that a NaN comes through.
 */

/*
 * The two kernels of an activation f(z, parameter) with f_derivative(source, gradient, parameter),
 * which is gradient times f'; source says what that is computed from, z or a.
 */
#define ELEMENTWISE(f, source)                                                                     \
    static void f##_forward(                                                                       \
        float parameter, size_t rows, size_t units, const float *z, float *a) {                    \
        size_t count = rows * units;                                                               \
        vec p = vec_set(parameter);                                                                \
        for (size_t i = 0; i < count; i += VEC_LANES) {                                            \
            size_t lanes = lanes_at(i, count);                                                     \
            store_lanes(a + i, lanes, f(load_lanes(z + i, lanes), p));                             \
        }                                                                                          \
    }                                                                                              \
    ELEMENTWISE_BACKWARD(f, source)

/* The same for an f that math.h maps by groups of vectors. */
#define ELEMENTWISE_BY_GROUPS(f, map, source)                                                      \
    static void f##_forward(float unused, size_t rows, size_t units, const float *z, float *a) {   \
        (void)unused;                                                                              \
        map(rows *units, z, a);                                                                    \
    }                                                                                              \
    ELEMENTWISE_BACKWARD(f, source)

#define ELEMENTWISE_BACKWARD(f, source)                                                            \
    static void f##_backward(                                                                      \
        float parameter, size_t rows, size_t units, const float *z, const float *a,                \
        float *gradient) {                                                                         \
        size_t count = rows * units;                                                               \
        vec p = vec_set(parameter);                                                                \
        (void)z;                                                                                   \
        (void)a;                                                                                   \
        for (size_t i = 0; i < count; i += VEC_LANES) {                                            \
            size_t lanes = lanes_at(i, count);                                                     \
            vec g = load_lanes(gradient + i, lanes);                                               \
            store_lanes(gradient + i, lanes, f##_derivative(load_lanes(source + i, lanes), g, p)); \
        }                                                                                          \
    }

static void identity_forward(float parameter, size_t rows, size_t units, const float *z, float *a) {
    (void)parameter;
    if (a != z)
        memmove(a, z, rows * units * sizeof *a);
}

static void identity_backward(
    float parameter, size_t rows, size_t units, const float *z, const float *a, float *gradient) {
    (void)parameter, (void)rows, (void)units, (void)z, (void)a, (void)gradient;
}

ALWAYS_INLINE vec relu(vec z, vec unused) {
    (void)unused;
    return vec_relu(z);
}

ALWAYS_INLINE vec relu_derivative(vec a, vec gradient, vec unused) {
    (void)unused;
    return vec_select(vec_greater(a, vec_set(0.0f)), gradient, vec_set(0.0f));
}

ELEMENTWISE(relu, a)

ALWAYS_INLINE vec leaky_relu(vec z, vec slope) {
    return vec_select(vec_greater(z, vec_set(0.0f)), z, vec_mul(slope, z));
}

/* The slope is positive, so a has the sign of z. */
ALWAYS_INLINE vec leaky_relu_derivative(vec a, vec gradient, vec slope) {
    return vec_select(vec_greater(a, vec_set(0.0f)), gradient, vec_mul(slope, gradient));
}

ELEMENTWISE(leaky_relu, a)

ALWAYS_INLINE vec sigmoid(vec z, vec unused) {
    (void)unused;
    return vec_sigmoid(z);
}

ALWAYS_INLINE vec sigmoid_derivative(vec a, vec gradient, vec unused) {
    (void)unused;
    return vec_mul(gradient, vec_mul(a, vec_sub(vec_set(1.0f), a)));
}

ELEMENTWISE_BY_GROUPS(sigmoid, map_sigmoid, a)

/* tanh is libm's name. */
ALWAYS_INLINE vec hyperbolic_tangent(vec z, vec unused) {
    (void)unused;
    return vec_tanh(z);
}

ALWAYS_INLINE vec hyperbolic_tangent_derivative(vec a, vec gradient, vec unused) {
    (void)unused;
    return vec_mul(gradient, vec_fma(vec_negate(a), a, vec_set(1.0f)));
}

ELEMENTWISE_BY_GROUPS(hyperbolic_tangent, map_tanh, a)

ALWAYS_INLINE vec elu(vec z, vec alpha) {
    return vec_select(vec_greater(z, vec_set(0.0f)), z, vec_mul(alpha, vec_expm1(z)));
}

/* alpha exp(z) = a + alpha */
ALWAYS_INLINE vec elu_derivative(vec a, vec gradient, vec alpha) {
    vec slope = vec_add(a, alpha);
    return vec_select(vec_greater(a, vec_set(0.0f)), gradient, vec_mul(gradient, slope));
}

ELEMENTWISE(elu, a)

/* Klambauer et al. 2017, the fixed point of mean 0 and variance 1. */
#define SELU_SCALE 1.0507009873554804934f
#define SELU_SCALE_ALPHA 1.7580993408473768600f

ALWAYS_INLINE vec selu(vec z, vec unused) {
    (void)unused;
    vec negative = vec_mul(vec_set(SELU_SCALE_ALPHA), vec_expm1(z));
    return vec_select(vec_greater(z, vec_set(0.0f)), vec_mul(vec_set(SELU_SCALE), z), negative);
}

ALWAYS_INLINE vec selu_derivative(vec a, vec gradient, vec unused) {
    (void)unused;
    vec negative = vec_add(a, vec_set(SELU_SCALE_ALPHA));
    vec slope = vec_select(vec_greater(a, vec_set(0.0f)), vec_set(SELU_SCALE), negative);
    return vec_mul(gradient, slope);
}

ELEMENTWISE(selu, a)

/* log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|)) */
ALWAYS_INLINE vec softplus(vec z, vec unused) {
    (void)unused;
    vec rest = vec_log1p_of_unit(vec_exp(vec_negate(vec_abs(z))));
    return vec_add(vec_max(vec_set(0.0f), z), rest);
}

ALWAYS_INLINE vec softplus_derivative(vec z, vec gradient, vec unused) {
    (void)unused;
    return vec_mul(gradient, vec_sigmoid(z));
}

ELEMENTWISE(softplus, z)

ALWAYS_INLINE vec softsign(vec z, vec unused) {
    (void)unused;
    return vec_div(z, vec_add(vec_set(1.0f), vec_abs(z)));
}

/* From z: (1 - |a|)^2 would lose its digits where |a| is near 1. */
ALWAYS_INLINE vec softsign_derivative(vec z, vec gradient, vec unused) {
    (void)unused;
    vec inverse = vec_div(vec_set(1.0f), vec_add(vec_set(1.0f), vec_abs(z)));
    return vec_mul(gradient, vec_mul(inverse, inverse));
}

ELEMENTWISE(softsign, z)

ALWAYS_INLINE vec silu(vec z, vec unused) {
    (void)unused;
    return vec_mul(z, vec_sigmoid(z));
}

/* s + z s (1 - s) = s (1 + z (1 - s)), and 1 - s = sigmoid(-z) to the last digit */
ALWAYS_INLINE vec silu_derivative(vec z, vec gradient, vec unused) {
    (void)unused;
    vec slope = vec_mul(vec_sigmoid(z), vec_fma(z, vec_sigmoid(vec_negate(z)), vec_set(1.0f)));
    return vec_mul(gradient, slope);
}

ELEMENTWISE(silu, z)

/* The normal distribution function, (1 + erf(z / sqrt 2)) / 2. */
ALWAYS_INLINE vec normal_distribution(vec z) {
    vec erf_z = vec_erf(vec_mul(z, vec_set(0.70710678118654752440f)));
    return vec_fma(vec_set(0.5f), erf_z, vec_set(0.5f));
}

ALWAYS_INLINE vec gelu(vec z, vec unused) {
    (void)unused;
    return vec_mul(z, normal_distribution(z));
}

/* Phi(z) + z phi(z), phi being the density exp(-z^2 / 2) / sqrt(2 pi) */
ALWAYS_INLINE vec gelu_derivative(vec z, vec gradient, vec unused) {
    (void)unused;
    vec density =
        vec_mul(vec_set(0.39894228040143267794f), vec_exp(vec_mul(vec_set(-0.5f), vec_mul(z, z))));
    return vec_mul(gradient, vec_fma(z, density, normal_distribution(z)));
}

ELEMENTWISE(gelu, z)

ALWAYS_INLINE vec hard_sigmoid(vec z, vec unused) {
    (void)unused;
    vec line = vec_fma(z, vec_set(1.0f / 6.0f), vec_set(0.5f));
    return vec_min(vec_set(1.0f), vec_max(vec_set(0.0f), line));
}

ALWAYS_INLINE vec hard_sigmoid_derivative(vec a, vec gradient, vec unused) {
    (void)unused;
    vec inside = vec_mul(gradient, vec_set(1.0f / 6.0f));
    vec below_one = vec_select(vec_greater(vec_set(1.0f), a), inside, vec_set(0.0f));
    return vec_select(vec_greater(a, vec_set(0.0f)), below_one, vec_set(0.0f));
}

ELEMENTWISE(hard_sigmoid, a)

ALWAYS_INLINE vec hard_tanh(vec z, vec unused) {
    (void)unused;
    return vec_min(vec_set(1.0f), vec_max(vec_set(-1.0f), z));
}

ALWAYS_INLINE vec hard_tanh_derivative(vec a, vec gradient, vec unused) {
    (void)unused;
    return vec_select(vec_greater(vec_set(1.0f), vec_abs(a)), gradient, vec_set(0.0f));
}

ELEMENTWISE(hard_tanh, a)

/* Vectors of a row that are looked at together: whole sixteens of lanes. */
enum { ROW_GROUP = (int)SIXTEEN < (int)EXP_GROUP ? (int)EXP_GROUP : (int)SIXTEEN };

/* A part of a row is filled up with its first element. */
static float row_maximum(size_t units, const float *z) {
    vec largest[ROW_GROUP];
    size_t i = 0;
    UNROLL
    for (int j = 0; j < ROW_GROUP; j++)
        largest[j] = vec_set(z[0]);
    for (; units - i >= ROW_GROUP * VEC_LANES; i += ROW_GROUP * VEC_LANES) {
        UNROLL
        for (int j = 0; j < ROW_GROUP; j++)
            largest[j] = vec_max(largest[j], vec_load(z + i + j * VEC_LANES));
    }
    for (int j = 0; i < units; i += VEC_LANES, j++) {
        size_t lanes = lanes_at(i, units);
        vec part = load_lanes(z + i, lanes);
        if (lanes < VEC_LANES)
            part = vec_first_lanes(lanes, part, vec_set(z[0]));
        largest[j] = vec_max(largest[j], part);
    }
    lanes16 lanes;
    UNROLL
    for (int j = 0; j < SIXTEEN; j++) {
        lanes.part[j] = largest[j];
        for (int other = j + SIXTEEN; other < ROW_GROUP; other += SIXTEEN)
            lanes.part[j] = vec_max(lanes.part[j], largest[other]);
    }
    return lanes16_largest(lanes);
}

/* e = exp(z - largest); returns their sum, in sixteen lanes. */
static float row_exponentials(size_t units, float largest, const float *z, float *e) {
    lanes16 sum = lanes16_zero();
    vec shift = vec_set(largest);
    size_t i = 0;
    for (; units - i >= ROW_GROUP * VEC_LANES; i += ROW_GROUP * VEC_LANES) {
        for (int first = 0; first < ROW_GROUP; first += EXP_GROUP) {
            size_t at = i + (size_t)first * VEC_LANES;
            vec shifted[EXP_GROUP], power[EXP_GROUP];
            UNROLL
            for (int j = 0; j < EXP_GROUP; j++)
                shifted[j] = vec_sub(vec_load(z + at + j * VEC_LANES), shift);
            exp_group(EXP_GROUP, shifted, power);
            UNROLL
            for (int j = 0; j < EXP_GROUP; j++) {
                vec *part = &sum.part[(first + j) % SIXTEEN];
                vec_store(e + at + j * VEC_LANES, power[j]);
                *part = vec_add(*part, power[j]);
            }
        }
    }
    for (int j = 0; i < units; i += VEC_LANES, j = (j + 1) % SIXTEEN) {
        size_t lanes = lanes_at(i, units);
        vec power = vec_exp(vec_sub(load_lanes(z + i, lanes), shift));
        store_lanes(e + i, lanes, power);
        if (lanes < VEC_LANES)
            power = vec_first_lanes(lanes, power, vec_set(0.0f));
        sum.part[j] = vec_add(sum.part[j], power);
    }
    return lanes16_fold(sum);
}

/* The sum of x * y in sixteen lanes. */
static float row_dot(size_t units, const float *x, const float *y) {
    lanes16 sum = lanes16_zero();
    for (size_t i = 0; i < units; i += 16) {
        for (size_t j = 0; j < SIXTEEN && i + j * VEC_LANES < units; j++) {
            size_t at = i + j * VEC_LANES;
            size_t lanes = lanes_at(at, units);
            sum.part[j] =
                vec_fma(load_lanes(x + at, lanes), load_lanes(y + at, lanes), sum.part[j]);
        }
    }
    return lanes16_fold(sum);
}

/* x = x factor */
static void scale_row(size_t count, float factor, float *x) {
    vec f = vec_set(factor);
    for (size_t i = 0; i < count; i += VEC_LANES) {
        size_t lanes = lanes_at(i, count);
        store_lanes(x + i, lanes, vec_mul(load_lanes(x + i, lanes), f));
    }
}

static void softmax_forward(float unused, size_t rows, size_t units, const float *z, float *a) {
    (void)unused;
    for (size_t r = 0; r < rows; r++, z += units, a += units) {
        float sum = row_exponentials(units, row_maximum(units, z), z, a);
        scale_row(units, 1.0f / sum, a);
    }
}

/* dL/dz_i = a_i (g_i - sum_j a_j g_j) */
static void softmax_backward(
    float unused, size_t rows, size_t units, const float *z, const float *a, float *gradient) {
    (void)unused, (void)z;
    for (size_t r = 0; r < rows; r++, a += units, gradient += units) {
        vec mean = vec_set(row_dot(units, a, gradient));
        for (size_t i = 0; i < units; i += VEC_LANES) {
            size_t lanes = lanes_at(i, units);
            vec centred = vec_sub(load_lanes(gradient + i, lanes), mean);
            store_lanes(gradient + i, lanes, vec_mul(load_lanes(a + i, lanes), centred));
        }
    }
}
