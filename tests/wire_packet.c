#include "wire_packets.h"

#include <criterion/criterion.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

Test(wire_packet, init)
{
    static uint8_t buf[SVR_HEADROOM + 100 + SVR_TAILROOM + 5];
    svr_packet p = {.len = 77};

    cr_assert_eq(
        svr_packet_init(&p, buf, SVR_HEADROOM + 99 + SVR_TAILROOM, 100),
        SVR_ERR_NO_SPACE);
    cr_assert_eq(svr_packet_init(&p, buf, 0, 0), SVR_ERR_NO_SPACE);
    cr_assert_eq(svr_packet_init(&p, buf, sizeof(buf), SIZE_MAX),
                 SVR_ERR_NO_SPACE);
    cr_assert_eq(p.len, 77);
    cr_assert_eq(svr_packet_init(&p, buf, sizeof(buf), 100), 0);
    cr_assert_eq(p.data, buf + SVR_HEADROOM);
    cr_assert_eq(p.len, 100);
    cr_assert_eq(p.headroom, SVR_HEADROOM);
    cr_assert_eq(p.tailroom, SVR_TAILROOM + 5);
    cr_assert_eq(p.checksum, SVR_CHECKSUM_FULL);
    cr_assert_eq(p.segment_size, 0);
}

/* What does not fit into the count of the room is given up; a packet of more
 * than 32 bits is none. */
Test(wire_packet, init_in_a_huge_buffer)
{
    static uint8_t buf[SVR_HEADROOM + 100 + UINT16_MAX + 1];
    svr_packet p;

    cr_assert_eq(svr_packet_init(&p, buf, sizeof(buf) - 1, 100), 0);
    cr_expect_eq(p.tailroom, UINT16_MAX);
    cr_assert_eq(svr_packet_init(&p, buf, sizeof(buf), 100), 0);
    cr_expect_eq(p.tailroom, UINT16_MAX);
#if SIZE_MAX > UINT32_MAX
    cr_expect_eq(svr_packet_init(&p, buf, SIZE_MAX, (size_t)UINT32_MAX + 1),
                 SVR_ERR_NO_SPACE);
#endif
}

static const struct shape shapes[] = {
    {.proto = SVR_PROTO_TCP, .payload = 7},
    {.proto = SVR_PROTO_TCP, .options = 40, .tcp_options = 40, .payload = 1},
    {.proto = SVR_PROTO_UDP, .payload = 3},
    {.proto = SVR_PROTO_UDP, .options = 4},
    {.proto = SVR_PROTO_ICMP, .payload = 5},
    {.proto = 47, .payload = 4},
    {.v6 = true, .proto = SVR_PROTO_TCP, .tcp_options = 12},
    {.v6 = true, .proto = SVR_PROTO_TCP, .options = 24, .payload = 2},
    {.v6 = true, .proto = SVR_PROTO_UDP, .payload = 9},
    {.v6 = true, .proto = SVR_PROTO_ICMPV6, .options = 8},
    {.v6 = true, .proto = 50, .payload = 8},
};

static void check_tcp(const svr_headers *h, const uint8_t *tcp, bool is)
{
    cr_assert_eq(h->tcp_flags, is ? tcp[13] : 0);
    cr_assert_eq(h->tcp_seq, is ? get32(tcp + 4) : 0);
    cr_assert_eq(h->tcp_ack, is ? get32(tcp + 8) : 0);
    cr_assert_eq(h->tcp_window, is ? get16(tcp + 14) : 0);
}

Test(wire_packet, parse_reads_every_field)
{
    uint64_t seed = 1;
    uint8_t bytes[512];

    for (size_t i = 0; i < COUNT(shapes); i++) {
        const struct shape *s = &shapes[i];
        svr_tuple t = draw_tuple(&seed, s->v6, s->proto);
        size_t len = build(bytes, s, &t, &seed);
        struct held held = hold(bytes, len, 0, 0);
        bool echo = s->proto == SVR_PROTO_ICMP || s->proto == SVR_PROTO_ICMPV6;
        svr_headers h;

        memset(&h, 0xee, sizeof(h));
        cr_assert_eq(svr_packet_parse(&h, &held.p), 0, "shape %zu", i);
        cr_assert(svr_tuple_equal(&h.tuple, &t), "shape %zu", i);
        cr_assert_eq(h.l4, ip_bytes(s));
        cr_assert_eq(h.payload, ip_bytes(s) + l4_bytes(s));
        cr_assert_eq(bytes[h.l4_proto_at], s->proto);
        cr_assert_eq(h.l4_proto_at, !s->v6 ? 9 : s->options ? 40 : 6);
        cr_assert_eq(h.ttl, 61);
        cr_assert_eq(h.tos, 0xb8);
        cr_assert_eq(h.icmp_echo, echo);
        cr_assert_eq(h.icmp_error, false);
        cr_assert_eq(h.icmp_type, echo ? (s->v6 ? 128 : 8) : 0);
        cr_assert_eq(h.icmp_code, 0);
        check_tcp(&h, bytes + h.l4, s->proto == SVR_PROTO_TCP);
        cr_assert_eq(held.p.len, len);
        cr_assert_eq(memcmp(held.p.data, bytes, len), 0);
        drop(&held);
    }
}

