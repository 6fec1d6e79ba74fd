/*
 * What goes wrong in trainings, told in words. Thresholds are where experience puts them; findings
 * advise, and change nothing. docs/training.md explains each.
 */
#ifndef TINYNN_HEALTH_H
#define TINYNN_HEALTH_H

#include "evaluate.h"

typedef struct tnni_health {
    tnn_fit_report *report; /* NULL: nobody wants to know */
    const tnn_loss *loss;
    size_t epoch; /* the one that runs, and its batch */
    size_t batch;
    /* Training losses of the epochs that ended. */
    size_t epochs;
    double first_loss;
    double last_loss;
    double lowest_loss;
    size_t rises; /* epochs whose loss was a tenth above the one before */
    size_t falls;
} tnni_health;

/* Are the inputs of these rows, as the first layer gets them, of the size that nets are made for?
 * numbers as for tnni_batch_take. */
void tnni_health_inputs(
    tnni_health *health, const tnni_evaluator *evaluator, const size_t *numbers, size_t count);

/* An epoch has ended with this training loss. */
void tnni_health_epoch(tnni_health *health, double loss);

/* Units and gradients at the evaluator's parameters, on some of these rows. */
void tnni_health_probe(
    tnni_health *health, const tnni_evaluator *evaluator, const size_t *numbers, size_t count);

/* The learning rate, judged by how the losses went. */
void tnni_health_rate(tnni_health *health);

/* The loss of a batch was not finite, with the evaluator's parameters: where does it begin? */
void tnni_health_not_finite(
    tnni_health *health, const tnni_evaluator *evaluator, const tnn_dataset *batch, double loss);

#endif
