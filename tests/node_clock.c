/* Clocks and starts that tags depend on (S11.3, S11.7). */
#include "node/node.h"
#include "node_mesh.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum {
    HOUR = 3600,
};

static struct mesh_options two_routers(void)
{
    return (struct mesh_options){
        .routers = 2,
        .links = {{0, 1, 0}},
        .link_count = 1,
        .next = {2},
        .per_packet = true,
        .watched = true,
    };
}

/* A datagram from the client, and one back. Whether both arrived. */
static bool speak(struct mesh *m)
{
    bool there, back;

    mesh_clear(m);
    mesh_send(m, 0, frame_udp("10.0.0.10", 5000, "10.1.0.10", 7, "ping", 4));
    mesh_run(m, 100 * SVR_MILLISECOND);
    there = m->received == 1 && m->inbox_router[0] == 1;
    mesh_clear(m);
    mesh_send(m, 1, frame_udp("10.1.0.10", 7, "10.0.0.10", 5000, "pong", 4));
    mesh_run(m, 100 * SVR_MILLISECOND);
    back = m->received == 1 && m->inbox_router[0] == 0;
    return there && back;
}

static uint64_t dropped(const struct mesh *m, int router, enum svr_drop reason)
{
    svr_counters c;

    svr_node_counters(m->node[router], &c);
    return c.dropped[reason];
}

static void wall_clock_jumps(struct mesh *m, int router, int64_t seconds)
{
    uint64_t unix_ns =
        UINT64_C(1700000000000000000) + m->now + (uint64_t)seconds * SVR_SECOND;

    svr_node_set_unix_time(m->node[router], unix_ns, m->now);
}

/* Routers whose wall clocks differ learn by how much; those that do not speak
 * about their pathway cannot, which is the control. */
Test(node_clock, wall_clocks_differ)
{
    static const int64_t skews[] = {0,  1,    -1,    5,
                                    -5, HOUR, -HOUR, 365 * 24 * HOUR};

    for (size_t i = 0; i < 2 * sizeof(skews) / sizeof(skews[0]); i++) {
        struct mesh_options options = two_routers();
        struct mesh m;
        bool watched = i % 2 == 0, close = llabs(skews[i / 2]) <= 1;

        options.watched = watched;
        options.skew[1] = skews[i / 2];
        mesh_open(&m, &options);
        mesh_run(&m, 3 * SVR_SECOND);
        bool works = speak(&m);
        cr_expect_eq(works, watched || close, "row %zu", i);
        cr_expect_eq(dropped(&m, 1, SVR_DROP_TAG) > 0, !works, "row %zu", i);
        mesh_close(&m);
    }
}

/* S11.3: nothing happens to sessions, whichever clock jumps, and when. */
Test(node_clock, a_wall_clock_jumps)
{
    struct mesh_options options = two_routers();
    struct mesh m;

    mesh_open(&m, &options);
    mesh_run(&m, 3 * SVR_SECOND);
    cr_expect(speak(&m));
    for (int i = 0; i < 4; i++) {
        wall_clock_jumps(&m, i % 2, i < 2 ? HOUR : -HOUR);
        cr_expect(speak(&m), "jump %d", i);
        mesh_run(&m, 30 * SVR_SECOND);
        cr_expect(speak(&m), "jump %d, later", i);
    }
    for (int router = 0; router < 2; router++)
        cr_expect_eq(dropped(&m, router, SVR_DROP_TAG), 0);
    mesh_close(&m);
}

/* A router that starts again has another clock: its peer asks anew. */
Test(node_clock, a_router_starts_with_another_time)
{
    struct mesh_options options = two_routers();
    struct mesh m;

    mesh_open(&m, &options);
    mesh_run(&m, 3 * SVR_SECOND);
    cr_expect(speak(&m));
    m.options.skew[1] = HOUR;
    mesh_restart(&m, 1);
    mesh_run(&m, 20 * SVR_SECOND);
    cr_expect(speak(&m));
    mesh_close(&m);
}

struct tape {
    struct frame first;
    bool taken;
};

static bool record(struct mesh *m, int from, int to, int plane, struct frame *f)
{
    struct tape *t = m->user;

    (void)to;
    (void)plane;
    if (from == 0 && !t->taken && !mesh_is_watch(f)) {
        t->first = frame_copy(f);
        t->taken = true;
    }
    return true;
}

/* S11.7: nothing from before a restart is accepted after it, even where its
 * number and its time would pass. */
Test(node_clock, replayed_after_a_restart)
{
    struct mesh_options options = two_routers();
    struct tape tape = {0};
    struct mesh m;
    struct frame again;

    mesh_open(&m, &options);
    mesh_run(&m, 3 * SVR_SECOND);
    m.filter = record;
    m.user = &tape;
    cr_expect(speak(&m));
    cr_assert(tape.taken);
    again = frame_copy(&tape.first);
    mesh_inject(&m, 0, 1, 0, again);
    mesh_run(&m, 100 * SVR_MILLISECOND);
    cr_expect_eq(dropped(&m, 1, SVR_DROP_REPLAY), 1, "the control: same start");
    cr_expect_eq(dropped(&m, 1, SVR_DROP_TAG), 0);
    m.cut[0] = true; /* so that the peer does not tell it of the session */
    mesh_restart(&m, 1);
    mesh_inject(&m, 0, 1, 0, tape.first);
    mesh_run(&m, 100 * SVR_MILLISECOND);
    cr_expect_eq(dropped(&m, 1, SVR_DROP_TAG), 1);
    cr_expect_eq(svr_node_session_count(m.node[1]), 0);
    mesh_close(&m);
}
