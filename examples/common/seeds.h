/* seeds.h: one training after another, each with a seed and a score of its own. */
#ifndef EXAMPLES_SEEDS_H
#define EXAMPLES_SEEDS_H

#include "common/curve.h"
#include "common/options.h"

#include <stdint.h>

/*
 * Trains with this seed and stores how good it has become. Gives tnn_fit curve_epoch and the curve
 * for a callback after each epoch, and the curve's report to fill.
 */
typedef tnn_status seeds_learn(
    void *context, const example_options *options, uint64_t seed, learning_curve *curve,
    double *score);

/*
 * Learns with each of the options' seeds, behind a progress bar; prints mean, spread, epochs and
 * seconds of what it calls score, and writes the options' CSV file and the first seed's learning
 * curve, which has the program's name. Returns the program's exit status.
 */
int seeds_run(const example_options *options, const char *score, seeds_learn *learn, void *context);

#endif /* EXAMPLES_SEEDS_H */
