#include "support.h"
#include "wire_packets.h"

#include <criterion/criterion.h>

#include <svr/fragment.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TCP SVR_PROTO_TCP
#define UDP SVR_PROTO_UDP

enum {
    PIECES = 9000,
    TIMEOUT = 5,
};

/* Pieces of one packet, as they travel. */
struct pieces {
    struct held at[PIECES];
    size_t count;
};

static struct pieces pieces;
static uint8_t buf[SVR_HEADROOM + ROOM + SVR_TAILROOM];
static test_memory memory;

static svr_reassembly *new_pool(void)
{
    svr_allocator a = test_allocator(&memory);
    svr_reassembly *r;

    cr_assert_eq(svr_reassembly_create(&r, TIMEOUT * SVR_SECOND, &a), 0);
    return r;
}

static void end_pool(svr_reassembly *r)
{
    svr_reassembly_destroy(r);
    cr_assert(test_memory_clean(&memory));
}

static void drop_pieces(void)
{
    for (size_t i = 0; i < pieces.count; i++)
        drop(&pieces.at[i]);
    pieces.count = 0;
}

static void keep(const svr_packet *p)
{
    cr_assert_lt(pieces.count, PIECES);
    cr_assert_eq(p->data, buf + SVR_HEADROOM);
    cr_assert_eq(p->checksum, SVR_CHECKSUM_FULL);
    pieces.at[pieces.count++] = hold(p->data, p->len, 0, 0);
}

/* A packet of the shape. may_split: IPv4 without DF, and with an id. */
static struct held make(const struct shape *s, bool may_split, uint64_t *seed)
{
    static uint8_t bytes[ROOM];
    svr_tuple t = draw_tuple(seed, s->v6, s->proto);
    size_t len = build(bytes, s, &t, seed);

    if (!s->v6) {
        put16(bytes + 4, draw(seed) & 0xffff);
        bytes[6] = may_split ? 0 : 0x40;
        naive_ip_write(bytes);
    }
    return hold(bytes, len, 0, 0);
}

/* Fabric */

static svr_metadata piece_metadata(const svr_packet *p)
{
    svr_metadata md;

    svr_metadata_init(&md);
    md.present = SVR_HAS(SECURITY_ID) | SVR_HAS(PACKET_NUMBER);
    md.security_id = 7;
    md.packet_number = pieces.count;
    md.fragment.extended_id = 99;
    if (p->data[0] >> 4 == 4) {
        md.fragment.original_id = (uint16_t)get16(p->data + 4);
        md.fragment.dont_fragment = p->data[6] & 0x40;
    } else {
        md.fragment.dont_fragment = p->fragment_size == 0;
    }
    md.fragment.largest = p->fragment_size;
    return md;
}

static void split(struct held *whole, uint16_t size)
{
    svr_split s;
    svr_headers h;
    size_t taken = 0;

    drop_pieces();
    cr_assert_eq(svr_packet_parse(&h, &whole->p), 0);
    cr_assert_eq(svr_split_begin(&s, &whole->p, &h, size), 0);
    while (svr_split_more(&s)) {
        svr_metadata md = piece_metadata(&whole->p);
        svr_packet out;
        svr_headers ph;

        cr_assert_eq(svr_split_next(&s, &md, &out, buf, sizeof(buf)), 0);
        cr_assert_eq(md.fragment.offset, taken / 8);
        cr_assert_eq(svr_packet_parse(&ph, &out), 0);
        cr_assert_eq(ph.payload, h.payload);
        svr_packet_checksum_write(&out, &ph);
        cr_assert(svr_packet_checksum_ok(&out, &ph));
        cr_assert(out.data[0] >> 4 == 6 || get16(out.data + 6) == 0x4000);
        keep(&out);
        taken += size;
    }
    cr_assert_eq(svr_split_next(&s, &(svr_metadata){0}, &(svr_packet){0}, buf,
                                sizeof(buf)),
                 SVR_ERR_NOT_FOUND);
}

static int add_fabric(svr_reassembly *r, const struct held *from, svr_time now)
{
    struct held copy = hold(from->p.data, from->p.len, 0, 0);
    svr_piece_key key;
    svr_piece piece;
    svr_metadata md;
    svr_headers h;
    ptrdiff_t len;
    int result;

    cr_assert_eq(svr_packet_parse(&h, &copy.p), 0);
    len = svr_metadata_decode(&md, copy.p.data + h.payload,
                              copy.p.len - h.payload);
    cr_assert_gt(len, 0);
    svr_fabric_piece(&key, &piece, &copy.p, &h, &md.fragment, (size_t)len);
    result = svr_reassembly_add(r, &key, &piece, now);
    drop(&copy);
    return result;
}

/* IP */

static void ip_split(struct held *whole, uint16_t size, uint32_t id)
{
    svr_ip_split s;

    drop_pieces();
    cr_assert_eq(svr_ip_split_begin(&s, &whole->p, size, id), 0);
    while (svr_ip_split_more(&s)) {
        svr_packet out;
        svr_headers h;

        cr_assert_eq(svr_ip_split_next(&s, &out, buf, sizeof(buf)), 0);
        cr_assert_leq(out.len, size);
        if (svr_ip_split_more(&s) || pieces.count)
            cr_assert_eq(svr_packet_parse(&h, &out), SVR_ERR_FRAGMENT);
        keep(&out);
    }
    cr_assert_eq(svr_ip_split_next(&s, &(svr_packet){0}, buf, sizeof(buf)),
                 SVR_ERR_NOT_FOUND);
}

