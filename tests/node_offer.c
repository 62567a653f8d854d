/* A node: what a neighbour's offer may take from sessions that run (S6.7,
 * S6.11), and that one which is refused changes nothing. */
#include "node/node.h"
#include "node_forge.h"

#include <criterion/criterion.h>
#include <string.h>

static void offer(struct net *net, const svr_metadata *md, uint16_t sport,
                  enum svr_drop reason)
{
    struct frame f = forge_from_branch(md, sport, SVR_PROTO_UDP);
    enum svr_drop got = net_input(net, net->dc, &f, NET_WAN);
    cr_assert_eq(got, reason, "%s", svr_drop_name(got));
    frame_free(&f);
}

static svr_metadata numbered(uint64_t packet, uint64_t exchange)
{
    svr_metadata md = forge_metadata();
    md.packet_number = packet;
    md.present |= SVR_HAS(EXCHANGE_NUMBER);
    md.exchange = (svr_exchange){.own = exchange, .unechoed = true};
    return md;
}

static void know_west(struct net *net)
{
    static const char *const routers[] = {"branch", "dc", "hub", "west"};
    struct net_plan p;

    net_plan(net, net->dc, &p);
    p.config.routers = routers;
    p.config.router_count = 4;
    cr_assert_eq(svr_node_reconfigure(net->dc, &p.config, net->now, NULL), 0);
}

/* S6.7: another life of a session is told by its ingress, which is the first of
 * the routers passed. */
