/* BFD packets (RFC 5880) and the block behind them (S14.3), beside the named
 * vectors. Every input stands in a heap buffer of exactly its size, so that a
 * sanitizer sees each byte read too far. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <svr/wire.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint64_t random_state = 0x5356522d62666421;

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

/* The first len bytes of buf in a block of their own; the caller frees. */
static uint8_t *copy_of(const uint8_t *buf, size_t len)
{
    uint8_t *exact = malloc(len ? len : 1);

    memcpy(exact, buf, len);
    return exact;
}

static ptrdiff_t decode_copy(svr_bfd_packet *p, const uint8_t *buf, size_t len)
{
    uint8_t *exact = copy_of(buf, len);
    ptrdiff_t got = svr_bfd_decode(p, exact, len);

    free(exact);
    return got;
}

static bool packets_equal(const svr_bfd_packet *a, const svr_bfd_packet *b)
{
    return a->state == b->state && a->diag == b->diag && a->poll == b->poll &&
           a->final == b->final &&
           a->control_plane_independent == b->control_plane_independent &&
           a->demand == b->demand && a->multiplier == b->multiplier &&
           a->my_discriminator == b->my_discriminator &&
           a->your_discriminator == b->your_discriminator &&
           a->desired_min_tx == b->desired_min_tx &&
           a->required_min_rx == b->required_min_rx &&
           a->required_min_echo_rx == b->required_min_echo_rx;
}

/* The rules of RFC 5880 section 6.8.6 again, in the order of its text. */
static ptrdiff_t expect_packet(const uint8_t *b, size_t len)
{
    static const uint8_t zeros[4];
    bool authenticated = b[1] & 4;

    if (len < 24)
        return SVR_ERR_TRUNCATED;
    if (b[0] < 0x20 || b[0] > 0x3f)
        return SVR_ERR_VERSION;
    if (b[3] < 24 || (authenticated && b[3] < 26))
        return SVR_ERR_LENGTH;
    if (b[3] > len)
        return SVR_ERR_LENGTH;
    if (b[2] == 0)
        return SVR_ERR_VALUE;
    if (b[1] % 2 != 0)
        return SVR_ERR_VALUE;
    if (memcmp(b + 4, zeros, 4) == 0)
        return SVR_ERR_VALUE;
    if (memcmp(b + 8, zeros, 4) == 0 && b[1] >= 0x80)
        return SVR_ERR_VALUE;
    return authenticated ? SVR_ERR_UNSUPPORTED : b[3];
}

/* Both first bytes in full, by all that the rest can make of them. */
Test(wire_bfd, every_first_byte_pair)
{
    uint8_t b[24] = {[3] = 24};

    for (unsigned i = 0; i < 8 << 16; i++) {
        svr_bfd_packet p;
        b[0] = (uint8_t)(i >> 8);
        b[1] = (uint8_t)i;
        b[2] = i & 1 << 16 ? 3 : 0;
        b[7] = i & 2 << 16 ? 1 : 0;
        b[11] = i & 4 << 16 ? 1 : 0;
        cr_assert_eq(svr_bfd_decode(&p, b, sizeof(b)),
                     expect_packet(b, sizeof(b)), "%x", i);
    }
}

/* The length field against what was captured. */
Test(wire_bfd, length_lattice)
{
    static const uint8_t lengths[] = {0,  1,  22,  23,  24, 25,
                                      26, 27, 100, 254, 255};
    uint8_t b[256] = {0x20, 0xc0, 3, 24, [7] = 1, [11] = 2};

    for (size_t i = 0; i < 2 * COUNT(lengths); i++) {
        b[1] = i % 2 ? 0xc4 : 0xc0;
        b[3] = lengths[i / 2];
        for (size_t len = 0; len <= sizeof(b); len++) {
            svr_bfd_packet p;
            cr_assert_eq(decode_copy(&p, b, len), expect_packet(b, len),
                         "length %u of %zu", b[3], len);
        }
    }
}

