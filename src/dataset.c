#include "dataset.h"

#include "support/limits.h"
#include "support/memory.h"
#include "support/random.h"
#include "support/status.h"

#include <string.h>

/* float and uint32_t: all arrays have elements of this size, and a row moves alike in each. */
enum { ELEMENT_BYTES = 4 };

tnn_status tnni_out_of_memory(const char *caller, const char *what) {
    return tnni_fail(TNN_OUT_OF_MEMORY, "%s: no memory for the %s", caller, what);
}

tnn_status tnni_null_argument(const char *caller, const char *argument) {
    return tnni_fail(TNN_INVALID_ARGUMENT, "%s: %s is NULL", caller, argument);
}

/* ---- Life ------------------------------------------------------------------------------------ */

tnn_status tnni_data_new(tnn_data **data, const char *caller, const tnn_allocator *allocator) {
    *data = tnni_allocate(allocator, sizeof **data);
    if (!*data)
        return tnni_out_of_memory(caller, "data set");
    **data = (tnn_data){.allocator = allocator};
    return TNN_OK;
}

void tnn_data_destroy(tnn_data *data) {
    if (!data)
        return;
    tnni_array_release(&data->x, data->allocator);
    tnni_array_release(&data->target, data->allocator);
    tnni_array_release(&data->classes, data->allocator);
    tnni_array_release(&data->row_weights, data->allocator);
    tnni_array_release(&data->names, data->allocator);
    tnni_release(data->allocator, data, sizeof *data);
}

tnn_status tnni_data_reserve(
    tnn_data *data, const char *caller, tnni_array *array, size_t used, size_t needed,
    size_t most) {
    size_t most_bytes = SIZE_MAX;
    if (most <= SIZE_MAX / ELEMENT_BYTES)
        most_bytes = most * ELEMENT_BYTES;
    if (needed > SIZE_MAX / ELEMENT_BYTES ||
        !tnni_array_reserve(
            array, data->allocator, used * ELEMENT_BYTES, needed * ELEMENT_BYTES, most_bytes))
        return tnni_out_of_memory(caller, "rows");
    return TNN_OK;
}

/* Room for exactly so many times columns elements. */
static tnn_status reserve_rows(
    tnn_data *data, const char *caller, tnni_array *array, size_t rows, size_t columns) {
    size_t count;
    if (!tnni_multiply(rows, columns, &count))
        return tnni_out_of_memory(caller, "rows");
    return tnni_data_reserve(data, caller, array, 0, count, count);
}

typedef struct data_shape {
    size_t rows;
    size_t inputs;
    size_t outputs;
    bool has_classes;
    bool has_weights;
} data_shape;

static data_shape shape_of(const tnn_data *data) {
    return (data_shape){
        data->rows, data->inputs, data->outputs, data->classes.data != NULL,
        data->row_weights.data != NULL};
}

/* All rows there, and none of them filled. */
static tnn_status new_shape(
    tnn_data **data, const char *caller, data_shape shape, const tnn_allocator *allocator) {
    tnn_status status = tnni_data_new(data, caller, allocator);
    if (status != TNN_OK)
        return status;
    tnn_data *new = *data;
    new->rows = shape.rows;
    new->inputs = shape.inputs;
    new->outputs = shape.outputs;
    status = reserve_rows(new, caller, &new->x, shape.rows, shape.inputs);
    if (status == TNN_OK && shape.has_classes)
        status = reserve_rows(new, caller, &new->classes, shape.rows, 1);
    if (status == TNN_OK && !shape.has_classes)
        status = reserve_rows(new, caller, &new->target, shape.rows, shape.outputs);
    if (status == TNN_OK && shape.has_weights)
        status = reserve_rows(new, caller, &new->row_weights, shape.rows, 1);
    if (status != TNN_OK) {
        tnn_data_destroy(new);
        *data = NULL;
    }
    return status;
}

