#include "settle.h"

#include "charts.h"
#include "mesh.h"
#include "survey.h"
#include "world.h"

#include <stdlib.h>

/* A way that is better by less is no reason to leave one (S17). */
#define CLEARLY(limit) ((limit) - (limit) / 10 - 2 * SVR_MILLISECOND)
/* What measuring adds to the delay of lines, for each. */
#define ROUGHLY (200 * SVR_MICROSECOND)

/* What a session has come by. */
struct walk {
    size_t hops;
    svr_time delay;
    bool loses, lte;
};

/* The session as the router has it. */
static bool find_session(const struct router *r, const struct session *s,
                         svr_session_info *info)
{
    size_t cursor = 0;

    while (svr_node_session_next(r->node, &cursor, info))
        if (svr_tuple_equal(&info->context, &s->tuple))
            return true;
    return false;
}

static void fail(struct world *w, const struct session *s, uint16_t router,
                 const char *what)
{
    world_fail(w, "%s: %s at router %u", session_name(s), what, router);
}

/* The number of the lane by which it leaves a router, or -1: none is up. */
static long next_lane(struct world *w, const struct survey *net,
                      const struct session *s, uint16_t router)
{
    svr_session_info info;
    long lane = -1;

    if (!find_session(&w->routers[router], s, &info))
        fail(w, s, router, "it is not known");
    else if (!info.server.pathway)
        fail(w, s, router, "it ends");
    else if (lane = strtol(info.server.pathway + 1, NULL, 10), !net->up[lane])
        fail(w, s, router, "its pathway is not up");
    else
        return lane;
    return -1;
}

static bool walk(struct world *w, const struct survey *net,
                 const struct session *s, struct walk *out)
{
    uint16_t at = s->router[CLIENT];

    *out = (struct walk){0};
    while (at != s->router[SERVER]) {
        long lane = next_lane(w, net, s, at);
        const struct lane *l;
        if (lane < 0)
            return false;
        l = &w->topology.lanes[lane];
        out->delay += survey_delay(w, (size_t)lane) + ROUGHLY;
        out->loses |= survey_loses(w, (size_t)lane);
        out->lte |= l->vector == MESH_LTE;
        at = l->router[l->router[0] == at];
        if (++out->hops > w->topology.site_count) {
            fail(w, s, at, "it goes round in circles");
            return false;
        }
    }
    return true;
}

static void check_limits(struct world *w, const struct survey *net,
                         const struct session *s, const struct walk *way)
{
    const struct path_policy *p =
        topology_policy(&w->topology, s->router[SERVER]);
    bool late =
        p->max_latency && way->delay > p->max_latency + way->hops * 2 * ROUGHLY;
    svr_time best;

    if (p->no_lte && way->lte)
        fail(w, s, s->router[CLIENT], "it goes by LTE, from that");
    if (!p->max_latency)
        return;
    w->tally.change.limits++;
    if (!late && !(p->max_loss && way->loses))
        return;
    best = survey_distance(net, w, s->router[CLIENT], s->router[SERVER],
                           p->no_lte);
    if (best <= CLEARLY(p->max_latency))
        world_fail(w, "%s: its way takes %llu ms%s, and %llu would do",
                   session_name(s),
                   (unsigned long long)(way->delay / SVR_MILLISECOND),
                   way->loses ? " and loses" : "",
                   (unsigned long long)(best / SVR_MILLISECOND));
}

/* Whether it has spoken lately, and its ends are joined. */
static bool is_alive(const struct world *w, const struct survey *net,
                     const struct session *s)
{
    return !s->over && w->now - s->opened > SVR_SECOND &&
           !session_is_forgotten(w, s) &&
           survey_has(net, s->router[CLIENT], s->victim.narrow) &&
           survey_has(net, s->router[SERVER], s->victim.narrow);
}

void settle_check(struct world *w)
{
    struct survey net;
    struct walk way;

    charts_agree(w, true);
    survey_take(&net, w);
    for (size_t i = 0; i < w->hosts.count && !w->failed; i++) {
        const struct session *s = w->hosts.sessions[i];
        if (!is_alive(w, &net, s) || !walk(w, &net, s, &way))
            continue;
        w->tally.change.walked++;
        check_limits(w, &net, s, &way);
    }
    survey_free(&net);
}
