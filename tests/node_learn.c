/* Routers tell each other of the network (S14.3, S16.1). */
#include "node_mesh.h"

#include <criterion/criterion.h>

#define MS SVR_MILLISECOND
#define S SVR_SECOND

/* A ring of six, and a second link between the first two. */
static struct mesh_options ring(void)
{
    struct mesh_options o = {.routers = MESH_ROUTERS,
                             .watched = true,
                             .learning = true,
                             .resiliency = SVR_RESILIENCY_FAILOVER};

    for (int i = 0; i < MESH_ROUTERS; i++)
        o.links[o.link_count++] = (struct mesh_link){
            (uint8_t)i, (uint8_t)((i + 1) % MESH_ROUTERS), 0};
    o.links[o.link_count++] = (struct mesh_link){0, 1, 1};
    return o;
}

static const svr_topology *graph_of(const struct mesh *m, int router)
{
    return svr_chart_graph(svr_node_chart(m->node[router]));
}

static const svr_path_edge *edge_of(const struct mesh *m, int router, int from,
                                    int to, int plane)
{
    return &graph_of(m, router)->edges[mesh_edge(m, router, from, to, plane)];
}

static size_t up_count(const struct mesh *m, int router)
{
    const svr_topology *t = graph_of(m, router);
    size_t count = 0;

    for (size_t i = 0; i < t->edge_count; i++)
        count += t->edges[i].up;
    return count;
}

static void expect_all(const struct mesh *m, size_t up)
{
    for (int i = 0; i < m->options.routers; i++) {
        cr_expect_eq(up_count(m, i), up, "r%d: %zu", i, up_count(m, i));
        for (size_t e = 0; e < graph_of(m, i)->edge_count; e++) {
            const svr_path_edge *a = &graph_of(m, i)->edges[e];
            const svr_path_edge *b =
                edge_of(m, 0, (int)a->from, (int)a->to, a->name[1] - '0');
            cr_expect(a->up == b->up && a->latency_us == b->latency_us &&
                          a->loss_ppm == b->loss_ppm,
                      "r%d, %s", i, a->name);
        }
    }
}

static struct mesh m;

/* Up, past hold-down, and measured. */
static void start(const struct mesh_options *o)
{
    mesh_open(&m, o);
    mesh_run(&m, 30 * S);
}

Test(node_learn, without_a_network_nothing_is_told)
{
    struct mesh_options o = ring();

    o.learning = false;
    start(&o);
    cr_expect_null(svr_node_chart(m.node[0]));
    mesh_reload(&m, 0);
    mesh_run(&m, 5 * S);
    mesh_close(&m);
}

Test(node_learn, every_router_knows_the_network)
{
    struct mesh_options o = ring();

    start(&o);
    expect_all(&m, 14);
    cr_expect_eq(edge_of(&m, 5, 2, 3, 0)->latency_us, 5000);
    mesh_close(&m);
}

/* Nobody needs to be next to a pathway to know that it is down: BFD takes 300
 * ms, and some more hops 5 ms each. */
Test(node_learn, a_pathway_that_goes_down)
{
    struct mesh_options o = ring();

    start(&o);
    m.cut[1] = true;
    mesh_run(&m, 400 * MS);
    expect_all(&m, 12);
    cr_expect_not(edge_of(&m, 3, 0, 1, 1)->up);
    cr_expect(edge_of(&m, 3, 0, 1, 0)->up);
    m.cut[1] = false;
    mesh_run(&m, 20 * S);
    expect_all(&m, 14);
    mesh_close(&m);
}

static bool cut_router(struct mesh *mesh, int from, int to, int plane,
                       struct frame *f)
{
    int dead = *(int *)mesh->user;

    (void)plane, (void)f;
    return from != dead && to != dead;
}

/* Both ends must agree: one that is dead says nothing at all. */
Test(node_learn, a_router_that_is_gone)
{
    struct mesh_options o = ring();
    int dead = 3;

    start(&o);
    m.user = &dead;
    m.filter = cut_router;
    mesh_run(&m, S);
    cr_expect_not(edge_of(&m, 0, 2, 3, 0)->up);
    cr_expect_not(edge_of(&m, 0, 3, 2, 0)->up);
    cr_expect_eq(up_count(&m, 0), 10);
    m.filter = NULL;
    mesh_run(&m, 20 * S);
    expect_all(&m, 14);
    mesh_restart(&m, 3);
    mesh_run(&m, S);
    cr_expect_eq(up_count(&m, 0), 10);
    mesh_run(&m, 20 * S);
    expect_all(&m, 14);
    mesh_close(&m);
}

static bool lose_some(struct mesh *mesh, int from, int to, int plane,
                      struct frame *f)
{
    unsigned *count = mesh->user;

    (void)from, (void)to, (void)f;
    return plane != 1 || ++*count % 5 != 0;
}

