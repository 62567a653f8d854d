#include "wire/checksum.h"
#include "wire/headers.h"

#define DEFAULT_TTL 64

static size_t ip_size(const svr_addr *addr)
{
    return svr_addr_is_v4(addr) ? IP4_SIZE : IP6_SIZE;
}

/* Puts an IP header and l4_size bytes in front of what p holds. */
static int push_headers(svr_packet *p, const svr_addr *src, const svr_addr *dst,
                        uint8_t proto, size_t l4_size)
{
    size_t size = ip_size(src) + l4_size;

    if (ip_size(dst) != ip_size(src))
        return SVR_ERR_ARGUMENT;
    if (p->len > SVR_PACKET_MAX - size)
        return SVR_ERR_LENGTH;
    if (p->headroom < size)
        return SVR_ERR_NO_SPACE;
    p->data -= size;
    p->len += (uint32_t)size;
    p->headroom = (uint16_t)(p->headroom - size);
    p->segment_size = 0;
    p->checksum = SVR_CHECKSUM_FULL;
    svr__ip_write(p->data, src, dst, proto, p->len, 0, DEFAULT_TTL);
    return 0;
}

static void write_tcp(uint8_t *tcp, const svr_tuple *t, uint32_t seq,
                      uint32_t ack, uint8_t flags)
{
    memset(tcp, 0, TCP_SIZE);
    svr__store_be16(tcp + L4_SPORT, t->sport);
    svr__store_be16(tcp + L4_DPORT, t->dport);
    svr__store_be32(tcp + TCP_SEQ, seq);
    svr__store_be32(tcp + TCP_ACK, ack);
    tcp[TCP_OFFSET] = TCP_SIZE / 4 << 4;
    tcp[TCP_FLAGS] = flags;
}

int svr_icmp_wrap(svr_packet *p, const svr_addr *src, const svr_addr *dst)
{
    uint8_t proto = svr_addr_is_v4(src) ? SVR_PROTO_ICMP : SVR_PROTO_ICMPV6;
    int err;

    if (p->len < ICMP_SIZE)
        return SVR_ERR_ARGUMENT;
    err = push_headers(p, src, dst, proto, 0);
    if (err != 0)
        return err;
    svr__l4_checksum_write(p->data, p->len, ip_size(src), proto);
    return 0;
}

int svr_udp_wrap(svr_packet *p, const svr_tuple *t)
{
    size_t l4 = ip_size(&t->src);
    int err;

    if (t->proto != SVR_PROTO_UDP)
        return SVR_ERR_ARGUMENT;
    err = push_headers(p, &t->src, &t->dst, t->proto, UDP_SIZE);
    if (err != 0)
        return err;
    svr__store_be16(p->data + l4 + L4_SPORT, t->sport);
    svr__store_be16(p->data + l4 + L4_DPORT, t->dport);
    svr__store_be16(p->data + l4 + UDP_LEN, (uint16_t)(p->len - l4));
    svr__l4_checksum_write(p->data, p->len, l4, t->proto);
    return 0;
}

int svr_tcp_wrap(svr_packet *p, const svr_tuple *t, uint32_t seq, uint32_t ack)
{
    size_t l4 = ip_size(&t->src);
    int err;

    if (t->proto != SVR_PROTO_TCP)
        return SVR_ERR_ARGUMENT;
    err = push_headers(p, &t->src, &t->dst, t->proto, TCP_SIZE);
    if (err != 0)
        return err;
    write_tcp(p->data + l4, t, seq, ack, SVR_TCP_ACK);
    svr__l4_checksum_write(p->data, p->len, l4, t->proto);
    return 0;
}

/* How far the segment advances the sequence: SYN and FIN count as one each. */
static uint32_t segment_length(const svr_packet *p, const svr_headers *h)
{
    uint32_t len = p->len - h->payload;

    return len + !!(h->tcp_flags & SVR_TCP_SYN) +
           !!(h->tcp_flags & SVR_TCP_FIN);
}

int svr_tcp_reset(svr_packet *out, uint8_t *buf, size_t cap,
                  const svr_packet *about, const svr_headers *h)
{
    svr_tuple t = svr_tuple_reverse(&h->tuple);
    size_t l4 = ip_size(&t.src);

    if (t.proto != SVR_PROTO_TCP || h->tcp_flags & SVR_TCP_RST)
        return SVR_ERR_DENIED;
    if (svr_packet_init(out, buf, cap, l4 + TCP_SIZE) != 0)
        return SVR_ERR_NO_SPACE;
    svr__ip_write(out->data, &t.src, &t.dst, t.proto, out->len, 0, DEFAULT_TTL);
    if (h->tcp_flags & SVR_TCP_ACK)
        write_tcp(out->data + l4, &t, h->tcp_ack, 0, SVR_TCP_RST);
    else
        write_tcp(out->data + l4, &t, 0, h->tcp_seq + segment_length(about, h),
                  SVR_TCP_RST | SVR_TCP_ACK);
    svr__l4_checksum_write(out->data, out->len, l4, t.proto);
    return 0;
}
