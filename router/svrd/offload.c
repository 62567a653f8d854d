#include "offload.h"

#include "common/bytes.h"

#include <string.h>

#define V4_HEADER 20
#define V4_PROTOCOL_AT 9
#define V4_FRAGMENT_AT 6
#define V4_FRAGMENT_OFFSET 0x1fff
#define V6_HEADER 40
#define V6_NEXT_AT 6
#define TCP_CHECKSUM_AT 16
#define TCP_OFFSET_AT 12
#define TCP_HEADER 20
#define UDP_CHECKSUM_AT 6
#define UDP_HEADER 8

/* Linux 6.2 and later, whatever the headers here are of. */
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

/* Where a TCP or UDP header stands within the frame. */
struct place {
    size_t l4;
    size_t checksum; /* the field, from l4 on */
    bool tcp;
    bool v6;
};

/* The IP packet within a frame. */
static svr_packet inner(const svr_packet *frame, size_t link)
{
    svr_packet p = *frame;

    p.data += link;
    p.len -= (uint32_t)link;
    return p;
}

/* Fills in the rest of a place whose l4 is set. */
static bool place_transport(struct place *at, uint8_t proto, size_t len)
{
    at->tcp = proto == SVR_PROTO_TCP;
    at->checksum = at->tcp ? TCP_CHECKSUM_AT : UDP_CHECKSUM_AT;
    if (proto != SVR_PROTO_TCP && proto != SVR_PROTO_UDP)
        return false;
    return len >= at->l4 + (at->tcp ? TCP_HEADER : UDP_HEADER);
}

/* The straight way for what nearly all packets look like. */
static bool find_l4(struct place *at, const svr_packet *frame, size_t link)
{
    const uint8_t *ip = frame->data + link;
    size_t len = frame->len - link;

    if (frame->len < link + V4_HEADER)
        return false;
    at->v6 = ip[0] >> 4 == 6;
    if (at->v6) {
        if (len < V6_HEADER)
            return false;
        at->l4 = link + V6_HEADER;
        return place_transport(at, ip[V6_NEXT_AT], frame->len);
    }
    if (ip[0] >> 4 != 4 || (ip[0] & 0xf) * 4 < V4_HEADER ||
        (get_u16(ip + V4_FRAGMENT_AT) & V4_FRAGMENT_OFFSET) != 0)
        return false;
    at->l4 = link + (size_t)(ip[0] & 0xf) * 4;
    return place_transport(at, ip[V4_PROTOCOL_AT], frame->len);
}

/* The long way, which knows extension headers. */
static bool find_l4_far(struct place *at, const svr_packet *frame, size_t link)
{
    svr_packet p = inner(frame, link);
    svr_headers h;

    if (frame->len < link || svr_packet_parse(&h, &p) < 0)
        return false;
    at->v6 = p.data[0] >> 4 == 6;
    at->l4 = link + h.l4;
    return place_transport(at, p.data[h.l4_proto_at], frame->len);
}

static bool find(struct place *at, const svr_packet *frame, size_t link)
{
    return find_l4(at, frame, link) || find_l4_far(at, frame, link);
}

static size_t headers_len(const svr_packet *frame, const struct place *at)
{
    if (!at->tcp)
        return at->l4 + UDP_HEADER;
    return at->l4 + (size_t)(frame->data[at->l4 + TCP_OFFSET_AT] >> 4) * 4;
}

/* The checksum of something inside the packet, such as a tunnel's TCP: nobody
 * behind the router will know that it is not complete. */
static bool complete_elsewhere(svr_packet *frame, size_t start, size_t field)
{
    uint16_t sum;

    if (start > frame->len || field + 2 > frame->len - start)
        return false;
    sum = sum_finish(sum_add(0, frame->data + start, frame->len - start));
    put_u16(frame->data + start + field, sum == 0 ? 0xffff : sum);
    frame->checksum = SVR_CHECKSUM_FULL;
    return true;
}

