#include "pair.h"

#include "../tests/node_audit.h"
#include "node/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    PATHWAYS = 2,
    SESSIONS = 12,
    STEPS = 10000, /* of the timers, for one call */
    LARGE = 1 << 20,
};

struct pair pair;

void pair_check(int holds)
{
    if (!holds)
        abort();
}

static void audit(unsigned router)
{
    const char *wrong = node_audit(pair.node[router]);

    if (wrong) {
        fprintf(stderr, "router %u: %s\n", router, wrong);
        abort();
    }
}

/* Large pools come from the system: MALLOC_PERTURB_, which meson sets, would
 * fill 38 MB for each router. */
static max_align_t *take_memory(size_t size)
{
    if (size < LARGE)
        return malloc(size);
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

static void give_memory(max_align_t *block, size_t size)
{
    if (size < LARGE)
        free(block);
    else
        munmap(block, size);
}

/* In front of each block its length, so that what is given back can be
 * compared. */
static void *allocate(void *user, size_t len)
{
    (void)user;
    if (++pair.calls == pair.fail_at)
        return NULL;
    max_align_t *block = take_memory(sizeof(max_align_t) + len);
    if (!block)
        return NULL;
    memcpy(block, &len, sizeof(len));
    pair.live += len;
    return block + 1;
}

static void release(void *user, void *ptr, size_t len)
{
    max_align_t *block = (max_align_t *)ptr - 1;
    size_t had;

    (void)user;
    memcpy(&had, block, sizeof(had));
    pair_check(had == len);
    pair.live -= len;
    give_memory(block, sizeof(max_align_t) + len);
}

static void fill(void *user, void *buf, size_t len)
{
    (void)user;
    for (size_t i = 0; i < len; i++) {
        pair.dice = pair.dice * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)buf)[i] = (uint8_t)(pair.dice >> 56);
    }
}

/* ---- what the routers are ---- */

svr_addr pair_waypoint(unsigned router, unsigned pathway)
{
    uint8_t four[4] = {203, 0, 113, (uint8_t)(1 + router + 2 * pathway)};
    uint8_t six[16] = {0x20, 1, 0xd, 0xb8, [15] = four[3]};

    return pair.options & PAIR_V6 ? svr_addr_from_v6(six)
                                  : svr_addr_from_v4(four);
}

static svr_addr lan(unsigned router, bool v6, uint8_t last)
{
    uint8_t four[4] = {10, (uint8_t)(1 + router), 0, last};
    uint8_t six[16] = {0xfd, [3] = (uint8_t)(1 + router), [15] = last};

    return v6 ? svr_addr_from_v6(six) : svr_addr_from_v4(four);
}

svr_addr pair_host(unsigned router, bool v6)
{
    return lan(router, v6, 10);
}

struct plan {
    svr_prefix lan[2], wan[PATHWAYS];
    svr_interface_config interfaces[2];
    svr_pathway_config pathways[PATHWAYS];
    svr_prefix prefixes[2][2];
    svr_access access[2];
    svr_service_config services[2];
    svr_route_config routes[4];
    svr_node_config config;
};

static const char *const names[] = {"branch", "dc"};
static const char *const tenants[] = {"branch-hosts", "dc-hosts"};

static void plan_interfaces(struct plan *p, unsigned self)
{
    for (unsigned i = 0; i < 2; i++)
        p->lan[i] = (svr_prefix){lan(self, i, 1), i ? 64 : 24};
    for (unsigned i = 0; i < PATHWAYS; i++)
        p->wan[i] = (svr_prefix){pair_waypoint(self, i),
                                 pair.options & PAIR_V6 ? 64 : 24};
    p->interfaces[LAN] = (svr_interface_config){.name = "lan",
                                                .addresses = p->lan,
                                                .address_count = 2,
                                                .mtu = 1500,
                                                .tenant = (int)self,
                                                .offload = true};
    p->interfaces[WAN] = (svr_interface_config){.name = "wan",
                                                .addresses = p->wan,
                                                .address_count = PATHWAYS,
                                                .mtu = 1400,
                                                .tenant = SVR_TENANT_NONE};
    p->config.interfaces = p->interfaces;
    p->config.interface_count = 2;
}