static int add_ip(svr_reassembly *r, const struct held *from, svr_time now)
{
    struct held copy = hold(from->p.data, from->p.len, 8, 0);
    svr_piece_key key;
    svr_piece piece;
    int result = svr_ip_fragment_parse(&key, &piece, &copy.p);

    cr_assert_eq(result, 0);
    result = svr_reassembly_add(r, &key, &piece, now);
    drop(&copy);
    return result;
}

typedef int add_fn(svr_reassembly *r, const struct held *from, svr_time now);

static void expect_whole(svr_reassembly *r, const struct held *whole)
{
    svr_packet *p = svr_reassembly_first(r);

    cr_assert_not_null(p);
    cr_assert_eq(p->len, whole->p.len, "%u of %u", p->len, whole->p.len);
    cr_assert_arr_eq(p->data, whole->p.data, p->len);
    cr_assert_geq(p->headroom, SVR_HEADROOM);
    cr_assert_geq(p->tailroom, SVR_TAILROOM);
    memset(p->data - p->headroom, 1, p->headroom); /* a sanitizer looks */
    memset(p->data + p->len, 1, p->tailroom);
    svr_reassembly_release(r);
    cr_assert_null(svr_reassembly_first(r));
    cr_assert_eq(svr_reassembly_expiry(r), SVR_NEVER);
}

/* Adds all pieces in the order given. */
static void put_together(svr_reassembly *r, add_fn *add, const size_t *order,
                         const struct held *whole)
{
    for (size_t i = 0; i < pieces.count; i++)
        cr_assert_eq(add(r, &pieces.at[order[i]], 0), i + 1 == pieces.count,
                     "piece %zu of %zu", i, pieces.count);
    expect_whole(r, whole);
}

static void every_order(svr_reassembly *r, add_fn *add, size_t *order,
                        size_t at, const struct held *whole)
{
    if (at == pieces.count) {
        put_together(r, add, order, whole);
        return;
    }
    for (size_t i = at; i < pieces.count; i++) {
        size_t keep_at = order[at], keep_i = order[i];

        order[at] = keep_i;
        order[i] = keep_at;
        every_order(r, add, order, at + 1, whole);
        order[at] = keep_at;
        order[i] = keep_i;
    }
}

Test(wire_fragment, every_order_of_pieces)
{
    svr_reassembly *r = new_pool();
    uint64_t seed = 1;

    for (size_t count = 1; count <= 5; count++) {
        for (int v6 = 0; v6 < 2; v6++) {
            size_t order[] = {0, 1, 2, 3, 4};
            struct shape s = {
                .v6 = v6, .proto = UDP, .payload = 1200 * count - 20};
            struct held whole = make(&s, true, &seed);

            split(&whole, 1200);
            cr_assert_eq(pieces.count, count);
            every_order(r, add_fabric, order, 0, &whole);
            if (count > 1) {
                ip_split(&whole, 1300, 5);
                cr_assert_eq(pieces.count, count);
                every_order(r, add_ip, order, 0, &whole);
            }
            drop(&whole);
        }
    }
    drop_pieces();
    end_pool(r);
}

static void shuffle(size_t *order, size_t count, uint64_t *seed)
{
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t i = count; i > 1; i--) {
        size_t k = draw_below(seed, i), keep_k = order[k];

        order[k] = order[i - 1];
        order[i - 1] = keep_k;
    }
}

static struct shape draw_shape(uint64_t *seed, bool fabric)
{
    static const uint8_t protos[] = {TCP, UDP, UDP, SVR_PROTO_ICMP, 47};
    struct shape s = {
        .v6 = draw(seed) & 1,
        .proto = protos[draw_below(seed, fabric ? 3 : 5)],
        .payload = 1 + draw_below(seed, draw(seed) & 3 ? 5000 : 65000),
        .no_checksum = draw_below(seed, 4) == 0,
    };

    if (s.v6 && s.proto == SVR_PROTO_ICMP)
        s.proto = SVR_PROTO_ICMPV6;
    s.options = draw_below(seed, 4) * (s.v6 ? 8 : 4);
    if (s.proto == TCP)
        s.tcp_options = 4 * draw_below(seed, 11);
    s.no_checksum &= s.proto == UDP && !s.v6;
    return s;
}

/* What is split and put together again is what it was, byte for byte. */
Test(wire_fragment, round_trips)
{
    static size_t order[PIECES];
    svr_reassembly *r = new_pool();
    uint64_t seed = 2;

    for (int i = 0; i < 1500; i++) {
        bool fabric = i & 1;
        struct shape s = draw_shape(&seed, fabric);
        struct held whole = make(&s, !fabric || draw(&seed) & 1, &seed);
        size_t least = s.v6 ? SVR_IP6_FRAGMENT_MIN : SVR_IP4_FRAGMENT_MIN;

        if (fabric)
            split(&whole, (uint16_t)(8 + 8 * draw_below(&seed, 200)));
        else
            ip_split(&whole, (uint16_t)(least + draw_below(&seed, 1500)), 77);
        if (fabric || pieces.count > 1) {
            shuffle(order, pieces.count, &seed);
            put_together(r, fabric ? add_fabric : add_ip, order, &whole);
        }
        drop(&whole);
    }
    drop_pieces();
    end_pool(r);
}

