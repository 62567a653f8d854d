/*
 * wire_packets.h - packets for the tests of lib/wire, built and checked byte
 * by byte without the library, in the simplest way that is right.
 */
#ifndef WIRE_PACKETS_H
#define WIRE_PACKETS_H

#include <stdlib.h>
#include <string.h>

#include <svr/packet.h>

#define ROOM 70000

/* Repeatable randomness: splitmix64. */
static inline uint64_t draw(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static inline size_t draw_below(uint64_t *seed, size_t limit)
{
    return (size_t)(draw(seed) % limit);
}

static inline void draw_bytes(uint64_t *seed, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)draw(seed);
}

static inline void put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static inline uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* RFC 1071, one byte at a time. */
static inline unsigned naive_add(unsigned sum, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        sum += i % 2 ? p[i] : (unsigned)p[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

static inline unsigned naive_pseudo(const uint8_t *ip, uint8_t proto,
                                    size_t l4_len)
{
    uint8_t rest[8] = {0};
    unsigned sum;

    put16(rest + 2, l4_len);
    rest[7] = proto;
    sum = ip[0] >> 4 == 4 ? naive_add(0, ip + 12, 8) : naive_add(0, ip + 8, 32);
    return naive_add(sum, rest, sizeof(rest));
}

/* The sum over all that the L4 checksum covers. */
static inline unsigned naive_l4(const uint8_t *ip, size_t len, size_t l4,
                                uint8_t proto)
{
    unsigned sum =
        proto == SVR_PROTO_ICMP ? 0 : naive_pseudo(ip, proto, len - l4);

    return naive_add(sum, ip + l4, len - l4);
}

static inline size_t checksum_place(uint8_t proto)
{
    if (proto == SVR_PROTO_TCP)
        return 16;
    return proto == SVR_PROTO_UDP ? 6 : 2;
}

static inline bool has_checksum(const uint8_t *ip, uint8_t proto)
{
    return proto == SVR_PROTO_TCP || proto == SVR_PROTO_UDP ||
           proto == (ip[0] >> 4 == 4 ? SVR_PROTO_ICMP : SVR_PROTO_ICMPV6);
}

static inline void naive_ip_write(uint8_t *ip)
{
    if (ip[0] >> 4 != 4)
        return;
    put16(ip + 10, 0);
    put16(ip + 10, ~naive_add(0, ip, (ip[0] & 15) * 4U) & 0xffff);
}

static inline void naive_write(uint8_t *ip, size_t len, size_t l4,
                               uint8_t proto)
{
    uint8_t *field = ip + l4 + checksum_place(proto);
    unsigned sum;

    naive_ip_write(ip);
    if (!has_checksum(ip, proto))
        return;
    put16(field, 0);
    sum = ~naive_l4(ip, len, l4, proto) & 0xffff;
    put16(field, sum == 0 && proto == SVR_PROTO_UDP ? 0xffff : sum);
}

/* Whether every checksum of the packet is right. */
static inline bool naive_right(const uint8_t *ip, size_t len, size_t l4,
                               uint8_t proto)
{
    if (ip[0] >> 4 == 4 && naive_add(0, ip, (ip[0] & 15) * 4U) != 0xffff)
        return false;
    if (!has_checksum(ip, proto))
        return true;
    if (proto == SVR_PROTO_UDP && get16(ip + l4 + 6) == 0)
        return ip[0] >> 4 == 4;
    return naive_l4(ip, len, l4, proto) == 0xffff;
}

/* What a packet shall look like. */
struct shape {
    bool v6;
    uint8_t proto;
    size_t options;     /* bytes of IPv4 options or of an IPv6 destination
                           options header: a multiple of 4 or 8 */
    size_t tcp_options; /* a multiple of 4 */
    size_t payload;
    bool no_checksum; /* UDP */
};

static inline svr_addr draw_addr(uint64_t *seed, bool v6)
{
    uint8_t b[16];

    draw_bytes(seed, b, sizeof(b));
    if (v6) {
        b[0] = 0x20;
        return svr_addr_from_v6(b);
    }
    b[0] = (uint8_t)(1 + b[0] % 100);
    return svr_addr_from_v4(b);
}

static inline svr_tuple draw_tuple(uint64_t *seed, bool v6, uint8_t proto)
{
    svr_tuple t = {
        .src = draw_addr(seed, v6),
        .dst = draw_addr(seed, v6),
        .proto = proto,
    };

    if (proto == SVR_PROTO_TCP || proto == SVR_PROTO_UDP) {
        t.sport = (uint16_t)draw(seed);
        t.dport = (uint16_t)draw(seed);
    } else if (proto == SVR_PROTO_ICMP || proto == SVR_PROTO_ICMPV6) {
        t.sport = t.dport = (uint16_t)draw(seed);
    }
    return t;
}

static inline size_t ip_bytes(const struct shape *s)
{
    return (s->v6 ? 40 : 20) + s->options;
}

static inline size_t l4_bytes(const struct shape *s)
{
    if (s->proto == SVR_PROTO_TCP)
        return 20 + s->tcp_options;
    return s->proto == SVR_PROTO_UDP || s->proto == SVR_PROTO_ICMP ||
                   s->proto == SVR_PROTO_ICMPV6
               ? 8
               : 0;
}

static inline void build_v4(uint8_t *ip, const struct shape *s,
                            const svr_tuple *t, size_t len)
{
    memset(ip, 0, 20);
    ip[0] = (uint8_t)(0x40 | (5 + s->options / 4));
    ip[1] = 0xb8;
    put16(ip + 2, len);
    put16(ip + 4, 0x1234);
    ip[8] = 61;
    ip[9] = s->proto;
    memcpy(ip + 12, t->src.b + 12, 4);
    memcpy(ip + 16, t->dst.b + 12, 4);
    memset(ip + 20, 1, s->options);
}

static inline void build_v6(uint8_t *ip, const struct shape *s,
                            const svr_tuple *t, size_t len)
{
    memset(ip, 0, 40);
    put16(ip, 0x6b80);
    put16(ip + 2, 0xabcd);
    put16(ip + 4, len - 40);
    ip[6] = s->options ? 60 : s->proto;
    ip[7] = 61;
    memcpy(ip + 8, t->src.b, 16);
    memcpy(ip + 24, t->dst.b, 16);
    if (s->options) {
        memset(ip + 40, 0, s->options);
        ip[40] = s->proto;
        ip[41] = (uint8_t)(s->options / 8 - 1);
    }
}

static inline void build_l4(uint8_t *l4, const struct shape *s,
                            const svr_tuple *t, uint64_t *seed)
{
    size_t bytes = l4_bytes(s);

    draw_bytes(seed, l4, bytes + s->payload);
    if (s->proto == SVR_PROTO_TCP || s->proto == SVR_PROTO_UDP) {
        put16(l4, t->sport);
        put16(l4 + 2, t->dport);
    }
    if (s->proto == SVR_PROTO_TCP) {
        l4[12] = (uint8_t)(bytes / 4 << 4);
        memset(l4 + 20, 1, s->tcp_options);
    } else if (s->proto == SVR_PROTO_UDP) {
        put16(l4 + 4, bytes + s->payload);
    } else if (bytes == 8) {
        l4[0] = s->proto == SVR_PROTO_ICMP ? 8 : 128;
        l4[1] = 0;
        put16(l4 + 4, t->sport);
    }
}

/* Writes the packet to out and answers its length. */
static inline size_t build(uint8_t *out, const struct shape *s,
                           const svr_tuple *t, uint64_t *seed)
{
    size_t l4 = ip_bytes(s), len = l4 + l4_bytes(s) + s->payload;

    if (s->v6)
        build_v6(out, s, t, len);
    else
        build_v4(out, s, t, len);
    build_l4(out + l4, s, t, seed);
    naive_write(out, len, l4, s->proto);
    if (s->no_checksum)
        put16(out + l4 + 6, 0);
    return len;
}

/* A packet in a heap block of exactly its size and its rooms. */
struct held {
    uint8_t *block;
    svr_packet p;
};

static inline struct held hold(const uint8_t *bytes, size_t len,
                               size_t headroom, size_t tailroom)
{
    struct held held = {.block = malloc(headroom + len + tailroom + !len)};

    if (!held.block)
        abort();
    memset(held.block, 0xee, headroom + len + tailroom);
    if (len > 0)
        memcpy(held.block + headroom, bytes, len);
    held.p = (svr_packet){
        .data = held.block + headroom,
        .len = (uint32_t)len,
        .headroom = (uint16_t)headroom,
        .tailroom = (uint16_t)tailroom,
    };
    return held;
}

static inline void drop(struct held *held)
{
    free(held->block);
    held->block = NULL;
}

/* The answer to bytes in a block of exactly their size. */
static inline int parse_exact(const uint8_t *bytes, size_t len)
{
    struct held held = hold(bytes, len, 0, 0);
    svr_headers h;
    int err = svr_packet_parse(&h, &held.p);

    drop(&held);
    return err;
}

#endif
