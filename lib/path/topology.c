/* topology.c - the index of a topology. */
#include "base/sort.h"
#include "path/graph.h"

#include <string.h>

/* Of each array in the index, in words of 32 bits. */
static size_t index_words(const svr_topology *t)
{
    return t->router_count + 2 * (t->router_count + 1) + 3 * t->edge_count;
}

size_t svr_topology_index_size(const svr_topology *t)
{
    if (t->router_count > SVR_PATH_ROUTERS_MAX ||
        t->edge_count > SVR_PATH_EDGES_MAX ||
        t->instance_count > SVR_PATH_EDGES_MAX)
        return 0;
    return index_words(t) * sizeof(uint32_t);
}

svr__graph svr__graph_of(const svr_topology *t)
{
    svr__graph g = {
        .edges = t->edges,
        .routers = (uint32_t)t->router_count,
        .edge_count = (uint32_t)t->edge_count,
    };

    g.rank = t->index;
    g.out_first = g.rank + g.routers;
    g.in_first = g.out_first + g.routers + 1;
    g.out = g.in_first + g.routers + 1;
    g.in = g.out + g.edge_count;
    g.in_place = g.in + g.edge_count;
    return g;
}

static bool is_sound(const svr_topology *t)
{
    for (size_t i = 0; i < t->router_count; i++)
        if (!t->routers[i])
            return false;
    for (size_t i = 0; i < t->edge_count; i++) {
        const svr_path_edge *e = &t->edges[i];
        if (!e->name || e->from >= t->router_count ||
            e->to >= t->router_count || e->from == e->to ||
            e->link >= t->edge_count)
            return false;
    }
    for (size_t i = 0; i < t->instance_count; i++)
        if (t->instances[i].router >= t->router_count)
            return false;
    return true;
}

static int compare_number(uint32_t x, uint32_t y)
{
    return (x > y) - (x < y);
}

static int compare_routers(const void *a, const void *b, const void *context)
{
    const svr_topology *t = context;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int order = strcmp(t->routers[x], t->routers[y]);

    return order ? order : compare_number(x, y);
}

/* Edges into one router. */
static int compare_edges(const void *a, const void *b, const void *context)
{
    const svr__graph *g = context;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    const svr_path_edge *e = &g->edges[x], *f = &g->edges[y];
    int order = compare_number(g->rank[e->from], g->rank[f->from]);

    if (order == 0)
        order = strcmp(e->name, f->name);
    return order ? order : compare_number(x, y);
}

/* The order of names in `order`, then each router's place in it in `rank`. */
static void rank_routers(const svr_topology *t, uint32_t *rank, uint32_t *order)
{
    for (uint32_t i = 0; i < t->router_count; i++)
        order[i] = i;
    svr__sort(order, t->router_count, sizeof(*order), compare_routers, t);
    for (uint32_t i = 0; i < t->router_count; i++)
        rank[order[i]] = i;
}

static uint32_t end_of(const svr_path_edge *e, bool in)
{
    return in ? e->to : e->from;
}

/* Edges by the router that they leave or enter: count, add up, put. */
static void group_edges(const svr_topology *t, bool in, uint32_t *first,
                        uint32_t *list)
{
    memset(first, 0, (t->router_count + 1) * sizeof(*first));
    for (size_t i = 0; i < t->edge_count; i++)
        first[end_of(&t->edges[i], in)]++;
    for (size_t r = 1; r <= t->router_count; r++)
        first[r] += first[r - 1];
    for (size_t i = t->edge_count; i-- > 0;)
        list[--first[end_of(&t->edges[i], in)]] = (uint32_t)i;
}

int svr_topology_index(svr_topology *t, void *memory)
{
    uint32_t *rank = memory, *out_first, *in_first, *out, *in, *in_place;
    svr__graph g;

    if (svr_topology_index_size(t) == 0 || !is_sound(t))
        return SVR_ERR_ARGUMENT;
    out_first = rank + t->router_count;
    in_first = out_first + t->router_count + 1;
    out = in_first + t->router_count + 1;
    in = out + t->edge_count;
    in_place = in + t->edge_count;

    rank_routers(t, rank, out_first); /* which is not needed yet */
    group_edges(t, false, out_first, out);
    group_edges(t, true, in_first, in);
    t->index = rank;
    g = svr__graph_of(t);
    for (uint32_t r = 0; r < g.routers; r++)
        svr__sort(in + in_first[r], in_first[r + 1] - in_first[r], sizeof(*in),
                  compare_edges, &g);
    for (uint32_t i = 0; i < g.edge_count; i++)
        in_place[in[i]] = i;
    return 0;
}
