/* The options of a TCP header. */
#include "wire/tcp_option.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum {
    TCP_FIXED = 20,
};

static uint8_t shift_of(const uint8_t *options, size_t len)
{
    /* A block of its exact size, so that a sanitizer sees each step past it. */
    uint8_t *tcp = calloc(1, TCP_FIXED + len);
    svr_packet p = {.data = tcp, .len = (uint32_t)(TCP_FIXED + len)};
    svr_headers h = {.l4 = 0, .payload = (uint16_t)(TCP_FIXED + len)};
    if (len)
        memcpy(tcp + TCP_FIXED, options, len);
    uint8_t shift = svr__tcp_window_shift(&p, &h);
    free(tcp);
    return shift;
}

Test(wire_tcp_option, window_shift)
{
    static const struct {
        uint8_t options[12];
        size_t len;
        uint8_t shift;
    } rows[] = {
        {{0}, 0, 0},
        {{3, 3, 7}, 3, 7},
        {{1, 3, 3, 9}, 4, 9},
        {{2, 4, 5, 0xb4, 1, 3, 3, 8}, 8, 8}, /* behind MSS */
        {{0, 3, 3, 7}, 4, 0},                /* behind the end */
        {{3, 3}, 2, 0},                      /* cut off */
        {{3}, 1, 0},
        {{3, 0, 7}, 3, 0}, /* impossible lengths */
        {{3, 1, 7}, 3, 0},
        {{3, 4, 7, 7}, 4, 0}, /* not a window scale's length */
        {{2, 9, 3, 3, 7}, 5, 0},
        {{1, 1, 1, 1}, 4, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        cr_assert_eq(shift_of(rows[i].options, rows[i].len), rows[i].shift,
                     "row %zu", i);
}
