/* Where a training by tnn_fit is, and which training: what a fit works on and a checkpoint keeps.
 */
#ifndef TINYNN_FIT_STATE_H
#define TINYNN_FIT_STATE_H

#include "health.h"

#include <math.h>

struct tnn_fit_state {
    /* Which one. */
    uint64_t layout; /* of the net */
    size_t parameter_count;
    const struct tnn_method_vtable *method;
    size_t data_rows; /* of the data set */
    size_t rows;      /* of those, what is learned from */
    size_t validation_rows;
    size_t batch_rows; /* at most rows */
    uint64_t seed;
    bool keep_order;
    bool keep_last;
    const char *loss; /* its name */
    float loss_parameter;
    const char *schedule; /* its name; "": none */
    double schedule_parameters[3];

    /* Where it is. */
    tnn_progress progress;
    uint64_t passes;  /* forward passes of the net, by which it is known again */
    size_t batch;     /* batches of the epoch that have ended */
    bool epoch_ended; /* and was judged */
    double loss_sum;  /* over the rows of the epoch */
    size_t epoch_rows;
    float base_rate;
    double schedule_state[4];
    tnni_loss_history losses;

    /* [parameter_count] each. */
    float *best; /* of the lowest validation loss; NULL if nobody asks */
    float *safe; /* the last that were seen to be finite */
    bool has_safe;
    size_t unsafe_rows; /* learned since */

    /* Of one that was loaded: all of it is one block. */
    const tnn_allocator *allocator;
    size_t bytes;       /* 0: it was not loaded */
    uint64_t loaded_as; /* checksum of what the net and the optimizer had learned */
};

/* Batches of an epoch. */
static inline size_t tnni_fit_batches(const tnn_fit_state *state) {
    return (state->rows - 1) / state->batch_rows + 1;
}

/* Are there weights in best? */
static inline bool tnni_fit_has_best(const tnn_fit_state *state) {
    return state->best && isfinite(state->progress.best_loss);
}

/* Of all parameters and moments, as this machine has them in memory. */
uint64_t tnni_fit_checksum(const tnn_net *net, const tnn_optimizer *optimizer);

/* Can this training be resumed from there, with this net and optimizer, and go on to so many
 * epochs? Otherwise TNN_INVALID_ARGUMENT, naming caller and what differs. */
tnn_status tnni_fit_check_resume(
    const char *caller, const tnn_net *net, const tnn_optimizer *optimizer,
    const tnn_fit_state *training, const tnn_fit_state *resume, size_t epochs);

#endif
