/*
 * copies.h - packets that travel more than once (S17).
 *
 * Where a session is duplicated, each packet has a number (0x8003) that its
 * copies share. The receiver of one side lets the first copy of each through.
 * Numbers wrap around.
 */
#ifndef SVR_LIB_SESSION_COPIES_H
#define SVR_LIB_SESSION_COPIES_H

#include <stdbool.h>
#include <stdint.h>

/* How far a copy may be behind the newest packet. */
#define SVR__COPIES_WINDOW 64

/* Zero: nothing sent, nothing received. */
typedef struct svr__copies {
    uint64_t seen;    /* bit n: number `highest` - n has come; 0: none has */
    uint32_t highest; /* of those received */
    uint32_t sent;    /* the last number given to a packet */
} svr__copies;

/* The number of the next packet to be sent. */
static inline uint32_t svr__copies_number(svr__copies *c)
{
    return ++c->sent;
}

/* Whether a packet with this number is the first of its copies. False: it came
 * before, or is too old to tell. The first number of all is taken as it is. */
bool svr__copies_first(svr__copies *c, uint32_t number);

/* The neighbour has lost its state and numbers its packets anew. */
void svr__copies_forget(svr__copies *c);

#endif