Test(wire_bfd, packets_that_cannot_be_encoded)
{
    static const struct {
        const char *what;
        svr_bfd_packet packet;
        int expected;
    } rows[] = {
        {"all zero", {0}, SVR_ERR_ARGUMENT},
        {"good", {.multiplier = 3, .my_discriminator = 1}, 0},
        {"multiplier 0", {.my_discriminator = 1}, SVR_ERR_ARGUMENT},
        {"my discriminator 0", {.multiplier = 3}, SVR_ERR_ARGUMENT},
        {"up, your discriminator 0",
         {.state = SVR_BFD_UP, .multiplier = 3, .my_discriminator = 1},
         SVR_ERR_ARGUMENT},
        {"init, your discriminator 0",
         {.state = SVR_BFD_INIT, .multiplier = 3, .my_discriminator = 1},
         SVR_ERR_ARGUMENT},
        {"state 4",
         {.state = 4,
          .multiplier = 3,
          .my_discriminator = 1,
          .your_discriminator = 2},
         SVR_ERR_ARGUMENT},
        {"diagnostic 31",
         {.diag = 31, .multiplier = 3, .my_discriminator = 1},
         0},
        {"diagnostic 32",
         {.diag = 32, .multiplier = 3, .my_discriminator = 1},
         SVR_ERR_ARGUMENT},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t buf[SVR_BFD_SIZE] = {0};
        cr_expect_eq(svr_bfd_encode(buf, &rows[i].packet), rows[i].expected,
                     "%s", rows[i].what);
        cr_expect_eq(buf[0] != 0, rows[i].expected == 0, "%s", rows[i].what);
    }
}

static svr_bfd_packet draw_packet(void)
{
    return (svr_bfd_packet){
        .state = (uint8_t)draw_below(4),
        .diag = (uint8_t)draw_below(32),
        .poll = draw_below(2),
        .final = draw_below(2),
        .control_plane_independent = draw_below(2),
        .demand = draw_below(2),
        .multiplier = (uint8_t)(1 + draw_below(255)),
        .my_discriminator = (uint32_t)draw() | 1,
        .your_discriminator = (uint32_t)draw() | 1,
        .desired_min_tx = (uint32_t)draw(),
        .required_min_rx = (uint32_t)draw(),
        .required_min_echo_rx = (uint32_t)draw(),
    };
}

Test(wire_bfd, packet_decode_undoes_encode)
{
    for (int i = 0; i < 100000; i++) {
        svr_bfd_packet p = draw_packet(), got;
        uint8_t buf[SVR_BFD_SIZE];
        if (p.state <= SVR_BFD_DOWN && draw_below(2))
            p.your_discriminator = 0;
        cr_assert_eq(svr_bfd_encode(buf, &p), 0);
        cr_assert_eq(decode_copy(&got, buf, sizeof(buf)), SVR_BFD_SIZE);
        cr_assert(packets_equal(&p, &got), "packet %d", i);
    }
}

Test(wire_bfd, names)
{
    for (unsigned i = 0; i < 256; i++) {
        cr_expect_eq(strcmp(svr_bfd_state_name((uint8_t)i), "reserved") == 0,
                     i > SVR_BFD_UP);
        cr_expect_eq(strcmp(svr_bfd_diag_name((uint8_t)i), "reserved") == 0,
                     i > SVR_BFD_DIAG_REVERSE_DOWN);
    }
    cr_expect_str_eq(svr_bfd_state_name(SVR_BFD_UP), "Up");
    cr_expect_str_eq(svr_bfd_state_name(SVR_BFD_ADMIN_DOWN), "AdminDown");
    cr_expect_str_eq(svr_bfd_diag_name(SVR_BFD_DIAG_PATH_DOWN), "path-down");
}

/* A block of one section with these attributes, its end the buffer's. The
 * caller frees. */
