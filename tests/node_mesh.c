#include "node_mesh.h"

#include "node_audit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"r0", "r1", "r2", "r3", "r4", "r5"};
static const char *const tenants[] = {"corp"};

static void fill_random(void *user, void *buf, size_t len)
{
    uint64_t *x = user;
    uint8_t *b = buf;
    for (size_t i = 0; i < len; i++) {
        *x ^= *x << 13;
        *x ^= *x >> 7;
        *x ^= *x << 17;
        b[i] = (uint8_t)(*x >> 32);
    }
}

static void *count_alloc(void *user, size_t len)
{
    struct mesh *m = user;
    m->live_bytes += len;
    return malloc(len);
}

static void count_free(void *user, void *ptr, size_t len)
{
    struct mesh *m = user;
    m->live_bytes -= len;
    free(ptr);
}

static svr_addr numbered(const char *network, int byte, int value, int host)
{
    svr_addr a = addr(network);
    a.b[byte] = (uint8_t)value;
    a.b[15] = (uint8_t)host;
    return a;
}

svr_addr mesh_waypoint(const struct mesh *m, int router, int plane)
{
    return m->options.v6[plane]
               ? numbered("2001:db8:f::", 7, plane, router + 1)
               : numbered("203.0.113.0", 14, 113 + plane, router + 1);
}

/* Everything that a configuration points to. */
struct plan {
    svr_prefix lan[2], plane[MESH_PLANES];
    svr_interface_config interfaces[1 + MESH_PLANES];
    svr_peer_config peers[MESH_ROUTERS];
    uint8_t identities[MESH_ROUTERS][SVR_IDENTITY_SIZE];
    int peer_router[MESH_ROUTERS];
    svr_security_config securities[2]; /* the second has no cipher */
    svr_pathway_config pathways[MESH_LINKS];
    char pathway_names[MESH_LINKS][16];
    svr_route_config routes[MESH_LINKS + 1];
    svr_link_config links[2 * MESH_LINKS];
    char link_names[2 * MESH_LINKS][16];
    svr_instance_config instances[2];
    svr_prefix prefixes[2];
    svr_access access;
    svr_service_config service;
    svr_node_config config;
};

static const char *const planes[] = {"wan0", "wan1", "wan2"};

static void plan_service(struct plan *p, const struct mesh *m)
{
    int last = m->options.routers - 1;
    p->prefixes[0] = (svr_prefix){numbered("10.0.0.0", 13, last, 0), 24};
    p->prefixes[1] = (svr_prefix){numbered("fd00::", 3, last, 0), 64};
    p->access = (svr_access){.allow = true, .tenant = 0};
    p->service = (svr_service_config){
        .name = "apps",
        .prefixes = p->prefixes,
        .prefix_count = 2,
        .access = &p->access,
        .access_count = 1,
        .policy = m->options.policy,
    };
    p->service.policy.resiliency = m->options.resiliency;
    p->service.policy.encryption = m->options.encryption;
    if (!m->options.cipher && net_encrypts())
        p->service.policy.encryption = SVR_ENCRYPT_ALWAYS;
    p->config.policy = (svr_policy_config){.tenants = tenants,
                                           .tenant_count = 1,
                                           .services = &p->service,
                                           .service_count = 1,
                                           .vectors = planes,
                                           .vector_count = MESH_PLANES};
}

static void plan_interfaces(struct plan *p, const struct mesh *m, int self)
{
    p->lan[0] = (svr_prefix){numbered("10.0.0.0", 13, self, 1), 24};
    p->lan[1] = (svr_prefix){numbered("fd00::", 3, self, 1), 64};
    p->interfaces[MESH_LAN] = (svr_interface_config){
        .name = "lan0",
        .addresses = p->lan,
        .address_count = 2,
        .gateway_v4 = numbered("10.0.0.0", 13, self, 254),
        .mtu = NET_MTU,
        .tenant = 0};
    for (int i = 0; i < MESH_PLANES; i++) {
        p->plane[i] =
            (svr_prefix){mesh_waypoint(m, self, i), m->options.v6[i] ? 64 : 24};
        p->interfaces[1 + i] = (svr_interface_config){
            .name = planes[i],
            .addresses = &p->plane[i],
            .address_count = 1,
            .mtu = m->options.mtu[i] ? m->options.mtu[i] : NET_MTU,
            .tenant = SVR_TENANT_NONE,
        };
    }
    p->config.interfaces = p->interfaces;
    p->config.interface_count = 1 + MESH_PLANES;
}