/* The same with the names of another one. */
static tnn_status new_like(
    tnn_data **data, const char *caller, data_shape shape, const tnn_data *like) {
    tnn_status status = new_shape(data, caller, shape, like->allocator);
    if (status != TNN_OK || like->name_bytes == 0)
        return status;
    tnn_data *new = *data;
    if (!tnni_array_reserve(&new->names, new->allocator, 0, like->name_bytes, like->name_bytes)) {
        tnn_data_destroy(new);
        *data = NULL;
        return tnni_out_of_memory(caller, "names");
    }
    memcpy(new->names.data, like->names.data, like->name_bytes);
    new->named = like->named;
    new->name_bytes = like->name_bytes;
    return TNN_OK;
}

static tnn_status check_view(
    const char *caller, size_t inputs, size_t outputs, const tnn_dataset *view) {
    if (!view)
        return tnni_null_argument(caller, "view");
    if (inputs == 0 || view->rows == 0)
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: %s is 0, expected at least 1", caller,
            inputs == 0 ? "inputs" : "view->rows");
    if (!view->x)
        return tnni_null_argument(caller, "view->x");
    if (view->target && view->classes)
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: view->target and view->classes are both given, expected one of them", caller);
    if ((outputs > 0) != (view->target || view->classes))
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: outputs is %zu and view->target and view->classes are %s, expected outputs of 0 "
            "and both NULL, or neither",
            caller, outputs, outputs > 0 ? "both NULL" : "not");
    for (size_t r = 0; view->classes && r < view->rows; r++)
        if (view->classes[r] >= outputs)
            return tnni_fail(
                TNN_INVALID_ARGUMENT,
                "%s: view->classes[%zu] is %lu, expected less than outputs %zu", caller, r,
                (unsigned long)view->classes[r], outputs);
    return TNN_OK;
}

static void copy_rows(tnni_array *to, const void *from, size_t rows, size_t columns) {
    if (to->data)
        memcpy(to->data, from, rows * columns * ELEMENT_BYTES);
}

tnn_status tnn_data_create(
    tnn_data **data, size_t inputs, size_t outputs, const tnn_dataset *view,
    const tnn_allocator *allocator) {
    static const char *caller = "tnn_data_create";
    if (!data)
        return tnni_null_argument(caller, "data");
    *data = NULL;
    tnn_status status = check_view(caller, inputs, outputs, view);
    if (status != TNN_OK)
        return status;
    data_shape shape = {view->rows, inputs, outputs, view->classes, view->row_weights};
    status = new_shape(data, caller, shape, tnni_allocator(allocator));
    if (status != TNN_OK)
        return status;
    copy_rows(&(*data)->x, view->x, shape.rows, inputs);
    copy_rows(&(*data)->target, view->target, shape.rows, outputs);
    copy_rows(&(*data)->classes, view->classes, shape.rows, 1);
    copy_rows(&(*data)->row_weights, view->row_weights, shape.rows, 1);
    return TNN_OK;
}

/* ---- What is in it --------------------------------------------------------------------------- */

tnn_dataset tnn_data_view(const tnn_data *data) {
    if (!data) {
        tnni_null_argument("tnn_data_view", "data");
        return (tnn_dataset){0};
    }
    return (tnn_dataset){
        .rows = data->rows,
        .x = data->x.data,
        .target = data->target.data,
        .classes = data->classes.data,
        .row_weights = data->row_weights.data};
}

size_t tnn_data_inputs(const tnn_data *data) {
    if (!data)
        tnni_null_argument("tnn_data_inputs", "data");
    return data ? data->inputs : 0;
}

size_t tnn_data_outputs(const tnn_data *data) {
    if (!data)
        tnni_null_argument("tnn_data_outputs", "data");
    return data ? data->outputs : 0;
}

static const char *name_of(const tnn_data *data, size_t column) {
    if (column >= data->named)
        return NULL;
    size_t begin = ((const size_t *)data->names.data)[column];
    return begin ? (const char *)data->names.data + begin : NULL;
}

