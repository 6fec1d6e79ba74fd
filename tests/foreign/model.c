/*
 * model.c GOLDEN OUT CHECKPOINT CHECKPOINT_OUT: model files on a machine with another order of
 * bytes or another size of pointers. Loads the golden file, whose parameters are known, and writes
 * it again; the same with the golden checkpoint. No cmocka, which such a machine's compiler may not
 * have.
 */
#include <stdio.h>
#include <string.h>
#include <tinynn/tinynn.h>

enum { PARAMETERS = 32 };

static void bend(const tnn_activation *self, size_t rows, size_t units, const float *z, float *a) {
    for (size_t i = 0; i < rows * units; i++)
        a[i] = self->parameter + z[i] * (0.75f + 0.125f * z[i]);
}

static void no_backward(
    const tnn_activation *self, size_t rows, size_t units, const float *z, const float *a,
    float *gradient) {
    (void)self, (void)rows, (void)units, (void)z, (void)a, (void)gradient;
}

static bool has_known_parameters(const tnn_net *net) {
    const float *parameters = tnn_net_read_parameters(net);
    bool same = tnn_net_parameter_count(net) == PARAMETERS;
    for (size_t i = 0; same && i < PARAMETERS; i++)
        same = parameters[i] == (float)(i % 2 ? -1 : 1) * (float)(1 << i % 5) / 8;
    return same && tnn_net_input_shift(net)[1] == -3 && tnn_net_output_scale(net)[1] == 0.125f;
}

static tnn_status copy_checkpoint(const char *from, const char *to) {
    tnn_net *net;
    tnn_optimizer *optimizer;
    tnn_fit_state *state;
    tnn_status status = tnn_checkpoint_load(&net, &optimizer, &state, from, NULL);
    if (status == TNN_OK)
        status = tnn_checkpoint_save(net, optimizer, state, to);
    tnn_fit_state_destroy(state);
    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
    return status;
}

int main(int argc, char **argv) {
    static const tnn_activation_vtable vtable = {
        .name = "bend", .forward = bend, .backward = no_backward, .needs_input = true};
    const tnn_activation custom = {.vtable = &vtable};
    const tnn_load_options options = {.activations = &custom, .activation_count = 1};
    const unsigned one = 1;
    tnn_net *net = NULL;
    if (argc != 5)
        return 2;
    tnn_status status = tnn_net_load(&net, argv[1], &options);
    if (status == TNN_OK)
        status = tnn_net_save(net, argv[2]);
    if (status == TNN_OK)
        status = copy_checkpoint(argv[3], argv[4]);
    if (status != TNN_OK)
        fprintf(stderr, "%s\n", tnn_error_message());
    bool same = status == TNN_OK && has_known_parameters(net);
    printf(
        "%s-endian, pointers of %zu bytes: %s\n", *(const char *)&one ? "little" : "big",
        sizeof(void *), same ? "the same numbers" : "other numbers");
    tnn_net_destroy(net);
    return same ? 0 : 1;
}
