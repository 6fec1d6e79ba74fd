/*
 * Comma-separated values. A line becomes a record, its fields as text with their places; a record
 * becomes a row of numbers. Nothing is known of a file before it is read, so everything grows as
 * bytes arrive, and memory and time are linear in those.
 */
#include "dataset.h"
#include "support/labels.h"
#include "support/memory.h"
#include "support/number.h"
#include "support/source.h"

#include <string.h>

enum { INPUT, IGNORED, WEIGHT, TARGET };

typedef struct csv_field {
    size_t begin; /* in the record's text */
    size_t length;
    tnni_place place;
} csv_field;

typedef struct csv_record {
    tnni_array text;
    size_t text_bytes;
    tnni_array fields;
    size_t count;
    tnni_place end;
} csv_record;

typedef struct csv_reader {
    tnni_source *source;
    const tnn_csv_options *options;
    const tnn_allocator *allocator;
    tnn_data_limits limits;
    unsigned char separator; /* as the source's bytes */
    csv_record header;       /* empty if there is none */
    csv_record row;
    size_t columns;      /* 0: not known yet */
    uint64_t first_line; /* which told columns */
    tnni_array roles;    /* size_t [columns]: INPUT, IGNORED, WEIGHT, or TARGET + t of target t */
    size_t row_bytes;    /* of the data set */
    tnni_labels classes;
    tnn_data *data;
} csv_reader;

static tnn_status out_of_memory(const csv_reader *reader, const char *what) {
    return tnni_out_of_memory(reader->source->caller, what);
}

/* ---- From bytes to fields -------------------------------------------------------------------- */

/* Space and tab, unless they separate, and the CR of CR LF. */
static bool is_blank(const csv_reader *reader, int byte) {
    return byte == ' ' || byte == '\r' || (byte == '\t' && reader->separator != '\t');
}

static bool is_separator(const csv_reader *reader, int byte) {
    return byte == reader->separator || (byte == '\t' && reader->separator == ' ');
}

static bool ends_line(int byte) {
    return byte == '\n' || byte == TNNI_END;
}

static void skip_blanks(csv_reader *reader) {
    while (is_blank(reader, tnni_source_peek(reader->source)))
        tnni_source_next(reader->source);
}

/* Takes the next byte into the field's text. */
static tnn_status take_byte(csv_reader *reader, csv_field *field) {
    csv_record *row = &reader->row;
    tnni_place place = tnni_source_place(reader->source);
    char byte = (char)tnni_source_next(reader->source);
    if (byte == '\0')
        return tnni_source_fail(
            reader->source, TNN_BAD_FORMAT, place, "a byte of 0, expected text");
    if (field->length == TNNI_MOST_FIELD)
        return tnni_source_fail(
            reader->source, TNN_BAD_FORMAT, field->place,
            "a field of more than %d bytes begins here, expected a shorter one", TNNI_MOST_FIELD);
    if (row->text_bytes == row->text.bytes &&
        !tnni_array_reserve(
            &row->text, reader->allocator, row->text_bytes, row->text_bytes + 1, SIZE_MAX))
        return out_of_memory(reader, "text of a line");
    ((char *)row->text.data)[row->text_bytes++] = byte;
    field->length++;
    return TNN_OK;
}

/* What stands between quotes, where two of them stand for one. */
static tnn_status take_quoted(csv_reader *reader, csv_field *field) {
    tnni_source *source = reader->source;
    tnni_source_next(source);
    for (;;) {
        int byte = tnni_source_peek(source);
        if (byte == TNNI_END)
            return tnni_source_fail(
                source, TNN_BAD_FORMAT, field->place,
                "a quote begins here, expected another one that ends it");
        if (byte == '"') {
            tnni_source_next(source);
            byte = tnni_source_peek(source);
            if (ends_line(byte) || is_blank(reader, byte) || is_separator(reader, byte))
                return TNN_OK;
            if (byte != '"')
                return tnni_source_fail(
                    source, TNN_BAD_FORMAT, tnni_source_place(source),
                    "text follows a quote that ended, expected a separator");
        }
        tnn_status status = take_byte(reader, field);
        if (status != TNN_OK)
            return status;
    }
}

