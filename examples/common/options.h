/* options.h: the command line that the programs have in common. */
#ifndef EXAMPLES_OPTIONS_H
#define EXAMPLES_OPTIONS_H

#include "common/plot.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A program fills this with its defaults; the command line replaces some of them. An option whose
 * default is 0 or NULL is not one of the program's.
 */
typedef struct example_options {
    const char *about; /* lines that --help prints */
    size_t seeds;      /* --seeds N: use the seeds 1 to N */
    size_t epochs;     /* --epochs N */
    size_t samples;    /* --samples N */
    size_t threads;    /* --threads N */
    const char *data;  /* --data PATH */
    const char *large; /* --large: what it does */
    bool is_large;     /* it was asked for */
    const char *csv;   /* --csv FILE: where the score of each seed goes; for those with seeds */
    plot_options plot; /* --output DIR, "." by default, and --terminal */
    int exit_status;   /* to leave with if options_parse returns false */
} example_options;

/* Whether to go on: not after --help, nor if something is wrong, which stderr has been told. */
bool options_parse(example_options *options, int argc, char **argv);

#endif /* EXAMPLES_OPTIONS_H */
