/* Payloads that are sealed and opened (S11.5, S12.6). */
#include <criterion/criterion.h>
#include <svr/payload.h>

#include "support.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ROOM 2048

/* One direction of a session, both of its ends. */
struct line {
    const svr_cipher *cipher;
    svr_payload_scope scope;
    uint8_t key[SVR_KEY_SIZE];
    uint64_t seed;
    svr_random random;
    svr_payload_sender sender;
    svr_payload_receiver receiver;
};

static const svr_tcp_bind bind = {.seq = 7, .ack = 9, .flags = 0x18};

static void begin(void)
{
    cr_assert_eq(svr_crypto_init(), 0);
}

TestSuite(crypto_payload, .init = begin);

static const svr_cipher *const ciphers[] = {&svr_cipher_aes_gcm_256,
                                            &svr_cipher_chacha20_poly1305};

static void learn(struct line *l)
{
    cr_assert_eq(svr_payload_receiver_init(&l->receiver, l->cipher, &l->scope,
                                           l->key, l->sender.salt,
                                           l->sender.epoch),
                 0);
}

static void rekey(struct line *l)
{
    cr_assert_eq(svr_payload_sender_init(&l->sender, l->cipher, &l->scope,
                                         l->key, &l->random),
                 0);
}

static struct line *line_open(const svr_cipher *cipher)
{
    struct line *l = malloc(sizeof(*l));

    memset(l, 0xa5, sizeof(*l)); /* windows may hold anything */
    *l = (struct line){.cipher = cipher, .seed = 1};
    memset(l->receiver.slot[0].seen, 0xff, sizeof(l->receiver.slot[0].seen));
    memset(l->receiver.slot[1].seen, 0xff, sizeof(l->receiver.slot[1].seen));
    l->random = (svr_random){test_fill, &l->seed};
    test_fill(&l->seed, l->key, sizeof(l->key));
    test_fill(&l->seed, &l->scope.uuid, sizeof(l->scope.uuid));
    svr_payload_receiver_clear(&l->receiver);
    rekey(l);
    learn(l);
    return l;
}

static void line_close(struct line *l)
{
    svr_payload_sender_wipe(&l->sender);
    svr_payload_receiver_wipe(&l->receiver);
    free(l);
}

static size_t seal(struct line *l, const svr_tcp_bind *b, uint8_t *buf,
                   size_t len)
{
    for (size_t i = 0; i < len; i++)
        buf[i] = (uint8_t)i;
    ptrdiff_t sealed = svr_payload_seal(&l->sender, b, &l->random, buf, len);
    cr_assert_eq(sealed, (ptrdiff_t)(len + svr_payload_growth(l->cipher, len)));
    return (size_t)sealed;
}

static ptrdiff_t open_copy(struct line *l, const svr_tcp_bind *b,
                           const uint8_t *buf, size_t len)
{
    uint8_t copy[ROOM];
    memcpy(copy, buf, len);
    ptrdiff_t opened = svr_payload_open(&l->receiver, b, copy, len);
    for (ptrdiff_t i = 0; i < opened; i++)
        cr_assert_eq(copy[i], (uint8_t)i);
    return opened;
}

#define EACH_CIPHER(c)                                                       \
    for (size_t n_ = 0; n_ < COUNT(ciphers); n_++)                           \
        for (const svr_cipher *c = svr_cipher_find(NULL, ciphers[n_]->name); \
             c; c = NULL)

Test(crypto_payload, what_was_changed_does_not_open)
{
    EACH_CIPHER(c)
    {
        struct line *l = line_open(c);
        uint8_t buf[ROOM];
        size_t len = seal(l, &bind, buf, 40);

        for (size_t i = 0; i < 8 * len; i++) {
            buf[i / 8] ^= (uint8_t)(1 << i % 8);
            cr_expect_lt(open_copy(l, &bind, buf, len), 0, "bit %zu", i);
            buf[i / 8] ^= (uint8_t)(1 << i % 8);
        }
        for (size_t cut = 0; cut < len; cut++)
            cr_expect_lt(open_copy(l, &bind, buf, cut), 0, "%zu bytes", cut);
        cr_expect_lt(open_copy(l, &bind, buf, len + 1), 0);
        cr_expect_eq(open_copy(l, &bind, buf, len), 40);
        line_close(l);
    }
}

