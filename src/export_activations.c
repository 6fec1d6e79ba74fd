/*
 * Activations as C source: those of kernels/activations.h on the functions of kernels/math.h,
 * operation by operation, so that with own_math they have the library's bits. Without it the
 * elementary functions are the C library's.
 */
#include "export_c.h"

#include "support/number.h"

/* ---- The functions of kernels/math.h --------------------------------------------------------- */

/*
 * Compilers may fuse a product with a sum that has no other use for it, even across statements.
 * Here every such product is by a power of two and exact, or too small for the sum to notice.
 */
static const char bits_text[] =
    "static inline uint32_t @_bits(float x) {\n"
    "    uint32_t bits;\n"
    "    memcpy(&bits, &x, sizeof bits);\n"
    "    return bits;\n"
    "}\n"
    "\n"
    "static inline float @_float(uint32_t bits) {\n"
    "    float x;\n"
    "    memcpy(&x, &bits, sizeof x);\n"
    "    return x;\n"
    "}\n"
    "\n"
    "/* exp(r) - 1, where x = n ln 2 + r. shift is 3 * 2^22 + bias, *biased has n + bias in its "
    "low\n"
    "   bits. */\n"
    "static inline float @_reduced_expm1(float x, float shift, uint32_t *biased) {\n"
    "    const float shifted = fmaf(x, 1.442695f, shift);\n"
    "    const float n = shifted - shift;\n"
    "    const float r = fmaf(n, -1.4286068e-06f, fmaf(n, -0.69314575f, x));\n"
    "    const float r2 = r * r;\n"
    "    const float low = fmaf(0.16666543f, r, 0.49999997f);\n"
    "    const float middle = fmaf(0.008366545f, r, 0.041667502f);\n"
    "    const float high = fmaf(0.001386458f, r2, middle);\n"
    "    *biased = @_bits(shifted);\n"
    "    return fmaf(fmaf(high, r2, low), r2, r);\n"
    "}\n"
    "\n";

static const char scaled_text[] =
    "/* p 2^n in two steps, since 2^n may be no float; biased is n + 254. */\n"
    "static inline float @_scaled(float p, uint32_t biased) {\n"
    "    const uint32_t half = (biased << 22) & 0xff800000u;\n"
    "    const uint32_t rest = (biased << 23) - half;\n"
    "    return p * @_float(half) * @_float(rest);\n"
    "}\n"
    "\n";

static const char exp_text[] = "static inline float @_exp(float x) {\n"
                               "    const float at_most = 89.0f < x ? 89.0f : x;\n"
                               "    const float clamped = -104.0f > at_most ? -104.0f : at_most;\n"
                               "    uint32_t n;\n"
                               "    const float p = @_reduced_expm1(clamped, 12583166.0f, &n);\n"
                               "    return @_scaled(p + 1.0f, n);\n"
                               "}\n"
                               "\n";

static const char expm1_text[] = "static inline float @_expm1(float x) {\n"
                                 "    const float at_most = 89.0f < x ? 89.0f : x;\n"
                                 "    const float clamped = -18.0f > at_most ? -18.0f : at_most;\n"
                                 "    uint32_t n;\n"
                                 "    const float p = @_reduced_expm1(clamped, 12583038.0f, &n);\n"
                                 "    const float power = @_float(n << 23);\n"
                                 "    const float half = fmaf(power, p, power - 0.5f);\n"
                                 "    return fabsf(x) > 9.094947e-13f ? half + half : x;\n"
                                 "}\n"
                                 "\n";

static const char tanh_text[] =
    "static inline float @_tanh(float x) {\n"
    "    const float minus_x = -fabsf(x);\n"
    "    const float twice = minus_x + minus_x;\n"
    "    uint32_t n;\n"
    "    const float p = @_reduced_expm1(-20.0f > twice ? -20.0f : twice, 12583295.0f, &n);\n"
    "    const float minus_power = @_float(n << 23);\n"
    "    const float rest = 1.0f + minus_power;\n"
    "    const float u = fmaf(minus_power, p, rest);\n"
    "    const float u_low = fmaf(minus_power, p, rest - u);\n"
    "    const float q = u / (2.0f - u);\n"
    "    const float remainder = fmaf(u_low, 1.5f, fmaf(q, u, fmaf(q, -2.0f, u)));\n"
    "    const float reciprocal = fmaf(u, 0.5f, 0.457f);\n"
    "    return copysignf(fmaf(remainder, reciprocal, q), x);\n"
    "}\n"
    "\n";

