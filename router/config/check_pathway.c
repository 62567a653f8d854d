#include "check.h"

#include "config.h"

#include <string.h>

/* A pathway with what its references lead to. */
struct pathway_end {
    const struct value *router, *pathway;
    const struct value *iface, *peer, *security;
    const struct value *local, *remote;
};

const struct value *pathway_local(const struct value *router,
                                  const struct value *pathway)
{
    const struct value *local = value_of(pathway, PATHWAY_LOCAL);
    const svr_addr *remote = &value_of(pathway, PATHWAY_REMOTE)->prefix.addr;
    const struct value *iface;

    if (local->given)
        return local;
    iface = value_find(value_of(router, ROUTER_INTERFACES),
                       value_of(pathway, PATHWAY_INTERFACE)->text);
    return iface ? interface_of_family(iface, INTERFACE_ADDRESS,
                                       svr_addr_is_v4(remote))
                 : NULL;
}

static const char *family_name(const svr_addr *a)
{
    return svr_addr_is_v4(a) ? "IPv4" : "IPv6";
}

/* Follows the references; whether all of them lead somewhere. */
static bool resolve(struct checker *c, struct pathway_end *e)
{
    const struct value *p = e->pathway;

    e->remote = value_of(p, PATHWAY_REMOTE);
    e->iface = check_reference(c, value_of(p, PATHWAY_INTERFACE),
                               value_of(e->router, ROUTER_INTERFACES),
                               "an interface of this router");
    e->peer = check_reference(c, value_of(p, PATHWAY_PEER),
                              value_of(c->root, ROOT_ROUTERS), "a router");
    e->security =
        check_reference(c, value_of(p, PATHWAY_SECURITY),
                        value_of(c->root, ROOT_SECURITY), "a security policy");
    if (e->peer == e->router) {
        report_problem(c->report, value_of(p, PATHWAY_PEER)->at,
                       "found the router %s itself, expected another router",
                       quote(e->router->text).s);
        return false;
    }
    return e->iface && !e->iface->broken && e->peer && e->security;
}

static bool check_local(struct checker *c, struct pathway_end *e)
{
    const svr_addr *remote = &e->remote->prefix.addr;

    e->local = pathway_local(e->router, e->pathway);
    if (!e->local)
        report_problem(c->report, e->remote->at,
                       "found an %s address, but interface %s has none of that "
                       "family",
                       family_name(remote), quote(e->iface->text).s);
    else if (!interface_address(e->iface, &e->local->prefix.addr))
        report_problem(c->report, e->local->at,
                       "found %s, expected an address of interface %s",
                       addr_text(&e->local->prefix.addr).s,
                       quote(e->iface->text).s);
    else if (svr_addr_is_v4(&e->local->prefix.addr) != svr_addr_is_v4(remote))
        report_problem(c->report, e->local->at,
                       "found an %s address, expected one of the family of "
                       "\"remote\"",
                       family_name(&e->local->prefix.addr));
    else
        return true;
    return false;
}

static const char *address_word(const void *words, size_t i)
{
    return ((const struct short_text *)words)[i].s;
}

/* The problem: the peer has other addresses. Lists them. */
static void report_remote(struct checker *c, const struct pathway_end *e)
{
    const struct value *interfaces = value_of(e->peer, ROUTER_INTERFACES);
    struct short_text found[16];
    struct words words = {address_word, found, 0};
    char what[256];

    for (size_t i = 0; i < interfaces->count; i++) {
        const struct value *list =
            value_of(&interfaces->items[i], INTERFACE_ADDRESS);

        for (size_t j = 0; j < list->count && words.count < 16; j++)
            found[words.count++] = addr_text(&list->items[j].prefix.addr);
    }
    snprintf(what, sizeof(what), "an address of router %s",
             quote(e->peer->text).s);
    report_unknown(c->report, e->remote->at, "", e->remote->text, what, &words);
}

static bool check_remote(struct checker *c, const struct pathway_end *e)
{
    const struct value *interfaces = value_of(e->peer, ROUTER_INTERFACES);
    const svr_addr *remote = &e->remote->prefix.addr;

    if (interfaces->broken)
        return false;
    for (size_t i = 0; i < interfaces->count; i++) {
        if (interface_address(&interfaces->items[i], remote))
            return true;
    }
    report_remote(c, e);
    return false;
}

