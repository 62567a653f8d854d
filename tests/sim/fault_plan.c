/* Which faults a run has, and what they excuse. */
#include "fault.h"

#include "memory.h"
#include "world.h"

/* How long things take, beside what is configured. */
#define BFD_UP (4 * SVR_SECOND) /* a slow start and three messages each way */
#define MARGIN (100 * SVR_MILLISECOND)

static svr_time detection(const struct world *w)
{
    return w->topology.multiplier * w->topology.interval_ms * SVR_MILLISECOND;
}

/* From the end of an outage until sessions go on. */
static svr_time recovery(const struct world *w)
{
    return detection(w) + BFD_UP + 2 * SVR_SECOND;
}

/* What it excuses */

static struct trouble trouble_of(const struct world *w, const struct fault *f)
{
    svr_time over = f->begin + f->length;
    struct trouble t = {
        .from = f->begin,
        .until = over + recovery(w),
        .elements = f->station ? element_segment(f->station->segment)
                               : element_router(f->router),
        .effects = EFFECT_LOSS | EFFECT_DOWN,
    };

    switch (f->kind) {
    case FAULT_ADMIN:
        t.elements = element_segment(w->topology.lanes[f->lane].segment);
        break;
    case FAULT_COPY:
    case FAULT_REORDER:
        t.effects = f->kind == FAULT_COPY ? EFFECT_COPY : 0;
        t.until = over + 10 * SVR_SECOND;
        break;
    case FAULT_CORRUPT:
        t.effects |= EFFECT_CORRUPT;
        break;
    case FAULT_RATE:
    case FAULT_NAT_PORT:
        t.effects = EFFECT_LOSS;
        break;
    case FAULT_MTU:
        t.effects = EFFECT_LOSS;
        t.until = over + 2 * SVR_SECOND;
        if (t.until > f->begin + 4 * detection(w) + 2 * SVR_SECOND)
            t.until = f->begin + 4 * detection(w) + 2 * SVR_SECOND;
        break;
    case FAULT_CLOCK:
        t.timed_only = true;
        break;
    case FAULT_REPLAY: /* recorded anywhere */
        t.effects = EFFECT_COPY;
        t.elements = UINT64_MAX;
        t.from = 0;
        break;
    default:
        break;
    }
    return t;
}

/* Within twice the detection time both ends know (S14.1): the one that hears
 * nothing, and the other, which it tells. */
static svr_time detected(const struct world *w)
{
    return 2 * detection(w) + MARGIN;
}

static bool cuts(const struct fault *f)
{
    return f->kind == FAULT_DOWN || f->kind == FAULT_ONEWAY ||
           f->kind == FAULT_PARTITION;
}

static void check_down(struct world *w, void *target)
{
    lanes_check_down(w, target);
}

static void check_up(struct world *w, void *target)
{
    lanes_check_up(w, trouble_of(w, target).elements);
}

static void begin(struct world *w, void *target)
{
    struct fault *f = target;

    journal_add(&w->journal, w->now, JOURNAL_FAULT, f->number, f->kind,
                f->station ? f->station->segment : f->router, f->length);
    fault_apply(w, f);
    if (cuts(f) && f->length > detected(w))
        queue_push(&w->queue, w->now + detected(w), check_down, f);
}

static void end(struct world *w, void *target)
{
    struct fault *f = target;

    journal_add(&w->journal, w->now, JOURNAL_FAULT_OVER, f->number, f->kind, 0,
                0);
    fault_undo(w, f);
}

/* What shall happen */

static bool draw_station(struct world *w, struct fault *f, bool with_nat)
{
    struct segment *s = &w->net.segments[prng_below(&w->trouble, w->net.count)];

    f->station = &s->stations[prng_below(&w->trouble, s->count)];
    f->router = f->station->router;
    return !with_nat || f->station->nat;
}

static svr_time milliseconds(struct world *w, uint64_t low, uint64_t high)
{
    return prng_between(&w->trouble, low, high) * SVR_MILLISECOND;
}

