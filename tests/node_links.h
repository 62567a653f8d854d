/* Two routers with three links of different quality, or more routers, in
 * virtual time: by which of them sessions go. */
#ifndef TESTS_NODE_LINKS_H
#define TESTS_NODE_LINKS_H

#include "node/node.h"
#include "node_mesh.h"

/* Figures are averages over the last minute: so many seconds until they are. */
enum { LINKS_MEASURED = 75 };

#define NEVER SVR_VECTOR_NEVER
#define RANKS(list) .vectors = (list), .vector_count = COUNT(list)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OPEN_LIMITS                                            \
    .max_latency_us = UINT32_MAX, .max_jitter_us = UINT32_MAX, \
    .max_loss_ppm = UINT32_MAX
#define LIMITS(latency, jitter, loss)                          \
    .quality_filter = true, .max_latency_us = (latency)*1000u, \
    .max_jitter_us = (jitter)*1000u, .max_loss_ppm = (loss)

/* What is lost on each plane, in a thousand. */
struct weather {
    unsigned loss[MESH_PLANES];
    uint64_t random;
    uint8_t only; /* what this router sends, plus 1; 0: whoever sends */
    bool lost[MESH_PLANES][2]; /* by sender: the last message of a pathway */
};

/* Two routers with a link on each plane, pathways watched. */
struct mesh_options links_three(void);
/* Opens a network in that weather, with delays in ms or NULL, and lets the
 * links be measured. */
void links_open(struct mesh *m, const struct mesh_options *o, struct weather *w,
                const unsigned delay[MESH_PLANES]);
/* A datagram from a client behind the router, and half a second. Returns why it
 * was dropped. */
enum svr_drop links_begin(struct mesh *m, int router, uint16_t port);
/* The name of the pathway by which the session leaves a router, "host" where it
 * ends there, or NULL. */
const char *links_find(struct mesh *m, int router, uint16_t port);
/* The same; fails where there is none. */
const char *links_way(struct mesh *m, int router, uint16_t port);
/* The plane of that way, at router 0. */
int links_plane(struct mesh *m, uint16_t port);
/* How many moves the router has counted. */
uint64_t links_moved(const struct mesh *m, int router);
/* What moves from plane 0 is moved by figures. */
void links_expect_no_failure(struct mesh *m, const char *about);

#endif
