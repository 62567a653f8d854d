#include "node/change.h"

#include "base/memory.h"
#include "base/text.h"

#include <string.h>

static uint16_t find_interface(const svr_node *n, const char *name)
{
    for (size_t i = 0; i < n->interface_count; i++)
        if (strcmp(n->interfaces[i].config.name, name) == 0)
            return (uint16_t)i;
    return SVR__GONE;
}

static uint16_t find_peer(const svr_node *n, const char *name)
{
    for (size_t i = 0; i < n->peer_count; i++)
        if (strcmp(n->peers[i].name, name) == 0)
            return (uint16_t)i;
    return SVR__GONE;
}

/* S11.10: a tuple has one protection for life. The key may be another: each
 * session has its own, made when it began. */
static bool same_protection(const svr_security_config *a,
                            const svr_security_config *b)
{
    return a->hmac == b->hmac && a->mode == b->mode &&
           a->per_packet == b->per_packet && a->bind_tcp == b->bind_tcp &&
           a->cipher == b->cipher;
}

static uint16_t find_pathway(const svr__change *c, svr_node *to,
                             const svr__pathway *pw)
{
    const svr__pathway *other =
        svr__pathway_find(to, &pw->local, &pw->configured);

    if (!other || !svr_addr_equal(&other->configured, &pw->configured) ||
        strcmp(other->name, pw->name) != 0 ||
        other->iface != c->interfaces[pw->iface] ||
        other->peer != c->peers[pw->peer] ||
        !same_protection(&c->from->securities[pw->security],
                         &to->securities[other->security]))
        return SVR__GONE;
    return (uint16_t)(other - to->pathways);
}

static int make_arrays(svr__change *c)
{
    const svr_allocator *a = &c->from->alloc;

    c->interfaces = svr__alloc(a, c->interface_count, sizeof(uint16_t));
    c->peers = svr__alloc(a, c->peer_count, sizeof(uint16_t));
    c->pathways = svr__alloc(a, c->pathway_count, sizeof(uint16_t));
    c->services = svr__alloc(a, c->service_count, sizeof(uint16_t));
    c->routers = svr__alloc(a, c->router_count, sizeof(uint16_t));
    c->tenants = svr__alloc(a, c->tenant_count, sizeof(int16_t));
    return c->interfaces && c->peers && c->pathways && c->services &&
                   c->routers && c->tenants
               ? 0
               : SVR_ERR_NO_MEMORY;
}

static void match_interfaces(svr__change *c)
{
    for (size_t i = 0; i < c->from->interface_count; i++) {
        c->interfaces[i] =
            find_interface(c->to, c->from->interfaces[i].config.name);
        c->renumbered |= c->interfaces[i] != i;
    }
}

static void match_routers(svr__change *c)
{
    for (size_t i = 0; i < c->router_count; i++) {
        const char *name = svr__names_at(&c->from->routers, (int)i);
        int number = svr__names_find(&c->to->routers, svr__text(name));
        c->routers[i] = number < 0 ? SVR__GONE : (uint16_t)number;
    }
}

static void match_policy(svr__change *c)
{
    const svr_node *from = c->from, *to = c->to;

    for (size_t i = 0; i < c->tenant_count; i++) {
        const char *name = svr_policy_tenant_name(from->policy, (int)i);
        int number = svr_policy_tenant_find(to->policy, svr__text(name));
        c->tenants[i] = (int16_t)(number < 0 ? SVR__TENANT_GONE : number);
    }
    for (size_t i = 0; i < from->service_count; i++) {
        const char *name = svr_policy_service_name(from->policy, (int)i);
        int number = svr_policy_service_find(to->policy, svr__text(name));
        c->services[i] = number < 0 ? SVR__GONE : (uint16_t)number;
    }
}

int svr__change_init(svr__change *c, const svr_node *from, svr_node *to)
{
    *c = (svr__change){
        .from = from,
        .to = to,
        .interface_count = from->interface_count,
        .peer_count = from->peer_count,
        .pathway_count = from->pathway_count,
        .service_count = from->service_count,
        .tenant_count = from->tenant_count,
        .router_count = (size_t)from->routers.count,
    };
    int err = make_arrays(c);
    if (err < 0) {
        svr__change_fini(c);
        return err;
    }
    match_interfaces(c);
    for (size_t i = 0; i < from->peer_count; i++)
        c->peers[i] = find_peer(to, from->peers[i].name);
    for (size_t i = 0; i < from->pathway_count; i++)
        c->pathways[i] = find_pathway(c, to, &from->pathways[i]);
    match_routers(c);
    match_policy(c);
    return 0;
}

