/* Errors: a status for the program, a sentence for its programmer. */
#ifndef TINYNN_SUPPORT_STATUS_H
#define TINYNN_SUPPORT_STATUS_H

#include <tinynn/tinynn.h>

#ifdef __GNUC__
#    define TNNI_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#    define TNNI_PRINTF(text, first)
#endif

/*
 * Sets this thread's error message and returns status, so that a check reads
 * return tnni_fail(TNN_INVALID_ARGUMENT, "tnn_forward: rows is 0, expected at least 1");
 */
tnn_status tnni_fail(tnn_status status, const char *format, ...) TNNI_PRINTF(2, 3);

#endif
