/*
 * diabetes.c: predicts how far diabetes goes in a year, from ten measurements of a patient.
 *
 * A regression: for each seed a net learns from four fifths of the 442 patients and is judged by
 * the others. Inputs and targets are standardised in the net, so both are given as they are.
 */
#include "common/gz.h"
#include "common/program.h"
#include "common/seeds.h"

#include <stdio.h>
#include <stdlib.h>
#include <tinynn/tinynn.h>

const char program_name[] = "diabetes";

static const char about[] =
    "Learns the diabetes data of Efron et al. 2004 with 10-16-1 units: one\n"
    "training for each seed on four fifths of the rows, and R^2, the share\n"
    "of the variance that it explains, on the others.\n";

static tnn_status create(
    tnn_net **net, tnn_optimizer **optimizer, const tnn_dataset *train, uint64_t seed) {
    const tnn_layer layers[] = {
        {.units = 16, .activation = tnn_tanh(), .dropout = 0.4f},
        {.units = 1},
    };
    const tnn_net_options options = {.seed = seed};
    tnn_status status = tnn_net_create(net, 10, layers, 2, &options);
    if (status == TNN_OK)
        status = tnn_net_fit_scaling(*net, train, TNN_STANDARDIZE, TNN_STANDARDIZE);
    if (status == TNN_OK)
        status = tnn_optimizer_create(optimizer, *net, tnn_adamw(0.003f, 0.1f));
    return status;
}

/* Splits the data, trains on the larger part and stores R^2 on the other. */
static tnn_status learn(
    void *data, const example_options *options, uint64_t seed, learning_curve *curve,
    double *r_squared) {
    const tnn_loss loss = tnn_mean_squared_error();
    tnn_data *test = NULL;
    tnn_data *train = NULL;
    tnn_net *net = NULL;
    tnn_optimizer *optimizer = NULL;
    tnn_evaluation evaluation = {0};

    tnn_status status = tnn_data_split(&test, &train, data, 0.2, seed);
    const tnn_dataset test_rows = tnn_data_view(test);
    const tnn_dataset train_rows = tnn_data_view(train);
    const tnn_fit_options fit = {
        .epochs = options->epochs,
        .seed = seed,
        .validation = &test_rows, /* for the curve alone: the weights */
        .keep_last = true,        /* are not chosen by it */
        .after_epoch = curve_epoch,
        .context = curve,
    };
    if (status == TNN_OK)
        status = create(&net, &optimizer, &train_rows, seed);
    if (status == TNN_OK)
        status = tnn_fit(net, optimizer, loss, &train_rows, &fit, &curve->report);
    if (status == TNN_OK)
        status = tnn_evaluate(net, loss, &test_rows, &evaluation, NULL);
    *r_squared = evaluation.r_squared;

    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
    tnn_data_destroy(train);
    tnn_data_destroy(test);
    return status;
}

/* The measurements are in one file, separated by blanks, and the targets in another. */
static tnn_data *read_diabetes(const char *directory) {
    const tnn_csv_options csv = {.separator = ' '};
    tnn_data *data = NULL;
    gz files;
    if (gz_open_pair(
            &files, directory, "diabetes_data_raw.csv.gz", "diabetes_target.csv.gz",
            "python3-sklearn")) {
        const tnn_source source = gz_source(&files);
        if (tnn_read_csv_from(&data, &source, &csv) != TNN_OK)
            fprintf(stderr, "diabetes: %s\n", tnn_error_message());
    }
    gz_close(&files);
    return data;
}

int main(int argc, char **argv) {
    example_options options = {
        .about = about,
        .seeds = 30,
        .epochs = 80,
        .data = "/usr/lib/python3/dist-packages/sklearn/datasets/data",
    };
    if (!options_parse(&options, argc, argv))
        return options.exit_status;
    tnn_data *data = read_diabetes(options.data);
    int exit_status = data != NULL ? seeds_run(&options, "R^2", learn, data) : EXIT_FAILURE;
    tnn_data_destroy(data);
    return exit_status;
}
