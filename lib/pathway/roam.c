/* roam.c - following a peer through NATs (S14.4). */
#include "pathway/roam.h"

#include <string.h>

void svr__roam_init(svr__roam *r, const svr_bfd_endpoint *peer)
{
    *r = (svr__roam){.peer = *peer, .due = SVR_NEVER};
}

bool svr__endpoint_equal(const svr_bfd_endpoint *a, const svr_bfd_endpoint *b)
{
    return a->port == b->port && svr_addr_equal(&a->addr, &b->addr);
}

static bool is_challenged(const svr__roam *r, const svr_addr *addr)
{
    return r->due != SVR_NEVER && svr_addr_equal(&r->candidate.addr, addr);
}

static bool follow(svr__roam *r, const svr_bfd_endpoint *seen)
{
    r->peer = *seen;
    return true;
}

/* A packet from an address that is not in use. */
static bool consider(svr__roam *r, const svr_bfd_endpoint *seen,
                     const uint8_t *answer, const svr_random *random,
                     svr_time now)
{
    if (is_challenged(r, &seen->addr)) {
        r->candidate.port = seen->port;
        if (!answer || memcmp(answer, r->challenge, sizeof(r->challenge)) != 0)
            return false;
        r->due = SVR_NEVER;
        return follow(r, seen);
    }
    if (r->due == SVR_NEVER) {
        r->candidate = *seen;
        r->tries = 0;
        r->due = now;
        random->fill(random->user, r->challenge, sizeof(r->challenge));
    }
    return false;
}

bool svr__roam_seen(svr__roam *r, const svr_bfd_endpoint *seen,
                    const uint8_t *answer, const svr_random *random,
                    svr_time now)
{
    if (!svr_addr_equal(&seen->addr, &r->peer.addr))
        return consider(r, seen, answer, random, now);
    return seen->port != r->peer.port && follow(r, seen);
}

bool svr__roam_source(svr__roam *r, const svr_bfd_endpoint *source)
{
    bool before = r->nat;

    r->nat = !svr__endpoint_equal(source, &r->peer);
    return r->nat != before;
}

bool svr__roam_send(svr__roam *r, svr_bfd_endpoint *to,
                    uint8_t challenge[SVR_BFD_CHALLENGE_SIZE], svr_time now)
{
    if (now < r->due)
        return false;
    if (r->tries == SVR__ROAM_TRIES) {
        r->due = SVR_NEVER;
        return false;
    }
    r->tries++;
    r->due = now + SVR__ROAM_RETRY;
    *to = r->candidate;
    memcpy(challenge, r->challenge, sizeof(r->challenge));
    return true;
}
