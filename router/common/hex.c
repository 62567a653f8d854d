#include "hex.h"

static char digit_of(unsigned value)
{
    unsigned is_letter = (9 - value) >> 8 & 0xff;

    return (char)('0' + value + (is_letter & ('a' - '0' - 10)));
}

void hex_encode(char *digits, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        digits[2 * i] = digit_of(bytes[i] >> 4);
        digits[2 * i + 1] = digit_of(bytes[i] & 15);
    }
    digits[2 * len] = '\0';
}

/* The value of a digit, or 255. */
static uint8_t value_of_digit(uint8_t c)
{
    unsigned digit = c ^ 0x30u;
    unsigned letter = (c & ~0x20u) - 'A' + 10u;
    unsigned is_digit = (digit - 10) >> 8 & 0xff;
    unsigned is_letter = ((letter - 10) ^ (letter - 16)) >> 8 & 0xff;

    return (uint8_t)((digit & is_digit) | (letter & is_letter) |
                     (0xff & ~(is_digit | is_letter)));
}

size_t hex_decode(uint8_t *bytes, size_t len, const char *digits)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t high = value_of_digit((uint8_t)digits[2 * i]);
        uint8_t low = value_of_digit((uint8_t)digits[2 * i + 1]);

        if (high > 15 || low > 15)
            return 2 * i + 1 + (high <= 15);
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
}
