/*
 * node.h - a whole SVR router without I/O: packets and a time go in, verdicts
 * and packets come out.
 *
 * A program around a node does this, forever:
 *   1. collect a batch of packets from its devices, each with SVR_HEADROOM and
 *      SVR_TAILROOM around it;
 *   2. svr_node_input(batch); send those with SVR_VERDICT_FORWARD;
 *   3. svr_node_output until it answers 0, and send what it gives; only then
 *      reuse the batch's buffers;
 *   4. sleep until packets come or svr_node_expiry; then svr_node_handle_expiry
 *      and step 3.
 * Packets that have come go in before the time is told: after a pause of the
 * program they show that the peers were alive in it.
 */
#ifndef SVR_NODE_H
#define SVR_NODE_H

#include <svr/base.h>
#include <svr/crypto.h>
#include <svr/exchange.h>
#include <svr/packet.h>
#include <svr/path.h>
#include <svr/pathway.h>
#include <svr/policy.h>
#include <svr/session.h>
#include <svr/topology.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Why a packet was dropped: one reason for each. X(NAME, "name", "text")
 * The last group belongs to the program around the node, which reports those
 * with svr_node_lost.
 */
#define SVR_DROP_MAP(X)                                                        \
    X(TRUNCATED, "truncated", "an IP or L4 header is cut off")                 \
    X(VERSION, "ip-version", "the IP version is neither 4 nor 6")              \
    X(LENGTH, "length", "IP and L4 lengths contradict each other")             \
    X(IP_CHECKSUM, "ip-checksum", "the IPv4 header checksum is wrong")         \
    X(MARTIAN, "martian", "an address cannot be a source or destination")      \
    X(FRAGMENT, "fragment", "an IP fragment where waypoints are")              \
    X(REASSEMBLY_FULL, "reassembly-full", "too many packets lack pieces")      \
    X(FRAGMENT_DUPLICATE, "fragment-duplicate", "the piece came before")       \
    X(FRAGMENT_CONFLICT, "fragment-conflict",                                  \
      "the piece contradicts others of its packet")                            \
    X(FRAGMENT_MALFORMED, "fragment-malformed",                                \
      "the piece cannot be a part of a packet")                                \
    X(UNSUPPORTED, "unsupported", "no L4 header can be found")                 \
    X(L4_CHECKSUM, "l4-checksum", "the TCP or UDP checksum is wrong")          \
    X(TTL, "ttl", "the TTL or hop limit ran out")                              \
    X(TOO_BIG, "too-big", "the packet does not fit the next network")          \
    X(FAMILY, "family", "it cannot change between IPv4 and IPv6")              \
    X(NOT_FOR_US, "not-for-us", "for the router itself, and not SVR")          \
    X(NO_TENANT, "no-tenant", "the source belongs to no tenant")               \
    X(NO_SERVICE, "no-service", "no service has this destination")             \
    X(ACCESS, "access-denied", "the tenant may not reach the service")         \
    X(LOOP, "loop", "it has passed this router, or too many")                  \
    X(NO_ROUTE, "no-route", "the service has no route from here")              \
    X(REFUSED, "refused", "a router further on has just refused it")           \
    X(NOT_SYN, "not-syn", "a TCP packet without a session and without SYN")    \
    X(RESYNC, "resync", "after a restart: its session may yet be restored")    \
    X(NOT_OPENER, "not-opener", "this kind of packet opens no session")        \
    X(PINHOLE, "pinhole", "the peer was asked to open its NAT first")          \
    X(PORTS, "ports-exhausted", "no waypoint port is left on the pathway")     \
    X(SESSIONS_FULL, "sessions-full", "the session table is full")             \
    X(PEER_SESSIONS, "peer-sessions", "the peer has all sessions it may have") \
    X(PEER_RATE, "peer-rate", "the peer opens more sessions a second")         \
    X(TENANT_SESSIONS, "tenant-sessions", "the tenant has all it may have")    \
    X(TENANT_RATE, "tenant-rate", "the tenant opens more sessions a second")   \
    X(UNKNOWN_SOURCE, "unknown-source", "no pathway has this remote waypoint") \
    X(NO_SESSION, "no-session", "neither session nor metadata on a waypoint")  \
    X(MD_TRUNCATED, "metadata-truncated", "the metadata is cut off")           \
    X(MD_VERSION, "metadata-version", "the metadata's version is unknown")     \
    X(MD_LENGTH, "metadata-length", "the metadata's lengths are wrong")        \
    X(MD_TLV, "metadata-attribute", "an attribute breaks its rules")           \
    X(MD_INCOMPLETE, "metadata-incomplete", "a needed attribute is missing")   \
    X(KEY, "unknown-key", "no key of this peer has this security id")          \
    X(TAG, "wrong-tag", "the tag is wrong")                                    \
    X(UNKEYED, "no-key", "there are no keys for the next router yet")          \
    X(EXCHANGE_MALFORMED, "exchange-malformed",                                \
      "a message of the key exchange is broken, or of another version")        \
    X(EXCHANGE_STRANGER, "exchange-stranger",                                  \
      "a message of the key exchange is not between the identities known")     \
    X(EXCHANGE_OLD, "exchange-old",                                            \
      "a message of the key exchange answers nothing that is open")            \
    X(EXCHANGE_KEY, "exchange-signature",                                      \
      "a message of the key exchange does not open, or is not signed well")    \
    X(EXCHANGE_LOAD, "exchange-load",                                          \
      "too many messages of the key exchange: it has to come again")           \
    X(REPLAY, "replay", "the packet number was seen before or is too old")     \
    X(WRONG_SEAL, "wrong-seal", "it cannot be decrypted")                      \
    X(SEAL_REPLAY, "seal-replay", "the payload came before or is too old")     \
    X(NOT_SEALED, "not-sealed", "it is clear where it must be encrypted")      \
    X(SEALED_FULL, "sealed-full", "no memory is left for encrypted sessions")  \
    X(SEAL_PENDING, "seal-pending", "its session is encrypted in a moment")    \
    X(SIGNER, "signer", "the source router named is not the signer")           \
    X(TOKEN, "token", "no recovery token of this router for the session")      \
    X(MD_TENANT, "unknown-tenant", "the metadata names an unknown tenant")     \
    X(MD_SERVICE, "unknown-service", "the metadata names an unknown service")  \
    X(MD_ROUTER, "unknown-router", "the metadata names an unknown router")     \
    X(MD_CONTEXT, "context", "the context does not fit packet or service")     \
    X(MD_CONFLICT, "session-conflict", "the metadata contradicts the session") \
    X(DUPLICATE, "duplicate", "another copy of the packet came before")        \
    X(TUPLE_IN_USE, "tuple-in-use", "the tuple belongs to another session")    \
    X(GLARE, "glare", "the server has opened the session, and that one stays") \
    X(NOT_TCP, "not-tcp", "UDP that should carry TCP holds no TCP header")     \
    X(CONTROL, "control-unknown", "a control message of unknown kind")         \
    X(CONTROL_NO_SESSION, "control-no-session", "a control message for none")  \
    X(ICMP_NO_SESSION, "icmp-no-session", "an ICMP error for no session")      \
    X(PATHWAY_DOWN, "pathway-down", "its pathway, or each to choose, is down") \
    X(PATH_LIMITS, "path-limits", "no way keeps the limits of its service")    \
    X(BFD_MALFORMED, "bfd-malformed", "a BFD packet or its block is broken")   \
    X(BFD_UNSIGNED, "bfd-unsigned", "a BFD packet without the block")          \
    X(BFD_NO_PATHWAY, "bfd-no-pathway", "a BFD packet for no pathway")         \
    X(BFD_TTL, "bfd-ttl", "a BFD packet that has passed a router")             \
    X(SESSION_ENDED, "session-ended", "its session ended while it was cut")    \
    X(NO_BUFFER, "no-buffer", "the packet's buffer has too little room")       \
    X(NO_MEMORY, "no-memory", "a library had no memory to sign or seal it")    \
    X(NO_NEIGHBOUR, "no-neighbour", "the next hop did not answer in time")     \
    X(NEIGHBOUR_QUEUE, "neighbour-queue", "too many wait for the next hop")    \
    X(TRANSMIT, "transmit", "the device refused the packet")

