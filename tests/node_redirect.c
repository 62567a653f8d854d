/*
 * Sessions that go on by another next router (S16.4, S17): which router mends
 * what broke, that nothing circles, and that the last choice stands, in virtual
 * time.
 */
#include "node/node.h"
#include "node_mesh.h"

#include <criterion/criterion.h>
#include <string.h>

enum {
    CUTS = 3,
    STEP = 12,  /* ms between packets, of which each side sends every other */
    FAULT = 20, /* the number of the first packet after it */
    PACKETS = 90,
    /* BFD 100 ms x 3, and what S17 has for the move. */
    DETECTED = 300,
    MOVED = 100,
    TTL = 64,
};

static struct mesh m;

/* Links that let nothing through. */
struct faults {
    uint8_t cut[CUTS][2];
    int count;
    unsigned to_left; /* packets of sessions from r1 to r2 */
};

static bool is_cut(const struct faults *f, int a, int b)
{
    for (int i = 0; i < f->count; i++)
        if ((f->cut[i][0] == a && f->cut[i][1] == b) ||
            (f->cut[i][0] == b && f->cut[i][1] == a))
            return true;
    return false;
}

static bool passes(struct mesh *mesh, int from, int to, int plane,
                   struct frame *f)
{
    struct faults *faults = mesh->user;

    (void)plane;
    faults->to_left += from == 1 && to == 2 && !mesh_is_watch(f);
    return !is_cut(faults, from, to);
}

/* r0 begins sessions, the last has their service. */
static struct mesh_options five(void)
{
    return (struct mesh_options){.routers = 5,
                                 .watched = true,
                                 .learning = true,
                                 .resiliency = SVR_RESILIENCY_FAILOVER,
                                 .policy = {.best_path = SVR_BEST_VECTOR}};
}

static void add_link(struct mesh_options *o, int a, int b, int plane)
{
    o->links[o->link_count++] =
        (struct mesh_link){(uint8_t)a, (uint8_t)b, (uint8_t)plane};
}

/* 0 - 1 - 2 - 4 - 3 - 0 */
static struct mesh_options ring(void)
{
    struct mesh_options o = five();

    add_link(&o, 0, 1, 0);
    add_link(&o, 1, 2, 0);
    add_link(&o, 2, 4, 0);
    add_link(&o, 0, 3, 1);
    add_link(&o, 3, 4, 1);
    o.cost[1] = 9; /* the long way is the better one */
    return o;
}

/* r0 has r1 alone; from there two ways lead to r4, by r2 and by r3. */
static struct mesh_options tail(bool rung, uint32_t cost)
{
    struct mesh_options o = five();

    add_link(&o, 0, 1, 2);
    add_link(&o, 1, 2, 0);
    add_link(&o, 2, 4, 0);
    add_link(&o, 1, 3, 1);
    add_link(&o, 3, 4, 1);
    if (rung)
        add_link(&o, 2, 3, 2);
    o.cost[1] = 9;
    o.cost[2] = cost;
    return o;
}

static void start(const struct mesh_options *o, struct faults *f)
{
    memset(f, 0, sizeof(*f));
    mesh_open(&m, o);
    m.filter = passes;
    m.user = f;
    for (int i = 0; i < MESH_PLANES; i++)
        m.delay[i] = 2 * SVR_MILLISECOND;
    mesh_run(&m, 15 * SVR_SECOND); /* past hold-down */
}

static void cut(struct faults *f, int a, int b)
{
    f->cut[f->count][0] = (uint8_t)a;
    f->cut[f->count++][1] = (uint8_t)b;
}

/* ---- a conversation ---- */

static int egress(void)
{
    return m.options.routers - 1;
}

struct chat {
    bool tcp, silent; /* the client says nothing from FAULT on */
    uint8_t seen[2][256];
};

static struct frame packet(const struct chat *c, bool reverse, uint32_t k)
{
    const char *a = "10.0.0.10", *b = egress() == 4 ? "10.4.0.10" : "10.5.0.10";
    uint8_t flags = (uint8_t)(k ? SVR_TCP_ACK : SVR_TCP_SYN);
    uint8_t text = (uint8_t)k;

    if (!c->tcp)
        return reverse ? frame_udp(b, 9, a, 50, &text, 1)
                       : frame_udp(a, 50, b, 9, &text, 1);
    if (!reverse)
        return frame_tcp(a, 50, b, 80, flags, k, k, &text, k > 0);
    return frame_tcp(b, 80, a, 50, flags | SVR_TCP_ACK, k, k + !k, &text,
                     k > 0);
}

