/* Alternate marking (S15) in literal time. */
#include "pathway/colour.h"
#include "support.h"

#include <criterion/criterion.h>

#define MS SVR_MILLISECOND
#define S SVR_SECOND

static uint64_t state = 1;
static const svr_random dice = {test_fill, &state};

/* Half of its range each time: dither of zero. */
static void fill_middle(void *user, void *buf, size_t len)
{
    (void)user;
    memset(buf, 0x7f, len);
}

static const svr_random middle = {fill_middle, NULL};

static svr_path_metrics mark(svr__colour *c, svr_time now)
{
    svr_path_metrics m = {0};
    cr_assert(svr__colour_mark(c, &m, &middle, now));
    return m;
}

/* A mark each 100 ms however many packets there are; each interval has its
 * colour; after 15 the colours begin again. */
Test(pathway_colour, marks_and_colours)
{
    svr__colour c;
    svr_path_metrics m;
    unsigned marks[16] = {0};
    svr__colour_init(&c);
    for (svr_time t = 5 * S; t < 165 * S; t += MS)
        if (svr__colour_mark(&c, &m, &dice, t)) {
            cr_assert_eq(m.tx_colour, (t / S - 5) / 10 % 15 + 1);
            cr_assert_eq(m.rx_colour, 0);
            cr_assert_eq(m.rx_time, 0);
            cr_assert_not(m.drop);
            marks[m.tx_colour]++;
        }
    cr_expect_eq(marks[0], 0);
    cr_expect_eq(marks[1], 200, "twice");
    for (int i = 2; i < 16; i++)
        cr_expect_eq(marks[i], 100);
}

/* 28 bits of milliseconds. */
Test(pathway_colour, times_wrap)
{
    static const struct {
        svr_time t;
        uint32_t ms;
    } rows[] = {{0, 0},
                {MS / 2 - 9000, 0},
                {MS / 2 + 9000, 1},
                {MS, 1},
                {((svr_time)1 << 28) * MS, 0},
                {((svr_time)1 << 28) * MS - MS, (1 << 28) - 1},
                {((svr_time)5 << 28) * MS + 7 * MS, 7}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        svr__colour c;
        svr__colour_init(&c);
        cr_expect_eq(mark(&c, rows[i].t).tx_time, rows[i].ms, "row %zu", i);
    }
}

/* What one end marks, the other gets after `delay`, and reports with marks of
 * its own, which arrive after `delay`. `lost` of each colour's marks are lost.
 * Round trips over the wrap of the times. */
static void talk(svr__colour *a, svr__colour *b, svr_time begin,
                 svr_time offset, svr_time delay, unsigned lost,
                 unsigned seconds)
{
    svr_path_metrics m, back = {0};
    unsigned colour = 0, count = 0;
    for (svr_time t = begin; t < begin + seconds * S; t += 100 * MS) {
        svr_time u = t + offset + delay;
        m = (svr_path_metrics){0};
        cr_assert(svr__colour_mark(a, &m, &dice, t));
        count = m.tx_colour == colour ? count + 1 : 0;
        colour = m.tx_colour;
        if (count >= lost)
            svr__colour_marked(b, &m, u);
        cr_assert(svr__colour_mark(b, &back, &dice, u + 3 * MS));
        svr__colour_marked(a, &back, t + 2 * delay + 3 * MS);
    }
}

/* The peer's clock says something else, times wrap on the way, and the holding
 * time of 3 ms is no part of the trip. */
Test(pathway_colour, loss_and_latency)
{
    static const svr_time begins[] = {0, ((svr_time)1 << 28) * MS - 17 * S,
                                      ((svr_time)9 << 28) * MS - 31 * S};
    for (size_t i = 0; i < 3; i++) {
        svr__colour a, b;
        svr_quality q;
        svr__colour_init(&a);
        svr__colour_init(&b);
        talk(&a, &b, begins[i], 12345678901 * (i + 1), 8300000, 5, 81);
        cr_expect(svr__colour_is_fresh(&a, begins[i] + 81 * S));
        cr_assert(svr__average_quality(&a.average, &q));
        cr_expect_eq(q.loss_ppm, 50000);
        cr_expect(q.latency_us > 8200 && q.latency_us < 8400, "%u",
                  q.latency_us);
        cr_expect_leq(q.jitter_us, 300);
        cr_expect_not(svr__colour_is_fresh(&a, begins[i] + 111 * S));
    }
}

/* The result of a colour is there when the next one has been in use for 5 s; of
 * the latencies none is left out. */
Test(pathway_colour, when_a_round_ends)
{
    svr__colour a, b;
    svr_quality q;
    svr__colour_init(&a);
    svr__colour_init(&b);
    talk(&a, &b, 0, 0, 8 * MS, 5, 15);
    cr_expect_not(svr__average_quality(&a.average, &q));
    talk(&a, &b, 15 * S, 0, 8 * MS, 0, 1);
    cr_assert(svr__average_quality(&a.average, &q));
    cr_expect_eq(q.loss_ppm, 50000);
    talk(&a, &b, 16 * S, 0, 8 * MS, 0, 9);
    cr_expect_eq(a.average.next, 1);
    talk(&a, &b, 25 * S, 0, 8 * MS, 0, 1);
    cr_assert_eq(a.average.next, 2);
    cr_expect_geq(a.average.round[1].latencies, 98);
    cr_expect_leq(a.average.round[1].latencies, 100);
}

