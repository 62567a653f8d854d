#include "change.h"

#include "charts.h"
#include "memory.h"
#include "mesh.h"
#include "settle.h"
#include "survey.h"
#include "world.h"

#include <stdlib.h>

/* Averages over a minute of bursts 10 s apart (S14.2), of which small changes
 * are told 10 s later; then ways that have been beyond a limit are watched for
 * half a minute, and that once more for who gets their sessions. */
#define SETTLE (150 * SVR_SECOND)
#define CALM (15 * SVR_SECOND)
#define FLAPPING (20 * SVR_SECOND)
/* S14.1: slow start and three messages each way. */
#define BFD_UP (4 * SVR_SECOND)

/* Excuses for all, for the ends of a session, and where a line loses packets,
 * are told apart by elements. */
#define APART element_router(1)
#define LOSSY element_router(2)
#define EVERYWHERE (~(APART | LOSSY))

static event_fn change_begins, change_ends, calm_begins, calm_ends;

static svr_time detection(const struct world *w)
{
    return SVR_MILLISECOND * w->topology.multiplier * w->topology.interval_ms;
}

/* Found at both ends, told everywhere, and acted on; what is mended has to come
 * up first. */
static svr_time gap_after(const struct world *w, bool heals)
{
    return 2 * detection(w) + SVR_SECOND + (heals ? BFD_UP : 0);
}

/* Until it is told that a pathway is up, it is in its hold-down. */
static svr_time agree_after(const struct world *w, bool heals)
{
    return gap_after(w, heals) +
           (heals ? w->topology.hold_down_ms * SVR_MILLISECOND : 0);
}

/* Excuses */

struct victim changes_victim(const struct world *w, uint16_t from, uint16_t to)
{
    return (struct victim){
        .elements = UINT64_MAX,
        .ends = {(uint16_t)(from + 1), (uint16_t)(to + 1)},
        .narrow = topology_policy(&w->topology, to)->no_lte,
    };
}

/* Sessions of routers that are cut off or gone. */
static void excuse_apart(struct world *w)
{
    struct changes *c = &w->changes;
    struct survey s;

    for (; c->apart < w->excuses.count; c->apart++)
        if (w->excuses.list[c->apart].until == SVR_NEVER &&
            !(w->excuses.list[c->apart].effects & EFFECT_STATE))
            w->excuses.list[c->apart].until = w->now + gap_after(w, true);
    survey_take(&s, w);
    for (size_t i = 0; i < w->topology.site_count; i++)
        for (int narrow = 0; narrow < 2; narrow++) {
            struct trouble t = {
                .from = w->now,
                .until = SVR_NEVER,
                .elements = APART,
                .effects = EFFECT_LOSS | EFFECT_RESET,
                .end = (uint16_t)(i + 1),
                .narrow = narrow,
            };
            if (!survey_has(&s, i, narrow))
                excuses_add(&w->excuses, &t);
        }
    survey_free(&s);
}

static void excuse_gap(struct world *w, bool heals)
{
    struct trouble t = {
        .from = w->now,
        .until = w->now + gap_after(w, heals),
        .elements = EVERYWHERE,
        .effects = EFFECT_LOSS | EFFECT_DOWN,
    };

    excuses_add(&w->excuses, &t);
}

/* What it does for as long as it is there. */
static void excuse_fault(struct world *w, const struct fault *f)
{
    struct trouble t = {
        .from = f->begin,
        .until = f->begin + f->length + gap_after(w, true),
    };
    uint64_t line = f->station ? element_segment(f->station->segment) : 0;

    switch (f->kind) {
    case FAULT_RESTART: /* S8.3 is about one at a time */
        t.until = SVR_NEVER;
        t.elements = APART;
        t.effects = EFFECT_RESET | EFFECT_STATE;
        t.end = (uint16_t)(f->router + 1);
        break;
    case FAULT_FLAP:
        t.elements = line;
        t.effects = EFFECT_DOWN;
        break;
    case FAULT_LOSS:
        t.elements = LOSSY | line;
        t.effects = EFFECT_LOSS | EFFECT_DOWN;
        break;
    default:
        return;
    }
    excuses_add(&w->excuses, &t);
}

/* What happens */

void changes_note(struct world *w, bool heals)
{
    struct changes *c = &w->changes;

    c->times = memory_grow(c->times, (c->count + 1) * sizeof(*c->times));
    c->times[c->count++] = w->now;
    c->heals = heals || (c->heals && !c->agreed);
    c->agreed = false;
}

static void changed(struct world *w, bool heals)
{
    excuse_apart(w);
    excuse_gap(w, heals);
    changes_note(w, heals);
}

static void change_begins(struct world *w, void *target)
{
    struct fault *f = target;

    journal_add(&w->journal, w->now, JOURNAL_FAULT, f->number, f->kind,
                f->station ? f->station->segment : f->router, f->length);
    excuse_fault(w, f);
    fault_apply(w, f);
    /* What gets slow may seem to be down at first. */
    changed(w, f->kind == FAULT_DELAY);
}

static void change_ends(struct world *w, void *target)
{
    struct fault *f = target;

    journal_add(&w->journal, w->now, JOURNAL_FAULT_OVER, f->number, f->kind, 0,
                0);
    fault_undo(w, f);
    changed(w, true);
}

static void calm_begins(struct world *w, void *unused)
{
    (void)unused;
    w->changes.calm = true;
    w->changes.looks++;
    settle_check(w);
}

static void calm_ends(struct world *w, void *unused)
{
    (void)unused;
    w->changes.calm = false;
}

/* What shall happen */

