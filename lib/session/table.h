/*
 * table.h - sessions and their flows.
 *
 * A session has two flows: packets that arrive from the client side (forward)
 * and from the server side (reverse). A flow holds all that a plain packet
 * needs; it fills two cache lines. Flows stand beside their session, at twice
 * its number and the next, so neither needs to name the other.
 */
#ifndef SVR_LIB_SESSION_TABLE_H
#define SVR_LIB_SESSION_TABLE_H

#include "base/map.h"
#include "base/wheel.h"
#include "session/alias.h"
#include "session/key.h"

#include <svr/crypto.h>
#include <svr/packet.h>
#include <svr/session.h>

/* Sides of a session, and the directions of packets that come from them. */
enum {
    SVR__CLIENT = 0,
    SVR__SERVER = 1,
};

#define SVR__NO_PATHWAY UINT16_MAX
/* The next hop is the destination itself. */
#define SVR__ON_LINK UINT16_MAX

enum svr__flow_flag {
    SVR__FLOW_SLOW = 1,        /* a machine wants to see each packet */
    SVR__FLOW_CONVERT = 2,     /* family or protocol change on the way */
    SVR__FLOW_SIGNED_IN = 4,   /* plain packets arrive with a tag */
    SVR__FLOW_SIGNED_OUT = 8,  /* and leave with one */
    SVR__FLOW_OFFLOAD = 16,    /* the device it leaves by takes super-packets */
    SVR__FLOW_MASKED_IN = 32,  /* TCP that arrives as UDP (S4.4) */
    SVR__FLOW_MASKED_OUT = 64, /* and leaves as UDP */
    SVR__FLOW_MEASURED = 128,  /* now and then one leaves with type 26 (S15) */
};

/* Flags of flows whose packets can only be rewritten and sent. */
#define SVR__FLOW_PLAIN (SVR__FLOW_OFFLOAD | SVR__FLOW_MEASURED)

typedef struct svr__flow {
    _Alignas(64) svr__flow_key key;
    svr_rewrite rewrite; /* what its packets become */
    uint16_t out_iface;
    uint16_t next_hop; /* in the router's list, or SVR__ON_LINK */
    uint16_t mtu;      /* of the network it leaves by */
    uint8_t out_proto; /* TCP where it leaves as UDP for a mask only */
    uint8_t flags;     /* enum svr__flow_flag */
    uint32_t tcp_ack;
    uint16_t tcp_window; /* with tcp_ack: of the last TCP packet */
    uint16_t bound;      /* whether it stands in the table */
    svr_time seen;
    uint64_t packets, bytes;
} svr__flow;

_Static_assert(sizeof(svr__flow) == 128, "a flow fills two cache lines");

/* One side of a session. */
typedef struct svr__side {
    uint16_t pathway; /* SVR__NO_PATHWAY: an own interface */
    uint16_t iface;
    uint32_t tcp_seq, tcp_ack; /* for control packets to this side: mirrored
                                  from what last came from there (S7) */
    uint32_t generation;       /* of the keys of its tuple (S11.10) */
} svr__side;

/* Routers that a session has passed before this one, and those that it shall
 * pass behind the next one, at most (S20). */
#define SVR__PASSED_MAX 11

/* Their numbers among the routers' names: `count` that were passed, in order,
 * then `coming` (S16.4). */
typedef struct svr__passed {
    uint16_t router[SVR__PASSED_MAX];
    uint8_t count, coming;
} svr__passed;

/* Whether a session's payloads are encrypted (S11.9). */
enum svr__seal {
    SVR__CLEAR,
    SVR__SEALED,
    SVR__UNDECIDED, /* there was no payload yet */
};

typedef struct svr__session {
    svr_session machine;
    svr_time created;
    svr__side side[2];
    uint32_t next_free;
    svr_uuid uuid;
    svr_tuple context;
    int16_t tenant; /* SVR_TENANT_NONE: none */
    uint16_t service;
    uint8_t alive : 1;
    uint8_t asked : 1; /* UNDECIDED: the server has something to say */
    uint8_t seal;      /* enum svr__seal */
    svr__passed passed;
} svr__session;

_Static_assert(sizeof(svr__session) + 2 * sizeof(svr__flow) <= 512,
               "a session with both flows takes 512 bytes at most");

