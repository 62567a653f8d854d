/* ether.h - Ethernet headers. */
#ifndef SVR_ROUTER_ETHER_H
#define SVR_ROUTER_ETHER_H

#include <stdbool.h>
#include <svr/svr.h>

#define ETHER_HEADER 14
#define ETHER_ADDR 6
#define ETHER_FROM_AT 6
#define ETHER_TYPE_AT 12
/* The shortest frame; what is shorter is padded by a device. */
#define ETHER_FRAME_MIN 60

enum {
    ETHER_TYPE_IPV4 = 0x0800,
    ETHER_TYPE_ARP = 0x0806,
    ETHER_TYPE_IPV6 = 0x86dd,
};

extern const uint8_t ether_broadcast[ETHER_ADDR];

enum ether_kind {
    ETHER_KIND_IP,        /* for the node */
    ETHER_KIND_NEIGHBOUR, /* ARP or neighbour discovery */
    ETHER_KIND_RUNT,      /* shorter than a header */
    ETHER_KIND_FOREIGN,   /* to somebody else */
    ETHER_KIND_UNKNOWN,   /* neither IP nor ARP */
};

/* What to do with a frame that came to an interface with the address mac. IP
 * must come to the own address; only neighbour discovery may be multicast. */
enum ether_kind ether_classify(const uint8_t *frame, size_t len,
                               const uint8_t mac[ETHER_ADDR]);

/* Whether it is a multicast or broadcast address. */
bool ether_is_group(const uint8_t mac[ETHER_ADDR]);
/* Whether it can be the address of one station. */
bool ether_is_station(const uint8_t mac[ETHER_ADDR]);

void ether_write(uint8_t *at, const uint8_t to[ETHER_ADDR],
                 const uint8_t from[ETHER_ADDR], uint16_t type);

/* Takes the header off a packet that starts with it. headroom stays that of the
 * IP packet here and below: the header has a room of its own. */
void ether_pull(svr_packet *p);
/* Puts one in front. */
void ether_push(svr_packet *p, const uint8_t to[ETHER_ADDR],
                const uint8_t from[ETHER_ADDR]);

#endif
