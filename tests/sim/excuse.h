/*
 * excuse.h - what the troubles of a run allow to go wrong, where and when.
 *
 * Every fault enters its troubles before they begin. What goes wrong with a
 * session and has no excuse is a failure.
 */
#ifndef SIM_EXCUSE_H
#define SIM_EXCUSE_H

#include <svr/base.h>

enum effect {
    EFFECT_LOSS = 1,    /* packets get lost */
    EFFECT_COPY = 2,    /* packets arrive twice */
    EFFECT_CORRUPT = 4, /* bytes change on the way */
    EFFECT_RESET = 8,   /* sessions end */
    EFFECT_DOWN = 16,   /* pathways are found to be down */
    EFFECT_STATE = 32,  /* nobody knows the session any more */
};

struct trouble {
    svr_time from, until;
    uint64_t elements; /* of topology.h */
    unsigned effects;
    bool timed_only; /* for sessions over pathways with time-based tags */
    bool all;        /* for those that concern all of the elements */
    uint16_t end;    /* a router + 1: for sessions that begin or end there */
    bool narrow;     /* for those that may not use every pathway */
    svr_time moved;  /* what can move has done so by then; 0: cannot help */
};

struct excuses {
    struct trouble *list;
    size_t count, room;
};

/* What asks for an excuse. */
struct victim {
    uint64_t elements;
    bool timed;
    bool moves;       /* to another pathway */
    uint16_t ends[2]; /* routers + 1 */
    bool narrow;
};

void excuses_add(struct excuses *x, const struct trouble *t);
void excuses_free(struct excuses *x);
/* Whether there is one for that effect at any time from `from` to `until`. */
bool excuses_find(const struct excuses *x, const struct victim *v,
                  enum effect effect, svr_time from, svr_time until);
/* How many troubles there are of that kind in that time. */
size_t excuses_count(const struct excuses *x, const struct victim *v,
                     enum effect effect, svr_time from, svr_time until);
/* Since when the victim has had nothing to lose packets by; `now` where it has.
 */
svr_time excuses_calm(const struct excuses *x, const struct victim *v,
                      svr_time now);

#endif
