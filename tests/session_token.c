#include <criterion/criterion.h>

#include <stdio.h>

#include "session/token.h"
#include "support.h"

static void start(void)
{
    cr_assert_eq(svr_crypto_init(), 0);
}

TestSuite(session_token, .init = start);

static const uint8_t key[SVR_KEY_SIZE] = "the recovery key of router dc...";
static const uint8_t other_key[SVR_KEY_SIZE] =
    "the recovery key of router ds...";
static const svr_uuid uuid = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}};

static svr_addr v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return svr_addr_from_v4((uint8_t[]){a, b, c, d});
}

static svr_tuple context(void)
{
    return (svr_tuple){.src = v4(10, 1, 0, 10),
                       .dst = v4(10, 2, 0, 10),
                       .sport = 40000,
                       .dport = 443,
                       .proto = SVR_PROTO_TCP};
}

static svr__token of_ingress(void)
{
    return (svr__token){.boot = 0x51525354,
                        .expiry = 0x01020304,
                        .origin = 0x11121314,
                        .tenant = 0x21222324,
                        .service = 0x31323334,
                        .next = 0x41424344};
}

static svr__token of_transit(void)
{
    svr__token t = of_ingress();

    t.transit = true;
    t.proto = SVR_PROTO_UDP;
    t.remote = v4(203, 0, 113, 1);
    t.remote_port = 16384;
    t.own_port = 16385;
    return t;
}

static size_t seal(uint8_t *out, const svr__token *t)
{
    svr_tuple c = context();

    return svr__token_seal(out, key, t, &uuid, &c);
}

/* From a buffer of exactly its size, so that reading too far is noticed. */
static bool open_with(svr__token *t, const uint8_t *with, const uint8_t *token,
                      size_t len, const svr_uuid *u, const svr_tuple *c)
{
    uint8_t *exact = malloc(len ? len : 1);

    memcpy(exact, token, len);
    bool ok = svr__token_open(t, with, (svr_span){exact, len}, u, c);
    free(exact);
    return ok;
}

static bool opens(const uint8_t *token, size_t len)
{
    svr_tuple c = context();
    svr__token t = of_transit(), before = t;
    bool ok = open_with(&t, key, token, len, &uuid, &c);

    if (!ok)
        cr_assert_eq(memcmp(&t, &before, sizeof(t)), 0, "untouched");
    return ok;
}

static void each_kind(void (*check)(const uint8_t *token, size_t len))
{
    uint8_t token[SVR__TOKEN_MAX];
    svr__token ingress = of_ingress(), transit = of_transit();

    check(token, seal(token, &ingress));
    check(token, seal(token, &transit));
}

static void no_bit_may_differ(const uint8_t *token, size_t len)
{
    for (size_t bit = 0; bit < 8 * len; bit++) {
        uint8_t bad[SVR__TOKEN_MAX];
        memcpy(bad, token, len);
        bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_not(opens(bad, len), "bit %zu", bit);
    }
}

Test(session_token, every_bit_counts)
{
    each_kind(no_bit_may_differ);
}

static void no_other_length(const uint8_t *token, size_t len)
{
    uint8_t longer[2 * SVR__TOKEN_MAX] = {0};

    memcpy(longer, token, len);
    for (size_t n = 0; n <= sizeof(longer); n++)
        cr_assert_eq(opens(longer, n), n == len, "length %zu", n);
}

Test(session_token, cut_and_too_long)
{
    each_kind(no_other_length);
}

/* The tag of one kind does not fit the other, whose bytes it begins with. */
Test(session_token, one_kind_is_not_the_other)
{
    uint8_t token[SVR__TOKEN_MAX];
    svr__token t = of_transit();
    size_t len = seal(token, &t);

    token[1] = 0;
    cr_expect_not(opens(token, len));
    cr_expect_not(opens(token, len - 21));
    token[1] = 2;
    cr_expect_not(opens(token, len));
}

Test(session_token, is_bound_to_key_and_session)
{
    uint8_t token[SVR__TOKEN_MAX];
    svr__token t = of_ingress(), got;
    size_t len = seal(token, &t);
    svr_tuple c = context();
    svr_uuid u = uuid;

    cr_expect(open_with(&got, key, token, len, &u, &c), "the control");
    cr_expect_not(open_with(&got, other_key, token, len, &u, &c));
    for (size_t i = 0; i < sizeof(u.b); i++) {
        u.b[i] ^= 1;
        cr_expect_not(open_with(&got, key, token, len, &u, &c), "uuid %zu", i);
        u.b[i] ^= 1;
    }
    svr_tuple others[] = {c, c, c, c, c, svr_tuple_reverse(&c)};
    others[0].src.b[0] ^= 1;
    others[1].dst.b[15] ^= 1;
    others[2].sport ^= 1;
    others[3].dport ^= 1;
    others[4].proto = SVR_PROTO_UDP;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        cr_expect_not(open_with(&got, key, token, len, &u, &others[i]),
                      "context %zu", i);
}