const char *tnn_data_input_name(const tnn_data *data, size_t input) {
    static const char *caller = "tnn_data_input_name";
    if (data && input < data->inputs)
        return name_of(data, input);
    if (!data)
        tnni_null_argument(caller, "data");
    else
        tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: input is %zu, expected less than %zu", caller, input,
            data->inputs);
    return NULL;
}

const char *tnn_data_output_name(const tnn_data *data, size_t output) {
    static const char *caller = "tnn_data_output_name";
    if (data && output < data->outputs)
        return name_of(data, data->inputs + output);
    if (!data)
        tnni_null_argument(caller, "data");
    else
        tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: output is %zu, expected less than %zu", caller, output,
            data->outputs);
    return NULL;
}

static tnn_status reserve_names(tnn_data *data, const char *caller, size_t needed) {
    if (!tnni_array_reserve(&data->names, data->allocator, data->name_bytes, needed, SIZE_MAX))
        return tnni_out_of_memory(caller, "names");
    return TNN_OK;
}

tnn_status tnni_data_set_name(
    tnn_data *data, const char *caller, size_t column, const char *name, size_t length) {
    size_t columns = data->inputs + data->outputs;
    size_t table_bytes = columns * sizeof(size_t);
    if (length == 0)
        return TNN_OK;
    if (data->named == 0) {
        tnn_status status = reserve_names(data, caller, table_bytes);
        if (status != TNN_OK)
            return status;
        memset(data->names.data, 0, table_bytes);
        data->named = columns;
        data->name_bytes = table_bytes;
    }
    tnn_status status = reserve_names(data, caller, data->name_bytes + length + 1);
    if (status != TNN_OK)
        return status;
    char *copy = (char *)data->names.data + data->name_bytes;
    memcpy(copy, name, length);
    copy[length] = '\0';
    ((size_t *)data->names.data)[column] = data->name_bytes;
    data->name_bytes += length + 1;
    return TNN_OK;
}

tnn_data_limits tnni_data_limits(const tnn_data_limits *given) {
    return (tnn_data_limits){
        .rows = tnni_limit(given->rows, UINT64_C(1) << 32),
        .columns = tnni_limit(given->columns, 65536),
        .total_bytes = tnni_limit(given->total_bytes, UINT64_C(1) << 32)};
}

tnn_status tnni_read_options(
    const char *caller, tnn_data **data, const tnn_read_options **options) {
    static const tnn_read_options defaults = {0};
    if (!data)
        return tnni_null_argument(caller, "data");
    *data = NULL;
    if (!*options)
        *options = &defaults;
    return TNN_OK;
}

/* ---- Order ----------------------------------------------------------------------------------- */

/* Swaps two rows of an array, or two numbers of rows. */
static void swap(void *array, size_t a, size_t b, size_t row_bytes) {
    char kept[256];
    char *at_a = (char *)array + a * row_bytes;
    char *at_b = (char *)array + b * row_bytes;
    for (size_t done = 0; a != b && done < row_bytes; done += sizeof kept) {
        size_t bytes = row_bytes - done < sizeof kept ? row_bytes - done : sizeof kept;
        memcpy(kept, at_a + done, bytes);
        memcpy(at_a + done, at_b + done, bytes);
        memcpy(at_b + done, kept, bytes);
    }
}

static void swap_rows(tnni_array *array, size_t a, size_t b, size_t columns) {
    if (array->data)
        swap(array->data, a, b, columns * ELEMENT_BYTES);
}

/* What tnni_random_shuffle does with numbers, done to the rows where they are, which needs no
 * memory: a seed's order is the same here and in draw_order. */
tnn_status tnn_data_shuffle(tnn_data *data, uint64_t seed) {
    if (!data)
        return tnni_null_argument("tnn_data_shuffle", "data");
    tnni_random random = tnni_random_seed(seed);
    for (size_t last = data->rows - 1; last > 0; last--) {
        size_t other = (size_t)tnni_random_below(&random, (uint64_t)last + 1);
        swap_rows(&data->x, last, other, data->inputs);
        swap_rows(&data->target, last, other, data->outputs);
        swap_rows(&data->classes, last, other, 1);
        swap_rows(&data->row_weights, last, other, 1);
    }
    return TNN_OK;
}

