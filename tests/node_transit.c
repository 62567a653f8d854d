/* Several routers in a row (S4.3, S18, S19, S20). */
#include "node_mesh.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* A row of routers with one link between each two. */
static struct mesh_options row_of(int routers)
{
    struct mesh_options o = {.routers = routers};
    for (int i = 0; i + 1 < routers; i++)
        o.links[o.link_count++] =
            (struct mesh_link){(uint8_t)i, (uint8_t)(i + 1), 0};
    return o;
}

static const char *server_of(int routers)
{
    static const char *const hosts[] = {NULL,        NULL,        "10.1.0.10",
                                        "10.2.0.10", "10.3.0.10", "10.4.0.10",
                                        "10.5.0.10"};
    return hosts[routers];
}

#define CLIENT0 "10.0.0.10"

/* The host behind `router` gets exactly this one packet. */
static void expect_one(struct mesh *m, int router, const struct frame *sent,
                       int hops)
{
    cr_assert_eq(m->received, 1, "%zu came", m->received);
    cr_assert_eq(m->inbox_router[0], router);
    frame_expect_same(mesh_got(m, 0), sent, hops);
    mesh_clear(m);
}

/* S20, S6.4: through three to six routers, until no packet carries metadata. */
Test(node_transit, rows_of_routers)
{
    for (int routers = 3; routers <= MESH_ROUTERS; routers++) {
        struct mesh_options o = row_of(routers);
        static struct mesh m;
        mesh_open(&m, &o);
        for (int turn = 0; turn < 4; turn++) {
            struct frame there =
                frame_udp(CLIENT0, 50, server_of(routers), 9, "ping", 4);
            struct frame back =
                frame_udp(server_of(routers), 9, CLIENT0, 50, "pong", 4);
            cr_assert_eq(mesh_send(&m, 0, frame_copy(&there)), SVR_DROP_NONE);
            mesh_run(&m, SVR_SECOND / 10);
            expect_one(&m, routers - 1, &there, routers);
            cr_assert_eq(mesh_send(&m, routers - 1, frame_copy(&back)),
                         SVR_DROP_NONE);
            mesh_run(&m, SVR_SECOND / 10);
            expect_one(&m, 0, &back, routers);
            frame_free(&there);
            frame_free(&back);
        }
        svr_session_info first = mesh_session(&m, 0);
        for (int i = 1; i < routers; i++) {
            svr_session_info s = mesh_session(&m, i);
            cr_assert_arr_eq(s.uuid.b, first.uuid.b, 16);
            cr_assert_eq(s.role,
                         i == routers - 1 ? SVR_ROLE_EGRESS : SVR_ROLE_TRANSIT);
        }
        mesh_close(&m);
    }
}

/* What the forward metadata said of the routers passed, on each hop. */
static char records[MESH_ROUTERS][64];

static bool keep_record(struct mesh *m, int from, int to, int plane,
                        struct frame *f)
{
    (void)m, (void)to, (void)plane;
    if (!frame_has_metadata(f))
        return true;
    svr_metadata md = frame_metadata(f);
    if (!(md.present & SVR_HAS(ROUTE_RECORD)))
        return true;
    cr_assert_lt(md.route_record.len, sizeof(records[0]));
    memset(records[from], 0, sizeof(records[0]));
    memcpy(records[from], md.route_record.data, md.route_record.len);
    return true;
}

Test(node_transit, record_grows)
{
    struct mesh_options o = row_of(4);
    static struct mesh m;
    mesh_open(&m, &o);
    m.filter = keep_record;
    mesh_send(&m, 0, frame_udp(CLIENT0, 50, server_of(4), 9, "x", 1));
    mesh_run(&m, SVR_SECOND);
    cr_assert_eq(m.received, 1);
    cr_assert_arr_eq(records[0], "\1\0\2r0", 5);
    cr_assert_arr_eq(records[1], "\2\0\2r0\2r1", 8);
    cr_assert_arr_eq(records[2], "\3\0\2r0\2r1\2r2", 11);
    mesh_close(&m);
}

/* Routes that circle: r0 to r1 to r2 to r1, and r2 to r0. A router that was
 * passed is not chosen, and where one is chosen all the same, it refuses. */
Test(node_transit, circles)
{
    static const struct {
        uint8_t next[4]; /* router + 1 */
        int refuses;
    } rows[] = {
        {{2, 3, 2, 0}, 2}, /* r2 leads back to r1 */
        {{2, 3, 1, 0}, 2}, /* r2 leads back to the ingress */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mesh_options o = row_of(4);
        static struct mesh m;
        o.links[o.link_count++] = (struct mesh_link){0, 2, 1};
        memcpy(o.next, rows[i].next, sizeof(rows[i].next));
        mesh_open(&m, &o);
        for (int turn = 0; turn < 3; turn++)
            mesh_send(&m, 0, frame_udp(CLIENT0, 50, server_of(4), 9, "x", 1));
        mesh_run(&m, SVR_SECOND);
        cr_assert_eq(m.received, 0);
        cr_assert_geq(net_dropped(m.node[rows[i].refuses], SVR_DROP_LOOP), 1);
        cr_assert_eq(svr_node_session_count(m.node[rows[i].refuses]), 0);
        mesh_close(&m);
    }
}