/* A TUN device has no next hops to choose from. */
static void check_next_hop(struct checker *c, const struct pathway_end *e)
{
    const svr_addr *remote = &e->remote->prefix.addr;

    if (value_of(e->iface, INTERFACE_KIND)->number != PORT_TUN &&
        !interface_reaches(e->iface, remote) &&
        !interface_of_family(e->iface, INTERFACE_GATEWAY,
                             svr_addr_is_v4(remote)))
        report_problem(c->report, e->remote->at,
                       "found %s, which is in no network of interface %s, "
                       "expected an %s gateway there",
                       addr_text(remote).s, quote(e->iface->text).s,
                       family_name(remote));
}

static bool is_reverse(const struct pathway_end *e, const struct value *pathway)
{
    const struct value *remote = value_of(pathway, PATHWAY_REMOTE);
    const struct value *local;

    if (!svr_addr_equal(&remote->prefix.addr, &e->local->prefix.addr) ||
        strcmp(value_of(pathway, PATHWAY_PEER)->text, e->router->text) != 0)
        return false;
    local = pathway_local(e->peer, pathway);
    return local &&
           svr_addr_equal(&local->prefix.addr, &e->remote->prefix.addr);
}

/* The peer's entry for the same pathway, or NULL. */
static const struct value *find_reverse(const struct pathway_end *e)
{
    const struct value *list = value_of(e->peer, ROUTER_PATHWAYS);

    for (size_t i = 0; i < list->count; i++) {
        if (is_reverse(e, &list->items[i]))
            return &list->items[i];
    }
    return NULL;
}

const struct value *pathway_reverse(const struct value *root,
                                    const struct value *router,
                                    const struct value *pathway)
{
    const char *peer = value_of(pathway, PATHWAY_PEER)->text;

    return find_reverse(&(struct pathway_end){
        .router = router,
        .pathway = pathway,
        .peer = value_find(value_of(root, ROOT_ROUTERS), peer),
        .local = pathway_local(router, pathway),
        .remote = value_of(pathway, PATHWAY_REMOTE),
    });
}

/* What has to be the same at both ends of a pathway. */
static void check_alike(struct checker *c, const struct value *own,
                        const struct value *other, const char *what)
{
    if (strcmp(own->text, other->text) != 0)
        report_problem(c->report, own->at,
                       "found %s %s, expected %s as at the other end (line %u)",
                       what, quote(own->text).s, quote(other->text).s,
                       other->at.line);
}

static const struct value *bfd_key(const struct value *pathway, unsigned key)
{
    return value_of(value_of(pathway, PATHWAY_BFD), key);
}

/* Who insists on a TTL of 255 gets it (RFC 5881 section 5). */
static void check_ttl(struct checker *c, const struct value *own,
                      const struct value *other)
{
    if ((own->number == 255) != (other->number == 255))
        check_alike(c, own, other, "BFD TTL");
}

static void check_ends(struct checker *c, const struct value *own,
                       const struct value *other)
{
    check_alike(c, value_of(own, PATHWAY_SECURITY),
                value_of(other, PATHWAY_SECURITY), "security policy");
    check_alike(c, value_of(own, PATHWAY_RECOVERY),
                value_of(other, PATHWAY_RECOVERY), "recovery");
    check_alike(c, bfd_key(own, BFD_PORT), bfd_key(other, BFD_PORT),
                "BFD port");
    check_alike(c, bfd_key(own, BFD_FORM), bfd_key(other, BFD_FORM),
                "BFD form");
    check_ttl(c, bfd_key(own, BFD_TTL), bfd_key(other, BFD_TTL));
}

/* Both ends exist and fit; what does not is told at the later one. */
static void check_reverse(struct checker *c, struct pathway_end *e)
{
    const struct value *reverse;

    if (!resolve(c, e) || value_of(e->peer, ROUTER_PATHWAYS)->broken)
        return;
    e->local = pathway_local(e->router, e->pathway);
    reverse = find_reverse(e);
    if (!reverse) {
        report_problem(c->report, e->pathway->at,
                       "found no pathway back, expected one at router %s with "
                       "peer: %s, remote: %s, local: %s",
                       quote(e->peer->text).s, quote(e->router->text).s,
                       addr_text(&e->local->prefix.addr).s,
                       addr_text(&e->remote->prefix.addr).s);
        return;
    }
    if (e->router > e->peer)
        check_ends(c, e->pathway, reverse);
}