static enum svr_resiliency resiliency(void)
{
    if (pair.options & PAIR_COPIES)
        return SVR_RESILIENCY_DUPLICATE;
    return pair.options & PAIR_MOVES ? SVR_RESILIENCY_REVERTIBLE
                                     : SVR_RESILIENCY_NONE;
}

/* Each side's hosts are a service of the other's, and leave there. */
static void plan_services(struct plan *p, unsigned self)
{
    for (unsigned i = 0; i < 2; i++) {
        p->prefixes[i][0] = (svr_prefix){lan(i, false, 0), 24};
        p->prefixes[i][1] = (svr_prefix){lan(i, true, 0), 64};
        p->access[i] = (svr_access){.allow = true, .tenant = !i};
        p->services[i] = (svr_service_config){
            .name = i ? "to-dc" : "to-branch",
            .prefixes = p->prefixes[i],
            .prefix_count = 2,
            .access = &p->access[i],
            .access_count = 1,
            .denial = i ? SVR_DENIAL_RESET : SVR_DENIAL_PROHIBITED,
            .policy = {.resiliency = resiliency()},
        };
    }
    p->routes[0] = (svr_route_config){.service = (uint16_t)self, .pathway = -1};
    p->routes[1] = (svr_route_config){.service = (uint16_t)!self, .pathway = 0};
    p->routes[2] = (svr_route_config){.service = (uint16_t)!self, .pathway = 1};
    p->config.policy = (svr_policy_config){.tenants = tenants,
                                           .tenant_count = 2,
                                           .services = p->services,
                                           .service_count = 2};
    p->config.routes = p->routes;
    p->config.route_count = 3;
}

static void plan_pathways(struct plan *p, unsigned self)
{
    static const char *const pathway_names[] = {"one", "two"};
    static svr_peer_config peers[2];
    static svr_security_config security;

    peers[self].name = names[!self];
    security = (svr_security_config){
        .name = "s",
        .hmac = &svr_hmac_sha256_128,
        .mode =
            pair.options & PAIR_SIGNED ? SVR_HMAC_REGULAR : SVR_HMAC_DISABLED,
        .per_packet = true,
        .bind_tcp = true,
    };
    for (unsigned i = 0; i < PATHWAYS; i++) {
        svr_pathway_config *pw = &p->pathways[i];
        svr_pathway_config_init(pw);
        pw->name = pathway_names[i];
        pw->iface = WAN;
        pw->local = pair_waypoint(self, i);
        pw->remote = pair_waypoint(!self, i);
        pw->tcp_as_udp = pair.options & PAIR_MASKED;
        pw->unwatched = !(pair.options & PAIR_WATCHED);
        if (i == 0 && (pair.options & PAIR_PORTS))
            pw->local_ports = pw->remote_ports = (svr_port_range){20000, 20003};
    }
    p->config.peers = &peers[self];
    p->config.securities = &security;
    p->config.pathways = p->pathways;
    p->config.peer_count = p->config.security_count = 1;
    p->config.pathway_count = PATHWAYS;
}

static int make(unsigned self)
{
    struct plan p = {0};
    svr_node_config *c = &p.config;

    svr_node_config_init(c);
    c->name = names[self];
    c->boot = pair.boot[self];
    memset(c->recovery_key, (int)(1 + self), SVR_KEY_SIZE);
    c->limits.sessions = SESSIONS;
    if (pair.options & PAIR_LIMITS) {
        c->limits.peer_sessions = c->limits.tenant_sessions = 4;
        c->limits.peer_rate = c->limits.tenant_rate = 2;
    }
    plan_interfaces(&p, self);
    plan_services(&p, self);
    plan_pathways(&p, self);
    c->alloc = (svr_allocator){allocate, release, NULL};
    c->random = (svr_random){fill, NULL};
    return svr_node_create(&pair.node[self], c, pair.now);
}

/* ---- what happens ---- */

