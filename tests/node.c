/* A node: sessions through two routers, in memory and in virtual time. */
#include "node_net.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define CLIENT "10.1.0.10"
#define SERVER "10.2.0.10"
#define CLIENT6 "fd00:1::10"
#define SERVER6 "fd00:2::10"

/* One packet from host to host through all routers; the first router's form of
 * it stays in *wire. Checks that the other host gets what was sent. */
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

static void forward_trip(struct net *net, struct frame sent, struct frame *wire)
{
    travel(net, false, sent, wire);
}

static void reverse_trip(struct net *net, struct frame sent, struct frame *wire)
{
    travel(net, true, sent, wire);
}

/* Whether the trip's packet carried metadata. */
static bool trip(struct net *net, bool reverse, struct frame sent)
{
    struct frame wire;
    if (reverse)
        reverse_trip(net, sent, &wire);
    else
        forward_trip(net, sent, &wire);
    bool md = frame_has_metadata(&wire);
    frame_free(&wire);
    return md;
}

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

/* Everything that must not open a session, with its reason. */
Test(node, denied)
{
    struct {
        struct frame f;
        bool at_dc;
        uint16_t iface;
        enum svr_drop reason;
    } rows[] = {
        {frame_tcp("10.3.0.10", 1, SERVER, 80, SVR_TCP_SYN, 1, 0, "", 0), false,
         NET_GUEST, SVR_DROP_ACCESS},
        {frame_udp("198.51.100.7", 1, SERVER, 80, "x", 1), false, NET_WAN,
         SVR_DROP_NO_TENANT},
        {frame_tcp(CLIENT, 1, "10.9.0.1", 80, SVR_TCP_SYN, 1, 0, "", 0), false,
         NET_LAN, SVR_DROP_NO_SERVICE},
        {frame_tcp(SERVER, 80, CLIENT, 1, SVR_TCP_SYN, 1, 0, "", 0), true,
         NET_LAN, SVR_DROP_NO_SERVICE},
        {frame_tcp(CLIENT, 1, SERVER, 80, SVR_TCP_ACK, 1, 1, "x", 1), false,
         NET_LAN, SVR_DROP_NOT_SYN},
        {frame_echo(CLIENT, SERVER, 3, true, 8), false, NET_LAN,
         SVR_DROP_NOT_OPENER},
        {frame_udp(CLIENT, 1, "10.1.0.1", 80, "x", 1), false, NET_LAN,
         SVR_DROP_NOT_FOR_US},
        {frame_udp("203.0.113.9", 20000, "203.0.113.2", 20001, "x", 1), true,
         NET_WAN, SVR_DROP_UNKNOWN_SOURCE},
        {frame_udp("203.0.113.1", 20000, "203.0.113.2", 20001, "x", 1), true,
         NET_WAN, SVR_DROP_NO_SESSION},
        {frame_echo("203.0.113.1", "203.0.113.2", 3, false, 8), true, NET_WAN,
         SVR_DROP_NOT_FOR_US},
    };
    struct net net;
    net_open(&net, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        svr_node *n = rows[i].at_dc ? net.dc : net.branch;
        enum svr_drop reason = net_input(&net, n, &rows[i].f, rows[i].iface);
        cr_assert_eq(reason, rows[i].reason, "row %zu: %s", i,
                     svr_drop_name(reason));
        cr_assert_eq(net_dropped(n, reason), 1);
        cr_assert_eq(svr_node_session_count(n), 0);
        frame_free(&rows[i].f);
    }
    net_close(&net);
}

/* A session whose destination is the egress itself is refused there. */
Test(node, destination_is_the_egress)
{
    struct net net;
    net_open(&net, NULL);
    struct frame f = frame_udp(CLIENT, 5000, "10.2.0.1", 53, "query", 5);
    cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
    struct frame wire = net_take(&net, 0);
    cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_NOT_FOR_US);
    cr_assert_eq(svr_node_session_count(net.dc), 0);
    frame_free(&wire);
    frame_free(&f);
    net_close(&net);
}

/* A host may ask whether its router is there; the WAN may not. */
Test(node, echo_to_router)
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

