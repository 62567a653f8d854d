/* TCP carried as UDP, and back (S4.4). */
#include "wire_packets.h"

#include <criterion/criterion.h>

#include <svr/metadata.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TCP SVR_PROTO_TCP
#define UDP SVR_PROTO_UDP
#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

enum { OPTIONS_MAX = 40 };

/* Written down from the specification; checksums by another program. */
static const struct {
    const char *name;
    const uint8_t *tcp;
    size_t tcp_len;
    const uint8_t *udp;
    size_t udp_len;
} vectors[] = {
    {"a SYN over IPv4",
     BYTES("\x45\xb8\x00\x3c\x12\x34\x40\x00\x3d\x06\x2c\xcc\xc0\x00\x02\x01"
           "\xcb\x00\x71\x02\x9c\x40\x00\x50\x11\x22\x33\x44\x00\x00\x00\x00"
           "\xa0\x02\xfa\xf0\x6a\x0e\x00\x00\x02\x04\x05\xb4\x04\x02\x08\x0a"
           "\x01\x02\x03\x04\x00\x00\x00\x00\x01\x03\x03\x07"),
     BYTES("\x45\xb8\x00\x3c\x12\x34\x40\x00\x3d\x11\x2c\xc1\xc0\x00\x02\x01"
           "\xcb\x00\x71\x02\x9c\x40\x00\x50\x00\x28\x69\xdb\x00\x00\x00\x00"
           "\xa0\x02\xfa\xf0\x11\x22\x33\x44\x02\x04\x05\xb4\x04\x02\x08\x0a"
           "\x01\x02\x03\x04\x00\x00\x00\x00\x01\x03\x03\x07")},
    {"data over IPv4",
     BYTES("\x45\xb8\x00\x39\x12\x34\x40\x00\x3d\x06\x2c\xcf\xc0\x00\x02\x01"
           "\xcb\x00\x71\x02\x9c\x40\x00\x50\x11\x22\x33\x45\xa1\xb2\xc3\xd4"
           "\x50\x18\x01\xf6\x8a\xac\x00\x00\x47\x45\x54\x20\x2f\x20\x48\x54"
           "\x54\x50\x2f\x31\x2e\x30\x0d\x0a\x0d"),
     BYTES("\x45\xb8\x00\x39\x12\x34\x40\x00\x3d\x11\x2c\xc4\xc0\x00\x02\x01"
           "\xcb\x00\x71\x02\x9c\x40\x00\x50\x00\x25\x8a\x7c\xa1\xb2\xc3\xd4"
           "\x50\x18\x01\xf6\x11\x22\x33\x45\x47\x45\x54\x20\x2f\x20\x48\x54"
           "\x54\x50\x2f\x31\x2e\x30\x0d\x0a\x0d")},
    {"a SYN over IPv6",
     BYTES("\x6b\x80\xab\xcd\x00\x28\x06\x3d\x20\x01\x0d\xb8\x00\x01\x00\x00"
           "\x00\x00\x00\x00\x00\x00\x00\x01\x20\x01\x0d\xb8\x00\x0f\x00\x00"
           "\x00\x00\x00\x00\x00\x00\x00\x02\x9c\x40\x01\xbb\xff\xff\xff\xfe"
           "\x00\x00\x00\x00\xa0\xc2\xff\xff\x49\xbb\x00\x00\x02\x04\x05\xb4"
           "\x04\x02\x08\x0a\x01\x02\x03\x04\x00\x00\x00\x00\x01\x03\x03\x07"),
     BYTES("\x6b\x80\xab\xcd\x00\x28\x11\x3d\x20\x01\x0d\xb8\x00\x01\x00\x00"
           "\x00\x00\x00\x00\x00\x00\x00\x01\x20\x01\x0d\xb8\x00\x0f\x00\x00"
           "\x00\x00\x00\x00\x00\x00\x00\x02\x9c\x40\x01\xbb\x00\x28\x49\x88"
           "\x00\x00\x00\x00\xa0\xc2\xff\xff\xff\xff\xff\xfe\x02\x04\x05\xb4"
           "\x04\x02\x08\x0a\x01\x02\x03\x04\x00\x00\x00\x00\x01\x03\x03\x07")},
    {"data over IPv6",
     BYTES("\x6b\x80\xab\xcd\x00\x25\x06\x3d\x20\x01\x0d\xb8\x00\x01\x00\x00"
           "\x00\x00\x00\x00\x00\x00\x00\x01\x20\x01\x0d\xb8\x00\x0f\x00\x00"
           "\x00\x00\x00\x00\x00\x00\x00\x02\x9c\x40\x01\xbb\xde\xad\xbe\xef"
           "\x01\x02\x03\x04\x80\x10\x20\x00\x91\xca\x00\x00\x01\x01\x08\x0a"
           "\x00\x00\x00\x01\x00\x00\x00\x02\x61\x62\x63\x64\x65"),
     BYTES("\x6b\x80\xab\xcd\x00\x25\x11\x3d\x20\x01\x0d\xb8\x00\x01\x00\x00"
           "\x00\x00\x00\x00\x00\x00\x00\x01\x20\x01\x0d\xb8\x00\x0f\x00\x00"
           "\x00\x00\x00\x00\x00\x00\x00\x02\x9c\x40\x01\xbb\x00\x25\x91\x9a"
           "\x01\x02\x03\x04\x80\x10\x20\x00\xde\xad\xbe\xef\x01\x01\x08\x0a"
           "\x00\x00\x00\x01\x00\x00\x00\x02\x61\x62\x63\x64\x65")},
};

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

Test(wire_mask, vectors)
{
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct fixture f;

        cr_assert_eq(vectors[i].tcp_len, vectors[i].udp_len);
        setup_bytes(&f, vectors[i].tcp, vectors[i].tcp_len);
        cr_assert_eq(svr_packet_mask(&f.held.p, &f.h), 0);
        cr_expect_arr_eq(f.held.p.data, vectors[i].udp, vectors[i].udp_len,
                         "%s", vectors[i].name);
        expect_sound(&f, UDP);
        drop(&f.held);

        setup_bytes(&f, vectors[i].udp, vectors[i].udp_len);
        cr_assert_eq(svr_packet_unmask(&f.held.p, &f.h), 0);
        cr_expect_arr_eq(f.held.p.data, vectors[i].tcp, vectors[i].tcp_len,
                         "%s", vectors[i].name);
        expect_sound(&f, TCP);
        drop(&f.held);
    }
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
