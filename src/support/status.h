/* Errors: a status for the program, a sentence for its programmer. */
#ifndef TINYNN_SUPPORT_STATUS_H
#define TINYNN_SUPPORT_STATUS_H

#include <tinynn/tinynn.h>

/*
 * A check reads
 * return tnni_fail(TNN_INVALID_ARGUMENT, "tnn_forward: rows is 0, expected at least 1");
 * It is the public function, so that components, which see no other, share what is in support/.
 */
#define tnni_fail tnn_error_set

#endif