/* S5: silence unless the service says otherwise; S9: resets of no session. */
Test(node, refusals_answered)
{
    struct {
        struct net_options o;
        uint8_t flags;
        uint16_t iface;
        const char *from;
        size_t answers;
        uint8_t proto;
    } rows[] = {
        {{0}, SVR_TCP_SYN, NET_GUEST, "10.3.0.10", 0, 0},
        {{.reset = true},
         SVR_TCP_SYN,
         NET_GUEST,
         "10.3.0.10",
         1,
         SVR_PROTO_TCP},
        {{.prohibited = true},
         SVR_TCP_SYN,
         NET_GUEST,
         "10.3.0.10",
         1,
         SVR_PROTO_ICMP},
        {{0}, SVR_TCP_ACK, NET_LAN, CLIENT, 1, SVR_PROTO_TCP},
        {{0}, SVR_TCP_RST, NET_LAN, CLIENT, 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct net net;
        net_open(&net, &rows[i].o);
        struct frame f =
            frame_tcp(rows[i].from, 1, SERVER, 80, rows[i].flags, 7, 9, "", 0);
        cr_assert_neq(net_input(&net, net.branch, &f, rows[i].iface),
                      SVR_DROP_NONE);
        cr_assert_eq(net.out_count, rows[i].answers, "row %zu", i);
        if (net.out_count) {
            svr_headers h = frame_headers(&net.out[0]);
            svr_addr to = addr(rows[i].from);
            cr_assert_eq(h.tuple.proto, rows[i].proto, "row %zu", i);
            cr_assert(svr_addr_equal(&h.tuple.dst, &to));
            cr_assert_eq(net.out[0].p.iface, rows[i].iface);
        }
        frame_free(&f);
        net_close(&net);
    }
}

/* S24: a first packet with any bit flipped or cut anywhere makes nothing and
 * gets no answer. */
Test(node, forged_first_packet)
{
    struct net net;
    net_open(&net, NULL);
    struct frame f = frame_udp(CLIENT, 5000, SERVER, 53, "query", 5);
    cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
    struct frame wire = net_take(&net, 0);
    svr_headers h = frame_headers(&wire);

    for (uint32_t bit = 8u * h.payload; bit < 8 * wire.p.len; bit++) {
        struct frame bad = frame_copy(&wire);
        bad.p.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        svr_packet_checksum_write(&bad.p, &h);
        enum svr_drop reason = net_input(&net, net.dc, &bad, NET_WAN);
        cr_assert_neq(reason, SVR_DROP_NONE, "bit %u", bit);
        cr_assert_eq(svr_node_session_count(net.dc), 0, "bit %u", bit);
        /* without the cookie it is a stray packet, which S8.2 may answer */
        if (bit >= 8u * (h.payload + 8u))
            cr_assert_eq(net.out_count, 0, "bit %u", bit);
        frame_free(&bad);
    }
    for (uint32_t len = 0; len < wire.p.len; len++) {
        struct frame cut = frame_copy(&wire);
        cut.p.len = len;
        cr_assert_neq(net_input(&net, net.dc, &cut, NET_WAN), SVR_DROP_NONE);
        frame_free(&cut);
    }
    cr_assert_gt(net_dropped(net.dc, SVR_DROP_TAG), 0);
    /* the control: untouched, it is accepted */
    cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_NONE);
    cr_assert_eq(svr_node_session_count(net.dc), 1);
    frame_free(&wire);
    frame_free(&f);
    net_close(&net);
}

Test(node, wrong_key)
{
    struct net net;
    net_open(&net, &(struct net_options){.other_key = true});
    struct frame f = frame_udp(CLIENT, 5000, SERVER, 53, "query", 5);
    cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
    struct frame wire = net_take(&net, 0);
    cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_KEY);
    frame_free(&wire);
    frame_free(&f);
    net_close(&net);
}

/* S11.3, S11.7 */
Test(node, replay_and_age)
{
    struct net net;
    net_open(&net, NULL);
    struct frame f = frame_udp(CLIENT, 5000, SERVER, 53, "query", 5);
    cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
    struct frame wire = net_take(&net, 0), again;

    net.now += 5 * SVR_SECOND; /* two steps and more */
    again = frame_copy(&wire);
    cr_assert_eq(net_input(&net, net.dc, &again, NET_WAN), SVR_DROP_TAG);
    frame_free(&again);
    net.now -= 5 * SVR_SECOND;

    again = frame_copy(&wire);
    cr_assert_eq(net_input(&net, net.dc, &again, NET_WAN), SVR_DROP_NONE);
    frame_free(&again);
    for (int i = 0; i < 1000; i++) {
        again = frame_copy(&wire);
        cr_assert_eq(net_input(&net, net.dc, &again, NET_WAN), SVR_DROP_REPLAY);
        frame_free(&again);
    }
    cr_assert_eq(svr_node_session_count(net.dc), 1);

    /* reflected to its sender: another key, so nothing (S12.7) */
    again = frame_copy(&wire);
    enum svr_drop reason = net_input(&net, net.branch, &again, NET_WAN);
    cr_assert_neq(reason, SVR_DROP_NONE);
    frame_free(&again);
    frame_free(&wire);
    frame_free(&f);
    net_close(&net);
}

