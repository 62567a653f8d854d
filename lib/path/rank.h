/*
 * rank.h - the k best vectors under one rule.
 *
 * Yen's way with Lawler's saving: all other vectors part from the best one at
 * one of its routers; the best of each such set is a candidate, and the best
 * candidate is the next vector, from which sets part in turn.
 */
#ifndef SVR__PATH_RANK_H
#define SVR__PATH_RANK_H

#include "path/search.h"

/* A whole vector, in memory of its own. */
typedef struct svr__trail {
    uint32_t *edges;
    uint32_t hops;
    uint32_t parting; /* the router, counted from the first, where it parts from
                         the one that it came from */
    svr__label total;
} svr__trail;

typedef struct svr__ranking {
    svr__search search;
    uint32_t count;     /* how many are wanted; of each array below */
    svr__trail *ranked; /* the answer of svr__rank */
    svr__trail *candidates;
    svr__trail *found; /* across rules; the caller's */
    uint32_t ranked_count, candidate_count, found_count;
    uint32_t *banned;
    bool cut; /* any search was */
} svr__ranking;

/* Fills `ranked`, best first. */
void svr__rank(svr__ranking *r);

/* Makes a trail of a start and the label that a search found behind it. */
void svr__trail_take(const svr__search *s, const svr__start *start,
                     uint32_t label, svr__trail *out);

/* Exchanges two trails, with their memory. */
void svr__trail_swap(svr__trail *x, svr__trail *y);

#endif
