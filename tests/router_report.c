#include <criterion/criterion.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heap.h"

#include "config/config.h"
#include "svrd/neighbour.h"
#include "svrd/report.h"
#include "svrd/report_limits.h"
#include "svrd/watch.h"

static const char authority[] =
    "authority: test\n"
    "routers:\n"
    "  r1:\n"
    "    interfaces:\n"
    "      lan0: { kind: tap, device: tap0, tenant: staff,\n"
    "              address: [10.1.0.1/24, \"fd00:1::1/64\"] }\n"
    "      lan1: { kind: tun, device: tun1, mtu: 1400,\n"
    "              address: 10.2.0.1/24 }\n"
    "tenants: [staff]\n"
    "services:\n"
    "  everything:\n"
    "    prefixes: [10.2.0.0/24]\n"
    "    access: [{ allow: staff }]\n"
    "    routes: [{ router: r1, interface: lan1 }]\n";

/* Only the second tenant may reach the first service, nobody the second; the
 * third stands behind them. */
static const char with_services[] =
    "authority: test\n"
    "routers:\n"
    "  r1:\n"
    "    interfaces:\n"
    "      lan0: { kind: tap, device: tap0, tenant: staff,\n"
    "              address: 10.1.0.1/24 }\n"
    "      lan1: { kind: tap, device: tap1, address: 10.2.0.1/24 }\n"
    "tenants: [guest, staff]\n"
    "services:\n"
    "  web:\n"
    "    prefixes: [10.1.0.1/32, 10.2.0.0/24]\n"
    "    transports: [{ protocol: tcp, ports: 80 }]\n"
    "    access: [{ allow: staff }]\n"
    "    routes: [{ router: r1, interface: lan1 }]\n"
    "  closed:\n"
    "    prefixes: [10.3.0.0/25]\n"
    "    routes: [{ router: r1, interface: lan1 }]\n"
    "  hidden:\n"
    "    prefixes: [10.3.0.0/24]\n"
    "    routes: [{ router: r1, interface: lan1 }]\n";

/* With limits; the last has none. */
static const char with_limits[] =
    "authority: test\n"
    "routers:\n"
    "  r1:\n"
    "    interfaces:\n"
    "      lan0: { kind: tap, device: tap0, address: 10.1.0.1/24 }\n"
    "      lan1: { kind: tap, device: tap1, address: 10.2.0.1/24 }\n"
    "services:\n"
    "  calls: { prefixes: [10.2.0.0/24], policy: voice,\n"
    "           routes: [{ router: r1, interface: lan1 }] }\n"
    "  tight: { prefixes: [10.3.0.0/24], policy: tight,\n"
    "           routes: [{ router: r1, interface: lan1 }] }\n"
    "  rest: { prefixes: [10.4.0.0/24], policy: bulk,\n"
    "          routes: [{ router: r1, interface: lan1 }] }\n"
    "service-policies: { tight: { max-latency: 50ms, max-loss: 3% } }\n";

/* With two pathways, whose key is KEY. */
static const char with_pathways[] =
    "authority: test\n"
    "routers:\n"
    "  r1:\n"
    "    interfaces:\n"
    "      lan0: { kind: tap, device: tap0, address: 10.1.0.1/24 }\n"
    "      wan0: { kind: tap, device: tap1, mtu: 1400,\n"
    "              address: [192.0.2.1/24, 192.0.2.3/24] }\n"
    "    pathways:\n"
    "      one: { interface: wan0, peer: r2, remote: 192.0.2.2,\n"
    "             security: default }\n"
    "      two: { interface: wan0, peer: r2, remote: 192.0.2.2,\n"
    "             local: 192.0.2.3, security: default }\n"
    "  r2:\n"
    "    interfaces:\n"
    "      wan0: { kind: tap, device: tap0, address: 192.0.2.2/24 }\n"
    "    pathways:\n"
    "      a: { interface: wan0, peer: r1, remote: 192.0.2.1,\n"
    "           security: default }\n"
    "      b: { interface: wan0, peer: r1, remote: 192.0.2.3,\n"
    "           security: default }\n"
    "services:\n"
    "  secret: { prefixes: [10.9.0.0/24], policy: sealed, scope: public,\n"
    "            routes: [{ router: r2, interface: wan0 }] }\n"
    "  clear: { prefixes: [10.8.0.0/24], policy: open, scope: public,\n"
    "           routes: [{ router: r2, interface: wan0 }] }\n"
    "service-policies: { sealed: { encrypt: always },\n"
    "                    open: { encrypt: never } }\n"
    "security-policies: { default: { key: KEY, cipher: none } }\n";

