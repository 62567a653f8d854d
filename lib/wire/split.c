#include "wire/checksum.h"
#include "wire/headers.h"

#include <svr/fragment.h>

enum {
    UNIT = 8, /* bytes that offsets count in */
    IP4_OPTIONS_MAX = 40,
};

int svr_split_begin(svr_split *split, const svr_packet *p, const svr_headers *h,
                    uint16_t size)
{
    if (!svr__has_ports(h->tuple.proto) || p->segment_size ||
        p->len == h->payload || size == 0 || size % UNIT != 0)
        return SVR_ERR_ARGUMENT;
    *split = (svr_split){
        .data = p->data,
        .len = p->len,
        .headers = h->payload,
        .l4 = h->l4,
        .size = size,
        .iface = p->iface,
        .proto = h->tuple.proto,
    };
    return 0;
}

static uint32_t bytes_left(const svr_split *split)
{
    return split->len - split->headers - split->next;
}

bool svr_split_more(const svr_split *split)
{
    return bytes_left(split) > 0;
}

static void write_headers(svr_packet *out, const svr_split *split)
{
    uint8_t *ip = out->data;

    memcpy(ip, split->data, split->headers);
    svr__lengths_write(ip, out->len, split->l4, split->proto);
    if (svr__is_v6(ip))
        return;
    svr__store_be16(ip + IP4_FRAGMENT, IP4_DF);
    svr__ip4_checksum_write(ip);
}

int svr_split_next(svr_split *split, svr_metadata *md, svr_packet *out,
                   uint8_t *buf, size_t cap)
{
    uint32_t left = bytes_left(split);
    uint32_t take = left < split->size ? left : split->size;
    ptrdiff_t block;
    uint8_t *at;

    if (left == 0)
        return SVR_ERR_NOT_FOUND;
    md->present |= SVR_HAS(FRAGMENT);
    md->fragment.offset = (uint16_t)(split->next / UNIT);
    md->fragment.more = take < left;
    block = svr_metadata_encode(NULL, 0, md);
    if (block < 0)
        return (int)block;
    if (svr_packet_init(out, buf, cap, split->headers + (size_t)block + take) <
        0)
        return SVR_ERR_NO_SPACE;
    out->iface = split->iface;
    write_headers(out, split);
    at = out->data + split->headers;
    block = svr_metadata_encode(at, (size_t)block, md);
    if (block < 0)
        return (int)block;
    memcpy(at + block, split->data + split->headers + split->next, take);
    split->next += take;
    return 0;
}

/* The length of the IPv6 headers that each fragment has (RFC 8200 4.5): hop by
 * hop options, a routing header and what stands before it. 0 where there is a
 * fragment header already. */
static uint16_t each_has(const uint8_t *ip, uint16_t *next_at)
{
    size_t at = IP6_SIZE, end = IP6_SIZE, named = IP6_NEXT;
    uint8_t kind = ip[IP6_NEXT];

    *next_at = IP6_NEXT;
    while (kind == IP6_HOP_BY_HOP || kind == IP6_DESTINATION ||
           kind == IP6_ROUTING) {
        named = at;
        at += (ip[at + 1] + (size_t)1) * 8;
        if (kind != IP6_DESTINATION) {
            end = at;
            *next_at = (uint16_t)named;
        }
        kind = ip[named];
    }
    return kind == IP6_FRAGMENT ? 0 : (uint16_t)end;
}

static int begin_v6(svr_ip_split *split)
{
    split->headers = each_has(split->data, &split->next_at);
    split->front = (uint16_t)(split->headers + IP6_FRAGMENT_SIZE);
    if (split->size < SVR_IP6_FRAGMENT_MIN)
        return SVR_ERR_ARGUMENT;
    if (split->headers == 0 || split->size < split->front + UNIT)
        return SVR_ERR_UNSUPPORTED;
    return 0;
}

/* Those of the IPv4 options that stand in every fragment, padded. Returns their
 * length. */
