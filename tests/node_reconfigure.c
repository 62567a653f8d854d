/* A running node is given another configuration. */
#include "node/node.h"
#include "node_net.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* The client's next query. Takes nothing; the server gets it. */
static void ask(struct net *net)
{
    trip(net, false, frame_udp(CLIENT, 5000, SERVER, 53, "query", 5));
}

static void answer(struct net *net)
{
    trip(net, true, frame_udp(SERVER, 53, CLIENT, 5000, "answer", 6));
}

/* A session whose packets go straight through all routers. */
static void open_udp(struct net *net)
{
    ask(net);
    answer(net);
    ask(net);
    answer(net);
}

/* Whether packets of the only session leave the straight way. */
static bool is_slow(const svr_node *n)
{
    bool slow = false;
    size_t seen = 0;

    for (uint32_t i = 0; i < n->table.cap; i++) {
        const svr__session *s = &n->table.sessions[i];
        if (!s->alive)
            continue;
        seen++;
        for (unsigned side = 0; side < 2; side++)
            slow |=
                svr__session_flow(&n->table, s, side)->flags & SVR__FLOW_SLOW;
    }
    cr_assert_eq(seen, 1);
    return slow;
}

static int apply(struct net *net, svr_node *n, const struct net_plan *p,
                 svr_reconfiguration *out)
{
    svr_reconfiguration tried, done;
    size_t live = net->live_bytes;
    size_t sessions = svr_node_session_count(n);
    int could = svr_node_reconfigure_try(n, &p->config, net->now, &tried);

    cr_assert_eq(net->live_bytes, live, "trying leaves nothing behind");
    cr_assert_eq(svr_node_session_count(n), sessions);
    int err = svr_node_reconfigure(n, &p->config, net->now, &done);
    cr_assert_eq(err, could);
    if (err == 0) {
        cr_assert_eq(memcmp(&tried, &done, sizeof(done)), 0);
        cr_assert_eq(svr_node_session_count(n), done.sessions_kept);
    }
    if (out)
        *out = done;
    if (err == 0)
        net_flush(net, n); /* what it has to say about it */
    return err;
}

/* What must be refused, with nothing changed. */
Test(node_reconfigure, refused)
{
    enum { NAME, LIMIT, INTERFACE, TENANT, PEER, WAYPOINT, ROUTE, TWICE, ROWS };
    const int expected[ROWS] = {
        [NAME] = SVR_ERR_ARGUMENT,    [LIMIT] = SVR_ERR_ARGUMENT,
        [INTERFACE] = SVR_ERR_EXISTS, [TENANT] = SVR_ERR_EXISTS,
        [PEER] = SVR_ERR_EXISTS,      [WAYPOINT] = SVR_ERR_ARGUMENT,
        [ROUTE] = SVR_ERR_ARGUMENT,   [TWICE] = SVR_ERR_CONFLICT,
    };
    static const char *const twice[] = {"corp", "corp", "guest", "servers"};
    struct net net;
    struct net_plan p;

    net_open(&net, &(struct net_options){.twin = true});
    open_udp(&net);
    for (int row = 0; row < ROWS; row++) {
        svr_counters before, after;
        size_t live = net.live_bytes;
        net_plan(&net, net.branch, &p);
        if (row == NAME)
            p.config.name = "brunch";
        else if (row == LIMIT)
            p.config.limits.sessions++;
        else if (row == INTERFACE)
            p.interfaces[NET_GUEST].name = "lan0";
        else if (row == TENANT)
            p.config.policy.tenants = twice;
        else if (row == PEER)
            p.peers[0].name = "branch";
        else if (row == WAYPOINT)
            p.pathways[0].local = addr("203.0.113.50");
        else if (row == ROUTE)
            p.routes[0].pathway = 7;
        else
            p.pathways[1].local = p.pathways[0].local,
            p.pathways[1].remote = p.pathways[0].remote;
        svr_node_counters(net.branch, &before);
        cr_assert_eq(svr_node_reconfigure(net.branch, &p.config, net.now, NULL),
                     expected[row], "row %d", row);
        svr_node_counters(net.branch, &after);
        cr_assert_eq(memcmp(&before, &after, sizeof(after)), 0);
        cr_assert_eq(net.live_bytes, live, "row %d", row);
        cr_assert_not(is_slow(net.branch));
        answer(&net);
    }
    net_close(&net);
}

