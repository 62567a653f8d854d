/*
 * node.h - what the files of a node share.
 *
 * The way of a packet:
 *
 *   input.c      parse, look up; plain packets of quiet sessions leave here
 *   first.c      no flow: from a client (S5) or on a waypoint (S6.1)
 *   waypoint.c   metadata from a neighbour (S6): offer.c, where its session is
 *                new here, follow.c, where it is known
 *   relay.c      packets of sessions that need more than a rewrite
 *   move.c       sessions that change pathways, and packets of theirs that are
 *                late (S17); redirect.c: to other routers; legs.c: packets that
 *                travel more than once
 *   fragment.c   packets that travel in pieces (S18)
 *   output.c     pieces of packets, packets out of pieces, and what the node
 *                itself sends
 *
 * watch.c keeps the pathways alive, with watch_send.c and watch_receive.c; what
 * comes for that is taken before all else (S14, S15). keying.c exchanges keys
 * with peers that way.
 *
 * learn.c hears from peers how the network is doing, and tells them.
 *
 * beside it: token.c makes and keeps recovery tokens (S8.5), recover.c
 * builds sessions with them, resync.c tells peers of sessions after a restart
 * (S8.4), on tours (tour.c), open.c makes sessions and their flows, route.c
 * says where they go, choose.c by which of several ways (S16), fit.c looks at
 * sizes, depart.c adds what a neighbour needs, describe.c writes metadata,
 * keyring.c has the keys, protect.c signs and verifies, seal.c encrypts,
 * adapt.c says which sessions (S11.9), clock.c knows the time for that,
 * record.c keeps sessions from circling (S20),
 * control.c speaks to neighbours (S7, S8.2), health.c watches them, refuse.c
 * tells hosts what they refuse (S6.10), icmp.c raises and carries errors (S19),
 * expiry.c ends what is idle (S9). create.c makes a node, setup.c and config.c
 * what derives from its configuration, reconfigure.c gives it another one.
 * info.c and explain.c tell about it, notify.c tells of what happens.
 */
#ifndef SVR_LIB_NODE_NODE_H
#define SVR_LIB_NODE_NODE_H

#include "node/choose.h"
#include "node/tour.h"
#include "policy/names.h"
#include "session/copies.h"
#include "session/ports.h"
#include "session/table.h"
#include "session/token.h"
#include "wire/route_record.h"

#include <svr/fragment.h>
#include <svr/metadata.h>
#include <svr/node.h>
#include <svr/payload.h>

/* Types of ICMP and ICMPv6 messages that open sessions and answer. */
enum {
    SVR__ECHO_REPLY = 0,
    SVR__ECHO_REQUEST = 8,
    SVR__ECHO_V6_REQUEST = 128,
    SVR__ECHO_V6_REPLY = 129,
};

enum {
    SVR__TCP_FIXED = 20, /* bytes of a TCP header before its options */
};

/* Tokens at a steady rate with a burst (generic cell rate). */
typedef struct svr__bucket {
    svr_time next; /* when the bucket is full again */
} svr__bucket;

bool svr__bucket_take(svr__bucket *b, svr_time now, uint32_t per_second,
                      uint32_t burst);

typedef struct svr__interface {
    svr_interface_config config; /* pointers into the node's own copy */
    bool has_waypoints;
    uint32_t token_id; /* S8.5 */
} svr__interface;

/* What one peer or one tenant has of the sessions (S24). */
typedef struct svr__share {
    size_t sessions;
    svr__bucket opened;
} svr__share;

/* Another router, and what runs between it and this one, which carry.c takes
 * along into a new configuration. */
typedef struct svr__peer {
    const char *name;
    uint16_t router;      /* its number among the routers' names */
    uint64_t next_number; /* S11.7: of the next block sent to it */
    svr_replay replay;
    svr__share share;     /* of the sessions that it opened */
    svr__bucket recovery; /* S8.2: control 2 sent to it */
    uint32_t credit;      /* S8.2: bytes that it may be told */
    uint32_t token_id;    /* S8.5 */
    uint64_t clock;       /* S11.3: its steps' time - ours, modulo 2^64 */
    uint32_t boot;        /* S8.4: of its last start; 0: not heard of */
    uint32_t told; /* the start after which it was told of all sessions */
    bool ended;    /* it has told us of all after our start */
    svr_exchange *exchange; /* S12: or NULL */
    uint8_t identity[SVR_IDENTITY_SIZE];
    uint32_t heard;   /* the newest generation that both use; 0: none */
    uint32_t spoke;   /* that of its last authentic packet */
    uint32_t first;   /* what is older, it has forgotten */
    uint16_t spoken;  /* the pathway that the last message of ours went by */
    bool overdue;     /* S12.4 */
    svr__tour rekeys; /* of sessions with it, to new keys (S11.6) */
    svr__tour tour;   /* to tell it */
    svr__tour moves;  /* of sessions with it (S17) */
} svr__peer;

/* The keys of an association under one generation. Secret. */
typedef struct svr__keys {
    uint32_t generation; /* 0: none */
    svr_direction_key send, receive;
    svr_mac send_mac, receive_mac;
    svr_cipher_state seal, open; /* of metadata; not keyed: it is clear */
} svr__keys;

enum {
    /* Generations whose keys are at hand; others are derived again. */
    SVR__KEYS_READY = 4,
    /* The one generation of static keys. */
    SVR__STATIC_KEYS = 1,
};

/* What protects packets between this router and a peer under one security
 * policy. Lies in guarded memory. */
typedef struct svr__association {
    uint16_t peer, security;
    svr__keys keys[SVR__KEYS_READY];
} svr__association;

/* What is found out about a pathway goes on under a new configuration where
 * carry.c says so. */
typedef struct svr__pathway {
    const char *name;
    uint16_t iface, peer, security, association;
    svr_addr local, remote; /* remote: where the peer is now (S14.4) */
    svr_addr configured;    /* and where it was said to be */
    svr__ports ports;
    svr_pathway *watch; /* NULL: not watched */
    bool up;            /* sessions may use it */
    bool ready;         /* new ones, too, where another would do (S14.1) */
    bool peer_nat;      /* the peer stands behind a NAT (S14.4) */
    bool own_nat;       /* or this router does */
    uint8_t inactivity; /* S8.2: seconds; 0: recovery is packet-based */
    bool tcp_as_udp;    /* S4.4, now */
    bool mask_always;   /* and as configured */
    bool plain;         /* BFD without a block */
    uint8_t bfd_ttl;
    svr_pathway_settings settings; /* of watch */
    uint16_t bfd_port;             /* where messages are expected */
    uint16_t mtu;                  /* of packets that leave by it */
    uint32_t token_id;             /* S8.5 */
    svr_time mark_due;             /* S15: a packet of a session is looked at */
    svr__tour tour;                /* S6.8 b: its sessions are renewed */
    uint64_t sessions;
} svr__pathway;

