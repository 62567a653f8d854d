/*
 * Which way sessions take, and when they leave it, by the policy of their
 * service (S16.2, S17): two routers with three links of different quality, in
 * virtual time, and small networks for what is chosen beyond the next router.
 */
#include "node/node.h"
#include "node_mesh.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REFUSED = -1,
    /* Figures are averages over the last minute. */
    MEASURED = 75,
};

/* What is lost on each plane, in a thousand. */
struct weather {
    unsigned loss[MESH_PLANES];
    uint64_t random;
    uint8_t only; /* what this router sends, plus 1; 0: whoever sends */
    bool lost[MESH_PLANES][2]; /* by sender: the last message of a pathway */
};

/* Of messages between pathways never two in a row, so that these stay up. */
static bool passes(struct mesh *m, int from, int to, int plane, struct frame *f)
{
    struct weather *w = m->user;

    (void)to;
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    bool lost = (!w->only || from == w->only - 1) &&
                (w->random >> 20) % 1000 < w->loss[plane];
    if (mesh_is_watch(f) && from < 2) {
        lost = lost && !w->lost[plane][from];
        w->lost[plane][from] = lost;
    }
    return !lost;
}

static struct mesh_options three_links(void)
{
    struct mesh_options o = {.routers = 2, .watched = true, .link_count = 3};

    for (uint8_t i = 0; i < 3; i++)
        o.links[i] = (struct mesh_link){0, 1, i};
    return o;
}

static void open_mesh(struct mesh *m, const struct mesh_options *o,
                      struct weather *w, const unsigned delay[MESH_PLANES])
{
    mesh_open(m, o);
    w->random = UINT64_C(0x9e3779b97f4a7c15) + w->random;
    m->filter = passes;
    m->user = w;
    for (int i = 0; i < MESH_PLANES; i++)
        if (delay && delay[i])
            m->delay[i] = delay[i] * SVR_MILLISECOND;
    mesh_run(m, MEASURED * SVR_SECOND);
    mesh_clear(m);
}

static enum svr_drop begin(struct mesh *m, int router, uint16_t port)
{
    char server[32];
    enum svr_drop reason;

    snprintf(server, sizeof(server), "10.%d.0.10", m->options.routers - 1);
    reason =
        mesh_send(m, router, frame_udp("10.0.0.10", port, server, 9, "x", 1));
    mesh_run(m, SVR_SECOND / 2);
    mesh_clear(m);
    return reason;
}

/* The name of the pathway by which the session leaves a router, or NULL. */
static const char *find_way(struct mesh *m, int router, uint16_t port)
{
    svr_session_info info;
    size_t cursor = 0;

    while (svr_node_session_next(m->node[router], &cursor, &info))
        if (info.context.sport == port)
            return info.server.pathway ? info.server.pathway : "host";
    return NULL;
}

/* The same; fails where there is none. */
static const char *way_of(struct mesh *m, int router, uint16_t port)
{
    const char *way = find_way(m, router, port);

    cr_assert_not_null(way, "router %d has no session from port %u", router,
                       port);
    return way;
}

static int plane_of(struct mesh *m, uint16_t port)
{
    return way_of(m, 0, port)[1] - '0';
}

static uint64_t moved(const struct mesh *m, int router)
{
    svr_counters c;
    svr_node_counters(m->node[router], &c);
    return c.sessions_moved;
}

/* What moves from plane 0 is moved by figures. */
static void expect_no_failure(struct mesh *m, const char *about)
{
    svr_node_pathway p;
    size_t cursor = 0;

    while (svr_node_pathway_next(m->node[0], &cursor, &p, m->now))
        cr_assert(p.info.flaps == 0 || p.name[1] != '0', "%s: %s failed", about,
                  p.name);
}

/* ---- new sessions ---- */

#define NEVER SVR_VECTOR_NEVER
static const svr_vector_rank mpls_first[] = {{2, 1}, {0, 2}, {1, NEVER}};
static const svr_vector_rank only_two[] = {{1, 5}, {2, 5}};

#define RANKS(list) .vectors = (list), .vector_count = COUNT(list)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OPEN_LIMITS                                            \
    .max_latency_us = UINT32_MAX, .max_jitter_us = UINT32_MAX, \
    .max_loss_ppm = UINT32_MAX
#define LIMITS(latency, jitter, loss)                          \
    .quality_filter = true, .max_latency_us = (latency)*1000u, \
    .max_jitter_us = (jitter)*1000u, .max_loss_ppm = (loss)

