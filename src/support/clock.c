#ifndef _WIN32
#    define _POSIX_C_SOURCE 200809L
#endif
#include "support/clock.h"

#ifdef _WIN32
#    include <windows.h>

double tnni_seconds(void) {
    LARGE_INTEGER now, frequency;
    if (!QueryPerformanceFrequency(&frequency) || !QueryPerformanceCounter(&now))
        return 0.0;
    return (double)now.QuadPart / (double)frequency.QuadPart;
}
#else
#    include <time.h>

double tnni_seconds(void) {
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return 0.0;
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
#endif