/* with_pathways with a key file, for as long as it is loaded. */
static struct config *load_pathways(void)
{
    char key[] = "/tmp/svr-report-XXXXXX";
    char text[sizeof with_pathways + sizeof key];
    const char *at = strstr(with_pathways, "KEY");
    int fd = mkstemp(key);
    struct config *c;

    cr_assert_geq(fd, 0);
    for (int i = 0; i < 64; i++)
        cr_assert_eq(write(fd, &"0123456789abcdef"[i % 16], 1), 1);
    close(fd);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - with_pathways),
             with_pathways, key, at + strlen("KEY"));
    c = config_load_text(text, strlen(text), "test", "r1", NULL, stderr);
    unlink(key);
    return c;
}

typedef struct fixture {
    struct config *config;
    svr_node *node;
    struct port port[2];
    struct port *ports[2];
    struct report report;
} fixture;

static void fill(void *user, void *buf, size_t len)
{
    uint8_t *out = buf;

    while (len-- > 0)
        *out++ = (uint8_t)rand();
    (void)user;
}

static void start_with(fixture *f, struct config *config)
{
    const svr_random random = {fill, NULL};
    const struct neighbour_actions none = {0};

    memset(f, 0, sizeof *f);
    f->config = config;
    cr_assert_neq(f->config, NULL);
    f->config->node.alloc = HEAP;
    f->config->node.random = random;
    f->config->node.boot = 7;
    cr_assert_eq(svr_node_create(&f->node, &f->config->node, 0), 0);
    port_init(&f->port[0], f->config, 0);
    port_init(&f->port[1], f->config, 1);
    f->port[0].neighbours = neighbours_create(
        f->port[0].mac, f->config->node.interfaces[0].addresses,
        f->config->node.interfaces[0].address_count, &none, &random);
    f->ports[0] = &f->port[0];
    f->ports[1] = &f->port[1];
    f->report = (struct report){f->config, f->node, f->ports, 2, SVR_SECOND};
}

static void start(fixture *f)
{
    start_with(f, config_load_text(authority, sizeof authority - 1, "test",
                                   "r1", NULL, stderr));
}

static void finish(fixture *f)
{
    neighbours_destroy(f->port[0].neighbours);
    svr_node_destroy(f->node);
    config_free(f->config);
}

static json_t *ask_text(fixture *f, const char *line)
{
    size_t len = strlen(line);
    char *copy = malloc(len + (len == 0));
    char *text;
    json_t *answer;

    for (size_t i = 0; i < len; i++)
        copy[i] = line[i];
    text = report_answer(&f->report, copy, len, 62 * SVR_SECOND);
    free(copy);
    cr_assert_neq(text, NULL);
    cr_assert_eq(strchr(text, '\n'), text + strlen(text) - 1, "one line");
    answer = json_loads(text, 0, NULL);
    cr_assert_neq(answer, NULL);
    free(text);
    return answer;
}

/* What a dotted path leads to; numbers are places in lists. */
static json_t *at(json_t *o, const char *path)
{
    char copy[128];
    char *rest = copy;
    char *key;

    snprintf(copy, sizeof copy, "%s", path);
    while (o != NULL && (key = strsep(&rest, ".")) != NULL)
        o = json_is_array(o) ? json_array_get(o, strtoul(key, NULL, 10))
                             : json_object_get(o, key);
    return o;
}

static void expect_text(json_t *o, const char *path, const char *wanted)
{
    const char *found = json_string_value(at(o, path));

    cr_assert(found != NULL && strcmp(found, wanted) == 0, "%s: %s", path,
              found != NULL ? found : "(none)");
}

static void expect_number(json_t *o, const char *path, json_int_t wanted)
{
    cr_assert(json_is_integer(at(o, path)), "%s", path);
    cr_assert_eq(json_integer_value(at(o, path)), wanted, "%s", path);
}

