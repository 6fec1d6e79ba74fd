/* What the machine itself can do: multiply-adds, reading, and a cache line between two cores. */
#include "bench.h"
#include "machine.h"

static void print_line(const bench *options, const char *name, double value, const char *unit) {
    printf("    %-28s%10.1f %s\n", name, value, unit);
    if (!options->csv)
        return;
    if (ftell(options->csv) == 0)
        fputs("name,value,unit\n", options->csv);
    fprintf(options->csv, "%s,%.6g,%s\n", name, value, unit);
}

static void print_peaks(const bench *options) {
    static const char *const kernels[] = {"avx512", "avx2", "portable"};
    static const char *const names[] = {
        "multiply-add avx512", "multiply-add avx2", "multiply-add 128 bits"};
    for (size_t i = 0; i < BENCH_COUNT_OF(kernels); i++) {
        double peak = machine_fma_peak(kernels[i]);
        if (peak > 0)
            print_line(options, names[i], peak, "GFLOP/s");
    }
}

/* From what surely fits the first-level cache to what surely fits none. */
static void print_bandwidths(const bench *options) {
    static const size_t kilobytes[] = {16, 24, 128, 400, 1600, 4096, 16384, 262144};
    for (size_t i = 0; i < BENCH_COUNT_OF(kilobytes); i++) {
        char name[32];
        snprintf(name, sizeof name, "read %zu KiB", kilobytes[i]);
        print_line(options, name, machine_read_bandwidth(1024 * kilobytes[i]), "GB/s");
    }
}

static void print_round_trips(const bench *options) {
    enum { TIMES = 5 };
    if (options->cpu < 0 || options->other_cpu < 0)
        return;
    for (int i = 0; i < TIMES; i++)
        print_line(
            options, "cache line there and back",
            machine_round_trip(options->cpu, options->other_cpu), "ns");
}

int main(int argc, char **argv) {
    bench options = bench_start(
        argc, argv, "The machine's own limits. The CSV file has lines of name, value and unit.");
    print_peaks(&options);
    print_bandwidths(&options);
    print_round_trips(&options);
    bench_finish(&options);
    return 0;
}
