#include "node_links.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* Of messages between pathways never two in a row, so that these stay up. */
static bool passes(struct mesh *m, int from, int to, int plane, struct frame *f)
{
    struct weather *w = m->user;

    (void)to;
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    bool lost = (!w->only || from == w->only - 1) &&
                (w->random >> 20) % 1000 < w->loss[plane];
    if (mesh_is_watch(f) && from < 2) {
        lost = lost && !w->lost[plane][from];
        w->lost[plane][from] = lost;
    }
    return !lost;
}

struct mesh_options links_three(void)
{
    struct mesh_options o = {.routers = 2, .watched = true, .link_count = 3};

    for (uint8_t i = 0; i < 3; i++)
        o.links[i] = (struct mesh_link){0, 1, i};
    return o;
}

void links_open(struct mesh *m, const struct mesh_options *o, struct weather *w,
                const unsigned delay[MESH_PLANES])
{
    mesh_open(m, o);
    w->random = UINT64_C(0x9e3779b97f4a7c15) + w->random;
    m->filter = passes;
    m->user = w;
    for (int i = 0; i < MESH_PLANES; i++)
        if (delay && delay[i])
            m->delay[i] = delay[i] * SVR_MILLISECOND;
    mesh_run(m, LINKS_MEASURED * SVR_SECOND);
    mesh_clear(m);
}

enum svr_drop links_begin(struct mesh *m, int router, uint16_t port)
{
    char server[32];
    enum svr_drop reason;

    snprintf(server, sizeof(server), "10.%d.0.10", m->options.routers - 1);
    reason =
        mesh_send(m, router, frame_udp("10.0.0.10", port, server, 9, "x", 1));
    mesh_run(m, SVR_SECOND / 2);
    mesh_clear(m);
    return reason;
}

const char *links_find(struct mesh *m, int router, uint16_t port)
{
    svr_session_info info;
    size_t cursor = 0;

    while (svr_node_session_next(m->node[router], &cursor, &info))
        if (info.context.sport == port)
            return info.server.pathway ? info.server.pathway : "host";
    return NULL;
}

const char *links_way(struct mesh *m, int router, uint16_t port)
{
    const char *way = links_find(m, router, port);

    cr_assert_not_null(way, "router %d has no session from port %u", router,
                       port);
    return way;
}

int links_plane(struct mesh *m, uint16_t port)
{
    return links_way(m, 0, port)[1] - '0';
}

uint64_t links_moved(const struct mesh *m, int router)
{
    svr_counters c;
    svr_node_counters(m->node[router], &c);
    return c.sessions_moved;
}

void links_expect_no_failure(struct mesh *m, const char *about)
{
    svr_node_pathway p;
    size_t cursor = 0;

    while (svr_node_pathway_next(m->node[0], &cursor, &p, m->now))
        cr_assert(p.info.flaps == 0 || p.name[1] != '0', "%s: %s failed", about,
                  p.name);
}
