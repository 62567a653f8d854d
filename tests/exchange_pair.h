/* exchange_pair.h - two routers that exchange keys, and what is on its way
 * between them, for tests of lib/crypto/exchange*. */
#ifndef SVR_TESTS_EXCHANGE_PAIR_H
#define SVR_TESTS_EXCHANGE_PAIR_H

#include <stdlib.h>
#include <string.h>
#include <svr/exchange.h>

#include "crypto/exchange.h"

enum {
    PAIR_QUEUE = 32,
};

typedef struct pair_message {
    unsigned from; /* which end */
    size_t len;
    uint8_t bytes[SVR_EXCHANGE_MAX];
} pair_message;

/* Repeatable random numbers, a part of the end, so that an end can be copied.
 */
typedef struct pair_end {
    svr_exchange x;
    svr_identity identity;
    uint64_t dice;
    const char *name;
    uint8_t seed[SVR_IDENTITY_SEED_SIZE];
    unsigned starts;
} pair_end;

typedef struct pair {
    pair_end end[2];
    svr_time now, rekey;
    bool loaded;
    uint8_t address; /* that messages come from */
    pair_message queue[PAIR_QUEUE];
    unsigned count;
    enum svr_exchange_verdict last; /* of a message that was taken in */
} pair;

static inline void pair_fill(void *user, void *buf, size_t len)
{
    uint64_t *dice = user;

    for (size_t i = 0; i < len; i++) {
        *dice = *dice * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)buf)[i] = (uint8_t)(*dice >> 56);
    }
}

static inline svr_random pair_random(pair_end *e)
{
    return (svr_random){pair_fill, &e->dice};
}

static inline void pair_start(pair *p, unsigned which)
{
    pair_end *e = &p->end[which];
    svr_random random = pair_random(e);
    svr_exchange_settings s = {
        .identity = &e->identity,
        .name = e->name,
        .peer = p->end[!which].name,
        .rekey = p->rekey,
        .random = random,
    };
    svr_random none = pair_random(&(pair_end){0});
    svr_identity peer;

    e->dice += 1000003 * ++e->starts;
    svr_identity_init(&e->identity, e->seed, &random);
    svr_identity_init(&peer, p->end[!which].seed, &none);
    memcpy(s.peer_identity, peer.public_key, SVR_IDENTITY_SIZE);
    if (svr_exchange_init(&e->x, &s, p->now) < 0)
        abort();
}

/* Two routers, of which end 0 has the lower identity. */
static inline void pair_init(pair *p)
{
    svr_random none = pair_random(&(pair_end){0});
    svr_identity id[2];

    *p = (pair){.now = 1000 * SVR_SECOND, .rekey = SVR_EXCHANGE_REKEY};
    for (unsigned i = 0; i < 2; i++) {
        memset(p->end[i].seed, 17 + (int)i, SVR_IDENTITY_SEED_SIZE);
        p->end[i].dice = 1 + i;
        svr_identity_init(&id[i], p->end[i].seed, &none);
    }
    if (memcmp(id[0].public_key, id[1].public_key, SVR_IDENTITY_SIZE) > 0) {
        memset(p->end[0].seed, 18, SVR_IDENTITY_SEED_SIZE);
        memset(p->end[1].seed, 17, SVR_IDENTITY_SEED_SIZE);
    }
    p->end[0].name = "east";
    p->end[1].name = "west";
    for (unsigned i = 0; i < 2; i++)
        pair_start(p, i);
}

/* One end takes these bytes in; what it replies is the answer's length. */
static inline enum svr_exchange_verdict pair_take(pair *p, unsigned to,
                                                  const uint8_t *bytes,
                                                  size_t len,
                                                  svr_exchange_reply *reply)
{
    const svr_exchange_source source = {{&p->address, 1}, p->loaded};
    svr_exchange *x = &p->end[to].x;

    x->identity = &p->end[to].identity; /* a pair may have been copied */
    x->random.user = &p->end[to].dice;
    p->last =
        svr_exchange_receive(x, (svr_span){bytes, len}, &source, p->now, reply);
    return p->last;
}

static inline bool pair_put(pair *p, unsigned from, const uint8_t *bytes,
                            size_t len)
{
    if (len == 0 || p->count == PAIR_QUEUE)
        return false;
    pair_message *m = &p->queue[p->count++];
    m->from = from;
    m->len = len;
    memcpy(m->bytes, bytes, len);
    return true;
}

/* Does what is due at one end, now. */
static inline void pair_serve(pair *p, unsigned which)
{
    svr_exchange *x = &p->end[which].x;
    uint8_t buf[SVR_EXCHANGE_MAX];

    x->identity = &p->end[which].identity;
    x->random.user = &p->end[which].dice;
    svr_exchange_handle(x, p->now);
    pair_put(p, which, buf, svr_exchange_send(x, buf, p->now));
}

/* Takes a message out of the queue. */
static inline pair_message pair_pop(pair *p, unsigned at)
{
    pair_message m = p->queue[at];

    p->count--;
    memmove(&p->queue[at], &p->queue[at + 1],
            (p->count - at) * sizeof(p->queue[0]));
    return m;
}

static inline enum svr_exchange_verdict pair_deliver(pair *p,
                                                     const pair_message *m)
{
    svr_exchange_reply reply;
    enum svr_exchange_verdict v =
        pair_take(p, !m->from, m->bytes, m->len, &reply);

    pair_put(p, !m->from, reply.bytes, reply.len);
    return v;
}

/* Delivers all that is on its way, and all that comes of it. */
static inline void pair_settle(pair *p)
{
    for (unsigned i = 0; i < 2; i++)
        pair_serve(p, i);
    while (p->count > 0) {
        pair_message m = pair_pop(p, 0);
        pair_deliver(p, &m);
        for (unsigned i = 0; i < 2; i++)
            pair_serve(p, i);
    }
}

/* Packets of each come to the other under what it uses. */
static inline void pair_hear(pair *p)
{
    for (unsigned i = 0; i < 2; i++) {
        const svr_generation *g = svr_exchange_current(&p->end[i].x);
        const svr_generation *theirs =
            g ? svr_exchange_by_id(&p->end[!i].x, g->send_id) : NULL;
        if (theirs)
            svr_exchange_heard(&p->end[!i].x, theirs->number, p->now);
    }
}

/* Time passes, and nothing is lost. */
static inline void pair_run(pair *p, svr_time until)
{
    for (;;) {
        svr_time due = until;
        for (unsigned i = 0; i < 2; i++)
            if (svr_exchange_due(&p->end[i].x) < due)
                due = svr_exchange_due(&p->end[i].x);
        if (due > p->now)
            p->now = due;
        pair_settle(p);
        pair_hear(p);
        if (p->now >= until)
            return;
    }
}

/* What one uses, the other accepts, and both mean the same. */
static inline bool pair_understands(const pair *p, unsigned from)
{
    const svr_generation *g = svr_exchange_current(&p->end[from].x);
    const svr_generation *h =
        g ? svr_exchange_by_id(&p->end[!from].x, g->send_id) : NULL;

    return h && h->number == g->number &&
           memcmp(h->peer_key, g->peer_key, SVR_KEY_SIZE) == 0 &&
           memcmp(h->own_metadata, g->peer_metadata, SVR_KEY_SIZE) == 0;
}

static inline bool pair_agrees(const pair *p)
{
    return p->end[0].x.current == p->end[1].x.current &&
           pair_understands(p, 0) && pair_understands(p, 1);
}

#endif