static tnn_status take_plain(csv_reader *reader, csv_field *field) {
    for (;;) {
        int byte = tnni_source_peek(reader->source);
        if (ends_line(byte) || is_separator(reader, byte))
            break;
        tnn_status status = take_byte(reader, field);
        if (status != TNN_OK)
            return status;
    }
    const char *text = reader->row.text.data;
    while (field->length > 0 && is_blank(reader, text[field->begin + field->length - 1]))
        field->length--;
    return TNN_OK;
}

/* After a field: takes the separator; *more tells whether there was one. */
static tnn_status take_separator(csv_reader *reader, bool *more) {
    tnni_source *source = reader->source;
    skip_blanks(reader);
    if (reader->separator == ' ')
        while (is_separator(reader, tnni_source_peek(source)))
            tnni_source_next(source);
    int byte = tnni_source_peek(source);
    *more = !ends_line(byte);
    if (!*more || reader->separator == ' ')
        return TNN_OK;
    if (!is_separator(reader, byte))
        return tnni_source_fail(
            source, TNN_BAD_FORMAT, tnni_source_place(source),
            "text follows a quote that ended, expected a separator");
    tnni_source_next(source);
    return TNN_OK;
}

static tnn_status check_count(const csv_reader *reader, tnni_place place) {
    const csv_record *row = &reader->row;
    if (reader->columns > 0 && row->count == reader->columns)
        return tnni_source_fail(
            reader->source, TNN_BAD_FORMAT, place, "one more field, expected %zu as in line %llu",
            reader->columns, (unsigned long long)reader->first_line);
    if (row->count == reader->limits.columns)
        return tnni_source_fail(
            reader->source, TNN_UNSUPPORTED, place, "more columns than limits.columns, %zu",
            reader->limits.columns);
    if (row->text_bytes > reader->limits.total_bytes)
        return tnni_source_fail(
            reader->source, TNN_UNSUPPORTED, place,
            "the line has more bytes than limits.total_bytes, %zu", reader->limits.total_bytes);
    return TNN_OK;
}

static tnn_status take_field(csv_reader *reader, bool *more) {
    csv_record *row = &reader->row;
    skip_blanks(reader);
    csv_field field = {row->text_bytes, 0, tnni_source_place(reader->source)};
    tnn_status status = check_count(reader, field.place);
    if (status != TNN_OK)
        return status;
    if (tnni_source_peek(reader->source) == '"')
        status = take_quoted(reader, &field);
    else
        status = take_plain(reader, &field);
    if (status != TNN_OK)
        return status;
    if (!tnni_array_reserve(
            &row->fields, reader->allocator, row->count * sizeof field,
            (row->count + 1) * sizeof field, SIZE_MAX))
        return out_of_memory(reader, "fields of a line");
    memcpy((char *)row->fields.data + row->count * sizeof field, &field, sizeof field);
    row->count++;
    return take_separator(reader, more);
}

/* Blank lines; true if something follows them. */
static bool skip_empty_lines(csv_reader *reader) {
    do
        skip_blanks(reader);
    while (tnni_source_peek(reader->source) == '\n' &&
           tnni_source_next(reader->source) != TNNI_END);
    return tnni_source_peek(reader->source) != TNNI_END;
}

/* Reads the next line that is not empty into row; *found is false at the end. */
static tnn_status read_record(csv_reader *reader, bool *found) {
    csv_record *row = &reader->row;
    row->text_bytes = 0;
    row->count = 0;
    *found = skip_empty_lines(reader);
    tnn_status status = TNN_OK;
    for (bool more = *found; more && status == TNN_OK;)
        status = take_field(reader, &more);
    if (reader->source->status != TNN_OK)
        return reader->source->status;
    if (status != TNN_OK || !*found)
        return status;
    row->end = tnni_source_place(reader->source);
    tnni_source_next(reader->source);
    if (reader->columns > 0 && row->count < reader->columns)
        return tnni_source_fail(
            reader->source, TNN_BAD_FORMAT, row->end,
            "the line ends after %zu fields, expected %zu as in line %llu", row->count,
            reader->columns, (unsigned long long)reader->first_line);
    return TNN_OK;
}

