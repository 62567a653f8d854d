/* What a node takes at most: sessions of a peer and of a tenant, a full table,
 * a pathway without ports (S10, S24). */
#include "node_net.h"

#include <criterion/criterion.h>

static enum svr_drop first_from_client(struct net *net, uint16_t port)
{
    struct frame f = frame_udp(CLIENT, port, SERVER, 9000, "x", 1);
    enum svr_drop reason = net_input(net, net->branch, &f, NET_LAN);
    frame_free(&f);
    return reason;
}

/* The same, and what dc says to it. */
static enum svr_drop first_at_dc(struct net *net, uint16_t port)
{
    cr_assert_eq(first_from_client(net, port), SVR_DROP_NONE);
    struct frame wire = net_take(net, 0);
    enum svr_drop reason = net_input(net, net->dc, &wire, NET_WAN);
    frame_free(&wire);
    return reason;
}

/* A session opened by a client of dc towards branch. */
static enum svr_drop first_from_server(struct net *net, uint16_t port)
{
    struct frame f = frame_udp(SERVER, port, CLIENT, 9000, "x", 1);
    enum svr_drop reason = net_input(net, net->dc, &f, NET_LAN);
    frame_free(&f);
    return reason;
}

Test(node_limits, sessions_of_a_tenant)
{
    struct net net;
    net_open(&net, &(struct net_options){.tenant_sessions = 3});
    for (uint16_t i = 1; i <= 3; i++)
        cr_assert_eq(first_from_client(&net, i), SVR_DROP_NONE);
    cr_assert_eq(first_from_client(&net, 4), SVR_DROP_TENANT_SESSIONS);
    cr_assert_eq(first_from_client(&net, 3), SVR_DROP_NONE, "it is there");
    cr_assert_eq(svr_node_session_count(net.branch), 3);
    net_run(&net, net.branch, net.now + 200 * SVR_SECOND);
    cr_assert_eq(svr_node_session_count(net.branch), 0);
    cr_assert_eq(first_from_client(&net, 4), SVR_DROP_NONE, "they have ended");
    net_close(&net);
}

/* What one tenant has used up is not missed by another, nor by a peer. */
Test(node_limits, tenants_do_not_share)
{
    struct net net;
    net_open(&net, &(struct net_options){.tenant_sessions = 3,
                                         .peer_sessions = 4,
                                         .reverse = true});
    for (uint16_t i = 1; i <= 3; i++)
        cr_assert_eq(first_at_dc(&net, i), SVR_DROP_NONE);
    for (uint16_t i = 1; i <= 3; i++)
        cr_assert_eq(first_from_server(&net, i), SVR_DROP_NONE);
    cr_assert_eq(first_from_server(&net, 4), SVR_DROP_TENANT_SESSIONS);
    cr_assert_eq(svr_node_session_count(net.dc), 6);
    net_close(&net);
}

/* dc takes so many from its peer; its own clients are none of them. A session
 * that takes another's place makes them no more. */
Test(node_limits, sessions_of_a_peer)
{
    struct net net;
    net_open(&net, &(struct net_options){.peer_sessions = 3, .reverse = true});
    for (uint16_t i = 1; i <= 3; i++)
        cr_assert_eq(first_at_dc(&net, i), SVR_DROP_NONE);
    cr_assert_eq(first_at_dc(&net, 4), SVR_DROP_PEER_SESSIONS);
    for (uint16_t i = 1; i <= 5; i++)
        cr_assert_eq(first_from_server(&net, i), SVR_DROP_NONE);
    net_restart(&net, &net.branch);
    for (uint16_t i = 1; i <= 3; i++)
        cr_assert_eq(first_at_dc(&net, i), SVR_DROP_NONE, "another life");
    cr_assert_eq(first_at_dc(&net, 4), SVR_DROP_PEER_SESSIONS);
    cr_assert_eq(svr_node_session_count(net.dc), 8);
    cr_assert_eq(net_dropped(net.dc, SVR_DROP_PEER_SESSIONS), 2);
    net_close(&net);
}

/* As many at once as a second has, then one whenever its share of a second has
 * passed. */
Test(node_limits, rate_of_a_tenant)
{
    struct net net;
    net_open(&net, &(struct net_options){.tenant_rate = 10});
    uint16_t port = 1;
    for (int i = 0; i < 10; i++)
        cr_assert_eq(first_from_client(&net, port++), SVR_DROP_NONE);
    cr_assert_eq(first_from_client(&net, port), SVR_DROP_TENANT_RATE);
    cr_assert_eq(first_from_client(&net, 1), SVR_DROP_NONE, "it is there");
    net.now += 100 * SVR_MILLISECOND - 1;
    cr_assert_eq(first_from_client(&net, port), SVR_DROP_TENANT_RATE);
    net.now += 1;
    cr_assert_eq(first_from_client(&net, port++), SVR_DROP_NONE);
    cr_assert_eq(first_from_client(&net, port), SVR_DROP_TENANT_RATE);
    net_close(&net);
}

Test(node_limits, rate_of_a_peer)
{
    struct net net;
    net_open(&net, &(struct net_options){.peer_rate = 1, .reverse = true});
    cr_assert_eq(first_at_dc(&net, 1), SVR_DROP_NONE);
    cr_assert_eq(first_at_dc(&net, 2), SVR_DROP_PEER_RATE);
    cr_assert_eq(first_from_server(&net, 1), SVR_DROP_NONE);
    cr_assert_eq(first_from_server(&net, 2), SVR_DROP_NONE);
    net.now += SVR_SECOND;
    cr_assert_eq(first_at_dc(&net, 3), SVR_DROP_NONE);
    net_close(&net);
}

