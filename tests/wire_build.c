/* Packets that a router makes itself. */
#include "wire_packets.h"

#include <criterion/criterion.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TCP SVR_PROTO_TCP
#define UDP SVR_PROTO_UDP

/* len bytes of payload, in a block of exactly its size and headroom. */
static struct held payload(size_t len, size_t headroom, uint64_t *seed)
{
    static uint8_t bytes[ROOM];

    draw_bytes(seed, bytes, len);
    return hold(bytes, len, headroom, 0);
}

static void expect_built(svr_packet *p, const svr_tuple *t, svr_headers *h)
{
    cr_assert_eq(svr_packet_parse(h, p), 0);
    cr_expect(svr_tuple_equal(&h->tuple, t));
    cr_expect(naive_right(p->data, p->len, h->l4, t->proto));
    cr_expect_eq(h->ttl, 64);
    cr_expect_eq(p->headroom, 0);
    cr_expect_eq(p->checksum, SVR_CHECKSUM_FULL);
}

Test(wire_build, udp_and_tcp_wrap)
{
    const size_t lengths[] = {0, 1, 2, 1400, 65535};
    uint64_t seed = 1;

    for (size_t i = 0; i < COUNT(lengths) * 4; i++) {
        bool v6 = i & 1, tcp = i & 2;
        size_t add = (v6 ? 40U : 20U) + (tcp ? 20U : 8U);
        size_t len = lengths[i / 4];
        svr_tuple t = draw_tuple(&seed, v6, tcp ? TCP : UDP);
        struct held held;
        svr_headers h;

        if (len == 65535)
            len -= add;
        held = payload(len, add, &seed);
        held.p.segment_size = 5;
        held.p.checksum = SVR_CHECKSUM_PARTIAL;
        if (tcp)
            cr_assert_eq(svr_tcp_wrap(&held.p, &t, 0x80000001, 7), 0);
        else
            cr_assert_eq(svr_udp_wrap(&held.p, &t), 0);
        expect_built(&held.p, &t, &h);
        cr_expect_eq(held.p.len, len + add);
        cr_expect_eq(held.p.segment_size, 0);
        cr_expect_eq(h.tcp_flags, tcp ? SVR_TCP_ACK : 0);
        cr_expect_eq(h.tcp_seq, tcp ? 0x80000001 : 0);
        cr_expect_eq(h.tcp_ack, tcp ? 7 : 0);
        cr_expect_eq(h.tcp_window, 0);
        drop(&held);
    }
}

Test(wire_build, icmp_wrap)
{
    uint64_t seed = 2;

    for (int v6 = 0; v6 < 2; v6++) {
        uint8_t proto = v6 ? SVR_PROTO_ICMPV6 : SVR_PROTO_ICMP;
        svr_tuple t = draw_tuple(&seed, v6, proto);
        struct held held = payload(31, v6 ? 40 : 20, &seed);
        svr_headers h;

        held.p.data[0] = v6 ? 129 : 0;
        put16(held.p.data + 4, t.sport);
        cr_assert_eq(svr_icmp_wrap(&held.p, &t.src, &t.dst), 0);
        expect_built(&held.p, &t, &h);
        drop(&held);
    }
}

Test(wire_build, wraps_that_are_refused)
{
    uint64_t seed = 3;
    svr_tuple udp = draw_tuple(&seed, false, UDP);
    svr_tuple tcp = draw_tuple(&seed, true, TCP), mixed = udp;
    struct held held = payload(20, 27, &seed);
    svr_packet was = held.p;

    mixed.dst = tcp.dst;
    cr_expect_eq(svr_udp_wrap(&held.p, &udp), SVR_ERR_NO_SPACE);
    cr_expect_eq(svr_tcp_wrap(&held.p, &tcp, 0, 0), SVR_ERR_NO_SPACE);
    cr_expect_eq(svr_udp_wrap(&held.p, &mixed), SVR_ERR_ARGUMENT);
    cr_expect_eq(svr_udp_wrap(&held.p, &tcp), SVR_ERR_ARGUMENT);
    cr_expect_eq(svr_tcp_wrap(&held.p, &udp, 0, 0), SVR_ERR_ARGUMENT);
    cr_expect_eq(svr_icmp_wrap(&held.p, &mixed.src, &mixed.dst),
                 SVR_ERR_ARGUMENT);
    cr_expect_eq(svr_icmp_wrap(&held.p, &tcp.src, &tcp.dst), SVR_ERR_NO_SPACE);
    cr_expect_eq(memcmp(&was, &held.p, sizeof(was)), 0);
    held.p.len = 7;
    cr_expect_eq(svr_icmp_wrap(&held.p, &udp.src, &udp.dst), SVR_ERR_ARGUMENT);
    drop(&held);
    held = payload(65508, 28, &seed);
    cr_expect_eq(svr_udp_wrap(&held.p, &udp), SVR_ERR_LENGTH);
    drop(&held);
}

