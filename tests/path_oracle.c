#include "path_oracle.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mos.h"
#include "path/loss.h"

#define MOST 40000 /* vectors of one topology */

/* ---- what is drawn ---- */

/* Some are equal, so that everything can be a tie. */
static const char *const names[] = {"a", "b", "b", "c", "d", "e", "f", "a1"};

static uint32_t pick(const uint32_t *values, uint32_t count, oracle_draw *draw,
                     void *source)
{
    return values[draw(source, count)];
}

#define PICK(...)                                                          \
    pick((const uint32_t[]){__VA_ARGS__},                                  \
         sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), draw, \
         source)

/* Most edges are in good order, so that there is something to choose from. */
void oracle_figures(oracle_case *c, uint32_t edge, oracle_draw *draw,
                    void *source)
{
    svr_path_edge *e = &c->edges[edge];

    e->up = draw(source, 16) != 0;
    e->latency_us = PICK(0, 1000, 1000, 2000, 5000, 30000, 90000);
    e->jitter_us = PICK(0, 0, 1000, 3000, 20000);
    e->loss_ppm = PICK(0, 0, 0, 1, 1000, 2000, 2500, 10000);
    e->cost = PICK(0, 0, 0, 1, 2);
    e->capacity = PICK(10, 20, 20, UINT32_MAX, UINT32_MAX);
    e->load = PICK(0, 0, 5);
    e->vector = (uint16_t)draw(source, ORACLE_VECTORS + 1);
    if (draw(source, 10) != 0)
        return;
    e->latency_us = PICK(1000, UINT32_MAX);
    e->jitter_us = PICK(1000, UINT32_MAX);
    e->loss_ppm = PICK(400000, 999999, 1000000, UINT32_MAX);
    e->cost = PICK(1, UINT32_MAX);
    e->capacity = PICK(0, 10, UINT32_MAX);
    e->load = PICK(10, UINT32_MAX);
}

static uint32_t larger(uint32_t x, uint32_t y)
{
    return x > y ? x : y;
}

void oracle_topology(oracle_case *c, oracle_draw *draw, void *source)
{
    uint32_t routers =
        1 + larger(draw(source, ORACLE_ROUTERS), draw(source, ORACLE_ROUTERS));
    uint32_t edges =
        larger(draw(source, ORACLE_EDGES + 1), draw(source, ORACLE_EDGES + 1));

    memset(c, 0, sizeof(*c));
    if (routers == 1)
        edges = 0;
    for (uint32_t i = 0; i < routers; i++)
        c->routers[i] = names[draw(source, 8)];
    for (uint32_t i = 0; i < edges; i++) {
        svr_path_edge *e = &c->edges[i];
        e->name = names[draw(source, 8)];
        e->from = draw(source, routers);
        e->to = (e->from + 1 + draw(source, routers - 1)) % routers;
        e->link = draw(source, 3) ? i : draw(source, edges);
        oracle_figures(c, i, draw, source);
    }
    c->t = (svr_topology){.routers = c->routers,
                          .router_count = routers,
                          .edges = c->edges,
                          .edge_count = edges,
                          .instances = c->instances,
                          .instance_count = draw(source, ORACLE_INSTANCES + 1)};
    for (size_t i = 0; i < c->t.instance_count; i++)
        c->instances[i] = (svr_path_instance){.service = draw(source, 6) == 0,
                                              .router = draw(source, routers),
                                              .capacity = PICK(0, 10, 1000),
                                              .load = PICK(0, 4, 999)};
    int result = svr_topology_index(&c->t, c->index);
    assert(result == 0);
    (void)result;
}

static void draw_limits(svr_path_query *q, oracle_draw *draw, void *source)
{
    q->quality_filter = draw(source, 4) != 0;
    q->max_latency_us = PICK(2000, 5000, 40000, 60000, 250000,
                             SVR_PATH_NO_LIMIT, SVR_PATH_NO_LIMIT);
    q->max_jitter_us = PICK(4000, 30000, SVR_PATH_NO_LIMIT, SVR_PATH_NO_LIMIT,
                            SVR_PATH_NO_LIMIT);
    q->max_loss_ppm =
        PICK(0, 2000, 4000, 12475, SVR_PATH_NO_LIMIT, SVR_PATH_NO_LIMIT);
    q->min_mos = (uint16_t)PICK(0, 0, 0, 1000, 4000, 4300, 4390);
    if (draw(source, 4) == 0)
        q->max_hops = draw(source, 6);
}

