#include "gguf.h"
#include "support/bytes.h"
#include "support/checksum.h"
#include "support/memory.h"
#include "support/source.h"
#include "support/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    LEAST_KEY = 13,    /* bytes: length, type, a value of one byte */
    LEAST_TENSOR = 24, /* length, dimension count, type, offset */
    MOST_KEYS = 1 << 16,
    MOST_ALIGNMENT = 1 << 16,
    MOST_DEPTH = 8 /* of arrays in arrays */
};

static const struct {
    const char *name;
    size_t bytes; /* of a value; of a string or an array, at least */
} types[TNNI_GGUF_TYPES] = {
    [TNNI_GGUF_U8] = {"uint8", 1},      [TNNI_GGUF_I8] = {"int8", 1},
    [TNNI_GGUF_U16] = {"uint16", 2},    [TNNI_GGUF_I16] = {"int16", 2},
    [TNNI_GGUF_U32] = {"uint32", 4},    [TNNI_GGUF_I32] = {"int32", 4},
    [TNNI_GGUF_F32] = {"float32", 4},   [TNNI_GGUF_BOOL] = {"bool", 1},
    [TNNI_GGUF_STRING] = {"string", 8}, [TNNI_GGUF_ARRAY] = {"array", 12},
    [TNNI_GGUF_U64] = {"uint64", 8},    [TNNI_GGUF_I64] = {"int64", 8},
    [TNNI_GGUF_F64] = {"float64", 8},
};

/* ---- Walking over bytes ---------------------------------------------------------------------- */

/* Where the walk is; every step checks what it takes against the end of the file. */
typedef struct cursor {
    const tnni_gguf *gguf;
    size_t at;
} cursor;

static tnn_status bad(const tnni_gguf *gguf, size_t at, const char *what) {
    return tnni_fail(TNN_BAD_FORMAT, "%s: byte %zu: %s", gguf->where, at, what);
}

/* count more bytes of something; bytes may be NULL. */
static tnn_status take(
    cursor *walk, uint64_t count, const char *what, const unsigned char **bytes) {
    size_t left = walk->gguf->count - walk->at;
    if (count > left)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: byte %zu: the end after %zu bytes, expected %" PRIu64 " of %s",
            walk->gguf->where, walk->at, left, count, what);
    if (bytes)
        *bytes = walk->gguf->bytes + walk->at;
    walk->at += (size_t)count;
    return TNN_OK;
}

static tnn_status take_u32(cursor *walk, const char *what, uint32_t *value) {
    const unsigned char *bytes = NULL;
    tnn_status status = take(walk, 4, what, &bytes);
    if (status == TNN_OK)
        *value = tnni_load_u32(bytes);
    return status;
}

static tnn_status take_u64(cursor *walk, const char *what, uint64_t *value) {
    const unsigned char *bytes = NULL;
    tnn_status status = take(walk, 8, what, &bytes);
    if (status == TNN_OK)
        *value = tnni_load_u64(bytes);
    return status;
}

static tnn_status skip_string(cursor *walk, const char *what) {
    uint64_t length = 0;
    tnn_status status = take_u64(walk, what, &length);
    return status == TNN_OK ? take(walk, length, what, NULL) : status;
}

static tnn_status skip_name(cursor *walk, const char *what) {
    size_t at = walk->at;
    tnn_status status = skip_string(walk, what);
    size_t length = walk->at - at - 8;
    if (status == TNN_OK && (length == 0 || length > TNNI_GGUF_MOST_NAME))
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: byte %zu: %s has %zu bytes, expected 1 to %d", walk->gguf->where,
            at, what, length, TNNI_GGUF_MOST_NAME);
    return status;
}

static tnn_status take_type(cursor *walk, uint32_t *type) {
    size_t at = walk->at;
    tnn_status status = take_u32(walk, "the type of a value", type);
    if (status == TNN_OK && *type >= TNNI_GGUF_TYPES)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: byte %zu: a value of type %" PRIu32 ", expected at most %d",
            walk->gguf->where, at, *type, TNNI_GGUF_TYPES - 1);
    return status;
}

