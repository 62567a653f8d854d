#include <assert.h>
#include <string.h>

#include "crypto/primitive.h"

/* S11.2 */
static const svr_hmac *const hmacs[] = {
    &svr_hmac_sha256,
    &svr_hmac_sha256_128,
};

const svr_hmac *svr_hmac_find(const char *name)
{
    for (size_t i = 0; i < sizeof(hmacs) / sizeof(hmacs[0]); i++) {
        if (strcmp(hmacs[i]->name, name) == 0)
            return hmacs[i];
    }
    return NULL;
}

void svr_mac_init(svr_mac *m, const svr_hmac *hmac,
                  const uint8_t key[SVR_KEY_SIZE])
{
    assert(hmac->tag_len <= SVR_TAG_MAX);
    m->hmac = hmac;
    hmac->init(m->state, key);
}

void svr_mac_sign(const svr_mac *m, const svr_span *parts, size_t count,
                  uint8_t *tag)
{
    m->hmac->sign(m->state, parts, count, tag, m->hmac->tag_len);
}

bool svr_mac_verify(const svr_mac *m, const svr_span *parts, size_t count,
                    const uint8_t *tag)
{
    uint8_t expected[SVR_TAG_MAX];
    svr_mac_sign(m, parts, count, expected);
    bool equal = svr__secret_equal(expected, tag, m->hmac->tag_len);
    svr_wipe(expected, sizeof(expected));
    return equal;
}

void svr_mac_wipe(svr_mac *m)
{
    svr_wipe(m, sizeof(*m));
}
