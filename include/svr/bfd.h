/*
 * bfd.h - what two routers say to each other about a pathway (S14): a BFD
 * control packet (RFC 5880) in UDP, and behind it a block like that of
 * metadata.h, with attributes of its own.
 *
 * This is the codec alone. What does not hang on the state of a session is
 * checked here; the rest of RFC 5880 section 6.8.6 is the caller's, and so is
 * the tag behind the block.
 */
#ifndef SVR_BFD_H
#define SVR_BFD_H

#include <svr/metadata.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVR_BFD_PORT 1280
/* A packet as it is sent: without an authentication section. */
#define SVR_BFD_SIZE 24

/* X(NAME, number, "text"), as RFC 5880 section 4.1 spells them. */
#define SVR_BFD_STATE_MAP(X)      \
    X(ADMIN_DOWN, 0, "AdminDown") \
    X(DOWN, 1, "Down")            \
    X(INIT, 2, "Init")            \
    X(UP, 3, "Up")

enum svr_bfd_state {
#define X(name, number, text) SVR_BFD_##name = number,
    SVR_BFD_STATE_MAP(X)
#undef X
};

/* Why the session was last taken down. X(NAME, number, "text") */
#define SVR_BFD_DIAG_MAP(X)                           \
    X(NONE, 0, "none")                                \
    X(EXPIRED, 1, "detection-time-expired")           \
    X(ECHO_FAILED, 2, "echo-failed")                  \
    X(NEIGHBOUR_DOWN, 3, "neighbour-signalled-down")  \
    X(PLANE_RESET, 4, "forwarding-plane-reset")       \
    X(PATH_DOWN, 5, "path-down")                      \
    X(CONCATENATED_DOWN, 6, "concatenated-path-down") \
    X(ADMIN_DOWN, 7, "administratively-down")         \
    X(REVERSE_DOWN, 8, "reverse-concatenated-path-down")

enum svr_bfd_diag {
#define X(name, number, text) SVR_BFD_DIAG_##name = number,
    SVR_BFD_DIAG_MAP(X)
#undef X
};

/* The texts above; "reserved" for a value that is not in the list. Static
 * storage, never NULL. */
SVR_API const char *svr_bfd_state_name(uint8_t state);
SVR_API const char *svr_bfd_diag_name(uint8_t diag);

/* A control packet. Version, the bits A and M and the length have no field:
 * only one value of each is accepted or sent. All intervals in microseconds. */
typedef struct svr_bfd_packet {
    uint8_t state; /* enum svr_bfd_state */
    uint8_t diag;  /* enum svr_bfd_diag, or another value up to 31 */
    bool poll, final;
    bool control_plane_independent;
    bool demand;
    uint8_t multiplier;
    uint32_t my_discriminator, your_discriminator;
    uint32_t desired_min_tx, required_min_rx, required_min_echo_rx;
} svr_bfd_packet;

/*
 * Reads the packet at buf, where len bytes follow the UDP header. Returns how
 * many bytes it takes, as its length field says; the block (S14.3) follows
 * them. Errors, by the first rule of RFC 5880 section 6.8.6 that is broken:
 * SVR_ERR_TRUNCATED (less than SVR_BFD_SIZE), VERSION (not 1), LENGTH (the
 * length field is under 24, under 26 with the bit A, or passes len), VALUE
 * (multiplier 0, the bit M, my discriminator 0, your discriminator 0 in Init
 * or Up), UNSUPPORTED (an authentication section: S14.3 signs otherwise).
 */
SVR_API SVR_MUST_CHECK ptrdiff_t svr_bfd_decode(svr_bfd_packet *p,
                                                const uint8_t *buf, size_t len);

/* Writes p to buf, which has room for SVR_BFD_SIZE bytes. 0, or
 * SVR_ERR_ARGUMENT where p breaks a rule of svr_bfd_decode or a field has more
 * bits than the packet. */
SVR_API SVR_MUST_CHECK int svr_bfd_encode(uint8_t *buf,
                                          const svr_bfd_packet *p);

/*
 * Attributes of the block (S14.3), all in its header section, which is never
 * encrypted. Beside them stands type 16, the security id. X(NAME, number, text)
 */
#define SVR_BFD_ATTR_MAP(X)                        \
    X(ROUTER, 0x8010, "router")                    \
    X(BOOT_COUNTER, 0x8011, "boot-counter")        \
    X(SOURCE_V4, 0x8012, "true-source-ipv4")       \
    X(SOURCE_V6, 0x8013, "true-source-ipv6")       \
    X(NUMBERS, 0x8014, "sequence-numbers")         \
    X(ECHO, 0x8015, "echo-stamps")                 \
    X(OBSERVED_V4, 0x8016, "observed-source-ipv4") \
    X(OBSERVED_V6, 0x8017, "observed-source-ipv6") \
    X(CHALLENGE, 0x8018, "challenge")              \
    X(ANSWER, 0x8019, "challenge-answer")          \
    X(PINHOLE, 0x801a, "pinhole-request")          \
    X(PADDED, 0x801b, "padded-packet")             \
    X(PADDING, 0x801c, "padding")                  \
    X(KEY_EXCHANGE, 0x801d, "key-exchange")        \
    X(LOAD, 0x801e, "load")                        \
    X(TOPOLOGY, 0x801f, "topology")                \
    X(PROBE, 0x8020, "firewall-probe")             \
    X(RESYNC_END, 0x8021, "resync-end")

