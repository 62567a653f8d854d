/* Pathways that are watched, in a network of two routers (S14, S15). */
#include "node/node.h"
#include "node_net.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum {
    BRANCH,
    DC,
};

/* What lies between the two routers: it takes no time. */
struct link {
    struct net net;
    bool cut[2];          /* what that router sends is lost */
    uint16_t mtu;         /* longer packets are lost; 0: none */
    uint8_t only;         /* of the pathways only that one works; 0: all do */
    bool no_tcp;          /* TCP is lost */
    svr_addr public;      /* branch stands behind a NAT; none: it does not */
    uint16_t shift;       /* and its ports are that much higher there */
    struct frame last[2]; /* what that router sent last */
};

static void link_open(struct link *l, struct net_options o)
{
    memset(l, 0, sizeof(*l));
    o.watched = true;
    net_open(&l->net, &o);
}

static void link_close(struct link *l)
{
    frame_free(&l->last[BRANCH]);
    frame_free(&l->last[DC]);
    net_close(&l->net);
}

static svr_node *node_of(const struct link *l, int side)
{
    return side == BRANCH ? l->net.branch : l->net.dc;
}

static bool carries(const struct link *l, int from, const struct frame *f)
{
    svr_headers h = frame_headers(f);
    bool twin = h.tuple.src.b[15] > NET_TWIN;
    return !l->cut[from] && !(l->mtu && f->p.len > l->mtu) &&
           !(l->only && l->only != 1 + twin) &&
           !(l->no_tcp && h.tuple.proto == SVR_PROTO_TCP);
}

static void translate(const struct link *l, int from, struct frame *f)
{
    svr_addr inside = addr("203.0.113.1");
    svr_headers h = frame_headers(f);
    svr_tuple to = h.tuple;
    svr_rewrite rw;
    if (svr_addr_is_none(&l->public))
        return;
    if (from == BRANCH) {
        to.src = l->public;
        to.sport = (uint16_t)(to.sport + l->shift);
    } else if (svr_addr_equal(&to.dst, &l->public)) {
        to.dst = inside;
        to.dport = (uint16_t)(to.dport - l->shift);
    } else {
        to.dst = addr("203.0.113.250"); /* the NAT knows nobody there */
    }
    svr_rewrite_init(&rw, &h.tuple, &to);
    svr_packet_rewrite(&f->p, &h, &rw);
}

/* Brings what a router has sent to the other one, and answers back. */
static void carry(struct link *l, int from)
{
    struct net *net = &l->net;
    size_t count = net->out_count;
    struct frame *frames = calloc(count + 1, sizeof(*frames));
    for (size_t i = 0; i < count; i++)
        frames[i] = net_take(net, i);
    for (size_t i = 0; i < count; i++) {
        frame_free(&l->last[from]);
        l->last[from] = frame_copy(&frames[i]);
        if (carries(l, from, &frames[i])) {
            translate(l, from, &frames[i]);
            net_input(net, node_of(l, !from), &frames[i], NET_WAN);
            carry(l, !from);
        }
        frame_free(&frames[i]);
    }
    free(frames);
}

static svr_time next_of(const struct link *l, int side)
{
    svr_time t = svr_node_expiry(node_of(l, side));
    return t > l->net.now ? t : l->net.now;
}

static void run(struct link *l, svr_time duration)
{
    svr_time end = l->net.now + duration;
    for (;;) {
        int side = next_of(l, BRANCH) <= next_of(l, DC) ? BRANCH : DC;
        svr_time at = next_of(l, side);
        if (at > end)
            break;
        net_run(&l->net, node_of(l, side), at);
        carry(l, side);
    }
    l->net.now = end;
}

static svr_node_pathway pathway_of(const struct link *l, int side, size_t i)
{
    svr_node_pathway p;
    cr_assert_eq(svr_node_pathway_next(node_of(l, side), &i, &p, l->net.now),
                 1);
    return p;
}

static uint8_t state(const struct link *l, int side)
{
    return pathway_of(l, side, 0).info.state;
}

static svr_counters counters(const struct link *l, int side)
{
    svr_counters c;
    svr_node_counters(node_of(l, side), &c);
    return c;
}

/* Up, measured, and out of its hold-down. */
static void settle(struct link *l)
{
    run(l, 20 * SVR_SECOND);
    cr_assert_eq(state(l, BRANCH), SVR_BFD_UP);
    cr_assert_eq(state(l, DC), SVR_BFD_UP);
    cr_assert(pathway_of(l, BRANCH, 0).info.ready);
}

static struct frame client_packet(uint16_t port, size_t len)
{
    return frame_udp(CLIENT, port, SERVER, 5000, NULL, len);
}

/* What becomes of a client's packet at the branch. */
static enum svr_drop send_client(struct link *l, uint16_t port, size_t len)
{
    struct frame f = client_packet(port, len);
    enum svr_drop reason = net_input(&l->net, l->net.branch, &f, NET_LAN);
    frame_free(&f);
    return reason;
}

static enum svr_drop input(struct link *l, int side, const struct frame *f)
{
    struct frame copy = frame_copy(f);
    enum svr_drop reason = net_input(&l->net, node_of(l, side), &copy, NET_WAN);
    frame_free(&copy);
    return reason;
}

/* Both directions of a UDP session. */
static void open_udp(struct link *l, uint16_t port)
{
    trip(&l->net, false, frame_udp(CLIENT, port, SERVER, 5000, NULL, 10));
    trip(&l->net, true, frame_udp(SERVER, 5000, CLIENT, port, NULL, 10));
    trip(&l->net, false, frame_udp(CLIENT, port, SERVER, 5000, NULL, 10));
    trip(&l->net, true, frame_udp(SERVER, 5000, CLIENT, port, NULL, 10));
}

