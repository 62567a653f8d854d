/*
 * node_net.h - a network for tests of a node: a branch router and a data-centre
 * router with one WAN between them, in memory and in virtual time. A third
 * router, the hub, can stand between them.
 */
#ifndef SVR_TESTS_NODE_NET_H
#define SVR_TESTS_NODE_NET_H

#include <svr/svr.h>

/* Interfaces of both routers. */
enum {
    NET_LAN = 0,
    NET_WAN = 1,
    NET_GUEST = 2, /* branch only */
};

enum {
    NET_MTU = 1500,
    NET_BUFFER = SVR_HEADROOM + 65536 + SVR_TAILROOM,
    NET_SMALL = SVR_HEADROOM + 12288 + SVR_TAILROOM, /* of most frames */
    NET_FRAMES = 1024,
    NET_TWIN = 100,
};

/* A host on branch's LAN and one on dc's. */
#define CLIENT "10.1.0.10"
#define SERVER "10.2.0.10"
#define CLIENT6 "fd00:1::10"
#define SERVER6 "fd00:2::10"

/* A packet in a buffer of its own. */
struct frame {
    svr_packet p;
    uint8_t *buf;
};

/* Whose pathways carry TCP as UDP. */
enum {
    NET_MASK_BRANCH = 2,
    NET_MASK_DC = 4,
    NET_MASK_HUB = 8,
};

/* What a test may change before the routers are made. */
struct net_options {
    bool per_packet; /* plain packets are signed */
    bool v6_pathway; /* waypoints are IPv6 */
    bool regular;    /* HMAC mode regular instead of time-based */
    bool no_offload; /* WAN devices take no super-packets */
    bool reset;      /* refusals of the service are answered with a reset */
    bool prohibited; /* or with ICMP */
    bool midstream;  /* TCP sessions may begin in their middle */
    bool other_key;  /* dc has another key */
    bool hub;        /* a third router stands between the two */
    bool reverse;    /* the server side has a service of its own at branch */
    bool disabled;   /* HMAC mode disabled */
    bool unbound;    /* tags do not cover TCP's header */
    bool forever;    /* UDP sessions never end */
    bool watched;    /* pathways are watched */
    bool exchanged;  /* keys are exchanged, on pathways that are watched; where
                        SVR_TEST_KEYS says so, they always are */
    svr_time rekey;  /* S12.4; 0: the default */
    const svr_cipher *cipher;       /* NULL: what SVR_TEST_CIPHER names, with
                                       all services encrypted, or none */
    enum svr_encryption encryption; /* of all services */
    bool twin;      /* a second pathway joins branch and dc, the second choice;
                       their waypoints are NET_TWIN higher */
    bool plain;     /* BFD without a block, as RFC 5881 has it */
    bool hidden;    /* dc knows branch as 203.0.113.77 only */
    bool probes;    /* branch sends TCP probes */
    uint8_t masked; /* NET_MASK_... */
    uint8_t inactivity;  /* of all pathways (S8.2); 0: packet-based */
    uint16_t server_mtu; /* of dc's LAN; 0: 1500 */
    size_t sessions;     /* 0: 64 */
    size_t peer_sessions, tenant_sessions; /* of each router */
    uint32_t peer_rate, tenant_rate;
    svr_port_range ports; /* of both ends of the first pathway */
    size_t fail_at;       /* the n-th allocation fails; 0: none */
    svr_notify notify;    /* of all routers */
};

/* Tenants, by their number. Those of branch's LAN are staff, who are corp. */
enum {
    NET_CORP,
    NET_STAFF,
    NET_GUESTS,
    NET_SERVERS,
};

/* Everything that a configuration points to. */
struct net_plan {
    svr_prefix lan[2], wan[3], guest[1];
    svr_interface_config interfaces[3];
    svr_peer_config peers[2];
    uint8_t identities[2][SVR_IDENTITY_SIZE]; /* theirs */
    svr_security_config security[1];
    svr_pathway_config pathways[2];
    svr_route_config routes[3];
    svr_prefix server_prefixes[2], client_prefixes[2];
    svr_access access[1], reverse_access[1];
    svr_service_config services[2];
    svr_node_config config;
};

struct net {
    struct net_options options;
    svr_node *branch, *dc, *hub;
    svr_identity identity[4]; /* of each router */
    svr_time now;
    uint32_t boot;
    uint64_t random;
    size_t allocations, fail_at, live_bytes;
    struct frame out[NET_FRAMES]; /* what the last router call sent */
    size_t out_count;
    int last_error; /* of svr_node_create */
    unsigned checks;
};