/* A UDP packet without checksum from the client's port. */
static void send_udp(fixture *f, uint16_t port)
{
    static const uint8_t head[28] = {0x45, 0,    0,  28, 0, 0, 0,  0, 64, 17,
                                     0x66, 0xcd, 10, 1,  0, 2, 10, 2, 0,  2,
                                     0,    0,    0,  9,  0, 8, 0,  0};
    uint8_t buf[SVR_HEADROOM + 28 + SVR_TAILROOM];
    svr_packet p;
    uint32_t sum = 0;

    memcpy(buf + SVR_HEADROOM, head, sizeof head);
    cr_assert_eq(svr_packet_init(&p, buf, sizeof buf, 28), 0);
    p.data[20] = (uint8_t)(port >> 8);
    p.data[21] = (uint8_t)port;
    p.data[10] = p.data[11] = 0;
    for (size_t i = 0; i < 20; i += 2)
        sum += (uint32_t)p.data[i] << 8 | p.data[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    p.data[10] = (uint8_t)(~sum >> 8);
    p.data[11] = (uint8_t)~sum;
    cr_assert_eq(svr_node_input(f->node, &p, 1, SVR_SECOND), 1, "dropped: %s",
                 svr_drop_name((enum svr_drop)p.drop));
}

Test(router_report, status)
{
    fixture f;
    json_t *o;

    start(&f);
    send_udp(&f, 1000);
    o = ask_text(&f, "{\"command\": \"status\"}");
    expect_text(o, "schema", "svr.status/1");
    expect_text(o, "data.version", SVR_VERSION);
    expect_text(o, "data.router", "r1");
    expect_text(o, "data.authority", "test");
    expect_number(o, "data.uptime_s", 61);
    expect_number(o, "data.boot", 7);
    expect_number(o, "data.sessions", 1);
    expect_number(o, "data.session_limit", 65536);
    expect_text(o, "data.interfaces.0.name", "lan0");
    expect_text(o, "data.interfaces.0.kind", "tap");
    expect_text(o, "data.interfaces.0.device", "tap0");
    expect_text(o, "data.interfaces.0.addresses.0", "10.1.0.1/24");
    expect_text(o, "data.interfaces.0.addresses.1", "fd00:1::1/64");
    expect_number(o, "data.interfaces.0.mtu", 1500);
    expect_text(o, "data.interfaces.1.kind", "tun");
    expect_number(o, "data.interfaces.1.mtu", 1400);
    cr_assert(json_is_false(at(o, "data.interfaces.1.failed")));
    cr_assert_eq(json_array_size(at(o, "data.pathways")), 0);
    json_decref(o);
    finish(&f);
}

Test(router_report, counters)
{
    fixture f;
    json_t *o;

    start(&f);
    send_udp(&f, 1000);
    send_udp(&f, 1000);
    f.port[1].counters.transmit = 3;
    o = ask_text(&f, "{\"command\": \"counters\"}");
    expect_text(o, "schema", "svr.counters/1");
    expect_number(o, "data.received", 2);
    expect_number(o, "data.forwarded", 2);
    expect_number(o, "data.held", 0);
    expect_number(o, "data.aliases_refused", 0);
    cr_assert_eq(json_object_size(at(o, "data.dropped")), SVR_DROP_COUNT - 1,
                 "each reason, once");
    expect_number(o, "data.dropped.no-neighbour", 0);
    expect_number(o, "data.ports.lan0.received_frames", 0);
    expect_number(o, "data.ports.lan0.neighbours.known", 0);
    expect_number(o, "data.ports.lan1.transmit", 3);
    cr_assert_eq(at(o, "data.ports.lan1.neighbours"), NULL);
    json_decref(o);
    finish(&f);
}

Test(router_report, a_session)
{
    fixture f;
    json_t *o;

    start(&f);
    send_udp(&f, 1000);
    o = ask_text(&f, "{\"command\": \"sessions\"}");
    expect_text(o, "schema", "svr.sessions/1");
    cr_assert_eq(json_string_length(at(o, "data.0.uuid")), 36);
    expect_text(o, "data.0.tenant", "staff");
    expect_text(o, "data.0.service", "everything");
    expect_text(o, "data.0.role", "local");
    expect_text(o, "data.0.context.src", "10.1.0.2");
    expect_text(o, "data.0.context.dst", "10.2.0.2");
    expect_number(o, "data.0.context.sport", 1000);
    expect_number(o, "data.0.context.dport", 9);
    expect_text(o, "data.0.context.proto", "udp");
    cr_assert_eq(json_array_size(at(o, "data.0.waypoints")), 0);
    expect_text(o, "data.0.interfaces.client", "lan0");
    expect_text(o, "data.0.interfaces.server", "lan1");
    expect_text(o, "data.0.metadata.client", "none");
    expect_number(o, "data.0.age_s", 61);
    expect_number(o, "data.0.expires_s", 119);
    expect_number(o, "data.0.packets.forward", 1);
    expect_number(o, "data.0.packets.reverse", 0);
    expect_number(o, "data.0.bytes.forward", 28);
    cr_assert_eq(at(o, "next"), NULL);
    json_decref(o);
    finish(&f);
}

/* One that was refused has never been: it has no age, no end, and no role. */
Test(router_report, a_session_that_was_refused)
{
    const svr_session_info info = {
        .service = "everything",
        .context = {.sport = 1000, .dport = 9, .proto = 17},
    };
    json_t *o = report_session(&info, 62 * SVR_SECOND);

    expect_text(o, "service", "everything");
    expect_number(o, "context.sport", 1000);
    cr_assert(json_is_null(at(o, "state")));
    cr_assert_eq(at(o, "role"), NULL);
    cr_assert_eq(at(o, "age_s"), NULL);
    cr_assert_eq(at(o, "expires_s"), NULL);
    json_decref(o);
}

Test(router_report, many_sessions_come_in_pieces)
{
    static bool seen[200];
    size_t pieces = 0, count = 0;
    json_int_t cursor = 0;
    fixture f;

    start(&f);
    for (uint16_t port = 0; port < 100; port++)
        send_udp(&f, (uint16_t)(1000 + port));
    do {
        char line[80];
        json_t *o;
        json_t *data;

        snprintf(line, sizeof line,
                 "{\"command\": \"sessions\", \"cursor\": %lld}",
                 (long long)cursor);
        o = ask_text(&f, line);
        data = at(o, "data");
        cr_assert_leq(json_array_size(data), REPORT_PIECE);
        for (size_t i = 0; i < json_array_size(data); i++, count++) {
            json_int_t port = json_integer_value(
                at(json_array_get(data, i), "context.sport"));

            cr_assert_not(seen[port - 1000], "each one once");
            seen[port - 1000] = true;
        }
        cursor = json_integer_value(at(o, "next"));
        json_decref(o);
        pieces++;
    } while (cursor != 0);
    cr_assert_eq(count, 100);
    cr_assert_eq(pieces, (100 + REPORT_PIECE - 1) / REPORT_PIECE);
    finish(&f);
}

Test(router_report, paths)
{
    fixture f;
    json_t *o;

    start_with(&f, load_pathways());
    o = ask_text(&f, "{\"command\": \"paths\"}");
    expect_text(o, "schema", "svr.paths/1");
    cr_assert_eq(json_array_size(at(o, "data")), 2);
    expect_text(o, "data.1.name", "two");
    expect_text(o, "data.1.peer", "r2");
    expect_text(o, "data.1.interface", "wan0");
    expect_text(o, "data.1.local", "192.0.2.3");
    expect_text(o, "data.1.remote", "192.0.2.2");
    expect_text(o, "data.1.security", "default");
    expect_text(o, "data.1.state", "Down");
    expect_text(o, "data.1.reason", "none");
    expect_number(o, "data.1.since_s", 62);
    expect_number(o, "data.1.flaps", 0);
    expect_number(o, "data.1.mtu", 576);
    expect_number(o, "data.1.peer_boot", 0);
    expect_number(o, "data.1.sessions", 0);
    expect_number(o, "data.1.cost", 0);
    cr_assert(json_is_null(at(o, "data.1.vector")));
    cr_assert(json_is_null(at(o, "data.1.capacity")));
    cr_assert(json_is_false(at(o, "data.1.ready")));
    cr_assert(json_is_null(at(o, "data.1.quality")));
    cr_assert(json_is_null(at(o, "data.1.nat.own")));
    cr_assert(json_is_null(at(o, "data.1.nat.peer")));
    cr_assert(json_is_false(at(o, "data.1.tcp_as_udp")));
    cr_assert_eq(at(o, "next"), NULL);
    json_decref(o);
    finish(&f);
}

/* Which services a pathway is too bad for. */
Test(router_report, limits_of_a_pathway)
{
    static const struct {
        svr_quality q;
        const char *beyond;
    } rows[] = {
        {{.latency_us = 50000, .mos = 4000}, "[]"},
        {{.latency_us = 50001, .mos = 4000}, "[\"tight\"]"},
        {{.jitter_us = 30001, .mos = 4000}, "[\"calls\"]"},
        {{.loss_ppm = 30001, .mos = 4000}, "[\"calls\", \"tight\"]"},
        {{.mos = 3599}, "[\"calls\"]"},
    };
    fixture f;
    svr_pathway_info info = {.measured = true};

    start_with(&f, config_load_text(with_limits, sizeof with_limits - 1, "test",
                                    "r1", NULL, stderr));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *wanted = json_loads(rows[i].beyond, 0, NULL);
        info.quality = rows[i].q;
        json_t *found = report_beyond(&f.report, &info);
        cr_expect(json_equal(found, wanted), "row %zu", i);
        json_decref(found);
        json_decref(wanted);
    }
    info.measured = false;
    cr_expect(json_is_null(report_beyond(&f.report, &info)));
    finish(&f);

    start(&f);
    info.measured = true;
    cr_expect(json_is_null(report_beyond(&f.report, &info)), "no limits");
    finish(&f);
}

