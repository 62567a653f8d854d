#include "wire_packets.h"

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

/* One byte of a good packet changed to value; IPv4's checksum made right
 * again. v4 packets: 20 + 20 or 8 + 20 bytes; v6: 40 + 20 or 8 + 20. */
struct edit {
    const char *name;
    bool v6;
    uint8_t proto;
    size_t at;
    uint8_t value;
    int want;
};

#define TCP SVR_PROTO_TCP
#define UDP SVR_PROTO_UDP

static const struct edit edits[] = {
    {"version 0", false, TCP, 0, 0x05, SVR_ERR_VERSION},
    {"version 5", false, TCP, 0, 0x55, SVR_ERR_VERSION},
    {"version 6 in v4", false, TCP, 0, 0x65, SVR_ERR_TRUNCATED},
    {"version 15", true, TCP, 0, 0xf0, SVR_ERR_VERSION},
    {"version 7", true, UDP, 0, 0x70, SVR_ERR_VERSION},
    {"IHL 0", false, TCP, 0, 0x40, SVR_ERR_LENGTH},
    {"IHL 4", false, UDP, 0, 0x44, SVR_ERR_LENGTH},
    {"IHL past the packet", false, UDP, 0, 0x4f, SVR_ERR_LENGTH},
    {"IHL into the L4 header", false, TCP, 0, 0x4b, SVR_ERR_TRUNCATED},
    {"total length 0", false, TCP, 3, 0, SVR_ERR_LENGTH},
    {"total length 19", false, UDP, 3, 19, SVR_ERR_LENGTH},
    {"total length 20", false, UDP, 3, 20, SVR_ERR_TRUNCATED},
    {"total length past the capture", false, TCP, 3, 61, SVR_ERR_TRUNCATED},
    {"total length far past it", false, UDP, 2, 0xff, SVR_ERR_TRUNCATED},
    {"payload length 0", true, TCP, 5, 0, SVR_ERR_TRUNCATED},
    {"payload length past the capture", true, TCP, 5, 41, SVR_ERR_TRUNCATED},
    {"payload length far past it", true, UDP, 4, 0xff, SVR_ERR_TRUNCATED},
    {"DF", false, TCP, 6, 0x40, 0},
    {"the reserved flag", false, TCP, 6, 0x80, 0},
    {"first fragment", false, TCP, 6, 0x20, SVR_ERR_FRAGMENT},
    {"last fragment", false, UDP, 7, 1, SVR_ERR_FRAGMENT},
    {"a fragment far behind", false, UDP, 6, 0x10, SVR_ERR_FRAGMENT},
    {"TTL 0", false, TCP, 8, 0, 0},
    {"TTL 1", false, UDP, 8, 1, 0},
    {"hop limit 0", true, TCP, 7, 0, 0},
    {"hop limit 1", true, UDP, 7, 1, 0},
    {"TCP offset 0", false, TCP, 32, 0x00, SVR_ERR_LENGTH},
    {"TCP offset 4", false, TCP, 32, 0x40, SVR_ERR_LENGTH},
    {"TCP offset to the end", false, TCP, 32, 0xa0, 0},
    {"TCP offset past the end", false, TCP, 32, 0xb0, SVR_ERR_LENGTH},
    {"TCP offset 15", true, TCP, 52, 0xf0, SVR_ERR_LENGTH},
    {"TCP offset 4 in v6", true, TCP, 52, 0x4f, SVR_ERR_LENGTH},
    {"UDP length 0", false, UDP, 25, 0, SVR_ERR_LENGTH},
    {"UDP length 7", false, UDP, 25, 7, SVR_ERR_LENGTH},
    {"UDP length 8 and trailing bytes", false, UDP, 25, 8, SVR_ERR_LENGTH},
    {"UDP length short by one", true, UDP, 45, 27, SVR_ERR_LENGTH},
    {"UDP length one too long", true, UDP, 45, 29, SVR_ERR_LENGTH},
    {"UDP length 65308", false, UDP, 24, 0xff, SVR_ERR_LENGTH},
    {"UDP length 0 in v6", true, UDP, 45, 0, SVR_ERR_LENGTH},
    {"no L4 behind v4: HOPOPT is a protocol", false, TCP, 9, 0, 0},
    {"ICMPv6 within v4 is no ICMP", false, TCP, 9, 58, 0},
    {"ICMP within v6 is no ICMP", true, TCP, 6, 1, 0},
    {"no next header", true, TCP, 6, 59, SVR_ERR_UNSUPPORTED},
    {"mobility", true, UDP, 6, 135, SVR_ERR_UNSUPPORTED},
    {"HIP", true, UDP, 6, 139, SVR_ERR_UNSUPPORTED},
    {"shim6", true, UDP, 6, 140, SVR_ERR_UNSUPPORTED},
    {"ESP", true, UDP, 6, 50, 0},
    {"raw", true, UDP, 6, 255, 0},
};