void oracle_query(oracle_case *c, oracle_draw *draw, void *source)
{
    svr_path_query *q = &c->q;
    uint32_t routers = (uint32_t)c->t.router_count;

    svr_path_query_init(q);
    q->from = draw(source, routers);
    q->to = draw(source, 2) ? draw(source, routers) : SVR_PATH_NONE;
    q->passed = c->passed;
    q->passed_count = draw(source, 4) == 0 ? draw(source, 3) : 0;
    for (size_t i = 0; i < q->passed_count; i++)
        c->passed[i] = draw(source, routers);
    q->priorities = c->priorities;
    q->priority_count = draw(source, ORACLE_VECTORS + 1);
    for (size_t i = 0; i < ORACLE_VECTORS; i++)
        c->priorities[i] =
            (uint16_t)PICK(0, 1, 1, 1, 2, 2, SVR_PATH_UNNAMED, SVR_PATH_NEVER);
    q->criterion = (enum svr_path_criterion)draw(source, 3);
    q->balance = (enum svr_path_balance)draw(source, 3);
    if (draw(source, 3) == 0)
        q->disjoint = (enum svr_path_disjoint)draw(source, 3);
    q->draw = draw(source, UINT32_MAX);
    q->demand = PICK(0, 0, 5, 6);
    draw_limits(q, draw, source);
    q->best_effort = draw(source, 2) != 0;
    q->count = 1 + draw(source, 6);
    q->labels = PICK(0, 0, 64, 64, 1, 2);
}

/* ---- every vector ---- */

typedef struct way {
    uint32_t edges[ORACLE_ROUTERS];
    uint32_t hops, router;
    uint64_t latency, jitter, cost, attenuation;
    uint32_t capacity, room, loss;
    uint32_t instance;
    uint16_t priority, mos;
    bool whole;  /* usable at all: up, allowed, not passed, few hops */
    bool roomy;  /* has room */
    bool within; /* keeps the limits */
} way;

typedef struct list {
    const oracle_case *c;
    way *ways;
    size_t count;
} list;

static uint32_t figure(uint32_t value)
{
    return value > SVR_PATH_FIGURE_MAX ? SVR_PATH_FIGURE_MAX : value;
}

static uint32_t room_of(uint32_t capacity, uint32_t load)
{
    return capacity == UINT32_MAX ? capacity
           : load > capacity      ? 0
                                  : capacity - load;
}

static uint16_t priority_of(const oracle_case *c, const svr_path_edge *e)
{
    return e->vector < c->q.priority_count ? c->priorities[e->vector]
                                           : SVR_PATH_UNNAMED;
}

static bool was_passed(const oracle_case *c, uint32_t router)
{
    for (size_t i = 0; i < c->q.passed_count; i++)
        if (c->passed[i] == router && router != c->q.from)
            return true;
    return false;
}

static void weigh(const oracle_case *c, way *w)
{
    const svr_path_query *q = &c->q;
    uint32_t demand = q->demand ? q->demand : 1;

    w->capacity = w->room = UINT32_MAX;
    w->whole = w->hops <= q->max_hops;
    for (uint32_t i = 0; i < w->hops; i++) {
        const svr_path_edge *e = &c->edges[w->edges[i]];
        uint16_t p = priority_of(c, e);
        uint32_t room = room_of(e->capacity, e->load);
        w->latency += figure(e->latency_us);
        w->jitter += figure(e->jitter_us);
        w->cost += figure(e->cost);
        w->attenuation += svr__attenuation(e->loss_ppm);
        w->priority = p > w->priority ? p : w->priority;
        w->capacity = e->capacity < w->capacity ? e->capacity : w->capacity;
        w->room = room < w->room ? room : w->room;
        if (!e->up || e->loss_ppm >= 1000000 || p == SVR_PATH_NEVER ||
            was_passed(c, e->to))
            w->whole = false;
    }
    w->instance = SVR_PATH_NONE;
    if (q->to == SVR_PATH_NONE) {
        uint32_t most = 0;
        for (uint32_t i = 0; i < c->t.instance_count; i++) {
            const svr_path_instance *at = &c->instances[i];
            uint32_t room = room_of(at->capacity, at->load);
            if (at->service != q->service || at->router != w->router ||
                (w->instance != SVR_PATH_NONE && room <= most))
                continue;
            w->instance = i;
            most = room;
        }
        uint32_t capacity = c->instances[w->instance].capacity;
        w->capacity = capacity < w->capacity ? capacity : w->capacity;
        w->room = most < w->room ? most : w->room;
    }
    w->roomy = w->room >= demand;
    w->loss = svr__attenuation_loss(w->attenuation);
    w->mos = svr__mos(w->latency + 2 * w->jitter, w->loss);
    w->within = w->latency <= q->max_latency_us &&
                w->jitter <= q->max_jitter_us && w->loss <= q->max_loss_ppm &&
                w->mos >= q->min_mos;
    if (q->max_latency_us == SVR_PATH_NO_LIMIT && w->latency > UINT32_MAX)
        abort(); /* no such sums here */
}

