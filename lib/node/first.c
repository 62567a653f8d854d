/* Packets without a flow: S5 for clients, the start of S6 on waypoints. */
#include "node/node.h"

bool svr__owns_address(const svr_node *n, const svr_addr *a)
{
    for (size_t i = 0; i < n->interface_count; i++) {
        const svr_interface_config *c = &n->interfaces[i].config;
        for (size_t k = 0; k < c->address_count; k++)
            if (svr_addr_equal(&c->addresses[k].addr, a))
                return true;
    }
    return false;
}

/* S5.3: the longest source prefix, else the interface's own tenant. */
int svr__tenant_of(const svr_interface_config *c, const svr_addr *source)
{
    int tenant = c->tenant;
    int longest = -1;
    for (size_t i = 0; i < c->source_count; i++) {
        const svr_access *a = &c->sources[i];
        if (a->source.len > longest &&
            svr_prefix_contains(&a->source, source)) {
            longest = a->source.len;
            tenant = a->tenant;
        }
    }
    return tenant;
}

static bool is_echo_request(const svr_headers *h)
{
    return h->icmp_echo && h->icmp_type == (h->tuple.proto == SVR_PROTO_ICMP
                                                ? SVR__ECHO_REQUEST
                                                : SVR__ECHO_V6_REQUEST);
}

/* Which packets may be the first of a session (S9, S13). */
static enum svr_drop opener_check(const svr_headers *h)
{
    switch (h->tuple.proto) {
    case SVR_PROTO_TCP:
        return (h->tcp_flags & (SVR_TCP_SYN | SVR_TCP_ACK | SVR_TCP_RST)) ==
                       SVR_TCP_SYN
                   ? SVR_DROP_NONE
                   : SVR_DROP_NOT_SYN;
    case SVR_PROTO_ICMP:
    case SVR_PROTO_ICMPV6:
        return is_echo_request(h) ? SVR_DROP_NONE : SVR_DROP_NOT_OPENER;
    default:
        return SVR_DROP_NONE;
    }
}

/* S9: what a host sends within a connection that goes on. */
static bool is_midstream(const svr_headers *h)
{
    return (h->tcp_flags & (SVR_TCP_SYN | SVR_TCP_ACK | SVR_TCP_RST)) ==
           SVR_TCP_ACK;
}

/* S5: a refusal is silent unless the service says otherwise. */
static void deny(svr__work *w, int service, int tenant)
{
    switch (svr_policy_denial(w->node->policy, service)) {
    case SVR_DENIAL_RESET:
        svr__reset(w);
        break;
    case SVR_DENIAL_PROHIBITED:
        svr__raise(w, NULL, SVR_ICMP_PROHIBITED, 0);
        break;
    case SVR_DENIAL_SILENT:
        break;
    }
    svr__drop(w,
              tenant == SVR_TENANT_NONE ? SVR_DROP_NO_TENANT : SVR_DROP_ACCESS);
}

/* RFC 9562 5.4: version 4, variant 10. */
svr_uuid svr__uuid_new(svr_node *n)
{
    svr_uuid u;
    n->random.fill(n->random.user, u.b, sizeof(u.b));
    u.b[6] = (uint8_t)((u.b[6] & 0x0f) | 0x40);
    u.b[8] = (uint8_t)((u.b[8] & 0x3f) | 0x80);
    return u;
}

/* S11.9: whether the session is encrypted. */
static void plan_seal(const svr__work *w, svr__session_plan *plan)
{
    const svr_node *n = w->node;
    uint16_t to = plan->side[SVR__SERVER].pathway;
    enum svr_encryption wanted =
        svr_policy_of_service(n->policy, plan->service)->encryption;

    if (to == SVR__NO_PATHWAY ||
        !n->securities[n->pathways[to].security].cipher)
        return;
    plan->told.sealed = wanted == SVR_ENCRYPT_ALWAYS;
    if (wanted == SVR_ENCRYPT_ADAPTIVE)
        svr__adapt_plan(w, plan);
}

static void open_for_client(svr__work *w, int tenant, int service)
{
    svr_node *n = w->node;
    svr__flow *flow;
    svr__session_plan plan = {
        .uuid = svr__uuid_new(n),
        .context = w->headers.tuple,
        .tenant = tenant,
        .service = service,
        .side[SVR__CLIENT] = {.pathway = SVR__NO_PATHWAY,
                              .iface = w->packet->iface,
                              .tuple = w->headers.tuple},
    };
    /* Who asks for too much takes no waypoint ports from others. */
    enum svr_drop reason = svr__admit(n, &plan, NULL, w->now);
    if (reason == SVR_DROP_NONE)
        reason = svr__plan_route(n, &plan, SVR__NO_PATHWAY, w->now);
    if (reason == SVR_DROP_NONE) {
        plan_seal(w, &plan);
        reason = svr__session_open(n, &plan, w->now, &flow);
    }
    if (reason != SVR_DROP_NONE)
        svr__drop(w, reason);
    else
        svr__relay(w, flow);
}

