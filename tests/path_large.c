/* Networks too large for trying every vector: other ways to the same answer. */
#include "path/search.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <svr/path.h>

#include "support.h"

typedef struct network {
    svr_topology t;
    svr_path_edge *edges;
    char (*names)[12];
    const char **routers;
    uint32_t *index;
} network;

static void make_edge(network *n, uint32_t i, uint32_t from, uint32_t to,
                      uint64_t *seed)
{
    n->edges[i] = (svr_path_edge){
        .name = n->names[i % n->t.router_count],
        .from = from,
        .to = to,
        .link = i,
        .latency_us = 1000 * (1 + test_below(seed, 20)),
        .jitter_us = 100 * test_below(seed, 20),
        .loss_ppm = 100 * test_below(seed, 30),
        .cost = test_below(seed, 3),
        .vector = (uint16_t)test_below(seed, 3),
        .capacity = UINT32_MAX,
        .up = test_below(seed, 50) != 0,
    };
}

/* Random ends, or, where `width` is not 0, neighbours in rows of that width. */
static network make_network(uint32_t routers, uint32_t edges, uint32_t width,
                            uint64_t seed)
{
    network n = {.edges = calloc(edges, sizeof(svr_path_edge)),
                 .names = calloc(routers, 12),
                 .routers = calloc(routers, sizeof(char *))};

    n.t = (svr_topology){.routers = n.routers,
                         .router_count = routers,
                         .edges = n.edges,
                         .edge_count = edges};
    for (uint32_t i = 0; i < routers; i++) {
        snprintf(n.names[i], 12, "%u", i);
        n.routers[i] = n.names[i];
    }
    for (uint32_t i = 0; i < edges; i++) {
        uint32_t from = test_below(&seed, routers);
        uint32_t step = test_below(&seed, 2) ? 1 : width;
        if (test_below(&seed, 2))
            step = routers - step;
        if (width == 0)
            step = 1 + test_below(&seed, routers - 1);
        make_edge(&n, i, from, (from + step) % routers, &seed);
    }
    n.index = malloc(svr_topology_index_size(&n.t));
    cr_assert_eq(svr_topology_index(&n.t, n.index), 0);
    return n;
}

static void free_network(network *n)
{
    free(n->edges);
    free(n->names);
    free(n->routers);
    free(n->index);
}

static void draw_query(const network *n, svr_path_query *q, uint64_t *seed)
{
    static const uint16_t priorities[] = {2, 1, 1};

    svr_path_query_init(q);
    q->from = test_below(seed, (uint32_t)n->t.router_count);
    q->to = test_below(seed, (uint32_t)n->t.router_count);
    q->criterion = (enum svr_path_criterion)test_below(seed, 3);
    q->priorities = priorities;
    q->priority_count = 3;
    q->quality_filter = test_below(seed, 2);
    q->max_jitter_us = q->max_loss_ppm = SVR_PATH_NO_LIMIT;
    q->max_latency_us = SVR_PATH_NO_LIMIT;
    if (test_below(seed, 2))
        q->max_latency_us = 1000 * test_below(seed, 150);
    else
        q->max_loss_ppm = 10 * test_below(seed, 1000);
    q->labels = 32;
}

/* The best one alone is searched with distances of the end's surroundings, the
 * two best ones with those of four times as many routers. */
static void check_first(const network *n, uint64_t seed, size_t *found)
{
    svr_path_query one, two;
    svr_vector v, w[2];
    svr_path_note note, notes;

    draw_query(n, &one, &seed);
    two = one;
    two.count = 2;
    void *first = malloc(svr_path_scratch_size(&n->t, &one));
    void *second = malloc(svr_path_scratch_size(&n->t, &two));
    ptrdiff_t count = svr_path_find(&n->t, &one, &v, 1, &note, first);
    ptrdiff_t both = svr_path_find(&n->t, &two, w, 2, &notes, second);

    cr_assert_eq(count, both < 1 ? both : 1, "seed %" PRIu64, seed);
    if (count == 1 && !note.cut && !notes.cut) {
        ++*found;
        cr_assert_eq(note.best_effort, notes.best_effort);
        cr_assert_eq(v.hops, w[0].hops, "seed %" PRIu64, seed);
        cr_assert_eq(memcmp(v.edges, w[0].edges, v.hops * sizeof(*v.edges)), 0,
                     "seed %" PRIu64, seed);
    }
    free(first);
    free(second);
}

