/* MOS, averages and the link test, in literal time. */
#include "pathway/link.h"

#include <criterion/criterion.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MS SVR_MILLISECOND
#define S SVR_SECOND

/* Six rounds; the seventh takes the place of the first. */
Test(pathway_quality, rolling_average)
{
    svr__average a = {0};
    svr_quality q = {.mos = 7};
    cr_expect_not(svr__average_quality(&a, &q));
    cr_expect_eq(q.mos, 7);
    for (uint16_t i = 0; i < SVR__ROUNDS; i++) {
        svr__sample s = {.sent = 10, .received = (uint16_t)(i == 0 ? 4 : 10)};
        svr__sample_latency(&s, (i + 1) * (int64_t)MS);
        svr__sample_change(&s, -3000 * (int64_t)(i + 1));
        svr__average_add(&a, &s);
    }
    cr_assert(svr__average_quality(&a, &q));
    cr_expect_eq(q.loss_ppm, 100000);
    cr_expect_eq(q.latency_us, 3500);
    cr_expect_eq(q.jitter_us, 11, "root of 9 * 91 / 6"); /* 11.68 */
    svr__average_add(&a, &(svr__sample){.sent = 10, .received = 10});
    cr_assert(svr__average_quality(&a, &q));
    cr_expect_eq(q.loss_ppm, 0);
    cr_expect_eq(q.latency_us, 4000);
}

/* Latencies of rounds in ms; 0: nothing came back. */
Test(pathway_quality, steps)
{
    static const struct {
        const char *about;
        unsigned count, rounds[9];
        uint32_t latency_us;
    } rows[] = {
        {"one odd round is averaged", 6, {20, 20, 20, 20, 20, 320}, 70000},
        {"and forgotten", 9, {20, 20, 320, 20, 20, 20, 20, 20, 20}, 20000},
        {"every other one is odd", 6, {20, 320, 20, 320, 20, 320}, 170000},
        {"not far enough above", 6, {20, 20, 20, 20, 40, 40}, 26667},
        {"far enough", 6, {20, 20, 20, 20, 41, 41}, 41000},
        {"slow growth", 6, {20, 25, 30, 35, 40, 45}, 32500},
        {"two in a row are believed", 6, {20, 20, 20, 20, 320, 320}, 320000},
        {"of these the faster one", 6, {20, 20, 20, 20, 320, 200}, 220000},
        {"be it the first or not", 6, {20, 20, 20, 20, 200, 320}, 220000},
        {"with one round before", 3, {20, 320, 320}, 320000},
        {"with none before", 2, {320, 20}, 170000},
        {"nothing comes back", 6, {20, 20, 20, 20, 0, 0}, 20000},
        {"better is believed slowly", 6, {320, 320, 320, 320, 20, 20}, 220000},
        {"after a step as well", 6, {20, 20, 320, 320, 20, 20}, 220000},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        svr__average a = {0};
        svr_quality q;
        for (unsigned k = 0; k < rows[i].count; k++) {
            svr__sample s = {.sent = 10};
            for (int n = 0; rows[i].rounds[k] && n < 10; n++)
                svr__sample_latency(&s, rows[i].rounds[k] * (int64_t)MS);
            s.received = s.latencies;
            svr__average_add(&a, &s);
        }
        cr_assert(svr__average_quality(&a, &q));
        cr_expect_eq(q.latency_us, rows[i].latency_us, "%s: %u", rows[i].about,
                     q.latency_us);
    }
}

/* What becomes slow loses nothing by that. */
Test(pathway_quality, steps_leave_loss_alone)
{
    svr__average a = {0};
    svr_quality q;
    for (unsigned k = 0; k < 4; k++) {
        svr__sample s = {.sent = 10, .received = (uint16_t)(k ? 10 : 9)};
        svr__sample_latency(&s, (k < 2 ? 20 : 320) * (int64_t)MS);
        svr__average_add(&a, &s);
    }
    cr_assert(svr__average_quality(&a, &q));
    cr_expect_eq(q.latency_us, 320000);
    cr_expect_eq(q.loss_ppm, 25000);
}

