/*
 * packet.h - IP packets as SVR handles them: parsing, rewriting, growing and
 * shrinking, checksums, cutting and joining, ICMP errors (S4, S18, S19).
 *
 * Every function here works on the caller's buffer, allocates nothing and
 * keeps no state.
 */
#ifndef SVR_PACKET_H
#define SVR_PACKET_H

#include <svr/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Room that a caller leaves before and behind each packet that it hands to a
 * node: metadata (at most SVR_METADATA_MAX bytes), a UDP header and the larger
 * IP header go in front, tags behind. */
#define SVR_HEADROOM 832
#define SVR_TAILROOM 128

/* The longest IP packet, and so the longest super-packet of an offload. */
#define SVR_PACKET_MAX 65535

/* What is known of a packet's L4 checksum. */
enum svr_checksum {
    SVR_CHECKSUM_FULL,    /* it stands in the packet and may be wrong */
    SVR_CHECKSUM_VALID,   /* it stands in the packet and is known to be right */
    SVR_CHECKSUM_PARTIAL, /* the field holds the sum of the pseudo header only;
                             the device completes it (TCP and UDP) */
};

/* What becomes of a packet after svr_node_input. */
enum svr_verdict {
    SVR_VERDICT_NONE,    /* not decided yet */
    SVR_VERDICT_FORWARD, /* send it by iface to next_hop */
    SVR_VERDICT_CONSUME, /* it was for the node and has done its work */
    SVR_VERDICT_DROP,    /* for the reason in drop */
};

/*
 * One packet. data points at its IP header; headroom and tailroom bytes before
 * data and behind data + len belong to it as well.
 *
 * A super-packet (segment_size not 0) is a TCP packet that stands for several
 * with segment_size payload bytes each (the last may be shorter), as an
 * offloading device delivers it. Its length may pass the MTU. UDP datagrams may
 * stand in one as well, for svr_cut and svr_join; a node knows only TCP's.
 */
typedef struct svr_packet {
    uint8_t *data;
    uint32_t len;
    uint16_t headroom;
    uint16_t tailroom;
    uint16_t iface;         /* in: where it came from; out: where it goes */
    uint16_t segment_size;  /* 0: an ordinary packet */
    uint16_t fragment_size; /* 0: it came whole; else how long the IP fragments
                               may be that it leaves in: as the longest of
                               those that it came in (fragment.h) */
    uint8_t checksum;       /* enum svr_checksum */
    uint8_t verdict;        /* enum svr_verdict */
    uint8_t drop;           /* enum svr_drop (node.h), where verdict is DROP */
    bool originated;        /* the node made it (svr_node_output) */
    bool alone;             /* it travelled with a tag or a seal of its own, for
                               which it may have been cut from a super-packet */
    svr_addr next_hop;      /* on iface's network, where verdict is FORWARD */
} svr_packet;

/* A packet of len bytes at buf + SVR_HEADROOM in a buffer of cap bytes, all
 * else zero; what is left behind it is its tailroom. 0, or SVR_ERR_NO_SPACE
 * where headroom, len and SVR_TAILROOM do not fit into cap. */
SVR_API int svr_packet_init(svr_packet *p, uint8_t *buf, size_t cap,
                            size_t len);

/* TCP flag bits as in the header's byte 13. */
enum {
    SVR_TCP_FIN = 0x01,
    SVR_TCP_SYN = 0x02,
    SVR_TCP_RST = 0x04,
    SVR_TCP_PSH = 0x08,
    SVR_TCP_ACK = 0x10,
    SVR_TCP_URG = 0x20,
    SVR_TCP_ECE = 0x40,
    SVR_TCP_CWR = 0x80,
};

