#include "node_net.h"

#include "node_audit.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

svr_addr addr(const char *text)
{
    uint8_t b[16];
    if (inet_pton(AF_INET, text, b) == 1)
        return svr_addr_from_v4(b);
    cr_assert_eq(inet_pton(AF_INET6, text, b), 1, "%s", text);
    return svr_addr_from_v6(b);
}

static svr_prefix prefix(const char *text, uint8_t len)
{
    return (svr_prefix){addr(text), len};
}

/* xorshift: a run can be repeated */
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
    struct net *net = user;
    if (++net->allocations == net->fail_at)
        return NULL;
    net->live_bytes += len;
    return malloc(len);
}

static void count_free(void *user, void *ptr, size_t len)
{
    struct net *net = user;
    net->live_bytes -= len;
    free(ptr);
}

/* Routers, by the last byte of their waypoint. */
enum router { BRANCH = 1, DC = 2, HUB = 3 };

static const char *const router_names[] = {
    [BRANCH] = "branch", [DC] = "dc", [HUB] = "hub"};

static const char *const tenants[] = {"corp", "staff.corp", "guest", "servers"};

static void plan_services(struct net_plan *p, const struct net_options *o)
{
    p->server_prefixes[0] = prefix("10.2.0.0", 24);
    p->server_prefixes[1] = prefix("fd00:2::", 64);
    p->client_prefixes[0] = prefix("10.1.0.0", 24);
    p->client_prefixes[1] = prefix("fd00:1::", 64);
    p->access[0] = (svr_access){.allow = true, .tenant = NET_CORP};
    p->reverse_access[0] = (svr_access){.allow = true, .tenant = NET_SERVERS};
    p->services[0] = (svr_service_config){
        .name = "apps",
        .prefixes = p->server_prefixes,
        .prefix_count = 2,
        .access = p->access,
        .access_count = 1,
        .tcp_midstream = o->midstream,
        .denial = o->reset        ? SVR_DENIAL_RESET
                  : o->prohibited ? SVR_DENIAL_PROHIBITED
                                  : SVR_DENIAL_SILENT,
    };
    p->services[1] = (svr_service_config){
        .name = "clients",
        .prefixes = p->client_prefixes,
        .prefix_count = 2,
        .access = p->reverse_access,
        .access_count = 1,
    };
    for (int i = 0; i < 2; i++)
        p->services[i].policy.encryption =
            !o->cipher && net_encrypts() ? SVR_ENCRYPT_ALWAYS : o->encryption;
    p->config.policy = (svr_policy_config){
        .tenants = tenants,
        .tenant_count = 4,
        .services = p->services,
        .service_count = o->reverse ? 2 : 1,
    };
}

static void plan_interfaces(struct net_plan *p, const struct net_options *o,
                            enum router self)
{
    static const char *const lan[] = {
        [BRANCH] = "10.1.0.1", [DC] = "10.2.0.1", [HUB] = "10.9.0.1"};
    static const char *const lan6[] = {
        [BRANCH] = "fd00:1::1", [DC] = "fd00:2::1", [HUB] = "fd00:9::1"};
    p->lan[0] = prefix(lan[self], 24);
    p->lan[1] = prefix(lan6[self], 64);
    p->guest[0] = prefix("10.3.0.1", 24);
    p->wan[0] = prefix("203.0.113.0", 24);
    p->wan[1] = prefix("2001:db8:f::", 64);
    p->wan[0].addr.b[15] = p->wan[1].addr.b[15] = (uint8_t)self;
    p->wan[2] = p->wan[0];
    p->wan[2].addr.b[15] = (uint8_t)(NET_TWIN + self);
    p->interfaces[NET_LAN] = (svr_interface_config){
        .name = "lan0",
        .addresses = p->lan,
        .address_count = 2,
        .mtu = self == DC && o->server_mtu ? o->server_mtu : NET_MTU,
        .tenant = self == BRANCH ? NET_STAFF : NET_SERVERS,
        .offload = true};
    p->interfaces[NET_WAN] = (svr_interface_config){.name = "wan0",
                                                    .addresses = p->wan,
                                                    .address_count = 3,
                                                    .mtu = NET_MTU,
                                                    .tenant = SVR_TENANT_NONE,
                                                    .offload = !o->no_offload};
    p->interfaces[NET_GUEST] = (svr_interface_config){.name = "guest0",
                                                      .addresses = p->guest,
                                                      .address_count = 1,
                                                      .mtu = NET_MTU,
                                                      .tenant = NET_GUESTS,
                                                      .offload = true};
    p->config.interfaces = p->interfaces;
    p->config.interface_count = self == BRANCH ? 3 : 2;
}

