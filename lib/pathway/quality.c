/* quality.c - rolling averages (S14.2). */
#include "pathway/quality.h"

#include "base/mos.h"

enum {
    MILLION = 1000000,
    CHANGE_MAX_US = 10000000, /* so that sums of squares fit */
    STEP_US = 10000,          /* and half as much again: far above */
};

void svr__sample_latency(svr__sample *s, int64_t ns)
{
    s->latency += ns / 1000;
    s->latencies++;
}

void svr__sample_change(svr__sample *s, int64_t ns)
{
    int64_t us = ns / 1000;

    if (us > CHANGE_MAX_US || us < -CHANGE_MAX_US)
        us = CHANGE_MAX_US;
    s->variance += us * us;
    s->changes++;
}

/* Where the round of that number is; the newest one has number 0. */
static unsigned place(const svr__average *a, unsigned number)
{
    return (a->next + 2u * SVR__ROUNDS - 1 - number) % SVR__ROUNDS;
}

/* Of the round of that number and those before it. */
static svr__sample sum(const svr__average *a, unsigned number)
{
    svr__sample all = {0};

    for (; number < SVR__ROUNDS; number++) {
        const svr__sample *s = &a->round[place(a, number)];
        all.sent = (uint16_t)(all.sent + s->sent);
        all.received = (uint16_t)(all.received + s->received);
        all.latency += s->latency;
        all.latencies = (uint16_t)(all.latencies + s->latencies);
        all.variance += s->variance;
        all.changes = (uint16_t)(all.changes + s->changes);
    }
    return all;
}

/* The mean, and 0 where rounding left less than nothing. */
static uint64_t mean(int64_t total, uint16_t count)
{
    return total <= 0 || count == 0 ? 0 : ((uint64_t)total + count / 2) / count;
}

static uint64_t latency_of(const svr__sample *s)
{
    return mean(s->latency, s->latencies);
}

static void follow_step(svr__average *a)
{
    const svr__sample earlier = sum(a, 2);
    const uint64_t was = latency_of(&earlier);
    const svr__sample *last = &a->round[place(a, 0)];
    const svr__sample *before = &a->round[place(a, 1)];
    const svr__sample *faster =
        latency_of(last) < latency_of(before) ? last : before;

    if (earlier.latencies == 0 || latency_of(faster) <= was + was / 2 + STEP_US)
        return;
    for (unsigned i = 2; i < SVR__ROUNDS; i++) {
        svr__sample *s = &a->round[place(a, i)];
        s->latency = faster->latency;
        s->latencies = faster->latencies;
    }
}

void svr__average_add(svr__average *a, const svr__sample *s)
{
    a->round[a->next] = *s;
    a->next = (uint8_t)((a->next + 1) % SVR__ROUNDS);
    follow_step(a);
}

/* The largest number whose square is not above x. */
static uint32_t square_root(uint64_t x)
{
    uint64_t root = 0;

    for (uint64_t bit = (uint64_t)1 << 31; bit; bit >>= 1)
        if ((root | bit) * (root | bit) <= x)
            root |= bit;
    return (uint32_t)root;
}

bool svr__average_quality(const svr__average *a, svr_quality *q)
{
    svr__sample all = sum(a, 0);

    if (all.sent == 0)
        return false;
    *q = (svr_quality){
        .loss_ppm = (uint32_t)((uint64_t)(all.sent - all.received) * MILLION /
                               all.sent),
        .latency_us = (uint32_t)latency_of(&all),
        .jitter_us = square_root(mean(all.variance, all.changes)),
    };
    q->mos = svr__mos((uint64_t)q->latency_us + 2 * (uint64_t)q->jitter_us,
                      q->loss_ppm);
    return true;
}
