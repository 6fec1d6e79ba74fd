#include "support/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char message[512];

const char *tnn_status_string(tnn_status status) {
    switch (status) {
    case TNN_OK:
        return "TNN_OK";
    case TNN_INVALID_ARGUMENT:
        return "TNN_INVALID_ARGUMENT";
    case TNN_OUT_OF_MEMORY:
        return "TNN_OUT_OF_MEMORY";
    case TNN_BAD_STATE:
        return "TNN_BAD_STATE";
    case TNN_IO_ERROR:
        return "TNN_IO_ERROR";
    case TNN_BAD_FORMAT:
        return "TNN_BAD_FORMAT";
    case TNN_UNSUPPORTED:
        return "TNN_UNSUPPORTED";
    case TNN_NOT_FINITE:
        return "TNN_NOT_FINITE";
    }
    return "unknown status";
}

const char *tnn_error_message(void) {
    return message;
}

const char *tnn_version(void) {
    return TNN_VERSION_STRING;
}

/* By way of a copy, since an argument may be the message of before. */
tnn_status tnn_error_set(tnn_status status, const char *format, ...) {
    char text[sizeof message] = "";
    va_list arguments;
    va_start(arguments, format);
    if (format)
        vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    memcpy(message, text, sizeof message);
    return status;
}
