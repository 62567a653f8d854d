/* Sessions leave the way that they have (S17): by another pathway to the same
 * router, or by another router (S16.4). */
#include "node/select.h"

/* The place of the session's present pathway among those of its service. */
static const svr__way *present_way(const struct svr__choice *c,
                                   uint16_t pathway)
{
    for (uint32_t i = 0; i < c->range->count; i++)
        if (svr__choice_at(c, i)->pathway == pathway)
            return svr__choice_way(c, i);
    return NULL;
}

/* Whether the session goes as one of the ways does, and that is open. False
 * says nothing: it may go by another one. */
static bool leads(const svr_node *n, const svr__session *s)
{
    const struct svr__choice c = {
        .n = (svr_node *)n,
        .range = &n->service_routes[s->service],
    };
    uint16_t pathway = s->side[SVR__SERVER].pathway;
    const svr__way *way = present_way(&c, pathway);

    if (!way || way->rank == SVR_WAY_NONE || !n->pathways[pathway].up ||
        way->coming_count != s->passed.coming)
        return false;
    for (unsigned i = 0; i < way->coming_count; i++)
        if (way->coming[i] != s->passed.router[s->passed.count + i])
            return false;
    return true;
}

/* A tenth and a millisecond, or a tenth of a point: less is no reason to move.
 */
static bool is_clearly_better(const struct svr__choice *c, const svr__way *x,
                              const svr__way *y)
{
    const svr_vector *a = &x->vector, *b = &y->vector;

    if (x->rank != y->rank)
        return x->rank < y->rank;
    switch (c->policy->best_path) {
    case SVR_BEST_LATENCY:
        return a->latency_us * 10 <= b->latency_us * 9 &&
               a->latency_us + 1000 <= b->latency_us;
    case SVR_BEST_MOS:
        return a->mos >= b->mos + 100;
    default:
        return a->priority != b->priority ? a->priority < b->priority
                                          : a->cost < b->cost;
    }
}

static bool leads_to(const struct svr__choice *c, uint32_t place, uint16_t peer)
{
    const svr__route *r = svr__choice_at(c, place);

    return r->pathway != SVR__NO_PATHWAY &&
           c->n->pathways[r->pathway].peer == peer &&
           c->n->pathways[r->pathway].up &&
           svr__seal_may_use(c->n, c->session, r->pathway);
}

/* The best other pathway to the peer that is up, ready ones before others. */
static uint16_t other_pathway(const struct svr__choice *c, uint16_t now_at)
{
    uint16_t peer = c->n->pathways[now_at].peer, best = SVR__NO_PATHWAY;

    for (uint32_t i = 0; i < c->range->count; i++) {
        uint16_t pathway = svr__choice_at(c, i)->pathway;
        if (!leads_to(c, i, peer) || pathway == now_at)
            continue;
        if (c->n->pathways[pathway].ready)
            return pathway;
        if (best == SVR__NO_PATHWAY)
            best = pathway;
    }
    return best;
}

/* The best one to the peer that keeps its limits and is ready. */
static uint16_t good_pathway(const struct svr__choice *c, uint16_t now_at,
                             const svr__way *than)
{
    uint16_t peer = c->n->pathways[now_at].peer;

    for (uint32_t i = 0; i < c->range->count; i++) {
        uint16_t pathway = svr__choice_at(c, i)->pathway;
        const svr__way *way = svr__choice_way(c, i);
        if (way->rank != SVR_WAY_GOOD)
            break;
        if (leads_to(c, i, peer) && pathway != now_at &&
            c->n->pathways[pathway].ready && svr__choice_room(c, i) > 0 &&
            (!than || is_clearly_better(c, way, than)))
            return pathway;
    }
    return SVR__NO_PATHWAY;
}