/* ---- What the columns are -------------------------------------------------------------------- */

static const char *text_of(const csv_record *record, size_t column, size_t *length) {
    const csv_field *field = (const csv_field *)record->fields.data + column;
    *length = field->length;
    return field->length > 0 ? (const char *)record->text.data + field->begin : "";
}

static bool has_name(const csv_record *header, size_t column, const char *name) {
    size_t length;
    const char *text = text_of(header, column, &length);
    return length == strlen(name) && memcmp(text, name, length) == 0;
}

/* *column = where the header has the name. */
static tnn_status find_name(const csv_reader *reader, const char *name, size_t *column) {
    const csv_record *header = &reader->header;
    tnni_place place = {reader->first_line, 1};
    size_t found = 0;
    for (size_t c = 0; c < reader->columns; c++)
        if (has_name(header, c, name)) {
            *column = c;
            found++;
        }
    if (found == 1)
        return TNN_OK;
    return tnni_source_fail(
        reader->source, TNN_BAD_FORMAT, place, "%s named \"%.80s\", expected one",
        found == 0 ? "no column is" : "several columns are", name);
}

/* Gives a role to the column of that name or, if it is NULL, of that number. */
static tnn_status assign_role(csv_reader *reader, size_t role, const char *name, size_t number) {
    static const char *const roles_are[] = {"an input", "ignored", "the weight", "a target"};
    size_t *roles = reader->roles.data;
    const char *as = roles_are[role < TARGET ? role : TARGET];
    if (name) {
        tnn_status status = find_name(reader, name, &number);
        if (status != TNN_OK)
            return status;
    }
    if (number >= reader->columns)
        return tnni_source_fail(
            reader->source, TNN_BAD_FORMAT, reader->row.end,
            "the line has %zu fields, expected one of number %zu, counted from 0, as it is %s",
            reader->columns, number, as);
    if (roles[number] != INPUT)
        return tnni_fail(
            TNN_INVALID_ARGUMENT, "%s: column %zu is given twice, as it is %s and %s",
            reader->source->caller, number,
            roles_are[roles[number] < TARGET ? roles[number] : TARGET], as);
    roles[number] = role;
    return TNN_OK;
}

static bool has_weight(const tnn_csv_options *options) {
    return options->weight_column || options->weight_name;
}

static size_t count_targets(const tnn_csv_options *options) {
    return options->target_count || options->no_target ? options->target_count : 1;
}

/* The target that nobody named. */
static size_t last_input(const csv_reader *reader) {
    const size_t *roles = reader->roles.data;
    size_t column = reader->columns - 1;
    while (roles[column] != INPUT)
        column--;
    return column;
}

static tnn_status assign_roles(csv_reader *reader) {
    const tnn_csv_options *options = reader->options;
    tnn_status status = TNN_OK;
    memset(reader->roles.data, 0, reader->columns * sizeof(size_t));
    for (size_t i = 0; i < options->ignored_count && status == TNN_OK; i++)
        status = assign_role(
            reader, IGNORED, options->ignored_names ? options->ignored_names[i] : NULL,
            options->ignored_columns ? options->ignored_columns[i] : 0);
    if (status == TNN_OK && has_weight(options))
        status = assign_role(
            reader, WEIGHT, options->weight_name,
            options->weight_column ? *options->weight_column : 0);
    for (size_t t = 0; t < options->target_count && status == TNN_OK; t++)
        status = assign_role(
            reader, TARGET + t, options->target_names ? options->target_names[t] : NULL,
            options->target_columns ? options->target_columns[t] : 0);
    if (status == TNN_OK && options->target_count == 0 && !options->no_target)
        status = assign_role(reader, TARGET, NULL, last_input(reader));
    return status;
}

