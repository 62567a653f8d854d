/*
 * A session: its two sides and its life. What happens is classified here into
 * the events of the table in hop.c.
 */
#include "session/hop.h"

#include "session/watch.h"

static enum svr_hop_state first_state(bool hop, unsigned side)
{
    if (!hop)
        return SVR_HOP_HOST;
    return side == SVR_SESSION_SERVER ? SVR_HOP_OFFERING : SVR_HOP_ANSWERING;
}

static void init_hop(svr_hop *hop, enum svr_hop_state state, uint64_t number)
{
    *hop = (svr_hop){
        .own = number, .state = (uint8_t)state, .flags = SVR__HOP_FIRST};
}

void svr_session_init(svr_session *s, enum svr_session_kind kind,
                      bool client_hop, bool server_hop, uint64_t number)
{
    init_hop(&s->hop[SVR_SESSION_CLIENT],
             first_state(client_hop, SVR_SESSION_CLIENT), number);
    init_hop(&s->hop[SVR_SESSION_SERVER],
             first_state(server_hop, SVR_SESSION_SERVER), number);
    svr_life_init(&s->life, kind);
}

void svr_session_watch(svr_session *s, unsigned side, svr_hop_settings settings)
{
    s->hop[side].settings = settings;
}

void svr_session_doubt(svr_session *s)
{
    svr__hop_doubt(&s->hop[SVR_SESSION_CLIENT]);
}

void svr_session_turn(svr_session *s, unsigned side, svr_time now)
{
    svr_hop *hop = &s->hop[side];

    *hop = (svr_hop){
        .own = hop->own, .state = hop->state, .settings = hop->settings};
    svr__hop_event(hop, SVR__HOP_RENEW, now);
}

enum svr_role svr_session_role(const svr_session *s)
{
    bool client = s->hop[SVR_SESSION_CLIENT].state != SVR_HOP_HOST;
    bool server = s->hop[SVR_SESSION_SERVER].state != SVR_HOP_HOST;

    if (client)
        return server ? SVR_ROLE_TRANSIT : SVR_ROLE_EGRESS;
    return server ? SVR_ROLE_INGRESS : SVR_ROLE_LOCAL;
}

const char *svr_role_name(enum svr_role role)
{
    static const char *const names[] = {
        [SVR_ROLE_INGRESS] = "ingress",
        [SVR_ROLE_EGRESS] = "egress",
        [SVR_ROLE_TRANSIT] = "transit",
        [SVR_ROLE_LOCAL] = "local",
    };
    return names[role];
}

const char *svr_session_state_name(const svr_session *s, unsigned side)
{
    return svr__hop_state_name((enum svr_hop_state)s->hop[side].state);
}

/* S6.6: the fourth packet that waits for an answer does not wait longer. */
static unsigned owe(svr_hop *hop, enum svr__hop_event event, svr_time now)
{
    unsigned actions = svr__hop_event(hop, event, now);
    if (hop->unanswered >= SVR_SESSION_PATIENCE)
        actions |= svr__watch_answer(hop, now);
    return actions;
}

static unsigned send(svr_hop *hop, svr_time now)
{
    unsigned actions = svr__hop_event(
        hop,
        hop->flags & SVR__HOP_OWES_ECHO ? SVR__HOP_SEND_ECHO : SVR__HOP_SEND,
        now);
    if (actions & SVR_SESSION_ADD_METADATA)
        svr__watch_carried(hop);
    if (svr__watch_sent(hop, now))
        actions |=
            svr__watch_ask(hop, svr__hop_event(hop, SVR__HOP_CHECK, now), now);
    return actions;
}

/* Absence acknowledges a first exchange, and any with a neighbour that has no
 * other way (S6.4, S6.9). */
static bool absence_counts(const svr_hop *hop)
{
    return hop->flags & (SVR__HOP_FIRST | SVR__HOP_NUMBERLESS);
}

/* S7: at most once in a second, so that a neighbour that keeps asking does not
 * make every packet carry metadata. */
static unsigned enable(svr_hop *hop, svr_time now)
{
    if (hop->renewed && now - hop->renewed < SVR_SESSION_ENABLE_TIME)
        return 0;
    return svr__hop_event(hop, SVR__HOP_ENABLE, now);
}

static unsigned plain(svr_hop *hop, svr_time now)
{
    if (absence_counts(hop))
        return svr__hop_event(hop, SVR__HOP_PLAIN, now);
    svr__watch_stir(hop, now);
    return svr__hop_event(hop, SVR__HOP_PLAIN_LATER, now);
}

/* What comes from the neighbour. */
static unsigned receive(svr_hop *hop, enum svr_session_event event,
                        svr_time now)
{
    svr__watch_heard(hop, now);
    switch (event) {
    case SVR_SESSION_PLAIN:
        return plain(hop, now);
    case SVR_SESSION_ENABLE:
        return enable(hop, now);
    case SVR_SESSION_DISABLE:
        return hop->peer ? 0 : svr__hop_event(hop, SVR__HOP_DISABLE, now);
    case SVR_SESSION_DELETE:
        return svr__hop_event(hop, SVR__HOP_DELETE, now);
    case SVR_SESSION_KEEP_ALIVE:
        return svr__hop_event(hop, SVR__HOP_KEEP_ALIVE, now);
    case SVR_SESSION_HEALTH_REQUEST:
        return svr__hop_event(hop, SVR__HOP_HEALTH_REQUEST, now);
    default:
        return svr__hop_event(hop, SVR__HOP_HEALTH_ANSWER, now);
    }
}

