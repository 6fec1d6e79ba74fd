#include "bench.h"

#include "machine.h"
#include "system.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* OpenBLAS and OpenMP threads spin for about 20 ms after their work, on the core that the next
 * contestant needs. */
enum { SETTLE_MS = 30 };

/* A round trip between near cores, as a multiple of the shortest one seen in a case. */
#define NEAR 1.5

enum { MAX_CONTESTANTS = 8, MAX_ROUNDS = 10000, MIN_ROUNDS = 3 };

/* ---- Ends ------------------------------------------------------------------------------------ */

static void complain(const char *format, va_list arguments) {
    fflush(stdout);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void bench_require(bool condition, const char *format, ...) {
    if (condition)
        return;
    va_list arguments;
    va_start(arguments, format);
    complain(format, arguments);
    va_end(arguments);
    exit(1);
}

void bench_require_ok(tnn_status status) {
    bench_require(status == TNN_OK, "%s: %s", tnn_status_string(status), tnn_error_message());
}

void bench_require_close(const char *what, double a, double b, double tolerance) {
    double size = fmax(fmax(fabs(a), fabs(b)), 1e-3);
    bench_require(
        fabs(a - b) <= tolerance * size, "%s: %.9g and %.9g are not the same work", what, a, b);
}

void bench_skip(const char *peer, const char *package) {
    printf("skipped: %s (%s)\n", peer, package);
}

/* ---- Options --------------------------------------------------------------------------------- */

static void print_help(FILE *file, const char *program, const char *about) {
    fprintf(
        file,
        "usage: %s [options]\n"
        "\n"
        "%s\n"
        "\n"
        "  --quick         few and short rounds: does it run at all?\n"
        "  --rounds N      samples of each contestant, 101 by default\n"
        "  --sample-us N   length of a sample, 1000 by default\n"
        "  --budget S      seconds after which a case starts no further round, 20 by default\n"
        "  --cpu N         the CPU to run on, the last one by default; -1 for any\n"
        "  --threads N     1 or 2: only cases with so many threads\n"
        "  --kernels NAME  the library's kernels: avx512, avx2, neon, portable\n"
        "  --only TEXT     only variants with TEXT in their name\n"
        "  --csv FILE      append the results to FILE as well\n"
        "  --help          print this\n",
        program, about);
}

static double parse_number(const char *option, const char *text, double low, double high) {
    char *end = NULL;
    double number = strtod(text, &end);
    bench_require(
        end != text && *end == '\0' && number >= low && number <= high,
        "--%s %s: not a number from %g to %g", option, text, low, high);
    return number;
}

static FILE *open_csv(const char *path) {
    FILE *file = fopen(path, "a");
    bench_require(file != NULL, "%s: %s", path, strerror(errno));
    fseek(file, 0, SEEK_END);
    return file;
}

static void set_quick(bench *self) {
    self->rounds = MIN_ROUNDS;
    self->sample_ns = 1e5;
    self->budget_ns = 1e9;
}

static void set_option(bench *self, int option, const char *name, const char *text) {
    switch (option) {
    case 'q':
        set_quick(self);
        break;
    case 'r':
        self->rounds = (size_t)parse_number(name, text, MIN_ROUNDS, MAX_ROUNDS);
        break;
    case 's':
        self->sample_ns = 1e3 * parse_number(name, text, 1, 1e7);
        break;
    case 'b':
        self->budget_ns = 1e9 * parse_number(name, text, 0, 1e6);
        break;
    case 'c':
        self->cpu = (int)parse_number(name, text, -1, 4095);
        break;
    case 't':
        self->threads = (int)parse_number(name, text, 1, 2);
        break;
    case 'k':
        self->kernels = text;
        break;
    case 'o':
        self->only = text;
        break;
    case 'f':
        self->csv = open_csv(text);
        break;
    }
}

static void parse_options(bench *self, int argc, char **argv, const char *about) {
    static const struct option known[] = {
        {"quick", no_argument, NULL, 'q'},
        {"rounds", required_argument, NULL, 'r'},
        {"sample-us", required_argument, NULL, 's'},
        {"budget", required_argument, NULL, 'b'},
        {"cpu", required_argument, NULL, 'c'},
        {"threads", required_argument, NULL, 't'},
        {"kernels", required_argument, NULL, 'k'},
        {"only", required_argument, NULL, 'o'},
        {"csv", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;
    int index = 0;
    while ((option = getopt_long(argc, argv, "", known, &index)) != -1) {
        if (option == 'h') {
            print_help(stdout, argv[0], about);
            exit(0);
        }
        if (option == '?')
            exit(2);
        set_option(self, option, known[index].name, optarg);
    }
    bench_require(optind == argc, "%s: not an option; see --help", argv[optind]);
}

/* These are for old kernels' faults; a peer must not be slowed down by them. */
static void warn_of_environment(void) {
    static const char *const names[] = {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"};
    for (size_t i = 0; i < BENCH_COUNT_OF(names); i++) {
        if (getenv(names[i]))
            fprintf(stderr, "warning: %s is set and may slow OpenBLAS down; unset it\n", names[i]);
    }
}

bench bench_start(int argc, char **argv, const char *about) {
    bench self = {.rounds = 101, .sample_ns = 1e6, .budget_ns = 20e9};
    system_choose_cpus(&self.cpu, &self.other_cpu);
    parse_options(&self, argc, argv, about);
    if (self.cpu == self.other_cpu)
        system_choose_other_cpu(self.cpu, &self.other_cpu);
    setvbuf(stdout, NULL, _IOLBF, 0);
    warn_of_environment();
    bench_place(&self, 1);
    self.peak = machine_fma_peak(self.kernels);
    printf("%s: CPU %d, multiply-add peak %.1f GFLOP/s\n", argv[0], self.cpu, self.peak);
    return self;
}

void bench_finish(bench *self) {
    if (self->csv)
        bench_require(fclose(self->csv) == 0, "the CSV file: %s", strerror(errno));
}

bool bench_wants(const bench *self, const char *variant, int threads) {
    if (self->threads > 0 && self->threads != threads)
        return false;
    return !self->only || strstr(variant, self->only);
}

void bench_place(const bench *self, int threads) {
    if (self->cpu < 0)
        return;
    if (threads == 1) {
        system_pin(self->cpu, self->cpu);
        return;
    }
    system_pin(self->cpu, self->other_cpu);
    system_pin_openmp(self->other_cpu);
}

/* ---- Samples --------------------------------------------------------------------------------- */

/* All samples of a contestant, in nanoseconds a unit. */
typedef struct record {
    size_t repetitions; /* a sample */
    size_t count;
    double ns[MAX_ROUNDS];
    double trip[MAX_ROUNDS]; /* between the cores, the longer of before and after */
    double best;
    double median;
    size_t near;
} record;

double bench_now_ns(void) {
    return system_now_ns();
}

static double time_run(const bench_contestant *contestant, size_t repetitions) {
    double start = bench_now_ns();
    contestant->run(contestant->context, repetitions);
    return bench_now_ns() - start;
}

/* Repetitions that fill a sample. */
static size_t calibrate(const bench_contestant *contestant, double sample_ns) {
    size_t repetitions = 1;
    double took = time_run(contestant, 1); /* the first is slow: pages, caches, generated code */
    for (;;) {
        took = time_run(contestant, repetitions);
        if (took >= sample_ns / 8)
            break;
        repetitions *= 2;
    }
    double fitting = (double)repetitions * sample_ns / took;
    return fitting < 1 ? 1 : (size_t)fitting;
}

static void take_sample(
    const bench *self, const bench_case *c, const bench_contestant *contestant, record *samples) {
    double before = 0;
    double after = 0;
    if (c->threads == 2) {
        system_sleep_ms(SETTLE_MS);
        before = machine_round_trip(self->cpu, self->other_cpu);
    }
    contestant->run(contestant->context, samples->repetitions / 8 + 1);
    double took = time_run(contestant, samples->repetitions);
    if (c->threads == 2) {
        system_sleep_ms(SETTLE_MS);
        after = machine_round_trip(self->cpu, self->other_cpu);
    }
    samples->ns[samples->count] = took / ((double)samples->repetitions * c->units);
    samples->trip[samples->count] = before > after ? before : after;
    samples->count++;
}

static void take_samples(
    const bench *self, const bench_case *c, const bench_contestant *contestants, size_t count,
    record *records) {
    for (size_t i = 0; i < count; i++) {
        records[i].count = 0;
        records[i].repetitions = calibrate(&contestants[i], self->sample_ns);
    }
    double start = bench_now_ns();
    for (size_t round = 0; round < self->rounds; round++) {
        if (round >= MIN_ROUNDS && bench_now_ns() - start > self->budget_ns)
            break;
        for (size_t i = 0; i < count; i++) {
            size_t turn = (i + round) % count; /* nobody always follows the same one */
            take_sample(self, c, &contestants[turn], &records[turn]);
        }
    }
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double shortest_trip(const record *records, size_t count) {
    double shortest = INFINITY;
    for (size_t i = 0; i < count; i++) {
        for (size_t s = 0; s < records[i].count; s++)
            shortest = fmin(shortest, records[i].trip[s]);
    }
    return shortest;
}

/* Best and median of the samples with the cores near each other; false if there are none. */
static bool summarize(record *self, double longest_trip) {
    self->near = 0;
    for (size_t s = 0; s < self->count; s++) {
        if (self->trip[s] <= longest_trip)
            self->ns[self->near++] = self->ns[s];
    }
    if (self->near == 0)
        return false;
    qsort(self->ns, self->near, sizeof self->ns[0], compare_doubles);
    self->best = self->ns[0];
    self->median = self->ns[self->near / 2];
    return true;
}

/* ---- Results --------------------------------------------------------------------------------- */

static void print_time(double ns) {
    printf(ns < 10 ? "%10.3f" : ns < 1000 ? "%10.1f" : "%10.0f", ns);
}

static void print_record(const char *name, const record *samples) {
    printf("    %-24s", name);
    print_time(samples->best);
    print_time(samples->median);
}

static void write_csv(
    const bench *self, const bench_case *c, const record *library, const char *peer,
    const record *samples) {
    if (!self->csv)
        return;
    if (ftell(self->csv) == 0)
        fputs(
            "workload,variant,library_ns,peer,peer_ns,ratio_best,ratio_median,share\n", self->csv);
    fprintf(
        self->csv, "%s,%s,%.6g,%s,%.6g,%.4f,%.4f,", c->workload, c->variant, library->best, peer,
        samples->best, library->best / samples->best, library->median / samples->median);
    if (c->limit_ns > 0)
        fprintf(self->csv, "%.4f", c->limit_ns / library->best);
    fputc('\n', self->csv);
    fflush(self->csv);
}

static void print_heading(const bench_case *c) {
    printf("%s %s\n", c->workload, c->variant);
    printf("    %-24s%10s%10s%10s%10s\n", "ns a unit", "best", "median", "best", "median");
}

static void report_library(const bench_case *c, const record *library, double trip) {
    print_record("tinynn", library);
    if (c->limit_ns > 0)
        printf("    %.1f %% of the machine's limit", 100 * c->limit_ns / library->best);
    if (c->threads == 2)
        printf("    round trip %.0f ns in %zu of %zu", trip, library->near, library->count);
    putchar('\n');
}

static void report_peer(
    const bench *self, const bench_case *c, const record *library, const char *peer,
    const record *samples) {
    print_record(peer, samples);
    printf("%10.3f%10.3f\n", library->best / samples->best, library->median / samples->median);
    write_csv(self, c, library, peer, samples);
}

/* A case without a peer still has a line of its own, compared with itself. */
void bench_compare(
    const bench *self, const bench_case *c, const bench_contestant *contestants, size_t count) {
    static record records[MAX_CONTESTANTS];
    bench_require(count >= 1 && count <= MAX_CONTESTANTS, "%zu contestants", count);
    take_samples(self, c, contestants, count, records);
    double trip = shortest_trip(records, count);
    print_heading(c);
    if (!summarize(&records[0], NEAR * trip)) {
        printf("    the two cores were never near each other; run this again\n");
        return;
    }
    report_library(c, &records[0], trip);
    for (size_t i = 1; i < count; i++) {
        if (summarize(&records[i], NEAR * trip))
            report_peer(self, c, &records[0], contestants[i].name, &records[i]);
    }
    if (count == 1)
        write_csv(self, c, &records[0], "none", &records[0]);
}

/* ---- Arrays ---------------------------------------------------------------------------------- */

float *bench_zeros(size_t count) {
    enum { PAGE = 4096 };
    size_t bytes = (count * sizeof(float) + PAGE - 1) / PAGE * PAGE;
    float *array = aligned_alloc(PAGE, bytes);
    bench_require(array != NULL, "no memory for %zu floats", count);
    return memset(array, 0, bytes);
}

/* splitmix64 */
static uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

float *bench_random(size_t count, float low, float high, uint64_t seed) {
    float *array = bench_zeros(count);
    for (size_t i = 0; i < count; i++) {
        double unit = (double)((next_random(&seed) >> 40) + 1) * 0x1p-24; /* in (0, 1] */
        array[i] = (float)(low + unit * (high - low));
    }
    return array;
}

void bench_free(float *array) {
    free(array);
}
