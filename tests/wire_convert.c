#include "wire_packets.h"

#include <criterion/criterion.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TCP SVR_PROTO_TCP
#define UDP SVR_PROTO_UDP
#define ICMP SVR_PROTO_ICMP
#define ICMPV6 SVR_PROTO_ICMPV6
#define GRE 47
#define ESP 50

/* A packet, and what it becomes on the pathway. */
static const struct {
    struct shape s;
    bool v6;
    uint8_t proto;
} ways[] = {
    {{.proto = TCP, .payload = 11, .tcp_options = 12}, true, TCP},
    {{.proto = TCP, .payload = 60000}, true, TCP},
    {{.proto = TCP, .options = 8}, false, TCP},
    {{.proto = UDP}, true, UDP},
    {{.proto = UDP, .payload = 1}, true, UDP},
    {{.proto = UDP, .options = 4, .payload = 7}, false, UDP},
    {{.proto = ICMP, .payload = 56}, false, UDP},
    {{.proto = ICMP, .options = 12, .payload = 3}, false, UDP},
    {{.proto = ICMP}, true, UDP},
    {{.proto = ICMP, .payload = 5}, false, ICMP},
    {{.proto = GRE, .payload = 33}, false, UDP},
    {{.proto = GRE, .payload = 1}, true, UDP},
    {{.proto = GRE, .options = 4, .payload = 8}, false, GRE},
    {{.v6 = true, .proto = TCP, .payload = 1}, false, TCP},
    {{.v6 = true, .proto = TCP, .options = 32, .payload = 60000}, true, TCP},
    {{.v6 = true, .proto = UDP, .payload = 4}, false, UDP},
    {{.v6 = true, .proto = ICMPV6, .payload = 56}, true, UDP},
    {{.v6 = true, .proto = ICMPV6, .options = 8, .payload = 1}, true, UDP},
    {{.v6 = true, .proto = ICMPV6, .payload = 9}, false, UDP},
    {{.v6 = true, .proto = ICMPV6, .payload = 9}, true, ICMPV6},
    {{.v6 = true, .proto = ESP, .payload = 40}, true, UDP},
    {{.v6 = true, .proto = ESP, .payload = 41}, false, UDP},
};

struct fixture {
    struct held held;
    svr_headers h;
    svr_tuple t;
    uint64_t seed;
};

static void setup(struct fixture *f, const struct shape *s, size_t headroom)
{
    static uint8_t bytes[ROOM];
    size_t len;

    f->t = draw_tuple(&f->seed, s->v6, s->proto);
    len = build(bytes, s, &f->t, &f->seed);
    f->held = hold(bytes, len, headroom, 0);
    cr_assert_eq(svr_packet_parse(&f->h, &f->held.p), 0);
}

/* What a packet looks like after it crossed as another one: its TTL fell
 * twice, and where it changed its family what the other one cannot carry is
 * gone. */
static void age(uint8_t *ip, bool family)
{
    if (ip[0] >> 4 == 6) {
        ip[7] = (uint8_t)(ip[7] - 2);
        if (family) {
            ip[1] &= 0xf0;
            put16(ip + 2, 0);
        }
        return;
    }
    ip[8] = (uint8_t)(ip[8] - 2);
    if (family) {
        put16(ip + 4, 0);
        put16(ip + 6, 0x4000);
    }
    naive_ip_write(ip);
}

static void expect_same_headers(const svr_headers *a, const svr_headers *b)
{
    cr_expect(svr_tuple_equal(&a->tuple, &b->tuple));
    cr_expect_eq(a->l4, b->l4);
    cr_expect_eq(a->l4_proto_at, b->l4_proto_at);
    cr_expect_eq(a->payload, b->payload);
    cr_expect_eq(a->ttl, b->ttl);
    cr_expect_eq(a->tos, b->tos);
    cr_expect_eq(a->tcp_flags, b->tcp_flags);
    cr_expect_eq(a->icmp_type, b->icmp_type);
    cr_expect_eq(a->icmp_code, b->icmp_code);
    cr_expect_eq(a->icmp_error, b->icmp_error);
    cr_expect_eq(a->icmp_echo, b->icmp_echo);
    cr_expect_eq(a->tcp_seq, b->tcp_seq);
    cr_expect_eq(a->tcp_ack, b->tcp_ack);
    cr_expect_eq(a->tcp_window, b->tcp_window);
}

