/*
 * Sessions change pathways (S17).
 *
 * Only the opener of a hop moves it: new ports on another pathway to the same
 * peer, a new exchange, the same UUID. The answerer follows metadata of a newer
 * exchange to where it comes from, and otherwise asks for it. Packets in flight
 * on the old tuple find the session by its alias.
 */
#include "node/node.h"

#include "wire/headers.h"

#include <string.h>

static enum svr_resiliency resiliency_of(const svr_node *n,
                                         const svr__session *s)
{
    return svr_policy_of_service(n->policy, s->service)->resiliency;
}

/* Whether a route of the session's service goes to the peer that the session
 * goes to now, and can take it. */
static bool leads_there(const svr_node *n, const svr__session *s,
                        const svr__route *r)
{
    uint16_t now_at = s->side[SVR__SERVER].pathway;
    return r->pathway != SVR__NO_PATHWAY &&
           n->pathways[r->pathway].peer == n->pathways[now_at].peer &&
           svr__seal_may_use(n, s, r->pathway);
}

/* S14.1: the first pathway that is out of its hold-down, else the first that is
 * up. */
static uint16_t best_pathway(const svr_node *n, const svr__session *s)
{
    const svr__route_range *range = &n->service_routes[s->service];
    uint16_t best = SVR__NO_PATHWAY;

    for (uint32_t i = 0; i < range->count; i++) {
        const svr__route *r = &n->routes[range->first + i];
        if (!leads_there(n, s, r) || !n->pathways[r->pathway].up)
            continue;
        if (n->pathways[r->pathway].ready)
            return r->pathway;
        if (best == SVR__NO_PATHWAY)
            best = r->pathway;
    }
    return best;
}

/* A pathway that stands before the present one and has recovered. */
static uint16_t better_pathway(const svr_node *n, const svr__session *s)
{
    const svr__route_range *range = &n->service_routes[s->service];

    for (uint32_t i = 0; i < range->count; i++) {
        const svr__route *r = &n->routes[range->first + i];
        if (r->pathway == s->side[SVR__SERVER].pathway)
            break;
        if (leads_there(n, s, r) && n->pathways[r->pathway].ready)
            return r->pathway;
    }
    return SVR__NO_PATHWAY;
}

/* Where the session should go now, and why, or SVR__NO_PATHWAY: it stays. */
static uint16_t destination(svr_node *n, const svr__session *s,
                            enum svr_cause *cause, svr_time now)
{
    uint16_t now_at = s->side[SVR__SERVER].pathway;
    enum svr_resiliency resiliency = resiliency_of(n, s);

    if (now_at == SVR__NO_PATHWAY || resiliency == SVR_RESILIENCY_NONE)
        return SVR__NO_PATHWAY;
    if (svr__is_chosen(&n->choices, s->service))
        return svr__choose_move(n, s, cause, now);
    *cause = SVR_CAUSE_FAILED;
    if (!n->pathways[now_at].up)
        return best_pathway(n, s);
    *cause = SVR_CAUSE_REVERTED;
    return resiliency == SVR_RESILIENCY_REVERTIBLE ? better_pathway(n, s)
                                                   : SVR__NO_PATHWAY;
}

static bool move_to(svr_node *n, svr__session *s, uint16_t pathway,
                    enum svr_cause cause, svr_time now)
{
    svr__side_plan to;

    if (!svr__seal_may_use(n, s, pathway))
        return false;
    if (svr__plan_pathway(n, &s->context, pathway, &to, now) != SVR_DROP_NONE ||
        svr__session_rebind(n, s, SVR__SERVER, &to, cause, now) !=
            SVR_DROP_NONE)
        return false;
    svr__session_renew(n, s, SVR__SERVER, now);
    return true;
}

bool svr__session_move(svr_node *n, svr__session *s, svr_time now)
{
    if (s->side[SVR__SERVER].pathway == SVR__NO_PATHWAY)
        return false;
    if (!n->pathways[s->side[SVR__SERVER].pathway].up &&
        svr__leg_promote(n, s, SVR__SERVER, now))
        return true;
    enum svr_cause cause;
    uint16_t pathway = destination(n, s, &cause, now);
    return pathway != SVR__NO_PATHWAY && move_to(n, s, pathway, cause, now);
}

bool svr__session_reopen(svr_node *n, svr__session *s, enum svr_cause cause,
                         svr_time now)
{
    return move_to(n, s, s->side[SVR__SERVER].pathway, cause, now);
}

/* Whether the session may have moved, and where to has not been answered: it
 * may have been lost with a pathway, and no packet may come that would carry
 * it. */
static bool is_unheard(svr_node *n, const svr__session *s, svr_time now)
{
    return resiliency_of(n, s) != SVR_RESILIENCY_NONE &&
           n->pathways[s->side[SVR__SERVER].pathway].up &&
           !svr_session_renews(&s->machine, SVR__SERVER) &&
           svr_session_exchange(&s->machine, SVR__SERVER).unechoed &&
           !svr__told_lately(n, s, SVR__TELL_AGAIN, now);
}