/* A packet that is late still counts for its colour, as long as that is the one
 * before. */
Test(pathway_colour, late_packets)
{
    svr__colour c;
    svr_path_metrics m;
    svr__colour_init(&c);
    for (unsigned colour = 14; colour < 17; colour++) {
        uint8_t tx = (uint8_t)((colour - 1) % 15 + 1);
        for (int i = 0; i < 20; i++)
            svr__colour_marked(
                &c, &(svr_path_metrics){.tx_colour = tx, .tx_time = colour},
                colour * S);
    }
    /* Colours 14, 15, 1; 15 has two late ones, 14 is too late. */
    for (int i = 0; i < 2; i++)
        svr__colour_marked(&c, &(svr_path_metrics){.tx_colour = 15}, 17 * S);
    cr_assert(svr__colour_mark(&c, &m, &middle, 17 * S));
    cr_expect_eq(m.rx_colour, 1);
    cr_expect_eq(m.count, 22);
    cr_expect_eq(m.rx_time, 16 + 1000);
    /* A whole colour was lost. */
    svr__colour_marked(&c, &(svr_path_metrics){.tx_colour = 3}, 18 * S);
    m = mark(&c, 18 * S);
    cr_expect_eq(m.rx_colour, 3);
    cr_expect_eq(m.count, 0);
}

/* Nothing new: nothing to carry back. With no packet of ours for a second, the
 * report goes alone, and is not answered. */
Test(pathway_colour, one_way_traffic)
{
    svr__colour a, b;
    svr_path_metrics m;
    svr__colour_init(&a);
    svr__colour_init(&b);
    cr_expect_eq(svr__colour_due(&b), SVR_NEVER);
    m = mark(&a, S);
    svr__colour_marked(&b, &m, 5 * S);
    svr__colour_marked(&b, &m, 5 * S + 500 * MS);
    cr_expect_eq(svr__colour_due(&b), 6 * S);
    cr_expect_not(svr__colour_report(&b, &m, &middle, 6 * S - 1));
    cr_assert(svr__colour_report(&b, &m, &middle, 6 * S));
    cr_expect(m.drop);
    cr_expect_eq(m.tx_colour, 0);
    cr_expect_eq(m.rx_colour, 1);
    cr_expect_eq(m.rx_time, 1500, "of the last one, held for 500 ms");
    cr_expect_eq(svr__colour_due(&b), SVR_NEVER);
    cr_expect_not(svr__colour_report(&b, &m, &middle, 9 * S));
    svr__colour_marked(&a, &m, S + 600 * MS);
    cr_expect_eq(svr__colour_due(&a), SVR_NEVER);
    m = mark(&b, 9 * S);
    cr_expect_eq(m.rx_colour, 0);
}

/* Few packets, no report, a pause: no result. */
Test(pathway_colour, nothing_to_say)
{
    svr__colour a, b;
    svr_quality q;
    svr__colour_init(&a);
    for (svr_time t = 0; t < 60 * S; t += 100 * MS)
        mark(&a, t);
    cr_expect_not(svr__average_quality(&a.average, &q), "no report");

    svr__colour_init(&a);
    svr__colour_init(&b);
    for (svr_time t = 0; t < 60 * S; t += 1200 * MS) {
        svr_path_metrics m = mark(&a, t);
        svr__colour_marked(&b, &m, t);
        m = mark(&b, t);
        svr__colour_marked(&a, &m, t);
    }
    cr_expect_not(svr__average_quality(&a.average, &q), "nine packets");

    svr__colour_init(&a);
    svr__colour_init(&b);
    talk(&a, &b, 0, 0, MS, 0, 9);
    talk(&a, &b, 25 * S, 0, MS, 0, 9);
    talk(&a, &b, 50 * S, 0, MS, 0, 9);
    cr_expect_not(svr__average_quality(&a.average, &q), "pauses");
}

/* More reports than marks, duplicates, clocks of before a restart. */
Test(pathway_colour, reports_that_cannot_be)
{
    svr__colour a;
    svr_quality q;
    svr__colour_init(&a);
    for (svr_time t = 0; t < 31 * S; t += 100 * MS) {
        svr_path_metrics m = mark(&a, t);
        svr__colour_marked(&a,
                           &(svr_path_metrics){.rx_colour = m.tx_colour,
                                               .rx_time = m.tx_time,
                                               .count = 0x7fff},
                           t + 2 * MS);
        svr__colour_marked(&a,
                           &(svr_path_metrics){.rx_colour = m.tx_colour,
                                               .rx_time = 0xfff0000,
                                               .count = 0},
                           t + 2 * MS);
    }
    cr_assert(svr__average_quality(&a.average, &q));
    cr_expect_eq(q.loss_ppm, 0);
    cr_expect_eq(q.latency_us, 1000);
    /* No overflow, however many there are. */
    for (unsigned i = 0; i < 100000; i++)
        svr__colour_marked(&a,
                           &(svr_path_metrics){.tx_colour = 1,
                                               .rx_colour = 1,
                                               .rx_time = 30000},
                           31 * S);
    cr_expect_leq(a.round.latencies, 1000);
    cr_expect_eq(a.rx_count, 0x7fff);
}