static uint16_t peer_of(struct plan *p, int router)
{
    size_t i = 0;
    while (i < p->config.peer_count && p->peer_router[i] != router)
        i++;
    if (i == p->config.peer_count) {
        p->peers[i].name = names[router];
        net_public(p->identities[i], router);
        p->peers[i].identity = p->identities[i];
        p->peer_router[i] = router;
        p->config.peer_count++;
    }
    return (uint16_t)i;
}

static void add_pathway(struct plan *p, const struct mesh *m, int self,
                        int link, int other)
{
    int plane = m->options.links[link].plane;
    size_t i = p->config.pathway_count++;
    svr_pathway_config *pw = &p->pathways[i];
    svr_pathway_config_init(pw);
    snprintf(p->pathway_names[i], sizeof(p->pathway_names[i]), "p%d-r%d", plane,
             other);
    pw->name = p->pathway_names[i];
    pw->iface = (uint16_t)(1 + plane);
    pw->peer = peer_of(p, other);
    pw->local = mesh_waypoint(m, self, plane);
    pw->remote = mesh_waypoint(m, other, plane);
    pw->unwatched = !m->options.watched;
    pw->watch.desired_tx = pw->watch.required_rx = 100000;
    pw->tcp_as_udp = m->options.masked;
    pw->vector = (uint16_t)plane;
    pw->security = m->options.clear[plane];
    pw->link = (uint32_t)link;
    pw->cost = m->options.cost[plane];
    pw->capacity = m->options.capacity[plane];
}

/* By all pathways to the next router, in the order of the links. */
static void plan_routes(struct plan *p, const struct mesh *m, int self)
{
    int next = m->options.next[self] ? m->options.next[self] - 1 : self + 1;
    size_t count = 0;
    if ((self == m->options.routers - 1 && !m->options.next[self]) ||
        self + 1 == m->options.also)
        p->routes[count++] = (svr_route_config){.pathway = -1};
    for (size_t i = 0; i < p->config.pathway_count; i++)
        if (p->peer_router[p->pathways[i].peer] == next ||
            m->options.policy.best_path != SVR_BEST_ORDER)
            p->routes[count++] = (svr_route_config){.pathway = (int)i};
    p->config.routes = p->routes;
    p->config.route_count = count;
}

static void add_link(struct plan *p, const struct mesh *m, int self, int link,
                     int from, int to)
{
    int plane = m->options.links[link].plane;
    size_t i = p->config.link_count;

    if (from == self)
        return;
    snprintf(p->link_names[i], sizeof(p->link_names[i]), "p%d-r%d", plane, to);
    p->links[i] = (svr_link_config){.name = p->link_names[i],
                                    .from = (uint16_t)from,
                                    .to = (uint16_t)to,
                                    .vector = (uint16_t)plane,
                                    .cost = m->options.cost[plane],
                                    .capacity = m->options.capacity[plane],
                                    .link = (uint32_t)link};
    p->config.link_count++;
}

static void add_instance(struct plan *p, const struct mesh *m, int router)
{
    p->instances[p->config.instance_count++] = (svr_instance_config){
        .service = 0, .router = (uint16_t)router, .capacity = m->options.room};
}

/* What each router knows of the others, as from one file. */
static void plan_topology(struct plan *p, const struct mesh *m, int self)
{
    for (int i = 0; i < m->options.link_count; i++) {
        const struct mesh_link *l = &m->options.links[i];
        add_link(p, m, self, i, l->a, l->b);
        add_link(p, m, self, i, l->b, l->a);
    }
    p->config.links = p->links;
    p->config.instances = p->instances;
    add_instance(p, m, m->options.routers - 1);
    if (m->options.also)
        add_instance(p, m, m->options.also - 1);
}

static void plan_pathways(struct plan *p, const struct mesh *m, int self)
{
    const struct net_options same = {.per_packet = m->options.per_packet,
                                     .watched = m->options.watched,
                                     .exchanged = m->options.exchanged,
                                     .cipher = m->options.cipher};
    p->securities[0] = p->securities[1] = net_security(&same);
    p->securities[1].name = "clear";
    p->securities[1].cipher = NULL;
    p->config.securities = p->securities;
    p->config.security_count = 2;
    p->config.peers = p->peers;
    p->config.pathways = p->pathways;
    p->config.routers = names;
    p->config.router_count = (size_t)m->options.routers;
    for (int i = 0; i < m->options.link_count; i++) {
        const struct mesh_link *l = &m->options.links[i];
        if (l->a == self)
            add_pathway(p, m, self, i, l->b);
        else if (l->b == self)
            add_pathway(p, m, self, i, l->a);
    }
}

