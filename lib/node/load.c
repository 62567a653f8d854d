/*
 * How many sessions of a service leave SVR where (S16.1).
 *
 * A router counts its own, and those that go on, for which ways are watched
 * (choose.c). What others have is told with the topology, damped, and in
 * reverse metadata of each session that ends there: type 13, and type 17, since
 * the number alone does not say whose it is. Routers between pass that on. Of
 * both the later one counts.
 */
#include "node/node.h"

#include "base/memory.h"
#include "base/text.h"

#include <string.h>

/* What metadata said is believed for so long, */
#define LIFE (60 * SVR_SECOND)
/* and passed on only while it is as good as new. */
#define FRESH (1 * SVR_SECOND)

#define NO_INSTANCE UINT32_MAX

int svr__load_init(svr_node *n)
{
    n->leaving = svr__alloc(&n->alloc, n->service_count, sizeof(*n->leaving));
    n->going = svr__alloc(&n->alloc, n->service_count, sizeof(*n->going));
    return n->leaving && n->going ? 0 : SVR_ERR_NO_MEMORY;
}

void svr__load_free(svr_node *n)
{
    svr__free(&n->alloc, n->going, n->service_count, sizeof(*n->going));
    svr__free(&n->alloc, n->leaving, n->service_count, sizeof(*n->leaving));
}

void svr__load_session(svr_node *n, const svr__session *s, int change)
{
    uint32_t *counts =
        s->side[SVR__SERVER].pathway == SVR__NO_PATHWAY ? n->leaving : n->going;

    counts[s->service] += (uint32_t)change;
}

void svr__load_recount(svr_node *n)
{
    memset(n->leaving, 0, n->service_count * sizeof(*n->leaving));
    memset(n->going, 0, n->service_count * sizeof(*n->going));
    for (uint32_t i = 0; i < n->table.cap; i++)
        if (n->table.sessions[i].alive)
            svr__load_session(n, &n->table.sessions[i], 1);
}

/* Where the session leaves, as far as its vector is known here. */
static uint32_t egress_of(const svr_node *n, const svr__session *s)
{
    uint16_t pathway = s->side[SVR__SERVER].pathway;
    const svr__passed *by = &s->passed;

    return by->coming ? by->router[by->count + by->coming - 1]
                      : n->peers[n->pathways[pathway].peer].router;
}

static uint32_t instance_at(const svr__choices *h, uint16_t service,
                            uint32_t router)
{
    uint32_t i = h->first_instance[service];

    while (i != NO_INSTANCE && h->instances[i].router != router)
        i = h->loads[i].next;
    return i;
}

void svr__load_index(svr_node *n)
{
    svr__choices *h = &n->choices;

    for (size_t i = 0; i < n->service_count; i++)
        h->first_instance[i] = NO_INSTANCE;
    for (uint32_t i = (uint32_t)h->topology.instance_count; i-- > 0;) {
        uint32_t *first = &h->first_instance[h->instances[i].service];
        h->loads[i].next = *first;
        *first = i;
    }
}

void svr__load_describe(const svr_node *n, const svr__session *s,
                        svr_metadata *md, svr_time now)
{
    const svr__choices *h = &n->choices;

    if (!svr__is_chosen(h, s->service))
        return;
    if (s->side[SVR__SERVER].pathway == SVR__NO_PATHWAY) {
        md->service_sessions = n->leaving[s->service];
        md->destination_router = svr__text(n->name);
    } else {
        uint32_t at = instance_at(h, s->service, egress_of(n, s));
        if (at == NO_INSTANCE || !h->loads[at].at ||
            now - h->loads[at].at > FRESH)
            return;
        md->service_sessions = h->loads[at].load;
        md->destination_router =
            svr__text(svr__names_at(&n->routers, (int)h->instances[at].router));
    }
    md->present |= SVR_HAS(SERVICE_SESSIONS) | SVR_HAS(DESTINATION_ROUTER);
}

void svr__load_heard(svr_node *n, const svr__session *s, const svr_metadata *md,
                     svr_time now)
{
    const uint64_t both =
        SVR_HAS(SERVICE_SESSIONS) | SVR_HAS(DESTINATION_ROUTER);
    svr__choices *h = &n->choices;

    if ((md->present & both) != both || !svr__is_chosen(h, s->service))
        return;
    uint32_t egress = egress_of(n, s);
    int router = svr__names_find(&n->routers, md->destination_router);
    uint32_t at = instance_at(h, s->service, egress);
    if (router < 0 || (uint32_t)router != egress || at == NO_INSTANCE)
        return;
    svr__load *l = &h->loads[at];
    l->at = now ? now : 1;
    l->load = md->service_sessions < UINT32_MAX ? (uint32_t)md->service_sessions
                                                : UINT32_MAX - 1;
    if (l->load != h->instances[at].load)
        svr__choices_figures(n, now);
}

static bool is_alive(const svr__load *l, svr_time now)
{
    return l->at && now - l->at < LIFE;
}

uint32_t svr__load_of(const svr_node *n, uint32_t instance, svr_time now)
{
    const svr_path_instance *at = &n->choices.instances[instance];
    const svr__load *l = &n->choices.loads[instance];

    if (at->router == n->self)
        return n->leaving[at->service];
    if (is_alive(l, now) &&
        (!n->chart || svr_chart_load_said(n->chart, instance) <= l->at))
        return l->load;
    return svr__learn_load(n, instance);
}

svr_time svr__loads_due(const svr_node *n, svr_time now)
{
    const svr__choices *h = &n->choices;
    svr_time due = SVR_NEVER;

    for (size_t i = 0; i < h->topology.instance_count; i++)
        if (is_alive(&h->loads[i], now) && h->loads[i].at + LIFE < due)
            due = h->loads[i].at + LIFE;
    return due;
}