/* MACs of one side of a session whose plain packets are signed (S12.7). */
typedef struct svr__protection {
    svr_mac send, receive;
} svr__protection;

/* What an end of an encrypted session seals and opens with. Secret. */
typedef struct svr__sealing_end {
    svr_time old_until; /* when the receiver's other key is wiped, or NEVER */
    uint32_t next;      /* of those that are free */
    svr_payload_sender sender;
    svr_payload_receiver receiver;
} svr__sealing_end;

#define SVR__NO_END UINT32_MAX

/* They stand in a pool, since they are large and routers between the ends need
 * none. */
typedef struct svr__sealing_ends {
    svr__sealing_end *end;
    uint32_t cap, count;
    uint32_t used; /* beyond here nothing was ever used */
    uint32_t free; /* a list */
} svr__sealing_ends;

/* What a session's payloads are encrypted with (S12.6). Routers between its
 * ends only pass on key and salts. Secret. */
typedef struct svr__sealing {
    const svr_cipher *cipher; /* between: NULL where it is not known here */
    svr_time keyed;
    uint8_t key[SVR_KEY_SIZE];
    svr_salt salt[2]; /* as last told from that side */
    bool salted[2];
    bool lacking[2]; /* between: that side was told without the other's salt */
    bool asks;       /* an end has no key of the other direction */
    bool drew_key;   /* here */
    svr__sealing_end *end; /* NULL: between */
} svr__sealing;

/* What metadata says of that. Secret. */
typedef struct svr__told {
    bool sealed, salted;
    bool undecided, asks; /* S11.9: adapt.c */
    uint8_t key[SVR_KEY_SIZE];
    svr_salt salt;
} svr__told;

/* A route of a service (S5.6). */
typedef struct svr__route {
    uint16_t pathway; /* SVR__NO_PATHWAY: out of iface */
    uint16_t iface;
} svr__route;

/* The routes of one service stand in a row. */
typedef struct svr__route_range {
    uint32_t first, count;
} svr__route_range;

enum {
    /* Packets of the node's own that wait for svr_node_output. */
    SVR__OUTBOX = 64,
    SVR__OUTBOX_BYTES = SVR_OUTPUT_SIZE(4096), /* S14.6: padded as far as a
                                                  block can be */
    /* Tuples that were lately told that they have no session (S8.2), or that
     * theirs was refused (S6.10). */
    SVR__RECENT = 1024,
};

typedef struct svr__outbox {
    svr_packet packet[SVR__OUTBOX];
    uint8_t (*bytes)[SVR__OUTBOX_BYTES];
    unsigned first, count;
} svr__outbox;

enum {
    /* S6.9: the part of an exchange number below the boot counter counts within
     * one start of the router: 34 years of time, or three years at 10,000
     * sessions a second. */
    SVR__EXCHANGE_BITS = 40,
};

/* How a packet is taken apart. */
enum svr__parts_kind {
    SVR__CUT,      /* segments, each handled as a packet of its own */
    SVR__SPLIT,    /* pieces for the next router */
    SVR__IP_SPLIT, /* IP fragments for a host */
};

typedef struct svr__parts {
    union {
        svr_cut cut;
        svr_split split;
        svr_ip_split ip;
    };
    uint8_t kind;   /* enum svr__parts_kind */
    uint8_t proto;  /* CUT: what the packet arrived as (S4.4) */
    bool bare;      /* CUT: what the neighbour added is off already */
    uint16_t iface; /* otherwise: where the parts go */
    uint64_t hash;  /* of the packet's flow */
    svr_addr next_hop;
    uint16_t pathway;      /* SPLIT */
    svr_fragment fragment; /* what its pieces have in common */
} svr__parts;

/* Packets that are being taken apart. */
typedef struct svr__apart {
    svr__parts parts[SVR_BATCH_MAX];
    unsigned first, count;
} svr__apart;

/* The token that the neighbour on the client side gave (S8.5). */
typedef struct svr__kept_token {
    uint8_t len; /* 0: none */
    uint8_t bytes[63];
} svr__kept_token;

enum {
    SVR__WISHES = 64,
};

/* A session that waits for its peer's NAT (S14.9). */
typedef struct svr__wish {
    svr_tuple context;
    svr_time until; /* after that it is free */
    svr_bfd_pinhole ports;
    svr_bfd_endpoint seen; /* the peer's end, if open */
    uint16_t pathway;
    enum {
        SVR__WISH_ASKED,
        SVR__WISH_OPEN,
        SVR__WISH_FAILED,
    } state;
} svr__wish;

typedef struct svr__recent {
    uint64_t hash;
    svr_time time;
} svr__recent;

struct svr_node {
    /* What derives from the configuration (setup.c): all up to `alloc`. */
    const char *name;
    svr_policy *policy;
    svr__names routers; /* that sessions may pass (S20) */
    uint16_t self;      /* this one */
    svr_lifetimes lifetimes;
    svr_limits limits;
    svr__share *tenants, no_tenant;
    svr__interface *interfaces;
    svr__peer *peers;
    svr_security_config *securities; /* without their keys */
    svr__association *associations;  /* guarded */
    svr__pathway *pathways;
    svr__route *routes;
    svr__route_range *service_routes;
    size_t interface_count, peer_count, security_count, association_count;
    size_t pathway_count, route_count, service_count, tenant_count;
    uint8_t *watches;                 /* the pathways' svr_pathway objects */
    svr_identity *identity;           /* S12.3, or NULL */
    svr_time rekey;                   /* S12.4 */
    uint8_t *exchanges;               /* the peers' svr_exchange; guarded */
    svr__wheel watch_due;             /* of pathways; see svr__watch_init */
    uint16_t watch_port, watch_ports; /* where messages come to: the first port
                                         and how many */
    svr__choices choices;             /* S16 */
    svr_addr *next_hops; /* gateways of each interface by family, pathways */
    size_t next_hop_count;
    uint32_t *tenant_ids, *service_ids; /* for tokens (S8.5) */
    void *copies; /* strings and arrays of the configuration */
    size_t copies_len;
    svr__map pathway_map; /* by local and remote waypoint */
    svr_chart *chart;     /* of the network; NULL: none */
    uint32_t *leaving;    /* sessions of each service that leave SVR here; with
                             a chart only */
    svr_time learn_due;   /* it is told how many */