Test(session_token, nothing_else_opens)
{
    uint64_t dice = 1;
    uint8_t noise[SVR__TOKEN_MAX];

    for (int i = 0; i < 20000; i++) {
        test_fill(&dice, noise, sizeof(noise));
        noise[0] = 2;
        noise[1] = i & 1;
        cr_assert_not(opens(noise, i & 1 ? SVR__TOKEN_MAX : 42));
    }
}

Test(session_token, comes_back_as_it_was_made)
{
    uint64_t dice = 2;
    svr_tuple c = context();

    for (int i = 0; i < 1000; i++) {
        uint8_t token[SVR__TOKEN_MAX];
        svr__token t = i & 1 ? of_transit() : of_ingress(), got;
        t.boot = (uint32_t)test_random(&dice);
        t.expiry = (uint32_t)test_random(&dice);
        t.origin = (uint32_t)test_random(&dice);
        t.tenant = (uint32_t)test_random(&dice);
        t.service = (uint32_t)test_random(&dice);
        t.next = (uint32_t)test_random(&dice);
        if (t.transit) {
            test_fill(&dice, t.remote.b, sizeof(t.remote.b));
            t.remote_port = (uint16_t)test_random(&dice);
            t.own_port = (uint16_t)test_random(&dice);
            t.proto = (uint8_t)test_random(&dice);
        }
        size_t len = seal(token, &t);
        cr_assert_eq(len, t.transit ? SVR__TOKEN_MAX : 42);
        cr_assert(open_with(&got, key, token, len, &uuid, &c));
        cr_assert_eq(got.transit, t.transit);
        cr_assert_eq(got.boot, t.boot);
        cr_assert_eq(got.expiry, t.expiry);
        cr_assert_eq(got.origin, t.origin);
        cr_assert_eq(got.tenant, t.tenant);
        cr_assert_eq(got.service, t.service);
        cr_assert_eq(got.next, t.next);
        cr_assert(svr_addr_equal(&got.remote, &t.remote));
        cr_assert_eq(got.remote_port, t.remote_port);
        cr_assert_eq(got.own_port, t.own_port);
        cr_assert_eq(got.proto, t.proto);
    }
}

/* What stands in the header file. */
Test(session_token, bytes)
{
    static const uint8_t expected[] = {
        2,    1,                /* version, kind */
        0x51, 0x52, 0x53, 0x54, /* boot counter */
        0x01, 0x02, 0x03, 0x04, /* expiry */
        0x11, 0x12, 0x13, 0x14, /* origin */
        0x21, 0x22, 0x23, 0x24, /* tenant */
        0x31, 0x32, 0x33, 0x34, /* service */
        0x41, 0x42, 0x43, 0x44, /* next */
        17,                     /* protocol */
        0,    0,    0,    0,    0,   0, 0,   0,
        0,    0,    0xff, 0xff, 203, 0, 113, 1, /* remote */
        0x40, 0x00, 0x40, 0x01,                 /* ports */
    };
    uint8_t token[SVR__TOKEN_MAX];
    svr__token t = of_transit();

    cr_assert_eq(seal(token, &t), sizeof(expected) + 16);
    cr_assert_arr_eq(token, expected, sizeof(expected));
}

Test(session_token, ids_of_names)
{
    uint32_t id = svr__token_id(key, SVR__TOKEN_SERVICE, "web");

    cr_expect_eq(id, svr__token_id(key, SVR__TOKEN_SERVICE, "web"));
    cr_expect_neq(id, svr__token_id(key, SVR__TOKEN_TENANT, "web"));
    cr_expect_neq(id, svr__token_id(key, SVR__TOKEN_SERVICE, "we"));
    cr_expect_neq(id, svr__token_id(other_key, SVR__TOKEN_SERVICE, "web"));
    for (int i = 0; i < 1000; i++) {
        char name[8];
        snprintf(name, sizeof(name), "%d", i);
        cr_assert_neq(svr__token_id(key, SVR__TOKEN_PEER, name), 0);
    }
}
