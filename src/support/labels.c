#include "support/labels.h"

#include <string.h>

/*
 * A crit-bit tree: a node names the first bit in which the texts below it differ, and its children
 * those with a 0 and with a 1 there. On a way down the bits ascend, so it is never longer than the
 * text has bits, and nobody can choose texts that make it slow, as they could with a hash table.
 * Texts end in endless zeros; none has a byte of 0, so they all differ.
 */
typedef struct node {
    size_t bit;
    uint32_t child[2];
} node;

static const uint32_t LEAF = UINT32_C(1) << 31; /* a child that is the number of a text */

static unsigned bit_of(const char *text, size_t length, size_t bit) {
    size_t byte = bit / 8;
    return byte < length ? (unsigned char)text[byte] >> (7 - bit % 8) & 1u : 0;
}

const char *tnni_labels_text(const tnni_labels *labels, uint32_t number, size_t *length) {
    const size_t *ends = labels->ends.data;
    size_t begin = number > 0 ? ends[number - 1] : 0;
    *length = ends[number] - begin;
    return (const char *)labels->text.data + begin;
}

/* Where the first bit is that differs; false if there is none. */
static bool first_difference(
    const char *a, size_t a_length, const char *b, size_t b_length, size_t *bit) {
    size_t common = a_length < b_length ? a_length : b_length;
    size_t byte = 0;
    while (byte < common && a[byte] == b[byte])
        byte++;
    if (byte == a_length && byte == b_length)
        return false;
    *bit = 8 * byte;
    while (bit_of(a, a_length, *bit) == bit_of(b, b_length, *bit))
        ++*bit;
    return true;
}

/* The place that points to the first node of the way whose bit is not below bit, or to its leaf. */
static uint32_t *find_child(tnni_labels *labels, const char *text, size_t length, size_t bit) {
    node *nodes = labels->nodes.data;
    uint32_t *child = &labels->root;
    while (!(*child & LEAF) && nodes[*child].bit < bit)
        child = &nodes[*child].child[bit_of(text, length, nodes[*child].bit)];
    return child;
}

static bool reserve_one_more(tnni_labels *labels, size_t used_text, size_t length) {
    size_t count = labels->count;
    return length <= SIZE_MAX - used_text &&
        tnni_array_reserve(
               &labels->text, labels->allocator, used_text, used_text + length, SIZE_MAX) &&
        tnni_array_reserve(
               &labels->ends, labels->allocator, count * sizeof(size_t),
               (count + 1) * sizeof(size_t), SIZE_MAX) &&
        tnni_array_reserve(
               &labels->nodes, labels->allocator, count * sizeof(node), (count + 1) * sizeof(node),
               SIZE_MAX);
}

bool tnni_labels_number(tnni_labels *labels, const char *text, size_t length, uint32_t *number) {
    uint32_t count = labels->count;
    size_t bit = 0;
    if (count > 0) {
        size_t known_length;
        uint32_t known = *find_child(labels, text, length, SIZE_MAX) & ~LEAF;
        const char *known_text = tnni_labels_text(labels, known, &known_length);
        *number = known;
        if (!first_difference(text, length, known_text, known_length, &bit))
            return true;
    }
    size_t used = count > 0 ? ((const size_t *)labels->ends.data)[count - 1] : 0;
    if (!reserve_one_more(labels, used, length))
        return false;
    memcpy((char *)labels->text.data + used, text, length);
    ((size_t *)labels->ends.data)[count] = used + length;
    labels->count++;
    *number = count;
    if (count == 0) {
        labels->root = LEAF;
        return true;
    }
    /* Node 0 is never used, so that there are as many as texts. */
    uint32_t *child = find_child(labels, text, length, bit);
    unsigned side = bit_of(text, length, bit);
    node *new = (node *)labels->nodes.data + count;
    new->bit = bit;
    new->child[side] = count | LEAF;
    new->child[!side] = *child;
    *child = count;
    return true;
}

void tnni_labels_release(tnni_labels *labels) {
    tnni_array_release(&labels->text, labels->allocator);
    tnni_array_release(&labels->ends, labels->allocator);
    tnni_array_release(&labels->nodes, labels->allocator);
}
