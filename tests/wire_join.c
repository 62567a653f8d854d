#include "wire_packets.h"

#include <criterion/criterion.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TCP SVR_PROTO_TCP
#define UDP SVR_PROTO_UDP

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64 };
enum { CWR = 128, DF = 0x40, PIECES = 64 };

/* Segments of one flow, cut from one packet. */
struct segments {
    struct held piece[PIECES];
    size_t count;
    size_t l4;
};

static const struct shape plain = {.proto = TCP, .payload = 300};
static const struct shape v6 = {.v6 = true, .proto = TCP, .payload = 300};
static const struct shape optional = {
    .proto = TCP, .options = 8, .tcp_options = 12, .payload = 300};
static const struct shape extended = {
    .v6 = true, .proto = TCP, .options = 16, .tcp_options = 12, .payload = 300};
static const struct shape datagram = {
    .proto = UDP, .options = 8, .payload = 300};
static const struct shape datagram6 = {
    .v6 = true, .proto = UDP, .options = 16, .payload = 300};
static const struct shape *const shapes[] = {&plain,    &v6,       &optional,
                                             &extended, &datagram, &datagram6};

static void segments_cut(struct segments *all, const struct shape *s,
                         uint8_t flags, uint16_t size, size_t tailroom)
{
    static uint8_t bytes[ROOM], buf[SVR_HEADROOM + ROOM + SVR_TAILROOM];
    uint64_t seed = s->payload + size;
    svr_tuple t = draw_tuple(&seed, s->v6, s->proto);
    size_t len = build(bytes, s, &t, &seed);
    svr_packet piece;
    svr_headers h;
    svr_cut cut;

    all->count = 0;
    all->l4 = ip_bytes(s);
    if (s->proto == TCP)
        bytes[all->l4 + 13] = flags;
    naive_write(bytes, len, all->l4, s->proto);
    struct held whole = hold(bytes, len, 0, 0);
    whole.p.segment_size = size;
    cr_assert_eq(svr_packet_parse(&h, &whole.p), 0);
    cr_assert_eq(svr_cut_begin(&cut, &whole.p, &h, size), 0);
    while (svr_cut_more(&cut)) {
        cr_assert_eq(svr_cut_next(&cut, &piece, buf, sizeof(buf)), 0);
        cr_assert_lt(all->count, PIECES);
        all->piece[all->count++] = hold(piece.data, piece.len, 0, tailroom);
    }
    drop(&whole);
}

static void segments_drop(struct segments *all)
{
    while (all->count > 0)
        drop(&all->piece[--all->count]);
}

/* Joins what follows the first one; returns how many those are, the first one
 * included. */
static size_t join_all(struct segments *all, svr_join *j)
{
    size_t count = 1;

    cr_assert(svr_join_begin(j, &all->piece[0].p));
    while (count < all->count && svr_join_add(j, &all->piece[count].p))
        count++;
    cr_assert_eq(j->pieces, count);
    svr_join_end(j);
    return count;
}

/* The joined packet stands for `count` pieces of `was`. */
static void expect_cut(const struct segments *was, svr_packet *p, size_t count)
{
    static uint8_t buf[SVR_HEADROOM + ROOM + SVR_TAILROOM];
    svr_packet piece;
    svr_headers h;
    svr_cut cut;

    cr_assert_eq(svr_packet_parse(&h, p), 0);
    cr_assert_eq(svr_cut_begin(&cut, p, &h, p->segment_size), 0);
    for (size_t i = 0; i < count; i++) {
        const svr_packet *want = &was->piece[i].p;

        cr_assert_eq(svr_cut_next(&cut, &piece, buf, sizeof(buf)), 0);
        svr_packet_checksum_complete(&piece, &h);
        cr_assert_eq(piece.len, want->len);
        cr_assert_arr_eq(piece.data, want->data, piece.len, "piece %zu", i);
    }
    cr_assert_not(svr_cut_more(&cut));
}

