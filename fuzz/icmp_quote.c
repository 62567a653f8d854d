/*
 * What an ICMP error quotes: it is read and rewritten within the message, its
 * header checksum stays as right or wrong as it was, and where it is refused
 * nothing has changed. An input is ARGS bytes that say what to make of the
 * quote, and the message.
 */
#include "fuzz.h"
#include "wire/checksum.h"
#include "wire/cursor.h"
#include "wire/headers.h"

#include <assert.h>
#include <stdlib.h>

#define ARGS 16

enum option {
    MESSAGE_V6 = 1,
    TO_OTHER_FAMILY = 2,
    TO_TWO_FAMILIES = 4,
    TO_ANOTHER_PROTOCOL = 8,
    RIGHT_CHECKSUM = 16,
};

struct message {
    uint8_t *data;
    size_t len;
    bool v6;
};

static svr_addr take_addr(svr__rd *in, bool v6)
{
    uint8_t b[16] = {0x20, 0x01, 0x0d, 0xb8};

    svr__rd_copy(in, v6 ? b + 12 : b, 4);
    return v6 ? svr_addr_from_v6(b) : svr_addr_from_v4(b);
}

static svr_tuple take_tuple(svr__rd *in, unsigned options, uint8_t proto)
{
    bool v6 = options & MESSAGE_V6;
    bool src_v6 = options & TO_OTHER_FAMILY ? !v6 : v6;
    bool dst_v6 = options & TO_TWO_FAMILIES ? !src_v6 : src_v6;
    uint8_t other = svr__rd_u8(in);
    svr_tuple t = {
        .proto = options & TO_ANOTHER_PROTOCOL ? other : proto,
    };

    t.src = take_addr(in, src_v6);
    t.dst = take_addr(in, dst_v6);
    t.sport = svr__rd_u16(in);
    t.dport = svr__rd_u16(in);
    return t;
}

static bool is_header_right(const struct message *m)
{
    const uint8_t *ip = m->data + ICMP_SIZE;

    return m->v6 || svr__sum(ip, (size_t)(ip[0] & 15) * 4) == 0xffff;
}

/* What the quote must say after it was rewritten. */
static svr_tuple expect(const svr_tuple *from, const svr_tuple *to, bool v6)
{
    static const uint8_t zero[16];
    svr_tuple want = *to;

    if (svr_addr_is_v4(&to->src) == v6)
        want.src = want.dst =
            v6 ? svr_addr_from_v6(zero) : svr_addr_from_v4(zero);
    if (svr__has_ports(from->proto))
        return want;
    /* An echo has its identifier, anything else nothing. */
    want.dport = want.sport;
    return want;
}

static void check_quote(const struct message *m, const svr_tuple *from,
                        const svr_tuple *to)
{
    svr_tuple want = expect(from, to, m->v6), now;

    assert(svr_icmp_quote_parse(&now, m->data, m->len, m->v6) == 0);
    if (!svr__has_ports(from->proto) && now.sport == 0)
        want.sport = want.dport = 0;
    assert(svr_tuple_equal(&now, &want));
}

/* One's complement has two zeros; everything else comes back to the bit. */
static void check_way_back(const struct message *m, const uint8_t *before,
                           const svr_tuple *from)
{
    const uint8_t *field = m->data + ICMP_SIZE + IP4_CHECKSUM;

    assert(svr_icmp_quote_rewrite(m->data, m->len, m->v6, from) == 0);
    uint16_t now = svr__load_be16(field);
    if (m->v6 || (now != 0 && now != 0xffff))
        assert(memcmp(m->data, before, m->len) == 0);
}

static void check_rewrite(const struct message *m, const svr_tuple *from,
                          const svr_tuple *to, int parsed)
{
    uint8_t *before = malloc(m->len);
    bool right = parsed == 0 && is_header_right(m);

    memcpy(before, m->data, m->len);
    int err = svr_icmp_quote_rewrite(m->data, m->len, m->v6, to);
    if (parsed < 0)
        assert(err == parsed);
    if (err < 0) {
        assert(memcmp(m->data, before, m->len) == 0);
    } else {
        check_quote(m, from, to);
        assert(is_header_right(m) == right);
        assert(memcmp(m->data, before, ICMP_SIZE) == 0);
        check_way_back(m, before, from);
    }
    free(before);
}

void fuzz_one(const uint8_t *data, size_t len)
{
    svr__rd in = svr__rd_over(data, len < ARGS ? len : ARGS);
    unsigned options = svr__rd_u8(&in);
    struct message m = {.v6 = options & MESSAGE_V6};
    svr_tuple from = {0}, to;
    uint32_t seq = 0, ack = 0;

    if (len < ARGS)
        return;
    m.len = len - ARGS;
    m.data = malloc(m.len);
    memcpy(m.data, data + ARGS, m.len);
    int err = svr_icmp_quote_parse(&from, m.data, m.len, m.v6);
    svr__icmp_quote_place(m.data, m.len, m.v6, &seq, &ack);
    assert((err == 0 && from.proto == SVR_PROTO_TCP) || (!seq && !ack));
    if (err == 0 && options & RIGHT_CHECKSUM && !m.v6)
        svr__ip4_checksum_write(m.data + ICMP_SIZE);
    to = take_tuple(&in, options, from.proto);
    check_rewrite(&m, &from, &to, err);
    free(m.data);
}
