/*
 * What is chosen beyond the next router (S16.4, S17): small networks.
 */
#include "node_links.h"

#include <criterion/criterion.h>
#include <string.h>

/* r0 has two ways to r3: by r1 on plane 0, and by r2 on plane 1; r1 and r2 are
 * joined on plane 2. */
static struct mesh_options diamond(void)
{
    return (struct mesh_options){
        .routers = 4,
        .watched = true,
        .topology = true,
        .link_count = 5,
        .links = {{0, 1, 0}, {1, 3, 0}, {0, 2, 1}, {2, 3, 1}, {1, 2, 2}},
    };
}

static void expect_way(struct mesh *m, int router, const char *name,
                       const char *about)
{
    const char *is = links_way(m, router, 50);
    cr_assert_str_eq(is, name, "%s: router %d sends by %s", about, router, is);
}

Test(node_vectors, whole_vectors)
{
    static const svr_vector_rank by_one[] = {{0, 2}, {1, 1}, {2, 3}};
    static const svr_vector_rank no_one[] = {{1, NEVER}};
    static const struct {
        const char *about;
        svr_service_policy policy;
        const char *first, *second;
        int by;
    } table[] = {
        {"priority of the worst pathway",
         {.best_path = SVR_BEST_VECTOR, RANKS(by_one)},
         "p1-r2",
         "p1-r3",
         2},
        {"never",
         {.best_path = SVR_BEST_VECTOR, RANKS(no_one)},
         "p0-r1",
         "p0-r3",
         1},
        {"the fewest hops where all is equal",
         {.best_path = SVR_BEST_VECTOR},
         "p0-r1",
         "p0-r3",
         1},
    };
    static struct mesh m;

    for (size_t i = 0; i < COUNT(table); i++) {
        struct mesh_options o = diamond();
        struct weather w = {{0}, 1, 0};
        o.policy = table[i].policy;
        links_open(&m, &o, &w, NULL);
        cr_assert_eq(links_begin(&m, 0, 50), SVR_DROP_NONE);
        expect_way(&m, 0, table[i].first, table[i].about);
        expect_way(&m, table[i].by, table[i].second, table[i].about);
        expect_way(&m, 3, "host", table[i].about);
        const svr__session *s = m.node[0]->table.sessions;
        cr_assert_eq(s->passed.count, 0);
        cr_assert_eq(s->passed.coming, 1);
        cr_assert_eq(s->passed.router[0], 3, "r3 is to come behind the next");
        mesh_close(&m);
    }
}

/* S16.4: a transit follows the record as long as it can, else it computes the
 * rest, and never enters a router that was passed. */
Test(node_vectors, the_rest_is_computed)
{
    static struct mesh m;
    struct mesh_options o = diamond();
    struct weather w = {{0}, 1, 0};

    o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR};
    o.links[4].plane = 2;
    links_open(&m, &o, &w, NULL);
    /* r1 loses its link to r3; r0 does not know. */
    cr_assert_eq(svr_node_pathway_admin(m.node[1], "p0-r3", true, m.now), 0);
    mesh_run(&m, SVR_SECOND);
    cr_assert_eq(links_begin(&m, 0, 50), SVR_DROP_NONE);
    expect_way(&m, 0, "p0-r1", "r0 follows what it knows");
    expect_way(&m, 1, "p2-r2", "r1 goes round");
    expect_way(&m, 2, "p1-r3", "r2 goes on");
    expect_way(&m, 3, "host", "r3");
    /* And where r2 is no way out, either, r1 does not go back to r0. */
    cr_assert_eq(svr_node_pathway_admin(m.node[2], "p1-r3", true, m.now), 0);
    mesh_run(&m, SVR_SECOND);
    cr_assert_eq(links_begin(&m, 0, 51), SVR_DROP_NONE);
    cr_assert_geq(net_dropped(m.node[2], SVR_DROP_LOOP) +
                      net_dropped(m.node[2], SVR_DROP_PATHWAY_DOWN) +
                      net_dropped(m.node[2], SVR_DROP_NO_ROUTE),
                  1);
    cr_assert_eq(svr_node_session_count(m.node[3]), 1);
    mesh_close(&m);
}

/* All links to the last router are down: that may pass, and is no refusal. What
 * a policy never takes is. */
Test(node_vectors, no_way_far_off)
{
    static const svr_vector_rank never[] = {{0, NEVER}, {1, NEVER}};
    static struct mesh m;

    for (int row = 0; row < 2; row++) {
        struct mesh_options o = diamond();
        struct weather w = {{0}, 1, 0};
        o.learning = true;
        o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR};
        if (row == 1) {
            o.policy.vectors = never;
            o.policy.vector_count = COUNT(never);
        }
        links_open(&m, &o, &w, NULL);
        for (int i = 0; i < 2 && row == 0; i++)
            cr_assert_eq(svr_node_pathway_admin(
                             m.node[3], i ? "p1-r2" : "p0-r1", true, m.now),
                         0);
        mesh_run(&m, 3 * SVR_SECOND);
        cr_expect_eq(links_begin(&m, 0, 50),
                     row ? SVR_DROP_NO_ROUTE : SVR_DROP_PATHWAY_DOWN, "row %d",
                     row);
        mesh_close(&m);
    }
}

