/* neighbour_table.h - the entries of neighbour.h's table, and the packets that
 * wait at them. Only neighbour.c knows when what happens. */
#ifndef SVR_ROUTER_NEIGHBOUR_TABLE_H
#define SVR_ROUTER_NEIGHBOUR_TABLE_H

#include "neighbour.h"

#define NEIGHBOUR_BUCKETS 1024
#define NEIGHBOUR_NOTHING UINT16_MAX /* instead of an entry's index */

enum neighbour_state {
    NEIGHBOUR_FREE,
    NEIGHBOUR_ASKED,  /* unknown; everyone was asked */
    NEIGHBOUR_KNOWN,  /* it answered, or asked */
    NEIGHBOUR_PROBED, /* known; it was asked whether it is still there */
};

/* A packet that waits. */
struct neighbour_waiting {
    struct neighbour_waiting *next;
    svr_packet pkt;
    size_t size;
    uint8_t buf[];
};

struct neighbour {
    svr_addr addr;
    svr_time due;
    uint8_t mac[ETHER_ADDR];
    uint8_t state;
    uint8_t tries;
    bool used; /* since it was last confirmed */
    uint8_t waiting;
    uint16_t next; /* in its bucket, or in the free list */
    struct neighbour_waiting *head, *tail;
};

struct neighbours {
    uint8_t mac[ETHER_ADDR];
    svr_prefix *addresses;
    size_t address_count;
    bool has_v6;
    svr_addr link_local;
    struct neighbour_actions actions;
    uint8_t hash_key[SVR_HASH_KEY_SIZE];
    struct neighbour *last; /* the one found last */
    svr_time due;           /* no entry is due earlier */
    size_t asked, known, held, held_bytes;
    struct neighbour_counters counters;
    uint16_t free;
    uint16_t buckets[NEIGHBOUR_BUCKETS];
    struct neighbour entries[NEIGHBOUR_MAX];
};

/* Makes the table empty; all else in it is zero. */
void neighbour_table_init(struct neighbours *t);

bool neighbour_is_own(const struct neighbours *t, const svr_addr *a);
/* The own address on the network of a, or NULL where a is on none, or own. */
const svr_addr *neighbour_own_for(const struct neighbours *t,
                                  const svr_addr *a);

/* The entry of an address, or NULL. */
struct neighbour *neighbour_lookup(struct neighbours *t, const svr_addr *a);
/* Whether its station is known. */
bool neighbour_is_known(const struct neighbour *n);

/* A new entry in state FREE, which must leave it at once. Where the table is
 * full another is forgotten; `wanted` says whether one in use may be. NULL
 * where none may. */
struct neighbour *neighbour_create(struct neighbours *t, const svr_addr *a,
                                   bool wanted);
/* Packets that wait at it are lost. */
void neighbour_forget(struct neighbours *t, struct neighbour *n);
/* The only function that changes a state. */
void neighbour_enter(struct neighbours *t, struct neighbour *n,
                     enum neighbour_state state, svr_time due);

/* Copies a packet to the end of those that wait; false where there is no
 * room. */
bool neighbour_keep(struct neighbours *t, struct neighbour *n,
                    const svr_packet *p);
/* Lets all of them go, ready, or lost for a reason. */
void neighbour_release(struct neighbours *t, struct neighbour *n,
                       enum svr_drop reason);

#endif
