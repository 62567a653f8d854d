/*
 * port.h - a port: one interface of the router and the device behind it.
 *
 * Devices differ in how they are opened, read and written; each kind is a table
 * of functions. What passes between a device and its port is a frame: an
 * svr_packet that starts at the Ethernet header, or at the IP header where the
 * device has no Ethernet (TUN).
 */
#ifndef SVR_ROUTER_PORT_H
#define SVR_ROUTER_PORT_H

#include "config/config.h"
#include "ether.h"

#include <pcap/pcap.h>

struct forward;
struct neighbours;
struct port;

/* Room in front of an SVR packet's own headroom, for the headers of frame and
 * device. A multiple of 64, as SVR_HEADROOM is, so that IP headers stand at the
 * start of a cache line. */
#define PORT_FRONT 64
#define PORT_IP_AT (PORT_FRONT + SVR_HEADROOM)
#define PORT_BUFFER (PORT_IP_AT + SVR_PACKET_MAX + 1 + SVR_TAILROOM)

/* X(name): what a port counts. */
#define PORT_COUNTER_MAP(X)                                                \
    X(received_frames)                                                     \
    X(received_bytes)                                                      \
    X(sent_frames)                                                         \
    X(sent_bytes)                                                          \
    X(foreign) /* frames to somebody else */                               \
    X(unknown) /* frames that hold neither IP nor ARP */                   \
    X(short_frames)                                                        \
    X(offload)   /* frames with offload facts that have no meaning here */ \
    X(truncated) /* frames longer than the device gave */                  \
    X(transmit)  /* frames that the device refused */

struct port_counters {
#define X(name) uint64_t name;
    PORT_COUNTER_MAP(X)
#undef X
};

struct port_ops {
    /* Opens the device and sets fd and, with Ethernet, mac. 0, or -1 after one
     * line in the log. */
    int (*open)(struct port *p);
    /* Reads one frame. frame->data says where an IP header is to stand; it is
     * moved to the front of what stands before that. 1, 0 where there is none
     * now, -1 where the device has failed. Frames that are no good are counted
     * and passed over. */
    int (*read)(struct port *p, svr_packet *frame);
    /* Writes one frame; PORT_FRONT bytes in front of the IP header may be
     * overwritten. */
    bool (*write)(struct port *p, svr_packet *frame);
    /* Whether a device that failed can be used again. */
    bool (*usable)(const struct port *p);
    void (*close)(struct port *p);
};

extern const struct port_ops port_tap_ops;
extern const struct port_ops port_pcap_ops;

struct port {
    const struct port_ops *ops;
    const struct config_port *config;
    const svr_interface_config *interface;
    uint16_t index;
    bool ethernet;
    bool failed;    /* the device is gone or down */
    bool datagrams; /* it takes and gives super-packets of UDP */
    int fd;         /* readable when frames wait; -1: closed */
    int express;    /* a second way in (express.h), likewise */
    struct bpf_program express_filter; /* what comes by it */
    void *device;
    uint8_t mac[ETHER_ADDR];
    struct neighbours *neighbours; /* NULL without Ethernet */
    struct forward *forward;       /* the data path it belongs to */
    struct loop_polls *polls;      /* what waits for frames (loop.c) */
    struct port_counters counters;
};

/* Takes another configuration, in which it has that index. */
void port_assign(struct port *p, const struct config *config, uint16_t index);
/* Prepares interface `index` of the configuration; nothing is opened. */
void port_init(struct port *p, const struct config *config, uint16_t index);

int port_open(struct port *p);
bool port_usable(const struct port *p);
void port_close(struct port *p);

/* Reads one frame, as port_ops.read, but what comes by the second way as well
 * is passed over; buf has PORT_BUFFER bytes. */
int port_read(struct port *p, svr_packet *frame, uint8_t *buf);
/* For those that read: an empty frame in buf; and one that was received there,
 * which is counted and gets the rest of buf as its room. */
void port_prepare(const struct port *p, svr_packet *frame, uint8_t *buf);
void port_finish(struct port *p, svr_packet *frame, const uint8_t *buf);
/* Writes a packet that starts at its IP header; to is the station it goes to,
 * or NULL without Ethernet. pkt is as it was afterwards. */
bool port_write(struct port *p, const svr_packet *pkt, const uint8_t *to);
/* Writes a whole frame as it is. */
void port_write_frame(struct port *p, const uint8_t *frame, size_t len);

/* For those that open a device: says what the configuration does not expect of
 * it, and which command mends it. */
void port_warn_if_unfit(const struct port *p, bool up, int mtu);

const char *port_kind_name(enum port_kind kind);

#endif
