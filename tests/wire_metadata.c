/* The metadata codec: S2, S3. Every input stands in a heap buffer of exactly
 * its size, so that a sanitizer sees each byte read too far. */
#include "wire/attribute.h"
#include "wire/name.h"
#include "wire_messages.h"
#include "wire_packets.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static svr_span span(const char *text)
{
    return (svr_span){(const uint8_t *)text, strlen(text)};
}

static svr_addr v4(uint32_t a)
{
    uint8_t b[4];

    svr__store_be32(b, a);
    return svr_addr_from_v4(b);
}

static svr_addr v6(uint8_t last)
{
    return (svr_addr){{0xfd, 0, 0, 1, [15] = last}};
}

static ptrdiff_t decode_copy(svr_metadata *md, const uint8_t *buf, size_t len)
{
    uint8_t *exact = malloc(len ? len : 1);
    ptrdiff_t got;

    memcpy(exact, buf, len);
    got = svr_metadata_decode(md, len ? exact : NULL, len);
    free(exact);
    return got;
}

/* Appends one attribute of len bytes to a section. */
static void put_tlv(svr__wr *wr, uint16_t type, const void *value, size_t len)
{
    svr__wr_u16(wr, type);
    svr__wr_u16(wr, (uint16_t)len);
    svr__wr_bytes(wr, value, len);
}

/* One attribute as the whole of one section. */
static ptrdiff_t decode_one(uint16_t type, enum svr_section section,
                            const uint8_t *value, size_t len)
{
    size_t total = 12 + 4 + len;
    uint8_t *buf = malloc(total);
    svr__wr wr = svr__wr_over(buf, total);
    bool in_header = section == SVR_SECTION_HEADER;
    svr_metadata md;
    ptrdiff_t got;

    svr__wr_bytes(&wr, (const uint8_t *)"\x4c\x48\xdb\xc6\xdd\xf6\x67\x0c", 8);
    svr__wr_u16(&wr, (uint16_t)(0x1000 | (in_header ? total : 12)));
    svr__wr_u16(&wr, (uint16_t)(in_header ? 0 : total - 12));
    put_tlv(&wr, type, value, len);
    cr_assert(!wr.overrun && wr.len == total);
    got = svr_metadata_decode(&md, buf, total);
    free(buf);
    return got < 0 ? got : 0;
}

/* S3, written a second time: where each type may stand, and the lengths it may
 * have. */
static const struct registry_row {
    uint16_t type;
    bool header, payload;
    size_t min, max;
} registry[] = {
    {1, true, false, 10, 10},        {2, false, true, 13, 13},
    {3, false, true, 37, 37},        {4, false, true, 13, 13},
    {5, false, true, 37, 37},        {6, false, true, 16, 16},
    {7, false, true, 1, 255},        {8, true, true, 4, 4},
    {10, false, true, 1, 255},       {11, false, true, 0, 0},
    {12, false, true, 0, 0},         {13, true, true, 8, 8},
    {14, false, true, 1, 255},       {15, true, true, 1, 255},
    {16, true, false, 4, 4},         {17, true, true, 1, 255},
    {18, true, true, 0, 0},          {19, false, true, 1, 255},
    {20, true, false, 4, 4},         {21, true, false, 16, 16},
    {24, true, false, 1, 1},         {25, false, true, 4, 4},
    {26, true, false, 10, 10},       {28, true, true, 2, 65535},
    {35, false, true, 1, 255},       {42, false, true, 4, 4},
    {46, true, false, 1, 1},         {46, false, true, 2, 65535},
    {50, false, true, 11, 35},       {51, false, true, 2, 65535},
    {0x8001, true, false, 17, 17},   {0x8002, true, false, 8, 8},
    {0x8003, true, false, 4, 4},     {0x8004, false, true, 17, 17},
    {0x8005, false, true, 1, 65535}, {0x8006, false, true, 2, 65535},
    {0x8007, false, true, 1, 1},
};

static bool is_length_allowed(const struct registry_row *row, size_t len)
{
    if (len < row->min || len > row->max)
        return false;
    if (row->type == SVR_ATTR_MULTICAST_GROUP)
        return len == 11 || len == 35;
    if (row->type == SVR_ATTR_MULTICAST_EGRESS ||
        row->type == SVR_ATTR_ROUTE_RECORD)
        return len % 2 == 0;
    return true;
}

