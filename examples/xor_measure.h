/* xor_measure.h: what became of one training run, and of a variant over many seeds. */
#ifndef XOR_MEASURE_H
#define XOR_MEASURE_H

#include "xor_experiment.h"

/* A variant's curve has the epochs 1, 1 + XOR_CURVE_STEP, 1 + 2 XOR_CURVE_STEP, ... */
enum { XOR_CURVE_STEP = 20, XOR_CURVE_POINTS = (XOR_EPOCHS - 1) / XOR_CURVE_STEP + 1 };

/* A variant over the seeds 1 to seeds. */
typedef struct xor_summary {
    xor_variant variant;
    size_t seeds;
    size_t solved;        /* every output within 0.05 of its target after the last epoch */
    double median_cost;   /* of the weights after the last epoch */
    double median_epochs; /* until an epoch's cost is below 0.01; a run that never gets there counts
                             as INFINITY */
    double fluctuation;   /* xor_fluctuation, averaged over the seeds */
    double logistic_slope; /* y (1 - y) after the last epoch, averaged over rows and seeds: the
                              output unit's slope if it is a sigmoid, and nothing otherwise */
    double curve[XOR_CURVE_POINTS]; /* the median of the cost over the seeds at these epochs */
} xor_summary;

/*
 * The share of a cost's movement that goes up: the sum of its rises from one epoch to the next,
 * divided by the sum of its rises and falls. 0 for a cost that only falls, near 1/2 for one that
 * swings without getting anywhere, 0 for one that stands still. Unlike a variance it does not take
 * steady progress for fluctuation, and it does not depend on the cost's scale.
 *
 * Changes below 1e-6 do not count: they may be rounding. An output near 1 is known to about 4 units
 * of 2^-24, which changes a row's cost by at most half as much as long as the output is half right,
 * and the sum of the four by 4.8e-7.
 */
double xor_fluctuation(const double cost[XOR_EPOCHS]);

bool xor_is_solved(const float y[XOR_ROWS]);

double xor_median(double *values, size_t count); /* sorts them */

/*
 * Trains the variant with every seed, calling advance(progress) after each, and sums up. Allocates
 * about 2.4 kilobytes a seed.
 */
bool xor_measure(
    xor_summary *summary, const xor_variant *variant, size_t seeds, void (*advance)(void *progress),
    void *progress);

#endif /* XOR_MEASURE_H */
