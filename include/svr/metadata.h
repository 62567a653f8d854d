/*
 * metadata.h - the metadata block that SVR puts behind the L4 header (S2, S3).
 *
 * The block stands behind the 8 bytes of UDP, or behind the TCP header with its
 * options; the packet's own payload follows it, and the tag, if the packet is
 * signed, is the packet's last bytes (crypto.h). Integers are big-endian:
 *
 *    offset                  bytes
 *    0                       8   cookie 4c 48 db c6 dd f6 67 0c
 *    8                       2   version (4 bits, 1), header length (12 bits)
 *    10                      2   payload length
 *    12                          header section: attributes, never encrypted
 *    header length               payload section: attributes, may be encrypted
 *    header + payload length     the packet's own payload
 *
 * The header length counts from the cookie on and is at least 12; the payload
 * length is that of the payload section as it is on the wire. An attribute has
 * a type of 2 bytes, the length of its value in 2, and the value, unpadded; the
 * last one of a section ends where the section does.
 *
 * The bytes do not say whether the payload section is encrypted: that follows
 * from the key that the security id (16) names (S2.6).
 *
 * Decoding copies nothing: names and keys in an svr_metadata are views into the
 * buffer that was decoded.
 */
#ifndef SVR_METADATA_H
#define SVR_METADATA_H

#include <svr/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVR_COOKIE_SIZE 8
#define SVR_BASE_HEADER_SIZE 12
#define SVR_METADATA_VERSION 1

/* The longest block that this implementation sends, tag not counted (S2.8). */
#define SVR_METADATA_MAX 700
/* Names: the longest sent and the longest accepted (S3). */
#define SVR_NAME_SEND_MAX 63
#define SVR_NAME_ACCEPT_MAX 255

/*
 * Attributes by their number (S3). X(NAME, number, text)
 * Types from 0x8000 are this implementation's own. svr_attribute_find gives
 * sections and lengths. What the values are:
 *
 *    type           bytes   value
 *    1              10      u32 extended id, u16 IP identification; u16 with
 *                           0x4000 don't fragment, 0x2000 more, and 13 bits of
 *                           offset in units of 8 bytes; u16 largest fragment
 *    2 4 (IPv4)     13      source and destination address, u16 source and
 *    3 5 (IPv6)     37      destination port, u8 protocol
 *    6              16      UUID in printing order
 *    7 10 14 15 17  1-255   a name: printable UTF-8, not terminated
 *      19 35
 *    8 16 0x8003    4       u32
 *    11 12 18       0       a flag: being there is all that it says
 *    13 0x8002      8       u64
 *    20 25, 21      4, 16   address: IPv4, IPv6
 *    24             1       u8, enum svr_control
 *    26             10      u32 with 4 bits of colour and 28 of time (ms) for
 *                           what was sent, one for what was received, and u16
 *                           with 0x8000 drop and 15 bits of count
 *    28             2-      u16 with 0x8000 F, 0x4000 D and 12 bits of sequence
 *    42             4       u32 seconds
 *    46 in header   1       u8: 1 request, 2 request after a timeout
 *    46 in payload  2-      key
 *    50             11, 35  u8 family (4 or 6), u8 flags, source and group
 *                           address, u8 protocol
 *    51             2-      u16 count, then as many names, each behind its
 *                           length in u8
 *    0x8001         17      u64 own number, u64 echo of the peer's, u8 whose
 *                           lowest bit says that the own one awaits its echo
 *    0x8004         17      salt (16), u8 enum svr_salt_flag
 *    0x8005         1-      only its maker can read it
 *    0x8006         2-      u8 count of routers passed, u8 count to come, then
 *                           as many names, each behind its length in u8; then
 *                           nothing, or u64 for each router passed
 *    0x8007         1       u8 DSCP
 */
