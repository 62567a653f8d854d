/* Sessions whose payloads and metadata are encrypted (S11, S12.6). */
#include "node/node.h"
#include "node_mesh.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define HOST(i) (hosts[i])
#define MARKER "Marker-4711-of-the-payload"

static const char *const hosts[] = {"10.0.0.10", "10.1.0.10", "10.2.0.10",
                                    "10.3.0.10"};

static void begin(void)
{
    cr_assert_eq(svr_crypto_init(), 0);
}

TestSuite(node_seal, .init = begin);

static struct mesh mesh;

static struct mesh_options row_of(int routers)
{
    struct mesh_options o = {.routers = routers,
                             .cipher = &svr_cipher_chacha20_poly1305,
                             .encryption = SVR_ENCRYPT_ALWAYS};
    for (int i = 0; i + 1 < routers; i++)
        o.links[o.link_count++] =
            (struct mesh_link){(uint8_t)i, (uint8_t)(i + 1), 0};
    return o;
}

static bool holds(const struct frame *f, const void *what, size_t len)
{
    for (size_t i = 0; i + len <= f->p.len; i++)
        if (memcmp(f->p.data + i, what, len) == 0)
            return true;
    return false;
}

/* What was seen between routers. */
static struct {
    unsigned packets, markers, clients, metadata;
} seen;

static bool look(struct mesh *m, int from, int to, int plane, struct frame *f)
{
    svr_addr client = addr(HOST(0));

    (void)m, (void)from, (void)to, (void)plane;
    if (mesh_is_watch(f))
        return true;
    seen.packets++;
    seen.markers += holds(f, MARKER, strlen(MARKER));
    seen.clients += holds(f, client.b + 12, 4);
    seen.metadata += frame_has_metadata(f);
    return true;
}

/* Sends it and expects that the host behind the other router gets just that. */
static void pass(struct mesh *m, int from, int to, struct frame f)
{
    size_t got = m->received;

    cr_assert_eq(mesh_send(m, from, frame_copy(&f)), SVR_DROP_NONE);
    mesh_run(m, SVR_SECOND / 10);
    cr_assert_eq(m->received, got + 1, "%zu came", m->received - got);
    cr_assert_eq(m->inbox_router[got], to);
    frame_expect_same(mesh_got(m, got), &f, m->options.routers);
    frame_free(&f);
}

static void udp_turn(struct mesh *m, uint16_t port)
{
    int last = m->options.routers - 1;

    pass(m, 0, last,
         frame_udp(HOST(0), port, HOST(last), 9, MARKER, strlen(MARKER)));
    pass(m, last, 0,
         frame_udp(HOST(last), 9, HOST(0), port, MARKER, strlen(MARKER)));
}

static uint64_t dropped(struct mesh *m, enum svr_drop reason)
{
    uint64_t sum = 0;
    for (int i = 0; i < m->options.routers; i++)
        sum += net_dropped(m->node[i], reason);
    return sum;
}

/* The control comes first: what the search finds where nothing is encrypted. */
Test(node_seal, nothing_is_seen_between_the_routers)
{
    for (int routers = 2; routers <= 4; routers++)
        for (int encrypted = 0; encrypted < 2; encrypted++)
            for (int sign = 0; sign < 2; sign++) {
                struct mesh_options o = row_of(routers);
                if (!encrypted)
                    o.encryption = SVR_ENCRYPT_NEVER;
                if (!encrypted)
                    o.cipher = NULL;
                o.per_packet = sign;
                memset(&seen, 0, sizeof(seen));
                mesh_open(&mesh, &o);
                mesh.filter = look;
                for (int turn = 0; turn < 5; turn++)
                    udp_turn(&mesh, 50);
                cr_expect_gt(seen.metadata, 0);
                cr_expect_eq(seen.packets, 10u * (unsigned)(routers - 1));
                cr_expect_eq(seen.markers, encrypted ? 0 : seen.packets);
                cr_expect_eq(seen.clients > 0, !encrypted);
                mesh_close(&mesh);
            }
}

