/* Numbers as little-endian bytes, whatever the order of this machine's own. */
#ifndef TINYNN_SUPPORT_BYTES_H
#define TINYNN_SUPPORT_BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint32_t tnni_load_u32(const unsigned char *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
        (uint32_t)bytes[3] << 24;
}

static inline uint64_t tnni_load_u64(const unsigned char *bytes) {
    return tnni_load_u32(bytes) | (uint64_t)tnni_load_u32(bytes + 4) << 32;
}

static inline void tnni_store_u32(unsigned char *bytes, uint32_t value) {
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
}

static inline void tnni_store_u64(unsigned char *bytes, uint64_t value) {
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
}

/* By way of integers only, so that a NaN keeps its bits: *value is never held as a float. */
static inline void tnni_load_f32(float *value, const unsigned char *bytes) {
    uint32_t bits = tnni_load_u32(bytes);
    memcpy(value, &bits, sizeof bits);
}

static inline void tnni_store_f32(unsigned char *bytes, const float *value) {
    uint32_t bits;
    memcpy(&bits, value, sizeof bits);
    tnni_store_u32(bytes, bits);
}

static inline void tnni_load_f64(double *value, const unsigned char *bytes) {
    uint64_t bits = tnni_load_u64(bytes);
    memcpy(value, &bits, sizeof bits);
}

static inline void tnni_store_f64(unsigned char *bytes, const double *value) {
    uint64_t bits;
    memcpy(&bits, value, sizeof bits);
    tnni_store_u64(bytes, bits);
}

#endif
