/* Tags, ciphers, payloads, metadata and derived keys, by all libraries. */
#include "taint.h"

#include <string.h>
#include <svr/payload.h>
#ifdef HAVE_OPENSSL
#include <svr/openssl.h>
#endif

#include "session/token.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ROOM 512

static uint64_t dice = 1;
static const svr_random secrets = {taint_fill, &dice};

static void draw(void *buf, size_t len)
{
    taint_fill(&dice, buf, len);
}

static const svr_suites *more(void)
{
#ifdef HAVE_OPENSSL
    static const svr_suites *suites;
    if (!suites)
        suites = svr_openssl_open();
    return suites;
#else
    return NULL;
#endif
}

/* ---- tags (S11.2 to S11.4b) ---- */

static void try_tag(const svr_mac *m, bool timed)
{
    const uint8_t options[] = {2, 4, 5, 180, 1, 3, 3, 7};
    const svr_tcp_bind bind = {.seq = 1,
                               .ack = 2,
                               .flags = 0x02,
                               .options = {options, sizeof(options)}};
    const svr_tag_scope scope = {&bind, timed, 1000, 7};
    svr_tag_scope late = scope;
    uint8_t plain[ROOM], tag[SVR_TAG_MAX];
    size_t len = m->hmac->tag_len;

    draw(plain, sizeof(plain));
    const svr_span bytes = {plain, sizeof(plain)};
    EXPECT(svr_tag_write(m, bytes, &scope, tag) == 0);
    EXPECT(taint_is_secret(tag, len));
    taint_public(tag, len); /* it is sent */
    EXPECT(svr_tag_verify(m, bytes, &scope, tag));
    late.step++;
    EXPECT(svr_tag_verify(m, bytes, &late, tag));
    for (size_t i = 0; i < len; i += len - 1) {
        tag[i] ^= 1;
        EXPECT(!svr_tag_verify(m, bytes, &scope, tag));
        tag[i] ^= 1;
    }
}

static void try_hmac(const svr_hmac *h)
{
    uint8_t key[SVR_KEY_SIZE];
    svr_mac m;

    if (!h)
        return;
    draw(key, sizeof(key));
    EXPECT(svr_mac_init(&m, h, key) == 0);
    try_tag(&m, true);
    try_tag(&m, false);
    svr_mac_wipe(&m);
}

void run_macs(void)
{
    static const char *const names[] = {"sha1", "sha256", "sha256-128",
                                        "sha384", "sha512"};
    for (size_t i = 0; i < COUNT(names); i++) {
        const svr_hmac *own = svr_hmac_find(NULL, names[i]);
        const svr_hmac *its = svr_hmac_find(more(), names[i]);
        try_hmac(own);
        if (its != own)
            try_hmac(its);
    }
}

/* ---- ciphers (S11.5) ---- */

static const char *const cipher_names[] = {
    "aes-gcm-256", "aes-gcm-128", "chacha20-poly1305",
    "aes-cbc-256", "aes-cbc-128", "xchacha20-poly1305"};

static void each_cipher(void (*use)(const svr_cipher *c))
{
    for (size_t i = 0; i < COUNT(cipher_names); i++) {
        const svr_cipher *own = svr_cipher_find(NULL, cipher_names[i]);
        const svr_cipher *its = svr_cipher_find(more(), cipher_names[i]);
        if (own)
            use(own);
        if (its && its != own)
            use(its);
    }
}

/* What a stranger may have made of a ciphertext: it opens to a last block that
 * nobody has chosen, and nearly always to a wrong padding. */
static void open_changed(svr_cipher_state *s, const uint8_t *nonce,
                         const uint8_t *buf, size_t len, const uint8_t *tag)
{
    bool aead = s->cipher->kind == SVR_CIPHER_AEAD;

    for (unsigned i = 0; i < 8; i++) {
        uint8_t copy[ROOM + SVR_CBC_BLOCK], other[SVR_SEAL_TAG_SIZE];
        memcpy(copy, buf, len);
        memcpy(other, tag, sizeof(other));
        copy[len - 1 - i] ^= (uint8_t)(1 << i);
        ptrdiff_t opened =
            svr_cipher_open(s, nonce, (svr_span){0}, copy, len, tag);
        EXPECT(aead ? opened == SVR_ERR_TAG
                    : opened != (ptrdiff_t)len); /* CBC proves nothing */
        other[i] ^= 0x80;
        memcpy(copy, buf, len);
        opened = svr_cipher_open(s, nonce, (svr_span){0}, copy, len, other);
        EXPECT(!aead || opened == SVR_ERR_TAG);
    }
}