/* Where a session would go: out of an own interface, and along pathways. */
Test(router_report, explain)
{
    static const struct {
        const char *ask, *wrong;
    } rows[] = {
        {"\"tenant\": \"nobody\", \"address\": \"10.2.0.9\", \"port\": 80, "
         "\"protocol\": \"tcp\"",
         "tenant must be"},
        {"\"address\": \"10.2.0.9\", \"port\": 80, \"protocol\": \"tcp\"",
         "tenant must be"},
        {"\"tenant\": \"staff\", \"address\": \"10.2.0\", \"port\": 80, "
         "\"protocol\": \"tcp\"",
         "address must be"},
        {"\"tenant\": \"staff\", \"address\": \"10.2.0.9\", \"port\": "
         "65536, \"protocol\": \"tcp\"",
         "port must be"},
        {"\"tenant\": \"staff\", \"address\": \"10.2.0.9\", \"port\": "
         "\"80\", \"protocol\": \"tcp\"",
         "port must be"},
        {"\"tenant\": \"staff\", \"address\": \"10.2.0.9\", \"port\": 80, "
         "\"protocol\": \"256\"",
         "protocol must be"},
    };
    fixture f;
    json_t *o;

    start(&f);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char ask[256];
        snprintf(ask, sizeof ask, "{\"command\": \"explain\", %s}",
                 rows[i].ask);
        o = ask_text(&f, ask);
        expect_text(o, "schema", "svr.error/1");
        cr_assert_not_null(
            strstr(json_string_value(at(o, "data.message")), rows[i].wrong));
        json_decref(o);
    }
    o = ask_text(&f, "{\"command\": \"explain\", \"tenant\": \"staff\", "
                     "\"address\": \"10.2.0.9\", \"port\": 80, "
                     "\"protocol\": \"tcp\"}");
    expect_text(o, "schema", "svr.explain/1");
    expect_text(o, "data.service", "everything");
    expect_text(o, "data.policy.best_path", "order");
    expect_number(o, "data.choice", 0);
    expect_text(o, "data.ways.0.interface", "lan1");
    cr_assert(json_is_null(at(o, "data.refused")));
    cr_assert_null(at(o, "data.ways.0.rank"));
    json_decref(o);
    o = ask_text(&f, "{\"command\": \"explain\", \"tenant\": \"none\", "
                     "\"address\": \"10.2.0.9\", \"port\": 80, "
                     "\"protocol\": \"17\"}");
    expect_text(o, "data.refused.reason", "no-tenant");
    cr_assert(json_is_null(at(o, "data.choice")));
    json_decref(o);
    o = ask_text(&f, "{\"command\": \"explain\", \"tenant\": \"staff\", "
                     "\"address\": \"fd00:9::1\", \"port\": 80, "
                     "\"protocol\": \"tcp\"}");
    expect_text(o, "data.refused.reason", "no-service");
    cr_assert(json_is_null(at(o, "data.service")));
    json_decref(o);
    finish(&f);
}