static void listen(struct chat *c)
{
    for (size_t i = 0; i < m.received; i++) {
        const struct frame *f = mesh_got(&m, i);
        svr_headers h = frame_headers(f);
        uint32_t k = c->tcp ? h.tcp_seq : f->p.data[h.payload];
        cr_assert_geq(h.ttl, TTL - MESH_ROUTERS, "packet %u went in circles",
                      k);
        cr_assert_lt(k, 256);
        c->seen[m.inbox_router[i] == 0][k]++;
    }
    mesh_clear(&m);
}

static void talk(struct chat *c, uint32_t from, uint32_t to)
{
    for (uint32_t k = from; k < to; k++) {
        if (!c->silent || k < FAULT)
            mesh_send(&m, 0, packet(c, false, k));
        mesh_run(&m, STEP * SVR_MILLISECOND);
        mesh_send(&m, egress(), packet(c, true, k));
        mesh_run(&m, STEP * SVR_MILLISECOND);
        listen(c);
    }
    mesh_run(&m, 100 * SVR_MILLISECOND);
    listen(c);
}

/* All that was sent before the fault, and after the time for detection and
 * move, has arrived once. */
static void expect_whole(const struct chat *c, uint32_t to, const char *about)
{
    const uint32_t late = FAULT + 1 + (DETECTED + MOVED) / (2 * STEP);

    for (unsigned d = 0; d < 2; d++)
        for (uint32_t k = 0; k < to; k++) {
            bool lost = c->seen[d][k] == 0;
            bool sent = d == 1 || !c->silent || k < FAULT;
            cr_assert_leq(c->seen[d][k], 1, "%s: %u came twice", about, k);
            cr_assert(!lost || !sent || (k + 2 > FAULT && k < late),
                      "%s: %u to %s is lost", about, k,
                      d ? "client" : "server");
        }
}

/* The next router of the only session at a router. */
static void expect_next(int router, const char *peer, const char *about)
{
    svr_session_info s = mesh_session(&m, router);
    const char *is = s.server.peer ? s.server.peer : "host";

    cr_assert_str_eq(is, peer, "%s: r%d sends to %s", about, router, is);
}

static uint64_t moved(int router)
{
    svr_counters c;
    svr_node_counters(m.node[router], &c);
    return c.sessions_moved;
}

/* ---- one link breaks ---- */

static struct mesh_options tail_alone(void)
{
    return tail(false, 0);
}

static struct mesh_options tail_with_rung(void)
{
    return tail(true, 20);
}

static struct mesh_options tail_with_good_rung(void)
{
    return tail(true, 0);
}

static const struct {
    const char *about;
    struct mesh_options (*network)(void);
    uint8_t cut[2];
    bool unlearned; /* routers know their own pathways only */
    int mends;      /* who goes elsewhere */
    const char *to;
    int follows; /* who then has another neighbour on the client's side */
} breaks[] = {
    {"ring, next to the ingress", ring, {0, 1}, true, 0, "r3", 4},
    {"ring, in the middle", ring, {1, 2}, false, 0, "r3", 4},
    {"ring, next to the egress", ring, {2, 4}, false, 0, "r3", 4},
    {"next to the fork", tail_alone, {1, 2}, true, 1, "r3", 4},
    {"behind the fork", tail_alone, {2, 4}, false, 1, "r3", 4},
    {"behind the fork, with a rung", tail_with_rung, {2, 4}, false, 2, "r3", 4},
    {"with a rung, nobody hears of it",
     tail_with_rung,
     {2, 4},
     true,
     2,
     "r3",
     4},
    {"next to the fork, with a rung",
     tail_with_rung,
     {1, 2},
     false,
     1,
     "r3",
     4},
    /* 0 - 1 - 3 - 2 - 4 */
    {"by a router of the old way",
     tail_with_good_rung,
     {1, 2},
     false,
     1,
     "r3",
     2},
};

static void break_one(size_t row, bool tcp, bool silent)
{
    struct mesh_options o = breaks[row].network();
    struct chat c = {.tcp = tcp, .silent = silent};
    struct faults f;

    o.learning = !breaks[row].unlearned;
    o.topology = true;
    start(&o, &f);
    talk(&c, 0, FAULT);
    svr_uuid uuid = mesh_session(&m, 0).uuid;
    expect_next(0, "r1", breaks[row].about);
    cut(&f, breaks[row].cut[0], breaks[row].cut[1]);
    talk(&c, FAULT, PACKETS);
    expect_whole(&c, PACKETS, breaks[row].about);
    cr_assert_str_eq(mesh_session(&m, breaks[row].follows).client.peer, "r3",
                     "%s", breaks[row].about);
    expect_next(breaks[row].mends, breaks[row].to, breaks[row].about);
    for (int r = 0; r < 5; r++)
        cr_assert_eq(
            moved(r), r == breaks[row].mends || r == breaks[row].follows,
            "%s: r%d moved %lu", breaks[row].about, r, (unsigned long)moved(r));
    cr_assert_arr_eq(mesh_session(&m, 4).uuid.b, uuid.b, 16);
    mesh_close(&m);
}

