/* Sessions take one of the ways of their service (S16.2, S16.4, S17). */
#include "node/node.h"

/* Who asks, and what is left to be tried. */
struct choice {
    svr_node *n;
    svr__session_plan *plan;     /* NULL: nothing is taken */
    const svr__session *session; /* or one that is there */
    uint32_t place;              /* what was */
    const svr__route_range *range;
    const svr_service_policy *policy;
    svr__passed record;   /* as it came */
    uint16_t avoid;       /* a pathway */
    bool follow;          /* only to the next router of the record */
    enum svr_drop reason; /* why the last one was not taken */
    svr_time now;
};

static uint32_t route_at(const struct choice *c, uint32_t place)
{
    return c->n->choices.order[c->range->first + place];
}

static const svr__way *way_at(const struct choice *c, uint32_t place)
{
    return &c->n->choices.ways[route_at(c, place)];
}

static const svr__route *at(const struct choice *c, uint32_t place)
{
    return &c->n->routes[route_at(c, place)];
}

/* S20, S16.4: whether the way enters a router that was passed. */
static bool circles(const struct choice *c, uint32_t place)
{
    const svr__route *r = at(c, place);
    const svr__way *way = way_at(c, place);

    if (r->pathway == SVR__NO_PATHWAY)
        return false;
    if (svr__record_has(c->n, &c->record, c->n->pathways[r->pathway].peer))
        return true;
    for (unsigned i = 0; i < way->coming_count && !c->follow; i++)
        if (svr__record_holds(&c->record, way->coming[i]))
            return true;
    return false;
}

static bool is_next(const struct choice *c, const svr__route *r)
{
    return r->pathway != SVR__NO_PATHWAY && c->record.coming > 0 &&
           c->n->peers[c->n->pathways[r->pathway].peer].router ==
               c->record.router[c->record.count];
}

/* To another peer than the session's present one, if it may. */
static bool goes_elsewhere(const struct choice *c, const svr__route *r)
{
    const svr_node *n = c->n;
    uint16_t present = c->session->side[SVR__SERVER].pathway;

    return r->pathway != SVR__NO_PATHWAY &&
           n->pathways[r->pathway].peer != n->pathways[present].peer &&
           svr__seal_may_use(n, c->session, r->pathway);
}

/* S14.1: whether a pathway is in its hold-down. */
static bool is_held_down(const struct choice *c, const svr__route *r)
{
    return r->pathway != SVR__NO_PATHWAY && c->n->pathways[r->pathway].up &&
           !c->n->pathways[r->pathway].ready;
}

static uint32_t left(uint32_t capacity, uint64_t load, uint32_t room)
{
    uint64_t more = load < capacity ? capacity - load : 0;

    return capacity != UINT32_MAX && more < room ? (uint32_t)more : room;
}

/* What load leaves now. The vector's figure is without this router's sessions,
 * and as old as the vector. */
static uint32_t room_of_route(const svr_node *n, uint32_t route, svr_time now)
{
    const svr__choices *h = &n->choices;
    uint16_t pathway = n->routes[route].pathway;
    const svr_vector *v = &h->ways[route].vector;
    uint32_t room = v->room;

    if (pathway != SVR__NO_PATHWAY)
        room = left(h->edges[pathway].capacity, n->pathways[pathway].sessions,
                    room);
    return left(h->instances[v->instance].capacity,
                svr__load_of(n, v->instance, now), room);
}

static uint32_t room_of(const struct choice *c, uint32_t place)
{
    return room_of_route(c->n, route_at(c, place), c->now);
}

bool svr__choose_is_full(const svr_node *n, uint32_t route, svr_time now)
{
    return room_of_route(n, route, now) == 0;
}

static bool are_equal(const struct choice *c, uint32_t x, uint32_t y)
{
    const svr_vector *a = &way_at(c, x)->vector, *b = &way_at(c, y)->vector;

    if (way_at(c, x)->rank != way_at(c, y)->rank || a->cost != b->cost)
        return false;
    switch (c->policy->best_path) {
    case SVR_BEST_LATENCY:
        return a->latency_us == b->latency_us;
    case SVR_BEST_MOS:
        return a->mos == b->mos;
    default:
        return a->priority == b->priority;
    }
}

/* A pass over the ways: of this rank, held down or not. */
struct pass {
    uint8_t rank;
    bool held_down;
    bool full; /* those without room */
};

static bool is_open(const struct choice *c, const struct pass *p,
                    uint32_t place)
{
    const svr__route *r = at(c, place);

    return way_at(c, place)->rank == p->rank &&
           is_held_down(c, r) == p->held_down &&
           (room_of(c, place) == 0) == p->full &&
           (!c->follow || is_next(c, r)) &&
           (!c->session || goes_elsewhere(c, r)) &&
           (r->pathway == SVR__NO_PATHWAY || r->pathway != c->avoid);
}