#define SVR_ATTR_MAP(X)                                 \
    X(FRAGMENT, 1, "fragment")                          \
    X(FORWARD_CONTEXT_V4, 2, "forward-context-ipv4")    \
    X(FORWARD_CONTEXT_V6, 3, "forward-context-ipv6")    \
    X(REVERSE_CONTEXT_V4, 4, "reverse-context-ipv4")    \
    X(REVERSE_CONTEXT_V6, 5, "reverse-context-ipv6")    \
    X(SESSION_UUID, 6, "session-uuid")                  \
    X(TENANT, 7, "tenant")                              \
    X(INTERFACE_ID, 8, "global-interface-id")           \
    X(SERVICE, 10, "service")                           \
    X(ENCRYPTED, 11, "session-encrypted")               \
    X(TCP_SYN, 12, "tcp-syn")                           \
    X(SERVICE_SESSIONS, 13, "sessions-in-service")      \
    X(SOURCE_ROUTER, 14, "source-router")               \
    X(SECURITY_POLICY, 15, "security-policy")           \
    X(SECURITY_ID, 16, "security-id")                   \
    X(DESTINATION_ROUTER, 17, "destination-router")     \
    X(DISABLE_FORWARD, 18, "disable-forward-metadata")  \
    X(PATHWAY, 19, "pathway-id")                        \
    X(ICMP_LOCATION_V4, 20, "icmp-error-location-ipv4") \
    X(ICMP_LOCATION_V6, 21, "icmp-error-location-ipv6") \
    X(CONTROL, 24, "control-message")                   \
    X(SOURCE_NAT, 25, "source-nat-address-ipv4")        \
    X(PATH_METRICS, 26, "path-metrics")                 \
    X(MODIFY, 28, "modify-request")                     \
    X(APPLICATION, 35, "application")                   \
    X(SESSION_TIME, 42, "remaining-session-time")       \
    X(HEALTH_OR_KEY, 46, "session-health-check")        \
    X(MULTICAST_GROUP, 50, "multicast-group-context")   \
    X(MULTICAST_EGRESS, 51, "multicast-egress-list")    \
    X(EXCHANGE_NUMBER, 0x8001, "exchange-number")       \
    X(PACKET_NUMBER, 0x8002, "packet-number")           \
    X(COPY_NUMBER, 0x8003, "copy-number")               \
    X(KEY_SALT, 0x8004, "key-salt")                     \
    X(RECOVERY_TOKEN, 0x8005, "recovery-token")         \
    X(ROUTE_RECORD, 0x8006, "route-record")             \
    X(SERVICE_CLASS, 0x8007, "class-of-service")

enum svr_attr {
#define X(name, number, text) SVR_ATTR_##name = number,
    SVR_ATTR_MAP(X)
#undef X
};

/* Each attribute's place in the svr_metadata's set of those present. 46 is two
 * attributes (S2.5): HEALTH_OR_KEY is the health check, and the session
 * encryption key follows behind the list. */
enum svr_attr_index {
#define X(name, number, text) SVR_ATTR_INDEX_##name,
    SVR_ATTR_MAP(X)
#undef X
        SVR_ATTR_INDEX_SESSION_KEY,
    SVR_ATTR_COUNT
};

/* The bit of an attribute in svr_metadata.present: SVR_HAS(TENANT). */
#define SVR_HAS(name) ((uint64_t)1 << SVR_ATTR_INDEX_##name)

/* Values of the control message, type 24 (S3, S7). */
enum svr_control {
    SVR_CONTROL_UNKNOWN = 0,
    SVR_CONTROL_KEEP_ALIVE = 1,
    SVR_CONTROL_ENABLE_METADATA = 2,
    SVR_CONTROL_DISABLE_METADATA = 3,
    SVR_CONTROL_DELETE_SESSION = 6,
    SVR_CONTROL_HEALTH_ANSWER = 8,
};

/* Type 1 (S18). */
typedef struct svr_fragment {
    uint32_t extended_id;
    uint16_t original_id;
    bool dont_fragment, more;
    uint16_t offset; /* in units of 8 bytes, 13 bits */
    uint16_t largest;
} svr_fragment;