static tnn_status skip_values(cursor *walk, uint32_t type, uint64_t count, int depth);

static tnn_status skip_array(cursor *walk, int depth) {
    uint32_t type = 0;
    uint64_t count = 0;
    if (depth == MOST_DEPTH)
        return bad(walk->gguf, walk->at, "arrays within arrays, deeper than 8");
    tnn_status status = take_type(walk, &type);
    if (status == TNN_OK)
        status = take_u64(walk, "the length of an array", &count);
    return status == TNN_OK ? skip_values(walk, type, count, depth + 1) : status;
}

/* No more than the file has room for: each value takes at least one byte. */
static tnn_status skip_values(cursor *walk, uint32_t type, uint64_t count, int depth) {
    size_t left = walk->gguf->count - walk->at;
    if (count > left / types[type].bytes)
        return tnni_fail(
            TNN_BAD_FORMAT,
            "%s: byte %zu: %" PRIu64 " values of type %s, but there are only %zu bytes more",
            walk->gguf->where, walk->at, count, types[type].name, left);
    if (type != TNNI_GGUF_STRING && type != TNNI_GGUF_ARRAY)
        return take(walk, count * types[type].bytes, "values", NULL);
    tnn_status status = TNN_OK;
    for (uint64_t i = 0; i < count && status == TNN_OK; i++)
        status = type == TNNI_GGUF_STRING ? skip_string(walk, "a string") : skip_array(walk, depth);
    return status;
}

static tnn_status skip_key(cursor *walk) {
    uint32_t type = 0;
    tnn_status status = skip_name(walk, "a key");
    if (status == TNN_OK)
        status = take_type(walk, &type);
    return status == TNN_OK ? skip_values(walk, type, 1, 0) : status;
}

static tnn_status skip_info(cursor *walk) {
    uint32_t dimension_count = 0;
    tnn_status status = skip_name(walk, "a tensor's name");
    size_t at = walk->at;
    if (status == TNN_OK)
        status = take_u32(walk, "a tensor's number of dimensions", &dimension_count);
    if (status == TNN_OK && (dimension_count == 0 || dimension_count > TNNI_GGUF_MOST_DIMENSIONS))
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: byte %zu: a tensor of %" PRIu32 " dimensions, expected 1 to %d",
            walk->gguf->where, at, dimension_count, TNNI_GGUF_MOST_DIMENSIONS);
    if (status == TNN_OK)
        status = take(walk, 8 * (uint64_t)dimension_count + 12, "a tensor's description", NULL);
    return status;
}

/* ---- The index of names ---------------------------------------------------------------------- */

static size_t name_length(const tnni_gguf *gguf, size_t entry) {
    return (size_t)tnni_load_u64(gguf->bytes + entry); /* it was walked over */
}

static const char *name_of(const tnni_gguf *gguf, size_t entry) {
    return (const char *)gguf->bytes + entry + 8;
}

/* Short names first. */
static int compare(const tnni_gguf *gguf, size_t entry, const char *name, size_t length) {
    size_t other = name_length(gguf, entry);
    if (other != length)
        return other < length ? -1 : 1;
    return memcmp(name_of(gguf, entry), name, length);
}

static bool is_before(const tnni_gguf *gguf, size_t a, size_t b) {
    return compare(gguf, a, name_of(gguf, b), name_length(gguf, b)) < 0;
}

/* Lets the entry at root sink to its place in a heap of count. */
static void sink(const tnni_gguf *gguf, size_t *entries, size_t root, size_t count) {
    size_t entry = entries[root];
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && is_before(gguf, entries[child], entries[child + 1]))
            child++;
        if (!is_before(gguf, entry, entries[child]))
            break;
        entries[root] = entries[child];
    }
    entries[root] = entry;
}

