/* What routers tell each other of the network: what goes wrong first. */
#include <criterion/criterion.h>

#include "topology/chart.h"
#include "topology_net.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MS SVR_MILLISECOND
#define S SVR_SECOND

static const uint32_t line[][2] = {{0, 1}, {1, 2}};
static const uint32_t ring[][2] = {{0, 1}, {1, 2}, {2, 3}, {3, 0}};

static void run_for(net *n, svr_time t)
{
    net_run(n, n->now + t);
}

/* ---- bytes ---- */

enum {
    MAX = 400,
};

/* A message of one part with both kinds of entries, and one seen part. */
static size_t sample(uint8_t *buf)
{
    uint8_t body[64];
    svr__wr entries = svr__wr_over(body, sizeof(body));
    svr__wr wr = svr__wr_over(buf, MAX);

    svr__topology_put_entry(&entries,
                            &(svr__topology_entry){.kind = 1,
                                                   .id = 7,
                                                   .up = true,
                                                   .measured = true,
                                                   .latency_us = 5,
                                                   .jitter_us = 6,
                                                   .loss_ppm = 1000000});
    svr__topology_put_entry(
        &entries, &(svr__topology_entry){.kind = 2, .id = 8, .load = 9});
    svr__topology_put_head(&wr, &(svr__topology_head){3, 4, true});
    svr__topology_put(&wr, &(svr__topology_item){.kind = 1,
                                                 .origin = 1,
                                                 .number = 2,
                                                 .sequence = 3,
                                                 .age = 4,
                                                 .body = {body, entries.len}});
    svr__topology_put(&wr,
                      &(svr__topology_item){
                          .kind = 2, .origin = 5, .number = 6, .sequence = 7});
    return wr.len;
}

/* From where each byte is written to what is wrong then. */
Test(topology, bytes_that_are_refused)
{
    static const struct {
        size_t at;
        uint8_t value;
        int want;
    } rows[] = {
        {0, 2, SVR_ERR_VERSION},
        {9, 0, SVR_ERR_VALUE},        /* incarnation 0 */
        {20, 19, SVR_ERR_LENGTH},     /* a part shorter than its fields */
        {20, 255, SVR_ERR_TRUNCATED}, /* longer than the message */
        {19, 1, SVR_ERR_TRUNCATED},
        {38, 0, SVR_ERR_VALUE},   /* sequence 0 */
        {31, 255, 0},             /* high, but not the end */
        {42, 20, SVR_ERR_LENGTH}, /* a pathway shorter than it is */
        {42, 255, SVR_ERR_TRUNCATED},
        {60, 0x20, SVR_ERR_VALUE}, /* more than all is lost */
        {41, 99, 0},               /* an entry of another kind */
        {18, 99, 0},               /* an item of another kind */
    };
    uint8_t buf[MAX];
    svr__topology_head head;
    svr__rd rd;

    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = sample(buf);
        buf[rows[i].at] = rows[i].value;
        int err = svr__topology_open(&head, &rd, (svr_span){buf, len});
        cr_expect_eq(err, rows[i].want, "row %zu: %s", i, svr_strerror(err));
    }
}

Test(topology, what_is_written_is_read)
{
    uint8_t buf[MAX];
    svr__topology_head head;
    svr__topology_item item;
    svr__topology_entry e;
    svr__rd rd, body;
    size_t len = sample(buf);

    cr_assert_eq(svr__topology_open(&head, &rd, (svr_span){buf, len}), 0);
    cr_expect(head.own == 3 && head.peer == 4 && head.unheard);
    cr_assert(svr__topology_next(&rd, &item));
    cr_expect(item.kind == 1 && item.origin == 1 && item.number == 2 &&
              item.sequence == 3 && item.age == 4);
    body = svr__rd_over(item.body.data, item.body.len);
    cr_assert(svr__topology_next_entry(&body, &e));
    cr_expect(e.id == 7 && e.up && e.measured && e.latency_us == 5 &&
              e.jitter_us == 6 && e.loss_ppm == 1000000);
    cr_assert(svr__topology_next_entry(&body, &e));
    cr_expect(e.id == 8 && e.load == 9);
    cr_assert_not(svr__topology_next_entry(&body, &e));
    cr_assert(svr__topology_next(&rd, &item));
    cr_expect(item.kind == 2 && item.origin == 5 && item.number == 6 &&
              item.sequence == 7);
    cr_assert_not(svr__topology_next(&rd, &item));
}