typedef struct svr__table {
    svr__session *sessions;
    svr__flow *flows; /* two for each session */
    void *flow_memory;
    uint32_t cap, count;
    uint32_t free; /* list of free sessions, or SVR__MAP_NONE */
    uint32_t hand; /* pressure.h */
    svr__map by_key, by_uuid;
    svr__aliases aliases; /* further tuples of sessions (S17) */
    svr__wheel wheel;
    uint8_t hash_key[SVR_HASH_KEY_SIZE];
    svr_allocator alloc;
} svr__table;

/* Room for cap sessions. 0, or SVR_ERR_NO_MEMORY, or ARGUMENT (cap). */
int svr__table_init(svr__table *t, uint32_t cap, const svr_random *random,
                    svr_time now, const svr_allocator *alloc);
void svr__table_fini(svr__table *t);

static inline uint64_t svr__flow_hash(const svr__table *t,
                                      const svr__flow_key *key)
{
    return svr_hash(t->hash_key, key, sizeof(*key));
}

svr__flow *svr__flow_find(const svr__table *t, const svr__flow_key *key,
                          uint64_t hash);

/* Starts to bring the flow, if there is one, into the cache. */
static inline void svr__flow_prefetch(const svr__table *t, uint64_t hash)
{
#if defined(__GNUC__)
    uint32_t iter;
    uint32_t item = svr__map_find_first(&t->by_key, hash, &iter);
    if (item == SVR__MAP_NONE)
        return;
    const uint8_t *at = (const uint8_t *)&t->flows[item];
    __builtin_prefetch(at, 1);
    __builtin_prefetch(at + 64, 1);
#else
    (void)t;
    (void)hash;
#endif
}

/* The protocol that its packets have within the router: TCP carried as UDP is
 * TCP there (S4.4). */
static inline uint8_t svr__flow_proto(const svr__flow *f)
{
    return f->flags & SVR__FLOW_MASKED_IN ? SVR_PROTO_TCP : f->key.proto;
}

static inline uint32_t svr__flow_number(const svr__table *t, const svr__flow *f)
{
    return (uint32_t)(f - t->flows);
}

/* The session of a flow, and the side that its packets come from. */
static inline svr__session *svr__flow_session(const svr__table *t,
                                              const svr__flow *f)
{
    return &t->sessions[svr__flow_number(t, f) / 2];
}

static inline unsigned svr__flow_side(const svr__table *t, const svr__flow *f)
{
    return svr__flow_number(t, f) & 1;
}

static inline uint32_t svr__session_number(const svr__table *t,
                                           const svr__session *s)
{
    return (uint32_t)(s - t->sessions);
}

/* The flow of packets that come from a side. */
static inline svr__flow *svr__session_flow(const svr__table *t,
                                           const svr__session *s, unsigned side)
{
    return &t->flows[2 * (size_t)svr__session_number(t, s) + side];
}

/* When the last packet came, from either side. */
static inline svr_time svr__session_last(const svr__table *t,
                                         const svr__session *s)
{
    svr_time forward = svr__session_flow(t, s, SVR__CLIENT)->seen;
    svr_time reverse = svr__session_flow(t, s, SVR__SERVER)->seen;
    return forward > reverse ? forward : reverse;
}

/* The flow whose packets an alias's are. */
static inline svr__flow *svr__alias_flow(const svr__table *t,
                                         const svr__alias *a)
{
    return &t->flows[2 * (size_t)a->session + a->side];
}

svr__session *svr__session_find(const svr__table *t, const svr_uuid *uuid);

/* A new session, all zero but for its UUID, whose flows are not bound yet.
 * NULL where the table is full. */
svr__session *svr__session_create(svr__table *t, const svr_uuid *uuid);

/* Enters a flow under its key. False where another, or an alias, stands there.
 */
bool svr__flow_bind(svr__table *t, svr__flow *f);
/* Takes it out again, so that its key may change. */
void svr__flow_unbind(svr__table *t, svr__flow *f);

/* Whether a flow or an alias has this key: nothing else may be bound to it. */
bool svr__key_taken(const svr__table *t, const svr__flow_key *key);

/* Gives a session another tuple: of `what` all but its hash counts. NULL where
 * something has its key, or there is no room. */
svr__alias *svr__alias_bind(svr__table *t, svr__alias what, svr_time now);

/* Takes the session with its flows, its aliases and its timer out of the table.
 */
void svr__session_end(svr__table *t, svr__session *s);

#endif
