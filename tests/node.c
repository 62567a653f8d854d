/* A node: sessions through two routers, in memory and in virtual time. */
#include "node_net.h"

#include <criterion/criterion.h>

/* S6.4 over each combination of families and signing. */
Test(node, handshake)
{
    for (int row = 0; row < 8; row++) {
        struct net_options o = {
            .v6_pathway = row & 1, .per_packet = row & 2, .regular = row & 4};
        for (int v6 = 0; v6 < 2; v6++) {
            const char *c = v6 ? CLIENT6 : CLIENT, *s = v6 ? SERVER6 : SERVER;
            struct net net;
            net_open(&net, &o);
            cr_assert(
                trip(&net, false,
                     frame_tcp(c, 4000, s, 80, SVR_TCP_SYN, 100, 0, "", 0)));
            cr_assert(trip(&net, true,
                           frame_tcp(s, 80, c, 4000, SVR_TCP_SYN | SVR_TCP_ACK,
                                     500, 101, "", 0)));
            cr_assert_not(trip(
                &net, false,
                frame_tcp(c, 4000, s, 80, SVR_TCP_ACK, 101, 501, NULL, 600)));
            cr_assert_not(trip(
                &net, true,
                frame_tcp(s, 80, c, 4000, SVR_TCP_ACK, 501, 701, NULL, 900)));
            cr_assert_not(trip(
                &net, false,
                frame_tcp(c, 4000, s, 80, SVR_TCP_ACK, 701, 1401, NULL, 300)));
            cr_assert_eq(svr_node_session_count(net.branch), 1);
            cr_assert_eq(svr_node_session_count(net.dc), 1);
            net_close(&net);
        }
    }
}

/* S20: a router in between does both handshakes. */
Test(node, transit)
{
    for (int row = 0; row < 4; row++) {
        struct net net;
        net_open(&net, &(struct net_options){.hub = true,
                                             .per_packet = row & 1,
                                             .v6_pathway = row & 2});
        cr_assert(
            trip(&net, false, frame_udp(CLIENT, 50, SERVER, 9, NULL, 400)));
        cr_assert(
            trip(&net, true, frame_udp(SERVER, 9, CLIENT, 50, NULL, 400)));
        for (int i = 0; i < 3; i++) {
            cr_assert_not(
                trip(&net, false, frame_udp(CLIENT, 50, SERVER, 9, NULL, 400)));
            cr_assert_not(
                trip(&net, true, frame_udp(SERVER, 9, CLIENT, 50, NULL, 400)));
        }
        trip(&net, false, frame_echo(CLIENT6, SERVER6, 5, false, 56));
        trip(&net, true, frame_echo(SERVER6, CLIENT6, 5, true, 56));
        svr_session_info info;
        size_t cursor = 0;
        cr_assert_eq(svr_node_session_next(net.hub, &cursor, &info), 1);
        cr_assert_eq(info.role, SVR_ROLE_TRANSIT);
        net_close(&net);
    }
}

/* S4.1, S4.2, S10: what stands on the wire. */
Test(node, wire_form)
{
    struct net net;
    struct frame wire;
    net_open(&net, NULL);
    forward_trip(&net, frame_udp(CLIENT, 5000, SERVER, 53, "query", 5), &wire);
    svr_headers h = frame_headers(&wire);
    svr_addr branch = addr("203.0.113.1"), dc = addr("203.0.113.2");
    cr_assert(svr_addr_equal(&h.tuple.src, &branch));
    cr_assert(svr_addr_equal(&h.tuple.dst, &dc));
    cr_assert_eq(h.tuple.sport % 2, 0);
    cr_assert_eq(h.tuple.dport % 2, 1);
    cr_assert_geq(h.tuple.sport, 16384);
    cr_assert_geq(h.tuple.dport, 16384);

    svr_metadata md = frame_metadata(&wire);
    svr_tuple context = {addr(CLIENT), addr(SERVER), 5000, 53, SVR_PROTO_UDP};
    cr_assert(md.present & SVR_HAS(FORWARD_CONTEXT_V4));
    cr_assert(svr_tuple_equal(&md.forward, &context));
    cr_assert_arr_eq(md.tenant.data, "staff.corp", md.tenant.len);
    cr_assert_arr_eq(md.service.data, "apps", md.service.len);
    cr_assert_arr_eq(md.source_router.data, "branch", md.source_router.len);
    frame_free(&wire);

    struct frame back;
    reverse_trip(&net, frame_udp(SERVER, 53, CLIENT, 5000, "answer", 6), &back);
    svr_headers b = frame_headers(&back);
    svr_tuple mirrored = svr_tuple_reverse(&h.tuple);
    cr_assert(svr_tuple_equal(&b.tuple, &mirrored), "the same waypoints");
    md = frame_metadata(&back);
    cr_assert(md.present & SVR_HAS(REVERSE_CONTEXT_V4));
    frame_free(&back);
    net_close(&net);
}

