/*
 * GGUF, version 3, as far as this library writes it: a header, keys with values, a list of tensors,
 * and their data, float32 all. docs/model-file.md has it byte by byte.
 */
#ifndef TINYNN_GGUF_H
#define TINYNN_GGUF_H

#include <tinynn/tinynn.h>

/* Types of values, as the format numbers them. */
typedef enum tnni_gguf_type {
    TNNI_GGUF_U8,
    TNNI_GGUF_I8,
    TNNI_GGUF_U16,
    TNNI_GGUF_I16,
    TNNI_GGUF_U32,
    TNNI_GGUF_I32,
    TNNI_GGUF_F32,
    TNNI_GGUF_BOOL,
    TNNI_GGUF_STRING,
    TNNI_GGUF_ARRAY,
    TNNI_GGUF_U64,
    TNNI_GGUF_I64,
    TNNI_GGUF_F64,
    TNNI_GGUF_TYPES
} tnni_gguf_type;

enum {
    TNNI_GGUF_VERSION = 3,
    TNNI_GGUF_DEFAULT_ALIGNMENT = 32, /* of a file that does not say */
    TNNI_GGUF_ALIGNMENT = 64,
    TNNI_GGUF_MOST_NAME = 65535, /* bytes of a key or a tensor's name */
    TNNI_GGUF_MOST_DIMENSIONS = 4,
    TNNI_GGUF_TENSOR_F32 = 0
};

#define TNNI_GGUF_ARCHITECTURE_KEY "general.architecture"
#define TNNI_GGUF_ALIGNMENT_KEY "general.alignment"
#define TNNI_GGUF_ARCHITECTURE "tinynn"
#define TNNI_GGUF_CHECKSUM_KEY "tinynn.checksum"

/* ---- Reading: gguf_read.c -------------------------------------------------------------------- */

/* A file in memory: its keys and tensors, found and checked as far as they can be without knowing
 * what they mean. */
typedef struct tnni_gguf {
    const char *where; /* "function: file", for messages */
    const tnn_allocator *allocator;
    const unsigned char *bytes;
    size_t count;
    size_t key_count;
    size_t tensor_count;
    bool is_sorted;
    size_t *keys;    /* where each begins, in the order of their names, once they are sorted */
    size_t *tensors; /* the same */
    size_t infos;    /* where the list of tensors begins */
    size_t alignment;
    size_t data; /* where the tensors' bytes begin */
} tnni_gguf;

typedef struct tnni_gguf_value {
    tnni_gguf_type type; /* of the elements, in an array */
    bool is_array;
    size_t count;               /* 1 but in an array */
    const unsigned char *bytes; /* of all of them, one after the other */
} tnni_gguf_value;

/* The slowest dimension first: [inputs, units] of weights. */
typedef struct tnni_gguf_tensor {
    size_t dimension_count;
    uint64_t dimensions[TNNI_GGUF_MOST_DIMENSIONS];
    uint64_t offset;            /* of the bytes, from gguf->data */
    const unsigned char *bytes; /* little-endian float32 */
} tnni_gguf_tensor;

/*
 * Finds keys and tensors in bytes, which stay the caller's, and checks the checksum. Takes time
 * linear in count but for sorting the names, and 8 bytes of memory for each of them. There are at
 * most 65,536 keys. TNN_BAD_FORMAT, TNN_UNSUPPORTED, TNN_OUT_OF_MEMORY, and then there is nothing
 * to close.
 */
tnn_status tnni_gguf_open(
    tnni_gguf *gguf, const char *where, const tnn_allocator *allocator, size_t most_tensors,
    const unsigned char *bytes, size_t count);
void tnni_gguf_close(tnni_gguf *gguf);

/* Do these bytes begin such a file? Otherwise as above. To know before the rest is there. */
tnn_status tnni_gguf_check_begin(const char *where, const unsigned char *bytes, size_t count);