static uint8_t *make_block(const uint8_t *tlvs, size_t tlvs_len, bool payload,
                           size_t *len)
{
    uint8_t *buf;
    size_t header_len = SVR_BASE_HEADER_SIZE + (payload ? 0 : tlvs_len);
    size_t payload_len = payload ? tlvs_len : 0;

    *len = SVR_BASE_HEADER_SIZE + tlvs_len;
    buf = malloc(*len);
    svr_block_write_bare(buf);
    buf[8] = (uint8_t)(0x10 | header_len >> 8);
    buf[9] = (uint8_t)header_len;
    buf[10] = (uint8_t)(payload_len >> 8);
    buf[11] = (uint8_t)payload_len;
    memcpy(buf + SVR_BASE_HEADER_SIZE, tlvs, tlvs_len);
    return buf;
}

/* One attribute of `len` times the letter a. */
static uint8_t *make_one(uint16_t type, size_t value_len, bool payload,
                         size_t *len)
{
    uint8_t tlv[4 + 4096];

    memset(tlv, 'a', sizeof(tlv));
    tlv[0] = (uint8_t)(type >> 8);
    tlv[1] = (uint8_t)type;
    tlv[2] = (uint8_t)(value_len >> 8);
    tlv[3] = (uint8_t)value_len;
    return make_block(tlv, 4 + value_len, payload, len);
}

/* One attribute in the place of each kind of block: 0 or the error. */
static ptrdiff_t decode_one(uint16_t type, size_t value_len,
                            enum svr_section section)
{
    size_t len;
    uint8_t *buf =
        make_one(type, value_len, section == SVR_SECTION_PAYLOAD, &len);
    svr_bfd_block b;
    svr_metadata md;
    ptrdiff_t got = section == SVR_SECTION_BFD
                        ? svr_bfd_block_decode(&b, buf, len)
                        : svr_metadata_decode(&md, buf, len);

    free(buf);
    return got < 0 ? got : 0;
}

/* S14.3, written a second time: the lengths that each type may have. */
static const struct registry_row {
    uint16_t type;
    size_t min, max;
} registry[] = {
    {16, 4, 4},         {0x8010, 1, 255},   {0x8011, 4, 4},
    {0x8012, 6, 6},     {0x8013, 18, 18},   {0x8014, 16, 16},
    {0x8015, 24, 24},   {0x8016, 6, 6},     {0x8017, 18, 18},
    {0x8018, 8, 8},     {0x8019, 8, 8},     {0x801a, 4, 4},
    {0x801b, 10, 10},   {0x801c, 0, 65535}, {0x801d, 1, 65535},
    {0x801e, 1, 65535}, {0x801f, 1, 65535}, {0x8020, 4, 4},
    {0x8021, 4, 4},
};

static const struct registry_row *find_row(unsigned type)
{
    for (size_t i = 0; i < COUNT(registry); i++) {
        if (registry[i].type == type)
            return &registry[i];
    }
    return NULL;
}

Test(wire_bfd, every_attribute_at_every_length)
{
    for (size_t i = 0; i < COUNT(registry); i++) {
        const struct registry_row *row = &registry[i];
        for (size_t len = 0; len < 300; len++) {
            int expected =
                len < row->min || len > row->max ? SVR_ERR_TLV_LENGTH : 0;
            cr_expect_eq(decode_one(row->type, len, SVR_SECTION_BFD), expected,
                         "type %x, length %zu", row->type, len);
        }
    }
}

/* All 65536 types in all three places: each kind of block refuses what belongs
 * to the other, and no two types share a slot of the index. */
