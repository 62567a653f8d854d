#include "wire/checksum.h"
#include "wire/headers.h"

int svr_cut_begin(svr_cut *cut, const svr_packet *p, const svr_headers *h,
                  uint16_t size)
{
    bool tcp = h->tuple.proto == SVR_PROTO_TCP;
    bool datagrams = h->tuple.proto == SVR_PROTO_UDP && p->segment_size == size;

    if (size == 0 || (!tcp && !datagrams))
        return SVR_ERR_ARGUMENT;
    *cut = (svr_cut){
        .data = p->data,
        .len = p->len,
        .headers = h->payload,
        .l4 = h->l4,
        .size = size,
        .iface = p->iface,
        .proto = h->tuple.proto,
        .partial = p->checksum == SVR_CHECKSUM_PARTIAL,
    };
    return 0;
}

static uint32_t bytes_left(const svr_cut *cut)
{
    return cut->len - cut->headers - cut->next;
}

bool svr_cut_more(const svr_cut *cut)
{
    return cut->pieces == 0 || bytes_left(cut) > 0;
}

/* A SYN takes a sequence number of its own and is in the first piece only. */
static void write_sequence(uint8_t *tcp, const svr_cut *cut)
{
    uint32_t seq = svr__load_be32(tcp + TCP_SEQ) + cut->next;

    if (cut->pieces > 0 && tcp[TCP_FLAGS] & SVR_TCP_SYN)
        seq++;
    svr__store_be32(tcp + TCP_SEQ, seq);
}

static void write_flags(uint8_t *tcp, const svr_cut *cut, bool last)
{
    uint8_t flags = tcp[TCP_FLAGS];

    if (cut->pieces > 0)
        flags &= (uint8_t) ~(SVR_TCP_CWR | SVR_TCP_SYN);
    if (!last)
        flags &= (uint8_t) ~(SVR_TCP_FIN | SVR_TCP_PSH | SVR_TCP_RST);
    tcp[TCP_FLAGS] = flags;
}

/* The urgent pointer counts from the segment's own sequence number. */
static void write_urgent(uint8_t *tcp, const svr_cut *cut)
{
    uint16_t urgent = svr__load_be16(tcp + TCP_URGENT);

    if (!(tcp[TCP_FLAGS] & SVR_TCP_URG) || cut->next == 0)
        return;
    if (urgent > cut->next) {
        svr__store_be16(tcp + TCP_URGENT, (uint16_t)(urgent - cut->next));
        return;
    }
    svr__store_be16(tcp + TCP_URGENT, 0);
    tcp[TCP_FLAGS] &= (uint8_t)~SVR_TCP_URG;
}

static void write_ip(uint8_t *ip, const svr_cut *cut, uint32_t len)
{
    svr__lengths_write(ip, len, cut->l4, cut->proto);
    if (svr__is_v6(ip))
        return;
    svr__store_be16(ip + IP4_ID,
                    (uint16_t)(svr__load_be16(ip + IP4_ID) + cut->pieces));
    svr__ip4_checksum_write(ip);
}

static void write_tcp(uint8_t *tcp, const svr_cut *cut, bool last)
{
    write_sequence(tcp, cut);
    write_flags(tcp, cut, last);
    write_urgent(tcp, cut);
}

static void write_checksum(svr_packet *out, const svr_cut *cut)
{
    size_t l4_len = out->len - cut->l4;
    int at = svr__l4_checksum_at(cut->proto, false);

    if (!cut->partial) {
        svr__l4_checksum_write(out->data, out->len, cut->l4, cut->proto);
        return;
    }
    out->checksum = SVR_CHECKSUM_PARTIAL;
    svr__store_be16(out->data + cut->l4 + at,
                    svr__sum_pseudo(out->data, cut->proto, l4_len));
}

int svr_cut_next(svr_cut *cut, svr_packet *out, uint8_t *buf, size_t cap)
{
    uint32_t left = bytes_left(cut);
    uint32_t take = left < cut->size ? left : cut->size;

    if (!svr_cut_more(cut))
        return SVR_ERR_NOT_FOUND;
    if (svr_packet_init(out, buf, cap, cut->headers + take) != 0)
        return SVR_ERR_NO_SPACE;
    memcpy(out->data, cut->data, cut->headers);
    memcpy(out->data + cut->headers, cut->data + cut->headers + cut->next,
           take);
    out->iface = cut->iface;

    write_ip(out->data, cut, out->len);
    if (cut->proto == SVR_PROTO_TCP)
        write_tcp(out->data + cut->l4, cut, take == left);
    write_checksum(out, cut);
    cut->next += take;
    cut->pieces++;
    return 0;
}