/* Cut anywhere but between two items, it is refused. */
Test(topology, messages_that_are_cut)
{
    uint8_t buf[MAX];
    svr__topology_head head;
    svr__rd rd;
    size_t len = sample(buf), seen = len - SVR__TOPOLOGY_SEEN_ITEM;

    for (size_t i = 0; i <= len; i++) {
        uint8_t *exact = malloc(i ? i : 1);
        memcpy(exact, buf, i);
        int err = svr__topology_open(&head, &rd, (svr_span){exact, i});
        if (i == SVR__TOPOLOGY_HEAD || i == seen || i == len)
            cr_expect_eq(err, 0, "%zu", i);
        else
            cr_expect_eq(err, SVR_ERR_TRUNCATED, "%zu: %d", i, err);
        free(exact);
    }
}

/* ---- creation ---- */

Test(topology, configurations_that_are_refused)
{
    static const uint32_t self = 0, far = 9;
    net n;
    svr_chart *c;

    net_init(&n, 3, line, COUNT(line), 2);
    svr_chart_config good = net_config(&n, 0), bad[7];
    for (size_t i = 0; i < COUNT(bad); i++)
        bad[i] = good;
    bad[0].self = 3;
    bad[1].network = NULL;
    bad[2].neighbours = &self;
    bad[3].neighbours = &far;
    bad[4].rate = 0;
    bad[5].burst = 1000;
    bad[6].service_count = 1;
    for (size_t i = 0; i < COUNT(bad); i++)
        cr_expect_eq(svr_chart_create(&c, &bad[i], 0), SVR_ERR_ARGUMENT, "%zu",
                     i);
    n.edges[2].link = 0; /* a third direction of the first link */
    cr_expect_eq(svr_chart_create(&c, &good, 0), SVR_ERR_ARGUMENT);
    n.edges[2].link = 2;
    n.edges[1].name = n.edges[2].name; /* both of router 1 */
    cr_expect_eq(svr_chart_create(&c, &good, 0), SVR_ERR_EXISTS);
    n.edges[1].name = n.edge_names[1];
    n.router_names[2] = n.router_names[1];
    cr_expect_eq(svr_chart_create(&c, &good, 0), SVR_ERR_EXISTS);
    net_fini(&n);
}

/* One thing about the network is wrong. */
Test(topology, networks_that_are_refused)
{
    net n;
    svr_chart *c;

    net_init(&n, 3, line, COUNT(line), 2);
    const svr_chart_config good = net_config(&n, 0);
    const char *no_services[2] = {"a", NULL};
    svr_chart_config nameless = good;
    nameless.services = no_services;
    cr_expect_eq(svr_chart_create(&c, &nameless, 0), SVR_ERR_ARGUMENT);
    const svr_path_edge edge = n.edges[2];
    const svr_path_edge wrong[] = {
        {NULL, edge.from, edge.to, .link = edge.link},
        {edge.name, 3, edge.to, .link = edge.link},
        {edge.name, edge.from, 3, .link = edge.link},
        {edge.name, edge.from, edge.from, .link = edge.link},
        {edge.name, edge.from, edge.to, .link = 4},
        {edge.name, edge.to, edge.from, .link = edge.link},
        {edge.name, edge.from, 0, .link = edge.link},
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        n.edges[2] = wrong[i];
        cr_expect_eq(svr_chart_create(&c, &good, 0), SVR_ERR_ARGUMENT, "%zu",
                     i);
    }
    n.edges[2] = edge;
    n.instances[1].router = 3;
    cr_expect_eq(svr_chart_create(&c, &good, 0), SVR_ERR_ARGUMENT);
    n.instances[1].router = 1;
    n.router_names[1] = NULL;
    cr_expect_eq(svr_chart_create(&c, &good, 0), SVR_ERR_ARGUMENT);
    n.router_names[1] = n.names[1];
    cr_assert_eq(svr_chart_create(&c, &good, 0), 0);
    svr_chart_destroy(c);
    net_fini(&n);
}

