/* The metadata codec: S2, S3. Every input stands in a heap buffer of exactly
 * its size, so that a sanitizer sees each byte read too far. */
#include "wire/attribute.h"
#include "wire/name.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define COOKIE "4c48dbc6ddf6670c"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint64_t random_state = 0x5356522d31323334;

static uint64_t draw(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1d;
}

static size_t draw_below(size_t limit)
{
    return (size_t)((draw() >> 16) % limit);
}

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Blanks are skipped. The caller frees. */
static uint8_t *from_hex(const char *hex, size_t *len)
{
    uint8_t *buf = malloc(strlen(hex) / 2 + 1);
    size_t digits = 0;

    for (; *hex; hex++) {
        if (*hex == ' ')
            continue;
        buf[digits / 2] = (uint8_t)(buf[digits / 2] << 4 | hex_digit(*hex));
        digits++;
    }
    *len = digits / 2;
    return realloc(buf, *len ? *len : 1);
}

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

/* S2.5, S24: what goes wrong, and by which name. */
Test(wire_metadata, malformed_blocks)
{
    static const struct {
        const char *what, *hex;
        ptrdiff_t expected;
    } rows[] = {
        {"nothing", "", SVR_ERR_NO_COOKIE},
        {"cookie cut", "4c48dbc6ddf667", SVR_ERR_NO_COOKIE},
        {"cookie wrong", "4c48dbc6ddf6670d 100c0000", SVR_ERR_NO_COOKIE},
        {"cookie alone", COOKIE, SVR_ERR_TRUNCATED},
        {"base header cut", COOKIE "100c00", SVR_ERR_TRUNCATED},
        {"version 0", COOKIE "000c0000", SVR_ERR_VERSION},
        {"version 2", COOKIE "200c0000", SVR_ERR_VERSION},
        {"version 15", COOKIE "f00c0000", SVR_ERR_VERSION},
        {"header length 0", COOKIE "10000000", SVR_ERR_LENGTH},
        {"header length 11", COOKIE "100b0000", SVR_ERR_LENGTH},
        {"bare", COOKIE "100c0000", 12},
        {"bare, data behind", COOKIE "100c0000 ffffff", 12},
        {"bare before a cookie", COOKIE "100c0000" COOKIE, 12},
        {"header length 13 of 12", COOKIE "100d0000", SVR_ERR_LENGTH},
        {"header length 4095", COOKIE "1fff0000", SVR_ERR_LENGTH},
        {"payload length 1 of 0", COOKIE "100c0001", SVR_ERR_LENGTH},
        {"payload length 65535", COOKIE "100cffff", SVR_ERR_LENGTH},
        {"both at their most", COOKIE "1fffffff", SVR_ERR_LENGTH},

        {"rest of 1", COOKIE "100d0000 00", SVR_ERR_TLV_OVERRUN},
        {"rest of 2", COOKIE "100e0000 0010", SVR_ERR_TLV_OVERRUN},
        {"rest of 3", COOKIE "100f0000 001000", SVR_ERR_TLV_OVERRUN},
        {"payload rest of 3", COOKIE "100c0003 000b00", SVR_ERR_TLV_OVERRUN},
        {"rest behind an attribute", COOKIE "10120000 0018 0001 01 00",
         SVR_ERR_TLV_OVERRUN},
        {"attribute into the payload section",
         COOKIE "10100004 0010 0004 00000001", SVR_ERR_TLV_OVERRUN},
        {"attribute into the data", COOKIE "100c0004 0006 0010 00 00",
         SVR_ERR_TLV_OVERRUN},
        {"attribute length 65535", COOKIE "10140000 0010 ffff 00000001",
         SVR_ERR_TLV_OVERRUN},
        {"unknown type overruns", COOKIE "10100000 7777 0001",
         SVR_ERR_TLV_OVERRUN},

        {"flag with data", COOKIE "100c0005 000b 0001 00", SVR_ERR_TLV_LENGTH},
        {"tenant in the header", COOKIE "10110000 0007 0001 61",
         SVR_ERR_TLV_SECTION},
        {"security id in the payload", COOKIE "100c0008 0010 0004 00000001",
         SVR_ERR_TLV_SECTION},
        {"short 46 in the payload", COOKIE "100c0005 002e 0001 01",
         SVR_ERR_TLV_LENGTH},
        {"long 46 in the header", COOKIE "10120000 002e 0002 0102",
         SVR_ERR_TLV_LENGTH},
        {"46 in both", COOKIE "10110006 002e000101 002e00020102", 23},
        {"twice in the header", COOKIE "10160000 0018000101 0018000101",
         SVR_ERR_TLV_DUPLICATE},
        {"flag twice", COOKIE "100c0008 000b0000 000b0000",
         SVR_ERR_TLV_DUPLICATE},
        {"type 18 in the header", COOKIE "10100000 00120000", 16},
        {"type 18 in the payload", COOKIE "100c0004 00120000", 16},
        {"type 18 in both", COOKIE "10100004 00120000 00120000",
         SVR_ERR_TLV_DUPLICATE},
        {"long 46 twice", COOKIE "100c000c 002e00020102 002e00020102",
         SVR_ERR_TLV_DUPLICATE},
        {"unknown twice", COOKIE "10140000 7777 0000 7777 0000", 20},
        {"a bad one behind a good one",
         COOKIE "101a0000 0010000400000001"
                "0018 0002 0000",
         SVR_ERR_TLV_LENGTH},
        {"contexts of both families",
         COOKIE "100c003a"
                "0002000d 0a000001 0a000002 0001 0002 06"
                "00030025 fd000000000000000000000000000001"
                "fd000000000000000000000000000002 0001 0002 06",
         SVR_ERR_TLV_DUPLICATE},
        {"ICMP locations of both families",
         COOKIE "10280000 00140004 0a000001"
                "00150010 fd000000000000000000000000000001",
         SVR_ERR_TLV_DUPLICATE},
        {"mapped address in an IPv6 context",
         COOKIE "100c0029 00030025 fd000000000000000000000000000001"
                "00000000000000000000ffff0a000001 0001 0002 06",
         SVR_ERR_TLV_VALUE},
        {"mapped ICMP location",
         COOKIE "10200000 00150010 00000000000000000000ffff0a000001",
         SVR_ERR_TLV_VALUE},
        {"multicast family 5",
         COOKIE "100c000f 0032000b 05000a000001e000000111", SVR_ERR_TLV_VALUE},
        {"multicast family 6, short",
         COOKIE "100c000f 0032000b 06000a000001e000000111", SVR_ERR_TLV_LENGTH},
        {"egress list, name missing", COOKIE "100c0006 00330002 0001",
         SVR_ERR_TLV_LENGTH},
        {"egress list, empty name", COOKIE "100c0007 00330003 0001 00",
         SVR_ERR_TLV_VALUE},
        {"egress list, name cut", COOKIE "100c0008 00330004 0001 0261",
         SVR_ERR_TLV_LENGTH},
        {"egress list, hostile name", COOKIE "100c0008 00330004 0001 011b",
         SVR_ERR_TLV_VALUE},
        {"egress list, bytes left", COOKIE "100c0009 00330005 0001 0161 00",
         SVR_ERR_TLV_LENGTH},
        {"route record, more than there is",
         COOKIE "100c0008 80060004 ffff 0161", SVR_ERR_TLV_LENGTH},
        {"route record, one of each", COOKIE "100c000a 80060006 0101 0161 0162",
         22},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len;
        uint8_t *buf = from_hex(rows[i].hex, &len);
        svr_metadata md;
        ptrdiff_t got = svr_metadata_decode(&md, buf, len);
        cr_expect_eq(got, rows[i].expected, "%s: %td (%s)", rows[i].what, got,
                     svr_err_name((int)got));
        free(buf);
    }
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
    {0x8003, true, false, 4, 4},     {0x8004, false, true, 16, 16},
    {0x8005, false, true, 1, 65535}, {0x8006, false, true, 2, 65535},
    {0x8007, false, true, 1, 1},
};

