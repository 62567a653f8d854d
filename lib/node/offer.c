/*
 * A neighbour offers a session that this router does not have (S6.2, S6.3), or
 * returns one that it has lost (S8.5): it is checked, and opened or refused.
 */
#include "node/waypoint.h"

#include <string.h>

/* S6.2: tenant, service and access as the metadata asserts them. */
static enum svr_drop check_policy(const svr_node *n, const svr_metadata *md,
                                  svr__session_plan *plan, bool *exact)
{
    plan->tenant = SVR_TENANT_NONE;
    if (svr__md_has(md, SVR_HAS(TENANT))) {
        plan->tenant = svr_policy_tenant_find(n->policy, md->tenant);
        if (plan->tenant < 0)
            return SVR_DROP_MD_TENANT;
    }
    plan->service = svr_policy_service_find(n->policy, md->service);
    *exact = plan->service >= 0;
    if (*exact) {
        if (svr_policy_service_match(n->policy, &plan->context) !=
            plan->service)
            return SVR_DROP_MD_CONTEXT;
    } else {
        plan->service = svr_policy_service_nearest(n->policy, md->service);
        if (plan->service < 0)
            return SVR_DROP_MD_SERVICE;
    }
    if (svr_policy_access(n->policy, plan->service, plan->tenant,
                          &plan->context.src) < 0)
        return SVR_DROP_ACCESS;
    return SVR_DROP_NONE;
}

/* S6.2, S6.3: all that can refuse a new session. Nothing changes. */
static enum svr_drop make_plan(const svr__work *w, svr__pathway *pw,
                               const svr_metadata *md, svr__session_plan *plan)
{
    svr_node *n = w->node;
    uint16_t number = (uint16_t)(pw - n->pathways);
    bool exact;

    if (!(md->present & SVR__FORWARD_CONTEXT)) {
        if (!(md->present & SVR__REVERSE_CONTEXT) ||
            !svr__md_has(md, SVR_HAS(SESSION_UUID) | SVR_HAS(RECOVERY_TOKEN)))
            return SVR_DROP_NO_SESSION;
        return svr__recover_plan(w, pw, md, plan);
    }
    svr__told told;
    enum svr_drop reason = svr__seal_read(n, pw, md, &told);
    if (reason != SVR_DROP_NONE)
        return reason;
    if (!svr__md_has(md, SVR_HAS(SESSION_UUID) | SVR_HAS(SERVICE) |
                             SVR_HAS(SOURCE_ROUTER)))
        return SVR_DROP_MD_INCOMPLETE;
    if (!svr__same_text(md->source_router, n->peers[pw->peer].name))
        return SVR_DROP_SIGNER; /* S12.7 */
    *plan = (svr__session_plan){
        .uuid = md->uuid,
        .context = md->forward,
        .tenant = SVR_TENANT_NONE,
        .service = -1,
        .told = told,
        .exchange =
            svr__md_has(md, SVR_HAS(EXCHANGE_NUMBER)) ? md->exchange.own : 0,
        .side[SVR__CLIENT] = {.pathway = number,
                              .iface = w->packet->iface,
                              .generation = w->generation,
                              .tuple = w->headers.tuple},
    };
    if (!svr__context_fits(w, &md->forward))
        return SVR_DROP_MD_CONTEXT;
    svr__token_keep(&plan->token, md->recovery_token);
    reason = check_policy(n, md, plan, &exact);
    if (reason == SVR_DROP_NONE && svr__md_has(md, SVR_HAS(ROUTE_RECORD)))
        reason = svr__record_read(n, md->route_record, &plan->passed,
                                  &plan->versions);
    if (reason == SVR_DROP_NONE)
        reason = svr__plan_route(n, plan, number, w->now);
    if (reason == SVR_DROP_NONE && !exact &&
        plan->side[SVR__SERVER].pathway == SVR__NO_PATHWAY)
        reason = SVR_DROP_MD_SERVICE; /* only a transit makes do with less */
    if (reason == SVR_DROP_NONE && !svr__record_fits_plan(n, plan))
        reason = SVR_DROP_LOOP;
    if (reason == SVR_DROP_NONE)
        reason = svr__seal_plan(n, plan);
    return reason;
}

/* The router that saw the client's first packet, among those that the session
 * has passed: the neighbour itself where nothing says more. */
static uint16_t ingress_of(const svr_node *n, const svr__passed *passed,
                           uint16_t peer)
{
    return passed->count ? passed->router[0] : n->peers[peer].router;
}

/* Whether both come from the same ingress. A transit that has built the session
 * from reverse metadata (S8.5) does not know who came before it, so its
 * sessions pass for its own. */