    /* What runs, from here on. */
    svr_allocator alloc;
    svr_random random;
    svr_notify notify;
    svr_time keying_due;  /* of exchanges with peers */
    svr_time rekeyed;     /* payload keys from before are replaced */
    svr__bucket messages; /* of exchanges */
    svr__bucket derivations;
    uint32_t boot;
    uint64_t first_number; /* of a block sent to a new peer (S11.7) */
    svr_time started;
    uint64_t exchange; /* number of the last session's first one (S6.9) */
    svr__table table;
    svr__protection *protections; /* two for each session, or NULL */
    svr__sealing *sealings;       /* one for each session, or NULL */
    svr__sealing_ends sealing_ends;
    svr__copies *copy_windows; /* S17: likewise, for duplicated ones */
    svr__kept_token *tokens;   /* one for each session */
    uint8_t *recovery_key;     /* guarded */
    uint32_t token_expiry;     /* of tokens that are made now */
    svr__tour tour;            /* to replace the tokens given out */
    svr_time tours_due;
    svr__outbox outbox;
    svr__apart apart;
    svr_reassembly *fabric, *clients; /* pieces of routers, of hosts (S18) */
    svr_reassembly *lent; /* whose first packet is being taken apart, or NULL */
    uint32_t extended_id; /* of the next packet that is split */
    svr__recent *recent, *refused;
    svr__wish *wishes;    /* SVR__WISHES of them */
    svr__bucket errors;   /* ICMP errors and resets */
    uint64_t unix_offset; /* Unix time - monotonic time, modulo 2^64 */
    uint64_t clock;       /* S11.3: time of the steps - monotonic time */
    bool clock_started;
    svr_counters counters;
};

/* One packet on its way through the node. */
typedef struct svr__work {
    svr_node *node;
    svr_packet *packet;
    svr_headers headers;
    svr__flow_key key; /* as it arrived */
    uint64_t hash;     /* of the key */
    svr_time now;
    uint32_t arrived;  /* how many bytes it had then */
    svr__alias *alias; /* it came on that tuple of its session's, or NULL; until
                          it stands as if it had come on the present one */
    uint8_t proto; /* of a piece: what its packet arrived as (S4.4), else 0 */
    uint32_t generation; /* of the keys that its block was signed with */
    bool piece;          /* of a packet that was cut: is not cut again */
    bool sealed;  /* its payload was encrypted by the session's other end */
    bool bare;    /* stands as its neighbour meant it: only svr__send_on is
                     left */
    bool touched; /* bytes came or went: the checksum must be written anew */
    bool whole;   /* was put together from pieces */
    bool fragmentable; /* may leave in IP fragments; known from svr__fit on */
} svr__work;

/* input.c: exactly one of these ends each packet. */
void svr__drop(svr__work *w, enum svr_drop reason);
void svr__consume(svr__work *w);
void svr__forward(svr__work *w, uint16_t iface, const svr_addr *next_hop);
/* Parses and handles one packet that has not been counted yet. */
void svr__handle(svr__work *w);

/* Before bytes of the packet come or go: a wrong checksum must not be made
 * right (S4.6). False: it was wrong and the packet has been dropped. */
bool svr__touch(svr__work *w);

/* Bytes behind the L4 header. */
static inline size_t svr__payload_len(const svr__work *w)
{
    return w->packet->len - w->headers.payload;
}

static inline bool svr__has_cookie(const svr__work *w)
{
    return svr_cookie_present(w->packet->data + w->headers.payload,
                              svr__payload_len(w));
}

/* The same for any of the packets that a super-packet stands for (S2.3). */
bool svr__segment_has_cookie(const svr__work *w);

/* Whether it begins with metadata that is more than a false-positive mark. */
bool svr__has_block(const svr__work *w);

/* first.c */
/* The tenant of a host on an interface (S5.3). */
int svr__tenant_of(const svr_interface_config *c, const svr_addr *source);
bool svr__owns_address(const svr_node *n, const svr_addr *a);
void svr__first(svr__work *w);
/* A new session's. */
svr_uuid svr__uuid_new(svr_node *n);

/* waypoint.c: metadata arrives on a pathway; flow NULL: for no session. */
void svr__waypoint_block(svr__work *w, svr__pathway *pw, svr__flow *flow);
/* By its waypoints; remote: as configured, or where the peer is now. */
svr__pathway *svr__pathway_find(svr_node *n, const svr_addr *local,
                                const svr_addr *remote);
/* The peer is at another address now (S14.4). */
void svr__pathway_move(svr_node *n, svr__pathway *pw, const svr_addr *remote);

/* watch.c (S14, S15) */
/* The wheel of pathways turns 16 times as fast as time: its ticks are then a
 * millisecond, and it reaches over 36 years. */
enum {
    SVR__WATCH_BITS = 4,
};

static inline svr_time svr__watch_time(svr_time t)
{
    return t < SVR_NEVER >> SVR__WATCH_BITS ? t << SVR__WATCH_BITS : SVR_NEVER;
}

/* How often a packet of a session leaves the straight way, so that it can be
 * marked if its pathway wants that (S15). */
#define SVR__MARK_SPACING (10 * SVR_MILLISECOND)

/* The pathway's svr_pathway, unless it goes unwatched, and what follows from
 * it. 0, or SVR_ERR_ARGUMENT. */
int svr__watch_init(svr_node *n, svr__pathway *pw, const svr_pathway_config *c,
                    svr_time now);
/* The pathway does what is due; changes: or'ed enum svr_pathway_change that
 * has happened before. */
void svr__watch_serve(svr_node *n, svr__pathway *pw, unsigned changes,
                      svr_time now);
/* Sets its deadline anew. */
void svr__watch_arm(svr_node *n, const svr__pathway *pw);
/* Whether the packet may be for a pathway: by its port alone. */
static inline bool svr__watch_wants(const svr__work *w)
{
    const svr_node *n = w->node;
    return (uint16_t)(w->headers.tuple.dport - n->watch_port) < n->watch_ports;
}

/* watch_receive.c: such a packet. False: it is for none, and untouched. */
bool svr__watch_input(svr__work *w);
/* Whether the ICMP error says that a packet was too big for a watched pathway
 * (S14.6), which then is told. */
bool svr__watch_too_big(const svr__work *w);
/* watch_send.c: puts the message into the outbox. */
void svr__watch_post(svr_node *n, const svr__pathway *pw,
                     const svr_pathway_message *m, svr_time now);
/* S14.3: the same with a message of the key exchange, between two ends. */
void svr__watch_post_keys(svr_node *n, const svr__pathway *pw,
                          const svr_bfd_endpoint *from,
                          const svr_bfd_endpoint *to, svr_span message);
/* Whether the pathway takes such packets. */
bool svr__watch_expects(const svr__pathway *pw, const svr_tuple *t);
/* S15: a packet along the pathway is about to be sent: true where it shall
 * carry *out. */
bool svr__watch_mark(svr_node *n, svr__pathway *pw, svr_path_metrics *out,
                     svr_time now);
/* An authentic packet with type 26 has come (S15). */
void svr__watch_marked(svr_node *n, svr__pathway *pw, const svr_path_metrics *m,
                       svr_time now);
/* When svr__watch_expire has something to do. */
svr_time svr__watch_expiry(const svr_node *n);
void svr__watch_expire(svr_node *n, svr_time now);