/* Each row of S16.2. */
static const struct {
    const char *about;
    svr_service_policy policy;
    unsigned delay[MESH_PLANES], loss[MESH_PLANES]; /* ms, in a thousand */
    uint32_t cost[MESH_PLANES];
    bool cut[MESH_PLANES];
    int plane;
} rows[] = {
    {"the order of the file, whatever is measured",
     {.best_path = SVR_BEST_ORDER},
     {90, 5, 5},
     {0},
     {0},
     {0},
     0},
    {"the priority of vectors",
     {.best_path = SVR_BEST_VECTOR, RANKS(mpls_first)},
     {5, 5, 90},
     {0},
     {0},
     {0},
     2},
    {"the next priority where that is down",
     {.best_path = SVR_BEST_VECTOR, RANKS(mpls_first)},
     {90, 5, 5},
     {0},
     {0},
     {false, false, true},
     0},
    {"never, though nothing else is left",
     {.best_path = SVR_BEST_VECTOR, RANKS(mpls_first)},
     {0},
     {0},
     {0},
     {true, false, true},
     REFUSED},
    {"vectors that are not named come last",
     {.best_path = SVR_BEST_VECTOR, RANKS(only_two)},
     {5, 40, 20},
     {0},
     {0},
     {0},
     2},
    {"but come",
     {.best_path = SVR_BEST_VECTOR, RANKS(only_two)},
     {0},
     {0},
     {0},
     {false, true, true},
     0},
    {"among one priority the cost",
     {.best_path = SVR_BEST_VECTOR, RANKS(only_two)},
     {5, 40, 20},
     {0},
     {0, 1, 2},
     {0},
     1},
    {"latency",
     {.best_path = SVR_BEST_LATENCY},
     {30, 20, 10},
     {0},
     {0, 0, 9},
     {0},
     2},
    {"latency, though it loses much",
     {.best_path = SVR_BEST_LATENCY},
     {30, 10, 20},
     {0, 30, 0},
     {0},
     {0},
     1},
    {"MOS: loss counts more than latency",
     {.best_path = SVR_BEST_MOS},
     {60, 10, 200},
     {0, 30, 0},
     {0},
     {0},
     0},
    {"the limit of latency",
     {.best_path = SVR_BEST_VECTOR, RANKS(mpls_first), LIMITS(50, 100, 5000)},
     {10, 10, 80},
     {0},
     {0},
     {0},
     0},
    {"which does not count with the filter off",
     {.best_path = SVR_BEST_VECTOR, RANKS(mpls_first), .max_latency_us = 50000},
     {10, 10, 80},
     {0},
     {0},
     {0},
     2},
    {"the limit of loss",
     {.best_path = SVR_BEST_LATENCY, LIMITS(250, 100, 20000)},
     {10, 20, 30},
     {40, 0, 0},
     {0},
     {0},
     1},
    {"the least MOS",
     {.best_path = SVR_BEST_LATENCY,
      .quality_filter = true,
      OPEN_LIMITS,
      .min_mos = 4200},
     {10, 20, 30},
     {40, 40, 0},
     {0},
     {0},
     2},
    {"best effort where nothing keeps the limits",
     {.best_path = SVR_BEST_LATENCY, LIMITS(5, 100, 5000)},
     {40, 20, 30},
     {0},
     {0},
     {0},
     1},
    {"no best effort",
     {.best_path = SVR_BEST_LATENCY,
      LIMITS(5, 100, 5000),
      .no_best_effort = true},
     {40, 20, 30},
     {0},
     {0},
     {0},
     REFUSED},
    {"no best effort, and one that keeps them",
     {.best_path = SVR_BEST_VECTOR,
      LIMITS(25, 100, 5000),
      .no_best_effort = true},
     {40, 20, 30},
     {0},
     {0},
     {0},
     1},
};

/* What is said of a session before it begins is what becomes of it. */
static void expect_explained(struct mesh *m, int plane, const char *about)
{
    svr_tuple t = {.src = addr("10.0.0.10"),
                   .dst = addr("10.1.0.10"),
                   .sport = 50,
                   .dport = 9,
                   .proto = SVR_PROTO_UDP};
    svr_explanation e;
    svr_node_way w;

    cr_assert_eq(svr_node_explain(m->node[0], 0, &t, &e, m->now), 0);
    cr_assert_eq(e.service, 0);
    cr_assert_eq(e.ways, 3);
    cr_assert_eq(e.refused != SVR_DROP_NONE, plane == REFUSED, "%s: %s", about,
                 svr_drop_name(e.refused));
    if (plane == REFUSED)
        return;
    svr_node_explained(m->node[0], &e, e.choice, &w, m->now);
    cr_assert_eq(w.pathway[1] - '0', plane, "%s: %s", about, w.pathway);
    cr_assert_str_eq(w.peer, "r1");
    cr_assert(w.up && w.known == (e.best_path != SVR_BEST_ORDER));
}

Test(node_policy, a_question_that_has_no_answer)
{
    static struct mesh m;
    struct mesh_options o = three_links();
    svr_tuple t = {.src = addr("10.0.0.10"), .proto = SVR_PROTO_UDP};
    svr_explanation e;

    mesh_open(&m, &o);
    t.dst = addr("192.0.2.1");
    cr_assert_eq(svr_node_explain(m.node[0], 1, &t, &e, m.now),
                 SVR_ERR_ARGUMENT);
    cr_assert_eq(svr_node_explain(m.node[0], 0, &t, &e, m.now), 0);
    cr_assert_eq(e.refused, SVR_DROP_NO_SERVICE);
    cr_assert_eq(e.ways, 0);
    t.dst = addr("10.1.0.10");
    cr_assert_eq(svr_node_explain(m.node[0], SVR_TENANT_NONE, &t, &e, m.now),
                 0);
    cr_assert_eq(e.refused, SVR_DROP_NO_TENANT);
    cr_assert_eq(svr_node_explain(m.node[0], 0, &t, &e, m.now), 0);
    cr_assert_eq(e.refused, SVR_DROP_PATHWAY_DOWN);
    mesh_close(&m);
}

