/*
 * consumer static|shared: trains a single unit to compute 2 x + 1 and checks what it predicts; also
 * that the library it was built against is of the kind named.
 */
#include <tinynn/tinynn.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#ifdef TNN_STATIC
static const char *const kind = "static";
#else
static const char *const kind = "shared";
#endif

static tnn_status train(tnn_net *net) {
    const float x[] = {0, 1, 2, 3}, target[] = {1, 3, 5, 7};
    const tnn_dataset batch = {.rows = 4, .x = x, .target = target};
    tnn_optimizer *optimizer = NULL;
    tnn_status status = tnn_optimizer_create(&optimizer, net, tnn_sgd(0.1f));
    for (int epoch = 0; epoch < 1000 && status == TNN_OK; epoch++)
        status = tnn_train(net, optimizer, tnn_half_squared_error(), &batch, NULL);
    tnn_optimizer_destroy(optimizer);
    return status;
}

static tnn_status predict(const tnn_net *net, float x, float *y) {
    tnn_workspace *workspace = NULL;
    tnn_status status = tnn_workspace_create(&workspace, net, 1);
    if (status == TNN_OK)
        status = tnn_predict(net, workspace, 1, &x, y);
    tnn_workspace_destroy(workspace);
    return status;
}

int main(int argc, char **argv) {
    if (argc != 2 || strcmp(argv[1], kind) != 0) {
        printf("expected the %s library, got the %s one\n", argc == 2 ? argv[1] : "?", kind);
        return 1;
    }
    if (strcmp(tnn_version(), TNN_VERSION_STRING) != 0) {
        printf("header %s, library %s\n", TNN_VERSION_STRING, tnn_version());
        return 1;
    }
    const tnn_layer layer = {.units = 1};
    tnn_net *net = NULL;
    float y = 0;
    tnn_status status = tnn_net_create(&net, 1, &layer, 1, NULL);
    if (status == TNN_OK)
        status = train(net);
    if (status == TNN_OK)
        status = predict(net, 10, &y);
    tnn_net_destroy(net);
    if (status != TNN_OK) {
        printf("%s: %s\n", tnn_status_string(status), tnn_error_message());
        return 1;
    }
    printf("libtinynn %s, %s: f(10) = %.4f, expected 21\n", tnn_version(), kind, (double)y);
    return fabsf(y - 21) < 1e-3f ? 0 : 1; /* and 1 if y is not a number */
}