/* Not while packets wait for svr_node_output. */
Test(node_reconfigure, refused_with_output)
{
    struct net net;
    struct net_plan p;
    uint8_t *buf = malloc(NET_BUFFER);
    svr_packet out;
    struct frame f =
        frame_tcp(CLIENT, 1, SERVER, 80, SVR_TCP_ACK, 1, 1, "x", 1); /* reset */

    net_open(&net, NULL);
    net_plan(&net, net.branch, &p);
    f.p.iface = NET_LAN;
    svr_node_input(net.branch, &f.p, 1, net.now);
    cr_assert_eq(svr_node_reconfigure(net.branch, &p.config, net.now, NULL),
                 SVR_ERR_ARGUMENT);
    cr_assert_eq(svr_node_output(net.branch, &out, buf, NET_BUFFER, net.now),
                 1);
    cr_assert_eq(svr_node_output(net.branch, &out, buf, NET_BUFFER, net.now),
                 0);
    cr_assert_eq(svr_node_reconfigure(net.branch, &p.config, net.now, NULL), 0);
    frame_free(&f);
    free(buf);
    net_close(&net);
}

/* No memory at any allocation: the node is as it was. */
Test(node_reconfigure, no_memory)
{
    struct net net;
    struct net_plan p;
    size_t failed = 0;

    net_open(&net, &(struct net_options){.watched = true, .twin = true});
    net_plan(&net, net.branch, &p);
    p.security[0].per_packet = true; /* there is room to be made for it */
    for (size_t at = 1;; at++) {
        size_t live = net.live_bytes;
        net.fail_at = net.allocations + at;
        int err = svr_node_reconfigure(net.branch, &p.config, net.now, NULL);
        net.fail_at = 0;
        if (err == 0)
            break;
        failed++;
        cr_assert_eq(err, SVR_ERR_NO_MEMORY);
        cr_assert_eq(net.live_bytes, live, "allocation %zu", at);
        cr_assert_not(net.branch->securities[0].per_packet);
        cr_assert_eq(net.branch->pathway_count, 2);
    }
    cr_assert_gt(failed, 15);
    cr_assert(net.branch->securities[0].per_packet);
    cr_assert_not_null(net.branch->protections);
    net_close(&net);
}

/* The same configuration once more: nobody notices. */
Test(node_reconfigure, the_same)
{
    const struct net_options rows[] = {
        {0}, {.per_packet = true}, {.v6_pathway = true}, {.hub = true}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct net net;
        struct net_plan p;
        svr_reconfiguration done;
        net_open(&net, &rows[i]);
        open_udp(&net);
        svr_node *nodes[] = {net.branch, net.dc, net.hub};
        for (size_t k = 0; k < 3 && nodes[k]; k++) {
            bool slow = is_slow(nodes[k]);
            net_plan(&net, nodes[k], &p);
            cr_assert_eq(apply(&net, nodes[k], &p, &done), 0);
            cr_assert_eq(done.sessions_kept, 1);
            cr_assert_eq(done.sessions_ended, 0);
            cr_assert_eq(done.pathways_kept, p.config.pathway_count);
            cr_assert_eq(is_slow(nodes[k]), slow);
            net_flush(&net, nodes[k]);
            cr_assert_eq(net.out_count, 0, "nothing is said about it");
        }
        ask(&net);
        answer(&net);
        net_close(&net);
    }
}

/* What becomes of a session from branch to dc when the configuration of one of
 * them changes. */
struct fate {
    const char *what;
    bool at_dc;
    void (*edit)(struct net_plan *p);
    enum svr_cause cause; /* NONE: the session stays, on the straight way */
};

static void no_staff(struct net_plan *p)
{
    static const char *const tenants[] = {"corp", "stuff.corp", "guest",
                                          "servers"};
    p->config.policy.tenants = tenants;
}

static void other_order(struct net_plan *p)
{
    static const char *const tenants[] = {"guest", "servers", "new", "corp",
                                          "staff.corp"};
    p->config.policy.tenants = tenants;
    p->config.policy.tenant_count = 5;
    p->access[0].tenant = 3;
    p->interfaces[NET_LAN].tenant =
        p->interfaces[NET_LAN].tenant == NET_STAFF ? 4 : 1;
    p->interfaces[NET_GUEST].tenant = 0;
}

