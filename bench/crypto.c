/*
 * crypto - what protecting and opening a packet costs in the library, beside
 * the bare primitive.
 *
 * One operation is a payload of 1400 bytes. The library's way is its own
 * framing, counters, windows and associated data over the suite that svrd would
 * use; the bare way is a loop over the fastest library's own function, in
 * place, without anything else. Opening includes fetching the sealed bytes from
 * among those of 4,000 packets, in both ways.
 */
#include "measure.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svr/openssl.h>
#include <svr/payload.h>

enum {
    LEN = 1400,
    ROOM = LEN + SVR_PAYLOAD_GROWTH_MAX,
    OPERATIONS = 4000,
    AD_LEN = 25,
};

enum {
    LIBRARY,
    BARE,
};

/* One suite, both ways. */
struct subject {
    svr_payload_sender sender;
    svr_mac mac;
    const char *name;      /* of the cipher, or NULL */
    const char *algorithm; /* as libcrypto calls it */
    const char *hash;      /* of the HMAC beside or instead of it, or NULL */
    svr_payload_receiver *receiver;
    EVP_CIPHER_CTX *seal, *open;
    EVP_MAC_CTX *sign;
    uint8_t plain[LEN], buf[ROOM + SVR_TAG_MAX];
    uint8_t (*sealed)[ROOM]; /* OPERATIONS of them */
    size_t sealed_len;
    uint8_t (*bare_sealed)[ROOM], bare_tag[16], bare_right[16];
};

static uint64_t random_state = 1;

static void fill(void *user, void *buf, size_t len)
{
    uint8_t *out = buf;
    (void)user;
    for (size_t i = 0; i < len; i++) {
        random_state = random_state * 6364136223846793005 + 1442695040888963407;
        out[i] = (uint8_t)(random_state >> 56);
    }
}

static const svr_random source = {.fill = fill};
static const svr_payload_scope scope = {.direction = SVR_FORWARD};
static const uint8_t key[SVR_KEY_SIZE] = {1, 2, 3};
static const svr_suites *suites;
static const svr_cipher *cipher_of(const char *name)
{
    const svr_cipher *c = svr_cipher_find(suites, name);
    if (c)
        return c;
    fprintf(stderr, "crypto: no %s\n", name);
    exit(1);
}

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "crypto: %s failed\n", what);
    exit(1);
}

/* The tag that a hop adds, of what it covers. */
static void sign_packet(struct subject *s, size_t len)
{
    const svr_span all = {s->buf, len};
    if (s->hash)
        must(svr_mac_sign(&s->mac, &all, 1, s->buf + len) == 0, "a tag");
}

static void seal_library(void *input)
{
    struct subject *s = input;
    for (int i = 0; i < OPERATIONS; i++) {
        ptrdiff_t len = LEN;
        memcpy(s->buf, s->plain, LEN);
        if (s->name)
            len = svr_payload_seal(&s->sender, NULL, &source, s->buf, LEN);
        must(len > 0, "sealing");
        sign_packet(s, (size_t)len);
        bench_use(s->buf);
    }
}

static void bare_sign(struct subject *s, size_t len)
{
    uint8_t tag[SVR_TAG_MAX];
    size_t n;
    if (!s->hash)
        return;
    must(EVP_MAC_init(s->sign, NULL, 0, NULL) &&
             EVP_MAC_update(s->sign, s->buf, len) &&
             EVP_MAC_final(s->sign, tag, &n, sizeof(tag)),
         "HMAC");
    bench_use(tag);
}

static bool is_cbc(const struct subject *s)
{
    return strstr(s->name, "cbc") != NULL;
}

static void bare_seal_one(struct subject *s, uint8_t nonce[16])
{
    static const uint8_t ad[AD_LEN];
    int n;
    must(EVP_EncryptInit_ex2(s->seal, NULL, NULL, nonce, NULL), "a nonce");
    if (is_cbc(s)) {
        must(EVP_EncryptUpdate(s->seal, s->buf, &n, s->buf, LEN + 8), "CBC");
        return;
    }
    must(EVP_EncryptUpdate(s->seal, NULL, &n, ad, AD_LEN) &&
             EVP_EncryptUpdate(s->seal, s->buf, &n, s->buf, LEN) &&
             EVP_EncryptFinal_ex(s->seal, s->buf, &n) &&
             EVP_CIPHER_CTX_ctrl(s->seal, EVP_CTRL_AEAD_GET_TAG, 16,
                                 s->bare_tag),
         "AEAD");
}

static void seal_bare(void *input)
{
    struct subject *s = input;
    uint8_t nonce[16] = {0};
    for (int i = 0; i < OPERATIONS; i++) {
        memcpy(s->buf, s->plain, LEN);
        memcpy(nonce, &i, sizeof(i));
        if (s->name)
            bare_seal_one(s, nonce);
        bare_sign(s, s->name ? s->sealed_len : LEN);
        bench_use(s->buf);
    }
}

/* Each round opens packets of a new key: none was seen before. */
static void rekey(struct subject *s)
{
    must(svr_payload_sender_init(&s->sender, cipher_of(s->name), &scope, key,
                                 &source) == 0,
         "keying");
    for (int i = 0; i < OPERATIONS; i++) {
        memcpy(s->sealed[i], s->plain, LEN);
        s->sealed_len = (size_t)svr_payload_seal(&s->sender, NULL, &source,
                                                 s->sealed[i], LEN);
    }
}

static void open_key(struct subject *s)
{
    must(svr_payload_receiver_init(s->receiver, cipher_of(s->name), &scope, key,
                                   s->sender.salt, s->sender.epoch) == 0,
         "keying");
}

