/* What is watched of a session on a pathway: mappings of a NAT that must not be
 * forgotten (S8.1), and whether the neighbour has the session (S8.2). */
#include "node/node.h"

enum {
    /* S8.1, in seconds */
    KEEP_ALIVE_UDP = 30,
    KEEP_ALIVE_TCP = 1800,
};

/* A NAT renews a mapping by what leaves through it (RFC 4787 REQ-6), so the
 * router behind it is the one to send. */
static uint16_t keep_alive_of(const svr__pathway *pw, uint8_t proto)
{
    if (!pw->own_nat)
        return 0;
    return proto == SVR_PROTO_TCP ? KEEP_ALIVE_TCP : KEEP_ALIVE_UDP;
}

void svr__health_watch(svr_node *n, svr__session *s, unsigned side)
{
    uint16_t number = s->side[side].pathway;
    svr_hop_settings settings = {0};

    if (number != SVR__NO_PATHWAY) {
        const svr__pathway *pw = &n->pathways[number];
        settings.keep_alive =
            keep_alive_of(pw, svr__side_tuple(n, s, side).proto);
        settings.inactivity = pw->inactivity;
    }
    svr_session_watch(&s->machine, side, settings);
}

void svr__health_asked(svr__work *w, svr__session *s, unsigned side,
                       const svr_metadata *md)
{
    if (!(md->present & SVR_HAS(HEALTH_OR_KEY)))
        return;
    svr__session_act(w->node, s, side,
                     svr_session_event(&s->machine, side,
                                       SVR_SESSION_HEALTH_REQUEST, w->now),
                     w->now);
}
