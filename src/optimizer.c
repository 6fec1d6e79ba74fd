#include "optimizer.h"

#include "support/memory.h"
#include "support/status.h"

#include <math.h>
#include <string.h>

struct tnn_method_vtable {
    const char *name;
    tnni_method_kind kind; /* with everything that the method can have */
    size_t moment_count;
};

static const struct tnn_method_vtable sgd_vtable = {"sgd", TNNI_MOMENTUM, 1};
static const struct tnn_method_vtable adagrad_vtable = {"adagrad", TNNI_ADAGRAD, 1};
static const struct tnn_method_vtable rmsprop_vtable = {"rmsprop", TNNI_RMSPROP, 1};
static const struct tnn_method_vtable adam_vtable = {"adam", TNNI_ADAM, 2};
static const struct tnn_method_vtable adamw_vtable = {"adamw", TNNI_ADAMW, 2};
static const struct tnn_method_vtable rprop_vtable = {"rprop", TNNI_RPROP, 2};

tnn_method tnn_sgd(float learning_rate) {
    return (tnn_method){.vtable = &sgd_vtable, .learning_rate = learning_rate};
}

tnn_method tnn_momentum(float learning_rate, float momentum) {
    return (tnn_method){
        .vtable = &sgd_vtable, .learning_rate = learning_rate, .momentum = momentum};
}

tnn_method tnn_nesterov(float learning_rate, float momentum) {
    tnn_method method = tnn_momentum(learning_rate, momentum);
    method.nesterov = true;
    return method;
}

tnn_method tnn_adagrad(float learning_rate) {
    return (tnn_method){
        .vtable = &adagrad_vtable, .learning_rate = learning_rate, .epsilon = 1e-10f};
}

tnn_method tnn_rmsprop(float learning_rate) {
    return (tnn_method){
        .vtable = &rmsprop_vtable, .learning_rate = learning_rate, .beta2 = 0.99, .epsilon = 1e-8f};
}

tnn_method tnn_adam(float learning_rate) {
    return (tnn_method){
        .vtable = &adam_vtable,
        .learning_rate = learning_rate,
        .beta1 = 0.9,
        .beta2 = 0.999,
        .epsilon = 1e-8f,
    };
}

tnn_method tnn_adamw(float learning_rate, float weight_decay) {
    tnn_method method = tnn_adam(learning_rate);
    method.vtable = &adamw_vtable;
    method.weight_decay = weight_decay;
    return method;
}

tnn_method tnn_rprop(void) {
    return (tnn_method){
        .vtable = &rprop_vtable,
        .learning_rate = 0.0125f,
        .shrink = 0.5f,
        .grow = 1.2f,
        .max_move = 50.0f,
    };
}

static const struct tnn_method_vtable *const catalogue[] = {
    &sgd_vtable, &adagrad_vtable, &rmsprop_vtable, &adam_vtable, &adamw_vtable, &rprop_vtable,
};

const char *tnni_method_name(const struct tnn_method_vtable *method) {
    return method->name;
}

const struct tnn_method_vtable *tnni_method_find(const char *name, size_t length) {
    for (size_t i = 0; i < sizeof catalogue / sizeof catalogue[0]; i++) {
        const char *other = catalogue[i]->name;
        if (strlen(other) == length && memcmp(other, name, length) == 0)
            return catalogue[i];
    }
    return NULL;
}

static bool is_shaped(const tnn_method *method) {
    return method->clip_value > 0.0f || method->clip_norm > 0.0f || method->l1 > 0.0f;
}

/* The rule that does what the fields ask for and no more. */
static tnni_method_kind kind_of(const tnn_method *method) {
    if (method->vtable != &sgd_vtable)
        return method->vtable->kind;
    if (method->momentum > 0.0f)
        return method->nesterov ? TNNI_NESTEROV : TNNI_MOMENTUM;
    return method->weight_decay > 0.0f || is_shaped(method) ? TNNI_SGD : TNNI_DESCENT;
}

size_t tnni_method_moments(const tnn_method *method) {
    tnni_method_kind kind = kind_of(method);
    return kind == TNNI_DESCENT || kind == TNNI_SGD ? 0 : method->vtable->moment_count;
}