/* 0 bytes are added once the handshake is done and packets are not signed; a
 * tag's 16 where they are. */
Test(node, overhead)
{
    for (int per_packet = 0; per_packet < 2; per_packet++) {
        struct net net;
        struct frame wire;
        net_open(&net, &(struct net_options){.per_packet = per_packet});
        trip(&net, false, frame_udp(CLIENT, 5000, SERVER, 9, NULL, 100));
        trip(&net, true, frame_udp(SERVER, 9, CLIENT, 5000, NULL, 100));
        forward_trip(&net, frame_udp(CLIENT, 5000, SERVER, 9, NULL, 100),
                     &wire);
        cr_assert_eq(wire.p.len, 128 + (per_packet ? 16 : 0));
        frame_free(&wire);
        reverse_trip(&net, frame_udp(SERVER, 9, CLIENT, 5000, NULL, 100),
                     &wire);
        cr_assert_eq(wire.p.len, 128 + (per_packet ? 16 : 0));
        frame_free(&wire);
        net_close(&net);
    }
}

/* S11.4: mode disabled leaves plain packets without a tag. */
Test(node, signing_disabled)
{
    struct net net;
    net_open(&net, &(struct net_options){.disabled = true, .per_packet = true});
    trip(&net, false, frame_udp(CLIENT, 50, SERVER, 9, NULL, 9));
    trip(&net, true, frame_udp(SERVER, 9, CLIENT, 50, NULL, 9));
    struct frame wire =
        wire_of(&net, frame_udp(CLIENT, 50, SERVER, 9, NULL, 9));
    cr_assert_eq(wire.p.len, 28 + 9);
    frame_free(&wire);
    net_close(&net);
}

/* S4.3: echo travels behind a UDP header, in each mix of families. */
Test(node, echo)
{
    for (int row = 0; row < 4; row++) {
        bool v6 = row & 1;
        const char *c = v6 ? CLIENT6 : CLIENT, *s = v6 ? SERVER6 : SERVER;
        struct net net;
        struct frame wire;
        net_open(&net, &(struct net_options){.v6_pathway = row & 2});
        trip(&net, false, frame_echo(c, s, 77, false, 56));
        trip(&net, true, frame_echo(s, c, 77, true, 56));
        forward_trip(&net, frame_echo(c, s, 77, false, 56), &wire);
        cr_assert_eq(frame_headers(&wire).tuple.proto, SVR_PROTO_UDP);
        cr_assert_not(frame_has_metadata(&wire));
        frame_free(&wire);

        /* S13: the reverse side admits replies only */
        struct frame request = frame_echo(s, c, 77, false, 56);
        cr_assert_eq(net_input(&net, net.dc, &request, NET_LAN),
                     SVR_DROP_NOT_OPENER);
        frame_free(&request);
        net_close(&net);
    }
}

/* The service of the server side has its own direction. */
Test(node, both_sides_open)
{
    struct net net;
    struct frame wire;
    net_open(&net, &(struct net_options){.reverse = true});
    trip(&net, false, frame_udp(CLIENT, 50, SERVER, 9, NULL, 32));
    reverse_trip(&net, frame_udp(SERVER, 60, CLIENT, 9, NULL, 32), &wire);
    cr_assert(frame_metadata(&wire).present & SVR_HAS(FORWARD_CONTEXT_V4));
    cr_assert_eq(svr_node_session_count(net.dc), 2);
    frame_free(&wire);
    net_close(&net);
}

/* A corrupt packet that would get a new checksum is dropped instead. */
Test(node, corruption_is_not_hidden)
{
    struct net net;
    net_open(&net, NULL);
    struct frame f = frame_udp(CLIENT, 50, SERVER, 9, NULL, 32);
    f.p.data[30] ^= 1;
    cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN),
                 SVR_DROP_L4_CHECKSUM);
    cr_assert_eq(svr_node_session_count(net.branch), 0);
    frame_free(&f);
    trip(&net, false, frame_udp(CLIENT, 50, SERVER, 9, NULL, 32));
    trip(&net, true, frame_udp(SERVER, 9, CLIENT, 50, NULL, 32));
    f = frame_udp(CLIENT, 50, SERVER, 9, NULL, 32);
    f.p.data[30] ^= 1;
    cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
    svr_headers h;
    cr_assert_eq(svr_packet_parse(&h, &net.out[0].p), 0);
    cr_assert_not(svr_packet_checksum_ok(&net.out[0].p, &h),
                  "a plain packet stays as wrong as it was");
    frame_free(&f);
    net_close(&net);
}

