#include "activation.h"

#include "support/status.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/*
 * The functions of a built-in vtable, for callers that use it directly, a user's own activation
 * built on one of ours for example. A net calls the kernels of its own table instead.
 */
#define BUILT_IN(name, kind)                                                                       \
    static void name##_forward(                                                                    \
        const tnn_activation *self, size_t rows, size_t units, const float *z, float *a) {         \
        tnni_kernels_best()->activations[kind].forward(self->parameter, rows, units, z, a);        \
    }                                                                                              \
    static void name##_backward(                                                                   \
        const tnn_activation *self, size_t rows, size_t units, const float *z, const float *a,     \
        float *gradient) {                                                                         \
        tnni_kernels_best()->activations[kind].backward(                                           \
            self->parameter, rows, units, z, a, gradient);                                         \
    }

BUILT_IN(identity, TNNI_IDENTITY)
BUILT_IN(relu, TNNI_RELU)
BUILT_IN(leaky_relu, TNNI_LEAKY_RELU)
BUILT_IN(sigmoid, TNNI_SIGMOID)
BUILT_IN(tanh, TNNI_TANH)
BUILT_IN(softmax, TNNI_SOFTMAX)
BUILT_IN(elu, TNNI_ELU)
BUILT_IN(selu, TNNI_SELU)
BUILT_IN(softplus, TNNI_SOFTPLUS)
BUILT_IN(softsign, TNNI_SOFTSIGN)
BUILT_IN(silu, TNNI_SILU)
BUILT_IN(gelu, TNNI_GELU)
BUILT_IN(hard_sigmoid, TNNI_HARD_SIGMOID)
BUILT_IN(hard_tanh, TNNI_HARD_TANH)

#define FROM_A(name)                                                                               \
    { #name, name##_forward, name##_backward, false }
#define FROM_Z(name)                                                                               \
    { #name, name##_forward, name##_backward, true }

static const tnn_activation_vtable catalogue[TNNI_ACTIVATION_KINDS] = {
    [TNNI_IDENTITY] = FROM_A(identity),
    [TNNI_RELU] = FROM_A(relu),
    [TNNI_LEAKY_RELU] = FROM_A(leaky_relu),
    [TNNI_SIGMOID] = FROM_A(sigmoid),
    [TNNI_TANH] = FROM_A(tanh),
    [TNNI_SOFTMAX] = FROM_A(softmax),
    [TNNI_ELU] = FROM_A(elu),
    [TNNI_SELU] = FROM_A(selu),
    [TNNI_SOFTPLUS] = FROM_Z(softplus),
    [TNNI_SOFTSIGN] = FROM_Z(softsign),
    [TNNI_SILU] = FROM_Z(silu),
    [TNNI_GELU] = FROM_Z(gelu),
    [TNNI_HARD_SIGMOID] = FROM_A(hard_sigmoid),
    [TNNI_HARD_TANH] = FROM_A(hard_tanh),
};

static tnn_activation built_in(tnni_activation_kind kind, float parameter) {
    return (tnn_activation){&catalogue[kind], parameter, NULL};
}

tnn_activation tnn_identity(void) {
    return built_in(TNNI_IDENTITY, 0.0f);
}

tnn_activation tnn_relu(void) {
    return built_in(TNNI_RELU, 0.0f);
}

tnn_activation tnn_leaky_relu(float slope) {
    return built_in(TNNI_LEAKY_RELU, slope);
}

tnn_activation tnn_sigmoid(void) {
    return built_in(TNNI_SIGMOID, 0.0f);
}

tnn_activation tnn_tanh(void) {
    return built_in(TNNI_TANH, 0.0f);
}

tnn_activation tnn_softmax(void) {
    return built_in(TNNI_SOFTMAX, 0.0f);
}

tnn_activation tnn_elu(float alpha) {
    return built_in(TNNI_ELU, alpha);
}

tnn_activation tnn_selu(void) {
    return built_in(TNNI_SELU, 0.0f);
}

tnn_activation tnn_softplus(void) {
    return built_in(TNNI_SOFTPLUS, 0.0f);
}

tnn_activation tnn_softsign(void) {
    return built_in(TNNI_SOFTSIGN, 0.0f);
}

tnn_activation tnn_silu(void) {
    return built_in(TNNI_SILU, 0.0f);
}

tnn_activation tnn_gelu(void) {
    return built_in(TNNI_GELU, 0.0f);
}

tnn_activation tnn_hard_sigmoid(void) {
    return built_in(TNNI_HARD_SIGMOID, 0.0f);
}

tnn_activation tnn_hard_tanh(void) {
    return built_in(TNNI_HARD_TANH, 0.0f);
}

tnni_activation_kind tnni_activation_find(const tnn_activation *activation) {
    if (!activation->vtable)
        return TNNI_IDENTITY;
    int kind = 0;
    while (kind < TNNI_ACTIVATION_KINDS && activation->vtable != &catalogue[kind])
        kind++;
    return (tnni_activation_kind)kind;
}

static tnn_status check_parameter(
    const char *caller, size_t layer, const char *name, float parameter) {
    if (parameter > 0.0f && isfinite(parameter))
        return TNN_OK;
    return tnni_fail(
        TNN_INVALID_ARGUMENT,
        "%s: layers[%zu].activation has the %s %g, expected a positive finite number", caller,
        layer, name, (double)parameter);
}

tnni_activation_kind tnni_activation_find_name(const char *name, size_t length) {
    int kind = 0;
    while (
        kind < TNNI_ACTIVATION_KINDS &&
        (strlen(catalogue[kind].name) != length || memcmp(catalogue[kind].name, name, length) != 0))
        kind++;
    return (tnni_activation_kind)kind;
}

tnn_activation tnni_activation_of_kind(tnni_activation_kind kind) {
    return built_in(kind, 0.0f);
}

tnn_status tnni_activation_check_vtable(
    const char *caller, const char *owner, const tnn_activation_vtable *vtable) {
    if (!vtable->name || vtable->name[0] == '\0')
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: %s.vtable has no name", caller, owner);
    if (!vtable->forward || !vtable->backward)
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: %s.vtable (\"%s\") has no %s function", caller, owner,
            vtable->name, vtable->forward ? "backward" : "forward");
    if (tnni_activation_find_name(vtable->name, strlen(vtable->name)) != TNNI_ACTIVATION_KINDS)
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: %s.vtable bears the name \"%s\" of a built-in activation, expected a name of its "
            "own",
            caller, owner, vtable->name);
    return TNN_OK;
}

tnn_status tnni_activation_check(
    const char *caller, size_t layer, const tnn_activation *activation) {
    char owner[48];
    switch (tnni_activation_find(activation)) {
    case TNNI_LEAKY_RELU:
        return check_parameter(caller, layer, "slope", activation->parameter);
    case TNNI_ELU:
        return check_parameter(caller, layer, "alpha", activation->parameter);
    case TNNI_ACTIVATION_KINDS:
        snprintf(owner, sizeof owner, "layers[%zu].activation", layer);
        return tnni_activation_check_vtable(caller, owner, activation->vtable);
    default:
        return TNN_OK;
    }
}

tnn_initializer tnni_activation_initializer(tnni_activation_kind kind) {
    switch (kind) {
    case TNNI_RELU:
    case TNNI_LEAKY_RELU:
    case TNNI_ELU:
    case TNNI_SILU:
    case TNNI_GELU:
        return tnn_he_normal();
    case TNNI_SELU:
        return tnn_lecun_normal();
    default:
        return tnn_glorot_uniform();
    }
}