/* The packet is what a fresh look at it finds. */
static void expect_sound(struct fixture *f, const svr_tuple *to)
{
    const svr_packet *p = &f->held.p;
    svr_packet look = *p;
    svr_headers h;

    cr_assert_eq(svr_packet_parse(&h, &look), 0);
    cr_expect_eq(look.len, p->len);
    expect_same_headers(&h, &f->h);
    cr_expect(svr_tuple_equal(&h.tuple, to));
    cr_expect(naive_right(p->data, p->len, h.l4, to->proto));
}

Test(wire_convert, there_and_back_is_identity)
{
    struct fixture f = {.seed = 1};
    static uint8_t want[ROOM];

    for (size_t i = 0; i < COUNT(ways) * 20; i++) {
        const struct shape *s = &ways[i % COUNT(ways)].s;
        bool v6 = ways[i % COUNT(ways)].v6;
        svr_tuple to = draw_tuple(&f.seed, v6, ways[i % COUNT(ways)].proto);
        uint32_t len;

        if (s->payload > 1000 && i >= COUNT(ways))
            continue;
        setup(&f, s, SVR_HEADROOM);
        len = f.held.p.len;
        memcpy(want, f.held.p.data, len);
        age(want, s->v6 != v6);
        cr_assert_eq(svr_packet_convert(&f.held.p, &f.h, &to), 0, "way %zu",
                     i % COUNT(ways));
        expect_sound(&f, &to);
        cr_expect_eq(f.h.tos, 0xb8);
        cr_expect_eq(f.h.ttl, 60);
        cr_assert_eq(svr_packet_convert(&f.held.p, &f.h, &f.t), 0, "way %zu",
                     i % COUNT(ways));
        expect_sound(&f, &f.t);
        cr_assert_eq(f.held.p.len, len);
        cr_assert_eq(f.held.p.headroom, SVR_HEADROOM);
        cr_assert_eq(memcmp(f.held.p.data, want, len), 0, "way %zu",
                     i % COUNT(ways));
        drop(&f.held);
    }
}

Test(wire_convert, the_headers_it_writes)
{
    struct fixture f = {.seed = 2};
    const uint8_t *ip;
    struct shape s = {.proto = TCP, .payload = 3};
    svr_tuple to = draw_tuple(&f.seed, true, TCP);

    setup(&f, &s, 20);
    cr_assert_eq(svr_packet_convert(&f.held.p, &f.h, &to), 0);
    ip = f.held.p.data;
    cr_expect_eq(get32(ip), 0x6b800000);
    cr_expect_eq(get16(ip + 4), 23);
    cr_expect_eq(ip[6], TCP);
    cr_expect_eq(ip[7], 60);
    drop(&f.held);

    s.v6 = true;
    to = draw_tuple(&f.seed, false, TCP);
    setup(&f, &s, 0);
    cr_assert_eq(svr_packet_convert(&f.held.p, &f.h, &to), 0);
    ip = f.held.p.data;
    cr_expect_eq(get32(ip), 0x45b8002b);
    cr_expect_eq(get32(ip + 4), 0x00004000);
    cr_expect_eq(ip[8], 60);
    cr_expect_eq(f.held.p.headroom, 20);
    drop(&f.held);
}

