#include "wire_packets.h"

#include <criterion/criterion.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TCP SVR_PROTO_TCP

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, CWR = 128 };

struct fixture {
    struct held held;
    svr_headers h;
    uint64_t seed;
};

static void setup(struct fixture *f, const struct shape *s, uint8_t flags)
{
    static uint8_t bytes[ROOM];
    svr_tuple t = draw_tuple(&f->seed, s->v6, TCP);
    size_t len = build(bytes, s, &t, &f->seed);

    bytes[ip_bytes(s) + 13] = flags;
    naive_write(bytes, len, ip_bytes(s), TCP);
    f->held = hold(bytes, len, 0, 0);
    cr_assert_eq(svr_packet_parse(&f->h, &f->held.p), 0);
}

static const uint8_t *tcp_of(const svr_packet *p, const svr_headers *h)
{
    return p->data + h->l4;
}

/* All of a piece's headers that a cut does not concern are the packet's. */
static void expect_kept(const struct fixture *f, const svr_packet *piece)
{
    static uint8_t a[ROOM], b[ROOM];
    const svr_headers *h = &f->h;
    const size_t l4_changes[][2] = {{4, 4}, {13, 1}, {16, 2}, {18, 2}};

    memcpy(a, f->held.p.data, h->payload);
    memcpy(b, piece->data, h->payload);
    if (a[0] >> 4 == 4) {
        put16(a + 2, 0), put16(b + 2, 0);
        put16(a + 4, 0), put16(b + 4, 0);
        put16(a + 10, 0), put16(b + 10, 0);
    } else {
        put16(a + 4, 0), put16(b + 4, 0);
    }
    for (size_t i = 0; i < COUNT(l4_changes); i++) {
        memset(a + h->l4 + l4_changes[i][0], 0, l4_changes[i][1]);
        memset(b + h->l4 + l4_changes[i][0], 0, l4_changes[i][1]);
    }
    cr_assert_eq(memcmp(a, b, h->payload), 0);
}

static void expect_flags(uint8_t whole, uint8_t flags, bool first, bool last)
{
    cr_assert_eq(flags & CWR, first ? whole & CWR : 0);
    cr_assert_eq(flags & SYN, first ? whole & SYN : 0);
    cr_assert_eq(flags & FIN, last ? whole & FIN : 0);
    cr_assert_eq(flags & PSH, last ? whole & PSH : 0);
    cr_assert_eq(flags & RST, last ? whole & RST : 0);
    cr_assert_eq(flags & ACK, whole & ACK);
}

/* Takes the next piece, at place `at` of the payload; answers its payload's
 * length. */
static uint32_t take_piece(const struct fixture *f, svr_cut *cut, uint32_t at,
                           uint32_t want)
{
    size_t cap = SVR_HEADROOM + f->h.payload + want + SVR_TAILROOM;
    uint8_t *buf = malloc(cap);
    uint8_t whole = tcp_of(&f->held.p, &f->h)[13];
    uint16_t number = cut->pieces;
    svr_packet piece = {.len = 1};
    svr_headers h;

    cr_assert_eq(svr_cut_next(cut, &piece, buf, cap - 1), SVR_ERR_NO_SPACE);
    cr_assert_eq(piece.len, 1);
    cr_assert_eq(svr_cut_next(cut, &piece, buf, cap), 0);
    cr_assert_eq(piece.data, buf + SVR_HEADROOM);
    cr_assert_eq(piece.checksum, f->held.p.checksum);
    cr_assert_eq(piece.segment_size, 0);
    cr_assert_eq(piece.iface, f->held.p.iface);
    cr_assert_eq(svr_packet_parse(&h, &piece), 0);
    cr_assert_eq(naive_right(piece.data, piece.len, h.l4, TCP),
                 f->held.p.checksum == SVR_CHECKSUM_FULL);
    svr_packet_checksum_complete(&piece, &h);
    cr_assert(naive_right(piece.data, piece.len, h.l4, TCP));
    cr_assert_eq(piece.len, h.payload + want);
    cr_assert_eq(memcmp(piece.data + h.payload,
                        f->held.p.data + f->h.payload + at, want),
                 0);
    cr_assert_eq(h.tcp_seq, f->h.tcp_seq + at + (at > 0 && whole & SYN));
    expect_flags(whole, h.tcp_flags, at == 0,
                 f->h.payload + at + want == f->held.p.len);
    expect_kept(f, &piece);
    if (piece.data[0] >> 4 == 4)
        cr_assert_eq(get16(piece.data + 4),
                     (get16(f->held.p.data + 4) + number) & 0xffff);
    free(buf);
    return want;
}