Test(wire_bfd, registry_is_complete)
{
    cr_assert_eq(COUNT(registry), SVR_BFD_INDEX_END - SVR_ATTR_COUNT);
    for (unsigned type = 0; type <= UINT16_MAX; type++) {
        const svr_attribute_info *info =
            svr_attribute_find((uint16_t)type, SVR_SECTION_BFD);
        const struct registry_row *row = find_row(type);
        bool is_ours = type >= 0x8010 && type <= 0x8021;
        if (row) {
            cr_assert_eq(info->type, type);
            cr_expect(info->name && info->name[0]);
            cr_expect_eq(info->min_len, row->min, "type %x", type);
            cr_expect_eq(info->max_len, row->max, "type %x", type);
            cr_expect_eq(info->sections, SVR_SECTION_BFD);
            cr_expect_eq(info->sent_in, SVR_SECTION_BFD);
        } else {
            cr_assert_eq(decode_one((uint16_t)type, 4, SVR_SECTION_BFD),
                         info ? SVR_ERR_TLV_SECTION : 0, "type %x", type);
        }
        for (int s = SVR_SECTION_HEADER; s <= SVR_SECTION_PAYLOAD; s++) {
            const svr_attribute_info *there =
                svr_attribute_find((uint16_t)type, (enum svr_section)s);
            cr_assert_eq(!there, !info, "type %x", type);
            if (is_ours) {
                cr_expect_eq(there, info);
                cr_expect_eq(
                    decode_one((uint16_t)type, row->min, (enum svr_section)s),
                    SVR_ERR_TLV_SECTION, "type %x", type);
            }
        }
    }
}

static bool spans_equal(const svr_span *a, const svr_span *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static bool endpoints_equal(const svr_bfd_endpoint *a,
                            const svr_bfd_endpoint *b)
{
    return svr_addr_equal(&a->addr, &b->addr) && a->port == b->port;
}

/* Whether a and b agree in what is present. */
static bool blocks_equal(const svr_bfd_block *a, const svr_bfd_block *b)
{
#define SAME(name, expression) \
    (!(a->present & SVR_BFD_HAS(name)) || (expression))
#define SAME_VALUE(name, member) SAME(name, a->member == b->member)
#define SAME_SPAN(name, member) SAME(name, spans_equal(&a->member, &b->member))
#define SAME_END(name, m) SAME(name, endpoints_equal(&a->m, &b->m))
    return a->present == b->present && a->unknown == b->unknown &&
           SAME_VALUE(SECURITY_ID, security_id) && SAME_SPAN(ROUTER, router) &&
           SAME_VALUE(BOOT_COUNTER, boot_counter) &&
           SAME_END(SOURCE_V4, source) && SAME_END(SOURCE_V6, source) &&
           SAME_VALUE(NUMBERS, numbers.own) &&
           SAME_VALUE(NUMBERS, numbers.peer) && SAME_VALUE(ECHO, echo.own) &&
           SAME_VALUE(ECHO, echo.peer) && SAME_VALUE(ECHO, echo.held) &&
           SAME_END(OBSERVED_V4, observed) && SAME_END(OBSERVED_V6, observed) &&
           SAME(CHALLENGE, memcmp(a->challenge, b->challenge, 8) == 0) &&
           SAME(ANSWER, memcmp(a->answer, b->answer, 8) == 0) &&
           SAME_VALUE(PINHOLE, pinhole.local) &&
           SAME_VALUE(PINHOLE, pinhole.remote) &&
           SAME_VALUE(PADDED, padded.number) &&
           SAME_VALUE(PADDED, padded.size) && SAME_VALUE(PADDING, padding) &&
           SAME_VALUE(PROBE, probe.round) && SAME_VALUE(PROBE, probe.kind) &&
           SAME_VALUE(PROBE, probe.heard_round) &&
           SAME_VALUE(PROBE, probe.heard) &&
           SAME_VALUE(RESYNC_END, resync_end) &&
           SAME_SPAN(KEY_EXCHANGE, key_exchange) && SAME_SPAN(LOAD, load) &&
           SAME_SPAN(TOPOLOGY, topology);
}

static svr_addr v4(uint32_t a)
{
    const uint8_t b[4] = {(uint8_t)(a >> 24), (uint8_t)(a >> 16),
                          (uint8_t)(a >> 8), (uint8_t)a};

    return svr_addr_from_v4(b);
}

static svr_addr v6(uint8_t last)
{
    return (svr_addr){{0xfd, 0, 0, 1, [15] = last}};
}

static svr_span span(const char *text)
{
    return (svr_span){(const uint8_t *)text, strlen(text)};
}

/* Encodes into a buffer of exactly the measured size; the caller frees. */
static uint8_t *encode_exact(const svr_bfd_block *b, size_t *len)
{
    ptrdiff_t size = svr_bfd_block_encode(NULL, 0, b);
    uint8_t *buf;

    cr_assert_geq(size, SVR_BASE_HEADER_SIZE, "%td", size);
    buf = malloc((size_t)size);
    memset(buf, 0xee, (size_t)size);
    cr_assert_eq(svr_bfd_block_encode(buf, (size_t)size, b), size);
    *len = (size_t)size;
    return buf;
}

/* Random values for every field; `bytes` is where they point into. */
struct random_block {
    svr_bfd_block block;
    uint8_t bytes[4][64];
};

static svr_span draw_bytes(uint8_t *at, uint8_t low, uint8_t high)
{
    size_t len = 1 + draw_below(64);

    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)(low + draw_below(high - low + 1u));
    return (svr_span){at, len};
}