static const char sigmoid_text[] =
    "static inline float @_sigmoid(float x) {\n"
    "    const float minus_x = -fabsf(x);\n"
    "    uint32_t n;\n"
    "    const float p = @_reduced_expm1(-104.0f > minus_x ? -104.0f : minus_x, 12583166.0f, &n);\n"
    "    const float minus_e = @_scaled(-1.0f - p, n);\n"
    "    const float numerator = x > 0.0f ? 1.0f : minus_e;\n"
    "    const float q = numerator / (1.0f - minus_e);\n"
    "    const float remainder = fmaf(q, minus_e, numerator - q);\n"
    "    const float reciprocal = fmaf(minus_e, 0.5f, 0.957f);\n"
    "    return fabsf(fmaf(remainder, reciprocal, q));\n"
    "}\n"
    "\n";

static const char log1p_text[] = "/* log(1 + t) of 0 <= t <= 1. */\n"
                                 "static inline float @_log1p(float t) {\n"
                                 "    float q = -0.0033124348f;\n"
                                 "    q = fmaf(q, t, 0.020176446f);\n"
                                 "    q = fmaf(q, t, -0.057609394f);\n"
                                 "    q = fmaf(q, t, 0.10674694f);\n"
                                 "    q = fmaf(q, t, -0.15351717f);\n"
                                 "    q = fmaf(q, t, 0.19694024f);\n"
                                 "    q = fmaf(q, t, -0.24958293f);\n"
                                 "    q = fmaf(q, t, 0.3333048f);\n"
                                 "    q = fmaf(q, t, -0.4999993f);\n"
                                 "    return fmaf(t * t, q, t);\n"
                                 "}\n"
                                 "\n";

static const char erf_text[] =
    "static inline float @_erf(float x) {\n"
    "    const float x2 = x * x;\n"
    "    const float magnitude = fabsf(x);\n"
    "    const float v = (3.92f < magnitude ? 3.92f : magnitude) - 2.628125f;\n"
    "    float inner = 6.647807e-05f;\n"
    "    inner = fmaf(inner, x2, -0.00076106103f);\n"
    "    inner = fmaf(inner, x2, 0.0051385113f);\n"
    "    inner = fmaf(inner, x2, -0.02682508f);\n"
    "    inner = fmaf(inner, x2, 0.11282831f);\n"
    "    inner = fmaf(inner, x2, -0.3761255f);\n"
    "    inner = fmaf(inner, x2, 0.12837915f);\n"
    "    float outer = -8.458275e-06f;\n"
    "    outer = fmaf(outer, v, 7.4038976e-06f);\n"
    "    outer = fmaf(outer, v, 7.8249606e-05f);\n"
    "    outer = fmaf(outer, v, -0.00018646191f);\n"
    "    outer = fmaf(outer, v, 2.3228247e-05f);\n"
    "    outer = fmaf(outer, v, 0.0007188546f);\n"
    "    outer = fmaf(outer, v, -0.0022261636f);\n"
    "    outer = fmaf(outer, v, 0.004156766f);\n"
    "    outer = fmaf(outer, v, -0.0053508366f);\n"
    "    outer = fmaf(outer, v, 0.0048274435f);\n"
    "    outer = fmaf(outer, v, -0.0029673732f);\n"
    "    outer = fmaf(outer, v, 0.0011289093f);\n"
    "    outer = fmaf(outer, v, 0.9997982f);\n"
    "    inner = fmaf(inner, x, x);\n"
    "    return magnitude > 1.1875f ? copysignf(outer, x) : inner;\n"
    "}\n"
    "\n";

/* With the C library. */
static const char library_sigmoid_text[] = "static inline float @_sigmoid(float x) {\n"
                                           "    const float e = expf(-fabsf(x));\n"
                                           "    return (x > 0.0f ? 1.0f : e) / (1.0f + e);\n"
                                           "}\n"
                                           "\n";

static void put_if(tnni_text *text, bool wanted, const char *string) {
    if (wanted)
        tnni_text_put(text, string);
}

static bool uses(const tnn_net *net, tnni_activation_kind kind) {
    for (size_t l = 0; l < net->layer_count; l++)
        if (net->layers[l].kind == kind)
            return true;
    return false;
}

