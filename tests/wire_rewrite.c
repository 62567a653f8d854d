/* Rewriting, growing and shrinking, and the MSS: all that changes a packet in
 * its place. */
#include "wire_packets.h"

#include <criterion/criterion.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TCP SVR_PROTO_TCP
#define UDP SVR_PROTO_UDP

static const struct shape shapes[] = {
    {.proto = TCP},
    {.proto = TCP, .options = 12, .tcp_options = 12, .payload = 33},
    {.proto = TCP, .payload = 60000},
    {.proto = UDP},
    {.proto = UDP, .options = 40, .payload = 100},
    {.proto = UDP, .payload = 10, .no_checksum = true},
    {.v6 = true, .proto = TCP, .payload = 5},
    {.v6 = true, .proto = TCP, .options = 64, .tcp_options = 40},
    {.v6 = true, .proto = UDP, .payload = 1},
    {.v6 = true, .proto = UDP, .options = 8, .payload = 60000},
};

struct fixture {
    struct held held;
    svr_headers h;
    svr_tuple from, to;
    uint64_t seed;
};

static void setup(struct fixture *f, const struct shape *s, size_t headroom,
                  size_t tailroom)
{
    static uint8_t bytes[ROOM];
    size_t len;

    f->from = draw_tuple(&f->seed, s->v6, s->proto);
    f->to = draw_tuple(&f->seed, s->v6, s->proto);
    len = build(bytes, s, &f->from, &f->seed);
    f->held = hold(bytes, len, headroom, tailroom);
    cr_assert_eq(svr_packet_parse(&f->h, &f->held.p), 0);
}

static void rewrite(struct fixture *f)
{
    svr_rewrite rw;

    svr_rewrite_init(&rw, &f->from, &f->to);
    svr_packet_rewrite(&f->held.p, &f->h, &rw);
}

/* The same by hand: fields, then all checksums computed. */
static void rewrite_naive(uint8_t *ip, size_t len, const svr_headers *h,
                          const svr_tuple *to)
{
    bool v6 = ip[0] >> 4 == 6;
    bool unchecked = to->proto == UDP && get16(ip + h->l4 + 6) == 0;
    size_t size = v6 ? 16 : 4, src = v6 ? 8 : 12;

    memcpy(ip + src, to->src.b + 16 - size, size);
    memcpy(ip + src + size, to->dst.b + 16 - size, size);
    ip[v6 ? 7 : 8]--;
    put16(ip + h->l4, to->sport);
    put16(ip + h->l4 + 2, to->dport);
    naive_write(ip, len, h->l4, to->proto);
    if (unchecked)
        put16(ip + h->l4 + 6, 0);
}

Test(wire_rewrite, equals_a_full_recomputation)
{
    struct fixture f = {.seed = 1};
    static uint8_t want[ROOM];

    for (int i = 0; i < 4000; i++) {
        const struct shape *s = &shapes[(size_t)i % COUNT(shapes)];

        if (s->payload > 1000 && i > 100)
            continue;
        setup(&f, s, 0, 0);
        memcpy(want, f.held.p.data, f.held.p.len);
        rewrite_naive(want, f.held.p.len, &f.h, &f.to);
        rewrite(&f);
        cr_assert_eq(memcmp(want, f.held.p.data, f.held.p.len), 0, "shape %zu",
                     (size_t)i % COUNT(shapes));
        drop(&f.held);
    }
}

/* Sums at the edges of one's complement: all zero, all ones, no change. */
Test(wire_rewrite, edges_of_ones_complement)
{
    const uint16_t ports[] = {0, 1, 0x7fff, 0xfffe, 0xffff};
    static uint8_t want[ROOM];
    struct fixture f = {.seed = 2};

    for (size_t i = 0; i < 625 * COUNT(shapes); i++) {
        size_t pick = i / COUNT(shapes);

        if (shapes[i % COUNT(shapes)].payload > 1000)
            continue;
        setup(&f, &shapes[i % COUNT(shapes)], 0, 0);
        f.from.sport = ports[pick % 5];
        f.from.dport = ports[pick / 5 % 5];
        f.to.sport = ports[pick / 25 % 5];
        f.to.dport = ports[pick / 125];
        if (pick % 2)
            f.to.src = f.from.src, f.to.dst = f.from.dst;
        put16(f.held.p.data + f.h.l4, f.from.sport);
        put16(f.held.p.data + f.h.l4 + 2, f.from.dport);
        naive_write(f.held.p.data, f.held.p.len, f.h.l4, f.from.proto);
        memcpy(want, f.held.p.data, f.held.p.len);
        rewrite_naive(want, f.held.p.len, &f.h, &f.to);
        rewrite(&f);
        cr_assert_eq(memcmp(want, f.held.p.data, f.held.p.len), 0);
        drop(&f.held);
    }
}

