/*
 * Sessions go on by another router (S6.7, S17).
 *
 * Only the opener of a hop moves it, and only to the same peer. Where that
 * cannot be reached any more, or a router that shall come behind it, the
 * ingress begins the session anew, with another
 * UUID: its egress sees the same context, tenant and service from the same
 * ingress, and the new one takes the old one's place. The hosts at both ends
 * notice nothing.
 */
#include "node/node.h"

/* What goes on of the session that ends. */
struct kept {
    svr_life life;
    svr_time created;
    uint32_t tcp_seq[2], tcp_ack[2];
    struct {
        svr_time seen;
        uint64_t packets, bytes;
    } flow[2];
};

static struct kept keep(const svr_node *n, const svr__session *s)
{
    struct kept k = {.life = s->machine.life, .created = s->created};

    for (unsigned side = 0; side < 2; side++) {
        const svr__flow *f = svr__session_flow(&n->table, s, side);
        k.tcp_seq[side] = s->side[side].tcp_seq;
        k.tcp_ack[side] = s->side[side].tcp_ack;
        k.flow[side].seen = f->seen;
        k.flow[side].packets = f->packets;
        k.flow[side].bytes = f->bytes;
    }
    return k;
}

static void give_back(svr_node *n, svr__session *s, const struct kept *k)
{
    s->machine.life = k->life;
    s->created = k->created;
    for (unsigned side = 0; side < 2; side++) {
        svr__flow *f = svr__session_flow(&n->table, s, side);
        s->side[side].tcp_seq = k->tcp_seq[side];
        s->side[side].tcp_ack = k->tcp_ack[side];
        f->seen = k->flow[side].seen;
        f->packets = k->flow[side].packets;
        f->bytes = k->flow[side].bytes;
    }
}

static bool is_joined(const svr_node *n, uint32_t from, uint32_t to)
{
    const svr__choices *h = &n->choices;

    for (size_t i = 0; i < h->edge_count; i++)
        if (h->edges[i].from == from && h->edges[i].to == to && h->edges[i].up)
            return true;
    return false;
}

/* Whether two routers in a row, of those that it goes by as far as they are
 * known, are not joined any more. */
static bool is_stranded(const svr_node *n, const svr__session *s)
{
    uint16_t pathway = s->side[SVR__SERVER].pathway;
    const svr__passed *by = &s->passed;
    uint32_t from = n->self, to = n->choices.edges[pathway].to;

    if (svr__choose_leads(n, s))
        return false;
    for (unsigned i = 0; is_joined(n, from, to); i++) {
        if (i == by->coming)
            return false;
        from = to;
        to = by->router[by->count + i];
    }
    return true;
}

/* Of a service whose policy chooses the way, and says that its sessions may
 * leave one; as its ingress, and once it is known whether it is encrypted
 * (S11.9). */
static bool may_redirect(const svr_node *n, const svr__session *s)
{
    return svr__is_chosen(&n->choices, s->service) &&
           svr_policy_of_service(n->policy, s->service)->resiliency !=
               SVR_RESILIENCY_NONE &&
           s->side[SVR__CLIENT].pathway == SVR__NO_PATHWAY &&
           s->side[SVR__SERVER].pathway != SVR__NO_PATHWAY &&
           (s->seal == SVR__CLEAR || s->seal == SVR__SEALED);
}

static bool make_plan(svr_node *n, const svr__session *s,
                      svr__session_plan *plan, svr_time now)
{
    *plan = (svr__session_plan){
        .uuid = svr__uuid_new(n),
        .context = s->context,
        .tenant = s->tenant,
        .service = s->service,
        .told = {.sealed = s->seal == SVR__SEALED},
        .side[SVR__CLIENT] = {.pathway = SVR__NO_PATHWAY,
                              .iface = s->side[SVR__CLIENT].iface,
                              .tuple = s->context},
    };
    if (svr__plan_route(n, plan, SVR__NO_PATHWAY, now) != SVR_DROP_NONE)
        return false;
    uint16_t to = plan->side[SVR__SERVER].pathway;
    return to == SVR__NO_PATHWAY
               ? s->seal == SVR__CLEAR
               : s->seal == SVR__CLEAR || svr__seal_may_use(n, s, to);
}

bool svr__session_redirect(svr_node *n, svr__session *s, svr_time now)
{
    svr__session_plan plan;
    svr__flow *flow;

    if (!may_redirect(n, s))
        return false;
    svr__choose(n, s->service, now);
    if (!is_stranded(n, s) || !make_plan(n, s, &plan, now))
        return false;
    struct kept k = keep(n, s);
    svr__session_close(n, s, SVR_CAUSE_REDIRECTED, now);
    if (svr__session_open(n, &plan, now, &flow) != SVR_DROP_NONE)
        return false;
    s = svr__flow_session(&n->table, flow);
    give_back(n, s, &k);
    svr__session_settle(n, s);
    if (s->side[SVR__SERVER].pathway != SVR__NO_PATHWAY)
        svr__send_metadata(n, s, SVR__SERVER, now);
    return true;
}
