#include "wire/checksum.h"
#include "wire_packets.h"

#include <criterion/criterion.h>

Test(wire_checksum, sum_equals_naive_at_every_length_and_alignment)
{
    uint64_t seed = 1;
    uint8_t bytes[300];

    for (size_t len = 0; len < 260; len++) {
        for (size_t at = 0; at < 9; at++) {
            uint8_t *block = malloc(len + at + !(len + at));

            draw_bytes(&seed, bytes, sizeof(bytes));
            memcpy(block + at, bytes, len);
            cr_assert_eq(svr__sum(block + at, len), naive_add(0, bytes, len),
                         "len %zu at %zu", len, at);
            free(block);
        }
    }
}

Test(wire_checksum, sum_of_extremes)
{
    static uint8_t bytes[65536];

    cr_assert_eq(svr__sum(bytes, sizeof(bytes)), 0);
    memset(bytes, 0xff, sizeof(bytes));
    cr_assert_eq(svr__sum(bytes, sizeof(bytes)), 0xffff);
    cr_assert_eq(svr__sum(bytes, sizeof(bytes) - 1),
                 naive_add(0, bytes, sizeof(bytes) - 1));
    bytes[65535] = 0xfe;
    cr_assert_eq(svr__sum(bytes, sizeof(bytes)),
                 naive_add(0, bytes, sizeof(bytes)));
}

/* RFC 1071 3. */
Test(wire_checksum, sum_of_the_rfc)
{
    const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

    cr_assert_eq(svr__sum(bytes, sizeof(bytes)), 0xddf2);
}

/* RFC 1624 4: the case that the older equation gets wrong. */
Test(wire_checksum, update_of_the_rfc)
{
    cr_assert_eq(svr__checksum_update(0xdd2f, svr__sum_delta(0x5555, 0x3285)),
                 0x0000);
}

Test(wire_checksum, update_equals_naive_for_any_word)
{
    uint64_t seed = 2;
    uint8_t bytes[40];

    for (int i = 0; i < 200000; i++) {
        size_t at = 2 * draw_below(&seed, 20);
        unsigned old, now = (unsigned)draw(&seed) & 0xffff;
        unsigned checksum;

        draw_bytes(&seed, bytes, sizeof(bytes));
        if (i % 3 == 0)
            now = i % 2 ? 0 : 0xffff;
        old = get16(bytes + at);
        checksum = ~naive_add(0, bytes, sizeof(bytes)) & 0xffff;
        put16(bytes + at, now);
        cr_assert_eq(
            svr__checksum_update((uint16_t)checksum,
                                 svr__sum_delta((uint16_t)old, (uint16_t)now)),
            ~naive_add(0, bytes, sizeof(bytes)) & 0xffff);
    }
}

