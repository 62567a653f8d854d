#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "path_oracle.h"
#include "replay.h"
#include "support.h"
#include "topology_net.h"

enum {
    NETWORKS = 3000,
    FOUND = 8,
    ROUTERS = 24,
    LINKS = 40,
};

/* The same on every machine that has been tried. */
#define VECTORS_DIGEST 0xfb8a16ae86a574a8
#define CHARTS_DIGEST 0x0d84428af70d3d8f

static uint64_t add(uint64_t state, uint64_t value)
{
    uint8_t bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    return replay_digest(state, bytes, sizeof(bytes));
}

static void check(const char *what, unsigned long count, uint64_t is,
                  uint64_t wanted)
{
    printf("%lu %s, digest %016" PRIx64 "\n", count, what, is);
    if (is != wanted)
        replay_fail(what, count);
}

/* ---- which way is best ---- */

static uint32_t draw(void *source, uint32_t limit)
{
    return test_below(source, limit);
}

static uint64_t add_vector(uint64_t state, const svr_vector *v)
{
    for (uint32_t i = 0; i < v->hops; i++)
        state = add(state, v->edges[i]);
    state = add(state, v->latency_us);
    state = add(state, v->jitter_us);
    state = add(state, v->loss_ppm);
    state = add(state, v->mos);
    return add(state, v->room);
}

static uint64_t find(oracle_case *c, uint64_t state)
{
    size_t len = svr_path_scratch_size(&c->t, &c->q);
    void *scratch = malloc(len ? len : 1);
    svr_vector found[FOUND];

    if (!scratch)
        abort();
    ptrdiff_t count = svr_path_find(&c->t, &c->q, found, FOUND, NULL, scratch);
    state = add(state, (uint64_t)count);
    for (ptrdiff_t i = 0; i < count; i++)
        state = add_vector(state, &found[i]);
    free(scratch);
    return state;
}

static void run_vectors(void)
{
    uint64_t state = REPLAY_DIGEST;

    for (uint64_t seed = 1; seed <= NETWORKS; seed++) {
        uint64_t source = seed;
        oracle_case c;
        oracle_topology(&c, draw, &source);
        oracle_query(&c, draw, &source);
        const char *wrong = oracle_find(&c, NULL);
        if (wrong)
            replay_fail(wrong, (unsigned long)seed);
        state = find(&c, state);
    }
    check("networks", NETWORKS, state, VECTORS_DIGEST);
}

/* ---- what charts know ---- */

static void draw_links(uint32_t links[LINKS][2], uint64_t *seed)
{
    for (uint32_t i = 0; i < LINKS; i++) {
        uint32_t a = i + 1 < ROUTERS ? i + 1 : test_below(seed, ROUTERS);
        uint32_t b = i + 1 < ROUTERS ? i / 2 : (a + 1 + i) % ROUTERS;
        links[i][0] = a;
        links[i][1] = a == b ? (b + 1) % ROUTERS : b;
    }
}

/* With losses, outages and a restart, until all is quiet. */
static void run_charts(void)
{
    uint32_t links[LINKS][2];
    uint64_t seed = 3, state = REPLAY_DIGEST;
    net n;

    draw_links(links, &seed);
    net_init(&n, ROUTERS, links, LINKS, 4);
    n.seed = 5;
    n.loss = n.doubled = 50;
    n.jitter = 20;
    net_set_all(&n, true);
    for (int i = 0; i < 40; i++) {
        uint32_t link = test_below(&seed, LINKS);
        svr_chart_figures f = {.up = true, .measured = true};
        f.latency_us = test_below(&seed, 90000);
        f.loss_ppm = test_below(&seed, 30000);
        net_set(&n, link, i % 3 == 0);
        net_measure(&n, test_below(&seed, LINKS), 0, &f);
        net_run(&n, n.now + test_below(&seed, 2000) * SVR_MILLISECOND);
    }
    net_stop(&n, 7);
    net_start(&n, 7, 2);
    net_set_all(&n, true);
    if (!net_converge(&n, n.now + 60 * SVR_SECOND))
        replay_fail("what charts know", ROUTERS);
    const svr_topology *t = svr_chart_graph(n.routers[1].chart);
    for (size_t i = 0; i < t->edge_count; i++)
        state = add(add(state, t->edges[i].latency_us), t->edges[i].loss_ppm);
    state = add(add(state, n.sent), n.bytes);
    check("routers with charts", ROUTERS, state, CHARTS_DIGEST);
    net_fini(&n);
}

void replay_networks(void)
{
    run_vectors();
    run_charts();
}
