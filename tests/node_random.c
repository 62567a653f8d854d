/*
 * Random runs over a network of two or three routers: many talks between hosts,
 * of each kind and family and in both directions, over a WAN that loses,
 * doubles, delays, corrupts, cuts and joins packets, while routers restart and
 * time passes. All of it follows from a seed, which is printed first.
 *
 * The bytes that a host sends follow from who says them and where in the talk,
 * so whatever comes out at a LAN can be checked without a record of what went
 * in.
 */
#include "heap.h"
#include "node_net.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TALKS = 40,   /* at a time */
    WIRE = 400,   /* packets on the WAN at a time */
    STEPS = 6000, /* of each run */
    STREAM = 0x1000000,
    PROTO_GRE = 47,
    NOTE = 16, /* what a datagram's payload begins with */
};

/* Two hosts that talk; the client's address is its own, so a tuple names one
 * talk. */
struct talk {
    svr_tuple tuple; /* as the client sends */
    bool from_dc;    /* the client is on dc's side */
    bool heard;      /* the server has got something */
    uint8_t life;    /* of the TCP connection: 1, 2, ... */
    uint32_t sent[2];
    uint32_t delivered[2]; /* packets, or for TCP segments */
};

/* A packet on the WAN. */
struct flight {
    struct frame f;
    svr_node **to;
    bool tainted; /* not as its sender made it */
};

struct sim {
    struct net net;
    uint64_t seed, random;
    struct talk talk[TALKS];
    struct flight wire[WIRE];
    size_t wire_count;
    bool rough; /* the WAN loses, corrupts, ... */
    uint64_t step, came_out, spoiled, joined;
    uint16_t next_id;      /* of a packet that may be fragmented */
    svr_reassembly *hosts; /* what hosts make of IP fragments */
};

static uint32_t below(struct sim *s, uint32_t limit)
{
    return test_below(&s->random, limit);
}

static bool chance(struct sim *s, uint32_t percent)
{
    return below(s, 100) < percent;
}

/* What the talks say */

static uint8_t pattern(uint32_t who, uint32_t at)
{
    uint64_t x = (uint64_t)who << 32 | at;
    return (uint8_t)(test_random(&x) >> 24);
}

static const uint8_t cookie[8] = {0x4c, 0x48, 0xdb, 0xc6,
                                  0xdd, 0xf6, 0x67, 0x0c};

/* A byte of a TCP stream; now and then a part of it begins like metadata. */
static uint8_t stream_byte(uint32_t who, uint32_t at)
{
    uint32_t part = at / 500, place = at % 500;
    if (place < sizeof(cookie) && pattern(who, part) % 3 == 0)
        return cookie[place];
    return pattern(who, at);
}

/* A datagram: perhaps a cookie, its number twice, a pattern. */
static void fill_datagram(uint8_t *to, size_t len, uint32_t who,
                          uint32_t number)
{
    uint8_t note[NOTE] = {0};
    for (int i = 0; i < 8; i++)
        note[i] = number % 4 == 0 ? cookie[i] : (uint8_t)i;
    for (int i = 0; i < 8; i++)
        note[8 + i] = (uint8_t)(number >> 8 * (i % 4));
    for (size_t i = 0; i < len; i++)
        to[i] = i < NOTE ? note[i] : pattern(who ^ number, (uint32_t)i);
}

static uint32_t voice(const struct sim *s, const struct talk *t, bool reverse)
{
    uint32_t index = (uint32_t)(t - s->talk);
    return index * 1024 + t->life * 2u + reverse;
}

static svr_addr host(bool v6, bool at_dc, uint32_t number)
{
    svr_addr a = addr(v6      ? at_dc ? "fd00:2::" : "fd00:1::"
                      : at_dc ? "10.2.0.0"
                              : "10.1.0.0");
    a.b[15] = (uint8_t)number;
    return a;
}

static void begin_talk(struct sim *s, struct talk *t)
{
    static const uint8_t protos[] = {SVR_PROTO_TCP,  SVR_PROTO_TCP,
                                     SVR_PROTO_UDP,  SVR_PROTO_UDP,
                                     SVR_PROTO_ICMP, PROTO_GRE};
    uint32_t index = (uint32_t)(t - s->talk);
    bool v6 = chance(s, 50);
    uint8_t proto = protos[below(s, 6)];
    *t = (struct talk){.from_dc = s->net.options.reverse && chance(s, 40),
                       .life = 1};
    t->tuple = (svr_tuple){
        .src = host(v6, t->from_dc, 10 + index),
        .dst = host(v6, !t->from_dc, 100 + below(s, 3)),
        .proto = proto == SVR_PROTO_ICMP && v6 ? SVR_PROTO_ICMPV6 : proto,
    };
    if (proto == SVR_PROTO_TCP || proto == SVR_PROTO_UDP) {
        t->tuple.sport = (uint16_t)(1024 + below(s, 60000));
        t->tuple.dport = chance(s, 30) ? 53 : 80;
    } else if (proto == SVR_PROTO_ICMP) {
        t->tuple.sport = t->tuple.dport = (uint16_t)below(s, 4);
    }
}

/* Packets of hosts */

