#include "xor_experiment.h"

#include <math.h>
#include <stdio.h>

const float xor_x[2 * XOR_ROWS] = {0, 0, 0, 1, 1, 0, 1, 1};
const float xor_target[XOR_ROWS] = {0, 1, 1, 0};

/*
 * The published activation: relu forward, but where relu's derivative belongs, the logistic
 * function of z: the slope of softplus, a surrogate gradient.
 *
 * No weight starts below 0, so every unit starts on and the net linear. With relu's own slope most
 * seeds then come to rest at the best linear answer, (0, 1/3, 1/3, 2/3), where the rows' shares in
 * the gradient cancel: there stand 854 of the 862 of 1,000 seeds unsolved after 5,999 epochs. The
 * logistic function weights the rows differently, so the weights move on until a unit goes off for
 * one of them. That it also lets a unit that is off for all come back matters less here.
 */
static void published_forward(
    const tnn_activation *self, size_t rows, size_t units, const float *z, float *a) {
    (void)self;
    for (size_t i = 0; i < rows * units; i++)
        a[i] = z[i] > 0 ? z[i] : 0;
}

static void published_backward(
    const tnn_activation *self, size_t rows, size_t units, const float *z, const float *a,
    float *gradient) {
    (void)self;
    (void)a;
    for (size_t i = 0; i < rows * units; i++)
        gradient[i] *= 1 / (1 + expf(-z[i]));
}

static const tnn_activation_vtable published_vtable = {
    .name = "published_relu",
    .forward = published_forward,
    .backward = published_backward,
    .needs_input = true,
};

xor_variant xor_variant_of(int activation, bool bias) {
    switch (activation) {
    case XOR_PUBLISHED:
        return (xor_variant){"published", {.vtable = &published_vtable}, bias};
    case XOR_RELU:
        return (xor_variant){"relu", tnn_relu(), bias};
    case XOR_LEAKY_RELU:
        return (xor_variant){"leaky_relu", tnn_leaky_relu(0.01f), bias};
    case XOR_TANH:
        return (xor_variant){"tanh", tnn_tanh(), bias};
    default:
        return (xor_variant){"sigmoid", tnn_sigmoid(), bias};
    }
}

static bool succeeded(tnn_status status) {
    if (status != TNN_OK)
        fprintf(stderr, "xor: %s\n", tnn_error_message());
    return status == TNN_OK;
}

bool xor_learner_create(xor_learner *learner, const xor_variant *variant, uint64_t seed) {
    tnn_layer hidden = {
        .units = 2,
        .activation = variant->activation,
        .initializer = tnn_uniform(0, 1),
        .no_bias = !variant->bias,
    };
    tnn_layer output = hidden;
    output.units = 1;

    const tnn_layer layers[] = {hidden, output};
    const tnn_net_options options = {.seed = seed};
    const tnn_method method = tnn_sgd(XOR_LEARNING_RATE);
    *learner = (xor_learner){0};
    if (succeeded(tnn_net_create(&learner->net, 2, layers, 2, &options)) &&
        succeeded(tnn_optimizer_create(&learner->optimizer, learner->net, method)))
        return true;
    xor_learner_destroy(learner);
    return false;
}

void xor_learner_destroy(xor_learner *learner) {
    tnn_optimizer_destroy(learner->optimizer);
    tnn_net_destroy(learner->net);
    *learner = (xor_learner){0};
}

bool xor_learner_epoch(xor_learner *learner, double *cost) {
    const tnn_loss loss = tnn_half_squared_error();
    *cost = 0;
    for (int row = 0; row < XOR_ROWS; row++) {
        const tnn_dataset batch = {.rows = 1, .x = &xor_x[2 * row], .target = &xor_target[row]};
        double row_cost;
        if (!succeeded(tnn_train(learner->net, learner->optimizer, loss, &batch, &row_cost)))
            return false;
        *cost += row_cost;
    }
    return true;
}

bool xor_predict(const tnn_net *net, float y[XOR_ROWS]) {
    tnn_workspace *workspace = NULL;
    bool done = succeeded(tnn_workspace_create(&workspace, net, XOR_ROWS)) &&
        succeeded(tnn_predict(net, workspace, XOR_ROWS, xor_x, y));
    tnn_workspace_destroy(workspace);
    return done;
}