/* Nor is the checksum of what travels behind a UDP header made right. */
Test(node, corrupt_echo_stays_corrupt)
{
    for (int row = 0; row < 4; row++) {
        const char *c = row & 1 ? CLIENT6 : CLIENT;
        const char *s = row & 1 ? SERVER6 : SERVER;
        struct net net;
        svr_headers h;
        net_open(&net, &(struct net_options){.per_packet = row & 2});
        trip(&net, false, frame_echo(c, s, 7, false, 32));
        struct frame f = frame_echo(c, s, 7, false, 32); /* with metadata */
        f.p.data[f.p.len - 1] ^= 1;
        cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
        struct frame wire = net_take(&net, 0);
        cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_NONE);
        cr_assert_eq(svr_packet_parse(&h, &net.out[0].p), 0);
        cr_assert_not(svr_packet_checksum_ok(&net.out[0].p, &h), "row %d", row);
        frame_free(&wire);
        frame_free(&f);
        net_close(&net);
    }
}

/* S6.6: somebody who has nothing to send answers all the same. */
Test(node, one_way)
{
    for (int late = 0; late < 2; late++) {
        struct net net;
        net_open(&net, NULL);
        struct frame wire, answer;
        size_t packets = late ? 1 : SVR_SESSION_PATIENCE;
        for (size_t i = 0; i + 1 < packets; i++)
            cr_assert(trip(&net, false,
                           frame_udp(CLIENT, 5000, SERVER, 9, NULL, 50)));
        struct frame f = frame_udp(CLIENT, 5000, SERVER, 9, NULL, 50);
        cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
        wire = net_take(&net, 0);
        cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_NONE);
        if (late) {
            cr_assert_eq(net.out_count, 1);
            net_run(&net, net.dc, net.now + 1100 * SVR_MILLISECOND);
            cr_assert_eq(net.out_count, 1, "after a second");
            answer = net_take(&net, 0);
        } else {
            cr_assert_eq(net.out_count, 2, "after four packets");
            answer = net_take(&net, 1);
        }
        svr_metadata md = frame_metadata(&answer);
        cr_assert(md.present & SVR_HAS(DISABLE_FORWARD));
        cr_assert(md.present & SVR_HAS(REVERSE_CONTEXT_V4));
        cr_assert_eq(md.control, SVR_CONTROL_DISABLE_METADATA);
        cr_assert_eq(net_input(&net, net.branch, &answer, NET_WAN),
                     SVR_DROP_NONE);
        cr_assert_eq(net.out_count, 0, "a control packet is not forwarded");
        cr_assert_not(
            trip(&net, false, frame_udp(CLIENT, 5000, SERVER, 9, NULL, 50)));
        frame_free(&f);
        frame_free(&wire);
        frame_free(&answer);
        net_close(&net);
    }
}

/* S6.6: what cannot go on has arrived all the same. */
Test(node, metadata_on_a_dropped_packet_is_answered)
{
    struct net net;
    net_open(&net, NULL);
    struct frame f = frame_udp(CLIENT, 40, SERVER, 9, NULL, 9);
    svr_headers h = frame_headers(&f);
    f.p.data[8] = 2;
    svr_packet_checksum_write(&f.p, &h);
    struct frame wire = wire_of(&net, f);
    cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_TTL);
    net_run(&net, net.dc, net.now + 1100 * SVR_MILLISECOND);
    cr_assert_eq(net.out_count, 1, "after a second");
    cr_assert(frame_metadata(&net.out[0]).present & SVR_HAS(DISABLE_FORWARD));
    frame_free(&wire);
    net_close(&net);
}