/* Heapsort: n log n whatever the names are, in place. */
static void sort(const tnni_gguf *gguf, size_t *entries, size_t count) {
    for (size_t root = count / 2; root-- > 0;)
        sink(gguf, entries, root, count);
    for (size_t last = count; last-- > 1;) {
        size_t largest = entries[0];
        entries[0] = entries[last];
        entries[last] = largest;
        sink(gguf, entries, 0, last);
    }
}

/* Sorts; a name that comes twice is an error. */
static tnn_status index_names(
    const tnni_gguf *gguf, const char *what, size_t *entries, size_t count) {
    sort(gguf, entries, count);
    for (size_t i = 1; i < count; i++) {
        if (is_before(gguf, entries[i - 1], entries[i]))
            continue;
        size_t later = entries[i] > entries[i - 1] ? entries[i] : entries[i - 1];
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: byte %zu: the %s %s comes twice", gguf->where, later, what,
            tnni_excerpt_of(name_of(gguf, later), name_length(gguf, later)).text);
    }
    return TNN_OK;
}

static size_t look_up_unsorted(
    const tnni_gguf *gguf, const size_t *entries, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (compare(gguf, entries[i], name, strlen(name)) == 0)
            return entries[i];
    return SIZE_MAX;
}

/* Where the entry of a name begins; SIZE_MAX if there is none. */
static size_t look_up(
    const tnni_gguf *gguf, const size_t *entries, size_t count, const char *name) {
    size_t length = strlen(name);
    size_t first = 0;
    if (!gguf->is_sorted)
        return look_up_unsorted(gguf, entries, count, name);
    while (count > 0) {
        size_t middle = first + count / 2;
        int order = compare(gguf, entries[middle], name, length);
        if (order == 0)
            return entries[middle];
        if (order < 0)
            first = middle + 1;
        count = order < 0 ? count - count / 2 - 1 : count / 2;
    }
    return SIZE_MAX;
}

/* ---- Keys ------------------------------------------------------------------------------------ */

static tnni_gguf_value value_at(const tnni_gguf *gguf, size_t entry) {
    const unsigned char *bytes = gguf->bytes + entry + 8 + name_length(gguf, entry);
    tnni_gguf_type type = (tnni_gguf_type)tnni_load_u32(bytes);
    if (type != TNNI_GGUF_ARRAY)
        return (tnni_gguf_value){.type = type, .count = 1, .bytes = bytes + 4};
    return (tnni_gguf_value){
        .type = (tnni_gguf_type)tnni_load_u32(bytes + 4),
        .is_array = true,
        .count = (size_t)tnni_load_u64(bytes + 8),
        .bytes = bytes + 16};
}

static tnn_status find_value(
    const tnni_gguf *gguf, const char *key, tnni_gguf_type type, bool is_array,
    tnni_gguf_value *value) {
    size_t entry = look_up(gguf, gguf->keys, gguf->key_count, key);
    if (entry == SIZE_MAX)
        return tnni_fail(TNN_BAD_FORMAT, "%s: the key %s is missing", gguf->where, key);
    *value = value_at(gguf, entry);
    if (value->type != type || value->is_array != is_array)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: byte %zu: the key %s has %s%s, expected %s%s", gguf->where, entry,
            key, value->is_array ? "an array of " : "", types[value->type].name,
            is_array ? "an array of " : "", types[type].name);
    return TNN_OK;
}

bool tnni_gguf_has_key(const tnni_gguf *gguf, const char *key) {
    return look_up(gguf, gguf->keys, gguf->key_count, key) != SIZE_MAX;
}

tnn_status tnni_gguf_find_u32(const tnni_gguf *gguf, const char *key, uint32_t *value) {
    tnni_gguf_value found;
    tnn_status status = find_value(gguf, key, TNNI_GGUF_U32, false, &found);
    if (status == TNN_OK)
        *value = tnni_load_u32(found.bytes);
    return status;
}

tnn_status tnni_gguf_find_u64(const tnni_gguf *gguf, const char *key, uint64_t *value) {
    tnni_gguf_value found;
    tnn_status status = find_value(gguf, key, TNNI_GGUF_U64, false, &found);
    if (status == TNN_OK)
        *value = tnni_load_u64(found.bytes);
    return status;
}

