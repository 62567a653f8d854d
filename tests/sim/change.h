/*
 * change.h - a network that changes, and must be quiet again in time: the plan
 * of PLAN_VECTORS.
 *
 * Things go wrong one after the other, some at the same time; after a while
 * they are mended. Before, between and after that nothing happens for so long
 * that all averages have settled; then the network is looked at: settle.h.
 *
 * After a change, packets may get lost for CHANGE_GAP, and the routers' charts
 * have as long to agree.
 */
#ifndef SIM_CHANGE_H
#define SIM_CHANGE_H

#include "fault.h"

#include <svr/node.h>

struct router;
struct session;

struct changes {
    svr_time *times; /* of all changes so far */
    size_t count;
    size_t apart;   /* excuses from there on hold until the next change */
    bool calm;      /* nothing may move */
    bool agreed;    /* all charts say what is */
    bool heals;     /* what they have to agree on may have to come up */
    unsigned looks; /* at the settled network */
};

/* What has been measured; times in virtual nanoseconds. */
struct change_tally {
    svr_time agree[2]; /* the longest until all charts agreed, after a change
                          for the worse, for the better */
    svr_time gap;      /* the longest after which a packet was sent that got
                          lost though its ends were joined */
    uint64_t moved, redirected;
    uint64_t lost;           /* packets, in those times */
    uint64_t walked, limits; /* sessions that were followed hop by hop; for
                                which limits were compared */
};

/* Draws what happens from now on. Returns when all is over. */
svr_time changes_plan(struct world *w);
void changes_free(struct world *w);

/* A change happens, for the better or not. */
void changes_note(struct world *w, bool heals);
/* Now and then: whether the charts agree by now. */
void changes_look(struct world *w);
/* A router has told of a session. */
void changes_heard(struct world *w, const struct router *r,
                   const svr_event *event);
/* A packet of the session that was sent then is lost, with an excuse or not. */
void changes_lost(struct world *w, const struct session *s, svr_time sent);

/* What excuses a session in such a network may have. */
struct victim changes_victim(const struct world *w, uint16_t from, uint16_t to);

#endif