static bool is_end(const oracle_case *c, uint32_t router)
{
    if (c->q.to != SVR_PATH_NONE)
        return router == c->q.to;
    for (size_t i = 0; i < c->t.instance_count; i++)
        if (c->instances[i].service == c->q.service &&
            c->instances[i].router == router)
            return true;
    return false;
}

static void walk(list *l, way *w, unsigned seen)
{
    if (is_end(l->c, w->router) && l->count < MOST) {
        way *out = &l->ways[l->count++];
        *out = *w;
        weigh(l->c, out);
    }
    for (uint32_t i = 0; i < l->c->t.edge_count; i++) {
        const svr_path_edge *e = &l->c->edges[i];
        if (e->from != w->router || (seen >> e->to & 1))
            continue;
        w->edges[w->hops++] = i;
        w->router = e->to;
        walk(l, w, seen | 1u << e->to);
        w->router = e->from;
        w->hops--;
    }
}

/* ---- their order ---- */

static int number(uint64_t x, uint64_t y)
{
    return (x > y) - (x < y);
}

static int router_names(const oracle_case *c, uint32_t x, uint32_t y)
{
    int order = strcmp(c->routers[x], c->routers[y]);
    return order ? order : number(x, y);
}

static int by_names(const oracle_case *c, const way *x, const way *y)
{
    int order = router_names(c, x->router, y->router);

    for (uint32_t i = 1; order == 0 && i <= x->hops && i <= y->hops; i++) {
        uint32_t a = x->edges[x->hops - i], b = y->edges[y->hops - i];
        order = router_names(c, c->edges[a].from, c->edges[b].from);
        if (order == 0)
            order = strcmp(c->edges[a].name, c->edges[b].name);
        if (order == 0)
            order = number(a, b);
    }
    return order;
}

/* The terms of S14.7, without rounding to a MOS. */
static int64_t damage(const way *w)
{
    int64_t e = (int64_t)(w->latency + 2 * w->jitter) + 10000;
    int64_t delay = e < 160000 ? e : 4 * e - 480000;
    return delay + 10 * (int64_t)w->loss;
}

static const oracle_case *sorting;

static int compare(const void *a, const void *b)
{
    const oracle_case *c = sorting;
    const way *x = a, *y = b;
    const int orders[][8] = {
        [SVR_PATH_VECTOR] = {number(x->priority, y->priority),
                             number(x->cost, y->cost),
                             number(x->latency, y->latency),
                             number(x->hops, y->hops)},
        [SVR_PATH_LATENCY] = {number(x->latency, y->latency),
                              number(x->cost, y->cost),
                              number(x->hops, y->hops)},
        [SVR_PATH_MOS] =
            {(damage(x) > damage(y)) - (damage(x) < damage(y)),
             number(x->latency + 2 * x->jitter, y->latency + 2 * y->jitter),
             number(x->attenuation, y->attenuation), number(x->cost, y->cost),
             number(x->latency, y->latency), number(x->hops, y->hops)},
    };
    for (int i = 0; i < 8; i++)
        if (orders[c->q.criterion][i])
            return orders[c->q.criterion][i];
    return by_names(c, x, y);
}

static list all_ways(const oracle_case *c)
{
    list l = {c, malloc(MOST * sizeof(way)), 0};
    way w = {.router = c->q.from};

    if (!l.ways)
        abort();
    walk(&l, &w, 1u << c->q.from);
    sorting = c;
    qsort(l.ways, l.count, sizeof(way), compare);
    return l;
}

/* ---- choice ---- */

static bool share(const oracle_case *c, const way *x, const way *y)
{
    if (x->hops == 0 && y->hops == 0)
        return true;
    for (uint32_t i = 0; i < x->hops; i++)
        for (uint32_t n = 0; n < y->hops; n++) {
            const svr_path_edge *e = &c->edges[x->edges[i]];
            const svr_path_edge *f = &c->edges[y->edges[n]];
            if (e->link == f->link)
                return true;
            if (c->q.disjoint == SVR_PATH_DISJOINT_ROUTERS && e->to == f->to &&
                (i + 1 < x->hops || n + 1 < y->hops))
                return true;
        }
    return false;
}

