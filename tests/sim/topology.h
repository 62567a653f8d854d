/*
 * topology.h - a network as it is planned: routers, the segments between them,
 * the pathways over these, and how all of it is configured.
 *
 * Everything follows from the seed and from what the caller fixes of it.
 */
#ifndef SIM_TOPOLOGY_H
#define SIM_TOPOLOGY_H

#include "prng.h"

#include <svr/base.h>

enum shape {
    SHAPE_PAIR, /* two routers, one to three segments between them */
    SHAPE_ROW,  /* each joined to the next, so that the inner are transit */
    SHAPE_RING,
    SHAPE_STAR, /* all but the first joined to the first, by one segment each */
    SHAPE_HUB,  /* the same, all on one segment */
    SHAPE_TREE, /* for many routers */
    SHAPE_MESH, /* the same, with several ways (mesh.h) */
    SHAPE_LINKS, /* few, with several ways (row.h) */
    SHAPES
};

enum {
    TOPOLOGY_PORTS = 64, /* the most interfaces of a router besides its LAN */
    TREE_WIDTH = 14,
    TOPOLOGY_SERVICES = 4, /* kinds of them at each router */
};

/* A network between routers. */
struct segment_plan {
    bool v6;
    svr_time delay;
    uint16_t stations;
};

/* An interface of a router towards a segment. */
struct port_plan {
    uint16_t segment, station;
    bool nat; /* stands before it, on its way to the segment */
};

struct site {
    struct port_plan ports[TOPOLOGY_PORTS];
    uint16_t port_count;
    bool serves;
};

/* A pathway between two routers, each with the port that it has there. */
struct lane {
    uint16_t router[2], port[2];
    uint16_t segment;
    bool per_packet, timed;
    bool masked[2];       /* tcp-as-udp: always */
    uint8_t vector, cost; /* as policies rank it */
};

/* How services choose vectors (S16.2), as a service policy has it and as it is
 * checked. */
struct path_policy {
    const char *text;     /* in the authority file, but for resiliency */
    bool returns;         /* sessions go back to the better way */
    svr_time max_latency; /* 0: no limit */
    bool max_loss;        /* whether it has one that a lossy line breaks */
    bool no_lte;          /* that vector is never used */
};

struct topology {
    enum shape shape;
    struct site *sites;
    size_t site_count;
    struct segment_plan *segments;
    size_t segment_count;
    struct lane *lanes;
    size_t lane_count;
    unsigned interval_ms, multiplier, hold_down_ms; /* of BFD */
    unsigned tcp_s, udp_s;                          /* idle times */
    bool moves[TOPOLOGY_SERVICES]; /* sessions leave a pathway that fails */
    bool returns;                  /* and come back */
    bool stays;                    /* they do not, by mistake (plant.h) */
    const char *cipher;            /* of all pathways; NULL: none */
    const struct path_policy *policies; /* of services, in turn, at the sites
                                           that serve; NULL: none chooses, and
                                           all sites serve */
    size_t policy_count;
    bool clear;      /* payloads go without, by mistake (plant.h) */
    size_t sessions; /* limit of each router */
};

struct row;

struct topology_wish {
    size_t routers; /* 0: two to six */
    bool quiet;     /* BFD and timeouts for a long time with little to do */
    bool row;       /* three routers in a row, and no NAT */
    bool mesh;      /* many routers that have several ways (mesh.h) */
    const struct row *link; /* three that have some (row.h); NULL: not so */
    size_t sessions;        /* limit of each router, 0: some thousands */
    const char *cipher;     /* of all pathways; NULL: none */
};

void topology_make(struct topology *t, struct prng *p,
                   const struct topology_wish *wish);
void topology_free(struct topology *t);
/* Another segment and a pathway over it. */
void topology_join(struct topology *t, struct prng *p, size_t a, size_t b);

/* The policy of the services that a router has. */
const struct path_policy *topology_policy(const struct topology *t,
                                          size_t router);

/* What lies between two routers, over all the ways that sessions may take. */
struct route_facts {

    uint64_t elements; /* see element_router and element_segment */
    unsigned hops;
    svr_time delay; /* one way, the longest */
    bool per_packet, timed, nat, masked, v6;
    bool twofold; /* there are two pathways between any two neighbours */
};

struct route_facts topology_route(const struct topology *t, uint16_t from,
                                  uint16_t to);

/* The places where something can go wrong, as bits. With many of them several
 * share one, which makes checks milder and never wrong. */
static inline uint64_t element_router(size_t router)
{
    return UINT64_C(1) << router % 32;
}

static inline uint64_t element_segment(size_t segment)
{
    return UINT64_C(1) << (32 + segment % 32);
}

/* Addresses. Stations of a segment count from 1. */
svr_addr address_station(const struct topology *t, size_t segment,
                         unsigned station);
/* What a router that has a NAT before it calls itself there. */
svr_addr address_inside(size_t segment);
/* Of both ends of a NAT, for whatever is further away. */
svr_addr address_inside_gateway(size_t segment);
svr_addr address_gateway(size_t segment);
svr_addr address_lan(size_t router, bool v6);
/* The station that has the address on a segment, or 0. */
unsigned address_station_of(const struct topology *t, size_t segment,
                            const svr_addr *a);

#endif
