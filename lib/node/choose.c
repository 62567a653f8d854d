#include "node/node.h"

#include <string.h>

/* What is measured of the own pathways, and told of others. How many sessions
 * they have is asked for each session anew. */
static void take_figures(svr_node *n, svr_time now)
{
    svr__choices *h = &n->choices;
    svr_pathway_info info;

    if (h->figured == h->generation)
        return;
    for (size_t i = 0; i < n->pathway_count; i++) {
        const svr__pathway *pw = &n->pathways[i];
        svr_path_edge *e = &h->edges[i];
        e->up = pw->up;
        if (!pw->watch)
            continue;
        svr_pathway_describe(pw->watch, &info, now);
        if (!info.measured)
            info.quality = (svr_quality){0};
        e->latency_us = info.quality.latency_us;
        e->jitter_us = info.quality.jitter_us;
        e->loss_ppm = info.quality.loss_ppm;
        if (info.by_traffic) /* which says nothing about the way back */
            svr__learn_back(n, (uint32_t)i, e);
    }
    for (size_t i = n->pathway_count; i < h->edge_count; i++)
        svr__learn_edge(n, (uint32_t)i, &h->edges[i]);
    for (uint32_t i = 0; i < h->topology.instance_count; i++)
        h->instances[i].load = svr__load_of(n, i, now);
    h->figured = h->generation;
}

/* Whether figures of the pathway are to be expected, and have not come yet. */
static bool is_unmeasured(const svr_node *n, uint16_t pathway, svr_time now)
{
    svr_pathway_info info;

    if (pathway == SVR__NO_PATHWAY || !n->pathways[pathway].watch ||
        n->pathways[pathway].plain)
        return false;
    svr_pathway_describe(n->pathways[pathway].watch, &info, now);
    return !info.measured;
}

static bool is_limit(enum svr_path_reason reason)
{
    return reason == SVR_PATH_REASON_LATENCY ||
           reason == SVR_PATH_REASON_JITTER || reason == SVR_PATH_REASON_LOSS ||
           reason == SVR_PATH_REASON_MOS;
}

/* ---- the best vector of each route ---- */

/* A search under way: the routes of one service. */
struct hunt {
    svr_node *n;
    const svr__route_range *range;
    svr_path_query q; /* by which vectors are judged */
    uint32_t found;   /* routes in `order` so far */
};

static void note_vector(struct hunt *h, uint32_t route, const svr_vector *v)
{
    const svr_path_edge *edges = h->n->choices.edges;
    svr__way *way = &h->n->choices.ways[route];

    if (!way->known)
        h->n->choices.order[h->range->first + h->found++] = route;
    way->known = true;
    way->vector = *v;
    way->vector.edges = NULL;
    way->coming_count = 0;
    for (uint32_t i = 1; i < v->hops; i++)
        way->coming[way->coming_count++] = (uint16_t)edges[v->edges[i]].to;
}

/* The vector may be the best of its route; and where the way goes on so from
 * one peer, it does from all pathways to that peer. */
static void take_vector(struct hunt *h, const svr_vector *v)
{
    const svr_node *n = h->n;
    uint32_t edges[SVR__PASSED_MAX];
    svr_vector other;

    if (v->hops > SVR__PASSED_MAX)
        return;
    if (v->hops)
        memcpy(edges, v->edges, v->hops * sizeof(edges[0]));
    for (uint32_t i = 0; i < h->range->count; i++) {
        uint32_t route = h->range->first + i;
        const svr__route *r = &n->routes[route];
        const svr__way *way = &n->choices.ways[route];
        bool here = r->pathway == SVR__NO_PATHWAY;

        if (here != (v->hops == 0) ||
            (!here && n->choices.edges[r->pathway].to !=
                          n->choices.edges[v->edges[0]].to) ||
            (way->known && (way->vector.reason == SVR_PATH_REASON_NONE ||
                            v->reason != SVR_PATH_REASON_NONE)))
            continue;
        edges[0] = here ? 0 : r->pathway;
        if (svr_path_measure(&n->choices.topology, &h->q, edges, v->hops,
                             &other) == 0)
            note_vector(h, route, &other);
    }
}

static uint32_t vectors_wanted(const struct hunt *h)
{
    const svr_topology *t = &h->n->choices.topology;
    uint32_t count = 1;

    for (size_t i = 0; i < t->instance_count && count < SVR__VECTORS; i++)
        count += t->instances[i].service == h->q.service;
    return count;
}

