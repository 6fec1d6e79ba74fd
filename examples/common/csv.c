#define _POSIX_C_SOURCE 200809L /* fileno, ftruncate */

#include "common/csv.h"

#include "common/program.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void print_error(const char *path) {
    fprintf(stderr, "%s: %s: %s\n", program_name, path, strerror(errno));
}

static FILE *open_file(const char *path, const char *mode) {
    FILE *file = fopen(path, mode);
    if (file == NULL)
        print_error(path);
    return file;
}

FILE *csv_open(const char *path) {
    return open_file(path, "w");
}

FILE *csv_reserve(const char *path) {
    return open_file(path, "a");
}

bool csv_empty(FILE *file, const char *path) {
    if (ftruncate(fileno(file), 0) == 0 || errno == EINVAL) /* EINVAL: a pipe or a device */
        return true;
    print_error(path);
    return false;
}

bool csv_close(FILE *file, const char *path) {
    bool written = fflush(file) == 0 && !ferror(file);
    bool closed = fclose(file) == 0;
    if (!written || !closed) {
        print_error(path);
        return false;
    }
    printf("Wrote %s\n", path);
    return true;
}
