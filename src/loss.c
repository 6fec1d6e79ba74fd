#include "loss.h"

#include "support/status.h"

#include <math.h>

/* For callers that use a built-in vtable directly; a net calls the kernels of its own table. */
#define BUILT_IN(name, kind)                                                                       \
    static void name(                                                                              \
        const tnn_loss *self, size_t rows, size_t units, const float *y, const float *target,      \
        double *row_loss, float *gradient) {                                                       \
        tnni_kernels_best()->losses[kind](                                                         \
            self->parameter, rows, units, y, target, row_loss, gradient);                          \
    }

BUILT_IN(half_squared_error, TNNI_HALF_SQUARED_ERROR)
BUILT_IN(mean_squared_error, TNNI_MEAN_SQUARED_ERROR)
BUILT_IN(mean_absolute_error, TNNI_MEAN_ABSOLUTE_ERROR)
BUILT_IN(huber, TNNI_HUBER)
BUILT_IN(binary_cross_entropy, TNNI_BINARY_CROSS_ENTROPY)
BUILT_IN(cross_entropy, TNNI_CROSS_ENTROPY)

static const tnn_loss_vtable catalogue[TNNI_LOSS_KINDS] = {
    [TNNI_HALF_SQUARED_ERROR] = {"half_squared_error", half_squared_error},
    [TNNI_MEAN_SQUARED_ERROR] = {"mean_squared_error", mean_squared_error},
    [TNNI_MEAN_ABSOLUTE_ERROR] = {"mean_absolute_error", mean_absolute_error},
    [TNNI_HUBER] = {"huber", huber},
    [TNNI_BINARY_CROSS_ENTROPY] = {"binary_cross_entropy", binary_cross_entropy},
    [TNNI_CROSS_ENTROPY] = {"cross_entropy", cross_entropy},
};

static tnn_loss built_in(tnni_loss_kind kind, float parameter) {
    return (tnn_loss){&catalogue[kind], parameter, NULL};
}

tnn_loss tnn_half_squared_error(void) {
    return built_in(TNNI_HALF_SQUARED_ERROR, 0.0f);
}

tnn_loss tnn_mean_squared_error(void) {
    return built_in(TNNI_MEAN_SQUARED_ERROR, 0.0f);
}

tnn_loss tnn_mean_absolute_error(void) {
    return built_in(TNNI_MEAN_ABSOLUTE_ERROR, 0.0f);
}

tnn_loss tnn_huber(float delta) {
    return built_in(TNNI_HUBER, delta);
}

tnn_loss tnn_binary_cross_entropy(void) {
    return built_in(TNNI_BINARY_CROSS_ENTROPY, 0.0f);
}

tnn_loss tnn_cross_entropy(void) {
    return built_in(TNNI_CROSS_ENTROPY, 0.0f);
}

/* By where the vtable lies: a call has no time for a search. */
tnni_loss_kind tnni_loss_find(const tnn_loss *loss) {
    uintptr_t distance = (uintptr_t)loss->vtable - (uintptr_t)catalogue;
    if (distance >= sizeof catalogue)
        return TNNI_LOSS_KINDS;
    return (tnni_loss_kind)(distance / sizeof catalogue[0]);
}

tnn_status tnni_loss_check(const char *caller, const tnn_loss *loss) {
    if (!loss->vtable)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: loss.vtable is NULL", caller);
    if (!loss->vtable->evaluate)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: loss.vtable has no evaluate function", caller);
    bool huber_loss = loss->vtable == &catalogue[TNNI_HUBER];
    if (huber_loss && !(loss->parameter > 0.0f && isfinite(loss->parameter)))
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: loss has the delta %g, expected a positive finite number",
            caller, (double)loss->parameter);
    return TNN_OK;
}
