/* Payloads are sealed and opened (S11.5, S12.6). */
#include <svr/payload.h>

#include "base/bytes.h"
#include "crypto/bind.h"
#include "crypto/window.h"

#include <string.h>

enum {
    COUNTER_SIZE = 8,
    NONCE_SIZE = 12,
    IV_SIZE = SVR_CBC_BLOCK,
    EPOCH_BIT = 0x80, /* of the first byte of counter or IV */
    DATA_MAX = sizeof(svr_uuid) + 1 + COUNTER_SIZE + SVR__BIND_MAX,
};

#define EPOCH ((uint64_t)1 << 63)

_Static_assert((int)SVR_SEAL_TAG_SIZE + COUNTER_SIZE <= SVR_PAYLOAD_GROWTH_MAX,
               "AEAD");
_Static_assert((int)SVR_CBC_BLOCK + IV_SIZE <= SVR_PAYLOAD_GROWTH_MAX, "CBC");

static bool is_cbc(const svr_cipher *c)
{
    return c->kind == SVR_CIPHER_CBC;
}

uint8_t svr_payload_cipher_number(const svr_cipher *c)
{
    static const char *const names[] = {"aes-gcm-256", "aes-gcm-128",
                                        "chacha20-poly1305", "aes-cbc-256",
                                        "aes-cbc-128"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(c->name, names[i]) == 0)
            return (uint8_t)(i + 1);
    return 0;
}

size_t svr_payload_growth(const svr_cipher *c, size_t len)
{
    if (!is_cbc(c))
        return (size_t)SVR_SEAL_TAG_SIZE + COUNTER_SIZE;
    return (size_t)SVR_CBC_BLOCK - len % SVR_CBC_BLOCK + IV_SIZE;
}

size_t svr_payload_growth_max(const svr_cipher *c)
{
    return svr_payload_growth(c, 0);
}

/*
 * Our own layout (S12.6): label "svr payload", with the parts UUID, u8
 * direction, salt.
 */
static void derive(uint8_t out[SVR_KEY_SIZE], const uint8_t key[SVR_KEY_SIZE],
                   const svr_payload_scope *scope, const uint8_t *salt)
{
    uint8_t direction = (uint8_t)scope->direction;
    const svr_span parts[] = {{scope->uuid.b, sizeof(scope->uuid.b)},
                              {&direction, 1},
                              {salt, SVR_SALT_SIZE}};
    svr_kdf(out, key, "svr payload", parts, 3);
}

static int key_cipher(svr_cipher_state *c, const svr_cipher *cipher,
                      enum svr_cipher_use use, const svr_payload_scope *scope,
                      const uint8_t key[SVR_KEY_SIZE], const uint8_t *salt)
{
    uint8_t own[SVR_KEY_SIZE];
    derive(own, key, scope, salt);
    int err = svr_cipher_init(c, cipher, use, own);
    svr_wipe(own, sizeof(own));
    return err;
}

int svr_payload_sender_init(svr_payload_sender *s, const svr_cipher *cipher,
                            const svr_payload_scope *scope,
                            const uint8_t key[SVR_KEY_SIZE],
                            const svr_random *random)
{
    random->fill(random->user, s->salt, SVR_SALT_SIZE);
    s->epoch = !s->epoch;
    s->scope = *scope;
    s->next = 0;
    int err =
        key_cipher(&s->cipher, cipher, SVR_CIPHER_SEAL, scope, key, s->salt);
    if (err == 0)
        s->next = 1;
    return err;
}

/* The associated data of an AEAD; counter: as it is sent. */
static svr_span associate(uint8_t buf[DATA_MAX], const svr_payload_scope *scope,
                          const uint8_t *counter, const svr_tcp_bind *bind)
{
    size_t len = sizeof(scope->uuid.b);

    memcpy(buf, scope->uuid.b, len);
    buf[len++] = (uint8_t)scope->direction;
    memcpy(buf + len, counter, COUNTER_SIZE);
    len += COUNTER_SIZE;
    if (bind)
        len += svr__bind_write(buf + len, bind);
    return (svr_span){buf, len};
}

static void make_nonce(uint8_t nonce[NONCE_SIZE], const uint8_t *counter)
{
    memset(nonce, 0, NONCE_SIZE - COUNTER_SIZE);
    memcpy(nonce + NONCE_SIZE - COUNTER_SIZE, counter, COUNTER_SIZE);
}

/* The counter is used up before anything is done under it. */
static ptrdiff_t seal_aead(svr_payload_sender *s, const svr_tcp_bind *bind,
                           uint8_t *buf, size_t len)
{
    uint8_t data[DATA_MAX], nonce[NONCE_SIZE];
    uint8_t *counter = buf + len + SVR_SEAL_TAG_SIZE;

    svr__store_be64(counter, s->next | (s->epoch ? EPOCH : 0));
    s->next = (s->next + 1) & ~EPOCH; /* 0: that was the last one */
    make_nonce(nonce, counter);
    ptrdiff_t sealed = svr_cipher_seal(
        &s->cipher, nonce, associate(data, &s->scope, counter, bind), buf, len,
        buf + len);
    return sealed < 0 ? sealed : sealed + SVR_SEAL_TAG_SIZE + COUNTER_SIZE;
}

