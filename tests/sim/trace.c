#include "trace.h"

#include "world.h"

#include <stdio.h>

static void fail(struct world *w, uint16_t router, const struct trace *t,
                 const char *what)
{
    char way[8 * TRACE_MOST + 1];
    size_t len = 0;

    for (unsigned i = 0; i < t->count; i++)
        len += (size_t)snprintf(way + len, sizeof(way) - len, "%u > ",
                                t->passed[i]);
    world_fail(w, "%s: a packet %s: %s%u",
               session_name(w->hosts.sessions[t->session - 1]), what,
               t->count ? way : "", router);
}

void trace_arrive(struct world *w, uint16_t router, const struct trace *t)
{
    for (unsigned i = 0; i < t->count; i++)
        if (t->passed[i] == router) {
            fail(w, router, t, "comes again to a router that it has passed");
            return;
        }
}

void trace_leave(struct world *w, uint16_t router, struct trace *t)
{
    if (!t->session)
        return;
    w->tally.traced++;
    if (t->count == TRACE_MOST) {
        fail(w, router, t, "passes too many routers");
        return;
    }
    t->passed[t->count++] = router;
    if (t->count > w->tally.most_passed)
        w->tally.most_passed = t->count;
}
