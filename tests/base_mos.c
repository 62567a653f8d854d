#include "base/mos.h"

#include <criterion/criterion.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static unsigned mos(uint32_t latency_ms, uint32_t jitter_ms, uint32_t loss)
{
    return svr__mos((uint64_t)latency_ms * 1000 + 2000 * (uint64_t)jitter_ms,
                    loss * 10000);
}

/* S14.7, the published samples, to their two decimals. */
Test(base_mos, published)
{
    static const struct {
        uint32_t latency, jitter, loss; /* ms, ms, per cent */
        unsigned mos;                   /* hundredths */
    } rows[] = {
        {78, 21, 0, 434}, {18, 0, 0, 440}, {64, 12, 0, 436},  {15, 1, 0, 440},
        {45, 4, 0, 438},  {0, 0, 0, 440},  {113, 51, 0, 412}, {0, 0, 100, 100},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned got = mos(rows[i].latency, rows[i].jitter, rows[i].loss);
        cr_expect_eq((got + 5) / 10, rows[i].mos, "row %zu: %u", i, got);
    }
}

/* Against the formula as it is written. */
Test(base_mos, formula)
{
    unsigned best = 0, worst = 9999;
    for (uint32_t latency = 0; latency < 2000; latency += 7)
        for (uint32_t jitter = 0; jitter < 300; jitter += 11)
            for (uint32_t loss = 0; loss <= 100; loss += 3) {
                double e = latency + 2.0 * jitter + 10;
                double r =
                    93.2 - (e < 160 ? e / 40 : (e - 120) / 10) - 2.5 * loss;
                double score = 1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r);
                unsigned got = mos(latency, jitter, loss);
                if (r <= 0 || score < 1)
                    score = 1;
                cr_assert(
                    got <= score * 1000 + 0.001 && got >= score * 1000 - 1.1,
                    "%u ms, %u ms, %u %%: %u", latency, jitter, loss, got);
                best = got > best ? got : best;
                worst = got < worst ? got : worst;
            }
    cr_expect_eq(best, 4404);
    cr_expect_eq(worst, 1000);
}

/* What a search may rely on: more delay or more loss is never better. */
Test(base_mos, never_grows)
{
    for (uint64_t delay = 0; delay < 400000; delay += 13) {
        cr_assert_geq(svr__mos(delay, 5000), svr__mos(delay + 13, 5000));
        cr_assert_lt(svr__mos_delay_cost(delay),
                     svr__mos_delay_cost(delay + 13));
    }
    for (uint32_t loss = 0; loss < 400000; loss += 7)
        cr_assert_geq(svr__mos(1000, loss), svr__mos(1000, loss + 7));
}

Test(base_mos, figures_beyond_all_bounds)
{
    cr_expect_eq(svr__mos(UINT64_C(3) * UINT32_MAX, UINT32_MAX), 1000);
    cr_expect_eq(svr__mos(UINT64_C(1) << 57, 0), 1000);
    cr_expect_eq(svr__mos(0, UINT32_MAX), 1000);
}
