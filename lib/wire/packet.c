#include "wire/checksum.h"
#include "wire/headers.h"

/* As many as RFC 8504 5.3 asks of a host. */
#define EXTENSIONS_MAX 8

/* What the IP header says. */
struct layout {
    uint32_t len; /* of the packet */
    uint16_t l4;
    uint16_t proto_at;
    bool v6;
};

int svr_packet_init(svr_packet *p, uint8_t *buf, size_t cap, size_t len)
{
    size_t room = SVR_HEADROOM + SVR_TAILROOM;

    if (cap < room || len > cap - room || len > UINT32_MAX)
        return SVR_ERR_NO_SPACE;
    room = cap - SVR_HEADROOM - len;
    *p = (svr_packet){
        .data = buf + SVR_HEADROOM,
        .len = (uint32_t)len,
        .headroom = SVR_HEADROOM,
        .tailroom = (uint16_t)(room < UINT16_MAX ? room : UINT16_MAX),
    };
    return 0;
}

static bool is_martian_v4(uint32_t addr)
{
    uint32_t net = addr >> 24;

    if (net >= 1 && net <= 223)
        return net == 127;
    return net < 240 || addr == UINT32_MAX;
}

static bool is_martian_v6(const uint8_t *addr)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t zero[16];

    if (addr[0] == 0xff)
        return true;
    if (addr[0] != 0 || memcmp(addr, zero, 10) != 0)
        return false;
    return memcmp(addr, mapped, 12) == 0 ||
           (memcmp(addr, zero, 15) == 0 && addr[15] <= 1);
}

static uint64_t load_word(const uint8_t *p)
{
    uint32_t word;

    memcpy(&word, p, sizeof(word));
    return word;
}

/* The fast path's own sum: a header is short, and a multiple of 4 bytes. It is
 * right where the sum folds to all ones, which is to say that it is a multiple
 * of 0xffff; in any byte order, and never zero because of the version. */
static bool is_header_right(const uint8_t *ip, size_t header)
{
    uint64_t sum = load_word(ip) + load_word(ip + 4) + load_word(ip + 8) +
                   load_word(ip + 12) + load_word(ip + 16);

    for (size_t i = IP4_SIZE; i < header; i += 4)
        sum += load_word(ip + i);
    return sum % 0xffff == 0;
}

int svr__ip4_check(const uint8_t *ip, size_t len)
{
    size_t header, total;

    if (len < IP4_SIZE)
        return SVR_ERR_TRUNCATED;
    header = svr__ip4_header_len(ip);
    total = svr__load_be16(ip + IP4_LEN);
    if (header < IP4_SIZE || total < header)
        return SVR_ERR_LENGTH;
    if (total > len)
        return SVR_ERR_TRUNCATED;
    if (!is_header_right(ip, header))
        return SVR_ERR_CHECKSUM;
    if (is_martian_v4(svr__load_be32(ip + IP4_SRC)) ||
        is_martian_v4(svr__load_be32(ip + IP4_DST)))
        return SVR_ERR_MARTIAN;
    return (int)total;
}

static int check_v4(struct layout *out, const uint8_t *ip, uint32_t len)
{
    int total = svr__ip4_check(ip, len);

    if (total < 0)
        return total;
    if (svr__load_be16(ip + IP4_FRAGMENT) & (IP4_MF | IP4_FRAGMENT_OFFSET))
        return SVR_ERR_FRAGMENT;
    *out = (struct layout){
        .len = (uint32_t)total,
        .l4 = (uint16_t)svr__ip4_header_len(ip),
        .proto_at = IP4_PROTO,
        .v6 = false,
    };
    return 0;
}

static bool is_extension(uint8_t kind)
{
    const uint64_t low = 1ULL << IP6_HOP_BY_HOP | 1ULL << IP6_ROUTING |
                         1ULL << IP6_FRAGMENT | 1ULL << IP6_AUTHENTICATION |
                         1ULL << IP6_NO_NEXT_HEADER | 1ULL << IP6_DESTINATION;

    if (kind < 64)
        return low >> kind & 1;
    return kind == IP6_MOBILITY || kind == IP6_HIP || kind == IP6_SHIM6;
}