enum svr_drop {
    SVR_DROP_NONE,
#define X(name, id, text) SVR_DROP_##name,
    SVR_DROP_MAP(X)
#undef X
        SVR_DROP_COUNT
};

/* The name ("wrong-tag") and the text of a reason; static storage, never NULL.
 */
SVR_API const char *svr_drop_name(enum svr_drop reason);
SVR_API const char *svr_drop_text(enum svr_drop reason);

/* An interface of this router; its index is svr_packet.iface. */
typedef struct svr_interface_config {
    const char *name;
    const svr_prefix *addresses; /* the router's own, with their networks */
    size_t address_count;
    svr_addr gateway_v4, gateway_v6; /* none: only the own networks */
    uint16_t mtu;                    /* of the IP packet, 1280 or more */
    int tenant;                      /* of its clients, or SVR_TENANT_NONE */
    const svr_access *sources; /* further tenants by source prefix; the longest
                                  prefix wins; `allow` is not looked at */
    size_t source_count;
    bool offload; /* the device takes super-packets and partial checksums */
} svr_interface_config;

/* Another router that pathways lead to. */
typedef struct svr_peer_config {
    const char *name;
    const uint8_t *identity; /* S12.3: SVR_IDENTITY_SIZE bytes; NULL: no keys
                                are exchanged with it */
} svr_peer_config;