/* S6.6: somebody who has nothing to send answers all the same. */
Test(node, one_way)
{
    for (int late = 0; late < 2; late++) {
        struct net net;
        net_open(&net, NULL);
        struct frame wire, answer;
        size_t packets = late ? 1 : SVR_HANDSHAKE_PATIENCE;
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

/* S2.3: payloads that begin with the cookie, whenever they come. */
Test(node, false_positives)
{
    static const uint8_t bare[12] = {0x4c, 0x48, 0xdb, 0xc6, 0xdd, 0xf6,
                                     0x67, 0x0c, 0x10, 0x0c, 0,    0};
    for (int per_packet = 0; per_packet < 2; per_packet++) {
        struct net net;
        net_open(&net, &(struct net_options){.per_packet = per_packet});
        for (int i = 0; i < 4; i++) {
            struct frame wire;
            forward_trip(&net, frame_udp(CLIENT, 5000, SERVER, 9, bare, 12),
                         &wire);
            cr_assert(frame_has_metadata(&wire));
            if (i > 0)
                cr_assert_eq(wire.p.len, 28 + 12 + 12 + (per_packet ? 16 : 0));
            frame_free(&wire);
            cr_assert(
                trip(&net, true, frame_udp(SERVER, 9, CLIENT, 5000, bare, 8)));
        }
        net_close(&net);
    }
}

/* A stream of the client as one super-packet: what the server gets, put
 * together, is what was sent. */
static void super_trip(const struct net_options *o, size_t expected_pieces,
                       const uint8_t *payload, size_t len)
{
    struct net net;
    net_open(&net, o);
    trip(&net, false,
         frame_tcp(CLIENT, 4000, SERVER, 80, SVR_TCP_SYN, 99, 0, "", 0));
    trip(&net, true,
         frame_tcp(SERVER, 80, CLIENT, 4000, SVR_TCP_SYN | SVR_TCP_ACK, 1, 100,
                   "", 0));
    struct frame f = frame_tcp(CLIENT, 4000, SERVER, 80,
                               SVR_TCP_ACK | SVR_TCP_PSH, 100, 2, payload, len);
    f.p.segment_size = 1400;
    cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
    cr_assert_eq(net.out_count, expected_pieces, "%zu pieces", net.out_count);
    struct frame wires[64];
    size_t count = net.out_count, got = 0;
    for (size_t i = 0; i < count; i++)
        wires[i] = net_take(&net, i);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(net_input(&net, net.dc, &wires[i], NET_WAN),
                     SVR_DROP_NONE);
        for (size_t k = 0; k < net.out_count; k++) {
            svr_headers h = frame_headers(&net.out[k]);
            svr_span part = frame_payload(&net.out[k]);
            cr_assert_eq(h.tcp_seq, 100 + got, "true sequence numbers");
            for (size_t b = 0; b < part.len; b++)
                cr_assert_eq(part.data[b], payload
                                               ? payload[got + b]
                                               : (uint8_t)((got + b) * 7 + 1));
            got += part.len;
        }
        frame_free(&wires[i]);
    }
    cr_assert_eq(got, len);
    frame_free(&f);
    net_close(&net);
}

Test(node, super_packets)
{
    uint8_t cookies[14000] = {0};
    for (size_t at = 1400; at < sizeof(cookies); at += 1400)
        memcpy(cookies + at, "\x4c\x48\xdb\xc6\xdd\xf6\x67\x0c", 8);
    super_trip(&(struct net_options){0}, 1, NULL, 14000);
    super_trip(&(struct net_options){.per_packet = true}, 10, NULL, 14000);
    super_trip(&(struct net_options){.no_offload = true}, 10, NULL, 14000);
    super_trip(&(struct net_options){.v6_pathway = true}, 1, NULL, 14000);
    super_trip(&(struct net_options){0}, 10, cookies, sizeof(cookies));
    super_trip(&(struct net_options){.per_packet = true}, 10, cookies,
               sizeof(cookies));
}

/* Each is 16 bytes longer on the wire and verified on its own. */
Test(node, signed_segments)
{
    struct net net;
    struct frame first, second;
    net_open(&net, &(struct net_options){.per_packet = true});
    trip(&net, false,
         frame_tcp(CLIENT, 4000, SERVER, 80, SVR_TCP_SYN, 99, 0, "", 0));
    trip(&net, true,
         frame_tcp(SERVER, 80, CLIENT, 4000, SVR_TCP_SYN | SVR_TCP_ACK, 1, 100,
                   "", 0));
    forward_trip(
        &net,
        frame_tcp(CLIENT, 4000, SERVER, 80, SVR_TCP_ACK, 100, 2, NULL, 1000),
        &first);
    forward_trip(
        &net,
        frame_tcp(CLIENT, 4000, SERVER, 80, SVR_TCP_ACK, 1100, 2, NULL, 1000),
        &second);
    cr_assert_eq(first.p.len, 40 + 1016);
    cr_assert_eq(second.p.len, 40 + 1016);
    frame_free(&first);
    frame_free(&second);
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

/* S24: a full table refuses the new and keeps the old. */
Test(node, full_table)
{
    struct net net;
    net_open(&net, &(struct net_options){.sessions = 3});
    for (uint16_t i = 0; i < 3; i++)
        trip(&net, false,
             frame_udp(CLIENT, (uint16_t)(50 + i), SERVER, 9, NULL, 9));
    for (uint16_t i = 3; i < 30; i++) {
        struct frame f =
            frame_udp(CLIENT, (uint16_t)(50 + i), SERVER, 9, NULL, 9);
        cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN),
                     SVR_DROP_SESSIONS_FULL);
        frame_free(&f);
    }
    for (uint16_t i = 0; i < 3; i++)
        trip(&net, true,
             frame_udp(SERVER, 9, CLIENT, (uint16_t)(50 + i), NULL, 9));
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

/* S4.5, S19: who runs out of TTL, and where the client learns of it. */
Test(node, time_exceeded)
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
                cr_assert_eq(on_wire.tuple.proto, SVR_PROTO_UDP);
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

/* S19: an error from the server's side reaches the client; one that quotes no
 * session does not. */
Test(node, icmp_from_server_side)
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

/* S4.8, S18: what is too big is told with the size that fits. */
Test(node, too_big)
{
    struct net net;
    net_open(&net, &(struct net_options){.per_packet = true});
    trip(&net, false, frame_udp(CLIENT, 50, SERVER, 9, NULL, 9));
    trip(&net, true, frame_udp(SERVER, 9, CLIENT, 50, NULL, 9));
    trip(&net, false, frame_udp(CLIENT, 50, SERVER, 9, NULL, 1500 - 28 - 16));
    struct frame f = frame_udp(CLIENT, 50, SERVER, 9, NULL, 1500 - 28 - 15);
    cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_TOO_BIG);
    cr_assert_eq(net.out_count, 1);
    const uint8_t *icmp = net.out[0].p.data + 20;
    cr_assert_eq(icmp[0], 3);
    cr_assert_eq(icmp[1], 4);
    cr_assert_eq(icmp[6] << 8 | icmp[7], 1500 - 16);
    frame_free(&f);
    net_close(&net);
}

