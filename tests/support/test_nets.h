/*
 * test_nets.h: what the tests make nets of. Catalogues of every activation, loss and kernel table,
 * random numbers, and nets ready to use.
 */
#ifndef TINYNN_TESTS_TEST_NETS_H
#define TINYNN_TESTS_TEST_NETS_H

#include "reference_net.h"
#include "testing.h"

enum { KERNEL_TABLES = 4, ACTIVATIONS = 15, LOSSES = 6, METHODS = 32 };

/* ---- Catalogues ------------------------------------------------------------------------------ */

/* "avx512", "avx2", "neon", "portable". */
extern const char *const kernel_names[KERNEL_TABLES];

/* Does this machine have the table? Any answer but yes and TNN_UNSUPPORTED fails the test. */
bool kernels_are_available(const char *name);

/* Is the table one of those that give the same bits? Portable is where fmaf is an instruction. */
bool kernels_are_fused(const char *name);

/* An activation as the library and as the reference net know it. The last one is bend. */
typedef struct activation_entry {
    const char *name;
    tnn_activation library;
    ref_activation reference;
} activation_entry;

activation_entry activation_at(size_t index);

typedef struct loss_entry {
    const char *name;
    tnn_loss library;
    ref_loss reference;
} loss_entry;

loss_entry loss_at(size_t index);

/*
 * Every method of the library; all of them again with a larger weight decay; with gradients that
 * are clipped by value and by norm and have an l1; with all of that but clipping by norm.
 */
typedef struct method_entry {
    const char *name; /* of the function that makes it, without tnn_ */
    tnn_method library;
} method_entry;

method_entry method_at(size_t index);

/* The one that has this name, with the library's own betas and epsilon. */
tnn_method method_named(const char *name, float learning_rate, float momentum, float weight_decay);

/*
 * A custom activation with a context: parameter + linear z + quadratic z^2. Its backward reads z.
 */
typedef struct bend_context {
    float linear, quadratic;
} bend_context;

tnn_activation bend(float parameter, bend_context *context);

/* ---- Random numbers -------------------------------------------------------------------------- */

/* splitmix64 (Vigna); the state may start anywhere. */
uint64_t next_random(uint64_t *state);
float random_between(uint64_t *state, float low, float high);
void fill_random(float *values, size_t count, uint64_t *state, float low, float high);

/* ---- Nets ------------------------------------------------------------------------------------ */

/* Creates or fails the test. options NULL: the default. */
tnn_net *new_net(
    size_t inputs, const tnn_layer *layers, size_t layer_count, const tnn_net_options *options);
tnn_optimizer *new_optimizer(const tnn_net *net, float learning_rate); /* of tnn_sgd */
tnn_optimizer *new_optimizer_of(const tnn_net *net, tnn_method method);

/* From now on every bit of work is worth a task, and units are shared out wherever they can be, so
 * that small nets show what several threads do to large ones. */
void share_out_everything(tnn_net *net);
tnn_workspace *new_workspace(const tnn_net *net, size_t max_rows);

/* A clone, or the test fails. */
tnn_net *new_clone(const tnn_net *net);

/* Both nets have the same parameters and gradients, bit for bit. */
void assert_same_net(tnn_net *actual, tnn_net *expected);

/* Both optimizers have the same moments, bit for bit. */
void assert_same_moments(const tnn_optimizer *actual, const tnn_optimizer *expected);

/*
 * kept[rows, units]: which outputs of a layer the net of this seed keeps at its forward pass number
 * forwards (0 is the first). Found with a probe, a net whose layer has only a bias of 1: the mask
 * is a function of seed, number of forward passes, layer, row and unit alone.
 */
void read_dropout_mask(
    bool *kept, uint64_t seed, size_t forwards, size_t layer, size_t rows, size_t units,
    float dropout);

/* What a net holds at one moment. */
typedef struct snapshot {
    size_t count;
    float *parameters;
    float *gradients;
} snapshot;

snapshot take_snapshot(tnn_net *net);
void assert_unchanged(tnn_net *net, const snapshot *before);
void free_snapshot(snapshot *s);

#endif /* TINYNN_TESTS_TEST_NETS_H */
