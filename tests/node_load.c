/*
 * How many sessions a service has at each router that it leaves at, as reverse
 * metadata says (type 13), and what that does to new sessions (S16.2).
 */
#include "node/node.h"
#include "node_mesh.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <string.h>

enum {
    ROOM = 10,
};

static struct mesh m;

/* r2 and r3 have the service. r0 reaches both; r1 goes to r2 only, so that r0
 * does not see what it does there. */
static struct mesh_options two_places(void)
{
    return (struct mesh_options){
        .routers = 4,
        .also = 3,
        .room = ROOM,
        .watched = true,
        .topology = true,
        .policy = {.best_path = SVR_BEST_VECTOR},
        .link_count = 3,
        .links = {{0, 2, 0}, {0, 3, 1}, {1, 2, 2}},
    };
}

static void start(const struct mesh_options *o)
{
    mesh_open(&m, o);
    mesh_run(&m, 15 * SVR_SECOND); /* past hold-down */
}

/* A session, answered by its server; which router it leaves at. */
static int begin(int client, uint16_t port)
{
    static const char *const clients[] = {"10.0.0.10", "10.1.0.10"};
    struct frame f =
        frame_udp(clients[client], port, "10.3.0.10", 9, "ping", 4);
    int at;

    mesh_clear(&m);
    cr_assert_eq(mesh_send(&m, client, f), SVR_DROP_NONE);
    mesh_run(&m, 50 * SVR_MILLISECOND);
    cr_assert_eq(m.received, 1);
    at = m.inbox_router[0];
    f = frame_udp("10.3.0.10", 9, clients[client], port, "pong", 4);
    cr_assert_eq(mesh_send(&m, at, f), SVR_DROP_NONE);
    mesh_run(&m, 50 * SVR_MILLISECOND);
    cr_assert_eq(m.received, 2);
    cr_assert_eq(m.inbox_router[1], client);
    return at;
}

/* What a router takes for the load of the service at another one. */
static uint32_t load_at(int router, int egress)
{
    const svr_node *n = m.node[router];
    uint32_t i = 0;

    while (n->choices.instances[i].router != (uint32_t)egress)
        i++;
    return svr__load_of(n, i, m.now);
}

Test(node_load, forged)
{
    static const char *const names[] = {"r2", "r3", "r0", "r9", NULL};
    const struct {
        const char *about;
        int name; /* in names */
        uint64_t count;
        bool counted;
        uint32_t is; /* the load of r2 as r0 has it then */
    } rows[] = {
        {"another router that has the service", 1, 7, true, 1},
        {"the router itself", 2, 7, true, 1},
        {"a router that nobody knows", 3, 7, true, 1},
        {"of no router", 4, 7, true, 1},
        {"no number", 0, 7, false, 1},
        {"more than there can be", 0, UINT64_MAX, true, UINT32_MAX - 1},
        {"the vector's end", 0, 7, true, 7},
    };
    struct mesh_options o = two_places();

    start(&o);
    cr_assert_eq(begin(0, 50), 2);
    cr_assert_eq(load_at(0, 2), 1);
    const svr__session *s = &m.node[0]->table.sessions[0];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        svr_metadata md;
        svr_metadata_init(&md);
        md.service_sessions = rows[i].count;
        if (rows[i].counted)
            md.present |= SVR_HAS(SERVICE_SESSIONS);
        if (names[rows[i].name]) {
            md.present |= SVR_HAS(DESTINATION_ROUTER);
            md.destination_router = svr__text(names[rows[i].name]);
        }
        svr__load_heard(m.node[0], s, &md, m.now);
        cr_expect_eq(load_at(0, 2), rows[i].is, "%s: %u", rows[i].about,
                     load_at(0, 2));
        cr_expect_eq(load_at(0, 3), 0, "%s", rows[i].about);
    }
    mesh_close(&m);
}

/* One has six sessions of somebody else's: the first session of ours there
 * tells, and the others go where there is more room, until it is as full. */
Test(node_load, unequal)
{
    struct mesh_options o = two_places();
    int at[4] = {0};

    start(&o);
    for (uint16_t i = 0; i < 6; i++)
        cr_assert_eq(begin(1, (uint16_t)(70 + i)), 2);
    cr_assert_eq(load_at(0, 2), 0, "nobody has told r0");
    cr_assert_eq(begin(0, 50), 2, "of equals the first by name");
    cr_expect_eq(load_at(0, 2), 7);
    for (uint16_t i = 0; i < 7; i++)
        at[begin(0, (uint16_t)(60 + i))]++;
    cr_expect_eq(at[3], 7);
    cr_expect_eq(load_at(0, 3), 7);
    cr_expect_eq(begin(0, 90), 2, "equal again");
    mesh_close(&m);
}

