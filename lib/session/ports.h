/*
 * ports.h - waypoint ports (S10).
 *
 * The router that opens a session chooses both ports, an even local and an odd
 * remote one, within the range of each end. The pairs of a pathway are handed
 * out in an order that a keyed permutation fixes: nobody can predict the next
 * one, each comes up once in a round, and no list is kept. A pair that is in
 * use is found by the caller, who looks its flow up and takes the next one.
 *
 * A pair whose session has ended is not handed out again for 30 seconds (S9).
 * Most pairs need nothing for that: their place in the round is further off
 * than the pathway may go in that time (the window). Places within the window
 * are marked in a bitmap, one bit for a block of neighbouring places, which are
 * then passed over together. Two bitmaps take turns every 30 seconds, so a mark
 * holds for 30 to 60. A small range lies within its window as a whole, and a
 * very small one has a bit for each pair. All of it takes constant time and 16
 * KiB.
 */
#ifndef SVR_LIB_SESSION_PORTS_H
#define SVR_LIB_SESSION_PORTS_H

#include <svr/base.h>
#include <svr/crypto.h>
#include <svr/session.h>

#define SVR__PORT_GUARD (30 * SVR_SECOND)

/* Every second port of a range, or each where that leaves none. */
typedef struct svr__port_set {
    uint16_t first, step, count;
} svr__port_set;

typedef struct svr__ports {
    uint8_t key[SVR_HASH_KEY_SIZE];
    svr__port_set local, remote;
    uint32_t pairs;
    uint32_t rows, columns; /* the permutation's two halves */
    uint32_t next;          /* place in the round */
    uint32_t window;        /* places that need a mark */
    uint8_t shift;          /* places of one mark, as a power of two */
    uint8_t turn;           /* the bitmap that marks now */
    uint32_t passed[2];     /* places, while each bitmap was the one */
    svr_time turned;
    uint64_t *marks[2];
    uint32_t words; /* of each bitmap */
    svr_allocator alloc;
} svr__ports;

/*
 * local and remote: the range of each end. 0, or SVR_ERR_NO_MEMORY, or ARGUMENT
 * (a range that is empty or passes the ports that there are).
 */
int svr__ports_init(svr__ports *p, const svr_port_range *local,
                    const svr_port_range *remote, const svr_random *random,
                    const svr_allocator *alloc);
/* Also of one that is all zero. */
void svr__ports_fini(svr__ports *p);

/* How often svr__ports_next may have to be asked until a range that has a free
 * pair has most likely given it; until it has for certain where the range is
 * small. */
unsigned svr__ports_tries(const svr__ports *p);

/* The pair at the next place of the round. False: nothing is to be had there,
 * and the next call looks further. */
bool svr__ports_next(svr__ports *p, svr_time now, uint16_t *local,
                     uint16_t *remote);

/* A session with this pair has ended; a pair that is never handed out is
 * ignored. */
void svr__ports_guard(svr__ports *p, svr_time now, uint16_t local,
                      uint16_t remote);

#endif
