/*
 * router.h - a svr_node as a program around it would run it: packets queue
 * before it and go in as batches, timers run, clocks are its own.
 */
#ifndef SIM_ROUTER_H
#define SIM_ROUTER_H

#include "authority.h"
#include "buffer.h"
#include "memory.h"
#include "net.h"
#include "queue.h"

#include <svr/node.h>

struct world;

struct router {
    uint16_t index;
    struct config *config;
    svr_node *node; /* NULL: it is not running */
    struct world *world;
    struct account memory;
    struct prng random;
    uint32_t boot;
    struct station *ports[1 + TOPOLOGY_PORTS]; /* by interface; [0]: the LAN */
    struct line ring;                          /* packets that wait */
    bool polled;                               /* somebody will look at them */
    bool stopped;                              /* the process stands still */
    struct timer expiry;
    svr_time clock;     /* its monotonic clock is world time and this */
    int64_t unix_shift; /* by how much its wall clock is wrong */
    uint64_t sent;      /* packets that it has sent since it started */
    struct trace apart; /* of the packet that it is taking apart, if any */
};

/* Interface 0 is the LAN, for hosts. */
enum { ROUTER_LAN = 0 };

void router_open(struct world *w, struct router *r, size_t index);
void router_close(struct world *w, struct router *r);

/* A process begins, with a boot counter of its own, or ends at once. */
void router_start(struct world *w, struct router *r);
void router_kill(struct world *w, struct router *r);
/* It is not given the processor for a while, or again. */
void router_pause(struct router *r);
void router_resume(struct world *w, struct router *r);
/* The wall clock jumps to be wrong by that much. */
void router_set_clock(struct world *w, struct router *r, int64_t shift);

/* A packet waits at an interface. Takes it. */
void router_receive(struct world *w, struct router *r, uint16_t iface,
                    struct buffer *b);

/* Fails the world unless every packet is accounted for. */
void router_check(struct world *w, struct router *r);

/* Whether every pathway of it is up. */
bool router_is_up(const struct world *w, const struct router *r);
/* Something was done to the node from outside: it may have something to send
 * and to wait for. */
void router_touched(struct world *w, struct router *r);
svr_time router_now(const struct world *w, const struct router *r);

#endif
