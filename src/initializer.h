/* The catalogue of initializers. */
#ifndef TINYNN_INITIALIZER_H
#define TINYNN_INITIALIZER_H

#include "support/random.h"

#include <tinynn/tinynn.h>

/* Is it fit to be layers[layer].initializer? Otherwise TNN_INVALID_ARGUMENT, naming caller. */
tnn_status tnni_initializer_check(
    const char *caller, size_t layer, const tnn_initializer *initializer);

/* Draws weights[inputs, units] in order, one random number each. */
void tnni_initializer_fill(
    const tnn_initializer *initializer, tnni_random *random, size_t inputs, size_t units,
    float *weights);

#endif
