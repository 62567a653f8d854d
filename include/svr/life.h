/*
 * life.h - the life of a session (S9): what makes it established, what ends it,
 * and how long it may be idle. A plain value: no memory, no clock, no packets.
 */
#ifndef SVR_LIFE_H
#define SVR_LIFE_H

#include <svr/base.h>

#ifdef __cplusplus
extern "C" {
#endif

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
    uint32_t data;   /* sequence number behind its SYN or first data */
    uint16_t window; /* last window it offered, unscaled */
    uint8_t shift;   /* its window scale */
    uint8_t seen;    /* bits of enum svr_life_seen */
} svr_life_end;

enum svr_life_seen {
    SVR_LIFE_SEEN_ACK = 1,
    SVR_LIFE_SEEN_DATA = 2,
    SVR_LIFE_SEEN_FIN = 4,
    SVR_LIFE_SEEN_SYN = 8,
};

typedef struct svr_life {
    uint8_t state;       /* enum svr_life_state */
    uint8_t kind;        /* enum svr_session_kind */
    svr_life_end end[2]; /* client, server */
} svr_life;

SVR_API void svr_life_init(svr_life *life, enum svr_session_kind kind);

/* The session has lived before, where its packets were seen by this router in a
 * life of its own that it has forgotten, or by another: it is established. */
SVR_API void svr_life_resume(svr_life *life);

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
 * it then says what the last packet from that end, if there was one,
 * acknowledged. */
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

/* How long a session in this state may be idle. */
SVR_API svr_time svr_life_idle(const svr_life *life, const svr_lifetimes *t);

#ifdef __cplusplus
}
#endif

#endif