/* Needs exactly as much headroom as it adds, and changes nothing with less. */
Test(wire_convert, headroom)
{
    struct fixture f = {.seed = 3};
    static uint8_t before[ROOM];

    for (size_t i = 0; i < COUNT(ways); i++) {
        const struct shape *s = &ways[i].s;
        int grow = (ways[i].v6 - s->v6) * 20 + (s->proto != ways[i].proto) * 8;
        svr_tuple to = draw_tuple(&f.seed, ways[i].v6, ways[i].proto);
        svr_packet was;
        svr_headers h;

        if (grow > 0) {
            setup(&f, s, (size_t)grow - 1);
            memcpy(before, f.held.p.data, f.held.p.len);
            was = f.held.p;
            h = f.h;
            cr_expect_eq(svr_packet_convert(&f.held.p, &f.h, &to),
                         SVR_ERR_NO_SPACE);
            cr_expect_eq(memcmp(&was, &f.held.p, sizeof(was)), 0);
            cr_expect_eq(memcmp(&h, &f.h, sizeof(h)), 0);
            cr_expect_eq(memcmp(before, was.data, was.len), 0);
            drop(&f.held);
        }
        setup(&f, s, grow > 0 ? (size_t)grow : 0);
        cr_expect_eq(svr_packet_convert(&f.held.p, &f.h, &to), 0);
        cr_expect_eq(f.held.p.headroom, grow > 0 ? 0 : -grow);
        drop(&f.held);
    }
}

#define MIXED 2 /* a source and a destination of two families */

static const struct {
    const char *name;
    struct shape s;
    int v6;
    uint8_t proto;
    int want;
} refused[] = {
    {"TCP to UDP", {.proto = TCP}, 0, UDP, SVR_ERR_UNSUPPORTED},
    {"UDP to TCP", {.proto = UDP}, 0, TCP, SVR_ERR_UNSUPPORTED},
    {"ICMP to TCP", {.proto = ICMP}, 0, TCP, SVR_ERR_UNSUPPORTED},
    {"TCP to ICMP", {.proto = TCP}, 0, ICMP, SVR_ERR_UNSUPPORTED},
    {"ICMP to GRE", {.proto = ICMP}, 0, GRE, SVR_ERR_UNSUPPORTED},
    {"ICMP to v6", {.proto = ICMP}, 1, ICMP, SVR_ERR_UNSUPPORTED},
    {"ICMP to ICMPv6", {.proto = ICMP}, 1, ICMPV6, SVR_ERR_UNSUPPORTED},
    {"GRE to v6", {.proto = GRE, .payload = 9}, 1, GRE, SVR_ERR_UNSUPPORTED},
    {"UDP to an extension header",
     {.proto = UDP, .payload = 64},
     1,
     60,
     SVR_ERR_UNSUPPORTED},
    {"UDP to no next header",
     {.v6 = true, .proto = UDP, .payload = 64},
     1,
     59,
     SVR_ERR_UNSUPPORTED},
    {"mixed families", {.proto = TCP}, MIXED, TCP, SVR_ERR_UNSUPPORTED},
    {"options to v6",
     {.proto = TCP, .options = 4},
     1,
     TCP,
     SVR_ERR_UNSUPPORTED},
    {"extension headers to v4",
     {.v6 = true, .proto = UDP, .options = 8},
     0,
     UDP,
     SVR_ERR_UNSUPPORTED},
    {"options and a UDP header to v6",
     {.proto = ICMP, .options = 4},
     1,
     UDP,
     SVR_ERR_UNSUPPORTED},
    {"nothing behind UDP", {.proto = UDP}, 0, GRE, SVR_ERR_TRUNCATED},
    {"no ICMP behind UDP", {.proto = UDP}, 0, ICMP, SVR_ERR_TRUNCATED},
    {"half an ICMP header behind UDP",
     {.proto = UDP, .payload = 7},
     0,
     ICMP,
     SVR_ERR_TRUNCATED},
    {"half an ICMPv6 header behind UDP",
     {.proto = UDP, .payload = 7},
     1,
     ICMPV6,
     SVR_ERR_TRUNCATED},
    {"too long for v6",
     {.proto = TCP, .payload = 65495 - 19},
     1,
     TCP,
     SVR_ERR_LENGTH},
    {"too long for a UDP header",
     {.proto = ICMP, .payload = 65507 - 7},
     0,
     UDP,
     SVR_ERR_LENGTH},
};

