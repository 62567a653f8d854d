/*
 * pair.h - two whole routers in memory and in virtual time, for scripts: a
 * branch and a data centre, each with a LAN, joined by two pathways over one
 * WAN. What a script does not do does not happen.
 */
#ifndef SVR_FUZZ_PAIR_H
#define SVR_FUZZ_PAIR_H

#include <svr/svr.h>

enum {
    BRANCH,
    DC,

    LAN = 0,
    WAN = 1,

    PAIR_KEPT = 16, /* packets on the WAN at a time */
    PAIR_BUFFER = SVR_HEADROOM + 4096 + SVR_TAILROOM,
};

/* Bits of a script's first byte. */
enum pair_option {
    PAIR_SIGNED = 1,  /* plain packets, too */
    PAIR_MASKED = 2,  /* TCP as UDP */
    PAIR_V6 = 4,      /* IPv6 waypoints */
    PAIR_WATCHED = 8, /* pathways are */
    PAIR_LIMITS = 16, /* of peers and tenants */
    PAIR_PORTS = 32,  /* few */
    PAIR_MOVES = 64,  /* sessions, away from a pathway that is down */
    PAIR_COPIES = 128 /* packets, by both pathways */
};

struct kept_packet {
    uint16_t len; /* 0: none */
    uint8_t from; /* the router */
    uint8_t bytes[4096];
};

extern struct pair {
    svr_node *node[2];
    unsigned options;
    uint32_t boot[2];
    svr_time now;
    uint64_t dice;
    struct kept_packet kept[PAIR_KEPT];
    unsigned count, carried;     /* of them that have arrived in their order */
    struct kept_packet heard[2]; /* what the host behind each got last */
    /* Memory of the routers. */
    size_t live, calls, fail_at;
} pair;

void pair_check(int holds);

/* Both routers are made, or one of them anew. fail_at: the allocation that
 * fails in the first try, which must leave nothing; 0: none. */
void pair_open(unsigned options);
void pair_close(void);
void pair_restart(unsigned router, size_t fail_at);

/* A packet of len bytes arrives; what the router then sends over the WAN is
 * kept. After each call all that must hold of a router is looked at. */
void pair_input(unsigned router, uint16_t iface, const uint8_t *bytes,
                size_t len);
/* Time passes, in both. */
void pair_wait(svr_time t);

svr_addr pair_waypoint(unsigned router, unsigned pathway);
svr_addr pair_host(unsigned router, bool v6);

/* Writes the tag of a block behind an L4 header anew, as `from` would. */
void pair_sign(unsigned from, svr_packet *p);

#endif