static void put_elementary_functions(tnni_text *text, const tnni_export *e) {
    bool has_exp = uses(e->net, TNNI_SOFTMAX) || uses(e->net, TNNI_SOFTPLUS);
    bool has_expm1 = uses(e->net, TNNI_ELU) || uses(e->net, TNNI_SELU);
    bool has_tanh = uses(e->net, TNNI_TANH);
    bool has_sigmoid = uses(e->net, TNNI_SIGMOID) || uses(e->net, TNNI_SILU);
    if (!e->own_math) {
        put_if(text, has_sigmoid, library_sigmoid_text);
        return;
    }
    put_if(text, has_exp || has_expm1 || has_tanh || has_sigmoid, bits_text);
    put_if(text, has_exp || has_sigmoid, scaled_text);
    put_if(text, has_exp, exp_text);
    put_if(text, has_expm1, expm1_text);
    put_if(text, has_tanh, tanh_text);
    put_if(text, has_sigmoid, sigmoid_text);
    put_if(text, uses(e->net, TNNI_SOFTPLUS), log1p_text);
    put_if(text, uses(e->net, TNNI_GELU), erf_text);
}

/* ---- Activations ----------------------------------------------------------------------------- */

static const char relu_text[] = "/* The sum makes +0 of -0; a NaN stays one. */\n"
                                "static inline float @_relu(float z) {\n"
                                "    const float sum = z + 0.0f;\n"
                                "    return 0.0f > sum ? 0.0f : sum;\n"
                                "}\n"
                                "\n";

static const char leaky_relu_text[] = "static inline float @_leaky_relu(float z, float slope) {\n"
                                      "    const float below = slope * z;\n"
                                      "    return z > 0.0f ? z : below;\n"
                                      "}\n"
                                      "\n";

static const char elu_text[] = "static inline float @_elu(float z, float alpha) {\n"
                               "    const float below = alpha * %s(z);\n"
                               "    return z > 0.0f ? z : below;\n"
                               "}\n"
                               "\n";

static const char selu_text[] = "static inline float @_selu(float z) {\n"
                                "    const float above = 1.050701f * z;\n"
                                "    const float below = 1.7580993f * %s(z);\n"
                                "    return z > 0.0f ? above : below;\n"
                                "}\n"
                                "\n";

static const char softplus_text[] = "static inline float @_softplus(float z) {\n"
                                    "    const float rest = %s(%s(-fabsf(z)));\n"
                                    "    return (0.0f > z ? 0.0f : z) + rest;\n"
                                    "}\n"
                                    "\n";

static const char softsign_text[] = "static inline float @_softsign(float z) {\n"
                                    "    return z / (1.0f + fabsf(z));\n"
                                    "}\n"
                                    "\n";

static const char silu_text[] = "static inline float @_silu(float z) {\n"
                                "    return z * @_sigmoid(z);\n"
                                "}\n"
                                "\n";

static const char gelu_text[] = "static inline float @_gelu(float z) {\n"
                                "    const float erf_z = %s(z * 0.70710677f);\n"
                                "    return z * fmaf(0.5f, erf_z, 0.5f);\n"
                                "}\n"
                                "\n";

static const char hard_sigmoid_text[] = "static inline float @_hard_sigmoid(float z) {\n"
                                        "    const float line = fmaf(z, 0.16666667f, 0.5f);\n"
                                        "    const float at_least = 0.0f > line ? 0.0f : line;\n"
                                        "    return 1.0f < at_least ? 1.0f : at_least;\n"
                                        "}\n"
                                        "\n";

static const char hard_tanh_text[] = "static inline float @_hard_tanh(float z) {\n"
                                     "    const float at_least = -1.0f > z ? -1.0f : z;\n"
                                     "    return 1.0f < at_least ? 1.0f : at_least;\n"
                                     "}\n"
                                     "\n";

/* What one of z is called, and its definition, in which %s are elementary functions; NULL where it
 * has none of its own. */
typedef struct activation_source {
    const char *call;
    const char *text;
    const char *functions[2]; /* of the library's own */
    const char *library_functions[2];
} activation_source;

static const activation_source sources[TNNI_ACTIVATION_KINDS] = {
    [TNNI_RELU] = {"@_relu", relu_text, {0}, {0}},
    [TNNI_LEAKY_RELU] = {"@_leaky_relu", leaky_relu_text, {0}, {0}},
    [TNNI_SIGMOID] = {"@_sigmoid", NULL, {0}, {0}},
    [TNNI_TANH] = {NULL, NULL, {"@_tanh"}, {"tanhf"}},
    [TNNI_ELU] = {"@_elu", elu_text, {"@_expm1"}, {"expm1f"}},
    [TNNI_SELU] = {"@_selu", selu_text, {"@_expm1"}, {"expm1f"}},
    [TNNI_SOFTPLUS] = {"@_softplus", softplus_text, {"@_log1p", "@_exp"}, {"log1pf", "expf"}},
    [TNNI_SOFTSIGN] = {"@_softsign", softsign_text, {0}, {0}},
    [TNNI_SILU] = {"@_silu", silu_text, {0}, {0}},
    [TNNI_GELU] = {"@_gelu", gelu_text, {"@_erf"}, {"erff"}},
    [TNNI_HARD_SIGMOID] = {"@_hard_sigmoid", hard_sigmoid_text, {0}, {0}},
    [TNNI_HARD_TANH] = {"@_hard_tanh", hard_tanh_text, {0}, {0}},
};

