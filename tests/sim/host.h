/*
 * host.h - all hosts: who gets a packet that leaves a router for its LAN.
 */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include "session.h"

struct world;
struct router;

struct hosts {
    struct session **sessions; /* by id */
    size_t count, room;
    uint32_t *index; /* id + 1 by hash of the client's tuple; 0: free */
    size_t index_size;
    size_t open;                /* not over yet */
    struct route_facts *routes; /* of each pair of routers, when asked for */
};

void hosts_free(struct world *w);

/* A session of that kind begins, between two routers that can be joined by one
 * in that direction. It lasts until then, by and by. */
void hosts_open(struct world *w, enum session_kind kind, uint16_t from,
                uint16_t to, bool v6, svr_time until);
/* Whether and how sessions can go from one to the other. */
const struct route_facts *hosts_route(struct world *w, uint16_t from,
                                      uint16_t to);

/* The session with the client's tuple, or NULL. */
struct session *hosts_find(struct world *w, const svr_tuple *t);

/* A packet for a LAN. Takes it. */
void hosts_receive(struct world *w, struct router *r, struct buffer *b);
/* The same, but the caller keeps it and no mistake is planted. */
void hosts_deliver(struct world *w, struct router *r, const struct buffer *b);

#endif
