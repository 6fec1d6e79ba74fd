#include "common/seeds.h"

#include "common/csv.h"
#include "common/program.h"

#include <math.h>
#include <stdlib.h>

/* What all trainings took. */
typedef struct effort {
    size_t epochs;
    double seconds;
} effort;

static tnn_status learn_all(
    const example_options *options, seeds_learn *learn, void *context, learning_curve *curve,
    double *scores, effort *spent) {
    for (size_t i = 0; i < options->seeds; i++) {
        tnn_status status = learn(context, options, i + 1, curve, &scores[i]);
        if (status != TNN_OK)
            return status;
        curve_next(curve);
        spent->epochs += curve->report.progress.epoch + 1;
        spent->seconds += curve->report.progress.seconds;
    }
    return TNN_OK;
}

static void print(const char *name, const double *scores, size_t count, const effort *spent) {
    double sum = 0;
    double squares = 0;
    double least = scores[0];
    double most = scores[0];
    for (size_t i = 0; i < count; i++) {
        sum += scores[i];
        least = fmin(least, scores[i]);
        most = fmax(most, scores[i]);
    }
    const double mean = sum / (double)count;
    for (size_t i = 0; i < count; i++)
        squares += (scores[i] - mean) * (scores[i] - mean);
    printf(
        "%s %.4f: mean of %zu, from %.4f to %.4f, deviation %.4f\n", name, mean, count, least, most,
        sqrt(squares / (double)count));
    printf(
        "A training took %.0f epochs and %.3g seconds (means).\n",
        (double)spent->epochs / (double)count, spent->seconds / (double)count);
}

static bool write(const char *path, const char *name, const double *scores, size_t count) {
    if (path == NULL)
        return true;
    FILE *csv = csv_open(path);
    if (csv == NULL)
        return false;
    fprintf(csv, "seed,%s\n", name);
    for (size_t i = 0; i < count; i++)
        fprintf(csv, "%zu,%.9g\n", i + 1, scores[i]);
    return csv_close(csv, path);
}

int seeds_run(
    const example_options *options, const char *score, seeds_learn *learn, void *context) {
    learning_curve curve;
    effort spent = {0};
    double *scores = calloc(options->seeds, sizeof *scores);
    bool done = curve_begin(&curve, options->seeds, options->epochs) && scores != NULL;
    if (done && learn_all(options, learn, context, &curve, scores, &spent) != TNN_OK) {
        fprintf(stderr, "%s: %s\n", program_name, tnn_error_message());
        done = false;
    }
    curve_clear(&curve);
    if (done) {
        print(score, scores, options->seeds, &spent);
        done = write(options->csv, score, scores, options->seeds);
        done = curve_draw(&curve, &options->plot, program_name, score) && done;
    }
    curve_end(&curve);
    free(scores);
    return done && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
