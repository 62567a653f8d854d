/* TCP carried as UDP, and back (S4.4), beside the named vectors. */
#include "wire_packets.h"

#include <criterion/criterion.h>

#include <svr/metadata.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TCP SVR_PROTO_TCP
#define UDP SVR_PROTO_UDP

enum { OPTIONS_MAX = 40 };

struct fixture {
    struct held held;
    svr_headers h;
    uint64_t seed;
};

static void setup_bytes(struct fixture *f, const uint8_t *bytes, size_t len)
{
    f->held = hold(bytes, len, 0, 0);
    cr_assert_eq(svr_packet_parse(&f->h, &f->held.p), 0);
}

static void setup(struct fixture *f, const struct shape *s)
{
    static uint8_t bytes[ROOM];
    svr_tuple t = draw_tuple(&f->seed, s->v6, s->proto);

    setup_bytes(f, bytes, build(bytes, s, &t, &f->seed));
}

/* The headers are what a fresh look at the packet finds. */
static void expect_sound(const struct fixture *f, uint8_t proto)
{
    svr_packet look = f->held.p;
    svr_headers h = {0};

    cr_assert_eq(svr_packet_parse(&h, &look), 0);
    cr_expect_eq(look.len, f->held.p.len);
    cr_expect_eq(h.tuple.proto, proto);
    cr_expect(svr_tuple_equal(&h.tuple, &f->h.tuple));
    cr_expect_eq(h.l4, f->h.l4);
    cr_expect_eq(h.payload, f->h.payload);
    cr_expect_eq(h.tcp_flags, f->h.tcp_flags);
    cr_expect_eq(h.tcp_seq, f->h.tcp_seq);
    cr_expect_eq(h.tcp_ack, f->h.tcp_ack);
    cr_expect_eq(h.tcp_window, f->h.tcp_window);
}

static size_t drawn_payload(uint64_t *seed, size_t round)
{
    return round == 0 ? 60000 : draw_below(seed, 60);
}

/* Every length of options, behind every form of IP header; only the urgent mark
 * is lost. Checksums that follow are those that a full sum gives. */
Test(wire_mask, there_and_back_is_identity)
{
    struct fixture f = {.seed = 1};
    static uint8_t want[ROOM];

    for (size_t i = 0; i < 11 * 4 * 20; i++) {
        size_t round = i / 44;
        struct shape s = {.v6 = i & 1,
                          .proto = TCP,
                          .options = i & 2 ? 8 : 0,
                          .tcp_options = i / 4 % 11 * 4,
                          .payload = drawn_payload(&f.seed, round)};
        size_t len;
        uint8_t *l4;

        setup(&f, &s);
        len = f.held.p.len;
        memcpy(want, f.held.p.data, len);
        l4 = want + f.h.l4;
        l4[13] &= 0xdf;
        put16(l4 + 18, 0);
        naive_write(want, len, f.h.l4, TCP);

        cr_assert_eq(svr_packet_mask(&f.held.p, &f.h), 0);
        cr_assert_eq(f.held.p.len, len);
        expect_sound(&f, UDP);
        cr_expect(naive_right(f.held.p.data, len, f.h.l4, UDP));
        cr_expect_neq(get16(f.held.p.data + f.h.l4 + 6), 0);
        cr_assert_eq(svr_packet_unmask(&f.held.p, &f.h), 0);
        expect_sound(&f, TCP);
        cr_assert_arr_eq(f.held.p.data, want, len, "round %zu", i);
        drop(&f.held);
    }
}

