#include "topology/chart.h"

#include "base/memory.h"
#include "base/sort.h"

#include <string.h>

enum {
    RATE = 16000,
    BURST = 64000,
    SPARE_PARTS = 1, /* of a router that has more than we know of */
};

static const svr_chart_limit usual_limit = {250000, 100000, 5000, 0};

void svr_chart_config_init(svr_chart_config *c)
{
    *c = (svr_chart_config){
        .rate = RATE,
        .burst = BURST,
        .limits = &usual_limit,
        .limit_count = 1,
    };
}

uint64_t svr__chart_id(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * 0x100000001b3;
    return hash;
}

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_routers(const void *a, const void *b, const void *context)
{
    const svr__chart_router *r = context;

    return compare(r[*(const uint32_t *)a].id, r[*(const uint32_t *)b].id);
}

static int compare_named(const void *a, const void *b, const void *context)
{
    const svr__chart_named *x = a, *y = b;
    int order = compare(x->router, y->router);

    (void)context;
    if (order == 0)
        order = compare(x->id, y->id);
    return order ? order : compare(x->number, y->number);
}

uint32_t svr__chart_router_of(const svr_chart *c, uint64_t id)
{
    size_t low = 0, high = c->graph.router_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        uint64_t at = c->routers[c->by_id[mid]].id;
        if (at == id)
            return c->by_id[mid];
        if (at < id)
            low = mid + 1;
        else
            high = mid;
    }
    return SVR__CHART_NONE;
}

const svr__chart_named *svr__chart_find(const svr__chart_named *among,
                                        size_t count, uint32_t router,
                                        uint64_t id)
{
    const svr__chart_named wanted = {id, router, 0};
    size_t low = 0, high = count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (compare_named(&among[mid], &wanted, NULL) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (low < count && among[low].router == router && among[low].id == id)
        return &among[low];
    return NULL;
}

static bool is_network_valid(const svr_chart_config *c)
{
    const svr_topology *n = c->network;

    if (!n || n->router_count > SVR_PATH_ROUTERS_MAX ||
        n->edge_count > SVR_PATH_EDGES_MAX || c->self >= n->router_count)
        return false;
    for (size_t i = 0; i < n->router_count; i++)
        if (!n->routers[i])
            return false;
    for (size_t i = 0; i < c->service_count; i++)
        if (!c->services[i])
            return false;
    for (size_t i = 0; i < n->edge_count; i++) {
        const svr_path_edge *e = &n->edges[i];
        if (!e->name || e->from >= n->router_count ||
            e->to >= n->router_count || e->from == e->to ||
            e->link >= n->edge_count)
            return false;
    }
    for (size_t i = 0; i < n->instance_count; i++)
        if (n->instances[i].router >= n->router_count ||
            n->instances[i].service >= c->service_count)
            return false;
    return true;
}

static bool is_valid(const svr_chart_config *c)
{
    if (!is_network_valid(c) || c->rate == 0 ||
        c->burst < SVR_CHART_MESSAGE + SVR_CHART_OVERHEAD)
        return false;
    for (size_t i = 0; i < c->neighbour_count; i++)
        if (c->neighbours[i] >= c->network->router_count ||
            c->neighbours[i] == c->self)
            return false;
    return true;
}

static size_t text_size(const svr_topology *n)
{
    size_t size = 0;

    for (size_t i = 0; i < n->router_count; i++)
        size += strlen(n->routers[i]) + 1;
    for (size_t i = 0; i < n->edge_count; i++)
        size += strlen(n->edges[i].name) + 1;
    return size;
}

static const char *copy_text(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*at, text, size);

    *at += size;
    return copy;
}

static int copy_network(svr_chart *c, const svr_topology *n)
{
    c->text_len = text_size(n);
    c->text = svr__alloc(&c->alloc, c->text_len, 1);
    c->names = svr__alloc(&c->alloc, n->router_count, sizeof(*c->names));
    c->edges = svr__alloc(&c->alloc, n->edge_count, sizeof(*c->edges));
    c->instances =
        svr__alloc(&c->alloc, n->instance_count, sizeof(*c->instances));
    c->load_said =
        svr__alloc(&c->alloc, n->instance_count, sizeof(*c->load_said));
    if (!c->text || !c->names || !c->edges || !c->instances || !c->load_said)
        return SVR_ERR_NO_MEMORY;
    char *at = c->text;
    for (size_t i = 0; i < n->router_count; i++)
        c->names[i] = copy_text(&at, n->routers[i]);
    for (size_t i = 0; i < n->edge_count; i++) {
        c->edges[i] = n->edges[i];
        c->edges[i].name = copy_text(&at, n->edges[i].name);
        c->edges[i].up = false;
        c->edges[i].latency_us = c->edges[i].jitter_us = SVR_PATH_FIGURE_MAX;
        c->edges[i].loss_ppm = 0;
    }
    for (size_t i = 0; i < n->instance_count; i++) {
        c->instances[i] = n->instances[i];
        c->instances[i].load = 0;
    }
    c->graph.routers = c->names;
    c->graph.edges = c->edges;
    c->graph.instances = c->instances;
    return 0;
}

