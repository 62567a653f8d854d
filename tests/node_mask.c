/* A node: TCP sessions that travel as UDP (S4.4). */
#include "node_net.h"

#include <criterion/criterion.h>
#include <string.h>

enum {
    MASK_ALL = NET_MASK_BRANCH | NET_MASK_HUB | NET_MASK_DC,
    SYN_ACK = SVR_TCP_SYN | SVR_TCP_ACK,
    FIN_ACK = SVR_TCP_FIN | SVR_TCP_ACK,
};

static const uint8_t cookie[8] = {0x4c, 0x48, 0xdb, 0xc6,
                                  0xdd, 0xf6, 0x67, 0x0c};

static svr_session_info only_session(const svr_node *n)
{
    svr_session_info info;
    size_t cursor = 0;
    cr_assert_eq(svr_node_session_count(n), 1);
    cr_assert_eq(svr_node_session_next(n, &cursor, &info), 1);
    return info;
}

/* The protocols of both sides of the router's only session. */
static void expect_sides(const svr_node *n, uint8_t client, uint8_t server)
{
    svr_session_info info = only_session(n);
    cr_assert_eq(info.client.waypoints.proto, client);
    cr_assert_eq(info.server.waypoints.proto, server);
}

static struct frame segment(bool reverse, bool v6, uint8_t flags, uint32_t seq,
                            uint32_t ack, size_t len)
{
    const char *c = v6 ? CLIENT6 : CLIENT, *s = v6 ? SERVER6 : SERVER;
    return reverse ? frame_tcp(s, 80, c, 40, flags, seq, ack, NULL, len)
                   : frame_tcp(c, 40, s, 80, flags, seq, ack, NULL, len);
}

/* One packet over the network, which is UDP behind the first router. Returns
 * what it gained there besides another IP header. */
static size_t masked_trip(struct net *net, bool reverse, struct frame sent,
                          struct frame *wire)
{
    svr_headers was = frame_headers(&sent);
    uint32_t len = sent.p.len - was.l4;
    if (reverse)
        reverse_trip(net, sent, wire);
    else
        forward_trip(net, sent, wire);
    svr_headers h = frame_headers(wire);
    cr_assert_eq(h.tuple.proto, SVR_PROTO_UDP);
    return wire->p.len - h.l4 - len;
}

/* The same, where nothing but a tag may be gained; and the packet behind the
 * tag is the one that was sent. */
static void plain_trip(struct net *net, bool reverse, struct frame sent)
{
    struct frame wire, copy = frame_copy(&sent);
    svr_headers was = frame_headers(&copy);
    size_t tag = net->options.per_packet ? 16 : 0;
    cr_assert_eq(masked_trip(net, reverse, sent, &wire), tag);
    svr_headers h = frame_headers(&wire);
    cr_assert_eq(svr_packet_unmask(&wire.p, &h), 0);
    cr_assert_eq(h.tcp_seq, was.tcp_seq);
    cr_assert_eq(h.tcp_ack, was.tcp_ack);
    cr_assert_eq(h.tcp_flags, was.tcp_flags);
    cr_assert_arr_eq(wire.p.data + h.payload, copy.p.data + was.payload,
                     copy.p.len - was.payload);
    frame_free(&wire);
    frame_free(&copy);
}

/* One that carries metadata; whether that says SYN. */
static bool offering_trip(struct net *net, bool reverse, struct frame sent)
{
    struct frame wire;
    masked_trip(net, reverse, sent, &wire);
    svr_metadata md = frame_metadata(&wire);
    frame_free(&wire);
    return md.present & SVR_HAS(TCP_SYN);
}

