/* hello.c: the shortest first program. A net of 2-4-1 units learns XOR. */
#include <stdio.h>
#include <tinynn/tinynn.h>

int main(void) {
    const float x[] = {0, 0, 0, 1, 1, 0, 1, 1};
    const float target[] = {0, 1, 1, 0};
    const tnn_dataset batch = {.rows = 4, .x = x, .target = target};
    const tnn_layer layers[] = {
        {.units = 4, .activation = tnn_tanh()},
        {.units = 1, .activation = tnn_sigmoid()},
    };
    tnn_net *net = NULL;
    tnn_optimizer *optimizer = NULL;
    float y[4];

    tnn_status status = tnn_net_create(&net, 2, layers, 2, NULL);
    if (status == TNN_OK)
        status = tnn_optimizer_create(&optimizer, net, tnn_sgd(1.0f));
    for (int epoch = 0; epoch < 2000 && status == TNN_OK; epoch++)
        status = tnn_train(net, optimizer, tnn_binary_cross_entropy(), &batch, NULL);
    if (status == TNN_OK)
        status = tnn_forward(net, 4, x, y);

    for (int row = 0; row < 4 && status == TNN_OK; row++)
        printf("%g xor %g = %.3f\n", x[2 * row], x[2 * row + 1], y[row]);
    if (status != TNN_OK)
        fprintf(stderr, "%s\n", tnn_error_message());
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
    return status == TNN_OK ? 0 : 1;
}
