#include "cipher_checks.h"

#include <criterion/criterion.h>

#include "support.h"

enum {
    LONGEST = 9000,
    ROOM = LONGEST + SVR_CBC_BLOCK,
};

/* One packet and what goes with it. */
typedef struct sample {
    uint8_t key[SVR_KEY_SIZE], nonce[SVR_NONCE_MAX], ad[40];
    uint8_t tag[SVR_SEAL_TAG_SIZE];
    uint8_t plain[LONGEST], buf[ROOM];
    size_t ad_len, len;
    ptrdiff_t sealed;
} sample;

static void fill(sample *s, const svr_cipher *c, size_t len, uint64_t seed)
{
    *s = (sample){.len = len};
    test_fill(&seed, s->key, sizeof(s->key));
    test_fill(&seed, s->nonce, sizeof(s->nonce));
    test_fill(&seed, s->ad, sizeof(s->ad));
    test_fill(&seed, s->plain, len);
    memcpy(s->buf, s->plain, len);
    if (c->kind == SVR_CIPHER_AEAD)
        s->ad_len = seed % (sizeof(s->ad) + 1);
}

static svr_span ad_of(const sample *s)
{
    return (svr_span){s->ad, s->ad_len};
}

static void key_state(svr_cipher_state *st, const svr_cipher *c,
                      enum svr_cipher_use use, const uint8_t *key)
{
    cr_assert_eq(svr_cipher_init(st, c, use, key), 0, "%s", c->name);
}

/* CBC pads to the next whole block, always by one byte at least. */
static ptrdiff_t sealed_len(const svr_cipher *c, size_t len)
{
    return (ptrdiff_t)(c->kind == SVR_CIPHER_AEAD
                           ? len
                           : (len / SVR_CBC_BLOCK + 1) * SVR_CBC_BLOCK);
}

static void seal(svr_cipher_state *st, sample *s)
{
    s->sealed = svr_cipher_seal(st, s->nonce, ad_of(s), s->buf, s->len, s->tag);
    cr_assert_eq(s->sealed, sealed_len(st->cipher, s->len), "%s, %zu bytes",
                 st->cipher->name, s->len);
    if (s->len >= 16)
        cr_assert_arr_neq(s->buf, s->plain, s->len);
}

static void open_it(svr_cipher_state *st, sample *s)
{
    ptrdiff_t len = svr_cipher_open(st, s->nonce, ad_of(s), s->buf,
                                    (size_t)s->sealed, s->tag);
    cr_assert_eq(len, (ptrdiff_t)s->len, "%s, %zu bytes", st->cipher->name,
                 s->len);
    cr_assert_arr_eq(s->buf, s->plain, s->len);
}

static const size_t long_ones[] = {511, 512, 1399, 1400, 1401, 1500, LONGEST};

static size_t length_of_row(size_t row)
{
    return row <= 300 ? row : long_ones[row - 301];
}

enum {
    ROWS = 301 + sizeof(long_ones) / sizeof(long_ones[0]),
};

void check_round_trips(const svr_cipher *c)
{
    static const svr_cipher_state zero;
    static sample s;
    svr_cipher_state out = {0}, in = {0};

    fill(&s, c, 0, 1);
    key_state(&out, c, SVR_CIPHER_SEAL, s.key);
    key_state(&in, c, SVR_CIPHER_OPEN, s.key);
    for (size_t row = 0; row < ROWS; row++) {
        uint8_t key[SVR_KEY_SIZE];
        memcpy(key, s.key, sizeof(key));
        fill(&s, c, length_of_row(row), row + 2);
        if (row % 3 == 0) {
            key_state(&out, c, SVR_CIPHER_SEAL, s.key);
            key_state(&in, c, SVR_CIPHER_OPEN, s.key);
        } else {
            memcpy(s.key, key, sizeof(key));
        }
        seal(&out, &s);
        open_it(&in, &s);
    }
    svr_cipher_wipe(&out);
    svr_cipher_wipe(&in);
    cr_assert_eq(memcmp(&out, &zero, sizeof(zero)), 0);
    svr_cipher_wipe(&in); /* twice does no harm */
}

/* Opens a copy of the sample; answers whether it was accepted, and asserts
 * that nothing of the plaintext is left where it was not. */