/* Type 26 (S15). Colours have 4 bits, times 28 bits of milliseconds, the count
 * 15 bits. */
typedef struct svr_path_metrics {
    uint8_t tx_colour, rx_colour;
    uint32_t tx_time, rx_time;
    bool drop;
    uint16_t count;
} svr_path_metrics;

/* Type 0x8001 (S6.9), and what stands beside the numbers: whether the sender
 * waits for what hosts say first before it encrypts the session, and whether it
 * asks for that (S11.9). */
typedef struct svr_exchange {
    uint64_t own, echo;
    bool unechoed, undecided, asks;
} svr_exchange;

/* Type 0x8004 (S12.6): what it says of the salt, and of its sender. */
#define SVR_SALT_SIZE 16

enum svr_salt_flag {
    SVR_SALT_ASKS = 1,  /* it has no key for the other direction that it may go
                           on with: a new salt is asked for */
    SVR_SALT_EPOCH = 2, /* which of two keys its packets are under */
    SVR_SALT_CIPHER = 0xf0, /* the payloads' cipher: see payload.h */
};

typedef struct svr_salt {
    uint8_t b[SVR_SALT_SIZE];
    uint8_t flags; /* enum svr_salt_flag; others are not looked at */
} svr_salt;

/* Type 50. */
typedef struct svr_multicast {
    svr_addr source, group;
    uint8_t flags, proto;
} svr_multicast;

/*
 * The attributes of one block. Only fields whose bit is in `present` have a
 * meaning; flags (ENCRYPTED, TCP_SYN, DISABLE_FORWARD) are their bit alone.
 * Contexts of both families share a field, and so do the two ICMP error
 * locations: only one family of each may be present.
 */
typedef struct svr_metadata {
    uint64_t present;
    svr_fragment fragment;
    svr_tuple forward, reverse;
    svr_uuid uuid;
    uint32_t interface_id;
    uint32_t security_id;
    uint64_t service_sessions;
    svr_addr icmp_location;
    svr_addr source_nat;
    svr_path_metrics metrics;
    uint32_t session_time; /* seconds */
    svr_exchange exchange;
    uint64_t packet_number;
    uint32_t copy_number;
    uint8_t control; /* enum svr_control, or a value unknown here */
    uint8_t health;  /* 1 request, 2 request after a timeout */
    uint8_t service_class;
    svr_salt salt;
    svr_multicast multicast;
    svr_span tenant, service, source_router, destination_router;
    svr_span security_policy, pathway, application;
    svr_span modify;           /* whole value */
    svr_span session_key;      /* type 46 in the payload section */
    svr_span multicast_egress; /* whole value, checked */
    svr_span recovery_token,
        route_record; /* whole values, the latter checked */
    uint16_t unknown; /* attributes of types not in the list */
} svr_metadata;

/* Nothing present, all fields zero. */
SVR_API void svr_metadata_init(svr_metadata *md);

/* A block as its base header describes it. */
typedef struct svr_block {
    const uint8_t *data;
    uint16_t header_len;  /* base header and header section */
    uint16_t payload_len; /* payload section */
} svr_block;

/* Whether buf begins with the cookie. A cookie alone proves nothing (S2.3). */
SVR_API bool svr_cookie_present(const uint8_t *buf, size_t len);

/* Reads and checks the base header of the block at buf, where len bytes follow
 * the L4 header (S2.2, S2.5). 0, or SVR_ERR_NO_COOKIE, TRUNCATED (less than a
 * base header), VERSION, LENGTH (header length under 12, or the two lengths
 * pass len). */
SVR_API SVR_MUST_CHECK int svr_block_parse(svr_block *b, const uint8_t *buf,
                                           size_t len);

/* A bare header: marks a payload that begins with the cookie by chance, which
 * stands behind it and is not to be looked at again (S2.3). */
SVR_API bool svr_block_is_bare(const svr_block *b);