/* A connection from SYN to FIN, in each mix of families and kind of signing. */
Test(node_mask, connection)
{
    for (int row = 0; row < 16; row++) {
        bool v6 = row & 1;
        struct net net;
        net_open(&net, &(struct net_options){.masked = NET_MASK_BRANCH,
                                             .v6_pathway = row & 2,
                                             .per_packet = row & 4,
                                             .regular = row & 8});
        cr_assert(offering_trip(&net, false,
                                segment(false, v6, SVR_TCP_SYN, 100, 0, 0)));
        cr_assert_not(
            offering_trip(&net, true, segment(true, v6, SYN_ACK, 500, 101, 0)));
        plain_trip(&net, false, segment(false, v6, SVR_TCP_ACK, 101, 501, 600));
        plain_trip(&net, true, segment(true, v6, SVR_TCP_ACK, 501, 701, 901));
        plain_trip(&net, false, segment(false, v6, SVR_TCP_ACK, 701, 1402, 0));
        cr_assert_str_eq(only_session(net.branch).state, "established");
        cr_assert_str_eq(only_session(net.dc).state, "established");
        expect_sides(net.branch, SVR_PROTO_TCP, SVR_PROTO_UDP);
        expect_sides(net.dc, SVR_PROTO_UDP, SVR_PROTO_TCP);
        cr_assert_eq(only_session(net.dc).context.proto, SVR_PROTO_TCP);

        plain_trip(&net, false, segment(false, v6, FIN_ACK, 701, 1402, 5));
        plain_trip(&net, true, segment(true, v6, FIN_ACK, 1402, 707, 0));
        cr_assert_str_eq(only_session(net.branch).state, "closing");
        cr_assert_str_eq(only_session(net.dc).state, "closing");
        net_run(&net, net.dc, net.now + 11 * SVR_SECOND);
        cr_assert_eq(svr_node_session_count(net.dc), 0, "TCP's lifetimes");
        net_close(&net);
    }
}

/* Each segment that carries metadata is UDP too, and a SYN with data. */
Test(node_mask, before_the_handshake)
{
    struct net net;
    net_open(&net, &(struct net_options){.masked = NET_MASK_BRANCH});
    cr_assert(offering_trip(&net, false,
                            segment(false, false, SVR_TCP_SYN, 9, 0, 700)));
    cr_assert_not(offering_trip(
        &net, false, segment(false, false, SVR_TCP_ACK, 710, 2, 700)));

    /* a SYN that is too long with metadata goes in two, which just fit */
    struct frame f = segment(false, true, SVR_TCP_SYN, 9, 0, 1400);
    cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
    cr_assert_eq(net.out_count, 2);
    cr_assert_eq(net.out[0].p.len, NET_MTU);
    cr_assert(frame_metadata(&net.out[0]).present & SVR_HAS(TCP_SYN));
    cr_assert_not(frame_metadata(&net.out[1]).present & SVR_HAS(TCP_SYN));
    frame_free(&f);
    net_close(&net);
}

/* It is the opener's configuration that counts. */
Test(node_mask, the_opener_decides)
{
    struct net net;
    net_open(&net,
             &(struct net_options){.masked = NET_MASK_DC, .reverse = true});
    struct frame wire =
        wire_of(&net, segment(false, false, SVR_TCP_SYN, 9, 0, 0));
    cr_assert_not(frame_metadata(&wire).present & SVR_HAS(TCP_SYN));
    cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_NONE);
    expect_sides(net.dc, SVR_PROTO_TCP, SVR_PROTO_TCP);
    frame_free(&wire);
    net_close(&net);

    net_open(&net,
             &(struct net_options){.masked = NET_MASK_DC, .reverse = true});
    struct frame f =
        frame_tcp(SERVER, 50, CLIENT, 22, SVR_TCP_SYN, 9, 0, "", 0);
    cr_assert(offering_trip(&net, true, f));
    expect_sides(net.dc, SVR_PROTO_TCP, SVR_PROTO_UDP);
    expect_sides(net.branch, SVR_PROTO_UDP, SVR_PROTO_TCP);
    net_close(&net);
}

/* UDP beside it is what it was. */
Test(node_mask, udp_stays_udp)
{
    struct net net;
    struct frame wire;
    net_open(&net, &(struct net_options){.masked = MASK_ALL});
    trip(&net, false, frame_udp(CLIENT, 50, SERVER, 9, NULL, 5));
    trip(&net, true, frame_udp(SERVER, 9, CLIENT, 50, NULL, 5));
    forward_trip(&net, frame_udp(CLIENT, 50, SERVER, 9, NULL, 5), &wire);
    cr_assert_eq(wire.p.len, 28 + 5);
    frame_free(&wire);
    net_close(&net);
}

