#include "train_wide.h"

#include "test_nets.h"

#include <string.h>

enum { STEPS = 5 };

tnn_status new_wide_net(unsigned threads, tnn_net **net) {
    const tnn_layer layers[] = {
        {.units = WIDE_UNITS, .activation = tnn_gelu(), .dropout = 0.25f},
        {.units = WIDE_OUTPUTS, .activation = tnn_softmax()},
    };
    const tnn_net_options options = {.seed = 5, .threads = threads};
    tnn_status status = tnn_net_create(net, WIDE_INPUTS, layers, COUNT_OF(layers), &options);
    if (status == TNN_OK && threads > 1)
        share_out_everything(*net);
    return status;
}

static tnn_status step_by_verbs(tnn_net *net, tnn_optimizer *optimizer, const float *x) {
    static const float target[WIDE_ROWS * WIDE_OUTPUTS] = {1};
    tnn_status status = tnn_forward(net, WIDE_ROWS, x, NULL);
    if (status == TNN_OK)
        status = tnn_backward(net, tnn_cross_entropy(), target, NULL);
    return status == TNN_OK ? tnn_step(net, optimizer) : status;
}

tnn_status train_wide_net(tnn_net *net) {
    float x[WIDE_ROWS * WIDE_INPUTS];
    uint32_t classes[WIDE_ROWS];
    const tnn_dataset batch = {.rows = WIDE_ROWS, .x = x, .classes = classes};
    uint64_t random = 9;
    fill_random(x, WIDE_ROWS * WIDE_INPUTS, &random, -1, 1);
    for (size_t row = 0; row < WIDE_ROWS; row++)
        classes[row] = (uint32_t)(row % WIDE_OUTPUTS);
    tnn_optimizer *optimizer = NULL;
    tnn_status status = tnn_optimizer_create(&optimizer, net, tnn_sgd(0.1f));
    for (int step = 0; step < STEPS && status == TNN_OK; step++) {
        status = tnn_train(net, optimizer, tnn_cross_entropy(), &batch, NULL);
        if (status == TNN_OK)
            status = step_by_verbs(net, optimizer, x);
    }
    tnn_optimizer_destroy(optimizer);
    return status;
}

tnn_status train_wide(unsigned threads, float parameters[WIDE_PARAMETERS]) {
    tnn_net *net = NULL;
    tnn_status status = new_wide_net(threads, &net);
    if (status == TNN_OK)
        status = train_wide_net(net);
    if (status == TNN_OK)
        memcpy(parameters, tnn_net_read_parameters(net), WIDE_PARAMETERS * sizeof(float));
    tnn_net_destroy(net);
    return status;
}