/* Nothing came back, or less than nothing. */
Test(pathway_quality, empty_sums)
{
    svr__average a = {0};
    svr_quality q;
    svr__sample s = {.sent = 10};
    svr__average_add(&a, &s);
    cr_assert(svr__average_quality(&a, &q));
    cr_expect_eq(q.loss_ppm, 1000000);
    cr_expect_eq(q.latency_us, 0);
    cr_expect_eq(q.mos, 1000);
    s = (svr__sample){.sent = 10, .received = 10, .variance = -5, .changes = 9};
    svr__sample_latency(&s, -4000);
    svr__average_add(&a, &s);
    cr_assert(svr__average_quality(&a, &q));
    cr_expect_eq(q.latency_us, 0);
    cr_expect_eq(q.jitter_us, 0);
}

Test(pathway_quality, changes_have_a_bound)
{
    svr__sample s = {0};
    svr__sample_change(&s, INT64_MAX);
    svr__sample_change(&s, INT64_MIN);
    cr_expect_eq(s.variance, 2 * (int64_t)100000000000000);
}

/* 10 requests, 20 ms apart, every 10 s. */
Test(pathway_quality, burst)
{
    svr__link l;
    svr_bfd_echo e;
    svr__link_init(&l);
    cr_expect_eq(svr__link_due(&l), SVR_NEVER);
    cr_expect_not(svr__link_send(&l, &e, 99 * S));
    svr__link_start(&l, S);
    for (unsigned round = 1; round < 30; round += 10) {
        for (unsigned i = 0; i < 10; i++) {
            svr_time at = round * S + i * 20 * MS;
            cr_assert_eq(svr__link_due(&l), at);
            cr_expect_eq(svr__link_is_bursting(&l), i > 0);
            cr_expect_not(svr__link_send(&l, &e, at - 1));
            cr_expect(svr__link_send(&l, &e, at));
            cr_expect_eq(e.own, at + 1);
            cr_expect_eq(e.peer, 0);
            cr_expect_not(svr__link_expire(&l, at));
        }
        svr_time end = round * S + 180 * MS + SVR__ROUND_PATIENCE;
        cr_expect_not(svr__link_is_bursting(&l));
        cr_assert_eq(svr__link_due(&l), end);
        cr_expect_not(svr__link_expire(&l, end - 1));
        cr_expect_not(svr__link_send(&l, &e, end));
        cr_expect(svr__link_expire(&l, end));
        cr_assert_eq(svr__link_due(&l), (round + 10) * S);
        cr_expect_not(svr__link_expire(&l, (round + 10) * S));
    }
    svr__link_stop(&l);
    cr_expect_eq(svr__link_due(&l), SVR_NEVER);
    cr_expect_not(svr__link_is_bursting(&l));
}

/* A process that slept makes up for nothing. */
Test(pathway_quality, no_burst_after_a_pause)
{
    svr__link l;
    svr_bfd_echo e;
    svr__link_init(&l);
    svr__link_start(&l, S);
    cr_assert(svr__link_send(&l, &e, S));
    cr_assert(svr__link_send(&l, &e, 11 * S));
    cr_expect_not(svr__link_send(&l, &e, 11 * S));
    cr_expect_eq(svr__link_due(&l), 11 * S + 20 * MS);
    for (unsigned i = 2; i < 10; i++)
        cr_assert(svr__link_send(&l, &e, 11 * S + i * 20 * MS));
    cr_expect_eq(svr__link_due(&l), 11 * S + 180 * MS + SVR__ROUND_PATIENCE);
}

/* The answer to a request that was sent at `sent`, held for 5 ms by a peer
 * whose clock says that it came at `arrived`. */
static svr_bfd_echo answer(svr_time sent, svr_time arrived)
{
    return (svr_bfd_echo){arrived + 5 * MS + 1, sent + 1, 5 * MS};
}

Test(pathway_quality, answers)
{
    svr__link l;
    svr_bfd_echo e;
    svr_quality q;
    svr__link_init(&l);
    svr__link_start(&l, S);
    for (unsigned i = 0; i < 10; i++)
        cr_assert(svr__link_send(&l, &e, S + i * 20 * MS));
    /* Round trips of 20 and 30 ms; the second arrived 4 ms later than it
     * should have, the third 2 ms earlier than that. */
    e = answer(S, 77 * S);
    svr__link_receive(&l, &e, S + 25 * MS);
    e = answer(S + 20 * MS, 77 * S + 24 * MS);
    svr__link_receive(&l, &e, S + 55 * MS);
    e = answer(S + 60 * MS, 77 * S + 62 * MS);
    svr__link_receive(&l, &e, S + 95 * MS);
    cr_assert(svr__link_expire(&l, 11 * S));
    cr_assert(svr__average_quality(&l.average, &q));
    cr_expect_eq(q.loss_ppm, 700000);
    cr_expect_eq(q.latency_us, (10000 + 15000 + 15000 + 1) / 3);
    cr_expect_eq(q.jitter_us, 3162, "root of (16 + 4) / 2 ms");
}