static void plan_watch(svr_pathway_config *pw, const struct net_options *o,
                       enum router self)
{
    pw->unwatched = !o->watched;
    pw->inactivity = o->inactivity;
    if (o->hidden && self == DC)
        pw->remote = addr("203.0.113.77");
    pw->watch.tcp_probes = o->probes && self == BRANCH;
    if (!o->plain)
        return;
    pw->watch.plain = true;
    pw->watch.local.port = 49152;
    pw->watch.remote.port = 3784;
    pw->bfd_ttl = 255;
}

static void add_pathway(struct net_plan *p, const struct net_options *o,
                        enum router self, enum router peer)
{
    static const char *const names[] = {
        [BRANCH] = "wan0-branch", [DC] = "wan0-dc", [HUB] = "wan0-hub"};
    size_t i = p->config.pathway_count++;
    svr_pathway_config *pw = &p->pathways[i];
    svr_addr own = p->wan[o->v6_pathway].addr, other = own;
    other.b[15] = (uint8_t)peer;
    p->peers[i].name = router_names[peer];
    net_public(p->identities[i], (int)peer);
    p->peers[i].identity = p->identities[i];
    svr_pathway_config_init(pw);
    pw->name = names[peer];
    pw->iface = NET_WAN;
    pw->peer = (uint16_t)i;
    pw->local = own;
    pw->remote = other;
    pw->tcp_as_udp = o->masked >> self & 1;
    pw->local_ports = pw->remote_ports = o->ports;
    plan_watch(pw, o, self);
    p->config.peer_count = p->config.pathway_count;
}

static void add_twin(struct net_plan *p)
{
    svr_pathway_config *pw = &p->pathways[p->config.pathway_count++];
    *pw = p->pathways[0];
    pw->name = "twin";
    pw->local.b[15] = (uint8_t)(pw->local.b[15] + NET_TWIN);
    pw->remote.b[15] = (uint8_t)(pw->remote.b[15] + NET_TWIN);
    pw->local_ports = pw->remote_ports = (svr_port_range){0, 0};
}

static const svr_cipher *default_cipher(void)
{
    const char *name = getenv("SVR_TEST_CIPHER");
    return name ? svr_cipher_find(NULL, name) : NULL;
}

bool net_encrypts(void)
{
    return default_cipher() != NULL;
}

void net_identity(svr_identity *out, int router, const svr_random *random)
{
    uint8_t seed[SVR_IDENTITY_SEED_SIZE];

    memset(seed, 'A' + router, sizeof(seed));
    svr_identity_init(out, seed, random);
}

static void fill_zeros(void *user, void *buf, size_t len)
{
    (void)user;
    memset(buf, 0, len);
}

void net_public(uint8_t out[SVR_IDENTITY_SIZE], int router)
{
    const svr_random zeros = {fill_zeros, NULL};
    svr_identity id;

    net_identity(&id, router, &zeros);
    memcpy(out, id.public_key, SVR_IDENTITY_SIZE);
}

svr_security_config net_security(const struct net_options *o)
{
    svr_security_config c = {
        .name = "default",
        .hmac = &svr_hmac_sha256_128,
        .mode = o->disabled  ? SVR_HMAC_DISABLED
                : o->regular ? SVR_HMAC_REGULAR
                             : SVR_HMAC_TIME_BASED,
        .per_packet = o->per_packet,
        .bind_tcp = !o->unbound,
        .cipher = o->cipher ? o->cipher : default_cipher(),
        .exchanged = (o->exchanged || getenv("SVR_TEST_KEYS")) && o->watched &&
                     !o->plain,
    };

    memset(c.key, 0x42, SVR_KEY_SIZE);
    return c;
}

static void plan_pathways(struct net *net, struct net_plan *p,
                          const struct net_options *o, enum router self)
{
    p->security[0] = net_security(o);
    if (self == DC && o->other_key)
        memset(p->security[0].key, 0x43, SVR_KEY_SIZE);
    if (p->security[0].exchanged)
        p->config.identity = &net->identity[self];
    p->config.routers = router_names + BRANCH;
    p->config.router_count = HUB;
    p->config.peers = p->peers;
    p->config.securities = p->security;
    p->config.security_count = 1;
    p->config.pathways = p->pathways;
    if (self == HUB || !o->hub)
        add_pathway(p, o, self, self == BRANCH ? DC : BRANCH);
    if (self == HUB)
        add_pathway(p, o, self, DC);
    else if (o->hub)
        add_pathway(p, o, self, HUB);
    if (o->twin)
        add_twin(p);
}

