/*
 * cursor.h - reading and writing bytes in order, never past the end.
 *
 * A cursor that is asked for more than it has remembers that, and from then
 * on reads zeros or writes nothing. So a row of reads or writes needs one
 * check at its end. Every offset into metadata is computed here.
 */
#ifndef SVR__CURSOR_H
#define SVR__CURSOR_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <svr/base.h>

typedef struct svr__rd {
    const uint8_t *at;
    size_t left;
    bool overrun;
} svr__rd;

static inline svr__rd svr__rd_over(const uint8_t *buf, size_t len)
{
    return (svr__rd){.at = buf, .left = len};
}

/* The next len bytes, or NULL. */
static inline const uint8_t *svr__rd_bytes(svr__rd *rd, size_t len)
{
    const uint8_t *at = rd->at;

    if (len > rd->left) {
        rd->left = 0;
        rd->overrun = true;
        return NULL;
    }
    rd->at += len;
    rd->left -= len;
    return at;
}

static inline uint8_t svr__rd_u8(svr__rd *rd)
{
    const uint8_t *p = svr__rd_bytes(rd, 1);
    return p ? *p : 0;
}

static inline uint16_t svr__rd_u16(svr__rd *rd)
{
    const uint8_t *p = svr__rd_bytes(rd, 2);
    return p ? svr__load_be16(p) : 0;
}

static inline uint32_t svr__rd_u32(svr__rd *rd)
{
    const uint8_t *p = svr__rd_bytes(rd, 4);
    return p ? svr__load_be32(p) : 0;
}

static inline uint64_t svr__rd_u64(svr__rd *rd)
{
    const uint8_t *p = svr__rd_bytes(rd, 8);
    return p ? svr__load_be64(p) : 0;
}

static inline void svr__rd_copy(svr__rd *rd, uint8_t *to, size_t len)
{
    const uint8_t *p = svr__rd_bytes(rd, len);
    if (p)
        memcpy(to, p, len);
}

/* The next len bytes as a cursor of their own. It is filled field by field: a
 * returned struct is copied in one piece, right behind the stores of its
 * fields, for which a processor has to wait. */
static inline void svr__rd_sub(svr__rd *rd, size_t len, svr__rd *sub)
{
    sub->at = svr__rd_bytes(rd, len);
    sub->left = sub->at ? len : 0;
    sub->overrun = false;
}

/* All that is left. */
static inline svr_span svr__rd_rest(svr__rd *rd)
{
    size_t len = rd->left;
    return (svr_span){.data = svr__rd_bytes(rd, len), .len = len};
}

/* With buf NULL it only measures. */
typedef struct svr__wr {
    uint8_t *buf;
    size_t cap;
    size_t len;
    bool overrun;
} svr__wr;

static inline svr__wr svr__wr_over(uint8_t *buf, size_t cap)
{
    return (svr__wr){.buf = buf, .cap = buf ? cap : SIZE_MAX};
}

/* Room for the next len bytes, or NULL where nothing is to be written. */
static inline uint8_t *svr__wr_room(svr__wr *wr, size_t len)
{
    size_t at = wr->len;

    if (len > wr->cap - at) {
        wr->cap = at;
        wr->overrun = true;
        return NULL;
    }
    wr->len += len;
    return wr->buf ? wr->buf + at : NULL;
}

static inline void svr__wr_u8(svr__wr *wr, uint8_t v)
{
    uint8_t *p = svr__wr_room(wr, 1);
    if (p)
        *p = v;
}

static inline void svr__wr_u16(svr__wr *wr, uint16_t v)
{
    uint8_t *p = svr__wr_room(wr, 2);
    if (p)
        svr__store_be16(p, v);
}

static inline void svr__wr_u32(svr__wr *wr, uint32_t v)
{
    uint8_t *p = svr__wr_room(wr, 4);
    if (p)
        svr__store_be32(p, v);
}

static inline void svr__wr_u64(svr__wr *wr, uint64_t v)
{
    uint8_t *p = svr__wr_room(wr, 8);
    if (p)
        svr__store_be64(p, v);
}

static inline void svr__wr_bytes(svr__wr *wr, const uint8_t *from, size_t len)
{
    uint8_t *p = svr__wr_room(wr, len);
    if (p && len > 0)
        memcpy(p, from, len);
}

/* Bytes whose number follows no pattern, so that a branch on it costs more than
 * a word too many: 8 to 24 of them are three words that overlap. */
static inline void svr__wr_span(svr__wr *wr, const svr_span *from)
{
    uint8_t *p = svr__wr_room(wr, from->len);
    size_t last = from->len - 8;
    uint64_t words[3];

    if (!p)
        return;
    if (last > 16) {
        if (from->len > 0)
            memcpy(p, from->data, from->len);
        return;
    }
    memcpy(&words[0], from->data, 8);
    memcpy(&words[1], from->data + (last < 8 ? last : 8), 8);
    memcpy(&words[2], from->data + last, 8);
    memcpy(p, &words[0], 8);
    memcpy(p + (last < 8 ? last : 8), &words[1], 8);
    memcpy(p + last, &words[2], 8);
}

/* Puts v over the two bytes at offset `at`, which were written before. */
static inline void svr__wr_patch_u16(svr__wr *wr, size_t at, uint16_t v)
{
    if (wr->buf && at + 2 <= wr->len)
        svr__store_be16(wr->buf + at, v);
}

#endif