/* Keys and how they are used between this router and its peers (S11). */
typedef struct svr_security_config {
    const char *name;
    const svr_hmac *hmac;
    enum svr_hmac_mode mode;
    bool per_packet; /* plain packets are signed too (S11.4) */
    bool bind_tcp;   /* the tag covers TCP's sequence numbers (S11.4b) */
    const svr_cipher *cipher; /* of metadata and payloads (S11.5); NULL: they
                                 are clear. CBC needs signed plain packets */
    bool exchanged; /* S12.2: keys are agreed on with each peer, on pathways
                       that are watched and not plain; key is not looked at */
    uint8_t key[SVR_KEY_SIZE];
} svr_security_config;

/* A pathway from one of the own waypoints to a peer's. */
typedef struct svr_pathway_config {
    const char *name;
    uint16_t iface, peer, security;           /* indexes */
    svr_addr local, remote;                   /* waypoints, of one family */
    svr_port_range local_ports, remote_ports; /* S10: what sessions opened along
                                                 it choose from */
    bool tcp_as_udp; /* TCP sessions opened along it travel as UDP (S4.4); those
                        that the peer opens do as the peer has it. With
                        watch.tcp_probes, it is found out (S14.8) */
    bool unwatched;  /* no BFD: it counts as up unless taken down */
    svr_pathway_settings watch; /* S14; addresses, boot counter and MTU are the
                                   node's to fill in. Messages are expected at
                                   local.port, plain ones at remote.port, which
                                   must be below 16384 */
    uint8_t inactivity; /* S8.2: a session without return traffic for so many
                           seconds, 1 to 30, asks the peer whether it has it; a
                           packet of no session is not answered. 0, the
                           default: it is, and nothing is asked */
    uint32_t link;      /* with svr_node_config.learn: a number, below that of
                           pathways and links together, which both directions of
                           a pathway have, and no other one */
    uint8_t bfd_ttl;   /* of BFD packets, 64; 255: theirs must have it, too (RFC
                          5881 section 5) */
    uint16_t vector;   /* S16: the place of its vector name in the policy's, or
                          SVR_VECTOR_NONE, the default */
    uint32_t cost;     /* of a unit of the caller's */
    uint32_t capacity; /* sessions that it should carry; 0, the default: as many
                          as come */
} svr_pathway_config;

/* watch, bfd_ttl and vector at their defaults, all else empty. */
SVR_API void svr_pathway_config_init(svr_pathway_config *c);