static struct frame kept;

static bool keep(struct mesh *m, int from, int to, int plane, struct frame *f)
{
    (void)m, (void)from, (void)to, (void)plane;
    if (!kept.buf)
        kept = frame_copy(f);
    return true;
}

/* Plain packets without tags of their own: what a stranger can do to them. */
Test(node_seal, replayed_and_forged_packets_are_dropped)
{
    struct mesh_options o = row_of(2);
    mesh_open(&mesh, &o);
    for (int turn = 0; turn < 3; turn++)
        udp_turn(&mesh, 50);
    mesh.filter = keep;
    udp_turn(&mesh, 50);
    mesh.filter = NULL;
    size_t got = mesh.received;

    mesh_inject(&mesh, 0, 1, 0, frame_copy(&kept));
    mesh_run(&mesh, SVR_SECOND / 10);
    cr_expect_eq(dropped(&mesh, SVR_DROP_SEAL_REPLAY), 1);
    svr_headers h = frame_headers(&kept);
    struct frame f = frame_udp_tuple(&h.tuple, "clear", 5);
    mesh_inject(&mesh, 0, 1, 0, f);
    mesh_run(&mesh, SVR_SECOND / 10);
    cr_expect_eq(dropped(&mesh, SVR_DROP_WRONG_SEAL), 1);
    f = frame_udp_tuple(&h.tuple, kept.p.data + h.payload,
                        kept.p.len - h.payload);
    f.p.data[h.payload] ^= 1;
    f.p.checksum = SVR_CHECKSUM_FULL;
    mesh_inject(&mesh, 0, 1, 0, f);
    mesh_run(&mesh, SVR_SECOND / 10);
    cr_expect_eq(dropped(&mesh, SVR_DROP_WRONG_SEAL) +
                     dropped(&mesh, SVR_DROP_L4_CHECKSUM),
                 2);
    cr_expect_eq(mesh.received, got);
    frame_free(&kept);
    udp_turn(&mesh, 50);
    mesh_close(&mesh);
}

/* S11.9: what no router between or behind may take. */
Test(node_seal, always_needs_a_cipher)
{
    struct mesh_options o = row_of(2);
    o.cipher = NULL;
    mesh_open(&mesh, &o);
    cr_expect_eq(
        mesh_send(&mesh, 0, frame_udp(HOST(0), 50, HOST(1), 9, "x", 1)),
        SVR_DROP_NOT_SEALED);
    cr_expect_eq(svr_node_session_count(mesh.node[0]), 0);
    mesh_close(&mesh);
}

/* A router between the ends tells a neighbour of the other end's salt in the
 * exchange that is under way, and begins another one only where it has told of
 * the session without. */
Test(node_seal, salts_pass_within_one_exchange)
{
    struct mesh_options o = row_of(3);

    for (int alone = 0; alone < 2; alone++) {
        mesh_open(&mesh, &o);
        pass(&mesh, 0, 2, frame_udp(HOST(0), 50, HOST(2), 9, "a", 1));
        const svr__session *s = &mesh.node[1]->table.sessions[0];
        uint64_t number = svr_session_exchange(&s->machine, SVR__CLIENT).own;
        if (alone) /* its answers go by themselves, before there is a salt */
            svr__send_metadata(mesh.node[1], &mesh.node[1]->table.sessions[0],
                               SVR__CLIENT, mesh.now);
        for (int turn = 0; turn < 3; turn++) {
            pass(&mesh, 2, 0, frame_udp(HOST(2), 9, HOST(0), 50, "b", 1));
            pass(&mesh, 0, 2, frame_udp(HOST(0), 50, HOST(2), 9, "c", 1));
        }
        cr_expect_eq(svr_session_exchange(&s->machine, SVR__CLIENT).own,
                     number + (uint64_t)alone);
        mesh_close(&mesh);
    }
}

/* S24: a new session is refused where there is no memory to encrypt it, and
 * none is needed between the ends. */