Test(node_redirect, a_link_breaks)
{
    for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++)
        for (unsigned kind = 0; kind < 4; kind++)
            break_one(i, kind & 1, kind & 2);
}

/* ---- more than one ---- */

/* Both ways are cut: what is there waits, and goes on when one is mended,
 * whichever that is. */
Test(node_redirect, waits_until_one_heals)
{
    static const uint8_t ways[][2] = {{1, 2}, {1, 3}};

    for (unsigned row = 0; row < 4; row++) {
        const uint8_t *heals = ways[row & 1];
        struct mesh_options o = tail(false, 0);
        struct chat c = {.tcp = row & 2};
        struct faults f;
        start(&o, &f);
        talk(&c, 0, FAULT);
        cut(&f, 1, 2);
        cut(&f, 1, 3);
        talk(&c, FAULT, FAULT + 60);
        memset(&c.seen, 0, sizeof(c.seen));
        talk(&c, FAULT + 60, FAULT + 80);
        for (uint32_t k = 0; k < 256; k++)
            cr_assert(!c.seen[0][k] && !c.seen[1][k], "there is no way");
        mesh_session(&m, 0);
        mesh_session(&m, 4);
        f.count = 0;
        cut(&f, ways[!(row & 1)][0], ways[!(row & 1)][1]);
        mesh_run(&m, 3 * SVR_SECOND);
        talk(&c, FAULT + 80, FAULT + 100);
        for (uint32_t k = FAULT + 81; k < FAULT + 100; k++)
            cr_assert(c.seen[0][k] == 1 && c.seen[1][k] == 1, "row %u: %u", row,
                      k);
        expect_next(1, heals[1] == 2 ? "r2" : "r3", "mended");
        mesh_close(&m);
    }
}

/* Nobody may go elsewhere: sessions wait for their own way. */
Test(node_redirect, not_without_resiliency)
{
    struct mesh_options o = tail(false, 0);
    struct chat c = {0};
    struct faults f;

    o.resiliency = SVR_RESILIENCY_NONE;
    start(&o, &f);
    talk(&c, 0, FAULT);
    cut(&f, 2, 4);
    talk(&c, FAULT, PACKETS);
    expect_next(1, "r2", "it stays");
    cr_assert_eq(c.seen[0][PACKETS - 1], 0);
    f.count = 0;
    mesh_run(&m, 3 * SVR_SECOND);
    talk(&c, PACKETS, PACKETS + 20);
    cr_assert_eq(c.seen[0][PACKETS + 19], 1);
    for (int r = 0; r < 5; r++)
        cr_assert_eq(moved(r), 0);
    mesh_close(&m);
}

/* Two routers of one way mend it at one time. The one nearer to the client has
 * left the other one behind, so its choice stands, whichever the egress hears
 * of first. */
Test(node_redirect, two_mend_at_once)
{
    for (unsigned row = 0; row < 8; row++) {
        struct mesh_options o = five();
        struct chat c = {.tcp = row & 1, .silent = row & 2};
        struct faults f;
        o.routers = 6;
        o.learning = false;
        o.topology = true;
        add_link(&o, 0, 1, 2);
        add_link(&o, 1, 2, 0);
        add_link(&o, 2, 5, 0);
        add_link(&o, 1, 3, 1);
        add_link(&o, 3, 5, 1);
        add_link(&o, 2, 4, 2);
        add_link(&o, 4, 5, 2);
        o.cost[1] = o.cost[2] = 9;
        start(&o, &f);
        talk(&c, 0, FAULT);
        cut(&f, row & 4 ? 5 : 1, 2);
        talk(&c, FAULT, FAULT + 6); /* so that its end is found first */
        cut(&f, row & 4 ? 1 : 5, 2);
        talk(&c, FAULT + 6, PACKETS);
        expect_next(1, "r3", "the fork");
        cr_assert_str_eq(mesh_session(&m, 5).client.peer, "r3", "row %u", row);
        cr_assert_eq(moved(2), 1, "it does not know that it is left behind");
        cr_assert_eq(moved(5), row & 4 ? 2 : 1, "row %u", row);
        for (uint32_t k = FAULT + 30; k < PACKETS - 5; k++)
            cr_assert(c.seen[1][k] == 1 && (c.silent || c.seen[0][k] == 1),
                      "row %u: %u", row, k);
        mesh_close(&m);
    }
}

