/*
 * When sessions leave their pathway, by the policy of their service (S16.2,
 * S17), how soon, and what is lost then.
 */
#include "node_links.h"

#include <criterion/criterion.h>
#include <string.h>

static const svr_vector_rank only_two[] = {{1, 5}, {2, 5}};

/* ---- sessions that are there ---- */

/* A limit that is passed moves sessions once; where they keep moving nothing
 * is gained. */
struct limit_row {
    const char *about;
    svr_service_policy policy;
    unsigned delay[MESH_PLANES], loss[MESH_PLANES];
    bool one_way;
    int plane; /* where they are then; 0: they stay */
    int later; /* and when the weather is fine again */
};

static const struct limit_row limit_rows[] = {
    {"latency",
     {.resiliency = SVR_RESILIENCY_FAILOVER,
      .best_path = SVR_BEST_VECTOR,
      LIMITS(100, 100, 5000)},
     {150, 5, 5},
     {0},
     false,
     1,
     1},
    {"latency, and back",
     {.resiliency = SVR_RESILIENCY_REVERTIBLE,
      .best_path = SVR_BEST_VECTOR,
      RANKS(only_two),
      LIMITS(100, 100, 5000)},
     {5, 150, 5},
     {0},
     false,
     2,
     2}, /* equal in rank: no reason to come back */
    {"loss",
     {.resiliency = SVR_RESILIENCY_FAILOVER,
      .best_path = SVR_BEST_LATENCY,
      LIMITS(250, 100, 5000)},
     {1, 5, 9},
     {15, 0, 0},
     false,
     1,
     1},
    {"loss in one direction",
     {.resiliency = SVR_RESILIENCY_FAILOVER,
      .best_path = SVR_BEST_LATENCY,
      LIMITS(250, 100, 5000)},
     {1, 5, 9},
     {15, 0, 0},
     true,
     1,
     1},
    {"loss, and back",
     {.resiliency = SVR_RESILIENCY_REVERTIBLE,
      .best_path = SVR_BEST_LATENCY,
      LIMITS(250, 100, 5000)},
     {1, 5, 9},
     {15, 0, 0},
     false,
     1,
     0},
    {"no resiliency",
     {.resiliency = SVR_RESILIENCY_NONE,
      .best_path = SVR_BEST_LATENCY,
      LIMITS(250, 100, 5000)},
     {1, 5, 9},
     {15, 0, 0},
     false,
     0,
     0},
    {"the filter is off",
     {.resiliency = SVR_RESILIENCY_FAILOVER,
      .best_path = SVR_BEST_LATENCY,
      .max_loss_ppm = 5000},
     {1, 5, 9},
     {15, 0, 0},
     false,
     0,
     0},
    {"nothing is better",
     {.resiliency = SVR_RESILIENCY_FAILOVER,
      .best_path = SVR_BEST_LATENCY,
      LIMITS(250, 100, 5000)},
     {1, 300, 300},
     {15, 0, 0},
     false,
     0,
     0},
};

Test(node_leave, leaves_its_limits)
{
    static struct mesh m;

    for (size_t i = 0; i < COUNT(limit_rows); i++) {
        const struct limit_row *row = &limit_rows[i];
        bool bad = row->delay[2] > 250; /* from the beginning */
        const unsigned fine[MESH_PLANES] = {1, bad ? 300 : 5, bad ? 300 : 9};
        struct mesh_options o = links_three();
        struct weather w = {{0}, 77 * i, row->one_way};
        bool second = row->policy.vector_count > 0;
        int before = second ? 1 : 0;
        o.resiliency = row->policy.resiliency;
        o.policy = row->policy;
        links_open(&m, &o, &w, fine);
        cr_assert_eq(links_begin(&m, 0, 50), SVR_DROP_NONE, "%s", row->about);
        cr_assert_eq(links_plane(&m, 50), before, "%s", row->about);
        for (int p = 0; p < MESH_PLANES; p++)
            m.delay[p] = row->delay[p] * SVR_MILLISECOND;
        memcpy(w.loss, row->loss, sizeof(w.loss));
        mesh_run(&m, 90 * SVR_SECOND);
        cr_assert_eq(links_plane(&m, 50), row->plane, "%s: on %s", row->about,
                     links_way(&m, 0, 50));
        cr_assert_eq(links_moved(&m, 0), row->plane != before, "%s",
                     row->about);
        links_expect_no_failure(&m, row->about);
        for (int p = 0; p < MESH_PLANES; p++)
            m.delay[p] = fine[p] * SVR_MILLISECOND;
        memset(w.loss, 0, sizeof(w.loss));
        mesh_run(&m, 70 * SVR_SECOND); /* UDP lives for 180 s */
        cr_assert_eq(links_begin(&m, 0, 50), SVR_DROP_NONE);
        mesh_run(&m, 60 * SVR_SECOND);
        cr_assert_eq(links_plane(&m, 50), row->later, "%s: on %s", row->about,
                     links_way(&m, 0, 50));
        cr_assert_eq(svr_node_session_count(m.node[1]), 1);
        cr_assert_eq(svr_node_session_count(m.node[0]), 1);
        mesh_close(&m);
    }
}

