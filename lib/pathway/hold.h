/*
 * hold.h - when a pathway that is up may be trusted with more: the hold-down
 * after it came up (S14.1), and damping of one that flaps.
 *
 * Each failure adds 1000 to a penalty, which halves every 30 s. Beyond 3000 the
 * pathway is suppressed until the penalty is below 1500: it goes on carrying
 * what it carries, as during the hold-down. The penalty stops at 6000, so that
 * it takes hardly more than a minute to get rid of.
 */
#ifndef SVR__PATHWAY_HOLD_H
#define SVR__PATHWAY_HOLD_H

#include <svr/base.h>

enum {
    SVR__HOLD_FLAP = 1000,
    SVR__HOLD_SUPPRESS = 3000,
    SVR__HOLD_REUSE = 1500,
    SVR__HOLD_MAX = 6000,
};

#define SVR__HOLD_HALF_LIFE (30 * SVR_SECOND)

typedef struct svr__hold {
    svr_time hold_down;
    svr_time ready;   /* from when on it may take new sessions and sessions
                         that move back; SVR_NEVER while it is down */
    svr_time counted; /* when penalty was last brought up to date */
    uint32_t flaps;   /* how often it has failed */
    uint16_t penalty;
    bool suppressed;
} svr__hold;

void svr__hold_init(svr__hold *h, svr_time hold_down, svr_time now);

/* The pathway came up, or went down; count_flap: by a failure. */
void svr__hold_up(svr__hold *h, svr_time now);
void svr__hold_down(svr__hold *h, bool count_flap, svr_time now);

#endif
