#include "check.h"

#include <string.h>

static bool has_ports(uint64_t proto)
{
    return proto == SVR_PROTO_TCP || proto == SVR_PROTO_UDP;
}

/* One transport of the file as ranges of ports. */
static size_t expand(const struct value *transport, svr_transport *out)
{
    uint8_t proto = (uint8_t)value_of(transport, TRANSPORT_PROTOCOL)->number;
    const struct value *ports = value_of(transport, TRANSPORT_PORTS);

    if (ports->count == 0 && out)
        out[0] = (svr_transport){proto, 0, UINT16_MAX};
    for (size_t i = 0; i < ports->count && out; i++)
        out[i] = (svr_transport){proto, ports->items[i].ports.first,
                                 ports->items[i].ports.last};
    return ports->count > 0 ? ports->count : 1;
}

size_t service_transports(const struct value *service, svr_transport *out)
{
    const struct value *list = value_of(service, SERVICE_TRANSPORTS);
    size_t n = 0;

    for (size_t i = 0; i < list->count; i++)
        n += expand(&list->items[i], out ? out + n : NULL);
    if (list->count > 0)
        return n;
    if (out)
        out[0] = (svr_transport){0, 0, UINT16_MAX};
    return 1;
}

static void check_transport(struct checker *c, const struct value *transport)
{
    const struct value *proto = value_of(transport, TRANSPORT_PROTOCOL);
    const struct value *ports = value_of(transport, TRANSPORT_PORTS);

    if (ports->count > 0 && !has_ports(proto->number))
        report_problem(c->report, ports->at,
                       "found ports with protocol %s, expected them with tcp "
                       "and udp only",
                       quote(proto->text).s);
}

/* The tenant that an access line names, allowed or denied. */
static const struct value *access_tenant(const struct value *line)
{
    const struct value *allow = value_of(line, ACCESS_ALLOW);

    return allow->given ? allow : value_of(line, ACCESS_DENY);
}

/* A name within a key that is compared as bytes; it was zero before. */
typedef char key_name[SVR_NAME_SEND_MAX + 1];

static void copy_name(key_name out, const char *name)
{
    memcpy(out, name, strlen(name) + 1);
}

/* A line's meaning but for allow or deny. */
struct access_key {
    key_name tenant;
    svr_prefix source;
};

static void check_line(struct checker *c, const struct value *line,
                       struct access_key *key)
{
    const struct value *tenant = access_tenant(line);

    if (strcmp(tenant->text, SCHEMA_ANY) != 0)
        check_reference(c, tenant, value_of(c->root, ROOT_TENANTS),
                        "a tenant or any");
    copy_name(key->tenant, tenant->text);
    key->source = value_of(line, ACCESS_FROM)->prefix;
}

static bool check_access(struct checker *c, const struct value *service)
{
    const struct value *list = value_of(service, SERVICE_ACCESS);
    struct claim *claims = check_claims(c, list->count);
    struct access_key *keys = arena_array(c->arena, list->count, sizeof(*keys));

    if (!claims || !keys)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        check_line(c, &list->items[i], &keys[i]);
        claims[i] = (struct claim){&keys[i], sizeof(keys[i]), &list->items[i]};
    }
    check_distinct(c, claims, list->count, "a line for the same clients");
    return true;
}

static void check_route(struct checker *c, const struct value *route)
{
    const struct value *router =
        check_reference(c, value_of(route, ROUTE_ROUTER),
                        value_of(c->root, ROOT_ROUTERS), "a router");
    char what[256];

    if (!router)
        return;
    snprintf(what, sizeof(what), "an interface of router %s",
             quote(router->text).s);
    check_reference(c, value_of(route, ROUTE_INTERFACE),
                    value_of(router, ROUTER_INTERFACES), what);
}

struct route_key {
    key_name router, interface;
};

static bool check_routes(struct checker *c, const struct value *service)
{
    const struct value *list = value_of(service, SERVICE_ROUTES);
    struct claim *claims = check_claims(c, list->count);
    struct route_key *keys = arena_array(c->arena, list->count, sizeof(*keys));

    if (!claims || !keys)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        const struct value *route = &list->items[i];

        check_route(c, route);
        copy_name(keys[i].router, value_of(route, ROUTE_ROUTER)->text);
        copy_name(keys[i].interface, value_of(route, ROUTE_INTERFACE)->text);
        claims[i] = (struct claim){&keys[i], sizeof(keys[i]), route};
    }
    check_distinct(c, claims, list->count, "the route");
    return true;
}

