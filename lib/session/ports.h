/*
 * ports.h - waypoint ports (S10).
 *
 * The router that opens a session chooses both ports, an even local and an odd
 * remote one. The pairs of a pathway are handed out in an order that a keyed
 * permutation fixes: nobody can predict the next one, each comes up once in a
 * round of some 600 million, and no list is kept. A pair that is still in use
 * is found by looking the flow up, and the next one is taken instead.
 */
#ifndef SVR_LIB_SESSION_PORTS_H
#define SVR_LIB_SESSION_PORTS_H

#include <svr/base.h>
#include <svr/crypto.h>

#define SVR__PORT_FIRST 16384
#define SVR__PORT_LAST 65534

typedef struct svr__ports {
    uint8_t key[SVR_HASH_KEY_SIZE];
    uint32_t next; /* place in the round */
} svr__ports;

void svr__ports_init(svr__ports *p, const svr_random *random);

/* The next pair: local even, remote odd, both within the range. */
void svr__ports_next(svr__ports *p, uint16_t *local, uint16_t *remote);

#endif