uint32_t mesh_edge(const struct mesh *m, int router, int from, int to,
                   int plane)
{
    const svr_topology *t = svr_chart_graph(svr_node_chart(m->node[router]));
    char name[16];
    uint32_t i = 0;

    snprintf(name, sizeof(name), "p%d-r%d", plane, to);
    while (t->edges[i].from != (uint32_t)from ||
           strcmp(t->edges[i].name, name) != 0)
        i++;
    return i;
}

static void set_unix_time(struct mesh *m, int router)
{
    uint64_t unix_ns = UINT64_C(1700000000000000000) + m->now +
                       (uint64_t)m->options.skew[router] * SVR_SECOND;

    svr_node_set_unix_time(m->node[router], unix_ns, m->now);
}

static void plan_node(struct plan *p, struct mesh *m, int self)
{
    memset(p, 0, sizeof(*p));
    svr_node_config_init(&p->config);
    p->config.name = names[self];
    p->config.boot = m->boot;
    memset(p->config.recovery_key, 'a' + self, sizeof(p->config.recovery_key));
    p->config.limits.sessions = m->options.sessions ? m->options.sessions : 64;
    p->config.limits.sealed = m->options.sealed;
    p->config.alloc = (svr_allocator){count_alloc, count_free, m};
    p->config.random = (svr_random){fill_random, &m->random};
    if (m->options.rekey)
        p->config.rekey = m->options.rekey;
    plan_service(p, m);
    plan_interfaces(p, m, self);
    plan_pathways(p, m, self);
    if (p->securities[0].exchanged)
        p->config.identity = &m->identity[self];
    plan_routes(p, m, self);
    if (m->options.topology || m->options.learning)
        plan_topology(p, m, self);
    p->config.learn = m->options.learning;
}

static void make_node(struct mesh *m, int self)
{
    struct plan p;
    const svr_random random = {fill_random, &m->random};
    cr_assert_eq(svr_crypto_init(), 0);
    net_identity(&m->identity[self], self, &random);
    plan_node(&p, m, self);
    cr_assert_eq(svr_node_create(&m->node[self], &p.config, m->now), 0);
    set_unix_time(m, self);
}

void mesh_open(struct mesh *m, const struct mesh_options *options)
{
    memset(m, 0, sizeof(*m));
    m->options = *options;
    m->random = 0x9e3779b97f4a7c15;
    m->now = 1000 * SVR_SECOND;
    m->boot = 1;
    for (int i = 0; i < MESH_PLANES; i++)
        m->delay[i] = 5 * SVR_MILLISECOND;
    for (int i = 0; i < options->routers; i++)
        make_node(m, i);
}

void mesh_clear(struct mesh *m)
{
    for (size_t i = 0; i < m->received; i++)
        frame_free(&m->inbox[i]);
    m->received = 0;
}

void mesh_close(struct mesh *m)
{
    mesh_clear(m);
    for (size_t i = 0; i < m->flights; i++)
        frame_free(&m->flight[i].frame);
    for (int i = 0; i < m->options.routers; i++)
        svr_node_destroy(m->node[i]);
    cr_assert_eq(m->live_bytes, 0, "all memory is given back");
}

void mesh_restart(struct mesh *m, int router)
{
    svr_node_destroy(m->node[router]);
    m->boot++;
    make_node(m, router);
}

void mesh_reload(struct mesh *m, int router)
{
    struct plan p;
    plan_node(&p, m, router);
    cr_assert_eq(svr_node_reconfigure(m->node[router], &p.config, m->now, NULL),
                 0);
}

static void check_node(const svr_node *n)
{
    const char *wrong = node_audit(n);
    cr_assert_null(wrong, "%s", wrong);
}

bool mesh_is_watch(const struct frame *f)
{
    svr_headers h = frame_headers(f);
    return h.tuple.dport < 16384;
}

void mesh_inject(struct mesh *m, int from, int to, int plane, struct frame f)
{
    cr_assert_lt(m->flights, MESH_QUEUE);
    f.p.verdict = SVR_VERDICT_NONE;
    f.p.originated = false;
    m->flight[m->flights++] = (struct flight){.due = m->now + m->delay[plane],
                                              .order = m->order++,
                                              .from = from,
                                              .to = to,
                                              .plane = plane,
                                              .frame = f};
}

