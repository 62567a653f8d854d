/* A node: what it must not let through or accept, and what it says then. */
#include "base/text.h"
#include "heap.h"
#include "node_forge.h"
#include "node_net.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Everything that must not open a session, with its reason. */
Test(node_refuse, denied)
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

/* S9: where the service allows it, a connection that was there before the
 * router becomes a session; what cannot be its middle does not. */
Test(node_refuse, tcp_midstream)
{
    static const struct {
        uint8_t flags;
        enum svr_drop reason;
    } rows[] = {
        {0, SVR_DROP_NOT_SYN},
        {SVR_TCP_RST, SVR_DROP_NOT_SYN},
        {SVR_TCP_RST | SVR_TCP_ACK, SVR_DROP_NOT_SYN},
        {SVR_TCP_SYN | SVR_TCP_ACK, SVR_DROP_NOT_SYN},
        {SVR_TCP_ACK, SVR_DROP_NONE},
        {SVR_TCP_FIN | SVR_TCP_ACK, SVR_DROP_NONE},
    };
    struct net net;

    net_open(&net, &(struct net_options){.midstream = true});
    for (uint16_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct frame f = frame_tcp(CLIENT, 40 + i, SERVER, 80, rows[i].flags,
                                   1000, 2000, NULL, 9);
        cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), rows[i].reason,
                     "row %u", i);
        frame_free(&f);
    }
    trip(&net, false,
         frame_tcp(CLIENT, 50, SERVER, 80, SVR_TCP_ACK, 1000, 2000, NULL, 9));
    trip(&net, true,
         frame_tcp(SERVER, 80, CLIENT, 50, SVR_TCP_ACK, 2000, 1009, NULL, 9));
    net_close(&net);
}

/* A session whose destination is the egress itself is refused there. */
Test(node_refuse, destination_is_the_egress)
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

/* S5: silence unless the service says otherwise; S9: resets of no session. */
Test(node_refuse, refusals_answered)
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
Test(node_refuse, forged_first_packet)
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

Test(node_refuse, wrong_key)
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
Test(node_refuse, replay_and_age)
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

/* Signed packets are bound to their session and their TCP header (S11.4b). */
Test(node_refuse, signed_packets)
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
        if (at == h.l4 + 12u || (at >= h.l4 + 16u && at < h.l4 + 20u))
            continue; /* offset, checksum, urgent pointer */
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

/* S24: a full table refuses the new and keeps the old. */
Test(node_refuse, full_table)
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

/* S11.7: what is refused in silence takes no packet number. */
Test(node_refuse, strays_take_no_number)
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

static void fill_same(void *user, void *buf, size_t len)
{
    (void)user;
    memset(buf, 7, len);
}

/* Each with one thing that a caller got wrong. */
Test(node_refuse, bad_configurations)
{
    static const char *const all[] = {"branch", "dc", "hub"};
    static const char *const without_self[] = {"dc", "hub"};
    static const char *const without_peer[] = {"dc", "branch"};
    static const char *const twice[] = {"dc", "branch", "hub", "dc"};
    static const char *const empty[] = {"dc", "branch", "hub", ""};
    for (int row = 0; row < 17; row++) {
        svr_prefix own = {addr("203.0.113.1"), 24};
        svr_interface_config wan = {.name = "wan0",
                                    .addresses = &own,
                                    .address_count = 1,
                                    .mtu = NET_MTU,
                                    .tenant = SVR_TENANT_NONE};
        svr_peer_config peers[2] = {{"dc"}, {"hub"}};
        svr_security_config sec = {.name = "default",
                                   .hmac = &svr_hmac_sha256_128};
        svr_pathway_config pw;
        svr_node_config c;
        svr_node *n = NULL;
        svr_pathway_config_init(&pw);
        pw.name = "wan0-dc";
        pw.local = addr("203.0.113.1");
        pw.remote = addr("203.0.113.2");
        pw.unwatched = true;
        svr_node_config_init(&c);
        c.name = "branch";
        c.alloc = HEAP;
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
        case 8: /* the control */
            pw.unwatched = false;
            expected = 0;
            break;
        case 9:
            pw.unwatched = false;
            pw.watch.multiplier = 0;
            break;
        case 10:
            pw.unwatched = false;
            pw.watch.local.port = 16384; /* the first that sessions have */
            break;
        case 11:
            pw.unwatched = false;
            pw.bfd_ttl = 0;
            break;
        case 12: /* another control (S20) */
            c.routers = all;
            c.router_count = 3;
            expected = 0;
            break;
        case 13:
            c.routers = without_self;
            c.router_count = 2;
            break;
        case 14:
            c.routers = without_peer;
            c.router_count = 2;
            break;
        case 15:
            c.routers = twice;
            c.router_count = 4;
            expected = SVR_ERR_EXISTS;
            break;
        case 16:
            c.routers = empty;
            c.router_count = 4;
            break;
        }
        cr_assert_eq(svr_node_create(&n, &c, 0), expected, "row %d", row);
        svr_node_destroy(n);
    }
}