/* S20: masked on one side of a transit, on the other, on both. */
Test(node_mask, transit)
{
    for (int row = 0; row < 16; row++) {
        uint8_t masked =
            (row & 1 ? NET_MASK_BRANCH : 0) | (row & 2 ? NET_MASK_HUB : 0);
        uint8_t near = row & 1 ? SVR_PROTO_UDP : SVR_PROTO_TCP;
        uint8_t far = row & 2 ? SVR_PROTO_UDP : SVR_PROTO_TCP;
        struct net net;
        net_open(&net, &(struct net_options){.masked = masked,
                                             .hub = true,
                                             .per_packet = row & 4,
                                             .v6_pathway = row & 8});
        open_tcp(&net);
        for (uint32_t i = 0; i < 3; i++) {
            cr_assert_not(
                trip(&net, false, client_segment(110 + i * 1000, NULL, 1000)));
            cr_assert_not(
                trip(&net, true,
                     segment(true, false, SVR_TCP_ACK, 2, 1110 + i * 1000, 0)));
        }
        expect_sides(net.branch, SVR_PROTO_TCP, near);
        expect_sides(net.hub, near, far);
        expect_sides(net.dc, far, SVR_PROTO_TCP);
        net_close(&net);
    }
}

/* S4.8: super-packets are cut, although the device would take them whole; no
 * piece needs a mark, whatever it begins with. */
Test(node_mask, super_packets)
{
    static uint8_t payload[14000];
    for (int row = 0; row < 4; row++) {
        size_t tag = row & 1 ? 16 : 0, got = 0;
        struct net net;
        net_open(&net, &(struct net_options){.masked = NET_MASK_BRANCH,
                                             .per_packet = row & 1});
        open_tcp(&net);
        for (size_t i = 0; i < sizeof(payload); i++)
            payload[i] = row & 2 ? cookie[i % 8] : (uint8_t)(i * 3);
        struct frame f = client_segment(110, payload, sizeof(payload));
        svr_headers h = frame_headers(&f);
        f.p.segment_size = 1400;
        f.p.checksum = SVR_CHECKSUM_PARTIAL;
        svr_packet_checksum_write(&f.p, &h);
        cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
        cr_assert_eq(net.out_count, 10);
        struct frame wires[10];
        for (size_t i = 0; i < 10; i++)
            wires[i] = net_take(&net, i);
        for (size_t i = 0; i < 10; i++) {
            cr_assert_eq(frame_headers(&wires[i]).tuple.proto, SVR_PROTO_UDP);
            cr_assert_eq(wires[i].p.len, 40 + 1400 + tag, "no mark");
            cr_assert_eq(net_input(&net, net.dc, &wires[i], NET_WAN),
                         SVR_DROP_NONE);
            svr_span part = frame_payload(&net.out[0]);
            cr_assert_eq(frame_headers(&net.out[0]).tcp_seq, 110 + got);
            cr_assert_arr_eq(part.data, payload + got, part.len);
            got += part.len;
            frame_free(&wires[i]);
        }
        cr_assert_eq(got, sizeof(payload));
        frame_free(&f);
        net_close(&net);
    }
}

/* What the device would complete, in both forms. */
Test(node_mask, partial_checksums)
{
    for (int per_packet = 0; per_packet < 2; per_packet++) {
        struct net net;
        net_open(&net, &(struct net_options){.masked = NET_MASK_BRANCH,
                                             .per_packet = per_packet});
        open_tcp(&net);
        struct frame f = client_segment(110, NULL, 99);
        struct frame sent = frame_copy(&f);
        svr_headers h = frame_headers(&f);
        f.p.checksum = SVR_CHECKSUM_PARTIAL;
        svr_packet_checksum_write(&f.p, &h);
        struct frame wire = wire_of(&net, f);
        cr_assert_eq(wire.p.checksum, SVR_CHECKSUM_PARTIAL);
        h = frame_headers(&wire);
        svr_packet_checksum_complete(&wire.p, &h);
        cr_assert(svr_packet_checksum_ok(&wire.p, &h));
        cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_NONE);
        frame_expect_same(&net.out[0], &sent, 2);
        frame_free(&sent);
        frame_free(&wire);
        net_close(&net);
    }
}