/* A pathway that sessions cannot take, since it has no cipher. */
Test(router_report, explain_a_lack_of_ciphers)
{
    fixture f;
    json_t *o;

    start_with(&f, load_pathways());
    o = ask_text(&f, "{\"command\": \"explain\", \"tenant\": \"none\", "
                     "\"address\": \"10.9.0.1\", \"port\": 80, "
                     "\"protocol\": \"tcp\"}");
    expect_text(o, "data.service", "secret");
    expect_text(o, "data.ways.0.passed_over.reason", "not-sealed");
    expect_text(o, "data.ways.0.passed_over.text",
                svr_drop_text(SVR_DROP_NOT_SEALED));
    json_decref(o);
    o = ask_text(&f, "{\"command\": \"explain\", \"tenant\": \"none\", "
                     "\"address\": \"10.8.0.1\", \"port\": 80, "
                     "\"protocol\": \"tcp\"}");
    expect_text(o, "data.service", "clear");
    cr_assert(json_is_null(at(o, "data.ways.0.passed_over")));
    json_decref(o);
    finish(&f);
}

/* The same by the name of a service, for whoever may reach it. */
Test(router_report, the_ways_to_a_service)
{
    static const struct {
        const char *service, *wrong;
    } rows[] = {
        {"\"nothing\"", "there is no service of that name"},
        {"7", "service must be a name"},
        {"\"hidden\"", "other services, or the router itself, have the "
                       "addresses of this service"},
    };
    fixture f;
    json_t *o;

    start_with(&f, config_load_text(with_services, sizeof with_services - 1,
                                    "test", "r1", NULL, stderr));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char ask[256];
        snprintf(ask, sizeof ask, "{\"command\": \"explain\", \"service\": %s}",
                 rows[i].service);
        o = ask_text(&f, ask);
        expect_text(o, "schema", "svr.error/1");
        expect_text(o, "data.message", rows[i].wrong);
        json_decref(o);
    }
    o = ask_text(&f, "{\"command\": \"explain\", \"service\": \"web\"}");
    expect_text(o, "schema", "svr.explain/1");
    expect_text(o, "data.service", "web");
    expect_text(o, "data.router", "r1");
    cr_assert_null(at(o, "data.tenant"));
    cr_assert(json_is_null(at(o, "data.refused")), "one tenant may");
    expect_number(o, "data.choice", 0);
    expect_text(o, "data.ways.0.interface", "lan1");
    json_decref(o);
    o = ask_text(&f, "{\"command\": \"explain\", \"service\": \"closed\"}");
    expect_text(o, "data.service", "closed");
    expect_text(o, "data.refused.reason", "access-denied");
    json_decref(o);
    finish(&f);
}

