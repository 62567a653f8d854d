/* What goes wrong, and the policy of S16.2, row by row. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <svr/path.h>

#include "path/loss.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- losses ---- */

Test(path, attenuations_grow_with_the_loss)
{
    cr_expect_eq(svr__attenuation(0), 0);
    for (uint32_t loss = 0; loss < 1000000; loss++) {
        cr_assert_lt(svr__attenuation(loss), svr__attenuation(loss + 1), "%u",
                     loss);
        cr_assert_eq(svr__attenuation_loss(svr__attenuation(loss)), loss);
    }
    cr_expect_eq(svr__attenuation(UINT32_MAX), svr__attenuation(1000000));
    cr_expect_eq(svr__attenuation_loss(UINT64_MAX / 2), 1000000);
}

Test(path, the_most_that_a_limit_allows)
{
    for (uint32_t loss = 0; loss < 999999; loss += 37) {
        uint64_t most = svr__attenuation_max(loss);
        cr_assert_eq(svr__attenuation_loss(most), loss);
        cr_assert_eq(svr__attenuation_loss(most + 1), loss + 1);
    }
    cr_expect_eq(svr__attenuation_max(1000000), UINT64_MAX);
}

/* 1 - product of 1 - loss, within one millionth. */
Test(path, sums_are_products)
{
    static const uint32_t losses[] = {1,      500,    5000,   14999, 15000,
                                      250000, 500000, 750000, 999999};

    for (size_t i = 0; i < COUNT(losses); i++)
        for (size_t n = 0; n < COUNT(losses); n++) {
            double left = (1 - losses[i] / 1e6) * (1 - losses[n] / 1e6);
            double got = svr__attenuation_loss(svr__attenuation(losses[i]) +
                                               svr__attenuation(losses[n]));
            cr_expect_float_eq(got, (1 - left) * 1e6, 1.01, "%u, %u", losses[i],
                               losses[n]);
        }
}

/* ---- a network: a has three ways to d, one by each vector ---- */

enum { A, B, C, D, ROUTERS };
enum { MPLS, INET, LTE, VECTORS };
enum { AD, AB, BD, AC, CD, EDGES };

typedef struct net {
    svr_topology t;
    svr_path_edge e[EDGES];
    svr_path_instance i[2];
    uint16_t priorities[VECTORS];
    uint32_t index[ROUTERS * 3 + 2 + EDGES * 3], more;
    svr_path_query q;
    svr_vector v[4];
    svr_path_note note;
    void *scratch;
} net;

static const char *const names[] = {"a", "b", "c", "d"};

static void begin(net *n)
{
    static const svr_path_edge edges[EDGES] = {
        [AD] = {"lte", A, D, AD, 50000, 9000, 3000, 9, 100, 0, LTE, true},
        [AB] = {"inet", A, B, AB, 5000, 2000, 4000, 1, 1000, 0, INET, true},
        [BD] = {"inet", B, D, BD, 5000, 2000, 2000, 1, 1000, 0, INET, true},
        [AC] = {"mpls", A, C, AC, 15000, 0, 0, 4, 200, 0, MPLS, true},
        [CD] = {"mpls", C, D, CD, 15000, 0, 0, 4, 200, 0, MPLS, true},
    };

    *n = (net){.priorities = {1, 2, 3}};
    for (size_t i = 0; i < EDGES; i++)
        n->e[i] = edges[i];
    n->i[0] = (svr_path_instance){7, D, UINT32_MAX, 0};
    n->t = (svr_topology){names, ROUTERS, n->e, EDGES, n->i, 1, NULL};
    cr_assert_eq(svr_topology_index(&n->t, n->index), 0);
    svr_path_query_init(&n->q);
    n->q.service = 7;
    n->q.priorities = n->priorities;
    n->q.priority_count = VECTORS;
}

static ptrdiff_t find(net *n)
{
    free(n->scratch);
    n->scratch = malloc(svr_path_scratch_size(&n->t, &n->q) + 1);
    return svr_path_find(&n->t, &n->q, n->v, 4, &n->note, n->scratch);
}

/* ---- what goes wrong ---- */

Test(path, topologies_that_are_refused)
{
    net n;
    static const struct {
        const char *title;
        uint32_t from, to, link;
    } rows[] = {{"begins nowhere", ROUTERS, D, 0},
                {"ends nowhere", A, UINT32_MAX, 0},
                {"ends where it begins", A, A, 0},
                {"a link out of range", A, D, EDGES}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        begin(&n);
        n.e[AC].from = rows[i].from;
        n.e[AC].to = rows[i].to;
        n.e[AC].link = rows[i].link;
        cr_expect_eq(svr_topology_index(&n.t, n.index), SVR_ERR_ARGUMENT, "%s",
                     rows[i].title);
    }
    begin(&n);
    n.e[AC].name = NULL;
    cr_expect_eq(svr_topology_index(&n.t, n.index), SVR_ERR_ARGUMENT);
    begin(&n);
    n.i[0].router = ROUTERS;
    cr_expect_eq(svr_topology_index(&n.t, n.index), SVR_ERR_ARGUMENT);
    n.t.router_count = SVR_PATH_ROUTERS_MAX + 1;
    cr_expect_eq(svr_topology_index_size(&n.t), 0);
    cr_expect_eq(svr_topology_index(&n.t, n.index), SVR_ERR_ARGUMENT);
}

