/* ICMP errors that are raised, and the packets that they quote (S19). */
#include "wire_packets.h"

#include <criterion/criterion.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TCP SVR_PROTO_TCP
#define UDP SVR_PROTO_UDP
#define ICMP SVR_PROTO_ICMP
#define ICMPV6 SVR_PROTO_ICMPV6
#define GRE 47

struct fixture {
    struct held held;
    svr_headers h;
    svr_tuple t;
    uint64_t seed;
};

static void setup(struct fixture *f, const struct shape *s)
{
    static uint8_t bytes[ROOM];
    size_t len;

    f->t = draw_tuple(&f->seed, s->v6, s->proto);
    len = build(bytes, s, &f->t, &f->seed);
    f->held = hold(bytes, len, 0, 0);
    cr_assert_eq(svr_packet_parse(&f->h, &f->held.p), 0);
}

static const struct {
    enum svr_icmp_kind kind;
    uint8_t v4[2], v6[2];
} kinds[] = {
    {SVR_ICMP_TIME_EXCEEDED, {11, 0}, {3, 0}},
    {SVR_ICMP_TOO_BIG, {3, 4}, {2, 0}},
    {SVR_ICMP_PROHIBITED, {3, 13}, {1, 1}},
    {SVR_ICMP_NO_ROUTE, {3, 0}, {1, 0}},
};

static void try_error(struct fixture *f, bool v6, size_t payload, size_t row)
{
    struct shape s = {.v6 = v6, .proto = UDP, .payload = payload};
    size_t headers = v6 ? 48 : 28, max = v6 ? 1280 : 576;
    svr_addr src = draw_addr(&f->seed, v6);
    const uint8_t *want = v6 ? kinds[row].v6 : kinds[row].v4;
    const svr_packet *about = &f->held.p;
    uint8_t *buf;
    size_t len, cap;
    svr_packet out = {.len = 7};
    svr_headers h;
    svr_tuple quoted;

    setup(f, &s);
    len = headers + about->len < max ? headers + about->len : max;
    cap = SVR_HEADROOM + len + SVR_TAILROOM;
    buf = malloc(cap);
    cr_assert_eq(svr_icmp_error(&out, buf, cap - 1, kinds[row].kind, 1400, &src,
                                about, &f->h),
                 SVR_ERR_NO_SPACE);
    cr_assert_eq(out.len, 7);
    cr_assert_eq(svr_icmp_error(&out, buf, cap, kinds[row].kind, 1400, &src,
                                about, &f->h),
                 0);
    cr_assert_eq(out.len, len);
    cr_assert_eq(out.data, buf + SVR_HEADROOM);
    cr_assert_eq(svr_packet_parse(&h, &out), 0);
    cr_assert(svr_addr_equal(&h.tuple.src, &src));
    cr_assert(svr_addr_equal(&h.tuple.dst, &f->t.src));
    cr_assert(naive_right(out.data, out.len, h.l4, v6 ? ICMPV6 : ICMP));
    cr_assert(h.icmp_error);
    cr_assert_eq(h.icmp_type, want[0]);
    cr_assert_eq(h.icmp_code, want[1]);
    cr_assert_eq(get32(out.data + h.l4 + 4),
                 kinds[row].kind == SVR_ICMP_TOO_BIG ? 1400 : 0);
    cr_assert_eq(memcmp(out.data + h.payload, about->data, out.len - h.payload),
                 0);
    cr_assert_eq(
        svr_icmp_quote_parse(&quoted, out.data + h.l4, out.len - h.l4, v6), 0);
    cr_assert(svr_tuple_equal(&quoted, &f->t));
    free(buf);
    drop(&f->held);
}

Test(wire_icmp, errors)
{
    const size_t payloads[] = {0, 100, 519, 520, 521, 1183, 1184, 1185, 60000};
    struct fixture f = {.seed = 1};

    for (size_t i = 0; i < COUNT(kinds) * COUNT(payloads) * 2; i++)
        try_error(&f, i % 2, payloads[i / 2 % COUNT(payloads)],
                  i / 2 / COUNT(payloads));
}

/* No error about an error, a redirect or a source quench. */
Test(wire_icmp, errors_that_are_not_sent)
{
    struct fixture f = {.seed = 2};
    static uint8_t buf[SVR_HEADROOM + 1500 + SVR_TAILROOM];

    for (int i = 0; i < 512; i++) {
        bool v6 = i & 1;
        uint8_t type = (uint8_t)(i / 2);
        struct shape s = {.v6 = v6, .proto = v6 ? ICMPV6 : ICMP, .payload = 30};
        svr_addr src = draw_addr(&f.seed, v6), other = draw_addr(&f.seed, !v6);
        bool denied = v6 ? type < 128 || type == 137
                         : type == 3 || type == 4 || type == 5 || type == 11 ||
                               type == 12;
        svr_packet out;

        setup(&f, &s);
        f.held.p.data[f.h.l4] = type;
        cr_assert_eq(svr_packet_parse(&f.h, &f.held.p), 0);
        cr_assert_eq(svr_icmp_error(&out, buf, sizeof(buf), SVR_ICMP_NO_ROUTE,
                                    0, &src, &f.held.p, &f.h),
                     denied ? SVR_ERR_DENIED : 0, "v6 %d, type %d", v6, type);
        cr_assert_eq(svr_icmp_error(&out, buf, sizeof(buf), SVR_ICMP_NO_ROUTE,
                                    0, &other, &f.held.p, &f.h),
                     SVR_ERR_DENIED);
        drop(&f.held);
    }
}