static bool opens(svr_cipher_state *st, const sample *from)
{
    static sample s;
    s = *from;
    ptrdiff_t len =
        svr_cipher_open(st, s.nonce, ad_of(&s), s.buf, (size_t)s.sealed, s.tag);
    if (len >= 0)
        return true;
    cr_assert_eq(len, SVR_ERR_TAG);
    for (size_t i = 0; i + 16 <= s.len; i += 16)
        cr_assert_arr_neq(s.buf + i, s.plain + i, 16, "%s at %zu",
                          st->cipher->name, i);
    return false;
}

static void check_flips(svr_cipher_state *in, sample *s, uint8_t *bytes,
                        size_t len, const char *what)
{
    for (size_t bit = 0; bit < 8 * len; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_not(opens(in, s), "%s, bit %zu of %s", in->cipher->name, bit,
                      what);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void check_cuts(svr_cipher_state *in, sample *s)
{
    ptrdiff_t sealed = s->sealed;
    for (s->sealed = 0; s->sealed < sealed; s->sealed++)
        cr_assert_not(opens(in, s), "%s cut at %td", in->cipher->name,
                      s->sealed);
    s->sealed = sealed + 1;
    cr_assert_not(opens(in, s), "%s, one byte more", in->cipher->name);
    s->sealed = sealed;
    size_t ad_len = s->ad_len;
    for (s->ad_len = 0; s->ad_len < sizeof(s->ad); s->ad_len++)
        cr_assert_eq(opens(in, s), s->ad_len == ad_len);
    s->ad_len = ad_len;
}

void check_forgeries(const svr_cipher *c)
{
    static sample s;
    for (size_t len = 0; len <= 70; len += 35) {
        svr_cipher_state out = {0}, in = {0};
        fill(&s, c, len, len + 7);
        s.ad_len = 25;
        key_state(&out, c, SVR_CIPHER_SEAL, s.key);
        key_state(&in, c, SVR_CIPHER_OPEN, s.key);
        seal(&out, &s);
        cr_assert(opens(&in, &s));
        check_flips(&in, &s, s.tag, sizeof(s.tag), "tag");
        check_flips(&in, &s, s.nonce, c->nonce_len, "nonce");
        check_flips(&in, &s, s.ad, s.ad_len, "associated data");
        check_flips(&in, &s, s.buf, len, "ciphertext");
        check_cuts(&in, &s);
        cr_assert(opens(&in, &s), "it still opens");
        for (size_t bit = 0; bit < 8 * c->key_len; bit++) {
            s.key[bit / 8] ^= (uint8_t)(1 << bit % 8);
            key_state(&in, c, SVR_CIPHER_OPEN, s.key);
            cr_assert_not(opens(&in, &s), "%s, bit %zu of the key", c->name,
                          bit);
            s.key[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        svr_cipher_wipe(&out);
        svr_cipher_wipe(&in);
    }
}

/* Whether a last block of these 16 bytes opens. What stands in front of it
 * makes them: in CBC a flipped bit of one block flips the same bit of the next
 * one's plaintext. */
static bool opens_with_end(const svr_cipher *c, const uint8_t end[16],
                           size_t *len)
{
    static sample s;
    svr_cipher_state out = {0}, in = {0};
    fill(&s, c, 47, 5);
    key_state(&out, c, SVR_CIPHER_SEAL, s.key);
    key_state(&in, c, SVR_CIPHER_OPEN, s.key);
    seal(&out, &s);
    for (size_t i = 0; i < 16; i++)
        s.buf[16 + i] ^= (uint8_t)(end[i] ^ (i < 15 ? s.plain[32 + i] : 1));
    ptrdiff_t got = svr_cipher_open(&in, s.nonce, (svr_span){0}, s.buf,
                                    (size_t)s.sealed, s.tag);
    svr_cipher_wipe(&out);
    svr_cipher_wipe(&in);
    cr_assert(got >= 0 || got == SVR_ERR_TAG);
    if (got < 0)
        cr_assert_arr_neq(s.buf, s.plain, 16, "nothing is left of it");
    *len = got < 0 ? 0 : (size_t)got;
    return got >= 0;
}

/* Every value of the last byte, over blocks that are filled with it, with zero,
 * and filled with one byte of the padding wrong. */
void check_paddings(const svr_cipher *c)
{
    size_t len;
    for (int last = 0; last < 256; last++) {
        uint8_t end[16];
        bool right = last >= 1 && last <= 16;
        memset(end, last, sizeof(end));
        cr_assert_eq(opens_with_end(c, end, &len), right, "%d", last);
        cr_assert_eq(len, right ? 48 - (size_t)last : 0);
        for (int i = 0; i < 15; i++) {
            end[i] ^= 0x80;
            cr_assert_eq(opens_with_end(c, end, &len), right && i < 16 - last,
                         "%d, byte %d", last, i);
            end[i] ^= 0x80;
        }
        memset(end, 0, 15);
        cr_assert_eq(opens_with_end(c, end, &len), last == 1, "%d", last);
    }
    static sample s;
    svr_cipher_state in = {0};
    fill(&s, c, 64, 3);
    key_state(&in, c, SVR_CIPHER_OPEN, s.key);
    for (size_t n = 0; n <= 64; n++)
        if (n % 16 != 0 || n == 0)
            cr_assert_eq(
                svr_cipher_open(&in, s.nonce, (svr_span){0}, s.buf, n, s.tag),
                SVR_ERR_TAG, "%zu bytes", n);
    svr_cipher_wipe(&in);
}

void check_misuse(const svr_cipher *c)
{
    static uint8_t big[SVR_CIPHER_LEN_MAX + 1 + SVR_CBC_BLOCK];
    static const uint8_t key[SVR_KEY_SIZE], nonce[SVR_NONCE_MAX];
    const svr_span none = {0}, some = {key, 1}, much = {big, sizeof(big)};
    uint8_t tag[SVR_SEAL_TAG_SIZE];
    svr_cipher_state s = {0};

    cr_assert_eq(svr_cipher_seal(&s, nonce, none, big, 1, tag),
                 SVR_ERR_ARGUMENT);
    cr_assert_eq(svr_cipher_open(&s, nonce, none, big, 1, tag),
                 SVR_ERR_ARGUMENT);
    key_state(&s, c, SVR_CIPHER_SEAL, key);
    cr_assert_eq(svr_cipher_open(&s, nonce, none, big, 16, tag),
                 SVR_ERR_ARGUMENT);
    cr_assert_eq(
        svr_cipher_seal(&s, nonce, none, big, SVR_CIPHER_LEN_MAX + 1, tag),
        SVR_ERR_LENGTH);
    cr_assert_eq(svr_cipher_seal(&s, nonce, some, big, 1, tag) < 0,
                 c->kind == SVR_CIPHER_CBC, "CBC binds nothing");
    cr_assert_lt(svr_cipher_seal(&s, nonce, much, big, 1, tag), 0);
    /* For the other use it is keyed anew. */
    key_state(&s, c, SVR_CIPHER_OPEN, key);
    cr_assert_eq(svr_cipher_seal(&s, nonce, none, big, 1, tag),
                 SVR_ERR_ARGUMENT);
    cr_assert_eq(
        svr_cipher_open(&s, nonce, none, big, SVR_CIPHER_LEN_MAX + 1, tag),
        SVR_ERR_TAG);
    svr_cipher_wipe(&s);
    cr_assert_eq(svr_cipher_open(&s, nonce, none, big, 16, tag),
                 SVR_ERR_ARGUMENT);
}

static void check_one_way(const svr_cipher *a, const svr_cipher *b, size_t row)
{
    static sample s, t;
    svr_cipher_state out = {0}, other = {0}, in = {0};
    fill(&s, a, length_of_row(row), row + 100);
    t = s;
    key_state(&out, a, SVR_CIPHER_SEAL, s.key);
    key_state(&other, b, SVR_CIPHER_SEAL, s.key);
    key_state(&in, b, SVR_CIPHER_OPEN, s.key);
    seal(&out, &s);
    seal(&other, &t);
    cr_assert_arr_eq(s.buf, t.buf, (size_t)s.sealed, "%s, %zu bytes", a->name,
                     s.len);
    cr_assert_arr_eq(s.tag, t.tag, sizeof(s.tag));
    open_it(&in, &s);
    t.nonce[0] ^= 1;
    if (a->kind == SVR_CIPHER_AEAD)
        cr_assert_not(opens(&in, &t));
    svr_cipher_wipe(&out);
    svr_cipher_wipe(&other);
    svr_cipher_wipe(&in);
}

void check_agreement(const svr_cipher *a, const svr_cipher *b)
{
    cr_assert_str_eq(a->name, b->name);
    cr_assert_eq(a->kind, b->kind);
    cr_assert_eq(a->key_len, b->key_len);
    cr_assert_eq(a->nonce_len, b->nonce_len);
    for (size_t row = 0; row < ROWS; row++) {
        check_one_way(a, b, row);
        check_one_way(b, a, row);
    }
}
