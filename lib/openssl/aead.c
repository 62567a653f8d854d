#include <openssl/err.h>

#include "openssl/parts.h"

/* Lengths are at most SVR_CIPHER_LEN_MAX. */
static bool feed(EVP_CIPHER_CTX *ctx, svr_span ad, uint8_t *buf, size_t len)
{
    int n;
    return (ad.len == 0 ||
            EVP_CipherUpdate(ctx, NULL, &n, ad.data, (int)ad.len)) &&
           (len == 0 || EVP_CipherUpdate(ctx, buf, &n, buf, (int)len));
}

ptrdiff_t svr__aead_seal(uint8_t *state, const uint8_t *nonce, svr_span ad,
                         uint8_t *buf, size_t len, uint8_t *tag)
{
    EVP_CIPHER_CTX *ctx = svr__context_of(state);
    uint8_t none[1];
    int n;
    if (EVP_EncryptInit_ex2(ctx, NULL, NULL, nonce, NULL) &&
        feed(ctx, ad, buf, len) && EVP_EncryptFinal_ex(ctx, none, &n) &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SVR_SEAL_TAG_SIZE, tag))
        return (ptrdiff_t)len;
    ERR_clear_error();
    return SVR_ERR_NO_MEMORY;
}

/* libcrypto decrypts before it knows whether the tag is right. */
ptrdiff_t svr__aead_open(uint8_t *state, const uint8_t *nonce, svr_span ad,
                         uint8_t *buf, size_t len, const uint8_t *tag)
{
    EVP_CIPHER_CTX *ctx = svr__context_of(state);
    uint8_t none[1];
    int n;
    if (EVP_DecryptInit_ex2(ctx, NULL, NULL, nonce, NULL) &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SVR_SEAL_TAG_SIZE,
                            (void *)tag) &&
        feed(ctx, ad, buf, len) && EVP_DecryptFinal_ex(ctx, none, &n))
        return (ptrdiff_t)len;
    OPENSSL_cleanse(buf, len);
    ERR_clear_error();
    return SVR_ERR_TAG;
}
