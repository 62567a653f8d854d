/*
 * Recovery after a restart (S8.4).
 *
 * A router that sees a peer's boot counter change makes a tour over its
 * sessions with that peer: each begins another exchange (S6.8), whose metadata
 * goes by itself, and again where no answer comes. Then it says so, for that
 * start of the peer, in each packet behind BFD; so the end cannot be lost.
 *
 * A router that was started keeps silent about sessions that it does not know
 * until all watched peers have said so, or for 10 s.
 */
#include "node/node.h"

/* For how long peers are waited for. */
#define QUIET_TIME (10 * SVR_SECOND)
/* How long answers to a tour are waited for, and how often that is looked at.
 */
#define ANSWER_TIME (4 * SVR_SECOND)
#define LOOK_TIME (100 * SVR_MILLISECOND)
/* When an offer to a NAT that has changed went nowhere, and for how long such
 * sessions are looked after. */
#define ECHO_TIME (1 * SVR_SECOND)
#define REOPEN_TIME (10 * SVR_SECOND)

static unsigned tell(svr_node *n, svr__tour *t, svr__session *s, unsigned side,
                     svr_time now)
{
    (void)t;
    svr__session_renew(n, s, side, now);
    svr__send_metadata(n, s, side, now);
    return 1;
}

static unsigned count_waiting(svr_node *n, svr__tour *t, svr__session *s,
                              unsigned side, svr_time now)
{
    (void)n;
    (void)now;
    t->left += svr_session_renews(&s->machine, side);
    return 0;
}

static void finish_look(svr_node *n, svr__tour *t, svr_time now);
static const svr__tour_plan look = {SVR__TOUR_PEER, count_waiting, finish_look};

static void look_again(svr_node *n, svr__tour *t, svr_time now)
{
    t->left = 0;
    svr__tour_start(n, t, &look, t->of, now + LOOK_TIME);
}

static void finish_look(svr_node *n, svr__tour *t, svr_time now)
{
    svr__peer *peer = &n->peers[t->of];

    if (t->left && now < t->until)
        look_again(n, t, now);
    else
        peer->told = peer->boot;
}

static void finish_telling(svr_node *n, svr__tour *t, svr_time now)
{
    t->until = now + ANSWER_TIME;
    look_again(n, t, now);
}

static const svr__tour_plan telling = {SVR__TOUR_PEER, tell, finish_telling};

/* A peer's first start that is heard of counts, too: it may be this router that
 * was started, and the peer waits for its word all the same. */
void svr__resync_heard(svr_node *n, const svr__pathway *pw, uint32_t boot,
                       svr_time now)
{
    svr__peer *peer = &n->peers[pw->peer];

    if (boot > peer->boot) {
        if (peer->boot)
            n->counters.peer_restarts++;
        peer->boot = boot;
        peer->clock = 0; /* until it says */
        peer->tour.plan = NULL;
        peer->first = peer->spoke; /* what it said it under */
    }
    if (pw->up && peer->boot != peer->told && !peer->tour.plan &&
        svr__keying_ready(n, pw))
        svr__tour_start(n, &peer->tour, &telling, pw->peer, now);
}

/* S14.9: an offer toward a peer's NAT. If that has changed and the peer does
 * not know the session, nobody but this router can mend it. */
static bool offers_to_nat(const svr_node *n, const svr__session *s,
                          unsigned side)
{
    return side == SVR__SERVER &&
           s->machine.hop[side].state == SVR_HOP_OFFERING &&
           n->pathways[s->side[side].pathway].peer_nat &&
           !svr__is_duplicated(n, s); /* it has other ways */
}

/* A session that was never answered begins anew with its next packet. */
static unsigned renew(svr_node *n, svr__tour *t, svr__session *s, unsigned side,
                      svr_time now)
{
    if (!offers_to_nat(n, s, side) || s->machine.hop[side].renewed)
        return tell(n, t, s, side, now);
    svr__session_close(n, s, SVR_CAUSE_FAILED, now);
    return 0;
}

static bool is_stale(const svr__session *s, unsigned side, svr_time now)
{
    svr_time renewed = s->machine.hop[side].renewed;

    return now - (renewed ? renewed : s->created) >= ECHO_TIME;
}

/* Any other goes through a pinhole of its own if no echo comes. */
static unsigned reopen(svr_node *n, svr__tour *t, svr__session *s,
                       unsigned side, svr_time now)
{
    if (!offers_to_nat(n, s, side))
        return 0;
    t->left++;
    if (!is_stale(s, side, now) ||
        !svr__session_reopen(n, s, SVR_CAUSE_FAILED, now))
        return 0;
    svr__send_metadata(n, s, side, now);
    return 1;
}

static void finish_renewing(svr_node *n, svr__tour *t, svr_time now);
static void finish_reopening(svr_node *n, svr__tour *t, svr_time now);
static const svr__tour_plan renewing = {SVR__TOUR_PATHWAY, renew,
                                        finish_renewing};
static const svr__tour_plan reopening = {SVR__TOUR_PATHWAY, reopen,
                                         finish_reopening};

static void finish_reopening(svr_node *n, svr__tour *t, svr_time now)
{
    if (t->left && now < t->until) {
        t->left = 0;
        svr__tour_start(n, t, &reopening, t->of, now + LOOK_TIME);
    }
}

static void finish_renewing(svr_node *n, svr__tour *t, svr_time now)
{
    t->left = 1; /* it has not been looked at yet */
    t->until = now + REOPEN_TIME;
    finish_reopening(n, t, now);
}

void svr__resync_pathway(svr_node *n, svr__pathway *pw, svr_time now)
{
    if (pw->sessions)
        svr__tour_start(n, &pw->tour, &renewing, (size_t)(pw - n->pathways),
                        now);
}

static unsigned tell_next(svr_node *n, svr__tour *t, svr__session *s,
                          unsigned side, svr_time now)
{
    return side == SVR__SERVER ? tell(n, t, s, side, now) : 0;
}

static const svr__tour_plan ageing = {SVR__TOUR_ALL, tell_next, NULL};

void svr__resync_tokens(svr_node *n, svr_time now)
{
    if (svr__token_age(n, now) && n->table.count)
        svr__tour_start(n, &n->tour, &ageing, 0, now);
}

void svr__resync_ended(svr_node *n, uint16_t peer, uint32_t boot)
{
    if (boot == n->boot)
        n->peers[peer].ended = true;
}

bool svr__resync_quiet(const svr_node *n, svr_time now)
{
    if (now - n->started >= QUIET_TIME)
        return false;
    for (size_t i = 0; i < n->pathway_count; i++)
        if (n->pathways[i].watch && !n->pathways[i].plain &&
            !n->peers[n->pathways[i].peer].ended)
            return true;
    return false;
}