/* Every checksum that a UDP packet can have, among them the two zeros. */
Test(wire_rewrite, every_udp_checksum)
{
    struct shape s = {.proto = UDP, .payload = 2};
    static uint8_t want[64];
    struct fixture f = {.seed = 3};

    setup(&f, &s, 0, 0);
    for (size_t word = 0; word < 65536; word++) {
        svr_rewrite rw, back;

        f.held.p.data[8] = 61;
        put16(f.held.p.data + f.h.payload, word);
        naive_write(f.held.p.data, f.held.p.len, f.h.l4, UDP);
        cr_assert_eq(svr_packet_parse(&f.h, &f.held.p), 0);
        memcpy(want, f.held.p.data, f.held.p.len);
        rewrite_naive(want, f.held.p.len, &f.h, &f.to);
        svr_rewrite_init(&rw, &f.from, &f.to);
        svr_packet_rewrite(&f.held.p, &f.h, &rw);
        cr_assert_eq(memcmp(want, f.held.p.data, f.held.p.len), 0);
        cr_assert_eq(svr_packet_parse(&f.h, &f.held.p), 0);
        svr_rewrite_init(&back, &f.to, &f.from);
        svr_packet_rewrite(&f.held.p, &f.h, &back);
        cr_assert_eq(naive_right(f.held.p.data, f.held.p.len, f.h.l4, UDP),
                     true);
    }
    drop(&f.held);
}

Test(wire_rewrite, a_wrong_checksum_stays_wrong)
{
    struct fixture f = {.seed = 4};

    for (size_t i = 0; i < COUNT(shapes); i++) {
        uint8_t proto = shapes[i].proto;
        uint8_t *field;

        if (shapes[i].no_checksum)
            continue;
        setup(&f, &shapes[i], 0, 0);
        field = f.held.p.data + f.h.l4 + checksum_place(proto);
        put16(field, get16(field) ^ 0x0101);
        rewrite(&f);
        cr_assert_not(naive_right(f.held.p.data, f.held.p.len, f.h.l4, proto));
        drop(&f.held);
    }
}

/* IPv6 has no UDP without a checksum, and a rewrite gives it none. */
Test(wire_rewrite, zero_checksum_on_v6_stays_wrong)
{
    struct shape s = {
        .v6 = true, .proto = UDP, .payload = 4, .no_checksum = true};
    struct fixture f = {.seed = 5};

    setup(&f, &s, 0, 0);
    rewrite(&f);
    cr_assert_not(svr_packet_checksum_ok(&f.held.p, &f.h));
    drop(&f.held);
}

Test(wire_rewrite, partial_completed_equals_full)
{
    struct fixture f = {.seed = 6};
    static uint8_t want[ROOM];

    for (size_t i = 0; i < 40 * COUNT(shapes); i++) {
        const struct shape *s = &shapes[i % COUNT(shapes)];
        uint8_t proto = s->proto;

        if (s->no_checksum || (s->payload > 1000 && i > 20))
            continue;
        setup(&f, s, 0, 0);
        memcpy(want, f.held.p.data, f.held.p.len);
        rewrite_naive(want, f.held.p.len, &f.h, &f.to);
        put16(f.held.p.data + f.h.l4 + checksum_place(proto),
              naive_pseudo(f.held.p.data, proto, f.held.p.len - f.h.l4));
        f.held.p.checksum = SVR_CHECKSUM_PARTIAL;
        rewrite(&f);
        cr_assert_eq(get16(f.held.p.data + f.h.l4 + checksum_place(proto)),
                     naive_pseudo(f.held.p.data, proto, f.held.p.len - f.h.l4));
        svr_packet_checksum_complete(&f.held.p, &f.h);
        cr_assert_eq(memcmp(want, f.held.p.data, f.held.p.len), 0);
        drop(&f.held);
    }
}

