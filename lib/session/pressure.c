#include "session/pressure.h"

enum {
    RESERVE_SHARE = 10, /* of the table */
};

/* An answer that is on its way comes sooner. */
#define IDLE_MIN SVR_SECOND

svr_time svr__pressure_idle(const svr__table *t, svr_time idle)
{
    uint32_t room = t->cap - t->count;
    uint32_t reserve = (t->cap + RESERVE_SHARE - 1) / RESERVE_SHARE;

    if (room >= reserve || idle <= IDLE_MIN)
        return idle;
    svr_time left = idle / reserve * room;
    return left > IDLE_MIN ? left : IDLE_MIN;
}

static bool makes_room(const svr__table *t, const svr__session *s,
                       const svr_lifetimes *lifetimes, svr_time now)
{
    if (!s->alive || s->machine.life.state != SVR_LIFE_NEW)
        return false;
    svr_time seen = svr__session_last(t, s);
    svr_time idle = svr_life_idle(&s->machine.life, lifetimes);
    return now - seen >= svr__pressure_idle(t, idle);
}

svr__session *svr__pressure_next(svr__table *t, const svr_lifetimes *lifetimes,
                                 svr_time now)
{
    /* Enough room: what is idle has its whole time, which the wheel knows. */
    if (svr__pressure_idle(t, SVR_NEVER) == SVR_NEVER)
        return NULL;
    for (unsigned i = 0; i < SVR__PRESSURE_PLACES; i++) {
        svr__session *s = &t->sessions[t->hand];
        t->hand = t->hand + 1 < t->cap ? t->hand + 1 : 0;
        if (makes_room(t, s, lifetimes, now))
            return s;
    }
    return NULL;
}
