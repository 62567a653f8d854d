/*
 * net.h - segments and the stations on them: how a packet gets from one router
 * to the next, through links and NATs.
 */
#ifndef SIM_NET_H
#define SIM_NET_H

#include "link.h"
#include "nat.h"
#include "topology.h"

struct world;

/* The end of a segment at a router. */
struct station {
    uint16_t segment, number; /* from 1 */
    uint16_t router, iface;
    struct link link; /* towards the segment */
    unsigned deaf;    /* for how many reasons nothing comes from it */
    struct nat *nat;  /* NULL: none */
};

struct segment {
    struct station *stations; /* [number - 1] */
    size_t count;
};

struct net {
    struct segment *segments;
    size_t count;
};

void net_open(struct net *n, const struct topology *t);
void net_close(struct net *n);

/* The router's packet goes onto the segment, to whom it names. Takes it. */
void net_send(struct world *w, struct station *from, struct buffer *b);

/* A packet that appears on a segment as if it had come from a station: copies
 * of packets that somebody has recorded. Takes it. */
void net_inject(struct world *w, struct station *to, struct buffer *b,
                svr_time at);

#endif
