/* CRC-64, which notices every change of up to 64 bits in a row. */
#ifndef TINYNN_SUPPORT_CHECKSUM_H
#define TINYNN_SUPPORT_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/*
 * The checksum of some bytes followed by count more; sum is 0 where there are none before. The
 * polynomial is that of ECMA-182, bits reflected, all ones at either end, as in xz: the checksum of
 * "123456789" is 995dc9bbdf1939fa.
 */
uint64_t tnni_checksum(uint64_t sum, const unsigned char *bytes, size_t count);

#endif
