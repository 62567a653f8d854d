#include "world.h"
#include "charts.h"

#include "memory.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

/* Pathways have that long to come up. */
#define START_MOST (15 * SVR_SECOND)
/* What is between two looks at the whole. */
#define LOOK_EVERY (100 * SVR_MILLISECOND)
/* S10: ports are kept back for 30 s after their session. */
#define GUARD (35 * SVR_SECOND)

enum { TAIL = 30, SAME_TIME_MOST = 10000000 };

static event_fn look;

void world_fail(struct world *w, const char *format, ...)
{
    va_list args;

    if (w->failed)
        return;
    w->failed = true;
    if (w->options.quiet)
        return;
    fflush(stdout);
    fprintf(stderr, "seed %" PRIu64 ": at %" PRIu64 ".%09" PRIu64 ": ",
            w->options.seed, w->now / SVR_SECOND, w->now % SVR_SECOND);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    journal_tail(&w->journal, stderr, TAIL);
}

void world_count(struct world *w, const svr_node *n)
{
    svr_counters c;

    svr_node_counters(n, &c);
    w->tally.received += c.received;
    w->tally.made += c.sessions_created;
    for (int i = 0; i < SVR_DROP_COUNT; i++)
        w->tally.dropped[i] += c.dropped[i];
}

/* Phases */

static bool all_up(const struct world *w)
{
    for (size_t i = 0; i < w->topology.site_count; i++)
        if (!router_is_up(w, &w->routers[i]))
            return false;
    return true;
}

static svr_time silence_of(const struct world *w)
{
    unsigned idle = w->topology.tcp_s > w->topology.udp_s ? w->topology.tcp_s
                                                          : w->topology.udp_s;
    if (w->options.plant == PLANT_LINGER)
        return SVR_SECOND;
    return idle * SVR_SECOND + GUARD;
}

static void check_empty(struct world *w, struct router *r)
{
    svr_node_pathway p;
    size_t cursor = 0;

    if (svr_node_session_count(r->node))
        world_fail(w, "router %u: %zu sessions are left", r->index,
                   svr_node_session_count(r->node));
    while (svr_node_pathway_next(r->node, &cursor, &p, router_now(w, r)))
        if (p.sessions)
            world_fail(w, "router %u: %" PRIu64 " sessions are left on %s",
                       r->index, p.sessions, p.name);
}

static void finish(struct world *w)
{
    for (size_t i = 0; i < w->topology.site_count; i++) {
        router_check(w, &w->routers[i]);
        check_empty(w, &w->routers[i]);
    }
    if (!all_up(w))
        world_fail(w, "not all pathways are up again");
    charts_check(w);
    if (w->options.plan == PLAN_RESTART &&
        100 * w->tally.reset > w->hosts.count)
        world_fail(w, "%" PRIu64 " of %zu sessions did not survive",
                   w->tally.reset, w->hosts.count);
    w->phase = PHASE_OVER;
}

static void look(struct world *w, void *unused)
{
    (void)unused;
    switch (w->phase) {
    case PHASE_START:
        if (all_up(w)) {
            w->phase = PHASE_LOAD;
            load_begin(w);
        } else if (w->now > WORLD_BEGIN + START_MOST) {
            world_fail(w, "not all pathways come up");
        }
        break;
    case PHASE_LOAD:
        changes_look(w);
        if (w->load.left == 0 && w->now > w->load.over)
            w->phase = PHASE_LINGER;
        break;
    case PHASE_LINGER:
        if (w->hosts.open == 0) {
            w->phase = PHASE_SILENCE;
            queue_push(&w->queue, w->now + silence_of(w), look, NULL);
            return;
        }
        break;
    default:
        finish(w);
        return;
    }
    queue_push(&w->queue, w->now + LOOK_EVERY, look, NULL);
}

/* Life */

