/*
 * Which way a new session takes, by the policy of its service (S16.2).
 */
#include "node_links.h"

#include <criterion/criterion.h>
#include <string.h>

enum {
    REFUSED = -1,
};

static const svr_vector_rank mpls_first[] = {{2, 1}, {0, 2}, {1, NEVER}};
static const svr_vector_rank only_two[] = {{1, 5}, {2, 5}};

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
    struct mesh_options o = links_three();
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
        struct mesh_options o = links_three();
        struct weather w = {
            .loss = {rows[i].loss[0], rows[i].loss[1], rows[i].loss[2]}};
        o.policy = rows[i].policy;
        memcpy(o.cost, rows[i].cost, sizeof(o.cost));
        links_open(&m, &o, &w, rows[i].delay);
        memcpy(m.cut, rows[i].cut, sizeof(m.cut));
        mesh_run(&m, SVR_SECOND);
        expect_explained(&m, rows[i].plane, rows[i].about);
        enum svr_drop reason = links_begin(&m, 0, 50);
        if (rows[i].plane == REFUSED) {
            cr_assert_eq(reason,
                         rows[i].policy.no_best_effort ? SVR_DROP_PATH_LIMITS
                                                       : SVR_DROP_PATHWAY_DOWN,
                         "%s: %s", rows[i].about, svr_drop_name(reason));
        } else {
            cr_assert_eq(reason, SVR_DROP_NONE, "%s: %s", rows[i].about,
                         svr_drop_name(reason));
            cr_assert_eq(links_plane(&m, 50), rows[i].plane, "%s: on %s",
                         rows[i].about, links_way(&m, 0, 50));
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
        struct mesh_options o = links_three();
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
        links_open(&m, &o, &w, (const unsigned[]){5, 10, 15});
        if (table[i].sealed)
            cr_assert_eq(links_begin(&m, 0, 50), SVR_DROP_NONE);
        cr_assert_eq(svr_node_explain(m.node[0], 0, &t, &e, m.now), 0);
        cr_expect_eq(e.refused, table[i].refused, "%s: %s", table[i].about,
                     svr_drop_name(e.refused));
        enum svr_drop reason = links_begin(&m, 0, 51);
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
            cr_expect_eq(links_plane(&m, 51), table[i].plane, "%s",
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
    struct mesh_options o = links_three();

    o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR,
                                    LIMITS(250, 20, 5000)};
    mesh_open(&m, &o);
    m.filter = shakes;
    m.delay[1] = m.delay[2] = 90 * SVR_MILLISECOND;
    mesh_run(&m, LINKS_MEASURED * SVR_SECOND);
    cr_assert_eq(links_begin(&m, 0, 50), SVR_DROP_NONE);
    cr_assert_neq(links_plane(&m, 50), 0);
    mesh_close(&m);
}

/* Among equals. Sessions are what capacities are counted in. */
static void count_on_planes(struct mesh *m, int sessions,
                            int count[MESH_PLANES])
{
    memset(count, 0, MESH_PLANES * sizeof(count[0]));
    for (int i = 0; i < sessions; i++) {
        cr_assert_eq(links_begin(m, 0, (uint16_t)(100 + i)), SVR_DROP_NONE);
        count[links_plane(m, (uint16_t)(100 + i))]++;
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
        struct mesh_options o = links_three();
        struct weather w = {{0}, 1, 0};
        int count[MESH_PLANES];
        o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR,
                                        .balance = table[i].balance};
        memcpy(o.capacity, table[i].capacity, sizeof(o.capacity));
        links_open(&m, &o, &w, NULL);
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
        struct mesh_options o = links_three();
        struct weather w = {{0}, 1, 0};
        o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR,
                                        .no_best_effort = strict};
        for (int p = 0; p < MESH_PLANES; p++)
            o.capacity[p] = 1;
        links_open(&m, &o, &w, NULL);
        for (uint16_t i = 0; i < 3; i++)
            cr_assert_eq(links_begin(&m, 0, (uint16_t)(100 + i)),
                         SVR_DROP_NONE);
        cr_assert_eq(links_begin(&m, 0, 103),
                     strict ? SVR_DROP_PATH_LIMITS : SVR_DROP_NONE);
        mesh_close(&m);
    }
}