Test(wire_metadata, every_attribute_at_every_length)
{
    uint8_t value[300];

    for (size_t i = 0; i < COUNT(registry); i++) {
        const struct registry_row *row = &registry[i];
        enum svr_section section =
            row->header ? SVR_SECTION_HEADER : SVR_SECTION_PAYLOAD;
        for (size_t len = 0; len < sizeof(value); len++) {
            int expected = is_length_allowed(row, len) ? 0 : SVR_ERR_TLV_LENGTH;
            ptrdiff_t got;
            value_fill(value, row->type, len);
            got = decode_one(row->type, section, value, len);
            cr_expect_eq(got, expected, "type %u, length %zu: %td", row->type,
                         len, got);
        }
    }
}

Test(wire_metadata, every_attribute_in_every_section)
{
    uint8_t value[300];

    for (size_t i = 0; i < COUNT(registry); i++) {
        const struct registry_row *row = &registry[i];
        ptrdiff_t got;
        if (row->type == SVR_ATTR_HEALTH_OR_KEY)
            continue;
        value_fill(value, row->type, row->min);
        got = decode_one(row->type, SVR_SECTION_HEADER, value, row->min);
        cr_expect_eq(got, row->header ? 0 : SVR_ERR_TLV_SECTION, "%u in H",
                     row->type);
        got = decode_one(row->type, SVR_SECTION_PAYLOAD, value, row->min);
        cr_expect_eq(got, row->payload ? 0 : SVR_ERR_TLV_SECTION, "%u in P",
                     row->type);
    }
}

static const struct registry_row *find_row(uint16_t type, bool header)
{
    const struct registry_row *found = NULL;

    for (size_t i = 0; i < COUNT(registry); i++) {
        if (registry[i].type != type)
            continue;
        if (!found || (header ? registry[i].header : registry[i].payload))
            found = &registry[i];
    }
    return found;
}

/* All 65536 types, so that no two share a slot of the index. */
Test(wire_metadata, registry_is_complete)
{
    cr_assert_eq(COUNT(registry), SVR_ATTR_COUNT);
    for (unsigned type = 0; type <= UINT16_MAX; type++) {
        for (int s = SVR_SECTION_HEADER; s <= SVR_SECTION_PAYLOAD; s++) {
            const svr_attribute_info *info =
                svr_attribute_find((uint16_t)type, (enum svr_section)s);
            const struct registry_row *row =
                find_row((uint16_t)type, s == SVR_SECTION_HEADER);
            /* Those behind BFD are the business of wire_bfd.c. */
            if (info && info->sections == SVR_SECTION_BFD)
                info = NULL;
            cr_assert_eq(!info, !row, "type %u", type);
            if (!info)
                continue;
            cr_expect_eq(info->type, type);
            cr_expect(info->name && info->name[0]);
            cr_expect_eq(info->min_len, row->min, "type %u", type);
            cr_expect_eq(info->max_len, row->max, "type %u", type);
            cr_expect_eq(info->sections,
                         (row->header ? 1 : 0) | (row->payload ? 2 : 0));
            cr_expect(info->sections & info->sent_in);
        }
    }
}

/* Encodes into a buffer of exactly the measured size; the caller frees. */
static uint8_t *encode_exact(const svr_metadata *md, size_t *len)
{
    ptrdiff_t size = svr_metadata_encode(NULL, 0, md);
    uint8_t *buf;

    cr_assert_geq(size, SVR_BASE_HEADER_SIZE, "%td", size);
    buf = malloc((size_t)size);
    memset(buf, 0xee, (size_t)size);
    cr_assert_eq(svr_metadata_encode(buf, (size_t)size, md), size);
    *len = (size_t)size;
    return buf;
}

/* What survives a mutation survives being encoded and decoded again. */
Test(wire_metadata, mutated_blocks)
{
    static struct message m;
    uint64_t seed = 1;
    unsigned accepted = 0, refused = 0;

    for (int i = 0; i < 50000; i++) {
        svr_metadata md, again;
        size_t len, second_len;
        uint8_t *buf, *second;
        message_draw(&m, &seed);
        m.md.present &= draw(&seed) | draw(&seed);
        buf = encode_exact(&m.md, &len);
        for (size_t n = 1 + draw_below(&seed, 3); n > 0; n--)
            buf[8 + draw_below(&seed, len - 8)] = (uint8_t)draw(&seed);
        if (svr_metadata_decode(&md, buf, len) < 0) {
            refused++;
            free(buf);
            continue;
        }
        accepted++;
        md.unknown = 0;
        second = encode_exact(&md, &second_len);
        cr_assert_eq(svr_metadata_decode(&again, second, second_len),
                     (ptrdiff_t)second_len);
        cr_assert(metadata_equal(&md, &again), "message %d", i);
        free(second);
        free(buf);
    }
    cr_expect_gt(accepted, 1000);
    cr_expect_gt(refused, 1000);
}