static struct frame make_tcp(struct sim *s, struct talk *t, bool reverse,
                             size_t len)
{
    static uint8_t payload[65536];
    svr_tuple tuple = reverse ? svr_tuple_reverse(&t->tuple) : t->tuple;
    uint32_t at = t->sent[reverse], first = t->life * (uint32_t)STREAM;
    uint8_t flags = SVR_TCP_ACK;
    uint32_t seq = first + at, ack = first + t->sent[!reverse];

    if (at == 0) {
        flags = reverse ? SVR_TCP_SYN | SVR_TCP_ACK : SVR_TCP_SYN;
        len = 0;
        t->sent[reverse] = 1;
    } else if (chance(s, 3)) {
        flags |= chance(s, 50) ? SVR_TCP_FIN : SVR_TCP_RST;
    } else if (chance(s, 10)) { /* once more */
        uint32_t back = below(s, at < 3000 ? at : 3000);
        seq -= back;
        at -= back;
    } else {
        t->sent[reverse] += (uint32_t)len;
    }
    for (size_t i = 0; i < len; i++)
        payload[i] = stream_byte(voice(s, t, reverse), at + (uint32_t)i);
    return frame_tcp_tuple(&tuple, flags, seq, ack, payload, len);
}

static struct frame make_raw(const svr_tuple *t, uint8_t proto, size_t len)
{
    svr_tuple as_udp = *t;
    svr_headers h;
    as_udp.proto = SVR_PROTO_UDP;
    struct frame f = frame_udp_tuple(&as_udp, NULL, len - 8);
    cr_assert_eq(svr_packet_parse(&h, &f.p), 0);
    f.p.data[h.l4_proto_at] = proto;
    if (svr_addr_is_v4(&t->src)) { /* the parts that no parser minds */
        f.p.data[10] = f.p.data[11] = 0;
        uint32_t sum = 0;
        for (int i = 0; i < 20; i += 2)
            sum += (uint32_t)f.p.data[i] << 8 | f.p.data[i + 1];
        sum = (sum & 0xffff) + (sum >> 16);
        sum = ~(sum + (sum >> 16));
        f.p.data[10] = (uint8_t)(sum >> 8);
        f.p.data[11] = (uint8_t)sum;
    }
    return f;
}

static struct frame make_datagram(struct sim *s, struct talk *t, bool reverse,
                                  size_t len)
{
    svr_tuple tuple = reverse ? svr_tuple_reverse(&t->tuple) : t->tuple;
    uint8_t proto = tuple.proto;
    bool echo = proto == SVR_PROTO_ICMP || proto == SVR_PROTO_ICMPV6;
    uint32_t number = t->sent[reverse]++;
    struct frame f;
    svr_headers h;

    if (proto == SVR_PROTO_UDP)
        f = frame_udp_tuple(&tuple, NULL, len);
    else
        f = make_raw(&tuple, proto, 8 + len);
    cr_assert_eq(svr_packet_parse(&h, &f.p), 0);
    uint8_t *l4 = f.p.data + h.l4;
    fill_datagram(l4 + 8, len, voice(s, t, reverse), number);
    if (proto == PROTO_GRE)
        memset(l4, 0x47, 8);
    if (echo) {
        memset(l4, 0, 8);
        l4[0] = proto == SVR_PROTO_ICMP ? (reverse ? 0 : 8) : 128 + reverse;
        l4[5] = (uint8_t)tuple.sport;
        cr_assert_eq(svr_packet_parse(&h, &f.p), 0);
    }
    svr_packet_checksum_write(&f.p, &h);
    if (proto == SVR_PROTO_UDP && h.tuple.src.b[0] == 0 && chance(s, 10))
        l4[6] = l4[7] = 0; /* no checksum */
    return f;
}

