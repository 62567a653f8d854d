/* What begins a TLS connection (S11.9). */
#include "wire/tls.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static bool is_hello(const uint8_t *bytes, size_t len)
{
    /* A block of its exact size, so that a sanitizer sees each step past it. */
    uint8_t *b = malloc(len ? len : 1);
    memcpy(b, bytes, len);
    bool is = svr__tls_is_hello((svr_span){b, len});
    free(b);
    return is;
}

Test(wire_tls, hello)
{
    static const struct {
        const char *what;
        size_t len;
        bool hello;
        uint8_t bytes[12];
    } rows[] = {
        {"nothing", 0, false, {0}},
        {"one byte", 1, false, {22}},
        {"all but one of what it takes", 5, false, {22, 3, 1, 2, 0}},
        {"what it takes", 6, true, {22, 3, 1, 2, 0, 1}},
        {"more", 11, true, {22, 3, 3, 0, 200, 1, 0, 0, 196, 3, 3}},
        {"TLS 1.0", 6, true, {22, 3, 1, 0, 9, 1}},
        {"TLS 1.3", 6, true, {22, 3, 4, 0, 9, 1}},
        {"SSL 3.0", 6, false, {22, 3, 0, 0, 9, 1}},
        {"a version to come", 6, false, {22, 3, 5, 0, 9, 1}},
        {"another major version", 6, false, {22, 2, 1, 0, 9, 1}},
        {"an alert", 6, false, {21, 3, 1, 0, 2, 1}},
        {"application data", 6, false, {23, 3, 3, 0, 9, 1}},
        {"a ServerHello", 6, false, {22, 3, 3, 0, 9, 2}},
        {"a record of nothing", 6, false, {22, 3, 1, 0, 0, 1}},
        {"too short a record", 6, false, {22, 3, 1, 0, 3, 1}},
        {"the shortest record", 6, true, {22, 3, 1, 0, 4, 1}},
        {"the longest record", 6, true, {22, 3, 1, 0x40, 0, 1}},
        {"too long a record", 6, false, {22, 3, 1, 0x40, 1, 1}},
        {"a hello of SSL 2.0", 6, false, {0x80, 46, 1, 3, 1, 0}},
        {"SSH", 6, false, {'S', 'S', 'H', '-', '2', '.'}},
        {"HTTP", 6, false, {'G', 'E', 'T', ' ', '/', ' '}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        cr_expect_eq(is_hello(rows[i].bytes, rows[i].len), rows[i].hello, "%s",
                     rows[i].what);
}
