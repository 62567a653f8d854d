/*
 * Packets that change: the result parses to what was asked for, what was to
 * stay has stayed, a checksum that was right is right to the bit and a wrong
 * one stays wrong; where a change is refused nothing has changed.
 */
#include "frame.h"
#include "fuzz.h"
#include "wire/checksum.h"
#include "wire/headers.h"

#include <assert.h>
#include <stdlib.h>

/* What is known of a packet's checksums. */
struct sums {
    bool exact, wrong;
    bool none; /* UDP's zero */
};

/* Of an echo of zeros alone nobody can tell whether its checksum of zero is a
 * wrong one. */
static bool is_zero(const struct frame *f)
{
    return f->h.icmp_echo &&
           svr__sum(f->p.data + f->h.l4, f->p.len - f->h.l4) == 0;
}

static struct sums look(const struct frame *f)
{
    bool none = f->h.tuple.proto == SVR_PROTO_UDP &&
                svr__load_be16(f->p.data + f->h.l4 + UDP_CHECKSUM) == 0;

    return (struct sums){
        .exact = frame_is_exact(&f->p, &f->h),
        .wrong = !none && !is_zero(f) && !svr_packet_checksum_ok(&f->p, &f->h),
        .none = none,
    };
}

static void check_sums(const struct frame *f, const struct sums *before)
{
    struct sums now = look(f);

    assert(now.exact || !before->exact);
    assert(now.wrong || !before->wrong);
    assert(before->none || !now.none || f->p.checksum == SVR_CHECKSUM_PARTIAL);
}

/* The last len bytes are those of the other one. */
static void check_end(const struct frame *f, const struct frame *before,
                      size_t len)
{
    assert(len <= f->p.len && len <= before->p.len);
    assert(memcmp(f->p.data + f->p.len - len,
                  before->p.data + before->p.len - len, len) == 0);
}

static void rewrite(struct frame *f)
{
    svr_headers *h = &f->h;
    svr_tuple to = frame_take_tuple(f, svr__is_v6(f->p.data), h->tuple.proto);
    struct sums before = look(f);
    struct frame copy;
    svr_rewrite rw;

    if (!svr__has_ports(h->tuple.proto) || h->ttl == 0)
        return;
    frame_copy(&copy, f);
    svr_rewrite_init(&rw, &h->tuple, &to);
    svr_packet_rewrite(&f->p, h, &rw);
    h->tuple = to;
    h->ttl--;
    frame_check(&f->p, h);
    check_sums(f, &before);
    check_end(f, &copy, f->p.len - h->payload);
    frame_close(&copy);
}

static uint8_t take_proto(struct frame *f)
{
    static const uint8_t protos[] = {SVR_PROTO_UDP, SVR_PROTO_TCP,
                                     SVR_PROTO_ICMP, SVR_PROTO_ICMPV6};
    uint8_t choice = svr__rd_u8(&f->args) % 8, any = svr__rd_u8(&f->args);

    if (choice < sizeof(protos))
        return protos[choice];
    return choice == 4 ? any : f->h.tuple.proto;
}

/* How much longer the packet is behind its IP header. */
static int growth(uint8_t from, uint8_t to)
{
    if (from == to)
        return 0;
    return to == SVR_PROTO_UDP ? UDP_SIZE : -UDP_SIZE;
}

/* There, and back again as far as that is possible. */
static void convert(struct frame *f)
{
    bool v6 = svr__rd_u8(&f->args) & 1;
    uint8_t proto = take_proto(f);
    svr_tuple from = f->h.tuple, to = frame_take_tuple(f, v6, proto);
    struct sums before = look(f);
    struct frame copy;
    bool kept = from.proto == to.proto;

    if (f->h.ttl < 2)
        return;
    frame_copy(&copy, f);
    if (svr_packet_convert(&f->p, &f->h, &to) < 0) {
        assert(frame_is_same(f, &copy));
    } else {
        frame_check(&f->p, &f->h);
        assert(svr_addr_equal(&f->h.tuple.src, &to.src));
        assert(svr_addr_equal(&f->h.tuple.dst, &to.dst));
        assert(f->h.tuple.proto == proto && f->h.ttl == copy.h.ttl - 1);
        assert(f->p.data + f->p.len - f->block ==
               copy.p.data + copy.p.len - copy.block);
        assert((int64_t)f->p.len - f->h.l4 ==
               (int64_t)copy.p.len - copy.h.l4 + growth(from.proto, proto));
        check_end(f, &copy, copy.p.len - copy.h.payload);
        if (kept)
            check_sums(f, &before);
        if (svr_packet_convert(&f->p, &f->h, &from) == 0)
            frame_check(&f->p, &f->h);
    }
    frame_close(&copy);
}

/* With checksums written anew it parses, whatever stands in the gap. */
static void check_resized(const struct frame *f)
{
    struct frame copy;

    frame_copy(&copy, f);
    svr_packet_checksum_write(&copy.p, &copy.h);
    frame_check(&copy.p, &copy.h);
    frame_close(&copy);
}

static void check_restored(const struct frame *f, const struct frame *before)
{
    assert(f->p.len == before->p.len);
    assert(memcmp(f->p.data, before->p.data, f->p.len) == 0);
}