static void deny_staff(struct net_plan *p)
{
    p->access[0] = (svr_access){.allow = false, .tenant = NET_STAFF};
}

static void deny_source(struct net_plan *p)
{
    static svr_access lines[2];
    lines[0] = p->access[0];
    lines[1] = (svr_access){.tenant = SVR_TENANT_NONE,
                            .source = {addr("10.1.0.8"), 29}};
    p->services[0].access = lines;
    p->services[0].access_count = 2;
}

static void deny_another_source(struct net_plan *p)
{
    deny_source(p);
    ((svr_access *)p->services[0].access)[1].source.addr = addr("10.1.0.16");
}

static void guests_live_there(struct net_plan *p)
{
    p->interfaces[NET_LAN].tenant = NET_GUESTS;
}

static void another_name(struct net_plan *p)
{
    p->services[0].name = "application";
}

static void another_prefix(struct net_plan *p)
{
    p->server_prefixes[0].addr = addr("10.4.0.0");
}

static void wider_prefix(struct net_plan *p)
{
    p->server_prefixes[0].len = 16;
}

/* A service in front of the other, which has the server now. */
static void narrower(struct net_plan *p)
{
    static svr_prefix host;
    host = (svr_prefix){addr(SERVER), 32};
    p->services[1] = p->services[0];
    p->services[0].name = "host";
    p->services[0].prefixes = &host;
    p->services[0].prefix_count = 1;
    p->config.policy.service_count = 2;
    p->routes[p->config.route_count] = p->routes[0];
    p->routes[p->config.route_count++].service = 1;
}

/* The same with a host that is not the server. */
static void beside(struct net_plan *p)
{
    narrower(p);
    ((svr_prefix *)p->services[0].prefixes)->addr = addr("10.2.0.77");
}

static void no_route(struct net_plan *p)
{
    p->config.route_count = 0;
}

static void other_pathway(struct net_plan *p)
{
    p->pathways[0].name = "wan1";
}

static void other_remote(struct net_plan *p)
{
    p->pathways[0].remote.b[15] = 99;
}

static void other_peer(struct net_plan *p)
{
    p->peers[0].name = "elsewhere";
    p->config.router_count = 0; /* it is among them then */
}

static void other_wan(struct net_plan *p)
{
    p->interfaces[NET_WAN].name = "internet";
}

static void other_lan(struct net_plan *p)
{
    p->interfaces[NET_LAN].name = "lan1";
}

static void other_mode(struct net_plan *p)
{
    p->security[0].mode = SVR_HMAC_REGULAR;
}

static void other_key_name(struct net_plan *p)
{
    p->security[0].name = "secret";
}

static void other_lan_network(struct net_plan *p)
{
    p->lan[0] = (svr_prefix){addr("10.77.0.1"), 24};
}

static void a_gateway(struct net_plan *p)
{
    other_lan_network(p);
    p->interfaces[NET_LAN].gateway_v4 = addr("10.77.0.254");
}

static void own_server(struct net_plan *p)
{
    p->lan[0].addr = addr(SERVER);
}

static void interfaces_backwards(struct net_plan *p)
{
    size_t last = p->config.interface_count - 1;
    for (size_t i = 0; i < (last + 1) / 2; i++) {
        svr_interface_config c = p->interfaces[i];
        p->interfaces[i] = p->interfaces[last - i];
        p->interfaces[last - i] = c;
    }
    p->pathways[0].iface = (uint16_t)(last - NET_WAN);
    p->routes[0].iface = (uint16_t)(last - NET_LAN);
}

static void restarted(struct net_plan *p)
{
    p->pathways[0].watch.hold_down++;
}

static void all_routers(struct net_plan *p)
{
    static const char *const routers[] = {"zeta", "hub", "dc", "branch"};
    p->config.routers = routers;
    p->config.router_count = 4;
}

