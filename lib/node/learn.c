/* How the network is doing beyond the own pathways: what peers say of it, and
 * what they are told (S14.3, S16.1). */
#include "node/node.h"

#include "base/memory.h"

enum {
    /* What surrounds a message in its packet, at most: headers, BFD, block,
     * tag. */
    AROUND = 400,
};

#define LOADS SVR_SECOND /* how often services are counted */

/* Messages to that peer get through. */
static bool is_reachable(const svr_node *n, uint16_t peer)
{
    return svr__learn_pathway(n, peer) != NULL;
}

const svr__pathway *svr__learn_pathway(const svr_node *n, uint16_t peer)
{
    for (size_t i = 0; i < n->pathway_count; i++) {
        const svr__pathway *pw = &n->pathways[i];
        if (pw->peer == peer && pw->up && pw->watch && !pw->plain)
            return pw;
    }
    return NULL;
}

/* One that has failed before is not good for others until its hold-down is
 * over. */
static bool is_told_up(const svr__pathway *pw, const svr_pathway_info *info)
{
    return pw->ready || (pw->up && info->flaps == 0);
}

static void report(svr_node *n, const svr__pathway *pw, svr_time now)
{
    svr_chart_figures f = {.up = pw->up};
    svr_pathway_info info;

    if (pw->watch) {
        svr_pathway_describe(pw->watch, &info, now);
        f.up = is_told_up(pw, &info);
        f.measured = info.measured;
        f.latency_us = info.quality.latency_us;
        f.jitter_us = info.quality.jitter_us;
        f.loss_ppm = info.quality.loss_ppm;
    }
    svr_chart_report(n->chart, (uint32_t)(pw - n->pathways), &f, now);
    svr_chart_neighbour(n->chart, pw->peer, is_reachable(n, pw->peer), now);
}

void svr__learn_follow(svr_node *n, const svr__pathway *pw, svr_time now)
{
    if (n->chart)
        report(n, pw, now);
}

/* What a chart is made of, until it is. */
struct draft {
    svr_topology network;
    svr_path_edge *edges;
    svr_path_instance *instances;
    const char **routers, **services;
    uint32_t *neighbours;
};

static bool draft_alloc(const svr_node *n, const svr_node_config *c,
                        struct draft *d)
{
    const svr_allocator *a = &n->alloc;

    d->network = (svr_topology){
        .router_count = n->routers.count,
        .edge_count = c->pathway_count + c->link_count,
        .instance_count = c->instance_count,
    };
    d->edges = svr__alloc(a, d->network.edge_count, sizeof(*d->edges));
    d->instances = svr__alloc(a, c->instance_count, sizeof(*d->instances));
    d->routers = svr__alloc(a, n->routers.count, sizeof(*d->routers));
    d->services = svr__alloc(a, n->service_count, sizeof(*d->services));
    d->neighbours = svr__alloc(a, n->peer_count, sizeof(*d->neighbours));
    d->network.edges = d->edges;
    d->network.instances = d->instances;
    d->network.routers = d->routers;
    return d->edges && d->instances && d->routers && d->services &&
           d->neighbours;
}

static void draft_free(const svr_node *n, struct draft *d)
{
    const svr_allocator *a = &n->alloc;

    svr__free(a, d->neighbours, n->peer_count, sizeof(*d->neighbours));
    svr__free(a, d->services, n->service_count, sizeof(*d->services));
    svr__free(a, d->routers, n->routers.count, sizeof(*d->routers));
    svr__free(a, d->instances, d->network.instance_count,
              sizeof(*d->instances));
    svr__free(a, d->edges, d->network.edge_count, sizeof(*d->edges));
}

/* In the order that svr__choices has, too. */
static void draft_edges(const svr_node *n, const svr_node_config *c,
                        struct draft *d)
{
    svr_path_edge *e = d->edges;

    for (size_t i = 0; i < c->pathway_count; i++)
        *e++ = (svr_path_edge){.name = n->pathways[i].name,
                               .from = n->self,
                               .to = n->peers[c->pathways[i].peer].router,
                               .link = c->pathways[i].link,
                               .cost = c->pathways[i].cost,
                               .capacity = UINT32_MAX,
                               .vector = c->pathways[i].vector};
    for (size_t i = 0; i < c->link_count; i++)
        *e++ = (svr_path_edge){.name = c->links[i].name,
                               .from = c->links[i].from,
                               .to = c->links[i].to,
                               .link = c->links[i].link,
                               .cost = c->links[i].cost,
                               .capacity = UINT32_MAX,
                               .vector = c->links[i].vector};
}

static void draft_names(const svr_node *n, const svr_node_config *c,
                        struct draft *d)
{
    for (size_t i = 0; i < n->routers.count; i++)
        d->routers[i] = svr__names_at(&n->routers, (int)i);
    for (size_t i = 0; i < n->service_count; i++)
        d->services[i] = svr_policy_service_name(n->policy, (int)i);
    for (size_t i = 0; i < n->peer_count; i++)
        d->neighbours[i] = n->peers[i].router;
    for (size_t i = 0; i < c->instance_count; i++)
        d->instances[i] =
            (svr_path_instance){.service = c->instances[i].service,
                                .router = c->instances[i].router,
                                .capacity = UINT32_MAX};
}

static int make_chart(svr_node *n, const struct draft *d, svr_time now)
{
    svr_chart_config config;

    svr_chart_config_init(&config);
    config.network = &d->network;
    config.services = d->services;
    config.service_count = n->service_count;
    config.self = n->self;
    config.neighbours = d->neighbours;
    config.neighbour_count = n->peer_count;
    config.boot = n->boot;
    config.alloc = n->alloc;
    return svr_chart_create(&n->chart, &config, now);
}

