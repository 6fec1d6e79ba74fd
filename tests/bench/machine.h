/* What this machine can do at most, measured: the limits that results are compared with. */
#ifndef TINYNN_BENCH_MACHINE_H
#define TINYNN_BENCH_MACHINE_H

#include <stddef.h>

/*
 * Multiply-add peak of one core in FLOP a nanosecond (GFLOP/s), with the vectors of the library's
 * kernels of this name; NULL: the widest that there are. 0 for vectors that are not here.
 */
double machine_fma_peak(const char *kernels);

/* Bytes a nanosecond (GB/s) that one core reads over and over from an array of this size. */
double machine_read_bandwidth(size_t bytes);

/* Nanoseconds that a cache line takes from one core to the other and back; leaves the calling
 * thread on the two. 0 if there are no two CPUs to choose. */
double machine_round_trip(int cpu, int other);

#endif