Test(node_watch, comes_up_and_carries_sessions)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct link l;
        link_open(&l, (struct net_options){.v6_pathway = v6});
        cr_assert_eq(send_client(&l, 40, 10), SVR_DROP_PATHWAY_DOWN);
        cr_assert_eq(svr_node_session_count(l.net.branch), 0);
        settle(&l);
        open_udp(&l, 40);
        svr_node_pathway p = pathway_of(&l, BRANCH, 0);
        cr_assert_eq(p.sessions, 1);
        cr_assert_eq(p.info.mtu, NET_MTU);
        cr_assert(p.info.measured);
        cr_assert_eq(p.info.quality.loss_ppm, 0);
        cr_assert_eq(p.info.peer_boot_counter, 1);
        cr_assert_str_eq(p.name, "wan0-dc");
        cr_assert_gt(counters(&l, BRANCH).bfd_sent, 20);
        cr_assert_eq(counters(&l, BRANCH).bfd_sent,
                     counters(&l, DC).bfd_received);
        link_close(&l);
    }
}

Test(node_watch, goes_down_by_silence)
{
    struct link l;
    link_open(&l, (struct net_options){0});
    settle(&l);
    open_udp(&l, 40);
    l.cut[DC] = true;
    /* The last packet came before now: 3 x 1 s after it, give or take a tick of
     * the wheel, which is 2^20 ns. */
    uint64_t before = counters(&l, BRANCH).bfd_received;
    svr_time step = SVR_MILLISECOND / 4, silent = 0;
    l.cut[DC] = false;
    while (counters(&l, BRANCH).bfd_received == before)
        run(&l, step);
    l.cut[DC] = true;
    svr_time heard = l.net.now;
    while (state(&l, BRANCH) == SVR_BFD_UP) {
        run(&l, step);
        silent = l.net.now - heard;
        cr_assert_leq(silent, 4 * SVR_SECOND);
    }
    cr_assert_geq(silent + step, 3 * SVR_SECOND, "%lu", (unsigned long)silent);
    cr_assert_leq(silent, 3 * SVR_SECOND + 5 * step, "%lu",
                  (unsigned long)silent);
    cr_assert_eq(pathway_of(&l, BRANCH, 0).info.reason, SVR_BFD_DIAG_EXPIRED);

    /* The session stays, and its packets do not go. */
    for (int i = 0; i < 3; i++)
        cr_assert_eq(send_client(&l, 40, 10), SVR_DROP_PATHWAY_DOWN);
    cr_assert_eq(send_client(&l, 41, 10), SVR_DROP_PATHWAY_DOWN);
    cr_assert_eq(svr_node_session_count(l.net.branch), 1);
    l.cut[DC] = false;
    settle(&l);
    open_udp(&l, 40);
    open_udp(&l, 41);
    cr_assert_eq(svr_node_session_count(l.net.branch), 2);
    link_close(&l);
}

/* Time in which packets pass, with the pathway that they take. */
static void expect_way(struct link *l, uint16_t port, bool twin)
{
    cr_assert_eq(send_client(l, port, 10), SVR_DROP_NONE);
    cr_assert_eq(l->net.out_count, 1);
    struct frame f = net_take(&l->net, 0);
    cr_assert_eq(frame_headers(&f).tuple.src.b[15] > NET_TWIN, twin);
    frame_free(&f);
}

Test(node_watch, hold_down_prefers_others)
{
    struct link l;
    link_open(&l, (struct net_options){.twin = true});
    l.only = 2;
    run(&l, 4 * SVR_SECOND);
    cr_assert_not(pathway_of(&l, BRANCH, 1).info.ready);
    expect_way(&l, 40, true); /* in its hold-down, and the only one */
    run(&l, 10 * SVR_SECOND);
    cr_assert(pathway_of(&l, BRANCH, 1).info.ready);
    l.only = 0;
    run(&l, 4 * SVR_SECOND);
    cr_assert_eq(state(&l, BRANCH), SVR_BFD_UP);
    cr_assert_not(pathway_of(&l, BRANCH, 0).info.ready);
    expect_way(&l, 41, true);
    run(&l, 5 * SVR_SECOND);
    cr_assert(pathway_of(&l, BRANCH, 0).info.ready);
    expect_way(&l, 42, false); /* the first choice */
    expect_way(&l, 40, true);  /* sessions stay where they are */
    link_close(&l);
}

/* All that BFD packets could move. */
static void expect_same(const svr_pathway_info *a, const svr_pathway_info *b)
{
    cr_assert_eq(a->state, b->state);
    cr_assert_eq(a->since, b->since);
    cr_assert_eq(a->mtu, b->mtu);
    cr_assert_eq(a->peer_boot_counter, b->peer_boot_counter);
    cr_assert(svr_addr_equal(&a->peer.addr, &b->peer.addr));
    cr_assert_eq(a->peer.port, b->peer.port);
    cr_assert_eq(a->peer_nat, b->peer_nat);
}

/* The branch hears nothing but what the test gives it, from 2 s after its last
 * genuine packet on. Only another one keeps the pathway alive. */
static void try_packet(struct link *l, struct frame *f, enum svr_drop expected,
                       bool genuine)
{
    svr_pathway_info before;
    l->cut[DC] = true;
    run(l, 2 * SVR_SECOND);
    before = pathway_of(l, BRANCH, 0).info;
    enum svr_drop reason = input(l, BRANCH, f);
    cr_assert_eq(reason, expected, "%s", svr_drop_name(reason));
    if (!genuine)
        cr_assert_eq(l->net.out_count, 0, "nothing is answered");
    svr_pathway_info after = pathway_of(l, BRANCH, 0).info;
    expect_same(&before, &after);
    run(l, 2 * SVR_SECOND);
    cr_assert_eq(state(l, BRANCH) == SVR_BFD_UP, genuine);
    l->cut[DC] = false;
    run(l, 60 * SVR_SECOND);
    cr_assert_eq(state(l, BRANCH), SVR_BFD_UP);
}