static void cut_all(struct fixture *f, uint16_t size)
{
    uint32_t total = f->held.p.len - f->h.payload, at = 0;
    uint8_t buf[SVR_HEADROOM + 300 + SVR_TAILROOM];
    svr_packet out;
    svr_cut cut;

    f->held.p.iface = 9;
    cr_assert_eq(svr_cut_begin(&cut, &f->held.p, &f->h, size), 0);
    do {
        uint32_t want = total - at < size ? total - at : size;

        cr_assert(svr_cut_more(&cut));
        at += take_piece(f, &cut, at, want);
    } while (at < total);
    cr_assert_not(svr_cut_more(&cut));
    cr_assert_eq(cut.pieces, total ? (total + size - 1) / size : 1);
    cr_assert_eq(svr_cut_next(&cut, &out, buf, sizeof(buf)), SVR_ERR_NOT_FOUND);
}

Test(wire_cut, pieces_make_the_packet)
{
    const struct shape shapes[] = {
        {.proto = TCP, .payload = 1460},
        {.proto = TCP, .options = 40, .tcp_options = 40, .payload = 101},
        {.v6 = true, .proto = TCP, .tcp_options = 12, .payload = 1400},
        {.v6 = true, .proto = TCP, .options = 16, .payload = 100},
    };
    const uint16_t sizes[] = {1, 2, 7, 99, 100, 101, 1399, 1400, 1460, 65535};
    const uint8_t flags[] = {ACK, ACK | PSH, FIN | ACK | PSH | CWR,
                             SYN, SYN | ACK, RST | ACK};
    struct fixture f = {.seed = 1};

    for (size_t i = 0; i < COUNT(shapes) * COUNT(sizes) * COUNT(flags); i++) {
        uint16_t size = sizes[i / COUNT(shapes) % COUNT(sizes)];

        if (size < 7 && i % COUNT(shapes) % 2 == 0)
            continue;
        setup(&f, &shapes[i % COUNT(shapes)],
              flags[i / COUNT(shapes) / COUNT(sizes)]);
        cut_all(&f, size);
        drop(&f.held);
    }
}

/* A datagram of a super-packet, at place `at` of its payload; answers its
 * payload's length. */
static uint32_t take_datagram(const struct held *whole, const svr_headers *was,
                              svr_cut *cut, uint32_t at)
{
    uint8_t buf[SVR_HEADROOM + 1600 + SVR_TAILROOM];
    uint32_t left = whole->p.len - was->payload - at;
    uint32_t want = left < cut->size ? left : cut->size;
    svr_packet piece;
    svr_headers h;

    cr_assert_eq(svr_cut_next(cut, &piece, buf, sizeof(buf)), 0);
    cr_assert_eq(svr_packet_parse(&h, &piece), 0);
    cr_assert_eq(piece.checksum, whole->p.checksum);
    svr_packet_checksum_complete(&piece, &h);
    cr_assert(naive_right(piece.data, piece.len, h.l4, SVR_PROTO_UDP));
    cr_assert(svr_tuple_equal(&h.tuple, &was->tuple));
    cr_assert_eq(piece.len - h.payload, want);
    cr_assert_arr_eq(piece.data + h.payload, whole->p.data + was->payload + at,
                     want);
    return want;
}

Test(wire_cut, datagrams)
{
    for (int kind = 0; kind < 4; kind++) {
        struct shape s = {.v6 = kind & 1,
                          .proto = SVR_PROTO_UDP,
                          .options = 8,
                          .payload = kind & 2 ? 60000 : 1000};
        uint64_t seed = 7;
        svr_tuple t = draw_tuple(&seed, s.v6, SVR_PROTO_UDP);
        static uint8_t bytes[ROOM];
        struct held whole = hold(bytes, build(bytes, &s, &t, &seed), 0, 0);
        uint32_t at = 0;
        svr_headers h;
        svr_cut cut;

        cr_assert_eq(svr_packet_parse(&h, &whole.p), 0);
        whole.p.segment_size = kind & 2 ? 1448 : 100;
        if (kind & 2)
            whole.p.checksum = SVR_CHECKSUM_PARTIAL;
        svr_packet_checksum_write(&whole.p, &h);
        cr_assert_eq(svr_cut_begin(&cut, &whole.p, &h, whole.p.segment_size),
                     0);
        while (svr_cut_more(&cut))
            at += take_datagram(&whole, &h, &cut, at);
        cr_assert_eq(at, s.payload);
        drop(&whole);
    }
}

