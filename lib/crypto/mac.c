#include <assert.h>
#include <string.h>

#include "crypto/primitive.h"

int svr_mac_init(svr_mac *m, const svr_hmac *hmac,
                 const uint8_t key[SVR_KEY_SIZE])
{
    assert(hmac->tag_len <= SVR_TAG_MAX);
    m->hmac = hmac;
    memset(m->state, 0, sizeof(m->state));
    return hmac->init(hmac, m->state, key);
}

int svr_mac_sign(const svr_mac *m, const svr_span *parts, size_t count,
                 uint8_t *tag)
{
    size_t tag_len = m->hmac->tag_len;
    int err = m->hmac->sign(m->state, parts, count, tag, tag_len);
    if (err < 0)
        memset(tag, 0, tag_len);
    return err;
}

bool svr_mac_verify(const svr_mac *m, const svr_span *parts, size_t count,
                    const uint8_t *tag)
{
    uint8_t expected[SVR_TAG_MAX];
    bool equal = svr_mac_sign(m, parts, count, expected) == 0 &&
                 svr__secret_equal(expected, tag, m->hmac->tag_len);
    svr_wipe(expected, sizeof(expected));
    return equal;
}

void svr_mac_wipe(svr_mac *m)
{
    if (m->hmac && m->hmac->fini)
        m->hmac->fini(m->state);
    svr_wipe(m, sizeof(*m));
}