/* ---- how soon ---- */

/* A session of a policy that allows 150 ms and 2 %; it is idle but for what is
 * measured, or has 20 packets a second each way. */
struct step_row {
    const char *about;
    bool busy;
    unsigned delay, loss, only;
    unsigned lasts;   /* seconds */
    unsigned seconds; /* until it has left at the latest; 0: it stays */
};

static const struct step_row step_rows[] = {
    {"delay, idle", false, 200, 0, 0, 60, 22},
    {"delay, busy", true, 200, 0, 0, 60, 28},
    {"loss, idle", false, 5, 200, 0, 60, 17},
    {"loss, busy", true, 5, 200, 0, 60, 23},
    {"loss on the way out", true, 5, 200, 1, 60, 23},
    {"loss on the way back", true, 5, 200, 2, 60, 23},
    {"ten slow seconds, idle", false, 200, 0, 0, 10, 0},
    {"ten slow seconds, busy", true, 200, 0, 0, 10, 0},
    {"now and then one is lost", true, 5, 3, 0, 60, 0},
};

static void speak(struct mesh *m, unsigned seconds)
{
    for (unsigned i = 0; i < 20 * seconds; i++) {
        mesh_send(m, 0, frame_udp("10.0.0.10", 50, "10.1.0.10", 9, "x", 1));
        mesh_send(m, 1, frame_udp("10.1.0.10", 9, "10.0.0.10", 50, "y", 1));
        mesh_run(m, SVR_SECOND / 20);
        mesh_clear(m);
    }
}

static void pass(struct mesh *m, const struct step_row *row, unsigned seconds)
{
    if (row->busy)
        speak(m, seconds);
    else
        mesh_run(m, seconds * SVR_SECOND);
}

/* Seconds from the step until the session has left plane 0, or 0. */
static unsigned time_to_leave(struct mesh *m, const struct step_row *row)
{
    struct weather *w = m->user;

    for (unsigned s = 0; s < 60; s++) {
        m->delay[0] = (s < row->lasts ? row->delay : 5) * SVR_MILLISECOND;
        w->loss[0] = s < row->lasts ? row->loss : 0;
        pass(m, row, 1);
        if (links_plane(m, 50) != 0)
            return s + 1;
    }
    return 0;
}

Test(node_leave, leaves_in_time)
{
    static struct mesh m;

    for (size_t i = 0; i < COUNT(step_rows) * 4; i++) {
        const struct step_row *row = &step_rows[i / 4];
        unsigned phase = (unsigned)(i % 4) * 3; /* of the rounds */
        struct mesh_options o = links_three();
        struct weather w = {{0}, i, 0};
        o.resiliency = SVR_RESILIENCY_FAILOVER;
        o.learning = true;
        o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR,
                                        LIMITS(150, 150, 20000)};
        o.cost[1] = o.cost[2] = 1;
        links_open(&m, &o, &w, (const unsigned[]){5, 10, 15});
        cr_assert_eq(links_begin(&m, 0, 50), SVR_DROP_NONE);
        cr_assert_eq(links_plane(&m, 50), 0);
        pass(&m, row, 40 + phase);
        w.only = (uint8_t)row->only;
        unsigned took = time_to_leave(&m, row);
        if (row->seconds)
            cr_expect(took > 0 && took <= row->seconds, "%s, phase %u: %u s",
                      row->about, phase, took);
        else
            cr_expect_eq(took, 0, "%s, phase %u: after %u s", row->about, phase,
                         took);
        links_expect_no_failure(&m, row->about);
        mesh_close(&m);
    }
}

/* A pathway that swings about a limit, for ten minutes: the session leaves it
 * once, and comes back at most once in SVR__LIMIT_HOLD. */