Test(crypto_payload, it_opens_as_what_it_is_only)
{
    static const svr_tcp_bind others[] = {
        {.seq = 8, .ack = 9, .flags = 0x18},
        {.seq = 7, .ack = 8, .flags = 0x18},
        {.seq = 7, .ack = 9, .flags = 0x19},
        {.seq = 7, .ack = 9, .flags = 0x18, .window = 1},
        {.seq = 7,
         .ack = 9,
         .flags = 0x18,
         .options = {(const uint8_t *)"\x01", 1}},
    };

    EACH_CIPHER(c)
    {
        struct line *l = line_open(c);
        uint8_t buf[ROOM];
        size_t len = seal(l, &bind, buf, 100);

        for (size_t i = 0; i < COUNT(others); i++)
            cr_expect_eq(open_copy(l, &others[i], buf, len), SVR_ERR_TAG);
        cr_expect_eq(open_copy(l, NULL, buf, len), SVR_ERR_TAG);
        l->receiver.scope.direction = SVR_REVERSE;
        cr_expect_eq(open_copy(l, &bind, buf, len), SVR_ERR_TAG);
        l->receiver.scope.direction = SVR_FORWARD;
        l->receiver.scope.uuid.b[15] ^= 1;
        cr_expect_eq(open_copy(l, &bind, buf, len), SVR_ERR_TAG);
        l->receiver.scope.uuid.b[15] ^= 1;
        cr_expect_eq(open_copy(l, &bind, buf, len), 100);
        line_close(l);
    }
}

/* What goes into a key: the session, the direction, the salt, the secret. */
Test(crypto_payload, each_key_is_another)
{
    struct line *l = line_open(&svr_cipher_chacha20_poly1305);
    svr_payload_receiver *r = &l->receiver;
    uint8_t buf[ROOM], key[SVR_KEY_SIZE], salt[SVR_SALT_SIZE];
    svr_payload_scope scope = l->scope;
    size_t len = seal(l, NULL, buf, 10);
    bool epoch = l->sender.epoch;

    memcpy(key, l->key, sizeof(key));
    memcpy(salt, l->sender.salt, sizeof(salt));
    for (int what = 0; what < 4; what++) {
        if (what == 0)
            key[31] ^= 1;
        else if (what == 1)
            salt[15] ^= 1;
        else if (what == 2)
            scope.direction = SVR_REVERSE;
        else
            scope.uuid.b[0] ^= 1;
        cr_assert_eq(
            svr_payload_receiver_init(r, l->cipher, &scope, key, salt, epoch),
            0);
        r->scope = l->scope; /* so that only the key is wrong */
        cr_expect_eq(open_copy(l, NULL, buf, len), SVR_ERR_TAG, "%d", what);
        memcpy(key, l->key, sizeof(key));
        memcpy(salt, l->sender.salt, sizeof(salt));
        scope = l->scope;
    }
    learn(l);
    cr_expect_eq(open_copy(l, NULL, buf, len), 10);
    line_close(l);
}

