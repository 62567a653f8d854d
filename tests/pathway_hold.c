/* Hold-down and damping, in literal time. */
#include "pathway/hold.h"

#include <criterion/criterion.h>

#define MS SVR_MILLISECOND
#define S SVR_SECOND

static svr__hold make(void)
{
    svr__hold h;
    svr__hold_init(&h, 5 * S, 100 * S);
    return h;
}

Test(pathway_hold, hold_down)
{
    svr__hold h = make();
    cr_expect_eq(h.ready, SVR_NEVER);
    svr__hold_up(&h, 100 * S);
    cr_expect_eq(h.ready, 105 * S);
    svr__hold_down(&h, true, 103 * S);
    cr_expect_eq(h.ready, SVR_NEVER);
    svr__hold_up(&h, 104 * S);
    cr_expect_eq(h.ready, 109 * S, "from the beginning again");
    cr_expect_eq(h.flaps, 1);
}

/* Four failures in half a minute, not three, and none of an administrator's. */
Test(pathway_hold, suppresses_what_flaps)
{
    svr__hold h = make();
    for (unsigned i = 0; i < 20; i++) {
        svr__hold_up(&h, (100 + i) * S);
        svr__hold_down(&h, false, (100 + i) * S);
    }
    cr_expect_eq(h.flaps, 0);
    for (unsigned i = 0; i < 3; i++) {
        svr__hold_down(&h, true, (200 + i) * S);
        svr__hold_up(&h, (200 + i) * S);
        cr_expect_eq(h.ready, (205 + i) * S);
    }
    svr__hold_down(&h, true, 203 * S);
    svr__hold_up(&h, 203 * S);
    cr_expect_gt(h.ready, 203 * S + 30 * S);
    cr_expect_lt(h.ready, 203 * S + 60 * S);
    cr_expect_eq(h.flaps, 4);
    h.hold_down = 600 * S;
    svr__hold_up(&h, 204 * S);
    cr_expect_eq(h.ready, 804 * S, "whichever is longer");
}

/* Once a second for an hour: not ready for hardly more than a minute. */
Test(pathway_hold, penalty_has_a_bound)
{
    svr__hold h = make();
    for (unsigned i = 0; i < 3600; i++) {
        svr__hold_up(&h, (200 + i) * S);
        svr__hold_down(&h, true, (200 + i) * S + 500 * MS);
    }
    svr__hold_up(&h, 5000 * S);
    cr_expect_eq(h.ready, 5005 * S, "forgotten long ago");
    for (unsigned i = 0; i < 100; i++)
        svr__hold_down(&h, true, 6000 * S);
    svr__hold_up(&h, 6000 * S);
    cr_expect_gt(h.ready, 6060 * S);
    cr_expect_lt(h.ready, 6061 * S);
}

/* When it says that it is ready, the penalty is below the threshold, and
 * shortly before it is not. */
Test(pathway_hold, ready_is_when_the_penalty_says)
{
    for (uint16_t penalty = SVR__HOLD_REUSE; penalty <= SVR__HOLD_MAX;
         penalty++) {
        svr__hold h = make(), early;
        h.penalty = penalty;
        h.suppressed = true;
        h.hold_down = 0;
        svr__hold_up(&h, 100 * S);
        early = h;
        svr__hold_down(&h, false, h.ready);
        cr_assert(h.penalty < SVR__HOLD_REUSE, "%u: %u", penalty, h.penalty);
        cr_assert_not(h.suppressed);
        svr__hold_down(&early, false, early.ready - 20 * MS);
        cr_assert(early.suppressed, "%u: %u", penalty, early.penalty);
    }
}

/* Halved every 30 s, falling all the time. */
Test(pathway_hold, decay)
{
    unsigned before = SVR__HOLD_MAX;
    for (unsigned t = 0; t < 1000; t++) {
        svr__hold h = make();
        h.penalty = SVR__HOLD_MAX;
        svr__hold_down(&h, false, (100 + t) * S);
        cr_assert_leq(h.penalty, before);
        if (t % 30 == 0)
            cr_assert_eq(h.penalty, t < 480 ? SVR__HOLD_MAX >> t / 30 : 0);
        before = h.penalty;
    }
}