/* Where a service's sessions go next: out of an own interface (pathway < 0), or
 * along a pathway. Tried in the order given, unless the service's policy has
 * another best_path: then the best vector that begins with one of these is
 * taken (S16). */
typedef struct svr_route_config {
    uint16_t service;
    int pathway;
    uint16_t iface; /* where pathway < 0 */
} svr_route_config;

/* A pathway between other routers, in one direction (S16.1). Routers are named
 * by their place in svr_node_config.routers; the rest as in svr_pathway_config.
 */
typedef struct svr_link_config {
    const char *name;
    uint16_t from, to;
    uint16_t vector;
    uint32_t cost, capacity;
    uint32_t link;
} svr_link_config;

/* A router where a service's sessions may leave SVR, this one or another one,
 * and how many the servers there should have; 0: as many as come. */
typedef struct svr_instance_config {
    uint16_t service, router;
    uint32_t capacity;
} svr_instance_config;

/* Lifetimes of idle sessions (S9), and other limits. */
typedef struct svr_limits {
    size_t sessions; /* the most at once; default 65536. From nine tenths on,
                        those that are not established end sooner */
    size_t peer_sessions, tenant_sessions; /* that one peer has opened, that the
                                              clients of one tenant have; 0, the
                                              default: as many as there are */
    size_t sealed; /* of those that begin or end here, whose payloads are
                      encrypted; 0, the default: as many as there are. Memory
                      is taken for them all when the first pathway has a cipher;
                      another configuration may have less, not more of it */
    uint32_t peer_rate, tenant_rate; /* new ones a second, with bursts of as
                                        many; 0, the default: any */
    svr_time tcp_setup;              /* until established; 10 s */
    svr_time tcp;                    /* 1900 s */
    svr_time udp;                    /* 180 s */
    svr_time icmp;                   /* 10 s */
    svr_time dns;                    /* UDP to port 53; 5 s */
    svr_time other;                  /* other protocols; 180 s */
} svr_limits;

/* Is told of an event while the node is at work: it must not call the node, and
 * what the event points to is valid during the call only. */
typedef struct svr_event svr_event;
typedef struct svr_notify {
    void (*event)(void *user, const svr_event *event);
    void *user;
} svr_notify;

typedef struct svr_node_config {
    const char *name; /* this router's */
    uint32_t boot;    /* higher after each start of this router: packet numbers
                         begin with it (S11.7) */
    uint8_t recovery_key[SVR_KEY_SIZE]; /* S8.5: the same after each start, and
                         known to nobody else; all zero: a random one, with
                         which no session survives a restart of its ingress */
    svr_identity *identity; /* S12.3: this router's; NULL where no policy has
                               exchanged keys. Secret, not copied: it outlives
                               the node, and serves no other one */
    svr_time rekey;         /* S12.4: how old exchanged keys and those of
                               payloads become; SVR_EXCHANGE_REKEY; SVR_NEVER:
                               as asked for. Payloads' last 30 s at least */
    svr_limits limits;
    svr_policy_config policy;
    const svr_interface_config *interfaces;
    size_t interface_count;
    const svr_peer_config *peers;
    size_t peer_count;
    const char *const *routers; /* the names of all routers that a session may
                                   pass (S20), this one and its peers among
                                   them; without any, those are all */
    size_t router_count;
    const svr_security_config *securities;
    size_t security_count;
    const svr_pathway_config *pathways;
    size_t pathway_count;
    const svr_route_config *routes;
    size_t route_count;
    const svr_link_config *links; /* of the routers beyond the peers: what is
                                     not known of them counts as up and without
                                     delay or loss */
    size_t link_count;
    const svr_instance_config *instances; /* a service without any ends at each
                                             peer that a route of it leads to */
    size_t instance_count;
    bool learn; /* routers tell each other how their pathways and services are
                   doing (svr/topology.h). Pathways and links have a `link`;
                   those that nobody has told of count as above */
    svr_allocator alloc;
    svr_random random;
    svr_notify notify; /* told what happens; may be left empty */
} svr_node_config;

/* Everything empty, limits at their defaults. alloc and random must be given.
 */
SVR_API void svr_node_config_init(svr_node_config *c);