Test(node_offer, takeover)
{
#define RECORD(text) text, sizeof(text) - 1
    static const struct {
        const char *first;
        size_t first_len;
        const char *second;
        size_t second_len;
        uint64_t exchange;
        enum svr_drop reason;
    } rows[] = {
        {RECORD("\1\0\6branch"), RECORD("\1\0\6branch"), 41, SVR_DROP_NONE},
        {RECORD("\1\0\6branch"), RECORD("\1\0\6branch"), 39,
         SVR_DROP_TUPLE_IN_USE},
        {RECORD("\2\0\3hub\6branch"), RECORD("\2\0\3hub\6branch"), 41,
         SVR_DROP_NONE},
        {RECORD("\2\0\3hub\6branch"), RECORD("\2\0\4west\6branch"), 41,
         SVR_DROP_TUPLE_IN_USE},
        /* a transit that was rebuilt does not know who came before */
        {RECORD("\1\0\6branch"), RECORD("\2\0\4west\6branch"), 41,
         SVR_DROP_NONE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct net net;
        net_open(&net, &(struct net_options){.regular = true});
        know_west(&net);
        svr_metadata md = numbered(5, 40);
        forge_record(&md, rows[i].first, rows[i].first_len);
        offer(&net, &md, 20000, SVR_DROP_NONE);
        md = numbered(6, rows[i].exchange);
        md.uuid.b[0] = 2;
        forge_record(&md, rows[i].second, rows[i].second_len);
        offer(&net, &md, 20002, rows[i].reason);
        cr_assert_eq(svr_node_session_count(net.dc), 1, "row %zu", i);
        struct frame answer = frame_udp(SERVER, 9, CLIENT, 50, NULL, 9);
        cr_assert_eq(net_input(&net, net.dc, &answer, NET_LAN), SVR_DROP_NONE);
        cr_assert_eq(frame_headers(&net.out[0]).tuple.dport,
                     rows[i].reason == SVR_DROP_NONE ? 20002 : 20000, "row %zu",
                     i);
        frame_free(&answer);
        net_close(&net);
    }
}

/* S20: what has come back is a loop, whatever else is wrong with it. */
Test(node_offer, loop_is_a_loop)
{
    struct net net;
    net_open(&net, &(struct net_options){.regular = true});
    svr_metadata md = numbered(5, 40);
    offer(&net, &md, 20000, SVR_DROP_NONE);
    md = numbered(6, 41);
    md.forward.sport = 51;
    offer(&net, &md, 20002, SVR_DROP_MD_CONFLICT);
    md.packet_number = 7;
    forge_record(&md, RECORD("\3\0\6branch\2dc\6branch"));
    offer(&net, &md, 20002, SVR_DROP_LOOP);
    net_close(&net);
}

/* S17: a session that is refused leaves the old tuple of another one alone. */
Test(node_offer, refused_on_an_old_tuple)
{
    struct net net;
    net_open(&net, &(struct net_options){.regular = true});
    svr_metadata md = numbered(5, 40);
    offer(&net, &md, 20000, SVR_DROP_NONE);
    md = numbered(6, 41);
    offer(&net, &md, 20002, SVR_DROP_NONE);
    md = numbered(7, 42);
    md.uuid.b[0] = 2;
    md.forward.sport = 51;
    md.service = (svr_span){(const uint8_t *)"none", 4};
    offer(&net, &md, 20000, SVR_DROP_MD_SERVICE);
    cr_assert_eq(net.dc->table.aliases.by_key.count, 1);
    md.packet_number = 8;
    md.service = (svr_span){(const uint8_t *)"apps", 4};
    offer(&net, &md, 20000, SVR_DROP_NONE);
    cr_assert_eq(net.dc->table.aliases.by_key.count, 0);
    cr_assert_eq(svr_node_session_count(net.dc), 2);
    net_close(&net);
}

static const svr__session *only_session(const svr_node *n)
{
    cr_assert_eq(svr_node_session_count(n), 1);
    const svr__session *s = n->table.sessions;
    while (!s->alive)
        s++;
    return s;
}

/* Metadata on a packet that cannot go on says nothing: it is dropped before the
 * session has moved or its machine has heard of it. */
Test(node_offer, packet_is_checked_first)
{
    for (uint16_t moved = 0; moved <= 2; moved += 2) {
        struct net net;
        struct frame wire;
        net_open(&net, &(struct net_options){.regular = true,
                                             .masked = NET_MASK_BRANCH});
        forward_trip(&net,
                     frame_tcp(CLIENT, 50, SERVER, 9, SVR_TCP_SYN, 7, 0, "", 0),
                     &wire);
        const svr__session *s = only_session(net.dc);
        svr_tuple t = frame_headers(&wire).tuple;
        svr_exchange before = svr_session_exchange(&s->machine, SVR__CLIENT);
        svr_metadata md = numbered((uint64_t)1 << 40, before.echo + 1);
        md.forward.proto = SVR_PROTO_TCP;
        md.uuid = s->uuid;
        t.sport = (uint16_t)(t.sport ^ moved);
        struct frame f = forge_signed("branch", "dc", &md, &t);
        cr_assert_eq(net_input(&net, net.dc, &f, NET_WAN), SVR_DROP_NOT_TCP);
        svr_counters c;
        svr_node_counters(net.dc, &c);
        cr_assert_eq(c.sessions_moved, 0);
        cr_assert_eq(svr_session_exchange(&s->machine, SVR__CLIENT).echo,
                     before.echo);
        frame_free(&f);
        frame_free(&wire);
        net_close(&net);
    }
}

/* S6.11: that it has a better session a router says once in a second. */
Test(node_offer, glare_is_told_once)
{
    for (uint64_t seed = 1;; seed++) {
        struct net net;
        net_open(&net, &(struct net_options){.reverse = true});
        net.random += seed * 7919;
        struct frame a = frame_udp(CLIENT, 7, SERVER, 9, "from client", 11);
        struct frame b = frame_udp(SERVER, 9, CLIENT, 7, "from server", 11);
        cr_assert_eq(net_input(&net, net.dc, &b, NET_LAN), SVR_DROP_NONE);
        bool wins = true;
        for (int i = 0; i < 4 && wins; i++) {
            struct frame copy = frame_copy(&a);
            cr_assert_eq(net_input(&net, net.branch, &copy, NET_LAN),
                         SVR_DROP_NONE);
            struct frame wire = net_take(&net, 0);
            wins = net_input(&net, net.dc, &wire, NET_WAN) == SVR_DROP_GLARE;
            if (wins)
                cr_assert_eq(net.out_count, i % 3 == 0, "packet %d", i);
            if (i == 2)
                net.now += SVR_SECOND;
            frame_free(&wire);
            frame_free(&copy);
        }
        frame_free(&a);
        frame_free(&b);
        net_close(&net);
        if (wins)
            return;
        cr_assert_lt(seed, 20, "dc's has the lower UUID now and then");
    }
}

/* S6.11: ranges of one port, and both ends open a session at one time. The
 * lower UUID stays; the other's host is told, since there is no port to go to.
 */
Test(node_offer, both_choose_the_same_ports)
{
    bool seen[2] = {false, false};

    for (uint64_t seed = 1; seed < 20 && !(seen[0] && seen[1]); seed++) {
        struct net net;
        struct frame from_branch, from_dc;

        net_open(&net, &(struct net_options){.reverse = true,
                                             .ports = {20000, 20000}});
        net.random += seed * 7919;
        from_branch = frame_udp(CLIENT, 50, SERVER, 9, NULL, 9);
        from_dc = frame_udp(SERVER, 60, CLIENT, 9, NULL, 9);
        cr_assert_eq(net_input(&net, net.branch, &from_branch, NET_LAN),
                     SVR_DROP_NONE);
        frame_free(&from_branch);
        from_branch = net_take(&net, 0);
        cr_assert_eq(net_input(&net, net.dc, &from_dc, NET_LAN), SVR_DROP_NONE);
        frame_free(&from_dc);
        from_dc = net_take(&net, 0);

        enum svr_drop at_dc = net_input(&net, net.dc, &from_branch, NET_WAN);
        bool branch_stays = at_dc == SVR_DROP_NONE;
        if (branch_stays)
            cr_assert_eq(net.out_count, 2, "the packet, and ICMP to its host");
        enum svr_drop at_branch =
            net_input(&net, net.branch, &from_dc, NET_WAN);
        cr_assert_eq(branch_stays ? at_branch : at_dc, SVR_DROP_TUPLE_IN_USE);
        cr_assert_eq(branch_stays ? at_dc : at_branch, SVR_DROP_NONE);
        cr_assert_eq(svr_node_session_count(net.branch), 1);
        cr_assert_eq(svr_node_session_count(net.dc), 1);
        cr_assert_eq(net_dropped(net.branch, SVR_DROP_TUPLE_IN_USE),
                     branch_stays);
        seen[branch_stays] = true;
        frame_free(&from_branch);
        frame_free(&from_dc);
        net_close(&net);
    }
    cr_assert(seen[0] && seen[1]);
}

/* S8.2: three times the bytes that were received may be told, but who has sent
 * much has not earned for ever. */
Test(node_offer, credit_ends)
{
    struct net net;
    net_open(&net, NULL);
    uint32_t most = 0;
    for (uint16_t i = 0; i < 40; i++) {
        svr_tuple t = {addr("203.0.113.1"), addr("203.0.113.2"),
                       (uint16_t)(20000 + 2 * i), 20001, SVR_PROTO_UDP};
        struct frame f = frame_udp_tuple(&t, NULL, 1400);
        cr_assert_eq(net_input(&net, net.dc, &f, NET_WAN), SVR_DROP_NO_SESSION);
        cr_assert_eq(net.out_count, 1);
        cr_assert_gt(net.dc->peers[0].credit, most / 2);
        most = net.dc->peers[0].credit;
        frame_free(&f);
    }
    cr_assert_leq(most, 1 << 16);
    cr_assert_gt(most, 3 * 1400);
    net_close(&net);
}