Test(wire_packet, parse_cuts_off_what_ethernet_pads)
{
    uint64_t seed = 2;
    uint8_t bytes[600] = {0};

    for (size_t i = 0; i < COUNT(shapes); i++) {
        svr_tuple t = draw_tuple(&seed, shapes[i].v6, shapes[i].proto);
        size_t len = build(bytes, &shapes[i], &t, &seed);
        struct held held = hold(bytes, len + 26, 0, 10);
        svr_headers h;

        cr_assert_eq(svr_packet_parse(&h, &held.p), 0);
        cr_assert_eq(held.p.len, len);
        cr_assert_eq(held.p.tailroom, 36);
        drop(&held);
    }
}

Test(wire_packet, a_packet_cut_at_any_byte_is_truncated)
{
    uint64_t seed = 3;
    uint8_t bytes[512];

    for (size_t i = 0; i < COUNT(shapes); i++) {
        svr_tuple t = draw_tuple(&seed, shapes[i].v6, shapes[i].proto);
        size_t len = build(bytes, &shapes[i], &t, &seed);

        for (size_t keep = 0; keep < len; keep++)
            cr_assert_eq(parse_exact(bytes, keep), SVR_ERR_TRUNCATED,
                         "shape %zu cut to %zu", i, keep);
    }
}

static void set_length(uint8_t *ip, size_t len)
{
    if (ip[0] >> 4 == 4)
        put16(ip + 2, len);
    else
        put16(ip + 4, len - 40);
    naive_ip_write(ip);
}

/* The IP header agrees with the capture, but its L4 header is not all there. */
Test(wire_packet, an_l4_header_cut_at_any_byte_is_truncated)
{
    uint64_t seed = 4;
    uint8_t bytes[512];

    for (size_t i = 0; i < COUNT(shapes); i++) {
        const struct shape *s = &shapes[i];
        svr_tuple t = draw_tuple(&seed, s->v6, s->proto);
        size_t fixed = l4_bytes(s) - s->tcp_options, l4 = ip_bytes(s);

        build(bytes, s, &t, &seed);
        for (size_t keep = l4; keep < l4 + (fixed ? fixed : 1); keep++) {
            set_length(bytes, keep);
            cr_assert_eq(parse_exact(bytes, keep), SVR_ERR_TRUNCATED,
                         "shape %zu cut to %zu", i, keep);
        }
        for (size_t keep = l4 + fixed; keep < l4 + l4_bytes(s); keep++) {
            set_length(bytes, keep);
            cr_assert_eq(parse_exact(bytes, keep), SVR_ERR_LENGTH,
                         "shape %zu cut to %zu", i, keep);
        }
    }
}

#define TCP SVR_PROTO_TCP
#define UDP SVR_PROTO_UDP

