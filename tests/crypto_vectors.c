/* The published vectors of tests/vectors/crypto.txt, by libsodium and, where
 * this build has it, by libcrypto. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <svr/crypto.h>
#ifdef HAVE_OPENSSL
#include <svr/openssl.h>
#endif

#include "support.h"

enum {
    FIELDS = 9,
    LINE = 4096,
};

static const svr_suites *suites;
static uint8_t bytes[FIELDS][LINE];
static size_t length[FIELDS];
static unsigned tried;

static void start(void)
{
    cr_assert_eq(svr_crypto_init(), 0);
#ifdef HAVE_OPENSSL
    suites = svr_openssl_open();
    cr_assert_not_null(suites);
#endif
}

TestSuite(crypto_vectors, .init = start);

static void unhex(unsigned field, const char *hex)
{
    size_t len = strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2;
    for (size_t i = 0; i < len; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
        bytes[field][i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    length[field] = len;
}

static svr_span span(unsigned field)
{
    return (svr_span){bytes[field], length[field]};
}

static void try_hmac(const svr_hmac *h, char **word)
{
    uint8_t tag[SVR_TAG_MAX];
    const svr_span message = span(3);
    svr_mac m;
    memset(bytes[2] + length[2], 0, SVR_KEY_SIZE - length[2]);
    cr_assert_eq(svr_mac_init(&m, h, bytes[2]), 0);
    cr_assert_eq(svr_mac_sign(&m, &message, 1, tag), 0);
    cr_assert_eq(length[4], h->tag_len);
    cr_assert_arr_eq(tag, bytes[4], h->tag_len, "%s of %s, %s", h->name,
                     h->provider, word[3]);
    svr_mac_wipe(&m);
    tried++;
}

static void key_state(svr_cipher_state *s, const svr_cipher *c,
                      enum svr_cipher_use use)
{
    cr_assert_eq(length[2], c->key_len);
    cr_assert_eq(length[3], c->nonce_len);
    cr_assert_eq(svr_cipher_init(s, c, use, bytes[2]), 0);
}

static void try_aead(const svr_cipher *c, char **word)
{
    static uint8_t buf[LINE];
    uint8_t tag[SVR_SEAL_TAG_SIZE];
    ptrdiff_t len = (ptrdiff_t)length[6];
    bool wrong = word[8] != NULL;
    svr_cipher_state s = {0};

    key_state(&s, c, SVR_CIPHER_OPEN);
    memcpy(buf, bytes[6], length[6]);
    cr_assert_eq(
        svr_cipher_open(&s, bytes[3], span(4), buf, length[6], bytes[7]),
        wrong ? SVR_ERR_TAG : len, "%s of %s, %s", c->name, c->provider,
        word[3]);
    tried++;
    if (!wrong) {
        cr_assert_eq(length[5], length[6]);
        cr_assert_arr_eq(buf, bytes[5], length[5]);
        key_state(&s, c, SVR_CIPHER_SEAL);
        cr_assert_eq(
            svr_cipher_seal(&s, bytes[3], span(4), buf, length[5], tag), len);
        cr_assert_arr_eq(buf, bytes[6], length[6]);
        cr_assert_arr_eq(tag, bytes[7], sizeof(tag));
    }
    svr_cipher_wipe(&s);
}

/* Ours ends with a block of padding that the vectors lack. */
static void try_cbc(const svr_cipher *c, char **word)
{
    static uint8_t buf[LINE + SVR_CBC_BLOCK];
    ptrdiff_t len = (ptrdiff_t)length[4] + SVR_CBC_BLOCK;
    svr_cipher_state s = {0};

    memcpy(buf, bytes[4], length[4]);
    key_state(&s, c, SVR_CIPHER_SEAL);
    cr_assert_eq(
        svr_cipher_seal(&s, bytes[3], (svr_span){0}, buf, length[4], NULL),
        len);
    cr_assert_arr_eq(buf, bytes[5], length[5], "%s, %s", c->name, word[3]);
    key_state(&s, c, SVR_CIPHER_OPEN);
    cr_assert_eq(
        svr_cipher_open(&s, bytes[3], (svr_span){0}, buf, (size_t)len, NULL),
        (ptrdiff_t)length[4]);
    cr_assert_arr_eq(buf, bytes[4], length[4]);
    svr_cipher_wipe(&s);
    tried++;
}

static void try_x25519(void)
{
    uint8_t shared[SVR_X25519_SIZE];
    cr_assert_eq(svr_x25519_shared(shared, bytes[1], bytes[2]), 0);
    cr_assert_arr_eq(shared, bytes[3], sizeof(shared));
    tried++;
}

static void try_ed25519(void)
{
    uint8_t public_key[32], secret[64], signature[64];
    svr_ed25519_keypair(public_key, secret, bytes[1]);
    cr_assert_arr_eq(public_key, bytes[2], sizeof(public_key));
    svr_ed25519_sign(signature, span(3), secret);
    cr_assert_arr_eq(signature, bytes[4], sizeof(signature));
    cr_assert(svr_ed25519_verify(signature, span(3), public_key));
    tried++;
}

/* What either library has of this name. */
static void try_suite(char **word)
{
    const svr_suites *from[2] = {NULL, suites};
    for (int i = 0; i < (suites ? 2 : 1); i++) {
        const svr_hmac *h = svr_hmac_find(from[i], word[1]);
        const svr_cipher *c = svr_cipher_find(from[i], word[1]);
        if (strcmp(word[0], "hmac") == 0 && h)
            try_hmac(h, word);
        else if (strcmp(word[0], "aead") == 0 && c)
            try_aead(c, word);
        else if (strcmp(word[0], "cbc") == 0 && c)
            try_cbc(c, word);
    }
}

static void try_line(char *line)
{
    char *word[FIELDS + 1] = {0};
    unsigned count = 0;
    for (char *w = strtok(line, " \n"); w && count < FIELDS;
         w = strtok(NULL, " \n"))
        word[count++] = w;
    if (count == 0 || word[0][0] == '#')
        return;
    for (unsigned i = 1; i < count; i++)
        unhex(i, word[i]);
    if (strcmp(word[0], "x25519") == 0)
        try_x25519();
    else if (strcmp(word[0], "ed25519") == 0)
        try_ed25519();
    else
        try_suite(word);
}

Test(crypto_vectors, published_vectors_hold)
{
    char line[LINE];
    FILE *in = fopen(getenv("CRYPTO_VECTORS"), "r");
    cr_assert_not_null(in);
    while (fgets(line, sizeof(line), in))
        try_line(line);
    fclose(in);
    /* libsodium has a third of them, and half of that without AES. */
    cr_assert_geq(tried, suites ? 700 : 100, "only %u", tried);
#ifdef HAVE_OPENSSL
    svr_openssl_close(suites);
#endif
}
