/* The configuration of a node: defaults, checks, and the copy that it keeps. */
#include "node/node.h"

#include "base/memory.h"

#include <string.h>

enum {
    MTU_MIN = 1280,
    INACTIVITY_MAX = 30, /* S8.2, seconds */
    SESSIONS_DEFAULT = 65536,
};

void svr_node_config_init(svr_node_config *c)
{
    svr_lifetimes t;
    svr_lifetimes_init(&t);
    *c = (svr_node_config){
        .rekey = SVR_EXCHANGE_REKEY,
        .limits = {.sessions = SESSIONS_DEFAULT,
                   .tcp_setup = t.tcp_setup,
                   .tcp = t.idle[SVR_SESSION_TCP],
                   .udp = t.idle[SVR_SESSION_UDP],
                   .icmp = t.idle[SVR_SESSION_ICMP],
                   .dns = t.idle[SVR_SESSION_DNS],
                   .other = t.idle[SVR_SESSION_OTHER]},
    };
}

void svr_pathway_config_init(svr_pathway_config *c)
{
    *c = (svr_pathway_config){.bfd_ttl = 64, .vector = SVR_VECTOR_NONE};
    svr_pathway_settings_init(&c->watch);
}

/* Strings and arrays of the configuration, copied into one block. The copying
 * runs twice: without memory it only measures. */
struct copier {
    uint8_t *memory;
    size_t used;
};

static void *copy(struct copier *c, const void *from, size_t len)
{
    const size_t align = _Alignof(max_align_t);
    size_t at = c->used;
    c->used = (at + len + align - 1) / align * align;
    if (!c->memory)
        return NULL;
    if (len)
        memcpy(c->memory + at, from, len);
    return c->memory + at;
}

static const char *copy_text(struct copier *c, const char *s)
{
    return copy(c, s, strlen(s) + 1);
}

static void copy_interface(struct copier *c, svr__interface *to,
                           const svr_interface_config *from)
{
    svr_interface_config own = *from;
    own.name = copy_text(c, from->name);
    own.addresses = copy(c, from->addresses,
                         from->address_count * sizeof(from->addresses[0]));
    own.sources =
        copy(c, from->sources, from->source_count * sizeof(from->sources[0]));
    if (c->memory)
        to->config = own;
}

static void copy_all(svr_node *n, struct copier *c, const svr_node_config *from)
{
    const char *name = copy_text(c, from->name);
    if (c->memory)
        n->name = name;
    for (size_t i = 0; i < from->interface_count; i++)
        copy_interface(c, &n->interfaces[i], &from->interfaces[i]);
    for (size_t i = 0; i < from->peer_count; i++) {
        name = copy_text(c, from->peers[i].name);
        if (c->memory)
            n->peers[i].name = name;
    }
    for (size_t i = 0; i < from->security_count; i++) {
        name = copy_text(c, from->securities[i].name);
        if (c->memory) {
            n->securities[i] = from->securities[i];
            svr_wipe(n->securities[i].key, SVR_KEY_SIZE);
            n->securities[i].name = name;
            n->securities[i].per_packet &= /* S11.4 */
                from->securities[i].mode != SVR_HMAC_DISABLED;
        }
    }
    for (size_t i = 0; i < from->pathway_count; i++) {
        name = copy_text(c, from->pathways[i].name);
        if (c->memory)
            n->pathways[i].name = name;
    }
    for (size_t i = 0; i < from->link_count; i++) {
        name = copy_text(c, from->links[i].name);
        if (c->memory)
            n->choices.edges[n->pathway_count + i].name = name;
    }
}

int svr__config_copy(svr_node *n, const svr_node_config *from)
{
    struct copier c = {NULL, 0};
    copy_all(n, &c, from);
    n->copies_len = c.used;
    n->copies = svr__alloc(&n->alloc, c.used, 1);
    if (!n->copies)
        return SVR_ERR_NO_MEMORY;
    c = (struct copier){n->copies, 0};
    copy_all(n, &c, from);
    return 0;
}