Test(topology, memory_that_is_refused)
{
    net n;
    svr_chart *c = NULL;
    test_memory m = {0};
    int err = SVR_ERR_NO_MEMORY;

    net_init(&n, 3, line, COUNT(line), 2);
    svr_chart_config config = net_config(&n, 1);
    config.alloc = test_allocator(&m);
    for (size_t at = 1; err == SVR_ERR_NO_MEMORY; at++) {
        m.calls = 0;
        m.fail_at = at;
        err = svr_chart_create(&c, &config, 0);
        if (err != 0)
            cr_assert(test_memory_clean(&m), "%zu", at);
    }
    cr_expect_eq(err, 0);
    svr_chart_destroy(c);
    svr_chart_destroy(NULL);
    cr_expect(test_memory_clean(&m));
    net_fini(&n);
}

/* ---- both ends ---- */

Test(topology, one_end_alone_is_not_up)
{
    static const svr_chart_figures up = {.up = true};
    net n;

    net_init(&n, 3, line, COUNT(line), 0);
    net_set_all(&n, true);
    cr_assert(net_converge(&n, n.now + 5 * S));
    cr_expect(net_edge(&n, 2, 0)->up);
    svr_chart_report(n.routers[1].chart, 1, &(svr_chart_figures){0}, n.now);
    run_for(&n, S);
    cr_expect_not(net_edge(&n, 2, 0)->up);
    cr_expect_not(net_edge(&n, 2, 1)->up);
    cr_expect(net_edge(&n, 2, 2)->up);
    svr_chart_report(n.routers[1].chart, 1, &up, n.now);
    run_for(&n, S);
    cr_expect(net_edge(&n, 2, 0)->up);
    net_fini(&n);
}

/* Figures that an end does not know are those of the other. */
Test(topology, figures_of_the_other_end)
{
    static const svr_chart_figures none = {0};
    net n;

    net_init(&n, 3, line, COUNT(line), 0);
    net_measure(&n, 0, 0, &none);
    net_measure(&n, 1, 0, &none);
    net_measure(&n, 1, 1, &none);
    net_set_all(&n, true);
    run_for(&n, 5 * S);
    cr_expect_eq(net_edge(&n, 2, 0)->latency_us, 2000);
    cr_expect_eq(net_edge(&n, 2, 1)->latency_us, 2000);
    cr_expect(net_edge(&n, 2, 2)->up);
    cr_expect_eq(net_edge(&n, 2, 2)->latency_us, SVR_PATH_FIGURE_MAX);
    net_fini(&n);
}

/* ---- damping ---- */

