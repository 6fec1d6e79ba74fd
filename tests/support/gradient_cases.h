/*
 * gradient_cases.h: the nets and batches that the gradient tests run over.
 *
 * A case is one activation, one loss, biases or none, 1 to 4 layers and 1 to 7 rows. The activation
 * stands on every layer where its outputs can be what the loss takes. Two losses take only some:
 * cross_entropy wants y > 0 and binary_cross_entropy 0 < y < 1. For these
 *
 *  - sigmoid, softmax, hard_sigmoid and, for cross_entropy, softplus stand on the last layer, too;
 *  - otherwise the last of several layers is softmax or sigmoid, and the activation stands on all
 *    others;
 *  - otherwise the one layer carries the activation and its z are kept small and positive, where
 *    every activation is between 0 and 1.
 *
 * So no case lacks the activation it is named after. The numbers are drawn until no z, output or
 * difference is within CASE_MARGIN of a kink or of the end of a domain (see ref_margin), and until
 * there is a gradient of CASE_GRADIENT, since a net that is dead everywhere shows nothing.
 */
#ifndef TINYNN_TESTS_GRADIENT_CASES_H
#define TINYNN_TESTS_GRADIENT_CASES_H

#include "test_nets.h"

enum { CASE_LAYERS = 4, CASE_ROWS = 7, CASE_INPUTS = 3, CASE_OUTPUTS = 3, CASE_PARAMETERS = 128 };

#define CASE_MARGIN 0.02
#define CASE_GRADIENT 0.01

typedef struct gradient_case {
    /* Which one. */
    activation_entry activation;
    loss_entry loss;
    bool no_bias;
    size_t layer_count;
    size_t rows;
    /* The library's floats. */
    tnn_layer layers[CASE_LAYERS];
    size_t parameter_count;
    float parameters[CASE_PARAMETERS];
    float x[CASE_ROWS * CASE_INPUTS];
    float target[CASE_ROWS * CASE_OUTPUTS];
    float row_weights[CASE_ROWS];
    /* The same as doubles; reference points to parameters, batch to x and target. */
    ref_layer reference_layers[CASE_LAYERS];
    ref_net reference;
    ref_batch batch;
    double wide_parameters[CASE_PARAMETERS];
    double wide_x[CASE_ROWS * CASE_INPUTS];
    double wide_target[CASE_ROWS * CASE_OUTPUTS];
    double wide_row_weights[CASE_ROWS];
} gradient_case;

/* Makes the case in place; it points into itself, so do not copy it. */
void make_gradient_case(
    gradient_case *c, size_t activation, size_t loss, bool no_bias, size_t layer_count,
    size_t rows);

/* Calls visit for every loss, bias, depth and number of rows with this activation; visit may do
 * with the case what it likes. */
void for_each_gradient_case(
    size_t activation, void (*visit)(gradient_case *c, void *argument), void *argument);

/* "huber, biases, 3 layers, 7 rows"; valid until the next call. */
const char *describe_case(const gradient_case *c);

/* A net of the case's layers and parameters on the named kernels (NULL: the best). */
tnn_net *new_case_net(const gradient_case *c, const char *kernels);

/* wide[count] = narrow[count]. */
void widen(double *wide, const float *narrow, size_t count);

#endif /* TINYNN_TESTS_GRADIENT_CASES_H */
