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

/* All ones where a < b, else zero; both are below 2^31. */
static uint32_t mask_below(uint32_t a, uint32_t b)
{
    return 0 - ((a - b) >> 31);
}

/* How many bytes of padding end the block; 0 where they are wrong. Takes the
 * same time whatever they are. */
static uint32_t padding_of(const uint8_t block[BLOCK])
{
    uint32_t pad = block[BLOCK - 1];
    uint32_t wrong = mask_below(pad, 1) | mask_below(BLOCK, pad);
    for (uint32_t i = 0; i < BLOCK; i++)
        wrong |= mask_below(i, pad) & (block[BLOCK - 1 - i] ^ pad);
    return pad & mask_below(wrong & 0x7fffffff, 1);
}

ptrdiff_t svr__cbc_open(uint8_t *state, const uint8_t *iv, svr_span ad,
                        uint8_t *buf, size_t len, const uint8_t *tag)
{
    uint32_t pad = 0;
    (void)ad;
    (void)tag;
    if (len > 0 && len % BLOCK == 0 && crypt(state, iv, false, buf, len))
        pad = padding_of(buf + len - BLOCK);
    if (pad > 0)
        return (ptrdiff_t)(len - pad);
    OPENSSL_cleanse(buf, len);
    return SVR_ERR_TAG;
}
