/*
 * watch.h - what time does to one side of a session: answers that wait (S6.6),
 * exchanges that go by themselves (S8.4, S17), mappings of a NAT (S8.1), and a
 * neighbour that is silent (S8.2).
 *
 * A neighbour is silent where packets go to it and none comes back. While both
 * ends are silent nothing is watched; the next packet starts the clock. So an
 * idle session costs no timer.
 */
#ifndef SVR_LIB_SESSION_WATCH_H
#define SVR_LIB_SESSION_WATCH_H

#include "session/hop.h"

/* Our metadata has gone, on a packet or by itself. */
void svr__watch_carried(svr_hop *hop);

/* It goes by itself, since the neighbour waits (S6.6). */
unsigned svr__watch_answer(svr_hop *hop, svr_time now);

/* The neighbour is there, and has not echoed a later exchange: where that has
 * gone by itself often enough, it goes again. */
void svr__watch_stir(svr_hop *hop, svr_time now);

/* Something came from the neighbour. */
void svr__watch_heard(svr_hop *hop, svr_time now);

/* A packet goes to the neighbour: whether it is to ask for a sign of life. */
bool svr__watch_sent(svr_hop *hop, svr_time now);
/* It does so if `actions` has ADD_HEALTH: the first or a later request. Returns
 * the actions of the caller. */
unsigned svr__watch_ask(svr_hop *hop, unsigned actions, svr_time now);

/* Whether packets from the neighbour, or to it, are waited for. */
static inline bool svr__watch_listens(const svr_hop *hop)
{
    return hop->flags & (SVR__HOP_ASK | SVR__HOP_ASKED);
}

static inline bool svr__watch_speaks(const svr_hop *hop)
{
    return hop->flags & (SVR__HOP_ASK | SVR__HOP_ASLEEP);
}

#endif