/* Among equals from first up to end: the one with the most room. */
static uint32_t most_room(const struct choice *c, const struct pass *p,
                          uint32_t first, uint32_t end)
{
    uint32_t best = first, most = 0;

    for (uint32_t i = first; i < end; i++) {
        uint32_t room = is_open(c, p, i) ? room_of(c, i) : 0;
        if (room > most) {
            best = i;
            most = room;
        }
    }
    return best;
}

/* Or one by shares as large as capacities, by the session's UUID. */
static uint32_t by_share(const struct choice *c, const struct pass *p,
                         uint32_t first, uint32_t end)
{
    static const svr_uuid any;
    const uint8_t *b = c->plan ? c->plan->uuid.b : any.b;
    uint32_t draw = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
                    (uint32_t)b[2] << 8 | b[3];
    uint64_t sum = 0, place;

    for (uint32_t i = first; i < end; i++)
        sum += is_open(c, p, i) ? way_at(c, i)->vector.capacity : 0;
    place = (sum >> 32) * draw + ((sum & UINT32_MAX) * draw >> 32);
    for (uint32_t i = first; i < end; i++) {
        uint64_t share = is_open(c, p, i) ? way_at(c, i)->vector.capacity : 0;
        if (place < share)
            return i;
        place -= share;
    }
    return first;
}

/* The session of the plan takes this way, if that works. */
static bool take(struct choice *c, uint32_t place)
{
    svr_node *n = c->n;
    const svr__way *way = way_at(c, place);
    uint16_t coming[SVR__PASSED_MAX];

    if (circles(c, place)) {
        c->reason = SVR_DROP_LOOP;
        return false;
    }
    c->place = place;
    if (!c->plan) {
        const svr__route *r = at(c, place);
        return r->pathway == SVR__NO_PATHWAY || n->pathways[r->pathway].up;
    }
    c->reason = svr__plan_try(n, c->plan, at(c, place), c->now);
    if (c->reason != SVR_DROP_NONE)
        return c->reason == SVR_DROP_PINHOLE;
    c->plan->passed.coming = 0;
    if (!c->follow) {
        svr__record_set_coming(&c->plan->passed, way->coming,
                               way->coming_count);
        return true;
    }
    for (unsigned i = 1; i < c->record.coming; i++)
        coming[i - 1] = c->record.router[c->record.count + i];
    svr__record_set_coming(&c->plan->passed, coming, c->record.coming - 1u);
    return true;
}

/* Equals stand in a row. */
static bool try_equals(struct choice *c, const struct pass *p, uint32_t first,
                       uint32_t end)
{
    uint32_t before = c->policy->balance == SVR_BALANCE_PROPORTIONAL
                          ? by_share(c, p, first, end)
                          : most_room(c, p, first, end);

    if (is_open(c, p, before) && take(c, before))
        return true;
    for (uint32_t i = first; i < end; i++)
        if (i != before && is_open(c, p, i) && take(c, i))
            return true;
    return false;
}

static bool try_pass(struct choice *c, const struct pass *p)
{
    for (uint32_t i = 0, end; i < c->range->count; i = end) {
        for (end = i + 1; end < c->range->count && are_equal(c, i, end); end++)
            ;
        if (try_equals(c, p, i, end))
            return true;
    }
    return false;
}

/* In this order: what is good and ready; good, but up only lately (S14.1);
 * doubtful; and, for best effort, what has no room or is beyond a limit. */
static bool try_all(struct choice *c)
{
    static const struct pass passes[] = {
        {SVR_WAY_GOOD, false, false},     {SVR_WAY_GOOD, true, false},
        {SVR_WAY_DOUBTFUL, false, false}, {SVR_WAY_DOUBTFUL, true, false},
        {SVR_WAY_GOOD, false, true},      {SVR_WAY_GOOD, true, true},
        {SVR_WAY_DOUBTFUL, false, true},  {SVR_WAY_DOUBTFUL, true, true},
        {SVR_WAY_POOR, false, false},     {SVR_WAY_POOR, true, false},
        {SVR_WAY_POOR, false, true},      {SVR_WAY_POOR, true, true},
    };

    for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++)
        if (!(passes[i].full && c->policy->no_best_effort) &&
            try_pass(c, &passes[i]))
            return true;
    return false;
}

/* Why none was taken: a limit is all that is against one, or one is down, and
 * may come up again, which matters more than that others lead back. */
static enum svr_drop why_none(const struct choice *c)
{
    enum svr_drop reason =
        c->reason == SVR_DROP_NONE ? SVR_DROP_NO_ROUTE : c->reason;

