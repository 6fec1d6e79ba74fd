/*
 * The gradients of a net against differences of its loss, row by row.
 *
 * The loss is computed by float arithmetic, so one difference is at the mercy of its step: a large
 * one bends with the third derivative or crosses a kink of relu, a small one drowns in rounding.
 * Every parameter gets a ladder of steps, and what is compared is the estimate that comes nearest.
 * A backward that is right agrees with one of them; one that is wrong agrees with none.
 *
 * Among many rows there is nearly always one that is near a kink, so each row is compared by
 * itself: its gradient is the batch's with all other rows weighted 0. And where its kink lies on
 * one side of the parameter, the other side has an estimate of its own.
 */
#include "net.h"

#include "loss.h"
#include "support/memory.h"
#include "support/status.h"

#include <math.h>
#include <string.h>

/* Steps 2^-3 ... 2^-10, relative to the parameter where that is larger than 1. */
enum { STEPS = 8 };
#define LARGEST_STEP 0x1p-3f

/* Gradients far below the largest one are lost in the rounding of the loss: their errors are taken
 * relative to this share of the largest. */
#define SHARE_OF_LARGEST 0.01

/* What one step tells of one row: differences to both sides, above and below. */
typedef struct estimate {
    double central;
    double above;
    double below;
} estimate;

typedef struct gradient_check {
    tnn_net *net; /* a copy, without dropout */
    tnni_objective objective;
    size_t rows;
    /* In one block, bytes long. */
    float *row_weights; /* [rows] */
    float *gradients;   /* [rows, parameters]: of each row's own loss */
    double *loss;       /* [rows]: at the parameters, and a step above and below */
    double *high;
    double *low;
    double *error;      /* [rows]: of the parameter in hand */
    estimate *previous; /* [rows]: with twice the step */
    void *block;
    size_t bytes;
} gradient_check;

static const char *caller = "tnn_check_gradients";

static void lay_out(gradient_check *check, tnni_arena *arena) {
    size_t rows = check->rows;
    check->row_weights = tnni_arena_take(arena, rows, sizeof(float));
    check->gradients = tnni_arena_take(arena, rows, check->net->parameter_count * sizeof(float));
    check->loss = tnni_arena_take(arena, rows, sizeof(double));
    check->high = tnni_arena_take(arena, rows, sizeof(double));
    check->low = tnni_arena_take(arena, rows, sizeof(double));
    check->error = tnni_arena_take(arena, rows, sizeof(double));
    check->previous = tnni_arena_take(arena, rows, sizeof(estimate));
}

static tnn_status allocate(gradient_check *check) {
    tnni_arena arena = {0};
    lay_out(check, &arena);
    check->bytes = arena.used;
    check->block = arena.overflow ? NULL : tnni_allocate(check->net->allocator, arena.used);
    if (!check->block)
        return tnni_fail(
            TNN_OUT_OF_MEMORY, "%s: no memory for the gradients of %zu rows", caller, check->rows);
    arena = (tnni_arena){.base = check->block};
    lay_out(check, &arena);
    return TNN_OK;
}

/* Every row's loss at the parameters as they are. */
static void losses_at(const gradient_check *check, double *loss) {
    tnn_net *net = check->net;
    tnni_pass pass = {.net = net, .rows = check->rows};
    tnni_pass_run(&pass, 0, net->layer_count);
    tnni_loss_rows(net, &check->objective, (tnni_range){0, check->rows}, NULL);
    memcpy(loss, net->row_loss, check->rows * sizeof *loss);
}

/* Backward for each row: the batch's, in which it weighs as much as all and the others nothing. */
static void gradients_of_rows(gradient_check *check) {
    tnn_net *net = check->net;
    tnni_pass pass = {.net = net, .rows = check->rows, .objective = &check->objective};
    memset(check->row_weights, 0, check->rows * sizeof(float));
    check->objective.row_weights = check->row_weights;
    for (size_t r = 0; r < check->rows; r++) {
        check->row_weights[r] = (float)check->rows;
        tnni_pass_run(&pass, net->layer_count, 2 * net->layer_count);
        net->gradients_zero = true;
        tnni_add_gradients(net, check->rows);
        memcpy(
            check->gradients + r * net->parameter_count, net->gradients,
            net->parameter_count * sizeof(float));
        check->row_weights[r] = 0.0f;
    }
}