/* ---- what else happens ---- */

/* The router that was left is told after 5 s, toward the client alone: no host
 * hears of it. */
Test(node_redirect, who_is_left_forgets)
{
    struct mesh_options o = tail(false, 0);
    struct chat c = {.tcp = true};
    struct faults f;

    start(&o, &f);
    talk(&c, 0, FAULT);
    cut(&f, 1, 2);
    talk(&c, FAULT, PACKETS);
    cr_assert_eq(svr_node_session_count(m.node[2]), 1);
    mesh_run(&m, 6 * SVR_SECOND);
    cr_expect_eq(svr_node_session_count(m.node[2]), 0);
    cr_expect_eq(m.received, 0);
    talk(&c, PACKETS, PACKETS + 20);
    expect_whole(&c, PACKETS + 20, "after that");
    for (int r = 0; r < 5; r++)
        cr_expect_eq(svr_node_session_count(m.node[r]), r != 2);
    mesh_close(&m);
}

/* The session comes back to the router that was left, just when the one behind
 * that tells it so: what was on its way to it ends nothing. */
Test(node_redirect, comes_back_as_it_is_told)
{
    enum { LATE = 100, EARLIEST = 5000 - DETECTED - 3 * LATE };

    for (unsigned row = 0; row < 24; row++) {
        struct mesh_options o = tail(false, 0);
        struct chat c = {.tcp = row & 1, .silent = row & 2};
        struct faults f;
        start(&o, &f);
        talk(&c, 0, FAULT);
        svr_uuid uuid = mesh_session(&m, 0).uuid;
        cut(&f, 1, 2);
        while (!moved(4))
            mesh_run(&m, SVR_MILLISECOND);
        f.count = 0;
        m.delay[0] = LATE * SVR_MILLISECOND;
        mesh_run(&m, (EARLIEST + row / 4 * LATE) * SVR_MILLISECOND);
        cut(&f, 1, 3);
        mesh_run(&m, 4 * SVR_SECOND);
        expect_next(1, "r2", "it has come back");
        cr_assert_arr_eq(mesh_session(&m, 4).uuid.b, uuid.b, 16);
        cr_assert_eq(m.received, 0, "row %u: a host hears of it", row);
        talk(&c, FAULT, FAULT + 20);
        mesh_run(&m, SVR_SECOND);
        listen(&c);
        for (uint32_t k = FAULT; k < FAULT + 20; k++)
            cr_assert(c.seen[1][k] == 1 && (c.silent || c.seen[0][k] == 1),
                      "row %u: %u", row, k);
        mesh_close(&m);
    }
}

/* The next pathway leaves the limits of the policy. Both ways let packets
 * through, so none is lost. */
Test(node_redirect, limits)
{
    struct mesh_options o = tail(false, 0);
    struct chat c = {0};
    struct faults f;

    o.policy.quality_filter = true;
    o.policy.max_latency_us = 100000;
    o.policy.max_jitter_us = o.policy.max_loss_ppm = UINT32_MAX;
    start(&o, &f);
    mesh_run(&m, 60 * SVR_SECOND); /* measured */
    talk(&c, 0, FAULT);
    expect_next(1, "r2", "before");
    m.delay[0] = 150 * SVR_MILLISECOND;
    for (int i = 0; i < 900; i++) {
        uint32_t k = FAULT + (uint32_t)i % 200;
        memset(c.seen, 0, sizeof(c.seen));
        talk(&c, k, k + 1);
        mesh_run(&m, 400 * SVR_MILLISECOND);
        listen(&c);
        cr_assert(c.seen[0][k] == 1 && c.seen[1][k] == 1, "%u is lost", k);
        if (i > 800)
            expect_next(1, "r3", "after");
    }
    cr_expect_eq(moved(0), 0, "r1 has mended it");
    cr_expect_eq(moved(1), 1);
    mesh_close(&m);
}

/* A router that has forgotten which way it chose begins above what it said
 * then: it may go back to the first way. */