    if (reason != SVR_DROP_NO_ROUTE && reason != SVR_DROP_LOOP)
        return reason;
    for (uint32_t i = 0; i < c->range->count; i++) {
        const svr__way *way = way_at(c, i);
        const svr__route *r = at(c, i);
        bool here = r->pathway == SVR__NO_PATHWAY;
        bool up = here || c->n->pathways[r->pathway].up;
        bool leads_back = !here && r->pathway == c->avoid;
        if (way->known && up && !leads_back && !circles(c, i) &&
            (way->rank < SVR_WAY_NONE ||
             way->vector.reason >= SVR_PATH_REASON_FULL))
            return SVR_DROP_PATH_LIMITS;
        if (!up)
            reason = SVR_DROP_PATHWAY_DOWN;
    }
    return reason;
}

enum svr_drop svr__choose_route(svr_node *n, svr__session_plan *plan,
                                uint16_t avoid, svr_time now)
{
    struct choice c = {
        .n = n,
        .plan = plan,
        .range = &n->service_routes[plan->service],
        .policy = svr_policy_of_service(n->policy, plan->service),
        .record = plan->passed,
        .avoid = avoid,
        .now = now,
    };

    svr__choose(n, plan->service, now);
    c.follow = plan->passed.coming > 0;
    if (c.follow && try_all(&c))
        return c.reason;
    c.follow = false;
    if (try_all(&c))
        return c.reason;
    return why_none(&c);
}

enum svr_drop svr__choose_peek(svr_node *n, int service, uint32_t *place,
                               svr_time now)
{
    struct choice c = {
        .n = n,
        .range = &n->service_routes[service],
        .policy = svr_policy_of_service(n->policy, service),
        .avoid = SVR__NO_PATHWAY,
        .now = now,
    };

    svr__choose(n, service, now);
    if (!try_all(&c))
        return why_none(&c);
    *place = c.place;
    return SVR_DROP_NONE;
}

/* ---- sessions that are there ---- */

/* The place of the session's present pathway among those of its service. */
static const svr__way *present_way(const struct choice *c, uint16_t pathway)
{
    for (uint32_t i = 0; i < c->range->count; i++)
        if (at(c, i)->pathway == pathway)
            return way_at(c, i);
    return NULL;
}

bool svr__choose_leads(const svr_node *n, const svr__session *s)
{
    const struct choice c = {
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
static bool is_clearly_better(const struct choice *c, const svr__way *x,
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

static bool leads_to(const struct choice *c, uint32_t place, uint16_t peer)
{
    const svr__route *r = at(c, place);

    return r->pathway != SVR__NO_PATHWAY &&
           c->n->pathways[r->pathway].peer == peer &&
           c->n->pathways[r->pathway].up &&
           svr__seal_may_use(c->n, c->session, r->pathway);
}

/* The best other pathway to the peer that is up, ready ones before others. */
static uint16_t other_pathway(const struct choice *c, uint16_t now_at)
{
    uint16_t peer = c->n->pathways[now_at].peer, best = SVR__NO_PATHWAY;

    for (uint32_t i = 0; i < c->range->count; i++) {
        uint16_t pathway = at(c, i)->pathway;
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
static uint16_t good_pathway(const struct choice *c, uint16_t now_at,
                             const svr__way *than)
{
    uint16_t peer = c->n->pathways[now_at].peer;

    for (uint32_t i = 0; i < c->range->count; i++) {
        uint16_t pathway = at(c, i)->pathway;
        const svr__way *way = way_at(c, i);
        if (way->rank != SVR_WAY_GOOD)
            break;
        if (leads_to(c, i, peer) && pathway != now_at &&
            c->n->pathways[pathway].ready && room_of(c, i) > 0 &&
            (!than || is_clearly_better(c, way, than)))
            return pathway;
    }
    return SVR__NO_PATHWAY;
}

uint16_t svr__choose_move(svr_node *n, const svr__session *s,
                          enum svr_cause *cause, svr_time now)
{
    struct choice c = {
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

/* The way that begins with the session's next router is no way any more: that
 * is down, or has none left itself but back to where the session came from. */
static bool is_cut_off(const struct choice *c, uint16_t now_at)
{
    const svr_node *n = c->n;
    uint32_t i = 0;

    if (!n->pathways[now_at].up)
        return true;
    if (!svr__session_is_stranded(n, c->session))
        return false;
    while (i < c->range->count && at(c, i)->pathway != now_at)
        i++;
    return i == c->range->count || !way_at(c, i)->known ||
           way_at(c, i)->rank == SVR_WAY_NONE || circles(c, i);
}

bool svr__choose_other(svr_node *n, const svr__session *s,
                       svr__session_plan *plan, enum svr_cause *cause,
                       svr_time now)
{
    const struct pass good = {SVR_WAY_GOOD, false, false};
    uint16_t now_at = s->side[SVR__SERVER].pathway;
    struct choice c = {
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
        return try_all(&c) && c.reason == SVR_DROP_NONE;
    const svr__way *present = present_way(&c, now_at);
    *cause = SVR_CAUSE_LIMITS;
    return present && present->known && present->left && try_pass(&c, &good) &&
           c.reason == SVR_DROP_NONE;
}
