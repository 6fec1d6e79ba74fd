/* What the benchmarks want of the operating system: a clock, a nap, CPUs, a second thread. */
#ifndef TINYNN_BENCH_SYSTEM_H
#define TINYNN_BENCH_SYSTEM_H

double system_now_ns(void);
void system_sleep_ms(int milliseconds);

/* The last CPU that this process may use, and the one before it; -1 where CPUs cannot be chosen. */
void system_choose_cpus(int *cpu, int *other);

/* Any CPU but this one. */
void system_choose_other_cpu(int cpu, int *other);

/* Restricts the calling thread, and those that it will start, to the two. */
void system_pin(int cpu, int other);

/* Keeps OpenMP's second thread on a CPU. */
void system_pin_openmp(int other);

/* Runs function(argument) in a thread on cpu while here() runs in this one on other. */
void system_run_pair(int cpu, int other, void (*there)(void *), void (*here)(void *), void *both);

#endif