Test(wire_rewrite, insert_and_remove_are_inverse)
{
    struct fixture f = {.seed = 7};
    static uint8_t before[ROOM];

    for (size_t i = 0; i < COUNT(shapes); i++) {
        uint8_t proto = shapes[i].proto;
        svr_packet *p = &f.held.p;
        svr_headers h;

        for (size_t len = 0; len <= SVR_HEADROOM; len += 1 + len / 3) {
            setup(&f, &shapes[i], SVR_HEADROOM, 0);
            memcpy(before, p->data, p->len);
            h = f.h;
            cr_assert_eq(svr_packet_insert(p, &h, len), 0);
            memset(p->data + h.payload, 0xc3, len);
            svr_packet_checksum_write(p, &h);
            cr_assert(naive_right(p->data, p->len, h.l4, proto));
            cr_assert_eq(p->headroom, SVR_HEADROOM - len);
            cr_assert_eq(p->data + p->len - shapes[i].payload,
                         p->data + h.payload + len);
            cr_assert_eq(svr_packet_parse(&h, p), 0);
            cr_assert(svr_tuple_equal(&h.tuple, &f.from));
            cr_assert_eq(svr_packet_remove(p, &h, len), 0);
            svr_packet_checksum_write(p, &h);
            cr_assert_eq(p->headroom, SVR_HEADROOM);
            cr_assert_eq(memcmp(p->data, before, p->len), 0, "shape %zu", i);
            drop(&f.held);
        }
    }
}

Test(wire_rewrite, extend_there_and_back)
{
    struct fixture f = {.seed = 8};
    static uint8_t before[ROOM];

    for (size_t i = 0; i < COUNT(shapes); i++) {
        svr_packet *p = &f.held.p;
        uint32_t len;

        setup(&f, &shapes[i], 0, 40);
        len = p->len;
        memcpy(before, p->data, len);
        cr_assert_eq(svr_packet_extend(p, &f.h, 40), 0);
        cr_assert_eq(p->len, len + 40);
        cr_assert_eq(p->tailroom, 0);
        memset(p->data + len, 0x3c, 40);
        svr_packet_checksum_write(p, &f.h);
        cr_assert(naive_right(p->data, p->len, f.h.l4, shapes[i].proto));
        cr_assert_eq(svr_packet_parse(&f.h, p), 0);
        cr_assert_eq(svr_packet_extend(p, &f.h, -40), 0);
        cr_assert_eq(p->tailroom, 40);
        svr_packet_checksum_write(p, &f.h);
        cr_assert_eq(p->len, len);
        cr_assert_eq(memcmp(p->data, before, len), 0);
        drop(&f.held);
    }
}

/* Each function at the last length it takes and the first it does not. */
Test(wire_rewrite, no_room_changes_nothing)
{
    struct shape s = {.proto = UDP, .payload = 10};
    struct fixture f = {.seed = 9};
    static uint8_t before[ROOM];
    svr_packet was;
    svr_headers h;

    setup(&f, &s, 16, 8);
    was = f.held.p;
    h = f.h;
    memcpy(before, f.held.p.data, f.held.p.len);
    cr_expect_eq(svr_packet_insert(&f.held.p, &h, 17), SVR_ERR_NO_SPACE);
    cr_expect_eq(svr_packet_insert(&f.held.p, &h, 65535), SVR_ERR_LENGTH);
    cr_expect_eq(svr_packet_insert(&f.held.p, &h, SIZE_MAX), SVR_ERR_LENGTH);
    cr_expect_eq(svr_packet_remove(&f.held.p, &h, 11), SVR_ERR_TRUNCATED);
    cr_expect_eq(svr_packet_remove(&f.held.p, &h, SIZE_MAX), SVR_ERR_TRUNCATED);
    cr_expect_eq(svr_packet_extend(&f.held.p, &h, 9), SVR_ERR_NO_SPACE);
    cr_expect_eq(svr_packet_extend(&f.held.p, &h, INT32_MAX), SVR_ERR_LENGTH);
    cr_expect_eq(svr_packet_extend(&f.held.p, &h, -11), SVR_ERR_TRUNCATED);
    cr_expect_eq(svr_packet_extend(&f.held.p, &h, INT32_MIN),
                 SVR_ERR_TRUNCATED);
    cr_expect_eq(memcmp(&was, &f.held.p, sizeof(was)), 0);
    cr_expect_eq(memcmp(&h, &f.h, sizeof(h)), 0);
    cr_expect_eq(memcmp(before, f.held.p.data, f.held.p.len), 0);
    cr_expect_eq(svr_packet_insert(&f.held.p, &h, 16), 0);
    cr_expect_eq(svr_packet_remove(&f.held.p, &h, 26), 0);
    cr_expect_eq(svr_packet_extend(&f.held.p, &h, 8), 0);
    drop(&f.held);
}