bool tnni_gguf_has_key(const tnni_gguf *gguf, const char *key);
/* The value of a key that has to be there, with this type. TNN_BAD_FORMAT, naming it. */
tnn_status tnni_gguf_find_u32(const tnni_gguf *gguf, const char *key, uint32_t *value);
tnn_status tnni_gguf_find_u64(const tnni_gguf *gguf, const char *key, uint64_t *value);
tnn_status tnni_gguf_find_f32(const tnni_gguf *gguf, const char *key, float *value);
tnn_status tnni_gguf_find_f64(const tnni_gguf *gguf, const char *key, double *value);
tnn_status tnni_gguf_find_bool(const tnni_gguf *gguf, const char *key, bool *value);
/* Its bytes lie in the file, with no 0 at their end. */
tnn_status tnni_gguf_find_string(
    const tnni_gguf *gguf, const char *key, const char **text, size_t *length);
/* The same for an array; count SIZE_MAX accepts any number of elements. */
tnn_status tnni_gguf_find_array(
    const tnni_gguf *gguf, const char *key, tnni_gguf_type type, size_t count,
    tnni_gguf_value *value);

/* Takes the next string of an array of strings, or the one of a value; its bytes, with no 0 at
 * their end. */
const char *tnni_gguf_next_string(tnni_gguf_value *value, size_t *length);

bool tnni_gguf_has_tensor(const tnni_gguf *gguf, const char *name);
/* How many tensors have names that begin so. */
size_t tnni_gguf_count_tensors(const tnni_gguf *gguf, const char *prefix);
/* The tensor of this name, which has to have this shape, slowest dimension first, according to
 * someone ("the layer list"). TNN_BAD_FORMAT, naming it. */
tnn_status tnni_gguf_find_tensor(
    const tnni_gguf *gguf, const char *name, const char *according_to, size_t dimension_count,
    const size_t *dimensions, tnni_gguf_tensor *tensor);

/* ---- Writing: gguf_write.c ------------------------------------------------------------------- */

/*
 * Writes a file from its first byte to its last, in the order of these functions: begin, keys,
 * tensor infos, tensors, end. Allocates nothing. The checksum stands before what it is taken of, so
 * a file is written twice: once without a sink, which counts and sums, and then with the sum.
 */
typedef struct tnni_gguf_writer {
    const tnn_sink *sink; /* NULL: only counts and sums */
    tnn_status status;    /* the first failure, of the sink; nothing is written after it */
    uint64_t checksum;    /* of all but the checksum */
    uint64_t offset;      /* of the next byte */
    uint64_t tensor_offset;
    size_t filled;
    unsigned char buffer[4096];
} tnni_gguf_writer;

/* Ends with the architecture and the checksum, which are among the key_count. */
void tnni_gguf_begin(
    tnni_gguf_writer *writer, const tnn_sink *sink, uint64_t tensor_count, uint64_t key_count,
    uint64_t checksum);

void tnni_gguf_put_u32(tnni_gguf_writer *writer, const char *key, uint32_t value);
void tnni_gguf_put_u64(tnni_gguf_writer *writer, const char *key, uint64_t value);
void tnni_gguf_put_f32(tnni_gguf_writer *writer, const char *key, const float *value);
void tnni_gguf_put_f64(tnni_gguf_writer *writer, const char *key, const double *value);
void tnni_gguf_put_bool(tnni_gguf_writer *writer, const char *key, bool value);
void tnni_gguf_put_string(tnni_gguf_writer *writer, const char *key, const char *value);
/* An array of so many elements, each of which is to be added. */
void tnni_gguf_put_array(
    tnni_gguf_writer *writer, const char *key, tnni_gguf_type type, uint64_t count);
void tnni_gguf_add_u64(tnni_gguf_writer *writer, uint64_t value);
void tnni_gguf_add_f32(tnni_gguf_writer *writer, const float *value);
void tnni_gguf_add_f64(tnni_gguf_writer *writer, const double *value);
void tnni_gguf_add_bool(tnni_gguf_writer *writer, bool value);
void tnni_gguf_add_string(tnni_gguf_writer *writer, const char *value);

/* Slowest dimension first. */
void tnni_gguf_put_info(
    tnni_gguf_writer *writer, const char *name, size_t dimension_count, const size_t *dimensions);
/* The data of the infos, in their order. */
void tnni_gguf_put_tensor(tnni_gguf_writer *writer, const float *values, size_t count);

/* The status of all of it. */
tnn_status tnni_gguf_end(tnni_gguf_writer *writer);

#endif