/* The longest super-packets, FULL and PARTIAL. */
Test(wire_cut, super_packets)
{
    struct fixture f = {.seed = 2};

    for (int kind = 0; kind < 4; kind++) {
        struct shape s = {.v6 = kind & 1,
                          .proto = TCP,
                          .tcp_options = 12,
                          .payload = kind & 1 ? 65463 : 65483};

        setup(&f, &s, ACK | PSH);
        f.held.p.segment_size = 1448;
        if (kind & 2)
            f.held.p.checksum = SVR_CHECKSUM_PARTIAL;
        svr_packet_checksum_write(&f.held.p, &f.h);
        cut_all(&f, 1448);
        drop(&f.held);
    }
}

Test(wire_cut, without_payload_it_is_one_piece)
{
    struct shape s = {.proto = TCP, .tcp_options = 8};
    struct fixture f = {.seed = 3};

    setup(&f, &s, FIN | ACK | CWR);
    cut_all(&f, 1);
    drop(&f.held);
}

Test(wire_cut, sequence_and_identification_wrap)
{
    struct shape s = {.proto = TCP, .payload = 100};
    struct fixture f = {.seed = 4};
    uint8_t *ip;

    setup(&f, &s, ACK);
    ip = f.held.p.data;
    put16(ip + 4, 0xffff);
    memset(ip + f.h.l4 + 4, 0xff, 4);
    naive_write(ip, f.held.p.len, f.h.l4, TCP);
    cr_assert_eq(svr_packet_parse(&f.h, &f.held.p), 0);
    cut_all(&f, 30);
    drop(&f.held);
}

/* 100 bytes in pieces of 30: the urgent data ends before byte `urgent`. */
static const struct {
    uint16_t urgent;
    uint16_t want[4]; /* 0: no URG */
} urgents[] = {
    {1, {1, 0, 0, 0}},           {30, {30, 0, 0, 0}},
    {31, {31, 1, 0, 0}},         {90, {90, 60, 30, 0}},
    {91, {91, 61, 31, 1}},       {100, {100, 70, 40, 10}},
    {500, {500, 470, 440, 410}},
};

Test(wire_cut, urgent_data)
{
    struct shape s = {.proto = TCP, .payload = 100};
    struct fixture f = {.seed = 5};
    uint8_t buf[SVR_HEADROOM + 100 + SVR_TAILROOM];

    for (size_t i = 0; i < COUNT(urgents); i++) {
        svr_cut cut;

        setup(&f, &s, ACK | URG);
        put16(f.held.p.data + f.h.l4 + 18, urgents[i].urgent);
        cr_assert_eq(svr_cut_begin(&cut, &f.held.p, &f.h, 30), 0);
        for (int n = 0; n < 4; n++) {
            svr_packet piece;
            const uint8_t *tcp;

            cr_assert_eq(svr_cut_next(&cut, &piece, buf, sizeof(buf)), 0);
            tcp = tcp_of(&piece, &f.h);
            cr_expect_eq(get16(tcp + 18), urgents[i].want[n], "row %zu, %d", i,
                         n);
            cr_expect_eq((tcp[13] & URG) != 0, urgents[i].want[n] != 0);
        }
        drop(&f.held);
    }
}

Test(wire_cut, refused)
{
    struct shape s = {.proto = TCP, .payload = 10};
    struct fixture f = {.seed = 6};
    svr_cut cut = {.size = 77};

    setup(&f, &s, ACK);
    cr_expect_eq(svr_cut_begin(&cut, &f.held.p, &f.h, 0), SVR_ERR_ARGUMENT);
    f.h.tuple.proto = SVR_PROTO_UDP;
    cr_expect_eq(svr_cut_begin(&cut, &f.held.p, &f.h, 5), SVR_ERR_ARGUMENT);
    f.held.p.segment_size = 6;
    cr_expect_eq(svr_cut_begin(&cut, &f.held.p, &f.h, 5), SVR_ERR_ARGUMENT);
    f.h.tuple.proto = SVR_PROTO_ICMP;
    cr_expect_eq(svr_cut_begin(&cut, &f.held.p, &f.h, 6), SVR_ERR_ARGUMENT);
    cr_expect_eq(cut.size, 77);
    drop(&f.held);
}
