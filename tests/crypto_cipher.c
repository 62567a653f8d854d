#include <criterion/criterion.h>
#include <svr/crypto.h>

#include "cipher_checks.h"
#include "support.h"

static void start(void)
{
    cr_assert_eq(svr_crypto_init(), 0);
}

TestSuite(crypto_cipher, .init = start);

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const names[] = {"aes-gcm-256", "chacha20-poly1305",
                                    "xchacha20-poly1305"};

/* Those that this machine can do. */
static size_t ciphers(const svr_cipher *out[COUNT(names)])
{
    size_t count = 0;
    for (size_t i = 0; i < COUNT(names); i++) {
        out[count] = svr_cipher_find(NULL, names[i]);
        count += out[count] != NULL;
    }
    cr_assert_geq(count, 2);
    return count;
}

static void for_each(void (*check)(const svr_cipher *c))
{
    const svr_cipher *list[COUNT(names)];
    size_t count = ciphers(list);
    for (size_t i = 0; i < count; i++)
        check(list[i]);
}

Test(crypto_cipher, forgeries_are_refused)
{
    for_each(check_forgeries);
}

Test(crypto_cipher, misuse_is_refused)
{
    for_each(check_misuse);
}

Test(crypto_cipher, what_is_sealed_opens)
{
    for_each(check_round_trips);
}

Test(crypto_cipher, ciphers_are_found_by_name)
{
    static const char *const absent[] = {"",
                                         "AES-GCM-256",
                                         "aes-gcm-25",
                                         "aes-gcm-2566",
                                         "aes-cbc-256",
                                         "aes-gcm-128",
                                         "none"};
    for (size_t i = 0; i < COUNT(absent); i++)
        cr_assert_null(svr_cipher_find(NULL, absent[i]));
    cr_assert_eq(svr_cipher_find(NULL, "chacha20-poly1305"),
                 &svr_cipher_chacha20_poly1305);
    cr_assert_eq(svr_cipher_find(NULL, "xchacha20-poly1305"),
                 &svr_cipher_xchacha20_poly1305);
    const svr_cipher *list[COUNT(names)];
    size_t count = ciphers(list);
    for (size_t i = 0; i < count; i++) {
        cr_assert_str_eq(list[i]->provider, "libsodium");
        cr_assert_eq(list[i]->key_len, 32);
        cr_assert_eq(list[i]->kind, SVR_CIPHER_AEAD);
    }
}

static bool never(void)
{
    return false;
}

static int no_memory(const svr_cipher *c, uint8_t *state,
                     enum svr_cipher_use use, const uint8_t *key)
{
    (void)c;
    (void)use;
    memcpy(state, key, 8);
    return SVR_ERR_NO_MEMORY;
}

static int no_mac(const svr_hmac *h, uint8_t *state, const uint8_t *key)
{
    (void)h;
    (void)state;
    (void)key;
    return SVR_ERR_NO_MEMORY;
}

static int no_tag(const uint8_t *state, const svr_span *parts, size_t count,
                  uint8_t *tag, size_t tag_len)
{
    (void)state;
    (void)parts;
    (void)count;
    memset(tag, 1, tag_len / 2);
    return SVR_ERR_NO_MEMORY;
}

static svr_cipher changed_cipher(const char *name)
{
    svr_cipher c = svr_cipher_chacha20_poly1305;
    c.name = name;
    c.provider = "another";
    return c;
}

/* A registered suite wins, whatever its place, where the machine can do it. */
Test(crypto_cipher, registered_suites_win)
{
    svr_cipher chacha = changed_cipher("chacha20-poly1305");
    svr_cipher more = changed_cipher("more");
    svr_cipher hidden = changed_cipher("xchacha20-poly1305");
    hidden.available = never;
    svr_hmac sha512 = svr_hmac_sha512, md5 = svr_hmac_sha256;
    md5.name = "md5";
    const svr_cipher *const own_ciphers[] = {&hidden, &more, &chacha};
    const svr_hmac *const own_hmacs[] = {&md5, &sha512};
    const svr_suites suites = {own_hmacs, 2, own_ciphers, 3};

    cr_assert_eq(svr_cipher_find(&suites, "chacha20-poly1305"), &chacha);
    cr_assert_eq(svr_cipher_find(&suites, "more"), &more);
    cr_assert_eq(svr_cipher_find(&suites, "xchacha20-poly1305"),
                 &svr_cipher_xchacha20_poly1305);
    cr_assert_null(svr_cipher_find(&suites, "less"));
    cr_assert_eq(svr_hmac_find(&suites, "sha512"), &sha512);
    cr_assert_eq(svr_hmac_find(&suites, "sha256"), &svr_hmac_sha256);
    cr_assert_eq(svr_hmac_find(&suites, "md5"), &md5);
    cr_assert_null(svr_hmac_find(&suites, "sha1"));
    cr_assert_eq(svr_hmac_find(&(svr_suites){0}, "sha512"), &svr_hmac_sha512);
}

Test(crypto_cipher, a_failed_key_leaves_nothing)
{
    static const svr_cipher_state zero;
    const uint8_t key[SVR_KEY_SIZE] = {1, 2, 3, 4};
    svr_cipher absent = changed_cipher("absent"), full = absent;
    svr_cipher_state s = {0};

    absent.available = never;
    full.init = no_memory;
    cr_assert_eq(svr_cipher_init(&s, &absent, SVR_CIPHER_SEAL, key),
                 SVR_ERR_UNSUPPORTED);
    cr_assert_eq(memcmp(&s, &zero, sizeof(s)), 0);
    cr_assert_eq(svr_cipher_init(&s, &full, SVR_CIPHER_SEAL, key),
                 SVR_ERR_NO_MEMORY);
    cr_assert_eq(memcmp(&s, &zero, sizeof(s)), 0);
    /* Nor does a state that another cipher has keyed before. */
    cr_assert_eq(svr_cipher_init(&s, &svr_cipher_chacha20_poly1305,
                                 SVR_CIPHER_SEAL, key),
                 0);
    cr_assert_eq(svr_cipher_init(&s, &full, SVR_CIPHER_SEAL, key),
                 SVR_ERR_NO_MEMORY);
    cr_assert_eq(memcmp(&s, &zero, sizeof(s)), 0);
}

/* An HMAC without memory signs nothing, and takes no tag for right: not even
 * the zeros that it leaves. */
Test(crypto_cipher, a_failed_mac_is_closed)
{
    static const uint8_t key[SVR_KEY_SIZE], zero[16];
    svr_hmac broken = svr_hmac_sha256_128;
    uint8_t tag[16];
    svr_mac m;

    broken.init = no_mac;
    broken.sign = no_tag;
    memset(tag, 7, sizeof(tag));
    cr_assert_eq(svr_mac_init(&m, &broken, key), SVR_ERR_NO_MEMORY);
    cr_assert_eq(svr_mac_sign(&m, NULL, 0, tag), SVR_ERR_NO_MEMORY);
    cr_assert_arr_eq(tag, zero, sizeof(tag));
    cr_assert_not(svr_mac_verify(&m, NULL, 0, zero));
    svr_mac_wipe(&m);
}
