/*
 * headers.h - where the fields of IP and L4 headers stand, and what the files
 * that work on packets share.
 */
#ifndef SVR__HEADERS_H
#define SVR__HEADERS_H

#include <string.h>

#include <svr/packet.h>

#include "base/bytes.h"

/* Offsets of fields from the start of their header; _SIZE is the length of a
 * header without options. */
enum {
    IP4_TOS = 1,
    IP4_LEN = 2,
    IP4_ID = 4,
    IP4_FRAGMENT = 6,
    IP4_TTL = 8,
    IP4_PROTO = 9,
    IP4_CHECKSUM = 10,
    IP4_SRC = 12,
    IP4_DST = 16,
    IP4_SIZE = 20,

    IP6_LEN = 4,
    IP6_NEXT = 6,
    IP6_HOPS = 7,
    IP6_SRC = 8,
    IP6_DST = 24,
    IP6_SIZE = 40,

    IP6_FRAGMENT_AT = 2, /* within a fragment header */
    IP6_FRAGMENT_ID = 4,
    IP6_FRAGMENT_SIZE = 8,

    /* TCP and UDP */
    L4_SPORT = 0,
    L4_DPORT = 2,

    TCP_SEQ = 4,
    TCP_ACK = 8,
    TCP_OFFSET = 12,
    TCP_FLAGS = 13,
    TCP_WINDOW = 14,
    TCP_CHECKSUM = 16,
    TCP_URGENT = 18,
    TCP_SIZE = 20,

    UDP_LEN = 4,
    UDP_CHECKSUM = 6,
    UDP_SIZE = 8,

    ICMP_TYPE = 0,
    ICMP_CODE = 1,
    ICMP_CHECKSUM = 2,
    ICMP_ID = 4,  /* in an echo */
    ICMP_MTU = 6, /* in both families' "too big" */
    ICMP_SIZE = 8,
};

enum {
    IP4_DF = 0x4000,
    IP4_MF = 0x2000,
    IP4_FRAGMENT_OFFSET = 0x1fff,
    IP6_MF = 1,
    IP6_FRAGMENT_OFFSET = 0xfff8,
    IP_CE = 3, /* congestion experienced, of the TOS or traffic class */
};

/* IPv6 extension headers and what stands in their place. */
enum {
    IP6_HOP_BY_HOP = 0,
    IP6_ROUTING = 43,
    IP6_FRAGMENT = 44,
    IP6_AUTHENTICATION = 51,
    IP6_NO_NEXT_HEADER = 59,
    IP6_DESTINATION = 60,
    IP6_MOBILITY = 135,
    IP6_HIP = 139,
    IP6_SHIM6 = 140,
};

static inline bool svr__is_v6(const uint8_t *ip)
{
    return ip[0] >> 4 == 6;
}

static inline bool svr__has_ports(uint8_t proto)
{
    return proto == SVR_PROTO_TCP || proto == SVR_PROTO_UDP;
}

/* ICMP counts within IPv4 only, ICMPv6 within IPv6 only. */
static inline bool svr__is_icmp(uint8_t proto, bool v6)
{
    return proto == (v6 ? SVR_PROTO_ICMPV6 : SVR_PROTO_ICMP);
}

/* S19: whether the message quotes a packet of a session. Redirects and source
 * quenches do too, but they concern a host and its router, no session. */
static inline bool svr__icmp_is_error(uint8_t type, bool v6)
{
    if (v6)
        return type >= 1 && type <= 4;
    return type == 3 || type == 11 || type == 12;
}

static inline bool svr__icmp_is_echo(uint8_t type, bool v6)
{
    return v6 ? type == 128 || type == 129 : type == 8 || type == 0;
}

/* Where the TCP segment that the message quotes stood in its connection. What
 * the quote does not have stays as it is. */
void svr__icmp_quote_place(const uint8_t *msg, size_t len, bool v6,
                           uint32_t *seq, uint32_t *ack);

static inline void svr__load_v4(svr_addr *a, const uint8_t *b)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    memcpy(a->b, mapped, 12);
    memcpy(a->b + 12, b, 4);
}

static inline void svr__store_v4(uint8_t *b, const svr_addr *a)
{
    memcpy(b, a->b + 12, 4);
}

/* The room before or behind a packet after it changed by change bytes. What
 * would not fit into the field is given up. */
static inline uint16_t svr__room(uint16_t room, long change)
{
    long now = room + change;
    return (uint16_t)(now < UINT16_MAX ? now : UINT16_MAX);
}

/* Ethernet pads short packets: what is behind the packet is only room. */
static inline void svr__trim(svr_packet *p, uint32_t len)
{
    p->tailroom = svr__room(p->tailroom, (long)(p->len - len));
    p->len = len;
}

/* Whether proto can stand behind an IP header as the protocol of a session
 * without ports: not one of IPv6's extension headers. */
bool svr__is_portless(uint8_t proto, bool v6);

/* Check the IP header at ip as svr_packet_parse does, but for whether it is a
 * fragment's: the packet's length, or the error. */
int svr__ip4_check(const uint8_t *ip, size_t len);
int svr__ip6_check(const uint8_t *ip, size_t len);

static inline size_t svr__ip4_header_len(const uint8_t *ip)
{
    return (ip[0] & 15) * (size_t)4;
}

/* Walks over the extension headers of the IPv6 packet or quote at ip, to *l4
 * and the place of the byte that names its protocol. 0, or SVR_ERR_TRUNCATED,
 * UNSUPPORTED, or FRAGMENT: then *l4 is where the fragment header stands. */
int svr__ip6_walk(const uint8_t *ip, size_t len, uint16_t *l4,
                  uint16_t *proto_at);

/* Where the payload begins in the packet of len bytes whose L4 header of
 * protocol proto is at l4 <= len; SVR_ERR_TRUNCATED or LENGTH where the header
 * does not fit. */
int svr__l4_check(const uint8_t *ip, size_t len, size_t l4, uint8_t proto,
                  bool v6);

/* Fills in all of h that comes from a checked L4 header: h->l4 and
 * h->tuple.proto say where and what it is. */
void svr__l4_read(svr_headers *h, const uint8_t *ip, bool v6);

/* Builds an IP header without options for a packet of len bytes: of src's and
 * dst's family, not to be fragmented. */
void svr__ip_write(uint8_t *ip, const svr_addr *src, const svr_addr *dst,
                   uint8_t proto, size_t len, uint8_t tos, uint8_t ttl);

/* Writes the packet's length into its IP header and, where it has one, into
 * its UDP header at l4. */
void svr__lengths_write(uint8_t *ip, size_t len, size_t l4, uint8_t proto);

#endif
