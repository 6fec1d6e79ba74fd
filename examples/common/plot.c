#define _POSIX_C_SOURCE 200809L /* popen, pclose, mkdir */

#include "common/plot.h"

#include "common/program.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The scripts read the variable base: a figure's path without what follows the dot. */
static const char style[] = "csv = base.'.csv'\n"
                            "set datafile separator ','\n"
                            "set tics nomirror out\n"
                            "set format '%g'\n"
                            "set border 3 back linecolor rgb '#444444'\n"
                            "set grid linecolor rgb '#dddddd' linetype 1\n";

static const char png[] = "if (strstrt(GPVAL_TERMINALS, 'pngcairo')) {\n"
                          "    set terminal pngcairo size 960,540 font 'sans,13'\n"
                          "} else {\n"
                          "    set terminal png size 960,540\n"
                          "}\n"
                          "set output base.'.png'\n";

static const char svg[] = "set terminal svg size 960,540 font 'sans-serif,16' background 'white'\n"
                          "set output base.'.svg'\n";

static const char text[] = "set terminal dumb size 79,24\n"
                           "set output\n"
                           "unset grid\n";

static bool failed(const char *what) {
    fprintf(stderr, "%s: %s: %s\n", program_name, what, strerror(errno));
    return false;
}

bool plot_prepare(plot_files *self, const plot_options *options, const char *name) {
    const char *directory = options->directory;
    if (mkdir(directory, 0777) != 0 && errno != EEXIST)
        return failed(directory);
    self->terminal = options->terminal;
    snprintf(self->base, PLOT_PATH_SIZE, "%s/%s", directory, name);
    int length = snprintf(self->csv, PLOT_PATH_SIZE, "%s/%s.csv", directory, name);
    if (length >= 0 && length < PLOT_PATH_SIZE)
        return true;
    errno = ENAMETOOLONG;
    return failed(directory);
}

/* In gnuplot's single quotes nothing is special but the quote, which is doubled. */
static void set_base(FILE *gnuplot, const char *base) {
    fputs("base = '", gnuplot);
    for (; *base != '\0'; base++) {
        if (*base == '\'')
            fputc('\'', gnuplot);
        fputc(*base, gnuplot);
    }
    fputs("'\n", gnuplot);
}

static void write_script(FILE *gnuplot, const plot_files *self, const char *script) {
    set_base(gnuplot, self->base);
    fprintf(gnuplot, "%s%s%s%s%s", style, png, script, svg, script);
    if (self->terminal)
        fprintf(gnuplot, "%s%s", text, script);
}

bool plot_draw(const plot_files *self, const char *script) {
    fflush(stdout); /* what gnuplot draws in the terminal comes after it */
    if (system("command -v gnuplot >/dev/null 2>&1") != 0) {
        printf("gnuplot is not installed: no plot of it\n");
        return true;
    }
    signal(SIGPIPE, SIG_IGN); /* should gnuplot end early, its status tells */
    FILE *gnuplot = popen("gnuplot --default-settings", "w");
    if (gnuplot == NULL)
        return failed("gnuplot");
    write_script(gnuplot, self, script);
    if (pclose(gnuplot) != 0) {
        fprintf(stderr, "%s: gnuplot could not plot %s\n", program_name, self->csv);
        return false;
    }
    printf("Wrote %s.png\nWrote %s.svg\n", self->base, self->base);
    return true;
}
