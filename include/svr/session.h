/*
 * session.h - the two machines of a session: the metadata handshake with a
 * neighbour (S6.4, S6.6, S7) and the session's life (S9).
 *
 * Both are plain values: no memory, no clock, no packets. Events go in, actions
 * come out. A router keeps one svr_life for each session and one svr_handshake
 * for each side of it that is a pathway.
 */
#ifndef SVR_SESSION_H
#define SVR_SESSION_H

#include <svr/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The handshake with one neighbour. The router nearer to the client opens: it
 * offers forward metadata. The other one answers with reverse metadata. The
 * absence of metadata is the acknowledgement.
 */
enum svr_handshake_state {
    SVR_HANDSHAKE_NONE,      /* this side is no pathway */
    SVR_HANDSHAKE_OFFERING,  /* opener: every packet sent carries metadata */
    SVR_HANDSHAKE_OFFERED,   /* opener: the neighbour has it */
    SVR_HANDSHAKE_ANSWERING, /* answerer: every packet sent carries metadata */
    SVR_HANDSHAKE_ANSWERED,  /* answerer: the neighbour has it */
};

enum svr_handshake_event {
    SVR_HANDSHAKE_SEND,        /* a packet of the session goes to this side */
    SVR_HANDSHAKE_PLAIN,       /* one without session metadata came from it */
    SVR_HANDSHAKE_METADATA,    /* one with session metadata came from it */
    SVR_HANDSHAKE_GOT_ENABLE,  /* control 2 came from it */
    SVR_HANDSHAKE_GOT_DISABLE, /* control 3 with type 18 came from it */
    SVR_HANDSHAKE_TIMER,       /* the time that svr_handshake_due named */
};

/* What the caller does next. */
enum svr_handshake_action {
    SVR_HANDSHAKE_NOTHING,
    SVR_HANDSHAKE_ADD_METADATA, /* to the packet that is being sent */
    SVR_HANDSHAKE_SEND_DISABLE, /* a packet of its own: own session metadata,
                                   control 3 and type 18 (S6.6) */
};

typedef struct svr_handshake {
    uint8_t state;      /* enum svr_handshake_state */
    uint8_t unanswered; /* packets with metadata since we last sent */
    svr_time first;     /* when the first of them came */
    svr_time enabled;   /* last obeyed control 2; 0: never */
} svr_handshake;

/* S6.6: a stand-alone answer goes after this many packets or this time. */
#define SVR_HANDSHAKE_PATIENCE 4
#define SVR_HANDSHAKE_PATIENCE_TIME (1 * SVR_SECOND)
/* S7: control 2 is obeyed once in this time. */
#define SVR_HANDSHAKE_ENABLE_TIME (1 * SVR_SECOND)

/* A new handshake: OFFERING for the opener, ANSWERING for the answerer, NONE
 * for a side that is no pathway. */
SVR_API void svr_handshake_init(svr_handshake *hs,
                                enum svr_handshake_state state);

/* Every pair of state and event has its answer. */
SVR_API enum svr_handshake_action
svr_handshake_event(svr_handshake *hs, enum svr_handshake_event event,
                    svr_time now);

/* When SVR_HANDSHAKE_TIMER is due, or SVR_NEVER. */
SVR_API svr_time svr_handshake_due(const svr_handshake *hs);

/* Whether packets without metadata can pass in both directions without an event
 * changing anything: the straight way for plain packets. */
SVR_API bool svr_handshake_quiet(const svr_handshake *hs);

/* Whether the next packet sent will carry metadata. */
SVR_API bool svr_handshake_sends(const svr_handshake *hs);

/* "none", "offering", "offered", "answering", "answered". */
SVR_API const char *svr_handshake_name(const svr_handshake *hs);

/* Kinds of sessions with lifetimes of their own (S9). */
enum svr_session_kind {
    SVR_SESSION_TCP,
    SVR_SESSION_UDP,
    SVR_SESSION_ICMP,
    SVR_SESSION_DNS, /* UDP to port 53 */
    SVR_SESSION_OTHER,
    SVR_SESSION_KINDS
};

/* The kind of the session with this context. */
SVR_API enum svr_session_kind svr_session_kind_of(const svr_tuple *context);

enum svr_life_state {
    SVR_LIFE_NEW,
    SVR_LIFE_ESTABLISHED,
    SVR_LIFE_CLOSING, /* TCP: FIN from both ends */
    SVR_LIFE_RESET,   /* TCP: a reset inside the window */
};

/* One packet of the session, as its life sees it. */
typedef struct svr_life_packet {
    bool reverse;         /* from the server */
    uint8_t tcp_flags;    /* and the rest for TCP only */
    uint8_t window_shift; /* of a SYN's window scale option, 0 without */
    uint16_t window;
    uint32_t seq, ack;
    uint32_t len; /* payload bytes */
} svr_life_packet;

/* What one end of a TCP connection has been seen to do. */
typedef struct svr_life_end {
    uint32_t ack;    /* last acknowledgement it sent */
    uint32_t data;   /* sequence number behind its first data */
    uint16_t window; /* last window it offered, unscaled */
    uint8_t shift;   /* its window scale */
    uint8_t seen;    /* bits of enum svr_life_seen */
} svr_life_end;

enum svr_life_seen {
    SVR_LIFE_SEEN_ACK = 1,
    SVR_LIFE_SEEN_DATA = 2,
    SVR_LIFE_SEEN_FIN = 4,
};

typedef struct svr_life {
    uint8_t state;       /* enum svr_life_state */
    uint8_t kind;        /* enum svr_session_kind */
    svr_life_end end[2]; /* client, server */
} svr_life;

SVR_API void svr_life_init(svr_life *life, enum svr_session_kind kind);

/*
 * A packet of the session passes: TCP is established by the acknowledgement of
 * the first data, other kinds by the first reverse packet. A reset counts only
 * inside the window that the other end offered; outside it changes nothing, and
 * so it does before anything is known of that window but for the answer to a
 * SYN. A SYN from the client makes a closing or reset session new. Returns
 * whether the state changed.
 */
SVR_API bool svr_life_event(svr_life *life, const svr_life_packet *p);

/* Whether packets of that direction without SYN, FIN and RST change nothing any
 * more but what svr_life_note notes. */
SVR_API bool svr_life_quiet(const svr_life *life, bool reverse);

/* A router may let quiet packets pass without an event; before the next event
 * it then says what the last packet from that end acknowledged. */
SVR_API void svr_life_note(svr_life *life, bool reverse, uint32_t ack,
                           uint16_t window);

/* "new", "established", "closing", "reset". */
SVR_API const char *svr_life_name(const svr_life *life);

/* Idle times after which sessions end (S9). Zero-initialised is not useful:
 * start from svr_lifetimes_init. */
typedef struct svr_lifetimes {
    svr_time idle[SVR_SESSION_KINDS]; /* 1900 s, 180 s, 10 s, 5 s, 180 s */
    svr_time tcp_setup;               /* until established; 10 s */
} svr_lifetimes;

SVR_API void svr_lifetimes_init(svr_lifetimes *t);

/* Ports between two routers lie in this range (S10). */
#define SVR_WAYPOINT_PORT_FIRST 16384
#define SVR_WAYPOINT_PORT_LAST 65534

/* Some of them, or {0, 0}: all. */
typedef struct svr_port_range {
    uint16_t first, last;
} svr_port_range;

/* How long a session in this state may be idle. */
SVR_API svr_time svr_life_idle(const svr_life *life, const svr_lifetimes *t);

#ifdef __cplusplus
}
#endif

#endif
