#include "diff.h"

#include <string.h>

/* What differs between two parts of one name. */

static void note(json_t *what, bool same, const char *key)
{
    if (!same)
        json_array_append_new(what, json_string(key));
}

#define NOTE(field) note(what, a->field == b->field, #field)

static bool same_addr(const svr_addr *a, const svr_addr *b)
{
    return svr_addr_equal(a, b);
}

static bool same_prefix(const svr_prefix *a, const svr_prefix *b)
{
    return a->len == b->len && same_addr(&a->addr, &b->addr);
}

static bool same_prefixes(const svr_prefix *a, size_t a_count,
                          const svr_prefix *b, size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (!same_prefix(&a[i], &b[i]))
            return false;
    return true;
}

static const char *tenant_name(const struct config *c, int tenant)
{
    return tenant == SVR_TENANT_NONE ? "" : c->node.policy.tenants[tenant];
}

static const char *vector_name(const struct config *c, uint16_t vector)
{
    return vector == SVR_VECTOR_NONE ? "" : c->node.policy.vectors[vector];
}

static bool same_tenant(const struct config *a, int in_a,
                        const struct config *b, int in_b)
{
    return strcmp(tenant_name(a, in_a), tenant_name(b, in_b)) == 0;
}

static bool same_access(const struct config *a, const svr_access *in_a,
                        size_t a_count, const struct config *b,
                        const svr_access *in_b, size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (in_a[i].allow != in_b[i].allow ||
            !same_tenant(a, in_a[i].tenant, b, in_b[i].tenant) ||
            !same_prefix(&in_a[i].source, &in_b[i].source))
            return false;
    return true;
}

static void diff_interface(json_t *what, const struct config *old, size_t i,
                           const struct config *new, size_t k)
{
    const svr_interface_config *a = &old->node.interfaces[i];
    const svr_interface_config *b = &new->node.interfaces[k];
    const struct config_port *from = &old->ports[i], *to = &new->ports[k];

    note(what, from->kind == to->kind, "kind");
    note(what, strcmp(from->device, to->device) == 0, "device");
    note(what, memcmp(from->mac, to->mac, sizeof to->mac) == 0, "mac");
    note(what,
         same_prefixes(a->addresses, a->address_count, b->addresses,
                       b->address_count),
         "address");
    note(what,
         same_addr(&a->gateway_v4, &b->gateway_v4) &&
             same_addr(&a->gateway_v6, &b->gateway_v6),
         "gateway");
    NOTE(mtu);
    note(what, same_tenant(old, a->tenant, new, b->tenant), "tenant");
    note(what,
         same_access(old, a->sources, a->source_count, new, b->sources,
                     b->source_count),
         "tenants");
}

static bool same_watch(const svr_pathway_config *a, const svr_pathway_config *b)
{
    const svr_pathway_settings *x = &a->watch, *y = &b->watch;

    return a->unwatched == b->unwatched && a->bfd_ttl == b->bfd_ttl &&
           x->desired_tx == y->desired_tx && x->required_rx == y->required_rx &&
           x->multiplier == y->multiplier &&
           x->peer_multiplier == y->peer_multiplier && x->plain == y->plain &&
           x->local.port == y->local.port && x->remote.port == y->remote.port &&
           x->hold_down == y->hold_down;
}

static bool same_range(const svr_port_range *a, const svr_port_range *b)
{
    return a->first == b->first && a->last == b->last;
}

static void diff_pathway(json_t *what, const struct config *old, size_t i,
                         const struct config *new, size_t k)
{
    const svr_node_config *x = &old->node, *y = &new->node;
    const svr_pathway_config *a = &x->pathways[i], *b = &y->pathways[k];

    note(what,
         strcmp(x->interfaces[a->iface].name, y->interfaces[b->iface].name) ==
             0,
         "interface");
    note(what, strcmp(x->peers[a->peer].name, y->peers[b->peer].name) == 0,
         "peer");
    note(what,
         strcmp(x->securities[a->security].name,
                y->securities[b->security].name) == 0,
         "security");
    note(what, same_addr(&a->local, &b->local), "local");
    note(what, same_addr(&a->remote, &b->remote), "remote");
    note(what,
         same_range(&a->local_ports, &b->local_ports) &&
             same_range(&a->remote_ports, &b->remote_ports),
         "ports");
    note(what,
         a->tcp_as_udp == b->tcp_as_udp &&
             a->watch.tcp_probes == b->watch.tcp_probes,
         "tcp-as-udp");
    note(what, !a->inactivity == !b->inactivity, "recovery");
    note(what, a->inactivity == b->inactivity, "inactivity");
    note(what, same_watch(a, b), "bfd");
    note(what,
         strcmp(vector_name(old, a->vector), vector_name(new, b->vector)) == 0,
         "vector");
    NOTE(cost);
    NOTE(capacity);
}

