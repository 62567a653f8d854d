#include "lanes.h"

#include "memory.h"
#include "world.h"

#include <stdlib.h>

void lanes_open(struct world *w)
{
    w->lanes.up = memory_new(2 * w->topology.lane_count, sizeof(bool));
}

void lanes_free(struct world *w)
{
    free(w->lanes.up);
}

static uint64_t elements_of(const struct lane *l)
{
    return element_router(l->router[0]) | element_router(l->router[1]) |
           element_segment(l->segment);
}

void lanes_forget(struct world *w, const struct router *r)
{
    for (size_t i = 0; i < w->topology.lane_count; i++)
        for (size_t end = 0; end < 2; end++)
            if (w->topology.lanes[i].router[end] == r->index)
                w->lanes.up[2 * i + end] = false;
}

/* Something has been wrong with it lately. */
static bool may_be_down(const struct world *w, const struct lane *l)
{
    struct victim v = {elements_of(l), l->timed};
    svr_time since =
        4 * w->topology.multiplier * w->topology.interval_ms * SVR_MILLISECOND;

    return excuses_find(&w->excuses, &v, EFFECT_DOWN, w->now - since, w->now);
}

void lanes_event(struct world *w, const struct router *r,
                 const svr_node_pathway *p)
{
    size_t i = strtoul(p->name + 1, NULL, 10);
    const struct lane *l = &w->topology.lanes[i];
    bool up = p->info.state == SVR_BFD_UP;
    bool *known = &w->lanes.up[2 * i + (l->router[1] == r->index)];

    if (*known == up)
        return;
    *known = up;
    journal_add(&w->journal, w->now, JOURNAL_PATHWAY, r->index, i, up, 0);
    if (!up && w->phase != PHASE_START && !may_be_down(w, l))
        world_fail(w, "router %u: pathway %s goes down, and nothing is wrong",
                   r->index, p->name);
}

static bool is_awake(const struct world *w, uint16_t router)
{
    return w->routers[router].node && !w->routers[router].stopped;
}

static bool is_cut_by(const struct world *w, const struct lane *l,
                      const struct fault *f)
{
    if (f->kind == FAULT_PARTITION)
        return l->router[0] == f->router || l->router[1] == f->router;
    for (int end = 0; end < 2; end++) {
        const struct router *r = &w->routers[l->router[end]];
        if (r->ports[1 + l->port[end]] == f->station)
            return true;
    }
    return false;
}

/* Such as packets that have been on the way for long. */
static bool has_other_troubles(const struct world *w, const struct lane *l,
                               const struct fault *f)
{
    struct victim v = {elements_of(l), true};

    return excuses_count(&w->excuses, &v, EFFECT_DOWN, f->begin, w->now) > 1;
}

void lanes_check_down(struct world *w, const struct fault *f)
{
    for (size_t i = 0; i < w->topology.lane_count; i++) {
        const struct lane *l = &w->topology.lanes[i];
        if (!is_cut_by(w, l, f) || has_other_troubles(w, l, f))
            continue;
        for (size_t end = 0; end < 2; end++)
            if (w->lanes.up[2 * i + end] && is_awake(w, l->router[end]))
                world_fail(w, "router %u: pathway p%zu is cut and still up",
                           l->router[end], i);
    }
}

void lanes_check_up(struct world *w, uint64_t elements)
{
    for (size_t i = 0; i < w->topology.lane_count; i++) {
        const struct lane *l = &w->topology.lanes[i];
        if (!(elements_of(l) & elements) || may_be_down(w, l))
            continue;
        for (size_t end = 0; end < 2; end++)
            if (!w->lanes.up[2 * i + end])
                world_fail(w, "router %u: pathway p%zu does not come up",
                           l->router[end], i);
    }
}