/* Sizes around multiples of 8: how many pieces, how long the last. */
Test(wire_fragment, sizes)
{
    svr_reassembly *r = new_pool();
    uint64_t seed = 3;

    for (size_t payload = 1; payload < 60; payload++) {
        struct shape s = {.proto = UDP, .payload = payload};
        struct held whole = make(&s, true, &seed);
        size_t order[9] = {0, 1, 2, 3, 4, 5, 6, 7};
        size_t total = payload + 8;

        split(&whole, 8);
        cr_assert_eq(pieces.count, (payload + 7) / 8);
        put_together(r, add_fabric, order, &whole);
        for (uint16_t size = 68; size < 90; size++) {
            size_t room = (size - 20U) / 8 * 8;

            ip_split(&whole, size, 0);
            cr_assert_eq(pieces.count,
                         total <= size - 20U ? 1 : (total + room - 1) / room,
                         "%zu bytes in %u", total, size);
            if (pieces.count > 1)
                put_together(r, add_ip, order, &whole);
        }
        drop(&whole);
    }
    drop_pieces();
    end_pool(r);
}

Test(wire_fragment, longest_packets)
{
    static size_t order[PIECES];
    svr_reassembly *r = new_pool();
    uint64_t seed = 4;

    for (int v6 = 0; v6 < 2; v6++) {
        struct shape s = {.v6 = v6,
                          .proto = UDP,
                          .payload = SVR_PACKET_MAX - 8 - (v6 ? 40 : 20)};
        struct held whole = make(&s, true, &seed);

        for (size_t i = 0; i < PIECES; i++)
            order[i] = i;
        split(&whole, 8);
        put_together(r, add_fabric, order, &whole);
        ip_split(&whole, v6 ? 1280 : 68, 3);
        put_together(r, add_ip, order, &whole);
        drop(&whole);
    }
    drop_pieces();
    end_pool(r);
}

Test(wire_fragment, what_cannot_be_split)
{
    struct shape s = {.proto = UDP, .payload = 100};
    uint64_t seed = 5;
    struct held whole = make(&s, true, &seed);
    svr_metadata md;
    svr_headers h;
    svr_packet out = {.len = 1};
    svr_split split;
    svr_ip_split ip;

    cr_assert_eq(svr_packet_parse(&h, &whole.p), 0);
    cr_assert_eq(svr_split_begin(&split, &whole.p, &h, 0), SVR_ERR_ARGUMENT);
    cr_assert_eq(svr_split_begin(&split, &whole.p, &h, 12), SVR_ERR_ARGUMENT);
    cr_assert_eq(svr_split_begin(&split, &whole.p, &h, 64), 0);
    md = piece_metadata(&whole.p);
    cr_assert_eq(svr_split_next(&split, &md, &out, buf,
                                SVR_HEADROOM + 28 + 46 + 63 + SVR_TAILROOM),
                 SVR_ERR_NO_SPACE);
    cr_assert_eq(out.len, 1);
    cr_assert_eq(svr_split_next(&split, &md, &out, buf,
                                SVR_HEADROOM + 28 + 46 + 64 + SVR_TAILROOM),
                 0);
    cr_assert_eq(svr_ip_split_begin(&ip, &whole.p, 67, 0), SVR_ERR_ARGUMENT);
    cr_assert_eq(svr_ip_split_begin(&ip, &whole.p, 68, 0), 0);
    out.len = 1;
    cr_assert_eq(
        svr_ip_split_next(&ip, &out, buf, SVR_HEADROOM + 67 + SVR_TAILROOM),
        SVR_ERR_NO_SPACE);
    cr_assert_eq(out.len, 1);
    whole.p.segment_size = 10;
    cr_assert_eq(svr_ip_split_begin(&ip, &whole.p, 68, 0), SVR_ERR_ARGUMENT);
    cr_assert_eq(svr_split_begin(&split, &whole.p, &h, 8), SVR_ERR_ARGUMENT);
    drop(&whole);

    s = (struct shape){.proto = SVR_PROTO_ICMP, .payload = 100};
    whole = make(&s, true, &seed);
    cr_assert_eq(svr_packet_parse(&h, &whole.p), 0);
    cr_assert_eq(svr_split_begin(&split, &whole.p, &h, 8), SVR_ERR_ARGUMENT);
    drop(&whole);
    s = (struct shape){.proto = UDP, .payload = 0};
    whole = make(&s, true, &seed);
    cr_assert_eq(svr_packet_parse(&h, &whole.p), 0);
    cr_assert_eq(svr_split_begin(&split, &whole.p, &h, 8), SVR_ERR_ARGUMENT);
    drop(&whole);
    s = (struct shape){.v6 = true, .proto = UDP, .payload = 2000};
    whole = make(&s, true, &seed);
    cr_assert_eq(svr_ip_split_begin(&ip, &whole.p, 1279, 0), SVR_ERR_ARGUMENT);
    drop(&whole);
}

/* IPv4: options by their copied bit, the id, DF. */
Test(wire_fragment, v4_headers)
{
    /* a timestamp (not copied), NOP, router alert (copied), NOP, end */
    static const uint8_t options[16] = {68, 4, 5, 0, 1,    148, 4, 0,
                                        0,  1, 1, 0, 0x94, 4,   0, 0};
    struct shape s = {.proto = UDP, .options = 16, .payload = 200};
    svr_reassembly *r = new_pool();
    uint64_t seed = 6;
    size_t order[] = {2, 0, 1, 3, 4, 5, 6};

    for (int df = 0; df < 2; df++) {
        struct held whole = make(&s, !df, &seed);

        memcpy(whole.p.data + 20, options, 16);
        naive_ip_write(whole.p.data);
        ip_split(&whole, 108, 0x12345678);
        cr_assert_eq(pieces.count, 3);
        for (size_t i = 0; i < pieces.count; i++) {
            const uint8_t *ip = pieces.at[i].p.data;

            cr_assert_eq(ip[0], i == 0 ? 0x49 : 0x46);
            cr_assert_arr_eq(ip + 20, i == 0 ? options : options + 5,
                             i == 0 ? 16 : 4);
            cr_assert_eq(get16(ip + 4), df ? 0x5678 : get16(whole.p.data + 4));
            cr_assert_eq(ip[6] & 0xc0, 0, "DF is clear");
        }
        if (df) { /* what it becomes is one that may be split */
            put16(whole.p.data + 4, 0x5678);
            put16(whole.p.data + 6, 0);
            naive_ip_write(whole.p.data);
        }
        put_together(r, add_ip, order, &whole);
        drop(&whole);
    }
    drop_pieces();
    end_pool(r);
}

