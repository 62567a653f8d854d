#include <openssl/err.h>

#include "openssl/parts.h"

/* A context that is keyed already takes another key without new memory. CBC is
 * padded in cbc.c. */
static bool key_context(EVP_CIPHER_CTX *ctx, const svr_cipher *c, bool fresh,
                        enum svr_cipher_use use, const uint8_t *key)
{
    return EVP_CipherInit_ex2(ctx, fresh ? c->impl : NULL, key, NULL,
                              use == SVR_CIPHER_SEAL, NULL) &&
           EVP_CIPHER_CTX_set_padding(ctx, 0);
}

int svr__cipher_key(const svr_cipher *c, uint8_t *state,
                    enum svr_cipher_use use, const uint8_t *key)
{
    EVP_CIPHER_CTX *old = svr__context_of(state);
    EVP_CIPHER_CTX *ctx = old ? old : EVP_CIPHER_CTX_new();
    svr__context_set(state, ctx);
    if (!ctx || !key_context(ctx, c, !old, use, key)) {
        svr__cipher_fini(state);
        ERR_clear_error();
        return SVR_ERR_NO_MEMORY;
    }
    return 0;
}

void svr__cipher_fini(uint8_t *state)
{
    EVP_CIPHER_CTX_free(svr__context_of(state));
    svr__context_set(state, NULL);
}

bool svr__cipher_make(svr_cipher *out, const char *name, const char *algorithm,
                      enum svr_cipher_kind kind)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, algorithm, NULL);
    if (!cipher) {
        ERR_clear_error();
        return false;
    }
    *out = (svr_cipher){
        .name = name,
        .provider = SVR__LIBCRYPTO,
        .impl = cipher,
        .kind = kind,
        .key_len = (size_t)EVP_CIPHER_get_key_length(cipher),
        .nonce_len = (size_t)EVP_CIPHER_get_iv_length(cipher),
        .init = svr__cipher_key,
        .fini = svr__cipher_fini,
        .seal = kind == SVR_CIPHER_AEAD ? svr__aead_seal : svr__cbc_seal,
        .open = kind == SVR_CIPHER_AEAD ? svr__aead_open : svr__cbc_open,
    };
    return true;
}

void svr__cipher_drop(const svr_cipher *c)
{
    EVP_CIPHER_free((EVP_CIPHER *)c->impl);
}
