/* What derives from the configuration is built, and given back. */
#include "node/node.h"

#include "base/memory.h"

#include <assert.h>

static svr_lifetimes lifetimes_of(const svr_limits *l)
{
    return (svr_lifetimes){
        .idle = {[SVR_SESSION_TCP] = l->tcp,
                 [SVR_SESSION_UDP] = l->udp,
                 [SVR_SESSION_ICMP] = l->icmp,
                 [SVR_SESSION_DNS] = l->dns,
                 [SVR_SESSION_OTHER] = l->other},
        .tcp_setup = l->tcp_setup,
    };
}

static uint64_t waypoint_hash(const svr_node *n, const svr_addr *local,
                              const svr_addr *remote)
{
    svr_addr both[2] = {*local, *remote};
    return svr_hash(n->table.hash_key, both, sizeof(both));
}

svr__pathway *svr__pathway_find(svr_node *n, const svr_addr *local,
                                const svr_addr *remote)
{
    uint64_t hash = waypoint_hash(n, local, remote);
    uint32_t iter;
    for (uint32_t i = svr__map_find_first(&n->pathway_map, hash, &iter);
         i != SVR__MAP_NONE;
         i = svr__map_find_next(&n->pathway_map, hash, &iter))
        if (svr_addr_equal(&n->pathways[i].local, local) &&
            (svr_addr_equal(&n->pathways[i].configured, remote) ||
             svr_addr_equal(&n->pathways[i].remote, remote)))
            return &n->pathways[i];
    return NULL;
}

/* It stays to be found where it was configured to be. */
void svr__pathway_move(svr_node *n, svr__pathway *pw, const svr_addr *remote)
{
    uint32_t number = (uint32_t)(pw - n->pathways);
    uint16_t hop;
    int err = 0;

    if (svr_addr_equal(&pw->remote, remote) ||
        !svr__next_hop(n, pw->iface, remote, &hop))
        return;
    if (!svr_addr_equal(&pw->remote, &pw->configured))
        svr__map_remove(&n->pathway_map,
                        waypoint_hash(n, &pw->local, &pw->remote), number);
    if (!svr_addr_equal(remote, &pw->configured))
        err = svr__map_insert(&n->pathway_map,
                              waypoint_hash(n, &pw->local, remote), number);
    assert(err == 0); /* there is room for two of each */
    (void)err;
    pw->remote = *remote;
    n->next_hops[svr__pathway_hop(n, number)] =
        *svr__next_hop_addr(n, hop, remote);
}

static int add_pathway(svr_node *n, const svr_node_config *c, size_t number,
                       svr_time now)
{
    const svr_pathway_config *from = &c->pathways[number];
    svr__pathway *pw = &n->pathways[number];
    assert(n->pathways);
    if (svr__pathway_find(n, &from->local, &from->remote))
        return SVR_ERR_CONFLICT;
    pw->iface = from->iface;
    pw->peer = from->peer;
    pw->security = from->security;
    pw->inactivity = from->inactivity;
    pw->local = from->local;
    pw->remote = pw->configured = from->remote;
    n->interfaces[from->iface].has_waypoints = true;
    int err =
        svr__associate(n, c, from->peer, from->security, &pw->association);
    if (err == 0)
        err = svr__ports_init(&pw->ports, &from->local_ports,
                              &from->remote_ports, &n->random, &n->alloc);
    if (err == 0)
        err = svr__map_insert(&n->pathway_map,
                              waypoint_hash(n, &pw->local, &pw->remote),
                              (uint32_t)number);
    return err < 0 ? err : svr__watch_init(n, pw, from, now);
}

/* The list that flows point into: two gateways for each interface, then the
 * next hop of each pathway. */
static int fill_next_hops(svr_node *n)
{
    svr_addr *gateways = n->next_hops;
    for (size_t i = 0; i < n->interface_count; i++) {
        gateways[2 * i] = n->interfaces[i].config.gateway_v4;
        gateways[2 * i + 1] = n->interfaces[i].config.gateway_v6;
    }
    for (size_t i = 0; i < n->pathway_count; i++) {
        const svr__pathway *pw = &n->pathways[i];
        uint16_t hop;
        if (!svr__next_hop(n, pw->iface, &pw->remote, &hop))
            return SVR_ERR_ARGUMENT;
        n->next_hops[svr__pathway_hop(n, i)] =
            *svr__next_hop_addr(n, hop, &pw->remote);
    }
    return 0;
}

/* Gathers the routes of each service into a row, in their order. */
static void fill_routes(svr_node *n, const svr_node_config *c)
{
    uint32_t used = 0;
    for (size_t service = 0; service < n->service_count; service++) {
        svr__route_range *range = &n->service_routes[service];
        range->first = used;
        for (size_t i = 0; i < c->route_count; i++) {
            const svr_route_config *r = &c->routes[i];
            if (r->service != service)
                continue;
            n->routes[used++] = (svr__route){
                .pathway =
                    r->pathway < 0 ? SVR__NO_PATHWAY : (uint16_t)r->pathway,
                .iface = r->iface,
            };
        }
        range->count = used - range->first;
    }
}