static svr_bfd_endpoint draw_endpoint(bool is_v4)
{
    return (svr_bfd_endpoint){
        is_v4 ? v4((uint32_t)draw()) : v6((uint8_t)draw()), (uint16_t)draw()};
}

static uint64_t draw_present(void)
{
    const uint64_t all = SVR_BFD_HAS(END) - SVR_BFD_HAS(SECURITY_ID);
    uint64_t present = draw_below(4) == 0 ? all : draw() & all;

    present &= ~(draw() & 1 ? SVR_BFD_HAS(SOURCE_V4) : SVR_BFD_HAS(SOURCE_V6));
    return present &
           ~(draw() & 1 ? SVR_BFD_HAS(OBSERVED_V4) : SVR_BFD_HAS(OBSERVED_V6));
}

static void draw_block(struct random_block *r)
{
    svr_bfd_block *b = &r->block;

    svr_bfd_block_init(b);
    b->present = draw_present();
    b->router = draw_bytes(r->bytes[0], ' ', '~');
    b->key_exchange = draw_bytes(r->bytes[1], 0, 255);
    b->load = draw_bytes(r->bytes[2], 0, 255);
    b->topology = draw_bytes(r->bytes[3], 0, 255);
    b->source = draw_endpoint(b->present & SVR_BFD_HAS(SOURCE_V4));
    b->observed = draw_endpoint(b->present & SVR_BFD_HAS(OBSERVED_V4));
    b->numbers = (svr_bfd_numbers){draw(), draw()};
    b->echo = (svr_bfd_echo){draw(), draw(), draw()};
    b->security_id = (uint32_t)draw();
    b->boot_counter = (uint32_t)draw();
    b->pinhole = (svr_bfd_pinhole){(uint16_t)draw(), (uint16_t)draw()};
    for (size_t i = 0; i < SVR_BFD_CHALLENGE_SIZE; i++) {
        b->challenge[i] = (uint8_t)draw();
        b->answer[i] = (uint8_t)draw();
    }
    b->padded = (svr_bfd_padded){draw(), (uint16_t)draw()};
    b->probe = (svr_bfd_probe){(uint8_t)draw(), (uint8_t)draw(),
                               (uint8_t)draw(), (uint8_t)draw()};
    b->resync_end = (uint32_t)draw();
    b->padding = (uint16_t)draw_below(1500);
}

Test(wire_bfd, block_decode_undoes_encode)
{
    static struct random_block r;

    for (int i = 0; i < 100000; i++) {
        svr_bfd_block got;
        size_t len;
        uint8_t *buf;
        draw_block(&r);
        buf = encode_exact(&r.block, &len);
        memset(&got, 0xee, sizeof(got));
        cr_assert_eq(svr_bfd_block_decode(&got, buf, len), (ptrdiff_t)len,
                     "block %d", i);
        cr_assert(blocks_equal(&r.block, &got), "block %d", i);
        free(buf);
    }
}

