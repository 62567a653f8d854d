/* The key exchange (S12.3): identities, ephemeral keys, secrets of answers and
 * metadata keys are secret; messages are public once they are sent. */
#include "taint.h"

#include "../exchange_pair.h"

static void publish(pair *p)
{
    for (unsigned i = 0; i < p->count; i++)
        taint_public(p->queue[i].bytes, p->queue[i].len);
}

static void hide(pair_end *e)
{
    taint_secret(e->identity.private_key, sizeof(e->identity.private_key));
    taint_secret(e->identity.metadata_key, sizeof(e->identity.metadata_key));
    taint_secret(e->x.secrets, sizeof(e->x.secrets));
    e->x.random.fill = taint_fill;
}

static void serve(pair *p)
{
    for (unsigned i = 0; i < 2; i++)
        pair_serve(p, i);
    publish(p);
}

/* All but the message's kind, version and lengths. */
static void deliver_changed(pair *p, const pair_message *m)
{
    for (size_t at = 6; at < m->len; at += m->len / 6) {
        pair_message other = *m;
        svr_exchange_reply reply;
        other.bytes[at] ^= 0x10;
        (void)pair_take(p, !m->from, other.bytes, other.len, &reply);
    }
}

static unsigned settle(pair *p)
{
    unsigned kinds = 0;

    serve(p);
    while (p->count > 0) {
        pair_message m = pair_pop(p, 0);
        kinds |= 1u << m.bytes[0];
        deliver_changed(p, &m);
        pair_deliver(p, &m);
        pair_deliver(p, &m); /* once more: it is repeated, or refused */
        serve(p);
    }
    return kinds;
}

static void check_agreed(pair *p)
{
    for (unsigned i = 0; i < 2; i++) {
        const svr_generation *g = svr_exchange_current(&p->end[i].x);
        EXPECT(g && taint_is_secret(g->peer_key, SVR_KEY_SIZE));
        EXPECT(taint_is_secret(g->peer_metadata, SVR_KEY_SIZE));
        taint_public(p->end[i].x.live, sizeof(p->end[i].x.live));
    }
    EXPECT(pair_agrees(p));
}

void run_exchange(void)
{
    static pair p;
    unsigned kinds = 0;

    pair_init(&p);
    for (unsigned i = 0; i < 2; i++)
        hide(&p.end[i]);
    for (unsigned run = 0; run < 2; run++) {
        p.loaded = run == 1; /* and a cookie */
        for (unsigned i = 0; i < 5; i++) {
            kinds |= settle(&p);
            p.now += 2 * SVR_SECOND;
        }
        check_agreed(&p);
        svr_exchange_request(&p.end[1].x, p.now);
    }
    for (unsigned kind = SVR__EXCHANGE_START; kind <= SVR__EXCHANGE_COOKIE;
         kind++)
        EXPECT(kinds & 1u << kind);
    for (unsigned i = 0; i < 2; i++)
        svr_exchange_wipe(&p.end[i].x);
}