/* S2.3, S2.7: the client's payload begins with the cookie, or the header does
 * where metadata would stand: no mark is needed, and URG is lost. A mark that a
 * neighbour puts there all the same is taken off. */
Test(node_mask, cookies)
{
    for (int per_packet = 0; per_packet < 2; per_packet++) {
        struct net net;
        net_open(&net, &(struct net_options){.masked = NET_MASK_BRANCH,
                                             .per_packet = per_packet});
        open_tcp(&net);
        plain_trip(&net, false, client_segment(110, cookie, 8));
        uint8_t full[1460] = {0};
        memcpy(full, cookie, 8);
        plain_trip(&net, false,
                   client_segment(110, full, per_packet ? 1444 : 1460));

        struct frame f = client_segment(118, NULL, 60);
        svr_headers h = frame_headers(&f);
        memcpy(f.p.data + h.l4 + 8, cookie, 8);
        cr_assert_eq(svr_packet_parse(&h, &f.p), 0);
        svr_packet_checksum_write(&f.p, &h);
        struct frame wire = wire_of(&net, f);
        cr_assert_not(frame_has_metadata(&wire));
        cr_assert_eq(wire.p.len, 40 + 60 + (per_packet ? 16 : 0));
        cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_NONE);
        svr_headers got = frame_headers(&net.out[0]);
        cr_assert_eq(got.tcp_ack, 0x4c48dbc6);
        cr_assert_eq(got.tcp_flags, 0xf6 & ~SVR_TCP_URG);
        cr_assert_eq(got.payload - got.l4, 52);
        frame_free(&wire);
        net_close(&net);
    }
    struct net net;
    net_open(&net, &(struct net_options){.masked = NET_MASK_BRANCH});
    open_tcp(&net);
    struct frame sent = client_segment(110, cookie, 8);
    struct frame wire = wire_of(&net, frame_copy(&sent));
    svr_headers h = frame_headers(&wire);
    cr_assert_eq(svr_packet_insert(&wire.p, &h, SVR_BASE_HEADER_SIZE), 0);
    svr_block_write_bare(wire.p.data + h.payload);
    svr_packet_checksum_write(&wire.p, &h);
    cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_NONE);
    frame_expect_same(&net.out[0], &sent, 2);
    frame_free(&sent);
    frame_free(&wire);
    net_close(&net);
}

/* The MSS of a SYN is lowered by what each packet gains (S4.8). */
Test(node_mask, mss)
{
    static const uint8_t option[4] = {2, 4, 0x05, 0xb4};
    for (int per_packet = 0; per_packet < 2; per_packet++) {
        struct net net;
        net_open(&net, &(struct net_options){.masked = NET_MASK_BRANCH,
                                             .per_packet = per_packet,
                                             .v6_pathway = true});
        struct frame f =
            frame_tcp(CLIENT, 40, SERVER, 80, SVR_TCP_SYN, 9, 0, option, 4);
        f.p.data[20 + 12] = 0x60;
        svr_headers h;
        cr_assert_eq(svr_packet_parse(&h, &f.p), 0);
        svr_packet_checksum_write(&f.p, &h);
        struct frame wire = wire_of(&net, f);
        cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_NONE);
        const uint8_t *mss = net.out[0].p.data + 20 + 20 + 2;
        cr_assert_eq(mss[0] << 8 | mss[1], 1440 - (per_packet ? 16 : 0));
        frame_free(&wire);
        net_close(&net);
    }
}

