/*
 * tour.h - walks over the sessions, a few at a time: what concerns every
 * session of a peer or of a pathway is told to the neighbours without a burst.
 *
 * A step is taken every 5 ms. It looks at a bounded number of sessions and
 * sends a bounded number of packets, fewer where the outbox is full. Sessions
 * that come behind a tour's back are as new as they should be.
 */
#ifndef SVR_LIB_NODE_TOUR_H
#define SVR_LIB_NODE_TOUR_H

#include "session/table.h"

#include <svr/node.h>

struct svr__tour;

/* What a tour does. */
typedef struct svr__tour_plan {
    enum {
        SVR__TOUR_PEER,    /* sides along any pathway to a peer */
        SVR__TOUR_PATHWAY, /* sides along a pathway */
        SVR__TOUR_ALL,     /* every side along a pathway */
    } scope;
    /* Such a side of a session, with room in the outbox for one packet. Returns
     * how many it took. The session may be closed. */
    unsigned (*visit)(svr_node *n, struct svr__tour *t, svr__session *s,
                      unsigned side, svr_time now);
    /* The tour has come round, and is over unless this starts it again; or
     * NULL. */
    void (*done)(svr_node *n, struct svr__tour *t, svr_time now);
} svr__tour_plan;

/* All zero: it does not run. */
typedef struct svr__tour {
    const svr__tour_plan *plan; /* NULL: it does not run */
    svr_time due;               /* its next step */
    svr_time until;             /* for the plan to use */
    uint32_t left;              /* for the plan to use */
    uint32_t at;                /* the session that is looked at next */
    uint16_t of;                /* the number of the peer or pathway */
} svr__tour;

/* From the first session on, at `when`; one that runs begins anew. */
void svr__tour_start(svr_node *n, svr__tour *t, const svr__tour_plan *plan,
                     size_t of, svr_time when);
/* When svr__tours_run has something to do, or SVR_NEVER. */
svr_time svr__tours_due(const svr_node *n);
void svr__tours_run(svr_node *n, svr_time now);

#endif