int svr__learn_init(svr_node *n, const svr_node_config *c, svr_time now)
{
    struct draft d = {0};
    int err = SVR_ERR_NO_MEMORY;

    if (!c->learn)
        return 0;
    if (draft_alloc(n, c, &d)) {
        draft_edges(n, c, &d);
        draft_names(n, c, &d);
        err = make_chart(n, &d, now);
    }
    draft_free(n, &d);
    for (size_t i = 0; err == 0 && i < n->pathway_count; i++)
        report(n, &n->pathways[i], now);
    n->learn_due = now + LOADS;
    return err;
}

void svr__learn_free(svr_node *n)
{
    svr_chart_destroy(n->chart);
}

void svr__learn_carry(const svr_node *from, svr_node *to, svr_time now)
{
    if (!from->chart || !to->chart)
        return;
    svr_chart_adopt(to->chart, from->chart, now);
    for (size_t i = 0; i < to->pathway_count; i++)
        report(to, &to->pathways[i], now);
}

/* What was heard matters to those who choose ways. */
static void tell_choices(svr_node *n, uint64_t version, uint64_t states,
                         svr_time now)
{
    if (svr_chart_states(n->chart) != states)
        svr__choices_state(n);
    if (svr_chart_version(n->chart) != version)
        svr__choices_figures(n, now);
}

void svr__learn_heard(svr_node *n, uint16_t peer, svr_span message,
                      svr_time now)
{
    if (!n->chart)
        return;
    uint64_t version = svr_chart_version(n->chart);
    uint64_t states = svr_chart_states(n->chart);
    /* One that is refused is counted there. */
    if (svr_chart_receive(n->chart, peer, message, now) != 0)
        return;
    tell_choices(n, version, states, now);
    svr__learn_run(n, now);
}

/* Sessions go both ways. */
static void take_worse(svr_path_edge *out, const svr_chart_figures *f)
{
    if (f->measured && f->loss_ppm > out->loss_ppm)
        out->loss_ppm = f->loss_ppm;
    if (f->measured && f->jitter_us > out->jitter_us)
        out->jitter_us = f->jitter_us;
}

void svr__learn_back(const svr_node *n, uint32_t edge, svr_path_edge *out)
{
    svr_chart_figures f;

    if (n->chart &&
        svr_chart_figures_of(n->chart, svr_chart_other(n->chart, edge), &f))
        take_worse(out, &f);
}

void svr__learn_edge(const svr_node *n, uint32_t edge, svr_path_edge *out)
{
    svr_chart_figures f = {0}, other = {0};
    uint32_t number;

    if (!n->chart)
        return;
    number = svr_chart_other(n->chart, edge);
    bool said = svr_chart_figures_of(n->chart, edge, &f);
    bool back = svr_chart_figures_of(n->chart, number, &other);
    out->up = (!said || f.up) && (!back || other.up);
    if ((!said || !f.measured) && back)
        f = other;
    if ((!said && !back) || !f.measured)
        f = (svr_chart_figures){0};
    out->latency_us = f.latency_us;
    out->jitter_us = f.jitter_us;
    out->loss_ppm = f.loss_ppm;
    if (back)
        take_worse(out, &other);
}

uint32_t svr__learn_load(const svr_node *n, uint32_t instance)
{
    const svr_topology *t = n->chart ? svr_chart_graph(n->chart) : NULL;

    return t && instance < t->instance_count ? t->instances[instance].load : 0;
}

svr_time svr__learn_due(const svr_node *n)
{
    if (!n->chart)
        return SVR_NEVER;
    svr_time due = svr_chart_due(n->chart);
    return n->learn_due < due ? n->learn_due : due;
}

static void count_loads(svr_node *n, svr_time now)
{
    if (now < n->learn_due)
        return;
    n->learn_due = now + LOADS;
    for (uint32_t i = 0; i < n->service_count; i++)
        svr_chart_load(n->chart, i, n->leaving[i], now);
}

/* False: there is no more to say, or no room to say it. */
static bool speak(svr_node *n, size_t peer, const svr__pathway *pw,
                  svr_time now)
{
    uint8_t buf[SVR_CHART_MESSAGE];
    svr_pathway_message m;
    size_t cap = sizeof(buf);

    if (pw->mtu < AROUND + cap)
        cap = pw->mtu < AROUND + SVR_CHART_MESSAGE_LEAST
                  ? SVR_CHART_MESSAGE_LEAST
                  : (size_t)pw->mtu - AROUND;
    if (n->outbox.count == SVR__OUTBOX)
        return false;
    size_t len = svr_chart_send(n->chart, peer, buf, cap, now);
    if (len == 0 || !svr_pathway_speak(pw->watch, &m))
        return false;
    m.block.present |= SVR_BFD_HAS(TOPOLOGY);
    m.block.topology = (svr_span){buf, len};
    svr__watch_post(n, pw, &m, now);
    return true;
}

void svr__learn_run(svr_node *n, svr_time now)
{
    if (!n->chart || now < svr__learn_due(n))
        return;
    count_loads(n, now);
    svr_chart_handle(n->chart, now);
    for (size_t i = 0; i < n->peer_count; i++) {
        if (svr_chart_neighbour_due(n->chart, i) > now)
            continue;
        const svr__pathway *pw = svr__learn_pathway(n, (uint16_t)i);
        while (pw && speak(n, i, pw, now))
            ;
    }
}

const svr_chart *svr_node_chart(const svr_node *n)
{
    return n->chart;
}