Test(router_report, topology)
{
    fixture f;
    json_t *o;

    start_with(&f, load_pathways());
    svr_node_handle_expiry(f.node, 62 * SVR_SECOND);
    o = ask_text(&f, "{\"command\": \"topology\"}");
    expect_text(o, "schema", "svr.topology/1");
    cr_assert_eq(json_array_size(at(o, "data")), 6);
    expect_text(o, "data.0.router", "r1");
    cr_assert(json_is_true(at(o, "data.0.heard")));
    expect_text(o, "data.1.router", "r2");
    cr_assert(json_is_false(at(o, "data.1.heard")));
    cr_assert(json_is_null(at(o, "data.1.age_s")));
    expect_text(o, "data.3.pathway", "two");
    expect_text(o, "data.3.from", "r1");
    expect_text(o, "data.3.to", "r2");
    cr_assert(json_is_true(at(o, "data.3.heard")));
    cr_assert(json_is_false(at(o, "data.3.up")));
    cr_assert(json_is_null(at(o, "data.3.quality")));
    expect_text(o, "data.5.pathway", "b");
    cr_assert(json_equal(at(o, "data.3.link"), at(o, "data.5.link")));
    cr_assert(json_is_false(at(o, "data.5.heard")));
    json_decref(o);
    finish(&f);
}

/* The service that leaves here, and how many sessions do. */
Test(router_report, the_load_of_a_service_in_the_topology)
{
    fixture f;
    json_t *o;

    start(&f);
    send_udp(&f, 1000);
    svr_node_handle_expiry(f.node, 62 * SVR_SECOND);
    svr_node_handle_expiry(f.node, 80 * SVR_SECOND);
    o = ask_text(&f, "{\"command\": \"topology\"}");
    cr_assert_eq(json_array_size(at(o, "data")), 1);
    expect_text(o, "data.0.services.0.name", "everything");
    expect_number(o, "data.0.services.0.sessions", 1);
    json_decref(o);
    finish(&f);
}

