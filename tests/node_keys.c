/* Keys that are exchanged, at work (S11.6, S12): in what order and with what
 * failures they come, and that sessions lose nothing to them. */
#include "node/node.h"

#include "node_lab.h"
#include "node_mesh.h"

#include <criterion/criterion.h>
#include <string.h>

#define HOST(i) (hosts[i])

static const char *const hosts[] = {"10.0.0.10", "10.1.0.10", "10.2.0.10",
                                    "10.3.0.10"};

static struct mesh mesh;

static struct mesh_options row_of(int routers)
{
    struct mesh_options o = {.routers = routers,
                             .watched = true,
                             .exchanged = true,
                             .per_packet = true,
                             .cipher = &svr_cipher_chacha20_poly1305,
                             .encryption = SVR_ENCRYPT_ALWAYS};

    for (int i = 0; i + 1 < routers; i++)
        o.links[o.link_count++] =
            (struct mesh_link){(uint8_t)i, (uint8_t)(i + 1), 0};
    return o;
}

static uint64_t dropped(const struct mesh *m, int router, enum svr_drop reason)
{
    return net_dropped(m->node[router], reason);
}

/* All drops of a router. */
static uint64_t all_dropped(const struct mesh *m, int router)
{
    uint64_t sum = 0;

    for (enum svr_drop reason = 1; reason < SVR_DROP_COUNT; reason++)
        sum += dropped(m, router, reason);
    return sum;
}

static svr_node_key key_of(const struct mesh *m, int router, int number)
{
    svr_node_key key;
    size_t cursor = 0;

    for (int i = 0; i <= number; i++)
        cr_assert_eq(svr_node_key_next(m->node[router], &cursor, &key, m->now),
                     1);
    return key;
}

/* One question and its answer between the first and the last router's hosts.
 * True where both came. */
static bool ask(struct mesh *m, uint16_t port)
{
    int last = m->options.routers - 1;
    size_t got = m->received;

    mesh_send(m, 0, frame_udp(HOST(0), port, HOST(last), 9, "question", 8));
    mesh_run(m, 40 * SVR_MILLISECOND);
    mesh_send(m, last, frame_udp(HOST(last), 9, HOST(0), port, "answer", 6));
    mesh_run(m, 40 * SVR_MILLISECOND);
    bool both = m->received == got + 2 && m->inbox_router[got] == last &&
                m->inbox_router[got + 1] == 0;
    mesh_clear(m);
    return both;
}

/* A peer with another identity than it is known by agrees on nothing, carries
 * nothing, and both say why. */
Test(node_keys, wrong_identity)
{
    struct mesh_options o = row_of(2);

    mesh_open(&mesh, &o);
    net_identity(&mesh.identity[1], 7, &mesh.node[1]->random);
    mesh_run(&mesh, 30 * SVR_SECOND);
    cr_expect_not(ask(&mesh, 4001));
    cr_expect_gt(dropped(&mesh, 0, SVR_DROP_EXCHANGE_STRANGER) +
                     dropped(&mesh, 1, SVR_DROP_EXCHANGE_STRANGER),
                 0);
    for (int i = 0; i < 2; i++) {
        cr_expect_not(key_of(&mesh, i, 0).keyed);
        cr_expect_eq(key_of(&mesh, i, 0).info.current, 0);
        cr_expect_eq(mesh.node[i]->counters.metadata_sent, 0);
    }
    cr_expect_eq(dropped(&mesh, 0, SVR_DROP_PATHWAY_DOWN), 1);
    mesh_close(&mesh);
}

static bool garble(struct mesh *m, int from, int to, int plane, struct frame *f)
{
    (void)from, (void)to, (void)plane;
    if (!mesh_is_watch(f))
        return true;
    svr_headers h = frame_headers(f);
    f->p.data[f->p.len - 1] ^= (uint8_t)(m->order & 1);
    svr_packet_checksum_write(&f->p, &h);
    return true;
}

/* Messages that were changed on the way change nothing, and those that come
 * whole are enough. */