static void draw_order(size_t *order, size_t rows, uint64_t seed) {
    tnni_random random = tnni_random_seed(seed);
    for (size_t r = 0; r < rows; r++)
        order[r] = r;
    tnni_random_shuffle(&random, rows, order);
}

/* ---- Parts and sums -------------------------------------------------------------------------- */

static void copy_row(
    tnni_array *to, size_t to_row, const tnni_array *from, size_t row, size_t columns) {
    size_t bytes = columns * ELEMENT_BYTES;
    if (to->data)
        memcpy((char *)to->data + to_row * bytes, (char *)from->data + row * bytes, bytes);
}

static tnn_status take(
    tnn_data **part, const char *caller, const tnn_data *data, size_t count, const size_t *rows) {
    data_shape shape = shape_of(data);
    shape.rows = count;
    tnn_status status = new_like(part, caller, shape, data);
    for (size_t r = 0; status == TNN_OK && r < count; r++) {
        copy_row(&(*part)->x, r, &data->x, rows[r], shape.inputs);
        copy_row(&(*part)->target, r, &data->target, rows[r], shape.outputs);
        copy_row(&(*part)->classes, r, &data->classes, rows[r], 1);
        copy_row(&(*part)->row_weights, r, &data->row_weights, rows[r], 1);
    }
    return status;
}

tnn_status tnn_data_subset(
    tnn_data **subset, const tnn_data *data, size_t count, const size_t *rows) {
    static const char *caller = "tnn_data_subset";
    if (!subset)
        return tnni_null_argument(caller, "subset");
    *subset = NULL;
    if (!data || !rows)
        return tnni_null_argument(caller, data ? "rows" : "data");
    if (count == 0)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: count is 0, expected at least 1", caller);
    for (size_t i = 0; i < count; i++)
        if (rows[i] >= data->rows)
            return tnni_fail(
                TNN_INVALID_ARGUMENT, "%s: rows[%zu] is %zu, expected less than %zu", caller, i,
                rows[i], data->rows);
    return take(subset, caller, data, count, rows);
}

/* To the nearest, and both parts get a row. */
static size_t rows_of_share(double share, size_t rows) {
    double exact = share * (double)rows + 0.5;
    size_t count = exact < (double)rows ? (size_t)exact : rows;
    if (count == 0)
        return 1;
    return count < rows ? count : rows - 1;
}

static tnn_status check_split(
    const char *caller, tnn_data **first, tnn_data **rest, const tnn_data *data, double share) {
    if (!first || !rest || !data)
        return tnni_null_argument(caller, !first ? "first" : !rest ? "rest" : "data");
    if (first == rest)
        return tnni_fail(TNN_INVALID_ARGUMENT, "%s: first and rest are the same", caller);
    if (!(share > 0.0 && share < 1.0))
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: share is %g, expected more than 0 and less than 1", caller,
            share);
    if (data->rows < 2)
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: data has a single row, expected at least 2", caller);
    return TNN_OK;
}

tnn_status tnn_data_split(
    tnn_data **first, tnn_data **rest, const tnn_data *data, double share, uint64_t seed) {
    static const char *caller = "tnn_data_split";
    if (first)
        *first = NULL;
    if (rest)
        *rest = NULL;
    tnn_status status = check_split(caller, first, rest, data, share);
    if (status != TNN_OK)
        return status;
    size_t bytes;
    size_t *order = NULL;
    if (tnni_multiply(data->rows, sizeof *order, &bytes))
        order = tnni_allocate(data->allocator, bytes);
    if (!order)
        return tnni_out_of_memory(caller, "order of the rows");
    draw_order(order, data->rows, seed);
    size_t count = rows_of_share(share, data->rows);
    status = take(first, caller, data, count, order);
    if (status == TNN_OK)
        status = take(rest, caller, data, data->rows - count, order + count);
    tnni_release(data->allocator, order, bytes);
    if (status != TNN_OK) {
        tnn_data_destroy(*first);
        *first = NULL;
    }
    return status;
}

