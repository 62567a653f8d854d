/*
 * Sessions that change pathways (S17), over two planes with delays: what is
 * sent once the other pathway has taken over arrives, and once.
 */
#include "node/node.h"
#include "node_mesh.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TALK_MAX = 20000,
    /* 3 packets of 100 ms each, the answerer's clock, and a tour. */
    DETECTION = 450,
};

/* Kinds of sessions. */
enum kind { UDP, TCP, ECHO };

/* A conversation of numbered packets between the client behind r0 and the
 * server behind the last router. */
struct talk {
    struct mesh *m;
    enum kind kind;
    uint16_t port;
    uint32_t sent[2];
    uint8_t seen[2][TALK_MAX];
};

#define CLIENT0 "10.0.0.10"

static const char *server_of(const struct mesh *m)
{
    return m->options.routers == 3 ? "10.2.0.10" : "10.1.0.10";
}

static struct frame tcp_packet(const struct talk *t, bool reverse, uint32_t k)
{
    const char *s = server_of(t->m);
    uint8_t flags = SVR_TCP_ACK | (k == 0 ? SVR_TCP_SYN : 0);
    char text[16] = {0};
    memcpy(text, &k, sizeof(k));
    size_t len = k == 0 ? 0 : sizeof(text);
    uint32_t seq = k == 0 ? 0 : 1 + (k - 1) * 16;
    uint32_t other = t->sent[!reverse];
    uint32_t ack = other ? 1 + (other - 1) * 16 : 0;
    if (k == 0 && !reverse)
        flags = SVR_TCP_SYN;
    return reverse
               ? frame_tcp(s, 80, CLIENT0, t->port, flags, seq, ack, text, len)
               : frame_tcp(CLIENT0, t->port, s, 80, flags, seq, ack, text, len);
}

static struct frame next_packet(struct talk *t, bool reverse)
{
    const char *s = server_of(t->m);
    uint32_t k = t->sent[reverse];
    cr_assert_lt(k, TALK_MAX);
    if (t->kind == TCP)
        return tcp_packet(t, reverse, k);
    if (t->kind == ECHO) {
        struct frame f = frame_echo(
            reverse ? s : CLIENT0, reverse ? CLIENT0 : s, t->port, reverse, 16);
        svr_headers h = frame_headers(&f);
        memcpy(f.p.data + h.l4 + 8, &k, sizeof(k));
        svr_packet_checksum_write(&f.p, &h);
        return f;
    }
    return reverse ? frame_udp(s, 9, CLIENT0, t->port, &k, sizeof(k))
                   : frame_udp(CLIENT0, t->port, s, 9, &k, sizeof(k));
}

static void say(struct talk *t, bool reverse)
{
    int router = reverse ? t->m->options.routers - 1 : 0;
    struct frame f = next_packet(t, reverse);
    t->sent[reverse]++;
    mesh_send(t->m, router, f);
}

/* Notes what has come out of the LANs. */
static void listen(struct talk *t)
{
    for (size_t i = 0; i < t->m->received; i++) {
        const struct frame *f = mesh_got(t->m, i);
        svr_headers h = frame_headers(f);
        bool reverse = t->m->inbox_router[i] == 0;
        size_t at = t->kind == ECHO ? (size_t)h.l4 + 8 : h.payload;
        uint32_t k = 0;
        if (h.icmp_error)
            continue;
        if (f->p.len >= at + sizeof(k))
            memcpy(&k, f->p.data + at, sizeof(k));
        cr_assert_lt(k, t->sent[reverse]);
        t->seen[reverse][k]++;
    }
    mesh_clear(t->m);
}

/* Both speak, every `gap`, for a while. */
static void chat(struct talk *t, svr_time duration, svr_time gap)
{
    for (svr_time at = 0; at < duration; at += gap) {
        say(t, false);
        say(t, true);
        mesh_run(t->m, gap);
        listen(t);
    }
}

/* Each packet sent from `first` on has arrived once. */
static void expect_all(struct talk *t, const uint32_t first[2],
                       const char *about)
{
    mesh_run(t->m, SVR_SECOND / 5);
    listen(t);
    for (int reverse = 0; reverse < 2; reverse++)
        for (uint32_t k = first[reverse]; k < t->sent[reverse]; k++)
            cr_assert_eq(t->seen[reverse][k], 1,
                         "%s: %s %u of %u came %d times", about,
                         reverse ? "reverse" : "forward", k, t->sent[reverse],
                         t->seen[reverse][k]);
}

