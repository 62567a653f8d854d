/* Exchanges over three routers (S6.9): on the wire, late, and on a bad WAN. */
#include "node/node.h"
#include "node_mesh.h"
#include "support.h"

#include <criterion/criterion.h>

enum {
    LAST = 2,
    CLIENT_PORT = 5000,
};

static const char *const client = "10.0.0.10", *const server = "10.2.0.10";

static void open_row(struct mesh *m, bool per_packet)
{
    mesh_open(m, &(struct mesh_options){.routers = 3,
                                        .links = {{0, 1, 0}, {1, 2, 0}},
                                        .link_count = 2,
                                        .per_packet = per_packet});
}

static struct frame packet(bool reverse, uint32_t number)
{
    return reverse ? frame_udp(server, 9, client, CLIENT_PORT, &number, 4)
                   : frame_udp(client, CLIENT_PORT, server, 9, &number, 4);
}

static void speak(struct mesh *m, bool reverse, uint32_t number)
{
    cr_assert_eq(mesh_send(m, reverse ? LAST : 0, packet(reverse, number)),
                 SVR_DROP_NONE);
}

static svr__session *session_of(struct mesh *m, int router)
{
    svr__table *t = &m->node[router]->table;
    for (uint32_t i = 0; i < t->cap; i++)
        if (t->sessions[i].alive)
            return &t->sessions[i];
    return NULL;
}

static svr_exchange numbers(struct mesh *m, int router, unsigned side)
{
    return svr_session_exchange(&session_of(m, router)->machine, side);
}

static void renew(struct mesh *m, int router, unsigned side)
{
    svr__session_renew(m->node[router], session_of(m, router), side, m->now);
}

/* Neighbours know each other's numbers, and want nothing more. */
static bool agree(struct mesh *m)
{
    for (int i = 0; i < LAST; i++) {
        svr_exchange a = numbers(m, i, SVR__SERVER);
        svr_exchange b = numbers(m, i + 1, SVR__CLIENT);
        if (a.unechoed || b.unechoed || a.own != b.echo || b.own != a.echo)
            return false;
    }
    return true;
}

/* What passes the WAN: the last metadata from r0 to r1, and how many blocks. */
struct tap {
    struct frame kept;
    bool keep;
    size_t blocks;
};

static bool watch_wan(struct mesh *m, int from, int to, int plane,
                      struct frame *f)
{
    struct tap *tap = m->user;
    (void)plane;
    if (!frame_has_metadata(f))
        return true;
    tap->blocks++;
    if (tap->keep && from == 0 && to == 1) {
        tap->kept = frame_copy(f);
        tap->keep = false;
        return false;
    }
    return true;
}

/* A renewed exchange has a higher number, is echoed, and then there is no
 * metadata; without packets it goes by itself. */
Test(node_exchange, renewed)
{
    for (int quiet = 0; quiet < 2; quiet++) {
        struct tap tap = {.keep = false};
        struct mesh m;
        open_row(&m, false);
        speak(&m, false, 1);
        mesh_run(&m, SVR_SECOND);
        speak(&m, true, 2);
        mesh_run(&m, SVR_SECOND);
        speak(&m, false, 3);
        mesh_run(&m, 2 * SVR_SECOND);
        cr_assert(agree(&m));
        uint64_t before = numbers(&m, 0, SVR__SERVER).own;
        m.filter = watch_wan;
        m.user = &tap;
        renew(&m, 0, SVR__SERVER);
        renew(&m, 1, SVR__CLIENT);
        if (!quiet)
            speak(&m, false, 4);
        mesh_run(&m, 3 * SVR_SECOND);
        cr_assert_eq(numbers(&m, 0, SVR__SERVER).own, before + 1);
        cr_assert(agree(&m));
        cr_assert_geq(tap.blocks, 2);
        tap.blocks = 0;
        speak(&m, false, 5);
        speak(&m, true, 6);
        mesh_run(&m, 3 * SVR_SECOND);
        cr_assert_eq(tap.blocks, 0);
        cr_assert_eq(m.received, quiet ? 5 : 6);
        mesh_close(&m);
    }
}

/* Metadata of an exchange that is over acknowledges and changes nothing. The
 * packet that carries it goes on. */