/* What was cut is joined to what it was, whatever its size and flags. */
Test(wire_join, undoes_a_cut)
{
    const uint16_t sizes[] = {5, 7, 100, 149, 150, 151, 299};
    const uint8_t flags[] = {ACK, ACK | PSH, ACK | FIN | PSH, ACK | CWR,
                             ACK | ECE | CWR | PSH};
    struct segments all, was;
    svr_join j;

    for (size_t i = 0; i < COUNT(shapes) * COUNT(sizes) * COUNT(flags); i++) {
        const struct shape *s = shapes[i % COUNT(shapes)];
        uint16_t size = sizes[i / COUNT(shapes) % COUNT(sizes)];
        uint8_t has = flags[i / COUNT(shapes) / COUNT(sizes)];

        segments_cut(&all, s, has, size, 300);
        segments_cut(&was, s, has, size, 0);
        cr_assert_eq(join_all(&all, &j), was.count);
        cr_assert_eq(all.piece[0].p.segment_size, size);
        cr_assert_eq(all.piece[0].p.checksum, SVR_CHECKSUM_PARTIAL);
        if (s->proto == TCP)
            cr_assert_eq(all.piece[0].p.data[all.l4 + 13], has);
        expect_cut(&was, &all.piece[0].p, was.count);
        segments_drop(&all);
        segments_drop(&was);
    }
}

/* One byte that changes in the second of three segments; whether its checksums
 * are made right again, and what is joined then. at counts from the IP header
 * (v4, v6) or from the L4 header. */
static const struct change {
    const char *what;
    const struct shape *shape;
    uint8_t at, change;
    bool l4, wrong;
    size_t joined;
} changes[] = {
    {"nothing", &plain, 0, 0, false, false, 3},
    {"TOS", &plain, 1, 4, false, false, 1},
    {"congestion", &plain, 1, 3, false, false, 1},
    {"identification", &plain, 5, 8, false, false, 1},
    {"do not fragment", &plain, 6, DF, false, false, 1},
    {"TTL", &plain, 8, 1, false, false, 1},
    {"source", &plain, 15, 1, false, false, 1},
    {"destination", &plain, 19, 1, false, false, 1},
    {"IP option", &optional, 22, 1, false, false, 1},
    {"header checksum", &plain, 10, 1, false, true, 1},
    {"traffic class", &v6, 0, 1, false, false, 1},
    {"flow label", &v6, 3, 1, false, false, 1},
    {"hop limit", &v6, 7, 1, false, false, 1},
    {"source, IPv6", &v6, 23, 1, false, false, 1},
    {"destination, IPv6", &v6, 39, 1, false, false, 1},
    {"extension header", &extended, 44, 1, false, false, 1},
    {"source port", &plain, 0, 1, true, false, 1},
    {"destination port", &v6, 3, 1, true, false, 1},
    {"sequence", &plain, 7, 1, true, false, 1},
    {"sequence, high", &plain, 4, 128, true, false, 1},
    {"acknowledgement", &plain, 11, 1, true, false, 1},
    {"reserved bit", &plain, 12, 1, true, false, 1},
    {"window", &v6, 15, 1, true, false, 1},
    {"urgent pointer", &plain, 19, 1, true, false, 1},
    {"TCP option", &optional, 25, 1, true, false, 1},
    {"FIN", &plain, 13, FIN, true, false, 2},
    {"PSH", &v6, 13, PSH, true, false, 2},
    {"SYN", &plain, 13, SYN, true, false, 1},
    {"RST", &plain, 13, RST, true, false, 1},
    {"URG", &plain, 13, URG, true, false, 1},
    {"no ACK", &plain, 13, ACK, true, false, 1},
    {"ECE", &plain, 13, ECE, true, false, 1},
    {"CWR", &plain, 13, CWR, true, false, 1},
    {"checksum", &plain, 17, 1, true, true, 1},
    {"checksum, IPv6", &v6, 16, 1, true, true, 1},
    {"payload", &plain, 20, 1, true, true, 1},
    {"payload, with its checksum", &plain, 20, 1, true, false, 3},
    {"UDP, TTL", &datagram, 8, 1, false, false, 1},
    {"UDP, source port", &datagram, 1, 1, true, false, 1},
    {"UDP, destination port", &datagram6, 2, 1, true, false, 1},
    {"UDP, length", &datagram, 5, 1, true, false, 1},
    {"UDP, checksum", &datagram6, 6, 1, true, true, 1},
    {"UDP, payload", &datagram, 20, 1, true, true, 1},
    {"UDP, payload, with its checksum", &datagram, 20, 1, true, false, 3},
};