/* Whether the service's sessions leave by that interface. */
static bool leaves_by(const svr_node *n, int service, uint16_t iface)
{
    if (service < 0)
        return false;
    const svr__route_range *range = &n->service_routes[service];
    for (uint32_t i = 0; i < range->count; i++) {
        const svr__route *r = &n->routes[range->first + i];
        if (r->pathway == SVR__NO_PATHWAY && r->iface == iface)
            return true;
    }
    return false;
}

/* S8.4: whether a packet may be of a session that this router has forgotten,
 * and of which it will be told: TCP in midstream, or what could be an answer of
 * a server and is not plainly a beginning. */
static bool may_be_known(const svr__work *w)
{
    const svr_node *n = w->node;
    const svr_headers *h = &w->headers;
    svr_tuple back = svr_tuple_reverse(&h->tuple);

    if (!svr__resync_quiet(n, w->now))
        return false;
    if (opener_check(h) != SVR_DROP_NONE)
        return true;
    return h->tuple.proto != SVR_PROTO_TCP && !is_echo_request(h) &&
           leaves_by(n, svr_policy_service_match(n->policy, &back),
                     w->packet->iface);
}

/* S5: a packet from a client, or from a server that answers nothing. */
static void first_from_host(svr__work *w)
{
    svr_node *n = w->node;
    const svr_interface_config *c = &n->interfaces[w->packet->iface].config;

    if (may_be_known(w)) {
        svr__drop(w, SVR_DROP_RESYNC);
        return;
    }
    int tenant = svr__tenant_of(c, &w->headers.tuple.src);
    int service = svr_policy_service_match(n->policy, &w->headers.tuple);
    if (service < 0) {
        svr__drop(w, SVR_DROP_NO_SERVICE);
        return;
    }
    if (svr_policy_access(n->policy, service, tenant, &w->headers.tuple.src) <
        0) {
        deny(w, service, tenant);
        return;
    }
    enum svr_drop reason = opener_check(&w->headers);
    if (reason == SVR_DROP_NOT_SYN && is_midstream(&w->headers) &&
        svr_policy_tcp_midstream(n->policy, service))
        reason = SVR_DROP_NONE;
    if (reason != SVR_DROP_NONE) {
        if (reason == SVR_DROP_NOT_SYN)
            svr__reset(w);
        svr__drop(w, reason);
        return;
    }
    if (w->headers.ttl <= 1) { /* before any state is made */
        svr__raise(w, NULL, SVR_ICMP_TIME_EXCEEDED, 0);
        svr__drop(w, SVR_DROP_TTL);
        return;
    }
    if (svr__refused_lately(w)) { /* S6.10 */
        svr__refuse_host(w, service);
        svr__drop(w, SVR_DROP_REFUSED);
        return;
    }
    if (svr__touch(w))
        open_for_client(w, tenant, service);
}

/* S6.1, S8.2: something arrives on a waypoint. */
static void first_on_waypoint(svr__work *w)
{
    const svr_tuple *t = &w->headers.tuple;
    svr__pathway *pw = svr__pathway_find(w->node, &t->dst, &t->src);

    if (w->headers.icmp_error && svr__watch_too_big(w)) {
        svr__consume(w);
    } else if (!pw || pw->iface != w->packet->iface) {
        svr__drop(w, SVR_DROP_UNKNOWN_SOURCE);
    } else if (t->proto != SVR_PROTO_TCP && t->proto != SVR_PROTO_UDP) {
        svr__drop(w, SVR_DROP_NOT_FOR_US);
    } else if (svr__has_block(w)) {
        svr__waypoint_block(w, pw, NULL);
    } else {
        if (!pw->inactivity) /* S8.2: else the neighbour will ask */
            svr__send_enable(w, pw);
        svr__drop(w, SVR_DROP_NO_SESSION);
    }
}

void svr__first(svr__work *w)
{
    svr_node *n = w->node;
    bool own = svr__owns_address(n, &w->headers.tuple.dst);

    if (own && n->interfaces[w->packet->iface].has_waypoints)
        first_on_waypoint(w);
    else if (w->headers.icmp_error)
        svr__icmp_from_host(w);
    else if (own && is_echo_request(&w->headers))
        svr__answer_echo(w);
    else if (own)
        svr__drop(w, SVR_DROP_NOT_FOR_US);
    else
        first_from_host(w);
}