/* Both directions of each link know each other. */
static int pair_edges(svr_chart *c)
{
    size_t count = c->graph.edge_count;
    uint32_t *first = svr__alloc(&c->alloc, count, sizeof(*first));
    int err = 0;

    if (!first)
        return SVR_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        first[i] = c->said[i].other = c->said[i].item = SVR__CHART_NONE;
    for (uint32_t i = 0; i < count && err == 0; i++) {
        const svr_path_edge *e = &c->edges[i];
        uint32_t o = first[e->link];
        if (o == SVR__CHART_NONE) {
            first[e->link] = i;
        } else if (c->said[o].other != SVR__CHART_NONE ||
                   c->edges[o].from != e->to || c->edges[o].to != e->from) {
            err = SVR_ERR_ARGUMENT;
        } else {
            c->said[o].other = i;
            c->said[i].other = o;
        }
    }
    svr__free(&c->alloc, first, count, sizeof(*first));
    return err;
}

static int index_routers(svr_chart *c)
{
    size_t count = c->graph.router_count;

    c->routers = svr__alloc(&c->alloc, count, sizeof(*c->routers));
    c->by_id = svr__alloc(&c->alloc, count, sizeof(*c->by_id));
    if (!c->routers || !c->by_id)
        return SVR_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        c->routers[i].id = svr__chart_id(c->names[i]);
        c->by_id[i] = i;
    }
    svr__sort(c->by_id, count, sizeof(*c->by_id), compare_routers, c->routers);
    for (size_t i = 1; i < count; i++)
        if (c->routers[c->by_id[i]].id == c->routers[c->by_id[i - 1]].id)
            return SVR_ERR_EXISTS;
    return 0;
}

static int index_edges(svr_chart *c)
{
    size_t count = c->graph.edge_count;

    c->out = svr__alloc(&c->alloc, count, sizeof(*c->out));
    c->said = svr__alloc(&c->alloc, count, sizeof(*c->said));
    if (!c->out || !c->said)
        return SVR_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        c->out[i] = (svr__chart_named){svr__chart_id(c->edges[i].name),
                                       c->edges[i].from, i};
    svr__sort(c->out, count, sizeof(*c->out), compare_named, NULL);
    for (uint32_t i = 0; i < count; i++) {
        svr__chart_router *r = &c->routers[c->out[i].router];
        if (r->edges++ == 0)
            r->first_edge = i;
        if (i > 0 && c->out[i].router == c->out[i - 1].router &&
            c->out[i].id == c->out[i - 1].id)
            return SVR_ERR_EXISTS;
    }
    return pair_edges(c);
}

static int index_services(svr_chart *c, const svr_chart_config *config)
{
    size_t count = c->graph.instance_count;

    c->service_count = config->service_count;
    c->service_ids =
        svr__alloc(&c->alloc, c->service_count, sizeof(*c->service_ids));
    c->services = svr__alloc(&c->alloc, count, sizeof(*c->services));
    if (!c->service_ids || !c->services)
        return SVR_ERR_NO_MEMORY;
    for (size_t i = 0; i < c->service_count; i++)
        c->service_ids[i] = svr__chart_id(config->services[i]);
    for (uint32_t i = 0; i < count; i++)
        c->services[i] = (svr__chart_named){
            c->service_ids[c->instances[i].service], c->instances[i].router, i};
    svr__sort(c->services, count, sizeof(*c->services), compare_named, NULL);
    return 0;
}

/* How many parts a router fills with what we know of it: entries of two sizes,
 * those of pathways first. */
static uint32_t parts_for(uint32_t pathways, uint32_t services)
{
    const uint32_t a = SVR__TOPOLOGY_BODY / SVR__TOPOLOGY_PATHWAY_ENTRY;
    const uint32_t b = SVR__TOPOLOGY_BODY / SVR__TOPOLOGY_SERVICE_ENTRY;

    return (pathways + a - 1) / a + (services + b - 1) / b;
}