bool offload_is_udp(const svr_packet *p)
{
    return p->len >= V6_HEADER &&
           p->data[p->data[0] >> 4 == 6 ? V6_NEXT_AT : V4_PROTOCOL_AT] ==
               SVR_PROTO_UDP;
}

/* How segments of that kind are told of. */
static uint8_t segments_type(const struct place *at)
{
    if (!at->tcp)
        return VIRTIO_NET_HDR_GSO_UDP_L4;
    return at->v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
}

static bool read_segments(svr_packet *frame, const struct virtio_net_hdr *h,
                          const struct place *at)
{
    uint8_t ecn = at->tcp ? VIRTIO_NET_HDR_GSO_ECN : 0;

    if ((h->gso_type & ~ecn) != segments_type(at) || h->gso_size == 0)
        return false;
    if (frame->len > headers_len(frame, at) + h->gso_size)
        frame->segment_size = h->gso_size;
    return true;
}

bool offload_read(svr_packet *frame, const struct virtio_net_hdr *h,
                  size_t link)
{
    bool partial = (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0;
    bool segments = h->gso_type != VIRTIO_NET_HDR_GSO_NONE;
    struct place at;

    frame->segment_size = 0;
    frame->checksum = (h->flags & VIRTIO_NET_HDR_F_DATA_VALID) != 0
                          ? SVR_CHECKSUM_VALID
                          : SVR_CHECKSUM_FULL;
    if ((h->flags &
         ~(VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID)) != 0)
        return false;
    if (!partial)
        return !segments;
    if (!find(&at, frame, link) || at.l4 != h->csum_start ||
        at.checksum != h->csum_offset)
        return !segments &&
               complete_elsewhere(frame, h->csum_start, h->csum_offset);
    frame->checksum = SVR_CHECKSUM_PARTIAL;
    return !segments || read_segments(frame, h, &at);
}

/* A super-packet's segments get their checksums from the device, which starts
 * from the sum of the pseudo header. */
static bool make_partial(svr_packet *frame, size_t link)
{
    svr_packet p = inner(frame, link);
    svr_headers h;

    if (svr_packet_parse(&h, &p) < 0)
        return false;
    p.checksum = SVR_CHECKSUM_PARTIAL;
    svr_packet_checksum_write(&p, &h);
    frame->checksum = SVR_CHECKSUM_PARTIAL;
    return true;
}

bool offload_write(struct virtio_net_hdr *h, svr_packet *frame, size_t link)
{
    struct place at;

    memset(h, 0, sizeof *h);
    if (frame->checksum == SVR_CHECKSUM_VALID && frame->segment_size == 0)
        h->flags = VIRTIO_NET_HDR_F_DATA_VALID;
    if (frame->checksum != SVR_CHECKSUM_PARTIAL && frame->segment_size == 0)
        return true;
    if (!find(&at, frame, link))
        return false;
    if (frame->checksum != SVR_CHECKSUM_PARTIAL && !make_partial(frame, link))
        return false;
    h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    h->csum_start = (uint16_t)at.l4;
    h->csum_offset = (uint16_t)at.checksum;
    if (frame->segment_size == 0)
        return true;
    h->gso_type = segments_type(&at);
    if (at.tcp && (frame->data[at.l4 + 13] & SVR_TCP_CWR) != 0)
        h->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
    h->gso_size = frame->segment_size;
    h->hdr_len = (uint16_t)headers_len(frame, &at);
    return true;
}

bool offload_complete(svr_packet *frame, size_t link)
{
    svr_packet p;
    svr_headers h;

    if (frame->segment_size != 0)
        return false;
    if (frame->checksum != SVR_CHECKSUM_PARTIAL)
        return true;
    p = inner(frame, link);
    if (svr_packet_parse(&h, &p) < 0)
        return false;
    svr_packet_checksum_complete(&p, &h);
    frame->checksum = SVR_CHECKSUM_FULL;
    return true;
}