Test(node_keys, changed_messages)
{
    struct mesh_options o = row_of(2);

    mesh_open(&mesh, &o);
    mesh.filter = garble;
    mesh_run(&mesh, 120 * SVR_SECOND);
    uint64_t refused = 0;
    for (int i = 0; i < 2; i++)
        refused += dropped(&mesh, i, SVR_DROP_EXCHANGE_KEY) +
                   dropped(&mesh, i, SVR_DROP_EXCHANGE_STRANGER) +
                   dropped(&mesh, i, SVR_DROP_EXCHANGE_OLD);
    cr_expect_gt(refused, 0);
    mesh.filter = NULL;
    mesh_run(&mesh, 40 * SVR_SECOND);
    cr_expect(ask(&mesh, 4001));
    mesh_close(&mesh);
}

/* What carries a message of the exchange carries nothing else. */
Test(node_keys, nothing_else_unsigned)
{
    struct mesh_options o = row_of(2);
    svr_bfd_block b;
    uint8_t message[] = {1, 2, 3};

    mesh_open(&mesh, &o);
    for (int row = 0; row < 4; row++) {
        struct frame f = frame_new(SVR_BFD_SIZE + 256);
        svr_bfd_packet bfd = {
            .state = SVR_BFD_UP,
            .multiplier = 3,
            .my_discriminator = 1,
            .your_discriminator = 1,
        };
        svr_tuple t = {.src = mesh_waypoint(&mesh, 1, 0),
                       .dst = mesh_waypoint(&mesh, 0, 0),
                       .sport = SVR_BFD_PORT,
                       .dport = SVR_BFD_PORT,
                       .proto = SVR_PROTO_UDP};
        svr_bfd_block_init(&b);
        b.present = SVR_BFD_HAS(ROUTER) | SVR_BFD_HAS(KEY_EXCHANGE);
        b.router = (svr_span){(const uint8_t *)(row == 0 ? "r9" : "r1"), 2};
        b.key_exchange = (svr_span){message, sizeof(message)};
        if (row == 1) {
            b.present |= SVR_BFD_HAS(BOOT_COUNTER);
            b.boot_counter = 77;
        }
        cr_assert_eq(svr_bfd_encode(f.p.data, &bfd), 0);
        ptrdiff_t len = svr_bfd_block_encode(f.p.data + SVR_BFD_SIZE, 256, &b);
        cr_assert_gt(len, 0);
        f.p.len = SVR_BFD_SIZE + (uint32_t)len + (row == 2);
        cr_assert_eq(svr_udp_wrap(&f.p, &t), 0);
        static const enum svr_drop reasons[] = {
            SVR_DROP_BFD_NO_PATHWAY, SVR_DROP_EXCHANGE_MALFORMED,
            SVR_DROP_BFD_MALFORMED, SVR_DROP_EXCHANGE_MALFORMED};
        uint64_t before = dropped(&mesh, 0, reasons[row]);
        mesh_inject(&mesh, 1, 0, 0, f);
        mesh_run(&mesh, 6 * SVR_MILLISECOND);
        cr_expect_eq(dropped(&mesh, 0, reasons[row]), before + 1, "row %d",
                     row);
    }
    cr_expect_neq(mesh.node[0]->peers[0].boot, 77);
    mesh_close(&mesh);
}

/* S12.3: a flood of the peer's own first message, as anyone can replay it, is
 * answered with cookies, and honest routers agree all the same. */
static struct frame first_message;

static bool tape_first(struct mesh *m, int from, int to, int plane,
                       struct frame *f)
{
    (void)m, (void)to, (void)plane;
    if (from == 1 && !first_message.buf)
        first_message = frame_copy(f);
    return true;
}

Test(node_keys, flood)
{
    struct mesh_options o = row_of(2);

    mesh_open(&mesh, &o);
    mesh.filter = tape_first;
    mesh_run(&mesh, 10 * SVR_SECOND);
    cr_assert_not_null(first_message.buf);
    uint32_t current = key_of(&mesh, 0, 0).info.current;
    for (int i = 0; i < 2000; i++) {
        mesh_inject(&mesh, 1, 0, 0, frame_copy(&first_message));
        mesh_run(&mesh, SVR_MILLISECOND);
    }
    mesh_run(&mesh, 10 * SVR_MILLISECOND);
    cr_expect_gt(dropped(&mesh, 0, SVR_DROP_EXCHANGE_LOAD), 1500);
    cr_expect_eq(key_of(&mesh, 0, 0).info.current, current);
    cr_expect(ask(&mesh, 4001));
    cr_assert_eq(svr_node_rekey(mesh.node[0], NULL, mesh.now), 0);
    mesh_run(&mesh, 5 * SVR_SECOND);
    cr_expect_gt(key_of(&mesh, 0, 0).info.current, current);
    frame_free(&first_message);
    mesh_close(&mesh);
}

