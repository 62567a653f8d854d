/*
 * sessions - a router with a million sessions: what it costs to find a flow, to
 * pass a plain packet, to open a session, to end one, and to take another
 * configuration.
 *
 *   sessions [--sessions N] [--encrypt CIPHER] [options of measure.h]
 *
 * Flows are found in batches, in random order, as svr_node_input finds them.
 * Beside it one at a time, and uthash and GLib's table with the same keys and
 * the same hash (SipHash-2-4), one at a time, since they know no batches.
 *
 * With --encrypt, sessions along the pathway are, and so is their metadata.
 * Each takes 6 kB, so --sessions is better small then; only opening them is
 * measured.
 *
 * A second router answers while the sessions are made, so that their packets
 * are plain ones afterwards. All memory is asked for in huge pages, as svrd
 * does for its tables.
 */
#define _POSIX_C_SOURCE 200809L

#include "../tests/heap.h"
#include "measure.h"

#include "node/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <svr/svr.h>

#if HAVE_PEERS
#include <glib.h>
#define HASH_FUNCTION(key, len, out) \
    ((out) = (unsigned)svr_hash(flow_hash_key, (key), (len)))
#include <uthash.h>
#endif

#define OPERATIONS 32768
#define SESSIONS 1000000
#define ROOM 512 /* a first packet with its metadata */
#define BUFFER (SVR_HEADROOM + ROOM + SVR_TAILROOM)
#define PEER_SESSIONS 4096
#define WIRE 32 /* bytes of a packet: IPv4, UDP, 4 more */

enum { BATCHED, SINGLE, UTHASH, GLIB };
enum { OPEN_FAR = 3 }; /* its row */

/* Ports of the servers; DNS sessions end after 5 seconds. */
enum { PORT_LASTING = 9000, PORT_SHORT = 53 };

enum { LAN, WAN, INTERFACES };

static uint8_t flow_hash_key[SVR_HASH_KEY_SIZE];

static struct {
    size_t sessions, used; /* bytes, of the node */
    const svr_cipher *cipher;
    svr_node *node, *peer;
    svr_time now, peer_now;
    uint64_t random;
    uint8_t buf[SVR_BATCH_MAX][BUFFER];
    svr_packet batch[SVR_BATCH_MAX];
    svr__flow_key *keys;   /* of all flows, in random order */
    uint8_t (*wire)[WIRE]; /* a packet for each of them */
    uint32_t next;         /* key that the next round begins with */
    uint32_t opened;       /* sessions that were opened in rounds */
#if HAVE_PEERS
    struct entry {
        svr__flow_key key;
        UT_hash_handle hh;
    } * entries, *head;
    GHashTable *table;
#endif
} in;

static void fail(const char *what)
{
    fprintf(stderr, "sessions: %s\n", what);
    exit(1);
}