/* What steps have in common. */
static tnni_step plan_step(const tnn_method *method) {
    return (tnni_step){
        .kind = kind_of(method),
        .weight_decay = method->weight_decay,
        .momentum = method->momentum,
        .beta1 = (float)method->beta1,
        .rest1 = (float)(1.0 - method->beta1),
        .beta2 = (float)method->beta2,
        .rest2 = (float)(1.0 - method->beta2),
        .epsilon = method->epsilon,
        .move_shrink = method->shrink,
        .move_grow = method->grow,
        .least_move = method->min_move,
        .most_move = method->max_move,
        .is_shaped = is_shaped(method),
        .clip_value = method->clip_value > 0.0f ? method->clip_value : INFINITY,
        .coefficient = 1.0f,
        .l1 = method->l1,
    };
}

static tnn_status check_not_negative(const char *caller, const char *culprit, double value) {
    if (value >= 0.0 && isfinite(value))
        return TNN_OK;
    return tnni_fail(
        TNN_INVALID_ARGUMENT, "%s: %s is %g, expected a finite number of at least 0", caller,
        culprit, value);
}

static tnn_status check_share(const char *caller, const char *culprit, double value) {
    if (value >= 0.0 && value < 1.0)
        return TNN_OK;
    return tnni_fail(
        TNN_INVALID_ARGUMENT, "%s: %s is %g, expected at least 0 and less than 1", caller, culprit,
        value);
}

static tnn_status check_numbers(const char *caller, const tnn_method *method) {
    const struct {
        const char *culprit;
        float value;
    } numbers[] = {
        {"method.learning_rate", method->learning_rate},
        {"method.weight_decay", method->weight_decay},
        {"method.epsilon", method->epsilon},
        {"method.l1", method->l1},
        {"method.clip_value", method->clip_value},
        {"method.clip_norm", method->clip_norm},
    };
    tnn_status status = TNN_OK;
    for (size_t i = 0; status == TNN_OK && i < sizeof numbers / sizeof numbers[0]; i++)
        status = check_not_negative(caller, numbers[i].culprit, numbers[i].value);
    return status;
}

static tnn_status check_shares(const char *caller, const tnn_method *method) {
    tnn_status status = check_share(caller, "method.momentum", method->momentum);
    if (status == TNN_OK)
        status = check_share(caller, "method.beta1", method->beta1);
    if (status == TNN_OK)
        status = check_share(caller, "method.beta2", method->beta2);
    return status;
}

/* The learning rate is the first move of a new one, and may be any in one that was used. */
static tnn_status check_moves(const char *caller, const tnn_method *method, bool is_new) {
    float most = is_new ? method->learning_rate : method->max_move;
    float least = is_new ? method->learning_rate : method->min_move;
    if (!(method->shrink > 0.0f && method->shrink < 1.0f))
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: method.shrink is %g, expected more than 0 and less than 1",
            caller, (double)method->shrink);
    if (!(method->grow > 1.0f && isfinite(method->grow)))
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: method.grow is %g, expected a finite number more than 1",
            caller, (double)method->grow);
    if (!(method->min_move >= 0.0f && method->min_move <= most))
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: method.min_move is %g, expected at least 0 and at most %s, %g", caller,
            (double)method->min_move, is_new ? "the learning rate" : "max_move", (double)most);
    if (!(method->max_move >= least && isfinite(method->max_move)))
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: method.max_move is %g, expected a finite number of at least %s, %g", caller,
            (double)method->max_move, is_new ? "the learning rate" : "min_move", (double)least);
    return TNN_OK;
}

static tnn_status check_method(const char *caller, const tnn_method *method, bool is_new) {
    if (!method->vtable)
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: method.vtable is NULL, expected a method such as tnn_sgd(0.1f)", caller);
    tnn_status status = check_numbers(caller, method);
    if (status == TNN_OK)
        status = check_shares(caller, method);
    if (status == TNN_OK && method->vtable == &rprop_vtable)
        status = check_moves(caller, method, is_new);
    return status;
}

enum { ALIGNED_FLOATS = TNNI_ALIGNMENT / sizeof(float) };

static size_t moment_bytes(const tnn_optimizer *optimizer) {
    /* No overflow: create checked the product. */
    return optimizer->moment_count * optimizer->stride * sizeof(float);
}

