/*
 * One side of a session, as a table.
 *
 * The opener offers until the neighbour has its exchange, the answerer answers
 * until the neighbour has its own. In the first exchange, and with a neighbour
 * that sends no numbers, the absence of metadata is the acknowledgement (S6.4);
 * otherwise only an echo of the present number is (S6.9).
 */
#include "session/hop.h"

enum {
    ADD = SVR_SESSION_ADD_METADATA,
    HEALTH = SVR_SESSION_ADD_HEALTH,
    ALONE = SVR_SESSION_SEND_METADATA,
    ALIVE = SVR_SESSION_SEND_KEEP_ALIVE,
    HAVE_IT = SVR_SESSION_SEND_HEALTH_ANSWER,
    END = SVR_SESSION_END,
    OWE = SVR__HOP_OWE,
    OWE_ECHO = SVR__HOP_OWE | SVR__HOP_OWE_ECHO,
    PAY = SVR__HOP_PAY,
    NUMBER = SVR__HOP_NUMBER | SVR__HOP_LATER,
    BY_PACKET = SVR__HOP_NUMBER | SVR__HOP_LATER | SVR__HOP_BY_PACKET,
    AGAIN = SVR__HOP_LATER | SVR__HOP_BY_PACKET,
};

#define ROW(state, event, next, actions) \
    [SVR_HOP_##state][SVR__HOP_##event] = {SVR_HOP_##next, actions}

/* clang-format off */
static const svr__hop_rule rules[SVR_HOP_STATES][SVR__HOP_EVENTS] = {
    /* Nobody speaks SVR there: nothing is said, and nothing can come. */
    ROW(HOST, SEND,           HOST, 0),
    ROW(HOST, SEND_ECHO,      HOST, 0),
    ROW(HOST, SENT_ALONE,     HOST, 0),
    ROW(HOST, CHECK,          HOST, 0),
    ROW(HOST, PLAIN,          HOST, 0),
    ROW(HOST, PLAIN_LATER,    HOST, 0),
    ROW(HOST, METADATA,       HOST, 0),
    ROW(HOST, DISABLE,        HOST, 0),
    ROW(HOST, NEWER,          HOST, 0),
    ROW(HOST, SAME,           HOST, 0),
    ROW(HOST, OLDER,          HOST, 0),
    ROW(HOST, ECHO,           HOST, 0),
    ROW(HOST, STALE,          HOST, 0),
    ROW(HOST, AHEAD,          HOST, 0),
    ROW(HOST, ASKS,           HOST, 0),
    ROW(HOST, ASKS_PLAIN,     HOST, 0),
    ROW(HOST, ENABLE,         HOST, 0),
    ROW(HOST, RENEW,          HOST, 0),
    ROW(HOST, DELETE,         HOST, 0),
    ROW(HOST, KEEP_ALIVE,     HOST, 0),
    ROW(HOST, HEALTH_REQUEST, HOST, 0),
    ROW(HOST, HEALTH_ANSWER,  HOST, 0),
    ROW(HOST, PATIENCE,       HOST, 0),
    ROW(HOST, REPEAT,         HOST, 0),
    ROW(HOST, IDLE,           HOST, 0),

    ROW(OFFERING, SEND,           OFFERING, ADD | PAY), /* S6.4 */
    ROW(OFFERING, SEND_ECHO,      OFFERING, ADD | PAY),
    ROW(OFFERING, SENT_ALONE,     OFFERING, PAY),
    ROW(OFFERING, CHECK,          OFFERING, 0), /* metadata asks, too */
    ROW(OFFERING, PLAIN,          OFFERING, 0), /* a late one */
    ROW(OFFERING, PLAIN_LATER,    OFFERING, 0),
    ROW(OFFERING, METADATA,       OFFERED, OWE), /* S6.4 */
    ROW(OFFERING, DISABLE,        OFFERED, 0), /* S6.6 */
    ROW(OFFERING, NEWER,          OFFERING, 0),
    ROW(OFFERING, SAME,           OFFERING, 0),
    ROW(OFFERING, OLDER,          OFFERING, 0), /* S6.9 */
    ROW(OFFERING, ECHO,           OFFERED, 0),
    ROW(OFFERING, STALE,          OFFERING, 0), /* is being done */
    ROW(OFFERING, AHEAD,          OFFERING, BY_PACKET),
    ROW(OFFERING, ASKS,           OFFERING, OWE_ECHO),
    ROW(OFFERING, ASKS_PLAIN,     OFFERING, OWE),
    ROW(OFFERING, ENABLE,         OFFERING, 0), /* is being done */
    ROW(OFFERING, RENEW,          OFFERING, NUMBER), /* S6.8 */
    ROW(OFFERING, DELETE,         OFFERING, END), /* S6.10, S7 */
    ROW(OFFERING, KEEP_ALIVE,     OFFERING, 0),
    ROW(OFFERING, HEALTH_REQUEST, OFFERING, HAVE_IT), /* S8.2 */
    ROW(OFFERING, HEALTH_ANSWER,  OFFERING, 0),
    ROW(OFFERING, PATIENCE,       OFFERING, ALONE | PAY), /* S6.6 */
    ROW(OFFERING, REPEAT,         OFFERING, ALONE | PAY), /* S17, S8.4 */
    ROW(OFFERING, IDLE,           OFFERING, ALIVE), /* S8.1 */

    ROW(OFFERED, SEND,           OFFERED, PAY),
    ROW(OFFERED, SEND_ECHO,      OFFERED, ADD | PAY), /* S6.9 */
    ROW(OFFERED, SENT_ALONE,     OFFERED, PAY),
    ROW(OFFERED, CHECK,          OFFERED, HEALTH), /* S8.2 */
    ROW(OFFERED, PLAIN,          OFFERED, 0),
    ROW(OFFERED, PLAIN_LATER,    OFFERED, 0),
    ROW(OFFERED, METADATA,       OFFERED, OWE),
    ROW(OFFERED, DISABLE,        OFFERED, 0),
    ROW(OFFERED, NEWER,          OFFERED, 0),
    ROW(OFFERED, SAME,           OFFERED, 0),
    ROW(OFFERED, OLDER,          OFFERED, 0),
    ROW(OFFERED, ECHO,           OFFERED, 0),
    ROW(OFFERED, STALE,          OFFERING, AGAIN), /* lost it */
    ROW(OFFERED, AHEAD,          OFFERING, BY_PACKET), /* we lost it */
    ROW(OFFERED, ASKS,           OFFERED, OWE_ECHO),
    ROW(OFFERED, ASKS_PLAIN,     OFFERED, OWE),
    ROW(OFFERED, ENABLE,         OFFERING, BY_PACKET), /* S7 */
    ROW(OFFERED, RENEW,          OFFERING, NUMBER),
    ROW(OFFERED, DELETE,         OFFERED, END),
    ROW(OFFERED, KEEP_ALIVE,     OFFERED, 0),
    ROW(OFFERED, HEALTH_REQUEST, OFFERED, HAVE_IT),
    ROW(OFFERED, HEALTH_ANSWER,  OFFERED, 0),
    ROW(OFFERED, PATIENCE,       OFFERED, ALONE | PAY),
    ROW(OFFERED, REPEAT,         OFFERED, 0), /* has arrived */
    ROW(OFFERED, IDLE,           OFFERED, ALIVE),

    ROW(ANSWERING, SEND,           ANSWERING, ADD | PAY), /* S6.4 */
    ROW(ANSWERING, SEND_ECHO,      ANSWERING, ADD | PAY),
    ROW(ANSWERING, SENT_ALONE,     ANSWERING, PAY),
    ROW(ANSWERING, CHECK,          ANSWERING, 0),
    ROW(ANSWERING, PLAIN,          ANSWERED, PAY), /* S6.4 */
    ROW(ANSWERING, PLAIN_LATER,    ANSWERING, 0), /* S6.9 */
    ROW(ANSWERING, METADATA,       ANSWERING, OWE),
    ROW(ANSWERING, DISABLE,        ANSWERED, PAY), /* S6.6 */
    ROW(ANSWERING, NEWER,          ANSWERING, 0),
    ROW(ANSWERING, SAME,           ANSWERING, 0),
    ROW(ANSWERING, OLDER,          ANSWERING, 0), /* S6.9 */
    ROW(ANSWERING, ECHO,           ANSWERED, 0),
    ROW(ANSWERING, STALE,          ANSWERING, 0),
    ROW(ANSWERING, AHEAD,          ANSWERING, BY_PACKET),
    ROW(ANSWERING, ASKS,           ANSWERING, OWE_ECHO),
    ROW(ANSWERING, ASKS_PLAIN,     ANSWERING, OWE),
    ROW(ANSWERING, ENABLE,         ANSWERING, 0),
    ROW(ANSWERING, RENEW,          ANSWERING, NUMBER), /* S6.8 */
    ROW(ANSWERING, DELETE,         ANSWERING, END),
    ROW(ANSWERING, KEEP_ALIVE,     ANSWERING, 0),
    ROW(ANSWERING, HEALTH_REQUEST, ANSWERING, HAVE_IT),
    ROW(ANSWERING, HEALTH_ANSWER,  ANSWERING, 0),
    ROW(ANSWERING, PATIENCE,       ANSWERING, ALONE | PAY), /* S6.6 */
    ROW(ANSWERING, REPEAT,         ANSWERING, ALONE | PAY),
    ROW(ANSWERING, IDLE,           ANSWERING, ALIVE),

    ROW(ANSWERED, SEND,           ANSWERED, PAY),
    ROW(ANSWERED, SEND_ECHO,      ANSWERED, ADD | PAY), /* S6.9 */
    ROW(ANSWERED, SENT_ALONE,     ANSWERED, PAY),
    ROW(ANSWERED, CHECK,          ANSWERED, HEALTH), /* S8.2 */
    ROW(ANSWERED, PLAIN,          ANSWERED, PAY),
    ROW(ANSWERED, PLAIN_LATER,    ANSWERED, 0),
    ROW(ANSWERED, METADATA,       ANSWERING, OWE), /* S6.4: re-armed */
    ROW(ANSWERED, DISABLE,        ANSWERED, PAY),
    ROW(ANSWERED, NEWER,          ANSWERED, 0),
    ROW(ANSWERED, SAME,           ANSWERED, 0),
    ROW(ANSWERED, OLDER,          ANSWERED, 0),
    ROW(ANSWERED, ECHO,           ANSWERED, 0),
    ROW(ANSWERED, STALE,          ANSWERING, AGAIN),
    ROW(ANSWERED, AHEAD,          ANSWERING, BY_PACKET),
    ROW(ANSWERED, ASKS,           ANSWERED, OWE_ECHO),
    ROW(ANSWERED, ASKS_PLAIN,     ANSWERED, OWE),
    ROW(ANSWERED, ENABLE,         ANSWERING, BY_PACKET), /* S7 */
    ROW(ANSWERED, RENEW,          ANSWERING, NUMBER),
    ROW(ANSWERED, DELETE,         ANSWERED, END),
    ROW(ANSWERED, KEEP_ALIVE,     ANSWERED, 0),
    ROW(ANSWERED, HEALTH_REQUEST, ANSWERED, HAVE_IT),
    ROW(ANSWERED, HEALTH_ANSWER,  ANSWERED, 0),
    ROW(ANSWERED, PATIENCE,       ANSWERED, ALONE | PAY),
    ROW(ANSWERED, REPEAT,         ANSWERED, 0),
    ROW(ANSWERED, IDLE,           ANSWERED, ALIVE),
};
/* clang-format on */

const svr__hop_rule *svr__hop_rule_for(enum svr_hop_state state,
                                       enum svr__hop_event event)
{
    return &rules[state][event];
}

static void change_state(svr_hop *hop, enum svr_hop_state state)
{
    hop->state = (uint8_t)state;
}

/* S6.9: absence no longer acknowledges, since what is late looks the same. */
static void be_later(svr_hop *hop, svr_time now)
{
    hop->flags &= (uint8_t)~SVR__HOP_FIRST;
    hop->renewed = now ? now : 1;
    hop->repeats = 0;
}

static void owe(svr_hop *hop, svr_time now)
{
    if (hop->unanswered == 0)
        hop->waiting = now;
    hop->unanswered++;
}

static void pay(svr_hop *hop)
{
    hop->unanswered = 0;
    hop->flags &= (uint8_t)~SVR__HOP_OWES_ECHO;
}

static void note(svr_hop *hop, unsigned actions, svr_time now)
{
    if (actions & SVR__HOP_NUMBER)
        hop->own++;
    if (actions & SVR__HOP_LATER)
        be_later(hop, now);
    if (actions & SVR__HOP_BY_PACKET)
        hop->repeats = SVR_SESSION_REPEATS + 1;
    if (actions & SVR__HOP_OWE)
        owe(hop, now);
    if (actions & SVR__HOP_OWE_ECHO)
        hop->flags |= SVR__HOP_OWES_ECHO;
    if (actions & SVR__HOP_PAY)
        pay(hop);
}

unsigned svr__hop_event(svr_hop *hop, enum svr__hop_event event, svr_time now)
{
    const svr__hop_rule *rule = &rules[hop->state][event];

    change_state(hop, (enum svr_hop_state)rule->next);
    note(hop, rule->actions, now);
    return rule->actions & SVR__HOP_ACTIONS;
}

const char *svr__hop_state_name(enum svr_hop_state state)
{
    static const char *const names[SVR_HOP_STATES] = {
        [SVR_HOP_HOST] = "none",         [SVR_HOP_OFFERING] = "offering",
        [SVR_HOP_OFFERED] = "offered",   [SVR_HOP_ANSWERING] = "answering",
        [SVR_HOP_ANSWERED] = "answered",
    };
    return names[state];
}

const char *svr__hop_event_name(enum svr__hop_event event)
{
    static const char *const names[SVR__HOP_EVENTS] = {
#define X(name, text) [SVR__HOP_##name] = #name,
        SVR__HOP_EVENT_MAP(X)
#undef X
    };
    return names[event];
}

const char *svr__hop_event_text(enum svr__hop_event event)
{
    static const char *const texts[SVR__HOP_EVENTS] = {
#define X(name, text) [SVR__HOP_##name] = text,
        SVR__HOP_EVENT_MAP(X)
#undef X
    };
    return texts[event];
}
