/* What a net makes of a data set, dropout off: for tnn_evaluate and for fits. */
#ifndef TINYNN_EVALUATE_H
#define TINYNN_EVALUATE_H

#include "net.h"

#include "batch.h"

typedef struct tnni_evaluator {
    tnn_net *net; /* a copy without dropout */
    tnni_batch batch;
    float *y;              /* [capacity, outputs] */
    double *target_mean;   /* [outputs] each, of the rows so far */
    double *target_spread; /* sum of squared distances from the mean */
    double *squared_error;
    void *block; /* the arrays above */
    size_t bytes;
} tnni_evaluator;

/* For rows of this data set. TNN_OUT_OF_MEMORY, naming caller, and there is nothing to destroy. */
tnn_status tnni_evaluator_create(
    const char *caller, tnni_evaluator *evaluator, const tnn_net *net, const tnn_dataset *data);
void tnni_evaluator_destroy(tnni_evaluator *evaluator); /* one of zeros is fine */

/* Takes over the parameters that a net of this layout has now. */
void tnni_evaluator_update(const tnni_evaluator *evaluator, const tnn_net *net);

/* The rows of these numbers, or, if numbers is NULL, the first count. confusion may be NULL. */
tnn_status tnni_evaluate(
    const char *caller, tnni_evaluator *evaluator, const tnn_loss *loss, const size_t *numbers,
    size_t count, tnn_evaluation *evaluation, uint64_t *confusion);

#endif