static const struct fate fates[] = {
    {"routers are listed", true, all_routers, SVR_CAUSE_NONE},
    {"tenant gone", false, no_staff, SVR_CAUSE_REMOVED},
    {"tenant gone at dc", true, no_staff, SVR_CAUSE_REMOVED},
    {"tenants in another order", false, other_order, SVR_CAUSE_NONE},
    {"tenants in another order at dc", true, other_order, SVR_CAUSE_NONE},
    {"denied", false, deny_staff, SVR_CAUSE_ACCESS},
    {"denied at dc", true, deny_staff, SVR_CAUSE_ACCESS},
    {"source denied", false, deny_source, SVR_CAUSE_ACCESS},
    {"source denied at dc", true, deny_source, SVR_CAUSE_ACCESS},
    {"another source denied", true, deny_another_source, SVR_CAUSE_NONE},
    {"client has another tenant", false, guests_live_there, SVR_CAUSE_ACCESS},
    {"server's LAN has one", true, guests_live_there, SVR_CAUSE_NONE},
    {"service renamed", false, another_name, SVR_CAUSE_REMOVED},
    {"service elsewhere", false, another_prefix, SVR_CAUSE_REMOVED},
    {"service elsewhere at dc", true, another_prefix, SVR_CAUSE_REMOVED},
    {"service wider", true, wider_prefix, SVR_CAUSE_NONE},
    {"hidden by another service", false, narrower, SVR_CAUSE_REMOVED},
    {"another service beside", false, beside, SVR_CAUSE_NONE},
    {"another service beside at dc", true, beside, SVR_CAUSE_NONE},
    {"no route", false, no_route, SVR_CAUSE_REMOVED},
    {"no route at dc", true, no_route, SVR_CAUSE_REMOVED},
    {"pathway renamed", false, other_pathway, SVR_CAUSE_REMOVED},
    {"another waypoint", true, other_remote, SVR_CAUSE_REMOVED},
    {"peer renamed", false, other_peer, SVR_CAUSE_REMOVED},
    {"WAN interface renamed", false, other_wan, SVR_CAUSE_REMOVED},
    {"LAN interface renamed", true, other_lan, SVR_CAUSE_REMOVED},
    {"another HMAC mode", false, other_mode, SVR_CAUSE_REMOVED},
    {"security renamed", false, other_key_name, SVR_CAUSE_NONE},
    {"no way to the client", false, other_lan_network, SVR_CAUSE_REMOVED},
    {"no way to the server", true, other_lan_network, SVR_CAUSE_REMOVED},
    {"another way to the client", false, a_gateway, SVR_CAUSE_NONE},
    {"the server is the router", true, own_server, SVR_CAUSE_REMOVED},
    {"interfaces in another order", false, interfaces_backwards,
     SVR_CAUSE_NONE},
    {"interfaces in another order at dc", true, interfaces_backwards,
     SVR_CAUSE_NONE},
    {"settings of a pathway", false, restarted, SVR_CAUSE_NONE},
};

static void note_cause(void *user, const svr_event *e)
{
    if (e->kind == SVR_EVENT_SESSION_ENDED)
        *(enum svr_cause *)user = e->cause;
}

/* A packet of the client or the server passes the router that has changed; its
 * interfaces are where the plan has them. */
static enum svr_drop pass(struct net *net, const struct fate *row,
                          const struct net_plan *p, const char *lan)
{
    uint16_t iface = 0;
    struct frame f = row->at_dc
                         ? frame_udp(SERVER, 53, CLIENT, 5000, "answer", 6)
                         : frame_udp(CLIENT, 5000, SERVER, 53, "query", 5);

    while (strcmp(p->interfaces[iface].name, lan) != 0)
        iface++;
    enum svr_drop reason =
        net_input(net, row->at_dc ? net->dc : net->branch, &f, iface);
    if (reason == SVR_DROP_NONE) {
        cr_assert_eq(net->out_count, 1, "%s", row->what);
        cr_assert_eq(net->out[0].p.iface, p->pathways[0].iface, "%s",
                     row->what);
    }
    frame_free(&f);
    return reason;
}

/* dc knows by which router the session came (S20). */
static void expect_record(const svr_node *n)
{
    const svr__session *s = n->table.sessions;

    while (!s->alive)
        s++;
    cr_assert_str_eq(svr__names_at(&n->routers, s->passed.router[0]), "branch");
}