bool svr__is_portless(uint8_t proto, bool v6)
{
    return !svr__has_ports(proto) && !(v6 && is_extension(proto));
}

/* The length of the extension header ext, of which at least 8 bytes are
 * there. */
static int extension_size(const uint8_t *ext, uint8_t kind)
{
    switch (kind) {
    case IP6_HOP_BY_HOP:
    case IP6_DESTINATION:
        return (ext[1] + 1) * 8;
    case IP6_ROUTING:
        /* With segments left the destination is not the session's, nor the
         * one that the L4 checksum covers. */
        return ext[3] == 0 ? (ext[1] + 1) * 8 : SVR_ERR_UNSUPPORTED;
    case IP6_FRAGMENT:
        return (svr__load_be16(ext + 2) & 0xfff9) == 0 ? 8 : SVR_ERR_FRAGMENT;
    case IP6_AUTHENTICATION:
        return (ext[1] + 2) * 4;
    default:
        return SVR_ERR_UNSUPPORTED;
    }
}

int svr__ip6_walk(const uint8_t *ip, size_t len, uint16_t *l4,
                  uint16_t *proto_at)
{
    size_t at = IP6_SIZE, next_at = IP6_NEXT;

    for (int i = 0; is_extension(ip[next_at]); i++) {
        int size;

        if (ip[next_at] == IP6_NO_NEXT_HEADER || i == EXTENSIONS_MAX ||
            (ip[next_at] == IP6_HOP_BY_HOP && i > 0))
            return SVR_ERR_UNSUPPORTED;
        if (len - at < 8)
            return SVR_ERR_TRUNCATED;
        size = extension_size(ip + at, ip[next_at]);
        if (size == SVR_ERR_FRAGMENT) {
            *l4 = (uint16_t)at;
            *proto_at = (uint16_t)next_at;
        }
        if (size < 0)
            return size;
        if ((size_t)size > len - at)
            return SVR_ERR_TRUNCATED;
        next_at = at;
        at += (size_t)size;
    }
    *l4 = (uint16_t)at;
    *proto_at = (uint16_t)next_at;
    return 0;
}

int svr__ip6_check(const uint8_t *ip, size_t len)
{
    size_t total;

    if (len < IP6_SIZE)
        return SVR_ERR_TRUNCATED;
    total = IP6_SIZE + (size_t)svr__load_be16(ip + IP6_LEN);
    if (total > len)
        return SVR_ERR_TRUNCATED;
    if (total > SVR_PACKET_MAX)
        return SVR_ERR_LENGTH;
    if (is_martian_v6(ip + IP6_SRC) || is_martian_v6(ip + IP6_DST))
        return SVR_ERR_MARTIAN;
    return (int)total;
}

static int check_v6(struct layout *out, const uint8_t *ip, uint32_t len)
{
    int total = svr__ip6_check(ip, len);

    if (total < 0)
        return total;
    out->len = (uint32_t)total;
    out->v6 = true;
    return svr__ip6_walk(ip, out->len, &out->l4, &out->proto_at);
}

int svr__l4_check(const uint8_t *ip, size_t len, size_t l4, uint8_t proto,
                  bool v6)
{
    size_t room = len - l4;

    if (proto == SVR_PROTO_TCP) {
        size_t header;

        if (room < TCP_SIZE)
            return SVR_ERR_TRUNCATED;
        header = (size_t)(ip[l4 + TCP_OFFSET] >> 4) * 4;
        if (header < TCP_SIZE || header > room)
            return SVR_ERR_LENGTH;
        return (int)(l4 + header);
    }
    if (proto == SVR_PROTO_UDP) {
        if (room < UDP_SIZE)
            return SVR_ERR_TRUNCATED;
        if (svr__load_be16(ip + l4 + UDP_LEN) != room)
            return SVR_ERR_LENGTH;
        return (int)(l4 + UDP_SIZE);
    }
    if (svr__is_icmp(proto, v6))
        return room < ICMP_SIZE ? SVR_ERR_TRUNCATED : (int)(l4 + ICMP_SIZE);
    return room == 0 ? SVR_ERR_TRUNCATED : (int)l4;
}

