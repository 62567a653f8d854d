/* What has gathered at peers, tenants and pathways, for the configuration that
 * takes the place of theirs. */
#include "node/change.h"

#include <assert.h>
#include <string.h>

/* A peer that is gone may come back, and then knows the numbers it was sent. */
static void carry_peers(const svr__change *c, svr_node *n, svr_node *draft)
{
    for (size_t i = 0; i < n->peer_count; i++) {
        svr__peer *from = &n->peers[i];
        if (c->peers[i] == SVR__GONE) {
            if (from->next_number > n->first_number)
                n->first_number = from->next_number;
            continue;
        }
        svr__peer *to = &draft->peers[c->peers[i]];
        to->next_number = from->next_number;
        to->replay = from->replay;
        to->share = from->share;
        to->recovery = from->recovery;
        to->credit = from->credit;
        to->clock = from->clock;
        to->boot = from->boot;
        to->told = from->told;
        to->ended = from->ended;
        to->tour = from->tour;
        to->tour.of = c->peers[i];
        to->moves = from->moves;
        to->moves.of = c->peers[i];
        svr__keying_carry(from, to);
        to->rekeys.of = c->peers[i];
    }
}

static void carry_tenants(const svr__change *c, const svr_node *n,
                          svr_node *draft)
{
    draft->no_tenant = n->no_tenant;
    for (size_t i = 0; i < n->tenant_count; i++)
        if (c->tenants[i] != SVR__TENANT_GONE)
            draft->tenants[c->tenants[i]] = n->tenants[i];
}

static bool same_endpoint(const svr_bfd_endpoint *a, const svr_bfd_endpoint *b)
{
    return a->port == b->port && svr_addr_equal(&a->addr, &b->addr);
}

static bool same_intervals(const svr_pathway_settings *a,
                           const svr_pathway_settings *b)
{
    return a->desired_tx == b->desired_tx && a->required_rx == b->required_rx &&
           a->multiplier == b->multiplier;
}

/* Only intervals change while it runs. */
bool svr__carry_fits(const svr__pathway *from, const svr__pathway *to)
{
    const svr_pathway_settings *a = &from->settings, *b = &to->settings;

    return !from->watch == !to->watch && from->bfd_ttl == to->bfd_ttl &&
           same_endpoint(&a->local, &b->local) &&
           same_endpoint(&a->remote, &b->remote) &&
           a->peer_multiplier == b->peer_multiplier && a->plain == b->plain &&
           a->tcp_probes == b->tcp_probes && a->mtu == b->mtu &&
           a->hold_down == b->hold_down;
}

/* What has been found out about the pathway stays true. */
static void carry_on(svr_node *draft, const svr__pathway *from,
                     svr__pathway *to, svr_time now)
{
    svr__pathway_move(draft, to, &from->remote);
    to->up = from->up;
    to->ready = from->ready;
    to->mtu = from->mtu;
    to->mark_due = from->mark_due;
    to->peer_nat = from->peer_nat;
    to->own_nat = from->own_nat;
    if (!to->watch)
        return;
    svr_pathway_info info;
    memcpy(to->watch, from->watch, svr_pathway_size());
    if (!same_intervals(&from->settings, &to->settings)) {
        int err = svr_pathway_change(to->watch, &to->settings);
        assert(err == 0); /* a pathway was made with these settings */
        (void)err;
    }
    svr_pathway_describe(to->watch, &info, now);
    to->tcp_as_udp = to->mask_always || info.tcp_as_udp;
    svr__watch_arm(draft, to);
}

/* It begins again; what an administrator has said holds. */
static void start_again(svr_node *draft, const svr__pathway *from,
                        svr__pathway *to, svr_time now)
{
    svr_pathway_info info;

    if (!from->watch || !to->watch)
        return;
    svr_pathway_describe(from->watch, &info, now);
    if (info.state != SVR_BFD_ADMIN_DOWN)
        return;
    svr_pathway_admin(to->watch, true, now);
    svr__watch_arm(draft, to);
}

static bool same_set(const svr__port_set *a, const svr__port_set *b)
{
    return a->first == b->first && a->step == b->step && a->count == b->count;
}

/* Pairs of sessions that have ended stay guarded, unless the range is another
 * one. */
static void carry_ports(svr__pathway *from, svr__pathway *to)
{
    svr__ports ports = to->ports;

    if (!same_set(&ports.local, &from->ports.local) ||
        !same_set(&ports.remote, &from->ports.remote))
        return;
    to->ports = from->ports;
    from->ports = ports; /* to be given back with the rest */
}

static void carry_pathways(const svr__change *c, svr_node *n, svr_node *draft,
                           svr_time now)
{
    for (size_t i = 0; i < n->pathway_count; i++) {
        svr__pathway *from = &n->pathways[i];
        if (c->pathways[i] == SVR__GONE)
            continue;
        svr__pathway *to = &draft->pathways[c->pathways[i]];
        carry_ports(from, to);
        to->sessions = from->sessions;
        to->tour = from->tour;
        to->tour.of = c->pathways[i];
        if (svr__carry_fits(from, to))
            carry_on(draft, from, to, now);
        else
            start_again(draft, from, to, now);
    }
}

void svr__carry_over(const svr__change *c, svr_node *n, svr_node *draft,
                     svr_time now)
{
    carry_peers(c, n, draft);
    carry_tenants(c, n, draft);
    carry_pathways(c, n, draft, now);
    svr__learn_carry(n, draft, now);
}