tnn_status tnni_gguf_find_f32(const tnni_gguf *gguf, const char *key, float *value) {
    tnni_gguf_value found;
    tnn_status status = find_value(gguf, key, TNNI_GGUF_F32, false, &found);
    if (status == TNN_OK)
        tnni_load_f32(value, found.bytes);
    return status;
}

tnn_status tnni_gguf_find_f64(const tnni_gguf *gguf, const char *key, double *value) {
    tnni_gguf_value found;
    tnn_status status = find_value(gguf, key, TNNI_GGUF_F64, false, &found);
    if (status == TNN_OK)
        tnni_load_f64(value, found.bytes);
    return status;
}

tnn_status tnni_gguf_find_bool(const tnni_gguf *gguf, const char *key, bool *value) {
    tnni_gguf_value found;
    tnn_status status = find_value(gguf, key, TNNI_GGUF_BOOL, false, &found);
    if (status == TNN_OK && *found.bytes > 1)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: the key %s is %u, expected 0 or 1", gguf->where, key,
            (unsigned)*found.bytes);
    if (status == TNN_OK)
        *value = *found.bytes == 1;
    return status;
}

tnn_status tnni_gguf_find_string(
    const tnni_gguf *gguf, const char *key, const char **text, size_t *length) {
    tnni_gguf_value found;
    tnn_status status = find_value(gguf, key, TNNI_GGUF_STRING, false, &found);
    if (status == TNN_OK)
        *text = tnni_gguf_next_string(&found, length);
    return status;
}

tnn_status tnni_gguf_find_array(
    const tnni_gguf *gguf, const char *key, tnni_gguf_type type, size_t count,
    tnni_gguf_value *value) {
    tnn_status status = find_value(gguf, key, type, true, value);
    if (status == TNN_OK && count != SIZE_MAX && value->count != count)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: the key %s has %zu elements, expected %zu", gguf->where, key,
            value->count, count);
    return status;
}

const char *tnni_gguf_next_string(tnni_gguf_value *value, size_t *length) {
    const char *text = (const char *)value->bytes + 8;
    *length = (size_t)tnni_load_u64(value->bytes);
    value->bytes += 8 + *length;
    value->count--;
    return text;
}

/* ---- Tensors --------------------------------------------------------------------------------- */

static tnni_gguf_tensor tensor_at(const tnni_gguf *gguf, size_t entry) {
    tnni_gguf_tensor tensor = {0};
    const unsigned char *bytes = gguf->bytes + entry + 8 + name_length(gguf, entry);
    tensor.dimension_count = tnni_load_u32(bytes);
    bytes += 4;
    for (size_t i = tensor.dimension_count; i-- > 0; bytes += 8)
        tensor.dimensions[i] = tnni_load_u64(bytes);
    tensor.offset = tnni_load_u64(bytes + 4);
    return tensor;
}

bool tnni_gguf_has_tensor(const tnni_gguf *gguf, const char *name) {
    return look_up(gguf, gguf->tensors, gguf->tensor_count, name) != SIZE_MAX;
}

size_t tnni_gguf_count_tensors(const tnni_gguf *gguf, const char *prefix) {
    size_t length = strlen(prefix);
    size_t count = 0;
    for (size_t i = 0; i < gguf->tensor_count; i++) {
        size_t entry = gguf->tensors[i];
        count +=
            name_length(gguf, entry) > length && memcmp(name_of(gguf, entry), prefix, length) == 0;
    }
    return count;
}

/* "3x2" */
typedef struct shape_text {
    char text[24 * TNNI_GGUF_MOST_DIMENSIONS];
} shape_text;

static shape_text describe(size_t dimension_count, const uint64_t *dimensions) {
    shape_text shape = {{0}};
    size_t used = 0;
    for (size_t i = 0; i < dimension_count; i++)
        used += (size_t)snprintf(
            shape.text + used, sizeof shape.text - used, "%s%" PRIu64, i ? "x" : "", dimensions[i]);
    return shape;
}