/* The best value of that length: names of one letter in lists. */
static void fill_value(uint8_t *value, uint16_t type, size_t len)
{
    size_t names = len > 2 ? (len - 2) / 2 : 0;

    memset(value, 'a', len);
    if (type == SVR_ATTR_MULTICAST_GROUP && len > 0)
        value[0] = len < 35 ? 4 : 6;
    if (type != SVR_ATTR_MULTICAST_EGRESS && type != SVR_ATTR_ROUTE_RECORD)
        return;
    for (size_t i = 2; i < len; i += 2)
        value[i] = 1;
    if (len < 2)
        return;
    svr__store_be16(value, (uint16_t)names);
    if (type == SVR_ATTR_ROUTE_RECORD) {
        value[0] = (uint8_t)(names / 2);
        value[1] = (uint8_t)(names - names / 2);
    }
}

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
            fill_value(value, row->type, len);
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
        fill_value(value, row->type, row->min);
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

static bool spans_equal(const svr_span *a, const svr_span *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* Whether a and b agree in what is present. */
static bool metadata_equal(const svr_metadata *a, const svr_metadata *b)
{
#define SAME(name, expression) (!(a->present & SVR_HAS(name)) || (expression))
#define SAME_VALUE(name, member) SAME(name, a->member == b->member)
#define SAME_SPAN(name, member) SAME(name, spans_equal(&a->member, &b->member))
#define SAME_ADDR(name, m) SAME(name, svr_addr_equal(&a->m, &b->m))
#define SAME_TUPLE(name, m) SAME(name, svr_tuple_equal(&a->m, &b->m))
    return a->present == b->present && a->unknown == b->unknown &&
           SAME_VALUE(FRAGMENT, fragment.extended_id) &&
           SAME_VALUE(FRAGMENT, fragment.original_id) &&
           SAME_VALUE(FRAGMENT, fragment.dont_fragment) &&
           SAME_VALUE(FRAGMENT, fragment.more) &&
           SAME_VALUE(FRAGMENT, fragment.offset) &&
           SAME_VALUE(FRAGMENT, fragment.largest) &&
           SAME_TUPLE(FORWARD_CONTEXT_V4, forward) &&
           SAME_TUPLE(FORWARD_CONTEXT_V6, forward) &&
           SAME_TUPLE(REVERSE_CONTEXT_V4, reverse) &&
           SAME_TUPLE(REVERSE_CONTEXT_V6, reverse) &&
           SAME(SESSION_UUID, memcmp(&a->uuid, &b->uuid, 16) == 0) &&
           SAME_SPAN(TENANT, tenant) &&
           SAME_VALUE(INTERFACE_ID, interface_id) &&
           SAME_SPAN(SERVICE, service) &&
           SAME_VALUE(SERVICE_SESSIONS, service_sessions) &&
           SAME_SPAN(SOURCE_ROUTER, source_router) &&
           SAME_SPAN(SECURITY_POLICY, security_policy) &&
           SAME_VALUE(SECURITY_ID, security_id) &&
           SAME_SPAN(DESTINATION_ROUTER, destination_router) &&
           SAME_SPAN(PATHWAY, pathway) &&
           SAME_ADDR(ICMP_LOCATION_V4, icmp_location) &&
           SAME_ADDR(ICMP_LOCATION_V6, icmp_location) &&
           SAME_VALUE(CONTROL, control) && SAME_ADDR(SOURCE_NAT, source_nat) &&
           SAME_VALUE(PATH_METRICS, metrics.tx_colour) &&
           SAME_VALUE(PATH_METRICS, metrics.rx_colour) &&
           SAME_VALUE(PATH_METRICS, metrics.tx_time) &&
           SAME_VALUE(PATH_METRICS, metrics.rx_time) &&
           SAME_VALUE(PATH_METRICS, metrics.drop) &&
           SAME_VALUE(PATH_METRICS, metrics.count) &&
           SAME_SPAN(MODIFY, modify) && SAME_SPAN(APPLICATION, application) &&
           SAME_VALUE(SESSION_TIME, session_time) &&
           SAME_VALUE(HEALTH_OR_KEY, health) &&
           SAME_SPAN(SESSION_KEY, session_key) &&
           SAME_ADDR(MULTICAST_GROUP, multicast.source) &&
           SAME_ADDR(MULTICAST_GROUP, multicast.group) &&
           SAME_VALUE(MULTICAST_GROUP, multicast.flags) &&
           SAME_VALUE(MULTICAST_GROUP, multicast.proto) &&
           SAME_SPAN(MULTICAST_EGRESS, multicast_egress) &&
           SAME_VALUE(EXCHANGE_NUMBER, exchange.own) &&
           SAME_VALUE(EXCHANGE_NUMBER, exchange.echo) &&
           SAME_VALUE(EXCHANGE_NUMBER, exchange.unechoed) &&
           SAME_VALUE(PACKET_NUMBER, packet_number) &&
           SAME_VALUE(COPY_NUMBER, copy_number) &&
           SAME(KEY_SALT, memcmp(a->salt, b->salt, 16) == 0) &&
           SAME_SPAN(RECOVERY_TOKEN, recovery_token) &&
           SAME_SPAN(ROUTE_RECORD, route_record) &&
           SAME_VALUE(SERVICE_CLASS, service_class);
}

/* Random values for every field; `bytes` is where they point into. */
struct random_message {
    svr_metadata md;
    uint8_t bytes[16][256];
    unsigned used;
};

static svr_span draw_bytes(struct random_message *m, size_t min)
{
    uint8_t *at = m->bytes[m->used++];
    size_t len = min + draw_below(256 - min);

    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)draw();
    return (svr_span){at, len};
}

