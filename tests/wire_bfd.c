/* BFD packets (RFC 5880) and the block behind them (S14.3). Every input stands
 * in a heap buffer of exactly its size, so that a sanitizer sees each byte read
 * too far. */
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

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Blanks are skipped. The caller frees. */
static uint8_t *from_hex(const char *hex, size_t *len)
{
    uint8_t *buf = calloc(1, strlen(hex) / 2 + 1);
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

#define TAIL "000f4240 000f4240 00000000"
#define MINE "00000001"
#define YOURS "00000002"

/* RFC 5880 section 6.8.6, each field wrong in turn. */
Test(wire_bfd, malformed_packets)
{
    static const struct {
        const char *what, *hex;
        ptrdiff_t expected;
    } rows[] = {
        {"up", "20c00318" MINE YOURS TAIL, 24},
        {"up, data behind", "20c00318" MINE YOURS TAIL "4c48db", 24},
        {"down, nobody known", "20400318" MINE "00000000" TAIL, 24},
        {"down, peer known", "20400318" MINE YOURS TAIL, 24},
        {"admin down, nobody known", "20000318" MINE "00000000" TAIL, 24},
        {"init", "20800318" MINE YOURS TAIL, 24},
        {"diagnostic 31", "3fc00318" MINE YOURS TAIL, 24},
        {"poll and final", "20f00318" MINE YOURS TAIL, 24},
        {"multiplier 1", "20c00118" MINE YOURS TAIL, 24},
        {"multiplier 255", "20c0ff18" MINE YOURS TAIL, 24},

        {"nothing", "", SVR_ERR_TRUNCATED},
        {"one byte", "20", SVR_ERR_TRUNCATED},
        {"23 bytes", "20c00318" MINE YOURS "000f4240 000f4240 000000",
         SVR_ERR_TRUNCATED},
        {"23 bytes of another version",
         "40c00318" MINE YOURS "000f4240 000f4240 000000", SVR_ERR_TRUNCATED},

        {"version 0", "00c00318" MINE YOURS TAIL, SVR_ERR_VERSION},
        {"version 2", "40c00318" MINE YOURS TAIL, SVR_ERR_VERSION},
        {"version 7", "e0c00318" MINE YOURS TAIL, SVR_ERR_VERSION},
        {"version before length", "40c00300" MINE YOURS TAIL, SVR_ERR_VERSION},
        {"a metadata cookie", "4c48dbc6ddf6670c 100c0000 00000000" TAIL,
         SVR_ERR_VERSION},

        {"length 0", "20c00300" MINE YOURS TAIL, SVR_ERR_LENGTH},
        {"length 23", "20c00317" MINE YOURS TAIL, SVR_ERR_LENGTH},
        {"length 25 of 24", "20c00319" MINE YOURS TAIL, SVR_ERR_LENGTH},
        {"length 255 of 24", "20c003ff" MINE YOURS TAIL, SVR_ERR_LENGTH},
        {"length 25 of 25", "20c00319" MINE YOURS TAIL "00", 25},
        {"length before multiplier", "20c00019" MINE YOURS TAIL,
         SVR_ERR_LENGTH},
        {"length 24, authenticated", "20c40318" MINE YOURS TAIL "0102",
         SVR_ERR_LENGTH},
        {"length 25, authenticated", "20c40319" MINE YOURS TAIL "0102",
         SVR_ERR_LENGTH},
        {"length 26 of 25, authenticated", "20c4031a" MINE YOURS TAIL "01",
         SVR_ERR_LENGTH},

        {"multiplier 0, up", "20c00018" MINE YOURS TAIL, SVR_ERR_VALUE},
        {"multiplier 0, down", "20400018" MINE "00000000" TAIL, SVR_ERR_VALUE},
        {"multiplier 0, init", "20800018" MINE YOURS TAIL, SVR_ERR_VALUE},

        {"multipoint, up", "20c10318" MINE YOURS TAIL, SVR_ERR_VALUE},
        {"multipoint, down", "20410318" MINE "00000000" TAIL, SVR_ERR_VALUE},
        {"multipoint and all other flags", "20fb0318" MINE YOURS TAIL,
         SVR_ERR_VALUE},

        {"my discriminator 0, up", "20c00318 00000000" YOURS TAIL,
         SVR_ERR_VALUE},
        {"my discriminator 0, down", "20400318 00000000 00000000" TAIL,
         SVR_ERR_VALUE},
        {"my discriminator 0, admin down", "20000318 00000000" YOURS TAIL,
         SVR_ERR_VALUE},

        {"your discriminator 0, up", "20c00318" MINE "00000000" TAIL,
         SVR_ERR_VALUE},
        {"your discriminator 0, init", "20800318" MINE "00000000" TAIL,
         SVR_ERR_VALUE},
        {"your discriminator 0, up, final", "20d00318" MINE "00000000" TAIL,
         SVR_ERR_VALUE},

        {"simple password", "20c40321" MINE YOURS TAIL "0109017061737331 32",
         SVR_ERR_UNSUPPORTED},
        {"shortest authentication", "20c4031a" MINE YOURS TAIL "0002",
         SVR_ERR_UNSUPPORTED},
        {"authenticated, down", "2044031a" MINE "00000000" TAIL "0002",
         SVR_ERR_UNSUPPORTED},
        {"value before authentication", "20c4001a" MINE YOURS TAIL "0002",
         SVR_ERR_VALUE},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        static const svr_bfd_packet untouched = {.diag = 9, .multiplier = 7};
        size_t len;
        uint8_t *buf = from_hex(rows[i].hex, &len);
        svr_bfd_packet p = untouched;
        ptrdiff_t got = svr_bfd_decode(&p, buf, len);
        cr_expect_eq(got, rows[i].expected, "%s: %td (%s)", rows[i].what, got,
                     svr_err_name((int)got));
        if (rows[i].expected < 0)
            cr_expect(packets_equal(&p, &untouched), "%s", rows[i].what);
        free(buf);
    }
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

/* Against bytes written by hand, so that reading and writing cannot be wrong in
 * the same way. */
Test(wire_bfd, packet_vectors)
{
    static const struct {
        const char *hex;
        svr_bfd_packet packet;
    } rows[] = {
        {"20400318 00000001 00000000 000f4240 000f4240 00000000",
         {.state = SVR_BFD_DOWN,
          .multiplier = 3,
          .my_discriminator = 1,
          .desired_min_tx = 1000000,
          .required_min_rx = 1000000}},
        {"21e01418 01020304 05060708 090a0b0c 0d0e0f10 11121314",
         {.state = SVR_BFD_UP,
          .diag = SVR_BFD_DIAG_EXPIRED,
          .poll = true,
          .multiplier = 20,
          .my_discriminator = 0x01020304,
          .your_discriminator = 0x05060708,
          .desired_min_tx = 0x090a0b0c,
          .required_min_rx = 0x0d0e0f10,
          .required_min_echo_rx = 0x11121314}},
        {"2790ff18 ffffffff ffffffff ffffffff ffffffff ffffffff",
         {.state = SVR_BFD_INIT,
          .diag = SVR_BFD_DIAG_ADMIN_DOWN,
          .final = true,
          .multiplier = 255,
          .my_discriminator = UINT32_MAX,
          .your_discriminator = UINT32_MAX,
          .desired_min_tx = UINT32_MAX,
          .required_min_rx = UINT32_MAX,
          .required_min_echo_rx = UINT32_MAX}},
        {"280a0118 80000000 00000000 00000000 00000000 00000000",
         {.state = SVR_BFD_ADMIN_DOWN,
          .diag = SVR_BFD_DIAG_REVERSE_DOWN,
          .control_plane_independent = true,
          .demand = true,
          .multiplier = 1,
          .my_discriminator = 0x80000000}},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len;
        uint8_t *expected = from_hex(rows[i].hex, &len);
        uint8_t *written = malloc(SVR_BFD_SIZE);
        svr_bfd_packet got;
        cr_assert_eq(len, SVR_BFD_SIZE);
        cr_assert_eq(svr_bfd_encode(written, &rows[i].packet), 0);
        cr_expect_arr_eq(written, expected, SVR_BFD_SIZE, "row %zu", i);
        cr_assert_eq(svr_bfd_decode(&got, expected, len), SVR_BFD_SIZE);
        cr_expect(packets_equal(&got, &rows[i].packet), "row %zu", i);
        free(written);
        free(expected);
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
