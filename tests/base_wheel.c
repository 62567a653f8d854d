#include <criterion/criterion.h>

#include "base/wheel.h"
#include "support.h"

#define CAP 200
#define TICK SVR__WHEEL_TICK

/* The stupid model: an array of deadlines. */
typedef struct fixture {
    test_memory memory;
    svr__wheel wheel;
    svr_time due[CAP]; /* as given; SVR_NEVER: disarmed */
    svr_time now;
    uint64_t seed;
} fixture;

static void start(fixture *f, svr_time now, uint64_t seed)
{
    *f = (fixture){.now = now, .seed = seed};
    svr_allocator alloc = test_allocator(&f->memory);
    cr_assert_eq(svr__wheel_init(&f->wheel, CAP, now, &alloc), 0);
    for (int i = 0; i < CAP; i++)
        f->due[i] = SVR_NEVER;
}

static void finish(fixture *f)
{
    cr_assert_eq(f->memory.calls, 1, "only creation allocates");
    svr__wheel_fini(&f->wheel);
    cr_assert(test_memory_clean(&f->memory));
}

static void arm(fixture *f, uint32_t item, svr_time due)
{
    f->due[item] = due > SVR_NEVER - TICK ? SVR_NEVER : due;
    svr__wheel_arm(&f->wheel, item, due);
}

static svr_time round_up(svr_time due)
{
    return (due + TICK - 1) / TICK * TICK;
}

static svr_time earliest(const fixture *f)
{
    svr_time min = SVR_NEVER;
    for (int i = 0; i < CAP; i++)
        if (f->due[i] < min)
            min = f->due[i];
    return min;
}

static void check_next(const fixture *f)
{
    svr_time next = svr__wheel_next(&f->wheel);
    svr_time min = earliest(f);
    if (min == SVR_NEVER)
        cr_assert_eq(next, SVR_NEVER);
    else
        cr_assert_leq(next, round_up(min) > f->now ? round_up(min) : f->now);
}

/* Calls until there is nothing more to move. */
static bool take(svr__wheel *w, svr_time now, uint32_t *item)
{
    do {
        if (svr__wheel_expire(w, now, item))
            return true;
    } while (svr__wheel_next(w) != SVR_NEVER && svr__wheel_next(w) <= now);
    return false;
}

/* Takes everything that is due, and compares. */
static void expire(fixture *f)
{
    uint32_t item;
    svr_time last = 0;
    while (take(&f->wheel, f->now, &item)) {
        cr_assert_lt(item, CAP);
        cr_assert_neq(f->due[item], SVR_NEVER, "twice, or never armed");
        cr_assert_leq(round_up(f->due[item]), f->now, "early");
        cr_assert_geq(round_up(f->due[item]), last, "out of order");
        last = round_up(f->due[item]);
        f->due[item] = SVR_NEVER;
        cr_assert_not(svr__wheel_armed(&f->wheel, item));
    }
    svr_time min = earliest(f);
    cr_assert(min == SVR_NEVER || round_up(min) > f->now, "late");
    check_next(f);
}

/* Durations of all magnitudes. */
static svr_time duration(fixture *f, unsigned max_bits)
{
    unsigned bits = test_below(&f->seed, max_bits) + 1;
    return test_random(&f->seed) >> (64 - bits);
}

static svr_time later(svr_time now, svr_time by)
{
    return now > SVR_NEVER - by ? SVR_NEVER : now + by;
}

static svr_time earlier(svr_time now, svr_time by)
{
    return now > by ? now - by : 0;
}

