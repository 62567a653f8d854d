#include "row.h"

#include "memory.h"
#include "settle.h"
#include "world.h"

#define MS SVR_MILLISECOND
#define S SVR_SECOND
/* Figures are averages over a minute; then sessions move within a second. */
#define MEASURED (75 * S)
/* Until averages, and who has left, have settled again. */
#define SETTLE (150 * S)

#define BY_LATENCY "best-path: latency, "

const struct row rows[ROWS] = {
    {
        .name = "down",
        .text = "a link is cut: sessions go on by another one after the "
                "detection time and 100 ms, and come back",
        .policy = {BY_LATENCY, true, 0, false, false},
        .kind = FAULT_DOWN,
        .length = 30 * S,
        .interval_ms = 100,
        .gap = 400 * MS,
        .moves = 2,
        .goes_down = true,
    },
    {
        .name = "flap",
        .text = "a link comes and goes every second for a minute: at most one "
                "move in each hold-down",
        .policy = {BY_LATENCY, true, 0, false, false},
        .kind = FAULT_FLAP,
        .length = 60 * S,
        .interval_ms = 100,
        .gap = 400 * MS,
        .moves = 2,
        .goes_down = true,
    },
    {
        .name = "delay",
        .text = "a link gets slower by 300 ms, and by 100 more at random: "
                "sessions leave by their limit, and nothing is down",
        .policy = {BY_LATENCY "max-latency: 100ms, ", true, 100 * MS, true,
                   false},
        .kind = FAULT_DELAY,
        .size = 300 * MS,
        .spread = 100 * MS,
        .length = 120 * S,
        .interval_ms = 1000,
        .moves = 2,
    },
    {
        .name = "step",
        .text = "a link's delay steps to 2 s: at 1 s x 3 nothing is down",
        .policy = {BY_LATENCY "max-latency: 100ms, ", true, 100 * MS, true,
                   false},
        .kind = FAULT_DELAY,
        .size = 1995 * MS,
        .length = 120 * S,
        .interval_ms = 1000,
        .moves = 2,
    },
    {
        .name = "one-way",
        .text = "a link carries nothing in one direction: both ends know it "
                "in twice the detection time, and sessions have left",
        .policy = {BY_LATENCY, true, 0, false, false},
        .kind = FAULT_ONEWAY,
        .length = 30 * S,
        .interval_ms = 100,
        .gap = 700 * MS,
        .moves = 2,
        .goes_down = true,
    },
    {
        .name = "one-way-loss",
        .text = "a link loses 5 % in one direction: sessions leave by their "
                "limit",
        .policy = {BY_LATENCY "max-loss: 2%, ", true, 250 * MS, true, false},
        .kind = FAULT_LOSS,
        .size = 50000,
        .length = 120 * S,
        .interval_ms = 1000,
        .gap = MEASURED,
        .moves = 2,
    },
    {
        .name = "mtu",
        .text = "a link swallows what is longer than 1,300 bytes, and says "
                "nothing: no black hole after four times the detection time "
                "and 2 s",
        .policy = {BY_LATENCY, true, 0, false, false},
        .kind = FAULT_MTU,
        .size = 1300,
        .length = 120 * S,
        .interval_ms = 100,
        .gap = 3200 * MS,
    },
    {
        .name = "partition",
        .text = "all links of a router are cut and mended: nothing hangs, and "
                "nothing is reset",
        .policy = {BY_LATENCY, true, 0, false, false},
        .kind = FAULT_PARTITION,
        .length = 20 * S,
        .interval_ms = 100,
        .moves = 4,
        .goes_down = true,
    },
};

static void join(struct topology *t, struct prng *p, size_t a, size_t b,
                 svr_time delay)
{
    topology_join(t, p, a, b);
    t->segments[t->segment_count - 1].delay = delay;
}

void row_make(struct topology *t, struct prng *p, const struct row *row)
{
    t->policies = &row->policy;
    t->policy_count = 1;
    t->interval_ms = row->interval_ms;
    t->hold_down_ms = 5000;
    t->sites[1].serves = true;
    join(t, p, 0, 1, 5 * MS);
    join(t, p, 0, 1, 10 * MS);
    join(t, p, 0, 2, 6 * MS);
    join(t, p, 2, 1, 6 * MS);
}

/* What is excused: losses until it is found and acted on; pathways that go down
 * while it is there, where they do. */
static void excuse(struct world *w, const struct row *row,
                   const struct fault *f)
{
    svr_time over = f->begin + f->length;
    struct trouble gap = {
        .from = f->begin,
        .until = f->begin + row->gap,
        .elements = UINT64_MAX,
        .effects = EFFECT_LOSS,
    };
    struct trouble down = {
        .from = f->begin,
        .until = over + 5 * S,
        .elements = UINT64_MAX,
        .effects = EFFECT_DOWN,
    };

    if (f->kind == FAULT_PARTITION) /* it comes up again by and by */
        gap.until = over + 5 * S;
    if (row->gap || f->kind == FAULT_PARTITION)
        excuses_add(&w->excuses, &gap);
    if (row->goes_down)
        excuses_add(&w->excuses, &down);
}

static void begin(struct world *w, void *target)
{
    struct fault *f = target;

    journal_add(&w->journal, w->now, JOURNAL_FAULT, f->number, f->kind,
                f->router, f->length);
    changes_note(w, false);
    fault_apply(w, f);
}

static void end(struct world *w, void *target)
{
    struct fault *f = target;

    journal_add(&w->journal, w->now, JOURNAL_FAULT_OVER, f->number, f->kind, 0,
                0);
    fault_undo(w, f);
}

static void check_down(struct world *w, void *target)
{
    lanes_check_down(w, target);
}

static void check_up(struct world *w, void *unused)
{
    (void)unused;
    lanes_check_up(w, UINT64_MAX);
}

static void look(struct world *w, void *unused)
{
    (void)unused;
    settle_check(w);
}

svr_time row_plan(struct world *w)
{
    const struct row *row = w->options.row;
    struct fault *f = memory_new(1, sizeof(*f));
    svr_time over;

    *f = (struct fault){
        .kind = row->kind,
        .size = row->size,
        .spread = row->spread,
        .begin = w->now + MEASURED,
        .length = row->length,
        .station = row->kind == FAULT_PARTITION ? NULL : w->routers[0].ports[1],
    };
    w->faults.list = f;
    w->faults.count = 1;
    over = f->begin + f->length;
    excuse(w, row, f);
    changes_note(w, true);
    queue_push(&w->queue, f->begin, begin, f);
    queue_push(&w->queue, over, end, f);
    if (row->goes_down && f->kind != FAULT_FLAP) {
        queue_push(&w->queue, f->begin + 6 * MS * row->interval_ms + 100 * MS,
                   check_down, f);
        queue_push(&w->queue, over + 5 * S, check_up, NULL);
    }
    queue_push(&w->queue, over + SETTLE, look, NULL);
    return over + SETTLE + S;
}