uint16_t svr__choose_move(svr_node *n, const svr__session *s,
                          enum svr_cause *cause, svr_time now)
{
    struct svr__choice c = {
        .n = n,
        .session = s,
        .range = &n->service_routes[s->service],
        .policy = svr_policy_of_service(n->policy, s->service),
        .now = now,
    };
    uint16_t now_at = s->side[SVR__SERVER].pathway;
    const svr__way *present;

    svr__choose(n, s->service, now);
    present = present_way(&c, now_at);
    *cause = SVR_CAUSE_FAILED;
    if (!n->pathways[now_at].up)
        return other_pathway(&c, now_at);
    *cause = SVR_CAUSE_LIMITS;
    if (present && present->known && present->left)
        return good_pathway(&c, now_at, NULL);
    *cause = SVR_CAUSE_REVERTED;
    if (c.policy->resiliency == SVR_RESILIENCY_REVERTIBLE && present &&
        present->known)
        return good_pathway(&c, now_at, present);
    return SVR__NO_PATHWAY;
}

static bool is_joined(const svr_node *n, uint32_t from, uint32_t to)
{
    const svr__choices *h = &n->choices;

    for (size_t i = 0; i < h->edge_count; i++)
        if (h->edges[i].from == from && h->edges[i].to == to && h->edges[i].up)
            return true;
    return false;
}

/* Whether two routers in a row, of those that it shall go by as far as they are
 * known, are not joined any more. */
static bool is_stranded(const svr_node *n, const svr__session *s)
{
    uint16_t pathway = s->side[SVR__SERVER].pathway;
    const svr__passed *by = &s->passed;
    uint32_t from = n->self, to = n->choices.edges[pathway].to;

    if (leads(n, s))
        return false;
    for (unsigned i = 0; is_joined(n, from, to); i++) {
        if (i == by->coming)
            return false;
        from = to;
        to = by->router[by->count + i];
    }
    return true;
}

/* The way that begins with the session's next router is no way any more: that
 * is down, or has none left itself but back to where the session came from. */
static bool is_cut_off(const struct svr__choice *c, uint16_t now_at)
{
    const svr_node *n = c->n;
    uint32_t i = 0;

    if (!svr__session_leads_on(n, c->session, SVR__SERVER))
        return true;
    if (!is_stranded(n, c->session))
        return false;
    while (i < c->range->count && svr__choice_at(c, i)->pathway != now_at)
        i++;
    return i == c->range->count || !svr__choice_way(c, i)->known ||
           svr__choice_way(c, i)->rank == SVR_WAY_NONE ||
           svr__choice_circles(c, i);
}

bool svr__choose_other(svr_node *n, const svr__session *s,
                       svr__session_plan *plan, enum svr_cause *cause,
                       svr_time now)
{
    const struct svr__pass good = {SVR_WAY_GOOD, false, false};
    uint16_t now_at = s->side[SVR__SERVER].pathway;
    struct svr__choice c = {
        .n = n,
        .plan = plan,
        .session = s,
        .range = &n->service_routes[s->service],
        .policy = svr_policy_of_service(n->policy, s->service),
        .record = s->passed,
        .avoid = s->side[SVR__CLIENT].pathway,
        .now = now,
    };

    c.record.coming = 0;
    *plan = (svr__session_plan){
        .uuid = s->uuid,
        .context = s->context,
        .tenant = s->tenant,
        .service = s->service,
        .told = {.sealed = s->seal == SVR__SEALED,
                 .undecided = s->seal == SVR__UNDECIDED},
        .passed = c.record,
        .side[SVR__CLIENT] = {.pathway = c.avoid},
    };
    svr__choose(n, s->service, now);
    *cause = SVR_CAUSE_REDIRECTED;
    if (is_cut_off(&c, now_at))
        return (svr__choice_all(&c) || svr__choice_past(&c)) &&
               c.reason == SVR_DROP_NONE;
    const svr__way *present = present_way(&c, now_at);
    *cause = SVR_CAUSE_LIMITS;
    return present && present->known && present->left &&
           svr__choice_pass(&c, &good) && c.reason == SVR_DROP_NONE;
}
