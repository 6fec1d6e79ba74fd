/* activation_nets.h: nets that are an activation and nothing else, for the program that writes them
 * as C and for the test that is compiled with it. */
#ifndef TINYNN_TESTS_ACTIVATION_NETS_H
#define TINYNN_TESTS_ACTIVATION_NETS_H

#include <tinynn/tinynn.h>

enum { ACTIVATION_NETS = 17, MOST_ACTIVATION_UNITS = 33 };

/* Units that are the inputs, and softmax in several widths. */
static inline tnn_status activation_net_create(tnn_net **net, size_t index) {
    const tnn_layer layers[ACTIVATION_NETS] = {
        {.units = 16, .activation = tnn_identity()},
        {.units = 16, .activation = tnn_relu()},
        {.units = 16, .activation = tnn_leaky_relu(0.3f)},
        {.units = 16, .activation = tnn_sigmoid()},
        {.units = 16, .activation = tnn_tanh()},
        {.units = 16, .activation = tnn_elu(0.7f)},
        {.units = 16, .activation = tnn_selu()},
        {.units = 16, .activation = tnn_softplus()},
        {.units = 16, .activation = tnn_softsign()},
        {.units = 16, .activation = tnn_silu()},
        {.units = 16, .activation = tnn_gelu()},
        {.units = 16, .activation = tnn_hard_sigmoid()},
        {.units = 16, .activation = tnn_hard_tanh()},
        {.units = 1, .activation = tnn_softmax()},
        {.units = 16, .activation = tnn_softmax()},
        {.units = 17, .activation = tnn_softmax()},
        {.units = 33, .activation = tnn_softmax()},
    };
    size_t units = layers[index].units;
    tnn_status status = tnn_net_create(net, units, &layers[index], 1, NULL);
    for (size_t i = 0; status == TNN_OK && i < units * units; i++)
        tnn_net_weights(*net, 0)[i] = i % (units + 1) == 0 ? 1.0f : 0.0f;
    return status;
}

typedef void activation_predictor(const float *x, float *y);
extern activation_predictor *const activation_predictors[ACTIVATION_NETS];

#endif
