/*
 * What goes wrong in trainings, told in words. Thresholds are where experience puts them; findings
 * advise, and change nothing. docs/training.md explains each. Of each kind there is one finding.
 */
#ifndef TINYNN_HEALTH_H
#define TINYNN_HEALTH_H

#include "net.h"

/* How the training losses of the epochs that ended went. */
typedef struct tnni_loss_history {
    size_t epochs;
    double first;
    double last;
    double lowest;
    size_t rises; /* epochs whose loss was a tenth above the one before */
    size_t falls;
} tnni_loss_history;

typedef struct tnni_health {
    tnn_fit_report *report; /* NULL: nobody wants to know */
    const tnn_loss *loss;
    tnn_net *net;     /* a copy without dropout that passes may run on; NULL without a report */
    tnn_dataset rows; /* some of those that are learned from */
    size_t epoch;     /* the one that runs, and its batch */
    size_t batch;
} tnni_health;

/* Are the inputs, as the first layer gets them, of the size that nets are made for? sizes[inputs]
 * is room to work in. */
void tnni_health_inputs(tnni_health *health, double *sizes);

/* An epoch has ended with this training loss. */
void tnni_health_epoch(tnni_loss_history *losses, double loss);

/* Units and gradients at the parameters of the copy. */
void tnni_health_probe(tnni_health *health);

/* The learning rate, judged by how the losses went. */
void tnni_health_rate(tnni_health *health, const tnni_loss_history *losses);

/*
 * The loss of a batch was not finite, or without a batch, parameters are not at the end: where does
 * it begin? The copy has the parameters of net. The batch's rows are those of these numbers in the
 * data set, or, if numbers is NULL, those from first on. The answer goes into words, too.
 */
void tnni_health_not_finite(
    tnni_health *health, const tnn_net *net, const tnn_dataset *batch, const size_t *numbers,
    size_t first, double loss, char words[240]);

/* The same for a validation loss; returns the words. */
const char *tnni_health_validation(tnni_health *health, double loss, char words[240]);

#endif
