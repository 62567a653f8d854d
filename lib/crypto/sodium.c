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
_Static_assert(sizeof(crypto_auth_hmacsha512_state) <= SVR_MAC_STATE_SIZE &&
                   SVR_KEY_SIZE == crypto_auth_hmacsha512_KEYBYTES &&
                   SVR_TAG_MAX >= crypto_auth_hmacsha512_BYTES,
               "HMAC-SHA-512");
_Static_assert(sizeof(crypto_aead_aes256gcm_state) <= SVR_CIPHER_STATE_SIZE &&
                   alignof(crypto_aead_aes256gcm_state) <= 16,
               "svr_cipher_state holds every key schedule");
_Static_assert(SVR_SEAL_TAG_SIZE == crypto_aead_aes256gcm_ABYTES, "tag");
_Static_assert(SVR_SEAL_TAG_SIZE == crypto_aead_chacha20poly1305_ietf_ABYTES,
               "tag");
_Static_assert(SVR_SEAL_TAG_SIZE == crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "tag");
_Static_assert(SVR_X25519_SIZE == crypto_scalarmult_BYTES, "point");
_Static_assert(SVR_X25519_SIZE == crypto_scalarmult_SCALARBYTES, "scalar");
_Static_assert(SVR_ED25519_PUBLIC_SIZE == crypto_sign_PUBLICKEYBYTES, "public");
_Static_assert(SVR_ED25519_SECRET_SIZE == crypto_sign_SECRETKEYBYTES, "secret");
_Static_assert(SVR_ED25519_SEED_SIZE == crypto_sign_SEEDBYTES, "seed");
_Static_assert(SVR_ED25519_SIGNATURE_SIZE == crypto_sign_BYTES, "signature");

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

static int key_sha256(const svr_hmac *h, uint8_t *state,
                      const uint8_t key[SVR_KEY_SIZE])
{
    crypto_auth_hmacsha256_state st;
    (void)h;
    crypto_auth_hmacsha256_init(&st, key, SVR_KEY_SIZE);
    memcpy(state, &st, sizeof(st));
    sodium_memzero(&st, sizeof(st));
    return 0;
}

/* Each message continues a copy of the keyed state, which saves hashing the
 * key's two blocks every time. */
static int sign_sha256(const uint8_t *state, const svr_span *parts,
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
    return 0;
}

static int key_sha512(const svr_hmac *h, uint8_t *state,
                      const uint8_t key[SVR_KEY_SIZE])
{
    crypto_auth_hmacsha512_state st;
    (void)h;
    crypto_auth_hmacsha512_init(&st, key, SVR_KEY_SIZE);
    memcpy(state, &st, sizeof(st));
    sodium_memzero(&st, sizeof(st));
    return 0;
}

static int sign_sha512(const uint8_t *state, const svr_span *parts,
                       size_t count, uint8_t *tag, size_t tag_len)
{
    crypto_auth_hmacsha512_state st;
    uint8_t whole[crypto_auth_hmacsha512_BYTES];
    memcpy(&st, state, sizeof(st));
    for (size_t i = 0; i < count; i++)
        crypto_auth_hmacsha512_update(&st, parts[i].data, parts[i].len);
    crypto_auth_hmacsha512_final(&st, whole);
    memcpy(tag, whole, tag_len);
    sodium_memzero(whole, sizeof(whole));
    sodium_memzero(&st, sizeof(st));
    return 0;
}

const svr_hmac svr_hmac_sha256 = {
    .name = "sha256",
    .provider = "libsodium",
    .tag_len = crypto_auth_hmacsha256_BYTES,
    .init = key_sha256,
    .sign = sign_sha256,
};

const svr_hmac svr_hmac_sha256_128 = {
    .name = "sha256-128",
    .provider = "libsodium",
    .tag_len = 16,
    .init = key_sha256,
    .sign = sign_sha256,
};

const svr_hmac svr_hmac_sha512 = {
    .name = "sha512",
    .provider = "libsodium",
    .tag_len = crypto_auth_hmacsha512_BYTES,
    .init = key_sha512,
    .sign = sign_sha512,
};

static bool has_aes(void)
{
    return crypto_aead_aes256gcm_is_available();
}

static int key_aes(const svr_cipher *c, uint8_t *state, enum svr_cipher_use use,
                   const uint8_t *key)
{
    (void)c;
    (void)use;
    crypto_aead_aes256gcm_beforenm((void *)state, key);
    return 0;
}

static ptrdiff_t seal_aes(uint8_t *state, const uint8_t *nonce, svr_span ad,
                          uint8_t *buf, size_t len, uint8_t *tag)
{
    crypto_aead_aes256gcm_encrypt_detached_afternm(
        buf, tag, NULL, buf, len, ad.data, ad.len, NULL, nonce, (void *)state);
    return (ptrdiff_t)len;
}

static ptrdiff_t open_aes(uint8_t *state, const uint8_t *nonce, svr_span ad,
                          uint8_t *buf, size_t len, const uint8_t *tag)
{
    if (crypto_aead_aes256gcm_decrypt_detached_afternm(
            buf, NULL, buf, len, tag, ad.data, ad.len, nonce, (void *)state))
        return SVR_ERR_TAG;
    return (ptrdiff_t)len;
}

