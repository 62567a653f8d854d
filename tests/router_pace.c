#include <criterion/criterion.h>

#include "svrd/pace.h"

/* A tenth of a second of frames that come `each` at a time, every `every`
 * microseconds; how often there was a rest. */
static unsigned rests(struct pace *p, uint64_t each, uint64_t size,
                      svr_time every, svr_time *now)
{
    unsigned count = 0;

    for (svr_time end = *now + 100 * SVR_MILLISECOND; *now < end;
         *now += every * SVR_MICROSECOND)
        count += pace_rest(p, each, each * size, *now) != 0;
    return count;
}

Test(router_pace, rests_only_where_large_frames_come_fast)
{
    static const struct {
        const char *what;
        uint64_t each, size;
        svr_time every;
        bool rests;
    } rows[] = {
        {"nothing", 0, 0, 10, false},
        {"slow", 1, 1500, 100, false},
        {"just not fast", 3, 1500, 80, false},
        {"fast", 4, 1500, 80, true},
        {"fast, one by one", 1, 1500, 10, true},
        {"small", 1, 100, 10, false},
        {"just not large", 1, 499, 10, false},
        {"large", 1, 500, 10, true},
        {"many at once", 32, 1500, 100, false},
        {"nearly many", 31, 1500, 100, true},
        {"super-packets, far apart", 1, 64000, 50, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pace p = {0};
        svr_time now = 1000 * SVR_SECOND;
        unsigned count =
            rests(&p, rows[i].each, rows[i].size, rows[i].every, &now);

        cr_expect_eq(count > 0, rows[i].rests, "%s: %u", rows[i].what, count);
    }
}

Test(router_pace, ends_with_what_was_fast)
{
    struct pace p = {0};
    svr_time now = SVR_SECOND;

    cr_assert_gt(rests(&p, 1, 1500, 10, &now), 0);
    now += SVR_SECOND;
    cr_expect_eq(pace_rest(&p, 1, 1500, now), 0, "after a pause");
    cr_expect_eq(rests(&p, 1, 1500, 100, &now), 0);
}