/* Options that lie about their length go no further than they can be read. */
Test(wire_fragment, v4_options_that_lie)
{
    static const struct {
        uint8_t options[4];
        size_t kept; /* in the later fragments */
    } rows[] = {
        {{0x94, 4, 0, 0}, 4},    {{0x94, 5, 0, 0}, 0},    {{0x94, 0, 0, 0}, 0},
        {{0x94, 1, 0, 0}, 0},    {{1, 1, 1, 0x94}, 0},    {{0, 0x94, 3, 0}, 0},
        {{0x88, 2, 0x94, 9}, 4}, {{0x88, 3, 7, 0x94}, 4}, {{7, 2, 0x94, 2}, 4},
    };
    struct shape s = {.proto = UDP, .options = 4, .payload = 100};
    uint64_t seed = 9;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct held whole = make(&s, true, &seed);

        memcpy(whole.p.data + 20, rows[i].options, 4);
        naive_ip_write(whole.p.data);
        ip_split(&whole, 80, 1);
        cr_assert_arr_eq(pieces.at[0].p.data + 20, rows[i].options, 4);
        for (size_t k = 1; k < pieces.count; k++)
            cr_assert_eq(pieces.at[k].p.data[0], 0x45 + rows[i].kept / 4,
                         "row %zu", i);
        drop(&whole);
    }
    drop_pieces();
}

/* Headers that leave no room in a fragment, or none in the pool. */
Test(wire_fragment, long_headers)
{
    static uint8_t headers[SVR_REASSEMBLY_HEADERS + 1], bytes[8];
    svr_reassembly *r = new_pool();
    svr_piece_key key = {.id = 1};
    svr_piece piece = {.front = {headers, sizeof(headers)},
                       .bytes = {bytes, sizeof(bytes)}};
    struct shape s = {.v6 = true, .proto = UDP, .payload = 3000};
    uint64_t seed = 10;
    struct held whole = make(&s, true, &seed);
    svr_ip_split split;

    cr_expect_eq(svr_reassembly_add(r, &key, &piece, 0), SVR_ERR_LENGTH);
    whole.p.data[6] = 0; /* hop by hop, of 156 * 8 bytes */
    whole.p.data[40] = UDP;
    whole.p.data[41] = 155;
    cr_expect_eq(svr_ip_split_begin(&split, &whole.p, 1280, 0),
                 SVR_ERR_UNSUPPORTED);
    whole.p.data[41] = 150;
    cr_expect_eq(svr_ip_split_begin(&split, &whole.p, 1280, 0), 0);
    drop(&whole);
    end_pool(r);
}

/* The last piece once more, but claiming that others follow. */
Test(wire_fragment, an_end_that_is_taken_back)
{
    struct shape s = {.proto = UDP, .payload = 152}; /* 160 bytes behind IP */
    svr_reassembly *r = new_pool();
    uint64_t seed = 12;
    struct held whole = make(&s, true, &seed);

    ip_split(&whole, 84, 1); /* pieces of 64, 64 and 32 bytes */
    cr_assert_eq(pieces.count, 3);
    cr_expect_eq(add_ip(r, &pieces.at[2], 0), 0);
    cr_expect_eq(add_ip(r, &pieces.at[2], 0), SVR_ERR_EXISTS);
    pieces.at[2].p.data[6] |= 0x20;
    naive_ip_write(pieces.at[2].p.data);
    cr_expect_eq(add_ip(r, &pieces.at[2], 0), SVR_ERR_CONFLICT);
    drop(&whole);
    drop_pieces();
    end_pool(r);
}

/* Attributes that the codec refuses make no piece. */
Test(wire_fragment, metadata_that_cannot_be_sent)
{
    struct shape s = {.proto = UDP, .payload = 100};
    uint64_t seed = 11;
    struct held whole = make(&s, true, &seed);
    svr_packet out = {.len = 1};
    svr_metadata md;
    svr_split split;
    svr_headers h;

    cr_assert_eq(svr_packet_parse(&h, &whole.p), 0);
    cr_assert_eq(svr_split_begin(&split, &whole.p, &h, 64), 0);
    md = piece_metadata(&whole.p);
    md.present |= (uint64_t)1 << 63;
    cr_expect_eq(svr_split_next(&split, &md, &out, buf, sizeof(buf)),
                 SVR_ERR_ARGUMENT);
    cr_expect_eq(out.len, 1);
    cr_expect_eq(split.next, 0);
    drop(&whole);
}

/* An IPv6 packet with these extension headers of 8 bytes each. */
static struct held chain(const uint8_t *kinds, size_t count, size_t payload)
{
    static uint8_t bytes[ROOM];
    struct shape s = {.v6 = true, .proto = UDP, .payload = payload};
    uint64_t seed = 7;
    svr_tuple t = draw_tuple(&seed, true, UDP);
    size_t len = build(bytes, &s, &t, &seed), at = 6;

