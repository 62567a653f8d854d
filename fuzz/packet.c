/*
 * Packets that parse, and what is made of them: checksums, pieces, ICMP errors,
 * resets, new headers in front of the payload.
 */
#include "frame.h"
#include "fuzz.h"
#include "wire/headers.h"
#include "wire/tls.h"

#include <assert.h>
#include <stdlib.h>

#define PIECES_MAX 64

/* RFC 1071, one byte at a time; p begins at an even place. */
static unsigned naive_sum(unsigned sum, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        sum += i % 2 ? p[i] : (unsigned)p[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

/* Whether the L4 checksum that stands in the packet is right. */
static bool is_right(const svr_packet *p, const svr_headers *h)
{
    uint8_t proto = h->tuple.proto;
    size_t len = p->len - h->l4;
    uint8_t rest[] = {0, 0, (uint8_t)(len >> 8), (uint8_t)len, 0, proto};
    unsigned sum = naive_sum(0, p->data + h->l4, len);

    if (proto == SVR_PROTO_ICMP)
        return sum == 0xffff;
    sum = svr__is_v6(p->data) ? naive_sum(sum, p->data + IP6_SRC, 32)
                              : naive_sum(sum, p->data + IP4_SRC, 8);
    return naive_sum(sum, rest, sizeof(rest)) == 0xffff;
}

static bool has_checksum(const svr_packet *p, const svr_headers *h)
{
    return svr__has_ports(h->tuple.proto) ||
           svr__is_icmp(h->tuple.proto, svr__is_v6(p->data));
}

static bool has_none(const svr_packet *p, const svr_headers *h)
{
    return h->tuple.proto == SVR_PROTO_UDP &&
           svr__load_be16(p->data + h->l4 + UDP_CHECKSUM) == 0;
}

static void checksum(struct frame *f)
{
    if (f->p.checksum == SVR_CHECKSUM_FULL && has_checksum(&f->p, &f->h)) {
        bool right = has_none(&f->p, &f->h) ? !svr__is_v6(f->p.data)
                                            : is_right(&f->p, &f->h);
        assert(svr_packet_checksum_ok(&f->p, &f->h) == right);
    }
    svr_packet_checksum_write(&f->p, &f->h);
    frame_check(&f->p, &f->h);
    assert(frame_is_exact(&f->p, &f->h));
    svr_packet_checksum_complete(&f->p, &f->h);
    assert(svr_packet_checksum_ok(&f->p, &f->h));
    if (has_checksum(&f->p, &f->h) && !has_none(&f->p, &f->h))
        assert(is_right(&f->p, &f->h));
    assert(f->p.checksum == SVR_CHECKSUM_FULL);
}

/* The piece that begins at the byte `taken` of the payload. Returns the next
 * one's beginning. */
static uint32_t check_piece(const struct frame *f, const svr_packet *piece,
                            uint32_t taken, uint16_t size)
{
    bool first = taken == 0, syn = f->h.tcp_flags & SVR_TCP_SYN;
    svr_packet p = *piece;
    svr_headers h;
    uint32_t len;

    assert(svr_packet_parse(&h, &p) == 0 && p.len == piece->len);
    assert(svr_packet_checksum_ok(&p, &h) && h.payload == f->h.payload);
    assert(svr_tuple_equal(&h.tuple, &f->h.tuple));
    len = p.len - h.payload;
    assert(len <= size && taken + len <= f->p.len - h.payload);
    assert(memcmp(p.data + h.payload, f->p.data + h.payload + taken, len) == 0);
    assert(h.tcp_seq == f->h.tcp_seq + taken + (syn && !first));
    assert(!(h.tcp_flags & ~f->h.tcp_flags));
    assert((h.tcp_flags & SVR_TCP_SYN) == (first && syn ? SVR_TCP_SYN : 0));
    return taken + len;
}

static void cut(struct frame *f)
{
    uint16_t size = svr__rd_u16(&f->args);
    uint32_t payload = f->p.len - f->h.payload, taken = 0;
    svr_cut c;

    int err = svr_cut_begin(&c, &f->p, &f->h, size);
    if (err == 0 && f->h.tuple.proto == SVR_PROTO_UDP)
        return; /* fuzz/join cuts datagrams */
    if (size == 0 || f->h.tuple.proto != SVR_PROTO_TCP) {
        assert(err == SVR_ERR_ARGUMENT);
        return;
    }
    assert(err == 0);
    if (payload / size > PIECES_MAX)
        return;
    while (svr_cut_more(&c)) {
        uint32_t left = payload - taken;
        size_t room = SVR_HEADROOM + SVR_TAILROOM + f->h.payload +
                      (left < size ? left : size);
        uint8_t *buf = malloc(room);
        svr_packet piece;

        assert(svr_cut_next(&c, &piece, buf, room - 1) == SVR_ERR_NO_SPACE);
        assert(svr_cut_next(&c, &piece, buf, room) == 0);
        taken = check_piece(f, &piece, taken, size);
        free(buf);
    }
    assert(taken == payload);
}

static void check_error(const svr_packet *error, const struct frame *f,
                        const svr_addr *from)
{
    bool v6 = !svr_addr_is_v4(from);
    svr_packet p = *error;
    svr_headers h;
    svr_tuple quoted;

    assert(svr_packet_parse(&h, &p) == 0 && p.len == error->len);
    assert(svr_packet_checksum_ok(&p, &h) && h.icmp_error);
    assert(svr_addr_equal(&h.tuple.src, from));
    assert(svr_addr_equal(&h.tuple.dst, &f->h.tuple.src));
    assert(memcmp(p.data + h.payload, f->p.data, p.len - h.payload) == 0);
    if (svr_icmp_quote_parse(&quoted, p.data + h.l4, p.len - h.l4, v6) == 0)
        assert(svr_tuple_equal(&quoted, &f->h.tuple));
}

static void answer(struct frame *f)
{
    uint8_t choice = svr__rd_u8(&f->args);
    enum svr_icmp_kind kind = choice % (SVR_ICMP_NO_ROUTE + 1);
    bool v6 = svr__is_v6(f->p.data);
    svr_addr own = frame_take_addr(f, choice & 0x80 ? !v6 : v6);
    size_t headers = ICMP_SIZE + (v6 ? IP6_SIZE : IP4_SIZE);
    size_t most = v6 ? 1280 : 576;
    size_t len = headers + f->p.len < most ? headers + f->p.len : most;
    size_t room = SVR_HEADROOM + len + SVR_TAILROOM;
    uint16_t mtu = svr__rd_u16(&f->args);
    uint8_t *buf = malloc(room);
    svr_packet error;

    int err =
        svr_icmp_error(&error, buf, room - 1, kind, mtu, &own, &f->p, &f->h);
    assert(err == SVR_ERR_NO_SPACE || err == SVR_ERR_DENIED);
    if (err == SVR_ERR_NO_SPACE) {
        assert(svr_icmp_error(&error, buf, room, kind, mtu, &own, &f->p,
                              &f->h) == 0);
        assert(error.len == len);
        check_error(&error, f, &own);
    }
    free(buf);
}

/* RFC 9293 3.10.7.1: SYN and FIN take a place in the sequence each. */
static void check_reset(const svr_headers *reset, const struct frame *f)
{
    uint32_t end = f->h.tcp_seq + f->p.len - f->h.payload;

    if (f->h.tcp_flags & SVR_TCP_ACK) {
        assert(reset->tcp_flags == SVR_TCP_RST);
        assert(reset->tcp_seq == f->h.tcp_ack);
        return;
    }
    end += (f->h.tcp_flags & SVR_TCP_SYN) != 0;
    end += (f->h.tcp_flags & SVR_TCP_FIN) != 0;
    assert(reset->tcp_flags == (SVR_TCP_RST | SVR_TCP_ACK));
    assert(reset->tcp_seq == 0 && reset->tcp_ack == end);
}

static void reset(struct frame *f)
{
    size_t size = TCP_SIZE + (svr__is_v6(f->p.data) ? IP6_SIZE : IP4_SIZE);
    size_t room = SVR_HEADROOM + size + SVR_TAILROOM;
    svr_tuple back = svr_tuple_reverse(&f->h.tuple);
    uint8_t *buf = malloc(room);
    svr_packet p;
    svr_headers h;

    int err = svr_tcp_reset(&p, buf, room - 1, &f->p, &f->h);
    assert(err == SVR_ERR_NO_SPACE || err == SVR_ERR_DENIED);
    if (err == SVR_ERR_NO_SPACE) {
        assert(svr_tcp_reset(&p, buf, room, &f->p, &f->h) == 0);
        assert(svr_packet_parse(&h, &p) == 0 && p.len == size);
        assert(svr_packet_checksum_ok(&p, &h));
        assert(svr_tuple_equal(&h.tuple, &back));
        check_reset(&h, f);
        assert(svr_tcp_reset(&p, buf, room, &p, &h) == SVR_ERR_DENIED);
    }
    free(buf);
}

static int wrap_as(svr_packet *p, const svr_tuple *t, uint32_t seq)
{
    if (t->proto == SVR_PROTO_TCP)
        return svr_tcp_wrap(p, t, seq, ~seq);
    if (t->proto == SVR_PROTO_UDP)
        return svr_udp_wrap(p, t);
    return svr_icmp_wrap(p, &t->src, &t->dst);
}

/* The payload in new headers, of either family. */
static void wrap(struct frame *f)
{
    static const uint8_t protos[] = {SVR_PROTO_TCP, SVR_PROTO_UDP,
                                     SVR_PROTO_ICMP};
    uint8_t choice = svr__rd_u8(&f->args);
    bool v6 = choice & 0x80;
    svr_tuple to = frame_take_tuple(f, v6, protos[choice % 3]);
    svr_packet p = f->p;
    svr_headers h;

    if (choice & 0x40)
        to.dst = frame_take_addr(f, !v6);
    p.data += f->h.payload;
    p.len -= f->h.payload;
    p.headroom = svr__room(p.headroom, f->h.payload);
    uint8_t *payload = p.data;
    uint32_t len = p.len;
    if (wrap_as(&p, &to, svr__rd_u32(&f->args)) < 0) {
        assert(p.data == payload && p.len == len);
        return;
    }
    assert(svr_packet_parse(&h, &p) == 0);
    assert(svr_packet_checksum_ok(&p, &h));
    assert(svr_addr_equal(&h.tuple.src, &to.src));
    assert(svr_addr_equal(&h.tuple.dst, &to.dst));
    assert(p.data + p.len == payload + len);
    if (to.proto != SVR_PROTO_ICMP)
        assert(svr_tuple_equal(&h.tuple, &to) && p.data + h.payload == payload);
}

/* S11.9: it is told by six bytes, whatever follows. */
static void hello(const uint8_t *data, size_t len)
{
    bool is = len >= 6 && data[0] == 22 && data[1] == 3 && data[2] >= 1 &&
              data[2] <= 4 && data[5] == 1;
    unsigned record = len >= 6 ? (unsigned)data[3] << 8 | data[4] : 0;

    assert(svr__tls_is_hello((svr_span){data, len}) ==
           (is && record >= 4 && record <= 16384));
}

void fuzz_one(const uint8_t *data, size_t len)
{
    hello(data, len);
    static frame_case *const cases[] = {checksum, cut, answer, reset, wrap};

    frame_run(data, len, cases, sizeof(cases) / sizeof(cases[0]));
}
