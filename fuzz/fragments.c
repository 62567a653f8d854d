/*
 * Pieces of packets: a script of them goes into a pool, which is compared with
 * a simple model of it; what a pool gives out is split and put together again.
 * Then the input itself is read as an IP fragment.
 */
#include "../tests/heap.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <svr/fragment.h>

enum {
    FRONT = 20,
    KEYS = 4,
    STEP = 5, /* bytes of the script for one step */
    PIECE_MAX = 512,
    BYTES = UINT8_MAX * 8 + PIECE_MAX, /* no packet of the script is longer */
    STEPS = 32, /* more of them are slow and reach nothing new */
};

/* A packet as the model knows it: a list of pieces, and whose bytes are there.
 */
struct model {
    int open, spoilt;
    uint64_t since;
    size_t from[STEPS], len[STEPS], count;
    uint8_t there[BYTES], bytes[BYTES];
    size_t end, total; /* total 0: not known */
};

static struct model models[KEYS];
static uint8_t packet[SVR_HEADROOM + SVR_PACKET_MAX + SVR_TAILROOM];
static uint8_t part[SVR_HEADROOM + SVR_PACKET_MAX + SVR_TAILROOM];

static void check(int holds)
{
    if (!holds)
        abort();
}

/* The pool, empty. */
static svr_reassembly *empty_pool(void)
{
    const svr_allocator a = HEAP;
    static svr_reassembly *pool;
    if (!pool)
        check(svr_reassembly_create(&pool, 5, &a) == 0);
    svr_reassembly_handle_expiry(pool, SVR_NEVER);
    while (svr_reassembly_first(pool))
        svr_reassembly_release(pool);
    return pool;
}

static int same_came(const struct model *m, const svr_piece *p, size_t from)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->from[i] == from && m->len[i] == p->bytes.len &&
            (m->total == from + p->bytes.len) == !p->more)
            return memcmp(m->bytes + from, p->bytes.data, p->bytes.len) == 0;
    return 0;
}

static int spoil(struct model *m, int err)
{
    m->spoilt = 1;
    return err;
}

static int expected(struct model *m, const svr_piece *p, uint64_t now)
{
    size_t from = p->offset * (size_t)8, len = p->bytes.len;
    size_t to = from + len;
    int bad = len == 0 || (p->more && len % 8) || p->broken;
    if (bad && !m->open)
        return SVR_ERR_LENGTH;
    if (!m->open) {
        memset(m, 0, sizeof(*m));
        m->open = 1;
        m->since = now;
    }
    if (bad)
        return spoil(m, SVR_ERR_LENGTH);
    if (m->spoilt)
        return SVR_ERR_CONFLICT;
    if (same_came(m, p, from))
        return SVR_ERR_EXISTS;
    if (memchr(m->there + from, 1, len) || (m->total && to > m->total) ||
        (!p->more && (m->total || to < m->end)))
        return spoil(m, SVR_ERR_CONFLICT);
    m->from[m->count] = from;
    m->len[m->count++] = len;
    memset(m->there + from, 1, len);
    memcpy(m->bytes + from, p->bytes.data, len);
    if (to > m->end)
        m->end = to;
    if (!p->more)
        m->total = to;
    return m->total && !memchr(m->there, 0, m->total);
}

/* A model packet is complete: the pool's is the same. */
static void take_whole(svr_reassembly *r, struct model *m)
{
    const svr_packet *p = svr_reassembly_first(r);
    check(p != NULL);
    check(p->len == FRONT + m->total);
    check(memcmp(p->data + FRONT, m->bytes, m->total) == 0);
    svr_reassembly_release(r);
    m->open = 0;
}