/* Whether the sender is told of it (S6.10). */
static bool is_told(enum svr_drop reason)
{
    return reason == SVR_DROP_MD_TENANT || reason == SVR_DROP_MD_SERVICE ||
           reason == SVR_DROP_MD_CONTEXT || reason == SVR_DROP_ACCESS ||
           reason == SVR_DROP_LOOP;
}

/* S6.1, S6.2, S12.7, S20: authentic, and refused all the same; no state, and
 * the number is spent. */
Test(node_refuse, authentic_but_refused)
{
    for (int row = 0; row < 18; row++) {
        svr_metadata md = forge_metadata();
        uint8_t proto = SVR_PROTO_UDP;
        enum svr_drop reason = SVR_DROP_NONE;
        struct net net;
        net_open(&net, &(struct net_options){.regular = true});
        switch (row) {
        case 0: /* the control */
            break;
        case 1:
            md.source_router = svr__text("hub");
            reason = SVR_DROP_SIGNER;
            break;
        case 2:
            md.tenant = svr__text("nobody");
            reason = SVR_DROP_MD_TENANT;
            break;
        case 3:
            md.tenant = svr__text("guest");
            reason = SVR_DROP_ACCESS;
            break;
        case 4:
            md.present &= ~SVR_HAS(TENANT);
            reason = SVR_DROP_ACCESS;
            break;
        case 5:
            md.service = svr__text("unknown");
            reason = SVR_DROP_MD_SERVICE;
            break;
        case 6: /* its parent is known, but this is no transit */
            md.service = svr__text("web.apps");
            reason = SVR_DROP_MD_SERVICE;
            break;
        case 7:
            md.forward.dst = addr("10.9.0.10");
            reason = SVR_DROP_MD_CONTEXT;
            break;
        case 8: /* nine bytes behind the block are no TCP header (S4.4) */
            md.forward.proto = SVR_PROTO_TCP;
            reason = SVR_DROP_NOT_TCP;
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
        case 12: /* UDP never travels as TCP (S4.2) */
            proto = SVR_PROTO_TCP;
            reason = SVR_DROP_MD_CONTEXT;
            break;
        case 13: /* S20: it has passed routers that are known */
            forge_record(&md, "\2\0\3hub\6branch", 13);
            break;
        case 14: /* those to come are no loop */
            forge_record(&md, "\1\1\6branch\2dc", 12);
            break;
        case 15:
            forge_record(&md, "\2\0\2dc\6branch", 12);
            reason = SVR_DROP_LOOP;
            break;
        case 16:
            forge_record(&md, "\2\0\4west\6branch", 14);
            reason = SVR_DROP_MD_ROUTER;
            break;
        case 17: /* more than can be kept: 13 routers */
            forge_record(&md,
                         "\15\0\3hub\3hub\3hub\3hub\3hub\3hub\3hub\3hub"
                         "\3hub\3hub\3hub\3hub\6branch",
                         2 + 12 * 4 + 7);
            reason = SVR_DROP_LOOP;
            break;
        }
        struct frame f = forge_from_branch(&md, 20000, proto),
                     again = frame_copy(&f);
        cr_assert_eq(net_input(&net, net.dc, &f, NET_WAN), reason, "row %d: %s",
                     row, svr_drop_name((enum svr_drop)f.p.drop));
        bool good = reason == SVR_DROP_NONE;
        cr_assert_eq(svr_node_session_count(net.dc), good);
        cr_assert_eq(net.out_count, good || is_told(reason), "row %d", row);
        if (is_told(reason)) {
            svr_metadata told = frame_metadata(&net.out[0]);
            cr_assert_eq(told.control, SVR_CONTROL_DELETE_SESSION);
            cr_assert_eq(told.uuid.b[0], 1, "row %d", row);
        }
        if (row != 10)
            cr_assert_eq(net_input(&net, net.dc, &again, NET_WAN),
                         SVR_DROP_REPLAY, "row %d", row);
        frame_free(&f);
        frame_free(&again);
        net_close(&net);
    }
}

