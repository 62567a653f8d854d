/*
 * Where a service's sessions go next. A route of the file names the router at
 * which they leave SVR; the node wants own interfaces and pathways. Pathways
 * that lead to the route's router are taken all, in the file's order; without
 * one, those to the peer that is the fewest pathways away from it.
 */
#include "build.h"

#include <string.h>

#define UNREACHED SIZE_MAX

/* What is known of the way to one router. */
struct way {
    size_t distance; /* pathways */
    size_t first;    /* the peer it begins with */
};

/* A breadth-first search from the router of the configuration. */
struct search {
    const struct value *routers;
    struct way *ways; /* to each of the routers */
    size_t *queue;
    size_t head, tail;
};

static const char *router_name(const struct search *s, size_t i)
{
    return s->routers->items[i].text;
}

/* A pathway leads from one router to another. Routers leave the queue in the
 * order of their distance, so `from` is settled; among ways of one length the
 * one with the first peer by name stays. */
static void step(struct search *s, size_t from, size_t to)
{
    const struct way *w = &s->ways[from];
    struct way *t = &s->ways[to];
    size_t first = w->distance == 0 ? to : w->first;

    if (t->distance == UNREACHED) {
        *t = (struct way){w->distance + 1, first};
        s->queue[s->tail++] = to;
    } else if (t->distance == w->distance + 1 &&
               strcmp(router_name(s, first), router_name(s, t->first)) < 0) {
        t->first = first;
    }
}

static void search_from(struct search *s, size_t start)
{
    for (size_t i = 0; i < s->routers->count; i++)
        s->ways[i] = (struct way){UNREACHED, 0};
    s->ways[start] = (struct way){0, start};
    s->queue[s->tail++] = start;
    while (s->head < s->tail) {
        size_t from = s->queue[s->head++];
        const struct value *list =
            value_of(&s->routers->items[from], ROUTER_PATHWAYS);

        for (size_t i = 0; i < list->count; i++)
            step(s, from,
                 value_index(s->routers,
                             value_of(&list->items[i], PATHWAY_PEER)->text));
    }
}

/* The routes under construction; out NULL: they are only counted. */
struct route_list {
    svr_route_config *out;
    size_t count;
};

static void add(struct route_list *l, uint16_t service, int pathway,
                uint16_t iface)
{
    if (l->out)
        l->out[l->count] = (svr_route_config){service, pathway, iface};
    l->count++;
}

/* Pathways to a peer; NULL: to all. */
static void add_pathways(struct route_list *l, const struct builder *b,
                         uint16_t service, const char *peer)
{
    const struct value *list = value_of(b->router, ROUTER_PATHWAYS);

    for (size_t i = 0; i < list->count; i++) {
        if (!peer ||
            strcmp(value_of(&list->items[i], PATHWAY_PEER)->text, peer) == 0)
            add(l, service, (int)i, 0);
    }
}

/* Where the route number i of a service begins: the router itself, a peer, or
 * NULL for nowhere. */
static const struct value *first_hop(const struct search *s,
                                     const struct value *routes, size_t i)
{
    const char *name = value_of(&routes->items[i], ROUTE_ROUTER)->text;
    const struct way *w = &s->ways[value_index(s->routers, name)];

    return w->distance == UNREACHED ? NULL : &s->routers->items[w->first];
}

/* Whether an earlier route of the service has led to the same peer. */
static bool is_repeated(const struct search *s, const struct value *routes,
                        size_t i)
{
    const struct value *hop = first_hop(s, routes, i);

    for (size_t j = 0; j < i; j++) {
        if (first_hop(s, routes, j) == hop)
            return true;
    }
    return false;
}

static void add_service(struct route_list *l, const struct builder *b,
                        const struct search *s, uint16_t service)
{
    const struct value *list = value_of(b->root, ROOT_SERVICES);
    const struct value *routes =
        value_of(&list->items[service], SERVICE_ROUTES);
    /* S16: the best vector may begin with any of them */
    bool any = b->out->config.node.policy.services[service].policy.best_path !=
               SVR_BEST_ORDER;

    for (size_t i = 0; i < routes->count; i++) {
        const struct value *hop = first_hop(s, routes, i);

        if (!hop)
            continue;
        if (hop == b->router)
            add(l, service, -1,
                (uint16_t)value_index(
                    value_of(b->router, ROUTER_INTERFACES),
                    value_of(&routes->items[i], ROUTE_INTERFACE)->text));
        else if (!is_repeated(s, routes, i) && !any)
            add_pathways(l, b, service, hop->text);
    }
    if (any)
        add_pathways(l, b, service, NULL);
}

static size_t add_all(const struct builder *b, const struct search *s,
                      svr_route_config *out)
{
    struct route_list l = {.out = out};
    size_t services = value_of(b->root, ROOT_SERVICES)->count;

    for (size_t i = 0; i < services; i++)
        add_service(&l, b, s, (uint16_t)i);
    return l.count;
}

bool build_routes(struct builder *b)
{
    struct search s = {.routers = value_of(b->root, ROOT_ROUTERS)};
    svr_route_config *routes;
    size_t count;

    s.ways = build_array(b, s.routers->count, sizeof(*s.ways));
    s.queue = build_array(b, s.routers->count, sizeof(*s.queue));
    if (!s.ways || !s.queue)
        return false;
    search_from(&s, (size_t)(b->router - s.routers->items));
    count = add_all(b, &s, NULL);
    routes = build_array(b, count, sizeof(*routes));
    if (!routes)
        return false;
    add_all(b, &s, routes);
    b->out->config.node.routes = routes;
    b->out->config.node.route_count = count;
    return true;
}
