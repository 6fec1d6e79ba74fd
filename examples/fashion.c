/*
 * fashion.c: tells ten kinds of clothing by pictures of 28 x 28 pixels, Xiao et al. 2017.
 *
 * Fashion-MNIST, 60,000 pictures to learn from and 10,000 to be judged by, in MNIST's format; zlib
 * unpacks the files while the library reads.
 */
#include "common/gz.h"
#include "common/program.h"
#include "common/seeds.h"

#include <stdio.h>
#include <stdlib.h>
#include <tinynn/tinynn.h>

const char program_name[] = "fashion";

static const char about[] =
    "Learns Fashion-MNIST with 784-128-10 units: one training for each seed\n"
    "and its accuracy on the 10,000 test pictures.\n";

typedef struct picture_sets {
    tnn_data *train;
    tnn_data *test;
} picture_sets;

static tnn_status create(
    tnn_net **net, tnn_optimizer **optimizer, const example_options *options, uint64_t seed) {
    const tnn_layer small[] = {
        {.units = 128, .activation = tnn_relu(), .dropout = 0.1f},
        {.units = 10, .activation = tnn_softmax()},
    };
    const tnn_layer large[] = {
        {.units = 1024, .activation = tnn_gelu(), .dropout = 0.5f},
        {.units = 512, .activation = tnn_gelu(), .dropout = 0.5f},
        {.units = 10, .activation = tnn_softmax()},
    };
    const tnn_layer *layers = options->is_large ? large : small;
    const size_t layer_count = options->is_large ? 3 : 2;
    const float rate = options->is_large ? 0.001f : 0.003f;
    const tnn_net_options net_options = {.seed = seed, .threads = (unsigned)options->threads};
    tnn_status status = tnn_net_create(net, 784, layers, layer_count, &net_options);
    if (status == TNN_OK)
        status = tnn_optimizer_create(optimizer, *net, tnn_adamw(rate, 0.01f));
    return status;
}

static tnn_status learn(
    void *context, const example_options *options, uint64_t seed, learning_curve *curve,
    double *accuracy) {
    const picture_sets *self = context;
    const tnn_loss loss = tnn_cross_entropy();
    const tnn_dataset train = tnn_data_view(self->train);
    const tnn_dataset test = tnn_data_view(self->test);
    const tnn_fit_options fit = {
        .epochs = options->epochs,
        .batch_rows = 128,
        .seed = seed,
        .validation = &test, /* for the curve alone: the weights */
        .keep_last = true,   /* are not chosen by it */
        .schedule = tnn_one_cycle(),
        .after_epoch = curve_epoch,
        .context = curve,
    };
    tnn_net *net = NULL;
    tnn_optimizer *optimizer = NULL;
    tnn_evaluation evaluation = {0};

    tnn_status status = create(&net, &optimizer, options, seed);
    if (status == TNN_OK)
        status = tnn_fit(net, optimizer, loss, &train, &fit, &curve->report);
    if (status == TNN_OK)
        status = tnn_evaluate(net, loss, &test, &evaluation, NULL);
    *accuracy = evaluation.accuracy;

    tnn_optimizer_destroy(optimizer);
    tnn_net_destroy(net);
    return status;
}

static tnn_data *read_pictures(const char *directory, const char *images, const char *labels) {
    static const char package[] = "dataset-fashion-mnist";
    tnn_data *data = NULL;
    gz image_file = {0};
    gz label_file = {0};
    if (gz_open(&image_file, directory, images, package) &&
        gz_open(&label_file, directory, labels, package)) {
        const tnn_source image_source = gz_source(&image_file);
        const tnn_source label_source = gz_source(&label_file);
        if (tnn_read_idx_from(&data, &image_source, &label_source, NULL) != TNN_OK)
            fprintf(stderr, "fashion: %s\n", tnn_error_message());
    }
    gz_close(&image_file);
    gz_close(&label_file);
    return data;
}

int main(int argc, char **argv) {
    example_options options = {
        .about = about,
        .seeds = 3,
        .epochs = 15,
        .threads = 2,
        .data = "/usr/share/datasets/fashion-mnist",
        .large = "784-1024-512-10 units, which want --epochs 60",
    };
    if (!options_parse(&options, argc, argv))
        return options.exit_status;
    picture_sets pictures = {
        .train =
            read_pictures(options.data, "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
        .test =
            read_pictures(options.data, "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
    };
    int exit_status = EXIT_FAILURE;
    if (pictures.train != NULL && pictures.test != NULL)
        exit_status = seeds_run(&options, "accuracy", learn, &pictures);
    tnn_data_destroy(pictures.train);
    tnn_data_destroy(pictures.test);
    return exit_status;
}