Test(node_seal, no_more_than_there_is_memory_for)
{
    struct mesh_options o = row_of(3);

    o.sealed = 2;
    mesh_open(&mesh, &o);
    udp_turn(&mesh, 50);
    udp_turn(&mesh, 51);
    cr_expect_eq(
        mesh_send(&mesh, 0, frame_udp(HOST(0), 52, HOST(2), 9, "x", 1)),
        SVR_DROP_SEALED_FULL);
    cr_expect_eq(svr_node_session_count(mesh.node[0]), 2);
    udp_turn(&mesh, 51); /* those that run are untouched */
    cr_expect_eq(mesh.node[0]->sealing_ends.count, 2);
    cr_expect_eq(mesh.node[1]->sealing_ends.count, 0);
    mesh_run(&mesh, 300 * SVR_SECOND);
    cr_expect_eq(mesh.node[0]->sealing_ends.count, 0);
    for (uint16_t port = 60; port < 62; port++) /* places are used again */
        udp_turn(&mesh, port);
    cr_expect_eq(mesh.node[0]->sealing_ends.used, 2);
    mesh_close(&mesh);
}

/* The first of two pathways between branch and dc has no cipher. */
static void open_mixed(struct net *net, enum svr_encryption encryption)
{
    const struct net_options o = {.twin = true,
                                  .encryption = encryption,
                                  .cipher = &svr_cipher_chacha20_poly1305};
    svr_security_config security[2];
    struct net_plan p;

    net_open(net, &o);
    for (int i = 0; i < 2; i++) {
        svr_node *n = i ? net->dc : net->branch;
        net_plan(net, n, &p);
        security[0] = security[1] = p.security[0];
        security[0].cipher = NULL;
        security[1].name = "other";
        p.config.securities = security;
        p.config.security_count = 2;
        p.pathways[1].security = 1;
        cr_assert_eq(svr_node_reconfigure(n, &p.config, net->now, NULL), 0);
    }
}

/* S11.9: what has to be encrypted goes where that can be, and stays there. */
Test(node_seal, pathways_without_a_cipher_are_passed_over)
{
    static struct net net;

    for (int always = 0; always < 2; always++) {
        open_mixed(&net, always ? SVR_ENCRYPT_ALWAYS : SVR_ENCRYPT_ADAPTIVE);
        trip(&net, false, frame_udp(CLIENT, 50, SERVER, 9, MARKER, 26));
        svr__session *s = &net.branch->table.sessions[0];
        cr_expect_eq(s->side[SVR__SERVER].pathway, always);
        cr_expect_eq(s->seal, always ? SVR__SEALED : SVR__CLEAR);
        cr_expect_eq(svr__seal_may_use(net.branch, s, 0), !always);
        cr_expect(svr__seal_may_use(net.branch, s, 1));
        net_close(&net);
    }
}

static void tcp(struct mesh *m, int from, uint8_t flags, uint32_t seq,
                uint32_t ack, const char *data)
{
    int last = m->options.routers - 1;
    uint16_t client = 40000, server = 443;

    if (from == 0)
        pass(m, 0, last,
             frame_tcp(HOST(0), client, HOST(last), server, flags, seq, ack,
                       data, strlen(data)));
    else
        pass(m, last, 0,
             frame_tcp(HOST(last), server, HOST(0), client, flags, seq, ack,
                       data, strlen(data)));
}