static void expect_from_now_on(struct talk *t, const char *about)
{
    const uint32_t first[2] = {t->sent[0], t->sent[1]};
    chat(t, SVR_SECOND / 2, 10 * SVR_MILLISECOND);
    expect_all(t, first, about);
}

static uint64_t moved(const struct mesh *m, int router)
{
    svr_counters c;
    svr_node_counters(m->node[router], &c);
    return c.sessions_moved;
}

static uint64_t created(const struct mesh *m, int router)
{
    svr_counters c;
    svr_node_counters(m->node[router], &c);
    return c.sessions_created;
}

/* How many sessions the pathways of a router carry. */
static void expect_on_plane(struct mesh *m, int router, int plane)
{
    svr_session_info s = mesh_session(m, router);
    const char *name = s.server.pathway ? s.server.pathway : s.client.pathway;
    svr_node_pathway p;
    size_t cursor = 0;
    cr_assert_eq(name[1], '0' + plane, "router %d is on %s", router, name);
    while (svr_node_pathway_next(m->node[router], &cursor, &p, m->now))
        if (strcmp(p.name, name) == 0)
            cr_assert_eq(p.sessions, 1);
}

/* Two routers with two links, or a third one in front of or behind them. */
enum where { ALONE, IN_FRONT, BEHIND };

static struct mesh_options twin_links(enum where where)
{
    struct mesh_options o = {.routers = where == ALONE ? 2 : 3,
                             .watched = true,
                             .resiliency = SVR_RESILIENCY_FAILOVER};
    uint8_t a = where == IN_FRONT; /* the twins join a and a + 1 */
    o.links[o.link_count++] = (struct mesh_link){a, (uint8_t)(a + 1), 0};
    o.links[o.link_count++] = (struct mesh_link){a, (uint8_t)(a + 1), 1};
    if (where == IN_FRONT)
        o.links[o.link_count++] = (struct mesh_link){0, 1, 2};
    if (where == BEHIND)
        o.links[o.link_count++] = (struct mesh_link){1, 2, 2};
    return o;
}

/* All pathways are up and ready. */
static void open_mesh(struct mesh *m, struct talk *t,
                      const struct mesh_options *o, enum kind kind)
{
    mesh_open(m, o);
    mesh_run(m, 8 * SVR_SECOND);
    memset(t, 0, sizeof(*t));
    t->m = m;
    t->kind = kind;
    t->port = 50;
}

/* How far a session is when its pathway fails. */
enum phase { FIRST_PACKET, BEFORE_ANSWER, ANSWERED, ESTABLISHED, PHASES };

static void reach(struct talk *t, enum phase phase)
{
    if (phase == FIRST_PACKET) { /* lost with the pathway */
        t->m->cut[0] = true;
        say(t, false);
    } else if (phase == ESTABLISHED) {
        chat(t, SVR_SECOND / 5, 10 * SVR_MILLISECOND);
    } else {
        say(t, false);
        mesh_run(t->m, 50 * SVR_MILLISECOND);
        if (phase == ANSWERED)
            say(t, true);
        mesh_run(t->m, 50 * SVR_MILLISECOND);
        listen(t);
    }
}

/* S17: every kind of session, at each phase, moved by each role, over planes of
 * either family. */
Test(node_move, when_a_pathway_fails)
{
    static struct mesh m;
    static struct talk t;
    for (int row = 0; row < 96; row++) {
        enum phase phase = (enum phase)(row % PHASES);
        enum kind kind = (enum kind)(row / PHASES % 4);
        enum where where = (enum where)(row / PHASES / 4 % 3);
        struct mesh_options o = twin_links(where);
        char about[64];
        o.per_packet = row & 1 || row / 48;
        o.masked = (int)kind == 3;
        o.v6[0] = row / 48 && row % 3 == 0;
        o.v6[1] = row / 48 && row % 5 == 0;
        snprintf(about, sizeof(about), "row %d", row);
        open_mesh(&m, &t, &o, (int)kind == 3 ? TCP : kind);
        reach(&t, phase);
        m.cut[0] = true;
        chat(&t, DETECTION * SVR_MILLISECOND, 10 * SVR_MILLISECOND);
        expect_from_now_on(&t, about);
        for (int i = 0; i < o.routers; i++)
            cr_assert_eq(
                created(&m, i),
                1 + (phase == FIRST_PACKET && i > 0 && created(&m, i) == 2),
                "%s: router %d made %lu", about, i,
                (unsigned long)created(&m, i));
        int opener = where == IN_FRONT;
        cr_assert_eq(moved(&m, opener), 1, "%s", about);
        expect_on_plane(&m, opener, 1);
        mesh_close(&m);
    }
}