/* A prefix with one transport: what only one service can have. No byte of it is
 * left undefined, since it is compared as bytes. */
struct target {
    svr_prefix prefix;
    uint8_t proto;
    uint16_t first, last;
};

static void set_target(struct target *t, const svr_prefix *prefix,
                       const svr_transport *transport)
{
    memset(t, 0, sizeof(*t));
    if (prefix)
        t->prefix = *prefix;
    t->proto = transport->proto;
    t->first = transport->first;
    t->last = transport->last;
}

/* The value in the file that the transport number i of the service came from.
 */
static const struct value *transport_source(const struct value *service,
                                            size_t i)
{
    const struct value *list = value_of(service, SERVICE_TRANSPORTS);
    size_t n, j = 0;

    if (list->count == 0)
        return service;
    while (i >= (n = expand(&list->items[j], NULL))) {
        i -= n;
        j++;
    }
    if (value_of(&list->items[j], TRANSPORT_PORTS)->count > 0)
        return &value_of(&list->items[j], TRANSPORT_PORTS)->items[i];
    return &list->items[j];
}

/* A service with its transports in a row. */
struct offer {
    const struct value *service;
    svr_transport *transports;
    size_t count;
};

static bool list_transports(struct checker *c, struct offer *o)
{
    o->count = service_transports(o->service, NULL);
    o->transports = arena_array(c->arena, o->count, sizeof(*o->transports));
    if (o->transports)
        service_transports(o->service, o->transports);
    return o->transports != NULL;
}

/* No transport occurs twice in one service. */
static bool check_transports(struct checker *c, const struct offer *o)
{
    const struct value *list = value_of(o->service, SERVICE_TRANSPORTS);
    struct claim *claims = check_claims(c, o->count);
    struct target *keys = arena_array(c->arena, o->count, sizeof(*keys));

    if (!claims || !keys)
        return false;
    for (size_t i = 0; i < list->count; i++)
        check_transport(c, &list->items[i]);
    for (size_t i = 0; i < o->count; i++) {
        set_target(&keys[i], NULL, &o->transports[i]);
        claims[i] = (struct claim){&keys[i], sizeof(keys[i]),
                                   transport_source(o->service, i)};
    }
    check_distinct(c, claims, o->count, "the same protocol and ports");
    return true;
}

static bool check_service(struct checker *c, struct offer *o)
{
    check_policy_of(c, o->service);
    return list_transports(c, o) && check_transports(c, o) &&
           check_access(c, o->service) && check_routes(c, o->service);
}

static size_t target_count(const struct offer *offers, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += offers[i].count *
             value_of(offers[i].service, SERVICE_PREFIXES)->count;
    return n;
}

/* The targets of an offer, each claimed by its prefix. Returns their number. */
static size_t claim_targets(const struct offer *o, struct claim *claims,
                            struct target *targets)
{
    const struct value *prefixes = value_of(o->service, SERVICE_PREFIXES);
    size_t n = 0;

    for (size_t i = 0; i < prefixes->count; i++) {
        for (size_t j = 0; j < o->count; j++, n++) {
            set_target(&targets[n], &prefixes->items[i].prefix,
                       &o->transports[j]);
            claims[n] = (struct claim){&targets[n], sizeof(targets[n]),
                                       &prefixes->items[i]};
        }
    }
    return n;
}

/* No two services have one target (svr_policy_create refuses that). */
static bool check_conflicts(struct checker *c, const struct offer *offers,
                            size_t count)
{
    size_t total = target_count(offers, count), n = 0;
    struct claim *claims = check_claims(c, total);
    struct target *targets = arena_array(c->arena, total, sizeof(*targets));

    if (!claims || !targets)
        return false;
    for (size_t i = 0; i < count; i++)
        n += claim_targets(&offers[i], claims + n, targets + n);
    check_distinct(c, claims, n, "the prefix with the same protocol and ports");
    return true;
}

bool check_services(struct checker *c)
{
    const struct value *list = value_of(c->root, ROOT_SERVICES);
    struct offer *offers = arena_array(c->arena, list->count, sizeof(*offers));
    unsigned before = c->report->count;
    size_t n = 0;

    if (!offers)
        return false;
    for (size_t i = 0; i < list->count && !report_full(c->report); i++) {
        if (list->items[i].broken)
            continue;
        offers[n].service = &list->items[i];
        if (!check_service(c, &offers[n++]))
            return false;
    }
    if (c->report->count > before)
        return true;
    return check_conflicts(c, offers, n);
}
