#include "topology_net.h"

#include <stdio.h>

static void need(bool holds)
{
    if (!holds)
        abort();
}

static void *array(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);

    need(p != NULL);
    return p;
}

/* ---- the authority ---- */

static size_t place_of(const net_router *r, uint32_t other)
{
    size_t i = 0;

    while (i < r->neighbour_count && r->neighbours[i] != other)
        i++;
    return i;
}

static void add_neighbour(net *n, uint32_t router, uint32_t other)
{
    net_router *r = &n->routers[router];
    size_t size = (r->neighbour_count + 1) * sizeof(uint32_t);

    if (place_of(r, other) < r->neighbour_count)
        return;
    r->neighbours = realloc(r->neighbours, size);
    r->up = realloc(r->up, size);
    need(r->neighbours && r->up);
    r->up[r->neighbour_count] = 0;
    r->neighbours[r->neighbour_count++] = other;
}

static void add_link(net *n, size_t i, const uint32_t ends[2])
{
    n->links[i].end[0] = ends[0];
    n->links[i].end[1] = ends[1];
    for (unsigned end = 0; end < 2; end++) {
        size_t edge = 2 * i + end;
        snprintf(n->edge_names[edge], sizeof(n->edge_names[edge]), "p%zu",
                 edge);
        n->edges[edge] = (svr_path_edge){
            .name = n->edge_names[edge],
            .from = ends[end],
            .to = ends[!end],
            .link = (uint32_t)(2 * i),
            .capacity = UINT32_MAX,
        };
        n->links[i].figures[end] = (svr_chart_figures){
            .measured = true,
            .latency_us = 1000 * (uint32_t)(edge % 97 + 1),
        };
        add_neighbour(n, ends[end], ends[!end]);
    }
}

void net_init(net *n, size_t routers, const uint32_t (*links)[2],
              size_t link_count, size_t services)
{
    *n = (net){.now = SVR_SECOND, .delay = 10 * SVR_MILLISECOND};
    n->names = array(routers, sizeof(*n->names));
    n->router_names = array(routers, sizeof(*n->router_names));
    n->routers = array(routers, sizeof(*n->routers));
    n->instances = array(routers, sizeof(*n->instances));
    n->edge_names = array(2 * link_count, sizeof(*n->edge_names));
    n->edges = array(2 * link_count, sizeof(*n->edges));
    n->links = array(link_count, sizeof(*n->links));
    n->link_count = link_count;
    for (size_t i = 0; i < routers; i++) {
        snprintf(n->names[i], sizeof(n->names[i]), "r%zu", i);
        n->router_names[i] = n->names[i];
        if (services > 0)
            n->instances[i] = (svr_path_instance){
                .service = (uint32_t)(i % services), .router = (uint32_t)i};
    }
    for (size_t i = 0; i < link_count; i++)
        add_link(n, i, links[i]);
    n->authority = (svr_topology){
        .routers = n->router_names,
        .router_count = routers,
        .edges = n->edges,
        .edge_count = 2 * link_count,
        .instances = n->instances,
        .instance_count = services > 0 ? routers : 0,
    };
    for (uint32_t i = 0; i < routers; i++)
        net_start(n, i, 1);
}

void net_clear(net *n)
{
    while (n->waiting > 0)
        free(n->heap[--n->waiting]);
}

void net_fini(net *n)
{
    for (uint32_t i = 0; i < n->authority.router_count; i++) {
        net_stop(n, i);
        free(n->routers[i].neighbours);
        free(n->routers[i].up);
    }
    net_clear(n);
    free(n->heap);
    free(n->names);
    free((void *)n->router_names);
    free(n->routers);
    free(n->instances);
    free(n->edge_names);
    free(n->edges);
    free(n->links);
    need(test_memory_clean(&n->memory));
}

svr_chart_config net_config(const net *n, uint32_t router)
{
    static const char *const services[] = {"web", "voice", "mail", "files"};
    svr_chart_config c;

    svr_chart_config_init(&c);
    c.network = &n->authority;
    c.services = services;
    c.service_count = sizeof(services) / sizeof(services[0]);
    c.self = router;
    c.neighbours = n->routers[router].neighbours;
    c.neighbour_count = n->routers[router].neighbour_count;
    c.boot = n->routers[router].boot;
    if (n->rate != 0)
        c.rate = n->rate;
    if (n->burst != 0)
        c.burst = n->burst;
    c.alloc = test_allocator((test_memory *)&n->memory);
    return c;
}

