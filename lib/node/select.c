/* Sessions take one of the ways of their service (S16.2, S16.4, S17). */
#include "node/select.h"

/* S20, S16.4: whether the way enters a router that was passed, or more of them
 * than the last one will read. */
bool svr__choice_circles(const struct svr__choice *c, uint32_t place)
{
    const svr__route *r = svr__choice_at(c, place);
    const svr__way *way = svr__choice_way(c, place);

    if (r->pathway == SVR__NO_PATHWAY)
        return false;
    if (svr__record_has(c->n, &c->record, c->n->pathways[r->pathway].peer))
        return true;
    if (!c->follow &&
        c->record.count + 1u + way->coming_count > SVR__PASSED_MAX)
        return true;
    for (unsigned i = 0; i < way->coming_count && !c->follow; i++)
        if (svr__record_holds(&c->record, way->coming[i]))
            return true;
    return false;
}

static bool is_next(const struct svr__choice *c, const svr__route *r)
{
    return r->pathway != SVR__NO_PATHWAY && c->record.coming > 0 &&
           c->n->peers[c->n->pathways[r->pathway].peer].router ==
               c->record.router[c->record.count];
}

/* To another peer than the session's present one, if it may. */
static bool goes_elsewhere(const struct svr__choice *c, const svr__route *r)
{
    const svr_node *n = c->n;
    uint16_t present = c->session->side[SVR__SERVER].pathway;

    return r->pathway != SVR__NO_PATHWAY &&
           n->pathways[r->pathway].peer != n->pathways[present].peer &&
           svr__seal_may_use(n, c->session, r->pathway);
}

/* S14.1: whether a pathway is in its hold-down. */
static bool is_held_down(const struct svr__choice *c, const svr__route *r)
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

uint32_t svr__choice_room(const struct svr__choice *c, uint32_t place)
{
    return room_of_route(c->n, svr__choice_route(c, place), c->now);
}

bool svr__choose_is_full(const svr_node *n, uint32_t route, svr_time now)
{
    return room_of_route(n, route, now) == 0;
}