Test(topology, what_is_worth_telling)
{
    enum { NEVER = 0, LATE, NOW };
    static const struct {
        const char *what;
        svr_chart_figures from, to;
        int want;
    } rows[] = {
        {"nothing", {1, 1, 20000, 0, 0}, {1, 1, 20000, 0, 0}, NEVER},
        {"a little", {1, 1, 20000, 0, 0}, {1, 1, 21900, 0, 0}, NEVER},
        {"below 1 ms", {1, 1, 2000, 0, 0}, {1, 1, 2900, 0, 0}, NEVER},
        {"more than a tenth", {1, 1, 20000, 0, 0}, {1, 1, 22100, 0, 0}, LATE},
        {"half", {1, 1, 20000, 0, 0}, {1, 1, 10000, 0, 0}, LATE},
        {"more than half", {1, 1, 20000, 0, 0}, {1, 1, 30001, 0, 0}, NOW},
        {"threefold, but 4 ms", {1, 1, 2000, 0, 0}, {1, 1, 6000, 0, 0}, LATE},
        {"the other way", {1, 1, 30000, 0, 0}, {1, 1, 14999, 0, 0}, NOW},
        {"jitter", {1, 1, 0, 10000, 0}, {1, 1, 0, 15001, 0}, NOW},
        {"jitter, late", {1, 1, 0, 10000, 0}, {1, 1, 0, 12000, 0}, LATE},
        {"loss", {1, 1, 0, 0, 10000}, {1, 1, 0, 0, 16000}, NOW},
        {"loss, late", {1, 1, 0, 0, 10000}, {1, 1, 0, 0, 12000}, LATE},
        {"loss, a little", {1, 1, 0, 0, 500}, {1, 1, 0, 0, 1400}, NEVER},
        {"down", {1, 1, 20000, 0, 0}, {0, 1, 20000, 0, 0}, NOW},
        {"measured", {1, 0, 0, 0, 0}, {1, 1, 1, 0, 0}, NOW},
        {"250 ms crossed", {1, 1, 249900, 0, 0}, {1, 1, 250100, 0, 0}, NOW},
        {"100 ms crossed", {1, 1, 0, 100100, 0}, {1, 1, 0, 99900, 0}, NOW},
        {"0.5 % crossed", {1, 1, 0, 0, 5000}, {1, 1, 0, 0, 5001}, NOW},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        net n;
        net_init(&n, 3, line, COUNT(line), 0);
        net_set_all(&n, true);
        svr_chart *c = n.routers[0].chart;
        svr_chart_report(c, 0, &rows[i].from, n.now);
        run_for(&n, 30 * S);
        svr_chart_report(c, 0, &rows[i].to, n.now);
        svr_chart_counters before, soon, late;
        svr_chart_count(c, &before);
        run_for(&n, 9900 * MS);
        svr_chart_count(c, &soon);
        run_for(&n, 200 * MS);
        svr_chart_count(c, &late);
        cr_expect_eq(soon.told - before.told, rows[i].want == NOW, "%s",
                     rows[i].what);
        cr_expect_eq(late.told - soon.told, rows[i].want == LATE, "%s",
                     rows[i].what);
        net_fini(&n);
    }
}

/* A change that is over before it was told was none. */
Test(topology, a_change_that_is_taken_back)
{
    static const svr_chart_figures good = {1, 1, 20000, 0, 0};
    static const svr_chart_figures worse = {1, 1, 25000, 0, 0};
    net n;

    net_init(&n, 3, line, COUNT(line), 0);
    net_set_all(&n, true);
    net_measure(&n, 0, 0, &good);
    run_for(&n, 30 * S);
    svr_chart_counters before, after;
    svr_chart_count(n.routers[0].chart, &before);
    svr_chart_report(n.routers[0].chart, 0, &worse, n.now);
    run_for(&n, 5 * S);
    svr_chart_report(n.routers[0].chart, 0, &(svr_chart_figures){1, 1, 20000},
                     n.now);
    run_for(&n, 30 * S);
    svr_chart_count(n.routers[0].chart, &after);
    cr_expect_eq(before.told, after.told);
    net_fini(&n);
}

/* Ten large changes follow each other, 100 ms apart, then one a second. */
Test(topology, a_pathway_that_flaps)
{
    net n;
    svr_chart_counters before, after;

    net_init(&n, 3, line, COUNT(line), 0);
    net_set_all(&n, true);
    run_for(&n, 30 * S);
    svr_chart *c = n.routers[0].chart;
    svr_chart_count(c, &before);
    for (unsigned i = 0; i < 1000; i++) {
        svr_chart_report(c, 0, &(svr_chart_figures){.up = i % 2 == 0}, n.now);
        run_for(&n, 7 * MS);
        svr_chart_count(c, &after);
        if (i < 100) /* 0.7 s */
            cr_assert_leq(after.told - before.told, 8);
    }
    cr_expect_geq(after.told - before.told, 10);
    cr_expect_leq(after.told - before.told, 10 + 7 + 1);
    svr_chart_report(c, 0, &(svr_chart_figures){.up = true}, n.now);
    run_for(&n, 2 * S);
    cr_expect(net_edge(&n, 2, 0)->up, "what it came to in the end");
    net_fini(&n);
}

/* ---- messages that do not arrive ---- */