Test(wire_packet, malformed_headers)
{
    uint64_t seed = 5;
    uint8_t bytes[128];

    for (size_t i = 0; i < COUNT(edits); i++) {
        const struct edit *e = &edits[i];
        struct shape s = {.v6 = e->v6, .proto = e->proto, .payload = 20};
        svr_tuple t = draw_tuple(&seed, e->v6, e->proto);
        size_t len = build(bytes, &s, &t, &seed);

        bytes[e->at] = e->value;
        if (!e->v6 && e->value != 0x65)
            naive_ip_write(bytes);
        cr_expect_eq(parse_exact(bytes, len), e->want, "%s", e->name);
    }
}

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

static const struct {
    uint8_t b[4];
    bool martian;
} addresses4[] = {
    {{0, 0, 0, 0}, true},          {{0, 1, 2, 3}, true},
    {{1, 0, 0, 0}, false},         {{10, 0, 0, 255}, false},
    {{126, 9, 9, 9}, false},       {{127, 0, 0, 0}, true},
    {{127, 0, 0, 1}, true},        {{127, 255, 255, 255}, true},
    {{128, 0, 0, 0}, false},       {{169, 254, 0, 1}, false},
    {{223, 255, 255, 255}, false}, {{224, 0, 0, 0}, true},
    {{239, 255, 255, 255}, true},  {{240, 0, 0, 1}, false},
    {{255, 255, 255, 254}, false}, {{255, 255, 255, 255}, true},
};

Test(wire_packet, martians_v4)
{
    uint64_t seed = 7;
    struct shape s = {.proto = UDP, .payload = 1};
    uint8_t bytes[64];

    for (size_t i = 0; i < COUNT(addresses4); i++) {
        for (size_t at = 12; at <= 16; at += 4) {
            svr_tuple t = draw_tuple(&seed, false, UDP);
            size_t len = build(bytes, &s, &t, &seed);

            memcpy(bytes + at, addresses4[i].b, 4);
            naive_ip_write(bytes);
            cr_expect_eq(parse_exact(bytes, len),
                         addresses4[i].martian ? SVR_ERR_MARTIAN : 0,
                         "row %zu at %zu", i, at);
        }
    }
}

static const struct {
    uint8_t b[16];
    bool martian;
} addresses6[] = {
    {{0}, true},                                 /* :: */
    {{[15] = 1}, true},                          /* ::1 */
    {{[15] = 2}, false},                         /* ::2 */
    {{[14] = 1}, false},                         /* ::100 */
    {{[10] = 0xff, 0xff, 1, 2, 3, 4}, true},     /* ::ffff:1.2.3.4 */
    {{[10] = 0xff, 0xff}, true},                 /* ::ffff:0.0.0.0 */
    {{[10] = 0xff, 0xfe, 1, 2, 3, 4}, false},    /* ::fffe:102:304 */
    {{[9] = 1, 0xff, 0xff, 1, 2, 3, 4}, false},  /* ::1:ffff:102:304 */
    {{[1] = 0x64, 0xff, 0x9b, [12] = 1}, false}, /* 64:ff9b::1.0.0.0 */
    {{0xff, 0x02, [15] = 1}, true},              /* ff02::1 */
    {{0xff}, true},                              /* ff00:: */
    {{0xfe, 0x80, [15] = 1}, false},             /* fe80::1 */
    {{0xfd, [15] = 1}, false},                   /* fd00::1 */
};

