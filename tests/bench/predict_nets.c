#include "predict_nets.h"

const predict_workload predict_workloads[HAND_PREDICTORS] = {
    {"4-8-3 tanh", 2, {4, 8, 3}, {BLAS_TANH, BLAS_TANH}},
    {"16-32-16-4 relu", 3, {16, 32, 16, 4}, {BLAS_RELU, BLAS_RELU, BLAS_IDENTITY}},
    {"64-64-64-1 relu", 3, {64, 64, 64, 1}, {BLAS_RELU, BLAS_RELU, BLAS_IDENTITY}},
    {"784-128-10 relu softmax", 2, {784, 128, 10}, {BLAS_RELU, BLAS_SOFTMAX}},
};

static tnn_activation activation(blas_activation kind) {
    switch (kind) {
    case BLAS_RELU:
        return tnn_relu();
    case BLAS_TANH:
        return tnn_tanh();
    case BLAS_SOFTMAX:
        return tnn_softmax();
    default:
        return tnn_identity();
    }
}

tnn_status predict_net_create(
    tnn_net **net, const predict_workload *workload, const char *kernels) {
    const size_t *sizes = workload->sizes;
    const tnn_net_options options = {.seed = 1, .kernels = kernels};
    tnn_layer layers[PREDICT_LAYERS] = {{0}};
    for (size_t l = 0; l < workload->layers; l++)
        layers[l] = (tnn_layer){
            .units = sizes[l + 1],
            .activation = activation(workload->activations[l]),
        };
    tnn_status status = tnn_net_create(net, sizes[0], layers, workload->layers, &options);
    for (size_t l = 0; status == TNN_OK && l < workload->layers; l++)
        for (size_t u = 0; u < sizes[l + 1]; u++)
            tnn_net_biases(*net, l)[u] = 0.01f * (float)(u % 7) - 0.03f;
    return status;
}
