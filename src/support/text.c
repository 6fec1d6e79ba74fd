#include "support/text.h"

#include "support/number.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MOST_FORMATTED = 512, MOST_COLUMNS = 100 };

static void flush(tnni_text *text) {
    if (text->filled > 0 && text->status == TNN_OK)
        text->status = text->sink->write(text->sink->context, text->buffer, text->filled);
    text->filled = 0;
}

static void put_character(tnni_text *text, char character) {
    if (text->filled == sizeof text->buffer)
        flush(text);
    text->buffer[text->filled++] = character;
    text->column = character == '\n' ? 0 : text->column + 1;
}

void tnni_text_begin(tnni_text *text, const tnn_sink *sink, const char *name, const char *macro) {
    text->sink = sink;
    text->name = name;
    text->macro = macro;
    text->status = TNN_OK;
    text->column = 0;
    text->filled = 0;
}

void tnni_text_put_plain(tnni_text *text, const char *characters, size_t length) {
    for (size_t i = 0; i < length; i++)
        put_character(text, characters[i]);
}

void tnni_text_put(tnni_text *text, const char *string) {
    for (; *string != '\0'; string++) {
        const char *filled_in = *string == '@' ? text->name : *string == '$' ? text->macro : NULL;
        if (filled_in)
            tnni_text_put_plain(text, filled_in, strlen(filled_in));
        else
            put_character(text, *string);
    }
}

void tnni_text_format(tnni_text *text, const char *format, ...) {
    char formatted[MOST_FORMATTED];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(formatted, sizeof formatted, format, arguments);
    va_end(arguments);
    tnni_text_put(text, formatted);
}

void tnni_text_floats(tnni_text *text, const float *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char number[TNNI_MOST_FLOAT];
        size_t length = tnni_write_float(values[i], number);
        if (text->column + length + strlen(" f,") > MOST_COLUMNS)
            put_character(text, '\n');
        tnni_text_put(text, text->column == 0 ? "    " : " ");
        tnni_text_put(text, number);
        tnni_text_put(text, "f,");
    }
}

tnn_status tnni_text_end(tnni_text *text) {
    flush(text);
    return text->status;
}

const char tnni_text_restrict[] = "#if !defined(__cplusplus)\n"
                                  "#    define $_RESTRICT restrict\n"
                                  "#elif defined(__GNUC__) || defined(_MSC_VER)\n"
                                  "#    define $_RESTRICT __restrict\n"
                                  "#else\n"
                                  "#    define $_RESTRICT\n"
                                  "#endif\n";
