/* ICMP errors on their way over pathways: through NATs, and forged (S19). */
#include "node_mesh.h"

#include <criterion/criterion.h>
#include <string.h>

enum {
    NAT_FLIP = 0x100,   /* what the NAT changes in a port */
    NAT_BEHIND = 66000, /* how old an acknowledgement may be */
    MAPPINGS = 4,
    BIG = 1300,          /* goes over the first pathway only */
    LATER = 1000 * 1000, /* where the big segment stands */
};

/* A NAT in front of router 0. Like a firewall's, it lets TCP in only where the
 * numbers suit the connection. */
struct nat {
    struct {
        uint8_t proto;
        uint16_t inside;
        uint32_t sent, acked; /* by router 0 */
    } mapping[MAPPINGS];
    size_t count, refused;
    uint8_t last_proto; /* of what it let in */
};

static void renumber(struct frame *f, svr_headers *h, bool out)
{
    svr_tuple to = h->tuple;
    svr_rewrite rw;
    if (out)
        to.sport ^= NAT_FLIP;
    else
        to.dport ^= NAT_FLIP;
    svr_rewrite_init(&rw, &h->tuple, &to);
    svr_packet_rewrite(&f->p, h, &rw);
}

static size_t mapping_of(struct nat *nat, uint8_t proto, uint16_t inside)
{
    size_t i = 0;
    while (i < nat->count &&
           (nat->mapping[i].proto != proto || nat->mapping[i].inside != inside))
        i++;
    return i;
}

static void nat_out(struct nat *nat, struct frame *f)
{
    svr_headers h = frame_headers(f);
    size_t i = mapping_of(nat, h.tuple.proto, h.tuple.sport);
    cr_assert_lt(i, MAPPINGS);
    if (i == nat->count)
        nat->count++;
    nat->mapping[i].proto = h.tuple.proto;
    nat->mapping[i].inside = h.tuple.sport;
    nat->mapping[i].sent = h.tcp_seq + (f->p.len - h.payload);
    nat->mapping[i].acked = h.tcp_ack;
    renumber(f, &h, true);
}

static bool nat_in(struct nat *nat, struct frame *f)
{
    svr_headers h = frame_headers(f);
    size_t i = mapping_of(nat, h.tuple.proto, h.tuple.dport ^ NAT_FLIP);
    bool wanted = i < nat->count;
    if (wanted && h.tuple.proto == SVR_PROTO_TCP)
        wanted =
            nat->mapping[i].sent - h.tcp_ack < NAT_BEHIND &&
            (nat->mapping[i].acked == 0 ||
             h.tcp_seq - nat->mapping[i].acked + NAT_BEHIND < 2 * NAT_BEHIND);
    nat->refused += !wanted;
    nat->last_proto = h.tuple.proto;
    renumber(f, &h, false);
    return wanted;
}

static bool translate(struct mesh *m, int from, int to, int plane,
                      struct frame *f)
{
    (void)plane;
    if (from == 0)
        nat_out(m->user, f);
    return to != 0 || nat_in(m->user, f);
}

/* Three routers; the second pathway takes less than the first. */
static struct mesh_options narrowing(bool v6_plane, bool masked)
{
    return (struct mesh_options){
        .routers = 3,
        .links = {{0, 1, 0}, {1, 2, 1}},
        .link_count = 2,
        .masked = masked,
        .v6 = {v6_plane, v6_plane},
        .mtu = {1500, 1280},
    };
}

static struct frame packet(const svr_tuple *t, uint8_t flags, uint32_t seq,
                           uint32_t ack, size_t len)
{
    static const uint8_t bytes[BIG];
    return t->proto == SVR_PROTO_UDP
               ? frame_udp_tuple(t, bytes, len)
               : frame_tcp_tuple(t, flags, seq, ack, bytes, len);
}

static uint64_t metadata_of(const struct mesh *m, int router)
{
    svr_counters c;
    svr_node_counters(m->node[router], &c);
    return c.metadata_sent;
}

/* A session that has lived for a while: no packet carries metadata, and the
 * last one that did is far behind. */
