/*
 * session.h - a session as its two hosts see it, and what they check.
 *
 * The hosts know everything: what was sent, when, and by whom. A packet that
 * arrives where it does not belong, changed, twice or never is noticed by its
 * content, which is a function of session, direction and place.
 */
#ifndef SIM_SESSION_H
#define SIM_SESSION_H

#include "excuse.h"
#include "packet.h"
#include "prng.h"
#include "queue.h"

struct world;
struct session;

/* X(NAME, "what it is"). */
#define SESSION_MAP(X)                                            \
    X(TCP, "TCP")                                                 \
    X(ASK, "UDP, answered")                                       \
    X(UP, "UDP, only the client speaks")                          \
    X(DOWN, "UDP, only the server speaks after the first packet") \
    X(ECHO, "ICMP")                                               \
    X(TUNNEL, "GRE, answered")

enum session_kind {
#define X(name, text) KIND_##name,
    SESSION_MAP(X)
#undef X
        SESSION_KINDS
};

enum { CLIENT, SERVER };

/* One end of a TCP connection. Places count from 0, the SYN, and the FIN has
 * one, too; sequence numbers are places behind iss. */
struct tcp_end {
    struct session *session;
    struct timer timer;
    uint32_t iss, irs;
    uint64_t acked, next, sent; /* acknowledged; to be sent; ever sent */
    uint64_t end;               /* behind the last byte to send */
    bool fin;                   /* a FIN stands there */
    uint64_t got;               /* all before it has come */
    struct {
        uint64_t from, to;
    } early[8];                    /* what has come behind a gap */
    svr_time retry, retry_due;     /* the timeout, and when it is over */
    svr_time think_due;            /* the client says its next word */
    svr_time round_trip, timed_at; /* 0: not known; SVR_NEVER: not timing */
    uint64_t timed;                /* the place whose acknowledgement counts */
    svr_time progress;             /* the last time anything was new */
    uint32_t window;               /* segments on the way at once */
    uint16_t mss;
    uint8_t copies, tries, shift; /* duplicate acknowledgements; timeouts */
};

/* Rounds of a question and an answer, then both ends close. */
struct tcp {
    struct tcp_end end[2];
    uint32_t ask, answer; /* bytes */
    unsigned rounds;
    svr_time think;     /* between rounds */
    bool server_closes; /* first */
    bool abort;         /* the client ends it by a reset */
};

enum { DATAGRAM_RING = 64, DATAGRAM_HEAD = 16 };

struct datagrams {
    struct timer timer;
    svr_time interval;
    svr_time until;  /* nothing is sent after that */
    uint32_t next;   /* number */
    uint32_t judged; /* all before it are known to have come or not */
    uint16_t most;   /* bytes behind L4 */
    bool open;       /* DOWN: the server has something to answer to */
    svr_time heard;  /* DOWN: when the client has got something, last */
    struct {
        svr_time at;
        uint16_t len;
        uint8_t there, back; /* how often it came */
        bool told;           /* ICMP said that it did not */
    } ring[DATAGRAM_RING];
};

struct session {
    uint32_t id;
    uint8_t kind; /* enum session_kind */
    bool over, reset;
    bool per_packet; /* every router signs every packet */
    bool nat;        /* there is one on the way */
    uint16_t router[2];
    struct victim victim;
    svr_time opened;
    unsigned moves; /* as far as they are counted, and the last one */
    svr_time moved;
    svr_time delay;  /* one way, without troubles */
    svr_tuple tuple; /* from the client */
    union {
        struct tcp tcp;
        struct datagrams datagrams;
    };
};

/* tcp.c */
void tcp_open(struct world *w, struct session *s, struct prng *p,
              svr_time until);
void tcp_receive(struct world *w, struct session *s, int end,
                 const svr_packet *p, const svr_headers *h);
void tcp_too_big(struct world *w, struct session *s, int end, uint16_t mtu);

/* datagram.c */
void datagram_open(struct world *w, struct session *s, struct prng *p,
                   svr_time until);
void datagram_receive(struct world *w, struct session *s, int end,
                      const svr_packet *p, const svr_headers *h);
/* quote: what the error quotes, from its IP header on. */
void datagram_too_big(struct world *w, struct session *s, int end, uint16_t mtu,
                      svr_span quote);

/* host.c */
/* What it is, from where to where; static storage. */
const char *session_name(const struct session *s);
void session_send(struct world *w, struct session *s, int from,
                  struct buffer *b);
void session_over(struct world *w, struct session *s);
/* Since it began, all routers that knew it may have forgotten it. */
bool session_is_forgotten(const struct world *w, const struct session *s);
/* It was ended from outside. Fails the world where nothing excuses that. */
void session_reset(struct world *w, struct session *s, int end,
                   const char *how);
/* What came is not what was sent: fails the world where packets are signed or
 * nothing has been corrupted. */
void session_spoilt(struct world *w, const struct session *s, const char *what);

#endif