typedef struct svr_node svr_node;

/* Builds a router; copies all it needs, allocates all it will ever use. 0, or
 * SVR_ERR_NO_MEMORY, NO_ENTROPY, ARGUMENT (an index, a family, a prefix length,
 * an MTU, a limit, or an interval, TTL or port of a watched pathway out of
 * range; a waypoint that is no address of its interface, or that is not next
 * door and has no gateway; routers without this one or a peer, links without
 * routers, or of this one; what
 * svr_chart_create refuses where there is `learn`), EXISTS,
 * CONFLICT (as svr_policy_create; two interfaces, peers or routers of one name,
 * or a peer of the router's own; two pathways between the same waypoints). */
SVR_API SVR_MUST_CHECK int
svr_node_create(svr_node **out, const svr_node_config *config, svr_time now);
SVR_API void svr_node_destroy(svr_node *n); /* NULL is allowed; wipes keys */

/* What a new configuration did, or would do. */
typedef struct svr_reconfiguration {
    size_t sessions_kept, sessions_ended;
    size_t pathways_kept;      /* go on as they are */
    size_t pathways_restarted; /* begin again: with other settings than
                                  intervals and multiplier */
    size_t pathways_ended;
} svr_reconfiguration;

/*
 * Gives the node another configuration while it runs. All that derives from it
 * is built beside what there is, then both change places; on failure nothing
 * has changed.
 *
 * What has the same name is the same interface, peer, tenant or service; a
 * pathway must also have the same interface, peer, waypoints and security
 * settings, but for the key. Packet numbers and replay windows of such peers
 * stay, and so does all that is known of such pathways, unless one restarts:
 * then its sessions wait until it is up. Interfaces and thus svr_packet.iface
 * may have other numbers.
 *
 * Every session stays that would be opened now just as it is: its parts are
 * still there, its client has its tenant, the destination its service, access
 * is granted, and the service goes where the session goes (S13). The others
 * end, with the cause REMOVED or ACCESS. To those that stay nothing happens:
 * they keep their keys even if their pathway has another. Neighbours are told
 * of sessions that end, as far as the room for packets goes: svr_node_output
 * has them.
 *
 * alloc, random, notify and boot stay what they were. The node needs memory
 * for both configurations; the time it takes grows with the numbers of
 * pathways, sessions and places for sessions.
 *
 * out may be NULL. 0, or as svr_node_create, or SVR_ERR_ARGUMENT: another
 * name or limits.sessions, or svr_node_output has still something to give.
 */
SVR_API SVR_MUST_CHECK int svr_node_reconfigure(svr_node *n,
                                                const svr_node_config *config,
                                                svr_time now,
                                                svr_reconfiguration *out);

/* Answers the same and changes nothing. */
SVR_API SVR_MUST_CHECK int
svr_node_reconfigure_try(svr_node *n, const svr_node_config *config,
                         svr_time now, svr_reconfiguration *out);

/* Tells the node the Unix time in nanoseconds at the time now. The first time
 * begins the clock by which it signs in the time-based mode (S11.3), which
 * counts from zero otherwise and takes no notice of later ones. Later ones are
 * for the expiry of recovery tokens (S8.5). */
SVR_API void svr_node_set_unix_time(svr_node *n, uint64_t unix_ns,
                                    svr_time now);

/* The largest batch of svr_node_input. */
#define SVR_BATCH_MAX 64

/*
 * Takes a batch of count (at most SVR_BATCH_MAX) packets and gives each a
 * verdict. FORWARD packets have been changed in place and name their iface and
 * next_hop. Packets that have to be cut or split are CONSUMEd here and their
 * pieces come from svr_node_output, so the batch must stay untouched until that
 * answers 0. Pieces that arrive are CONSUMEd, too, and the packets that they
 * make come from there (S18).
 * Returns the number of packets to forward.
 */
SVR_API size_t svr_node_input(svr_node *n, svr_packet *pkts, size_t count,
                              svr_time now);