static bool same_ingress(const svr_node *n, const svr__passed *a,
                         const svr__passed *b, uint16_t peer_a, uint16_t peer_b)
{
    uint16_t from_a = ingress_of(n, a, peer_a);
    uint16_t from_b = ingress_of(n, b, peer_b);

    return from_a == from_b ||
           (peer_a == peer_b && (from_a == n->peers[peer_a].router ||
                                 from_b == n->peers[peer_b].router));
}

/* S6.7: whether the new session is another life of s: the same context, tenant
 * and service from the same ingress, and not of before, as far as one
 * neighbour's numbers tell. A transit may open two at one time, with one
 * number, where a late packet of the former life came. */
static bool follows(const svr_node *n, const svr__pathway *pw,
                    const svr__session_plan *plan, const svr__session *s)
{
    uint16_t from = s->side[SVR__CLIENT].pathway;

    if (from == SVR__NO_PATHWAY || s->tenant != plan->tenant ||
        s->service != plan->service ||
        !svr_tuple_equal(&s->context, &plan->context))
        return false;
    uint16_t peer = n->pathways[from].peer;
    return same_ingress(n, &s->passed, &plan->passed, peer, pw->peer) &&
           (peer != pw->peer ||
            !svr_session_is_older(&s->machine, SVR__CLIENT, plan->exchange));
}

/* Whether nothing has the tuple of one of the plan's sides but what ends for
 * it: `old` and `before`, and the alias that the packet came on. */
static bool is_free(const svr__work *w, const svr__session_plan *plan,
                    unsigned side, const svr__session *old,
                    const svr__session *before)
{
    const svr__table *t = &w->node->table;
    svr_tuple in = svr__arriving(side, &plan->side[side].tuple);
    svr__flow_key key = svr__flow_key_of(&in, plan->side[side].iface);
    uint64_t hash = svr__flow_hash(t, &key);
    const svr__flow *f = svr__flow_find(t, &key, hash);
    const svr__alias *a = svr__alias_find(&t->aliases, &key, hash);

    const svr__session *s = f   ? svr__flow_session(t, f)
                            : a ? &t->sessions[a->session]
                                : NULL;
    return !s || s == old || s == before || (a && a == w->alias);
}

/* The session that the server's answers would reach now. */
static svr__session *holder(const svr_node *n, const svr__session_plan *plan)
{
    const svr__side_plan *server = &plan->side[SVR__SERVER];
    if (server->pathway != SVR__NO_PATHWAY)
        return NULL;
    svr_tuple back = svr_tuple_reverse(&server->tuple);
    svr__flow_key key = svr__flow_key_of(&back, server->iface);
    svr__flow *f =
        svr__flow_find(&n->table, &key, svr__flow_hash(&n->table, &key));
    return f ? svr__flow_session(&n->table, f) : NULL;
}

/* S8.4: a packet in the middle of a TCP connection opens no new one. */
static bool was_before(const svr__work *w)
{
    return w->headers.tuple.proto == SVR_PROTO_TCP &&
           !(w->headers.tcp_flags & (SVR_TCP_SYN | SVR_TCP_RST));
}

/* Whether a reason stands in the policy of this router, or in what it has room
 * for. All others are silent (S6.10, S24), that a pathway is down as well,
 * since it comes up again. */
static bool is_refusal(enum svr_drop reason)
{
    switch (reason) {
    case SVR_DROP_MD_TENANT:
    case SVR_DROP_MD_SERVICE:
    case SVR_DROP_MD_CONTEXT:
    case SVR_DROP_ACCESS:
    case SVR_DROP_NOT_FOR_US:
    case SVR_DROP_LOOP:
    case SVR_DROP_NO_ROUTE:
    case SVR_DROP_PATH_LIMITS:
    case SVR_DROP_PORTS:
    case SVR_DROP_SESSIONS_FULL:
    case SVR_DROP_PEER_SESSIONS:
    case SVR_DROP_PEER_RATE:
    case SVR_DROP_TENANT_SESSIONS:
    case SVR_DROP_TENANT_RATE:
    case SVR_DROP_NOT_SEALED:
    case SVR_DROP_SEALED_FULL:
    case SVR_DROP_TUPLE_IN_USE:
        return true;
    default:
        return false;
    }
}

/* S6.10: forward metadata that this router refuses, or reverse metadata of a
 * session that will not live here again: access is gone, its client has begun
 * another one in its place, or nothing is left that it could be built from.
 * After a restart what is missing may yet come (S8.4). */
static void refuse(svr__work *w, svr__pathway *pw, const svr_metadata *md,
                   const svr__session_plan *plan, enum svr_drop reason)
{
    const svr_node *n = w->node;
    bool forward = md->present & SVR__FORWARD_CONTEXT;
    bool missing = reason == SVR_DROP_NO_SESSION || reason == SVR_DROP_TOKEN ||
                   reason == SVR_DROP_NO_ROUTE;

    if ((missing && svr__resync_quiet(n, w->now)) ||
        reason == SVR_DROP_MD_INCOMPLETE || /* more may come (S12.6) */
        !svr__md_has(md, SVR_HAS(SESSION_UUID)) ||
        (forward ? !is_refusal(reason)
                 : svr__session_find(&n->table, &md->uuid) != NULL))
        return;
    if (svr__refuse(w, pw, &md->uuid) && forward)
        svr__notify_refused(n, plan, reason);
}

