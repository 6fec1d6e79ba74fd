#include "optimizer.h"

#include "support/memory.h"
#include "support/status.h"

#include <math.h>
#include <string.h>

static const struct tnn_method_vtable sgd_vtable = {"sgd", TNNI_SGD, 0};

tnn_method tnn_sgd(float learning_rate) {
    return (tnn_method){&sgd_vtable, learning_rate};
}

static tnn_status check_learning_rate(const char *culprit, float learning_rate) {
    if (learning_rate >= 0.0f && isfinite(learning_rate))
        return TNN_OK;
    return tnni_fail(
        TNN_INVALID_ARGUMENT, "%s is %g, expected a finite number of at least 0", culprit,
        (double)learning_rate);
}

static size_t moment_bytes(const tnn_optimizer *optimizer) {
    /* No overflow: create checked the product. */
    return optimizer->method.vtable->moments * optimizer->parameter_count * sizeof(float);
}

static tnn_status allocate_moments(tnn_optimizer *optimizer) {
    size_t count;
    size_t bytes;
    if (!tnni_multiply(optimizer->method.vtable->moments, optimizer->parameter_count, &count) ||
        !tnni_multiply(count, sizeof(float), &bytes))
        return tnni_fail(TNN_OUT_OF_MEMORY, "tnn_optimizer_create: the moments overflow size_t");
    if (bytes == 0)
        return TNN_OK;
    optimizer->moments = tnni_allocate(optimizer->allocator, bytes);
    if (!optimizer->moments)
        return tnni_fail(
            TNN_OUT_OF_MEMORY, "tnn_optimizer_create: no memory for %zu bytes of moments", bytes);
    memset(optimizer->moments, 0, bytes);
    return TNN_OK;
}

tnn_status tnni_optimizer_create(
    tnn_optimizer **optimizer, const tnn_allocator *allocator, uint64_t layout,
    size_t parameter_count, tnn_method method) {
    if (!method.vtable)
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "tnn_optimizer_create: method.vtable is NULL, expected a method "
            "such as tnn_sgd(0.1f)");
    tnn_status status =
        check_learning_rate("tnn_optimizer_create: method.learning_rate", method.learning_rate);
    if (status != TNN_OK)
        return status;
    tnn_optimizer *made = tnni_allocate(allocator, sizeof *made);
    if (!made)
        return tnni_fail(TNN_OUT_OF_MEMORY, "tnn_optimizer_create: no memory for the optimizer");
    *made = (tnn_optimizer){
        .allocator = allocator,
        .method = method,
        .layout = layout,
        .parameter_count = parameter_count,
    };
    status = allocate_moments(made);
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
        check_learning_rate("tnn_optimizer_set_learning_rate: learning_rate", learning_rate);
    if (status == TNN_OK)
        optimizer->method.learning_rate = learning_rate;
    return status;
}

tnni_step_scalars tnni_optimizer_begin(tnn_optimizer *optimizer) {
    return (tnni_step_scalars){.learning_rate = optimizer->method.learning_rate};
}

void tnni_optimizer_apply(
    tnn_optimizer *optimizer, const tnni_kernels *kernels, const tnni_step_scalars *scalars,
    size_t offset, size_t count, const float *gradients, float *parameters) {
    float *moments = optimizer->moments ? optimizer->moments + offset : NULL;
    kernels->steps[optimizer->method.vtable->kind](
        scalars, count, gradients, parameters, moments, optimizer->parameter_count);
}