/*
 * Takes the next packet that the node itself has to send: pieces of packets
 * that were cut or split, packets that were put together, control packets, ICMP
 * errors, resets. buf has cap bytes, at
 * least SVR_OUTPUT_SIZE(largest MTU). 1 with *pkt filled in (verdict FORWARD),
 * 0 when there is none, or SVR_ERR_NO_SPACE.
 */
#define SVR_OUTPUT_SIZE(mtu) (SVR_HEADROOM + (size_t)(mtu) + SVR_TAILROOM)
SVR_API int svr_node_output(svr_node *n, svr_packet *pkt, uint8_t *buf,
                            size_t cap, svr_time now);

/* When svr_node_handle_expiry is due next, or SVR_NEVER. */
SVR_API svr_time svr_node_expiry(const svr_node *n);
/* Does what is due: ends idle sessions, sends what waits for a time, such as
 * what keeps pathways alive. Bounded
 * work; what is left makes svr_node_expiry answer a time in the past. */
SVR_API void svr_node_handle_expiry(svr_node *n, svr_time now);

/* The program could not send a packet with verdict FORWARD: it moves from
 * forwarded (or, if the node made it, from originated) to dropped. */
SVR_API void svr_node_lost(svr_node *n, const svr_packet *pkt,
                           enum svr_drop reason);
/* The program keeps a FORWARD packet back (+1), such as for neighbour
 * discovery, or has sent one that it kept (-1). */
SVR_API void svr_node_held(svr_node *n, const svr_packet *pkt, int change);

/*
 * What has happened so far. For packets that came in:
 *   received = forwarded + consumed + held + sum of dropped[]
 * A packet that is cut or split is consumed, and each piece is received. A
 * piece that arrives is consumed, and the packet that it completes is received.
 * What the node makes itself counts in originated, and in originated_lost if
 * the program could not send it.
 */
typedef struct svr_counters {
    uint64_t received, forwarded, consumed, held;
    uint64_t dropped[SVR_DROP_COUNT];
    uint64_t originated, originated_lost;
    uint64_t cut;             /* TCP packets cut into segments */
    uint64_t split;           /* packets sent in pieces or IP fragments (S18) */
    uint64_t reassembled;     /* packets put together */
    uint64_t reassembly_lost; /* packets that have not become complete in time,
                                 or had to give way */
    uint64_t sessions_created, sessions_ended;
    uint64_t copies_sent;     /* S17: of packets that travel more than once */
    uint64_t sessions_moved;  /* S17: a side of one, to another tuple */
    uint64_t aliases_refused; /* S17: further tuples of sessions, each time that
                                 there was no room for one */
    uint64_t ports_exhausted; /* a pathway had no waypoint ports left for a new
                                 session; the next route was tried (S10) */
    uint64_t metadata_sent,
        metadata_received; /* blocks; the latter authentic */
    uint64_t control_sent, control_received;
    uint64_t bfd_sent, bfd_received; /* with TCP probes; the latter authentic */
    uint64_t peer_restarts;          /* S8.4 */
    uint64_t unknown_attributes;
    uint64_t exchange[SVR_EXCHANGE_VERDICTS]; /* messages of key exchanges, by
                                                 what became of them */
} svr_counters;

SVR_API void svr_node_counters(const svr_node *n, svr_counters *out);

/* One side of a session: a pathway with its waypoint tuple as packets leave
 * this router, or an own interface (pathway NULL). */
typedef struct svr_side_info {
    const char *interface;
    const char *pathway;
    const char *peer;
    svr_tuple waypoints;
    const char *metadata; /* state of the handshake: "none", "offering",
                             "offered", "answering", "answered" */
} svr_side_info;

typedef struct svr_session_info {
    svr_uuid uuid;
    const char *tenant; /* NULL: none */
    const char *service;
    enum svr_role role;
    const char *state; /* "new", "established", "closing", "reset" */
    svr_tuple context;
    svr_side_info client, server;
    svr_time created, expires;
    uint64_t packets[2], bytes[2]; /* forward, reverse */
} svr_session_info;