/* S4.6: what is wrong is not made right. */
Test(node_mask, corruption_is_not_hidden)
{
    struct net net;
    svr_headers h;
    net_open(&net, &(struct net_options){.masked = NET_MASK_BRANCH});
    struct frame f = segment(false, false, SVR_TCP_SYN, 9, 0, 0);
    f.p.data[f.p.len - 1] ^= 1;
    cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN),
                 SVR_DROP_L4_CHECKSUM);
    frame_free(&f);
    open_tcp(&net);
    f = client_segment(110, NULL, 50);
    f.p.data[f.p.len - 1] ^= 1;
    cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
    struct frame wire = net_take(&net, 0);
    cr_assert_eq(svr_packet_parse(&h, &wire.p), 0);
    cr_assert_not(svr_packet_checksum_ok(&wire.p, &h));
    cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_NONE);
    cr_assert_eq(svr_packet_parse(&h, &net.out[0].p), 0);
    cr_assert_eq(h.tuple.proto, SVR_PROTO_TCP);
    cr_assert_not(svr_packet_checksum_ok(&net.out[0].p, &h));
    frame_free(&f);
    frame_free(&wire);
    net_close(&net);
}

/* No TCP header behind UDP: dropped with its reason, and no acknowledgement of
 * metadata. */
Test(node_mask, malformed)
{
    for (int row = 0; row < 4; row++) {
        struct net net;
        svr_headers h;
        net_open(&net, &(struct net_options){.masked = NET_MASK_BRANCH});
        trip(&net, false, segment(false, false, SVR_TCP_SYN, 9, 0, 0));
        trip(&net, true, segment(true, false, SYN_ACK, 1, 10, 0));
        struct frame wire = wire_of(&net, client_segment(10, NULL, 9));
        h = frame_headers(&wire);
        switch (row) {
        case 0:
            cr_assert_eq(svr_packet_extend(&wire.p, &h, -10), 0);
            break;
        case 1:
            wire.p.data[h.l4 + 12] = 0x40;
            break;
        case 2:
            wire.p.data[h.l4 + 12] = 0x80;
            break;
        case 3:
            cr_assert_eq(svr_packet_extend(&wire.p, &h, -21), 0);
            break;
        }
        svr_packet_checksum_write(&wire.p, &h);
        cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_NOT_TCP,
                     "row %d", row);
        cr_assert_eq(net.out_count, 0);
        cr_assert_eq(net_dropped(net.dc, SVR_DROP_NOT_TCP), 1);
        cr_assert_str_eq(only_session(net.dc).client.metadata, "answering");
        trip(&net, false, client_segment(10, NULL, 9));
        cr_assert_str_eq(only_session(net.dc).client.metadata, "answered");
        frame_free(&wire);
        net_close(&net);
    }
}

/* S11.1: the tag covers the TCP header, since that is payload of UDP; bytes of
 * the sequence number, of the flags and of the payload in turn. */
Test(node_mask, tag_covers_tcp)
{
    static const uint8_t at[] = {8, 13, 15, 16, 19, 20};
    struct net net;
    net_open(&net, &(struct net_options){.masked = NET_MASK_BRANCH,
                                         .per_packet = true});
    open_tcp(&net);
    struct frame wire = wire_of(&net, client_segment(110, NULL, 100));
    for (size_t i = 0; i < sizeof(at); i++) {
        struct frame bad = frame_copy(&wire);
        svr_headers h = frame_headers(&bad);
        bad.p.data[h.l4 + at[i]] ^= 1;
        svr_packet_checksum_write(&bad.p, &h);
        cr_assert_eq(net_input(&net, net.dc, &bad, NET_WAN), SVR_DROP_TAG);
        frame_free(&bad);
    }
    cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_NONE);
    frame_free(&wire);
    net_close(&net);
}

