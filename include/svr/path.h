/*
 * path.h - which way through the network (S16): from a topology with its
 * figures and a query with its policy to an ordered list of whole vectors.
 *
 * All here is a pure function of its arguments, in memory of the caller: the
 * same topology and query give the same answer on every router. Whole numbers
 * throughout; what is left equal is decided by names.
 *
 * Vectors are loop-free. They are searched exactly, or the answer says that a
 * bound cut the search (svr_path_note).
 */
#ifndef SVR_PATH_H
#define SVR_PATH_H

#include <svr/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* No router, no instance, no pathway. */
#define SVR_PATH_NONE UINT32_MAX

/* The most routers, pathways and instances of a topology. */
#define SVR_PATH_ROUTERS_MAX ((size_t)1 << 20)
#define SVR_PATH_EDGES_MAX ((size_t)1 << 28)

/* Latencies, jitters and costs above this count as this. */
#define SVR_PATH_FIGURE_MAX (((uint32_t)1 << 24) - 1)

/* ---- the topology ---- */

/* One direction of a pathway. Capacities and loads, here and of instances, are
 * in one unit of the caller's, kbit/s for example. */
typedef struct svr_path_edge {
    const char *name; /* of the pathway, where it begins */
    uint32_t from, to;
    uint32_t link; /* what both directions share, below edge_count: its own
                      index or the other direction's, for example */
    uint32_t latency_us, jitter_us;
    uint32_t loss_ppm; /* a million: nothing comes through, as if down */
    uint32_t cost;
    uint32_t capacity, load; /* UINT32_MAX: without limit; 0: none at all */
    uint16_t vector;         /* which vector name, or which set of names, it
                                has: a place in the query's priorities */
    bool up;
} svr_path_edge;

/* A service's way out at a router. */
typedef struct svr_path_instance {
    uint32_t service; /* a number of the caller's */
    uint32_t router;
    uint32_t capacity, load;
} svr_path_instance;

/*
 * Routers are named by their place. Names should differ: of two that are the
 * same the one listed first comes first.
 *
 * index is what svr_topology_index made. It stays good while figures, states,
 * vectors, links and instances change, but not names, ends or counts.
 */
typedef struct svr_topology {
    const char *const *routers;
    size_t router_count;
    const svr_path_edge *edges;
    size_t edge_count;
    const svr_path_instance *instances;
    size_t instance_count;
    const uint32_t *index;
} svr_topology;

/* How many bytes the index of this topology takes; 0 where the counts pass
 * their limits. */
SVR_API size_t svr_topology_index_size(const svr_topology *t);

/* Makes the index in memory of that size, aligned for uint32_t, and lets t
 * point to it. 0, or SVR_ERR_ARGUMENT: a count beyond its limit, a name that is
 * NULL, an edge or an instance at a router that is not there, an edge from a
 * router to itself, a link out of range. */
SVR_API SVR_MUST_CHECK int svr_topology_index(svr_topology *t, void *memory);

/* ---- the query ---- */

/* Priorities of vectors: lower ones win (S16.2). */
#define SVR_PATH_NEVER 0xffff   /* not even as best effort */
#define SVR_PATH_UNNAMED 0xfffe /* of vectors that the policy does not name */
#define SVR_PATH_NO_LIMIT UINT32_MAX

/*
 * What makes one vector better than another. Where the first figure is equal,
 * the next one decides, and in the end the names: of the router where the
 * vectors end, then of the pathways and their beginnings, from the end of the
 * vector backwards.
 */
enum svr_path_criterion {
    SVR_PATH_VECTOR,  /* priority of its worst pathway, cost, latency, hops */
    SVR_PATH_LATENCY, /* latency, cost, hops */
    SVR_PATH_MOS,     /* rating of S14.7, latency and twice the jitter, loss,
                         cost, latency, hops */
};

/* Equals have the same priority, latency or MOS, whichever is the criterion,
 * and the same cost. The answer has them in this order: */
enum svr_path_balance {
    SVR_PATH_BALANCE_NONE,
    SVR_PATH_HUNT,         /* the one with the most room first */
    SVR_PATH_PROPORTIONAL, /* first the one that `draw` falls on, where each
                              has a share as large as its capacity */
};

/* Each vector of the answer is then the best of those that share nothing with
 * the ones before it. */
