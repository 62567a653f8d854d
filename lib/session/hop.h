/*
 * hop.h - one side of a session: the table of states and events that decides
 * what is said to a neighbour (S6.4, S6.6, S6.9, S7, S8).
 *
 * The events of the table are classified: session.c looks at what came, at the
 * numbers and at the clock, and names the one event that it is. So the table
 * has no conditions, and docs/sessions.md is made from it.
 */
#ifndef SVR_LIB_SESSION_HOP_H
#define SVR_LIB_SESSION_HOP_H

#include <svr/session.h>

/* A packet with session metadata is up to three events: what it is (METADATA,
 * NEWER, SAME, OLDER), what it echoes (ECHO, STALE, AHEAD), and whether it asks
 * (ASKS, ASKS_PLAIN). One that is sent is two: SEND or SEND_ECHO, then CHECK.
 */
#define SVR__HOP_EVENT_MAP(X)                                          \
    X(SEND, "a packet is sent")                                        \
    X(SEND_ECHO, "a packet is sent while an echo is owed")             \
    X(SENT_ALONE, "own metadata has been sent by itself")              \
    X(CHECK, "a packet is sent after silence of the neighbour")        \
    X(PLAIN, "a plain packet came: the first exchange, or no numbers") \
    X(PLAIN_LATER, "a plain packet came in a later exchange")          \
    X(METADATA, "metadata without a number came")                      \
    X(DISABLE, "type 18 or control 3 without a number came")           \
    X(NEWER, "metadata of a higher number came")                       \
    X(SAME, "metadata of the same number came")                        \
    X(OLDER, "metadata of a lower number came")                        \
    X(ECHO, "it echoes our present number")                            \
    X(STALE, "it echoes an exchange before our present one")           \
    X(AHEAD, "it echoes a number above ours")                          \
    X(ASKS, "it asks for an echo")                                     \
    X(ASKS_PLAIN, "it asks for an echo that a plain packet is")        \
    X(ENABLE, "control 2 came, the first in a second")                 \
    X(RENEW, "the neighbour has to hear of it anew")                   \
    X(DELETE, "control 6 came")                                        \
    X(KEEP_ALIVE, "control 1 came")                                    \
    X(HEALTH_REQUEST, "type 46 came")                                  \
    X(HEALTH_ANSWER, "control 8 came")                                 \
    X(PATIENCE, "4 packets or 1 s without an answer of ours")          \
    X(REPEAT, "a later exchange is due to go by itself")               \
    X(IDLE, "idle for the time of a keep-alive")

enum svr__hop_event {
#define X(name, text) SVR__HOP_##name,
    SVR__HOP_EVENT_MAP(X)
#undef X
        SVR__HOP_EVENTS
};

enum svr__hop_flag {
    SVR__HOP_FIRST = 1,       /* our exchange is the first since the session was
                                 made here: absence acknowledges it */
    SVR__HOP_OWES_ECHO = 2,   /* a plain packet would not be an answer */
    SVR__HOP_NUMBERLESS = 32, /* the neighbour sends no 0x8001 */
    SVR__HOP_ASK = 4,         /* S8.2: the next packet carries type 46 */
    SVR__HOP_ASKED = 8,       /* and one has; nothing came since */
    SVR__HOP_ASLEEP = 16, /* both ends are silent: the next packet starts the
                             clock of S8.2 */
};

/* What a rule has the hop note for itself, beside the actions of the caller. */
enum svr__hop_note {
    SVR__HOP_OWE = 0x100,        /* one more packet waits for an answer */
    SVR__HOP_OWE_ECHO = 0x200,   /* and for one with our metadata */
    SVR__HOP_PAY = 0x400,        /* nothing waits any more */
    SVR__HOP_NUMBER = 0x800,     /* the next exchange begins */
    SVR__HOP_LATER = 0x1000,     /* absence acknowledges it no more */
    SVR__HOP_BY_PACKET = 0x2000, /* it is not sent by itself */
};

#define SVR__HOP_ACTIONS 0xff

typedef struct svr__hop_rule {
    uint8_t next; /* enum svr_hop_state */
    uint16_t actions;
} svr__hop_rule;

/* The rule for a state and an event. */
const svr__hop_rule *svr__hop_rule_for(enum svr_hop_state state,
                                       enum svr__hop_event event);

/* The event happens. Returns the actions of the caller. */
unsigned svr__hop_event(svr_hop *hop, enum svr__hop_event event, svr_time now);

/* Whether every packet to this side carries metadata. */
static inline bool svr__hop_offers(const svr_hop *hop)
{
    return hop->state == SVR_HOP_OFFERING || hop->state == SVR_HOP_ANSWERING;
}

/* Of an answerer: only an echo acknowledges. */
static inline void svr__hop_doubt(svr_hop *hop)
{
    if (hop->state == SVR_HOP_ANSWERING)
        hop->flags &= (uint8_t)~SVR__HOP_FIRST;
}

/* "none", "offering", … and "SEND", … with what it means. */
const char *svr__hop_state_name(enum svr_hop_state state);
const char *svr__hop_event_name(enum svr__hop_event event);
const char *svr__hop_event_text(enum svr__hop_event event);

#endif