static void open_world(struct world *w, const struct world_options *options)
{
    struct topology_wish wish = {
        .routers = options->routers,
        .quiet = options->plan == PLAN_DAYS || options->plan == PLAN_CROWD,
        .row = options->plan == PLAN_RESTART,
        .mesh = options->plan == PLAN_VECTORS,
        .link = options->row,
        .sessions = 2 * options->sessions,
        .cipher = options->cipher,
    };
    struct prng plan = prng_fork(options->seed, 1);

    *w = (struct world){.options = *options, .now = WORLD_BEGIN};
    w->traffic = prng_fork(options->seed, 2);
    w->trouble = prng_fork(options->seed, 3);
    w->noise = prng_fork(options->seed, 4);
    w->journal.text = options->log ? stdout : NULL;
    topology_make(&w->topology, &plan, &wish);
    w->topology.clear = options->plant == PLANT_CLEAR;
    w->topology.stays = options->plant == PLANT_STAYS;
    authority_open(&w->authority, &w->topology);
    net_open(&w->net, &w->topology);
    w->routers = memory_new(w->topology.site_count, sizeof(*w->routers));
    for (size_t i = 0; i < w->topology.site_count; i++)
        router_open(w, &w->routers[i], i);
    authority_close(&w->authority);
    lanes_open(w);
    for (size_t i = 0; i < w->topology.site_count; i++)
        router_start(w, &w->routers[i]);
    if (options->plant == PLANT_CHANCE)
        w->journal.hash = (uint64_t)clock();
    queue_push(&w->queue, w->now, look, NULL);
}

static void close_routers(struct world *w)
{
    for (size_t i = 0; i < w->topology.site_count; i++)
        router_close(w, &w->routers[i]);
    free(w->routers);
}

static void close_world(struct world *w)
{
    hosts_free(w);
    faults_free(w);
    changes_free(w);
    lanes_free(w);
    excuses_free(&w->excuses);
    net_close(&w->net);
    topology_free(&w->topology);
    queue_free(&w->queue);
    buffers_free(&w->buffers);
}

static void turn(struct world *w)
{
    uint64_t same = 0;
    struct event e;

    while (!w->failed && w->phase != PHASE_OVER && queue_pop(&w->queue, &e)) {
        same = e.at == w->now ? same + 1 : 0;
        if (same > SAME_TIME_MOST)
            world_fail(w, "time stands still");
        w->now = e.at;
        w->tally.events++;
        e.fn(w, e.target);
    }
}

static void tell(const struct world *w)
{
    static const char *const shapes[SHAPES] = {"pair", "row",  "ring", "star",
                                               "hub",  "tree", "mesh", "links"};

    printf("seed %" PRIu64 ": %s of %zu routers, %zu sessions, %zu faults, "
           "%" PRIu64 " s, %" PRIu64 " events, %" PRIu64 " of %" PRIu64
           " datagrams lost, %" PRIu64 " reset: %016" PRIx64 "\n",
           w->options.seed, shapes[w->topology.shape], w->topology.site_count,
           w->hosts.count, w->faults.count, (w->now - WORLD_BEGIN) / SVR_SECOND,
           w->tally.events, w->tally.datagrams_lost, w->tally.datagrams,
           w->tally.reset, w->journal.hash);
}

static double seconds(svr_time t)
{
    return (double)t / (double)SVR_SECOND;
}

static void tell_changes(const struct world *w)
{
    const struct change_tally *c = &w->tally.change;

    printf("  %" PRIu64 " times a router sent a packet of a host on, never "
           "the same twice; %u routers at most\n",
           w->tally.traced, w->tally.most_passed);
    printf("  %zu pathways, %zu changes; charts agree after %.2f s at most, "
           "%.2f s when something is mended; a packet was lost %.2f s after a "
           "change at most, %" PRIu64 " in all; %" PRIu64 " moves, %" PRIu64
           " by another router; %u looks, %" PRIu64 " sessions followed, "
           "%" PRIu64 " of them with limits\n",
           w->topology.lane_count, w->changes.count, seconds(c->agree[0]),
           seconds(c->agree[1]), seconds(c->gap), c->lost, c->moved,
           c->redirected, w->changes.looks, c->walked, c->limits);
}

bool world_run(const struct world_options *options, uint64_t *hash,
               struct tally *tally)
{
    struct world w;
    bool ok;

    open_world(&w, options);
    turn(&w);
    close_routers(&w);
    if (!w.failed && !options->quiet)
        tell(&w);
    if (!w.failed && !options->quiet && options->plan == PLAN_VECTORS)
        tell_changes(&w);
    close_world(&w);
    ok = !w.failed;
    *hash = w.journal.hash;
    *tally = w.tally;
    return ok;
}
