/*
 * Segments and datagrams that follow each other or nearly do: whatever is
 * joined gives, cut again, the segments that went in; each goes on once, in its
 * order.
 */
#include "frame.h"
#include "fuzz.h"
#include "wire/checksum.h"
#include "wire/headers.h"

#include <assert.h>
#include <stdlib.h>

#define PIECES_MAX 24

struct pieces {
    struct frame frame[PIECES_MAX];
    size_t count;
};

static void pieces_open(struct pieces *all, const struct frame *f, size_t size)
{
    size_t cap = SVR_HEADROOM + (size_t)f->h.payload + size + SVR_TAILROOM;
    svr_cut cut;

    all->count = 0;
    assert(svr_cut_begin(&cut, &f->p, &f->h, (uint16_t)size) == 0);
    while (svr_cut_more(&cut) && all->count < PIECES_MAX) {
        struct frame *piece = &all->frame[all->count++];

        *piece = (struct frame){.size = cap, .block = malloc(cap)};
        assert(svr_cut_next(&cut, &piece->p, piece->block, cap) == 0);
    }
}

static void pieces_close(struct pieces *all)
{
    while (all->count > 0)
        frame_close(&all->frame[--all->count]);
}

/* A byte of a piece's headers changes; its checksums are made right again,
 * where they can be and are to be. */
static void change(svr_packet *p, struct frame *f, size_t headers)
{
    size_t at = svr__rd_u8(&f->args) % headers;
    svr_headers h;

    p->data[at] ^= svr__rd_u8(&f->args);
    if (svr__rd_u8(&f->args) & 1)
        return;
    if (!svr__is_v6(p->data) && svr__ip4_header_len(p->data) <= p->len)
        svr__ip4_checksum_write(p->data);
    if (svr_packet_parse(&h, p) == 0)
        svr_packet_checksum_write(p, &h);
}

/* RFC 6864: the identification of what may not be fragmented. */
static void blur(svr_packet *p, const svr_packet *was)
{
    if (svr__is_v6(p->data) ||
        !(svr__load_be16(was->data + IP4_FRAGMENT) & IP4_DF))
        return;
    memcpy(p->data + IP4_ID, was->data + IP4_ID, 2);
    svr__ip4_checksum_write(p->data);
}

/* The packet, cut again, is what went in. */
static void check_cut(svr_packet *p, const svr_packet *was, size_t count)
{
    size_t cap = SVR_HEADROOM + (size_t)p->len + SVR_TAILROOM;
    uint8_t *buf = malloc(cap);
    svr_packet piece;
    svr_headers h;
    svr_cut cut;

    assert(svr_packet_parse(&h, p) == 0);
    assert(svr_cut_begin(&cut, p, &h, p->segment_size) == 0);
    for (size_t i = 0; i < count; i++) {
        assert(svr_cut_next(&cut, &piece, buf, cap) == 0);
        svr_packet_checksum_complete(&piece, &h);
        blur(&piece, &was[i]);
        assert(piece.len == was[i].len);
        assert(memcmp(piece.data, was[i].data, piece.len) == 0);
    }
    assert(!svr_cut_more(&cut));
    free(buf);
}

/* Joins what it can from place `at` on; returns how many pieces that are. */
static size_t join_from(const struct pieces *all, size_t at)
{
    const svr_packet *first = &all->frame[at].p;
    size_t cap = (size_t)first->len + SVR_PACKET_MAX, count = 1;
    uint8_t *block = malloc(cap);
    svr_packet was[PIECES_MAX], p = *first;
    svr_join j;

    memcpy(block, first->data, first->len);
    p.data = block;
    p.headroom = 0;
    p.tailroom = SVR_PACKET_MAX;
    was[0] = *first;
    if (svr_join_begin(&j, &p)) {
        while (at + count < all->count &&
               svr_join_add(&j, &all->frame[at + count].p)) {
            was[count] = all->frame[at + count].p;
            count++;
        }
        svr_join_end(&j);
    }
    if (count > 1)
        check_cut(&p, was, count);
    else
        assert(memcmp(p.data, first->data, p.len) == 0);
    free(block);
    return count;
}

static void join(struct frame *f)
{
    size_t size = svr__rd_u16(&f->args);
    uint8_t changed = svr__rd_u8(&f->args);
    struct pieces all;

    if (!svr__has_ports(f->h.tuple.proto) || size == 0 ||
        f->p.checksum != SVR_CHECKSUM_FULL ||
        !svr_packet_checksum_ok(&f->p, &f->h))
        return;
    f->p.segment_size = (uint16_t)size;
    pieces_open(&all, f, size);
    assert(all.count > 0);
    for (int i = 0; i < 3 && changed; i++, changed >>= 3)
        change(&all.frame[changed % all.count].p, f, f->h.payload);
    for (size_t at = 0; at < all.count;)
        at += join_from(&all, at);
    pieces_close(&all);
}

void fuzz_one(const uint8_t *data, size_t len)
{
    static frame_case *const cases[] = {join};

    frame_run(data, len, cases, sizeof(cases) / sizeof(cases[0]));
}
