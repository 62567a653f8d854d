/* Where packets go next: gateways, routes of services, waypoint ports. */
#include "node/node.h"

static const svr_addr *own_gateway(const svr_node *n, uint16_t iface, bool v4)
{
    return &n->next_hops[2 * (size_t)iface + !v4];
}

bool svr__next_hop(const svr_node *n, uint16_t iface, const svr_addr *to,
                   uint16_t *number)
{
    const svr_interface_config *c = &n->interfaces[iface].config;
    for (size_t i = 0; i < c->address_count; i++) {
        if (svr_prefix_contains(&c->addresses[i], to)) {
            *number = SVR__ON_LINK;
            return true;
        }
    }
    const svr_addr *gateway = own_gateway(n, iface, svr_addr_is_v4(to));
    *number = (uint16_t)(gateway - n->next_hops);
    return !svr_addr_is_none(gateway);
}

const svr_addr *svr__next_hop_addr(const svr_node *n, uint16_t number,
                                   const svr_addr *to)
{
    return number == SVR__ON_LINK ? to : &n->next_hops[number];
}

/* S10: a pair whose replies hit nothing that exists. */
static enum svr_drop choose_ports(svr_node *n, svr__pathway *pw, svr_tuple *t,
                                  svr_time now)
{
    for (unsigned i = svr__ports_tries(&pw->ports); i > 0; i--) {
        if (!svr__ports_next(&pw->ports, now, &t->sport, &t->dport))
            continue;
        svr_tuple back = svr_tuple_reverse(t);
        svr__flow_key key = svr__flow_key_of(&back, pw->iface);
        if (!svr__key_taken(&n->table, &key))
            return SVR_DROP_NONE;
    }
    n->counters.ports_exhausted++;
    return SVR_DROP_PORTS;
}

enum svr_drop svr__plan_pathway(svr_node *n, const svr_tuple *context,
                                uint16_t number, svr__side_plan *side,
                                svr_time now)
{
    svr__pathway *pw = &n->pathways[number];
    bool tcp = context->proto == SVR_PROTO_TCP && !pw->tcp_as_udp &&
               !pw->peer_nat; /* its pinholes are UDP's */
    *side = (svr__side_plan){
        .pathway = number,
        .iface = pw->iface,
        .generation = svr__generation_now(n, pw),
        .tuple = {.src = pw->local,
                  .dst = pw->remote,
                  /* S4.2, S4.4 */
                  .proto = tcp ? SVR_PROTO_TCP : SVR_PROTO_UDP},
    };
    if (side->generation == 0)
        return SVR_DROP_UNKEYED;
    enum svr_drop reason = choose_ports(n, pw, &side->tuple, now);
    return reason == SVR_DROP_NONE && pw->peer_nat
               ? svr__wish_plan(n, context, side, now)
               : reason;
}

enum svr_drop svr__plan_try(svr_node *n, svr__session_plan *plan,
                            const svr__route *r, svr_time now)
{
    uint16_t hop;
    if (r->pathway != SVR__NO_PATHWAY &&
        !svr__seal_may_plan(n, plan, r->pathway))
        return SVR_DROP_NOT_SEALED;
    if (r->pathway != SVR__NO_PATHWAY)
        return n->pathways[r->pathway].up
                   ? svr__plan_pathway(n, &plan->context, r->pathway,
                                       &plan->side[SVR__SERVER], now)
                   : SVR_DROP_PATHWAY_DOWN;
    if (!svr__next_hop(n, r->iface, &plan->context.dst, &hop))
        return SVR_DROP_NO_ROUTE;
    plan->side[SVR__SERVER] = (svr__side_plan){
        .pathway = SVR__NO_PATHWAY,
        .iface = r->iface,
        .tuple = plan->context,
    };
    return SVR_DROP_NONE;
}

/* S16.4: a router that was passed is never chosen. */
static bool circles(const svr_node *n, const svr__session_plan *plan,
                    const svr__route *r)
{
    return r->pathway != SVR__NO_PATHWAY &&
           svr__record_has(n, &plan->passed, n->pathways[r->pathway].peer);
}

/* Whether a pathway is in its hold-down. */
static bool is_held_down(const svr_node *n, const svr__route *r)
{
    return r->pathway != SVR__NO_PATHWAY && n->pathways[r->pathway].up &&
           !n->pathways[r->pathway].ready;
}

/* S14.1: a pathway that came up lately is taken where there is no other way. */
enum svr_drop svr__plan_route(svr_node *n, svr__session_plan *plan,
                              uint16_t avoid, svr_time now)
{
    const svr__route_range *range = &n->service_routes[plan->service];
    enum svr_drop reason = SVR_DROP_NO_ROUTE;
    if (svr__owns_address(n, &plan->context.dst))
        return SVR_DROP_NOT_FOR_US;
    if (svr__is_chosen(&n->choices, plan->service))
        return svr__choose_route(n, plan, avoid, now);
    plan->passed.coming = 0; /* whoever sent it meant another way */
    for (int held_down = 0; held_down <= 1; held_down++) {
        for (uint32_t i = 0; i < range->count; i++) {
            const svr__route *r = &n->routes[range->first + i];
            if (is_held_down(n, r) != held_down)
                continue;
            if (circles(n, plan, r)) {
                reason = SVR_DROP_LOOP;
                continue;
            }
            if (r->pathway != SVR__NO_PATHWAY && r->pathway == avoid)
                continue;
            reason = svr__plan_try(n, plan, r, now);
            if (reason == SVR_DROP_NONE || reason == SVR_DROP_PINHOLE)
                return reason;
        }
    }
    return reason;
}