/* learn.c (S14.3, S16.1) */
/* The chart. Pathways are there by then, and the policy. */
int svr__learn_init(svr_node *n, const svr_node_config *c, svr_time now);
void svr__learn_free(svr_node *n);
/* What is known goes over to another configuration. */
void svr__learn_carry(const svr_node *from, svr_node *to, svr_time now);
/* Sessions are there as that has them. */
void svr__learn_recount(svr_node *n);
/* A session has begun (+1) or ends (-1). */
void svr__learn_session(svr_node *n, const svr__session *s, int change);
/* Something about the pathway is new. */
void svr__learn_follow(svr_node *n, const svr__pathway *pw, svr_time now);
/* The attribute TOPOLOGY of an authentic message, never seen before. */
void svr__learn_heard(svr_node *n, uint16_t peer, svr_span message,
                      svr_time now);
/* The pathway by which a peer is told, or NULL. */
const svr__pathway *svr__learn_pathway(const svr_node *n, uint16_t peer);
/* What is known of an edge, own pathways first, then links: up where nobody
 * says that it is not. Nothing without a chart. */
void svr__learn_edge(const svr_node *n, uint32_t edge, svr_path_edge *out);
/* The loads of the instances of the configuration. Likewise. */
void svr__learn_loads(const svr_node *n, svr_path_instance *out);
/* When svr__learn_run has something to do. */
svr_time svr__learn_due(const svr_node *n);
void svr__learn_run(svr_node *n, svr_time now);

/* relay.c */
void svr__relay(svr__work *w, svr__flow *flow);
/* S4.4: TCP that came as UDP is TCP again. False: it was none; dropped. */
bool svr__unmask(svr__work *w);
/* What comes once a packet stands as its neighbour meant it: life, size,
 * rewrite, metadata, tag. */
void svr__send_on(svr__work *w, svr__flow *flow);
/* Sets the flags of both flows after the machine moved, and the timer. */
void svr__session_settle(svr_node *n, svr__session *s);
/* S6.8: the neighbour on a side has to hear of the session anew: by the next
 * packet, or in one of its own within 20 ms (svr__send_metadata: now). */
void svr__session_renew(svr_node *n, svr__session *s, unsigned side,
                        svr_time now);

/* A packet's way through its session. */
typedef struct svr__passage {
    svr__flow *flow;
    svr__session *session;
    unsigned in, out;        /* sides */
    bool copied;             /* to legs, too (S17) */
    bool metadata;           /* set by svr__depart: the packet carries it */
    uint8_t health;          /* likewise: type 46 (S8.2); 0: none */
    svr__pathway *from, *to; /* NULL: own interface */
} svr__passage;

/* fragment.c (S18) */
int svr__reassembly_init(svr_node *n);
/* An IP fragment of a host. */
void svr__ip_fragment(svr__work *w);
/* A piece from another router, whose block has been verified. */
void svr__fabric_piece(svr__work *w, const svr_metadata *md, size_t block_len);
/* Whether its sender allows it to be fragmented. */
bool svr__may_fragment(const svr_packet *p);
/* The finished packet goes on by iface, along the pathway `to` or to a host
 * (NULL): as it is, or in pieces. */
void svr__leave(svr__work *w, const svr__pathway *to, uint16_t iface,
                const svr_addr *next_hop);
/* Makes w's packet the next part of one that is not being cut, and ends it. 0,
 * or SVR_ERR_NO_SPACE: then there is no packet. */
int svr__next_part(svr__work *w, svr__parts *parts, uint8_t *buf, size_t cap);

/* What every host of that family can be expected to send or take (RFC 791, RFC
 * 8200): the least that it is told. */
static inline uint16_t svr__least_mtu(bool v4)
{
    return v4 ? 576 : 1280;
}

/* fit.c: false where the packet was cut or dropped. */
bool svr__fit(svr__work *w, const svr__passage *r);
/* S4.8: MSS is lowered by what every packet gains. */
void svr__clamp_mss(svr__work *w, const svr__passage *r);

/* depart.c (S11.1): the mask of UDP, metadata or a false-positive mark, then
 * the tag. False: dropped. */
bool svr__depart(svr__work *w, svr__passage *r);
/* What the block on this packet says besides the session (S4.4). */
uint64_t svr__extra(const svr__work *w, const svr__passage *r);

/* open.c: sessions. */
typedef struct svr__side_plan {
    uint16_t pathway, iface;
    uint32_t generation; /* of the tuple's keys (S11.10) */
    svr_tuple tuple;     /* of forward packets on this side */
} svr__side_plan;

typedef struct svr__session_plan {
    svr_uuid uuid;
    svr_tuple context;
    int tenant, service;
    uint64_t exchange;     /* of what opens it; 0: a client, or recovered */
    bool recovered;        /* from reverse metadata (S8.5) */
    svr__told told;        /* or what this router wants, as the ingress */
    svr__kept_token token; /* of the client's side */
    svr__passed passed;
    svr__side_plan side[2];
} svr__session_plan;

/* route.c: a side along a pathway, with waypoint ports of its own (S10). */
enum svr_drop svr__plan_pathway(svr_node *n, const svr_tuple *context,
                                uint16_t number, svr__side_plan *side,
                                svr_time now);
/* The same for a route: out of an interface, or along a pathway that is up. */
enum svr_drop svr__plan_try(svr_node *n, svr__session_plan *plan,
                            const svr__route *r, svr_time now);
/* Chooses where the service's sessions go next: fills in side[SVR__SERVER] of
 * the plan, with waypoint ports where that is a pathway. avoid: a pathway that
 * the packet came by, or SVR__NO_PATHWAY. Where it answers SVR_DROP_NONE, there
 * is a next hop. */
enum svr_drop svr__plan_route(svr_node *n, svr__session_plan *plan,
                              uint16_t avoid, svr_time now);
/* admit.c: whether the new session of a plan keeps within the limits.
 * replaced: the one whose place it takes, or NULL. */
enum svr_drop svr__admit(svr_node *n, const svr__session_plan *plan,
                         const svr__session *replaced, svr_time now);
/* A session has begun (+1) or ends (-1). */
void svr__admit_count(svr_node *n, const svr__session *s, int change);
/* Before a new session: in a table that is nearly full, one that is not
 * established may end. */
void svr__make_room(svr_node *n, svr_time now);
/* Makes the session and binds its flows. Nothing is left behind on failure. */
enum svr_drop svr__session_open(svr_node *n, const svr__session_plan *plan,
                                svr_time now, svr__flow **forward);
void svr__session_close(svr_node *n, svr__session *s, enum svr_cause cause,
                        svr_time now);
/* A session has left this tuple along a pathway, as packets left by it: its
 * ports are not chosen again at once (S9). */
void svr__tuple_guard(svr_node *n, uint16_t pathway, const svr_tuple *t,
                      svr_time now);
/* Points the flow of packets from `side` to where that session's other side is
 * now: way out, next hop, MTU, what its device and its pathway are able to.
 * False: there is no next hop. */
bool svr__flow_direct(svr_node *n, const svr__session *s, unsigned side);
/* The next hop for an address on an interface's side, as its number. False:
 * there is none. */