static bool valid_name(const char *name)
{
    return name && name[0] && strlen(name) <= SVR_NAME_SEND_MAX;
}

/* S11.4: CBC proves nothing by itself. */
static bool valid_cipher(const svr_security_config *c)
{
    return !c->cipher || (svr_payload_cipher_number(c->cipher) &&
                          (c->cipher->kind != SVR_CIPHER_CBC ||
                           (c->per_packet && c->mode != SVR_HMAC_DISABLED)));
}

static bool valid_prefix(const svr_prefix *p)
{
    return p->len <= (svr_addr_is_v4(&p->addr) ? 32 : 128);
}

static bool valid_gateways(const svr_interface_config *c)
{
    return (svr_addr_is_none(&c->gateway_v4) ||
            svr_addr_is_v4(&c->gateway_v4)) &&
           !svr_addr_is_v4(&c->gateway_v6);
}

static bool valid_interface(const svr_interface_config *c, size_t tenants)
{
    if (!valid_name(c->name) || c->mtu < MTU_MIN || !valid_gateways(c) ||
        c->tenant < SVR_TENANT_NONE || c->tenant >= (int)tenants)
        return false;
    for (size_t i = 0; i < c->address_count; i++)
        if (!valid_prefix(&c->addresses[i]))
            return false;
    for (size_t i = 0; i < c->source_count; i++)
        if (!valid_prefix(&c->sources[i].source) ||
            c->sources[i].tenant < SVR_TENANT_NONE ||
            c->sources[i].tenant >= (int)tenants)
            return false;
    return true;
}

static bool unique_interface(const svr_node_config *c, size_t number)
{
    for (size_t i = 0; i < number; i++)
        if (strcmp(c->interfaces[i].name, c->interfaces[number].name) == 0)
            return false;
    return true;
}

/* Two peers of one name would have the same keys and a replay window each, and
 * one of the own name would be answered with its own packets (S12.7). */
static bool unique_peer(const svr_node_config *c, size_t number)
{
    const char *name = c->peers[number].name;
    for (size_t i = 0; i < number; i++)
        if (strcmp(c->peers[i].name, name) == 0)
            return false;
    return strcmp(c->name, name) != 0;
}

static bool own_waypoint(const svr_interface_config *c, const svr_addr *a)
{
    for (size_t i = 0; i < c->address_count; i++)
        if (svr_addr_equal(&c->addresses[i].addr, a))
            return true;
    return false;
}

/* Ports of sessions begin above those that messages come to. */
static bool valid_watch(const svr_pathway_config *p)
{
    const svr_pathway_settings *w = &p->watch;
    return p->bfd_ttl > 0 && w->local.port > 0 && w->remote.port > 0 &&
           (w->plain ? w->remote.port : w->local.port) <
               SVR_WAYPOINT_PORT_FIRST;
}

/* S14.3: messages of the exchange go behind BFD packets. */
static bool valid_keys(const svr_node_config *c, const svr_pathway_config *p)
{
    return !c->securities[p->security].exchanged ||
           (c->identity && c->peers[p->peer].identity && !p->unwatched &&
            !p->watch.plain);
}

static bool valid_vector(const svr_node_config *c, uint16_t vector)
{
    return vector == SVR_VECTOR_NONE || vector < c->policy.vector_count;
}

/* Numbers that both directions share are looked at by svr_chart_create. */
static bool valid_link(const svr_node_config *c, const svr_link_config *l)
{
    return valid_name(l->name) && l->from < c->router_count &&
           l->to < c->router_count && l->from != l->to &&
           strcmp(c->routers[l->from], c->name) != 0 &&
           valid_vector(c, l->vector);
}