static unsigned visit(svr_node *n, svr__tour *t, svr__session *s, unsigned side,
                      svr_time now)
{
    (void)t;
    if (svr__is_duplicated(n, s)) {
        svr__legs_make(n, s, now);
        svr__session_settle(n, s);
    }
    if (side != SVR__SERVER)
        return 0;
    if (!svr__session_move(n, s, now) && !svr__session_redirect(n, s, now) &&
        !is_unheard(n, s, now))
        return 0;
    svr__send_metadata(n, s, side, now);
    return 1;
}

static const svr__tour_plan moving = {SVR__TOUR_PEER, visit, NULL};

void svr__moves_begin(svr_node *n, const svr__pathway *pw, svr_time now)
{
    if (n->table.count)
        svr__tour_start(n, &n->peers[pw->peer].moves, &moving, pw->peer, now);
}

static const svr__tour_plan moving_all = {SVR__TOUR_ALL, visit, NULL};

void svr__moves_begin_all(svr_node *n, svr_time now)
{
    if (n->table.count)
        svr__tour_start(n, &n->moves, &moving_all, 0, now);
}

/* Another pathway to the same peer that works. */
static svr__pathway *way_round(svr_node *n, const svr__pathway *pw)
{
    for (size_t i = 0; i < n->pathway_count; i++)
        if (n->pathways[i].peer == pw->peer && n->pathways[i].up)
            return &n->pathways[i];
    return NULL;
}

/* The answerer cannot reach its client's side any more. It asks for metadata by
 * another pathway, with the session's ports and UUID, once in a second. */
static void ask(svr_node *n, svr__session *s, svr_time now)
{
    const svr__pathway *down = &n->pathways[s->side[SVR__CLIENT].pathway];
    svr__pathway *pw = way_round(n, down);
    svr_tuple t = svr__side_tuple(n, s, SVR__CLIENT);
    svr_metadata md;

    if (!pw || resiliency_of(n, s) == SVR_RESILIENCY_NONE ||
        svr__told_lately(n, s, SVR__TELL_ASK, now))
        return;
    svr__describe_bare(&md);
    md.present |= SVR_HAS(CONTROL) | SVR_HAS(SESSION_UUID);
    md.control = SVR_CONTROL_ENABLE_METADATA;
    md.uuid = s->uuid;
    t.src = pw->local;
    t.dst = pw->remote;
    t.proto = SVR_PROTO_UDP;
    svr__send_alone(n, pw, &t, &md, now);
}

bool svr__session_detour(svr_node *n, svr__session *s, unsigned side,
                         svr_time now)
{
    if (side == SVR__SERVER)
        return svr__session_move(n, s, now) || svr__session_redirect(n, s, now);
    if (svr__leg_promote(n, s, side, now))
        return true;
    ask(n, s, now);
    return false;
}

void svr__session_asked(svr_node *n, svr__session *s, const svr__pathway *pw,
                        svr_time now)
{
    uint16_t by = (uint16_t)(pw - n->pathways);

    if (svr__session_move(n, s, now))
        return;
    if (by != s->side[SVR__SERVER].pathway && pw->up &&
        resiliency_of(n, s) != SVR_RESILIENCY_NONE &&
        !svr__told_lately(n, s, SVR__TELL_FOLLOW, now) &&
        move_to(n, s, by, SVR_CAUSE_ASKED, now))
        return;
    svr_session_event(&s->machine, SVR__SERVER, SVR_SESSION_ENABLE, now);
    svr__session_settle(n, s);
}

svr__session *svr__session_asking(const svr_node *n, const svr__pathway *pw,
                                  const svr_metadata *md)
{
    const uint64_t named = SVR_HAS(CONTROL) | SVR_HAS(SESSION_UUID);

    if ((md->present & named) != named ||
        md->control != SVR_CONTROL_ENABLE_METADATA)
        return NULL;
    svr__session *s = svr__session_find(&n->table, &md->uuid);
    if (!s || s->side[SVR__SERVER].pathway == SVR__NO_PATHWAY ||
        n->pathways[s->side[SVR__SERVER].pathway].peer != pw->peer)
        return NULL;
    return s;
}

bool svr__relocate(svr__work *w, const svr__flow *flow)
{
    svr_tuple to = svr__flow_key_tuple(&flow->key);

    if (!w->alias)
        return true;
    to.proto = svr__flow_proto(flow);
    if (w->headers.ttl < UINT8_MAX)
        w->headers.ttl++; /* it has not passed this router yet */
    if (svr_packet_convert(w->packet, &w->headers, &to) < 0) {
        svr__drop(w, SVR_DROP_FAMILY);
        return false;
    }
    w->key = flow->key;
    w->alias = NULL;
    return true;
}

enum svr_drop svr__verify_late(svr__work *w, const svr__alias *a)
{
    svr_node *n = w->node;
    const svr__pathway *pw = &n->pathways[a->pathway];
    const svr__session *s = &n->table.sessions[a->session];
    uint8_t key[SVR_KEY_SIZE];
    const svr__keys *keys = svr__keys_of(n, pw, a->generation);
    svr_mac mac;

    if (!keys)
        return SVR_DROP_KEY;
    svr_session_key_derive(key, &keys->receive, &s->uuid);
    svr_mac_init(&mac, n->securities[pw->security].hmac, key);
    enum svr_drop reason = svr__verify(w, pw, &mac);
    svr_mac_wipe(&mac);
    svr_wipe(key, sizeof(key));
    return reason;
}