/* Four bytes of IPv4 options, or eight of an IPv6 extension header. */
static void add_options(struct frame *f)
{
    static const uint8_t pad[8] = {0, 0, 1, 4};
    uint8_t *ip = f->p.data;
    bool v6 = ip[0] >> 4 == 6;
    size_t len = v6 ? 8 : 4, header = v6 ? 40 : 20;
    svr_headers h;
    memmove(ip - len, ip, header);
    f->p.data -= len;
    f->p.headroom = (uint16_t)(f->p.headroom - len);
    f->p.len += (uint32_t)len;
    ip = f->p.data;
    uint8_t *at = ip + (v6 ? 4 : 2);
    uint32_t total = (uint32_t)at[0] << 8 | at[1];
    total += (uint32_t)len;
    at[0] = (uint8_t)(total >> 8);
    at[1] = (uint8_t)total;
    memset(ip + header, 1, len);
    if (v6) {
        memcpy(ip + header, pad, len);
        ip[header] = ip[6];
        ip[6] = 60;
        return;
    }
    ip[0] = 0x46;
    uint32_t sum = 0;
    ip[10] = ip[11] = 0;
    for (int i = 0; i < 24; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~(sum + (sum >> 16));
    ip[10] = (uint8_t)(sum >> 8);
    ip[11] = (uint8_t)sum;
    cr_assert_eq(svr_packet_parse(&h, &f->p), 0);
}

/* What is done with it before it is handed over: checksums left to the device,
 * options, TTLs that run out. */
static void vary(struct sim *s, struct frame *f)
{
    svr_headers h;
    if (chance(s, 5))
        add_options(f);
    cr_assert_eq(svr_packet_parse(&h, &f->p), 0);
    bool v6 = f->p.data[0] >> 4 == 6;
    bool none = h.tuple.proto == SVR_PROTO_UDP && !f->p.data[h.l4 + 6] &&
                !f->p.data[h.l4 + 7];
    if (chance(s, 3)) {
        f->p.data[v6 ? 7 : 8] = (uint8_t)below(s, 4);
        svr_packet_checksum_write(&f->p, &h);
    }
    if ((h.tuple.proto == SVR_PROTO_TCP || h.tuple.proto == SVR_PROTO_UDP) &&
        !none && (f->p.segment_size || chance(s, 30))) {
        f->p.checksum = SVR_CHECKSUM_PARTIAL;
        svr_packet_checksum_write(&f->p, &h);
    } else if (chance(s, 20)) {
        f->p.checksum = SVR_CHECKSUM_VALID;
    }
}

/* IPv4: it may be fragmented. */
static void allow_fragments(struct sim *s, struct frame *f)
{
    svr_headers h;
    if (f->p.data[0] >> 4 == 6)
        return;
    cr_assert_eq(svr_packet_parse(&h, &f->p), 0);
    f->p.data[4] = (uint8_t)(s->next_id >> 8);
    f->p.data[5] = (uint8_t)s->next_id++;
    f->p.data[6] = 0;
    svr_packet_checksum_write(&f->p, &h);
}

static struct frame make_packet(struct sim *s, struct talk *t, bool reverse,
                                bool small)
{
    bool tcp = t->tuple.proto == SVR_PROTO_TCP;
    bool v6 = !svr_addr_is_v4(&t->tuple.src);
    size_t most = (size_t)NET_MTU - (v6 ? 60 : 40);
    bool super = tcp && !small && chance(s, 20);
    bool large = !small && !super && chance(s, 10);
    size_t len = small           ? 200
                 : super         ? 1500 + below(s, 20000)
                 : large         ? most + below(s, 8000)
                 : chance(s, 30) ? most - below(s, 40)
                                 : below(s, 900);
    if (!tcp && !small && len < NOTE)
        len = chance(s, 50) ? 0 : NOTE;
    struct frame f =
        tcp ? make_tcp(s, t, reverse, len) : make_datagram(s, t, reverse, len);
    if (super && f.p.len > NET_MTU)
        f.p.segment_size = (uint16_t)(most - below(s, 2) * below(s, 900));
    if (large || chance(s, 20))
        allow_fragments(s, &f);
    return f;
}

/* What comes out at a LAN */

static struct talk *talk_of(struct sim *s, const svr_tuple *t, bool *reverse)
{
    svr_tuple back = svr_tuple_reverse(t);
    for (int i = 0; i < TALKS; i++) {
        *reverse = !svr_tuple_equal(&s->talk[i].tuple, t);
        if (!*reverse || svr_tuple_equal(&s->talk[i].tuple, &back))
            return &s->talk[i];
    }
    return NULL;
}

static void check_stream(struct sim *s, struct talk *t, bool reverse,
                         const svr_headers *h, svr_span payload)
{
    struct talk then = *t;
    uint32_t at = h->tcp_seq % STREAM;
    then.life = (uint8_t)(h->tcp_seq / STREAM);
    cr_assert(then.life > 0 && then.life <= t->life);
    uint32_t who = voice(s, t, reverse) - t->life * 2u + then.life * 2u;
    for (size_t i = 0; i < payload.len; i++)
        cr_assert_eq(payload.data[i], stream_byte(who, at + (uint32_t)i),
                     "step %lu: byte %zu at %u", (unsigned long)s->step, i, at);
}

static void check_datagram(struct sim *s, struct talk *t, bool reverse,
                           svr_span payload)
{
    static uint8_t expected[65536];
    uint32_t number = 0;
    if (payload.len == 0)
        return;
    cr_assert_geq(payload.len, NOTE);
    for (int i = 0; i < 4; i++)
        number |= (uint32_t)payload.data[8 + i] << 8 * i;
    cr_assert_lt(number, t->sent[reverse], "step %lu", (unsigned long)s->step);
    fill_datagram(expected, payload.len, voice(s, t, reverse), number);
    cr_assert_arr_eq(payload.data, expected, payload.len, "step %lu",
                     (unsigned long)s->step);
}

/* Packets that a router makes for a host: ICMP errors and resets. */
static void check_own(struct sim *s, const svr_headers *h, bool at_dc)
{
    svr_tuple quoted = h->tuple;
    svr_addr net = host(!svr_addr_is_v4(&h->tuple.dst), at_dc, 0);
    cr_assert(h->icmp_error || h->tcp_flags & SVR_TCP_RST, "step %lu",
              (unsigned long)s->step);
    cr_assert_arr_eq(quoted.dst.b, net.b, 15);
}

/* Whether its receiver cannot see that something is wrong with it. */
static bool has_no_checksum(const svr_packet *p, const svr_headers *h)
{
    return h->tuple.proto == PROTO_GRE ||
           (h->tuple.proto == SVR_PROTO_UDP && !p->data[h->l4 + 6] &&
            !p->data[h->l4 + 7]);
}

static bool may_be_spoiled(const struct sim *s, const svr_packet *p,
                           const svr_headers *h)
{
    if (!svr_packet_checksum_ok(p, h))
        return true; /* its receiver will see it */
    return !s->net.options.per_packet && has_no_checksum(p, h);
}

/* A packet at a LAN, as it came or as its host put it together. */
static void check_packet(struct sim *s, struct frame *f, bool at_dc,
                         bool tainted)
{
    svr_headers h;
    bool reverse;
    cr_assert_eq(svr_packet_parse(&h, &f->p), 0);
    if (!f->p.segment_size)
        svr_packet_checksum_complete(&f->p, &h);
    if (tainted && may_be_spoiled(s, &f->p, &h)) {
        s->spoiled++;
        return;
    }
    if (!f->p.segment_size)
        cr_assert(svr_packet_checksum_ok(&f->p, &h), "step %lu",
                  (unsigned long)s->step);
    struct talk *t = talk_of(s, &h.tuple, &reverse);
    if (!t || h.icmp_error || f->p.originated) {
        if (!tainted)
            check_own(s, &h, at_dc);
        return;
    }
    cr_assert_eq(at_dc, t->from_dc == reverse, "step %lu: the wrong LAN",
                 (unsigned long)s->step);
    svr_span payload = {f->p.data + h.payload, f->p.len - h.payload};
    if (h.tuple.proto == PROTO_GRE)
        payload = (svr_span){payload.data + 8, payload.len - 8};
    if (h.tuple.proto == SVR_PROTO_TCP)
        check_stream(s, t, reverse, &h, payload);
    else
        check_datagram(s, t, reverse, payload);
    t->heard |= !reverse;
    t->delivered[reverse]++;
    s->came_out++;
}

/* Its host waits for the others. */
static void take_fragment(struct sim *s, struct frame *f, bool at_dc)
{
    svr_piece_key key;
    svr_piece piece;
    svr_reassembly_handle_expiry(s->hosts, s->net.now);
    cr_assert_eq(svr_ip_fragment_parse(&key, &piece, &f->p), 0);
    if (svr_reassembly_add(s->hosts, &key, &piece, s->net.now) != 1)
        return;
    check_packet(s, &(struct frame){.p = *svr_reassembly_first(s->hosts)},
                 at_dc, false);
    svr_reassembly_release(s->hosts);
    s->joined++;
}

static void check_delivery(struct sim *s, struct frame *f, bool at_dc,
                           bool tainted)
{
    svr_headers h;
    int err = svr_packet_parse(&h, &f->p);
    cr_assert_leq(f->p.segment_size ? h.payload + f->p.segment_size : f->p.len,
                  NET_MTU);
    if (err != SVR_ERR_FRAGMENT)
        check_packet(s, f, at_dc, tainted);
    else if (!tainted)
        take_fragment(s, f, at_dc);
}

/* The WAN */

static svr_node **node_at(struct sim *s, const svr_addr *waypoint)
{
    svr_node **nodes[] = {NULL, &s->net.branch, &s->net.dc, &s->net.hub};
    cr_assert(waypoint->b[15] >= 1 && waypoint->b[15] <= 3);
    return nodes[waypoint->b[15]];
}

static void drop_flight(struct sim *s, size_t i)
{
    s->wire_count--;
    memmove(&s->wire[i], &s->wire[i + 1],
            (s->wire_count - i) * sizeof(s->wire[0]));
}

static void put_on_wire(struct sim *s, struct frame f, svr_node **to,
                        bool tainted)
{
    if (s->wire_count == WIRE) {
        frame_free(&f);
        return;
    }
    s->wire[s->wire_count++] = (struct flight){f, to, tainted};
}

/* A device writes the checksum that was left to it, and nobody beyond it knows
 * who has checked one. */
static void finish_checksum(struct frame *f)
{
    svr_headers h;
    if (f->p.segment_size)
        return;
    cr_assert_eq(svr_packet_parse(&h, &f->p), 0);
    svr_packet_checksum_complete(&f->p, &h);
    f->p.checksum = SVR_CHECKSUM_FULL;
}

/* A device that does not pass super-packets on cuts them itself. */
static void cut_on_wire(struct sim *s, struct frame f, svr_node **to,
                        bool tainted)
{
    svr_headers h;
    svr_cut cut;
    cr_assert_eq(svr_packet_parse(&h, &f.p), 0);
    cr_assert_eq(svr_cut_begin(&cut, &f.p, &h, f.p.segment_size), 0);
    while (svr_cut_more(&cut)) {
        static uint8_t buf[NET_BUFFER];
        struct frame piece = {0};
        cr_assert_eq(svr_cut_next(&cut, &piece.p, buf, sizeof(buf)), 0);
        put_on_wire(s, frame_copy(&piece), to, tainted);
    }
    frame_free(&f);
}

/* What a router call sent. tainted: what made it was. */
static void take_output(struct sim *s, svr_node *n, bool tainted)
{
    cr_assert_leq(svr_node_session_count(n), svr_node_session_limit(n));
    for (size_t i = 0; i < s->net.out_count; i++) {
        struct frame f = frame_copy(&s->net.out[i]);
        if (f.p.iface != NET_WAN) {
            bool guest = f.p.iface == NET_GUEST;
            if (!guest)
                check_delivery(s, &f, n == s->net.dc, tainted);
            cr_assert(!guest || f.p.originated);
            frame_free(&f);
            continue;
        }
        svr_node **to = node_at(s, &f.p.next_hop);
        f.p.next_hop = SVR_ADDR_NONE;
        f.p.verdict = SVR_VERDICT_NONE;
        f.p.originated = false;
        finish_checksum(&f);
        if (f.p.segment_size && chance(s, 60))
            cut_on_wire(s, f, to, tainted);
        else
            put_on_wire(s, f, to, tainted);
    }
}

/* One bit, and the checksum is left: what a checksum is for. */
static void flip(struct sim *s, struct frame *f)
{
    uint32_t bit = below(s, 8 * f->p.len);
    f->p.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

/* Some bytes behind the cookie, and the checksum is made right: what a tag is
 * for. False where no tag protects the packet. */
static bool forge(struct sim *s, struct frame *f)
{
    svr_headers h;
    if (f->p.segment_size || svr_packet_parse(&h, &f->p) < 0)
        return false;
    size_t len = f->p.len - h.payload;
    uint8_t *payload = f->p.data + h.payload;
    if (len <= 20 || (!s->net.options.per_packet &&
                      (!svr_cookie_present(payload, len) || payload[9] == 12)))
        return false;
    for (uint32_t i = 0; i <= below(s, 3); i++)
        payload[12 + below(s, (uint32_t)len - 12)] ^=
            (uint8_t)(1 + below(s, 9));
    svr_packet_checksum_write(&f->p, &h);
    return true;
}

/* Two segments in a row arrive as one, where a device could have joined them.
 */
static void join(struct sim *s, size_t i)
{
    struct flight *a = &s->wire[i], *b = &s->wire[i + 1];
    svr_headers ha, hb;
    if (i + 1 >= s->wire_count || a->tainted || b->tainted || a->to != b->to ||
        a->f.p.segment_size || b->f.p.segment_size ||
        svr_packet_parse(&ha, &a->f.p) < 0 ||
        svr_packet_parse(&hb, &b->f.p) < 0)
        return;
    uint32_t len_a = a->f.p.len - ha.payload, len_b = b->f.p.len - hb.payload;
    if (ha.tuple.proto != SVR_PROTO_TCP || ha.payload != hb.payload ||
        !svr_tuple_equal(&ha.tuple, &hb.tuple) || ha.tcp_flags != SVR_TCP_ACK ||
        hb.tcp_flags != SVR_TCP_ACK || ha.tcp_ack != hb.tcp_ack ||
        ha.tcp_window != hb.tcp_window || len_a == 0 || len_b == 0 ||
        len_b > len_a || hb.tcp_seq != ha.tcp_seq + len_a)
        return;
    a->f.p.segment_size = (uint16_t)len_a;
    cr_assert_eq(svr_packet_extend(&a->f.p, &ha, (int)len_b), 0);
    memcpy(a->f.p.data + ha.payload + len_a, b->f.p.data + hb.payload, len_b);
    a->f.p.checksum = SVR_CHECKSUM_PARTIAL;
    svr_packet_checksum_write(&a->f.p, &ha);
    frame_free(&b->f);
    drop_flight(s, i + 1);
}

/* What the WAN does to the i-th packet. False: it is lost. */
static bool suffer(struct sim *s, size_t i)
{
    struct flight *at = &s->wire[i];
    if (!s->rough)
        return true;
    if (chance(s, 5))
        return false;
    if (chance(s, 5))
        put_on_wire(s, frame_copy(&at->f), at->to, at->tainted);
    if (chance(s, 4) && at->f.p.checksum == SVR_CHECKSUM_FULL &&
        !at->tainted) { /* two flips can make a sum right again */
        at->tainted = true;
        flip(s, &at->f);
    } else if (chance(s, 6)) {
        at->tainted |= forge(s, &at->f);
    } else if (chance(s, 2)) {
        at->tainted = true;
        at->f.p.len = below(s, at->f.p.len);
    } else if (chance(s, 3) && !at->f.p.segment_size) {
        at->f.p.len += 1 + below(s, 40); /* Ethernet's pad: no harm */
    } else if (chance(s, 20)) {
        join(s, i);
    }
    return true;
}

static void arrive(struct sim *s)
{
    enum { BATCH = 8 };
    struct frame batch[BATCH];
    size_t count = 0, i = 0;
    bool tainted = false;
    if (s->wire_count == 0)
        return;
    if (s->rough && chance(s, 15))
        i = below(s, (uint32_t)s->wire_count);
    svr_node **to = s->wire[i].to;
    while (count < BATCH && i < s->wire_count && s->wire[i].to == to &&
           !tainted) {
        bool there = suffer(s, i);
        struct flight f = s->wire[i];
        if (there && f.tainted && count)
            break; /* on its own, so that only its output is in doubt */
        drop_flight(s, i);
        if (there) {
            batch[count++] = f.f;
            tainted = f.tainted;
        } else {
            frame_free(&f.f);
        }
    }
    net_input_batch(&s->net, *to, batch, count, NET_WAN);
    take_output(s, *to, tainted);
    for (size_t k = 0; k < count; k++)
        frame_free(&batch[k]);
}

/* Steps */

/* A host's packet that its own network does not take whole. */
static void send_fragments(struct sim *s, svr_node *n, struct frame *f)
{
    static uint8_t buf[SVR_OUTPUT_SIZE(NET_MTU)];
    svr_ip_split split;
    svr_headers h;
    cr_assert_eq(svr_packet_parse(&h, &f->p), 0);
    svr_packet_checksum_complete(&f->p, &h);
    cr_assert_eq(svr_ip_split_begin(&split, &f->p,
                                    (uint16_t)(NET_MTU - below(s, 220)),
                                    s->next_id++),
                 0);
    while (svr_ip_split_more(&split)) {
        struct frame part = {.buf = NULL};
        cr_assert_eq(svr_ip_split_next(&split, &part.p, buf, sizeof(buf)), 0);
        part = frame_copy(&part);
        if (!s->rough || chance(s, 98)) {
            net_input(&s->net, n, &part, NET_LAN);
            take_output(s, n, false);
        }
        frame_free(&part);
    }
}

static void send(struct sim *s, struct talk *t, bool reverse, bool small)
{
    struct frame f = make_packet(s, t, reverse, small);
    svr_node *n = t->from_dc != reverse ? s->net.dc : s->net.branch;
    bool tainted = false;
    if (s->rough)
        vary(s, &f);
    if (f.p.len > NET_MTU && !f.p.segment_size) {
        send_fragments(s, n, &f);
        frame_free(&f);
        return;
    }
    if (s->rough && chance(s, 2) && f.p.checksum == SVR_CHECKSUM_FULL) {
        svr_headers h;
        cr_assert_eq(svr_packet_parse(&h, &f.p), 0);
        tainted = !has_no_checksum(&f.p, &h);
        if (tainted)
            flip(s, &f);
    }
    net_input(&s->net, n, &f, NET_LAN);
    take_output(s, n, tainted);
    frame_free(&f);
}

static void speak(struct sim *s)
{
    struct talk *t = &s->talk[below(s, TALKS)];
    bool reverse = t->heard && chance(s, 45);
    for (uint32_t i = 0; i <= below(s, 4); i++)
        send(s, t, reverse, false);
}

/* Of those who may not. */
static void trespass(struct sim *s)
{
    svr_tuple t = {.src = addr("10.3.0.10"),
                   .dst = host(false, true, 100),
                   .sport = 5,
                   .dport = 80,
                   .proto = SVR_PROTO_UDP};
    svr_node *n = s->net.branch;
    bool from_dc = !s->net.options.reverse && chance(s, 50);
    if (from_dc) { /* the service's side opens nothing (S13) */
        t.src = host(false, true, 250);
        t.dst = host(false, false, 250);
        n = s->net.dc;
    }
    struct frame f =
        chance(s, 50)
            ? frame_udp_tuple(&t, NULL, below(s, 1400))
            : frame_tcp_tuple(&(svr_tuple){t.src, t.dst, 5, 80, SVR_PROTO_TCP},
                              SVR_TCP_SYN, 1, 0, "", 0);
    size_t before = svr_node_session_count(n);
    cr_assert_neq(net_input(&s->net, n, &f, from_dc ? NET_LAN : NET_GUEST),
                  SVR_DROP_NONE);
    cr_assert_eq(svr_node_session_count(n), before);
    for (size_t i = 0; i < s->net.out_count; i++)
        cr_assert_neq(s->net.out[i].p.iface, NET_WAN);
    frame_free(&f);
}

static void pass_time(struct sim *s, svr_time much)
{
    svr_node **nodes[] = {&s->net.branch, &s->net.hub, &s->net.dc};
    svr_time until = s->net.now + much;
    for (int i = 0; i < 3; i++) {
        if (!*nodes[i])
            continue;
        net_run(&s->net, *nodes[i], until);
        take_output(s, *nodes[i], false);
    }
}

static void restart(struct sim *s)
{
    svr_node **nodes[] = {&s->net.branch, &s->net.dc, &s->net.hub};
    net_restart(&s->net, nodes[below(s, s->net.hub ? 3 : 2)]);
}

/* The hosts forget their connection and open another between the same ports. */
static void reconnect(struct sim *s)
{
    struct talk *t = &s->talk[below(s, TALKS)];
    if (t->tuple.proto != SVR_PROTO_TCP || t->life > 200)
        return;
    t->life++;
    t->sent[0] = t->sent[1] = 0;
    t->heard = false;
}

static void take_step(struct sim *s)
{
    uint32_t what = below(s, 1000);
    if (what < 450)
        speak(s);
    else if (what < 900)
        arrive(s);
    else if (what < 950)
        pass_time(s, below(s, 400) * SVR_MILLISECOND);
    else if (what < 960)
        pass_time(s, below(s, 12) * SVR_SECOND);
    else if (what < 990)
        trespass(s);
    else if (what < 998)
        reconnect(s);
    else
        restart(s);
    for (int i = 0; i < 20 && s->wire_count > WIRE / 2; i++)
        arrive(s);
}

static void settle_wire(struct sim *s)
{
    while (s->wire_count)
        arrive(s);
}

/* On a quiet WAN every talk gets through again in both directions, whatever
 * state the routers were left in. An ingress remembers for 5 s that a session
 * was refused, which may be so in the first seconds. */
static void check_recovery(struct sim *s)
{
    s->rough = false;
    settle_wire(s);
    for (int i = 0; i < TALKS; i++) {
        struct talk *t = &s->talk[i];
        if (t->tuple.proto == SVR_PROTO_TCP) { /* a new connection */
            t->life++;
            t->sent[0] = t->sent[1] = 0;
        }
        t->delivered[0] = t->delivered[1] = 0;
    }
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 2 * TALKS; i++) {
            struct talk *t = &s->talk[i / 2];
            send(s, t, i % 2, true);
            settle_wire(s);
        }
        pass_time(s, 1100 * SVR_MILLISECOND);
        settle_wire(s);
    }
    for (int i = 0; i < TALKS; i++)
        for (int reverse = 0; reverse < 2; reverse++)
            cr_assert_geq(s->talk[i].delivered[reverse], 2,
                          "talk %d, protocol %d, from dc %d, reverse %d", i,
                          s->talk[i].tuple.proto, s->talk[i].from_dc, reverse);
}

