/* watch.h - tells in the log what pathways do: one line for each that came up
 * or went down, at most once in a second, whatever happened in between. */
#ifndef SVR_ROUTER_WATCH_H
#define SVR_ROUTER_WATCH_H

#include <svr/svr.h>

/* Lines in one second; what more there is to say is counted. */
#define WATCH_LINES 20

/* A pathway as last told. */
struct watch_seen {
    bool up;
    uint32_t flaps;
};

struct watch {
    struct watch_seen *seen; /* of each pathway */
    size_t count;
};

/* All pathways start as down. 0, or -1 where there is no memory. */
int watch_init(struct watch *w, size_t pathways);
void watch_free(struct watch *w);
/* Room for the pathways of another configuration. 0, or -1 where there is no
 * memory. */
int watch_reserve(struct watch *w, size_t pathways);
/* The node has that configuration: how its pathways are now is taken as told.
 */
void watch_look(struct watch *w, const svr_node *node, svr_time now);
/* To be called every second. */
void watch_tick(struct watch *w, const svr_node *node, svr_time now);

#endif
