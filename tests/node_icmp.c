/* A node: ICMP errors, its own and those of others, and echo to a router. */
#include "node_net.h"

#include <criterion/criterion.h>

/* A host may ask whether its router is there; the WAN may not. */
Test(node_icmp, echo_to_router)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct net net;
        net_open(&net, NULL);
        const char *host = v6 ? CLIENT6 : CLIENT;
        const char *router = v6 ? "fd00:1::1" : "10.1.0.1";
        struct frame f = frame_echo(host, router, 7, false, 56);
        struct frame wanted = frame_echo(router, host, 7, true, 56);
        cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
        cr_assert_eq(net.out_count, 1);
        cr_assert_eq(net.out[0].p.iface, NET_LAN);
        frame_expect_same(&net.out[0], &wanted, 0);
        cr_assert_eq(svr_node_session_count(net.branch), 0);
        frame_free(&f);
        frame_free(&wanted);

        f = frame_echo(host, router, 7, false, 56);
        f.p.data[f.p.len - 1] ^= 1;
        cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN),
                     SVR_DROP_L4_CHECKSUM);
        frame_free(&f);
        f = frame_echo(host, router, 7, true, 56);
        cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN),
                     SVR_DROP_NOT_FOR_US);
        frame_free(&f);
        net_close(&net);
    }
}

/* S4.5, S19: who runs out of TTL, and where the client learns of it. */
Test(node_icmp, time_exceeded)
{
    for (int row = 0; row < 12; row++) {
        bool v6 = row & 1, v6_pathway = row & 2;
        int kind = row / 4; /* UDP, TCP, echo */
        const char *c = v6 ? CLIENT6 : CLIENT, *s = v6 ? SERVER6 : SERVER;
        for (uint8_t ttl = 1; ttl <= 2; ttl++) {
            struct net net;
            net_open(&net, &(struct net_options){.v6_pathway = v6_pathway});
            struct frame f =
                kind == 0   ? frame_udp(c, 50, s, 33434, NULL, 32)
                : kind == 1 ? frame_tcp(c, 50, s, 80, SVR_TCP_SYN, 5, 0, "", 0)
                            : frame_echo(c, s, 50, false, 32);
            svr_headers h = frame_headers(&f);
            svr_tuple context = h.tuple;
            f.p.data[v6 ? 7 : 8] = ttl;
            svr_packet_checksum_write(&f.p, &h);
            enum svr_drop reason = net_input(&net, net.branch, &f, NET_LAN);
            if (ttl == 2) {
                cr_assert_eq(reason, SVR_DROP_NONE);
                struct frame wire = net_take(&net, 0);
                cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN),
                             SVR_DROP_TTL);
                cr_assert_eq(net.out_count, 1);
                struct frame carried = net_take(&net, 0);
                svr_headers on_wire = frame_headers(&carried);
                cr_assert_eq(on_wire.tuple.proto,
                             kind == 1 ? SVR_PROTO_TCP : SVR_PROTO_UDP);
                reason = net_input(&net, net.branch, &carried, NET_WAN);
                cr_assert_eq(reason, SVR_DROP_NONE, "row %d: %s", row,
                             svr_drop_name(reason));
                frame_free(&wire);
                frame_free(&carried);
            } else {
                cr_assert_eq(reason, SVR_DROP_TTL);
                cr_assert_eq(svr_node_session_count(net.branch), 0);
            }
            cr_assert_eq(net.out_count, 1, "row %d ttl %d", row, ttl);
            cr_assert_eq(net.out[0].p.iface, NET_LAN);
            svr_headers e = frame_headers(&net.out[0]);
            svr_addr raised = addr(ttl == 1 ? (v6 ? "fd00:1::1" : "10.1.0.1")
                                            : (v6 ? "fd00:2::1" : "10.2.0.1"));
            svr_addr client = addr(c);
            cr_assert(e.icmp_error);
            cr_assert(svr_addr_equal(&e.tuple.src, &raised), "row %d", row);
            cr_assert(svr_addr_equal(&e.tuple.dst, &client));
            svr_tuple quoted;
            cr_assert_eq(svr_icmp_quote_parse(&quoted, net.out[0].p.data + e.l4,
                                              net.out[0].p.len - e.l4, v6),
                         0);
            cr_assert(svr_tuple_equal(&quoted, &context), "row %d", row);
            frame_free(&f);
            net_close(&net);
        }
    }
}

