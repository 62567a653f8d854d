/*
 * pace.h - a short rest between frames that come fast, as network cards delay
 * interrupts: so they are taken several at a time, and neither who sends nor
 * this process pays for waking it up for each. Slow traffic, and small packets,
 * which mostly have somebody waiting for them, are taken at once.
 */
#ifndef SVR_ROUTER_PACE_H
#define SVR_ROUTER_PACE_H

#include <svr/svr.h>

#define PACE_REST (100 * SVR_MICROSECOND)

struct pace {
    svr_time since; /* what is counted */
    uint64_t frames;
    uint64_t bytes;
    bool fast; /* the last interval's were */
};

/* So many were taken, until there were none left. Returns how long to rest: 0,
 * or PACE_REST. */
svr_time pace_rest(struct pace *p, uint64_t frames, uint64_t bytes,
                   svr_time now);

#endif
