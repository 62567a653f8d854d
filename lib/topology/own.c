/* own.c - what this router says of itself: no more often than it is worth. */
#include "topology/chart.h"

#include "base/memory.h"
#include "base/mos.h"

enum worth {
    NOTHING,
    SMALL,
    LARGE,
};

enum {
    /* Changes below these are none, whatever their share. */
    SMALL_TIME = 1000, /* microseconds */
    LARGE_TIME = 5000,
    SMALL_LOSS = 1000, /* in a million */
    LARGE_LOSS = 5000,
    SMALL_LOAD = 1,
    LARGE_LOAD = 16,

    LARGE_BURST = 10, /* large changes that may follow each other */

    PATHWAYS_PER_PART = SVR__TOPOLOGY_BODY / SVR__TOPOLOGY_PATHWAY_ENTRY,
    SERVICES_PER_PART = SVR__TOPOLOGY_BODY / SVR__TOPOLOGY_SERVICE_ENTRY,
};

#define LARGE_SPACING SVR_SECOND /* after that */

static enum worth greater(enum worth a, enum worth b)
{
    return a > b ? a : b;
}

static enum worth judge_figure(uint32_t told, uint32_t now, uint32_t small,
                               uint32_t large)
{
    uint32_t change = told > now ? told - now : now - told;

    if (change >= large && change > told / 2)
        return LARGE;
    return change >= small && change > told / 10 ? SMALL : NOTHING;
}

static bool is_within(const svr_chart_limit *l, const svr_chart_figures *f)
{
    uint64_t delay = (uint64_t)f->latency_us + 2 * (uint64_t)f->jitter_us;

    return f->latency_us <= l->latency_us && f->jitter_us <= l->jitter_us &&
           f->loss_ppm <= l->loss_ppm &&
           svr__mos(delay, f->loss_ppm) >= l->min_mos;
}

static enum worth judge_pathway(const svr_chart *c, const svr_chart_figures *a,
                                const svr_chart_figures *b)
{
    if (a->up != b->up || a->measured != b->measured)
        return LARGE;
    if (!a->measured)
        return NOTHING;
    for (size_t i = 0; i < c->limit_count; i++)
        if (is_within(&c->limits[i], a) != is_within(&c->limits[i], b))
            return LARGE;
    enum worth w =
        judge_figure(a->latency_us, b->latency_us, SMALL_TIME, LARGE_TIME);
    w = greater(
        w, judge_figure(a->jitter_us, b->jitter_us, SMALL_TIME, LARGE_TIME));
    return greater(
        w, judge_figure(a->loss_ppm, b->loss_ppm, SMALL_LOSS, LARGE_LOSS));
}

static enum worth judge(const svr_chart *c, const svr__chart_item *item)
{
    if (item->service)
        return judge_figure(item->told_load, item->load, SMALL_LOAD,
                            LARGE_LOAD);
    return judge_pathway(c, &item->told, &item->now);
}

static void plan(svr_chart *c, svr_time at)
{
    if (at < c->own_due)
        c->own_due = at;
    if (at < c->due)
        c->due = at;
}

/* When the next large change may be told. */
static svr_time large_at(const svr_chart *c, svr_time now)
{
    const svr_time burst = (LARGE_BURST - 1) * LARGE_SPACING;
    svr_time at = now;

    if (c->told_at != SVR_NEVER && c->told_at + SVR_CHART_APART > at)
        at = c->told_at + SVR_CHART_APART;
    if (c->told_full > burst && c->told_full - burst > at)
        at = c->told_full - burst;
    return at;
}

static void plan_for(svr_chart *c, const svr__chart_item *item, svr_time now)
{
    enum worth worth = judge(c, item);

    if (worth == LARGE)
        plan(c, large_at(c, now));
    else if (worth == SMALL)
        plan(c, now + SVR_CHART_LATE);
}

int svr__own_init(svr_chart *c, svr_time now)
{
    const svr__chart_router *self = &c->routers[c->self];
    svr__chart_item *item;
    uint32_t pathways = 0, services = 0;

    for (size_t i = 0; i < c->graph.instance_count; i++)
        services += c->instances[i].router == c->self;
    c->item_count = self->edges + services;
    c->items = svr__alloc(&c->alloc, c->item_count, sizeof(*c->items));
    c->stale = svr__alloc(&c->alloc, self->parts, sizeof(*c->stale));
    if (!c->items || !c->stale)
        return SVR_ERR_NO_MEMORY;
    item = c->items;
    for (; pathways < self->edges; pathways++, item++) {
        item->number = c->out[self->first_edge + pathways].number;
        c->said[item->number].item = pathways;
        item->part = (uint16_t)(pathways / PATHWAYS_PER_PART);
    }
    uint32_t first = (pathways + PATHWAYS_PER_PART - 1) / PATHWAYS_PER_PART;
    services = 0;
    for (uint32_t i = 0; i < c->graph.instance_count; i++) {
        if (c->instances[i].router != c->self)
            continue;
        item->number = i;
        item->service = true;
        item->part = (uint16_t)(first + services++ / SERVICES_PER_PART);
        item++;
    }
    c->stale[0] = true; /* at least, that there is such a router */
    for (size_t i = 0; i < c->item_count; i++)
        c->stale[c->items[i].part] = true;
    c->own_due = now;
    c->told_at = SVR_NEVER;
    c->scan_due = now;
    return 0;
}

