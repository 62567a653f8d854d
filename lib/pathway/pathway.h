/* pathway.h - the object that composes the machines of this layer. */
#ifndef SVR__PATHWAY_H
#define SVR__PATHWAY_H

#include "pathway/bfd.h"
#include "pathway/colour.h"
#include "pathway/hold.h"
#include "pathway/link.h"
#include "pathway/mtu.h"
#include "pathway/pinhole.h"
#include "pathway/probe.h"
#include "pathway/roam.h"

#include <stdalign.h>
#include <svr/pathway.h>

struct svr_pathway {
    alignas(max_align_t) svr_pathway_settings settings;
    svr_random random;
    svr__bfd bfd;
    svr__hold hold;
    svr__link link;
    svr__colour colour;
    svr__roam roam;
    svr__mtu mtu;
    svr__probe probe;
    svr__pinholes pinholes;
    svr_time since;   /* of the BFD state */
    uint64_t number;  /* of the last message sent */
    uint64_t highest; /* of the peer's messages; 0: none */
    uint64_t seen;    /* bit n: the message `highest` - n has come */
    uint32_t peer_boot;
    svr_bfd_padded padded;     /* the peer's last padded message; number 0 */
    svr_bfd_endpoint observed; /* this router, as the peer sees it */
    uint8_t answer[SVR_BFD_CHALLENGE_SIZE];
    bool answer_owed;
    bool ready;
    uint8_t reason;  /* enum svr_bfd_diag */
    uint8_t changes; /* enum svr_pathway_change, not yet told */
};

bool svr__pathway_is_up(const svr_pathway *p);

/* What hangs on the BFD state, after something that may have changed it from
 * `before`. */
void svr__pathway_follow_state(svr_pathway *p, uint8_t before, svr_time now);

/* Changes that were not yet told. */
unsigned svr__pathway_take_changes(svr_pathway *p);

#endif