void svr__change_fini(svr__change *c)
{
    const svr_allocator *a = &c->from->alloc;

    svr__free(a, c->interfaces, c->interface_count, sizeof(uint16_t));
    svr__free(a, c->peers, c->peer_count, sizeof(uint16_t));
    svr__free(a, c->pathways, c->pathway_count, sizeof(uint16_t));
    svr__free(a, c->services, c->service_count, sizeof(uint16_t));
    svr__free(a, c->routers, c->router_count, sizeof(uint16_t));
    svr__free(a, c->tenants, c->tenant_count, sizeof(int16_t));
    *c = (svr__change){0};
}

static uint16_t new_pathway(const svr__change *c, const svr__side *side)
{
    return side->pathway == SVR__NO_PATHWAY ? SVR__NO_PATHWAY
                                            : c->pathways[side->pathway];
}

static int new_tenant(const svr__change *c, const svr__session *s)
{
    return s->tenant == SVR_TENANT_NONE ? SVR_TENANT_NONE
                                        : c->tenants[s->tenant];
}

static bool has_side(const svr__change *c, const svr__side *side)
{
    return c->interfaces[side->iface] != SVR__GONE &&
           (side->pathway == SVR__NO_PATHWAY ||
            c->pathways[side->pathway] != SVR__GONE);
}

/* Whether a host is reached on that side. */
static bool has_next_hop(const svr__change *c, const svr__side *side,
                         const svr_addr *host)
{
    uint16_t hop;

    return side->pathway != SVR__NO_PATHWAY ||
           svr__next_hop(c->to, c->interfaces[side->iface], host, &hop);
}

/* A transit may know the service by its parent alone (S6.2), which another
 * service may hide; that was so before. */
static bool same_service(const svr__change *c, const svr__session *s)
{
    return svr_policy_service_match(c->to->policy, &s->context) ==
               c->services[s->service] ||
           svr_policy_service_match(c->from->policy, &s->context) != s->service;
}

static bool same_tenant(const svr__change *c, const svr__session *s)
{
    const svr__side *client = &s->side[SVR__CLIENT];
    uint16_t iface = c->interfaces[client->iface];

    return client->pathway != SVR__NO_PATHWAY ||
           svr__tenant_of(&c->to->interfaces[iface].config, &s->context.src) ==
               new_tenant(c, s);
}

static bool has_route(const svr__change *c, const svr__session *s)
{
    const svr__side *server = &s->side[SVR__SERVER];
    const svr__route_range *range =
        &c->to->service_routes[c->services[s->service]];

    for (uint32_t i = 0; i < range->count; i++) {
        const svr__route *r = &c->to->routes[range->first + i];
        if (r->pathway == new_pathway(c, server) &&
            (r->pathway != SVR__NO_PATHWAY ||
             r->iface == c->interfaces[server->iface]))
            return true;
    }
    return false;
}

/* Whether those that the session has passed have names (S20). */
static bool has_passed(const svr__change *c, const svr__session *s)
{
    for (size_t i = 0; i < s->passed.count; i++)
        if (c->routers[s->passed.router[i]] == SVR__GONE)
            return false;
    return true;
}

static bool has_all_parts(const svr__change *c, const svr__session *s)
{
    return has_side(c, &s->side[SVR__CLIENT]) &&
           has_side(c, &s->side[SVR__SERVER]) &&
           new_tenant(c, s) != SVR__TENANT_GONE &&
           c->services[s->service] != SVR__GONE && has_passed(c, s);
}

enum svr_cause svr__change_judge(const svr__change *c, const svr__session *s)
{
    if (!has_all_parts(c, s) || !same_service(c, s) || !has_route(c, s) ||
        svr__owns_address(c->to, &s->context.dst) ||
        !has_next_hop(c, &s->side[SVR__CLIENT], &s->context.src) ||
        !has_next_hop(c, &s->side[SVR__SERVER], &s->context.dst))
        return SVR_CAUSE_REMOVED;
    if (!same_tenant(c, s) ||
        svr_policy_access(c->to->policy, c->services[s->service],
                          new_tenant(c, s), &s->context.src) < 0)
        return SVR_CAUSE_ACCESS;
    return SVR_CAUSE_NONE;
}

/* Routers to come that are no more cost the session nothing. */
static void change_record(const svr__change *c, svr__passed *passed)
{
    size_t all = (size_t)passed->count + passed->coming;

    for (size_t i = 0; i < all; i++) {
        passed->router[i] = c->routers[passed->router[i]];
        if (passed->router[i] == SVR__GONE) {
            passed->coming = (uint8_t)(i - passed->count);
            return;
        }
    }
}

void svr__change_session(const svr__change *c, svr__session *s)
{
    s->tenant = (int16_t)new_tenant(c, s);
    s->service = c->services[s->service];
    change_record(c, &s->passed);
    for (unsigned side = 0; side < 2; side++) {
        s->side[side].pathway = new_pathway(c, &s->side[side]);
        s->side[side].iface = c->interfaces[s->side[side].iface];
    }
}
