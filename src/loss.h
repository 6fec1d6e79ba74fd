/* The catalogue of losses. */
#ifndef TINYNN_LOSS_H
#define TINYNN_LOSS_H

#include "kernels/kernels.h"

/* The kind of a built-in loss; TNNI_LOSS_KINDS for a user's. */
tnni_loss_kind tnni_loss_find(const tnn_loss *loss);

/* Can it be evaluated? Otherwise TNN_INVALID_ARGUMENT, naming caller. */
tnn_status tnni_loss_check(const char *caller, const tnn_loss *loss);

#endif
