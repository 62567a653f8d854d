#include "watch.h"

#include "log.h"

#include <stdlib.h>

int watch_init(struct watch *w, size_t pathways)
{
    w->count = pathways;
    w->seen = calloc(pathways + 1, sizeof *w->seen);
    return w->seen != NULL ? 0 : -1;
}

void watch_free(struct watch *w)
{
    free(w->seen);
}

int watch_reserve(struct watch *w, size_t pathways)
{
    size_t count = pathways > w->count ? pathways : w->count;
    struct watch_seen *seen = realloc(w->seen, (count + 1) * sizeof *seen);

    if (seen == NULL)
        return -1;
    w->seen = seen;
    return 0;
}

static struct watch_seen look(const svr_node_pathway *p)
{
    return (struct watch_seen){p->info.state == SVR_BFD_UP, p->info.flaps};
}

void watch_look(struct watch *w, const svr_node *node, svr_time now)
{
    svr_node_pathway p;
    size_t cursor = 0;

    w->count = 0;
    while (svr_node_pathway_next(node, &cursor, &p, now) > 0)
        w->seen[w->count++] = look(&p);
}

static void tell(const svr_node_pathway *p, uint32_t flaps)
{
    if (p->info.state != SVR_BFD_UP)
        log_warn("pathway %s to %s is down: %s", p->name, p->peer,
                 svr_bfd_diag_name(p->info.reason));
    else if (flaps > 0)
        log_warn("pathway %s to %s is up again, failures: %u, the last: %s",
                 p->name, p->peer, flaps, svr_bfd_diag_name(p->info.reason));
    else
        log_info("pathway %s to %s is up", p->name, p->peer);
}

void watch_tick(struct watch *w, const svr_node *node, svr_time now)
{
    svr_node_pathway p;
    unsigned changed = 0;
    size_t cursor = 0;

    for (size_t i = 0;
         i < w->count && svr_node_pathway_next(node, &cursor, &p, now) > 0;
         i++) {
        struct watch_seen seen = look(&p);
        uint32_t flaps = seen.flaps - w->seen[i].flaps;

        if (seen.up == w->seen[i].up && flaps == 0)
            continue;
        if (changed++ < WATCH_LINES)
            tell(&p, flaps);
        w->seen[i] = seen;
    }
    if (changed > WATCH_LINES)
        log_warn("%u more pathways have changed", changed - WATCH_LINES);
}
