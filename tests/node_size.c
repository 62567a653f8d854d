/* A node: packets that change their size on the way. Super-packets, marks,
 * segments that are cut, and what is too big. */
#include "node_net.h"

#include <criterion/criterion.h>
#include <string.h>

/* S2.3: payloads that begin with the cookie, whenever they come. */
Test(node_size, false_positives)
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

static void open_stream(struct net *net, const struct net_options *o)
{
    net_open(net, o);
    trip(net, false,
         frame_tcp(CLIENT, 4000, SERVER, 80, SVR_TCP_SYN, 99, 0, "", 0));
    trip(net, true,
         frame_tcp(SERVER, 80, CLIENT, 4000, SVR_TCP_SYN | SVR_TCP_ACK, 1, 100,
                   "", 0));
}

/* What branch has sent is all for dc, and what the server gets of it, put
 * together, is what was sent. */
static void expect_stream(struct net *net, const uint8_t *payload, size_t len)
{
    struct frame wires[64];
    size_t count = net->out_count, got = 0;

    for (size_t i = 0; i < count; i++)
        wires[i] = net_take(net, i);
    for (size_t i = 0; i < count; i++) {
        cr_assert_leq(wires[i].p.segment_size ? 0 : wires[i].p.len, NET_MTU);
        cr_assert_eq(net_input(net, net->dc, &wires[i], NET_WAN),
                     SVR_DROP_NONE);
        for (size_t k = 0; k < net->out_count; k++) {
            svr_headers h = frame_headers(&net->out[k]);
            svr_span part = frame_payload(&net->out[k]);
            if (h.tuple.dport != 80)
                continue; /* metadata for branch */
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
}

/* A stream of the client as one super-packet. */
static void super_trip_later(const struct net_options *o,
                             size_t expected_pieces, const uint8_t *payload,
                             size_t len, svr_time later)
{
    struct net net;
    open_stream(&net, o);
    net.now += later;
    struct frame f = frame_tcp(CLIENT, 4000, SERVER, 80,
                               SVR_TCP_ACK | SVR_TCP_PSH, 100, 2, payload, len);
    f.p.segment_size = 1400;
    cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
    cr_assert_eq(net.out_count, expected_pieces, "%zu pieces", net.out_count);
    expect_stream(&net, payload, len);
    frame_free(&f);
    net_close(&net);
}

static void super_trip(const struct net_options *o, size_t expected_pieces,
                       const uint8_t *payload, size_t len)
{
    super_trip_later(o, expected_pieces, payload, len, 0);
}

Test(node_size, super_packets)
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

/* Where a session's key is renewed (S12.4), its first packet tells of it, and
 * the pieces leave room for that. */
Test(node_size, super_packet_with_a_new_key)
{
    const struct net_options o = {.cipher = &svr_cipher_chacha20_poly1305,
                                  .encryption = SVR_ENCRYPT_ALWAYS,
                                  .rekey = 60 * SVR_SECOND};

    super_trip_later(&o, 10, NULL, 14000, 59 * SVR_SECOND);
    super_trip_later(&o, 13, NULL, 14000, 61 * SVR_SECOND);
}

/* The key is renewed between a super-packet and its pieces: they are made
 * smaller, and nobody is told to send less. */
Test(node_size, metadata_while_cut)
{
    const struct net_options o = {.cipher = &svr_cipher_chacha20_poly1305,
                                  .encryption = SVR_ENCRYPT_ALWAYS,
                                  .rekey = 60 * SVR_SECOND,
                                  .no_offload = true};
    struct net net;

    open_stream(&net, &o);
    net.now += 59 * SVR_SECOND;
    struct frame f = frame_tcp(CLIENT, 4000, SERVER, 80,
                               SVR_TCP_ACK | SVR_TCP_PSH, 100, 2, NULL, 14000);
    f.p.segment_size = 1400;
    svr_node_input(net.branch, &f.p, 1, net.now);
    cr_assert_eq(f.p.verdict, SVR_VERDICT_CONSUME);
    net.now += 2 * SVR_SECOND;
    net_flush(&net, net.branch);
    cr_assert_eq(net.out_count, 13);
    expect_stream(&net, NULL, 14000);
    cr_assert_eq(net_dropped(net.branch, SVR_DROP_TOO_BIG), 0);
    frame_free(&f);
    net_close(&net);
}

/* What follows a super-packet in one batch does not overtake its pieces. */
Test(node_size, segments_stay_in_order)
{
    static const size_t lens[] = {500, 4200, 0, 100, 2800, 1400, 1};
    struct net net;
    struct frame f[7];
    uint32_t seq = 110;
    net_open(&net, &(struct net_options){.per_packet = true});
    open_tcp(&net);
    for (size_t i = 0; i < 7; seq += (uint32_t)lens[i], i++) {
        f[i] = client_segment(seq, NULL, lens[i]);
        f[i].p.segment_size = lens[i] > 1400 ? 1400 : 0;
    }
    net_input_batch(&net, net.branch, f, 7, NET_LAN);
    cr_assert_eq(net.out_count, 1 + 3 + 1 + 1 + 2 + 1 + 1);
    seq = 110;
    for (size_t i = 0; i < net.out_count; i++) {
        svr_headers h = frame_headers(&net.out[i]);
        cr_expect_eq(h.tcp_seq, seq, "packet %zu", i);
        seq = h.tcp_seq + net.out[i].p.len - h.payload - 16;
    }
    for (size_t i = 0; i < 7; i++)
        frame_free(&f[i]);
    net_close(&net);
}

/* Each is 16 bytes longer on the wire and verified on its own. */
Test(node_size, signed_segments)
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

/* Super-packets of every size that a device may hand over. */
Test(node_size, extreme_super_packets)
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
Test(node_size, session_ends_while_cut)
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

/* S2.3: a mark on any of the segments that the WAN's device joined. */
Test(node_size, mark_within_super_packet)
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

/* S4.8: a full segment that has to carry metadata goes in two. */
Test(node_size, metadata_cuts_segment)
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

/* S4.8 at a transit: the packet that it cuts has lost its tag, its mark and its
 * mask already, so the pieces are not taken for packets of the neighbour. */
Test(node_size, transit_cuts_segment)
{
    for (int row = 0; row < 8; row++) {
        uint8_t masked =
            (row & 2 ? NET_MASK_BRANCH : 0) | (row & 4 ? NET_MASK_HUB : 0);
        struct net net;
        net_open(&net, &(struct net_options){.hub = true,
                                             .per_packet = row & 1,
                                             .masked = masked});
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

/* S4.8, S18: what is too big is told with the size that fits. */
Test(node_size, too_big)
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

/* S18: the client is told the size of its own packets. */
Test(node_size, too_big_beyond_a_pathway)
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