/* Sessions in which only the server speaks: nothing but the tour can move them;
 * and without resiliency nothing does. */
Test(node_move, when_only_the_server_speaks)
{
    static struct mesh m;
    static struct talk t;
    for (int resilient = 0; resilient < 2; resilient++) {
        struct mesh_options o = twin_links(ALONE);
        if (!resilient)
            o.resiliency = SVR_RESILIENCY_NONE;
        open_mesh(&m, &t, &o, UDP);
        reach(&t, ESTABLISHED);
        m.cut[0] = true;
        for (int i = 0; i < 90; i++) {
            if (i == DETECTION / 10)
                memset(t.seen, 0, sizeof(t.seen));
            say(&t, true);
            mesh_run(&m, 10 * SVR_MILLISECOND);
            listen(&t);
        }
        mesh_run(&m, SVR_SECOND / 10);
        listen(&t);
        int came = 0;
        for (uint32_t k = 0; k < t.sent[1]; k++)
            came += t.seen[1][k];
        cr_assert_eq(came, resilient ? 90 - DETECTION / 10 : 0, "%d came",
                     came);
        cr_assert_eq(moved(&m, 0), resilient ? 1 : 0);
        cr_assert_eq(net_dropped(m.node[1], SVR_DROP_PATHWAY_DOWN) > 30,
                     !resilient);
        m.cut[0] = false; /* and goes on, moved or not */
        mesh_run(&m, 3 * SVR_SECOND);
        expect_from_now_on(&t, "after");
        mesh_close(&m);
    }
}

/* The better pathway comes back: a revertible session returns to it after its
 * hold-down, and not one packet is lost on the way, early or late; the others
 * stay. */
Test(node_move, comes_back)
{
    static struct mesh m;
    static struct talk t;
    for (int row = 0; row < 16; row++) {
        bool revertible = row & 1, per_packet = row & 2, slow = row & 4;
        struct mesh_options o = twin_links(row & 8 ? BEHIND : ALONE);
        o.resiliency =
            revertible ? SVR_RESILIENCY_REVERTIBLE : SVR_RESILIENCY_FAILOVER;
        o.per_packet = per_packet;
        open_mesh(&m, &t, &o, row & 8 ? TCP : UDP);
        m.delay[slow] = 40 * SVR_MILLISECOND; /* either overtakes the other */
        reach(&t, ESTABLISHED);
        m.cut[0] = true;
        chat(&t, DETECTION * SVR_MILLISECOND, 10 * SVR_MILLISECOND);
        m.cut[0] = false;
        const uint32_t first[2] = {t.sent[0], t.sent[1]};
        chat(&t, 4 * SVR_SECOND, 5 * SVR_MILLISECOND);
        expect_on_plane(&m, 0, 1); /* held down */
        chat(&t, 3 * SVR_SECOND, 5 * SVR_MILLISECOND);
        expect_all(&t, first, "comes back");
        expect_on_plane(&m, 0, !revertible);
        cr_assert_eq(moved(&m, 0), 1 + revertible);
        cr_assert_eq(moved(&m, 1), 1 + revertible);
        mesh_close(&m);
    }
}

/* Both are down; the first that is up again is taken, held down or not. */
Test(node_move, both_down_and_one_back)
{
    static struct mesh m;
    static struct talk t;
    for (int plane = 0; plane < 2; plane++) {
        struct mesh_options o = twin_links(ALONE);
        open_mesh(&m, &t, &o, TCP);
        reach(&t, ESTABLISHED);
        m.cut[0] = m.cut[1] = true;
        chat(&t, 3 * SVR_SECOND, 10 * SVR_MILLISECOND);
        m.cut[plane] = false;
        chat(&t, 2 * SVR_SECOND, 10 * SVR_MILLISECOND);
        expect_from_now_on(&t, "one back");
        expect_on_plane(&m, 0, plane);
        cr_assert_leq(moved(&m, 0), 2);
        mesh_close(&m);
    }
}