/* S8.2: the egress forgets; the next packet brings the session back. */
Test(node, recovery)
{
    for (int tcp = 0; tcp < 2; tcp++) {
        struct net net;
        net_open(&net, NULL);
        struct frame f, wire, ask;
        if (tcp) {
            trip(&net, false,
                 frame_tcp(CLIENT, 40, SERVER, 80, SVR_TCP_SYN, 9, 0, "", 0));
            trip(&net, true,
                 frame_tcp(SERVER, 80, CLIENT, 40, SVR_TCP_SYN | SVR_TCP_ACK, 1,
                           10, "", 0));
            f = frame_tcp(CLIENT, 40, SERVER, 80, SVR_TCP_ACK, 10, 2, NULL, 99);
        } else {
            trip(&net, false, frame_udp(CLIENT, 40, SERVER, 9, NULL, 99));
            trip(&net, true, frame_udp(SERVER, 9, CLIENT, 40, NULL, 99));
            f = frame_udp(CLIENT, 40, SERVER, 9, NULL, 99);
        }
        net.now += 10 * SVR_SECOND;
        net_restart(&net, &net.dc);
        struct frame lost = frame_copy(&f);
        cr_assert_eq(net_input(&net, net.branch, &lost, NET_LAN),
                     SVR_DROP_NONE);
        wire = net_take(&net, 0);
        cr_assert_not(frame_has_metadata(&wire));
        cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN),
                     SVR_DROP_NO_SESSION);
        cr_assert_eq(net.out_count, 1);
        ask = net_take(&net, 0);
        cr_assert_leq(ask.p.len, 3 * wire.p.len, "no amplification");
        cr_assert_eq(net_input(&net, net.branch, &ask, NET_WAN), SVR_DROP_NONE);
        cr_assert_eq(net.out_count, 0);
        cr_assert(trip(&net, false, frame_copy(&f)), "metadata again");
        cr_assert_eq(svr_node_session_count(net.dc), 1);
        frame_free(&f);
        frame_free(&lost);
        frame_free(&wire);
        frame_free(&ask);
        net_close(&net);
    }
}

/* S8.2: one answer for each tuple and second, and never for few bytes. */
Test(node, recovery_is_bounded)
{
    struct net net;
    size_t answers = 0;
    net_open(&net, NULL);
    for (int i = 0; i < 1000; i++) {
        struct frame f =
            frame_udp("203.0.113.1", 20000, "203.0.113.2", 20001, NULL, 100);
        net_input(&net, net.dc, &f, NET_WAN);
        answers += net.out_count;
        frame_free(&f);
    }
    cr_assert_eq(answers, 1);
    size_t bytes_in = 0, bytes_out = 0;
    for (uint16_t i = 0; i < 2000; i++) {
        struct frame f = frame_udp("203.0.113.1", (uint16_t)(20000 + i),
                                   "203.0.113.2", 30001, "", 0);
        bytes_in += f.p.len;
        net_input(&net, net.dc, &f, NET_WAN);
        for (size_t k = 0; k < net.out_count; k++)
            bytes_out += net.out[k].p.len;
        frame_free(&f);
    }
    cr_assert_leq(bytes_out, 3 * (bytes_in + 128000));
    net_close(&net);
}

/* S6.7: another session from the same client side replaces one that the ingress
 * forgot. */
Test(node, ingress_restarts)
{
    struct net net;
    net_open(&net, NULL);
    trip(&net, false, frame_udp(CLIENT, 40, SERVER, 9, NULL, 99));
    trip(&net, true, frame_udp(SERVER, 9, CLIENT, 40, NULL, 99));
    net_restart(&net, &net.branch);
    cr_assert(trip(&net, false, frame_udp(CLIENT, 40, SERVER, 9, NULL, 99)));
    cr_assert(trip(&net, true, frame_udp(SERVER, 9, CLIENT, 40, NULL, 99)));
    cr_assert_eq(svr_node_session_count(net.dc), 1);
    net_close(&net);
}

/* S8.2: a transit forgets; the session comes back through it under its UUID. */
Test(node, transit_restarts)
{
    struct net net;
    net_open(&net, &(struct net_options){.hub = true});
    open_tcp(&net);
    net.now += 10 * SVR_SECOND;
    net_restart(&net, &net.hub);
    struct frame lost = wire_of(&net, client_segment(110, NULL, 100));
    cr_assert_eq(net_input(&net, net.hub, &lost, NET_WAN), SVR_DROP_NO_SESSION);
    struct frame ask = net_take(&net, 0);
    cr_assert_eq(net_input(&net, net.branch, &ask, NET_WAN), SVR_DROP_NONE);
    trip(&net, false, client_segment(110, NULL, 100));
    trip(&net, true,
         frame_tcp(SERVER, 80, CLIENT, 40, SVR_TCP_ACK, 2, 210, "", 0));
    cr_assert_eq(svr_node_session_count(net.dc), 1);
    frame_free(&lost);
    frame_free(&ask);
    net_close(&net);
}

