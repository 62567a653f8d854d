/* link.c - the link test (S14.2). */
#include "pathway/link.h"

#include <string.h>

/* From the last request of a burst to the next burst. */
#define REST (SVR__ROUND_TIME - (SVR__LINK_BURST - 1) * SVR__LINK_SPACING)

void svr__link_init(svr__link *l)
{
    *l = (svr__link){.due = SVR_NEVER};
}

void svr__link_start(svr__link *l, svr_time now)
{
    l->due = now;
    l->round = (svr__sample){0};
    l->average = (svr__average){0};
}

void svr__link_stop(svr__link *l)
{
    l->due = SVR_NEVER;
}

bool svr__link_is_bursting(const svr__link *l)
{
    return l->due != SVR_NEVER && l->round.sent > 0 &&
           l->round.sent < SVR__LINK_BURST;
}

bool svr__link_send(svr__link *l, svr_bfd_echo *out, svr_time now)
{
    if (now < l->due || l->round.sent == SVR__LINK_BURST)
        return false;
    *out = (svr_bfd_echo){.own = now + 1};
    if (l->round.sent++ == 0)
        l->first = now;
    l->last = now;
    l->due =
        l->round.sent < SVR__LINK_BURST ? now + SVR__LINK_SPACING : now + REST;
    return true;
}

/* Of the round: at once where all requests are answered. */
static svr_time end(const svr__link *l)
{
    if (l->due == SVR_NEVER || l->round.sent < SVR__LINK_BURST)
        return SVR_NEVER;
    return l->round.received == SVR__LINK_BURST ? 0
                                                : l->last + SVR__ROUND_PATIENCE;
}

bool svr__link_expire(svr__link *l, svr_time now)
{
    if (now < end(l))
        return false;
    svr__average_add(&l->average, &l->round);
    l->round = (svr__sample){0};
    return true;
}

svr_time svr__link_due(const svr__link *l)
{
    if (l->wait_count)
        return 0;
    return end(l) < l->due ? end(l) : l->due;
}

static void count_answer(svr__link *l, const svr_bfd_echo *e, svr_time now)
{
    svr_time sent = e->peer - 1;
    int64_t transit = (int64_t)(e->own - e->held - e->peer);

    if (l->round.sent == 0 || sent < l->first || sent > l->last || now < sent ||
        e->held > now - sent || l->round.received >= l->round.sent)
        return;
    svr__sample_latency(&l->round, (int64_t)(now - sent - e->held) / 2);
    if (l->round.received++ > 0)
        svr__sample_change(&l->round, transit - l->transit);
    l->transit = transit;
}

void svr__link_receive(svr__link *l, const svr_bfd_echo *e, svr_time now)
{
    if (e->peer != 0)
        count_answer(l, e, now);
    else if (l->wait_count < SVR__LINK_BURST)
        l->waits[l->wait_count++] = (svr__link_request){e->own, now};
}

bool svr__link_answer(svr__link *l, svr_bfd_echo *out, svr_time now)
{
    if (l->wait_count == 0)
        return false;
    *out = (svr_bfd_echo){
        .own = now + 1,
        .peer = l->waits[0].stamp,
        .held = now - l->waits[0].at,
    };
    l->wait_count--;
    memmove(l->waits, l->waits + 1, l->wait_count * sizeof(l->waits[0]));
    return true;
}