bool svr__next_hop(const svr_node *n, uint16_t iface, const svr_addr *to,
                   uint16_t *number);
/* The number of a pathway's next hop: behind both gateways of each interface.
 */
static inline uint16_t svr__pathway_hop(const svr_node *n, size_t pathway)
{
    return (uint16_t)(2 * n->interface_count + pathway);
}

static inline const svr__pathway *svr__pathway_of_hop(const svr_node *n,
                                                      uint16_t hop)
{
    return &n->pathways[hop - 2 * n->interface_count];
}

/* The address that a number stands for, for packets to `to`. */
const svr_addr *svr__next_hop_addr(const svr_node *n, uint16_t number,
                                   const svr_addr *to);
svr__protection *svr__protection_of(const svr_node *n, const svr__session *s,
                                    unsigned side);
void svr__protection_wipe(svr_node *n, const svr__session *s);
/* S4.4: whether packets of such a session are masked on a side where they have
 * this protocol. */
static inline bool svr__is_masked(const svr_tuple *context, uint8_t proto)
{
    return context->proto == SVR_PROTO_TCP && proto == SVR_PROTO_UDP;
}

/* What arrives from a side whose forward packets have this tuple. */
static inline svr_tuple svr__arriving(unsigned side, const svr_tuple *forward)
{
    return side == SVR__CLIENT ? *forward : svr_tuple_reverse(forward);
}

/* A side's tuple as packets leave to it. */
svr_tuple svr__side_tuple(const svr_node *n, const svr__session *s,
                          unsigned side);

/* record.c (S20) */
#define SVR__RECORD_MAX SVR__ROUTE_RECORD_SIZE(SVR__PASSED_MAX + 1)
/* The names of routers, and which of them are this one and its peers. 0, or
 * SVR_ERR_NO_MEMORY, ARGUMENT, EXISTS. */
int svr__record_init(svr_node *n, const svr_node_config *c);
/* What a route record says of the routers passed and to come, or why it is
 * refused. */
enum svr_drop svr__record_read(const svr_node *n, svr_span record,
                               svr__passed *out);
/* The route record of a session's forward metadata, in buf. */
svr_span svr__record_write(const svr_node *n, const svr__passed *passed,
                           uint8_t buf[SVR__RECORD_MAX]);
/* Whether the record has room in forward metadata. */
bool svr__record_fits(const svr_node *n, const svr__session *s);
/* Likewise; those to come are left out where that helps. */
bool svr__record_fits_plan(const svr_node *n, svr__session_plan *plan);
/* Whether the router, or the peer, is among those passed. */
bool svr__record_holds(const svr__passed *passed, uint16_t router);
bool svr__record_has(const svr_node *n, const svr__passed *passed,
                     uint16_t peer);
/* Replaces those to come, as far as there is room. */
void svr__record_set_coming(svr__passed *passed, const uint16_t *routers,
                            size_t count);

/* S17: one side gets another tuple, maybe on another pathway; the old one lives
 * on as an alias. TUPLE_IN_USE: something has the new one, nothing changed.
 * cause NONE: it is no move that anybody is told of. */
enum svr_drop svr__session_rebind(svr_node *n, svr__session *s, unsigned side,
                                  const svr__side_plan *to,
                                  enum svr_cause cause, svr_time now);
/* The side's tuple goes on under other keys (S11.10: a rebuild). */
void svr__session_rekey(svr_node *n, svr__session *s, unsigned side,
                        uint32_t generation);
void svr__alias_drop(svr_node *n, svr__alias *a, svr_time now);

/* legs.c (S17): sessions whose packets are copied. */
int svr__copies_init(svr_node *n);
void svr__copies_fini(svr_node *n);
svr__copies *svr__copies_of(const svr_node *n, const svr__session *s,
                            unsigned side);
bool svr__is_duplicated(const svr_node *n, const svr__session *s);
/* Whether packets to that side are copied now. */
bool svr__has_legs(const svr_node *n, const svr__session *s, unsigned side);
/* The opener makes the legs that it lacks. */
void svr__legs_make(svr_node *n, svr__session *s, svr_time now);
/* Another configuration: legs come, or go where there are to be none. */
void svr__legs_adjust(svr_node *n, svr__session *s, svr_time now);
/* Packets go by no leg of that side any more; what is late comes as from a
 * tuple that was left. */
void svr__legs_retire(svr_node *n, const svr__session *s, unsigned side,
                      svr_time now);
/* A copy with metadata came on a tuple that becomes a leg, and w->alias. */
bool svr__leg_join(svr__work *w, const svr__pathway *pw, svr__session *s,
                   unsigned side);
/* The side's pathway is down: a leg takes its place. */
bool svr__leg_promote(svr_node *n, svr__session *s, unsigned side,
                      svr_time now);
/* Gives the packet its number, and sends its copies. It stands as it leaves,
 * but for block and tag. */
void svr__send_copies(const svr__work *w, const svr__passage *r);

/* move.c (S17) */
/* Moves the server's side if there is a reason and a pathway to move to. */
bool svr__session_move(svr_node *n, svr__session *s, svr_time now);
/* Moves the server's side to new ports of the pathway that it has, through a
 * pinhole if need be. False: not yet. */
bool svr__session_reopen(svr_node *n, svr__session *s, enum svr_cause cause,
                         svr_time now);
/* redirect.c: where no pathway leads to its next router any more, the ingress
 * begins the session anew by another one, if there is one. The session has
 * ended then, and another one stands for it. */
bool svr__session_redirect(svr_node *n, svr__session *s, svr_time now);
/* A pathway went down, came up, or is out of its hold-down: its peer's sessions
 * are looked at, a few at a time. */
void svr__moves_begin(svr_node *n, const svr__pathway *pw, svr_time now);
/* A packet goes to a side whose pathway is down: true where it may go now. */
bool svr__session_detour(svr_node *n, svr__session *s, unsigned side,
                         svr_time now);
/* The session that a neighbour's control 2 on no tuple of ours is about: it
 * cannot reach us by the pathway that the session has. Or NULL. */
svr__session *svr__session_asking(const svr_node *n, const svr__pathway *pw,
                                  const svr_metadata *md);
void svr__session_asked(svr_node *n, svr__session *s, const svr__pathway *pw,
                        svr_time now);
/* A packet that came on an alias, stripped, becomes one that came on the flow.
 * False: it was dropped. */
bool svr__relocate(svr__work *w, const svr__flow *flow);
/* svr__verify for a plain packet on an alias, which may have had other keys. */
enum svr_drop svr__verify_late(svr__work *w, const svr__alias *a);

/* How the packet's tag and mask are: SVR__FLOW_SIGNED_IN, SVR__FLOW_MASKED_IN.
 */
static inline uint8_t svr__arrival_flags(const svr__work *w,
                                         const svr__flow *flow)
{
    return w->alias ? w->alias->flags : flow->flags;
}