Test(node_reconfigure, fates)
{
    for (size_t i = 0; i < sizeof(fates) / sizeof(fates[0]); i++) {
        const struct fate *row = &fates[i];
        enum svr_cause cause = SVR_CAUSE_NONE;
        struct net_options o = {.notify = {note_cause, &cause}};
        struct net net;
        struct net_plan p;
        svr_reconfiguration done;
        net_open(&net, &o);
        open_udp(&net);
        svr_node *n = row->at_dc ? net.dc : net.branch;
        net_plan(&net, n, &p);
        row->edit(&p);
        cr_assert_eq(apply(&net, n, &p, &done), 0, "%s", row->what);
        cr_assert_eq(cause, row->cause, "%s: %s", row->what,
                     svr_cause_name(cause));
        cr_assert_eq(done.sessions_ended, row->cause != SVR_CAUSE_NONE);
        if (row->cause == SVR_CAUSE_NONE) {
            cr_assert_not(is_slow(n), "%s", row->what);
            cr_assert_eq(pass(&net, row, &p, "lan0"), SVR_DROP_NONE);
            if (row->at_dc)
                expect_record(n);
        }
        net_close(&net);
    }
}

/* The key is another: the session keeps its own, and its packets pass before
 * the other router has followed; then sessions begin with the new one. */
Test(node_reconfigure, another_key)
{
    struct net net;
    struct net_plan p;

    net_open(&net, &(struct net_options){.per_packet = true});
    open_udp(&net);
    for (int i = 0; i < 2; i++) {
        net_plan(&net, i ? net.dc : net.branch, &p);
        memset(p.security[0].key, 0x77, SVR_KEY_SIZE);
        cr_assert_eq(apply(&net, i ? net.dc : net.branch, &p, NULL), 0);
        ask(&net);
        answer(&net);
    }
    trip(&net, false, frame_udp(CLIENT, 5001, SERVER, 53, "query", 5));
    trip(&net, true, frame_udp(SERVER, 53, CLIENT, 5001, "answer", 6));
    cr_assert_eq(svr_node_session_count(net.dc), 2);
    net_close(&net);
}

/* A reset to the server or the client of the connection below. */
static void expect_reset(const struct frame *f, bool server)
{
    svr_headers h = frame_headers(f);

    cr_assert_eq(f->p.iface, NET_LAN);
    cr_assert(h.tcp_flags & SVR_TCP_RST);
    cr_assert_eq(h.tuple.dport, server ? 80 : 40);
    cr_assert_eq(h.tcp_seq, server ? 15 : 100);
}

/* S7: the neighbour on the way to the client, and then the client's router,
 * know that the session is no more, and of no other. */
Test(node_reconfigure, neighbours_are_told)
{
    for (int backwards = 0; backwards < 2; backwards++) {
        struct net net;
        struct net_plan p;
        net_open(&net, NULL);
        open_udp(&net);
        trip(&net, false, frame_udp(CLIENT, 5001, "10.2.0.20", 53, "query", 5));
        net_plan(&net, net.dc, &p);
        if (backwards)
            interfaces_backwards(&p);
        p.server_prefixes[0] = (svr_prefix){addr("10.2.0.16"), 28};
        cr_assert_eq(apply(&net, net.dc, &p, NULL), 0);
        cr_assert_eq(svr_node_session_count(net.dc), 1);
        cr_assert_eq(net.out_count, 1);
        cr_assert_eq(net.out[0].p.iface, p.pathways[0].iface);
        struct frame f = net_take(&net, 0);
        cr_assert_eq(net_input(&net, net.branch, &f, NET_WAN), SVR_DROP_NONE);
        cr_assert_eq(svr_node_session_count(net.branch), 1);
        frame_free(&f);
        net_close(&net);
    }
}

/* S6.10: a connection that may not go on is reset at both ends, where they
 * stand. */
