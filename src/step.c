/* Step: the optimizer's method applied to the flat vector of parameters. */
#include "net.h"

#include "optimizer.h"
#include "support/status.h"

#include <math.h>

tnn_status tnni_check_optimizer(
    const char *caller, const tnn_net *net, const tnn_optimizer *optimizer) {
    if (!optimizer)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: optimizer is NULL", caller);
    if (optimizer->layout != net->layout || optimizer->parameter_count != net->parameter_count)
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: optimizer was made for another layout (%zu parameters, the net has %zu)", caller,
            optimizer->parameter_count, net->parameter_count);
    return TNN_OK;
}

typedef struct step_work {
    tnn_net *net;
    tnn_optimizer *optimizer;
    size_t tasks;
} step_work;

static void step_task(void *argument, size_t index) {
    const step_work *work = argument;
    tnn_net *net = work->net;
    tnni_range part = tnni_share(net->parameter_count, index, work->tasks);
    tnni_optimizer_apply(
        work->optimizer, net->kernels, part.begin, tnni_length(part), net->gradients + part.begin,
        net->parameters + part.begin);
}

/*
 * The norm is summed in blocks whose sums are added in their order. How large they are depends on
 * the number of gradients alone.
 */
enum { NORM_BLOCKS = 64, LEAST_NORM_BLOCK = 4096 };

typedef struct norm_work {
    const tnn_net *net;
    float limit;
    size_t block;
    size_t blocks;
    size_t tasks;
    double sums[NORM_BLOCKS];
} norm_work;

static void norm_task(void *argument, size_t index) {
    norm_work *work = argument;
    size_t count = work->net->parameter_count;
    tnni_range part = tnni_share(work->blocks, index, work->tasks);
    for (size_t b = part.begin; b < part.end; b++) {
        size_t begin = b * work->block;
        size_t length = count - begin < work->block ? count - begin : work->block;
        work->sums[b] =
            work->net->kernels->square_sum(length, work->net->gradients + begin, work->limit);
    }
}

double tnni_gradient_norm(const tnn_net *net, float limit) {
    size_t count = net->parameter_count;
    size_t share = count / NORM_BLOCKS + 1;
    size_t tasks = tnni_net_tasks(net, 1);
    norm_work work = {.net = net, .limit = limit};
    work.block = share < LEAST_NORM_BLOCK ? LEAST_NORM_BLOCK : share;
    work.blocks = (count - 1) / work.block + 1;
    work.tasks = tasks < work.blocks ? tasks : work.blocks;
    tnni_parallel_for(net->executor, work.tasks, norm_task, &work);
    double sum = 0.0;
    for (size_t b = 0; b < work.blocks; b++)
        sum += work.sums[b];
    return sqrt(sum);
}

void tnni_step_with_gradients(tnn_net *net, tnn_optimizer *optimizer) {
    net->gradients_zero = true;
    if (net->small && optimizer->step.kind == TNNI_DESCENT) {
        net->kernels->small_step(
            net->small, net->layer_count, tnni_optimizer_begin(optimizer)->rate, net->gradients);
        return;
    }
    float limit = tnni_optimizer_begin(optimizer)->clip_value;
    if (tnni_optimizer_clips_norm(optimizer))
        tnni_optimizer_clip(optimizer, tnni_gradient_norm(net, limit));
    step_work work = {net, optimizer, tnni_net_tasks(net, 1)};
    tnni_parallel_for(net->executor, work.tasks, step_task, &work);
}

tnn_status tnn_step(tnn_net *net, tnn_optimizer *optimizer) {
    if (!net)
        return tnni_fail(TNN_INVALID_ARGUMENT, "tnn_step: net is NULL");
    net->rows = 0;
    tnn_status status = tnni_check_optimizer("tnn_step", net, optimizer);
    if (status == TNN_OK)
        status = tnni_net_write_gradients("tnn_step", net);
    if (status == TNN_OK)
        tnni_step_with_gradients(net, optimizer);
    return status;
}
