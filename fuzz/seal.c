/* Ciphers: garbage never opens; what is sealed opens, and does not once any bit
 * of it has changed; two libraries with the same cipher do the same. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <svr/crypto.h>
#ifdef HAVE_OPENSSL
#include <svr/openssl.h>
#endif

enum {
    PLAIN_MAX = 512,
    ROOM = PLAIN_MAX + SVR_CBC_BLOCK,
};

/* The input's first bytes are key, nonce, which cipher, which bit; then
 * associated data and the payload. */
struct input {
    uint8_t key[SVR_KEY_SIZE], nonce[SVR_NONCE_MAX];
    uint8_t cipher, ad_len, bit[2];
};

struct sealed {
    uint8_t buf[ROOM], tag[SVR_SEAL_TAG_SIZE];
    size_t len;
};

static void check(int holds)
{
    if (!holds)
        abort();
}

static const svr_suites *more(void)
{
#ifdef HAVE_OPENSSL
    static const svr_suites *suites;
    if (!suites)
        suites = svr_openssl_open();
    return suites;
#else
    return NULL;
#endif
}

static svr_cipher_state keyed(const svr_cipher *c, enum svr_cipher_use use,
                              const struct input *in)
{
    svr_cipher_state s = {0};
    check(svr_cipher_init(&s, c, use, in->key) == 0);
    return s;
}

static ptrdiff_t open_copy(const svr_cipher *c, const struct input *in,
                           svr_span ad, const struct sealed *from, uint8_t *out)
{
    svr_cipher_state s = keyed(c, SVR_CIPHER_OPEN, in);
    memcpy(out, from->buf, from->len);
    ptrdiff_t len =
        svr_cipher_open(&s, in->nonce, ad, out, from->len, from->tag);
    svr_cipher_wipe(&s);
    return len;
}

static void seal(const svr_cipher *c, const struct input *in, svr_span ad,
                 svr_span plain, struct sealed *out)
{
    svr_cipher_state s = keyed(c, SVR_CIPHER_SEAL, in);
    memset(out, 0, sizeof(*out));
    memcpy(out->buf, plain.data, plain.len);
    ptrdiff_t len =
        svr_cipher_seal(&s, in->nonce, ad, out->buf, plain.len, out->tag);
    check(len >= (ptrdiff_t)plain.len && len <= ROOM);
    out->len = (size_t)len;
    svr_cipher_wipe(&s);
}

/* One bit of ciphertext or tag is another one. */
static void flip(struct sealed *s, bool has_tag, unsigned number)
{
    size_t bits = 8 * (s->len + (has_tag ? sizeof(s->tag) : 0));
    size_t bit = number % bits;
    uint8_t *at =
        bit < 8 * s->len ? &s->buf[bit / 8] : &s->tag[bit / 8 - s->len];
    *at ^= (uint8_t)(1 << bit % 8);
}

static void try_cipher(const svr_cipher *c, const struct input *in, svr_span ad,
                       svr_span plain, struct sealed *s)
{
    uint8_t out[ROOM];
    bool aead = c->kind == SVR_CIPHER_AEAD;

    memset(s, 0, sizeof(*s));
    memcpy(s->buf, plain.data, plain.len);
    s->len = plain.len;
    check(!aead || open_copy(c, in, ad, s, out) == SVR_ERR_TAG);
    seal(c, in, ad, plain, s);
    check(open_copy(c, in, ad, s, out) == (ptrdiff_t)plain.len);
    check(plain.len == 0 || memcmp(out, plain.data, plain.len) == 0);
    struct sealed other = *s;
    flip(&other, aead, (unsigned)(in->bit[0] << 8 | in->bit[1]));
    ptrdiff_t len = open_copy(c, in, ad, &other, out);
    if (aead)
        check(len == SVR_ERR_TAG);
    else /* it proves nothing, but the bytes are others */
        check(len == SVR_ERR_TAG || len != (ptrdiff_t)plain.len ||
              memcmp(out, plain.data, plain.len) != 0);
}

void fuzz_one(const uint8_t *data, size_t len)
{
    static const char *const names[] = {
        "aes-gcm-256", "aes-gcm-128", "chacha20-poly1305",
        "aes-cbc-256", "aes-cbc-128", "xchacha20-poly1305"};
    struct input in;
    struct sealed one, two;
    svr_span ad = {0};

    if (len < sizeof(in) || svr_crypto_init() < 0)
        return;
    memcpy(&in, data, sizeof(in));
    svr_span plain = {data + sizeof(in), len - sizeof(in)};
    const char *name = names[in.cipher % (sizeof(names) / sizeof(names[0]))];
    const svr_cipher *own = svr_cipher_find(NULL, name);
    const svr_cipher *its = svr_cipher_find(more(), name);
    if (its && its->kind == SVR_CIPHER_AEAD) {
        ad.data = plain.data;
        ad.len = in.ad_len < plain.len ? in.ad_len : plain.len;
        plain.data += ad.len;
        plain.len -= ad.len;
    }
    if (plain.len > PLAIN_MAX)
        plain.len = PLAIN_MAX;
    if (its)
        try_cipher(its, &in, ad, plain, &one);
    if (own && own != its) {
        try_cipher(own, &in, ad, plain, &two);
        check(memcmp(&one, &two, sizeof(one)) == 0);
    }
}