tnn_status tnni_gguf_find_tensor(
    const tnni_gguf *gguf, const char *name, const char *according_to, size_t dimension_count,
    const size_t *dimensions, tnni_gguf_tensor *tensor) {
    uint64_t expected[TNNI_GGUF_MOST_DIMENSIONS];
    size_t entry = look_up(gguf, gguf->tensors, gguf->tensor_count, name);
    if (entry == SIZE_MAX)
        return tnni_fail(TNN_BAD_FORMAT, "%s: tensor %s is missing", gguf->where, name);
    *tensor = tensor_at(gguf, entry);
    tensor->bytes = gguf->bytes + gguf->data + (size_t)tensor->offset;
    bool is_same = tensor->dimension_count == dimension_count;
    for (size_t i = 0; i < dimension_count; i++) {
        expected[i] = dimensions[i];
        is_same = is_same && tensor->dimensions[i] == expected[i];
    }
    if (is_same)
        return TNN_OK;
    return tnni_fail(
        TNN_BAD_FORMAT, "%s: tensor %s is %s, %s says %s", gguf->where, name,
        describe(tensor->dimension_count, tensor->dimensions).text, according_to,
        describe(dimension_count, expected).text);
}

/* ---- Open ------------------------------------------------------------------------------------ */

static tnn_status take_magic(cursor *walk) {
    const unsigned char *magic = NULL;
    uint32_t version = 0;
    tnn_status status = take(walk, 4, "the header", &magic);
    if (status == TNN_OK && memcmp(magic, "GGUF", 4) != 0)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: byte 0: %02x %02x %02x %02x, expected the 47 47 55 46 of GGUF",
            walk->gguf->where, magic[0], magic[1], magic[2], magic[3]);
    if (status == TNN_OK)
        status = take_u32(walk, "the header", &version);
    if (status != TNN_OK || version == TNNI_GGUF_VERSION)
        return status;
    return tnni_fail(
        TNN_UNSUPPORTED, "%s: byte 4: version %" PRIu32 " of GGUF, expected %d", walk->gguf->where,
        version, TNNI_GGUF_VERSION);
}

tnn_status tnni_gguf_check_begin(const char *where, const unsigned char *bytes, size_t count) {
    const tnni_gguf gguf = {.where = where, .bytes = bytes, .count = count};
    return take_magic(&(cursor){&gguf, 0});
}

/* A number of entries, for which there has to be room behind it, and no more than can have a
 * meaning: they are sorted, and not all of them in a cache. */
static tnn_status take_count(
    cursor *walk, const char *what, size_t least, size_t most, size_t *count) {
    uint64_t claimed = 0;
    tnn_status status = take_u64(walk, "the header", &claimed);
    size_t left = walk->gguf->count - walk->at;
    if (status == TNN_OK && claimed > left / least)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: byte %zu: %" PRIu64 " %s, but there are only %zu bytes more",
            walk->gguf->where, walk->at - 8, claimed, what, left);
    if (status == TNN_OK && claimed > most)
        return tnni_fail(
            TNN_UNSUPPORTED, "%s: byte %zu: %" PRIu64 " %s, expected at most %zu",
            walk->gguf->where, walk->at - 8, claimed, what, most);
    *count = (size_t)claimed;
    return status;
}

static tnn_status allocate_index(tnni_gguf *gguf) {
    size_t entries = gguf->key_count + gguf->tensor_count;
    if (entries == 0)
        return TNN_OK;
    gguf->keys = tnni_allocate(gguf->allocator, entries * sizeof *gguf->keys);
    if (!gguf->keys)
        return tnni_fail(
            TNN_OUT_OF_MEMORY, "%s: no memory for %zu keys and %zu tensors", gguf->where,
            gguf->key_count, gguf->tensor_count);
    gguf->tensors = gguf->keys + gguf->key_count;
    return TNN_OK;
}

