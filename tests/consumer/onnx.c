/*
 * onnx static|shared: saves a net as an ONNX model and loads it, with the component of the kind
 * named.
 */
#include <tinynn/onnx.h>

#include <stdio.h>
#include <string.h>

#ifdef TNN_STATIC
static const char *const kind = "static";
#else
static const char *const kind = "shared";
#endif

int main(int argc, char **argv) {
    static unsigned char model[4096];
    const tnn_layer layer = {.units = 2, .activation = tnn_gelu()};
    tnn_net *net = NULL;
    tnn_net *loaded = NULL;
    size_t bytes = 0;
    if (argc != 2 || strcmp(argv[1], kind) != 0) {
        printf("expected the %s library, got the %s one\n", argc == 2 ? argv[1] : "?", kind);
        return 1;
    }
    tnn_status status = tnn_net_create(&net, 3, &layer, 1, NULL);
    if (status == TNN_OK)
        status = tnn_onnx_save_to_memory(net, model, sizeof model, &bytes);
    if (status == TNN_OK)
        status = tnn_onnx_load_from_memory(&loaded, model, bytes, NULL);
    int same = status == TNN_OK &&
        memcmp(tnn_net_read_parameters(net), tnn_net_read_parameters(loaded), 8 * sizeof(float)) ==
            0;
    /* A message of the component's is seen through the core. */
    tnn_net_destroy(loaded);
    int told = tnn_onnx_load(&loaded, "no such model", NULL) == TNN_IO_ERROR &&
        strstr(tnn_error_message(), "no such model");
    printf("%s component: %zu bytes, %s\n", kind, bytes, same ? "the same net" : "another net");
    tnn_net_destroy(net);
    return same && told ? 0 : 1;
}