size_t net_neighbour(const net *n, uint32_t router, uint32_t other)
{
    size_t i = place_of(&n->routers[router], other);

    need(i < n->routers[router].neighbour_count);
    return i;
}

const svr_path_edge *net_edge(const net *n, uint32_t router, uint32_t edge)
{
    return &svr_chart_graph(n->routers[router].chart)->edges[edge];
}

/* ---- links ---- */

static bool passes(const net *n, uint32_t a, uint32_t b)
{
    return n->routers[a].up[net_neighbour(n, a, b)] > 0 &&
           n->routers[a].chart && n->routers[b].chart;
}

/* Before anybody is told. */
static void set_link(net *n, uint32_t link, bool up)
{
    net_link *l = &n->links[link];
    uint32_t change = (uint32_t)up - (uint32_t)l->up;

    l->up = up;
    for (unsigned end = 0; end < 2; end++)
        n->routers[l->end[end]]
            .up[net_neighbour(n, l->end[end], l->end[!end])] += change;
}

static void tell_end(net *n, uint32_t link, unsigned end)
{
    const net_link *l = &n->links[link];
    net_router *r = &n->routers[l->end[end]];
    svr_chart_figures f = l->figures[end];

    if (!r->chart)
        return;
    f.up = l->up && n->routers[l->end[!end]].chart;
    svr_chart_report(r->chart, 2 * link + end, &f, n->now);
    svr_chart_neighbour(r->chart, net_neighbour(n, l->end[end], l->end[!end]),
                        passes(n, l->end[0], l->end[1]), n->now);
}

static void tell_router(net *n, uint32_t router)
{
    for (uint32_t i = 0; i < n->link_count; i++) {
        if (n->links[i].end[0] != router && n->links[i].end[1] != router)
            continue;
        tell_end(n, i, 0);
        tell_end(n, i, 1);
    }
}

void net_set(net *n, uint32_t link, bool up)
{
    set_link(n, link, up);
    tell_end(n, link, 0);
    tell_end(n, link, 1);
}

void net_set_all(net *n, bool up)
{
    for (uint32_t i = 0; i < n->link_count; i++)
        set_link(n, i, up);
    for (uint32_t i = 0; i < n->link_count; i++)
        net_set(n, i, up);
}

void net_measure(net *n, uint32_t link, unsigned end,
                 const svr_chart_figures *f)
{
    n->links[link].figures[end] = *f;
    tell_end(n, link, end);
}

void net_start(net *n, uint32_t router, uint32_t boot)
{
    n->routers[router].boot = boot;
    svr_chart_config c = net_config(n, router);
    need(svr_chart_create(&n->routers[router].chart, &c, n->now) == 0);
    tell_router(n, router);
}

void net_stop(net *n, uint32_t router)
{
    svr_chart_destroy(n->routers[router].chart);
    n->routers[router].chart = NULL;
    tell_router(n, router);
}

/* ---- messages ---- */

static bool is_before(const net_message *a, const net_message *b)
{
    return a->at != b->at ? a->at < b->at : a->serial < b->serial;
}

static void push(net *n, net_message *m)
{
    if (n->waiting == n->room) {
        n->room = n->room ? 2 * n->room : 64;
        n->heap = realloc(n->heap, n->room * sizeof(*n->heap));
        need(n->heap != NULL);
    }
    size_t i = n->waiting++;
    for (; i > 0 && is_before(m, n->heap[(i - 1) / 2]); i = (i - 1) / 2)
        n->heap[i] = n->heap[(i - 1) / 2];
    n->heap[i] = m;
}

static net_message *pop(net *n)
{
    net_message *first = n->heap[0];
    net_message *last = n->heap[--n->waiting];
    size_t i = 0;

    for (size_t child; (child = 2 * i + 1) < n->waiting; i = child) {
        if (child + 1 < n->waiting &&
            is_before(n->heap[child + 1], n->heap[child]))
            child++;
        if (!is_before(n->heap[child], last))
            break;
        n->heap[i] = n->heap[child];
    }
    n->heap[i] = last;
    return first;
}

static void post(net *n, uint32_t from, uint32_t to, const uint8_t *bytes,
                 size_t len)
{
    net_message *m = array(1, sizeof(*m));

    *m = (net_message){.at = n->now + n->delay,
                       .serial = ++n->serial,
                       .from = from,
                       .to = to,
                       .len = (uint16_t)len};
    if (n->jitter > 0)
        m->at += test_below(&n->seed, n->jitter) * SVR_MILLISECOND;
    memcpy(m->bytes, bytes, len);
    push(n, m);
}