/* The key is all there is to keep. */
static int key_chacha20(const svr_cipher *c, uint8_t *state,
                        enum svr_cipher_use use, const uint8_t *key)
{
    (void)use;
    memcpy(state, key, c->key_len);
    return 0;
}

static ptrdiff_t seal_chacha20(uint8_t *state, const uint8_t *nonce,
                               svr_span ad, uint8_t *buf, size_t len,
                               uint8_t *tag)
{
    crypto_aead_chacha20poly1305_ietf_encrypt_detached(
        buf, tag, NULL, buf, len, ad.data, ad.len, NULL, nonce, state);
    return (ptrdiff_t)len;
}

static ptrdiff_t open_chacha20(uint8_t *state, const uint8_t *nonce,
                               svr_span ad, uint8_t *buf, size_t len,
                               const uint8_t *tag)
{
    if (crypto_aead_chacha20poly1305_ietf_decrypt_detached(
            buf, NULL, buf, len, tag, ad.data, ad.len, nonce, state))
        return SVR_ERR_TAG;
    return (ptrdiff_t)len;
}

static ptrdiff_t seal_xchacha20(uint8_t *state, const uint8_t *nonce,
                                svr_span ad, uint8_t *buf, size_t len,
                                uint8_t *tag)
{
    crypto_aead_xchacha20poly1305_ietf_encrypt_detached(
        buf, tag, NULL, buf, len, ad.data, ad.len, NULL, nonce, state);
    return (ptrdiff_t)len;
}

static ptrdiff_t open_xchacha20(uint8_t *state, const uint8_t *nonce,
                                svr_span ad, uint8_t *buf, size_t len,
                                const uint8_t *tag)
{
    if (crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
            buf, NULL, buf, len, tag, ad.data, ad.len, nonce, state))
        return SVR_ERR_TAG;
    return (ptrdiff_t)len;
}

const svr_cipher svr_cipher_aes_gcm_256 = {
    .name = "aes-gcm-256",
    .provider = "libsodium",
    .kind = SVR_CIPHER_AEAD,
    .key_len = crypto_aead_aes256gcm_KEYBYTES,
    .nonce_len = crypto_aead_aes256gcm_NPUBBYTES,
    .available = has_aes,
    .init = key_aes,
    .seal = seal_aes,
    .open = open_aes,
};

const svr_cipher svr_cipher_chacha20_poly1305 = {
    .name = "chacha20-poly1305",
    .provider = "libsodium",
    .kind = SVR_CIPHER_AEAD,
    .key_len = crypto_aead_chacha20poly1305_ietf_KEYBYTES,
    .nonce_len = crypto_aead_chacha20poly1305_ietf_NPUBBYTES,
    .init = key_chacha20,
    .seal = seal_chacha20,
    .open = open_chacha20,
};

const svr_cipher svr_cipher_xchacha20_poly1305 = {
    .name = "xchacha20-poly1305",
    .provider = "libsodium",
    .kind = SVR_CIPHER_AEAD,
    .key_len = crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
    .nonce_len = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    .init = key_chacha20,
    .seal = seal_xchacha20,
    .open = open_xchacha20,
};

void svr_x25519_public(uint8_t public_key[SVR_X25519_SIZE],
                       const uint8_t secret[SVR_X25519_SIZE])
{
    crypto_scalarmult_base(public_key, secret);
}

/* libsodium refuses results that are zero, after it has written them. */
int svr_x25519_shared(uint8_t shared[SVR_X25519_SIZE],
                      const uint8_t secret[SVR_X25519_SIZE],
                      const uint8_t public_key[SVR_X25519_SIZE])
{
    uint8_t out[SVR_X25519_SIZE];
    bool ok = crypto_scalarmult(out, secret, public_key) == 0;
    if (ok)
        memcpy(shared, out, sizeof(out));
    sodium_memzero(out, sizeof(out));
    return ok ? 0 : SVR_ERR_VALUE;
}

void svr_ed25519_keypair(uint8_t public_key[SVR_ED25519_PUBLIC_SIZE],
                         uint8_t secret[SVR_ED25519_SECRET_SIZE],
                         const uint8_t seed[SVR_ED25519_SEED_SIZE])
{
    crypto_sign_seed_keypair(public_key, secret, seed);
}

void svr_ed25519_sign(uint8_t signature[SVR_ED25519_SIGNATURE_SIZE],
                      svr_span message,
                      const uint8_t secret[SVR_ED25519_SECRET_SIZE])
{
    crypto_sign_detached(signature, NULL, message.data, message.len, secret);
}

bool svr_ed25519_verify(const uint8_t signature[SVR_ED25519_SIGNATURE_SIZE],
                        svr_span message,
                        const uint8_t public_key[SVR_ED25519_PUBLIC_SIZE])
{
    return crypto_sign_verify_detached(signature, message.data, message.len,
                                       public_key) == 0;
}

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
