#include "router_config.h"

#include "config/limit.h"
#include "support.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if !defined(__SANITIZE_ADDRESS__) && defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#define GOOD_KEY                       \
    "000102030405060708090a0b0c0d0e0f" \
    "101112131415161718191a1b1c1d1e1F\n"

const char base_file[] =
    "authority: test\n"                                             /* 1 */
    "routers:\n"                                                    /* 2 */
    "  a:\n"                                                        /* 3 */
    "    interfaces:\n"                                             /* 4 */
    "      lan: {kind: tap, device: a-lan, address: 10.1.0.1/24,\n" /* 5 */
    "            tenant: staff.corp}\n"                             /* 6 */
    "      wan: {kind: tap, device: a-wan,\n"                       /* 7 */
    "            address: [192.0.2.1/24, '2001:db8::1/64']}\n"      /* 8 */
    "    pathways:\n"                                               /* 9 */
    "      to-b: {interface: wan, peer: b, remote: 192.0.2.2,\n"    /* 10 */
    "             security: s}\n"                                   /* 11 */
    "  b:\n"                                                        /* 12 */
    "    interfaces:\n"                                             /* 13 */
    "      lan: {kind: tap, device: b-lan, address: 10.2.0.1/24}\n" /* 14 */
    "      wan: {kind: tap, device: b-wan,\n"                       /* 15 */
    "            address: [192.0.2.2/24, '2001:db8::2/64']}\n"      /* 16 */
    "    pathways:\n"                                               /* 17 */
    "      to-a: {interface: wan, peer: a, remote: 192.0.2.1,\n"    /* 18 */
    "             security: s}\n"                                   /* 19 */
    "tenants: [corp, staff.corp, guest]\n"                          /* 20 */
    "services:\n"                                                   /* 21 */
    "  web:\n"                                                      /* 22 */
    "    prefixes: [10.2.0.0/24]\n"                                 /* 23 */
    "    transports: [{protocol: tcp, ports: [80, 8000-8100]}]\n"   /* 24 */
    "    access: [{allow: corp}]\n"                                 /* 25 */
    "    routes: [{router: b, interface: lan}]\n"                   /* 26 */
    "security-policies:\n"                                          /* 27 */
    "  s: {key: s.key}\n"                                           /* 28 */
    "  t: {key: t.key}\n"                                           /* 29 */
    "timeouts: {udp: 60s}\n"                                        /* 30 */
    "limits: {sessions: 1000}\n" /* 31 */;

char key_folder[sizeof("/tmp/svr-config-XXXXXX")];

void file_write(const char *name, const char *text, unsigned mode)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", key_folder, name);
    unlink(path);
    f = fopen(path, "w");
    cr_assert_not_null(f);
    fputs(text, f);
    fclose(f);
    cr_assert_eq(chmod(path, mode), 0);
}