Test(wire_packet, martians_v6)
{
    uint64_t seed = 8;
    struct shape s = {.v6 = true, .proto = UDP, .payload = 1};
    uint8_t bytes[64];

    for (size_t i = 0; i < COUNT(addresses6); i++) {
        for (size_t at = 8; at <= 24; at += 16) {
            svr_tuple t = draw_tuple(&seed, true, UDP);
            size_t len = build(bytes, &s, &t, &seed);

            memcpy(bytes + at, addresses6[i].b, 16);
            cr_expect_eq(parse_exact(bytes, len),
                         addresses6[i].martian ? SVR_ERR_MARTIAN : 0,
                         "row %zu at %zu", i, at);
        }
    }
}

/* An extension header: kind, its second byte, and bytes in all. */
struct ext {
    uint8_t kind, second;
    size_t size;
    uint8_t third, fourth;
};

#define HOP(n)              \
    {                       \
        0, n, ((n) + 1) * 8 \
    }
#define DST(n)               \
    {                        \
        60, n, ((n) + 1) * 8 \
    }
#define RT(left)          \
    {                     \
        43, 0, 8, 0, left \
    }
#define FRAG(hi, lo)     \
    {                    \
        44, 0, 8, hi, lo \
    }
#define AH(n)                \
    {                        \
        51, n, ((n) + 2) * 4 \
    }

static const struct {
    const char *name;
    struct ext chain[10];
    uint8_t last;
    int want;
} chains[] = {
    {"hop by hop", {HOP(0)}, TCP, 0},
    {"a long hop by hop", {HOP(255)}, UDP, 0},
    {"all of them", {HOP(0), DST(1), RT(0), FRAG(0, 0), AH(4), DST(0)}, TCP, 0},
    {"ESP behind options", {DST(0)}, 50, 0},
    {"ICMPv6 behind options", {HOP(0)}, 58, 0},
    {"hop by hop not first", {DST(0), HOP(0)}, TCP, SVR_ERR_UNSUPPORTED},
    {"hop by hop twice", {HOP(0), HOP(0)}, TCP, SVR_ERR_UNSUPPORTED},
    {"segments left", {RT(1)}, TCP, SVR_ERR_UNSUPPORTED},
    {"no segments left", {RT(0)}, UDP, 0},
    {"atomic fragment", {FRAG(0, 0)}, UDP, 0},
    {"atomic fragment, reserved bits", {FRAG(0, 6)}, UDP, 0},
    {"first fragment", {FRAG(0, 1)}, UDP, SVR_ERR_FRAGMENT},
    {"later fragment", {FRAG(0, 8)}, UDP, SVR_ERR_FRAGMENT},
    {"last fragment", {DST(0), FRAG(0xff, 0xf8)}, UDP, SVR_ERR_FRAGMENT},
    {"AH", {AH(1)}, TCP, 0},
    {"shortest AH", {AH(0)}, TCP, 0},
    {"nothing behind", {DST(0)}, 59, SVR_ERR_UNSUPPORTED},
    {"mobility behind", {DST(0)}, 135, SVR_ERR_UNSUPPORTED},
    {"eight",
     {DST(0), DST(0), DST(0), DST(0), DST(0), DST(0), DST(0), DST(0)},
     TCP,
     0},
    {"nine",
     {DST(0), DST(0), DST(0), DST(0), DST(0), DST(0), DST(0), DST(0), DST(0)},
     TCP,
     SVR_ERR_UNSUPPORTED},
    {"past the packet", {{60, 200, 8}}, TCP, SVR_ERR_TRUNCATED},
    {"far past the packet", {{60, 255, 8}}, UDP, SVR_ERR_TRUNCATED},
    {"AH past the packet", {{51, 255, 12}}, UDP, SVR_ERR_TRUNCATED},
    {"routing past the packet", {{43, 255, 8}}, UDP, SVR_ERR_TRUNCATED},
    {"swallows all of the L4 header", {{60, 6, 8}}, 17, SVR_ERR_TRUNCATED},
};