static void *new_array(const svr_node *n, size_t count, size_t size)
{
    return svr__alloc(&n->alloc, count, size);
}

static int make_arrays(svr_node *n, const svr_node_config *c)
{
    n->interface_count = c->interface_count;
    n->peer_count = c->peer_count;
    n->security_count = c->security_count;
    n->pathway_count = c->pathway_count;
    n->route_count = c->route_count;
    n->service_count = c->policy.service_count;
    n->tenant_count = c->policy.tenant_count;
    n->next_hop_count = 2 * c->interface_count + c->pathway_count;
    n->interfaces = new_array(n, n->interface_count, sizeof(svr__interface));
    n->peers = new_array(n, n->peer_count, sizeof(svr__peer));
    n->securities =
        new_array(n, n->security_count, sizeof(svr_security_config));
    n->pathways = new_array(n, n->pathway_count, sizeof(svr__pathway));
    n->watches = new_array(n, n->pathway_count, svr_pathway_size());
    n->tenants = new_array(n, n->tenant_count, sizeof(svr__share));
    n->routes = new_array(n, n->route_count, sizeof(svr__route));
    n->service_routes =
        new_array(n, n->service_count, sizeof(svr__route_range));
    n->next_hops = new_array(n, n->next_hop_count, sizeof(svr_addr));
    n->exchanges = c->identity
                       ? svr_secret_alloc((n->peer_count ? n->peer_count : 1) *
                                          svr_exchange_size())
                       : NULL;
    n->associations = svr_secret_alloc(
        (n->pathway_count ? n->pathway_count : 1) * sizeof(svr__association));
    return n->interfaces && n->peers && n->securities && n->pathways &&
                   n->watches && n->tenants && n->routes && n->service_routes &&
                   n->next_hops && n->associations &&
                   !c->identity == !n->exchanges
               ? 0
               : SVR_ERR_NO_MEMORY;
}

int svr__setup_build(svr_node *n, const svr_node_config *c, svr_time now)
{
    n->lifetimes = lifetimes_of(&c->limits);
    n->limits = c->limits;
    n->identity = c->identity;
    n->rekey = c->rekey;
    int err = make_arrays(n, c);
    if (err == 0)
        err = svr__choices_init(n, c);
    if (err == 0)
        err = svr__config_copy(n, c);
    if (err == 0)
        err = svr_policy_create(&n->policy, &c->policy, &n->alloc);
    if (err == 0)
        err = svr__record_init(n, c);
    if (err == 0)
        err = svr__map_init(&n->pathway_map, 2 * (uint32_t)n->pathway_count + 1,
                            &n->alloc);
    if (err == 0)
        err = svr__wheel_init(&n->watch_due, (uint32_t)n->pathway_count,
                              svr__watch_time(now), &n->alloc);
    for (size_t i = 0; err == 0 && i < n->peer_count; i++)
        n->peers[i].next_number = n->first_number;
    if (err == 0)
        err = svr__keying_init(n, c, now);
    for (size_t i = 0; err == 0 && i < n->pathway_count; i++)
        err = add_pathway(n, c, i, now);
    if (err == 0)
        err = fill_next_hops(n);
    if (err == 0)
        err = svr__token_names(n);
    if (err == 0)
        err = svr__load_init(n);
    if (err == 0)
        err = svr__learn_init(n, c, now);
    if (err == 0)
        fill_routes(n, c);
    if (err == 0)
        err = svr__choices_build(n, c);
    return err;
}

void svr__setup_free(svr_node *n)
{
    const svr_allocator *a = &n->alloc;

    svr__associations_free(n);
    svr__keying_free(n);
    svr__choices_free(n);
    svr__learn_free(n);
    svr__load_free(n);
    svr_policy_destroy(n->policy);
    svr__names_fini(&n->routers, a);
    if (n->pathway_map.slots)
        svr__map_fini(&n->pathway_map);
    if (n->watch_due.nodes)
        svr__wheel_fini(&n->watch_due);
    for (size_t i = 0; n->pathways && i < n->pathway_count; i++)
        svr__ports_fini(&n->pathways[i].ports);
    svr__token_names_free(n);
    svr__free(a, n->copies, n->copies_len, 1);
    svr__free(a, n->next_hops, n->next_hop_count, sizeof(svr_addr));
    svr__free(a, n->service_routes, n->service_count, sizeof(svr__route_range));
    svr__free(a, n->routes, n->route_count, sizeof(svr__route));
    svr__free(a, n->tenants, n->tenant_count, sizeof(svr__share));
    svr__free(a, n->watches, n->pathway_count, svr_pathway_size());
    svr__free(a, n->pathways, n->pathway_count, sizeof(svr__pathway));
    svr__free(a, n->securities, n->security_count, sizeof(svr_security_config));
    svr__free(a, n->peers, n->peer_count, sizeof(svr__peer));
    svr__free(a, n->interfaces, n->interface_count, sizeof(svr__interface));
}
