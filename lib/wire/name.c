#include "wire/name.h"

#include <string.h>

#define EACH_BYTE (UINT64_MAX / 255)
/* As many bytes as three words hold. */
#define SHORT_MAX 24

static uint64_t load_word(const uint8_t *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof(w));
    return w;
}

/* All of 1 to 7 bytes in one word; some stand there twice, and blanks fill it
 * up. */
static uint64_t load_short(const uint8_t *p, size_t len)
{
    uint32_t head, tail;

    if (len < 4)
        return EACH_BYTE * ' ' << 24 | (uint64_t)p[len - 1] << 16 |
               (uint64_t)p[len / 2] << 8 | p[0];
    memcpy(&head, p, sizeof(head));
    memcpy(&tail, p + len - sizeof(tail), sizeof(tail));
    return (uint64_t)tail << 32 | head;
}

/* Whether a byte of w is not 0x20 to 0x7e. Among bytes below 0x80 adding one
 * lifts only DEL to 0x80, and subtracting 0x20 borrows only from C0. */
static uint64_t find_others(uint64_t w)
{
    return (w | (w + EACH_BYTE) | (w - EACH_BYTE * 0x20)) & EACH_BYTE * 0x80;
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

/* Long names, and those that are not ASCII. */
static bool are_printable_characters(const uint8_t *p, size_t left)
{
    while (left > 0) {
        size_t n;
        if (left >= 8 && find_others(load_word(p)) == 0)
            n = 8;
        else
            n = measure_character(p, left);
        if (n == 0)
            return false;
        p += n;
        left -= n;
    }
    return true;
}

/* For 1 to SHORT_MAX bytes. The lengths of names follow no pattern, so a branch
 * on them costs more than a word too many: three words, overlapping. */
static bool are_printable_ascii(const uint8_t *p, size_t len)
{
    size_t last = len - 8;

    if (len < 8)
        return find_others(load_short(p, len)) == 0;
    return (find_others(load_word(p)) | find_others(load_word(p + last)) |
            find_others(load_word(p + (last < 8 ? last : 8)))) == 0;
}

bool svr__name_printable(svr_span name)
{
    if (name.len > 0 && name.len <= SHORT_MAX &&
        are_printable_ascii(name.data, name.len))
        return true;
    return are_printable_characters(name.data, name.len);
}
