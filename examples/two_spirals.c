/*
 * two_spirals.c: tells two spirals apart that are wound around each other, Lang and Witbrock 1988.
 *
 * The 193 points are those that FANN brings, and so is the file's format. All of them are learned
 * in one batch, until every one is on the right side.
 */
#include "common/program.h"
#include "common/seeds.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <tinynn/tinynn.h>

const char program_name[] = "two_spirals";

static const char about[] = "Learns which of two spirals each of 193 points is on, with 2-40-40-1\n"
                            "units: one training for each seed, with all points in each batch.\n";

enum { POINTS = 193 };

typedef struct spiral_points {
    tnn_data *data;
    size_t solved; /* how many trainings ended with all points on the right side */
} spiral_points;

static tnn_status create(
    tnn_net **net, tnn_optimizer **optimizer, const tnn_dataset *points, uint64_t seed) {
    const tnn_layer layers[] = {
        {.units = 40, .activation = tnn_tanh()},
        {.units = 40, .activation = tnn_tanh()},
        {.units = 1, .activation = tnn_sigmoid()},
    };
    const tnn_net_options options = {.seed = seed};
    tnn_status status = tnn_net_create(net, 2, layers, 3, &options);
    if (status == TNN_OK)
        status = tnn_net_fit_scaling(*net, points, TNN_STANDARDIZE, TNN_NO_SCALING);
    if (status == TNN_OK)
        status = tnn_optimizer_create(optimizer, *net, tnn_adam(0.01f));
    return status;
}

/* A point on the wrong side has a loss of log 2 or more, so if their sum is less there is none. */
static bool until_solved(void *curve, const tnn_progress *progress) {
    return curve_epoch(curve, progress) && progress->training_loss * POINTS >= log(2);
}

static tnn_status learn(
    void *context, const example_options *options, uint64_t seed, learning_curve *curve,
    double *accuracy) {
    spiral_points *self = context;
    const tnn_loss loss = tnn_binary_cross_entropy();
    const tnn_dataset points = tnn_data_view(self->data);
    const tnn_fit_options fit = {
        .epochs = options->epochs,
        .batch_rows = points.rows,
        .keep_order = true,
        .after_epoch = until_solved,
        .context = curve,
    };
    tnn_net *net = NULL;
    tnn_optimizer *optimizer = NULL;
    tnn_evaluation evaluation = {0};

    tnn_status status = create(&net, &optimizer, &points, seed);
    if (status == TNN_OK)
        status = tnn_fit(net, optimizer, loss, &points, &fit, &curve->report);
    if (status == TNN_OK)
        status = tnn_evaluate(net, loss, &points, &evaluation, NULL);
    *accuracy = evaluation.accuracy;
    self->solved += evaluation.accuracy == 1;

    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
    return status;
}

int main(int argc, char **argv) {
    example_options options = {
        .about = about, .seeds = 10, .epochs = 5000, .data = EXAMPLES_DATA "/two-spirals.train"};
    if (!options_parse(&options, argc, argv))
        return options.exit_status;

    spiral_points spirals = {0};
    if (tnn_read_fann(&spirals.data, options.data, NULL) != TNN_OK) {
        fprintf(stderr, "two_spirals: %s\n", tnn_error_message());
        return EXIT_FAILURE;
    }
    int exit_status = seeds_run(&options, "accuracy", learn, &spirals);
    if (exit_status == EXIT_SUCCESS)
        printf("%zu of %zu trainings told all points apart.\n", spirals.solved, options.seeds);
    tnn_data_destroy(spirals.data);
    return exit_status;
}
