#include "common/curve.h"

#include "common/csv.h"
#include "common/program.h"

#include <math.h>
#include <stdlib.h>

/* The variable validated tells whether there is more than a training loss. Colours as in the other
 * plots: Okabe and Ito's. */
static const char script[] =
    "set multiplot layout 1, validated ? 2 : 1\n"
    "set xlabel 'Epochs'\n"
    "set key top right\n"
    "set title 'Loss'\n"
    "set yrange [0:*]\n"
    "plot for [i=2:(validated ? 3 : 2)] csv every ::1 using 1:i with lines linewidth 2.5 \\\n"
    "    linecolor rgb (i == 2 ? '#0072b2' : '#d55e00') title (i == 2 ? 'training' : 'other "
    "rows')\n"
    "set title score\n"
    "set yrange [*:*]\n"
    "unset key\n"
    "if (validated) {\n"
    "    plot csv every ::1 using 1:4 with lines linewidth 2.5 linecolor rgb '#d55e00'\n"
    "}\n"
    "unset multiplot\n";

bool curve_begin(learning_curve *self, size_t trainings, size_t epochs) {
    *self = (learning_curve){.epochs = epochs, .bar = progress_begin(trainings * epochs)};
    self->points = calloc(epochs, sizeof *self->points);
    if (self->points == NULL)
        fprintf(stderr, "%s: out of memory\n", program_name);
    return self->points != NULL;
}

bool curve_epoch(void *context, const tnn_progress *progress) {
    learning_curve *self = context;
    if (self->trainings == 0 && self->count < self->epochs)
        self->points[self->count++] = *progress;
    progress_set(&self->bar, self->trainings * self->epochs + progress->epoch + 1);
    return true;
}

void curve_next(learning_curve *self) {
    self->trainings++;
}

void curve_clear(const learning_curve *self) {
    progress_end(&self->bar);
    for (size_t i = 0; i < self->report.finding_count; i++)
        fprintf(stderr, "%s: %s\n", program_name, self->report.findings[i].message);
}

static bool write_points(const learning_curve *self, const char *path, const char *score) {
    FILE *csv = csv_open(path);
    if (csv == NULL)
        return false;
    fprintf(csv, "epoch,training_loss,validation_loss,%s,learning_rate\n", score);
    for (size_t i = 0; i < self->count; i++) {
        const tnn_progress *point = &self->points[i];
        fprintf(
            csv, "%zu,%.9g,%.9g,%.9g,%.9g\n", point->epoch + 1, point->training_loss,
            point->validation_loss, point->validation_score, (double)point->learning_rate);
    }
    return csv_close(csv, path);
}

bool curve_draw(
    const learning_curve *self, const plot_options *options, const char *name, const char *score) {
    plot_files drawing;
    char whole_script[sizeof script + 100];
    snprintf(
        whole_script, sizeof whole_script, "score = '%.60s'\nvalidated = %d\n%s", score,
        !isnan(self->points[0].validation_loss), script);
    return plot_prepare(&drawing, options, name) && write_points(self, drawing.csv, score) &&
        plot_draw(&drawing, whole_script);
}

void curve_end(learning_curve *self) {
    free(self->points);
    self->points = NULL;
}
