#include "text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define V4_AT 12 /* in svr_addr */

char *text_addr(char buf[TEXT_ADDR], const svr_addr *a)
{
    if (svr_addr_is_v4(a))
        inet_ntop(AF_INET, a->b + V4_AT, buf, TEXT_ADDR);
    else
        inet_ntop(AF_INET6, a->b, buf, TEXT_ADDR);
    return buf;
}

char *text_prefix(char buf[TEXT_PREFIX], const svr_prefix *p)
{
    char addr[TEXT_ADDR];

    snprintf(buf, TEXT_PREFIX, "%s/%u", text_addr(addr, &p->addr), p->len);
    return buf;
}

char *text_uuid(char buf[TEXT_UUID], const svr_uuid *u)
{
    static const char digits[] = "0123456789abcdef";
    char *at = buf;

    for (size_t i = 0; i < sizeof u->b; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = digits[u->b[i] >> 4];
        *at++ = digits[u->b[i] & 0xf];
    }
    *at = '\0';
    return buf;
}

char *text_proto(char buf[TEXT_PROTO], uint8_t proto)
{
    static const struct {
        uint8_t proto;
        const char *name;
    } names[] = {
        {SVR_PROTO_ICMP, "icmp"},
        {SVR_PROTO_TCP, "tcp"},
        {SVR_PROTO_UDP, "udp"},
        {47, "gre"},
        {50, "esp"},
        {51, "ah"},
        {SVR_PROTO_ICMPV6, "icmpv6"},
        {132, "sctp"},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].proto == proto) {
            snprintf(buf, TEXT_PROTO, "%s", names[i].name);
            return buf;
        }
    }
    snprintf(buf, TEXT_PROTO, "%u", proto);
    return buf;
}

/* The escape for one byte; returns its length. */
static size_t escape_byte(char out[5], uint8_t byte)
{
    if (byte == '\\')
        return (size_t)snprintf(out, 5, "\\\\");
    if (byte < 0x20 || byte > 0x7e)
        return (size_t)snprintf(out, 5, "\\x%02x", byte);
    out[0] = (char)byte;
    return 1;
}

char *text_escape(char *buf, size_t cap, const void *data, size_t len)
{
    const uint8_t *in = data;
    size_t used = 0;

    for (size_t i = 0; i < len; i++) {
        char piece[5];
        size_t size = escape_byte(piece, in[i]);

        if (used + size >= cap)
            break;
        memcpy(buf + used, piece, size);
        used += size;
    }
    buf[used] = '\0';
    return buf;
}
