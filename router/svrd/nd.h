/* nd.h - neighbour solicitations and advertisements (RFC 4861) on Ethernet. */
#ifndef SVR_ROUTER_ND_H
#define SVR_ROUTER_ND_H

#include "ether.h"

/* The frames written here: Ethernet, IPv6, ICMPv6 with a target, one option. */
#define ND_FRAME_SIZE (ETHER_HEADER + 40 + 24 + 8)

struct nd_message {
    bool solicitation;        /* or an advertisement */
    bool solicited, override; /* an advertisement's flags S and O */
    svr_addr source;          /* none: a probe for duplicates */
    svr_addr target;
    bool has_mac; /* the source's or target's link-layer address was there */
    uint8_t mac[ETHER_ADDR];
    uint8_t from[ETHER_ADDR]; /* the frame's */
};

/* Whether the IPv6 packet is one of the two messages, valid or not; they never
 * leave their network. */
bool nd_is_message(const uint8_t *packet, size_t len);

/* Reads a frame with a solicitation or an advertisement. False where it fails
 * one of the checks of RFC 4861 7.1. */
bool nd_parse(struct nd_message *m, const uint8_t *frame, size_t len);

/* Writes a frame of ND_FRAME_SIZE bytes that asks for target: everyone (to is
 * NULL), or a station whose address is to be confirmed. */
void nd_write_solicitation(uint8_t *frame, const uint8_t *to,
                           const uint8_t mac[ETHER_ADDR], const svr_addr *own,
                           const svr_addr *target);
/* And one that answers the solicitation m for the address m->target; where
 * m->source is none, to everyone. */
void nd_write_advertisement(uint8_t *frame, const uint8_t mac[ETHER_ADDR],
                            const struct nd_message *m);

/* The link-local address that belongs to a hardware address (RFC 4291 A). */
svr_addr nd_link_local(const uint8_t mac[ETHER_ADDR]);
bool nd_is_link_local(const svr_addr *a);

#endif
