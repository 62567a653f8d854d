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
        peer->tour.plan = NULL;
    }
    if (pw->up && peer->boot != peer->told && !peer->tour.plan)
        svr__tour_start(n, &peer->tour, &telling, pw->peer, now);
}

static const svr__tour_plan renewing = {SVR__TOUR_PATHWAY, tell, NULL};

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
    if (n->table.count)
        svr__tour_start(n, &n->tour, &ageing, 0, now);
}

void svr__resync_ended(svr_node *n, uint16_t number, uint32_t boot)
{
    if (boot == n->boot)
        n->peers[number].ended = true;
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
