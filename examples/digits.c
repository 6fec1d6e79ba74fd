/*
 * digits.c: reads handwritten digits of 8 x 8 pixels.
 *
 * For each seed a net learns from four fifths of the 1797 digits and is judged by the others. The
 * data set is compressed: zlib unpacks it while the library reads.
 */
#include "common/gz.h"
#include "common/program.h"
#include "common/seeds.h"

#include <stdio.h>
#include <stdlib.h>
#include <tinynn/tinynn.h>

const char program_name[] = "digits";

static const char about[] =
    "Learns 8 x 8 pixel digits with 64-128-10 units: one training for each\n"
    "seed on four fifths of the rows, and its accuracy on the others.\n";

static tnn_status create(
    tnn_net **net, tnn_optimizer **optimizer, const tnn_dataset *train, uint64_t seed) {
    const tnn_layer layers[] = {
        {.units = 128, .activation = tnn_relu(), .dropout = 0.2f},
        {.units = 10, .activation = tnn_softmax()},
    };
    const tnn_net_options options = {.seed = seed};
    tnn_status status = tnn_net_create(net, 64, layers, 2, &options);
    if (status == TNN_OK)
        status = tnn_net_fit_scaling(*net, train, TNN_MIN_MAX, TNN_NO_SCALING);
    if (status == TNN_OK)
        status = tnn_optimizer_create(optimizer, *net, tnn_adamw(0.01f, 0.01f));
    return status;
}

/* Splits the data, trains on the larger part and stores the accuracy on the other. */
static tnn_status learn(
    void *data, const example_options *options, uint64_t seed, learning_curve *curve,
    double *accuracy) {
    const tnn_loss loss = tnn_cross_entropy();
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
        .schedule = tnn_one_cycle(),
        .after_epoch = curve_epoch,
        .context = curve,
    };
    if (status == TNN_OK)
        status = create(&net, &optimizer, &train_rows, seed);
    if (status == TNN_OK)
        status = tnn_fit(net, optimizer, loss, &train_rows, &fit, &curve->report);
    if (status == TNN_OK)
        status = tnn_evaluate(net, loss, &test_rows, &evaluation, NULL);
    *accuracy = evaluation.accuracy;

    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
    tnn_data_destroy(train);
    tnn_data_destroy(test);
    return status;
}

static tnn_data *read_digits(const char *directory) {
    const tnn_csv_options csv = {.is_class = true};
    tnn_data *data = NULL;
    gz file;
    if (gz_open(&file, directory, "digits.csv.gz", "python3-sklearn")) {
        const tnn_source source = gz_source(&file);
        if (tnn_read_csv_from(&data, &source, &csv) != TNN_OK)
            fprintf(stderr, "digits: %s\n", tnn_error_message());
    }
    gz_close(&file);
    return data;
}

int main(int argc, char **argv) {
    example_options options = {
        .about = about,
        .seeds = 30,
        .epochs = 30,
        .data = "/usr/lib/python3/dist-packages/sklearn/datasets/data",
    };
    if (!options_parse(&options, argc, argv))
        return options.exit_status;
    tnn_data *data = read_digits(options.data);
    int exit_status = data != NULL ? seeds_run(&options, "accuracy", learn, data) : EXIT_FAILURE;
    tnn_data_destroy(data);
    return exit_status;
}