void folder_make(void)
{
    strcpy(key_folder, "/tmp/svr-config-XXXXXX");
    cr_assert_not_null(mkdtemp(key_folder));
    file_write("s.key", GOOD_KEY, 0600);
    file_write("t.key", GOOD_KEY, 0400);
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void folder_remove(void)
{
    check_leaks();
    nftw(key_folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void check_leaks(void)
{
#ifdef __SANITIZE_ADDRESS__
    cr_assert_eq(__lsan_do_recoverable_leak_check(), 0);
#endif
}

static char *text_with(const char *text, const char *find, const char *put)
{
    const char *at = strstr(text, find);
    size_t len = strlen(text) + strlen(put) + 1;
    char *out = malloc(len);

    cr_assert_not_null(at, "the file has no \"%s\"", find);
    cr_assert_not_null(out);
    snprintf(out, len, "%.*s%s%s", (int)(at - text), text, put,
             at + strlen(find));
    return out;
}

char *file_with(const char *find, const char *put)
{
    return text_with(base_file, find, put);
}

struct outcome load_text(const char *text, const char *router)
{
    struct outcome o = {0};
    size_t len;
    FILE *report = open_memstream(&o.report, &len);

    cr_assert_not_null(report);
    o.config = config_load_text(text, strlen(text), FILE_NAME, router,
                                key_folder, report);
    fclose(report);
    return o;
}

void outcome_free(struct outcome *o)
{
    config_free(o->config);
    free(o->report);
}

struct config *load_good(const char *text, const char *router)
{
    struct outcome o = load_text(text, router);

    cr_assert_str_empty(o.report);
    cr_assert_not_null(o.config);
    free(o.report);
    return o.config;
}

static struct config *load_with(const char *find, const char *put,
                                const char *router)
{
    char *text = file_with(find, put);
    struct config *c = load_good(text, router);

    free(text);
    return c;
}

static svr_addr v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return svr_addr_from_v4((uint8_t[]){a, b, c, d});
}

/* 2001:db8::host */
static svr_addr v6(uint8_t host)
{
    return svr_addr_from_v6((uint8_t[16]){0x20, 1, 0x0d, 0xb8, [15] = host});
}

static bool is_addr(const svr_addr *a, svr_addr b)
{
    return svr_addr_equal(a, &b);
}

TestSuite(config, .init = folder_make, .fini = folder_remove);

Test(config, a_router_gets_its_own_part)
{
    struct config *c = load_good(base_file, "a");
    const svr_node_config *n = &c->node;

    cr_expect_str_eq(c->authority, "test");
    cr_expect_str_eq(c->router, "a");
    cr_expect_str_eq(n->name, "a");
    cr_assert_eq(n->interface_count, 2);
    cr_expect_str_eq(n->interfaces[0].name, "lan");
    cr_expect_str_eq(n->interfaces[1].name, "wan");
    cr_expect_str_eq(c->ports[0].device, "a-lan");
    cr_expect_str_eq(c->ports[1].device, "a-wan");
    cr_assert_eq(n->peer_count, 1);
    cr_expect_str_eq(n->peers[0].name, "b");
    cr_assert_eq(n->router_count, 2);
    cr_expect_str_eq(n->routers[0], "a");
    cr_expect_str_eq(n->routers[1], "b");
    cr_assert_eq(n->security_count, 1);
    cr_expect_str_eq(n->securities[0].name, "s");
    cr_assert_eq(n->policy.tenant_count, 3);
    cr_expect_str_eq(n->policy.tenants[1], "staff.corp");
    cr_assert_eq(n->policy.service_count, 1);
    cr_expect_str_eq(n->policy.services[0].name, "web");
    config_free(c);
}

/* Both directions of a pathway have one number, wherever they are looked at
 * from. */
Test(config, directions_of_a_pathway)
{
    struct config *c = load_good(base_file, "a");
    const svr_node_config *n = &c->node;

    cr_expect(n->learn);
    cr_assert_eq(n->pathway_count, 1);
    cr_assert_eq(n->link_count, 1);
    cr_expect_str_eq(n->links[0].name, "to-a");
    cr_expect_eq(n->pathways[0].link, 0);
    cr_expect_eq(n->links[0].link, 0);
    config_free(c);
    c = load_good(base_file, "b");
    cr_expect_eq(c->node.pathways[0].link, 0);
    cr_expect_eq(c->node.links[0].link, 0);
    config_free(c);
}

Test(config, interfaces)
{
    struct config *c = load_with(
        "address: 10.1.0.1/24,\n            tenant: staff.corp}",
        "address: ['2001:db8::9/125', 10.1.0.1/31], mtu: 9000, tenant: guest, "
        "gateway: [10.1.0.0, 'fe80::1'], tenants: [{prefix: 10.9.0.0/16, "
        "tenant: corp}, {prefix: '::/0', tenant: staff.corp}]}",
        "a");
    const svr_interface_config *i = &c->node.interfaces[0];

    cr_assert_eq(i->address_count, 2);
    cr_expect(is_addr(&i->addresses[0].addr, v6(9)));
    cr_expect_eq(i->addresses[0].len, 125);
    cr_expect(is_addr(&i->addresses[1].addr, v4(10, 1, 0, 1)));
    cr_expect_eq(i->addresses[1].len, 31);
    cr_expect(is_addr(&i->gateway_v4, v4(10, 1, 0, 0)));
    cr_expect_eq(i->gateway_v6.b[0], 0xfe);
    cr_expect_eq(i->mtu, 9000);
    cr_expect_eq(i->tenant, 2);
    cr_assert_eq(i->source_count, 2);
    cr_expect_eq(i->sources[0].tenant, 0);
    cr_expect_eq(i->sources[0].source.len, 16);
    cr_expect(is_addr(&i->sources[0].source.addr, v4(10, 9, 0, 0)));
    cr_expect_eq(i->sources[1].tenant, 1);
    cr_expect_eq(i->sources[1].source.len, 0);
    cr_expect(i->offload);

    i = &c->node.interfaces[1];
    cr_expect_eq(i->mtu, 1500);
    cr_expect_eq(i->tenant, SVR_TENANT_NONE);
    cr_expect_eq(i->source_count, 0);
    cr_expect(svr_addr_is_none(&i->gateway_v4));
    cr_expect(svr_addr_is_none(&i->gateway_v6));
    config_free(c);
}

Test(config, kinds_of_ports)
{
    static const uint8_t none[6];
    static const uint8_t given[6] = {0x02, 0x00, 0x5e, 0x10, 0xab, 0xff};
    struct config *c =
        load_with("kind: tap, device: a-lan", "kind: tun, device: a-lan", "a");

    cr_expect_eq(c->ports[0].kind, PORT_TUN);
    cr_expect(c->node.interfaces[0].offload);
    cr_expect_arr_eq(c->ports[0].mac, none, 6);
    config_free(c);

    c = load_with("kind: tap, device: a-lan", "kind: pcap, device: eth0.1",
                  "a");
    cr_expect_eq(c->ports[0].kind, PORT_PCAP);
    cr_expect_str_eq(c->ports[0].device, "eth0.1");
    cr_expect_not(c->node.interfaces[0].offload);
    cr_expect_arr_eq(c->ports[0].mac, none, 6);
    config_free(c);

    c = load_with("device: a-lan", "device: a-lan, mac: '02:00:5E:10:ab:ff'",
                  "a");
    cr_expect_eq(c->ports[0].kind, PORT_TAP);
    cr_expect_arr_eq(c->ports[0].mac, given, 6);
    config_free(c);
}

/* By hand: the FNV-1a hash of "test", "a" and "lan" with a NUL behind each is
 * 0xbb64064c0f2aca43; folded it is 0x064c0f2a7127, which is local already. */
Test(config, derived_mac_is_stable_and_distinct)
{
    static const uint8_t expected[6] = {0x06, 0x4c, 0x0f, 0x2a, 0x71, 0x27};
    struct config *a = load_good(base_file, "a");
    struct config *b = load_good(base_file, "b");

    cr_expect_arr_eq(a->ports[0].mac, expected, 6);
    cr_expect_arr_neq(a->ports[0].mac, a->ports[1].mac, 6);
    cr_expect_arr_neq(a->ports[0].mac, b->ports[0].mac, 6);
    cr_expect_eq(b->ports[0].mac[0] & 3, 2);
    config_free(a);
    config_free(b);
}

/* Two pathways, one of which names its own address. */
static const char two_pathways[] =
    "authority: test\n"
    "routers:\n"
    "  a:\n"
    "    interfaces:\n"
    "      lan: {kind: tap, device: lan, address: 10.0.0.1/24}\n"
    "      wan:\n"
    "        kind: tap\n"
    "        device: wan\n"
    "        address: [192.0.2.1/24, 192.0.2.11/24, '2001:db8::1/64']\n"
    "    pathways:\n"
    "      one: {interface: wan, peer: b, remote: '2001:db8::2',\n"
    "            security: t}\n"
    "      two: {interface: wan, peer: b, remote: 192.0.2.2,\n"
    "            local: 192.0.2.11, security: s, tcp-as-udp: always,\n"
    "            ports: 20000-29999}\n"
    "  b:\n"
    "    interfaces:\n"
    "      wan:\n"
    "        kind: pcap\n"
    "        device: wan\n"
    "        address: [192.0.2.2/24, '2001:db8::2/64']\n"
    "    pathways:\n"
    "      a4: {interface: wan, peer: a, remote: 192.0.2.11, security: s}\n"
    "      a6: {interface: wan, peer: a, remote: '2001:db8::1', security: t,\n"
    "           ports: 30001}\n"
    "security-policies:\n"
    "  s: {key: s.key, hmac: sha256, mode: regular, sign: metadata-only,\n"
    "      bind-tcp: false}\n"
    "  unused: {key: absent.key}\n"
    "  t: {key: t.key}\n";

Test(config, pathways)
{
    struct config *c = load_good(two_pathways, "a");
    const svr_pathway_config *p = c->node.pathways;

    cr_assert_eq(c->node.pathway_count, 2);
    cr_expect_str_eq(p[0].name, "one");
    cr_expect_eq(p[0].iface, 1);
    cr_expect_eq(p[0].peer, 0);
    cr_expect_eq(p[0].security, 0);
    cr_expect_not(p[0].tcp_as_udp);
    cr_expect_eq(p[0].local_ports.first, 0);
    cr_expect_eq(p[0].local_ports.last, 0);
    cr_expect_eq(p[0].remote_ports.first, 30001);
    cr_expect_eq(p[0].remote_ports.last, 30001);
    cr_expect(is_addr(&p[0].local, v6(1)));
    cr_expect(is_addr(&p[0].remote, v6(2)));
    cr_expect_str_eq(p[1].name, "two");
    cr_expect_eq(p[1].security, 1);
    cr_expect(p[1].tcp_as_udp);
    cr_expect_eq(p[1].local_ports.first, 20000);
    cr_expect_eq(p[1].local_ports.last, 29999);
    cr_expect_eq(p[1].remote_ports.first, 0);
    cr_expect(is_addr(&p[1].local, v4(192, 0, 2, 11)));
    cr_expect(is_addr(&p[1].remote, v4(192, 0, 2, 2)));
    cr_assert_eq(c->node.peer_count, 1);
    config_free(c);
}

Test(config, bfd_defaults)
{
    struct config *c = load_good(two_pathways, "a");
    const svr_pathway_config *p = &c->node.pathways[0];
    svr_pathway_settings standard;

    svr_pathway_settings_init(&standard);
    cr_expect_eq(p->watch.local.port, SVR_BFD_PORT);
    cr_expect_eq(p->watch.remote.port, SVR_BFD_PORT);
    cr_expect_eq(p->watch.desired_tx, standard.desired_tx);
    cr_expect_eq(p->watch.required_rx, standard.required_rx);
    cr_expect_eq(p->watch.multiplier, standard.multiplier);
    cr_expect_eq(p->watch.hold_down, standard.hold_down);
    cr_expect_not(p->watch.peer_multiplier || p->watch.plain ||
                  p->watch.tcp_probes || p->unwatched);
    cr_expect_eq(p->bfd_ttl, 64);
    config_free(c);
}

/* With what the other end must have alike. */
#define PLAIN "bfd: {port: 3784, form: plain, ttl: 255"

Test(config, bfd_settings)
{
    char *one =
        file_with("s}\n  b:", "s, " PLAIN ", interval: 50ms, required: 10m,\n"
                              "   multiplier: 20, hold-down: 0s, "
                              "detection: peer}}\n  b:");
    char *both = text_with(one, "s}\ntenants", "s, " PLAIN "}}\ntenants");
    struct config *c = load_good(both, "a");
    const svr_pathway_config *p = &c->node.pathways[0];

    cr_expect_eq(p->watch.local.port, 3784);
    cr_expect_eq(p->watch.remote.port, 3784);
    cr_expect_eq(p->watch.desired_tx, 50000);
    cr_expect_eq(p->watch.required_rx, 600000000);
    cr_expect_eq(p->watch.multiplier, 20);
    cr_expect_eq(p->watch.hold_down, 0);
    cr_expect(p->watch.peer_multiplier);
    cr_expect(p->watch.plain);
    cr_expect_eq(p->bfd_ttl, 255);
    config_free(c);
    free(both);
    free(one);
}

Test(config, recovery)
{
    static const struct {
        const char *keys;
        unsigned inactivity;
    } rows[] = {
        {"s", 0},
        {"s, recovery: packet-based", 0},
        {"s, recovery: inactivity-based", 5},
        {"s, recovery: inactivity-based, inactivity: 1s", 1},
        {"s, recovery: inactivity-based, inactivity: 30000ms", 30},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char ours[128], theirs[128];
        const char *mode = i < 2 ? "" : ", recovery: inactivity-based";
        snprintf(ours, sizeof(ours), "%s}\n  b:", rows[i].keys);
        snprintf(theirs, sizeof(theirs), "s%s}\ntenants", mode);
        char *one = file_with("s}\n  b:", ours);
        char *both = text_with(one, "s}\ntenants", theirs);
        struct config *c = load_good(both, "a");

        cr_expect_eq(c->node.pathways[0].inactivity, rows[i].inactivity,
                     "row %zu", i);
        config_free(c);
        free(both);
        free(one);
    }
}

/* What the two ends may have each for itself. */
Test(config, bfd_ends_that_differ)
{
    char *text =
        file_with("s}\n  b:", "s, tcp-as-udp: probe, bfd: {interval: 300ms, "
                              "multiplier: 5, ttl: 32,\n"
                              "   hold-down: 1s, detection: peer}}\n  b:");
    struct config *c = load_good(text, "a");

    cr_expect(c->node.pathways[0].watch.tcp_probes);
    cr_expect_not(c->node.pathways[0].tcp_as_udp);
    config_free(c);
    free(text);
}

Test(config, security_policies)
{
    struct config *c = load_good(two_pathways, "a");
    const svr_security_config *t = &c->node.securities[0], *s = t + 1;

    cr_assert_eq(c->node.security_count, 2);
    cr_expect_str_eq(t->name, "t");
    cr_expect_str_eq(t->hmac->name, "sha256-128");
    cr_expect_eq(t->mode, SVR_HMAC_TIME_BASED);
    cr_expect(t->per_packet);
    cr_expect(t->bind_tcp);
    cr_expect_str_eq(s->name, "s");
    cr_expect_str_eq(s->hmac->name, "sha256");
    cr_expect_eq(s->mode, SVR_HMAC_REGULAR);
    cr_expect_not(s->per_packet);
    cr_expect_not(s->bind_tcp);
    for (size_t i = 0; i < SVR_KEY_SIZE; i++)
        cr_expect_eq(s->key[i], i);
    config_free(c);

    c = load_with("{key: s.key}",
                  "{key: s.key, mode: disabled, insecure: true}", "b");
    cr_expect_eq(c->node.securities[0].mode, SVR_HMAC_DISABLED);
    config_free(c);
}

Test(config, services)
{
    struct config *c = load_with(
        "    transports: [{protocol: tcp, ports: [80, 8000-8100]}]\n"
        "    access: [{allow: corp}]\n",
        "    transports: [{protocol: udp, ports: 1-65535}, {protocol: icmpv6},"
        " {protocol: tcp, ports: [80, '8000-8100']}, {protocol: 132},"
        " {protocol: any}]\n"
        "    access: [{deny: guest, from: '::/0'}, {allow: any},"
        " {allow: staff.corp, from: 10.1.0.0/16}]\n"
        "    scope: public\n"
        "    denial: prohibited\n"
        "    tcp-midstream: allow\n",
        "a");
    const svr_service_config *s = c->node.policy.services;
    static const svr_transport transports[] = {
        {SVR_PROTO_UDP, 1, 65535}, {SVR_PROTO_ICMPV6, 0, 65535},
        {SVR_PROTO_TCP, 80, 80},   {SVR_PROTO_TCP, 8000, 8100},
        {132, 0, 65535},           {0, 0, 65535},
    };

    cr_assert_eq(s->prefix_count, 1);
    cr_expect(is_addr(&s->prefixes[0].addr, v4(10, 2, 0, 0)));
    cr_expect_eq(s->prefixes[0].len, 24);
    cr_assert_eq(s->transport_count, 6);
    for (size_t i = 0; i < 6; i++) {
        cr_expect_eq(s->transports[i].proto, transports[i].proto);
        cr_expect_eq(s->transports[i].first, transports[i].first);
        cr_expect_eq(s->transports[i].last, transports[i].last);
    }
    cr_assert_eq(s->access_count, 3);
    cr_expect_not(s->access[0].allow);
    cr_expect_eq(s->access[0].tenant, 2);
    cr_expect(s->access[1].allow);
    cr_expect_eq(s->access[1].tenant, SVR_TENANT_NONE);
    cr_expect(svr_addr_is_none(&s->access[1].source.addr));
    cr_expect_eq(s->access[2].tenant, 1);
    cr_expect_eq(s->access[2].source.len, 16);
    cr_expect(s->public_scope);
    cr_expect_eq(s->denial, SVR_DENIAL_PROHIBITED);
    cr_expect(s->tcp_midstream);
    config_free(c);
}

Test(config, defaults_of_a_service)
{
    struct config *c =
        load_with("    transports: [{protocol: tcp, ports: [80, 8000-8100]}]\n"
                  "    access: [{allow: corp}]\n",
                  "", "a");
    const svr_service_config *s = c->node.policy.services;

    cr_assert_eq(s->transport_count, 1);
    cr_expect_eq(s->transports[0].proto, 0);
    cr_expect_eq(s->transports[0].first, 0);
    cr_expect_eq(s->transports[0].last, 65535);
    cr_expect_eq(s->access_count, 0);
    cr_expect_not(s->public_scope);
    cr_expect_eq(s->denial, SVR_DENIAL_SILENT);
    cr_expect_not(s->tcp_midstream);
    cr_expect_eq(s->policy.resiliency, SVR_RESILIENCY_NONE);
    config_free(c);
}

/* S17: a service travels by the policy that it names. */
Test(config, service_policies)
{
    static const struct {
        const char *word;
        enum svr_resiliency resiliency;
    } rows[] = {
        {"none", SVR_RESILIENCY_NONE},
        {"failover", SVR_RESILIENCY_FAILOVER},
        {"revertible-failover", SVR_RESILIENCY_REVERTIBLE},
        {"packet-duplication", SVR_RESILIENCY_DUPLICATE},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char put[256];

        snprintf(put, sizeof(put),
                 "    policy: p\n"
                 "service-policies: {q: {}, p: {resiliency: %s}}\n"
                 "security-policies:\n",
                 rows[i].word);
        struct config *c = load_with("security-policies:\n", put, "a");
        cr_expect_eq(c->node.policy.services[0].policy.resiliency,
                     rows[i].resiliency, "%s", rows[i].word);
        config_free(c);
    }
}

/* S16.2: what the file says, or leaves out, of how ways are chosen. */
Test(config, path_policies)
{
    static const struct {
        const char *keys;
        svr_service_policy is;
    } rows[] = {
        {"encrypt: never", {.encryption = SVR_ENCRYPT_NEVER}},
        {"best-path: order", {0}},
        {"best-path: latency", {.best_path = SVR_BEST_LATENCY}},
        {"best-path: mos", {.best_path = SVR_BEST_MOS}},
        {"balance: proportional",
         {.best_path = SVR_BEST_VECTOR, .balance = SVR_BALANCE_PROPORTIONAL}},
        {"best-effort: false",
         {.best_path = SVR_BEST_VECTOR, .no_best_effort = true}},
        {"max-latency: 1s",
         {.best_path = SVR_BEST_VECTOR,
          .quality_filter = true,
          .max_latency_us = 1000000}},
        {"max-jitter: 20ms, best-path: mos",
         {.best_path = SVR_BEST_MOS,
          .quality_filter = true,
          .max_jitter_us = 20000}},
        {"max-loss: 0%",
         {.best_path = SVR_BEST_VECTOR,
          .quality_filter = true,
          .max_loss_ppm = UINT32_MAX}}, /* none, see below */
        {"max-loss: 12.0345%",
         {.best_path = SVR_BEST_VECTOR,
          .quality_filter = true,
          .max_loss_ppm = 120345}},
        {"min-mos: 3.65",
         {.best_path = SVR_BEST_VECTOR,
          .quality_filter = true,
          .min_mos = 3650}},
        {"min-mos: 4, path-quality-filter: false",
         {.best_path = SVR_BEST_VECTOR, .min_mos = 4000}},
        {"path-quality-filter: true",
         {.best_path = SVR_BEST_VECTOR, .quality_filter = true}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        svr_service_policy is = rows[i].is;
        char put[256];

        snprintf(put, sizeof(put),
                 "    policy: p\nservice-policies: {p: {%s}}\n"
                 "security-policies:\n",
                 rows[i].keys);
        struct config *c = load_with("security-policies:\n", put, "a");
        const svr_service_policy *p = &c->node.policy.services[0].policy;
        if (!is.max_latency_us)
            is.max_latency_us = 250000;
        if (!is.max_jitter_us)
            is.max_jitter_us = 100000;
        if (!is.max_loss_ppm)
            is.max_loss_ppm = 5000;
        if (is.max_loss_ppm == UINT32_MAX)
            is.max_loss_ppm = 0;
        cr_expect_eq(p->best_path, is.best_path, "%s", rows[i].keys);
        cr_expect_eq(p->balance, is.balance, "%s", rows[i].keys);
        cr_expect_eq(p->quality_filter, is.quality_filter, "%s", rows[i].keys);
        cr_expect_eq(p->no_best_effort, is.no_best_effort, "%s", rows[i].keys);
        cr_expect_eq(p->max_latency_us, is.max_latency_us, "%s", rows[i].keys);
        cr_expect_eq(p->max_jitter_us, is.max_jitter_us, "%s", rows[i].keys);
        cr_expect_eq(p->max_loss_ppm, is.max_loss_ppm, "%s", rows[i].keys);
        cr_expect_eq(p->min_mos, is.min_mos, "%s", rows[i].keys);
        config_free(c);
    }
}

/* Names that need no entry, and an entry that takes the place of one. */
Test(config, ready_made_policies)
{
    static const struct {
        const char *name;
        enum svr_best_path best;
        uint32_t latency_us;
    } rows[] = {
        {"voice", SVR_BEST_MOS, 150000},
        {"video", SVR_BEST_LATENCY, 200000},
        {"interactive", SVR_BEST_LATENCY, 250000},
        {"bulk", SVR_BEST_VECTOR, 0},
    };

    for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        const char *name = rows[i / 2].name;
        char put[256];

        snprintf(put, sizeof(put), "    policy: %s\n%s%s%ssecurity-policies:\n",
                 name, i % 2 ? "service-policies: {" : "", i % 2 ? name : "",
                 i % 2 ? ": {encrypt: always}}\n" : "");
        struct config *c = load_with("security-policies:\n", put, "a");
        const svr_service_policy *p = &c->node.policy.services[0].policy;
        cr_expect_eq(p->best_path, i % 2 ? SVR_BEST_ORDER : rows[i / 2].best,
                     "%s", name);
        if (i % 2 == 0)
            cr_expect_eq(p->max_latency_us, rows[i / 2].latency_us, "%s", name);
        config_free(c);
    }
}

/* An access line from ::/0 is for IPv6 alone, though the policy takes an
 * address of zeros for "any source". */
Test(config, access_from_all_of_ipv6)
{
    struct config *c = load_with("access: [{allow: corp}]",
                                 "access: [{allow: corp, from: '::/0'}]", "a");
    svr_addr four = v4(10, 1, 0, 9), six = v6(9);
    test_memory memory = {0};
    svr_allocator alloc = test_allocator(&memory);
    svr_policy *p;

    cr_assert_eq(svr_policy_create(&p, &c->node.policy, &alloc), 0);
    cr_expect_eq(svr_policy_access(p, 0, 0, &six), 0);
    cr_expect_eq(svr_policy_access(p, 0, 0, &four), SVR_ERR_DENIED);
    svr_policy_destroy(p);
    config_free(c);
}

Test(config, limits_and_timeouts)
{
    struct config *c = load_with(
        "timeouts: {udp: 60s}\n",
        "timeouts: {tcp-setup: 250ms, tcp: 24h, icmp: 5m, other: 1s}\n", "a");
    const svr_limits *l = &c->node.limits;

    cr_expect_eq(l->sessions, 1000);
    cr_expect_eq(l->sealed, 0);
    cr_expect_eq(l->peer_sessions, 0);
    cr_expect_eq(l->tenant_sessions, 0);
    cr_expect_eq(l->peer_rate, 0);
    cr_expect_eq(l->tenant_rate, 0);
    cr_expect_eq(l->tcp_setup, 250 * SVR_MILLISECOND);
    cr_expect_eq(l->tcp, 86400 * SVR_SECOND);
    cr_expect_eq(l->icmp, 300 * SVR_SECOND);
    cr_expect_eq(l->other, SVR_SECOND);
    config_free(c);
}

Test(config, limits_of_peers_and_tenants)
{
    struct config *c =
        load_with("limits: {sessions: 1000}\n",
                  "limits: {encrypted-sessions: 6, sessions-per-peer: 7,\n"
                  "         sessions-per-tenant: 8,\n"
                  "         rate-per-peer: 9, rate-per-tenant: 10}\n",
                  "a");
    const svr_limits *l = &c->node.limits;

    cr_expect_eq(l->sealed, 6);
    cr_expect_eq(l->peer_sessions, 7);
    cr_expect_eq(l->tenant_sessions, 8);
    cr_expect_eq(l->peer_rate, 9);
    cr_expect_eq(l->tenant_rate, 10);
    config_free(c);
}

/* The schema's defaults are those of the library. */
Test(config, default_limits)
{
    struct config *c =
        load_with("timeouts: {udp: 60s}\nlimits: {sessions: 1000}\n", "", "a");
    const svr_limits *l = &c->node.limits;
    svr_node_config node;

    svr_node_config_init(&node);
    cr_expect_eq(l->sessions, node.limits.sessions);
    cr_expect_eq(l->tcp_setup, node.limits.tcp_setup);
    cr_expect_eq(l->tcp, node.limits.tcp);
    cr_expect_eq(l->udp, node.limits.udp);
    cr_expect_eq(l->icmp, node.limits.icmp);
    cr_expect_eq(l->dns, node.limits.dns);
    cr_expect_eq(l->other, node.limits.other);
    config_free(c);
}

/*
 * A network of routers with one letter each. pairs are the pathways, both ways,
 * in the file's order; exits are where the only service leaves SVR.
 */
static char *network(const char *routers, const char *pairs, const char *exits)
{
    char *text;
    size_t len;
    FILE *f = open_memstream(&text, &len);

    cr_assert_not_null(f);
    fputs("authority: test\nrouters:\n", f);
    for (const char *r = routers; *r; r++) {
        fprintf(f,
                "  %c:\n    interfaces:\n"
                "      lan: {kind: tap, device: lan, address: 10.0.0.1/24}\n"
                "      wan: {kind: tap, device: wan, address: 192.0.2.%d/24}\n"
                "    pathways:\n      {",
                *r, *r);
        for (const char *p = pairs; *p; p += p[2] ? 3 : 2) {
            if (p[0] == *r || p[1] == *r) {
                const char *peer = p[0] == *r ? p + 1 : p;

                fprintf(f,
                        "to-%c: {interface: wan, peer: %c, remote: "
                        "192.0.2.%d, security: s}, ",
                        *peer, *peer, *peer);
            }
        }
        fputs("}\n", f);
    }
    fputs("security-policies: {s: {key: s.key}}\nservices:\n"
          "  x:\n    prefixes: [10.0.0.0/24]\n    routes:\n",
          f);
    for (const char *e = exits; *e; e++)
        fprintf(f, "      - {router: %c, interface: lan}\n", *e);
    fclose(f);
    return text;
}

/* The routes of a network's router as text: "-" for a local one, else the peer
 * of its pathway. */
static void check_routes(const char *routers, const char *pairs,
                         const char *exits, const char *router,
                         const char *expected)
{
    char *text = network(routers, pairs, exits), found[32] = "";
    struct config *c = load_good(text, router);
    const svr_node_config *n = &c->node;

    for (size_t i = 0; i < n->route_count; i++) {
        int pathway = n->routes[i].pathway;

        cr_expect_eq(n->routes[i].service, 0);
        cr_expect(pathway >= 0 || n->routes[i].iface == 0);
        found[strlen(found)] =
            *(pathway < 0 ? "-" : n->peers[n->pathways[pathway].peer].name);
    }
    cr_expect_str_eq(found, expected, "%s of %s by %s to %s: %s, expected %s",
                     router, routers, pairs, exits, found, expected);
    config_free(c);
    free(text);
}

Test(config, routes)
{
    static const struct {
        const char *routers, *pairs, *exits, *router, *expected;
    } table[] = {
        /* at the exit, beside it, and where there is no way */
        {"ab", "ab", "b", "b", "-"},
        {"ab", "ab", "b", "a", "b"},
        {"abc", "ab", "c", "a", ""},
        {"abc", "ab", "cb", "a", "b"},
        /* in the order of the service's routes */
        {"abc", "ab ac bc", "bc", "a", "bc"},
        {"abc", "ab ac bc", "cb", "a", "cb"},
        {"abc", "ab ac bc", "ac", "a", "-c"},
        {"abc", "ab ac bc", "ca", "a", "c-"},
        /* a line, and a way round that is longer */
        {"abcd", "ab bc cd", "d", "a", "b"},
        {"abcd", "ab bc cd", "d", "b", "c"},
        {"abcde", "ab bc ce ad de", "e", "a", "d"},
        /* the same peer for two exits comes once */
        {"abcd", "ab bc bd", "cd", "a", "b"},
        {"abcd", "ab bc bd", "cbd", "a", "b"},
        /* ties by name, whatever the file's order */
        {"abcd", "ac cd ab bd", "d", "a", "b"},
        {"dcba", "ac cd ab bd", "d", "a", "b"},
        {"abcde", "ad de ac ce ab", "e", "a", "c"},
        /* a tie that is only seen two pathways on */
        {"abcdef", "ac ab cd be df ef", "f", "a", "b"},
        {"abcdefg", "ac ab cd be df ef fg", "g", "a", "b"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        check_routes(table[i].routers, table[i].pairs, table[i].exits,
                     table[i].router, table[i].expected);
}

/* A peer with two pathways: both, in the file's order; also on the way to a
 * router behind it. */
Test(config, routes_by_all_pathways_to_a_peer)
{
    struct config *c;
    char *text = malloc(sizeof(two_pathways) + 256);

    cr_assert_not_null(text);
    sprintf(text,
            "%sservices:\n  x: {prefixes: [10.0.0.0/24], "
            "routes: [{router: b, interface: wan}]}\n",
            two_pathways);
    c = load_good(text, "a");
    cr_assert_eq(c->node.route_count, 2);
    cr_expect_eq(c->node.routes[0].pathway, 0);
    cr_expect_eq(c->node.routes[1].pathway, 1);
    config_free(c);
    free(text);
}

/* Forms of YAML that mean what base_file means; `rest`: in place of all that
 * follows too. */
Test(config, yaml_forms)
{
    static const struct {
        const char *find, *put;
        bool rest;
    } table[] = {
        {"authority: test\n",
         "\xef\xbb\xbf"
         "authority: test\n",
         false},
        {"authority: test\n", "%YAML 1.1\n---\nauthority: test\n", false},
        {"authority: test\n", "--- # x\n? authority\n: \"t\\x65st\"\n", false},
        {"authority: test\n", "authority: >-\n  test\n", false},
        {"authority: test\n", "authority: test\r\n", false},
        {"tenants: [corp,", "tenants:\n- corp\n- staff.corp\n#", false},
        {"  t: {key: t.key}\n", "  t: &t {key: t.key}\n  u: *t\n", false},
        {"  t: {key: t.key}\n", "  t: {\"key\": \"t.key\"}\n...\n", true},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char *text = file_with(table[i].find, table[i].put);
        struct config *c;

        if (table[i].rest)
            strstr(text, table[i].put)[strlen(table[i].put)] = '\0';
        c = load_good(text, "a");
        cr_expect_str_eq(c->authority, "test");
        config_free(c);
        free(text);
    }
}

/* Aliases of lists, mappings and scalars. */
Test(config, aliases)
{
    struct config *c =
        load_with("    prefixes: [10.2.0.0/24]\n"
                  "    transports: [{protocol: tcp, ports: [80, 8000-8100]}]\n"
                  "    access: [{allow: corp}]\n"
                  "    routes: [{router: b, interface: lan}]\n",
                  "    prefixes: &p [10.2.0.0/24]\n"
                  "    access: &a [{allow: &corp corp}]\n"
                  "    routes: &r [&route {router: b, interface: lan}]\n"
                  "  dns:\n"
                  "    prefixes: *p\n"
                  "    transports: [{protocol: udp, ports: 53}]\n"
                  "    access: [{deny: *corp}]\n"
                  "    routes: [*route]\n",
                  "b");

    cr_assert_eq(c->node.policy.service_count, 2);
    cr_expect_eq(c->node.policy.services[1].prefix_count, 1);
    cr_expect_eq(c->node.policy.services[1].access[0].tenant, 0);
    cr_expect_eq(c->node.route_count, 2);
    config_free(c);
}

/* Names may be in any language, and look like numbers. */
Test(config, names)
{
    char longest[64], *text;
    struct config *c;

    c = load_with("authority: test", "authority: 'caf\xc3\xa9 \xe2\x82\xac'",
                  "a");
    cr_expect_str_eq(c->authority, "caf\xc3\xa9 \xe2\x82\xac");
    config_free(c);
    c = load_with("authority: test", "authority: 007", "a");
    cr_expect_str_eq(c->authority, "007");
    config_free(c);
    memset(longest, 'n', 63);
    longest[63] = '\0';
    text = malloc(sizeof(longest) + 16);
    cr_assert_not_null(text);
    sprintf(text, "authority: %s", longest);
    c = load_with("authority: test", text, "a");
    cr_expect_str_eq(c->authority, longest);
    config_free(c);
    free(text);
}

/* Without a router's name the whole file is checked. */
Test(config, first_router_where_none_is_named)
{
    struct config *c = load_good(base_file, NULL);

    cr_expect_str_eq(c->router, "a");
    config_free(c);
}

Test(config, file_on_disk)
{
    char path[64];
    struct config *c;

    file_write("authority.yaml", base_file, 0644);
    snprintf(path, sizeof(path), "%s/authority.yaml", key_folder);
    c = config_load(path, "b", NULL, stderr); /* keys beside the file */
    cr_assert_not_null(c);
    cr_expect_str_eq(c->router, "b");
    config_free(c);
    cr_assert_eq(chdir(key_folder), 0);
    c = config_load("authority.yaml", "b", NULL, stderr);
    cr_assert_not_null(c);
    config_free(c);
    cr_assert_eq(chdir("/"), 0);
}

struct visit {
    char names[16];
    size_t stop_after;
};

static bool note_router(void *user, const struct config *c)
{
    struct visit *v = user;

    cr_assert_lt(strlen(v->names), sizeof(v->names) - 2);
    strcat(v->names, c->router);
    cr_expect_str_eq(c->node.name, c->router);
    return strlen(v->names) != v->stop_after;
}

/* Every router of a file, in its order. */
Test(config, visit_routers)
{
    struct visit all = {0}, first = {.stop_after = 1};
    char path[64];

    file_write("authority.yaml", base_file, 0644);
    snprintf(path, sizeof(path), "%s/authority.yaml", key_folder);
    cr_expect(config_visit(path, NULL, note_router, &all, stderr));
    cr_expect_str_eq(all.names, "ab");
    cr_expect_not(config_visit(path, NULL, note_router, &first, stderr));
    cr_expect_str_eq(first.names, "a");
}

static void check_no_visit(const char *path, const char *keys,
                           const char *expected)
{
    struct visit v = {0};
    char *report;
    size_t len;
    FILE *f = open_memstream(&report, &len);

    cr_expect_not(config_visit(path, keys, note_router, &v, f));
    fclose(f);
    cr_expect_not_null(strstr(report, expected), "%s", report);
    cr_expect_str_eq(v.names, "");
    free(report);
}

Test(config, visits_of_files_with_problems)
{
    char path[64];

    snprintf(path, sizeof(path), "%s/authority.yaml", key_folder);
    file_write("authority.yaml", base_file, 0644);
    check_no_visit("/nowhere/authority.yaml", NULL, "cannot be read");
    check_no_visit(path, "/nowhere", "does not exist");
    file_write("authority.yaml", "authority: test\nrouters: 7\n", 0644);
    check_no_visit(path, NULL, "authority.yaml:2:10: ");
}

static void check_no_file(const char *path, const char *expected)
{
    char *report;
    size_t len;
    FILE *f = open_memstream(&report, &len);

    cr_expect_null(config_load(path, "a", NULL, f));
    fclose(f);
    cr_expect_not_null(strstr(report, expected), "%s", report);
    free(report);
}

Test(config, files_that_cannot_be_read)
{
    check_no_file("/nowhere/authority.yaml",
                  "/nowhere/authority.yaml: cannot be read: No such file");
    check_no_file(key_folder, ": cannot be read: Is a directory");
    check_no_file("/dev/null", "/dev/null:1:1: found nothing");
}

Test(config, longest_file)
{
    size_t len = CONFIG_FILE_MAX;
    char *text = malloc(len + 1);
    struct config *c;
    FILE *report;

    cr_assert_not_null(text);
    memset(text, '\n', len + 1);
    for (size_t i = 0; base_file[i]; i++)
        text[i] = base_file[i];
    c = config_load_text(text, len, FILE_NAME, "a", key_folder, stderr);
    cr_expect_not_null(c);
    config_free(c);
    report = fopen("/dev/null", "w");
    cr_expect_null(
        config_load_text(text, len + 1, FILE_NAME, "a", key_folder, report));
    fclose(report);
    free(text);
}

/* Whatever allocation is refused, loading fails cleanly and says so. */
Test(config, memory_that_ends)
{
    struct load load = {.text = base_file,
                        .len = strlen(base_file),
                        .file = FILE_NAME,
                        .router = "a",
                        .keys = key_folder};
    struct config *c = NULL;

    for (load.memory = 0; !c; load.memory += 64) {
        char *report;
        size_t len;
        FILE *f = open_memstream(&report, &len);

        cr_assert_not_null(f);
        cr_assert_lt(load.memory, 1 << 20);
        c = config_load_limited(&load, f);
        fclose(f);
        cr_expect(c ? len == 0
                    : strstr(report, "there is not enough memory") != NULL);
        free(report);
    }
    config_free(c);
}

/* Aliases that would make a short file very long. */
Test(config, aliases_that_explode)
{
    struct load load = {.file = FILE_NAME, .memory = (size_t)8 << 20};
    char *text, *report;
    size_t len, report_len;
    FILE *f = open_memstream(&text, &len);

    fputs("services:\n  a0:\n    prefixes: [10.0.0.0/8]\n"
          "    routes: &r [{router: a, interface: b}]\n"
          "    access: &a\n",
          f);
    for (int i = 0; i < 1000; i++)
        fprintf(f, "    - {allow: t%d}\n", i);
    for (int i = 1; i < 1000; i++)
        fprintf(f,
                "  a%d: {prefixes: [10.0.%d.0/24], routes: *r, "
                "access: *a}\n",
                i, i % 256);
    fclose(f);
    f = open_memstream(&report, &report_len);
    load.text = text;
    load.len = len;
    cr_expect_null(config_load_limited(&load, f));
    fclose(f);
    cr_expect_not_null(strstr(report, "with its aliases followed"), "%s",
                       report);
    free(report);
    free(text);
}

static void fill(void *user, void *buf, size_t len)
{
    test_fill(user, buf, len);
}

/* The example, as the library sees it. */
Test(config, example_makes_nodes)
{
    static const char *const routers[] = {"branch", "dc"};

    file_write("demo.key",
               "6c69627376722064656d6f206b65792c"
               "206e6f74206120736563726574212121\n",
               0600);
    for (size_t i = 0; i < 2; i++) {
        struct config *c = config_load(SOURCE_ROOT "/examples/authority.yaml",
                                       routers[i], key_folder, stderr);
        test_memory memory = {0};
        uint64_t seed = 1;
        svr_node *node;

        cr_assert_not_null(c);
        cr_expect_eq(c->node.interface_count, i == 0 ? 3 : 2);
        cr_expect_eq(c->node.pathway_count, 2);
        cr_expect_eq(c->node.policy.service_count, 5);
        c->node.alloc = test_allocator(&memory);
        c->node.random = (svr_random){fill, &seed};
        c->node.boot = 1;
        cr_assert_eq(svr_node_create(&node, &c->node, 0), 0);
        config_free(c);
        svr_node_destroy(node);
        cr_expect(test_memory_clean(&memory));
    }
}

Test(config, example_key_is_the_demo_key)
{
    char text[66] = "";
    FILE *f = fopen(SOURCE_ROOT "/examples/demo.key", "r");

    cr_assert_not_null(f);
    cr_assert_eq(fread(text, 1, 65, f), 65);
    fclose(f);
    for (size_t i = 0; i < 32; i++) {
        char digits[3];

        snprintf(digits, sizeof(digits), "%02x",
                 (unsigned)"libsvr demo key, not a secret!!!"[i]);
        cr_expect_arr_eq(text + 2 * i, digits, 2);
    }
}

/* A file that is cut off anywhere is refused with a problem, or means
 * something; nothing is lost either way. */
Test(config, cut_files)
{
    char *text = strdup(base_file);

    cr_assert_not_null(text);
    for (size_t len = strlen(text); len-- > 0;) {
        struct outcome o;

        text[len] = '\0';
        o = load_text(text, "a");
        cr_expect((o.config != NULL) == (o.report[0] == '\0'), "at %zu", len);
        outcome_free(&o);
    }
    free(text);
}

/* Files with a few bytes changed, from a fixed seed. */
Test(config, changed_files)
{
    static const char bytes[] = "\n\t :-,[]{}&*!?|>'\"%@#~\\/.0189af\xc3\xa9";
    uint64_t seed = 20;
    char *text = malloc(sizeof(base_file));

    cr_assert_not_null(text);
    for (int round = 0; round < 20000; round++) {
        struct outcome o;

        memcpy(text, base_file, sizeof(base_file));
        for (uint32_t n = 1 + test_below(&seed, 4); n > 0; n--)
            text[test_below(&seed, sizeof(base_file) - 1)] =
                bytes[test_below(&seed, sizeof(bytes) - 1)];
        o = load_text(text, round % 2 ? "a" : NULL);
        cr_expect((o.config != NULL) == (o.report[0] == '\0'));
        outcome_free(&o);
    }
    free(text);
}
