/*
 * generate DIR [NETS]: nets of all kinds as generated C, in DIR/own_0.c, DIR/library_2.c and so on,
 * and DIR/check.c, a program that includes them and compares every output with the library's. And
 * nets of 2, 6 and 10 layers, DIR/deep_own_2.c, DIR/deep_library_2.c and so on, and the same with a
 * weight that is 1 % larger, DIR/weight_own_2.c.
 *
 * check.c prints "N outputs, M wrong" and returns 0 if M is 0. Nets with the library's own
 * functions have to agree to the bit, unless NOT_EXACT is defined, or TWO_ROUNDINGS, which replaces
 * fmaf. Of all nets, those with the functions of <math.h> too, the generated main decides as well.
 */
#include <tinynn/tinynn.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_NETS = 14, MOST_LAYERS = 3, MOST_WIDTH = 70, ROWS = 10 };

static uint64_t state = 1;

/* Knuth's MMIX generator, of which the high bits are used. */
static size_t below(size_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)((state >> 33) % bound);
}

static float uniform(void) { /* -1 to 1 */
    return (float)below(1u << 24) * 0x1p-23f - 1.0f;
}

static void require(tnn_status status) {
    if (status == TNN_OK)
        return;
    fprintf(stderr, "%s\n", tnn_error_message());
    exit(1);
}

static tnn_activation activation(size_t kind) {
    switch (kind % 14) {
    case 0:
        return tnn_identity();
    case 1:
        return tnn_relu();
    case 2:
        return tnn_leaky_relu(0.1f);
    case 3:
        return tnn_sigmoid();
    case 4:
        return tnn_tanh();
    case 5:
        return tnn_softmax();
    case 6:
        return tnn_elu(1.5f);
    case 7:
        return tnn_selu();
    case 8:
        return tnn_softplus();
    case 9:
        return tnn_softsign();
    case 10:
        return tnn_silu();
    case 11:
        return tnn_gelu();
    case 12:
        return tnn_hard_sigmoid();
    default:
        return tnn_hard_tanh();
    }
}

/* In turn a width that a form of sums or of loops begins or ends with, and any. */
static size_t width(void) {
    static const size_t corners[] = {1, 7, 16, 64, 2, 15, 8, 65, 33, 1, 17, 32, 70, 63, 4};
    static size_t calls;
    size_t call = calls++;
    return call % 2 == 0 ? corners[call / 2 % (sizeof corners / sizeof corners[0])]
                         : 1 + below(MOST_WIDTH);
}

static void set_scaling(
    tnn_net *net, size_t columns, tnn_status (*set)(tnn_net *, const float *, const float *)) {
    float shift[MOST_WIDTH], scale[MOST_WIDTH];
    for (size_t i = 0; i < columns; i++) {
        shift[i] = 3 * uniform();
        scale[i] = 1.25f + uniform();
    }
    require(set(net, shift, scale));
}

static tnn_net *make_net(size_t number) {
    tnn_layer layers[MOST_LAYERS] = {{0}};
    tnn_net *net;
    size_t count = 1 + below(MOST_LAYERS);
    for (size_t l = 0; l < count; l++)
        layers[l] = (tnn_layer){
            .units = width(),
            .activation = activation(number + 5 * l),
            .no_bias = below(4) == 0,
            .dropout = below(4) == 0 ? 0.5f : 0.0f,
        };
    require(tnn_net_create(&net, width(), layers, count, &(tnn_net_options){.seed = number}));
    for (size_t l = 0; l < count; l++)
        for (size_t u = 0; !layers[l].no_bias && u < layers[l].units; u++)
            tnn_net_biases(net, l)[u] = uniform();
    if (number % 3 == 1)
        set_scaling(net, tnn_net_inputs(net), tnn_net_set_input_scaling);
    if (number % 4 == 1)
        set_scaling(net, tnn_net_outputs(net), tnn_net_set_output_scaling);
    return net;
}

/* From where results are denormal to where everything is saturated, and both zeros. */
static void fill_rows(float *x, size_t inputs) {
    static const float sizes[ROWS] = {1, 1, 1, 0.01f, 5, 30, 1000, 1e-38f, 0, -0.0f};
    for (size_t r = 0; r < ROWS; r++)
        for (size_t i = 0; i < inputs; i++)
            x[r * inputs + i] = sizes[r] * (sizes[r] == 0 ? 1 : uniform());
}