/* After silence nothing is left. */
static void check_silence(struct sim *s)
{
    svr_node *nodes[] = {s->net.branch, s->net.hub, s->net.dc};
    s->rough = false;
    settle_wire(s);
    pass_time(s, 2000 * SVR_SECOND);
    settle_wire(s);
    for (int i = 0; i < 3; i++) {
        if (!nodes[i])
            continue;
        cr_assert_eq(svr_node_session_count(nodes[i]), 0);
        cr_assert_eq(svr_node_expiry(nodes[i]), SVR_NEVER);
    }
}

static const svr_allocator host_memory = {heap_alloc, heap_free, NULL};

static void run(const struct net_options *o, uint64_t seed, bool recovers)
{
    static struct sim s;
    s = (struct sim){.seed = seed, .random = seed, .rough = true};
    net_open(&s.net, o);
    cr_assert_eq(svr_reassembly_create(&s.hosts, 5 * SVR_SECOND, &host_memory),
                 0);
    for (int i = 0; i < TALKS; i++)
        begin_talk(&s, &s.talk[i]);
    for (s.step = 0; s.step < STEPS; s.step++)
        take_step(&s);
    cr_assert_gt(s.came_out, o->sessions < TALKS ? STEPS / 100 : STEPS / 40,
                 "only %lu came out", (unsigned long)s.came_out);
    cr_assert(o->sessions < TALKS || s.joined > 0);
    if (recovers)
        check_recovery(&s);
    check_silence(&s);
    svr_reassembly_destroy(s.hosts);
    net_close(&s.net);
}

