/*
 * Two routers that exchange keys, and a script: messages arrive in any order,
 * or do not, or twice, or with bytes changed, or are bytes of the script; time
 * passes, routers restart, keys are asked for.
 *
 * Nobody but the two ever makes a generation: what is alive at both ends under
 * one number is the same, and what one router uses the other accepts, unless it
 * has restarted since. In the end, on a kind network, both agree.
 */
#include "fuzz.h"
#include "script.h"

#include "../tests/exchange_pair.h"

enum {
    KEPT = 16,
    STEPS = 200, /* each costs up to a quarter of a millisecond */
};

static pair p;
static pair_message kept[KEPT];
static unsigned kept_count;
static bool forgot; /* somebody has restarted since keys were agreed on */

/* What is on its way is kept by whoever listens. */
static void listen_in(void)
{
    while (p.count > 0)
        kept[kept_count++ % KEPT] = pair_pop(&p, 0);
}

static void check_pair(void)
{
    for (size_t i = 0; i < SVR_EXCHANGE_LIVE; i++) {
        const svr_generation *g = &p.end[0].x.live[i];
        const svr_generation *h =
            svr_exchange_by_number(&p.end[1].x, g->number);
        if (g->number && h && !forgot)
            check(memcmp(g->peer_key, h->peer_key, SVR_KEY_SIZE) == 0);
    }
    for (unsigned i = 0; i < 2; i++)
        if (svr_exchange_current(&p.end[i].x) && !forgot)
            check(pair_understands(&p, i));
}

/* Whether all that differs is what is looked at under load only. */
static bool is_same(const pair_message *a, const pair_message *b)
{
    size_t len = a->len;

    if (a->bytes[0] == SVR__EXCHANGE_START)
        len -= SVR__EXCHANGE_MAC;
    return memcmp(a->bytes, b->bytes, len) == 0;
}

static void deliver(struct script *s, bool change)
{
    if (kept_count == 0)
        return;
    const pair_message *as_sent =
        &kept[take(s) % (kept_count < KEPT ? kept_count : KEPT)];
    pair_message m = *as_sent;
    for (unsigned n = change ? 1 + take(s) % 3u : 0; n > 0; n--) {
        uint8_t flip = take(s);
        m.bytes[take(s) % m.len] ^= flip;
    }
    if (change && take(s) % 8 == 0)
        m.from = !m.from; /* reflected */
    if (pair_deliver(&p, &m) == SVR_EXCHANGE_ACCEPTED)
        check(is_same(as_sent, &m) && as_sent->from == m.from);
}

static void deliver_script(struct script *s)
{
    pair_message m = {.from = take(s) % 2u};

    m.len = take(s);
    m.len = m.len < s->len ? m.len : s->len;
    memcpy(m.bytes, s->data, m.len);
    s->data += m.len;
    s->len -= m.len;
    pair_deliver(&p, &m);
}

static void step(struct script *s)
{
    uint8_t what = take(s);

    switch (what % 8) {
    case 0:
    case 1:
    case 2:
        deliver(s, false);
        break;
    case 3:
        deliver(s, true);
        break;
    case 4:
        deliver_script(s);
        break;
    case 5:
        p.now += take(s) * (SVR_SECOND / 4) << take(s) % 8;
        break;
    case 6:
        svr_exchange_request(&p.end[what / 8 % 2].x, p.now);
        break;
    default:
        p.loaded = what & 8;
        p.address = what >> 6;
        if (what & 16 && what & 32) {
            pair_start(&p, what / 64 % 2);
            forgot = true;
        }
    }
}

void fuzz_one(const uint8_t *data, size_t len)
{
    struct script s = {data, len};

    check(svr_crypto_init() == 0);
    pair_init(&p);
    kept_count = 0;
    forgot = false;
    for (unsigned i = 0; s.len > 0 && i < STEPS; i++) {
        step(&s);
        for (unsigned e = 0; e < 2; e++)
            pair_serve(&p, e);
        listen_in();
        check_pair();
    }
    p.loaded = false;
    for (unsigned i = 0; i < 8; i++) {
        pair_run(&p, p.now + 60 * SVR_SECOND);
        if (pair_agrees(&p))
            return;
    }
    check(pair_agrees(&p));
}