Test(node_policy, a_session_takes_the_best_way)
{
    static struct mesh m;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct mesh_options o = three_links();
        struct weather w = {
            .loss = {rows[i].loss[0], rows[i].loss[1], rows[i].loss[2]}};
        o.policy = rows[i].policy;
        memcpy(o.cost, rows[i].cost, sizeof(o.cost));
        open_mesh(&m, &o, &w, rows[i].delay);
        memcpy(m.cut, rows[i].cut, sizeof(m.cut));
        mesh_run(&m, SVR_SECOND);
        expect_explained(&m, rows[i].plane, rows[i].about);
        enum svr_drop reason = begin(&m, 0, 50);
        if (rows[i].plane == REFUSED) {
            cr_assert_eq(reason,
                         rows[i].policy.no_best_effort ? SVR_DROP_PATH_LIMITS
                                                       : SVR_DROP_PATHWAY_DOWN,
                         "%s: %s", rows[i].about, svr_drop_name(reason));
        } else {
            cr_assert_eq(reason, SVR_DROP_NONE, "%s: %s", rows[i].about,
                         svr_drop_name(reason));
            cr_assert_eq(plane_of(&m, 50), rows[i].plane, "%s: on %s",
                         rows[i].about, way_of(&m, 0, 50));
            cr_assert_eq(svr_node_session_count(m.node[1]), 1, "%s",
                         rows[i].about);
        }
        mesh_close(&m);
    }
}

/* S11.9: what must be encrypted passes over pathways without a cipher, and is
 * refused where no memory is left. Both are told beforehand. */
Test(node_policy, lacks_a_cipher)
{
    static const struct {
        const char *about;
        enum svr_best_path best;
        enum svr_encryption encryption;
        bool clear[MESH_PLANES];
        size_t sealed;
        int plane;             /* that is taken */
        enum svr_drop refused; /* where that is none */
    } table[] = {
        {"the first", SVR_BEST_LATENCY, SVR_ENCRYPT_ALWAYS, {true}, 0, 1, 0},
        {"by order", SVR_BEST_ORDER, SVR_ENCRYPT_ALWAYS, {true}, 0, 1, 0},
        {"it need not", SVR_BEST_LATENCY, SVR_ENCRYPT_NEVER, {true}, 0, 0, 0},
        {"all",
         SVR_BEST_LATENCY,
         SVR_ENCRYPT_ALWAYS,
         {true, true, true},
         0,
         REFUSED,
         SVR_DROP_NOT_SEALED},
        {"all, by order",
         SVR_BEST_ORDER,
         SVR_ENCRYPT_ALWAYS,
         {true, true, true},
         0,
         REFUSED,
         SVR_DROP_NOT_SEALED},
        {"no memory",
         SVR_BEST_LATENCY,
         SVR_ENCRYPT_ALWAYS,
         {true},
         1,
         REFUSED,
         SVR_DROP_SEALED_FULL},
        {"no memory, by order",
         SVR_BEST_ORDER,
         SVR_ENCRYPT_ALWAYS,
         {true},
         1,
         REFUSED,
         SVR_DROP_SEALED_FULL},
    };
    static struct mesh m;

    for (size_t i = 0; i < COUNT(table); i++) {
        struct mesh_options o = three_links();
        struct weather w = {{0}, 1, false};
        const svr_tuple t = {.src = addr("10.0.0.10"),
                             .dst = addr("10.1.0.10"),
                             .sport = 51,
                             .dport = 9,
                             .proto = SVR_PROTO_UDP};
        svr_explanation e;
        svr_node_way way;
        o.cipher = &svr_cipher_chacha20_poly1305;
        o.encryption = table[i].encryption;
        o.sealed = table[i].sealed;
        o.policy.best_path = table[i].best;
        memcpy(o.clear, table[i].clear, sizeof(o.clear));
        open_mesh(&m, &o, &w, (const unsigned[]){5, 10, 15});
        if (table[i].sealed)
            cr_assert_eq(begin(&m, 0, 50), SVR_DROP_NONE);
        cr_assert_eq(svr_node_explain(m.node[0], 0, &t, &e, m.now), 0);
        cr_expect_eq(e.refused, table[i].refused, "%s: %s", table[i].about,
                     svr_drop_name(e.refused));
        enum svr_drop reason = begin(&m, 0, 51);
        cr_expect_eq(reason, table[i].refused, "%s: %s", table[i].about,
                     svr_drop_name(reason));
        for (size_t k = 0; k < e.ways; k++) {
            svr_node_explained(m.node[0], &e, k, &way, m.now);
            bool needs = table[i].encryption == SVR_ENCRYPT_ALWAYS;
            bool lacks = needs && table[i].clear[way.pathway[1] - '0'];
            cr_expect_eq(way.passed_over,
                         lacks             ? SVR_DROP_NOT_SEALED
                         : table[i].sealed ? SVR_DROP_SEALED_FULL
                                           : SVR_DROP_NONE,
                         "%s: %s", table[i].about, way.pathway);
            cr_expect(way.up);
        }
        if (table[i].plane != REFUSED) {
            cr_expect_eq(plane_of(&m, 51), table[i].plane, "%s",
                         table[i].about);
            svr_node_explained(m.node[0], &e, e.choice, &way, m.now);
            cr_expect_eq(way.pathway[1] - '0', table[i].plane, "%s",
                         table[i].about);
        }
        mesh_close(&m);
    }
}

