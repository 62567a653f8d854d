/*
 * graph.h - a topology with its index: who leads where, in the order of names.
 */
#ifndef SVR__PATH_GRAPH_H
#define SVR__PATH_GRAPH_H

#include <svr/path.h>

/* Edges of router r that leave it: out[out_first[r]] up to out_first[r + 1];
 * in likewise for those that enter. Those that enter stand in the order of
 * their beginnings' names, then of their own. */
typedef struct svr__graph {
    const svr_path_edge *edges;
    uint32_t routers, edge_count;
    const uint32_t *rank; /* of a router, by name */
    const uint32_t *out_first, *out;
    const uint32_t *in_first, *in;
    const uint32_t *in_place; /* of an edge in `in` */
} svr__graph;

svr__graph svr__graph_of(const svr_topology *t);

/* What a pathway's figures count as. */
static inline uint32_t svr__figure(uint32_t value)
{
    return value < SVR_PATH_FIGURE_MAX ? value : SVR_PATH_FIGURE_MAX;
}

/* What load leaves of a capacity. */
static inline uint32_t svr__room(uint32_t capacity, uint32_t load)
{
    if (capacity == UINT32_MAX)
        return UINT32_MAX;
    return capacity > load ? capacity - load : 0;
}

/* Of an edge, by the priorities of a query. */
static inline uint16_t svr__priority(const svr_path_edge *e,
                                     const uint16_t *priorities, size_t count)
{
    return e->vector < count ? priorities[e->vector] : SVR_PATH_UNNAMED;
}

#endif