static void put_item(const svr_chart *c, svr__wr *wr, svr__chart_item *item)
{
    svr__topology_entry e = {.kind = SVR__TOPOLOGY_SERVICE};

    item->told = item->now;
    item->told_load = item->load;
    if (item->service) {
        e.id = c->service_ids[c->instances[item->number].service];
        e.load = item->load;
    } else {
        e.kind = SVR__TOPOLOGY_PATHWAY;
        e.id = svr__chart_id(c->edges[item->number].name);
        e.up = item->now.up;
        e.measured = item->now.measured;
        e.latency_us = item->now.latency_us;
        e.jitter_us = item->now.jitter_us;
        e.loss_ppm = item->now.loss_ppm;
    }
    svr__topology_put_entry(wr, &e);
}

static void tell(svr_chart *c, uint16_t number, svr_time now)
{
    uint8_t body[SVR__TOPOLOGY_BODY];
    svr__wr wr = svr__wr_over(body, sizeof(body));
    svr__topology_item part = {.number = number, .sequence = ++c->sequence};

    for (size_t i = 0; i < c->item_count; i++)
        if (c->items[i].part == number)
            put_item(c, &wr, &c->items[i]);
    part.body = (svr_span){body, wr.len};
    c->stale[number] = false;
    c->counters.told++;
    svr__part_take(c, c->routers[c->self].first_part + number, &part, NULL,
                   now);
}

void svr__own_handle(svr_chart *c, svr_time now)
{
    bool any = false;

    if (now < c->own_due)
        return;
    c->own_due = SVR_NEVER;
    for (size_t i = 0; i < c->item_count; i++)
        if (judge(c, &c->items[i]) != NOTHING)
            c->stale[c->items[i].part] = true;
    for (uint32_t i = 0; i < c->routers[c->self].parts; i++) {
        if (!c->stale[i])
            continue;
        tell(c, (uint16_t)i, now);
        any = true;
    }
    if (!any)
        return;
    c->told_at = now;
    c->told_full = (c->told_full > now ? c->told_full : now) + LARGE_SPACING;
}

void svr__own_renew(svr_chart *c, uint32_t number, svr_time now)
{
    /* One that says nothing only took the place of a forgotten one. */
    if (c->parts[c->routers[c->self].first_part + number].len == 0 &&
        number > 0)
        return;
    c->stale[number] = true;
    plan(c, now);
}

void svr__own_heard(svr_chart *c, const svr__topology_item *item, svr_time now)
{
    if (item->sequence >= SVR__TOPOLOGY_SEQUENCE_END - UINT32_MAX)
        return; /* there is nothing above it: it has to die of age */
    if (item->sequence > c->sequence)
        c->sequence = item->sequence;
    c->stale[item->number] = true;
    plan(c, large_at(c, now));
}

uint32_t svr_chart_own(const svr_chart *c, const char *pathway)
{
    const svr__chart_named *found = svr__chart_find(
        c->out, c->graph.edge_count, c->self, svr__chart_id(pathway));

    return found ? found->number : SVR_PATH_NONE;
}

/* What cannot be sent as it is. */
static svr_chart_figures sane(const svr_chart_figures *f)
{
    svr_chart_figures is = *f;

    if (is.loss_ppm > 1000000)
        is.loss_ppm = 1000000;
    if (!is.measured)
        is.latency_us = is.jitter_us = is.loss_ppm = 0;
    return is;
}

void svr_chart_report(svr_chart *c, uint32_t edge, const svr_chart_figures *f,
                      svr_time now)
{
    if (edge >= c->graph.edge_count || c->said[edge].item == SVR__CHART_NONE)
        return;
    svr__chart_item *item = &c->items[c->said[edge].item];
    item->now = sane(f);
    plan_for(c, item, now);
}

void svr_chart_load(svr_chart *c, uint32_t service, uint32_t load, svr_time now)
{
    for (size_t i = 0; i < c->item_count; i++) {
        svr__chart_item *item = &c->items[i];
        if (!item->service || c->instances[item->number].service != service)
            continue;
        item->load = load;
        plan_for(c, item, now);
    }
}
