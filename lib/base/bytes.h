/* bytes.h - integers in network order, at any alignment. */
#ifndef SVR__BYTES_H
#define SVR__BYTES_H

#include <stdint.h>

static inline uint16_t svr__load_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t svr__load_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static inline uint64_t svr__load_be64(const uint8_t *p)
{
    return (uint64_t)svr__load_be32(p) << 32 | svr__load_be32(p + 4);
}

static inline void svr__store_be16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void svr__store_be32(uint8_t *p, uint32_t v)
{
    svr__store_be16(p, (uint16_t)(v >> 16));
    svr__store_be16(p + 2, (uint16_t)v);
}

static inline void svr__store_be64(uint8_t *p, uint64_t v)
{
    svr__store_be32(p, (uint32_t)(v >> 32));
    svr__store_be32(p + 4, (uint32_t)v);
}

#endif
