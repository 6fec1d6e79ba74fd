/* A net as C source: what its files consist of. */
#ifndef TINYNN_EXPORT_C_H
#define TINYNN_EXPORT_C_H

#include "net.h"
#include "support/text.h"

enum { TNNI_MOST_EXPORT_NAME = 63 };

/* What is exported, and how. */
typedef struct tnni_export {
    const char *caller;
    const tnn_net *net;
    bool own_math;
    char name[TNNI_MOST_EXPORT_NAME + 1];
    char macro[TNNI_MOST_EXPORT_NAME + 1]; /* the name in capitals */
    size_t sample_rows;
    float *sample_x;         /* [sample_rows, inputs] */
    float *sample_y;         /* [sample_rows, outputs] */
    float *sample_tolerance; /* [sample_rows, outputs]: what a correct y may differ by */
    void *block;             /* that they lie in */
    size_t bytes;
} tnni_export;

/* ---- Layers: export_layers.c ----------------------------------------------------------------- */

/* The functions of layers and their constants. */
void tnni_export_constants(tnni_text *text, const tnni_export *e);
void tnni_export_layers(tnni_text *text, const tnni_export *e);
/* How many chains each sum of a layer has: docs/numerics.md. */
size_t tnni_export_chains(const tnni_layer *layer);
/* How many units it has in C, where a few more may make it whole vectors. */
size_t tnni_export_units(const tnni_layer *layer);
/* Bytes of the arrays that run at the same time. */
size_t tnni_export_array_bytes(const tnn_net *net);

/* ---- Activations: export_activations.c ------------------------------------------------------- */

/* The functions that the net's activations need. */
void tnni_export_functions(tnni_text *text, const tnni_export *e);
/* A layer's activation of array[count], in its place; softmax of y[units] alone. */
void tnni_export_activation(
    tnni_text *text, const tnni_export *e, const tnni_layer *layer, const char *array,
    size_t count);
/* Adds the sixteen lanes of an array in the order of docs/numerics.md, into its first one. */
void tnni_export_tree(tnni_text *text, const char *lanes);
/* Do the functions look at the bits of floats? */
bool tnni_export_needs_bits(const tnni_export *e);
/* Has a fused multiply-add the bits of sample_y? */
bool tnni_export_is_exact(const tnni_export *e);

/* ---- Samples: export_samples.c --------------------------------------------------------------- */

/* Draws sample_x, unless x is given, and computes y and tolerance. TNN_INVALID_ARGUMENT,
 * TNN_NOT_FINITE, TNN_OUT_OF_MEMORY. Whatever it returns, they are to be released. */
tnn_status tnni_export_make_samples(tnni_export *e, size_t rows, const float *x);
void tnni_export_release_samples(tnni_export *e);

#endif