Test(node_reconfigure, hosts_are_told)
{
    for (int at_dc = 0; at_dc < 2; at_dc++) {
        struct net net;
        struct net_plan p;

        net_open(&net, NULL);
        trip(&net, false,
             frame_tcp(CLIENT, 40, SERVER, 80, SVR_TCP_SYN, 9, 0, "", 0));
        trip(&net, true,
             frame_tcp(SERVER, 80, CLIENT, 40, SVR_TCP_SYN | SVR_TCP_ACK, 99,
                       10, "", 0));
        trip(&net, false,
             frame_tcp(CLIENT, 40, SERVER, 80, SVR_TCP_ACK, 10, 100, NULL, 5));
        trip(&net, true,
             frame_tcp(SERVER, 80, CLIENT, 40, SVR_TCP_ACK, 100, 15, "", 0));
        net_plan(&net, at_dc ? net.dc : net.branch, &p);
        p.access[0].allow = false;
        cr_assert_eq(apply(&net, at_dc ? net.dc : net.branch, &p, NULL), 0);
        cr_assert_eq(net.out_count, 2, "the neighbour, and the host");
        struct frame first = net_take(&net, 0), second = net_take(&net, 1);
        bool swap = first.p.iface == NET_LAN;
        expect_reset(swap ? &first : &second, at_dc);
        cr_assert_eq(net_input(&net, at_dc ? net.branch : net.dc,
                               swap ? &second : &first, NET_WAN),
                     SVR_DROP_NONE);
        cr_assert_eq(net.out_count, 1);
        frame_free(&first);
        first = net_take(&net, 0);
        expect_reset(&first, !at_dc);
        frame_free(&first);
        frame_free(&second);
        net_close(&net);
    }
}

/* Sessions that begin later are opened by the new configuration. */
Test(node_reconfigure, new_sessions)
{
    struct net net;
    struct net_plan p;
    struct frame f = frame_udp(CLIENT, 5001, SERVER, 53, "query", 5);

    net_open(&net, NULL);
    net_plan(&net, net.branch, &p);
    p.access[0].allow = false;
    cr_assert_eq(apply(&net, net.branch, &p, NULL), 0);
    cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_ACCESS);
    frame_free(&f);
    p.access[0].allow = true;
    cr_assert_eq(apply(&net, net.branch, &p, NULL), 0);
    open_udp(&net);
    net_close(&net);
}

/* A transit router, which knows both neighbours by pathways. */
Test(node_reconfigure, transit)
{
    struct net net;
    struct net_plan p;
    svr_pathway_config first;

    net_open(&net, &(struct net_options){.hub = true, .per_packet = true});
    open_udp(&net);
    net_plan(&net, net.hub, &p);
    first = p.pathways[0];
    p.pathways[0] = p.pathways[1];
    p.pathways[1] = first;
    p.routes[0].pathway = 0;
    cr_assert_eq(apply(&net, net.hub, &p, NULL), 0);
    cr_assert_not(is_slow(net.hub) && !is_slow(net.branch));
    ask(&net);
    answer(&net);
    p.routes[0].pathway = 1; /* back where it came from */
    svr_reconfiguration done;
    cr_assert_eq(apply(&net, net.hub, &p, &done), 0);
    cr_assert_eq(done.sessions_ended, 1);
    net_close(&net);
}

/* A peer that was gone knows the numbers of before. */
Test(node_reconfigure, peer_comes_back)
{
    struct net net;
    struct net_plan p;

    net_open(&net, NULL);
    for (int i = 0; i < 20; i++)
        trip(&net, false,
             frame_udp(CLIENT, (uint16_t)(6000 + i), SERVER, 53, "query", 5));
    for (int back = 0; back < 2; back++) {
        net_plan(&net, net.branch, &p);
        if (!back)
            p.config.peer_count = p.config.pathway_count =
                p.config.route_count = 0;
        cr_assert_eq(apply(&net, net.branch, &p, NULL), 0);
    }
    cr_assert_eq(svr_node_session_count(net.branch), 0);
    open_udp(&net);
    cr_assert_eq(net_dropped(net.dc, SVR_DROP_REPLAY), 0);
    net_close(&net);
}

/* A replay window goes along with its peer. */
Test(node_reconfigure, replays_stay_replays)
{
    struct net net;
    struct net_plan p;
    struct frame f = frame_udp(CLIENT, 5000, SERVER, 53, "query", 5);

    net_open(&net, NULL);
    cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
    struct frame wire = net_take(&net, 0), again = frame_copy(&wire);
    cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_NONE);
    net_plan(&net, net.dc, &p);
    cr_assert_eq(apply(&net, net.dc, &p, NULL), 0);
    cr_assert_eq(net_input(&net, net.dc, &again, NET_WAN), SVR_DROP_REPLAY);
    frame_free(&again);
    frame_free(&wire);
    frame_free(&f);
    net_close(&net);
}

