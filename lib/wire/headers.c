#include "wire/headers.h"

#include "wire/checksum.h"

static void write_v4(uint8_t *ip, const svr_addr *src, const svr_addr *dst)
{
    memset(ip, 0, IP4_SIZE);
    ip[0] = 0x45;
    svr__store_be16(ip + IP4_FRAGMENT, IP4_DF);
    svr__store_v4(ip + IP4_SRC, src);
    svr__store_v4(ip + IP4_DST, dst);
}

static void write_v6(uint8_t *ip, const svr_addr *src, const svr_addr *dst)
{
    memset(ip, 0, IP6_SIZE);
    memcpy(ip + IP6_SRC, src->b, 16);
    memcpy(ip + IP6_DST, dst->b, 16);
}

void svr__ip_write(uint8_t *ip, const svr_addr *src, const svr_addr *dst,
                   uint8_t proto, size_t len, uint8_t tos, uint8_t ttl)
{
    if (svr_addr_is_v4(src)) {
        write_v4(ip, src, dst);
        ip[IP4_TOS] = tos;
        ip[IP4_TTL] = ttl;
        ip[IP4_PROTO] = proto;
        svr__store_be16(ip + IP4_LEN, (uint16_t)len);
        svr__ip4_checksum_write(ip);
    } else {
        write_v6(ip, src, dst);
        svr__store_be16(ip, (uint16_t)(0x6000 | tos << 4));
        ip[IP6_HOPS] = ttl;
        ip[IP6_NEXT] = proto;
        svr__store_be16(ip + IP6_LEN, (uint16_t)(len - IP6_SIZE));
    }
}

void svr__lengths_write(uint8_t *ip, size_t len, size_t l4, uint8_t proto)
{
    if (svr__is_v6(ip))
        svr__store_be16(ip + IP6_LEN, (uint16_t)(len - IP6_SIZE));
    else
        svr__store_be16(ip + IP4_LEN, (uint16_t)len);
    if (proto == SVR_PROTO_UDP)
        svr__store_be16(ip + l4 + UDP_LEN, (uint16_t)(len - l4));
}
