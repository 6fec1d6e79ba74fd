/* generate_activations DIR: the nets of activation_nets.h in DIR/activation_0.c and so on, and
 * DIR/activations.c, a list of them. Runs while the tests are built. */
#include "activation_nets.h"

#include <stdio.h>

static int export_net(const char *folder, size_t index) {
    char path[1024];
    const tnn_export_options options = {.own_math = true};
    tnn_net *net;
    snprintf(path, sizeof path, "%s/activation_%zu.c", folder, index);
    tnn_status status = activation_net_create(&net, index);
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
    snprintf(path, sizeof path, "%s/activations.c", argv[1]);
    FILE *list = fopen(path, "w");
    if (!list)
        return 1;
    int failed = 0;
    fputs("#include \"activation_nets.h\"\n\n", list);
    for (size_t i = 0; i < ACTIVATION_NETS; i++) {
        failed |= export_net(argv[1], i);
        fprintf(list, "#include \"activation_%zu.c\"\n", i);
    }
    fputs("\nactivation_predictor *const activation_predictors[ACTIVATION_NETS] = {\n", list);
    for (size_t i = 0; i < ACTIVATION_NETS; i++)
        fprintf(list, "    activation_%zu_predict,\n", i);
    fputs("};\n", list);
    return fclose(list) != 0 || failed;
}