/* S6.6: somebody who has nothing to send answers with UDP. */
Test(node_mask, one_way)
{
    struct net net;
    struct frame wire, answer;
    net_open(&net, &(struct net_options){.masked = NET_MASK_BRANCH});
    for (int i = 1; i < SVR_SESSION_PATIENCE; i++)
        trip(&net, false, segment(false, false, SVR_TCP_SYN, 9, 0, 0));
    wire = wire_of(&net, segment(false, false, SVR_TCP_SYN, 9, 0, 0));
    svr_tuple forward = frame_headers(&wire).tuple;
    forward = svr_tuple_reverse(&forward);
    cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_NONE);
    cr_assert_eq(net.out_count, 2);
    answer = net_take(&net, net.out[0].p.iface == NET_LAN);
    svr_tuple back = frame_headers(&answer).tuple;
    cr_assert(svr_tuple_equal(&forward, &back), "the masked tuple");
    cr_assert_eq(frame_metadata(&answer).control, SVR_CONTROL_DISABLE_METADATA);
    cr_assert_eq(net_input(&net, net.branch, &answer, NET_WAN), SVR_DROP_NONE);
    cr_assert_eq(net.out_count, 0);
    cr_assert_str_eq(only_session(net.branch).server.metadata, "offered");
    frame_free(&wire);
    frame_free(&answer);
    net_close(&net);
}

/* S8.2: dc forgets the session. What is sent next is lost; dc asks with UDP for
 * metadata, and branch hears it. */
static void lose_and_ask(struct net *net)
{
    net->now += 10 * SVR_SECOND;
    net_restart(net, &net->dc);
    struct frame wire = wire_of(net, client_segment(110, NULL, 200)), ask;
    cr_assert_not(frame_has_metadata(&wire));
    cr_assert_eq(net_input(net, net->dc, &wire, NET_WAN), SVR_DROP_NO_SESSION);
    cr_assert_eq(net->out_count, 1);
    ask = net_take(net, 0);
    cr_assert_eq(frame_headers(&ask).tuple.proto, SVR_PROTO_UDP);
    cr_assert_eq(net_input(net, net->branch, &ask, NET_WAN), SVR_DROP_NONE);
    cr_assert_eq(net->out_count, 0);
    frame_free(&wire);
    frame_free(&ask);
}

Test(node_mask, recovery)
{
    for (int row = 0; row < 4; row++) {
        struct net net;
        net_open(&net, &(struct net_options){.masked = NET_MASK_BRANCH,
                                             .per_packet = row & 1,
                                             .v6_pathway = row & 2});
        open_tcp(&net);
        lose_and_ask(&net);
        cr_assert_not(
            offering_trip(&net, false, client_segment(110, NULL, 200)),
            "no SYN");
        offering_trip(&net, true,
                      segment(true, false, SVR_TCP_ACK, 2, 310, 50));
        offering_trip(&net, false, client_segment(310, NULL, 20)); /* S6.9 */
        plain_trip(&net, true, segment(true, false, SVR_TCP_ACK, 52, 330, 50));
        plain_trip(&net, false, client_segment(330, NULL, 20));
        expect_sides(net.dc, SVR_PROTO_UDP, SVR_PROTO_TCP);
        net_close(&net);
    }
}

/* A full segment fits masked as it fits TCP, by the byte. */
Test(node_mask, full_segments)
{
    for (int row = 0; row < 4; row++) {
        int full = 1500 - 40 - (row & 1 ? 16 : 0) - (row & 2 ? 20 : 0);
        struct net net;
        net_open(&net, &(struct net_options){.masked = NET_MASK_BRANCH,
                                             .per_packet = row & 1,
                                             .v6_pathway = row & 2});
        open_tcp(&net);
        plain_trip(&net, false, client_segment(110, NULL, (size_t)full));
        if (row > 0) {
            struct frame f = client_segment(110, NULL, (size_t)full + 1);
            cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN),
                         SVR_DROP_TOO_BIG);
            const uint8_t *icmp = net.out[0].p.data + 20;
            cr_assert_eq(icmp[6] << 8 | icmp[7], full + 40);
            frame_free(&f);
        }
        net_close(&net);
    }
}

/* S19: what comes out at a LAN is an ICMP error that quotes what the host there
 * sent, with its whole TCP header. */