/* Where both sides may open, an answer can open a session of its own after a
 * restart; which of the two stays is not decided yet (S6.11). */
static const struct row {
    struct net_options o;
    bool recovers;
} rows[] = {
    {{.sessions = 2000}, true},
    {{.sessions = 2000, .per_packet = true}, true},
    {{.sessions = 2000, .v6_pathway = true, .no_offload = true}, true},
    {{.sessions = 2000,
      .per_packet = true,
      .v6_pathway = true,
      .regular = true},
     true},
    {{.sessions = 2000, .hub = true}, true},
    {{.sessions = 2000, .hub = true, .per_packet = true}, true},
    {{.sessions = 2000, .hub = true, .v6_pathway = true, .reverse = true},
     false},
    {{.sessions = 2000, .per_packet = true, .reverse = true}, false},
    {{.sessions = 7, .reverse = true, .reset = true}, false},
    {{.sessions = 7, .hub = true, .per_packet = true, .prohibited = true},
     false},
    {{.sessions = 50, .server_mtu = 1300, .no_offload = true}, false},
    {{.sessions = 2000, .masked = NET_MASK_BRANCH}, true},
    {{.sessions = 2000,
      .masked = NET_MASK_BRANCH | NET_MASK_DC,
      .per_packet = true,
      .v6_pathway = true,
      .reverse = true},
     false},
    {{.sessions = 2000, .masked = NET_MASK_BRANCH, .hub = true}, true},
    {{.sessions = 2000,
      .masked = NET_MASK_HUB,
      .hub = true,
      .per_packet = true,
      .server_mtu = 1300},
     true},
};

