#include "common/options.h"

#include "common/program.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_NUMBER = 1000000 };

static void print_help(const example_options *options) {
    printf("usage: %s [options]\n\n%s\n", program_name, options->about);
    if (options->seeds > 0)
        printf("  --seeds N     use the seeds 1 to N, %zu by default\n", options->seeds);
    if (options->epochs > 0)
        printf("  --epochs N    train for so many epochs, %zu by default\n", options->epochs);
    if (options->samples > 0)
        printf("  --samples N   learn from so many samples, %zu by default\n", options->samples);
    if (options->threads > 0)
        printf("  --threads N   use so many threads, %zu by default\n", options->threads);
    if (options->large != NULL)
        printf("  --large       %s\n", options->large);
    if (options->data != NULL)
        printf(
            "  --data PATH   where the data is, by default\n"
            "                %s\n",
            options->data);
    if (options->seeds > 0)
        printf("  --csv FILE    write the score of each seed to FILE\n");
    printf("  --output DIR  where curves (CSV) and plots (PNG, SVG) go, . by default\n"
           "  --terminal    draw the plots in the terminal as well\n"
           "  --help        print this\n");
}

/* Whether the program has such an option; says so if it has not. */
static bool has(bool option, const char *name) {
    if (!option)
        fprintf(stderr, "%s: --%s is not for this program\n", program_name, name);
    return option;
}

static bool parse_number(size_t *number, const char *option, const char *text) {
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    bool valid = isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0 && value >= 1 &&
        value <= MAX_NUMBER;
    if (!has(*number > 0, option))
        return false;
    if (valid)
        *number = (size_t)value;
    else
        fprintf(
            stderr, "%s: --%s %s: not a number from 1 to %d\n", program_name, option, text,
            MAX_NUMBER);
    return valid;
}

/* Whether option was fine; getopt_long has said what is wrong with one that it does not know. */
static bool take(example_options *options, int option) {
    switch (option) {
    case 'n':
        return parse_number(&options->seeds, "seeds", optarg);
    case 'e':
        return parse_number(&options->epochs, "epochs", optarg);
    case 's':
        return parse_number(&options->samples, "samples", optarg);
    case 'j':
        return parse_number(&options->threads, "threads", optarg);
    case 'd':
        if (!has(options->data != NULL, "data"))
            return false;
        options->data = optarg;
        return true;
    case 'l':
        options->is_large = has(options->large != NULL, "large");
        return options->is_large;
    case 'c':
        options->csv = optarg;
        return has(options->seeds > 0, "csv");
    case 'o':
        options->plot.directory = optarg;
        return true;
    case 't':
        options->plot.terminal = true;
        return true;
    default:
        return false;
    }
}

static bool refer_to_help(example_options *options) {
    fprintf(stderr, "Try '%s --help'.\n", program_name);
    options->exit_status = 2;
    return false;
}

bool options_parse(example_options *options, int argc, char **argv) {
    static const struct option known[] = {
        {"seeds", required_argument, NULL, 'n'},
        {"epochs", required_argument, NULL, 'e'},
        {"samples", required_argument, NULL, 's'},
        {"threads", required_argument, NULL, 'j'},
        {"data", required_argument, NULL, 'd'},
        {"large", no_argument, NULL, 'l'},
        {"csv", required_argument, NULL, 'c'},
        {"output", required_argument, NULL, 'o'},
        {"terminal", no_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const example_options defaults = *options;
    options->plot.directory = ".";
    int option;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'h') {
            print_help(&defaults);
            options->exit_status = EXIT_SUCCESS;
            return false;
        }
        if (!take(options, option))
            return refer_to_help(options);
    }
    if (optind == argc)
        return true;
    fprintf(stderr, "%s: %s: no option\n", program_name, argv[optind]);
    return refer_to_help(options);
}
