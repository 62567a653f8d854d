/*
 * neighbour.h - which station has which address on one Ethernet network: ARP
 * and IPv6 neighbour discovery, without I/O.
 *
 * A neighbour becomes known by answering, or by asking for an own address from
 * a source within the own networks. It stays known for NEIGHBOUR_REACHABLE; one
 * that is in use is then asked again, and forgotten if it stays silent. Packets
 * for one that is not known yet wait for at most NEIGHBOUR_WAIT. Everything is
 * bounded, and who merely asks never displaces who is in use.
 */
#ifndef SVR_ROUTER_NEIGHBOUR_H
#define SVR_ROUTER_NEIGHBOUR_H

#include "ether.h"

#define NEIGHBOUR_REACHABLE (60 * SVR_SECOND)
/* A neighbour that is asked gets this long, in so many tries. */
#define NEIGHBOUR_WAIT SVR_SECOND
#define NEIGHBOUR_TRIES 3

#define NEIGHBOUR_MAX 1024      /* entries */
#define NEIGHBOUR_ASKED_MAX 512 /* of those: unknown so far */
#define NEIGHBOUR_QUEUE_MAX 16  /* packets that wait for one neighbour */
#define NEIGHBOUR_HELD_MAX 512  /* packets that wait altogether */
#define NEIGHBOUR_HELD_BYTES ((size_t)4 << 20)

/* Room in front of a packet that waited, for the headers of frame and device;
 * it has no other headroom. */
#define NEIGHBOUR_FRONT 64

/* What a table wants done. The functions must not call the table again. */
struct neighbour_actions {
    /* A whole frame is to be sent. */
    void (*send)(void *user, const uint8_t *frame, size_t len);
    /* The packet waited long enough; it is freed afterwards. */
    void (*ready)(void *user, svr_packet *pkt, const uint8_t mac[ETHER_ADDR]);
    /* The packet waited in vain; it is freed afterwards. */
    void (*lost)(void *user, const svr_packet *pkt, enum svr_drop reason);
    void *user;
};

/* X(name): what a table counts. */
#define NEIGHBOUR_COUNTER_MAP(X)                         \
    X(asked)     /* requests and solicitations sent */   \
    X(answered)  /* replies and advertisements sent */   \
    X(announced) /* own addresses told to everyone */    \
    X(resolved)  /* neighbours that answered at first */ \
    X(silent)    /* neighbours given up */               \
    X(invalid)   /* messages that break the rules */     \
    X(conflicts) /* messages that claim an own address */

struct neighbour_counters {
#define X(name) uint64_t name;
    NEIGHBOUR_COUNTER_MAP(X)
#undef X
};

struct neighbours;

/* A table for the interface with that hardware address and those addresses,
 * which are copied. An interface with an IPv6 address has a link-local one as
 * well. NULL where there is no memory. */
struct neighbours *neighbours_create(const uint8_t mac[ETHER_ADDR],
                                     const svr_prefix *addresses, size_t count,
                                     const struct neighbour_actions *actions,
                                     const svr_random *random);
/* Packets that still wait are lost. NULL is allowed. */
void neighbours_destroy(struct neighbours *t);

/* Tells everyone the own addresses, so that nobody goes on with an older
 * station's. */
void neighbours_announce(struct neighbours *t);

/* The station of a next hop, valid until the table is called again, or NULL
 * where it is not known. */
const uint8_t *neighbours_find(struct neighbours *t, const svr_addr *hop);

/* Copies a packet whose next hop is not known and asks for that. DROP_NONE, or
 * the reason why it cannot wait: NO_NEIGHBOUR (the next hop is on no own
 * network), NEIGHBOUR_QUEUE. */
enum svr_drop neighbours_wait(struct neighbours *t, const svr_packet *p,
                              svr_time now);

/* Takes a frame of ETHER_KIND_NEIGHBOUR. */
void neighbours_input(struct neighbours *t, const uint8_t *frame, size_t len,
                      svr_time now);

/* When neighbours_handle_expiry is due, or SVR_NEVER; sometimes too early. */
svr_time neighbours_expiry(const struct neighbours *t);
void neighbours_handle_expiry(struct neighbours *t, svr_time now);

const struct neighbour_counters *
neighbours_counters(const struct neighbours *t);
/* Entries known, and packets that wait. */
size_t neighbours_known(const struct neighbours *t);
size_t neighbours_held(const struct neighbours *t);

#endif
