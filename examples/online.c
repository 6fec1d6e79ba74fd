/*
 * online.c: learns from a stream of single samples, as they come, and keeps learning.
 *
 * What is to be learned drifts: y = sin(3 a + phase) b, with a phase that makes one turn in the
 * whole stream. Each sample is predicted before it is learned from, which gives an honest error. A
 * copy of the net that stops learning halfway shows what learning on is worth.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include "common/csv.h"
#include "common/options.h"
#include "common/program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <tinynn/tinynn.h>

const char program_name[] = "online";

static const char about[] =
    "Learns a function of two inputs from a stream of single samples while\n"
    "it drifts, and compares the error with that of a net which stops\n"
    "learning halfway.\n";

enum { POINTS = 200 }; /* of the curve */

static const char script[] =
    "set xlabel 'Thousands of samples'\n"
    "set ylabel 'Mean squared error of the last 1000 or so'\n"
    "set logscale y\n"
    "set key top left\n"
    "plot csv every ::1 using ($1 / 1000):3 with lines linewidth 2.5 linecolor rgb '#d55e00' \\\n"
    "    title 'stopped halfway', \\\n"
    "    csv every ::1 using ($1 / 1000):2 with lines linewidth 2.5 linecolor rgb '#0072b2' \\\n"
    "    title 'learns on'\n";

/* Uniform in [-1, 1): xorshift64*, Vigna 2016. */
static float draw(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (float)((int64_t)(*state * 0x2545f4914f6cdd1du) >> 40) * 0x1p-23f;
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The mean of the squares of late: each counts 1/1000, the first ones more. */
static void add_error(double *mean, size_t before, double square) {
    *mean += (square - *mean) / (double)(before < 1000 ? before + 1 : 1000);
}

typedef struct learner {
    tnn_net *net;
    tnn_net *stopped; /* what net was after half of the samples */
    tnn_optimizer *optimizer;
    tnn_workspace *workspace;
    double error[2]; /* of net and of stopped */
} learner;

static tnn_status create(learner *self) {
    const tnn_layer layers[] = {{.units = 32, .activation = tnn_tanh()}, {.units = 1}};
    tnn_status status = tnn_net_create(&self->net, 2, layers, 2, NULL);
    if (status == TNN_OK)
        status = tnn_optimizer_create(&self->optimizer, self->net, tnn_sgd(0.02f));
    if (status == TNN_OK)
        status = tnn_workspace_create(&self->workspace, self->net, 1);
    return status;
}

static tnn_status learn(learner *self, size_t i, const float x[2], float target) {
    const tnn_dataset row = {.rows = 1, .x = x, .target = &target};
    double loss = 0;
    tnn_status status =
        tnn_train(self->net, self->optimizer, tnn_mean_squared_error(), &row, &loss);
    add_error(&self->error[0], i, loss); /* of before the step: a prediction's */
    if (status == TNN_OK && self->stopped != NULL) {
        float y = 0;
        status = tnn_predict(self->stopped, self->workspace, 1, x, &y);
        loss = (double)(y - target) * (double)(y - target);
    }
    add_error(&self->error[1], i, loss);
    return status;
}

static tnn_status learn_stream(learner *self, size_t samples, FILE *csv) {
    uint64_t state = 1;
    tnn_status status = create(self);
    fprintf(csv, "samples,error,stopped_error\n");
    for (size_t i = 0; i < samples && status == TNN_OK; i++) {
        const double phase = 6.283185307 * (double)i / (double)samples;
        float x[2];
        x[0] = draw(&state);
        x[1] = draw(&state);
        if (i == samples / 2)
            status = tnn_net_clone(&self->stopped, self->net);
        if (status == TNN_OK)
            status = learn(self, i, x, (float)sin(3 * (double)x[0] + phase) * x[1]);
        if ((i + 1) * POINTS / samples > i * POINTS / samples)
            fprintf(csv, "%zu,%.9g,%.9g\n", i + 1, self->error[0], self->error[1]);
    }
    return status;
}

int main(int argc, char **argv) {
    example_options options = {.about = about, .samples = 500000};
    if (!options_parse(&options, argc, argv))
        return options.exit_status;
    plot_files plot;
    FILE *csv = NULL;
    if (!plot_prepare(&plot, &options.plot, program_name) || (csv = csv_open(plot.csv)) == NULL)
        return EXIT_FAILURE;

    learner self = {0};
    const double start = seconds_now();
    tnn_status status = learn_stream(&self, options.samples, csv);
    const double nanoseconds = 1e9 * (seconds_now() - start) / (double)options.samples;
    if (status == TNN_OK)
        printf(
            "Squared error of late: %.4f, and %.4f of the net that stopped halfway.\n"
            "A sample took %.0f ns to make, to predict and to learn.\n",
            self.error[0], self.error[1], nanoseconds);
    else
        fprintf(stderr, "online: %s\n", tnn_error_message());
    tnn_workspace_destroy(self.workspace);
    tnn_optimizer_destroy(self.optimizer);
    tnn_net_destroy(self.stopped);
    tnn_net_destroy(self.net);
    bool written = csv_close(csv, plot.csv) && plot_draw(&plot, script);
    return status == TNN_OK && written ? EXIT_SUCCESS : EXIT_FAILURE;
}
