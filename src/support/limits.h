/* Limits of what loaders and readers take: those that are given, or the defaults of tinynn.h. */
#ifndef TINYNN_SUPPORT_LIMITS_H
#define TINYNN_SUPPORT_LIMITS_H

#include <tinynn/tinynn.h>

static inline size_t tnni_limit(size_t given, uint64_t standard) {
    if (given)
        return given;
    return standard < SIZE_MAX ? (size_t)standard : SIZE_MAX;
}

static inline tnn_load_limits tnni_load_limits(const tnn_load_options *options) {
    const tnn_load_limits *given = &options->limits;
    return (tnn_load_limits){
        .total_bytes = tnni_limit(given->total_bytes, UINT64_C(1) << 32),
        .parameters = tnni_limit(given->parameters, UINT64_C(1) << 30),
        .layers = tnni_limit(given->layers, 4096),
        .units = tnni_limit(given->units, UINT64_C(1) << 24)};
}

#endif