/* A whole connection, from SYN to the end; sessions end with it. */
Test(node_seal, tcp_from_begin_to_end)
{
    for (int masked = 0; masked < 2; masked++)
        for (int routers = 2; routers <= 3; routers++) {
            struct mesh_options o = row_of(routers);
            o.masked = masked;
            o.per_packet = true;
            memset(&seen, 0, sizeof(seen));
            mesh_open(&mesh, &o);
            mesh.filter = look;
            int last = routers - 1;
            tcp(&mesh, 0, SVR_TCP_SYN, 100, 0, "");
            tcp(&mesh, last, SVR_TCP_SYN | SVR_TCP_ACK, 900, 101, "");
            tcp(&mesh, 0, SVR_TCP_ACK, 101, 901, "");
            tcp(&mesh, 0, SVR_TCP_ACK, 101, 901, MARKER);
            tcp(&mesh, last, SVR_TCP_ACK, 901, 101 + 26, MARKER);
            tcp(&mesh, 0, SVR_TCP_ACK | SVR_TCP_FIN, 127, 927, MARKER);
            tcp(&mesh, last, SVR_TCP_ACK | SVR_TCP_FIN, 927, 154, MARKER);
            tcp(&mesh, 0, SVR_TCP_ACK, 154, 954, "");
            mesh_run(&mesh, 30 * SVR_SECOND);
            for (int i = 0; i < routers; i++)
                cr_expect_eq(svr_node_session_count(mesh.node[i]), 0);
            cr_expect_eq(seen.markers, 0);
            cr_expect_eq(seen.clients, 0);
            mesh_close(&mesh);
        }
}

/* S8.3: any one router restarts; the session goes on. */
Test(node_seal, any_router_restarts)
{
    for (int routers = 2; routers <= 4; routers++)
        for (int victim = 0; victim < routers; victim++)
            for (int sign = 0; sign < 2; sign++) {
                struct mesh_options o = row_of(routers);
                int last = routers - 1;
                o.watched = true;
                o.per_packet = sign;
                mesh_open(&mesh, &o);
                mesh_run(&mesh, 15 * SVR_SECOND);
                for (int turn = 0; turn < 4; turn++)
                    udp_turn(&mesh, 50);
                svr_session_info before = mesh_session(&mesh, victim);
                mesh_restart(&mesh, victim);
                mesh_run(&mesh, 15 * SVR_SECOND);
                /* A lost packet or two is what a restart may cost. */
                for (int turn = 0; turn < 3; turn++) {
                    mesh_send(&mesh, last,
                              frame_udp(HOST(last), 9, HOST(0), 50, "a", 1));
                    mesh_run(&mesh, SVR_SECOND);
                    mesh_send(&mesh, 0,
                              frame_udp(HOST(0), 50, HOST(last), 9, "b", 1));
                    mesh_run(&mesh, SVR_SECOND);
                }
                for (int turn = 0; turn < 3; turn++)
                    udp_turn(&mesh, 50);
                svr_session_info after = mesh_session(&mesh, victim);
                cr_expect_arr_eq(after.uuid.b, before.uuid.b, 16, "%d of %d",
                                 victim, routers);
                mesh_close(&mesh);
            }
}

static bool lose_answers(struct mesh *m, int from, int to, int plane,
                         struct frame *f)
{
    (void)m, (void)plane, (void)f;
    return from != 1 || to != 0;
}

static void talk(struct mesh *m, unsigned seconds)
{
    for (unsigned i = 0; i < 5 * seconds; i++) {
        mesh_send(m, 0, frame_echo(HOST(0), HOST(2), 7, false, 9));
        mesh_run(m, SVR_SECOND / 5);
        mesh_clear(m);
    }
}

/* All but the first router forget an echo's session while they hear nothing of
 * it. What the last one then asks for comes to the first in the end, though
 * that goes on saying what it said before until it hears an answer. */
Test(node_seal, the_others_forget)
{
    struct mesh_options o = row_of(3);
    mesh_open(&mesh, &o);
    pass(&mesh, 0, 2, frame_echo(HOST(0), HOST(2), 7, false, 9));
    pass(&mesh, 2, 0, frame_echo(HOST(2), HOST(0), 7, true, 9));
    mesh.cut[0] = true;
    talk(&mesh, 12);
    mesh.cut[0] = false;
    cr_assert_eq(svr_node_session_count(mesh.node[2]), 0);
    while (svr_node_session_count(mesh.node[2]) == 0) {
        mesh_send(&mesh, 0, frame_echo(HOST(0), HOST(2), 7, false, 9));
        mesh_run(&mesh, SVR_SECOND / 50);
    }
    mesh.filter = lose_answers;
    talk(&mesh, 5);
    mesh.filter = NULL;
    talk(&mesh, 5);
    for (int turn = 0; turn < 3; turn++)
        pass(&mesh, 0, 2, frame_echo(HOST(0), HOST(2), 7, false, 9));
    mesh_close(&mesh);
}

