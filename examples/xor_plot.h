/* xor_plot.h: curves as CSV files, and as PNG, SVG and, on request, in the terminal. */
#ifndef XOR_PLOT_H
#define XOR_PLOT_H

#include "common/plot.h"
#include "xor_measure.h"

/* xor-loss.csv, .png, .svg: one run's cost in every epoch. */
bool xor_plot_loss(const plot_options *options, const double cost[XOR_EPOCHS]);

/* xor-curves.csv, .png, .svg: the variants' curves, the median of all seeds. */
bool xor_plot_comparison(const plot_options *options, const xor_summary summaries[XOR_VARIANTS]);

#endif /* XOR_PLOT_H */