Test(node_exchange, late_metadata)
{
    struct tap tap = {.keep = true};
    struct mesh m;
    open_row(&m, false);
    m.filter = watch_wan;
    m.user = &tap;
    speak(&m, false, 1); /* is kept back */
    speak(&m, false, 2);
    mesh_run(&m, SVR_SECOND);
    speak(&m, true, 3);
    mesh_run(&m, SVR_SECOND);
    renew(&m, 0, SVR__SERVER);
    speak(&m, false, 4);
    mesh_run(&m, SVR_SECOND);
    speak(&m, true, 5);
    mesh_run(&m, SVR_SECOND);
    cr_assert(agree(&m));
    renew(&m, 1, SVR__CLIENT);
    svr_exchange r1 = numbers(&m, 1, SVR__CLIENT);
    mesh_clear(&m);
    m.now -= 3 * SVR_SECOND; /* its tag is of a time step of then */
    mesh_inject(&m, 0, 1, 0, tap.kept);
    mesh_run(&m, 15 * SVR_MILLISECOND);
    svr_exchange after = numbers(&m, 1, SVR__CLIENT);
    cr_assert_eq(after.own, r1.own);
    cr_assert_eq(after.echo, r1.echo);
    cr_assert(after.unechoed);
    cr_assert_eq(m.received, 1, "the packet itself");
    m.now += 3 * SVR_SECOND;
    mesh_run(&m, 3 * SVR_SECOND);
    cr_assert(agree(&m));
    mesh_close(&m);
}

/* A WAN that loses, doubles and reorders. */
struct rough {
    uint64_t random;
    bool calm;
    size_t blocks;
};

static uint32_t draw(struct rough *r, uint32_t below)
{
    return (uint32_t)(test_random(&r->random) % below);
}

static bool be_rough(struct mesh *m, int from, int to, int plane,
                     struct frame *f)
{
    struct rough *r = m->user;
    r->blocks += frame_has_metadata(f);
    m->delay[plane] = 5 * SVR_MILLISECOND;
    if (r->calm)
        return true;
    m->delay[plane] += draw(r, 400) * SVR_MILLISECOND;
    if (draw(r, 100) < 30)
        mesh_inject(m, from, to, plane, frame_copy(f));
    m->delay[plane] += draw(r, 400) * SVR_MILLISECOND;
    return draw(r, 100) >= 20;
}

static void expect_own_packets(const struct mesh *m)
{
    for (size_t i = 0; i < m->received; i++) {
        svr_headers h = frame_headers(&m->inbox[i]);
        bool reverse = m->inbox_router[i] == 0;
        cr_assert_eq(h.tuple.dport, reverse ? CLIENT_PORT : 9);
        cr_assert_eq(frame_payload(&m->inbox[i]).len, 4, "nothing was added");
    }
}

static void run_rough(uint64_t seed, bool forward, bool reverse,
                      bool per_packet)
{
    static struct mesh m;
    struct rough r = {.random = seed};
    open_row(&m, per_packet);
    m.filter = be_rough;
    m.user = &r;
    for (uint32_t i = 0; i < 200; i++) {
        if (forward || i == 0)
            speak(&m, false, 2 * i);
        if (reverse && session_of(&m, LAST))
            speak(&m, true, 2 * i + 1);
        int router = (int)draw(&r, 3);
        if (draw(&r, 20) == 0 && session_of(&m, router))
            renew(&m, router, draw(&r, 2));
        mesh_run(&m, (10 + draw(&r, 60)) * SVR_MILLISECOND);
    }
    mesh_run(&m, SVR_SECOND);
    expect_own_packets(&m);
    r.calm = true;
    for (uint32_t i = 0; i < 40; i++) {
        speak(&m, !forward, i);
        if (forward && reverse)
            speak(&m, true, i);
        mesh_run(&m, 250 * SVR_MILLISECOND);
    }
    r.blocks = 0;
    mesh_clear(&m);
    for (uint32_t i = 0; i < 10; i++) {
        speak(&m, !forward, i);
        mesh_run(&m, 250 * SVR_MILLISECOND);
    }
    cr_assert(agree(&m), "seed %lu", (unsigned long)seed);
    cr_assert_eq(r.blocks, 0, "seed %lu", (unsigned long)seed);
    cr_assert_eq(m.received, 10);
    expect_own_packets(&m);
    mesh_session(&m, 0);
    mesh_session(&m, 1);
    mesh_session(&m, LAST);
    mesh_close(&m);
}

/* Lines with traffic in either direction: metadata ends, neighbours agree, and
 * each has one session. */
Test(node_exchange, rough_wan)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        run_rough(seed, true, true, seed & 1);
        run_rough(seed + 100, true, false, seed & 1);
    }
}
