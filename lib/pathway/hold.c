/* hold.c - hold-down and damping. */
#include "pathway/hold.h"

void svr__hold_init(svr__hold *h, svr_time hold_down, svr_time now)
{
    *h = (svr__hold){
        .hold_down = hold_down,
        .ready = SVR_NEVER,
        .counted = now,
    };
}

/* Halved for each whole half-life; a straight line between two halvings. */
static void decay(svr__hold *h, svr_time now)
{
    uint64_t halvings = (now - h->counted) / SVR__HOLD_HALF_LIFE;
    uint64_t rest = (now - h->counted) % SVR__HOLD_HALF_LIFE;
    uint64_t penalty = halvings < 16 ? (uint64_t)h->penalty >> halvings : 0;

    h->penalty =
        (uint16_t)(penalty - penalty * rest / (2 * SVR__HOLD_HALF_LIFE));
    h->counted = now;
    if (h->penalty < SVR__HOLD_REUSE)
        h->suppressed = false;
}

/* How long the penalty takes to fall below the threshold: the inverse of
 * decay. */
static svr_time reuse_after(const svr__hold *h)
{
    svr_time wait = 0;
    uint64_t penalty = h->penalty;

    while (penalty / 2 >= SVR__HOLD_REUSE) {
        penalty /= 2;
        wait += SVR__HOLD_HALF_LIFE;
    }
    penalty =
        2 * SVR__HOLD_HALF_LIFE * (penalty - SVR__HOLD_REUSE + 1) / penalty;
    return wait + penalty + 1;
}

void svr__hold_up(svr__hold *h, svr_time now)
{
    svr_time reuse;

    decay(h, now);
    h->ready = now + h->hold_down;
    if (!h->suppressed)
        return;
    reuse = now + reuse_after(h);
    if (h->ready < reuse)
        h->ready = reuse;
}

void svr__hold_down(svr__hold *h, bool count_flap, svr_time now)
{
    decay(h, now);
    h->ready = SVR_NEVER;
    if (!count_flap)
        return;
    h->flaps++;
    h->penalty += SVR__HOLD_FLAP;
    if (h->penalty > SVR__HOLD_MAX)
        h->penalty = SVR__HOLD_MAX;
    if (h->penalty > SVR__HOLD_SUPPRESS)
        h->suppressed = true;
}