static void put_bits(FILE *check, const char *what, size_t number, const float *x, size_t count) {
    fprintf(check, "static const uint32_t %s_%zu[] = {", what, number);
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        fprintf(check, "0x%08lxu,%s", (unsigned long)bits, i % 8 == 7 ? "\n" : "");
    }
    fprintf(check, "};\n");
}

static void export_net(const char *folder, size_t number, FILE *check) {
    static float x[ROWS * MOST_WIDTH], y[ROWS * MOST_WIDTH];
    char path[1024];
    tnn_workspace *workspace;
    tnn_net *net = make_net(number);
    fill_rows(x, tnn_net_inputs(net));
    require(tnn_workspace_create(&workspace, net, ROWS));
    require(tnn_predict(net, workspace, ROWS, x, y));
    put_bits(check, "x", number, x, ROWS * tnn_net_inputs(net));
    put_bits(check, "y", number, y, ROWS * tnn_net_outputs(net));
    for (int own = number % 3 != 2; own < 2; own++) {
        const char *kind = own ? "own" : "library";
        tnn_export_options options = {.own_math = own, .rows = ROWS, .x = x};
        snprintf(path, sizeof path, "%s/%s_%zu.c", folder, kind, number);
        require(tnn_net_export_c(net, path, &options));
        fprintf(check, "#define %s_%zu_MAIN\n", own ? "OWN" : "LIBRARY", number);
        fprintf(check, "#define main %s_main_%zu\n", kind, number);
        fprintf(check, "#include \"%s_%zu.c\"\n#undef main\n", kind, number);
    }
    tnn_workspace_destroy(workspace);
    tnn_net_destroy(net);
}

/* ---- Deep nets ------------------------------------------------------------------------------- */

enum { MOST_DEPTH = 10, DEEP_WIDTH = 24 };

static tnn_net *make_deep_net(size_t depth, bool own) {
    tnn_layer layers[MOST_DEPTH];
    tnn_net *net;
    for (size_t l = 0; l < depth; l++)
        layers[l] = (tnn_layer){.units = DEEP_WIDTH, .activation = tnn_relu()};
    if (!own) /* for a function of <math.h> */
        layers[0].activation = tnn_tanh();
    layers[depth - 1] = (tnn_layer){.units = 1};
    require(tnn_net_create(&net, DEEP_WIDTH, layers, depth, NULL));
    return net;
}

static void predict(const tnn_net *net, const float *x, float *y) {
    tnn_workspace *workspace;
    require(tnn_workspace_create(&workspace, net, ROWS));
    require(tnn_predict(net, workspace, ROWS, x, y));
    tnn_workspace_destroy(workspace);
}

/* Makes the first weight of a layer 1 % larger that takes an output with it by 1e-4; next to a relu
 * whose output is 0 a weight may be any. */
static void break_weight(tnn_net *net, size_t layer, size_t weights, const float *x) {
    float y[ROWS], broken_y[ROWS];
    float *weight = tnn_net_weights(net, layer);
    predict(net, x, y);
    for (size_t i = 0; i < weights; i++) {
        float right = weight[i];
        weight[i] *= 1.01f;
        predict(net, x, broken_y);
        for (size_t r = 0; r < ROWS; r++)
            if (broken_y[r] - y[r] > 1e-4f)
                return;
        weight[i] = right;
    }
    fprintf(stderr, "no weight matters\n");
    exit(1);
}

static void export_deep_net(const char *folder, size_t depth, bool own) {
    static const char *const kinds[] = {"deep", "weight"};
    float x[ROWS * DEEP_WIDTH];
    char path[1024];
    const tnn_export_options options = {.own_math = own, .rows = ROWS, .x = x};
    tnn_net *net = make_deep_net(depth, own);
    for (size_t i = 0; i < ROWS * DEEP_WIDTH; i++)
        x[i] = uniform();
    for (size_t i = 0; i < 2; i++) {
        snprintf(
            path, sizeof path, "%s/%s_%s_%zu.c", folder, kinds[i], own ? "own" : "library", depth);
        require(tnn_net_export_c(net, path, &options));
        if (i == 0)
            break_weight(net, depth / 2, DEEP_WIDTH * (depth == 2 ? 1 : DEEP_WIDTH), x);
    }
    tnn_net_destroy(net);
}