/* S11.10: whether its payload is encrypted. */
static inline bool svr__arrives_sealed(const svr__work *w,
                                       const svr__session *s)
{
    return w->alias ? w->alias->sealed : s->seal == SVR__SEALED;
}

/* describe.c: the block for a side, signed afterwards. Returns its length, or
 * 0: it does not fit. */
size_t svr__describe(svr_node *n, const svr__session *s, unsigned side,
                     uint64_t extra, uint8_t buf[SVR_METADATA_MAX]);
/* An upper bound of what svr__describe writes. */
size_t svr__describe_len(const svr_node *n, const svr__session *s,
                         unsigned side, uint64_t extra);
/* The same of the forward metadata of a session that is planned. */
size_t svr__describe_plan_len(const svr_node *n, const svr__session_plan *plan);
/* What every block has, for control packets, ICMP errors and the like; it has
 * no packet number yet. */
void svr__describe_bare(svr_metadata *md);
/* S11.7: of the packet that is being made. Each is for one packet; it does no
 * harm that a number is not sent. */
uint64_t svr__number_take(svr_node *n, const svr__pathway *pw);
/* Gives md its packet number and the id of its keys, and writes it; 0: it does
 * not fit, or there are no keys. */
size_t svr__describe_write(svr_node *n, const svr__pathway *pw, svr__keys *keys,
                           svr_metadata *md, uint8_t buf[SVR_METADATA_MAX]);
/* A block with the number of the packet that travels more than once (S17). */
size_t svr__describe_copy(svr_node *n, const svr__pathway *pw,
                          const svr__session *s, unsigned side,
                          uint8_t buf[SVR_METADATA_MAX]);
/* The length of such a block with these attributes, of fixed lengths, too. */
size_t svr__describe_bare_len(const svr_node *n, const svr__pathway *pw,
                              uint64_t extra);

/* wish.c (S14.9) */
/* side: as planned toward a peer behind a NAT. NONE where the NAT is open now:
 * then side is where it is. PINHOLE: the peer has been asked, and the packet
 * should come again; PATHWAY_DOWN: it does not answer. */
enum svr_drop svr__wish_plan(svr_node *n, const svr_tuple *context,
                             svr__side_plan *side, svr_time now);
/* What the pathway says has become of it. */
void svr__wish_result(svr_node *n, uint16_t pathway, const svr_pinhole *got,
                      svr_time now);
/* The peer's NAT has changed, or the pathway came up again: what was found out
 * along it is not true any more. */
void svr__wishes_doubt(svr_node *n, uint16_t pathway);
/* Pathways have other numbers now. */
void svr__wishes_forget(svr_node *n);
/* An authentic keep-alive of no session. False: none was asked for there. */
bool svr__wish_heard(svr__work *w, svr__pathway *pw);

/* resync.c (S8.4) */
/* An authentic message of the peer, at its present place in its numbers, has
 * this boot counter. */
void svr__resync_heard(svr_node *n, const svr__pathway *pw, uint32_t boot,
                       svr_time now);
/* A peer says that it has told all to the router that started so. */
void svr__resync_ended(svr_node *n, uint16_t peer, uint32_t boot);
/* Whether this router was started so lately that it may not know sessions that
 * its peers know. */
bool svr__resync_quiet(const svr_node *n, svr_time now);
/* S6.8 b: tells the peer of all sessions along the pathway. */
void svr__resync_pathway(svr_node *n, svr__pathway *pw, svr_time now);
/* Gives new tokens to all peers (S8.5). */
void svr__resync_tokens(svr_node *n, svr_time now);

/* recover.c (S8.5): the plan of a session that reverse metadata speaks of and
 * that is not known: both sides are where they were. */
enum svr_drop svr__recover_plan(const svr__work *w, const svr__pathway *pw,
                                const svr_metadata *md,
                                svr__session_plan *plan);

/* token.c (S8.5) */
int svr__token_init(svr_node *n, const svr_node_config *c);
void svr__token_fini(svr_node *n);
/* The ids of all that has a name; part of what derives from the configuration.
 */
int svr__token_names(svr_node *n);
void svr__token_names_free(svr_node *n);
/* Time passes: true where the tokens that were given out should be replaced by
 * newer ones. */
bool svr__token_age(svr_node *n, svr_time now);
/* The token for the peer on the session's server side, in buf, which has room
 * for SVR__TOKEN_MAX bytes; NULL: only its length. */
svr_span svr__token_make(const svr_node *n, const svr__session *s,
                         uint8_t *buf);
/* Copies what the peer on the client side has sent; one without bytes, or too
 * long to be one of ours: none. */
void svr__token_keep(svr__kept_token *k, svr_span token);
/* That of a session, which is returned to the peer. */
svr__kept_token *svr__token_of(const svr_node *n, const svr__session *s);
svr_span svr__token_kept(const svr_node *n, const svr__session *s);

/* clock.c (S11.3) */
/* Time by the clock of this router's steps, and by that of a peer's. */
uint64_t svr__own_time(const svr_node *n, svr_time now);
uint64_t svr__peer_time(const svr_node *n, uint16_t peer, svr_time now);
/* The first Unix time that the node is told begins its clock. */
void svr__clock_start(svr_node *n, uint64_t unix_offset);
/* Echo stamps are sent by that clock, and pathways know the monotonic one. */
void svr__clock_stamp(const svr_node *n, svr_bfd_echo *e);
void svr__clock_read(const svr_node *n, svr_bfd_echo *e);
/* A peer's answer, as svr__clock_read leaves it, never seen before. */
void svr__clock_heard(svr_node *n, svr__peer *peer, const svr_bfd_echo *e,
                      svr_time now);

/* keyring.c (S11.6, S12): the keys of a pathway. */
/* For what belongs to no session, or for a session that begins: the generation
 * that peer and this router both use. NULL: there are no keys. */
svr__keys *svr__keys_now(const svr_node *n, const svr__pathway *pw);
/* Of one generation; NULL: it is not alive any more. */
svr__keys *svr__keys_of(const svr_node *n, const svr__pathway *pw,
                        uint32_t generation);
/* By the type 16 of what came, or NULL. */
svr__keys *svr__keys_received(svr_node *n, const svr__pathway *pw, uint32_t id,
                              svr_time now);
/* For messages about the pathway itself: from these the peer learns that this
 * router uses a new generation. */
svr__keys *svr__keys_bfd(const svr_node *n, const svr__pathway *pw);
/* The generation that a type 16 names, or 0; derives nothing. */
uint32_t svr__generation_of(const svr_node *n, const svr__pathway *pw,
                            uint32_t id);
/* The one of a session that begins on the pathway; 0: there are no keys. */
uint32_t svr__generation_now(const svr_node *n, const svr__pathway *pw);
/* Those of a session's tuple (S11.10). */
svr__keys *svr__side_keys(const svr_node *n, const svr__session *s,
                          unsigned side);
