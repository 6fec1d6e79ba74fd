/*
 * trainings.h: trainings of ten epochs that can be broken off, by every method and schedule, with
 * and without dropout and validation, through tnn_fit and in loops of one's own; and checkpoints in
 * memory.
 */
#ifndef TINYNN_TESTS_TRAININGS_H
#define TINYNN_TESTS_TRAININGS_H

#include "model_files.h"

enum {
    SCHEDULES = 8,   /* none, the six of the library, and one with a state of the test's own */
    NETS = 2,        /* 1: dropout, a custom activation, scaling of inputs and outputs */
    VALIDATIONS = 3, /* none; a share of the rows and patience; rows of their own and keep_last */
    EPOCHS = 10,
    BREAK = 5, /* epochs before the break */
    TRAINING_ROWS = 22,
    TRAINING_BATCHES = 4 /* of most epochs; 3 where a share of the rows validates */
};

typedef struct training {
    size_t method; /* of method_at */
    size_t schedule;
    size_t net;
    size_t validation;
} training;

/* Something that trains: net, optimizer, and, if it was loaded, the state. */
typedef struct trainee {
    tnn_net *net;
    tnn_optimizer *optimizer;
    tnn_fit_state *state;
    tnn_fit_report report;
} trainee;

tnn_schedule schedule_at(size_t index);
/* Does the rate depend on the number of all steps, too? */
bool schedule_counts_steps(size_t index);

/* On this allocator (NULL: malloc). */
trainee new_trainee(const training *t, const tnn_allocator *allocator);
void destroy_trainee(trainee *t);

/* The data, and options for tnn_fit of EPOCHS epochs. */
const tnn_dataset *training_data(void);
tnn_fit_options training_options(const training *t);
tnn_status fit_trainee(trainee *who, const tnn_fit_options *options);

/* ---- Checkpoints in memory ------------------------------------------------------------------- */

/* A sink that appends to a file in memory. */
tnn_sink sink_to(model_file *file);
model_file saved_checkpoint(
    const tnn_net *net, const tnn_optimizer *optimizer, const tnn_fit_state *state);
/* With options_with_bend, on this allocator (NULL: malloc). */
tnn_status load_checkpoint(trainee *t, const model_file *file, const tnn_allocator *allocator);

/* The training, broken off after some steps of the fifth epoch (0: after the epoch itself). */
model_file broken_training(const training *t, size_t steps);

/* Net and moments are the same, bit for bit, and so is all that a checkpoint has but a fit's
 * state. */
void assert_same_trainee(const trainee *actual, const trainee *expected);
/* The same reports but for seconds. */
void assert_same_report(const tnn_fit_report *actual, const tnn_fit_report *expected);

#endif /* TINYNN_TESTS_TRAININGS_H */