/* A packet of dc's that the branch has not had. */
static struct frame unseen(struct link *l)
{
    uint64_t sent = counters(l, DC).bfd_sent;
    l->cut[DC] = true;
    while (counters(l, DC).bfd_sent == sent)
        run(l, SVR_MILLISECOND);
    return frame_copy(&l->last[DC]);
}

static void change(struct frame *f, size_t at, uint8_t bits)
{
    svr_headers h = frame_headers(f);
    f->p.data[at] ^= bits;
    svr_packet_checksum_write(&f->p, &h);
}

Test(node_watch, forgeries_change_nothing)
{
    struct link l;
    struct frame f;
    link_open(&l, (struct net_options){.regular = true});
    settle(&l);

    f = unseen(&l); /* the control */
    try_packet(&l, &f, SVR_DROP_NONE, true);
    try_packet(&l, &f, SVR_DROP_REPLAY, false); /* it is one now */
    frame_free(&f);

    f = unseen(&l);
    change(&f, 28 + 2, 1); /* the multiplier */
    try_packet(&l, &f, SVR_DROP_TAG, false);
    frame_free(&f);

    f = unseen(&l);
    change(&f, f.p.len - 1, 1); /* the tag */
    try_packet(&l, &f, SVR_DROP_TAG, false);
    frame_free(&f);

    /* Its own packet, come back; that it is signed by the other key is seen
     * first. */
    f = frame_copy(&l.last[BRANCH]);
    svr_headers h = frame_headers(&f);
    svr_tuple back = svr_tuple_reverse(&h.tuple);
    svr_rewrite rw;
    svr_rewrite_init(&rw, &h.tuple, &back);
    svr_packet_rewrite(&f.p, &h, &rw);
    try_packet(&l, &f, SVR_DROP_KEY, false);
    frame_free(&f);

    /* BFD as it is, without what proves where it comes from. */
    f = unseen(&l);
    svr_headers g = frame_headers(&f);
    struct frame bare =
        frame_udp_tuple(&g.tuple, f.p.data + g.payload, SVR_BFD_SIZE);
    try_packet(&l, &bare, SVR_DROP_BFD_UNSIGNED, false);
    frame_free(&bare);
    frame_free(&f);
    link_close(&l);
}

/* Each row is the branch's genuine packet with one thing wrong. */
Test(node_watch, refusals_have_their_reasons)
{
    struct link l;
    link_open(&l, (struct net_options){.regular = true});
    settle(&l);
    struct frame good = unseen(&l);
    svr_headers h = frame_headers(&good);
    const uint8_t *body = good.p.data + h.payload;
    size_t len = good.p.len - h.payload;
    static const struct {
        const char *src;
        size_t cut; /* bytes taken off the end */
        size_t at;  /* of the payload, is changed by */
        enum svr_drop expected;
        uint8_t bits; /* these */
    } rows[] = {
        {NULL, 4, 0, SVR_DROP_BFD_MALFORMED, 0},
        {NULL, 0, 0, SVR_DROP_BFD_MALFORMED, 0x40},    /* BFD's version */
        {NULL, 0, 24, SVR_DROP_BFD_MALFORMED, 1},      /* the cookie */
        {NULL, 0, 24 + 8, SVR_DROP_BFD_MALFORMED, 16}, /* the block's */
        {NULL, 0, 40, SVR_DROP_KEY, 1},                /* the security id */
        {"198.51.100.1", 0, 0, SVR_DROP_NONE, 0},      /* the peer roams */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t copy[2048];
        memcpy(copy, body, len);
        copy[rows[i].at] ^= rows[i].bits;
        svr_tuple t = h.tuple;
        if (rows[i].src)
            t.src = addr(rows[i].src);
        struct frame f = frame_udp_tuple(&t, copy, len - rows[i].cut);
        enum svr_drop reason = input(&l, BRANCH, &f);
        cr_assert_eq(reason, rows[i].expected, "row %zu: %s", i,
                     svr_drop_name(reason));
        frame_free(&f);
    }
    frame_free(&good);
    link_close(&l);
}

Test(node_watch, strangers_cost_nothing)
{
    struct link l;
    link_open(&l, (struct net_options){0});
    settle(&l);
    size_t allocations = l.net.allocations;
    uint64_t sent = counters(&l, BRANCH).bfd_sent;
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t bytes[60] = {0x20, 0x40, 3, 24, 1, 2, 3, 4};
        svr_tuple t = {addr("198.51.100.1"), addr("203.0.113.1"), 1280, 1280,
                       SVR_PROTO_UDP};
        t.src.b[14] = (uint8_t)(i >> 8);
        t.src.b[15] = (uint8_t)i;
        bool from_peer = i % 2; /* with the peer's address */
        if (from_peer)
            t.src = addr("203.0.113.2");
        struct frame f = frame_udp_tuple(&t, bytes, i % 4 < 2 ? 24 : 60);
        enum svr_drop reason = input(&l, BRANCH, &f);
        cr_assert_eq(reason,
                     i % 4 >= 2  ? SVR_DROP_BFD_MALFORMED
                     : from_peer ? SVR_DROP_BFD_UNSIGNED
                                 : SVR_DROP_BFD_NO_PATHWAY,
                     "%s", svr_drop_name(reason));
        cr_assert_eq(l.net.out_count, 0);
        frame_free(&f);
        run(&l, SVR_MILLISECOND);
    }
    cr_assert_eq(l.net.allocations, allocations);
    cr_assert_leq(counters(&l, BRANCH).bfd_sent - sent, 40,
                  "no more than its own in a second");
    cr_assert_eq(state(&l, BRANCH), SVR_BFD_UP);
    link_close(&l);
}