/* S6.11: whether both ends have opened a session for the same two hosts. */
static bool is_glare(const svr__session_plan *plan, const svr__session *s)
{
    svr_tuple back = svr_tuple_reverse(&plan->context);
    return !plan->recovered && svr_tuple_equal(&s->context, &back);
}

/* S6.11: one of them stays: the established one, else the lower UUID. NONE: the
 * new one, and ours ends. */
static enum svr_drop settle_glare(svr__work *w, const svr__session_plan *plan,
                                  svr__session *ours)
{
    if (ours->machine.life.state != SVR_LIFE_NEW)
        return SVR_DROP_TUPLE_IN_USE;
    if (memcmp(&plan->uuid, &ours->uuid, sizeof(ours->uuid)) < 0)
        return SVR_DROP_NONE;
    /* The neighbour may not know that there is a better one. */
    if (ours->side[SVR__SERVER].pathway != SVR__NO_PATHWAY &&
        !svr__told_lately(w->node, ours, SVR__TELL_GLARE, w->now))
        svr__send_metadata(w->node, ours, SVR__SERVER, w->now);
    return SVR_DROP_GLARE;
}

/* Whether the session of the plan may stand where `before` is now, which has
 * its server's answers. */
static enum svr_drop may_replace(svr__work *w, const svr__pathway *pw,
                                 const svr__session_plan *plan,
                                 svr__session *before)
{
    if (follows(w->node, pw, plan, before))
        return SVR_DROP_NONE;
    return is_glare(plan, before) ? settle_glare(w, plan, before)
                                  : SVR_DROP_TUPLE_IN_USE;
}

void svr__offer(svr__work *w, svr__pathway *pw, svr__session *old,
                const svr_metadata *md, size_t block_len)
{
    svr_node *n = w->node;
    svr__session_plan plan = {.tenant = SVR_TENANT_NONE, .service = -1};
    svr__flow *flow;
    svr__session *before = NULL;
    bool alone = svr__is_alone(md);

    enum svr_drop reason = make_plan(w, pw, md, &plan);
    if (reason == SVR_DROP_NONE) {
        before = holder(n, &plan);
        if (before && before != old)
            reason = may_replace(w, pw, &plan, before);
    }
    if (reason == SVR_DROP_NONE && !(is_free(w, &plan, 0, old, before) &&
                                     is_free(w, &plan, 1, old, before)))
        reason = SVR_DROP_TUPLE_IN_USE;
    if (reason == SVR_DROP_NONE)
        reason = svr__admit(n, &plan, before ? before : old, w->now);
    if (reason != SVR_DROP_NONE) {
        refuse(w, pw, md, &plan, reason);
        svr__drop(w, reason);
        return;
    }
    /* Before anything changes, since it may be no TCP. From here on md's views
     * point into nothing, and the session opens unless the table is full, which
     * it is not where another one ends. */
    if (!alone &&
        !svr__strip(w, block_len,
                    svr__is_masked(&plan.context, w->headers.tuple.proto)))
        return;
    svr__clear_tuple(w, old);
    if (before && before != old)
        svr__session_close(n, before,
                           is_glare(&plan, before) ? SVR_CAUSE_GLARE
                                                   : SVR_CAUSE_REPLACED,
                           w->now);
    reason = svr__session_open(n, &plan, w->now, &flow);
    if (reason != SVR_DROP_NONE) {
        refuse(w, pw, md, &plan, reason);
        svr__drop(w, reason);
        return;
    }
    svr_wipe(plan.told.key, sizeof(plan.told.key));
    bool asks = plan.recovered && plan.told.asks;
    w->sealed = plan.told.sealed;
    svr__session *s = svr__flow_session(&n->table, flow);
    unsigned side = plan.recovered ? SVR__SERVER : SVR__CLIENT;
    if (svr__md_has(md, SVR_HAS(COPY_NUMBER)))
        svr__copies_first(svr__copies_of(n, s, side), md->copy_number);
    if (alone || was_before(w))
        svr_life_resume(&s->machine.life);
    svr__go_on(w, svr__session_flow(&n->table, s, side),
               svr__hear(w, s, side, md), alone);
    /* S8.4: no packet may come from this side for long, and the router behind
     * the other one has to hear of the session's new way. */
    if (alone)
        svr__session_renew(n, s, !side, w->now);
    if (asks)
        svr__adapt_asked(n, s, w->now);
}
