/*
 * roam.h - where the peer is, and whether a NAT stands before it (S14.4).
 *
 * A new port at the address in use is followed at once. A new address is sent a
 * challenge: 8 random bytes, three times a second apart, which must come back
 * from there; until then the old address is used. One challenge at a time.
 * Everything said here is of packets that are authentic and newer than all
 * before: others must not come here.
 */
#ifndef SVR__PATHWAY_ROAM_H
#define SVR__PATHWAY_ROAM_H

#include <svr/bfd.h>

#define SVR__ROAM_RETRY (1 * SVR_SECOND)

enum {
    SVR__ROAM_TRIES = 3,
};

typedef struct svr__roam {
    svr_bfd_endpoint peer;      /* in use; without an address: not known */
    svr_bfd_endpoint candidate; /* that is being challenged */
    svr_time due;               /* of the next try, SVR_NEVER: no challenge */
    uint8_t tries;
    uint8_t challenge[SVR_BFD_CHALLENGE_SIZE];
    bool nat; /* the peer's packets come from elsewhere than it sends them */
} svr__roam;

void svr__roam_init(svr__roam *r, const svr_bfd_endpoint *peer);

/* A packet came from `seen`. answer: of a challenge, or NULL. True where the
 * endpoint in use changed. */
bool svr__roam_seen(svr__roam *r, const svr_bfd_endpoint *seen,
                    const uint8_t *answer, const svr_random *random,
                    svr_time now);
/* It says that it was sent from `source`. True where a NAT appeared or went. */
bool svr__roam_source(svr__roam *r, const svr_bfd_endpoint *source);

/* A challenge that is due: *to is where it goes. */
bool svr__roam_send(svr__roam *r, svr_bfd_endpoint *to,
                    uint8_t challenge[SVR_BFD_CHALLENGE_SIZE], svr_time now);

bool svr__endpoint_equal(const svr_bfd_endpoint *a, const svr_bfd_endpoint *b);

#endif