/* A message of one pathway does not count on another of the same peers. */
Test(node_watch, other_pathways_messages)
{
    struct link l;
    link_open(&l, (struct net_options){.twin = true, .regular = true});
    settle(&l);
    run(&l, 20 * SVR_SECOND);
    struct frame f = unseen(&l);
    svr_headers h = frame_headers(&f);
    bool twin = h.tuple.src.b[15] > NET_TWIN;
    svr_tuple other = h.tuple;
    other.src = addr(twin ? "203.0.113.2" : "203.0.113.102");
    other.dst = addr(twin ? "203.0.113.1" : "203.0.113.101");
    struct frame moved =
        frame_udp_tuple(&other, f.p.data + h.payload, f.p.len - h.payload);
    cr_assert_eq(input(&l, BRANCH, &moved), SVR_DROP_BFD_NO_PATHWAY);
    cr_assert_eq(input(&l, BRANCH, &f), SVR_DROP_NONE, "the control");
    frame_free(&moved);
    frame_free(&f);
    link_close(&l);
}

/* It goes first, whatever stands before it in the batch. */
Test(node_watch, first_in_a_batch)
{
    struct link l;
    struct frame data, bfd;
    link_open(&l, (struct net_options){0});
    settle(&l);
    open_udp(&l, 40);
    run(&l, SVR_SECOND);
    uint64_t sent = counters(&l, DC).bfd_sent;
    cr_assert_eq(
        svr_node_pathway_admin(l.net.dc, "wan0-branch", true, l.net.now), 0);
    net_flush(&l.net, l.net.dc);
    cr_assert_gt(counters(&l, DC).bfd_sent, sent);
    bfd = net_take(&l.net, 0);
    data = client_packet(40, 10);
    svr_packet batch[2] = {data.p, bfd.p};
    batch[0].iface = NET_LAN;
    batch[1].iface = NET_WAN;
    cr_assert_eq(svr_node_input(l.net.branch, batch, 2, l.net.now), 0);
    cr_assert_eq(batch[0].drop, SVR_DROP_PATHWAY_DOWN);
    cr_assert_eq(batch[1].verdict, SVR_VERDICT_CONSUME);
    frame_free(&data);
    frame_free(&bfd);
    link_close(&l);
}

Test(node_watch, administratively_down)
{
    struct link l;
    link_open(&l, (struct net_options){0});
    settle(&l);
    open_udp(&l, 40);
    cr_assert_eq(
        svr_node_pathway_admin(l.net.branch, "nobody", true, l.net.now),
        SVR_ERR_NOT_FOUND);
    cr_assert_eq(
        svr_node_pathway_admin(l.net.branch, "wan0-dc", true, l.net.now), 0);
    cr_assert_eq(state(&l, BRANCH), SVR_BFD_ADMIN_DOWN);
    cr_assert_eq(send_client(&l, 40, 10), SVR_DROP_PATHWAY_DOWN);
    run(&l, SVR_SECOND);
    cr_assert_eq(state(&l, DC), SVR_BFD_DOWN);
    cr_assert_eq(pathway_of(&l, DC, 0).info.reason,
                 SVR_BFD_DIAG_NEIGHBOUR_DOWN);
    cr_assert_eq(
        svr_node_pathway_admin(l.net.branch, "wan0-dc", false, l.net.now), 0);
    settle(&l);
    cr_assert_eq(pathway_of(&l, BRANCH, 0).info.flaps, 0);
    open_udp(&l, 40);
    link_close(&l);
}

/* S9: every packet restarts the timer, be it that it cannot go on. */
Test(node_watch, sessions_live_while_hosts_try)
{
    for (int down = 0; down < 2; down++) {
        struct link l;
        link_open(&l, (struct net_options){0});
        l.mtu = 1400;
        run(&l, 60 * SVR_SECOND);
        open_udp(&l, 40);
        if (down)
            cr_assert_eq(svr_node_pathway_admin(l.net.branch, "wan0-dc", true,
                                                l.net.now),
                         0);
        for (int i = 0; i < 3; i++) {
            run(&l, 100 * SVR_SECOND);
            cr_assert_eq(send_client(&l, 40, 1400),
                         down ? SVR_DROP_PATHWAY_DOWN : SVR_DROP_TOO_BIG);
        }
        cr_assert_eq(svr_node_session_count(l.net.branch), 1);
        cr_assert_eq(svr_node_session_count(l.net.dc), 0);
        run(&l, 181 * SVR_SECOND);
        cr_assert_eq(svr_node_session_count(l.net.branch), 0);
        link_close(&l);
    }
}

Test(node_watch, unwatched_goes_down_too)
{
    struct net net;
    size_t cursor = 0;
    svr_node_pathway p;
    net_open(&net, NULL);
    cr_assert_eq(svr_node_pathway_next(net.branch, &cursor, &p, net.now), 1);
    cr_assert(p.unwatched);
    cr_assert_eq(p.info.state, SVR_BFD_UP);
    cr_assert_eq(svr_node_pathway_next(net.branch, &cursor, &p, net.now), 0);
    for (int i = 0; i < 2; i++) {
        trip(&net, false, client_packet(40, 10));
        trip(&net, true, frame_udp(SERVER, 5000, CLIENT, 40, NULL, 10));
    }
    for (int down = 1; down >= 0; down--) {
        cr_assert_eq(
            svr_node_pathway_admin(net.branch, "wan0-dc", down, net.now), 0);
        for (int i = 0; i < 3; i++) {
            struct frame f = client_packet(40, 10);
            cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN),
                         down ? SVR_DROP_PATHWAY_DOWN : SVR_DROP_NONE);
            frame_free(&f);
        }
    }
    net_close(&net);
}

