/*
 * node_mesh.h - several routers for tests, in memory and in virtual time. Each
 * has a LAN and stands on one to three planes; a link joins two routers on a
 * plane and is a pathway of both. What is sent over a plane takes its delay and
 * passes the test's filter.
 *
 * Router number i is "r0" to "r5"; its LAN is 10.i.0.0/24 (fd00:i::/64), its
 * host there .10. One service, "apps", is at the last router. Sessions go from
 * each router to the next one, unless the test says otherwise.
 */
#ifndef SVR_TESTS_NODE_MESH_H
#define SVR_TESTS_NODE_MESH_H

#include "node_net.h"

enum {
    MESH_ROUTERS = 6,
    MESH_LINKS = 16,
    MESH_PLANES = 3,
    MESH_LAN = 0, /* interfaces: the LAN, then the planes */
    MESH_QUEUE = 4096,
};

struct mesh_link {
    uint8_t a, b, plane;
};

struct mesh;
/* A packet that router `from` sends to router `to` over a plane; false: it is
 * lost. It may be changed, kept or copied. */
typedef bool mesh_filter(struct mesh *m, int from, int to, int plane,
                         struct frame *f);

struct mesh_options {
    int routers;
    struct mesh_link links[MESH_LINKS];
    int link_count;
    uint8_t next[MESH_ROUTERS]; /* router + 1 that sessions go to next, or 0 */
    enum svr_resiliency resiliency;
    svr_service_policy policy; /* where it has a best_path: of the service, with
                                  what is said here beside it. Sessions may then
                                  go to any router first. Vectors are the
                                  planes' names, "wan0" to "wan2" */
    uint32_t cost[MESH_PLANES], capacity[MESH_PLANES];
    uint8_t also;   /* router + 1 that has the service, too, or 0 */
    bool topology;  /* all routers know all links */
    bool unaudited; /* the books are not checked after each packet, which takes
                       long with many sessions */
    bool per_packet, watched, masked, exchanged;
    uint32_t room;            /* sessions that the service has room for, at
                                 each router that has it */
    bool learning;            /* routers tell each other of the network */
    svr_time rekey;           /* as net_options has it */
    const svr_cipher *cipher; /* as net_options has it */
    enum svr_encryption encryption;
    bool clear[MESH_PLANES];    /* there is no cipher on that plane */
    bool v6[MESH_PLANES];       /* that plane's waypoints are IPv6 */
    uint16_t mtu[MESH_PLANES];  /* 0: 1500 */
    size_t sessions;            /* 0: 64 */
    size_t sealed;              /* of them; 0: all */
    int64_t skew[MESH_ROUTERS]; /* seconds that its wall clock is ahead */
};

struct flight {
    svr_time due;
    uint64_t order;
    int from, to, plane;
    struct frame frame;
};

struct mesh {
    struct mesh_options options;
    svr_node *node[MESH_ROUTERS];
    svr_identity identity[MESH_ROUTERS];
    svr_time now;
    svr_time delay[MESH_PLANES]; /* 5 ms */
    bool cut[MESH_PLANES];       /* what is sent over that plane is lost */
    mesh_filter *filter;
    void *user;
    uint32_t boot;
    uint64_t random, order;
    struct flight flight[MESH_QUEUE];
    size_t flights;
    struct frame inbox[MESH_QUEUE]; /* what came out of any LAN, in order */
    int inbox_router[MESH_QUEUE];
    size_t received;
    uint64_t sent[MESH_PLANES]; /* packets without those of BFD */
    size_t live_bytes;
};

void mesh_open(struct mesh *m, const struct mesh_options *options);
void mesh_close(struct mesh *m);
void mesh_restart(struct mesh *m, int router);
/* The router gets its configuration again. */
void mesh_reload(struct mesh *m, int router);
/* The place of a link's direction in a router's chart. */
uint32_t mesh_edge(const struct mesh *m, int router, int from, int to,
                   int plane);

/* A host's packet goes into the router; takes f. Returns why it was dropped. */
enum svr_drop mesh_send(struct mesh *m, int router, struct frame f);
/* Time passes; everything that is due happens in its order. */
void mesh_run(struct mesh *m, svr_time duration);
/* Puts a packet on its way. Takes f. */
void mesh_inject(struct mesh *m, int from, int to, int plane, struct frame f);
/* Forgets what came out of LANs. */
void mesh_clear(struct mesh *m);
/* The i-th of them, a view. */
const struct frame *mesh_got(const struct mesh *m, size_t i);

/* The router's only session; fails the test where it has another number. */
svr_session_info mesh_session(struct mesh *m, int router);
/* "r0", and its address on a plane. */
svr_addr mesh_waypoint(const struct mesh *m, int router, int plane);
/* Whether it is BFD or something else between pathways. */
bool mesh_is_watch(const struct frame *f);

#endif
