/*
 * What is public although it derives from secrets: whether a tag, a proof or a
 * padding was right. Everybody sees that from what becomes of the packet, and
 * the library may branch on it; that it is found without a branch on anything
 * else is what is shown. The linker puts these functions in place of those of
 * the library and of libsodium (-Wl,--wrap).
 */
#include "taint.h"

#include "crypto/exchange.h"
#include "crypto/primitive.h"

#include <sodium.h>

bool __real_svr__secret_equal(const uint8_t *a, const uint8_t *b, size_t len);
bool __wrap_svr__secret_equal(const uint8_t *a, const uint8_t *b, size_t len);

bool __wrap_svr__secret_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    bool equal = __real_svr__secret_equal(a, b, len);

    taint_public(&equal, sizeof(equal));
    return equal;
}

/* The length of what was sealed goes with it: the packet that leaves has it. */
uint32_t __real_svr__cbc_padding(const uint8_t *block);
uint32_t __wrap_svr__cbc_padding(const uint8_t *block);

uint32_t __wrap_svr__cbc_padding(const uint8_t *block)
{
    uint32_t pad = __real_svr__cbc_padding(block);

    taint_public(&pad, sizeof(pad));
    return pad;
}

/* The ids of type 16, which stand in the clear in every block. */
enum svr_exchange_verdict
__real_svr__finish_open(const svr__exchange_keys *k,
                        const uint8_t *peer_identity, svr_span sealed,
                        uint32_t *id, uint8_t metadata[SVR_KEY_SIZE]);
enum svr_exchange_verdict
__wrap_svr__finish_open(const svr__exchange_keys *k,
                        const uint8_t *peer_identity, svr_span sealed,
                        uint32_t *id, uint8_t metadata[SVR_KEY_SIZE]);

enum svr_exchange_verdict
__wrap_svr__finish_open(const svr__exchange_keys *k,
                        const uint8_t *peer_identity, svr_span sealed,
                        uint32_t *id, uint8_t metadata[SVR_KEY_SIZE])
{
    enum svr_exchange_verdict v =
        __real_svr__finish_open(k, peer_identity, sealed, id, metadata);

    taint_public(id, sizeof(*id));
    return v;
}

bool __real_svr__confirm_open(const uint8_t key[SVR_KEY_SIZE],
                              const uint8_t transcript[SVR__TRANSCRIPT],
                              svr_span sealed, uint32_t *id,
                              uint8_t metadata[SVR_KEY_SIZE]);
bool __wrap_svr__confirm_open(const uint8_t key[SVR_KEY_SIZE],
                              const uint8_t transcript[SVR__TRANSCRIPT],
                              svr_span sealed, uint32_t *id,
                              uint8_t metadata[SVR_KEY_SIZE]);

bool __wrap_svr__confirm_open(const uint8_t key[SVR_KEY_SIZE],
                              const uint8_t transcript[SVR__TRANSCRIPT],
                              svr_span sealed, uint32_t *id,
                              uint8_t metadata[SVR_KEY_SIZE])
{
    bool ok = __real_svr__confirm_open(key, transcript, sealed, id, metadata);

    taint_public(id, sizeof(*id));
    return ok;
}

/* libsodium's verdicts. */
#define AEAD(name)                                                         \
    int __real_crypto_aead_##name(                                         \
        unsigned char *m, unsigned char *nsec, const unsigned char *c,     \
        unsigned long long clen, const unsigned char *mac,                 \
        const unsigned char *ad, unsigned long long adlen,                 \
        const unsigned char *npub, const unsigned char *k);                \
    int __wrap_crypto_aead_##name(                                         \
        unsigned char *m, unsigned char *nsec, const unsigned char *c,     \
        unsigned long long clen, const unsigned char *mac,                 \
        const unsigned char *ad, unsigned long long adlen,                 \
        const unsigned char *npub, const unsigned char *k);                \
                                                                           \
    int __wrap_crypto_aead_##name(                                         \
        unsigned char *m, unsigned char *nsec, const unsigned char *c,     \
        unsigned long long clen, const unsigned char *mac,                 \
        const unsigned char *ad, unsigned long long adlen,                 \
        const unsigned char *npub, const unsigned char *k)                 \
    {                                                                      \
        int verdict = __real_crypto_aead_##name(m, nsec, c, clen, mac, ad, \
                                                adlen, npub, k);           \
        taint_public(&verdict, sizeof(verdict));                           \
        return verdict;                                                    \
    }

AEAD(chacha20poly1305_ietf_decrypt_detached)
AEAD(xchacha20poly1305_ietf_decrypt_detached)

int __real_crypto_aead_aes256gcm_decrypt_detached_afternm(
    unsigned char *m, unsigned char *nsec, const unsigned char *c,
    unsigned long long clen, const unsigned char *mac, const unsigned char *ad,
    unsigned long long adlen, const unsigned char *npub,
    const crypto_aead_aes256gcm_state *st);
int __wrap_crypto_aead_aes256gcm_decrypt_detached_afternm(
    unsigned char *m, unsigned char *nsec, const unsigned char *c,
    unsigned long long clen, const unsigned char *mac, const unsigned char *ad,
    unsigned long long adlen, const unsigned char *npub,
    const crypto_aead_aes256gcm_state *st);

int __wrap_crypto_aead_aes256gcm_decrypt_detached_afternm(
    unsigned char *m, unsigned char *nsec, const unsigned char *c,
    unsigned long long clen, const unsigned char *mac, const unsigned char *ad,
    unsigned long long adlen, const unsigned char *npub,
    const crypto_aead_aes256gcm_state *st)
{
    int verdict = __real_crypto_aead_aes256gcm_decrypt_detached_afternm(
        m, nsec, c, clen, mac, ad, adlen, npub, st);

    taint_public(&verdict, sizeof(verdict));
    return verdict;
}

/* Whether the other's point was fit for use; whether its signature is right. */
int __real_crypto_scalarmult(unsigned char *q, const unsigned char *n,
                             const unsigned char *p);
int __wrap_crypto_scalarmult(unsigned char *q, const unsigned char *n,
                             const unsigned char *p);

int __wrap_crypto_scalarmult(unsigned char *q, const unsigned char *n,
                             const unsigned char *p)
{
    int verdict = __real_crypto_scalarmult(q, n, p);

    taint_public(&verdict, sizeof(verdict));
    return verdict;
}

int __real_crypto_sign_verify_detached(const unsigned char *sig,
                                       const unsigned char *m,
                                       unsigned long long mlen,
                                       const unsigned char *pk);
int __wrap_crypto_sign_verify_detached(const unsigned char *sig,
                                       const unsigned char *m,
                                       unsigned long long mlen,
                                       const unsigned char *pk);

int __wrap_crypto_sign_verify_detached(const unsigned char *sig,
                                       const unsigned char *m,
                                       unsigned long long mlen,
                                       const unsigned char *pk)
{
    int verdict = __real_crypto_sign_verify_detached(sig, m, mlen, pk);

    taint_public(&verdict, sizeof(verdict));
    return verdict;
}