/* RFC 5881: another implementation is told nothing but BFD. */
Test(node_watch, plain)
{
    struct link l;
    link_open(&l, (struct net_options){.plain = true});
    settle(&l);
    struct frame f = frame_copy(&l.last[DC]);
    svr_headers h = frame_headers(&f);
    cr_assert_eq(f.p.len - h.payload, SVR_BFD_SIZE);
    cr_assert_eq(h.ttl, 255);
    cr_assert_eq(h.tuple.sport, 49152);
    cr_assert_eq(h.tuple.dport, 3784);
    open_udp(&l, 40);
    cr_assert_eq(input(&l, BRANCH, &f), SVR_DROP_NONE);
    f.p.data[8]--;
    f.p.data[10]++; /* the checksum follows */
    cr_assert_eq(input(&l, BRANCH, &f), SVR_DROP_BFD_TTL);
    frame_free(&f);
    link_close(&l);
}

/* The largest packet of the session that leaves as one. */
static bool leaves_whole(struct link *l, size_t len)
{
    cr_assert_eq(send_client(l, 40, len), SVR_DROP_NONE);
    return l->net.out_count == 1;
}

Test(node_watch, mtu_is_found_and_falls)
{
    struct link l;
    link_open(&l, (struct net_options){0});
    l.mtu = 1400;
    run(&l, 60 * SVR_SECOND);
    cr_assert_eq(pathway_of(&l, BRANCH, 0).info.mtu, 1400);
    cr_assert_eq(pathway_of(&l, DC, 0).info.mtu, 1400);
    open_udp(&l, 40);
    cr_assert(leaves_whole(&l, 1400 - 28));
    struct frame f = client_packet(40, 1400 - 27); /* not to be fragmented */
    cr_assert_eq(net_input(&l.net, l.net.branch, &f, NET_LAN),
                 SVR_DROP_TOO_BIG);
    frame_free(&f);
    f = net_take(&l.net, 0);
    cr_assert_eq(f.p.data[20], 3, "the client is told");
    cr_assert_eq(f.p.data[26] << 8 | f.p.data[27], 1400);
    frame_free(&f);

    /* Without a word from anyone on the way, the session hears of it, too. */
    l.mtu = 1300;
    run(&l, 60 * SVR_SECOND);
    cr_assert_eq(state(&l, BRANCH), SVR_BFD_UP);
    cr_assert_eq(pathway_of(&l, BRANCH, 0).info.mtu, 1300);
    cr_assert(leaves_whole(&l, 1300 - 28));
    cr_assert_eq(send_client(&l, 40, 1300 - 27), SVR_DROP_TOO_BIG);

    l.mtu = 0;
    run(&l, 700 * SVR_SECOND);
    cr_assert_eq(pathway_of(&l, BRANCH, 0).info.mtu, NET_MTU);
    open_udp(&l, 40);
    cr_assert(leaves_whole(&l, NET_MTU - 28));
    link_close(&l);
}

/* That nothing larger passes is no change that a pathway tells of; sessions
 * learn of it at once all the same. */
Test(node_watch, mtu_is_the_floor_once_a_size_has_failed)
{
    struct link l;
    svr_pathway_info info;
    link_open(&l, (struct net_options){0});
    l.mtu = 580;
    do {
        run(&l, 10 * SVR_MILLISECOND);
        info = pathway_of(&l, BRANCH, 0).info;
    } while (info.state != SVR_BFD_UP || !info.mtu_known);
    cr_assert_not(info.ready);
    open_udp(&l, 40);
    cr_assert(leaves_whole(&l, 576 - 28));
    cr_assert_eq(send_client(&l, 40, 576 - 27), SVR_DROP_TOO_BIG);
    link_close(&l);
}

/* Nothing larger than the floor has been found when the hold-down ends. */
Test(node_watch, mtu_is_the_floor_while_none_is_found)
{
    struct link l;
    link_open(&l, (struct net_options){0});
    l.mtu = 580;
    run(&l, 3 * SVR_SECOND);
    cr_assert_eq(state(&l, BRANCH), SVR_BFD_UP);
    open_udp(&l, 40);
    run(&l, 5 * SVR_SECOND);
    cr_assert(pathway_of(&l, BRANCH, 0).info.ready);
    cr_assert(leaves_whole(&l, 576 - 28));
    cr_assert_eq(send_client(&l, 40, 576 - 27), SVR_DROP_TOO_BIG);
    link_close(&l);
}

/* What a host need not make smaller goes on, in segments or pieces: an IPv6
 * packet of 1280 bytes where an IPv4 pathway has room for less. */
Test(node_watch, smallest_packets_pass_a_smaller_pathway)
{
    struct link l;
    link_open(&l, (struct net_options){0});
    l.mtu = 1200;
    run(&l, 60 * SVR_SECOND);
    cr_assert_eq(pathway_of(&l, BRANCH, 0).info.mtu, 1200);
    trip(&l.net, false, frame_udp(CLIENT6, 40, SERVER6, 5000, NULL, 10));
    trip(&l.net, true, frame_udp(SERVER6, 5000, CLIENT6, 40, NULL, 10));
    for (size_t len = 1280; len <= 1281; len++) {
        bool fits = len == 1280;
        struct frame f = frame_udp(CLIENT6, 40, SERVER6, 5000, NULL, len - 48);
        cr_assert_eq(net_input(&l.net, l.net.branch, &f, NET_LAN),
                     fits ? SVR_DROP_NONE : SVR_DROP_TOO_BIG);
        cr_assert_eq(l.net.out_count, fits ? 2 : 1);
        for (size_t i = 0; i < l.net.out_count; i++)
            cr_assert(!fits || l.net.out[i].p.len <= 1200);
        frame_free(&f);
    }
    link_close(&l);
}