/* Probes report to each other in the block. */
static void check_probe(struct checker *c, const struct value *pathway)
{
    const struct value *tcp = value_of(pathway, PATHWAY_TCP_AS_UDP);

    if (tcp->number == TCP_AS_UDP_PROBE &&
        bfd_key(pathway, BFD_FORM)->number == FORM_PLAIN)
        report_problem(c->report, tcp->at,
                       "found \"probe\" in a pathway with BFD form \"plain\", "
                       "expected form \"block\", never or always");
}

/* S8.2 */
static void check_inactivity(struct checker *c, const struct value *pathway)
{
    const struct value *time = value_of(pathway, PATHWAY_INACTIVITY);

    if (time->given &&
        value_of(pathway, PATHWAY_RECOVERY)->number != RECOVERY_INACTIVITY)
        report_problem(c->report, time->at,
                       "found \"inactivity\" in a pathway without "
                       "\"recovery: inactivity-based\"");
    else if (time->number % SVR_SECOND)
        report_problem(c->report, time->at, "found %s, expected whole seconds",
                       quote(time->text).s);
}

/* S10: a range is a part of all there are. */
static void check_ports(struct checker *c, const struct value *pathway)
{
    const struct value *ports = value_of(pathway, PATHWAY_PORTS);

    if (ports->given && (ports->ports.first < SVR_WAYPOINT_PORT_FIRST ||
                         ports->ports.last > SVR_WAYPOINT_PORT_LAST))
        report_problem(c->report, ports->at,
                       "found ports %s, expected some within %u-%u",
                       quote(ports->text).s, SVR_WAYPOINT_PORT_FIRST,
                       SVR_WAYPOINT_PORT_LAST);
}

/* What can be said of the pathway by itself. */
static void check_end(struct checker *c, struct pathway_end *e)
{
    check_ports(c, e->pathway);
    check_probe(c, e->pathway);
    check_inactivity(c, e->pathway);
    if (resolve(c, e) && check_local(c, e) && check_remote(c, e))
        check_next_hop(c, e);
}

/* No two pathways of a router join the same waypoints. */
static bool check_waypoints(struct checker *c, const struct value *router)
{
    const struct value *list = value_of(router, ROUTER_PATHWAYS);
    struct claim *claims = check_claims(c, list->count);
    svr_addr(*ends)[2] = arena_array(c->arena, list->count, sizeof(*ends));
    size_t n = 0;

    if (!claims || !ends)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        const struct value *pathway = &list->items[i];
        const struct value *local;

        if (pathway->broken)
            continue;
        local = pathway_local(router, pathway);
        if (!local)
            continue;
        ends[n][0] = local->prefix.addr;
        ends[n][1] = value_of(pathway, PATHWAY_REMOTE)->prefix.addr;
        claims[n] = (struct claim){ends[n], sizeof(ends[n]), pathway};
        n++;
    }
    check_distinct(c, claims, n, "the same pair of waypoints");
    return true;
}

/* Calls check for the pathways without a problem. */
static void for_each_end(struct checker *c,
                         void (*check)(struct checker *c,
                                       struct pathway_end *e))
{
    const struct value *routers = value_of(c->root, ROOT_ROUTERS);

    for (size_t i = 0; i < routers->count; i++) {
        const struct value *list =
            value_of(&routers->items[i], ROUTER_PATHWAYS);

        for (size_t j = 0; j < list->count && !report_full(c->report); j++) {
            struct pathway_end e = {.router = &routers->items[i],
                                    .pathway = &list->items[j]};

            if (!e.pathway->broken)
                check(c, &e);
        }
    }
}

bool check_pathways(struct checker *c)
{
    const struct value *routers = value_of(c->root, ROOT_ROUTERS);
    unsigned before = c->report->count;

    for_each_end(c, check_end);
    for (size_t i = 0; i < routers->count; i++) {
        if (!check_waypoints(c, &routers->items[i]))
            return false;
    }
    /* A wrong pathway would be missed at its other end. */
    if (c->report->count == before)
        for_each_end(c, check_reverse);
    return true;
}
