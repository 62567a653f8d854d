/*
 * wire_mutation.c - packets with a few bytes changed and their end cut off,
 * each in a block of exactly its size, taken through everything that works on
 * packets. The sanitizers watch; and what was accepted once must be accepted
 * as what it was made to be.
 */
#include "wire_packets.h"

#include <criterion/criterion.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TCP SVR_PROTO_TCP
#define UDP SVR_PROTO_UDP
#define ROUNDS 40000

static const struct shape shapes[] = {
    {.proto = TCP, .tcp_options = 20, .payload = 30},
    {.proto = TCP, .options = 12, .payload = 60},
    {.proto = UDP, .payload = 60},
    {.proto = SVR_PROTO_ICMP, .payload = 60},
    {.proto = 47, .payload = 30},
    {.v6 = true, .proto = TCP, .tcp_options = 20, .payload = 30},
    {.v6 = true, .proto = UDP, .options = 24, .payload = 60},
    {.v6 = true, .proto = SVR_PROTO_ICMPV6, .payload = 90},
    {.v6 = true, .proto = 51, .payload = 60},
    {.v6 = true, .proto = 44, .payload = 60},
    {.v6 = true, .proto = 43, .payload = 60},
};

/* A packet whose payload begins like a packet, so that it quotes one. */
static size_t build_nested(uint8_t *out, uint64_t *seed)
{
    const struct shape *s = &shapes[draw_below(seed, COUNT(shapes))];
    struct shape inner = shapes[draw_below(seed, COUNT(shapes))];
    svr_tuple t = draw_tuple(seed, s->v6, s->proto);
    svr_tuple quoted;
    size_t len = build(out, s, &t, seed);
    uint8_t bytes[256];

    inner.v6 = s->v6;
    quoted = draw_tuple(seed, inner.v6, inner.proto);
    build(bytes, &inner, &quoted, seed);
    memcpy(out + len - s->payload, bytes, s->payload);
    if (s->proto == SVR_PROTO_ICMP || s->proto == SVR_PROTO_ICMPV6)
        out[ip_bytes(s)] = (uint8_t)(draw(seed) % 13);
    return len;
}

static size_t mutate(uint8_t *bytes, size_t len, uint64_t *seed)
{
    size_t changes = draw_below(seed, 5);

    for (size_t i = 0; i < changes; i++)
        bytes[draw_below(seed, len)] = (uint8_t)draw(seed);
    if (draw_below(seed, 3) == 0)
        len = draw_below(seed, len + 1);
    if (len > 20 && draw_below(seed, 8) != 0) {
        if (bytes[0] >> 4 == 4 && (bytes[0] & 15) * 4U <= len) {
            put16(bytes + 2, len);
            naive_ip_write(bytes);
        } else if (len >= 40 && bytes[0] >> 4 == 6) {
            put16(bytes + 4, len - 40);
        }
    }
    return len;
}

static void expect_parses(const svr_packet *p, const svr_tuple *t)
{
    svr_packet look = *p;
    svr_headers h;

    cr_assert_eq(svr_packet_parse(&h, &look), 0);
    cr_assert_eq(look.len, p->len);
    if (t)
        cr_assert(svr_tuple_equal(&h.tuple, t));
}

static void resize(svr_packet *p, svr_headers *h, uint64_t *seed)
{
    size_t gap = draw_below(seed, 100), gone = draw_below(seed, 100);
    int end = (int)draw_below(seed, 100) - 50;
    int err = 0;

    svr_packet_clamp_mss(p, h, 500);
    err |= svr_packet_insert(p, h, gap);
    err |= svr_packet_remove(p, h, gone);
    err |= svr_packet_extend(p, h, end);
    (void)err;
    if (p->len == h->l4)
        return; /* nothing is left of a protocol that we do not know */
    svr_packet_checksum_write(p, h);
    cr_assert(svr_packet_checksum_ok(p, h));
    expect_parses(p, NULL);
}