/* A pathway that flaps once in two seconds: it is left once. */
Test(node_move, flaps)
{
    static struct mesh m;
    static struct talk t;
    struct mesh_options o = twin_links(ALONE);
    o.resiliency = SVR_RESILIENCY_REVERTIBLE;
    open_mesh(&m, &t, &o, UDP);
    reach(&t, ESTABLISHED);
    for (int i = 0; i < 20; i++) {
        m.cut[0] = i % 2 == 0;
        chat(&t, SVR_SECOND, 20 * SVR_MILLISECOND);
        if (i == 1)
            memset(t.seen, 1, sizeof(t.seen));
    }
    cr_assert_eq(moved(&m, 0), 1);
    mesh_close(&m);
}

/* A packet that was kept on its way. */
static struct frame kept;
static int keep_what; /* 1: forward metadata; 2: reverse metadata */

static bool keep_one(struct mesh *m, int from, int to, int plane,
                     struct frame *f)
{
    (void)m, (void)to, (void)plane;
    if (!mesh_is_watch(f) && !kept.buf && from + 1 == keep_what &&
        frame_has_metadata(f))
        kept = frame_copy(f);
    return true;
}

/* Metadata from before a move, delivered before or not, moves nothing. */
Test(node_move, late_and_replayed_metadata)
{
    static struct mesh m;
    static struct talk t;
    for (int row = 0; row < 2; row++) {
        struct mesh_options o = twin_links(ALONE);
        open_mesh(&m, &t, &o, UDP);
        kept = (struct frame){0};
        keep_what = 1;
        m.filter = keep_one;
        reach(&t, ESTABLISHED);
        cr_assert_not_null(kept.buf);
        m.filter = NULL;
        m.cut[0] = true;
        chat(&t, DETECTION * SVR_MILLISECOND, 10 * SVR_MILLISECOND);
        m.cut[0] = false;
        mesh_run(&m,
                 SVR_SECOND * (row ? 7 : 1)); /* its alias is gone, or not */
        enum svr_drop reason = row ? SVR_DROP_TAG : SVR_DROP_REPLAY;
        uint64_t before = net_dropped(m.node[1], reason);
        mesh_inject(&m, 0, 1, 0, kept);
        mesh_run(&m, SVR_SECOND / 10);
        cr_assert_eq(net_dropped(m.node[1], reason), before + 1);
        cr_assert_eq(moved(&m, 1), 1);
        expect_on_plane(&m, 1, 1);
        expect_from_now_on(&t, "after the replay");
        mesh_close(&m);
    }
}

static struct frame readdressed(const struct mesh *m, const struct frame *f,
                                int from, int to, int plane)
{
    struct frame copy = frame_copy(f);
    svr_headers h = frame_headers(&copy);
    svr_tuple tuple = h.tuple;
    svr_rewrite rw;
    tuple.src = mesh_waypoint(m, from, plane);
    tuple.dst = mesh_waypoint(m, to, plane);
    svr_rewrite_init(&rw, &h.tuple, &tuple);
    svr_packet_rewrite(&copy.p, &h, &rw);
    return copy;
}

/* Something on the way sends the answerer's metadata by another pathway: it is
 * refused, for only the opener moves. */
static bool divert(struct mesh *m, int from, int to, int plane, struct frame *f)
{
    if (mesh_is_watch(f) || from != 1 || !frame_has_metadata(f))
        return true;
    m->filter = NULL;
    mesh_inject(m, from, to, !plane, readdressed(m, f, from, to, !plane));
    return false;
}

Test(node_move, reverse_metadata_elsewhere)
{
    static struct mesh m;
    static struct talk t;
    struct mesh_options o = twin_links(ALONE);
    open_mesh(&m, &t, &o, UDP);
    m.filter = divert;
    chat(&t, SVR_SECOND / 5, 10 * SVR_MILLISECOND);
    cr_assert_null(m.filter);
    cr_assert_eq(net_dropped(m.node[0], SVR_DROP_MD_CONFLICT), 1);
    cr_assert_eq(moved(&m, 0), 0);
    expect_on_plane(&m, 0, 0);
    expect_from_now_on(&t, "after");
    mesh_close(&m);
}

