/* The catalogue of activations: what the library knows about its own vtables. */
#ifndef TINYNN_ACTIVATION_H
#define TINYNN_ACTIVATION_H

#include "kernels/kernels.h"

/* The kind of a built-in activation, the identity for {0}; TNNI_ACTIVATION_KINDS for a user's. */
tnni_activation_kind tnni_activation_find(const tnn_activation *activation);

/* By its name, which need not end in 0; TNNI_ACTIVATION_KINDS if no built-in one bears it. */
tnni_activation_kind tnni_activation_find_name(const char *name, size_t length);
/* The built-in one of a kind, with the parameter 0. */
tnn_activation tnni_activation_of_kind(tnni_activation_kind kind);

/* Has a custom vtable its functions and a name of its own? Otherwise TNN_INVALID_ARGUMENT, naming
 * caller and what has it. */
tnn_status tnni_activation_check_vtable(
    const char *caller, const char *owner, const tnn_activation_vtable *vtable);

/* Is it fit to be layers[layer].activation? Otherwise TNN_INVALID_ARGUMENT, naming caller. */
tnn_status tnni_activation_check(
    const char *caller, size_t layer, const tnn_activation *activation);

/* What {0} as the initializer of such a layer stands for. */
tnn_initializer tnni_activation_initializer(tnni_activation_kind kind);

#endif