enum change {
    CHANGE_CUT,
    CHANGE_ONEWAY,
    CHANGE_PARTITION,
    CHANGE_GONE,
    CHANGE_RESTART,
    CHANGE_SLOW,
    CHANGE_LOSSY,
    CHANGE_FLAP,
    CHANGES
};

static void draw(struct world *w, struct fault *f, enum change change)
{
    static const enum fault_kind kinds[CHANGES] = {
        FAULT_DOWN,    FAULT_ONEWAY, FAULT_PARTITION, FAULT_RESTART,
        FAULT_RESTART, FAULT_DELAY,  FAULT_LOSS,      FAULT_FLAP};
    struct prng *p = &w->trouble;
    const struct lane *l =
        &w->topology.lanes[prng_below(p, w->topology.lane_count)];
    size_t end = prng_below(p, 2);

    *f = (struct fault){.number = w->faults.count, .kind = kinds[change]};
    f->router = l->router[end];
    if (f->kind != FAULT_PARTITION && f->kind != FAULT_RESTART)
        f->station = w->routers[f->router].ports[1 + l->port[end]];
    if (change == CHANGE_ONEWAY)
        f->size = prng_below(p, 2);
    else if (change == CHANGE_SLOW)
        f->size = prng_between(p, 300, 900) * SVR_MILLISECOND;
    else if (change == CHANGE_LOSSY)
        f->size = 80000; /* not once in a minute is no loss seen */
}

static void enter(struct world *w, struct fault *f)
{
    queue_push(&w->queue, f->begin, change_begins, f);
    queue_push(&w->queue, f->begin + f->length, change_ends, f);
}

/* Some of them at once. */
static svr_time pause(struct world *w)
{
    svr_time most = 2 * gap_after(w, true);

    return prng_below(&w->trouble, 3) ? prng_below(&w->trouble, most) : 0;
}

/* Looks at what has settled, from then on. Returns when things may happen
 * again. */
static svr_time settle(struct world *w, svr_time from)
{
    queue_push(&w->queue, from + SETTLE, calm_begins, NULL);
    queue_push(&w->queue, from + SETTLE + CALM, calm_ends, NULL);
    return from + SETTLE + CALM + SVR_SECOND;
}

/* All begin, one after the other; what lasts is mended in the same order, when
 * that has settled. */
svr_time changes_plan(struct world *w)
{
    svr_time at;
    size_t more = w->topology.site_count / 50, count = more + CHANGES;
    struct fault *f;
    enum change what;

    changed(w, true); /* that all is up is not known everywhere */
    at = settle(w, w->now);
    w->faults.list = memory_new(count, sizeof(*f));
    for (size_t i = 0; i < count; i++) {
        f = &w->faults.list[w->faults.count];
        what = i < more ? (enum change)prng_below(&w->trouble, CHANGE_RESTART)
                        : (enum change)(i - more);
        draw(w, f, what);
        w->faults.count++;
        f->begin = at;
        at += pause(w);
        if (what == CHANGE_FLAP)
            f->length = FLAPPING;
        else if (what == CHANGE_RESTART)
            f->length = 200 * SVR_MILLISECOND;
    }
    at = settle(w, at + FLAPPING);
    for (size_t i = 0; i < count; i++) {
        f = &w->faults.list[i];
        if (!f->length) {
            f->length = at - f->begin;
            at += pause(w);
        }
        enter(w, f);
    }
    return settle(w, at);
}

void changes_free(struct world *w)
{
    free(w->changes.times);
}

/* What is measured */

static svr_time last_before(const struct changes *c, svr_time t)
{
    size_t i = c->count;

    while (i > 0 && c->times[i - 1] > t)
        i--;
    return i ? c->times[i - 1] : 0;
}

void changes_look(struct world *w)
{
    struct changes *c = &w->changes;
    svr_time since, *worst = &w->tally.change.agree[c->heals];

    if (c->agreed || c->count == 0)
        return;
    since = w->now - c->times[c->count - 1];
    c->agreed = charts_agree(w, false);
    if (c->agreed && since > *worst)
        *worst = since;
    if (!c->agreed && since > agree_after(w, c->heals)) {
        charts_agree(w, true);
        c->agreed = true;
    }
}

/* S17: no session moves more often than it should, nor twice within a
 * hold-down. */
static void count_move(struct world *w, const struct router *r,
                       struct session *s)
{
    if (!s || s->over || s->router[CLIENT] != r->index)
        return;
    if (s->moves++ &&
        w->now - s->moved < w->topology.hold_down_ms * SVR_MILLISECOND)
        world_fail(w, "%s moves again within a hold-down", session_name(s));
    if (s->moves > w->options.row->moves)
        world_fail(w, "%s has moved %u times", session_name(s), s->moves);
    s->moved = w->now;
}

void changes_heard(struct world *w, const struct router *r,
                   const svr_event *event)
{
    if (event->kind != SVR_EVENT_SESSION_MOVED)
        return;
    w->tally.change.moved++;
    w->tally.change.redirected += event->cause == SVR_CAUSE_REDIRECTED;
    if (w->options.row)
        count_move(w, r, hosts_find(w, &event->session->context));
    if (w->changes.calm)
        world_fail(w, "router %u: a session moves (%s), and nothing changes",
                   r->index, svr_cause_name(event->cause));
}

void changes_lost(struct world *w, const struct session *s, svr_time sent)
{
    struct victim v = s->victim;
    svr_time change = last_before(&w->changes, sent + SVR_SECOND);

    v.elements = APART | LOSSY;
    if (excuses_find(&w->excuses, &v, EFFECT_LOSS, sent, sent + SVR_SECOND))
        return;
    w->tally.change.lost++;
    if (change && change < sent && sent - change > w->tally.change.gap)
        w->tally.change.gap = sent - change; /* else it was on its way then */
}