/* Before a new exchange (S6.8): where those are not alive at both ends any
 * more, newer ones take their place on the same tuple, which is built anew. */
void svr__side_freshen(svr_node *n, svr__session *s, unsigned side);
/* The peer has said the rest of its new keys. */
void svr__keys_learned(svr_node *n, uint16_t peer);
/* The association of a peer and a policy, made where there is none: its number.
 * 0, or an error of the library that keys a MAC or a cipher. */
int svr__associate(svr_node *n, const svr_node_config *c, uint16_t peer,
                   uint16_t security, uint16_t *number);
void svr__associations_free(svr_node *n);

/* keying.c (S12): an exchange with each peer that has an identity. */
int svr__keying_init(svr_node *n, const svr_node_config *c, svr_time now);
void svr__keying_free(svr_node *n);
/* What has been agreed on with a peer goes on under a new configuration. */
void svr__keying_carry(const svr__peer *from, svr__peer *to);
/* Peers are gone: what all peers share is renewed (S12.7). */
void svr__keying_renew(svr_node *n, svr_time now);
/* A message (S14.3) that nobody has signed: NONE where it was taken. */
enum svr_drop svr__keying_receive(svr__work *w, const svr_bfd_block *b);
/* An authentic packet of the peer came under that generation. */
void svr__keying_heard(svr_node *n, uint16_t number, uint32_t generation,
                       svr_time now);
/* Whether the peer, since its last start, uses the same keys as this router. */
bool svr__keying_ready(const svr_node *n, const svr__pathway *pw);
/* Sessions with the peer follow to the newest keys, unless they do. */
void svr__keying_follow(svr_node *n, uint16_t peer, svr_time now);
svr_time svr__keying_due(const svr_node *n);
void svr__keying_run(svr_node *n, svr_time now);

/* protect.c: tags (S11.1) of packets along a pathway. bind is NULL where they
 * are not TCP (S11.4b). */
int svr__tag_write(const svr_node *n, const svr__pathway *pw,
                   const svr_mac *mac, svr_span bytes, const svr_tcp_bind *bind,
                   svr_time now, uint8_t *tag);
/* The same for messages about the pathway itself, from which clock and boot
 * counter are learned: these have numbers of their own (S11.7). */
int svr__tag_write_bfd(const svr_node *n, const svr__pathway *pw,
                       const svr_mac *mac, svr_span bytes,
                       const svr_tcp_bind *bind, uint8_t *tag);
enum svr_drop svr__verify_bfd(svr__work *w, const svr__pathway *pw,
                              const svr_mac *mac);
/* What a tag binds of a packet's TCP header (S11.4b). */
static inline svr_tcp_bind svr__tcp_bind(const svr_packet *p,
                                         const svr_headers *h)
{
    const uint8_t *options = p->data + h->l4 + SVR__TCP_FIXED;

    return (svr_tcp_bind){
        .seq = h->tcp_seq,
        .ack = h->tcp_ack,
        .window = h->tcp_window,
        .flags = h->tcp_flags,
        .options = {options, (size_t)(p->data + h->payload - options)},
    };
}
/* Appends the tag to a packet. False: no room; the packet was dropped. */
bool svr__sign(svr__work *w, const svr__pathway *pw, const svr_mac *mac);
/* Verifies the tag and takes it off, or answers the reason. */
enum svr_drop svr__verify(svr__work *w, const svr__pathway *pw,
                          const svr_mac *mac);

/* seal.c (S11.5, S11.9, S12.6) */
/* As svr__protections_init. */
int svr__sealings_init(svr_node *n, const svr_node *setup);
void svr__sealings_fini(svr_node *n);
/* Whether one more session may begin or end here encrypted. */
bool svr__seal_has_room(const svr_node *n);
svr__sealing *svr__sealing_of(const svr_node *n, const svr__session *s);
/* Reads what session metadata says, before md's views become invalid. */
enum svr_drop svr__seal_read(const svr_node *n, const svr__pathway *pw,
                             const svr_metadata *md, svr__told *out);
/* Whether the session of a plan may be as plan->told says. */
enum svr_drop svr__seal_plan(const svr_node *n, const svr__session_plan *plan);
/* The ingress encrypts its session from now on. False: there is no memory for
 * it. */
bool svr__seal_begin(svr_node *n, svr__session *s, svr_time now);
/* The session is encrypted from now on, as a neighbour says. Wipes told. */
bool svr__seal_join(svr_node *n, svr__session *s, unsigned side,
                    svr__told *told, svr_time now);
/* A neighbour says it again, or something new. Wipes told. */
void svr__seal_hear(svr_node *n, svr__session *s, unsigned side,
                    svr__told *told, svr_time now);
/* When an old key of the session is to be wiped, or SVR_NEVER; and that. */
svr_time svr__seal_due(const svr_node *n, const svr__session *s);
void svr__seal_expire(svr_node *n, const svr__session *s, svr_time now);
/* Wipes what a session had. */
void svr__seal_end(svr_node *n, const svr__session *s);
/* Whether a session may go along a pathway, and whether one may that is
 * planned, as a session that is told of or a client's. */
bool svr__seal_may_plan(const svr_node *n, const svr__session_plan *plan,
                        uint16_t pathway);
bool svr__seal_may_use(const svr_node *n, const svr__session *s,
                       uint16_t pathway);
/* Whether the session may be encrypted from now on as told, where metadata for
 * its client's side comes by a pathway. */
enum svr_drop svr__seal_may_turn(const svr_node *n, const svr__session *s,
                                 uint16_t pathway, const svr__told *told);
/* Whether one side of the session is an own interface. */
bool svr__is_end(const svr__session *s);
/* Whether payloads are encrypted and decrypted here. */
bool svr__is_sealing(const svr__session *s);
/* What metadata for a side says of it. */
void svr__seal_describe(const svr_node *n, const svr__session *s, unsigned side,
                        svr_metadata *md);
/* How much longer payloads of an encrypted session are at most. */
int svr__seal_growth(const svr_node *n, const svr__session *s);
/* S12.4: draws another key where this one is old, which metadata then tells. To
 * be called before it is known how long the packet becomes. */
void svr__seal_refresh(svr_node *n, svr__session *s, svr_time now);
/* Encrypts the payload, or decrypts one that came so. False: dropped. */
bool svr__seal(svr__work *w, svr__session *s);
bool svr__unseal(svr__work *w, svr__session *s);

/* adapt.c (S11.9): sessions that are encrypted unless they are so already. */
/* The first packet of a client's session: which of these it is. */
void svr__adapt_plan(const svr__work *w, svr__session_plan *plan);
/* A packet of a host is about to go on: what it says may decide. False: it was
 * dropped. */
bool svr__adapt(svr__work *w, const svr__passage *r);
/* A neighbour on the client's side says whether the session is decided. */
void svr__adapt_hear(svr_node *n, svr__session *s, unsigned side,
                     const svr__told *told, svr_time now);
