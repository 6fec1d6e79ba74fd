/* The catalogue of activations: what the library knows about its own vtables. */
#ifndef TINYNN_ACTIVATION_H
#define TINYNN_ACTIVATION_H

#include "kernels/kernels.h"

/* The kind of a built-in activation, the identity for {0}; TNNI_ACTIVATION_KINDS for a user's. */
tnni_activation_kind tnni_activation_find(const tnn_activation *activation);

/* Is it fit to be layers[layer].activation? Otherwise TNN_INVALID_ARGUMENT, naming caller. */
tnn_status tnni_activation_check(
    const char *caller, size_t layer, const tnn_activation *activation);

/* What {0} as the initializer of such a layer stands for. */
tnn_initializer tnni_activation_initializer(tnni_activation_kind kind);

#endif