enum svr_path_disjoint {
    SVR_PATH_JOINT,
    SVR_PATH_DISJOINT_LINKS,   /* no link twice */
    SVR_PATH_DISJOINT_ROUTERS, /* nor a router, but for first and last */
};

typedef struct svr_path_query {
    uint32_t from;          /* the router that asks */
    uint32_t service;       /* where the service is, */
    uint32_t to;            /* or this router; SVR_PATH_NONE: service counts */
    const uint32_t *passed; /* routers that must not be entered (S16.4) */
    size_t passed_count;
    const uint16_t *priorities; /* of vectors, by svr_path_edge.vector */
    size_t priority_count;
    enum svr_path_criterion criterion;
    enum svr_path_balance balance;
    enum svr_path_disjoint disjoint;
    uint32_t draw;       /* of the session, evenly spread: a hash of its UUID */
    uint32_t demand;     /* room wanted; where nothing has 1, it is full */
    uint32_t max_hops;   /* pathways of a vector; holds for best effort, too */
    bool quality_filter; /* whether the limits that follow count */
    uint32_t max_latency_us, max_jitter_us, max_loss_ppm;
    uint16_t min_mos; /* thousandths; 0: no limit */
    bool best_effort; /* if nothing has room and keeps the limits: the best
                         that does not */
    uint32_t count;   /* how many vectors are wanted: 1 to SVR_PATH_COUNT_MAX */
    uint32_t labels;  /* the bound told below, up to SVR_PATH_LABELS_MAX */
} svr_path_query;

#define SVR_PATH_LABELS 16
#define SVR_PATH_LABELS_MAX 4096
#define SVR_PATH_COUNT_MAX 4096

/* The defaults of S16.2: one vector, by priority; the filter is off, with 250
 * ms, 100 ms and 0.5 %; best effort is on; no limit of hops, no demand. */
SVR_API void svr_path_query_init(svr_path_query *q);

/* ---- the answer ---- */

/*
 * Why a vector is refused: the first that holds, in this order.
 * X(NAME, "name", "text")
 */
#define SVR_PATH_REASON_MAP(X)                                               \
    X(NONE, "none", "nothing is wrong")                                      \
    X(DOWN, "down", "a pathway is down")                                     \
    X(DEAD, "dead", "a pathway loses everything")                            \
    X(NEVER, "never", "a pathway has a vector that the policy forbids")      \
    X(PASSED, "passed", "it enters a router that was passed")                \
    X(HOPS, "hops", "it has more hops than allowed")                         \
    X(FULL, "full", "a pathway has no room")                                 \
    X(SERVICE_FULL, "service_full", "the service has no room where it ends") \
    X(LATENCY, "latency", "its latency is too long")                         \
    X(JITTER, "jitter", "its jitter is too large")                           \
    X(LOSS, "loss", "it loses too much")                                     \
    X(MOS, "mos", "its MOS is too low")

enum svr_path_reason {
#define X(name, id, text) SVR_PATH_REASON_##name,
    SVR_PATH_REASON_MAP(X)
#undef X
        SVR_PATH_REASONS
};

/* Static storage; "unknown" where out of range. */
SVR_API const char *svr_path_reason_name(enum svr_path_reason r);
SVR_API const char *svr_path_reason_text(enum svr_path_reason r);

/* A whole vector. edges lies in the scratch that it was found with, and is good
 * until that is used again. No hops: the service leaves here. */
typedef struct svr_vector {
    const uint32_t *edges;
    uint32_t hops;
    uint32_t router;   /* where it ends */
    uint32_t instance; /* and the instance there; SVR_PATH_NONE where the query
                          named a router */
    uint64_t latency_us, jitter_us, cost; /* sums */
    uint32_t loss_ppm;                    /* 1 - product of 1 - loss */
    uint16_t mos;                         /* of these figures (S14.7) */
    uint16_t priority;                    /* of its worst pathway */
    uint32_t capacity, room;     /* bottlenecks, with the instance; room is what
                                    load leaves */
    enum svr_path_reason reason; /* which limit it breaks, if any */
    uint32_t where;              /* the edge to blame, or SVR_PATH_NONE */
    uint64_t value, bound; /* figure and limit of the reason, in the units of
                              vector and query */
} svr_vector;

/* What else there is to know of an answer. */
typedef struct svr_path_note {
    bool best_effort; /* nothing met the conditions; these do not either */
    bool cut;         /* a bound stopped the search: better ones may exist */
    size_t labels;    /* partial vectors that were looked at */
} svr_path_note;