/* Without names of routers, nothing can be said of them. */
static bool valid_instance(const svr_node_config *c,
                           const svr_instance_config *i)
{
    return i->service < c->policy.service_count && i->router < c->router_count;
}

static bool valid_pathway(const svr_node_config *c, const svr_pathway_config *p)
{
    return valid_name(p->name) && p->iface < c->interface_count &&
           p->peer < c->peer_count && p->security < c->security_count &&
           !svr_addr_is_none(&p->local) && !svr_addr_is_none(&p->remote) &&
           svr_addr_is_v4(&p->local) == svr_addr_is_v4(&p->remote) &&
           own_waypoint(&c->interfaces[p->iface], &p->local) &&
           valid_keys(c, p) && p->inactivity <= INACTIVITY_MAX &&
           valid_vector(c, p->vector) && (p->unwatched || valid_watch(p));
}

static bool valid_route(const svr_node_config *c, const svr_route_config *r)
{
    if (r->service >= c->policy.service_count)
        return false;
    return r->pathway < 0 ? r->iface < c->interface_count
                          : (size_t)r->pathway < c->pathway_count;
}

static bool valid_limits(const svr_limits *l)
{
    return l->sessions > 0 && l->sessions <= SVR__MAP_CAP_MAX / 2 &&
           l->tcp_setup && l->tcp && l->udp && l->icmp && l->dns && l->other;
}

/* Names of routers are told apart, and found, by svr__record_init. */
static bool valid_routers(const svr_node_config *c)
{
    for (size_t i = 0; i < c->router_count; i++)
        if (!c->routers[i] || !svr__names_valid(c->routers[i]))
            return false;
    return c->router_count < UINT16_MAX;
}

static bool valid_counts(const svr_node_config *c)
{
    return c->interface_count > 0 && c->interface_count < UINT16_MAX / 4 &&
           c->pathway_count < UINT16_MAX / 4 && c->peer_count < UINT16_MAX &&
           c->security_count < UINT16_MAX &&
           c->link_count < SVR_PATH_EDGES_MAX / 2 &&
           c->instance_count < SVR_PATH_ROUTERS_MAX &&
           c->policy.service_count < UINT16_MAX &&
           c->policy.tenant_count < INT16_MAX;
}

int svr__config_check(const svr_node_config *c)
{
    if (!c->alloc.alloc || !c->alloc.free || !c->random.fill ||
        !valid_name(c->name) || !valid_counts(c) || !valid_routers(c) ||
        !valid_limits(&c->limits))
        return SVR_ERR_ARGUMENT;
    for (size_t i = 0; i < c->interface_count; i++) {
        if (!valid_interface(&c->interfaces[i], c->policy.tenant_count))
            return SVR_ERR_ARGUMENT;
        if (!unique_interface(c, i))
            return SVR_ERR_EXISTS;
    }
    for (size_t i = 0; i < c->peer_count; i++) {
        if (!valid_name(c->peers[i].name))
            return SVR_ERR_ARGUMENT;
        if (!unique_peer(c, i))
            return SVR_ERR_EXISTS;
    }
    for (size_t i = 0; i < c->security_count; i++)
        if (!valid_name(c->securities[i].name) || !c->securities[i].hmac ||
            !valid_cipher(&c->securities[i]))
            return SVR_ERR_ARGUMENT;
    for (size_t i = 0; i < c->pathway_count; i++)
        if (!valid_pathway(c, &c->pathways[i]))
            return SVR_ERR_ARGUMENT;
    for (size_t i = 0; i < c->route_count; i++)
        if (!valid_route(c, &c->routes[i]))
            return SVR_ERR_ARGUMENT;
    for (size_t i = 0; i < c->link_count; i++)
        if (!valid_link(c, &c->links[i]))
            return SVR_ERR_ARGUMENT;
    for (size_t i = 0; i < c->instance_count; i++)
        if (!valid_instance(c, &c->instances[i]))
            return SVR_ERR_ARGUMENT;
    return 0;
}