    memmove(bytes + 40 + 8 * count, bytes + 40, len - 40);
    memset(bytes + 40, 0, 8 * count);
    for (size_t i = 0; i < count; i++) {
        bytes[at] = kinds[i];
        at = 40 + 8 * i;
    }
    bytes[at] = UDP;
    put16(bytes + 4, len - 40 + 8 * count);
    return hold(bytes, len + 8 * count, 0, 0);
}

Test(wire_fragment, v6_chains)
{
    enum { HOP = 0, ROUTING = 43, FRAGMENT = 44, DST = 60 };
    static const struct {
        uint8_t kinds[4];
        size_t count, each; /* headers, and of these in each fragment */
    } rows[] = {
        {{0}, 0, 0},
        {{HOP}, 1, 1},
        {{DST}, 1, 0},
        {{HOP, DST}, 2, 1},
        {{DST, ROUTING}, 2, 2},
        {{HOP, DST, ROUTING, DST}, 4, 3},
        {{HOP, ROUTING}, 2, 2},
    };
    svr_reassembly *r = new_pool();

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct held whole = chain(rows[i].kinds, rows[i].count, 2000);
        size_t order[] = {1, 0};

        ip_split(&whole, 1400, 0xdeadbeef);
        cr_assert_eq(pieces.count, 2);
        for (size_t k = 0; k < 2; k++) {
            const uint8_t *at = pieces.at[k].p.data + 40 + 8 * rows[i].each;
            unsigned first = 1400 - 48 - 8 * (unsigned)rows[i].each;

            cr_assert_eq(get32(at + 4), 0xdeadbeef);
            cr_assert_eq(get16(at + 2), k ? first / 8 * 8 : 1, "row %zu", i);
        }
        put_together(r, add_ip, order, &whole);
        drop(&whole);
    }
    struct held atomic = chain((uint8_t[]){HOP, FRAGMENT}, 2, 2000);
    svr_ip_split s;
    cr_assert_eq(svr_ip_split_begin(&s, &atomic.p, 1400, 1),
                 SVR_ERR_UNSUPPORTED);
    drop(&atomic);
    drop_pieces();
    end_pool(r);
}

/* What is refused as no fragment, or as a bad one. */
Test(wire_fragment, bad_ip_fragments)
{
    uint64_t seed = 8;

    for (int v6 = 0; v6 < 2; v6++) {
        struct shape s = {.v6 = v6, .proto = UDP, .payload = 3000};
        struct held whole = make(&s, true, &seed), copy;
        svr_piece_key key;
        svr_piece piece;

        cr_assert_eq(svr_ip_fragment_parse(&key, &piece, &whole.p),
                     SVR_ERR_NOT_FOUND);
        ip_split(&whole, 1300, 9);
        for (size_t len = 0; len < 1296; len++) {
            copy = hold(pieces.at[0].p.data, len, 0, 0);
            cr_assert_eq(svr_ip_fragment_parse(&key, &piece, &copy.p),
                         SVR_ERR_TRUNCATED);
            drop(&copy);
        }
        copy = hold(pieces.at[1].p.data, pieces.at[1].p.len, 0, 0);
        copy.p.data[0] ^= 0x30;
        cr_assert_eq(svr_ip_fragment_parse(&key, &piece, &copy.p),
                     SVR_ERR_VERSION);
        copy.p.data[0] ^= 0x30;
        memset(copy.p.data + (v6 ? 24 : 16), 0xff, 4);
        naive_ip_write(copy.p.data);
        cr_assert_eq(svr_ip_fragment_parse(&key, &piece, &copy.p),
                     SVR_ERR_MARTIAN);
        copy.p.data[8] ^= 1;
        if (!v6)
            cr_assert_eq(svr_ip_fragment_parse(&key, &piece, &copy.p),
                         SVR_ERR_CHECKSUM);
        drop(&copy);
        drop(&whole);
    }
    drop_pieces();
}

/* First fragments that do not hold every header (RFC 1858, RFC 7112). */
Test(wire_fragment, tiny_first_fragments)
{
    static const struct {
        uint8_t proto;
        size_t least; /* bytes of the L4 header that must be there */
    } rows[] = {{TCP, 32}, {UDP, 8}, {SVR_PROTO_ICMP, 8}, {47, 1}};
    uint64_t seed = 9;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct shape s = {.proto = rows[i].proto,
                          .payload = 100,
                          .tcp_options = rows[i].proto == TCP ? 12 : 0};
        struct held whole = make(&s, true, &seed);

        for (size_t len = 8; len <= 48; len += 8) {
            struct held f = hold(whole.p.data, 20 + len, 0, 0);
            svr_piece_key key;
            svr_piece piece;

            put16(f.p.data + 2, 20 + len);
            f.p.data[6] = 0x20;
            naive_ip_write(f.p.data);
            cr_assert_eq(svr_ip_fragment_parse(&key, &piece, &f.p), 0);
            cr_assert_eq(piece.broken, len < rows[i].least, "row %zu: %zu", i,
                         len);
            drop(&f);
        }
        drop(&whole);
    }
    /* the fragment header in the middle of a chain */
    uint8_t hidden[64] = {0x60, [5] = 24, [6] = 44, [7] = 9};
    svr_reassembly *r = new_pool();
    svr_piece_key key;
    svr_piece piece;
    hidden[8] = hidden[24] = 0x20;
    hidden[23] = 1, hidden[39] = 2;
    hidden[40] = 60, hidden[43] = 1;
    hidden[48] = 60, hidden[49] = 1; /* 16 bytes, and another behind it */
    struct held f = hold(hidden, sizeof(hidden), 0, 0);
    cr_assert_eq(svr_ip_fragment_parse(&key, &piece, &f.p), 0);
    cr_assert(piece.broken);
    cr_assert_eq(svr_reassembly_add(r, &key, &piece, 0), SVR_ERR_LENGTH);
    cr_assert_eq(svr_reassembly_expiry(r), SVR_NEVER, "it takes no slot");
    drop(&f);
    end_pool(r);
}