/* A pathway as it stands. Names are valid as long as the node. */
typedef struct svr_node_pathway {
    const char *name, *peer, *interface, *security;
    svr_addr local, remote; /* as configured */
    bool unwatched;         /* state is all that is meant below */
    svr_pathway_info info;
    uint64_t sessions;       /* that go along it now */
    const char *vector;      /* NULL: none */
    uint32_t cost, capacity; /* as configured */
} svr_node_pathway;

/* What is thought of a way (S16.2, S17), the best first. X(NAME, "name",
 * "text") */
#define SVR_WAY_MAP(X)                                               \
    X(GOOD, "good", "it keeps the limits and has room")              \
    X(DOUBTFUL, "doubtful",                                          \
      "it was beyond a limit lately, or is not measured yet")        \
    X(POOR, "poor", "it is beyond a limit or full: for best effort") \
    X(NONE, "none", "it cannot be used")

enum svr_way_rank {
#define X(name, id, text) SVR_WAY_##name,
    SVR_WAY_MAP(X)
#undef X
        SVR_WAY_RANKS
};

/* Routers behind the next one that a way names, at most. */
#define SVR_WAY_COMING_MAX 11

/* A route of a service with the best vector that begins so. */
typedef struct svr_node_way {
    const char *interface;      /* out of which the service leaves here, or */
    const char *pathway, *peer; /* NULL */
    bool up, ready;             /* of the pathway */
    bool full;                  /* it has as many sessions as it should */
    uint64_t sessions;          /* along the pathway */
    enum svr_drop passed_over;  /* why sessions cannot take it, up or not:
                                   NOT_SEALED: it has no cipher and they must be
                                   encrypted; SEALED_FULL (S11.9); or NONE */
    bool known; /* what follows: there is such a vector, and the service's
                   policy asks for it */
    enum svr_way_rank rank;
    svr_vector vector;                      /* without edges */
    const char *coming[SVR_WAY_COMING_MAX]; /* routers behind the peer */
    size_t coming_count;
} svr_node_way;

/* What would become of a session now. */
typedef struct svr_explanation {
    int service;           /* SVR_ERR_NO_SERVICE: none has the destination */
    enum svr_drop refused; /* why it would not begin; NONE: it would */
    enum svr_best_path best_path;
    size_t ways;   /* how many there are, in the order of their ranks */
    size_t choice; /* which of them, unless refused. Of equals, where sessions
                      are shared out, one */
} svr_explanation;

/* What a session would do whose client has the tenant: svr_node_explained then
 * tells of each way. The source of the context may be none; lines of access
 * lists with a prefix do not fit then. SVR_ERR_ARGUMENT: no such tenant. */
SVR_API SVR_MUST_CHECK int svr_node_explain(svr_node *n, int tenant,
                                            const svr_tuple *context,
                                            svr_explanation *out, svr_time now);
/* The way of that place below e->ways; names are valid as long as the node. */
SVR_API void svr_node_explained(const svr_node *n, const svr_explanation *e,
                                size_t place, svr_node_way *out, svr_time now);
/* Name and text of a rank; static storage, never NULL. */
SVR_API const char *svr_way_rank_name(enum svr_way_rank rank);
SVR_API const char *svr_way_rank_text(enum svr_way_rank rank);

/* What a node tells of. X(NAME, "name") */
#define SVR_EVENT_MAP(X)                                                      \
    X(SESSION_STARTED, "session-started")                                     \
    X(SESSION_ENDED, "session-ended")         /* cause; as it was before */   \
    X(SESSION_MOVED, "session-moved")         /* cause; as it is now (S17) */ \
    X(SESSION_RECOVERED, "session-recovered") /* rebuilt by S8.5 */           \
    X(SESSION_REFUSED, "session-refused")     /* drop; a neighbour was told   \
                                                 (S6.10) */                   \
    X(PATHWAY, "pathway")                     /* up, down, or ready */

enum svr_event_kind {
#define X(name, id) SVR_EVENT_##name,
    SVR_EVENT_MAP(X)
#undef X
        SVR_EVENT_COUNT
};

