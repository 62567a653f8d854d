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
        uint8_t bytes[12];
        size_t len;
        bool hello;
    } rows[] = {
        {"nothing", {0}, 0, false},
        {"one byte", {22}, 1, false},
        {"all but one of what it takes", {22, 3, 1, 2, 0}, 5, false},
        {"what it takes", {22, 3, 1, 2, 0, 1}, 6, true},
        {"more", {22, 3, 3, 0, 200, 1, 0, 0, 196, 3, 3}, 11, true},
        {"TLS 1.0", {22, 3, 1, 0, 9, 1}, 6, true},
        {"TLS 1.3", {22, 3, 4, 0, 9, 1}, 6, true},
        {"SSL 3.0", {22, 3, 0, 0, 9, 1}, 6, false},
        {"a version to come", {22, 3, 5, 0, 9, 1}, 6, false},
        {"another major version", {22, 2, 1, 0, 9, 1}, 6, false},
        {"an alert", {21, 3, 1, 0, 2, 1}, 6, false},
        {"application data", {23, 3, 3, 0, 9, 1}, 6, false},
        {"a ServerHello", {22, 3, 3, 0, 9, 2}, 6, false},
        {"a record of nothing", {22, 3, 1, 0, 0, 1}, 6, false},
        {"too short a record", {22, 3, 1, 0, 3, 1}, 6, false},
        {"the shortest record", {22, 3, 1, 0, 4, 1}, 6, true},
        {"the longest record", {22, 3, 1, 0x40, 0, 1}, 6, true},
        {"too long a record", {22, 3, 1, 0x40, 1, 1}, 6, false},
        {"a hello of SSL 2.0", {0x80, 46, 1, 3, 1, 0}, 6, false},
        {"SSH", {'S', 'S', 'H', '-', '2', '.'}, 6, false},
        {"HTTP", {'G', 'E', 'T', ' ', '/', ' '}, 6, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        cr_expect_eq(is_hello(rows[i].bytes, rows[i].len), rows[i].hello, "%s",
                     rows[i].what);
}