/* The pool */

/* A piece of made-up bytes: byte i of the packet is i + salt. */
struct step {
    size_t at, len; /* at in units */
    bool more;
    uint8_t salt;
    int answer;
};

static svr_piece_key key_of(uint32_t id, uint8_t sender)
{
    uint8_t b[4] = {10, 0, 0, sender};

    return (svr_piece_key){
        .src = svr_addr_from_v4(b), .dst = svr_addr_from_v4(b), .id = id};
}

static int add_step(svr_reassembly *r, const svr_piece_key *key,
                    const struct step *s, svr_time now)
{
    uint8_t *bytes = malloc(s->len + 20);
    svr_piece piece = {
        .front = {bytes, 20},
        .bytes = {bytes + 20, s->len},
        .offset = (uint16_t)s->at,
        .more = s->more,
    };
    int answer;

    memset(bytes, 0, 20);
    bytes[0] = 0x45;
    for (size_t i = 0; i < s->len; i++)
        bytes[20 + i] = (uint8_t)(s->at * 8 + i + s->salt);
    answer = svr_reassembly_add(r, key, &piece, now);
    free(bytes);
    return answer;
}

#define FULL SVR_ERR_FULL
#define AGAIN SVR_ERR_EXISTS
#define CLASH SVR_ERR_CONFLICT
#define BAD SVR_ERR_LENGTH

/* Each row is one packet's pieces. */
static const struct step scripts[][5] = {
    /* gaps, the last only, the last first */
    {{0, 8, 1, 0, 0}, {2, 8, 1, 0, 0}, {3, 3, 0, 0, 0}, {1, 8, 1, 0, 1}},
    {{3, 3, 0, 0, 0}, {0, 8, 1, 0, 0}, {1, 16, 1, 0, 1}},
    {{1, 3, 0, 0, 0}},
    {{0, 24, 1, 0, 0}},
    {{0, 5, 0, 0, 1}},
    /* again: nothing but the very same piece is ignored */
    {{0, 16, 1, 0, 0}, {0, 16, 1, 0, AGAIN}, {2, 3, 0, 0, 1}},
    {{2, 3, 0, 0, 0}, {2, 3, 0, 0, AGAIN}, {0, 16, 1, 0, 1}},
    {{0, 5, 0, 0, 1}, {0, 5, 0, 0, AGAIN}, {0, 5, 0, 1, CLASH}},
    {{0, 16, 1, 0, 0}, {0, 16, 1, 1, CLASH}, {2, 3, 0, 0, CLASH}},
    {{0, 16, 1, 0, 0}, {0, 8, 1, 0, CLASH}, {2, 3, 0, 0, CLASH}},
    {{0, 16, 1, 0, 0}, {1, 8, 1, 0, CLASH}, {2, 3, 0, 0, CLASH}},
    {{0, 8, 1, 0, 0}, {0, 16, 1, 0, CLASH}},
    {{0, 8, 1, 0, 0}, {1, 8, 1, 0, 0}, {0, 16, 1, 0, CLASH}},
    {{1, 8, 1, 0, 0}, {2, 8, 1, 0, 0}, {1, 8, 1, 0, AGAIN}},
    {{2, 3, 0, 0, 0}, {2, 2, 0, 0, CLASH}},
    {{2, 3, 0, 0, 0}, {2, 4, 0, 0, CLASH}},
    {{2, 3, 0, 0, 0}, {2, 8, 1, 0, CLASH}},
    {{2, 8, 0, 0, 0}, {2, 8, 1, 0, CLASH}},
    {{2, 8, 1, 0, 0}, {2, 8, 0, 0, CLASH}},
    /* overlaps: at the front, at the end, within, around */
    {{2, 16, 1, 0, 0}, {1, 16, 1, 0, CLASH}, {1, 8, 1, 0, CLASH}},
    {{2, 16, 1, 0, 0}, {3, 16, 1, 0, CLASH}},
    {{2, 24, 1, 0, 0}, {3, 8, 1, 0, CLASH}},
    {{2, 8, 1, 0, 0}, {1, 24, 1, 0, CLASH}},
    {{2, 8, 1, 0, 0}, {1, 24, 0, 0, CLASH}},
    /* two ends, an end before what came, bytes behind the end */
    {{2, 3, 0, 0, 0}, {3, 3, 0, 0, CLASH}},
    {{3, 3, 0, 0, 0}, {2, 3, 0, 0, CLASH}},
    {{3, 8, 1, 0, 0}, {2, 3, 0, 0, CLASH}},
    {{3, 8, 1, 0, 0}, {2, 8, 0, 0, CLASH}},
    {{2, 3, 0, 0, 0}, {3, 8, 1, 0, CLASH}},
    {{2, 8, 0, 0, 0}, {3, 8, 1, 0, CLASH}, {0, 16, 1, 0, CLASH}},
    /* pieces that are no good whatever came before; they spoil what did */
    {{0, 0, 1, 0, BAD}},
    {{0, 0, 0, 0, BAD}},
    {{1, 7, 1, 0, BAD}, {0, 8, 1, 0, 0}, {1, 1, 0, 0, 1}},
    {{0, 8, 1, 0, 0}, {1, 7, 1, 0, BAD}, {1, 1, 0, 0, CLASH}},
    {{0, 8, 1, 0, 0}, {1, 0, 0, 0, BAD}, {1, 1, 0, 0, CLASH}},
    {{8189, 8, 1, 0, BAD}},
    {{8189, 4, 0, 0, BAD}},
    {{8189, 3, 0, 0, 0}},
};

