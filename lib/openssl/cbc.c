#include <openssl/err.h>

#include "openssl/parts.h"

enum {
    BLOCK = SVR_CBC_BLOCK,
};

static bool crypt(uint8_t *state, const uint8_t *iv, bool seal, uint8_t *buf,
                  size_t len)
{
    EVP_CIPHER_CTX *ctx = svr__context_of(state);
    int n;
    if (EVP_CipherInit_ex2(ctx, NULL, NULL, iv, seal, NULL) &&
        EVP_CipherUpdate(ctx, buf, &n, buf, (int)len) && (size_t)n == len)
        return true;
    ERR_clear_error();
    return false;
}

ptrdiff_t svr__cbc_seal(uint8_t *state, const uint8_t *iv, svr_span ad,
                        uint8_t *buf, size_t len, uint8_t *tag)
{
    size_t pad = BLOCK - len % BLOCK;
    (void)ad;
    (void)tag;
    memset(buf + len, (int)pad, pad);
    return crypt(state, iv, true, buf, len + pad) ? (ptrdiff_t)(len + pad)
                                                  : SVR_ERR_NO_MEMORY;
}

ptrdiff_t svr__cbc_open(uint8_t *state, const uint8_t *iv, svr_span ad,
                        uint8_t *buf, size_t len, const uint8_t *tag)
{
    uint32_t pad = 0;
    (void)ad;
    (void)tag;
    if (len > 0 && len % BLOCK == 0 && crypt(state, iv, false, buf, len))
        pad = svr__cbc_padding(buf + len - BLOCK);
    if (pad > 0)
        return (ptrdiff_t)(len - pad);
    OPENSSL_cleanse(buf, len);
    return SVR_ERR_TAG;
}