static size_t copy_options(uint8_t *to, const uint8_t *from, size_t len)
{
    enum { END = 0, NOP = 1, COPIED = 0x80 };
    size_t at = 0, out = 0;

    while (at < len && from[at] != END) {
        size_t size = from[at] == NOP ? 1 : at + 1 < len ? from[at + 1] : 0;
        if (size == 0 || size > len - at || (size == 1 && from[at] != NOP))
            break;
        if (from[at] & COPIED) {
            memcpy(to + out, from + at, size);
            out += size;
        }
        at += size;
    }
    while (out % 4 != 0)
        to[out++] = END;
    return out;
}

static int begin_v4(svr_ip_split *split)
{
    const uint8_t *ip = split->data;

    uint8_t options[IP4_OPTIONS_MAX];

    split->headers = (uint16_t)svr__ip4_header_len(ip);
    split->front =
        (uint16_t)(IP4_SIZE + copy_options(options, ip + IP4_SIZE,
                                           split->headers - IP4_SIZE));
    if (!(svr__load_be16(ip + IP4_FRAGMENT) & IP4_DF))
        split->id = svr__load_be16(ip + IP4_ID);
    return split->size < SVR_IP4_FRAGMENT_MIN ? SVR_ERR_ARGUMENT : 0;
}

int svr_ip_split_begin(svr_ip_split *split, const svr_packet *p, uint16_t size,
                       uint32_t id)
{
    svr_ip_split s = {
        .data = p->data,
        .len = p->len,
        .id = id,
        .size = size,
        .iface = p->iface,
    };
    int err = p->segment_size       ? SVR_ERR_ARGUMENT
              : svr__is_v6(p->data) ? begin_v6(&s)
                                    : begin_v4(&s);
    if (err == 0)
        *split = s;
    return err;
}

static uint32_t ip_bytes_left(const svr_ip_split *split)
{
    return split->len - split->headers - split->next;
}

bool svr_ip_split_more(const svr_ip_split *split)
{
    return ip_bytes_left(split) > 0;
}

static void write_front_v6(uint8_t *ip, const svr_ip_split *split, bool last)
{
    uint8_t *fragment = ip + split->headers;

    memcpy(ip, split->data, split->headers);
    memset(fragment, 0, IP6_FRAGMENT_SIZE);
    fragment[0] = ip[split->next_at];
    ip[split->next_at] = IP6_FRAGMENT;
    svr__store_be16(fragment + IP6_FRAGMENT_AT,
                    (uint16_t)(split->next | (last ? 0 : IP6_MF)));
    svr__store_be32(fragment + IP6_FRAGMENT_ID, split->id);
}

static void write_front_v4(uint8_t *ip, const svr_ip_split *split, bool last)
{
    size_t options = split->headers - IP4_SIZE;

    memcpy(ip, split->data, IP4_SIZE);
    if (split->next == 0)
        memcpy(ip + IP4_SIZE, split->data + IP4_SIZE, options);
    else
        options = copy_options(ip + IP4_SIZE, split->data + IP4_SIZE, options);
    ip[0] = (uint8_t)(0x40 | (IP4_SIZE + options) / 4);
    svr__store_be16(ip + IP4_ID, (uint16_t)split->id);
    svr__store_be16(ip + IP4_FRAGMENT,
                    (uint16_t)(split->next / UNIT | (last ? 0 : IP4_MF)));
}

int svr_ip_split_next(svr_ip_split *split, svr_packet *out, uint8_t *buf,
                      size_t cap)
{
    bool v6 = svr__is_v6(split->data);
    uint32_t left = ip_bytes_left(split);
    uint32_t front = v6 || split->next > 0 ? split->front : split->headers;
    uint32_t take = split->size - front;

    if (left == 0)
        return SVR_ERR_NOT_FOUND;
    take = take < left ? take / UNIT * UNIT : left;
    if (svr_packet_init(out, buf, cap, front + take) < 0)
        return SVR_ERR_NO_SPACE;
    out->iface = split->iface;
    if (v6)
        write_front_v6(out->data, split, take == left);
    else
        write_front_v4(out->data, split, take == left);
    memcpy(out->data + front, split->data + split->headers + split->next, take);
    svr__lengths_write(out->data, out->len, 0, 0);
    if (!v6)
        svr__ip4_checksum_write(out->data);
    split->next += take;
    return 0;
}
