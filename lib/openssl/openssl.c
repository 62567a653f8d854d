#include <openssl/crypto.h>
#include <svr/openssl.h>

#include "openssl/parts.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* S11.2 */
static const struct {
    const char *name, *algorithm;
    size_t tag_len;
} hmacs[] = {
    {"sha1", "SHA1", 20},         {"sha256", "SHA256", 32},
    {"sha256-128", "SHA256", 16}, {"sha384", "SHA384", 48},
    {"sha512", "SHA512", 64},
};

/* S11.5 */
static const struct {
    const char *name, *algorithm;
    enum svr_cipher_kind kind;
} ciphers[] = {
    {"aes-cbc-128", "AES-128-CBC", SVR_CIPHER_CBC},
    {"aes-cbc-256", "AES-256-CBC", SVR_CIPHER_CBC},
    {"aes-gcm-128", "AES-128-GCM", SVR_CIPHER_AEAD},
    {"aes-gcm-256", "AES-256-GCM", SVR_CIPHER_AEAD},
    {"chacha20-poly1305", "ChaCha20-Poly1305", SVR_CIPHER_AEAD},
};

/* The list that a program gets, with all that it refers to. */
struct lists {
    svr_suites suites; /* first */
    const svr_hmac *hmac_list[COUNT(hmacs)];
    const svr_cipher *cipher_list[COUNT(ciphers)];
    svr_hmac hmacs[COUNT(hmacs)];
    svr_cipher ciphers[COUNT(ciphers)];
};

const svr_suites *svr_openssl_open(void)
{
    struct lists *l = OPENSSL_zalloc(sizeof(*l));
    if (!l)
        return NULL;
    l->suites.hmacs = l->hmac_list;
    l->suites.ciphers = l->cipher_list;
    for (size_t i = 0; i < COUNT(hmacs); i++) {
        svr_hmac *h = &l->hmacs[l->suites.hmac_count];
        if (svr__hmac_make(h, hmacs[i].name, hmacs[i].algorithm,
                           hmacs[i].tag_len))
            l->hmac_list[l->suites.hmac_count++] = h;
    }
    for (size_t i = 0; i < COUNT(ciphers); i++) {
        svr_cipher *c = &l->ciphers[l->suites.cipher_count];
        if (svr__cipher_make(c, ciphers[i].name, ciphers[i].algorithm,
                             ciphers[i].kind))
            l->cipher_list[l->suites.cipher_count++] = c;
    }
    return &l->suites;
}

void svr_openssl_close(const svr_suites *suites)
{
    if (!suites)
        return;
    for (size_t i = 0; i < suites->hmac_count; i++)
        svr__hmac_drop(suites->hmacs[i]);
    for (size_t i = 0; i < suites->cipher_count; i++)
        svr__cipher_drop(suites->ciphers[i]);
    OPENSSL_free((void *)suites);
}
