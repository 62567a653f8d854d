#include "wire/checksum.h"
#include "wire/headers.h"

/* Flags that a segment which is joined to others may have. */
enum {
    EVERYWHERE = SVR_TCP_ACK | SVR_TCP_ECE,
    LAST = SVR_TCP_PSH | SVR_TCP_FIN,
    FIRST = SVR_TCP_CWR,
};

static bool is_equal(const uint8_t *a, const uint8_t *b, size_t from, size_t to)
{
    return memcmp(a + from, b + from, to - from) == 0;
}

/* Identifications count up as svr_cut_next counts them. */
static bool id_follows(const svr_join *j, const uint8_t *ip)
{
    uint16_t first = svr__load_be16(j->packet->data + IP4_ID);

    return svr__load_be16(ip + IP4_FRAGMENT) & IP4_DF ||
           svr__load_be16(ip + IP4_ID) == (uint16_t)(first + j->pieces);
}

static bool ip_follows(const svr_join *j, const svr_packet *next)
{
    const uint8_t *a = j->packet->data, *b = next->data;
    uint16_t l4 = j->headers.l4;

    if (svr__is_v6(a))
        return is_equal(a, b, 0, IP6_LEN) && is_equal(a, b, IP6_NEXT, l4) &&
               svr__load_be16(b + IP6_LEN) == next->len - IP6_SIZE;
    return is_equal(a, b, 0, IP4_LEN) &&
           is_equal(a, b, IP4_FRAGMENT, IP4_CHECKSUM) &&
           is_equal(a, b, IP4_SRC, l4) &&
           svr__load_be16(b + IP4_LEN) == next->len && id_follows(j, b);
}

static bool tcp_follows(const svr_join *j, const svr_packet *next)
{
    const uint8_t *a = j->packet->data + j->headers.l4;
    const uint8_t *b = next->data + j->headers.l4;
    size_t len = j->headers.payload - j->headers.l4;

    return is_equal(a, b, L4_SPORT, TCP_SEQ) &&
           svr__load_be32(b + TCP_SEQ) == j->next_seq &&
           is_equal(a, b, TCP_ACK, TCP_FLAGS) &&
           (b[TCP_FLAGS] & ~LAST) == (a[TCP_FLAGS] & EVERYWHERE) &&
           is_equal(a, b, TCP_WINDOW, TCP_CHECKSUM) &&
           is_equal(a, b, TCP_URGENT, len);
}

/* A datagram without a checksum stays one (S4.6). */
static bool udp_follows(const svr_join *j, const svr_packet *next)
{
    const uint8_t *a = j->packet->data + j->headers.l4;
    const uint8_t *b = next->data + j->headers.l4;

    return is_equal(a, b, L4_SPORT, UDP_LEN) &&
           svr__load_be16(b + UDP_LEN) == next->len - j->headers.l4 &&
           svr__load_be16(b + UDP_CHECKSUM) != 0;
}

static bool follows(const svr_join *j, const svr_packet *next)
{
    return ip_follows(j, next) &&
           (j->headers.tuple.proto == SVR_PROTO_TCP ? tcp_follows(j, next)
                                                    : udp_follows(j, next));
}

static bool has_room(const svr_join *j, size_t take)
{
    return take > 0 && take <= j->size && take <= j->packet->tailroom &&
           j->packet->len + take <= SVR_PACKET_MAX;
}

/* The header checksum of the first one was verified when it was parsed. */
static bool is_right(const svr_join *j, const svr_packet *next)
{
    if (!svr__is_v6(next->data) &&
        svr__sum(next->data, j->headers.l4) != 0xffff)
        return false;
    return svr_packet_checksum_ok(next, &j->headers) &&
           (j->pieces > 1 || svr_packet_checksum_ok(j->packet, &j->headers));
}

static bool may_begin(const svr_packet *p, const svr_headers *h)
{
    switch (h->tuple.proto) {
    case SVR_PROTO_TCP:
        return (h->tcp_flags & SVR_TCP_ACK) &&
               !(h->tcp_flags & ~(EVERYWHERE | FIRST));
    case SVR_PROTO_UDP:
        return svr__load_be16(p->data + h->l4 + UDP_CHECKSUM) != 0;
    default:
        return false;
    }
}

bool svr_join_begin(svr_join *j, svr_packet *p)
{
    svr_headers *h = &j->headers;

    if (p->segment_size || svr_packet_parse(h, p) < 0 || p->len == h->payload ||
        !may_begin(p, h))
        return false;
    j->packet = p;
    j->size = (uint16_t)(p->len - h->payload);
    j->next_seq = h->tcp_seq + j->size;
    j->pieces = 1;
    j->closed = false;
    return true;
}

static void take_flags(svr_join *j, const svr_packet *next)
{
    uint8_t *flags = j->packet->data + j->headers.l4 + TCP_FLAGS;

    *flags |= next->data[j->headers.l4 + TCP_FLAGS] & LAST;
    j->closed |= (*flags & LAST) != 0;
}

bool svr_join_add(svr_join *j, const svr_packet *next)
{
    svr_packet *p = j->packet;
    uint16_t at = j->headers.payload;
    uint32_t take;

    if (j->closed || next->segment_size || next->len <= at ||
        !has_room(j, take = next->len - at) || !follows(j, next) ||
        !is_right(j, next))
        return false;
    memcpy(p->data + p->len, next->data + at, take);
    p->len += take;
    p->tailroom = (uint16_t)(p->tailroom - take);
    j->next_seq += take;
    j->pieces++;
    j->closed = take < j->size;
    if (j->headers.tuple.proto == SVR_PROTO_TCP)
        take_flags(j, next);
    return true;
}

void svr_join_end(const svr_join *j)
{
    svr_packet *p = j->packet;

    if (j->pieces < 2)
        return;
    p->segment_size = j->size;
    p->checksum = SVR_CHECKSUM_PARTIAL;
    svr__lengths_write(p->data, p->len, j->headers.l4, j->headers.tuple.proto);
    svr_packet_checksum_write(p, &j->headers);
}
