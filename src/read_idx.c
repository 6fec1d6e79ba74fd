/*
 * IDX, the format of MNIST (http://yann.lecun.com/exdb/mnist/): two bytes of 0, a type, the number
 * of dimensions, each dimension in four bytes, the highest first, then the elements. What a header
 * claims is believed as far as bytes arrive.
 */
#include "dataset.h"
#include "support/memory.h"
#include "support/source.h"

#include <string.h>

typedef struct idx_header {
    size_t rows;
    size_t columns; /* the product of the other dimensions, 1 if there are none */
    unsigned dimensions;
} idx_header;

/* ---- Header ---------------------------------------------------------------------------------- */

static tnn_status fail_short(
    const tnni_source *source, uint64_t offset, const char *field, const char *expected) {
    if (source->status != TNN_OK)
        return source->status;
    return tnni_source_fail_at(
        source, TNN_BAD_FORMAT, offset, "the end in %s, expected %s", field, expected);
}

static tnn_status read_byte(tnni_source *source, const char *field, unsigned *value) {
    int byte = tnni_source_next(source);
    if (byte == TNNI_END)
        return fail_short(source, tnni_source_offset(source), field, "a byte");
    *value = (unsigned)byte;
    return TNN_OK;
}

static tnn_status read_dimension(tnni_source *source, unsigned number, size_t *value) {
    uint64_t offset = tnni_source_offset(source);
    uint32_t sum = 0;
    for (int i = 0; i < 4; i++) {
        unsigned byte = 0;
        tnn_status status = read_byte(source, "the dimensions", &byte);
        if (status != TNN_OK)
            return status;
        sum = sum << 8 | byte;
    }
    if (sum == 0)
        return tnni_source_fail_at(
            source, TNN_BAD_FORMAT, offset, "dimension %u is 0, expected at least 1", number);
    *value = sum;
    return TNN_OK;
}

static tnn_status check_magic(tnni_source *source, const unsigned magic[4]) {
    if (magic[0] != 0 || magic[1] != 0)
        return tnni_source_fail_at(
            source, TNN_BAD_FORMAT, 0, "the bytes %02x %02x, expected the 00 00 of IDX", magic[0],
            magic[1]);
    if (magic[2] == 0x09 || (magic[2] >= 0x0b && magic[2] <= 0x0e))
        return tnni_source_fail_at(
            source, TNN_UNSUPPORTED, 2, "elements of type %02x, expected 08, unsigned bytes",
            magic[2]);
    if (magic[2] != 0x08)
        return tnni_source_fail_at(
            source, TNN_BAD_FORMAT, 2, "type %02x, expected 08, unsigned bytes", magic[2]);
    if (magic[3] == 0)
        return tnni_source_fail_at(source, TNN_BAD_FORMAT, 3, "0 dimensions, expected at least 1");
    return TNN_OK;
}

static tnn_status check_shape(
    const tnni_source *source, const idx_header *header, const tnn_data_limits *limits) {
    size_t row_bytes;
    size_t bytes;
    if (header->columns > limits->columns)
        return tnni_source_fail_at(
            source, TNN_UNSUPPORTED, 8, "rows of %zu bytes, more than limits.columns, %zu",
            header->columns, limits->columns);
    if (header->rows > limits->rows)
        return tnni_source_fail_at(
            source, TNN_UNSUPPORTED, 4, "%zu rows, more than limits.rows, %zu", header->rows,
            limits->rows);
    if (!tnni_add(header->columns, 1, &row_bytes) ||
        !tnni_multiply(row_bytes, header->rows, &bytes) ||
        bytes > limits->total_bytes / sizeof(float))
        return tnni_source_fail_at(
            source, TNN_UNSUPPORTED, 4,
            "%zu rows of %zu floats and a class, more bytes than limits.total_bytes, %zu",
            header->rows, header->columns, limits->total_bytes);
    return TNN_OK;
}

static tnn_status read_header(
    tnni_source *source, const tnn_data_limits *limits, idx_header *header) {
    unsigned magic[4] = {0};
    tnn_status status = tnni_source_refuse_gzip(source, "IDX");
    for (int i = 0; i < 4 && status == TNN_OK; i++)
        status = read_byte(source, "the header", &magic[i]);
    if (status == TNN_OK)
        status = check_magic(source, magic);
    if (status == TNN_OK)
        status = read_dimension(source, 0, &header->rows);
    header->columns = 1;
    header->dimensions = magic[3];
    for (unsigned i = 1; i < magic[3] && status == TNN_OK; i++) {
        size_t dimension = 1;
        status = read_dimension(source, i, &dimension);
        if (!tnni_multiply(header->columns, dimension, &header->columns))
            header->columns = SIZE_MAX; /* beyond any limit */
    }
    return status == TNN_OK ? check_shape(source, header, limits) : status;
}

/* ---- Elements -------------------------------------------------------------------------------- */

static tnn_status check_end(tnni_source *source) {
    uint64_t offset = tnni_source_offset(source);
    if (tnni_source_peek(source) != TNNI_END)
        return tnni_source_fail_at(
            source, TNN_BAD_FORMAT, offset, "more bytes, expected the end after the elements");
    return source->status;
}

