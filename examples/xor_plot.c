#define _POSIX_C_SOURCE 200809L /* popen, pclose, mkdir */

#include "xor_plot.h"

#include "xor_csv.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_SIZE = 4096 };

/* The scripts read the variable base: a figure's path without what follows the dot. */
static const char style[] = "csv = base.'.csv'\n"
                            "set datafile separator ','\n"
                            "set xlabel 'Epochs'\n"
                            "set ylabel 'Loss'\n"
                            "set xrange [0:6000]\n"
                            "set yrange [0:1]\n"
                            "set xtics 1000\n"
                            "set ytics 0.2\n"
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
                           "set xtics 2000\n"
                           "unset grid\n";

/* Every tenth epoch: more would look the same and make the SVG ten times as large. */
static const char loss_script[] =
    "set title 'Epochs: 6000, Scalar: 0.01'\n"
    "unset key\n"
    "plot csv every 10::1 using 1:2 with lines linewidth 2.5 linecolor rgb '#0072b2'\n";

/* The colours are Okabe and Ito's, which the colour-blind can tell apart, too. */
static const char comparison_script[] =
    "names = 'published relu leaky_relu tanh sigmoid'\n"
    "set linetype 1 linewidth 3 linecolor rgb '#000000'\n"
    "set linetype 2 linewidth 3 linecolor rgb '#0072b2'\n"
    "set linetype 3 linewidth 2 linecolor rgb '#56b4e9' dashtype 2\n"
    "set linetype 4 linewidth 2.5 linecolor rgb '#009e73'\n"
    "set linetype 5 linewidth 2.5 linecolor rgb '#d55e00'\n"
    "set key noenhanced top right\n"
    "set multiplot layout 1,2\n"
    "do for [bias=0:1] {\n"
    "    set title 'Median of all seeds, '.(bias ? 'with biases' : 'without biases')\n"
    "    plot for [i=0:4] csv every ::1 using 1:(column(2 + 2 * i + bias)) \\\n"
    "        with lines linetype i + 1 title word(names, i + 1)\n"
    "}\n"
    "unset multiplot\n";

static bool failed(const char *what) {
    fprintf(stderr, "xor: %s: %s\n", what, strerror(errno));
    return false;
}

typedef struct figure {
    const char *script;
    char base[PATH_SIZE]; /* of its files, without what follows the dot */
    char csv[PATH_SIZE];
} figure;

/* Makes the directory if it is not there, and names the files. */
static bool prepare(figure *self, const char *directory, const char *name) {
    if (mkdir(directory, 0777) != 0 && errno != EEXIST)
        return failed(directory);
    snprintf(self->base, PATH_SIZE, "%s/%s", directory, name);
    int length = snprintf(self->csv, PATH_SIZE, "%s/%s.csv", directory, name);
    if (length >= 0 && length < PATH_SIZE)
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

static void write_script(FILE *gnuplot, const figure *self, bool terminal) {
    set_base(gnuplot, self->base);
    fprintf(gnuplot, "%s%s%s%s%s", style, png, self->script, svg, self->script);
    if (terminal)
        fprintf(gnuplot, "%s%s", text, self->script);
}

/* From the CSV file, which is there. */
static bool draw(const figure *self, bool terminal) {
    fflush(stdout); /* what gnuplot draws in the terminal comes after it */
    if (system("command -v gnuplot >/dev/null 2>&1") != 0) {
        printf("gnuplot is not installed: no plot of it\n");
        return true;
    }
    signal(SIGPIPE, SIG_IGN); /* should gnuplot end early, its status tells */
    FILE *gnuplot = popen("gnuplot --default-settings", "w");
    if (gnuplot == NULL)
        return failed("gnuplot");
    write_script(gnuplot, self, terminal);
    if (pclose(gnuplot) != 0) {
        fprintf(stderr, "xor: gnuplot could not plot %s\n", self->csv);
        return false;
    }
    printf("Wrote %s.png\nWrote %s.svg\n", self->base, self->base);
    return true;
}

static bool write_costs(const char *path, const double cost[XOR_EPOCHS]) {
    FILE *csv = xor_csv_open(path);
    if (csv == NULL)
        return false;
    fprintf(csv, "epoch,loss\n");
    for (int epoch = 0; epoch < XOR_EPOCHS; epoch++)
        fprintf(csv, "%d,%.9g\n", epoch + 1, cost[epoch]);
    return xor_csv_close(csv, path);
}

bool xor_plot_loss(const xor_plot_options *options, const double cost[XOR_EPOCHS]) {
    figure loss = {.script = loss_script};
    return prepare(&loss, options->directory, "xor-loss") && write_costs(loss.csv, cost) &&
        draw(&loss, options->terminal);
}

static bool write_curves(const char *path, const xor_summary summaries[XOR_VARIANTS]) {
    FILE *csv = xor_csv_open(path);
    if (csv == NULL)
        return false;
    fprintf(csv, "epoch");
    for (int i = 0; i < XOR_VARIANTS; i++)
        fprintf(csv, ",%s_%d", summaries[i].variant.name, summaries[i].variant.bias);
    for (int point = 0; point < XOR_CURVE_POINTS; point++) {
        fprintf(csv, "\n%d", 1 + point * XOR_CURVE_STEP);
        for (int i = 0; i < XOR_VARIANTS; i++)
            fprintf(csv, ",%.9g", summaries[i].curve[point]);
    }
    fprintf(csv, "\n");
    return xor_csv_close(csv, path);
}

bool xor_plot_comparison(
    const xor_plot_options *options, const xor_summary summaries[XOR_VARIANTS]) {
    figure comparison = {.script = comparison_script};
    return prepare(&comparison, options->directory, "xor-curves") &&
        write_curves(comparison.csv, summaries) && draw(&comparison, options->terminal);
}
