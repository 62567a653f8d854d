#include "build.h"

#include <string.h>

void *build_array(struct builder *b, size_t count, size_t size)
{
    return arena_array(&b->out->arena, count, size);
}

const char *build_text(struct builder *b, const char *text)
{
    return arena_text(&b->out->arena, text);
}

/*
 * The MAC address of a TAP interface where the file gives none: the 64-bit
 * FNV-1a hash of the names of authority, router and interface, each with a NUL
 * behind it, its upper 16 bits folded onto its lower 48, made a locally
 * administered unicast address. It is the same after every start.
 */
static void derive_mac(uint8_t mac[6], const char *const names[3])
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < 3; i++) {
        const char *p = names[i];

        do {
            h = (h ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
        } while (*p++);
    }
    h ^= h >> 48;
    for (size_t i = 0; i < 6; i++)
        mac[i] = (uint8_t)(h >> (40 - 8 * i));
    mac[0] = (uint8_t)((mac[0] & 0xfc) | 0x02);
}

static int tenant_index(const struct builder *b, const struct value *name)
{
    return (int)value_index(value_of(b->root, ROOT_TENANTS), name->text);
}

static bool build_addresses(struct builder *b, const struct value *list,
                            svr_interface_config *out)
{
    svr_prefix *addresses = build_array(b, list->count, sizeof(*addresses));

    if (!addresses)
        return false;
    for (size_t i = 0; i < list->count; i++)
        addresses[i] = list->items[i].prefix;
    out->addresses = addresses;
    out->address_count = list->count;
    return true;
}

static void build_gateways(const struct value *list, svr_interface_config *out)
{
    for (size_t i = 0; i < list->count; i++) {
        const svr_addr *a = &list->items[i].prefix.addr;

        if (svr_addr_is_v4(a))
            out->gateway_v4 = *a;
        else
            out->gateway_v6 = *a;
    }
}

static bool build_sources(struct builder *b, const struct value *list,
                          svr_interface_config *out)
{
    svr_access *sources = build_array(b, list->count, sizeof(*sources));

    if (!sources)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        const struct value *source = &list->items[i];

        sources[i].allow = true;
        sources[i].tenant = tenant_index(b, value_of(source, SOURCE_TENANT));
        sources[i].source = value_of(source, SOURCE_PREFIX)->prefix;
    }
    out->sources = sources;
    out->source_count = list->count;
    return true;
}

static bool build_port(struct builder *b, const struct value *iface,
                       struct config_port *port)
{
    const struct value *mac = value_of(iface, INTERFACE_MAC);

    port->kind = (enum port_kind)value_of(iface, INTERFACE_KIND)->number;
    port->device = build_text(b, value_of(iface, INTERFACE_DEVICE)->text);
    if (mac->given)
        memcpy(port->mac, mac->mac, sizeof(port->mac));
    else if (port->kind == PORT_TAP)
        derive_mac(port->mac,
                   (const char *const[]){b->out->config.authority,
                                         b->router->text, iface->text});
    return port->device != NULL;
}

static bool build_interface(struct builder *b, const struct value *iface,
                            svr_interface_config *out)
{
    const struct value *tenant = value_of(iface, INTERFACE_TENANT);
    uint64_t kind = value_of(iface, INTERFACE_KIND)->number;

    out->name = build_text(b, iface->text);
    out->mtu = (uint16_t)value_of(iface, INTERFACE_MTU)->number;
    out->tenant = tenant->given ? tenant_index(b, tenant) : SVR_TENANT_NONE;
    out->offload = kind == PORT_TAP || kind == PORT_TUN;
    build_gateways(value_of(iface, INTERFACE_GATEWAY), out);
    return out->name &&
           build_addresses(b, value_of(iface, INTERFACE_ADDRESS), out) &&
           build_sources(b, value_of(iface, INTERFACE_TENANTS), out);
}

bool build_interfaces(struct builder *b)
{
    const struct value *list = value_of(b->router, ROUTER_INTERFACES);
    svr_interface_config *interfaces =
        build_array(b, list->count, sizeof(*interfaces));
    struct config_port *ports = build_array(b, list->count, sizeof(*ports));

    if (!interfaces || !ports)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        if (!build_interface(b, &list->items[i], &interfaces[i]) ||
            !build_port(b, &list->items[i], &ports[i]))
            return false;
    }
    b->out->config.ports = ports;
    b->out->config.node.interfaces = interfaces;
    b->out->config.node.interface_count = list->count;
    return true;
}

static void build_limits(struct builder *b)
{
    const struct value *timeouts = value_of(b->root, ROOT_TIMEOUTS);
    const struct value *limits = value_of(b->root, ROOT_LIMITS);

    b->out->config.node.limits = (svr_limits){
        .sessions = (size_t)value_of(limits, LIMIT_SESSIONS)->number,
        .sealed = (size_t)value_of(limits, LIMIT_SEALED)->number,
        .peer_sessions = (size_t)value_of(limits, LIMIT_PEER_SESSIONS)->number,
        .tenant_sessions =
            (size_t)value_of(limits, LIMIT_TENANT_SESSIONS)->number,
        .peer_rate = (uint32_t)value_of(limits, LIMIT_PEER_RATE)->number,
        .tenant_rate = (uint32_t)value_of(limits, LIMIT_TENANT_RATE)->number,
        .tcp_setup = value_of(timeouts, TIMEOUT_TCP_SETUP)->number,
        .tcp = value_of(timeouts, TIMEOUT_TCP)->number,
        .udp = value_of(timeouts, TIMEOUT_UDP)->number,
        .icmp = value_of(timeouts, TIMEOUT_ICMP)->number,
        .dns = value_of(timeouts, TIMEOUT_DNS)->number,
        .other = value_of(timeouts, TIMEOUT_OTHER)->number,
    };
}

/* All routers of the authority, which a session may pass. */
static bool build_routers(struct builder *b)
{
    const struct value *list = value_of(b->root, ROOT_ROUTERS);
    const char **names = build_array(b, list->count, sizeof(*names));

    if (!names)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        names[i] = build_text(b, list->items[i].text);
        if (!names[i])
            return false;
    }
    b->out->config.node.routers = names;
    b->out->config.node.router_count = list->count;
    return true;
}

bool build_config(struct builder *b)
{
    struct config *c = &b->out->config;

    svr_node_config_init(&c->node);
    c->authority = build_text(b, value_of(b->root, ROOT_AUTHORITY)->text);
    c->router = build_text(b, b->router->text);
    c->file = build_text(b, b->file);
    c->node.name = c->router;
    if (!c->authority || !c->router || !c->file)
        return false;
    build_limits(b);
    return build_routers(b) && build_vectors(b) && build_policy(b) &&
           build_interfaces(b) && build_pathways(b) && build_identity(b) &&
           build_routes(b) && build_topology(b);
}