#define SEQ 0xfffffff0
#define ACKED 0x12345678

/* RFC 9293 3.10.7.1: 20 bytes of payload. */
static const struct {
    uint8_t flags;
    size_t payload;
    int want;
    uint32_t seq, ack;
    uint8_t reset;
} resets[] = {
    {0x10, 20, 0, ACKED, 0, 0x04},      {0x12, 0, 0, ACKED, 0, 0x04},
    {0x11, 0, 0, ACKED, 0, 0x04},       {0x02, 0, 0, 0, SEQ + 1, 0x14},
    {0x02, 20, 0, 0, SEQ + 21, 0x14},   {0x01, 20, 0, 0, SEQ + 21, 0x14},
    {0x03, 0, 0, 0, SEQ + 2, 0x14},     {0x00, 3, 0, 0, SEQ + 3, 0x14},
    {0x04, 0, SVR_ERR_DENIED, 0, 0, 0}, {0x14, 20, SVR_ERR_DENIED, 0, 0, 0},
};

static void try_reset(size_t row, bool v6, uint64_t *seed)
{
    struct shape s = {.v6 = v6,
                      .proto = TCP,
                      .tcp_options = 8,
                      .payload = resets[row].payload};
    size_t l4 = v6 ? 40 : 20, cap = SVR_HEADROOM + l4 + 20 + SVR_TAILROOM;
    svr_tuple t = draw_tuple(seed, v6, TCP), back = svr_tuple_reverse(&t);
    uint8_t bytes[200], *buf = malloc(cap);
    size_t len = build(bytes, &s, &t, seed);
    svr_packet about = {.data = bytes, .len = (uint32_t)len}, out = {.len = 3};
    svr_headers h, got;

    put16(bytes + l4 + 4, SEQ >> 16), put16(bytes + l4 + 6, SEQ & 0xffff);
    put16(bytes + l4 + 8, ACKED >> 16), put16(bytes + l4 + 10, ACKED & 0xffff);
    bytes[l4 + 13] = resets[row].flags;
    cr_assert_eq(svr_packet_parse(&h, &about), 0);
    if (resets[row].want == 0)
        cr_expect_eq(svr_tcp_reset(&out, buf, cap - 1, &about, &h),
                     SVR_ERR_NO_SPACE);
    cr_expect_eq(out.len, 3);
    cr_assert_eq(svr_tcp_reset(&out, buf, cap, &about, &h), resets[row].want);
    if (resets[row].want == 0) {
        cr_assert_eq(svr_packet_parse(&got, &out), 0);
        cr_expect(svr_tuple_equal(&got.tuple, &back));
        cr_expect(naive_right(out.data, out.len, got.l4, TCP));
        cr_expect_eq(got.tcp_seq, resets[row].seq, "row %zu", row);
        cr_expect_eq(got.tcp_ack, resets[row].ack, "row %zu", row);
        cr_expect_eq(got.tcp_flags, resets[row].reset, "row %zu", row);
        cr_expect_eq(out.len, l4 + 20);
    }
    free(buf);
}

Test(wire_build, reset)
{
    uint64_t seed = 4;

    for (size_t i = 0; i < COUNT(resets) * 2; i++)
        try_reset(i / 2, i % 2, &seed);
}

Test(wire_build, no_reset_about_udp)
{
    uint64_t seed = 5;
    struct shape s = {.proto = UDP, .payload = 20};
    svr_tuple t = draw_tuple(&seed, false, UDP);
    uint8_t bytes[64], buf[SVR_HEADROOM + 40 + SVR_TAILROOM];
    svr_packet p = {.data = bytes}, out;
    svr_headers h;

    p.len = (uint32_t)build(bytes, &s, &t, &seed);
    cr_assert_eq(svr_packet_parse(&h, &p), 0);
    cr_expect_eq(svr_tcp_reset(&out, buf, sizeof(buf), &p, &h), SVR_ERR_DENIED);
}
