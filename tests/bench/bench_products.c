/*
 * Requirement 8: the three products of a dense layer through the library's kernel table, in ns a
 * product: xW is x W, dWt is delta W^T, xtd is x^T delta. A variant is named rows x inputs x units.
 */
#include "bench.h"
#include "peers.h"

#include "kernels/kernels.h"

#include <math.h>
#include <stdlib.h>

typedef struct shape {
    size_t rows, inputs, units;
} shape;

/* Squares, then the layers of the nets that bench_train trains. */
static const shape shapes[] = {
    {8, 8, 8},         {16, 16, 16},      {32, 32, 32},    {64, 64, 64},       {96, 96, 96},
    {128, 128, 128},   {256, 256, 256},   {512, 512, 512}, {1024, 1024, 1024}, {2048, 2048, 2048},
    {32, 784, 128},    {32, 128, 10},     {128, 784, 128}, {128, 128, 10},     {256, 1024, 2048},
    {256, 2048, 2048}, {256, 2048, 1000},
};

static const char *const form_names[PEER_FORMS] = {"xW", "dWt", "xtd"};

/* One product: c = form(a, b), by one of three who can. */
typedef struct job {
    peer_form form;
    shape s;
    const float *a, *b;
    float *c;
    const tnni_kernels *kernels;
    float *panel;
    const peer_products *products;
    peer_xsmm_kernel *xsmm;
} job;

static void run_tinynn(void *context, size_t repetitions) {
    const job *self = context;
    const tnni_kernels *k = self->kernels;
    shape s = self->s;
    tnni_range inputs = {0, s.inputs}, units = {0, s.units};
    for (size_t i = 0; i < repetitions; i++) {
        if (self->form == PEER_XW)
            k->product(
                s.rows, s.inputs, s.units, units, self->a, self->b, NULL, false, self->c,
                self->panel);
        else if (self->form == PEER_DWT)
            k->product_transposed(
                s.rows, s.inputs, s.units, inputs, self->a, self->b, self->c, self->panel);
        else
            k->weight_gradient(
                s.rows, s.inputs, s.units, inputs, units, self->a, self->b, false, self->c,
                self->panel);
    }
}

static void run_blas(void *context, size_t repetitions) {
    const job *self = context;
    const peer_products *p = self->products;
    shape s = self->s;
    for (size_t i = 0; i < repetitions; i++) {
        if (self->form == PEER_XW)
            p->product(s.rows, s.inputs, s.units, self->a, self->b, self->c);
        else if (self->form == PEER_DWT)
            p->product_transposed(s.rows, s.inputs, s.units, self->a, self->b, self->c);
        else
            p->weight_gradient(s.rows, s.inputs, s.units, self->a, self->b, false, self->c);
    }
}

#if BENCH_XSMM
/* It is given what is row-major here as column-major, and in the other order. */
static void run_xsmm(void *context, size_t repetitions) {
    const job *self = context;
    for (size_t i = 0; i < repetitions; i++)
        self->xsmm(self->b, self->a, self->c);
}
#endif

/* ---- A match --------------------------------------------------------------------------------- */

enum { MAX_JOBS = 4 };

typedef struct match {
    job jobs[MAX_JOBS];
    bench_contestant contestants[MAX_JOBS];
    size_t count;
} match;

static size_t c_count(const job *self) {
    shape s = self->s;
    return self->form == PEER_XW ? s.rows * s.units
        : self->form == PEER_DWT ? s.rows * s.inputs
                                 : s.inputs * s.units;
}

static job *add(match *self, const job *common, const char *name, void (*run)(void *, size_t)) {
    job *added = &self->jobs[self->count];
    *added = *common;
    added->c = bench_random(c_count(common), 0, 1, 3);
    self->contestants[self->count++] = (bench_contestant){name, run, added};
    return added;
}

static void begin(
    match *self, const tnni_kernels *kernels, const peer_blas *blas, peer_form form, shape s) {
    job common = {.form = form, .s = s};
    size_t a = form == PEER_DWT ? s.rows * s.units : s.rows * s.inputs;
    size_t b = form == PEER_XTD ? s.rows * s.units : s.inputs * s.units;
    common.a = bench_random(a, -1, 1, 1);
    common.b = bench_random(b, -1, 1, 2);
    self->count = 0;
    job *library = add(self, &common, "tinynn", run_tinynn);
    library->kernels = kernels;
    library->panel = bench_zeros(TNNI_PANEL_FLOATS);
    for (size_t i = 0; i < blas->count; i++)
        add(self, &common, blas->at[i]->name, run_blas)->products = blas->at[i];
#if BENCH_XSMM
    peer_xsmm_kernel *kernel = peer_xsmm_find(form, s.rows, s.inputs, s.units);
    if (kernel)
        add(self, &common, "libxsmm", run_xsmm)->xsmm = kernel;
#endif
}

static void end(match *self) {
    bench_free((float *)self->jobs[0].a);
    bench_free((float *)self->jobs[0].b);
    bench_free(self->jobs[0].panel);
    for (size_t i = 0; i < self->count; i++)
        bench_free(self->jobs[i].c);
}

/* Sums of numbers in (-1, 1] in any order; what c held before is gone. */
static void check(const match *self, const char *variant) {
    size_t count = c_count(&self->jobs[0]);
    for (size_t i = 0; i < self->count; i++) {
        self->contestants[i].run(self->contestants[i].context, 1);
        double worst = 0;
        for (size_t j = 0; j < count; j++)
            worst = fmax(worst, fabs((double)self->jobs[i].c[j] - (double)self->jobs[0].c[j]));
        bench_require(
            worst < 1e-2, "%s: %s differs from tinynn by %g", variant, self->contestants[i].name,
            worst);
    }
}

static void compare(
    const bench *options, const tnni_kernels *kernels, const peer_blas *blas, peer_form form,
    shape s) {
    char variant[64];
    snprintf(
        variant, sizeof variant, "%s %zux%zux%zu", form_names[form], s.rows, s.inputs, s.units);
    if (!bench_wants(options, variant, 1))
        return;
    static match self;
    begin(&self, kernels, blas, form, s);
    check(&self, variant);
    double flop = 2.0 * (double)s.rows * (double)s.inputs * (double)s.units;
    bench_case c = {
        .workload = "products",
        .variant = variant,
        .units = 1,
        .limit_ns = flop / options->peak,
    };
    bench_compare(options, &c, self.contestants, self.count);
    end(&self);
}

int main(int argc, char **argv) {
    bench options = bench_start(argc, argv, "The three products of a dense layer, in ns each.");
    const tnni_kernels *kernels;
    bench_require_ok(tnni_kernels_find(argv[0], options.kernels, &kernels));
    peer_blas blas = peer_find_blas();
    for (size_t i = 0; i < blas.count; i++)
        blas.at[i]->set_threads(1);
#if !BENCH_XSMM
    bench_skip("libxsmm", "libxsmm-dev");
#endif
    for (int form = 0; form < PEER_FORMS; form++) {
        for (size_t i = 0; i < BENCH_COUNT_OF(shapes); i++)
            compare(&options, kernels, &blas, (peer_form)form, shapes[i]);
    }
    bench_finish(&options);
    return 0;
}
