/* gz.h: compressed files as what the library's readers read from. */
#ifndef EXAMPLES_GZ_H
#define EXAMPLES_GZ_H

#include <stdbool.h>
#include <tinynn/tinynn.h>

enum { GZ_PATH_SIZE = 4096 };

typedef struct gz {
    char path[GZ_PATH_SIZE]; /* of the first file */
    void *files[2];          /* zlib's handles */
    int next;                /* of two files, the one to read a line from */
} gz;

/*
 * Opens directory/name, which may or may not be compressed. If it is not there, names the Debian
 * package that has it. To be closed by gz_close, whatever it returns.
 */
bool gz_open(gz *self, const char *directory, const char *name, const char *package);

/* The same for two files with a line for each row, which are read as one: first's line, a blank,
 * and second's. */
bool gz_open_pair(
    gz *self, const char *directory, const char *first, const char *second, const char *package);

/* For tnn_read_csv_from and its like. */
tnn_source gz_source(gz *self);
void gz_close(gz *self);

#endif /* EXAMPLES_GZ_H */