/* Every attribute that can stand beside the others. */
static void fill_all(struct message *m, uint64_t *seed)
{
    do
        message_draw(m, seed);
    while (__builtin_popcountll(m->md.present) < SVR_ATTR_COUNT - 3);
}

Test(wire_metadata, cut_at_every_byte)
{
    static struct message m;
    uint64_t seed = 1;
    size_t len;
    uint8_t *buf;

    fill_all(&m, &seed);
    buf = encode_exact(&m.md, &len);
    for (size_t n = 0; n < len; n++) {
        svr_metadata md;
        ptrdiff_t expected = n < 8    ? SVR_ERR_NO_COOKIE
                             : n < 12 ? SVR_ERR_TRUNCATED
                                      : SVR_ERR_LENGTH;
        cr_expect_eq(decode_copy(&md, buf, n), expected, "%zu bytes", n);
    }
    free(buf);
}

/* A section cut anywhere but between two attributes is refused. */
Test(wire_metadata, sections_cut_at_every_byte)
{
    static struct message m;
    uint64_t seed = 1;
    size_t len;
    uint8_t *buf;
    svr_block b;
    svr_span rest;
    svr_tlv tlv;

    fill_all(&m, &seed);
    buf = encode_exact(&m.md, &len);
    cr_assert_eq(svr_block_parse(&b, buf, len), 0);
    rest = (svr_span){buf + b.header_len, b.payload_len};
    for (size_t n = 0, whole = 0; n <= b.payload_len; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        svr_metadata md;
        int got;
        svr_metadata_init(&md);
        memcpy(exact, buf + b.header_len, n);
        got = svr_metadata_decode_payload(&md, exact, n);
        cr_expect_eq(got, n == whole ? 0 : SVR_ERR_TLV_OVERRUN, "%zu bytes", n);
        if (n == whole && svr_tlv_next(&tlv, &rest) == 1)
            whole += 4 + tlv.value.len;
        free(exact);
    }
    cr_expect_eq(rest.len, 0);
    free(buf);
}

/* From no attribute, which is a bare header, to all of them. */
Test(wire_metadata, encoding_into_too_little_room)
{
    static struct message m;
    uint64_t seed = 1;

    for (int all = 0; all < 2; all++) {
        uint8_t *buf;
        size_t len;
        if (all)
            fill_all(&m, &seed);
        buf = encode_exact(&m.md, &len);
        free(buf);
        for (size_t cap = 0; cap < len; cap++) {
            buf = malloc(cap ? cap : 1);
            cr_expect_eq(svr_metadata_encode(buf, cap, &m.md), SVR_ERR_NO_SPACE,
                         "%zu bytes", cap);
            free(buf);
        }
    }
}

