#ifndef _WIN32
#    define _POSIX_C_SOURCE 200809L
#endif
#include "support/file.h"

#include "support/clock.h"
#include "support/memory.h"
#include "support/random.h"
#include "support/status.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_NAME = 40, TRIES = 100 };

/* "tnn_net_save: cannot WHAT PATH: No space left on device" */
static tnn_status system_error(const tnni_file *file, const char *what, const char *path) {
    int error = errno;
    return tnni_fail(
        TNN_IO_ERROR, "%s: cannot %s %.300s: %s", file->caller, what, path,
        error ? strerror(error) : "unknown error");
}

/* ---- The operating system -------------------------------------------------------------------- */

#ifdef _WIN32
#    include <io.h>
#    include <process.h>
#    include <windows.h>

#    define SEPARATORS "/\\:"

typedef struct _stat64 file_status;

static int process_number(void) {
    return _getpid();
}

static int create_file(const char *path, const file_status *old) {
    (void)old;
    return _open(path, _O_CREAT | _O_EXCL | _O_WRONLY | _O_BINARY, _S_IREAD | _S_IWRITE);
}

static ptrdiff_t write_some(int file, const void *data, size_t bytes) {
    return _write(file, data, bytes < INT_MAX ? (unsigned)bytes : INT_MAX);
}

static bool sync_file(int file) {
    return _commit(file) == 0;
}

static bool close_file(int file) {
    return _close(file) == 0;
}

/* Returns when the new name is on the disk. */
static bool replace_file(const char *from, const char *to) {
    if (MoveFileExA(from, to, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH))
        return true;
    errno = GetLastError() == ERROR_ACCESS_DENIED ? EACCES : EIO;
    return false;
}

static bool remove_file(const char *path) {
    return _unlink(path) == 0;
}

/* There are no folders to open. */
static int open_folder(const char *path) {
    (void)path;
    return 0;
}

static bool sync_folder(int folder) {
    (void)folder;
    return true;
}

static void close_folder(int folder) {
    (void)folder;
}

static bool get_status(const char *path, file_status *status) {
    return _stat64(path, status) == 0;
}

static bool is_regular(const file_status *status) {
    return (status->st_mode & _S_IFMT) == _S_IFREG;
}
#else
#    include <unistd.h>

#    define SEPARATORS "/"

typedef struct stat file_status;

static bool get_status(const char *path, file_status *status) {
    return stat(path, status) == 0;
}

static bool is_regular(const file_status *status) {
    return S_ISREG(status->st_mode);
}

static int process_number(void) {
    return (int)getpid();
}

/* Gives the file the old one's group. */
static bool take_group(int file, const file_status *old) {
    file_status own;
    bool is_same = fstat(file, &own) == 0 && own.st_gid == old->st_gid;
    return is_same || fchown(file, (uid_t)-1, old->st_gid) == 0;
}

/* Those of another group get nothing as a group, and the old one's members, who are others now, no
 * more than they had. */
static mode_t permissions(const file_status *old, bool has_group) {
    mode_t mode = old->st_mode & 0777;
    return has_group ? mode : mode & (0700 | (mode >> 3 & 07));
}

/* With group and permissions of the file that it replaces, and never with more; else as usual. */
static int create_file(const char *path, const file_status *old) {
    int file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, old ? 0600 : 0666);
    if (file < 0 || !old || fchmod(file, permissions(old, take_group(file, old))) == 0)
        return file;
    int error = errno;
    close(file);
    unlink(path);
    errno = error;
    return -1;
}

static ptrdiff_t write_some(int file, const void *data, size_t bytes) {
    ssize_t written;
    do
        written = write(file, data, bytes);
    while (written < 0 && errno == EINTR);
    return written;
}

static bool sync_file(int file) {
#    ifdef F_FULLFSYNC /* Apple's fsync leaves the bytes in the disk's own memory */
    if (fcntl(file, F_FULLFSYNC) == 0)
        return true;
#    endif
    int result;
    do
        result = fsync(file);
    while (result < 0 && errno == EINTR);
    return result == 0;
}

/* Interrupted, the file is closed all the same, on most systems. */
static bool close_file(int file) {
    return close(file) == 0 || errno == EINTR;
}

static bool replace_file(const char *from, const char *to) {
    return rename(from, to) == 0;
}

static bool remove_file(const char *path) {
    return unlink(path) == 0;
}

