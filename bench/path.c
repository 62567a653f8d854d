/*
 * path - what it costs to choose a way through networks of 1,000 to 100,000
 * routers with five pathways for each, both directions usable: the best vector,
 * the best one that keeps a limit which the best one breaks, the eight best,
 * and to keep a tree of best vectors up to date while figures change. Pathways
 * join random routers; figures are random and differ.
 *
 *   path [--largest N] [options of measure.h]    no network above N routers
 *
 * Beside it igraph on the same graph. It knows no limits. What it does for one
 * change is its search from one router to all others.
 */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if HAVE_IGRAPH
#include <igraph/igraph.h>
#endif
#include <svr/path.h>

enum {
    SIZES = 3,
    PATHWAYS = 5,   /* for each router */
    OPERATIONS = 8, /* of one run */
    PAIRS = 64,
    BEST = 8,
    CHANGES = 4096,
};

enum { SVR, IGRAPH };

struct pair {
    uint32_t from, to;
    uint32_t max_loss; /* that the fastest way breaks, and another one keeps */
};

struct change {
    uint32_t edge, latency_us;
};

struct input {
    uint32_t routers;
    svr_topology t;
    svr_path_edge *edges;
    svr_path_query q;
    void *scratch;
    struct pair pairs[PAIRS];
    size_t turn, igraph_turn;
    svr_path_tree *tree;
    struct change *changes;
    size_t next_change;
    double hops, labels; /* of the limited vectors, on average */
#if HAVE_IGRAPH
    igraph_t graph;
    igraph_vector_t weights;
#endif
};

static uint64_t seed = 1;

static uint32_t draw(uint32_t limit)
{
    uint64_t z = seed += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (uint32_t)(((z ^ z >> 31) >> 32) * limit >> 32);
}

static void fail(const char *what)
{
    fprintf(stderr, "path: %s\n", what);
    exit(1);
}

/* ---- networks ---- */

static const char *name_of(const char *kind, uint32_t i)
{
    char *name = bench_need(1, 16);

    snprintf(name, 16, "%s%u", kind, i);
    return name;
}

static void add_pathway(struct input *in, uint32_t i, uint32_t a, uint32_t b)
{
    const char *name = name_of("p", i);

    for (uint32_t way = 0; way < 2; way++)
        in->edges[2 * i + way] = (svr_path_edge){
            .name = name,
            .from = way ? b : a,
            .to = way ? a : b,
            .link = 2 * i,
            .latency_us = 1000 + draw(50000),
            .jitter_us = draw(3000),
            .loss_ppm = draw(2000),
            .capacity = UINT32_MAX,
            .up = true,
        };
}

static int by_beginning(const void *a, const void *b)
{
    const svr_path_edge *e = a, *f = b;

    return (e->from > f->from) - (e->from < f->from);
}

/* Each router but the first has a pathway to an earlier one, so that all are
 * connected; the others join any two. */
static void make_network(struct input *in)
{
    uint32_t n = in->routers, pathways = n * PATHWAYS;
    const char **names = bench_need(n, sizeof(*names));

    in->edges = bench_need((size_t)2 * pathways, sizeof(*in->edges));
    for (uint32_t i = 0; i < n; i++)
        names[i] = name_of("r", i);
    for (uint32_t i = 0; i < pathways; i++) {
        uint32_t a = i + 1 < n ? i + 1 : draw(n);
        uint32_t b = i + 1 < n ? draw(i + 1) : (a + 1 + draw(n - 1)) % n;
        add_pathway(in, i, a, b);
    }
    qsort(in->edges, (size_t)2 * pathways, sizeof(*in->edges), by_beginning);
    in->t = (svr_topology){.routers = names,
                           .router_count = n,
                           .edges = in->edges,
                           .edge_count = (size_t)2 * pathways};
    if (svr_topology_index(&in->t,
                           bench_need(1, svr_topology_index_size(&in->t))))
        fail("no index");
}

static void find(struct input *in, const struct pair *p, uint32_t count,
                 bool limited)
{
    svr_vector v[BEST];
    svr_path_note note;
    ptrdiff_t found;

    in->q.from = p->from;
    in->q.to = p->to;
    in->q.count = count;
    in->q.quality_filter = limited;
    in->q.max_loss_ppm = p->max_loss;
    found = svr_path_find(&in->t, &in->q, v, count, &note, in->scratch);
    if (found != (ptrdiff_t)count || note.cut || note.best_effort)
        fail("a vector is missing");
    in->hops += v[0].hops;
    in->labels += (double)note.labels;
    bench_use(v);
}