/* Shorter lifetimes hold for sessions that are there. */
Test(node_reconfigure, lifetimes)
{
    struct net net;
    struct net_plan p;

    net_open(&net, &(struct net_options){.forever = true});
    trip(&net, false, frame_udp(CLIENT, 5000, SERVER, 99, "hello", 5));
    net_run(&net, net.branch, net.now + 3600 * SVR_SECOND);
    cr_assert_eq(svr_node_session_count(net.branch), 1);
    net_plan(&net, net.branch, &p);
    p.config.limits.udp = 3610 * SVR_SECOND;
    cr_assert_eq(apply(&net, net.branch, &p, NULL), 0);
    net_run(&net, net.branch, net.now + 9 * SVR_SECOND);
    cr_assert_eq(svr_node_session_count(net.branch), 1);
    net_run(&net, net.branch, net.now + 2 * SVR_SECOND);
    cr_assert_eq(svr_node_session_count(net.branch), 0);
    net_close(&net);
}

/* An IP fragment waits for the rest of its packet, on an interface that gets
 * another number or goes. */
Test(node_reconfigure, fragments)
{
    for (int gone = 0; gone < 2; gone++) {
        struct net net;
        struct net_plan p;
        svr_counters c;
        struct frame whole = frame_udp(CLIENT, 5000, SERVER, 53, NULL, 1200);
        struct frame piece[2];
        svr_ip_split split;
        net_open(&net, NULL);
        whole.p.data[6] = whole.p.data[7] = 0;
        cr_assert_eq(svr_ip_split_begin(&split, &whole.p, 700, 7), 0);
        for (int i = 0; i < 2; i++) {
            piece[i] = frame_new(700);
            cr_assert_eq(
                svr_ip_split_next(&split, &piece[i].p, piece[i].buf, NET_SMALL),
                0);
        }
        net_input(&net, net.branch, &piece[0], NET_LAN);
        net_plan(&net, net.branch, &p);
        interfaces_backwards(&p);
        if (gone)
            p.interfaces[2].name = "lan9";
        cr_assert_eq(apply(&net, net.branch, &p, NULL), 0);
        net_input(&net, net.branch, &piece[1], 2);
        svr_node_counters(net.branch, &c);
        cr_assert_eq(c.reassembled, !gone);
        cr_assert_eq(c.reassembly_lost, (uint64_t)gone);
        frame_free(&piece[0]);
        frame_free(&piece[1]);
        frame_free(&whole);
        net_close(&net);
    }
}

/* A further tuple of a session (S17) is found where its interface is now, and
 * goes with its pathway. */
Test(node_reconfigure, aliases)
{
    struct net net;
    struct net_plan p;
    svr__flow_key key = {.src = addr("203.0.113.102"),
                         .dst = addr("203.0.113.101"),
                         .sport = 20001,
                         .dport = 20000,
                         .iface = NET_WAN,
                         .proto = SVR_PROTO_UDP};
    net_open(&net, &(struct net_options){.twin = true});
    open_udp(&net);
    svr__table *t = &net.branch->table;
    uint32_t number = 0;
    while (!t->sessions[number].alive)
        number++;
    svr__alias what = {
        .key = key, .session = number, .pathway = 1, .side = SVR__SERVER};
    cr_assert_not_null(svr__alias_bind(t, what, net.now));

    net_plan(&net, net.branch, &p);
    svr_interface_config lan = p.interfaces[NET_LAN];
    p.interfaces[NET_LAN] = p.interfaces[NET_WAN];
    p.interfaces[NET_WAN] = lan;
    p.pathways[0].iface = p.pathways[1].iface = NET_LAN;
    cr_assert_eq(apply(&net, net.branch, &p, NULL), 0);
    cr_assert_not(svr__key_taken(t, &key));
    key.iface = NET_LAN;
    const svr__alias *alias =
        svr__alias_find(&t->aliases, &key, svr__flow_hash(t, &key));
    cr_assert_not_null(alias);
    cr_assert_eq(alias->pathway, 1);

    p.config.pathway_count = 1;
    p.config.route_count = 1;
    cr_assert_eq(apply(&net, net.branch, &p, NULL), 0);
    cr_assert_not(svr__key_taken(t, &key));
    cr_assert_null(svr__alias_first(&t->aliases, number));
    cr_assert_eq(svr_node_session_count(net.branch), 1);
    net_close(&net);
}

