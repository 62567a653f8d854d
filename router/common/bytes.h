/* bytes.h - big-endian numbers in memory, and the Internet checksum. */
#ifndef SVR_ROUTER_BYTES_H
#define SVR_ROUTER_BYTES_H

#include <stddef.h>
#include <stdint.h>

static inline uint16_t get_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline void put_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* Adds len bytes to a one's complement sum (RFC 1071); an odd last byte counts
 * as if a zero followed. Enough for packets of 64 KiB and a few more. */
static inline uint32_t sum_add(uint32_t sum, const uint8_t *p, size_t len)
{
    uint64_t wide = sum;

    for (; len >= 2; p += 2, len -= 2)
        wide += get_u16(p);
    if (len == 1)
        wide += (uint32_t)(p[0] << 8);
    while (wide >> 32 != 0)
        wide = (wide & UINT32_MAX) + (wide >> 32);
    return (uint32_t)wide;
}

/* The checksum that belongs to a sum. */
static inline uint16_t sum_finish(uint32_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

#endif
