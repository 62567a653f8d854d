#include "topology/chart.h"

static bool is_said(const svr_chart *c, const svr__chart_edge *said)
{
    const svr__part *p = &c->parts[said->part];

    return said->sequence != 0 && p->alive && p->sequence == said->sequence;
}

/* Both ends must say that it is up; figures are those of its beginning. */
static void refresh_edge(svr_chart *c, uint32_t number)
{
    const svr__chart_edge *said = &c->said[number];
    const svr__chart_edge *other;
    svr_path_edge *e = &c->edges[number];
    svr_path_edge is = *e;

    is.up = false;
    is.latency_us = is.jitter_us = SVR_PATH_FIGURE_MAX;
    is.loss_ppm = 0;
    if (said->other != SVR__CHART_NONE && is_said(c, said)) {
        other = &c->said[said->other];
        bool both = is_said(c, other);
        const svr_chart_figures *f = &said->figures;
        is.up = both && f->up && other->figures.up;
        if (!f->measured && both)
            f = &other->figures;
        if (f->measured) {
            is.latency_us = f->latency_us;
            is.jitter_us = f->jitter_us;
            is.loss_ppm = f->loss_ppm;
        }
    }
    if (is.up == e->up && is.latency_us == e->latency_us &&
        is.jitter_us == e->jitter_us && is.loss_ppm == e->loss_ppm)
        return;
    c->states += is.up != e->up;
    *e = is;
    c->version++;
}

static void refresh_router(svr_chart *c, uint32_t router)
{
    const svr__chart_router *r = &c->routers[router];

    for (uint32_t i = 0; i < r->edges; i++) {
        uint32_t edge = c->out[r->first_edge + i].number;
        refresh_edge(c, edge);
        if (c->said[edge].other != SVR__CHART_NONE)
            refresh_edge(c, c->said[edge].other);
    }
}

static void set_edge(svr_chart *c, uint32_t part, const svr__topology_entry *e)
{
    const svr__part *p = &c->parts[part];
    const svr__chart_named *found =
        svr__chart_find(c->out, c->graph.edge_count, p->router, e->id);

    if (!found)
        return;
    svr__chart_edge *said = &c->said[found->number];
    c->states += said->sequence == 0 || said->figures.up != e->up;
    c->version++;
    said->figures = (svr_chart_figures){
        .up = e->up,
        .measured = e->measured,
        .latency_us = e->latency_us,
        .jitter_us = e->jitter_us,
        .loss_ppm = e->loss_ppm,
    };
    said->part = part;
    said->sequence = p->sequence;
}

static void set_load(svr_chart *c, uint32_t part, const svr__topology_entry *e)
{
    size_t count = c->graph.instance_count;
    const svr__part *p = &c->parts[part];
    uint32_t router = p->router;
    svr_time said =
        p->dies > SVR_CHART_MAX_AGE ? p->dies - SVR_CHART_MAX_AGE : 0;
    const svr__chart_named *at =
        svr__chart_find(c->services, count, router, e->id);

    for (; at && at < c->services + count && at->router == router &&
           at->id == e->id;
         at++) {
        c->load_said[at->number] = said;
        if (c->instances[at->number].load == e->load)
            continue;
        c->instances[at->number].load = e->load;
        c->version++;
    }
}

void svr__part_apply(svr_chart *c, uint32_t part)
{
    const svr__part *p = &c->parts[part];
    svr__rd rd = svr__rd_over(p->body, p->len);
    svr__topology_entry e;

    while (svr__topology_next_entry(&rd, &e)) {
        if (e.kind == SVR__TOPOLOGY_PATHWAY)
            set_edge(c, part, &e);
        else
            set_load(c, part, &e);
    }
    refresh_router(c, p->router);
}

void svr__part_take(svr_chart *c, uint32_t part, const svr__topology_item *item,
                    svr__neighbour *from, svr_time now)
{
    svr__part *p = &c->parts[part];

    p->sequence = item->sequence;
    p->alive = true;
    p->dies = now + SVR_CHART_MAX_AGE - item->age * SVR_SECOND;
    p->len = (uint8_t)item->body.len;
    if (p->len > 0)
        memcpy(p->body, item->body.data, p->len);
    svr__part_apply(c, part);
    for (size_t i = 0; i < c->neighbour_count; i++)
        svr__flood_mark(c, &c->neighbours[i], part, &c->neighbours[i] != from);
}

void svr__part_end(svr_chart *c, uint32_t part)
{
    c->parts[part].alive = false;
    c->parts[part].sequence = 0; /* what still has it is about to forget it */
    c->counters.parts_void++;
    c->version++;
    c->states++;
    refresh_router(c, c->parts[part].router);
    for (size_t i = 0; i < c->neighbour_count; i++)
        svr__flood_mark(c, &c->neighbours[i], part, false);
}

/* Rounded up: a part that goes in circles grows old. */
uint16_t svr__part_age(const svr__part *p, svr_time now)
{
    svr_time left = p->dies > now ? p->dies - now : 0;

    return (uint16_t)((SVR_CHART_MAX_AGE - left + SVR_SECOND - 1) / SVR_SECOND);
}

void svr_chart_describe(const svr_chart *c, uint32_t router,
                        svr_chart_router *out, svr_time now)
{
    const svr__chart_router *r = &c->routers[router];
    svr_chart_router info = {0};

    info.age = SVR_NEVER;
    for (uint32_t i = 0; i < r->parts; i++) {
        const svr__part *p = &c->parts[r->first_part + i];
        if (p->sequence > info.sequence)
            info.sequence = p->sequence;
        if (!p->alive || p->dies <= now)
            continue;
        svr_time age = now + SVR_CHART_MAX_AGE - p->dies;
        info.parts++;
        info.heard = true;
        if (age < info.age)
            info.age = age;
    }
    *out = info;
}

bool svr_chart_figures_of(const svr_chart *c, uint32_t edge,
                          svr_chart_figures *out)
{
    if (edge >= c->graph.edge_count || !is_said(c, &c->said[edge]))
        return false;
    *out = c->said[edge].figures;
    return true;
}

const svr_topology *svr_chart_graph(const svr_chart *c)
{
    return &c->graph;
}

uint64_t svr_chart_version(const svr_chart *c)
{
    return c->version;
}

uint64_t svr_chart_states(const svr_chart *c)
{
    return c->states;
}

svr_time svr_chart_load_said(const svr_chart *c, size_t instance)
{
    return instance < c->graph.instance_count ? c->load_said[instance] : 0;
}

uint32_t svr_chart_other(const svr_chart *c, uint32_t edge)
{
    return edge < c->graph.edge_count ? c->said[edge].other : SVR_PATH_NONE;
}

void svr_chart_count(const svr_chart *c, svr_chart_counters *out)
{
    *out = c->counters;
}
