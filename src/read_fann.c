/*
 * FANN's text format: three whole numbers, of rows, inputs and outputs, then for each row its
 * inputs and its targets, with blanks between. What the three claim is believed as far as numbers
 * arrive.
 */
#include "dataset.h"
#include "support/memory.h"
#include "support/number.h"
#include "support/source.h"

typedef struct fann_reader {
    tnni_source *source;
    tnn_data_limits limits;
    tnn_data *data;
    tnni_array word; /* what stands between two blanks */
    size_t length;
    tnni_place place; /* where it begins */
} fann_reader;

/* ---- Words ----------------------------------------------------------------------------------- */

static bool is_blank(int byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static void skip_blanks(tnni_source *source) {
    while (is_blank(tnni_source_peek(source)))
        tnni_source_next(source);
}

static tnn_status take_byte(fann_reader *reader) {
    if (reader->length == TNNI_MOST_FIELD)
        return tnni_source_fail(
            reader->source, TNN_BAD_FORMAT, reader->place,
            "more than %d bytes without a blank begin here, expected a number", TNNI_MOST_FIELD);
    if (!tnni_array_reserve(
            &reader->word, reader->source->allocator, reader->length, reader->length + 1,
            TNNI_MOST_FIELD))
        return tnni_out_of_memory(reader->source->caller, "text of a number");
    ((char *)reader->word.data)[reader->length++] = (char)tnni_source_next(reader->source);
    return TNN_OK;
}

/* The next word; none of it is an error, which says what was expected. */
static tnn_status read_word(fann_reader *reader, const char *expected) {
    tnni_source *source = reader->source;
    skip_blanks(source);
    reader->length = 0;
    reader->place = tnni_source_place(source);
    for (int byte = tnni_source_peek(source); byte != TNNI_END && !is_blank(byte);
         byte = tnni_source_peek(source)) {
        tnn_status status = take_byte(reader);
        if (status != TNN_OK)
            return status;
    }
    if (source->status != TNN_OK)
        return source->status;
    if (reader->length == 0)
        return tnni_source_fail(
            source, TNN_BAD_FORMAT, reader->place, "the end, expected %s", expected);
    return TNN_OK;
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static tnn_status read_count(
    fann_reader *reader, const char *what, size_t most, const char *limit, size_t *count) {
    uint64_t value = 0;
    tnn_status status = read_word(reader, what);
    if (status != TNN_OK)
        return status;
    const char *word = reader->word.data;
    tnni_number kind = tnni_read_whole(word, reader->length, most, &value);
    if (kind == TNNI_OUT_OF_RANGE)
        return tnni_source_fail(
            reader->source, TNN_UNSUPPORTED, reader->place, "%s is %s, more than limits.%s, %zu",
            what, tnni_excerpt_of(word, reader->length).text, limit, most);
    if (kind == TNNI_NOT_A_NUMBER || value == 0)
        return tnni_source_fail(
            reader->source, TNN_BAD_FORMAT, reader->place,
            "\"%s\", expected %s, a whole number of at least 1",
            tnni_excerpt_of(word, reader->length).text, what);
    *count = (size_t)value;
    return TNN_OK;
}

/* From here on rows * (inputs + outputs) floats fit in size_t. */
static tnn_status check_shape(const fann_reader *reader) {
    const tnn_data *data = reader->data;
    size_t columns;
    size_t count;
    if (!tnni_add(data->inputs, data->outputs, &columns) || columns > reader->limits.columns)
        return tnni_source_fail(
            reader->source, TNN_UNSUPPORTED, reader->place,
            "%zu inputs and %zu outputs, more columns than limits.columns, %zu", data->inputs,
            data->outputs, reader->limits.columns);
    if (!tnni_multiply(data->rows, columns, &count) ||
        count > reader->limits.total_bytes / sizeof(float))
        return tnni_source_fail(
            reader->source, TNN_UNSUPPORTED, reader->place,
            "%zu rows of %zu floats, more bytes than limits.total_bytes, %zu", data->rows, columns,
            reader->limits.total_bytes);
    return TNN_OK;
}

static tnn_status read_header(fann_reader *reader) {
    tnn_data *data = reader->data;
    const tnn_data_limits *limits = &reader->limits;
    tnn_status status = read_count(reader, "the number of rows", limits->rows, "rows", &data->rows);
    if (status == TNN_OK)
        status =
            read_count(reader, "the number of inputs", limits->columns, "columns", &data->inputs);
    if (status == TNN_OK)
        status =
            read_count(reader, "the number of outputs", limits->columns, "columns", &data->outputs);
    return status == TNN_OK ? check_shape(reader) : status;
}

/* Appends count numbers to an array that holds used of at most most. */
static tnn_status read_numbers(
    fann_reader *reader, const char *expected, tnni_array *array, size_t used, size_t count,
    size_t most) {
    for (size_t i = used; i < used + count; i++) {
        tnn_status status = read_word(reader, expected);
        if (status == TNN_OK)
            status = tnni_data_reserve(reader->data, reader->source->caller, array, i, i + 1, most);
        if (status != TNN_OK)
            return status;
        const char *word = reader->word.data;
        tnni_number kind = tnni_read_float(word, reader->length, (float *)array->data + i);
        if (kind != TNNI_NUMBER)
            return tnni_source_fail(
                reader->source, TNN_BAD_FORMAT, reader->place,
                kind == TNNI_OUT_OF_RANGE
                    ? "\"%s\" is beyond the largest float, expected %s, finite"
                    : "\"%s\", expected %s, a number",
                tnni_excerpt_of(word, reader->length).text, expected);
    }
    return TNN_OK;
}

static tnn_status read_rows(fann_reader *reader) {
    tnn_data *data = reader->data;
    tnn_status status = tnni_source_refuse_gzip(reader->source, "FANN's text");
    if (status == TNN_OK)
        status = read_header(reader);
    if (status != TNN_OK)
        return status;
    size_t x_count = data->rows * data->inputs;
    size_t target_count = data->rows * data->outputs;
    for (size_t r = 0; status == TNN_OK && r < data->rows; r++) {
        status =
            read_numbers(reader, "an input", &data->x, r * data->inputs, data->inputs, x_count);
        if (status == TNN_OK)
            status = read_numbers(
                reader, "a target", &data->target, r * data->outputs, data->outputs, target_count);
    }
    if (status != TNN_OK)
        return status;
    skip_blanks(reader->source);
    if (tnni_source_peek(reader->source) != TNNI_END)
        return tnni_source_fail(
            reader->source, TNN_BAD_FORMAT, tnni_source_place(reader->source),
            "more text, expected the end after %zu rows", data->rows);
    return reader->source->status;
}

/* ---- The whole file -------------------------------------------------------------------------- */

/* Closes the source. */
static tnn_status read_fann(tnn_data **data, tnni_source *source, const tnn_read_options *options) {
    fann_reader reader = {.source = source, .limits = tnni_data_limits(&options->limits)};
    tnn_status status = tnni_data_new(&reader.data, source->caller, source->allocator);
    if (status == TNN_OK)
        status = read_rows(&reader);
    tnni_array_release(&reader.word, source->allocator);
    tnni_source_close(source);
    if (status == TNN_OK)
        *data = reader.data;
    else
        tnn_data_destroy(reader.data);
    return status;
}

tnn_status tnn_read_fann(tnn_data **data, const char *path, const tnn_read_options *options) {
    static const char *caller = "tnn_read_fann";
    tnni_source source;
    tnn_status status = tnni_read_options(caller, data, &options);
    if (status == TNN_OK)
        status = tnni_source_open_path(&source, caller, path, tnni_allocator(options->allocator));
    return status == TNN_OK ? read_fann(data, &source, options) : status;
}

tnn_status tnn_read_fann_from(
    tnn_data **data, const tnn_source *source, const tnn_read_options *options) {
    static const char *caller = "tnn_read_fann_from";
    tnni_source opened;
    tnn_status status = tnni_read_options(caller, data, &options);
    if (status == TNN_OK)
        status = tnni_source_open(&opened, caller, source, tnni_allocator(options->allocator));
    return status == TNN_OK ? read_fann(data, &opened, options) : status;
}
