#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdalign.h>
#include <svr/crypto.h>

#include "base/text.h"
#include "support.h"

static void start(void)
{
    cr_assert_eq(svr_crypto_init(), 0);
}

TestSuite(crypto, .init = start);
TestSuite(replay);

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Bytes from hexadecimal digits. */
static void unhex(uint8_t *out, const char *hex)
{
    for (size_t i = 0; hex[2 * i]; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
        out[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
}

static void assert_hex(const uint8_t *got, const char *hex)
{
    uint8_t want[SVR_TAG_MAX];
    unhex(want, hex);
    cr_assert_arr_eq(got, want, strlen(hex) / 2);
}

static void count_up(uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)i;
}

Test(crypto, init_may_be_repeated)
{
    cr_assert_eq(svr_crypto_init(), 0);
    cr_assert_eq(svr_crypto_init(), 0);
}

Test(crypto, wipe_leaves_zeros)
{
    uint8_t buf[3] = {1, 2, 3};
    svr_wipe(buf, 2);
    cr_assert_arr_eq(buf, ((uint8_t[]){0, 0, 3}), 3);
}

Test(crypto, secrets_are_aligned_and_writable)
{
    for (size_t len = 0; len < 70; len++) {
        uint8_t *p = svr_secret_alloc(len);
        cr_assert_not_null(p);
        cr_assert_eq((uintptr_t)p % alignof(max_align_t), 0);
        memset(p, 1, len);
        svr_secret_free(p);
    }
    svr_secret_free(NULL);
    cr_assert_null(svr_secret_alloc(SIZE_MAX));
    cr_assert_null(svr_secret_alloc(SIZE_MAX / 2));
}

/*
 * RFC 4231. HMAC fills short keys up with zeros, so they fit ours; a key
 * longer than a block is first hashed, so cases 6 and 7 have the SHA-256 of
 * their 131 bytes as key.
 */
static const struct {
    const char *key, *message, *tag;
} rfc4231[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "Hi There",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"4a656665", "what do ya want for nothing?",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd"
     "\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd"
     "\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd",
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"0102030405060708090a0b0c0d0e0f10111213141516171819",
     "\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd"
     "\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd"
     "\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd",
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
    {"0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c", "Test With Truncation",
     "a3b6167473100ee06e0c796c2955552b"},
    {"45ad4b37c6e2fc0a2cfcc1b5da524132ec707615c2cae1dbbc43c97aa521db81",
     "Test Using Larger Than Block-Size Key - Hash Key First",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {"45ad4b37c6e2fc0a2cfcc1b5da524132ec707615c2cae1dbbc43c97aa521db81",
     "This is a test using a larger than block-size key and a larger than "
     "block-size data. The key needs to be hashed before being used by the "
     "HMAC algorithm.",
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
};

Test(crypto, hmacs_have_the_tags_of_rfc_4231)
{
    for (size_t i = 0; i < COUNT(rfc4231); i++) {
        uint8_t key[SVR_KEY_SIZE] = {0}, tag[SVR_TAG_MAX];
        svr_span message = svr__text(rfc4231[i].message);
        svr_mac m;
        unhex(key, rfc4231[i].key);
        svr_mac_init(&m, &svr_hmac_sha256, key);
        svr_mac_sign(&m, &message, 1, tag);
        assert_hex(tag, rfc4231[i].tag);
        /* A keyed state signs any number of messages. */
        memset(tag, 0, sizeof(tag));
        svr_mac_sign(&m, &message, 1, tag);
        assert_hex(tag, rfc4231[i].tag);
    }
}

Test(crypto, a_message_may_come_in_parts)
{
    uint8_t key[SVR_KEY_SIZE], message[200], whole[32], tag[32];
    svr_mac m;
    count_up(key, sizeof(key));
    count_up(message, sizeof(message));
    svr_mac_init(&m, &svr_hmac_sha256, key);
    svr_mac_sign(&m, &(svr_span){message, sizeof(message)}, 1, whole);
    for (size_t a = 0; a <= sizeof(message); a += 5) {
        for (size_t b = a; b <= sizeof(message); b += 7) {
            const svr_span parts[] = {{message, a},
                                      {message + a, b - a},
                                      {NULL, 0},
                                      {message + b, sizeof(message) - b}};
            svr_mac_sign(&m, parts, 4, tag);
            cr_assert_arr_eq(tag, whole, 32);
        }
    }
    cr_assert(svr_mac_verify(&m, &(svr_span){message, 200}, 1, whole));
    svr_mac_sign(&m, NULL, 0, tag);
    svr_mac_sign(&m, &(svr_span){NULL, 0}, 1, whole);
    cr_assert_arr_eq(tag, whole, 32);
}

Test(crypto, sha256_128_is_the_first_half)
{
    uint8_t key[SVR_KEY_SIZE] = {7}, whole[33], half[33];
    svr_span message = svr__text("message");
    svr_mac m;
    memset(half, 0x5a, sizeof(half));
    svr_mac_init(&m, &svr_hmac_sha256, key);
    svr_mac_sign(&m, &message, 1, whole);
    svr_mac_init(&m, &svr_hmac_sha256_128, key);
    svr_mac_sign(&m, &message, 1, half);
    cr_assert_arr_eq(half, whole, 16);
    for (size_t i = 16; i < sizeof(half); i++)
        cr_assert_eq(half[i], 0x5a, "nothing behind the tag is written");
}

/* Every flipped bit of tag or message is seen; bytes behind the tag are not
 * looked at. */
static void check_flips(const svr_hmac *hmac)
{
    uint8_t key[SVR_KEY_SIZE] = {9}, tag[SVR_TAG_MAX] = {0};
    uint8_t message[40] = {1, 2, 3};
    const svr_span parts = {message, sizeof(message)};
    svr_mac m;
    svr_mac_init(&m, hmac, key);
    svr_mac_sign(&m, &parts, 1, tag);
    cr_assert(svr_mac_verify(&m, &parts, 1, tag));
    for (size_t bit = 0; bit < 8 * sizeof(tag); bit++) {
        tag[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_eq(svr_mac_verify(&m, &parts, 1, tag),
                     bit / 8 >= hmac->tag_len);
        tag[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof(message); bit++) {
        message[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_not(svr_mac_verify(&m, &parts, 1, tag));
        message[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    key[31] ^= 1;
    svr_mac_init(&m, hmac, key);
    cr_assert_not(svr_mac_verify(&m, &parts, 1, tag));
}

Test(crypto, every_flipped_bit_is_seen)
{
    check_flips(&svr_hmac_sha256);
    check_flips(&svr_hmac_sha256_128);
}

/* S11.1 to S11.4b: what is signed, as a list of bytes written by hand. */
Test(crypto, a_tag_covers_bytes_header_and_time)
{
    static const svr_tcp_bind bind = {
        .seq = 0x01020304,
        .ack = 0x05060708,
        .window = 0x090a,
        .flags = 0x18,
        .options = {(const uint8_t *)"oooo", 4},
    };
    static const svr_tcp_bind syn = {
        .seq = 0x01020304,
        .ack = 0x05060708,
        .window = 0x090a,
        .flags = 0x02,
        .options = {(const uint8_t *)"\1\2\4\5\xb4\3\3\7", 8},
    };
    static const struct {
        svr_tag_scope scope;
        const char *input;
        size_t len;
    } rows[] = {
        {{NULL, false, 7}, "data", 4},
        {{NULL, true, 7}, "data\0\0\0\0\0\0\0\7", 12},
        {{NULL, true, 7, 0x01020304}, "data\0\0\0\0\0\0\0\7\1\2\3\4", 16},
        {{NULL, false, 7, 0x01020304}, "data\1\2\3\4", 8},
        {{&bind, false, 7}, "dataoooo\1\2\3\4\5\6\7\x8\x9\xa\x18\4", 20},
        {{&syn, false, 7},
         "data\1\2\4\0\0\3\3\7\1\2\3\4\5\6\7\x8\x9\xa\2\x8",
         24},
        {{&bind, true, UINT64_C(0x0102030405060708), 5},
         "dataoooo\1\2\3\4\5\6\7\x8\x9\xa\x18\4"
         "\1\2\3\4\5\6\7\x8\0\0\0\5",
         32},
    };
    static const svr_span data = {(const uint8_t *)"data", 4};
    const uint8_t key[SVR_KEY_SIZE] = {5};
    svr_mac m;
    svr_mac_init(&m, &svr_hmac_sha256_128, key);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const svr_span input = {(const uint8_t *)rows[i].input, rows[i].len};
        uint8_t tag[16], expected[16];
        svr_mac_sign(&m, &input, 1, expected);
        svr_tag_write(&m, data, &rows[i].scope, tag);
        cr_assert_arr_eq(tag, expected, 16, "row %zu", i);
        for (size_t j = 0; j < COUNT(rows); j++)
            cr_assert_eq(svr_tag_verify(&m, data, &rows[j].scope, tag), i == j);
    }
}

Test(crypto, a_tag_holds_for_three_steps)
{
    static const svr_span data = {(const uint8_t *)"data", 4};
    const uint8_t key[SVR_KEY_SIZE] = {5};
    svr_tag_scope scope = {.timed = true, .step = 850000000};
    uint8_t tag[16];
    svr_mac m;
    svr_mac_init(&m, &svr_hmac_sha256_128, key);
    svr_tag_write(&m, data, &scope, tag);
    for (int shift = -3; shift <= 3; shift++) {
        scope.step = (uint64_t)(850000000 + shift);
        cr_assert_eq(svr_tag_verify(&m, data, &scope, tag),
                     shift >= -1 && shift <= 1, "%d", shift);
    }
}

Test(crypto, hmacs_are_found_by_name)
{
    static const struct {
        const char *name;
        const svr_hmac *hmac;
        size_t tag_len;
    } table[] = {
        {"sha256", &svr_hmac_sha256, 32},
        {"sha256-128", &svr_hmac_sha256_128, 16},
        {"sha512", &svr_hmac_sha512, 64},
        {"sha256-12", NULL, 0},
        {"SHA256", NULL, 0},
        {"", NULL, 0},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        const svr_hmac *hmac = svr_hmac_find(NULL, table[i].name);
        cr_assert_eq(hmac, table[i].hmac);
        if (hmac) {
            cr_assert_eq(hmac->tag_len, table[i].tag_len);
            cr_assert_str_eq(hmac->name, table[i].name);
        }
    }
}

Test(crypto, a_wiped_mac_is_zero)
{
    uint8_t key[SVR_KEY_SIZE] = {1};
    static const svr_mac zero;
    svr_mac m;
    memset(&m, 0, sizeof(m));
    svr_mac_init(&m, &svr_hmac_sha256, key);
    cr_assert_neq(memcmp(m.state, zero.state, sizeof(zero.state)), 0);
    svr_mac_wipe(&m);
    cr_assert_eq(memcmp(&m, &zero, sizeof(m)), 0);
}

/* From the reference implementation's vectors. */
Test(crypto, the_hash_is_siphash_2_4)
{
    static const struct {
        size_t len;
        uint64_t hash;
    } table[] = {
        {0, 0x726fdb47dd0e0e31},  {1, 0x74f839c593dc67fd},
        {7, 0xab0200f58b01d137},  {8, 0x93f5f5799a932462},
        {15, 0xa129ca6149be45e5},
    };
    uint8_t key[SVR_HASH_KEY_SIZE], data[16];
    count_up(key, sizeof(key));
    count_up(data, sizeof(data));
    for (size_t i = 0; i < COUNT(table); i++)
        cr_assert_eq(svr_hash(key, data, table[i].len), table[i].hash);
}

/* Made with Python's hashlib.blake2b from the layouts in keys.c. */
Test(crypto, derived_keys_have_known_values)
{
    uint8_t key[SVR_KEY_SIZE], out[SVR_KEY_SIZE];
    svr_direction_key direction;
    svr_uuid uuid;
    count_up(key, sizeof(key));
    count_up(uuid.b, sizeof(uuid.b));

    svr_kdf(out, key, "svr test", NULL, 0);
    assert_hex(
        out,
        "25f0456ed7556a0a59c516922c6a8170f830c631ee609b34c5c57c2ec0b627fe");
    const svr_span parts[] = {svr__text("ab"), {NULL, 0}};
    svr_kdf(out, key, "svr test", parts, 2);
    assert_hex(
        out,
        "b470fd3443bb6c3a0bd8a9f7b798619e4fff7af02346d9b194a08b96d3044c18");

    svr_direction_key_derive(&direction, key, "branch1", "dc1", 1);
    assert_hex(
        direction.key,
        "f96154f8c28b527dffe181022a713d08e8473e7163f7bad15b8566f898129007");
    cr_assert_eq(direction.security_id, 0x47479ce1);
    svr_session_key_derive(out, &direction, &uuid);
    assert_hex(
        out,
        "16e699535cc184cfd99df5316f4c563d2c26aaa6432355344bc462fcd46226b4");
}

Test(crypto, a_key_may_be_derived_in_its_own_place)
{
    uint8_t key[SVR_KEY_SIZE] = {3}, out[SVR_KEY_SIZE];
    svr_kdf(out, key, "label", NULL, 0);
    svr_kdf(key, key, "label", NULL, 0);
    cr_assert_arr_eq(out, key, SVR_KEY_SIZE);
}

/* Where a part ends is part of the input. */
Test(crypto, parts_cannot_be_moved_into_each_other)
{
    static const struct {
        const char *label;
        const char *parts[3];
        size_t count;
    } table[] = {
        {"label", {"ab", "c"}, 2}, {"label", {"a", "bc"}, 2},
        {"label", {"abc"}, 1},     {"label", {"abc", ""}, 2},
        {"label", {"", "abc"}, 2}, {"labela", {"bc"}, 1},
        {"labelabc", {0}, 0},      {"", {"label", "ab", "c"}, 3},
    };
    uint8_t key[SVR_KEY_SIZE] = {0}, out[COUNT(table)][SVR_KEY_SIZE];
    for (size_t i = 0; i < COUNT(table); i++) {
        svr_span parts[3];
        for (size_t p = 0; p < table[i].count; p++)
            parts[p] = svr__text(table[i].parts[p]);
        svr_kdf(out[i], key, table[i].label, parts, table[i].count);
        for (size_t j = 0; j < i; j++)
            cr_assert_arr_neq(out[i], out[j], SVR_KEY_SIZE);
    }
}

Test(crypto, every_part_of_a_direction_counts)
{
    static const struct {
        uint8_t shared;
        const char *from, *to;
        uint32_t generation;
    } table[] = {
        {0, "branch1", "dc1", 1}, {0, "dc1", "branch1", 1},
        {0, "branch1", "dc1", 2}, {0, "branch2", "dc1", 1},
        {0, "branch1", "dc2", 1}, {1, "branch1", "dc1", 1},
        {0, "branch", "1dc1", 1}, {0, "branch1dc1", "", 1},
    };
    static const svr_uuid uuid = {{1}};
    svr_direction_key k[COUNT(table)];
    uint8_t session[COUNT(table)][SVR_KEY_SIZE];
    for (size_t i = 0; i < COUNT(table); i++) {
        uint8_t shared[SVR_KEY_SIZE] = {table[i].shared};
        svr_direction_key_derive(&k[i], shared, table[i].from, table[i].to,
                                 table[i].generation);
        svr_session_key_derive(session[i], &k[i], &uuid);
        cr_assert_neq(k[i].security_id, 0);
        for (size_t j = 0; j < i; j++) {
            cr_assert_arr_neq(k[i].key, k[j].key, SVR_KEY_SIZE);
            cr_assert_neq(k[i].security_id, k[j].security_id);
            cr_assert_arr_neq(session[i], session[j], SVR_KEY_SIZE);
        }
    }
}

Test(crypto, both_ends_derive_the_same)
{
    uint8_t shared[SVR_KEY_SIZE] = {4};
    svr_direction_key a, b;
    svr_direction_key_derive(&a, shared, "a", "b", 1);
    svr_direction_key_derive(&b, shared, "a", "b", 1);
    cr_assert_arr_eq(a.key, b.key, SVR_KEY_SIZE);
    cr_assert_eq(a.security_id, b.security_id);
}

Test(crypto, sessions_have_keys_of_their_own)
{
    uint8_t shared[SVR_KEY_SIZE] = {5}, one[SVR_KEY_SIZE], two[SVR_KEY_SIZE];
    svr_direction_key k;
    svr_direction_key_derive(&k, shared, "a", "b", 1);
    for (int bit = 0; bit < 128; bit++) {
        svr_uuid uuid = {{0}};
        svr_session_key_derive(one, &k, &uuid);
        uuid.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        svr_session_key_derive(two, &k, &uuid);
        cr_assert_arr_neq(one, two, SVR_KEY_SIZE);
        cr_assert_arr_neq(two, k.key, SVR_KEY_SIZE);
    }
}

/* The stupid model of a window: every number ever accepted. */
typedef struct model {
    svr_replay window;
    uint64_t base; /* numbers are counted from here */
    uint64_t highest;
    bool *seen;
} model;

#define MODEL_SIZE (SVR_REPLAY_WINDOW * 12)

static void model_start(model *m, uint64_t base)
{
    *m = (model){.base = base};
    m->seen = calloc(MODEL_SIZE, sizeof(*m->seen));
    cr_assert_not_null(m->seen);
}

static void model_offer(model *m, uint64_t offset)
{
    uint64_t number = m->base + offset;
    bool old = number < m->highest && m->highest - number >= SVR_REPLAY_WINDOW;
    bool fresh = number != 0 && !old && !m->seen[offset];
    cr_assert_lt(offset, MODEL_SIZE);
    cr_assert_eq(svr_replay_check(&m->window, number), fresh,
                 "%" PRIu64 " of %" PRIu64, number, m->highest);
    svr_replay_commit(&m->window, number);
    cr_assert_not(svr_replay_check(&m->window, number));
    if (fresh) {
        m->seen[offset] = true;
        m->highest = number > m->highest ? number : m->highest;
    }
    cr_assert_eq(m->window.highest, m->highest);
}

static void model_run(uint64_t base, uint64_t seed)
{
    model m;
    uint64_t front = 0;
    model_start(&m, base);
    for (int i = 0; i < 60000; i++) {
        uint32_t kind = test_below(&seed, 100);
        uint64_t back =
            test_below(&seed, kind < 50   ? 100
                              : kind < 90 ? SVR_REPLAY_WINDOW
                                          : SVR_REPLAY_WINDOW + 200);
        uint64_t ahead = test_below(&seed, i % 5000 ? 10 : 100000);
        if (kind % 2 && front + ahead < MODEL_SIZE)
            front += ahead;
        else if (back <= front) {
            model_offer(&m, front - back);
            continue;
        }
        model_offer(&m, front);
    }
    free(m.seen);
}

Test(replay, agrees_with_a_set)
{
    for (uint64_t seed = 0; seed < 6; seed++)
        model_run(0, seed);
    model_run((uint64_t)1 << 32, 10);
    model_run(UINT64_MAX - MODEL_SIZE, 11);
}

Test(replay, the_edges_of_the_window)
{
    static const uint64_t top = 10 * SVR_REPLAY_WINDOW + 17;
    svr_replay r = {0};
    svr_replay_commit(&r, top);
    cr_assert_not(svr_replay_check(&r, top));
    cr_assert(svr_replay_check(&r, top + 1));
    cr_assert(svr_replay_check(&r, top - 1));
    cr_assert(svr_replay_check(&r, top - SVR_REPLAY_WINDOW + 1));
    cr_assert_not(svr_replay_check(&r, top - SVR_REPLAY_WINDOW));
    cr_assert_not(svr_replay_check(&r, top - SVR_REPLAY_WINDOW - 1));
    cr_assert_not(svr_replay_check(&r, 1));

    /* The oldest number shares its bit with the next one ahead. */
    svr_replay_commit(&r, top - SVR_REPLAY_WINDOW + 1);
    cr_assert_not(svr_replay_check(&r, top - SVR_REPLAY_WINDOW + 1));
    cr_assert(svr_replay_check(&r, top + 1));
    svr_replay_commit(&r, top + 1);
    cr_assert_not(svr_replay_check(&r, top - SVR_REPLAY_WINDOW + 1));
    cr_assert_not(svr_replay_check(&r, top));
}

Test(replay, zero_is_never_accepted)
{
    svr_replay r = {0};
    cr_assert_not(svr_replay_check(&r, 0));
    svr_replay_commit(&r, 0);
    cr_assert_not(svr_replay_check(&r, 0));
    cr_assert(svr_replay_check(&r, 1));
    cr_assert(svr_replay_check(&r, SVR_REPLAY_WINDOW));
    svr_replay_commit(&r, 1);
    cr_assert_not(svr_replay_check(&r, 0));
}

Test(replay, huge_jumps_forget_everything)
{
    svr_replay r = {0};
    for (uint64_t n = 1; n <= SVR_REPLAY_WINDOW; n++)
        svr_replay_commit(&r, n);
    svr_replay_commit(&r, UINT64_MAX);
    cr_assert_not(svr_replay_check(&r, UINT64_MAX));
    for (uint64_t back = 1; back < SVR_REPLAY_WINDOW; back++)
        cr_assert(svr_replay_check(&r, UINT64_MAX - back));
    cr_assert_not(svr_replay_check(&r, UINT64_MAX - SVR_REPLAY_WINDOW));
    cr_assert_not(svr_replay_check(&r, 1));
    cr_assert_not(svr_replay_check(&r, SVR_REPLAY_WINDOW));
}

/* A number that is too old must not mark the bit of another one. */
Test(replay, committing_what_is_too_old_changes_nothing)
{
    svr_replay r = {0}, before;
    svr_replay_commit(&r, 5 * SVR_REPLAY_WINDOW);
    before = r;
    svr_replay_commit(&r, 5);
    svr_replay_commit(&r, 4 * SVR_REPLAY_WINDOW);
    cr_assert_eq(memcmp(&r, &before, sizeof(r)), 0);
    cr_assert(svr_replay_check(&r, 4 * SVR_REPLAY_WINDOW + 5));
}

Test(replay, jumps_of_every_length_around_a_word)
{
    for (uint64_t from = 1; from < 200; from += 3) {
        for (uint64_t ahead = 1; ahead < 200; ahead++) {
            svr_replay r = {0};
            memset(r.seen, 0xff, sizeof(r.seen));
            r.highest = from + SVR_REPLAY_WINDOW;
            uint64_t to = r.highest + ahead;
            svr_replay_commit(&r, to);
            for (uint64_t n = to - 300; n <= to; n++)
                cr_assert_eq(svr_replay_check(&r, n),
                             n > from + SVR_REPLAY_WINDOW && n < to);
        }
    }
}
