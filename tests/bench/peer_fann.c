/* FANN, with its fastest activation function. Debian's libfann is its float version. */
#include "peers.h"

#include "bench.h"

#include <floatfann.h>

void *peer_fann_create(size_t inputs, size_t hidden, size_t outputs, float rate) {
    struct fann *net =
        fann_create_standard(3, (unsigned)inputs, (unsigned)hidden, (unsigned)outputs);
    bench_require(net != NULL, "FANN makes no net of %zu-%zu-%zu", inputs, hidden, outputs);
    fann_set_activation_function_hidden(net, FANN_LINEAR_PIECE);
    fann_set_activation_function_output(net, FANN_LINEAR_PIECE);
    fann_set_learning_rate(net, rate);
    return net;
}

/* FANN's arguments are not const, but it only reads them. */
void peer_fann_train(void *net, const float *x, const float *target) {
    fann_train(net, (float *)x, (float *)target);
}

void peer_fann_destroy(void *net) {
    fann_destroy(net);
}
