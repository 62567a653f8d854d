#include "report_topology.h"

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *services_of(const struct report *r, const svr_topology *graph,
                           uint32_t router)
{
    const svr_policy_config *policy = &r->config->node.policy;
    json_t *list = json_array();

    for (size_t i = 0; i < graph->instance_count; i++) {
        const svr_path_instance *at = &graph->instances[i];
        if (at->router == router)
            json_array_append_new(list,
                                  json_pack("{s:s, s:o}", "name",
                                            policy->services[at->service].name,
                                            "sessions", number(at->load)));
    }
    return list;
}

static json_t *router_entry(const struct report *r, const svr_chart *chart,
                            uint32_t router, svr_time now)
{
    const svr_topology *graph = svr_chart_graph(chart);
    svr_chart_router info;
    json_t *o = json_object();

    svr_chart_describe(chart, router, &info, now);
    json_object_set_new(o, "router", json_string(graph->routers[router]));
    json_object_set_new(o, "heard", json_boolean(info.heard));
    json_object_set_new(
        o, "age_s", info.heard ? number(info.age / SVR_SECOND) : json_null());
    json_object_set_new(o, "boot", number(info.sequence >> 32));
    json_object_set_new(o, "services", services_of(r, graph, router));
    return o;
}

static json_t *quality(const svr_chart_figures *f)
{
    if (!f->measured)
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "loss_ppm", number(f->loss_ppm),
                     "latency_us", number(f->latency_us), "jitter_us",
                     number(f->jitter_us));
}

/* up: both ends say so; heard: this one says anything. */
static json_t *pathway_entry(const svr_chart *chart, uint32_t edge)
{
    const svr_topology *graph = svr_chart_graph(chart);
    const svr_path_edge *e = &graph->edges[edge];
    svr_chart_figures f = {0};
    bool heard = svr_chart_figures_of(chart, edge, &f);
    json_t *o = json_object();

    json_object_set_new(o, "pathway", json_string(e->name));
    json_object_set_new(o, "from", json_string(graph->routers[e->from]));
    json_object_set_new(o, "to", json_string(graph->routers[e->to]));
    json_object_set_new(o, "link", number(e->link));
    json_object_set_new(o, "heard", json_boolean(heard));
    json_object_set_new(o, "up", json_boolean(e->up));
    json_object_set_new(o, "quality", quality(&f));
    return o;
}

json_t *report_topology(const struct report *r, size_t *cursor, svr_time now)
{
    const svr_chart *chart = svr_node_chart(r->node);
    const svr_topology *graph = chart != NULL ? svr_chart_graph(chart) : NULL;
    size_t at = *cursor;

    if (graph == NULL || at >= graph->router_count + graph->edge_count)
        return NULL;
    ++*cursor;
    return at < graph->router_count
               ? router_entry(r, chart, (uint32_t)at, now)
               : pathway_entry(chart, (uint32_t)(at - graph->router_count));
}