static void one_step(svr_reassembly *r, const uint8_t *s, uint64_t now)
{
    uint8_t front[FRONT] = {0x45};
    uint8_t bytes[PIECE_MAX];
    struct model *m = &models[s[0] % KEYS];
    svr_piece_key key = {.id = s[0] % KEYS, .fabric = s[0] % KEYS & 1};
    size_t len = s[2] * (size_t)(s[4] & 4 ? 1 : 8) % sizeof(bytes);
    svr_piece piece = {
        .front = {front, FRONT},
        .bytes = {bytes, len},
        .offset = s[1],
        .more = s[4] & 1,
        .broken = (s[4] & 0xf8) == 0xf8,
    };
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)((size_t)s[1] * 8 + i * 3 + (s[3] == 0xff));
    int want = expected(m, &piece, now);
    check(svr_reassembly_add(r, &key, &piece, now) == want);
    if (want == 1)
        take_whole(r, m);
    else
        check(svr_reassembly_first(r) == NULL);
}

static void expire(svr_reassembly *r, uint64_t now)
{
    uint64_t due = SVR_NEVER;
    svr_reassembly_handle_expiry(r, now);
    for (int i = 0; i < KEYS; i++) {
        models[i].open &= models[i].since + 5 > now;
        if (models[i].open && models[i].since + 5 < due)
            due = models[i].since + 5;
    }
    check(svr_reassembly_expiry(r) == due);
}

static void run_script(const uint8_t *data, size_t len)
{
    svr_reassembly *r = empty_pool();
    uint64_t now = 0;
    for (int i = 0; i < KEYS; i++)
        models[i].open = 0;
    for (int i = 0; i < STEPS && len >= STEP; i++) {
        if (data[3] % 4)
            expire(r, now += data[3] % 4);
        one_step(r, data, now);
        data += STEP;
        len -= STEP;
    }
}

/* The packet that the fragments of p make, or NULL where one is refused: the
 * first must hold all headers. */
static const svr_packet *join(svr_ip_split *split)
{
    svr_reassembly *r = empty_pool();
    while (svr_ip_split_more(split)) {
        svr_piece_key key;
        svr_piece piece;
        svr_packet out;
        check(svr_ip_split_next(split, &out, part, sizeof(part)) == 0);
        check(out.len <= split->size);
        if (svr_ip_fragment_parse(&key, &piece, &out) < 0 ||
            svr_reassembly_add(r, &key, &piece, 0) < 0)
            return NULL;
    }
    return svr_reassembly_first(r);
}

/* All of a packet survives, but for an IPv4 header's id, DF and checksum. */
static void split_and_join(const svr_packet *p, uint16_t size)
{
    size_t from = p->data[0] >> 4 == 4 ? 12 : 0;
    svr_ip_split split;
    if (svr_ip_split_begin(&split, p, size, 7) < 0)
        return;
    const svr_packet *whole = join(&split);
    if (whole)
        check(whole->len == p->len &&
              memcmp(whole->data + from, p->data + from, p->len - from) == 0);
}

static void read_fragment(const uint8_t *data, size_t len)
{
    svr_piece_key key;
    svr_piece piece;
    svr_headers h;
    svr_packet p;
    if (len > SVR_PACKET_MAX ||
        svr_packet_init(&p, packet, sizeof(packet), len) < 0)
        return;
    memcpy(p.data, data, len);
    int whole = svr_packet_parse(&h, &p);
    if (whole == 0)
        split_and_join(&p, (uint16_t)(1280 + p.data[p.len - 1]));
    int err = svr_ip_fragment_parse(&key, &piece, &p);
    check(whole != 0 || err == SVR_ERR_NOT_FOUND);
    check((whole == SVR_ERR_FRAGMENT) == (err == 0));
    if (err < 0)
        return;
    check(piece.front.data == p.data);
    check(piece.bytes.data == p.data + piece.front.len);
    check(piece.front.len + piece.bytes.len == p.len);
    check(svr_reassembly_add(empty_pool(), &key, &piece, 0) <= 0);
}

void fuzz_one(const uint8_t *data, size_t len)
{
    run_script(data, len);
    read_fragment(data, len);
}
