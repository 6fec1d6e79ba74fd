/*
 * model.c GOLDEN OUT CHECKPOINT CHECKPOINT_OUT TRAINED_OUT: model files on a machine with another
 * order of bytes or another size of pointers. Loads the golden file, whose parameters are known,
 * and writes it again; the same with the golden checkpoint. Then trains, with a break, and writes
 * what came of it. No cmocka, which such a machine's compiler may not have.
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

/* ---- A training ------------------------------------------------------------------------------ */

enum { ROWS = 40, INPUTS = 7, CLASSES = 3, EPOCHS = 4 };

typedef struct trainee {
    tnn_net *net;
    tnn_optimizer *optimizer;
    tnn_fit_state *state;
    const char *path;
} trainee;

static tnn_status create_trainee(trainee *who) {
    const tnn_layer layers[] = {
        {.units = 9, .activation = tnn_tanh(), .dropout = 0.25f},
        {.units = 5, .activation = tnn_gelu()},
        {.units = CLASSES, .activation = tnn_softmax()},
    };
    tnn_status status = tnn_net_create(&who->net, INPUTS, layers, 3, NULL);
    return status == TNN_OK ? tnn_optimizer_create(&who->optimizer, who->net, tnn_adam(0.01f))
                            : status;
}

static void destroy_trainee(trainee *who) {
    tnn_fit_state_destroy(who->state);
    tnn_optimizer_destroy(who->optimizer);
    tnn_net_destroy(who->net);
    *who = (trainee){.path = who->path};
}

/* In the midst of the second epoch. */
static bool break_off(void *context, const tnn_progress *progress) {
    const trainee *who = context;
    if (progress->step != 7 || who->state)
        return true;
    return tnn_checkpoint_save(who->net, who->optimizer, progress->state, who->path) != TNN_OK;
}

static tnn_status train(trainee *who) {
    float x[ROWS][INPUTS];
    float targets[ROWS][CLASSES];
    for (size_t r = 0; r < ROWS; r++) {
        for (size_t i = 0; i < INPUTS; i++)
            x[r][i] = (float)((r * 31 + i * 17 + r * i * 7) % 64) / 32.0f - 1.0f;
        for (size_t c = 0; c < CLASSES; c++) /* their sum is 7/8 to 11/8 */
            targets[r][c] = (float)((r + c) % 3 + 1 + r % 2 * (c == 0)) / 8.0f;
    }
    const tnn_dataset data = {.rows = ROWS, .x = x[0], .target = targets[0]};
    const tnn_fit_options options = {
        .epochs = EPOCHS,
        .batch_rows = 8,
        .seed = 3,
        .after_batch = break_off,
        .context = who,
        .resume = who->state};
    return tnn_fit(who->net, who->optimizer, tnn_cross_entropy(), &data, &options, NULL);
}

static tnn_status train_with_a_break(const char *path) {
    trainee who = {.path = path};
    tnn_status status = create_trainee(&who);
    if (status == TNN_OK)
        status = train(&who);
    destroy_trainee(&who);
    if (status == TNN_OK)
        status = tnn_checkpoint_load(&who.net, &who.optimizer, &who.state, path, NULL);
    if (status == TNN_OK)
        status = train(&who);
    if (status == TNN_OK) /* without the state, which has the time that it took */
        status = tnn_checkpoint_save(who.net, who.optimizer, NULL, path);
    if (status == TNN_OK)
        printf("trained with kernels %s\n", tnn_net_kernel_name(who.net));
    destroy_trainee(&who);
    return status;
}

int main(int argc, char **argv) {
    static const tnn_activation_vtable vtable = {
        .name = "bend", .forward = bend, .backward = no_backward, .needs_input = true};
    const tnn_activation custom = {.vtable = &vtable};
    const tnn_load_options options = {.activations = &custom, .activation_count = 1};
    const unsigned one = 1;
    tnn_net *net = NULL;
    if (argc != 6)
        return 2;
    tnn_status status = tnn_net_load(&net, argv[1], &options);
    if (status == TNN_OK)
        status = tnn_net_save(net, argv[2]);
    if (status == TNN_OK)
        status = copy_checkpoint(argv[3], argv[4]);
    if (status == TNN_OK)
        status = train_with_a_break(argv[5]);
    if (status != TNN_OK)
        fprintf(stderr, "%s\n", tnn_error_message());
    bool same = status == TNN_OK && has_known_parameters(net);
    printf(
        "%s-endian, pointers of %zu bytes: %s\n", *(const char *)&one ? "little" : "big",
        sizeof(void *), same ? "the same numbers" : "other numbers");
    tnn_net_destroy(net);
    return same ? 0 : 1;
}