/* One that the text of a line holds, but not as a separator; 0 for none. */
static unsigned char other_separator(const csv_reader *reader) {
    static const unsigned char usual[] = {';', '\t', '|', ',', ' '};
    const csv_record *row = &reader->row;
    for (size_t i = 0; i < sizeof usual && row->text_bytes > 0; i++)
        if (usual[i] != reader->separator && memchr(row->text.data, usual[i], row->text_bytes))
            return usual[i];
    return 0;
}

static tnni_excerpt written(unsigned char byte) {
    return byte == '\t' ? tnni_excerpt_of("\\t", 2) : tnni_excerpt_of((const char *)&byte, 1);
}

static tnn_status fail_without_separator(const csv_reader *reader) {
    return tnni_source_fail(
        reader->source, TNN_BAD_FORMAT, reader->row.end,
        "the line has no '%s' but has '%s': is that the separator?",
        written(reader->separator).text, written(other_separator(reader)).text);
}

static tnn_status check_inputs(const csv_reader *reader, size_t others) {
    size_t columns = reader->row.count;
    if (columns > others)
        return TNN_OK;
    if (columns == 1 && other_separator(reader) != 0)
        return fail_without_separator(reader);
    return tnni_source_fail(
        reader->source, TNN_BAD_FORMAT, reader->row.end,
        "the line ends after %zu fields, expected at least %zu, one of them an input", columns,
        others + 1);
}

/* From the first line, which is in row. */
static tnn_status set_columns(csv_reader *reader) {
    const tnn_csv_options *options = reader->options;
    size_t targets = count_targets(options);
    size_t others = targets + options->ignored_count + has_weight(options);
    size_t columns = reader->row.count;
    tnn_status status = check_inputs(reader, others);
    if (status != TNN_OK)
        return status;
    reader->columns = columns;
    reader->first_line = ((const csv_field *)reader->row.fields.data)->place.line;
    reader->data->inputs = columns - others;
    reader->data->outputs = targets;
    reader->row_bytes = (columns - options->ignored_count) * sizeof(float);
    if (!tnni_array_reserve(
            &reader->roles, reader->allocator, 0, columns * sizeof(size_t), SIZE_MAX))
        return out_of_memory(reader, "columns");
    if (options->has_header) {
        reader->header = reader->row;
        reader->row = (csv_record){.end = reader->header.end};
    }
    return assign_roles(reader);
}

/* ---- From fields to rows --------------------------------------------------------------------- */

static tnn_status check_limits(const csv_reader *reader) {
    size_t rows = reader->data->rows;
    tnni_place place = ((const csv_field *)reader->row.fields.data)->place;
    if (rows == reader->limits.rows)
        return tnni_source_fail(
            reader->source, TNN_UNSUPPORTED, place, "more rows than limits.rows, %zu",
            reader->limits.rows);
    if (rows >= reader->limits.total_bytes / reader->row_bytes)
        return tnni_source_fail(
            reader->source, TNN_UNSUPPORTED, place,
            "the rows take more bytes than limits.total_bytes, %zu", reader->limits.total_bytes);
    return TNN_OK;
}

/* One more row in one of the data set's arrays. */
static tnn_status reserve_row(csv_reader *reader, tnni_array *array, size_t columns) {
    size_t used = reader->data->rows * columns;
    return tnni_data_reserve(
        reader->data, reader->source->caller, array, used, used + columns,
        reader->limits.total_bytes / sizeof(float));
}

static tnn_status reserve(csv_reader *reader) {
    tnn_data *data = reader->data;
    tnn_status status = check_limits(reader);
    if (status == TNN_OK)
        status = reserve_row(reader, &data->x, data->inputs);
    if (status == TNN_OK && has_weight(reader->options))
        status = reserve_row(reader, &data->row_weights, 1);
    if (status == TNN_OK && reader->options->is_class)
        status = reserve_row(reader, &data->classes, 1);
    else if (status == TNN_OK)
        status = reserve_row(reader, &data->target, data->outputs);
    return status;
}

