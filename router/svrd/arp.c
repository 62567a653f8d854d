#include "arp.h"

#include "common/bytes.h"

#include <string.h>

#define HARDWARE_ETHERNET 1
#define OPERATION_REQUEST 1
#define OPERATION_REPLY 2
#define V4_SIZE 4
#define V4_AT 12 /* in svr_addr */

/* Offsets in the frame. */
enum {
    HARDWARE_AT = ETHER_HEADER,
    PROTOCOL_AT = HARDWARE_AT + 2,
    SIZES_AT = PROTOCOL_AT + 2,
    OPERATION_AT = SIZES_AT + 2,
    SENDER_MAC_AT = OPERATION_AT + 2,
    SENDER_AT = SENDER_MAC_AT + ETHER_ADDR,
    TARGET_MAC_AT = SENDER_AT + V4_SIZE,
    TARGET_AT = TARGET_MAC_AT + ETHER_ADDR,
    END_AT = TARGET_AT + V4_SIZE,
};

static svr_addr read_addr(const uint8_t *p)
{
    static const uint8_t zero[V4_SIZE];

    return memcmp(p, zero, V4_SIZE) == 0 ? SVR_ADDR_NONE : svr_addr_from_v4(p);
}

bool arp_parse(struct arp_message *m, const uint8_t *frame, size_t len)
{
    uint16_t operation;

    if (len < END_AT || get_u16(frame + ETHER_TYPE_AT) != ETHER_TYPE_ARP ||
        get_u16(frame + HARDWARE_AT) != HARDWARE_ETHERNET ||
        get_u16(frame + PROTOCOL_AT) != ETHER_TYPE_IPV4 ||
        frame[SIZES_AT] != ETHER_ADDR || frame[SIZES_AT + 1] != V4_SIZE)
        return false;
    operation = get_u16(frame + OPERATION_AT);
    if (operation != OPERATION_REQUEST && operation != OPERATION_REPLY)
        return false;
    if (!ether_is_station(frame + SENDER_MAC_AT))
        return false;
    m->request = operation == OPERATION_REQUEST;
    memcpy(m->sender_mac, frame + SENDER_MAC_AT, ETHER_ADDR);
    m->sender = read_addr(frame + SENDER_AT);
    m->target = read_addr(frame + TARGET_AT);
    return true;
}

static void write_message(uint8_t *frame, uint16_t operation,
                          const uint8_t to[ETHER_ADDR],
                          const uint8_t mac[ETHER_ADDR], const svr_addr *own)
{
    memset(frame, 0, ETHER_FRAME_MIN);
    ether_write(frame, to, mac, ETHER_TYPE_ARP);
    put_u16(frame + HARDWARE_AT, HARDWARE_ETHERNET);
    put_u16(frame + PROTOCOL_AT, ETHER_TYPE_IPV4);
    frame[SIZES_AT] = ETHER_ADDR;
    frame[SIZES_AT + 1] = V4_SIZE;
    put_u16(frame + OPERATION_AT, operation);
    memcpy(frame + SENDER_MAC_AT, mac, ETHER_ADDR);
    memcpy(frame + SENDER_AT, own->b + V4_AT, V4_SIZE);
}

void arp_write_request(uint8_t *frame, const uint8_t to[ETHER_ADDR],
                       const uint8_t mac[ETHER_ADDR], const svr_addr *own,
                       const svr_addr *target)
{
    write_message(frame, OPERATION_REQUEST, to, mac, own);
    memcpy(frame + TARGET_AT, target->b + V4_AT, V4_SIZE);
}

void arp_write_reply(uint8_t *frame, const uint8_t mac[ETHER_ADDR],
                     const struct arp_message *m)
{
    write_message(frame, OPERATION_REPLY, m->sender_mac, mac, &m->target);
    memcpy(frame + TARGET_MAC_AT, m->sender_mac, ETHER_ADDR);
    if (!svr_addr_is_none(&m->sender))
        memcpy(frame + TARGET_AT, m->sender.b + V4_AT, V4_SIZE);
}