/* Ends that are some way apart, with a limit of loss that costs latency. */
static bool make_pair(struct input *in, struct pair *p)
{
    svr_vector v;

    p->from = draw(in->routers);
    p->to = draw(in->routers);
    in->q.from = p->from;
    in->q.to = p->to;
    in->q.quality_filter = false;
    if (p->from == p->to ||
        svr_path_find(&in->t, &in->q, &v, 1, NULL, in->scratch) != 1)
        return false;
    p->max_loss = in->q.max_loss_ppm = v.loss_ppm / 10 * 7;
    in->q.quality_filter = true;
    return svr_path_find(&in->t, &in->q, &v, 1, NULL, in->scratch) == 1;
}

static void make_query(struct input *in)
{
    svr_path_query *q = &in->q;

    svr_path_query_init(q);
    q->criterion = SVR_PATH_LATENCY;
    q->max_latency_us = q->max_jitter_us = SVR_PATH_NO_LIMIT;
    q->best_effort = false;
    q->quality_filter = true;
    q->count = BEST;
    in->scratch = bench_need(1, svr_path_scratch_size(&in->t, q));
    q->count = 1;
    for (size_t i = 0; i < PAIRS;)
        i += make_pair(in, &in->pairs[i]);
}

/* Any pathway gets any latency. */
static void make_tree(struct input *in)
{
    in->changes = bench_need(CHANGES, sizeof(*in->changes));
    for (size_t i = 0; i < CHANGES; i++)
        in->changes[i] = (struct change){draw((uint32_t)in->t.edge_count),
                                         1000 + draw(50000)};
    in->tree = svr_path_tree_init(bench_need(1, svr_path_tree_size(&in->t)),
                                  &in->t, 0, NULL, 0);
}

/* ---- what is measured ---- */

static const struct pair *next_pair(struct input *in)
{
    return &in->pairs[in->turn++ % PAIRS];
}

static void run_shortest(void *user)
{
    struct input *in = user;

    for (int i = 0; i < OPERATIONS; i++)
        find(in, next_pair(in), 1, false);
}

static void run_limited(void *user)
{
    struct input *in = user;

    for (int i = 0; i < OPERATIONS; i++)
        find(in, next_pair(in), 1, true);
}

static void run_best(void *user)
{
    struct input *in = user;

    for (int i = 0; i < OPERATIONS; i++)
        find(in, next_pair(in), BEST, false);
}

static void run_limited_best(void *user)
{
    struct input *in = user;

    for (int i = 0; i < OPERATIONS; i++)
        find(in, next_pair(in), BEST, true);
}

static void run_change(void *user)
{
    struct input *in = user;

    for (int i = 0; i < OPERATIONS; i++) {
        const struct change *c = &in->changes[in->next_change++ % CHANGES];
        in->edges[c->edge].latency_us = c->latency_us;
        svr_path_tree_change(in->tree, c->edge);
    }
}

#if HAVE_IGRAPH
static void make_igraph(struct input *in)
{
    igraph_vector_int_t ends;
    size_t count = in->t.edge_count;

    igraph_vector_int_init(&ends, (igraph_integer_t)(2 * count));
    igraph_vector_init(&in->weights, (igraph_integer_t)count);
    for (size_t i = 0; i < count; i++) {
        VECTOR(ends)[2 * i] = in->edges[i].from;
        VECTOR(ends)[2 * i + 1] = in->edges[i].to;
        VECTOR(in->weights)[i] = in->edges[i].latency_us;
    }
    igraph_create(&in->graph, &ends, (igraph_integer_t)in->routers, true);
    igraph_vector_int_destroy(&ends);
}

static void igraph_shortest(void *user)
{
    struct input *in = user;
    igraph_vector_int_t edges;

    igraph_vector_int_init(&edges, 0);
    for (int i = 0; i < OPERATIONS; i++) {
        const struct pair *p = &in->pairs[in->igraph_turn++ % PAIRS];
        igraph_get_shortest_path_dijkstra(&in->graph, NULL, &edges, p->from,
                                          p->to, &in->weights, IGRAPH_OUT);
    }
    igraph_vector_int_destroy(&edges);
}