static svr_span draw_name(struct random_message *m)
{
    svr_span s = draw_bytes(m, 1);

    for (size_t i = 0; i < s.len; i++)
        m->bytes[m->used - 1][i] = (uint8_t)(' ' + s.data[i] % 95);
    return s;
}

static svr_span draw_list(struct random_message *m, uint16_t type)
{
    uint8_t *at = m->bytes[m->used++];
    size_t len = 2 + 2 * draw_below(120);

    fill_value(at, type, len);
    return (svr_span){at, len};
}

static svr_addr draw_addr(bool is_v4)
{
    return is_v4 ? v4((uint32_t)draw()) : v6((uint8_t)draw());
}

static svr_tuple draw_tuple(bool is_v4)
{
    return (svr_tuple){draw_addr(is_v4), draw_addr(is_v4), (uint16_t)draw(),
                       (uint16_t)draw(), (uint8_t)draw()};
}

static uint64_t draw_present(void)
{
    uint64_t present = draw() & draw() & (((uint64_t)1 << SVR_ATTR_COUNT) - 1);

    if (draw_below(4) == 0)
        present = ((uint64_t)1 << SVR_ATTR_COUNT) - 1;
    present &= ~(draw() & 1 ? SVR_HAS(FORWARD_CONTEXT_V4)
                            : SVR_HAS(FORWARD_CONTEXT_V6));
    present &= ~(draw() & 1 ? SVR_HAS(REVERSE_CONTEXT_V4)
                            : SVR_HAS(REVERSE_CONTEXT_V6));
    present &=
        ~(draw() & 1 ? SVR_HAS(ICMP_LOCATION_V4) : SVR_HAS(ICMP_LOCATION_V6));
    return present;
}

