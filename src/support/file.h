/* A file that replaces another one, whole or not at all. */
#ifndef TINYNN_SUPPORT_FILE_H
#define TINYNN_SUPPORT_FILE_H

#include <tinynn/tinynn.h>

typedef struct tnni_file {
    const char *caller; /* the public function, for messages */
    const char *path;   /* the caller's */
    const tnn_allocator *allocator;
    char *temporary; /* a name in the same folder */
    size_t temporary_bytes;
    size_t folder_length; /* the part of it that is the folder, with its last separator */
    int file;
    int folder; /* open, so that it can be synced; -1 where there is no such thing */
} tnni_file;

/* Makes a new file next to path, with group and permissions of what it replaces. TNN_IO_ERROR,
 * TNN_OUT_OF_MEMORY; then there is nothing to close.
 */
tnn_status tnni_file_create(
    tnni_file *file, const char *caller, const char *path, const tnn_allocator *allocator);
/* All of the bytes, or TNN_IO_ERROR. */
tnn_status tnni_file_write(tnni_file *file, const void *data, size_t bytes);
/*
 * Puts what was written in place of path, if status is TNN_OK, else removes it, and path is as it
 * was. Returns status, or TNN_IO_ERROR with a message of its own, and nothing is open any more.
 */
tnn_status tnni_file_close(tnni_file *file, tnn_status status);

/* How many characters of a path are the folder, with its last separator. */
size_t tnni_folder_length(const char *path);

#endif
