/*
 * mtu.h - the largest packet that the pathway carries (S14.6), by padded
 * packets alone: nothing that a stranger says is believed.
 *
 * A search begins when the pathway comes up and every 600 s: first the largest
 * size that the interface allows, then the middle between what passes and what
 * does not. Three silences, a second each, mean too big.
 *
 * Every fourth BFD packet is padded to the MTU in use, every second one once
 * something is suspected: that one was lost which the peer should have seen, or
 * that a router said "too big". Three lost in a row while smaller ones passed
 * put the MTU down to its floor at once, and a search below the old one begins.
 *
 * Sizes are whole IP packets. Numbers are those of the sender's messages. The
 * peer says which was the last padded one that it had, and its size.
 */
#ifndef SVR__PATHWAY_MTU_H
#define SVR__PATHWAY_MTU_H

#include <svr/bfd.h>

enum {
    SVR__MTU_FLOOR_V4 = 576,
    SVR__MTU_FLOOR_V6 = 1280,
    SVR__MTU_TRIES = 3,
};

#define SVR__MTU_PATIENCE (1 * SVR_SECOND)
#define SVR__MTU_INTERVAL (600 * SVR_SECOND)

typedef struct svr__mtu {
    svr_time due;   /* of the next try or search; SVR_NEVER: down */
    uint64_t first; /* number of the first try of this size */
    uint64_t lost[SVR__MTU_TRIES]; /* numbers of padded packets that the peer
                                      has not reported, oldest first */
    uint32_t too_big;              /* does not pass, or max + 1 */
    uint16_t floor, max;
    uint16_t mtu;  /* passes */
    uint16_t size; /* that is being tried; 0: no search */
    uint8_t tries;
    uint8_t lost_count;
    uint8_t unpadded; /* packets since the last padded one */
    bool suspected;
} svr__mtu;

/* max: of the interface; the MTU is the floor until more is known to pass. */
void svr__mtu_init(svr__mtu *m, uint16_t floor, uint16_t max);
/* Whether the MTU was found, or a larger size found not to pass; before that it
 * is only where the search begins. */
bool svr__mtu_known(const svr__mtu *m);
/* The pathway came up, or went down. */
void svr__mtu_start(svr__mtu *m, svr_time now);
void svr__mtu_stop(svr__mtu *m);

/* What the next periodic packet, of that number, is padded to; 0: nothing. */
uint16_t svr__mtu_pad(svr__mtu *m, uint64_t number);
/* The size of a packet of its own that is due, 0 where none is. It must ask
 * for an answer at once. */
uint16_t svr__mtu_send(svr__mtu *m, uint64_t number, svr_time now);

/* A router on the way says "too big". Never more than a reason to look. */
void svr__mtu_suspect(svr__mtu *m);

/* The peer has had numbers up to `highest`, and the last padded one was
 * *padded, NULL where it had none. True where the MTU changed. */
bool svr__mtu_heard(svr__mtu *m, uint64_t highest, const svr_bfd_padded *padded,
                    svr_time now);

#endif