static void step(fixture *f, unsigned arm_bits, unsigned pass_bits)
{
    uint32_t item = test_below(&f->seed, CAP);
    switch (test_below(&f->seed, 8)) {
    case 0:
        svr__wheel_disarm(&f->wheel, item);
        f->due[item] = SVR_NEVER;
        break;
    case 1:
        f->now = later(f->now, duration(f, pass_bits));
        expire(f);
        return; /* expire in a row: past deadlines do not go first */
    case 2:
        arm(f, item, earlier(f->now, duration(f, 24)));
        expire(f);
        break;
    case 3: { /* exactly to the next deadline, and a moment before it */
        svr_time next = svr__wheel_next(&f->wheel);
        if (next == SVR_NEVER || next <= f->now)
            break;
        f->now = next - 1;
        expire(f);
        f->now = next;
        expire(f);
        break;
    }
    default:
        arm(f, item, later(f->now, duration(f, arm_bits)));
    }
    cr_assert_eq(svr__wheel_armed(&f->wheel, item), f->due[item] != SVR_NEVER);
    check_next(f);
}

static void compare(svr_time now, unsigned arm_bits, unsigned pass_bits,
                    uint64_t seed)
{
    fixture f;
    start(&f, now, seed);
    for (int i = 0; i < 6000; i++)
        step(&f, arm_bits, pass_bits);
    finish(&f);
}

Test(wheel, agrees_with_an_array_over_seconds)
{
    for (uint64_t seed = 0; seed < 8; seed++)
        compare(seed * SVR_SECOND, 33, 28, seed);
}

Test(wheel, agrees_with_an_array_over_hours)
{
    for (uint64_t seed = 10; seed < 18; seed++)
        compare(seed << 40, 45, 43, seed);
}

Test(wheel, agrees_with_an_array_over_years)
{
    for (uint64_t seed = 20; seed < 28; seed++)
        compare(0, 64, 60, seed);
}

Test(wheel, agrees_with_an_array_at_the_end_of_time)
{
    for (uint64_t seed = 30; seed < 34; seed++)
        compare(SVR_NEVER - 100 * SVR_SECOND, 40, 24, seed);
}

Test(wheel, a_deadline_is_rounded_up_to_a_tick)
{
    static const struct {
        svr_time due, at;
    } table[] = {
        {1, TICK},
        {TICK - 1, TICK},
        {TICK, TICK},
        {TICK + 1, 2 * TICK},
        {63 * TICK, 63 * TICK},
        {64 * TICK, 64 * TICK},
        {64 * TICK + 1, 65 * TICK},
        {4096 * TICK, 4096 * TICK},
        {(svr_time)1 << 60, (svr_time)1 << 60},
        {SVR_NEVER - TICK, SVR_NEVER - TICK + 1},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        fixture f;
        uint32_t item = CAP;
        start(&f, 0, 0);
        arm(&f, 7, table[i].due);
        cr_assert_not(svr__wheel_expire(&f.wheel, table[i].at - 1, &item));
        cr_assert_eq(svr__wheel_next(&f.wheel), table[i].at, "line %zu", i);
        cr_assert(svr__wheel_expire(&f.wheel, table[i].at, &item));
        cr_assert_eq(item, 7);
        cr_assert_not(svr__wheel_expire(&f.wheel, table[i].at, &item));
        finish(&f);
    }
}

Test(wheel, never_disarms)
{
    fixture f;
    start(&f, 0, 0);
    for (svr_time back = 0; back < 3; back++) {
        arm(&f, 3, SVR_SECOND);
        svr__wheel_arm(&f.wheel, 3, SVR_NEVER - back);
        cr_assert_not(svr__wheel_armed(&f.wheel, 3));
        cr_assert_eq(svr__wheel_next(&f.wheel), SVR_NEVER);
    }
    svr__wheel_disarm(&f.wheel, 3);
    cr_assert_not(svr__wheel_armed(&f.wheel, 3));
    finish(&f);
}

Test(wheel, the_past_is_due_at_once)
{
    fixture f;
    uint32_t item;
    start(&f, 1000 * SVR_SECOND, 0);
    arm(&f, 1, 0);
    cr_assert_leq(svr__wheel_next(&f.wheel), f.now);
    cr_assert(svr__wheel_expire(&f.wheel, f.now, &item));
    cr_assert_eq(item, 1);
    finish(&f);
}