static tnn_status read_number(const csv_reader *reader, size_t column, float *value) {
    size_t length;
    const char *text = text_of(&reader->row, column, &length);
    tnni_number kind = tnni_read_float(text, length, value);
    if (kind == TNNI_NUMBER)
        return TNN_OK;
    bool may_be_header = reader->data->rows == 0 && !reader->options->has_header;
    if (reader->columns == 1 && other_separator(reader) != 0)
        return fail_without_separator(reader);
    return tnni_source_fail(
        reader->source, TNN_BAD_FORMAT, ((const csv_field *)reader->row.fields.data)[column].place,
        kind == TNNI_OUT_OF_RANGE ? "\"%s\" is beyond the largest float, expected a finite number"
            : may_be_header
            ? "\"%s\", expected a number; if this line names the columns, set has_header"
            : "\"%s\", expected a number",
        tnni_excerpt_of(text, length).text);
}

static tnn_status read_class(csv_reader *reader, size_t column, uint32_t *number) {
    size_t length;
    const char *text = text_of(&reader->row, column, &length);
    tnni_place place = ((const csv_field *)reader->row.fields.data)[column].place;
    if (length == 0)
        return tnni_source_fail(reader->source, TNN_BAD_FORMAT, place, "nothing, expected a class");
    if (!tnni_labels_number(&reader->classes, text, length, number))
        return out_of_memory(reader, "classes");
    if (*number >= reader->limits.columns || *number == INT32_MAX)
        return tnni_source_fail(
            reader->source, TNN_UNSUPPORTED, place, "more classes than limits.columns, %zu",
            reader->limits.columns);
    return TNN_OK;
}

static tnn_status add_row(csv_reader *reader) {
    tnn_data *data = reader->data;
    const size_t *roles = reader->roles.data;
    tnn_status status = reserve(reader);
    if (status != TNN_OK)
        return status;
    float *x = (float *)data->x.data + data->rows * data->inputs;
    float *target = data->target.data; /* NULL with a class or without a target */
    if (target)
        target += data->rows * data->outputs;
    for (size_t c = 0; c < reader->columns && status == TNN_OK; c++) {
        if (roles[c] == INPUT)
            status = read_number(reader, c, x++);
        else if (roles[c] == WEIGHT)
            status = read_number(reader, c, (float *)data->row_weights.data + data->rows);
        else if (roles[c] >= TARGET && reader->options->is_class)
            status = read_class(reader, c, (uint32_t *)data->classes.data + data->rows);
        else if (roles[c] >= TARGET)
            status = read_number(reader, c, target + (roles[c] - TARGET));
    }
    data->rows += status == TNN_OK;
    return status;
}

/* ---- Classes and names ----------------------------------------------------------------------- */

/* The class that a text is as a whole number; false if it is none. */
static bool whole_class(const csv_reader *reader, uint32_t label, float *value) {
    size_t length;
    const char *text = tnni_labels_text(&reader->classes, label, &length);
    return tnni_read_float(text, length, value) == TNNI_NUMBER && *value >= 0.0f &&
        *value < 0x1p24f && *value == (float)(uint32_t)*value;
}

/* classes[rows] from numbers of labels to the labels' values; outputs to cover them. */
static tnn_status use_values(csv_reader *reader) {
    tnn_data *data = reader->data;
    uint32_t *classes = data->classes.data;
    uint32_t largest = 0;
    tnni_array values = {0};
    if (!tnni_array_reserve(
            &values, reader->allocator, 0, reader->classes.count * sizeof(uint32_t), SIZE_MAX))
        return out_of_memory(reader, "classes");
    uint32_t *value = values.data;
    for (uint32_t label = 0; label < reader->classes.count; label++) {
        float exact = 0;
        whole_class(reader, label, &exact);
        value[label] = (uint32_t)exact;
        largest = value[label] > largest ? value[label] : largest;
    }
    for (size_t r = 0; r < data->rows; r++)
        classes[r] = value[classes[r]];
    tnni_array_release(&values, reader->allocator);
    data->outputs = (size_t)largest + 1;
    if (largest < reader->limits.columns)
        return TNN_OK;
    return tnni_source_fail(
        reader->source, TNN_UNSUPPORTED, tnni_source_place(reader->source),
        "class %lu makes more classes than limits.columns, %zu", (unsigned long)largest,
        reader->limits.columns);
}

