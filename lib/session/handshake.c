/*
 * The metadata handshake between two neighbours (S6.4, S6.6, S7).
 *
 * Metadata is acknowledged by its absence: the opener sends it until a packet
 * with metadata comes back, the answerer until a packet without comes. Since a
 * neighbour that has nothing to send can acknowledge nothing, it sends a packet
 * of its own after a few packets or a second (S6.6).
 */
#include <svr/session.h>

void svr_handshake_init(svr_handshake *hs, enum svr_handshake_state state)
{
    *hs = (svr_handshake){.state = (uint8_t)state};
}

static void change_state(svr_handshake *hs, enum svr_handshake_state state)
{
    hs->state = (uint8_t)state;
}

/* S6.6: counts what the neighbour waits for us to acknowledge. */
static enum svr_handshake_action count_unanswered(svr_handshake *hs,
                                                  svr_time now)
{
    if (hs->unanswered == 0)
        hs->first = now;
    if (++hs->unanswered < SVR_HANDSHAKE_PATIENCE)
        return SVR_HANDSHAKE_NOTHING;
    hs->unanswered = 0;
    return SVR_HANDSHAKE_SEND_DISABLE;
}

/* S7: at most once in a second, so that a neighbour that keeps asking does not
 * make every packet carry metadata. */
static void obey_enable(svr_handshake *hs, enum svr_handshake_state state,
                        svr_time now)
{
    if (hs->enabled && now - hs->enabled < SVR_HANDSHAKE_ENABLE_TIME)
        return;
    hs->enabled = now ? now : 1;
    change_state(hs, state);
}

static enum svr_handshake_action on_send(svr_handshake *hs)
{
    hs->unanswered = 0;
    return svr_handshake_sends(hs) ? SVR_HANDSHAKE_ADD_METADATA
                                   : SVR_HANDSHAKE_NOTHING;
}

static enum svr_handshake_action on_timer(svr_handshake *hs, svr_time now)
{
    if (now < svr_handshake_due(hs))
        return SVR_HANDSHAKE_NOTHING;
    hs->unanswered = 0;
    return SVR_HANDSHAKE_SEND_DISABLE;
}

static enum svr_handshake_action
opener_event(svr_handshake *hs, enum svr_handshake_event event, svr_time now)
{
    switch (event) {
    case SVR_HANDSHAKE_SEND:
        return on_send(hs);
    case SVR_HANDSHAKE_PLAIN: /* a late one, or one of before a restart */
        return SVR_HANDSHAKE_NOTHING;
    case SVR_HANDSHAKE_METADATA: /* S6.4: the offer has arrived */
        change_state(hs, SVR_HANDSHAKE_OFFERED);
        return count_unanswered(hs, now);
    case SVR_HANDSHAKE_GOT_ENABLE:
        obey_enable(hs, SVR_HANDSHAKE_OFFERING, now);
        return SVR_HANDSHAKE_NOTHING;
    case SVR_HANDSHAKE_GOT_DISABLE: /* S6.6 */
        change_state(hs, SVR_HANDSHAKE_OFFERED);
        return SVR_HANDSHAKE_NOTHING;
    case SVR_HANDSHAKE_TIMER:
        return on_timer(hs, now);
    }
    return SVR_HANDSHAKE_NOTHING;
}

static enum svr_handshake_action
answerer_event(svr_handshake *hs, enum svr_handshake_event event, svr_time now)
{
    switch (event) {
    case SVR_HANDSHAKE_SEND:
        return on_send(hs);
    case SVR_HANDSHAKE_PLAIN: /* S6.4: the answer has arrived */
        hs->unanswered = 0;
        change_state(hs, SVR_HANDSHAKE_ANSWERED);
        return SVR_HANDSHAKE_NOTHING;
    case SVR_HANDSHAKE_METADATA: /* S6.4: new metadata re-arms ours */
        change_state(hs, SVR_HANDSHAKE_ANSWERING);
        return count_unanswered(hs, now);
    case SVR_HANDSHAKE_GOT_ENABLE:
        obey_enable(hs, SVR_HANDSHAKE_ANSWERING, now);
        return SVR_HANDSHAKE_NOTHING;
    case SVR_HANDSHAKE_GOT_DISABLE: /* S6.6 */
        hs->unanswered = 0;
        change_state(hs, SVR_HANDSHAKE_ANSWERED);
        return SVR_HANDSHAKE_NOTHING;
    case SVR_HANDSHAKE_TIMER:
        return on_timer(hs, now);
    }
    return SVR_HANDSHAKE_NOTHING;
}

enum svr_handshake_action svr_handshake_event(svr_handshake *hs,
                                              enum svr_handshake_event event,
                                              svr_time now)
{
    switch ((enum svr_handshake_state)hs->state) {
    case SVR_HANDSHAKE_OFFERING:
    case SVR_HANDSHAKE_OFFERED:
        return opener_event(hs, event, now);
    case SVR_HANDSHAKE_ANSWERING:
    case SVR_HANDSHAKE_ANSWERED:
        return answerer_event(hs, event, now);
    case SVR_HANDSHAKE_NONE:
        break;
    }
    return SVR_HANDSHAKE_NOTHING;
}

svr_time svr_handshake_due(const svr_handshake *hs)
{
    if (hs->unanswered == 0)
        return SVR_NEVER;
    return hs->first + SVR_HANDSHAKE_PATIENCE_TIME;
}

bool svr_handshake_quiet(const svr_handshake *hs)
{
    return !svr_handshake_sends(hs) && hs->unanswered == 0;
}

bool svr_handshake_sends(const svr_handshake *hs)
{
    return hs->state == SVR_HANDSHAKE_OFFERING ||
           hs->state == SVR_HANDSHAKE_ANSWERING;
}

const char *svr_handshake_name(const svr_handshake *hs)
{
    static const char *const names[] = {
        [SVR_HANDSHAKE_NONE] = "none",
        [SVR_HANDSHAKE_OFFERING] = "offering",
        [SVR_HANDSHAKE_OFFERED] = "offered",
        [SVR_HANDSHAKE_ANSWERING] = "answering",
        [SVR_HANDSHAKE_ANSWERED] = "answered",
    };
    return names[hs->state];
}
