/* Step: the optimizer's method applied to the flat vector of parameters. */
#include "net.h"

#include "optimizer.h"
#include "support/status.h"

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

void tnni_step_with_gradients(tnn_net *net, tnn_optimizer *optimizer) {
    net->gradients_zero = true;
    if (net->small && optimizer->step.kind == TNNI_DESCENT) {
        net->kernels->small_step(
            net->small, net->layer_count, tnni_optimizer_begin(optimizer)->rate, net->gradients);
        return;
    }
    tnni_optimizer_begin(optimizer);
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