/* Service 0 is at dc, service 1 at branch. */
static void plan_routes(struct net_plan *p, const struct net_options *o,
                        enum router self)
{
    int to_dc = self == DC ? -1 : self == HUB ? 1 : 0;
    int to_branch = self == BRANCH ? -1 : 0;
    p->routes[0] =
        (svr_route_config){.service = 0, .pathway = to_dc, .iface = NET_LAN};
    p->routes[1] = (svr_route_config){
        .service = 1, .pathway = to_branch, .iface = NET_LAN};
    p->config.routes = p->routes;
    p->config.route_count = o->reverse ? 2 : 1;
    if (o->twin && to_dc >= 0)
        p->routes[p->config.route_count++] =
            (svr_route_config){.service = 0, .pathway = 1};
}

static void plan_router(struct net *net, struct net_plan *p, enum router self)
{
    memset(p, 0, sizeof(*p));
    svr_node_config_init(&p->config);
    p->config.name = router_names[self];
    memset(p->config.recovery_key, 'a' + (int)self, SVR_KEY_SIZE);
    p->config.limits.sessions =
        net->options.sessions ? net->options.sessions : 64;
    p->config.limits.peer_sessions = net->options.peer_sessions;
    p->config.limits.tenant_sessions = net->options.tenant_sessions;
    p->config.limits.peer_rate = net->options.peer_rate;
    p->config.limits.tenant_rate = net->options.tenant_rate;
    if (net->options.forever)
        p->config.limits.udp = SVR_NEVER;
    p->config.alloc = (svr_allocator){count_alloc, count_free, net};
    p->config.random = (svr_random){fill_random, &net->random};
    p->config.notify = net->options.notify;
    if (net->options.rekey)
        p->config.rekey = net->options.rekey;
    plan_services(p, &net->options);
    plan_interfaces(p, &net->options, self);
    plan_pathways(net, p, &net->options, self);
    plan_routes(p, &net->options, self);
}

static svr_node *make_node(struct net *net, enum router self)
{
    struct net_plan p;
    svr_node *n = NULL;
    plan_router(net, &p, self);
    p.config.boot = net->boot;
    cr_assert_eq(svr_crypto_init(), 0);
    net_identity(&net->identity[self], (int)self, &p.config.random);
    net->last_error = svr_node_create(&n, &p.config, net->now);
    if (net->last_error == 0)
        svr_node_set_unix_time(n, UINT64_C(1700000000000000000) + net->now,
                               net->now);
    return n;
}

void net_open(struct net *net, const struct net_options *options)
{
    memset(net, 0, sizeof(*net));
    if (options)
        net->options = *options;
    net->fail_at = net->options.fail_at;
    net->random = 0x9e3779b97f4a7c15;
    net->now = 1000 * SVR_SECOND;
    net->boot = 1;
    net->branch = make_node(net, BRANCH);
    if (net->options.fail_at)
        return;
    cr_assert_not_null(net->branch);
    net->dc = make_node(net, DC);
    cr_assert_not_null(net->dc);
    if (net->options.hub)
        net->hub = make_node(net, HUB);
}

static void drop_output(struct net *net)
{
    for (size_t i = 0; i < net->out_count; i++)
        free(net->out[i].buf);
    net->out_count = 0;
}

void net_close(struct net *net)
{
    drop_output(net);
    svr_node_destroy(net->branch);
    svr_node_destroy(net->dc);
    svr_node_destroy(net->hub);
    cr_assert_eq(net->live_bytes, 0, "a node gives all its memory back");
}

static enum router router_of(const struct net *net, const svr_node *n)
{
    return n == net->branch ? BRANCH : n == net->dc ? DC : HUB;
}

void net_plan(struct net *net, const svr_node *n, struct net_plan *out)
{
    plan_router(net, out, router_of(net, n));
}

void net_restart(struct net *net, svr_node **node)
{
    enum router self = router_of(net, *node);
    svr_node_destroy(*node);
    net->boot++;
    *node = make_node(net, self);
    cr_assert_not_null(*node);
}