/* The service is full at one router: shares go elsewhere, too. */
Test(node_load, full)
{
    struct mesh_options o = two_places();

    o.policy.balance = SVR_BALANCE_PROPORTIONAL;
    o.sessions = 256;
    start(&o);
    for (int i = 0; i < ROOM - 1; i++)
        begin(1, (uint16_t)(70 + i));
    for (int i = 0; begin(0, (uint16_t)(100 + i)) != 2; i++)
        cr_assert_lt(i, ROOM, "it is never chosen");
    cr_assert_eq(load_at(0, 2), ROOM);
    for (int i = 0; load_at(0, 3) < ROOM; i++)
        cr_assert_eq(begin(0, (uint16_t)(200 + i)), 3);
    mesh_close(&m);
}

/* What was said a minute ago says nothing. */
Test(node_load, ages)
{
    static const struct {
        unsigned wait; /* seconds */
        uint32_t load;
        int at;
    } rows[] = {{58, 7, 3}, {61, 0, 2}};

    for (size_t i = 0; i < 2; i++) {
        struct mesh_options o = two_places();
        start(&o);
        for (uint16_t k = 0; k < 6; k++)
            begin(1, (uint16_t)(70 + k));
        cr_assert_eq(begin(0, 50), 2);
        mesh_run(&m, rows[i].wait * SVR_SECOND);
        cr_expect_eq(load_at(0, 2), rows[i].load, "after %u s", rows[i].wait);
        cr_expect_eq(begin(0, 51), rows[i].at, "after %u s", rows[i].wait);
        mesh_close(&m);
    }
}

/* The later one counts: the topology, or metadata. */
Test(node_load, beside_the_topology)
{
    struct mesh_options o = two_places();

    o.learning = true;
    start(&o);
    cr_assert_eq(begin(0, 50), 2);
    cr_expect_eq(load_at(0, 2), 1, "metadata is there at once");
    for (uint16_t i = 0; i < 4; i++)
        begin(1, (uint16_t)(70 + i));
    cr_expect_eq(load_at(0, 2), 1);
    mesh_run(&m, 15 * SVR_SECOND);
    cr_expect_eq(load_at(0, 2), 5, "the topology has it later");
    cr_assert_eq(begin(0, 51), 3);
    cr_assert_eq(load_at(0, 3), 1);
    mesh_run(&m, 70 * SVR_SECOND);
    cr_expect_eq(load_at(0, 2), 5);
    cr_expect_eq(load_at(0, 3), 1);
    mesh_close(&m);
}

/* Through a router between, which passes it on, both egresses share out. */
Test(node_load, through_a_transit)
{
    struct mesh_options o = two_places();
    int at[4] = {0};

    o.link_count = 3;
    o.links[0] = (struct mesh_link){0, 1, 0};
    o.links[1] = (struct mesh_link){1, 2, 0};
    o.links[2] = (struct mesh_link){1, 3, 0};
    start(&o);
    for (uint16_t i = 0; i < 8; i++) {
        int egress = begin(0, (uint16_t)(50 + i));
        cr_expect_eq(load_at(0, egress), (uint32_t)++at[egress], "%u", i);
        mesh_run(&m, 2 * SVR_SECOND);
    }
    cr_expect_eq(at[2], 4);
    cr_expect_eq(at[3], 4);
    mesh_close(&m);
}

/* Nothing is said of services whose way nobody chooses. */
Test(node_load, not_asked_for)
{
    struct mesh_options o = two_places();

    o.policy.best_path = SVR_BEST_ORDER;
    o.next[0] = 4;
    start(&o);
    cr_assert_eq(begin(0, 50), 3);
    svr__session *s = &m.node[3]->table.sessions[0];
    svr_metadata md;
    svr_metadata_init(&md);
    svr__load_describe(m.node[3], s, &md, m.now);
    cr_expect_eq(md.present, 0);
    cr_expect_eq(m.node[3]->leaving[0], 1, "it is counted, though");
    mesh_close(&m);
}
