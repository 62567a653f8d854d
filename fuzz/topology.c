/*
 * Five routers tell each other of their network while the script decides which
 * links are up, what is measured, which messages are lost, overtaken, doubled,
 * changed or made up, who restarts or gets another configuration, and how time
 * passes.
 *
 * What the charts count of parts is always what there is, and every router has
 * always said what is due. In the end, on a kind network, when all that was
 * made up has died of age, all routers know how things are.
 */
#include "fuzz.h"
#include "script.h"

#include "../tests/topology_net.h"

#include "topology/chart.h"

enum {
    ROUTERS = 5,
    STEPS = 100,
};

/* A ring of four with a chord, one router behind it, one pathway twice. */
static const uint32_t links[][2] = {{0, 1}, {1, 2}, {2, 3}, {3, 0},
                                    {0, 2}, {3, 4}, {0, 1}};

enum {
    LINKS = sizeof(links) / sizeof(links[0]),
};

static void check_neighbour(const svr_chart *c, const svr__neighbour *nb)
{
    uint32_t lacking = 0, waiting = 0;

    for (uint32_t i = 0; i < c->part_count; i++) {
        uint8_t flags = nb->flags[i];
        lacking += flags == SVR__LACKING;
        waiting += flags == SVR__SENT || flags == SVR__SENT_LATE;
        check(flags == 0 || c->parts[i].alive);
    }
    check(lacking == nb->lacking && waiting == nb->waiting);
    check(nb->seen_count <= SVR__SEEN_MAX);
}

static void check_charts(const net *n)
{
    for (uint32_t r = 0; r < ROUTERS; r++) {
        const svr_chart *c = n->routers[r].chart;
        for (size_t i = 0; c && i < c->neighbour_count; i++)
            check_neighbour(c, &c->neighbours[i]);
        for (uint32_t e = 0; c && e < 2 * LINKS; e++) {
            svr_chart_figures f = {0}, back = {0};
            svr_chart_figures_of(c, e, &f);
            svr_chart_figures_of(c, e ^ 1, &back);
            check(c->edges[e].up == (f.up && back.up));
        }
    }
}

/* Bytes of the script, or of a part, behind a head that the receiver takes. */
static void forge(net *n, struct script *s, uint32_t from, uint32_t to)
{
    uint8_t bytes[SVR_CHART_MESSAGE];
    svr__wr wr = svr__wr_over(bytes, sizeof(bytes));
    const svr_chart *c = n->routers[from].chart;
    size_t len;

    if (!c)
        return;
    svr__topology_put_head(
        &wr, &(svr__topology_head){c->incarnation, 0, take(s) & 1});
    if (take(s) % 2) {
        uint64_t sequence = (uint64_t)take(s) << (take(s) % 57);
        svr__topology_put(
            &wr, &(svr__topology_item){
                     .kind = SVR__TOPOLOGY_PART,
                     .origin = c->routers[take(s) % ROUTERS].id,
                     .number = take(s) % 4,
                     .sequence = sequence ? sequence : 1,
                     .age = (uint16_t)(take(s) << 4),
                     .body = {s->data, s->len < 46 ? s->len / 23 * 23 : 46}});
    }
    len = take(s);
    len = len < s->len ? len : s->len;
    len = len < sizeof(bytes) - wr.len ? len : sizeof(bytes) - wr.len;
    svr__wr_bytes(&wr, s->data, len);
    s->data += len;
    s->len -= len;
    net_inject(n, from, to, bytes, wr.len);
}

static void reload(net *n, uint32_t router)
{
    svr_chart *old = n->routers[router].chart, *c;
    svr_chart_config config = net_config(n, router);

    if (!old)
        return;
    check(svr_chart_create(&c, &config, n->now) == 0);
    svr_chart_adopt(c, old, n->now);
    svr_chart_destroy(old);
    n->routers[router].chart = c;
}

static void restart(net *n, uint32_t router)
{
    uint32_t boot = n->routers[router].boot + 1;

    if (n->routers[router].chart)
        net_stop(n, router);
    else
        net_start(n, router, boot);
}

static void step(net *n, struct script *s)
{
    uint8_t what = take(s), which = take(s);
    uint32_t link = which % LINKS;

    switch (what % 8) {
    case 0:
        net_set(n, link, which & 0x80);
        break;
    case 1:
        net_measure(n, link, which >> 7,
                    &(svr_chart_figures){
                        .measured = what & 8,
                        .latency_us = (uint32_t)take(s) << take(s) % 16,
                        .jitter_us = (uint32_t)take(s) << take(s) % 16,
                        .loss_ppm = (uint32_t)take(s) << take(s) % 16});
        break;
    case 2:
        n->loss = what & 8 ? which * 4u : 0;
        n->doubled = what & 16 ? which : 0;
        n->jitter = what & 32 ? which : 1;
        break;
    case 3:
        forge(n, s, links[link][which >> 7], links[link][!(which >> 7)]);
        break;
    case 4:
        restart(n, which % ROUTERS);
        break;
    case 5:
        reload(n, which % ROUTERS);
        break;
    case 6:
        if (n->routers[which % ROUTERS].chart)
            svr_chart_load(n->routers[which % ROUTERS].chart, what / 64,
                           take(s), n->now);
        break;
    default:
        net_run(n, n->now + ((svr_time)which << 20 << what / 32));
    }
}

/* Small changes are not told: all begin anew. */
static void measure_anew(net *n)
{
    static const svr_chart_figures unknown = {0};

    for (uint32_t i = 0; i < 2 * LINKS; i++)
        net_measure(n, i / 2, i % 2, &unknown);
    net_run(n, n->now + 60 * SVR_SECOND);
    for (uint32_t i = 0; i < 2 * LINKS; i++)
        net_measure(
            n, i / 2, i % 2,
            &(svr_chart_figures){.measured = true, .latency_us = 1000 * i + 1});
}

void fuzz_one(const uint8_t *data, size_t len)
{
    struct script s = {data, len};
    net n;

    net_init(&n, ROUTERS, links, LINKS, 3);
    net_set_all(&n, true);
    net_run(&n, n.now + SVR_SECOND);
    for (unsigned i = 0; s.len > 0 && i < STEPS; i++) {
        step(&n, &s);
        check_charts(&n);
    }
    n.loss = n.doubled = n.jitter = 0;
    for (uint32_t i = 0; i < ROUTERS; i++)
        if (!n.routers[i].chart)
            restart(&n, i);
    net_set_all(&n, true);
    measure_anew(&n);
    net_run(&n, n.now + SVR_CHART_MAX_AGE + SVR_CHART_REFRESH);
    check_charts(&n);
    check(net_converge(&n, n.now + SVR_CHART_REFRESH));
    net_fini(&n);
}
