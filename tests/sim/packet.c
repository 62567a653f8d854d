#include "packet.h"

#include "prng.h"

#include <assert.h>
#include <string.h>

enum { IPV4 = 20, IPV6 = 40, TTL = 64 };

static size_t ip_len(const svr_tuple *t)
{
    return svr_addr_is_v4(&t->src) ? IPV4 : IPV6;
}

static size_t l4_len(const svr_tuple *t)
{
    switch (t->proto) {
    case SVR_PROTO_TCP:
        return 20;
    case SVR_PROTO_UDP:
    case SVR_PROTO_ICMP:
    case SVR_PROTO_ICMPV6:
        return 8;
    default:
        return 0;
    }
}

size_t packet_overhead(const svr_tuple *t)
{
    return ip_len(t) + l4_len(t);
}

static void write_ip(uint8_t *p, const svr_tuple *t, size_t len)
{
    if (svr_addr_is_v4(&t->src)) {
        memset(p, 0, IPV4);
        p[0] = 0x45;
        put16(p + 2, len);
        if (t->proto == SVR_PROTO_TCP)
            p[6] = 0x40; /* DF */
        p[8] = TTL;
        p[9] = t->proto;
        memcpy(p + 12, t->src.b + 12, 4);
        memcpy(p + 16, t->dst.b + 12, 4);
        return;
    }
    memset(p, 0, 8);
    p[0] = 0x60;
    put16(p + 4, len - IPV6);
    p[6] = t->proto;
    p[7] = TTL;
    memcpy(p + 8, t->src.b, 16);
    memcpy(p + 24, t->dst.b, 16);
}

/* Options of a SYN: MSS, then window scale behind a no-op. */
static size_t options_len(const struct segment_fields *f)
{
    if (!f || !(f->flags & SVR_TCP_SYN))
        return 0;
    return (f->mss ? 4u : 0u) + (f->shift ? 4u : 0u);
}

static void write_options(uint8_t *p, const struct segment_fields *f)
{
    if (f->mss) {
        p[0] = 2;
        p[1] = 4;
        put16(p + 2, f->mss);
        p += 4;
    }
    if (f->shift) {
        p[0] = 1;
        p[1] = 3;
        p[2] = 3;
        p[3] = f->shift;
    }
}

static void write_tcp(uint8_t *p, const svr_tuple *t,
                      const struct segment_fields *f)
{
    size_t options = options_len(f);

    put16(p, t->sport);
    put16(p + 2, t->dport);
    put32(p + 4, f->seq);
    put32(p + 8, f->ack);
    p[12] = (uint8_t)((20 + options) / 4 << 4);
    p[13] = f->flags;
    put16(p + 14, f->window);
    put32(p + 16, 0);
    if (options)
        write_options(p + 20, f);
}

static void write_echo(uint8_t *p, const svr_tuple *t, bool answer,
                       uint16_t seq)
{
    if (t->proto == SVR_PROTO_ICMP)
        p[0] = answer ? 0 : 8;
    else
        p[0] = answer ? 129 : 128;
    p[1] = p[2] = p[3] = 0;
    put16(p + 4, t->sport);
    put16(p + 6, seq);
}

void packet_begin(struct buffer *b, const svr_tuple *t,
                  const struct segment_fields *tcp, bool answer, uint16_t seq,
                  size_t len, uint8_t **payload)
{
    size_t headers = packet_overhead(t) + options_len(tcp);
    uint8_t *ip = b->packet.data, *l4 = ip + ip_len(t);

    assert(headers + len <= SIM_MTU);
    b->packet.len = (uint32_t)(headers + len);
    b->packet.tailroom = (uint16_t)(b->packet.tailroom - b->packet.len);
    write_ip(ip, t, headers + len);
    switch (t->proto) {
    case SVR_PROTO_TCP:
        write_tcp(l4, t, tcp);
        break;
    case SVR_PROTO_UDP:
        put16(l4, t->sport);
        put16(l4 + 2, t->dport);
        put16(l4 + 4, 8 + len);
        l4[6] = l4[7] = 0xff; /* not "none" */
        break;
    case SVR_PROTO_ICMP:
    case SVR_PROTO_ICMPV6:
        write_echo(l4, t, answer, seq);
        break;
    default:
        break;
    }
    *payload = ip + headers;
}

void packet_finish(struct buffer *b)
{
    svr_headers h;
    int err = svr_packet_parse(&h, &b->packet);

    /* The IPv4 header has no checksum yet. */
    if (err == SVR_ERR_CHECKSUM) {
        uint8_t *p = b->packet.data;
        uint32_t sum = 0;

        for (size_t i = 0; i < IPV4; i += 2)
            sum += get16(p + i);
        sum = (sum & 0xffff) + (sum >> 16);
        put16(p + 10, ~((sum & 0xffff) + (sum >> 16)));
        err = svr_packet_parse(&h, &b->packet);
    }
    assert(err == 0);
    (void)err;
    svr_packet_checksum_write(&b->packet, &h);
}

void packet_syn_options(const svr_packet *p, const svr_headers *h,
                        uint16_t *mss, uint8_t *shift)
{
    const uint8_t *at = p->data + h->l4 + 20, *end = p->data + h->payload;

    *mss = 0;
    *shift = 0;
    while (at < end && *at != 0) {
        if (*at == 1) {
            at++;
            continue;
        }
        if (end - at < 2 || at[1] < 2 || at[1] > end - at)
            return;
        if (at[0] == 2 && at[1] == 4)
            *mss = (uint16_t)get16(at + 2);
        if (at[0] == 3 && at[1] == 3)
            *shift = at[2];
        at += at[1];
    }
}

/* Eight bytes of a stream. */
const uint8_t content_mark[16] = "what hosts say.";

enum { MARK_WORDS = 2, MARK_EVERY = 32 };

static uint64_t word_at(uint64_t stream, uint64_t index)
{
    uint64_t word = 0;

    if (index % MARK_EVERY >= MARK_WORDS)
        return prng_mix(stream + index * UINT64_C(0x9e3779b97f4a7c15));
    for (size_t i = 0; i < 8; i++)
        word |= (uint64_t)content_mark[index % MARK_EVERY * 8 + i] << 8 * i;
    return word;
}

static uint8_t byte_of(uint64_t word, uint64_t offset)
{
    return (uint8_t)(word >> 8 * (offset % 8));
}

void content_write(uint8_t *out, size_t len, uint64_t stream, uint64_t offset)
{
    uint64_t word = 0;

    for (size_t i = 0; i < len; i++, offset++) {
        if (i == 0 || offset % 8 == 0)
            word = word_at(stream, offset / 8);
        out[i] = byte_of(word, offset);
    }
}

bool content_check(const uint8_t *in, size_t len, uint64_t stream,
                   uint64_t offset)
{
    uint64_t word = 0;

    for (size_t i = 0; i < len; i++, offset++) {
        if (i == 0 || offset % 8 == 0)
            word = word_at(stream, offset / 8);
        if (in[i] != byte_of(word, offset))
            return false;
    }
    return true;
}
