#include "topology/chart.h"

static svr__neighbour *neighbour_at(svr_chart *c, uint32_t router)
{
    for (size_t i = 0; i < c->neighbour_count; i++)
        if (c->neighbours[i].router == router)
            return &c->neighbours[i];
    return NULL;
}

/* Its flags, of parts, are left out. */
static void copy_neighbour(svr__neighbour *to, const svr__neighbour *from)
{
    svr__neighbour copy = *from;

    copy.router = to->router;
    copy.flags = to->flags;
    copy.lacking = copy.waiting = 0;
    copy.cursor = to->cursor;
    *to = copy;
}

/* It sends all again: what it would be told to have been seen may be lost. */
static void forget_neighbour(svr__neighbour *nb)
{
    nb->knows = false;
    nb->greet = nb->up;
    nb->seen_count = 0;
    nb->seen_due = SVR_NEVER;
}

/* All that was on its way is sent again. */
static void copy_flags(svr_chart *c, const svr_chart *old, uint32_t to,
                       uint32_t from)
{
    for (size_t i = 0; i < old->neighbour_count; i++) {
        const svr__neighbour *nb = &old->neighbours[i];
        svr__neighbour *mine = neighbour_at(
            c, svr__chart_router_of(c, old->routers[nb->router].id));
        if (mine)
            svr__flood_mark(c, mine, to,
                            c->parts[to].alive && nb->flags[from] != 0);
    }
}

/* False: something of the router has no place any more. */
static bool copy_parts(svr_chart *c, const svr_chart *old, uint32_t from)
{
    const svr__chart_router *then = &old->routers[from];
    uint32_t router = svr__chart_router_of(c, then->id);
    bool whole = true;

    for (uint32_t i = 0; i < then->parts; i++) {
        const svr__part *p = &old->parts[then->first_part + i];
        if (p->sequence == 0)
            continue;
        if (router == SVR__CHART_NONE || i >= c->routers[router].parts) {
            whole = false;
            continue;
        }
        uint32_t to = c->routers[router].first_part + i;
        c->parts[to] = *p;
        c->parts[to].router = router;
        svr__part_apply(c, to);
        copy_flags(c, old, to, then->first_part + i);
    }
    return whole;
}

/* What stays the same pathway or service is as it was. */
static void copy_item(svr__chart_item *to, const svr_chart *c,
                      const svr_chart *old)
{
    for (size_t i = 0; i < old->item_count; i++) {
        const svr__chart_item *from = &old->items[i];
        if (from->service != to->service)
            continue;
        if (to->service) {
            uint32_t a = c->instances[to->number].service;
            uint32_t b = old->instances[from->number].service;
            if (c->service_ids[a] == old->service_ids[b])
                to->load = from->load;
        } else if (svr__chart_id(c->edges[to->number].name) ==
                   svr__chart_id(old->edges[from->number].name)) {
            to->now = from->now;
        }
    }
}

void svr_chart_adopt(svr_chart *c, const svr_chart *old, svr_time now)
{
    bool whole = old->counters.parts_alien == 0;

    for (size_t i = 0; i < old->neighbour_count; i++) {
        const svr__neighbour *nb = &old->neighbours[i];
        svr__neighbour *mine = neighbour_at(
            c, svr__chart_router_of(c, old->routers[nb->router].id));
        if (mine)
            copy_neighbour(mine, nb);
    }
    for (uint32_t i = 0; i < old->graph.router_count; i++)
        whole &= copy_parts(c, old, i);
    for (size_t i = 0; i < c->item_count; i++)
        copy_item(&c->items[i], c, old);
    for (uint32_t i = 0; i < c->routers[c->self].parts; i++)
        c->stale[i] |=
            c->parts[c->routers[c->self].first_part + i].sequence != 0;
    c->incarnation = whole ? old->incarnation : old->incarnation + 1;
    c->sequence = old->sequence;
    c->told_at = old->told_at;
    c->told_full = old->told_full;
    c->counters = old->counters;
    if (!whole) {
        c->counters.parts_alien = 0;
        for (size_t i = 0; i < c->neighbour_count; i++)
            forget_neighbour(&c->neighbours[i]);
    }
    c->own_due = now; /* all own parts are told anew, with all that is new */
    svr__flood_settle(c);
}