Test(topology, each_message_lost_once)
{
    uint64_t total = 0;

    for (uint64_t lose = 0; lose <= total; lose++) {
        net n;
        net_init(&n, 3, line, COUNT(line), 2);
        n.lose = lose;
        net_set_all(&n, true);
        run_for(&n, 2 * S);
        net_set(&n, 0, false);
        run_for(&n, 2 * S);
        net_set(&n, 0, true);
        svr_chart_load(n.routers[2].chart, 0, 100, n.now);
        run_for(&n, 2 * S);
        cr_expect(net_same(&n), "without message %llu",
                  (unsigned long long)lose);
        cr_expect_eq(svr_chart_graph(n.routers[0].chart)->instances[2].load,
                     100);
        if (lose == 0)
            total = n.sent;
        else
            cr_expect_eq(n.lost, 1);
        net_fini(&n);
    }
    cr_expect_geq(total, 10);
}

Test(topology, loss_duplicates_and_disorder)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        net n;
        net_init(&n, 4, ring, COUNT(ring), 2);
        n.seed = seed;
        n.loss = 300;
        n.doubled = 200;
        n.jitter = 300;
        net_set_all(&n, true);
        for (unsigned i = 0; i < 50; i++) {
            net_set(&n, test_below(&n.seed, 4), test_below(&n.seed, 2));
            run_for(&n, test_below(&n.seed, 1000) * MS);
        }
        net_set_all(&n, true);
        cr_expect(net_converge(&n, n.now + 120 * S), "seed %llu",
                  (unsigned long long)seed);
        net_fini(&n);
    }
}

/* ---- routers that come and go ---- */

Test(topology, a_router_that_restarts)
{
    net n;

    net_init(&n, 4, ring, COUNT(ring), 2);
    net_set_all(&n, true);
    cr_assert(net_converge(&n, n.now + 5 * S));
    net_stop(&n, 2);
    net_clear(&n);
    cr_assert(net_converge(&n, n.now + 5 * S), "its pathways are down");
    cr_expect_not(net_edge(&n, 0, 2)->up);
    net_start(&n, 2, 2);
    cr_assert(net_converge(&n, n.now + 5 * S), "it has learned all");
    cr_expect(net_edge(&n, 0, 2)->up);
    net_fini(&n);
}

/* Without its boot counter it finds what it has said before, newer than what
 * it says now. */
Test(topology, a_router_that_forgot_its_boot_counter)
{
    net n;

    net_init(&n, 4, ring, COUNT(ring), 2);
    net_stop(&n, 2);
    net_start(&n, 2, 1000);
    net_set_all(&n, true);
    cr_assert(net_converge(&n, n.now + 5 * S));
    net_stop(&n, 2);
    net_clear(&n);
    run_for(&n, 5 * S);
    net_start(&n, 2, 3);
    /* What neighbours say to it is nothing to them: it stands in BFD. */
    for (uint32_t i = 0; i < 4; i++)
        if (i != 2) {
            net_stop(&n, i);
            net_start(&n, i, 2);
            run_for(&n, 3 * S);
        }
    cr_assert(net_converge(&n, n.now + 20 * S));
    svr_chart_router r;
    svr_chart_describe(n.routers[0].chart, 2, &r, n.now);
    cr_expect_geq(r.sequence >> 32, 3);
    net_fini(&n);
}

Test(topology, partition_and_heal)
{
    net n;

    net_init(&n, 4, ring, COUNT(ring), 2);
    net_set_all(&n, true);
    cr_assert(net_converge(&n, n.now + 5 * S));
    net_set(&n, 0, false); /* {1, 2} and {3, 0} */
    net_set(&n, 2, false);
    run_for(&n, 5 * S);
    net_measure(&n, 1, 0, &(svr_chart_figures){1, 1, 77000, 0, 0});
    svr_chart_load(n.routers[3].chart, 1, 50, n.now);
    run_for(&n, 20 * S);
    cr_expect_neq(net_edge(&n, 0, 2)->latency_us, 77000);
    cr_expect_not(net_edge(&n, 0, 0)->up);
    net_set_all(&n, true);
    cr_assert(net_converge(&n, n.now + 5 * S));
    cr_expect_eq(net_edge(&n, 0, 2)->latency_us, 77000);
    cr_expect_eq(svr_chart_graph(n.routers[1].chart)->instances[3].load, 50);
    net_fini(&n);
}