/* The limit of jitter: a plane whose packets take turns of two delays. */
static bool shakes(struct mesh *m, int from, int to, int plane, struct frame *f)
{
    (void)from;
    (void)to;
    (void)f;
    if (plane == 0)
        m->delay[0] = (m->order & 1 ? 5 : 65) * SVR_MILLISECOND;
    return true;
}

Test(node_policy, jitter)
{
    static struct mesh m;
    struct mesh_options o = three_links();

    o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR,
                                    LIMITS(250, 20, 5000)};
    mesh_open(&m, &o);
    m.filter = shakes;
    m.delay[1] = m.delay[2] = 90 * SVR_MILLISECOND;
    mesh_run(&m, MEASURED * SVR_SECOND);
    cr_assert_eq(begin(&m, 0, 50), SVR_DROP_NONE);
    cr_assert_neq(plane_of(&m, 50), 0);
    mesh_close(&m);
}

/* Among equals. Sessions are what capacities are counted in. */
static void count_on_planes(struct mesh *m, int sessions,
                            int count[MESH_PLANES])
{
    memset(count, 0, MESH_PLANES * sizeof(count[0]));
    for (int i = 0; i < sessions; i++) {
        cr_assert_eq(begin(m, 0, (uint16_t)(100 + i)), SVR_DROP_NONE);
        count[plane_of(m, (uint16_t)(100 + i))]++;
    }
}

Test(node_policy, hunting_and_sharing)
{
    static const struct {
        enum svr_balance balance;
        uint32_t capacity[MESH_PLANES];
        int least[MESH_PLANES], most[MESH_PLANES];
    } table[] = {
        /* the most room: 0 until it has as much as 1, then by turns */
        {SVR_BALANCE_HUNT, {30, 20, 2}, {24, 14, 0}, {26, 16, 0}},
        /* full ones take none, as long as others have room */
        {SVR_BALANCE_HUNT, {10, 5, 100}, {0, 0, 40}, {0, 0, 40}},
        {SVR_BALANCE_HUNT, {4, 4, 60}, {0, 0, 40}, {0, 0, 40}},
        {SVR_BALANCE_PROPORTIONAL, {300, 100, 100}, {16, 3, 3}, {32, 16, 16}},
        {SVR_BALANCE_PROPORTIONAL, {0, 0, 0}, {6, 6, 6}, {22, 22, 22}},
        {SVR_BALANCE_PROPORTIONAL, {10, 10, 10}, {10, 10, 10}, {20, 20, 20}},
    };
    static struct mesh m;

    for (size_t i = 0; i < COUNT(table); i++) {
        struct mesh_options o = three_links();
        struct weather w = {{0}, 1, 0};
        int count[MESH_PLANES];
        o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR,
                                        .balance = table[i].balance};
        memcpy(o.capacity, table[i].capacity, sizeof(o.capacity));
        open_mesh(&m, &o, &w, NULL);
        count_on_planes(&m, 40, count);
        for (int p = 0; p < MESH_PLANES; p++)
            cr_assert(count[p] >= table[i].least[p] &&
                          count[p] <= table[i].most[p],
                      "row %zu: %d on plane %d", i, count[p], p);
        mesh_close(&m);
    }
}

/* Without best effort, a session for which there is no room is refused. */
Test(node_policy, no_room)
{
    static struct mesh m;

    for (int strict = 0; strict < 2; strict++) {
        struct mesh_options o = three_links();
        struct weather w = {{0}, 1, 0};
        o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR,
                                        .no_best_effort = strict};
        for (int p = 0; p < MESH_PLANES; p++)
            o.capacity[p] = 1;
        open_mesh(&m, &o, &w, NULL);
        for (uint16_t i = 0; i < 3; i++)
            cr_assert_eq(begin(&m, 0, (uint16_t)(100 + i)), SVR_DROP_NONE);
        cr_assert_eq(begin(&m, 0, 103),
                     strict ? SVR_DROP_PATH_LIMITS : SVR_DROP_NONE);
        mesh_close(&m);
    }
}

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

Test(node_policy, leaves_its_limits)
{
    static struct mesh m;

    for (size_t i = 0; i < COUNT(limit_rows); i++) {
        const struct limit_row *row = &limit_rows[i];
        bool bad = row->delay[2] > 250; /* from the beginning */
        const unsigned fine[MESH_PLANES] = {1, bad ? 300 : 5, bad ? 300 : 9};
        struct mesh_options o = three_links();
        struct weather w = {{0}, 77 * i, row->one_way};
        bool second = row->policy.vector_count > 0;
        int before = second ? 1 : 0;
        o.resiliency = row->policy.resiliency;
        o.policy = row->policy;
        open_mesh(&m, &o, &w, fine);
        cr_assert_eq(begin(&m, 0, 50), SVR_DROP_NONE, "%s", row->about);
        cr_assert_eq(plane_of(&m, 50), before, "%s", row->about);
        for (int p = 0; p < MESH_PLANES; p++)
            m.delay[p] = row->delay[p] * SVR_MILLISECOND;
        memcpy(w.loss, row->loss, sizeof(w.loss));
        mesh_run(&m, 90 * SVR_SECOND);
        cr_assert_eq(plane_of(&m, 50), row->plane, "%s: on %s", row->about,
                     way_of(&m, 0, 50));
        cr_assert_eq(moved(&m, 0), row->plane != before, "%s", row->about);
        expect_no_failure(&m, row->about);
        for (int p = 0; p < MESH_PLANES; p++)
            m.delay[p] = fine[p] * SVR_MILLISECOND;
        memset(w.loss, 0, sizeof(w.loss));
        mesh_run(&m, 70 * SVR_SECOND); /* UDP lives for 180 s */
        cr_assert_eq(begin(&m, 0, 50), SVR_DROP_NONE);
        mesh_run(&m, 60 * SVR_SECOND);
        cr_assert_eq(plane_of(&m, 50), row->later, "%s: on %s", row->about,
                     way_of(&m, 0, 50));
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
        if (plane_of(m, 50) != 0)
            return s + 1;
    }
    return 0;
}