/* In a large table now and then only. */
static void check_node(struct net *net, const svr_node *n)
{
    enum { SMALL = 256, RARELY = 64 };
    if (net->options.sessions > SMALL && ++net->checks % RARELY)
        return;
    const char *wrong = node_audit(n);
    cr_assert_null(wrong, "%s", wrong);
}

struct frame frame_new(size_t len)
{
    size_t cap = len > 1500 ? NET_BUFFER : NET_SMALL;
    struct frame f = {.buf = calloc(1, cap)};
    cr_assert_not_null(f.buf);
    cr_assert_eq(svr_packet_init(&f.p, f.buf, cap, len), 0);
    return f;
}

struct frame frame_copy(const struct frame *f)
{
    struct frame copy = frame_new(f->p.len);
    uint8_t *data = copy.p.data;
    uint16_t headroom = copy.p.headroom, tailroom = copy.p.tailroom;
    memcpy(data, f->p.data, f->p.len);
    copy.p = f->p;
    copy.p.data = data;
    copy.p.headroom = headroom;
    copy.p.tailroom = tailroom;
    if (copy.p.checksum == SVR_CHECKSUM_VALID) /* a wire does not say so */
        copy.p.checksum = SVR_CHECKSUM_FULL;
    return copy;
}

void frame_free(struct frame *f)
{
    free(f->buf);
    f->buf = NULL;
}

static void keep_output(struct net *net, const svr_packet *p)
{
    struct frame view = {.p = *p};
    cr_assert_lt(net->out_count, NET_FRAMES);
    net->out[net->out_count++] = frame_copy(&view);
}

static void drain(struct net *net, svr_node *n)
{
    static uint8_t buf[NET_BUFFER];
    svr_packet p;
    int more;
    while ((more = svr_node_output(n, &p, buf, sizeof(buf), net->now)) == 1) {
        cr_assert_eq(p.verdict, SVR_VERDICT_FORWARD);
        keep_output(net, &p);
    }
    cr_assert_eq(more, 0);
    check_node(net, n);
}

void net_input_batch(struct net *net, svr_node *n, struct frame *frames,
                     size_t count, uint16_t iface)
{
    svr_packet pkts[SVR_BATCH_MAX];
    size_t forwarded = 0;
    drop_output(net);
    for (size_t i = 0; i < count; i++) {
        pkts[i] = frames[i].p;
        pkts[i].iface = iface;
    }
    size_t answer = svr_node_input(n, pkts, count, net->now);
    for (size_t i = 0; i < count; i++) {
        frames[i].p = pkts[i];
        cr_assert_neq(pkts[i].verdict, SVR_VERDICT_NONE);
        if (pkts[i].verdict != SVR_VERDICT_FORWARD)
            continue;
        keep_output(net, &pkts[i]);
        forwarded++;
    }
    cr_assert_eq(answer, forwarded);
    drain(net, n);
}

enum svr_drop net_input(struct net *net, svr_node *n, struct frame *f,
                        uint16_t iface)
{
    net_input_batch(net, n, f, 1, iface);
    return f->p.verdict == SVR_VERDICT_DROP ? (enum svr_drop)f->p.drop
                                            : SVR_DROP_NONE;
}

void net_flush(struct net *net, svr_node *n)
{
    drop_output(net);
    drain(net, n);
}

void net_run(struct net *net, svr_node *n, svr_time now)
{
    drop_output(net);
    while (svr_node_expiry(n) <= now) {
        if (svr_node_expiry(n) > net->now)
            net->now = svr_node_expiry(n);
        svr_node_handle_expiry(n, net->now);
        drain(net, n);
    }
    net->now = now;
}

struct frame net_take(struct net *net, size_t i)
{
    cr_assert_lt(i, net->out_count, "only %zu packets were sent",
                 net->out_count);
    struct frame f = frame_copy(&net->out[i]);
    f.p.next_hop = SVR_ADDR_NONE;
    f.p.verdict = SVR_VERDICT_NONE;
    f.p.originated = false;
    return f;
}

static void fill_payload(uint8_t *to, const void *payload, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = payload ? ((const uint8_t *)payload)[i] : (uint8_t)(i * 7 + 1);
}

struct frame frame_udp_tuple(const svr_tuple *t, const void *payload,
                             size_t len)
{
    struct frame f = frame_new(len);
    fill_payload(f.p.data, payload, len);
    cr_assert_eq(svr_udp_wrap(&f.p, t), 0);
    return f;
}