static tnn_status allocate_moments(const char *caller, tnn_optimizer *optimizer) {
    size_t end;
    size_t count;
    size_t bytes;
    if (!tnni_add(optimizer->parameter_count, ALIGNED_FLOATS - 1, &end) ||
        !tnni_multiply(optimizer->moment_count, end, &count) ||
        !tnni_multiply(count, sizeof(float), &bytes))
        return tnni_fail(TNN_OUT_OF_MEMORY, "%s: the moments overflow size_t", caller);
    optimizer->stride = end / ALIGNED_FLOATS * ALIGNED_FLOATS;
    bytes = moment_bytes(optimizer);
    if (bytes == 0)
        return TNN_OK;
    optimizer->moments = tnni_allocate(optimizer->allocator, bytes);
    if (!optimizer->moments)
        return tnni_fail(
            TNN_OUT_OF_MEMORY, "%s: no memory for %zu bytes of moments", caller, bytes);
    memset(optimizer->moments, 0, bytes);
    return TNN_OK;
}

tnn_status tnni_optimizer_create(
    const char *caller, tnn_optimizer **optimizer, const tnn_allocator *allocator, uint64_t layout,
    size_t parameter_count, tnn_method method, bool is_new) {
    tnn_status status = check_method(caller, &method, is_new);
    if (status != TNN_OK)
        return status;
    tnn_optimizer *made = tnni_allocate(allocator, sizeof *made);
    if (!made)
        return tnni_fail(TNN_OUT_OF_MEMORY, "%s: no memory for the optimizer", caller);
    *made = (tnn_optimizer){
        .allocator = allocator,
        .method = method,
        .step = plan_step(&method),
        .layout = layout,
        .parameter_count = parameter_count,
        .beta1_power = 1.0,
        .beta2_power = 1.0,
    };
    made->method.learning_rate += 0.0f; /* +0 of -0, which would move a weight of -0 */
    made->moment_count = tnni_method_moments(&method);
    status = allocate_moments(caller, made);
    if (status != TNN_OK) {
        tnni_release(allocator, made, sizeof *made);
        return status;
    }
    *optimizer = made;
    return TNN_OK;
}

void tnn_optimizer_destroy(tnn_optimizer *optimizer) {
    if (!optimizer)
        return;
    tnni_release(optimizer->allocator, optimizer->moments, moment_bytes(optimizer));
    tnni_release(optimizer->allocator, optimizer, sizeof *optimizer);
}

tnn_status tnn_optimizer_set_learning_rate(tnn_optimizer *optimizer, float learning_rate) {
    if (!optimizer)
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "tnn_optimizer_set_learning_rate: optimizer is NULL");
    tnn_status status =
        check_not_negative("tnn_optimizer_set_learning_rate", "learning_rate", learning_rate);
    if (status == TNN_OK)
        optimizer->method.learning_rate = learning_rate + 0.0f; /* +0 of -0 */
    return status;
}

/* Before the first step only, so that a learning rate set until then is the first move. */
static void fill_moves(const tnn_optimizer *optimizer) {
    float *moves = optimizer->moments + optimizer->stride;
    for (size_t i = 0; i < optimizer->parameter_count; i++)
        moves[i] = optimizer->method.learning_rate;
}

const tnni_step *tnni_optimizer_begin(tnn_optimizer *optimizer) {
    const tnn_method *method = &optimizer->method;
    tnni_step *step = &optimizer->step;
    step->rate = method->learning_rate;
    if (step->kind == TNNI_ADAM || step->kind == TNNI_ADAMW) {
        double rate = method->learning_rate;
        optimizer->beta1_power *= method->beta1;
        optimizer->beta2_power *= method->beta2;
        step->rate = (float)(rate / (1.0 - optimizer->beta1_power));
        step->correction = (float)(1.0 / sqrt(1.0 - optimizer->beta2_power));
        step->shrink = (float)(1.0 - rate * method->weight_decay);
    } else if (step->kind == TNNI_RPROP && !optimizer->has_moves) {
        fill_moves(optimizer);
        optimizer->has_moves = true;
    }
    return step;
}

void tnni_optimizer_clip(tnn_optimizer *optimizer, double norm) {
    /* As clip_grad_norm_ of PyTorch; a NaN stays. */
    double coefficient = optimizer->method.clip_norm / (norm + 1e-6);
    optimizer->step.coefficient = coefficient > 1.0 ? 1.0f : (float)coefficient;
}

void tnni_optimizer_apply(
    tnn_optimizer *optimizer, const tnni_kernels *kernels, size_t offset, size_t count,
    const float *gradients, float *parameters) {
    const tnni_step *step = &optimizer->step;
    kernels->steps[step->is_shaped][step->kind](
        step, 1, count, gradients, parameters, count, tnni_optimizer_moments(optimizer, offset),
        optimizer->stride);
}