Test(node_leave, swings)
{
    static struct mesh m;

    for (int revertible = 0; revertible < 2; revertible++) {
        struct mesh_options o = links_three();
        struct weather w = {{0}, 1, 0};
        const unsigned fine[MESH_PLANES] = {95, 110, 110};
        o.resiliency =
            revertible ? SVR_RESILIENCY_REVERTIBLE : SVR_RESILIENCY_FAILOVER;
        o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR,
                                        LIMITS(120, 100, 5000)};
        o.cost[1] = o.cost[2] = 1;
        links_open(&m, &o, &w, fine);
        cr_assert_eq(links_begin(&m, 0, 50), SVR_DROP_NONE);
        cr_assert_eq(links_plane(&m, 50), 0);
        for (int i = 0; i < 60; i++) {
            m.delay[0] = (i / 3 & 1 ? 95 : 170) * SVR_MILLISECOND;
            mesh_run(&m, 10 * SVR_SECOND);
            links_begin(&m, 0, 50);
        }
        cr_assert_leq(links_moved(&m, 0), revertible ? 3 : 1, "moved %lu times",
                      (unsigned long)links_moved(&m, 0));
        cr_assert_geq(links_moved(&m, 0), 1);
        mesh_close(&m);
    }
}

/* A link that flaps at 1 Hz for a minute moves a session once. */
Test(node_leave, flaps)
{
    static struct mesh m;
    struct mesh_options o = links_three();
    struct weather w = {{0}, 1, 0};

    o.resiliency = SVR_RESILIENCY_REVERTIBLE;
    o.policy = (svr_service_policy){.best_path = SVR_BEST_LATENCY};
    links_open(&m, &o, &w, (const unsigned[]){5, 20, 30});
    cr_assert_eq(links_begin(&m, 0, 50), SVR_DROP_NONE);
    cr_assert_eq(links_plane(&m, 50), 0);
    for (int i = 0; i < 120; i++) {
        m.cut[0] = !(i & 1);
        mesh_run(&m, SVR_SECOND / 2);
        links_begin(&m, 0, 50);
    }
    cr_assert_eq(links_moved(&m, 0), 1);
    cr_assert_eq(links_plane(&m, 50), 1);
    m.cut[0] = false;
    for (int i = 0; i < 300; i++)
        links_begin(&m, 0, 50);
    cr_assert_eq(links_plane(&m, 50), 0, "it comes back in the end");
    cr_assert_eq(links_moved(&m, 0), 2);
    mesh_close(&m);
}

/* All links are cut, and mended one after the other: the session waits, takes
 * the first one that is there, and goes back to the best one in the end. */
Test(node_leave, partition_and_heal)
{
    static struct mesh m;

    for (int revertible = 0; revertible < 2; revertible++) {
        struct mesh_options o = links_three();
        struct weather w = {{0}, 1, 0};
        o.resiliency =
            revertible ? SVR_RESILIENCY_REVERTIBLE : SVR_RESILIENCY_FAILOVER;
        o.policy = (svr_service_policy){.best_path = SVR_BEST_LATENCY};
        links_open(&m, &o, &w, (const unsigned[]){5, 20, 40});
        cr_assert_eq(links_begin(&m, 0, 50), SVR_DROP_NONE);
        cr_assert_eq(links_plane(&m, 50), 0);
        memset(m.cut, true, sizeof(m.cut));
        mesh_run(&m, 3 * SVR_SECOND);
        cr_assert_eq(links_begin(&m, 0, 50), SVR_DROP_PATHWAY_DOWN);
        cr_assert_eq(links_begin(&m, 0, 51), SVR_DROP_PATHWAY_DOWN);
        uint64_t before =
            links_moved(&m, 0); /* it looked for one that was up */
        m.cut[2] = false;
        mesh_run(&m, 3 * SVR_SECOND);
        cr_assert_eq(links_begin(&m, 0, 50), SVR_DROP_NONE);
        cr_assert_eq(links_plane(&m, 50), 2, "held down or not");
        m.cut[0] = m.cut[1] = false;
        mesh_run(&m, 60 * SVR_SECOND);
        cr_assert_eq(links_plane(&m, 50), revertible ? 0 : 2, "on %s",
                     links_way(&m, 0, 50));
        cr_assert_leq(links_moved(&m, 0) - before,
                      1u + 2u * (unsigned)revertible);
        cr_assert_eq(svr_node_session_count(m.node[1]), 1);
        mesh_close(&m);
    }
}

/* ---- many sessions ---- */

enum {
    CROWD = 2000, /* half of them TCP */
    ROUND = 50,   /* ms from packet to packet of a session, in each direction */
    ROUNDS = 40,
    /* BFD 100 ms x 3, and what S17 has for the move */
    DETECTED = 300,
    MOVED = 100,
};

/* What has arrived of each session's packets, by direction. */
struct crowd {
    struct mesh *m;
    uint8_t seen[2][CROWD][ROUNDS];
    svr_time sent[CROWD][ROUNDS];
};