/* What svr_packet_parse found. Offsets count from the packet's data. */
typedef struct svr_headers {
    svr_tuple tuple;      /* ports as S4.3 defines them */
    uint16_t l4;          /* offset of the L4 header */
    uint16_t l4_proto_at; /* offset of the byte that names the L4 protocol */
    uint16_t payload;     /* offset of what follows the L4 header; for protocols
                             without ports other than ICMP: l4 itself; for ICMP:
                             behind its 8 bytes */
    uint8_t ttl;          /* or hop limit */
    uint8_t tos;          /* or traffic class: DSCP and ECN */
    uint8_t tcp_flags;    /* 0 where not TCP */
    uint8_t icmp_type;    /* 0 where neither ICMP nor ICMPv6 */
    uint8_t icmp_code;
    bool icmp_error; /* an ICMP message that quotes a packet */
    bool icmp_echo;  /* echo request or reply: the identifier is the ports */
    uint32_t tcp_seq, tcp_ack; /* 0 where not TCP */
    uint16_t tcp_window;
} svr_headers;

/*
 * Checks and reads the IP and L4 headers (S4.6, S24) and cuts p->len to the
 * length that the IP header gives (Ethernet pads). The IPv4 header checksum is
 * verified, the L4 checksum is not.
 *
 * 0, or SVR_ERR_TRUNCATED (less was captured than the IP header says, or a
 * header is cut off, or there is no byte behind the IP header), VERSION (not 4
 * or 6), LENGTH (lengths contradict each other: IHL, total length, TCP offset,
 * UDP length; or the packet passes SVR_PACKET_MAX), CHECKSUM (IPv4 header),
 * MARTIAN (source or destination unspecified, with all of 0.0.0.0/8, loopback,
 * multicast, broadcast or mapped), FRAGMENT (any fragment but an atomic IPv6
 * one), UNSUPPORTED (no L4 header can be found: more than 8 extension headers,
 * one that hides it, a routing header with segments left).
 */
SVR_API SVR_MUST_CHECK int svr_packet_parse(svr_headers *h, svr_packet *p);

/* Whether the L4 checksum is right. True for PARTIAL and VALID, for a UDP
 * checksum of zero on IPv4, and for protocols without a known checksum. */
SVR_API bool svr_packet_checksum_ok(const svr_packet *p, const svr_headers *h);

/* Writes the IPv4 header checksum and the L4 checksum anew: the whole one, or
 * for a PARTIAL packet the sum of the pseudo header. A UDP checksum of zero
 * on IPv4 stays zero. VALID becomes FULL. */
SVR_API void svr_packet_checksum_write(svr_packet *p, const svr_headers *h);

/* Makes a PARTIAL packet FULL, for devices that do not complete checksums.
 * Not for super-packets. */
SVR_API void svr_packet_checksum_complete(svr_packet *p, const svr_headers *h);

/*
 * A change of addresses and ports, prepared once per flow: what to write, and
 * what it does to checksums (RFC 1624). Both tuples have the same family and
 * protocol, TCP or UDP.
 */
typedef struct svr_rewrite {
    svr_addr src, dst;
    uint16_t sport, dport;
    uint16_t addr_delta; /* one's complement sum to add for the addresses */
    uint16_t port_delta; /* and for the ports */
} svr_rewrite;

SVR_API void svr_rewrite_init(svr_rewrite *rw, const svr_tuple *from,
                              const svr_tuple *to);

/* Applies rw and sets the TTL to h->ttl - 1 (S4.1, S4.5). Updates the IPv4
 * header checksum and the L4 checksum incrementally, so a wrong one stays
 * wrong. Works on super-packets. h->ttl must be above 0. h is not updated. */
SVR_API void svr_packet_rewrite(svr_packet *p, const svr_headers *h,
                                const svr_rewrite *rw);

