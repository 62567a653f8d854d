#include "charts.h"

#include "world.h"

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
