/*
 * The key exchange on a network that does what it likes (S12.3, S12.5): every
 * fate of the first messages, one by one, with a restart of either router at
 * each place among them or none, and with either or both beginning.
 *
 * At every moment, what a router uses its peer accepts, unless it has forgotten
 * it; and once the network is kind again, both agree within a bounded time.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "exchange_pair.h"

enum fate {
    ARRIVES,
    IS_LOST,
    COMES_TWICE,
    COMES_LATE,      /* behind the next one */
    COMES_VERY_LATE, /* after all others, when time has passed */
    FATES
};

enum {
    NO_RESTART = -1,
    /* The longest wait between two messages, four times over. */
    PATIENCE = 240,
};

struct plan {
    unsigned fates[8], count;
    int restart; /* before that message */
    unsigned who;
    unsigned starters; /* bits */
};

static pair held; /* messages that come very late */

static void check_use(const pair *p, const struct plan *plan, unsigned step)
{
    for (unsigned i = 0; i < 2; i++) {
        if (plan->restart != NO_RESTART && plan->who == !i)
            continue; /* the peer may have forgotten */
        if (svr_exchange_current(&p->end[i].x))
            cr_assert(pair_understands(p, i), "end %u, message %u", i, step);
    }
}

/* The next message, in the order of the queue; time passes where there is
 * none. */
static bool next_message(pair *p, pair_message *m)
{
    for (int i = 0; i < 20; i++) {
        for (unsigned e = 0; e < 2; e++)
            pair_serve(p, e);
        if (p->count > 0) {
            *m = pair_pop(p, 0);
            return true;
        }
        svr_time due = SVR_NEVER;
        for (unsigned e = 0; e < 2; e++)
            if (svr_exchange_due(&p->end[e].x) < due)
                due = svr_exchange_due(&p->end[e].x);
        if (due > p->now + 3600 * SVR_SECOND)
            return false;
        p->now = due > p->now ? due : p->now;
    }
    return false;
}

static void apply(pair *p, const pair_message *m, enum fate fate)
{
    switch (fate) {
    case IS_LOST:
        break;
    case COMES_LATE:
        if (p->count > 0) {
            pair_put(p, m->from, m->bytes, m->len);
            break;
        }
        pair_deliver(p, m);
        break;
    case COMES_VERY_LATE:
        pair_put(&held, m->from, m->bytes, m->len);
        break;
    case COMES_TWICE:
        pair_deliver(p, m);
        pair_deliver(p, m);
        break;
    default:
        pair_deliver(p, m);
    }
}

static void be_kind(pair *p)
{
    svr_time end = p->now + PATIENCE * SVR_SECOND;

    while (held.count > 0) {
        pair_message m = pair_pop(&held, 0);
        pair_deliver(p, &m);
    }
    while (p->now < end && !pair_agrees(p))
        pair_run(p, p->now + SVR_SECOND);
}

static void play(const struct plan *plan)
{
    static pair p;
    pair_message m;

    pair_init(&p);
    held.count = 0;
    for (unsigned i = 0; i < 2; i++)
        if (!(plan->starters & 1u << i))
            p.end[i].x.start_at = SVR_NEVER;
    for (unsigned step = 0; step < plan->count; step++) {
        if (plan->restart == (int)step)
            pair_start(&p, plan->who);
        if (!next_message(&p, &m))
            break;
        apply(&p, &m, plan->fates[step]);
        check_use(&p, plan, step);
    }
    be_kind(&p);
    cr_assert(pair_agrees(&p), "fates %u%u%u%u%u restart %d of %u, starters %u",
              plan->fates[0], plan->fates[1], plan->fates[2], plan->fates[3],
              plan->fates[4], plan->restart, plan->who, plan->starters);
}

/* All fates of the first `count` messages. */
static void play_all(struct plan plan, unsigned count, unsigned fates)
{
    unsigned total = 1;

    plan.count = count;
    for (unsigned i = 0; i < count; i++)
        total *= fates;
    for (unsigned n = 0; n < total; n++) {
        for (unsigned i = 0, rest = n; i < count; i++, rest /= fates)
            plan.fates[i] = rest % fates;
        play(&plan);
    }
}

static void start(void)
{
    cr_assert_eq(svr_crypto_init(), 0);
}

TestSuite(exchange_search, .init = start);

Test(exchange_search, one_begins)
{
    for (unsigned who = 0; who < 2; who++)
        play_all((struct plan){.restart = NO_RESTART, .starters = 1u << who},
                 5 - who, FATES);
}

Test(exchange_search, both_begin)
{
    play_all((struct plan){.restart = NO_RESTART, .starters = 3}, 5,
             COMES_VERY_LATE);
}

Test(exchange_search, one_restarts)
{
    for (unsigned who = 0; who < 2; who++)
        for (int at = 0; at < 6; at++)
            play_all((struct plan){.restart = at, .who = who, .starters = 3}, 6,
                     COMES_TWICE);
    for (unsigned who = 0; who < 2; who++)
        for (int at = 1; at < 5; at++)
            play_all((struct plan){.restart = at, .who = who, .starters = 1}, 4,
                     COMES_VERY_LATE);
}