/* A block under a generation that has died gets nothing (S11.6). */
static struct frame old_block;

static bool tape_block(struct mesh *m, int from, int to, int plane,
                       struct frame *f)
{
    (void)m, (void)to, (void)plane;
    if (from == 0 && !mesh_is_watch(f) && frame_has_metadata(f) &&
        !old_block.buf)
        old_block = frame_copy(f);
    return true;
}

Test(node_keys, old_generation)
{
    struct mesh_options o = row_of(2);

    mesh_open(&mesh, &o);
    mesh_run(&mesh, 10 * SVR_SECOND);
    mesh.filter = tape_block;
    cr_assert(ask(&mesh, 4001));
    cr_assert_not_null(old_block.buf);
    mesh_inject(&mesh, 0, 1, 0, frame_copy(&old_block));
    mesh_run(&mesh, 10 * SVR_MILLISECOND);
    cr_expect_eq(dropped(&mesh, 1, SVR_DROP_KEY), 0, "it is alive");
    cr_expect_eq(dropped(&mesh, 1, SVR_DROP_REPLAY), 1);
    cr_assert_eq(svr_node_rekey(mesh.node[0], "r1", mesh.now), 0);
    mesh_run(&mesh, 40 * SVR_SECOND);
    cr_expect_eq(key_of(&mesh, 1, 0).info.live, 1);
    mesh_inject(&mesh, 0, 1, 0, old_block);
    mesh_run(&mesh, 10 * SVR_MILLISECOND);
    cr_expect_eq(dropped(&mesh, 1, SVR_DROP_KEY), 1);
    cr_expect(ask(&mesh, 4001));
    mesh_close(&mesh);
}

Test(node_keys, unknown_peer_is_not_rekeyed)
{
    struct mesh_options o = row_of(2);

    mesh_open(&mesh, &o);
    cr_expect_eq(svr_node_rekey(mesh.node[0], "r9", mesh.now),
                 SVR_ERR_NOT_FOUND);
    o.exchanged = false;
    o.cipher = NULL;
    mesh_close(&mesh);
    mesh_open(&mesh, &o);
    cr_expect_eq(svr_node_rekey(mesh.node[0], NULL, mesh.now),
                 getenv("SVR_TEST_KEYS") ? 0 : SVR_ERR_NOT_FOUND);
    mesh_close(&mesh);
}

/* Sessions follow to new keys, in both directions and through a transit, in
 * time before the old ones die. */
Test(node_keys, sessions_follow)
{
    struct mesh_options o = row_of(3);

    mesh_open(&mesh, &o);
    mesh_run(&mesh, 10 * SVR_SECOND);
    for (uint16_t port = 4000; port < 4020; port++)
        cr_assert(ask(&mesh, port));
    for (int i = 0; i < 3; i++)
        cr_assert_eq(svr_node_rekey(mesh.node[i], NULL, mesh.now), 0);
    mesh_run(&mesh, 20 * SVR_SECOND);
    for (int i = 0; i < 3; i++) {
        svr_node *n = mesh.node[i];
        for (uint32_t k = 0; k < n->table.cap; k++)
            for (unsigned side = 0; side < 2; side++) {
                const svr__session *s = &n->table.sessions[k];
                if (!s->alive || s->side[side].pathway == SVR__NO_PATHWAY)
                    continue;
                cr_expect_eq(
                    s->side[side].generation,
                    svr__generation_now(n, &n->pathways[s->side[side].pathway]),
                    "router %d, side %u", i, side);
            }
    }
    for (uint16_t port = 4000; port < 4020; port++)
        cr_expect(ask(&mesh, port));
    mesh_run(&mesh, 40 * SVR_SECOND);
    for (uint16_t port = 4000; port < 4020; port++)
        cr_expect(ask(&mesh, port));
    for (int i = 0; i < 3; i++)
        cr_expect_eq(all_dropped(&mesh, i), 0, "router %d", i);
    mesh_close(&mesh);
}

/* S12.5: new keys every second for ten minutes, with traffic in both directions
 * through a transit, and nothing is lost. */
