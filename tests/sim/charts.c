#include "charts.h"

#include "memory.h"
#include "survey.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

static void check(struct world *w, const struct router *r)
{
    const svr_chart *chart = svr_node_chart(r->node);
    const svr_topology *t = svr_chart_graph(chart);
    svr_chart_figures f;

    for (uint32_t i = 0; i < t->edge_count; i++) {
        const svr_path_edge *e = &t->edges[i];
        if (!e->up)
            world_fail(w, "router %u does not know that %s of %s is up%s",
                       r->index, e->name, t->routers[e->from],
                       svr_chart_figures_of(chart, i, &f)
                           ? ""
                           : ": it has not heard of it");
    }
}

void charts_check(struct world *w)
{
    for (size_t i = 0; i < w->topology.site_count; i++)
        check(w, &w->routers[i]);
}

/* What the first router that has heard of it knows of a direction. */
struct rumour {
    bool known, said;
    svr_chart_figures figures;
};

static bool differs(const struct rumour *x, const struct rumour *y)
{
    return x->said != y->said ||
           (x->said && (x->figures.up != y->figures.up ||
                        x->figures.latency_us != y->figures.latency_us ||
                        x->figures.jitter_us != y->figures.jitter_us ||
                        x->figures.loss_ppm != y->figures.loss_ppm));
}

/* One that has failed often is told to be up later (S14.1). */
static bool is_held(const struct world *w, size_t lane)
{
    svr_node_pathway p;

    for (int end = 0; end < 2; end++) {
        const struct router *r =
            &w->routers[w->topology.lanes[lane].router[end]];
        size_t cursor = 0;
        while (svr_node_pathway_next(r->node, &cursor, &p, router_now(w, r)))
            if (strtoul(p.name + 1, NULL, 10) == lane && p.info.flaps > 1 &&
                !p.info.ready)
                return true;
    }
    return false;
}

static bool agrees(struct world *w, const struct router *r,
                   const struct survey *s, struct rumour *rumours, bool tell)
{
    const svr_chart *chart = svr_node_chart(r->node);
    const svr_topology *t = svr_chart_graph(chart);
    const char *what = NULL;

    for (uint32_t i = 0; i < t->edge_count; i++) {
        const svr_path_edge *e = &t->edges[i];
        size_t lane = strtoul(e->name + 1, NULL, 10);
        const struct lane *l = &w->topology.lanes[lane];
        struct rumour *first = &rumours[2 * lane + (l->router[1] == e->from)];
        struct rumour mine = {.known = true};

        if (!survey_has(s, e->from, false)) /* nobody there can tell */
            continue;
        if (e->up != s->up[lane] && (e->up || !is_held(w, lane)))
            what = e->up ? "is down" : "is up";
        mine.said = svr_chart_figures_of(chart, i, &mine.figures);
        if (e->from == r->index) /* it knows that better than it tells */
            ;
        else if (!first->known)
            *first = mine;
        else if (differs(first, &mine))
            what = "is as others say";
        if (what && tell)
            world_fail(w, "router %u does not know that %s of %s %s", r->index,
                       e->name, t->routers[e->from], what);
        if (what)
            return false;
    }
    return true;
}

bool charts_agree(struct world *w, bool tell)
{
    struct rumour *rumours =
        memory_new(2 * w->topology.lane_count, sizeof(*rumours));
    bool all = true;
    struct survey s;

    survey_take(&s, w);
    for (size_t i = 0; i < w->topology.site_count && all; i++)
        if (survey_has(&s, i, false))
            all = agrees(w, &w->routers[i], &s, rumours, tell);
    survey_free(&s);
    free(rumours);
    return all;
}