static uint64_t exhausted(const svr_node *n)
{
    svr_counters c;
    svr_node_counters(n, &c);
    return c.ports_exhausted;
}

/* One pair of ports: the second session takes the next route, as do others
 * until the pair is free and its guard over (S9). */
Test(node_limits, ports_exhausted)
{
    const svr_port_range ports = {20000, 20001};
    struct net net;
    net_open(&net, &(struct net_options){.ports = ports, .twin = true});
    cr_assert_eq(first_from_client(&net, 1), SVR_DROP_NONE);
    svr_headers h = frame_headers(&net.out[0]);
    cr_assert_eq(h.tuple.sport, 20000);
    cr_assert_eq(h.tuple.dport, 20001);
    svr_addr first = h.tuple.dst;
    cr_assert_eq(first_from_client(&net, 2), SVR_DROP_NONE);
    h = frame_headers(&net.out[0]);
    cr_assert_not(svr_addr_equal(&h.tuple.dst, &first), "the twin");
    cr_assert_eq(exhausted(net.branch), 1);
    net_run(&net, net.branch, net.now + 200 * SVR_SECOND);
    svr_time ended = net.now - 200 * SVR_SECOND + 180 * SVR_SECOND;
    net.now = ended + 29 * SVR_SECOND;
    cr_assert_eq(first_from_client(&net, 3), SVR_DROP_NONE);
    h = frame_headers(&net.out[0]);
    cr_assert_not(svr_addr_equal(&h.tuple.dst, &first), "guarded");
    cr_assert_eq(exhausted(net.branch), 2);
    net.now = ended + 61 * SVR_SECOND;
    cr_assert_eq(first_from_client(&net, 4), SVR_DROP_NONE);
    h = frame_headers(&net.out[0]);
    cr_assert(svr_addr_equal(&h.tuple.dst, &first));
    net_close(&net);
}

Test(node_limits, ports_exhausted_without_another_route)
{
    const svr_port_range ports = {20000, 20003};
    struct net net;
    net_open(&net, &(struct net_options){.ports = ports});
    for (uint16_t i = 1; i <= 4; i++)
        cr_assert_eq(first_from_client(&net, i), SVR_DROP_NONE);
    cr_assert_eq(first_from_client(&net, 5), SVR_DROP_PORTS);
    cr_assert_eq(exhausted(net.branch), 1);
    cr_assert_eq(first_from_client(&net, 4), SVR_DROP_NONE, "it is there");
    net_close(&net);
}

/* However many are due at once, one call ends a few hundred, and says that
 * there is more. */
Test(node_limits, expiry_in_steps)
{
    enum { SESSIONS = 5000, STEP = 256 };
    struct net net;
    net_open(&net, &(struct net_options){.sessions = SESSIONS * 2});
    for (uint16_t i = 1; i <= SESSIONS; i++)
        cr_assert_eq(first_from_client(&net, i), SVR_DROP_NONE);
    net.now += 200 * SVR_SECOND;
    size_t calls = 0, left = SESSIONS;
    while (left > 0) {
        cr_assert_leq(svr_node_expiry(net.branch), net.now);
        svr_node_handle_expiry(net.branch, net.now);
        size_t now_left = svr_node_session_count(net.branch);
        cr_assert_leq(left - now_left, STEP);
        left = now_left;
        cr_assert_leq(++calls, 8 * SESSIONS / STEP, "each call gets on");
    }
    net_close(&net);
}

/* A full table: those that are established stay, whatever is sent; one that is
 * not makes room after a second. */
Test(node_limits, full_table)
{
    enum { CAP = 40, ESTABLISHED = 30, FLOOD = 10 * CAP };
    struct net net;
    net_open(&net, &(struct net_options){.sessions = CAP});
    for (uint16_t i = 1; i <= ESTABLISHED; i++) {
        trip(&net, false, frame_udp(CLIENT, i, SERVER, 9000, "x", 1));
        trip(&net, true, frame_udp(SERVER, 9000, CLIENT, i, "x", 1));
    }
    for (uint16_t i = ESTABLISHED + 1; i <= CAP; i++)
        cr_assert_eq(first_from_client(&net, i), SVR_DROP_NONE);
    net.now += SVR_SECOND - 1;
    cr_assert_eq(first_from_client(&net, 1000), SVR_DROP_SESSIONS_FULL);
    net.now += 1;
    size_t taken = 0;
    for (uint16_t i = 0; i < FLOOD; i++)
        taken += first_from_client(&net, (uint16_t)(1000 + i)) == SVR_DROP_NONE;
    cr_assert_eq(taken, CAP - ESTABLISHED, "%zu", taken);
    cr_assert_eq(net_dropped(net.branch, SVR_DROP_SESSIONS_FULL),
                 FLOOD - taken + 1);
    for (uint16_t i = 1; i <= ESTABLISHED; i++)
        trip(&net, false, frame_udp(CLIENT, i, SERVER, 9000, "x", 1));
    cr_assert_eq(svr_node_session_count(net.branch), CAP);
    net_close(&net);
}