Test(node_keys, every_second, .timeout = 300)
{
    struct mesh_options o = row_of(3);
    unsigned asked = 0, lost = 0;

    o.rekey = SVR_SECOND;
    mesh_open(&mesh, &o);
    mesh_run(&mesh, 10 * SVR_SECOND);
    uint32_t before = key_of(&mesh, 1, 0).info.current;
    for (svr_time end = mesh.now + 600 * SVR_SECOND; mesh.now < end;) {
        asked++;
        lost += !ask(&mesh, (uint16_t)(4000 + asked % 10));
    }
    cr_expect_eq(lost, 0, "%u of %u", lost, asked);
    cr_expect_gt(key_of(&mesh, 1, 0).info.current, before + 550);
    cr_expect_gt(key_of(&mesh, 1, 1).info.current, 550);
    cr_expect_leq(key_of(&mesh, 1, 0).info.live, 33);
    for (int i = 0; i < 3; i++)
        for (enum svr_drop reason = 1; reason < SVR_DROP_COUNT; reason++)
            cr_expect_eq(dropped(&mesh, i, reason), 0, "router %d: %s", i,
                         svr_drop_name(reason));
    mesh_close(&mesh);
}

/* S12.4: sessions' own keys, on command and not more often than a receiver can
 * follow. */
Test(node_keys, payloads)
{
    struct mesh_options o = row_of(3);
    uint8_t key[SVR_KEY_SIZE];

    mesh_open(&mesh, &o);
    mesh_run(&mesh, 10 * SVR_SECOND);
    cr_assert(ask(&mesh, 4001));
    svr__session *s = mesh.node[0]->table.sessions;
    while (!s->alive)
        s++;
    svr__sealing *z = svr__sealing_of(mesh.node[0], s);
    memcpy(key, z->key, SVR_KEY_SIZE);
    for (int i = 0; i < 20; i++) {
        cr_assert_eq(svr_node_rekey(mesh.node[0], NULL, mesh.now), 0);
        cr_expect(ask(&mesh, 4001));
        mesh_run(&mesh, SVR_SECOND);
    }
    cr_expect_eq(memcmp(key, z->key, SVR_KEY_SIZE), 0, "too early");
    mesh_run(&mesh, 20 * SVR_SECOND);
    for (int i = 0; i < 5; i++)
        cr_expect(ask(&mesh, 4001));
    cr_expect_neq(memcmp(key, z->key, SVR_KEY_SIZE), 0);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(all_dropped(&mesh, i), 0, "router %d", i);
        s = mesh.node[i]->table.sessions;
        while (!s->alive)
            s++;
        cr_expect_eq(
            memcmp(z->key, svr__sealing_of(mesh.node[i], s)->key, SVR_KEY_SIZE),
            0, "router %d", i);
    }
    mesh_close(&mesh);
}

/* Messages are lost, at random: new keys come later, sessions lose only what
 * the network loses. */
static bool lose_messages(struct mesh *m, int from, int to, int plane,
                          struct frame *f)
{
    (void)from, (void)to, (void)plane;
    m->random = m->random * 6364136223846793005u + 1442695040888963407u;
    return !mesh_is_watch(f) || m->random >> 62 != 0;
}

Test(node_keys, messages_are_lost, .timeout = 300)
{
    struct mesh_options o = row_of(3);
    unsigned asked = 0;

    o.rekey = 3 * SVR_SECOND;
    mesh_open(&mesh, &o);
    mesh_run(&mesh, 10 * SVR_SECOND);
    mesh.filter = lose_messages;
    for (svr_time end = mesh.now + 120 * SVR_SECOND; mesh.now < end;) {
        if (!mesh.node[0]->pathways[0].up || !mesh.node[1]->pathways[0].up ||
            !mesh.node[1]->pathways[1].up || !mesh.node[2]->pathways[0].up) {
            mesh_run(&mesh, 100 * SVR_MILLISECOND); /* BFD is lost, too */
            mesh_clear(&mesh);
            continue;
        }
        asked++;
        ask(&mesh, (uint16_t)(4000 + asked % 10));
    }
    cr_expect_gt(asked, 200);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(dropped(&mesh, i, SVR_DROP_KEY) +
                         dropped(&mesh, i, SVR_DROP_TAG) +
                         dropped(&mesh, i, SVR_DROP_UNKEYED),
                     0, "router %d", i);
    mesh_close(&mesh);
}

