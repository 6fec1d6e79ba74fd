#include "common/gz.h"

#include "common/program.h"

#include <stdio.h>
#include <string.h>

#ifdef EXAMPLES_ZLIB

#    include <errno.h>
#    include <zlib.h>

static bool open_file(
    gz *self, int index, const char *directory, const char *name, const char *package) {
    char path[GZ_PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    if (index == 0)
        memcpy(self->path, path, sizeof path);
    errno = 0;
    self->files[index] = gzopen(path, "rb");
    if (self->files[index] != NULL)
        return true;
    fprintf(stderr, "%s: %s: %s\n", program_name, path, strerror(errno));
    if (errno == ENOENT)
        fprintf(stderr, "It comes with the package %s of Debian and Ubuntu.\n", package);
    return false;
}

static tnn_status failed(gzFile file) {
    int code = Z_OK;
    const char *message = gzerror(file, &code);
    if (code == Z_OK || code == Z_STREAM_END)
        return TNN_OK;
    fprintf(stderr, "%s: %s\n", program_name, message);
    return code == Z_ERRNO ? TNN_IO_ERROR : TNN_BAD_FORMAT;
}

static tnn_status read_bytes(void *context, void *buffer, size_t capacity, size_t *count) {
    gz *self = context;
    const unsigned most = 1u << 30; /* gzread returns an int */
    int bytes = gzread(self->files[0], buffer, capacity < most ? (unsigned)capacity : most);
    *count = bytes > 0 ? (size_t)bytes : 0;
    return bytes < 0 ? failed(self->files[0]) : TNN_OK;
}

static tnn_status read_line(void *context, void *buffer, size_t capacity, size_t *count) {
    gz *self = context;
    char *text = buffer;
    gzFile file = self->files[self->next];
    *count = 0;
    if (capacity < 2 || gzgets(file, text, capacity < 4096 ? (int)capacity : 4096) == NULL)
        return failed(file);
    *count = strlen(text);
    if (*count > 0 && text[*count - 1] == '\n') {
        if (self->next == 0)
            text[*count - 1] = ' ';
        self->next = 1 - self->next;
    }
    return TNN_OK;
}

void gz_close(gz *self) {
    for (int i = 0; i < 2; i++)
        if (self->files[i] != NULL)
            gzclose(self->files[i]);
    *self = (gz){0};
}

#else

static bool open_file(
    gz *self, int index, const char *directory, const char *name, const char *package) {
    (void)self, (void)index, (void)package;
    fprintf(
        stderr, "%s: %s/%s: built without zlib, which would read it\n", program_name, directory,
        name);
    fprintf(stderr, "It comes with the package zlib1g-dev of Debian and Ubuntu.\n");
    return false;
}

static tnn_status read_bytes(void *context, void *buffer, size_t capacity, size_t *count) {
    (void)context, (void)buffer, (void)capacity;
    *count = 0;
    return TNN_UNSUPPORTED;
}

#    define read_line read_bytes

void gz_close(gz *self) {
    *self = (gz){0};
}

#endif

bool gz_open(gz *self, const char *directory, const char *name, const char *package) {
    *self = (gz){0};
    return open_file(self, 0, directory, name, package);
}

bool gz_open_pair(
    gz *self, const char *directory, const char *first, const char *second, const char *package) {
    *self = (gz){0};
    return open_file(self, 0, directory, first, package) &&
        open_file(self, 1, directory, second, package);
}

tnn_source gz_source(gz *self) {
    return (tnn_source){
        .context = self,
        .read = self->files[1] != NULL ? read_line : read_bytes,
        .name = self->path,
    };
}
