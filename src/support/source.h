/* Bytes of a file or of a caller's source, through a buffer, with their place for messages. */
#ifndef TINYNN_SUPPORT_SOURCE_H
#define TINYNN_SUPPORT_SOURCE_H

#include "support/array.h"
#include "support/status.h"

enum {
    TNNI_END = -1,            /* in place of a byte */
    TNNI_MOST_EXCERPT = 40,   /* bytes of a file that a message repeats */
    TNNI_MOST_FIELD = 1 << 16 /* bytes of one number or name */
};

/* Both from 1; the column is counted in bytes. */
typedef struct tnni_place {
    uint64_t line;
    uint64_t column;
} tnni_place;

typedef struct tnni_source {
    const char *caller; /* the public function, for messages */
    const tnn_allocator *allocator;
    tnn_source from;
    void *file; /* a FILE, or NULL: from.read */
    unsigned char *buffer;
    size_t at;
    size_t filled;
    uint64_t before; /* bytes that came before those in the buffer */
    uint64_t line;
    uint64_t line_start; /* as an offset from the first byte of all */
    bool ended;
    tnn_status status; /* why nothing more came, if that was not the end */
} tnni_source;

/* Both refuse a NULL. Nothing is left to close if they fail. */
tnn_status tnni_source_open_path(
    tnni_source *source, const char *caller, const char *path, const tnn_allocator *allocator);
tnn_status tnni_source_open(
    tnni_source *source, const char *caller, const tnn_source *from,
    const tnn_allocator *allocator);
void tnni_source_close(tnni_source *source);

/* Fills the buffer anew when all of it has been taken; false at the end or with a status set. */
bool tnni_source_fill(tnni_source *source);

static inline uint64_t tnni_source_offset(const tnni_source *source) {
    return source->before + source->at;
}

/* Of the byte that comes next. */
static inline tnni_place tnni_source_place(const tnni_source *source) {
    return (tnni_place){source->line, tnni_source_offset(source) - source->line_start + 1};
}

/* The next byte, which is left where it is; TNNI_END if there is none or source->status is set. */
static inline int tnni_source_peek(tnni_source *source) {
    if (source->at == source->filled && !tnni_source_fill(source))
        return TNNI_END;
    return source->buffer[source->at];
}

/* The same, and takes it. */
static inline int tnni_source_next(tnni_source *source) {
    int byte = tnni_source_peek(source);
    source->at += byte != TNNI_END;
    if (byte == '\n') {
        source->line++;
        source->line_start = tnni_source_offset(source);
    }
    return byte;
}

/* Fails if what comes first is gzip's; to be called before anything is taken. */
tnn_status tnni_source_refuse_gzip(tnni_source *source, const char *expected);

/* Up to most bytes where they lie, taken; 0 of them at the end or with a status set. Does not count
 * lines. */
size_t tnni_source_take(tnni_source *source, size_t most, const unsigned char **bytes);

/* Do these bytes begin a file that is wanted? To know before the rest is there. */
typedef tnn_status tnni_check_begin(const char *where, const unsigned char *bytes, size_t count);

/*
 * Appends all that is left to file, and adds its length to *count; check, which may be NULL, sees
 * what comes first. The array grows with the bytes. TNN_UNSUPPORTED: there are more than most,
 * which is limits.total_bytes. TNN_OUT_OF_MEMORY, or what check or the source says.
 */
tnn_status tnni_source_read_all(
    tnni_source *source, size_t most, const char *where, tnni_check_begin *check, tnni_array *file,
    size_t *count);

/* Fail with "caller: name:line:column: ..." or "caller: name: byte offset: ...". */
tnn_status tnni_source_fail(
    const tnni_source *source, tnn_status status, tnni_place place, const char *format, ...)
    TNN_PRINTF(4, 5);
tnn_status tnni_source_fail_at(
    const tnni_source *source, tnn_status status, uint64_t offset, const char *format, ...)
    TNN_PRINTF(4, 5);

/* What is left of text when it has to be printed: short, and without bytes that are no ASCII. */
typedef struct tnni_excerpt {
    char text[TNNI_MOST_EXCERPT + 4];
} tnni_excerpt;
tnni_excerpt tnni_excerpt_of(const char *text, size_t length);

#endif
