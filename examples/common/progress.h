/* progress.h: a bar on stderr while something takes time; nothing if stderr is no terminal. */
#ifndef EXAMPLES_PROGRESS_H
#define EXAMPLES_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct progress_bar {
    size_t done;
    size_t total;
    bool visible;
} progress_bar;

progress_bar progress_begin(size_t total);
void progress_set(progress_bar *self, size_t done); /* so much of the total */
void progress_advance(void *self);                  /* a progress_bar: one more is done */
void progress_end(const progress_bar *self);

#endif /* EXAMPLES_PROGRESS_H */