/* The only router that a session goes to is cut off: it goes on by another one,
 * whoever speaks, and the hosts do not notice. */
static struct frame chat_packet(bool tcp, bool reverse, uint32_t k)
{
    const char *a = "10.0.0.10", *b = "10.3.0.10";
    uint8_t flags = (uint8_t)(k ? SVR_TCP_ACK : SVR_TCP_SYN);

    if (!tcp)
        return reverse ? frame_udp(b, 9, a, 50, "y", 1)
                       : frame_udp(a, 50, b, 9, "x", 1);
    if (!reverse)
        return frame_tcp(a, 50, b, 80, flags, k ? 1 : 0, k, NULL, 0);
    return frame_tcp(b, 80, a, 50, flags | SVR_TCP_ACK, k, 1, "y", k ? 1 : 0);
}

Test(node_vectors, goes_on_by_another_router)
{
    static struct mesh m;

    for (int row = 0; row < 8; row++) {
        bool silent = row & 1, tcp = row & 2, stays = row & 4;
        struct mesh_options o = diamond();
        struct weather w = {{0}, 1, 0};
        uint32_t came = 0;
        o.resiliency = stays ? SVR_RESILIENCY_NONE : SVR_RESILIENCY_FAILOVER;
        o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR};
        links_open(&m, &o, &w, NULL);
        for (uint32_t k = 0; k < 100; k++) {
            if (k == 20)
                m.cut[0] = true;
            if (k == 60)
                came = 0;
            if (!silent || k < 20)
                mesh_send(&m, 0, chat_packet(tcp, false, k));
            mesh_run(&m, 12 * SVR_MILLISECOND);
            mesh_send(&m, 3, chat_packet(tcp, true, k));
            mesh_run(&m, 12 * SVR_MILLISECOND);
            for (size_t i = 0; i < m.received; i++)
                came += m.inbox_router[i] == 0;
            mesh_clear(&m);
        }
        cr_assert_eq(svr_node_session_count(m.node[0]), 1, "row %d", row);
        cr_assert_eq(svr_node_session_count(m.node[3]), 1, "row %d", row);
        if (stays) {
            svr_session_info s = mesh_session(&m, 0);
            cr_assert_str_eq(s.server.pathway, "p0-r1", "row %d", row);
            cr_assert_eq(came, 0, "row %d", row);
        } else {
            svr_session_info s = mesh_session(&m, 0);
            cr_assert_str_eq(s.server.pathway, "p1-r2", "row %d", row);
            s = mesh_session(&m, 2);
            cr_assert_str_eq(s.server.pathway, "p1-r3", "row %d", row);
            cr_assert_geq(came, 38, "row %d: %u came back", row, came);
            if (tcp)
                cr_assert_str_eq(s.state, "established", "row %d", row);
        }
        mesh_close(&m);
    }
}

/* There is no way left, and then one by another router than that which the
 * session went by last. */
Test(node_vectors, waits_for_another_router)
{
    static struct mesh m;

    for (int row = 0; row < 4; row++) {
        bool silent = row & 1, tcp = row & 2;
        struct mesh_options o = diamond();
        struct weather w = {{0}, 1, 0};
        uint32_t came = 0;
        o.learning = true;
        o.resiliency = SVR_RESILIENCY_FAILOVER;
        o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR};
        links_open(&m, &o, &w, NULL);
        for (uint32_t k = 0; k < 200; k++) {
            m.cut[0] = k >= 20 && k < 100;
            m.cut[1] = k >= 60;
            if (k == 58 && !silent)
                cr_assert_str_eq(links_way(&m, 0, 50), "p1-r2", "row %d", row);
            if (!silent || k < 20)
                mesh_send(&m, 0, chat_packet(tcp, false, k));
            mesh_run(&m, 12 * SVR_MILLISECOND);
            mesh_send(&m, 3, chat_packet(tcp, true, k));
            mesh_run(&m, 12 * SVR_MILLISECOND);
            for (size_t i = 0; i < m.received && k >= 180; i++)
                came += m.inbox_router[i] == 0;
            mesh_clear(&m);
        }
        cr_assert_eq(svr_node_session_count(m.node[0]), 1, "row %d", row);
        cr_assert_eq(svr_node_session_count(m.node[3]), 1, "row %d", row);
        cr_assert_str_eq(links_way(&m, 0, 50), "p0-r1", "row %d", row);
        cr_assert_geq(came, 18, "row %d: %u came back", row, came);
        mesh_close(&m);
    }
}