/* The server has something to say that may not go clear, or what it said came
 * clear. Not while a packet of the session is on its way through this router:
 * the session may change its tuple. */
void svr__adapt_asked(svr_node *n, svr__session *s, svr_time now);

/* control.c */
/* flow NULL: for no session. */
void svr__control_received(svr__work *w, svr__pathway *pw, svr__flow *flow,
                           const svr_metadata *md);
/* Whether it is session metadata in a packet of its own (S6.6, S6.8): control 3
 * with a context. */
bool svr__is_alone(const svr_metadata *md);
/* Sends that to a side. */
void svr__send_metadata(svr_node *n, svr__session *s, unsigned side,
                        svr_time now);
/* What the machine has to say to a side: or'ed enum svr_session_action. */
void svr__session_act(svr_node *n, svr__session *s, unsigned side,
                      unsigned actions, svr_time now);
/* Signs a block that belongs to no session and sends it by itself. */
void svr__send_alone(svr_node *n, const svr__pathway *pw, const svr_tuple *t,
                     svr_metadata *md, svr_time now);
/* Control 6: to a side of a session, or, for a session that this router does
 * not have, to where w's authentic metadata came from, within limits (S6.10):
 * whether it was sent. */
void svr__send_delete(svr_node *n, const svr__session *s, unsigned side,
                      svr_time now);
bool svr__refuse(svr__work *w, svr__pathway *pw, const svr_uuid *uuid);
/* What is said of a session, or done for it, once in a second. */
enum svr__telling {
    SVR__TELL_ASK,    /* S17: its neighbour is asked by another pathway */
    SVR__TELL_FOLLOW, /* S7: it goes where it is asked for */
    SVR__TELL_GLARE,  /* S6.11: that it stays */
    SVR__TELL_SEAL,   /* S11.9: that the server has something to say */
};
/* Whether that was so in the last second; from now on it was. */
bool svr__told_lately(svr_node *n, const svr__session *s,
                      enum svr__telling what, svr_time now);
/* S8.2: a plain packet of no session asks for metadata, within limits. */
void svr__send_enable(svr__work *w, svr__pathway *pw);

/* health.c (S8.1, S8.2) */
/* A session's side has got a pathway, or something of that is new. */
void svr__health_watch(svr_node *n, svr__session *s, unsigned side);
/* A packet of the session has come from a side: it is answered if it asks. */
void svr__health_asked(svr__work *w, svr__session *s, unsigned side,
                       const svr_metadata *md);
/* Which type 46 a packet carries where the machine says so: 0, 1 or 2. */
static inline uint8_t svr__health_of(unsigned actions)
{
    if (actions & SVR_SESSION_ADD_HEALTH_AGAIN)
        return 2;
    return actions & SVR_SESSION_ADD_HEALTH ? 1 : 0;
}

/* refuse.c (S6.10) */
/* The host that sent w's packet is told that its session is refused. */
void svr__refuse_host(svr__work *w, int service);
/* Whether the session that w's packet would open was refused further on, a
 * moment ago. */
bool svr__refused_lately(const svr__work *w);
/* The host of a side that is an own interface: its session is about to end. */
void svr__session_tell_host(svr_node *n, const svr__session *s, unsigned side,
                            svr_time now);
/* A router further on has refused a session whose client is a host of ours,
 * which is told. The session is about to end. */
void svr__session_refused(svr_node *n, const svr__session *s, svr_time now);

/* icmp.c */
/* Tells the packet's sender why it cannot go on. flow NULL: it belongs to no
 * session. The packet must be unchanged or restored; it is dropped after. */
void svr__raise(svr__work *w, svr__flow *flow, enum svr_icmp_kind kind,
                uint16_t mtu);
/* Answers an echo request to an own address. */
void svr__answer_echo(svr__work *w);
/* S9: answers a segment of no session with a reset. */
void svr__reset(svr__work *w);
/* An ICMP error from an own interface: its session carries it on. */
void svr__icmp_from_host(svr__work *w);
/* One that a neighbour carried here (S19); f: the flow that it came on, or
 * NULL. */
void svr__icmp_from_pathway(svr__work *w, svr__flow *f, const svr_metadata *md,
                            size_t block_len);

/* output.c */
/* A free place for a packet of len bytes, or NULL: then it is not sent. */
svr_packet *svr__outbox_open(svr_node *n, size_t len);
/* The place that the last svr__outbox_open gave is sent. */
void svr__outbox_post(svr_node *n, uint16_t iface, const svr_addr *next_hop);
/* The place of the next packet that is taken apart, or NULL; svr__parts_post
 * enters it. The packet is consumed. */
svr__parts *svr__parts_open(svr_node *n);
void svr__parts_post(svr__work *w, enum svr__parts_kind kind, uint16_t iface,
                     const svr_addr *next_hop);
/* The packet is consumed; its pieces come back as packets of their own. bare:
 * as svr__work has it, for each piece. */
void svr__cut(svr__work *w, size_t size, bool bare);
/* Whether pieces of its flow that came before it have yet to go out. */
bool svr__is_behind(const svr__work *w);

/* expiry.c */
/* When the session ends if no packet comes. */
svr_time svr__session_idle_due(const svr_node *n, const svr__session *s);
/* Sets its timer to the first thing that will be due. */
void svr__session_arm(svr_node *n, svr__session *s);

/* config.c */
int svr__config_check(const svr_node_config *c);
/* Strings and arrays of the configuration into memory of the node's own. */
int svr__config_copy(svr_node *n, const svr_node_config *from);

/* create.c: room for the sessions' MACs where a security policy of `setup`
 * wants them and there is none. 0, or SVR_ERR_NO_MEMORY. */
int svr__protections_init(svr_node *n, const svr_node *setup);

/* setup.c */
/* Builds all that derives from the configuration, which has been checked. What
 * runs must be there as far as that needs it: memory, randomness, boot counter
 * and the table's hash key. On failure svr__setup_free takes back what there
 * is. */
int svr__setup_build(svr_node *n, const svr_node_config *c, svr_time now);
void svr__setup_free(svr_node *n);

/* notify.c: tells the program, if it wants to know. */
void svr__notify_session(const svr_node *n, const svr__session *s,
                         enum svr_event_kind kind, enum svr_cause cause);
/* Of a first packet whose refusal was told to a neighbour (S6.10); so their
 * rate is limited as that is. */
void svr__notify_refused(const svr_node *n, const svr__session_plan *plan,
                         enum svr_drop reason);
void svr__notify_pathway(const svr_node *n, const svr__pathway *pw,
                         svr_time now);

/* info.c */
void svr__session_info(const svr_node *n, const svr__session *s,
                       svr_session_info *out);
void svr__pathway_info(const svr_node *n, const svr__pathway *pw,
                       svr_node_pathway *out, svr_time now);
enum svr_drop svr__drop_of_error(int err);
enum svr_drop svr__drop_of_metadata_error(int err);

#endif
