/*
 * pathway_net.h - two pathway objects with one link between them, in virtual
 * time and from a seed. Each message is encoded and decoded on its way.
 */
#ifndef SVR_TESTS_PATHWAY_NET_H
#define SVR_TESTS_PATHWAY_NET_H

#include <svr/svr.h>

enum {
    PNET_FLIGHTS = 4096,
    /* UDP and tag: what a message has besides IP, BFD and its block. */
    PNET_OVERHEAD = 8 + 16,
};

/* One direction of the link. */
struct pnet_link {
    svr_time delay, jitter; /* evenly in [delay, delay + jitter] */
    uint32_t loss_ppm, duplicate_ppm;
    uint32_t reorder_ppm;       /* so many come another `delay` later */
    uint16_t mtu;               /* 0: any */
    uint8_t tcp_blocked;        /* bits of enum svr_tcp_probe */
    uint64_t marks, marks_lost; /* of real packets */
    uint64_t messages, bytes;   /* put on the link */
};

/* One router's end of the pathway. */
struct pnet_end {
    svr_pathway *p;
    svr_pathway_settings settings;
    svr_time offset;  /* of its clock */
    svr_time stopped; /* the process does nothing until then */
    svr_time traffic; /* from one real packet to the next; 0: none */
    svr_time next_packet;
    svr_bfd_endpoint nat;     /* its packets leave with that source; without an
                                 address there is no NAT */
    unsigned changes;         /* or'ed since the test last looked */
    unsigned change_count[8]; /* of each bit */
    svr_time changed_at[8];   /* when last, on the net's clock */
    svr_time heard;           /* when the last message came */
    svr_pathway_message last; /* that it sent */
    unsigned kinds[4];        /* messages sent */
};

struct pnet_flight {
    svr_time at;
    uint64_t order;
    int to;
    svr_pathway_message m;
};

struct pnet {
    struct pnet_end end[2];
    struct pnet_link link[2]; /* from that end */
    svr_time now;
    uint64_t random, order;
    struct pnet_flight *flight[PNET_FLIGHTS];
    size_t flights;
};

/* Both ends down, on a link of 10 ms. The test may change link and settings
 * (then pnet_restart) before it runs. */
void pnet_open(struct pnet *net, uint64_t seed);
void pnet_close(struct pnet *net);
/* The process of an end dies and comes back with its settings, and a higher
 * boot counter. */
void pnet_restart(struct pnet *net, int end);
/* The end is made anew in the same life of its router, as for a new
 * configuration. */
void pnet_renew(struct pnet *net, int end);

void pnet_run(struct pnet *net, svr_time duration);
/* Runs until the end's state is that, at most for `limit`; returns how long it
 * took. Asserts that it is. */
svr_time pnet_wait(struct pnet *net, int end, uint8_t state, svr_time limit);
/* Both up and measured. */
void pnet_settle(struct pnet *net);

svr_pathway_info pnet_info(const struct pnet *net, int end);
/* A message comes to an end, besides those that the other one sends. */
unsigned pnet_inject(struct pnet *net, int end, const svr_pathway_message *m);

svr_bfd_endpoint pnet_endpoint(uint32_t v4, uint16_t port);

#endif
