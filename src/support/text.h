/* Text that is written piece by piece: C source, with names that are filled in. */
#ifndef TINYNN_SUPPORT_TEXT_H
#define TINYNN_SUPPORT_TEXT_H

#include <tinynn/tinynn.h>

/* Goes through a buffer to a sink. Nothing is written after the first failure. */
typedef struct tnni_text {
    const tnn_sink *sink;
    const char *name;  /* what '@' stands for */
    const char *macro; /* what '$' stands for */
    tnn_status status; /* of the sink */
    size_t column;     /* of the next character, from 0 */
    size_t filled;
    char buffer[4096];
} tnni_text;

void tnni_text_begin(tnni_text *text, const tnn_sink *sink, const char *name, const char *macro);
/* As printf has it, in at most 511 characters; then names are filled in. */
void tnni_text_format(tnni_text *text, const char *format, ...);
/* A string of any length, with names filled in. */
void tnni_text_put(tnni_text *text, const char *string);
/* Characters as they are. */
void tnni_text_put_plain(tnni_text *text, const char *characters, size_t length);
/* count elements of an array, each with a comma, in lines of at most 100 columns. */
void tnni_text_floats(tnni_text *text, const float *values, size_t count);
/* The status of all of it. */
tnn_status tnni_text_end(tnni_text *text);

/* C source that defines $_RESTRICT, for what C++ has under other names if at all. */
extern const char tnni_text_restrict[];

#endif