/* S6.7: what metadata may do to the session whose tuple it comes on. */
Test(node_refuse, metadata_on_a_tuple_in_use)
{
    for (int row = 0; row < 7; row++) {
        svr_metadata md = forge_metadata();
        enum svr_drop reason = SVR_DROP_NONE;
        uint16_t sport = 20000;
        struct net net;
        net_open(&net, &(struct net_options){.regular = true});
        md.packet_number = 5;
        md.present |= SVR_HAS(EXCHANGE_NUMBER);
        md.exchange.own = 40;
        struct frame f = forge_from_branch(&md, sport, SVR_PROTO_UDP);
        cr_assert_eq(net_input(&net, net.dc, &f, NET_WAN), SVR_DROP_NONE);
        frame_free(&f);
        md.packet_number = 6;
        md.exchange.own = 41;
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
            md.exchange.own = 40;
            reason = SVR_DROP_TUPLE_IN_USE;
            break;
        case 4: /* nor without one */
            md.uuid.b[0] = 2;
            md.present &= ~SVR_HAS(EXCHANGE_NUMBER);
            reason = SVR_DROP_TUPLE_IN_USE;
            break;
        case 5: /* an exchange of before says nothing, but goes on */
            md.exchange.own = 39;
            break;
        case 6: /* the same session on another tuple, as after a restart */
            sport = 20002;
            break;
        }
        f = forge_from_branch(&md, sport, SVR_PROTO_UDP);
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

/* S17: a peer that moves its session without end costs a few tuples, which the
 * audit counts after each packet. */
Test(node_refuse, moves_without_end)
{
    struct net net;
    net_open(&net, &(struct net_options){.regular = true});
    for (uint16_t i = 0; i < 100; i++) {
        svr_metadata md = forge_metadata();
        md.packet_number = 5 + i;
        md.present |= SVR_HAS(EXCHANGE_NUMBER);
        md.exchange.own = 40 + i;
        struct frame f =
            forge_from_branch(&md, (uint16_t)(20000 + 2 * i), SVR_PROTO_UDP);
        cr_assert_eq(net_input(&net, net.dc, &f, NET_WAN), SVR_DROP_NONE);
        frame_free(&f);
    }
    svr_counters c;
    svr_node_counters(net.dc, &c);
    cr_assert_eq(c.sessions_moved, 99);
    net_close(&net);
}

/* S20: which routers a session has passed is what its client's side says; the
 * server's has no say, though it comes from another port (S6.8 b). */
Test(node_refuse, record_of_the_answerer)
{
    struct net net;
    net_open(&net, &(struct net_options){.regular = true});
    struct frame sent = frame_udp(CLIENT, 50, SERVER, 9, "x", 1);
    cr_assert_eq(net_input(&net, net.branch, &sent, NET_LAN), SVR_DROP_NONE);
    struct frame wire = net_take(&net, 0);
    svr_metadata forward = frame_metadata(&wire), md;
    svr_headers h = frame_headers(&wire);
    svr_tuple back = svr_tuple_reverse(&h.tuple);
    back.sport = (uint16_t)(back.sport ^ 2);
    svr_metadata_init(&md);
    md.present = SVR_HAS(SECURITY_ID) | SVR_HAS(PACKET_NUMBER) |
                 SVR_HAS(REVERSE_CONTEXT_V4) | SVR_HAS(SESSION_UUID) |
                 SVR_HAS(EXCHANGE_NUMBER);
    md.packet_number = (uint64_t)1 << 40;
    md.reverse = svr_tuple_reverse(&forward.forward);
    md.uuid = forward.uuid;
    md.exchange = (svr_exchange){.own = 7, .unechoed = true};
    forge_record(&md, "\1\0\3hub", 6);
    struct frame f = forge_signed("dc", "branch", &md, &back);
    cr_assert_eq(net_input(&net, net.branch, &f, NET_WAN), SVR_DROP_NONE);
    svr_counters c;
    svr_node_counters(net.branch, &c);
    cr_assert_eq(c.sessions_moved, 1);
    struct frame next = frame_udp(CLIENT, 50, SERVER, 9, "y", 1);
    cr_assert_eq(net_input(&net, net.branch, &next, NET_LAN), SVR_DROP_NONE);
    frame_free(&next);
    svr_metadata answer = frame_metadata(&net.out[0]);
    cr_assert_eq(answer.route_record.len, 9);
    cr_assert_arr_eq(answer.route_record.data, "\1\0\6branch", 9);
    frame_free(&f);
    frame_free(&wire);
    frame_free(&sent);
    net_close(&net);
}

/* The last session that was refused. */
struct told {
    unsigned count;
    uint8_t uuid;
    const char *tenant, *service;
    enum svr_drop reason;
};

static void note_refusal(void *user, const svr_event *e)
{
    struct told *t = user;
    if (e->kind == SVR_EVENT_SESSION_REFUSED)
        *t = (struct told){t->count + 1, e->session->uuid.b[0],
                           e->session->tenant, e->session->service, e->drop};
}

/* A refusal is told with what is known of the session, and nothing else. */
Test(node_refuse, what_is_told)
{
    static const struct {
        const char *tenant, *service, *source;
        enum svr_drop reason;
        bool has_tenant, has_service;
    } rows[] = {
        {"nobody", "apps", CLIENT, SVR_DROP_MD_TENANT, false, false},
        {"staff.corp", "unknown", CLIENT, SVR_DROP_MD_SERVICE, true, false},
        {"staff.corp", "apps", "224.0.0.1", SVR_DROP_MD_CONTEXT, false, false},
        {"guest", "apps", CLIENT, SVR_DROP_ACCESS, true, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        svr_metadata md = forge_metadata();
        struct told told = {0};
        struct net net;
        net_open(&net, &(struct net_options){.regular = true,
                                             .notify = {note_refusal, &told}});
        md.tenant = svr__text(rows[i].tenant);
        md.service = svr__text(rows[i].service);
        md.forward.src = addr(rows[i].source);
        struct frame f = forge_from_branch(&md, 20000, SVR_PROTO_UDP);
        cr_assert_eq(net_input(&net, net.dc, &f, NET_WAN), rows[i].reason,
                     "row %zu", i);
        cr_assert_eq(told.count, 1);
        cr_assert_eq(told.reason, rows[i].reason);
        cr_assert_eq(told.uuid, 1, "row %zu", i);
        cr_assert_eq(told.tenant != NULL, rows[i].has_tenant, "row %zu", i);
        cr_assert_eq(told.service != NULL, rows[i].has_service, "row %zu", i);
        frame_free(&f);
        net_close(&net);
    }
}