static int open_folder(const char *path) {
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* File systems that have no such thing say EINVAL. */
static bool sync_folder(int folder) {
    return sync_file(folder) || errno == EINVAL;
}

static void close_folder(int folder) {
    close(folder);
}
#endif

/* ---- Life ------------------------------------------------------------------------------------ */

size_t tnni_folder_length(const char *path) {
    size_t length = strlen(path);
    while (length > 0 && !strchr(SEPARATORS, path[length - 1]))
        length--;
    return length;
}

/* The folder's name, to which those of temporary files are appended. */
static tnn_status open_parent(tnni_file *file) {
    file->folder_length = tnni_folder_length(file->path);
    file->temporary_bytes = file->folder_length + MOST_NAME;
    file->temporary = tnni_allocate(file->allocator, file->temporary_bytes);
    if (!file->temporary)
        return tnni_fail(
            TNN_OUT_OF_MEMORY, "%s: no memory for the name of a temporary file", file->caller);
    memcpy(file->temporary, file->path, file->folder_length);
    file->temporary[file->folder_length] = '\0';
    const char *folder = file->folder_length > 0 ? file->temporary : ".";
    file->folder = open_folder(folder);
    return file->folder >= 0 ? TNN_OK : system_error(file, "open the folder", folder);
}

/* Others may guess such a name, but not make the file ours: it is created or there is an error. */
static tnn_status create_temporary(tnni_file *file, const file_status *old) {
    uint64_t number = (uint64_t)(1e9 * tnni_seconds());
    number = tnni_mix(number ^ (uint64_t)(uintptr_t)file) ^ (uint64_t)process_number();
    for (int attempt = 0; attempt < TRIES && file->file < 0; attempt++) {
        number = tnni_mix(number + 1);
        snprintf(
            file->temporary + file->folder_length, MOST_NAME, ".tinynn-%016" PRIx64 ".tmp", number);
        errno = 0;
        file->file = create_file(file->temporary, old);
        if (file->file < 0 && errno != EEXIST)
            break;
    }
    return file->file >= 0 ? TNN_OK : system_error(file, "create", file->temporary);
}

static void release_all(tnni_file *file) {
    if (file->folder >= 0)
        close_folder(file->folder);
    tnni_release(file->allocator, file->temporary, file->temporary_bytes);
}

tnn_status tnni_file_create(
    tnni_file *file, const char *caller, const char *path, const tnn_allocator *allocator) {
    file_status old;
    *file = (tnni_file){
        .caller = caller, .path = path, .allocator = allocator, .file = -1, .folder = -1};
    if (!path[tnni_folder_length(path)])
        return tnni_fail(TNN_IO_ERROR, "%s: \"%.300s\" is not the name of a file", caller, path);
    errno = 0;
    bool is_there = get_status(path, &old);
    if (!is_there && errno != ENOENT && errno != ENOTDIR)
        return system_error(file, "look at", path);
    if (is_there && !is_regular(&old))
        return tnni_fail(
            TNN_IO_ERROR, "%s: %.300s is not a regular file, and cannot be replaced", caller, path);
    tnn_status status = open_parent(file);
    if (status == TNN_OK)
        status = create_temporary(file, is_there ? &old : NULL);
    if (status != TNN_OK)
        release_all(file);
    return status;
}

tnn_status tnni_file_write(tnni_file *file, const void *data, size_t bytes) {
    const char *from = data;
    while (bytes > 0) {
        errno = 0;
        ptrdiff_t written = write_some(file->file, from, bytes);
        if (written <= 0)
            return system_error(file, "write", file->path);
        from += written;
        bytes -= (size_t)written;
    }
    return TNN_OK;
}

/* The order is what makes it safe: the bytes are on the disk before the name, and that is before
 * anyone is told. */
tnn_status tnni_file_close(tnni_file *file, tnn_status status) {
    errno = 0;
    if (status == TNN_OK && !sync_file(file->file))
        status = system_error(file, "sync", file->path);
    if (!close_file(file->file) && status == TNN_OK)
        status = system_error(file, "close", file->path);
    if (status == TNN_OK && !replace_file(file->temporary, file->path))
        status = system_error(file, "replace", file->path);
    if (status != TNN_OK)
        remove_file(file->temporary);
    else if (!sync_folder(file->folder))
        status = system_error(file, "sync the folder of", file->path);
    release_all(file);
    return status;
}
