/* Sessions are built anew from reverse metadata, with a token (S8.5). */
#include "node/node.h"

#include <string.h>

/* One that is good for longer than any is made comes from a clock that was far
 * ahead; clocks that differ a little are allowed for. */
static bool is_expired(const svr_node *n, const svr__token *t, svr_time now)
{
    uint64_t seconds = (n->unix_offset + now) / SVR_SECOND;

    return seconds > t->expiry ||
           t->expiry > seconds + (uint64_t)2 * SVR__TOKEN_LIFE;
}

/* Only what a restart has lost comes back: a session that this start of the
 * router has known, it has ended, and it does not begin again from the server's
 * side. */
static bool is_good(const svr_node *n, const svr__token *t, uint16_t peer,
                    svr_time now)
{
    return t->boot < n->boot && !is_expired(n, t, now) &&
           t->next == n->peers[peer].token_id;
}

/* The number of the name with this id, or -1. */
static int find_id(const uint32_t *ids, size_t count, uint32_t id)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] == id)
            return (int)i;
    return -1;
}

static bool find_names(const svr_node *n, const svr__token *t,
                       svr__session_plan *plan)
{
    plan->tenant = SVR_TENANT_NONE;
    if (t->tenant)
        plan->tenant = find_id(n->tenant_ids, n->tenant_count, t->tenant);
    plan->service = find_id(n->service_ids, n->service_count, t->service);
    return plan->service >= 0 && (!t->tenant || plan->tenant >= 0);
}

/* The client is on an own interface. */
static enum svr_drop find_interface(const svr_node *n, const svr__token *t,
                                    svr__session_plan *plan)
{
    uint16_t hop;

    for (size_t i = 0; i < n->interface_count; i++) {
        if (n->interfaces[i].token_id != t->origin)
            continue;
        plan->side[SVR__CLIENT] = (svr__side_plan){
            .pathway = SVR__NO_PATHWAY,
            .iface = (uint16_t)i,
            .tuple = plan->context,
        };
        if (svr__tenant_of(&n->interfaces[i].config, &plan->context.src) !=
            plan->tenant)
            return SVR_DROP_ACCESS;
        return svr__next_hop(n, (uint16_t)i, &plan->context.src, &hop)
                   ? SVR_DROP_NONE
                   : SVR_DROP_NO_ROUTE;
    }
    return SVR_DROP_ACCESS;
}

/* The pathway may lead elsewhere by now; its keys are not for where it led.
 * Sessions of a peer behind a NAT come from wherever the NAT puts them. */
static bool leads_to(const svr__pathway *pw, const svr_addr *remote)
{
    if (svr_addr_is_v4(remote) != svr_addr_is_v4(&pw->local))
        return false;
    return pw->peer_nat || svr_addr_equal(remote, &pw->configured) ||
           svr_addr_equal(remote, &pw->remote);
}

/* The client is behind another router. */
static enum svr_drop find_previous(const svr_node *n, const svr__token *t,
                                   svr__session_plan *plan)
{
    for (size_t i = 0; i < n->pathway_count; i++) {
        const svr__pathway *pw = &n->pathways[i];
        if (pw->token_id != t->origin)
            continue;
        plan->side[SVR__CLIENT] = (svr__side_plan){
            .pathway = (uint16_t)i,
            .iface = pw->iface,
            .generation = svr__generation_now(n, pw),
            .tuple = {.src = t->remote,
                      .dst = pw->local,
                      .sport = t->remote_port,
                      .dport = t->own_port,
                      .proto = t->proto},
        };
        return leads_to(pw, &t->remote) ? SVR_DROP_NONE : SVR_DROP_TOKEN;
    }
    return SVR_DROP_ACCESS;
}

/* A transit router may know the service by a parent's name alone. */
static enum svr_drop check_access(const svr_node *n, const svr__token *t,
                                  const svr__session_plan *plan)
{
    if (!t->transit &&
        svr_policy_service_match(n->policy, &plan->context) != plan->service)
        return SVR_DROP_MD_CONTEXT;
    if (svr_policy_access(n->policy, plan->service, plan->tenant,
                          &plan->context.src) < 0)
        return SVR_DROP_ACCESS;
    return SVR_DROP_NONE;
}

enum svr_drop svr__recover_plan(const svr__work *w, const svr__pathway *pw,
                                const svr_metadata *md, svr__session_plan *plan)
{
    const svr_node *n = w->node;
    svr__token t;
    svr__told told;
    enum svr_drop reason = svr__seal_read(n, pw, md, &told);

    if (reason != SVR_DROP_NONE)
        return reason;
    *plan = (svr__session_plan){
        .uuid = md->uuid,
        .context = svr_tuple_reverse(&md->reverse),
        .recovered = true,
        .told = told,
        .side[SVR__SERVER] = {.pathway = (uint16_t)(pw - n->pathways),
                              .iface = pw->iface,
                              .generation = w->generation,
                              .tuple = svr_tuple_reverse(&w->headers.tuple)},
    };
    if (!svr__token_open(&t, n->recovery_key, md->recovery_token, &plan->uuid,
                         &plan->context) ||
        !is_good(n, &t, pw->peer, w->now))
        return SVR_DROP_TOKEN;
    if (!find_names(n, &t, plan))
        return SVR_DROP_ACCESS;
    reason =
        t.transit ? find_previous(n, &t, plan) : find_interface(n, &t, plan);
    if (reason == SVR_DROP_NONE)
        reason = check_access(n, &t, plan);
    return reason == SVR_DROP_NONE ? svr__seal_plan(n, plan) : reason;
}