Test(wire_metadata, values_that_cannot_be_encoded)
{
    static const uint8_t zeros[65537];
    char long_name[257] = {0};
    const struct {
        const char *what;
        uint64_t present;
        svr_metadata md;
        ptrdiff_t expected;
    } rows[] = {
        {"bit beyond the list",
         (uint64_t)1 << SVR_ATTR_COUNT,
         {0},
         SVR_ERR_ARGUMENT},
        {"last bit", (uint64_t)1 << 63, {0}, SVR_ERR_ARGUMENT},
        {"empty name", SVR_HAS(TENANT), {0}, SVR_ERR_ARGUMENT},
        {"name of 256",
         SVR_HAS(TENANT),
         {.tenant = span(long_name)},
         SVR_ERR_ARGUMENT},
        {"name of 255",
         SVR_HAS(TENANT),
         {.tenant = {(const uint8_t *)long_name, 255}},
         12 + 4 + 255},
        {"hostile name",
         SVR_HAS(SERVICE),
         {.service = span("a\nb")},
         SVR_ERR_ARGUMENT},
        {"IPv6 address as IPv4 context",
         SVR_HAS(FORWARD_CONTEXT_V4),
         {.forward = {v6(1), v6(2), 1, 2, 6}},
         SVR_ERR_ARGUMENT},
        {"IPv4 address as IPv6 context",
         SVR_HAS(FORWARD_CONTEXT_V6),
         {.forward = {v6(1), v4(2), 1, 2, 6}},
         SVR_ERR_ARGUMENT},
        {"no address as IPv4 context",
         SVR_HAS(FORWARD_CONTEXT_V4),
         {0},
         SVR_ERR_ARGUMENT},
        {"contexts of both families",
         SVR_HAS(FORWARD_CONTEXT_V4) | SVR_HAS(FORWARD_CONTEXT_V6),
         {0},
         SVR_ERR_ARGUMENT},
        {"IPv6 source NAT",
         SVR_HAS(SOURCE_NAT),
         {.source_nat = v6(1)},
         SVR_ERR_ARGUMENT},
        {"multicast of two families",
         SVR_HAS(MULTICAST_GROUP),
         {.multicast = {v6(1), v4(2), 0, 17}},
         SVR_ERR_ARGUMENT},
        {"fragment offset",
         SVR_HAS(FRAGMENT),
         {.fragment = {.offset = 0x2000}},
         SVR_ERR_ARGUMENT},
        {"colour 16",
         SVR_HAS(PATH_METRICS),
         {.metrics = {.tx_colour = 16}},
         SVR_ERR_ARGUMENT},
        {"received colour 16",
         SVR_HAS(PATH_METRICS),
         {.metrics = {.rx_colour = 16}},
         SVR_ERR_ARGUMENT},
        {"time of 29 bits",
         SVR_HAS(PATH_METRICS),
         {.metrics = {.tx_time = 1 << 28}},
         SVR_ERR_ARGUMENT},
        {"received time of 29 bits",
         SVR_HAS(PATH_METRICS),
         {.metrics = {.rx_time = 1 << 28}},
         SVR_ERR_ARGUMENT},
        {"count of 16 bits",
         SVR_HAS(PATH_METRICS),
         {.metrics = {.count = 0x8000}},
         SVR_ERR_ARGUMENT},
        {"modify of 1",
         SVR_HAS(MODIFY),
         {.modify = {zeros, 1}},
         SVR_ERR_ARGUMENT},
        {"session key of 1",
         SVR_HAS(SESSION_KEY),
         {.session_key = {zeros, 1}},
         SVR_ERR_ARGUMENT},
        {"empty token", SVR_HAS(RECOVERY_TOKEN), {0}, SVR_ERR_ARGUMENT},
        {"token of 65536",
         SVR_HAS(RECOVERY_TOKEN),
         {.recovery_token = {zeros, 65536}},
         SVR_ERR_ARGUMENT},
        {"token of 65535",
         SVR_HAS(RECOVERY_TOKEN),
         {.recovery_token = {zeros, 65535}},
         SVR_ERR_LENGTH},
        {"token of 65532",
         SVR_HAS(RECOVERY_TOKEN),
         {.recovery_token = {zeros, 65532}},
         SVR_ERR_LENGTH},
        {"token of 65531",
         SVR_HAS(RECOVERY_TOKEN),
         {.recovery_token = {zeros, 65531}},
         12 + 65535},
        {"route record with too little",
         SVR_HAS(ROUTE_RECORD),
         {.route_record = {(const uint8_t *)"\1", 2}},
         SVR_ERR_ARGUMENT},
        {"route record with too much",
         SVR_HAS(ROUTE_RECORD),
         {.route_record = {zeros, 3}},
         SVR_ERR_ARGUMENT},
        {"route record with a version",
         SVR_HAS(ROUTE_RECORD),
         {.route_record = {(const uint8_t *)"\1\0\1a\0\0\0\0\0\0\0\1", 12}},
         12 + 4 + 12},
        {"route record with a part of a version",
         SVR_HAS(ROUTE_RECORD),
         {.route_record = {(const uint8_t *)"\1\0\1a\0\0\0\0\0\0\0", 11}},
         SVR_ERR_ARGUMENT},
        {"route record with a version too many",
         SVR_HAS(ROUTE_RECORD),
         {.route_record = {zeros, 10}},
         SVR_ERR_ARGUMENT},
        {"route record of 1",
         SVR_HAS(ROUTE_RECORD),
         {.route_record = {zeros, 1}},
         SVR_ERR_ARGUMENT},
        {"route record of 1 that counts a name",
         SVR_HAS(ROUTE_RECORD),
         {.route_record = {(const uint8_t *)"\1", 1}},
         SVR_ERR_ARGUMENT},
        {"egress list with a hostile name",
         SVR_HAS(MULTICAST_EGRESS),
         {.multicast_egress = {(const uint8_t *)"\0\1\1\x7f", 4}},
         SVR_ERR_ARGUMENT},
    };
    uint8_t *buf = malloc(70000);

    memset(long_name, 'n', 256);
    for (size_t i = 0; i < COUNT(rows); i++) {
        svr_metadata md = rows[i].md, got;
        ptrdiff_t size;
        md.present = rows[i].present;
        cr_expect_eq(svr_metadata_encode(NULL, 0, &md), rows[i].expected, "%s",
                     rows[i].what);
        size = svr_metadata_encode(buf, 70000, &md);
        cr_expect_eq(size, rows[i].expected, "%s", rows[i].what);
        if (size >= 0)
            cr_expect_eq(decode_copy(&got, buf, (size_t)size), size);
    }
    free(buf);
}