Test(wheel, items_of_one_tick_come_in_the_order_they_were_armed)
{
    fixture f;
    uint32_t item;
    start(&f, 0, 0);
    for (uint32_t i = 0; i < 50; i++)
        arm(&f, i * 7 % 50, 100 * SVR_SECOND);
    for (uint32_t i = 0; i < 50; i++) {
        cr_assert(take(&f.wheel, 200 * SVR_SECOND, &item));
        cr_assert_eq(item, i * 7 % 50);
    }
    finish(&f);
}

/* Items that are re-armed, disarmed or added while their slot is being
 * emptied. */
Test(wheel, may_change_while_it_expires)
{
    fixture f;
    uint32_t item;
    start(&f, 0, 40);
    for (uint32_t i = 0; i < CAP; i++)
        arm(&f, i, 100 * SVR_SECOND + i * TICK);
    for (f.now = 0; f.now < 200 * SVR_SECOND; f.now += 3 * TICK) {
        while (take(&f.wheel, f.now, &item)) {
            cr_assert_leq(round_up(f.due[item]), f.now);
            f.due[item] = SVR_NEVER;
            uint32_t other = test_below(&f.seed, CAP);
            if (test_below(&f.seed, 2))
                arm(&f, other, f.now + duration(&f, 34));
            else
                arm(&f, other, SVR_NEVER);
        }
        check_next(&f);
    }
    f.now = 1000 * SVR_SECOND;
    expire(&f);
    cr_assert_eq(earliest(&f), SVR_NEVER);
    finish(&f);
}

/* A million items behind each other in one slot of a high level: each call
 * does little, and all come, in time and in order. */
Test(wheel, moves_a_million_items_in_small_pieces)
{
    enum { MANY = 1000000 };
    test_memory memory = {0};
    svr_allocator alloc = test_allocator(&memory);
    svr__wheel wheel;
    uint64_t seed = 50;
    svr_time *due = malloc(MANY * sizeof(*due));
    cr_assert_not_null(due);
    cr_assert_eq(svr__wheel_init(&wheel, MANY, 0, &alloc), 0);
    for (uint32_t i = 0; i < MANY; i++) {
        due[i] = 1900 * SVR_SECOND + test_random(&seed) % (60 * SVR_SECOND);
        svr__wheel_arm(&wheel, i, due[i]);
    }
    uint32_t got = 0, pauses = 0, item;
    svr_time now = 0;
    for (svr_time next; (next = svr__wheel_next(&wheel)) != SVR_NEVER;) {
        pauses += next <= now;
        now = next > now ? next : now;
        for (; svr__wheel_expire(&wheel, now, &item); got++) {
            cr_assert_leq(round_up(due[item]), now);
            cr_assert_gt(round_up(due[item]) + TICK, now);
        }
    }
    cr_assert_eq(got, MANY);
    cr_assert_gt(pauses, MANY / 1000);
    svr__wheel_fini(&wheel);
    free(due);
}

Test(wheel, reports_what_it_cannot_get)
{
    test_memory memory = {.fail_at = 1};
    svr_allocator alloc = test_allocator(&memory);
    svr__wheel wheel = {.cap = 77};
    cr_assert_eq(svr__wheel_init(&wheel, 10, 0, &alloc), SVR_ERR_NO_MEMORY);
    cr_assert_eq(svr__wheel_init(&wheel, SVR__WHEEL_CAP_MAX + 1, 0, &alloc),
                 SVR_ERR_ARGUMENT);
    cr_assert_eq(wheel.cap, 77, "outputs stay as they were");
    cr_assert(test_memory_clean(&memory));
}

Test(wheel, works_without_items)
{
    test_memory memory = {0};
    svr_allocator alloc = test_allocator(&memory);
    svr__wheel wheel;
    uint32_t item;
    cr_assert_eq(svr__wheel_init(&wheel, 0, 0, &alloc), 0);
    cr_assert_eq(svr__wheel_next(&wheel), SVR_NEVER);
    cr_assert_not(svr__wheel_expire(&wheel, SVR_NEVER, &item));
    svr__wheel_fini(&wheel);
    cr_assert(test_memory_clean(&memory));
}