static void expect_error(const struct frame *got, const char *from,
                         const struct frame *about)
{
    svr_headers e = frame_headers(got), was = frame_headers(about);
    svr_addr raised = addr(from);
    svr_tuple quoted;
    bool v6 = !svr_addr_is_v4(&raised);
    const uint8_t *l4 = got->p.data + e.l4 + 8 + (v6 ? 40 : 20);
    cr_assert_eq(got->p.iface, NET_LAN);
    cr_assert(e.icmp_error);
    cr_assert(svr_addr_equal(&e.tuple.src, &raised));
    cr_assert(svr_addr_equal(&e.tuple.dst, &was.tuple.src));
    cr_assert_eq(svr_icmp_quote_parse(&quoted, got->p.data + e.l4,
                                      got->p.len - e.l4, v6),
                 0);
    cr_assert(svr_tuple_equal(&quoted, &was.tuple));
    cr_assert_arr_eq(l4, about->p.data + was.l4, 20);
}

/* The error crosses the pathway to the router `to`; on its way it quotes
 * waypoints and UDP. */
static void carry(struct net *net, svr_node *to)
{
    struct frame carried = net_take(net, 0);
    svr_metadata md;
    svr_span payload = frame_payload(&carried);
    svr_headers h = frame_headers(&carried);
    ptrdiff_t block = svr_metadata_decode(&md, payload.data, payload.len);
    bool v6 = md.present & SVR_HAS(ICMP_LOCATION_V6);
    svr_tuple quoted;
    cr_assert_gt(block, 0);
    cr_assert_eq(h.tuple.proto, SVR_PROTO_UDP);
    cr_assert_eq(svr_icmp_quote_parse(&quoted, payload.data + block,
                                      payload.len - (size_t)block - 16, v6),
                 0);
    cr_assert_eq(quoted.proto, SVR_PROTO_UDP);
    cr_assert_eq(quoted.sport, h.tuple.dport);
    cr_assert_eq(quoted.dport, h.tuple.sport);
    enum svr_drop reason = net_input(net, to, &carried, NET_WAN);
    cr_assert_eq(reason, SVR_DROP_NONE, "%s", svr_drop_name(reason));
    cr_assert_eq(net->out_count, 1);
    frame_free(&carried);
}

/* Raised by the router beyond the pathway. */
Test(node_mask, time_exceeded)
{
    for (int row = 0; row < 8; row++) {
        bool v6 = row & 1;
        struct net net;
        net_open(&net, &(struct net_options){.masked = NET_MASK_BRANCH,
                                             .v6_pathway = row & 2,
                                             .per_packet = row & 4});
        for (int established = 0; established < 2; established++) {
            struct frame f = segment(false, v6, SVR_TCP_SYN, 9, 0, 0);
            svr_headers h = frame_headers(&f);
            f.p.data[v6 ? 7 : 8] = 2;
            svr_packet_checksum_write(&f.p, &h);
            struct frame wire = wire_of(&net, frame_copy(&f));
            cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_TTL);
            cr_assert_eq(net.out_count, 1);
            carry(&net, net.branch);
            expect_error(&net.out[0], v6 ? "fd00:2::1" : "10.2.0.1", &f);
            frame_free(&f);
            frame_free(&wire);
            trip(&net, false, segment(false, v6, SVR_TCP_SYN, 9, 0, 0));
            trip(&net, true, segment(true, v6, SYN_ACK, 1, 10, 0));
        }
        net_close(&net);
    }
}

/* What a host says of the packet that it got last. */
static struct frame error_about(const struct frame *got)
{
    static uint8_t buf[NET_BUFFER];
    struct frame error = {0};
    svr_headers h = frame_headers(got);
    cr_assert_eq(svr_icmp_error(&error.p, buf, sizeof(buf), SVR_ICMP_PROHIBITED,
                                0, &h.tuple.dst, &got->p, &h),
                 0);
    return frame_copy(&error);
}