Test(node_policy, leaves_in_time)
{
    static struct mesh m;

    for (size_t i = 0; i < COUNT(step_rows) * 4; i++) {
        const struct step_row *row = &step_rows[i / 4];
        unsigned phase = (unsigned)(i % 4) * 3; /* of the rounds */
        struct mesh_options o = three_links();
        struct weather w = {{0}, i, 0};
        o.resiliency = SVR_RESILIENCY_FAILOVER;
        o.learning = true;
        o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR,
                                        LIMITS(150, 150, 20000)};
        o.cost[1] = o.cost[2] = 1;
        open_mesh(&m, &o, &w, (const unsigned[]){5, 10, 15});
        cr_assert_eq(begin(&m, 0, 50), SVR_DROP_NONE);
        cr_assert_eq(plane_of(&m, 50), 0);
        pass(&m, row, 40 + phase);
        w.only = (uint8_t)row->only;
        unsigned took = time_to_leave(&m, row);
        if (row->seconds)
            cr_expect(took > 0 && took <= row->seconds, "%s, phase %u: %u s",
                      row->about, phase, took);
        else
            cr_expect_eq(took, 0, "%s, phase %u: after %u s", row->about, phase,
                         took);
        expect_no_failure(&m, row->about);
        mesh_close(&m);
    }
}

/* A pathway that swings about a limit, for ten minutes: the session leaves it
 * once, and comes back at most once in SVR__LIMIT_HOLD. */
Test(node_policy, swings)
{
    static struct mesh m;

    for (int revertible = 0; revertible < 2; revertible++) {
        struct mesh_options o = three_links();
        struct weather w = {{0}, 1, 0};
        const unsigned fine[MESH_PLANES] = {95, 110, 110};
        o.resiliency =
            revertible ? SVR_RESILIENCY_REVERTIBLE : SVR_RESILIENCY_FAILOVER;
        o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR,
                                        LIMITS(120, 100, 5000)};
        o.cost[1] = o.cost[2] = 1;
        open_mesh(&m, &o, &w, fine);
        cr_assert_eq(begin(&m, 0, 50), SVR_DROP_NONE);
        cr_assert_eq(plane_of(&m, 50), 0);
        for (int i = 0; i < 60; i++) {
            m.delay[0] = (i / 3 & 1 ? 95 : 170) * SVR_MILLISECOND;
            mesh_run(&m, 10 * SVR_SECOND);
            begin(&m, 0, 50);
        }
        cr_assert_leq(moved(&m, 0), revertible ? 3 : 1, "moved %lu times",
                      (unsigned long)moved(&m, 0));
        cr_assert_geq(moved(&m, 0), 1);
        mesh_close(&m);
    }
}

/* A link that flaps at 1 Hz for a minute moves a session once. */
Test(node_policy, flaps)
{
    static struct mesh m;
    struct mesh_options o = three_links();
    struct weather w = {{0}, 1, 0};

    o.resiliency = SVR_RESILIENCY_REVERTIBLE;
    o.policy = (svr_service_policy){.best_path = SVR_BEST_LATENCY};
    open_mesh(&m, &o, &w, (const unsigned[]){5, 20, 30});
    cr_assert_eq(begin(&m, 0, 50), SVR_DROP_NONE);
    cr_assert_eq(plane_of(&m, 50), 0);
    for (int i = 0; i < 120; i++) {
        m.cut[0] = !(i & 1);
        mesh_run(&m, SVR_SECOND / 2);
        begin(&m, 0, 50);
    }
    cr_assert_eq(moved(&m, 0), 1);
    cr_assert_eq(plane_of(&m, 50), 1);
    m.cut[0] = false;
    for (int i = 0; i < 300; i++)
        begin(&m, 0, 50);
    cr_assert_eq(plane_of(&m, 50), 0, "it comes back in the end");
    cr_assert_eq(moved(&m, 0), 2);
    mesh_close(&m);
}

/* All links are cut, and mended one after the other: the session waits, takes
 * the first one that is there, and goes back to the best one in the end. */