static void diff_security(json_t *what, const struct config *old, size_t i,
                          const struct config *new, size_t k)
{
    const svr_security_config *a = &old->node.securities[i];
    const svr_security_config *b = &new->node.securities[k];

    NOTE(hmac);
    NOTE(cipher);
    NOTE(mode);
    note(what, a->per_packet == b->per_packet, "sign");
    note(what, a->bind_tcp == b->bind_tcp, "bind-tcp");
    note(what,
         a->exchanged == b->exchanged &&
             memcmp(a->key, b->key, sizeof a->key) == 0,
         "key");
}

static bool same_identity(const uint8_t *a, const uint8_t *b)
{
    return a == NULL || b == NULL ? a == b
                                  : memcmp(a, b, SVR_IDENTITY_SIZE) == 0;
}

static const uint8_t *peer_identity(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->node.peer_count; i++)
        if (strcmp(c->node.peers[i].name, name) == 0)
            return c->node.peers[i].identity;
    return NULL;
}

/* Of this router by its private half, of peers by what they are known by. */
static const uint8_t *router_identity(const struct config *c, size_t i)
{
    const char *name = c->node.routers[i];

    return strcmp(name, c->router) == 0 ? c->identity : peer_identity(c, name);
}

static void diff_router(json_t *what, const struct config *old, size_t i,
                        const struct config *new, size_t k)
{
    note(what, same_identity(router_identity(old, i), router_identity(new, k)),
         "identity");
}

static bool same_transports(const svr_service_config *a,
                            const svr_service_config *b)
{
    if (a->transport_count != b->transport_count)
        return false;
    for (size_t i = 0; i < a->transport_count; i++) {
        const svr_transport *x = &a->transports[i], *y = &b->transports[i];

        if (x->proto != y->proto || x->first != y->first || x->last != y->last)
            return false;
    }
    return true;
}

/* The next route of a service at or behind *at, or NULL. */
static const svr_route_config *next_route(const svr_node_config *c,
                                          size_t service, size_t *at)
{
    while (*at < c->route_count) {
        const svr_route_config *r = &c->routes[(*at)++];

        if (r->service == service)
            return r;
    }
    return NULL;
}

static bool same_route(const svr_node_config *a, const svr_route_config *x,
                       const svr_node_config *b, const svr_route_config *y)
{
    if ((x->pathway < 0) != (y->pathway < 0))
        return false;
    return x->pathway < 0 ? strcmp(a->interfaces[x->iface].name,
                                   b->interfaces[y->iface].name) == 0
                          : strcmp(a->pathways[x->pathway].name,
                                   b->pathways[y->pathway].name) == 0;
}

static bool same_routes(const svr_node_config *a, size_t in_a,
                        const svr_node_config *b, size_t in_b)
{
    const svr_route_config *x, *y;
    size_t at_a = 0, at_b = 0;

    do {
        x = next_route(a, in_a, &at_a);
        y = next_route(b, in_b, &at_b);
        if (x != NULL && y != NULL && !same_route(a, x, b, y))
            return false;
    } while (x != NULL && y != NULL);
    return x == y;
}

/* Where it leaves, here or elsewhere, and how much the servers can take. */
static const svr_instance_config *next_instance(const svr_node_config *c,
                                                size_t service, size_t *at)
{
    while (*at < c->instance_count) {
        const svr_instance_config *i = &c->instances[(*at)++];

        if (i->service == service)
            return i;
    }
    return NULL;
}

static bool same_instances(const svr_node_config *a, size_t in_a,
                           const svr_node_config *b, size_t in_b)
{
    const svr_instance_config *x, *y;
    size_t at_a = 0, at_b = 0;

    do {
        x = next_instance(a, in_a, &at_a);
        y = next_instance(b, in_b, &at_b);
        if (x != NULL && y != NULL &&
            (x->capacity != y->capacity ||
             strcmp(a->routers[x->router], b->routers[y->router]) != 0))
            return false;
    } while (x != NULL && y != NULL);
    return x == y;
}

static bool same_ranks(const struct config *old, const svr_service_policy *a,
                       const struct config *new, const svr_service_policy *b)
{
    if (a->vector_count != b->vector_count)
        return false;
    for (size_t i = 0; i < a->vector_count; i++)
        if (a->vectors[i].priority != b->vectors[i].priority ||
            strcmp(vector_name(old, a->vectors[i].vector),
                   vector_name(new, b->vectors[i].vector)) != 0)
            return false;
    return true;
}

static bool same_policy(const struct config *old, const svr_service_policy *a,
                        const struct config *new, const svr_service_policy *b)
{
    return a->resiliency == b->resiliency && a->encryption == b->encryption &&
           a->best_path == b->best_path && a->balance == b->balance &&
           a->quality_filter == b->quality_filter &&
           a->no_best_effort == b->no_best_effort &&
           a->max_latency_us == b->max_latency_us &&
           a->max_jitter_us == b->max_jitter_us &&
           a->max_loss_ppm == b->max_loss_ppm && a->min_mos == b->min_mos &&
           same_ranks(old, a, new, b);
}