static void send_one(net *n, uint32_t from, uint32_t to, const uint8_t *bytes,
                     size_t len)
{
    n->sent++;
    n->bytes += len;
    if (!passes(n, from, to) || test_below(&n->seed, 1000) < n->loss ||
        n->sent == n->lose) {
        n->lost++;
        return;
    }
    post(n, from, to, bytes, len);
    if (test_below(&n->seed, 1000) < n->doubled)
        post(n, from, to, bytes, len);
}

static void serve(net *n, uint32_t router)
{
    net_router *r = &n->routers[router];
    uint8_t buf[SVR_CHART_MESSAGE];
    size_t len;

    if (!r->chart || svr_chart_due(r->chart) > n->now)
        return;
    svr_chart_handle(r->chart, n->now);
    for (size_t i = 0; i < r->neighbour_count; i++)
        while ((len = svr_chart_send(r->chart, i, buf, sizeof(buf), n->now)))
            send_one(n, router, r->neighbours[i], buf, len);
    need(svr_chart_due(r->chart) > n->now);
}

static void deliver(net *n)
{
    net_message *m = pop(n);
    svr_chart *chart = n->routers[m->to].chart;

    if (passes(n, m->from, m->to)) {
        int err = svr_chart_receive(chart, net_neighbour(n, m->to, m->from),
                                    (svr_span){m->bytes, m->len}, n->now);
        need(err == 0 || err == SVR_ERR_REPLAY);
        serve(n, m->to);
    }
    free(m);
}

void net_inject(net *n, uint32_t from, uint32_t to, const uint8_t *bytes,
                size_t len)
{
    svr_chart *chart = n->routers[to].chart;

    if (chart && svr_chart_receive(chart, net_neighbour(n, to, from),
                                   (svr_span){bytes, len}, n->now) == 0)
        serve(n, to);
}

static svr_time next_time(const net *n)
{
    svr_time next = n->waiting > 0 ? n->heap[0]->at : SVR_NEVER;

    for (size_t i = 0; i < n->authority.router_count; i++) {
        const svr_chart *c = n->routers[i].chart;
        if (c && svr_chart_due(c) < next)
            next = svr_chart_due(c);
    }
    return next;
}

/* False: there is nothing up to that time. */
static bool step(net *n, svr_time until)
{
    svr_time next = next_time(n);

    if (next > until)
        return false;
    if (next > n->now)
        n->now = next;
    while (n->waiting > 0 && n->heap[0]->at <= n->now)
        deliver(n);
    for (uint32_t i = 0; i < n->authority.router_count; i++)
        serve(n, i);
    return true;
}

void net_run(net *n, svr_time until)
{
    while (step(n, until))
        ;
    n->now = until;
}

bool net_converge(net *n, svr_time until)
{
    const svr_time often = 5 * SVR_MILLISECOND;

    while (!net_same(n)) {
        if (n->now >= until)
            return false;
        net_run(n, n->now + often);
    }
    return true;
}

/* ---- what is known ---- */

bool net_alike(const svr_chart *a, const svr_chart *b)
{
    const svr_topology *x = svr_chart_graph(a), *y = svr_chart_graph(b);

    for (size_t i = 0; i < x->edge_count; i++) {
        const svr_path_edge *e = &x->edges[i], *f = &y->edges[i];
        if (e->up != f->up || e->latency_us != f->latency_us ||
            e->jitter_us != f->jitter_us || e->loss_ppm != f->loss_ppm)
            return false;
    }
    for (size_t i = 0; i < x->instance_count; i++)
        if (x->instances[i].load != y->instances[i].load)
            return false;
    return true;
}

bool net_same(const net *n)
{
    const svr_chart *first = NULL;

    for (uint32_t i = 0; i < n->authority.router_count; i++) {
        const svr_chart *c = n->routers[i].chart;
        if (!c)
            continue;
        if (!first) {
            first = c;
            if (!net_true(n, i))
                return false;
        } else if (!net_alike(first, c)) {
            return false;
        }
    }
    return true;
}

bool net_true(const net *n, uint32_t router)
{
    for (uint32_t i = 0; i < 2 * n->link_count; i++) {
        const net_link *l = &n->links[i / 2];
        const svr_path_edge *e = net_edge(n, router, i);
        if (e->up != passes(n, l->end[0], l->end[1]))
            return false;
        if (e->up && e->latency_us != l->figures[i % 2].latency_us)
            return false;
    }
    return true;
}