/* How many bytes of scratch a query takes; 0 where the topology has no index or
 * the query is not valid. Grows with routers, edges, count and labels. */
SVR_API size_t svr_path_scratch_size(const svr_topology *t,
                                     const svr_path_query *q);

/*
 * The best vectors, best first, at most q->count and max of them. scratch has
 * svr_path_scratch_size bytes, aligned for any type; what it holds does not
 * matter. note may be NULL.
 *
 * An instance without room is no end and a pathway without room is no way,
 * unless as best effort. Where several instances stand at one router, the one
 * with the most room counts, or the first listed of those.
 *
 * Answers how many there are; 0: there is no way. SVR_ERR_ARGUMENT: no index,
 * or a query that is not valid: a router that is not there, count 0, an enum
 * out of range.
 *
 * Cost. Without limits: one search, E log V for E edges and V routers; each
 * further vector searches again from every hop of the one before, each time
 * guided by distances to the end. With limits one more search for each of
 * them, and partial vectors ("labels") are kept at each router as long as none
 * is better in all that counts. With one limit, or by MOS without limits, there
 * is no bound for a router, and the answer is exact unless all labels, which
 * are routers times q->labels, are used up. With more of them at most q->labels
 * stay at a router. labels 0 is SVR_PATH_LABELS. By vectors: all this for each
 * priority, until there are enough.
 */
SVR_API ptrdiff_t svr_path_find(const svr_topology *t, const svr_path_query *q,
                                svr_vector *out, size_t max,
                                svr_path_note *note, void *scratch);

/* The best vectors if there were no conditions at all: pathways that are down
 * or forbidden, limits, room and routers passed do not count, nor does
 * disjoint. Each with the reason for which svr_path_find refuses it. Otherwise
 * as svr_path_find. */
SVR_API ptrdiff_t svr_path_explain(const svr_topology *t,
                                   const svr_path_query *q, svr_vector *out,
                                   size_t max, svr_path_note *note,
                                   void *scratch);

/* What such a list of edges, each of which begins where the one before ends,
 * comes to: figures and reason as svr_path_find has them. edges is what
 * out->edges points to then. SVR_ERR_ARGUMENT: the query is not valid, or this
 * is no way from its router; where it ends does not matter. */
SVR_API SVR_MUST_CHECK int svr_path_measure(const svr_topology *t,
                                            const svr_path_query *q,
                                            const uint32_t *edges,
                                            uint32_t hops, svr_vector *out);

/* ---- a tree that is kept ---- */

/*
 * The best vectors by SVR_PATH_LATENCY from one router to all others, without
 * limits, kept up to date: a change costs about as much as what it changes, and
 * the answers are those of svr_path_find.
 */
typedef struct svr_path_tree svr_path_tree;

SVR_API size_t svr_path_tree_size(const svr_topology *t);

/* Makes it in memory of that size, aligned for any type. topology and
 * priorities stay with the tree; only what is SVR_PATH_NEVER there matters.
 * NULL: no index, or from is not there. */
SVR_API svr_path_tree *svr_path_tree_init(void *memory, const svr_topology *t,
                                          uint32_t from,
                                          const uint16_t *priorities,
                                          size_t priority_count);

/* To be called after the figures, the state or the vector of an edge changed;
 * until then the tree answers as if they had not. How many routers got another
 * distance or another last pathway, or SVR_ERR_ARGUMENT where there is no such
 * edge. */
SVR_API ptrdiff_t svr_path_tree_change(svr_path_tree *tree, uint32_t edge);

/* The last pathway on the way to a router, or SVR_PATH_NONE: no way, or the
 * tree's own router. */
SVR_API uint32_t svr_path_tree_last(const svr_path_tree *tree, uint32_t router);

/* The latency to a router; false where there is no way. */
SVR_API bool svr_path_tree_latency(const svr_path_tree *tree, uint32_t router,
                                   uint64_t *latency_us);

/* The edges on the way to a router, into edges[max]. How many, 0 for the tree's
 * own router; SVR_ERR_NOT_FOUND: no way; SVR_ERR_NO_SPACE: more than max. */
SVR_API ptrdiff_t svr_path_tree_way(const svr_path_tree *tree, uint32_t router,
                                    uint32_t *edges, size_t max);

#ifdef __cplusplus
}
#endif

#endif