unsigned svr_session_event(svr_session *s, unsigned side,
                           enum svr_session_event event, svr_time now)
{
    svr_hop *hop = &s->hop[side];

    switch (event) {
    case SVR_SESSION_SEND:
        return send(hop, now);
    case SVR_SESSION_SENT_ALONE:
        svr__watch_carried(hop);
        return svr__hop_event(hop, SVR__HOP_SENT_ALONE, now);
    case SVR_SESSION_RENEW:
        return svr__hop_event(hop, SVR__HOP_RENEW, now);
    default:
        return receive(hop, event, now);
    }
}

unsigned svr_session_peek(const svr_session *s, unsigned side, svr_time now)
{
    svr_hop hop = s->hop[side];
    return send(&hop, now);
}

/* A neighbour that numbers nothing (S6.4). */
static unsigned numberless(svr_hop *hop, bool disable, svr_time now)
{
    hop->flags |= SVR__HOP_NUMBERLESS;
    return disable ? svr__hop_event(hop, SVR__HOP_DISABLE, now)
                   : owe(hop, SVR__HOP_METADATA, now);
}

/* The opener answers the answer to its first offer by sending no metadata any
 * more (S6.4). If the neighbour asks again after that, it needs the echo: its
 * own exchange may be a later one. */
static enum svr__hop_event asks_event(const svr_hop *hop, bool same,
                                      bool was_offering)
{
    bool soft = was_offering || (same && hop->unanswered);

    return hop->state == SVR_HOP_OFFERED && soft &&
                   (hop->flags & SVR__HOP_FIRST) &&
                   !(hop->flags & SVR__HOP_OWES_ECHO)
               ? SVR__HOP_ASKS_PLAIN
               : SVR__HOP_ASKS;
}

/* No boot counter comes so far, and ours must not begin again at 0 because a
 * neighbour says so. */
#define NUMBERS_END ((uint64_t)UINT32_MAX << 32)

/* What is echoed (S6.9). A neighbour that was made anew from something old
 * knows less of us than we think: it is told again. One that knows more
 * remembers a life of ours that we have forgotten: we go on above it. */
static unsigned echoed(svr_hop *hop, uint64_t echo, bool newer, svr_time now)
{
    if (echo == hop->own)
        return svr__hop_event(hop, SVR__HOP_ECHO, now);
    if (echo > hop->own && echo < NUMBERS_END && hop->state != SVR_HOP_HOST) {
        hop->own = echo;
        return svr__hop_event(hop, SVR__HOP_AHEAD, now);
    }
    return newer ? svr__hop_event(hop, SVR__HOP_STALE, now) : 0;
}

/* The first that is heard of a neighbour, where it echoes something: it knew
 * the session before we were told of it, and so its plain packets prove
 * nothing. */
static void meet(svr_hop *hop, const svr_exchange *x)
{
    if (hop->peer == 0 && x->echo)
        svr__hop_doubt(hop);
}

/* S6.9 */
static unsigned numbered(svr_hop *hop, const svr_exchange *x, svr_time now)
{
    bool same = x->own == hop->peer;
    bool was_offering = hop->state == SVR_HOP_OFFERING;
    unsigned actions;

    if (x->own < hop->peer)
        return svr__hop_event(hop, SVR__HOP_OLDER, now);
    hop->flags &= (uint8_t)~SVR__HOP_NUMBERLESS;
    meet(hop, x);
    actions = svr__hop_event(hop, same ? SVR__HOP_SAME : SVR__HOP_NEWER, now);
    hop->peer = x->own;
    actions |= echoed(hop, x->echo, !same, now);
    if (x->unechoed)
        actions |= owe(hop, asks_event(hop, same, was_offering), now);
    return actions;
}

unsigned svr_session_metadata(svr_session *s, unsigned side,
                              const svr_exchange *exchange, bool disable,
                              svr_time now)
{
    svr_hop *hop = &s->hop[side];

    svr__watch_heard(hop, now);
    return exchange && exchange->own ? numbered(hop, exchange, now)
                                     : numberless(hop, disable, now);
}

svr_exchange svr_session_exchange(const svr_session *s, unsigned side)
{
    const svr_hop *hop = &s->hop[side];
    return (svr_exchange){
        .own = hop->own, .echo = hop->peer, .unechoed = svr__hop_offers(hop)};
}

bool svr_session_is_older(const svr_session *s, unsigned side, uint64_t number)
{
    return number < s->hop[side].peer;
}

bool svr_session_is_newer(const svr_session *s, unsigned side, uint64_t number)
{
    return number > s->hop[side].peer;
}

bool svr_session_may_move(const svr_session *s, unsigned side,
                          const svr_exchange *exchange)
{
    return svr_session_is_newer(s, side, exchange->own) ||
           (side == SVR_SESSION_CLIENT && exchange->unechoed &&
            !svr_session_is_older(s, side, exchange->own));
}

static bool settled(const svr_hop *hop)
{
    return !svr__hop_offers(hop) && hop->unanswered == 0;
}

bool svr_session_quiet(const svr_session *s, unsigned side)
{
    return settled(&s->hop[0]) && settled(&s->hop[1]) &&
           !svr__watch_listens(&s->hop[side]) &&
           !svr__watch_speaks(&s->hop[!side]) &&
           svr_life_quiet(&s->life, side == SVR_SESSION_SERVER);
}
