/*
 * nat.h - a network address translator before one router: UDP and TCP over
 * IPv4, one public address.
 *
 * Mappings come to be by packets from inside and die when idle. Only who has
 * been sent to gets in.
 */
#ifndef SIM_NAT_H
#define SIM_NAT_H

#include "buffer.h"
#include "prng.h"

struct mapping {
    uint8_t proto;
    uint16_t inside, outside; /* ports */
    svr_addr peer;            /* who has been sent to */
    uint16_t peer_port;
    svr_time used;
};

struct nat {
    svr_addr inside, outside;
    bool symmetric; /* another port for each whom it sends to */
    bool shuffles;  /* takes any port, not the same one where that is free */
    struct mapping *mappings;
    size_t count, room;
};

/* Idle times after which a mapping dies. */
#define NAT_UDP (60 * SVR_SECOND)
#define NAT_TCP (7200 * SVR_SECOND)

void nat_init(struct nat *n, const svr_addr *inside, const svr_addr *outside);
void nat_free(struct nat *n);
/* Rewrite the packet. False: it is none that passes. */
bool nat_out(struct nat *n, struct prng *p, svr_packet *packet, svr_time now);
bool nat_in(struct nat *n, svr_packet *packet, svr_time now);
/* All mappings are forgotten, and the next ones have other ports. */
void nat_rebind(struct nat *n);

#endif