struct frame frame_udp(const char *src, uint16_t sport, const char *dst,
                       uint16_t dport, const void *payload, size_t len)
{
    svr_tuple t = {addr(src), addr(dst), sport, dport, SVR_PROTO_UDP};
    return frame_udp_tuple(&t, payload, len);
}

struct frame frame_tcp(const char *src, uint16_t sport, const char *dst,
                       uint16_t dport, uint8_t flags, uint32_t seq,
                       uint32_t ack, const void *payload, size_t len)
{
    svr_tuple t = {addr(src), addr(dst), sport, dport, SVR_PROTO_TCP};
    return frame_tcp_tuple(&t, flags, seq, ack, payload, len);
}

struct frame frame_tcp_tuple(const svr_tuple *t, uint8_t flags, uint32_t seq,
                             uint32_t ack, const void *payload, size_t len)
{
    struct frame f = frame_new(len);
    svr_headers h;
    fill_payload(f.p.data, payload, len);
    cr_assert_eq(svr_tcp_wrap(&f.p, t, seq, ack), 0);
    cr_assert_eq(svr_packet_parse(&h, &f.p), 0);
    f.p.data[h.l4 + 13] = flags;
    f.p.data[h.l4 + 14] = 0xff; /* window */
    svr_packet_checksum_write(&f.p, &h);
    return f;
}

struct frame frame_echo(const char *src, const char *dst, uint16_t id,
                        bool reply, size_t len)
{
    svr_addr from = addr(src), to = addr(dst);
    bool v4 = svr_addr_is_v4(&from);
    struct frame f = frame_new(8 + len);
    fill_payload(f.p.data + 8, NULL, len);
    f.p.data[0] = v4 ? (reply ? 0 : 8) : (reply ? 129 : 128);
    f.p.data[4] = (uint8_t)(id >> 8);
    f.p.data[5] = (uint8_t)id;
    f.p.data[7] = 1;
    cr_assert_eq(svr_icmp_wrap(&f.p, &from, &to), 0);
    return f;
}

svr_headers frame_headers(const struct frame *f)
{
    svr_packet p = f->p;
    svr_headers h;
    cr_assert_eq(svr_packet_parse(&h, &p), 0);
    cr_assert(svr_packet_checksum_ok(&p, &h), "the checksum is right");
    return h;
}

svr_span frame_payload(const struct frame *f)
{
    svr_headers h = frame_headers(f);
    return (svr_span){f->p.data + h.payload, f->p.len - h.payload};
}

bool frame_has_metadata(const struct frame *f)
{
    svr_span payload = frame_payload(f);
    return svr_cookie_present(payload.data, payload.len);
}

/* Opens the payload section of a copy of the block in buf, with the metadata
 * key of that router. Answers the length of its attributes. */
static ptrdiff_t open_as(const char *router, svr_span payload, svr_block *b,
                         uint8_t buf[SVR_METADATA_MAX])
{
    const svr_security_config security = net_security(&(struct net_options){0});
    uint8_t key[SVR_KEY_SIZE];
    svr_cipher_state state = {0};

    memcpy(buf, payload.data,
           payload.len < SVR_METADATA_MAX ? payload.len : SVR_METADATA_MAX);
    cr_assert_eq(svr_block_parse(b, buf, payload.len), 0);
    svr_metadata_key_derive(key, security.key, router, 1);
    cr_assert_eq(svr_cipher_init(&state, svr_metadata_cipher(security.cipher),
                                 SVR_CIPHER_OPEN, key),
                 0);
    ptrdiff_t len = svr_metadata_open(&state, buf, b);
    svr_cipher_wipe(&state);
    return len;
}

/* Encrypted metadata is for one of the routers. What md shows stays for two
 * more calls. */
static svr_metadata open_metadata(svr_span payload)
{
    static uint8_t kept[3][SVR_METADATA_MAX];
    static int turn;
    uint8_t *buf = kept[turn++ % 3];
    svr_metadata md;
    svr_block b;
    ptrdiff_t len = -1;

    for (enum router i = BRANCH; i <= HUB && len < 0; i++)
        len = open_as(router_names[i], payload, &b, buf);
    cr_assert_geq(len, 0, "no router can open it");
    svr_metadata_init(&md);
    cr_assert_eq(svr_metadata_decode_header(&md, &b), 0);
    cr_assert_eq(
        svr_metadata_decode_payload(&md, buf + b.header_len, (size_t)len), 0);
    return md;
}

