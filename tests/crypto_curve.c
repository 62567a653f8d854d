#include <criterion/criterion.h>
#include <svr/crypto.h>

#include "support.h"

static void start(void)
{
    cr_assert_eq(svr_crypto_init(), 0);
}

TestSuite(crypto_curve, .init = start);

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Points of small order (RFC 7748, 6.1 and libsodium's list): what comes of
 * them does not depend on the secret. */
static const uint8_t small[][32] = {
    {0},
    {1},
    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
     0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
     0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
     0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
     0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};

Test(crypto_curve, points_of_small_order_are_refused)
{
    const uint8_t secret[SVR_X25519_SIZE] = {1, 2, 3};
    for (size_t i = 0; i < COUNT(small); i++) {
        uint8_t shared[SVR_X25519_SIZE] = {9};
        cr_assert_eq(svr_x25519_shared(shared, secret, small[i]), SVR_ERR_VALUE,
                     "%zu", i);
        cr_assert_eq(shared[0], 9, "outputs stay as they were");
    }
}

Test(crypto_curve, both_ends_share)
{
    uint64_t seed = 1;
    for (int i = 0; i < 20; i++) {
        uint8_t secret[2][32], public_key[2][32], shared[2][32];
        test_fill(&seed, secret, sizeof(secret));
        for (int j = 0; j < 2; j++)
            svr_x25519_public(public_key[j], secret[j]);
        for (int j = 0; j < 2; j++)
            cr_assert_eq(
                svr_x25519_shared(shared[j], secret[j], public_key[!j]), 0);
        cr_assert_arr_eq(shared[0], shared[1], 32);
        cr_assert_arr_neq(shared[0], public_key[0], 32);
    }
}

static bool holds(const uint8_t signature[64], const uint8_t *text, size_t len,
                  const uint8_t public_key[32])
{
    return svr_ed25519_verify(signature, (svr_span){text, len}, public_key);
}

Test(crypto_curve, every_flipped_bit_of_a_signature_is_seen)
{
    const uint8_t seed[SVR_ED25519_SEED_SIZE] = {4};
    uint8_t public_key[32], secret[64], signature[64], text[20] = {1, 2, 3};

    svr_ed25519_keypair(public_key, secret, seed);
    svr_ed25519_sign(signature, (svr_span){text, sizeof(text)}, secret);
    cr_assert(holds(signature, text, sizeof(text), public_key));
    for (size_t len = 0; len < sizeof(text); len++)
        cr_assert_not(holds(signature, text, len, public_key));
    struct {
        uint8_t *bytes;
        size_t len;
    } parts[] = {{signature, 64}, {text, sizeof(text)}, {public_key, 32}};
    for (size_t i = 0; i < COUNT(parts); i++) {
        for (size_t bit = 0; bit < 8 * parts[i].len; bit++) {
            parts[i].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            cr_assert_not(holds(signature, text, sizeof(text), public_key),
                          "part %zu, bit %zu", i, bit);
            parts[i].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    cr_assert(holds(signature, text, sizeof(text), public_key));
}

/* S plus the order of the group is the same number, and another signature: RFC
 * 8032 wants it refused, else everyone could make a second one. And the
 * neutral point would take every message. */
Test(crypto_curve, signatures_have_one_form)
{
    static const uint8_t order[32] = {
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
        0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
        0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
    static const uint8_t neutral[32] = {1}, forged[64] = {1};
    const uint8_t seed[SVR_ED25519_SEED_SIZE] = {4}, text[1] = {0};
    uint8_t public_key[32], secret[64], signature[64];
    unsigned carry = 0;

    svr_ed25519_keypair(public_key, secret, seed);
    svr_ed25519_sign(signature, (svr_span){text, 1}, secret);
    for (int i = 0; i < 32; i++) {
        carry += signature[32 + i] + (unsigned)order[i];
        signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    cr_assert_not(holds(signature, text, 1, public_key));
    cr_assert_not(holds(forged, text, 1, neutral));
}

Test(crypto_curve, seeds_make_keys)
{
    uint8_t public_key[2][32], secret[2][64], seed[32] = {0};
    svr_ed25519_keypair(public_key[0], secret[0], seed);
    seed[31] = 1;
    svr_ed25519_keypair(public_key[1], secret[1], seed);
    cr_assert_arr_neq(public_key[0], public_key[1], 32);
    cr_assert_arr_eq(secret[1], seed, 32);
}