Test(wire_convert, refused)
{
    struct fixture f = {.seed = 4};
    static uint8_t before[ROOM];

    for (size_t i = 0; i < COUNT(refused); i++) {
        svr_tuple to =
            draw_tuple(&f.seed, refused[i].v6 == 1, refused[i].proto);
        svr_packet was;
        svr_headers h;

        if (refused[i].v6 == MIXED)
            to.dst = draw_addr(&f.seed, true);
        setup(&f, &refused[i].s, SVR_HEADROOM);
        memcpy(before, f.held.p.data, f.held.p.len);
        was = f.held.p;
        h = f.h;
        cr_expect_eq(svr_packet_convert(&f.held.p, &f.h, &to), refused[i].want,
                     "%s", refused[i].name);
        cr_expect_eq(memcmp(&was, &f.held.p, sizeof(was)), 0);
        cr_expect_eq(memcmp(&h, &f.h, sizeof(h)), 0);
        cr_expect_eq(memcmp(before, was.data, was.len), 0);
        drop(&f.held);
    }
}

/* S4.7: UDP over IPv6 has a checksum, S4.6: within IPv4 it may have none. */
Test(wire_convert, udp_without_checksum)
{
    struct fixture f = {.seed = 5};
    struct shape s = {.proto = UDP, .payload = 9, .no_checksum = true};

    for (int v6 = 0; v6 < 2; v6++) {
        svr_tuple to = draw_tuple(&f.seed, v6, UDP);

        setup(&f, &s, SVR_HEADROOM);
        cr_assert_eq(svr_packet_convert(&f.held.p, &f.h, &to), 0);
        cr_expect_eq(get16(f.held.p.data + f.h.l4 + 6) != 0, v6);
        expect_sound(&f, &to);
        drop(&f.held);
    }
}

Test(wire_convert, a_wrong_checksum_stays_wrong)
{
    struct fixture f = {.seed = 6};

    for (size_t i = 0; i < COUNT(ways); i++) {
        const struct shape *s = &ways[i].s;
        svr_tuple to = draw_tuple(&f.seed, ways[i].v6, ways[i].proto);
        uint8_t *last;

        setup(&f, s, SVR_HEADROOM);
        if (!has_checksum(f.held.p.data, s->proto)) {
            drop(&f.held);
            continue;
        }
        last = f.held.p.data + f.held.p.len - 1;
        *last ^= 0x40;
        cr_assert_eq(svr_packet_convert(&f.held.p, &f.h, &to), 0);
        if (s->proto == ways[i].proto)
            cr_expect_not(svr_packet_checksum_ok(&f.held.p, &f.h));
        cr_assert_eq(svr_packet_convert(&f.held.p, &f.h, &f.t), 0);
        cr_expect_not(svr_packet_checksum_ok(&f.held.p, &f.h), "way %zu", i);
        drop(&f.held);
    }
}

Test(wire_convert, partial_checksums)
{
    struct fixture f = {.seed = 7};

    for (int kind = 0; kind < 8; kind++) {
        struct shape s = {
            .v6 = kind & 1, .proto = kind & 2 ? TCP : UDP, .payload = 3000};
        svr_tuple to = draw_tuple(&f.seed, kind & 4, s.proto);

        setup(&f, &s, SVR_HEADROOM);
        f.held.p.checksum = SVR_CHECKSUM_PARTIAL;
        svr_packet_checksum_write(&f.held.p, &f.h);
        cr_assert_eq(svr_packet_convert(&f.held.p, &f.h, &to), 0);
        cr_expect_eq(f.held.p.checksum, SVR_CHECKSUM_PARTIAL);
        svr_packet_checksum_complete(&f.held.p, &f.h);
        expect_sound(&f, &to);
        drop(&f.held);
    }
}

