/*
 * mask.c - TCP carried as UDP, and back (S4.4).
 *
 *         0      4       6          8    12     13     14      16  18  20
 *   TCP   ports  sequence number    ack  offset flags  window  sum urg options
 *   UDP   ports  length  checksum   ack  offset flags  window  sequence options
 *
 * What the checksum covers changes by the protocol in the pseudo header, the
 * length, and the urgent mark and pointer, which are not carried. The sequence
 * number only moves. So one checksum follows from the other, and a wrong one
 * stays wrong (S4.6).
 */
#include "wire/checksum.h"
#include "wire/headers.h"

/* The sum of what only one of the two forms has. Never zero. */
static uint16_t sum_as_tcp(const uint8_t *l4)
{
    return svr__sum_fold((uint32_t)SVR_PROTO_TCP +
                         svr__load_be16(l4 + TCP_OFFSET) +
                         svr__load_be16(l4 + TCP_URGENT));
}

static uint16_t sum_as_udp(const uint8_t *l4)
{
    return svr__sum_fold((uint32_t)SVR_PROTO_UDP +
                         svr__load_be16(l4 + TCP_OFFSET) +
                         svr__load_be16(l4 + UDP_LEN));
}

static void write_proto(svr_packet *p, const svr_headers *h, uint8_t proto)
{
    uint8_t *ip = p->data;
    uint16_t delta = svr__sum_delta(ip[h->l4_proto_at], proto);

    ip[h->l4_proto_at] = proto;
    if (!svr__is_v6(ip))
        svr__store_be16(
            ip + IP4_CHECKSUM,
            svr__checksum_update(svr__load_be16(ip + IP4_CHECKSUM), delta));
}

/* The checksum of the new form, where the old one was `checksum` and covered
 * `from` that is now `to`. */
static uint16_t follow(const svr_packet *p, const svr_headers *h, uint8_t proto,
                       uint16_t checksum, uint16_t from, uint16_t to)
{
    if (p->checksum == SVR_CHECKSUM_PARTIAL)
        return svr__sum_pseudo(p->data, proto, p->len - h->l4);
    return svr__checksum_update(checksum, svr__sum_delta(from, to));
}

static void read_again(svr_packet *p, svr_headers *h, uint8_t proto,
                       int payload)
{
    h->tuple.proto = proto;
    h->payload = (uint16_t)payload;
    svr__l4_read(h, p->data, svr__is_v6(p->data));
}

int svr_packet_mask(svr_packet *p, svr_headers *h)
{
    uint8_t *l4 = p->data + h->l4;
    uint16_t checksum, from;

    if (h->tuple.proto != SVR_PROTO_TCP || p->segment_size != 0)
        return SVR_ERR_ARGUMENT;
    checksum = svr__load_be16(l4 + TCP_CHECKSUM);
    from = sum_as_tcp(l4);
    memcpy(l4 + TCP_CHECKSUM, l4 + TCP_SEQ, 4);
    l4[TCP_FLAGS] &= (uint8_t)~SVR_TCP_URG;
    svr__store_be16(l4 + UDP_LEN, (uint16_t)(p->len - h->l4));
    write_proto(p, h, SVR_PROTO_UDP);
    checksum = follow(p, h, SVR_PROTO_UDP, checksum, from, sum_as_udp(l4));
    /* Zero would say "none" (RFC 768). */
    svr__store_be16(l4 + UDP_CHECKSUM, checksum == 0 ? 0xffff : checksum);
    read_again(p, h, SVR_PROTO_UDP, h->l4 + UDP_SIZE);
    return 0;
}

int svr_packet_unmask(svr_packet *p, svr_headers *h)
{
    uint8_t *l4 = p->data + h->l4;
    bool v6 = svr__is_v6(p->data), none;
    uint16_t checksum, from;
    int payload;

    if (h->tuple.proto != SVR_PROTO_UDP)
        return SVR_ERR_ARGUMENT;
    payload = svr__l4_check(p->data, p->len, h->l4, SVR_PROTO_TCP, v6);
    if (payload < 0)
        return payload;
    checksum = svr__load_be16(l4 + UDP_CHECKSUM);
    none = checksum == 0; /* the sum of a pseudo header never is */
    if (none && v6)
        return SVR_ERR_CHECKSUM;
    from = sum_as_udp(l4);
    memcpy(l4 + TCP_SEQ, l4 + TCP_CHECKSUM, 4);
    l4[TCP_FLAGS] &= (uint8_t)~SVR_TCP_URG;
    svr__store_be16(l4 + TCP_URGENT, 0);
    write_proto(p, h, SVR_PROTO_TCP);
    checksum = follow(p, h, SVR_PROTO_TCP, checksum, from, sum_as_tcp(l4));
    svr__store_be16(l4 + TCP_CHECKSUM, checksum);
    if (none) {
        svr__l4_checksum_write(p->data, p->len, h->l4, SVR_PROTO_TCP);
        p->checksum = SVR_CHECKSUM_FULL;
    }
    read_again(p, h, SVR_PROTO_TCP, payload);
    return 0;
}
