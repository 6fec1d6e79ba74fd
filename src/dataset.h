/* Data sets that own their rows, as those who fill them see them. */
#ifndef TINYNN_DATASET_H
#define TINYNN_DATASET_H

#include "support/array.h"

struct tnn_data {
    const tnn_allocator *allocator;
    size_t rows;
    size_t inputs;
    size_t outputs;
    tnni_array x;           /* float [rows, inputs] */
    tnni_array target;      /* float [rows, outputs], or empty with classes */
    tnni_array classes;     /* uint32_t [rows], or empty */
    tnni_array row_weights; /* float [rows], or empty */
    /* size_t [named]: where in these bytes the name of a column begins, 0 for none; then the
     * names. Columns from named on have none. */
    tnni_array names;
    size_t named;
    size_t name_bytes; /* of all that, in use */
};

/* Fail with "caller: no memory for the ..." or "caller: ... is NULL". */
tnn_status tnni_out_of_memory(const char *caller, const char *what);
tnn_status tnni_null_argument(const char *caller, const char *argument);

/* A data set of no rows and no columns. */
tnn_status tnni_data_new(tnn_data **data, const char *caller, const tnn_allocator *allocator);

/* Room for needed elements in one of a data set's arrays that holds used ones, and for no more than
 * most if it has to grow. */
tnn_status tnni_data_reserve(
    tnn_data *data, const char *caller, tnni_array *array, size_t used, size_t needed, size_t most);

/* Names column 0 ... inputs + outputs - 1, each at most once; an empty name is none. */
tnn_status tnni_data_set_name(
    tnn_data *data, const char *caller, size_t column, const char *name, size_t length);

/* The limits with their defaults. */
tnn_data_limits tnni_data_limits(const tnn_data_limits *given);

/* How a reader begins: *data becomes NULL, and options the default for NULL. */
tnn_status tnni_read_options(const char *caller, tnn_data **data, const tnn_read_options **options);

#endif
