/* Distinct texts, numbered as they first appear. */
#ifndef TINYNN_SUPPORT_LABELS_H
#define TINYNN_SUPPORT_LABELS_H

#include "support/array.h"

/* {0} with an allocator holds none. */
typedef struct tnni_labels {
    const tnn_allocator *allocator;
    uint32_t count;
    tnni_array text;  /* one after the other */
    tnni_array ends;  /* size_t [count]: in text */
    tnni_array nodes; /* of the tree that finds them */
    uint32_t root;
} tnni_labels;

/* The number of a text without bytes of 0, which is a new one if it was not seen before; there are
 * at most 2^31. Takes time linear in the text's length, whatever texts there are. False, and
 * nothing changed, without memory. */
bool tnni_labels_number(tnni_labels *labels, const char *text, size_t length, uint32_t *number);

/* The text of a number below count. */
const char *tnni_labels_text(const tnni_labels *labels, uint32_t number, size_t *length);
void tnni_labels_release(tnni_labels *labels);

#endif
