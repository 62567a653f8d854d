/*
 * trace.h - which routers a host's packet has passed since its host sent it.
 *
 * It travels beside the bytes, so no router can change it. A router that gets a
 * packet again that it has sent on already is part of a loop (S20), be it that
 * the packet ends there: that is a failure in every plan.
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stdint.h>

struct world;

/* More than a route record holds. */
enum { TRACE_MOST = 20 };

struct trace {
    uint32_t session; /* number + 1; 0: no host has sent this */
    uint8_t count;
    uint16_t passed[TRACE_MOST];
};

/* The packet comes to a router, */
void trace_arrive(struct world *w, uint16_t router, const struct trace *t);
/* and goes on from there. */
void trace_leave(struct world *w, uint16_t router, struct trace *t);

#endif