Test(wire_fragment, scripts)
{
    svr_reassembly *r = new_pool();

    /* the slot of the rows has held all that they could claim to have sent */
    for (size_t i = 0; i < COUNT(scripts); i++) {
        svr_piece_key key = key_of(1, 1);
        struct step before = {0, 64, true, 0, 0};

        cr_assert_eq(add_step(r, &key, &before, 0), 0);
        svr_reassembly_handle_expiry(r, SVR_NEVER);
        bool complete = false;
        uint32_t len = 0;

        for (size_t k = 0; k < 5 && (scripts[i][k].len || scripts[i][k].answer);
             k++) {
            const struct step *s = &scripts[i][k];

            cr_assert_eq(add_step(r, &key, s, 0), s->answer,
                         "row %zu, step %zu", i, k);
            complete |= s->answer == 1;
            if (!s->more && s->answer >= 0)
                len = (uint32_t)(20 + s->at * 8 + s->len);
        }
        svr_packet *p = svr_reassembly_first(r);
        cr_assert_eq(p != NULL, complete, "row %zu", i);
        if (p) {
            cr_assert_eq(p->len, len);
            for (uint32_t at = 20; at < len; at++)
                cr_assert_eq(p->data[at], (uint8_t)(at - 20));
            cr_assert_eq(get16(p->data + 2), len);
            svr_reassembly_release(r);
        }
        svr_reassembly_handle_expiry(r, SVR_NEVER);
    }
    end_pool(r);
}

static const struct step head = {0, 8, true, 0, 0}, tail = {1, 8, false, 0, 1};

/* S24: the new packet is refused, those that are under way go on. */
Test(wire_fragment, full_pool_keeps_what_it_has)
{
    svr_reassembly *r = new_pool();
    svr_piece_key key;

    for (uint32_t i = 0; i < SVR_REASSEMBLY_MAX; i++) {
        key = key_of(i, (uint8_t)(i % 8));
        cr_assert_eq(add_step(r, &key, &head, 0), 0);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        key = key_of(i, (uint8_t)(100 + i % 50));
        cr_assert_eq(add_step(r, &key, &head, 0), FULL);
    }
    for (uint32_t i = 0; i < SVR_REASSEMBLY_MAX; i++) {
        key = key_of(i, (uint8_t)(i % 8));
        cr_assert_eq(add_step(r, &key, &tail, 0), 1);
    }
    /* the complete ones do not stand in the way of others */
    for (uint32_t i = 0; i < SVR_REASSEMBLY_MAX; i++) {
        key = key_of(1000 + i, (uint8_t)(i % 8));
        cr_assert_eq(add_step(r, &key, &head, 0), 0);
    }
    for (uint32_t i = 0; i < SVR_REASSEMBLY_MAX; i++) {
        cr_assert_not_null(svr_reassembly_first(r));
        svr_reassembly_release(r);
    }
    cr_assert_null(svr_reassembly_first(r));
    cr_assert_eq(svr_reassembly_lost(r), 0);
    end_pool(r);
}

/* A sender that loses pieces takes places from nobody but itself. */
Test(wire_fragment, one_sender_has_a_quarter)
{
    svr_reassembly *r = new_pool();
    svr_piece_key key = key_of(0, 2);

    cr_assert_eq(add_step(r, &key, &head, 0), 0);
    for (uint32_t i = 0; i < 500; i++) {
        key = key_of(i, 1);
        cr_assert_eq(add_step(r, &key, &head, i), 0);
        cr_assert_eq(svr_reassembly_lost(r),
                     i < SVR_REASSEMBLY_SENDER_MAX
                         ? 0
                         : i + 1 - SVR_REASSEMBLY_SENDER_MAX);
    }
    for (uint32_t i = 500 - SVR_REASSEMBLY_SENDER_MAX; i < 500; i++) {
        key = key_of(i, 1);
        cr_assert_eq(add_step(r, &key, &tail, 500), 1, "the last %u are there",
                     SVR_REASSEMBLY_SENDER_MAX);
    }
    key = key_of(0, 2);
    cr_assert_eq(add_step(r, &key, &tail, 500), 1);
    end_pool(r);
}