/* How many were found, whatever their routes are. */
static ptrdiff_t search(struct hunt *h, bool conditions)
{
    svr_node *n = h->n;
    svr_vector found[SVR__VECTORS];
    svr_path_query q = h->q;

    q.count = vectors_wanted(h);
    q.quality_filter &= conditions;
    q.best_effort = !conditions;
    ptrdiff_t count = svr_path_find(&n->choices.topology, &q, found,
                                    SVR__VECTORS, NULL, n->choices.scratch);
    for (ptrdiff_t i = 0; i < count; i++)
        take_vector(h, &found[i]);
    return count;
}

/* All that were found may begin with a few of the pathways: what the best
 * vector is that begins with another one, is the best one from its far end on.
 */
static void search_behind(struct hunt *h, uint32_t route)
{
    svr_node *n = h->n;
    uint32_t self = n->self, edges[SVR__PASSED_MAX];
    uint16_t pathway = n->routes[route].pathway;
    svr_vector v = {0};
    svr_path_query q = h->q;
    ptrdiff_t found = 0;

    if (n->choices.ways[route].known || pathway == SVR__NO_PATHWAY ||
        !n->choices.edges[pathway].up)
        return;
    q.from = n->choices.edges[pathway].to;
    q.passed = &self;
    q.passed_count = 1;
    q.count = 1;
    for (int conditions = h->q.quality_filter; conditions >= 0 && found == 0;
         conditions--) {
        q.quality_filter &= conditions;
        q.best_effort = !conditions;
        found = svr_path_find(&n->choices.topology, &q, &v, 1, NULL,
                              n->choices.scratch);
    }
    if (found != 1 || v.hops >= SVR__PASSED_MAX)
        return;
    edges[0] = pathway;
    if (v.hops)
        memcpy(edges + 1, v.edges, v.hops * sizeof(edges[0]));
    if (svr_path_measure(&n->choices.topology, &h->q, edges, v.hops + 1, &v) ==
        0)
        take_vector(h, &v);
}

/* First those that meet the conditions, then as if there were none: which are
 * the same where there are none. */
static void find_vectors(struct hunt *h)
{
    ptrdiff_t found = search(h, true);

    if (h->found < h->range->count && (found < 1 || h->q.quality_filter))
        search(h, false);
    for (uint32_t i = 0; i < h->range->count; i++)
        search_behind(h, h->range->first + i);
}

/* ---- how good they are ---- */

/* Nine tenths of each limit, and a tenth of a point above the least MOS. */
static bool is_well_inside(const svr_vector *v, const svr_service_policy *p)
{
    return v->latency_us * 10 <= (uint64_t)p->max_latency_us * 9 &&
           v->jitter_us * 10 <= (uint64_t)p->max_jitter_us * 9 &&
           (uint64_t)v->loss_ppm * 10 <= (uint64_t)p->max_loss_ppm * 9 &&
           v->mos >= p->min_mos + (p->min_mos ? 100 : 0);
}

/* Whether the way is beyond its limits, with hysteresis. */
static void watch_limits(svr__way *way, const svr_service_policy *p,
                         svr_time now)
{
    bool beyond = is_limit(way->vector.reason);

    way->left = p->quality_filter && (way->left || beyond);
    if (beyond || !is_well_inside(&way->vector, p))
        way->bad = now;
    else if (now - way->bad >= SVR__LIMIT_HOLD)
        way->left = false;
}

static uint8_t rank_of(const svr_node *n, const svr__route *r,
                       const svr__way *way, const svr_service_policy *p,
                       svr_time now)
{
    bool measured = p->quality_filter || p->best_path != SVR_BEST_VECTOR;

    switch (way->vector.reason) {
    case SVR_PATH_REASON_NONE:
        return way->left || (measured && is_unmeasured(n, r->pathway, now))
                   ? SVR_WAY_DOUBTFUL
                   : SVR_WAY_GOOD;
    case SVR_PATH_REASON_DOWN:
    case SVR_PATH_REASON_DEAD:
    case SVR_PATH_REASON_NEVER:
    case SVR_PATH_REASON_PASSED:
    case SVR_PATH_REASON_HOPS:
        return SVR_WAY_NONE;
    default:
        return p->no_best_effort ? SVR_WAY_NONE : SVR_WAY_POOR;
    }
}

static int compare_u64(uint64_t x, uint64_t y)
{
    return (x > y) - (x < y);
}

/* As svr_path_find orders vectors, but for names. */
static int compare_vectors(const svr_vector *x, const svr_vector *y,
                           enum svr_path_criterion criterion)
{
    int order = 0;