static void change_tuple(svr_packet *p, svr_headers *h, uint64_t *seed)
{
    bool v6 = draw(seed) & 1;
    const uint8_t protos[] = {h->tuple.proto, UDP, SVR_PROTO_ICMP,
                              SVR_PROTO_ICMPV6, (uint8_t)draw(seed)};
    svr_tuple to = draw_tuple(seed, v6, protos[draw_below(seed, 5)]);
    bool ports = h->tuple.proto == TCP || h->tuple.proto == UDP;

    if (h->ttl == 0)
        return;
    if (ports && svr_addr_is_v4(&h->tuple.src) != v6 &&
        to.proto == h->tuple.proto) {
        svr_rewrite rw;

        svr_rewrite_init(&rw, &h->tuple, &to);
        svr_packet_rewrite(p, h, &rw);
        expect_parses(p, &to);
        cr_assert_eq(svr_packet_parse(h, p), 0);
    }
    if (h->ttl > 0 && svr_packet_convert(p, h, &to) == 0)
        expect_parses(p, &h->tuple);
}

static void answer(const svr_packet *p, const svr_headers *h, uint64_t *seed)
{
    static uint8_t buf[SVR_HEADROOM + 1500 + SVR_TAILROOM];
    svr_addr src = draw_addr(seed, p->data[0] >> 4 == 6);
    svr_packet out;
    svr_cut cut;

    if (svr_icmp_error(&out, buf, sizeof(buf), SVR_ICMP_TOO_BIG, 1300, &src, p,
                       h) == 0)
        expect_parses(&out, NULL);
    if (svr_tcp_reset(&out, buf, sizeof(buf), p, h) == 0)
        expect_parses(&out, NULL);
    if (svr_cut_begin(&cut, p, h, (uint16_t)(1 + draw(seed) % 40)) != 0)
        return;
    while (svr_cut_more(&cut)) {
        cr_assert_eq(svr_cut_next(&cut, &out, buf, sizeof(buf)), 0);
        expect_parses(&out, &h->tuple);
    }
}

static void requote(const svr_packet *p, const svr_headers *h, uint64_t *seed)
{
    bool v6 = p->data[0] >> 4 == 6;
    size_t len = p->len - h->l4;
    uint8_t *msg = malloc(len);
    svr_tuple to = draw_tuple(seed, v6, draw(seed) & 1 ? UDP : TCP), got;

    memcpy(msg, p->data + h->l4, len);
    if (svr_icmp_quote_parse(&got, msg, len, v6) == 0 && draw(seed) & 1)
        to = draw_tuple(seed, v6, got.proto);
    if (svr_icmp_quote_rewrite(msg, len, v6, &to) == 0) {
        cr_assert_eq(svr_icmp_quote_parse(&got, msg, len, v6), 0);
        if (to.proto != UDP && to.proto != TCP && got.sport == 0)
            to.sport = to.dport = 0; /* not an echo */
        cr_assert(svr_tuple_equal(&got, &to));
    }
    free(msg);
}

Test(wire_mutation, everything_on_anything)
{
    uint64_t seed = 1;
    size_t accepted = 0;

    for (int i = 0; i < ROUNDS; i++) {
        uint8_t bytes[512];
        size_t len = mutate(bytes, build_nested(bytes, &seed), &seed);
        struct held held =
            hold(bytes, len, draw_below(&seed, 120), draw_below(&seed, 40));
        svr_headers h;

        if (svr_packet_parse(&h, &held.p) == 0) {
            accepted++;
            (void)svr_packet_checksum_ok(&held.p, &h);
            requote(&held.p, &h, &seed);
            answer(&held.p, &h, &seed);
            change_tuple(&held.p, &h, &seed);
            resize(&held.p, &h, &seed);
        }
        drop(&held);
    }
    /* The test is worth something only if enough packets get through. */
    cr_assert_gt(accepted, ROUNDS / 10);
}