/* Under load, ten times a second for ten seconds: every packet of a session
 * whose service does not change arrives, on the straight way; the other
 * service comes and goes. */
Test(node_reconfigure, under_load)
{
    struct net net;
    struct net_plan p;

    net_open(&net, &(struct net_options){.per_packet = true, .reverse = true});
    open_tcp(&net);
    open_udp(&net);
    for (int step = 0; step < 1000; step++) {
        net_run(&net, net.branch, net.now + 10 * SVR_MILLISECOND);
        ask(&net);
        answer(&net);
        if (step % 10)
            continue;
        svr_node *n = step % 20 ? net.dc : net.branch;
        svr_reconfiguration done;
        net_plan(&net, n, &p);
        if (step % 3 == 0) {
            p.config.policy.service_count = 1;
            p.config.route_count = 1;
        }
        if (step % 7 == 0)
            other_order(&p);
        p.reverse_access[0].tenant = p.interfaces[NET_LAN].tenant;
        cr_assert_eq(apply(&net, n, &p, &done), 0);
        cr_assert_eq(done.sessions_kept, 2);
    }
    trip(&net, false, client_segment(110, NULL, 10));
    net_close(&net);
}

/* S17: a running session is duplicated from when its service is, and no longer
 * than that. */
static void set_resiliency(struct net *net, svr_node *n,
                           enum svr_resiliency resiliency)
{
    struct net_plan p;

    net_plan(net, n, &p);
    p.services[0].policy.resiliency = resiliency;
    cr_assert_eq(svr_node_reconfigure(n, &p.config, net->now, NULL), 0);
    net_flush(net, n);
}

static size_t legs_of_all(const svr_node *n)
{
    size_t legs = 0;
    for (uint32_t i = 0; i < n->table.cap; i++)
        for (const svr__alias *a = svr__alias_first(&n->table.aliases, i); a;
             a = svr__alias_next(&n->table.aliases, a))
            legs += a->kind == SVR__ALIAS_LEG;
    return legs;
}

Test(node_reconfigure, duplication_begins_and_ends)
{
    struct net net;
    svr_counters c;

    net_open(&net, &(struct net_options){.twin = true});
    open_udp(&net);
    cr_assert_not(is_slow(net.branch));
    set_resiliency(&net, net.dc, SVR_RESILIENCY_DUPLICATE);
    cr_assert_eq(legs_of_all(net.dc), 0, "its peer makes them");
    set_resiliency(&net, net.branch, SVR_RESILIENCY_DUPLICATE);
    cr_assert_eq(legs_of_all(net.branch), 1);
    cr_assert(is_slow(net.branch));

    struct frame f = frame_udp(CLIENT, 5000, SERVER, 53, "query", 5);
    cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
    frame_free(&f);
    cr_assert_eq(net.out_count, 2);
    svr_node_counters(net.branch, &c);
    cr_assert_eq(c.copies_sent, 1);
    struct frame both[2] = {net_take(&net, 0), net_take(&net, 1)};
    unsigned came = 0;
    for (int i = 0; i < 2; i++) {
        came += net_input(&net, net.dc, &both[i], NET_WAN) == SVR_DROP_NONE;
        frame_free(&both[i]);
    }
    cr_assert_eq(came, 1);
    cr_assert_eq(legs_of_all(net.dc), 1);

    set_resiliency(&net, net.dc, SVR_RESILIENCY_NONE);
    set_resiliency(&net, net.branch, SVR_RESILIENCY_NONE);
    cr_assert_eq(legs_of_all(net.branch) + legs_of_all(net.dc), 0);
    cr_assert_not(is_slow(net.branch));
    cr_assert_not(is_slow(net.dc));
    open_udp(&net);
    net_close(&net);
}
