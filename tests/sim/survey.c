#include "survey.h"

#include "memory.h"
#include "mesh.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

static const struct station *station_of(const struct world *w, size_t lane,
                                        int end)
{
    const struct lane *l = &w->topology.lanes[lane];

    return w->routers[l->router[end]].ports[1 + l->port[end]];
}

static bool is_up(const struct world *w, size_t lane)
{
    for (int end = 0; end < 2; end++) {
        const struct station *s = station_of(w, lane, end);
        if (s->link.cut || s->deaf || !w->routers[s->router].node)
            return false;
    }
    return true;
}

svr_time survey_delay(const struct world *w, size_t lane)
{
    return (station_of(w, lane, 0)->link.delay +
            station_of(w, lane, 1)->link.delay) /
           2;
}

bool survey_loses(const struct world *w, size_t lane)
{
    return station_of(w, lane, 0)->link.loss_ppm ||
           station_of(w, lane, 1)->link.loss_ppm;
}

static bool may_use(const struct world *w, size_t lane, bool narrow)
{
    return !narrow || w->topology.lanes[lane].vector != MESH_LTE;
}

/* The lowest number of a router that each is joined to. */
static void find_parts(struct survey *s, const struct world *w, bool narrow)
{
    uint16_t *part = s->part[narrow];
    bool changed = true;

    for (size_t i = 0; i < w->topology.site_count; i++)
        part[i] = (uint16_t)i;
    while (changed) {
        changed = false;
        for (size_t i = 0; i < w->topology.lane_count; i++) {
            const uint16_t *r = w->topology.lanes[i].router;
            int high = part[r[0]] < part[r[1]];
            if (!s->up[i] || !may_use(w, i, narrow) || part[r[0]] == part[r[1]])
                continue;
            part[r[high]] = part[r[!high]];
            changed = true;
        }
    }
}

static uint16_t largest(const struct world *w, const uint16_t *part)
{
    size_t *count = memory_new(w->topology.site_count, sizeof(*count));
    uint16_t best = 0;

    for (size_t i = 0; i < w->topology.site_count; i++)
        if (++count[part[i]] > count[best])
            best = part[i];
    free(count);
    return best;
}

void survey_take(struct survey *s, const struct world *w)
{
    size_t routers = w->topology.site_count;

    s->up = memory_new(w->topology.lane_count, sizeof(*s->up));
    for (size_t i = 0; i < w->topology.lane_count; i++)
        s->up[i] = is_up(w, i);
    for (int narrow = 0; narrow < 2; narrow++) {
        s->part[narrow] = memory_new(routers, sizeof(uint16_t));
        find_parts(s, w, narrow);
        s->main[narrow] = largest(w, s->part[narrow]);
    }
}

void survey_free(struct survey *s)
{
    free(s->up);
    free(s->part[0]);
    free(s->part[1]);
    *s = (struct survey){0};
}

bool survey_has(const struct survey *s, size_t router, bool narrow)
{
    return s->part[narrow][router] == s->main[narrow];
}

svr_time survey_distance(const struct survey *s, const struct world *w,
                         uint16_t from, uint16_t to, bool narrow)
{
    svr_time *far = memory_new(w->topology.site_count, sizeof(*far)), result;
    bool changed = true;

    memset(far, 0xff, w->topology.site_count * sizeof(*far));
    far[from] = 0;
    while (changed) {
        changed = false;
        for (size_t i = 0; i < 2 * w->topology.lane_count; i++) {
            const struct lane *l = &w->topology.lanes[i / 2];
            int end = (int)(i % 2);
            svr_time here = far[l->router[end]];
            if (here == SVR_NEVER || !s->up[i / 2] ||
                !may_use(w, i / 2, narrow) || survey_loses(w, i / 2))
                continue;
            here += survey_delay(w, i / 2);
            if (here >= far[l->router[!end]])
                continue;
            far[l->router[!end]] = here;
            changed = true;
        }
    }
    result = far[to];
    free(far);
    return result;
}