/* A checksum that comes to zero is written as 0xffff, which says the same. */
Test(wire_mask, zero_is_no_checksum)
{
    struct fixture f = {.seed = 2};

    for (int v6 = 0; v6 < 2; v6++) {
        struct shape s = {.v6 = v6, .proto = TCP, .payload = 7};
        uint8_t bytes[128], *l4;
        size_t len;
        unsigned checksum;

        setup(&f, &s);
        len = f.held.p.len;
        put16(f.held.p.data + f.h.l4 + 14, 0);
        naive_write(f.held.p.data, len, f.h.l4, TCP);
        memcpy(bytes, f.held.p.data, len);
        l4 = bytes + f.h.l4;
        cr_assert_eq(svr_packet_mask(&f.held.p, &f.h), 0);
        checksum = get16(f.held.p.data + f.h.l4 + 6);
        drop(&f.held);

        put16(l4 + 14, checksum);
        naive_write(bytes, len, (size_t)(l4 - bytes), TCP);
        setup_bytes(&f, bytes, len);
        cr_assert_eq(svr_packet_mask(&f.held.p, &f.h), 0);
        cr_expect_eq(get16(f.held.p.data + f.h.l4 + 6), 0xffff);
        cr_assert_eq(svr_packet_unmask(&f.held.p, &f.h), 0);
        l4[13] &= 0xdf;
        put16(l4 + 18, 0);
        naive_write(bytes, len, (size_t)(l4 - bytes), TCP);
        cr_expect_arr_eq(f.held.p.data, bytes, len);
        drop(&f.held);
    }
}

static void expect_refused(struct fixture *f,
                           int (*change)(svr_packet *p, svr_headers *h),
                           int want)
{
    static uint8_t before[ROOM];
    svr_packet was = f->held.p;
    svr_headers h = f->h;

    memcpy(before, was.data, was.len);
    cr_expect_eq(change(&f->held.p, &f->h), want);
    cr_expect_eq(memcmp(&was, &f->held.p, sizeof(was)), 0);
    cr_expect_eq(memcmp(&h, &f->h, sizeof(h)), 0);
    cr_expect_arr_eq(was.data, before, was.len);
}

/* A UDP packet with room bytes behind its header that say they carry a TCP
 * header of offset words. */
static void setup_carrier(struct fixture *f, bool v6, size_t room,
                          unsigned offset)
{
    struct shape s = {.v6 = v6, .proto = UDP, .payload = room};
    uint8_t *l4;

    setup(f, &s);
    l4 = f->held.p.data + f->h.l4;
    if (room > 4)
        l4[12] = (uint8_t)(offset << 4 | (l4[12] & 15));
    naive_write(f->held.p.data, f->held.p.len, f->h.l4, UDP);
}

/* Every cut of the longest header, and every offset. */
Test(wire_mask, no_tcp_header_behind_udp)
{
    struct fixture f = {.seed = 3};

    for (size_t room = 0; room <= 12 + OPTIONS_MAX + 1; room++)
        for (unsigned i = 0; i < 32; i++) {
            unsigned offset = i / 2;
            size_t header = (size_t)offset * 4;

            setup_carrier(&f, i & 1, room, offset);
            if (room < 12) {
                expect_refused(&f, svr_packet_unmask, SVR_ERR_TRUNCATED);
            } else if (header < 20 || header > 8 + room) {
                expect_refused(&f, svr_packet_unmask, SVR_ERR_LENGTH);
            } else {
                cr_expect_eq(svr_packet_unmask(&f.held.p, &f.h), 0);
                expect_sound(&f, TCP);
                cr_expect_not(f.h.tcp_flags & SVR_TCP_URG);
                cr_expect(
                    naive_right(f.held.p.data, f.held.p.len, f.h.l4, TCP));
            }
            drop(&f.held);
        }
}

Test(wire_mask, refused)
{
    struct fixture f = {.seed = 4};
    const struct shape tcp = {.proto = TCP, .payload = 3000};
    const struct shape udp = {.proto = UDP, .payload = 40};
    const struct shape gre = {.proto = 47, .payload = 40};

    setup(&f, &tcp);
    expect_refused(&f, svr_packet_unmask, SVR_ERR_ARGUMENT);
    f.held.p.segment_size = 1000;
    expect_refused(&f, svr_packet_mask, SVR_ERR_ARGUMENT);
    drop(&f.held);
    setup(&f, &udp);
    expect_refused(&f, svr_packet_mask, SVR_ERR_ARGUMENT);
    drop(&f.held);
    setup(&f, &gre);
    expect_refused(&f, svr_packet_mask, SVR_ERR_ARGUMENT);
    expect_refused(&f, svr_packet_unmask, SVR_ERR_ARGUMENT);
    drop(&f.held);
}