/* From the server's side and from the client's. */
Test(node_mask, errors_of_hosts)
{
    for (int row = 0; row < 16; row++) {
        bool v6 = row & 1, reverse = row & 2;
        struct net net;
        net_open(&net, &(struct net_options){.masked = NET_MASK_BRANCH,
                                             .v6_pathway = row & 4,
                                             .per_packet = row & 8});
        trip(&net, false, segment(false, v6, SVR_TCP_SYN, 9, 0, 0));
        trip(&net, true, segment(true, v6, SYN_ACK, 1, 10, 0));
        struct frame sent = segment(reverse, v6, SVR_TCP_ACK, 77, 66, 100);
        trip(&net, reverse, frame_copy(&sent));
        struct frame error = error_about(&net.out[0]);
        cr_assert_eq(
            net_input(&net, reverse ? net.branch : net.dc, &error, NET_LAN),
            SVR_DROP_NONE);
        carry(&net, reverse ? net.dc : net.branch);
        expect_error(&net.out[0],
                     reverse ? v6 ? CLIENT6 : CLIENT
                     : v6    ? SERVER6
                             : SERVER,
                     &sent);
        frame_free(&sent);
        frame_free(&error);
        net_close(&net);
    }
}

/* A transit with one masked side carries them on. */
Test(node_mask, errors_across_transit)
{
    for (int row = 0; row < 4; row++) {
        bool reverse = row & 2;
        struct net net;
        net_open(&net, &(struct net_options){.masked = row & 1 ? NET_MASK_BRANCH
                                                               : NET_MASK_HUB,
                                             .hub = true});
        open_tcp(&net);
        struct frame sent = segment(reverse, false, SVR_TCP_ACK, 77, 66, 100);
        trip(&net, reverse, frame_copy(&sent));
        struct frame error = error_about(&net.out[0]);
        svr_node *way[] = {net.dc, net.hub, net.branch};
        enum svr_drop reason =
            net_input(&net, way[reverse ? 2 : 0], &error, NET_LAN);
        for (int i = 0; i < 2; i++) {
            cr_assert_eq(reason, SVR_DROP_NONE, "row %d hop %d: %s", row, i,
                         svr_drop_name(reason));
            struct frame carried = net_take(&net, 0);
            reason = net_input(&net, way[reverse ? 1 - i : 1 + i], &carried,
                               NET_WAN);
            frame_free(&carried);
        }
        cr_assert_eq(reason, SVR_DROP_NONE);
        expect_error(&net.out[0], reverse ? CLIENT : SERVER, &sent);
        frame_free(&sent);
        frame_free(&error);
        net_close(&net);
    }
}

/* S4.8, S18: the router at the far end has a narrower network. */
Test(node_mask, too_big_beyond)
{
    struct net net;
    net_open(&net, &(struct net_options){.masked = NET_MASK_BRANCH,
                                         .server_mtu = 1300});
    open_tcp(&net);
    struct frame sent = client_segment(110, NULL, 1261);
    struct frame wire = wire_of(&net, frame_copy(&sent));
    cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_TOO_BIG);
    carry(&net, net.branch);
    expect_error(&net.out[0], "10.2.0.1", &sent);
    const uint8_t *icmp = net.out[0].p.data + 20;
    cr_assert_eq(icmp[6] << 8 | icmp[7], 1300);
    frame_free(&sent);
    frame_free(&wire);
    net_close(&net);
}

/* A reset inside the window ends the session at both routers (S9). */
Test(node_mask, reset)
{
    struct net net;
    net_open(&net, &(struct net_options){.masked = NET_MASK_BRANCH});
    open_tcp(&net);
    plain_trip(&net, true,
               segment(true, false, SVR_TCP_RST | SVR_TCP_ACK, 2, 110, 0));
    cr_assert_str_eq(only_session(net.branch).state, "reset");
    cr_assert_str_eq(only_session(net.dc).state, "reset");
    net_close(&net);
}

/* S6.7: the client's router comes back with another configuration, and the same
 * connection is opened again in the other form. */
Test(node_mask, another_form_after_a_restart)
{
    struct net net;
    net_open(&net, &(struct net_options){.masked = NET_MASK_BRANCH});
    open_tcp(&net);
    for (int masked = 0; masked < 2; masked++) {
        net.options.masked = masked ? NET_MASK_BRANCH : 0;
        net_restart(&net, &net.branch);
        open_tcp(&net);
        expect_sides(net.dc, masked ? SVR_PROTO_UDP : SVR_PROTO_TCP,
                     SVR_PROTO_TCP);
    }
    net_close(&net);
}