static void insert(struct frame *f)
{
    size_t len = svr__rd_u16(&f->args) % 1024;
    uint32_t payload = f->p.len - f->h.payload;
    struct frame copy;

    frame_copy(&copy, f);
    if (svr_packet_insert(&f->p, &f->h, len) < 0) {
        assert(frame_is_same(f, &copy));
    } else {
        memset(f->p.data + f->h.payload, 0xee, len);
        assert(f->p.len == copy.p.len + len);
        check_end(f, &copy, payload);
        check_resized(f);
        assert(svr_packet_remove(&f->p, &f->h, payload + len + 1) ==
               SVR_ERR_TRUNCATED);
        assert(svr_packet_remove(&f->p, &f->h, len) == 0);
        check_restored(f, &copy);
    }
    frame_close(&copy);
}

static void take_out(struct frame *f)
{
    size_t len = svr__rd_u16(&f->args) % 64;
    struct frame copy;

    frame_copy(&copy, f);
    if (svr_packet_remove(&f->p, &f->h, len) < 0) {
        assert(frame_is_same(f, &copy));
    } else {
        assert(f->p.len == copy.p.len - len);
        check_end(f, &copy, f->p.len - f->h.payload);
        check_resized(f);
    }
    frame_close(&copy);
}

static void extend(struct frame *f)
{
    int len = (int16_t)svr__rd_u16(&f->args) % 256;
    struct frame copy;

    frame_copy(&copy, f);
    if (svr_packet_extend(&f->p, &f->h, len) < 0) {
        assert(frame_is_same(f, &copy));
    } else {
        uint32_t least = len < 0 ? f->p.len : copy.p.len;

        if (len > 0)
            memset(f->p.data + copy.p.len, 0xee, (size_t)len);
        assert((int64_t)f->p.len == (int64_t)copy.p.len + len);
        assert(memcmp(f->p.data + f->h.payload, copy.p.data + f->h.payload,
                      least - f->h.payload) == 0);
        if (f->p.len > f->h.l4)
            check_resized(f);
        assert(svr_packet_extend(&f->p, &f->h, -len) == 0);
        check_restored(f, &copy);
    }
    frame_close(&copy);
}

static void clamp(struct frame *f)
{
    uint16_t mss = svr__rd_u16(&f->args);
    struct sums before = look(f);
    struct frame copy, once;

    frame_copy(&copy, f);
    svr_packet_clamp_mss(&f->p, &f->h, mss);
    frame_check(&f->p, &f->h);
    check_sums(f, &before);
    check_end(f, &copy, f->p.len - f->h.payload);
    frame_copy(&once, f);
    svr_packet_clamp_mss(&f->p, &f->h, mss);
    assert(frame_is_same(f, &once));
    svr_packet_clamp_mss(&f->p, &f->h, UINT16_MAX);
    assert(frame_is_same(f, &once));
    if (!(f->h.tcp_flags & SVR_TCP_SYN))
        assert(frame_is_same(f, &copy));
    frame_close(&once);
    frame_close(&copy);
}

/* What TCP and TCP carried as UDP have in common: all but the places of
 * sequence number, checksum, urgent pointer and URG. */
static void check_form(const struct frame *f, const struct frame *before)
{
    const uint8_t *a = f->p.data + f->h.l4;
    const uint8_t *b = before->p.data + before->h.l4;

    assert(f->p.len == before->p.len);
    assert(memcmp(a, b, TCP_SEQ) == 0);
    assert(memcmp(a + TCP_ACK, b + TCP_ACK, TCP_FLAGS - TCP_ACK) == 0);
    assert(((a[TCP_FLAGS] ^ b[TCP_FLAGS]) & ~SVR_TCP_URG) == 0);
    assert(memcmp(a + TCP_WINDOW, b + TCP_WINDOW, 2) == 0);
    check_end(f, before, f->p.len - f->h.l4 - TCP_SIZE);
}

/* TCP becomes UDP and TCP again; UDP that carries TCP becomes that. */
static void mask(struct frame *f)
{
    uint32_t seq = f->h.tcp_seq;
    struct sums before = look(f);
    struct frame copy;
    bool tcp = f->h.tuple.proto == SVR_PROTO_TCP;

    frame_copy(&copy, f);
    if (tcp) {
        assert(svr_packet_mask(&f->p, &f->h) == 0);
        assert(f->h.tuple.proto == SVR_PROTO_UDP);
        frame_check(&f->p, &f->h);
        check_sums(f, &before);
        check_form(f, &copy);
    }
    if (svr_packet_unmask(&f->p, &f->h) < 0) {
        assert(!tcp && frame_is_same(f, &copy));
    } else {
        assert(f->h.tuple.proto == SVR_PROTO_TCP);
        assert(!tcp || f->h.tcp_seq == seq);
        frame_check(&f->p, &f->h);
        check_sums(f, &before);
        check_form(f, &copy);
    }
    frame_close(&copy);
}

void fuzz_one(const uint8_t *data, size_t len)
{
    static frame_case *const cases[] = {
        rewrite, convert, insert, take_out, extend, clamp, mask,
    };

    frame_run(data, len, cases, sizeof(cases) / sizeof(cases[0]));
}
