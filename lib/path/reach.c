/* reach.c - how far it is to the end, from everywhere (Dijkstra, backwards). */
#include "path/search.h"

static svr__key weight_of(const svr__search *s, const svr_path_edge *e,
                          enum svr__resource r)
{
    if (r == SVR__RESOURCES)
        return svr__edge_key(s, e);
    return (svr__key){svr__edge_resource(e, r), 0};
}

/* Whether another distance has told already that a router is out of bounds. */
static bool is_lost(const svr__search *s, uint32_t router)
{
    for (unsigned r = 0; r < SVR__RESOURCES; r++)
        if (s->limits >> r & 1 && s->far[r] &&
            s->far[r][router].a > s->bound[r])
            return true;
    return false;
}

static void relax(svr__search *s, enum svr__resource r, uint64_t bound,
                  svr__key *far, svr__key base, const svr_path_edge *e)
{
    svr__key key;

    if (!svr__edge_open(s, e) || s->router[e->from].closed == SVR__CLOSED)
        return;
    key = svr__key_sum(base, weight_of(s, e, r));
    if (!svr__key_less(key, far[e->from]) || key.a > bound ||
        (s->limits && is_lost(s, e->from)))
        return;
    far[e->from] = key;
    svr__path_heap_lower(&s->heap, e->from, key);
}

/* No router that is left is nearer than the first in the heap. */
static void cap(svr__search *s, svr__key *far)
{
    svr__key radius = s->heap.entries[0].key;

    for (uint32_t i = 0; i < s->g.routers; i++)
        if (svr__key_less(radius, far[i]))
            far[i] = radius;
}

void svr__reach(svr__search *s, enum svr__resource r, uint64_t bound,
                uint32_t most, svr__key *far)
{
    const svr__graph *g = &s->g;

    s->heap.count = 0;
    s->heap.before = NULL;
    for (uint32_t i = 0; i < g->routers; i++) {
        far[i] = SVR__KEY_FAR;
        if (s->target[i] && s->router[i].closed != SVR__CLOSED) {
            far[i] = (svr__key){0, 0};
            svr__path_heap_lower(&s->heap, i, far[i]);
        }
    }
    for (uint32_t settled = 0; s->heap.count > 0; settled++) {
        if (settled == most) {
            cap(s, far);
            return;
        }
        svr__path_entry first = svr__path_heap_pop(&s->heap);
        uint32_t to = first.item;
        for (uint32_t i = g->in_first[to]; i < g->in_first[to + 1]; i++)
            relax(s, r, bound, far, first.key, &g->edges[g->in[i]]);
    }
}