/* S6.7: a late packet of the life before does not take the session back. */
Test(node, late_packet_of_former_life)
{
    struct net net;
    net_open(&net, &(struct net_options){.regular = true});
    struct frame first =
        wire_of(&net, frame_udp(CLIENT, 40, SERVER, 53, NULL, 9));
    struct frame late =
        wire_of(&net, frame_udp(CLIENT, 40, SERVER, 53, NULL, 9));
    cr_assert_eq(net_input(&net, net.dc, &first, NET_WAN), SVR_DROP_NONE);
    net_run(&net, net.branch, net.now + 6 * SVR_SECOND);
    cr_assert_eq(svr_node_session_count(net.branch), 0);
    trip(&net, false, frame_udp(CLIENT, 40, SERVER, 53, NULL, 9));
    cr_assert_eq(net_input(&net, net.dc, &late, NET_WAN),
                 SVR_DROP_TUPLE_IN_USE);
    trip(&net, true, frame_udp(SERVER, 53, CLIENT, 40, NULL, 9));
    frame_free(&first);
    frame_free(&late);
    net_close(&net);
}

/* S9, in literal time. */
Test(node, lifetimes)
{
    struct {
        struct frame f;
        svr_time idle;
    } rows[] = {
        {frame_udp(CLIENT, 50, SERVER, 9, NULL, 9), 180 * SVR_SECOND},
        {frame_udp(CLIENT, 50, SERVER, 53, NULL, 9), 5 * SVR_SECOND},
        {frame_echo(CLIENT, SERVER, 5, false, 9), 10 * SVR_SECOND},
        {frame_tcp(CLIENT, 50, SERVER, 80, SVR_TCP_SYN, 1, 0, "", 0),
         10 * SVR_SECOND},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct net net;
        net_open(&net, NULL);
        svr_time start = net.now;
        net_input(&net, net.branch, &rows[i].f, NET_LAN);
        net_run(&net, net.branch, start + rows[i].idle - SVR_MILLISECOND);
        cr_assert_eq(svr_node_session_count(net.branch), 1, "row %zu", i);
        net_run(&net, net.branch, start + rows[i].idle + 20 * SVR_MILLISECOND);
        cr_assert_eq(svr_node_session_count(net.branch), 0, "row %zu", i);
        cr_assert_eq(svr_node_expiry(net.branch), SVR_NEVER);
        frame_free(&rows[i].f);
        net_close(&net);
    }
}

Test(node, lifetime_without_end)
{
    struct net net;
    net_open(&net, &(struct net_options){.forever = true});
    trip(&net, false, frame_udp(CLIENT, 50, SERVER, 9, NULL, 9));
    trip(&net, true, frame_udp(SERVER, 9, CLIENT, 50, NULL, 9));
    net_run(&net, net.branch, net.now + 1000000 * SVR_SECOND);
    cr_assert_eq(svr_node_session_count(net.branch), 1);
    net_close(&net);
}

Test(node, sessions_are_listed)
{
    struct net net;
    svr_session_info info;
    size_t cursor = 0;
    net_open(&net, NULL);
    trip(&net, false, frame_udp(CLIENT, 50, SERVER, 9, NULL, 32));
    cr_assert_eq(svr_node_session_next(net.dc, &cursor, &info), 1);
    cr_assert_str_eq(info.tenant, "staff.corp");
    cr_assert_str_eq(info.service, "apps");
    cr_assert_eq(info.role, SVR_ROLE_EGRESS);
    cr_assert_str_eq(info.client.pathway, "wan0-branch");
    cr_assert_str_eq(info.client.metadata, "answering");
    cr_assert_null(info.server.pathway);
    cr_assert_eq(info.packets[0], 1);
    cr_assert_eq(svr_node_session_next(net.dc, &cursor, &info), 0);
    net_close(&net);
}

/* The n-th allocation fails, for each n: no crash, no leak. */
Test(node, out_of_memory)
{
    for (size_t n = 1;; n++) {
        struct net net;
        net_open(&net, &(struct net_options){.fail_at = n, .per_packet = true});
        bool made = net.branch != NULL;
        if (!made)
            cr_assert_eq(net.last_error, SVR_ERR_NO_MEMORY, "allocation %zu",
                         n);
        net_close(&net);
        if (made)
            break;
        cr_assert_lt(n, 200);
    }
}
