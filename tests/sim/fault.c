#include "fault.h"

#include "memory.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

const char *const fault_names[FAULT_KINDS] = {
#define X(name, id, text) id,
    FAULT_MAP(X)
#undef X
};

const char *const fault_texts[FAULT_KINDS] = {
#define X(name, id, text) text,
    FAULT_MAP(X)
#undef X
};

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

/* What happens */

/* Several faults may cut the same line. */
static void count(unsigned *reasons, bool one_more)
{
    *reasons = one_more ? *reasons + 1 : *reasons - 1;
}

static void set_line(struct station *s, bool cut)
{
    count(&s->link.cut, cut);
    count(&s->deaf, cut);
}

static void set_partition(struct world *w, const struct fault *f, bool cut)
{
    for (size_t i = 0; i < w->topology.sites[f->router].port_count; i++)
        set_line(w->routers[f->router].ports[1 + i], cut);
}

static void set_oneway(struct fault *f, bool cut)
{
    count(f->size ? &f->station->deaf : &f->station->link.cut, cut);
}

static void set_admin(struct world *w, const struct fault *f, bool down)
{
    struct router *r = &w->routers[f->router];
    char name[16];

    snprintf(name, sizeof(name), "p%u", f->lane);
    if (!r->node)
        return;
    if (svr_node_pathway_admin(r->node, name, down, router_now(w, r)) < 0)
        world_fail(w, "router %u has no pathway %s", f->router, name);
    router_touched(w, r);
}

static void set_nat_address(struct fault *f)
{
    struct nat *n = f->station->nat;

    n->outside.b[14] = (uint8_t)(n->outside.b[14] + 1);
    nat_rebind(n);
}

static void replay(struct world *w, const struct fault *f)
{
    for (size_t i = 0; i < w->faults.records; i++) {
        const struct buffer *old = w->faults.recorded[i];
        struct buffer *b = buffer_copy(&w->buffers, old);
        if (i % 2) /* from elsewhere */
            b->packet.data[15] = (uint8_t)(b->packet.data[15] ^ 0x40);
        net_inject(w, old->to, b, w->now + i * f->size);
    }
}

static event_fn beat;

static void beat(struct world *w, void *target)
{
    struct fault *f = target;

    set_line(f->station, f->beats++ % 2 == 0);
    if (f->beats % 2 || w->now + SVR_SECOND < f->begin + f->length)
        queue_push(&w->queue, w->now + SVR_SECOND / 2, beat, f);
}

static void apply(struct world *w, struct fault *f)
{
    struct link *l = f->station ? &f->station->link : NULL;
    struct router *r = &w->routers[f->router];

    switch (f->kind) {
    case FAULT_RESTART:
        router_kill(w, r);
        break;
    case FAULT_DOWN:
        set_line(f->station, true);
        break;
    case FAULT_FLAP:
        beat(w, f);
        break;
    case FAULT_ONEWAY:
        set_oneway(f, true);
        break;
    case FAULT_PARTITION:
        set_partition(w, f, true);
        break;
    case FAULT_LOSS:
        l->loss_ppm = (uint32_t)f->size;
        break;
    case FAULT_COPY:
        l->copy_ppm = (uint32_t)f->size;
        break;
    case FAULT_REORDER:
        l->reorder_ppm = 250000;
        break;
    case FAULT_CORRUPT:
        l->corrupt_ppm = 10000;
        l->sly = true;
        break;
    case FAULT_DELAY:
        l->delay += f->size;
        l->jitter = f->size / 3;
        break;
    case FAULT_RATE:
        l->rate = f->size;
        break;
    case FAULT_MTU:
        l->mtu = (uint16_t)f->size;
        break;
    case FAULT_NAT_PORT:
        nat_rebind(f->station->nat);
        break;
    case FAULT_NAT_ADDRESS:
        set_nat_address(f);
        break;
    case FAULT_CLOCK:
        router_set_clock(w, r, (int64_t)f->size);
        break;
    case FAULT_PAUSE:
        router_pause(r);
        break;
    case FAULT_ADMIN:
        set_admin(w, f, true);
        break;
    case FAULT_REPLAY:
        replay(w, f);
        break;
    default:
        break;
    }
}

static void undo(struct world *w, struct fault *f)
{
    struct link *l = f->station ? &f->station->link : NULL;
    struct router *r = &w->routers[f->router];

    switch (f->kind) {
    case FAULT_RESTART:
        if (!r->node)
            router_start(w, r);
        break;
    case FAULT_DOWN:
        set_line(f->station, false);
        break;
    case FAULT_ONEWAY:
        set_oneway(f, false);
        break;
    case FAULT_PARTITION:
        set_partition(w, f, false);
        break;
    case FAULT_LOSS:
        l->loss_ppm = 0;
        break;
    case FAULT_COPY:
        l->copy_ppm = 0;
        break;
    case FAULT_REORDER:
        l->reorder_ppm = 0;
        break;
    case FAULT_CORRUPT:
        l->corrupt_ppm = 0;
        break;
    case FAULT_DELAY:
        l->delay -= f->size;
        l->jitter = 0;
        break;
    case FAULT_RATE:
        l->rate = 0;
        break;
    case FAULT_MTU:
        l->mtu = SIM_MTU;
        break;
    case FAULT_CLOCK:
        router_set_clock(w, r, 0);
        break;
    case FAULT_PAUSE:
        router_resume(w, r);
        break;
    case FAULT_ADMIN:
        set_admin(w, f, false);
        break;
    default:
        break;
    }
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
    apply(w, f);
    if (cuts(f) && f->length > detected(w))
        queue_push(&w->queue, w->now + detected(w), check_down, f);
}

static void end(struct world *w, void *target)
{
    struct fault *f = target;

    journal_add(&w->journal, w->now, JOURNAL_FAULT_OVER, f->number, f->kind, 0,
                0);
    undo(w, f);
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

void faults_free(struct world *w)
{
    for (size_t i = 0; i < w->faults.records; i++)
        buffer_give(&w->buffers, w->faults.recorded[i]);
    free(w->faults.list);
    w->faults = (struct faults){0};
}

void faults_record(struct world *w, const struct buffer *b)
{
    struct faults *f = &w->faults;
    struct buffer *copy;

    if (!(w->options.faults & 1u << FAULT_REPLAY) ||
        !prng_chance(&w->noise, 2000))
        return;
    copy = buffer_copy(&w->buffers, b);
    if (f->records < RECORDED) {
        f->recorded[f->records++] = copy;
        return;
    }
    size_t i = prng_below(&w->noise, RECORDED);
    buffer_give(&w->buffers, f->recorded[i]);
    f->recorded[i] = copy;
}