static const struct shape shapes[] = {
    {.proto = SVR_PROTO_TCP, .payload = 0},
    {.proto = SVR_PROTO_TCP, .payload = 333, .tcp_options = 12},
    {.proto = SVR_PROTO_TCP, .payload = 60000, .options = 40},
    {.proto = SVR_PROTO_UDP, .payload = 0},
    {.proto = SVR_PROTO_UDP, .payload = 77, .options = 4},
    {.proto = SVR_PROTO_ICMP, .payload = 57},
    {.proto = 47, .payload = 11},
    {.v6 = true, .proto = SVR_PROTO_TCP, .payload = 1},
    {.v6 = true, .proto = SVR_PROTO_TCP, .payload = 60000, .options = 16},
    {.v6 = true, .proto = SVR_PROTO_UDP, .payload = 0},
    {.v6 = true, .proto = SVR_PROTO_UDP, .payload = 1000, .options = 8},
    {.v6 = true, .proto = SVR_PROTO_ICMPV6, .payload = 56},
    {.v6 = true, .proto = 50, .payload = 20},
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static struct held make(const struct shape *s, svr_headers *h, uint64_t *seed)
{
    static uint8_t bytes[ROOM];
    svr_tuple t = draw_tuple(seed, s->v6, s->proto);
    struct held held = hold(bytes, build(bytes, s, &t, seed), 0, 0);

    cr_assert_eq(svr_packet_parse(h, &held.p), 0);
    return held;
}

Test(wire_checksum, ok_sees_every_single_bit)
{
    uint64_t seed = 3;

    for (size_t i = 0; i < SHAPES; i++) {
        svr_headers h;
        struct held held = make(&shapes[i], &h, &seed);
        size_t step = 1 + held.p.len / 200;
        bool known = has_checksum(held.p.data, shapes[i].proto);

        cr_assert(svr_packet_checksum_ok(&held.p, &h), "shape %zu", i);
        for (size_t at = h.l4; at < held.p.len; at += step) {
            uint8_t bit = (uint8_t)(1 << draw_below(&seed, 8));

            held.p.data[at] ^= bit;
            cr_assert_eq(svr_packet_checksum_ok(&held.p, &h), !known,
                         "shape %zu byte %zu", i, at);
            held.p.data[at] ^= bit;
        }
        drop(&held);
    }
}

Test(wire_checksum, ok_does_not_ask_what_hardware_answers)
{
    uint64_t seed = 4;
    svr_headers h;
    struct held held = make(&shapes[1], &h, &seed);

    held.p.data[h.payload] ^= 1;
    cr_assert_not(svr_packet_checksum_ok(&held.p, &h));
    held.p.checksum = SVR_CHECKSUM_VALID;
    cr_assert(svr_packet_checksum_ok(&held.p, &h));
    held.p.checksum = SVR_CHECKSUM_PARTIAL;
    cr_assert(svr_packet_checksum_ok(&held.p, &h));
    drop(&held);
}

/* S4.6: UDP without a checksum exists within IPv4 only. */
Test(wire_checksum, udp_without_checksum)
{
    uint64_t seed = 5;

    for (int v6 = 0; v6 < 2; v6++) {
        struct shape s = {.v6 = v6,
                          .proto = SVR_PROTO_UDP,
                          .payload = 9,
                          .no_checksum = true};
        svr_headers h;
        struct held held = make(&s, &h, &seed);
        uint8_t *field = held.p.data + h.l4 + 6;

        cr_assert_eq(svr_packet_checksum_ok(&held.p, &h), !v6);
        svr_packet_checksum_write(&held.p, &h);
        cr_assert_eq(get16(field) == 0, !v6);
        cr_assert(naive_right(held.p.data, held.p.len, h.l4, SVR_PROTO_UDP));
        drop(&held);
    }
}

/* A UDP checksum that comes out as zero is written as 0xffff (RFC 768). */
Test(wire_checksum, udp_checksum_that_is_zero)
{
    uint64_t seed = 6;

    for (int v6 = 0; v6 < 2; v6++) {
        struct shape s = {.v6 = v6, .proto = SVR_PROTO_UDP, .payload = 2};
        svr_headers h;
        struct held held = make(&s, &h, &seed);
        uint8_t *payload = held.p.data + h.payload;
        unsigned now, missing = get16(held.p.data + h.l4 + 6);

        now = naive_add(missing, payload, 2);
        put16(payload, now);
        svr_packet_checksum_write(&held.p, &h);
        cr_assert_eq(get16(held.p.data + h.l4 + 6), 0xffff);
        cr_assert(svr_packet_checksum_ok(&held.p, &h));
        held.p.checksum = SVR_CHECKSUM_PARTIAL;
        svr_packet_checksum_write(&held.p, &h);
        svr_packet_checksum_complete(&held.p, &h);
        cr_assert_eq(get16(held.p.data + h.l4 + 6), 0xffff);
        drop(&held);
    }
}

Test(wire_checksum, write_makes_every_checksum_right)
{
    uint64_t seed = 7;

    for (size_t i = 0; i < SHAPES; i++) {
        svr_headers h;
        struct held held = make(&shapes[i], &h, &seed);
        uint8_t proto = shapes[i].proto;

        if (!shapes[i].v6)
            put16(held.p.data + 10, 0x5a5a);
        if (has_checksum(held.p.data, proto))
            put16(held.p.data + h.l4 + checksum_place(proto), 0xa5a5);
        held.p.checksum = SVR_CHECKSUM_VALID;
        svr_packet_checksum_write(&held.p, &h);
        cr_assert(naive_right(held.p.data, held.p.len, h.l4, proto),
                  "shape %zu", i);
        cr_assert_eq(held.p.checksum, SVR_CHECKSUM_FULL);
        drop(&held);
    }
}

Test(wire_checksum, partial_is_written_and_completed)
{
    uint64_t seed = 8;

    for (size_t i = 0; i < SHAPES; i++) {
        svr_headers h;
        struct held held;
        uint8_t proto = shapes[i].proto;
        unsigned full, pseudo;
        uint8_t *field;

        if (proto != SVR_PROTO_TCP && proto != SVR_PROTO_UDP)
            continue;
        held = make(&shapes[i], &h, &seed);
        field = held.p.data + h.l4 + checksum_place(proto);
        full = get16(field);
        pseudo = naive_pseudo(held.p.data, proto, held.p.len - h.l4);
        held.p.checksum = SVR_CHECKSUM_PARTIAL;
        svr_packet_checksum_write(&held.p, &h);
        cr_assert_eq(held.p.checksum, SVR_CHECKSUM_PARTIAL);
        cr_assert_eq(get16(field), pseudo);
        svr_packet_checksum_complete(&held.p, &h);
        cr_assert_eq(held.p.checksum, SVR_CHECKSUM_FULL);
        cr_assert_eq(get16(field), full, "shape %zu", i);
        drop(&held);
    }
}

/* Devices complete TCP and UDP only; the word means nothing elsewhere. */
Test(wire_checksum, partial_is_for_tcp_and_udp)
{
    uint64_t seed = 10;

    for (size_t i = 0; i < SHAPES; i++) {
        svr_headers h;
        struct held held = make(&shapes[i], &h, &seed);
        uint8_t proto = shapes[i].proto;

        held.p.checksum = SVR_CHECKSUM_PARTIAL;
        if (proto != SVR_PROTO_TCP && proto != SVR_PROTO_UDP) {
            svr_packet_checksum_complete(&held.p, &h);
            cr_expect_eq(held.p.checksum, SVR_CHECKSUM_FULL);
            held.p.checksum = SVR_CHECKSUM_PARTIAL;
            svr_packet_checksum_write(&held.p, &h);
            cr_expect_eq(held.p.checksum, SVR_CHECKSUM_FULL);
            cr_expect(naive_right(held.p.data, held.p.len, h.l4, proto));
        }
        drop(&held);
    }
}

Test(wire_checksum, complete_leaves_a_full_packet_alone)
{
    uint64_t seed = 9;
    svr_headers h;
    struct held held = make(&shapes[1], &h, &seed);
    uint8_t *field = held.p.data + h.l4 + 16;

    put16(field, 0x1111);
    svr_packet_checksum_complete(&held.p, &h);
    cr_assert_eq(get16(field), 0x1111);
    drop(&held);
}
