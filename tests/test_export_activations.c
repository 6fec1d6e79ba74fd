/*
 * test_export_activations.c: the library's own functions, written out as C, have the library's bits
 * wherever they are asked for. This program is compiled with what the library exported.
 */
#include "export/activation_nets.h"
#include "support/test_nets.h"

#include <math.h>
#include <string.h>

enum { STRIDE = 10007, ROWS = 32 };

/* The next rows of floats, all finite ones having their turn; false at the end. */
static bool fill_rows(uint64_t *bits, float *x, size_t count) {
    for (size_t i = 0; i < count; *bits += STRIDE) {
        uint32_t low = (uint32_t)(*bits % ((uint64_t)1 << 32));
        memcpy(&x[i], &low, sizeof low);
        if (isfinite(x[i]))
            i++;
    }
    return *bits >> 32 == 0;
}

static void assert_same_outputs(
    size_t index, const tnn_net *net, tnn_workspace *workspace, const float *x) {
    float y[ROWS * MOST_ACTIVATION_UNITS];
    float expected[ROWS * MOST_ACTIVATION_UNITS];
    size_t units = tnn_net_inputs(net);
    assert_ok(tnn_predict(net, workspace, ROWS, x, expected));
    for (size_t r = 0; r < ROWS; r++)
        activation_predictors[index](x + r * units, y + r * units);
    assert_same_bits(y, expected, ROWS * units);
}

/* Numbers of any size, among which those of a softmax that are not 0 are rare. */
static void compare_all(size_t index, const tnn_net *net, tnn_workspace *workspace) {
    float x[ROWS * MOST_ACTIVATION_UNITS];
    for (uint64_t bits = 0; fill_rows(&bits, x, ROWS * tnn_net_inputs(net));)
        assert_same_outputs(index, net, workspace, x);
}

static void compare_usual(size_t index, const tnn_net *net, tnn_workspace *workspace) {
    float x[ROWS * MOST_ACTIVATION_UNITS];
    uint64_t random = index;
    for (int i = 0; i < 300; i++) {
        fill_random(x, ROWS * tnn_net_inputs(net), &random, -12.0f, 12.0f);
        assert_same_outputs(index, net, workspace, x);
    }
}

static void test_export_activations_have_the_librarys_bits(void **state) {
    (void)state;
    for (size_t i = 0; i < ACTIVATION_NETS; i++) {
        tnn_net *net;
        assert_ok(activation_net_create(&net, i));
        if (!kernels_are_fused(tnn_net_kernel_name(net))) {
            tnn_net_destroy(net);
            skip();
        }
        tnn_workspace *workspace = new_workspace(net, ROWS);
        compare_all(i, net, workspace);
        compare_usual(i, net, workspace);
        tnn_workspace_destroy(workspace);
        tnn_net_destroy(net);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_export_activations_have_the_librarys_bits),
    };
    return cmocka_run_group_tests_name("export_activations", tests, NULL, NULL);
}
