#include "support/source.h"

#include "support/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Names longer than NAME would leave no room in a message for what is wrong. */
#define NAME "%.200s"
enum { BUFFER_BYTES = 1 << 16, MOST_DETAIL = 256 };

static tnn_status system_error(const tnni_source *source, const char *what, int error) {
    return tnni_fail(
        TNN_IO_ERROR, "%s: cannot %s " NAME ": %s", source->caller, what, source->from.name,
        error ? strerror(error) : "unknown error");
}

/* ---- Life ------------------------------------------------------------------------------------ */

static tnn_status allocate_buffer(tnni_source *source) {
    source->buffer = tnni_allocate(source->allocator, BUFFER_BYTES);
    if (!source->buffer)
        return tnni_fail(
            TNN_OUT_OF_MEMORY, "%s: no memory to read " NAME, source->caller, source->from.name);
    return TNN_OK;
}

tnn_status tnni_source_open_path(
    tnni_source *source, const char *caller, const char *path, const tnn_allocator *allocator) {
    if (!path)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: path is NULL", caller);
    *source =
        (tnni_source){.caller = caller, .allocator = allocator, .from = {.name = path}, .line = 1};
    errno = 0;
    FILE *file = fopen(path, "rb");
    if (!file)
        return system_error(source, "open", errno);
    source->file = file;
    setvbuf(file, NULL, _IONBF, 0); /* the buffer here is enough */
    tnn_status status = allocate_buffer(source);
    if (status != TNN_OK)
        fclose(file);
    return status;
}

tnn_status tnni_source_open(
    tnni_source *source, const char *caller, const tnn_source *from,
    const tnn_allocator *allocator) {
    if (!from || !from->read)
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: %s is NULL", caller, from ? "source->read" : "source");
    *source = (tnni_source){.caller = caller, .allocator = allocator, .from = *from, .line = 1};
    if (!from->name)
        source->from.name = "data";
    return allocate_buffer(source);
}

void tnni_source_close(tnni_source *source) {
    if (source->file)
        fclose(source->file);
    tnni_release(source->allocator, source->buffer, BUFFER_BYTES);
    *source = (tnni_source){0};
}

/* ---- Reading --------------------------------------------------------------------------------- */

static tnn_status read_file(tnni_source *source, size_t *count) {
    FILE *file = source->file;
    errno = 0;
    *count = fread(source->buffer + source->filled, 1, BUFFER_BYTES - source->filled, file);
    return *count == 0 && ferror(file) ? system_error(source, "read", errno) : TNN_OK;
}

static tnn_status read_callback(tnni_source *source, size_t *count) {
    const tnn_source *from = &source->from;
    size_t capacity = BUFFER_BYTES - source->filled;
    tnn_status status = from->read(from->context, source->buffer + source->filled, capacity, count);
    if (status != TNN_OK)
        return tnni_fail(
            status, "%s: " NAME ": source->read returned %s", source->caller, from->name,
            tnn_status_string(status));
    if (*count > capacity)
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: " NAME ": source->read stored %zu bytes, expected at most %zu", source->caller,
            from->name, *count, capacity);
    return TNN_OK;
}

bool tnni_source_fill(tnni_source *source) {
    source->before += source->at;
    source->at = 0;
    source->filled = 0;
    while (!source->ended && source->filled < BUFFER_BYTES) {
        size_t count = 0;
        source->status = source->file ? read_file(source, &count) : read_callback(source, &count);
        if (source->status != TNN_OK)
            source->filled = count = 0;
        source->filled += count;
        source->ended = count == 0;
    }
    return source->filled > 0;
}

tnn_status tnni_source_refuse_gzip(tnni_source *source, const char *expected) {
    if (tnni_source_peek(source) != 0x1f || source->filled < 2 || source->buffer[1] != 0x8b)
        return TNN_OK;
    return tnni_source_fail_at(
        source, TNN_BAD_FORMAT, 0,
        "compressed by gzip, expected %s; decompress it, or give a source that does", expected);
}

size_t tnni_source_take(tnni_source *source, size_t most, const unsigned char **bytes) {
    if (tnni_source_peek(source) == TNNI_END)
        return 0;
    size_t count = source->filled - source->at;
    *bytes = source->buffer + source->at;
    count = count < most ? count : most;
    source->at += count;
    return count;
}

/* ---- Messages -------------------------------------------------------------------------------- */

tnn_status tnni_source_fail(
    const tnni_source *source, tnn_status status, tnni_place place, const char *format, ...) {
    char detail[MOST_DETAIL];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    return tnni_fail(
        status, "%s: " NAME ":%" PRIu64 ":%" PRIu64 ": %s", source->caller, source->from.name,
        place.line, place.column, detail);
}

tnn_status tnni_source_fail_at(
    const tnni_source *source, tnn_status status, uint64_t offset, const char *format, ...) {
    char detail[MOST_DETAIL];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    return tnni_fail(
        status, "%s: " NAME ": byte %" PRIu64 ": %s", source->caller, source->from.name, offset,
        detail);
}

tnni_excerpt tnni_excerpt_of(const char *text, size_t length) {
    tnni_excerpt excerpt = {{0}};
    size_t kept = length < TNNI_MOST_EXCERPT ? length : TNNI_MOST_EXCERPT;
    for (size_t i = 0; i < kept; i++)
        excerpt.text[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    if (kept < length)
        memcpy(excerpt.text + kept, "...", 3);
    return excerpt;
}

tnn_status tnni_source_read_all(
    tnni_source *source, size_t most, const char *where, tnni_check_begin *check, tnni_array *file,
    size_t *count) {
    const unsigned char *bytes;
    for (size_t taken; (taken = tnni_source_take(source, SIZE_MAX, &bytes)) > 0; *count += taken) {
        tnn_status status = check && *count == 0 ? check(where, bytes, taken) : TNN_OK;
        if (status != TNN_OK)
            return status;
        if (taken > most - *count)
            return tnni_source_fail_at(
                source, TNN_UNSUPPORTED, most, "more bytes than limits.total_bytes, %zu", most);
        if (!tnni_array_reserve(file, source->allocator, *count, *count + taken, most))
            return tnni_fail(
                TNN_OUT_OF_MEMORY, "%s: no memory for more than %zu bytes of %.200s",
                source->caller, *count, source->from.name);
        memcpy((unsigned char *)file->data + *count, bytes, taken);
    }
    return source->status;
}
