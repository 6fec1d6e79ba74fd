#define _POSIX_C_SOURCE 200809L /* fileno, isatty */

#include "xor_progress.h"

#include <stdio.h>
#include <unistd.h>

enum { BAR_WIDTH = 50 };

static const char bar[] = "##################################################";
_Static_assert(sizeof bar == BAR_WIDTH + 1, "the bar is as long as it is wide");

xor_progress xor_progress_begin(size_t total) {
    return (xor_progress){.total = total, .visible = isatty(fileno(stderr))};
}

void xor_progress_advance(void *progress) {
    xor_progress *self = progress;
    size_t percent_before = 100 * self->done / self->total;
    size_t percent = 100 * ++self->done / self->total;
    if (!self->visible || percent == percent_before)
        return;
    int length = (int)(percent * BAR_WIDTH / 100);
    fprintf(stderr, "\r[%-*.*s] %3zu %%", BAR_WIDTH, length, bar, percent);
    fflush(stderr);
}

void xor_progress_end(const xor_progress *progress) {
    if (progress->visible)
        fprintf(stderr, "\r%*s\r", BAR_WIDTH + 8, "");
}