Test(path_large, distances_of_a_part_do_not_change_the_answer)
{
    static const struct {
        uint32_t routers, edges, width;
    } rows[] = {{200, 800, 0}, {100, 600, 10}, {1000, 6000, 0}, {100, 1500, 3}};

    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        size_t found = 0;
        for (uint64_t seed = 1; seed <= 10; seed++) {
            network n = make_network(rows[r].routers, rows[r].edges,
                                     rows[r].width, seed);
            for (uint64_t i = 0; i < 10; i++)
                check_first(&n, 1000 * seed + i, &found);
            free_network(&n);
        }
        cr_expect_gt(found, 50, "row %zu: %zu", r, found);
    }
}

/* A tree that has followed a thousand changes, and one that begins now. */
Test(path_large, trees_follow_changes)
{
    network n = make_network(1000, 5000, 0, 7);
    uint64_t seed = 7;
    void *old = malloc(svr_path_tree_size(&n.t));
    void *new = malloc(svr_path_tree_size(&n.t));
    svr_path_tree *tree = svr_path_tree_init(old, &n.t, 0, NULL, 0);

    for (int i = 0; i < 1000; i++) {
        uint32_t edge = test_below(&seed, 5000);
        make_edge(&n, edge, n.edges[edge].from, n.edges[edge].to, &seed);
        cr_assert_geq(svr_path_tree_change(tree, edge), 0);
        if (i % 20 != 0)
            continue;
        const svr_path_tree *fresh = svr_path_tree_init(new, &n.t, 0, NULL, 0);
        for (uint32_t r = 0; r < 1000; r++)
            cr_assert_eq(svr_path_tree_last(tree, r),
                         svr_path_tree_last(fresh, r), "change %d", i);
    }
    free(old);
    free(new);
    free_network(&n);
}

/* ---- the largest ---- */

enum { LINE = 65535 };

static network make_line(void)
{
    network n = {.edges = calloc(2 * LINE, sizeof(svr_path_edge)),
                 .names = calloc(LINE, 12),
                 .routers = calloc(LINE, sizeof(char *))};
    uint64_t seed = 1;

    n.t = (svr_topology){.routers = n.routers,
                         .router_count = LINE,
                         .edges = n.edges,
                         .edge_count = 2 * (LINE - 1)};
    for (uint32_t i = 0; i < LINE; i++) {
        snprintf(n.names[i], 12, "%u", i);
        n.routers[i] = n.names[i];
    }
    for (uint32_t i = 0; i < n.t.edge_count; i++) {
        make_edge(&n, i, i / 2, i / 2 + 1, &seed);
        n.edges[i].up = true;
        n.edges[i].latency_us = UINT32_MAX; /* counts as the most there is */
    }
    n.index = malloc(svr_topology_index_size(&n.t));
    cr_assert_eq(svr_topology_index(&n.t, n.index), 0);
    return n;
}

/* 65,535 routers one behind the other, two pathways from each to the next: as
 * long a vector as there can be, and two to the 65,534 of them. */
Test(path_large, a_line_of_65535_routers)
{
    network n = make_line();
    svr_path_query q;
    svr_vector v[2];
    svr_path_note note;

    svr_path_query_init(&q);
    q.criterion = SVR_PATH_LATENCY;
    q.to = LINE - 1;
    void *scratch = malloc(svr_path_scratch_size(&n.t, &q));
    cr_assert_eq(svr_path_find(&n.t, &q, v, 2, &note, scratch), 1);
    cr_expect_not(note.cut);
    cr_expect_eq(v[0].hops, LINE - 1);
    cr_expect_eq(v[0].latency_us, (uint64_t)SVR_PATH_FIGURE_MAX * (LINE - 1));
    cr_expect_eq(v[0].mos, 1000);
    for (uint32_t i = 0; i < v[0].hops; i++)
        cr_assert_eq(v[0].edges[i] / 2, i);

    q.max_hops = LINE - 2;
    scratch = realloc(scratch, svr_path_scratch_size(&n.t, &q));
    cr_expect_eq(svr_path_find(&n.t, &q, v, 2, &note, scratch), 0);
    free(scratch);
    free_network(&n);
}