static void igraph_best(void *user)
{
    struct input *in = user;
    igraph_vector_int_list_t edges;

    igraph_vector_int_list_init(&edges, 0);
    for (int i = 0; i < OPERATIONS; i++) {
        const struct pair *p = &in->pairs[in->igraph_turn++ % PAIRS];
        igraph_get_k_shortest_paths(&in->graph, &in->weights, NULL, &edges,
                                    BEST, p->from, p->to, IGRAPH_OUT);
    }
    igraph_vector_int_list_destroy(&edges);
}

static void igraph_all(void *user)
{
    struct input *in = user;
    igraph_matrix_t distances;

    igraph_matrix_init(&distances, 0, 0);
    for (int i = 0; i < OPERATIONS; i++)
        igraph_distances_dijkstra(&in->graph, &distances, igraph_vss_1(0),
                                  igraph_vss_all(), &in->weights, IGRAPH_OUT);
    igraph_matrix_destroy(&distances);
}
#else
static void make_igraph(struct input *in)
{
    (void)in;
}
#define igraph_shortest NULL
#define igraph_best NULL
#define igraph_all NULL
#endif

/* ---- the table ---- */

static const struct {
    const char *name;
    void (*svr)(void *), (*igraph)(void *);
} kinds[] = {
    {"best", run_shortest, igraph_shortest},
    {"best with a limit", run_limited, NULL},
    {"8 best", run_best, igraph_best},
    {"8 best with a limit", run_limited_best, NULL},
    {"one change", run_change, igraph_all},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static struct input inputs[SIZES] = {{1000}, {10000}, {100000}};

static double log_2(double x)
{
    double n = 0;

    while (x >= 2) {
        x /= 2;
        n++;
    }
    return n + (x - 1); /* between powers: straight */
}

/* How a kind's time grows from one size to the next, beside E log V. */
static void tell_growth(struct bench *b)
{
    static char text[BENCH_FACTS_MAX][64];

    for (size_t i = KINDS; i < b->row_count; i++) {
        const struct input *big = &inputs[i / KINDS],
                           *small = &inputs[i / KINDS - 1];
        double bound = big->routers * log_2(big->routers) /
                       (small->routers * log_2(small->routers));
        if (i % KINDS > 2)
            continue;
        char *name = text[b->fact_count];
        snprintf(name, sizeof(text[0]), "%s: growth / that of E log V",
                 b->rows[i].name);
        bench_fact(b, name,
                   b->rows[i].ns[SVR] / b->rows[i - KINDS].ns[SVR] / bound, "");
    }
}

static size_t make_rows(struct bench_row *rows, uint32_t largest)
{
    static char text[SIZES * KINDS][48];
    size_t count = 0;

    for (size_t s = 0; s < SIZES && inputs[s].routers <= largest; s++) {
        struct input *in = &inputs[s];
        make_network(in);
        make_query(in);
        make_tree(in);
        make_igraph(in);
        for (size_t k = 0; k < KINDS; k++, count++) {
            /* which would take minutes */
            bool slow = kinds[k].igraph == igraph_best && s > 1;
            void (*peer)(void *) = slow ? NULL : kinds[k].igraph;
            snprintf(text[count], sizeof(text[0]), "%s, %u,000", kinds[k].name,
                     (unsigned)(in->routers / 1000));
            rows[count] = (struct bench_row){
                .name = text[count], .run = {kinds[k].svr, peer}, .input = in};
        }
    }
    return count;
}

/* Takes --largest N out of the arguments. */
static int read_largest(int argc, char **argv, uint32_t *largest)
{
    *largest = UINT32_MAX;
    if (argc < 3 || strcmp(argv[1], "--largest") != 0)
        return argc;
    *largest = (uint32_t)strtoul(argv[2], NULL, 10);
    if (*largest < 1000)
        fail("--largest is from 1000");
    for (int i = 3; i < argc; i++)
        argv[i - 2] = argv[i];
    return argc - 2;
}

int main(int argc, char **argv)
{
    static struct bench_row rows[SIZES * KINDS];
    uint32_t largest;
    struct bench b = {
        .name = "path",
        .operations = OPERATIONS,
        .ways = {[SVR] = "libsvr", [IGRAPH] = "igraph"},
        .ratios = {{IGRAPH, SVR}},
        .ratio_count = 1,
        .rows = rows,
        .finish = tell_growth,
    };

    argc = read_largest(argc, argv, &largest);
    b.row_count = make_rows(rows, largest);
    return bench_main(&b, argc, argv);
}