/* The UDP header of a PARTIAL or VALID packet takes that fact along. */
Test(wire_convert, what_hardware_knew_goes_with_the_udp_header)
{
    struct fixture f = {.seed = 8};
    struct shape s = {.proto = UDP, .payload = 30};
    svr_tuple gre = draw_tuple(&f.seed, false, GRE);
    svr_tuple udp = draw_tuple(&f.seed, false, UDP);

    setup(&f, &s, SVR_HEADROOM);
    f.held.p.checksum = SVR_CHECKSUM_PARTIAL;
    cr_assert_eq(svr_packet_convert(&f.held.p, &f.h, &gre), 0);
    cr_expect_eq(f.held.p.checksum, SVR_CHECKSUM_FULL);
    f.held.p.checksum = SVR_CHECKSUM_VALID;
    cr_assert_eq(svr_packet_convert(&f.held.p, &f.h, &udp), 0);
    cr_expect_eq(f.held.p.checksum, SVR_CHECKSUM_FULL);
    cr_expect(svr_packet_checksum_ok(&f.held.p, &f.h));
    drop(&f.held);
}

/* An echo restored from UDP keeps the identifier that it has. */
Test(wire_convert, a_restored_echo_is_read_not_written)
{
    struct fixture f = {.seed = 9};
    struct shape s = {.proto = ICMP, .payload = 8};
    svr_tuple udp = draw_tuple(&f.seed, false, UDP), other;

    setup(&f, &s, SVR_HEADROOM);
    cr_assert_eq(svr_packet_convert(&f.held.p, &f.h, &udp), 0);
    other = f.t;
    other.sport = other.dport = (uint16_t)(f.t.sport + 1);
    cr_assert_eq(svr_packet_convert(&f.held.p, &f.h, &other), 0);
    cr_expect_eq(f.h.tuple.sport, f.t.sport);
    cr_expect(f.h.icmp_echo);
    expect_sound(&f, &f.t);
    drop(&f.held);
}

/* An echo of zeros alone has the checksum ffff, which no incremental update
 * comes to. */
Test(wire_convert, echo_of_zeros)
{
    struct fixture f = {.seed = 12};
    struct shape s = {.proto = ICMP, .payload = 8};
    svr_tuple other;
    uint8_t *l4;

    setup(&f, &s, 0);
    l4 = f.held.p.data + f.h.l4;
    memset(l4, 0, f.held.p.len - f.h.l4);
    put16(l4 + 2, 0xffff);
    cr_assert_eq(svr_packet_parse(&f.h, &f.held.p), 0);
    cr_assert(svr_packet_checksum_ok(&f.held.p, &f.h));
    other = f.h.tuple;
    for (unsigned id = 0; id < 3; id++) { /* the same, another, back */
        other.sport = other.dport = id % 2 ? 77 : 0;
        cr_assert_eq(svr_packet_convert(&f.held.p, &f.h, &other), 0);
        cr_expect(svr_packet_checksum_ok(&f.held.p, &f.h), "id %u",
                  other.sport);
    }
    drop(&f.held);
}

/* ICMP that is no echo has no ports and is carried as it is (S4.3). */
Test(wire_convert, icmp_without_identifier)
{
    struct fixture f = {.seed = 10};
    struct shape s = {.v6 = true, .proto = ICMPV6, .payload = 60};
    svr_tuple udp = draw_tuple(&f.seed, false, UDP), back;
    uint8_t message[68];

    setup(&f, &s, SVR_HEADROOM);
    f.held.p.data[f.h.l4] = 1;
    naive_write(f.held.p.data, f.held.p.len, f.h.l4, ICMPV6);
    cr_assert_eq(svr_packet_parse(&f.h, &f.held.p), 0);
    back = f.h.tuple;
    cr_expect_eq(back.sport, 0);
    memcpy(message, f.held.p.data + f.h.l4, sizeof(message));
    cr_assert_eq(svr_packet_convert(&f.held.p, &f.h, &udp), 0);
    cr_expect_not(f.h.icmp_error);
    cr_assert_eq(svr_packet_convert(&f.held.p, &f.h, &back), 0);
    cr_expect(f.h.icmp_error);
    expect_sound(&f, &back);
    cr_expect_eq(memcmp(message, f.held.p.data + f.h.l4, sizeof(message)), 0);
    drop(&f.held);
}
