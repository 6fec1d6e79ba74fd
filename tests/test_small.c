/* Nets of layers up to 4 x 4 have their own kernels for one row: the bits are those of the others.
 */
#include "testing.h"

#include "net.h"

#include <math.h>

#include <string.h>
#include <tinynn/tinynn.h>

static const size_t widths[][4] = {
    {2, 2, 1, 0}, {1, 1, 0, 0}, {3, 4, 2, 1}, {4, 4, 4, 4},
    {4, 3, 0, 0}, {1, 3, 1, 2}, {2, 1, 4, 3},
};
enum { NETS = sizeof widths / sizeof widths[0], STEPS = 25 };

static tnn_activation activation_of(int kind) {
    switch (kind) {
    case 0:
        return tnn_identity();
    case 1:
        return tnn_relu();
    case 2:
        return tnn_leaky_relu(0.1f);
    case 3:
        return tnn_sigmoid();
    case 4:
        return tnn_tanh();
    case 5:
        return tnn_softmax();
    case 6:
        return tnn_elu(0.7f);
    default:
        return tnn_gelu();
    }
}

enum { ACTIVATIONS = 8 };

static tnn_loss loss_of(int kind) {
    switch (kind) {
    case 0:
        return tnn_half_squared_error();
    case 1:
        return tnn_mean_squared_error();
    case 2:
        return tnn_huber(0.3f);
    default:
        return tnn_mean_absolute_error();
    }
}

enum { LOSSES = 4 };

/* Two nets that are equal, except that one does not know that it is small. */
typedef struct pair {
    tnn_net *small;
    tnn_net *general;
    tnn_optimizer *optimizer;
    size_t outputs;
} pair;

static pair new_pair(size_t which, int hidden, int last, bool no_bias, const char *kernels) {
    pair made = {0};
    tnn_layer layers[3];
    size_t count = 0;
    for (; count < 3 && widths[which][count + 1] > 0; count++)
        layers[count] = (tnn_layer){
            .units = widths[which][count + 1],
            .activation = activation_of(hidden),
            .no_bias = no_bias,
        };
    layers[count - 1].activation = activation_of(last);
    tnn_net_options options = {.seed = which, .kernels = kernels};
    assert_int_equal(
        tnn_net_create(&made.small, widths[which][0], layers, count, &options), TNN_OK);
    float *p = tnn_net_parameters(made.small);
    for (size_t i = 0; i < tnn_net_parameter_count(made.small); i++)
        p[i] = p[i] != 0.0f ? p[i] : 0.01f * (float)(i % 5); /* biases, too */
    assert_int_equal(tnn_net_clone(&made.general, made.small), TNN_OK);
    assert_true(made.small->is_small);
    made.general->is_small = false;
    assert_int_equal(tnn_optimizer_create(&made.optimizer, made.small, tnn_sgd(0.01f)), TNN_OK);
    made.outputs = layers[count - 1].units;
    return made;
}

static void destroy_pair(pair *made) {
    tnn_optimizer_destroy(made->optimizer);
    tnn_net_destroy(made->small);
    tnn_net_destroy(made->general);
}

static void assert_equal_bits(const float *a, const float *b, size_t count) {
    for (size_t i = 0; i < count; i++)
        assert_memory_equal(&a[i], &b[i], sizeof a[i]);
}

static void assert_equal_nets(const pair *nets) {
    size_t count = tnn_net_parameter_count(nets->small);
    assert_equal_bits(
        tnn_net_read_parameters(nets->small), tnn_net_read_parameters(nets->general), count);
}

/* Rows with zeros, both of them, and negative numbers. */
static void fill_row(int step, float x[4], float target[4]) {
    static const float values[] = {0.0f, 1.0f, -0.0f, -0.75f, 0.3f, 2.5f, 0.1f};
    for (int i = 0; i < 4; i++) {
        x[i] = values[(step * 3 + i * 5) % 7];
        target[i] = values[(step + i * 2) % 7];
    }
}

static void train_both(const pair *nets, tnn_loss loss) {
    for (int step = 0; step < STEPS; step++) {
        float x[4], target[4];
        double a, b;
        fill_row(step, x, target);
        const tnn_dataset row = {.rows = 1, .x = x, .target = target};
        assert_int_equal(tnn_train(nets->small, nets->optimizer, loss, &row, &a), TNN_OK);
        assert_int_equal(tnn_train(nets->general, nets->optimizer, loss, &row, &b), TNN_OK);
        assert_memory_equal(&a, &b, sizeof a);
        assert_equal_nets(nets);
    }
}