/* S12.4, S12.5: a session of more than two days gets new keys; no packet is
 * lost, on whatever side of the change it was sent. */
Test(node_seal, keys_change_within_a_session)
{
    for (int routers = 2; routers <= 3; routers++) {
        struct mesh_options o = row_of(routers);
        mesh_open(&mesh, &o);
        mesh.filter = look;
        for (int turn = 0; turn < 50 * 36; turn++) {
            if (turn % 900 == 800) /* about 22 hours of each 25 */
                memset(&seen, 0, sizeof(seen));
            if (turn % 900 == 899)
                cr_expect_gt(seen.metadata, 0, "a new key was told");
            udp_turn(&mesh, 50);
            mesh_run(&mesh, 99 * SVR_SECOND + SVR_SECOND * 4 / 5);
            mesh_clear(&mesh);
        }
        cr_expect_eq(dropped(&mesh, SVR_DROP_WRONG_SEAL), 0);
        cr_expect_eq(mesh_session(&mesh, 0).created, 1000 * SVR_SECOND);
        mesh_close(&mesh);
    }
}

static int receiver_keys(const svr_node *n)
{
    const svr__sealing *z = svr__sealing_of(n, &n->table.sessions[0]);
    return (z->end->receiver.slot[0].cipher.cipher != NULL) +
           (z->end->receiver.slot[1].cipher.cipher != NULL);
}

/* The key before the present one opens what is late, for 30 s. */
Test(node_seal, old_keys_are_wiped)
{
    struct mesh_options o = row_of(2);
    mesh_open(&mesh, &o);
    for (int hour = 0; hour < 24 * 20; hour++) { /* of 3 minutes each */
        for (int i = 0; hour && i < 2; i++)
            cr_assert_eq(receiver_keys(mesh.node[i]), 1, "the control");
        udp_turn(&mesh, 50);
        mesh_run(&mesh, 179 * SVR_SECOND + SVR_SECOND * 4 / 5);
    }
    udp_turn(&mesh, 50); /* and there is a new key */
    udp_turn(&mesh, 50);
    mesh_run(&mesh, 29 * SVR_SECOND);
    for (int i = 0; i < 2; i++)
        cr_expect_eq(receiver_keys(mesh.node[i]), 2, "router %d", i);
    mesh_run(&mesh, 2 * SVR_SECOND);
    for (int i = 0; i < 2; i++)
        cr_expect_eq(receiver_keys(mesh.node[i]), 1, "router %d", i);
    udp_turn(&mesh, 50);
    mesh_close(&mesh);
}

/* S17: what is sent by two pathways comes once, and nothing of it is clear. */
Test(node_seal, duplicated)
{
    struct mesh_options o = row_of(2);
    o.links[o.link_count++] = (struct mesh_link){0, 1, 1};
    o.resiliency = SVR_RESILIENCY_DUPLICATE;
    memset(&seen, 0, sizeof(seen));
    mesh_open(&mesh, &o);
    mesh.filter = look;
    for (int turn = 0; turn < 12; turn++) {
        int from = turn % 2;
        mesh.cut[turn / 4 % 2] = turn > 4;
        mesh_send(&mesh, from,
                  frame_udp(HOST(from), from ? 9 : 50, HOST(!from),
                            from ? 50 : 9, MARKER, strlen(MARKER)));
        mesh_run(&mesh, SVR_SECOND / 10);
        mesh.cut[turn / 4 % 2] = false;
        cr_assert_eq(mesh.received, (size_t)turn + 1);
        cr_expect(holds(mesh_got(&mesh, (size_t)turn), MARKER, strlen(MARKER)));
    }
    cr_expect_gt(mesh.sent[1], 10);
    cr_expect_eq(seen.markers, 0);
    cr_expect_eq(seen.clients, 0);
    mesh_close(&mesh);
}