static size_t choose(const list *l, bool strict, way *out)
{
    const oracle_case *c = l->c;
    size_t count = 0;

    for (size_t i = 0; i < l->count && count < c->q.count; i++) {
        const way *w = &l->ways[i];
        bool taken =
            w->whole &&
            (!strict || (w->roomy && (w->within || !c->q.quality_filter)));
        for (size_t n = 0; n < count && c->q.disjoint; n++)
            taken = taken && !share(c, &out[n], w);
        if (taken)
            out[count++] = *w;
    }
    return count;
}

static bool are_equal(const oracle_case *c, const way *x, const way *y)
{
    const bool same[] = {
        [SVR_PATH_VECTOR] = x->priority == y->priority,
        [SVR_PATH_LATENCY] = x->latency == y->latency,
        [SVR_PATH_MOS] = x->mos == y->mos,
    };
    return x->cost == y->cost && same[c->q.criterion];
}

static void to_front(way *w, size_t i)
{
    way first = w[i];
    memmove(w + 1, w, i * sizeof(*w));
    w[0] = first;
}

static void balance(const oracle_case *c, way *w, size_t count)
{
    uint64_t sum = 0, before = 0;

    if (c->q.balance == SVR_PATH_HUNT)
        for (size_t placed = 0; placed < count; placed++) {
            size_t best = placed;
            for (size_t i = placed; i < count; i++)
                if (w[i].room > w[best].room)
                    best = i;
            to_front(w + placed, best - placed);
        }
    if (c->q.balance != SVR_PATH_PROPORTIONAL)
        return;
    for (size_t i = 0; i < count; i++)
        sum += w[i].capacity;
    for (size_t i = 0; i < count; before += w[i++].capacity) {
        /* floor(sum * draw / 2^32), sums of six fit in 35 bits */
        uint64_t place =
            (sum >> 32) * c->q.draw + ((sum & UINT32_MAX) * c->q.draw >> 32);
        if (place >= before && place - before < w[i].capacity) {
            to_front(w, i);
            return;
        }
    }
}

static void balance_all(const oracle_case *c, way *w, size_t count)
{
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && are_equal(c, &w[i], &w[end]); end++)
            ;
        balance(c, w + i, end - i);
    }
}

/* ---- comparison ---- */

static bool same_edges(const svr_vector *v, const way *w)
{
    return v->hops == w->hops && v->router == w->router &&
           (v->hops == 0 ||
            memcmp(v->edges, w->edges, v->hops * sizeof(*v->edges)) == 0);
}

static const char *check_figures(const svr_vector *v, const way *w)
{
    if (v->latency_us != w->latency || v->jitter_us != w->jitter ||
        v->cost != w->cost || v->loss_ppm != w->loss || v->mos != w->mos)
        return "figures differ";
    if (v->priority != w->priority || v->capacity != w->capacity ||
        v->room != w->room || v->instance != w->instance)
        return "priority, capacity, room or instance differ";
    return NULL;
}

static const char *check_equal(const svr_vector *v, size_t count, const way *w,
                               size_t wanted)
{
    for (size_t i = 0; i < count && i < wanted; i++) {
        const char *wrong = check_figures(&v[i], &w[i]);
        if (!same_edges(&v[i], &w[i]))
            return "another vector is better";
        if (wrong)
            return wrong;
    }
    if (count < wanted)
        return "vectors are missing";
    return count > wanted ? "there are too many vectors" : NULL;
}

/* What cannot be judged by a reason of its own. */
static const char *check_reason(const oracle_case *c, const svr_vector *v,
                                const way *w)
{
    bool kept = w->within || !c->q.quality_filter;

    if ((v->reason == SVR_PATH_REASON_NONE) != (w->whole && w->roomy && kept))
        return "refused for no reason, or not refused";
    if (v->reason >= SVR_PATH_REASON_FULL && !w->whole)
        return "the first reason is another";
    if (v->reason >= SVR_PATH_REASON_LATENCY && !w->roomy)
        return "it has no room, too";
    if (v->reason == SVR_PATH_REASON_MOS       ? v->value >= v->bound
        : v->reason >= SVR_PATH_REASON_LATENCY ? v->value <= v->bound
                                               : false)
        return "figure and limit do not belong to the reason";
    return NULL;
}

/* Each is one of those that there are, keeps what must be kept, and none comes
 * twice. */