static void try_cipher(const svr_cipher *c)
{
    uint8_t key[SVR_KEY_SIZE], nonce[SVR_NONCE_MAX] = {1};
    svr_cipher_state seal = {0}, open = {0};

    draw(key, sizeof(key));
    EXPECT(svr_cipher_init(&seal, c, SVR_CIPHER_SEAL, key) == 0);
    EXPECT(svr_cipher_init(&open, c, SVR_CIPHER_OPEN, key) == 0);
    for (size_t len = 0; len < 40; len += 13) {
        uint8_t buf[ROOM + SVR_CBC_BLOCK], tag[SVR_SEAL_TAG_SIZE] = {0};
        draw(buf, len);
        taint_secret(buf, len);
        ptrdiff_t sealed =
            svr_cipher_seal(&seal, nonce, (svr_span){0}, buf, len, tag);
        EXPECT(sealed >= (ptrdiff_t)len);
        EXPECT(sealed == 0 || taint_is_secret(buf, (size_t)sealed));
        taint_public(buf, (size_t)sealed);
        taint_public(tag, sizeof(tag));
        if (sealed >= 16)
            open_changed(&open, nonce, buf, (size_t)sealed, tag);
        EXPECT(svr_cipher_open(&open, nonce, (svr_span){0}, buf, (size_t)sealed,
                               tag) == (ptrdiff_t)len);
        EXPECT(len == 0 || taint_is_secret(buf, len));
    }
    svr_cipher_wipe(&seal);
    svr_cipher_wipe(&open);
}

void run_ciphers(void)
{
    each_cipher(try_cipher);
}

/* ---- payloads (S11.5, S12.6) ---- */

static ptrdiff_t open_copy(svr_payload_receiver *r, const svr_tcp_bind *bind,
                           const uint8_t *buf, size_t len, size_t at,
                           uint8_t change)
{
    uint8_t copy[ROOM];

    memcpy(copy, buf, len);
    copy[at] ^= change;
    return svr_payload_open(r, bind, copy, len);
}

static void try_payload(const svr_cipher *c)
{
    const svr_tcp_bind bind = {.seq = 1, .ack = 2, .flags = 0x18};
    const svr_payload_scope scope = {.uuid = {{1, 2, 3}},
                                     .direction = SVR_REVERSE};
    static svr_payload_receiver receiver;
    svr_payload_sender sender = {0};
    uint8_t key[SVR_KEY_SIZE], buf[ROOM];

    if (!svr_payload_cipher_number(c))
        return;
    draw(key, sizeof(key));
    EXPECT(svr_payload_sender_init(&sender, c, &scope, key, &secrets) == 0);
    taint_public(sender.salt, sizeof(sender.salt)); /* its peer gets it */
    svr_payload_receiver_clear(&receiver);
    EXPECT(svr_payload_receiver_init(&receiver, c, &scope, key, sender.salt,
                                     sender.epoch) == 0);
    draw(buf, 100);
    ptrdiff_t len = svr_payload_seal(&sender, &bind, &secrets, buf, 100);
    EXPECT(len > 100 && taint_is_secret(buf, 100));
    taint_public(buf, (size_t)len);
    for (size_t i = 0; i < (size_t)len; i += 7)
        (void)open_copy(&receiver, &bind, buf, (size_t)len, i, 4);
    EXPECT(open_copy(&receiver, &bind, buf, (size_t)len, 0, 0) == 100);
    if (c->kind == SVR_CIPHER_AEAD)
        EXPECT(open_copy(&receiver, &bind, buf, (size_t)len, 0, 0) ==
               SVR_ERR_REPLAY);
    svr_payload_sender_wipe(&sender);
    svr_payload_receiver_wipe(&receiver);
}

void run_payloads(void)
{
    each_cipher(try_payload);
}

/* ---- metadata (S12.2) ---- */

static ptrdiff_t open_block(svr_cipher_state *open, const uint8_t *sealed,
                            size_t len, size_t at, uint8_t change, uint8_t *out)
{
    svr_block b;

    memcpy(out, sealed, len);
    out[at] ^= change;
    if (svr_block_parse(&b, out, len) < 0)
        return SVR_ERR_TAG;
    return svr_metadata_open(open, out, &b);
}