/* S4.8: a full segment that has to carry metadata goes in two. */
Test(node, metadata_cuts_segment)
{
    struct net net;
    net_open(&net, NULL);
    trip(&net, false,
         frame_tcp(CLIENT, 40, SERVER, 80, SVR_TCP_SYN, 9, 0, "", 0));
    struct frame f =
        frame_tcp(CLIENT, 40, SERVER, 80, SVR_TCP_ACK, 10, 2, NULL, 1460);
    cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
    cr_assert_eq(net.out_count, 2);
    size_t total = 0;
    struct frame wires[2] = {net_take(&net, 0), net_take(&net, 1)};
    for (int i = 0; i < 2; i++) {
        cr_assert_leq(wires[i].p.len, NET_MTU);
        cr_assert(frame_has_metadata(&wires[i]));
        cr_assert_eq(net_input(&net, net.dc, &wires[i], NET_WAN),
                     SVR_DROP_NONE);
        total += frame_payload(&net.out[0]).len;
        frame_free(&wires[i]);
    }
    cr_assert_eq(total, 1460);
    frame_free(&f);
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

/* Signed packets are bound to their session and their TCP header (S11.4b). */
Test(node, signed_packets)
{
    struct net net;
    net_open(&net, &(struct net_options){.per_packet = true});
    trip(&net, false,
         frame_tcp(CLIENT, 40, SERVER, 80, SVR_TCP_SYN, 9, 0, "", 0));
    trip(&net, true,
         frame_tcp(SERVER, 80, CLIENT, 40, SVR_TCP_SYN | SVR_TCP_ACK, 1, 10, "",
                   0));
    struct frame f =
        frame_tcp(CLIENT, 40, SERVER, 80, SVR_TCP_ACK, 10, 2, NULL, 99);
    cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
    struct frame wire = net_take(&net, 0);
    svr_headers h = frame_headers(&wire);
    for (uint32_t at = h.l4 + 4u; at < wire.p.len; at++) {
        if (at == h.l4 + 12u || (at >= h.l4 + 14u && at < h.l4 + 20u))
            continue; /* offset, window, checksum, urgent pointer */
        struct frame bad = frame_copy(&wire);
        bad.p.data[at] ^= 1;
        svr_packet_checksum_write(&bad.p, &h);
        cr_assert_eq(net_input(&net, net.dc, &bad, NET_WAN), SVR_DROP_TAG,
                     "byte %u", at);
        frame_free(&bad);
    }
    cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_NONE);
    frame_free(&wire);
    frame_free(&f);
    net_close(&net);
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

/* A TCP session that is established, client port 40 and server port 80; the
 * client has sent up to 109 and acknowledged 2. */
static void open_tcp(struct net *net)
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

static struct frame client_segment(uint32_t seq, const void *payload,
                                   size_t len)
{
    return frame_tcp(CLIENT, 40, SERVER, 80, SVR_TCP_ACK, seq, 2, payload, len);
}

/* The branch's form of a packet that goes straight through it. */
static struct frame wire_of(struct net *net, struct frame f)
{
    cr_assert_eq(net_input(net, net->branch, &f, NET_LAN), SVR_DROP_NONE);
    cr_assert_eq(net->out_count, 1);
    frame_free(&f);
    return net_take(net, 0);
}

/* S2.3: a mark on any of the segments that the WAN's device joined. */
Test(node, mark_within_super_packet)
{
    static const uint8_t cookie[900] = {0x4c, 0x48, 0xdb, 0xc6,
                                        0xdd, 0xf6, 0x67, 0x0c};
    struct net net;
    net_open(&net, NULL);
    open_tcp(&net);
    struct frame plain = wire_of(&net, client_segment(110, NULL, 1000));
    struct frame marked = wire_of(&net, client_segment(1110, cookie, 900));
    svr_span a = frame_payload(&plain), b = frame_payload(&marked);
    cr_assert_eq(b.len, 900 + SVR_BASE_HEADER_SIZE);

    uint8_t bytes[2000];
    svr_headers h = frame_headers(&plain);
    memcpy(bytes, a.data, a.len);
    memcpy(bytes + a.len, b.data, b.len);
    struct frame joined =
        frame_tcp("203.0.113.1", h.tuple.sport, "203.0.113.2", h.tuple.dport,
                  SVR_TCP_ACK, 110, 2, bytes, a.len + b.len);
    joined.p.segment_size = 1000;
    cr_assert_eq(net_input(&net, net.dc, &joined, NET_WAN), SVR_DROP_NONE);
    size_t got = 0;
    for (size_t i = 0; i < net.out_count; i++) {
        svr_span part = frame_payload(&net.out[i]);
        if (got == 1000)
            cr_assert_arr_eq(part.data, cookie, 900);
        got += part.len;
    }
    cr_assert_eq(got, 1900, "%zu bytes", got);
    frame_free(&plain);
    frame_free(&marked);
    frame_free(&joined);
    net_close(&net);
}

/* S4.8 at a transit: the packet that it cuts has lost its tag and its mark
 * already, so the pieces are not taken for packets of the neighbour. */
Test(node, transit_cuts_segment)
{
    for (int per_packet = 0; per_packet < 2; per_packet++) {
        struct net net;
        net_open(&net,
                 &(struct net_options){.hub = true, .per_packet = per_packet});
        open_tcp(&net);
        net.now += 10 * SVR_SECOND;
        net_restart(&net, &net.dc);

        /* dc asks the hub for metadata */
        struct frame lost = wire_of(&net, client_segment(110, NULL, 100)), ask;
        cr_assert_eq(net_input(&net, net.hub, &lost, NET_WAN), SVR_DROP_NONE);
        frame_free(&lost);
        lost = net_take(&net, 0);
        cr_assert_eq(net_input(&net, net.dc, &lost, NET_WAN),
                     SVR_DROP_NO_SESSION);
        ask = net_take(&net, 0);
        cr_assert_eq(net_input(&net, net.hub, &ask, NET_WAN), SVR_DROP_NONE);

        struct frame wire = wire_of(&net, client_segment(110, NULL, 1444));
        cr_assert_not(frame_has_metadata(&wire));
        cr_assert_eq(net_input(&net, net.hub, &wire, NET_WAN), SVR_DROP_NONE);
        cr_assert_eq(net.out_count, 2);
        struct frame pieces[2] = {net_take(&net, 0), net_take(&net, 1)};
        uint32_t got = 0;
        for (int i = 0; i < 2; i++) {
            cr_assert(frame_has_metadata(&pieces[i]));
            cr_assert_leq(pieces[i].p.len, NET_MTU);
            cr_assert_eq(net_input(&net, net.dc, &pieces[i], NET_WAN),
                         SVR_DROP_NONE);
            cr_assert_eq(frame_headers(&net.out[0]).tcp_seq, 110 + got);
            got += (uint32_t)frame_payload(&net.out[0]).len;
            frame_free(&pieces[i]);
        }
        cr_assert_eq(got, 1444);
        frame_free(&lost);
        frame_free(&ask);
        frame_free(&wire);
        net_close(&net);
    }
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
    net_open(&net, NULL);
    struct frame first =
        wire_of(&net, frame_udp(CLIENT, 40, SERVER, 53, NULL, 9));
    struct frame late =
        wire_of(&net, frame_udp(CLIENT, 40, SERVER, 53, NULL, 9));
    cr_assert_eq(net_input(&net, net.dc, &first, NET_WAN), SVR_DROP_NONE);
    svr_time now = net.now;
    net_run(&net, net.branch, now + 6 * SVR_SECOND);
    net.now = now;
    cr_assert_eq(svr_node_session_count(net.branch), 0);
    trip(&net, false, frame_udp(CLIENT, 40, SERVER, 53, NULL, 9));
    cr_assert_eq(net_input(&net, net.dc, &late, NET_WAN),
                 SVR_DROP_TUPLE_IN_USE);
    trip(&net, true, frame_udp(SERVER, 53, CLIENT, 40, NULL, 9));
    frame_free(&first);
    frame_free(&late);
    net_close(&net);
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

/* S19: nobody on the WAN ends a session, whomever the error is addressed to. */
Test(node, icmp_error_from_underlay)
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

/* An error's own tuple is that of an echo with identifier 0. */
Test(node, icmp_error_beside_echo)
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

/* S18: the client is told the size of its own packets. */
Test(node, too_big_beyond_a_pathway)
{
    for (int row = 0; row < 4; row++) {
        bool v6 = row & 1;
        const char *c = v6 ? CLIENT6 : CLIENT, *s = v6 ? SERVER6 : SERVER;
        size_t header = v6 ? 40 : 20;
        struct net net;
        net_open(&net, &(struct net_options){.v6_pathway = row & 2,
                                             .server_mtu = 1300});
        trip(&net, false, frame_echo(c, s, 50, false, 9));
        trip(&net, true, frame_echo(s, c, 50, true, 9));
        trip(&net, false, frame_echo(c, s, 50, false, 1300 - header - 8));
        struct frame wire =
            wire_of(&net, frame_echo(c, s, 50, false, 1301 - header - 8));
        cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_TOO_BIG);
        struct frame carried = net_take(&net, 0);
        cr_assert_eq(net_input(&net, net.branch, &carried, NET_WAN),
                     SVR_DROP_NONE);
        const uint8_t *icmp = net.out[0].p.data + header;
        cr_assert_eq(icmp[6] << 8 | icmp[7], 1300, "row %d: %d", row,
                     icmp[6] << 8 | icmp[7]);
        frame_free(&wire);
        frame_free(&carried);
        net_close(&net);
    }
}

/* Super-packets of every size that a device may hand over. */
Test(node, extreme_super_packets)
{
    struct net net;

    /* as long as IPv4 allows, and 20 bytes longer as IPv6 */
    net_open(&net, &(struct net_options){.v6_pathway = true});
    open_tcp(&net);
    struct frame f = client_segment(110, NULL, 65535 - 40);
    f.p.segment_size = 1440;
    cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
    cr_assert_eq(net.out_count, 46);
    frame_free(&f);
    net_close(&net);

    /* pieces for which no buffer of svr_node_output would be large enough */
    net_open(&net, NULL);
    struct frame wire = wire_of(
        &net, frame_tcp(CLIENT, 40, SERVER, 80, SVR_TCP_SYN, 9, 0, NULL, 1000));
    svr_headers h = frame_headers(&wire);
    cr_assert_eq(svr_packet_extend(&wire.p, &h, 8000), 0);
    svr_packet_checksum_write(&wire.p, &h);
    wire.p.segment_size = 4000;
    cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_TOO_BIG);
    frame_free(&wire);

    /* nothing but TCP is cut: it is one packet, and too big */
    f = frame_udp(CLIENT, 50, SERVER, 9, NULL, 3000);
    f.p.segment_size = 1000;
    cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_TOO_BIG);
    frame_free(&f);
    net_close(&net);
}