Test(wire_mask, a_wrong_checksum_stays_wrong)
{
    struct fixture f = {.seed = 5};

    for (int i = 0; i < 200; i++) {
        struct shape s = {.v6 = i & 1, .proto = TCP, .payload = 9};
        uint8_t *byte;

        setup(&f, &s);
        byte = f.held.p.data + f.h.l4 + draw_below(&f.seed, 4);
        *byte ^= (uint8_t)(1 << draw_below(&f.seed, 8));
        cr_assert_eq(svr_packet_mask(&f.held.p, &f.h), 0);
        cr_expect_not(svr_packet_checksum_ok(&f.held.p, &f.h));
        cr_assert_eq(svr_packet_unmask(&f.held.p, &f.h), 0);
        cr_expect_not(svr_packet_checksum_ok(&f.held.p, &f.h));
        drop(&f.held);
    }
}

/* S4.6: a UDP checksum of zero says "none" on IPv4 and is wrong on IPv6. */
Test(wire_mask, udp_without_checksum)
{
    struct fixture f = {.seed = 6};

    for (int kind = 0; kind < 4; kind++) {
        setup_carrier(&f, kind & 1, 30, 5);
        put16(f.held.p.data + f.h.l4 + 6, 0);
        f.held.p.checksum = kind & 2 ? SVR_CHECKSUM_VALID : SVR_CHECKSUM_FULL;
        if (kind & 1) {
            expect_refused(&f, svr_packet_unmask, SVR_ERR_CHECKSUM);
        } else {
            cr_assert_eq(svr_packet_unmask(&f.held.p, &f.h), 0);
            cr_expect_eq(f.held.p.checksum, SVR_CHECKSUM_FULL);
            cr_expect(naive_right(f.held.p.data, f.held.p.len, f.h.l4, TCP));
        }
        drop(&f.held);
    }
}

/* What the device completes, it can complete in either form. */
Test(wire_mask, partial_checksums)
{
    struct fixture f = {.seed = 7};

    for (int kind = 0; kind < 4; kind++) {
        struct shape s = {.v6 = kind & 1, .proto = TCP, .payload = 3000};

        setup(&f, &s);
        f.held.p.checksum = SVR_CHECKSUM_PARTIAL;
        svr_packet_checksum_write(&f.held.p, &f.h);
        cr_assert_eq(svr_packet_mask(&f.held.p, &f.h), 0);
        if (kind & 2)
            cr_assert_eq(svr_packet_unmask(&f.held.p, &f.h), 0);
        cr_expect_eq(f.held.p.checksum, SVR_CHECKSUM_PARTIAL);
        svr_packet_checksum_complete(&f.held.p, &f.h);
        cr_expect(
            naive_right(f.held.p.data, f.held.p.len, f.h.l4, f.h.tuple.proto));
        expect_sound(&f, kind & 2 ? TCP : UDP);
        drop(&f.held);
    }
}

/* What hardware checked is right in either form. */
Test(wire_mask, valid_checksums)
{
    struct fixture f = {.seed = 8};
    struct shape s = {.proto = TCP, .payload = 100};

    setup(&f, &s);
    f.held.p.checksum = SVR_CHECKSUM_VALID;
    cr_assert_eq(svr_packet_mask(&f.held.p, &f.h), 0);
    cr_expect_eq(f.held.p.checksum, SVR_CHECKSUM_VALID);
    cr_expect(naive_right(f.held.p.data, f.held.p.len, f.h.l4, UDP));
    drop(&f.held);
}

/* S2.3: a segment whose header has the cookie's bytes does not begin with it
 * once it is UDP. */
Test(wire_mask, never_begins_with_the_cookie)
{
    struct fixture f = {.seed = 9};
    struct shape s = {.proto = TCP, .tcp_options = 32, .payload = 8};
    uint8_t *l4;

    setup(&f, &s);
    l4 = f.held.p.data + f.h.l4;
    memcpy(l4 + 8, "\x4c\x48\xdb\xc6\xdd\xf6\x67\x0c", 8);
    naive_write(f.held.p.data, f.held.p.len, f.h.l4, TCP);
    cr_assert_eq(svr_packet_parse(&f.h, &f.held.p), 0);
    cr_assert(svr_cookie_present(l4 + 8, f.held.p.len - f.h.l4 - 8));
    cr_assert_eq(svr_packet_mask(&f.held.p, &f.h), 0);
    cr_expect_not(svr_cookie_present(f.held.p.data + f.h.payload,
                                     f.held.p.len - f.h.payload));
    drop(&f.held);
}