/* Why a session ended or moved. X(NAME, "name", "text") */
#define SVR_CAUSE_MAP(X)                                              \
    X(NONE, "none", "no cause is known")                              \
    X(IDLE, "idle", "no packet came for its lifetime")                \
    X(CLOSED, "closed", "both ends closed it")                        \
    X(RESET, "reset", "one end reset it")                             \
    X(REPLACED, "replaced", "a later session took its place")         \
    X(DELETED, "deleted", "a neighbour deleted it")                   \
    X(FAILED, "pathway-down", "its pathway went down")                \
    X(LIMITS, "path-limits", "its pathway went beyond a limit")       \
    X(REVERTED, "pathway-up", "a better pathway has recovered")       \
    X(REDIRECTED, "redirected", "it goes on by another router")       \
    X(ASKED, "asked", "a neighbour could not reach it any more")      \
    X(FOLLOWED, "followed", "a neighbour sends from somewhere else")  \
    X(GLARE, "glare", "both ends opened it, and the other's stays")   \
    X(REKEYED, "new-keys", "its neighbours have new keys")            \
    X(REFUSED, "refused", "a router further on refused it")           \
    X(ROOM, "room", "not established, it made room for others")       \
    X(ACCESS, "access-denied", "the new configuration denies access") \
    X(REMOVED, "removed", "the new configuration lacks what it needs")

enum svr_cause {
#define X(name, id, text) SVR_CAUSE_##name,
    SVR_CAUSE_MAP(X)
#undef X
        SVR_CAUSE_COUNT
};

struct svr_event {
    enum svr_event_kind kind;
    enum svr_cause cause;
    enum svr_drop drop;
    const svr_session_info *session; /* of sessions; of one that was refused
                                        there is uuid, context, tenant, service,
                                        and the others are empty */
    const svr_node_pathway *pathway; /* of a pathway */
};

/* Names and texts in static storage, never NULL. */
SVR_API const char *svr_event_name(enum svr_event_kind kind);
SVR_API const char *svr_cause_name(enum svr_cause cause);
SVR_API const char *svr_cause_text(enum svr_cause cause);

/* Walks over the pathways in the order of the configuration, as
 * svr_node_session_next over sessions. */
SVR_API int svr_node_pathway_next(const svr_node *n, size_t *cursor,
                                  svr_node_pathway *out, svr_time now);

/* Takes a pathway down, or lets it come up again. SVR_ERR_NOT_FOUND: none has
 * this name. */
SVR_API SVR_MUST_CHECK int svr_node_pathway_admin(svr_node *n, const char *name,
                                                  bool down, svr_time now);

/* What this router knows of the network: edges are the pathways of its
 * configuration, then the links. NULL without svr_node_config.learn. Valid
 * until the node is next called. */
SVR_API const svr_chart *svr_node_chart(const svr_node *n);

/* Walks over the sessions: *cursor starts at 0. 1 with *out filled in, valid
 * until the node is next called, or 0 at the end. Sessions that come or go
 * between the calls may be missed. */
SVR_API int svr_node_session_next(const svr_node *n, size_t *cursor,
                                  svr_session_info *out);

/* The number of sessions alive, and the most there can be. */
SVR_API size_t svr_node_session_count(const svr_node *n);
SVR_API size_t svr_node_session_limit(const svr_node *n);

/* The keys that are exchanged with a peer. */
typedef struct svr_node_key {
    const char *peer; /* valid as long as the node */
    bool keyed;       /* both routers use what they have agreed on */
    svr_exchange_info info;
} svr_node_key;

/* Walks over the peers that keys are exchanged with, as svr_node_session_next
 * over sessions. */
SVR_API int svr_node_key_next(const svr_node *n, size_t *cursor,
                              svr_node_key *out, svr_time now);

/* New keys are wanted with the peer of that name, or with all (NULL), and then
 * also for the payloads of sessions that begin here, by their next packet
 * (S12.4). Sessions follow within seconds. SVR_ERR_NOT_FOUND: no keys are
 * exchanged with such a peer, or there is nothing to make keys for. */
SVR_API SVR_MUST_CHECK int svr_node_rekey(svr_node *n, const char *peer,
                                          svr_time now);

#ifdef __cplusplus
}
#endif

#endif