    if (criterion == SVR_PATH_VECTOR)
        order = compare_u64(x->priority, y->priority);
    else if (criterion == SVR_PATH_MOS)
        order = compare_u64(y->mos, x->mos);
    if (criterion != SVR_PATH_VECTOR && !order)
        order = compare_u64(
            x->latency_us + (criterion == SVR_PATH_MOS ? 2 * x->jitter_us : 0),
            y->latency_us + (criterion == SVR_PATH_MOS ? 2 * y->jitter_us : 0));
    if (criterion == SVR_PATH_MOS && !order)
        order = compare_u64(x->loss_ppm, y->loss_ppm);
    if (!order)
        order = compare_u64(x->cost, y->cost);
    if (!order)
        order = compare_u64(x->latency_us, y->latency_us);
    return order ? order : compare_u64(x->hops, y->hops);
}

static int compare_ways(const svr__way *x, const svr__way *y,
                        enum svr_path_criterion criterion)
{
    return x->rank != y->rank
               ? compare_u64(x->rank, y->rank)
               : compare_vectors(&x->vector, &y->vector, criterion);
}

/* Stable: what is equal stays in the order in which it was found, which names
 * decide. */
static void sort_ways(const svr_node *n, uint32_t *order, uint32_t count,
                      enum svr_path_criterion criterion)
{
    const svr__way *ways = n->choices.ways;

    for (uint32_t i = 1; i < count; i++) {
        uint32_t route = order[i], to = i;
        for (; to > 0 &&
               compare_ways(&ways[route], &ways[order[to - 1]], criterion) < 0;
             to--)
            order[to] = order[to - 1];
        order[to] = route;
    }
}

/* Routes without a vector come last. */
static void fill_order(struct hunt *h)
{
    for (uint32_t i = 0; i < h->range->count; i++) {
        uint32_t route = h->range->first + i;
        svr__way *way = &h->n->choices.ways[route];
        if (way->known)
            continue;
        way->rank = SVR_WAY_NONE;
        h->n->choices.order[h->range->first + h->found++] = route;
    }
}

void svr__choose(svr_node *n, int service, svr_time now)
{
    const svr_service_policy *p = svr_policy_of_service(n->policy, service);
    struct hunt h = {.n = n, .range = &n->service_routes[service]};
    svr__way *ways = &n->choices.ways[h.range->first];

    if (n->choices.made[service] == n->choices.generation)
        return;
    n->choices.made[service] = n->choices.generation;
    take_figures(n, now);
    for (uint32_t i = 0; i < h.range->count; i++)
        ways[i].known = false;
    svr__choose_query(n, service, &h.q);
    find_vectors(&h);
    for (uint32_t i = 0; i < h.found; i++) {
        uint32_t route = n->choices.order[h.range->first + i];
        svr__way *way = &n->choices.ways[route];
        const svr__route *r = &n->routes[route];
        uint8_t before = way->rank;

        watch_limits(way, p, now);
        way->rank = rank_of(n, r, way, p, now);
        /* S17: sessions leave it, or come back */
        if (before != way->rank && r->pathway != SVR__NO_PATHWAY &&
            p->resiliency != SVR_RESILIENCY_NONE)
            svr__moves_begin(n, &n->pathways[r->pathway], now);
    }
    sort_ways(n, n->choices.order + h.range->first, h.found, h.q.criterion);
    fill_order(&h);
}

/* ---- changes ---- */

void svr__choices_state(svr_node *n)
{
    n->choices.generation++;
    n->choices.changed = true;
    if (n->choices.way_count > 0)
        n->choices.due = 0; /* at once */
}

void svr__choices_figures(svr_node *n, svr_time now)
{
    const svr_time pause = SVR_SECOND; /* for what changes about that time */

    if (n->choices.way_count > 0 && n->choices.due > now + pause)
        n->choices.due = now + pause;
}

svr_time svr__choices_due(const svr_node *n)
{
    return n->choices.due;
}

void svr__choices_run(svr_node *n, svr_time now)
{
    enum { BATCH = 64 };
    svr__choices *h = &n->choices;

    if (now < h->due)
        return;
    if (h->next == 0)
        h->generation++;
    for (int i = 0; i < BATCH && h->next < n->service_count; i++, h->next++)
        if (h->chosen[h->next] && n->going[h->next])
            svr__choose(n, (int)h->next, now);
    if (h->next < n->service_count)
        return; /* it is still due */
    h->next = 0;
    h->due = svr__loads_due(n, now);
    if (h->changed)
        svr__moves_begin_all(n, now);
    h->changed = false;
}