static bool has_class_names(const tnn_data *data) {
    return data->classes.data && name_of(data, data->inputs);
}

/* Classes that a file named are numbered as they appear in it: the same number may be another class
 * in another file. */
static tnn_status check_class_names(const char *caller, const tnn_data *a, const tnn_data *b) {
    for (size_t i = 0; has_class_names(a) && i < a->outputs; i++) {
        const char *name_a = name_of(a, a->inputs + i);
        const char *name_b = name_of(b, b->inputs + i);
        if (strcmp(name_a, name_b) != 0)
            return tnni_fail(
                TNN_INVALID_ARGUMENT, "%s: class %zu is \"%.80s\" in first and \"%.80s\" in second",
                caller, i, name_a, name_b);
    }
    return TNN_OK;
}

/* The largest class of a part tells nothing of the whole, so numbers of classes may differ. */
static tnn_status check_join(const char *caller, const tnn_data *first, const tnn_data *second) {
    if (!first || !second)
        return tnni_null_argument(caller, first ? "second" : "first");
    if (!first->classes.data != !second->classes.data)
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: only %s has classes, expected both or none", caller,
            first->classes.data ? "first" : "second");
    if (has_class_names(first) != has_class_names(second))
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: only the classes of %s have names, expected both or none",
            caller, has_class_names(first) ? "first" : "second");
    bool may_differ = first->classes.data && !has_class_names(first);
    if (first->inputs != second->inputs || (first->outputs != second->outputs && !may_differ))
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: first has %zu inputs and %zu outputs, second %zu and %zu; expected the same",
            caller, first->inputs, first->outputs, second->inputs, second->outputs);
    return check_class_names(caller, first, second);
}

static void join(
    tnni_array *to, const tnni_array *first, size_t rows, const tnni_array *second, size_t more,
    size_t columns) {
    size_t bytes = columns * ELEMENT_BYTES;
    if (!to->data)
        return;
    memcpy(to->data, first->data, rows * bytes);
    memcpy((char *)to->data + rows * bytes, second->data, more * bytes);
}

/* A data set without weights has weights 1. */
static void join_weights(float *to, const tnn_data *from) {
    const float *weights = from->row_weights.data;
    for (size_t r = 0; r < from->rows; r++)
        to[r] = weights ? weights[r] : 1.0f;
}

tnn_status tnn_data_join(tnn_data **joined, const tnn_data *first, const tnn_data *second) {
    static const char *caller = "tnn_data_join";
    if (!joined)
        return tnni_null_argument(caller, "joined");
    *joined = NULL;
    tnn_status status = check_join(caller, first, second);
    if (status != TNN_OK)
        return status;
    data_shape shape = shape_of(first);
    if (shape.outputs < second->outputs)
        shape.outputs = second->outputs;
    shape.has_weights = shape.has_weights || second->row_weights.data;
    if (!tnni_add(first->rows, second->rows, &shape.rows))
        return tnni_out_of_memory(caller, "rows");
    status = new_like(joined, caller, shape, first);
    if (status != TNN_OK)
        return status;
    size_t rows = first->rows;
    size_t more = second->rows;
    tnn_data *new = *joined;
    join(&new->x, &first->x, rows, &second->x, more, shape.inputs);
    join(&new->target, &first->target, rows, &second->target, more, shape.outputs);
    join(&new->classes, &first->classes, rows, &second->classes, more, 1);
    if (shape.has_weights) {
        join_weights(new->row_weights.data, first);
        join_weights((float *)new->row_weights.data + rows, second);
    }
    return TNN_OK;
}
