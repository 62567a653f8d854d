#include "session/copies.h"

/* A number ahead of all others moves the window. */
static void advance(svr__copies *c, uint32_t number)
{
    uint32_t ahead = number - c->highest;
    c->seen = ahead < SVR__COPIES_WINDOW ? c->seen << ahead : 0;
    c->seen |= 1;
    c->highest = number;
}

bool svr__copies_first(svr__copies *c, uint32_t number)
{
    uint32_t behind = c->highest - number;
    if (c->seen == 0 || behind > UINT32_MAX / 2) {
        advance(c, number);
        return true;
    }
    if (behind >= SVR__COPIES_WINDOW || (c->seen >> behind & 1))
        return false;
    c->seen |= UINT64_C(1) << behind;
    return true;
}

void svr__copies_forget(svr__copies *c)
{
    c->seen = 0;
}