/* The round ends with the last answer; one that comes later, or twice, counts
 * for none. */
Test(pathway_quality, a_round_that_is_answered)
{
    svr__link l;
    svr_bfd_echo e;
    svr_quality q;
    svr__link_init(&l);
    svr__link_start(&l, S);
    for (unsigned i = 0; i < 10; i++) {
        cr_assert(svr__link_send(&l, &e, S + i * 20 * MS));
        e = answer(S + i * 20 * MS, 77 * S + i * 20 * MS);
        cr_expect_neq(svr__link_due(&l), 0);
        svr__link_receive(&l, &e, S + i * 20 * MS + 15 * MS);
    }
    cr_expect_eq(svr__link_due(&l), 0);
    cr_expect(svr__link_expire(&l, S + 195 * MS));
    cr_expect_not(svr__link_expire(&l, S + 195 * MS));
    svr__link_receive(&l, &e, S + 300 * MS);
    cr_expect_eq(l.round.received, 0);
    cr_assert(svr__average_quality(&l.average, &q));
    cr_expect_eq(q.latency_us, 5000);
    cr_expect_eq(svr__link_due(&l), 11 * S);
    svr__link_stop(&l);
    cr_expect_eq(svr__link_due(&l), SVR_NEVER);
    cr_expect_not(svr__link_expire(&l, SVR_NEVER - 1));
}

/* Answers that cannot be. */
Test(pathway_quality, answers_that_do_not_count)
{
    static const struct {
        svr_time sent, held, now;
        bool counts;
    } rows[] = {
        {S, 0, S + MS, true},
        {S + 180 * MS, 0, S + 181 * MS, true},
        {S, MS, S + MS, true},
        {S - 1, 0, S + MS, false},              /* before the round */
        {S + 181 * MS, 0, S + 200 * MS, false}, /* behind it */
        {S + 20 * MS, 0, S + 10 * MS, false},   /* from the future */
        {S, MS + 1, S + MS, false}, /* held for longer than it took */
        {S, UINT64_MAX, S + MS, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        svr__link l;
        svr_bfd_echo e;
        svr__link_init(&l);
        svr__link_start(&l, S);
        for (unsigned k = 0; k < 10; k++)
            cr_assert(svr__link_send(&l, &e, S + k * 20 * MS));
        e = (svr_bfd_echo){1, rows[i].sent + 1, rows[i].held};
        svr__link_receive(&l, &e, rows[i].now);
        cr_expect_eq(l.round.received, rows[i].counts, "row %zu", i);
    }
}

Test(pathway_quality, no_more_answers_than_requests)
{
    svr__link l;
    svr_bfd_echo e, a = answer(S, 5 * S);
    svr__link_init(&l);
    svr__link_receive(&l, &a, S + 30 * MS);
    cr_expect_eq(l.round.received, 0, "nothing was asked");
    svr__link_start(&l, S);
    cr_assert(svr__link_send(&l, &e, S));
    svr__link_receive(&l, &a, S + 30 * MS);
    svr__link_receive(&l, &a, S + 30 * MS);
    cr_expect_eq(l.round.received, 1);
}

/* Requests of the peer are answered in their order, with the time held. */
Test(pathway_quality, answering)
{
    svr__link l;
    svr_bfd_echo e;
    svr__link_init(&l);
    for (unsigned i = 0; i < 12; i++)
        svr__link_receive(&l, &(svr_bfd_echo){.own = 100 + i}, S + i);
    cr_expect_eq(svr__link_due(&l), 0);
    for (unsigned i = 0; i < 10; i++) {
        cr_assert(svr__link_answer(&l, &e, S + 50));
        cr_expect_eq(e.own, S + 51);
        cr_expect_eq(e.peer, 100 + i);
        cr_expect_eq(e.held, 50 - i);
    }
    cr_expect_not(svr__link_answer(&l, &e, S + 50));
    cr_expect_eq(svr__link_due(&l), SVR_NEVER);
}