/* A colour without a report, behind one with: no result. */
Test(pathway_colour, reports_end)
{
    svr__colour a, b;
    svr_quality q;
    svr__colour_init(&a);
    svr__colour_init(&b);
    talk(&a, &b, 0, 0, MS, 0, 45);
    for (svr_time t = 45 * S; t < 90 * S; t += 100 * MS)
        mark(&a, t);
    cr_assert(svr__average_quality(&a.average, &q));
    cr_expect_eq(q.loss_ppm, 0);
    cr_expect_not(svr__colour_is_fresh(&a, 90 * S));
}

/* A report that was overtaken by a later one takes nothing back. */
Test(pathway_colour, overtaken_report)
{
    svr__colour a;
    svr_quality q;
    svr__colour_init(&a);
    for (svr_time t = 0; t < 31 * S; t += 100 * MS) {
        svr_path_metrics m = mark(&a, t);
        for (uint16_t late = 0; late < 2; late++)
            svr__colour_marked(
                &a,
                &(svr_path_metrics){.rx_colour = m.tx_colour,
                                    .rx_time = m.tx_time,
                                    .count = (uint16_t)(99 - late)},
                t + 2 * MS);
    }
    cr_assert(svr__average_quality(&a.average, &q));
    cr_expect_eq(q.loss_ppm, 10000);
}

/* Up again: what was measured before says nothing. A restarted peer's colours
 * are not those of before. */
Test(pathway_colour, begins_anew)
{
    svr__colour a, b;
    svr_quality q;
    svr_path_metrics m;
    svr__colour_init(&a);
    svr__colour_init(&b);
    talk(&a, &b, 0, 0, MS, 0, 45);
    cr_expect(svr__average_quality(&a.average, &q));
    svr__colour_start(&a);
    cr_expect_not(svr__average_quality(&a.average, &q));
    cr_expect_not(svr__colour_is_fresh(&a, 45 * S));
    m = mark(&a, 45 * S);
    cr_expect_not(svr__average_quality(&a.average, &q));
    svr__colour_marked(&b, &m, 45 * S);
    svr__colour_forget(&b);
    cr_expect_eq(svr__colour_due(&b), SVR_NEVER);
    svr__colour_marked(&b, &(svr_path_metrics){.tx_colour = 4}, 46 * S);
    cr_expect_eq(b.rx_colour, 4);
    cr_expect_eq(b.rx_count, 1);
}

/* Traffic leaves a bad pathway and comes back when that is good: nothing of
 * before counts, not even the last round trip. */
Test(pathway_colour, a_pause)
{
    static const struct {
        unsigned seconds;
        bool counts; /* what was measured before */
    } rows[] = {{3, true}, {21, false}, {61, false}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        svr__colour a, b;
        svr_quality q;
        svr_time again = (41 + rows[i].seconds) * S;

        svr__colour_init(&a);
        svr__colour_init(&b);
        talk(&a, &b, 0, 0, 100 * MS, 5, 41);
        cr_assert(svr__average_quality(&a.average, &q));
        cr_expect_eq(q.loss_ppm, 50000);
        talk(&a, &b, again, 0, 10 * MS, 0, 1);
        cr_expect_eq(svr__colour_is_fresh(&a, again + S), rows[i].counts,
                     "row %zu", i);
        talk(&a, &b, again + S, 0, 10 * MS, 0, 30);
        cr_assert(svr__average_quality(&a.average, &q));
        cr_expect_eq(q.loss_ppm > 0, rows[i].counts, "row %zu", i);
        cr_expect_eq(q.latency_us > 11000, rows[i].counts, "row %zu: %u", i,
                     q.latency_us);
        cr_expect_eq(q.jitter_us > 1000, rows[i].counts, "row %zu: %u", i,
                     q.jitter_us);
    }
}

/* The error of a stamp is zero on average, and its variance a quarter, whatever
 * the part of a millisecond. */
Test(pathway_colour, dither)
{
    for (svr_time part = 0; part < MS; part += 100000) {
        double sum = 0, squares = 0;
        const int n = 40000;
        for (int i = 0; i < n; i++) {
            svr_path_metrics m;
            svr__colour c;
            double error;
            svr__colour_init(&c);
            svr__colour_mark(&c, &m, &dice, 5 * MS + part);
            error = m.tx_time - (5 + (double)part / 1e6);
            sum += error;
            squares += error * error;
        }
        cr_expect(sum / n < 0.01 && sum / n > -0.01, "%f", sum / n);
        cr_expect(squares / n < 0.26 && squares / n > 0.24, "%f", squares / n);
    }
}
