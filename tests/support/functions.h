/*
 * functions.h: the elementary functions of the kernel tables, and a survey of one of them: its
 * largest error in every table, and whether all fused tables have the same bits.
 */
#ifndef TINYNN_TESTS_FUNCTIONS_H
#define TINYNN_TESTS_FUNCTIONS_H

#include "kernel_tables.h"

#include <stdio.h>

typedef struct function {
    const char *name;
    tnni_map_kernel *(*map)(const tnni_kernels *table);
    long double (*exact)(long double x);
    double (*nearly)(double x); /* exact to some units of a double */
    float low, high;            /* where it is neither constant nor a straight line */
    uint32_t first, last;       /* the bits of the floats of its domain */
    float odd_one, odd_answer;  /* a point with an exact answer */
} function;

enum { FUNCTIONS = 7, SURVEY_BLOCK = 4096 };

extern const function functions[FUNCTIONS];

/* ---- Survey ---------------------------------------------------------------------------------- */

/* What one table has shown. */
typedef struct table_survey {
    double worst; /* the largest error in ulp, against exact; 1/2 if it is smaller */
    float worst_at;
    uint64_t hash;      /* of all results in the order of their x, NaNs being one */
    uint64_t different; /* results that do not have the first fused table's bits but should */
    float different_at; /* the first of them */
} table_survey;

typedef struct survey {
    const function *function;
    kernel_tables tables;
    table_survey results[KERNEL_TABLES]; /* in the order of tables */
    bool reference_failed;               /* nearly was not near exact */
} survey;

survey begin_survey(const function *f);

/* Adds count <= SURVEY_BLOCK numbers. */
void survey_floats(survey *s, size_t count, const float *x);

/*
 * Sample i of a function's domain is its float number i * stride in the order of their bits. Adds
 * the samples begin ... end - 1.
 */
uint64_t survey_samples_of(const function *f, uint64_t stride);
void survey_samples(survey *s, uint64_t stride, uint64_t begin, uint64_t end);

bool survey_is_passed(const survey *s);

/* One line about a table, and one more if nearly failed. */
void print_survey(const survey *s, FILE *file);

#endif /* TINYNN_TESTS_FUNCTIONS_H */