/* The session ends between a super-packet and its pieces. */
Test(node, session_ends_while_cut)
{
    static uint8_t buf[SVR_OUTPUT_SIZE(NET_MTU)];
    struct net net;
    svr_packet p;
    net_open(&net, &(struct net_options){.no_offload = true});
    open_tcp(&net);
    struct frame f = client_segment(110, NULL, 14000);
    f.p.segment_size = 1400;
    svr_node_input(net.branch, &f.p, 1, net.now);
    cr_assert_eq(f.p.verdict, SVR_VERDICT_CONSUME);
    net.now += 1901 * SVR_SECOND;
    while (svr_node_session_count(net.branch))
        svr_node_handle_expiry(net.branch, net.now);
    cr_assert_eq(svr_node_output(net.branch, &p, buf, sizeof(buf), net.now), 0,
                 "no reset for each piece");
    cr_assert_eq(net_dropped(net.branch, SVR_DROP_SESSION_ENDED), 10);
    frame_free(&f);
    net_close(&net);
}

/* S11.7: what is refused in silence takes no packet number. */
Test(node, strays_take_no_number)
{
    struct net net;
    uint64_t number[2];
    net_open(&net, NULL);
    for (uint16_t i = 0; i < 2; i++) {
        struct frame wire =
            wire_of(&net, frame_udp(CLIENT, 50 + i, SERVER, 9, NULL, 9));
        number[i] = frame_metadata(&wire).packet_number;
        frame_free(&wire);
        struct frame stray =
            frame_udp("203.0.113.2", 5, "203.0.113.1", 5, NULL, 200);
        for (int k = 0; k < 10; k++) {
            struct frame copy = frame_copy(&stray);
            cr_assert_eq(net_input(&net, net.branch, &copy, NET_WAN),
                         SVR_DROP_NO_SESSION);
            frame_free(&copy);
        }
        frame_free(&stray);
    }
    cr_assert_eq(number[1], number[0] + 1);
    net_close(&net);
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

static void *plain_alloc(void *user, size_t len)
{
    (void)user;
    return malloc(len);
}

static void plain_free(void *user, void *ptr, size_t len)
{
    (void)user;
    (void)len;
    free(ptr);
}

static void fill_same(void *user, void *buf, size_t len)
{
    (void)user;
    memset(buf, 7, len);
}

/* Each with one thing that a caller got wrong. */
Test(node, bad_configurations)
{
    for (int row = 0; row < 8; row++) {
        svr_prefix own = {addr("203.0.113.1"), 24};
        svr_interface_config wan = {.name = "wan0",
                                    .addresses = &own,
                                    .address_count = 1,
                                    .mtu = NET_MTU,
                                    .tenant = SVR_TENANT_NONE};
        svr_peer_config peers[2] = {{"dc"}, {"hub"}};
        svr_security_config sec = {.name = "default",
                                   .hmac = &svr_hmac_sha256_128};
        svr_pathway_config pw = {.name = "wan0-dc",
                                 .local = addr("203.0.113.1"),
                                 .remote = addr("203.0.113.2")};
        svr_node_config c;
        svr_node *n = NULL;
        svr_node_config_init(&c);
        c.name = "branch";
        c.alloc = (svr_allocator){plain_alloc, plain_free, NULL};
        c.random = (svr_random){fill_same, NULL};
        c.limits.sessions = 4;
        c.interfaces = &wan;
        c.peers = peers;
        c.peer_count = 2;
        c.securities = &sec;
        c.pathways = &pw;
        c.interface_count = c.security_count = c.pathway_count = 1;
        int expected = SVR_ERR_ARGUMENT;
        switch (row) {
        case 0: /* the control */
            expected = 0;
            break;
        case 1:
            own.len = 33;
            break;
        case 2:
            wan.gateway_v4 = addr("2001:db8::1");
            break;
        case 3:
            wan.gateway_v6 = addr("203.0.113.254");
            break;
        case 4:
            pw.local = addr("203.0.113.9");
            break;
        case 5:
            pw.remote = addr("198.51.100.1");
            break;
        case 6:
            peers[1].name = "dc";
            expected = SVR_ERR_EXISTS;
            break;
        case 7:
            peers[1].name = "branch";
            expected = SVR_ERR_EXISTS;
            break;
        }
        cr_assert_eq(svr_node_create(&n, &c, 0), expected, "row %d", row);
        svr_node_destroy(n);
    }
}

/* A packet from branch to dc with metadata of our own making, rightly signed
 * (regular mode). */
static struct frame make_signed(const svr_metadata *md, uint16_t sport)
{
    uint8_t shared[SVR_KEY_SIZE], bytes[SVR_METADATA_MAX + SVR_TAG_MAX + 9];
    svr_direction_key key;
    svr_metadata out = *md;
    svr_mac mac;
    memset(shared, 0x42, sizeof(shared));
    svr_direction_key_derive(&key, shared, "branch", "dc", 1);
    svr_mac_init(&mac, &svr_hmac_sha256_128, key.key);
    out.security_id = key.security_id;
    ptrdiff_t len = svr_metadata_encode(bytes, SVR_METADATA_MAX, &out);
    cr_assert_gt(len, 0);
    memcpy(bytes + len, "something", 9);
    svr_mac_sign(&mac, &(svr_span){bytes, (size_t)len + 9}, 1, bytes + len + 9);
    return frame_udp("203.0.113.1", sport, "203.0.113.2", 20001, bytes,
                     (size_t)len + 9 + mac.hmac->tag_len);
}

static svr_span text(const char *s)
{
    return (svr_span){(const uint8_t *)s, strlen(s)};
}

static svr_metadata good_metadata(void)
{
    svr_metadata md;
    svr_metadata_init(&md);
    md.present = SVR_HAS(SECURITY_ID) | SVR_HAS(PACKET_NUMBER) |
                 SVR_HAS(FORWARD_CONTEXT_V4) | SVR_HAS(SESSION_UUID) |
                 SVR_HAS(TENANT) | SVR_HAS(SERVICE) | SVR_HAS(SOURCE_ROUTER);
    md.packet_number = 1;
    md.forward = (svr_tuple){addr(CLIENT), addr(SERVER), 50, 9, SVR_PROTO_UDP};
    md.uuid.b[0] = 1;
    md.tenant = text("staff.corp");
    md.service = text("apps");
    md.source_router = text("branch");
    return md;
}

/* S6.1, S6.2, S12.7: authentic, and refused all the same; no state, and the
 * number is spent. */
Test(node, authentic_but_refused)
{
    for (int row = 0; row < 12; row++) {
        svr_metadata md = good_metadata();
        enum svr_drop reason = SVR_DROP_NONE;
        struct net net;
        net_open(&net, &(struct net_options){.regular = true});
        switch (row) {
        case 0: /* the control */
            break;
        case 1:
            md.source_router = text("hub");
            reason = SVR_DROP_SIGNER;
            break;
        case 2:
            md.tenant = text("nobody");
            reason = SVR_DROP_MD_TENANT;
            break;
        case 3:
            md.tenant = text("guest");
            reason = SVR_DROP_ACCESS;
            break;
        case 4:
            md.present &= ~SVR_HAS(TENANT);
            reason = SVR_DROP_ACCESS;
            break;
        case 5:
            md.service = text("unknown");
            reason = SVR_DROP_MD_SERVICE;
            break;
        case 6: /* its parent is known, but this is no transit */
            md.service = text("web.apps");
            reason = SVR_DROP_MD_SERVICE;
            break;
        case 7:
            md.forward.dst = addr("10.9.0.10");
            reason = SVR_DROP_MD_CONTEXT;
            break;
        case 8:
            md.forward.proto = SVR_PROTO_TCP;
            reason = SVR_DROP_MD_CONTEXT;
            break;
        case 9:
            md.present &= ~SVR_HAS(SESSION_UUID);
            reason = SVR_DROP_MD_INCOMPLETE;
            break;
        case 10:
            md.present &= ~SVR_HAS(PACKET_NUMBER);
            reason = SVR_DROP_MD_INCOMPLETE;
            break;
        case 11:
            md.forward.src = addr("224.0.0.1");
            reason = SVR_DROP_MD_CONTEXT;
            break;
        }
        struct frame f = make_signed(&md, 20000), again = frame_copy(&f);
        cr_assert_eq(net_input(&net, net.dc, &f, NET_WAN), reason, "row %d: %s",
                     row, svr_drop_name((enum svr_drop)f.p.drop));
        cr_assert_eq(svr_node_session_count(net.dc), row == 0);
        cr_assert_eq(net.out_count, row == 0);
        if (row != 10)
            cr_assert_eq(net_input(&net, net.dc, &again, NET_WAN),
                         SVR_DROP_REPLAY, "row %d", row);
        frame_free(&f);
        frame_free(&again);
        net_close(&net);
    }
}

/* S6.7: what metadata may do to the session whose tuple it comes on. */
Test(node, metadata_on_a_tuple_in_use)
{
    for (int row = 0; row < 5; row++) {
        svr_metadata md = good_metadata();
        enum svr_drop reason = SVR_DROP_NONE;
        uint16_t sport = 20000;
        struct net net;
        net_open(&net, &(struct net_options){.regular = true});
        md.packet_number = 5;
        struct frame f = make_signed(&md, sport);
        cr_assert_eq(net_input(&net, net.dc, &f, NET_WAN), SVR_DROP_NONE);
        frame_free(&f);
        md.packet_number = 6;
        switch (row) {
        case 0: /* the same once more */
            break;
        case 1:
            md.forward.sport = 51;
            reason = SVR_DROP_MD_CONFLICT;
            break;
        case 2: /* another session takes the tuple */
            md.uuid.b[0] = 2;
            md.forward.sport = 51;
            break;
        case 3: /* but not with a number of before */
            md.uuid.b[0] = 2;
            md.packet_number = 4;
            reason = SVR_DROP_TUPLE_IN_USE;
            break;
        case 4: /* the same session on another tuple, as after a restart */
            sport = 20002;
            break;
        }
        f = make_signed(&md, sport);
        cr_assert_eq(net_input(&net, net.dc, &f, NET_WAN), reason, "row %d: %s",
                     row, svr_drop_name((enum svr_drop)f.p.drop));
        cr_assert_eq(svr_node_session_count(net.dc), 1);
        struct frame answer =
            frame_udp(SERVER, 9, CLIENT, row == 2 ? 51 : 50, NULL, 9);
        cr_assert_eq(net_input(&net, net.dc, &answer, NET_LAN), SVR_DROP_NONE);
        cr_assert_eq(frame_headers(&net.out[0]).tuple.dport, sport, "row %d",
                     row);
        frame_free(&answer);
        frame_free(&f);
        net_close(&net);
    }
}
