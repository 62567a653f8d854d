/* Which new sessions are taken (S24): limits for each peer and each tenant, and
 * room in a table that is nearly full. */
#include "node/node.h"

#include "session/pressure.h"

/* The peer that opens the session, or NULL: a client of this router does. */
static svr__share *peer_share(svr_node *n, uint16_t pathway)
{
    if (pathway == SVR__NO_PATHWAY)
        return NULL;
    return &n->peers[n->pathways[pathway].peer].share;
}

/* Clients without a tenant count as one more. */
static svr__share *tenant_share(svr_node *n, int tenant)
{
    return tenant == SVR_TENANT_NONE ? &n->no_tenant : &n->tenants[tenant];
}

/* gone: the share of a session that ends. */
static bool has_room(const svr__share *share, const svr__share *gone,
                     size_t most)
{
    return most == 0 || share->sessions < most + (share == gone);
}

/* A burst of as many as a second has. */
static bool is_slow(svr__share *share, uint32_t rate, svr_time now)
{
    return rate == 0 || svr__bucket_take(&share->opened, now, rate, rate);
}

enum svr_drop svr__admit(svr_node *n, const svr__session_plan *plan,
                         const svr__session *replaced, svr_time now)
{
    const svr_limits *l = &n->limits;
    svr__share *peer = peer_share(n, plan->side[SVR__CLIENT].pathway);
    svr__share *tenant = tenant_share(n, plan->tenant);
    const svr__share *gone[2] = {NULL, NULL};

    if (replaced) {
        gone[0] = peer_share(n, replaced->side[SVR__CLIENT].pathway);
        gone[1] = tenant_share(n, replaced->tenant);
    }
    if (peer && !has_room(peer, gone[0], l->peer_sessions))
        return SVR_DROP_PEER_SESSIONS;
    if (!has_room(tenant, gone[1], l->tenant_sessions))
        return SVR_DROP_TENANT_SESSIONS;
    if (plan->recovered) /* all at once, and each was admitted before */
        return SVR_DROP_NONE;
    if (peer && !is_slow(peer, l->peer_rate, now))
        return SVR_DROP_PEER_RATE;
    if (!is_slow(tenant, l->tenant_rate, now))
        return SVR_DROP_TENANT_RATE;
    return SVR_DROP_NONE;
}

void svr__admit_count(svr_node *n, const svr__session *s, int change)
{
    svr__share *peer = peer_share(n, s->side[SVR__CLIENT].pathway);
    if (peer)
        peer->sessions += (size_t)change;
    tenant_share(n, s->tenant)->sessions += (size_t)change;
    svr__load_session(n, s, change);
}

void svr__make_room(svr_node *n, svr_time now)
{
    svr__session *s = svr__pressure_next(&n->table, &n->lifetimes, now);
    if (s)
        svr__session_close(n, s, SVR_CAUSE_ROOM, now);
}