/* False: there is nothing here that it could happen to. */
static bool draw(struct world *w, struct fault *f)
{
    static const unsigned restarts[] = {0, 100, 1000, 1000, 3000, 10000};
    struct prng *p = &w->trouble;
    const struct lane *lane;

    f->length = milliseconds(w, 100, 8000);
    f->router = (uint16_t)prng_below(p, w->topology.site_count);
    switch (f->kind) {
    case FAULT_RESTART:
        f->length = restarts[prng_below(p, 6)] * SVR_MILLISECOND;
        return true;
    case FAULT_PARTITION:
        return true;
    case FAULT_CLOCK:
        f->size = (uint64_t)(prng_below(p, 2) ? 1 : -1) * 3600 * SVR_SECOND;
        return true;
    case FAULT_PAUSE:
        f->length = milliseconds(w, 100, 10000);
        return true;
    case FAULT_ADMIN:
        f->lane = (uint16_t)prng_below(p, w->topology.lane_count);
        lane = &w->topology.lanes[f->lane];
        f->router = lane->router[prng_below(p, 2)];
        return true;
    case FAULT_NAT_PORT:
    case FAULT_NAT_ADDRESS:
        f->length = 0;
        return draw_station(w, f, true);
    case FAULT_LOSS:
        f->size = prng_between(p, 10000, 500000);
        break;
    case FAULT_COPY:
        f->size = prng_between(p, 100000, 1000000);
        break;
    case FAULT_DELAY:
        f->size = milliseconds(w, 100, 2000);
        f->spread = f->size / 3;
        break;
    case FAULT_RATE:
        f->size = prng_between(p, 1000000, 10000000);
        break;
    case FAULT_MTU:
        f->size = prng_between(p, 1280, 1480);
        f->length = milliseconds(w, 1000, 20000);
        break;
    case FAULT_ONEWAY:
        f->size = prng_below(p, 2);
        break;
    case FAULT_REPLAY:
        f->size = milliseconds(w, 1, 100);
        f->length = 0;
        break;
    default:
        break;
    }
    return draw_station(w, f, false);
}

static void add(struct world *w, svr_time from, svr_time until)
{
    struct fault *f = &w->faults.list[w->faults.count];

    *f = (struct fault){.number = w->faults.count};
    do
        f->kind = (enum fault_kind)prng_below(&w->trouble, FAULT_KINDS);
    while (!(w->options.faults & 1u << f->kind));
    f->begin = prng_between(&w->trouble, from, until);
    if (draw(w, f))
        w->faults.count++;
}

/* S8.3 is about any one router. Where a second one dies before the first has
 * been told what it forgot, a session over both may be lost for good. */
static void add_double_restart(struct world *w, const struct fault *a,
                               const struct fault *b)
{
    struct trouble x = trouble_of(w, a), y = trouble_of(w, b);
    struct trouble both = {
        .from = x.from > y.from ? x.from : y.from,
        .until = SVR_NEVER,
        .elements = x.elements | y.elements,
        .effects = EFFECT_RESET | EFFECT_STATE,
        .all = true,
    };

    if (a->kind == FAULT_RESTART && b->kind == FAULT_RESTART &&
        a->router != b->router && x.from <= y.until && y.from <= x.until)
        excuses_add(&w->excuses, &both);
}

/* From when on sessions that can move are elsewhere, or 0: only where nothing
 * else is wrong at the same time is it certain that there is a better place. */
static svr_time moved(const struct world *w, const struct fault *f)
{
    struct trouble t = trouble_of(w, f);
    svr_time slow = f->kind == FAULT_ONEWAY ? 2 : 1;

    if (f->kind != FAULT_DOWN && f->kind != FAULT_ONEWAY &&
        f->kind != FAULT_ADMIN)
        return 0;
    for (size_t i = 0; i < w->faults.count; i++) {
        struct trouble other = trouble_of(w, &w->faults.list[i]);
        if (&w->faults.list[i] != f && (other.effects & EFFECT_LOSS) &&
            other.from <= t.until && t.from <= other.until)
            return 0;
    }
    return f->begin + slow * detection(w) + MARGIN;
}

/* They will happen. */
static svr_time enter(struct world *w)
{
    svr_time last = 0;

    for (size_t i = 0; i < w->faults.count; i++) {
        struct fault *f = &w->faults.list[i];
        struct trouble t = trouble_of(w, f);
        t.moved = moved(w, f);
        excuses_add(&w->excuses, &t);
        for (size_t k = 0; k < i; k++)
            add_double_restart(w, f, &w->faults.list[k]);
        queue_push(&w->queue, f->begin, begin, f);
        queue_push(&w->queue, f->begin + f->length, end, f);
        queue_push(&w->queue, t.until, check_up, f);
        if (t.until > last)
            last = t.until;
    }
    return last;
}

svr_time faults_plan(struct world *w, uint64_t count, svr_time from,
                     svr_time until)
{
    svr_time last;

    if (!w->options.faults)
        return until;
    w->faults.list = memory_new(count, sizeof(*w->faults.list));
    while (count--)
        add(w, from, until);
    last = enter(w);
    return last > until ? last : until;
}

svr_time faults_restart_all(struct world *w, svr_time from, svr_time apart)
{
    size_t count = w->topology.site_count;

    w->faults.list = memory_new(count, sizeof(*w->faults.list));
    for (size_t i = 0; i < count; i++)
        w->faults.list[w->faults.count++] =
            (struct fault){.number = i,
                           .kind = FAULT_RESTART,
                           .begin = from + i * apart,
                           .length = SVR_SECOND,
                           .router = (uint16_t)i};
    return enter(w);
}
