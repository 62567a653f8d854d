/*
 * link.h - the link test (S14.2): every 10 s a burst of 10 requests, which the
 * peer answers at once.
 *
 * A request is an echo attribute that answers nothing. An answer carries the
 * stamp of the request, how long it was held, and with that the time at which
 * the request arrived there, by the peer's clock: what that clock says does
 * not matter, only how its readings differ. Stamps are the time plus one
 * nanosecond, so that 0 is none.
 */
#ifndef SVR__PATHWAY_LINK_H
#define SVR__PATHWAY_LINK_H

#include "pathway/quality.h"

#include <svr/bfd.h>

enum {
    SVR__LINK_BURST = 10,
};

#define SVR__LINK_SPACING (20 * SVR_MILLISECOND)

/* A request of the peer that waits for its answer. */
typedef struct svr__link_request {
    uint64_t stamp;
    svr_time at;
} svr__link_request;

typedef struct svr__link {
    svr_time due;         /* of the next request; SVR_NEVER: no test runs */
    svr_time first, last; /* requests of the round that runs */
    svr__sample round;
    svr__average average;
    int64_t transit; /* of the last answered request, between two clocks */
    svr__link_request waits[SVR__LINK_BURST]; /* the oldest first */
    uint8_t wait_count;
} svr__link;

/* No test, nothing measured, no answer owed. */
void svr__link_init(svr__link *l);
/* Tests from now on, and forgets what was measured before. */
void svr__link_start(svr__link *l, svr_time now);
void svr__link_stop(svr__link *l);

/* The next request, if one is due. */
bool svr__link_send(svr__link *l, svr_bfd_echo *out, svr_time now);
/* Whether the burst is at work: other requests must wait. */
bool svr__link_is_bursting(const svr__link *l);
/* Ends the round where all its requests are answered, or the last one has
 * waited for SVR__ROUND_PATIENCE. True where there is a new result in
 * l->average. */
bool svr__link_expire(svr__link *l, svr_time now);
svr_time svr__link_due(const svr__link *l);

/* An echo attribute of a packet that was never seen before. Answers count for
 * the round that runs; requests wait for svr__link_answer, the newest in vain
 * if more than a burst of them waits. */
void svr__link_receive(svr__link *l, const svr_bfd_echo *e, svr_time now);
/* The next answer owed, if any. */
bool svr__link_answer(svr__link *l, svr_bfd_echo *out, svr_time now);

#endif