Test(wire_join, what_does_not_follow)
{
    for (size_t i = 0; i < COUNT(changes); i++) {
        const struct change *c = &changes[i];
        struct segments all, was;
        svr_join j;

        for (int n = 0; n < 2; n++) {
            struct segments *s = n ? &was : &all;
            segments_cut(s, c->shape, ACK, 100, n ? 0 : 300);
            svr_packet *p = &s->piece[1].p;
            p->data[c->at + (c->l4 ? s->l4 : 0)] ^= c->change;
            if (!c->wrong)
                naive_write(p->data, p->len, s->l4, c->shape->proto);
        }
        cr_expect_eq(join_all(&all, &j), c->joined, "%s", c->what);
        if (c->joined > 1)
            expect_cut(&was, &all.piece[0].p, c->joined);
        else
            cr_expect_arr_eq(all.piece[0].p.data, was.piece[0].p.data,
                             was.piece[0].p.len, "%s", c->what);
        segments_drop(&all);
        segments_drop(&was);
    }
}

/* A first segment to which nothing can be joined. */
Test(wire_join, what_nothing_follows)
{
    const uint8_t flags[] = {ACK | PSH, ACK | FIN, ACK | SYN, ACK | RST,
                             ACK | URG, 0,         PSH};
    struct segments all;
    svr_join j;

    for (size_t i = 0; i < COUNT(flags); i++) {
        segments_cut(&all, &plain, flags[i], 300, 300);
        cr_expect_not(svr_join_begin(&j, &all.piece[0].p), "%x", flags[i]);
        segments_drop(&all);
    }
    segments_cut(&all, &plain, ACK, 300, 300);
    all.piece[0].p.segment_size = 100;
    cr_expect_not(svr_join_begin(&j, &all.piece[0].p), "super-packet");
    all.piece[0].p.segment_size = 0;
    all.piece[0].p.len--;
    cr_expect_not(svr_join_begin(&j, &all.piece[0].p), "cut off");
    segments_drop(&all);
    const struct shape empty = {.proto = TCP};
    segments_cut(&all, &empty, ACK, 300, 300);
    cr_expect_not(svr_join_begin(&j, &all.piece[0].p), "no payload");
    segments_drop(&all);
    segments_cut(&all, &datagram, 0, 100, 300);
    put16(all.piece[1].p.data + all.l4 + 6, 0);
    cr_expect_not(svr_join_begin(&j, &all.piece[1].p), "no checksum");
    cr_expect_eq(join_all(&all, &j), 1, "none in the second one");
    segments_drop(&all);
    const struct shape icmp = {.proto = SVR_PROTO_ICMP, .payload = 10};
    uint8_t bytes[100];
    uint64_t seed = 1;
    svr_tuple t = draw_tuple(&seed, false, SVR_PROTO_ICMP);
    struct held h = hold(bytes, build(bytes, &icmp, &t, &seed), 0, 300);
    cr_expect_not(svr_join_begin(&j, &h.p), "ICMP");
    drop(&h);
}

/* Segments that are too long, empty, super-packets, or behind a shorter one. */
Test(wire_join, sizes)
{
    struct segments all, longer;
    svr_join j;

    segments_cut(&all, &plain, ACK, 120, 300); /* 120, 120, 60 */
    segments_cut(&longer, &plain, ACK, 150, 0);
    cr_assert(svr_join_begin(&j, &all.piece[0].p));
    cr_expect_not(svr_join_add(&j, &longer.piece[1].p), "longer");
    all.piece[1].p.segment_size = 60;
    cr_expect_not(svr_join_add(&j, &all.piece[1].p), "super-packet");
    all.piece[1].p.segment_size = 0;
    all.piece[1].p.len -= 120;
    cr_expect_not(svr_join_add(&j, &all.piece[1].p), "empty");
    all.piece[1].p.len += 119;
    cr_expect_not(svr_join_add(&j, &all.piece[1].p), "other length");
    all.piece[1].p.len++;
    cr_expect(svr_join_add(&j, &all.piece[1].p));
    cr_expect(svr_join_add(&j, &all.piece[2].p));
    cr_expect_not(svr_join_add(&j, &all.piece[2].p), "behind the last");
    segments_drop(&all);
    segments_drop(&longer);
}

