#define _POSIX_C_SOURCE 200809L /* fileno, isatty */

#include "common/progress.h"

#include <stdio.h>
#include <unistd.h>

enum { BAR_WIDTH = 50 };

static const char bar[] = "##################################################";
_Static_assert(sizeof bar == BAR_WIDTH + 1, "the bar is as long as it is wide");

progress_bar progress_begin(size_t total) {
    return (progress_bar){.total = total, .visible = isatty(fileno(stderr))};
}

void progress_set(progress_bar *self, size_t done) {
    size_t percent_before = 100 * self->done / self->total;
    size_t percent = 100 * done / self->total;
    self->done = done;
    if (!self->visible || percent == percent_before)
        return;
    int length = (int)(percent * BAR_WIDTH / 100);
    fprintf(stderr, "\r[%-*.*s] %3zu %%", BAR_WIDTH, length, bar, percent);
    fflush(stderr);
}

void progress_advance(void *self) {
    progress_set(self, ((const progress_bar *)self)->done + 1);
}

void progress_end(const progress_bar *self) {
    if (self->visible)
        fprintf(stderr, "\r%*s\r", BAR_WIDTH + 8, "");
}