Test(crypto_payload, without_a_key_nothing_is_sealed_or_opened)
{
    svr_payload_sender s = {0};
    svr_payload_receiver *r = malloc(sizeof(*r));
    struct line *l = line_open(&svr_cipher_chacha20_poly1305);
    uint8_t buf[ROOM];
    size_t len = seal(l, NULL, buf, 5);

    svr_payload_receiver_clear(r);
    cr_expect_eq(svr_payload_seal(&s, NULL, &l->random, buf, 5),
                 SVR_ERR_NO_KEY);
    cr_expect_eq(svr_payload_open(r, NULL, buf, len), SVR_ERR_TAG);
    svr_payload_receiver_retire(&l->receiver, l->sender.epoch);
    cr_expect_eq(open_copy(l, NULL, buf, len), SVR_ERR_TAG);
    cr_expect_not(svr_payload_receiver_knows(&l->receiver, l->sender.salt,
                                             l->sender.epoch));
    free(r);
    line_close(l);
}

Test(crypto_payload, lengths)
{
    EACH_CIPHER(c)
    {
        struct line *l = line_open(c);
        uint8_t buf[ROOM];

        for (size_t len = 0; len < 100; len++) {
            size_t sealed = seal(l, NULL, buf, len);
            cr_expect_eq(open_copy(l, NULL, buf, sealed), (ptrdiff_t)len);
        }
        line_close(l);
    }
}

/* A sealed packet is known by its counter here; it never opens twice. */
Test(crypto_payload, replays_and_reordering)
{
    enum { PACKETS = 3 * SVR_PAYLOAD_WINDOW, SIZE = 30 };
    struct line *l = line_open(&svr_cipher_chacha20_poly1305);
    uint8_t(*sent)[SIZE] = malloc((size_t)PACKETS * SIZE);
    uint64_t seed = 3;

    for (size_t i = 0; i < PACKETS; i++)
        cr_assert_eq(seal(l, NULL, sent[i], SIZE - 24), SIZE);
    for (size_t i = 0; i < SVR_PAYLOAD_WINDOW; i++) { /* shuffled by pairs */
        size_t at = i ^ 1;
        cr_assert_eq(open_copy(l, NULL, sent[at], SIZE), SIZE - 24);
        cr_assert_eq(open_copy(l, NULL, sent[at], SIZE), SVR_ERR_REPLAY);
    }
    cr_expect_eq(open_copy(l, NULL, sent[PACKETS - 1], SIZE), SIZE - 24);
    size_t oldest = PACKETS - SVR_PAYLOAD_WINDOW;
    cr_expect_eq(open_copy(l, NULL, sent[oldest - 1], SIZE), SVR_ERR_REPLAY);
    cr_expect_eq(open_copy(l, NULL, sent[oldest], SIZE), SIZE - 24);
    cr_expect_eq(open_copy(l, NULL, sent[oldest], SIZE), SVR_ERR_REPLAY);
    for (size_t i = 0; i < 1000; i++) {
        size_t at = oldest + 1 + test_below(&seed, SVR_PAYLOAD_WINDOW - 2);
        ptrdiff_t first = open_copy(l, NULL, sent[at], SIZE);
        cr_expect(first == SIZE - 24 || first == SVR_ERR_REPLAY);
        cr_expect_eq(open_copy(l, NULL, sent[at], SIZE), SVR_ERR_REPLAY);
    }
    free(sent);
    line_close(l);
}

/* What is false does not move the window. */
Test(crypto_payload, a_forged_counter_changes_nothing)
{
    struct line *l = line_open(&svr_cipher_chacha20_poly1305);
    uint8_t first[ROOM], second[ROOM];
    size_t len = seal(l, NULL, first, 9);
    size_t other = seal(l, NULL, second, 9);

    second[len - 2] = 0xff; /* far ahead */
    cr_expect_eq(open_copy(l, NULL, second, other), SVR_ERR_TAG);
    cr_expect_eq(open_copy(l, NULL, first, len), 9);
    line_close(l);
}