static void keep(struct kept_packet *k, unsigned from, const svr_packet *p)
{
    if (p->len > sizeof(k->bytes) || p->segment_size)
        return;
    *k = (struct kept_packet){.len = (uint16_t)p->len, .from = (uint8_t)from};
    memcpy(k->bytes, p->data, p->len);
}

/* What leaves must be a right packet; the device does what is left of it. */
static void leave(unsigned router, svr_packet *p)
{
    svr_packet view = *p;
    svr_headers h;
    int err = svr_packet_parse(&h, &view);

    pair_check(p->iface < 2);
    pair_check(err == 0 || err == SVR_ERR_FRAGMENT);
    pair_check(!svr_addr_is_none(&p->next_hop));
    keep(p->iface == LAN ? &pair.heard[router]
                         : &pair.kept[pair.count++ % PAIR_KEPT],
         router, p);
}

static void drain(unsigned router)
{
    static uint8_t buf[PAIR_BUFFER];
    svr_packet p;
    int more;

    for (int i = 0; (more = svr_node_output(pair.node[router], &p, buf,
                                            sizeof(buf), pair.now)) == 1;
         i++) {
        pair_check(i < STEPS);
        pair_check(p.verdict == SVR_VERDICT_FORWARD);
        leave(router, &p);
    }
    pair_check(more == 0);
    audit(router);
}

void pair_input(unsigned router, uint16_t iface, const uint8_t *bytes,
                size_t len)
{
    static uint8_t buf[PAIR_BUFFER];
    svr_packet p;

    if (svr_packet_init(&p, buf, sizeof(buf), len) != 0)
        return;
    memcpy(p.data, bytes, len);
    p.iface = iface;
    svr_node_input(pair.node[router], &p, 1, pair.now);
    pair_check(p.verdict != SVR_VERDICT_NONE);
    if (p.verdict == SVR_VERDICT_FORWARD)
        leave(router, &p);
    drain(router);
}

static void run_timers(unsigned router)
{
    svr_node *n = pair.node[router];

    for (int i = 0; svr_node_expiry(n) <= pair.now; i++) {
        pair_check(i < STEPS);
        svr_node_handle_expiry(n, pair.now);
        drain(router);
    }
}

void pair_wait(svr_time t)
{
    pair.now += t;
    run_timers(BRANCH);
    run_timers(DC);
}

void pair_restart(unsigned router, size_t fail_at)
{
    svr_node_destroy(pair.node[router]);
    pair.node[router] = NULL;
    pair.boot[router]++;
    if (fail_at) {
        size_t live = pair.live;
        pair.calls = 0;
        pair.fail_at = fail_at;
        int err = make(router);
        pair.fail_at = 0;
        if (err == 0)
            return; /* it needs fewer */
        pair_check(err == SVR_ERR_NO_MEMORY && pair.live == live);
    }
    pair_check(make(router) == 0);
}

void pair_open(unsigned options)
{
    pair = (struct pair){
        .options = options, .boot = {1, 1}, .now = SVR_SECOND, .dice = 1};
    pair_check(svr_crypto_init() == 0);
    pair_check(make(BRANCH) == 0 && make(DC) == 0);
}

void pair_close(void)
{
    for (unsigned i = 0; i < 2; i++)
        svr_node_destroy(pair.node[i]);
    pair_check(pair.live == 0);
}

void pair_sign(unsigned from, svr_packet *p)
{
    const svr_node *n = pair.node[from];
    const svr_mac *mac = &n->associations[0].keys[0].send_mac;
    size_t tag_len = mac->hmac->tag_len;
    svr_headers h;

    if (svr_packet_parse(&h, p) != 0 || p->len < h.payload + tag_len)
        return;
    size_t len = p->len - h.payload - tag_len;
    svr_tcp_bind bind = svr__tcp_bind(p, &h);
    svr__tag_write(n, &n->pathways[0], mac,
                   (svr_span){p->data + h.payload, len},
                   h.tuple.proto == SVR_PROTO_TCP ? &bind : NULL, pair.now,
                   p->data + h.payload + len);
    svr_packet_checksum_write(p, &h);
}
