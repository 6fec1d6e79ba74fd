/* csv.h: opening and closing the files that are written. */
#ifndef EXAMPLES_CSV_H
#define EXAMPLES_CSV_H

#include <stdbool.h>
#include <stdio.h>

/* Empty, to be written now. NULL, after printing why, if it cannot be written. */
FILE *csv_open(const char *path);

/* The same, to be written later: what is in the file stays until csv_empty. */
FILE *csv_reserve(const char *path);
bool csv_empty(FILE *file, const char *path);

/* Says on stdout that path was written, if all of it was. */
bool csv_close(FILE *file, const char *path);

#endif /* EXAMPLES_CSV_H */
