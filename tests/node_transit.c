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
        cr_assert_eq(m.received, 1); /* by the client: it is refused */
        cr_assert(frame_headers(&m.inbox[0]).icmp_error);
        cr_assert_geq(net_dropped(m.node[rows[i].refuses], SVR_DROP_LOOP), 1);
        for (int r = 0; r < 4; r++)
            cr_assert_eq(svr_node_session_count(m.node[r]), 0);
        mesh_close(&m);
    }
}

/* A packet of a protocol without ports. */
static struct frame frame_of(uint8_t proto, const char *src, const char *dst,
                             size_t len)
{
    struct frame f = frame_echo(src, dst, 7, false, len);
    bool v6 = f.p.data[0] >> 4 == 6;
    f.p.data[v6 ? 6 : 9] = proto;
    if (v6)
        return f;
    f.p.data[10] = f.p.data[11] = 0; /* the header's checksum */
    uint32_t sum = 0;
    for (int i = 0; i < 20; i += 2)
        sum += (uint32_t)f.p.data[i] << 8 | f.p.data[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    f.p.data[10] = (uint8_t)(sum >> 8);
    f.p.data[11] = (uint8_t)sum;
    return f;
}

/* S4.3, S4.7: what has no ports crosses four routers both ways, over planes of
 * either family. */
Test(node_transit, protocols_without_ports)
{
    enum { GRE = 47, ESP = 50 };
    for (int row = 0; row < 24; row++) {
        bool v6 = row & 1, v6_plane = row & 2, per_packet = row & 4;
        int kind = row / 8;
        const char *c = v6 ? "fd00::10" : CLIENT0;
        const char *s = v6 ? "fd00:3::10" : server_of(4);
        struct mesh_options o = row_of(4);
        static struct mesh m;
        o.per_packet = per_packet;
        o.v6[0] = v6_plane;
        mesh_open(&m, &o);
        for (int turn = 0; turn < 3; turn++) {
            for (int reverse = 0; reverse < 2; reverse++) {
                const char *from = reverse ? s : c, *to = reverse ? c : s;
                struct frame f =
                    kind == 0 ? frame_echo(from, to, 9, reverse, 40)
                              : frame_of(kind == 1 ? GRE : ESP, from, to, 40);
                cr_assert_eq(mesh_send(&m, reverse ? 3 : 0, frame_copy(&f)),
                             SVR_DROP_NONE, "row %d", row);
                mesh_run(&m, SVR_SECOND / 10);
                expect_one(&m, reverse ? 0 : 3, &f, 4);
                frame_free(&f);
            }
        }
        mesh_close(&m);
    }
}

static svr_tuple quote_of(const struct frame *error)
{
    svr_headers h = frame_headers(error);
    svr_tuple quoted;
    cr_assert(h.icmp_error);
    cr_assert_eq(svr_icmp_quote_parse(&quoted, error->p.data + h.l4,
                                      error->p.len - h.l4,
                                      h.tuple.proto == SVR_PROTO_ICMPV6),
                 0);
    return quoted;
}

static struct frame probe(int kind, const char *c, const char *s, uint16_t port)
{
    return kind == 0   ? frame_udp(c, port, s, 33434, NULL, 32)
           : kind == 1 ? frame_tcp(c, port, s, 80, SVR_TCP_SYN, 5, 0, "", 0)
                       : frame_echo(c, s, port, false, 32);
}

/* S19, S4.5: as traceroute sees four routers. */
Test(node_transit, time_exceeded_at_each_router)
{
    for (int row = 0; row < 24; row++) {
        bool v6 = row & 1, v6_plane = row & 2, masked = row & 4;
        const char *c = v6 ? "fd00::10" : CLIENT0;
        const char *s = v6 ? "fd00:3::10" : server_of(4);
        struct mesh_options o = row_of(4);
        static struct mesh m;
        o.v6[0] = v6_plane;
        o.masked = masked;
        mesh_open(&m, &o);
        for (uint8_t ttl = 1; ttl <= 4; ttl++) {
            struct frame f = probe(row / 8, c, s, 50 + ttl);
            svr_headers h = frame_headers(&f);
            f.p.data[v6 ? 7 : 8] = ttl;
            svr_packet_checksum_write(&f.p, &h);
            mesh_send(&m, 0, f);
            mesh_run(&m, SVR_SECOND / 10);
            cr_assert_eq(m.received, 1, "row %d ttl %d", row, ttl);
            cr_assert_eq(m.inbox_router[0], 0);
            svr_tuple quoted = quote_of(mesh_got(&m, 0));
            cr_assert(svr_tuple_equal(&quoted, &h.tuple), "row %d ttl %d", row,
                      ttl);
            svr_headers e = frame_headers(mesh_got(&m, 0));
            cr_assert(svr_addr_equal(&e.tuple.dst, &h.tuple.src));
            cr_assert_eq(net_dropped(m.node[ttl - 1], SVR_DROP_TTL), 1);
            mesh_clear(&m);
        }
        mesh_close(&m);
    }
}

/* S19: what a server's host or network says about a session reaches the client
 * through four routers; about none, it does not. */
Test(node_transit, errors_of_the_servers_side)
{
    static uint8_t buf[NET_BUFFER];
    for (int row = 0; row < 24; row++) {
        bool v6 = row & 1, v6_plane = row & 2, masked = row & 4;
        const char *c = v6 ? "fd00::10" : CLIENT0;
        const char *s = v6 ? "fd00:3::10" : server_of(4);
        struct mesh_options o = row_of(4);
        static struct mesh m;
        o.v6[0] = v6_plane;
        o.masked = masked;
        mesh_open(&m, &o);
        struct frame f = probe(row / 8, c, s, 50), error = {0};
        svr_headers sent = frame_headers(&f);
        mesh_send(&m, 0, f);
        mesh_run(&m, SVR_SECOND / 10);
        cr_assert_eq(m.received, 1);
        svr_headers h = frame_headers(mesh_got(&m, 0));
        svr_addr server = addr(s);
        cr_assert_eq(svr_icmp_error(&error.p, buf, sizeof(buf),
                                    SVR_ICMP_PROHIBITED, 0, &server,
                                    &m.inbox[0].p, &h),
                     0);
        struct frame good = frame_copy(&error), foreign = frame_copy(&error);
        mesh_clear(&m);
        size_t quote = v6 ? 40 + 8 + 40 : 20 + 8 + 20;
        foreign.p.data[quote + (row / 8 == 2 ? 4 : 0)] ^= 1; /* port, or id */
        svr_headers eh;
        cr_assert_eq(svr_packet_parse(&eh, &foreign.p), 0);
        svr_packet_checksum_write(&foreign.p, &eh);
        cr_assert_eq(mesh_send(&m, 3, foreign), SVR_DROP_ICMP_NO_SESSION);
        cr_assert_eq(mesh_send(&m, 3, good), SVR_DROP_NONE, "row %d", row);
        mesh_run(&m, SVR_SECOND / 10);
        cr_assert_eq(m.received, 1, "row %d", row);
        cr_assert_eq(m.inbox_router[0], 0);
        svr_tuple quoted = quote_of(mesh_got(&m, 0));
        cr_assert(svr_tuple_equal(&quoted, &sent.tuple), "row %d", row);
        mesh_close(&m);
    }
}

/* The IP fragments of one datagram are with the host; returns the bytes of
 * their payloads in order, 0 where one is missing. */
static size_t fragments_len(const struct mesh *m)
{
    size_t end = 0, sum = 0;
    for (size_t i = 0; i < m->received; i++) {
        const uint8_t *ip = m->inbox[i].p.data;
        size_t at = (size_t)((ip[6] & 0x1f) << 8 | ip[7]) * 8;
        size_t len = m->inbox[i].p.len - 20;
        sum += len;
        if (!(ip[6] & 0x20))
            end = at + len;
    }
    return sum == end ? end : 0;
}

/* S18: a datagram in fragments belongs to its session, whatever each pathway
 * takes; and packets that a narrow pathway in the middle makes too big travel
 * in pieces over that one only. */
Test(node_transit, fragments)
{
    static const uint16_t mtus[][3] = {
        {1500, 1500, 1500}, {1500, 1280, 1500}, {1280, 1500, 1400}};
    for (size_t row = 0; row < 6; row++) {
        struct mesh_options o = {.routers = 4, .per_packet = row >= 3};
        static struct mesh m;
        for (uint8_t i = 0; i < 3; i++) {
            o.links[o.link_count++] =
                (struct mesh_link){i, (uint8_t)(i + 1), i};
            o.mtu[i] = mtus[row % 3][i];
        }
        mesh_open(&m, &o);
        for (int turn = 0; turn < 3; turn++) {
            struct frame whole =
                frame_udp(CLIENT0, 50, server_of(4), 9, NULL, 2952);
            for (int part = 0; part < 2; part++) {
                struct frame f = frame_new(20 + 1480);
                size_t at = part ? 1480 : 0;
                memcpy(f.p.data, whole.p.data, 20);
                memcpy(f.p.data + 20, whole.p.data + 20 + at, 1480);
                f.p.data[2] = 1500 >> 8, f.p.data[3] = 1500 & 0xff;
                f.p.data[4] = (uint8_t)(turn + 1);
                f.p.data[6] = part ? 0 : 0x20;
                f.p.data[7] = part ? 1480 / 8 : 0;
                f.p.data[10] = f.p.data[11] = 0;
                uint32_t sum = 0;
                for (int i = 0; i < 20; i += 2)
                    sum += (uint32_t)f.p.data[i] << 8 | f.p.data[i + 1];
                sum = (sum & 0xffff) + (sum >> 16);
                sum = ~sum;
                f.p.data[10] = (uint8_t)(sum >> 8);
                f.p.data[11] = (uint8_t)sum;
                cr_assert_eq(mesh_send(&m, 0, f), SVR_DROP_NONE);
            }
            frame_free(&whole);
            mesh_run(&m, SVR_SECOND / 10);
            cr_assert_eq(fragments_len(&m), 2960, "row %zu turn %d", row, turn);
            mesh_clear(&m);
            cr_assert_eq(svr_node_session_count(m.node[3]), 1);

            struct frame full =
                frame_udp(server_of(4), 9, CLIENT0, 50, NULL, 1200);
            mesh_send(&m, 3, frame_copy(&full));
            mesh_run(&m, SVR_SECOND / 10);
            expect_one(&m, 0, &full, 4);
            frame_free(&full);
        }
        mesh_close(&m);
    }
}