Test(router_report, a_pathway_goes_down_and_up)
{
    fixture f;
    json_t *o;

    start_with(&f, load_pathways());
    o = ask_text(&f, "{\"command\": \"pathway\", \"name\": \"two\", "
                     "\"down\": true}");
    expect_text(o, "schema", "svr.pathway/1");
    expect_text(o, "data.name", "two");
    json_decref(o);
    o = ask_text(&f, "{\"command\": \"status\"}");
    expect_text(o, "data.pathways.0.state", "Down");
    expect_text(o, "data.pathways.1.state", "AdminDown");
    json_decref(o);
    json_decref(ask_text(&f, "{\"command\": \"pathway\", \"name\": \"two\", "
                             "\"down\": false}"));
    o = ask_text(&f, "{\"command\": \"paths\"}");
    expect_text(o, "data.1.state", "Down");
    json_decref(o);
    finish(&f);
}

static size_t count_lines(FILE *log, const char *words)
{
    char line[256];
    size_t n = 0;

    rewind(log);
    while (fgets(line, sizeof line, log) != NULL)
        n += strstr(line, words) != NULL;
    return n;
}

/* One line for each change, and none where there is none. */
Test(router_report, the_log)
{
    FILE *log = tmpfile();
    struct watch w;
    fixture f;

    start_with(&f, load_pathways());
    cr_assert_eq(dup2(fileno(log), STDERR_FILENO), STDERR_FILENO);
    cr_assert_eq(watch_init(&w, 2), 0);
    watch_tick(&w, f.node, SVR_SECOND);
    cr_expect_eq(count_lines(log, "pathway"), 0, "down from the start");
    w.seen[1].up = true;
    watch_tick(&w, f.node, 2 * SVR_SECOND);
    watch_tick(&w, f.node, 3 * SVR_SECOND);
    cr_expect_eq(count_lines(log, "pathway"), 1);
    cr_expect_eq(count_lines(log, "pathway two to r2 is down: none"), 1);
    watch_free(&w);
    fclose(log);
    finish(&f);
}

Test(router_report, cursors_out_of_thin_air)
{
    static const char *const lines[] = {
        "{\"command\": \"sessions\", \"cursor\": 1}",
        "{\"command\": \"sessions\", \"cursor\": 65535}",
        "{\"command\": \"sessions\", \"cursor\": 65536}",
        "{\"command\": \"sessions\", \"cursor\": 4294967296}",
        "{\"command\": \"sessions\", \"cursor\": 9223372036854775807}",
    };
    fixture f;

    start(&f);
    send_udp(&f, 1000);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        json_t *o = ask_text(&f, lines[i]);

        expect_text(o, "schema", "svr.sessions/1");
        json_decref(o);
    }
    finish(&f);
}

Test(router_report, requests_that_are_none)
{
    static const char *const lines[] = {
        "",
        " ",
        "status",
        "{",
        "{}",
        "[]",
        "null",
        "\"status\"",
        "{\"command\": null}",
        "{\"command\": 1}",
        "{\"command\": [\"status\"]}",
        "{\"command\": \"dance\"}",
        "{\"command\": \"\"}",
        "{\"command\": \"status\"} x",
        "{\"command\": \"sessions\", \"cursor\": -1}",
        "{\"command\": \"paths\", \"cursor\": -1}",
        "{\"command\": \"pathway\", \"name\": \"one\", \"down\": true}",
        "{\"command\": \"pathway\", \"name\": \"one\"}",
        "{\"command\": \"pathway\", \"down\": true}",
        "{\"command\": \"pathway\", \"name\": 1, \"down\": true}",
        "{\"command\": \"pathway\", \"name\": \"one\", \"down\": 1}",
        "{\"command\": \"sessions\", \"cursor\": \"1\"}",
        "{\"command\": \"sessions\", \"cursor\": 1.5}",
        "{\"command\": \"sessions\", \"cursor\": 18446744073709551615}",
        "\xff\xfe",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    };
    fixture f;

    start(&f);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        json_t *o = ask_text(&f, lines[i]);

        expect_text(o, "schema", "svr.error/1");
        cr_assert(json_is_string(at(o, "data.message")), "%zu", i);
        json_decref(o);
    }
    finish(&f);
}