/* Header, keys and list of tensors, with an index that is not sorted yet. */
static tnn_status walk_all(tnni_gguf *gguf, size_t most_tensors, cursor *walk) {
    tnn_status status = take_magic(walk);
    if (status == TNN_OK)
        status = take_count(walk, "tensors", LEAST_TENSOR, most_tensors, &gguf->tensor_count);
    if (status == TNN_OK)
        status = take_count(walk, "keys", LEAST_KEY, MOST_KEYS, &gguf->key_count);
    if (status == TNN_OK)
        status = allocate_index(gguf);
    for (size_t i = 0; i < gguf->key_count && status == TNN_OK; i++) {
        gguf->keys[i] = walk->at;
        status = skip_key(walk);
    }
    gguf->infos = walk->at;
    for (size_t i = 0; i < gguf->tensor_count && status == TNN_OK; i++) {
        gguf->tensors[i] = walk->at;
        status = skip_info(walk);
    }
    return status;
}

static tnn_status sort_names(tnni_gguf *gguf) {
    tnn_status status = index_names(gguf, "key", gguf->keys, gguf->key_count);
    if (status == TNN_OK)
        status = index_names(gguf, "tensor", gguf->tensors, gguf->tensor_count);
    gguf->is_sorted = status == TNN_OK;
    return status;
}

static tnn_status check_architecture(const tnni_gguf *gguf) {
    const char *name;
    size_t length;
    tnn_status status = tnni_gguf_find_string(gguf, TNNI_GGUF_ARCHITECTURE_KEY, &name, &length);
    if (status != TNN_OK)
        return status;
    if (length == strlen(TNNI_GGUF_ARCHITECTURE) &&
        memcmp(name, TNNI_GGUF_ARCHITECTURE, length) == 0)
        return TNN_OK;
    return tnni_fail(
        TNN_BAD_FORMAT, "%s: a model of the architecture \"%s\", expected \"%s\"", gguf->where,
        tnni_excerpt_of(name, length).text, TNNI_GGUF_ARCHITECTURE);
}

static tnn_status check_checksum(const tnni_gguf *gguf) {
    uint64_t expected = 0;
    tnn_status status = tnni_gguf_find_u64(gguf, TNNI_GGUF_CHECKSUM_KEY, &expected);
    if (status != TNN_OK)
        return status;
    size_t entry = look_up(gguf, gguf->keys, gguf->key_count, TNNI_GGUF_CHECKSUM_KEY);
    size_t at = (size_t)(value_at(gguf, entry).bytes - gguf->bytes);
    uint64_t sum = tnni_checksum(0, gguf->bytes, at);
    sum = tnni_checksum(sum, gguf->bytes + at + 8, gguf->count - at - 8);
    if (sum == expected)
        return TNN_OK;
    return tnni_fail(
        TNN_BAD_FORMAT,
        "%s: damaged: the checksum of its bytes is %016" PRIx64 ", the file says %016" PRIx64,
        gguf->where, sum, expected);
}

static tnn_status find_alignment(tnni_gguf *gguf) {
    uint32_t alignment = TNNI_GGUF_DEFAULT_ALIGNMENT;
    tnn_status status = TNN_OK;
    if (look_up(gguf, gguf->keys, gguf->key_count, TNNI_GGUF_ALIGNMENT_KEY) != SIZE_MAX)
        status = tnni_gguf_find_u32(gguf, TNNI_GGUF_ALIGNMENT_KEY, &alignment);
    if (status == TNN_OK &&
        (alignment < 8 || alignment > MOST_ALIGNMENT || (alignment & (alignment - 1)) != 0))
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: the key %s is %" PRIu32 ", expected a power of 2 from 8 to %d",
            gguf->where, TNNI_GGUF_ALIGNMENT_KEY, alignment, MOST_ALIGNMENT);
    gguf->alignment = alignment;
    return status;
}

/* Up to the next multiple of the alignment. */
static tnn_status take_padding(cursor *walk) {
    size_t over = walk->at % walk->gguf->alignment;
    return over == 0 ? TNN_OK : take(walk, walk->gguf->alignment - over, "padding", NULL);
}

