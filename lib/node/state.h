/*
 * state.h - what a node consists of, and what is known of a packet on its way
 * through it.
 */
#ifndef SVR_LIB_NODE_STATE_H
#define SVR_LIB_NODE_STATE_H

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

/* S16.4: which exchange each router that a session passed began when it chose
 * the next one, in the order of svr__passed, and this router's own. What a
 * router says under a higher number is later than what it said before, and so
 * is all that follows from it; 0: nothing is known. */
typedef struct svr__versions {
    uint64_t passed[SVR__PASSED_MAX], own;
} svr__versions;

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
    uint32_t *leaving;    /* sessions of each service that leave SVR here */
    svr_time learn_due;   /* it is told how many */
    uint32_t *going;      /* those of each that go on by a pathway */

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
    svr__versions *versions;   /* one for each session */
    svr__copies *copy_windows; /* S17: likewise, for duplicated ones */
    svr__kept_token *tokens;   /* one for each session */
    uint8_t *recovery_key;     /* guarded */
    uint32_t token_expiry;     /* of tokens that are made now */
    svr__tour tour;            /* to replace the tokens given out */
    svr__tour moves;           /* of all, where the network has changed (S17) */
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
    uint32_t arrived;    /* how many bytes it had then */
    uint32_t generation; /* of the keys that its block was signed with */
    svr__alias *alias; /* it came on that tuple of its session's, or NULL; until
                          it stands as if it had come on the present one */
    uint16_t smaller;  /* 0, or what a bare piece that does not fit may have */
    uint8_t proto; /* of a piece: what its packet arrived as (S4.4), else 0 */
    bool piece;    /* of a packet that was cut: is not cut again */
    bool sealed;   /* its payload was encrypted by the session's other end */
    bool bare;     /* stands as its neighbour meant it: only svr__send_on is
                      left */
    bool touched;  /* bytes came or went: the checksum must be written anew */
    bool former;   /* it came from a neighbour that its session has left */
    bool whole;    /* was put together from pieces */
    bool fragmentable; /* may leave in IP fragments; known from svr__fit on */
} svr__work;

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
    svr__versions versions; /* of them */
    svr__side_plan side[2];
} svr__session_plan;

#endif