Test(node_policy, partition_and_heal)
{
    static struct mesh m;

    for (int revertible = 0; revertible < 2; revertible++) {
        struct mesh_options o = three_links();
        struct weather w = {{0}, 1, 0};
        o.resiliency =
            revertible ? SVR_RESILIENCY_REVERTIBLE : SVR_RESILIENCY_FAILOVER;
        o.policy = (svr_service_policy){.best_path = SVR_BEST_LATENCY};
        open_mesh(&m, &o, &w, (const unsigned[]){5, 20, 40});
        cr_assert_eq(begin(&m, 0, 50), SVR_DROP_NONE);
        cr_assert_eq(plane_of(&m, 50), 0);
        memset(m.cut, true, sizeof(m.cut));
        mesh_run(&m, 3 * SVR_SECOND);
        cr_assert_eq(begin(&m, 0, 50), SVR_DROP_PATHWAY_DOWN);
        cr_assert_eq(begin(&m, 0, 51), SVR_DROP_PATHWAY_DOWN);
        uint64_t before = moved(&m, 0); /* it looked for one that was up */
        m.cut[2] = false;
        mesh_run(&m, 3 * SVR_SECOND);
        cr_assert_eq(begin(&m, 0, 50), SVR_DROP_NONE);
        cr_assert_eq(plane_of(&m, 50), 2, "held down or not");
        m.cut[0] = m.cut[1] = false;
        mesh_run(&m, 60 * SVR_SECOND);
        cr_assert_eq(plane_of(&m, 50), revertible ? 0 : 2, "on %s",
                     way_of(&m, 0, 50));
        cr_assert_leq(moved(&m, 0) - before, 1u + 2u * (unsigned)revertible);
        cr_assert_eq(svr_node_session_count(m.node[1]), 1);
        mesh_close(&m);
    }
}

/* ---- beyond the next router ---- */

/* r0 has two ways to r3: by r1 on plane 0, and by r2 on plane 1; r1 and r2 are
 * joined on plane 2. */
static struct mesh_options diamond(void)
{
    return (struct mesh_options){
        .routers = 4,
        .watched = true,
        .topology = true,
        .link_count = 5,
        .links = {{0, 1, 0}, {1, 3, 0}, {0, 2, 1}, {2, 3, 1}, {1, 2, 2}},
    };
}

static void expect_way(struct mesh *m, int router, const char *name,
                       const char *about)
{
    const char *is = way_of(m, router, 50);
    cr_assert_str_eq(is, name, "%s: router %d sends by %s", about, router, is);
}

Test(node_policy, whole_vectors)
{
    static const svr_vector_rank by_one[] = {{0, 2}, {1, 1}, {2, 3}};
    static const svr_vector_rank no_one[] = {{1, NEVER}};
    static const struct {
        const char *about;
        svr_service_policy policy;
        const char *first, *second;
        int by;
    } table[] = {
        {"priority of the worst pathway",
         {.best_path = SVR_BEST_VECTOR, RANKS(by_one)},
         "p1-r2",
         "p1-r3",
         2},
        {"never",
         {.best_path = SVR_BEST_VECTOR, RANKS(no_one)},
         "p0-r1",
         "p0-r3",
         1},
        {"the fewest hops where all is equal",
         {.best_path = SVR_BEST_VECTOR},
         "p0-r1",
         "p0-r3",
         1},
    };
    static struct mesh m;

    for (size_t i = 0; i < COUNT(table); i++) {
        struct mesh_options o = diamond();
        struct weather w = {{0}, 1, 0};
        o.policy = table[i].policy;
        open_mesh(&m, &o, &w, NULL);
        cr_assert_eq(begin(&m, 0, 50), SVR_DROP_NONE);
        expect_way(&m, 0, table[i].first, table[i].about);
        expect_way(&m, table[i].by, table[i].second, table[i].about);
        expect_way(&m, 3, "host", table[i].about);
        const svr__session *s = m.node[0]->table.sessions;
        cr_assert_eq(s->passed.count, 0);
        cr_assert_eq(s->passed.coming, 1);
        cr_assert_eq(s->passed.router[0], 3, "r3 is to come behind the next");
        mesh_close(&m);
    }
}

/* S16.4: a transit follows the record as long as it can, else it computes the
 * rest, and never enters a router that was passed. */
Test(node_policy, the_rest_is_computed)
{
    static struct mesh m;
    struct mesh_options o = diamond();
    struct weather w = {{0}, 1, 0};

    o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR};
    o.links[4].plane = 2;
    open_mesh(&m, &o, &w, NULL);
    /* r1 loses its link to r3; r0 does not know. */
    cr_assert_eq(svr_node_pathway_admin(m.node[1], "p0-r3", true, m.now), 0);
    mesh_run(&m, SVR_SECOND);
    cr_assert_eq(begin(&m, 0, 50), SVR_DROP_NONE);
    expect_way(&m, 0, "p0-r1", "r0 follows what it knows");
    expect_way(&m, 1, "p2-r2", "r1 goes round");
    expect_way(&m, 2, "p1-r3", "r2 goes on");
    expect_way(&m, 3, "host", "r3");
    /* And where r2 is no way out, either, r1 does not go back to r0. */
    cr_assert_eq(svr_node_pathway_admin(m.node[2], "p1-r3", true, m.now), 0);
    mesh_run(&m, SVR_SECOND);
    cr_assert_eq(begin(&m, 0, 51), SVR_DROP_NONE);
    cr_assert_geq(net_dropped(m.node[2], SVR_DROP_LOOP) +
                      net_dropped(m.node[2], SVR_DROP_PATHWAY_DOWN) +
                      net_dropped(m.node[2], SVR_DROP_NO_ROUTE),
                  1);
    cr_assert_eq(svr_node_session_count(m.node[3]), 1);
    mesh_close(&m);
}

/* All links to the last router are down: that may pass, and is no refusal. What
 * a policy never takes is. */