Test(crypto_payload, the_next_epoch_loses_no_packet_in_flight)
{
    EACH_CIPHER(c)
    {
        struct line *l = line_open(c);
        uint8_t late[ROOM], new[ROOM], newest[ROOM];
        bool before = l->sender.epoch;
        size_t len = seal(l, NULL, late, 11);

        rekey(l);
        cr_expect_neq(l->sender.epoch, before);
        seal(l, NULL, new, 11);
        cr_expect_eq(open_copy(l, NULL, new, len), SVR_ERR_TAG);
        learn(l);
        cr_expect_eq(open_copy(l, NULL, new, len), 11);
        cr_expect_eq(open_copy(l, NULL, late, len), 11);
        cr_expect_eq(open_copy(l, NULL, late, len), SVR_ERR_REPLAY);
        rekey(l); /* takes the place of the first one */
        learn(l);
        seal(l, NULL, newest, 11);
        cr_expect_eq(open_copy(l, NULL, newest, len), 11);
        cr_expect_eq(open_copy(l, NULL, late, len), SVR_ERR_REPLAY);
        cr_expect_eq(open_copy(l, NULL, new, len), SVR_ERR_REPLAY);
        line_close(l);
    }
}

/* No counter is used twice under one key, over a million packets and a thousand
 * keys: all that a sender can do is to go on or to draw another salt. */
Test(crypto_payload, no_nonce_is_used_twice)
{
    enum { PACKETS = 1000000, KEYS = 1000 };
    struct line *l = line_open(&svr_cipher_chacha20_poly1305);
    uint8_t salts[KEYS][SVR_SALT_SIZE], buf[ROOM];
    uint64_t before = 0;

    for (size_t i = 0; i < PACKETS; i++) {
        if (i % (PACKETS / KEYS) == 0) {
            bool epoch = l->sender.epoch;
            size_t key = i / (PACKETS / KEYS);
            rekey(l);
            cr_assert_neq(l->sender.epoch, epoch);
            memcpy(salts[key], l->sender.salt, SVR_SALT_SIZE);
            for (size_t k = 0; k < key; k++)
                cr_assert_arr_neq(salts[k], salts[key], SVR_SALT_SIZE);
            before = 0;
        }
        cr_assert_eq(svr_payload_seal(&l->sender, NULL, &l->random, buf, 0),
                     24);
        uint64_t counter = 0;
        for (size_t k = 0; k < 8; k++)
            counter = counter << 8 | buf[16 + k];
        cr_assert_eq(counter >> 63, l->sender.epoch);
        counter &= UINT64_MAX >> 1;
        cr_assert_eq(counter, ++before);
    }
    line_close(l);
}

Test(crypto_payload, counters_come_to_an_end)
{
    struct line *l = line_open(&svr_cipher_chacha20_poly1305);
    uint8_t buf[ROOM];

    l->sender.next = INT64_MAX;
    size_t len = seal(l, NULL, buf, 3);
    cr_expect_eq(open_copy(l, NULL, buf, len), 3);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(svr_payload_seal(&l->sender, NULL, &l->random, buf, 3),
                     SVR_ERR_NO_KEY);
    rekey(l);
    learn(l);
    len = seal(l, NULL, buf, 3);
    cr_expect_eq(open_copy(l, NULL, buf, len), 3);
    line_close(l);
}

Test(crypto_payload, nothing_is_left_of_a_sender)
{
    struct line *l = line_open(&svr_cipher_chacha20_poly1305);
    uint8_t buf[ROOM];

    svr_payload_sender_wipe(&l->sender);
    for (size_t i = 0; i < sizeof(l->sender); i++)
        cr_expect_eq(((const uint8_t *)&l->sender)[i], 0);
    cr_expect_eq(svr_payload_seal(&l->sender, NULL, &l->random, buf, 3),
                 SVR_ERR_NO_KEY);
    line_close(l);
}

/* Metadata */

static size_t make_block(uint8_t *buf)
{
    svr_metadata md;

    svr_metadata_init(&md);
    md.present = SVR_HAS(SESSION_UUID) | SVR_HAS(SECURITY_ID) |
                 SVR_HAS(TENANT) | SVR_HAS(PACKET_NUMBER);
    md.tenant = (svr_span){(const uint8_t *)"corp", 4};
    ptrdiff_t len = svr_metadata_encode(buf, ROOM, &md);
    cr_assert_gt(len, 0);
    return (size_t)len;
}