/* What a router on the way says is a reason to look, and no more. */
Test(node_watch, too_big_is_looked_into)
{
    unsigned padded[2] = {0};
    for (int told = 0; told < 2; told++) {
        struct link l;
        link_open(&l, (struct net_options){0});
        settle(&l);
        run(&l, 60 * SVR_SECOND);
        uint64_t sent = counters(&l, BRANCH).bfd_sent;
        for (int i = 0; i < 16000; i++) {
            run(&l, SVR_MILLISECOND);
            if (counters(&l, BRANCH).bfd_sent == sent)
                continue;
            sent = counters(&l, BRANCH).bfd_sent;
            padded[told] += l.last[BRANCH].p.len == NET_MTU;
            if (!told)
                continue;
            svr_addr router = addr("198.51.100.7");
            svr_headers h = frame_headers(&l.last[BRANCH]);
            struct frame f = frame_new(0);
            cr_assert_eq(svr_icmp_error(&f.p, f.buf, NET_SMALL,
                                        SVR_ICMP_TOO_BIG, 600, &router,
                                        &l.last[BRANCH].p, &h),
                         0);
            cr_assert_eq(input(&l, BRANCH, &f), SVR_DROP_NONE);
            frame_free(&f);
        }
        cr_assert_eq(pathway_of(&l, BRANCH, 0).info.mtu, NET_MTU);
        link_close(&l);
    }
    cr_assert_gt(padded[1], padded[0] + 2, "%u and %u", padded[0], padded[1]);
}

/* A padded packet is as long as it says, tag and all. */
Test(node_watch, padding_is_exact)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct link l;
        size_t padded = 0;
        link_open(&l, (struct net_options){.v6_pathway = v6});
        settle(&l);
        for (int i = 0; i < 20000; i++) {
            run(&l, SVR_MILLISECOND);
            padded += l.last[DC].p.len == NET_MTU;
            cr_assert_leq(l.last[DC].p.len, NET_MTU);
        }
        cr_assert_gt(padded, 0);
        link_close(&l);
    }
}

Test(node_watch, tcp_goes_as_udp_where_it_must)
{
    struct link l;
    link_open(&l, (struct net_options){.probes = true});
    settle(&l);
    cr_assert_not(pathway_of(&l, BRANCH, 0).info.tcp_as_udp);
    open_tcp(&l.net);
    l.no_tcp = true;
    run(&l, 320 * SVR_SECOND);
    cr_assert(pathway_of(&l, BRANCH, 0).info.tcp_as_udp);
    struct frame wire = wire_of(
        &l.net, frame_tcp(CLIENT, 41, SERVER, 80, SVR_TCP_SYN, 9, 0, "", 0));
    cr_assert_eq(frame_headers(&wire).tuple.proto, SVR_PROTO_UDP);
    frame_free(&wire);
    l.no_tcp = false;
    run(&l, 320 * SVR_SECOND);
    cr_assert_not(pathway_of(&l, BRANCH, 0).info.tcp_as_udp);
    wire = wire_of(&l.net,
                   frame_tcp(CLIENT, 42, SERVER, 80, SVR_TCP_SYN, 9, 0, "", 0));
    cr_assert_eq(frame_headers(&wire).tuple.proto, SVR_PROTO_TCP);
    frame_free(&wire);
    link_close(&l);
}

Test(node_watch, peer_restarts)
{
    struct link l;
    link_open(&l, (struct net_options){0});
    settle(&l);
    net_restart(&l.net, &l.net.dc);
    run(&l, 20 * SVR_SECOND);
    cr_assert_eq(state(&l, BRANCH), SVR_BFD_UP);
    cr_assert_eq(counters(&l, BRANCH).peer_restarts, 1);
    cr_assert_eq(pathway_of(&l, BRANCH, 0).info.peer_boot_counter, 2);
    link_close(&l);
}

/* Two minutes of packets between both hosts; the link loses so many percent of
 * what the branch sends. */
static void converse(struct link *l, size_t len, unsigned percent)
{
    uint32_t random = 1;
    for (unsigned i = 0; i < 12000; i++) {
        random = random * 1664525 + 1013904223;
        run(l, 10 * SVR_MILLISECOND);
        if ((random >> 16) % 100 < percent)
            cr_assert_eq(send_client(l, 40, len), SVR_DROP_NONE);
        else
            trip(&l->net, false, client_packet(40, len));
        trip(&l->net, true, frame_udp(SERVER, 5000, CLIENT, 40, NULL, len));
    }
}

/* S15: the traffic itself is measured, and arrives as it was sent. */
Test(node_watch, real_packets_are_marked)
{
    for (int row = 0; row < 3; row++) {
        struct link l;
        link_open(
            &l, (struct net_options){.per_packet = row == 1,
                                     .masked = row == 2 ? NET_MASK_BRANCH : 0});
        settle(&l);
        open_udp(&l, 40);
        uint64_t before = counters(&l, BRANCH).metadata_sent;
        converse(&l, 100, 0);
        svr_pathway_info info = pathway_of(&l, BRANCH, 0).info;
        cr_assert(info.by_traffic);
        cr_assert_eq(info.quality.loss_ppm, 0);
        uint64_t marks = counters(&l, BRANCH).metadata_sent - before;
        cr_assert(marks > 1100 && marks <= 1210, "%lu", (unsigned long)marks);
        cr_assert_eq(counters(&l, DC).metadata_received,
                     counters(&l, BRANCH).metadata_sent);

        converse(&l, 100, 10);
        info = pathway_of(&l, BRANCH, 0).info;
        cr_assert(info.by_traffic);
        cr_assert(info.quality.loss_ppm > 60000 &&
                      info.quality.loss_ppm < 140000,
                  "%u", info.quality.loss_ppm);
        cr_assert_eq(pathway_of(&l, DC, 0).info.quality.loss_ppm, 0);
        link_close(&l);
    }
}

