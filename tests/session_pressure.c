/* A table that is nearly full: which sessions make room (S24). */
#include "session/pressure.h"
#include "support.h"

#include <criterion/criterion.h>

#define NOW (1000 * SVR_SECOND)

struct fixture {
    svr__table t;
    svr_lifetimes lifetimes;
    uint64_t seed;
    test_memory memory;
};

static void open_table(struct fixture *f, uint32_t cap)
{
    *f = (struct fixture){.seed = cap};
    svr_random random = {test_fill, &f->seed};
    svr_allocator alloc = test_allocator(&f->memory);
    svr_lifetimes_init(&f->lifetimes);
    cr_assert_eq(svr__table_init(&f->t, cap, &random, NOW, &alloc), 0);
}

static svr__session *add(struct fixture *f, enum svr_session_kind kind,
                         enum svr_life_state state, svr_time seen)
{
    svr_uuid uuid;
    test_fill(&f->seed, uuid.b, sizeof(uuid.b));
    svr__session *s = svr__session_create(&f->t, &uuid);
    cr_assert_not_null(s);
    svr_life_init(&s->machine.life, kind);
    s->machine.life.state = (uint8_t)state;
    svr__session_flow(&f->t, s, test_random(&f->seed) & 1)->seen = seen;
    return s;
}

static void close_table(struct fixture *f)
{
    svr__table_fini(&f->t);
    cr_assert(test_memory_clean(&f->memory));
}

/* How long a session may be idle, by what is free of 1000 places. */
Test(session_pressure, shrinks_linearly)
{
    static const struct {
        uint32_t room;
        svr_time idle, left;
    } rows[] = {
        {1000, 180 * SVR_SECOND, 180 * SVR_SECOND},
        {100, 180 * SVR_SECOND, 180 * SVR_SECOND},
        {99, 180 * SVR_SECOND, 178200 * SVR_MILLISECOND},
        {50, 180 * SVR_SECOND, 90 * SVR_SECOND},
        {1, 180 * SVR_SECOND, 1800 * SVR_MILLISECOND},
        {0, 180 * SVR_SECOND, SVR_SECOND},
        {50, 10 * SVR_SECOND, 5 * SVR_SECOND},
        {5, 10 * SVR_SECOND, SVR_SECOND}, /* an answer may be on its way */
        {0, SVR_MILLISECOND, SVR_MILLISECOND},
        {100, SVR_NEVER, SVR_NEVER},
        {50, SVR_NEVER, SVR_NEVER / 100 * 50},
        {0, SVR_NEVER, SVR_SECOND},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        svr__table t = {.cap = 1000, .count = 1000 - rows[i].room};
        cr_assert_eq(svr__pressure_idle(&t, rows[i].idle), rows[i].left,
                     "row %zu: %lu", i,
                     (unsigned long)svr__pressure_idle(&t, rows[i].idle));
    }
}

/* Whatever the state, in a table that is full: only what is not established and
 * idle for a second. */
Test(session_pressure, who_makes_room)
{
    static const struct {
        enum svr_session_kind kind;
        enum svr_life_state state;
        svr_time idle;
        bool goes;
    } rows[] = {
        {SVR_SESSION_TCP, SVR_LIFE_ESTABLISHED, 1899 * SVR_SECOND / 2, false},
        {SVR_SESSION_UDP, SVR_LIFE_ESTABLISHED, 179 * SVR_SECOND, false},
        {SVR_SESSION_ICMP, SVR_LIFE_ESTABLISHED, 9 * SVR_SECOND, false},
        {SVR_SESSION_TCP, SVR_LIFE_CLOSING, 9 * SVR_SECOND, false},
        {SVR_SESSION_TCP, SVR_LIFE_RESET, SVR_SECOND, false},
        {SVR_SESSION_TCP, SVR_LIFE_NEW, SVR_SECOND - 1, false},
        {SVR_SESSION_TCP, SVR_LIFE_NEW, SVR_SECOND, true},
        {SVR_SESSION_UDP, SVR_LIFE_NEW, SVR_SECOND - 1, false},
        {SVR_SESSION_UDP, SVR_LIFE_NEW, SVR_SECOND, true},
        {SVR_SESSION_OTHER, SVR_LIFE_NEW, SVR_SECOND, true},
        {SVR_SESSION_DNS, SVR_LIFE_NEW, 0, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture f;
        open_table(&f, 1);
        svr__session *s =
            add(&f, rows[i].kind, rows[i].state, NOW - rows[i].idle);
        cr_assert_eq(svr__pressure_next(&f.t, &f.lifetimes, NOW),
                     rows[i].goes ? s : NULL, "row %zu", i);
        close_table(&f);
    }
}

/* Nobody goes while there is room enough, however idle. */
Test(session_pressure, not_before_nine_tenths)
{
    struct fixture f;
    open_table(&f, 100);
    for (int i = 0; i < 90; i++)
        add(&f, SVR_SESSION_TCP, SVR_LIFE_NEW, NOW - 9 * SVR_SECOND);
    for (int i = 0; i < 20; i++)
        cr_assert_null(svr__pressure_next(&f.t, &f.lifetimes, NOW));
    add(&f, SVR_SESSION_TCP, SVR_LIFE_NEW, NOW);
    cr_assert_not_null(svr__pressure_next(&f.t, &f.lifetimes, NOW));
    close_table(&f);
}

/* The hand comes to every place, a few in each call. */
Test(session_pressure, the_hand_goes_round)
{
    enum { CAP = 1000 };
    struct fixture f;
    svr__session *idle = NULL;
    int calls = 0;

    open_table(&f, CAP);
    for (int i = 0; i < CAP; i++) {
        svr__session *s = add(&f, SVR_SESSION_UDP,
                              i == 777 ? SVR_LIFE_NEW : SVR_LIFE_ESTABLISHED,
                              NOW - 20 * SVR_SECOND);
        if (i == 777)
            idle = s;
    }
    svr__session *found = NULL;
    while (!found && ++calls < CAP)
        found = svr__pressure_next(&f.t, &f.lifetimes, NOW);
    cr_assert_eq(found, idle);
    cr_assert_eq(calls, 777 / SVR__PRESSURE_PLACES + 1);
    for (calls = 0; calls < (CAP - 778) / SVR__PRESSURE_PLACES; calls++)
        cr_assert_null(svr__pressure_next(&f.t, &f.lifetimes, NOW));
    cr_assert_lt(f.t.hand, CAP);
    close_table(&f);
}