static void establish(struct mesh *m, const svr_tuple *context)
{
    svr_tuple back = svr_tuple_reverse(context);
    uint8_t ack = SVR_TCP_ACK;
    mesh_send(m, 0, packet(context, SVR_TCP_SYN, 99, 0, 0));
    mesh_run(m, SVR_SECOND / 10);
    mesh_send(m, 2, packet(&back, SVR_TCP_SYN | ack, 0, 100, 0));
    mesh_run(m, SVR_SECOND / 10);
    for (uint32_t i = 0; i < 4; i++) {
        mesh_send(m, 0, packet(context, ack, 100 + 10 * i, 1 + 10 * i, 10));
        mesh_run(m, SVR_SECOND / 10);
        mesh_send(m, 2, packet(&back, ack, 1 + 10 * i, 110 + 10 * i, 10));
        mesh_run(m, SVR_SECOND / 10);
    }
    cr_assert_eq(m->received, 10);
    mesh_clear(m);
}

static void expect_too_big(const struct frame *got, const svr_tuple *context)
{
    svr_headers h = frame_headers(got);
    bool v6 = h.tuple.proto == SVR_PROTO_ICMPV6;
    const uint8_t *icmp = got->p.data + h.l4;
    size_t ip = v6 ? 40 : 20;
    svr_tuple quoted;
    cr_assert(h.icmp_error);
    cr_assert_eq(icmp[0], v6 ? 2 : 3);
    cr_assert_eq(icmp[1], v6 ? 0 : 4);
    cr_assert(svr_addr_equal(&h.tuple.dst, &context->src));
    cr_assert_eq(svr_icmp_quote_parse(&quoted, icmp, got->p.len - h.l4, v6), 0);
    cr_assert(svr_tuple_equal(&quoted, context));
    if (context->proto != SVR_PROTO_TCP)
        return;
    const uint8_t *seq = icmp + 8 + ip + 4; /* its host knows it by that */
    cr_assert_eq((uint32_t)seq[0] << 24 | (uint32_t)seq[1] << 16 |
                     (uint32_t)seq[2] << 8 | seq[3],
                 LATER);
}

/* S19: an error goes the way of its session, through a NAT, and is no packet
 * of it. */
Test(node_carry, too_big_behind_nat)
{
    for (int row = 0; row < 12; row++) {
        bool v6 = row & 1, v6_plane = row & 2;
        bool tcp = row / 4 > 0, masked = row / 4 == 2;
        struct mesh_options o = narrowing(v6_plane, masked);
        struct nat nat = {.count = 0};
        static struct mesh m;
        svr_tuple context = {.src = addr(v6 ? "fd00::10" : "10.0.0.10"),
                             .dst = addr(v6 ? "fd00:2::10" : "10.2.0.10"),
                             .sport = 50,
                             .dport = 80,
                             .proto = tcp ? SVR_PROTO_TCP : SVR_PROTO_UDP};
        mesh_open(&m, &o);
        m.filter = translate;
        m.user = &nat;
        establish(&m, &context);
        cr_assert_eq(nat.refused, 0, "row %d", row);
        uint64_t metadata = metadata_of(&m, 1);

        mesh_send(&m, 0, packet(&context, SVR_TCP_ACK, LATER, 500, BIG));
        svr_session_info before = mesh_session(&m, 0);
        mesh_run(&m, SVR_SECOND / 10);
        svr_session_info after = mesh_session(&m, 0);
        cr_assert_eq(nat.refused, 0, "row %d", row);
        cr_assert_eq(nat.last_proto,
                     tcp && !masked ? SVR_PROTO_TCP : SVR_PROTO_UDP);
        cr_assert_eq(metadata_of(&m, 1), metadata + 1);
        cr_assert_eq(m.received, 1, "row %d", row);
        cr_assert_eq(m.inbox_router[0], 0);
        expect_too_big(mesh_got(&m, 0), &context);
        cr_assert_eq(after.expires, before.expires, "row %d", row);
        cr_assert_eq(after.packets[0], before.packets[0]);
        cr_assert_eq(after.packets[1], before.packets[1]);
        cr_assert_str_eq(after.state, before.state);
        mesh_close(&m);
    }
}

/* The carried error as somebody else would have it. */
static void forge(struct frame *f, size_t at, uint8_t bit)
{
    svr_headers h;
    f->p.data[at] ^= bit;
    cr_assert_eq(svr_packet_parse(&h, &f->p), 0);
    svr_packet_checksum_write(&f->p, &h);
}