/*
 * The general form of svr_packet_rewrite, for changes of address family (S4.7)
 * and of protocols without ports (S4.2, S4.3): makes the packet's tuple `to`.
 * Where to->proto is UDP and the packet's protocol has no ports, a UDP header
 * goes in front of its L4 header; where the packet is UDP and to->proto has no
 * ports, the UDP header is taken off. Any other change of protocol is refused,
 * and a change of family without one but for TCP and UDP.
 * Decrements the TTL, which must be above 0. Checksums are updated
 * incrementally where the original's can be kept and computed where one is
 * new: a new UDP header and a zero UDP checksum that moves to IPv6. An echo
 * that stays one gets to->sport as its identifier. h is updated to the new
 * packet; where a UDP header was taken off, its ports are those of the L4
 * header behind it, which is unchanged, not those of `to`.
 *
 * 0, or SVR_ERR_NO_SPACE (headroom), UNSUPPORTED (IPv4 options or IPv6
 * extension headers and a change of family; the protocols do not fit),
 * TRUNCATED (no L4 header behind the UDP header that is to be taken off),
 * LENGTH (the result would pass SVR_PACKET_MAX). The packet and h are as they
 * were on failure.
 */
SVR_API SVR_MUST_CHECK int svr_packet_convert(svr_packet *p, svr_headers *h,
                                              const svr_tuple *to);

/*
 * TCP carried as UDP (S4.4), where a firewall lets no TCP with data in its SYN
 * pass. The packet keeps its length, addresses and ports: UDP's length and
 * checksum take the place of the sequence number, which moves to the places of
 * the TCP checksum and the urgent pointer. Behind the 8 bytes of UDP, where
 * metadata goes, follow the acknowledgement number and all else of the TCP
 * header. The urgent mark is not carried: URG is cleared. So what stands behind
 * the 8 bytes never begins with the cookie of metadata, in which that bit is
 * set. The checksum is updated incrementally and so stays as right or wrong as
 * it was, and PARTIAL where it was; it is never zero. h is updated.
 *
 * 0, or SVR_ERR_ARGUMENT: not TCP, or a super-packet (svr_cut_begin). The
 * packet and h are as they were on failure.
 */
SVR_API SVR_MUST_CHECK int svr_packet_mask(svr_packet *p, svr_headers *h);

/*
 * The reverse: makes a UDP packet the TCP packet that it carries, without URG
 * and with an urgent pointer of zero. The checksum is updated incrementally,
 * but computed where the packet had none. h is updated.
 *
 * 0, or SVR_ERR_ARGUMENT (not UDP), TRUNCATED (the TCP header is cut off),
 * LENGTH (its data offset is under 5 or passes the packet's end) or CHECKSUM
 * (none, on IPv6). The packet and h are as they were on failure.
 */
SVR_API SVR_MUST_CHECK int svr_packet_unmask(svr_packet *p, svr_headers *h);

/* Opens a gap of len bytes behind the L4 header (at h->payload) by moving the
 * headers into the headroom, and raises the IP and UDP lengths; checksums are
 * then wrong until svr_packet_checksum_write. The gap's content is undefined.
 * 0, or SVR_ERR_NO_SPACE, LENGTH (past SVR_PACKET_MAX), or ARGUMENT: neither
 * TCP nor UDP. */
SVR_API SVR_MUST_CHECK int svr_packet_insert(svr_packet *p, svr_headers *h,
                                             size_t len);

/* The reverse: takes len bytes from behind the L4 header. 0, or
 * SVR_ERR_TRUNCATED where the payload is shorter, or ARGUMENT. */
SVR_API SVR_MUST_CHECK int svr_packet_remove(svr_packet *p, svr_headers *h,
                                             size_t len);

/* Lengthens (len > 0) or shortens (len < 0) the packet at its end and corrects
 * the IP and UDP lengths. New bytes are undefined; checksums are then wrong.
 * 0, or SVR_ERR_NO_SPACE, LENGTH, or TRUNCATED where the payload is
 * shorter. */
SVR_API SVR_MUST_CHECK int svr_packet_extend(svr_packet *p, svr_headers *h,
                                             int len);

/* Lowers the MSS option of a TCP SYN to at most mss and corrects the checksum;
 * a SYN without the option and anything else stay as they are (S4.8). */
SVR_API void svr_packet_clamp_mss(svr_packet *p, const svr_headers *h,
                                  uint16_t mss);

