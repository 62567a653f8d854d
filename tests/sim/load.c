#include "load.h"

#include "mesh.h"
#include "world.h"

static event_fn arrival;

/* After the last fault so much is looked at that hangs would be seen. */
#define AFTERMATH (12 * SVR_SECOND)
#define DAY (86400 * SVR_SECOND)

/* In a crowd nine of ten talk to somebody behind the same hub. */
static uint16_t choose_other(struct world *w, uint16_t from)
{
    size_t count = w->topology.site_count;
    size_t hub = (from - 1u) / TREE_WIDTH;
    size_t other;

    if (w->topology.policies)
        return mesh_draw_server(&w->topology, &w->traffic);
    other = prng_below(&w->traffic, count);
    if (w->options.plan != PLAN_CROWD || from == 0 ||
        prng_chance(&w->traffic, 100000))
        return (uint16_t)other;
    other = hub * TREE_WIDTH + 1 + other % TREE_WIDTH;
    return (uint16_t)(other < count ? other : from);
}

static void open_one(struct world *w)
{
    static const uint8_t kinds[] = {KIND_TCP,  KIND_TCP,   KIND_TCP, KIND_TCP,
                                    KIND_ASK,  KIND_ASK,   KIND_UP,  KIND_DOWN,
                                    KIND_ECHO, KIND_TUNNEL};
    struct prng *p = &w->traffic;
    size_t count = w->topology.site_count;
    svr_time left = w->load.over > w->now ? w->load.over - w->now : 1;
    svr_time until = w->now + (w->load.stay ? left : prng_below(p, left));

    if (w->options.plan == PLAN_DAYS && until > w->now + 600 * SVR_SECOND)
        until = w->now + 600 * SVR_SECOND;
    for (int tries = 0; tries < 100; tries++) {
        uint16_t from = (uint16_t)prng_below(p, count);
        uint16_t to = choose_other(w, from);
        if (from == to)
            continue;
        bool v6 = prng_chance(p, 300000);
        uint8_t kind = kinds[prng_below(p, sizeof(kinds))];
        hosts_open(w, kind, from, to, v6, until);
        return;
    }
}

static void arrival(struct world *w, void *unused)
{
    svr_time left = w->load.until > w->now ? w->load.until - w->now : 0;

    (void)unused;
    open_one(w);
    if (--w->load.left)
        queue_push(
            &w->queue,
            w->now + prng_below(&w->traffic, 2 * left / (w->load.left + 1) + 1),
            arrival, NULL);
}

static size_t wanted(const struct world *w, size_t otherwise)
{
    return w->options.sessions ? w->options.sessions : otherwise;
}

static void begin_seed(struct world *w)
{
    svr_time length = prng_between(&w->trouble, 20, 60) * SVR_SECOND;
    svr_time quiet;

    w->load.pace = 1;
    w->load.left = wanted(w, prng_between(&w->traffic, 5, 60));
    quiet = faults_plan(w, prng_between(&w->trouble, 1, 8), w->now + SVR_SECOND,
                        w->now + length);
    w->load.until = w->load.over = quiet + AFTERMATH;
}

static void begin_restart(struct world *w)
{
    w->load.pace = 1;
    w->load.stay = true;
    w->load.left = wanted(w, 2000);
    w->load.until = w->now + 10 * SVR_SECOND;
    w->load.over =
        faults_restart_all(w, w->load.until + 5 * SVR_SECOND, 20 * SVR_SECOND) +
        AFTERMATH;
}

static void begin_crowd(struct world *w)
{
    w->load.pace = 15;
    w->load.stay = true;
    w->load.left = wanted(w, 100000);
    w->load.until = w->now + 60 * SVR_SECOND;
    w->load.over = w->load.until + 30 * SVR_SECOND;
}

static void begin_vectors(struct world *w)
{
    w->load.pace = 2;
    w->load.stay = true;
    w->load.left = wanted(w, 1000);
    w->load.over = changes_plan(w);
    w->load.until = w->load.over - 30 * SVR_SECOND;
}

static void begin_row(struct world *w)
{
    w->load.pace = 1;
    w->load.stay = true;
    w->load.left = wanted(w, 40);
    w->load.until = w->now + 30 * SVR_SECOND;
    w->load.over = row_plan(w);
}

static void begin_days(struct world *w)
{
    svr_time length = w->options.days * DAY;

    w->load.pace = 10;
    w->load.left = wanted(w, (size_t)100 * w->options.days);
    w->load.until =
        faults_plan(w, UINT64_C(4) * w->options.days, w->now, w->now + length);
    w->load.over = w->load.until + AFTERMATH;
}

void load_begin(struct world *w)
{
    switch (w->options.plan) {
    case PLAN_RESTART:
        begin_restart(w);
        break;
    case PLAN_CROWD:
        begin_crowd(w);
        break;
    case PLAN_DAYS:
        begin_days(w);
        break;
    case PLAN_VECTORS:
        begin_vectors(w);
        break;
    case PLAN_ROW:
        begin_row(w);
        break;
    default:
        begin_seed(w);
        break;
    }
    queue_push(&w->queue, w->now, arrival, NULL);
}
