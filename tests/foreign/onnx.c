/*
 * onnx FOLDER: writes a model for every activation, and some with all that a net can have, next to
 * inputs and the outputs that the library computes: FOLDER/NAME.onnx, NAME.json.
 */
#include <tinynn/onnx.h>

#include <stdio.h>
#include <stdlib.h>

enum { INPUTS = 5, OUTPUTS = 4, ROWS = 7, COUNT = 14 };

static tnn_status compute(const tnn_net *net, const float *x, float *y) {
    tnn_workspace *workspace = NULL;
    tnn_status status = tnn_workspace_create(&workspace, net, ROWS);
    if (status == TNN_OK)
        status = tnn_predict(net, workspace, ROWS, x, y);
    tnn_workspace_destroy(workspace);
    return status;
}

static void print_numbers(FILE *file, const char *name, const float *values, size_t count) {
    fprintf(file, "\"%s\": [", name);
    for (size_t i = 0; i < count; i++)
        fprintf(file, "%s%.9g", i ? ", " : "", (double)values[i]);
    fprintf(file, "]");
}

static tnn_status write_model(const char *folder, const char *name, const tnn_net *net) {
    char path[512];
    float x[ROWS * INPUTS];
    float y[ROWS * OUTPUTS];
    for (int i = 0; i < ROWS * INPUTS; i++)
        x[i] = (float)(i * 37 % 101) / 20.0f - 2.5f;
    snprintf(path, sizeof path, "%s/%s.onnx", folder, name);
    tnn_status status = tnn_onnx_save(net, path);
    if (status == TNN_OK)
        status = compute(net, x, y);
    if (status != TNN_OK)
        return status;
    snprintf(path, sizeof path, "%s/%s.json", folder, name);
    FILE *file = fopen(path, "w");
    if (!file)
        return TNN_IO_ERROR;
    fprintf(file, "{\"rows\": %d, \"inputs\": %d, ", ROWS, INPUTS);
    print_numbers(file, "x", x, ROWS * INPUTS);
    fprintf(file, ", ");
    print_numbers(file, "y", y, ROWS * OUTPUTS);
    fprintf(file, "}\n");
    return fclose(file) == 0 ? TNN_OK : TNN_IO_ERROR;
}

/* The activation of both layers; every other net scales and has no biases in its first layer. */
static tnn_status write_one(
    const char *folder, const char *name, tnn_activation activation, size_t number) {
    static const float shift[] = {0.5f, -0.25f, 1.0f, 0.0f, 2.0f};
    static const float scale[] = {0.5f, 2.0f, 0.3f, 1.0f, 0.7f};
    const tnn_layer layers[] = {
        {.units = 6,
         .activation = activation,
         .initializer = tnn_uniform(-1.0f, 1.0f),
         .no_bias = number % 2 != 0},
        {.units = OUTPUTS, .activation = activation, .initializer = tnn_uniform(-1.0f, 1.0f)},
    };
    const tnn_net_options options = {.seed = number};
    tnn_net *net = NULL;
    tnn_status status = tnn_net_create(&net, INPUTS, layers, 2, &options);
    float *biases = status == TNN_OK ? tnn_net_biases(net, 1) : NULL;
    for (size_t i = 0; biases && i < OUTPUTS; i++)
        biases[i] = 0.25f * (float)i - 0.5f;
    if (status == TNN_OK && number % 2 == 0)
        status = tnn_net_set_input_scaling(net, shift, scale);
    if (status == TNN_OK && number % 3 == 0)
        status = tnn_net_set_output_scaling(net, shift, scale);
    if (status == TNN_OK)
        status = write_model(folder, name, net);
    if (status != TNN_OK)
        fprintf(stderr, "%s: %s\n", name, tnn_error_message());
    tnn_net_destroy(net);
    return status;
}

int main(int argc, char **argv) {
    const struct {
        const char *name;
        tnn_activation activation;
    } all[COUNT] = {
        {"identity", tnn_identity()},
        {"relu", tnn_relu()},
        {"leaky_relu", tnn_leaky_relu(0.2f)},
        {"sigmoid", tnn_sigmoid()},
        {"tanh", tnn_tanh()},
        {"softmax", tnn_softmax()},
        {"elu", tnn_elu(0.7f)},
        {"selu", tnn_selu()},
        {"softplus", tnn_softplus()},
        {"softsign", tnn_softsign()},
        {"silu", tnn_silu()},
        {"gelu", tnn_gelu()},
        {"hard_sigmoid", tnn_hard_sigmoid()},
        {"hard_tanh", tnn_hard_tanh()},
    };
    if (argc != 2)
        return 2;
    /* The second time with what the first one had no turn for. */
    for (size_t i = 0; i < 2 * COUNT; i++) {
        char name[64];
        size_t number = i < COUNT ? i : i + 1;
        snprintf(name, sizeof name, "%s%s", all[i % COUNT].name, i < COUNT ? "" : "_again");
        if (write_one(argv[1], name, all[i % COUNT].activation, number) != TNN_OK)
            return 1;
    }
    return 0;
}