/* Nothing is written behind the first one's room, which is exact here. */
Test(wire_join, room)
{
    struct segments all;
    svr_join j;

    for (size_t room = 198; room <= 201; room++) {
        segments_cut(&all, &plain, ACK, 100, room);
        cr_expect_eq(join_all(&all, &j), room < 200 ? 2 : 3, "%zu", room);
        cr_expect_eq(all.piece[0].p.tailroom,
                     room < 200 ? room - 100 : room - 200);
        segments_drop(&all);
    }
}

/* No super-packet passes what an IP header can say. */
Test(wire_join, longest)
{
    const struct shape s = {.proto = TCP, .payload = 65495};
    struct segments all;
    svr_join j;

    segments_cut(&all, &s, ACK, 2000, 0);
    size_t grown = all.piece[0].p.len;
    struct held first = hold(all.piece[0].p.data, grown, 0, 65535);
    cr_assert(svr_join_begin(&j, &first.p));
    for (size_t i = 1; i < all.count; i++)
        cr_assert(svr_join_add(&j, &all.piece[i].p));
    cr_assert_eq(first.p.len, SVR_PACKET_MAX);
    svr_join_end(&j);
    drop(&first);

    first = hold(all.piece[0].p.data, grown, 0, 65535);
    cr_assert(svr_join_begin(&j, &first.p));
    first.p.len = SVR_PACKET_MAX - 1999;
    cr_expect_not(svr_join_add(&j, &all.piece[1].p));
    drop(&first);
    segments_drop(&all);
}

/* Where fragments are forbidden, identifications say nothing (RFC 6864). */
Test(wire_join, identifications)
{
    struct segments all;
    svr_join j;

    for (int df = 0; df < 2; df++) {
        segments_cut(&all, &plain, ACK, 100, 300);
        for (size_t i = 0; i < all.count; i++) {
            uint8_t *ip = all.piece[i].p.data;
            ip[6] = df ? DF : 0;
            put16(ip + 4, 0);
            naive_ip_write(ip);
        }
        cr_expect_eq(join_all(&all, &j), df ? 3 : 1);
        segments_drop(&all);
    }
    for (unsigned id = 0xfffe; id <= 0xffff; id++) {
        segments_cut(&all, &plain, ACK, 100, 300);
        for (size_t i = 0; i < all.count; i++) {
            put16(all.piece[i].p.data + 4, (id + i) & 0xffff);
            naive_ip_write(all.piece[i].p.data);
        }
        cr_expect_eq(join_all(&all, &j), 3);
        segments_drop(&all);
    }
}

/* What hardware says of checksums is believed, and the result is PARTIAL. */
Test(wire_join, checksums)
{
    const enum svr_checksum kinds[] = {SVR_CHECKSUM_FULL, SVR_CHECKSUM_VALID,
                                       SVR_CHECKSUM_PARTIAL};

    for (size_t i = 0; i < 9; i++) {
        struct segments all, was;
        svr_join j;

        segments_cut(&all, &v6, ACK, 150, 300);
        segments_cut(&was, &v6, ACK, 150, 0);
        for (size_t k = 0; k < 2; k++) {
            svr_packet *p = &all.piece[k].p;
            svr_headers h;

            p->checksum = (uint8_t)kinds[k ? i / 3 : i % 3];
            cr_assert_eq(svr_packet_parse(&h, p), 0);
            if (p->checksum == SVR_CHECKSUM_PARTIAL)
                svr_packet_checksum_write(p, &h);
        }
        cr_expect_eq(join_all(&all, &j), 2, "row %zu", i);
        expect_cut(&was, &all.piece[0].p, 2);
        segments_drop(&all);
        segments_drop(&was);
    }
}

/* The first one's checksum is looked at as well. */
Test(wire_join, wrong_first)
{
    struct segments all;
    svr_join j;

    segments_cut(&all, &plain, ACK, 100, 300);
    all.piece[0].p.data[all.l4 + 17] ^= 1;
    cr_expect_eq(join_all(&all, &j), 1);
    cr_expect_eq(all.piece[0].p.segment_size, 0);
    cr_expect_eq(all.piece[0].p.checksum, SVR_CHECKSUM_FULL);
    segments_drop(&all);
}
