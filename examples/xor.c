/*
 * xor.c: the published XOR experiment, reproduced, and its claim put to the test.
 *
 *     xor published    what the published weights predict
 *     xor train        the published training
 *     xor compare      the published slope, relu, leaky relu, tanh and sigmoid over many seeds
 *
 * Start with xor_experiment.h, which says what is trained and how; hello.c is a shorter first
 * program.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include "common/csv.h"
#include "common/program.h"
#include "common/progress.h"
#include "xor_experiment.h"
#include "xor_measure.h"
#include "xor_options.h"
#include "xor_plot.h"
#include "xor_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char program_name[] = "xor";

static const float published_w1[] = {-0.81781753f, 0.71323677f, 0.48803631f, -0.71286155f};
static const float published_w2[] = {2.04849235f, 1.40170791f};
static const double published_y[XOR_ROWS] = {0.0, 0.9997, 0.9997, 0.0005};

/* To four decimals; not if y is NaN. */
static bool is_as_published(const float y[XOR_ROWS]) {
    for (int row = 0; row < XOR_ROWS; row++)
        if (!(fabs(round(1e4 * (double)y[row]) - round(1e4 * published_y[row])) < 0.5))
            return false;
    return true;
}

static bool run_published(void) {
    const xor_variant variant = xor_variant_of(XOR_PUBLISHED, false);
    xor_learner learner;
    float y[XOR_ROWS];
    if (!xor_learner_create(&learner, &variant, 0))
        return false;
    memcpy(tnn_net_weights(learner.net, 0), published_w1, sizeof published_w1);
    memcpy(tnn_net_weights(learner.net, 1), published_w2, sizeof published_w2);

    bool done = xor_predict(learner.net, y);
    if (done) {
        printf("The published weights\n\n");
        xor_report_outputs(y);
        xor_report_weights(learner.net);
        done = is_as_published(y);
        if (!done)
            fprintf(stderr, "xor: these are not the published outputs\n");
    }
    xor_learner_destroy(&learner);
    return done;
}

static double nanoseconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}

/* Stores every epoch's cost and the time a step took in it, in nanoseconds. */
static bool train(xor_learner *learner, double cost[XOR_EPOCHS], double time[XOR_EPOCHS]) {
    for (int epoch = 0; epoch < XOR_EPOCHS; epoch++) {
        double start = nanoseconds_now();
        if (!xor_learner_epoch(learner, &cost[epoch]))
            return false;
        time[epoch] = (nanoseconds_now() - start) / XOR_ROWS;
    }
    return true;
}

static bool run_train(const xor_options *options) {
    const xor_variant variant = xor_variant_of(XOR_PUBLISHED, false);
    static double cost[XOR_EPOCHS];
    static double time[XOR_EPOCHS];
    xor_learner learner;
    float y[XOR_ROWS];
    if (!xor_learner_create(&learner, &variant, options->seed))
        return false;

    bool done = train(&learner, cost, time) && xor_predict(learner.net, y);
    if (done) {
        printf("Trained as published, from seed %llu\n\n", (unsigned long long)options->seed);
        xor_report_outputs(y);
        xor_report_weights(learner.net);
        printf("\nThe cost went from %.4f to %.2e", cost[0], cost[XOR_EPOCHS - 1]);
        printf(": XOR is %s.\n", xor_is_solved(y) ? "solved" : "not solved");
        printf("A training step took %.0f ns (median).\n", xor_median(time, XOR_EPOCHS));
        done = xor_plot_loss(&options->plot, cost);
    }
    xor_learner_destroy(&learner);
    return done;
}

static bool measure_all(xor_summary summaries[XOR_VARIANTS], size_t seeds) {
    progress_bar bar = progress_begin(XOR_VARIANTS * seeds);
    bool done = true;
    for (int i = 0; i < XOR_VARIANTS && done; i++) {
        const xor_variant variant = xor_variant_of(i / 2, i % 2 != 0);
        done = xor_measure(&summaries[i], &variant, seeds, progress_advance, &bar);
    }
    progress_end(&bar);
    return done;
}

static bool write_table(FILE *csv, const char *path, const xor_summary summaries[XOR_VARIANTS]) {
    if (!csv_empty(csv, path)) {
        fclose(csv);
        return false;
    }
    xor_write_comparison(csv, summaries);
    return csv_close(csv, path);
}

static bool run_compare(const xor_options *options) {
    static xor_summary summaries[XOR_VARIANTS];
    FILE *csv = NULL;
    if (options->csv != NULL && (csv = csv_reserve(options->csv)) == NULL)
        return false;

    printf("Five activations without and with biases, %zu seeds each\n\n", options->seeds);
    if (!measure_all(summaries, options->seeds)) {
        if (csv != NULL)
            fclose(csv);
        return false;
    }
    xor_report_comparison(summaries);
    printf("\n");
    bool written = csv == NULL || write_table(csv, options->csv, summaries);
    return xor_plot_comparison(&options->plot, summaries) && written;
}

static bool run(const xor_options *options) {
    bool done = true;
    if (options->published)
        done = run_published();
    if (options->published && options->train)
        printf("\n");
    if (options->train)
        done = run_train(options) && done;
    if (options->train && options->compare)
        printf("\n");
    if (options->compare)
        done = run_compare(options) && done;
    if (fflush(stdout) != 0) {
        perror("xor: stdout");
        done = false;
    }
    return done;
}

int main(int argc, char **argv) {
    xor_options options;
    switch (xor_options_parse(&options, argc, argv)) {
    case XOR_REQUEST_RUN:
        return run(&options) ? EXIT_SUCCESS : EXIT_FAILURE;
    case XOR_REQUEST_HELP:
        xor_options_print_help();
        return EXIT_SUCCESS;
    default:
        return 2;
    }
}
