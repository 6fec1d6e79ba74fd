/* xor_csv.h: opening and closing the files that are written. */
#ifndef XOR_CSV_H
#define XOR_CSV_H

#include <stdbool.h>
#include <stdio.h>

/* Empty, to be written now. NULL, after printing why, if it cannot be written. */
FILE *xor_csv_open(const char *path);

/* The same, to be written later: what is in the file stays until xor_csv_empty. */
FILE *xor_csv_reserve(const char *path);
bool xor_csv_empty(FILE *file, const char *path);

/* Says on stdout that path was written, if all of it was. */
bool xor_csv_close(FILE *file, const char *path);

#endif /* XOR_CSV_H */