static uint64_t next_random(void)
{
    uint64_t z = in.random += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static void fill_random(void *user, void *buf, size_t len)
{
    (void)user;
    for (size_t at = 0; at < len; at += 8) {
        uint64_t r = next_random();
        memcpy((uint8_t *)buf + at, &r, len - at < 8 ? len - at : 8);
    }
}

/* ---- two routers ---- */

static void *count_alloc(void *user, size_t len)
{
    *(size_t *)user += len;
    return malloc(len);
}

static void count_free(void *user, void *ptr, size_t len)
{
    *(size_t *)user -= len;
    free(ptr);
}

static svr_addr v4(unsigned a, unsigned b, unsigned c, unsigned d)
{
    uint8_t bytes[4] = {(uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d};

    return svr_addr_from_v4(bytes);
}

static svr_addr waypoint(bool peer)
{
    return v4(203, 0, 113, 1 + peer);
}

/* A configuration and what it points to. */
struct plan {
    svr_prefix lan, wan, far, near;
    svr_interface_config interfaces[INTERFACES];
    svr_access access;
    svr_service_config services[2];
    svr_route_config routes[2];
    svr_peer_config other;
    svr_security_config security;
    svr_pathway_config pathway;
    svr_node_config config;
};

/* backwards: the interfaces stand in the other order. */
static void fill_interfaces(struct plan *p, bool peer, bool backwards)
{
    p->lan = (svr_prefix){v4(peer ? 172 : 10, 254, 0, 1), 8};
    p->wan = (svr_prefix){waypoint(peer), 24};
    p->interfaces[LAN ^ backwards] = (svr_interface_config){
        .name = "lan", .addresses = &p->lan, .address_count = 1, .mtu = 1500};
    p->interfaces[WAN ^ backwards] =
        (svr_interface_config){.name = "wan",
                               .addresses = &p->wan,
                               .address_count = 1,
                               .mtu = 1500,
                               .tenant = SVR_TENANT_NONE};
}

/* The service "far" leaves by the peer, "near" by an own interface. */
static void fill_services(struct plan *p, bool peer, bool backwards)
{
    p->far = (svr_prefix){v4(172, 0, 0, 0), 8};
    p->near = (svr_prefix){v4(10, 255, 0, 0), 16};
    p->access = (svr_access){.allow = true, .tenant = 0};
    p->services[0] = (svr_service_config){.name = "far",
                                          .prefixes = &p->far,
                                          .prefix_count = 1,
                                          .access = &p->access,
                                          .access_count = 1};
    if (in.cipher)
        p->services[0].policy.encryption = SVR_ENCRYPT_ALWAYS;
    p->services[1] = p->services[0];
    p->services[1].name = "near";
    p->services[1].prefixes = &p->near;
    p->routes[0] = (svr_route_config){
        .service = 0, .pathway = peer ? -1 : 0, .iface = LAN ^ backwards};
    p->routes[1] = (svr_route_config){
        .service = 1, .pathway = -1, .iface = LAN ^ backwards};
}

static void fill_plan(struct plan *p, bool peer, bool backwards,
                      size_t sessions, svr_allocator alloc)
{
    static const char *const names[] = {"branch", "dc"}, *tenants[] = {"staff"};
    svr_node_config *c = &p->config;

    fill_interfaces(p, peer, backwards);
    fill_services(p, peer, backwards);
    p->other = (svr_peer_config){names[!peer]};
    p->security = (svr_security_config){.name = "default",
                                        .hmac = &svr_hmac_sha256_128,
                                        .mode = SVR_HMAC_REGULAR,
                                        .cipher = in.cipher};
    svr_pathway_config_init(&p->pathway);
    p->pathway.name = "wan";
    p->pathway.iface = WAN ^ backwards;
    p->pathway.local = waypoint(peer);
    p->pathway.remote = waypoint(!peer);
    p->pathway.unwatched = true;
    svr_node_config_init(c);
    c->name = names[peer];
    c->boot = 1;
    c->limits.sessions = sessions;
    c->limits.udp = 1000000 * SVR_SECOND;
    c->policy = (svr_policy_config){.tenants = tenants,
                                    .tenant_count = 1,
                                    .services = p->services,
                                    .service_count = 2};
    c->interfaces = p->interfaces;
    c->interface_count = INTERFACES;
    c->peers = &p->other;
    c->securities = &p->security;
    c->pathways = &p->pathway;
    c->peer_count = c->security_count = c->pathway_count = 1;
    c->routes = p->routes;
    c->route_count = 2;
    c->alloc = alloc;
    c->random = (svr_random){fill_random, NULL};
}

static svr_node *make_node(bool peer, size_t sessions, svr_allocator alloc)
{
    struct plan p;
    svr_node *n;

    fill_plan(&p, peer, false, sessions, alloc);
    if (svr_node_create(&n, &p.config, SVR_SECOND) != 0)
        fail("a router cannot be made");
    return n;
}

/* ---- packets ---- */

static void put16(uint8_t *at, unsigned x)
{
    at[0] = (uint8_t)(x >> 8);
    at[1] = (uint8_t)x;
}

/* IPv4 and UDP without a checksum of its own, and 4 bytes. */
static void write_packet(uint8_t out[WIRE], const svr_addr *src,
                         const svr_addr *dst, uint16_t sport, uint16_t dport)
{
    static const uint8_t head[12] = {0x45, 0, 0, WIRE, 0, 0, 0, 0, 64, 17};
    uint32_t sum = 0;

    memset(out, 0, WIRE);
    memcpy(out, head, sizeof(head));
    memcpy(out + 12, src->b + 12, 4);
    memcpy(out + 16, dst->b + 12, 4);
    for (size_t i = 0; i < 20; i += 2)
        sum += (uint32_t)(out[i] << 8 | out[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    put16(out + 10, ~(sum + (sum >> 16)));
    put16(out + 20, sport);
    put16(out + 22, dport);
    put16(out + 24, WIRE - 20);
}

static void load(size_t i, const uint8_t wire[WIRE], uint16_t iface)
{
    svr_packet *p = &in.batch[i];

    if (svr_packet_init(p, in.buf[i], BUFFER, WIRE) != 0)
        fail("a packet cannot be built");
    memcpy(p->data, wire, WIRE);
    p->iface = iface;
}

static void send_batch(svr_node *n, size_t count, svr_time now)
{
    if (svr_node_input(n, in.batch, count, now) == count)
        return;
    for (size_t i = 0; i < count; i++)
        if (in.batch[i].verdict != SVR_VERDICT_FORWARD)
            fail(svr_drop_name((enum svr_drop)in.batch[i].drop));
}

/* ---- a million sessions ---- */

static svr_tuple tuple_of(uint32_t i, uint16_t dport)
{
    return (svr_tuple){.src = v4(10, i >> 20 & 0x7f, i >> 12, i >> 4),
                       .dst = v4(172, 16, i >> 8, i),
                       .sport = (uint16_t)(1024 + (i & 15)),
                       .dport = dport,
                       .proto = SVR_PROTO_UDP};
}

static void load_tuple(size_t i, const svr_tuple *t, uint16_t iface)
{
    uint8_t wire[WIRE];

    write_packet(wire, &t->src, &t->dst, t->sport, t->dport);
    load(i, wire, iface);
}

/* Packets that have just left one router arrive at the other. */
static void cross(svr_node *to, size_t count, svr_time now)
{
    for (size_t i = 0; i < count; i++)
        in.batch[i].iface = WAN;
    send_batch(to, count, now);
}

static void keep(uint32_t flow, const svr_tuple *t, uint16_t iface)
{
    in.keys[flow] = svr__flow_key_of(t, iface);
}

/* Sessions `first` and further: a packet there, one back, one there. */
static void open_sessions(uint32_t first, size_t count)
{
    svr_headers h;

    for (size_t i = 0; i < count; i++) {
        svr_tuple t = tuple_of(first + (uint32_t)i, PORT_LASTING);
        load_tuple(i, &t, LAN);
        keep(2 * (first + (uint32_t)i), &t, LAN);
    }
    send_batch(in.node, count, in.now);
    for (size_t i = 0; i < count; i++) {
        if (svr_packet_parse(&h, &in.batch[i]) != 0)
            fail("a packet cannot be parsed");
        svr_tuple back = svr_tuple_reverse(&h.tuple);
        keep(2 * (first + (uint32_t)i) + 1, &back, WAN);
    }
    cross(in.peer, count, in.peer_now);
    for (size_t i = 0; i < count; i++) {
        svr_tuple t = tuple_of(first + (uint32_t)i, PORT_LASTING);
        svr_tuple back = svr_tuple_reverse(&t);
        load_tuple(i, &back, LAN);
    }
    send_batch(in.peer, count, in.peer_now);
    cross(in.node, count, in.now);
    for (size_t i = 0; i < count; i++) {
        svr_tuple t = tuple_of(first + (uint32_t)i, PORT_LASTING);
        load_tuple(i, &t, LAN);
    }
    send_batch(in.node, count, in.now);
}

/* The peer forgets, so that it needs few places. */
static void end_at_peer(void)
{
    in.peer_now += 2000000 * SVR_SECOND;
    while (svr_node_session_count(in.peer) > 0)
        svr_node_handle_expiry(in.peer, in.peer_now);
}

static void shuffle(void)
{
    for (size_t i = 2 * in.sessions; i-- > 1;) {
        size_t k = next_random() % (i + 1);
        svr__flow_key key = in.keys[i];
        in.keys[i] = in.keys[k];
        in.keys[k] = key;
    }
}

#if HAVE_PEERS
static guint hash_of(gconstpointer key)
{
    return (guint)svr_hash(flow_hash_key, key, sizeof(svr__flow_key));
}

static gboolean same_key(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(svr__flow_key)) == 0;
}
#endif

/* The same keys in the other tables, in the order in which they came. */
static void prepare_others(void)
{
#if HAVE_PEERS
    size_t count = 2 * in.sessions;

    in.entries = bench_need(count, sizeof(*in.entries));
    in.table = g_hash_table_new(hash_of, same_key);
    for (size_t i = 0; i < count; i++) {
        struct entry *e = &in.entries[i];

        e->key = in.keys[i];
        HASH_ADD(hh, in.head, key, sizeof(e->key), e);
        g_hash_table_insert(in.table, &e->key, e);
    }
#endif
}

static void prepare(void)
{
    size_t flows = 2 * in.sessions;

    in.random = 1;
    in.now = in.peer_now = SVR_SECOND;
    /* A tenth stays free, and more for what is opened in rounds. */
    in.node =
        make_node(false, in.sessions + in.sessions / 8 + (size_t)2 * OPERATIONS,
                  (svr_allocator){count_alloc, count_free, &in.used});
    in.peer = make_node(true, PEER_SESSIONS, HEAP);
    in.keys = bench_need(flows, sizeof(*in.keys));
    in.wire = bench_need(flows, sizeof(*in.wire));
    for (uint32_t i = 0; i < in.sessions; i += SVR_BATCH_MAX) {
        size_t left = in.sessions - i;
        open_sessions(i, left < SVR_BATCH_MAX ? left : SVR_BATCH_MAX);
        if (svr_node_session_count(in.peer) > PEER_SESSIONS / 2)
            end_at_peer();
    }
    if (svr_node_session_count(in.node) != in.sessions)
        fail("the sessions are not there");
    memcpy(flow_hash_key, in.node->table.hash_key, sizeof(flow_hash_key));
    prepare_others();
    shuffle();
    for (size_t i = 0; i < flows; i++)
        write_packet(in.wire[i], &in.keys[i].src, &in.keys[i].dst,
                     in.keys[i].sport, in.keys[i].dport);
}

/* ---- finding flows ---- */

/* The next keys, other ones in each round. */
static uint32_t take_keys(void)
{
    uint32_t first = in.next;

    in.next += OPERATIONS;
    if (in.next + OPERATIONS > 2 * in.sessions)
        in.next = 0;
    return first;
}

static void found(const void *flow)
{
    if (!flow)
        fail("a flow is not found");
    bench_use(flow);
}

/* The passes of svr_node_input. */
static void find_batched(void *user)
{
    const svr__table *t = &in.node->table;
    const svr__flow_key *key = &in.keys[take_keys()];
    uint64_t hash[SVR_BATCH_MAX];

    (void)user;
    for (size_t at = 0; at < OPERATIONS; at += SVR_BATCH_MAX) {
        for (size_t i = 0; i < SVR_BATCH_MAX; i++) {
            hash[i] = svr__flow_hash(t, &key[at + i]);
            svr__map_prefetch(&t->by_key, hash[i]);
        }
        for (size_t i = 0; i < SVR_BATCH_MAX; i++)
            svr__flow_prefetch(t, hash[i]);
        for (size_t i = 0; i < SVR_BATCH_MAX; i++)
            found(svr__flow_find(t, &key[at + i], hash[i]));
    }
}

static void find_single(void *user)
{
    const svr__table *t = &in.node->table;
    const svr__flow_key *key = &in.keys[take_keys()];

    (void)user;
    for (size_t i = 0; i < OPERATIONS; i++)
        found(svr__flow_find(t, &key[i], svr__flow_hash(t, &key[i])));
}

#if HAVE_PEERS
static void find_uthash(void *user)
{
    const svr__flow_key *key = &in.keys[take_keys()];

    (void)user;
    for (size_t i = 0; i < OPERATIONS; i++) {
        struct entry *e;

        HASH_FIND(hh, in.head, &key[i], sizeof(key[i]), e);
        found(e);
    }
}

static void find_glib(void *user)
{
    const svr__flow_key *key = &in.keys[take_keys()];

    (void)user;
    for (size_t i = 0; i < OPERATIONS; i++)
        found(g_hash_table_lookup(in.table, &key[i]));
}
#else
#define find_uthash NULL
#define find_glib NULL
#endif

/* ---- packets ---- */

static void pass_plain(void *user)
{
    uint32_t first = take_keys();

    (void)user;
    for (uint32_t at = first; at < first + OPERATIONS; at += SVR_BATCH_MAX) {
        for (uint32_t i = 0; i < SVR_BATCH_MAX; i++)
            load(i, in.wire[at + i], in.keys[at + i].iface);
        send_batch(in.node, SVR_BATCH_MAX, in.now);
    }
}

/* The same packets, put where the node would find them. */
static void load_only(void *user)
{
    uint32_t first = take_keys();

    (void)user;
    for (uint32_t at = first; at < first + OPERATIONS; at += SVR_BATCH_MAX) {
        for (uint32_t i = 0; i < SVR_BATCH_MAX; i++)
            load(i, in.wire[at + i], in.keys[at + i].iface);
        bench_use(in.batch);
    }
}

static void open_short(const svr_addr *dst)
{
    for (uint32_t at = 0; at < OPERATIONS; at += SVR_BATCH_MAX) {
        for (uint32_t i = 0; i < SVR_BATCH_MAX; i++) {
            svr_tuple t = tuple_of(in.opened++, PORT_SHORT);
            if (dst)
                t.dst = *dst;
            load_tuple(i, &t, LAN);
        }
        send_batch(in.node, SVR_BATCH_MAX, in.now);
    }
}

/* Along a pathway, with metadata, which is signed. */
static void open_far(void *user)
{
    (void)user;
    open_short(NULL);
}

/* By an own interface: no metadata, nothing signed. */
static void open_near(void *user)
{
    const svr_addr dst = v4(10, 255, 0, 1);

    (void)user;
    open_short(&dst);
}

/* What was opened lately has been idle for its 5 seconds. */
static void end_short(void *user)
{
    (void)user;
    in.now += 6 * SVR_SECOND;
    while (svr_node_expiry(in.node) <= in.now)
        svr_node_handle_expiry(in.node, in.now);
    if (svr_node_session_count(in.node) != in.sessions)
        fail("other sessions have ended than those that should");
}

/* ---- facts ---- */

/* Another configuration, in which every session stays. backwards: and all flows
 * are entered anew. */
static void reconfigure(struct bench *b, const char *name, bool backwards)
{
    const svr_allocator alloc = {count_alloc, count_free, &in.used};
    struct plan p;
    svr_reconfiguration out;

    fill_plan(&p, false, backwards, in.node->table.cap, alloc);
    double begin = bench_now();
    if (svr_node_reconfigure(in.node, &p.config, in.now, &out) != 0 ||
        out.sessions_kept != in.sessions)
        fail("another configuration ends sessions");
    bench_fact(b, name, (bench_now() - begin) / 1e6, "ms");
}

/* All sessions have been idle for their time at once. */
static void end_all(struct bench *b)
{
    double worst = 0, begin = bench_now();

    in.now += 2000000 * SVR_SECOND;
    while (svr_node_expiry(in.node) <= in.now) {
        double start = bench_now();
        svr_node_handle_expiry(in.node, in.now);
        double took = bench_now() - start;
        worst = took > worst ? took : worst;
    }
    double total = bench_now() - begin;
    if (svr_node_session_count(in.node) != 0)
        fail("a session has not ended");
    bench_fact(b, "all end at once, the whole", total / 1e6, "ms");
    bench_fact(b, "all end at once, worst call", worst / 1e3, "us");
}

static void finish(struct bench *b)
{
    reconfigure(b, "the same configuration", false);
    reconfigure(b, "one with other interfaces", true);
    end_all(b);
}

static void add_sizes(struct bench *b)
{
    bench_fact(b, "sessions", (double)in.sessions, "");
    bench_fact(b, "a session and two flows",
               sizeof(svr__session) + 2 * sizeof(svr__flow), "bytes");
    bench_fact(b, "all memory, each place",
               (double)in.used / in.node->table.cap, "bytes");
}

/* ---- options ---- */

/* Takes "NAME VALUE" out of the front of the arguments. NULL: it is not there.
 */
static const char *take_option(const char *name, int *argc, char **argv)
{
    if (*argc < 3 || strcmp(argv[1], name) != 0)
        return NULL;
    const char *value = argv[2];
    for (int i = 3; i < *argc; i++)
        argv[i - 2] = argv[i];
    *argc -= 2;
    return value;
}

/* --sessions N, then --encrypt CIPHER: of sessions along the pathway. */
static void read_options(int *argc, char **argv)
{
    const char *sessions = take_option("--sessions", argc, argv);
    const char *cipher = take_option("--encrypt", argc, argv);

    in.sessions = sessions ? strtoul(sessions, NULL, 10) : SESSIONS;
    if (in.sessions < OPERATIONS || in.sessions > (size_t)8 * SESSIONS)
        fail("--sessions is from 32768 to 8000000");
    if (cipher && !(in.cipher = svr_cipher_find(NULL, cipher)))
        fail("--encrypt wants the name of a cipher that this processor has");
}

/* The C library then gives huge pages to all tables alike. */
static void want_huge_pages(char **argv)
{
    if (getenv("GLIBC_TUNABLES"))
        return;
    if (setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", 1) == 0)
        execv("/proc/self/exe", argv);
    fail("it cannot start itself");
}

int main(int argc, char **argv)
{
    struct bench_row rows[] = {
        {.name = "find a flow",
         .run = {find_batched, find_single, find_uthash, find_glib}},
        {.name = "pass a plain packet", .run = {pass_plain}},
        {.name = "(loading it for that)", .run = {load_only}},
        {.name = "open a session, far", .run = {open_far}},
        {.name = "end it", .run = {end_short}},
        {.name = "open a session, near", .run = {open_near}},
        {.name = "end it ", .run = {end_short}},
    };
    struct bench b = {
        .name = "sessions",
        .operations = OPERATIONS,
        .ways = {"batches", "one by one", "uthash", "GLib"},
        .ratios = {{UTHASH, BATCHED}, {GLIB, BATCHED}, {UTHASH, SINGLE}},
        .ratio_count = 3,
        .rows = rows,
        .row_count = sizeof(rows) / sizeof(rows[0]),
        .finish = finish,
    };

    want_huge_pages(argv);
    if (svr_crypto_init() != 0)
        fail("no entropy");
    read_options(&argc, argv);
    if (in.cipher) { /* what is encrypted cannot be made up */
        b.rows = &rows[OPEN_FAR];
        b.row_count = 2;
    }
    prepare();
    add_sizes(&b);
    int result = bench_main(&b, argc, argv);
    svr_node_destroy(in.node);
    svr_node_destroy(in.peer);
    return result;
}