enum svr_bfd_attr {
#define X(name, number, text) SVR_BFD_ATTR_##name = number,
    SVR_BFD_ATTR_MAP(X)
#undef X
};

/* Each attribute's place in the set of those present, behind those of
 * enum svr_attr_index. */
enum svr_bfd_attr_index {
    SVR_BFD_INDEX_SECURITY_ID = SVR_ATTR_COUNT,
#define X(name, number, text) SVR_BFD_INDEX_##name,
    SVR_BFD_ATTR_MAP(X)
#undef X
        SVR_BFD_INDEX_END,
};

/* The bit of an attribute in svr_bfd_block.present: SVR_BFD_HAS(ROUTER). */
#define SVR_BFD_HAS(name) ((uint64_t)1 << SVR_BFD_INDEX_##name)

/* Where packets come from: as their sender sees it, or as their receiver does
 * (S14.4). */
typedef struct svr_bfd_endpoint {
    svr_addr addr;
    uint16_t port;
} svr_bfd_endpoint;

/* The sender's number of this packet, and the highest it had from the peer. */
typedef struct svr_bfd_numbers {
    uint64_t own, peer;
} svr_bfd_numbers;

/* For round trips and the offset between two clocks (S14.2, S11.3): the
 * sender's time, the `own` of the request that it answers, and for how long it
 * has held that one. Nanoseconds, each of its writer's own monotonic clock.
 * With `peer` 0 it answers none and is a request itself. */
typedef struct svr_bfd_echo {
    uint64_t own, peer, held;
} svr_bfd_echo;

/* Wanted: a keep-alive from the receiver's port `remote` to the sender's port
 * `local` (S14.9). */
typedef struct svr_bfd_pinhole {
    uint16_t local, remote;
} svr_bfd_pinhole;

/* The last padded packet that the sender had from the peer (S14.6): its number,
 * and how many bytes the IP packet had. */
typedef struct svr_bfd_padded {
    uint64_t number;
    uint16_t size;
} svr_bfd_padded;

/* Firewall probes (S14.8): the round that the sender is in and which probe of
 * it this packet is, a bit, or 0; then the peer's last round that it has seen a
 * probe of, and which of them came through. */
typedef struct svr_bfd_probe {
    uint8_t round, kind;
    uint8_t heard_round, heard;
} svr_bfd_probe;

#define SVR_BFD_CHALLENGE_SIZE 8

/*
 * The attributes of one block. Only fields whose bit is in `present` have a
 * meaning; to this codec each is optional. The two families of `source` and of
 * `observed` share a field: only one of each may be present.
 */
typedef struct svr_bfd_block {
    uint64_t present;
    svr_span router;           /* a name as in S3 */
    svr_bfd_endpoint source;   /* the sender's, before any NAT */
    svr_bfd_endpoint observed; /* the receiver's, as the sender sees it */
    svr_bfd_numbers numbers;
    svr_bfd_echo echo;
    uint32_t security_id;
    uint32_t boot_counter; /* S8.4 */
    svr_bfd_pinhole pinhole;
    uint8_t challenge[SVR_BFD_CHALLENGE_SIZE];
    uint8_t answer[SVR_BFD_CHALLENGE_SIZE]; /* to the peer's challenge */
    svr_bfd_padded padded;
    svr_bfd_probe probe;
    uint32_t resync_end; /* boot counter of the receiver's start after which the
                            sender has said all that it knows of sessions with
                            it (S8.4) */
    uint16_t padding;    /* how many bytes; sent as zeros, read as anything */
    svr_span key_exchange, load, topology; /* whole values, not looked into */
    uint16_t unknown; /* attributes of types not in the list */
} svr_bfd_block;

/* Nothing present, all fields zero. */
SVR_API void svr_bfd_block_init(svr_bfd_block *b);

/*
 * Decodes the block at buf, where len bytes follow the BFD packet, into b,
 * which need not be initialised; its spans are views into buf. Returns the
 * block's length; what follows is the tag. Errors are those of
 * svr_metadata_decode (S2.5), and SVR_ERR_LENGTH for a payload section that is
 * not empty. Each kind of block refuses the attributes of the other with
 * TLV_SECTION; type 16 stands in both. b is undefined on failure.
 */
SVR_API SVR_MUST_CHECK ptrdiff_t svr_bfd_block_decode(svr_bfd_block *b,
                                                      const uint8_t *buf,
                                                      size_t len);

/* Writes a block. Returns its length, with buf NULL and any cap without writing
 * it. SVR_ERR_ARGUMENT: a value that svr_bfd_block_decode would refuse, or a
 * bit that is no attribute of this block; NO_SPACE: more than cap; LENGTH: more
 * than the header length can say, 4095. The buffer is undefined on failure. */
SVR_API SVR_MUST_CHECK ptrdiff_t svr_bfd_block_encode(uint8_t *buf, size_t cap,
                                                      const svr_bfd_block *b);

#ifdef __cplusplus
}
#endif

#endif