/* Every byte at every place of names of every length that has a way of its
 * own, in memory of exactly that length. */
Test(wire_metadata, names_byte_by_byte)
{
    for (size_t len = 1; len <= 34; len++) {
        uint8_t *name = malloc(len);
        memset(name, 'n', len);
        for (size_t at = 0; at < len; at++) {
            for (unsigned c = 0; c < 256; c++) {
                name[at] = (uint8_t)c;
                cr_assert_eq(svr__name_printable((svr_span){name, len}),
                             c >= 0x20 && c < 0x7f, "%u at %zu of %zu", c, at,
                             len);
            }
            name[at] = 'n';
        }
        free(name);
    }
    cr_expect(svr__name_printable((svr_span){0}));
}

Test(wire_metadata, sections_that_are_none)
{
    svr_block b = {.header_len = SVR_BASE_HEADER_SIZE - 1};
    svr_metadata md;

    svr_metadata_init(&md);
    cr_expect_eq(svr_metadata_decode_header(&md, &b), SVR_ERR_LENGTH);
    cr_expect_eq(svr_metadata_decode_payload(&md, NULL, 0), 0);
    cr_expect_eq(md.present, 0);
}

/* S2.5; what reads the sections looks at the length once more. */
Test(wire_metadata, every_header_length)
{
    uint8_t *buf = calloc(1, 100);
    svr_block b;

    svr_block_write_bare(buf);
    for (unsigned len = 0; len < 4096; len++) {
        svr__store_be16(buf + 8, (uint16_t)(0x1000 | len));
        cr_expect_eq(svr_block_parse(&b, buf, 100),
                     len < 12 || len > 100 ? SVR_ERR_LENGTH : 0, "%u", len);
    }
    free(buf);
}

Test(wire_metadata, bare_header)
{
    uint8_t buf[SVR_BASE_HEADER_SIZE];
    svr_metadata md;
    svr_block b;

    svr_block_write_bare(buf);
    cr_expect_eq(
        memcmp(buf, "\x4c\x48\xdb\xc6\xdd\xf6\x67\x0c\x10\x0c\0\0", 12), 0);
    cr_assert_eq(svr_block_parse(&b, buf, sizeof(buf)), 0);
    cr_expect(svr_block_is_bare(&b));
    b.payload_len = 4;
    cr_expect(!svr_block_is_bare(&b));
    b = (svr_block){.header_len = 16};
    cr_expect(!svr_block_is_bare(&b));
    svr_metadata_init(&md);
    cr_expect(!svr_metadata_is_session(&md));
    cr_expect_eq(svr_metadata_encode(NULL, 0, &md), SVR_BASE_HEADER_SIZE);
}

/* S2.7 */
Test(wire_metadata, session_metadata_has_a_context)
{
    for (unsigned i = 0; i < SVR_ATTR_COUNT; i++) {
        svr_metadata md = {.present = (uint64_t)1 << i};
        cr_expect_eq(svr_metadata_is_session(&md),
                     i >= SVR_ATTR_INDEX_FORWARD_CONTEXT_V4 &&
                         i <= SVR_ATTR_INDEX_REVERSE_CONTEXT_V6);
    }
}

Test(wire_metadata, raw_attributes)
{
    static const uint8_t bytes[] = {0, 9, 0, 0, 0x8f, 0xff, 0, 3,
                                    1, 2, 3, 0, 0x18, 0,    2, 1};
    uint8_t *buf = malloc(sizeof(bytes));
    svr_span rest = {buf, sizeof(bytes)};
    svr_span empty = {NULL, 0};
    svr_tlv tlv;

    memcpy(buf, bytes, sizeof(bytes));
    cr_assert_eq(svr_tlv_next(&tlv, &rest), 1);
    cr_expect(tlv.type == 9 && tlv.value.len == 0);
    cr_assert_eq(svr_tlv_next(&tlv, &rest), 1);
    cr_expect(tlv.type == 0x8fff && tlv.value.len == 3);
    cr_expect_eq(tlv.value.data[2], 3);
    cr_expect_eq(svr_tlv_next(&tlv, &rest), SVR_ERR_TLV_OVERRUN);
    cr_expect(tlv.type == 0x8fff && rest.len == 5);
    cr_expect_eq(svr_tlv_next(&tlv, &empty), 0);
    free(buf);
}
