/* xor_report.h: what the program says on stdout, and the table of compare as CSV. */
#ifndef XOR_REPORT_H
#define XOR_REPORT_H

#include "xor_measure.h"

#include <stdio.h>

/* The table of the publication: X, y and y_hat, four decimals. */
void xor_report_outputs(const float y[XOR_ROWS]);

/* W1 and W2 of a 2-2-1 net as the publication writes them. */
void xor_report_weights(tnn_net *net);

/* The variants' figures, what they mean, and what they leave of the published claim. */
void xor_report_comparison(const xor_summary summaries[XOR_VARIANTS]);

/*
 * The variants' figures with the header
 * activation,bias,seeds,solved,median_cost,median_epochs,fluctuation; median_epochs is inf if the
 * median run never got below 0.01.
 */
void xor_write_comparison(FILE *file, const xor_summary summaries[XOR_VARIANTS]);

#endif /* XOR_REPORT_H */