/* Where nothing goes back, packets of their own carry the report. */
Test(node_watch, one_way_traffic_is_reported)
{
    struct link l;
    link_open(&l, (struct net_options){0});
    settle(&l);
    open_udp(&l, 40);
    uint64_t consumed = counters(&l, BRANCH).consumed;
    uint64_t bfd = counters(&l, BRANCH).bfd_received;
    for (unsigned i = 0; i < 6000; i++) {
        run(&l, 10 * SVR_MILLISECOND);
        trip(&l.net, false, client_packet(40, 100));
    }
    svr_pathway_info info = pathway_of(&l, BRANCH, 0).info;
    cr_assert(info.by_traffic);
    cr_assert_eq(info.quality.loss_ppm, 0);
    uint64_t reports = counters(&l, BRANCH).consumed - consumed -
                       (counters(&l, BRANCH).bfd_received - bfd);
    cr_assert(reports > 50 && reports <= 61, "%lu", (unsigned long)reports);
    link_close(&l);
}

/* S14.9: the peer wants a packet from one port to another. */
Test(node_watch, keep_alives_for_pinholes)
{
    struct link l;
    svr_bfd_pinhole ports = {.local = 20000, .remote = 20001};
    link_open(&l, (struct net_options){0});
    settle(&l);
    cr_assert_eq(
        svr_pathway_ask(l.net.dc->pathways[0].watch, &ports, l.net.now), 0);
    uint64_t before = counters(&l, DC).control_received;
    while (counters(&l, DC).control_received == before)
        run(&l, SVR_MILLISECOND);
    svr_headers h = frame_headers(&l.last[BRANCH]);
    cr_assert_eq(h.tuple.sport, 20001);
    cr_assert_eq(h.tuple.dport, 20000);
    cr_assert_eq(frame_metadata(&l.last[BRANCH]).control,
                 SVR_CONTROL_KEEP_ALIVE);
    link_close(&l);
}

/* What would have to be split goes as it is. */
Test(node_watch, full_packets_are_not_marked)
{
    struct link l;
    link_open(&l, (struct net_options){0});
    settle(&l);
    open_udp(&l, 40);
    uint64_t before = counters(&l, BRANCH).metadata_sent;
    converse(&l, NET_MTU - 28, 0);
    cr_assert_eq(counters(&l, BRANCH).metadata_sent, before);
    cr_assert_not(pathway_of(&l, BRANCH, 0).info.by_traffic);
    link_close(&l);
}

/* A packet of the session and its answer, through the NAT. Whether the former
 * carried metadata. */
static bool exchange(struct link *l)
{
    cr_assert_eq(send_client(l, 40, 10), SVR_DROP_NONE);
    struct frame f = net_take(&l->net, 0);
    bool metadata = frame_has_metadata(&f);
    translate(l, BRANCH, &f);
    enum svr_drop reason = net_input(&l->net, l->net.dc, &f, NET_WAN);
    cr_assert_eq(reason, SVR_DROP_NONE, "%s", svr_drop_name(reason));
    frame_free(&f);
    f = frame_udp(SERVER, 5000, CLIENT, 40, NULL, 10);
    cr_assert_eq(net_input(&l->net, l->net.dc, &f, NET_LAN), SVR_DROP_NONE);
    frame_free(&f);
    f = net_take(&l->net, 0);
    translate(l, DC, &f);
    cr_assert_eq(net_input(&l->net, l->net.branch, &f, NET_WAN), SVR_DROP_NONE);
    frame_free(&f);
    return metadata;
}

/* S14.4: a NAT appears before the branch, or stands there already, and then
 * gives it other addresses and ports. */
static void roam(bool hidden)
{
    static const char *const places[] = {"203.0.113.78", "203.0.113.79"};
    struct link l;
    link_open(&l, (struct net_options){.hidden = hidden});
    if (hidden)
        l.public = addr("203.0.113.77");
    settle(&l);
    cr_assert(exchange(&l));
    exchange(&l);
    cr_assert_not(exchange(&l));
    for (int i = 0; i < 2; i++) {
        l.public = addr(places[i]);
        l.shift = (uint16_t)(1000 + 10 * i);
        run(&l, 30 * SVR_SECOND);
        svr_node_pathway p = pathway_of(&l, DC, 0);
        cr_assert_eq(p.info.state, SVR_BFD_UP);
        cr_assert(p.info.peer_nat);
        cr_assert(svr_addr_equal(&p.info.peer.addr, &l.public));
        cr_assert_eq(p.info.peer.port, 1280 + l.shift);
        cr_assert(pathway_of(&l, BRANCH, 0).info.own_nat);

        /* The session's next packet says again what it is, and so finds its
         * way through the new mapping. */
        cr_assert(exchange(&l));
        exchange(&l);
        cr_assert_not(exchange(&l));
        cr_assert_eq(svr_node_session_count(l.net.dc), 1);
    }
    link_close(&l);
}

Test(node_watch, nat)
{
    roam(false);
}

/* The same where the other router knows only the NAT: the security id tells
 * whose packets those are. */
Test(node_watch, hidden_behind_nat)
{
    roam(true);
}

/* New configurations */

static int reconfigure(struct link *l, const struct net_plan *p,
                       svr_reconfiguration *out)
{
    return svr_node_reconfigure(l->net.branch, &p->config, l->net.now, out);
}

/* What is known of a pathway stays known, wherever it stands in the list; its
 * multiplier changes while it runs. */
