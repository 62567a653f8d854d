/*
 * topology_net.h - a network of charts in memory and virtual time, for tests
 * and the fuzz target.
 *
 * Messages take a while, may be lost, doubled and overtaken, and pass where a
 * link between the two routers is up when they are sent and when they arrive.
 */
#ifndef SVR_TESTS_TOPOLOGY_NET_H
#define SVR_TESTS_TOPOLOGY_NET_H

#include <svr/topology.h>

#include "support.h"

typedef struct net_message {
    svr_time at;
    uint64_t serial;
    uint32_t from, to;
    uint16_t len;
    uint8_t bytes[SVR_CHART_MESSAGE];
} net_message;

typedef struct net_link {
    uint32_t end[2];
    bool up;
    svr_chart_figures figures[2];
} net_link;

typedef struct net_router {
    svr_chart *chart;
    uint32_t boot;
    uint32_t *neighbours;
    uint32_t *up; /* links that are, to each of them */
    size_t neighbour_count;
} net_router;

typedef struct net {
    svr_topology authority;
    svr_path_edge *edges; /* 2 * link and 2 * link + 1 */
    svr_path_instance *instances;
    char (*names)[24], (*edge_names)[24];
    const char **router_names;
    net_link *links;
    size_t link_count;
    net_router *routers;
    test_memory memory;
    uint32_t rate, burst; /* 0: as usual */

    svr_time now;
    net_message **heap;
    size_t waiting, room;
    uint64_t serial, seed;
    uint32_t loss, doubled; /* in 1000 messages */
    svr_time delay;
    uint32_t jitter; /* milliseconds */
    uint64_t lose;   /* exactly the message with this serial; 0: none */
    uint64_t sent, bytes;
    uint64_t lost;
} net;

/* All links are down and every router is there. Each router has the service of
 * its number modulo `services`, if there are any. */
void net_init(net *n, size_t routers, const uint32_t (*links)[2],
              size_t link_count, size_t services);
void net_fini(net *n);

/* A router starts, or ends. */
void net_start(net *n, uint32_t router, uint32_t boot);
void net_stop(net *n, uint32_t router);
svr_chart_config net_config(const net *n, uint32_t router);

/* Both ends learn at once that a link is up or down. */
void net_set(net *n, uint32_t link, bool up);
void net_set_all(net *n, bool up);
/* What one end of a link measures. */
void net_measure(net *n, uint32_t link, unsigned end,
                 const svr_chart_figures *f);

/* Runs to that time. */
void net_run(net *n, svr_time until);
/* Runs until all charts are alike, or that time: true where they are. */
bool net_converge(net *n, svr_time until);
/* Whether two charts say the same of the network, */
bool net_alike(const svr_chart *a, const svr_chart *b);
/* and whether all do. */
bool net_same(const net *n);
/* Whether what a chart says is how the links are. */
bool net_true(const net *n, uint32_t router);
/* All messages on their way are lost. */
void net_clear(net *n);
/* A message, as if router `from` had sent it; it arrives at once. */
void net_inject(net *n, uint32_t from, uint32_t to, const uint8_t *bytes,
                size_t len);

/* The place of a neighbour in a router's list. */
size_t net_neighbour(const net *n, uint32_t router, uint32_t other);
const svr_path_edge *net_edge(const net *n, uint32_t router, uint32_t edge);

#endif