Test(node_redirect, the_fork_restarts)
{
    for (unsigned heals = 0; heals < 2; heals++) {
        struct mesh_options o = tail(false, 0);
        struct chat c = {0};
        struct faults f;
        start(&o, &f);
        talk(&c, 0, FAULT);
        cut(&f, 1, 2);
        talk(&c, FAULT, PACKETS);
        expect_next(1, "r3", "mended");
        if (heals)
            f.count = 0;
        mesh_restart(&m, 1);
        mesh_run(&m, 3 * SVR_SECOND);
        memset(c.seen, 0, sizeof(c.seen));
        talk(&c, PACKETS, PACKETS + 20);
        for (uint32_t k = PACKETS; k < PACKETS + 20; k++)
            cr_assert(c.seen[0][k] == 1 && c.seen[1][k] == 1, "heals %u: %u",
                      heals, k);
        mesh_close(&m);
    }
}

/* All tuples of the only session at a router, the present one and others, lead
 * to its two neighbours. */
static void expect_no_other(int router)
{
    const svr_node *n = m.node[router];
    const svr__session *s = n->table.sessions;

    while (!s->alive)
        s++;
    for (const svr__alias *a = svr__alias_first(
             &n->table.aliases, svr__session_number(&n->table, s));
         a; a = svr__alias_next(&n->table.aliases, a))
        cr_expect_eq(n->pathways[a->pathway].peer,
                     n->pathways[s->side[a->side].pathway].peer,
                     "r%d still has %s", router, n->pathways[a->pathway].name);
}

/* Packets that travel more than once between two routers. */
Test(node_redirect, duplicates)
{
    struct mesh_options o = tail(false, 0);
    struct chat c = {0};
    struct faults f;

    add_link(&o, 1, 2, 2);
    add_link(&o, 2, 4, 2);
    add_link(&o, 3, 4, 2);
    o.resiliency = SVR_RESILIENCY_DUPLICATE;
    start(&o, &f);
    talk(&c, 0, FAULT);
    cut(&f, 1, 2); /* all of them */
    talk(&c, FAULT, PACKETS);
    expect_whole(&c, PACKETS, "duplicates");
    expect_next(1, "r3", "mended");
    f.count = 0;
    mesh_run(&m, 10 * SVR_SECOND);
    f.to_left = 0;
    talk(&c, PACKETS, PACKETS + 20);
    expect_whole(&c, PACKETS + 20, "duplicates, all links up");
    cr_expect_eq(f.to_left, 0, "nothing goes to who was left");
    expect_no_other(1);
    expect_no_other(4);
    mesh_close(&m);
}

/* S13: a router says that the session comes by it now. It is believed where the
 * router before both has said so, and later. */
Test(node_redirect, who_may_take_a_session)
{
    static const struct {
        const char *about;
        uint8_t count;
        uint16_t router[3];
        uint64_t version[3];
        bool later;
    } ways[] = {
        {"as it is", 3, {0, 1, 2}, {5, 5, 5}, false},
        {"the same, said again", 3, {0, 1, 2}, {5, 5, 6}, true},
        {"the fork chose later", 3, {0, 1, 3}, {5, 6, 1}, true},
        {"the fork chose earlier", 3, {0, 1, 3}, {5, 4, 9}, false},
        {"the ingress did before", 3, {0, 3, 2}, {4, 9, 9}, false},
        {"the ingress did later", 1, {0}, {6}, true},
        {"nobody has chosen that", 3, {0, 1, 3}, {5, 5, 9}, false},
        {"shorter for no reason", 2, {0, 1}, {5, 5}, false},
        {"another ingress", 3, {3, 1, 2}, {9, 9, 9}, false},
        {"without a record", 0, {0}, {0}, false},
        {"without versions", 3, {0, 1, 3}, {0}, false},
    };
    struct mesh_options o = tail(false, 0);
    struct chat c = {0};
    struct faults f;

    start(&o, &f);
    talk(&c, 0, 1);
    svr_node *n = m.node[4];
    svr__session *s = &n->table.sessions[0];
    svr__versions *had = svr__versions_of(n, s);
    cr_assert_eq(s->passed.count, 3);
    cr_assert(had->passed[0] && had->passed[1] && had->passed[2]);
    had->passed[0] = had->passed[1] = had->passed[2] = 5;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        svr__passed passed = {.count = ways[i].count};
        svr__versions versions = {{0}};
        memcpy(passed.router, ways[i].router, sizeof(ways[i].router));
        memcpy(versions.passed, ways[i].version, sizeof(ways[i].version));
        cr_expect_eq(svr__record_is_later(n, s, &passed, &versions),
                     ways[i].later, "%s", ways[i].about);
    }
    s->passed.count = 0; /* as after a restart */
    for (uint8_t count = 0; count < 2; count++) {
        svr__passed passed = {.count = count};
        svr__versions versions = {{0}};
        cr_expect_eq(svr__record_is_later(n, s, &passed, &versions), count);
    }
    mesh_close(&m);
}