static double relative_error(double value, double gradient, double floor) {
    double scale = fmax(floor, fmax(fabs(value), fabs(gradient)));
    if (!isfinite(value))
        return INFINITY;
    return scale > 0.0 ? fabs(value - gradient) / scale : 0.0;
}

/* The nearest of the central difference, its extrapolation by Richardson (4 D(h/2) - D(h)) / 3, and
 * those of the differences to one side, 2 D(h/2) - D(h). */
static double nearest_error(
    const estimate *now, const estimate *previous, double gradient, double floor) {
    const double values[] = {
        now->central,
        (4.0 * now->central - previous->central) / 3.0,
        2.0 * now->above - previous->above,
        2.0 * now->below - previous->below,
    };
    double error = INFINITY;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        error = fmin(error, relative_error(values[i], gradient, floor));
    return error;
}

/* One rung of the ladder for one parameter; the first one has nothing to extrapolate from. */
static void try_step(gradient_check *check, size_t index, float step, bool first, double floor) {
    float *parameter = &check->net->parameters[index];
    float p = *parameter;
    float above = p + step;
    float below = p - step;
    *parameter = above;
    losses_at(check, check->high);
    *parameter = below;
    losses_at(check, check->low);
    *parameter = p;
    for (size_t r = 0; r < check->rows; r++) {
        double gradient = check->gradients[r * check->net->parameter_count + index];
        double high = check->high[r];
        double low = check->low[r];
        estimate now = {
            .central = (high - low) / ((double)above - below),
            .above = (high - check->loss[r]) / ((double)above - p),
            .below = (check->loss[r] - low) / ((double)p - below),
        };
        estimate none = {NAN, NAN, NAN};
        double error = nearest_error(&now, first ? &none : &check->previous[r], gradient, floor);
        check->error[r] = first ? error : fmin(check->error[r], error);
        check->previous[r] = now;
    }
}

/* The worst row's error for one parameter. */
static double parameter_error(gradient_check *check, size_t index, double floor) {
    float size = fabsf(check->net->parameters[index]);
    float step = LARGEST_STEP * (size > 1.0f ? size : 1.0f);
    double worst = 0.0;
    for (int i = 0; i < STEPS; i++, step *= 0.5f)
        try_step(check, index, step, i == 0, floor);
    for (size_t r = 0; r < check->rows; r++)
        worst = fmax(worst, check->error[r]);
    return worst;
}

static double worst_error(gradient_check *check) {
    size_t count = check->net->parameter_count;
    double largest = 0.0;
    double worst = 0.0;
    for (size_t i = 0; i < check->rows * count; i++) {
        if (!isfinite(check->gradients[i]))
            return INFINITY;
        largest = fmax(largest, fabs((double)check->gradients[i]));
    }
    for (size_t i = 0; i < count; i++)
        worst = fmax(worst, parameter_error(check, i, SHARE_OF_LARGEST * largest));
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

/* The copy's pass and the check's own memory. */
static tnn_status prepare(
    gradient_check *check, const tnn_net *net, const tnn_loss *loss, const float *x,
    const float *target) {
    tnn_status status = tnni_net_clone_without_dropout(caller, &check->net, net);
    if (status != TNN_OK)
        return status;
    check->objective = tnni_objective_of(check->net, loss);
    check->objective.target = target;
    status = tnni_pass_begin(caller, check->net, check->rows, x);
    if (status == TNN_OK)
        status = tnni_net_allocate_gradients(caller, check->net);
    return status == TNN_OK ? allocate(check) : status;
}

tnn_status tnn_check_gradients(
    tnn_net *net, tnn_loss loss, size_t rows, const float *x, const float *target,
    double *worst_relative_error) {
    gradient_check check = {.rows = rows};
    tnn_status status = check_arguments(net, &loss, rows, x, target, worst_relative_error);
    if (status != TNN_OK)
        return status;
    status = prepare(&check, net, &loss, x, target);
    if (status == TNN_OK) {
        losses_at(&check, check.loss);
        status = tnni_check_loss(caller, tnni_batch_loss(check.net, &check.objective, rows));
    }
    if (status == TNN_OK) {
        gradients_of_rows(&check);
        *worst_relative_error = worst_error(&check);
    }
    tnni_release(net->allocator, check.block, check.bytes);
    tnn_net_destroy(check.net);
    return status;
}
