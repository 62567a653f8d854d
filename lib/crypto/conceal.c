/* The payload section of metadata is sealed and opened (S11.5, S12.2). */
#include <svr/payload.h>

#include "base/bytes.h"

#include <string.h>

enum {
    /* In a block's base header (S2.2). */
    HEADER_LEN_AT = 8,
    PAYLOAD_LEN_AT = 10,
    HEADER_LEN_MASK = 0xfff,
};

_Static_assert(SVR_CBC_BLOCK == SVR_SEAL_TAG_SIZE, "what is added at least");

static size_t header_len_of(const uint8_t *block)
{
    return svr__load_be16(block + HEADER_LEN_AT) & HEADER_LEN_MASK;
}

const svr_cipher *svr_metadata_cipher(const svr_cipher *payload)
{
    return payload->kind == SVR_CIPHER_CBC ? payload
                                           : &svr_cipher_xchacha20_poly1305;
}

size_t svr_metadata_growth(const svr_cipher *c, size_t len)
{
    if (len == 0)
        return 0;
    if (c->kind == SVR_CIPHER_CBC)
        return SVR_CBC_BLOCK - len % SVR_CBC_BLOCK + c->nonce_len;
    return SVR_SEAL_TAG_SIZE + c->nonce_len;
}

/*
 * Our own layout (S12.2, S12.6): label "svr metadata", with the parts name of
 * the receiver, u32 generation.
 */
void svr_metadata_key_derive(uint8_t out[SVR_KEY_SIZE],
                             const uint8_t shared[SVR_KEY_SIZE],
                             const char *receiver, uint32_t generation)
{
    uint8_t number[4];
    const svr_span parts[] = {{(const uint8_t *)receiver, strlen(receiver)},
                              {number, sizeof(number)}};
    svr__store_be32(number, generation);
    svr_kdf(out, shared, "svr metadata", parts, 2);
}

ptrdiff_t svr_metadata_seal(svr_cipher_state *key, const svr_random *random,
                            uint8_t *buf, size_t cap, size_t len)
{
    size_t header_len = header_len_of(buf);
    size_t clear_len = len - header_len;
    size_t growth = svr_metadata_growth(key->cipher, clear_len);
    size_t nonce_len = key->cipher->nonce_len;
    uint8_t nonce[SVR_NONCE_MAX];

    if (growth == 0)
        return (ptrdiff_t)len;
    if (len + growth > cap)
        return SVR_ERR_NO_SPACE;
    /* As it is sent, since it is part of what the tag covers. */
    svr__store_be16(buf + PAYLOAD_LEN_AT, (uint16_t)(clear_len + growth));
    bool cbc = key->cipher->kind == SVR_CIPHER_CBC;
    uint8_t *end = buf + len + growth - nonce_len;
    random->fill(random->user, nonce, nonce_len);
    ptrdiff_t sealed = svr_cipher_seal(
        key, nonce, cbc ? (svr_span){0} : (svr_span){buf, header_len},
        buf + header_len, clear_len, cbc ? NULL : end - SVR_SEAL_TAG_SIZE);
    if (sealed < 0)
        return sealed;
    memcpy(end, nonce, nonce_len);
    return (ptrdiff_t)(len + growth);
}

ptrdiff_t svr_metadata_open(svr_cipher_state *key, uint8_t *buf,
                            const svr_block *b)
{
    bool cbc = key->cipher->kind == SVR_CIPHER_CBC;
    size_t nonce_len = key->cipher->nonce_len;
    /* The tag; of CBC, which has none, the one block that there is at least. */
    size_t added = nonce_len + SVR_SEAL_TAG_SIZE;

    if (b->payload_len == 0)
        return 0;
    if (b->payload_len < added)
        return SVR_ERR_TAG;
    uint8_t *section = buf + b->header_len;
    const uint8_t *nonce = section + b->payload_len - nonce_len;
    size_t len = b->payload_len - nonce_len - (cbc ? 0 : SVR_SEAL_TAG_SIZE);
    ptrdiff_t opened = svr_cipher_open(
        key, nonce, cbc ? (svr_span){0} : (svr_span){buf, b->header_len},
        section, len, cbc ? NULL : section + len);
    return opened < 0 ? SVR_ERR_TAG : opened;
}