static int owner_of(const struct mesh *m, const svr_addr *a, int plane)
{
    for (int i = 0; i < m->options.routers; i++) {
        svr_addr w = mesh_waypoint(m, i, plane);
        if (svr_addr_equal(a, &w))
            return i;
    }
    return -1;
}

/* Something leaves a router. */
static void leave(struct mesh *m, int from, const svr_packet *p)
{
    struct frame view = {.p = *p}, f = frame_copy(&view);
    if (p->iface == MESH_LAN) {
        cr_assert_lt(m->received, MESH_QUEUE);
        m->inbox_router[m->received] = from;
        m->inbox[m->received++] = f;
        return;
    }
    int plane = p->iface - 1;
    svr_headers h = frame_headers(&f);
    int to = owner_of(m, &h.tuple.dst, plane);
    cr_assert_geq(to, 0, "it goes to a router");
    m->sent[plane] += !mesh_is_watch(&f);
    if (!m->cut[plane] && (!m->filter || m->filter(m, from, to, plane, &f)))
        mesh_inject(m, from, to, plane, f);
    else
        frame_free(&f);
}

static void drain(struct mesh *m, int router)
{
    static uint8_t buf[NET_BUFFER];
    svr_packet p;
    int more;
    while ((more = svr_node_output(m->node[router], &p, buf, sizeof(buf),
                                   m->now)) == 1)
        leave(m, router, &p);
    cr_assert_eq(more, 0);
    if (!m->options.unaudited)
        check_node(m->node[router]);
}

static enum svr_drop input(struct mesh *m, int router, uint16_t iface,
                           struct frame *f)
{
    f->p.iface = iface;
    svr_node_input(m->node[router], &f->p, 1, m->now);
    if (f->p.verdict == SVR_VERDICT_FORWARD)
        leave(m, router, &f->p);
    drain(m, router);
    return f->p.verdict == SVR_VERDICT_DROP ? (enum svr_drop)f->p.drop
                                            : SVR_DROP_NONE;
}

enum svr_drop mesh_send(struct mesh *m, int router, struct frame f)
{
    enum svr_drop reason = input(m, router, MESH_LAN, &f);
    frame_free(&f);
    return reason;
}

/* The flight that arrives first; of two at one time the one sent first. */
static size_t first_flight(const struct mesh *m)
{
    size_t first = 0;
    for (size_t i = 1; i < m->flights; i++) {
        const struct flight *a = &m->flight[i], *b = &m->flight[first];
        if (a->due < b->due || (a->due == b->due && a->order < b->order))
            first = i;
    }
    return first;
}

static int first_timer(const struct mesh *m, svr_time *due)
{
    int first = 0;
    *due = SVR_NEVER;
    for (int i = 0; i < m->options.routers; i++) {
        svr_time t = svr_node_expiry(m->node[i]);
        if (t < *due) {
            *due = t;
            first = i;
        }
    }
    return first;
}

static void land(struct mesh *m, size_t i)
{
    struct flight f = m->flight[i];
    m->flight[i] = m->flight[--m->flights];
    m->now = f.due > m->now ? f.due : m->now;
    input(m, f.to, (uint16_t)(1 + f.plane), &f.frame);
    frame_free(&f.frame);
}

void mesh_run(struct mesh *m, svr_time duration)
{
    svr_time end = m->now + duration;
    for (;;) {
        svr_time timer;
        int router = first_timer(m, &timer);
        size_t i = first_flight(m);
        bool flies = m->flights && m->flight[i].due <= timer;
        svr_time due = flies ? m->flight[i].due : timer;
        if (due > end)
            break;
        if (flies) {
            land(m, i);
            continue;
        }
        m->now = due > m->now ? due : m->now;
        svr_node_handle_expiry(m->node[router], m->now);
        drain(m, router);
    }
    m->now = end;
}

const struct frame *mesh_got(const struct mesh *m, size_t i)
{
    cr_assert_lt(i, m->received, "only %zu packets came", m->received);
    return &m->inbox[i];
}

svr_session_info mesh_session(struct mesh *m, int router)
{
    svr_session_info info;
    size_t cursor = 0;
    cr_assert_eq(svr_node_session_count(m->node[router]), 1, "router %d",
                 router);
    cr_assert_eq(svr_node_session_next(m->node[router], &cursor, &info), 1);
    return info;
}
