/*
 * The gradients of a net against central differences of its loss.
 *
 * The loss is computed by float arithmetic, so one difference is at the mercy of its step: a large
 * one bends with the third derivative or crosses a kink of relu, a small one drowns in rounding.
 * Every parameter gets a ladder of steps, and what is compared is the estimate that comes nearest.
 * A backward that is right agrees with one of them; one that is wrong agrees with none.
 */
#include "net.h"

#include "loss.h"
#include "support/status.h"

#include <math.h>

/* Steps 2^-3 ... 2^-10, relative to the parameter where that is larger than 1. */
enum { STEPS = 8 };
#define LARGEST_STEP 0x1p-3f

/* Gradients far below the largest one are lost in the rounding of the loss: their errors are taken
 * relative to this share of the largest. */
#define SHARE_OF_LARGEST 0.01

typedef struct gradient_check {
    tnn_net *net; /* a copy, without dropout */
    tnni_objective objective;
    size_t rows;
} gradient_check;

static const char *caller = "tnn_check_gradients";

static double loss_at(const gradient_check *check) {
    tnni_range all = {0, check->rows};
    tnni_forward_rows(check->net, all, check->net->panels);
    tnni_loss_rows(check->net, &check->objective, all, NULL);
    return tnni_batch_loss(check->net, &check->objective, check->rows);
}

/* (L(p + h) - L(p - h)) / 2h, h being what the floats around p make of step. Not finite if the loss
 * is not finite there: the step leaves its domain. */
static double central_difference(const gradient_check *check, float *parameter, float step) {
    float p = *parameter;
    float above = p + step;
    float below = p - step;
    *parameter = above;
    double high = loss_at(check);
    *parameter = below;
    double low = loss_at(check);
    *parameter = p;
    return (high - low) / ((double)above - below);
}

/* Infinite for an estimate that is not finite. */
static double relative_error(double estimate, double gradient, double floor) {
    if (!isfinite(estimate))
        return INFINITY;
    double scale = fmax(floor, fmax(fabs(estimate), fabs(gradient)));
    return scale > 0.0 ? fabs(estimate - gradient) / scale : 0.0;
}

/*
 * The error of one gradient against the nearest of the differences and of their extrapolations,
 * Richardson's (4 D(h/2) - D(h)) / 3. If no step stays in the loss's domain the error is infinite.
 */
static double parameter_error(
    const gradient_check *check, float *parameter, double gradient, double floor) {
    float step = LARGEST_STEP * fmaxf(1.0f, fabsf(*parameter));
    double last = NAN;
    double error = INFINITY;
    for (int i = 0; i < STEPS; i++, step *= 0.5f) {
        double difference = central_difference(check, parameter, step);
        double extrapolated = (4.0 * difference - last) / 3.0;
        error = fmin(error, relative_error(difference, gradient, floor));
        error = fmin(error, relative_error(extrapolated, gradient, floor));
        last = difference;
    }
    return error;
}

static double largest_gradient(const tnn_net *net) {
    double largest = 0.0;
    for (size_t i = 0; i < net->parameter_count; i++)
        largest = fmax(largest, fabs((double)net->gradients[i]));
    return largest;
}

static double worst_error(const gradient_check *check) {
    tnn_net *net = check->net;
    double floor = SHARE_OF_LARGEST * largest_gradient(net);
    double worst = 0.0;
    for (size_t i = 0; i < net->parameter_count; i++) {
        double gradient = net->gradients[i];
        if (!isfinite(gradient))
            return INFINITY;
        worst = fmax(worst, parameter_error(check, &net->parameters[i], gradient, floor));
    }
    return worst;
}

static tnn_status check_arguments(
    const tnn_net *net, const tnn_loss *loss, size_t rows, const float *x, const float *target,
    const double *worst) {
    if (!net)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: net is NULL", caller);
    if (!target)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: target is NULL", caller);
    if (!worst)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: worst_relative_error is NULL", caller);
    tnn_status status = tnni_check_rows(caller, net, rows, x, NULL);
    return status == TNN_OK ? tnni_loss_check(caller, loss) : status;
}

tnn_status tnn_check_gradients(
    tnn_net *net, tnn_loss loss, size_t rows, const float *x, const float *target,
    double *worst_relative_error) {
    gradient_check check = {.rows = rows};
    tnn_status status = check_arguments(net, &loss, rows, x, target, worst_relative_error);
    if (status == TNN_OK)
        status = tnni_net_clone_without_dropout(caller, &check.net, net);
    if (status == TNN_OK) {
        check.objective = tnni_objective_of(check.net, &loss);
        check.objective.target = target;
    }
    if (status == TNN_OK)
        status = tnni_pass_begin(caller, check.net, rows, x);
    if (status == TNN_OK)
        status = tnni_net_allocate_gradients(caller, check.net);
    if (status == TNN_OK)
        status = tnni_check_loss(caller, loss_at(&check));
    if (status == TNN_OK) {
        tnni_backward_rows(
            check.net, &check.objective, (tnni_range){0, rows}, rows, check.net->panels);
        tnni_add_gradients(check.net, rows);
        *worst_relative_error = worst_error(&check);
    }
    tnn_net_destroy(check.net);
    return status;
}