static tnn_status name_classes(csv_reader *reader) {
    tnn_data *data = reader->data;
    tnn_status status = TNN_OK;
    for (uint32_t label = 0; label < data->outputs && status == TNN_OK; label++) {
        size_t length;
        const char *text = tnni_labels_text(&reader->classes, label, &length);
        status =
            tnni_data_set_name(data, reader->source->caller, data->inputs + label, text, length);
    }
    return status;
}

/* Sets outputs, which names need. */
static tnn_status finish_classes(csv_reader *reader, bool *named) {
    float value;
    bool whole = true;
    for (uint32_t label = 0; label < reader->classes.count && whole; label++)
        whole = whole_class(reader, label, &value);
    *named = !whole;
    if (whole)
        return use_values(reader);
    reader->data->outputs = reader->classes.count;
    return TNN_OK;
}

static tnn_status name_columns(csv_reader *reader) {
    tnn_data *data = reader->data;
    const size_t *roles = reader->roles.data;
    size_t input = 0;
    tnn_status status = TNN_OK;
    for (size_t c = 0; c < reader->columns && status == TNN_OK; c++) {
        size_t length;
        const char *text = text_of(&reader->header, c, &length);
        if (roles[c] == INPUT)
            status = tnni_data_set_name(data, reader->source->caller, input++, text, length);
        else if (roles[c] >= TARGET && !reader->options->is_class)
            status = tnni_data_set_name(
                data, reader->source->caller, data->inputs + (roles[c] - TARGET), text, length);
    }
    return status;
}

static tnn_status finish(csv_reader *reader) {
    bool named = false;
    tnn_status status = TNN_OK;
    if (reader->data->rows == 0)
        return tnni_source_fail(
            reader->source, TNN_BAD_FORMAT, tnni_source_place(reader->source),
            "the end, expected a row of numbers");
    if (reader->options->is_class)
        status = finish_classes(reader, &named);
    if (status == TNN_OK && reader->options->has_header)
        status = name_columns(reader);
    if (status == TNN_OK && named)
        status = name_classes(reader);
    return status;
}

/* ---- The whole file -------------------------------------------------------------------------- */

static void skip_byte_order_mark(tnni_source *source) {
    static const unsigned char mark[] = {0xef, 0xbb, 0xbf};
    if (tnni_source_peek(source) == mark[0] && source->filled >= sizeof mark &&
        memcmp(source->buffer, mark, sizeof mark) == 0) {
        source->at = sizeof mark;
        source->line_start = sizeof mark;
    }
}

static tnn_status read_rows(csv_reader *reader) {
    bool found = true;
    tnn_status status = tnni_source_refuse_gzip(reader->source, "CSV");
    if (status != TNN_OK)
        return status;
    skip_byte_order_mark(reader->source);
    while (found) {
        status = read_record(reader, &found);
        bool first = reader->columns == 0;
        if (status == TNN_OK && found && first)
            status = set_columns(reader);
        if (status == TNN_OK && found && !(first && reader->options->has_header))
            status = add_row(reader);
        if (status != TNN_OK)
            return status;
    }
    return finish(reader);
}

static void release_record(csv_record *record, const tnn_allocator *allocator) {
    tnni_array_release(&record->text, allocator);
    tnni_array_release(&record->fields, allocator);
}

/* Closes the source. */
static tnn_status read_csv(tnn_data **data, tnni_source *source, const tnn_csv_options *options) {
    const tnn_allocator *allocator = source->allocator;
    csv_reader reader = {
        .source = source,
        .options = options,
        .allocator = allocator,
        .limits = tnni_data_limits(&options->limits),
        .separator = options->separator ? (unsigned char)options->separator : ',',
        .classes = {.allocator = allocator}};
    tnn_status status = tnni_data_new(&reader.data, source->caller, allocator);
    if (status == TNN_OK)
        status = read_rows(&reader);
    release_record(&reader.header, allocator);
    release_record(&reader.row, allocator);
    tnni_array_release(&reader.roles, allocator);
    tnni_labels_release(&reader.classes);
    tnni_source_close(source);
    if (status == TNN_OK)
        *data = reader.data;
    else
        tnn_data_destroy(reader.data);
    return status;
}

