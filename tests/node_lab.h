/*
 * node_lab.h - the routers of node_net.h at work: what they send reaches each
 * other and their hosts at once, their timers run, and a test can take packets
 * away and restart routers.
 */
#ifndef SVR_TESTS_NODE_LAB_H
#define SVR_TESTS_NODE_LAB_H

#include "node_net.h"

/* Routers, by the last byte of their waypoint. */
enum {
    LAB_BRANCH = 1,
    LAB_DC = 2,
    LAB_HUB = 3,
    LAB_ROUTERS = 4,
};

enum {
    LAB_MAPPINGS = 256,
};

/* A NAT before the branch, whose address there is 203.0.113.77. A port inside
 * has one outside for each protocol; what comes in must come from where
 * something has gone to. */
struct lab_nat {
    bool on;
    uint16_t next; /* port outside of the next mapping */
    struct lab_mapping {
        uint8_t proto;
        uint16_t inside, outside;
        svr_addr remote;
        uint16_t remote_port;
    } mapping[LAB_MAPPINGS];
    size_t count;
};

struct lab {
    struct net net;
    struct lab_nat nat;
    bool dead[LAB_ROUTERS]; /* what goes there is lost */
    unsigned crossed;       /* packets between routers so far */
    unsigned lose;          /* the number of one that is lost; 0: none */
    /* Whether a packet between routers is carried; NULL: yes. It may change
     * the packet. */
    bool (*carries)(struct lab *lab, int from, int to, struct frame *f);
    void *user;
    struct frame last[LAB_ROUTERS]; /* what the hosts behind it last got */
    unsigned got[LAB_ROUTERS];      /* and how many packets */
    unsigned resets;                /* of TCP, that hosts got */
};

/* Watched pathways, up and past the quiet time of the routers' start. */
void lab_open(struct lab *lab, struct net_options options);
void lab_close(struct lab *lab);
svr_node *lab_node(struct lab *lab, int router);
/* Time passes. */
void lab_run(struct lab *lab, svr_time duration);
/* A host behind the router sends the packet, which is taken. The reason for
 * which the router dropped it, or SVR_DROP_NONE. */
enum svr_drop lab_host(struct lab *lab, int router, struct frame f);
/* The router loses its state and starts again at once, or stays dead. */
void lab_restart(struct lab *lab, int router);
void lab_kill(struct lab *lab, int router);
/* The NAT forgets its mappings; the next ones are others. */
void lab_rebind(struct lab *lab);
/* The first session of a router; fails the test where there is none. */
svr_session_info lab_session(struct lab *lab, int router);

#endif