static void spoil(net *n, size_t row)
{
    static const uint32_t nowhere = ROUTERS;

    switch (row) {
    case 0:
        n->t.index = NULL;
        break;
    case 1:
        n->q.from = ROUTERS;
        break;
    case 2:
        n->q.to = ROUTERS;
        break;
    case 3:
        n->q.count = 0;
        break;
    case 4:
        n->q.count = SVR_PATH_COUNT_MAX + 1;
        break;
    case 5:
        n->q.labels = SVR_PATH_LABELS_MAX + 1;
        break;
    case 6:
        n->q.criterion = (enum svr_path_criterion)3;
        break;
    case 7:
        n->q.balance = (enum svr_path_balance)3;
        break;
    case 8:
        n->q.disjoint = (enum svr_path_disjoint)3;
        break;
    default:
        n->q.passed = &nowhere;
        n->q.passed_count = 1;
    }
}

Test(path, queries_that_are_refused)
{
    for (size_t row = 0; row < 10; row++) {
        net n;
        begin(&n);
        spoil(&n, row);
        cr_expect_eq(svr_path_scratch_size(&n.t, &n.q), 0, "row %zu", row);
        cr_expect_eq(find(&n), SVR_ERR_ARGUMENT, "row %zu", row);
        cr_expect_eq(svr_path_explain(&n.t, &n.q, n.v, 4, NULL, n.scratch),
                     SVR_ERR_ARGUMENT, "row %zu", row);
        free(n.scratch);
    }
}

Test(path, no_route)
{
    net n;

    begin(&n);
    n.q.service = 8; /* nobody has it */
    cr_expect_eq(find(&n), 0);
    n.q.service = 7;
    n.q.from = D;
    n.i[0].router = A; /* no edge leaves d */
    cr_expect_eq(find(&n), 0);
    cr_expect_not(n.note.best_effort);
    n.i[0].router = D; /* it leaves here */
    cr_expect_eq(find(&n), 1);
    cr_expect_eq(n.v[0].hops, 0);
    cr_expect_eq(n.v[0].mos, 4404);
    n.t.router_count = n.t.edge_count = n.t.instance_count = 0;
    cr_expect_eq(svr_topology_index(&n.t, n.index), 0);
    cr_expect_eq(find(&n), SVR_ERR_ARGUMENT, "nobody can ask");
    free(n.scratch);
}

/* ---- policy ---- */

typedef struct row {
    const char *title;
    uint16_t mpls, inet, lte;
    enum svr_path_criterion criterion;
    bool filter;
    uint32_t latency_ms, jitter_ms, loss_ppm;
    uint16_t min_mos;
    bool strict; /* no best effort */
    uint32_t demand;
    int first; /* edge, or -1: refused */
    bool effort;
} row;

#define NEVER SVR_PATH_NEVER
#define NONE SVR_PATH_NO_LIMIT

static const row rows[] = {
    {"priorities decide", 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, AC, 0},
    {"lower ones win", 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, AD, 0},
    {"never is never", NEVER, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, AB, 0},
    {"not as best effort either", NEVER, NEVER, NEVER, 0, 0, 0, 0, 0, 0, 0, 0,
     -1, 0},
    {"of equals the cheaper", 5, 5, 5, 0, 0, 0, 0, 0, 0, 0, 0, AB, 0},
    {"latency", 1, 2, 3, SVR_PATH_LATENCY, 0, 0, 0, 0, 0, 0, 0, AB, 0},
    {"MOS", 3, 2, 1, SVR_PATH_MOS, 0, 0, 0, 0, 0, 0, 0, AC, 0},
    {"limits off", 1, 2, 3, 0, false, 1, 0, 0, 0, true, 0, AC, 0},
    {"max-latency", 1, 2, 3, 0, true, 29, NONE, NONE, 0, 0, 0, AB, 0},
    {"max-latency, just", 1, 2, 3, 0, true, 30, NONE, NONE, 0, 0, 0, AC, 0},
    {"max-jitter", 3, 2, 1, 0, true, NONE, 8, NONE, 0, 0, 0, AB, 0},
    {"max-loss", 3, 1, 2, 0, true, NONE, NONE, 5989, 0, 0, 0, AD, 0},
    {"max-loss, just", 3, 1, 2, 0, true, NONE, NONE, 5992, 0, 0, 0, AB, 0},
    {"min-MOS", 3, 2, 1, 0, true, NONE, NONE, NONE, 4370, 0, 0, AC, 0},
    {"several", 3, 2, 1, 0, true, 40, 3, 1000, 0, 0, 0, AC, 0},
    {"best effort", 2, 1, 3, 0, true, 1, NONE, NONE, 0, 0, 0, AB, true},
    {"without it", 2, 1, 3, 0, true, 1, NONE, NONE, 0, true, 0, -1, 0},
    {"no room", 2, 3, 1, 0, 0, 0, 0, 0, 0, 0, 150, AC, 0},
    {"no room anywhere", 2, 3, 1, 0, 0, 0, 0, 0, 0, 0, 1001, AD, true},
    {"nor best effort", 2, 3, 1, 0, 0, 0, 0, 0, 0, true, 1001, -1, 0},
};

