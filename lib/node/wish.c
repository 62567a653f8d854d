/*
 * Sessions toward a peer behind a NAT (S14.9).
 *
 * The NAT lets nothing in on ports from which nothing has come out. So the peer
 * is asked for a packet from the session's ports first; the packet that would
 * have opened the session is dropped, and when it comes again the session opens
 * toward where the peer's packet came from.
 */
#include "node/node.h"

/* For how long a mapping is trusted to stand while nothing uses it, and for how
 * long a peer that did not answer is not asked again for the same session. */
#define KNOWN_TIME (10 * SVR_SECOND)
/* Asking takes less (S14.9). */
#define WAIT_TIME (5 * SVR_SECOND)

static bool is_over(const svr__wish *h, svr_time now)
{
    return now >= h->until;
}

static svr__wish *find_wish(svr_node *n, const svr_tuple *context,
                            uint16_t pathway, svr_time now)
{
    for (size_t i = 0; i < SVR__WISHES; i++) {
        svr__wish *h = &n->wishes[i];
        if (!is_over(h, now) && h->pathway == pathway &&
            svr_tuple_equal(&h->context, context))
            return h;
    }
    return NULL;
}

/* One that is over, else the one that is over first. */
static svr__wish *free_wish(svr_node *n)
{
    svr__wish *best = &n->wishes[0];

    for (size_t i = 1; i < SVR__WISHES; i++)
        if (n->wishes[i].until < best->until)
            best = &n->wishes[i];
    return best;
}

static enum svr_drop ask(svr_node *n, const svr_tuple *context,
                         const svr__side_plan *side, svr_time now)
{
    svr__pathway *pw = &n->pathways[side->pathway];
    svr_bfd_pinhole ports = {side->tuple.sport, side->tuple.dport};

    if (svr_pathway_ask(pw->watch, &ports, now) < 0)
        return SVR_DROP_PINHOLE;
    *free_wish(n) = (svr__wish){
        .context = *context,
        .until = now + WAIT_TIME,
        .ports = ports,
        .pathway = side->pathway,
        .state = SVR__WISH_ASKED,
    };
    svr__watch_serve(n, pw, 0, now);
    return SVR_DROP_PINHOLE;
}

enum svr_drop svr__wish_plan(svr_node *n, const svr_tuple *context,
                             svr__side_plan *side, svr_time now)
{
    svr__wish *h = find_wish(n, context, side->pathway, now);

    if (!h)
        return ask(n, context, side, now);
    switch (h->state) {
    case SVR__WISH_ASKED:
        return SVR_DROP_PINHOLE;
    case SVR__WISH_FAILED:
        return SVR_DROP_PATHWAY_DOWN;
    default:
        break;
    }
    side->tuple.sport = h->ports.local;
    side->tuple.dst = h->seen.addr;
    side->tuple.dport = h->seen.port;
    h->until = now;
    return SVR_DROP_NONE;
}

void svr__wish_result(svr_node *n, uint16_t pathway, const svr_pinhole *got,
                      svr_time now)
{
    for (size_t i = 0; i < SVR__WISHES; i++) {
        svr__wish *h = &n->wishes[i];
        if (is_over(h, now) || h->pathway != pathway ||
            h->ports.local != got->ports.local || h->state != SVR__WISH_ASKED)
            continue;
        h->state = got->open ? SVR__WISH_OPEN : SVR__WISH_FAILED;
        h->until = now + KNOWN_TIME;
        h->seen = got->seen;
    }
}

void svr__wishes_doubt(svr_node *n, uint16_t pathway)
{
    for (size_t i = 0; i < SVR__WISHES; i++)
        if (n->wishes[i].pathway == pathway &&
            n->wishes[i].state != SVR__WISH_ASKED)
            n->wishes[i].until = 0;
}

void svr__wishes_forget(svr_node *n)
{
    for (size_t i = 0; i < SVR__WISHES; i++)
        n->wishes[i].until = 0;
}

bool svr__wish_heard(svr__work *w, svr__pathway *pw)
{
    const svr_tuple *t = &w->headers.tuple;
    const svr_bfd_endpoint seen = {t->src, t->sport};

    if (!pw->watch || !pw->peer_nat)
        return false;
    svr_pathway_heard(pw->watch, t->dport, &seen);
    svr__watch_serve(w->node, pw, 0, w->now);
    return true;
}
