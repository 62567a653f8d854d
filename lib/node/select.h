/*
 * select.h - what the files share that take one of the ways of a service.
 *
 *   select.c     a new session, or one that leaves its next router, takes one
 *   leave.c      whether a session leaves the one that it has
 */
#ifndef SVR_LIB_NODE_SELECT_H
#define SVR_LIB_NODE_SELECT_H

#include "node/node.h"

/* Who asks, and what is left to be tried. */
struct svr__choice {
    svr_node *n;
    svr__session_plan *plan;     /* NULL: nothing is taken, */
    int service;                 /* for a session of this one */
    const svr__session *session; /* one that is there, or NULL */
    uint32_t place;              /* what was taken */
    const svr__route_range *range;
    const svr_service_policy *policy;
    svr__passed record;   /* as it came */
    uint16_t avoid;       /* a pathway */
    bool follow;          /* only to the next router of the record */
    enum svr_drop reason; /* why the last one was not taken */
    svr_time now;
};

static inline uint32_t svr__choice_route(const struct svr__choice *c,
                                         uint32_t place)
{
    return c->n->choices.order[c->range->first + place];
}

static inline const svr__way *svr__choice_way(const struct svr__choice *c,
                                              uint32_t place)
{
    return &c->n->choices.ways[svr__choice_route(c, place)];
}

static inline const svr__route *svr__choice_at(const struct svr__choice *c,
                                               uint32_t place)
{
    return &c->n->routes[svr__choice_route(c, place)];
}

/* A pass over the ways: of this rank, held down or not. */
struct svr__pass {
    uint8_t rank;
    bool held_down;
    bool full; /* those without room */
};

/* S20, S16.4: whether the way enters a router that was passed. */
bool svr__choice_circles(const struct svr__choice *c, uint32_t place);
/* What load leaves now. */
uint32_t svr__choice_room(const struct svr__choice *c, uint32_t place);
/* Takes the first way of the pass that works, or of all passes. False: none;
 * c->reason says why, if anything was against one. */
bool svr__choice_pass(struct svr__choice *c, const struct svr__pass *p);
bool svr__choice_all(struct svr__choice *c);
/* With a plan: the best way that the service's own ways do not have. */
bool svr__choice_past(struct svr__choice *c);

#endif
