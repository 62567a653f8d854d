#include <svr/crypto.h>

#include "crypto/window.h"

static svr__window window_of(svr_replay *r)
{
    return (svr__window){&r->highest, r->seen, SVR_REPLAY_WINDOW};
}

bool svr_replay_check(const svr_replay *r, uint64_t number)
{
    svr__window w = window_of((svr_replay *)r);
    return svr__window_check(&w, number);
}

void svr_replay_commit(svr_replay *r, uint64_t number)
{
    svr__window w = window_of(r);
    svr__window_commit(&w, number);
}
