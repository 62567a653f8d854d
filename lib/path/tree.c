/*
 * tree.c - a tree of shortest ways that follows changes, in the manner of
 * Ramalingam and Reps: only routers whose distance changes are settled again.
 *
 * The tree remembers what each edge weighed when it heard of it last.
 */
#include "path/search.h"

struct svr_path_tree {
    svr__graph g;
    const uint16_t *priorities;
    size_t priority_count;
    uint32_t from;
    svr__key *weight;   /* of edges; SVR__KEY_FAR: closed */
    svr__key *distance; /* of routers; SVR__KEY_FAR: no way */
    uint32_t *last;     /* edge of the way */
    uint32_t *queue;    /* routers whose way is lost */
    bool *lost;
    svr__path_heap heap;
    size_t changed;
};

enum { ALIGNMENT = 16 };

/* Each array begins aligned. */
static size_t padded(size_t count, size_t size)
{
    return (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

size_t svr_path_tree_size(const svr_topology *t)
{
    size_t routers = t->router_count;

    return padded(1, sizeof(svr_path_tree)) +
           padded(t->edge_count, sizeof(svr__key)) +
           padded(routers, sizeof(svr__key)) +
           3 * padded(routers, sizeof(uint32_t)) +
           padded(routers, sizeof(bool)) +
           padded(routers, sizeof(svr__path_entry));
}

static svr__key weigh(const svr_path_tree *tree, uint32_t edge)
{
    const svr_path_edge *e = &tree->g.edges[edge];

    if (!e->up || e->loss_ppm >= SVR__PPM_ALL ||
        svr__priority(e, tree->priorities, tree->priority_count) ==
            SVR_PATH_NEVER)
        return SVR__KEY_FAR;
    return svr__latency_key(e);
}

/* A way through an edge; SVR__KEY_FAR: none. */
static svr__key through(const svr_path_tree *tree, uint32_t edge)
{
    svr__key begin = tree->distance[tree->g.edges[edge].from];

    if (begin.a == UINT64_MAX || tree->weight[edge].a == UINT64_MAX)
        return SVR__KEY_FAR;
    return svr__key_sum(begin, tree->weight[edge]);
}

/* Takes the way through an edge where it is shorter, or as short and before
 * the present one by name. */
static void try_edge(svr_path_tree *tree, uint32_t edge)
{
    uint32_t to = tree->g.edges[edge].to, last = tree->last[to];
    svr__key way = through(tree, edge);

    if (way.a == UINT64_MAX || to == tree->from)
        return;
    if (svr__key_less(way, tree->distance[to])) {
        tree->distance[to] = way;
        tree->last[to] = edge;
        svr__path_heap_lower(&tree->heap, to, way);
    } else if (svr__key_equal(way, tree->distance[to]) &&
               tree->g.in_place[edge] < tree->g.in_place[last]) {
        tree->last[to] = edge;
        tree->changed++;
    }
}

static void settle(svr_path_tree *tree)
{
    const svr__graph *g = &tree->g;

    while (tree->heap.count > 0) {
        uint32_t from = svr__path_heap_pop(&tree->heap).item;
        tree->changed++;
        for (uint32_t i = g->out_first[from]; i < g->out_first[from + 1]; i++)
            try_edge(tree, g->out[i]);
    }
}

static void *cut(uint8_t **memory, size_t count, size_t size)
{
    void *p = *memory;

    *memory += padded(count, size);
    return p;
}

svr_path_tree *svr_path_tree_init(void *memory, const svr_topology *t,
                                  uint32_t from, const uint16_t *priorities,
                                  size_t priority_count)
{
    uint8_t *rest = memory;
    svr_path_tree *tree = cut(&rest, 1, sizeof(*tree));
    size_t routers = t->router_count;

    if (!t->index || from >= routers)
        return NULL;
    *tree = (svr_path_tree){.g = svr__graph_of(t),
                            .priorities = priorities,
                            .priority_count = priority_count,
                            .from = from};
    tree->weight = cut(&rest, t->edge_count, sizeof(*tree->weight));
    tree->distance = cut(&rest, routers, sizeof(*tree->distance));
    tree->last = cut(&rest, routers, sizeof(*tree->last));
    tree->queue = cut(&rest, routers, sizeof(*tree->queue));
    tree->heap.place = cut(&rest, routers, sizeof(*tree->heap.place));
    tree->lost = cut(&rest, routers, sizeof(*tree->lost));
    tree->heap.entries = cut(&rest, routers, sizeof(*tree->heap.entries));

    for (uint32_t i = 0; i < tree->g.edge_count; i++)
        tree->weight[i] = weigh(tree, i);
    for (size_t i = 0; i < routers; i++) {
        tree->distance[i] = SVR__KEY_FAR;
        tree->last[i] = SVR_PATH_NONE;
        tree->lost[i] = false;
    }
    tree->distance[from] = (svr__key){0, 0};
    svr__path_heap_lower(&tree->heap, from, tree->distance[from]);
    settle(tree);
    return tree;
}

/* ---- changes ---- */

/* The routers whose way leads through `first`: its part of the tree. */
static uint32_t collect_lost(svr_path_tree *tree, uint32_t first)
{
    const svr__graph *g = &tree->g;
    uint32_t count = 0;

    tree->queue[count++] = first;
    tree->lost[first] = true;
    for (uint32_t n = 0; n < count; n++) {
        uint32_t at = tree->queue[n];
        for (uint32_t i = g->out_first[at]; i < g->out_first[at + 1]; i++) {
            uint32_t edge = g->out[i], to = g->edges[edge].to;
            if (tree->last[to] == edge) {
                tree->queue[count++] = to;
                tree->lost[to] = true;
            }
        }
    }
    return count;
}

/* The best way into a router from those that have kept theirs. */
static void rejoin(svr_path_tree *tree, uint32_t router)
{
    const svr__graph *g = &tree->g;

    for (uint32_t i = g->in_first[router]; i < g->in_first[router + 1]; i++)
        if (!tree->lost[g->edges[g->in[i]].from])
            try_edge(tree, g->in[i]);
}

static void lengthen(svr_path_tree *tree, uint32_t edge)
{
    uint32_t to = tree->g.edges[edge].to, count;

    if (tree->last[to] != edge)
        return;
    count = collect_lost(tree, to);
    for (uint32_t i = 0; i < count; i++) {
        tree->distance[tree->queue[i]] = SVR__KEY_FAR;
        tree->last[tree->queue[i]] = SVR_PATH_NONE;
    }
    for (uint32_t i = 0; i < count; i++)
        rejoin(tree, tree->queue[i]);
    for (uint32_t i = 0; i < count; i++)
        tree->lost[tree->queue[i]] = false;
    settle(tree);
    tree->changed = count;
}

ptrdiff_t svr_path_tree_change(svr_path_tree *tree, uint32_t edge)
{
    svr__key before;

    if (edge >= tree->g.edge_count)
        return SVR_ERR_ARGUMENT;
    before = tree->weight[edge];
    tree->weight[edge] = weigh(tree, edge);
    tree->changed = 0;
    if (svr__key_less(before, tree->weight[edge])) {
        lengthen(tree, edge);
    } else if (svr__key_less(tree->weight[edge], before)) {
        try_edge(tree, edge);
        settle(tree);
    }
    return (ptrdiff_t)tree->changed;
}

/* ---- answers ---- */

uint32_t svr_path_tree_last(const svr_path_tree *tree, uint32_t router)
{
    return router < tree->g.routers ? tree->last[router] : SVR_PATH_NONE;
}

bool svr_path_tree_latency(const svr_path_tree *tree, uint32_t router,
                           uint64_t *latency_us)
{
    if (router >= tree->g.routers || tree->distance[router].a == UINT64_MAX)
        return false;
    *latency_us = tree->distance[router].a;
    return true;
}

ptrdiff_t svr_path_tree_way(const svr_path_tree *tree, uint32_t router,
                            uint32_t *edges, size_t max)
{
    size_t hops, left;

    if (router >= tree->g.routers || tree->distance[router].a == UINT64_MAX)
        return SVR_ERR_NOT_FOUND;
    hops = (size_t)(tree->distance[router].b & SVR__HOP_MASK);
    if (hops > max)
        return SVR_ERR_NO_SPACE;
    for (left = hops; left > 0; router = tree->g.edges[edges[left]].from)
        edges[--left] = tree->last[router];
    return (ptrdiff_t)hops;
}