/* S19: the same at a router in the middle, whatever the packet travels as. */
Test(node_icmp, time_exceeded_in_transit)
{
    for (int row = 0; row < 12; row++) {
        bool v6 = row & 1, v6_pathway = row & 2;
        const char *c = v6 ? CLIENT6 : CLIENT, *s = v6 ? SERVER6 : SERVER;
        struct net net;
        net_open(&net,
                 &(struct net_options){.v6_pathway = v6_pathway, .hub = true});
        struct frame f = row / 4 == 0 ? frame_udp(c, 50, s, 33434, NULL, 32)
                         : row / 4 == 1
                             ? frame_tcp(c, 50, s, 80, SVR_TCP_SYN, 5, 0, "", 0)
                             : frame_echo(c, s, 50, false, 32);
        svr_headers h = frame_headers(&f);
        svr_tuple context = h.tuple, quoted;
        f.p.data[v6 ? 7 : 8] = 2;
        svr_packet_checksum_write(&f.p, &h);
        cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
        struct frame wire = net_take(&net, 0);
        cr_assert_eq(net_input(&net, net.hub, &wire, NET_WAN), SVR_DROP_TTL);
        cr_assert_eq(net.out_count, 1, "row %d", row);
        struct frame carried = net_take(&net, 0);
        cr_assert_eq(net_input(&net, net.branch, &carried, NET_WAN),
                     SVR_DROP_NONE, "row %d", row);
        cr_assert_eq(net.out_count, 1, "row %d", row);
        h = frame_headers(&net.out[0]);
        cr_assert(h.icmp_error);
        cr_assert_eq(svr_icmp_quote_parse(&quoted, net.out[0].p.data + h.l4,
                                          net.out[0].p.len - h.l4, v6),
                     0);
        cr_assert(svr_tuple_equal(&quoted, &context), "row %d", row);
        frame_free(&f);
        frame_free(&wire);
        frame_free(&carried);
        net_close(&net);
    }
}

/* S19: an error from the server's side reaches the client; one that quotes no
 * session does not. */
Test(node_icmp, icmp_from_server_side)
{
    struct net net;
    net_open(&net, NULL);
    struct frame sent = frame_udp(CLIENT, 50, SERVER, 7, NULL, 32), wire, out;
    forward_trip(&net, frame_copy(&sent), &wire);
    frame_free(&wire);
    out = net_take(&net, 0); /* as the server got it */

    static uint8_t buf[NET_BUFFER];
    struct frame error = {0}, copy;
    svr_headers h = frame_headers(&out);
    svr_addr server = addr(SERVER);
    cr_assert_eq(svr_icmp_error(&error.p, buf, sizeof(buf), SVR_ICMP_PROHIBITED,
                                0, &server, &out.p, &h),
                 0);
    copy = frame_copy(&error);
    cr_assert_eq(net_input(&net, net.dc, &copy, NET_LAN), SVR_DROP_NONE);
    wire = net_take(&net, 0);
    cr_assert_eq(frame_headers(&wire).tuple.proto, SVR_PROTO_UDP);
    cr_assert_eq(net_input(&net, net.branch, &wire, NET_WAN), SVR_DROP_NONE);
    svr_headers e = frame_headers(&net.out[0]);
    cr_assert(e.icmp_error);
    cr_assert(svr_addr_equal(&e.tuple.src, &server));
    frame_free(&copy);
    frame_free(&wire);

    /* of another session: dropped */
    copy = frame_copy(&error);
    copy.p.data[20 + 8 + 20] ^= 1; /* the quoted source port */
    svr_headers eh;
    cr_assert_eq(svr_packet_parse(&eh, &copy.p), 0);
    svr_packet_checksum_write(&copy.p, &eh);
    cr_assert_eq(net_input(&net, net.dc, &copy, NET_LAN),
                 SVR_DROP_ICMP_NO_SESSION);
    frame_free(&copy);
    frame_free(&out);
    frame_free(&sent);
    net_close(&net);
}

/* An error's own tuple is that of an echo with identifier 0. */
Test(node_icmp, icmp_error_beside_echo)
{
    static uint8_t buf[NET_BUFFER];
    struct net net;
    net_open(&net, NULL);
    trip(&net, false, frame_echo(CLIENT, SERVER, 0, false, 8));
    trip(&net, false, frame_udp(CLIENT, 50, SERVER, 7, NULL, 32));
    svr_headers h = frame_headers(&net.out[0]);
    svr_addr server = addr(SERVER);
    struct frame error = {0}, copy;
    cr_assert_eq(svr_icmp_error(&error.p, buf, sizeof(buf), SVR_ICMP_PROHIBITED,
                                0, &server, &net.out[0].p, &h),
                 0);
    copy = frame_copy(&error);
    cr_assert_eq(net_input(&net, net.dc, &copy, NET_LAN), SVR_DROP_NONE);
    frame_free(&copy);
    net_close(&net);
}

/* S19: nobody on the WAN ends a session, whomever the error is addressed to. */
Test(node_icmp, icmp_error_from_underlay)
{
    static uint8_t buf[NET_BUFFER];
    static const char *const to[] = {"203.0.113.1", "198.51.100.7"};
    struct net net;
    net_open(&net, NULL);
    struct frame wire =
        wire_of(&net, frame_udp(CLIENT, 40, SERVER, 9, NULL, 9));
    svr_headers h = frame_headers(&wire);
    svr_addr stranger = addr("203.0.113.77");
    for (int i = 0; i < 2; i++) {
        struct frame error = {0}, copy;
        svr_headers about = h;
        about.tuple.src = addr(to[i]);
        cr_assert_eq(svr_icmp_error(&error.p, buf, sizeof(buf),
                                    SVR_ICMP_NO_ROUTE, 0, &stranger, &wire.p,
                                    &about),
                     0);
        copy = frame_copy(&error);
        cr_assert_neq(net_input(&net, net.branch, &copy, NET_WAN),
                      SVR_DROP_NONE, "to %s", to[i]);
        cr_assert_eq(net.out_count, 0);
        frame_free(&copy);
    }
    frame_free(&wire);
    net_close(&net);
}