/* What survives a mutation survives being encoded and decoded again. */
Test(wire_bfd, mutated_blocks)
{
    static struct random_block r;
    unsigned accepted = 0, refused = 0;

    for (int i = 0; i < 50000; i++) {
        svr_bfd_block b, again;
        size_t len, second_len;
        uint8_t *buf, *second;
        draw_block(&r);
        r.block.padding %= 16;
        buf = encode_exact(&r.block, &len);
        for (size_t n = 1 + draw_below(3); n > 0; n--)
            buf[8 + draw_below(len - 8)] = (uint8_t)draw();
        if (svr_bfd_block_decode(&b, buf, len) < 0) {
            refused++;
            free(buf);
            continue;
        }
        accepted++;
        b.unknown = 0;
        second = encode_exact(&b, &second_len);
        cr_assert_eq(svr_bfd_block_decode(&again, second, second_len),
                     (ptrdiff_t)second_len);
        cr_assert(blocks_equal(&b, &again), "block %d", i);
        free(second);
        free(buf);
    }
    cr_expect_gt(accepted, 1000);
    cr_expect_gt(refused, 1000);
}

/* Every attribute that can stand beside the others. */
static void fill_all(struct random_block *r)
{
    do
        draw_block(r);
    while (__builtin_popcountll(r->block.present) < (int)COUNT(registry) - 2);
}

/* A BFD packet and its block, cut at every byte. */
Test(wire_bfd, cut_at_every_byte)
{
    static struct random_block r;
    svr_bfd_packet p = draw_packet();
    uint8_t *buf, *packet;
    size_t len, whole;

    fill_all(&r);
    buf = encode_exact(&r.block, &len);
    whole = SVR_BFD_SIZE + len;
    packet = malloc(whole);
    cr_assert_eq(svr_bfd_encode(packet, &p), 0);
    memcpy(packet + SVR_BFD_SIZE, buf, len);
    for (size_t n = 0; n <= whole; n++) {
        uint8_t *exact = copy_of(packet, n);
        size_t left = n < SVR_BFD_SIZE ? 0 : n - SVR_BFD_SIZE;
        ptrdiff_t expected = left < 8     ? SVR_ERR_NO_COOKIE
                             : left < 12  ? SVR_ERR_TRUNCATED
                             : left < len ? SVR_ERR_LENGTH
                                          : (ptrdiff_t)len;
        svr_bfd_packet got;
        svr_bfd_block b;
        cr_expect_eq(svr_bfd_decode(&got, exact, n),
                     n < SVR_BFD_SIZE ? SVR_ERR_TRUNCATED : SVR_BFD_SIZE,
                     "%zu bytes", n);
        if (n >= SVR_BFD_SIZE)
            cr_expect_eq(svr_bfd_block_decode(&b, exact + SVR_BFD_SIZE, left),
                         expected, "%zu bytes", n);
        free(exact);
    }
    free(packet);
    free(buf);
}

/* The section cut anywhere but between two attributes is refused. */
Test(wire_bfd, section_cut_at_every_byte)
{
    static struct random_block r;
    svr_span rest;
    svr_tlv tlv;
    size_t len;
    uint8_t *buf;

    fill_all(&r);
    buf = encode_exact(&r.block, &len);
    rest = (svr_span){buf + 12, len - 12};
    for (size_t n = 0, whole = 0; n <= len - 12; n++) {
        size_t cut_len;
        uint8_t *cut = make_block(buf + 12, n, false, &cut_len);
        svr_bfd_block b;
        ptrdiff_t got = svr_bfd_block_decode(&b, cut, cut_len);
        cr_expect_eq(got, n == whole ? (ptrdiff_t)cut_len : SVR_ERR_TLV_OVERRUN,
                     "%zu bytes: %td", n, got);
        if (n == whole && svr_tlv_next(&tlv, &rest) == 1)
            whole += 4 + tlv.value.len;
        free(cut);
    }
    cr_expect_eq(rest.len, 0);
    free(buf);
}

Test(wire_bfd, encoding_into_too_little_room)
{
    static struct random_block r;
    uint8_t *buf;
    size_t len;

    fill_all(&r);
    buf = encode_exact(&r.block, &len);
    free(buf);
    for (size_t cap = 0; cap < len; cap++) {
        buf = malloc(cap ? cap : 1);
        cr_expect_eq(svr_bfd_block_encode(buf, cap, &r.block), SVR_ERR_NO_SPACE,
                     "%zu bytes", cap);
        free(buf);
    }
}