/*
 * Cutting a TCP packet, super or not, into packets of at most size payload
 * bytes (S4.8): sequence numbers advance, FIN, PSH and RST stay with the last
 * piece, SYN and CWR with the first, URG with those before the end of the
 * urgent data; IPv4 identifications count up. Pieces of a PARTIAL packet are
 * PARTIAL, those of any other have full checksums. The packet must stay
 * untouched until the last piece is taken. Of UDP only super-packets are cut,
 * into the datagrams that they stand for.
 */
typedef struct svr_cut {
    const uint8_t *data; /* the packet, borrowed */
    uint32_t len;
    uint32_t next; /* payload bytes taken so far */
    uint16_t headers;
    uint16_t l4;
    uint16_t size;
    uint16_t pieces; /* taken so far */
    uint16_t iface;
    uint8_t proto;
    bool partial; /* the device completes the pieces' checksums */
} svr_cut;

/* p has been parsed into h. 0, or SVR_ERR_ARGUMENT: size 0, or neither TCP nor
 * a super-packet of UDP with segments of that size. A wrong checksum of an
 * ordinary packet must be found by the caller beforehand
 * (svr_packet_checksum_ok). */
SVR_API SVR_MUST_CHECK int svr_cut_begin(svr_cut *cut, const svr_packet *p,
                                         const svr_headers *h, uint16_t size);

/* Whether pieces are left. A packet without payload is one piece. */
SVR_API bool svr_cut_more(const svr_cut *cut);

/* Writes the next piece to buf with SVR_HEADROOM before it and initialises out.
 * 0, or SVR_ERR_NO_SPACE (cap), NOT_FOUND (none left). */
SVR_API SVR_MUST_CHECK int svr_cut_next(svr_cut *cut, svr_packet *out,
                                        uint8_t *buf, size_t cap);

/*
 * Joining (S4.8), the reverse of cutting: TCP segments that follow each other
 * become one super-packet, for a device that takes such. The rules are those of
 * Linux's GRO. A segment follows the ones before if
 *
 *  - its IP header is theirs but for length and checksum, options and extension
 *    headers included; an IPv4 identification counts up by one, or is not
 *    looked at where the packet may not be fragmented (RFC 6864);
 *  - its TCP header is theirs, options included, but for checksum, flags and
 *    sequence number, which is the one that comes next;
 *  - both have payload, its own is not longer than the first one's, and only
 *    the last one's is shorter;
 *  - nothing is set in its flags but ACK, which must be, and what they all have
 *    of ECE; CWR in the first, PSH and FIN in the last;
 *  - all checksums are right;
 *  - there is room for it behind the first one (its tailroom), and the whole
 *    does not pass SVR_PACKET_MAX.
 *
 * So cutting what was joined gives the segments again, but for identifications
 * that nobody may look at. Datagrams of UDP are joined by the same rules, as
 * far as they speak of it, if they have a checksum.
 */
typedef struct svr_join {
    svr_packet *packet; /* the first one, borrowed: the others are appended */
    svr_headers headers;
    uint32_t next_seq;
    uint16_t size;   /* payload bytes of each segment but the last */
    uint16_t pieces; /* joined so far */
    bool closed;     /* nothing follows any more */
} svr_join;

/* Begins with the segment p. False where nothing can be joined to it; then p is
 * as it was and j is not to be used. */
SVR_API bool svr_join_begin(svr_join *j, svr_packet *p);

/* Appends next, which is not needed any more then. False where it does not
 * follow; nothing has changed then. */
SVR_API bool svr_join_add(svr_join *j, const svr_packet *next);

/* Makes the packet right: a PARTIAL super-packet, or, where nothing was
 * appended, what it was. Not to be used before this. */
SVR_API void svr_join_end(const svr_join *j);

/* Errors that a router raises. */
enum svr_icmp_kind {
    SVR_ICMP_TIME_EXCEEDED,
    SVR_ICMP_TOO_BIG,    /* fragmentation needed / packet too big */
    SVR_ICMP_PROHIBITED, /* administratively prohibited */
    SVR_ICMP_NO_ROUTE,   /* network unreachable / no route */
};