static ptrdiff_t seal_cbc(svr_payload_sender *s, const svr_random *random,
                          uint8_t *buf, size_t len)
{
    uint8_t iv[IV_SIZE];

    random->fill(random->user, iv, IV_SIZE);
    iv[0] = (uint8_t)((iv[0] & ~EPOCH_BIT) | (s->epoch ? EPOCH_BIT : 0));
    ptrdiff_t sealed =
        svr_cipher_seal(&s->cipher, iv, (svr_span){0}, buf, len, NULL);
    if (sealed < 0)
        return sealed;
    memcpy(buf + sealed, iv, IV_SIZE);
    return sealed + IV_SIZE;
}

ptrdiff_t svr_payload_seal(svr_payload_sender *s, const svr_tcp_bind *bind,
                           const svr_random *random, uint8_t *buf, size_t len)
{
    if (s->next == 0)
        return SVR_ERR_NO_KEY;
    return is_cbc(s->cipher.cipher) ? seal_cbc(s, random, buf, len)
                                    : seal_aead(s, bind, buf, len);
}

void svr_payload_sender_wipe(svr_payload_sender *s)
{
    svr_cipher_wipe(&s->cipher);
    svr_wipe(s, sizeof(*s));
}

void svr_payload_receiver_clear(svr_payload_receiver *r)
{
    r->cipher = NULL;
    for (unsigned i = 0; i < 2; i++) {
        svr_payload_slot *slot = &r->slot[i];
        memset(&slot->cipher, 0, sizeof(slot->cipher));
        memset(slot->salt, 0, sizeof(slot->salt));
        slot->highest = 0;
    }
}

int svr_payload_receiver_init(svr_payload_receiver *r, const svr_cipher *cipher,
                              const svr_payload_scope *scope,
                              const uint8_t key[SVR_KEY_SIZE],
                              const uint8_t salt[SVR_SALT_SIZE], bool epoch)
{
    svr_payload_slot *slot = &r->slot[epoch];

    r->cipher = cipher;
    r->scope = *scope;
    memcpy(slot->salt, salt, SVR_SALT_SIZE);
    slot->highest = 0;
    return key_cipher(&slot->cipher, cipher, SVR_CIPHER_OPEN, scope, key, salt);
}

bool svr_payload_receiver_knows(const svr_payload_receiver *r,
                                const uint8_t salt[SVR_SALT_SIZE], bool epoch)
{
    const svr_payload_slot *slot = &r->slot[epoch];

    return slot->cipher.cipher && memcmp(slot->salt, salt, SVR_SALT_SIZE) == 0;
}

static ptrdiff_t open_aead(svr_payload_receiver *r, const svr_tcp_bind *bind,
                           uint8_t *buf, size_t len)
{
    uint8_t data[DATA_MAX], nonce[NONCE_SIZE];

    if (len < (size_t)SVR_SEAL_TAG_SIZE + COUNTER_SIZE)
        return SVR_ERR_TAG;
    const uint8_t *counter = buf + len - COUNTER_SIZE;
    uint64_t number = svr__load_be64(counter);
    svr_payload_slot *slot = &r->slot[number >> 63];
    svr__window w = {&slot->highest, slot->seen, SVR_PAYLOAD_WINDOW};
    number &= ~EPOCH;
    if (!slot->cipher.cipher)
        return SVR_ERR_TAG;
    if (!svr__window_check(&w, number))
        return SVR_ERR_REPLAY;
    make_nonce(nonce, counter);
    len -= (size_t)SVR_SEAL_TAG_SIZE + COUNTER_SIZE;
    ptrdiff_t opened = svr_cipher_open(
        &slot->cipher, nonce, associate(data, &r->scope, counter, bind), buf,
        len, buf + len);
    if (opened < 0)
        return SVR_ERR_TAG;
    svr__window_commit(&w, number);
    return opened;
}

static ptrdiff_t open_cbc(svr_payload_receiver *r, uint8_t *buf, size_t len)
{
    if (len < IV_SIZE + SVR_CBC_BLOCK)
        return SVR_ERR_TAG;
    len -= IV_SIZE;
    svr_payload_slot *slot = &r->slot[(buf[len] & EPOCH_BIT) != 0];
    ptrdiff_t opened = svr_cipher_open(&slot->cipher, buf + len, (svr_span){0},
                                       buf, len, NULL);
    return opened < 0 ? SVR_ERR_TAG : opened;
}

ptrdiff_t svr_payload_open(svr_payload_receiver *r, const svr_tcp_bind *bind,
                           uint8_t *buf, size_t len)
{
    if (!r->cipher)
        return SVR_ERR_TAG;
    return is_cbc(r->cipher) ? open_cbc(r, buf, len)
                             : open_aead(r, bind, buf, len);
}

void svr_payload_receiver_retire(svr_payload_receiver *r, bool epoch)
{
    svr_payload_slot *slot = &r->slot[epoch];

    svr_cipher_wipe(&slot->cipher);
    svr_wipe(slot->salt, sizeof(slot->salt));
    slot->highest = 0;
}

void svr_payload_receiver_wipe(svr_payload_receiver *r)
{
    svr_payload_receiver_retire(r, false);
    svr_payload_receiver_retire(r, true);
    r->cipher = NULL;
}