static const char *check_sound(const list *l, const svr_vector *v, size_t count,
                               bool best_effort)
{
    for (size_t i = 0; i < count; i++) {
        size_t n = 0;
        while (n < l->count && !same_edges(&v[i], &l->ways[n]))
            n++;
        if (n == l->count)
            return "no such vector";
        const way *w = &l->ways[n];
        const char *wrong = check_figures(&v[i], w);
        if (!wrong)
            wrong = check_reason(l->c, &v[i], w);
        if (wrong)
            return wrong;
        if (!w->whole)
            return "it cannot be used";
        if (!best_effort && v[i].reason != SVR_PATH_REASON_NONE)
            return "it breaks a limit";
        for (size_t m = 0; m < i; m++)
            if (v[m].hops == v[i].hops && v[m].router == v[i].router &&
                memcmp(v[m].edges, v[i].edges,
                       v[i].hops * sizeof(*v[i].edges)) == 0)
                return "it comes twice";
    }
    return NULL;
}

static void *scratch_of(const oracle_case *c)
{
    size_t size = svr_path_scratch_size(&c->t, &c->q);
    void *scratch = malloc(size);

    if (size == 0 || !scratch)
        abort();
    return memset(scratch, 0xa5, size);
}

const char *oracle_find(const oracle_case *c, bool *cut)
{
    svr_vector v[8];
    way w[8];
    svr_path_note note;
    void *scratch = scratch_of(c);
    ptrdiff_t count = svr_path_find(&c->t, &c->q, v, 8, &note, scratch);
    list l = all_ways(c);
    size_t wanted = choose(&l, true, w);
    bool best_effort = wanted == 0 && c->q.best_effort;
    const char *wrong;

    if (best_effort)
        best_effort = (wanted = choose(&l, false, w)) > 0;
    balance_all(c, w, wanted);
    if (cut)
        *cut = note.cut;
    if (count < 0)
        wrong = "the query is refused";
    else
        wrong = check_sound(&l, v, (size_t)count, note.best_effort);
    if (!wrong && !note.cut)
        wrong = note.best_effort != best_effort
                    ? "best effort is wrong"
                    : check_equal(v, (size_t)count, w, wanted);
    free(l.ways);
    free(scratch);
    return wrong;
}

const char *oracle_explain(const oracle_case *c)
{
    svr_vector v[8];
    svr_path_note note;
    void *scratch = scratch_of(c);
    ptrdiff_t count = svr_path_explain(&c->t, &c->q, v, 8, &note, scratch);
    list l = all_ways(c);
    size_t wanted = l.count < c->q.count ? l.count : c->q.count;
    const char *wrong = NULL;

    balance_all(c, l.ways, wanted);
    if (count < 0)
        wrong = "the query is refused";
    if (!wrong && !note.cut)
        wrong = check_equal(v, (size_t)count, l.ways, wanted);
    for (size_t i = 0; !wrong && !note.cut && i < wanted; i++)
        wrong = check_reason(c, &v[i], &l.ways[i]);
    free(l.ways);
    free(scratch);
    return wrong;
}

const char *oracle_tree(const oracle_case *c, const svr_path_tree *tree)
{
    oracle_case ask = *c;
    svr_path_query *q = &ask.q;
    const char *wrong = NULL;

    svr_path_query_init(q);
    q->from = c->q.from;
    q->priorities = c->priorities;
    q->priority_count = c->q.priority_count;
    q->criterion = SVR_PATH_LATENCY;
    /* room does not count for a tree: what has none is found as best effort */
    for (uint32_t i = 0; i < c->t.edge_count; i++)
        ask.edges[i].capacity = UINT32_MAX;
    ask.t.edges = ask.edges;
    void *scratch = scratch_of(&ask);
    for (uint32_t r = 0; r < c->t.router_count && !wrong; r++) {
        uint32_t edges[ORACLE_ROUTERS];
        uint64_t latency = UINT64_MAX;
        svr_vector v;
        q->to = r;
        ptrdiff_t count = svr_path_find(&ask.t, q, &v, 1, NULL, scratch);
        ptrdiff_t hops = svr_path_tree_way(tree, r, edges, ORACLE_ROUTERS);
        bool there = svr_path_tree_latency(tree, r, &latency);
        if (there != (count == 1) || (hops >= 0) != there)
            wrong = "one finds a way, the other does not";
        else if (there &&
                 (hops != (ptrdiff_t)v.hops || latency != v.latency_us ||
                  memcmp(edges, v.edges, v.hops * sizeof(*edges)) != 0))
            wrong = "ways differ";
    }
    free(scratch);
    return wrong;
}