static void draw_names(struct random_message *m)
{
    svr_metadata *md = &m->md;

    md->tenant = draw_name(m);
    md->service = draw_name(m);
    md->source_router = draw_name(m);
    md->destination_router = draw_name(m);
    md->security_policy = draw_name(m);
    md->pathway = draw_name(m);
    md->application = draw_name(m);
    md->modify = draw_bytes(m, 2);
    md->session_key = draw_bytes(m, 2);
    md->recovery_token = draw_bytes(m, 1);
    md->multicast_egress = draw_list(m, SVR_ATTR_MULTICAST_EGRESS);
    md->route_record = draw_list(m, SVR_ATTR_ROUTE_RECORD);
}

static void draw_message(struct random_message *m)
{
    svr_metadata *md = &m->md;
    bool multicast_v4 = draw() & 1;

    m->used = 0;
    svr_metadata_init(md);
    md->present = draw_present();
    md->fragment = (svr_fragment){
        (uint32_t)draw(), (uint16_t)draw(),          draw() & 1,
        draw() & 1,       (uint16_t)draw() & 0x1fff, (uint16_t)draw()};
    md->forward = draw_tuple(md->present & SVR_HAS(FORWARD_CONTEXT_V4));
    md->reverse = draw_tuple(md->present & SVR_HAS(REVERSE_CONTEXT_V4));
    svr__store_be64(md->uuid.b, draw());
    svr__store_be64(md->uuid.b + 8, draw());
    svr__store_be64(md->salt, draw());
    md->interface_id = (uint32_t)draw();
    md->security_id = (uint32_t)draw();
    md->service_sessions = draw();
    md->icmp_location = draw_addr(md->present & SVR_HAS(ICMP_LOCATION_V4));
    md->source_nat = draw_addr(true);
    md->metrics = (svr_path_metrics){
        draw() & 15,        draw() & 15, draw() & 0xfffffff,
        draw() & 0xfffffff, draw() & 1,  draw() & 0x7fff,
    };
    md->session_time = (uint32_t)draw();
    md->exchange = (svr_exchange){draw(), draw(), draw() & 1};
    md->packet_number = draw();
    md->copy_number = (uint32_t)draw();
    md->control = (uint8_t)draw();
    md->health = (uint8_t)draw();
    md->service_class = (uint8_t)draw();
    md->multicast =
        (svr_multicast){draw_addr(multicast_v4), draw_addr(multicast_v4),
                        (uint8_t)draw(), (uint8_t)draw()};
    draw_names(m);
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

Test(wire_metadata, decode_undoes_encode)
{
    static struct random_message m;

    for (int i = 0; i < 20000; i++) {
        svr_metadata got;
        size_t len;
        uint8_t *buf;
        draw_message(&m);
        buf = encode_exact(&m.md, &len);
        memset(&got, 0xee, sizeof(got));
        cr_assert_eq(svr_metadata_decode(&got, buf, len), (ptrdiff_t)len,
                     "message %d", i);
        cr_assert(metadata_equal(&m.md, &got), "message %d", i);
        free(buf);
    }
}

/* What survives a mutation survives being encoded and decoded again. */
Test(wire_metadata, mutated_blocks)
{
    static struct random_message m;
    unsigned accepted = 0, refused = 0;

    for (int i = 0; i < 50000; i++) {
        svr_metadata md, again;
        size_t len, second_len;
        uint8_t *buf, *second;
        draw_message(&m);
        m.md.present &= draw() | draw();
        buf = encode_exact(&m.md, &len);
        for (size_t n = 1 + draw_below(3); n > 0; n--)
            buf[8 + draw_below(len - 8)] = (uint8_t)draw();
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
static void fill_all(struct random_message *m)
{
    do
        draw_message(m);
    while (__builtin_popcountll(m->md.present) < SVR_ATTR_COUNT - 3);
}

Test(wire_metadata, cut_at_every_byte)
{
    static struct random_message m;
    size_t len;
    uint8_t *buf;

    fill_all(&m);
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
    static struct random_message m;
    size_t len;
    uint8_t *buf;
    svr_block b;
    svr_span rest;
    svr_tlv tlv;

    fill_all(&m);
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

Test(wire_metadata, encoding_into_too_little_room)
{
    static struct random_message m;
    uint8_t *buf;
    size_t len;

    fill_all(&m);
    buf = encode_exact(&m.md, &len);
    free(buf);
    for (size_t cap = 0; cap < len; cap++) {
        buf = malloc(cap ? cap : 1);
        cr_expect_eq(svr_metadata_encode(buf, cap, &m.md), SVR_ERR_NO_SPACE,
                     "%zu bytes", cap);
        free(buf);
    }
}

/* Each attribute against bytes written by hand, so that reading and writing
 * cannot be wrong in the same way. */
Test(wire_metadata, vectors)
{
    static const svr_addr a = {{[10] = 0xff, [11] = 0xff, [12] = 10, 1, 0, 7}};
    static const svr_addr b = {{[10] = 0xff, [11] = 0xff, [12] = 10, 2, 0, 80}};
    static const svr_addr c = {{0xfd, 0, 0, 1, [15] = 7}};
    static const svr_addr d = {{0xfd, 0, 0, 2, [15] = 80}};
    const struct {
        uint64_t present;
        svr_metadata md;
        const char *header, *payload;
    } rows[] = {
        {0, {0}, "", ""},
        {SVR_HAS(FRAGMENT),
         {.fragment = {0x01020304, 0x0506, true, false, 0x1abc, 0x0578}},
         "0001000a 01020304 0506 5abc 0578",
         ""},
        {SVR_HAS(FRAGMENT),
         {.fragment = {1, 2, false, true, 3, 4}},
         "0001000a 00000001 0002 2003 0004",
         ""},
        {SVR_HAS(FORWARD_CONTEXT_V4),
         {.forward = {a, b, 40000, 443, 6}},
         "",
         "0002000d 0a010007 0a020050 9c40 01bb 06"},
        {SVR_HAS(FORWARD_CONTEXT_V6),
         {.forward = {c, d, 40000, 443, 17}},
         "",
         "00030025 fd000001000000000000000000000007"
         "fd000002000000000000000000000050 9c40 01bb 11"},
        {SVR_HAS(REVERSE_CONTEXT_V4),
         {.reverse = {b, a, 443, 40000, 6}},
         "",
         "0004000d 0a020050 0a010007 01bb 9c40 06"},
        {SVR_HAS(REVERSE_CONTEXT_V6),
         {.reverse = {d, c, 443, 40000, 6}},
         "",
         "00050025 fd000002000000000000000000000050"
         "fd000001000000000000000000000007 01bb 9c40 06"},
        {SVR_HAS(SESSION_UUID),
         {.uuid = {{0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0x4d, 0xef, 0x81, 2, 3,
                    4, 5, 6, 7, 8}}},
         "",
         "00060010 123456789abc4def8102030405060708"},
        {SVR_HAS(TENANT), {.tenant = span("corp")}, "", "00070004 636f7270"},
        {SVR_HAS(INTERFACE_ID),
         {.interface_id = 0x01020304},
         "",
         "00080004 01020304"},
        {SVR_HAS(SERVICE), {.service = span("web")}, "", "000a0003 776562"},
        {SVR_HAS(ENCRYPTED), {0}, "", "000b0000"},
        {SVR_HAS(TCP_SYN), {0}, "", "000c0000"},
        {SVR_HAS(SERVICE_SESSIONS),
         {.service_sessions = 0x0102030405060708},
         "",
         "000d0008 0102030405060708"},
        {SVR_HAS(SOURCE_ROUTER),
         {.source_router = span("br1")},
         "",
         "000e0003 627231"},
        {SVR_HAS(SECURITY_POLICY),
         {.security_policy = span("default")},
         "",
         "000f0007 64656661756c74"},
        {SVR_HAS(SECURITY_ID), {.security_id = 7}, "00100004 00000007", ""},
        {SVR_HAS(DESTINATION_ROUTER),
         {.destination_router = span("dc1")},
         "",
         "00110003 646331"},
        {SVR_HAS(DISABLE_FORWARD), {0}, "00120000", ""},
        {SVR_HAS(PATHWAY), {.pathway = span("w")}, "", "00130001 77"},
        {SVR_HAS(ICMP_LOCATION_V4),
         {.icmp_location = a},
         "00140004 0a010007",
         ""},
        {SVR_HAS(ICMP_LOCATION_V6),
         {.icmp_location = c},
         "00150010 fd000001000000000000000000000007",
         ""},
        {SVR_HAS(CONTROL), {.control = 2}, "00180001 02", ""},
        {SVR_HAS(SOURCE_NAT), {.source_nat = b}, "", "00190004 0a020050"},
        {SVR_HAS(PATH_METRICS),
         {.metrics = {1, 2, 0x0abcdef, 0x0123456, true, 0x1234}},
         "001a000a 10abcdef 20123456 9234",
         ""},
        {SVR_HAS(MODIFY), {.modify = span("\xc1\x02")}, "", "001c0002 c102"},
        {SVR_HAS(APPLICATION),
         {.application = span("dns")},
         "",
         "00230003 646e73"},
        {SVR_HAS(SESSION_TIME),
         {.session_time = 1900},
         "",
         "002a0004 0000076c"},
        {SVR_HAS(HEALTH_OR_KEY), {.health = 1}, "002e0001 01", ""},
        {SVR_HAS(SESSION_KEY),
         {.session_key = span("key")},
         "",
         "002e0003 6b6579"},
        {SVR_HAS(MULTICAST_GROUP),
         {.multicast = {a, b, 1, 17}},
         "",
         "0032000b 04 01 0a010007 0a020050 11"},
        {SVR_HAS(MULTICAST_GROUP),
         {.multicast = {c, d, 1, 17}},
         "",
         "00320023 06 01 fd000001000000000000000000000007"
         "fd000002000000000000000000000050 11"},
        {SVR_HAS(EXCHANGE_NUMBER),
         {.exchange = {0x0000000100000002, 0x0000000300000004, true}},
         "80010011 0000000100000002 0000000300000004 01",
         ""},
        {SVR_HAS(PACKET_NUMBER),
         {.packet_number = 0x0102030405060708},
         "80020008 0102030405060708",
         ""},
        {SVR_HAS(COPY_NUMBER), {.copy_number = 9}, "80030004 00000009", ""},
        {SVR_HAS(KEY_SALT),
         {.salt = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}},
         "",
         "80040010 0102030405060708090a0b0c0d0e0f10"},
        {SVR_HAS(RECOVERY_TOKEN),
         {.recovery_token = span("t")},
         "",
         "80050001 74"},
        {SVR_HAS(ROUTE_RECORD),
         {.route_record = {(const uint8_t *)"\1\1\1a\2bc", 7}},
         "",
         "80060007 01 01 01 61 02 6263"},
        {SVR_HAS(SERVICE_CLASS), {.service_class = 46}, "", "80070001 2e"},
        {SVR_HAS(MULTICAST_EGRESS),
         {.multicast_egress = {(const uint8_t *)"\0\1\1a", 4}},
         "",
         "00330004 0001 01 61"},
        /* The order is that of the registry, whatever the section. */
        {SVR_HAS(SECURITY_ID) | SVR_HAS(PACKET_NUMBER) | SVR_HAS(TENANT) |
             SVR_HAS(SERVICE) | SVR_HAS(DISABLE_FORWARD),
         {.security_id = 1,
          .packet_number = 2,
          .tenant = span("t"),
          .service = span("s")},
         "00100004 00000001 00120000 80020008 0000000000000002",
         "00070001 74 000a0001 73"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        svr_metadata md = rows[i].md, got;
        size_t header_len, payload_len, len;
        uint8_t *header = from_hex(rows[i].header, &header_len);
        uint8_t *payload = from_hex(rows[i].payload, &payload_len);
        uint8_t *buf;
        svr_block block;
        md.present = rows[i].present;
        buf = encode_exact(&md, &len);
        cr_assert_eq(svr_block_parse(&block, buf, len), 0);
        cr_expect_eq(block.header_len, 12 + header_len, "row %zu", i);
        cr_expect_eq(block.payload_len, payload_len, "row %zu", i);
        cr_assert_eq(len, 12 + header_len + payload_len, "row %zu", i);
        cr_expect_eq(memcmp(buf + 12, header, header_len), 0, "row %zu", i);
        cr_expect_eq(memcmp(buf + 12 + header_len, payload, payload_len), 0,
                     "row %zu", i);
        cr_assert_eq(svr_metadata_decode(&got, buf, len), (ptrdiff_t)len);
        cr_expect(metadata_equal(&md, &got), "row %zu", i);
        free(buf);
        free(header);
        free(payload);
    }
}

/* Bits that are reserved are not looked at. */
Test(wire_metadata, reserved_bits)
{
    size_t len;
    uint8_t *buf = from_hex(COOKIE "10300000 0001000a 00000001 0002 ffff 0004"
                                   "80010011 0000000000000001"
                                   "0000000000000002 fe",
                            &len);
    svr_metadata md;

    buf[9] = (uint8_t)len;
    cr_assert_eq(svr_metadata_decode(&md, buf, len), (ptrdiff_t)len);
    cr_expect(md.fragment.dont_fragment && md.fragment.more);
    cr_expect_eq(md.fragment.offset, 0x1fff);
    cr_expect(!md.exchange.unechoed);
    free(buf);
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
        {"route record of 1",
         SVR_HAS(ROUTE_RECORD),
         {.route_record = {zeros, 1}},
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

Test(wire_metadata, names)
{
    static const struct {
        const char *name;
        bool good;
    } rows[] = {
        {"a", true},
        {" ", true},
        {"~", true},
        {"finance.corp", true},
        {"eight888", true},
        {"eight888eight888more", true},
        {"b\xc3\xbc"
         "ro.k\xc3\xb6ln",
         true},
        {"\xc2\xa0", true},
        {"\xdf\xbf", true},
        {"\xe0\xa0\x80", true},
        {"\xe2\x82\xac", true},
        {"\xed\x9f\xbf", true},
        {"\xee\x80\x80", true},
        {"\xef\xbf\xbf", true},
        {"\xf0\x90\x80\x80", true},
        {"\xf0\x9f\x98\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\x01", false},
        {"\x1f", false},
        {"\x7f", false},
        {"\x1b[2J", false},
        {"seven77\n", false},
        {"seven77\x7f", false},
        {"\neight888", false},
        {"eight888eight88\t", false},
        {"\xc2\x80", false},         /* C1 */
        {"\xc2\x9b", false},         /* C1: CSI */
        {"\xc2\x9f", false},         /* C1 */
        {"\x80", false},             /* a continuation alone */
        {"\xbf", false},             /* a continuation alone */
        {"\xc0\x80", false},         /* overlong NUL */
        {"\xc1\xbf", false},         /* overlong */
        {"\xe0\x9f\xbf", false},     /* overlong */
        {"\xf0\x8f\xbf\xbf", false}, /* overlong */
        {"\xed\xa0\x80", false},     /* surrogate */
        {"\xed\xbf\xbf", false},     /* surrogate */
        {"\xf4\x90\x80\x80", false}, /* beyond U+10FFFF */
        {"\xf5\x80\x80\x80", false},
        {"\xff", false},
        {"\xc3", false},         /* cut */
        {"\xe2\x82", false},     /* cut */
        {"\xf0\x9f\x98", false}, /* cut */
        {"\xc3(", false},
        {"\xe2(\xac", false},
        {"\xe2\x82(", false},
        {"\xf0\x9f\x98(", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = strlen(rows[i].name);
        uint8_t *exact = malloc(len);
        memcpy(exact, rows[i].name, len);
        cr_expect_eq(svr__name_printable((svr_span){exact, len}), rows[i].good,
                     "row %zu", i);
        cr_expect_eq(
            decode_one(SVR_ATTR_TENANT, SVR_SECTION_PAYLOAD, exact, len),
            rows[i].good ? 0 : SVR_ERR_TLV_VALUE, "row %zu", i);
        free(exact);
    }
    cr_expect_eq(decode_one(SVR_ATTR_TENANT, SVR_SECTION_PAYLOAD,
                            (const uint8_t *)"a\0b", 3),
                 SVR_ERR_TLV_VALUE);
}

/* Every byte at every place of a word, and behind it. */
Test(wire_metadata, names_byte_by_byte)
{
    for (size_t at = 0; at < 19; at++) {
        for (unsigned c = 0; c < 256; c++) {
            uint8_t name[19];
            memset(name, 'n', sizeof(name));
            name[at] = (uint8_t)c;
            cr_assert_eq(svr__name_printable((svr_span){name, 19}),
                         c >= 0x20 && c < 0x7f, "%u at %zu", c, at);
        }
    }
}

Test(wire_metadata, unknown_attributes_are_counted)
{
    size_t len;
    uint8_t *buf = from_hex(COOKIE "101d0000 0009 0000 8fff 0003 010203"
                                   "0018 0001 01 fe",
                            &len);
    svr_metadata md;
    uint8_t *empty = calloc(16383, 4);

    buf[9] = (uint8_t)(len - 1);
    cr_assert_eq(svr_metadata_decode(&md, buf, len), (ptrdiff_t)len - 1);
    cr_expect_eq(md.unknown, 2);
    cr_expect_eq(md.present, SVR_HAS(CONTROL));
    svr_metadata_init(&md);
    cr_assert_eq(svr_metadata_decode_payload(&md, empty, 16383 * 4), 0);
    cr_expect_eq(md.unknown, 16383);
    free(empty);
    free(buf);
}

Test(wire_metadata, header_section_alone)
{
    /* The payload section is sealed: nothing may look at it. */
    size_t len;
    uint8_t *buf =
        from_hex(COOKIE "10140007 00100004 00000007 ffffffffffffff", &len);
    svr_metadata md;
    svr_block b;

    svr_metadata_init(&md);
    cr_assert_eq(svr_block_parse(&b, buf, len), 0);
    cr_expect_eq(svr_metadata_decode_header(&md, &b), 0);
    cr_expect_eq(md.security_id, 7);
    cr_expect_eq(svr_metadata_decode_payload(&md, buf + b.header_len, 7),
                 SVR_ERR_TLV_OVERRUN);
    b.header_len = 11;
    cr_expect_eq(svr_metadata_decode_header(&md, &b), SVR_ERR_LENGTH);
    cr_expect_eq(svr_metadata_decode_payload(&md, NULL, 0), 0);
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
    size_t len;
    uint8_t *buf = from_hex("0009 0000 8fff 0003 010203 0018 0002 01", &len);
    svr_span rest = {buf, len};
    svr_span empty = {NULL, 0};
    svr_tlv tlv;

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