static const struct shape quotable[] = {
    {.proto = TCP, .payload = 9},
    {.proto = UDP, .options = 20, .payload = 9},
    {.proto = ICMP, .payload = 9},
    {.proto = GRE, .payload = 9},
    {.v6 = true, .proto = TCP, .payload = 9},
    {.v6 = true, .proto = UDP, .options = 16, .payload = 9},
    {.v6 = true, .proto = ICMPV6, .payload = 9},
    {.v6 = true, .proto = GRE, .options = 8, .payload = 9},
};

/* How much of the L4 header names the session. */
static size_t needed(uint8_t proto)
{
    if (proto == TCP || proto == UDP)
        return 4;
    return proto == ICMP || proto == ICMPV6 ? 6 : 0;
}

/* An error in a block of exactly its size. */
static uint8_t *quote(const uint8_t *packet, size_t len, bool v6)
{
    uint8_t *msg = malloc(8 + len);

    memset(msg, 0, 8);
    msg[0] = v6 ? 1 : 3;
    memcpy(msg + 8, packet, len);
    return msg;
}

Test(wire_icmp, quotes_cut_at_every_byte)
{
    struct fixture f = {.seed = 3};

    for (size_t i = 0; i < COUNT(quotable); i++) {
        const struct shape *s = &quotable[i];
        size_t enough = ip_bytes(s) + needed(s->proto);

        setup(&f, s);
        for (size_t len = 0; len <= f.held.p.len; len++) {
            uint8_t *msg = quote(f.held.p.data, len, s->v6);
            uint8_t *before = quote(f.held.p.data, len, s->v6);
            svr_tuple to = draw_tuple(&f.seed, s->v6, s->proto);
            int want = len < enough ? SVR_ERR_TRUNCATED : 0;
            svr_tuple got = {.sport = 1};

            cr_assert_eq(svr_icmp_quote_parse(&got, msg, 8 + len, s->v6), want,
                         "shape %zu cut to %zu", i, len);
            if (want == 0)
                cr_assert(svr_tuple_equal(&got, &f.t), "shape %zu", i);
            else
                cr_assert_eq(got.sport, 1);
            cr_assert_eq(svr_icmp_quote_rewrite(msg, 8 + len, s->v6, &to),
                         want);
            if (want == 0) {
                cr_assert_eq(svr_icmp_quote_parse(&got, msg, 8 + len, s->v6),
                             0);
                cr_assert(svr_tuple_equal(&got, &to), "shape %zu", i);
            } else {
                cr_assert_eq(memcmp(msg, before, 8 + len), 0);
            }
            free(msg);
            free(before);
        }
        drop(&f.held);
    }
}

/* It would be taken for a quote of an IPv4 session. */
Test(wire_icmp, quote_of_mapped_addresses)
{
    struct fixture f = {.seed = 6};

    for (size_t at = 8; at <= 24; at += 16) {
        struct shape s = {.v6 = true, .proto = UDP, .payload = 20};
        svr_tuple got;
        uint8_t *msg;

        setup(&f, &s);
        memcpy(f.held.p.data + at, draw_addr(&f.seed, false).b, 16);
        msg = quote(f.held.p.data, f.held.p.len, true);
        cr_expect_eq(svr_icmp_quote_parse(&got, msg, 8 + f.held.p.len, true),
                     SVR_ERR_UNSUPPORTED);
        cr_expect_eq(svr_icmp_quote_rewrite(msg, 8 + f.held.p.len, true, &f.t),
                     SVR_ERR_UNSUPPORTED);
        cr_expect_eq(memcmp(msg + 8, f.held.p.data, f.held.p.len), 0);
        free(msg);
        drop(&f.held);
    }
}