/* S19, S11.4b: neither its bytes nor its place in the TCP connection can be
 * changed, and it comes once. */
Test(node_carry, forged)
{
    for (int v6_pathway = 0; v6_pathway < 2; v6_pathway++) {
        struct net net;
        net_open(&net, &(struct net_options){.v6_pathway = v6_pathway});
        open_tcp(&net);
        struct frame f = client_segment(109, "x", 1);
        svr_headers h = frame_headers(&f);
        f.p.data[8] = 2; /* TTL */
        svr_packet_checksum_write(&f.p, &h);
        struct frame wire = wire_of(&net, f);
        svr_headers sent = frame_headers(&wire);
        svr_tuple back = svr_tuple_reverse(&sent.tuple);
        cr_assert_eq(net_input(&net, net.dc, &wire, NET_WAN), SVR_DROP_TTL);
        cr_assert_eq(net.out_count, 1);
        struct frame carried = net_take(&net, 0);
        h = frame_headers(&carried);
        cr_assert(svr_tuple_equal(&h.tuple, &back));
        cr_assert_eq(h.tcp_flags, SVR_TCP_ACK);
        cr_assert_eq(h.tcp_seq, sent.tcp_ack);
        cr_assert_eq(h.tcp_ack, sent.tcp_seq);

        size_t last = carried.p.len - 1;
        const size_t places[] = {h.l4 + 7,  h.l4 + 11,      h.l4 + 13,
                                 last - 16, h.payload + 27, last};
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
            struct frame forged = frame_copy(&carried);
            forge(&forged, places[i], i == 2 ? SVR_TCP_PSH : 1);
            cr_assert_eq(net_input(&net, net.branch, &forged, NET_WAN),
                         SVR_DROP_TAG, "place %zu", i);
            cr_assert_eq(net.out_count, 0);
            frame_free(&forged);
        }
        /* on a tuple that no session has */
        struct frame stray = frame_copy(&carried);
        forge(&stray, h.l4 + 3, 1);
        cr_assert_eq(net_input(&net, net.branch, &stray, NET_WAN),
                     SVR_DROP_ICMP_NO_SESSION);
        frame_free(&stray);
        /* that one was authentic */
        struct frame again = frame_copy(&carried);
        cr_assert_eq(net_input(&net, net.branch, &again, NET_WAN),
                     SVR_DROP_REPLAY);
        frame_free(&again);
        frame_free(&carried);
        frame_free(&wire);
        net_close(&net);
    }
}

/* RFC 792: a quote may end behind the sequence number. What its client has
 * acknowledged is known all the same. */
Test(node_carry, short_quote)
{
    static uint8_t buf[NET_BUFFER];
    struct net net;
    net_open(&net, NULL);
    open_tcp(&net);
    struct frame f = client_segment(110, "x", 1), wire, error = {0};
    forward_trip(&net, f, &wire);
    frame_free(&wire);
    svr_headers h = frame_headers(&net.out[0]);
    svr_addr server = addr(SERVER), client = addr(CLIENT);
    cr_assert_eq(svr_icmp_error(&error.p, buf, sizeof(buf), SVR_ICMP_PROHIBITED,
                                0, &server, &net.out[0].p, &h),
                 0);
    error.p.data += 20;
    error.p.headroom = (uint16_t)(error.p.headroom + 20);
    error.p.len = 8 + 20 + 8;
    cr_assert_eq(svr_icmp_wrap(&error.p, &server, &client), 0);
    struct frame sent = frame_copy(&error);
    cr_assert_eq(net_input(&net, net.dc, &sent, NET_LAN), SVR_DROP_NONE);
    wire = net_take(&net, 0);
    h = frame_headers(&wire);
    cr_assert_eq(h.tuple.proto, SVR_PROTO_TCP);
    cr_assert_eq(h.tcp_seq, 2);
    cr_assert_eq(h.tcp_ack, 110);
    cr_assert_eq(net_input(&net, net.branch, &wire, NET_WAN), SVR_DROP_NONE);
    h = frame_headers(&net.out[0]);
    cr_assert(h.icmp_error);
    cr_assert(svr_addr_equal(&h.tuple.dst, &client));
    frame_free(&sent);
    frame_free(&wire);
    net_close(&net);
}
