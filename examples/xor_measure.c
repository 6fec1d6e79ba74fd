#include "xor_measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Rows of the table that a variant's runs fill, one column a seed. */
enum { FINAL_COST = XOR_CURVE_POINTS, EPOCHS_NEEDED, TABLE_ROWS };

static int compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

double xor_median(double *values, size_t count) {
    qsort(values, count, sizeof *values, compare_doubles);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

double xor_fluctuation(const double cost[XOR_EPOCHS]) {
    double rises = 0;
    double falls = 0;
    for (int epoch = 1; epoch < XOR_EPOCHS; epoch++) {
        double change = cost[epoch] - cost[epoch - 1];
        if (change >= 1e-6)
            rises += change;
        else if (change <= -1e-6)
            falls -= change;
    }
    return rises > 0 ? rises / (rises + falls) : 0;
}

bool xor_is_solved(const float y[XOR_ROWS]) {
    for (int row = 0; row < XOR_ROWS; row++)
        if (!(fabsf(y[row] - xor_target[row]) <= 0.05f)) /* NaN is no solution */
            return false;
    return true;
}

static double final_cost(const float y[XOR_ROWS]) {
    double cost = 0;
    for (int row = 0; row < XOR_ROWS; row++) {
        double error = (double)xor_target[row] - (double)y[row];
        cost += error * error / 2;
    }
    return cost;
}

static double epochs_needed(const double cost[XOR_EPOCHS]) {
    for (int epoch = 0; epoch < XOR_EPOCHS; epoch++)
        if (cost[epoch] < 0.01)
            return epoch + 1;
    return (double)INFINITY;
}

static bool train(
    const xor_variant *variant, size_t seed, double cost[XOR_EPOCHS], float y[XOR_ROWS]) {
    xor_learner learner;
    if (!xor_learner_create(&learner, variant, seed))
        return false;
    bool done = true;
    for (int epoch = 0; epoch < XOR_EPOCHS && done; epoch++)
        done = xor_learner_epoch(&learner, &cost[epoch]);
    done = done && xor_predict(learner.net, y);
    xor_learner_destroy(&learner);
    return done;
}

/* Enters one run in its column of the table and in the sums that summary holds until the end. */
static void record(
    xor_summary *summary, double *column, const double cost[XOR_EPOCHS], const float y[XOR_ROWS]) {
    for (size_t point = 0; point < XOR_CURVE_POINTS; point++)
        column[point * summary->seeds] = cost[point * XOR_CURVE_STEP];
    column[FINAL_COST * summary->seeds] = final_cost(y);
    column[EPOCHS_NEEDED * summary->seeds] = epochs_needed(cost);
    summary->solved += xor_is_solved(y);
    summary->fluctuation += xor_fluctuation(cost);
    for (int row = 0; row < XOR_ROWS; row++)
        summary->logistic_slope += (double)y[row] * (1 - (double)y[row]) / XOR_ROWS;
}

static void summarize(xor_summary *summary, double *table) {
    size_t seeds = summary->seeds;
    for (size_t point = 0; point < XOR_CURVE_POINTS; point++)
        summary->curve[point] = xor_median(&table[point * seeds], seeds);
    summary->median_cost = xor_median(&table[FINAL_COST * seeds], seeds);
    summary->median_epochs = xor_median(&table[EPOCHS_NEEDED * seeds], seeds);
    summary->fluctuation /= (double)seeds;
    summary->logistic_slope /= (double)seeds;
}

bool xor_measure(
    xor_summary *summary, const xor_variant *variant, size_t seeds, void (*advance)(void *progress),
    void *progress) {
    *summary = (xor_summary){.variant = *variant, .seeds = seeds};
    double *table = calloc(seeds, TABLE_ROWS * sizeof *table);
    if (table == NULL) {
        perror("xor: the table of the runs");
        return false;
    }

    bool done = true;
    for (size_t seed = 1; seed <= seeds && done; seed++) {
        double cost[XOR_EPOCHS];
        float y[XOR_ROWS];
        done = train(variant, seed, cost, y);
        if (done)
            record(summary, &table[seed - 1], cost, y);
        advance(progress);
    }
    if (done)
        summarize(summary, table);
    free(table);
    return done;
}