/* The answerer alone is told that the pathway is down: it asks, and the opener
 * comes. */
Test(node_move, the_answerer_asks)
{
    static struct mesh m;
    static struct talk t;
    struct mesh_options o = twin_links(ALONE);
    o.watched = false;
    open_mesh(&m, &t, &o, UDP);
    reach(&t, ESTABLISHED);
    cr_assert_eq(svr_node_pathway_admin(m.node[1], "p0-r0", true, m.now), 0);
    chat(&t, SVR_SECOND / 10, 10 * SVR_MILLISECOND);
    expect_from_now_on(&t, "asked");
    expect_on_plane(&m, 0, 1);
    expect_on_plane(&m, 1, 1);
    mesh_close(&m);
}

/* Loss, reordering and duplication, and pathways that come and go: no packet
 * comes to a wrong place, and once it is quiet both directions work. */
static bool rough(struct mesh *m, int from, int to, int plane, struct frame *f)
{
    uint64_t *seed = m->user;
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    uint32_t dice = (uint32_t)(*seed >> 40) % 100;
    m->delay[plane] = (5 + (svr_time)(dice % 7) * 3) * SVR_MILLISECOND;
    if (mesh_is_watch(f))
        return true;
    if (dice < 10)
        mesh_inject(m, from, to, plane, frame_copy(f));
    return dice < 85;
}

Test(node_move, rough_weather)
{
    static struct mesh m;
    static struct talk t;
    for (int row = 0; row < 12; row++) {
        struct mesh_options o = twin_links((enum where)(row % 3));
        uint64_t seed = (uint64_t)row + 1;
        o.per_packet = row & 1;
        o.resiliency =
            row & 2 ? SVR_RESILIENCY_REVERTIBLE : SVR_RESILIENCY_FAILOVER;
        open_mesh(&m, &t, &o, (enum kind)(row % 2));
        m.filter = rough;
        m.user = &seed;
        for (int i = 0; i < 30; i++) {
            m.cut[seed >> 33 & 1] = seed >> 34 & 1;
            chat(&t, SVR_SECOND / 2, 10 * SVR_MILLISECOND);
        }
        m.filter = NULL;
        m.cut[0] = m.cut[1] = false;
        for (int i = 0; i < MESH_PLANES; i++)
            m.delay[i] = 5 * SVR_MILLISECOND;
        chat(&t, 3 * SVR_SECOND, 50 * SVR_MILLISECOND);
        expect_from_now_on(&t, "calm again");
        for (int i = 0; i < o.routers; i++)
            mesh_session(&m, i); /* just one */
        mesh_close(&m);
    }
}

/* Two or three planes between two routers, or before or behind a third. */
static struct mesh_options copied(int planes, enum where where)
{
    struct mesh_options o = twin_links(where);
    uint8_t a = where == IN_FRONT;
    o.resiliency = SVR_RESILIENCY_DUPLICATE;
    if (planes == 3 && where == ALONE)
        o.links[o.link_count++] = (struct mesh_link){a, (uint8_t)(a + 1), 2};
    return o;
}

/* Packets that travel by all pathways: each arrives once, and a pathway that
 * fails costs not one, though nobody has noticed yet. */
Test(node_move, copies)
{
    static struct mesh m;
    static struct talk t;
    for (int row = 0; row < 24; row++) {
        enum where where = (enum where)(row % 3);
        enum kind kind = (enum kind)(row / 3 % 4);
        struct mesh_options o = copied(2 + row % 2, where);
        o.per_packet = row & 1;
        o.masked = (int)kind == 3;
        open_mesh(&m, &t, &o, (int)kind == 3 ? TCP : kind);
        m.delay[1] = 17 * SVR_MILLISECOND;
        const uint32_t first[2] = {0, 1}; /* no answer before the question */
        chat(&t, SVR_SECOND / 2, 10 * SVR_MILLISECOND);
        cr_assert_gt(m.sent[0], 50);
        cr_assert_gt(m.sent[1], 50, "row %d: %lu copies", row,
                     (unsigned long)m.sent[1]);
        m.cut[0] = true;
        chat(&t, SVR_SECOND, 10 * SVR_MILLISECOND);
        m.cut[0] = false;
        chat(&t, 7 * SVR_SECOND, 50 * SVR_MILLISECOND);
        m.cut[1] = true;
        chat(&t, SVR_SECOND, 10 * SVR_MILLISECOND);
        expect_all(&t, first, "copies");
        int receiver = where == IN_FRONT ? 2 : 1;
        cr_assert_gt(net_dropped(m.node[receiver], SVR_DROP_DUPLICATE), 50);
        for (int i = 0; i < o.routers; i++)
            cr_assert_eq(created(&m, i), 1, "row %d router %d", row, i);
        mesh_close(&m);
    }
}

