/*
 * Packets that are split, into pieces for another router and into IP fragments:
 * each part is a right packet of the size asked for, and together they are the
 * packet again.
 */
#include "../tests/heap.h"
#include "frame.h"
#include "fuzz.h"
#include "wire/checksum.h"
#include "wire/headers.h"

#include <assert.h>
#include <stdlib.h>
#include <svr/fragment.h>

#define PARTS_MAX 64

/* Made once; every packet that goes in comes out. */
static svr_reassembly *open_pool(void)
{
    const svr_allocator alloc = HEAP;
    static svr_reassembly *pool;

    if (!pool)
        assert(svr_reassembly_create(&pool, SVR_SECOND, &alloc) == 0);
    return pool;
}

/* What splitting may change is made the same in both. */
static void blur(svr_packet *p)
{
    svr_headers h;

    if (!svr__is_v6(p->data)) {
        svr__store_be16(p->data + IP4_ID, 0);
        svr__store_be16(p->data + IP4_FRAGMENT, 0);
        svr__ip4_checksum_write(p->data);
    }
    assert(svr_packet_parse(&h, p) == 0);
    svr_packet_checksum_write(p, &h);
}

/* The pool holds the packet again, and nothing else. */
static void check_whole(svr_reassembly *pool, const struct frame *f)
{
    svr_packet *whole = svr_reassembly_first(pool);
    struct frame copy;

    assert(whole && whole->len == f->p.len);
    frame_copy(&copy, f);
    blur(whole);
    blur(&copy.p);
    assert(memcmp(whole->data, copy.p.data, whole->len) == 0);
    frame_close(&copy);
    svr_reassembly_release(pool);
    assert(!svr_reassembly_first(pool));
    assert(svr_reassembly_expiry(pool) == SVR_NEVER);
}

/* What a receiver refuses however it was split. */
static bool has_long_headers(const struct frame *f)
{
    return f->h.payload > SVR_REASSEMBLY_HEADERS;
}

/* One piece, as the other router takes it. */
static int take_piece(svr_reassembly *pool, svr_packet *p)
{
    svr_piece_key key;
    svr_piece piece;
    svr_metadata md;
    svr_headers h;
    ptrdiff_t len;

    assert(svr_packet_parse(&h, p) == 0);
    svr_packet_checksum_write(p, &h);
    frame_check(p, &h);
    len = svr_metadata_decode(&md, p->data + h.payload, p->len - h.payload);
    assert(len > 0 && md.present == (SVR_HAS(FRAGMENT) | SVR_HAS(SECURITY_ID)));
    svr_fabric_piece(&key, &piece, p, &h, &md.fragment, (size_t)len);
    return svr_reassembly_add(pool, &key, &piece, 0);
}

static void pieces(struct frame *f)
{
    uint16_t size = svr__rd_u16(&f->args);
    size_t payload = f->p.len - f->h.payload;
    size_t room = SVR_HEADROOM + f->h.payload + 64U + size + SVR_TAILROOM;
    bool v6 = svr__is_v6(f->p.data);
    svr_metadata md;
    svr_split s;
    int done = 0;

    svr_metadata_init(&md);
    md.present = SVR_HAS(SECURITY_ID);
    md.fragment = (svr_fragment){
        .extended_id = 7,
        .original_id = v6 ? 0 : svr__load_be16(f->p.data + IP4_ID),
        .dont_fragment = true,
    };
    if (f->p.checksum == SVR_CHECKSUM_PARTIAL || has_long_headers(f) ||
        (size && payload / size >= PARTS_MAX))
        return;
    int err = svr_split_begin(&s, &f->p, &f->h, size);
    if (size == 0 || size % 8 || payload == 0 ||
        !svr__has_ports(f->h.tuple.proto)) {
        assert(err == SVR_ERR_ARGUMENT);
        return;
    }
    assert(err == 0);
    while (svr_split_more(&s)) {
        uint8_t *buf = malloc(room);
        svr_packet p;

        assert(done == 0);
        md.present = SVR_HAS(SECURITY_ID);
        assert(svr_split_next(&s, &md, &p, buf, room) == 0);
        assert(p.len <= f->h.payload + 64U + size);
        done = take_piece(open_pool(), &p);
        assert(done >= 0);
        free(buf);
    }
    assert(done == 1);
    check_whole(open_pool(), f);
}

static int take_fragment(svr_reassembly *pool, svr_packet *p)
{
    svr_piece_key key;
    svr_piece piece;
    int err = svr_ip_fragment_parse(&key, &piece, p);

    assert(err == 0);
    return svr_reassembly_add(pool, &key, &piece, 0);
}

static void fragments(struct frame *f)
{
    uint16_t size = svr__rd_u16(&f->args);
    size_t room = (size_t)SVR_HEADROOM + size + SVR_TAILROOM;
    svr_ip_split s;
    int done = 0;

    /* A first fragment without the whole L4 header would be refused. */
    if (f->p.checksum == SVR_CHECKSUM_PARTIAL || f->p.len <= size ||
        size < f->h.payload + 8U || has_long_headers(f) ||
        f->p.len / (size + 1U) >= PARTS_MAX / 4)
        return;
    if (svr_ip_split_begin(&s, &f->p, size, svr__rd_u32(&f->args)) < 0)
        return;
    while (svr_ip_split_more(&s)) {
        uint8_t *buf = malloc(room);
        svr_packet p;

        assert(done == 0);
        assert(svr_ip_split_next(&s, &p, buf, room) == 0);
        assert(p.len <= size);
        done = take_fragment(open_pool(), &p);
        assert(done >= 0);
        free(buf);
    }
    assert(done == 1);
    check_whole(open_pool(), f);
}

void fuzz_one(const uint8_t *data, size_t len)
{
    static frame_case *const cases[] = {pieces, fragments};

    frame_run(data, len, cases, sizeof(cases) / sizeof(cases[0]));
}
