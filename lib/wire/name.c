#include "wire/name.h"

#include <string.h>

/* Whether all eight bytes are 0x20 to 0x7e. Among bytes below 0x80 adding one
 * lifts only DEL to 0x80, and subtracting 0x20 borrows only from C0. */
static bool are_printable_ascii(const uint8_t *p)
{
    const uint64_t each = UINT64_MAX / 255;
    uint64_t w;

    memcpy(&w, p, sizeof(w));
    return ((w | (w + each) | (w - each * 0x20)) & each * 0x80) == 0;
}

static bool is_printable_ascii(uint8_t c)
{
    return c >= 0x20 && c < 0x7f;
}

static bool is_continuation(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

/* The length of the printable character at p, 0 if there is none. The limits
 * of the second byte exclude C1, overlong forms, surrogates and what lies
 * beyond U+10FFFF (RFC 3629 section 4). */
static size_t measure_character(const uint8_t *p, size_t len)
{
    static const struct {
        uint8_t first, last, low, high, len;
    } forms[] = {
        {0xc2, 0xc2, 0xa0, 0xbf, 2}, {0xc3, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    size_t f = 0;

    if (is_printable_ascii(p[0]))
        return 1;
    while (f < sizeof(forms) / sizeof(forms[0]) && p[0] > forms[f].last)
        f++;
    if (f == sizeof(forms) / sizeof(forms[0]) || p[0] < forms[f].first ||
        len < forms[f].len || p[1] < forms[f].low || p[1] > forms[f].high)
        return 0;
    for (size_t i = 2; i < forms[f].len; i++) {
        if (!is_continuation(p[i]))
            return 0;
    }
    return forms[f].len;
}

static bool are_printable_characters(const uint8_t *p, size_t left)
{
    while (left > 0) {
        size_t n = measure_character(p, left);
        if (n == 0)
            return false;
        p += n;
        left -= n;
    }
    return true;
}

/* Most names are short and ASCII: whole words, the last one overlapping. */
bool svr__name_printable(svr_span name)
{
    const uint8_t *p = name.data;
    size_t left = name.len;

    while (left >= 8 && are_printable_ascii(p)) {
        p += 8;
        left -= 8;
    }
    if (left < 8 && name.len >= 8 && are_printable_ascii(p + left - 8))
        return true;
    return are_printable_characters(p, left);
}