Test(wire_fragment, time)
{
    svr_reassembly *r = new_pool();
    svr_piece_key a = key_of(1, 1), b = key_of(2, 1);
    svr_time second = SVR_SECOND;

    cr_assert_eq(svr_reassembly_expiry(r), SVR_NEVER);
    cr_assert_eq(add_step(r, &a, &head, 10 * second), 0);
    cr_assert_eq(add_step(r, &b, &head, 12 * second), 0);
    cr_assert_eq(add_step(r, &b, &head, 14 * second), AGAIN);
    cr_assert_eq(svr_reassembly_expiry(r), 15 * second);
    svr_reassembly_handle_expiry(r, 15 * second - 1);
    cr_assert_eq(svr_reassembly_lost(r), 0);
    svr_reassembly_handle_expiry(r, 15 * second);
    cr_assert_eq(svr_reassembly_lost(r), 1);
    cr_assert_eq(svr_reassembly_expiry(r), 17 * second,
                 "from the first piece on");

    /* what was spoilt is forgotten, too */
    cr_assert_eq(
        add_step(r, &b, &(struct step){0, 16, true, 0, 0}, 15 * second), CLASH);
    cr_assert_eq(add_step(r, &b, &tail, 16 * second), CLASH);
    svr_reassembly_handle_expiry(r, 17 * second);
    cr_assert_eq(svr_reassembly_lost(r), 2);
    cr_assert_eq(svr_reassembly_expiry(r), SVR_NEVER);
    cr_assert_eq(add_step(r, &b, &head, 17 * second), 0);
    cr_assert_eq(add_step(r, &b, &tail, 17 * second), 1);
    svr_reassembly_handle_expiry(r, 1000 * second);
    cr_assert_not_null(svr_reassembly_first(r), "a complete packet stays");
    cr_assert_eq(svr_reassembly_lost(r), 2);
    end_pool(r);
}

/* Complete packets come out in the order in which they became so. */
Test(wire_fragment, order_of_packets)
{
    svr_reassembly *r = new_pool();

    for (uint32_t i = 0; i < 10; i++)
        add_step(r, &(svr_piece_key){.id = i}, &head, 0);
    for (uint32_t i = 10; i-- > 0;)
        add_step(r, &(svr_piece_key){.id = i},
                 &(struct step){1, i + 1, false, 0, 0}, 0);
    for (uint32_t i = 10; i-- > 0; svr_reassembly_release(r))
        cr_assert_eq(svr_reassembly_first(r)->len, 28 + i + 1);
    end_pool(r);
}

/* RFC 3168 5.3 */
Test(wire_fragment, congestion_marks)
{
    static const struct {
        uint8_t first, second, whole;
    } rows[] = {{0, 0, 0}, {1, 1, 1}, {2, 3, 3}, {3, 2, 3}, {0, 3, 0}};
    uint64_t seed = 10;

    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        svr_reassembly *r = new_pool();
        bool v6 = i & 1;
        struct shape s = {.v6 = v6, .proto = UDP, .payload = 2000};
        struct held whole = make(&s, true, &seed);

        ip_split(&whole, 1280, 1);
        for (size_t k = 0; k < 2; k++) {
            uint8_t *ip = pieces.at[k].p.data;
            uint8_t ecn = k ? rows[i / 2].second : rows[i / 2].first;

            ip[1] = (uint8_t)(v6 ? ecn << 4 : ecn);
            naive_ip_write(ip);
            cr_assert_geq(add_ip(r, &pieces.at[k], 0), 0);
        }
        const uint8_t *ip = svr_reassembly_first(r)->data;
        cr_assert_eq((v6 ? ip[1] >> 4 : ip[1]) & 3, rows[i / 2].whole);
        cr_assert_eq(v6 ? 0xffff : naive_add(0, ip, 20), 0xffff);
        drop(&whole);
        drop_pieces();
        end_pool(r);
    }
}

/* What the whole packet knows of the form that it came in. */
Test(wire_fragment, fragment_size)
{
    static const struct {
        bool v6, dont_fragment;
        uint16_t largest, expected;
    } rows[] = {
        {false, true, 0, 0},      {false, false, 0, 0},
        {false, false, 600, 600}, {true, true, 0, 0},
        {true, false, 0, 65535},  {true, false, 1400, 1400},
        {true, true, 1400, 1400},
    };
    uint64_t seed = 11;

    for (size_t i = 0; i < COUNT(rows); i++) {
        svr_reassembly *r = new_pool();
        struct shape s = {.v6 = rows[i].v6, .proto = UDP, .payload = 20};
        struct held whole = make(&s, true, &seed);
        svr_fragment f = {.extended_id = 1,
                          .original_id = 0x4321,
                          .dont_fragment = rows[i].dont_fragment,
                          .largest = rows[i].largest};
        svr_piece_key key;
        svr_piece piece;
        svr_headers h;

        cr_assert_eq(svr_packet_parse(&h, &whole.p), 0);
        svr_fabric_piece(&key, &piece, &whole.p, &h, &f, 4);
        cr_assert_eq(svr_reassembly_add(r, &key, &piece, 0), 1);
        svr_packet *p = svr_reassembly_first(r);
        cr_assert_eq(p->fragment_size, rows[i].expected, "row %zu", i);
        if (!rows[i].v6) {
            cr_assert_eq(get16(p->data + 4), 0x4321);
            cr_assert_eq(get16(p->data + 6),
                         rows[i].dont_fragment ? 0x4000 : 0);
        }
        drop(&whole);
        end_pool(r);
    }

    svr_reassembly *r = new_pool();
    struct shape s = {.proto = UDP, .payload = 3000};
    struct held whole = make(&s, true, &seed);
    ip_split(&whole, 1300, 1);
    for (size_t i = 0; i < pieces.count; i++)
        cr_assert_geq(add_ip(r, &pieces.at[i], 0), 0);
    cr_assert_eq(svr_reassembly_first(r)->fragment_size, 1300);
    drop(&whole);
    drop_pieces();
    end_pool(r);
}

Test(wire_fragment, memory_refused)
{
    svr_allocator a = test_allocator(&memory);
    svr_reassembly *r;

    for (size_t at = 1; at <= 2; at++) {
        memory.calls = 0;
        memory.fail_at = at;
        cr_assert_eq(svr_reassembly_create(&r, 1, &a), SVR_ERR_NO_MEMORY);
        cr_assert(test_memory_clean(&memory));
    }
    svr_reassembly_destroy(NULL);
}
