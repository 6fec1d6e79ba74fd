#define _GNU_SOURCE /* sched_setaffinity */

#include "system.h"

#include "bench.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>
#ifdef _OPENMP
#    include <omp.h>
#endif

double system_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}

void system_sleep_ms(int milliseconds) {
    struct timespec nap = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    nanosleep(&nap, NULL);
}

#ifdef __linux__

void system_choose_cpus(int *cpu, int *other) {
    cpu_set_t allowed;
    *cpu = *other = -1;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (CPU_ISSET(i, &allowed)) {
            *other = *cpu;
            *cpu = i;
        }
    }
}

void system_choose_other_cpu(int cpu, int *other) {
    cpu_set_t allowed;
    *other = -1;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (CPU_ISSET(i, &allowed) && i != cpu)
            *other = i;
    }
}

void system_pin(int cpu, int other) {
    cpu_set_t chosen;
    CPU_ZERO(&chosen);
    if (cpu >= 0)
        CPU_SET(cpu, &chosen);
    if (other >= 0)
        CPU_SET(other, &chosen);
    bench_require(
        sched_setaffinity(0, sizeof chosen, &chosen) == 0, "this process cannot run on CPU %d",
        cpu);
}

/*
 * Woken after a pause, OpenMP's second thread may find itself on the CPU of the first, and then a
 * loop lasts as long as a time slice. The first one stays free, since threads of other runtimes
 * begin with what it may use.
 */
void system_pin_openmp(int other) {
#    ifdef _OPENMP
#        pragma omp parallel num_threads(2)
    if (omp_get_thread_num() == 1)
        system_pin(other, other);
#    else
    (void)other;
#    endif
}

#else

void system_pin_openmp(int other) {
    (void)other;
}

void system_choose_cpus(int *cpu, int *other) {
    *cpu = *other = -1;
}

void system_choose_other_cpu(int cpu, int *other) {
    (void)cpu;
    *other = -1;
}

void system_pin(int cpu, int other) {
    (void)cpu, (void)other;
}

#endif

typedef struct pair {
    int cpu;
    void (*there)(void *);
    void *both;
} pair;

static void *run_there(void *argument) {
    const pair *self = argument;
    if (self->cpu >= 0)
        system_pin(self->cpu, self->cpu);
    self->there(self->both);
    return NULL;
}

void system_run_pair(int cpu, int other, void (*there)(void *), void (*here)(void *), void *both) {
    pair job = {other, there, both};
    pthread_t thread;
    if (cpu >= 0)
        system_pin(cpu, cpu);
    bench_require(pthread_create(&thread, NULL, run_there, &job) == 0, "no second thread");
    here(both);
    pthread_join(thread, NULL);
    if (cpu >= 0)
        system_pin(cpu, other);
}