/* Names and the session's key in the payload section; what is opened is
 * attributes, which are read once the tag is right. */
static void try_metadata(const svr_cipher *payload)
{
    const svr_cipher *c = svr_metadata_cipher(payload);
    uint8_t shared[SVR_KEY_SIZE], key[SVR_KEY_SIZE], buf[ROOM], copy[ROOM];
    svr_cipher_state seal = {0}, open = {0};
    svr_metadata md;

    draw(shared, sizeof(shared));
    svr_metadata_key_derive(key, shared, "dc1", 1);
    EXPECT(taint_is_secret(key, sizeof(key)));
    EXPECT(svr_cipher_init(&seal, c, SVR_CIPHER_SEAL, key) == 0);
    EXPECT(svr_cipher_init(&open, c, SVR_CIPHER_OPEN, key) == 0);
    svr_metadata_init(&md);
    md.present = SVR_HAS(SESSION_UUID);
    ptrdiff_t clear = svr_metadata_encode(buf, ROOM, &md);
    EXPECT(clear > SVR_BASE_HEADER_SIZE + 4);
    taint_secret(buf + clear - 16, 16);
    ptrdiff_t len =
        svr_metadata_seal(&seal, &secrets, buf, ROOM, (size_t)clear);
    EXPECT(len > clear && taint_is_secret(buf, (size_t)len));
    taint_public(buf, (size_t)len);
    for (size_t i = SVR_BASE_HEADER_SIZE; i < (size_t)len; i += 5)
        (void)open_block(&open, buf, (size_t)len, i, 1, copy);
    EXPECT(open_block(&open, buf, (size_t)len, 0, 0, copy) ==
           clear - SVR_BASE_HEADER_SIZE);
    EXPECT(taint_is_secret(copy, (size_t)clear));
    svr_cipher_wipe(&seal);
    svr_cipher_wipe(&open);
}

void run_metadata(void)
{
    for (size_t i = 0; i < COUNT(cipher_names) - 1; i++) {
        const svr_cipher *c = svr_cipher_find(more(), cipher_names[i]);
        if (c)
            try_metadata(c);
    }
}

/* ---- derived keys (S12.6, S12.7) ---- */

void run_keys(void)
{
    const svr_uuid uuid = {{1, 2, 3}};
    uint8_t key[SVR_KEY_SIZE], out[SVR_KEY_SIZE], half[SVR_KEY_SIZE / 2];
    const svr_span parts[] = {{key, 5}, {uuid.b, sizeof(uuid.b)}};
    svr_direction_key d;

    draw(key, sizeof(key));
    svr_kdf(out, key, "svr test", parts, COUNT(parts));
    EXPECT(taint_is_secret(out, sizeof(out)));
    svr_direction_key_derive(&d, key, "branch1", "dc1", 1);
    EXPECT(taint_is_secret(d.key, sizeof(d.key)));
    EXPECT(taint_is_secret(&d.security_id, sizeof(d.security_id)));
    svr_session_key_derive(out, &d, &uuid);
    EXPECT(taint_is_secret(out, sizeof(out)));
    draw(half, SVR_HASH_KEY_SIZE);
    uint64_t hash = svr_hash(half, "tuple", 5);
    EXPECT(taint_is_secret(&hash, sizeof(hash)));
}

/* ---- recovery tokens (S8.5) ---- */

void run_tokens(void)
{
    const svr_uuid uuid = {{1, 2, 3}};
    const svr_tuple context = {.sport = 1, .dport = 2, .proto = 6};
    uint8_t key[SVR_KEY_SIZE], out[SVR__TOKEN_MAX];
    svr__token t = {.boot = 3, .expiry = 4}, found;

    draw(key, sizeof(key));
    t.tenant = svr__token_id(key, SVR__TOKEN_TENANT, "corp");
    EXPECT(taint_is_secret(&t.tenant, sizeof(t.tenant)));
    for (unsigned transit = 0; transit < 2; transit++) {
        t.transit = transit;
        size_t len = svr__token_seal(out, key, &t, &uuid, &context);
        EXPECT(taint_is_secret(out + len - 16, 16));
        taint_public(out, len); /* neighbours keep it */
        svr_span token = {out, len};
        EXPECT(svr__token_open(&found, key, token, &uuid, &context));
        out[len - 1] ^= 1;
        EXPECT(!svr__token_open(&found, key, token, &uuid, &context));
    }
}