struct pair {
    svr_cipher_state seal, open;
    uint64_t seed;
    svr_random random;
};

static void pair_init(struct pair *p)
{
    uint8_t key[SVR_KEY_SIZE] = {1};
    const svr_cipher *c = svr_metadata_cipher(&svr_cipher_aes_gcm_256);

    *p = (struct pair){.seed = 5};
    p->random = (svr_random){test_fill, &p->seed};
    cr_assert_eq(svr_cipher_init(&p->seal, c, SVR_CIPHER_SEAL, key), 0);
    cr_assert_eq(svr_cipher_init(&p->open, c, SVR_CIPHER_OPEN, key), 0);
}

static ptrdiff_t open_block(struct pair *p, const uint8_t *buf, size_t len,
                            uint8_t *copy)
{
    svr_block b;

    memcpy(copy, buf, len);
    if (svr_block_parse(&b, copy, len) < 0)
        return SVR_ERR_LENGTH;
    return svr_metadata_open(&p->open, copy, &b);
}

Test(crypto_payload, a_block_opens_as_what_it_was)
{
    struct pair p;
    uint8_t buf[ROOM], clear[ROOM], copy[ROOM];
    svr_block b;

    pair_init(&p);
    size_t len = make_block(clear);
    memcpy(buf, clear, len);
    ptrdiff_t sealed = svr_metadata_seal(&p.seal, &p.random, buf, ROOM, len);
    cr_assert_eq(sealed, (ptrdiff_t)len + SVR_METADATA_GROWTH_MAX);
    cr_assert_eq(svr_block_parse(&b, clear, len), 0);
    cr_expect_arr_neq(buf + b.header_len, clear + b.header_len, b.payload_len);
    for (size_t i = 0; i < 8 * (size_t)sealed; i++) {
        buf[i / 8] ^= (uint8_t)(1 << i % 8);
        cr_expect_lt(open_block(&p, buf, (size_t)sealed, copy), 0, "bit %zu",
                     i);
        buf[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    cr_expect_eq(open_block(&p, buf, (size_t)sealed, copy), b.payload_len);
    cr_expect_arr_eq(copy + b.header_len, clear + b.header_len, b.payload_len);
    svr_cipher_wipe(&p.seal);
    svr_cipher_wipe(&p.open);
}

Test(crypto_payload, a_block_needs_room_and_something_to_hide)
{
    struct pair p;
    uint8_t buf[ROOM];

    pair_init(&p);
    size_t len = make_block(buf);
    cr_expect_eq(svr_metadata_seal(&p.seal, &p.random, buf,
                                   len + SVR_METADATA_GROWTH_MAX - 1, len),
                 SVR_ERR_NO_SPACE);
    svr_block_write_bare(buf);
    cr_expect_eq(
        svr_metadata_seal(&p.seal, &p.random, buf, ROOM, SVR_BASE_HEADER_SIZE),
        SVR_BASE_HEADER_SIZE);
    svr_cipher_wipe(&p.seal);
    svr_cipher_wipe(&p.open);
}

Test(crypto_payload, metadata_keys_differ)
{
    uint8_t shared[SVR_KEY_SIZE] = {9}, a[SVR_KEY_SIZE], b[SVR_KEY_SIZE];

    svr_metadata_key_derive(a, shared, "dc1", 1);
    svr_metadata_key_derive(b, shared, "dc2", 1);
    cr_expect_arr_neq(a, b, SVR_KEY_SIZE);
    svr_metadata_key_derive(b, shared, "dc1", 2);
    cr_expect_arr_neq(a, b, SVR_KEY_SIZE);
    svr_metadata_key_derive(b, shared, "dc1", 1);
    cr_expect_arr_eq(a, b, SVR_KEY_SIZE);
}

/* Ciphers of no use but to be looked at from outside: one hides nothing and has
 * blocks, two fail. */

static int take_key(const svr_cipher *c, uint8_t *state,
                    enum svr_cipher_use use, const uint8_t *key)
{
    (void)c, (void)state, (void)use, (void)key;
    return 0;
}

static int refuse_key(const svr_cipher *c, uint8_t *state,
                      enum svr_cipher_use use, const uint8_t *key)
{
    (void)c, (void)state, (void)use, (void)key;
    return SVR_ERR_NO_MEMORY;
}

static ptrdiff_t refuse_seal(uint8_t *state, const uint8_t *nonce, svr_span ad,
                             uint8_t *buf, size_t len, uint8_t *tag)
{
    (void)state, (void)nonce, (void)ad, (void)buf, (void)len, (void)tag;
    return SVR_ERR_NO_MEMORY;
}

static ptrdiff_t pad(uint8_t *state, const uint8_t *nonce, svr_span ad,
                     uint8_t *buf, size_t len, uint8_t *tag)
{
    size_t more = SVR_CBC_BLOCK - len % SVR_CBC_BLOCK;

    (void)state, (void)nonce, (void)ad, (void)tag;
    memset(buf + len, (int)more, more);
    return (ptrdiff_t)(len + more);
}

static ptrdiff_t unpad(uint8_t *state, const uint8_t *nonce, svr_span ad,
                       uint8_t *buf, size_t len, const uint8_t *tag)
{
    (void)state, (void)nonce, (void)ad, (void)tag;
    if (len % SVR_CBC_BLOCK || buf[len - 1] == 0 ||
        buf[len - 1] > SVR_CBC_BLOCK)
        return SVR_ERR_TAG;
    return (ptrdiff_t)len - buf[len - 1];
}

static const svr_cipher blocks = {
    .name = "aes-cbc-256",
    .kind = SVR_CIPHER_CBC,
    .key_len = 32,
    .nonce_len = SVR_CBC_BLOCK,
    .init = take_key,
    .seal = pad,
    .open = unpad,
};

static svr_cipher failing(enum svr_cipher_kind kind, bool at_once)
{
    return (svr_cipher){
        .name = "failing",
        .kind = kind,
        .key_len = 32,
        .nonce_len = kind == SVR_CIPHER_CBC ? SVR_CBC_BLOCK : 12,
        .init = at_once ? refuse_key : take_key,
        .seal = refuse_seal,
        .open = unpad,
    };
}

/* Nothing is sent, and nothing accepted, under a cipher that could not be
 * keyed; and what could not be sealed is not sent. */
Test(crypto_payload, a_library_may_fail)
{
    const svr_payload_scope scope = {.uuid = {{1}}};
    uint8_t key[SVR_KEY_SIZE] = {1}, salt[SVR_SALT_SIZE] = {2}, buf[ROOM] = {0};
    uint64_t seed = 1;
    const svr_random random = {test_fill, &seed};

    for (int kind = SVR_CIPHER_AEAD; kind <= SVR_CIPHER_CBC; kind++) {
        svr_cipher c = failing((enum svr_cipher_kind)kind, true);
        svr_payload_sender sender = {0};
        static svr_payload_receiver receiver;
        svr_payload_receiver_clear(&receiver);
        cr_expect_eq(svr_payload_sender_init(&sender, &c, &scope, key, &random),
                     SVR_ERR_NO_MEMORY);
        cr_expect_eq(svr_payload_seal(&sender, NULL, &random, buf, 40),
                     SVR_ERR_NO_KEY);
        cr_expect_eq(
            svr_payload_receiver_init(&receiver, &c, &scope, key, salt, false),
            SVR_ERR_NO_MEMORY);
        cr_expect(!svr_payload_receiver_knows(&receiver, salt, false));
        cr_expect_eq(svr_payload_open(&receiver, NULL, buf, 64), SVR_ERR_TAG);
        c = failing((enum svr_cipher_kind)kind, false);
        cr_assert_eq(svr_payload_sender_init(&sender, &c, &scope, key, &random),
                     0);
        cr_expect_eq(svr_payload_seal(&sender, NULL, &random, buf, 40),
                     SVR_ERR_NO_MEMORY);
        svr_payload_sender_wipe(&sender);
    }
}

Test(crypto_payload, ciphers_have_numbers)
{
    static const struct {
        const char *name;
        uint8_t number;
    } rows[] = {
        {"aes-gcm-256", 1},
        {"aes-gcm-128", 2},
        {"chacha20-poly1305", 3},
        {"aes-cbc-256", 4},
        {"aes-cbc-128", 5},
        {"xchacha20-poly1305", 0},
        {"aes-gcm", 0},
        {"aes-gcm-256-and-on", 0},
        {"", 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const svr_cipher c = {.name = rows[i].name};
        cr_expect_eq(svr_payload_cipher_number(&c), rows[i].number, "%s",
                     rows[i].name);
    }
}

/* S12.2 under CBC: lengths, room, cuts and padding. */
Test(crypto_payload, metadata_in_blocks)
{
    uint8_t key[SVR_KEY_SIZE] = {1}, buf[ROOM], copy[ROOM];
    svr_cipher_state s = {0}, o = {0}, failed = {0};
    uint64_t seed = 1;
    const svr_random random = {test_fill, &seed};
    svr_cipher c = failing(SVR_CIPHER_AEAD, false);
    svr_block b;

    cr_expect_eq(svr_metadata_cipher(&blocks), &blocks);
    cr_expect_eq(svr_metadata_growth(&blocks, 0), 0);
    cr_expect_eq(svr_metadata_growth(&blocks, 15), 17);
    cr_expect_eq(svr_metadata_growth(&blocks, 16), 32);
    cr_assert_eq(svr_cipher_init(&s, &blocks, SVR_CIPHER_SEAL, key), 0);
    cr_assert_eq(svr_cipher_init(&o, &blocks, SVR_CIPHER_OPEN, key), 0);
    cr_assert_eq(svr_cipher_init(&failed, &c, SVR_CIPHER_SEAL, key), 0);

    size_t len = make_block(buf);
    memcpy(copy, buf, len);
    cr_assert_eq(svr_block_parse(&b, buf, len), 0);
    size_t clear = b.payload_len;
    size_t growth = svr_metadata_growth(&blocks, clear);
    cr_expect_eq(svr_metadata_seal(&failed, &random, copy, ROOM, len),
                 SVR_ERR_NO_MEMORY);
    memcpy(copy, buf, len);
    cr_expect_eq(svr_metadata_seal(&s, &random, copy, len + growth - 1, len),
                 SVR_ERR_NO_SPACE);
    cr_expect_arr_eq(copy, buf, len);
    cr_assert_eq(svr_metadata_seal(&s, &random, buf, len + growth, len),
                 (ptrdiff_t)(len + growth));
    cr_assert_eq(svr_block_parse(&b, buf, len + growth), 0);
    cr_expect_eq(b.payload_len, clear + growth);
    cr_expect_eq(svr_metadata_open(&o, buf, &b), (ptrdiff_t)clear);
    buf[len + growth - SVR_CBC_BLOCK - 1] = 17;
    cr_expect_eq(svr_metadata_open(&o, buf, &b), SVR_ERR_TAG);
    for (uint16_t cut = 1; cut < 32; cut++) {
        b.payload_len = cut;
        cr_expect_eq(svr_metadata_open(&o, buf, &b), SVR_ERR_TAG, "%u", cut);
    }
    b.payload_len = 0;
    cr_expect_eq(svr_metadata_open(&o, buf, &b), 0);
    svr_cipher_wipe(&s);
    svr_cipher_wipe(&o);
    svr_cipher_wipe(&failed);
}