Test(node_policy, no_way_far_off)
{
    static const svr_vector_rank never[] = {{0, NEVER}, {1, NEVER}};
    static struct mesh m;

    for (int row = 0; row < 2; row++) {
        struct mesh_options o = diamond();
        struct weather w = {{0}, 1, 0};
        o.learning = true;
        o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR};
        if (row == 1) {
            o.policy.vectors = never;
            o.policy.vector_count = COUNT(never);
        }
        open_mesh(&m, &o, &w, NULL);
        for (int i = 0; i < 2 && row == 0; i++)
            cr_assert_eq(svr_node_pathway_admin(
                             m.node[3], i ? "p1-r2" : "p0-r1", true, m.now),
                         0);
        mesh_run(&m, 3 * SVR_SECOND);
        cr_expect_eq(begin(&m, 0, 50),
                     row ? SVR_DROP_NO_ROUTE : SVR_DROP_PATHWAY_DOWN, "row %d",
                     row);
        mesh_close(&m);
    }
}

/* The only router that a session goes to is cut off: it goes on by another one,
 * whoever speaks, and the hosts do not notice. */
static struct frame chat_packet(bool tcp, bool reverse, uint32_t k)
{
    const char *a = "10.0.0.10", *b = "10.3.0.10";
    uint8_t flags = (uint8_t)(k ? SVR_TCP_ACK : SVR_TCP_SYN);

    if (!tcp)
        return reverse ? frame_udp(b, 9, a, 50, "y", 1)
                       : frame_udp(a, 50, b, 9, "x", 1);
    if (!reverse)
        return frame_tcp(a, 50, b, 80, flags, k ? 1 : 0, k, NULL, 0);
    return frame_tcp(b, 80, a, 50, flags | SVR_TCP_ACK, k, 1, "y", k ? 1 : 0);
}

Test(node_policy, goes_on_by_another_router)
{
    static struct mesh m;

    for (int row = 0; row < 8; row++) {
        bool silent = row & 1, tcp = row & 2, stays = row & 4;
        struct mesh_options o = diamond();
        struct weather w = {{0}, 1, 0};
        uint32_t came = 0;
        o.resiliency = stays ? SVR_RESILIENCY_NONE : SVR_RESILIENCY_FAILOVER;
        o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR};
        open_mesh(&m, &o, &w, NULL);
        for (uint32_t k = 0; k < 100; k++) {
            if (k == 20)
                m.cut[0] = true;
            if (k == 60)
                came = 0;
            if (!silent || k < 20)
                mesh_send(&m, 0, chat_packet(tcp, false, k));
            mesh_run(&m, 12 * SVR_MILLISECOND);
            mesh_send(&m, 3, chat_packet(tcp, true, k));
            mesh_run(&m, 12 * SVR_MILLISECOND);
            for (size_t i = 0; i < m.received; i++)
                came += m.inbox_router[i] == 0;
            mesh_clear(&m);
        }
        cr_assert_eq(svr_node_session_count(m.node[0]), 1, "row %d", row);
        cr_assert_eq(svr_node_session_count(m.node[3]), 1, "row %d", row);
        if (stays) {
            svr_session_info s = mesh_session(&m, 0);
            cr_assert_str_eq(s.server.pathway, "p0-r1", "row %d", row);
            cr_assert_eq(came, 0, "row %d", row);
        } else {
            svr_session_info s = mesh_session(&m, 0);
            cr_assert_str_eq(s.server.pathway, "p1-r2", "row %d", row);
            s = mesh_session(&m, 2);
            cr_assert_str_eq(s.server.pathway, "p1-r3", "row %d", row);
            cr_assert_geq(came, 38, "row %d: %u came back", row, came);
            if (tcp)
                cr_assert_str_eq(s.state, "established", "row %d", row);
        }
        mesh_close(&m);
    }
}

/* There is no way left, and then one by another router than that which the
 * session went by last. */
Test(node_policy, waits_for_another_router)
{
    static struct mesh m;

    for (int row = 0; row < 4; row++) {
        bool silent = row & 1, tcp = row & 2;
        struct mesh_options o = diamond();
        struct weather w = {{0}, 1, 0};
        uint32_t came = 0;
        o.learning = true;
        o.resiliency = SVR_RESILIENCY_FAILOVER;
        o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR};
        open_mesh(&m, &o, &w, NULL);
        for (uint32_t k = 0; k < 200; k++) {
            m.cut[0] = k >= 20 && k < 100;
            m.cut[1] = k >= 60;
            if (k == 58 && !silent)
                cr_assert_str_eq(way_of(&m, 0, 50), "p1-r2", "row %d", row);
            if (!silent || k < 20)
                mesh_send(&m, 0, chat_packet(tcp, false, k));
            mesh_run(&m, 12 * SVR_MILLISECOND);
            mesh_send(&m, 3, chat_packet(tcp, true, k));
            mesh_run(&m, 12 * SVR_MILLISECOND);
            for (size_t i = 0; i < m.received && k >= 180; i++)
                came += m.inbox_router[i] == 0;
            mesh_clear(&m);
        }
        cr_assert_eq(svr_node_session_count(m.node[0]), 1, "row %d", row);
        cr_assert_eq(svr_node_session_count(m.node[3]), 1, "row %d", row);
        cr_assert_str_eq(way_of(&m, 0, 50), "p0-r1", "row %d", row);
        cr_assert_geq(came, 18, "row %d: %u came back", row, came);
        mesh_close(&m);
    }
}

