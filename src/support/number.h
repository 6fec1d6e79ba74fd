/* Text to numbers and back: correctly rounded, and the same in every locale. */
#ifndef TINYNN_SUPPORT_NUMBER_H
#define TINYNN_SUPPORT_NUMBER_H

#include <stddef.h>
#include <stdint.h>

typedef enum tnni_number {
    TNNI_NUMBER = 0,
    TNNI_NOT_A_NUMBER,
    TNNI_OUT_OF_RANGE /* a number, and rounds to none that is finite */
} tnni_number;

/*
 * The float nearest to what all of text says, ties to even: an optional sign, then decimal digits
 * with an optional point and exponent (1, -.5, 2.e-3), or hexadecimal ones after 0x with an
 * optional exponent of 2 (0x1.8p-3). Tiny numbers become subnormal or 0, as strtof has it. No
 * blanks, no names of infinities. Takes time linear in length; *value is set for TNNI_NUMBER only.
 */
tnni_number tnni_read_float(const char *text, size_t length, float *value);

/* A whole number of decimal digits and nothing else; out of range above most. */
tnni_number tnni_read_whole(const char *text, size_t length, uint64_t most, uint64_t *value);

/*
 * The digits of which tnni_read_float makes this finite float again, as a C constant without its
 * suffix: 0.1, -3.0, 1.5e-12. They are 7, or 8 or 9 if those do not do, without zeros at their end.
 * Returns the number of characters.
 */
enum { TNNI_MOST_FLOAT = 24 };
size_t tnni_write_float(float value, char text[TNNI_MOST_FLOAT]);

#endif