/* ---- Arguments ------------------------------------------------------------------------------- */

static const char *fault_of_targets(const tnn_csv_options *options) {
    if (options->no_target && (options->target_count > 0 || options->is_class))
        return "no_target is set, expected neither targets nor is_class";
    if (options->target_columns && options->target_names)
        return "target_columns and target_names are both given, expected one of them";
    if (options->target_count > 0 && !options->target_columns && !options->target_names)
        return "target_count is not 0, expected target_columns or target_names";
    if (options->target_count == 0 && (options->target_columns || options->target_names))
        return "target_count is 0, expected the number of targets";
    if (options->target_names && !options->has_header)
        return "target_names is given, expected has_header";
    if (options->is_class && options->target_count > 1)
        return "is_class is set, expected a target_count of 1";
    for (size_t t = 0; options->target_names && t < options->target_count; t++)
        if (!options->target_names[t])
            return "one of target_names is NULL";
    return NULL;
}

static const char *fault_of_others(const tnn_csv_options *options) {
    if (options->ignored_columns && options->ignored_names)
        return "ignored_columns and ignored_names are both given, expected one of them";
    if (options->ignored_count > 0 && !options->ignored_columns && !options->ignored_names)
        return "ignored_count is not 0, expected ignored_columns or ignored_names";
    if (options->ignored_count == 0 && (options->ignored_columns || options->ignored_names))
        return "ignored_count is 0, expected the number of columns to ignore";
    if (options->ignored_names && !options->has_header)
        return "ignored_names is given, expected has_header";
    for (size_t i = 0; options->ignored_names && i < options->ignored_count; i++)
        if (!options->ignored_names[i])
            return "one of ignored_names is NULL";
    if (options->weight_column && options->weight_name)
        return "weight_column and weight_name are both given, expected one of them";
    if (options->weight_name && !options->has_header)
        return "weight_name is given, expected has_header";
    return NULL;
}

/* What a number, a name or a line is made of cannot separate. */
static bool is_possible_separator(char c) {
    return c == '\0' ||
        (c != '"' && c != '\n' && c != '\r' && !strchr("+-.0123456789", c) &&
         !((c | 0x20) >= 'a' && (c | 0x20) <= 'z'));
}

static tnn_status check(const char *caller, tnn_data **data, const tnn_csv_options **options) {
    static const tnn_csv_options defaults = {0};
    if (!data)
        return tnni_null_argument(caller, "data");
    *data = NULL;
    if (!*options)
        *options = &defaults;
    if (!is_possible_separator((*options)->separator))
        return tnni_fail(
            TNN_INVALID_ARGUMENT,
            "%s: options->separator is byte %d, expected none of numbers, letters, quotes and "
            "lines",
            caller, (unsigned char)(*options)->separator);
    const char *fault = fault_of_targets(*options);
    if (!fault)
        fault = fault_of_others(*options);
    return fault ? tnni_fail(TNN_INVALID_ARGUMENT, "%s: options->%s", caller, fault) : TNN_OK;
}

tnn_status tnn_read_csv(tnn_data **data, const char *path, const tnn_csv_options *options) {
    static const char *caller = "tnn_read_csv";
    tnni_source source;
    tnn_status status = check(caller, data, &options);
    if (status == TNN_OK)
        status = tnni_source_open_path(&source, caller, path, tnni_allocator(options->allocator));
    return status == TNN_OK ? read_csv(data, &source, options) : status;
}

tnn_status tnn_read_csv_from(
    tnn_data **data, const tnn_source *source, const tnn_csv_options *options) {
    static const char *caller = "tnn_read_csv_from";
    tnni_source opened;
    tnn_status status = check(caller, data, &options);
    if (status == TNN_OK)
        status = tnni_source_open(&opened, caller, source, tnni_allocator(options->allocator));
    return status == TNN_OK ? read_csv(data, &opened, options) : status;
}
