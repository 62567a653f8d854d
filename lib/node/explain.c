/* What would become of a session, and why: for people. */
#include "node/node.h"

static const struct {
    const char *name, *text;
} ranks[] = {
#define X(name, id, text) {id, text},
    SVR_WAY_MAP(X)
#undef X
};

const char *svr_way_rank_name(enum svr_way_rank rank)
{
    return (unsigned)rank < SVR_WAY_RANKS ? ranks[rank].name : "unknown";
}

const char *svr_way_rank_text(enum svr_way_rank rank)
{
    return (unsigned)rank < SVR_WAY_RANKS ? ranks[rank].text : "unknown";
}

static uint32_t route_of(const svr_node *n, const svr_explanation *e,
                         size_t place)
{
    uint32_t at = n->service_routes[e->service].first + (uint32_t)place;

    return svr__is_chosen(&n->choices, e->service) ? n->choices.order[at] : at;
}

/* S11.9: a full pool refuses the session, where a lack of ciphers only passes
 * the pathway over. */
static bool is_passed_over(const svr_node *n, int service, const svr__route *r)
{
    return svr__seal_expect(n, service, r->pathway) == SVR_DROP_NOT_SEALED;
}

static bool is_up(const svr_node *n, const svr__route *r, bool *ready)
{
    if (r->pathway == SVR__NO_PATHWAY) {
        *ready = true;
        return true;
    }
    *ready = n->pathways[r->pathway].ready;
    return n->pathways[r->pathway].up;
}

/* By the order of the file: the first that is ready, else the first that is
 * up. */
static enum svr_drop by_order(const svr_node *n, svr_explanation *e)
{
    enum svr_drop reason = e->ways ? SVR_DROP_PATHWAY_DOWN : SVR_DROP_NO_ROUTE;

    for (size_t i = 0; i < e->ways; i++) {
        const svr__route *r = &n->routes[route_of(n, e, i)];
        bool ready, up = is_up(n, r, &ready);
        if (up && is_passed_over(n, e->service, r)) {
            if (reason != SVR_DROP_NONE)
                reason = SVR_DROP_NOT_SEALED;
            continue;
        }
        if (!up || (!ready && reason == SVR_DROP_NONE))
            continue;
        e->choice = i;
        reason = SVR_DROP_NONE;
        if (ready)
            break;
    }
    return reason;
}

static enum svr_drop choose(svr_node *n, svr_explanation *e, svr_time now)
{
    uint32_t place = 0;

    if (!svr__is_chosen(&n->choices, e->service))
        return by_order(n, e);
    enum svr_drop reason = svr__choose_peek(n, e->service, &place, now);
    e->choice = place;
    return reason;
}

/* Whether the way that was chosen would be taken. */
static enum svr_drop expect(const svr_node *n, const svr_explanation *e)
{
    return svr__seal_expect(n, e->service,
                            n->routes[route_of(n, e, e->choice)].pathway);
}

int svr_node_explain(svr_node *n, int tenant, const svr_tuple *context,
                     svr_explanation *out, svr_time now)
{
    svr_explanation e = {0};

    if (tenant != SVR_TENANT_NONE && !svr_policy_tenant_name(n->policy, tenant))
        return SVR_ERR_ARGUMENT;
    e.service = svr_policy_service_match(n->policy, context);
    if (e.service < 0) {
        e.refused = SVR_DROP_NO_SERVICE;
        *out = e;
        return 0;
    }
    e.best_path = svr_policy_of_service(n->policy, e.service)->best_path;
    e.ways = n->service_routes[e.service].count;
    e.refused = choose(n, &e, now);
    if (e.refused == SVR_DROP_NONE)
        e.refused = expect(n, &e);
    if (svr__owns_address(n, &context->dst))
        e.refused = SVR_DROP_NOT_FOR_US;
    if (svr_policy_access(n->policy, e.service, tenant, &context->src) < 0)
        e.refused =
            tenant == SVR_TENANT_NONE ? SVR_DROP_NO_TENANT : SVR_DROP_ACCESS;
    *out = e;
    return 0;
}

static void tell_vector(const svr_node *n, const svr__way *way,
                        svr_node_way *out)
{
    out->known = way->known;
    out->rank = (enum svr_way_rank)way->rank;
    if (!way->known)
        return;
    out->vector = way->vector;
    out->coming_count = way->coming_count;
    for (size_t i = 0; i < way->coming_count; i++)
        out->coming[i] = svr__names_at(&n->routers, way->coming[i]);
}

void svr_node_explained(const svr_node *n, const svr_explanation *e,
                        size_t place, svr_node_way *out, svr_time now)
{
    uint32_t route = route_of(n, e, place);
    const svr__route *r = &n->routes[route];

    *out = (svr_node_way){0};
    out->up = is_up(n, r, &out->ready);
    if (r->pathway == SVR__NO_PATHWAY) {
        out->interface = n->interfaces[r->iface].config.name;
    } else {
        const svr__pathway *pw = &n->pathways[r->pathway];
        out->interface = n->interfaces[pw->iface].config.name;
        out->pathway = pw->name;
        out->peer = n->peers[pw->peer].name;
        out->sessions = pw->sessions;
        out->passed_over = svr__seal_expect(n, e->service, r->pathway);
    }
    if (!svr__is_chosen(&n->choices, e->service))
        return;
    tell_vector(n, &n->choices.ways[route], out);
    out->full = out->known && svr__choose_is_full(n, route, now);
}