static void append_floats(
    tnni_array *array, size_t used, const unsigned char *bytes, size_t count) {
    float *x = (float *)array->data + used;
    for (size_t i = 0; i < count; i++)
        x[i] = (float)bytes[i] / 255.0f;
}

static void append_classes(
    tnni_array *array, size_t used, const unsigned char *bytes, size_t count) {
    uint32_t *classes = (uint32_t *)array->data + used;
    for (size_t i = 0; i < count; i++)
        classes[i] = bytes[i];
}

/* Reads count elements, and the end, into an array of the data set. */
static tnn_status read_elements(
    tnni_source *source, tnn_data *data, tnni_array *array, size_t count,
    void (*append)(tnni_array *array, size_t used, const unsigned char *bytes, size_t count)) {
    for (size_t used = 0; used < count;) {
        const unsigned char *bytes;
        size_t taken = tnni_source_take(source, count - used, &bytes);
        if (taken == 0)
            return source->status != TNN_OK
                ? source->status
                : tnni_source_fail_at(
                      source, TNN_BAD_FORMAT, tnni_source_offset(source),
                      "the end after %zu elements, expected %zu by the header", used, count);
        tnn_status status =
            tnni_data_reserve(data, source->caller, array, used, used + taken, count);
        if (status != TNN_OK)
            return status;
        append(array, used, bytes, taken);
        used += taken;
    }
    return check_end(source);
}

static tnn_status read_images(tnni_source *source, const tnn_data_limits *limits, tnn_data *data) {
    idx_header header;
    tnn_status status = read_header(source, limits, &header);
    if (status != TNN_OK)
        return status;
    data->rows = header.rows;
    data->inputs = header.columns;
    return read_elements(source, data, &data->x, header.rows * header.columns, append_floats);
}

static tnn_status read_labels(tnni_source *source, const tnn_data_limits *limits, tnn_data *data) {
    idx_header header;
    tnn_status status = read_header(source, limits, &header);
    if (status != TNN_OK)
        return status;
    if (header.dimensions != 1)
        return tnni_source_fail_at(
            source, TNN_BAD_FORMAT, 3, "%u dimensions, expected the 1 of labels",
            header.dimensions);
    if (header.rows != data->rows)
        return tnni_source_fail_at(
            source, TNN_BAD_FORMAT, 4, "%zu labels, expected one for each of %zu rows", header.rows,
            data->rows);
    status = read_elements(source, data, &data->classes, header.rows, append_classes);
    const uint32_t *classes = data->classes.data;
    for (size_t r = 0; status == TNN_OK && r < data->rows; r++)
        if (classes[r] >= data->outputs)
            data->outputs = (size_t)classes[r] + 1;
    return status;
}

/* ---- Both files ------------------------------------------------------------------------------ */

/* Closes the sources. */
static tnn_status read_idx(
    tnn_data **data, tnni_source *images, tnni_source *labels, const tnn_read_options *options) {
    tnn_data_limits limits = tnni_data_limits(&options->limits);
    tnn_data *new = NULL;
    tnn_status status = tnni_data_new(&new, images->caller, images->allocator);
    if (status == TNN_OK)
        status = read_images(images, &limits, new);
    if (status == TNN_OK)
        status = read_labels(labels, &limits, new);
    tnni_source_close(images);
    tnni_source_close(labels);
    if (status == TNN_OK)
        *data = new;
    else
        tnn_data_destroy(new);
    return status;
}

tnn_status tnn_read_idx(
    tnn_data **data, const char *images_path, const char *labels_path,
    const tnn_read_options *options) {
    static const char *caller = "tnn_read_idx";
    tnni_source images;
    tnni_source labels;
    tnn_status status = tnni_read_options(caller, data, &options);
    if (status != TNN_OK)
        return status;
    const tnn_allocator *allocator = tnni_allocator(options->allocator);
    status = tnni_source_open_path(&images, caller, images_path, allocator);
    if (status != TNN_OK)
        return status;
    status = tnni_source_open_path(&labels, caller, labels_path, allocator);
    if (status != TNN_OK) {
        tnni_source_close(&images);
        return status;
    }
    return read_idx(data, &images, &labels, options);
}

tnn_status tnn_read_idx_from(
    tnn_data **data, const tnn_source *images, const tnn_source *labels,
    const tnn_read_options *options) {
    static const char *caller = "tnn_read_idx_from";
    tnni_source opened_images;
    tnni_source opened_labels;
    tnn_status status = tnni_read_options(caller, data, &options);
    if (status != TNN_OK)
        return status;
    const tnn_allocator *allocator = tnni_allocator(options->allocator);
    status = tnni_source_open(&opened_images, caller, images, allocator);
    if (status != TNN_OK)
        return status;
    status = tnni_source_open(&opened_labels, caller, labels, allocator);
    if (status != TNN_OK) {
        tnni_source_close(&opened_images);
        return status;
    }
    return read_idx(data, &opened_images, &opened_labels, options);
}