static void diff_service(json_t *what, const struct config *old, size_t i,
                         const struct config *new, size_t k)
{
    const svr_service_config *a = &old->node.policy.services[i];
    const svr_service_config *b = &new->node.policy.services[k];

    note(what,
         same_prefixes(a->prefixes, a->prefix_count, b->prefixes,
                       b->prefix_count),
         "prefixes");
    note(what, same_transports(a, b), "transports");
    note(what,
         same_access(old, a->access, a->access_count, new, b->access,
                     b->access_count),
         "access");
    note(what, a->public_scope == b->public_scope, "scope");
    NOTE(denial);
    note(what, a->tcp_midstream == b->tcp_midstream, "tcp-midstream");
    note(what, same_policy(old, &a->policy, new, &b->policy), "policy");
    note(what,
         same_routes(&old->node, i, &new->node, k) &&
             same_instances(&old->node, i, &new->node, k),
         "routes");
}

/* Kinds of parts */

static const char *router_name(const struct config *c, size_t i)
{
    return i < c->node.router_count ? c->node.routers[i] : NULL;
}

static const char *interface_name(const struct config *c, size_t i)
{
    return i < c->node.interface_count ? c->node.interfaces[i].name : NULL;
}

static const char *pathway_name(const struct config *c, size_t i)
{
    return i < c->node.pathway_count ? c->node.pathways[i].name : NULL;
}

static const char *tenant_at(const struct config *c, size_t i)
{
    return i < c->node.policy.tenant_count ? c->node.policy.tenants[i] : NULL;
}

static const char *service_name(const struct config *c, size_t i)
{
    return i < c->node.policy.service_count ? c->node.policy.services[i].name
                                            : NULL;
}

static const char *security_name(const struct config *c, size_t i)
{
    return i < c->node.security_count ? c->node.securities[i].name : NULL;
}

static const struct kind {
    const char *part;
    const char *(*name)(const struct config *c, size_t i); /* NULL: no more */
    void (*diff)(json_t *what, const struct config *old, size_t i,
                 const struct config *new, size_t k);
} kinds[] = {
    {"router", router_name, diff_router},
    {"interface", interface_name, diff_interface},
    {"pathway", pathway_name, diff_pathway},
    {"security policy", security_name, diff_security},
    {"tenant", tenant_at, NULL},
    {"service", service_name, diff_service},
};

static void add(json_t *list, const char *part, const char *name,
                const char *change, json_t *what)
{
    json_t *o = json_pack("{s:s, s:s, s:s}", "part", part, "name", name,
                          "change", change);

    if (what != NULL)
        json_object_set(o, "what", what);
    json_array_append_new(list, o);
}

/* Where the name stands in c, or -1. */
static long find(const struct kind *kind, const struct config *c,
                 const char *name)
{
    const char *other;

    for (size_t i = 0; (other = kind->name(c, i)) != NULL; i++)
        if (strcmp(other, name) == 0)
            return (long)i;
    return -1;
}

static void diff_kind(json_t *list, const struct kind *kind,
                      const struct config *old, const struct config *new)
{
    const char *name;

    for (size_t i = 0; (name = kind->name(old, i)) != NULL; i++) {
        long k = find(kind, new, name);
        json_t *what = json_array();

        if (k >= 0 && kind->diff != NULL)
            kind->diff(what, old, i, new, (size_t)k);
        if (k < 0)
            add(list, kind->part, name, "removed", NULL);
        else if (json_array_size(what) > 0)
            add(list, kind->part, name, "changed", what);
        json_decref(what);
    }
    for (size_t i = 0; (name = kind->name(new, i)) != NULL; i++)
        if (find(kind, old, name) < 0)
            add(list, kind->part, name, "added", NULL);
}

static void diff_limits(json_t *list, const svr_limits *a, const svr_limits *b)
{
    json_t *what = json_array();

    NOTE(sessions);
    note(what, a->sealed == b->sealed, "encrypted-sessions");
    note(what, a->peer_sessions == b->peer_sessions, "sessions-per-peer");
    note(what, a->tenant_sessions == b->tenant_sessions, "sessions-per-tenant");
    note(what, a->peer_rate == b->peer_rate, "rate-per-peer");
    note(what, a->tenant_rate == b->tenant_rate, "rate-per-tenant");
    if (json_array_size(what) > 0)
        add(list, "authority", "limits", "changed", what);
    json_decref(what);
    what = json_array();
    note(what, a->tcp_setup == b->tcp_setup, "tcp-setup");
    NOTE(tcp);
    NOTE(udp);
    NOTE(icmp);
    NOTE(dns);
    NOTE(other);
    if (json_array_size(what) > 0)
        add(list, "authority", "timeouts", "changed", what);
    json_decref(what);
}

json_t *diff_configs(const struct config *old, const struct config *new)
{
    json_t *list = json_array();

    if (strcmp(old->authority, new->authority) != 0)
        add(list, "authority", "name", "changed", NULL);
    if (old->node.rekey != new->node.rekey)
        add(list, "authority", "rekey", "changed", NULL);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        diff_kind(list, &kinds[i], old, new);
    diff_limits(list, &old->node.limits, &new->node.limits);
    return list;
}