Test(wire_rewrite, up_to_the_longest_packet)
{
    struct shape s = {.proto = TCP, .payload = 65495 - 8};
    struct fixture f = {.seed = 10};

    setup(&f, &s, 64, 64);
    cr_assert_eq(svr_packet_insert(&f.held.p, &f.h, 9), SVR_ERR_LENGTH);
    cr_assert_eq(svr_packet_extend(&f.held.p, &f.h, 9), SVR_ERR_LENGTH);
    cr_assert_eq(svr_packet_insert(&f.held.p, &f.h, 8), 0);
    cr_assert_eq(f.held.p.len, SVR_PACKET_MAX);
    cr_assert_eq(svr_packet_parse(&f.h, &f.held.p), SVR_ERR_CHECKSUM);
    svr_packet_checksum_write(&f.held.p, &f.h);
    cr_assert_eq(svr_packet_parse(&f.h, &f.held.p), 0);
    /* So much room that its count would overflow is given up. */
    cr_assert_eq(svr_packet_remove(&f.held.p, &f.h, 65495), 0);
    cr_assert_eq(f.held.p.headroom, UINT16_MAX);
    drop(&f.held);
}

Test(wire_rewrite, insert_is_for_tcp_and_udp)
{
    struct shape s = {.proto = SVR_PROTO_ICMP, .payload = 10};
    struct fixture f = {.seed = 11};

    setup(&f, &s, 16, 4);
    cr_expect_eq(svr_packet_insert(&f.held.p, &f.h, 1), SVR_ERR_ARGUMENT);
    cr_expect_eq(svr_packet_remove(&f.held.p, &f.h, 1), SVR_ERR_ARGUMENT);
    cr_expect_eq(svr_packet_extend(&f.held.p, &f.h, 4), 0);
    cr_expect_eq(get16(f.held.p.data + 2), 42);
    drop(&f.held);
}

/* The option at an even and at an odd place; other cases are named vectors. */
Test(wire_rewrite, mss_of_a_partial_packet)
{
    static const uint8_t options[2][8] = {{2, 4, 5, 0xb4}, {1, 2, 4, 5, 0xb4}};

    for (int kind = 0; kind < 4; kind++) {
        struct shape s = {.v6 = kind & 1, .proto = TCP, .tcp_options = 8};
        struct fixture f = {.seed = 12};
        svr_packet *p = &f.held.p;
        uint8_t *tcp;

        setup(&f, &s, 0, 0);
        tcp = p->data + f.h.l4;
        memcpy(tcp + 20, options[kind / 2], 8);
        tcp[13] = 2;
        p->checksum = SVR_CHECKSUM_PARTIAL;
        svr_packet_checksum_write(p, &f.h);
        cr_assert_eq(svr_packet_parse(&f.h, p), 0);
        svr_packet_clamp_mss(p, &f.h, 1000);
        cr_expect_eq(get16(tcp + 22 + kind / 2), 1000);
        svr_packet_checksum_complete(p, &f.h);
        cr_expect(naive_right(p->data, p->len, f.h.l4, TCP));
        drop(&f.held);
    }
}
