#include "support/number.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A float is t 2^(e - 23) with t below 2^24. An approximation in double tells t and the fraction
 * that is left of it; only where that fraction is within the approximation's error of 1/2 are the
 * digits compared with the midpoint between two floats, in whole numbers and so exactly.
 */
enum {
    LOWEST_EXPONENT = -126, /* of a normal float; below it the step is that of this binade */
    HIGHEST_EXPONENT = 127,
    LEADING_DIGITS = 19, /* that fit in 64 bits */
    /* A midpoint between floats has at most 113 decimal digits, so further ones only matter if all
     * of these agree with it. */
    EXACT_DIGITS = 128,
    /* Bounds of a decimal exponent that decides alone: 10^39 exceeds every float, and 10^-46 is
     * less than half of the smallest. */
    LARGEST_POINT = 39,
    SMALLEST_POINT = -45
};

/* No text that fits in memory makes up for such an exponent with zeros: further digits of it do not
 * matter. Ten times as much fits in 64 bits. */
static const int64_t huge_exponent = INT64_C(100000000000000000);

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* 2^exponent, -1022 <= exponent <= 1023. */
static double power_of_two(int exponent) {
    uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

/* The exponent of a double that is positive and normal. */
static int exponent_of(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (int)(bits >> 52) - 1023;
}

/* t 2^(exponent - 23), t <= 2^24: exact in double, and in float unless it is too large. */
static tnni_number compose(uint32_t t, int exponent, bool negative, float *value) {
    if (exponent > HIGHEST_EXPONENT || (exponent == HIGHEST_EXPONENT && t >> 24))
        return TNNI_OUT_OF_RANGE;
    float magnitude = (float)(t * power_of_two(exponent - 23));
    *value = negative ? -magnitude : magnitude;
    return TNNI_NUMBER;
}

/* ---- Text ------------------------------------------------------------------------------------ */

typedef struct cursor {
    const char *at;
    const char *end;
} cursor;

static bool accept(cursor *text, char lower, char upper) {
    if (text->at == text->end || (*text->at != lower && *text->at != upper))
        return false;
    text->at++;
    return true;
}

/* True for a minus; a plus is skipped, too. */
static bool accept_sign(cursor *text) {
    return !accept(text, '+', '+') && accept(text, '-', '-');
}

/* Adds an exponent's digits to *exponent; false if there are none. */
static bool read_exponent(cursor *text, int64_t *exponent) {
    bool negative = accept_sign(text);
    const char *first = text->at;
    int64_t magnitude = 0;
    for (; text->at < text->end && is_digit(*text->at); text->at++)
        if (magnitude < huge_exponent)
            magnitude = 10 * magnitude + (*text->at - '0');
    *exponent += negative ? -magnitude : magnitude;
    return text->at > first;
}

/* ---- Whole numbers of any length ------------------------------------------------------------- */

/*
 * The largest here is a midpoint times 5^173 (128 digits, 10^-45 the first) times a power of 2 of
 * less than 2^300: below 2^800.
 */
enum { LIMBS = 32 };

typedef struct big {
    uint32_t limbs[LIMBS]; /* the lowest first */
    int count;             /* up to the highest that is not 0 */
} big;

static void multiply_add(big *number, uint32_t factor, uint32_t term) {
    uint64_t carry = term;
    for (int i = 0; i < number->count; i++) {
        carry += (uint64_t)number->limbs[i] * factor;
        number->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry)
        number->limbs[number->count++] = (uint32_t)carry;
}

static void multiply_power(big *number, uint32_t base, int64_t exponent) {
    for (; exponent >= 8; exponent -= 8)
        multiply_add(number, base * base * base * base * base * base * base * base, 0);
    for (; exponent > 0; exponent--)
        multiply_add(number, base, 0);
}

static int compare(const big *a, const big *b) {
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (int i = a->count - 1; i >= 0; i--)
        if (a->limbs[i] != b->limbs[i])
            return a->limbs[i] < b->limbs[i] ? -1 : 1;
    return 0;
}

/* ---- Decimal --------------------------------------------------------------------------------- */

/* 0.d1 d2 d3 ... * 10^point, d1 not 0. */
typedef struct decimal {
    const char *first; /* d1 in the text; among the rest there may be a point */
    size_t digits;     /* 0: the number is 0 */
    uint64_t leading;  /* d1 to d19 as a whole number */
    int64_t point;
    bool any; /* digit was seen, a 0 perhaps */
} decimal;

static void read_digits(cursor *text, bool fraction, decimal *number) {
    for (; text->at < text->end && is_digit(*text->at); text->at++) {
        number->any = true;
        if (number->digits == 0 && *text->at == '0') {
            number->point -= fraction;
            continue;
        }
        if (number->digits == 0)
            number->first = text->at;
        if (number->digits < LEADING_DIGITS)
            number->leading = 10 * number->leading + (uint64_t)(*text->at - '0');
        number->digits++;
        number->point += !fraction;
    }
}

/* Within 2^-50 of the number, relative: of at most six roundings each is 2^-53, and dropping what
 * follows 19 digits is less than 2^-59. */
static double approximate(const decimal *number) {
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    size_t digits = number->digits < LEADING_DIGITS ? number->digits : LEADING_DIGITS;
    int exponent = (int)number->point - (int)digits;
    double x = (double)number->leading;
    for (; exponent > 22; exponent -= 22)
        x *= 1e22;
    for (; exponent < -22; exponent += 22)
        x /= 1e22;
    return exponent < 0 ? x / powers[-exponent] : x * powers[exponent];
}

/* The first count digits; *rest tells whether any other than 0 follows. */
static big digits_of(const decimal *number, size_t count, bool *rest) {
    big whole = {{0}, 0};
    const char *digit = number->first;
    *rest = false;
    for (size_t i = 0; i < number->digits; digit++) {
        if (*digit == '.')
            continue;
        if (i < count)
            multiply_add(&whole, 10, (uint32_t)(*digit - '0'));
        else if (*digit != '0')
            *rest = true;
        i++;
    }
    return whole;
}

/* Is the number less than, equal to or more than midpoint 2^exponent? */
static int compare_midpoint(const decimal *number, uint32_t midpoint, int exponent) {
    size_t count = number->digits < EXACT_DIGITS ? number->digits : EXACT_DIGITS;
    bool rest;
    big left = digits_of(number, count, &rest);
    big right = {{midpoint}, 1};
    int64_t tens = number->point - (int64_t)count;
    int64_t twos = tens - exponent;
    multiply_power(tens > 0 ? &left : &right, 5, tens > 0 ? tens : -tens);
    multiply_power(twos > 0 ? &left : &right, 2, twos > 0 ? twos : -twos);
    int order = compare(&left, &right);
    return order == 0 && rest ? 1 : order;
}

static tnni_number round_decimal(const decimal *number, bool negative, float *value) {
    if (number->digits == 0 || number->point < SMALLEST_POINT)
        return compose(0, 0, negative, value);
    if (number->point > LARGEST_POINT)
        return TNNI_OUT_OF_RANGE;
    double x = approximate(number);
    int exponent = exponent_of(x);
    if (exponent > HIGHEST_EXPONENT)
        return TNNI_OUT_OF_RANGE;
    if (exponent < LOWEST_EXPONENT)
        exponent = LOWEST_EXPONENT;
    double scaled = x * power_of_two(23 - exponent);
    uint32_t t = (uint32_t)scaled;
    double above_half = scaled - t - 0.5;
    const double error = 0x1p-24; /* more than 2^24 2^-50 */
    if (above_half > error)
        t++;
    else if (above_half >= -error) {
        int order = compare_midpoint(number, 2 * t + 1, exponent - 24);
        t += order > 0 || (order == 0 && (t & 1));
    }
    return compose(t, exponent, negative, value);
}

static tnni_number read_decimal(cursor *text, bool negative, float *value) {
    decimal number = {0};
    read_digits(text, false, &number);
    if (accept(text, '.', '.'))
        read_digits(text, true, &number);
    if (!number.any || (accept(text, 'e', 'E') && !read_exponent(text, &number.point)) ||
        text->at != text->end)
        return TNNI_NOT_A_NUMBER;
    return round_decimal(&number, negative, value);
}

/* ---- Hexadecimal ----------------------------------------------------------------------------- */

/* leading 2^exponent, and a little more if rest is set. */
typedef struct hexadecimal {
    uint64_t leading;
    int64_t exponent;
    bool rest;
    bool any;
} hexadecimal;

static int hex_digit(char c) {
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void read_hex_digits(cursor *text, bool fraction, hexadecimal *number) {
    for (; text->at < text->end && hex_digit(*text->at) >= 0; text->at++) {
        int digit = hex_digit(*text->at);
        bool fits = number->leading >> 60 == 0;
        number->any = true;
        if (fits)
            number->leading = number->leading << 4 | (uint64_t)digit;
        else if (digit != 0)
            number->rest = true;
        number->exponent += 4 * (!fits - (int)fraction);
    }
}

static tnni_number round_hex(hexadecimal number, bool negative, float *value) {
    if (number.leading == 0)
        return compose(0, 0, negative, value);
    for (; number.leading >> 63 == 0; number.leading <<= 1)
        number.exponent--;
    int64_t exponent = number.exponent + 63;
    if (exponent > HIGHEST_EXPONENT)
        return TNNI_OUT_OF_RANGE;
    if (exponent < LOWEST_EXPONENT - 24)
        return compose(0, 0, negative, value);
    int lost = 40; /* bits of leading below t */
    if (exponent < LOWEST_EXPONENT) {
        lost += (int)(LOWEST_EXPONENT - exponent);
        exponent = LOWEST_EXPONENT;
    }
    const uint64_t half = (uint64_t)1 << 63;
    uint32_t t = lost < 64 ? (uint32_t)(number.leading >> lost) : 0;
    uint64_t fraction = lost < 64 ? number.leading << (64 - lost) : number.leading;
    t += fraction > half || (fraction == half && (number.rest || (t & 1)));
    return compose(t, (int)exponent, negative, value);
}

static tnni_number read_hex(cursor *text, bool negative, float *value) {
    hexadecimal number = {0};
    read_hex_digits(text, false, &number);
    if (accept(text, '.', '.'))
        read_hex_digits(text, true, &number);
    if (!number.any || (accept(text, 'p', 'P') && !read_exponent(text, &number.exponent)) ||
        text->at != text->end)
        return TNNI_NOT_A_NUMBER;
    return round_hex(number, negative, value);
}

/* ---- Both ------------------------------------------------------------------------------------ */

tnni_number tnni_read_float(const char *text, size_t length, float *value) {
    cursor at = {text, text + length};
    bool negative = accept_sign(&at);
    bool hex = at.end - at.at >= 2 && at.at[0] == '0' && (at.at[1] == 'x' || at.at[1] == 'X');
    if (!hex)
        return read_decimal(&at, negative, value);
    at.at += 2;
    return read_hex(&at, negative, value);
}

tnni_number tnni_read_whole(const char *text, size_t length, uint64_t most, uint64_t *value) {
    uint64_t sum = 0;
    bool fits = true;
    for (size_t i = 0; i < length; i++) {
        if (!is_digit(text[i]))
            return TNNI_NOT_A_NUMBER;
        uint64_t digit = (uint64_t)(text[i] - '0');
        fits = fits && digit <= most && sum <= (most - digit) / 10;
        sum = fits ? 10 * sum + digit : 0;
    }
    if (length == 0)
        return TNNI_NOT_A_NUMBER;
    if (!fits)
        return TNNI_OUT_OF_RANGE;
    *value = sum;
    return TNNI_NUMBER;
}

/* ---- Back ------------------------------------------------------------------------------------ */

enum { MOST_DIGITS = 9 }; /* that tell any two floats apart */

/* The significant digits of a number, the first one standing for digit 10^exponent. */
typedef struct decimal_digits {
    int count;
    int exponent;
    char digits[MOST_DIGITS];
} decimal_digits;

/* "d.ddde-dd", with whatever the locale has for a point. */
static decimal_digits round_to_digits(float magnitude, int count) {
    char text[48];
    decimal_digits number = {0};
    snprintf(text, sizeof text, "%.*e", count - 1, (double)magnitude);
    const char *at = text;
    for (; *at != 'e'; at++)
        if (is_digit(*at))
            number.digits[number.count++] = *at;
    number.exponent = atoi(at + 1);
    while (number.count > 1 && number.digits[number.count - 1] == '0')
        number.count--;
    return number;
}

/* The digits from number first on, 0 where there are none. */
static char *put_digits(char *text, const decimal_digits *number, int first, int count) {
    for (int i = first; i < first + count; i++)
        *text++ = i >= 0 && i < number->count ? number->digits[i] : '0';
    return text;
}

static size_t write_digits(bool negative, const decimal_digits *number, char *text) {
    char *at = text;
    int exponent = number->exponent;
    bool is_plain = exponent >= -5 && exponent < MOST_DIGITS;
    int whole = is_plain && exponent >= 0 ? exponent + 1 : 1; /* digits before the point */
    int first = is_plain && exponent < 0 ? exponent : 0;
    int fraction = number->count - first - whole;
    if (negative)
        *at++ = '-';
    at = put_digits(at, number, first, whole);
    *at++ = '.';
    at = put_digits(at, number, first + whole, fraction > 0 ? fraction : 1);
    if (!is_plain)
        at += snprintf(at, sizeof "e-45", "e%d", exponent);
    *at = '\0';
    return (size_t)(at - text);
}

size_t tnni_write_float(float value, char text[TNNI_MOST_FLOAT]) {
    bool negative = value < 0.0f || (value == 0.0f && 1.0f / value < 0.0f);
    size_t length = 0;
    for (int count = 7; count <= MOST_DIGITS; count++) {
        float again;
        decimal_digits number = round_to_digits(negative ? -value : value, count);
        length = write_digits(negative, &number, text);
        if (tnni_read_float(text, length, &again) == TNNI_NUMBER && again == value)
            break;
    }
    return length;
}
