/*
 * search.h - one search for the best vector that begins in a given way.
 *
 * Best first, guided by the distances of all routers to the end, which are
 * lower bounds (A*). A partial vector is a label; a router keeps those of which
 * none is better in all that counts. So no label enters a router twice: what it
 * would bring there costs more than what it had there before, and vectors are
 * loop-free without a check.
 */
#ifndef SVR__PATH_SEARCH_H
#define SVR__PATH_SEARCH_H

#include "path/graph.h"
#include "path/heap.h"
#include "path/loss.h"

/* What adds up along a vector. */
enum svr__resource {
    SVR__LATENCY,
    SVR__JITTER,
    SVR__LOSS,  /* as attenuation */
    SVR__DELAY, /* latency and twice the jitter, for MOS */
    SVR__HOPS,
    SVR__RESOURCES
};

/* The low bits of a key's second word count hops. */
#define SVR__HOP_BITS 20
#define SVR__HOP_MASK (((uint64_t)1 << SVR__HOP_BITS) - 1)

/* The way from the query's router to this one. */
typedef struct svr__label {
    svr__key key; /* cost, latency, hops in the criterion's order */
    uint64_t latency, jitter, attenuation;
    uint32_t router;
    uint32_t edge, parent; /* how it came here; SVR_PATH_NONE: it began here */
    uint32_t next;         /* of the same router, or of the free ones */
} svr__label;

/* What one search lets through. */
typedef struct svr__rule {
    bool any;    /* everything: no state, room, limit or closed router counts */
    bool room;   /* pathways and ends need room */
    bool limits; /* the query's limits hold */
    uint16_t level; /* the worst priority that is open */
} svr__rule;

typedef struct svr__router {
    uint32_t stamp;  /* the search that first and held belong to */
    uint32_t first;  /* its labels */
    uint32_t held;   /* how many */
    uint32_t closed; /* to the search of this stamp, or SVR__CLOSED */
} svr__router;

#define SVR__CLOSED UINT32_MAX

typedef struct svr__search svr__search;
struct svr__search {
    svr__graph g;
    const svr_path_query *q;
    svr__rule rule;
    uint32_t demand;

    unsigned limits; /* resources with a bound, as bits */
    unsigned counts; /* resources that make a label worth keeping */
    uint64_t bound[SVR__RESOURCES];
    bool single; /* one label at a router is enough */
    bool adds_loss;
    bool bounded; /* at most q->labels are kept at one */

    /* Distances to the end; NULL: not needed. */
    svr__key *far_key, *far[SVR__RESOURCES];
    svr__key *table[SVR__RESOURCES + 1]; /* room for them */

    bool *target; /* of routers */
    svr__router *router;
    bool *link_closed;
    uint32_t stamp;

    svr__label *labels;
    uint32_t label_cap, label_count, free, per_router;
    svr__path_heap heap;

    svr__key most; /* what promises no less than this is left out */
    void (*add)(struct svr__search *s, const svr__label *l);

    bool cut;
    size_t looked;
};

/* How a vector is to begin: these edges, and then none of `banned`; nor may it
 * end there if end_banned. */
typedef struct svr__start {
    const uint32_t *edges;
    uint32_t hops;
    const uint32_t *banned;
    size_t banned_count;
    bool end_banned;
    const svr__label *most; /* a vector worse than this one is not wanted; NULL:
                               any is */
} svr__start;

/* The label of nothing, and a label one edge further; parent and next are left
 * to the caller. */
svr__label svr__label_begin(const svr__search *s);
svr__label svr__label_extend(const svr__search *s, const svr__label *l,
                             uint32_t edge);

/* Below, equal to or above 0 as x is better, as good or worse than y by the
 * criterion. Names do not count. */
int svr__label_compare(const svr__search *s, const svr__label *x,
                       const svr__label *y);

/* Whether the run's rule lets an edge through. */
bool svr__edge_open(const svr__search *s, const svr_path_edge *e);

/* Sets limits and distances for the rule: distances of all routers, or of those
 * about the end. These are soon made and lead as well, where only one search
 * follows. */
void svr__search_prepare(svr__search *s, bool whole);

/* The label at the end of the best vector, or SVR_PATH_NONE. Labels are good
 * until the next search. */
uint32_t svr__search_run(svr__search *s, const svr__start *start);

/* The distances of all routers to the nearest target: in a resource, or by the
 * criterion's key where r is SVR__RESOURCES. Those beyond bound are not needed.
 * Those of the `most` nearest are exact, those of all others are the least that
 * they can be. In reach.c. */
void svr__reach(svr__search *s, enum svr__resource r, uint64_t bound,
                uint32_t most, svr__key *far);

/* What an edge adds, in the order of SVR_PATH_LATENCY. */
static inline svr__key svr__latency_key(const svr_path_edge *e)
{
    return (svr__key){svr__figure(e->latency_us),
                      (uint64_t)svr__figure(e->cost) << SVR__HOP_BITS | 1};
}

/* And in the query's order. */
static inline svr__key svr__edge_key(const svr__search *s,
                                     const svr_path_edge *e)
{
    if (s->q->criterion == SVR_PATH_LATENCY)
        return svr__latency_key(e);
    return (svr__key){svr__figure(e->cost), (uint64_t)svr__figure(e->latency_us)
                                                    << SVR__HOP_BITS |
                                                1};
}

static inline uint64_t svr__edge_resource(const svr_path_edge *e,
                                          enum svr__resource r)
{
    switch (r) {
    case SVR__LATENCY:
        return svr__figure(e->latency_us);
    case SVR__JITTER:
        return svr__figure(e->jitter_us);
    case SVR__LOSS:
        return e->loss_ppm ? svr__attenuation(e->loss_ppm) : 0;
    case SVR__DELAY:
        return svr__figure(e->latency_us) +
               2 * (uint64_t)svr__figure(e->jitter_us);
    default:
        return 1;
    }
}

static inline uint64_t svr__label_resource(const svr__label *l,
                                           enum svr__resource r)
{
    switch (r) {
    case SVR__LATENCY:
        return l->latency;
    case SVR__JITTER:
        return l->jitter;
    case SVR__LOSS:
        return l->attenuation;
    case SVR__DELAY:
        return l->latency + 2 * l->jitter;
    default:
        return l->key.b & SVR__HOP_MASK;
    }
}

#endif
