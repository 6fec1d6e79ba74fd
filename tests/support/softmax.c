#include "softmax.h"

#include <math.h>

static float largest(size_t units, const float *z) {
    float result = z[0];
    for (size_t i = 1; i < units; i++)
        result = z[i] > result ? z[i] : result;
    return result;
}

void compute_softmax_row(softmax_row *row, size_t units, const float *z) {
    double max = largest(units, z);
    long double total = 0;
    row->units = units;
    for (size_t i = 0; i < units; i++) {
        row->below[i] = max - z[i];
        row->exact[i] = expl(z[i] - (long double)max);
        total += row->exact[i];
    }
    for (size_t i = 0; i < units; i++)
        row->exact[i] /= total;
}

/*
 * (|z - max| + 4 + n / 16) epsilon: the exponent's rounding, exp's bound above and below the line,
 * the sum in sixteen lanes, the quotient. Where exp is denormal or the result is, some of the least
 * floats.
 */
double softmax_bound(const tnni_kernels *table, const softmax_row *row, size_t i) {
    double roundings = row->below[i] + 2 * function_bound(table) + (double)row->units / 16;
    return roundings * 0x1p-23 * (double)row->exact[i] + 8 * 0x1p-149;
}

void softmax(const tnni_kernels *table, size_t rows, size_t units, const float *z, float *a) {
    table->activations[TNNI_SOFTMAX].forward(0, rows, units, z, a);
}
