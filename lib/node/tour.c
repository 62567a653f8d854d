#include "node/node.h"

enum {
    /* In one step. */
    LOOKS = 4096,
    PACKETS = 32,
};

#define STEP_TIME (5 * SVR_MILLISECOND)

void svr__tour_start(svr_node *n, svr__tour *t, const svr__tour_plan *plan,
                     size_t of, svr_time when)
{
    t->plan = plan;
    t->of = (uint16_t)of;
    t->at = 0;
    t->due = when;
    if (when < n->tours_due)
        n->tours_due = when;
}

svr_time svr__tours_due(const svr_node *n)
{
    return n->tours_due;
}

static bool concerns(const svr_node *n, const svr__tour *t, uint16_t pathway)
{
    if (pathway == SVR__NO_PATHWAY)
        return false;
    switch (t->plan->scope) {
    case SVR__TOUR_PEER:
        return n->pathways[pathway].peer == t->of;
    case SVR__TOUR_PATHWAY:
        return pathway == t->of;
    default:
        return true;
    }
}

static unsigned visit(svr_node *n, svr__tour *t, svr__session *s, svr_time now)
{
    unsigned sent = 0;

    for (unsigned side = 0; s->alive && side < 2; side++)
        if (concerns(n, t, s->side[side].pathway))
            sent += t->plan->visit(n, t, s, side, now);
    return sent;
}

/* True where it has come round. */
static bool take_step(svr_node *n, svr__tour *t, svr_time now)
{
    unsigned sent = 0;

    for (unsigned looks = 0; looks < LOOKS && t->at < n->table.cap; looks++) {
        if (sent >= PACKETS || n->outbox.count + 2 > SVR__OUTBOX)
            return false;
        sent += visit(n, t, &n->table.sessions[t->at++], now);
    }
    return t->at == n->table.cap;
}

static void run(svr_node *n, svr__tour *t, svr_time now)
{
    const svr__tour_plan *plan = t->plan;

    if (!plan)
        return;
    if (t->due <= now) {
        t->due = now + STEP_TIME;
        if (take_step(n, t, now)) {
            t->plan = NULL;
            if (plan->done)
                plan->done(n, t, now);
        }
    }
    if (t->plan && t->due < n->tours_due)
        n->tours_due = t->due;
}

void svr__tours_run(svr_node *n, svr_time now)
{
    if (now < n->tours_due)
        return;
    n->tours_due = SVR_NEVER;
    for (size_t i = 0; i < n->peer_count; i++) {
        run(n, &n->peers[i].tour, now);
        run(n, &n->peers[i].moves, now);
        run(n, &n->peers[i].rekeys, now);
    }
    for (size_t i = 0; i < n->pathway_count; i++)
        run(n, &n->pathways[i].tour, now);
    run(n, &n->tour, now);
    run(n, &n->moves, now);
}