svr_metadata frame_metadata(const struct frame *f)
{
    svr_metadata md;
    svr_block b;
    svr_span payload = frame_payload(f);

    cr_assert_eq(svr_block_parse(&b, payload.data, payload.len), 0);
    if (net_encrypts() && b.payload_len > 0)
        return open_metadata(payload);
    cr_assert_gt(svr_metadata_decode(&md, payload.data, payload.len), 0);
    return md;
}

void frame_expect_same(const struct frame *got, const struct frame *sent,
                       int hops)
{
    svr_headers a = frame_headers(got), b = frame_headers(sent);
    cr_assert(svr_tuple_equal(&a.tuple, &b.tuple), "the tuple is restored");
    cr_assert_eq(a.ttl, b.ttl - hops, "TTL %d of %d", a.ttl, b.ttl);
    cr_assert_eq(got->p.len - a.l4, sent->p.len - b.l4, "length %u of %u",
                 got->p.len, sent->p.len);
    cr_assert_eq(a.l4, b.l4);
    cr_assert_arr_eq(got->p.data + a.payload, sent->p.data + b.payload,
                     sent->p.len - b.payload);
    cr_assert_eq(a.tcp_seq, b.tcp_seq);
    cr_assert_eq(a.tcp_ack, b.tcp_ack);
    cr_assert_eq(a.tcp_flags, b.tcp_flags);
}

uint64_t net_dropped(const svr_node *n, enum svr_drop reason)
{
    svr_counters c;
    svr_node_counters(n, &c);
    return c.dropped[reason];
}

/* What forward_trip and reverse_trip have in common. */
static void travel(struct net *net, bool reverse, struct frame sent,
                   struct frame *wire)
{
    svr_node *way[] = {net->branch, net->hub, net->dc};
    struct frame f = frame_copy(&sent);
    int hops = 0;
    for (int i = 0; i < 3; i++) {
        svr_node *n = way[reverse ? 2 - i : i];
        if (!n)
            continue;
        bool first = hops++ == 0, last = i == 2;
        enum svr_drop reason = net_input(net, n, &f, first ? NET_LAN : NET_WAN);
        cr_assert_eq(reason, SVR_DROP_NONE, "hop %d: %s", hops,
                     svr_drop_name(reason));
        cr_assert_eq(net->out_count, 1);
        cr_assert_eq(net->out[0].p.iface, last ? NET_LAN : NET_WAN);
        frame_free(&f);
        f = net_take(net, 0);
        if (first)
            *wire = frame_copy(&f);
    }
    frame_expect_same(&f, &sent, hops);
    frame_free(&f);
    frame_free(&sent);
}

void forward_trip(struct net *net, struct frame sent, struct frame *wire)
{
    travel(net, false, sent, wire);
}

void reverse_trip(struct net *net, struct frame sent, struct frame *wire)
{
    travel(net, true, sent, wire);
}

bool trip(struct net *net, bool reverse, struct frame sent)
{
    struct frame wire;
    travel(net, reverse, sent, &wire);
    bool md = frame_has_metadata(&wire);
    frame_free(&wire);
    return md;
}

void open_tcp(struct net *net)
{
    trip(net, false,
         frame_tcp(CLIENT, 40, SERVER, 80, SVR_TCP_SYN, 9, 0, "", 0));
    trip(net, true,
         frame_tcp(SERVER, 80, CLIENT, 40, SVR_TCP_SYN | SVR_TCP_ACK, 1, 10, "",
                   0));
    trip(net, false,
         frame_tcp(CLIENT, 40, SERVER, 80, SVR_TCP_ACK, 10, 2, NULL, 100));
    trip(net, true,
         frame_tcp(SERVER, 80, CLIENT, 40, SVR_TCP_ACK, 2, 110, "", 0));
}

struct frame client_segment(uint32_t seq, const void *payload, size_t len)
{
    return frame_tcp(CLIENT, 40, SERVER, 80, SVR_TCP_ACK, seq, 2, payload, len);
}

struct frame wire_of(struct net *net, struct frame f)
{
    cr_assert_eq(net_input(net, net->branch, &f, NET_LAN), SVR_DROP_NONE);
    cr_assert_eq(net->out_count, 1);
    frame_free(&f);
    return net_take(net, 0);
}
