/* The scalars that are addresses. */
#include "scalar.h"

#include <arpa/inet.h>
#include <string.h>

/* IPv4-mapped IPv6 addresses are no addresses of the network (base.h). */
static bool parse_addr(svr_addr *out, const char *text)
{
    uint8_t b[16];

    if (inet_pton(AF_INET, text, b) == 1) {
        *out = svr_addr_from_v4(b);
        return true;
    }
    if (inet_pton(AF_INET6, text, b) != 1)
        return false;
    *out = svr_addr_from_v6(b);
    return !svr_addr_is_v4(out);
}

static bool parse_prefix(svr_prefix *out, const char *text)
{
    const char *slash = strchr(text, '/');
    char addr[INET6_ADDRSTRLEN];
    svr_prefix p;
    uint64_t len;

    if (!slash || (size_t)(slash - text) >= sizeof(addr))
        return false;
    memcpy(addr, text, (size_t)(slash - text));
    addr[slash - text] = '\0';
    if (!parse_addr(&p.addr, addr) ||
        !scalar_parse_whole(&len, slash + 1,
                            svr_addr_is_v4(&p.addr) ? 32 : 128))
        return false;
    p.len = (uint8_t)len;
    *out = p;
    return true;
}

/* The length counted in the 128 bits of svr_addr. */
static unsigned full_len(const svr_prefix *p)
{
    return p->len + (svr_addr_is_v4(&p->addr) ? 96u : 0);
}

/* The prefix with each host bit zero, or each one. */
static svr_prefix with_host_bits(const svr_prefix *p, bool set)
{
    svr_prefix out = *p;

    for (unsigned bit = full_len(p); bit < 128; bit++) {
        uint8_t mask = (uint8_t)(0x80 >> bit % 8);

        if (set)
            out.addr.b[bit / 8] |= mask;
        else
            out.addr.b[bit / 8] &= (uint8_t)~mask;
    }
    return out;
}

/* Whether a host can have the address: not unspecified, loopback, multicast or
 * reserved. */
static bool is_host(const svr_addr *a)
{
    static const svr_addr loopback = {{[15] = 1}};

    if (svr_addr_is_v4(a))
        return a->b[12] != 0 && a->b[12] != 127 && a->b[12] < 224;
    return !svr_addr_is_none(a) && !svr_addr_equal(a, &loopback) &&
           a->b[0] != 0xff;
}

bool scalar_read_address(const struct scalar *s)
{
    svr_addr a;

    if (!parse_addr(&a, s->v->text))
        return scalar_refuse_type(s);
    if (!is_host(&a))
        return scalar_refuse(s, "an address that a host can have");
    s->v->prefix =
        (svr_prefix){.addr = a, .len = svr_addr_is_v4(&a) ? 32 : 128};
    return true;
}

/* Networks of two addresses and of one have no address of their own
 * (RFC 3021). */
bool scalar_read_interface_address(const struct scalar *s)
{
    svr_prefix p, first, last;

    if (!parse_prefix(&p, s->v->text) || p.len == 0)
        return scalar_refuse_type(s);
    if (!is_host(&p.addr))
        return scalar_refuse(s, "an address that a host can have");
    first = with_host_bits(&p, false);
    last = with_host_bits(&p, true);
    s->v->prefix = p;
    if (full_len(&p) >= 127)
        return true;
    if (svr_addr_equal(&p.addr, &first.addr)) {
        first.addr.b[15] |= 1;
        return scalar_refuse(
            s,
            "the interface's own address, not the network: such as "
            "%s",
            prefix_text(&first).s);
    }
    if (svr_addr_is_v4(&p.addr) && svr_addr_equal(&p.addr, &last.addr))
        return scalar_refuse(
            s, "the interface's own address, not the broadcast's");
    return true;
}

bool scalar_read_prefix(const struct scalar *s)
{
    svr_prefix p, first;

    if (!parse_prefix(&p, s->v->text))
        return scalar_refuse_type(s);
    first = with_host_bits(&p, false);
    if (!svr_addr_equal(&p.addr, &first.addr))
        return scalar_refuse(s, "no bits behind the prefix length: %s",
                             prefix_text(&first).s);
    s->v->prefix = p;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool parse_mac(uint8_t mac[6], const char *text)
{
    if (strlen(text) != 6 * 3 - 1)
        return false;
    for (size_t i = 0; i < 6; i++, text += 3) {
        int high = hex_digit(text[0]), low = hex_digit(text[1]);

        if (high < 0 || low < 0 || (i < 5 && text[2] != ':'))
            return false;
        mac[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

bool scalar_read_mac(const struct scalar *s)
{
    static const uint8_t none[6];
    uint8_t mac[6];

    if (!parse_mac(mac, s->v->text))
        return scalar_refuse_type(s);
    if ((mac[0] & 1) || memcmp(mac, none, sizeof(mac)) == 0)
        return scalar_refuse(
            s, "the address of one station: not zero, and no group "
               "address");
    memcpy(s->v->mac, mac, sizeof(mac));
    return true;
}