static int make_parts(svr_chart *c)
{
    size_t count = c->graph.router_count;
    uint32_t *services = svr__alloc(&c->alloc, count, sizeof(*services));

    if (!services)
        return SVR_ERR_NO_MEMORY;
    for (size_t i = 0; i < c->graph.instance_count; i++)
        services[c->instances[i].router]++;
    for (size_t i = 0; i < count; i++) {
        svr__chart_router *r = &c->routers[i];
        r->first_part = c->part_count;
        r->parts = parts_for(r->edges, services[i]) + SPARE_PARTS;
        c->part_count += r->parts;
    }
    svr__free(&c->alloc, services, count, sizeof(*services));
    if (c->routers[c->self].parts > UINT16_MAX)
        return SVR_ERR_ARGUMENT;
    c->parts = svr__alloc(&c->alloc, c->part_count, sizeof(*c->parts));
    if (!c->parts)
        return SVR_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < c->routers[i].parts; k++)
            c->parts[c->routers[i].first_part + k].router = i;
    return 0;
}

static int make_neighbours(svr_chart *c, const svr_chart_config *config)
{
    size_t count = config->neighbour_count;

    c->neighbours = svr__alloc(&c->alloc, count, sizeof(*c->neighbours));
    c->flags = svr__alloc(&c->alloc, count, c->part_count);
    c->limits = svr__alloc(&c->alloc, config->limit_count, sizeof(*c->limits));
    if (!c->neighbours || !c->flags || !c->limits)
        return SVR_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        svr__neighbour *nb = &c->neighbours[i];
        nb->router = config->neighbours[i];
        nb->flags = c->flags + i * c->part_count;
        nb->tick = nb->seen_due = SVR_NEVER;
        /* Several that speak to one newcomer do not all begin alike. */
        nb->cursor = c->routers[c->self].first_part;
    }
    for (size_t i = 0; i < config->limit_count; i++)
        c->limits[i] = config->limits[i];
    return 0;
}

static int build(svr_chart *c, const svr_chart_config *config, svr_time now)
{
    int err = copy_network(c, config->network);

    if (err == 0)
        err = index_routers(c);
    if (err == 0)
        err = index_edges(c);
    if (err == 0)
        err = index_services(c, config);
    if (err == 0)
        err = make_parts(c);
    if (err == 0)
        err = make_neighbours(c, config);
    return err ? err : svr__own_init(c, now);
}

int svr_chart_create(svr_chart **out, const svr_chart_config *config,
                     svr_time now)
{
    svr_chart *c;

    if (!is_valid(config))
        return SVR_ERR_ARGUMENT;
    c = svr__alloc(&config->alloc, 1, sizeof(*c));
    if (!c)
        return SVR_ERR_NO_MEMORY;
    c->alloc = config->alloc;
    c->graph.router_count = config->network->router_count;
    c->graph.edge_count = config->network->edge_count;
    c->graph.instance_count = config->network->instance_count;
    c->limit_count = config->limit_count;
    c->neighbour_count = config->neighbour_count;
    c->self = config->self;
    c->rate = config->rate;
    c->burst = config->burst;
    c->sequence = (uint64_t)config->boot << 32;
    c->incarnation = c->sequence + 1;
    int err = build(c, config, now);
    if (err != 0) {
        svr_chart_destroy(c);
        return err;
    }
    svr__flood_settle(c);
    *out = c;
    return 0;
}

void svr_chart_destroy(svr_chart *c)
{
    if (!c)
        return;
    const svr_allocator alloc = c->alloc;
    const svr_topology *g = &c->graph;
    svr__free(&alloc, c->stale, c->routers ? c->routers[c->self].parts : 0,
              sizeof(*c->stale));
    svr__free(&alloc, c->text, c->text_len, 1);
    svr__free(&alloc, c->names, g->router_count, sizeof(*c->names));
    svr__free(&alloc, c->edges, g->edge_count, sizeof(*c->edges));
    svr__free(&alloc, c->instances, g->instance_count, sizeof(*c->instances));
    svr__free(&alloc, c->load_said, g->instance_count, sizeof(*c->load_said));
    svr__free(&alloc, c->routers, g->router_count, sizeof(*c->routers));
    svr__free(&alloc, c->by_id, g->router_count, sizeof(*c->by_id));
    svr__free(&alloc, c->out, g->edge_count, sizeof(*c->out));
    svr__free(&alloc, c->said, g->edge_count, sizeof(*c->said));
    svr__free(&alloc, c->service_ids, c->service_count,
              sizeof(*c->service_ids));
    svr__free(&alloc, c->services, g->instance_count, sizeof(*c->services));
    svr__free(&alloc, c->parts, c->part_count, sizeof(*c->parts));
    svr__free(&alloc, c->neighbours, c->neighbour_count,
              sizeof(*c->neighbours));
    svr__free(&alloc, c->flags, c->neighbour_count, c->part_count);
    svr__free(&alloc, c->limits, c->limit_count, sizeof(*c->limits));
    svr__free(&alloc, c->items, c->item_count, sizeof(*c->items));
    svr__free(&alloc, c, 1, sizeof(*c));
}