/* An IPv6 packet with chain number i; answers its length. */
static size_t build_chain(uint8_t *ip, size_t i, size_t *l4, uint64_t *seed)
{
    struct shape s = {.v6 = true, .proto = chains[i].last, .payload = 40};
    svr_tuple t = draw_tuple(seed, true, s.proto);
    size_t at = 40, next = 6;

    build_v6(ip, &s, &t, 0);
    for (const struct ext *e = chains[i].chain; e->size > 0; e++) {
        memset(ip + at, 0, e->size);
        ip[next] = e->kind;
        ip[at + 1] = e->second;
        ip[at + 2] = e->third;
        ip[at + 3] = e->fourth;
        next = at;
        at += e->size;
    }
    ip[next] = s.proto;
    *l4 = at;
    build_l4(ip + at, &s, &t, seed);
    at += l4_bytes(&s) + s.payload;
    put16(ip + 4, at - 40);
    return at;
}

Test(wire_packet, extension_chains)
{
    uint64_t seed = 9;
    static uint8_t bytes[4096];

    for (size_t i = 0; i < COUNT(chains); i++) {
        size_t l4, len = build_chain(bytes, i, &l4, &seed);
        struct held held = hold(bytes, len, 0, 0);
        svr_headers h;
        int err = svr_packet_parse(&h, &held.p);

        cr_expect_eq(err, chains[i].want, "%s: %d", chains[i].name, err);
        if (err == 0) {
            cr_expect_eq(h.l4, l4, "%s", chains[i].name);
            cr_expect_eq(h.tuple.proto, chains[i].last);
            cr_expect_eq(bytes[h.l4_proto_at], chains[i].last);
        }
        drop(&held);
    }
}

Test(wire_packet, extension_chains_cut_at_every_byte)
{
    uint64_t seed = 10;
    static uint8_t bytes[4096];

    for (size_t i = 0; i < COUNT(chains); i++) {
        size_t l4;

        build_chain(bytes, i, &l4, &seed);
        if (chains[i].want != 0)
            continue;
        for (size_t keep = 40; keep <= l4; keep++) {
            put16(bytes + 4, keep - 40);
            cr_assert_eq(parse_exact(bytes, keep), SVR_ERR_TRUNCATED,
                         "%s cut to %zu", chains[i].name, keep);
        }
    }
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

Test(wire_packet, a_refused_packet_changes_nothing)
{
    uint64_t seed = 14;
    uint8_t bytes[128];

    for (size_t i = 0; i < COUNT(edits); i++) {
        const struct edit *e = &edits[i];
        struct shape s = {.v6 = e->v6, .proto = e->proto, .payload = 20};
        svr_tuple t = draw_tuple(&seed, e->v6, e->proto);
        size_t len = build(bytes, &s, &t, &seed);
        struct held held = hold(bytes, len, 0, 0);
        svr_packet before = held.p;
        svr_headers h, untouched;

        memset(&h, 0xee, sizeof(h));
        memset(&untouched, 0xee, sizeof(untouched));
        held.p.data[e->at] = e->value;
        if (svr_packet_parse(&h, &held.p) != 0) {
            cr_expect_eq(memcmp(&h, &untouched, sizeof(h)), 0, "%s", e->name);
            cr_expect_eq(memcmp(&before, &held.p, sizeof(before)), 0);
        }
        drop(&held);
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
