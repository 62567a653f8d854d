#include <sodium.h>
#include <stdalign.h>
#include <string.h>

#include "crypto/primitive.h"

_Static_assert(sizeof(crypto_auth_hmacsha256_state) <= SVR_MAC_STATE_SIZE,
               "svr_mac holds the state of every HMAC");
_Static_assert(SVR_KEY_SIZE == crypto_auth_hmacsha256_KEYBYTES, "HMAC");
_Static_assert(SVR_KEY_SIZE >= crypto_generichash_KEYBYTES_MIN &&
                   SVR_KEY_SIZE <= crypto_generichash_KEYBYTES_MAX,
               "BLAKE2b");
_Static_assert(sizeof(crypto_generichash_state) <=
                       sizeof(((svr__blake2b *)NULL)->state) &&
                   alignof(crypto_generichash_state) <= alignof(svr__blake2b),
               "svr__blake2b holds the state");
_Static_assert(SVR_HASH_KEY_SIZE == crypto_shorthash_KEYBYTES, "SipHash");

int svr_crypto_init(void)
{
    return sodium_init() < 0 ? SVR_ERR_NO_ENTROPY : 0;
}

void svr_wipe(void *buf, size_t len)
{
    sodium_memzero(buf, len);
}

/* sodium_malloc puts the end of the block against the page that faults, so
 * only whole multiples of the alignment are aligned. */
void *svr_secret_alloc(size_t len)
{
    const size_t align = alignof(max_align_t);
    if (len > SIZE_MAX - align)
        return NULL;
    return sodium_malloc((len + align - 1) / align * align);
}

void svr_secret_free(void *ptr)
{
    sodium_free(ptr);
}

bool svr__secret_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    return sodium_memcmp(a, b, len) == 0;
}

static void key_sha256(uint8_t *state, const uint8_t key[SVR_KEY_SIZE])
{
    crypto_auth_hmacsha256_state st;
    crypto_auth_hmacsha256_init(&st, key, SVR_KEY_SIZE);
    memcpy(state, &st, sizeof(st));
    sodium_memzero(&st, sizeof(st));
}

/* Each message continues a copy of the keyed state, which saves hashing the
 * key's two blocks every time. */
static void sign_sha256(const uint8_t *state, const svr_span *parts,
                        size_t count, uint8_t *tag, size_t tag_len)
{
    crypto_auth_hmacsha256_state st;
    uint8_t whole[crypto_auth_hmacsha256_BYTES];
    memcpy(&st, state, sizeof(st));
    for (size_t i = 0; i < count; i++)
        crypto_auth_hmacsha256_update(&st, parts[i].data, parts[i].len);
    crypto_auth_hmacsha256_final(&st, whole);
    memcpy(tag, whole, tag_len);
    sodium_memzero(whole, sizeof(whole));
    sodium_memzero(&st, sizeof(st));
}

const svr_hmac svr_hmac_sha256 = {
    .name = "sha256",
    .tag_len = crypto_auth_hmacsha256_BYTES,
    .init = key_sha256,
    .sign = sign_sha256,
};

const svr_hmac svr_hmac_sha256_128 = {
    .name = "sha256-128",
    .tag_len = 16,
    .init = key_sha256,
    .sign = sign_sha256,
};

static crypto_generichash_state *blake2b_state(svr__blake2b *b)
{
    return (void *)b->state;
}

void svr__blake2b_init(svr__blake2b *b, const uint8_t key[SVR_KEY_SIZE])
{
    crypto_generichash_init(blake2b_state(b), key, SVR_KEY_SIZE, SVR_KEY_SIZE);
}

void svr__blake2b_update(svr__blake2b *b, svr_span piece)
{
    crypto_generichash_update(blake2b_state(b), piece.data, piece.len);
}

void svr__blake2b_final(svr__blake2b *b, uint8_t out[SVR_KEY_SIZE])
{
    crypto_generichash_final(blake2b_state(b), out, SVR_KEY_SIZE);
    sodium_memzero(b, sizeof(*b));
}

uint64_t svr_hash(const uint8_t key[SVR_HASH_KEY_SIZE], const void *data,
                  size_t len)
{
    uint8_t out[crypto_shorthash_BYTES];
    uint64_t hash = 0;
    crypto_shorthash(out, data, len, key);
    for (size_t i = sizeof(out); i-- > 0;)
        hash = hash << 8 | out[i]; /* SipHash is defined as little-endian */
    return hash;
}