Test(node_random, talks)
{
    const char *given = getenv("SVR_TEST_SEED");
    uint64_t base = given ? strtoull(given, NULL, 0) : 1;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fprintf(stderr, "node_random: row %zu, SVR_TEST_SEED=%lu\n", i,
                (unsigned long)base);
        run(&rows[i].o, base * 1000 + i, rows[i].recovers);
    }
}

/* Junk */

/* A packet of random bytes, or of random bytes behind headers that hold. */
static struct frame make_junk(struct sim *s, svr_node *to, bool wan)
{
    static const uint8_t protos[] = {1, 6, 17, 47, 58, 0, 44, 60};
    svr_tuple t = {.proto = SVR_PROTO_UDP};
    bool v6 = chance(s, 50), structured = chance(s, 80);
    struct frame f;
    t.src = wan ? addr(v6 ? "2001:db8:f::" : "203.0.113.0")
                : host(v6, to == s->net.dc, below(s, 256));
    t.dst = wan ? t.src : host(v6, chance(s, 50), below(s, 256));
    if (wan) {
        t.src.b[15] = (uint8_t)(1 + below(s, 3));
        t.dst.b[15] = to == s->net.branch ? 1 : 2;
    }
    t.sport = (uint16_t)test_random(&s->random);
    t.dport = (uint16_t)test_random(&s->random);
    f = frame_udp_tuple(&t, NULL, below(s, 1400));
    test_fill(&s->random, f.p.data + (structured ? 48 : 0),
              f.p.len > 48 ? f.p.len - 48 : 0);
    if (structured) {
        svr_headers h;
        if (chance(s, 40))
            memcpy(f.p.data + (v6 ? 48 : 28), cookie,
                   f.p.len > 60 ? sizeof(cookie) : 0);
        if (chance(s, 30))
            f.p.data[v6 ? 6 : 9] = protos[below(s, sizeof(protos))];
        if (chance(s, 90) && svr_packet_parse(&h, &f.p) == 0)
            svr_packet_checksum_write(&f.p, &h);
    }
    return f;
}

