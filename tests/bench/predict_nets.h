/* predict_nets.h: the nets of bench_predict, which the library also writes as C before. */
#ifndef TINYNN_BENCH_PREDICT_NETS_H
#define TINYNN_BENCH_PREDICT_NETS_H

#include "peers.h"

#include <tinynn/tinynn.h>

enum { PREDICT_LAYERS = 3, PREDICT_OUTPUTS = 10 };

typedef struct predict_workload {
    const char *name;
    size_t layers;
    size_t sizes[PREDICT_LAYERS + 1];
    blas_activation activations[PREDICT_LAYERS];
} predict_workload;

/* In the order of hand_predictors. */
extern const predict_workload predict_workloads[HAND_PREDICTORS];

/* With biases that matter. */
tnn_status predict_net_create(tnn_net **net, const predict_workload *workload, const char *kernels);

#endif