static void read_icmp(svr_headers *h, const uint8_t *l4, bool v6)
{
    h->icmp_type = l4[ICMP_TYPE];
    h->icmp_code = l4[ICMP_CODE];
    h->icmp_error = svr__icmp_is_error(h->icmp_type, v6);
    h->icmp_echo = svr__icmp_is_echo(h->icmp_type, v6);
    /* S4.3 */
    if (h->icmp_echo)
        h->tuple.sport = h->tuple.dport = svr__load_be16(l4 + ICMP_ID);
}

void svr__l4_read(svr_headers *h, const uint8_t *ip, bool v6)
{
    const uint8_t *l4 = ip + h->l4;
    uint8_t proto = h->tuple.proto;

    h->tuple.sport = h->tuple.dport = 0;
    h->tcp_flags = h->icmp_type = h->icmp_code = 0;
    h->icmp_error = h->icmp_echo = false;
    h->tcp_seq = h->tcp_ack = h->tcp_window = 0;
    if (svr__has_ports(proto)) {
        h->tuple.sport = svr__load_be16(l4 + L4_SPORT);
        h->tuple.dport = svr__load_be16(l4 + L4_DPORT);
    }
    if (proto == SVR_PROTO_TCP) {
        h->tcp_flags = l4[TCP_FLAGS];
        h->tcp_seq = svr__load_be32(l4 + TCP_SEQ);
        h->tcp_ack = svr__load_be32(l4 + TCP_ACK);
        h->tcp_window = svr__load_be16(l4 + TCP_WINDOW);
    } else if (svr__is_icmp(proto, v6)) {
        read_icmp(h, l4, v6);
    }
}

static void read_v4(svr_headers *h, const uint8_t *ip)
{
    svr__load_v4(&h->tuple.src, ip + IP4_SRC);
    svr__load_v4(&h->tuple.dst, ip + IP4_DST);
    h->ttl = ip[IP4_TTL];
    h->tos = ip[IP4_TOS];
}

static void read_v6(svr_headers *h, const uint8_t *ip)
{
    memcpy(h->tuple.src.b, ip + IP6_SRC, 16);
    memcpy(h->tuple.dst.b, ip + IP6_DST, 16);
    h->ttl = ip[IP6_HOPS];
    h->tos = (uint8_t)(svr__load_be16(ip) >> 4);
}

/* One piece of code: calls were a sixth of its time. */
__attribute__((flatten)) int svr_packet_parse(svr_headers *h, svr_packet *p)
{
    const uint8_t *ip = p->data;
    struct layout at;
    int err, payload;

    if (p->len == 0)
        return SVR_ERR_TRUNCATED;
    if (ip[0] >> 4 == 4)
        err = check_v4(&at, ip, p->len);
    else if (ip[0] >> 4 == 6)
        err = check_v6(&at, ip, p->len);
    else
        err = SVR_ERR_VERSION;
    if (err != 0)
        return err;
    payload = svr__l4_check(ip, at.len, at.l4, ip[at.proto_at], at.v6);
    if (payload < 0)
        return payload;

    if (at.v6)
        read_v6(h, ip);
    else
        read_v4(h, ip);
    h->tuple.proto = ip[at.proto_at];
    h->l4 = at.l4;
    h->l4_proto_at = at.proto_at;
    h->payload = (uint16_t)payload;
    svr__l4_read(h, ip, at.v6);
    if (at.len != p->len)
        svr__trim(p, at.len);
    return 0;
}