static uint32_t milliseconds(uint32_t ms)
{
    return ms == NONE ? NONE : 1000 * ms;
}

Test(path, policies)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        const row *r = &rows[i];
        net n;
        begin(&n);
        n.priorities[MPLS] = r->mpls;
        n.priorities[INET] = r->inet;
        n.priorities[LTE] = r->lte;
        n.q.criterion = r->criterion;
        n.q.quality_filter = r->filter;
        n.q.max_latency_us = milliseconds(r->latency_ms);
        n.q.max_jitter_us = milliseconds(r->jitter_ms);
        n.q.max_loss_ppm = r->loss_ppm;
        n.q.min_mos = r->min_mos;
        n.q.best_effort = !r->strict;
        n.q.demand = r->demand;
        cr_expect_eq(find(&n), r->first >= 0, "%s", r->title);
        cr_expect_eq(n.note.best_effort, r->effort, "%s", r->title);
        if (r->first >= 0)
            cr_expect_eq(n.v[0].edges[0], (uint32_t)r->first, "%s: %u",
                         r->title, n.v[0].edges[0]);
        free(n.scratch);
    }
}

/* A vector is as good as its worst pathway. */
Test(path, one_bad_pathway_spoils_a_vector)
{
    net n;

    begin(&n);
    n.e[CD].vector = LTE;
    n.e[AD].cost = 100;
    cr_expect_eq(find(&n), 1);
    cr_expect_eq(n.v[0].edges[0], AB);
    cr_expect_eq(n.v[0].priority, 2);
    free(n.scratch);
}

/* Room decides among equals, and nothing else does. */
Test(path, balance)
{
    static const struct {
        enum svr_path_balance balance;
        uint32_t load, draw;
        uint32_t first;
    } table[] = {
        {SVR_PATH_BALANCE_NONE, 0, 0, AB}, /* the faster */
        {SVR_PATH_HUNT, 0, 0, AB},
        {SVR_PATH_HUNT, 850, 0, AC},
        {SVR_PATH_PROPORTIONAL, 850, 0, AB}, /* 1000 of 1300 */
        {SVR_PATH_PROPORTIONAL, 0, 3303820996, AB},
        {SVR_PATH_PROPORTIONAL, 0, 3303820997, AC}, /* 200 of 1300 */
        {SVR_PATH_PROPORTIONAL, 0, 3964585196, AC},
        {SVR_PATH_PROPORTIONAL, 0, 3964585197, AD}, /* 100 of 1300 */
        {SVR_PATH_PROPORTIONAL, 0, UINT32_MAX, AD},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        net n;
        begin(&n);
        for (size_t e = 0; e < EDGES; e++) {
            n.e[e].vector = MPLS;
            n.e[e].cost = e == AD ? 2 : 1;
        }
        n.e[BD].load = table[i].load;
        n.q.balance = table[i].balance;
        n.q.draw = table[i].draw;
        n.q.count = 3;
        cr_expect_eq(find(&n), 3);
        cr_expect_eq(n.v[0].edges[0], table[i].first, "row %zu: %u", i,
                     n.v[0].edges[0]);
        free(n.scratch);
    }
}

/* The service in two places, and one of them fills up. */
Test(path, instances)
{
    net n;

    begin(&n);
    n.t.instance_count = 2;
    n.i[1] = (svr_path_instance){7, C, 10, 9};
    n.q.count = 2;
    cr_expect_eq(find(&n), 2);
    cr_expect_eq(n.v[0].instance, 1);
    cr_expect_eq(n.v[0].room, 1);
    cr_expect_eq(n.v[1].instance, 0);
    n.i[1].load = 10;
    cr_expect_eq(find(&n), 2);
    cr_expect_eq(n.v[0].router, D);
    cr_expect_eq(svr_path_explain(&n.t, &n.q, n.v, 1, NULL, n.scratch), 1);
    cr_expect_eq(n.v[0].reason, SVR_PATH_REASON_SERVICE_FULL);
    free(n.scratch);
}