/* S12.4: keys survive an outage, and new ones follow it. */
Test(node_keys, outage)
{
    struct mesh_options o = row_of(2);

    o.rekey = 20 * SVR_SECOND;
    mesh_open(&mesh, &o);
    mesh_run(&mesh, 10 * SVR_SECOND);
    cr_assert(ask(&mesh, 4001));
    mesh.cut[0] = true;
    mesh_run(&mesh, 100 * SVR_SECOND);
    cr_expect(key_of(&mesh, 0, 0).keyed);
    mesh.cut[0] = false;
    mesh_run(&mesh, 40 * SVR_SECOND);
    cr_expect(ask(&mesh, 4001));
    cr_expect(ask(&mesh, 4002));
    mesh_close(&mesh);
}

/* ... but not for ever. */
Test(node_keys, overdue)
{
    struct mesh_options o = row_of(2);

    mesh_open(&mesh, &o);
    mesh_run(&mesh, 10 * SVR_SECOND);
    mesh.cut[0] = true;
    cr_assert_eq(svr_node_rekey(mesh.node[0], NULL, mesh.now), 0);
    mesh_run(&mesh, 3700 * SVR_SECOND);
    cr_expect_not(key_of(&mesh, 0, 0).keyed);
    cr_expect(key_of(&mesh, 0, 0).info.overdue);
    cr_expect_null(svr__keys_bfd(mesh.node[0], &mesh.node[0]->pathways[0]));
    mesh.cut[0] = false;
    mesh_run(&mesh, 60 * SVR_SECOND);
    cr_expect(key_of(&mesh, 0, 0).keyed);
    cr_expect(ask(&mesh, 4001));
    mesh_close(&mesh);
}

/* Each router restarts while keys change: sessions are rebuilt under keys that
 * both know. */
Test(node_keys, restarts, .timeout = 300)
{
    for (int router = 0; router < 3; router++) {
        struct mesh_options o = row_of(3);

        o.rekey = 2 * SVR_SECOND;
        mesh_open(&mesh, &o);
        mesh_run(&mesh, 10 * SVR_SECOND);
        for (uint16_t port = 4000; port < 4010; port++)
            cr_assert(ask(&mesh, port));
        mesh_restart(&mesh, router);
        mesh_run(&mesh, 10 * SVR_SECOND);
        for (uint16_t port = 4000; port < 4010; port++)
            cr_expect(ask(&mesh, port), "router %d, port %u", router, port);
        for (int i = 0; i < 3; i++)
            cr_expect_eq(svr_node_session_count(mesh.node[i]), 10,
                         "router %d restarted, %d has", router, i);
        mesh_close(&mesh);
    }
}

/* S12.7: a peer that is removed knew the metadata key, so there is another one,
 * and the peers that stay get it. */
Test(node_keys, peer_removed)
{
    struct lab lab;
    struct net_plan plan;
    uint8_t before[SVR_KEY_SIZE];
    size_t cursor = 0;
    svr_node_key key;

    lab_open(&lab,
             (struct net_options){.hub = true,
                                  .exchanged = true,
                                  .cipher = &svr_cipher_chacha20_poly1305});
    svr_identity *own = &lab.net.identity[3];
    memcpy(before, own->metadata_key, SVR_KEY_SIZE);
    cr_assert_eq(svr_node_key_next(lab.net.hub, &cursor, &key, lab.net.now), 1);
    cr_assert(key.keyed);
    uint32_t current = key.info.current;
    net_plan(&lab.net, lab.net.hub, &plan);
    plan.config.boot = lab.net.boot;
    plan.config.pathway_count = plan.config.peer_count = 1; /* branch */
    plan.config.route_count = 0;
    cr_assert_eq(
        svr_node_reconfigure(lab.net.hub, &plan.config, lab.net.now, NULL), 0);
    cr_expect_neq(memcmp(before, own->metadata_key, SVR_KEY_SIZE), 0);
    lab_run(&lab, 5 * SVR_SECOND);
    cursor = 0;
    cr_assert_eq(svr_node_key_next(lab.net.hub, &cursor, &key, lab.net.now), 1);
    cr_expect(key.keyed);
    cr_expect_gt(key.info.current, current);
    const svr_generation *g = svr_exchange_by_number(
        lab.net.branch->peers[0].exchange, key.info.current);
    cr_assert_not_null(g);
    cr_expect_eq(memcmp(g->peer_metadata, own->metadata_key, SVR_KEY_SIZE), 0);
    lab_close(&lab);
}
