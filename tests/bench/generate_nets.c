/*
 * generate_nets DIR: the nets of bench_predict as C, in DIR/predict_0.c and so on, and
 * DIR/predictors.c, a list of them. Runs while the benchmarks are built.
 */
#include "predict_nets.h"

#include <stdio.h>

static int export_net(const char *folder, size_t index) {
    char path[1024];
    const tnn_export_options options = {.own_math = true};
    tnn_net *net;
    snprintf(path, sizeof path, "%s/predict_%zu.c", folder, index);
    tnn_status status = predict_net_create(&net, &predict_workloads[index], NULL);
    if (status == TNN_OK)
        status = tnn_net_export_c(net, path, &options);
    if (status != TNN_OK)
        fprintf(stderr, "%s\n", tnn_error_message());
    tnn_net_destroy(net);
    return status != TNN_OK;
}

int main(int argc, char **argv) {
    char path[1024];
    if (argc != 2)
        return 2;
    snprintf(path, sizeof path, "%s/predictors.c", argv[1]);
    FILE *list = fopen(path, "w");
    if (!list)
        return 1;
    fputs("#include \"peers.h\"\n\n", list);
    int failed = 0;
    for (size_t i = 0; i < HAND_PREDICTORS; i++) {
        failed |= export_net(argv[1], i);
        fprintf(list, "void predict_%zu_predict(const float *x, float *y);\n", i);
    }
    fputs("\ngenerated_predictor *const generated_predictors[] = {\n", list);
    for (size_t i = 0; i < HAND_PREDICTORS; i++)
        fprintf(list, "    predict_%zu_predict,\n", i);
    fputs("};\n", list);
    return fclose(list) != 0 || failed;
}