/* S16.1: figures travel, too; a bad pathway is known to be bad. */
Test(node_learn, a_pathway_that_loses_packets)
{
    struct mesh_options o = ring();
    unsigned count = 0;

    start(&o);
    m.user = &count;
    m.filter = lose_some;
    m.delay[1] = 40 * MS;
    mesh_run(&m, 60 * S);
    cr_expect_gt(edge_of(&m, 4, 0, 1, 1)->loss_ppm, 50000);
    cr_expect_geq(edge_of(&m, 4, 0, 1, 1)->latency_us, 20000);
    mesh_close(&m);
}

/* Sessions that leave at the last router are its service's load. */
Test(node_learn, the_load_of_a_service)
{
    struct mesh_options o = ring();

    start(&o);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(mesh_send(&m, 0,
                               frame_udp("10.0.0.10", (uint16_t)(50 + i),
                                         "10.5.0.10", 9, "ping", 4)),
                     SVR_DROP_NONE);
    mesh_run(&m, 12 * S);
    cr_expect_eq(svr_node_session_count(m.node[5]), 3);
    for (int i = 0; i < MESH_ROUTERS; i++)
        cr_expect_eq(graph_of(&m, i)->instances[0].load, 3, "r%d", i);
    mesh_reload(&m, 5);
    mesh_run(&m, 12 * S);
    cr_expect_eq(graph_of(&m, 0)->instances[0].load, 3);
    mesh_run(&m, 200 * S);
    cr_expect_eq(svr_node_session_count(m.node[5]), 0);
    cr_expect_eq(graph_of(&m, 0)->instances[0].load, 0);
    mesh_close(&m);
}

Test(node_learn, a_new_configuration)
{
    struct mesh_options o = ring();

    start(&o);
    mesh_reload(&m, 2);
    expect_all(&m, 14);
    m.cut[1] = true;
    mesh_run(&m, S);
    expect_all(&m, 12);
    mesh_close(&m);
}

/* Nothing goes between those two routers. */
static bool cut_link(struct mesh *mesh, int from, int to, int plane,
                     struct frame *f)
{
    const int *end = mesh->user;

    (void)plane, (void)f;
    return !(from == end[0] && to == end[1]) &&
           !(from == end[1] && to == end[0]);
}

/* S16.1: two ways of two hops; the one whose second pathway is down is not
 * begun, and is again once that is up. */
Test(node_learn, new_sessions_avoid_what_is_down_elsewhere)
{
    struct mesh_options o = {
        .routers = 4,
        .links = {{0, 1, 0}, {1, 3, 0}, {0, 2, 1}, {2, 3, 1}},
        .link_count = 4,
        .watched = true,
        .learning = true,
    };
    int ends[][2] = {{1, 3}, {2, 3}};

    svr_service_policy_init(&o.policy);
    o.policy.best_path = SVR_BEST_LATENCY;
    for (int i = 0; i < 2; i++) {
        start(&o);
        m.user = ends[i];
        m.filter = cut_link;
        mesh_run(&m, S);
        cr_assert_eq(
            mesh_send(&m, 0,
                      frame_udp("10.0.0.10", 50, "10.3.0.10", 9, "ping", 4)),
            SVR_DROP_NONE);
        mesh_run(&m, S / 10);
        cr_expect_eq(m.received, 1);
        cr_expect_str_eq(mesh_session(&m, 0).server.peer, i ? "r1" : "r2");
        mesh_close(&m);
    }
}

/* A service that is full gets no more sessions. */
Test(node_learn, a_service_that_is_full)
{
    struct mesh_options o = ring();

    o.room = 2;
    svr_service_policy_init(&o.policy);
    o.policy.best_path = SVR_BEST_LATENCY;
    o.policy.no_best_effort = true;
    start(&o);
    for (uint16_t i = 0; i < 2; i++)
        cr_assert_eq(mesh_send(&m, 0,
                               frame_udp("10.0.0.10", 50 + i, "10.5.0.10", 9,
                                         "ping", 4)),
                     SVR_DROP_NONE);
    mesh_run(&m, 15 * S);
    cr_assert_eq(svr_node_session_count(m.node[5]), 2);
    cr_expect_eq(
        mesh_send(&m, 0, frame_udp("10.0.0.10", 60, "10.5.0.10", 9, "ping", 4)),
        SVR_DROP_PATH_LIMITS);
    mesh_close(&m);
}

static bool check_size(struct mesh *mesh, int from, int to, int plane,
                       struct frame *f)
{
    (void)from, (void)to, (void)plane;
    cr_expect_leq(f->p.len, *(uint16_t *)mesh->user);
    return true;
}

/* What is told fits the smallest interfaces. */
Test(node_learn, small_packets)
{
    struct mesh_options o = ring();
    uint16_t mtu = 1280;

    o.v6[0] = o.v6[1] = true;
    for (int i = 0; i < MESH_PLANES; i++)
        o.mtu[i] = mtu;
    mesh_open(&m, &o);
    m.user = &mtu;
    m.filter = check_size;
    mesh_run(&m, 30 * S);
    expect_all(&m, 14);
    mesh_close(&m);
}
