#include <criterion/criterion.h>
#include <svr/openssl.h>
#include <svr/payload.h>

#include "cipher_checks.h"
#include "support.h"

static const svr_suites *suites;

static void start(void)
{
    cr_assert_eq(svr_crypto_init(), 0);
    suites = svr_openssl_open();
    cr_assert_not_null(suites);
}

static void stop(void)
{
    svr_openssl_close(suites);
}

TestSuite(openssl, .init = start, .fini = stop);

static void for_each(enum svr_cipher_kind kind,
                     void (*check)(const svr_cipher *c))
{
    for (size_t i = 0; i < suites->cipher_count; i++)
        if (suites->ciphers[i]->kind == kind)
            check(suites->ciphers[i]);
}

Test(openssl, forgeries_are_refused)
{
    for_each(SVR_CIPHER_AEAD, check_forgeries);
}

Test(openssl, wrong_paddings_are_refused)
{
    for_each(SVR_CIPHER_CBC, check_paddings);
}

Test(openssl, misuse_is_refused)
{
    for_each(SVR_CIPHER_AEAD, check_misuse);
    for_each(SVR_CIPHER_CBC, check_misuse);
}

Test(openssl, what_is_sealed_opens)
{
    for_each(SVR_CIPHER_AEAD, check_round_trips);
    for_each(SVR_CIPHER_CBC, check_round_trips);
}

Test(openssl, both_libraries_seal_the_same)
{
    size_t both = 0;
    for (size_t i = 0; i < suites->cipher_count; i++) {
        const svr_cipher *own = svr_cipher_find(NULL, suites->ciphers[i]->name);
        if (own) {
            check_agreement(own, suites->ciphers[i]);
            both++;
        }
    }
    cr_assert_geq(both, 1);
}

static void sign(const svr_hmac *h, const uint8_t *key, svr_span message,
                 uint8_t *tag)
{
    svr_mac m;
    cr_assert_eq(svr_mac_init(&m, h, key), 0);
    memset(tag, 0, SVR_TAG_MAX);
    for (int twice = 0; twice < 2; twice++) {
        const svr_span parts[] = {
            {message.data, message.len / 3},
            {NULL, 0},
            {message.data + message.len / 3, message.len - message.len / 3}};
        cr_assert_eq(svr_mac_sign(&m, parts, 3, tag), 0);
        cr_assert(svr_mac_verify(&m, &message, 1, tag));
    }
    svr_mac_wipe(&m);
}

Test(openssl, both_libraries_sign_the_same)
{
    uint8_t message[2000], key[SVR_KEY_SIZE];
    uint64_t seed = 3;
    size_t both = 0;
    for (size_t i = 0; i < suites->hmac_count; i++) {
        const svr_hmac *own = svr_hmac_find(NULL, suites->hmacs[i]->name);
        both += own != NULL;
        for (size_t len = 0; own && len <= sizeof(message); len += 17) {
            uint8_t one[SVR_TAG_MAX], two[SVR_TAG_MAX];
            test_fill(&seed, message, len);
            test_fill(&seed, key, sizeof(key));
            cr_assert_eq(own->tag_len, suites->hmacs[i]->tag_len);
            sign(own, key, (svr_span){message, len}, one);
            sign(suites->hmacs[i], key, (svr_span){message, len}, two);
            cr_assert_arr_eq(one, two, SVR_TAG_MAX, "%s, %zu bytes", own->name,
                             len);
        }
    }
    cr_assert_eq(both, 3);
}

/* Each keyed state stands for itself. */
Test(openssl, keys_do_not_mix)
{
    const svr_hmac *h = svr_hmac_find(suites, "sha384");
    const uint8_t one[SVR_KEY_SIZE] = {1}, two[SVR_KEY_SIZE] = {2};
    const svr_span message = {one, sizeof(one)};
    uint8_t tag[SVR_TAG_MAX], again[SVR_TAG_MAX];
    svr_mac a, b;

    cr_assert_str_eq(h->provider, "libcrypto");
    cr_assert_eq(svr_mac_init(&a, h, one), 0);
    cr_assert_eq(svr_mac_sign(&a, &message, 1, tag), 0);
    cr_assert_eq(svr_mac_init(&b, h, two), 0);
    cr_assert_not(svr_mac_verify(&b, &message, 1, tag));
    svr_mac moved = a;
    svr_mac_wipe(&b);
    cr_assert_eq(svr_mac_sign(&moved, &message, 1, again), 0);
    cr_assert_arr_eq(tag, again, h->tag_len);
    svr_mac_wipe(&moved);
}

