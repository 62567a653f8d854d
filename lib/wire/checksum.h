/*
 * checksum.h - the Internet checksum (RFC 1071) and its incremental update
 * (RFC 1624).
 *
 * A sum is the folded one's complement sum of big-endian 16-bit words, not
 * inverted. It is zero only for bytes that are all zero; where two words are
 * equal in one's complement, 0 and 0xffff, every function here answers 0xffff
 * unless all its input is zero, so that updated and computed checksums agree
 * to the bit.
 */
#ifndef SVR__CHECKSUM_H
#define SVR__CHECKSUM_H

#include <svr/packet.h>

#include "base/bytes.h"

static inline uint16_t svr__sum_fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)(sum + (sum >> 16));
}

/* What to add to a sum in which words of the sum `from` become words of the
 * sum `to`. */
static inline uint16_t svr__sum_delta(uint16_t from, uint16_t to)
{
    return svr__sum_fold((uint16_t)~from + (uint32_t)to);
}

/* The sum of len bytes; an odd last byte is padded with zero. */
uint16_t svr__sum(const uint8_t *buf, size_t len);

/* The sum of the pseudo header for l4_len bytes of proto behind ip. */
uint16_t svr__sum_pseudo(const uint8_t *ip, uint8_t proto, size_t l4_len);

/* A checksum after delta was added to what it covers. */
static inline uint16_t svr__checksum_update(uint16_t checksum, uint32_t delta)
{
    return (uint16_t)~svr__sum_fold((uint16_t)~checksum + delta);
}

/* The same for the checksum at field of a TCP or UDP header, whose addresses
 * and ports changed. A UDP checksum of zero says "none" and stays (S4.6). */
static inline void svr__l4_checksum_update(uint8_t *field, uint8_t proto,
                                           bool partial, uint16_t addr_delta,
                                           uint16_t port_delta)
{
    uint16_t old = svr__load_be16(field);
    uint16_t now;

    if (partial) {
        svr__store_be16(field, svr__sum_fold((uint32_t)old + addr_delta));
        return;
    }
    if (old == 0 && proto == SVR_PROTO_UDP)
        return;
    now = svr__checksum_update(old, (uint32_t)addr_delta + port_delta);
    if (now == 0 && proto == SVR_PROTO_UDP)
        now = 0xffff;
    svr__store_be16(field, now);
}

/* The offset of the checksum in the L4 header, or -1 where proto has none that
 * we know. */
int svr__l4_checksum_at(uint8_t proto, bool v6);

void svr__ip4_checksum_write(uint8_t *ip);

/* Computes and writes the L4 checksum of a packet of len bytes; nothing where
 * proto has none that we know. */
void svr__l4_checksum_write(uint8_t *ip, size_t len, size_t l4, uint8_t proto);

#endif
