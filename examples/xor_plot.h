/*
 * xor_plot.h: curves as CSV files, and as PNG, SVG and, on request, in the terminal, by gnuplot. A
 * machine without gnuplot gets the CSV files and a line that says so, which is no failure.
 */
#ifndef XOR_PLOT_H
#define XOR_PLOT_H

#include "xor_measure.h"

typedef struct xor_plot_options {
    const char *directory; /* where the files go; made if it is not there */
    bool terminal;         /* draw in the terminal, too */
} xor_plot_options;

/* xor-loss.csv, .png, .svg: one run's cost in every epoch. */
bool xor_plot_loss(const xor_plot_options *options, const double cost[XOR_EPOCHS]);

/* xor-curves.csv, .png, .svg: the variants' curves, the median of all seeds. */
bool xor_plot_comparison(
    const xor_plot_options *options, const xor_summary summaries[XOR_VARIANTS]);

#endif /* XOR_PLOT_H */
