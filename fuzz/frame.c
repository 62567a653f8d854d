#include "frame.h"
#include "wire/checksum.h"
#include "wire/headers.h"

#include <assert.h>
#include <stdlib.h>

static void *must(void *block)
{
    if (!block)
        abort();
    return block;
}

bool frame_open(struct frame *f, const uint8_t *data, size_t len)
{
    if (len < FRAME_ARGS)
        return false;
    memset(f, 0, sizeof(*f));
    f->args = svr__rd_over(data, FRAME_ARGS);
    f->which = svr__rd_u8(&f->args);
    unsigned options = svr__rd_u8(&f->args);
    uint8_t room = options & FRAME_TIGHT ? svr__rd_u8(&f->args) : 0;
    uint16_t head = options & FRAME_TIGHT ? room : SVR_HEADROOM;
    uint16_t tail = options & FRAME_TIGHT ? room : SVR_TAILROOM;

    len -= FRAME_ARGS;
    f->size = head + len + tail;
    f->block = must(malloc(f->size));
    memset(f->block, 0, head);
    memcpy(f->block + head, data + FRAME_ARGS, len);
    memset(f->block + head + len, 0, tail);
    f->p = (svr_packet){
        .data = f->block + head,
        .len = (uint32_t)len,
        .headroom = head,
        .tailroom = tail,
        .checksum = options & FRAME_PARTIAL ? SVR_CHECKSUM_PARTIAL
                    : options & FRAME_VALID ? SVR_CHECKSUM_VALID
                                            : SVR_CHECKSUM_FULL,
    };
    if (options & FRAME_RIGHT_IP4 && len >= IP4_SIZE &&
        len >= (size_t)(f->p.data[0] & 15) * 4 && !svr__is_v6(f->p.data))
        svr__ip4_checksum_write(f->p.data);
    f->write_l4 = options & FRAME_RIGHT_L4;
    return true;
}

bool frame_parse(struct frame *f)
{
    struct frame copy;
    uint8_t checksum = f->p.checksum;
    bool ok;

    frame_copy(&copy, f);
    ok = svr_packet_parse(&f->h, &f->p) == 0;
    if (!ok)
        assert(frame_is_same(f, &copy));
    frame_close(&copy);
    if (ok && f->write_l4)
        svr_packet_checksum_write(&f->p, &f->h);
    f->p.checksum = checksum;
    return ok;
}

void frame_close(struct frame *f)
{
    free(f->block);
}

void frame_copy(struct frame *to, const struct frame *f)
{
    memcpy(to, f, sizeof(*to));
    to->block = must(malloc(f->size));
    memcpy(to->block, f->block, f->size);
    to->p.data = to->block + (f->p.data - f->block);
}

static bool are_same(const svr_headers *a, const svr_headers *b)
{
    return svr_tuple_equal(&a->tuple, &b->tuple) && a->l4 == b->l4 &&
           a->l4_proto_at == b->l4_proto_at && a->payload == b->payload &&
           a->ttl == b->ttl && a->tos == b->tos &&
           a->tcp_flags == b->tcp_flags && a->tcp_seq == b->tcp_seq &&
           a->tcp_ack == b->tcp_ack && a->tcp_window == b->tcp_window &&
           a->icmp_type == b->icmp_type && a->icmp_code == b->icmp_code &&
           a->icmp_error == b->icmp_error && a->icmp_echo == b->icmp_echo;
}

bool frame_is_same(const struct frame *f, const struct frame *copy)
{
    return f->p.data - f->block == copy->p.data - copy->block &&
           f->p.len == copy->p.len && f->p.headroom == copy->p.headroom &&
           f->p.tailroom == copy->p.tailroom &&
           f->p.checksum == copy->p.checksum && are_same(&f->h, &copy->h) &&
           memcmp(f->block, copy->block, f->size) == 0;
}

svr_addr frame_take_addr(struct frame *f, bool v6)
{
    uint8_t b[16] = {0x20, 0x01, 0x0d, 0xb8};

    if (v6) {
        svr__rd_copy(&f->args, b + 12, 4);
        memcpy(b + 6, b + 12, 4);
        return svr_addr_from_v6(b);
    }
    svr__rd_copy(&f->args, b, 4);
    b[0] = (uint8_t)(1 + b[0] % 126);
    return svr_addr_from_v4(b);
}

svr_tuple frame_take_tuple(struct frame *f, bool v6, uint8_t proto)
{
    svr_tuple t = {.proto = proto};

    t.src = frame_take_addr(f, v6);
    t.dst = frame_take_addr(f, v6);
    t.sport = svr__rd_u16(&f->args);
    t.dport = svr__rd_u16(&f->args);
    return t;
}

bool frame_is_exact(const svr_packet *p, const svr_headers *h)
{
    svr_packet copy = *p;
    bool exact;

    copy.data = must(malloc(p->len));
    memcpy(copy.data, p->data, p->len);
    svr_packet_checksum_write(&copy, h);
    exact = memcmp(copy.data, p->data, p->len) == 0;
    free(copy.data);
    return exact;
}

void frame_check(const svr_packet *p, const svr_headers *h)
{
    svr_packet again = *p;
    svr_headers now;

    assert(svr_packet_parse(&now, &again) == 0);
    assert(again.len == p->len);
    assert(are_same(&now, h));
}

void frame_run(const uint8_t *data, size_t len, frame_case *const *cases,
               size_t count)
{
    struct frame f;

    if (!frame_open(&f, data, len))
        return;
    if (frame_parse(&f))
        cases[f.which % count](&f);
    frame_close(&f);
}