/* What a careless program may hand over: little room, odd offload facts. */
static void mistreat(struct sim *s, struct frame *f)
{
    if (chance(s, 20))
        f->p.headroom = (uint16_t)below(s, SVR_HEADROOM);
    if (chance(s, 20))
        f->p.tailroom = (uint16_t)below(s, 40);
    if (chance(s, 20))
        f->p.segment_size = (uint16_t)below(s, chance(s, 50) ? 2000 : 65536);
    if (chance(s, 20))
        f->p.checksum = (uint8_t)below(s, 3);
}

/* No packet that was not signed opens a session on the WAN. */
Test(node_random, junk)
{
    static struct sim s;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        fprintf(stderr, "node_random: junk %lu\n", (unsigned long)seed);
        s = (struct sim){.seed = seed, .random = seed};
        net_open(&s.net, &(struct net_options){
                             .per_packet = seed & 1,
                             .v6_pathway = seed & 2,
                             .masked = seed & 2 ? NET_MASK_BRANCH : 0});
        for (int i = 0; i < 4000; i++) {
            bool wan = chance(&s, 70);
            svr_node *n = chance(&s, 50) ? s.net.branch : s.net.dc;
            size_t before = svr_node_session_count(n);
            struct frame f = make_junk(&s, n, wan);
            mistreat(&s, &f);
            net_input(&s.net, n, &f, wan ? NET_WAN : NET_LAN);
            cr_assert(!wan || svr_node_session_count(n) == before);
            cr_assert_leq(svr_node_session_count(n), svr_node_session_limit(n));
            frame_free(&f);
        }
        net_close(&s.net);
    }
}

