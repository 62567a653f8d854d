/*
 * packet.h - IP packets as hosts send them, and what hosts read in them.
 */
#ifndef SIM_PACKET_H
#define SIM_PACKET_H

#include "buffer.h"

/* Protocols beside those that base.h names. */
enum { PROTO_GRE = 47 };

/* What a TCP segment says besides its payload. */
struct segment_fields {
    uint32_t seq, ack;
    uint16_t window;
    uint8_t flags;
    uint16_t mss;  /* option, where flags hold SYN; 0: none */
    uint8_t shift; /* window scale option, where flags hold SYN; 0: none */
};

/* IP and L4 header and `len` bytes of payload; the caller fills in *payload and
 * calls packet_finish. ICMP is an echo request, or its answer if `answer`, with
 * the identifier src port; other protocols have no L4 header. */
void packet_begin(struct buffer *b, const svr_tuple *t,
                  const struct segment_fields *tcp, bool answer, uint16_t seq,
                  size_t len, uint8_t **payload);
/* Writes the checksums. */
void packet_finish(struct buffer *b);

/* The MSS and window scale options of a SYN; 0 where there is none. */
void packet_syn_options(const svr_packet *p, const svr_headers *h,
                        uint16_t *mss, uint8_t *shift);

/* Bytes that IP and L4 header take, without options. */
size_t packet_overhead(const svr_tuple *t);

/* Content of a stream: what the byte at `offset` must be. Bytes of another
 * stream or place are others, but for a mark that every 256 bytes begin with,
 * by which content is known wherever it is. */
extern const uint8_t content_mark[16];
void content_write(uint8_t *out, size_t len, uint64_t stream, uint64_t offset);
bool content_check(const uint8_t *in, size_t len, uint64_t stream,
                   uint64_t offset);

static inline void put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

static inline uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static inline uint32_t get32(const uint8_t *p)
{
    return get16(p) << 16 | get16(p + 2);
}

#endif
