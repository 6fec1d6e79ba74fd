/* A training as keys and tensors of a GGUF file, next to those of its net. */
#ifndef TINYNN_CHECKPOINT_H
#define TINYNN_CHECKPOINT_H

#include "fit_state.h"
#include "model_file.h"
#include "optimizer.h"

#define TNNI_CHECKPOINT_VERSION_KEY "tinynn.checkpoint.version"
#define TNNI_CHECKPOINT_FIT_KEY "tinynn.checkpoint.has_fit"

#define TNNI_OPTIMIZER_METHOD_KEY "tinynn.optimizer.method"
#define TNNI_OPTIMIZER_NESTEROV_KEY "tinynn.optimizer.nesterov"
#define TNNI_OPTIMIZER_MOVES_KEY "tinynn.optimizer.has_moves"

#define TNNI_FIT_DATA_ROWS_KEY "tinynn.fit.data_rows"
#define TNNI_FIT_ROWS_KEY "tinynn.fit.rows"
#define TNNI_FIT_VALIDATION_ROWS_KEY "tinynn.fit.validation_rows"
#define TNNI_FIT_BATCH_ROWS_KEY "tinynn.fit.batch_rows"
#define TNNI_FIT_SEED_KEY "tinynn.fit.seed"
#define TNNI_FIT_KEEP_ORDER_KEY "tinynn.fit.keep_order"
#define TNNI_FIT_KEEP_LAST_KEY "tinynn.fit.keep_last"
#define TNNI_FIT_LOSS_KEY "tinynn.fit.loss"
#define TNNI_FIT_LOSS_PARAMETER_KEY "tinynn.fit.loss_parameter"
#define TNNI_FIT_SCHEDULE_KEY "tinynn.fit.schedule"
#define TNNI_FIT_SCHEDULE_PARAMETERS_KEY "tinynn.fit.schedule_parameters"
#define TNNI_FIT_SCHEDULE_STATE_KEY "tinynn.fit.schedule_state"
#define TNNI_FIT_BASE_RATE_KEY "tinynn.fit.base_rate"
#define TNNI_FIT_EPOCH_KEY "tinynn.fit.epoch"
#define TNNI_FIT_BATCH_KEY "tinynn.fit.batch"
#define TNNI_FIT_EPOCH_ENDED_KEY "tinynn.fit.epoch_ended"
#define TNNI_FIT_LOSS_SUM_KEY "tinynn.fit.loss_sum"
#define TNNI_FIT_VALIDATION_LOSS_KEY "tinynn.fit.validation_loss"
#define TNNI_FIT_VALIDATION_SCORE_KEY "tinynn.fit.validation_score"
#define TNNI_FIT_BEST_LOSS_KEY "tinynn.fit.best_loss"
#define TNNI_FIT_BEST_EPOCH_KEY "tinynn.fit.best_epoch"
#define TNNI_FIT_SECONDS_KEY "tinynn.fit.seconds"
#define TNNI_FIT_FIRST_LOSS_KEY "tinynn.fit.first_loss"
#define TNNI_FIT_LAST_LOSS_KEY "tinynn.fit.last_loss"
#define TNNI_FIT_LOWEST_LOSS_KEY "tinynn.fit.lowest_loss"
#define TNNI_FIT_RISES_KEY "tinynn.fit.rises"
#define TNNI_FIT_FALLS_KEY "tinynn.fit.falls"
#define TNNI_FIT_UNSAFE_ROWS_KEY "tinynn.fit.unsafe_rows"
#define TNNI_FIT_HAS_SAFE_KEY "tinynn.fit.has_safe"

/* Flat vectors of as many floats as the net has parameters, in their order. */
#define TNNI_CHECKPOINT_GRADIENTS TNNI_CHECKPOINT_TENSORS "gradients"
#define TNNI_CHECKPOINT_BEST TNNI_CHECKPOINT_TENSORS "best"
#define TNNI_CHECKPOINT_SAFE TNNI_CHECKPOINT_TENSORS "safe"
tnni_model_name tnni_checkpoint_moment_name(size_t moment);

enum {
    TNNI_CHECKPOINT_VERSION = 1,
    TNNI_CHECKPOINT_KEYS = 2, /* besides the net's */
    TNNI_FIT_KEYS = 29
};

/* A number of an optimizer, whose key is tinynn.optimizer. and its name. */
typedef struct tnni_optimizer_number {
    const char *key;
    bool is_double;
    size_t offset; /* in struct tnn_optimizer */
} tnni_optimizer_number;
enum { TNNI_OPTIMIZER_NUMBERS = 15, TNNI_OPTIMIZER_KEYS = 3 + TNNI_OPTIMIZER_NUMBERS };
extern const tnni_optimizer_number tnni_optimizer_numbers[TNNI_OPTIMIZER_NUMBERS];

/* tnn_checkpoint_save without a check. */
tnn_status tnni_checkpoint_save(
    const char *caller, const tnn_net *net, const tnn_optimizer *optimizer,
    const tnn_fit_state *state, const char *path);

/* Can there be a file of that name, as far as can be known before? Otherwise as tnn_net_save. */
tnn_status tnni_checkpoint_try(
    const char *caller, const char *path, const tnn_allocator *allocator);

#endif