/* Longer than anything is valid. */
Test(topology, a_long_partition)
{
    net n;
    svr_chart_router r;

    net_init(&n, 4, ring, COUNT(ring), 2);
    net_set_all(&n, true);
    cr_assert(net_converge(&n, n.now + 5 * S));
    net_set(&n, 0, false);
    net_set(&n, 2, false);
    run_for(&n, SVR_CHART_MAX_AGE - 60 * S);
    svr_chart_describe(n.routers[0].chart, 1, &r, n.now);
    cr_expect(r.heard);
    run_for(&n, 120 * S + SVR_CHART_REFRESH);
    svr_chart_describe(n.routers[0].chart, 1, &r, n.now);
    cr_expect_not(r.heard);
    svr_chart_describe(n.routers[0].chart, 3, &r, n.now);
    cr_expect(r.heard, "those that are there renew theirs");
    cr_expect_leq(r.age, SVR_CHART_REFRESH + 61 * S);
    net_set_all(&n, true);
    cr_assert(net_converge(&n, n.now + 5 * S));
    svr_chart_describe(n.routers[0].chart, 1, &r, n.now);
    cr_expect(r.heard);
    net_fini(&n);
}

/* ---- what is not of the authority ---- */

static size_t alien_part(uint8_t *buf, uint64_t own, uint64_t origin,
                         uint16_t number, uint64_t sequence, uint16_t age)
{
    svr__wr wr = svr__wr_over(buf, MAX);

    svr__topology_put_head(&wr, &(svr__topology_head){own, 0, false});
    svr__topology_put(&wr, &(svr__topology_item){.kind = SVR__TOPOLOGY_PART,
                                                 .origin = origin,
                                                 .number = number,
                                                 .sequence = sequence,
                                                 .age = age});
    return wr.len;
}