Test(wire_packet, ipv4_header_checksum_sees_every_bit)
{
    uint64_t seed = 6;
    struct shape s = {.proto = TCP, .options = 8, .payload = 3};
    svr_tuple t = draw_tuple(&seed, false, TCP);
    uint8_t bytes[128];
    size_t len = build(bytes, &s, &t, &seed);

    /* Version, IHL and total length are looked at before. */
    for (size_t bit = 4 * 8; bit < 28 * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_eq(parse_exact(bytes, len), SVR_ERR_CHECKSUM, "bit %zu", bit);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    cr_assert_eq(parse_exact(bytes, len), 0);
}

Test(wire_packet, the_longest_packets)
{
    uint64_t seed = 11;
    static uint8_t bytes[ROOM];
    struct shape s4 = {.proto = TCP, .payload = 65495};
    struct shape s6 = {.v6 = true, .proto = TCP, .payload = 65475};
    svr_tuple t4 = draw_tuple(&seed, false, TCP);
    svr_tuple t6 = draw_tuple(&seed, true, TCP);

    cr_assert_eq(build(bytes, &s4, &t4, &seed), SVR_PACKET_MAX);
    cr_assert_eq(parse_exact(bytes, SVR_PACKET_MAX), 0);
    cr_assert_eq(build(bytes, &s6, &t6, &seed), SVR_PACKET_MAX);
    cr_assert_eq(parse_exact(bytes, SVR_PACKET_MAX), 0);
    put16(bytes + 4, 65496);
    cr_assert_eq(parse_exact(bytes, SVR_PACKET_MAX + 1), SVR_ERR_LENGTH);
    put16(bytes + 4, 65535);
    cr_assert_eq(parse_exact(bytes, 65575), SVR_ERR_LENGTH);
}

Test(wire_packet, tcp_flags_in_any_combination)
{
    uint64_t seed = 12;
    struct shape s = {.proto = TCP};
    svr_tuple t = draw_tuple(&seed, false, TCP);
    uint8_t bytes[64];
    size_t len = build(bytes, &s, &t, &seed);

    for (int flags = 0; flags < 256; flags++) {
        svr_packet p = {.data = bytes, .len = (uint32_t)len};
        svr_headers h;

        bytes[33] = (uint8_t)flags;
        cr_assert_eq(svr_packet_parse(&h, &p), 0);
        cr_assert_eq(h.tcp_flags, flags);
    }
}

/* S4.3, S19. */
Test(wire_packet, icmp_types)
{
    uint64_t seed = 13;
    uint8_t bytes[128];

    for (int v6 = 0; v6 < 2; v6++) {
        uint8_t proto = v6 ? SVR_PROTO_ICMPV6 : SVR_PROTO_ICMP;
        struct shape s = {.v6 = v6, .proto = proto, .payload = 4};
        svr_tuple t = draw_tuple(&seed, v6, proto);
        size_t len = build(bytes, &s, &t, &seed);
        uint8_t *icmp = bytes + ip_bytes(&s);

        for (int type = 0; type < 256; type++) {
            svr_packet p = {.data = bytes, .len = (uint32_t)len};
            bool echo = v6 ? type == 128 || type == 129 : !(type & ~8);
            bool error = v6 ? type >= 1 && type <= 4
                            : type == 3 || type == 11 || type == 12;
            svr_headers h;

            icmp[0] = (uint8_t)type;
            icmp[1] = 3;
            cr_assert_eq(svr_packet_parse(&h, &p), 0);
            cr_assert_eq(h.icmp_type, type);
            cr_assert_eq(h.icmp_code, 3);
            cr_assert_eq(h.icmp_echo, echo);
            cr_assert_eq(h.icmp_error, error);
            cr_assert_eq(h.tuple.sport, echo ? t.sport : 0);
            cr_assert_eq(h.tuple.dport, echo ? t.sport : 0);
        }
    }
}

/* What parse shall accept, said another way: packets without extension
 * headers, good addresses and a right header checksum. */
static bool is_acceptable(const uint8_t *ip, size_t captured, bool udp)
{
    size_t header, total, room, l4_header;

    if (captured < 1 || captured < (ip[0] >> 4 == 4 ? 20 : 40))
        return false;
    header = ip[0] >> 4 == 4 ? (ip[0] & 15) * 4U : 40;
    total = ip[0] >> 4 == 4 ? get16(ip + 2) : 40 + get16(ip + 4);
    if (header < 20 || total < header || total > captured || total > 65535)
        return false;
    room = total - header;
    if (room < (udp ? 8 : 20))
        return false;
    if (udp)
        return get16(ip + header + 4) == room;
    l4_header = (ip[header + 12] >> 4) * 4U;
    return l4_header >= 20 && l4_header <= room;
}

/* A length that is wrong in each of six ways. */
static size_t bend(size_t exact, size_t max, size_t way)
{
    const size_t lengths[] = {0, 1, exact - 1, exact, exact + 1, max};

    return lengths[way];
}

static void try_lengths(uint8_t *ip, const struct shape *s, const size_t way[4])
{
    size_t len = ip_bytes(s) + l4_bytes(s) + s->payload;
    size_t captured = bend(len, len + 100, way[3]);
    uint8_t *l4 = ip + ip_bytes(s);
    bool udp = s->proto == UDP;
    bool accepted;

    put16(ip + (s->v6 ? 4 : 2), bend(len - (s->v6 ? 40 : 0), 65535, way[0]));
    if (!s->v6) {
        ip[0] = (uint8_t)(0x40 | bend(ip_bytes(s) / 4, 15, way[1]));
        naive_ip_write(ip);
    }
    if (udp)
        put16(l4 + 4, bend(8 + s->payload, 65535, way[2]));
    else
        l4[12] = (uint8_t)(bend(l4_bytes(s) / 4, 15, way[2]) << 4);
    accepted = parse_exact(ip, captured) == 0;
    cr_assert_eq(accepted, is_acceptable(ip, captured, udp),
                 "proto %d, ways %zu %zu %zu %zu", s->proto, way[0], way[1],
                 way[2], way[3]);
}

Test(wire_packet, length_lattice)
{
    const struct shape kinds[] = {
        {.proto = TCP, .options = 4, .tcp_options = 4, .payload = 30},
        {.proto = UDP, .options = 4, .payload = 30},
        {.v6 = true, .proto = TCP, .tcp_options = 4, .payload = 30},
        {.v6 = true, .proto = UDP, .payload = 30},
    };
    uint64_t seed = 15;

    for (size_t i = 0; i < COUNT(kinds) * 6 * 6 * 6 * 6; i++) {
        const struct shape *s = &kinds[i % 4];
        const size_t way[4] = {i / 4 % 6, i / 24 % 6, i / 144 % 6, i / 864 % 6};
        svr_tuple t = draw_tuple(&seed, s->v6, s->proto);
        uint8_t bytes[300] = {0};

        build(bytes, s, &t, &seed);
        try_lengths(bytes, s, way);
    }
}
