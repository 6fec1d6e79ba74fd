#include "xor_plot.h"

#include "common/csv.h"

/* In a terminal there is room for fewer numbers. */
#define AXES                                                                                       \
    "set xlabel 'Epochs'\n"                                                                        \
    "set ylabel 'Loss'\n"                                                                          \
    "set xrange [0:6000]\n"                                                                        \
    "set yrange [0:1]\n"                                                                           \
    "if (GPVAL_TERM eq 'dumb') { set xtics 2000 } else { set xtics 1000 }\n"                       \
    "set ytics 0.2\n"

/* Every tenth epoch: more would look the same and make the SVG ten times as large. */
static const char loss_script[] =
    AXES "set title 'Epochs: 6000, Scalar: 0.01'\n"
         "unset key\n"
         "plot csv every 10::1 using 1:2 with lines linewidth 2.5 linecolor rgb '#0072b2'\n";

/* The colours are Okabe and Ito's, which the colour-blind can tell apart, too. */
static const char comparison_script[] =
    AXES "names = 'published relu leaky_relu tanh sigmoid'\n"
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

static bool write_costs(const char *path, const double cost[XOR_EPOCHS]) {
    FILE *csv = csv_open(path);
    if (csv == NULL)
        return false;
    fprintf(csv, "epoch,loss\n");
    for (int epoch = 0; epoch < XOR_EPOCHS; epoch++)
        fprintf(csv, "%d,%.9g\n", epoch + 1, cost[epoch]);
    return csv_close(csv, path);
}

bool xor_plot_loss(const plot_options *options, const double cost[XOR_EPOCHS]) {
    plot_files loss;
    return plot_prepare(&loss, options, "xor-loss") && write_costs(loss.csv, cost) &&
        plot_draw(&loss, loss_script);
}

static bool write_curves(const char *path, const xor_summary summaries[XOR_VARIANTS]) {
    FILE *csv = csv_open(path);
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
    return csv_close(csv, path);
}

bool xor_plot_comparison(const plot_options *options, const xor_summary summaries[XOR_VARIANTS]) {
    plot_files comparison;
    return plot_prepare(&comparison, options, "xor-curves") &&
        write_curves(comparison.csv, summaries) && plot_draw(&comparison, comparison_script);
}