void tnni_export_functions(tnni_text *text, const tnni_export *e) {
    put_elementary_functions(text, e);
    for (int kind = 0; kind < TNNI_ACTIVATION_KINDS; kind++) {
        const activation_source *source = &sources[kind];
        const char *const *functions = e->own_math ? source->functions : source->library_functions;
        if (source->text && uses(e->net, (tnni_activation_kind)kind))
            tnni_text_format(text, source->text, functions[0], functions[1]);
    }
}

/* A sum in the sixteen chains of docs/numerics.md, and a product with its reciprocal. */
static void put_softmax(tnni_text *text, const tnni_export *e, size_t units) {
    const char *exp = e->own_math ? "@_exp" : "expf";
    tnni_text_format(
        text,
        "    float largest = y[0];\n"
        "    for (int u = 1; u < %zu; u++)\n"
        "        largest = y[u] > largest ? y[u] : largest;\n"
        "    for (int u = 0; u < %zu; u++)\n"
        "        y[u] = %s(y[u] - largest);\n"
        "    float e[16];\n"
        "    for (int j = 0; j < 16; j++)\n"
        "        e[j] = 0.0f;\n",
        units, units, exp);
    if (units >= 16)
        tnni_text_format(
            text,
            "    for (int u = 0; u < %zu; u += 16) {\n"
            "        for (int j = 0; j < 16; j++)\n"
            "            e[j] = e[j] + y[u + j];\n"
            "    }\n",
            units / 16 * 16);
    if (units % 16 > 0)
        tnni_text_format(
            text,
            "    for (int j = 0; j < %zu; j++)\n"
            "        e[j] = e[j] + y[%zu + j];\n",
            units % 16, units / 16 * 16);
    tnni_export_tree(text, "e");
    tnni_text_format(
        text,
        "    const float factor = 1.0f / e[0];\n"
        "    for (int u = 0; u < %zu; u++)\n"
        "        y[u] = y[u] * factor;\n",
        units);
}

void tnni_export_tree(tnni_text *text, const char *lanes) {
    for (int half = 8; half >= 1; half /= 2)
        tnni_text_format(
            text,
            "    for (int j = 0; j < %d; j++)\n"
            "        %s[j] = %s[j] + %s[j + %d];\n",
            half, lanes, lanes, lanes, half);
}

void tnni_export_activation(
    tnni_text *text, const tnni_export *e, const tnni_layer *layer, const char *array,
    size_t count) {
    const activation_source *source = &sources[layer->kind];
    char parameter[TNNI_MOST_FLOAT];
    bool has_parameter = layer->kind == TNNI_LEAKY_RELU || layer->kind == TNNI_ELU;
    if (layer->kind == TNNI_IDENTITY)
        return;
    if (layer->kind == TNNI_SOFTMAX) {
        put_softmax(text, e, count);
        return;
    }
    tnni_write_float(layer->activation.parameter, parameter);
    tnni_text_format(
        text,
        "    for (int u = 0; u < %zu; u++)\n"
        "        %s[u] = %s(%s[u]%s%s%s);\n",
        count, array,
        source->call      ? source->call
            : e->own_math ? source->functions[0]
                          : source->library_functions[0],
        array, has_parameter ? ", " : "", has_parameter ? parameter : "", has_parameter ? "f" : "");
}

/* Any but erf, which takes no look at bits. */
static bool uses_exponential(const tnn_net *net) {
    static const tnni_activation_kind kinds[] = {TNNI_SOFTMAX, TNNI_SOFTPLUS, TNNI_ELU, TNNI_SELU,
                                                 TNNI_TANH,    TNNI_SIGMOID,  TNNI_SILU};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (uses(net, kinds[i]))
            return true;
    return false;
}

bool tnni_export_needs_bits(const tnni_export *e) {
    return e->own_math && uses_exponential(e->net);
}

bool tnni_export_is_exact(const tnni_export *e) {
    bool is_elementary = uses_exponential(e->net) || uses(e->net, TNNI_GELU);
    return e->net->kernels->fused && (e->own_math || !is_elementary);
}
