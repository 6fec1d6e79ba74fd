/* xor_progress.h: a bar on stderr while something takes time; nothing if stderr is no terminal. */
#ifndef XOR_PROGRESS_H
#define XOR_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct xor_progress {
    size_t done;
    size_t total;
    bool visible;
} xor_progress;

xor_progress xor_progress_begin(size_t total);
void xor_progress_advance(void *progress); /* an xor_progress: one more is done */
void xor_progress_end(const xor_progress *progress);

#endif /* XOR_PROGRESS_H */
