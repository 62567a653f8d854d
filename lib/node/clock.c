/*
 * The clocks of the time-based mode (S11.3).
 *
 * A router's steps come from its monotonic clock, which began with the Unix
 * time that it was told first: a wall clock that jumps later moves nothing.
 * What the steps of a peer are is learned from its answers to echo requests,
 * which carry that clock and are signed without it.
 */
#include "node/node.h"

uint64_t svr__own_time(const svr_node *n, svr_time now)
{
    return n->clock + now;
}

uint64_t svr__peer_time(const svr_node *n, uint16_t peer, svr_time now)
{
    return svr__own_time(n, now) + n->peers[peer].clock;
}

void svr__clock_start(svr_node *n, uint64_t unix_offset)
{
    if (n->clock_started)
        return;
    n->clock = unix_offset;
    n->clock_started = true;
}

void svr__clock_stamp(const svr_node *n, svr_bfd_echo *e)
{
    e->own += n->clock;
}

void svr__clock_read(const svr_node *n, svr_bfd_echo *e)
{
    if (e->peer != 0)
        e->peer -= n->clock;
}

/* Half of the round trip is what cannot be known. An answer that took longer
 * than a step says too little. */
void svr__clock_heard(svr_node *n, svr__peer *peer, const svr_bfd_echo *e,
                      svr_time now)
{
    uint64_t trip = now + 1 - e->peer - e->held;

    if (e->peer == 0 || trip > SVR_TIME_STEP)
        return;
    peer->clock = e->own + trip / 2 - svr__own_time(n, now);
}
