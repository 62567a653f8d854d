/* Pieces as they arrive (S18): what they are, and whose. */
#include "wire/headers.h"

#include <svr/fragment.h>

/* RFC 7112 2, RFC 1858 4: whether a first fragment hides a header of its
 * packet, whose marks are already off. */
static bool is_broken(const uint8_t *ip, size_t len)
{
    bool v6 = svr__is_v6(ip);
    uint16_t l4 = (uint16_t)svr__ip4_header_len(ip), proto_at = IP4_PROTO;
    int err;

    if (v6 && svr__ip6_walk(ip, len, &l4, &proto_at) < 0)
        return true;
    err = svr__l4_check(ip, len, l4, ip[proto_at], v6);
    /* A UDP length is that of the whole packet. */
    return err == SVR_ERR_TRUNCATED ||
           (err < 0 && ip[proto_at] == SVR_PROTO_TCP);
}

static void fill_piece(svr_piece *piece, const svr_packet *p, size_t front)
{
    piece->front = (svr_span){p->data, front};
    piece->bytes = (svr_span){p->data + front, p->len - front};
    piece->broken = piece->offset == 0 && is_broken(p->data, p->len);
}

static int parse_v4(svr_piece_key *key, svr_piece *piece, svr_packet *p)
{
    uint8_t *ip = p->data;
    int total = svr__ip4_check(ip, p->len);
    uint16_t at;

    if (total < 0)
        return total;
    at = svr__load_be16(ip + IP4_FRAGMENT);
    if (!(at & (IP4_MF | IP4_FRAGMENT_OFFSET)))
        return SVR_ERR_NOT_FOUND;
    *key = (svr_piece_key){
        .id = svr__load_be16(ip + IP4_ID),
        .iface = p->iface,
        .proto = ip[IP4_PROTO],
    };
    svr__load_v4(&key->src, ip + IP4_SRC);
    svr__load_v4(&key->dst, ip + IP4_DST);
    *piece = (svr_piece){
        .offset = at & IP4_FRAGMENT_OFFSET,
        .more = at & IP4_MF,
        .size = (uint16_t)total,
    };
    svr__trim(p, (uint32_t)total);
    svr__store_be16(ip + IP4_FRAGMENT, 0);
    fill_piece(piece, p, svr__ip4_header_len(ip));
    return 0;
}

/* Moves what stands before the fragment header at `at` over it. */
static void remove_header(svr_packet *p, size_t at, size_t next_at)
{
    p->data[next_at] = p->data[at];
    memmove(p->data + IP6_FRAGMENT_SIZE, p->data, at);
    p->data += IP6_FRAGMENT_SIZE;
    p->len -= IP6_FRAGMENT_SIZE;
    p->headroom = svr__room(p->headroom, IP6_FRAGMENT_SIZE);
}

static int parse_v6(svr_piece_key *key, svr_piece *piece, svr_packet *p)
{
    const uint8_t *ip = p->data;
    int total = svr__ip6_check(ip, p->len), err;
    uint16_t at, next_at, place;

    if (total < 0)
        return total;
    err = svr__ip6_walk(ip, (size_t)total, &at, &next_at);
    if (err != SVR_ERR_FRAGMENT)
        return err < 0 ? err : SVR_ERR_NOT_FOUND;
    place = svr__load_be16(ip + at + IP6_FRAGMENT_AT);
    *key = (svr_piece_key){
        .src = svr_addr_from_v6(ip + IP6_SRC),
        .dst = svr_addr_from_v6(ip + IP6_DST),
        .id = svr__load_be32(ip + at + IP6_FRAGMENT_ID),
        .iface = p->iface,
    };
    *piece = (svr_piece){
        .offset = (place & IP6_FRAGMENT_OFFSET) / 8,
        .more = place & IP6_MF,
        .size = (uint16_t)total,
    };
    svr__trim(p, (uint32_t)total);
    remove_header(p, at, next_at);
    fill_piece(piece, p, at);
    return 0;
}

int svr_ip_fragment_parse(svr_piece_key *key, svr_piece *piece, svr_packet *p)
{
    if (p->len == 0)
        return SVR_ERR_TRUNCATED;
    if (p->data[0] >> 4 == 4)
        return parse_v4(key, piece, p);
    return svr__is_v6(p->data) ? parse_v6(key, piece, p) : SVR_ERR_VERSION;
}

/* The IP header of the whole packet is that of the piece but for what a router
 * changes when it splits one. Answers the fragment_size. */
static uint16_t restore_ip(uint8_t *ip, const svr_fragment *f)
{
    if (svr__is_v6(ip)) /* it cannot say itself that it may be fragmented */
        return f->largest || f->dont_fragment ? f->largest : UINT16_MAX;
    svr__store_be16(ip + IP4_ID, f->original_id);
    svr__store_be16(ip + IP4_FRAGMENT, f->dont_fragment ? IP4_DF : 0);
    return f->largest;
}

void svr_fabric_piece(svr_piece_key *key, svr_piece *piece, svr_packet *p,
                      const svr_headers *h, const svr_fragment *f,
                      size_t block_len)
{
    size_t at = h->payload + block_len;

    *key = (svr_piece_key){
        .src = h->tuple.src,
        .dst = h->tuple.dst,
        .id = f->extended_id,
        .sport = h->tuple.sport,
        .dport = h->tuple.dport,
        .iface = p->iface,
        .proto = h->tuple.proto,
        .fabric = 1,
    };
    *piece = (svr_piece){
        .front = {p->data, h->payload},
        .bytes = {p->data + at, p->len - at},
        .offset = f->offset,
        .more = f->more,
        .proto = h->tuple.proto,
        .l4 = h->l4,
        .size = restore_ip(p->data, f),
    };
}
