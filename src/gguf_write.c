#include "gguf.h"
#include "support/bytes.h"
#include "support/checksum.h"

#include <string.h>

/* ---- Bytes ----------------------------------------------------------------------------------- */

static void flush(tnni_gguf_writer *writer) {
    if (writer->filled == 0)
        return;
    const tnn_sink *sink = writer->sink;
    if (sink && writer->status == TNN_OK)
        writer->status = sink->write(sink->context, writer->buffer, writer->filled);
    writer->checksum = tnni_checksum(writer->checksum, writer->buffer, writer->filled);
    writer->filled = 0;
}

/* Room for count bytes, at most the buffer's. */
static unsigned char *put(tnni_gguf_writer *writer, size_t count) {
    if (count > sizeof writer->buffer - writer->filled)
        flush(writer);
    unsigned char *room = writer->buffer + writer->filled;
    writer->filled += count;
    writer->offset += count;
    return room;
}

static void put_u32(tnni_gguf_writer *writer, uint32_t value) {
    tnni_store_u32(put(writer, 4), value);
}

static void put_u64(tnni_gguf_writer *writer, uint64_t value) {
    tnni_store_u64(put(writer, 8), value);
}

static void put_string(tnni_gguf_writer *writer, const char *text) {
    size_t length = strlen(text);
    put_u64(writer, length);
    while (length > 0) {
        size_t piece = length < sizeof writer->buffer ? length : sizeof writer->buffer;
        memcpy(put(writer, piece), text, piece);
        text += piece;
        length -= piece;
    }
}

static void put_key(tnni_gguf_writer *writer, const char *key, tnni_gguf_type type) {
    put_string(writer, key);
    put_u32(writer, type);
}

static void put_padding(tnni_gguf_writer *writer) {
    while (writer->offset % TNNI_GGUF_ALIGNMENT != 0)
        *put(writer, 1) = 0;
}

/* ---- Header and keys ------------------------------------------------------------------------- */

/* The one value that the checksum is not taken of. */
static void put_checksum(tnni_gguf_writer *writer, uint64_t checksum) {
    put_key(writer, TNNI_GGUF_CHECKSUM_KEY, TNNI_GGUF_U64);
    flush(writer);
    uint64_t before = writer->checksum;
    put_u64(writer, checksum);
    flush(writer);
    writer->checksum = before;
}

void tnni_gguf_begin(
    tnni_gguf_writer *writer, const tnn_sink *sink, uint64_t tensor_count, uint64_t key_count,
    uint64_t checksum) {
    writer->sink = sink;
    writer->status = TNN_OK;
    writer->checksum = 0;
    writer->offset = 0;
    writer->tensor_offset = 0;
    writer->filled = 0;
    memcpy(put(writer, 4), "GGUF", 4);
    put_u32(writer, TNNI_GGUF_VERSION);
    put_u64(writer, tensor_count);
    put_u64(writer, key_count);
    put_key(writer, TNNI_GGUF_ARCHITECTURE_KEY, TNNI_GGUF_STRING);
    put_string(writer, TNNI_GGUF_ARCHITECTURE);
    put_checksum(writer, checksum);
}

void tnni_gguf_put_u32(tnni_gguf_writer *writer, const char *key, uint32_t value) {
    put_key(writer, key, TNNI_GGUF_U32);
    put_u32(writer, value);
}

void tnni_gguf_put_u64(tnni_gguf_writer *writer, const char *key, uint64_t value) {
    put_key(writer, key, TNNI_GGUF_U64);
    put_u64(writer, value);
}

void tnni_gguf_put_f32(tnni_gguf_writer *writer, const char *key, const float *value) {
    put_key(writer, key, TNNI_GGUF_F32);
    tnni_gguf_add_f32(writer, value);
}

void tnni_gguf_put_f64(tnni_gguf_writer *writer, const char *key, const double *value) {
    put_key(writer, key, TNNI_GGUF_F64);
    tnni_gguf_add_f64(writer, value);
}

void tnni_gguf_put_bool(tnni_gguf_writer *writer, const char *key, bool value) {
    put_key(writer, key, TNNI_GGUF_BOOL);
    tnni_gguf_add_bool(writer, value);
}

void tnni_gguf_put_string(tnni_gguf_writer *writer, const char *key, const char *value) {
    put_key(writer, key, TNNI_GGUF_STRING);
    put_string(writer, value);
}

void tnni_gguf_put_array(
    tnni_gguf_writer *writer, const char *key, tnni_gguf_type type, uint64_t count) {
    put_key(writer, key, TNNI_GGUF_ARRAY);
    put_u32(writer, type);
    put_u64(writer, count);
}

void tnni_gguf_add_u64(tnni_gguf_writer *writer, uint64_t value) {
    put_u64(writer, value);
}

void tnni_gguf_add_f32(tnni_gguf_writer *writer, const float *value) {
    tnni_store_f32(put(writer, 4), value);
}

void tnni_gguf_add_f64(tnni_gguf_writer *writer, const double *value) {
    tnni_store_f64(put(writer, 8), value);
}

void tnni_gguf_add_bool(tnni_gguf_writer *writer, bool value) {
    *put(writer, 1) = value;
}

void tnni_gguf_add_string(tnni_gguf_writer *writer, const char *value) {
    put_string(writer, value);
}

/* ---- Tensors --------------------------------------------------------------------------------- */

/* The format has the fastest dimension first. */
void tnni_gguf_put_info(
    tnni_gguf_writer *writer, const char *name, size_t dimension_count, const size_t *dimensions) {
    uint64_t bytes = sizeof(float);
    put_string(writer, name);
    put_u32(writer, (uint32_t)dimension_count);
    for (size_t i = dimension_count; i-- > 0;) {
        put_u64(writer, dimensions[i]);
        bytes *= dimensions[i];
    }
    put_u32(writer, TNNI_GGUF_TENSOR_F32);
    put_u64(writer, writer->tensor_offset);
    uint64_t over = bytes % TNNI_GGUF_ALIGNMENT;
    writer->tensor_offset += bytes + (over ? TNNI_GGUF_ALIGNMENT - over : 0);
}

void tnni_gguf_put_tensor(tnni_gguf_writer *writer, const float *values, size_t count) {
    enum { PIECE = sizeof writer->buffer / 4 };
    put_padding(writer);
    while (count > 0) {
        size_t piece = count < PIECE ? count : PIECE;
        unsigned char *room = put(writer, 4 * piece);
        for (size_t i = 0; i < piece; i++)
            tnni_store_f32(room + 4 * i, &values[i]);
        values += piece;
        count -= piece;
    }
}

tnn_status tnni_gguf_end(tnni_gguf_writer *writer) {
    put_padding(writer);
    flush(writer);
    return writer->status;
}