/* The identity of a router of a test, and what others know of it. */
void net_identity(svr_identity *out, int router, const svr_random *random);
void net_public(uint8_t out[SVR_IDENTITY_SIZE], int router);
/* Whether SVR_TEST_CIPHER asks for encryption where a test does not say. */
bool net_encrypts(void);
/* The security policy that the routers share under these options. */
svr_security_config net_security(const struct net_options *options);
void net_open(struct net *net, const struct net_options *options);
void net_close(struct net *net);
/* The configuration that a router was made with, for the test to change. out
 * holds pointers into itself. */
void net_plan(struct net *net, const svr_node *n, struct net_plan *out);
/* Makes a router anew, as after a crash. */
void net_restart(struct net *net, svr_node **node);

/* The node takes the packet; what it sends stands in net->out afterwards.
 * Returns the reason for which it was dropped, or SVR_DROP_NONE. Checks the
 * ledger. */
enum svr_drop net_input(struct net *net, svr_node *n, struct frame *f,
                        uint16_t iface);
/* The same for a batch that arrives together; each frame has its verdict. */
void net_input_batch(struct net *net, svr_node *n, struct frame *frames,
                     size_t count, uint16_t iface);
/* What the node has still to send stands in net->out afterwards. */
void net_flush(struct net *net, svr_node *n);
/* Time passes to `now`; timers run; what the node sends stands in net->out. */
void net_run(struct net *net, svr_node *n, svr_time now);

/* A frame of len bytes, all zero, and a frame that a tuple names. */
struct frame frame_new(size_t len);
struct frame frame_udp_tuple(const svr_tuple *t, const void *payload,
                             size_t len);
struct frame frame_tcp_tuple(const svr_tuple *t, uint8_t flags, uint32_t seq,
                             uint32_t ack, const void *payload, size_t len);

/* Fresh frames. Addresses are text. Payload bytes are given, or NULL for a
 * pattern. */
struct frame frame_udp(const char *src, uint16_t sport, const char *dst,
                       uint16_t dport, const void *payload, size_t len);
struct frame frame_tcp(const char *src, uint16_t sport, const char *dst,
                       uint16_t dport, uint8_t flags, uint32_t seq,
                       uint32_t ack, const void *payload, size_t len);
struct frame frame_echo(const char *src, const char *dst, uint16_t id,
                        bool reply, size_t len);
struct frame frame_copy(const struct frame *f);
/* The i-th packet that was sent last, as a frame of its own, as its receiver
 * gets it. */
struct frame net_take(struct net *net, size_t i);
void frame_free(struct frame *f);

/* Parses; fails the test where it is no valid packet with right checksums. */
svr_headers frame_headers(const struct frame *f);
/* Bytes behind the L4 header. */
svr_span frame_payload(const struct frame *f);
bool frame_has_metadata(const struct frame *f);
/* Decodes its metadata, opened where SVR_TEST_CIPHER asks for encryption; fails
 * the test where there is none. */
svr_metadata frame_metadata(const struct frame *f);
/* Whether both carry the same tuple and L4 bytes (and TTL differs by hops). */
void frame_expect_same(const struct frame *got, const struct frame *sent,
                       int hops);

svr_addr addr(const char *text);
uint64_t net_dropped(const svr_node *n, enum svr_drop reason);

/* One packet from host to host through all routers, from the client's side or
 * from the server's. Takes `sent`; the first router's form of it stands in
 * *wire, the caller's to free. Fails the test unless the other host gets what
 * was sent. */
void forward_trip(struct net *net, struct frame sent, struct frame *wire);
void reverse_trip(struct net *net, struct frame sent, struct frame *wire);
/* The same; whether the packet carried metadata behind the first router. */
bool trip(struct net *net, bool reverse, struct frame sent);

/* A TCP session that is established, client port 40 and server port 80; the
 * client has sent up to 109 and acknowledged 2. */
void open_tcp(struct net *net);
/* What its client sends: an ACK segment from sequence number `seq` on. */
struct frame client_segment(uint32_t seq, const void *payload, size_t len);
/* The branch's form of a packet that goes straight through it. Takes f; fails
 * the test unless exactly one packet comes out. */
struct frame wire_of(struct net *net, struct frame f);

#endif