/* ---- The program ----------------------------------------------------------------------------- */

static const char check_begin[] = "#include <math.h>\n"
                                  "#include <stdint.h>\n"
                                  "#include <stdio.h>\n"
                                  "#include <string.h>\n"
                                  "\n";

static const char check_functions[] =
    "\n"
    "#if defined(TWO_ROUNDINGS) || defined(NOT_EXACT)\n"
    "enum { IS_EXACT = 0 };\n"
    "#else\n"
    "enum { IS_EXACT = 1 };\n"
    "#endif\n"
    "\n"
    "static int outputs, wrong;\n"
    "\n"
    "static void compare(const char *name, void (*predict)(const float *, float *), int inputs,\n"
    "                    int count, const uint32_t *x_bits, const uint32_t *y_bits) {\n"
    "    for (int r = 0; r < ROWS; r++, x_bits += inputs, y_bits += count) {\n"
    "        float x[MOST_WIDTH], y[MOST_WIDTH];\n"
    "        memcpy(x, x_bits, sizeof(float) * (unsigned)inputs);\n"
    "        predict(x, y);\n"
    "        for (int u = 0; u < count; u++) {\n"
    "            uint32_t bits;\n"
    "            memcpy(&bits, &y[u], sizeof bits);\n"
    "            outputs++;\n"
    "            if (bits == y_bits[u] || !IS_EXACT)\n"
    "                continue;\n"
    "            wrong++;\n"
    "            printf(\"%s, row %d, output %d: %08lx, expected %08lx\\n\", name, r, u,\n"
    "                   (unsigned long)bits, (unsigned long)y_bits[u]);\n"
    "        }\n"
    "    }\n"
    "}\n"
    "\n"
    "int main(void) {\n";

static void put_main(FILE *check, size_t nets) {
    fprintf(check, "enum { ROWS = %d, MOST_WIDTH = %d };\n", ROWS, MOST_WIDTH);
    fputs(check_functions, check);
    for (size_t n = 0; n < nets; n++)
        fprintf(
            check,
            "    compare(\"own_%zu\", own_%zu_predict, OWN_%zu_INPUTS, OWN_%zu_OUTPUTS, x_%zu, "
            "y_%zu);\n",
            n, n, n, n, n, n);
    for (size_t n = 0; n < nets; n++)
        fprintf(check, "    wrong += own_main_%zu();\n", n);
    for (size_t n = 2; n < nets; n += 3)
        fprintf(check, "    wrong += library_main_%zu();\n", n);
    fputs(
        "    printf(\"%d outputs, %d wrong\\n\", outputs, wrong);\n"
        "    return wrong > 0;\n"
        "}\n",
        check);
}

int main(int argc, char **argv) {
    char path[1024];
    if (argc != 2 && argc != 3)
        return 2;
    size_t nets = argc == 3 ? (size_t)atoi(argv[2]) : DEFAULT_NETS;
    snprintf(path, sizeof path, "%s/check.c", argv[1]);
    FILE *check = fopen(path, "w");
    if (!check)
        return 1;
    fputs(check_begin, check);
    for (size_t n = 0; n < nets; n++) {
        fprintf(check, "#ifdef TWO_ROUNDINGS\n");
        fprintf(check, "#define OWN_%zu_FMAF(a, b, c) ((a) * (b) + (c))\n", n);
        fprintf(check, "#define LIBRARY_%zu_FMAF(a, b, c) ((a) * (b) + (c))\n#endif\n", n);
        export_net(argv[1], n, check);
        fprintf(check, "#undef fmaf\n");
    }
    put_main(check, nets);
    for (size_t depth = 2; depth <= MOST_DEPTH; depth += 4) {
        export_deep_net(argv[1], depth, false);
        export_deep_net(argv[1], depth, true);
    }
    return fclose(check) == 0 ? 0 : 1;
}
