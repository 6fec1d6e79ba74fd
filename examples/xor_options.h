/* xor_options.h: the command line. */
#ifndef XOR_OPTIONS_H
#define XOR_OPTIONS_H

#include "xor_plot.h"

typedef struct xor_options {
    bool published, train, compare; /* what to run */
    uint64_t seed;                  /* of the run that train makes */
    size_t seeds;                   /* how many runs compare makes a variant */
    const char *csv;                /* where compare writes its table, or NULL */
    plot_options plot;
} xor_options;

typedef enum xor_request { XOR_REQUEST_RUN, XOR_REQUEST_HELP, XOR_REQUEST_INVALID } xor_request;

/* What the command line asks for; if it is invalid, stderr has been told why. */
xor_request xor_options_parse(xor_options *options, int argc, char **argv);

void xor_options_print_help(void);

#endif /* XOR_OPTIONS_H */
