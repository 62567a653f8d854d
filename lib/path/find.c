#include "path/find.h"

#include "base/mos.h"

#include <string.h>

/* ---- scratch ---- */

/* Hands out pieces of scratch; without memory it counts. */
typedef struct arena {
    uint8_t *base;
    size_t used; /* SIZE_MAX - ALIGNMENT: more than can be expressed */
} arena;

enum { ALIGNMENT = 16 };

static void *take(arena *a, size_t count, size_t size)
{
    void *p = a->base ? a->base + a->used : NULL;

    if (count > (SIZE_MAX - ALIGNMENT - a->used) / size) {
        a->used = SIZE_MAX - ALIGNMENT;
        return NULL;
    }
    a->used += (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return p;
}

static svr__trail *take_trails(arena *a, size_t count, size_t hops)
{
    svr__trail *trails = take(a, count, sizeof(*trails));

    for (size_t i = 0; i < count; i++) {
        uint32_t *edges = take(a, hops, sizeof(*edges));
        if (trails)
            trails[i].edges = edges;
    }
    return trails;
}

/* How many of the tables of distances a query may need. */
static unsigned count_tables(const svr_path_query *q)
{
    if (q->quality_filter)
        return SVR__RESOURCES + 1;
    return q->criterion == SVR_PATH_MOS ? 3 : 2;
}

static bool needs_labels(const svr_path_query *q)
{
    return q->quality_filter || q->criterion == SVR_PATH_MOS ||
           q->max_hops != SVR_PATH_NO_LIMIT;
}

static void lay_out_labels(svr__search *s, arena *a, size_t routers)
{
    uint32_t each = needs_labels(s->q) ? s->per_router : 1;
    /* one more, for the label that is being looked at */
    size_t count = routers * each + 1;

    if (count > UINT32_MAX / 2)
        count = UINT32_MAX / 2;
    s->label_cap = (uint32_t)count;
    s->labels = take(a, count, sizeof(*s->labels));
    s->heap.entries = take(a, count, sizeof(*s->heap.entries));
    s->heap.place = take(a, count, sizeof(*s->heap.place));
}

static void lay_out(svr__ranking *r, arena *a, const svr_topology *t,
                    const svr_path_query *q)
{
    svr__search *s = &r->search;
    size_t routers = t->router_count;

    s->q = q;
    s->g = svr__graph_of(t);
    s->demand = q->demand ? q->demand : 1;
    s->per_router = q->labels ? q->labels : SVR_PATH_LABELS;
    r->count = q->count;
    s->target = take(a, routers, sizeof(*s->target));
    s->router = take(a, routers, sizeof(*s->router));
    s->link_closed = take(a, t->edge_count, sizeof(*s->link_closed));
    for (unsigned i = 0; i < count_tables(q); i++)
        s->table[i] = take(a, routers, sizeof(*s->table[i]));
    lay_out_labels(s, a, routers);
    r->ranked = take_trails(a, q->count, routers);
    r->candidates = take_trails(a, q->count, routers);
    r->found = take_trails(a, q->count, routers);
    r->banned = take(a, q->count, sizeof(*r->banned));
}

size_t svr_path_scratch_size(const svr_topology *t, const svr_path_query *q)
{
    svr__ranking r;
    arena a = {0};

    if (svr__query_check(t, q) != 0)
        return 0;
    take(&a, 1, sizeof(r));
    lay_out(&r, &a, t, q);
    return a.used < SIZE_MAX - ALIGNMENT ? a.used : 0;
}

static svr__ranking *begin(const svr_topology *t, const svr_path_query *q,
                           void *scratch)
{
    arena a = {.base = scratch};
    svr__ranking *r = take(&a, 1, sizeof(*r));

    *r = (svr__ranking){0};
    lay_out(r, &a, t, q);
    return r;
}

/* ---- a run ---- */

static void set_targets(svr__search *s, const svr_topology *t)
{
    const svr_path_query *q = s->q;

    memset(s->target, 0, t->router_count * sizeof(*s->target));
    if (q->to != SVR_PATH_NONE) {
        s->target[q->to] = true;
        return;
    }
    for (size_t i = 0; i < t->instance_count; i++) {
        const svr_path_instance *at = &t->instances[i];
        if (at->service == q->service &&
            (!s->rule.room || svr__room(at->capacity, at->load) >= s->demand))
            s->target[at->router] = true;
    }
}

static void set_closed(svr__search *s, const svr_topology *t)
{
    const svr_path_query *q = s->q;

    memset(s->router, 0, t->router_count * sizeof(*s->router));
    memset(s->link_closed, 0, t->edge_count * sizeof(*s->link_closed));
    s->stamp = 0;
    for (size_t i = 0; i < q->passed_count && !s->rule.any; i++)
        s->router[q->passed[i]].closed = SVR__CLOSED;
    s->router[q->from].closed = 0;
}

static uint16_t priority_of(const svr_path_edge *all, const svr_path_query *q,
                            const uint32_t *edges, uint32_t hops)
{
    uint16_t worst = 0;

    for (uint32_t i = 0; i < hops; i++) {
        uint16_t p =
            svr__priority(&all[edges[i]], q->priorities, q->priority_count);
        worst = p > worst ? p : worst;
    }
    return worst;
}

/* The next priority that an open pathway has; the last one where there is none
 * at first; -1: no more. */
static int next_level(svr__search *s, int level)
{
    const svr_path_query *q = s->q;
    uint16_t last = s->rule.any ? SVR_PATH_NEVER : SVR_PATH_UNNAMED;
    int next = INT32_MAX;

    if (q->criterion != SVR_PATH_VECTOR)
        return level < 0 ? last : -1;
    s->rule.level = last;
    for (uint32_t i = 0; i < s->g.edge_count; i++) {
        const svr_path_edge *e = &s->g.edges[i];
        int p = svr__priority(e, q->priorities, q->priority_count);
        if (p > level && p < next && svr__edge_open(s, e))
            next = p;
    }
    if (next != INT32_MAX)
        return next;
    return level < 0 ? last : -1;
}

/* Vectors of better levels come up again and are left out. */
static void add_ranked(svr__ranking *r, int level_before)
{
    svr__rank(r);
    for (uint32_t i = 0; i < r->ranked_count && r->found_count < r->count; i++)
        if (level_before < 0 ||
            priority_of(r->search.g.edges, r->search.q, r->ranked[i].edges,
                        r->ranked[i].hops) > level_before)
            svr__trail_swap(&r->found[r->found_count++], &r->ranked[i]);
}

static bool is_disjoint(const svr__search *s)
{
    return s->q->disjoint != SVR_PATH_JOINT && !s->rule.any;
}

/* What a vector has used is closed to those that follow. */
static void close_trail(svr__search *s, const svr__trail *trail)
{
    for (uint32_t i = 0; i < trail->hops; i++) {
        const svr_path_edge *e = &s->g.edges[trail->edges[i]];
        s->link_closed[e->link] = true;
        if (s->q->disjoint == SVR_PATH_DISJOINT_ROUTERS && i + 1 < trail->hops)
            s->router[e->to].closed = SVR__CLOSED;
    }
}

static void add_disjoint(svr__ranking *r)
{
    svr__search *s = &r->search;
    uint32_t label;

    while (r->found_count < r->count) {
        svr__trail *next = &r->found[r->found_count];
        svr__start start = {.edges = r->banned};
        /* that the service leaves here can be said once */
        start.end_banned = r->found_count > 0 && r->found[0].hops == 0;
        label = svr__search_run(s, &start);
        if (label == SVR_PATH_NONE)
            return;
        svr__trail_take(s, &start, label, next);
        close_trail(s, next);
        r->found_count++;
    }
}

static void add(svr__ranking *r, int level_before, bool whole)
{
    r->search.cut = false;
    svr__search_prepare(&r->search, whole);
    if (is_disjoint(&r->search))
        add_disjoint(r);
    else
        add_ranked(r, level_before);
}

/* Back to the first so many vectors, and what they have closed. */
static void reopen(svr__ranking *r, const svr_topology *t, uint32_t count)
{
    r->found_count = count;
    set_closed(&r->search, t);
    for (uint32_t i = 0; i < count && is_disjoint(&r->search); i++)
        close_trail(&r->search, &r->found[i]);
}

static void run(svr__ranking *r, const svr_topology *t, svr__rule rule)
{
    svr__search *s = &r->search;
    uint32_t found;
    int before = -1;

    s->rule = rule;
    r->found_count = 0;
    set_targets(s, t);
    set_closed(s, t);
    for (int level; r->found_count < r->count; before = level) {
        level = next_level(s, before);
        if (level < 0)
            return;
        s->rule.level = (uint16_t)level;
        found = r->found_count;
        add(r, before, false);
        /* whole distances leave fewer labels to look at */
        if (s->cut) {
            reopen(r, t, found);
            add(r, before, true);
        }
        r->cut |= s->cut;
    }
}

/* ---- the answer ---- */

static uint32_t least(uint32_t x, uint32_t y)
{
    return x < y ? x : y;
}

static void describe(const svr_topology *t, const svr_path_query *q,
                     const uint32_t *edges, uint32_t hops, svr_vector *v)
{
    uint32_t end = hops ? t->edges[edges[hops - 1]].to : q->from;
    uint64_t attenuation = 0;

    *v = (svr_vector){
        .edges = edges,
        .hops = hops,
        .router = end,
        .instance = svr__instance_at(t, q, end),
        .priority = priority_of(t->edges, q, edges, hops),
        .capacity = UINT32_MAX,
        .room = UINT32_MAX,
    };
    for (uint32_t i = 0; i < hops; i++) {
        const svr_path_edge *e = &t->edges[edges[i]];
        v->latency_us += svr__figure(e->latency_us);
        v->jitter_us += svr__figure(e->jitter_us);
        v->cost += svr__figure(e->cost);
        attenuation += svr__attenuation(e->loss_ppm);
        v->capacity = least(v->capacity, e->capacity);
        v->room = least(v->room, svr__room(e->capacity, e->load));
    }
    if (v->instance != SVR_PATH_NONE) {
        const svr_path_instance *at = &t->instances[v->instance];
        v->capacity = least(v->capacity, at->capacity);
        v->room = least(v->room, svr__room(at->capacity, at->load));
    }
    v->loss_ppm = svr__attenuation_loss(attenuation);
    v->mos = svr__mos(v->latency_us + 2 * v->jitter_us, v->loss_ppm);
    svr__vector_judge(t, q, v);
}

static ptrdiff_t answer(const svr__ranking *r, const svr_topology *t,
                        svr_vector *out, size_t max)
{
    size_t count = r->found_count < max ? r->found_count : max;

    for (size_t i = 0; i < count; i++)
        describe(t, r->search.q, r->found[i].edges, r->found[i].hops, &out[i]);
    svr__balance(r->search.q, out, count);
    return (ptrdiff_t)count;
}

static void fill_note(svr_path_note *note, const svr__ranking *r,
                      bool best_effort)
{
    if (note)
        *note = (svr_path_note){.best_effort = best_effort,
                                .cut = r->cut,
                                .labels = r->search.looked};
}

ptrdiff_t svr_path_find(const svr_topology *t, const svr_path_query *q,
                        svr_vector *out, size_t max, svr_path_note *note,
                        void *scratch)
{
    svr__ranking *r;
    bool best_effort = false;

    if (svr__query_check(t, q) != 0)
        return SVR_ERR_ARGUMENT;
    r = begin(t, q, scratch);
    run(r, t, (svr__rule){.room = true, .limits = q->quality_filter});
    if (r->found_count == 0 && q->best_effort) {
        run(r, t, (svr__rule){0});
        best_effort = r->found_count > 0;
    }
    fill_note(note, r, best_effort);
    return answer(r, t, out, max);
}

ptrdiff_t svr_path_explain(const svr_topology *t, const svr_path_query *q,
                           svr_vector *out, size_t max, svr_path_note *note,
                           void *scratch)
{
    svr__ranking *r;

    if (svr__query_check(t, q) != 0)
        return SVR_ERR_ARGUMENT;
    r = begin(t, q, scratch);
    run(r, t, (svr__rule){.any = true});
    fill_note(note, r, false);
    return answer(r, t, out, max);
}

int svr_path_measure(const svr_topology *t, const svr_path_query *q,
                     const uint32_t *edges, uint32_t hops, svr_vector *out)
{
    uint32_t at = q->from;

    if (svr__query_check(t, q) != 0)
        return SVR_ERR_ARGUMENT;
    for (uint32_t i = 0; i < hops; i++) {
        if (edges[i] >= t->edge_count || t->edges[edges[i]].from != at)
            return SVR_ERR_ARGUMENT;
        at = t->edges[edges[i]].to;
    }
    describe(t, q, edges, hops, out);
    return 0;
}
