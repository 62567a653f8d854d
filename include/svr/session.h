/*
 * session.h - the machine of a session: what it says to its neighbours and what
 * it makes of what they say (S6.4 to S6.9, S7, S8.1, S8.2), beside its life
 * (life.h, S9).
 *
 * A plain value: no memory, no clock, no packets. Events go in, actions come
 * out. A session has two sides, the client's and the server's, and each is
 * either an interface of the router's own or a *hop*: a pathway to the next
 * router. What stands on the sides makes the router's role.
 *
 *     ingress   own interface     hop
 *     transit   hop               hop
 *     egress    hop               own interface
 *
 * The hop on the server's side opens: it offers forward metadata. The hop on
 * the client's side answers with reverse metadata. Each of the two routers of
 * a hop numbers its own exchanges and is told by the other which one it has
 * applied (S6.9). docs/sessions.md has the whole table.
 */
#ifndef SVR_SESSION_H
#define SVR_SESSION_H

#include <svr/life.h>
#include <svr/metadata.h>

#ifdef __cplusplus
extern "C" {
#endif

enum svr_session_side {
    SVR_SESSION_CLIENT,
    SVR_SESSION_SERVER,
};

enum svr_role {
    SVR_ROLE_INGRESS,
    SVR_ROLE_EGRESS,
    SVR_ROLE_TRANSIT,
    SVR_ROLE_LOCAL, /* both sides are own interfaces */
};

/* "ingress", "egress", "transit", "local". */
SVR_API const char *svr_role_name(enum svr_role role);

enum svr_hop_state {
    SVR_HOP_HOST,      /* an own interface: no neighbour to speak to */
    SVR_HOP_OFFERING,  /* opener: its exchange is not acknowledged yet */
    SVR_HOP_OFFERED,   /* opener: the neighbour has it */
    SVR_HOP_ANSWERING, /* answerer: its exchange is not acknowledged yet */
    SVR_HOP_ANSWERED,  /* answerer: the neighbour has it */
    SVR_HOP_STATES
};

/* What a session watches on one side. All zero: nothing. */
typedef struct svr_hop_settings {
    uint16_t keep_alive; /* S8.1: seconds of idleness after which the mapping of
                            a NAT on the pathway is refreshed; 0: there is no
                            NAT */
    uint8_t inactivity;  /* S8.2: seconds without return traffic after which the
                            neighbour is asked whether it has the session; 0:
                            packet-based recovery */
} svr_hop_settings;

/* One side. Its fields are the machine's own. */
typedef struct svr_hop {
    uint64_t own;     /* number of our present exchange */
    uint64_t peer;    /* the neighbour's highest that was applied; 0: none */
    svr_time waiting; /* since when `unanswered` is not 0 */
    svr_time renewed; /* when the present exchange began; 0: with the session */
    svr_time checked; /* last keep-alive, or news of the neighbour */
    svr_hop_settings settings;
    uint8_t state;      /* enum svr_hop_state */
    uint8_t flags;      /* enum svr__hop_flag, lib/session/hop.h */
    uint8_t unanswered; /* packets that asked for an answer since our last */
    uint8_t repeats;    /* S8.4: how often the exchange went by itself */
} svr_hop;

typedef struct svr_session {
    svr_hop hop[2]; /* by enum svr_session_side */
    svr_life life;
} svr_session;

/* S6.6: what asks for an answer gets a packet of its own after so many packets
 * or this time. */
#define SVR_SESSION_PATIENCE 4
#define SVR_SESSION_PATIENCE_TIME (1 * SVR_SECOND)
/* S7: control 2 is obeyed once in this time. */
#define SVR_SESSION_ENABLE_TIME (1 * SVR_SECOND)
/* S17: a later exchange that no packet carries goes by itself after this time.
 * While it is not acknowledged it goes again, so often and so far apart, and as
 * often once more where plain packets show that the neighbour is there. */
#define SVR_SESSION_RENEW_TIME (20 * SVR_MILLISECOND)
#define SVR_SESSION_REPEATS 3
#define SVR_SESSION_REPEAT_TIME (1 * SVR_SECOND)

/*
 * A new session. client_hop, server_hop: which sides are pathways. number: of
 * the first exchange (S6.9). A router whose sessions come again under the same
 * UUID must take a higher one then: its boot counter << 40, plus something that
 * rises with time, does that. It must not be 0.
 */
SVR_API void svr_session_init(svr_session *s, enum svr_session_kind kind,
                              bool client_hop, bool server_hop,
                              uint64_t number);

/* The session was perhaps here before, and its neighbours' packets of then are
 * still on their way: their lack of metadata acknowledges nothing (S6.9). For
 * sessions that are made while a router has been started a few seconds ago. */
SVR_API void svr_session_doubt(svr_session *s);

/* Another neighbour stands on a side than before (S17): what the former one
 * said does not count, and the new one has to hear of the session. */
SVR_API void svr_session_turn(svr_session *s, unsigned side, svr_time now);

/* What is watched on a side, from now on. */
SVR_API void svr_session_watch(svr_session *s, unsigned side,
                               svr_hop_settings settings);

SVR_API enum svr_role svr_session_role(const svr_session *s);

/* What happens. Packets from a side are authentic, and agree with the session,
 * before the machine hears of them. */
enum svr_session_event {
    SVR_SESSION_SEND,       /* a packet of the session goes to this side now */
    SVR_SESSION_SENT_ALONE, /* the caller has sent what SEND_METADATA says */
    SVR_SESSION_PLAIN,      /* a packet without session metadata came */
    SVR_SESSION_ENABLE,     /* control 2 came */
    SVR_SESSION_DISABLE,    /* control 3 without session metadata came */
    SVR_SESSION_DELETE,     /* control 6 came */
    SVR_SESSION_KEEP_ALIVE, /* control 1 came */
    SVR_SESSION_HEALTH_REQUEST, /* type 46 came, beside what else came */
    SVR_SESSION_HEALTH_ANSWER,  /* control 8 came */
    SVR_SESSION_RENEW, /* S6.8: the neighbour has to hear of it anew: its state
                          is lost, a NAT or the pathway has changed */
};

/* What the caller does next, on the side of the event; or'ed. */
enum svr_session_action {
    SVR_SESSION_ADD_METADATA = 1,     /* to the packet that is being sent */
    SVR_SESSION_ADD_HEALTH = 2,       /* type 46 = 1, to the same */
    SVR_SESSION_ADD_HEALTH_AGAIN = 4, /* type 46 = 2 */
    SVR_SESSION_SEND_METADATA = 8,    /* a packet of its own: session metadata,
                                         control 3 and type 18 (S6.6) */
    SVR_SESSION_SEND_KEEP_ALIVE = 16, /* control 1 (S8.1) */
    SVR_SESSION_SEND_HEALTH_ANSWER = 32, /* control 8 (S8.2) */
    SVR_SESSION_END = 64, /* the session ends; a neighbour on the other side is
                             told by control 6 */
};

/* Every event has its answer in every state. */
SVR_API unsigned svr_session_event(svr_session *s, unsigned side,
                                   enum svr_session_event event, svr_time now);

/* A packet with session metadata came. exchange: its attribute 0x8001, NULL
 * where there is none. disable: it had type 18. What it says of the session is
 * the caller's, who asks first whether it counts: svr_session_is_older,
 * svr_session_may_move. */
SVR_API unsigned svr_session_metadata(svr_session *s, unsigned side,
                                      const svr_exchange *exchange,
                                      bool disable, svr_time now);

/* What has to stand in the session metadata that goes to a side: attribute
 * 0x8001. */
SVR_API svr_exchange svr_session_exchange(const svr_session *s, unsigned side);

/* How metadata with this number stands to what was applied on a side (S6.9). */
SVR_API bool svr_session_is_older(const svr_session *s, unsigned side,
                                  uint64_t number);
SVR_API bool svr_session_is_newer(const svr_session *s, unsigned side,
                                  uint64_t number);
/* Whether metadata with this attribute 0x8001 may move a side to where it came
 * from. An exchange moves the session once, when it is new. While the opener
 * has not heard that it has arrived, it may move it again: the packet that
 * moved it before may have been changed on the way, since no tag covers ports.
 */
SVR_API bool svr_session_may_move(const svr_session *s, unsigned side,
                                  const svr_exchange *exchange);

/* What SVR_SESSION_SEND would answer now, without doing it. */
SVR_API unsigned svr_session_peek(const svr_session *s, unsigned side,
                                  svr_time now);

/*
 * Timers. passed[] is when a packet of the session last came from each side;
 * packets that need no event may pass without one (svr_session_quiet), so the
 * caller knows it better than the machine.
 *
 * svr_session_due: when svr_session_timer is to be called for this side, or
 * SVR_NEVER. Ask again after each event; what quiet packets change may be
 * noticed when the time has come. The end of an idle session is not among it
 * (svr_life_idle).
 */
SVR_API svr_time svr_session_due(const svr_session *s, unsigned side,
                                 const svr_time passed[2]);
SVR_API unsigned svr_session_timer(svr_session *s, unsigned side,
                                   const svr_time passed[2], svr_time now);

/* Whether a later exchange goes to that side by itself, again and again, since
 * it is not acknowledged yet. */
SVR_API bool svr_session_renews(const svr_session *s, unsigned side);

/* Whether packets without metadata, SYN, FIN and RST that come from a side can
 * pass without an event: the straight way for plain packets. */
SVR_API bool svr_session_quiet(const svr_session *s, unsigned side);

/* "none" for an own interface, "offering", "offered", "answering",
 * "answered". */
SVR_API const char *svr_session_state_name(const svr_session *s, unsigned side);

/* Ports between two routers lie in this range (S10). */
#define SVR_WAYPOINT_PORT_FIRST 16384
#define SVR_WAYPOINT_PORT_LAST 65534

/* Some of them, or {0, 0}: all. */
typedef struct svr_port_range {
    uint16_t first, last;
} svr_port_range;

#ifdef __cplusplus
}
#endif

#endif