/* Bytes, lengths and checksums of a real packet change. in_payload: behind the
 * L4 header only. */
static void mutate(struct sim *s, struct frame *f, bool in_payload)
{
    svr_headers h = frame_headers(f);
    uint32_t from = in_payload ? h.payload : 0;
    uint32_t len = f->p.len;
    for (uint32_t i = 0; i <= below(s, 4); i++) {
        uint8_t *b = &f->p.data[from + below(s, len - from)];
        uint8_t old = *b;
        switch (below(s, 3)) {
        case 0:
            *b = (uint8_t)(old ^ 1u << below(s, 8));
            break;
        case 1:
            *b = (uint8_t)test_random(&s->random);
            break;
        case 2:
            *b = chance(s, 50) ? 0 : 0xff;
            break;
        }
    }
    if (chance(s, 10))
        cr_assert_eq(svr_packet_extend(&f->p, &h,
                                       (int)below(s, 64) -
                                           (int)(f->p.len - h.payload) / 2),
                     0);
    svr_headers now;
    if (in_payload || (chance(s, 80) && svr_packet_parse(&now, &f->p) == 0))
        svr_packet_checksum_write(&f->p, in_payload ? &h : &now);
}

/* Real packets with wrong bytes, before any right one and after: those that
 * differ behind the L4 header open nothing, whatever their checksum says. */
Test(node_random, mutations)
{
    static struct sim s;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        fprintf(stderr, "node_random: mutations %lu\n", (unsigned long)seed);
        s = (struct sim){.seed = seed, .random = seed};
        net_open(&s.net, &(struct net_options){
                             .per_packet = seed & 1,
                             .v6_pathway = seed & 2,
                             .masked = seed & NET_MASK_DC ? NET_MASK_BRANCH : 0,
                             .sessions = 500});
        cr_assert_eq(
            svr_reassembly_create(&s.hosts, 5 * SVR_SECOND, &host_memory), 0);
        for (int i = 0; i < TALKS; i++)
            begin_talk(&s, &s.talk[i]);
        for (int i = 0; i < TALKS * 8; i++) {
            struct talk *t = &s.talk[i % TALKS];
            bool reverse = t->heard && i % 3 == 0;
            send(&s, t, reverse, i < TALKS);
            while (s.wire_count) {
                struct flight right = s.wire[0];
                svr_node *n = *right.to;
                for (int k = 0; k < 6; k++) {
                    struct frame f = frame_copy(&right.f);
                    size_t before = svr_node_session_count(n);
                    bool in_payload = f.p.segment_size == 0 && chance(&s, 70);
                    finish_checksum(&f);
                    svr_headers h = frame_headers(&f);
                    in_payload &= f.p.len > h.payload;
                    mutate(&s, &f, in_payload);
                    if (!in_payload)
                        mistreat(&s, &f);
                    bool same = f.p.len == right.f.p.len &&
                                memcmp(f.p.data, right.f.p.data, f.p.len) == 0;
                    if (!same)
                        net_input(&s.net, n, &f, NET_WAN);
                    cr_assert(!in_payload ||
                                  svr_node_session_count(n) <= before,
                              "mutation %d of packet %d", k, i);
                    frame_free(&f);
                }
                arrive(&s);
            }
        }
        cr_assert_gt(s.came_out, 0);
        check_silence(&s);
        svr_reassembly_destroy(s.hosts);
        net_close(&s.net);
    }
}