/*
 * Builds in buf (SVR_HEADROOM before it) the ICMP or ICMPv6 error about the
 * packet `about`, from src (of about's family) to its source, quoting as much
 * as fits into 576 (IPv4) or 1280 bytes (IPv6). mtu is for TOO_BIG. 0, or
 * SVR_ERR_NO_SPACE, or SVR_ERR_DENIED where an error must not be sent: about
 * is itself an ICMP error or redirect, or src is of the other family (RFC 1812
 * 4.3.2.7, RFC 4443 2.4).
 */
SVR_API SVR_MUST_CHECK int svr_icmp_error(svr_packet *out, uint8_t *buf,
                                          size_t cap, enum svr_icmp_kind kind,
                                          uint16_t mtu, const svr_addr *src,
                                          const svr_packet *about,
                                          const svr_headers *h);

/* Builds in buf a TCP reset that answers the segment `about` (RFC 9293
 * 3.10.7.1). 0, or SVR_ERR_NO_SPACE, or SVR_ERR_DENIED where about is itself a
 * reset or not TCP. */
SVR_API SVR_MUST_CHECK int svr_tcp_reset(svr_packet *out, uint8_t *buf,
                                         size_t cap, const svr_packet *about,
                                         const svr_headers *h);

/* The tuple of the packet that an ICMP error quotes, as that packet was sent.
 * msg is the ICMP message from its type byte on; v6 says whether it is ICMPv6.
 * 0, or SVR_ERR_TRUNCATED, VERSION, UNSUPPORTED, where the quote does not hold
 * enough to know its session, or has a mapped IPv4 address as an IPv6 one. */
SVR_API SVR_MUST_CHECK int svr_icmp_quote_parse(svr_tuple *quoted,
                                                const uint8_t *msg, size_t len,
                                                bool v6);

/*
 * Makes `to` the tuple of the quoted packet, within the message msg, and
 * corrects the quoted IPv4 header checksum (S19). TCP and UDP may become each
 * other: addresses, ports and protocol byte change. Any other protocol stays
 * what it is: the addresses change, and an echo's identifier. Where `to` is of
 * the other family the quoted addresses become zero. The ICMP checksum is left
 * to the caller (svr_packet_checksum_write). Errors as svr_icmp_quote_parse,
 * UNSUPPORTED also for any other change of protocol and where to's addresses
 * are of two families; the message is as it was on failure.
 */
SVR_API SVR_MUST_CHECK int svr_icmp_quote_rewrite(uint8_t *msg, size_t len,
                                                  bool v6, const svr_tuple *to);

/* Builds an IP header (TTL 64) for src and dst, of one family, in front of the
 * ICMP message that p holds (p->data at its type byte), and writes all
 * checksums. 0, or SVR_ERR_NO_SPACE, SVR_ERR_ARGUMENT (families, or a message
 * under 8 bytes) or SVR_ERR_LENGTH. */
SVR_API SVR_MUST_CHECK int svr_icmp_wrap(svr_packet *p, const svr_addr *src,
                                         const svr_addr *dst);

/* Builds IP and UDP headers (TTL 64) in front of the payload that p holds, all
 * checksums included. t->proto must be UDP. 0, or SVR_ERR_NO_SPACE,
 * SVR_ERR_ARGUMENT or SVR_ERR_LENGTH. */
SVR_API SVR_MUST_CHECK int svr_udp_wrap(svr_packet *p, const svr_tuple *t);

/* The same with a TCP header of 20 bytes: flags ACK, window 0 (S7). t->proto
 * must be TCP. */
SVR_API SVR_MUST_CHECK int svr_tcp_wrap(svr_packet *p, const svr_tuple *t,
                                        uint32_t seq, uint32_t ack);

#ifdef __cplusplus
}
#endif

#endif
