#include "session/watch.h"

static svr_time later(svr_time a, svr_time b)
{
    return a > b ? a : b;
}

static svr_time sooner(svr_time a, svr_time b)
{
    return a < b ? a : b;
}

void svr__watch_carried(svr_hop *hop)
{
    if (hop->repeats == 0)
        hop->repeats = 1;
}

unsigned svr__watch_answer(svr_hop *hop, svr_time now)
{
    svr__watch_carried(hop);
    return svr__hop_event(hop, SVR__HOP_PATIENCE, now);
}

/* It is under way, or was until a moment ago. */
static bool repeats(const svr_hop *hop, svr_time now)
{
    return hop->renewed &&
           (hop->repeats <= SVR_SESSION_REPEATS ||
            now - hop->renewed < SVR_SESSION_REPEATS * SVR_SESSION_REPEAT_TIME);
}

void svr__watch_stir(svr_hop *hop, svr_time now)
{
    if (!svr__hop_offers(hop) || repeats(hop, now))
        return;
    hop->renewed = now ? now : 1;
    hop->repeats = 1;
}

void svr__watch_heard(svr_hop *hop, svr_time now)
{
    hop->flags &= (uint8_t) ~(SVR__HOP_ASK | SVR__HOP_ASKED);
    if (hop->settings.inactivity)
        hop->checked = now;
}

bool svr__watch_sent(svr_hop *hop, svr_time now)
{
    if (hop->flags & SVR__HOP_ASLEEP) {
        /* A moment ago, so that this packet counts as unanswered. */
        hop->checked = now ? now - 1 : 0;
        hop->flags &= (uint8_t)~SVR__HOP_ASLEEP;
    }
    return hop->flags & SVR__HOP_ASK;
}

unsigned svr__watch_ask(svr_hop *hop, unsigned actions, svr_time now)
{
    if (!(actions & SVR_SESSION_ADD_HEALTH))
        return actions;
    if (hop->flags & SVR__HOP_ASKED)
        actions ^= SVR_SESSION_ADD_HEALTH | SVR_SESSION_ADD_HEALTH_AGAIN;
    hop->flags &= (uint8_t)~SVR__HOP_ASK;
    hop->flags |= SVR__HOP_ASKED;
    hop->checked = now;
    return actions;
}

static svr_time patience_due(const svr_hop *hop)
{
    return hop->unanswered ? hop->waiting + SVR_SESSION_PATIENCE_TIME
                           : SVR_NEVER;
}

static svr_time repeat_due(const svr_hop *hop)
{
    if (!svr__hop_offers(hop) || !hop->renewed ||
        hop->repeats > SVR_SESSION_REPEATS)
        return SVR_NEVER;
    return hop->renewed + (hop->repeats ? hop->repeats * SVR_SESSION_REPEAT_TIME
                                        : SVR_SESSION_RENEW_TIME);
}

static svr_time idle_due(const svr_hop *hop, const svr_time passed[2])
{
    if (!hop->settings.keep_alive)
        return SVR_NEVER;
    return later(hop->checked, later(passed[0], passed[1])) +
           hop->settings.keep_alive * SVR_SECOND;
}

/* When the neighbour was last heard of. */
static svr_time heard(const svr_hop *hop, unsigned side,
                      const svr_time passed[2])
{
    return later(hop->checked, passed[side]);
}

static svr_time silence_due(const svr_hop *hop, unsigned side,
                            const svr_time passed[2])
{
    if (!hop->settings.inactivity || svr__hop_offers(hop) ||
        svr__watch_speaks(hop))
        return SVR_NEVER;
    return heard(hop, side, passed) + hop->settings.inactivity * SVR_SECOND;
}

/* S8.2: the neighbour has been silent for its time. */
static void notice_silence(svr_hop *hop, unsigned side,
                           const svr_time passed[2])
{
    bool unanswered = (hop->flags & SVR__HOP_ASKED) ||
                      passed[!side] > heard(hop, side, passed);
    hop->flags |= unanswered ? SVR__HOP_ASK : SVR__HOP_ASLEEP;
}

bool svr_session_renews(const svr_session *s, unsigned side)
{
    return repeat_due(&s->hop[side]) != SVR_NEVER;
}

svr_time svr_session_due(const svr_session *s, unsigned side,
                         const svr_time passed[2])
{
    const svr_hop *hop = &s->hop[side];
    return sooner(
        sooner(patience_due(hop), repeat_due(hop)),
        sooner(idle_due(hop, passed), silence_due(hop, side, passed)));
}

unsigned svr_session_timer(svr_session *s, unsigned side,
                           const svr_time passed[2], svr_time now)
{
    svr_hop *hop = &s->hop[side];
    unsigned actions = 0;

    if (patience_due(hop) <= now)
        actions |= svr__watch_answer(hop, now);
    if (repeat_due(hop) <= now) {
        while (repeat_due(hop) <= now) /* what was missed is not made up for */
            hop->repeats++;
        actions |= svr__hop_event(hop, SVR__HOP_REPEAT, now);
    }
    if (silence_due(hop, side, passed) <= now)
        notice_silence(hop, side, passed);
    if (idle_due(hop, passed) <= now) {
        hop->checked = now;
        actions |= svr__hop_event(hop, SVR__HOP_IDLE, now);
    }
    return actions;
}