/* Bytes of a tensor; false if they do not fit in 64 bits, or are none. */
static bool measure(const tnni_gguf_tensor *tensor, uint64_t *bytes) {
    *bytes = sizeof(float);
    for (size_t i = 0; i < tensor->dimension_count; i++) {
        uint64_t dimension = tensor->dimensions[i];
        if (dimension == 0 || *bytes > UINT64_MAX / dimension)
            return false;
        *bytes *= dimension;
    }
    return true;
}

/* One tensor, whose description is at *info and whose bytes the walk has come to. */
static tnn_status take_tensor(const tnni_gguf *gguf, cursor *walk, size_t *info) {
    size_t entry = *info;
    tnni_gguf_tensor tensor = tensor_at(gguf, entry);
    size_t type_at = entry + 8 + name_length(gguf, entry) + 4 + 8 * tensor.dimension_count;
    uint32_t type = tnni_load_u32(gguf->bytes + type_at);
    tnni_excerpt name = tnni_excerpt_of(name_of(gguf, entry), name_length(gguf, entry));
    uint64_t bytes;
    *info = type_at + 12;
    if (type != TNNI_GGUF_TENSOR_F32)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: tensor %s is of type %" PRIu32 ", expected %d, float32",
            gguf->where, name.text, type, TNNI_GGUF_TENSOR_F32);
    if (tensor.offset != walk->at - gguf->data)
        return tnni_fail(
            TNN_BAD_FORMAT,
            "%s: tensor %s begins at offset %" PRIu64 ", expected %zu, behind the one before",
            gguf->where, name.text, tensor.offset, walk->at - gguf->data);
    if (!measure(&tensor, &bytes) || bytes > gguf->count - walk->at)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: tensor %s is %s, but there are %zu bytes from its offset on",
            gguf->where, name.text, describe(tensor.dimension_count, tensor.dimensions).text,
            gguf->count - walk->at);
    tnn_status status = take(walk, bytes, "a tensor", NULL);
    return status == TNN_OK ? take_padding(walk) : status;
}

/* Tensors one after the other in the order of their list, each padded, and then the end. */
static tnn_status check_data(tnni_gguf *gguf, cursor *walk) {
    size_t info = gguf->infos;
    tnn_status status = take_padding(walk);
    gguf->data = walk->at;
    for (size_t i = 0; i < gguf->tensor_count && status == TNN_OK; i++)
        status = take_tensor(gguf, walk, &info);
    if (status == TNN_OK && walk->at != gguf->count)
        return tnni_fail(
            TNN_BAD_FORMAT, "%s: byte %zu: %zu bytes more, expected the end", gguf->where, walk->at,
            gguf->count - walk->at);
    return status;
}

/* The architecture before the rest, since other models may well be in other forms; and nothing is
 * sorted that is damaged. */
tnn_status tnni_gguf_open(
    tnni_gguf *gguf, const char *where, const tnn_allocator *allocator, size_t most_tensors,
    const unsigned char *bytes, size_t count) {
    *gguf = (tnni_gguf){.where = where, .allocator = allocator, .bytes = bytes, .count = count};
    cursor walk = {gguf, 0};
    tnn_status status = walk_all(gguf, most_tensors, &walk);
    if (status == TNN_OK)
        status = check_architecture(gguf);
    if (status == TNN_OK)
        status = check_checksum(gguf);
    if (status == TNN_OK)
        status = sort_names(gguf);
    if (status == TNN_OK)
        status = find_alignment(gguf);
    if (status == TNN_OK)
        status = check_data(gguf, &walk);
    if (status != TNN_OK)
        tnni_gguf_close(gguf);
    return status;
}

void tnni_gguf_close(tnni_gguf *gguf) {
    size_t entries = gguf->key_count + gguf->tensor_count;
    tnni_release(gguf->allocator, gguf->keys, entries * sizeof *gguf->keys);
    gguf->keys = NULL;
}
