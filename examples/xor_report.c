#include "xor_report.h"

#include <math.h>

void xor_report_outputs(const float y[XOR_ROWS]) {
    printf("X       y  y_hat\n");
    for (int row = 0; row < XOR_ROWS; row++) {
        const float *x = &xor_x[2 * row];
        printf("(%.0f, %.0f)  %.0f  %.4f\n", x[0], x[1], xor_target[row], y[row]);
    }
}

void xor_report_weights(tnn_net *net) {
    const float *w1 = tnn_net_weights(net, 0);
    const float *w2 = tnn_net_weights(net, 1);
    printf("W1 = [[%.7f, %.7f], [%.7f, %.7f]]\n", w1[0], w1[1], w1[2], w1[3]);
    printf("W2 = [[%.7f], [%.7f]]\n", w2[0], w2[1]);
}

static void print_epochs(FILE *file, int width, double epochs, const char *never) {
    if (isinf(epochs))
        fprintf(file, "%*s", width, never);
    else
        fprintf(file, "%*.0f", width, epochs);
}

static void report_table(const xor_summary summaries[XOR_VARIANTS]) {
    printf("activation  bias  solved  median cost  median epochs  fluctuation\n");
    for (int i = 0; i < XOR_VARIANTS; i++) {
        const xor_summary *summary = &summaries[i];
        const xor_variant *variant = &summary->variant;
        printf("%-10s  %-4s  %6zu", variant->name, variant->bias ? "yes" : "no", summary->solved);
        printf("  %11.2e  ", summary->median_cost);
        print_epochs(stdout, 13, summary->median_epochs, "never");
        printf("  %11.4f\n", summary->fluctuation);
    }
}

static void report_terms(void) {
    printf(
        "solved         how many seeds end with every output within 0.05 of its target\n"
        "median cost    half the squared error after the last epoch, %d, median of all seeds\n"
        "median epochs  until an epoch's cost is below 0.01; \"never\" is later than any\n"
        "fluctuation    the share of the cost's movement that goes up, mean of all seeds:\n"
        "               rises / (rises + falls), 0 if it only falls, near 1/2 if it swings\n",
        XOR_EPOCHS);
}

/*
 * The claim compares relu, which is two variants here, with sigmoid, and each is here without and
 * with biases: four comparisons. A pair is a variant without biases, followed by it with them.
 */
enum { COMPARISONS = 4 };

static const char *verdict(int held) {
    return held == COMPARISONS ? "holds" : held == 0 ? "does not hold" : "holds in part";
}

static void print_epochs_of_pair(const xor_summary pair[2], const char *text) {
    print_epochs(stdout, 0, pair[0].median_epochs, "never");
    printf(" / ");
    print_epochs(stdout, 0, pair[1].median_epochs, "never");
    printf(" %s", text);
}

static void report_convergence(
    const xor_summary published[2], const xor_summary relu[2], const xor_summary sigmoid[2]) {
    int held = 0;
    for (int bias = 0; bias < 2; bias++) {
        held += published[bias].median_epochs < sigmoid[bias].median_epochs;
        held += relu[bias].median_epochs < sigmoid[bias].median_epochs;
    }
    printf("\"relu converges sooner\" %s (%d of %d ", verdict(held), held, COMPARISONS);
    printf("comparisons with sigmoid):\nmedian epochs without / with biases are ");
    print_epochs_of_pair(published, "with the published slope,\n");
    print_epochs_of_pair(relu, "with relu's own slope and ");
    print_epochs_of_pair(sigmoid, "with sigmoid.\n");
}

static void print_fluctuation_of_pair(const xor_summary pair[2], const char *text) {
    printf("%.4f / %.4f %s", pair[0].fluctuation, pair[1].fluctuation, text);
}

static void report_fluctuation(
    const xor_summary published[2], const xor_summary relu[2], const xor_summary sigmoid[2]) {
    int held = 0;
    for (int bias = 0; bias < 2; bias++) {
        held += sigmoid[bias].fluctuation > published[bias].fluctuation;
        held += sigmoid[bias].fluctuation > relu[bias].fluctuation;
    }
    double slope = fmin(sigmoid[0].logistic_slope, sigmoid[1].logistic_slope);
    bool is_small = slope < 0.125; /* half of what it can be; it is so at |x| = 1.76 */
    printf("\"With sigmoid the loss fluctuates\" %s (%d of %d ", verdict(held), held, COMPARISONS);
    printf("comparisons with relu):\nfluctuation without / with biases is ");
    print_fluctuation_of_pair(sigmoid, "with sigmoid,\n");
    print_fluctuation_of_pair(published, "with the published slope and ");
    print_fluctuation_of_pair(relu, "with relu's own slope;\n");
    printf("large |x| has %smade the gradient small: the slope of ", is_small ? "" : "not ");
    printf("sigmoid's output unit ends\nat %.3f", sigmoid[0].logistic_slope);
    printf(" / %.3f, of at most 0.25.\n", sigmoid[1].logistic_slope);
}

void xor_report_comparison(const xor_summary summaries[XOR_VARIANTS]) {
    report_table(summaries);
    printf("\n");
    report_terms();
    printf("\n");
    const xor_summary *published = &summaries[2 * XOR_PUBLISHED];
    const xor_summary *relu = &summaries[2 * XOR_RELU];
    const xor_summary *sigmoid = &summaries[2 * XOR_SIGMOID];
    report_convergence(published, relu, sigmoid);
    report_fluctuation(published, relu, sigmoid);
}

void xor_write_comparison(FILE *file, const xor_summary summaries[XOR_VARIANTS]) {
    fprintf(file, "activation,bias,seeds,solved,median_cost,median_epochs,fluctuation\n");
    for (int i = 0; i < XOR_VARIANTS; i++) {
        const xor_summary *summary = &summaries[i];
        fprintf(file, "%s,%d,", summary->variant.name, summary->variant.bias);
        fprintf(file, "%zu,%zu,%.9g,", summary->seeds, summary->solved, summary->median_cost);
        print_epochs(file, 0, summary->median_epochs, "inf");
        fprintf(file, ",%.9g\n", summary->fluctuation);
    }
}
