/* onnx_predict MODEL X...: loads a model and prints what the net makes of one row. */
#include <tinynn/onnx.h>

#include <stdio.h>
#include <stdlib.h>

static tnn_status print_prediction(const tnn_net *net, const float *x) {
    tnn_workspace *workspace = NULL;
    size_t outputs = tnn_net_outputs(net);
    float *y = malloc(outputs * sizeof *y);
    tnn_status status = y ? tnn_workspace_create(&workspace, net, 1) : TNN_OUT_OF_MEMORY;
    if (status == TNN_OK)
        status = tnn_predict(net, workspace, 1, x, y);
    for (size_t i = 0; status == TNN_OK && i < outputs; i++)
        printf("%.9g%c", (double)y[i], i + 1 < outputs ? ' ' : '\n');
    tnn_workspace_destroy(workspace);
    free(y);
    return status;
}

int main(int argc, char **argv) {
    enum { MOST = 64 };
    float x[MOST];
    tnn_net *net = NULL;
    if (argc < 3 || argc - 2 > MOST)
        return 2;
    for (int i = 2; i < argc; i++)
        x[i - 2] = strtof(argv[i], NULL);
    tnn_status status = tnn_onnx_load(&net, argv[1], NULL);
    if (status == TNN_OK && tnn_net_inputs(net) != (size_t)argc - 2)
        status = tnn_error_set(TNN_INVALID_ARGUMENT, "%zu inputs", tnn_net_inputs(net));
    if (status == TNN_OK)
        status = print_prediction(net, x);
    if (status != TNN_OK)
        fprintf(stderr, "%s: %s\n", tnn_status_string(status), tnn_error_message());
    tnn_net_destroy(net);
    return status == TNN_OK ? 0 : 1;
}