Test(path, disjoint)
{
    net n;

    begin(&n);
    n.q.count = 3;
    n.q.disjoint = SVR_PATH_DISJOINT_ROUTERS;
    cr_expect_eq(find(&n), 3);
    n.e[AD].link = n.e[BD].link; /* one cable */
    cr_expect_eq(find(&n), 2);
    cr_expect_eq(n.v[0].edges[0], AC);
    cr_expect_eq(n.v[1].edges[0], AB);
    free(n.scratch);
}

/* ---- reasons ---- */

static void break_it(net *n, enum svr_path_reason r)
{
    static const uint32_t passed = C;

    n->q.quality_filter = r >= SVR_PATH_REASON_LATENCY;
    n->q.max_latency_us = r == SVR_PATH_REASON_LATENCY ? 29999 : NONE;
    n->q.max_jitter_us = r == SVR_PATH_REASON_JITTER ? 29 : NONE;
    n->q.max_loss_ppm = r == SVR_PATH_REASON_LOSS ? 9 : NONE;
    n->q.min_mos = r == SVR_PATH_REASON_MOS ? 4400 : 0;
    n->q.max_hops = r == SVR_PATH_REASON_HOPS ? 1 : NONE;
    n->e[CD].jitter_us = 30;
    n->e[CD].loss_ppm = r == SVR_PATH_REASON_DEAD ? 1000000 : 10;
    n->e[CD].up = r != SVR_PATH_REASON_DOWN;
    n->e[CD].load = r == SVR_PATH_REASON_FULL ? 200 : 0;
    n->i[0].load = n->i[0].capacity = r != SVR_PATH_REASON_SERVICE_FULL;
    n->i[0].load = 0;
    if (r == SVR_PATH_REASON_NEVER)
        n->priorities[MPLS] = NEVER;
    if (r == SVR_PATH_REASON_PASSED) {
        n->q.passed = &passed;
        n->q.passed_count = 1;
    }
}

Test(path, each_reason)
{
    for (int r = SVR_PATH_REASON_NONE; r < SVR_PATH_REASONS; r++) {
        net n;
        ptrdiff_t count;
        begin(&n);
        break_it(&n, (enum svr_path_reason)r);
        n.q.count = 4;
        n.q.best_effort = false;
        find(&n);
        count = svr_path_explain(&n.t, &n.q, n.v, 4, NULL, n.scratch);
        for (ptrdiff_t i = 0; i < count; i++)
            if (n.v[i].edges[0] == AC)
                cr_expect_eq((int)n.v[i].reason, r, "%s: %s",
                             svr_path_reason_name((enum svr_path_reason)r),
                             svr_path_reason_name(n.v[i].reason));
        cr_expect_eq(count, 3);
        free(n.scratch);
    }
    cr_expect_str_eq(svr_path_reason_name(SVR_PATH_REASONS), "unknown");
    cr_expect_str_eq(svr_path_reason_text(SVR_PATH_REASONS), "unknown");
}

/* ---- the tree's own errors ---- */

Test(path, trees)
{
    net n;
    uint32_t way[2];
    uint64_t latency = 1;

    begin(&n);
    void *memory = malloc(svr_path_tree_size(&n.t));
    cr_expect_null(svr_path_tree_init(memory, &n.t, ROUTERS, NULL, 0));
    svr_path_tree *tree = svr_path_tree_init(memory, &n.t, A, NULL, 0);
    cr_expect_eq(svr_path_tree_change(tree, EDGES), SVR_ERR_ARGUMENT);
    cr_expect_eq(svr_path_tree_way(tree, ROUTERS, way, 2), SVR_ERR_NOT_FOUND);
    cr_expect_eq(svr_path_tree_way(tree, D, way, 1), SVR_ERR_NO_SPACE);
    cr_expect_eq(svr_path_tree_way(tree, D, way, 2), 2);
    cr_expect_eq(way[0], AB);
    cr_expect_eq(svr_path_tree_last(tree, ROUTERS), SVR_PATH_NONE);
    n.e[BD].up = false;
    cr_expect_eq(svr_path_tree_way(tree, D, way, 2), 2, "not told yet");
    cr_expect_gt(svr_path_tree_change(tree, BD), 0);
    cr_expect_eq(svr_path_tree_change(tree, BD), 0, "told before");
    cr_expect_eq(svr_path_tree_last(tree, D), CD);
    n.e[AB].up = false;
    cr_expect_eq(svr_path_tree_change(tree, AB), 1);
    cr_expect_not(svr_path_tree_latency(tree, B, &latency));
    cr_expect_eq(latency, 1);
    free(memory);
}
