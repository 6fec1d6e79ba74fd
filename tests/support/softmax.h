/*
 * softmax.h: softmax of a row in long double, and the bound of docs/numerics.md on the library's.
 */
#ifndef TINYNN_TESTS_SOFTMAX_H
#define TINYNN_TESTS_SOFTMAX_H

#include "kernel_tables.h"

enum { SOFTMAX_UNITS = 4096 }; /* at most */

typedef struct softmax_row {
    size_t units;
    double below[SOFTMAX_UNITS]; /* largest z - z */
    long double exact[SOFTMAX_UNITS];
} softmax_row;

void compute_softmax_row(softmax_row *row, size_t units, const float *z);

/* How far element i may be from exact in a table. The sum of a row may be off by their sum. */
double softmax_bound(const tnni_kernels *table, const softmax_row *row, size_t i);

/* The table's kernel. */
void softmax(const tnni_kernels *table, size_t rows, size_t units, const float *z, float *a);

#endif /* TINYNN_TESTS_SOFTMAX_H */