/* Writes a bare header. Needs SVR_BASE_HEADER_SIZE bytes. */
SVR_API void svr_block_write_bare(uint8_t *buf);

/*
 * Decodes the header section of b into md, which has been initialised. The
 * payload section is not looked at (S2.6). The attributes are checked in their
 * order, and the first fault decides: overrun; an unknown type, which is
 * skipped and counted; section; duplicate; length; value. Both families of one
 * attribute are found at the section's end. 0, or SVR_ERR_TLV_OVERRUN (an
 * attribute runs past the section, or 1 to 3 bytes are left), TLV_LENGTH (also
 * where a value's inner lengths do not add up to it), TLV_VALUE (a name that is
 * not printable UTF-8, a mapped IPv4 address in an IPv6 field, an unknown
 * address family), TLV_SECTION (also for an attribute that stands only behind
 * BFD, bfd.h), TLV_DUPLICATE (also for both families of one attribute) (S2.5).
 * md is undefined on failure.
 */
SVR_API SVR_MUST_CHECK int svr_metadata_decode_header(svr_metadata *md,
                                                      const svr_block *b);

/* Decodes a clear payload section of len bytes at buf and adds it to md, which
 * holds the header section. Errors as above. */
SVR_API SVR_MUST_CHECK int
svr_metadata_decode_payload(svr_metadata *md, const uint8_t *buf, size_t len);

/* Decodes a whole clear block at buf, with len bytes behind the L4 header, into
 * md, which need not be initialised. Returns the block's length, or an error of
 * the three functions above; md is then undefined. */
SVR_API SVR_MUST_CHECK ptrdiff_t svr_metadata_decode(svr_metadata *md,
                                                     const uint8_t *buf,
                                                     size_t len);

/*
 * Encodes md as a clear block: attributes in the order of the list, each in
 * the section that S3 names first. Returns the block's length, or
 * SVR_ERR_NO_SPACE (cap), ARGUMENT (a value that its attribute cannot hold) or
 * LENGTH (a section would pass its 4095 or 65535 bytes); buf's content is then
 * undefined. With buf NULL nothing is written and the length is returned,
 * whatever cap is. Names up to SVR_NAME_ACCEPT_MAX are encoded, since a transit
 * router passes on what it accepted.
 */
SVR_API SVR_MUST_CHECK ptrdiff_t svr_metadata_encode(uint8_t *buf, size_t cap,
                                                     const svr_metadata *md);

/* Session metadata is a block with a context (S2.7). */
SVR_API bool svr_metadata_is_session(const svr_metadata *md);

/* Sections that an attribute may stand in. */
enum svr_section {
    SVR_SECTION_HEADER = 1,
    SVR_SECTION_PAYLOAD = 2,
    SVR_SECTION_BFD = 4, /* the header section of a block behind BFD (bfd.h) */
};

/* One row of the registry (S3). */
typedef struct svr_attribute_info {
    uint16_t type;
    const char *name;
    uint8_t sections; /* enum svr_section, or'ed: where it is accepted */
    uint8_t sent_in;  /* the one that this implementation sends it in */
    uint16_t min_len, max_len;
} svr_attribute_info;

/* The row of a type in a section, or NULL for an unknown type. Type 46 has a
 * row for each section of a metadata block, type 16 one for the block behind
 * BFD; any other type has the same row everywhere. */
SVR_API const svr_attribute_info *svr_attribute_find(uint16_t type,
                                                     enum svr_section section);

/* One raw attribute, for programs that print every one. */
typedef struct svr_tlv {
    uint16_t type;
    svr_span value;
} svr_tlv;

/* Takes the next attribute from the section *rest and advances it. 1, 0 at the
 * section's end, or SVR_ERR_TLV_OVERRUN. */
SVR_API SVR_MUST_CHECK int svr_tlv_next(svr_tlv *tlv, svr_span *rest);

#ifdef __cplusplus
}
#endif

#endif
