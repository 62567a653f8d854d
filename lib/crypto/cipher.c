#include <assert.h>
#include <string.h>

#include <svr/crypto.h>

int svr_cipher_init(svr_cipher_state *s, const svr_cipher *cipher,
                    enum svr_cipher_use use, const uint8_t key[SVR_KEY_SIZE])
{
    assert(cipher->key_len <= SVR_KEY_SIZE);
    assert(cipher->nonce_len <= SVR_NONCE_MAX);
    if (s->cipher != cipher || s->use != use)
        svr_cipher_wipe(s);
    s->cipher = cipher;
    s->use = use;
    int err = cipher->available && !cipher->available()
                  ? SVR_ERR_UNSUPPORTED
                  : cipher->init(cipher, s->state, use, key);
    if (err < 0)
        svr_cipher_wipe(s);
    return err;
}

static bool is_for(const svr_cipher_state *s, enum svr_cipher_use use,
                   svr_span ad)
{
    return s->cipher && s->use == use &&
           (s->cipher->kind == SVR_CIPHER_AEAD || ad.len == 0);
}

ptrdiff_t svr_cipher_seal(svr_cipher_state *s, const uint8_t *nonce,
                          svr_span ad, uint8_t *buf, size_t len, uint8_t *tag)
{
    if (!is_for(s, SVR_CIPHER_SEAL, ad))
        return SVR_ERR_ARGUMENT;
    if (len > SVR_CIPHER_LEN_MAX || ad.len > SVR_CIPHER_LEN_MAX)
        return SVR_ERR_LENGTH;
    return s->cipher->seal(s->state, nonce, ad, buf, len, tag);
}

ptrdiff_t svr_cipher_open(svr_cipher_state *s, const uint8_t *nonce,
                          svr_span ad, uint8_t *buf, size_t len,
                          const uint8_t *tag)
{
    if (!is_for(s, SVR_CIPHER_OPEN, ad))
        return SVR_ERR_ARGUMENT;
    if (len > SVR_CIPHER_LEN_MAX || ad.len > SVR_CIPHER_LEN_MAX)
        return SVR_ERR_TAG;
    return s->cipher->open(s->state, nonce, ad, buf, len, tag);
}

void svr_cipher_wipe(svr_cipher_state *s)
{
    if (s->cipher && s->cipher->fini)
        s->cipher->fini(s->state);
    svr_wipe(s, sizeof(*s));
}