/* Strange parts change nothing, but their sender is told that they came. */
Test(topology, strange_parts)
{
    static const struct {
        const char *name;
        uint16_t number, age;
        uint64_t alien;
    } rows[] = {
        {"r9", 0, 0, 1},   /* no such router */
        {"r2", 500, 0, 1}, /* one too many */
        {"r2", 1, 3600, 0},
        {"r2", 0, UINT16_MAX, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        net n;
        uint8_t buf[MAX], out[SVR_CHART_MESSAGE];
        svr_chart_counters before, after;
        svr__topology_head head;
        svr__topology_item item = {0};
        svr__rd rd;

        net_init(&n, 3, line, COUNT(line), 0);
        net_set_all(&n, true);
        run_for(&n, 5 * S);
        svr_chart *c = n.routers[0].chart;
        uint64_t version = svr_chart_version(c);
        svr_chart_count(c, &before);
        size_t len = alien_part(buf, UINT64_MAX, svr__chart_id(rows[i].name),
                                rows[i].number, (uint64_t)9 << 32, rows[i].age);
        cr_assert_eq(svr_chart_receive(c, 0, (svr_span){buf, len}, n.now), 0);
        svr_chart_count(c, &after);
        cr_expect_eq(after.parts_alien - before.parts_alien, rows[i].alien);
        cr_expect_eq(after.parts_new, before.parts_new);
        cr_expect_eq(svr_chart_version(c), version);
        len = svr_chart_send(c, 0, out, sizeof(out), n.now);
        cr_assert_eq(svr__topology_open(&head, &rd, (svr_span){out, len}), 0);
        cr_assert(svr__topology_next(&rd, &item));
        cr_expect_eq(item.kind, SVR__TOPOLOGY_SEEN);
        cr_expect_eq(item.sequence, (uint64_t)9 << 32);
        net_fini(&n);
    }
}

Test(topology, messages_that_change_nothing)
{
    net n;
    uint8_t buf[MAX];
    svr_chart_counters before, after;

    net_init(&n, 3, line, COUNT(line), 0);
    net_set_all(&n, true);
    run_for(&n, 5 * S);
    svr_chart *c = n.routers[0].chart;
    svr_chart_count(c, &before);
    size_t len = alien_part(buf, 1, svr__chart_id("r2"), 0, (uint64_t)9 << 32,
                            0); /* from before a restart */
    cr_expect_eq(svr_chart_receive(c, 0, (svr_span){buf, len}, n.now),
                 SVR_ERR_REPLAY);
    len = alien_part(buf, UINT64_MAX, svr__chart_id("r2"), 0,
                     SVR__TOPOLOGY_SEQUENCE_END, 0);
    cr_expect_eq(svr_chart_receive(c, 0, (svr_span){buf, len}, n.now),
                 SVR_ERR_VALUE);
    svr_chart_count(c, &after);
    cr_expect_eq(after.refused - before.refused, 2);
    cr_expect_eq(after.parts_new, before.parts_new);
    cr_expect(net_same(&n));
    net_fini(&n);
}

/* ---- limits ---- */

/* A neighbour gets no more than the rate, however much there is. */
Test(topology, bytes_are_bounded)
{
    enum { RATE = 2000, BURST = 4000 };
    net n;

    net_init(&n, 3, line, COUNT(line), 0);
    net_stop(&n, 1);
    n.rate = RATE;
    n.burst = BURST;
    net_start(&n, 1, 1);
    net_set_all(&n, true);
    run_for(&n, 10 * S);
    svr_chart *c = n.routers[1].chart;
    svr_chart_counters before, after;
    svr_chart_count(c, &before);
    for (unsigned i = 0; i < 1000; i++) { /* 100 s of a wild neighbour */
        uint8_t buf[MAX];
        size_t len = alien_part(buf, (uint64_t)1 << 32 | 1, svr__chart_id("r0"),
                                0, ((uint64_t)5 << 32) + i, 0);
        size_t at = net_neighbour(&n, 1, 0);
        cr_assert_eq(svr_chart_receive(c, at, (svr_span){buf, len}, n.now), 0);
        run_for(&n, 100 * MS);
    }
    svr_chart_count(c, &after);
    uint64_t bytes = after.bytes_sent - before.bytes_sent +
                     (after.sent - before.sent) * SVR_CHART_OVERHEAD;
    /* To r0 what is seen, which is not held back; to r2 what is new. */
    cr_expect_leq(after.parts_sent - before.parts_sent,
                  100 * RATE / SVR_CHART_OVERHEAD + BURST / SVR_CHART_OVERHEAD +
                      1);
    cr_expect_geq(bytes, 100 * RATE / 2);
    net_fini(&n);
}

/* A neighbour that never answers is greeted ever less often, and nothing else.
 */
Test(topology, a_neighbour_that_says_nothing)
{
    net n;
    svr_chart_counters count;

    net_init(&n, 3, line, COUNT(line), 0);
    net_set_all(&n, true);
    n.loss = 1000;
    run_for(&n, 600 * S);
    svr_chart_count(n.routers[0].chart, &count);
    cr_expect_leq(count.sent, 30);
    cr_expect_eq(count.parts_sent, 0);
    cr_expect_eq(count.bytes_sent, count.sent * SVR__TOPOLOGY_HEAD);
    net_fini(&n);
}

/* Once all is told, it is quiet. */
Test(topology, silence)
{
    net n;

    net_init(&n, 4, ring, COUNT(ring), 2);
    net_set_all(&n, true);
    run_for(&n, 30 * S);
    uint64_t sent = n.sent;
    run_for(&n, 1000 * S);
    cr_expect_eq(n.sent, sent);
    run_for(&n, SVR_CHART_REFRESH);
    cr_expect_gt(n.sent, sent);
    cr_expect_lt(n.sent, sent + 100);
    net_fini(&n);
}

/* ---- what is asked ---- */

Test(topology, what_is_known)
{
    net n;
    svr_chart_figures f;

    net_init(&n, 3, line, COUNT(line), 1);
    const svr_chart *c = n.routers[0].chart;
    cr_expect_eq(svr_chart_own(c, n.edges[0].name), 0);
    cr_expect_eq(svr_chart_own(c, "nothing"), SVR_PATH_NONE);
    cr_expect_eq(svr_chart_other(c, 2), 3);
    cr_expect_eq(svr_chart_other(c, 4), SVR_PATH_NONE);
    cr_expect_not(svr_chart_figures_of(c, 2, &f), "nobody has said anything");
    cr_expect_not(svr_chart_figures_of(c, 4, &f));
    cr_expect_eq(svr_chart_load_said(c, 2), 0);
    cr_expect_eq(svr_chart_load_said(c, 3), 0);
    uint64_t states = svr_chart_states(c);
    net_set_all(&n, true);
    net_measure(&n, 1, 0, &(svr_chart_figures){true, true, 7000, 10, 2000000});
    run_for(&n, 5 * S);
    svr_chart_load(n.routers[2].chart, 0, 500, n.now);
    svr_time said = n.now;
    run_for(&n, 5 * S);
    cr_expect_neq(svr_chart_states(c), states);
    cr_assert(svr_chart_figures_of(c, 2, &f));
    cr_expect(f.up && f.measured);
    cr_expect_eq(f.latency_us, 7000);
    cr_expect_eq(f.loss_ppm, 1000000, "there is no more than all");
    cr_expect_eq(svr_chart_graph(c)->instances[2].load, 500);
    cr_expect_leq(svr_chart_load_said(c, 2), said + S);
    cr_expect_geq(svr_chart_load_said(c, 2) + 2 * S, said, "ages are rounded");
    /* Of pathways of others, and such as there are not, nobody reports. */
    uint64_t version = svr_chart_version(c);
    f.latency_us = 1;
    svr_chart_report(n.routers[0].chart, 2, &f, n.now);
    svr_chart_report(n.routers[0].chart, 99, &f, n.now);
    svr_chart_load(n.routers[0].chart, 9, 1, n.now);
    run_for(&n, 20 * S);
    cr_expect_eq(svr_chart_version(c), version);
    net_fini(&n);
}

/* ---- another configuration ---- */

static void reload(net *n, uint32_t router)
{
    svr_chart *old = n->routers[router].chart, *c;
    svr_chart_config config = net_config(n, router);

    cr_assert_eq(svr_chart_create(&c, &config, n->now), 0);
    svr_chart_adopt(c, old, n->now);
    svr_chart_destroy(old);
    n->routers[router].chart = c;
}

Test(topology, a_new_configuration_forgets_nothing)
{
    net n;
    svr_chart_counters before, after;

    net_init(&n, 4, ring, COUNT(ring), 2);
    net_set_all(&n, true);
    cr_assert(net_converge(&n, n.now + 5 * S));
    run_for(&n, 5 * S);
    svr_chart_count(n.routers[2].chart, &before);
    reload(&n, 1);
    cr_expect(net_same(&n), "as it was");
    run_for(&n, 5 * S);
    cr_expect(net_same(&n));
    svr_chart_count(n.routers[2].chart, &after);
    cr_expect_leq(after.parts_new - before.parts_new, 4, "only its own parts");
    net_set(&n, 3, false);
    cr_expect(net_converge(&n, n.now + 2 * S));
    net_fini(&n);
}

/* One router knows a router less than the others: when it learns of it, it gets
 * what it had no place for. */
Test(topology, a_router_that_is_added)
{
    net n;

    net_init(&n, 4, ring, COUNT(ring), 0);
    net_stop(&n, 1);
    n.router_names[3] = "somebody";
    net_start(&n, 1, 1);
    n.router_names[3] = n.names[3];
    net_set_all(&n, true);
    run_for(&n, 10 * S);
    cr_expect(net_same(&n) == false);
    cr_expect_not(net_edge(&n, 1, 4)->up);
    reload(&n, 1);
    cr_expect(net_converge(&n, n.now + 5 * S));
    net_fini(&n);
}

/* One that knows a router less than before: what that said is lost, and comes
 * again once the router is back. */
Test(topology, a_router_that_goes_and_comes_back)
{
    for (uint32_t who = 0; who < 2; who++) { /* its neighbour, and another */
        net n;

        net_init(&n, 4, ring, COUNT(ring), 2);
        net_set_all(&n, true);
        cr_assert(net_converge(&n, n.now + 5 * S));
        n.router_names[3] = "somebody";
        reload(&n, who);
        n.router_names[3] = n.names[3];
        cr_expect_not(net_edge(&n, who, 4)->up);
        reload(&n, who);
        run_for(&n, 10 * S);
        net_set(&n, 0, false);
        net_set(&n, 0, true);
        cr_expect(net_converge(&n, n.now + 60 * S), "r%u", who);
        net_fini(&n);
    }
}