/* The ingress hears that its session has lost its way behind the next router,
 * which is still there: the session goes on by another one. */
Test(node_vectors, loses_its_way_far_off)
{
    static struct mesh m;

    for (int heard = 0; heard < 2; heard++) {
        struct mesh_options o = diamond();
        struct weather w = {{0}, 1, 0};
        svr_path_edge *edges;
        o.resiliency = SVR_RESILIENCY_FAILOVER;
        o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR};
        o.link_count = 4; /* r1 has no way round */
        links_open(&m, &o, &w, NULL);
        cr_assert_eq(links_begin(&m, 0, 50), SVR_DROP_NONE);
        expect_way(&m, 0, "p0-r1", "before");
        edges = m.node[0]->choices.edges;
        for (size_t i = 0; i < m.node[0]->choices.edge_count; i++)
            if (edges[i].from == 1 && edges[i].to == 3)
                edges[i].up = !heard;
        svr__choices_state(m.node[0]);
        mesh_run(&m, SVR_SECOND / 2);
        expect_way(&m, 0, heard ? "p1-r2" : "p0-r1", "r1 to r3");
        if (heard)
            expect_way(&m, 2, "p1-r3", "r2 to r3");
        cr_assert_eq(svr_node_session_count(m.node[0]), 1);
        cr_assert_eq(svr_node_session_count(m.node[3]), 1);
        mesh_close(&m);
    }
}

/* S16.4: eight vectors of r0 are better than its own link to r3, and all lead
 * back by r1, which the session comes from: that link is taken. */
Test(node_vectors, a_way_behind_many_better_ones)
{
    static const svr_vector_rank ranks[] = {{0, 1}, {1, 1}, {2, 2}};
    static struct mesh m;
    struct mesh_options o = {
        .routers = 4,
        .watched = true,
        .topology = true,
        .link_count = 7,
        .links = {{0, 1, 0},
                  {0, 1, 1},
                  {1, 2, 0},
                  {1, 2, 1},
                  {2, 3, 0},
                  {2, 3, 1},
                  {0, 3, 2}},
        .policy = {.best_path = SVR_BEST_VECTOR, RANKS(ranks)},
    };
    struct weather w = {{0}, 1, false};

    links_open(&m, &o, &w, NULL);
    cr_assert_eq(svr_node_pathway_admin(m.node[1], "p0-r2", true, m.now), 0);
    cr_assert_eq(svr_node_pathway_admin(m.node[1], "p1-r2", true, m.now), 0);
    mesh_run(&m, SVR_SECOND);
    mesh_send(&m, 1, frame_udp("10.1.0.10", 50, "10.3.0.10", 9, "x", 1));
    mesh_run(&m, SVR_SECOND);
    expect_way(&m, 0, "p2-r3", "past r1");
    cr_assert_eq(svr_node_session_count(m.node[3]), 1);
    mesh_close(&m);
}

/* All but the link between r1 and r2 is cut: r1 goes round by r2, and then r0
 * comes by r2 as well, so that r1 has nowhere to go. When all is mended the
 * session goes on, though its client has nothing to say. */
Test(node_vectors, two_ways_round_meet)
{
    static struct mesh m;

    for (uint64_t seed = 0; seed < 4; seed++) {
        struct mesh_options o = diamond();
        struct weather w = {{0}, seed, false};
        o.resiliency = SVR_RESILIENCY_FAILOVER;
        o.policy = (svr_service_policy){.best_path = SVR_BEST_VECTOR};
        links_open(&m, &o, &w, NULL);
        cr_assert_eq(links_begin(&m, 0, 50), SVR_DROP_NONE);
        mesh_send(&m, 3, chat_packet(false, true, 1));
        mesh_run(&m, SVR_SECOND);
        m.cut[0] = true;
        mesh_run(&m, 50 * SVR_MILLISECOND);
        m.cut[1] = true;
        mesh_run(&m, 20 * SVR_SECOND);
        m.cut[0] = m.cut[1] = false;
        mesh_run(&m, 5 * SVR_SECOND);
        mesh_clear(&m);
        mesh_send(&m, 3, chat_packet(false, true, 2));
        mesh_run(&m, SVR_SECOND);
        cr_assert_eq(m.received, 1);
        cr_assert_eq(m.inbox_router[0], 0);
        const char *first = links_find(&m, 1, 50),
                   *second = links_find(&m, 2, 50);
        cr_assert_not(first && second && strcmp(first, "p2-r2") == 0 &&
                          strcmp(second, "p2-r1") == 0,
                      "they send to each other");
        mesh_close(&m);
    }
}
