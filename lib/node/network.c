/* The network as this router knows it, in arrays for svr_path_find (S16.1). */
#include "node/node.h"

#include "base/memory.h"

/* Sessions are what capacities are counted in. */
static uint32_t capacity_of(uint32_t configured)
{
    return configured ? configured : UINT32_MAX;
}

static bool is_wanted(const svr_node_config *c)
{
    for (size_t i = 0; i < c->policy.service_count; i++)
        if (c->policy.services[i].policy.best_path != SVR_BEST_ORDER)
            return true;
    return false;
}

static size_t router_count(const svr_node_config *c)
{
    return c->router_count ? c->router_count : c->peer_count + 1;
}

/* A service that says nothing about it ends at each peer that a route leads to,
 * and here where one leaves. */
int svr__choices_init(svr_node *n, const svr_node_config *c)
{
    const svr_allocator *a = &n->alloc;
    svr__choices *h = &n->choices;

    h->edge_count = c->pathway_count + c->link_count;
    h->edges = svr__alloc(a, h->edge_count, sizeof(svr_path_edge));
    if (!h->edges || !is_wanted(c))
        return h->edges ? 0 : SVR_ERR_NO_MEMORY;
    h->way_count = c->route_count;
    h->router_count = router_count(c);
    h->instance_count = c->instance_count + c->route_count;
    h->vector_count = c->policy.vector_count;
    h->instances = svr__alloc(a, h->instance_count, sizeof(svr_path_instance));
    h->loads = svr__alloc(a, h->instance_count, sizeof(svr__load));
    h->first_instance =
        svr__alloc(a, c->policy.service_count, sizeof(uint32_t));
    h->routers = svr__alloc(a, h->router_count, sizeof(char *));
    h->priorities = svr__alloc(a, h->vector_count, sizeof(uint16_t));
    h->chosen = svr__alloc(a, c->policy.service_count, sizeof(bool));
    h->made = svr__alloc(a, c->policy.service_count, sizeof(uint64_t));
    h->ways = svr__alloc(a, h->way_count, sizeof(svr__way));
    h->order = svr__alloc(a, h->way_count, sizeof(uint32_t));
    return h->instances && h->loads && h->first_instance && h->routers &&
                   h->priorities && h->chosen && h->made && h->ways && h->order
               ? 0
               : SVR_ERR_NO_MEMORY;
}

void svr__choices_free(svr_node *n)
{
    const svr_allocator *a = &n->alloc;
    svr__choices *h = &n->choices;

    svr__free(a, h->scratch, h->scratch_len, 1);
    svr__free(a, h->index, h->index_len, 1);
    svr__free(a, h->order, h->way_count, sizeof(uint32_t));
    svr__free(a, h->ways, h->way_count, sizeof(svr__way));
    svr__free(a, h->made, n->service_count, sizeof(uint64_t));
    svr__free(a, h->chosen, n->service_count, sizeof(bool));
    svr__free(a, h->priorities, h->vector_count, sizeof(uint16_t));
    svr__free(a, h->routers, h->router_count, sizeof(char *));
    svr__free(a, h->first_instance, n->service_count, sizeof(uint32_t));
    svr__free(a, h->loads, h->instance_count, sizeof(svr__load));
    svr__free(a, h->instances, h->instance_count, sizeof(svr_path_instance));
    svr__free(a, h->edges, h->edge_count, sizeof(svr_path_edge));
}

static void fill_edges(svr_node *n, const svr_node_config *c)
{
    svr_path_edge *edges = n->choices.edges;

    for (size_t i = 0; i < c->pathway_count; i++) {
        const svr_pathway_config *p = &c->pathways[i];
        edges[i] = (svr_path_edge){
            .name = n->pathways[i].name,
            .from = n->self,
            .to = n->peers[p->peer].router,
            .link = (uint32_t)i,
            .cost = p->cost,
            .capacity = capacity_of(p->capacity),
            .vector = p->vector,
        };
    }
    for (size_t i = 0; i < c->link_count; i++) {
        const svr_link_config *l = &c->links[i];
        uint32_t number = (uint32_t)(c->pathway_count + i);
        edges[number] = (svr_path_edge){
            .name = edges[number].name,
            .from = l->from,
            .to = l->to,
            .link = number,
            .cost = l->cost,
            .capacity = capacity_of(l->capacity),
            .vector = l->vector,
            .up = true,
        };
    }
}