Test(node_watch, kept_by_a_new_configuration)
{
    struct link l;
    struct net_plan p;
    svr_reconfiguration done;
    svr_pathway_config first;
    svr_node_pathway before, after;

    link_open(&l, (struct net_options){.twin = true});
    settle(&l);
    open_udp(&l, 40);
    before = pathway_of(&l, BRANCH, 0);
    net_plan(&l.net, l.net.branch, &p);
    first = p.pathways[0];
    p.pathways[0] = p.pathways[1];
    p.pathways[1] = first;
    p.pathways[1].watch.multiplier = 10;
    p.routes[0].pathway = 1;
    p.routes[1].pathway = 0;
    cr_assert_eq(reconfigure(&l, &p, &done), 0);
    cr_assert_eq(done.pathways_kept, 2);
    cr_assert_eq(done.sessions_kept, 1);
    after = pathway_of(&l, BRANCH, 1);
    cr_assert_eq(memcmp(&before.info, &after.info, sizeof(after.info)), 0);
    cr_assert_eq(after.sessions, 1);
    cr_assert_str_eq(after.name, "wan0-dc");
    open_udp(&l, 40);
    run(&l, 30 * SVR_SECOND);
    cr_assert_eq(counters(&l, DC).dropped[SVR_DROP_REPLAY], 0);
    for (size_t i = 0; i < 2; i++) {
        after = pathway_of(&l, BRANCH, i);
        cr_assert_eq(after.info.state, SVR_BFD_UP);
        cr_assert_eq(after.info.flaps, 0);
        cr_assert(after.info.ready);
    }
    l.cut[DC] = true;
    run(&l, 7 * SVR_SECOND);
    cr_assert_eq(pathway_of(&l, BRANCH, 0).info.state, SVR_BFD_DOWN);
    cr_assert_eq(pathway_of(&l, BRANCH, 1).info.state, SVR_BFD_UP,
                 "ten seconds now");
    run(&l, 5 * SVR_SECOND);
    cr_assert_eq(pathway_of(&l, BRANCH, 1).info.state, SVR_BFD_DOWN);
    link_close(&l);
}

/* The peer behind a NAT is where it was seen. */
Test(node_watch, kept_with_its_nat)
{
    struct link l;
    struct net_plan p;

    link_open(&l, (struct net_options){0});
    l.public = addr("203.0.113.250");
    l.shift = 7;
    settle(&l);
    open_udp(&l, 40);
    net_plan(&l.net, l.net.dc, &p);
    cr_assert_eq(svr_node_reconfigure(l.net.dc, &p.config, l.net.now, NULL), 0);
    svr_node_pathway pw = pathway_of(&l, DC, 0);
    cr_assert(pw.info.peer_nat);
    cr_assert(svr_addr_equal(&pw.info.peer.addr, &l.public));
    run(&l, 30 * SVR_SECOND);
    cr_assert_eq(state(&l, DC), SVR_BFD_UP);
    cr_assert_eq(pathway_of(&l, DC, 0).info.flaps, 0);
    link_close(&l);
}

/* Other settings: it begins again, and its sessions wait for it. */
Test(node_watch, restarted_by_a_new_configuration)
{
    struct link l;
    struct net_plan p;
    svr_reconfiguration done;

    link_open(&l, (struct net_options){0});
    settle(&l);
    open_udp(&l, 40);
    run(&l, 10 * SVR_SECOND);
    net_plan(&l.net, l.net.branch, &p);
    p.pathways[0].watch.hold_down = SVR_SECOND;
    cr_assert_eq(reconfigure(&l, &p, &done), 0);
    cr_assert_eq(done.pathways_restarted, 1);
    cr_assert_eq(done.sessions_kept, 1);
    cr_assert_neq(state(&l, BRANCH), SVR_BFD_UP);
    cr_assert_eq(send_client(&l, 40, 10), SVR_DROP_PATHWAY_DOWN);
    run(&l, 5 * SVR_SECOND);
    cr_assert_eq(state(&l, BRANCH), SVR_BFD_UP);
    cr_assert_eq(counters(&l, DC).dropped[SVR_DROP_REPLAY], 0);
    open_udp(&l, 40);
    cr_assert_eq(svr_node_session_count(l.net.branch), 1);
    link_close(&l);
}

/* Sessions that may leave it do so (S17). */
Test(node_watch, restarted_and_left)
{
    struct link l;
    struct net_plan p;

    link_open(&l, (struct net_options){.twin = true});
    settle(&l);
    open_udp(&l, 40);
    net_plan(&l.net, l.net.branch, &p);
    p.services[0].policy.resiliency = SVR_RESILIENCY_FAILOVER;
    p.pathways[0].watch.hold_down = 60 * SVR_SECOND;
    cr_assert_eq(reconfigure(&l, &p, NULL), 0);
    run(&l, SVR_SECOND);
    cr_assert_eq(pathway_of(&l, BRANCH, 1).sessions, 1);
    cr_assert_eq(send_client(&l, 40, 10), SVR_DROP_NONE);
    cr_assert_eq(svr_node_session_count(l.net.dc), 1);
    link_close(&l);
}

/* What an administrator has taken down stays down, restarted or not. */
Test(node_watch, stays_down)
{
    struct link l;
    struct net_plan p;

    link_open(&l, (struct net_options){0});
    settle(&l);
    cr_assert_eq(
        svr_node_pathway_admin(l.net.branch, "wan0-dc", true, l.net.now), 0);
    net_flush(&l.net, l.net.branch);
    net_plan(&l.net, l.net.branch, &p);
    for (int restart = 0; restart < 2; restart++) {
        p.pathways[0].watch.hold_down += (svr_time)restart;
        cr_assert_eq(reconfigure(&l, &p, NULL), 0);
        run(&l, 10 * SVR_SECOND);
        cr_assert_eq(state(&l, BRANCH), SVR_BFD_ADMIN_DOWN);
    }
    link_close(&l);
}
