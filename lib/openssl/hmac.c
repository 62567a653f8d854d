#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include "openssl/parts.h"

/* A copy of the context that knows the hash is made faster than a new one. */
static int key_hmac(const svr_hmac *h, uint8_t *state,
                    const uint8_t key[SVR_KEY_SIZE])
{
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(h->impl);
    if (!ctx || !EVP_MAC_init(ctx, key, SVR_KEY_SIZE, NULL)) {
        EVP_MAC_CTX_free(ctx);
        ERR_clear_error();
        return SVR_ERR_NO_MEMORY;
    }
    svr__context_set(state, ctx);
    return 0;
}

static void fini_hmac(uint8_t *state)
{
    EVP_MAC_CTX_free(svr__context_of(state));
    svr__context_set(state, NULL);
}

static bool digest(EVP_MAC_CTX *ctx, const svr_span *parts, size_t count,
                   uint8_t whole[SVR_TAG_MAX])
{
    size_t len;
    if (!ctx || !EVP_MAC_init(ctx, NULL, 0, NULL))
        return false;
    for (size_t i = 0; i < count; i++)
        if (parts[i].len > 0 &&
            !EVP_MAC_update(ctx, parts[i].data, parts[i].len))
            return false;
    return EVP_MAC_final(ctx, whole, &len, SVR_TAG_MAX);
}

static int sign_hmac(const uint8_t *state, const svr_span *parts, size_t count,
                     uint8_t *tag, size_t tag_len)
{
    uint8_t whole[SVR_TAG_MAX];
    bool ok = digest(svr__context_of(state), parts, count, whole);
    if (ok)
        memcpy(tag, whole, tag_len);
    else
        ERR_clear_error();
    OPENSSL_cleanse(whole, sizeof(whole));
    return ok ? 0 : SVR_ERR_NO_MEMORY;
}

static bool set_hash(EVP_MAC_CTX *ctx, const char *algorithm)
{
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                         (char *)algorithm, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(ctx, params);
}

bool svr__hmac_make(svr_hmac *out, const char *name, const char *algorithm,
                    size_t tag_len)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac); /* the context keeps it */
    if (!ctx || !set_hash(ctx, algorithm)) {
        EVP_MAC_CTX_free(ctx);
        ERR_clear_error();
        return false;
    }
    *out = (svr_hmac){
        .name = name,
        .provider = SVR__LIBCRYPTO,
        .impl = ctx,
        .tag_len = tag_len,
        .init = key_hmac,
        .fini = fini_hmac,
        .sign = sign_hmac,
    };
    return true;
}

void svr__hmac_drop(const svr_hmac *h)
{
    EVP_MAC_CTX_free((EVP_MAC_CTX *)h->impl);
}