static bool are_equal(const struct svr__choice *c, uint32_t x, uint32_t y)
{
    const svr_vector *a = &svr__choice_way(c, x)->vector,
                     *b = &svr__choice_way(c, y)->vector;

    if (svr__choice_way(c, x)->rank != svr__choice_way(c, y)->rank ||
        a->cost != b->cost)
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

static bool is_open(const struct svr__choice *c, const struct svr__pass *p,
                    uint32_t place)
{
    const svr__route *r = svr__choice_at(c, place);

    return svr__choice_way(c, place)->rank == p->rank &&
           is_held_down(c, r) == p->held_down &&
           (svr__choice_room(c, place) == 0) == p->full &&
           (!c->follow || is_next(c, r)) &&
           (!c->session || goes_elsewhere(c, r)) &&
           (r->pathway == SVR__NO_PATHWAY || r->pathway != c->avoid);
}

/* Among equals from first up to end: the one with the most room. */
static uint32_t most_room(const struct svr__choice *c,
                          const struct svr__pass *p, uint32_t first,
                          uint32_t end)
{
    uint32_t best = first, most = 0;

    for (uint32_t i = first; i < end; i++) {
        uint32_t room = is_open(c, p, i) ? svr__choice_room(c, i) : 0;
        if (room > most) {
            best = i;
            most = room;
        }
    }
    return best;
}

/* Or one by shares as large as capacities, by the session's UUID. */
static uint32_t by_share(const struct svr__choice *c, const struct svr__pass *p,
                         uint32_t first, uint32_t end)
{
    static const svr_uuid any;
    const uint8_t *b = c->plan ? c->plan->uuid.b : any.b;
    uint32_t draw = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
                    (uint32_t)b[2] << 8 | b[3];
    uint64_t sum = 0, place;

    for (uint32_t i = first; i < end; i++)
        sum += is_open(c, p, i) ? svr__choice_way(c, i)->vector.capacity : 0;
    place = (sum >> 32) * draw + ((sum & UINT32_MAX) * draw >> 32);
    for (uint32_t i = first; i < end; i++) {
        uint64_t share =
            is_open(c, p, i) ? svr__choice_way(c, i)->vector.capacity : 0;
        if (place < share)
            return i;
        place -= share;
    }
    return first;
}

/* What would become of a client's session. */
static enum svr_drop expect(const struct svr__choice *c, uint16_t pathway)
{
    if (pathway != SVR__NO_PATHWAY && !c->n->pathways[pathway].up)
        return SVR_DROP_PATHWAY_DOWN;
    enum svr_drop reason = svr__seal_expect(c->n, c->service, pathway);
    return reason == SVR_DROP_SEALED_FULL ? SVR_DROP_NONE : reason;
}

/* The session of the plan takes this way, if that works. */
static bool take(struct svr__choice *c, uint32_t place)
{
    svr_node *n = c->n;
    const svr__way *way = svr__choice_way(c, place);
    uint16_t coming[SVR__PASSED_MAX];

    if (svr__choice_circles(c, place)) {
        c->reason = SVR_DROP_LOOP;
        return false;
    }
    c->place = place;
    if (!c->plan) {
        c->reason = expect(c, svr__choice_at(c, place)->pathway);
        return c->reason == SVR_DROP_NONE;
    }
    c->reason = svr__plan_try(n, c->plan, svr__choice_at(c, place), c->now);
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
static bool try_equals(struct svr__choice *c, const struct svr__pass *p,
                       uint32_t first, uint32_t end)
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

bool svr__choice_pass(struct svr__choice *c, const struct svr__pass *p)
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
bool svr__choice_all(struct svr__choice *c)
{
    static const struct svr__pass passes[] = {
        {SVR_WAY_GOOD, false, false},     {SVR_WAY_GOOD, true, false},
        {SVR_WAY_DOUBTFUL, false, false}, {SVR_WAY_DOUBTFUL, true, false},
        {SVR_WAY_GOOD, false, true},      {SVR_WAY_GOOD, true, true},
        {SVR_WAY_DOUBTFUL, false, true},  {SVR_WAY_DOUBTFUL, true, true},
        {SVR_WAY_POOR, false, false},     {SVR_WAY_POOR, true, false},
        {SVR_WAY_POOR, false, true},      {SVR_WAY_POOR, true, true},
    };

    for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++)
        if (!(passes[i].full && c->policy->no_best_effort) &&
            svr__choice_pass(c, &passes[i]))
            return true;
    return false;
}

/* S16.4: all ways of the service lead back, or cannot be used. The best vector
 * past the routers that were passed, for this session alone. */
bool svr__choice_past(struct svr__choice *c)
{
    svr_node *n = c->n;
    uint32_t passed[SVR__PASSED_MAX];
    uint16_t coming[SVR__PASSED_MAX];
    svr_path_query q;
    svr_vector v;

    if (c->record.count == 0 || c->record.count >= SVR__PASSED_MAX)
        return false;
    for (unsigned i = 0; i < c->record.count; i++)
        passed[i] = c->record.router[i];
    svr__choose_query(n, c->plan->service, &q);
    q.passed = passed;
    q.passed_count = c->record.count;
    q.count = 1;
    q.max_hops = SVR__PASSED_MAX - c->record.count;
    if (svr_path_find(&n->choices.topology, &q, &v, 1, NULL,
                      n->choices.scratch) != 1 ||
        v.hops == 0 || v.hops > SVR__PASSED_MAX || v.edges[0] == c->avoid)
        return false;
    for (uint32_t i = 1; i < v.hops; i++)
        coming[i - 1] = (uint16_t)n->choices.edges[v.edges[i]].to;
    const svr__route r = {.pathway = (uint16_t)v.edges[0]};
    c->reason = svr__plan_try(n, c->plan, &r, c->now);
    svr__record_set_coming(&c->plan->passed, coming, v.hops - 1);
    return c->reason == SVR_DROP_NONE || c->reason == SVR_DROP_PINHOLE;
}

/* Whether some pathway of another router is down, as far as is heard. */
static bool is_link_down(const svr_node *n)
{
    for (size_t i = n->pathway_count; i < n->choices.edge_count; i++)
        if (!n->choices.edges[i].up)
            return true;
    return false;
}

/* Why none was taken: a limit is all that is against one, or one is down, and
 * may come up again, which matters more than that others lead back. */
static enum svr_drop why_none(const struct svr__choice *c)
{
    enum svr_drop reason =
        c->reason == SVR_DROP_NONE ? SVR_DROP_NO_ROUTE : c->reason;

    if (reason != SVR_DROP_NO_ROUTE && reason != SVR_DROP_LOOP)
        return reason;
    for (uint32_t i = 0; i < c->range->count; i++) {
        const svr__way *way = svr__choice_way(c, i);
        const svr__route *r = svr__choice_at(c, i);
        bool here = r->pathway == SVR__NO_PATHWAY;
        bool up = here || c->n->pathways[r->pathway].up;
        bool leads_back = !here && r->pathway == c->avoid;
        if (way->known && up && !leads_back && !svr__choice_circles(c, i) &&
            (way->rank < SVR_WAY_NONE ||
             way->vector.reason >= SVR_PATH_REASON_FULL))
            return SVR_DROP_PATH_LIMITS;
        if (!up)
            reason = SVR_DROP_PATHWAY_DOWN;
    }
    return is_link_down(c->n) ? SVR_DROP_PATHWAY_DOWN : reason;
}

enum svr_drop svr__choose_route(svr_node *n, svr__session_plan *plan,
                                uint16_t avoid, svr_time now)
{
    struct svr__choice c = {
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
    if (c.follow && svr__choice_all(&c))
        return c.reason;
    c.follow = false;
    if (svr__choice_all(&c) || svr__choice_past(&c))
        return c.reason;
    return why_none(&c);
}

enum svr_drop svr__choose_peek(svr_node *n, int service, uint32_t *place,
                               svr_time now)
{
    struct svr__choice c = {
        .n = n,
        .service = service,
        .range = &n->service_routes[service],
        .policy = svr_policy_of_service(n->policy, service),
        .avoid = SVR__NO_PATHWAY,
        .now = now,
    };

    svr__choose(n, service, now);
    if (!svr__choice_all(&c))
        return why_none(&c);
    *place = c.place;
    return SVR_DROP_NONE;
}