static void verbs(tnn_net *net, tnn_optimizer *optimizer, tnn_loss loss, int step, float y[4]) {
    float x[4], target[4];
    for (int pass = 0; pass < 2; pass++) { /* the second one adds to the gradients */
        fill_row(step + pass, x, target);
        assert_int_equal(tnn_forward(net, 1, x, y), TNN_OK);
        assert_int_equal(tnn_backward(net, loss, target, NULL), TNN_OK);
    }
    assert_int_equal(tnn_step(net, optimizer), TNN_OK);
}

static void step_both(const pair *nets, tnn_loss loss) {
    for (int step = 0; step < STEPS; step++) {
        float a[4], b[4];
        verbs(nets->small, nets->optimizer, loss, step, a);
        verbs(nets->general, nets->optimizer, loss, step, b);
        assert_equal_bits(a, b, nets->outputs);
        assert_equal_nets(nets);
    }
}

/* Products that underflow to -0, and biases that are. */
static void forward_both_in_underflow(const pair *nets, tnn_loss loss) {
    (void)loss;
    for (int sign = 0; sign < 4; sign++) {
        float small_y[4], general_y[4], x[4];
        for (size_t i = 0; i < tnn_net_parameter_count(nets->small); i++) {
            float p = (i + (size_t)sign) % 3 == 0 ? -0.0f : sign & 1 ? -1e-30f : 1e-30f;
            tnn_net_parameters(nets->small)[i] = p;
            tnn_net_parameters(nets->general)[i] = p;
        }
        for (int i = 0; i < 4; i++)
            x[i] = sign & 2 ? -1e-30f : 1e-30f;
        assert_int_equal(tnn_forward(nets->small, 1, x, small_y), TNN_OK);
        assert_int_equal(tnn_forward(nets->general, 1, x, general_y), TNN_OK);
        assert_equal_bits(small_y, general_y, nets->outputs);
    }
}

static void for_each_net(void (*check)(const pair *nets, tnn_loss loss)) {
    static const char *const tables[] = {"avx512", "avx2", "neon", "portable"};
    for (int t = 0; t < 4; t++) {
        tnn_net *probe;
        tnn_layer layer = {.units = 1};
        tnn_net_options options = {.kernels = tables[t]};
        if (tnn_net_create(&probe, 1, &layer, 1, &options) == TNN_UNSUPPORTED)
            continue;
        tnn_net_destroy(probe);
        for (size_t which = 0; which < NETS; which++) {
            for (int kind = 0; kind < ACTIVATIONS * LOSSES * 2; kind++) {
                int hidden = kind % ACTIVATIONS;
                pair nets =
                    new_pair(which, hidden, (hidden + kind) % ACTIVATIONS, kind & 8, tables[t]);
                check(&nets, loss_of(kind / ACTIVATIONS % LOSSES));
                destroy_pair(&nets);
            }
        }
    }
}

static void test_small_train_has_the_bits_of_the_general_kernels(void **state) {
    (void)state;
    for_each_net(train_both);
}

static void test_small_verbs_have_the_bits_of_the_general_kernels(void **state) {
    (void)state;
    for_each_net(step_both);
}

static void test_small_forward_has_the_zeros_of_the_general_kernels(void **state) {
    (void)state;
    for_each_net(forward_both_in_underflow);
}

static void test_small_train_changes_nothing_if_the_loss_is_not_finite(void **state) {
    (void)state;
    pair nets = new_pair(0, 1, 0, false, NULL);
    const float x[] = {1, 1};
    const float target[] = {(float)NAN};
    const tnn_dataset row = {.rows = 1, .x = x, .target = target};
    assert_int_equal(
        tnn_train(nets.small, nets.optimizer, tnn_half_squared_error(), &row, NULL),
        TNN_NOT_FINITE);
    assert_equal_nets(&nets);
    destroy_pair(&nets);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_train_has_the_bits_of_the_general_kernels),
        cmocka_unit_test(test_small_verbs_have_the_bits_of_the_general_kernels),
        cmocka_unit_test(test_small_forward_has_the_zeros_of_the_general_kernels),
        cmocka_unit_test(test_small_train_changes_nothing_if_the_loss_is_not_finite),
    };
    return cmocka_run_group_tests_name("small", tests, NULL, NULL);
}