static void open_library(void *input)
{
    struct subject *s = input;
    if (s->name)
        open_key(s); /* forgets what it has seen */
    for (int i = 0; i < OPERATIONS; i++) {
        size_t len = s->name ? s->sealed_len : LEN;
        memcpy(s->buf, s->name ? s->sealed[i] : s->plain, len);
        sign_packet(s, len);
        must(!s->name ||
                 svr_payload_open(s->receiver, NULL, s->buf, len) == LEN,
             "opening");
        bench_use(s->buf);
    }
}

static void bare_open_one(struct subject *s)
{
    static const uint8_t ad[AD_LEN];
    static const uint8_t nonce[16];
    int n;
    must(EVP_DecryptInit_ex2(s->open, NULL, NULL, nonce, NULL), "a nonce");
    if (is_cbc(s)) {
        must(EVP_DecryptUpdate(s->open, s->buf, &n, s->buf, LEN + 8), "CBC");
        return;
    }
    must(EVP_CIPHER_CTX_ctrl(s->open, EVP_CTRL_AEAD_SET_TAG, 16,
                             s->bare_right) &&
             EVP_DecryptUpdate(s->open, NULL, &n, ad, AD_LEN) &&
             EVP_DecryptUpdate(s->open, s->buf, &n, s->buf, LEN) &&
             EVP_DecryptFinal_ex(s->open, s->buf, &n),
         "opening bare");
}

static void open_bare(void *input)
{
    struct subject *s = input;
    for (int i = 0; i < OPERATIONS; i++) {
        size_t len = s->name ? s->sealed_len : LEN;
        memcpy(s->buf, s->name ? s->bare_sealed[i] : s->plain, len);
        bare_sign(s, len);
        if (s->name)
            bare_open_one(s);
        bench_use(s->buf);
    }
}

static EVP_CIPHER_CTX *context(const char *algorithm, int seal)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    EVP_CIPHER *c = EVP_CIPHER_fetch(NULL, algorithm, NULL);
    must(EVP_CipherInit_ex2(ctx, c, key, NULL, seal, NULL) &&
             EVP_CIPHER_CTX_set_padding(ctx, 0),
         algorithm);
    EVP_CIPHER_free(c);
    return ctx;
}

static void prepare_hash(struct subject *s)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0),
        OSSL_PARAM_construct_end()};
    s->sign = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);
    must(EVP_MAC_init(s->sign, key, sizeof(key), params), "HMAC");
    must(svr_mac_init(&s->mac, svr_hmac_find(suites, s->hash), key) == 0,
         s->hash);
}

static void prepare(struct subject *s)
{
    fill(NULL, s->plain, LEN);
    if (s->hash)
        prepare_hash(s);
    if (!s->name)
        return;
    s->receiver = calloc(1, sizeof(*s->receiver));
    s->sealed = calloc(OPERATIONS, sizeof(*s->sealed));
    s->bare_sealed = calloc(OPERATIONS, sizeof(*s->bare_sealed));
    must(s->receiver && s->sealed && s->bare_sealed, "memory");
    rekey(s);
    s->seal = context(s->algorithm, 1);
    s->open = context(s->algorithm, 0);
    memcpy(s->buf, s->plain, LEN);
    bare_seal_one(s, (uint8_t[16]){0});
    for (int i = 0; i < OPERATIONS; i++)
        memcpy(s->bare_sealed[i], s->buf, ROOM);
    memcpy(s->bare_right, s->bare_tag, sizeof(s->bare_tag));
}

int main(int argc, char **argv)
{
    static struct subject subjects[] = {
        {.name = "aes-gcm-256", .algorithm = "AES-256-GCM", .hash = NULL},
        {.name = "aes-gcm-128", .algorithm = "AES-128-GCM", .hash = NULL},
        {.name = "chacha20-poly1305",
         .algorithm = "ChaCha20-Poly1305",
         .hash = NULL},
        {.name = "aes-cbc-256",
         .algorithm = "AES-256-CBC",
         .hash = "sha256-128"},
        {.name = "aes-cbc-128",
         .algorithm = "AES-128-CBC",
         .hash = "sha256-128"},
        {.name = NULL, .algorithm = NULL, .hash = "sha256-128"},
    };
    static const char *const names[] = {
        "aes-gcm-256",        "aes-gcm-128",        "chacha20-poly1305",
        "aes-cbc-256 + HMAC", "aes-cbc-128 + HMAC", "sha256-128 only"};
    enum { COUNT = sizeof(subjects) / sizeof(subjects[0]) };
    static char text[2 * COUNT][40];
    struct bench_row rows[2 * COUNT];
    struct bench b = {
        .name = "crypto",
        .operations = OPERATIONS,
        .ways = {[LIBRARY] = "libsvr", [BARE] = "bare"},
        .ratios = {{LIBRARY, BARE}},
        .ratio_count = 1,
        .rows = rows,
        .row_count = (size_t)2 * COUNT,
    };

    must(svr_crypto_init() == 0, "libsodium");
    suites = svr_openssl_open();
    must(suites != NULL, "libcrypto");
    for (size_t i = 0; i < COUNT; i++) {
        prepare(&subjects[i]);
        snprintf(text[2 * i], sizeof(text[0]), "%s, protect", names[i]);
        snprintf(text[2 * i + 1], sizeof(text[0]), "%s, open", names[i]);
        rows[2 * i] = (struct bench_row){.name = text[2 * i],
                                         .run = {seal_library, seal_bare},
                                         .input = &subjects[i]};
        rows[2 * i + 1] = (struct bench_row){.name = text[2 * i + 1],
                                             .run = {open_library, open_bare},
                                             .input = &subjects[i]};
    }
    return bench_main(&b, argc, argv);
}
