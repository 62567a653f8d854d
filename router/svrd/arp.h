/* arp.h - ARP messages for IPv4 on Ethernet (RFC 826). */
#ifndef SVR_ROUTER_ARP_H
#define SVR_ROUTER_ARP_H

#include "ether.h"

struct arp_message {
    bool request; /* or a reply */
    uint8_t sender_mac[ETHER_ADDR];
    svr_addr sender; /* none: a probe for duplicates (RFC 5227) */
    svr_addr target;
};

/* Reads a frame. False where it is not an ARP message of this kind, or is cut
 * off, or names a sender that cannot be a station. */
bool arp_parse(struct arp_message *m, const uint8_t *frame, size_t len);

/* Writes a frame of ETHER_FRAME_MIN bytes that asks for target; to is
 * ether_broadcast, or a station whose address is to be confirmed. */
void arp_write_request(uint8_t *frame, const uint8_t to[ETHER_ADDR],
                       const uint8_t mac[ETHER_ADDR], const svr_addr *own,
                       const svr_addr *target);
/* And one that answers the request m for the address m->target. */
void arp_write_reply(uint8_t *frame, const uint8_t mac[ETHER_ADDR],
                     const struct arp_message *m);

#endif
