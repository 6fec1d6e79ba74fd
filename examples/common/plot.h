/*
 * plot.h: a CSV file, and a picture of it as PNG, SVG and, on request, in the terminal, by gnuplot.
 * A machine without gnuplot gets the CSV file and a line that says so, which is no failure.
 *
 * In all of these files, a function that returns bool prints what went wrong, then returns false.
 */
#ifndef EXAMPLES_PLOT_H
#define EXAMPLES_PLOT_H

#include <stdbool.h>

typedef struct plot_options {
    const char *directory; /* where the files go; made if it is not there */
    bool terminal;         /* draw in the terminal, too */
} plot_options;

enum { PLOT_PATH_SIZE = 4096 };

typedef struct plot_files {
    char base[PLOT_PATH_SIZE]; /* of its files, without what follows the dot */
    char csv[PLOT_PATH_SIZE];
    bool terminal;
} plot_files;

/* Makes the directory if it is not there, and names the files. */
bool plot_prepare(plot_files *self, const plot_options *options, const char *name);

/*
 * Draws the CSV file, which is there. The script is gnuplot's; it finds the file's name in the
 * variable csv, the axes drawn, and terminal, size and output set.
 */
bool plot_draw(const plot_files *self, const char *script);

#endif /* EXAMPLES_PLOT_H */
