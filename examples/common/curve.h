/* curve.h: watches trainings, draws the progress bar, and keeps the learning curve of the first. */
#ifndef EXAMPLES_CURVE_H
#define EXAMPLES_CURVE_H

#include "common/plot.h"
#include "common/progress.h"

#include <tinynn/tinynn.h>

typedef struct learning_curve {
    progress_bar bar;
    size_t trainings; /* that have ended */
    size_t epochs;    /* of each, at most */
    size_t count;
    tnn_progress *points;  /* [count]: the first training's, an epoch each */
    tnn_fit_report report; /* of the training that runs or has just ended */
} learning_curve;

/* To be ended by curve_end, whatever it returns. */
bool curve_begin(learning_curve *self, size_t trainings, size_t epochs);

/* A tnn_fit_callback for the end of an epoch; its context is a curve. Never stops a training. */
bool curve_epoch(void *self, const tnn_progress *progress);

/* After each training. */
void curve_next(learning_curve *self);

/* Takes the progress bar away, and says what the last report found wrong with a training. */
void curve_clear(const learning_curve *self);

/*
 * NAME.csv, .png and .svg: losses and score in each epoch of the first training. score is what the
 * score is called.
 */
bool curve_draw(
    const learning_curve *self, const plot_options *options, const char *name, const char *score);
void curve_end(learning_curve *self);

#endif /* EXAMPLES_CURVE_H */