static struct frame crowd_packet(int i, int k, bool reverse)
{
    const char *src = reverse ? "10.1.0.10" : "10.0.0.10";
    const char *dst = reverse ? "10.0.0.10" : "10.1.0.10";
    uint16_t port = (uint16_t)(1000 + i);
    uint32_t text[4] = {(uint32_t)i, (uint32_t)k};
    uint32_t seq = k ? 1 + 16 * ((uint32_t)k - 1) : 0;
    uint8_t flags = (uint8_t)(k ? SVR_TCP_ACK : SVR_TCP_SYN);
    size_t len = k ? sizeof(text) : 0;

    if (i % 2)
        return frame_udp(src, reverse ? 9 : port, dst, reverse ? port : 9, text,
                         sizeof(text));
    if (reverse)
        flags |= SVR_TCP_ACK;
    return frame_tcp(src, reverse ? 80 : port, dst, reverse ? port : 80, flags,
                     seq, k || reverse ? seq + (k == 0) : 0, text, len);
}

static void crowd_listen(struct crowd *c)
{
    for (size_t n = 0; n < c->m->received; n++) {
        const struct frame *f = mesh_got(c->m, n);
        svr_headers h = frame_headers(f);
        bool reverse = c->m->inbox_router[n] == 0;
        int i = (reverse ? h.tuple.dport : h.tuple.sport) - 1000;
        uint32_t text[2] = {(uint32_t)i, 0};
        cr_assert(i >= 0 && i < CROWD);
        if (f->p.len >= h.payload + sizeof(text))
            memcpy(text, f->p.data + h.payload, sizeof(text));
        cr_assert_eq(text[0], (uint32_t)i, "a packet came in another session");
        cr_assert_lt(text[1], ROUNDS);
        c->seen[reverse][i][text[1]]++;
    }
    mesh_clear(c->m);
}

/* Session after session speaks, in both directions, all of them in a round. */
static void crowd_round(struct crowd *c, int k)
{
    for (int ms = 0; ms < ROUND; ms++) {
        for (int i = ms; i < CROWD; i += ROUND) {
            c->sent[i][k] = c->m->now;
            mesh_send(c->m, 0, crowd_packet(i, k, false));
            if (k > 0 || i % 2 == 0) /* the server answers */
                mesh_send(c->m, 1, crowd_packet(i, k, true));
        }
        mesh_run(c->m, SVR_MILLISECOND);
        crowd_listen(c);
    }
}

/* The time after the fault at which the last packet was sent that was lost. */
static svr_time crowd_last_lost(const struct crowd *c, svr_time fault)
{
    svr_time last = 0;

    for (int i = 0; i < CROWD; i++)
        for (int k = 1; k < ROUNDS; k++)
            for (int d = 0; d < 2; d++) {
                cr_assert_leq(c->seen[d][i][k], 1, "a packet came twice");
                if (c->seen[d][i][k])
                    continue;
                cr_assert_gt(c->sent[i][k] + 10 * SVR_MILLISECOND, fault,
                             "session %d lost packet %d before the fault", i,
                             k);
                if (c->sent[i][k] > fault && c->sent[i][k] - fault > last)
                    last = c->sent[i][k] - fault;
            }
    return last;
}

/* A pathway with 1,000 TCP and 1,000 UDP sessions fails: none ends, and what is
 * sent after the detection time and 100 ms arrives, once. */
Test(node_leave, failover_of_a_crowd)
{
    static struct mesh m;
    static struct crowd c;

    for (int chosen = 0; chosen < 2; chosen++) {
        struct mesh_options o = links_three();
        o.resiliency = SVR_RESILIENCY_FAILOVER;
        o.sessions = 2 * (size_t)CROWD;
        o.unaudited = true;
        if (chosen)
            o.policy = (svr_service_policy){.best_path = SVR_BEST_LATENCY};
        mesh_open(&m, &o);
        m.delay[1] = m.delay[2] = 8 * SVR_MILLISECOND;
        mesh_run(&m, LINKS_MEASURED * SVR_SECOND);
        memset(&c, 0, sizeof(c));
        c.m = &m;
        for (int k = 0; k < 10; k++)
            crowd_round(&c, k);
        m.cut[0] = true;
        svr_time fault = m.now;
        for (int k = 10; k < ROUNDS; k++)
            crowd_round(&c, k);
        mesh_run(&m, SVR_SECOND / 10);
        crowd_listen(&c);
        svr_time last = crowd_last_lost(&c, fault);
        cr_assert_leq(last, (DETECTED + MOVED) * SVR_MILLISECOND,
                      "the last was lost after %lu us",
                      (unsigned long)(last / 1000));
        cr_assert_gt(last, 100 * SVR_MILLISECOND, "nothing failed");
        for (int r = 0; r < 2; r++)
            cr_assert_eq(svr_node_session_count(m.node[r]), CROWD);
        cr_assert_eq(links_moved(&m, 0), CROWD);
        mesh_close(&m);
    }
}