Test(wire_bfd, blocks_that_cannot_be_encoded)
{
    static const uint8_t zeros[4096];
    const struct {
        const char *what;
        uint64_t present;
        svr_bfd_block block;
        ptrdiff_t expected;
    } rows[] = {
        {"bit of a tenant", SVR_HAS(TENANT), {0}, SVR_ERR_ARGUMENT},
        {"bit of metadata's security id",
         SVR_HAS(SECURITY_ID),
         {0},
         SVR_ERR_ARGUMENT},
        {"last bit of metadata", SVR_HAS(SESSION_KEY), {0}, SVR_ERR_ARGUMENT},
        {"first bit", SVR_BFD_HAS(SECURITY_ID), {0}, 20},
        {"bit behind the list", SVR_BFD_HAS(END), {0}, SVR_ERR_ARGUMENT},
        {"highest bit", (uint64_t)1 << 63, {0}, SVR_ERR_ARGUMENT},
        {"empty name", SVR_BFD_HAS(ROUTER), {0}, SVR_ERR_ARGUMENT},
        {"hostile name",
         SVR_BFD_HAS(ROUTER),
         {.router = span("a\nb")},
         SVR_ERR_ARGUMENT},
        {"no source", SVR_BFD_HAS(SOURCE_V4), {0}, SVR_ERR_ARGUMENT},
        {"IPv6 source as IPv4",
         SVR_BFD_HAS(SOURCE_V4),
         {.source = {v6(1), 1}},
         SVR_ERR_ARGUMENT},
        {"IPv4 source as IPv6",
         SVR_BFD_HAS(SOURCE_V6),
         {.source = {v4(1), 1}},
         SVR_ERR_ARGUMENT},
        {"IPv6 observed as IPv4",
         SVR_BFD_HAS(OBSERVED_V4),
         {.observed = {v6(1), 1}},
         SVR_ERR_ARGUMENT},
        {"IPv4 observed as IPv6",
         SVR_BFD_HAS(OBSERVED_V6),
         {.observed = {v4(1), 1}},
         SVR_ERR_ARGUMENT},
        {"sources of both families",
         SVR_BFD_HAS(SOURCE_V4) | SVR_BFD_HAS(SOURCE_V6),
         {.source = {v4(1), 1}},
         SVR_ERR_ARGUMENT},
        {"empty exchange", SVR_BFD_HAS(KEY_EXCHANGE), {0}, SVR_ERR_ARGUMENT},
        {"empty load", SVR_BFD_HAS(LOAD), {0}, SVR_ERR_ARGUMENT},
        {"empty topology", SVR_BFD_HAS(TOPOLOGY), {0}, SVR_ERR_ARGUMENT},
        {"most padding", SVR_BFD_HAS(PADDING), {.padding = 4079}, 4095},
        {"too much padding",
         SVR_BFD_HAS(PADDING),
         {.padding = 4080},
         SVR_ERR_LENGTH},
        {"too long an exchange",
         SVR_BFD_HAS(KEY_EXCHANGE),
         {.key_exchange = {zeros, 4080}},
         SVR_ERR_LENGTH},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        static uint8_t buf[5000];
        svr_bfd_block b = rows[i].block;
        b.present = rows[i].present;
        cr_expect_eq(svr_bfd_block_encode(NULL, 0, &b), rows[i].expected, "%s",
                     rows[i].what);
        cr_expect_eq(svr_bfd_block_encode(buf, sizeof(buf), &b),
                     rows[i].expected, "%s", rows[i].what);
    }
}

/* No metadata block carries an attribute from behind BFD. */
Test(wire_bfd, metadata_does_not_encode_them)
{
    for (unsigned i = SVR_BFD_INDEX_SECURITY_ID; i < 64; i++) {
        svr_metadata md;
        svr_metadata_init(&md);
        md.present = (uint64_t)1 << i;
        cr_expect_eq(svr_metadata_encode(NULL, 0, &md), SVR_ERR_ARGUMENT);
    }
}
