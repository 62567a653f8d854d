#include "ether.h"

#include "common/bytes.h"
#include "nd.h"

#include <string.h>

const uint8_t ether_broadcast[ETHER_ADDR] = {0xff, 0xff, 0xff,
                                             0xff, 0xff, 0xff};

bool ether_is_group(const uint8_t mac[ETHER_ADDR])
{
    return (mac[0] & 1) != 0;
}

bool ether_is_station(const uint8_t mac[ETHER_ADDR])
{
    static const uint8_t zero[ETHER_ADDR];

    return !ether_is_group(mac) && memcmp(mac, zero, ETHER_ADDR) != 0;
}

enum ether_kind ether_classify(const uint8_t *frame, size_t len,
                               const uint8_t mac[ETHER_ADDR])
{
    bool ours;

    if (len < ETHER_HEADER)
        return ETHER_KIND_RUNT;
    ours = memcmp(frame, mac, ETHER_ADDR) == 0;
    if (!ours && !ether_is_group(frame))
        return ETHER_KIND_FOREIGN;
    switch (get_u16(frame + ETHER_TYPE_AT)) {
    case ETHER_TYPE_ARP:
        return ETHER_KIND_NEIGHBOUR;
    case ETHER_TYPE_IPV6:
        if (nd_is_message(frame + ETHER_HEADER, len - ETHER_HEADER))
            return ETHER_KIND_NEIGHBOUR;
        return ours ? ETHER_KIND_IP : ETHER_KIND_FOREIGN;
    case ETHER_TYPE_IPV4:
        return ours ? ETHER_KIND_IP : ETHER_KIND_FOREIGN;
    default:
        return ours ? ETHER_KIND_UNKNOWN : ETHER_KIND_FOREIGN;
    }
}

void ether_write(uint8_t *at, const uint8_t to[ETHER_ADDR],
                 const uint8_t from[ETHER_ADDR], uint16_t type)
{
    memcpy(at, to, ETHER_ADDR);
    memcpy(at + ETHER_FROM_AT, from, ETHER_ADDR);
    put_u16(at + ETHER_TYPE_AT, type);
}

void ether_pull(svr_packet *p)
{
    p->data += ETHER_HEADER;
    p->len -= ETHER_HEADER;
}

void ether_push(svr_packet *p, const uint8_t to[ETHER_ADDR],
                const uint8_t from[ETHER_ADDR])
{
    bool v6 = p->data[0] >> 4 == 6;

    p->data -= ETHER_HEADER;
    p->len += ETHER_HEADER;
    ether_write(p->data, to, from, v6 ? ETHER_TYPE_IPV6 : ETHER_TYPE_IPV4);
}
