// consumer_cpp: consumer.c in C++17, a unique_ptr holding what the library made.
#include <tinynn/tinynn.h>

#include <cmath>
#include <cstdio>
#include <memory>

template <auto destroy> struct deleter {
    template <class T> void operator()(T *object) const {
        destroy(object);
    }
};
using net_ptr = std::unique_ptr<tnn_net, deleter<tnn_net_destroy>>;
using optimizer_ptr = std::unique_ptr<tnn_optimizer, deleter<tnn_optimizer_destroy>>;
using workspace_ptr = std::unique_ptr<tnn_workspace, deleter<tnn_workspace_destroy>>;

static int check(tnn_status status) {
    if (status != TNN_OK)
        std::printf("%s: %s\n", tnn_status_string(status), tnn_error_message());
    return status == TNN_OK ? 0 : 1;
}

int main() {
    tnn_layer layer{};
    layer.units = 1;
    tnn_net *net = nullptr;
    if (check(tnn_net_create(&net, 1, &layer, 1, nullptr)))
        return 1;
    const net_ptr owned_net(net);

    tnn_optimizer *optimizer = nullptr;
    if (check(tnn_optimizer_create(&optimizer, net, tnn_sgd(0.1f))))
        return 1;
    const optimizer_ptr owned_optimizer(optimizer);

    const float x[] = {0, 1, 2, 3}, target[] = {1, 3, 5, 7};
    tnn_dataset batch{};
    batch.rows = 4;
    batch.x = x;
    batch.target = target;
    for (int epoch = 0; epoch < 1000; epoch++)
        if (check(tnn_train(net, optimizer, tnn_half_squared_error(), &batch, nullptr)))
            return 1;

    tnn_workspace *workspace = nullptr;
    if (check(tnn_workspace_create(&workspace, net, 1)))
        return 1;
    const workspace_ptr owned_workspace(workspace);
    const float question = 10;
    float y = 0;
    if (check(tnn_predict(net, workspace, 1, &question, &y)))
        return 1;
    std::printf(
        "libtinynn %s from C++: f(10) = %.4f, expected 21\n", tnn_version(),
        static_cast<double>(y));
    return std::fabs(y - 21) < 1e-3f ? 0 : 1;
}