static bool has_instance(const svr_path_instance *list, size_t count,
                         uint32_t service, uint32_t router)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].service == service && list[i].router == router)
            return true;
    return false;
}

static size_t fill_instances(svr_node *n, const svr_node_config *c)
{
    svr_path_instance *list = n->choices.instances;
    size_t count = 0, told;

    for (; count < c->instance_count; count++)
        list[count] = (svr_path_instance){
            .service = c->instances[count].service,
            .router = c->instances[count].router,
            .capacity = capacity_of(c->instances[count].capacity),
        };
    told = count;
    for (size_t i = 0; i < c->route_count; i++) {
        const svr_route_config *r = &c->routes[i];
        uint32_t router =
            r->pathway < 0 ? n->self : n->choices.edges[r->pathway].to;
        bool any = false;
        for (size_t j = 0; j < told; j++)
            any |= list[j].service == r->service;
        if (!any &&
            !has_instance(list + told, count - told, r->service, router))
            list[count++] = (svr_path_instance){
                .service = r->service,
                .router = router,
                .capacity = UINT32_MAX,
            };
    }
    return count;
}

static int make_scratch(svr_node *n)
{
    svr__choices *h = &n->choices;
    svr_path_query q;

    for (size_t i = 0; i < n->service_count; i++) {
        if (!h->chosen[i])
            continue;
        svr__choose_query(n, (int)i, &q);
        size_t len = svr_path_scratch_size(&h->topology, &q);
        if (len > h->scratch_len)
            h->scratch_len = len;
    }
    h->scratch = svr__alloc(&n->alloc, h->scratch_len, 1);
    return h->scratch ? 0 : SVR_ERR_NO_MEMORY;
}

static int make_index(svr_node *n)
{
    svr__choices *h = &n->choices;

    h->index_len = svr_topology_index_size(&h->topology);
    h->index = svr__alloc(&n->alloc, h->index_len, 1);
    if (!h->index)
        return SVR_ERR_NO_MEMORY;
    return svr_topology_index(&h->topology, h->index);
}

int svr__choices_build(svr_node *n, const svr_node_config *c)
{
    svr__choices *h = &n->choices;

    h->due = SVR_NEVER;
    fill_edges(n, c);
    if (h->way_count == 0)
        return 0;
    h->generation = 1;
    for (size_t i = 0; i < n->service_count; i++)
        h->chosen[i] = c->policy.services[i].policy.best_path != SVR_BEST_ORDER;
    for (size_t i = 0; i < h->router_count; i++)
        h->routers[i] = svr__names_at(&n->routers, (int)i);
    h->topology = (svr_topology){
        .routers = h->routers,
        .router_count = h->router_count,
        .edges = h->edges,
        .edge_count = h->edge_count,
        .instances = h->instances,
        .instance_count = fill_instances(n, c),
    };
    svr__load_index(n);
    int err = make_index(n);
    return err ? err : make_scratch(n);
}

static void fill_priorities(const svr_node *n, const svr_service_policy *p)
{
    for (size_t i = 0; i < n->choices.vector_count; i++)
        n->choices.priorities[i] = SVR_PATH_UNNAMED;
    for (size_t i = 0; i < p->vector_count; i++)
        n->choices.priorities[p->vectors[i].vector] = p->vectors[i].priority;
}

void svr__choose_query(svr_node *n, int service, svr_path_query *q)
{
    const svr_service_policy *p = svr_policy_of_service(n->policy, service);

    fill_priorities(n, p);
    svr_path_query_init(q);
    q->from = n->self;
    q->service = (uint32_t)service;
    q->priorities = n->choices.priorities;
    q->priority_count = n->choices.vector_count;
    q->criterion = p->best_path == SVR_BEST_LATENCY ? SVR_PATH_LATENCY
                   : p->best_path == SVR_BEST_MOS   ? SVR_PATH_MOS
                                                    : SVR_PATH_VECTOR;
    q->quality_filter = p->quality_filter;
    q->max_latency_us = p->max_latency_us;
    q->max_jitter_us = p->max_jitter_us;
    q->max_loss_ppm = p->max_loss_ppm;
    q->min_mos = p->min_mos;
    q->best_effort = !p->no_best_effort;
    if (p->balance == SVR_BALANCE_HUNT)
        q->balance = SVR_PATH_HUNT; /* of instances behind one pathway */
    q->count = SVR__VECTORS;
    q->max_hops = SVR__PASSED_MAX; /* the last router reads them all */
}