/* Each plane loses three packets in ten: few are lost on all three, and none
 * comes twice. */
static bool lose_some(struct mesh *m, int from, int to, int plane,
                      struct frame *f)
{
    uint64_t *seed = m->user;
    (void)from, (void)to, (void)plane;
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return mesh_is_watch(f) || (uint32_t)(*seed >> 40) % 10 >= 3;
}

Test(node_move, copies_make_up_for_loss)
{
    static struct mesh m;
    static struct talk t;
    uint64_t seed = 5;
    struct mesh_options o = copied(3, ALONE);
    open_mesh(&m, &t, &o, UDP);
    chat(&t, SVR_SECOND / 5, 10 * SVR_MILLISECOND);
    uint32_t begin = t.sent[0];
    m.user = &seed;
    m.filter = lose_some;
    chat(&t, 10 * SVR_SECOND, 10 * SVR_MILLISECOND);
    m.filter = NULL;
    chat(&t, SVR_SECOND / 5, 10 * SVR_MILLISECOND);
    uint32_t came = 0;
    for (uint32_t k = begin; k < t.sent[0]; k++) {
        cr_assert_leq(t.seen[0][k], 1);
        came += t.seen[0][k];
    }
    cr_assert_gt(came, (t.sent[0] - begin) * 95 / 100, "%u of %u", came,
                 t.sent[0] - begin);
    mesh_close(&m);
}

/* How far the rounds of ports have gone (S10). */
static uint64_t ports_used(const svr_node *n)
{
    uint64_t used = 0;
    for (size_t i = 0; i < n->pathway_count; i++)
        used += n->pathways[i].ports.next;
    return used;
}

/* Where there is no room for a leg, the session goes on without it: it takes no
 * ports for what cannot be, and the operator can see it. */
Test(node_move, no_room_for_legs)
{
    static struct mesh m;
    static struct talk t;
    struct mesh_options o = copied(3, ALONE);
    svr_counters before, after;

    o.sessions = 1; /* so there is one place for two legs */
    open_mesh(&m, &t, &o, UDP);
    chat(&t, SVR_SECOND / 5, 10 * SVR_MILLISECOND);
    svr_node_counters(m.node[0], &before);
    uint64_t used = ports_used(m.node[0]);
    expect_from_now_on(&t, "with one leg");
    svr_node_counters(m.node[0], &after);
    cr_assert_gt(before.copies_sent, 0);
    cr_assert_gt(before.aliases_refused, 0);
    cr_assert_gt(after.aliases_refused, before.aliases_refused);
    cr_assert_eq(ports_used(m.node[0]), used);
    mesh_close(&m);
}

/* A peer that asks by one pathway and then by another moves the session once in
 * a second (S7); so do the answers' ports and keys. */
Test(node_move, is_asked_too_often)
{
    static struct mesh m;
    static struct talk t;
    struct mesh_options o = twin_links(ALONE);
    o.watched = false;
    open_mesh(&m, &t, &o, UDP);
    reach(&t, ESTABLISHED);
    svr_node *n = m.node[0];
    svr__session *s = n->table.sessions;
    while (!s->alive)
        s++;
    for (int i = 0; i < 10; i++) {
        uint16_t other = !s->side[SVR__SERVER].pathway;
        svr__session_asked(n, s, &n->pathways[other], m.now);
        cr_assert_eq(moved(&m, 0), 1, "request %d", i);
    }
    mesh_run(&m, SVR_SECOND);
    uint16_t other = !s->side[SVR__SERVER].pathway;
    svr__session_asked(n, s, &n->pathways[other], m.now);
    cr_assert_eq(moved(&m, 0), 2);
    expect_from_now_on(&t, "after the requests");
    mesh_close(&m);
}
