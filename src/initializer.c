#include "initializer.h"

#include "support/special.h"
#include "support/status.h"

#include <math.h>
#include <string.h>

/* The largest float below a finite x. */
static float float_below(float x) {
    int32_t bits;
    if (x == 0.0f)
        return -0x1p-149f;
    memcpy(&bits, &x, sizeof bits);
    bits += x > 0.0f ? -1 : 1;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* low + uniform (high - low), which rounding must not bring to high. */
static float between(double low, double high, double uniform) {
    float value = (float)(low + uniform * (high - low));
    return value < (float)high ? value : float_below((float)high);
}

static float uniform_weight(
    const tnn_initializer *self, size_t inputs, size_t units, double uniform) {
    (void)inputs, (void)units;
    return between(self->first, self->second, uniform);
}

static float normal_weight(
    const tnn_initializer *self, size_t inputs, size_t units, double uniform) {
    (void)inputs, (void)units;
    return (float)(self->first + self->second * tnni_inverse_normal(uniform));
}

static float constant_weight(
    const tnn_initializer *self, size_t inputs, size_t units, double uniform) {
    (void)inputs, (void)units, (void)uniform;
    return self->first;
}

/* A uniform distribution on [-limit, limit) has the variance limit^2 / 3. */
static float uniform_of_variance(double variance, double uniform) {
    double limit = sqrt(3.0 * variance);
    return between(-limit, limit, uniform);
}

static float normal_of_variance(double variance, double uniform) {
    return (float)(sqrt(variance) * tnni_inverse_normal(uniform));
}

static float glorot_uniform_weight(
    const tnn_initializer *self, size_t inputs, size_t units, double uniform) {
    (void)self;
    return uniform_of_variance(2.0 / ((double)inputs + (double)units), uniform);
}

static float glorot_normal_weight(
    const tnn_initializer *self, size_t inputs, size_t units, double uniform) {
    (void)self;
    return normal_of_variance(2.0 / ((double)inputs + (double)units), uniform);
}

static float he_uniform_weight(
    const tnn_initializer *self, size_t inputs, size_t units, double uniform) {
    (void)self, (void)units;
    return uniform_of_variance(2.0 / (double)inputs, uniform);
}

static float he_normal_weight(
    const tnn_initializer *self, size_t inputs, size_t units, double uniform) {
    (void)self, (void)units;
    return normal_of_variance(2.0 / (double)inputs, uniform);
}

static float lecun_normal_weight(
    const tnn_initializer *self, size_t inputs, size_t units, double uniform) {
    (void)self, (void)units;
    return normal_of_variance(1.0 / (double)inputs, uniform);
}

enum {
    UNIFORM,
    NORMAL,
    CONSTANT,
    GLOROT_UNIFORM,
    GLOROT_NORMAL,
    HE_UNIFORM,
    HE_NORMAL,
    LECUN_NORMAL,
    KINDS
};

static const tnn_initializer_vtable catalogue[KINDS] = {
    [UNIFORM] = {"uniform", uniform_weight},
    [NORMAL] = {"normal", normal_weight},
    [CONSTANT] = {"constant", constant_weight},
    [GLOROT_UNIFORM] = {"glorot_uniform", glorot_uniform_weight},
    [GLOROT_NORMAL] = {"glorot_normal", glorot_normal_weight},
    [HE_UNIFORM] = {"he_uniform", he_uniform_weight},
    [HE_NORMAL] = {"he_normal", he_normal_weight},
    [LECUN_NORMAL] = {"lecun_normal", lecun_normal_weight},
};

tnn_initializer tnn_uniform(float low, float high) {
    return (tnn_initializer){&catalogue[UNIFORM], low, high, NULL};
}

tnn_initializer tnn_normal(float mean, float deviation) {
    return (tnn_initializer){&catalogue[NORMAL], mean, deviation, NULL};
}

tnn_initializer tnn_constant(float value) {
    return (tnn_initializer){&catalogue[CONSTANT], value, 0.0f, NULL};
}

tnn_initializer tnn_glorot_uniform(void) {
    return (tnn_initializer){&catalogue[GLOROT_UNIFORM], 0.0f, 0.0f, NULL};
}

tnn_initializer tnn_glorot_normal(void) {
    return (tnn_initializer){&catalogue[GLOROT_NORMAL], 0.0f, 0.0f, NULL};
}

tnn_initializer tnn_he_uniform(void) {
    return (tnn_initializer){&catalogue[HE_UNIFORM], 0.0f, 0.0f, NULL};
}

tnn_initializer tnn_he_normal(void) {
    return (tnn_initializer){&catalogue[HE_NORMAL], 0.0f, 0.0f, NULL};
}

tnn_initializer tnn_lecun_normal(void) {
    return (tnn_initializer){&catalogue[LECUN_NORMAL], 0.0f, 0.0f, NULL};
}

static tnn_status check_custom(
    const char *caller, size_t layer, const tnn_initializer_vtable *vtable) {
    if (!vtable->name || vtable->name[0] == '\0')
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: layers[%zu].initializer.vtable has no name", caller, layer);
    if (!vtable->weight)
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: layers[%zu].initializer.vtable (\"%s\") has no weight function", caller, layer,
            vtable->name);
    for (int kind = 0; kind < KINDS; kind++) {
        if (strcmp(vtable->name, catalogue[kind].name) == 0)
            return tnni_fail(
                TNN_INVALID_ARGUMENT,
                "%s: layers[%zu].initializer.vtable bears the name \"%s\" of a built-in "
                "initializer, expected a name of its own",
                caller, layer, vtable->name);
    }
    return TNN_OK;
}

tnn_status tnni_initializer_check(
    const char *caller, size_t layer, const tnn_initializer *initializer) {
    const tnn_initializer_vtable *vtable = initializer->vtable;
    double first = initializer->first;
    double second = initializer->second;
    bool finite = isfinite(first) && isfinite(second);
    if (!vtable)
        return TNN_OK;
    int kind = 0;
    while (kind < KINDS && vtable != &catalogue[kind])
        kind++;
    if (kind == KINDS)
        return check_custom(caller, layer, vtable);
    if (kind == UNIFORM && !(finite && first < second))
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: layers[%zu].initializer is uniform from %g to %g, expected finite low < high",
            caller, layer, first, second);
    if (kind == NORMAL && !(finite && second >= 0.0))
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: layers[%zu].initializer is normal with mean %g and deviation %g, expected a "
            "finite mean and a finite deviation of at least 0",
            caller, layer, first, second);
    if (kind == CONSTANT && !finite)
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: layers[%zu].initializer is the constant %g, expected a finite number", caller,
            layer, first);
    return TNN_OK;
}

void tnni_initializer_fill(
    const tnn_initializer *initializer, tnni_random *random, size_t inputs, size_t units,
    float *weights) {
    for (size_t i = 0; i < inputs * units; i++)
        weights[i] =
            initializer->vtable->weight(initializer, inputs, units, tnni_random_uniform(random));
}
