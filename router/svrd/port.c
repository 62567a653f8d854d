#include "port.h"

#include "express.h"
#include "log.h"

#include <string.h>

void port_assign(struct port *p, const struct config *config, uint16_t index)
{
    p->config = &config->ports[index];
    p->interface = &config->node.interfaces[index];
    p->index = index;
}

void port_init(struct port *p, const struct config *config, uint16_t index)
{
    memset(p, 0, sizeof *p);
    port_assign(p, config, index);
    p->ethernet = p->config->kind != PORT_TUN;
    p->ops = p->config->kind == PORT_PCAP ? &port_pcap_ops : &port_tap_ops;
    p->fd = -1;
    p->express = -1;
}

int port_open(struct port *p)
{
    return p->ops->open(p);
}

bool port_usable(const struct port *p)
{
    return p->ops->usable(p);
}

void port_close(struct port *p)
{
    express_close(p);
    if (p->fd >= 0)
        p->ops->close(p);
    p->fd = -1;
}

void port_prepare(const struct port *p, svr_packet *frame, uint8_t *buf)
{
    memset(frame, 0, sizeof *frame);
    frame->data = buf + PORT_IP_AT;
    frame->headroom = SVR_HEADROOM;
    frame->tailroom = SVR_TAILROOM;
    frame->iface = p->index;
}

void port_finish(struct port *p, svr_packet *frame, const uint8_t *buf)
{
    size_t room =
        (size_t)(buf + PORT_BUFFER - frame->data) - (size_t)frame->len;

    frame->tailroom = (uint16_t)(room < UINT16_MAX ? room : UINT16_MAX);
    p->counters.received_frames++;
    p->counters.received_bytes += frame->len;
}

int port_read(struct port *p, svr_packet *frame, uint8_t *buf)
{
    for (int tries = 0; tries < SVR_BATCH_MAX; tries++) {
        int got;

        port_prepare(p, frame, buf);
        got = p->ops->read(p, frame);
        if (got <= 0)
            return got;
        if (!express_takes(p, frame)) {
            port_finish(p, frame, buf);
            return 1;
        }
    }
    return 0;
}

static bool write_counted(struct port *p, svr_packet *frame)
{
    uint32_t len = frame->len;

    if (p->failed || !p->ops->write(p, frame)) {
        p->counters.transmit++;
        return false;
    }
    p->counters.sent_frames++;
    p->counters.sent_bytes += len;
    return true;
}

bool port_write(struct port *p, const svr_packet *pkt, const uint8_t *to)
{
    svr_packet frame = *pkt;

    if (p->ethernet)
        ether_push(&frame, to, p->mac);
    return write_counted(p, &frame);
}

void port_write_frame(struct port *p, const uint8_t *frame, size_t len)
{
    uint8_t buf[PORT_FRONT + 128];
    svr_packet pkt = {.data = buf + PORT_FRONT, .len = (uint32_t)len};

    if (len > sizeof buf - PORT_FRONT)
        return;
    memcpy(pkt.data, frame, len);
    write_counted(p, &pkt);
}

const char *port_kind_name(enum port_kind kind)
{
    switch (kind) {
    case PORT_TAP:
        return "tap";
    case PORT_TUN:
        return "tun";
    case PORT_PCAP:
        return "pcap";
    }
    return "unknown";
}

void port_warn_if_unfit(const struct port *p, bool up, int mtu)
{
    const char *name = p->interface->name;
    const char *device = p->config->device;

    if (!up)
        log_warn("interface %s: %s is down; run: ip link set dev %s up", name,
                 device, device);
    if (mtu != p->interface->mtu)
        log_warn("interface %s: %s has mtu %d, the configuration says %d; "
                 "run: ip link set dev %s mtu %d",
                 name, device, mtu, p->interface->mtu, device,
                 p->interface->mtu);
}