/* The ingress hears that its session has lost its way behind the next router,
 * which is still there: the session goes on by another one. */
Test(node_policy, loses_its_way_far_off)
{
    static struct mesh m;

    for (int heard = 0; heard < 2; heard++) {
        struct mesh_options o = diamond();
        struct weather w = {{0}, 1, 0};
        svr_path_edge *edges;
        o.resiliency = SVR_RESILIENCY_FAILOVER;
        o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR};
        o.link_count = 4; /* r1 has no way round */
        open_mesh(&m, &o, &w, NULL);
        cr_assert_eq(begin(&m, 0, 50), SVR_DROP_NONE);
        expect_way(&m, 0, "p0-r1", "before");
        edges = m.node[0]->choices.edges;
        for (size_t i = 0; i < m.node[0]->choices.edge_count; i++)
            if (edges[i].from == 1 && edges[i].to == 3)
                edges[i].up = !heard;
        svr__choices_state(m.node[0]);
        mesh_run(&m, SVR_SECOND / 2);
        expect_way(&m, 0, heard ? "p1-r2" : "p0-r1", "r1 to r3");
        if (heard)
            expect_way(&m, 2, "p1-r3", "r2 to r3");
        cr_assert_eq(svr_node_session_count(m.node[0]), 1);
        cr_assert_eq(svr_node_session_count(m.node[3]), 1);
        mesh_close(&m);
    }
}

/* S16.4: eight vectors of r0 are better than its own link to r3, and all lead
 * back by r1, which the session comes from: that link is taken. */
Test(node_policy, a_way_behind_many_better_ones)
{
    static const svr_vector_rank ranks[] = {{0, 1}, {1, 1}, {2, 2}};
    static struct mesh m;
    struct mesh_options o = {
        .routers = 4,
        .watched = true,
        .topology = true,
        .link_count = 7,
        .links = {{0, 1, 0},
                  {0, 1, 1},
                  {1, 2, 0},
                  {1, 2, 1},
                  {2, 3, 0},
                  {2, 3, 1},
                  {0, 3, 2}},
        .policy = {.best_path = SVR_BEST_VECTOR, RANKS(ranks)},
    };
    struct weather w = {{0}, 1, false};

    open_mesh(&m, &o, &w, NULL);
    cr_assert_eq(svr_node_pathway_admin(m.node[1], "p0-r2", true, m.now), 0);
    cr_assert_eq(svr_node_pathway_admin(m.node[1], "p1-r2", true, m.now), 0);
    mesh_run(&m, SVR_SECOND);
    mesh_send(&m, 1, frame_udp("10.1.0.10", 50, "10.3.0.10", 9, "x", 1));
    mesh_run(&m, SVR_SECOND);
    expect_way(&m, 0, "p2-r3", "past r1");
    cr_assert_eq(svr_node_session_count(m.node[3]), 1);
    mesh_close(&m);
}

/* All but the link between r1 and r2 is cut: r1 goes round by r2, and then r0
 * comes by r2 as well, so that r1 has nowhere to go. When all is mended the
 * session goes on, though its client has nothing to say. */
Test(node_policy, two_ways_round_meet)
{
    static struct mesh m;

    for (uint64_t seed = 0; seed < 4; seed++) {
        struct mesh_options o = diamond();
        struct weather w = {{0}, seed, false};
        o.resiliency = SVR_RESILIENCY_FAILOVER;
        o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR};
        open_mesh(&m, &o, &w, NULL);
        cr_assert_eq(begin(&m, 0, 50), SVR_DROP_NONE);
        mesh_send(&m, 3, chat_packet(false, true, 1));
        mesh_run(&m, SVR_SECOND);
        m.cut[0] = true;
        mesh_run(&m, 50 * SVR_MILLISECOND);
        m.cut[1] = true;
        mesh_run(&m, 20 * SVR_SECOND);
        m.cut[0] = m.cut[1] = false;
        mesh_run(&m, 5 * SVR_SECOND);
        mesh_clear(&m);
        mesh_send(&m, 3, chat_packet(false, true, 2));
        mesh_run(&m, SVR_SECOND);
        cr_assert_eq(m.received, 1);
        cr_assert_eq(m.inbox_router[0], 0);
        const char *first = find_way(&m, 1, 50), *second = find_way(&m, 2, 50);
        cr_assert_not(first && second && strcmp(first, "p2-r2") == 0 &&
                          strcmp(second, "p2-r1") == 0,
                      "they send to each other");
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
Test(node_policy, failover_of_a_crowd)
{
    static struct mesh m;
    static struct crowd c;

    for (int chosen = 0; chosen < 2; chosen++) {
        struct mesh_options o = three_links();
        o.resiliency = SVR_RESILIENCY_FAILOVER;
        o.sessions = 2 * (size_t)CROWD;
        o.unaudited = true;
        if (chosen)
            o.policy = (svr_service_policy){.best_path = SVR_BEST_LATENCY};
        mesh_open(&m, &o);
        m.delay[1] = m.delay[2] = 8 * SVR_MILLISECOND;
        mesh_run(&m, MEASURED * SVR_SECOND);
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
        cr_assert_eq(moved(&m, 0), CROWD);
        mesh_close(&m);
    }
}