Test(openssl, all_of_s11_is_there)
{
    static const struct {
        const char *name;
        size_t tag_len;
    } hmacs[] = {{"sha1", 20},
                 {"sha256", 32},
                 {"sha256-128", 16},
                 {"sha384", 48},
                 {"sha512", 64}};
    static const struct {
        const char *name;
        enum svr_cipher_kind kind;
        size_t key_len, nonce_len;
    } ciphers[] = {
        {"aes-cbc-128", SVR_CIPHER_CBC, 16, 16},
        {"aes-cbc-256", SVR_CIPHER_CBC, 32, 16},
        {"aes-gcm-128", SVR_CIPHER_AEAD, 16, 12},
        {"aes-gcm-256", SVR_CIPHER_AEAD, 32, 12},
        {"chacha20-poly1305", SVR_CIPHER_AEAD, 32, 12},
    };
    for (size_t i = 0; i < 5; i++) {
        const svr_hmac *h = svr_hmac_find(suites, hmacs[i].name);
        const svr_cipher *c = svr_cipher_find(suites, ciphers[i].name);
        cr_assert_eq(h->tag_len, hmacs[i].tag_len);
        cr_assert_str_eq(h->provider, "libcrypto");
        cr_assert_eq(c->kind, ciphers[i].kind);
        cr_assert_eq(c->key_len, ciphers[i].key_len);
        cr_assert_eq(c->nonce_len, ciphers[i].nonce_len);
        cr_assert_str_eq(c->provider, "libcrypto");
    }
    cr_assert_eq(svr_cipher_find(suites, "xchacha20-poly1305"),
                 &svr_cipher_xchacha20_poly1305);
    svr_openssl_close(NULL);
}

/* Payloads under CBC: padding, then the vector with the epoch in its top bit.
 */
Test(openssl, payloads_under_cbc)
{
    static const uint8_t key[SVR_KEY_SIZE] = {5};
    static const svr_payload_scope scope = {.direction = SVR_REVERSE};
    static svr_payload_receiver in;
    const svr_cipher *c = svr_cipher_find(suites, "aes-cbc-256");
    uint64_t seed = 9;
    const svr_random random = {test_fill, &seed};
    svr_payload_sender out = {0};
    uint8_t plain[80], buf[80 + SVR_PAYLOAD_GROWTH_MAX];

    test_fill(&seed, plain, sizeof(plain));
    for (int turn = 0; turn < 3; turn++) {
        cr_assert_eq(svr_payload_sender_init(&out, c, &scope, key, &random), 0);
        memcpy(buf, plain, 16);
        cr_assert_eq(svr_payload_seal(&out, NULL, &random, buf, 16), 48);
        cr_assert_eq(svr_payload_open(&in, NULL, buf, 48), SVR_ERR_TAG,
                     "its key was never given");
        cr_assert_eq(
            svr_payload_receiver_init(&in, c, &scope, key, out.salt, out.epoch),
            0);
        for (size_t len = 0; len <= sizeof(plain); len++) {
            memcpy(buf, plain, len);
            ptrdiff_t sealed = svr_payload_seal(&out, NULL, &random, buf, len);
            cr_assert_eq(sealed, (ptrdiff_t)(len + svr_payload_growth(c, len)));
            cr_assert_eq(buf[sealed - 16] >> 7, out.epoch);
            cr_assert_eq(svr_payload_open(&in, NULL, buf, (size_t)sealed),
                         (ptrdiff_t)len);
            cr_assert_arr_eq(buf, plain, len);
        }
        for (size_t len = 0; len < 40; len++)
            if (len != 32)
                cr_assert_eq(svr_payload_open(&in, NULL, buf, len), SVR_ERR_TAG,
                             "%zu bytes", len);
    }
    svr_payload_sender_wipe(&out);
    svr_payload_receiver_wipe(&in);
}