/* A client's packet, and the waypoints' tuple under which it was quoted. */
static const struct {
    struct shape s;
    bool v6; /* of the waypoints */
    uint8_t proto;
} ways[] = {
    {{.proto = TCP, .payload = 20}, false, TCP},
    {{.proto = TCP, .payload = 20}, false, UDP}, /* S4.4 */
    {{.proto = UDP, .payload = 20}, false, TCP},
    {{.proto = UDP, .payload = 20}, true, UDP},
    {{.proto = UDP, .options = 8, .payload = 20}, false, UDP},
    {{.proto = ICMP, .payload = 20}, false, ICMP},
    {{.proto = ICMP, .payload = 20}, true, ICMP},
    {{.proto = GRE, .payload = 20}, false, GRE},
    {{.v6 = true, .proto = TCP, .options = 8, .payload = 20}, true, TCP},
    {{.v6 = true, .proto = TCP, .options = 8, .payload = 20}, false, UDP},
    {{.v6 = true, .proto = ICMPV6, .payload = 20}, true, ICMPV6},
    {{.v6 = true, .proto = ICMPV6, .payload = 20}, false, ICMPV6},
    {{.v6 = true, .proto = GRE, .options = 8, .payload = 20}, true, GRE},
};

static void expect_no_addresses(const uint8_t *ip, size_t way)
{
    static const uint8_t none[32];

    if (ip[0] >> 4 == 6)
        cr_assert_eq(memcmp(ip + 8, none, 32), 0, "way %zu", way);
    else
        cr_assert_eq(memcmp(ip + 12, none, 8), 0, "way %zu", way);
}

Test(wire_icmp, quote_there_and_back_is_identity)
{
    struct fixture f = {.seed = 5};

    for (size_t i = 0; i < COUNT(ways) * 50; i++) {
        size_t way = i % COUNT(ways);
        const struct shape *s = &ways[way].s;
        svr_tuple got, to = draw_tuple(&f.seed, ways[way].v6, ways[way].proto);
        uint8_t *msg, *before;
        size_t len;

        setup(&f, s);
        len = 8 + f.h.l4 + 8;
        msg = quote(f.held.p.data, f.h.l4 + 8U, s->v6);
        before = quote(f.held.p.data, f.h.l4 + 8U, s->v6);
        cr_assert_eq(svr_icmp_quote_rewrite(msg, len, s->v6, &to), 0);
        cr_assert_eq(svr_icmp_quote_parse(&got, msg, len, s->v6), 0);
        if (ways[way].v6 == s->v6)
            cr_assert(svr_tuple_equal(&got, &to), "way %zu", way);
        else
            expect_no_addresses(msg + 8, way);
        cr_assert_eq(got.sport, to.sport);
        cr_assert_eq(got.dport, to.dport);
        cr_assert_eq(got.proto, to.proto);
        if (!s->v6)
            cr_assert_eq(naive_add(0, msg + 8, f.h.l4), 0xffff);
        cr_assert_eq(svr_icmp_quote_rewrite(msg, len, s->v6, &f.t), 0);
        cr_assert_eq(memcmp(msg, before, len), 0, "way %zu", way);
        free(msg);
        free(before);
        drop(&f.held);
    }
}

static const struct {
    const char *name;
    struct shape s;
    uint8_t proto;
} misfits[] = {
    {"ICMP to UDP", {.proto = ICMP, .payload = 20}, UDP},
    {"ICMP to TCP", {.proto = ICMP, .payload = 20}, TCP},
    {"ICMP to ICMPv6", {.proto = ICMP, .payload = 20}, ICMPV6},
    {"ICMP to GRE", {.proto = ICMP, .payload = 20}, GRE},
    {"UDP to ICMP", {.proto = UDP, .payload = 20}, ICMP},
    {"TCP to ICMP", {.proto = TCP, .payload = 20}, ICMP},
    {"UDP to GRE", {.proto = UDP, .payload = 20}, GRE},
    {"GRE to UDP", {.proto = GRE, .payload = 20}, UDP},
    {"GRE to ICMP", {.proto = GRE, .payload = 20}, ICMP},
    {"ICMPv6 to UDP", {.v6 = true, .proto = ICMPV6, .payload = 20}, UDP},
    {"UDP to ICMPv6", {.v6 = true, .proto = UDP, .payload = 20}, ICMPV6},
    {"GRE to UDP, v6", {.v6 = true, .proto = GRE, .payload = 20}, UDP},
};

Test(wire_icmp, quote_rewrites_that_are_refused)
{
    struct fixture f = {.seed = 7};

    for (size_t i = 0; i < COUNT(misfits); i++) {
        const struct shape *s = &misfits[i].s;
        svr_tuple to = draw_tuple(&f.seed, s->v6, misfits[i].proto);
        uint8_t *msg;
        size_t len;

        setup(&f, s);
        len = f.held.p.len;
        msg = quote(f.held.p.data, len, s->v6);
        cr_expect_eq(svr_icmp_quote_rewrite(msg, 8 + len, s->v6, &to),
                     SVR_ERR_UNSUPPORTED, "%s", misfits[i].name);
        to = f.t;
        to.dst = draw_addr(&f.seed, !s->v6);
        cr_expect_eq(svr_icmp_quote_rewrite(msg, 8 + len, s->v6, &to),
                     SVR_ERR_UNSUPPORTED);
        cr_expect_eq(memcmp(msg + 8, f.held.p.data, len), 0, "%s",
                     misfits[i].name);
        free(msg);
        drop(&f.held);
    }
}
