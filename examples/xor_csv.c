#include "xor_csv.h"

#include <errno.h>
#include <string.h>

static void print_error(const char *path) {
    fprintf(stderr, "xor: %s: %s\n", path, strerror(errno));
}

FILE *xor_csv_open(const char *path) {
    FILE *file = fopen(path, "w");
    if (file == NULL)
        print_error(path);
    return file;
}

bool xor_csv_close(FILE *file, const char *path) {
    bool written = fflush(file) == 0 && !ferror(file);
    bool closed = fclose(file) == 0;
    if (!written || !closed) {
        print_error(path);
        return false;
    }
    printf("Wrote %s\n", path);
    return true;
}
