/*
 * parts.h - the three families of algorithms that openssl.c puts into one
 * svr_suites.
 *
 * A keyed state is one pointer to a context of libcrypto. A function of
 * libcrypto that fails leaves an entry in its thread's list of errors; whoever
 * calls one here clears it.
 */
#ifndef SVR__OPENSSL_PARTS_H
#define SVR__OPENSSL_PARTS_H

#include <openssl/evp.h>
#include <string.h>
#include <svr/crypto.h>

#define SVR__LIBCRYPTO "libcrypto"

/* The context that a state refers to; NULL: it is not keyed. */
static inline void *svr__context_of(const uint8_t *state)
{
    void *context;
    memcpy(&context, state, sizeof(context));
    return context;
}

static inline void svr__context_set(uint8_t *state, void *context)
{
    memcpy(state, &context, sizeof(context));
}

/* Each makes a descriptor whose impl is what libcrypto calls `algorithm`; false
 * where it has none, or no memory. fini gives impl back. */
bool svr__hmac_make(svr_hmac *out, const char *name, const char *algorithm,
                    size_t tag_len);
void svr__hmac_drop(const svr_hmac *h);

bool svr__cipher_make(svr_cipher *out, const char *name, const char *algorithm,
                      enum svr_cipher_kind kind);
void svr__cipher_drop(const svr_cipher *c);

/* cipher.c: a context that is keyed for the use, for both kinds. */
int svr__cipher_key(const svr_cipher *c, uint8_t *state,
                    enum svr_cipher_use use, const uint8_t *key);
void svr__cipher_fini(uint8_t *state);

/* aead.c, cbc.c */
ptrdiff_t svr__aead_seal(uint8_t *state, const uint8_t *nonce, svr_span ad,
                         uint8_t *buf, size_t len, uint8_t *tag);
ptrdiff_t svr__aead_open(uint8_t *state, const uint8_t *nonce, svr_span ad,
                         uint8_t *buf, size_t len, const uint8_t *tag);
ptrdiff_t svr__cbc_seal(uint8_t *state, const uint8_t *iv, svr_span ad,
                        uint8_t *buf, size_t len, uint8_t *tag);
ptrdiff_t svr__cbc_open(uint8_t *state, const uint8_t *iv, svr_span ad,
                        uint8_t *buf, size_t len, const uint8_t *tag);

/* padding.c: how many bytes of padding end a block of SVR_CBC_BLOCK bytes; 0
 * where they are wrong. Takes the same time whatever they are. */
uint32_t svr__cbc_padding(const uint8_t *block);

#endif
