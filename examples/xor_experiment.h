/*
 * xor_experiment.h: the published XOR experiment as a regime that any activation can be put into.
 *
 * A 2-2-1 net, weights drawn from U[0, 1), learning rate 0.01, 5,999 epochs (the published
 * "for epoch in range(1, 6000)"). An epoch takes the four rows one at a time, in the order 00, 01,
 * 10, 11, with an update after each; its cost is half the squared error of every row before that
 * row's update, summed over the four.
 *
 * In all of the xor_ files, a function that returns bool prints what went wrong, then returns
 * false.
 */
#ifndef XOR_EXPERIMENT_H
#define XOR_EXPERIMENT_H

#include <tinynn/tinynn.h>

enum { XOR_ROWS = 4, XOR_EPOCHS = 5999, XOR_ACTIVATIONS = 5, XOR_VARIANTS = 2 * XOR_ACTIVATIONS };

#define XOR_LEARNING_RATE 0.01f

extern const float xor_x[2 * XOR_ROWS];
extern const float xor_target[XOR_ROWS];

/* What the regime leaves open. The activation stands on both layers. */
typedef struct xor_variant {
    const char *name; /* of the activation */
    tnn_activation activation;
    bool bias; /* biases start at 0 and learn at the same rate */
} xor_variant;

/* In this order; the published experiment is XOR_PUBLISHED without biases. */
enum { XOR_PUBLISHED, XOR_RELU, XOR_LEAKY_RELU, XOR_TANH, XOR_SIGMOID };

xor_variant xor_variant_of(int activation, bool bias);

/* A net and what trains it. */
typedef struct xor_learner {
    tnn_net *net;
    tnn_optimizer *optimizer;
} xor_learner;

/* The same seed draws the same weights for every variant. Both are NULL after a failure. */
bool xor_learner_create(xor_learner *learner, const xor_variant *variant, uint64_t seed);
void xor_learner_destroy(xor_learner *learner);

/* One epoch; stores its cost. */
bool xor_learner_epoch(xor_learner *learner, double *cost);

/* The outputs for the four rows. */
bool xor_predict(const tnn_net *net, float y[XOR_ROWS]);

#endif /* XOR_EXPERIMENT_H */
